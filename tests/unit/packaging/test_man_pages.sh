#!/bin/bash
# test_man_pages.sh CHECKOUT - every program of the package has a man page with the parts that people look for.
set -u
failures=0
for program in solution-control roxe-gateway drbd-fence-peer roxed roxe-config roxe-installer.sh; do
    page=$1/packaging/man/$program.8
    for part in '^\.TH ' '^\.SH NAME' "^$program " '^\.SH SYNOPSIS' '^\.SH DESCRIPTION' '^\.SH .*SEE ALSO'; do
        grep -q "${part//\./\\.}" "$page" 2>/dev/null || grep -q "$part" "$page" 2>/dev/null || {
            echo "FAIL  $page lacks $part"
            failures=$((failures + 1))
        }
    done
done
echo "$failures failures"
[ $failures = 0 ]
