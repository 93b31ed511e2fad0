# SPDX-License-Identifier: MIT
"""The rows that the corpus's files hold, and what a reader is expected to find in them.

Every file is written by some tool from rows that are made here, so that the expectation never comes
from reading the file. A column is a list; None is a missing cell.
"""
import datetime
import json
import os
import random

N = 60
CITIES = ["Köln", "New York", "Oslo", "São Paulo"]
LEVELS = ["high", "low", "mid"]


def people(n=N, missing=True):
    """age, height, city, member, joined, income, level: one column of each kind."""
    rng = random.Random(7)
    age = [rng.randint(18, 80) for _ in range(n)]
    height = [round(rng.gauss(1.7, 0.1), 3) for _ in range(n)]
    city = [rng.choice(CITIES) for _ in range(n)]
    member = [rng.random() < 0.4 for _ in range(n)]
    joined = [datetime.date(2015, 1, 1) + datetime.timedelta(days=rng.randint(0, 3000))
              for _ in range(n)]
    income = [round(800 + 45.5 * a + 300 * h + rng.gauss(0, 50), 2) for a, h in zip(age, height)]
    level = [LEVELS[0] if i > 3900 else LEVELS[1] if i < 3200 else LEVELS[2] for i in income]
    if missing:
        for i in (3, 17, 31, 44):
            height[i] = None
        for i in (5, 29):
            city[i] = None
    return {"age": age, "height": height, "city": city, "member": member, "joined": joined,
            "income": income, "level": level}


def measures(n=N, columns=4, seed=3):
    """x1, x2, ... and y, all numbers with fractions."""
    rng = random.Random(seed)
    table = {f"x{j + 1}": [round(rng.gauss(j, 1 + j), 4) for _ in range(n)] for j in range(columns)}
    names = list(table)
    table["y"] = [round(3 * table[names[0]][i] - table[names[-1]][i] + rng.gauss(0, 0.1), 4)
                  for i in range(n)]
    return table


def pick(table, *names):
    return {name: table[name] for name in names}


def rows_of(table):
    return [list(row) for row in zip(*table.values())]


def expected_column(values, kind=None):
    """What a column of these values is: numbers, texts, booleans or dates; or what kind says."""
    present = [v for v in values if v is not None]
    missing = len(values) - len(present)
    if kind is None:
        first = present[0]
        kind = ("boolean" if isinstance(first, bool) else
                "numbers" if isinstance(first, (int, float)) else
                "date" if isinstance(first, datetime.date) else "texts")
    column = {"kind": kind, "missing": missing}
    if kind == "numbers":
        column.update(min=min(present), max=max(present), mean=sum(present) / len(present))
    elif kind == "date":
        column["days"] = [v.timestamp() / 86400 if hasattr(v, "timestamp") else v.toordinal()
                          for v in values]  # a time with a zone counts as its time in UTC
    elif kind == "boolean":
        column["true"] = sum(map(bool, present))
    elif kind == "texts":
        counts = {}
        for v in present:
            counts[str(v)] = counts.get(str(v), 0) + 1
        column.update(different=len(counts), counts=counts)
    return column


def expected_table(table, header=True, kinds=None, classes=None, row_names=None):
    """Of a whole table. kinds: {name: kind} where it is not that of the values; classes: the column
    that is the target of a classification; row_names: the values of an unnamed first column."""
    kinds = kinds or {}
    columns = [dict(expected_column(values, kinds.get(name)), name=name if header else None)
               for name, values in table.items()]
    if row_names is not None:
        columns.insert(0, {"kind": "any", "name": None})
    expected = {"rows": len(next(iter(table.values()))), "columns": columns}
    if classes:
        counts = {}
        for v in table[classes]:
            if v is not None:
                counts[str(v)] = counts.get(str(v), 0) + 1
        expected["classes"] = counts
    return expected


class Corpus:
    """The folder that the files go to, and the list of what is expected of each."""

    def __init__(self, folder):
        self.folder = folder
        self.entries = []
        self.missing_tools = []

    def path(self, name):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def add(self, name, tool, how, expected, options=()):
        """Notes the file or folder NAME, written by a tool, as somebody said how."""
        if not os.path.exists(os.path.join(self.folder, name)):
            raise SystemExit(f"{name}: {tool} has not written it")
        self.entries.append({"file": name, "tool": tool, "how": how, "options": list(options),
                             "expected": expected})

    def save(self):
        with open(os.path.join(self.folder, "expectations.json"), "w", encoding="utf-8") as f:
            json.dump(self.entries, f, indent=1, ensure_ascii=False)
