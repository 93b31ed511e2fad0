# SPDX-License-Identifier: MIT
"""
Writes style sheet and script of the report as C, and what allows this script in a page and no other
(Content-Security-Policy): their SHA-256.

usage: embed.py STYLE SCRIPT HEADER
"""
import base64
import hashlib
import sys


def read(path):
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    return "\n".join(line for line in lines if "SPDX-License-Identifier" not in line) + "\n"


def array(name, text):
    data = text.encode() + b"\0"
    rows = [", ".join(str(byte) for byte in data[i:i + 20]) for i in range(0, len(data), 20)]
    return f"static const char {name}[] = {{\n" + ",\n".join(rows) + "};\n"


def main():
    style, script = read(sys.argv[1]), read(sys.argv[2])
    assert all(ord(c) < 128 for c in style + script) and "</" not in script
    with open(sys.argv[3], "w", encoding="utf-8") as out:
        out.write("/* SPDX-License-Identifier: MIT */\n/* Made by cli/embed.py. */\n")
        for name, text in (("style", style), ("script", script)):
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            out.write(array("report_" + name, text))
            out.write(f'static const char report_{name}_hash[] = "sha256-{digest}";\n')


main()
