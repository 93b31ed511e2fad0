#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the examples of README.md, docs/*.md and the manual, so that they stay true. Prints TAP.

Blocks of a page run in order in one empty folder, with the glia that was built on PATH:

    ```sh           commands; each must succeed
    ```console      lines after "$ " are commands, the others what they print ("..." stands for any
                    text within a line; a line of "..." for any lines)
    ```c            a whole program is compiled and run, anything else compiled as a function's body
    ```text         not run (nor is a block without a language)

A word after the language: needs-mnist (skipped where $GLIA_DATA has none), needs-png (skipped
where the build has no libpng), not-run. Blocks of pages that need MNIST are slow: they are run with
--slow, after the other blocks of their page, which are not counted then.
Functions and files that the pages name must be in the sources.
The manual's examples are those of each command's --help, which the manual pages are made from too;
there, training is cut short (--epochs 1), and digits.safetensors and seven.png are at hand.

Environment: GLIA (the program), GLIA_BUILD (the build folder).
"""
import glob
import os
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = os.getcwd()
BUILD = os.environ["GLIA_BUILD"]
SLOW = "--slow" in sys.argv
TIMEOUT_S = 600

BODY = """#include <glia.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
void body(void);
void body(void)
{
%s
}
"""


def blocks(path):
    """(line number, language, words, text) of each fenced block."""
    fence = None
    with open(path, encoding="utf-8") as page:
        for n, line in enumerate(page, 1):
            match = re.match(r"(`{3,}|~{3,})\s*(\S*)\s*(.*)", line)
            if fence is None and match:
                fence, language, words, text, began = match[1], match[2], match[3].split(), "", n
            elif fence is not None and line.strip() == fence:
                yield began, language, words, text
                fence = None
            elif fence is not None:
                text += line


def environment(folder):
    env = dict(os.environ)
    env["PATH"] = os.path.dirname(os.environ["GLIA"]) + os.pathsep + env["PATH"]
    env["LD_LIBRARY_PATH"] = os.path.join(BUILD, "src")
    env["XDG_CACHE_HOME"] = os.path.join(folder, ".cache")
    env["PAGER"] = "cat"
    for name in ("GLIA_DATA",):
        if env.get(name):
            env[name] = os.path.abspath(env[name])
    return env


def run(command, folder, env):
    """(exit status, what it printed)"""
    try:
        result = subprocess.run(command, cwd=folder, env=env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                errors="replace", timeout=TIMEOUT_S, check=False)
        return result.returncode, result.stdout
    except subprocess.TimeoutExpired as late:
        return 124, (late.stdout or b"").decode(errors="replace") + "\nran too long\n"


def run_shell(text, folder, env):
    return run(["sh", "-euc", text], folder, env)


def run_console(text, folder, env):
    """Each command, and its output against what the page says."""
    steps = []
    for line in text.splitlines():
        if line.startswith("$ "):
            steps.append(([line[2:]], []))
        elif steps and steps[-1][0][-1].endswith("\\") and not steps[-1][1]:
            steps[-1][0].append(line.removeprefix("> "))
        elif steps:
            steps[-1][1].append(line.rstrip())
    for command, expected in steps:
        code, printed = run_shell("\n".join(command), folder, env)
        if code != 0:
            return code, printed
        pattern = "".join(
            r"(?:.*\n)*" if line == "..." else
            ".*".join(re.escape(part) for part in line.split("...")) + r"[ \t]*\n"
            for line in expected)
        if expected and not re.fullmatch(pattern, printed.rstrip("\n") + "\n"):
            return 1, "the page says:\n" + "\n".join(expected) + "\nprinted:\n" + printed
    return 0, ""


def run_c(text, folder, env):
    whole = re.search(r"\bmain\s*\(", text)
    source = os.path.join(folder, "example.c")
    with open(source, "w", encoding="utf-8") as file:
        file.write(text if whole else BODY % text)
    compiler = shlex.split(os.environ.get("CC", "cc"))
    command = compiler + ["-std=c17", "-Wall", "-Werror", f"-I{ROOT}/include", source]
    command += ["-o", "example", f"-L{BUILD}/src", "-lglia", "-lm"] if whole else [
        "-c", "-Wno-unused", "-o", "example.o"]
    code, printed = run(command, folder, env)
    if code != 0 or not whole:
        return code, printed
    return run(["./example"], folder, env)


def has_mnist():
    return bool(os.environ.get("GLIA_DATA")) and os.path.isdir(
        os.path.join(os.environ["GLIA_DATA"], "mnist"))


def has_png():
    version = run([os.environ["GLIA"], "--version"], ROOT, os.environ)[1]
    return "png" in re.sub(r".*built with:", "", version, flags=re.DOTALL)


NEEDS = {"needs-mnist": (has_mnist, "needs MNIST in $GLIA_DATA"),
         "needs-png": (has_png, "needs a build with libpng")}


class Tap:
    number = failed = 0

    def skip(self, name, why):
        self.number += 1
        print(f"ok {self.number} - {name} # SKIP {why}", flush=True)

    def report(self, name, code, printed):
        self.number += 1
        print(("ok" if code == 0 else "not ok") + f" {self.number} - {name}", flush=True)
        if code != 0:
            self.failed += 1
            print(f"# exit status {code}")
            for line in printed.splitlines()[-40:]:
                print("# " + line)


RUNNERS = {"sh": run_shell, "console": run_console, "c": run_c}


def run_page(tap, page):
    examples = [block for block in blocks(page)
                if block[1] in RUNNERS and "not-run" not in block[2]]
    if SLOW and not any("needs-mnist" in words for _, _, words, _ in examples):
        return
    with tempfile.TemporaryDirectory() as folder:
        env = environment(folder)
        for line, language, words, text in examples:
            is_slow = "needs-mnist" in words
            if is_slow and not SLOW:
                continue
            name = f"{page}:{line} ({language})"
            lacking = [why for word, (there, why) in NEEDS.items()
                       if word in words and not there()]
            if lacking and is_slow == SLOW:
                tap.skip(name, ", ".join(lacking))
            elif not lacking:
                done = RUNNERS[language](text, folder, env)
                if is_slow == SLOW:
                    tap.report(name, *done)


def run_pages(tap):
    for page in ["README.md"] + sorted(glob.glob("docs/**/*.md", recursive=True)):
        run_page(tap, page)


def manual_examples(env):
    """The commands under "Examples:" of every command's help."""
    commands = re.findall(r"^  ((?:data |runs )?[a-z]+)  ", run_shell("glia help", ROOT, env)[1],
                          re.MULTILINE)
    for command in commands:
        code, text = run_shell(f"glia {command} --help", ROOT, env)
        if code == 0 and "\nExamples:\n" in text:
            yield from re.findall(r"^  (glia .*)$", text.split("\nExamples:\n")[1], re.MULTILINE)


