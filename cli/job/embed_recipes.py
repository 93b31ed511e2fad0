# SPDX-License-Identifier: MIT
"""
Writes recipes as C: for each its name, its first comment line, which says what it is for, and its
text as it stands.

usage: embed_recipes.py HEADER RECIPE.txt...
"""
import os
import sys


def literal(text):
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{quoted}"'


def main():
    with open(sys.argv[1], "w", encoding="ascii") as out:
        out.write("/* SPDX-License-Identifier: MIT */\n/* Made by cli/job/embed_recipes.py. */\n")
        table = ""
        for path in sys.argv[2:]:
            name = os.path.splitext(os.path.basename(path))[0]
            with open(path, encoding="ascii") as file:
                text = file.read()
            first = text.splitlines()[0]
            assert first.startswith("# ") and text.endswith("\n"), path
            data = [str(byte) for byte in text.encode() + b"\0"]
            rows = [", ".join(data[i:i + 20]) for i in range(0, len(data), 20)]
            out.write(f"static const char recipe_{len(table.splitlines())}[] = {{\n" +
                      ",\n".join(rows) + "};\n")
            table += (f"    {{{literal(name)}, {literal(first[2:])}, "
                      f"recipe_{len(table.splitlines())}}},\n")
        out.write(f"#define EMBEDDED_RECIPES \\\n" + table.replace("\n", " \\\n") + "\n")


main()
