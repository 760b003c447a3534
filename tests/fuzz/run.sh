#!/bin/sh
# run.sh [NAME...]: builds the fuzzers with clang and runs each one, or those named (url for fuzz_url), for HOWDAH_FUZZ_SECONDS, default
# 120. It begins with the seeds of corpus/NAME and keeps what it finds out of the sources. Exit 1 when any found a fault; its input is
# then named. Needs clang++-19.
set -eu
cd "$(dirname -- "$0")/../.."
build=${HOWDAH_TEST_BUILD:-build}/fuzz
seconds=${HOWDAH_FUZZ_SECONDS:-120}

known=$(for file in tests/fuzz/fuzz_*.cpp; do basename "$file" .cpp; done | sed 's/^fuzz_//' | tr '\n' ' ')
# shellcheck disable=SC2086  # one word a fuzzer
[ $# -gt 0 ] || set -- $known
targets=
for name in "$@"; do
    case " $known" in
        *" $name "*) ;;
        *)
            printf 'no such fuzzer: %s\nHINT: one of %s\n' "$name" "$known" >&2
            exit 2
            ;;
    esac
    targets="$targets fuzz_$name"
done
[ -f "$build/build.ninja" ] || cmake -S tests/fuzz -B "$build" -G Ninja -DCMAKE_CXX_COMPILER=clang++-19 >&2
# shellcheck disable=SC2086  # one word a fuzzer
cmake --build "$build" --target $targets >&2

status=0
for name in "$@"; do
    found=$build/found-$name
    mkdir -p "$found"
    seeds=tests/fuzz/corpus/$name
    [ -d "$seeds" ] || seeds=
    log=$build/$name.log
    ended=0
    # shellcheck disable=SC2086  # there may be no seeds
    "$build/fuzz_$name" -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$found-fault-" \
        -print_final_stats=1 "$found" $seeds >"$log" 2>&1 || ended=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    covered=$(grep -ao 'cov: [0-9]*' "$log" | tail -n 1)
    printf 'RESULT fuzz %s: %s runs in %s s, %s edges, %s\n' "$name" "${runs:-?}" "$seconds" "${covered#cov: }" \
        "$([ "$ended" -eq 0 ] && echo 'no fault' || echo "FAULT, see $log")"
    [ "$ended" -eq 0 ] || {
        tail -n 40 "$log"
        status=1
    }
done
exit "$status"
