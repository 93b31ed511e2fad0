/* SPDX-License-Identifier: MIT */
/*
 * Image files: PGM (P2 and P5) by hand, PNG by png.c, JPEG by jpeg.c. Whatever the file has becomes
 * grey, or red, green and blue, 8 bits each, on white, and is turned as it is to be shown.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "image/codecs.h"

enum { MAX_SIDE = 16384 };
static const size_t MAX_PIXELS = (size_t)1 << 26;

static const uint8_t png_signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

glia_status gi_image_check_size(const char *path, uint64_t width, uint64_t height,
                                glia_error *error)
{
    if (width == 0 || height == 0)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: an image of %" PRIu64 " x %" PRIu64 " pixels, expected at least 1 x 1",
                       path, width, height);
    if (width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: an image of %" PRIu64 " x %" PRIu64 " pixels, expected at most %d a "
                       "side and %zu in all; scale it down",
                       path, width, height, MAX_SIDE, MAX_PIXELS);
    return GLIA_OK;
}

glia_status gi_image_new(const char *path, size_t width, size_t height, size_t channels,
                         glia_image *out, glia_error *error)
{
    glia_image image = {.width = width, .height = height, .channels = channels};
    image.pixels = gi_alloc(width * height, channels, path, error);
    if (!image.pixels) return GLIA_NO_MEMORY;
    *out = image;
    return GLIA_OK;
}

void glia_image_free(glia_image *image)
{
    if (!image) return;
    gi_free(image->pixels);
    *image = (glia_image){0};
}

glia_status glia_image_write_png(const char *path, const uint8_t *pixels, size_t width,
                                 size_t height, glia_error *error)
{
    /* Only read. */
    const glia_image image = {
        .width = width, .height = height, .pixels = (uint8_t *)(uintptr_t)pixels};
    return glia_image_write(path, &image, error);
}

/* ---- PGM ----------------------------------------------------------------------------------- */

struct text {
    const char *path;
    const uint8_t *bytes;
    size_t n_bytes, at;
};

static bool is_space(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* White space, and comments from # to the end of the line. */
static void skip_space(struct text *text)
{
    bool comment = false;
    for (; text->at < text->n_bytes; text->at++) {
        const uint8_t byte = text->bytes[text->at];
        if (comment)
            comment = byte != '\n' && byte != '\r';
        else if (byte == '#')
            comment = true;
        else if (!is_space(byte))
            return;
    }
}

/* A decimal number, followed by white space or the end. */
static glia_status read_number(struct text *text, const char *what, uint32_t max, uint32_t *out,
                               glia_error *error)
{
    skip_space(text);
    const size_t begin = text->at;
    uint64_t value = 0;
    for (; text->at < text->n_bytes; text->at++) {
        const uint8_t byte = text->bytes[text->at];
        if (byte < '0' || byte > '9') break;
        value = value * 10 + (byte - '0');
        if (value > max)
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: byte %zu: the %s is above %lu, the most that it may be", text->path,
                           begin, what, (unsigned long)max);
    }
    if (begin == text->n_bytes)
        return gi_fail(error, GLIA_BAD_FORMAT, "%s: byte %zu: the file ends, expected the %s",
                       text->path, begin, what);
    if (text->at == begin || (text->at < text->n_bytes && !is_space(text->bytes[text->at]) &&
                              text->bytes[text->at] != '#'))
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte %zu: found 0x%02x, expected the %s as a decimal number",
                       text->path, text->at, text->bytes[text->at], what);
    *out = (uint32_t)value;
    return GLIA_OK;
}

static uint8_t to_byte(uint32_t value, uint32_t max)
{
    return (uint8_t)((value * 255 + max / 2) / max); /* max is below 2^16: no overflow */
}

/* The raster: value by value, each of 1 or 2 bytes (P5) or a decimal number (P2). */
static glia_status read_raster(struct text *text, bool plain, uint32_t max, glia_image *image,
                               glia_error *error)
{
    const size_t n = image->width * image->height, value_bytes = max < 256 ? 1 : 2;
    for (size_t i = 0; i < n; i++) {
        uint32_t value;
        if (plain) {
            const glia_status status = read_number(text, "grey value", max, &value, error);
            if (status) return status;
        } else {
            const uint8_t *at = text->bytes + text->at;
            value = value_bytes == 1 ? at[0] : (uint32_t)at[0] << 8 | at[1];
            if (value > max)
                return gi_fail(error, GLIA_BAD_FORMAT,
                               "%s: byte %zu: grey value %lu is above %lu, the most that the "
                               "header allows",
                               text->path, text->at, (unsigned long)value, (unsigned long)max);
            text->at += value_bytes;
        }
        image->pixels[i] = to_byte(value, max);
    }
    return GLIA_OK;
}

