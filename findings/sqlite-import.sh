#!/bin/sh
# SPDX-License-Identifier: MIT
# sqlite3 3.40.1-2+deb12u2 (Debian 12), its .import of CSV.
# A table that .import makes has columns of type TEXT: max() compares letters, so 9 is more than 10. Empty
# cells are '' and no NULL: count() counts them, and avg() takes them for 0.
# Seen: of 10, 9 and an empty cell the maximum is 9, the mean 6.33, the count 3.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -q sqlite3=3.40.1-2+deb12u2 libsqlite3-0=3.40.1-2+deb12u2 > log 2>&1 || { cat log; exit 1; }
for package in *.deb; do dpkg -x "$package" .; done
printf 'name,x\na,10\nb,9\nc,\n' > table.csv
seen=$(LD_LIBRARY_PATH=$(dirname usr/lib/*/libsqlite3.so.0) usr/bin/sqlite3 :memory: -cmd '.mode csv' \
    -cmd '.import table.csv t' 'SELECT max(x), round(avg(x), 2), count(x), typeof(x) FROM t' |
    tr -d '\r')
echo "maximum, mean, count, type: $seen"
test "$seen" = 9,6.33,3,text
