#!/bin/bash
# roxe-installer.sh - installs Open Gateway on this node and gives it its configuration.
# See roxe-installer.sh(8), or --help.
set -uo pipefail

here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
stored=/etc/open-gateway/config.xml
state=/var/lib/open-gateway/arbiter.state

help() {
    cat <<'TEXT'
usage: roxe-installer.sh IMPORT FILE [--deb PACKAGE] [--witness-later] [--no-start]
       roxe-installer.sh CHECK FILE [--witness-later]

IMPORT installs the package that lies beside this script (open-gateway_*.deb, or --deb), checks the
clear configuration FILE and this machine, stores the configuration, prepares the replicated disk
and starts the services. A node that is configured already keeps its configuration; what is missing
is done. CHECK only checks, with the package that is installed.

  --deb PACKAGE     the package file to install
  --witness-later   go on although the witness does not answer (the pair cannot form without it)
  --no-start        leave the services stopped

exit codes: 0 done, 1 configuration or machine are not fit (everything is listed, nothing was
changed), 2 wrong use, 3 the package could not be installed, 4 the configuration could not be
applied, 5 the services do not start
TEXT
}

stop() { # stop CODE TEXT
    local code=$1
    shift
    echo "roxe-installer.sh: $*" >&2
    exit "$code"
}

# --- arguments ----------------------------------------------------------------------------------

command=
file=
package=
witness_later=no
start=yes
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help)
        help
        exit 0
        ;;
    --deb)
        [ $# -ge 2 ] || stop 2 "--deb needs a file"
        package=$2
        shift
        ;;
    --witness-later) witness_later=yes ;;
    --no-start) start=no ;;
    -*) stop 2 "there is no option $1; see --help" ;;
    *)
        if [ -z "$command" ]; then
            command=$1
        elif [ -z "$file" ]; then
            file=$1
        else
            stop 2 "unexpected argument '$1'; see --help"
        fi
        ;;
    esac
    shift
done
case $command in
IMPORT | CHECK) ;;
'')
    help >&2
    exit 2
    ;;
*) stop 2 "there is no '$command': IMPORT FILE or CHECK FILE; see --help" ;;
esac
[ -n "$file" ] || stop 2 "$command needs a configuration file; a template lies in /usr/share/open-gateway"
[ "$(id -u)" = 0 ] || stop 2 "must be run as root: sudo $0 $command $file"

# --- the package --------------------------------------------------------------------------------

installed_version() {
    dpkg-query -W -f='${db:Status-Status} ${Version}\n' open-gateway 2>/dev/null |
        sed -n 's/^installed //p'
}

