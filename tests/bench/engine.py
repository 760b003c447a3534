#!/usr/bin/env python3
"""Restore, delta restore, verify and the WAL archive beside pgBackRest: interleaved on one private server, medians and ratios.

The ground is that of incremental.py: a pgbench database, both tools with two workers, zstd level 1, Howdah encrypting. WAL is measured by
calling the tools as the server would: a backlog of segments pushed one call after another (both tools push ahead, pgBackRest
asynchronously), one segment pushed alone, and segments fetched one after another (both look ahead). Rows of area `engine` replace the
earlier ones in bench.json. Environment: as incremental.py, and HOWDAH_TEST_BENCH_SEGMENTS (200).
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import time

import backup
import bench_rows
import incremental

SEGMENTS = int(os.environ.get("HOWDAH_TEST_BENCH_SEGMENTS", "200"))
BOUNDS = {"restore": 1.1, "delta restore, nothing to do": 2.0, "verify": 1.5, "wal backlog": 2.0, "wal one push": 1.0, "wal fetch": 2.0}


class Ground(incremental.Ground):
    def howdah_do(self, *words, check=True):
        return self.run(self.howdah, "--config", self.folder / "howdah.toml", *words, check=check)

    def pgbackrest_do(self, *words, config="pgbackrest.conf"):
        return self.run(self.pgbackrest, "--config", self.folder / config, "--stanza=main", *words)

    def folder_for(self, name):
        target = self.folder / name
        shutil.rmtree(target, ignore_errors=True)
        return target

    def make_folder(self, name, mode=0o700):
        target = self.folder_for(name)
        target.mkdir()
        os.chmod(target, mode)
        if self.user:
            os.chown(target, self.user.pw_uid, self.user.pw_gid)
        return target

    def howdah_restore(self, name="restored-howdah", *more):
        self.howdah_do("restore", "--into", self.folder / name, "--to-backup-end", *more)

    def pgbackrest_restore(self, name="restored-pgbackrest", *more):
        self.pgbackrest_do(f"--pg1-path={self.folder / name}", "--type=immediate", *more, "restore")

    def segments(self, count):
        """Whole segments of random WAL, kept aside under their names in pg_wal's manner, without being archived by the server."""
        self.sql("ALTER SYSTEM SET archive_command = '/bin/true'")
        self.sql("SELECT pg_reload_conf()")
        time.sleep(1)
        aside = self.make_folder("aside")
        made = set()
        while len(made) < count:
            self.sql("UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid % 97 = 5")
            self.sql("SELECT pg_switch_wal()")
            current = self.sql("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")
            for path in sorted((self.data / "pg_wal").glob("0" * 7 + "[0-9A-F]*")):
                if len(path.name) == 24 and path.name < current and path.name not in made and len(made) < count:
                    shutil.copy2(path, aside / path.name)
                    made.add(path.name)
        return aside, sorted(made)


def rounds(ground, ours, theirs, prepare=None):
    times = {"ours": [], "theirs": []}
    for number in range(backup.ROUNDS + 1):
        order = [("ours", ours), ("theirs", theirs)]
        for name, work in order if number % 2 == 0 else reversed(order):
            if prepare:
                prepare(name)
            subprocess.run(["sync"], check=True)
            began = time.monotonic()
            work()
            times[name].append(time.monotonic() - began)
    return times["ours"][1:], times["theirs"][1:]


def measure_restores(ground, result):
    def empty(name):
        ground.make_folder("restored-howdah" if name == "ours" else "restored-pgbackrest")

    result("restore", *rounds(ground, ground.howdah_restore, ground.pgbackrest_restore, empty))
    result("delta restore, nothing to do",
           *rounds(ground, lambda: ground.howdah_restore("restored-howdah", "--delta"),
                   lambda: ground.pgbackrest_restore("restored-pgbackrest", "--delta")))
    for name in ("restored-howdah", "restored-pgbackrest"):
        shutil.rmtree(ground.folder / name)
    result("verify", *rounds(ground, lambda: ground.howdah_do("backup", "verify"), lambda: ground.pgbackrest_do("verify")))


