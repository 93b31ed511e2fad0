#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the corpus: small valid files of many tools, and what a reader is expected to find in them.

usage: make.py FOLDER [--venv FOLDER]

Tools from PyPI are installed, in the versions below, into a virtual environment (FOLDER/.venv unless
given). Those of Debian are installed through apt where they are missing and this is root; else they
are said to be missing, and the corpus is smaller. What is written depends on the versions: others
than those below are named. FOLDER/expectations.json says what is expected; check.py compares.
"""
import argparse
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PYPI = ["numpy==2.4.6", "pandas==3.1.1", "polars==2.1.0", "pyarrow==26.0.1", "duckdb==2.0.1",
        "scikit-learn==1.9.1", "scipy==1.17.1", "xgboost==3.2.0", "liac-arff==2.5.0",
        "pillow==13.0.0", "opencv-python-headless==5.0.0.93"]
DEBIAN = {"r-base-core": "4.2.2", "r-cran-data.table": "1.14.8", "r-cran-readr": "2.1.4",
          "octave": "7.3.0", "sqlite3": "3.40.1", "postgresql-15": "15.", "gawk": "5.2.1",
          "libreoffice-calc": "7.4.7", "netpbm": "11.01"}


def say(text):
    print(text, file=sys.stderr, flush=True)


def prepare_venv(folder):
    """The Python of the virtual environment, which has the packages in their versions."""
    python = os.path.join(folder, "bin", "python")
    if not os.path.exists(python):
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *PYPI],
                   check=True)
    return python


def debian_version(package):
    found = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True,
                           text=True, check=False).stdout
    return found.split(":")[-1]


def prepare_debian():
    """Installs what is missing, where that is possible, and names other versions."""
    missing = [package for package in DEBIAN if not debian_version(package)]
    if missing and os.geteuid() == 0:
        say(f"installing {' '.join(missing)}")
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing],
                       check=False, stdout=subprocess.DEVNULL,
                       env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"))
    for package, version in DEBIAN.items():
        found = debian_version(package)
        if not found.startswith(version):
            say(f"{package}: found {found or 'none'}, expected {version}")


def write_all(folder):
    """Inside the virtual environment."""
    import arrays
    import frames
    import pictures
    import programs
    from data import Corpus
    corpus = Corpus(folder)
    for module in (frames, programs, arrays, pictures):
        module.write_all(corpus)
    corpus.save()
    for tool in corpus.missing_tools:
        say(f"no {tool}, so no files of it")
    print(f"{len(corpus.entries)} files in {folder}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--venv")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        write_all(options.folder)
        return
    os.makedirs(options.folder, exist_ok=True)
    python = prepare_venv(options.venv or os.path.join(options.folder, ".venv"))
    prepare_debian()
    os.execv(python, [python, os.path.abspath(__file__), "--inside", options.folder])


if __name__ == "__main__":
    main()
