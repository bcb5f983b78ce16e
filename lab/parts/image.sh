# shellcheck shell=bash
# image.sh - builds what the guests boot from, once, and again when anything it is made of changes.
#
# $cache/image-KEY/ holds the kernel (from Debian's user-mode-linux, unpacked, not installed),
# base.ext4 (each guest has its own overlay over it) and the driver's key. KEY is a hash of this
# file, of guest/ and of the host's Debian sources. $cache/preload-KEY.so is built from uml/.

# The host's own sources, those of Debian only: other archives may not fit the guest.
image_sources() {
    local file
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
        [ -f "$file" ] || continue
        grep -qE '^(URIs:|deb[[:space:]]).*(debian\.org|/debian)' "$file" &&
            grep -qE '^(Suites:|deb[[:space:]]).*bookworm' "$file" && echo "$file"
    done
    return 0
}

image_key() {
    local files
    mapfile -t files < <(image_sources)
    [ ${#files[@]} -gt 0 ] || die "found no Debian 12 (bookworm) source in /etc/apt"
    {
        cat "${files[@]}" "$lab_root/parts/image.sh"
        cd "$lab_root" && find guest -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
    } | sha256sum | cut -c1-16
}

image_path() {
    echo "$cache/image-$(image_key)"
}

# image_ensure: sets $image; builds it when it is not there. One builder at a time.
image_ensure() {
    image=$(image_path)
    preload_ensure
    [ -f "$image/complete" ] && return
    [ "$(id -u)" = 0 ] || die "building the image needs root"
    need mmdebstrap:mmdebstrap mke2fs:e2fsprogs gcc:gcc ssh-keygen:openssh-client \
        /usr/include/stdio.h:libc6-dev
    mkdir -p "$cache"
    local lock
    exec {lock}>"$cache/lock"
    flock -n "$lock" || {
        say "another build of the image runs; waiting for it"
        flock "$lock"
    }
    [ -f "$image/complete" ] || image_build "$image"
    exec {lock}>&-
}

# preload_ensure: sets $preload. Never written in place, as running guests have it mapped.
preload_ensure() {
    local key
    key=$(cat "$lab_root"/uml/* | sha256sum | cut -c1-16)
    preload=$cache/preload-$key.so
    [ -f "$preload" ] && return
    need gcc:gcc /usr/include/stdio.h:libc6-dev
    mkdir -p "$cache"
    gcc -std=c11 -D_GNU_SOURCE -O2 -fPIC -shared -Wall -Wextra -Werror -o "$preload.$$" "$lab_root"/uml/*.c -ldl ||
        die "cannot compile $lab_root/uml"
    mv -f "$preload.$$" "$preload"
    find "$cache" -maxdepth 1 -name 'preload-*.so' ! -name "${preload##*/}" -mmin +1440 -delete
}

image_build() {
    local dir=$1 work=$1.new packages sources
    [ "$(df -k --output=avail "$cache" | tail -1)" -gt 3000000 ] ||
        die "$cache has less than 3 GB free for the guests' image"
    say "building the guests' image (once, one to three minutes)"
    rm -rf "$work"
    mkdir -p "$work"
    packages=$(sed 's/#.*//' "$lab_root/guest/packages" | tr -s ' \n' ',' | sed 's/^,//;s/,$//')
    mapfile -t sources < <(image_sources)

    image_kernel "$work"
    gcc -std=c11 -O1 -static -nostdlib -ffreestanding -fno-stack-protector -fno-builtin \
        -fcf-protection=none -Wall -Wextra -Werror -o "$work/helper" "$lab_root/guest/with-environment.c"
    ssh-keygen -q -t ed25519 -N '' -C open-gateway-lab -f "$work/key"
    ssh-keygen -q -t ed25519 -N '' -C open-gateway-lab-guest -f "$work/host_key"

    # Packages that the host has already downloaded need not be fetched again.
    mkdir -p "$cache/debs"
    # shellcheck disable=SC2016 # $1 is mmdebstrap's
    mmdebstrap --quiet --mode=root --variant=minbase \
        --aptopt='APT::Install-Recommends "false"' --aptopt='APT::Sandbox::User "root"' \
        --aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
        --skip=download/empty --skip=cleanup/apt/cache \
        --setup-hook='mkdir -p "$1/var/cache/apt/archives"' \
        --setup-hook="cp -f $(printf %q "$cache/debs")/*.deb \"\$1/var/cache/apt/archives/\" 2>/dev/null || true" \
        --essential-hook='mkdir -p "$1/etc/postgresql-common"' \
        --essential-hook='echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"' \
        --include="$packages" bookworm "$work/root" "${sources[@]}" ||
        die "mmdebstrap could not build the guests' root; its messages are above"
    say "packages unpacked and configured"
    image_keep_debs "$work/root"
    rm -rf "$work"/root/var/cache/apt/*.bin "$work"/root/var/cache/apt/archives/*.deb "$work"/root/var/lib/apt/lists/*_*

    image_customize "$work"
    mke2fs -q -t ext4 -J size=16 -m 0 -E root_owner=0:0,lazy_itable_init=1 -d "$work/root" "$work/base.ext4" 3G >/dev/null 2>&1 || die "mke2fs failed"
    rm -rf "$work/root"
    mv -f "$work/kernel/usr/bin/linux.uml" "$work/linux.uml"
    rm -rf "$work/kernel" "$work/helper" "$work/host_key" "$work/host_key.pub"
    touch "$work/complete"
    rm -rf "$dir"
    mv "$work" "$dir"
    say "image ready: $dir ($(du -sh "$dir" | cut -f1))"
    image_prune "$dir"
}

image_kernel() {
    local work=$1
    mkdir -p "$work/download"
    image_fetch_kernel "$work/download" 2>/dev/null || {
        apt-get -qq update || true # a new machine has no package lists yet
        image_fetch_kernel "$work/download" || die "cannot download the Debian package user-mode-linux"
    }
    dpkg -x "$work"/download/user-mode-linux_*.deb "$work/kernel"
    basename "$work"/kernel/usr/lib/uml/modules/* >"$work/kernel-version"
    rm -rf "$work/download"
}

image_fetch_kernel() {
    (cd "$1" && apt-get -qq -o APT::Sandbox::User=root download user-mode-linux)
}

# image_keep_debs ROOT: the packages that this root is made of, for the next build; older ones go.
image_keep_debs() {
    local root=$1 name
    rm -rf "$cache/debs.new"
    mkdir -p "$cache/debs.new"
    while read -r name; do
        mv -f "$root/var/cache/apt/archives/$name" "$cache/debs.new/" 2>/dev/null || true
    done < <(chroot "$root" dpkg-query -W -f '${Package}_${Version}_${Architecture}.deb\n' | sed 's/:/%3a/')
    rm -rf "$cache/debs"
    mv "$cache/debs.new" "$cache/debs"
}

# What turns a Debian root into a guest.
image_customize() {
    local work=$1 root=$1/root unit
    mkdir -p "$root/usr/lib/modules" "$root/root/.ssh" "$root/usr/lib/og-lab"
    cp -a "$work"/kernel/usr/lib/uml/modules/* "$root/usr/lib/modules/"
    cp -r "$lab_root/guest/etc/." "$root/etc/"
    install -m 755 "$lab_root/guest/lab-setup" "$lab_root/guest/lab-environment" "$root/usr/lib/og-lab/"
    install -m 755 "$work/helper" "$root/usr/lib/og-lab/drbdadm"
    install -m 755 "$work/helper" "$root/usr/lib/og-lab/modprobe"
    install -m 600 "$work/key.pub" "$root/root/.ssh/authorized_keys"
    chmod 700 "$root/root/.ssh"
    rm -f "$root"/etc/ssh/ssh_host_*
    install -m 600 "$work/host_key" "$root/etc/ssh/ssh_host_ed25519_key"
    install -m 644 "$work/host_key.pub" "$root/etc/ssh/ssh_host_ed25519_key.pub"
    printf '127.0.0.1 localhost\n10.77.1.11 a\n10.77.1.12 b\n' >"$root/etc/hosts"
    : >"$root/etc/fstab"
    : >"$root/etc/resolv.conf"
    rm -f "$root/etc/hostname"
    : >"$root/etc/machine-id" # empty, not missing: a missing one makes systemd enable everything

    local units
    read -r -d '' -a units < <(sed 's/#.*//' "$lab_root/guest/masked") || true
    for unit in "${units[@]}"; do
        ln -sf /dev/null "$root/etc/systemd/system/$unit"
    done
    # Generators are programs, too; there is no fstab, encrypted disk, GPT or SysV script here.
    mkdir -p "$root/etc/systemd/system-generators"
    for unit in "$root"/usr/lib/systemd/system-generators/*; do
        ln -sf /dev/null "$root/etc/systemd/system-generators/${unit##*/}"
    done
    # The pair's own daemon starts these.
    systemctl --root="$root" --quiet disable corosync.service postgresql.service drbd.service
    systemctl --root="$root" --quiet enable lab-setup.service lab-ssh.service lab-environment.service
    systemctl --root="$root" --quiet set-default multi-user.target
    depmod -b "$root/usr" "$(basename "$root"/usr/lib/modules/*)" 2>/dev/null || true
}

# Older images go, unless a lab still has guests on them.
image_prune() {
    local keep=$1 old labs=${OG_LAB_STATE:-/var/tmp/open-gateway-lab}
    for old in "$cache"/image-*; do
        if [ "$old" = "$keep" ] || [ ! -d "$old" ]; then continue; fi
        grep -qsF "$old" /proc/[0-9]*/cmdline "$labs"/*/?.image && continue
        rm -rf "$old"
        say "removed the old image ${old##*/}"
    done
}

cmd_image() {
    case ${1:-} in
    --path) image_path ;;
    --rebuild)
        rm -f "$(image_path)/complete"
        image_ensure
        ;;
    '')
        image_ensure
        say "image: $image"
        ;;
    *) usage_error "image takes --path, --rebuild or nothing" ;;
    esac
}
