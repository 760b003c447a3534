#!/usr/bin/env python3
"""Restore, delta restore, verify and the WAL archive beside pgBackRest: interleaved on one private server, medians and ratios.

The ground is that of incremental.py: a pgbench database, both tools with two workers, zstd level 1, Howdah encrypting. A restore is also
measured beside dd, which writes as many zeros and syncs them. WAL is measured by calling the tools as the server would: a backlog of
segments pushed one call after another (both tools push ahead, pgBackRest asynchronously), one segment pushed alone, and segments fetched
one after another (both look ahead). Environment: peers.py, and HOWDAH_TEST_BENCH_SEGMENTS (200).
"""

import os
import shutil
import subprocess
import time

import peers

SEGMENTS = int(os.environ.get("HOWDAH_TEST_BENCH_SEGMENTS", "200"))


class Ground(peers.Ground):
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


def measure_restores(ground, size, version, report):
    folders = {"howdah": "restored-howdah", version: "restored-pgbackrest", "dd with fsync": "restored-dd"}

    def empty(name):
        ground.make_folder(folders[name])

    def dd():
        ground.run("dd", "if=/dev/zero", f"of={ground.folder}/restored-dd/zeros", "bs=1M", f"count={size >> 20}", "conv=fsync")

    memory = ground.peak_memory(ground.howdah, "--config", ground.folder / "howdah.toml", "restore", "--into", ground.folder / "restored-howdah",
                                "--to-backup-end")
    report.case("restore", peers.interleaved({"howdah": ground.howdah_restore, version: ground.pgbackrest_restore, "dd with fsync": dd}, empty),
                {version: 1.1, "dd with fsync": 0.9}, f"{memory / 1e6:.0f} MB of memory")
    report.case("delta restore, nothing to do",
                peers.interleaved({"howdah": lambda: ground.howdah_restore("restored-howdah", "--delta"),
                                   version: lambda: ground.pgbackrest_restore("restored-pgbackrest", "--delta")}), {version: 2.0})
    for folder in folders.values():
        shutil.rmtree(ground.folder / folder)
    report.case("verify", peers.interleaved({"howdah": lambda: ground.howdah_do("backup", "verify"), version: lambda: ground.pgbackrest_do("verify")}),
                {version: 1.5})


def measure_wal(ground, version, report):
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
    report.case("wal backlog", peers.interleaved({"howdah": lambda: each(ours), version: lambda: each(theirs)}, prepare), {version: 2.0})

    def one(name):
        prepare(name)
        for path in (fake / "pg_wal/archive_status").glob("*.ready"):
            if path.name != f"{names[0]}.ready":
                path.unlink()

    ground.write("alone.conf", (ground.folder / "pgbackrest.conf").read_text().replace(str(ground.data), str(fake)))
    alone = f"{ground.pgbackrest} --config {ground.folder}/alone.conf --stanza=main archive-push"
    def push(command):
        return lambda: ground.run("bash", "-c", f"cd {fake} && {command} pg_wal/{names[0]}")

    report.case("wal one push", peers.interleaved({"howdah": push(f"{ground.howdah} --config {config} --cluster main wal push"), version: push(alone)}, one),
                {version: 1.0})
    prepare("howdah")
    each(ours)
    each(f'{alone} "pg_wal/$f"', False)

    def before_fetch(_):
        for path in (fake / "pg_wal").glob("0*"):
            path.unlink()
        shutil.rmtree(ground.folder / "spool", ignore_errors=True)

    fetch = f'{ground.howdah} --config {config} --cluster main wal fetch "$f" "pg_wal/$f"'
    get = f'{ground.pgbackrest} --config {ground.folder}/asynchronous.conf --stanza=main archive-get "$f" "pg_wal/$f"'
    report.case("wal fetch", peers.interleaved({"howdah": lambda: each(fetch, False), version: lambda: each(get, False)}, before_fetch),
                {version: 2.0})


def measure(howdah, pgbackrest, version, report):
    ground = Ground(howdah, pgbackrest)
    try:
        ground.start()
        size = ground.load("pgbench")
        ground.full_howdah()
        ground.full_pgbackrest()
        print(f"pgbench: {size / 1e9:.2f} GB, medians of {peers.ROUNDS} rounds, {peers.WORKERS} workers, {SEGMENTS} segments", flush=True)
        measure_restores(ground, size, version, report)
        measure_wal(ground, version, report)
    finally:
        ground.stop()


if __name__ == "__main__":
    peers.main("engine", __doc__, measure)