def measure_wal(ground, result):
    aside, names = ground.segments(SEGMENTS)
    fake = ground.make_folder("fake")

    def prepare(name):
        """A data directory with nothing but the segments, all of them ready, and empty archives."""
        shutil.rmtree(fake)
        (fake / "pg_wal/archive_status").mkdir(parents=True)
        (fake / "global").mkdir()
        shutil.copy2(ground.data / "global/pg_control", fake / "global/pg_control")
        shutil.copy2(ground.data / "PG_VERSION", fake / "PG_VERSION")
        for segment in names:
            os.link(aside / segment, fake / "pg_wal" / segment)
            (fake / "pg_wal/archive_status" / f"{segment}.ready").touch()
        subprocess.run(["chown", "-R", "postgres", str(fake)], check=True)
        subprocess.run(["chmod", "-R", "go-rwx", str(fake)], check=True)
        for folder in ("repository/cluster", "state", "pgbackrest/archive", "spool"):
            for old in (ground.folder / folder).glob("**/*"):
                if old.is_file() and any(segment in old.name for segment in names):
                    old.unlink()

    def each(command, done=True):
        script = "cd {} || exit 1\nfor f in {}; do\n{} || exit 1\n{}done\n".format(
            fake, " ".join(names), command, 'mv "pg_wal/archive_status/$f.ready" "pg_wal/archive_status/$f.done"\n' if done else "")
        ground.run("bash", "-c", script)

    config = ground.folder / "howdah.toml"
    ground.write("asynchronous.conf", (ground.folder / "pgbackrest.conf").read_text().replace("[main]", "archive-async=y\n[main]").replace(
        str(ground.data), str(fake)))
    ours = f'{ground.howdah} --config {config} --cluster main wal push "pg_wal/$f"'
    theirs = f'{ground.pgbackrest} --config {ground.folder}/asynchronous.conf --stanza=main archive-push "pg_wal/$f"'
    result("wal backlog", *rounds(ground, lambda: each(ours), lambda: each(theirs), prepare))

    def one(name):
        prepare(name)
        for path in (fake / "pg_wal/archive_status").glob("*.ready"):
            if path.name != f"{names[0]}.ready":
                path.unlink()

    ground.write("alone.conf", (ground.folder / "pgbackrest.conf").read_text().replace(str(ground.data), str(fake)))
    alone = f"{ground.pgbackrest} --config {ground.folder}/alone.conf --stanza=main archive-push"
    result("wal one push", *rounds(ground, lambda: ground.run("bash", "-c", f"cd {fake} && {ground.howdah} --config {config} --cluster main wal push pg_wal/{names[0]}"),
                                   lambda: ground.run("bash", "-c", f"cd {fake} && {alone} pg_wal/{names[0]}"), one))
    prepare("ours")
    each(ours)
    each(f'{alone} "pg_wal/$f"', False)

    def before_fetch(_):
        for path in (fake / "pg_wal").glob("0*"):
            path.unlink()
        shutil.rmtree(ground.folder / "spool", ignore_errors=True)

    result("wal fetch", *rounds(
        ground, lambda: each(f'{ground.howdah} --config {config} --cluster main wal fetch "$f" "pg_wal/$f"', False),
        lambda: each(f'{ground.pgbackrest} --config {ground.folder}/asynchronous.conf --stanza=main archive-get "$f" "pg_wal/$f"', False),
        before_fetch))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--howdah", required=True, type=pathlib.Path)
    parser.add_argument("--pgbackrest", required=True)
    arguments = parser.parse_args()
    version = subprocess.run([arguments.pgbackrest, "version"], capture_output=True, text=True, check=True).stdout.strip()
    ground = Ground(arguments.howdah.resolve(), arguments.pgbackrest)
    rows = []

    def result(case, ours, theirs):
        ratio = statistics.median(theirs) / statistics.median(ours)
        print(f"{case}\n  howdah     {statistics.median(ours):6.2f} s   ({', '.join(f'{value:.2f}' for value in ours)})\n"
              f"  {version:10} {statistics.median(theirs):6.2f} s   ({', '.join(f'{value:.2f}' for value in theirs)})\n"
              f"  {ratio:.2f} times as fast (bound {BOUNDS[case]})", flush=True)
        rows.append({"area": "engine", "case": case, "peer": version, "ours": statistics.median(ours), "theirs": statistics.median(theirs),
                     "unit": "s", "ratio": round(ratio, 3), "bound": BOUNDS[case]})

    try:
        ground.start()
        size = ground.load("pgbench")
        ground.full_howdah()
        ground.full_pgbackrest()
        print(f"pgbench: {size / 1e9:.2f} GB, medians of {backup.ROUNDS} rounds, {backup.WORKERS} workers, {SEGMENTS} segments", flush=True)
        measure_restores(ground, result)
        measure_wal(ground, result)
    finally:
        ground.stop()
    bench_rows.replace(arguments.howdah.parent / "bench.json", "engine", rows)


if __name__ == "__main__":
    main()
