#!/usr/bin/env python3
"""Full backup beside pgBackRest and pg_basebackup: interleaved runs on one private server, medians and ratios.

Each round runs the tools in turn, the next round in the opposite order (ABC CBA …). All write to the same disk, start with a fast
checkpoint and use two workers where they can. Howdah encrypts and waits for its WAL, pgBackRest does neither; both compress with zstd
level 1. pg_basebackup runs as it comes with --compress=client-zstd, which is level 3, and once more at level 1.
Rows of area `backup` replace the earlier ones in bench.json beside the program. Environment: HOWDAH_TEST_BENCH_ROUNDS (5),
HOWDAH_TEST_BENCH_PGBENCH (pgbench scale, 200), HOWDAH_TEST_BENCH_MARKETPLACE (marketplace scale, 4), HOWDAH_TEST_BENCH_FOLDER (where,
default /var/tmp).
"""

import argparse
import os
import pathlib
import pwd
import shutil
import statistics
import subprocess
import tempfile
import time

import bench_rows

ROUNDS = int(os.environ.get("HOWDAH_TEST_BENCH_ROUNDS", "5"))
WORKERS = 2


class Ground:
    """A private server with the tools' configurations, in a folder that goes at the end."""

    def __init__(self, howdah, pgbackrest):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="howdah-bench-", dir=os.environ.get("HOWDAH_TEST_BENCH_FOLDER", "/var/tmp")))
        self.user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        self.howdah = self.folder / "howdah"
        shutil.copy(howdah, self.howdah)
        self.pgbackrest = pgbackrest
        self.programs = pathlib.Path(os.environ.get("HOWDAH_PG_BIN") or sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=str)[-1])
        self.data = self.folder / "data"
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        os.chmod(self.folder, 0o700)

    def run(self, *command, check=True):
        options = {}
        if self.user:
            options = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": os.getgrouplist("postgres", self.user.pw_gid)}
        result = subprocess.run([str(word) for word in command], capture_output=True, text=True, cwd=self.folder,
                                env={**os.environ, "HOME": str(self.folder), "PGHOST": str(self.folder), "PGUSER": "postgres"}, **options)
        if check and result.returncode:
            raise SystemExit(f"{command[0]} exited with {result.returncode}\n{result.stdout}\n{result.stderr}")
        return result

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        if self.user:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)
        return path

    def start(self):
        self.run(self.programs / "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--data-checksums", "--locale=C.UTF-8", "-N")
        config = self.write("howdah.toml", f"""
[cluster.main]
conninfo = "host={self.folder} user=postgres"
data_directory = "{self.data}"
[repository.main]
url = "file://{self.folder}/repository"
key_file = "{self.folder}/repository.key"
[state]
directory = "{self.folder}/state"
[backup]
jobs = {WORKERS}
[log]
level = "warning"
""")
        self.run(self.howdah, "--config", config, "repo", "init")
        self.write("pgbackrest.conf", f"""
[global]
repo1-path={self.folder}/pgbackrest
log-path={self.folder}/log
lock-path={self.folder}/lock
spool-path={self.folder}/spool
process-max={WORKERS}
compress-type=zst
compress-level=1
repo1-bundle=y
repo1-block=y
start-fast=y
archive-check=n
archive-mode-check=n
repo1-retention-full=9999
log-level-console=warn
log-level-file=off
[main]
pg1-path={self.data}
pg1-socket-path={self.folder}
""")
        with open(self.data / "postgresql.auto.conf", "a", encoding="utf8") as settings:
            settings.write(f"listen_addresses = ''\nunix_socket_directories = '{self.folder}'\nshared_buffers = '1GB'\nmax_wal_size = '8GB'\n"
                           f"archive_mode = on\narchive_command = '{self.howdah} --config {config} --cluster main wal push \"%p\"'\nautovacuum = off\n")
        self.run(self.programs / "pg_ctl", "start", "-w", "-D", self.data, "-l", self.folder / "server.log")
        self.run(self.pgbackrest, "--config", self.folder / "pgbackrest.conf", "--stanza=main", "stanza-create")

    def load(self, dataset):
        self.run(self.programs / "psql", "-qc", "DROP DATABASE IF EXISTS bench")
        self.run(self.programs / "psql", "-qc", "CREATE DATABASE bench")
        if dataset == "pgbench":
            self.run(self.programs / "pgbench", "-i", "-q", "-s", os.environ.get("HOWDAH_TEST_BENCH_PGBENCH", "200"), "bench")
        else:
            self.run(self.howdah, "sample", "load", "--conninfo", f"host={self.folder} user=postgres dbname=bench", "--scale",
                     os.environ.get("HOWDAH_TEST_BENCH_MARKETPLACE", "4"))
        self.run(self.programs / "psql", "-qc", "CHECKPOINT", "bench")
        size = self.run(self.programs / "psql", "-Atc", "SELECT sum(pg_database_size(oid)) FROM pg_database").stdout
        return int(size)

    # Each tool takes one full backup; what is left of it is removed outside the measured time.
    def full_howdah(self):
        return self.run(self.howdah, "--config", self.folder / "howdah.toml", "backup", "run")

    def full_pgbackrest(self):
        return self.run(self.pgbackrest, "--config", self.folder / "pgbackrest.conf", "--stanza=main", "--type=full", "backup")

    def full_pg_basebackup(self, compression="client-zstd"):
        return self.run(self.programs / "pg_basebackup", "-D", self.folder / "basebackup", "-Ft", f"--compress={compression}", "-c", "fast")

    def full_pg_basebackup_level_1(self):
        return self.full_pg_basebackup("client-zstd:level=1")

    def clean(self):
        shutil.rmtree(self.folder / "basebackup", ignore_errors=True)
        for name in ("repository/cluster",):
            for packs in (self.folder / name).glob("main/*/pack"):
                shutil.rmtree(packs)
        for backup in (self.folder / "pgbackrest/backup/main").glob("2*F"):
            shutil.rmtree(backup)
        subprocess.run(["sync"], check=True)

    def stop(self):
        self.run(self.programs / "pg_ctl", "stop", "-m", "immediate", "-D", self.data, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def measure(ground, dataset):
    size = ground.load(dataset)
    tools = {"howdah": ground.full_howdah, "pgbackrest": ground.full_pgbackrest, "pg_basebackup": ground.full_pg_basebackup,
             "pg_basebackup level 1": ground.full_pg_basebackup_level_1}
    times = {name: [] for name in tools}
    for tool in tools.values():  # Once each uncounted: page cache and files as the counted runs find them.
        tool()
        ground.clean()
    for number in range(ROUNDS):
        order = list(tools) if number % 2 == 0 else list(reversed(tools))
        for name in order:
            began = time.monotonic()
            tools[name]()
            times[name].append(time.monotonic() - began)
            ground.clean()
    return size, {name: statistics.median(values) for name, values in times.items()}, times


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
        for dataset in ("pgbench", "marketplace"):
            size, medians, times = measure(ground, dataset)
            print(f"{dataset}: {size / 1e9:.2f} GB, medians of {ROUNDS} interleaved runs, {WORKERS} workers")
            for name, values in times.items():
                print(f"  {name:21} {medians[name]:6.2f} s   ({', '.join(f'{value:.2f}' for value in values)})")
            for peer, named, bound in (("pgbackrest", version, 1.7), ("pg_basebackup", "pg_basebackup", 3.0),
                                       ("pg_basebackup level 1", "pg_basebackup level 1", None)):
                ratio = medians[peer] / medians["howdah"]
                print(f"  {ratio:.2f} times as fast as {named}" + (f" (bound {bound})" if bound else ""))
                rows.append({"area": "backup", "case": f"full {dataset}", "peer": named, "ours": medians["howdah"], "theirs": medians[peer],
                             "unit": "s", "ratio": round(ratio, 3), "bound": bound})
    finally:
        ground.stop()
    bench_rows.replace(arguments.howdah.parent / "bench.json", "backup", rows)


if __name__ == "__main__":
    main()
