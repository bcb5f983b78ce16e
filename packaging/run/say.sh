# shellcheck shell=bash disable=SC2154
# say.sh - how `run` talks: one line per step with its seconds; colours on a terminal only.

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
    bold='' green='' red='' plain=''
fi

now_ms() {
    local t=${EPOCHREALTIME/[.,]/}
    echo $((t / 1000))
}

seconds() { # seconds MS: "12.3"
    printf '%d.%d' $(($1 / 1000)) $(($1 % 1000 / 100))
}

fail() { # fail TEXT...: a failure of the work
    printf '%srun: %s%s\n' "$red" "$*" "$plain" >&2
    exit 1
}

lacks() { # lacks TEXT...: this host cannot do it
    printf '%srun: %s%s\n' "$red" "$*" "$plain" >&2
    exit 3
}

done_line() {
    printf '%s%s%s\n' "$green" "$*" "$plain"
}

# step NAME COMMAND...: runs it with its output in build/log/NAME.log; shows name and seconds, and the
# end of the log when it failed. Returns the command's status; functions called through it chain their
# commands with && (bash has no -e inside a condition).
step() {
    local name=$1 status=0 begin log
    shift
    if ! mkdir -p "$build/log" 2>/dev/null || [ ! -w "$build/log" ]; then
        lacks "cannot write to $build; OG_BUILD=/another/folder ./run ... builds elsewhere"
    fi
    log=$build/log/${name//[^A-Za-z0-9._-]/-}.log
    begin=$(now_ms)
    printf '%s%-34s%s' "$bold" "$name" "$plain"
    [ -t 1 ] || echo
    ("$@") >"$log" 2>&1 </dev/null || status=$?
    [ -t 1 ] && printf '\r'
    if [ $status = 0 ]; then
        printf '%s%-34s%s %sok%s     %8s s\n' "$bold" "$name" "$plain" "$green" "$plain" \
            "$(seconds $(($(now_ms) - begin)))"
    else
        printf '%s%-34s%s %sFAILED%s %8s s   %s\n' "$bold" "$name" "$plain" "$red" "$plain" \
            "$(seconds $(($(now_ms) - begin)))" "$log"
        tail -n 40 "$log" | sed 's/^/    /'
    fi
    return $status
}
