#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the rules of the house (docs/architecture.md), which is also where the floors are read from.

usage: tests/check_floors.py STATIC_LIBRARY SHARED_LIBRARY PROGRAM_LIBRARY   (in the project's root; prints TAP)
"""
import glob
import os
import re
import shutil
import subprocess
import sys

MOST_LINES = 600  # of a file, but for tables of numbers,
TABLES = ["src/base/powers_of_five.h", "src/data/digits/digits_shapes.h"]
MOST_LINES_OF_FUNCTION = 80  # in src/

CLANG_FORMAT_MAJOR = 14  # versions disagree; the sources are formatted by this one

# What the library must not call: it neither prints nor exits nor sets the state of the process.
FORBIDDEN_CALLS = """printf vprintf fprintf vfprintf dprintf vdprintf puts fputs putchar putc fputc
    perror psignal syslog stdout stderr __printf_chk __fprintf_chk __vfprintf_chk __vprintf_chk
    __dprintf_chk exit _exit _Exit quick_exit abort __assert_fail raise kill setlocale signal sigaction
    setenv putenv srand rand random srandom strtok strerror localtime gmtime chdir umask""".split()

number = 0
failed = 0


def report(what, findings):
    global number, failed
    number += 1
    print(("not ok" if findings else "ok") + f" {number} - {what}")
    for finding in findings:
        print(f"# {finding}")
    failed += bool(findings)


def skip(what, why):
    global number
    number += 1
    print(f"ok {number} - {what} # SKIP {why}")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def sources(*folders):
    return sorted(path for folder in folders for end in ("c", "h", "cpp")
                  for path in glob.glob(f"{folder}/**/*.{end}", recursive=True))


def without_comments(text):
    """Blanks comments, strings and characters; lines stay where they are."""
    def blank(match):
        return "\n" * match.group().count("\n") or " "
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text,
                  flags=re.DOTALL)


def includes(path):
    """(line number, name, quoted) of each #include."""
    for n, line in enumerate(read(path).splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if match:
            yield n, match.group(2), match.group(1) == '"'


class Room:
    """A row of a table of docs/architecture.md: a folder, the headers that it shows to the others
    ("all", or their names), and the folders that it may use."""

    def __init__(self, cells):
        self.shows = set(re.findall(r"[\w.]+", cells[-2]))
        self.uses = set(re.findall(r"[\w/]+", cells[-1])) - {"libc"}

    def shows_header(self, name):
        return "all" in self.shows or os.path.basename(name) in self.shows


def rooms(top):
    """The table of the rooms of src/ or cli/: folder -> Room, in the order of the floors."""
    table = {}
    for line in read("docs/architecture.md").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        match = re.fullmatch(rf"`{top}/([\w/]+)/`", cells[0])
        if match and len(cells) == 4:
            table[match.group(1)] = Room(cells)
    return table


def room_of(path, top):
    return os.path.dirname(path)[len(top) + 1:]


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def check_rooms(top, library):
    """The floors of src/ or cli/: what each folder includes and calls."""
    table = rooms(top)
    folders = {room_of(path, top) for path in sources(top)} - {""}  # cli/main.c stands above all
    report(f"docs/architecture.md and {top}/ name the same folders",
           [f"only in one of them: {name}" for name in sorted(folders ^ set(table))])

    seen, order = set(), []
    for name, room in table.items():  # in the order of the table: what is used stands above
        order += [f"{name} may use {a}, which does not stand above it" for a in room.uses - seen]
        seen.add(name)
    report(f"the floors of {top}/ have no cycle", order)

    def may_use(user, used):
        return user in ("", used) or used in table[user].uses

    wrong, used, looked_into = [], set(), set()
    for path in sources(top):
        folder = room_of(path, top)
        for line, name, quoted in includes(path):
            if not os.path.exists(f"{top}/{name}"):
                if quoted and top == "src" and name not in ("glia.h", "config.h"):
                    wrong.append(f"{path}:{line}: {name} is not a path below src/")
                continue
            target = os.path.dirname(name)
            used.add((folder, target))
            if folder != target:
                looked_into.add(name)
            if not quoted:
                wrong.append(f"{path}:{line}: <{name}>: the project's own headers are quoted")
            elif not may_use(folder, target):
                wrong.append(f"{path}:{line}: {folder} may not use {target} ({name})")
            elif folder != target and not table[target].shows_header(name):
                wrong.append(f"{path}:{line}: {name} is private to {target}")
    report(f"each folder of {top}/ includes what it may, of the headers that are shown", wrong)

    wrong = []
    for path, name, definer in calls(top, library):
        user, target = room_of(path, top), room_of(definer, top)
        used.add((user, target))
        if not may_use(user, target):
            wrong.append(f"{path} calls {name} of {definer}: {user} may not use {target}")
    report(f"each folder of {top}/ calls what it may", sorted(wrong))
    report(f"the table of {top}/ says no more than is so", [
        f"{name} does not use {other}" for name, room in table.items()
        for other in sorted(room.uses) if (name, other) not in used] + [
        f"{name} shows {header}, which no other folder includes" for name, room in table.items()
        for header in sorted(room.shows - {"all", "none"})
        if f"{name}/{header}" not in looked_into])


def calls(top, library):
    """(source, name, source that defines it) of the names that the sources of top take of each other.

    Meson names an object after the path of its source, below the folder of its meson.build. A source
    that is compiled several times has several objects of one name."""
    objects = {path[len(top) + 1:].replace("/", "_") + ".o": path for path in sources(top)}
    definer, taken = {}, set()
    for line in run("nm", "-A", "-P", library).splitlines():
        match = re.match(r"\S*\[(?:\S*/)?([^\s/]+)\]: (\S+) (\w)", line)
        if not match or match.group(1) not in objects:
            continue
        path, name, kind = objects[match.group(1)], match.group(2), match.group(3)
        if kind in "Uwv":
            taken.add((path, name))
        elif kind.isupper():
            definer[name] = path
    if not definer:
        raise SystemExit(f"{library}: none of its objects has the name of a source of {top}/")
    return [(path, name, definer[name]) for path, name in sorted(taken) if name in definer]


def check_houses():
    report("oneDNN is known to src/compute/onednn*.[ch] alone", [
        f"{path}:{line}: {name}" for path in sources("include", "src", "cli", "tests", "examples")
        for line, name, _ in includes(path)
        if re.match(r"(oneapi/)?dnnl", name) and not path.startswith("src/compute/onednn")])

    wrong = []
    for path in sources("cli", "examples"):
        for line, name, quoted in includes(path):
            made = f"'{name}'" in read("cli/meson.build")  # by the build
            if (quoted or name.startswith("glia")) and name != "glia.h" and not made and \
                    not os.path.exists(os.path.join(path.split("/")[0], name)):
                wrong.append(f"{path}:{line}: {name}: only glia.h is for the library's users")
            if os.path.exists(f"src/{name}"):
                wrong.append(f"{path}:{line}: {name} is internal")
    report("cli/ and examples/ include of the library only glia.h", wrong)


def check_symbols(static_library, shared_library):
    # GNU nm: "name type value size" in POSIX form; archives add lines that end in "]:"
    wrong = set()
    for line in run("nm", "-P", "-u", static_library).splitlines():
        if line.split() and line.split()[0] in FORBIDDEN_CALLS:
            wrong.add(f"the library uses {line.split()[0]}")
    for path in sources("src"):
        text = without_comments(read(path))
        for n, line in enumerate(text.splitlines(), 1):
            match = re.search(r"(?<![\w.>])(printf|fprintf|puts|perror|exit|abort|assert)\s*\(", line)
            if match:
                wrong.add(f"{path}:{n}: {match.group(1)}")
    report("only cli/ prints, exits or changes the process", sorted(wrong))

    report("what is downloaded comes by https", [
        f"{path}:{n}: {line.strip()}" for path in sources("src")
        for n, line in enumerate(without_comments(read(path)).splitlines(), 1)
        if re.search(r'"(http|ftp)://', line)])

    wrong, member = [], ""
    for line in run("objdump", "-t", static_library).splitlines():
        if ":     file format" in line:
            member = line.split(":")[0]
        match = re.match(r"[0-9a-f]+ .{7} (\S+)\s+([0-9a-f]+) (.*)", line)
        if match and int(match.group(2), 16) > 0 and re.match(
                r"\.t?(data|bss)(?!\.rel\.ro)|\*COM\*", match.group(1)):
            wrong.append(f"{member}: {match.group(3)} in {match.group(1)}")
    wrong = [line for line in wrong if not re.search(r"memory\.c\.o: .*\ballocator in ", line)]
    report("the library has no global mutable state but the allocator", wrong)

    wrong = []
    for line in run("nm", "-P", "-g", "--defined-only", static_library).splitlines():
        fields = line.split()
        if len(fields) >= 2 and not re.match(r"(gi|glia)_", fields[0]):
            wrong.append(f"{fields[0]} ({fields[1]})")
    report("names that files share begin with gi_ or glia_", wrong)

    header = re.sub(r"^\s*#.*?(?<!\\)$", "", without_comments(read("include/glia.h")),
                    flags=re.MULTILINE | re.DOTALL)
    declared = set(re.findall(r"GLIA_API\b[^;{]*?\b(\w+)\s*\(", header))
    exported = {line.split()[0] for line in
                run("nm", "-P", "-D", "--defined-only", shared_library).splitlines()}
    report("what glia.h declares, and nothing else, is exported",
           [f"declared, not exported: {name}" for name in sorted(declared - exported)] +
           [f"exported, not declared: {name}" for name in sorted(exported - declared)] +
           [f"does not begin with glia_: {name}" for name in sorted(declared | exported)
            if not name.startswith("glia_")])


def functions(path):
    """(first line, lines) of each function: from its opening brace to its closing one."""
    begin = 0
    for n, line in enumerate(read(path).splitlines(), 1):
        if line == "{":
            begin = n
        elif line == "}" and begin:
            yield begin, n - begin + 1
            begin = 0


def check_sizes():
    report(f"no file of src/ and cli/ has more than {MOST_LINES} lines", [
        f"{path}: {lines}" for path in sources("src", "cli") if path not in TABLES
        for lines in [len(read(path).splitlines())] if lines > MOST_LINES])
    report(f"no function of src/ has more than {MOST_LINES_OF_FUNCTION} lines", [
        f"{path}:{line}: {lines}" for path in sources("src")
        for line, lines in functions(path) if lines > MOST_LINES_OF_FUNCTION])


def check_files():
    everything = sources("include", "src", "cli", "tests", "fuzz", "examples", "bench")
    scripts = [path for pattern in ("scripts/*", "tests/golden/*.py", "tests/*.sh", "*/*.py",
                                    ".ci/run", "Makefile", "meson*", "*/meson.build")
               for path in glob.glob(pattern)]
    report("every source names its licence first",
           [path for path in everything + scripts if os.path.isfile(path) and
            "SPDX-License-Identifier: MIT" not in "\n".join(read(path).splitlines()[:2])])

    listed = set()
    for folder in ("src", "cli"):
        text = read(f"{folder}/meson.build")
        listed |= {f"{folder}/{name}" for name in re.findall(r"'([\w/]+\.c)'", text)}
    there = {path for path in sources("src", "cli") if path.endswith(".c")}
    report("every source is built, and every one built is there",
           [f"only in one of meson.build and folder: {path}" for path in sorted(listed ^ there)])

    report("nothing is left to be done", [
        f"{path}:{n}: {line.strip()}" for path in everything
        for n, line in enumerate(read(path).splitlines(), 1)
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line)])

    what = "the sources are formatted"
    tool = next((name for name in (f"clang-format-{CLANG_FORMAT_MAJOR}", "clang-format")
                 if shutil.which(name)), None)
    version = re.search(r"version (\d+)", run(tool, "--version")) if tool else None
    if not version:
        skip(what, "clang-format is not installed")
    elif int(version.group(1)) != CLANG_FORMAT_MAJOR:
        skip(what, f"clang-format {version.group(1)} is here, {CLANG_FORMAT_MAJOR} is needed")
    else:
        result = subprocess.run([tool, "--dry-run", "--Werror"] + everything, capture_output=True,
                                text=True, check=False)
        report(what, sorted({line.split(":")[0] for line in result.stderr.splitlines()
                             if "clang-format-violations" in line}))


def main():
    static_library, shared_library, program_library = sys.argv[1:4]
    check_rooms("src", static_library)
    check_rooms("cli", program_library)
    check_houses()
    check_symbols(static_library, shared_library)
    check_sizes()
    check_files()
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
