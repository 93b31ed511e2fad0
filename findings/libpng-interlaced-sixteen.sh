#!/bin/sh
# SPDX-License-Identifier: MIT
# libpng 1.6.39-2+deb12u5 (Debian 12), its simplified interface (png_image_begin_read_from_file).
# An interlaced grey PNG of 16 bits read as 8 bits (PNG_FORMAT_GRAY) has wrong pixels, and no error. The
# long way through the same library, png_set_scale_16 and png_read_image, is right; so is the same picture
# without interlacing.
# Seen: 1 21 41 / 61 81 101 / 121 141 161 is read as 121 141 161 / 61 81 101 / 61 81 101.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -q libpng-dev=1.6.39-2+deb12u5 libpng16-16=1.6.39-2+deb12u5 > log 2>&1 ||
    { cat log; exit 1; }
for package in *.deb; do dpkg -x "$package" .; done
python3 - <<'PY'
import struct
import zlib

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

def png(path, interlaced, rows):
    body = b"".join(b"\0" + struct.pack(f">{len(row)}H", *(257 * v for v in row)) for row in rows)
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 3, 16, 0, 0, 0,
                                                                  interlaced))
                + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b""))

png("plain.png", 0, [[1, 21, 41], [61, 81, 101], [121, 141, 161]])
# Adam7, its passes that are not empty: (0, 0); row 0 of columns 2; row 2 of columns 0 and 2; column 1
# of rows 0 and 2; row 1.
png("interlaced.png", 1, [[1], [41], [121, 161], [21], [141], [61, 81, 101]])
PY
cat > read.c <<'C'
#include <png.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    png_byte p[9];
    if (argc == 3) { /* the long way */
        png_bytep rows[] = {p, p + 3, p + 6};
        FILE *file = fopen(argv[1], "rb");
        png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
        png_infop info = png_create_info_struct(png);
        png_init_io(png, file);
        png_read_info(png, info);
        png_set_scale_16(png);
        png_set_interlace_handling(png);
        png_read_update_info(png, info);
        png_read_image(png, rows);
    } else {
        png_image image;
        memset(&image, 0, sizeof image);
        image.version = PNG_IMAGE_VERSION;
        if (!png_image_begin_read_from_file(&image, argv[1])) return 1;
        image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB; /* as the samples stand, not as linear light */
        image.format = PNG_FORMAT_GRAY;
        if (!png_image_finish_read(&image, NULL, p, 0, NULL)) return 1;
    }
    for (int i = 0; i < 9; i++) printf("%d%s", p[i], i < 8 ? " " : "\n");
    return 0;
}
C
lib=$(dirname usr/lib/*/libpng16.so.16)
cc -I usr/include/libpng16 -I usr/include read.c -o read "$lib/libpng16.so.16" -lz
export LD_LIBRARY_PATH="$folder/$lib"
right="1 21 41 61 81 101 121 141 161"
echo "simplified: $(./read interlaced.png), the long way: $(./read interlaced.png long)"
test "$(./read plain.png)" = "$right"
test "$(./read interlaced.png long)" = "$right"
test "$(./read interlaced.png)" = "121 141 161 61 81 101 61 81 101"
