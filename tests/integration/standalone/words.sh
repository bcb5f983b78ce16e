# shellcheck shell=bash
# words.sh CHECKOUT BUILD - what the tests of standalone/ share: a folder for the test, sentences that must be true.

checkout=$1 build=$2
work=$(mktemp -d "${TMPDIR:-/tmp}/og-standalone-XXXXXX")
folders=()   # whatever runs in them is stopped at the end
processes=() # so are these, frozen ones as well
say() { printf '%s\n' "$*"; }
die() {
    echo "FAILED: $*" >&2
    tail -n 20 "$work/talk" "${folders[@]/%//log/standalone}" >&2 2>/dev/null || true
    exit 1
}
must() { # must "SENTENCE" COMMAND...
    local sentence=$1
    shift
    "$@" >"$work/out" 2>&1 || die "$sentence: $(cat "$work/out")"
    say "ok  $sentence"
}
must_not() {
    local sentence=$1
    shift
    ! "$@" >"$work/out" 2>&1 || die "$sentence: $(cat "$work/out")"
    say "ok  $sentence"
}
within() { # within SECONDS COMMAND...
    local seconds=$1
    shift
    for ((try = 0; try < seconds * 50; try++)); do
        "$@" && return 0
        sleep 0.02
    done
    return 1
}

fact() { jq -er "$1" "$work/up.json"; } # of what --json printed
cleanup() {
    local folder pid
    for pid in "${processes[@]}"; do
        kill -TERM "$pid" 2>/dev/null || continue
        kill -CONT "$pid" 2>/dev/null || true
    done
    for folder in "${folders[@]}"; do
        "$checkout/standalone/standalone" --programs "$build" --folder "$folder" --stop >/dev/null 2>&1 || true
    done
    rm -rf "$work"
}
trap cleanup EXIT
