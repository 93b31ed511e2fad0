# SPDX-License-Identifier: MIT
"""
What tests of the program from outside share: running it, in a folder of their own, small data, and
TAP. Data are 8x8 pictures of bars in three directions, so that a training takes milliseconds.
"""
import fcntl
import json
import os
import pty
import random
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

SLOW = "--slow" in sys.argv  # then the slow cases alone are run, else the others alone
if SLOW:
    sys.argv.remove("--slow")
PROGRAM = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.environ["GLIA"])
SANITIZED = bool(os.environ.get("GLIA_SANITIZED"))
FOLDER = tempfile.TemporaryDirectory(prefix="glia-cli-")
HERE = FOLDER.name
TIMEOUT = 300

# A shell's background job ignores SIGINT, and so would the programs that are to be interrupted here.
signal.signal(signal.SIGINT, signal.default_int_handler)

ENV = {k: v for k, v in os.environ.items()
       if k not in ("GLIA_DATA", "NO_COLOR", "LC_ALL", "LC_CTYPE", "LANG", "TERM", "COLORTERM")}
ENV.update(HOME=HERE, XDG_CACHE_HOME=os.path.join(HERE, "cache"), TERM="xterm-256color",
           LC_ALL="C.UTF-8")

TESTS = []


class Skip(Exception):
    pass


def test(name):
    def add(function):
        TESTS.append((name, function))
        return function
    return add


def slow(function):
    """Below @test: a case that make test leaves to make test-all, since it takes long."""
    function.slow = True
    return function


def expect(condition, *what):
    if not condition:
        raise AssertionError(" ".join(str(w) for w in what))


# ---- Running the program -------------------------------------------------------------------------

class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def json(self):
        def reject(constant):
            raise AssertionError("not JSON: " + constant)
        expect(self.out.endswith("\n") and self.out.count("\n") == 1, "more than one line:",
               repr(self.out[:200]))
        value = json.loads(self.out, parse_constant=reject)
        expect(isinstance(value, dict), "not an object:", self.out[:200])
        return value


def glia(*args, code=0, env=None, stdout=subprocess.PIPE):
    """Runs it and checks the exit status."""
    done = subprocess.run([PROGRAM, *map(str, args)], cwd=HERE, env={**ENV, **(env or {})},
                          stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
                          timeout=TIMEOUT)
    out = (done.stdout or b"").decode("utf-8")
    err = done.stderr.decode("utf-8")
    expect(code is None or done.returncode == code,
           f"glia {' '.join(map(str, args))}: exit status {done.returncode}, expected {code};",
           "stderr:", err[-1000:], "stdout:", out[-300:])
    expect("Sanitizer" not in err and "runtime error" not in err, err[:3000])
    return Result(done.returncode, out, err)


# What waits for a process waits through these: a process that has died, or that never comes to it,
# fails the test at once or after PATIENCE seconds, and is ended.
PATIENCE = 120
STARTED = []


def start(*args, env=None, **how):
    """Starts it beside the test: its output and messages can be read; how: as Popen takes it."""
    how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how}
    STARTED.append(subprocess.Popen([PROGRAM, *map(str, args)], cwd=HERE,
                                    env={**ENV, **(env or {})}, **how))
    return STARTED[-1]


def give_up(process, *what):
    code = process.poll()
    process.kill()
    err = process.stderr.read().decode(errors="replace")[-1000:] if process.stderr else ""
    raise AssertionError(" ".join(map(str, what)) + " did not come: " + (
        "the process goes on without it" if code is None else f"it has ended, status {code}") +
        "; stderr: " + err)


def wait_until(condition, process, *what):
    """Until the condition is true, which what names; the process must live until then."""
    until = time.monotonic() + PATIENCE
    while not condition():
        if (process.poll() is not None and not condition()) or time.monotonic() > until:
            give_up(process, *what)
        time.sleep(0.002)


def wait_for(name, process):
    """Until the file is there."""
    wait_until(lambda: os.path.exists(path(name)), process, name)


