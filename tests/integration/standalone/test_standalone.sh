#!/bin/bash
# usage: test_standalone.sh CHECKOUT BUILD
# One gateway in a folder of its own, with the programs of BUILD: started, used, stopped, found gone.
# As an ordinary user, which root becomes; what matters most as root, too.
set -euo pipefail
# shellcheck source=tests/integration/standalone/words.sh
. "$(dirname "$0")/words.sh" "$1" "$2"

# What the ordinary user may not be able to read where it lies.
copy_programs() {
    mkdir -p "$work/checkout" "$work/build"
    cp -r "$checkout/standalone" "$work/checkout/"
    mkdir "$work/checkout/solution-control"
    cp "$checkout/solution-control/databases.sql" "$work/checkout/solution-control/"
    for program in gateway/roxe-gateway simulator/oxe-simulator standalone/og-password-hash; do
        install -D "$build/$program" "$work/build/$program"
    done
    chmod -R a+rX "$work"
}

# standalone ARGS...: as the user whose turn it is, in the folder whose turn it is
standalone() {
    "${as[@]}" "$work/checkout/standalone/standalone" --programs "$work/build" --folder "$folder" "$@"
}
ask() { # ask PATH CURL-ARGUMENTS...
    local path=$1
    shift
    curl -sf -m 10 --cacert "$folder/cert.pem" -b "$work/jar" -c "$work/jar" "$@" "$(fact .url)$path"
}
log_in() { # log_in LOGIN:PASSWORD
    rm -f "$work/jar"
    ask "/api/rest/authenticate?version=1.0" -u "$1" >/dev/null &&
        ask /api/rest/1.0/sessions -H 'Content-Type: application/json' -d '{"applicationName":"test"}' >/dev/null
}
processes() { # those that run from the folder, or hold its data
    local pid
    for pid in /proc/[0-9]*; do
        if tr '\0' ' ' <"$pid/cmdline" 2>/dev/null | grep -qF "$folder/"; then echo "${pid#/proc/}"; fi
    done
}
nothing_runs() { [ -z "$(processes)" ]; }
ended() { # ended PID: within ten seconds
    for _ in {1..500}; do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.02
    done
    return 1
}
all_gone() {
    for _ in {1..500}; do
        nothing_runs && return 0
        sleep 0.02
    done
    return 1
}
up() { standalone --detach --json >"$work/up.json"; }

# What README.md leads through: log in, subscribe, call, answer at the telephone, read the events.
two_users_talk() {
    local api=/api/rest/1.0 json='Content-Type: application/json' channel
    [ "$(fact '.users | length')" -ge 10 ] || die "there are not ten users"
    [ "$(fact '[.users[].password] | unique | length')" -ge 10 ] || die "users share a password"
    must "a user logs in" log_in "$(fact '.users[0] | "\(.login):\(.password)"')"
    must "he subscribes to telephony" ask "$api/subscriptions" -H "$json" \
        -d '{"filter":{"selectors":[{"names":["telephony"]}]},"version":"1.0","timeout":10}'
    channel=$(jq -r '.publicPollingUrl | sub("^https://[^/]*"; "")' "$work/out")
    ask "$channel" -X POST -N -m 20 >"$work/events" 2>/dev/null &
    listener=$!
    must "his channel opens" within 5 grep -q OnUserStateModified "$work/events"
    must "he calls another" ask "$api/telephony/basicCall" -H "$json" \
        -d "{\"deviceId\":\"$(fact '.users[0].number')\",\"callee\":\"$(fact '.users[1].number')\",\"autoAnswer\":true}"
    must "the telephone rings and is answered" within 5 \
        curl -sf -X POST "$(fact .simulator_url)/phones/$(fact '.users[1].number')/answer"
    must "he sees the call" within 5 call_is_active
    must "he heard of it" within 5 event_came OnCallModified ACTIVE
    must "he hangs up" ask "$api/telephony/basicCall/dropme" -X POST
    must "he heard of that as well" within 5 event_came OnCallRemoved ''
    kill "$listener" 2>/dev/null || true
    wait "$listener" 2>/dev/null || true
    must "the administrator logs in" log_in "$(fact '"\(.admin.login):\(.admin.password)"')"
}
call_is_active() {
    ask /api/rest/1.0/telephony/calls >"$work/calls" && jq -e '.calls[0].callData.state == "ACTIVE"' "$work/calls"
}
event_came() { # event_came NAME STATE
    jq -se --arg name "$1" --arg state "$2" \
        'any(.[]; .eventName == $name and ($state == "" or .callData.state == $state))' "$work/events"
}
starts_works_and_stops() {
    must_not "nothing runs in a folder that is not there" standalone --status
    must "stopping nothing is fine" standalone --stop
    must "it starts behind the shell's back" up
    [ "$(stat -c %a "$folder/accounts.json" "$folder/key.pem" "$folder/administrators.json" | sort -u)" = 600 ] ||
        die "others may read the secrets"
    must "the administrator logs in" log_in "$(fact '"\(.admin.login):\(.admin.password)"')"
    must "the session answers" ask /api/rest/1.0/sessions
    two_users_talk
    must "it says that it runs" standalone --status
    cp "$work/up.json" "$work/first.json"
    must "a second start is told so" up
    must "and changes nothing" cmp "$work/up.json" "$work/first.json"
    must "it stops" standalone --stop
    must "nothing is left" nothing_runs
    must "it starts again" up
    must "the session has outlived that" ask /api/rest/1.0/sessions
}

