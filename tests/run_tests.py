#!/usr/bin/env python3
"""Runs the test executables that the build left in BUILD/tests and sums what they did.

Each executable runs in a process group of its own: units first, then scenarios, the longest first and in parts (GoogleTest's shards).
Several run at a time, because they wait for servers and disks more than they compute. A crash or a time-out is a failure and is named;
a skipped test that does not say why is a failure. The last line is "N passed, N failed", with ", N skipped" when some were.

On a disk most of a scenario's time is spent waiting for fsync. So those that are not in ON_DISK keep their servers and repositories in
memory, where there is room for them. When TMPDIR is set, everything is there.
"""

import argparse
import concurrent.futures
import contextlib
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

TIME_LIMIT = {"unit": 120, "scenario": 600}  # seconds for one executable
PARTS = {"unit": 1, "scenario": 3}
AT_ONCE = 2 * (os.cpu_count() or 1)
ON_DISK = ("scenario_cli", "scenario_demo")  # backup, archive and restore meet a real file system in every run
LONGEST = ("scenario_archive", "scenario_kill", "scenario_demo", "scenario_damage", "scenario_backup", "scenario_traps")  # begun first
MEMORY = pathlib.Path("/dev/shm")
MEMORY_NEEDED = 4 << 30  # free bytes there and in the machine: several times what the scenarios use at once


class Outcome:
    """What one executable did: counts, the names of what went wrong, and its output when that is worth showing."""

    def __init__(self, name):
        self.name, self.seconds, self.output = name, 0.0, ""
        self.passed, self.failed, self.skipped = 0, [], []


def read_report(outcome, report):
    """Counts from GoogleTest's own report, which exists only when the executable came to its end."""
    for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
        name = f"{outcome.name}: {case.get('classname')}.{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None:
            outcome.failed.append(name)
        elif skipped is not None:
            # The message is "file:line" and then, on lines of its own, the reason.
            why = " ".join(((skipped.get("message") or skipped.text or "").split("\n", 1) + [""])[1].split())
            if why:
                outcome.skipped.append(f"{name}: {why}")
            else:
                outcome.failed.append(f"{name} was skipped without a reason")
        elif case.get("status") == "run":
            outcome.passed += 1


def read_output(outcome, ending):
    """Counts from the output of an executable that did not come to its end: what it was doing is one failure more."""
    outcome.passed = len(re.findall(r"^\[       OK \] ", outcome.output, re.M))
    outcome.failed += [f"{outcome.name}: {test}" for test in re.findall(r"^\[  FAILED  \] ([^ ,]+) \(\d", outcome.output, re.M)]
    started = re.findall(r"^\[ RUN      \] (\S+)", outcome.output, re.M)
    finished = len(re.findall(r"^\[(?:       OK |  FAILED  |  SKIPPED )\] \S+ \(\d", outcome.output, re.M))
    during = started[-1] if len(started) > finished else "outside of a test"
    outcome.failed.append(f"{outcome.name}: {during}: {ending}")