def read_until(descriptor, condition, process, *what):
    """What comes from the descriptor, until the condition is true of it."""
    seen, until = b"", time.monotonic() + PATIENCE
    while not condition(seen):
        piece = b""
        if select.select([descriptor], [], [], max(0, until - time.monotonic()))[0]:
            try:
                piece = os.read(descriptor, 65536)
            except OSError:  # a terminal at its end, on Linux: EIO
                pass
        if not piece:
            give_up(process, *what, "(seen:", repr(seen[-500:]) + ")")
        seen += piece
    return seen


def end_of(process):
    """(exit status, stdout, stderr)"""
    try:
        out, err = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    out, err = (out or b"").decode(), (err or b"").decode()
    expect("Sanitizer" not in err and "runtime error" not in err, err[:3000])
    return process.returncode, out, err


def on_terminal(*args, env=None, columns=0, rows=24, all_there=False, code=0):
    """Runs it with stderr (or all_there) on a terminal; returns what it printed there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen([PROGRAM, *args], cwd=HERE, env={**ENV, **(env or {})},
                               stdin=subprocess.DEVNULL, stderr=theirs,
                               stdout=theirs if all_there else subprocess.DEVNULL)
    os.close(theirs)
    seen, until = b"", time.monotonic() + TIMEOUT
    while True:
        if not select.select([ours], [], [], max(0, until - time.monotonic()))[0]:
            give_up(process, "the end")
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux: EIO at the end
            break
        if not piece:
            break
        seen += piece
    os.close(ours)
    expect(process.wait(TIMEOUT) == code or code is None, "exit status", process.returncode,
           seen[-500:])
    return seen.decode("utf-8")


def path(name):
    return os.path.join(HERE, name)


def read(name):
    with open(path(name), "rb") as file:
        return file.read()


def write(name, data):
    with open(path(name), "wb") as file:
        file.write(data)


# ---- Data ----------------------------------------------------------------------------------------

SIDE = 8


def picture(label, rng):
    """A bar: lying, standing, or slanting."""
    pixels = bytearray(SIDE * SIDE)
    at = rng.randrange(1, SIDE - 1)
    for i in range(SIDE):
        row, column = [(at, i), (i, at), (i, (i + at) % SIDE)][label]
        pixels[row * SIDE + column] = rng.randrange(150, 256)
    return bytes(pixels)


def idx(dims, data):
    return struct.pack(">HBB", 0, 8, len(dims)) + struct.pack(f">{len(dims)}I", *dims) + data


def make_data(name, n_train, n_test, classes=3):
    os.makedirs(path(name))
    rng = random.Random(1)
    for prefix, n in (("train", n_train), ("t10k", n_test)):
        if n == 0:
            continue
        labels = [i % classes for i in range(n)]
        images = b"".join(picture(label % 3, rng) for label in labels)
        write(f"{name}/{prefix}-images-idx3-ubyte", idx((n, SIDE, SIDE), images))
        write(f"{name}/{prefix}-labels-idx1-ubyte", idx((n,), bytes(labels)))


def pgm(width, height, pixels):
    return b"P5 %d %d 255\n" % (width, height) + pixels

# ---- TAP -----------------------------------------------------------------------------------------

def run_tests():
    """Runs what @test collected, the slow or the other cases; ends the process with status 1 if any failed."""
    try:
        sys.exit(run_all())
    finally:
        for process in STARTED:  # a test that failed may have left one
            if process.poll() is None:
                process.kill()
                process.wait()
        FOLDER.cleanup()


def run_all():
    failed = 0
    chosen = [case for case in TESTS if getattr(case[1], "slow", False) == SLOW]
    print(f"1..{len(chosen)}")
    for number, (name, function) in enumerate(chosen, 1):
        name = name.replace("#", "\\#")
        try:
            function()
            print(f"ok {number} - {name}", flush=True)
        except Skip as why:
            print(f"ok {number} - {name} # SKIP {why}", flush=True)
        except Exception as error:  # a test that breaks is a test that fails
            failed += 1
            print(f"not ok {number} - {name}", flush=True)
            for line in f"{type(error).__name__}: {error}".split("\n"):
                print("#", line, flush=True)
    return 1 if failed else 0

