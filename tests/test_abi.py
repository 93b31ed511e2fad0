#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
A program runs with a newer library than the one that it was compiled for, and with an older one: what
it prints stays the same, and no byte of its own is overwritten. The newer library is made here, of a
copy of the sources in which every struct that may grow has one field more, and a status, a setting, a
finding and a diagnosis stand at the end of their lists. Prints TAP.

Environment: GLIA_BUILD (the build folder), CC.
"""
import glob
import os
import re
import shutil
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ["GLIA_BUILD"]
CC = os.environ.get("CC", "cc").split()
GROWING = ["glia_data_params", "glia_dataset_info", "glia_finding", "glia_column_survey",
           "glia_survey", "glia_network_info", "glia_layer_info", "glia_predictor_params",
           "glia_predictor_info", "glia_machine", "glia_progress", "glia_diagnosis",
           "glia_train_result", "glia_metrics", "glia_row_source"]
FIXED = ["glia_error", "glia_table_params", "glia_image", "glia_text_count", "glia_unknown",
         "glia_dataset_entry", "glia_cell"]
SETTING = """    X(REAL, grown, "grown", TRAINING, 0, 0, 1, CLOSED, IF_SET, "X", NULL, "a newer setting") \\
"""
ROWS = "id,length,colour,kind\n" + "".join(
    f"{i},{i * 37 % 29 / 4},{['red', 'green', 'blue'][i % 3]},{['oak', 'elm'][i * 37 % 29 // 15]}\n"
    for i in range(60)) + "61,oops\n"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def replace_once(text, pattern, new):
    text, n = re.subn(pattern, new, text, flags=re.M | re.S)
    assert n == 1, f"{pattern}: found {n} times"
    return text


def grown_header(text):
    for name in GROWING:
        text = replace_once(text, r"^\} " + name + ";", r"    double grown[3];\n} " + name + ";")
    text = replace_once(text, r'(    X\(CANCELLED, "[^"]*"\))',
                        r'\1 X(GROWN, "a newer status")')
    text = replace_once(text, r'(    X\(FEW_ROWS, "[^"]*"\))', r'\1 X(GROWN, "grown")')
    return replace_once(text, r'(    X\(PLATEAU, "[^"]*"\))', r'\1 X(GROWN, "grown")')


def grow_sources(folder):
    """A copy of the project whose interface has grown; returns the folder of its header."""
    for name in os.listdir(ROOT):
        if name in ("include", "src"):
            shutil.copytree(os.path.join(ROOT, name), os.path.join(folder, name))
        elif not name.startswith((".", "build")):
            os.symlink(os.path.join(ROOT, name), os.path.join(folder, name))
    header = os.path.join(folder, "include", "glia.h")
    write(header, grown_header(read(header)))
    settings = os.path.join(folder, "src", "model", "settings_list.h")
    write(settings, replace_once(read(settings), r"^(    X\(\w+, optimizer, )", SETTING + r"\1"))
    n = 0  # what says that a struct has no padding at its end
    for path in glob.glob(os.path.join(folder, "src", "**", "*.c"), recursive=True):
        text = read(path)
        if "_Static_assert(offsetof(glia_" in text:
            write(path, replace_once(text, r"offsetof\((glia_\w+), \w+\) \+ sizeof\([^)]*\)",
                                     r"offsetof(\1, grown) + sizeof(double[3])"))
            n += 1
    assert n == 3, f"{n} assertions"
    return os.path.dirname(header)


def command(words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(" ".join(words) + ":\n" + done.stdout[-3000:] + done.stderr[-3000:])


def build_library(folder):
    """Builds the shared library alone; returns its folder."""
    build = os.path.join(folder, "build")
    command(["meson", "setup", build, folder, "-Ddebug=false", "-Doptimization=0",
             "-Dtests=disabled", "-Drsvg=disabled"])
    library = os.path.basename(os.path.realpath(os.path.join(BUILD, "src", "libglia.so")))
    command(["ninja", "-C", build, "src/" + library])
    return os.path.join(build, "src")


def compile_client(include, library, out):
    command([*CC, "-std=c17", "-O1", "-Wall", "-Wextra", "-Werror", "-I", include,
             os.path.join(ROOT, "tests", "abi_client.c"), "-o", out, "-L", library, "-lglia"])
    return out


def run(client, library, table):
    env = dict(os.environ, LD_LIBRARY_PATH=library)
    done = subprocess.run([client, table], env=env, capture_output=True, text=True)
    return f"exit status {done.returncode}\n{done.stdout}{done.stderr}"


def first_difference(a, b):
    for line, other in zip(a.splitlines(), b.splitlines()):
        if line != other:
            return f"{line!r}, not {other!r}"
    return "one is longer"


def main():
    number = failures = 0

    def check(good, name, why=""):
        nonlocal number, failures
        number += 1
        failures += not good
        print(f"{'' if good else 'not '}ok {number} - {name}")
        if not good and why:
            print("# " + why.replace("\n", "\n# "))

    text = read(os.path.join(ROOT, "include", "glia.h"))
    structs = set(re.findall(r"^\} (glia_\w+);", text, re.M))
    enums = set(re.findall(r"^typedef enum (glia_\w+)", text, re.M))
    check(structs - enums == set(GROWING + FIXED), "every struct of glia.h may grow, or is fixed",
          str((structs - enums) ^ set(GROWING + FIXED)))

    with tempfile.TemporaryDirectory(prefix="glia-abi-") as folder:
        table = os.path.join(folder, "trees.csv")
        write(table, ROWS)
        grown = os.path.join(folder, "grown")
        os.mkdir(grown)
        include = grow_sources(grown)
        newer, older = build_library(grown), os.path.join(BUILD, "src")
        old_client = compile_client(os.path.join(ROOT, "include"), older, folder + "/old")
        new_client = compile_client(include, newer, folder + "/new")
        expected = run(old_client, older, table)
        check(expected.startswith("exit status 0\n") and "metrics: 90" in expected,
              "the program runs with its own library", expected)
        for name, client, library in (("a program with a newer library", old_client, newer),
                                      ("a program with an older library", new_client, older),
                                      ("the newer program with its own", new_client, newer)):
            printed = run(client, library, table)
            check(printed == expected, name + ": prints the same",
                  first_difference(printed, expected))
    print(f"1..{number}")
    return failures != 0


if __name__ == "__main__":
    raise SystemExit(main())
