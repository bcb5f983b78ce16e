# shellcheck shell=bash disable=SC2154
# tell.sh - what standalone prints, for people and as one JSON object.

# Written when everything answers: run/up.json is what --json prints.
tell_note() {
    awk '{ print $1, $2 }' "$process_list" |
        jq -Rn --slurpfile accounts "$folder/accounts.json" --arg url "$url" --arg folder "$folder" \
            --argjson ms "$(elapsed_ms)" '
            {url: $url, admin: $accounts[0].admin, folder: $folder, certificate: "\($folder)/cert.pem",
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
    jq -r '"Open Gateway answers at \(.url)   (certificate: \(.certificate))",
        "",
        "  administrator   \(.admin.login):\(.admin.password)",
        "  everything in   \(.folder)",
        "",
        "To begin with:",
        "  curl --cacert \(.certificate) \(.url)/api/rest"' "$1"
}

tell_stopped() {
    if [ -n "$json" ]; then
        jq -n --arg folder "$folder" '{running: false, folder: $folder}'
    else
        echo "nothing runs in $folder; what it keeps stays there"
    fi
}

# For a folder that has never been used: stopped it is, running it is not.
tell_absent() {
    tell_stopped
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
