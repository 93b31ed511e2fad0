/* SPDX-License-Identifier: MIT */
/*
 * Tests of images as data: JPEG, colour, scaling, folders with a folder for each class, what is
 * wrong with them, and that a folder of PNG trains to the same bits as the same images in IDX
 * files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assert_error.h"
#include "base/file.h"
#include "base/memory.h"
#include "config.h"
#include "data/set/dataset.h"
#include "golden/jpegs.h"
#include "image/image.h"
#include "shape.h"
#include "whole.h"

static char folder[64]; /* of this run */

static int make_root(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/glia-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int empty_root(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) == 0 ? 0 : -1;
}

/* The path of something in the folder; folders above it are made. */
static const char *at(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        (void)mkdir(path, 0777);
        *slash = '/';
    }
    return path;
}

static void write_file(const char *name, const void *data, size_t n)
{
    FILE *file = fopen(at(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, n, file), n);
    fclose(file);
}

/* A PGM of one grey. */
static void write_grey(const char *name, unsigned width, unsigned height, unsigned value)
{
    char text[4096];
    int n = snprintf(text, sizeof text, "P2 %u %u 255\n", width, height);
    for (unsigned i = 0; i < width * height; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%u ", value);
    write_file(name, text, (size_t)n);
}

static glia_dataset *must_open(const char *path, glia_split split, const glia_data_params *params)
{
    glia_error error = {0};
    glia_dataset *dataset = NULL;
    if (glia_dataset_open(path, split, params, &dataset, &error) != GLIA_OK)
        fail_msg("%s", error.message);
    return dataset;
}

/* The grey of the first pixel of each sample, and the labels. */
static void assert_samples(const glia_dataset *dataset, size_t n, const uint8_t *values,
                           const uint32_t *labels)
{
    uint8_t x[4096];
    uint32_t label;
    assert_int_equal(glia_dataset_describe(dataset).samples, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(whole_sample(dataset, i, x, &label, NULL), GLIA_OK);
        if (x[0] != values[i] || label != labels[i])
            fail_msg("sample %zu: %u, label %u", i, x[0], label);
    }
}

/* ---- JPEG ---------------------------------------------------------------------------------- */

#ifdef GLIA_HAS_JPEG

static glia_status parse(const void *bytes, size_t size, size_t channels, glia_image *image,
                         glia_error *error)
{
    uint8_t *exact = malloc(size ? size : 1);
    if (size) memcpy(exact, bytes, size);
    const glia_status status =
        gi_image_parse_as("x.jpg", exact, size, channels, image, NULL, error);
    free(exact);
    return status;
}

static void test_jpeg(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        const unsigned char *bytes, *pixels;
        size_t size, width, height, channels;
    } cases[] = {
#define CASE(name, width, height, channels)                                                        \
    {#name, jpeg_##name, jpeg_##name##_pixels, sizeof jpeg_##name, width, height, channels}
        CASE(grey, 9, 7, 1),          CASE(rgb, 9, 7, 3),        CASE(subsampled, 17, 12, 3),
        CASE(progressive, 17, 12, 3), CASE(restarts, 17, 12, 3), CASE(grey_progressive, 20, 20, 1),
        CASE(cmyk, 9, 7, 3),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        glia_image image = {0}, other = {0};
        glia_error error = {0};
        gi_image_kind kind;
        const size_t n = cases[i].width * cases[i].height * cases[i].channels;
        assert_error(cases[i].label,
                     parse(cases[i].bytes, cases[i].size, cases[i].channels, &image, &error),
                     GLIA_OK, &error, NULL, NULL);
        assert_int_equal(image.width, cases[i].width);
        assert_int_equal(image.height, cases[i].height);
        assert_int_equal(image.channels, cases[i].channels);
        for (size_t p = 0; p < n; p++) /* decoders may round otherwise */
            if (abs((int)image.pixels[p] - (int)cases[i].pixels[p]) > 2)
                fail_msg("%s: value %zu: %u", cases[i].label, p, image.pixels[p]);
        assert_int_equal(gi_image_probe("x.jpg", cases[i].bytes, cases[i].size, &kind, &error),
                         GLIA_OK);
        assert_int_equal(kind.channels, cases[i].channels);
        assert_int_equal(kind.width, cases[i].width);
        assert_int_equal(kind.height, cases[i].height);
        /* The other number of channels: luma, or three alike. */
        assert_int_equal(
            parse(cases[i].bytes, cases[i].size, 4 - cases[i].channels, &other, &error), GLIA_OK);
        for (size_t p = 0; p < cases[i].width * cases[i].height; p++) {
            const uint8_t *c = (cases[i].channels == 3 ? image : other).pixels + 3 * p;
            const double luma = 0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2];
            assert_true(abs((int)luma - (int)(cases[i].channels == 3 ? other : image).pixels[p]) <=
                        3);
        }
        glia_image_free(&image);
        glia_image_free(&other);

        /* Cut anywhere, it is refused. */
        for (size_t size = 0; size < cases[i].size; size += 1 + size / 16) {
            if (parse(cases[i].bytes, size, 1, &image, &error) != GLIA_BAD_FORMAT)
                fail_msg("%s: the first %zu bytes are taken for an image", cases[i].label, size);
            if (size >= 3) assert_non_null(strstr(error.message, "x.jpg: "));
        }
        /* Each byte changed: an image or a message. */
        uint8_t *bytes = malloc(cases[i].size);
        for (size_t b = 0; b < cases[i].size; b++) {
            memcpy(bytes, cases[i].bytes, cases[i].size);
            bytes[b] = (uint8_t)~bytes[b];
            if (parse(bytes, cases[i].size, 3, &image, &error) == GLIA_OK) glia_image_free(&image);
        }
        free(bytes);
    }
}

