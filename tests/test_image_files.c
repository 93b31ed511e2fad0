/* SPDX-License-Identifier: MIT */
/*
 * Tests of what image files of real programs have: every kind of PNG by the values that it stores,
 * orientation in EXIF, sound and hostile, JPEG with bytes that do not belong there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assert_error.h"
#include "base/random.h"
#include "config.h"
#include "golden/jpegs.h"
#include "image/codecs.h"
#include "image/image.h"

/* Bytes that grow. */
struct file {
    uint8_t data[8192];
    size_t size;
};

static void put(struct file *file, const void *data, size_t size)
{
    assert_true(file->size + size <= sizeof file->data);
    if (size) memcpy(file->data + file->size, data, size);
    file->size += size;
}

static void put_number(struct file *file, uint32_t value, size_t n_bytes, bool is_big)
{
    for (size_t i = 0; i < n_bytes; i++) {
        const uint8_t byte = (uint8_t)(value >> 8 * (is_big ? n_bytes - 1 - i : i));
        put(file, &byte, 1);
    }
}

/* Parses a copy of exactly the size, so that AddressSanitizer sees a step beyond its end. */
static glia_status parse(const struct file *file, size_t channels, glia_image *image,
                         gi_image_traits *traits, glia_error *error)
{
    uint8_t *exact = malloc(file->size ? file->size : 1);
    memcpy(exact, file->data, file->size);
    const glia_status status =
        gi_image_parse_as("x", exact, file->size, channels, image, traits, error);
    free(exact);
    return status;
}

/* ---- PNG ----------------------------------------------------------------------------------- */

enum { GREY = 0, RGB = 2, PALETTE = 3, GREY_ALPHA = 4, RGB_ALPHA = 6, MAX_SIDE = 9 };

static void put_chunk(struct file *png, const char *type, const struct file *data)
{
    put_number(png, (uint32_t)data->size, 4, true);
    const size_t begin = png->size;
    put(png, type, 4);
    put(png, data->data, data->size);
    put_number(png, libdeflate_crc32(0, png->data + begin, png->size - begin), 4, true);
}

/* A kind of PNG, and the samples of one. */
struct stored {
    uint8_t colour, depth;
    bool interlaced, has_key; /* tRNS */
    size_t height, width, n;  /* n values a pixel */
    uint16_t values[MAX_SIDE * MAX_SIDE * 4];
    uint8_t palette[256][4]; /* the last is alpha */
};

static void put_pass(const struct stored *s, size_t y0, size_t x0, size_t dy, size_t dx,
                     struct file *rows)
{
    for (size_t y = y0; y < s->height && x0 < s->width; y += dy) {
        unsigned bits = 0, n_bits = 0;
        put_number(rows, 0, 1, true); /* no filter */
        for (size_t x = x0; x < s->width; x += dx)
            for (size_t c = 0; c < s->n; c++) {
                const uint16_t value = s->values[(y * s->width + x) * s->n + c];
                if (s->depth >= 8) {
                    put_number(rows, value, s->depth / 8U, true);
                    continue;
                }
                bits = bits << s->depth | value;
                n_bits += s->depth;
                if (n_bits == 8) put_number(rows, bits, 1, true), bits = n_bits = 0;
            }
        if (n_bits > 0) put_number(rows, bits << (8 - n_bits), 1, true);
    }
}

static void put_key(const struct stored *s, struct file *png)
{
    struct file key = {.size = 0};
    if (s->colour == PALETTE)
        for (size_t i = 0; i < (size_t)1 << s->depth; i++) put(&key, &s->palette[i][3], 1);
    else
        for (size_t c = 0; c < s->n; c++) put_number(&key, s->values[c], 2, true);
    put_chunk(png, "tRNS", &key);
}

