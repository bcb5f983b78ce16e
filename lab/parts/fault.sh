# shellcheck shell=bash
# fault.sh - what can go wrong, on purpose. The kernel's own state says which faults are on; nothing
# is written down. Cables are pulled at the bridge: setting a tap down would kill the guest's card
# until the guest itself sets it down and up again.

# fault_nets [I...]: checked list, default both; never the management network.
fault_nets() {
    local net
    [ $# -gt 0 ] || set -- 1 2
    for net; do
        case $net in
        1 | 2) echo "$net" ;;
        0) usage_error "the management network is never disturbed" ;;
        *) usage_error "there is no network '$net': 1 client LAN, 2 interconnect" ;;
        esac
    done
}
need_net() {
    ns_exists || die "the lab is not up"
}

# signal_kernel N SIGNAL. Not its children, too: it traces them, and would be told of their signal.
signal_kernel() {
    local kernel
    need_guest "${1:-}"
    kernel=$(guest_kernel_pid "$1")
    [ -n "$kernel" ] || die "guest $1 is just starting again"
    kill "-$2" "$kernel"
}
cmd_freeze() {
    signal_kernel "${1:-}" STOP
    say "guest $1: frozen"
}
cmd_thaw() {
    signal_kernel "${1:-}" CONT
    say "guest $1: goes on"
}

cable() { # cable cut|heal N [I...]
    local what=$1 guest=${2:-} net nets
    guest_number "$guest" >/dev/null
    need_net
    shift 2
    nets=$(fault_nets "$@")
    for net in $nets; do
        case $what in
        cut) ip -n "$ns" link set "$guest$net" nomaster ;;
        heal) ip -n "$ns" link set "$guest$net" master "br$net" ;;
        esac
    done
    # a port that joins its bridge again has forgotten that it was isolated
    [ "$what" = cut ] || fault_isolate_as_partner "$guest" "$nets"
    say "guest $guest: $what network ${nets//$'\n'/ }"
}
fault_isolate_as_partner() {
    local net
    for net in $2; do
        if fault_isolated "$(other_guest "$1")$net"; then
            in_ns bridge link set dev "$1$net" isolated on
        fi
    done
}
cmd_cut() {
    cable cut "$@"
}
cmd_heal() {
    cable heal "$@"
}

isolate() { # isolate on|off [I...]
    local value=$1 net guest nets
    need_net
    shift
    nets=$(fault_nets "$@")
    for net in $nets; do
        for guest in "${guests[@]}"; do
            fault_plugged "$guest$net" && in_ns bridge link set dev "$guest$net" isolated "$value"
        done
    done
    say "guests apart on network ${nets//$'\n'/ }: $value"
}
cmd_split() {
    isolate on "$@"
}
cmd_join() {
    isolate off "$@"
}

cmd_oneway() {
    local guest=${1:-} other net nets
    other=$(other_guest "$guest")
    guest_number "$guest" >/dev/null
    need_net
    shift
    nets=$(fault_nets "$@")
    in_ns nft 'add table bridge og_lab; add chain bridge og_lab oneway { type filter hook forward priority 0; }'
    for net in $nets; do
        in_ns nft "add rule bridge og_lab oneway iifname \"$guest$net\" oifname \"$other$net\" drop"
    done
    say "guest $guest: what it sends no longer reaches $other on network ${nets//$'\n'/ }"
}

cmd_repair() {
    local guest net
    need_net
    in_ns nft 'add table bridge og_lab; delete table bridge og_lab'
    for guest in "${guests[@]}"; do
        for net in 1 2; do
            ip -n "$ns" link set "$guest$net" master "br$net"
            in_ns bridge link set dev "$guest$net" isolated off
        done
    done
    say "all cables in place"
}

fault_plugged() {
    ip -n "$ns" -j link show dev "$1" | jq -e '.[0].master' >/dev/null
}
fault_isolated() {
    ip -n "$ns" -j -d link show dev "$1" | jq -e '.[0].linkinfo.info_slave_data.isolated' >/dev/null
}