find_package() {
    local found
    [ -z "$package" ] || return 0
    mapfile -t found < <(find "$here" -maxdepth 1 -name 'open-gateway_*_amd64.deb' | sort -V)
    [ ${#found[@]} = 0 ] || package=${found[-1]}
}

install_package() {
    local output
    find_package
    if [ -z "$package" ]; then
        [ -n "$(installed_version)" ] ||
            stop 3 "no package is installed and none lies beside this script; use --deb PACKAGE"
        return 0
    fi
    [ -r "$package" ] || stop 3 "cannot read $package"
    echo "Extracting binaries..."
    dpkg-deb --info "$package" >/dev/null 2>&1 || stop 3 "$package is no Debian package, or damaged"
    [ "$(dpkg-deb -f "$package" Package)" = open-gateway ] || stop 3 "$package is not open-gateway"
    echo "Binaries extraction done"
    echo "Installing binaries..."
    export DEBIAN_FRONTEND=noninteractive
    if ! output=$(dpkg -i "$package" 2>&1); then
        # what it depends on is not there yet
        output=$(apt-get -q update 2>&1 && apt-get -q install -y --no-install-recommends --fix-broken 2>&1) ||
            stop 3 "the package could not be installed:
$output"
        [ -n "$(installed_version)" ] || stop 3 "the package could not be installed:
$output"
    fi
    echo "Application installation done"
}

# --- what this machine must have ----------------------------------------------------------------

problems=()
problem() {
    problems+=("$*")
}
note() {
    echo "note: $*"
}
declare -A values # of the file that will be in force
read_values() {
    local name rest
    while read -r name rest; do
        values[$name]=$rest
    done < <(roxe-config get --file "$source_file" --secret all)
}
value() { # value SECTION/NAME
    printf %s "${values[$1]:-}"
}

check_machine() {
    local name free_kb memory_kb
    name=$(value host/name)
    [ "$(uname -n)" = "$name" ] ||
        problem "this machine is called $(uname -n), the configuration is for $name (host/name)"
    free_kb=$(df -k --output=avail /var/lib | tail -n 1)
    [ "$free_kb" -ge 65536 ] || problem "/var/lib needs 64 MiB free, it has $((free_kb >> 10)) MiB"
    [ "$free_kb" -ge 1048576 ] || note "/var/lib has only $((free_kb >> 10)) MiB free; 1 GiB is advised"
    memory_kb=$(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)
    [ "$memory_kb" -ge 393216 ] || problem "at least 384 MiB of memory are needed"
    [ "$memory_kb" -ge 2000000 ] ||
        note "this machine has $((memory_kb >> 10)) MiB of memory; 2 GiB are advised"
}

check_address() { # check_address INTERFACE ADDRESS WHAT
    if [ ! -e "/sys/class/net/$1" ]; then
        problem "there is no network interface $1 ($3); there are: $(find /sys/class/net -mindepth 1 -printf '%f ')"
    elif ! ip -4 -o addr show dev "$1" | grep -qF " $2/"; then
        problem "$1 does not carry $2 ($3); it carries: $(ip -4 -o addr show dev "$1" | awk '{ printf "%s ", $4 }')"
    fi
}

check_network() {
    local vip
    check_address "$(value host/interface)" "$(value host/address)" "host/address"
    check_address "$(value interconnect/interface)" "$(value interconnect/address)" "interconnect/address"
    vip=$(value virtual-address/address)
    if ip -4 -o addr show | grep -qF " $vip/" && ! systemctl --quiet is-active solution-control.service; then
        problem "this machine carries the global server's address $vip itself; solution-control will, remove it"
    fi
}

# check_mounted DEVICE: neither it nor a part of it may be in use by somebody else.
check_unused() {
    local device=$1 used holder
    used=$(lsblk -nro MOUNTPOINTS "$device" 2>/dev/null | sed '/^$/d' | tr '\n' ' ')
    [ -z "$used" ] || problem "$device is in use: ${used% }"
    for holder in "/sys/class/block/$(basename "$(readlink -f "$device")")/holders"/*; do
        [ -e "$holder" ] || continue
        case ${holder##*/} in
        drbd*) ;; # our own, of an earlier run
        *) problem "$device is in use by ${holder##*/}" ;;
        esac
    done
}

check_disk() {
    local device bytes found
    device=$(value drbd/device)
    if [ ! -b "$device" ]; then
        problem "drbd/device: there is no block device $device; there are: $(lsblk -dnro PATH | tr '\n' ' ')"
        return
    fi
    modprobe drbd 2>/dev/null || [ -d /sys/module/drbd ] ||
        problem "the kernel has no DRBD: modprobe drbd fails"
    bytes=$(blockdev --getsize64 "$device" 2>/dev/null || echo 0)
    [ "$bytes" -ge $((128 << 20)) ] || problem "$device has $((bytes >> 20)) MiB; at least 128 MiB are needed"
    [ "$bytes" -ge $((4 << 30)) ] || note "$device has only $((bytes >> 20)) MiB; 4 GiB are advised"
    check_unused "$device"
    # Data of others may only be destroyed on demand. Once this node has its state, the disk is ours.
    if [ ! -e "$state" ] && [ "$(value drbd/wipe)" != yes ]; then
        found=$(wipefs --no-act --noheadings --output TYPE "$device" 2>/dev/null | sort -u | tr '\n' ' ')
        if [ -n "${found// /}" ]; then
            problem "$device holds data (${found% }); if it may be destroyed, write <drbd wipe=\"yes\">"
        elif drbd_metadata "$device" "$bytes"; then
            problem "$device holds DRBD metadata of an earlier use; if it may be destroyed, write <drbd wipe=\"yes\">"
        fi
    fi
}

# The last 4 KiB of a disk with internal DRBD metadata carry a magic number after 60 bytes (8.3, 8.4
# unclean, 9).
drbd_metadata() { # drbd_metadata DEVICE BYTES
    local magic
    magic=$(dd if="$1" bs=4096 skip=$(($2 / 4096 - 1)) count=1 status=none |
        od -A n -t x1 -j 60 -N 4 | tr -d ' \n')
    case $magic in
    8374026b | 8374026c | 8374026d) return 0 ;;
    esac
    return 1
}

