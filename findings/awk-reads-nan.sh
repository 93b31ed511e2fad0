#!/bin/sh
# SPDX-License-Identifier: MIT
# gawk 1:5.2.1-2 and mawk 1.3.4.20200120-3.1 (Debian 12; either may be awk).
# The two read numbers differently: "nan" and "0x10" in a cell are 0 for gawk, which knows only +nan and
# -nan, and not-a-number and 16 for mawk. A mean that one awk spoils, the other gets wrong quietly.
# Seen: nan + 1 is 1 (gawk) and nan (mawk); 0x10 + 1 is 1 (gawk) and 17 (mawk); -nan + 1 is -nan for both.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -q gawk=1:5.2.1-2 mawk=1.3.4.20200120-3.1 libsigsegv2=2.14-1 libmpfr6=4.2.0-1 \
    libgmp10=2:6.2.1+dfsg1-1.1 > log 2>&1 || { cat log; exit 1; }
for package in *.deb; do dpkg -x "$package" .; done
for library in usr/lib/*/libmpfr.so.6 usr/lib/*/libsigsegv.so.2; do
    LD_LIBRARY_PATH=${LD_LIBRARY_PATH:-}:$folder/$(dirname "$library")
done
export LD_LIBRARY_PATH
for awk in gawk mawk; do
    printf 'nan\n0x10\n-nan\n' | usr/bin/$awk '{ print $1 + 1 }' | tr '\n' ' ' > $awk.txt
    echo "$awk: $(cat $awk.txt)"
done
test "$(cat gawk.txt)" = "1 1 -nan "
test "$(cat mawk.txt)" = "nan 17 -nan "