def end_group(process):
    """Ends whatever is left of the process group: politely, then not."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sent)
            process.wait(10)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            pass


def run(program, part, parts, limit, environment, reports, running):
    outcome = Outcome(program.name)
    report = pathlib.Path(reports, f"{program.name}.{part}.xml")
    log = pathlib.Path(reports, f"{program.name}.{part}.log")
    environment = {**environment, "GTEST_TOTAL_SHARDS": str(parts), "GTEST_SHARD_INDEX": str(part)}
    began = time.monotonic()
    with open(log, "wb") as out:
        process = subprocess.Popen([program, f"--gtest_output=xml:{report}"], stdout=out, stderr=subprocess.STDOUT,
                                   stdin=subprocess.DEVNULL, env=environment, start_new_session=True)
        running.add(process)
        ending = ""
        try:
            status = process.wait(limit)
            if status < 0:
                ending = f"ended by signal {-status} ({signal.Signals(-status).name})"
            elif status != 0:
                ending = f"ended with exit code {status}"
        except subprocess.TimeoutExpired:
            ending = f"not done after {limit} seconds"
        end_group(process)
        running.discard(process)
    outcome.seconds = time.monotonic() - began
    outcome.output = log.read_text(errors="replace")
    if report.exists():
        read_report(outcome, report)
        if ending and not outcome.failed:
            outcome.failed.append(f"{outcome.name}: {ending} after its tests passed")
    else:
        read_output(outcome, ending or "ended without a report")
    return outcome


def whole(parts):
    """What an executable did, from what its parts did."""
    outcome = Outcome(parts[0].name)
    for part in parts:
        outcome.passed += part.passed
        outcome.failed += part.failed
        outcome.skipped += part.skipped
        outcome.seconds = max(outcome.seconds, part.seconds)
        if part.failed:
            outcome.output += part.output
    if outcome.passed + len(outcome.failed) + len(outcome.skipped) == 0:
        outcome.failed.append(f"{outcome.name}: ran no test")
    return outcome


def show(outcome):
    state = f"FAILED {len(outcome.failed)}" if outcome.failed else "ok"
    print(f"{outcome.name:<32} {outcome.passed:>4} passed  {outcome.seconds:7.1f} s  {state}", flush=True)
    for reason in outcome.skipped:
        print(f"    skipped {reason}")
    if outcome.failed:
        print("\n".join("    | " + line for line in outcome.output.splitlines()), flush=True)


def readable_by_servers(program):
    """Whether the user that servers run as when we are root can execute the program."""
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        return True
    check = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "test", "-x", str(program)]
    return subprocess.run(check, check=False).returncode == 0


def programs_for_servers(build, folder):
    """Where archive_command and its like find the programs: in the build, or copied when it lies where servers cannot go."""
    found = {}
    for variable, name in (("HOWDAH_TEST_PROGRAM", "howdah"), ("HOWDAH_TEST_HOOKS_PROGRAM", "howdah-hooks")):
        program = build / name
        if not program.exists():
            continue
        if os.geteuid() == 0 and not readable_by_servers(program):
            os.chmod(folder, 0o755)
            program = shutil.copy(program, folder)
        found[variable] = str(program)
    return found


def turn(program):
    """The longest first, so that none of them is alone at the end; the others by name."""
    return LONGEST.index(program.name) if program.name in LONGEST else len(LONGEST), program.name


def memory_available():
    """Bytes that programs can still take without swapping."""
    with open("/proc/meminfo", encoding="ascii") as lines:
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))


def memory_has_room():
    """Whether servers and programs can lie and run in memory: containers often have little there, and may not execute it."""
    try:
        facts = os.statvfs(MEMORY)
        free = min(facts.f_bavail * facts.f_frsize, memory_available())
        return os.access(MEMORY, os.W_OK) and not facts.f_flag & os.ST_NOEXEC and free >= MEMORY_NEEDED
    except (OSError, StopIteration):
        return False


def stays_on_disk(program):
    return not program.name.startswith("scenario_") or program.name in ON_DISK


def folder_for_scenarios(stack):
    """A folder in memory that everybody may write to, like /tmp, and that goes at the end; none when scenarios stay on the disk."""
    if os.environ.get("TMPDIR") or not memory_has_room():
        return None
    # A server's guardian may still be removing its own part of it.
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="howdah-tests-", dir=MEMORY, ignore_cleanup_errors=True))
    os.chmod(folder, 0o1777)
    return folder


def main():
    parser = argparse.ArgumentParser(description="Runs Howdah's tests.")
    parser.add_argument("areas", nargs="*", help="only executables whose name contains one of these")
    parser.add_argument("--build", default="build", type=pathlib.Path)
    parser.add_argument("--slower", default=1, type=int, help="multiplies the time limits, for builds that run slower")
    arguments = parser.parse_args()
    build = arguments.build.resolve()

    programs = []
    for kind in ("unit", "scenario"):
        found = sorted((p for p in (build / "tests").glob(f"{kind}_*") if p.is_file() and os.access(p, os.X_OK)), key=turn)
        programs += [(p, PARTS[kind], TIME_LIMIT[kind] * arguments.slower) for p in found
                     if not arguments.areas or any(area in p.name for area in arguments.areas)]

    outcomes, running = [], set()
    with contextlib.ExitStack() as stack:
        reports = stack.enter_context(tempfile.TemporaryDirectory(prefix="howdah-tests-"))
        on_disk = {**os.environ, **programs_for_servers(build, reports)}
        memory = folder_for_scenarios(stack)
        in_memory = {**on_disk, "TMPDIR": memory} if memory else on_disk
        print(f"scenarios: {'in memory, but on disk: ' + ', '.join(ON_DISK) if memory else 'all in ' + tempfile.gettempdir()}", flush=True)
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            waiting = [pool.submit(run, program, part, parts, limit, on_disk if stays_on_disk(program) else in_memory, reports, running)
                       for program, parts, limit in programs for part in range(parts)]
            done = {}
            try:
                for each in concurrent.futures.as_completed(waiting):
                    finished = done.setdefault(each.result().name, [])
                    finished.append(each.result())
                    if len(finished) == next(parts for program, parts, _ in programs if program.name == finished[0].name):
                        outcomes.append(whole(finished))
                        show(outcomes[-1])
            except KeyboardInterrupt:
                pool.shutdown(wait=False, cancel_futures=True)
                for process in list(running):
                    end_group(process)
                raise

    failed = [name for outcome in outcomes for name in outcome.failed]
    if not programs:
        failed.append(f"no test executable in {build / 'tests'} matches {' '.join(arguments.areas) or 'unit_* or scenario_*'}")
    skipped = sum(len(outcome.skipped) for outcome in outcomes)
    print()
    for name in failed:
        print(f"FAILED {name}")
    print(f"{sum(outcome.passed for outcome in outcomes)} passed, {len(failed)} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # What the tests start must answer to signals, also when this was started by nohup or as a job in the background.
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
