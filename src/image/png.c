/* SPDX-License-Identifier: MIT */
/*
 * PNG through libpng, whose errors come by longjmp. Its values are taken as they are stored, 16
 * bits scaled to 8; what a file says of gamma and colour spaces changes nothing. (libpng's
 * simplified interface would: it makes grey and mixes with a ground in linear light, and reads
 * interlaced images of 16 bits wrongly. It writes here.)
 */
#include "base/file.h"
#include "config.h"
#include "image/codecs.h"

#ifdef GLIA_HAS_PNG

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <png.h>

#include "base/memory.h"

struct decoder {
    png_structp png;
    png_infop info;
    const char *path;
    const uint8_t *bytes;
    size_t n_bytes, at;
    char message[128];
    glia_image stored; /* channels 1 to 4: grey or colours, with or without alpha */
};

static _Noreturn void fail(png_structp png, png_const_charp message)
{
    struct decoder *d = png_get_error_ptr(png);
    snprintf(d->message, sizeof d->message, "%s", message);
    png_longjmp(png, 1);
}

static void hear(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static void read_bytes(png_structp png, png_bytep out, size_t n)
{
    struct decoder *d = png_get_io_ptr(png);
    if (n > d->n_bytes - d->at) png_error(png, "the file ends");
    memcpy(out, d->bytes + d->at, n);
    d->at += n;
}

static glia_status fail_decoding(const struct decoder *d, glia_error *error)
{
    if (strstr(d->message, "memory"))
        return gi_fail(error, GLIA_NO_MEMORY, "%s: %s", d->path, d->message);
    return gi_fail(error, GLIA_BAD_FORMAT, "%s: the PNG image is damaged or cut short (libpng: %s)",
                   d->path, d->message);
}

/* Reads what stands before the pixels, and checks it; libpng may jump. */
static glia_status read_header(struct decoder *d, glia_error *error)
{
    png_set_read_fn(d->png, d, read_bytes);
    png_set_benign_errors(d->png, 1); /* they are warnings */
#ifdef PNG_HANDLE_AS_UNKNOWN_SUPPORTED
    png_set_keep_unknown_chunks(d->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
#endif
    png_read_info(d->png, d->info);
    const png_uint_32 width = png_get_image_width(d->png, d->info);
    const png_uint_32 height = png_get_image_height(d->png, d->info);
    const glia_status status = gi_image_check_size(d->path, width, height, error);
    if (status) return status;
    /* A row takes at least a bit a pixel, and deflate shrinks by 1032 at most. */
    if (((uint64_t)width + 7) / 8 * height / 1032 > d->n_bytes)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte 16: the header claims %lu x %lu pixels, more than %zu bytes can "
                       "hold",
                       d->path, (unsigned long)width, (unsigned long)height, d->n_bytes);
    return GLIA_OK;
}

/* The pixels as they are stored, 8 bits each, palettes as their colours; libpng may jump. */
static glia_status read_stored(struct decoder *d, glia_error *error)
{
    png_set_expand(d->png); /* of palettes, of fewer bits than 8, and of what is clear to alpha */
    png_set_scale_16(d->png);
    const int passes = png_set_interlace_handling(d->png);
    png_read_update_info(d->png, d->info);
    const size_t channels = png_get_channels(d->png, d->info);
    const glia_status status =
        gi_image_new(d->path, png_get_image_width(d->png, d->info),
                     png_get_image_height(d->png, d->info), channels, &d->stored, error);
    if (status) return status;
    const size_t row = d->stored.width * channels;
    if (png_get_rowbytes(d->png, d->info) != row) png_error(d->png, "rows of unknown kind");
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < d->stored.height; y++)
            png_read_row(d->png, d->stored.pixels + y * row, NULL);
    return GLIA_OK;
}

/* Whatever changes after setjmp is the caller's, so that a jump leaves it as it is. */
static glia_status decode(struct decoder *d, bool header_alone, glia_error *error)
{
    d->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, d, fail, hear);
    if (d->png) d->info = png_create_info_struct(d->png);
    if (!d->info) return gi_fail(error, GLIA_NO_MEMORY, "%s: out of memory", d->path);
    if (setjmp(png_jmpbuf(d->png))) return fail_decoding(d, error);
    const glia_status status = read_header(d, error);
    return status || header_alone ? status : read_stored(d, error);
}

