# shellcheck shell=bash disable=SC2154
# host.sh - what this host must have: Debian packages, and for the lab the kernel's help and room.

# package_list NAME...: the packages of packaging/NAME-packages.txt, one a line.
package_list() {
    local name
    for name; do
        sed 's/#.*//' "$checkout/packaging/$name-packages.txt" | tr -s ' \t' '\n' | sed '/^$/d'
    done | sort -u
}

missing_packages() {
    local package
    command -v dpkg-query >/dev/null ||
        lacks "this is no Debian system (no dpkg); Debian 12 is what it is built and tested on"
    package_list "$@" | while read -r package; do
        dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
            echo "$package"
    done
}

# Daemons that come with the packages (postgresql, corosync) must not start on the developer's machine:
# Debian asks policy-rc.d, which we lend for the time of the installation when there is none.
apt_install() {
    local policy=/usr/sbin/policy-rc.d lent=no status=0
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod 755 $policy
        lent=yes
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    export DEBIAN_FRONTEND=noninteractive
    { apt-get -q update && apt-get -q install -y --no-install-recommends "$@"; } || status=$?
    if [ $lent = yes ]; then
        rm -f $policy
        trap - EXIT
    fi
    return $status
}

# need_packages LIST...: nothing when all are there, else installs them, or says how.
need_packages() {
    local missing
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} = 0 ] && return 0
    if [ "$(id -u)" != 0 ]; then
        lacks "${#missing[@]} Debian packages are missing: ${missing[*]}
run: install them with:  sudo ./run deps
run: or:  sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}"
    fi
    step "install ${#missing[@]} packages" apt_install "${missing[@]}" ||
        fail "apt could not install: ${missing[*]}"
}

# lab_lacks: one line per thing this host lacks for two virtual machines.
lab_lacks() {
    local free_kb folder
    if [ "$(id -u)" != 0 ]; then
        echo "root: the lab makes network namespaces and taps; run it as  sudo ./run ..."
    elif ! unshare --net --pid --fork true 2>/dev/null; then
        echo "namespaces: the kernel (or this container) does not let root make network and pid namespaces"
    fi
    [ -c /dev/net/tun ] || modprobe tun 2>/dev/null || true
    [ -c /dev/net/tun ] || echo "tun: there is no /dev/net/tun (kernel module tun; in a container: --device /dev/net/tun)"
    free_kb=$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)
    [ "${free_kb:-0}" -ge $((4 << 20)) ] ||
        echo "memory: 4 GiB must be available, there are $((free_kb >> 10)) MiB"
    for folder in "$build" /var; do
        while [ ! -d "$folder" ]; do # what is not there yet will lie on its parent's disk
            folder=$(dirname "$folder")
        done
        free_kb=$(df -k --output=avail "$folder" | tail -n 1)
        [ "$free_kb" -ge $((6 << 20)) ] ||
            echo "disk: $folder needs 6 GiB free, there are $((free_kb >> 10)) MiB"
    done
    [ "$(uname -m)" = x86_64 ] || echo "processor: the virtual machines are x86_64, this is $(uname -m)"
}

need_lab_host() {
    local lack
    lack=$(lab_lacks)
    [ -z "$lack" ] || lacks "this host cannot carry the lab:
$(printf '%s\n' "$lack" | sed 's/^/  - /')"
}
