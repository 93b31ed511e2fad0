/* SPDX-License-Identifier: MIT */
/*
 * JPEG through libjpeg, whose errors come by longjmp. Its warnings are told apart: of bytes that do
 * not belong there, as cameras and websites leave them, it is only remarked; where pixels were lost
 * and made up, the image is damaged.
 */
#include "config.h"
#include "image/codecs.h"

#ifdef GLIA_HAS_JPEG

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

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
    bool is_odd; /* bytes were passed over, or the file ends without its end marker */
    bool at_end; /* the latter */
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
    struct manager *manager = (struct manager *)info->err;
    if (level >= 0) return;
    switch (manager->base.msg_code) {
    case JWRN_JPEG_EOF: /* is judged when it is known what is missing */
        manager->at_end = true;
        break;
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_TOO_MUCH_DATA:
    case JWRN_ADOBE_XFORM:
    case JWRN_JFIF_MAJOR:
        break;
    default:
        fail(info);
    }
    manager->is_odd = true;
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
    if (d->base.jpeg_color_space != JCS_UNKNOWN) return GLIA_OK;
    return gi_fail(
        error, GLIA_BAD_FORMAT,
        "%s: found a JPEG image of %d components of no known kind, expected grey, RGB or "
        "CMYK; convert it to RGB",
        d->path, d->base.num_components);
}

static bool is_for_print(const struct decoder *d)
{
    return d->base.jpeg_color_space == JCS_CMYK || d->base.jpeg_color_space == JCS_YCCK;
}

/*
 * Whether all of the image came before the end of a file without an end marker. Where bits are
 * missing within a scan, libjpeg warns; whole scans may be missing too. It is to be asked before
 * decoding is finished.
 */
static bool is_whole(const struct decoder *d)
{
    if (d->base.arith_code) return false; /* libjpeg does not tell */
    for (int c = 0; c < d->base.num_components; c++) {
        if (!d->base.comp_info[c].quant_table) return false; /* its first scan is missing */
        for (int k = 0; d->base.coef_bits && k < DCTSIZE2; k++)
            if (d->base.coef_bits[c][k] != 0) return false; /* not sent to the last bit */
    }
    return true;
}

/* A row of cyan, magenta, yellow and black, as light (255: no ink), in colour or grey. */
static void convert_print(const uint8_t *row, bool is_ink, glia_image *image, size_t y)
{
    uint8_t *out = image->pixels + y * image->width * image->channels;
    for (size_t x = 0; x < image->width; x++, row += 4, out += image->channels) {
        uint8_t rgb[3];
        for (size_t c = 0; c < 3; c++) {
            const unsigned light = is_ink ? 255U - row[c] : row[c];
            rgb[c] = (uint8_t)((light * (is_ink ? 255U - row[3] : row[3]) + 127) / 255);
        }
        gi_image_convert(rgb, 3, out, image->channels);
    }
}

/* The rows of an image that has room; libjpeg may jump. */
static void read_rows(struct decoder *d, glia_image *image)
{
    const bool for_print = is_for_print(d);
    d->base.out_color_space = for_print ? JCS_CMYK : image->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(&d->base);
    JSAMPARRAY print = for_print ? d->base.mem->alloc_sarray((j_common_ptr)&d->base, JPOOL_IMAGE,
                                                             4 * d->base.output_width, 1)
                                 : NULL;
    while (d->base.output_scanline < d->base.output_height) {
        const size_t y = d->base.output_scanline;
        JSAMPROW row = image->pixels + y * image->width * image->channels;
        jpeg_read_scanlines(&d->base, for_print ? print : &row, 1);
        /* Adobe's programs store light in place of ink. */
        if (for_print) convert_print(print[0], !d->base.saw_Adobe_marker, image, y);
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
    read_rows(d, image);
    const bool whole = is_whole(d);
    jpeg_finish_decompress(&d->base);
    if (whole || !d->manager.at_end) return GLIA_OK;
    snprintf(d->manager.message, sizeof d->manager.message, "the file ends before the last scan");
    return fail_decoding(d, error);
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
                          glia_image *out, bool *is_odd, glia_error *error)
{
    struct decoder d = {.path = path, .bytes = bytes, .n_bytes = n_bytes};
    glia_image image = {0};
    const glia_status status = decode(&d, channels, &image, error);
    jpeg_destroy_decompress(&d.base);
    if (status)
        glia_image_free(&image);
    else
        *out = image;
    *is_odd = d.manager.is_odd;
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
                          glia_image *out, bool *is_odd, glia_error *error)
{
    (void)bytes;
    (void)n_bytes;
    (void)channels;
    (void)out;
    (void)is_odd;
    return no_jpeg(path, error);
}

#endif
