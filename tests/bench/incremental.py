#!/usr/bin/env python3
"""Incremental backups beside pgBackRest's (block incremental, bundling): interleaved on one private server, medians and ratios.

Both tools take a full backup first. Then each round changes the pgbench database in one of three ways (one row of a thousand, spread
over the table; one per cent in one region; nothing) and both take an incremental, in turn first and second. What was changed is
checkpointed and archived before the clock starts. Environment: peers.py.
"""

import json
import os
import statistics
import time

import peers

CASES = {"0.1 % of rows, scattered": 15.0, "1 % in one region": 5.0, "idle": 3.0}


class Ground(peers.Ground):
    """Both tools with one repository each, which grow from round to round."""

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
        taken = json.loads(self.howdah_do("--output", "json", "backup", "run", "--type", "incr").stdout)["backup"]
        if taken["type"] != "incr" or taken["fallback"]:
            raise SystemExit(f"howdah fell back: {taken}")
        return taken

    def pgbackrest_incremental(self):
        self.pgbackrest_do("--type=incr", "backup")


def measure_case(ground, case, version, report):
    times, taken = {"howdah": [], version: []}, []
    for number in range(peers.ROUNDS + 1):
        ground.change(case, number)
        tools = {"howdah": ground.howdah_incremental, version: ground.pgbackrest_incremental}
        for name in list(tools) if number % 2 == 0 else reversed(tools):
            seconds, result = peers.timed(tools[name])
            times[name].append(seconds)
            if result:
                taken.append(result)
    # The first of each is uncounted: its blocks are those of the case before, too.
    read, stored = (statistics.median(each[key] for each in taken[1:]) / 1e6 for key in ("bytes_read", "stored_bytes"))
    report.case(case, {name: values[1:] for name, values in times.items()}, {version: CASES[case]}, f"read {read:.1f} MB, stored {stored:.2f} MB")


def measure(howdah, pgbackrest, version, report):
    ground = Ground(howdah, pgbackrest)
    try:
        ground.start()
        size = ground.load("pgbench")
        ground.full_howdah()
        ground.full_pgbackrest()
        print(f"pgbench: {size / 1e9:.2f} GB, medians of {peers.ROUNDS} rounds, {peers.WORKERS} workers", flush=True)
        for case in CASES:
            measure_case(ground, case, version, report)
    finally:
        ground.stop()


if __name__ == "__main__":
    peers.main("incremental", __doc__, measure)