static void decoder_free(struct decoder *d)
{
    png_destroy_read_struct(&d->png, &d->info, NULL);
    glia_image_free(&d->stored);
}

/* Pixels with alpha, on a ground. */
static void lay_on(const glia_image *stored, uint8_t ground, glia_image *out)
{
    const size_t n = stored->channels - 1;
    uint8_t on[3];
    for (size_t i = 0; i < stored->width * stored->height; i++) {
        const uint8_t *pixel = stored->pixels + i * stored->channels;
        const unsigned alpha = pixel[n];
        for (size_t c = 0; c < n; c++)
            on[c] = (uint8_t)((pixel[c] * alpha + ground * (255 - alpha) + 127) / 255);
        gi_image_convert(on, n, out->pixels + i * out->channels, out->channels);
    }
}

static bool is_white(const glia_image *image)
{
    const size_t n = image->width * image->height * image->channels;
    size_t i = 0;
    while (i < n && image->pixels[i] == 255) i++;
    return i == n;
}

/* As grey or colour, on white; light ink on a clear ground: on black. */
static void flatten(const glia_image *stored, glia_image *out)
{
    if (stored->channels == 2 || stored->channels == 4) {
        lay_on(stored, 255, out);
        if (is_white(out)) lay_on(stored, 0, out);
        return;
    }
    for (size_t i = 0; i < stored->width * stored->height; i++)
        gi_image_convert(stored->pixels + i * stored->channels, stored->channels,
                         out->pixels + i * out->channels, out->channels);
}

glia_status gi_png_probe(const char *path, const uint8_t *bytes, size_t n_bytes, gi_image_kind *out,
                         glia_error *error)
{
    struct decoder d = {.path = path, .bytes = bytes, .n_bytes = n_bytes};
    const glia_status status = decode(&d, true, error);
    if (!status)
        *out = (gi_image_kind){
            .height = png_get_image_height(d.png, d.info),
            .width = png_get_image_width(d.png, d.info),
            .channels = png_get_color_type(d.png, d.info) & PNG_COLOR_MASK_COLOR ? 3 : 1};
    decoder_free(&d);
    return status;
}

glia_status gi_png_parse(const char *path, const uint8_t *bytes, size_t n_bytes, size_t channels,
                         glia_image *out, glia_error *error)
{
    struct decoder d = {.path = path, .bytes = bytes, .n_bytes = n_bytes};
    glia_status status = decode(&d, false, error);
    if (!status && d.stored.channels == channels) {
        *out = d.stored;
        d.stored = (glia_image){0};
    } else if (!status) {
        status = gi_image_new(path, d.stored.width, d.stored.height, channels, out, error);
        if (!status) flatten(&d.stored, out);
    }
    decoder_free(&d);
    return status;
}

glia_status glia_image_write(const char *path, const glia_image *image, glia_error *error)
{
    if (!path || !image || !image->pixels)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "write a PNG: path or pixels is NULL");
    const size_t width = image->width, height = image->height;
    const size_t channels = image->channels == 3 ? 3 : 1;
    glia_status status = gi_image_check_size(path, width, height, error);
    if (status && error) error->status = GLIA_BAD_ARGUMENT;
    if (status) return GLIA_BAD_ARGUMENT;
    png_image png = {
        .version = PNG_IMAGE_VERSION,
        .width = (png_uint_32)width,
        .height = (png_uint_32)height,
        .format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY,
    };
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

glia_status gi_png_probe(const char *path, const uint8_t *bytes, size_t n_bytes, gi_image_kind *out,
                         glia_error *error)
{
    (void)bytes;
    (void)n_bytes;
    (void)out;
    return no_png(path, error);
}

glia_status gi_png_parse(const char *path, const uint8_t *bytes, size_t n_bytes, size_t channels,
                         glia_image *out, glia_error *error)
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
