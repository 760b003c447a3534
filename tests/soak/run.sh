#!/bin/sh
# run.sh AREA: the big counts of an area's tests, on programs that are built. Areas: foundation (kill -9 of backup run, wal push and restore at
# HOWDAH_TEST_MOMENTS moments each, default 20). The last lines are the results; exit 1 when anything was wrong.
set -eu
cd "$(dirname -- "$0")/../.."
build=${HOWDAH_TEST_BUILD:-build}
area=${1:-}

soak_foundation() {
    log=$build/soak-foundation.log
    printf 'kill -9 at %s moments of each operation (log: %s)\n' "$HOWDAH_TEST_MOMENTS" "$log"
    status=0
    "$build/tests/scenario_kill" --gtest_filter='*AtMoments*' >"$log" 2>&1 || status=$?
    grep -E '^(RESULT|\[  FAILED  \])' "$log" || true
    [ "$status" -eq 0 ] || tail -n 40 "$log"
    printf 'soak foundation: %s at %s, %s\n' "$([ "$status" -eq 0 ] && echo pass || echo FAIL)" \
        "$(git rev-parse --short HEAD 2>/dev/null || echo 'no commit')" "$(date -u +%Y-%m-%dT%H:%MZ)"
    return "$status"
}

case $area in
    foundation)
        export HOWDAH_TEST_MOMENTS="${HOWDAH_TEST_MOMENTS:-20}"
        soak_foundation
        ;;
    *)
        printf 'usage: ./run soak foundation\n' >&2
        exit 2
        ;;
esac
