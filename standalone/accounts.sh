# shellcheck shell=bash disable=SC2154
# accounts.sh - the logins of a folder: random passwords, made once, and given to the gateway the way that
# is meant for it: the administrator's by its settings, the users' through the interface.

first_number=1001
users_with_password=20

accounts_make() {
    [ -e "$folder/accounts.json" ] && return
    jq -n --arg password "$(openssl rand -hex 8)" \
        '{admin: {login: "admin", password: $password}, users: []}' >"$folder/accounts.new"
    jq -r .admin.password "$folder/accounts.new" | "$folder/bin/og-password-hash" |
        jq -R '{administrators: [{login: "admin", password_hash: .}]}' >"$folder/administrators.json"
    mv "$folder/accounts.new" "$folder/accounts.json"
}

# users_choose: sets $users, and makes up the passwords that are missing.
users_choose() {
    local wanted
    [ -n "$users" ] || users=$(cat "$folder/users" 2>/dev/null) || users=10
    echo "$users" >"$folder/users"
    wanted=$((users < users_with_password ? users : users_with_password))
    openssl rand -hex $((8 * wanted)) | fold -w 16 |
        jq -Rn --argjson first "$first_number" --slurpfile old "$folder/accounts.json" \
            --argjson wanted "$wanted" '
            [inputs] as $fresh | $old[0] | .users = [range($wanted) as $i |
                .users[$i] // {login: "oxe\($first + $i)", password: $fresh[$i], number: "\($first + $i)"}]' \
            >"$folder/accounts.new"
    mv "$folder/accounts.new" "$folder/accounts.json"
}

# request PATH CURL-ARGUMENTS...: as the administrator, with the session of users_log_in
request() {
    local path=$1
    shift
    curl -sS -m 20 --cacert "$folder/cert.pem" -b "$folder/run/jar" -c "$folder/run/jar" \
        -H 'Content-Type: application/json' "$@" "$url$path"
}
administrator_logs_in() {
    jq -r '"user = \(.admin | "\(.login):\(.password)" | @json)"' "$folder/accounts.json" |
        request "/api/rest/authenticate?version=1.0" -f -o "$folder/run/answer" -K - &&
        request /api/rest/1.0/sessions -f -o "$folder/run/answer" -d '{"applicationName":"standalone"}'
}
# The telephone system has been read: its last user's state is known.
users_are_known() {
    request "/api/rest/1.0/telephony/calls?loginName=oxe$((first_number + users - 1))" -f
}
# One curl for all of them; secrets go to it by standard input.
users_set_passwords() {
    jq -r --arg url "$url" --arg ca "$folder/cert.pem" --arg jar "$folder/run/jar" '.users |
        to_entries[] | (if .key > 0 then "next" else empty end),
        "url = \("\($url)/api/rest/1.0/users/\(.value.login)/password" | @json)", "request = PUT", "fail",
        "silent", "show-error", "cacert = \($ca | @json)", "cookie = \($jar | @json)",
        "header = \"Content-Type: application/json\"",
        "data = \({newPassword: .value.password} | @json | @json)"' "$folder/accounts.json" |
        curl --fail-early -K -
}

# users_prepare: those of accounts.json can log in. Their hashes stay in the database.
users_prepare() {
    administrator_logs_in || fail "the administrator cannot log in: $(cat "$folder/run/answer")"
    wait_for "the telephone system's directory" "$pid" users_are_known ||
        fail "the gateway does not know the users: see $folder/log/gateway"
    if ! cmp -s "$folder/users" "$folder/data/users-set"; then
        users_set_passwords || fail "the users' passwords cannot be set"
        cp "$folder/users" "$folder/data/users-set"
    fi
    request /api/rest/1.0/sessions -X DELETE >/dev/null || true
    rm -f "$folder/run/jar" "$folder/run/answer"
}
