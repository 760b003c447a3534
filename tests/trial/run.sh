#!/bin/sh
# run.sh client [--keep]: a newcomer's trial of the library. Makes a bare Debian 12 root, puts there the packages of build/packages, the
# guide's first lines and examples/service, runs tests/trial/client.sh in it as root, and removes the root again.
set -eu
cd "$(dirname -- "$0")/../.."
. tests/support/bare_root.sh

[ "${1:-}" = client ] || { printf 'usage: run.sh client [--keep]\n' >&2; exit 2; }
[ "$(id -u)" -eq 0 ] || exec sudo -n --preserve-env=HOWDAH_TEST_CACHE,HOWDAH_TEST_BUILD,http_proxy,https_proxy,no_proxy "$0" "$@"
keep=
[ "${2:-}" != --keep ] || keep=yes
make_bare_root "$keep"

mkdir "$root/root/trial"
cp "${HOWDAH_TEST_BUILD:-build}"/packages/libhowdah*.deb "$root/root/trial/"
cp -r examples/service tests/trial/client.sh "$root/root/trial/"
awk '/^```cpp$/ { inside = 1; next } /^```/ && inside { exit } inside' docs/use/library.md >"$root/root/trial/first.cpp"
in_bare_root sh /root/trial/client.sh
