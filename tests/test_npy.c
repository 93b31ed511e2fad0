/* SPDX-License-Identifier: MIT */
/*
 * Tests of NumPy's files: arrays of every type in either order, archives stored and deflated, what
 * becomes a data set of bytes and what a table, and each rule as a line of a table of malformed
 * ones.
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

#include "assert_error.h"
#include "base/memory.h"
#include "data/files/npy.h"
#include "data/set/dataset.h"
#include "data/table/table.h"
#include "whole.h"

/* ---- Files --------------------------------------------------------------------------------- */

struct bytes {
    uint8_t data[1 << 15];
    size_t size;
};

static void put(struct bytes *to, const void *data, size_t n)
{
    assert_true(to->size + n <= sizeof to->data);
    if (n) memcpy(to->data + to->size, data, n);
    to->size += n;
}

static void put_number(struct bytes *to, uint64_t value, size_t n) /* little-endian */
{
    for (size_t i = 0; i < n; i++) put(to, &(uint8_t){(uint8_t)(i < 8 ? value >> (8 * i) : 0)}, 1);
}

/* An array as numpy.save writes it, with the text of its header. */
static void put_npy(struct bytes *to, unsigned version, const char *header, const void *data,
                    size_t n)
{
    put(to, "\x93NUMPY", 6);
    put_number(to, version, 2);
    put_number(to, strlen(header), version == 1 ? 2 : 4);
    put(to, header, strlen(header));
    put(to, data, n);
}

/* "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }" with a line's end. */
static const char *header_of(const char *type, bool fortran, const char *shape)
{
    static char text[256];
    snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }     \n", type,
             fortran ? "True" : "False", shape);
    return text;
}

/* A member of an archive, in the making. */
struct member {
    const char *name;
    struct bytes *content;
    unsigned method;
    bool zip64; /* its sizes stand in the extra field of zip64 */
    size_t local, packed;
};

static void put_archive(struct bytes *to, struct member *members, size_t n, bool zip64)
{
    static uint8_t packed[1 << 15];
    for (size_t i = 0; i < n; i++) {
        struct member *m = &members[i];
        const struct bytes *c = m->content;
        struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(6);
        const uint8_t *data = c->data;
        m->packed = c->size;
        if (m->method == 8) {
            m->packed =
                libdeflate_deflate_compress(compressor, c->data, c->size, packed, sizeof packed);
            data = packed;
        }
        libdeflate_free_compressor(compressor);
        m->local = to->size;
        put(to, "PK\3\4\24\0\0\0", 8);
        put_number(to, m->method, 2);
        put_number(to, 0, 4);
        put_number(to, libdeflate_crc32(0, c->data, c->size), 4);
        put_number(to, m->packed, 4);
        put_number(to, c->size, 4);
        put_number(to, strlen(m->name), 2);
        put_number(to, 4, 2); /* an extra field, which is to be stepped over */
        put(to, m->name, strlen(m->name));
        put(to, "\x99\x99\0\0", 4);
        put(to, data, m->packed);
    }
    const size_t directory = to->size;
    for (size_t i = 0; i < n; i++) {
        const struct member *m = &members[i];
        put(to, "PK\1\2\24\0\24\0\0\0", 10);
        put_number(to, m->method, 2);
        put_number(to, 0, 4);
        put_number(to, libdeflate_crc32(0, m->content->data, m->content->size), 4);
        put_number(to, m->zip64 ? UINT32_MAX : m->packed, 4);
        put_number(to, m->zip64 ? UINT32_MAX : m->content->size, 4);
        put_number(to, strlen(m->name), 2);
        put_number(to, m->zip64 ? 28 : 0, 2);
        put_number(to, 0, 2 + 2 + 2 + 4);
        put_number(to, m->zip64 ? UINT32_MAX : m->local, 4);
        put(to, m->name, strlen(m->name));
        if (!m->zip64) continue;
        put_number(to, 1, 2);
        put_number(to, 24, 2);
        put_number(to, m->content->size, 8);
        put_number(to, m->packed, 8);
        put_number(to, m->local, 8);
    }
    const size_t end = to->size;
    if (zip64) {
        put(to, "PK\6\6", 4);
        put_number(to, 44, 8);
        put_number(to, 0, 12);
        put_number(to, n, 8);
        put_number(to, n, 8);
        put_number(to, end - directory, 8);
        put_number(to, directory, 8);
        put(to, "PK\6\7\0\0\0\0", 8);
        put_number(to, end, 8);
        put_number(to, 1, 4);
    }
    put(to, "PK\5\6\0\0\0\0", 8);
    put_number(to, n, 2);
    put_number(to, n, 2);
    put_number(to, zip64 ? UINT32_MAX : end - directory, 4);
    put_number(to, zip64 ? UINT32_MAX : directory, 4);
    put_number(to, 0, 2);
}

/* ---- Reading ------------------------------------------------------------------------------- */

/* Each reads a copy of exactly the size, so that AddressSanitizer sees a step beyond its end. */
static glia_status read_table(const struct bytes *bytes, glia_split split,
                              const gi_table_params *params, gi_table **out, glia_error *error)
{
    const gi_table_params defaults = gi_table_default_params();
    uint8_t *exact = malloc(bytes->size ? bytes->size : 1);
    if (bytes->size) memcpy(exact, bytes->data, bytes->size);
    const glia_status status = gi_npy_parse_table("t.npz", exact, bytes->size, split,
                                                  params ? params : &defaults, out, error);
    free(exact);
    return status;
}

static gi_table *must_read(const struct bytes *bytes, const gi_table_params *params)
{
    glia_error error = {0};
    gi_table *table = NULL;
    if (read_table(bytes, GLIA_SPLIT_TRAIN, params, &table, &error) != GLIA_OK)
        fail_msg("%s", error.message);
    return table;
}

static glia_dataset *must_open(const struct bytes *bytes, glia_split split)
{
    glia_error error = {0};
    glia_dataset *dataset = NULL;
    if (gi_npy_parse_bytes("t.npz", "t", bytes->data, bytes->size, split, &dataset, &error) !=
        GLIA_OK)
        fail_msg("%s", error.message);
    return dataset;
}

static bool is_little(void)
{
    return *(const uint8_t *)&(const uint16_t){1} == 1;
}

/* Elements 1, 2, ... 6 of the type of C; negative if it can be. */
#define SIX(type, sign)                                                                            \
    (const type[])                                                                                 \
    {                                                                                              \
        (type)(sign 1), 2, 3, (type)(sign 4), 5, 6                                                 \
    }
#define NONE

