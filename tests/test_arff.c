/* SPDX-License-Identifier: MIT */
/*
 * Tests of ARFF: types of attributes, quotes, dense and sparse rows, weights, dates, what is known
 * of columns, and each rule as a line of a table of malformed ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "assert_error.h"
#include "data/encoding/encoding.h"
#include "data/files/arff.h"
#include "data/files/arff_parts.h"
#include "data/set/dataset.h"
#include "data/table/csv/csv.h"
#include "shape.h"
#include "whole.h"

/* Parses a copy of exactly the size, so that AddressSanitizer sees a step beyond its end. */
static glia_status parse(const char *text, size_t size, const gi_table_params *params,
                         gi_table **out, glia_error *error)
{
    const gi_table_params usual = gi_table_default_params();
    uint8_t *exact = malloc(size ? size : 1);
    if (size) memcpy(exact, text, size);
    const glia_status status =
        gi_arff_parse("a.arff", exact, size, params ? params : &usual, out, error);
    free(exact);
    return status;
}

static gi_table *must_parse(const char *text, const gi_table_params *params)
{
    glia_error error = {0};
    gi_table *table = NULL;
    if (parse(text, strlen(text), params, &table, &error) != GLIA_OK) fail_msg("%s", error.message);
    return table;
}

/* The number of a cell, */
static void assert_number(const gi_table *table, size_t row, size_t column, double expected)
{
    const double found = table->cells[row * table->n_columns + column];
    assert_int_equal(table->columns[column].kind, GI_CELL_NUMBER);
    if (!(found == expected || (isnan(found) && isnan(expected))))
        fail_msg("row %zu, column %zu: %g", row, column, found);
}

/* or its text; NULL: it is missing. */
static void assert_text(const gi_table *table, size_t row, size_t column, const char *expected)
{
    const double cell = table->cells[row * table->n_columns + column];
    assert_int_equal(table->columns[column].kind, GI_CELL_TEXT);
    if (!expected) {
        assert_true(isnan(cell));
        return;
    }
    assert_true(!isnan(cell));
    assert_string_equal(table->columns[column].texts.text[(size_t)cell], expected);
}

static void test_dense(void **state)
{
    (void)state;
    gi_table *table = must_parse("\xEF\xBB\xBF% made by hand\r\n"
                                 "\r\n"
                                 "@RELATION 'house prices'\r\n"
                                 "@attribute area Numeric  % in m2\r\n"
                                 "@Attribute \"the city's \\\"name\\\"\" STRING\r\n"
                                 "@attribute rooms INTEGER\r\n"
                                 "\t@attribute class {No, 'Yes, sir', \"may be\", 'it\\'s'}\r\n"
                                 "@DATA\r\n"
                                 "1.5e2,Rome,3,No\r\n"
                                 "% between rows\r\n"
                                 " -.5 , 'New York' , ? , 'Yes, sir' % after one\r\n"
                                 "?,?,4,?\r\n"
                                 "7,\"50% \\\"off\\\"\",5,'it\\'s'\r\n"
                                 "7,50%,5,may be",
                                 NULL);
    assert_int_equal(table->rows, 5);
    assert_int_equal(table->n_columns, 4);
    assert_string_equal(table->columns[0].name, "area");
    assert_string_equal(table->columns[1].name, "the city's \"name\"");
    assert_string_equal(table->columns[3].name, "class");
    assert_number(table, 0, 0, 150);
    assert_number(table, 1, 0, -.5);
    assert_number(table, 2, 0, (double)NAN);
    assert_number(table, 3, 2, 5);
    assert_text(table, 1, 1, "New York");
    assert_text(table, 2, 1, NULL);
    assert_text(table, 3, 1, "50% \"off\"");
    assert_text(table, 4, 1, "50%");
    assert_text(table, 0, 3, "No");
    assert_text(table, 1, 3, "Yes, sir");
    assert_text(table, 2, 3, NULL);
    assert_text(table, 3, 3, "it's");
    assert_text(table, 4, 3, "may be");
    /* The codes are the places in the declaration. */
    assert_int_equal(table->columns[3].texts.n, 4);
    assert_string_equal(table->columns[3].texts.text[2], "may be");
    assert_true(table->columns[0].has_missing && table->columns[3].has_missing);
    const uint64_t lines[] = {9, 11, 12, 13, 14};
    for (size_t row = 0; row < 5; row++) assert_int_equal(gi_table_line(table, row), lines[row]);
    assert_string_equal(table->how, "ARFF");
    gi_table_free(table);

    /* Blanks between values, and lines that end with CR alone. */
    table =
        must_parse("@relation r\r@attribute a real\r@attribute b {x,y}\r@data\r1 x\r2\ty\r", NULL);
    assert_int_equal(table->rows, 2);
    assert_number(table, 1, 0, 2);
    assert_text(table, 1, 1, "y");
    gi_table_free(table);

    /* One column: blanks are part of its texts. */
    table = must_parse("@attribute a string\n@data\nNew York\n'x'\n", NULL);
    assert_text(table, 0, 0, "New York");
    assert_false(table->columns[0].has_missing);
    gi_table_free(table);
}

