#!/bin/sh
# run.sh [AREA]: the benchmarks of an area (default: backup), beside the peers. Called by ./run bench.
set -eu
cd "$(dirname -- "$0")/../.."
area=${1:-backup}
[ -f "tests/bench/$area.py" ] || { echo "no such benchmark: $area (there is: backup)" >&2; exit 2; }
# The newest pgBackRest comes with PostgreSQL 18's root.
bin=$(tests/versions/prepare.sh 18)
pgbackrest=${bin%/pg18/bin}/pgbackrest/bin/pgbackrest
exec /usr/bin/python3 "tests/bench/$area.py" --howdah "${HOWDAH_TEST_BUILD:-build}/howdah" --pgbackrest "$pgbackrest"
