#!/usr/bin/env python3
"""libhowdah beside raw libpq, a bare hand-written pool and libpqxx: interleaved ABBA pairs on one private server.

The work is a lookup by key of a prepared statement, over a Unix socket and over TCP. Where the kernel puts the two processes makes more
of a difference (7 us) than anything that is measured here, and it keeps them there. So one caller is also measured with both placed:
"two cores", the caller on one and its server process on another, and "one core", both on the same. Rows of area `client` replace the earlier ones in
bench.json. Environment: HOWDAH_TEST_BENCH_PAIRS (120), HOWDAH_TEST_BENCH_CALLS (calls of a block, 1000).
"""

import argparse
import json
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile

import bench_rows


def programs():
    return pathlib.Path(os.environ.get("HOWDAH_PG_BIN") or sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=str)[-1])


class Server:
    """A private server that goes with its folder."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="howdah-bench-"))
        self.user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        os.chmod(self.folder, 0o711)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def run(self, *command):
        options = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}
        result = subprocess.run([str(word) for word in command], capture_output=True, text=True, cwd=self.folder, check=False, **options)
        if result.returncode:
            raise SystemExit(f"{command[0]} exited with {result.returncode}\n{result.stdout}\n{result.stderr}")

    def start(self):
        data = self.folder / "data"
        self.run(programs() / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--locale=C.UTF-8", "-N")
        options = f"-c port={self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c fsync=off"
        self.run(programs() / "pg_ctl", "-D", data, "-w", "-l", self.folder / "log", "-o", options, "start")
        sql = ("CREATE TABLE bench_item (id int PRIMARY KEY, value bigint NOT NULL);"
               "INSERT INTO bench_item SELECT i, i * 3 FROM generate_series(0, 100000) i; VACUUM ANALYZE bench_item;")
        for statement in sql.split(";"):
            if statement.strip():
                self.run(programs() / "psql", "-X", "-q", "-h", self.folder, "-p", self.port, "-U", "postgres", "-c", statement)

    def postmaster(self):
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])

    def stop(self):
        if (self.folder / "data" / "postmaster.pid").exists():
            self.run(programs() / "pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    build = pathlib.Path(parser.parse_args().build)
    pairs = os.environ.get("HOWDAH_TEST_BENCH_PAIRS", "120")
    calls = os.environ.get("HOWDAH_TEST_BENCH_CALLS", "1000")
    rows = []
    server = Server()
    try:
        server.start()
        cores = sorted(os.sched_getaffinity(0))
        placements = [("", cores, cores, "all"), (", one core", cores[:1], cores[:1], "one")]
        if len(cores) > 1:
            placements.insert(1, (", two cores", cores[:1], cores[1:2], "one"))
        for name, host in (("unix", server.folder), ("tcp", "127.0.0.1")):
            conninfo = f"host={host} port={server.port} user=postgres dbname=postgres sslmode=disable"
            for place, ours, theirs, which in placements:
                # Sessions begin as children of the postmaster and take its cores over.
                os.sched_setaffinity(server.postmaster(), theirs)
                command = [build / "tests" / "bench_client", conninfo, name + place, pairs, calls, which]
                with subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                                      preexec_fn=lambda cores=ours: os.sched_setaffinity(0, cores)) as process:
                    for line in process.stdout:
                        rows.append(json.loads(line))
                        print(line.strip(), flush=True)
                if process.returncode:
                    raise SystemExit(f"bench_client exited with {process.returncode}")
    finally:
        server.stop()
    target = build / "bench.json"
    bench_rows.replace(target, "client", rows)
    print(f"written to {target}", file=sys.stderr)


if __name__ == "__main__":
    main()