static struct file png_of(const struct stored *s, const char *chunk, const void *content,
                          size_t size)
{
    static const uint8_t passes[7][4] = {{0, 0, 8, 8}, {0, 4, 8, 8}, {4, 0, 8, 4}, {0, 2, 4, 4},
                                         {2, 0, 4, 2}, {0, 1, 2, 2}, {1, 0, 2, 1}};
    struct file png = {.size = 0}, head = {.size = 0}, rows = {.size = 0}, packed = {.size = 0};
    put(&png, "\x89PNG\r\n\x1A\n", 8);
    put_number(&head, (uint32_t)s->width, 4, true);
    put_number(&head, (uint32_t)s->height, 4, true);
    put(&head, (const uint8_t[]){s->depth, s->colour, 0, 0, s->interlaced}, 5);
    put_chunk(&png, "IHDR", &head);
    if (chunk) {
        struct file data = {.size = 0};
        put(&data, content, size);
        put_chunk(&png, chunk, &data);
    }
    if (s->colour == PALETTE) {
        struct file palette = {.size = 0};
        for (size_t i = 0; i < (size_t)1 << s->depth; i++) put(&palette, s->palette[i], 3);
        put_chunk(&png, "PLTE", &palette);
    }
    if (s->has_key) put_key(s, &png);
    for (size_t p = 0; p < 7 && s->interlaced; p++)
        put_pass(s, passes[p][0], passes[p][1], passes[p][2], passes[p][3], &rows);
    if (!s->interlaced) put_pass(s, 0, 0, 1, 1, &rows);
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(1);
    packed.size =
        libdeflate_zlib_compress(compressor, rows.data, rows.size, packed.data, sizeof packed.data);
    libdeflate_free_compressor(compressor);
    put_chunk(&png, "IDAT", &packed);
    put_chunk(&png, "IEND", &(struct file){.size = 0});
    return png;
}

/* What a pixel is to be, by the definition: value / largest * 255, on white, grey by Rec. 601. */
static void expect_pixel(const struct stored *s, size_t pixel, uint8_t rgb[3], uint8_t *grey)
{
    const uint16_t *v = s->values + pixel * s->n;
    const unsigned largest = (1U << s->depth) - 1;
    unsigned value[4] = {0, 0, 0, 255};
    const bool has_alpha = s->colour == GREY_ALPHA || s->colour == RGB_ALPHA;
    const size_t colours = s->n - has_alpha;
    for (size_t c = 0; c < 3; c++) {
        const unsigned stored = v[c < colours ? c : 0];
        value[c] = s->colour == PALETTE ? s->palette[v[0]][c] : (stored * 510 / largest + 1) / 2;
    }
    if (has_alpha) value[3] = (v[colours] * 510U / largest + 1) / 2;
    if (s->colour == PALETTE && s->has_key) value[3] = s->palette[v[0]][3];
    if (s->colour != PALETTE && s->has_key && memcmp(v, s->values, s->n * sizeof *v) == 0)
        value[3] = 0;
    for (size_t c = 0; c < 3; c++)
        rgb[c] = (uint8_t)((value[c] * value[3] + 255 * (255 - value[3]) + 127) / 255);
    *grey = (uint8_t)((299U * rgb[0] + 587U * rgb[1] + 114U * rgb[2] + 500U) / 1000U);
}

static void assert_png(const struct stored *s, const struct file *png)
{
    for (size_t channels = 1; channels <= 3; channels += 2) {
        glia_image image;
        glia_error error;
        assert_error("PNG", parse(png, channels, &image, NULL, &error), GLIA_OK, &error, NULL,
                     NULL);
        assert_true(image.height == s->height && image.width == s->width);
        for (size_t i = 0; i < s->height * s->width; i++) {
            uint8_t rgb[3], grey;
            expect_pixel(s, i, rgb, &grey);
            if (memcmp(image.pixels + i * channels, channels == 3 ? rgb : &grey, channels) != 0)
                fail_msg("colour type %u, %u bits, %s, key %u: pixel %zu of %zu x %zu: found %u, "
                         "expected %u",
                         s->colour, s->depth, s->interlaced ? "interlaced" : "in order", s->has_key,
                         i, s->height, s->width, image.pixels[i * channels],
                         channels == 3 ? rgb[0] : grey);
        }
        glia_image_free(&image);
    }
}

static void fill(struct stored *s, gi_rng *rng)
{
    for (size_t i = 0; i < s->height * s->width * s->n; i++)
        s->values[i] = (uint16_t)gi_rng_below(rng, 1U << s->depth);
    for (size_t i = 0; i < 256; i++)
        for (size_t c = 0; c < 4; c++) s->palette[i][c] = (uint8_t)gi_rng_below(rng, 256);
}

/* On white: such images are laid on black. */
static bool is_white(const struct stored *s)
{
    for (size_t i = 0; i < s->height * s->width; i++) {
        uint8_t rgb[3], grey;
        expect_pixel(s, i, rgb, &grey);
        if (rgb[0] != 255 || rgb[1] != 255 || rgb[2] != 255) return false;
    }
    return true;
}

