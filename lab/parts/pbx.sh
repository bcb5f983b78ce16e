# shellcheck shell=bash
# pbx.sh - the telephone system: the simulator, on the host side of the lab at 10.77.1.6. It speaks CSTA at
# port 2555; at port 8080 a test presses keys (simulator's control interface, plain HTTP).
#
# $state/pbx.pid holds its process id, $state/pbx.log what it says.

pbx_address=10.77.1.6
pbx_csta_port=2555
pbx_users=20 # telephones 1001 ... 1020

pbx_program() {
    echo "${OG_BUILD:-$checkout/build}/release/simulator/oxe-simulator"
}
pbx_pid() {
    local pid
    pid=$(cat "$state/pbx.pid" 2>/dev/null) || true
    pid_in_lab "$pid" && echo "$pid"
}
pbx_answers() {
    in_ns curl -sf -m 1 "http://$pbx_address:8080/phones" >/dev/null
}

pbx_start() {
    local pid program
    need_net
    need curl:curl
    pbx_pid >/dev/null && return
    program=$(pbx_program)
    [ -x "$program" ] || die "there is no $program; run ./run build"
    # ip and setsid become the simulator: the number is its own
    ip netns exec "$ns" setsid "$program" --listen "$pbx_address" --csta-port "$pbx_csta_port" \
        --control-port 8080 --users "$pbx_users" --first-number 1001 --node 1 \
        </dev/null >>"$state/pbx.log" 2>&1 &
    pid=$!
    disown "$pid"
    echo "$pid" >"$state/pbx.pid"
    for _ in $(seq 500); do
        kill -0 "$pid" 2>/dev/null || break
        pbx_answers && return
        sleep 0.01
    done
    die "the telephone system did not start; see $state/pbx.log"
}
pbx_stop() {
    local pid
    pid=$(pbx_pid) || return 0
    kill -CONT "$pid"
    kill -TERM "$pid"
    for _ in $(seq 500); do
        pbx_pid >/dev/null || return 0
        sleep 0.01
    done
    die "the telephone system (process $pid) does not end"
}
pbx_signal() {
    local pid
    pid=$(pbx_pid) || die "the telephone system is not running"
    kill "-$1" "$pid"
}
pbx_state() {
    local pid
    if ! pid=$(pbx_pid); then
        echo stopped
    elif [[ $(<"/proc/$pid/stat") == *") T "* ]]; then
        echo frozen
    else
        echo running
    fi
}

cmd_pbx() {
    case ${1:-} in
    start) pbx_start && say "telephone system: $pbx_address:$pbx_csta_port, $pbx_users telephones" ;;
    stop) pbx_stop && say "telephone system: stopped" ;;
    freeze) pbx_signal STOP && say "telephone system: frozen" ;;
    thaw) pbx_signal CONT && say "telephone system: goes on" ;;
    log) cat "$state/pbx.log" ;;
    status) pbx_state ;;
    url) echo "http://$pbx_address:8080" ;;
    *) usage_error "pbx takes start, stop, freeze, thaw, log, status or url" ;;
    esac
}
