#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
scripts/run_tests and .ci/run count right: what crashes, ends early or says nothing is a failure. A
slow case is run with --slow, and then alone. Prints TAP.
"""
import contextlib
import importlib.machinery
import importlib.util
import io
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("run_tests", "scripts/run_tests")
run_tests = importlib.util.module_from_spec(importlib.util.spec_from_loader("run_tests", loader))
loader.exec_module(run_tests)

# what it is, what is printed, exit status, meson's word, (passed, failed, skipped)
CASES = [
    ("all good", "1..2\nok 1 - a\nok 2 - b\n", 0, "OK", (2, 0, 0)),
    ("comments and other lines", "1..1\n# a\nprinted\nok 1\n# ok - tests\n", 0, "OK", (1, 0, 0)),
    ("two groups", "1..1\nok 1\n1..2\nok 1\nok 2\n", 0, "OK", (3, 0, 0)),
    ("cmocka's way to skip", "1..2\nok 1\nnot ok 2 # SKIP b\n", 0, "OK", (1, 0, 1)),
    ("TAP's way to skip", "1..2\nok 1\nok 2 - b # SKIP no MNIST\n", 0, "OK", (1, 0, 1)),
    ("all skipped", "1..0 # SKIP no NumPy\n", 77, "SKIP", (0, 0, 1)),
    ("exit status 77 alone", "no NumPy\n", 77, "SKIP", (0, 0, 1)),
    ("a failed case", "1..2\nok 1\nnot ok 2 - b\n", 1, "FAIL", (1, 1, 0)),
    ("a failed case, exit status 0", "1..1\nnot ok 1 - b\n", 0, "OK", (0, 1, 0)),
    ("a crash half-way", "1..3\nok 1\n", -11, "FAIL", (1, 1, 0)),
    ("an end half-way", "1..3\nok 1\n", 0, "OK", (1, 1, 0)),
    ("no plan", "ok 1\n", 0, "OK", (1, 1, 0)),
    ("more than planned", "1..1\nok 1\nok 2\n", 0, "OK", (2, 1, 0)),
    ("no TAP", "hello\n", 0, "OK", (0, 1, 0)),
    ("nothing at all", "", 0, "OK", (0, 1, 0)),
    ("a leak found at the end", "1..1\nok 1\n", 99, "FAIL", (1, 1, 0)),
    ("too slow", "1..2\nok 1\n", -15, "TIMEOUT", (1, 1, 0)),
    ("bail out", "1..1\nok 1\nBail out! no disk\n", 1, "FAIL", (1, 1, 0)),
]


FAKE_MESON = """#!/bin/sh
for folder; do :; done
mkdir -p "$folder/meson-info" "$folder/meson-private"
printf '{"directories": {"source": "%s", "build": "%s"}}' "$PWD" "$PWD/$folder" > "$folder/meson-info/meson-info.json"
: > "$folder/build.ninja"
echo "$@" >> "$folder/configured"
"""


def copied_checkout():
    """A build is configured once, in a copy of the checkout anew, and nothing else of it is lost."""
    with tempfile.TemporaryDirectory() as here:
        first, copy, tools = (os.path.join(here, name) for name in ("first", "copy", "tools"))
        os.makedirs(os.path.join(first, "scripts"))
        os.makedirs(tools)
        shutil.copy("scripts/configure", os.path.join(first, "scripts"))
        with open(os.path.join(tools, "meson"), "w", encoding="utf-8") as meson:
            meson.write(FAKE_MESON)
        os.chmod(os.path.join(tools, "meson"), 0o755)
        environment = {**os.environ, "PATH": tools + ":" + os.environ["PATH"]}

        def configure(folder):
            subprocess.run(["scripts/configure", "build", "--buildtype=release"], cwd=folder,
                           env=environment, check=True, stdout=subprocess.DEVNULL)
            with open(os.path.join(folder, "build", "configured"), encoding="utf-8") as lines:
                return len(lines.readlines())

        counts = [configure(first), configure(first)]
        shutil.copytree(first, copy)
        counts += [configure(copy), configure(copy), configure(first)]
        return counts == [1, 1, 2, 2, 1], counts


FAKE_MAKE = """#!/bin/sh
[ "$1" = test ] && echo "  one          7 passed, 0 failed, 7 skipped" && echo "2 passed, 0 failed, 1 skipped"
[ "$1" = test-all ] && %s
exit 0
"""


def whole_ci():
    """The last line of .ci/run is the count of make test and make test-all, or a failure more."""
    found = []
    for second in ('echo "30 passed, 0 failed, 4 skipped"', "exit 2"):
        with tempfile.TemporaryDirectory() as here:
            os.mkdir(os.path.join(here, ".ci"))
            shutil.copy(".ci/run", os.path.join(here, ".ci"))
            make = os.path.join(here, "make")
            with open(make, "w", encoding="utf-8") as file:
                file.write(FAKE_MAKE % second)
            os.chmod(make, 0o755)
            done = subprocess.run([os.path.join(here, ".ci", "run")], text=True, check=False,
                                  env={**os.environ, "PATH": here + ":" + os.environ["PATH"]},
                                  stdout=subprocess.PIPE)
            found.append((done.stdout.splitlines()[-1], done.returncode))
    return found == [("32 passed, 0 failed, 5 skipped", 0), ("2 passed, 1 failed, 1 skipped", 1)], found


TWO_CASES = """
import harness
@harness.test("quick")
def _():
    pass
@harness.test("slow")
@harness.slow
def _():
    pass
harness.run_tests()
"""


def slow_cases():
    """What a test with a quick and a slow case prints, without --slow and with it."""
    found = [subprocess.run([sys.executable, "-c", TWO_CASES, "glia", *more], check=False, text=True,
                            env={**os.environ, "PYTHONPATH": "tests"}, stdout=subprocess.PIPE).stdout
             for more in ([], ["--slow"])]
    return found == ["1..1\nok 1 - quick\n", "1..1\nok 1 - slow\n"], found


def main():
    failed = 0
    for number, (what, stdout, code, word, expected) in enumerate(CASES, 1):
        with contextlib.redirect_stdout(io.StringIO()):
            count = run_tests.judge({"name": "glia:all / x", "stdout": stdout, "stderr": "",
                                     "returncode": code, "result": word})
        got = (count.passed, count.failed, count.skipped)
        print(("ok" if got == expected else "not ok") + f" {number} - {what}")
        if got != expected:
            failed += 1
            print(f"# (passed, failed, skipped): found {got}, expected {expected}")
    others = (copied_checkout, whole_ci, slow_cases)
    for number, check in enumerate(others, len(CASES) + 1):
        good, found = check()
        print(("ok" if good else "not ok") + f" {number} - {check.__doc__}")
        if not good:
            failed += 1
            print(f"# found {found}")
    print(f"1..{len(CASES) + len(others)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
