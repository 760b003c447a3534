#!/bin/sh
# run.sh [AREA]: the benchmarks of an area (default: backup), beside the peers. Called by ./run bench.
set -eu
cd "$(dirname -- "$0")/../.."
area=${1:-backup}
build=${HOWDAH_TEST_BUILD:-build}
case $area in
    backup | incremental | engine)
        # The newest pgBackRest comes with PostgreSQL 18's root.
        bin=$(tests/versions/prepare.sh 18)
        pgbackrest=${bin%/pg18/bin}/pgbackrest/bin/pgbackrest
        exec /usr/bin/python3 -B "tests/bench/$area.py" --howdah "$build/howdah" --pgbackrest "$pgbackrest"
        ;;
    client)
        cmake -B "$build" -DHOWDAH_BENCH=ON >/dev/null
        cmake --build "$build" --target bench_client
        exec /usr/bin/python3 -B tests/bench/client.py --build "$build"
        ;;
    *)
        echo "no such benchmark: $area (there are: backup, incremental, engine, client)" >&2
        exit 2
        ;;
esac
