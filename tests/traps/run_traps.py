#!/usr/bin/env python3
"""Proves that every trap is caught by its guard and by nothing else.

The guards are read from the sources: base::guard("T11.reread"). The test of a guard is the one of suite Trap with its name, dots as
underscores, in any test executable. Each runs with the guard on, where it must pass, and with HOWDAH_GUARDS_OFF naming the guard, where
it must fail by an expectation: a crash or a time-out proves nothing. Exit 1 when a row is otherwise or a guard has no test.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import run_tests  # noqa: E402

TIME_LIMIT = 300  # seconds for one run of one test
AT_ONCE = 2
WIDTH = (10, 26, 18)


def find_guards(source):
    calls = (re.findall(r'guard\("([\w.]+)"\)', path.read_text()) for path in sorted(source.glob("*/*.cpp")))
    return sorted({name for names in calls for name in names})


def find_tests(build):
    """Test name to the executables that have it, units first."""
    found = {}
    programs = sorted((build / "tests").glob("unit_*")) + sorted((build / "tests").glob("scenario_*"))
    for program in programs:
        if not program.is_file() or not os.access(program, os.X_OK):
            continue
        listed = subprocess.run([program, "--gtest_list_tests", "--gtest_filter=Trap.*"], stdout=subprocess.PIPE, text=True, check=True).stdout
        for name in re.findall(r"^  (\w+)", listed, re.M):
            found.setdefault(name, []).append(program)
    return found


def run(program, test, guard, environment, logs):
    """pass, fail, or what else happened. `guard` is the one switched off; none when empty."""
    log = logs / f"{program.name}.{test}.{'off' if guard else 'on'}.log"
    with open(log, "wb") as out:
        process = subprocess.Popen([program, f"--gtest_filter=Trap.{test}"], stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                   env={**environment, "HOWDAH_GUARDS_OFF": guard}, start_new_session=True)
        try:
            status = process.wait(TIME_LIMIT)
        except subprocess.TimeoutExpired:
            status = None
        run_tests.end_group(process)
    output = log.read_text(errors="replace")
    if status == 0 and "[  PASSED  ] 1 test" in output:
        return "pass"
    if status == 1 and "[  FAILED  ] 1 test" in output:
        return "fail"
    return "time-out" if status is None else f"exit {status}"


def main():
    parser = argparse.ArgumentParser(description="Runs every trap with its guard on and off.")
    parser.add_argument("guards", nargs="*", help="only guards whose name contains one of these")
    parser.add_argument("--build", default="build", type=pathlib.Path)
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    logs = build / "traps"
    logs.mkdir(exist_ok=True)

    tests = find_tests(build)
    guards = [name for name in find_guards(pathlib.Path("src")) if not arguments.guards or any(part in name for part in arguments.guards)]
    wrong = 0 if guards else 1
    with tempfile.TemporaryDirectory(prefix="howdah-traps-") as folder, concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        environment = {**os.environ, **run_tests.programs_for_servers(build, folder)}
        rows = []
        for guard in guards:
            test = guard.replace(".", "_")
            for program in tests.get(test, [None]):
                outcomes = [pool.submit(run, program, test, off, environment, logs) for off in ("", guard)] if program else []
                rows.append((guard, program, outcomes))
        print(" | ".join(text.ljust(width) for text, width in zip(("trap", "guard", "test"), WIDTH)) + " | guard on | guard off", flush=True)
        for guard, program, outcomes in rows:
            on, off = (outcome.result() for outcome in outcomes) if outcomes else ("no test", "no test")
            good = (on, off) == ("pass", "fail")
            wrong += not good
            columns = (guard.split(".")[0], guard, program.name if program else "-")
            print(" | ".join(text.ljust(width) for text, width in zip(columns, WIDTH)) + f" | {on:<8} | {off:<9}" + ("" if good else " WRONG"), flush=True)
    print(f"\n{len(guards)} guards, {len(rows)} rows, {wrong} wrong (outputs: {logs})")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
