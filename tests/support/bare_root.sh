# shellcheck shell=sh
# A bare Debian 12 root, its processes and mounts in namespaces of their own that end with it. Sourced at the top of the repository by
# POSIX shells that run as root.
. tests/support/debian.sh

# Ends what make_bare_root began. A root in which something is mounted stays, and so does one that is to be kept.
remove_root() {
    if grep -qF " $root/" /proc/mounts; then
        printf 'not removed, something is mounted in it: %s\n' "$root" >&2
    elif [ -n "$keep" ]; then
        printf 'kept: %s\n' "$root" >&2
    else
        rm -rf "$root"
    fi
}

# make_bare_root KEEP: makes the root, its path in $root; it is removed when this shell ends unless KEEP says something.
make_bare_root() {
    keep=$1
    cache=$(cache_folder)/fresh
    mkdir -p "$cache"
    packages=$cache/bookworm.tar.gz
    root=$(mktemp -d "$cache/root-XXXXXX")

    trap remove_root EXIT
    trap 'exit 143' TERM
    trap 'exit 130' INT

    # The packages of the bare system are kept for a week; the root is unpacked and configured anew each time.
    [ -z "$(find "$packages" -mtime +7 2>/dev/null)" ] || rm -f "$packages"
    if [ ! -e "$packages" ]; then
        printf 'fetching the packages of a bare Debian 12 ... ' >&2
        bootstrap --include=git --make-tarball="$packages.part" bookworm "$root" >"$cache/fetch.log" 2>&1 ||
            { printf 'failed\n' >&2; tail -n 20 "$cache/fetch.log" >&2; exit 1; }
        mv "$packages.part" "$packages"
        rm -rf "$root"
        mkdir -m 0755 "$root"
        printf 'done\n' >&2
    fi
    printf 'making a bare Debian 12 root ... ' >&2
    began=$(date +%s)
    bootstrap --include=git --unpack-tarball="$packages" bookworm "$root" >"$cache/bootstrap.log" 2>&1 ||
        { printf 'failed\n' >&2; tail -n 20 "$cache/bootstrap.log" >&2; exit 1; }
    chmod 0755 "$root"
    printf 'done in %s s\n' "$(($(date +%s) - began))" >&2

    # The root reaches its packages as this machine does.
    rm -f "$root/etc/apt/sources.list"
    debian_sources >"$root/etc/apt/sources.list"
    apt-config dump | grep -E '^Acquire::(http|https|Retries|Check-Valid-Until|Check-Date)[: ]' >"$root/etc/apt/apt.conf.d/90machine" || :
    cp /etc/resolv.conf /etc/hosts "$root/etc/"
    if grep -q https: "$root/etc/apt/sources.list"; then
        mkdir -p "$root/etc/ssl/certs"
        cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    fi
    # Nothing that a package starts by itself may outlive its installation.
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 0755 "$root/usr/sbin/policy-rc.d"
}

# in_bare_root COMMAND...: runs it there as the first process, so a shell, which reaps what others leave behind.
in_bare_root() {
    # shellcheck disable=SC2016  # the inner shells expand these
    unshare --mount --pid --ipc --fork --kill-child --propagation private sh -eu -c '
        root=$1
        shift
        # A mount of its own, so that tests in there can make their mounts private.
        mount --rbind "$root" "$root"
        mount -t proc proc "$root/proc"
        mount -t sysfs -o ro sysfs "$root/sys" 2>/dev/null || :
        mkdir -p "$root/dev/pts" "$root/dev/shm"
        mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$root/dev/pts"
        mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
        for device in null zero random urandom tty; do
            [ -c "$root/dev/$device" ] || { : >"$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; }
        done
        exec chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM="${TERM:-dumb}" LANG=C.UTF-8 \
            ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} ${no_proxy:+no_proxy="$no_proxy"} \
            ${HOWDAH_JOBS:+HOWDAH_JOBS="$HOWDAH_JOBS"} "$@"
    ' bare "$root" "$@"
}
