# shellcheck shell=bash
# env.sh - what all parts of the lab share: where things are, how it speaks, what it needs.
#
# One lab is one network namespace and one folder, both named after $lab. Everything a lab starts
# runs in that namespace, so that its list of processes is the truth about what is still there.

lab_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
checkout=$(dirname "$lab_root")
lab=${OG_LAB:-$(printf %s "$checkout" | sha256sum | cut -c1-8)}
umask 022
cache=${OG_CACHE:-/var/cache/open-gateway}
state=${OG_LAB_STATE:-/var/tmp/open-gateway-lab}/$lab
ns=og-lab-$lab
memory=${OG_LAB_MEMORY:-768M}
disk=${OG_LAB_DISK:-256M}
guests=(a b)
glibc_variable=GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ,-AVX512CD
openssl_variable='OPENSSL_ia32cap=:~0xd0230000'

[[ $lab =~ ^[A-Za-z0-9_-]{1,32}$ ]] || {
    echo "lab: OG_LAB must be 1 to 32 letters, digits, '-' or '_', not '$lab'" >&2
    exit 2
}

now_ms() {
    local t=${EPOCHREALTIME/[.,]/}
    echo $((t / 1000))
}
started_ms=$(now_ms)

# say TEXT: a progress line with the seconds since this command began. OG_LAB_QUIET=1 hides it.
say() {
    [ -n "${OG_LAB_QUIET:-}" ] && return 0
    local ms=$(($(now_ms) - started_ms))
    printf '%4d.%01d s  %s\n' $((ms / 1000)) $((ms % 1000 / 100)) "$*" >&2
}
die() {
    echo "lab: $*" >&2
    exit 1
}
usage_error() {
    echo "lab: $*; see 'lab --help'" >&2
    exit 2
}

guest_number() {
    case ${1:-} in
    a) echo 11 ;;
    b) echo 12 ;;
    *) usage_error "there is no guest '${1:-}': a or b" ;;
    esac
}
other_guest() {
    case $1 in
    a) echo b ;;
    b) echo a ;;
    esac
}

in_ns() {
    ip netns exec "$ns" "$@"
}
ns_exists() {
    [ -e "/run/netns/$ns" ]
}

# need PROGRAM:PACKAGE...: installs what is missing when we may, says what is missing otherwise.
need() {
    local pair missing=()
    for pair; do
        [ -e "${pair%%:*}" ] || command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
    done
    [ ${#missing[@]} = 0 ] && return
    say "installing ${missing[*]}"
    DEBIAN_FRONTEND=noninteractive apt-get -qq update &&
        DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
            "${missing[@]}" >/dev/null || die "needs the Debian packages: ${missing[*]}"
}

need_host() {
    [ "$(id -u)" = 0 ] || die "must run as root (it makes network namespaces and taps)"
    [ -c /dev/net/tun ] || modprobe tun 2>/dev/null || true
    [ -c /dev/net/tun ] || die "this host has no /dev/net/tun (kernel module 'tun')"
    [ -r /proc/self/ns/net ] && [ -r /proc/self/ns/pid ] ||
        die "this host's kernel has no network or pid namespaces"
    need ip:iproute2 nft:nftables unshare:util-linux ssh:openssh-client jq:jq ping:iputils-ping
    local free_kb
    free_kb=$(df -k --output=avail /dev/shm | tail -1)
    [ "$free_kb" -gt 800000 ] || die "/dev/shm holds the guests' memory and has only $((free_kb / 1024)) MB free"
    findmnt -no OPTIONS -T /dev/shm | grep -qw noexec &&
        die "/dev/shm is mounted noexec, but the guests run from there: mount -o remount,exec /dev/shm"
    return 0
}
