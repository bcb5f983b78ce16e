# shellcheck shell=bash
# witness.sh - the third PostgreSQL, on the host side of the lab at 10.77.1.5:5432.
#
# It has a certificate for that address, signed by the lab's own authority, whose certificate is
# $state/witness/ca.crt ('lab witness ca' prints the path): the guests verify against it. Over the
# network there are only encrypted connections with scram passwords and never the superuser.

witness=$state/witness
witness_bin=/usr/lib/postgresql/15/bin
witness_address=10.77.1.5

as_postgres() {
    (cd / && in_ns runuser -u postgres -- env LC_ALL=C.UTF-8 "$@")
}
witness_pid() {
    local pid
    pid=$(head -1 "$witness/data/postmaster.pid" 2>/dev/null) || true
    pid_in_lab "$pid" && echo "$pid"
}
witness_psql() {
    as_postgres psql -X -v ON_ERROR_STOP=1 -h "$witness/run" -U postgres -d postgres "$@"
}
# every process of the server, the parent first
witness_processes() {
    local pid
    pid=$(witness_pid) || die "the witness is not running"
    echo "$pid"
    cat "/proc/$pid/task/$pid/children"
}

witness_make_certificates() {
    [ -f "$witness/server.crt" ] && return
    mkdir -p "$witness"
    (
        cd "$witness"
        umask 077
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -sha256 \
            -subj "/CN=Open Gateway lab authority" -addext basicConstraints=critical,CA:TRUE \
            -addext keyUsage=critical,keyCertSign,cRLSign -keyout ca.key -out ca.crt
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$witness_address" \
            -keyout server.key -out server.csr
        printf 'subjectAltName=IP:%s,DNS:%s\nextendedKeyUsage=serverAuth\n' "$witness_address" \
            "$witness_address" >server.ext
        openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -sha256 \
            -extfile server.ext -out server.crt
        rm -f server.csr server.ext
        chmod 644 ca.crt server.crt
        chown postgres: server.key
    ) 2>"$witness.openssl" || die "cannot make the witness's certificate: $(<"$witness.openssl")"
    rm -f "$witness.openssl"
}

witness_create() {
    [ -f "$witness/data/PG_VERSION" ] && return
    install -d -o postgres -g postgres -m 755 "$witness/run"
    install -d -o postgres -g postgres -m 700 "$witness/data"
    as_postgres "$witness_bin/initdb" -D "$witness/data" -A peer -E UTF8 --locale=C.UTF-8 --no-sync \
        >"$witness/initdb.log" 2>&1 || die "initdb failed, see $witness/initdb.log"
    cat >>"$witness/data/postgresql.conf" <<CONF
listen_addresses = '$witness_address'
unix_socket_directories = '$witness/run'
ssl = on
ssl_cert_file = '$witness/server.crt'
ssl_key_file = '$witness/server.key'
ssl_min_protocol_version = 'TLSv1.2'
password_encryption = 'scram-sha-256'
shared_buffers = 16MB
max_connections = 40
log_connections = on
log_line_prefix = '%m [%p] %u '
CONF
    cat >"$witness/data/pg_hba.conf" <<'CONF'
local   all          postgres                 peer
local   replication  postgres                 peer
hostssl all          postgres  all            reject
hostssl all          all       10.77.1.0/24   scram-sha-256
CONF
}

witness_start() {
    need_net
    need "$witness_bin/postgres:postgresql-15" openssl:openssl runuser:util-linux
    witness_pid >/dev/null && return
    rm -f "$witness/data/postmaster.pid" # a number from a lab that is gone means nothing
    witness_make_certificates
    witness_create
    touch "$witness/log"
    chown postgres: "$witness/log"
    as_postgres "$witness_bin/pg_ctl" -s -w -t 30 -D "$witness/data" -l "$witness/log" start </dev/null >/dev/null ||
        die "the witness did not start, see $witness/log"
}
witness_stop() {
    local pid mode=${1:-fast}
    pid=$(witness_pid) || return 0
    witness_signal CONT
    as_postgres "$witness_bin/pg_ctl" -s -w -t 20 -m "$mode" -D "$witness/data" stop
}
# Connections are still accepted by the host's kernel while it is frozen, but nobody answers.
witness_signal() {
    local pids
    read -r -d '' -a pids < <(witness_processes) || true
    [ ${#pids[@]} -gt 0 ] || die "the witness is not running"
    kill "-$1" "${pids[@]}" 2>/dev/null || true
    kill -0 "${pids[0]}" || die "the witness ended meanwhile"
}
witness_state() {
    local pid
    if ! pid=$(witness_pid); then
        [ -d "$witness/data" ] && echo stopped || echo absent
    elif [[ $(<"/proc/$pid/stat") == *") T "* ]]; then
        echo frozen
    else
        echo running
    fi
}

# An earlier state of the register comes back: as a copy of its files, or by recovery, which starts
# a new timeline.
witness_restore() {
    [ -d "$witness/backup" ] || die "there is no backup: lab witness backup"
    witness_stop immediate
    rm -rf "$witness/data"
    cp -a "$witness/backup" "$witness/data"
    if [ "${1:-}" = --timeline ]; then
        echo "restore_command = '/bin/false'" >>"$witness/data/postgresql.auto.conf"
        touch "$witness/data/recovery.signal"
        chown postgres: "$witness/data/recovery.signal"
    fi
    witness_start
}

witness_seed() {
    local sql=$checkout/ha/witness.sql args=() pair
    [ -f "$sql" ] || die "there is no $sql"
    for pair; do
        [[ $pair == *=* ]] || usage_error "witness seed takes NAME=VALUE, not '$pair'"
        args+=(-v "$pair")
    done
    witness_psql -q "${args[@]}" -f - <"$sql"
}

cmd_witness() {
    local what=${1:-}
    [ $# = 0 ] || shift
    case $what in
    start) witness_start && say "witness: serves $witness_address:5432" ;;
    stop) witness_stop "${1:-fast}" && say "witness: stopped" ;;
    restart)
        witness_stop fast
        witness_start
        say "witness: restarted"
        ;;
    freeze) witness_signal STOP && say "witness: frozen" ;;
    thaw) witness_signal CONT && say "witness: goes on" ;;
    backup)
        rm -rf "$witness/backup"
        install -d -o postgres -g postgres -m 700 "$witness/backup"
        as_postgres "$witness_bin/pg_basebackup" -h "$witness/run" -U postgres -D "$witness/backup" -c fast --no-sync
        say "witness: backup made"
        ;;
    restore) witness_restore "$@" && say "witness: restored from its backup" ;;
    sh)
        witness_pid >/dev/null || die "the witness is not running"
        if [ $# -gt 0 ]; then witness_psql -qAt -c "$*"; else witness_psql -qAt -f -; fi
        ;;
    seed)
        witness_pid >/dev/null || die "the witness is not running"
        witness_seed "$@"
        ;;
    ca)
        witness_make_certificates
        echo "$witness/ca.crt"
        ;;
    log) cat "$witness/log" ;;
    status) witness_state ;;
    *) usage_error "witness takes start, stop, restart, freeze, thaw, backup, restore, sh, seed, ca, log or status" ;;
    esac
}
