# shellcheck shell=bash disable=SC2154
# build.sh - the build trees: release (optimised), test (sanitizers, warnings are errors), fuzz.

jobs=${OG_JOBS:-$(nproc)}

configure_tree() { # configure_tree TREE
    local options=()
    case $1 in
    release) options=(-DCMAKE_BUILD_TYPE=Release) ;;
    test) options=(-DCMAKE_BUILD_TYPE=RelWithDebInfo "-DCMAKE_C_FLAGS_RELWITHDEBINFO=-O1 -g" -DASAN=ON -DUBSAN=ON -DWERROR=ON) ;;
    fuzz) options=(-DCMAKE_BUILD_TYPE=RelWithDebInfo -DASAN=ON -DUBSAN=ON -DFUZZ=ON
        -DCMAKE_C_COMPILER=clang) ;;
    esac
    [ "$1" = fuzz ] || options+=(-DCMAKE_C_COMPILER=gcc)
    cmake -S "$checkout" -B "$build/$1" -G Ninja -DCMAKE_INSTALL_PREFIX=/usr "${options[@]}"
}

make_tree() { # make_tree TREE [TARGET...]
    local tree=$1
    shift
    configure_tree "$tree" && ninja -C "$build/$tree" -k 0 -j"$jobs" "$@"
}

build_tree() { # build_tree TREE [TARGET...]
    step "build $*" make_tree "$@" || fail "the build failed; the whole log: $build/log"
}

package_file() {
    local version
    version=$(sed -n 's/^project(open-gateway VERSION \([0-9.]*\).*/\1/p' "$checkout/CMakeLists.txt")
    echo "$build/open-gateway_${version}_amd64.deb"
}

build_package() {
    build_tree release programs
    step "package" "$checkout/packaging/make-package" "$build/release" "$(package_file)" ||
        fail "the package was not made"
    done_line "$(package_file)"
}

run_fuzz() { # run_fuzz [TARGET] [SECONDS]
    local only=${1:-} time_s=${2:-60} target name failed=0
    [[ $only =~ ^[0-9]+$ ]] && time_s=$only only=
    [[ $time_s =~ ^[0-9]+$ ]] || fail "fuzz: '$time_s' is no number of seconds"
    need_packages build fuzz
    build_tree fuzz
    for target in "$build"/fuzz/tests/fuzz/fuzz_*; do
        if [ ! -f "$target" ] || [ ! -x "$target" ]; then continue; fi
        name=${target##*/fuzz_}
        [ -z "$only" ] || [ "$only" = "$name" ] || continue
        # new inputs go to a folder of their own, crashes too; the kept corpus is only read
        mkdir -p "$build/fuzz/found/$name"
        step "fuzz $name" "$target" -max_total_time="$time_s" -timeout=10 -rss_limit_mb=1024 \
            -artifact_prefix="$build/fuzz/found/$name/" "$build/fuzz/found/$name" \
            "$checkout/tests/fuzz/corpus/$name" || failed=$((failed + 1))
        fuzzed=yes
    done
    [ -n "${fuzzed:-}" ] || fail "there is no fuzz target '${only:-at all}'"
    [ $failed = 0 ] || fail "$failed fuzz target(s) failed; inputs: $build/fuzz/found"
}
