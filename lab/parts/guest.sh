# shellcheck shell=bash
# guest.sh - starts and stops the two machines and talks to them.
#
# A guest is a tree of host processes: unshare -> the init of its own pid namespace -> the kernel
# -> one host process for each program of the guest. Killing only the kernel would leave the
# guest's programs running on the host, so a power cut is SIGKILL of that init. The init is a
# shell: as process 1 the kernel itself could not abort when it panics.
#
# It also starts the kernel again when that has aborted: after a panic, and sometimes after a reset by
# the watchdog, which comes from an interrupt and may trip over the kernel's own clean-up. A real
# machine (with panic=1) starts again in both cases.
#
# $state/N.init holds the init's process id, N.log the console, N.cow and N.disk the disks.

pid_in_lab() {
    [ -n "${1:-}" ] && [ "/proc/$1/ns/net" -ef "/run/netns/$ns" ]
}
guest_init_pid() {
    cat "$state/$1.init" 2>/dev/null || true
}
guest_kernel_pid() {
    local child
    for child in $(children_of "$(guest_init_pid "$1")"); do
        [ "$(cat "/proc/$child/comm" 2>/dev/null)" = linux.uml ] && echo "$child" && return
    done
    return 0
}
guest_alive() { # also while it starts again after a panic
    pid_in_lab "$(guest_init_pid "$1")"
}
need_guest() {
    guest_number "$1" >/dev/null
    guest_alive "$1" || die "guest $1 is not running"
}
children_of() {
    cat "/proc/${1:-none}/task/${1:-none}/children" 2>/dev/null || true
}

# guest_choose_image N: sets $image. An overlay belongs to the base it was made from: a guest that
# has one keeps that image, even when a newer one was built meanwhile.
guest_choose_image() {
    preload_ensure
    image=$(cat "$state/$1.image" 2>/dev/null) || true
    [ -n "$image" ] && [ -f "$image/complete" ] && [ -f "$state/$1.cow" ] && return
    image_ensure
    rm -f "$state/$1.cow"
    echo "$image" >"$state/$1.image"
}

guest_boot() {
    local guest=$1 number card cards=() init
    number=$(guest_number "$guest")
    guest_alive "$guest" && return
    guest_reap "$guest"
    guest_choose_image "$guest"
    [ -f "$state/$guest.disk" ] || truncate -s "$disk" "$state/$guest.disk"
    for card in 0 1 2; do
        cards+=("vec$card:transport=tap,ifname=$guest$card,depth=128,gro=1,mac=02:77:00:0$card:00:$number")
    done
    rm -rf "$state/uml-$guest"
    ip netns exec "$ns" env -i PATH="$PATH" HOME="$state" TMPDIR=/dev/shm LD_PRELOAD="$preload" \
        LAB_WRITE_CACHE="$([[ $(cat "$image/kernel-version" 2>/dev/null) == 6.1.* ]] && echo 1)" \
        setsid unshare --pid --fork --kill-child=SIGKILL \
        bash -c 'while "$@"; status=$?; [ $status = 134 ]; do kill -KILL -1; sleep 1; done; exit $status' "og-lab-$lab-$guest" "$image/linux.uml" \
        mem="$memory" umid="uml-$guest" uml_dir="$state/" \
        ubda="$state/$guest.cow,$image/base.ext4" ubdb="$state/$guest.disk" root=/dev/ubda rw rootflags=noinit_itable \
        "${cards[@]}" con=null con0=null,fd:1 ssl=null lsm= panic=1 \
        systemd.hostname="$guest" systemd.machine_id="$(echo "og-lab guest $guest" | md5sum | cut -c1-32)" \
        systemd.show_status=0 random.trust_cpu=on "$glibc_variable" "$openssl_variable" \
        </dev/null >>"$state/$guest.log" 2>&1 {lock}>&- &
    local unshare_pid=$!
    disown "$unshare_pid"
    for _ in $(seq 500); do
        read -r init _ <<<"$(children_of "$unshare_pid")"
        echo "$init" >"$state/$guest.init"
        [ -n "$init" ] && [ -n "$(guest_kernel_pid "$guest")" ] && return
        kill -0 "$unshare_pid" 2>/dev/null || die "guest $guest did not start; see $state/$guest.log"
        sleep 0.01
    done
    die "guest $guest did not start; see $state/$guest.log"
}

