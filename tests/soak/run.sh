#!/bin/sh
# run.sh AREA: the big counts of an area's tests, on programs that are built. The last lines are the results; exit 1 when anything was wrong.
#   foundation   kill -9 of backup run, wal push and restore at HOWDAH_TEST_MOMENTS moments each, default 20
#   backup       the differential oracle of incrementals: HOWDAH_TEST_ORACLE_ROUNDS rounds, default 500, from HOWDAH_TEST_SEED
#   faults       each call of the store in each operation fails once in each way (HOWDAH_TEST_FAULTS, default all)
#   memory       the peak memory of every operation on a cluster of HOWDAH_TEST_FILES small files, default 1000000, and of a sparse relation
#   client       the library under HOWDAH_TEST_CALLERS callers while links are cut and backends terminated (HOWDAH_TEST_CUTS), statements
#                cancelled (_CANCELS), the server killed (_KILLS), restarted (_RESTARTS) and its links disturbed (_ROUNDS); _SEED replays
set -eu
cd "$(dirname -- "$0")/../.."
build=${HOWDAH_TEST_BUILD:-build}
area=${1:-}

# soak EXECUTABLE FILTER: runs the tests with the output in a log and shows their results.
soak() {
    log=$build/soak-$area.log
    printf '(log: %s)\n' "$log"
    status=0
    "$build/tests/$1" --gtest_filter="$2" >"$log" 2>&1 || status=$?
    grep -E '^(RESULT|seed|\[  FAILED  \])' "$log" || true
    [ "$status" -eq 0 ] || tail -n 40 "$log"
    printf 'soak %s: %s at %s, %s\n' "$area" "$([ "$status" -eq 0 ] && echo pass || echo FAIL)" \
        "$(git rev-parse --short HEAD 2>/dev/null || echo 'no commit')" "$(date -u +%Y-%m-%dT%H:%MZ)"
    return "$status"
}

case $area in
    foundation)
        export HOWDAH_TEST_MOMENTS="${HOWDAH_TEST_MOMENTS:-20}"
        printf 'kill -9 at %s moments of each operation ' "$HOWDAH_TEST_MOMENTS"
        soak scenario_kill '*AtMoments*'
        ;;
    backup)
        export HOWDAH_TEST_ORACLE_ROUNDS="${HOWDAH_TEST_ORACLE_ROUNDS:-500}"
        printf '%s rounds of random work, incrementals and their restores beside a replica ' "$HOWDAH_TEST_ORACLE_ROUNDS"
        soak scenario_oracle '*Oracle*'
        ;;
    faults)
        export HOWDAH_TEST_FAULTS="${HOWDAH_TEST_FAULTS:-all}"
        printf 'one failing call of the store at a time: %s ' "$HOWDAH_TEST_FAULTS"
        soak scenario_faults '*'
        ;;
    memory)
        export HOWDAH_TEST_FILES="${HOWDAH_TEST_FILES:-1000000}"
        printf '%s small files, and 64 GiB of holes ' "$HOWDAH_TEST_FILES"
        soak scenario_memory '*'
        ;;
    client)
        export HOWDAH_TEST_CUTS="${HOWDAH_TEST_CUTS:-10000}" HOWDAH_TEST_CANCELS="${HOWDAH_TEST_CANCELS:-10000}"
        export HOWDAH_TEST_KILLS="${HOWDAH_TEST_KILLS:-200}" HOWDAH_TEST_RESTARTS="${HOWDAH_TEST_RESTARTS:-20}"
        export HOWDAH_TEST_ROUNDS="${HOWDAH_TEST_ROUNDS:-5}" HOWDAH_TEST_CALLERS="${HOWDAH_TEST_CALLERS:-200}"
        printf '%s cuts, as many terminations, %s cancels, %s kill -9 under %s callers ' "$HOWDAH_TEST_CUTS" "$HOWDAH_TEST_CANCELS" \
            "$HOWDAH_TEST_KILLS" "$HOWDAH_TEST_CALLERS"
        soak scenario_client_faults '*'
        ;;
    *)
        printf 'usage: ./run soak foundation | backup | faults | memory | client\n' >&2
        exit 2
        ;;
esac
