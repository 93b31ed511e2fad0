/* SPDX-License-Identifier: MIT */
/*
 * How an image is to be turned before it is shown: the orientation that cameras write into EXIF
 * (tag 0x0112), which is a TIFF of either byte order within a segment of a JPEG or a chunk of a
 * PNG. What is malformed says nothing; every place is checked against the bytes that are there.
 */
#include <libdeflate.h>
#include <string.h>

#include "image/codecs.h"

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, TYPE_LONG = 4, ENTRY_BYTES = 12 };

static uint32_t read_big(const uint8_t *bytes, size_t n)
{
    uint32_t value = 0;
    for (size_t i = 0; i < n; i++) value = value << 8 | bytes[i];
    return value;
}

static uint32_t read_either(const uint8_t *bytes, size_t n, bool is_big)
{
    if (is_big) return read_big(bytes, n);
    uint32_t value = 0;
    for (size_t i = n; i-- > 0;) value = value << 8 | bytes[i];
    return value;
}

/* Of the first folder of a TIFF. */
static unsigned orientation_in(const uint8_t *tiff, size_t n)
{
    if (n < 8 || (memcmp(tiff, "II*\0", 4) != 0 && memcmp(tiff, "MM\0*", 4) != 0))
        return GI_UPRIGHT;
    const bool is_big = tiff[0] == 'M';
    const size_t folder = read_either(tiff + 4, 4, is_big);
    if (folder > n || n - folder < 2) return GI_UPRIGHT;
    const size_t n_entries = read_either(tiff + folder, 2, is_big);
    const uint8_t *entry = tiff + folder + 2;
    for (size_t i = 0; i < n_entries && (size_t)(tiff + n - entry) >= ENTRY_BYTES;
         i++, entry += ENTRY_BYTES) {
        if (read_either(entry, 2, is_big) != TAG_ORIENTATION) continue;
        const uint32_t type = read_either(entry + 2, 2, is_big);
        if (type != TYPE_SHORT && type != TYPE_LONG) return GI_UPRIGHT;
        const uint32_t value = read_either(entry + 8, type == TYPE_SHORT ? 2 : 4, is_big);
        return value >= 1 && value <= 8 ? value : GI_UPRIGHT;
    }
    return GI_UPRIGHT;
}

/* With the word that EXIF begins with in a JPEG, and in the PNG of some programs. */
static bool has_exif_word(const uint8_t *bytes, size_t n)
{
    return n >= 6 && memcmp(bytes, "Exif\0\0", 6) == 0;
}

unsigned gi_exif_of_jpeg(const uint8_t *bytes, size_t n)
{
    enum { FILL = 0xFF, ALONE = 0x01, RST0 = 0xD0, EOI = 0xD9, SOS = 0xDA, APP1 = 0xE1 };
    size_t at = 2;
    while (at < n) {
        if (bytes[at++] != FILL) continue; /* what is between segments is passed over */
        while (at < n && bytes[at] == FILL) at++;
        if (n - at < 3) break;
        const uint8_t marker = bytes[at++];
        if (marker == SOS || marker == EOI) break;
        if (marker == 0 || marker == ALONE || (marker >= RST0 && marker < EOI)) continue;
        const size_t length = read_big(bytes + at, 2); /* of itself and what follows */
        if (length < 2 || length > n - at) break;
        if (marker == APP1 && has_exif_word(bytes + at + 2, length - 2))
            return orientation_in(bytes + at + 8, length - 8);
        at += length;
    }
    return GI_UPRIGHT;
}

unsigned gi_exif_of_png(const uint8_t *bytes, size_t n)
{
    for (size_t at = 8; at <= n && n - at >= 12;) {
        const size_t length = read_big(bytes + at, 4);
        if (length > n - at - 12) break;
        const uint8_t *type = bytes + at + 4, *data = type + 4;
        if (memcmp(type, "IEND", 4) == 0) break;
        if (memcmp(type, "eXIf", 4) == 0 &&
            libdeflate_crc32(0, type, 4 + length) == read_big(data + length, 4)) {
            const size_t word = has_exif_word(data, length) ? 6 : 0;
            return orientation_in(data + word, length - word);
        }
        at += 12 + length;
    }
    return GI_UPRIGHT;
}

bool gi_is_turned_sideways(unsigned orientation)
{
    return orientation >= 5;
}

glia_status gi_image_turn(const char *path, unsigned orientation, glia_image *image,
                          glia_error *error)
{
    if (orientation == GI_UPRIGHT) return GLIA_OK;
    const bool sideways = gi_is_turned_sideways(orientation);
    const bool from_below =
        orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    const bool from_right =
        orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    const size_t height = image->height, width = image->width, n = image->channels;
    glia_image turned;
    const glia_status status =
        gi_image_new(path, sideways ? height : width, sideways ? width : height, n, &turned, error);
    if (status) return status;
    for (size_t y = 0; y < turned.height; y++)
        for (size_t x = 0; x < turned.width; x++) {
            const size_t i = sideways ? x : y, j = sideways ? y : x;
            const size_t row = from_below ? height - 1 - i : i;
            const size_t column = from_right ? width - 1 - j : j;
            memcpy(turned.pixels + (y * turned.width + x) * n,
                   image->pixels + (row * width + column) * n, n);
        }
    glia_image_free(image);
    *image = turned;
    return GLIA_OK;
}