# guest_reap: forgets a guest that is dead, and the ssh connection that is dead with it.
guest_reap() {
    local init
    init=$(guest_init_pid "$1")
    if pid_in_lab "$init"; then
        kill -KILL "$init" 2>/dev/null || true
        while pid_in_lab "$init"; do sleep 0.01; done
    fi
    guest_drop_ssh "$1"
    rm -rf "$state/$1.init" "$state/uml-$1"
}
guest_drop_ssh() {
    [ -S "$state/$1.ssh" ] &&
        timeout 2 ssh -q -O exit -o ControlPath="$state/$1.ssh" guest 2>/dev/null </dev/null || true
    rm -f "$state/$1.ssh"
}

ssh_options() {
    printf '%s\n' -i "$image/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
        -o LogLevel=ERROR -o ConnectTimeout=4 -o ControlMaster=auto -o ControlPersist=900 \
        -o ServerAliveInterval=4 -o ServerAliveCountMax=2 -o ControlPath="$state/$1.ssh" \
        -o Compression=no -o Ciphers=aes128-gcm@openssh.com
}
guest_sh() {
    local guest=$1 options boots
    shift
    # a guest that has reset itself does not answer on a connection of its earlier life
    boots=$(grep -ac '^Linux version' "$state/$guest.log") || true
    if [ -S "$state/$guest.ssh" ] && [ "$(cat "$state/$guest.boots" 2>/dev/null)" != "$boots" ]; then
        rm -f "$state/$guest.ssh"
    fi
    echo "$boots" >"$state/$guest.boots"
    image=$(cat "$state/$guest.image")
    mapfile -t options < <(ssh_options "$guest")
    in_ns ssh "${options[@]}" "root@10.77.0.$(guest_number "$guest")" "$@"
}

# guest_wait: until sshd answers with its banner; $2 seconds at most.
guest_wait() {
    local guest=$1 limit=${2:-60} number
    number=$(guest_number "$guest")
    # in the background, as a trap of this shell waits for no child then
    # shellcheck disable=SC2016 # the inner shell expands
    in_ns timeout "$limit" bash -c '
        until (exec 3<>"/dev/tcp/$0/22" && read -t 2 -r banner <&3 && [[ $banner == SSH* ]]) 2>/dev/null; do
            [ "/proc/$1/ns/net" -ef "/run/netns/$2" ] || exit 3
            sleep 0.1
        done' "10.77.0.$number" "$(guest_init_pid "$guest")" "$ns" &
    wait $! || die "guest $guest did not come up in $limit s; its console: $state/$guest.log"
}

# Refuses a guest whose processes lack the processor variables: its results would mean nothing.
guest_selftest() {
    local text
    text=$(guest_sh "$1" /usr/lib/og-lab/lab-environment) || {
        echo "$text" >&2
        die "self-test of guest $1 failed"
    }
    echo "$text"
}

lab_lock() {
    mkdir -p "$state"
    exec {lock}>"$state/lock"
    flock "$lock"
}
lab_unlock() {
    exec {lock}>&-
}

