/* SPDX-License-Identifier: MIT */
/*
 * Tests of data sets: IDX and gzip (each rule as a line of a table of malformed files), folders,
 * names, arrays, hold-out. Each malformed input must give its status and a message that names the
 * file and says what is wrong. What needs MNIST is skipped where GLIA_DATA does not say where it
 * is.
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
#include <sys/stat.h>
#include <unistd.h>

#include "assert_error.h"
#include "base/memory.h"
#include "config.h"
#include "data/files/gzip.h"
#include "data/files/idx.h"
#include "data/set/dataset.h"
#include "shape.h"
#include "whole.h"

/* ---- Helpers ------------------------------------------------------------------------------- */

static char folder[64]; /* of this run; emptied after each test */
static char *glia_data; /* as the test was started with; or NULL */

/* folder/file, in one of a few static buffers. */
static const char *in_folder(const char *file)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, file);
    return path;
}

static void write_file(const char *file, const void *data, size_t size)
{
    FILE *out = fopen(in_folder(file), "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(data, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

static void remove_tree(const char *path)
{
    char command[512];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    assert_int_equal(system(command), 0);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/glia-test-data-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    remove_tree(folder);
    return 0;
}

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

static size_t largest_block; /* that the library asked for */

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    if (size > largest_block) largest_block = size;
    return __real_aligned_alloc(alignment, size);
}

/* A growing block of bytes. */
struct bytes {
    uint8_t data[4096];
    size_t size;
};

static void put(struct bytes *bytes, const void *data, size_t size)
{
    assert_true(bytes->size + size <= sizeof bytes->data);
    if (size) memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

/* IDX: type, number of dimensions, the dimensions, then size bytes 0, 1, 2, ... modulo modulus. */
static struct bytes idx_of(uint8_t type, uint8_t n_dims, const uint32_t *dims, size_t size,
                           unsigned modulus)
{
    struct bytes idx = {.data = {0, 0, type, n_dims}, .size = 4};
    for (size_t d = 0; d < n_dims; d++) {
        const uint8_t big_endian[4] = {(uint8_t)(dims[d] >> 24), (uint8_t)(dims[d] >> 16),
                                       (uint8_t)(dims[d] >> 8), (uint8_t)dims[d]};
        put(&idx, big_endian, 4);
    }
    for (size_t i = 0; i < size; i++) put(&idx, &(uint8_t){(uint8_t)(i % modulus)}, 1);
    return idx;
}

/* One gzip member. */
static struct bytes gzip_of(const void *data, size_t size)
{
    struct bytes out = {.size = 0};
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(9);
    assert_non_null(compressor);
    out.size = libdeflate_gzip_compress(compressor, data, size, out.data, sizeof out.data);
    libdeflate_free_compressor(compressor);
    assert_true(out.size > 0);
    return out;
}

static struct bytes joined(struct bytes a, struct bytes b)
{
    put(&a, b.data, b.size);
    return a;
}

static struct bytes cut(struct bytes bytes, size_t size)
{
    bytes.size = size;
    return bytes;
}

static struct bytes changed(struct bytes bytes, size_t at, uint8_t value)
{
    assert_int_not_equal(bytes.data[at], value);
    bytes.data[at] = value;
    return bytes;
}

static struct bytes text(const char *string)
{
    struct bytes bytes = {.size = 0};
    put(&bytes, string, strlen(string));
    return bytes;
}

/* ---- IDX ----------------------------------------------------------------------------------- */

static const uint32_t dims_3[3] = {3, 2, 2};

static void test_idx_malformed(void **state)
{
    (void)state;
    const uint32_t zero[3] = {3, 0, 2}, huge[4] = {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 2};
    const uint32_t four_gigabytes[1] = {0xFFFFFFF0}, five[5] = {1, 1, 1, 1, 1};
    const struct bytes good = idx_of(8, 3, dims_3, 12, 256);
    const struct {
        const char *label, *word;
        struct bytes bytes;
    } cases[] = {
        {"empty", "byte 0: the file ends", {.size = 0}},
        {"three bytes", "byte 3: the file ends", cut(good, 3)},
        {"first byte", "01 00, expected 00 00", changed(good, 0, 1)},
        {"second byte", "00 07, expected 00 00", changed(good, 1, 7)},
        {"text", "not an IDX file", text("hello, world")},
        {"i8", "signed bytes", idx_of(0x09, 3, dims_3, 12, 256)},
        {"i16", "16-bit integers", idx_of(0x0B, 3, dims_3, 24, 256)},
        {"i32", "32-bit integers", idx_of(0x0C, 3, dims_3, 48, 256)},
        {"f32", "32-bit floats", idx_of(0x0D, 3, dims_3, 48, 256)},
        {"f64", "64-bit floats", idx_of(0x0E, 3, dims_3, 96, 256)},
        {"unknown type", "type 0x0a (no type of IDX)", idx_of(0x0A, 3, dims_3, 12, 256)},
        {"no dimensions", "0 dimensions, expected 1 to 4", idx_of(8, 0, NULL, 0, 256)},
        {"five dimensions", "5 dimensions", idx_of(8, 5, five, 1, 256)},
        {"header cut", "byte 15: the file ends there, expected 16", cut(good, 15)},
        {"no data", "byte 16: the file ends there, expected 28", cut(good, 16)},
        {"a byte too few", "byte 27: the file ends there, expected 28", cut(good, 27)},
        {"a byte too many", "1 byte after the array's end", joined(good, text("x"))},
        {"dimension 0", "dimension 1 is 0", idx_of(8, 3, zero, 0, 256)},
        {"overflow", "larger than memory can be", idx_of(8, 4, huge, 0, 256)},
        {"claims 4 GiB", "byte 8: the file ends", idx_of(8, 1, four_gigabytes, 0, 256)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gi_idx idx = {.size = 99};
        glia_error error = {0};
        uint8_t *exact = malloc(cases[i].bytes.size + 1); /* AddressSanitizer sees its end */
        memcpy(exact, cases[i].bytes.data, cases[i].bytes.size);
        const glia_status status =
            gi_idx_parse("dir/bad.idx", exact, cases[i].bytes.size, &idx, &error);
        free(exact);
        assert_error(cases[i].label, status, GLIA_BAD_FORMAT, &error, "dir/bad.idx: byte",
                     cases[i].word);
        assert_int_equal(idx.size, 99); /* untouched */
    }
}

static void test_gzip_malformed(void **state)
{
    (void)state;
    const struct bytes plain = idx_of(8, 3, dims_3, 12, 256);
    const struct bytes good = gzip_of(plain.data, plain.size);
    const struct bytes first = gzip_of(plain.data, 10), second = gzip_of(plain.data + 10, 18);
    const uint32_t much[2] = {100000, 1000}, too_much[2] = {0x20000, 0x10000};
    const struct bytes claims_much = idx_of(8, 2, much, 0, 256);
    const struct bytes claims_8_gib = idx_of(8, 2, too_much, 0, 256);
    const struct {
        const char *label, *word;
        struct bytes bytes;
    } cases[] = {
        {"magic only", "cut short", cut(good, 2)},
        {"header cut", "cut short", cut(good, 9)},
        {"body cut", "cut short", cut(good, 20)},
        {"checksum cut", "cut short", cut(good, good.size - 8)},
        {"last byte cut", "cut short", cut(good, good.size - 1)},
        {"method", "byte 2: the gzip data is damaged (method 7", changed(good, 2, 7)},
        {"flags", "byte 3: the gzip data is damaged (unknown flags, e0)", changed(good, 3, 0xE0)},
        {"extra field cut", "cut short", cut(changed(good, 3, 4), 11)},
        {"extra field long", "cut short", joined(cut(changed(good, 3, 4), 10), text("zz..."))},
        {"name without end", "cut short", joined(cut(changed(good, 3, 8), 10), text("name"))},
        {"comment without end", "cut short", joined(cut(changed(good, 3, 16), 10), text("why"))},
        {"header check cut", "cut short", cut(changed(good, 3, 2), 11)},
        {"header check", "incorrect header check", changed(good, 3, 2)},
        {"block type", "the gzip data from byte 10 on is damaged", changed(good, 10, 0xFF)},
        {"checksum", "incorrect data check", changed(good, good.size - 8, good.data[0])},
        {"length", "incorrect length check", changed(good, good.size - 4, 0x7F)},
        {"text after", "bytes after the end of the gzip data", joined(good, text("more"))},
        {"a zero and more after", "bytes after the end",
         joined(joined(good, cut((struct bytes){{0}, 0}, 1)), text("x"))},
        {"second member cut", "cut short", joined(first, cut(second, second.size - 3))},
        {"second member bad", "damaged", joined(first, text("\x1f and so on"))},
        {"second member absent", "too short", first},
        {"third member too many", "too long", joined(joined(first, second), second)},
        {"content short", "too short: only 27 of 28 bytes", gzip_of(plain.data, 27)},
        {"content long", "too long", joined(first, gzip_of(plain.data + 10, 19))},
        {"header short", "too short: only 2 of 4", gzip_of(plain.data, 2)},
        {"dims short", "too short: only 15 of 16", gzip_of(plain.data, 15)},
        {"no content", "too short: only 0 of 4", gzip_of("", 0)},
        {"content no IDX", "not an IDX file", gzip_of("hello, world", 12)},
        {"content floats", "64-bit floats", gzip_of(changed(plain, 2, 0x0E).data, 28)},
        {"claims much", "too short: only 12 of 100000012",
         gzip_of(claims_much.data, claims_much.size)},
        {"claims 8 GiB", "too short: only 12 of", gzip_of(claims_8_gib.data, claims_8_gib.size)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gi_idx idx = {.size = 99};
        glia_error error = {0};
        uint8_t *exact = malloc(cases[i].bytes.size);
        memcpy(exact, cases[i].bytes.data, cases[i].bytes.size);
        const glia_status status =
            gi_idx_parse("dir/bad.gz", exact, cases[i].bytes.size, &idx, &error);
        free(exact);
        assert_error(cases[i].label, status, GLIA_BAD_FORMAT, &error,
                     "dir/bad.gz: ", cases[i].word);
        assert_int_equal(idx.size, 99);
    }
}

/* As gzip_of, of n zeros, in a block of its own of *size bytes, to be freed. */
static uint8_t *gzip_of_zeros(size_t n, size_t *size)
{
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(6);
    assert_non_null(compressor);
    const size_t room = libdeflate_gzip_compress_bound(compressor, n);
    uint8_t *zeros = calloc(n, 1), *file = malloc(room);
    *size = libdeflate_gzip_compress(compressor, zeros, n, file, room);
    libdeflate_free_compressor(compressor);
    free(zeros);
    assert_true(*size > 0);
    return file;
}

/* More than may come is refused, whatever the trailer says; just as much is not. */
/* Zeros that fill up the last block of a tape, or of a copy, are no data. */
static void test_gzip_zeros(void **state)
{
    (void)state;
    const struct bytes plain = idx_of(8, 3, dims_3, 12, 256);
    const struct bytes padded =
        joined(gzip_of(plain.data, plain.size), cut((struct bytes){{0}, 0}, 200));
    gi_idx idx = {0};
    glia_error error = {0};
    assert_error("zeros", gi_idx_parse("a.gz", padded.data, padded.size, &idx, &error), GLIA_OK,
                 &error, NULL, NULL);
    assert_int_equal(idx.size, 12);
    gi_idx_free(&idx);
}

static void test_gzip_ceiling(void **state)
{
    (void)state;
    const size_t n = 3000000;
    size_t size, n_out = 99;
    uint8_t *file = gzip_of_zeros(n, &size), *out = NULL;
    assert_true(size < n / 500);
    for (int lies = 0; lies < 2; lies++) {
        glia_error error = {0};
        assert_error("ceiling",
                     gi_gzip_decompress("dir/bad.gz", file, size, n - 1, &out, &n_out, &error),
                     GLIA_BAD_FORMAT, &error, "dir/bad.gz: more than 2999999 bytes come", "gunzip");
        assert_null(out);
        assert_int_equal(n_out, 99);
        memset(file + size - 4, 0, 4); /* a length of 0 */
    }
    memset(file + size - 4, 0xFF, 4); /* one of 4 GiB, which must not be allocated */
    largest_block = 0;
    glia_error error = {0};
    assert_error("lies",
                 gi_gzip_decompress("dir/bad.gz", file, size, SIZE_MAX, &out, &n_out, &error),
                 GLIA_BAD_FORMAT, &error, "dir/bad.gz: byte", "incorrect length check: 3000000");
    assert_in_range(largest_block, n, 2 * n);
    free(file);

    assert_int_equal(gi_gzip_ceiling(0), 256 << 20);
    assert_int_equal(gi_gzip_ceiling(10 << 20), (size_t)1280 << 20);
    assert_int_equal(gi_gzip_ceiling(SIZE_MAX), (size_t)1 << 32);
}

/* Room that the trailer does not tell of: it grows, and what came before stays. */
static void test_gzip_members(void **state)
{
    (void)state;
    const size_t n = 2500000; /* more than is believed of any file */
    size_t size, n_out = 0;
    uint8_t *zeros = gzip_of_zeros(n, &size), *out = NULL;
    const struct bytes head = gzip_of("head", 4), none = gzip_of("", 0), tail = gzip_of("tail", 4);
    uint8_t *file = malloc(head.size + none.size + size + tail.size), *end = file;
    memcpy(end, head.data, head.size);
    memcpy(end += head.size, none.data, none.size);
    memcpy(end += none.size, zeros, size);
    memcpy(end += size, tail.data, tail.size); /* whose length, 4, is the last in the file */
    end += tail.size;
    glia_error error = {0};
    assert_int_equal(
        gi_gzip_decompress("x", file, (size_t)(end - file), 4 + n + 4, &out, &n_out, &error),
        GLIA_OK);
    assert_int_equal(n_out, 4 + n + 4);
    assert_memory_equal(out, "head", 4);
    for (size_t i = 0; i < n; i++)
        if (out[4 + i] != 0) fail_msg("byte %zu", i);
    assert_memory_equal(out + 4 + n, "tail", 4);
    gi_free(out);
    assert_error(
        "one more",
        gi_gzip_decompress("x", file, (size_t)(end - file), 4 + n + 3, &out, &n_out, &error),
        GLIA_BAD_FORMAT, &error, "x: more than", "bytes come when decompressed");
    free(file);
    free(zeros);
}

/* A header with all that it may hold. */
static void test_gzip_header(void **state)
{
    (void)state;
    const struct bytes good = gzip_of("content", 7);
    struct bytes file = changed(cut(good, 10), 3, 2 | 4 | 8 | 16);
    put(&file, "\x03\x00", 2);
    put(&file, "ab", 3); /* with a zero byte: it is no text */
    put(&file, "name", 5);
    put(&file, "comment", 8);
    const uint32_t crc = libdeflate_crc32(0, file.data, file.size);
    put(&file, (const uint8_t[]){(uint8_t)crc, (uint8_t)(crc >> 8)}, 2);
    put(&file, good.data + 10, good.size - 10);
    for (size_t size = 0; size <= file.size; size++) {
        uint8_t *out = NULL, *exact = malloc(size + 1); /* AddressSanitizer sees its end */
        size_t n = 0;
        memcpy(exact, file.data, size);
        const glia_status status = gi_gzip_decompress("x", exact, size, 100, &out, &n, NULL);
        assert_int_equal(status, size < file.size ? GLIA_BAD_FORMAT : GLIA_OK);
        free(exact);
        if (status) continue;
        assert_int_equal(n, 7);
        assert_memory_equal(out, "content", 7);
        gi_free(out);
    }
}

static void test_idx_plain_and_gzip_agree(void **state)
{
    (void)state;
    const struct bytes plain = idx_of(8, 3, dims_3, 12, 256);
    const struct bytes whole = gzip_of(plain.data, plain.size);
    const struct bytes members =
        joined(joined(gzip_of(plain.data, 3), gzip_of("", 0)), gzip_of(plain.data + 3, 25));
    const struct bytes *forms[] = {&plain, &whole, &members};
    for (size_t i = 0; i < 3; i++) {
        gi_idx idx;
        glia_error error;
        assert_int_equal(gi_idx_parse("x", forms[i]->data, forms[i]->size, &idx, &error), GLIA_OK);
        assert_int_equal(idx.n_dims, 3);
        assert_int_equal(idx.dims[0], 3);
        assert_int_equal(idx.dims[1], 2);
        assert_int_equal(idx.dims[2], 2);
        assert_int_equal(idx.size, 12);
        assert_memory_equal(idx.data, plain.data + 16, 12);
        if (i == 0) /* borrowed, not copied */
            assert_ptr_equal(idx.data, plain.data + 16);
        else
            assert_non_null(idx.owned);
        gi_idx_free(&idx);
    }
}

/* ---- Folders ------------------------------------------------------------------------------- */

#define TRAIN_IMAGES "train-images-idx3-ubyte"
#define TRAIN_LABELS "train-labels-idx1-ubyte"
#define TEST_IMAGES  "t10k-images-idx3-ubyte"
#define TEST_LABELS  "t10k-labels-idx1-ubyte"

/* Six images of 2 x 3 and their labels 0 1 2 0 1 2. */
static void write_train(void)
{
    const uint32_t image_dims[3] = {6, 2, 3}, label_dims[1] = {6};
    const struct bytes images = idx_of(8, 3, image_dims, 36, 256);
    const struct bytes labels = idx_of(8, 1, label_dims, 6, 3);
    write_file(TRAIN_IMAGES, images.data, images.size);
    write_file(TRAIN_LABELS, labels.data, labels.size);
}

static void test_folder(void **state)
{
    (void)state;
    write_train();
    glia_dataset *dataset;
    glia_error error;
    assert_int_equal(glia_dataset_open(folder, GLIA_SPLIT_TRAIN, NULL, &dataset, &error), GLIA_OK);
    const glia_dataset_info info = glia_dataset_describe(dataset);
    assert_string_equal(info.name, strrchr(folder, '/') + 1);
    assert_int_equal(info.type, GLIA_TYPE_U8);
    assert_int_equal(info.samples, 6);
    assert_int_equal(info.features, 6);
    assert_int_equal(info.classes, 3);
    assert_int_equal(info.height, 2);
    assert_int_equal(info.width, 3);
    assert_int_equal(dataset->form, GI_FORM_SCALE);
    assert_true(dataset->divisor == 255);
    assert_true(dataset->file.mapped); /* not copied */
    assert_null(dataset->owned_x);
    assert_string_equal(glia_dataset_class_name(dataset, 2), "2");
    assert_null(glia_dataset_class_name(dataset, 3));
    assert_int_equal(gi_dataset_row_bytes(dataset), 6);
    assert_false(gi_dataset_is_endless(dataset));

    uint8_t x[6];
    uint32_t label;
    assert_int_equal(whole_sample(dataset, 5, x, &label, NULL), GLIA_OK);
    assert_int_equal(label, 2);
    for (size_t i = 0; i < 6; i++) assert_int_equal(x[i], 30 + i);
    assert_int_equal(whole_sample(dataset, 4, NULL, NULL, NULL), GLIA_OK);
    assert_error("sample", whole_sample(dataset, 6, x, &label, &error), GLIA_BAD_ARGUMENT, &error,
                 "no sample 6", "last is 5");
    glia_dataset_free(dataset);
    glia_dataset_free(NULL);
}

/* The same content, compressed; then both: the plain file is the one used. */
static void test_folder_gzip(void **state)
{
    (void)state;
    const uint32_t image_dims[3] = {6, 2, 3}, label_dims[1] = {6};
    const struct bytes images = idx_of(8, 3, image_dims, 36, 256);
    const struct bytes labels = idx_of(8, 1, label_dims, 6, 3);
    const struct bytes images_gz = gzip_of(images.data, images.size);
    const struct bytes labels_gz = gzip_of(labels.data, labels.size);
    write_file(TRAIN_IMAGES ".gz", images_gz.data, images_gz.size);
    write_file(TRAIN_LABELS ".gz", labels_gz.data, labels_gz.size);
    glia_dataset *packed, *plain;
    glia_error error;
    assert_int_equal(glia_dataset_open(folder, GLIA_SPLIT_TRAIN, NULL, &packed, &error), GLIA_OK);
    assert_non_null(packed->owned_x);
    assert_null(packed->file.data);

    write_train();
    write_file(TRAIN_IMAGES ".gz", "broken", 6);
    assert_int_equal(glia_dataset_open(folder, GLIA_SPLIT_TRAIN, NULL, &plain, &error), GLIA_OK);
    for (size_t i = 0; i < 6; i++) {
        uint8_t a[6], b[6];
        uint32_t label_a, label_b;
        whole_sample(packed, i, a, &label_a, NULL);
        whole_sample(plain, i, b, &label_b, NULL);
        assert_memory_equal(a, b, 6);
        assert_int_equal(label_a, label_b);
    }
    glia_dataset_free(packed);
    glia_dataset_free(plain);
}

/* Rows of features that are no image; and fewer classes in one split than in the other. */
static void test_folder_features_and_classes(void **state)
{
    (void)state;
    const uint32_t dims[2] = {4, 5}, label_dims[1] = {4};
    const struct bytes rows = idx_of(8, 2, dims, 20, 256);
    const struct bytes zeros = idx_of(8, 1, label_dims, 4, 1),
                       ones = idx_of(8, 1, label_dims, 4, 4);
    write_file(TEST_IMAGES, rows.data, rows.size);
    write_file(TEST_LABELS, zeros.data, zeros.size);
    glia_dataset *dataset;
    glia_error error;
    assert_int_equal(glia_dataset_open(folder, GLIA_SPLIT_TEST, NULL, &dataset, &error), GLIA_OK);
    assert_int_equal(dataset->features, 5);
    assert_int_equal(dataset->height, 0);
    assert_int_equal(dataset->form, GI_FORM_NONE);
    assert_int_equal(dataset->classes, 2); /* at least */
    glia_dataset_free(dataset);

    write_file(TRAIN_LABELS, ones.data, ones.size);
    assert_int_equal(glia_dataset_open(folder, GLIA_SPLIT_TEST, NULL, &dataset, &error), GLIA_OK);
    assert_int_equal(dataset->classes, 4); /* as the training labels say */
    glia_dataset_free(dataset);
}

/* The names that other tools and other sets have: with a point, with words before, for a test. */
static void test_folder_names(void **state)
{
    (void)state;
    static const char *const names[][4] = {
        {"train-images.idx3-ubyte", "train-labels.idx1-ubyte", "t10k-images.idx3-ubyte",
         "t10k-labels.idx1-ubyte"},
        {"emnist-letters-train-images-idx3-ubyte", "emnist-letters-train-labels-idx1-ubyte",
         "emnist-letters-test-images-idx3-ubyte", "emnist-letters-test-labels-idx1-ubyte"},
        {"qmnist-train-images-idx3-ubyte", "qmnist-train-labels-idx2-int",
         "qmnist-test-images-idx3-ubyte", "qmnist-test-labels-idx2-int"},
    };
    const uint32_t image_dims[3] = {6, 2, 3}, label_dims[2] = {6, 8};
    const struct bytes images = idx_of(8, 3, image_dims, 36, 256);
    /* Labels 3, 1, 2, ...; QMNIST's are rows of 8 big-endian integers. */
    struct bytes labels = idx_of(8, 1, label_dims, 6, 3), wide = idx_of(12, 2, label_dims, 192, 1);
    for (size_t i = 0; i < 6; i++) {
        labels.data[8 + i] = (uint8_t)(1 + (i + 2) % 3);
        wide.data[12 + 32 * i + 3] = labels.data[8 + i];
        wide.data[12 + 32 * i + 7] = 77; /* where it is from */
    }
    for (size_t n = 0; n < 3; n++) {
        const struct bytes *of_labels = n == 2 ? &wide : &labels;
        for (size_t f = 0; f < 4; f++)
            write_file(names[n][f], f % 2 ? of_labels->data : images.data,
                       f % 2 ? of_labels->size : images.size);
        for (int split = GLIA_SPLIT_TRAIN; split <= GLIA_SPLIT_TEST; split++) {
            glia_dataset *dataset = NULL;
            glia_error error = {0};
            assert_error(names[n][0],
                         glia_dataset_open(folder, (glia_split)split, NULL, &dataset, &error),
                         GLIA_OK, &error, NULL, NULL);
            assert_int_equal(dataset->classes, 3); /* those that are there */
            assert_string_equal(glia_dataset_class_name(dataset, 0), "1");
            assert_int_equal(gi_dataset_label(dataset, 0), 2);
            assert_int_equal(gi_dataset_label(dataset, 1), 0);
            assert_int_equal(dataset->height, 2);
            glia_dataset_free(dataset);
        }
        if (n == 1) { /* a second set beside it */
            write_file("emnist-digits-train-images-idx3-ubyte", images.data, images.size);
            glia_dataset *dataset = NULL;
            glia_error error = {0};
            assert_error("two", glia_dataset_open(folder, GLIA_SPLIT_TRAIN, NULL, &dataset, &error),
                         GLIA_BAD_FORMAT, &error, "several data sets", "a folder of its own");
            unlink(in_folder("emnist-digits-train-images-idx3-ubyte"));
        }
        for (size_t f = 0; f < 4; f++) unlink(in_folder(names[n][f]));
    }
}

/* A file of it alone is no data set. */
static void test_single_file(void **state)
{
    (void)state;
    const uint32_t dims[3] = {6, 2, 3};
    const struct bytes images = idx_of(8, 3, dims, 36, 256);
    const struct bytes packed = gzip_of(images.data, images.size);
    write_file("images", images.data, images.size);
    write_file("images.gz", packed.data, packed.size);
    static const char *const names[] = {"images", "images.gz"};
    for (size_t i = 0; i < 2; i++) {
        glia_dataset *dataset = NULL;
        glia_error error = {0};
        assert_error(
            names[i],
            glia_dataset_open(in_folder(names[i]), GLIA_SPLIT_TRAIN, NULL, &dataset, &error),
            GLIA_BAD_FORMAT, &error, "a single file of IDX", TRAIN_LABELS);
    }
}

static void test_folder_malformed(void **state)
{
    (void)state;
    const uint32_t six[1] = {6}, five[1] = {5}, images_3[3] = {6, 2, 3}, images_1[1] = {6},
                   images_4[4] = {6, 1, 2, 3};
    const struct bytes images = idx_of(8, 3, images_3, 36, 256);
    const struct bytes labels = idx_of(8, 1, six, 6, 3);
    const struct bytes none = {.size = SIZE_MAX}; /* do not write the file */
    const struct {
        const char *label, *word1, *word2;
        struct bytes images, labels;
        size_t classes;
        glia_status status;
    } cases[] = {
        {"empty folder", TRAIN_IMAGES ".gz", "neither", none, none, 0, GLIA_NOT_FOUND},
        {"no images", TRAIN_IMAGES ".gz", "neither", none, labels, 0, GLIA_NOT_FOUND},
        {"no labels", TRAIN_LABELS ".gz", "neither", images, none, 0, GLIA_NOT_FOUND},
        {"counts differ", TRAIN_LABELS ": byte 4", "5 labels, expected 6", images,
         idx_of(8, 1, five, 5, 3), 0, GLIA_BAD_FORMAT},
        {"label out of range", TRAIN_LABELS ": byte 10", "label 2 of sample 2, expected 0 to 1",
         images, labels, 2, GLIA_BAD_FORMAT},
        {"exchanged", TRAIN_LABELS ": byte 3", "exchanged?", images, images, 0, GLIA_BAD_FORMAT},
        {"1-dimensional images", TRAIN_IMAGES ": byte 3", "1 dimension, expected 3",
         idx_of(8, 1, images_1, 6, 256), labels, 0, GLIA_BAD_FORMAT},
        {"4-dimensional images", TRAIN_IMAGES ": byte 3", "4 dimensions, expected 3",
         idx_of(8, 4, images_4, 36, 256), labels, 0, GLIA_BAD_FORMAT},
        {"images cut", TRAIN_IMAGES ": byte 51", "the file ends", cut(images, 51), labels, 0,
         GLIA_BAD_FORMAT},
        {"labels empty",
         TRAIN_LABELS ": byte 0",
         "the file ends",
         images,
         {.size = 0},
         0,
         GLIA_BAD_FORMAT},
        {"labels of type", TRAIN_LABELS ": byte 2", "32-bit floats", images, changed(labels, 2, 13),
         0, GLIA_BAD_FORMAT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unlink(in_folder(TRAIN_IMAGES));
        unlink(in_folder(TRAIN_LABELS));
        if (cases[i].images.size != SIZE_MAX)
            write_file(TRAIN_IMAGES, cases[i].images.data, cases[i].images.size);
        if (cases[i].labels.size != SIZE_MAX)
            write_file(TRAIN_LABELS, cases[i].labels.data, cases[i].labels.size);
        glia_dataset *dataset = NULL;
        glia_error error = {0};
        const glia_status status = gi_idx_open_folder(folder, "mine", GLIA_SPLIT_TRAIN, NULL,
                                                      cases[i].classes, &dataset, &error);
        assert_error(cases[i].label, status, cases[i].status, &error, cases[i].word1,
                     cases[i].word2);
        assert_non_null(strstr(error.message, folder));
        assert_null(dataset);
    }
    /* A broken file of the other split is no reason to guess the number of classes. */
    write_train();
    write_file(TEST_LABELS, "abc", 3);
    glia_dataset *dataset = NULL;
    glia_error error = {0};
    assert_error("other split", glia_dataset_open(folder, GLIA_SPLIT_TRAIN, NULL, &dataset, &error),
                 GLIA_BAD_FORMAT, &error, TEST_LABELS, "the file ends");
}

/* ---- Names --------------------------------------------------------------------------------- */

static void test_names_malformed(void **state)
{
    (void)state;
    unsetenv("GLIA_DATA");
    setenv("XDG_CACHE_HOME", in_folder("cache"), 1);
    write_file("file", "x", 1);
    char missing[128], file[128];
    snprintf(missing, sizeof missing, "%s/missing", folder);
    snprintf(file, sizeof file, "%s/file", folder);
    const struct {
        const char *name, *word1, *word2;
        int split;
        glia_status status;
    } cases[] = {
        {"minst", "the names are digits, mnist, fashion-mnist", "a folder that holds",
         GLIA_SPLIT_TRAIN, GLIA_NOT_FOUND},
        {"", "the names are", "", GLIA_SPLIT_TRAIN, GLIA_NOT_FOUND},
        {"MNIST", "MNIST: there is no data set", "", GLIA_SPLIT_TRAIN, GLIA_NOT_FOUND},
        {missing, missing, "no such file or folder", GLIA_SPLIT_TRAIN, GLIA_NOT_FOUND},
        {file, file, "a header and no rows", GLIA_SPLIT_TRAIN, GLIA_BAD_FORMAT},
        {file, file, "no test split", GLIA_SPLIT_TEST, GLIA_NOT_FOUND},
        {"mnist", "cache/glia/mnist", "GLIA_DATA=DIR", GLIA_SPLIT_TRAIN, GLIA_NOT_FOUND},
        {"fashion-mnist", "cache/glia/fashion-mnist", "offline", GLIA_SPLIT_TEST, GLIA_NOT_FOUND},
        {"mnist", "split 7", "GLIA_SPLIT_TRAIN", 7, GLIA_BAD_ARGUMENT},
        {NULL, "NULL", "", GLIA_SPLIT_TRAIN, GLIA_BAD_ARGUMENT},
    };
    const glia_data_params params = {.offline = true};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        glia_dataset *dataset = NULL;
        glia_error error = {0};
        const glia_status status =
            glia_dataset_open(cases[i].name, (glia_split)cases[i].split, &params, &dataset, &error);
        assert_error(cases[i].name ? cases[i].name : "NULL", status, cases[i].status, &error,
                     cases[i].word1, cases[i].word2);
        assert_null(dataset);
    }
    glia_error error = {0};
    assert_error("fetch unknown", glia_dataset_fetch("minst", &params, &error), GLIA_NOT_FOUND,
                 &error, "minst", "the names are");
    assert_error("fetch NULL", glia_dataset_fetch(NULL, &params, &error), GLIA_BAD_ARGUMENT, &error,
                 "NULL", NULL);
    assert_error("fetch offline", glia_dataset_fetch("mnist", &params, &error), GLIA_NOT_FOUND,
                 &error, "offline", "cache/glia/mnist");
    assert_int_equal(glia_dataset_fetch("digits", &params, NULL), GLIA_OK);
}

/* Without a place to download to. A relative XDG_CACHE_HOME is to be ignored, says its
 * specification. */
static void test_no_cache(void **state)
{
    (void)state;
    char *home = getenv("HOME") ? strdup(getenv("HOME")) : NULL;
    unsetenv("GLIA_DATA");
    unsetenv("HOME");
    setenv("XDG_CACHE_HOME", "relative", 1);
    glia_dataset *dataset;
    glia_error error = {0};
    const glia_status status = glia_dataset_open("mnist", GLIA_SPLIT_TRAIN, NULL, &dataset, &error);
    if (strstr(glia_build_features(), "fetch"))
        assert_error("no cache", status, GLIA_NOT_FOUND, &error, "nowhere", "set HOME");
    else
        assert_error("no fetch", status, GLIA_UNSUPPORTED, &error, "nowhere", "libcurl");
    if (home) setenv("HOME", home, 1);
    free(home);
}

/* Writes the training split of a named set into folder/PLACE/NAME, with its label as a mark. */
static void write_named(const char *place, const char *name, uint8_t mark)
{
    char path[256], command[512];
    snprintf(path, sizeof path, "%s/%s/%s", folder, place, name);
    snprintf(command, sizeof command, "mkdir -p '%s'", path);
    assert_int_equal(system(command), 0);
    const uint32_t image_dims[3] = {1, 28, 28}, label_dims[1] = {1};
    const struct bytes images = idx_of(8, 3, image_dims, 784, 256);
    const struct bytes labels = changed(idx_of(8, 1, label_dims, 1, 1), 8, mark);
    const char *const files[2][2] = {{TRAIN_IMAGES, TRAIN_LABELS}, {TEST_IMAGES, TEST_LABELS}};
    for (int split = 0; split < 2; split++) {
        snprintf(path, sizeof path, "%s/%s/%s", place, name, files[split][0]);
        write_file(path, images.data, images.size);
        snprintf(path, sizeof path, "%s/%s/%s", place, name, files[split][1]);
        write_file(path, labels.data, labels.size);
    }
}

static uint32_t opened_mark(const char *name, const glia_data_params *params)
{
    glia_dataset *dataset;
    glia_error error = {0};
    uint32_t label;
    if (glia_dataset_open(name, GLIA_SPLIT_TRAIN, params, &dataset, &error))
        fail_msg("%s", error.message);
    whole_sample(dataset, 0, NULL, &label, NULL);
    glia_dataset_free(dataset);
    return label;
}

static void test_lookup_order(void **state)
{
    (void)state;
    char directory[128], data[128], cache[128], home[128];
    snprintf(directory, sizeof directory, "%s/directory", folder);
    snprintf(data, sizeof data, "%s/data", folder);
    snprintf(cache, sizeof cache, "%s/cache", folder);
    snprintf(home, sizeof home, "%s/home", folder);
    setenv("GLIA_DATA", data, 1);
    setenv("XDG_CACHE_HOME", cache, 1);
    setenv("HOME", home, 1);
    glia_data_params params = {.offline = true, .directory = directory};

    unsetenv("XDG_CACHE_HOME");
    write_named("home/.cache/glia", "mnist", 1);
    assert_int_equal(opened_mark("mnist", &params), 1);
    setenv("XDG_CACHE_HOME", cache, 1);
    write_named("cache/glia", "mnist", 2);
    assert_int_equal(opened_mark("mnist", &params), 2);
    write_named("data", "mnist", 3);
    assert_int_equal(opened_mark("mnist", &params), 3);
    write_named("directory", "mnist", 4);
    assert_int_equal(opened_mark("mnist", &params), 4);
    params.directory = NULL;
    assert_int_equal(opened_mark("mnist", &params), 3);
    /* A place that has but one file of the split is passed over. */
    unlink(in_folder("data/mnist/" TRAIN_LABELS));
    assert_int_equal(opened_mark("mnist", &params), 2);
    assert_int_equal(glia_dataset_fetch("mnist", &params, NULL), GLIA_OK); /* all in the cache */
}

static void test_list_and_class_names(void **state)
{
    (void)state;
    char data[128];
    snprintf(data, sizeof data, "%s/data", folder);
    setenv("GLIA_DATA", data, 1);
    setenv("XDG_CACHE_HOME", in_folder("cache"), 1);
    write_named("data", "fashion-mnist", 9);

    glia_dataset_entry *entries;
    size_t count;
    assert_int_equal(glia_dataset_list(NULL, &entries, &count, NULL), GLIA_OK);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++) {
        assert_true(strlen(entries[i].description) > 10 && strlen(entries[i].license) >= 3);
        const bool fashion = strcmp(entries[i].name, "fashion-mnist") == 0;
        const bool digits = strcmp(entries[i].name, "digits") == 0;
        assert_true(entries[i].built_in == digits);
        assert_true(entries[i].present == (fashion || digits));
        if (fashion)
            assert_string_equal(entries[i].path, in_folder("data/fashion-mnist"));
        else
            assert_null(entries[i].path);
    }
    glia_dataset_list_free(entries, count);
    glia_dataset_list_free(NULL, 0);

    glia_dataset *dataset;
    assert_int_equal(glia_dataset_open("fashion-mnist", GLIA_SPLIT_TEST, NULL, &dataset, NULL),
                     GLIA_OK);
    assert_string_equal(dataset->name, "fashion-mnist");
    assert_int_equal(dataset->classes, 10); /* though only label 9 is there */
    assert_string_equal(glia_dataset_class_name(dataset, 0), "T-shirt/top");
    assert_string_equal(glia_dataset_class_name(dataset, 9), "Ankle boot");
    assert_int_equal(dataset->form, GI_FORM_SCALE);
    glia_dataset_free(dataset);

    write_named("data", "mnist", 10); /* a label that MNIST does not have */
    glia_error error = {0};
    assert_error("label", glia_dataset_open("mnist", GLIA_SPLIT_TRAIN, NULL, &dataset, &error),
                 GLIA_BAD_FORMAT, &error, "data/mnist/" TRAIN_LABELS ": byte 8",
                 "label 10 of sample 0, expected 0 to 9");
}

static void test_features(void **state)
{
    (void)state;
#ifdef GLIA_HAS_PNG
    assert_non_null(strstr(glia_build_features(), "png"));
#else
    assert_null(strstr(glia_build_features(), "png"));
#endif
#ifdef GLIA_HAS_FETCH
    assert_non_null(strstr(glia_build_features(), "fetch"));
#else
    assert_null(strstr(glia_build_features(), "fetch"));
#endif
#ifdef GLIA_HAS_ONEDNN
    assert_non_null(strstr(glia_build_features(), "onednn"));
#else
    assert_null(strstr(glia_build_features(), "onednn"));
#endif
    assert_int_equal(glia_data_default_params().seed, 1);
    assert_false(glia_data_default_params().offline);
}

static void test_mnist(void **state)
{
    (void)state;
    if (!glia_data) {
        print_message("skipped: GLIA_DATA is not set\n");
        skip();
    }
    setenv("GLIA_DATA", glia_data, 1);
    const size_t samples[2] = {60000, 10000};
    const uint32_t first_label[2] = {5, 7};
    for (int split = 0; split < 2; split++) {
        glia_dataset *dataset;
        glia_error error = {0};
        const glia_data_params params = {.offline = true};
        assert_error("mnist",
                     glia_dataset_open("mnist", (glia_split)split, &params, &dataset, &error),
                     GLIA_OK, &error, NULL, NULL);
        const glia_dataset_info info = glia_dataset_describe(dataset);
        assert_int_equal(info.samples, samples[split]);
        assert_int_equal(info.features, 784);
        assert_int_equal(info.classes, 10);
        assert_int_equal(info.height, 28);
        assert_int_equal(dataset->form, GI_FORM_MNIST);
        uint32_t label;
        whole_sample(dataset, 0, NULL, &label, NULL);
        assert_int_equal(label, first_label[split]);
        glia_dataset_free(dataset);
    }
}

/* ---- Arrays -------------------------------------------------------------------------------- */

static void test_arrays(void **state)
{
    (void)state;
    const float x[6] = {0, 1, -2, 3.5F, 1e30F, -0.0F};
    const uint32_t labels[3] = {1, 0, 1};
    glia_dataset *dataset;
    assert_int_equal(glia_dataset_from_arrays(GLIA_TYPE_F32, x, labels, 3, 2, 2, &dataset, NULL),
                     GLIA_OK);
    const glia_dataset_info info = glia_dataset_describe(dataset);
    assert_string_equal(info.name, "arrays");
    assert_int_equal(info.height, 0);
    assert_true(dataset->divisor == 1);
    assert_int_equal(dataset->form, GI_FORM_NONE);
    assert_int_equal(gi_dataset_row_bytes(dataset), 8);
    float row[2];
    uint32_t label;
    assert_int_equal(whole_sample(dataset, 1, row, &label, NULL), GLIA_OK);
    assert_true(row[0] == -2 && row[1] == 3.5F && label == 0);
    assert_ptr_equal(gi_dataset_row(dataset, 0, 2, NULL, &label), x + 4); /* borrowed */
    glia_dataset_free(dataset);
}

static void test_arrays_malformed(void **state)
{
    (void)state;
    const float good[6] = {0}, with_nan[6] = {0, 0, 0, NAN, 0, 0},
                with_infinity[6] = {0, 0, 0, 0, 0, -INFINITY};
    const uint32_t labels[3] = {0, 1, 1}, high[3] = {0, 1, 2};
    const struct {
        const char *label, *word;
        int type;
        const float *x;
        const uint32_t *labels;
        size_t samples, features, classes;
    } cases[] = {
        {"features NULL", "NULL", GLIA_TYPE_F32, NULL, labels, 3, 2, 2},
        {"labels NULL", "NULL", GLIA_TYPE_F32, good, NULL, 3, 2, 2},
        {"type", "type 5", 5, good, labels, 3, 2, 2},
        {"no samples", "0 samples", GLIA_TYPE_F32, good, labels, 0, 2, 2},
        {"too many samples", "samples, expected 1 to", GLIA_TYPE_F32, good, labels, SIZE_MAX, 2, 2},
        {"no features", "0 features", GLIA_TYPE_F32, good, labels, 3, 0, 2},
        {"too many features", "fit into memory", GLIA_TYPE_F32, good, labels, 3, SIZE_MAX / 8, 2},
        {"no classes", "0 classes", GLIA_TYPE_F32, good, labels, 3, 2, 0},
        {"too many classes", "65537 classes", GLIA_TYPE_F32, good, labels, 3, 2,
         GLIA_MAX_CLASSES + 1},
        {"label", "label 2 of row 2 is not below", GLIA_TYPE_F32, good, high, 3, 2, 2},
        {"label, bytes", "label 2 of row 2", GLIA_TYPE_U8, good, high, 3, 2, 2},
        {"NaN", "row 1, column 1 is NaN", GLIA_TYPE_F32, with_nan, labels, 3, 2, 2},
        {"infinity", "row 2, column 1 is infinite", GLIA_TYPE_F32, with_infinity, labels, 3, 2, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        glia_dataset *dataset = NULL;
        glia_error error = {0};
        const glia_status status = glia_dataset_from_arrays(
            (glia_type)cases[i].type, cases[i].x, cases[i].labels, cases[i].samples,
            cases[i].features, cases[i].classes, &dataset, &error);
        assert_error(cases[i].label, status, GLIA_BAD_ARGUMENT, &error, "arrays: ", cases[i].word);
        assert_null(dataset);
    }
}

/* ---- Holding out --------------------------------------------------------------------------- */

enum { N = 1000, N_CLASSES = 4 };

/* Samples whose one feature is their number; class sizes 500, 300, 150, 50. */
static glia_dataset *numbered(float x[N], uint32_t labels[N])
{
    glia_dataset *dataset;
    for (size_t i = 0; i < N; i++) {
        const size_t at = i * 7 % N; /* the classes are mixed */
        x[at] = (float)at;
        labels[at] = i < 500 ? 0 : i < 800 ? 1 : i < 950 ? 2 : 3;
    }
    assert_int_equal(
        glia_dataset_from_arrays(GLIA_TYPE_F32, x, labels, N, 1, N_CLASSES, &dataset, NULL),
        GLIA_OK);
    return dataset;
}

/* Counts the classes of a set, and marks the samples that it has. */
static void tally(const glia_dataset *dataset, size_t counts[N_CLASSES], unsigned seen[N])
{
    memset(counts, 0, N_CLASSES * sizeof *counts);
    for (size_t i = 0; i < dataset->samples; i++) {
        float x;
        uint32_t label;
        assert_int_equal(whole_sample(dataset, i, &x, &label, NULL), GLIA_OK);
        assert_int_equal(label, dataset->labels[(size_t)x]);
        counts[label]++;
        seen[(size_t)x]++;
    }
}

static void test_hold_out(void **state)
{
    (void)state;
    static float x[N];
    static uint32_t labels[N];
    glia_dataset *dataset = numbered(x, labels);
    const struct {
        double held_out;
        size_t counts[N_CLASSES]; /* by largest remainder */
    } cases[] = {
        {0.1, {50, 30, 15, 5}}, {100, {50, 30, 15, 5}},
        {101, {51, 30, 15, 5}}, /* 50.5 30.3 15.15 5.05 */
        {1, {1, 0, 0, 0}},      {999, {499, 300, 150, 50}},
        {0.0055, {3, 2, 1, 0}}, /* 6 samples: 3 1.8 0.9 0.3 */
        {13, {6, 4, 2, 1}},     /* 6.5 3.9 1.95 0.65 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        glia_dataset *rest, *held;
        glia_error error = {0};
        assert_error("hold out",
                     glia_dataset_hold_out(dataset, cases[i].held_out, 7, &rest, &held, &error),
                     GLIA_OK, &error, NULL, NULL);
        size_t counts[N_CLASSES], rest_counts[N_CLASSES];
        unsigned seen[N] = {0};
        tally(held, counts, seen);
        tally(rest, rest_counts, seen);
        for (size_t j = 0; j < N; j++) assert_int_equal(seen[j], 1); /* each in one of the two */
        assert_int_equal(held->samples + rest->samples, N);
        for (size_t c = 0; c < N_CLASSES; c++) assert_int_equal(counts[c], cases[i].counts[c]);
        glia_dataset_free(rest);
        glia_dataset_free(held);
    }
    glia_dataset_free(dataset);
}

static void test_hold_out_seeds(void **state)
{
    (void)state;
    static float x[N];
    static uint32_t labels[N];
    glia_dataset *dataset = numbered(x, labels), *rest[3], *held[3];
    const uint64_t seeds[3] = {1, 1, 2};
    for (size_t i = 0; i < 3; i++)
        glia_dataset_hold_out(dataset, 100, seeds[i], &rest[i], &held[i], NULL);
    assert_memory_equal(held[0]->rows, held[1]->rows, 100 * sizeof(uint32_t));
    assert_memory_not_equal(held[0]->rows, held[2]->rows, 100 * sizeof(uint32_t));
    for (size_t i = 0; i < 3; i++) {
        glia_dataset_free(rest[i]);
        glia_dataset_free(held[i]);
    }
    /* Over many seeds every sample is held out about equally often: 500 times 0.2. */
    static unsigned times[N];
    memset(times, 0, sizeof times);
    for (uint64_t seed = 0; seed < 500; seed++) {
        glia_dataset_hold_out(dataset, 0.2, seed, &rest[0], &held[0], NULL);
        for (size_t i = 0; i < held[0]->samples; i++) times[held[0]->rows[i]]++;
        glia_dataset_free(rest[0]);
        glia_dataset_free(held[0]);
    }
    for (size_t i = 0; i < N; i++) assert_in_range(times[i], 55, 145); /* 5 sigma is 45 */
    glia_dataset_free(dataset);
}

/* Views of views, with the base's names and form. */
static void test_hold_out_twice(void **state)
{
    (void)state;
    static float x[N];
    static uint32_t labels[N];
    glia_dataset *dataset = numbered(x, labels), *rest, *held, *inner_rest, *inner_held;
    dataset->form = GI_FORM_SCALE; /* what a view takes over, whatever it is */
    dataset->divisor = 7;
    dataset->height = dataset->width = 1;
    assert_int_equal(glia_dataset_hold_out(dataset, 0.5, 1, &rest, &held, NULL), GLIA_OK);
    assert_int_equal(glia_dataset_hold_out(held, 0.2, 1, &inner_rest, &inner_held, NULL), GLIA_OK);
    assert_int_equal(inner_held->samples, 100);
    size_t counts[N_CLASSES];
    unsigned seen[N] = {0};
    tally(inner_held, counts, seen);
    assert_int_equal(counts[0], 50);
    assert_int_equal(counts[3], 5);
    tally(inner_rest, counts, seen);
    tally(rest, counts, seen);
    for (size_t i = 0; i < N; i++) assert_int_equal(seen[i], 1);
    assert_string_equal(glia_dataset_class_name(inner_held, 3), "3");
    assert_null(inner_held->owned_labels);
    assert_int_equal(inner_held->form, GI_FORM_SCALE);
    assert_int_equal(inner_held->height, 1);
    assert_true(inner_held->divisor == 7);
    glia_dataset_free(inner_rest);
    glia_dataset_free(inner_held);
    glia_dataset_free(rest);
    glia_dataset_free(held);
    glia_dataset_free(dataset);
}

static void test_hold_out_malformed(void **state)
{
    (void)state;
    static float x[N];
    static uint32_t labels[N];
    glia_dataset *dataset = numbered(x, labels), *rest = NULL, *held = NULL;
    const struct {
        double held_out;
        const char *word;
    } cases[] = {
        {0, "cannot hold out 0"},          {-1, "cannot hold out -1"}, {NAN, "cannot hold out"},
        {INFINITY, "cannot hold out inf"}, {1.5, "whole number"},      {0.0001, "that is 0"},
        {0.9999, "that is 1000"},          {1000, "that is 1000"},     {1e18, "both parts need"},
    };
    glia_error error;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const glia_status status =
            glia_dataset_hold_out(dataset, cases[i].held_out, 1, &rest, &held, &error);
        assert_error(cases[i].word, status, GLIA_BAD_ARGUMENT, &error, "arrays: ", cases[i].word);
        assert_null(rest);
        assert_null(held);
    }
    assert_error("NULL", glia_dataset_hold_out(NULL, 0.5, 1, &rest, &held, &error),
                 GLIA_BAD_ARGUMENT, &error, "NULL", NULL);
    glia_dataset_free(dataset);

    /* Of a set that is drawn as needed there is nothing to hold out. */
    const glia_data_params fresh = {.seed = 1, .fresh = true};
    assert_int_equal(glia_dataset_open("digits", GLIA_SPLIT_TRAIN, &fresh, &dataset, &error),
                     GLIA_OK);
    assert_true(gi_dataset_is_endless(dataset));
    assert_error("fresh", glia_dataset_hold_out(dataset, 0.1, 1, &rest, &held, &error),
                 GLIA_BAD_ARGUMENT, &error, "digits: ", "another seed");
    glia_dataset_free(dataset);
}

/* A drawn set: epoch 1 goes on where epoch 0 ended, and a sample is epoch 0's row. */
static void test_drawn_rows(void **state)
{
    (void)state;
    const glia_data_params fresh = {.seed = 3, .fresh = true};
    glia_dataset *dataset;
    assert_int_equal(glia_dataset_open("digits", GLIA_SPLIT_TRAIN, &fresh, &dataset, NULL),
                     GLIA_OK);
    static _Alignas(64) uint8_t first[784], again[784], second[784];
    uint32_t label, label_again;
    assert_ptr_equal(gi_dataset_row(dataset, 0, 5, first, &label), first);
    assert_int_equal(whole_sample(dataset, 5, again, &label_again, NULL), GLIA_OK);
    assert_memory_equal(first, again, sizeof first);
    assert_int_equal(label, label_again);
    gi_dataset_row(dataset, 1, 5, second, &label);
    assert_memory_not_equal(first, second, sizeof first);
    glia_dataset_free(dataset);
}

static void test_arrays_say_what_they_are(void **state)
{
    (void)state;
    static const uint8_t x[2 * 6] = {1};
    static const uint32_t labels[2] = {0, 1};
    static const char *const names[2] = {"ash", "beech"};
    glia_dataset *set;
    assert_int_equal(glia_dataset_from_arrays(GLIA_TYPE_U8, x, labels, 2, 6, 2, &set, NULL),
                     GLIA_OK);
    assert_string_equal(glia_dataset_class_name(set, 1), "1");
    static const size_t wrong[][2] = {{0, 0}, {0, 6}, {6, 0}, {2, 2}, {4, 1}, {7, 1}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        glia_error error = {0};
        assert_int_equal(glia_dataset_set_images(set, wrong[i][0], wrong[i][1], &error),
                         GLIA_BAD_ARGUMENT);
        assert_non_null(strstr(error.message, "6 features"));
    }
    assert_int_equal(glia_dataset_describe(set).height, 0);
    assert_int_equal(glia_dataset_set_images(set, 2, 3, NULL), GLIA_OK);
    assert_int_equal(whole_set_names(set, names, NULL), GLIA_OK);
    assert_int_equal(glia_dataset_describe(set).height, 2);
    assert_string_equal(glia_dataset_class_name(set, 1), "beech");

    /* A network that learns from it reads pictures, and knows their classes by name. */
    shape p = shape_of(6, 2);
    glia_network *network;
    assert_int_equal(shape_network(&p, &network, NULL), GLIA_OK);
    assert_int_equal(glia_train(network, set, NULL, NULL, NULL, NULL), GLIA_OK);
    uint8_t pixels[24] = {[5] = 200, [6] = 90}, fitted[6];
    const glia_image picture = {.width = 6, .height = 4, .pixels = pixels};
    bool changed;
    assert_int_equal(whole_fit_image(network, &picture, fitted, &changed, NULL), GLIA_OK);
    assert_true(changed);
    assert_string_equal(glia_network_class_name(network, 1), "beech");
    glia_network_free(network);
    glia_dataset_free(set);
}

int main(void)
{
    const char *data = getenv("GLIA_DATA");
    glia_data = data && *data ? strdup(data) : NULL;
#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idx_malformed),
        cmocka_unit_test(test_gzip_malformed),
        cmocka_unit_test(test_gzip_ceiling),
        cmocka_unit_test(test_gzip_zeros),
        cmocka_unit_test(test_idx_plain_and_gzip_agree),
        cmocka_unit_test(test_gzip_members),
        cmocka_unit_test(test_gzip_header),
        cmocka_unit_test(test_arrays_say_what_they_are),
        IN_A_FOLDER(test_folder),
        IN_A_FOLDER(test_folder_gzip),
        IN_A_FOLDER(test_folder_features_and_classes),
        IN_A_FOLDER(test_folder_names),
        IN_A_FOLDER(test_single_file),
        IN_A_FOLDER(test_folder_malformed),
        IN_A_FOLDER(test_names_malformed),
        IN_A_FOLDER(test_no_cache),
        IN_A_FOLDER(test_lookup_order),
        IN_A_FOLDER(test_list_and_class_names),
        cmocka_unit_test(test_features),
        cmocka_unit_test(test_mnist),
        cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_arrays_malformed),
        cmocka_unit_test(test_hold_out),
        cmocka_unit_test(test_hold_out_seeds),
        cmocka_unit_test(test_hold_out_twice),
        cmocka_unit_test(test_hold_out_malformed),
        cmocka_unit_test(test_drawn_rows),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(glia_data);
    return failed;
}
