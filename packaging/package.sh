#!/bin/sh
# package.sh BUILD: makes Debian packages of what BUILD holds, in BUILD/packages: libhowdah0 (the shared library), libhowdah-dev (headers,
# static library, CMake and pkg-config files) and howdah (the program). `./run package` builds first. Needs dpkg-dev, no root.
# By hand instead of debhelper or CPack: three control files and one call of dpkg-shlibdeps say all that there is to say.
set -eu
build=$(cd "${1:-build}" && pwd)
cd "$(dirname -- "$0")/.."

[ -n "$(sed -n 's/^HOWDAH_SANITIZE:STRING=//p' "$build/CMakeCache.txt")" ] && {
    printf 'package.sh failed: %s is a sanitized build\nHINT: package build/ itself\n' "$build" >&2
    exit 1
}
version=$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$build/CMakeCache.txt")
major=${version%%.*}
architecture=$(dpkg --print-architecture)
# Who publishes packages says so, as for Debian's own tools.
maintainer="${DEBFULLNAME:-Howdah maintainers} <${DEBEMAIL:-maintainers@howdah.invalid}>"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
umask 022

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

# lay_out PACKAGE COMPONENT: what CMake installs of a component, as a package's tree.
lay_out() {
    DESTDIR=$stage/$1 cmake --install "$build" --prefix /usr --component "$2" >"$stage/install.log" || {
        cat "$stage/install.log" >&2
        exit 1
    }
    mkdir -p "$stage/$1/DEBIAN" "$stage/$1/usr/share/doc/$1"
    cat >"$stage/$1/usr/share/doc/$1/copyright" <<'END'
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: howdah

Files: *
Copyright: 2026 The Howdah authors
License: Apache-2.0
 The full text is in /usr/share/common-licenses/Apache-2.0 on Debian systems.
END
    printf 'howdah (%s) unstable; urgency=medium\n\n  * Release %s.\n\n -- %s  %s\n' "$version" "$version" "$maintainer" \
        "$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$stage/$1/usr/share/doc/$1/changelog.gz"
}

# needs FILE: the packages of the libraries that a file is linked with, as dpkg-shlibdeps knows them.
needs() {
    mkdir -p "$stage/source/debian"
    printf 'Source: howdah\n\nPackage: howdah\nArchitecture: any\n' >"$stage/source/debian/control"
    (cd "$stage/source" && dpkg-shlibdeps -O -e"$1") | sed -n 's/^shlibs:Depends=//p'
}

# control PACKAGE SECTION DEPENDS FURTHER-FIELDS DESCRIPTION
control() {
    cat >"$stage/$1/DEBIAN/control" <<END
Package: $1
Source: howdah
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du -sk --apparent-size --exclude=DEBIAN "$stage/$1" | cut -f 1)
Depends: $3
${4:+$4
}Section: $2
Priority: optional
Description: $5
END
}

# finish PACKAGE: sums, and the .deb itself.
finish() {
    (cd "$stage/$1" && find . -type f ! -path './DEBIAN/*' ! -path './etc/*' -printf '%P\0' | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
    dpkg-deb --root-owner-group -Zxz --build "$stage/$1" "$build/packages/$1_${version}_$architecture.deb" >&2
}

mkdir -p "$build/packages"
rm -f "$build"/packages/*.deb

library=libhowdah$major
lay_out "$library" runtime
shared=$(find "$stage/$library" -name 'libhowdah.so.*' -type f)
strip --strip-unneeded --remove-section=.comment --remove-section=.note "$shared"
chmod 0644 "$shared"
printf 'libhowdah %s %s (>= %s)\n' "$major" "$library" "$version" >"$stage/$library/DEBIAN/shlibs"
printf 'activate-noawait ldconfig\n' >"$stage/$library/DEBIAN/triggers"
control "$library" libs "$(needs "$shared")" 'Multi-Arch: same' 'resilient PostgreSQL connections for C++ services
 A library over libpq with a bounded pool, transactions that are repeated
 rightly, circuit breakers with budgets, a health monitor and metrics.
 .
 This package holds the shared library.'
finish "$library"

lay_out libhowdah-dev development
doc=$stage/libhowdah-dev/usr/share/doc/libhowdah-dev
install -m 0644 docs/use/library.md docs/use/library-watch.md "$doc/"
cp -R --no-preserve=mode,ownership examples "$doc/"
find "$stage/libhowdah-dev" -name '*.a' -exec strip --strip-debug --remove-section=.comment {} +
control libhowdah-dev libdevel "$library (= $version), libpq-dev" 'Multi-Arch: same' 'resilient PostgreSQL connections for C++ services (development files)
 A library over libpq with a bounded pool, transactions that are repeated
 rightly, circuit breakers with budgets, a health monitor and metrics.
 .
 This package holds the headers, the static library, the files for CMake
 and pkg-config, the guide and the examples.'
finish libhowdah-dev

lay_out howdah program
strip --remove-section=.comment --remove-section=.note "$stage/howdah/usr/bin/howdah"
mkdir -p "$stage/howdah/etc/howdah/conf.d"
"$build/howdah" --config "$stage/howdah/etc/howdah/howdah.toml" config init >/dev/null
printf '/etc/howdah/howdah.toml\n' >"$stage/howdah/DEBIAN/conffiles"
install -m 0755 packaging/postinst packaging/postrm "$stage/howdah/DEBIAN/"
# postgresql-common makes the user that the state and the configuration belong to. Before it the libraries that are loaded at first use.
control howdah database "$(needs "$stage/howdah/usr/bin/howdah"), libpq5, libsqlite3-0, libssl3, postgresql-common" 'Recommends: postgresql | postgresql-client' 'operations tool for PostgreSQL
 Backup, WAL archive, restore and drills in one program that proves what it
 did: a backup counts when it was restored and compared.'
finish howdah

ls -l "$build/packages" >&2
