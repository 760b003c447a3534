#!/bin/sh
# update.sh [BUILD]: writes tests/abi/libhowdah.abi anew from BUILD/libhowdah.so (default build/). Needs Debian's abigail-tools. Look at the
# difference before it is committed: what old programs cannot live with needs a new SONAME and a new inline namespace.
set -eu
cd "$(dirname -- "$0")/../.."
abidw --exported-interfaces-only --headers-dir include/howdah --drop-private-types --no-corpus-path --no-comp-dir-path --no-show-locs \
    --no-parameter-names --type-id-style hash --out-file tests/abi/libhowdah.abi "${1:-build}/libhowdah.so"
