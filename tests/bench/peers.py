"""The ground on which the program and its peers are timed in turn, and how what came of it is told.

Environment: HOWDAH_TEST_BENCH_ROUNDS (5), HOWDAH_TEST_BENCH_PGBENCH (pgbench scale, 200), HOWDAH_TEST_BENCH_MARKETPLACE (marketplace
scale, 4), HOWDAH_TEST_BENCH_NOISE (megabytes of random bytes, 1500), HOWDAH_TEST_BENCH_FOLDER (where, default /var/tmp).
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
    """A private server with the tools' configurations, in a folder that goes at the end; the repositories may lie elsewhere."""

    def __init__(self, howdah, pgbackrest, repositories=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="howdah-bench-", dir=os.environ.get("HOWDAH_TEST_BENCH_FOLDER", "/var/tmp")))
        self.user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        self.howdah = self.folder / "howdah"
        shutil.copy(howdah, self.howdah)
        self.pgbackrest = pgbackrest
        self.programs = pathlib.Path(os.environ.get("HOWDAH_PG_BIN") or sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=str)[-1])
        self.data = self.folder / "data"
        self.repositories = pathlib.Path(tempfile.mkdtemp(prefix="howdah-bench-", dir=repositories)) if repositories else self.folder
        for folder in {self.folder, self.repositories}:
            self.own(folder)
            os.chmod(folder, 0o700)

    def own(self, path):
        if self.user:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def options(self):
        options = {"cwd": self.folder, "env": {**os.environ, "HOME": str(self.folder), "PGHOST": str(self.folder), "PGUSER": "postgres"}}
        if self.user:
            options |= {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": os.getgrouplist("postgres", self.user.pw_gid)}
        return options

    def run(self, *command, check=True):
        result = subprocess.run([str(word) for word in command], capture_output=True, text=True, **self.options())
        if check and result.returncode:
            raise SystemExit(f"{command[0]} exited with {result.returncode}\n{result.stdout}\n{result.stderr}")
        return result

    def peak_memory(self, *command):
        """Bytes that the command had resident at most."""
        process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, **self.options())
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"{command[0]} ended with status {status}")
        return usage.ru_maxrss * 1024

    def sql(self, text, database="bench"):
        return self.run(self.programs / "psql", "-XAtqc", text, database).stdout.strip()

    def howdah_do(self, *words, check=True):
        return self.run(self.howdah, "--config", self.folder / "howdah.toml", *words, check=check)

    def pgbackrest_do(self, *words, config="pgbackrest.conf"):
        return self.run(self.pgbackrest, "--config", self.folder / config, "--stanza=main", *words)

    def full_howdah(self):
        return self.howdah_do("backup", "run")

    def full_pgbackrest(self):
        return self.pgbackrest_do("--type=full", "backup")

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        self.own(path)
        return path

    def start(self):
        self.run(self.programs / "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--data-checksums", "--locale=C.UTF-8", "-N")
        config = self.write("howdah.toml", f"""
[cluster.main]
conninfo = "host={self.folder} user=postgres"
data_directory = "{self.data}"
[repository.main]
url = "file://{self.repositories}/repository"
key_file = "{self.folder}/repository.key"
[state]
directory = "{self.folder}/state"
[backup]
jobs = {WORKERS}
[log]
level = "warning"
""")
        self.howdah_do("repo", "init")
        self.write("pgbackrest.conf", f"""
[global]
repo1-path={self.repositories}/pgbackrest
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
        self.pgbackrest_do("stanza-create")

    def load(self, dataset):
        self.sql("DROP DATABASE IF EXISTS bench", "postgres")
        self.sql("CREATE DATABASE bench", "postgres")
        if dataset == "pgbench":
            self.run(self.programs / "pgbench", "-i", "-q", "-s", os.environ.get("HOWDAH_TEST_BENCH_PGBENCH", "200"), "bench")
        elif dataset == "noise":
            self.load_noise()
        else:
            self.run(self.howdah, "sample", "load", "--conninfo", f"host={self.folder} user=postgres dbname=bench", "--scale",
                     os.environ.get("HOWDAH_TEST_BENCH_MARKETPLACE", "4"))
        self.sql("CHECKPOINT")
        return int(self.sql("SELECT sum(pg_database_size(oid)) FROM pg_database"))

    def load_noise(self):
        """Rows of a thousand random bytes, which nothing compresses."""
        self.sql("CREATE TABLE noise (bytes bytea)")
        loading = subprocess.Popen([str(self.programs / "psql"), "-Xqc", "COPY noise FROM STDIN", "bench"], stdin=subprocess.PIPE, text=True,
                                   **self.options())
        for _ in range(int(os.environ.get("HOWDAH_TEST_BENCH_NOISE", "1500"))):
            digits = os.urandom(1_000_000).hex()
            loading.stdin.write("".join(f"\\\\x{digits[at:at + 2000]}\n" for at in range(0, len(digits), 2000)))
        loading.stdin.close()
        if loading.wait():
            raise SystemExit("loading random bytes failed")

    def stop(self):
        self.run(self.programs / "pg_ctl", "stop", "-m", "immediate", "-D", self.data, check=False)
        for folder in {self.folder, self.repositories}:
            shutil.rmtree(folder, ignore_errors=True)


def timed(work):
    """Seconds and result, with nothing of the work before left to be written."""
    subprocess.run(["sync"], check=True)
    began = time.monotonic()
    result = work()
    return time.monotonic() - began, result


def interleaved(tools, prepare=None, settle=None):
    """The seconds of ROUNDS runs of each tool, in turn, the next round in the opposite order. The first round is not counted: page cache and
    files are then as the counted ones find them. `prepare(name)` goes before a run and `settle(name)` after it, unmeasured."""
    times = {name: [] for name in tools}
    for number in range(ROUNDS + 1):
        for name in list(tools) if number % 2 == 0 else reversed(tools):
            if prepare:
                prepare(name)
            times[name].append(timed(tools[name])[0])
            if settle:
                settle(name)
    return {name: values[1:] for name, values in times.items()}


class Report:
    """Prints each case and keeps its rows; the first tool of a case is ours."""

    def __init__(self, area):
        self.area = area
        self.rows = []

    def case(self, case, times, bounds, note=""):
        """`bounds`: the ratio that is wanted for a peer, by name; None: none is."""
        ours = statistics.median(next(iter(times.values())))
        print(case + (f"   ({note})" if note else ""))
        for name, values in times.items():
            median = statistics.median(values)
            ratio = f"   howdah is {median / ours:.2f} times as fast" if name in bounds else ""
            bound = f" (bound {bounds[name]})" if bounds.get(name) else ""
            print(f"  {name:21} {median:6.2f} s   ({', '.join(f'{value:.2f}' for value in values)}){ratio}{bound}", flush=True)
            if name in bounds:
                self.rows.append({"area": self.area, "case": case, "peer": name, "ours": ours, "theirs": median, "unit": "s",
                                  "ratio": round(median / ours, 3), "bound": bounds[name]})


def main(area, description, measure):
    """The program of an area: `measure(howdah, pgbackrest, version, report)`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--howdah", required=True, type=pathlib.Path)
    parser.add_argument("--pgbackrest", required=True)
    arguments = parser.parse_args()
    version = subprocess.run([arguments.pgbackrest, "version"], capture_output=True, text=True, check=True).stdout.strip()
    report = Report(area)
    measure(arguments.howdah.resolve(), arguments.pgbackrest, version, report)
    bench_rows.replace(arguments.howdah.parent / "bench.json", area, report.rows)