static void test_types(void **state)
{
    (void)state;
    static const uint16_t halves[] = {0xBC00, 0x4000, 0x4200, 0xC400, 0x4500, 0x4600};
    const struct {
        const char *type;
        const void *data;
        size_t size;
        double sign; /* of elements 0 and 3 */
    } cases[] = {
        {"u1", SIX(uint8_t, NONE), 1, 1},
        {"i1", SIX(int8_t, -), 1, -1},
        {"u2", SIX(uint16_t, NONE), 2, 1},
        {"i2", SIX(int16_t, -), 2, -1},
        {"u4", SIX(uint32_t, NONE), 4, 1},
        {"i4", SIX(int32_t, -), 4, -1},
        {"u8", SIX(uint64_t, NONE), 8, 1},
        {"i8", SIX(int64_t, -), 8, -1},
        {"f2", halves, 2, -1},
        {"f4", SIX(float, -), 4, -1},
        {"f8", SIX(double, -), 8, -1},
    };
    const char native = is_little() ? '<' : '>', other = is_little() ? '>' : '<';
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int how = 0; how < 12; how++) {
            const bool swapped = how & 1, fortran = how >> 1 & 1;
            const unsigned version = 1 + (unsigned)how / 4;
            char type[8];
            uint8_t data[48];
            const size_t size = cases[i].size;
            snprintf(type, sizeof type, "%c%s",
                     size == 1 ? '|'
                     : swapped ? other
                               : native,
                     cases[i].type);
            memcpy(data, cases[i].data, 6 * size);
            for (size_t e = 0; swapped && e < 6; e++)
                for (size_t b = 0; b < size; b++)
                    data[e * size + b] = ((const uint8_t *)cases[i].data)[e * size + size - 1 - b];
            struct bytes file = {.size = 0};
            put_npy(&file, version, header_of(type, fortran, "(2, 3)"), data, 6 * size);
            gi_table *table = must_read(&file, NULL);
            assert_int_equal(table->rows, 2);
            assert_int_equal(table->n_columns, 3);
            assert_int_equal(table->n_targets, 0);
            assert_string_equal(table->columns[2].name, "column 3");
            for (size_t r = 0; r < 2; r++)
                for (size_t c = 0; c < 3; c++) {
                    const size_t e = fortran ? c * 2 + r : r * 3 + c;
                    const double sign = e % 3 == 0 ? cases[i].sign : 1;
                    if (!(table->cells[r * 3 + c] == sign * (double)(e + 1)))
                        fail_msg("%s, fortran %d: row %zu, column %zu: %g", type, fortran, r, c,
                                 table->cells[r * 3 + c]);
                }
            gi_table_free(table);
        }
}

static void test_values(void **state)
{
    (void)state;
    /* halves: smallest, largest of the small, largest, -0, not a number */
    const uint16_t halves[] = {0x0001, 0x03FF, 0x7BFF, 0x8000, 0x7E00};
    const double expected[] = {0x1p-24, 0x1.ff8p-15, 65504, 0};
    struct bytes file = {.size = 0};
    put_npy(&file, 1, header_of(is_little() ? "<f2" : ">f2", false, "(5,)"), halves, sizeof halves);
    gi_table *table = must_read(&file, NULL);
    assert_int_equal(table->n_columns, 1);
    for (size_t i = 0; i < 4; i++) assert_true(table->cells[i] == expected[i]);
    assert_true(isnan(table->cells[4]) && table->columns[0].has_missing);
    gi_table_free(table);

    file.size = 0;
    put_npy(&file, 1, header_of("|b1", false, "(3, 1)"), "\0\1\2", 3);
    table = must_read(&file, NULL);
    assert_true(table->cells[0] == 0 && table->cells[1] == 1 && table->cells[2] == 1);
    assert_false(table->columns[0].has_missing);
    gi_table_free(table);

    file.size = 0;
    put_npy(&file, 1, header_of("<u8", false, "(1, 1)"), "\377\377\377\377\377\377\377\377", 8);
    table = must_read(&file, NULL);
    assert_int_equal(table->columns[0].kind, GI_CELL_TEXT);
    assert_string_equal(table->columns[0].texts.text[0], "18446744073709551615");
    gi_table_free(table);

    /* Whole numbers beyond 2^53 are told apart as texts, in a column that has one. */
    const int64_t large[] = {9007199254740993, 1, 9007199254740992, 2, -9007199254740993, 3};
    file.size = 0;
    put_npy(&file, 1, header_of(is_little() ? "<i8" : ">i8", false, "(3, 2)"), large, sizeof large);
    table = must_read(&file, NULL);
    assert_int_equal(table->columns[0].texts.n, 3);
    assert_string_equal(table->columns[0].texts.text[0], "9007199254740993");
    assert_string_equal(table->columns[0].texts.text[1], "9007199254740992");
    assert_string_equal(table->columns[0].texts.text[2], "-9007199254740993");
    assert_int_equal(table->columns[1].kind, GI_CELL_NUMBER);
    assert_true(table->cells[1] == 1 && table->cells[5] == 3);
    gi_table_free(table);
    const gi_known_column known = {.name = "1", .kind = GI_CELL_NUMBER};
    gi_table_params params = gi_table_default_params();
    params.known = &known;
    params.n_known = 1;
    params.ignores_unknown = true; /* as a network reads it */
    table = must_read(&file, &params);
    assert_true(table->cells[4] == -9007199254740992.0);
    gi_table_free(table);

    /* bfloat16, as ml_dtypes writes it: 1, -2.5, not a number */
    const uint16_t brief[] = {0x3F80, 0xC020, 0x7FC0};
    file.size = 0;
    put_npy(&file, 1, header_of(is_little() ? "<V2" : ">V2", false, "(3,)"), brief, sizeof brief);
    table = must_read(&file, NULL);
    assert_true(table->cells[0] == 1 && table->cells[1] == -2.5 && isnan(table->cells[2]));
    gi_table_free(table);
}

/* What other writers put into headers. */
static void test_headers(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2)}",
        "{\"shape\":(2,2),\"fortran_order\":False,\"descr\":\"|u1\"}",
        "  {'shape': (2L, 2L), 'descr' : 'u1' , 'fortran_order' : False , }\n",
        "{'descr': '<u1',\t'fortran_order': False,\r\n'shape': ( 2 , 2 , ), }",
        "{'descr': '=u1', 'fortran_order': False, 'shape': (2, 2), }",
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        struct bytes file = {.size = 0};
        put_npy(&file, 1, headers[i], "\1\2\3\4", 4);
        gi_table *table = must_read(&file, NULL);
        for (size_t c = 0; c < 4; c++) assert_true(table->cells[c] == (double)(c + 1));
        gi_table_free(table);
    }
}

