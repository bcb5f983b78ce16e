# shellcheck shell=bash disable=SC2154
# tell.sh - what standalone prints, for people and as one JSON object.

# Written when everything answers: run/up.json is what --json prints.
tell_note() {
    awk '{ print $1, $2 }' "$process_list" |
        jq -Rn --slurpfile accounts "$folder/accounts.json" --arg url "$url" --arg folder "$folder" \
            --arg simulator "$simulator_url" --argjson ms "$(elapsed_ms)" '
            {url: $url, admin: $accounts[0].admin, users: $accounts[0].users,
             simulator_url: $simulator, folder: $folder, certificate: "\($folder)/cert.pem",
             started_ms: $ms, pids: ([inputs | split(" ") | {(.[0]): (.[1] | tonumber)}] | add)}' \
            >"$folder/run/up.new"
    mv "$folder/run/up.new" "$folder/run/up.json"
}

# Between the start and the first answer there is nothing to tell yet.
tell_up() {
    for _ in {1..1500}; do
        [ -e "$folder/run/up.json" ] && break
        sleep 0.02
    done
    if [ -n "$json" ]; then
        cat "$folder/run/up.json"
    else
        tell_person "$folder/run/up.json"
    fi
}

tell_person() {
    jq -r '.users[0] as $a | .users[1] as $b | ("Content-Type: application/json" | @sh) as $type |
        "Open Gateway answers at \(.url)",
        "",
        "  administrator     \(.admin.login):\(.admin.password)",
        "  users             \([.users[] | "\(.login):\(.password)"] | [.[:4], .[4:8], .[8:12], .[12:16], .[16:]]
            | map(select(. != []) | join("  ")) | join("\n                    "))",
        "  their telephones  \(.simulator_url)/phones",
        "  certificate       \(.certificate)",
        "",
        "A first call, \($a.login) to \($b.login):",
        "  ask() { curl -sS --cacert \(.certificate | @sh) -b jar -c jar -H \($type) \"$@\"; }",
        "  ask -u \($a.login):\($a.password) \("\(.url)/api/rest/authenticate?version=1.0" | @sh)",
        "  ask -d \({applicationName: "first"} | @json | @sh) \(.url)/api/rest/1.0/sessions",
        "  ask -d \({deviceId: $a.number, callee: $b.number, autoAnswer: true} | @json | @sh) \(.url)/api/rest/1.0/telephony/basicCall",
        "  curl -sS -X POST \(.simulator_url)/phones/\($b.number)/answer",
        "  ask \(.url)/api/rest/1.0/telephony/calls"' "$1"
}

# tell_stopped WORDS: nothing runs, and why when it ended by itself.
tell_stopped() {
    local why
    why=$(cat "$folder/run/ended" 2>/dev/null) || why=
    if [ -n "$json" ]; then
        jq -n --arg folder "$folder" --arg why "$why" \
            '{running: false, folder: $folder} + if $why == "" then {} else {ended: $why} end'
    else
        echo "$1 $folder${why:+ ($why)}"
    fi
}

# For a folder that has never been used: stopped it is, running it is not.
tell_absent() {
    tell_stopped "nothing runs in"
    [ "$action" = stop ]
    exit
}

tell_status() {
    if serve_lock || [ ! -e "$folder/run/up.json" ]; then
        tell_absent
    fi
    if [ -n "$json" ]; then
        jq '{running: true} + .' "$folder/run/up.json"
    else
        tell_person "$folder/run/up.json"
    fi
}
