#!/bin/sh
# run.sh [--keep]: proves the README on a machine that has nothing. Makes a bare Debian 12 root with debootstrap, puts a clone of this
# repository's HEAD in its /root/howdah, runs there the README's blocks marked `sh`, in order, as root, and removes the root again.
# The root's processes and mounts live in namespaces of their own and end with it. --keep leaves the root for a look.
set -eu
cd "$(dirname -- "$0")/../.."
. tests/support/bare_root.sh

[ "$(id -u)" -eq 0 ] || exec sudo -n --preserve-env=HOWDAH_TEST_CACHE,http_proxy,https_proxy,no_proxy "$0" "$@"

keep=
[ "${1:-}" != --keep ] || keep=yes
make_bare_root "$keep"

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

in_bare_root sh /root/run-blocks
printf '\nfresh: every block of the README passed\n'