ends_with_its_parts() {
    kill -KILL "$(fact .pids.gateway)"
    must "the end of one part ends all" all_gone
    must "and is told" grep -q "gateway ended by itself" "$folder/log/standalone"
    must_not "it says that it does not run" standalone --status
    grep -q "(gateway ended by itself" "$work/out" || die "and not why"
    must "it starts again" up
    kill -KILL "$(fact .pids.supervisor)"
    must "the supervisor's end ends all" all_gone
    must "it starts once more" up
    must "a number that now belongs to another process is not signalled" spares_others
    must "it stops" standalone --stop
    must "nothing is left" nothing_runs
}

# A list of processes from before a restart of the machine: the numbers live, but began later.
spares_others() {
    local other
    standalone --stop
    sleep 60 &
    other=$!
    printf 'gateway %s 1\n' "$other" | "${as[@]}" tee "$folder/run/processes" >/dev/null
    standalone --stop
    kill "$other" || return 1
    up
}

takes_other_numbers_of_users() {
    local before
    before=$(fact '.users[0].password')
    standalone --stop >"$work/out"
    must "fewer telephones" standalone --detach --json --users 3
    must "are told" jq -e '.users | length == 3' "$work/out"
    must "and it stops" standalone --stop
    grep -q "data and passwords stay" "$work/out" || die "stopping does not say that it stopped something"
    must "more telephones" standalone --detach --json --users 12
    cp "$work/out" "$work/up.json"
    # shellcheck disable=SC2016 # jq's own variable
    must "have a user each, those of before the same passwords" \
        jq -e --arg before "$before" '(.users | length) == 12 and .users[0].password == $before' "$work/up.json"
    for index in 0 11; do
        must "user $index logs in" log_in "$(fact ".users[$index] | \"\(.login):\(.password)\"")"
    done
    must "it stops" standalone --stop
    must "nothing runs any more" standalone --stop
    grep -q "nothing runs" "$work/out" || die "stopping nothing says that it stopped something"
}

ends_with_its_folder() {
    must "it starts again" up
    rm -rf "$folder"
    must "it ends when its folder is removed" all_gone
}

# A session of its own stands for the terminal, whose Ctrl-C goes to everything in it.
stays_in_the_foreground() {
    local pid as=(setsid env --default-signal=INT "${as[@]}")
    rm -f "$work/up.json"
    "${as[@]}" "$work/checkout/standalone/standalone" --programs "$work/build" --folder "$folder" --json \
        >"$work/up.json" 2>"$work/err" &
    pid=$!
    for _ in {1..1000}; do
        [ -s "$work/up.json" ] && break
        sleep 0.02
    done
    must "in the foreground it says the same" jq -e .url "$work/up.json"
    kill -INT -- "-$pid"
    must "Ctrl-C ends it" ended "$pid"
    must "without complaint" wait "$pid"
    [ ! -s "$work/err" ] || die "it complained: $(cat "$work/err")"
    must "nothing is left" nothing_runs
}

refuses_wrong_use() {
    must_not "two actions at once are refused" standalone --stop --status
    must_not "an unknown option is refused" standalone --shake
    must_not "a folder too deep for a socket is refused" \
        standalone --folder "$folder/$(printf 'x%.0s' {1..90})" --detach
    must "it explains itself" standalone --help
}

# turn_of NAME COMMAND-PREFIX...
turn_of() {
    local name=$1
    shift
    as=("$@")
    folder=$work/$name/folder
    folders+=("$folder")
    say "as $name"
    starts_works_and_stops
}
everything_as() {
    turn_of "$@"
    ends_with_its_parts
    takes_other_numbers_of_users
    ends_with_its_folder
    stays_in_the_foreground
    refuses_wrong_use
}

copy_programs
if [ "$(id -u)" = 0 ]; then
    mkdir "$work/root" "$work/nobody"
    chmod 755 "$work/root"
    chown nobody: "$work/nobody"
    turn_of root env
    must "it stops" standalone --stop
    everything_as nobody setpriv --reuid nobody --regid nogroup --clear-groups --
else
    mkdir "$work/user"
    everything_as user env
fi
say "all is well"