/* Headers of KEEL: ranges of numbers, inputs and outputs, <null> where nothing stands. */
static void test_keel(void **state)
{
    (void)state;
    gi_table *table = must_parse("@relation r\n@attribute a real [4.3, 7.9]\n"
                                 "@attribute b integer[1,5] % in steps\n@attribute c {x, y}\n"
                                 "@inputs a, b\n@outputs c\n@data\n9.5, 2, x\n<null>, 3, y\n",
                                 NULL);
    assert_int_equal(table->n_columns, 3);
    assert_string_equal(table->columns[1].name, "b");
    assert_number(table, 0, 0, 9.5); /* whatever the range is */
    assert_number(table, 0, 1, 2);
    assert_number(table, 1, 0, (double)NAN);
    assert_text(table, 1, 2, "y");
    assert_string_equal(table->how, "ARFF");
    gi_table_free(table);
    table = must_parse("@attribute a real\n@attribute b real\n@output a\n@data\n1,2\n", NULL);
    assert_string_equal(table->how, "ARFF; its @outputs are a (table.targets chooses)");
    gi_table_free(table);
}

static void test_sparse(void **state)
{
    (void)state;
    gi_table *table = must_parse("@relation r\n"
                                 "@attribute a numeric\n@attribute b {red, green, 'sky blue'}\n"
                                 "@attribute c numeric\n@attribute d string\n"
                                 "@attribute class {no,yes}\n@data\n"
                                 "{0 1.5, 1 'sky blue', 4 yes}\n"
                                 "{}\n"
                                 "{ 2 ?,3 word , 4 ? } % remark\n",
                                 NULL);
    assert_int_equal(table->rows, 3);
    assert_number(table, 0, 0, 1.5);
    assert_text(table, 0, 1, "sky blue");
    assert_number(table, 0, 2, 0);
    assert_text(table, 0, 3, NULL);
    assert_text(table, 0, 4, "yes");
    assert_number(table, 1, 0, 0);
    assert_text(table, 1, 1, "red");
    assert_text(table, 1, 4, "no");
    assert_number(table, 2, 2, (double)NAN);
    assert_text(table, 2, 3, "word");
    assert_text(table, 2, 4, NULL);
    assert_string_equal(table->how, "ARFF, sparse rows");
    gi_table_free(table);
}

static void test_weights(void **state)
{
    (void)state;
    static const char text[] = "@attribute weight numeric\n@attribute y numeric\n@data\n"
                               "1,2\n3,4.5,{0.25}\n5,6.5, {2}  % twice\n{0 7}\n{0 9}, {3}\n";
    gi_table *table = must_parse(text, NULL);
    const double weights[] = {1, 0.25, 2, 1, 3};
    assert_int_equal(table->n_columns, 3);
    assert_true(table->has_weights);
    assert_string_equal(table->columns[2].name, "instance weight");
    for (size_t row = 0; row < 5; row++) assert_number(table, row, 2, weights[row]);
    assert_number(table, 2, 0, 5);
    assert_number(table, 4, 1, 0);

    /* The target is the last attribute, and the weights are those of the samples. */
    glia_error error = {0};
    glia_dataset *dataset = NULL;
    const glia_table_params params = {.loss = GLIA_LOSS_MSE};
    assert_error("data set", gi_dataset_of_table(table, "a", &params, NULL, &dataset, &error),
                 GLIA_OK, &error, NULL, NULL);
    assert_int_equal(glia_dataset_describe(dataset).features, 1);
    assert_string_equal(glia_dataset_class_name(dataset, 0), "y");
    assert_true(gi_dataset_weight(dataset, 1) == 0.25);
    glia_dataset_free(dataset);
    const gi_known_column known = {.name = "weight", .kind = GI_CELL_NUMBER};
    gi_table_params how = gi_table_default_params();
    how.ignores_unknown = true; /* to be predicted: weights do not matter */
    how.known = &known;
    how.n_known = 1;
    table = must_parse(text, &how);
    assert_int_equal(table->n_columns, 2);
    gi_table_free(table);
}

