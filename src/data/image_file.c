/* SPDX-License-Identifier: MIT */
/*
 * Image files: PNG through libpng's simplified interface, PGM (P2 and P5) by hand, JPEG by jpeg.c.
 * Whatever the file has becomes grey, or red, green and blue, 8 bits each, on white.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "config.h"
#include "data/readers.h"

#ifdef GLIA_HAS_PNG
#include <png.h>
#endif

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

/* ---- PNG ----------------------------------------------------------------------------------- */

#ifdef GLIA_HAS_PNG

static bool is_white(const glia_image *image)
{
    const size_t n = image->width * image->height * image->channels;
    size_t i = 0;
    while (i < n && image->pixels[i] == 255) i++;
    return i == n;
}

static glia_status fail_png(const char *path, const png_image *png, glia_error *error)
{
    if (strstr(png->message, "memory"))
        return gi_fail(error, GLIA_NO_MEMORY, "%s: %s", path, png->message);
    return gi_fail(error, GLIA_BAD_FORMAT, "%s: the PNG image is damaged or cut short (libpng: %s)",
                   path, png->message);
}

/* Reads what stands before the pixels; png is to be freed in any case. */
static glia_status begin_png(const char *path, const uint8_t *bytes, size_t n_bytes, png_image *png,
                             glia_error *error)
{
    *png = (png_image){.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_memory(png, bytes, n_bytes)) return fail_png(path, png, error);
    const glia_status status = gi_image_check_size(path, png->width, png->height, error);
    if (status) return status;
    /* A row takes at least a bit a pixel, and deflate shrinks by 1032 at most. */
    if (((uint64_t)png->width + 7) / 8 * png->height / 1032 > n_bytes)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte 16: the header claims %lu x %lu pixels, more than %zu bytes can "
                       "hold",
                       path, (unsigned long)png->width, (unsigned long)png->height, n_bytes);
    /* Without this flag, 16-bit values of a file that does not say so are taken for linear. */
    png->flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
    return GLIA_OK;
}

static glia_status probe_png(const char *path, const uint8_t *bytes, size_t n_bytes,
                             gi_image_kind *out, glia_error *error)
{
    png_image png;
    const glia_status status = begin_png(path, bytes, n_bytes, &png, error);
    if (!status)
        *out = (gi_image_kind){.height = png.height,
                               .width = png.width,
                               .channels = png.format & PNG_FORMAT_FLAG_COLOR ? 3 : 1};
    png_image_free(&png);
    return status;
}

/* Reads the pixels of an image that was begun, on a ground. */
static glia_status finish_png(const char *path, png_image *png, png_byte ground, glia_image *image,
                              glia_error *error)
{
    const png_color background = {ground, ground, ground};
    png->format = image->channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    if (png_image_finish_read(png, &background, image->pixels,
                              (png_int_32)(image->width * image->channels), NULL))
        return GLIA_OK;
    return fail_png(path, png, error);
}

static glia_status parse_png(const char *path, const uint8_t *bytes, size_t n_bytes,
                             size_t channels, glia_image *out, glia_error *error)
{
    glia_image image = {0};
    png_image png;
    glia_status status = begin_png(path, bytes, n_bytes, &png, error);
    const bool has_alpha = png.format & PNG_FORMAT_FLAG_ALPHA;
    if (!status) status = gi_image_new(path, png.width, png.height, channels, &image, error);
    if (!status) status = finish_png(path, &png, 255, &image, error);
    png_image_free(&png);
    if (!status && has_alpha &&
        is_white(&image)) { /* light ink on a transparent ground: on black */
        status = begin_png(path, bytes, n_bytes, &png, error);
        if (!status) status = finish_png(path, &png, 0, &image, error);
        png_image_free(&png);
    }
    if (status)
        glia_image_free(&image);
    else
        *out = image;
    return status;
}

