# shellcheck shell=bash disable=SC2154
# serve.sh - the supervisor: brings the parts up in order, watches them, ends them in reverse order.
#
# Whoever holds the lock on $folder/lock is the folder's supervisor; the lock goes with the process.

# serve_lock: false when another supervisor holds the folder
serve_lock() {
    mkdir -p "$folder/run" "$folder/log"
    exec {lock}>"$folder/lock"
    flock -n "$lock"
}

# For start_ms and how long: since this script began
elapsed_ms() {
    local now=${EPOCHREALTIME/[.,]/}
    echo $(((now - started_us) / 1000))
}
started_us=${EPOCHREALTIME/[.,]/}

# wait_for NAME PID COMMAND...: until COMMAND succeeds, at most 30 s, while that process lives.
wait_for() {
    local name=$1 pid=$2
    shift 2
    while [ "$(elapsed_ms)" -lt 30000 ]; do
        "$@" >/dev/null 2>&1 && return 0
        process_began "$pid" >/dev/null || return 1
        sleep 0.02
    done
    echo "standalone: $name does not answer" >&2
    return 1
}

start_postgres() {
    database_make
    rm -f "$folder/data/postmaster.pid" # of a supervisor that was killed; nothing of ours lives
    process_start postgres INT "$postgres/postgres" -D "$folder/data"
    wait_for PostgreSQL "$pid" "$postgres/pg_isready" -q -h "$folder/run" -U postgres -d postgres ||
        give_up postgres
    database_fill
}

simulator_answers() {
    curl -sf -m 2 "$simulator_url/phones"
}
# Its CSTA port may change from start to start: only the gateway is told.
start_simulator() {
    local port
    for _ in 1 2 3; do
        port=$(port_choose control 8480)
        simulator_url=http://127.0.0.1:$port
        process_start simulator TERM "$folder/bin/oxe-simulator" --listen 127.0.0.1 --csta-port 0 \
            --control-port "$port" --users "$users" --first-number "$first_number" --json
        if wait_for "the simulator" "$pid" simulator_answers; then
            csta_port=$(sed -n 's/^{.*"csta_port": *\([0-9]*\).*/\1/p' "$folder/log/simulator")
            return 0
        fi
        process_drop simulator "$pid"
        port_is_taken "$port" || break
    done
    give_up simulator
}

gateway_answers() {
    curl -sf -m 2 --cacert "$folder/cert.pem" "$url/api/rest"
}
# Another program may take the port between our look and the gateway's: then there is a second try.
start_gateway() {
    local port
    for _ in 1 2 3; do
        port=$(port_choose https 8443)
        url=https://127.0.0.1:$port
        gateway_settings "$port" "$csta_port"
        process_start gateway TERM "$folder/bin/roxe-gateway" --config "$folder/gateway.json"
        wait_for "the gateway" "$pid" gateway_answers && return 0
        process_drop gateway "$pid"
        port_is_taken "$port" || break
    done
    give_up gateway
}

# give_up NAME: that part does not work. All ends with this shell, by the trap of serve().
give_up() {
    echo "standalone: $1 ended or did not start; the end of $folder/log/$1:" >&2
    tail -n 10 "$folder/log/$1" | sed 's/^/  | /' >&2
    exit 1
}

# In the order that keeps each from missing what it uses.
end_all() {
    local status=0
    trap '' TERM INT HUP
    rm -f "$folder/run/up.json"
    process_end gateway TERM KILL || status=1
    process_end simulator TERM KILL || status=1
    process_end postgres INT QUIT || status=1
    rm -f "$process_list"
    return $status
}

# Returns when asked to end, or when somebody removed the folder; gives up when a part ended by itself.
serve_until_asked() {
    local ended='' status=0 name clock=''
    asked=
    trap 'asked=1; kill "$clock" 2>/dev/null' TERM INT HUP
    while [ "${ended:-}" = "$clock" ]; do
        [ -z "$asked" ] && [ "$folder/lock" -ef "/proc/$$/fd/$lock" ] || return 0
        sleep 2 {lock}>&- &
        clock=$!
        status=0
        wait -n -p ended || status=$? # a signal leaves it without a value
    done
    kill "$clock" 2>/dev/null || true
    [ -z "$asked" ] || return 0
    name=$(awk -v pid="$ended" '$2 == pid { print $1 }' "$process_list")
    echo "$name ended by itself (status $status), so everything ended" >"$folder/run/ended"
    echo "standalone: $(<"$folder/run/ended")" >&2
    give_up "$name"
}

# The last start's words are kept until the next.
logs_begin() {
    local name
    for name in postgres simulator gateway; do
        [ ! -e "$folder/log/$name" ] || mv "$folder/log/$name" "$folder/log/$name.before"
    done
}

serve() {
    if ! serve_lock; then
        echo "standalone: it runs already in $folder" >&2
        tell_up
        return 1
    fi
    end_all # what a killed supervisor may have left
    trap end_all EXIT
    trap 'exit 130' INT TERM HUP
    rm -f "$folder/run/ended"
    : >"$process_list"
    process_note supervisor $$
    postgres=$(postgres_programs)
    accounts_make
    users_choose
    certificate_make
    logs_begin
    start_simulator
    start_postgres
    start_gateway
    users_prepare
    tell_note
    tell_up
    serve_until_asked
}

# Starts a supervisor behind this shell's back, and tells what it tells.
serve_detached() {
    local pid
    mkdir -p "$folder/run" "$folder/log"
    if serve_lock; then
        exec {lock}>&-
        rm -f "$folder/run/up.json"
        setsid "$folder/bin/standalone" --folder "$folder" ${users:+--users "$users"} >"$folder/log/standalone" 2>&1 </dev/null &
        pid=$!
        until [ -e "$folder/run/up.json" ]; do
            process_began "$pid" >/dev/null || fail "it did not start: $(cat "$folder/log/standalone")"
            sleep 0.02
        done
    else
        echo "standalone: it runs already in $folder" >&2
    fi
    tell_up
}

serve_stop() {
    local found pid began words="nothing runs in"
    if found=$(process_find supervisor); then
        read -r pid began <<<"$found"
        words="stopped; data and passwords stay in"
        kill -TERM "$pid" 2>/dev/null || true
        for _ in 1 2 3 4; do
            process_gone "$pid" "$began" && break
        done
    fi
    serve_lock || fail "the supervisor of $folder does not end: process ${pid:-unknown}"
    end_all || fail "not everything ended: $(cat "$process_list" 2>/dev/null)"
    tell_stopped "$words"
}
