#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs glia into a folder of its own, then builds and runs every example against it as a stranger
# would: flags from pkg-config, with the shared and with the static library. Prints TAP.
set -u
build=$GLIA_BUILD
cc=${CC:-cc}
command -v "$cc" >/dev/null || cc=gcc
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
number=0 failures=0

check() { # description command...
    number=$((number + 1))
    description=$1
    shift
    if "$@" >"$folder/log" 2>&1; then
        echo "ok $number - $description"
    else
        echo "not ok $number - $description"
        echo "# $*"
        sed 's/^/# /' "$folder/log"
        failures=$((failures + 1))
    fi
}

check "meson install" meson install --no-rebuild --quiet -C "$build" --destdir "$folder/root"
pc=$(find "$folder/root" -name glia.pc)
check "one pkg-config file" test -f "$pc"
prefix=$(sed -n 's/^prefix=//p' "$pc")
# The files lie below a staging folder, as a packager's would; let pkg-config find them there.
sed -i "s|^prefix=.*|prefix=$folder/root$prefix|" "$pc"
PKG_CONFIG_PATH=$(dirname "$pc"):${PKG_CONFIG_PATH:-}
export PKG_CONFIG_PATH
libdir=$(pkg-config --variable=libdir glia)

check "version of pkg-config and program" sh -c \
    '"$1/bin/glia" --version | grep -qF "$(pkg-config --modversion glia)"' - "$folder/root$prefix"
check "shared library" test -e "$libdir/libglia.so"
check "its name has the interface's version" sh -c \
    'v=$(pkg-config --modversion glia) && test -e "$1/libglia.so.${v%.*}" && test ! -e "$1/libglia.so.0"' - "$libdir"
check "static library" test -e "$libdir/libglia.a"
check "header" test -f "$folder/root$prefix/include/glia.h"
check "nothing but glia.h is installed to include" test "$(ls "$folder/root$prefix/include")" = glia.h
check "manual pages" sh -c 'ls "$1"/share/man/man1/glia*.1*' - "$folder/root$prefix"

mkdir "$folder/run"
for source in examples/*.c; do
    name=$(basename "$source" .c)
    # shellcheck disable=SC2046
    check "$name: compiles, shared" "$cc" -std=c17 -Wall -Wextra -Werror "$source" \
        -o "$folder/$name-shared" $(pkg-config --cflags --libs glia) -lm
    check "$name: uses the shared library" sh -c 'ldd "$1" | grep -q libglia' - "$folder/$name-shared"
    check "$name: runs, shared" sh -c 'cd "$1" && LD_LIBRARY_PATH="$2" timeout 120 "$3"' - \
        "$folder/run" "$libdir" "$folder/$name-shared"
    # shellcheck disable=SC2046
    check "$name: compiles, static" "$cc" -std=c17 "$source" -o "$folder/$name-static" \
        $(pkg-config --cflags glia) "$libdir/libglia.a" \
        $(pkg-config --static --libs glia | sed 's/-lglia//') -lm
    check "$name: needs no shared libglia" sh -c '! ldd "$1" | grep libglia' - "$folder/$name-static"
    check "$name: runs, static" sh -c 'cd "$1" && timeout 120 "$2"' - \
        "$folder/run" "$folder/$name-static"
done
echo "1..$number"
[ "$failures" = 0 ]