glia_status glia_image_write(const char *path, const glia_image *image, glia_error *error)
{
    if (!path || !image || !image->pixels)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "write a PNG: path or pixels is NULL");
    const size_t width = image->width, height = image->height;
    const size_t channels = image->channels == 3 ? 3 : 1;
    if (width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE ||
        width * height > MAX_PIXELS)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "%s: an image of %zu x %zu pixels, expected 1 to %d a side and at most %zu "
                       "in all",
                       path, width, height, MAX_SIDE, MAX_PIXELS);
    png_image png = {
        .version = PNG_IMAGE_VERSION,
        .width = (png_uint_32)width,
        .height = (png_uint_32)height,
        .format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY,
    };
    glia_status status = GLIA_OK;
    png_alloc_size_t n_bytes = PNG_IMAGE_PNG_SIZE_MAX(png); /* an upper bound */
    uint8_t *bytes = gi_alloc(n_bytes, 1, path, error);
    if (!bytes) return GLIA_NO_MEMORY;
    if (!png_image_write_to_memory(&png, bytes, &n_bytes, 0, image->pixels,
                                   (png_int_32)(width * channels), NULL)) {
        status = gi_fail(error, GLIA_NO_MEMORY, "%s: libpng: %s", path, png.message);
    } else {
        gi_writer writer;
        status = gi_writer_open(&writer, path, error);
        writer.unsynced = true;
        if (!status) status = gi_writer_write(&writer, bytes, n_bytes, error);
        status = gi_writer_close(&writer, status, error);
    }
    png_image_free(&png);
    gi_free(bytes);
    return status;
}

#else

static glia_status no_png(const char *path, glia_error *error)
{
    return gi_fail(error, GLIA_UNSUPPORTED,
                   "%s: this build of glia has no PNG (it was built without libpng); use PGM, or a "
                   "build with libpng",
                   path);
}

static glia_status probe_png(const char *path, const uint8_t *bytes, size_t n_bytes,
                             gi_image_kind *out, glia_error *error)
{
    (void)bytes;
    (void)n_bytes;
    (void)out;
    return no_png(path, error);
}

static glia_status parse_png(const char *path, const uint8_t *bytes, size_t n_bytes,
                             size_t channels, glia_image *out, glia_error *error)
{
    (void)bytes;
    (void)n_bytes;
    (void)channels;
    (void)out;
    return no_png(path, error);
}

glia_status glia_image_write(const char *path, const glia_image *image, glia_error *error)
{
    (void)image;
    return no_png(path, error);
}

#endif

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

/* Grey made colour: three of each value. */
static glia_status make_colour(const char *path, glia_image *image, glia_error *error)
{
    glia_image colour;
    const glia_status status = gi_image_new(path, image->width, image->height, 3, &colour, error);
    if (status) return status;
    for (size_t i = 0; i < 3 * image->width * image->height; i++)
        colour.pixels[i] = image->pixels[i / 3];
    glia_image_free(image);
    *image = colour;
    return GLIA_OK;
}

glia_status gi_image_parse_as(const char *path, const uint8_t *bytes, size_t n_bytes,
                              size_t channels, glia_image *out, glia_error *error)
{
    enum kind kind;
    glia_status status = find_kind(path, bytes, n_bytes, &kind, error);
    if (status) return status;
    if (kind == KIND_PNG) return parse_png(path, bytes, n_bytes, channels, out, error);
    if (kind == KIND_JPEG) return gi_jpeg_parse(path, bytes, n_bytes, channels, out, error);
    glia_image image = {0};
    status = parse_pgm(path, bytes, n_bytes, &image, error);
    if (!status && channels == 3) status = make_colour(path, &image, error);
    if (status)
        glia_image_free(&image);
    else
        *out = image;
    return status;
}

glia_status gi_image_parse(const char *path, const uint8_t *bytes, size_t n_bytes, glia_image *out,
                           glia_error *error)
{
    return gi_image_parse_as(path, bytes, n_bytes, 1, out, error);
}

glia_status gi_image_probe(const char *path, const uint8_t *bytes, size_t n_bytes,
                           gi_image_kind *out, glia_error *error)
{
    enum kind kind;
    const glia_status status = find_kind(path, bytes, n_bytes, &kind, error);
    if (status) return status;
    if (kind == KIND_PNG) return probe_png(path, bytes, n_bytes, out, error);
    if (kind == KIND_JPEG) return gi_jpeg_probe(path, bytes, n_bytes, out, error);
    return probe_pgm(path, bytes, n_bytes, out, error);
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
    if (!status) status = gi_image_parse_as(path, file.data, file.size, channels, out, error);
    gi_file_close(&file);
    return status;
}

glia_status glia_image_read(const char *path, glia_image *out, glia_error *error)
{
    return glia_image_read_as(path, 1, out, error);
}