static void test_malformed_arrays(void **state)
{
    (void)state;
#define GOOD_TAIL "'fortran_order': False, 'shape': (2, 2), }"
    static const struct {
        const char *label, *header;
        size_t data;
        const char *word1, *word2;
    } cases[] = {
        {"no dictionary", "[1, 2]", 4, "byte 10: found '['", "expected {"},
        {"empty header", "", 4, "byte 10: found its end", "expected {"},
        {"unknown key", "{'descr': '|u1', 'order': False, 'shape': (2, 2)}", 4, "byte 27",
         "'fortran_order'"},
        {"a key twice", "{'descr': '|u1', 'descr': '|u1', " GOOD_TAIL, 4, "byte 27", "each once"},
        {"no descr", "{" GOOD_TAIL, 4, "no 'descr'", "save the array again"},
        {"no shape", "{'descr': '|u1', 'fortran_order': False}", 4, "no 'shape'", NULL},
        {"no order", "{'descr': '|u1', 'shape': (2, 2)}", 4, "no 'fortran_order'", NULL},
        {"no colon", "{'descr' '|u1', " GOOD_TAIL, 4, "found '''", "a colon"},
        {"no quote", "{descr: '|u1', " GOOD_TAIL, 4, "found 'd'", "'descr'"},
        {"open quote", "{'descr: |u1", 4, "byte 11", "'descr'"},
        {"an escape", "{'de\\x73cr': '|u1', " GOOD_TAIL, 4, "byte 11", "'descr'"},
        {"not True", "{'descr': '|u1', 'fortran_order': 0, 'shape': (2, 2)}", 4, "found '0'",
         "True or False"},
        {"no comma", "{'descr': '|u1' 'shape': (2, 2)}", 4, "found '''", "a comma"},
        {"after the end", "{'descr': '|u1', " GOOD_TAIL " x", 4, "found 'x'", "nothing after"},
        {"a list as shape", "{'shape': [2, 2]}", 4, "found '['", "the shape"},
        {"a negative size", "{'shape': (-2, 2)}", 4, "found '-'", "a size"},
        {"a size of letters", "{'shape': (2, n)}", 4, "found 'n'", "a size"},
        {"an open shape", "{'shape': (2, 2", 4, "its end", "end of the shape"},
        {"sizes without comma", "{'shape': (2 2)}", 4, "found '2'", "a comma"},
        {"a huge size", "{'shape': (99999999999999999999999, 2)}", 4, "found '9'",
         "memory can have"},
        {"huge in all",
         "{'descr': '|u1', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", 4,
         "dimension 1, 4294967296", "larger than memory"},
        {"nine dimensions", "{'shape': (1, 1, 1, 1, 1, 1, 1, 1, 1)}", 4, "more than 8", "byte 45"},
        {"a scalar", "{'descr': '|u1', 'fortran_order': False, 'shape': ()}", 1, "a single number",
         "1 to 8 dimensions"},
        {"no rows", "{'descr': '|u1', 'fortran_order': False, 'shape': (0, 2)}", 0,
         "dimension 0 is 0", "empty"},
        {"no columns", "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 0)}", 0,
         "dimension 1 is 0", "empty"},
        {"records", "{'descr': [('a', '<f4'), ('b', '<i4')], " GOOD_TAIL, 4, "records",
         "plain array"},
        {"long texts", "{'descr': '<U9999', " GOOD_TAIL, 4, "'<U9999' (texts", "astype"},
        {"empty texts", "{'descr': '|S0', " GOOD_TAIL, 4, "(texts", "astype"},
        {"objects", "{'descr': '|O', " GOOD_TAIL, 4, "Python objects", "astype"},
        {"complex", "{'descr': '<c8', " GOOD_TAIL, 4, "complex numbers", "astype"},
        {"times", "{'descr': '<M8[ns]', " GOOD_TAIL, 4, "'<M8[ns]' (times)", NULL},
        {"raw", "{'descr': '|V4', " GOOD_TAIL, 4, "raw bytes", NULL},
        {"float8", "{'descr': '<V1', " GOOD_TAIL, 4, "ml_dtypes", NULL},
        {"raw halves", "{'descr': '|V2', " GOOD_TAIL, 8, "raw bytes", NULL},
        {"three bytes", "{'descr': '<i3', " GOOD_TAIL, 4, "'<i3'", "1 to 8 bytes"},
        {"one byte of float", "{'descr': '<f1', " GOOD_TAIL, 4, "'<f1'", "another size"},
        {"long doubles", "{'descr': '<f16', " GOOD_TAIL, 4, "'<f16'", "another size"},
        {"no type", "{'descr': '', " GOOD_TAIL, 4, "''", "no type"},
        {"no size", "{'descr': '<f', " GOOD_TAIL, 4, "'<f'", NULL},
        {"a long type", "{'descr': '<f4<f4<f4<f4<f4<f4<f4<f4', " GOOD_TAIL, 4, "byte 20",
         "the type"},
        {"no kind", "{'descr': '|hu1', " GOOD_TAIL, 4, "'|hu1'", "expected whole numbers"},
        {"too little data", "{'descr': '|u1', " GOOD_TAIL, 3, "3 bytes after", "expected 4"},
        {"too much data", "{'descr': '|u1', " GOOD_TAIL, 5, "5 bytes after", "expected 4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bytes file = {.size = 0};
        glia_error error = {0};
        gi_table *table = NULL;
        put_npy(&file, 1, cases[i].header, "\1\2\3\4\5\6\7\10", cases[i].data);
        assert_error(cases[i].label, read_table(&file, GLIA_SPLIT_TRAIN, NULL, &table, &error),
                     GLIA_BAD_FORMAT, &error, cases[i].word1, cases[i].word2);
        assert_error(cases[i].label, GLIA_BAD_FORMAT, GLIA_BAD_FORMAT, &error, "t.npz: byte", NULL);
    }
}

static void test_malformed_beginnings(void **state)
{
    (void)state;
    static const struct {
        const char *label, *bytes;
        size_t size;
        const char *word1, *word2;
    } cases[] = {
#define BYTES(string) string, sizeof string - 1
        {"empty", BYTES(""), "byte 0", "numpy.save"},
        {"text", BYTES("a,b\n1,2\n3,4\n"), "byte 0", "no array of NumPy's"},
        {"version 0", BYTES("\x93NUMPY\0\0\2\0{}"), "version 0.0", "1 to 3"},
        {"version 4", BYTES("\x93NUMPY\4\1\2\0\0\0{}"), "version 4.1", "1 to 3"},
        {"version 2, cut", BYTES("\x93NUMPY\2\0\2\0\0"), "version 2.0", NULL},
        {"header cut", BYTES("\x93NUMPY\1\0\x76\0{'descr'"), "a header of 118 bytes", "at most 8"},
        {"huge header", BYTES("\x93NUMPY\2\0\377\377\377\377{}"), "4294967295 bytes", "at most 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bytes file = {.size = 0};
        glia_error error = {0};
        gi_table *table = NULL;
        put(&file, cases[i].bytes, cases[i].size);
        assert_error(cases[i].label, read_table(&file, GLIA_SPLIT_TRAIN, NULL, &table, &error),
                     GLIA_BAD_FORMAT, &error, cases[i].word1, cases[i].word2);
    }
}

/* ---- Tables -------------------------------------------------------------------------------- */

static void test_table_of_archive(void **state)
{
    (void)state;
    static const float x[] = {1, 2, 3, 4, 5, (float)NAN}, y[] = {7, 8};
    struct bytes x_file = {.size = 0}, y_file = {.size = 0}, file = {.size = 0};
    put_npy(&x_file, 1, header_of("<f4", false, "(2, 3)"), x, sizeof x);
    put_npy(&y_file, 1, header_of("<f4", false, "(2,)"), y, sizeof y);
    struct member members[] = {{"y.npy", &y_file, 0, false, 0, 0},
                               {"x.npy", &x_file, 8, false, 0, 0}};
    put_archive(&file, members, 2, false);
    gi_table *table = must_read(&file, NULL);
    assert_int_equal(table->n_columns, 4);
    assert_int_equal(table->n_targets, 1);
    assert_string_equal(table->columns[3].name, "y");
    assert_true(table->columns[2].has_missing && !table->columns[3].has_missing);
    assert_true(table->cells[3] == 7 && table->cells[4] == 4 && table->cells[7] == 8);
    assert_int_equal(gi_table_line(table, 1), 0);
    gi_table_free(table);

    /* Only some columns, one of them categories. */
    const gi_known_column known[] = {{"column 2", GI_CELL_TEXT, false, {0}},
                                     {"y", GI_CELL_NUMBER, false, {0}},
                                     {"z", GI_CELL_NUMBER, true, {0}}};
    gi_table_params params = gi_table_default_params();
    params.known = known;
    params.n_known = 3;
    params.ignores_unknown = true;
    table = must_read(&file, &params);
    assert_int_equal(table->columns[0].kind, GI_CELL_IGNORED);
    assert_true(isnan(table->cells[0]));
    assert_int_equal(table->columns[1].kind, GI_CELL_TEXT);
    assert_string_equal(table->columns[1].texts.text[(size_t)table->cells[5]], "5");
    gi_table_free(table);

    const gi_known_column absent[] = {{"age", GI_CELL_NUMBER, false, {0}}};
    glia_error error = {0};
    params.known = absent;
    params.n_known = 1;
    assert_error("absent", read_table(&file, GLIA_SPLIT_TRAIN, &params, &table, &error),
                 GLIA_BAD_FORMAT, &error, "none of them age", "column 1 to y");
    assert_error("no test", read_table(&file, GLIA_SPLIT_TEST, NULL, &table, &error),
                 GLIA_NOT_FOUND, &error, "y.npy, x.npy", "x_test");
}

static void test_table_of_several_targets(void **state)
{
    (void)state;
    static const double y[] = {1, 2, 3, 4};
    struct bytes x_file = {.size = 0}, y_file = {.size = 0}, file = {.size = 0};
    put_npy(&x_file, 1, header_of("|u1", false, "(2, 1)"), "\1\2", 2);
    put_npy(&y_file, 1, header_of("<f8", true, "(2, 2)"), y, sizeof y);
    struct member members[] = {{"data.npy", &x_file, 0, false, 0, 0},
                               {"target.npy", &y_file, 0, false, 0, 0}};
    put_archive(&file, members, 2, false);
    gi_table *table = must_read(&file, NULL);
    assert_int_equal(table->n_targets, 2);
    assert_string_equal(table->columns[1].name, "y 1");
    assert_string_equal(table->columns[2].name, "y 2");
    assert_true(table->cells[1] == 1 && table->cells[2] == 3 && table->cells[4] == 2);
    gi_table_free(table);
    assert_null(must_open(&file, GLIA_SPLIT_TRAIN)); /* its y is no class */
}

static void test_malformed_values(void **state)
{
    (void)state;
    static const double infinite[] = {1, 2, 3, (double)INFINITY}, half[] = {1, 2, 3.5, 4};
    const gi_known_column known[] = {{"column 1", GI_CELL_TEXT, false, {0}}};
    gi_table_params params = gi_table_default_params();
    struct bytes file = {.size = 0};
    glia_error error = {0};
    gi_table *table = NULL;
    put_npy(&file, 1, header_of("<f8", false, "(2, 2)"), infinite, sizeof infinite);
    assert_error("infinite", read_table(&file, GLIA_SPLIT_TRAIN, NULL, &table, &error),
                 GLIA_BAD_FORMAT, &error, "t.npz, row 2, column 2", "infinite");
    file.size = 0;
    params.known = known;
    params.n_known = 1;
    put_npy(&file, 1, header_of("<f8", false, "(2, 2)"), half, sizeof half);
    assert_error("category", read_table(&file, GLIA_SPLIT_TRAIN, &params, &table, &error),
                 GLIA_BAD_FORMAT, &error, "row 2, column 1: found 3.5", "whole number");
    file.size = 0;
    static const uint8_t zeros[70000];
    struct bytes *large = calloc(1, sizeof *large);
    put_npy(large, 1, header_of("|u1", false, "(1, 30000)"), zeros, 30000);
    table = must_read(large, NULL);
    assert_int_equal(table->n_columns, 30000);
    gi_table_free(table);
    free(large);
}

/* ---- Data sets of bytes -------------------------------------------------------------------- */

static const uint8_t pixels[] = {0, 0, 0, 0, 9, 0, 0, 0, 0, 10, 11, 12, 13, 14, 15, 16, 17, 18};

static void test_images(void **state)
{
    (void)state;
    static const int64_t labels[] = {2, 0};
    static const struct {
        const char *shape;
        size_t features, height, width, channels;
    } cases[] = {
        {"(2, 3, 3)", 9, 3, 3, 1},    {"(2, 9)", 9, 0, 0, 0},       {"(2, 9, 1)", 9, 9, 1, 1},
        {"(2, 3, 3, 1)", 9, 3, 3, 1}, {"(2, 1, 3, 3)", 9, 1, 3, 3}, {"(2, 3, 1, 3)", 9, 3, 1, 3},
        {"(2, 1, 9, 1)", 9, 1, 9, 1}, {"(2, 1, 1, 9)", 9, 1, 9, 1}, {"(2, 3, 1, 1, 3)", 9, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (unsigned how = 0; how < 8; how++) {
            const unsigned method = how & 1 ? 8 : 0;
            struct bytes x_file = {.size = 0}, y_file = {.size = 0}, file = {.size = 0};
            put_npy(&x_file, 1, header_of("|u1", false, cases[i].shape), pixels, sizeof pixels);
            put_npy(&y_file, 2, header_of("<i8", false, i % 2 ? "(2,)" : "(2, 1)"), labels,
                    sizeof labels);
            struct member members[] = {{"x_train.npy", &x_file, method, how >> 1 & 1, 0, 0},
                                       {"y_train.npy", &y_file, method, false, 0, 0}};
            put_archive(&file, members, 2, how >> 2 & 1);
            glia_dataset *dataset = must_open(&file, GLIA_SPLIT_TRAIN);
            assert_non_null(dataset);
            const glia_dataset_info info = glia_dataset_describe(dataset);
            assert_int_equal(info.type, GLIA_TYPE_U8);
            assert_int_equal(info.samples, 2);
            assert_int_equal(info.features, cases[i].features);
            assert_int_equal(info.classes, 2); /* those that are there */
            assert_string_equal(glia_dataset_class_name(dataset, 1), "2");
            assert_int_equal(info.height, cases[i].height);
            assert_int_equal(info.width, cases[i].width);
            assert_int_equal(info.channels, cases[i].channels);
            uint8_t x[9];
            uint32_t label;
            assert_int_equal(whole_sample(dataset, 1, x, &label, NULL), GLIA_OK);
            assert_memory_equal(x, pixels + 9, 9);
            assert_int_equal(label, 0);
            assert_int_equal(gi_dataset_label(dataset, 0), 1);
            glia_dataset_free(dataset);
        }
}

static void test_images_in_fortran_order(void **state)
{
    (void)state;
    uint8_t turned[18], x[9];
    for (size_t n = 0; n < 2; n++)
        for (size_t i = 0; i < 9; i++) /* (n, h, w), the first index fastest */
            turned[n + 2 * (i / 3 + 3 * (i % 3))] = pixels[n * 9 + i];
    for (unsigned method = 0; method <= 8; method += 8) {
        struct bytes x_file = {.size = 0}, y_file = {.size = 0}, file = {.size = 0};
        put_npy(&x_file, 1, header_of("|u1", true, "(2, 3, 3)"), turned, sizeof turned);
        put_npy(&y_file, 1, header_of("|u1", false, "(2,)"), "\0\1", 2);
        struct member members[] = {{"images.npy", &x_file, method, false, 0, 0},
                                   {"labels.npy", &y_file, method, false, 0, 0}};
        put_archive(&file, members, 2, false);
        glia_dataset *dataset = must_open(&file, GLIA_SPLIT_TRAIN);
        for (size_t n = 0; n < 2; n++) {
            assert_int_equal(whole_sample(dataset, n, x, NULL, NULL), GLIA_OK);
            assert_memory_equal(x, pixels + 9 * n, 9);
        }
        glia_dataset_free(dataset);
    }
}

/* Both splits, and classes that are those of both. */
static void test_splits(void **state)
{
    (void)state;
    struct bytes x_file = {.size = 0}, y_file = {.size = 0}, x_test = {.size = 0},
                 y_test = {.size = 0}, file = {.size = 0};
    put_npy(&x_file, 1, header_of("|u1", false, "(2, 3, 3)"), pixels, sizeof pixels);
    put_npy(&y_file, 1, header_of("|u1", false, "(2,)"), "\0\1", 2);
    put_npy(&x_test, 1, header_of("|u1", false, "(1, 3, 3)"), pixels + 9, 9);
    put_npy(&y_test, 1, header_of("|u1", false, "(1,)"), "\4", 1);
    struct member members[] = {{"x_test.npy", &x_test, 8, false, 0, 0},
                               {"x_train.npy", &x_file, 8, false, 0, 0},
                               {"y_train.npy", &y_file, 8, false, 0, 0},
                               {"y_test.npy", &y_test, 8, false, 0, 0}};
    put_archive(&file, members, 4, false);
    glia_dataset *train = must_open(&file, GLIA_SPLIT_TRAIN),
                 *test = must_open(&file, GLIA_SPLIT_TEST);
    assert_int_equal(glia_dataset_describe(train).samples, 2);
    assert_int_equal(glia_dataset_describe(test).samples, 1);
    assert_int_equal(glia_dataset_describe(train).classes, 3);
    assert_int_equal(glia_dataset_describe(test).classes, 3);
    assert_int_equal(gi_dataset_label(test, 0), 2);
    assert_string_equal(glia_dataset_class_name(test, 2), "4");
    assert_string_equal(glia_dataset_class_name(test, 1), "1");
    glia_dataset_free(train);
    glia_dataset_free(test);
}

/* The class names that y has, one after the other; of so many samples of bytes. */
static void assert_classes(const char *type, const char *shape, const void *y, size_t size,
                           size_t samples, const char *names, const uint32_t *labels)
{
    static const uint8_t zeros[64];
    char x_shape[32], found[256] = "";
    struct bytes x_file = {.size = 0}, y_file = {.size = 0}, file = {.size = 0};
    snprintf(x_shape, sizeof x_shape, "(%zu, 2)", samples);
    put_npy(&x_file, 1, header_of("|u1", false, x_shape), zeros, 2 * samples);
    put_npy(&y_file, 1, header_of(type, false, shape), y, size);
    struct member members[] = {{"x.npy", &x_file, 8, false, 0, 0},
                               {"y.npy", &y_file, 8, false, 0, 0}};
    put_archive(&file, members, 2, false);
    glia_dataset *dataset = must_open(&file, GLIA_SPLIT_TRAIN);
    assert_non_null(dataset);
    for (size_t k = 0; k < glia_dataset_describe(dataset).classes; k++) {
        strcat(found, k ? " " : "");
        strcat(found, glia_dataset_class_name(dataset, (uint32_t)k));
    }
    assert_string_equal(found, names);
    for (size_t i = 0; i < samples; i++) assert_int_equal(gi_dataset_label(dataset, i), labels[i]);
    glia_dataset_free(dataset);
}

static void test_labels(void **state)
{
    (void)state;
    static const uint16_t from_1[] = {3, 1, 2, 1}, far[] = {60000, 3, 3, 60000};
    static const int32_t below_0[] = {-1, 1, -1, 1}, large[] = {100000, 7, 7, 100000};
    static const uint8_t one_hot[] = {0, 0, 1, 1, 0, 0, 0, 1, 0, 1, 0, 0};
    static const float hot_floats[] = {0, 1, 1, 0, 0, 1, 0, 1};
    static const uint32_t names[] = {'c', 'a', 't', 0, 0xE4, 0x1F600, 0, 0};
    const bool little = is_little();
    assert_classes(little ? "<u2" : ">u2", "(4,)", from_1, sizeof from_1, 4, "1 2 3",
                   (const uint32_t[]){2, 0, 1, 0});
    assert_classes(little ? "<u2" : ">u2", "(4, 1)", far, sizeof far, 4, "3 60000",
                   (const uint32_t[]){1, 0, 0, 1});
    assert_classes(little ? "<i4" : ">i4", "(4,)", below_0, sizeof below_0, 4, "-1 1",
                   (const uint32_t[]){0, 1, 0, 1});
    assert_classes(little ? "<i4" : ">i4", "(4,)", large, sizeof large, 4, "7 100000",
                   (const uint32_t[]){1, 0, 0, 1});
    assert_classes("|u1", "(4, 3)", one_hot, sizeof one_hot, 4, "0 1 2",
                   (const uint32_t[]){2, 0, 1, 0});
    assert_classes(little ? "<f4" : ">f4", "(4, 2)", hot_floats, sizeof hot_floats, 4, "0 1",
                   (const uint32_t[]){1, 0, 1, 1});
    assert_classes("|S3", "(3,)", "dogantdog", 9, 3, "ant dog", (const uint32_t[]){1, 0, 1});
    assert_classes(little ? "<U4" : ">U4", "(2,)", names, sizeof names, 2,
                   "cat \xC3\xA4\xF0\x9F\x98\x80", (const uint32_t[]){0, 1});
}

/* Classes go by their names: a set that lacks some has the labels of a network that knows all. */
static void test_taken_classes(void **state)
{
    (void)state;
    static const uint8_t x[6], y[] = {5, 2, 5};
    char *const names[] = {"1", "2", "3", "4", "5"}, *const others[] = {"2", "3"};
    glia_error error = {0};
    struct bytes x_file = {.size = 0}, y_file = {.size = 0}, file = {.size = 0};
    put_npy(&x_file, 1, header_of("|u1", false, "(3, 2)"), x, sizeof x);
    put_npy(&y_file, 1, header_of("|u1", false, "(3,)"), y, sizeof y);
    struct member members[] = {{"x.npy", &x_file, 8, false, 0, 0},
                               {"y.npy", &y_file, 8, false, 0, 0}};
    put_archive(&file, members, 2, false);
    glia_dataset *dataset = must_open(&file, GLIA_SPLIT_TRAIN);
    assert_int_equal(gi_dataset_take_classes(dataset, others, 2, &error), GLIA_OK);
    assert_int_equal(glia_dataset_describe(dataset).classes, 2); /* 5 is not there: as it was */
    assert_int_equal(gi_dataset_label(dataset, 0), 1);
    assert_int_equal(gi_dataset_take_classes(dataset, names, 5, &error), GLIA_OK);
    assert_int_equal(glia_dataset_describe(dataset).classes, 5);
    assert_int_equal(gi_dataset_label(dataset, 0), 4);
    assert_int_equal(gi_dataset_label(dataset, 1), 1);
    assert_string_equal(glia_dataset_class_name(dataset, 4), "5");
    glia_dataset_free(dataset);
}

/* Texts as y are classes of a table, too; as x they are nothing. */
static void test_text_targets(void **state)
{
    (void)state;
    static const float x[8];
    struct bytes x_file = {.size = 0}, y_file = {.size = 0}, file = {.size = 0};
    put_npy(&x_file, 1, header_of(is_little() ? "<f4" : ">f4", false, "(4, 2)"), x, sizeof x);
    struct member members[] = {{"x.npy", &x_file, 8, false, 0, 0},
                               {"y.npy", &y_file, 8, false, 0, 0}};
    gi_table *table = NULL;
    put_npy(&y_file, 1, header_of("|S2", false, "(4,)"), "noye\0\0no", 8);
    put_archive(&file, members, 2, false);
    table = must_read(&file, NULL);
    assert_int_equal(table->columns[2].kind, GI_CELL_TEXT);
    assert_string_equal(table->columns[2].texts.text[0], "no");
    assert_string_equal(table->columns[2].texts.text[1], "ye");
    assert_true(isnan(table->cells[8]) && table->columns[2].has_missing);
    assert_true(table->cells[11] == 0);
    gi_table_free(table);
    glia_error error = {0};
    assert_error("texts as x",
                 (file = y_file, read_table(&file, GLIA_SPLIT_TRAIN, NULL, &table, &error)),
                 GLIA_BAD_FORMAT, &error, "'|S2' (texts)", "names of classes");
}

/* What scipy.sparse.save_npz writes of ((1, 0, 2), (0, 3, 0)), and more than that. */
static void test_sparse_matrices(void **state)
{
    (void)state;
    static const double full[] = {1, 0, 2, 0, 3, 0}, data[] = {1, 2, 3}, by_columns[] = {1, 3, 2};
    static const double blocks[] = {1, 0, 0, 3, 2, 0}, diagonals[] = {1, 3, 0, 0, 0, 2};
    static const int64_t shape[] = {2, 3};
    static const int32_t indices[] = {0, 2, 1}, indptr[] = {0, 2, 3}, rows[] = {0, 1, 0},
                         columns[] = {0, 1, 2, 3}, lines[] = {0, 0, 1}, offsets[] = {0, 2},
                         of_blocks[] = {0, 1, 2}, block_ptr[] = {0, 3}, wrong[] = {0, 3, 2},
                         high[] = {0, 2, 9};
    const bool little = is_little();
    const char *f8 = little ? "<f8" : ">f8", *i4 = little ? "<i4" : ">i4",
               *i8 = little ? "<i8" : ">i8";
    static const struct {
        const char *format, *data_shape, *first, *first_shape, *second, *second_shape;
        const void *data, *first_data, *second_data;
        size_t data_size, first_size, second_size;
        const char *word; /* of a malformed one */
    } cases[] = {
        {"csr", "(3,)", "indices.npy", "(3,)", "indptr.npy", "(3,)", data, indices, indptr,
         sizeof data, sizeof indices, sizeof indptr, NULL},
        {"csc", "(3,)", "indices.npy", "(3,)", "indptr.npy", "(4,)", by_columns, rows, columns,
         sizeof data, sizeof rows, sizeof columns, NULL},
        {"coo", "(3,)", "row.npy", "(3,)", "col.npy", "(3,)", data, lines, indices, sizeof data,
         sizeof lines, sizeof indices, NULL},
        {"bsr", "(3, 2, 1)", "indices.npy", "(3,)", "indptr.npy", "(2,)", blocks, of_blocks,
         block_ptr, sizeof blocks, sizeof of_blocks, sizeof block_ptr, NULL},
        {"dia", "(2, 3)", "offsets.npy", "(2,)", NULL, NULL, diagonals, offsets, NULL,
         sizeof diagonals, sizeof offsets, 0, NULL},
        {"lil", "(3,)", "indices.npy", "(3,)", "indptr.npy", "(3,)", data, indices, indptr,
         sizeof data, sizeof indices, sizeof indptr, "tocsr()"},
        {"csr", "(3,)", "indices.npy", "(3,)", "indptr.npy", "(3,)", data, high, indptr,
         sizeof data, sizeof high, sizeof indptr, "indices.npy"},
        {"csr", "(3,)", "indices.npy", "(3,)", "indptr.npy", "(3,)", data, indices, wrong,
         sizeof data, sizeof indices, sizeof wrong, "indptr.npy"},
        {"csr", "(3,)", "indices.npy", "(3,)", "indptr.npy", "(2,)", data, indices, block_ptr,
         sizeof data, sizeof indices, sizeof block_ptr, "indptr.npy"},
        {"coo", "(3,)", "row.npy", "(3,)", "col.npy", "(3,)", data, high, indices, sizeof data,
         sizeof high, sizeof indices, "row.npy"},
        {"csr", "(3,)", "indices.npy", "(3,)", "other.npy", "(3,)", data, indices, indptr,
         sizeof data, sizeof indices, sizeof indptr, "without whole numbers indptr.npy"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bytes parts[5] = {{.size = 0}}, file = {.size = 0};
        put_npy(&parts[0], 1, header_of("|S3", false, "()"), cases[i].format, 3);
        put_npy(&parts[1], 1, header_of(i8, false, "(2,)"), shape, sizeof shape);
        put_npy(&parts[2], 1, header_of(f8, false, cases[i].data_shape), cases[i].data,
                cases[i].data_size);
        put_npy(&parts[3], 1, header_of(i4, false, cases[i].first_shape), cases[i].first_data,
                cases[i].first_size);
        if (cases[i].second)
            put_npy(&parts[4], 1, header_of(i4, false, cases[i].second_shape), cases[i].second_data,
                    cases[i].second_size);
        struct member members[] = {{"format.npy", &parts[0], 0, false, 0, 0},
                                   {"shape.npy", &parts[1], 8, false, 0, 0},
                                   {"data.npy", &parts[2], 8, false, 0, 0},
                                   {cases[i].first, &parts[3], 8, false, 0, 0},
                                   {cases[i].second, &parts[4], 8, false, 0, 0}};
        put_archive(&file, members, cases[i].second ? 5 : 4, false);
        if (cases[i].word) {
            glia_error error = {0};
            gi_table *none = NULL;
            assert_error(cases[i].word, read_table(&file, GLIA_SPLIT_TRAIN, NULL, &none, &error),
                         GLIA_BAD_FORMAT, &error, cases[i].word, "t.npz");
            continue;
        }
        gi_table *table = must_read(&file, NULL);
        assert_int_equal(table->rows, 2);
        assert_int_equal(table->n_columns, 3);
        assert_memory_equal(table->cells, full, sizeof full);
        gi_table_free(table);
    }
}

/* An archive of n arrays of 2 rows: X... of 3 columns, x... of 2, others are labels. */
static void put_named(struct bytes *to, const char *const *names, size_t n)
{
    struct bytes wide = {.size = 0}, narrow = {.size = 0}, y = {.size = 0};
    struct member members[6];
    put_npy(&wide, 1, header_of("|u1", false, "(2, 3)"), "\1\2\3\4\5\6", 6);
    put_npy(&narrow, 1, header_of("|u1", false, "(2, 2)"), "\1\2\3\4", 4);
    put_npy(&y, 1, header_of("|i1", false, "(2,)"), "\0\1", 2);
    for (size_t i = 0; i < n; i++)
        members[i] = (struct member){
            names[i], names[i][0] == 'X' ? &wide : names[i][0] == 'x' ? &narrow : &y, 0, false, 0,
            0};
    put_archive(to, members, n, false);
}

/* Arrays that nobody asks for are named, and so is the pair that is read. */
static void test_arrays_that_are_not_used(void **state)
{
    (void)state;
    static const struct {
        const char *names[6];
        size_t n;
        const char *how;
    } cases[] = {
        {{"x.npy", "y.npy"}, 2, "NumPy's |u1, 2 rows of 2 columns and their targets"},
        {{"x.npy", "y.npy", "groups.npy", "sample\n.npy"},
         4,
         "NumPy's |u1, 2 rows of 2 columns and their targets; x and y are read; groups, sample\\n "
         "are "
         "not used"},
        {{"data.npy", "target.npy", "X.npy", "y.npy"},
         4,
         "NumPy's |u1, 2 rows of 3 columns and their targets; X and y are read; data, target are "
         "not used"},
        {{"x_train.npy", "y_train.npy", "x_test.npy"},
         3,
         "NumPy's |u1, 2 rows of 2 columns and their targets; x_train and y_train are read; x_test "
         "is not used; without y_test, nothing is scored on x_test"},
        {{"x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy"},
         4,
         "NumPy's |u1, 2 rows of 2 columns and their targets"},
        {{"x_train.npy", "x_test.npy"}, 2, "NumPy's |u1, 2 rows of 2 columns"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bytes file = {.size = 0};
        put_named(&file, cases[i].names, cases[i].n);
        gi_table *table = must_read(&file, NULL);
        assert_string_equal(table->how, cases[i].how);
        gi_table_free(table);
    }
}

/* x_test without y_test is predicted, and no part to test on; other columns than x_train's fail. */
static void test_arrays_to_test_on(void **state)
{
    (void)state;
    static const char *const without_y[] = {"x_train.npy", "y_train.npy", "x_test.npy"};
    static const char *const wide[] = {"X_train.npy", "y_train.npy", "x_test.npy", "y_test.npy"};
    struct bytes file = {.size = 0};
    const gi_known_column known[] = {{"column 2", GI_CELL_NUMBER, false, {0, 0}}};
    gi_table_params params = gi_table_default_params();
    glia_error error = {0};
    gi_table *table = NULL;
    put_named(&file, without_y, 3);
    assert_error("no y_test", read_table(&file, GLIA_SPLIT_TEST, NULL, &table, &error),
                 GLIA_NOT_FOUND, &error, "t.npz: found no y_test", "scored");
    params.known = known;
    params.n_known = 1;
    params.ignores_unknown = true; /* as for a network */
    assert_int_equal(read_table(&file, GLIA_SPLIT_TEST, &params, &table, &error), GLIA_OK);
    assert_int_equal(table->rows, 2);
    gi_table_free(table);
    const gi_known_column more[] = {{"column 3", GI_CELL_NUMBER, false, {0, 0}}};
    params.known = more;
    assert_error("too few", read_table(&file, GLIA_SPLIT_TEST, &params, &table, &error),
                 GLIA_MISMATCH, &error, "t.npz: x_test.npy: found the shape (2, 2), of 2 columns",
                 "expected column 3 too");
    file.size = 0;
    put_named(&file, wide, 4);
    assert_error("others", read_table(&file, GLIA_SPLIT_TRAIN, NULL, &table, &error),
                 GLIA_BAD_FORMAT, &error,
                 "x_test.npy: found the shape (2, 2), of 2 columns, expected 3",
                 "the shape (2, 3) that is learned from");
}

/* An array of more dimensions is a table whose note says so. */
static void test_flattened(void **state)
{
    (void)state;
    struct bytes file = {.size = 0};
    put_npy(&file, 1, header_of("|u1", false, "(1, 2, 3)"), "\1\2\3\4\5\6", 6);
    gi_table *table = must_read(&file, NULL);
    assert_string_equal(table->how,
                        "NumPy's |u1, 1 row of 6 columns; the shape (1, 2, 3) is flattened");
    gi_table_free(table);
}

/* What is there for validation is mentioned. */
static void test_unused(void **state)
{
    (void)state;
    struct bytes x_file = {.size = 0}, y_file = {.size = 0}, file = {.size = 0};
    put_npy(&x_file, 1, header_of("|u1", false, "(2, 3, 3)"), pixels, sizeof pixels);
    put_npy(&y_file, 1, header_of("|u1", false, "(2, 1)"), "\0\1", 2);
    struct member members[] = {{"val_images.npy", &x_file, 8, false, 0, 0},
                               {"val_labels.npy", &y_file, 8, false, 0, 0},
                               {"train_images.npy", &x_file, 8, false, 0, 0},
                               {"train_labels.npy", &y_file, 8, false, 0, 0}};
    put_archive(&file, members, 4, false);
    glia_dataset *dataset = must_open(&file, GLIA_SPLIT_TRAIN);
    assert_string_equal(glia_dataset_notes(dataset),
                        "train_images and train_labels are read; val_images, val_labels are not "
                        "used; glia_dataset_hold_out holds training samples out");
    glia_dataset_free(dataset);
    file.size = 0;
    put_archive(&file, members + 2, 2, false);
    dataset = must_open(&file, GLIA_SPLIT_TRAIN);
    assert_true(!glia_dataset_notes(dataset) || !*glia_dataset_notes(dataset));
    glia_dataset_free(dataset);
}

/* What is no data set of bytes. */
static void test_others_are_tables(void **state)
{
    (void)state;
    static const struct {
        const char *x_type, *y_type, *y_shape, *y;
        size_t y_size;
    } cases[] = {
        {"|i1", "|u1", "(2,)", "\0\1", 2},
        {"|u1", "<f4", "(2,)", "\0\0\0\0\0\0\0\0", 8},
        {"|u1", "|i1", "(2,)", "\377\1", 2}, /* -1 */
        {"|u1", "<i4", "(2,)", "\0\0\1\0\1\0\0\0", 8},
        {"|u1", "|u1", "(2, 2)", "\0\1\1\1", 4}, /* two labels at once */
        {"|u1", "|u1", "(2, 2)", "\0\2\2\0", 4},
        {"|u1", "|b1", "(2,)", "\0\1", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bytes x_file = {.size = 0}, y_file = {.size = 0}, file = {.size = 0};
        put_npy(&x_file, 1, header_of(cases[i].x_type, false, "(2, 9)"), pixels, sizeof pixels);
        put_npy(&y_file, 1, header_of(cases[i].y_type, false, cases[i].y_shape), cases[i].y,
                cases[i].y_size);
        struct member members[] = {{"x.npy", &x_file, 8, false, 0, 0},
                                   {"y.npy", &y_file, 8, false, 0, 0}};
        put_archive(&file, members, 2, false);
        assert_null(must_open(&file, GLIA_SPLIT_TRAIN));
        gi_table_free(must_read(&file, NULL));
    }
}

/* ---- Malformed archives -------------------------------------------------------------------- */

static void test_malformed_archives(void **state)
{
    (void)state;
    struct bytes x_file = {.size = 0}, y_file = {.size = 0}, short_y = {.size = 0},
                 good = {.size = 0};
    put_npy(&x_file, 1, header_of("|u1", false, "(2, 9)"), pixels, sizeof pixels);
    put_npy(&y_file, 1, header_of("|u1", false, "(2,)"), "\0\1", 2);
    put_npy(&short_y, 1, header_of("|u1", false, "(1,)"), "\0", 1);
    struct member members[] = {{"x.npy", &x_file, 0, false, 0, 0},
                               {"y.npy", &y_file, 8, false, 0, 0}};
    put_archive(&good, members, 2, false);
    const size_t end = good.size - 22, directory = end - 2 * (46 + 5);
    const size_t second = directory + 46 + 5;
    gi_table_free(must_read(&good, NULL));

    const struct {
        const char *label;
        size_t at; /* of the byte that is changed; or SIZE_MAX */
        uint8_t to;
        size_t cut; /* bytes at the end */
        const char *word1, *word2;
    } cases[] = {
        {"end cut", SIZE_MAX, 0, 1, "no end of its directory", "copy or save"},
        {"nearly all cut", SIZE_MAX, 0, good.size - 10, "no end of its directory", NULL},
        {"directory after the end", end + 19, 0x7F, 0, "lies outside", NULL},
        {"directory too large", end + 15, 0x7F, 0, "lies outside", NULL},
        {"too many members", end + 10, 0xFF, 0, "no room for its members", NULL},
        {"directory elsewhere", end + 16, 3, 0, "no member of its directory begins there", NULL},
        {"encrypted", directory + 8, 1, 0, "encrypted", "numpy.savez"},
        {"a long name", directory + 29, 0xFF, 0, "ends early", NULL},
        {"another packed size", directory + 20, 0xFF, 0, NULL, NULL},
        {"no local header", directory + 42, 1, 0, "no member is where its directory says", NULL},
        {"far local header", directory + 45, 0x7F, 0, "no member is where its directory says",
         NULL},
        {"a long member", directory + 22, 0x7F, 0, "longer than the file", NULL},
        {"two sizes", directory + 24, 1, 0, "two sizes", NULL},
        {"another method", directory + 10, 12, 0, "method 12", "savez_compressed"},
        {"wrong checksum", directory + 16, 0x55, 0, "CRC-32", "copy or save"},
        {"changed data", 30 + 5 + 4 + 40, 'x', 0, "CRC-32", NULL},
        {"deflated, shorter", second + 24, 1, 0, "do not decompress", NULL},
        {"deflated, longer", second + 25, 0xFF, 0, "do not decompress", NULL},
        {"deflated, far too long", second + 27, 0x7F, 0, "more than is read",
         "without compression"},
        {"no archive", 0, 0, 0, "no array of NumPy", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bytes file = good;
        glia_error error = {0};
        gi_table *table = NULL;
        if (cases[i].at != SIZE_MAX) file.data[cases[i].at] = cases[i].to;
        file.size -= cases[i].cut;
        assert_error(cases[i].label, read_table(&file, GLIA_SPLIT_TRAIN, NULL, &table, &error),
                     GLIA_BAD_FORMAT, &error, cases[i].word1, cases[i].word2);
        assert_non_null(strstr(error.message, "t.npz: byte "));
    }

    struct member odd[] = {{"x.npy", &x_file, 0, false, 0, 0}, {"y.npy", &short_y, 0, false, 0, 0}};
    struct bytes file = {.size = 0};
    glia_error error = {0};
    gi_table *table = NULL;
    put_archive(&file, odd, 2, false);
    assert_error("rows", read_table(&file, GLIA_SPLIT_TRAIN, NULL, &table, &error), GLIA_BAD_FORMAT,
                 &error, "t.npz: y.npy: found 1 row, expected 2", "x.npy");
    file.size = 0;
    odd[0].name = "a.npy";
    put_archive(&file, odd, 2, false);
    assert_error("names", read_table(&file, GLIA_SPLIT_TRAIN, NULL, &table, &error),
                 GLIA_BAD_FORMAT, &error, "a.npy, y.npy", "numpy.savez(file, x=..., y=...)");
    file.size = 0;
    put_archive(&file, odd, 0, false);
    assert_error("none", read_table(&file, GLIA_SPLIT_TRAIN, NULL, &table, &error), GLIA_BAD_FORMAT,
                 &error, "the arrays none", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_malformed_arrays),
        cmocka_unit_test(test_malformed_beginnings),
        cmocka_unit_test(test_table_of_archive),
        cmocka_unit_test(test_table_of_several_targets),
        cmocka_unit_test(test_malformed_values),
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_images_in_fortran_order),
        cmocka_unit_test(test_splits),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_taken_classes),
        cmocka_unit_test(test_text_targets),
        cmocka_unit_test(test_sparse_matrices),
        cmocka_unit_test(test_unused),
        cmocka_unit_test(test_arrays_that_are_not_used),
        cmocka_unit_test(test_arrays_to_test_on),
        cmocka_unit_test(test_flattened),
        cmocka_unit_test(test_others_are_tables),
        cmocka_unit_test(test_malformed_archives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
