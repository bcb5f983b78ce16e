# shellcheck shell=bash disable=SC2154
# processes.sh - starts the parts and ends exactly them: a process is known by its number and the moment
# it began, so a number that the system gave away again is never signalled.
#
# run/processes has one line for each: NAME PID BEGAN. The kernel ends the parts with their supervisor
# (setpriv --pdeathsig), whatever ended that.

process_list=$folder/run/processes

# process_began PID: the moment, in the kernel's ticks; fails for one that has ended.
process_began() {
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    read -r -a stat <<<"${stat##*) }" # behind the name, which may hold anything; field 3 comes first
    [ "${stat[0]}" != Z ] && echo "${stat[19]}"
}
process_note() { # process_note NAME PID
    echo "$1 $2 $(process_began "$2")" >>"$process_list"
}
process_lives() { # process_lives PID BEGAN
    [ "$(process_began "$1")" = "$2" ]
}

# process_find NAME: prints PID and BEGAN of a part that lives.
process_find() {
    local name pid began
    [ -e "$process_list" ] || return 1
    while read -r name pid began; do
        if [ "$name" = "$1" ] && process_lives "$pid" "$began"; then
            echo "$pid $began"
            return 0
        fi
    done <"$process_list"
    return 1
}

# process_start NAME SIGNAL COMMAND...: in a session of its own, so that Ctrl-C reaches the supervisor only,
# which ends the parts in order. SIGNAL: when the supervisor dies. Sets $pid.
process_start() {
    local name=$1 signal=$2
    shift 2
    setsid setpriv --pdeathsig "$signal" -- "$@" >>"$folder/log/$name" 2>&1 </dev/null {lock}>&- &
    pid=$!
    process_note "$name" "$pid"
}

# process_end NAME SIGNAL...: the signals in turn, each with five seconds to work.
process_end() {
    local name=$1 found pid began signal
    shift
    found=$(process_find "$name") || return 0
    read -r pid began <<<"$found"
    for signal; do
        kill "-$signal" "$pid" 2>/dev/null || true
        process_gone "$pid" "$began" && return 0
    done
    return 1
}
# process_drop NAME PID: one that did not come up; as if it had never been started.
process_drop() {
    process_end "$1" TERM KILL || true
    wait "$2" || true
    sed -i "/^$1 $2 /d" "$process_list"
}
process_gone() { # process_gone PID BEGAN: within five seconds
    for _ in {1..250}; do
        process_lives "$1" "$2" || return 0
        sleep 0.02
    done
    return 1
}
