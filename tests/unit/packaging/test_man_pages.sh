#!/bin/bash
# test_man_pages.sh CHECKOUT - every program has a man page with the parts that people look for.
set -u
failures=0
for program in solution-control.8 roxe-gateway.8 drbd-fence-peer.8 roxed.8 roxe-config.8 roxe-installer.sh.8 \
    oxe-simulator.1; do
    page=$1/packaging/man/$program
    program=${program%.?}
    for part in '^\.TH ' '^\.SH NAME' "^$program " '^\.SH SYNOPSIS' '^\.SH DESCRIPTION' '^\.SH .*SEE ALSO'; do
        grep -q "${part//\./\\.}" "$page" 2>/dev/null || grep -q "$part" "$page" 2>/dev/null || {
            echo "FAIL  $page lacks $part"
            failures=$((failures + 1))
        }
    done
done
echo "$failures failures"
[ $failures = 0 ]
