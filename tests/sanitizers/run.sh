#!/bin/sh
# run.sh AREA: the area's tests under AddressSanitizer and UndefinedBehaviorSanitizer, then under ThreadSanitizer, then its parsers'
# fuzzers. All are run whatever the others found; exit 1 when any found something. The last lines are the results.
set -eu
cd "$(dirname -- "$0")/../.."
build=${HOWDAH_TEST_BUILD:-build}
area=${1:-}
case $area in
    # scenario_library builds its examples under the sanitizers too.
    client) tests='client scenario_library' fuzzers='url values' ;;
    *)
        printf 'usage: ./run sanitizers client\n' >&2
        exit 2
        ;;
esac

status=0
results=
for each in asan tsan fuzz; do
    log=$build/sanitizers-$area-$each.log
    mkdir -p "$build"
    printf '%s (log: %s)\n' "$each" "$log"
    began=$(date +%s)
    ended=0
    # shellcheck disable=SC2086  # one word each
    if [ "$each" = fuzz ]; then ./run fuzz $fuzzers; else ./run "$each" $tests; fi >"$log" 2>&1 || ended=$?
    said=$(grep -E '^RESULT fuzz|^[0-9]+ passed' "$log" || echo 'no result')
    if [ "$ended" -ne 0 ]; then
        status=1
        grep -E '^FAILED|SUMMARY: |runtime error: ' "$log" || tail -n 40 "$log"
    fi
    results="$results$(printf 'sanitizers %s, %s, %s s: %s' "$area" "$each" "$(($(date +%s) - began))" "$said")
"
done
printf '%s' "$results"
printf 'sanitizers %s: %s at %s, %s\n' "$area" "$([ "$status" -eq 0 ] && echo pass || echo FAIL)" \
    "$(git rev-parse --short HEAD 2>/dev/null || echo 'no commit')" "$(date -u +%Y-%m-%dT%H:%MZ)"
exit "$status"