check_witness() {
    local ca name answer
    ca=$(value witness/ca-file)
    if [ ! -r "$ca" ]; then
        problem "witness/ca-file: there is no $ca; copy the certificate authority of the witness there"
        return
    fi
    name=$(value witness/name)
    answer=$(PGPASSWORD=$(value witness/password) PGCONNECT_TIMEOUT=5 timeout 10 psql -wXAtq \
        "host=${name:-$(value witness/address)} hostaddr=$(value witness/address) port=$(value witness/port) dbname=$(value witness/database) user=$(value witness/user) sslmode=verify-full sslrootcert=$ca" \
        -c "SELECT status FROM open_gateway.og_witness_read('$(value pair/name)')" 2>&1)
    [ "$answer" != ok ] || return 0
    case $answer in
    missing) answer="it has no row for the pair $(value pair/name): load witness.sql with that name" ;;
    '') answer="no answer within 10 s" ;;
    esac
    if [ $witness_later = yes ]; then
        note "the witness $(value witness/address) does not serve this node: $answer"
    else
        problem "the witness $(value witness/address) does not serve this node (--witness-later goes on without): $answer"
    fi
}

check_key() {
    local key
    key=$(value pair/key-file)
    [ "$(value pair/role)" = primary ] || [ -s "$key" ] ||
        problem "pair/key-file: copy $key from the primary to this node (mode 600)"
}

check_all() {
    echo "Checking configuration..."
    roxe-config check "$source_file" >/dev/null || exit 1
    read_values
    check_machine
    check_network
    check_disk
    check_key
    check_witness
    if [ ${#problems[@]} -gt 0 ]; then
        printf -- '- %s\n' "${problems[@]}" >&2
        echo "${#problems[@]} problem(s) of $source_file with this machine; nothing was changed" >&2
        exit 1
    fi
    echo "Configuration check done"
}

# --- doing it -----------------------------------------------------------------------------------

stop_services() {
    systemctl --quiet is-active solution-control.service || return 0
    echo "Stopping services..."
    systemctl stop solution-control.service || stop 4 "the services do not stop: journalctl -u solution-control"
    echo "Services stopped"
}

apply() {
    local options=(--init --create-metadata)
    echo "applying modifications..."
    if [ $keep = no ]; then
        roxe-config import "$file" || stop 4 "the configuration could not be stored"
    fi
    [ "$wipe" != yes ] || options+=(--wipe)
    solution-control "${options[@]}" || stop 4 "this node could not be prepared"
    sync # the unit's links and the package's files: a power cut must not undo what we report
    echo "applying modifications...done"
}

# The daemon says READY when it has its configuration, network and control socket; which role it takes
# shows within seconds.
start_services() {
    echo "Starting ROXE services $(installed_version)"
    systemctl --quiet enable solution-control.service || stop 5 "solution-control.service cannot be enabled"
    sync
    systemctl --quiet restart solution-control.service ||
        stop 5 "the services do not start; why: journalctl -u solution-control -n 50"
    echo "solution control:"
    echo "Application is [STARTED]"
    echo "Start time : ${SECONDS}s"
    echo "See: roxed status"
}

SECONDS=0
[ -r "$file" ] || stop 1 "cannot read $file"
if [ "$command" = CHECK ]; then
    command -v roxe-config >/dev/null || stop 3 "the package is not installed"
    source_file=$file
    check_all
    exit 0
fi

was_running=no
! systemctl --quiet is-active solution-control.service || was_running=yes
find_package
if [ -n "$package" ] && [ "$(dpkg-deb -f "$package" Version 2>/dev/null)" = "$(installed_version)" ] &&
    [ -e $stored ] && [ $was_running = yes ]; then
    echo "this node runs version $(installed_version) with its configuration $stored; nothing to do"
    exit 0
fi
keep=no
source_file=$file
if [ -e $stored ]; then
    keep=yes
    source_file=$stored
    witness_later=yes # a node that works must not be kept from its new version by a witness that is away
    note "this node is configured already: $stored is kept, $file is not read (remove the first to import another)"
fi
checked=no
if [ $was_running = yes ]; then
    check_all # before anything is stopped
    checked=yes
fi
stop_services
install_package
[ $checked = yes ] || check_all
wipe=no
[ $keep = yes ] || wipe=$(value drbd/wipe)
apply
if [ $start = yes ]; then
    start_services
else
    echo "Services are left stopped; start them with: roxed start"
fi
