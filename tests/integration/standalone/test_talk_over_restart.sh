#!/bin/bash
# usage: test_talk_over_restart.sh CHECKOUT BUILD
# What the demo shows on two machines, here on one: two users talk, the gateway dies or is restarted, and
# the same call is there for both under the same sessions; each hears every event in the right order.
set -euo pipefail
# shellcheck source=tests/integration/standalone/words.sh
. "$(dirname "$0")/words.sh" "$1" "$2"

folder=$work/folder
folders+=("$folder")
chmod 755 "$work"
client=$build/lab/og-lab-client

user_logs_in() { # user_logs_in INDEX FILE
    fact ".users[$1] | \"\(.login):\(.password)\"" >"$work/account" &&
        "$client" session "${server[@]}" --account "$work/account" --subscribe >"$2"
}
ended() { ! grep -q '^State:.[^ZX]' "/proc/$1/status" 2>/dev/null; } # its frozen parent does not reap it
gateway_ends() { # gateway_ends SIGNAL
    kill "-$1" "$gateway"
    within 10 ended "$gateway"
}
# In this script's hands from now on; as the user who ran it before, the folder's owner.
gateway_begins() {
    local command=("$folder/bin/roxe-gateway" --config "$folder/gateway.json") owner
    owner=$(stat -c %U "$folder")
    [ "$owner" = "$(id -un)" ] ||
        command=(setpriv --reuid "$owner" --regid "$(id -g "$owner")" --init-groups --pdeathsig KILL -- "${command[@]}")
    "${command[@]}" >>"$work/gateway.log" 2>&1 </dev/null {orders}>&- &
    gateway=$!
    processes+=("$gateway")
}
told() { # told WORD COUNT
    if grep -q '^FAILED' "$work/talk"; then
        try=1000000 # no use to wait
        return 1
    fi
    [ "$(grep -c "^$1 " "$work/talk")" -ge "$2" ]
}
order() { echo "$1" >&"$orders"; }

must "the gateway is up" "$checkout/standalone/standalone" --programs "$build" --folder "$folder" --detach --json
cp "$work/out" "$work/up.json"
url=$(fact .url)
cp "$folder/cert.pem" "$work/cert.pem"
server=(--address 127.0.0.1 --port "${url##*:}" --ca "$work/cert.pem")
must "a user logs in and subscribes" user_logs_in 0 "$work/caller.json"
must "so does another" user_logs_in 1 "$work/called.json"
mkfifo "$work/orders"
exec {orders}<>"$work/orders"
"$client" talk "${server[@]}" --session "$work/caller.json" --peer "$work/called.json" --out "$work/talk" \
    <"$work/orders" >"$work/talk.json" 2>"$work/talk.err" &
talk=$!
processes+=("$talk")
touch "$work/talk"
must "both have their channels" within 10 told READY 1

processes+=("$(fact .pids.supervisor)")
# the supervisor would end everything when its gateway ends
kill -STOP "$(fact .pids.supervisor)"
gateway=$(fact .pids.gateway)
round=0
for signal in KILL TERM; do
    round=$((round + 1))
    order call
    must "they talk" within 10 told TALKING $round
    must "the gateway ends by SIG$signal" gateway_ends $signal
    must "the users notice" within 10 told LOST $round
    gateway_begins
    order hangup
    must "the same call was there for both, and ended" within 30 told ENDED $round
done
order call
must "a last call" within 10 told TALKING 3
order hangup
must "ends without anything between" within 10 told ENDED 3
kill -TERM $talk
wait $talk || die "the client is not content: $(cat "$work/talk.json" "$work/talk")"
must "the calls survived, in order" jq -e '.calls == 3 and .call_survived and .events_in_order' "$work/talk.json"
must "two of them an outage" jq -e '.call_readable_ms | length == 2' "$work/talk.json"
say "      readable again, ms after the first answer: $(jq -c .call_readable_ms "$work/talk.json")"
say "all is well"
