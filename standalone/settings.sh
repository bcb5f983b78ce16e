# shellcheck shell=bash disable=SC2154
# settings.sh - what each part is told: certificate, database, ports, the gateway's settings.

# It is its own authority: clients are given cert.pem to trust.
certificate_make() {
    [ -e "$folder/cert.pem" ] && return
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -sha256 \
        -subj "/CN=Open Gateway standalone" -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" \
        -keyout "$folder/key.pem" -out "$folder/cert.new" 2>"$folder/log/openssl" ||
        fail "cannot make a certificate: $(<"$folder/log/openssl")"
    mv "$folder/cert.new" "$folder/cert.pem"
}

postgres_programs() {
    local found=(/usr/lib/postgresql/*/bin/initdb)
    [ -x "${found[-1]}" ] || lacks "there is no PostgreSQL server here (Debian package postgresql-15)"
    dirname "${found[-1]}"
}

# Only this user reaches the socket: its folder is closed to all others, and there is no TCP port.
database_make() {
    [ -e "$folder/data/complete" ] && return
    rm -rf "$folder/data"
    "$postgres/initdb" -D "$folder/data" --username=postgres --auth=trust --no-sync --encoding=UTF8 \
        --locale=C --no-instructions >"$folder/log/initdb" 2>&1 ||
        fail "initdb failed: $(tail -n 5 "$folder/log/initdb")"
    cat >>"$folder/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$folder/run'
fsync = off # a developer's data: lost when the machine, not only a program, fails
shared_buffers = 16MB
max_connections = 20
logging_collector = off
CONF
}

# database_fill: roles and databases, as solution-control makes them for a pair.
database_fill() {
    [ -e "$folder/data/complete" ] && return
    "$postgres/psql" -X -q -v ON_ERROR_STOP=1 -h "$folder/run" -U postgres -d postgres \
        -f "$folder/bin/databases.sql" >"$folder/log/databases" 2>&1 ||
        fail "the databases cannot be made: $(tail -n 5 "$folder/log/databases")"
    touch "$folder/data/complete"
}

port_is_taken() { # port_is_taken PORT: somebody listens there
    (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# port_choose NAME FIRST: the port of the last start, else FIRST, else one below those that the system
# gives to outgoing connections. Prints it and keeps it.
port_choose() {
    local port
    port=$(cat "$folder/port.$1" 2>/dev/null) || port=$2
    while port_is_taken "$port"; do
        port=$((20000 + RANDOM % 12000))
    done
    echo "$port" >"$folder/port.$1"
    echo "$port"
}

gateway_settings() { # gateway_settings PORT CSTA-PORT
    jq -n --argjson port "$1" --argjson csta_port "$2" --arg folder "$folder" '{
        listen: ["127.0.0.1"], https_port: $port, public_url: "https://127.0.0.1:\($port)",
        certificate_file: "\($folder)/cert.pem", key_file: "\($folder)/key.pem",
        administrators_file: "\($folder)/administrators.json",
        database_host: "\($folder)/run", channels_file: "", health_socket: "",
        pbx: [{node: "1", driver: "csta-xml", address: "127.0.0.1", port: $csta_port}]
    }' >"$folder/gateway.json"
}
