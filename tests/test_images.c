/* SPDX-License-Identifier: MIT */
/*
 * Tests of images: PNG and PGM files (good ones of each kind; each rule as a line of a table of
 * malformed ones), and the preprocessing that brings pictures into MNIST's form.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libdeflate.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "assert_error.h"
#include "base/random.h"
#include "config.h"
#include "data/digits/digits.h"
#include "image/image.h"
#include "model/image_form.h"
#include "whole.h"

/* Parses a copy of exactly the size, so that AddressSanitizer sees a step beyond its end. */
static glia_status parse(const char *path, const void *bytes, size_t size, glia_image *image,
                         glia_error *error)
{
    uint8_t *exact = malloc(size ? size : 1);
    if (size) memcpy(exact, bytes, size);
    const glia_status status = gi_image_parse(path, exact, size, image, error);
    free(exact);
    return status;
}

/* ---- PGM ----------------------------------------------------------------------------------- */

static void test_pgm(void **state)
{
    (void)state;
    static const struct {
        const char *label, *bytes;
        size_t size;
        uint8_t pixels[6];
    } cases[] = {
#define BYTES(string) string, sizeof string - 1
        {"P2", BYTES("P2\n3 2\n5\n0 1 2\n3 4 5\n"), {0, 51, 102, 153, 204, 255}},
        {"P2, comments", BYTES("P2#c\n# 9 9\n3 2 5 0 1#x\n2 3 4 5"), {0, 51, 102, 153, 204, 255}},
        {"P5", BYTES("P5\n3 2\n255\n\0\1\2\3\4\377"), {0, 1, 2, 3, 4, 255}},
        {"P5, max 100", BYTES("P5 3 2 100 \0\1\2\3\62\144"), {0, 3, 5, 8, 128, 255}},
        {"P5, white space after", BYTES("P5\n3 2\n255\n\n\n\n\n\n\n\n"), {10, 10, 10, 10, 10, 10}},
        {"P5, two bytes",
         BYTES("P5\n3 2\n65535\n\0\0\1\1\2\2\200\0\377\376\377\377"),
         {0, 1, 2, 128, 255, 255}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        glia_image image = {0};
        glia_error error = {0};
        assert_error(cases[i].label, parse("x.pgm", cases[i].bytes, cases[i].size, &image, &error),
                     GLIA_OK, &error, NULL, NULL);
        assert_int_equal(image.width, 3);
        assert_int_equal(image.height, 2);
        assert_memory_equal(image.pixels, cases[i].pixels, 6);
        glia_image_free(&image);
        assert_null(image.pixels);
    }
    glia_image_free(NULL);
}

static void test_image_files_malformed(void **state)
{
    (void)state;
    static const struct {
        const char *label, *word, *bytes;
        size_t size;
    } cases[] = {
        {"empty", "an empty file", BYTES("")},
        {"one byte", "something else", BYTES("P")},
        {"text", "not a PNG, JPEG or PGM", BYTES("hello")},
        {"GIF", "a GIF", BYTES("GIF89a")},
        {"BMP", "a BMP", BYTES("BM123")},
        {"PBM", "a PBM", BYTES("P4\n1 1\n0")},
        {"PPM", "a PPM", BYTES("P6\n1 1\n255\n123")},
        {"PNG signature changed by a text transfer", "a damaged PNG", BYTES("\211PNG\n\032\n")},
        {"P5 alone", "byte 2: the file ends, expected the width", BYTES("P5")},
        {"P5 and space", "byte 3: the file ends, expected the width", BYTES("P5\n")},
        {"P55", "byte 2: found 0x35, expected white space", BYTES("P55 1 1 255 x")},
        {"no height", "expected the height", BYTES("P5\n3\n")},
        {"no largest value", "expected the largest grey value", BYTES("P5\n3 2")},
        {"endless comment", "expected the height", BYTES("P5\n3 # 2 255")},
        {"letters", "byte 3: found 0x61", BYTES("P5\nab 2 255\n")},
        {"number and letter", "byte 4: found 0x78", BYTES("P5\n3x 2 255\n")},
        {"negative", "found 0x2d", BYTES("P5\n-3 2 255\n")},
        {"width 0", "0 x 2 pixels", BYTES("P5\n0 2\n255\n")},
        {"height 0", "3 x 0 pixels", BYTES("P2\n3 0\n255\n")},
        {"too wide", "at most 16384 a side", BYTES("P5\n16385 1\n255\n")},
        {"too high", "at most 16384 a side", BYTES("P5\n1 16385\n255\n")},
        {"too many pixels", "67108864 in all", BYTES("P5\n16384 4097\n255\n")},
        {"width overflows", "above 4294967295", BYTES("P5\n99999999999999999999 1\n255\n")},
        {"largest value 0", "largest grey value is 0", BYTES("P5\n1 1\n0\n1")},
        {"largest value 65536", "above 65535", BYTES("P5\n1 1\n65536\n12")},
        {"no space before the raster", "expected one white space", BYTES("P5\n1 1\n255")},
        {"raster short", "byte 16: the file ends there, expected 6", BYTES("P5\n3 2\n255\n12345")},
        {"raster of two bytes short", "expected 12 bytes", BYTES("P5\n3 2\n256\n12345678901")},
        {"raster long", "byte 17: more bytes", BYTES("P5\n3 2\n255\n1234567")},
        {"value too large", "grey value 101 is above 100", BYTES("P5\n1 1\n100\ne")},
        {"P2 raster short", "the file ends there, expected 11", BYTES("P2\n3 2\n255\n1 2 3 4 5")},
        {"P2 a value short", "expected the grey value", BYTES("P2\n3 2\n255\n1 20 30 40 50\n")},
        {"P2 raster long", "more bytes after", BYTES("P2\n3 2\n255\n1 2 3 4 5 6 7")},
        {"P2 value too large", "the grey value is above 9", BYTES("P2\n3 1\n9\n1 10 1")},
        {"P2 letter", "found 0x7a", BYTES("P2\n3 1\n9\n1 z 1")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        glia_image image = {.width = 77};
        glia_error error = {0};
        assert_error(cases[i].label,
                     parse("dir/bad", cases[i].bytes, cases[i].size, &image, &error),
                     GLIA_BAD_FORMAT, &error, "dir/bad: ", cases[i].word);
        assert_int_equal(image.width, 77); /* untouched */
    }
    glia_image image;
    glia_error error;
    assert_error("missing", glia_image_read("/nonexistent/a.png", &image, &error), GLIA_NOT_FOUND,
                 &error, "/nonexistent/a.png", NULL);
    assert_error("folder", glia_image_read("/", &image, &error), GLIA_IO, &error, "folder", NULL);
    assert_error("NULL", glia_image_read(NULL, &image, &error), GLIA_BAD_ARGUMENT, &error, "NULL",
                 NULL);
}

/* ---- PNG ----------------------------------------------------------------------------------- */

/* A PNG put together by hand, so that it can be wrong in any way. */
struct png {
    uint8_t data[4096];
    size_t size;
};

static void put(struct png *png, const void *data, size_t size)
{
    assert_true(png->size + size <= sizeof png->data);
    if (size) memcpy(png->data + png->size, data, size);
    png->size += size;
}

static void put_u32(struct png *png, uint32_t value)
{
    const uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                              (uint8_t)value};
    put(png, bytes, 4);
}

static void put_chunk(struct png *png, const char *type, const void *data, size_t size)
{
    put_u32(png, (uint32_t)size);
    const size_t begin = png->size;
    put(png, type, 4);
    put(png, data, size);
    put_u32(png, libdeflate_crc32(0, png->data + begin, png->size - begin));
}

/* Signature and header. */
static struct png png_begin(uint32_t width, uint32_t height, uint8_t depth, uint8_t colour)
{
    struct png png = {.size = 0}, header = {.size = 0};
    put(&png, "\211PNG\r\n\032\n", 8);
    put_u32(&header, width);
    put_u32(&header, height);
    put(&header, (const uint8_t[]){depth, colour, 0, 0, 0}, 5);
    put_chunk(&png, "IHDR", header.data, header.size);
    return png;
}

/* Rows (each begins with its filter, 0), compressed, and the end. */
static struct png png_end(struct png png, const void *rows, size_t size)
{
    uint8_t packed[2048];
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(6);
    assert_non_null(compressor);
    const size_t n = libdeflate_zlib_compress(compressor, rows, size, packed, sizeof packed);
    libdeflate_free_compressor(compressor);
    assert_true(n > 0);
    put_chunk(&png, "IDAT", packed, n);
    put_chunk(&png, "IEND", "", 0);
    return png;
}

static struct png cut(struct png png, size_t size)
{
    png.size = size;
    return png;
}

static struct png changed(struct png png, size_t at, uint8_t value)
{
    assert_int_not_equal(png.data[at], value);
    png.data[at] = value;
    return png;
}

static void test_png_kinds(void **state)
{
    (void)state;
#ifndef GLIA_HAS_PNG
    skip();
#endif
    struct png palette = png_begin(3, 1, 8, 3), transparent = png_begin(2, 1, 8, 0),
               two_parts = png_begin(3, 1, 8, 0);
    put_chunk(&palette, "PLTE", "\0\0\0\377\377\377\100\100\100", 9);
    put_chunk(&palette, "tRNS", "\377\377\0", 3);      /* the third colour is clear */
    put_chunk(&transparent, "tRNS", "\0\7", 2);        /* grey 7 is clear */
    put_chunk(&two_parts, "tEXt", "Title\0seven", 11); /* is passed over */
    const struct {
        const char *label;
        struct png png;
        size_t width;
        uint8_t pixels[3];
        int tolerance;
    } cases[] = {
        {"grey, 1 bit", png_end(png_begin(3, 1, 1, 0), "\0\240", 2), 3, {255, 0, 255}, 0},
        {"grey, 4 bits", png_end(png_begin(3, 1, 4, 0), "\0\17\160", 3), 3, {0, 255, 119}, 0},
        {"grey, 8 bits", png_end(two_parts, "\0\0\200\377", 4), 3, {0, 128, 255}, 0},
        {"grey, 16 bits",
         png_end(png_begin(3, 1, 16, 0), "\0\0\0\200\0\377\377", 7),
         3,
         {0, 128, 255},
         1},
        {"RGB",
         png_end(png_begin(3, 1, 8, 2), "\0\0\0\0\100\100\100\377\377\377", 10),
         3,
         {0, 64, 255},
         1},
        {"palette", png_end(palette, "\0\0\1\2", 4), 3, {0, 255, 255}, 0},
        {"grey and alpha",
         png_end(png_begin(3, 1, 8, 4), "\0\0\377\0\0\200\377", 7),
         3,
         {0, 255, 128},
         1},
        {"RGBA", png_end(png_begin(2, 1, 8, 6), "\0\0\0\0\0\100\100\100\377", 9), 2, {255, 64}, 1},
        {"RGBA, 16 bits",
         png_end(png_begin(2, 1, 16, 6), "\0\1\1\1\1\1\1\0\0\100\100\100\100\100\100\377\377", 17),
         2,
         {255, 64},
         1},
        {"white on a clear ground",
         png_end(png_begin(2, 1, 8, 6), "\0\377\377\377\0\377\377\377\377", 9),
         2,
         {0, 255},
         0},
        {"a clear grey", png_end(transparent, "\0\7\10", 3), 2, {255, 8}, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        glia_image image = {0};
        glia_error error = {0};
        assert_error(cases[i].label,
                     parse("x.png", cases[i].png.data, cases[i].png.size, &image, &error), GLIA_OK,
                     &error, NULL, NULL);
        assert_int_equal(image.width, cases[i].width);
        assert_int_equal(image.height, 1);
        for (size_t j = 0; j < image.width; j++)
            if (abs((int)image.pixels[j] - cases[i].pixels[j]) > cases[i].tolerance)
                fail_msg("%s: pixel %zu is %u, expected %u", cases[i].label, j, image.pixels[j],
                         cases[i].pixels[j]);
        glia_image_free(&image);
    }
    /* Half of black on white is lighter than black and darker than white. */
    const struct png half = png_end(png_begin(1, 1, 8, 4), "\0\0\200", 3);
    glia_image image;
    assert_int_equal(parse("x.png", half.data, half.size, &image, NULL), GLIA_OK);
    assert_in_range(image.pixels[0], 100, 200);
    glia_image_free(&image);
}

static void test_png_malformed(void **state)
{
    (void)state;
#ifndef GLIA_HAS_PNG
    glia_image none;
    glia_error why;
    assert_error("no PNG", parse("dir/a.png", "\211PNG\r\n\032\n", 8, &none, &why),
                 GLIA_UNSUPPORTED, &why, "dir/a.png", "libpng");
    assert_error("no PNG", glia_image_write_png("a.png", (const uint8_t *)"x", 1, 1, &why),
                 GLIA_UNSUPPORTED, &why, "a.png", "libpng");
    skip();
#endif
    const struct png good = png_end(png_begin(3, 2, 8, 0), "\0\1\2\3\0\4\5\6", 8);
    struct png no_data = png_begin(3, 2, 8, 0), no_palette = png_begin(3, 1, 8, 3);
    put_chunk(&no_data, "IEND", "", 0);
    struct png data_is_no_zlib = png_begin(3, 2, 8, 0);
    put_chunk(&data_is_no_zlib, "IDAT", "this is not zlib", 16);
    put_chunk(&data_is_no_zlib, "IEND", "", 0);
    struct png huge_chunk = png_begin(3, 2, 8, 0);
    put_u32(&huge_chunk, 0xFFFFFFFF);
    put(&huge_chunk, "IDATxxxx", 8);
    const struct {
        const char *label, *word;
        struct png png;
    } cases[] = {
        {"signature alone", "cut short", cut(good, 8)},
        {"header cut", "cut short", cut(good, 20)},
        {"header's checksum", "libpng: ", changed(good, 30, (uint8_t)~good.data[30])},
        {"header is not first", "libpng: ", changed(good, 12, 'X')},
        {"width 0", "libpng: ", png_end(png_begin(0, 2, 8, 0), "\0", 1)},
        {"height 0", "libpng: ", png_end(png_begin(3, 0, 8, 0), "\0", 1)},
        {"bit depth 3", "libpng: ", png_end(png_begin(3, 2, 3, 0), "\0\0\0\0", 4)},
        {"colour type 5", "libpng: ", png_end(png_begin(3, 2, 8, 5), "\0\0\0\0", 4)},
        {"too wide", "16385 x 1 pixels, expected at most 16384",
         png_end(png_begin(16385, 1, 8, 0), "\0", 1)},
        {"too high", "1 x 20000 pixels, expected at most 16384",
         png_end(png_begin(1, 20000, 8, 0), "\0", 1)},
        {"too many pixels", "67108864 in all", png_end(png_begin(16384, 16384, 1, 0), "\0", 1)},
        {"claims more than fits", "more than", png_end(png_begin(16384, 4096, 8, 0), "\0", 1)},
        {"no image data", "libpng: ", no_data},
        {"no palette", "libpng: ", png_end(no_palette, "\0\0\1\2", 4)},
        {"image data cut", "libpng: ", cut(good, 45)},
        {"image data damaged", "libpng: ", data_is_no_zlib},
        {"image data's checksum", "libpng: ", changed(good, 45, (uint8_t)~good.data[45])},
        {"rows missing", "libpng: ", png_end(png_begin(3, 2, 8, 0), "\0\1\2\3", 4)},
        {"filter 9", "libpng: ", png_end(png_begin(3, 1, 8, 0), "\11\1\2\3", 4)},
        {"chunk of 4 GiB", "libpng: ", huge_chunk},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        glia_image image = {.width = 77};
        glia_error error = {0};
        assert_error(cases[i].label,
                     parse("dir/bad.png", cases[i].png.data, cases[i].png.size, &image, &error),
                     GLIA_BAD_FORMAT, &error, "dir/bad.png: ", cases[i].word);
        assert_int_equal(image.width, 77);
    }
}

static void test_png_round_trip(void **state)
{
    (void)state;
#ifndef GLIA_HAS_PNG
    skip();
#endif
    char folder[] = "/tmp/glia-test-images-XXXXXX", path[64], missing[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.png", folder);
    snprintf(missing, sizeof missing, "%s/none/a.png", folder);
    uint8_t pixels[31 * 17];
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 7);
    glia_error error = {0};
    glia_image image;
    assert_int_equal(glia_image_write_png(path, pixels, 31, 17, &error), GLIA_OK);
    assert_int_equal(glia_image_read(path, &image, &error), GLIA_OK);
    assert_int_equal(image.width, 31);
    assert_int_equal(image.height, 17);
    assert_memory_equal(image.pixels, pixels, sizeof pixels);
    glia_image_free(&image);

    assert_error("no folder", glia_image_write_png(missing, pixels, 31, 17, &error), GLIA_NOT_FOUND,
                 &error, missing, NULL);
    assert_error("no pixels", glia_image_write_png(path, pixels, 0, 17, &error), GLIA_BAD_ARGUMENT,
                 &error, path, "0 x 17");
    assert_error("too wide", glia_image_write_png(path, pixels, 16385, 1, &error),
                 GLIA_BAD_ARGUMENT, &error, path, "16385");
    assert_error("NULL", glia_image_write_png(path, NULL, 3, 1, &error), GLIA_BAD_ARGUMENT, &error,
                 "NULL", NULL);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0); /* nothing else is left in it */
}

/* ---- MNIST's form -------------------------------------------------------------------------- */

enum { SIDE = 28 };

static double mean_difference(const uint8_t *a, const uint8_t *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += abs((int)a[i] - b[i]);
    return sum / (double)n;
}

/* Digit 28 x 28, each pixel k x k, at (top, left) of a page of this height and width. */
static glia_image page_with(const uint8_t *digit, size_t k, size_t top, size_t left, size_t height,
                            size_t width)
{
    glia_image page = {.width = width, .height = height, .pixels = calloc(height, width)};
    for (size_t i = 0; i < k * SIDE; i++)
        for (size_t j = 0; j < k * SIDE; j++)
            page.pixels[(top + i) * width + left + j] = digit[i / k * SIDE + j / k];
    return page;
}

static void invert(glia_image *image)
{
    for (size_t i = 0; i < image->width * image->height; i++)
        image->pixels[i] = (uint8_t)(255 - image->pixels[i]);
}

/* Light unevenly (0.8 on the left to 1.2 on the right), grey paper and ink, and noise. */
static void photograph(glia_image *image, uint64_t seed)
{
    gi_rng rng = gi_rng_make(seed, GI_RANDOM_SHUFFLE, 0, 0);
    for (size_t i = 0; i < image->width * image->height; i++) {
        const double light = 0.8 + 0.4 * (double)(i % image->width) / (double)image->width;
        const double ink = image->pixels[i] / 255.0;
        const double value = light * (190 - 120 * ink) + 4 * (double)gi_rng_normal(&rng);
        image->pixels[i] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
}

/* Calls check with images of MNIST's test set where there is one, else with drawn digits. */
static void for_digits(size_t n, void check(const uint8_t *digit, size_t index))
{
    const glia_data_params offline = {.offline = true};
    glia_dataset *mnist = NULL;
    glia_dataset_open("mnist", GLIA_SPLIT_TEST, &offline, &mnist, NULL);
    if (!mnist) print_message("without MNIST (GLIA_DATA): with digits drawn by glia instead\n");
    for (size_t i = 0; i < n; i++) {
        static _Alignas(64) uint8_t digit[SIDE * SIDE];
        if (mnist)
            assert_int_equal(whole_sample(mnist, i, digit, NULL, NULL), GLIA_OK);
        else
            gi_digits_draw(1, GLIA_SPLIT_TEST, i, digit);
        check(digit, i);
    }
    glia_dataset_free(mnist);
}

static double sum_of_differences;

static void check_unchanged(const uint8_t *digit, size_t index)
{
    (void)index;
    uint8_t copy[SIDE * SIDE], out[SIDE * SIDE];
    memcpy(copy, digit, sizeof copy);
    const glia_image image = {SIDE, SIDE, copy, 1};
    for (int form = GI_FORM_SCALE; form <= GI_FORM_MNIST; form++) {
        bool changed = true;
        assert_int_equal(gi_image_fit(&image, form, SIDE, SIDE, out, &changed, NULL), GLIA_OK);
        assert_false(changed);
        assert_memory_equal(out, digit, sizeof out);
    }
}

static void test_right_image_is_taken_as_it_is(void **state)
{
    (void)state;
    for_digits(1000, check_unchanged);
}

/* Light on dark and of the right size, but too large, or in a corner: that is not MNIST's form. */
static void test_figure_out_of_form_is_fitted(void **state)
{
    (void)state;
    uint8_t pixels[SIDE * SIDE] = {0}, out[SIDE * SIDE];
    const glia_image image = {SIDE, SIDE, pixels, 1};
    /* A bar of 3 pixels: too long, too far up, too far left. */
    static const size_t bars[][3] = {{3, 24, 13}, {1, 18, 13}, {5, 22, 2}}; /* rows, column */
    for (size_t i = 0; i < 3; i++) {
        memset(pixels, 0, sizeof pixels);
        for (size_t y = bars[i][0]; y <= bars[i][1]; y++)
            for (size_t x = 0; x < 3; x++) pixels[y * SIDE + bars[i][2] + x] = 255;
        bool changed = false;
        assert_int_equal(gi_image_fit(&image, GI_FORM_MNIST, SIDE, SIDE, out, &changed, NULL),
                         GLIA_OK);
        assert_true(changed);
        size_t rows = 0;
        for (size_t y = 0; y < SIDE; y++) rows += out[y * SIDE + 14] > 0;
        assert_int_equal(rows, 20);
        assert_int_equal(gi_image_fit(&image, GI_FORM_SCALE, SIDE, SIDE, out, &changed, NULL),
                         GLIA_OK);
        assert_false(changed); /* the other form knows no margins */
    }
}

static void check_inverted(const uint8_t *digit, size_t index)
{
    (void)index;
    glia_image image = page_with(digit, 1, 0, 0, SIDE, SIDE);
    uint8_t out[SIDE * SIDE];
    bool changed = false;
    invert(&image);
    assert_int_equal(gi_image_fit(&image, GI_FORM_SCALE, SIDE, SIDE, out, &changed, NULL), GLIA_OK);
    assert_true(changed);
    assert_memory_equal(out, digit, sizeof out);
    assert_int_equal(gi_image_fit(&image, GI_FORM_MNIST, SIDE, SIDE, out, &changed, NULL), GLIA_OK);
    sum_of_differences += mean_difference(out, digit, sizeof out);
    free(image.pixels);
}

/* Enlarged five times, black on white, off the centre: what comes out is nearly the original. */
static void check_enlarged(const uint8_t *digit, size_t index)
{
    glia_image page = page_with(digit, 5, index % 90, index * 13 % 150, 230, 290);
    uint8_t out[SIDE * SIDE];
    bool changed = false;
    invert(&page);
    assert_int_equal(gi_image_fit(&page, GI_FORM_MNIST, SIDE, SIDE, out, &changed, NULL), GLIA_OK);
    assert_true(changed);
    sum_of_differences += mean_difference(out, digit, sizeof out);
    free(page.pixels);
}

static void check_photograph(const uint8_t *digit, size_t index)
{
    glia_image page = page_with(digit, 5, index % 90, index * 13 % 150, 230, 290);
    uint8_t out[SIDE * SIDE];
    photograph(&page, index);
    assert_int_equal(gi_image_fit(&page, GI_FORM_MNIST, SIDE, SIDE, out, NULL, NULL), GLIA_OK);
    sum_of_differences += mean_difference(out, digit, sizeof out);
    free(page.pixels);
}

static void test_digits_come_back(void **state)
{
    (void)state;
    const struct {
        const char *label;
        void (*check)(const uint8_t *, size_t);
        size_t n;
        double limit; /* of the mean absolute difference; the mean pixel itself is 33 */
    } cases[] = {
        {"inverted", check_inverted, 500, 1},
        {"enlarged", check_enlarged, 300, 1},
        {"photographed", check_photograph, 100, 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sum_of_differences = 0;
        for_digits(cases[i].n, cases[i].check);
        const double mean = sum_of_differences / (double)cases[i].n;
        if (mean > cases[i].limit)
            fail_msg("%s: mean difference %.2f, expected at most %.2f", cases[i].label, mean,
                     cases[i].limit);
    }
}

/* A rectangle on a page: where its box and its centre of mass come to can be said beforehand. */
static void test_size_and_place(void **state)
{
    (void)state;
    static const struct {
        size_t height, width;            /* of the rectangle, on a page of 300 x 400 */
        size_t top, bottom, left, right; /* of what comes out */
    } cases[] = {
        {200, 100, 4, 24, 9, 19}, /* 20 x 10; the middle, floor(h / 2), comes to pixel 14 */
        {100, 200, 9, 19, 4, 24}, {200, 200, 4, 24, 4, 24}, {10, 10, 4, 24, 4, 24}, /* enlarged */
        {20, 3, 4, 24, 13, 16},   {200, 2, 4, 24, 14, 15}, /* a thin line is no fainter than a thick
                                                              one */
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        static uint8_t pixels[300 * 400];
        uint8_t out[SIDE * SIDE];
        const glia_image page = {.width = 400, .height = 300, .pixels = pixels};
        memset(pixels, 255, sizeof pixels);
        for (size_t i = 0; i < cases[c].height; i++)
            memset(pixels + (37 + i) * 400 + 111, 0, cases[c].width);
        assert_int_equal(gi_image_fit(&page, GI_FORM_MNIST, SIDE, SIDE, out, NULL, NULL), GLIA_OK);
        size_t top = SIDE, bottom = 0, left = SIDE, right = 0;
        uint8_t brightest = 0;
        for (size_t i = 0; i < SIDE; i++)
            for (size_t j = 0; j < SIDE; j++) {
                const uint8_t v = out[i * SIDE + j];
                if (v > brightest) brightest = v;
                if (v < 40) continue;
                top = i < top ? i : top;
                left = j < left ? j : left;
                bottom = i + 1 > bottom ? i + 1 : bottom;
                right = j + 1 > right ? j + 1 : right;
            }
        assert_int_equal(brightest, 255);
        assert_int_equal(top, cases[c].top);
        assert_int_equal(bottom, cases[c].bottom);
        assert_int_equal(left, cases[c].left);
        assert_int_equal(right, cases[c].right);
    }
}

/* Dust on the page and a grey border do not move the figure. */
static void test_dust(void **state)
{
    (void)state;
    _Alignas(64) uint8_t digit[SIDE * SIDE];
    uint8_t clean[SIDE * SIDE], dusty[SIDE * SIDE];
    gi_digits_draw(1, GLIA_SPLIT_TEST, 3, digit);
    glia_image page = page_with(digit, 8, 40, 60, 300, 400);
    assert_int_equal(gi_image_fit(&page, GI_FORM_MNIST, SIDE, SIDE, clean, NULL, NULL), GLIA_OK);
    for (size_t i = 0; i < 300 * 400; i += 9973) page.pixels[i] = 255;
    assert_int_equal(gi_image_fit(&page, GI_FORM_MNIST, SIDE, SIDE, dusty, NULL, NULL), GLIA_OK);
    assert_true(mean_difference(clean, dusty, sizeof clean) < 1);
    for (size_t i = 0; i < 300 * 400; i++) /* grey paper, 100, with darker ink: not clearly light */
        page.pixels[i] = (uint8_t)(100 - page.pixels[i] * 80 / 255);
    assert_int_equal(gi_image_fit(&page, GI_FORM_MNIST, SIDE, SIDE, dusty, NULL, NULL), GLIA_OK);
    assert_true(mean_difference(clean, dusty, sizeof clean) < 1);
    free(page.pixels);
}

/* In uneven light, the figure cut by the border of the photograph, as by a tight crop. */
static void test_figure_at_the_border(void **state)
{
    (void)state;
    enum { HEIGHT = 200, WIDTH = 300 };
    static uint8_t pixels[HEIGHT * WIDTH];
    uint8_t out[SIDE * SIDE], expected[SIDE * SIDE] = {0};
    for (size_t i = 0; i < HEIGHT; i++)
        for (size_t j = 0; j < WIDTH; j++) {
            const bool ink = i < 150 && j >= 90 && j < 210;
            pixels[i * WIDTH + j] = (uint8_t)(ink ? 100 : 140 + 90 * j / WIDTH + (i * j) % 3);
        }
    const glia_image photo = {.width = WIDTH, .height = HEIGHT, .pixels = pixels};
    assert_int_equal(gi_image_fit(&photo, GI_FORM_MNIST, SIDE, SIDE, out, NULL, NULL), GLIA_OK);
    for (size_t i = 4; i < 24; i++) memset(expected + i * SIDE + 6, 255, 16); /* 20 x 16 */
    /* The ink's contrast varies with the light, its shape does not. */
    for (size_t i = 0; i < SIDE * SIDE; i++) assert_true((out[i] > 60) == (expected[i] > 0));
}

/* Larger than the working size: reduced first, with the same result. */
static void test_large_page(void **state)
{
    (void)state;
    _Alignas(64) uint8_t digit[SIDE * SIDE];
    uint8_t small_out[SIDE * SIDE], large_out[SIDE * SIDE];
    gi_digits_draw(1, GLIA_SPLIT_TEST, 8, digit);
    glia_image small_page = page_with(digit, 10, 0, 0, 400, 500);
    glia_image large_page = page_with(digit, 50, 0, 0, 2000, 2500);
    assert_int_equal(gi_image_fit(&small_page, GI_FORM_MNIST, SIDE, SIDE, small_out, NULL, NULL),
                     GLIA_OK);
    assert_int_equal(gi_image_fit(&large_page, GI_FORM_MNIST, SIDE, SIDE, large_out, NULL, NULL),
                     GLIA_OK);
    assert_true(mean_difference(small_out, large_out, sizeof small_out) < 2);
    /* A hair line, one pixel of 2000, is not lost. */
    memset(large_page.pixels, 0, (size_t)2000 * 2500);
    memset(large_page.pixels + (size_t)1000 * 2500 + 2500 + 400, 255, 1500);
    assert_int_equal(gi_image_fit(&large_page, GI_FORM_MNIST, SIDE, SIDE, large_out, NULL, NULL),
                     GLIA_OK);
    assert_int_equal(large_out[14 * SIDE + 14], 255);
    free(small_page.pixels);
    free(large_page.pixels);
}

static void test_scale(void **state)
{
    (void)state;
    uint8_t pixels[4 * 6] = {
        0, 0, 0, 0,  0,  0, //
        0, 0, 9, 90, 90, 0, //
        0, 0, 9, 90, 90, 0, //
        0, 0, 0, 0,  0,  0,
    };
    const glia_image image = {.width = 6, .height = 4, .pixels = pixels};
    uint8_t out[8 * 12];
    bool changed;
    /* Halved: means of 2 x 2. */
    const uint8_t half[2 * 3] = {0, 25, 23, 0, 25, 23};
    assert_int_equal(gi_image_fit(&image, GI_FORM_SCALE, 2, 3, out, &changed, NULL), GLIA_OK);
    assert_memory_equal(out, half, sizeof half);
    assert_true(changed);
    /* Doubled: between two pixels, a quarter of the way each. */
    assert_int_equal(gi_image_fit(&image, GI_FORM_SCALE, 8, 12, out, NULL, NULL), GLIA_OK);
    assert_int_equal(out[3 * 12 + 7], 90);
    assert_int_equal(out[0], 0);
    assert_int_equal(out[3 * 12 + 10], 23); /* 90 * 1/4 */
    /* By 3/4, with the whole kept: a constant stays that constant up to the edge. */
    memset(pixels + 6, 200, 12);
    for (size_t i = 0; i < 4; i++) memset(pixels + 6 * i, (int)(i * 40), 6);
    assert_int_equal(gi_image_fit(&image, GI_FORM_SCALE, 4, 5, out, NULL, NULL), GLIA_OK);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 5; j++) assert_int_equal(out[i * 5 + j], i * 40);
}

static void test_fit_malformed(void **state)
{
    (void)state;
    uint8_t black[12] = {0}, white[12], out[SIDE * SIDE], hole[25];
    memset(white, 255, sizeof white);
    memset(hole, 40, sizeof hole);
    hole[12] = 41; /* stands out by 1 */
    const struct {
        const char *label, *word;
        glia_image image;
        int form;
        size_t height;
    } cases[] = {
        {"black", "empty: all of its 4 x 3 pixels are 0", {4, 3, black, 1}, GI_FORM_MNIST, SIDE},
        {"white", "pixels are 255", {4, 3, white, 1}, GI_FORM_SCALE, SIDE},
        {"one pixel", "1 x 1 pixels", {1, 1, white, 1}, GI_FORM_MNIST, SIDE},
        {"no pixels", "no pixels", {0, 0, NULL, 1}, GI_FORM_MNIST, SIDE},
        {"no form", "form 0", {4, 3, black, 1}, GI_FORM_NONE, SIDE},
        {"no height", "0 x 28", {4, 3, black, 1}, GI_FORM_SCALE, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        glia_error error = {0};
        const glia_status status =
            gi_image_fit(&cases[i].image, cases[i].form, cases[i].height, SIDE, out, NULL, &error);
        assert_error(cases[i].label, status, GLIA_BAD_ARGUMENT, &error, cases[i].word, NULL);
    }
    /* The faintest figure there can be is still one. */
    const glia_image faint = {5, 5, hole, 1};
    assert_int_equal(gi_image_fit(&faint, GI_FORM_MNIST, SIDE, SIDE, out, NULL, NULL), GLIA_OK);
    /* Odd sizes. */
    black[5] = 200;
    const glia_image dot = {12, 1, black, 1};
    for (size_t side = 1; side < 40; side++) {
        uint8_t *any = malloc(side * 3);
        assert_int_equal(gi_image_fit(&dot, GI_FORM_MNIST, side, 3, any, NULL, NULL), GLIA_OK);
        assert_int_equal(gi_image_fit(&dot, GI_FORM_SCALE, 3, side, any, NULL, NULL), GLIA_OK);
        free(any);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pgm),
        cmocka_unit_test(test_image_files_malformed),
        cmocka_unit_test(test_png_kinds),
        cmocka_unit_test(test_png_malformed),
        cmocka_unit_test(test_png_round_trip),
        cmocka_unit_test(test_right_image_is_taken_as_it_is),
        cmocka_unit_test(test_figure_out_of_form_is_fitted),
        cmocka_unit_test(test_digits_come_back),
        cmocka_unit_test(test_size_and_place),
        cmocka_unit_test(test_dust),
        cmocka_unit_test(test_figure_at_the_border),
        cmocka_unit_test(test_large_page),
        cmocka_unit_test(test_scale),
        cmocka_unit_test(test_fit_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