def run_manual(tap):
    with tempfile.TemporaryDirectory() as folder:
        env = environment(folder)
        examples = list(manual_examples(env))
        tap.report("the commands' help has examples", 0 if len(examples) >= 5 else 1,
                   "\n".join(examples))
        tap.report("what the examples need", *run_shell(
            "glia train digits --epochs 1 -o digits.safetensors", folder, env))
        tap.report("runs for the examples", *run_shell(
            "for run in first second; do glia train digits --hidden 8 --epochs 1 --run $run; done",
            folder, env))
        tap.report("a table for the examples", *run_shell(
            "printf 'size,price\\n1,3.5\\n2,4.25\\n3,6.5\\n4,7\\n5,9.5\\n' > homes.csv && "
            "glia train homes.csv --epochs 1", folder, env))
        if has_png():
            tap.report("an image for the examples", *run_shell(
                "glia data export digits --count 1 -o . && mv digits-train-*.png seven.png",
                folder, env))
        for example in examples:
            if "mnist" in example and not has_mnist():
                tap.skip(example, NEEDS["needs-mnist"][1])
            elif (".png" in example or "data export" in example) and not has_png():
                tap.skip(example, NEEDS["needs-png"][1])
            else:
                short = " --epochs 1" if example.startswith(("glia train", "glia sweep")) else ""
                tap.report(example, *run_shell(example + short, folder, env))


def run_names(tap):
    """Each `function()` and each `src/file` that a page names is in the sources."""
    sources = "".join(open(path, encoding="utf-8").read()
                      for path in glob.glob("src/**/*.[ch]", recursive=True) +
                      glob.glob("tests/*.c") + ["include/glia.h"])
    for page in sorted(glob.glob("docs/*.md")):
        names = set(re.findall(r"`(\w+)\(\)`", open(page, encoding="utf-8").read()))
        unknown = [n for n in sorted(names) if not re.search(r"\b%s\)?\(" % n, sources)]
        tap.report(f"functions that {page} names", len(unknown), "not found: " + ", ".join(unknown))
        text = open(page, encoding="utf-8").read()
        files = set(re.findall(r"`((?:src|cli|include|tests|fuzz|docs)/[\w./-]*)`", text))
        lost = [name for name in sorted(files) if not os.path.exists(name)]
        tap.report(f"files that {page} names", len(lost), "not found: " + ", ".join(lost))
    stops = re.findall(r"^\| \d+ \| `(\S+)` \| ([^|]*) \|", open("docs/reading.md", encoding="utf-8").read(),
                       re.MULTILINE)
    lost = [f"{name} in {path}" for path, names in stops for name in re.findall(r"`(\w+)", names)
            if not re.search(rf"\b{name}\b", open(path, encoding="utf-8").read())]
    tap.report("the stops of docs/reading.md are where it says", len(lost) + (len(stops) < 10),
               "not found: " + ", ".join(lost))


def main():
    tap = Tap()
    run_pages(tap)
    if not SLOW:
        run_names(tap)
        run_manual(tap)
    print(f"1..{tap.number}")
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