static void test_every_png(void **state)
{
    (void)state;
#ifndef GLIA_HAS_PNG
    skip();
#endif
    static const struct {
        uint8_t colour, n, depths[6];
    } kinds[] = {{GREY, 1, {1, 2, 4, 8, 16}},
                 {RGB, 3, {8, 16}},
                 {PALETTE, 1, {1, 2, 4, 8}},
                 {GREY_ALPHA, 2, {8, 16}},
                 {RGB_ALPHA, 4, {8, 16}}};
    static const struct {
        const char *chunk, *content;
        size_t size;
    } spaces[] = {{NULL, "", 0},
                  {"gAMA", "\0\1\206\240", 4}, /* linear */
                  {"gAMA", "\0\0\261\217", 4}, /* 1 / 2.2 */
                  {"sRGB", "\0", 1}};
    gi_rng rng = gi_rng_make(1, GI_RANDOM_INIT, 0, 0);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (const uint8_t *depth = kinds[k].depths; *depth; depth++)
            for (int way = 0; way < 4; way++)
                for (size_t space = 0; space < sizeof spaces / sizeof *spaces; space++)
                    for (size_t side = 1; side <= MAX_SIDE; side += 4) {
                        struct stored s = {.colour = kinds[k].colour,
                                           .depth = *depth,
                                           .interlaced = way & 1,
                                           .has_key = way & 2,
                                           .height = side,
                                           .width = side == 1 ? 2 : side - 2,
                                           .n = kinds[k].n};
                        if (s.has_key && s.colour >= GREY_ALPHA) continue;
                        do fill(&s, &rng);
                        while (is_white(&s));
                        const struct file png = png_of(&s, spaces[space].chunk,
                                                       spaces[space].content, spaces[space].size);
                        assert_png(&s, &png);
                    }
}

/* ---- Orientation --------------------------------------------------------------------------- */

/* EXIF: a TIFF whose first folder has entries before and after the orientation. */
static struct file exif_of(unsigned orientation, bool is_big)
{
    struct file tiff = {.size = 0};
    put(&tiff, is_big ? "MM\0*" : "II*\0", 4);
    put_number(&tiff, 10, 4, is_big);
    put(&tiff, "xx", 2);
    put_number(&tiff, 3, 2, is_big);
    static const uint16_t tags[] = {0x010F, 0x0112, 0x0128};
    for (size_t i = 0; i < 3; i++) {
        put_number(&tiff, tags[i], 2, is_big);
        put_number(&tiff, 3, 2, is_big);
        put_number(&tiff, 1, 4, is_big);
        put_number(&tiff, i == 1 ? orientation : 2, 2, is_big);
        put_number(&tiff, 0, 2, is_big);
    }
    put_number(&tiff, 0, 4, is_big);
    return tiff;
}

/* A PNG with a chunk before its pixels, or after them. */
static struct file with_chunk(const struct file *png, const char *type, const struct file *data,
                              bool after)
{
    enum { BEFORE_PIXELS = 33, IEND_BYTES = 12 };
    const size_t place = after ? png->size - IEND_BYTES : BEFORE_PIXELS;
    struct file out = {.size = 0};
    put(&out, png->data, place);
    put_chunk(&out, type, data);
    put(&out, png->data + place, png->size - place);
    return out;
}

/* A JPEG with EXIF behind its first two bytes. */
static struct file jpeg_with(const uint8_t *jpeg, size_t size, const struct file *exif)
{
    struct file out = {.size = 0};
    put(&out, jpeg, 2);
    put(&out, "\xFF\xE1", 2);
    put_number(&out, (uint32_t)exif->size + 8, 2, true);
    put(&out, "Exif\0\0", 6);
    put(&out, exif->data, exif->size);
    put(&out, jpeg + 2, size - 2);
    return out;
}

