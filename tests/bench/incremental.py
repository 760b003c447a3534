#!/usr/bin/env python3
"""Incremental backups beside pgBackRest's (block incremental, bundling): interleaved on one private server, medians and ratios.

Both tools take a full backup first. Then each round changes the pgbench database in one of three ways (one row of a thousand, spread
over the table; one per cent in one region; nothing) and both take an incremental, in turn first and second. What was changed is
checkpointed and archived before the clock starts. Rows of area `incremental` replace the earlier ones in bench.json. Environment: as
backup.py, but HOWDAH_TEST_BENCH_MARKETPLACE.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import time

import backup
import bench_rows

CASES = {"0.1 % of rows, scattered": 15.0, "1 % in one region": 5.0, "idle": 3.0}


class Ground(backup.Ground):
    """Both tools with one repository each, which grow from round to round."""

    def sql(self, text):
        return self.run(self.programs / "psql", "-XAtqc", text, "bench").stdout.strip()

    def change(self, case, number):
        rows = int(os.environ.get("HOWDAH_TEST_BENCH_PGBENCH", "200")) * 100_000
        if case.startswith("0.1"):
            self.sql(f"UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid % 1000 = {(number * 37) % 1000}")
        elif case.startswith("1 %"):
            first = (number * 17) % 90 * rows // 100
            self.sql(f"UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid BETWEEN {first} AND {first + rows // 100}")
        self.sql("CHECKPOINT")
        last = self.sql("SELECT pg_walfile_name(pg_switch_wal())")
        while self.sql(f"SELECT last_archived_wal >= '{last}' FROM pg_stat_archiver") != "t":
            time.sleep(0.1)

    def howdah_incremental(self):
        return json.loads(self.run(self.howdah, "--config", self.folder / "howdah.toml", "--output", "json", "backup", "run", "--type",
                                   "incr").stdout)["backup"]

    def pgbackrest_incremental(self):
        self.run(self.pgbackrest, "--config", self.folder / "pgbackrest.conf", "--stanza=main", "--type=incr", "backup")


def timed(work):
    """With nothing of the tool before left to be written."""
    subprocess.run(["sync"], check=True)
    began = time.monotonic()
    result = work()
    return time.monotonic() - began, result


def measure(ground, case):
    ours, theirs, reads = [], [], []
    for number in range(backup.ROUNDS + 1):
        ground.change(case, number)
        if number % 2:
            theirs.append(timed(ground.pgbackrest_incremental)[0])
        seconds, taken = timed(ground.howdah_incremental)
        if not number % 2:
            theirs.append(timed(ground.pgbackrest_incremental)[0])
        ours.append(seconds)
        reads.append((taken["bytes_read"], taken["stored_bytes"]))
        if taken["type"] != "incr" or taken["fallback"]:
            raise SystemExit(f"howdah fell back: {taken}")
    # The first of each is uncounted: its blocks are those of the case before, too.
    return ours[1:], theirs[1:], reads[1:]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--howdah", required=True, type=pathlib.Path)
    parser.add_argument("--pgbackrest", required=True)
    arguments = parser.parse_args()
    version = subprocess.run([arguments.pgbackrest, "version"], capture_output=True, text=True, check=True).stdout.strip()
    ground = Ground(arguments.howdah.resolve(), arguments.pgbackrest)
    rows = []
    try:
        ground.start()
        size = ground.load("pgbench")
        ground.full_howdah()
        ground.full_pgbackrest()
        print(f"pgbench: {size / 1e9:.2f} GB, medians of {backup.ROUNDS} rounds, {backup.WORKERS} workers", flush=True)
        for case, bound in CASES.items():
            ours, theirs, reads = measure(ground, case)
            ratio = statistics.median(theirs) / statistics.median(ours)
            print(f"{case}\n  howdah     {statistics.median(ours):6.2f} s   ({', '.join(f'{value:.2f}' for value in ours)})"
                  f"   read {statistics.median(read for read, _ in reads) / 1e6:.1f} MB, stored {statistics.median(stored for _, stored in reads) / 1e6:.2f} MB\n"
                  f"  {version:10} {statistics.median(theirs):6.2f} s   ({', '.join(f'{value:.2f}' for value in theirs)})\n"
                  f"  {ratio:.2f} times as fast (bound {bound})", flush=True)
            rows.append({"area": "incremental", "case": case, "peer": version, "ours": statistics.median(ours),
                         "theirs": statistics.median(theirs), "unit": "s", "ratio": round(ratio, 3), "bound": bound})
    finally:
        ground.stop()
    bench_rows.replace(arguments.howdah.parent / "bench.json", "incremental", rows)


if __name__ == "__main__":
    main()
