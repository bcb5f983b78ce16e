# shellcheck shell=bash disable=SC2154
# test.sh - `./run test`: stages with a time budget each, and one closing line.
#
# Counted are ctest's tests, the simulation, the lab's stories, and every stage that could not do its work
# or took longer than its budget (as one failure each). Nothing is skipped: a stage whose build
# failed counts as failed, and a test that ctest calls skipped or not run as well.

stages=(deps image build unit integration sim lab)
declare -A budget_s=([deps]=150 [image]=180 [build]=240 [unit]=90 [integration]=480 [sim]=90 [lab]=570) # 30 min
passed=0 failed=0
sim_schedules=20000

count() { # count PASSED FAILED
    passed=$((passed + $1)) failed=$((failed + $2))
}

stage_deps() {
    need_packages build lab standalone
    need_lab_host
}

# What the virtual machines start from; made once, kept outside the checkout.
stage_image() {
    step "the virtual machines' image" "$checkout/lab/lab" image
}

stage_build() {
    local status=0
    step "build test (ASan, UBSan, -Werror)" make_tree test || status=1
    step "build release" make_tree release || status=1
    return $status
}

# junit_numbers FILE: "passed failed"; skipped and disabled tests are failures.
junit_numbers() {
    awk 'BEGIN { RS = "<"; tests = bad = 0 }
         /^testsuite[ \t\n]/ {
             n = split($0, word, /[ \t\n]+/)
             for (i = 1; i <= n; i++) {
                 value = word[i]; gsub(/[^0-9]/, "", value)
                 if (word[i] ~ /^tests=/) tests += value
                 if (word[i] ~ /^(failures|disabled|skipped)=/) bad += value
             }
         }
         END { print tests - bad, bad }' "$1"
}

# ctest_label LABEL JOBS: runs the tests of a label and counts them.
ctest_label() {
    local report=$build/log/$1.xml good bad
    [ -e "$build/test/CTestTestfile.cmake" ] || {
        echo "the test build does not exist"
        return 1
    }
    rm -f "$report"
    step "$1 tests" ctest --test-dir "$build/test" -L "^$1\$" -j"$2" --no-tests=error \
        --output-on-failure --output-junit "$report" || true
    [ -s "$report" ] || return 1
    read -r good bad < <(junit_numbers "$report")
    count "$good" "$bad"
    printf '    %d of %d %s tests passed\n' "$good" $((good + bad)) "$1"
    [ $((good + bad)) -gt 0 ]
}

stage_unit() {
    ctest_label unit "$jobs"
}

stage_integration() {
    ctest_label integration 1
}

stage_sim() {
    [ -x "$build/release/tests/sim/og-sim" ] || {
        echo "the simulation is not built"
        return 1
    }
    sim_step "simulation, $sim_schedules schedules" --schedules $sim_schedules
    sim_step "simulation without single rules" --mutate --schedules 300
    sim_step "simulation, every three faults" --walk 3
}

# sim_step NAME ARGUMENT...: one run of the simulator, counted as one test.
sim_step() {
    local name=$1
    shift
    if step "$name" "$build/release/tests/sim/og-sim" "$@"; then
        count 1 0
    else
        count 0 1
    fi
}

# The stories of ./run test are named in lab/stories-in-test, one a line.
stage_lab() {
    local story ran=0
    step "package" make_package_here || return 1
    while read -r story; do
        ran=$((ran + 1))
        if OG_BUILD=$build step "story $story" "$checkout/lab/lab" story "$story" \
            --json "$build/log/story-$story.json"; then
            count 1 0
        else
            count 0 1
        fi
    done < <(sed 's/#.*//' "$checkout/lab/stories-in-test" | awk 'NF { print $1 }')
    [ $ran -gt 0 ]
}

make_package_here() {
    "$checkout/packaging/make-package" "$build/release" "$(package_file)"
}

run_stage() { # run_stage NAME: does it, times it, holds it to its budget
    local name=$1 begin took status=ok counted=$((passed + failed))
    begin=$(now_ms)
    printf '\n%s== %s%s (budget %d s)\n' "$bold" "$name" "$plain" "${budget_s[$name]}"
    # deps ends the script when the host lacks something: that must become a failed stage here
    case $name in
    deps) (stage_deps) || status=failed ;;
    *) "stage_$name" || status=failed ;;
    esac
    # a stage of tests that found none has not done its work
    case $name in
    deps | image | build) ;;
    *) [ $((passed + failed)) -gt $counted ] || status=failed ;;
    esac
    took=$(($(now_ms) - begin))
    if [ $status = failed ]; then
        count 0 1
        printf '%sstage %s could not do its work%s\n' "$red" "$name" "$plain"
    elif [ $took -gt $((budget_s[$name] * 1000)) ]; then
        count 0 1
        printf '%sstage %s is over its budget of %d s%s\n' "$red" "$name" "${budget_s[$name]}" "$plain"
    fi
    summary+=("$(printf '%-12s %8s s of %4d s' "$name" "$(seconds $took)" "${budget_s[$name]}")")
}

run_test() {
    local name wanted=("$@") begin summary=()
    [ $# -gt 0 ] || wanted=("${stages[@]}")
    for name in "${wanted[@]}"; do
        [ -n "${budget_s[$name]:-}" ] || {
            echo "run: test has no stage '$name'; there are: ${stages[*]}" >&2
            exit 2
        }
    done
    begin=$(now_ms)
    for name in "${wanted[@]}"; do
        run_stage "$name"
    done
    printf '\n%stime per stage%s\n' "$bold" "$plain"
    printf '  %s\n' "${summary[@]}"
    printf '  %-12s %8s s\n' together "$(seconds $(($(now_ms) - begin)))"
    echo "$passed passed, $failed failed"
    [ $failed = 0 ]
}