static void test_jpeg_malformed(void **state)
{
    (void)state;
    glia_image image;
    glia_error error = {0};
    assert_error("cut", parse(jpeg_rgb, sizeof jpeg_rgb - 9, 3, &image, &error), GLIA_BAD_FORMAT,
                 &error, "damaged or cut short (libjpeg: Corrupt JPEG data: premature end",
                 "again");
    assert_error("no image", parse("\xFF\xD8\xFF\xE0xxxx", 8, 3, &image, &error), GLIA_BAD_FORMAT,
                 &error, "damaged or cut short", NULL);
    assert_error("two bytes", parse("\xFF\xD8", 2, 3, &image, &error), GLIA_BAD_FORMAT, &error,
                 "a damaged JPEG", NULL);
    /* The header of a larger image: 0x3000 x 0x3000 pixels, and 65,535 x 1. */
    uint8_t bytes[sizeof jpeg_grey];
    for (size_t i = 0; i + 9 < sizeof bytes; i++) {
        if (jpeg_grey[i] != 0xFF || jpeg_grey[i + 1] != 0xC0) continue;
        memcpy(bytes, jpeg_grey, sizeof bytes);
        bytes[i + 5] = bytes[i + 7] = 0x30;
        assert_error("large", parse(bytes, sizeof bytes, 1, &image, &error), GLIA_BAD_FORMAT,
                     &error, "12297 x 12295", "expected at most");
        bytes[i + 5] = bytes[i + 7] = 0x10;
        assert_error("claims", parse(bytes, sizeof bytes, 1, &image, &error), GLIA_BAD_FORMAT,
                     &error, "claims 4105 x 4103 pixels", "bytes can hold");
        bytes[i + 7] = bytes[i + 8] = 0xFF;
        assert_error("wide", parse(bytes, sizeof bytes, 1, &image, &error), GLIA_BAD_FORMAT, &error,
                     NULL, NULL);
    }
}

#else

static void test_no_jpeg(void **state)
{
    (void)state;
    glia_image image;
    gi_image_kind kind;
    glia_error error = {0};
    assert_error("parse", gi_image_parse("x.jpg", jpeg_rgb, sizeof jpeg_rgb, &image, &error),
                 GLIA_UNSUPPORTED, &error, "x.jpg: this build of glia has no JPEG", "PNG or PGM");
    assert_int_equal(gi_image_probe("x.jpg", jpeg_rgb, sizeof jpeg_rgb, &kind, &error),
                     GLIA_UNSUPPORTED);
}

#endif

/* ---- Scaling and colour -------------------------------------------------------------------- */

