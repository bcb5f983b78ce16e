#!/bin/bash
# test_run_counts.sh CHECKOUT - `./run test` must not call a failure a success: its counting, with
# stages and ctest replaced by ones that this test plays.
# shellcheck disable=SC2004,SC2030,SC2031,SC2034,SC2154,SC2317 # names come from the parts that are sourced
set -u
checkout=$1
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
failures=0

is() { # is WHAT EXPECTED FOUND
    if [ "$2" = "$3" ]; then
        echo "ok    $1"
    else
        echo "FAIL  $1: expected '$2', found '$3'"
        failures=$((failures + 1))
    fi
}

for part in say host build test; do
    # shellcheck source=/dev/null
    . "$checkout/packaging/run/$part.sh"
done

cat >"$build/report.xml" <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="Linux-c++"
	tests="10"
	failures="2"
	disabled="1"
	skipped="1"
	hostname="" time="3" timestamp="2026-01-01T00:00:00">
	<testcase name="tests=5" classname="x" time="0.1" status="run"/>
</testsuite>
XML
is "skipped and disabled tests count as failed" "6 4" "$(junit_numbers "$build/report.xml")"

# played NAME BODY...: the closing line and exit status of a `run test` with one stage of ours
played() {
    (
        eval "stage_unit() { $1; }"
        budget_s['unit']=${2:-10}
        passed=0 failed=0
        run_test unit | tail -n 1
        echo "exit ${PIPESTATUS[0]}"
    ) 2>&1 | tr '\n' ' '
}
is "what passes is counted" "3 passed, 0 failed exit 0 " "$(played 'count 3 0')"
is "a failed test fails the run" "3 passed, 1 failed exit 1 " "$(played 'count 3 1')"
is "a stage that could not run counts as failed" "0 passed, 1 failed exit 1 " "$(played 'return 1')"
is "a stage that tested nothing is no success" "0 passed, 1 failed exit 1 " "$(played true)"
is "a stage over its budget counts as failed" "1 passed, 1 failed exit 1 " \
    "$(played 'count 1 0; sleep 1.2' 1)"
is "a missing test build counts as failed" "0 passed, 1 failed exit 1 " "$(played 'ctest_label unit 1')"
is "an unknown stage is wrong use" 2 "$( (run_test nonsense) >/dev/null 2>&1; echo $?)"
is "a step's failure is shown with its log" 1 "$( (step broken false) >/dev/null 2>&1; echo $?)"

sum=0
for stage in "${stages[@]}"; do
    sum=$((sum + budget_s[$stage]))
done
is "the budgets together are at most 32 minutes" yes "$([ $sum -le 1920 ] && echo yes || echo "$sum s")"

echo "$failures failures"
[ $failures = 0 ]
