# SPDX-License-Identifier: MIT
"""What the measurements share: the machine, MNIST's files, glia's answers, Markdown."""
import gzip
import json
import os
import re
import shutil
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
GLIA = os.path.join(ROOT, "build", "cli", "glia")
FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte",
         "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
PACKAGES = {"sklearn": "scikit-learn"}  # of modules that are called otherwise


def plain_environment():
    """The environment without what directs threads: as people start a program."""
    return {name: value for name, value in os.environ.items()
            if not re.match(r"(OMP|GOMP|KMP|MKL|OPENBLAS|DNNL|ONEDNN|XLA|GLIA_CPU)", name)}


def machine():
    """The CPU, in words."""
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        lines = [line.split(":", 1) for line in f if ":" in line]
    cpu = {key.strip(): value.strip() for key, value in lines}
    return "{}, family {}, model {}, {} cores".format(
        cpu.get("model name", "unknown CPU"), cpu.get("cpu family", "?"), cpu.get("model", "?"),
        len(os.sched_getaffinity(0)))


def mnist_folder():
    """Where glia looks for MNIST, first that has it."""
    places = [os.environ.get("GLIA_DATA"),
              os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
                           "glia")]
    for place in filter(None, places):
        folder = os.path.join(place, "mnist")
        if any(os.path.exists(os.path.join(folder, FILES[0] + end)) for end in ("", ".gz")):
            return folder
    return sys.exit("no MNIST: set GLIA_DATA to the folder that has mnist/, or run "
                    "'glia data fetch mnist'")


def uncompress_mnist(target):
    """Writes the four files, uncompressed, into the folder."""
    source = mnist_folder()
    os.makedirs(target)
    for name in FILES:
        path = os.path.join(source, name)
        with open(path, "rb") if os.path.exists(path) else gzip.open(path + ".gz") as f, \
                open(os.path.join(target, name), "wb") as out:
            shutil.copyfileobj(f, out)


def ask_glia(glia, *arguments, env=None):
    """What glia prints with --json; None, and its message on stderr, if it fails."""
    result = subprocess.run([glia, *map(str, arguments), "--json"], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, check=False,
                            env=env or plain_environment())
    if result.returncode != 0:
        say(f"glia {' '.join(map(str, arguments))}: {result.stderr.strip()}")
        return None
    return json.loads(result.stdout)


def say(text):
    print(text, file=sys.stderr, flush=True)


def has_module(python, module):
    found = f"import importlib.util as u, sys; sys.exit(u.find_spec('{module}') is None)"
    return os.path.exists(python) and subprocess.run([python, "-c", found],
                                                     check=False).returncode == 0


def prepare_venv(folder, wanted):
    """The Python that has the libraries, {name: modules}; missing ones are installed, if that is
    possible."""
    python = os.path.join(folder, "bin", "python")
    os.makedirs(folder, exist_ok=True)
    with open(folder.rstrip("/") + ".log", "w", encoding="utf-8") as log:
        def run(*words):
            return subprocess.run(words, stdout=log, stderr=log, check=False).returncode == 0
        if not os.path.exists(python) and not run(sys.executable, "-m", "venv", folder):
            say(f"no virtual environment ({log.name} says why), so no library from PyPI; "
                "'scripts/deps bench' installs what it needs")
            return python
        for name, modules in wanted.items():
            missing = [PACKAGES.get(module, module) for module in modules
                       if not has_module(python, module)]
            if missing:
                say(f"installing into {folder}: {' '.join(missing)}")
                if not run(python, "-m", "pip", "install", "--disable-pip-version-check", *missing):
                    say(f"no {name} ({log.name} says why)")
    return python


def median(values):
    return statistics.median(values) if values else None


def number(value, digits=0):
    return "–" if value is None else f"{value:,.{digits}f}"


def table(headings, rows):
    """Markdown: the first column is text, the others are numbers."""
    widths = [max(len(row[i]) for row in [headings, *rows]) for i in range(len(headings))]

    def line(cells):
        return "| " + " | ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(cells, widths))) + " |"
    rule = "|" + "|".join("-" * (width + 1) + (":" if i else "-")
                          for i, width in enumerate(widths)) + "|"
    return "\n".join([line(headings), rule, *map(line, rows)])


def command():
    """How this program was started, as seen from the project's root."""
    words = [os.path.relpath(os.path.abspath(sys.argv[0]), ROOT), *sys.argv[1:]]
    return " ".join(words)


def publish(text, page):
    """Prints the result, and puts it in its place in a page of the documentation."""
    text = f"`{command()}` on {machine()}\n\n{text}"
    print(text)
    if page is None:
        return
    name = os.path.basename(sys.argv[0])
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    with open(page, encoding="utf-8") as f:
        old = f.read()
    if begin not in old or end not in old:
        sys.exit(f"{page}: no lines '{begin}' and '{end}'; the result goes between them")
    with open(page, "w", encoding="utf-8") as f:
        f.write(f"{old[:old.index(begin)]}{begin}\n{text}\n{old[old.index(end):]}")