/* The header, from byte 2 on: width and height, checked, and the largest value. */
static glia_status read_pgm_header(struct text *text, bool plain, gi_image_kind *out, uint32_t *max,
                                   glia_error *error)
{
    const uint8_t *bytes = text->bytes;
    uint32_t width = 0, height = 0;
    if (text->n_bytes > 2 && !is_space(bytes[2]) && bytes[2] != '#')
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte 2: found 0x%02x, expected white space after \"P%c\"", text->path,
                       bytes[2], bytes[1]);
    glia_status status = read_number(text, "width", UINT32_MAX, &width, error);
    if (!status) status = read_number(text, "height", UINT32_MAX, &height, error);
    if (!status) status = read_number(text, "largest grey value", 65535, max, error);
    if (status) return status;
    if (*max == 0)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte %zu: the largest grey value is 0, expected 1 to 65535", text->path,
                       text->at);
    if (!plain) {
        if (text->at == text->n_bytes || !is_space(bytes[text->at]))
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: byte %zu: expected one white space and then the grey values",
                           text->path, text->at);
        text->at++;
    }
    *out = (gi_image_kind){.height = height, .width = width, .channels = 1};
    return gi_image_check_size(text->path, width, height, error);
}

static glia_status probe_pgm(const char *path, const uint8_t *bytes, size_t n_bytes,
                             gi_image_kind *out, glia_error *error)
{
    struct text text = {.path = path, .bytes = bytes, .n_bytes = n_bytes, .at = 2};
    uint32_t max;
    return read_pgm_header(&text, bytes[1] == '2', out, &max, error);
}

static glia_status parse_pgm(const char *path, const uint8_t *bytes, size_t n_bytes,
                             glia_image *out, glia_error *error)
{
    const bool plain = bytes[1] == '2';
    struct text text = {.path = path, .bytes = bytes, .n_bytes = n_bytes, .at = 2};
    uint32_t max = 0;
    gi_image_kind kind = {0};
    glia_image image = {0};
    glia_status status = read_pgm_header(&text, plain, &kind, &max, error);
    if (status) return status;

    /* Before anything is allocated: are there enough bytes? A plain value takes a digit and a space
     * but for the last. */
    const size_t n = kind.width * kind.height;
    const size_t needed = plain ? 2 * n - 1 : max < 256 ? n : 2 * n;
    if (n_bytes - text.at < needed)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte %zu: the file ends there, expected %zu bytes or more of grey "
                       "values from byte %zu on",
                       path, n_bytes, needed, text.at);
    status = gi_image_new(path, kind.width, kind.height, 1, &image, error);
    if (!status) status = read_raster(&text, plain, max, &image, error);
    if (!status) {
        while (text.at < n_bytes && is_space(bytes[text.at])) text.at++;
        if (text.at < n_bytes)
            status = gi_fail(error, GLIA_BAD_FORMAT,
                             "%s: byte %zu: more bytes after the last grey value, expected none",
                             path, text.at);
    }
    if (status)
        glia_image_free(&image);
    else
        *out = image;
    return status;
}

/* ---- Either -------------------------------------------------------------------------------- */