cmd_up() {
    local guest wanted=("${guests[@]}") fresh_lab=1
    [ $# = 0 ] || wanted=("$@")
    for guest in "${wanted[@]}"; do guest_number "$guest" >/dev/null; done
    need_host
    image_ensure
    ns_exists && fresh_lab=
    # a lab that this call made and could not finish is taken down again
    [ -z "$fresh_lab" ] || {
        trap 'cmd_up_abandoned 1' EXIT
        trap 'cmd_up_abandoned 130' INT TERM HUP
    }
    lab_lock
    net_up
    for guest in "${wanted[@]}"; do guest_boot "$guest"; done
    lab_unlock
    for guest in "${wanted[@]}"; do
        guest_wait "$guest"
        say "guest $guest answers ssh"
    done
    local tests=()
    for guest in "${wanted[@]}"; do
        (say "guest $guest: $(guest_selftest "$guest")") &
        tests+=($!)
    done
    for guest in "${tests[@]}"; do wait "$guest"; done
    trap - EXIT INT TERM HUP
}

cmd_up_abandoned() {
    trap - EXIT
    trap '' INT TERM HUP
    say "not up: taking the lab down again"
    if [ -z "${OG_LAB_QUIET:-}" ]; then tail -n 5 "$state"/?.log >&2 2>/dev/null || true; fi
    lab_end
    exit "$1"
}

# lab_end [--keep]. The files behind the guests' memory are unlinked as soon as they are mapped, so
# killing the processes is enough to be rid of them.
lab_end() {
    net_down
    if [ "${1:-}" = --keep ]; then
        rm -rf "$state"/uml-* "$state"/*.ssh "$state"/*.init
    else
        rm -rf "$state"
    fi
    say "lab $lab is down"
}

cmd_down() {
    case ${1:-} in
    '' | --keep) lab_end "$@" ;;
    *) usage_error "down takes --keep or nothing" ;;
    esac
}

cmd_start() {
    local guest=${1:-}
    guest_number "$guest" >/dev/null
    ns_exists || die "the lab is not up"
    lab_lock
    guest_drop_ssh "$guest"
    guest_boot "$guest"
    lab_unlock
    guest_wait "$guest"
    say "guest $guest answers ssh"
}

cmd_kill() {
    local guest=${1:-}
    need_guest "$guest"
    guest_reap "$guest"
    say "guest $guest: power cut"
}

cmd_fresh() {
    local guest wanted=("${guests[@]}")
    [ $# = 0 ] || wanted=("$@")
    for guest in "${wanted[@]}"; do
        guest_number "$guest" >/dev/null
        guest_alive "$guest" && die "guest $guest is running; kill it first"
        rm -f "$state/$guest.cow" "$state/$guest.disk"
    done
    say "new disks for ${wanted[*]}"
}

cmd_sh() {
    local guest=${1:-}
    need_guest "$guest"
    shift
    guest_sh "$guest" "$@"
}

cmd_put() {
    [ $# = 3 ] || usage_error "put needs a guest, a file and a destination"
    local guest=$1 file=$2 dest=$3 mode base
    need_guest "$guest"
    [ -f "$file" ] || die "no file $file"
    mode=$(stat -c %a "$file")
    base=${file##*/}
    guest_sh "$guest" "$(printf 'd=%q; if [ -d "$d" ]; then d=$d/%q; fi; cat >"$d.new" && chmod %s "$d.new" && mv -f "$d.new" "$d"' \
        "$dest" "$base" "$mode")" <"$file"
}

cmd_get() {
    [ $# = 3 ] || usage_error "get needs a guest, a file there and a file here"
    need_guest "$1"
    guest_sh "$1" "$(printf 'cat %q' "$2")" >"$3"
}

# install N DEB...: the files, with dpkg; what they depend on is in the image.
cmd_install() {
    local guest=${1:-} deb names=()
    need_guest "$guest"
    shift
    [ $# -gt 0 ] || usage_error "install needs a guest and at least one package file"
    guest_sh "$guest" 'rm -rf /tmp/debs; mkdir -p /tmp/debs'
    for deb; do
        cmd_put "$guest" "$deb" /tmp/debs/
        names+=("${deb##*/}")
    done
    guest_sh "$guest" 'DEBIAN_FRONTEND=noninteractive dpkg -i /tmp/debs/*.deb && rm -rf /tmp/debs && sync'
    say "guest $guest: installed ${names[*]}"
}

cmd_log() {
    guest_number "${1:-}" >/dev/null
    [ -f "$state/$1.log" ] || die "guest $1 has no console log yet"
    cat "$state/$1.log"
}
cmd_journal() {
    local guest=${1:-}
    guest_number "$guest" >/dev/null
    shift
    if guest_alive "$guest"; then
        guest_sh "$guest" "journalctl --no-pager -o short-precise $(printf '%q ' "$@")"
    else
        say "guest $guest is not running; this is its console, which the journal goes to as well"
        cmd_log "$guest"
    fi
}
cmd_pid() {
    need_guest "${1:-}"
    guest_kernel_pid "$1"
}
cmd_ns() {
    ns_exists || die "the lab is not up"
    [ $# -gt 0 ] || usage_error "ns needs a command"
    exec ip netns exec "$ns" "$@" # no shell in between: signals reach the command
}
cmd_selftest() {
    need_guest "${1:-}"
    guest_selftest "$1"
}