static void test_dates(void **state)
{
    (void)state;
    static const struct {
        const char *format, *text, *expected; /* NULL: it is no such date */
    } cases[] = {
        {NULL, "2024-02-29T23:59:01", "2024-02-29T23:59:01"},
        {NULL, "2024-02-29", "2024-02-29"},
        {NULL, "2024-02-29 12:00:00", "2024-02-29T12:00:00"},
        {NULL, "29.2.2024", NULL},
        {"dd/MM/yyyy", "03/04/2021", "2021-04-03"},
        {"M/d/yy", "12/31/99", "1999-12-31"},
        {"d-MMM-yy", "5-mar-07", "2007-03-05"},
        {"MMMM d, yyyy", "September 5, 2020", "2020-09-05"},
        {"yyyyMMdd", "20210403", "2021-04-03"},
        {"yyyyMMddHHmm", "202104031530", "2021-04-03T15:30:00"},
        {"yyyy-MM-dd'T'HH:mm:ss.SSS", "2021-04-03T15:30:10.123", "2021-04-03T15:30:10"},
        {"yyyy 'o''clock' MM dd", "2021 o'clock 04 03", "2021-04-03"},
        {"dd/MM/yyyy", "31/13/2021", NULL},
        {"dd/MM/yyyy", "32/12/2021", NULL},
        {"dd/MM/yyyy", "3/4/2021 ", NULL},
        {"dd/MM/yyyy HH", "3/4/2021 24", NULL},
        {"d-MMM-yy", "5-mor-07", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char date[GI_ARFF_DATE_ROOM];
        assert_true(gi_arff_date_is_known(cases[i].format));
        const bool is = gi_arff_date(cases[i].format, cases[i].text, date);
        if (is != (cases[i].expected != NULL) || (is && strcmp(date, cases[i].expected) != 0))
            fail_msg("%s: %s", cases[i].text, is ? date : "no date");
    }
    assert_false(gi_arff_date_is_known("HH:mm"));
    assert_false(gi_arff_date_is_known("EEE, d MMM yyyy"));
    assert_false(gi_arff_date_is_known("dd/MM/yyyy hh:mm a"));

    gi_table *table = must_parse("@attribute t date 'dd/MM/yyyy HH:mm'\n"
                                 "@attribute s date \"HH:mm\"\n@attribute u date\n@data\n"
                                 "03/04/2021 15:30,15:30,2021-04-03\n'1/12/2021 00:05',?,?\n",
                                 NULL);
    assert_text(table, 0, 0, "2021-04-03T15:30:00");
    assert_text(table, 0, 1, "15:30");
    assert_text(table, 0, 2, "2021-04-03");
    assert_text(table, 1, 0, "2021-12-01T00:05:00");
    assert_text(table, 1, 1, NULL);
    gi_table_free(table);
}

/* Columns that are asked for as something else, or not at all. */
static void test_known(void **state)
{
    (void)state;
    static const char text[] = "@attribute a numeric\n@attribute b {1,2,3}\n@attribute c string\n"
                               "@attribute d numeric\n@data\n5,2,w,7\n6,?,v,8\n{0 4}\n";
    const gi_known_column known[] = {{.name = "a", .kind = GI_CELL_TEXT},
                                     {.name = "b", .kind = GI_CELL_NUMBER},
                                     {.name = "3", .kind = GI_CELL_IGNORED},
                                     {.name = "gone", .may_be_absent = true}};
    gi_table_params params = gi_table_default_params();
    params.known = known;
    params.n_known = 4;
    gi_table *table = must_parse(text, &params);
    assert_text(table, 0, 0, "5");
    assert_text(table, 2, 0, "4");
    assert_number(table, 0, 1, 2);
    assert_number(table, 1, 1, (double)NAN);
    assert_number(table, 2, 1, 1); /* the first that was declared */
    assert_int_equal(table->columns[2].kind, GI_CELL_IGNORED);
    assert_number(table, 1, 3, 8);
    gi_table_free(table);
    params.ignores_unknown = true;
    params.n_known = 1;
    table = must_parse(text, &params);
    assert_int_equal(table->columns[3].kind, GI_CELL_IGNORED);
    gi_table_free(table);
}

/* Texts that are too long leave the column out, and rows that are malformed are skipped if asked.
 */
static void test_left_out(void **state)
{
    (void)state;
    static char text[4096];
    char *end = text + sprintf(text, "@attribute a string\n@attribute b numeric\n@data\nx,1\n");
    memset(end, 'y', GI_MAX_TEXT_BYTES + 1);
    strcpy(end + GI_MAX_TEXT_BYTES + 1, ",2\nz,3\n");
    gi_table *table = must_parse(text, NULL);
    assert_int_equal(table->columns[0].kind, GI_CELL_IGNORED);
    for (size_t row = 0; row < 3; row++) assert_true(isnan(table->cells[2 * row]));
    assert_number(table, 2, 1, 3);
    assert_string_equal(table->how, "ARFF; left out for too many or too long texts: a");
    gi_table_free(table);

    const gi_known_column known = {.name = "a", .kind = GI_CELL_TEXT};
    gi_table_params params = gi_table_default_params();
    params.known = &known;
    params.n_known = 1;
    glia_error error = {0};
    assert_error("must be there", parse(text, strlen(text), &params, &table, &error),
                 GLIA_BAD_FORMAT, &error, "line 5, column a", "table.drop a");

    params = gi_table_default_params();
    params.skips_bad_rows = true;
    table =
        must_parse("@attribute a numeric\n@attribute b {x,y}\n@data\n1,x\n2,z\n3\nq,x\n4,y,{2}\n"
                   "{1 y},{-1}\n{5 1}\n5,y",
                   &params);
    assert_int_equal(table->rows, 3);
    assert_int_equal(table->skipped, 5);
    assert_number(table, 1, 0, 4);
    assert_number(table, 1, 2, 2);
    assert_number(table, 2, 2, 1);
    assert_int_equal(gi_table_line(table, 1), 8);
    gi_table_free(table);
}

static void test_malformed(void **state)
{
    (void)state;
#define TEXT(string) string, sizeof string - 1
#define HEAD         "@relation r\n@attribute a numeric\n@attribute b {x, y}\n@data\n"
    static const struct {
        const char *label, *text;
        size_t size;
        const char *word1, *word2;
    } cases[] = {
        {"empty", TEXT(""), "no @data", "after the attributes"},
        {"no data", TEXT("@relation r\n@attribute a real\n"), "no @data", NULL},
        {"no attribute", TEXT("@relation r\n@data\n1\n"), "line 2", "before any @attribute"},
        {"no row", TEXT(HEAD "% nothing\n"), "no row", "after @data"},
        {"a word", TEXT("@relation r\nattribute a real\n"), "line 2: found \"attribute a real\"",
         "@attribute or @data"},
        {"no name", TEXT("@attribute\n"), "line 1", "the name of the attribute"},
        {"no type", TEXT("@attribute a\n"), "found the line's end", "as the type"},
        {"a type", TEXT("@attribute a float\n"), "found \"float\"", "as the type"},
        {"relational", TEXT("@attribute bag relational\n"), "\"relational\"", "are not read"},
        {"an open range", TEXT("@attribute a real [0, 1\n"), "\"[0, 1\"", "ends with ]"},
        {"after a range", TEXT("@attribute a real [0,1] 5\n"), "\"5\"", "nothing after the type"},
        {"after a type", TEXT("@attribute a real 5\n"), "\"5\"", "nothing after the type"},
        {"an open list", TEXT("@attribute a {x, y\n"), "\"{x, y\"", "} at the end"},
        {"an empty value", TEXT("@attribute a {x,, y}\n"), "\", y}\"", "a value of the list"},
        {"a value twice", TEXT("@attribute a {x, y, 'x'}\n"), "\"'x'}\"", "each value once"},
        {"an open quote", TEXT("@attribute 'a real\n"), "\"'a real\"", "quote is closed"},
        {"a name twice",
         TEXT("@attribute a real\n@attribute b real\n@attribute a real\n@data\n1,2,3\n"),
         "two attributes of the name a", "different names"},
        {"a text as number", TEXT(HEAD "1,x\n\nfive,y\n"), "line 7, column a: found \"five\"",
         "a finite number"},
        {"an infinity", TEXT(HEAD "1e999,x\n"), "\"1e999\"", "a finite number"},
        {"not declared", TEXT(HEAD "1,z\n"), "line 5, column b: found \"z\"", "values: x, y"},
        {"few values", TEXT(HEAD "1\n"), "found 1 value,", "expected 2"},
        {"many values", TEXT(HEAD "1,x,3\n"), "found \",3\"", "the end of the row"},
        {"no comma", TEXT(HEAD "'1' x,y\n"), "found \"x,y\"", "a comma"},
        {"an open quote in a row", TEXT(HEAD "1,'x\n"), "\"'x\"", "quote is closed"},
        {"an index", TEXT(HEAD "{2 1}\n"), "\"2 1}\"", "INDEX VALUE"},
        {"no index", TEXT(HEAD "{x 1}\n"), "\"x 1}\"", "INDEX VALUE"},
        {"a falling index", TEXT(HEAD "{1 x, 0 1}\n"), "\"0 1}\"", "ascend"},
        {"an index twice", TEXT(HEAD "{0 1, 0 1}\n"), "\"0 1}\"", "ascend"},
        {"an open row", TEXT(HEAD "{0 1\n"), "\"0 1\"", "} at the end"},
        {"a word in a sparse row", TEXT(HEAD "{0 1, 1 z}\n"), "column b: found \"z\"", "x, y"},
        {"a weight", TEXT(HEAD "1,x,{many}\n"), "\",{many}\"", "weight"},
        {"a weight below 0", TEXT(HEAD "1,x,{-1}\n"), "\",{-1}\"", "weight"},
        {"after a weight", TEXT(HEAD "1,x,{1} 5\n"), "\"5\"", "the end of the row"},
        {"Latin-1", TEXT("@attribute a\xE9 real\n"), "line 1", "iconv"},
        {"a zero byte", TEXT(HEAD "1\0,x\n"), "line 5", "a comma"},
        {"a zero byte in quotes", TEXT(HEAD "'1\0',x\n"), "line 5: found a zero byte", "UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        glia_error error = {0};
        gi_table *table = NULL;
        assert_error(cases[i].label, parse(cases[i].text, cases[i].size, NULL, &table, &error),
                     GLIA_BAD_FORMAT, &error, cases[i].word1, cases[i].word2);
        assert_memory_equal(error.message, "a.arff", 6);
    }
}

static void test_recognised(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is;
    } cases[] = {
        {"@relation iris\n", true},    {"\xEF\xBB\xBF% a\n\n  % b\r\n@RELATION\tx", true},
        {"@Attribute a real\n", true}, {"@relations\n", false},
        {"@relation", false},          {"a,b\n@relation x\n", false},
        {"% only\n", false},           {"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (gi_arff_is((const uint8_t *)cases[i].text, strlen(cases[i].text)) != cases[i].is)
            fail_msg("\"%s\" is %sexpected to be ARFF", cases[i].text, cases[i].is ? "" : "not ");
}

/* What comes through a pipe, whose name says nothing. */
static void test_stream(void **state)
{
    (void)state;
    char path[] = "/tmp/glia-test-XXXXXX";
    const int descriptor = mkstemp(path);
    static const char text[] = "% a remark\n@relation r\n@attribute a real\n@attribute b {x,y}\n"
                               "@attribute c string\n@data\n1,x,p\n{0 2, 1 y}\n";
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, strlen(text)), strlen(text));
    close(descriptor);
    const gi_known_column known[] = {{"b", GI_CELL_TEXT, false, {0, 0}},
                                     {"a", GI_CELL_NUMBER, false, {0, 0}}};
    gi_table_params params = gi_table_default_params();
    params.known = known;
    params.n_known = 2;
    params.keeps_texts = true;
    glia_error error = {0};
    gi_csv_stream *stream = NULL;
    gi_table *table = NULL;
    assert_error("open", gi_csv_stream_open(path, &params, &stream, &error), GLIA_OK, &error, NULL,
                 NULL);
    assert_false(gi_csv_stream_keeps_texts(stream));
    assert_int_equal(gi_csv_stream_columns(stream), 3);
    assert_int_equal(gi_csv_stream_next(stream, &table, &error), GLIA_OK);
    assert_int_equal(table->rows, 2);
    assert_number(table, 1, 0, 2);
    assert_text(table, 1, 1, "y");
    assert_int_equal(table->columns[2].kind, GI_CELL_IGNORED);
    assert_int_equal(gi_table_line(table, 1), 8);
    gi_table_free(table);
    assert_string_equal(gi_csv_stream_column(stream, 2), "c");
    assert_int_equal(gi_csv_stream_next(stream, &table, &error), GLIA_OK);
    assert_null(table);
    gi_csv_stream_free(stream);
    assert_int_equal(gi_csv_stream_open(path, &params, &stream, &error), GLIA_OK);
    gi_csv_stream_free(stream); /* with rows that were not given */
    params.separator = ',';
    assert_error("separated", gi_csv_stream_open(path, &params, &stream, &error), GLIA_BAD_FORMAT,
                 &error, "found an ARFF file", "separated values");
    remove(path);
}

/* The whole way: trained on one file, tested on another, whose columns come in another order. */
static void test_network(void **state)
{
    (void)state;
    char folder[] = "/tmp/glia-test-XXXXXX", train[64], test[64];
    assert_non_null(mkdtemp(folder));
    snprintf(train, sizeof train, "%s/train.arff", folder);
    snprintf(test, sizeof test, "%s/test.txt", folder);
    FILE *file = fopen(train, "w");
    fprintf(file, "@relation r\n@attribute a numeric\n@attribute b {low,high}\n"
                  "@attribute class {zebra,ant}\n@data\n");
    for (int i = 0; i < 60; i++)
        fprintf(file, "%d,%s,%s\n", i % 7, i % 2 ? "high" : "low", i % 2 ? "ant" : "zebra");
    fclose(file);
    file = fopen(test, "w");
    fprintf(file, "%% other columns\n@relation r\n@attribute class {zebra,ant,new}\n"
                  "@attribute extra string\n@attribute b {high,low}\n@attribute a numeric\n@data\n"
                  "zebra,x,low,3\n{0 ant, 1 y}\n");
    fclose(file);
    glia_error error = {0};
    glia_dataset *set = NULL, *other = NULL;
    assert_int_equal(glia_file_kind_of(train, NULL), GLIA_FILE_ARFF);
    assert_int_equal(glia_file_kind_of(test, NULL), GLIA_FILE_ARFF);
    assert_error("open", glia_dataset_open(train, GLIA_SPLIT_TRAIN, NULL, &set, &error), GLIA_OK,
                 &error, NULL, NULL);
    const glia_dataset_info info = glia_dataset_describe(set);
    assert_int_equal(info.features, 3);
    assert_int_equal(info.classes, 2);
    shape how = shape_of(info.features, info.classes);
    glia_network *network = NULL;
    assert_int_equal(shape_network(&how, &network, &error), GLIA_OK);
    assert_error("train", glia_train(network, set, NULL, NULL, NULL, &error), GLIA_OK, &error, NULL,
                 NULL);
    assert_error("open for",
                 glia_dataset_open_for(network, test, GLIA_SPLIT_TEST, NULL, &other, &error),
                 GLIA_OK, &error, NULL, NULL);
    glia_metrics metrics;
    assert_error("evaluate", whole_evaluate(network, other, 1, &metrics, NULL, &error), GLIA_OK,
                 &error, NULL, NULL);
    assert_int_equal(metrics.samples, 2);
    assert_true(metrics.accuracy == 1);
    assert_int_equal(glia_dataset_line(other, 1), 9);
    glia_row_stream *rows = NULL;
    glia_dataset *some = NULL;
    assert_error("rows", glia_row_stream_open(network, test, GLIA_SPLIT_TEST, NULL, &rows, &error),
                 GLIA_OK, &error, NULL, NULL);
    assert_int_equal(glia_row_stream_next(rows, &some, &error), GLIA_OK);
    assert_int_equal(glia_dataset_describe(some).samples, 2);
    glia_dataset_free(some);
    glia_row_stream_free(rows);
    /* Rows have names if they are asked for. */
    glia_data_params named = glia_data_default_params();
    named.table.id = "extra";
    assert_error("names",
                 glia_row_stream_open(network, test, GLIA_SPLIT_TEST, &named, &rows, &error),
                 GLIA_OK, &error, NULL, NULL);
    assert_string_equal(glia_row_stream_id(rows), "extra");
    assert_int_equal(glia_row_stream_next(rows, &some, &error), GLIA_OK);
    assert_string_equal(glia_dataset_id(some, 1), "y");
    glia_dataset_free(some);
    glia_row_stream_free(rows);
    glia_dataset_free(other);
    glia_dataset_free(set);
    glia_network_free(network);
    remove(train);
    remove(test);
    remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dense),     cmocka_unit_test(test_sparse),
        cmocka_unit_test(test_weights),   cmocka_unit_test(test_dates),
        cmocka_unit_test(test_known),     cmocka_unit_test(test_left_out),
        cmocka_unit_test(test_malformed), cmocka_unit_test(test_recognised),
        cmocka_unit_test(test_network),   cmocka_unit_test(test_keel),
        cmocka_unit_test(test_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