/* Of a picture 1 2 3 / 4 5 6: what each orientation shows. */
static const struct {
    size_t height, width;
    uint8_t pixels[6];
} shown[] = {
    [1] = {2, 3, {1, 2, 3, 4, 5, 6}}, [2] = {2, 3, {3, 2, 1, 6, 5, 4}},
    [3] = {2, 3, {6, 5, 4, 3, 2, 1}}, [4] = {2, 3, {4, 5, 6, 1, 2, 3}},
    [5] = {3, 2, {1, 4, 2, 5, 3, 6}}, [6] = {3, 2, {4, 1, 5, 2, 6, 3}},
    [7] = {3, 2, {6, 3, 5, 2, 4, 1}}, [8] = {3, 2, {3, 6, 2, 5, 1, 4}},
};

static void assert_turned(const struct file *file, unsigned orientation)
{
    for (size_t channels = 1; channels <= 3; channels += 2) {
        glia_image image;
        glia_error error;
        gi_image_kind kind;
        gi_image_traits traits;
        assert_error("turned", parse(file, channels, &image, &traits, &error), GLIA_OK, &error,
                     NULL, NULL);
        assert_int_equal(traits.orientation, orientation);
        assert_int_equal(image.height, shown[orientation].height);
        assert_int_equal(image.width, shown[orientation].width);
        for (size_t i = 0; i < 6 * channels; i++)
            assert_int_equal(image.pixels[i], shown[orientation].pixels[i / channels]);
        assert_int_equal(gi_image_probe("x", file->data, file->size, &kind, &error), GLIA_OK);
        assert_true(kind.height == image.height && kind.width == image.width);
        glia_image_free(&image);
    }
}

static struct file picture(void)
{
    const struct stored s = {
        .colour = GREY, .depth = 8, .height = 2, .width = 3, .n = 1, .values = {1, 2, 3, 4, 5, 6}};
    return png_of(&s, NULL, NULL, 0);
}

static void test_png_is_turned(void **state)
{
    (void)state;
#ifndef GLIA_HAS_PNG
    skip();
#endif
    const struct file png = picture();
    for (unsigned orientation = 1; orientation <= 8; orientation++)
        for (int way = 0; way < 4; way++) {
            const struct file exif = exif_of(orientation, way & 1);
            const struct file file = with_chunk(&png, "eXIf", &exif, way & 2);
            assert_turned(&file, orientation);
        }
}

static void test_hostile_exif(void **state)
{
    (void)state;
#ifndef GLIA_HAS_PNG
    skip();
#endif
    const struct file png = picture(), good = exif_of(6, false);
    enum { OFFSET = 4, COUNT = 10, SECOND = 24, TYPE = SECOND + 2, VALUE = SECOND + 8 };
    for (size_t size = 0; size < VALUE + 4; size++) { /* cut before the entry ends */
        struct file exif = good;
        exif.size = size;
        const struct file file = with_chunk(&png, "eXIf", &exif, false);
        assert_turned(&file, 1);
    }
    static const struct {
        size_t at, n;
        uint32_t value;
    } changes[] = {{0, 1, 'X'},     {2, 1, 0},     {OFFSET, 4, 0xFFFFFFFF}, {OFFSET, 4, 0xFFFFFFF0},
                   {OFFSET, 4, 60}, {COUNT, 2, 1}, /* the orientation is the second entry */
                   {TYPE, 2, 2},    {VALUE, 2, 0}, {VALUE, 2, 9},           {VALUE, 2, 0xFFFF}};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct file exif = good;
        for (size_t b = 0; b < changes[i].n; b++)
            exif.data[changes[i].at + b] = (uint8_t)(changes[i].value >> 8 * b);
        const struct file file = with_chunk(&png, "eXIf", &exif, false);
        assert_turned(&file, 1);
    }
    struct file many = good; /* more entries than there are bytes for */
    many.data[COUNT] = many.data[COUNT + 1] = 0xFF;
    struct file file = with_chunk(&png, "eXIf", &many, false);
    assert_turned(&file, 6);
    file = with_chunk(&png, "eXIf", &good, false);
    file.data[33 + 8 + good.size]++; /* the chunk's checksum */
    assert_turned(&file, 1);
    file = png; /* a chunk that is longer than the file, after the pixels */
    file.size -= 12;
    put(&file,
        "\xFF\xFF\xFF\xFF"
        "eXIf",
        8);
    assert_turned(&file, 1);
}

/* ---- JPEG ---------------------------------------------------------------------------------- */

static struct file jpeg_file(const uint8_t *bytes, size_t size)
{
    struct file file = {.size = 0};
    put(&file, bytes, size);
    return file;
}

