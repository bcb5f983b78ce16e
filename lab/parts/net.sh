# shellcheck shell=bash
# net.sh - the lab's three networks, inside its own network namespace; nothing on the host proper.
#   bridge br0  10.77.0.0/24  management: how the driver reaches the guests; no fault touches it
#   bridge br1  10.77.1.0/24  client LAN: client .1, witness .5, PBX .6, guests .11 and .12, VIP .100
#   bridge br2  10.77.2.0/24  interconnect of the pair
# A guest's card I is the tap NI (a0 ... b2), and in the guest the interface vecI.

net_up() {
    local net guest
    ns_exists && return
    ip netns add "$ns"
    {
        echo "link set lo up"
        for net in 0 1 2; do
            echo "link add br$net type bridge forward_delay 0 stp_state 0 mcast_snooping 0"
            echo "addr add 10.77.$net.1/24 brd + dev br$net"
            echo "link set br$net up"
        done
        echo "addr add 10.77.1.5/24 dev br1"
        echo "addr add 10.77.1.6/24 dev br1"
    } | ip -n "$ns" -batch -
    for guest in "${guests[@]}"; do
        for net in 0 1 2; do
            ip -n "$ns" tuntap add "$guest$net" mode tap
            ip -n "$ns" link set "$guest$net" master "br$net" up
        done
    done
}

# net_pids: every process of this lab but the caller and those above it.
net_pids() {
    local pid self=$$ above=" "
    while [ "$self" -gt 1 ]; do
        above+="$self "
        self=$(awk '/^PPid:/ { print $2 }' "/proc/$self/status")
    done
    for pid in $(ip netns pids "$ns" 2>/dev/null); do
        [[ $above == *" $pid "* ]] || echo "$pid"
    done
}

net_down() {
    local round pids
    ns_exists || return 0
    for round in $(seq 100); do
        mapfile -t pids < <(net_pids)
        [ ${#pids[@]} = 0 ] && break
        # frozen processes take a SIGKILL as well
        kill -KILL "${pids[@]}" 2>/dev/null || true
        sleep 0.02
    done
    [ "$round" -lt 100 ] || die "processes ${pids[*]} of lab $lab do not end"
    ip netns del "$ns"
}