/* What a file is that is no PNG and no PGM, as far as its first bytes tell. */
static const char *other_kind(const uint8_t *bytes, size_t n_bytes)
{
    static const struct {
        const char *start, *name;
        size_t length;
    } kinds[] = {
        {"\xFF\xD8", "a damaged JPEG", 2},
        {"GIF8", "a GIF", 4},
        {"BM", "a BMP", 2},
        {"RIFF", "perhaps a WebP", 4},
        {"P1", "a PBM", 2},
        {"P4", "a PBM", 2},
        {"P3", "a PPM", 2},
        {"P6", "a PPM", 2},
        {"\x89PN", "a damaged PNG", 3},
        {"%PDF", "a PDF", 4},
        {"II*", "a TIFF", 3},
        {"MM", "perhaps a TIFF", 2},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (n_bytes >= kinds[i].length && memcmp(bytes, kinds[i].start, kinds[i].length) == 0)
            return kinds[i].name;
    return n_bytes == 0 ? "an empty file" : "something else";
}

enum kind { KIND_NONE, KIND_PNG, KIND_PGM, KIND_JPEG };

/* By its first bytes; else fails. */
static glia_status find_kind(const char *path, const uint8_t *bytes, size_t n_bytes, enum kind *out,
                             glia_error *error)
{
    *out = KIND_NONE;
    if (n_bytes >= sizeof png_signature && memcmp(bytes, png_signature, sizeof png_signature) == 0)
        *out = KIND_PNG;
    else if (n_bytes >= 2 && bytes[0] == 'P' && (bytes[1] == '2' || bytes[1] == '5'))
        *out = KIND_PGM;
    else if (n_bytes >= 3 && memcmp(bytes, "\xFF\xD8\xFF", 3) == 0)
        *out = KIND_JPEG;
    if (*out != KIND_NONE) return GLIA_OK;
    return gi_fail(error, GLIA_BAD_FORMAT,
                   "%s: byte 0: not a PNG, JPEG or PGM (P2, P5) image but %s; convert it to PNG",
                   path, other_kind(bytes, n_bytes));
}

/* Grey made colour. */
static glia_status make_colour(const char *path, glia_image *image, glia_error *error)
{
    glia_image colour;
    const glia_status status = gi_image_new(path, image->width, image->height, 3, &colour, error);
    if (status) return status;
    for (size_t i = 0; i < image->width * image->height; i++)
        gi_image_convert(image->pixels + i, 1, colour.pixels + 3 * i, 3);
    glia_image_free(image);
    *image = colour;
    return GLIA_OK;
}

static unsigned orientation_of(enum kind kind, const uint8_t *bytes, size_t n_bytes)
{
    return kind == KIND_JPEG  ? gi_exif_of_jpeg(bytes, n_bytes)
           : kind == KIND_PNG ? gi_exif_of_png(bytes, n_bytes)
                              : GI_UPRIGHT;
}

glia_status gi_image_parse_as(const char *path, const uint8_t *bytes, size_t n_bytes,
                              size_t channels, glia_image *out, gi_image_traits *traits,
                              glia_error *error)
{
    enum kind kind;
    glia_image image = {0};
    gi_image_traits found = {0};
    glia_status status = find_kind(path, bytes, n_bytes, &kind, error);
    if (status) return status;
    found.orientation = orientation_of(kind, bytes, n_bytes);
    if (kind == KIND_PNG)
        status = gi_png_parse(path, bytes, n_bytes, channels, &image, error);
    else if (kind == KIND_JPEG)
        status = gi_jpeg_parse(path, bytes, n_bytes, channels, &image, &found.is_odd, error);
    else
        status = parse_pgm(path, bytes, n_bytes, &image, error);
    if (!status && kind == KIND_PGM && channels == 3) status = make_colour(path, &image, error);
    if (!status) status = gi_image_turn(path, found.orientation, &image, error);
    if (status) {
        glia_image_free(&image);
        return status;
    }
    *out = image;
    if (traits) *traits = found;
    return GLIA_OK;
}

glia_status gi_image_parse(const char *path, const uint8_t *bytes, size_t n_bytes, glia_image *out,
                           glia_error *error)
{
    return gi_image_parse_as(path, bytes, n_bytes, 1, out, NULL, error);
}

glia_status gi_image_probe(const char *path, const uint8_t *bytes, size_t n_bytes,
                           gi_image_kind *out, glia_error *error)
{
    enum kind kind;
    gi_image_kind found = {0};
    glia_status status = find_kind(path, bytes, n_bytes, &kind, error);
    if (status) return status;
    if (kind == KIND_PNG)
        status = gi_png_probe(path, bytes, n_bytes, &found, error);
    else if (kind == KIND_JPEG)
        status = gi_jpeg_probe(path, bytes, n_bytes, &found, error);
    else
        status = probe_pgm(path, bytes, n_bytes, &found, error);
    if (status) return status;
    *out = found;
    if (gi_is_turned_sideways(orientation_of(kind, bytes, n_bytes)))
        *out = (gi_image_kind){found.width, found.height, found.channels};
    return GLIA_OK;
}

glia_status glia_image_read_as(const char *path, size_t channels, glia_image *out,
                               glia_error *error)
{
    if (!path || !out)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "read an image: path or out is NULL");
    if (channels != 1 && channels != 3)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "%s: %zu channels, expected 1, grey, or 3", path,
                       channels);
    gi_file file = {0};
    glia_status status = gi_file_open_input(path, &file, error);
    if (strcmp(path, "-") == 0) path = "standard input";
    if (!status) status = gi_image_parse_as(path, file.data, file.size, channels, out, NULL, error);
    gi_file_close(&file);
    return status;
}

glia_status glia_image_read(const char *path, glia_image *out, glia_error *error)
{
    return glia_image_read_as(path, 1, out, error);
}
