# SPDX-License-Identifier: MIT
"""
Writes style sheet and script of the report as C, and what allows this script in a page and no other
(Content-Security-Policy): their SHA-256. And the style of single figures: the part of the style
sheet that is about plots, with the light colours in place of variables.

usage: embed.py STYLE SCRIPT HEADER
"""
import base64
import hashlib
import re
import sys


def read(path):
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    return "\n".join(line for line in lines if "SPDX-License-Identifier" not in line) + "\n"


def figure_style(style):
    light = re.search(r":root \{(.*?)\}", style, re.S)[1]
    colours = dict(re.findall(r"(--[\w-]+):\s*([^;]+);", light))
    plots = re.search(r"/\* Plots: .*?\*/\n(.*?)/\* End of plots\. \*/", style, re.S)[1]
    rules = []
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", plots):
        # .on is what is pointed at, .h what is there to be pointed at
        kept = [s.strip() for s in selectors.split(",") if not re.search(r"\.on$|^\.h$", s.strip())]
        body = re.sub(r"var\((--[\w-]+)\)", lambda match: colours[match[1]], body)
        if kept:
            rules.append(f"{', '.join(kept)} {{ {' '.join(body.split())} }}\n")
    return "".join(rules)


def array(name, text):
    data = text.encode() + b"\0"
    rows = [", ".join(str(byte) for byte in data[i:i + 20]) for i in range(0, len(data), 20)]
    return f"static const char {name}[] = {{\n" + ",\n".join(rows) + "};\n"


def main():
    style, script = read(sys.argv[1]), read(sys.argv[2])
    assert all(ord(c) < 128 for c in style + script) and "</" not in script
    with open(sys.argv[3], "w", encoding="utf-8") as out:
        out.write("/* SPDX-License-Identifier: MIT */\n/* Made by cli/report/embed.py. */\n")
        for name, text in (("style", style), ("script", script)):
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            out.write(array("report_" + name, text))
            out.write(f'static const char report_{name}_hash[] = "sha256-{digest}";\n')
        out.write(array("report_figure_style", figure_style(style)))


main()
