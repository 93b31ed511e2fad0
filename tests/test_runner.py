#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""scripts/run_tests counts right: what crashes, ends early or says nothing is a failure. TAP."""
import contextlib
import importlib.machinery
import importlib.util
import io
import sys

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
    print(f"1..{len(CASES)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
