#!/bin/sh
# Every guard with its traps, each run twice: with the guard on it passes, with the guard off it fails.
set -eu
CDPATH='' cd -- "$(dirname -- "$0")/../.."
exec /usr/bin/python3 tests/traps/run_traps.py --build "${HOWDAH_TEST_BUILD:-build}" "$@"
