#!/bin/sh
# run.sh [--keep]: proves the README on a machine that has nothing. Makes a bare Debian 12 root with debootstrap, puts a clone of this
# repository's HEAD in its /root/howdah, runs there the README's blocks marked `sh`, in order, as root, and removes the root again.
# The root's processes and mounts live in namespaces of their own and end with it. --keep leaves the root for a look.
set -eu
cd "$(dirname -- "$0")/../.."
. tests/support/debian.sh

[ "$(id -u)" -eq 0 ] || exec sudo -n --preserve-env=HOWDAH_TEST_CACHE,http_proxy,https_proxy,no_proxy "$0" "$@"

keep=
[ "${1:-}" != --keep ] || keep=yes
cache=$(cache_folder)/fresh
mkdir -p "$cache"
packages=$cache/bookworm.tar.gz
root=$(mktemp -d "$cache/root-XXXXXX")

remove_root() {
    if grep -qF " $root/" /proc/mounts; then
        printf 'not removed, something is mounted in it: %s\n' "$root" >&2
    elif [ -n "$keep" ]; then
        printf 'kept: %s\n' "$root" >&2
    else
        rm -rf "$root"
    fi
}
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

[ -z "$(git status --porcelain)" ] || printf 'note: what is not committed is not tested\n' >&2
git clone --quiet --no-hardlinks --no-local . "$root/root/howdah"
git -C "$root/root/howdah" remote remove origin
printf 'testing %s\n' "$(git log -1 --format='%h %s')" >&2

# One file a block: 01.sh, 02.sh ...
mkdir "$root/root/blocks"
awk -v folder="$root/root/blocks" '
    /^```sh[ \t]*$/ { file = sprintf("%s/%02d.sh", folder, ++blocks); printf "" > file; inside = 1; next }
    /^```/ { if (inside) close(file); inside = 0; next }
    inside { print > file }
    END { if (!blocks) { print "the README has no block marked sh" > "/dev/stderr"; exit 1 } }
' README.md

cat >"$root/root/run-blocks" <<'END'
set -eu
cd /root/howdah
for block in /root/blocks/*.sh; do
    printf '\n== %s\n' "${block##*/}"
    sed 's/^/$ /' "$block"
    began=$(date +%s)
    sh -eu "$block"
    printf '== %s done in %s s\n' "${block##*/}" "$(($(date +%s) - began))"
done
END

# shellcheck disable=SC2016  # the inner shells expand these
unshare --mount --pid --ipc --fork --kill-child --propagation private sh -eu -c '
    root=$1
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
        ${HOWDAH_JOBS:+HOWDAH_JOBS="$HOWDAH_JOBS"} sh /root/run-blocks
' fresh "$root"
printf '\nfresh: every block of the README passed\n'