static void test_scale(void **state)
{
    (void)state;
    static const struct {
        size_t height, width, channels;
        uint8_t in[24];
        size_t to_height, to_width, to_channels;
        uint8_t out[24];
    } cases[] = {
        {2, 2, 1, {0, 100, 200, 60}, 1, 1, 1, {90}},
        {2, 2, 1, {0, 100, 200, 60}, 2, 2, 1, {0, 100, 200, 60}},
        {2, 2, 1, {0, 100, 200, 60}, 1, 2, 1, {100, 80}},
        {1, 3, 1, {0, 90, 30}, 1, 2, 1, {30, 50}},      /* a pixel and a half each */
        {1, 2, 1, {0, 100}, 1, 4, 1, {0, 25, 75, 100}}, /* between the two nearest */
        {1, 1, 1, {7}, 3, 2, 1, {7, 7, 7, 7, 7, 7}},
        {1, 1, 3, {10, 20, 30}, 1, 2, 3, {10, 20, 30, 10, 20, 30}},
        {1, 2, 3, {10, 20, 30, 30, 40, 70}, 1, 1, 3, {20, 30, 50}},
        {1, 1, 3, {255, 0, 0}, 1, 1, 1, {76}},
        {1, 1, 1, {9}, 1, 1, 3, {9, 9, 9}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t in[24], out[24] = {0};
        memcpy(in, cases[i].in, sizeof in);
        const glia_image image = {.height = cases[i].height,
                                  .width = cases[i].width,
                                  .channels = cases[i].channels,
                                  .pixels = in};
        assert_int_equal(gi_image_scale(&image, cases[i].to_height, cases[i].to_width,
                                        cases[i].to_channels, out, NULL),
                         GLIA_OK);
        const size_t n = cases[i].to_height * cases[i].to_width * cases[i].to_channels;
        for (size_t p = 0; p < n; p++)
            if (out[p] != cases[i].out[p]) fail_msg("case %zu: value %zu: %u", i, p, out[p]);
    }
    /* Whatever the sizes, one grey stays that grey, and nothing is read beyond the image. */
    for (size_t h = 1; h < 12; h++)
        for (size_t to = 1; to < 14; to++) {
            uint8_t *in = malloc(h * h), out[14 * 14];
            memset(in, 131, h * h);
            const glia_image image = {.height = h, .width = h, .channels = 1, .pixels = in};
            assert_int_equal(gi_image_scale(&image, to, 15 - to > 13 ? 1 : 14 - to, 1, out, NULL),
                             GLIA_OK);
            for (size_t p = 0; p < to * (15 - to > 13 ? 1 : 14 - to); p++)
                assert_int_equal(out[p], 131);
            free(in);
        }
}

/* ---- Folders ------------------------------------------------------------------------------- */

static void test_order(void **state)
{
    (void)state;
    /* Names that are no numbers: class by class, bytewise. */
    write_grey("a/cat/b.pgm", 2, 1, 1);
    write_grey("a/cat/B.PGM", 2, 1, 2);
    write_grey("a/ape/10.pgm", 2, 1, 3);
    write_grey("a/ape/9.pgm", 2, 1, 4);
    write_file("a/ape/notes.txt", "x", 1);
    write_file("a/ape/.hidden.pgm", "x", 1);
    write_file("a/LICENSE", "x", 1);
    glia_dataset *dataset = must_open(at("a"), GLIA_SPLIT_TRAIN, NULL);
    const glia_dataset_info info = glia_dataset_describe(dataset);
    assert_int_equal(info.type, GLIA_TYPE_U8);
    assert_int_equal(info.height, 1);
    assert_int_equal(info.width, 2);
    assert_int_equal(info.channels, 1);
    assert_int_equal(info.classes, 2);
    assert_string_equal(glia_dataset_class_name(dataset, 0), "ape");
    assert_string_equal(info.name, "a");
    assert_non_null(strstr(glia_dataset_notes(dataset), "4 grey images of 1 x 2 pixels"));
    assert_non_null(strstr(glia_dataset_notes(dataset), "2 other files skipped"));
    assert_samples(dataset, 4, (const uint8_t[]){3, 4, 2, 1}, (const uint32_t[]){0, 0, 1, 1});
    glia_dataset_free(dataset);

    /* Numbers that are not all different: class by class, by value; classes by value too. */
    write_grey("b/10/2.pgm", 1, 1, 1);
    write_grey("b/10/11.pgm", 1, 1, 2);
    write_grey("b/9/2.pgm", 1, 1, 3);
    dataset = must_open(at("b"), GLIA_SPLIT_TRAIN, NULL);
    assert_string_equal(glia_dataset_class_name(dataset, 0), "9");
    assert_samples(dataset, 3, (const uint8_t[]){3, 1, 2}, (const uint32_t[]){0, 1, 1});
    glia_dataset_free(dataset);

    /* All different: that is the order. */
    write_grey("c/10/0002.pgm", 1, 1, 1);
    write_grey("c/10/11.pgm", 1, 1, 2);
    write_grey("c/9/3.pgm", 1, 1, 3);
    dataset = must_open(at("c"), GLIA_SPLIT_TRAIN, NULL);
    assert_samples(dataset, 3, (const uint8_t[]){1, 3, 2}, (const uint32_t[]){1, 0, 1});
    glia_dataset_free(dataset);
}

static void test_splits(void **state)
{
    (void)state;
    static const char *const tests[] = {"test", "val", "valid", "validation"};
    write_grey("d/train/no/1.pgm", 1, 1, 1);
    write_grey("d/train/yes/2.pgm", 1, 1, 2);
    glia_error error = {0};
    glia_dataset *dataset = NULL;
    assert_error("no test", glia_dataset_open(at("d"), GLIA_SPLIT_TEST, NULL, &dataset, &error),
                 GLIA_NOT_FOUND, &error, "/d/test", "val, valid, validation");
    for (size_t i = 4; i-- > 0;) { /* the first of those that are there */
        char name[64];
        snprintf(name, sizeof name, "d/%s/yes/5.pgm", tests[i]);
        write_grey(name, 1, 1, (unsigned)(10 + i));
        dataset = must_open(at("d"), GLIA_SPLIT_TEST, NULL);
        assert_int_equal(glia_dataset_describe(dataset).classes, 2);
        assert_samples(dataset, 1, (const uint8_t[]){(uint8_t)(10 + i)}, (const uint32_t[]){1});
        glia_dataset_free(dataset);
    }
    dataset = must_open(at("d"), GLIA_SPLIT_TRAIN, NULL);
    assert_samples(dataset, 2, (const uint8_t[]){1, 2}, (const uint32_t[]){0, 1});
    glia_dataset_free(dataset);

    /* A class may be called train, and test. */
    write_grey("e/train/1.pgm", 1, 1, 1);
    write_grey("e/test/2.pgm", 1, 1, 2);
    dataset = must_open(at("e"), GLIA_SPLIT_TRAIN, NULL);
    assert_string_equal(glia_dataset_class_name(dataset, 0), "test");
    glia_dataset_free(dataset);
}

static void test_sizes(void **state)
{
    (void)state;
    glia_dataset *dataset = NULL;
    write_grey("f/train/a/1.pgm", 4, 2, 50);
    write_grey("f/train/b/2.pgm", 4, 2, 60);
    write_grey("f/test/b/3.pgm", 2, 2, 70);
    /* The other split counts: a network has inputs of one number. The median is taken. */
    for (int split = GLIA_SPLIT_TRAIN; split <= GLIA_SPLIT_TEST; split++) {
        dataset = must_open(at("f"), (glia_split)split, NULL);
        assert_int_equal(glia_dataset_describe(dataset).height, 2);
        assert_int_equal(glia_dataset_describe(dataset).width, 4);
        assert_non_null(
            strstr(glia_dataset_notes(dataset),
                   "sizes differ (height x width): 2 x 4 (2), 2 x 2 (1); all are scaled "
                   "to 2 x 4, the median; image_height and image_width"));
        glia_dataset_free(dataset);
    }
    write_grey("large/a/1.pgm", 70, 20, 1); /* is reduced: 17 * 60 = 1020 */
    write_grey("large/b/2.pgm", 71, 20, 1);
    write_grey("large/b/3.pgm", 72, 20, 1);
    dataset = must_open(at("large"), GLIA_SPLIT_TRAIN, NULL);
    assert_int_equal(glia_dataset_describe(dataset).height, 17);
    assert_int_equal(glia_dataset_describe(dataset).width, 60);
    assert_non_null(strstr(glia_dataset_notes(dataset), "reduced to about 1,024 pixels"));
    glia_dataset_free(dataset);
    glia_data_params params = glia_data_default_params();
    params.image_height = 3;
    params.image_width = 5;
    for (int threads = 1; threads <= 3; threads++) {
        params.threads = threads;
        dataset = must_open(at("f"), GLIA_SPLIT_TEST, &params);
        assert_int_equal(glia_dataset_describe(dataset).features, 15);
        assert_int_equal(glia_dataset_describe(dataset).height, 3);
        assert_samples(dataset, 1, (const uint8_t[]){70}, (const uint32_t[]){1});
        glia_dataset_free(dataset);
    }
    params.image_channels = 3;
    dataset = must_open(at("f"), GLIA_SPLIT_TRAIN, &params);
    const glia_dataset_info info = glia_dataset_describe(dataset);
    assert_int_equal(info.features, 45);
    assert_int_equal(info.channels, 3);
    assert_int_equal(dataset->form, GI_FORM_WHOLE);
    /* Another set is read alike. */
    const glia_data_params like = {.like = dataset};
    glia_dataset *other = must_open(at("f"), GLIA_SPLIT_TEST, &like);
    assert_int_equal(glia_dataset_describe(other).features, 45);
    glia_dataset_free(other);
    glia_dataset_free(dataset);
}

static void test_folders_below(void **state)
{
    (void)state;
    write_grey("below/a/1.pgm", 1, 1, 10);
    write_grey("below/a/part/2.pgm", 1, 1, 20);
    write_grey("below/a/part/deep/3.pgm", 1, 1, 30);
    write_grey("below/a/.hidden/4.pgm", 1, 1, 40);
    write_grey("below/b/part/1.pgm", 1, 1, 50);
    write_file("below/b/part/notes.txt", "x", 1);
    assert_int_equal(symlink("..", at("below/a/part/loop")), 0);
    assert_int_equal(symlink("../b/part", at("below/a/linked")), 0);
    for (int threads = 1; threads <= 3; threads++) {
        const glia_data_params params = {.threads = threads};
        glia_dataset *dataset = must_open(at("below"), GLIA_SPLIT_TRAIN, &params);
        assert_samples(dataset, 5, (const uint8_t[]){10, 50, 20, 30, 50},
                       (const uint32_t[]){0, 0, 0, 0, 1});
        assert_non_null(strstr(glia_dataset_notes(dataset), "3 other files skipped"));
        glia_dataset_free(dataset);
    }
    char deep[256] = "steep/a";
    write_grey("steep/b/1.pgm", 1, 1, 1);
    for (size_t depth = 0; depth < 40; depth++) strcat(deep, "/d");
    strcat(deep, "/1.pgm");
    write_grey(deep, 1, 1, 1);
    glia_dataset *dataset;
    glia_error error;
    assert_error("depth", glia_dataset_open(at("steep"), GLIA_SPLIT_TRAIN, NULL, &dataset, &error),
                 GLIA_BAD_FORMAT, &error, "to a depth of 32", "circle");
}

/* What cannot be read among what can. */
static void test_bad_images_are_skipped(void **state)
{
    (void)state;
    write_grey("some/a/1.pgm", 1, 1, 10);
    write_file("some/a/2.jpg", "", 0);
    write_file("some/a/3.png", "GIF89a", 6);
    write_grey("some/a/4.pgm", 1, 1, 40);
    write_file("some/b/5.pgm", "P5 9 9 255 ", 11);
    write_grey("some/b/6.pgm", 1, 1, 60);
    for (int threads = 1; threads <= 4; threads++)
        for (size_t size = 0; size <= 1; size++) { /* 0: headers are probed before */
            glia_data_params params = {.threads = threads};
            glia_dataset *dataset;
            glia_error error;
            params.image_height = params.image_width = params.image_channels = size;
            assert_error("bad",
                         glia_dataset_open(at("some"), GLIA_SPLIT_TRAIN, &params, &dataset, &error),
                         GLIA_BAD_FORMAT, &error, "some/a/2.jpg: ", "(table.skip_bad_rows)");
            params.table.skip_bad_rows = true;
            dataset = must_open(at("some"), GLIA_SPLIT_TRAIN, &params);
            assert_samples(dataset, 3, (const uint8_t[]){10, 40, 60}, (const uint32_t[]){0, 0, 1});
            const char *notes = glia_dataset_notes(dataset);
            assert_non_null(strstr(notes, "3 grey images of 1 x 1 pixels"));
            assert_non_null(strstr(notes, "3 images cannot be read and are left out; the first: "));
            assert_non_null(strstr(notes, "some/a/2.jpg: "));
            assert_non_null(strstr(notes, "an empty file"));
            glia_dataset_free(dataset);
        }
    write_file("none/a/1.jpg", "", 0);
    write_file("none/b/2.jpg", "", 0);
    const glia_data_params params = {.table.skip_bad_rows = true};
    glia_dataset *dataset;
    glia_error error;
    assert_error("none", glia_dataset_open(at("none"), GLIA_SPLIT_TRAIN, &params, &dataset, &error),
                 GLIA_BAD_FORMAT, &error, "none of its images can be read", "none/a/1.jpg");
}

static void test_folders_malformed(void **state)
{
    (void)state;
    glia_error error = {0};
    glia_dataset *dataset = NULL;
    glia_data_params params = glia_data_default_params();
#define OPEN(name, params) glia_dataset_open(at(name), GLIA_SPLIT_TRAIN, params, &dataset, &error)
    (void)at("empty/");
    assert_error("empty", OPEN("empty", NULL), GLIA_NOT_FOUND, &error, "CLASS/FILE.png",
                 "train-images-idx3-ubyte");
    write_grey("flat/1.pgm", 1, 1, 1);
    assert_error("flat", OPEN("flat", NULL), GLIA_BAD_FORMAT, &error, "1 image and no folders",
                 "a folder for each class");
    write_grey("one/a/1.pgm", 1, 1, 1);
    assert_error("one", OPEN("one", NULL), GLIA_BAD_FORMAT, &error, "one folder, a,",
                 "at least two");
    write_grey("hollow/a/1.pgm", 1, 1, 1);
    write_file("hollow/b/readme.md", "x", 1);
    assert_error("hollow", OPEN("hollow", NULL), GLIA_BAD_FORMAT, &error,
                 "hollow/b: found no image", "remove it if it is no class");
    write_grey("broken/a/1.pgm", 1, 1, 1);
    write_grey("broken/a/3.pgm", 1, 1, 1);
    write_file("broken/b/2.png", "P5\n2 2\n255\n123", 14);
    write_file("broken/b/4.png", "GIF89a", 6);
    for (int threads = 1; threads <= 4; threads++) { /* the first is told, whoever finds it */
        params.threads = threads;
        assert_error("broken", OPEN("broken", &params), GLIA_BAD_FORMAT, &error, "broken/b/4.png",
                     "a GIF");
        params.image_height = params.image_width = params.image_channels = 1;
        assert_error("broken, decoded", OPEN("broken", &params), GLIA_BAD_FORMAT, &error,
                     "broken/b/2.png: byte 14", NULL);
        params.image_height = params.image_width = params.image_channels = 0;
    }
    write_grey("extra/train/a/1.pgm", 1, 1, 1);
    write_grey("extra/train/b/2.pgm", 1, 1, 1);
    write_grey("extra/test/c/3.pgm", 1, 1, 1);
    assert_error("extra", OPEN("extra", NULL), GLIA_BAD_FORMAT, &error, "extra/test/c",
                 "no folder in");
    params = glia_data_default_params();
    params.image_height = 4;
    assert_error("half a size", OPEN("one", &params), GLIA_BAD_ARGUMENT, &error,
                 "height 4 and width 0", NULL);
    params.image_width = 4;
    params.image_channels = 2;
    assert_error("two channels", OPEN("one", &params), GLIA_BAD_ARGUMENT, &error, "2 channels",
                 NULL);
    write_grey("large/a/1.pgm", 1, 1, 1);
    write_grey("large/b/2.pgm", 1, 1, 1);
    params.image_height = params.image_width = 1025;
    params.image_channels = 1;
    assert_error("large", OPEN("large", &params), GLIA_BAD_FORMAT, &error, "1025 x 1025",
                 "image_height and image_width");
    params.image_height = params.image_width = SIZE_MAX / 2;
    assert_error("huge", OPEN("large", &params), GLIA_BAD_FORMAT, &error,
                 "image_height and image_width", NULL);
}

/* ---- The whole way ------------------------------------------------------------------------- */

#ifdef GLIA_HAS_PNG

/* Trains and saves; the bytes of the model file, to be freed. */
static uint8_t *train(const char *data, size_t *n)
{
    glia_error error = {0};
    glia_dataset *dataset = must_open(data, GLIA_SPLIT_TRAIN, NULL);
    const glia_dataset_info info = glia_dataset_describe(dataset);
    const size_t hidden[] = {20};
    shape how = shape_of(info.features, info.classes);
    how.n_hidden = 1;
    how.hidden = hidden;
    glia_settings params = gi_settings_defaults();
    params.epochs = 2;
    params.threads = 2;
    glia_network *network = NULL;
    assert_int_equal(shape_network(&how, &network, &error), GLIA_OK);
    assert_error("train", glia_train(network, dataset, NULL, &params, NULL, &error), GLIA_OK,
                 &error, NULL, NULL);
    assert_int_equal(glia_network_save(network, at("model"), &error), GLIA_OK);
    gi_file file;
    assert_int_equal(gi_file_open(at("model"), &file, &error), GLIA_OK);
    uint8_t *bytes = malloc(file.size);
    memcpy(bytes, file.data, file.size);
    *n = file.size;
    gi_file_close(&file);
    glia_network_free(network);
    glia_dataset_free(dataset);
    return bytes;
}

static void test_same_bits_as_idx(void **state)
{
    (void)state;
    enum { N = 300, SIDE = 28 };
    static uint8_t images[16 + N * SIDE * SIDE] = {0, 0, 8, 3,    0, 0, N >> 8, N & 255,
                                                   0, 0, 0, SIDE, 0, 0, 0,      SIDE};
    static uint8_t labels[8 + N] = {0, 0, 8, 1, 0, 0, N >> 8, N & 255};
    glia_dataset *digits = must_open("digits", GLIA_SPLIT_TRAIN, NULL);
    for (size_t i = 0; i < N; i++) {
        uint8_t *pixels = images + 16 + i * SIDE * SIDE;
        uint32_t label;
        char name[64];
        assert_int_equal(whole_sample(digits, i, pixels, &label, NULL), GLIA_OK);
        labels[8 + i] = (uint8_t)label;
        snprintf(name, sizeof name, "png/set/train/%u/%zu.png", label, i);
        const glia_image image = {.height = SIDE, .width = SIDE, .pixels = pixels};
        assert_int_equal(glia_image_write(at(name), &image, NULL), GLIA_OK);
    }
    glia_dataset_free(digits);
    write_file("idx/set/train-images-idx3-ubyte", images, sizeof images);
    write_file("idx/set/train-labels-idx1-ubyte", labels, sizeof labels);
    size_t n_idx, n_png;
    uint8_t *idx = train(at("idx/set"), &n_idx), *png = train(at("png/set"), &n_png);
    assert_int_equal(n_idx, n_png);
    assert_memory_equal(idx, png, n_idx);
    free(idx);
    free(png);
}

/* Colour: learned from, kept in the model, and pictures brought into its form. */
static void test_colour(void **state)
{
    (void)state;
    glia_error error = {0};
    for (unsigned i = 0; i < 40; i++) {
        char name[64];
        uint8_t pixels[2 * 3 * 3];
        const bool red = i % 2;
        for (size_t p = 0; p < 6; p++) { /* of about the same grey */
            pixels[3 * p] = red ? (uint8_t)(196 + i) : 0;
            pixels[3 * p + 1] = red ? 0 : (uint8_t)(100 + i / 2);
            pixels[3 * p + 2] = 0;
        }
        snprintf(name, sizeof name, "rgb/%s/%u.png", red ? "red" : "green", i);
        const glia_image image = {.height = 2, .width = 3, .channels = 3, .pixels = pixels};
        assert_int_equal(glia_image_write(at(name), &image, &error), GLIA_OK);
    }
    glia_dataset *dataset = must_open(at("rgb"), GLIA_SPLIT_TRAIN, NULL);
    assert_int_equal(glia_dataset_describe(dataset).channels, 3);
    assert_int_equal(glia_dataset_describe(dataset).features, 18);

    shape how = shape_of(18, 2);
    glia_settings params = gi_settings_defaults();
    glia_network *network = NULL, *loaded = NULL;
    assert_int_equal(shape_network(&how, &network, &error), GLIA_OK);
    assert_int_equal(glia_train(network, dataset, NULL, &params, NULL, &error), GLIA_OK);
    assert_int_equal(glia_network_save(network, at("m"), &error), GLIA_OK);
    assert_error("load", glia_network_load(at("m"), &loaded, &error), GLIA_OK, &error, NULL, NULL);
    assert_int_equal(glia_network_describe(loaded).channels, 3);

    uint8_t x[18];
    float probabilities[2];
    bool changed;
    uint8_t *pixels = gi_alloc(4 * 4, 3, "an image", NULL);
    for (size_t p = 0; p < 16; p++) pixels[3 * p] = 210;
    glia_image image = {.height = 4, .width = 4, .channels = 3, .pixels = pixels};
    assert_int_equal(whole_fit_image(loaded, &image, x, &changed, &error), GLIA_OK);
    assert_true(changed && x[0] == 210 && x[1] == 0 && x[15] == 210);
    assert_int_equal(whole_predict(loaded, GLIA_TYPE_U8, x, 1, probabilities, &error), GLIA_OK);
    assert_string_equal(glia_network_class_name(loaded, 1), "red");
    assert_true(probabilities[1] > 0.9F);
    glia_image_free(&image);

    glia_metrics metrics;
    glia_dataset *fitted = NULL;
    assert_int_equal(
        glia_dataset_open_for(loaded, at("rgb"), GLIA_SPLIT_TRAIN, NULL, &fitted, &error), GLIA_OK);
    assert_int_equal(whole_evaluate(loaded, fitted, 1, &metrics, NULL, &error), GLIA_OK);
    assert_true(metrics.accuracy == 1);

    /* What grey images alone can have. */
    params.augment = true;
    assert_error("augmentation", glia_train(network, dataset, NULL, &params, NULL, &error),
                 GLIA_MISMATCH, &error, "in colour", "read them in grey");
    params.augment = false;
    glia_network *deskewing = NULL;
    how.preprocess = GLIA_PREPROCESS_DESKEW;
    assert_int_equal(shape_network(&how, &deskewing, &error), GLIA_OK);
    assert_error("deskew", glia_train(deskewing, dataset, NULL, &params, NULL, &error),
                 GLIA_MISMATCH, &error, "in colour", NULL);
    glia_network_free(deskewing);
    glia_network_free(network);
    glia_network_free(loaded);
    glia_dataset_free(fitted);
    glia_dataset_free(dataset);
}

/* A picture in colour for a network that reads grey ones. */
static void test_colour_becomes_grey(void **state)
{
    (void)state;
    uint8_t x[4], pixels[12] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9};
    glia_error error = {0};
    for (unsigned i = 0; i < 4; i++) {
        char name[32];
        snprintf(name, sizeof name, "light/%u/%u.pgm", i % 2, i);
        write_grey(name, 2, 2, 200 + i); /* not light on dark: nothing is inverted */
    }
    glia_dataset *dataset = must_open(at("light"), GLIA_SPLIT_TRAIN, NULL);
    assert_int_equal(dataset->form, GI_FORM_WHOLE);
    shape how = shape_of(4, 2);
    glia_settings params = gi_settings_defaults();
    glia_network *network = NULL;
    bool changed;
    params.epochs = 1;
    assert_int_equal(shape_network(&how, &network, &error), GLIA_OK);
    assert_int_equal(glia_train(network, dataset, NULL, &params, NULL, &error), GLIA_OK);
    const glia_image image = {.height = 2, .width = 2, .channels = 3, .pixels = pixels};
    assert_int_equal(whole_fit_image(network, &image, x, &changed, &error), GLIA_OK);
    assert_memory_equal(x, ((const uint8_t[]){76, 150, 29, 9}), 4);
    assert_false(changed);
    glia_network_free(network);
    glia_dataset_free(dataset);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef GLIA_HAS_JPEG
        cmocka_unit_test(test_jpeg),
        cmocka_unit_test(test_jpeg_malformed),
#else
        cmocka_unit_test(test_no_jpeg),
#endif
        cmocka_unit_test(test_scale),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_splits),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_folders_below),
        cmocka_unit_test(test_bad_images_are_skipped),
        cmocka_unit_test(test_folders_malformed),
#ifdef GLIA_HAS_PNG
        cmocka_unit_test(test_same_bits_as_idx),
        cmocka_unit_test(test_colour),
        cmocka_unit_test(test_colour_becomes_grey),
#endif
    };
    return cmocka_run_group_tests(tests, make_root, empty_root);
}
