#!/bin/sh
# run.sh [TEST...]: runs these tests (default: HOWDAH_VERSION_TESTS, or the demo and the traps) on real servers of several majors
# (HOWDAH_TEST_VERSIONS, default "15 17 18") and prints a table. A test is the name of an executable of build/tests, or traps.
set -eu
cd "$(dirname -- "$0")/../.."
build=${HOWDAH_TEST_BUILD:-build}
# shellcheck disable=SC2086  # lists, split on purpose
[ $# -gt 0 ] || set -- ${HOWDAH_VERSION_TESTS:-scenario_demo traps}
logs=$build/versions
table=$logs/table.txt
mkdir -p "$logs"
: >"$table"
status=0

run_test() {
    case $1 in
        traps)
            [ -x tests/traps/run.sh ] || { echo "this revision has no tests/traps/run.sh"; return 1; }
            HOWDAH_TEST_BUILD=$build tests/traps/run.sh
            ;;
        *) /usr/bin/python3 tests/run_tests.py --build "$build" "$1" ;;
    esac
}

for major in ${HOWDAH_TEST_VERSIONS:-15 17 18}; do
    bin=$(tests/versions/prepare.sh "$major")
    for test in "$@"; do
        log=$logs/$major-$test.log
        printf 'PostgreSQL %s: %s (log: %s) ... ' "$major" "$test" "$log"
        began=$(date +%s)
        result=pass
        (export HOWDAH_PG_BIN="$bin" && run_test "$test") >"$log" 2>&1 || result=FAIL
        took=$(($(date +%s) - began))
        printf '%s in %s s\n' "$result" "$took"
        [ "$result" = pass ] || { status=1; tail -n 25 "$log"; }
        printf '%-12s %-28s %-6s %6s s  %s\n' "$major" "$test" "$result" "$took" "$("$bin/postgres" -V)" >>"$table"
    done
done
printf '\n%-12s %-28s %-6s %8s  %s\n' PostgreSQL test result time server
cat "$table"
exit "$status"