static void test_jpeg_is_turned(void **state)
{
    (void)state;
#ifndef GLIA_HAS_JPEG
    skip();
#endif
    for (unsigned orientation = 1; orientation <= 8; orientation++)
        for (int is_big = 0; is_big < 2; is_big++) {
            const struct file exif = exif_of(orientation, is_big);
            const struct file plain = jpeg_file(jpeg_rgb, sizeof jpeg_rgb);
            const struct file file = jpeg_with(jpeg_rgb, sizeof jpeg_rgb, &exif);
            glia_image image, expected;
            gi_image_kind kind;
            assert_int_equal(parse(&plain, 3, &expected, NULL, NULL), GLIA_OK);
            assert_int_equal(gi_image_turn("x", orientation, &expected, NULL), GLIA_OK);
            assert_int_equal(parse(&file, 3, &image, NULL, NULL), GLIA_OK);
            assert_int_equal(gi_image_probe("x", file.data, file.size, &kind, NULL), GLIA_OK);
            assert_true(kind.height == (orientation < 5 ? 7 : 9) && kind.height == image.height);
            assert_int_equal(image.width, expected.width);
            assert_memory_equal(image.pixels, expected.pixels, 7 * 9 * 3);
            glia_image_free(&image);
            glia_image_free(&expected);
        }
    struct file exif = exif_of(6, true);
    struct file file = jpeg_with(jpeg_rgb, sizeof jpeg_rgb, &exif);
    for (size_t size = 0; size < file.size; size++)
        gi_exif_of_jpeg(file.data, size); /* no step beyond the end */
    file.data[4] = 0xFF;                  /* a segment that is longer than the file */
    assert_int_equal(gi_exif_of_jpeg(file.data, file.size), GI_UPRIGHT);
}

/* Bytes between the pixels and the end marker, and no end marker, are remarked. */
static void test_odd_jpeg(void **state)
{
    (void)state;
#ifndef GLIA_HAS_JPEG
    skip();
#endif
    const struct file good = jpeg_file(jpeg_subsampled, sizeof jpeg_subsampled);
    struct file extraneous = good, endless = good, cut = good;
    extraneous.size -= 2;
    put(&extraneous, "eighty bytes that a website left\xFF\xD9", 34);
    endless.size -= 2;
    cut.size -= 12;
    glia_image expected;
    gi_image_traits traits;
    glia_error error;
    assert_int_equal(parse(&good, 3, &expected, &traits, NULL), GLIA_OK);
    assert_false(traits.is_odd);
    const struct file *const odd[] = {&extraneous, &endless};
    for (size_t i = 0; i < 2; i++) {
        glia_image image;
        assert_error("odd", parse(odd[i], 3, &image, &traits, &error), GLIA_OK, &error, NULL, NULL);
        assert_true(traits.is_odd);
        assert_memory_equal(image.pixels, expected.pixels, 17 * 12 * 3);
        glia_image_free(&image);
    }
    assert_error("cut", parse(&cut, 3, &expected, NULL, &error), GLIA_BAD_FORMAT, &error,
                 "damaged or cut short", NULL);
    glia_image_free(&expected);
}

/* A progressive one comes in scans, each of which refines it: all must be there. */
static void test_progressive_jpeg_is_whole(void **state)
{
    (void)state;
#ifndef GLIA_HAS_JPEG
    skip();
#endif
    const size_t size = sizeof jpeg_progressive;
    for (size_t at = 2; at < size - 2; at++) { /* the file ends before a scan */
        if (jpeg_progressive[at] != 0xFF || jpeg_progressive[at + 1] != 0xDA) continue;
        const struct file file = jpeg_file(jpeg_progressive, at);
        glia_image image;
        glia_error error;
        assert_error("scans", parse(&file, 3, &image, NULL, &error), GLIA_BAD_FORMAT, &error,
                     "damaged or cut short", NULL);
    }
    const struct file endless = jpeg_file(jpeg_progressive, size - 2);
    glia_image image;
    assert_int_equal(parse(&endless, 3, &image, NULL, NULL), GLIA_OK);
    glia_image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_png),    cmocka_unit_test(test_png_is_turned),
        cmocka_unit_test(test_hostile_exif), cmocka_unit_test(test_jpeg_is_turned),
        cmocka_unit_test(test_odd_jpeg),     cmocka_unit_test(test_progressive_jpeg_is_whole),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
