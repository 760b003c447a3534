#!/usr/bin/env python3
"""Full backup beside pgBackRest and pg_basebackup: interleaved runs on one private server, medians and ratios.

All write to the same disk, start with a fast checkpoint and use two workers where they can. Howdah encrypts and waits for its WAL,
pgBackRest does neither; both compress with zstd level 1. pg_basebackup runs as it comes with --compress=client-zstd, which is level 3,
and once more at level 1. Of bytes that nothing compresses both repositories lie in memory, so that the disk is not what is measured.
Environment: peers.py.
"""

import shutil

import peers


class Ground(peers.Ground):
    def basebackup(self, compression):
        return self.run(self.programs / "pg_basebackup", "-D", self.folder / "basebackup", "-Ft", f"--compress={compression}", "-c", "fast")

    def clean(self, _):
        shutil.rmtree(self.folder / "basebackup", ignore_errors=True)
        for packs in (self.repositories / "repository/cluster").glob("main/*/pack"):
            shutil.rmtree(packs)
        for backup in (self.repositories / "pgbackrest/backup/main").glob("2*F"):
            shutil.rmtree(backup)

    def stored(self):
        """Bytes of the newest backup of each of the two tools."""
        def size(folders):
            return sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())
        return (size((self.repositories / "repository/cluster").glob("main/*/pack")),
                size((self.repositories / "pgbackrest/backup/main").glob("2*F")))


def measure_set(ground, dataset, version, report):
    size = ground.load(dataset)
    tools = {"howdah": ground.full_howdah, version: ground.full_pgbackrest}
    bounds = {version: 2.0}
    if dataset != "noise":
        tools |= {"pg_basebackup": lambda: ground.basebackup("client-zstd"), "pg_basebackup level 1": lambda: ground.basebackup("client-zstd:level=1")}
        bounds |= {"pg_basebackup": 3.0, "pg_basebackup level 1": None}
    ground.full_howdah()
    ground.full_pgbackrest()
    ours, theirs = ground.stored()
    ground.clean(None)
    memory = ground.peak_memory(ground.howdah, "--config", ground.folder / "howdah.toml", "backup", "run")
    ground.clean(None)
    times = peers.interleaved(tools, settle=ground.clean)
    report.case(f"full {dataset}", times, bounds,
                f"{size / 1e9:.2f} GB; stored {ours / 1e6:.0f} MB, {100 * ours / theirs - 100:+.1f} % beside pgBackRest; {memory / 1e6:.0f} MB of memory")


def measure(howdah, pgbackrest, version, report):
    for repositories, datasets in ((None, ("pgbench", "marketplace")), ("/dev/shm", ("noise",))):
        ground = Ground(howdah, pgbackrest, repositories)
        try:
            ground.start()
            for dataset in datasets:
                measure_set(ground, dataset, version, report)
        finally:
            ground.stop()


if __name__ == "__main__":
    peers.main("backup", __doc__, measure)
