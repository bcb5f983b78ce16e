# shellcheck shell=bash
# status.sh - what runs and which faults are on, read from the system each time.

guest_state() {
    local stat
    if ! guest_alive "$1"; then
        echo off
    elif ! { stat=$(<"/proc/$(guest_kernel_pid "$1")/stat"); } 2>/dev/null; then
        echo starting
    elif [[ $stat == *") T "* ]]; then
        echo frozen
    else
        echo running
    fi
}

status_json() {
    local guest net ports='{}' cut isolated list='[]' oneway='[]'
    if ns_exists; then
        ports=$(ip -n "$ns" -j -d link show)
        oneway=$(in_ns nft -j list ruleset 2>/dev/null | jq -c '
            [.nftables[].rule | select(. != null) | [.expr[].match | select(. != null) | .right]
             | {from: .[0][0:1], network: (.[0][1:2] | tonumber)}]')
    fi
    for guest in "${guests[@]}"; do
        cut='[]' isolated='[]'
        if ns_exists; then
            for net in 1 2; do
                jq -e --arg port "$guest$net" '.[] | select(.ifname == $port) | .master' <<<"$ports" >/dev/null ||
                    cut=$(jq -c ". + [$net]" <<<"$cut")
                jq -e --arg port "$guest$net" '.[] | select(.ifname == $port) | .linkinfo.info_slave_data.isolated' \
                    <<<"$ports" >/dev/null && isolated=$(jq -c ". + [$net]" <<<"$isolated")
            done
        fi
        list=$(jq -c --arg name "$guest" --arg state "$(guest_state "$guest")" --arg pid "$(guest_kernel_pid "$guest")" \
            --argjson cut "$cut" --argjson split "$isolated" \
            '. + [{name: $name, state: $state, pid: ($pid | tonumber? // null), cut: $cut, split: $split}]' <<<"$list")
    done
    jq -n --arg lab "$lab" --arg ns "$ns" --arg state "$state" --argjson up "$(ns_exists && echo true || echo false)" \
        --argjson guests "$list" --argjson oneway "$oneway" --arg witness "$(witness_state)" --arg pbx "$(pbx_state)" \
        '{lab: $lab, namespace: $ns, folder: $state, up: $up, guests: $guests, oneway: $oneway, witness: $witness, pbx: $pbx}'
}

cmd_status() {
    need jq:jq
    case ${1:-} in
    --json) status_json ;;
    '')
        status_json | jq -r '
            "lab \(.lab): \(if .up then "up" else "down" end)",
            (.guests[] | "  guest \(.name): \(.state)" +
                (if .pid and .state != "off" then ", process \(.pid)" else "" end) +
                (if .cut != [] then ", unplugged: \(.cut | join(" "))" else "" end) +
                (if .split != [] then ", apart: \(.split | join(" "))" else "" end)),
            (.oneway[] | "  one way: what \(.from) sends on network \(.network) is lost"),
            "  witness: \(.witness)", "  telephone system: \(.pbx)"'
        ;;
    *) usage_error "status takes --json or nothing" ;;
    esac
}
