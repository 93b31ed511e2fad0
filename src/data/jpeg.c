/* SPDX-License-Identifier: MIT */
/*
 * JPEG through libjpeg, whose errors come by longjmp. A warning is an error too: libjpeg warns of a
 * file that is cut short, and makes up the rest of the image.
 */
#include "config.h"
#include "data/readers.h"

#ifdef GLIA_HAS_JPEG

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

enum {
    MAX_SCANS = 500,             /* of a progressive image; each costs a pass over all of it */
    MAX_WORKING_BYTES = 1 << 30, /* that libjpeg may take for the coefficients of one */
    PIXELS_A_BYTE = 512,         /* at most: a block of 8 x 8 takes at least a bit */
};

/* libjpeg's structs come first, so that its callbacks find the rest. */
struct manager {
    struct jpeg_error_mgr base;
    jmp_buf on_error;
    char message[JMSG_LENGTH_MAX];
    bool out_of_memory;
};

struct decoder {
    struct jpeg_decompress_struct base;
    struct manager manager;
    struct jpeg_progress_mgr progress;
    const char *path;
    const uint8_t *bytes;
    size_t n_bytes;
};

static _Noreturn void fail(j_common_ptr info)
{
    struct manager *manager = (struct manager *)info->err;
    manager->base.format_message(info, manager->message);
    manager->out_of_memory = strstr(manager->message, "nsufficient memory") != NULL;
    longjmp(manager->on_error, 1);
}

/* level: below 0 a warning, else what a program may show. */
static void hear(j_common_ptr info, int level)
{
    if (level < 0) fail(info);
}

static void count_scans(j_common_ptr info)
{
    struct decoder *d = (struct decoder *)info;
    if (d->base.input_scan_number <= MAX_SCANS) return;
    snprintf(d->manager.message, sizeof d->manager.message, "more than %d scans", (int)MAX_SCANS);
    longjmp(d->manager.on_error, 1);
}

static glia_status fail_decoding(const struct decoder *d, glia_error *error)
{
    if (d->manager.out_of_memory)
        return gi_fail(error, GLIA_NO_MEMORY, "%s: %s", d->path, d->manager.message);
    return gi_fail(
        error, GLIA_BAD_FORMAT,
        "%s: the JPEG image is damaged or cut short (libjpeg: %s); copy or save it again", d->path,
        d->manager.message);
}

/* Begins to decode, and checks what the header says; libjpeg may jump. */
static glia_status read_header(struct decoder *d, glia_error *error)
{
    jpeg_create_decompress(&d->base);
    d->progress.progress_monitor = count_scans;
    d->base.progress = &d->progress;
    d->base.mem->max_memory_to_use = MAX_WORKING_BYTES;
    jpeg_mem_src(&d->base, d->bytes, (unsigned long)d->n_bytes);
    jpeg_read_header(&d->base, TRUE);
    const uint64_t width = d->base.image_width, height = d->base.image_height;
    const glia_status status = gi_image_check_size(d->path, width, height, error);
    if (status) return status;
    if (width * height / PIXELS_A_BYTE > d->n_bytes)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: the header claims %u x %u pixels, more than %zu bytes can hold; copy "
                       "the file again",
                       d->path, d->base.image_width, d->base.image_height, d->n_bytes);
    switch (d->base.jpeg_color_space) {
    case JCS_GRAYSCALE:
    case JCS_RGB:
    case JCS_YCbCr:
        return GLIA_OK;
    default:
        return gi_fail(
            error, GLIA_BAD_FORMAT,
            "%s: found a JPEG image of %d components in colours of print (CMYK) or of no "
            "known kind, expected grey or red, green and blue; convert it to RGB",
            d->path, d->base.num_components);
    }
}

/*
 * Decodes into image, or only reads the header if that is NULL. Whatever changes after setjmp is
 * the caller's, so that a jump leaves it as it is.
 */
static glia_status decode(struct decoder *d, size_t channels, glia_image *image, glia_error *error)
{
    d->base.err = jpeg_std_error(&d->manager.base);
    d->manager.base.error_exit = fail;
    d->manager.base.emit_message = hear;
    if (setjmp(d->manager.on_error)) return fail_decoding(d, error);
    glia_status status = read_header(d, error);
    if (status || !image) return status;
    status =
        gi_image_new(d->path, d->base.image_width, d->base.image_height, channels, image, error);
    if (status) return status;
    d->base.out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(&d->base);
    while (d->base.output_scanline < d->base.output_height) {
        JSAMPROW row = image->pixels + d->base.output_scanline * image->width * channels;
        jpeg_read_scanlines(&d->base, &row, 1);
    }
    jpeg_finish_decompress(&d->base);
    return GLIA_OK;
}

glia_status gi_jpeg_probe(const char *path, const uint8_t *bytes, size_t n_bytes,
                          gi_image_kind *out, glia_error *error)
{
    struct decoder d = {.path = path, .bytes = bytes, .n_bytes = n_bytes};
    const glia_status status = decode(&d, 0, NULL, error);
    if (!status)
        *out = (gi_image_kind){.height = d.base.image_height,
                               .width = d.base.image_width,
                               .channels = d.base.jpeg_color_space == JCS_GRAYSCALE ? 1 : 3};
    jpeg_destroy_decompress(&d.base);
    return status;
}

glia_status gi_jpeg_parse(const char *path, const uint8_t *bytes, size_t n_bytes, size_t channels,
                          glia_image *out, glia_error *error)
{
    struct decoder d = {.path = path, .bytes = bytes, .n_bytes = n_bytes};
    glia_image image = {0};
    const glia_status status = decode(&d, channels, &image, error);
    jpeg_destroy_decompress(&d.base);
    if (status)
        glia_image_free(&image);
    else
        *out = image;
    return status;
}

#else

static glia_status no_jpeg(const char *path, glia_error *error)
{
    return gi_fail(error, GLIA_UNSUPPORTED,
                   "%s: this build of glia has no JPEG (it was built without libjpeg); convert the "
                   "image to PNG or PGM, or use a build with libjpeg",
                   path);
}

glia_status gi_jpeg_probe(const char *path, const uint8_t *bytes, size_t n_bytes,
                          gi_image_kind *out, glia_error *error)
{
    (void)bytes;
    (void)n_bytes;
    (void)out;
    return no_jpeg(path, error);
}

glia_status gi_jpeg_parse(const char *path, const uint8_t *bytes, size_t n_bytes, size_t channels,
                          glia_image *out, glia_error *error)
{
    (void)bytes;
    (void)n_bytes;
    (void)channels;
    (void)out;
    return no_jpeg(path, error);
}

#endif
