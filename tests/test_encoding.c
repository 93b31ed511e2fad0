/* SPDX-License-Identifier: MIT */
/*
 * Tests of tables as data sets: what is learned of columns and from which rows, what targets are
 * taken for, parts that are held out, and rows read as a network reads them.
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
#include "base/memory.h"
#include "data/encoding/encoding.h"
#include "data/table/csv/csv.h"
#include "net/network.h"
#include "shape.h"
#include "whole.h"

/* ---- Helpers ------------------------------------------------------------------------------- */

/* A data set of the text of a CSV file. */
static glia_status read_text(const char *text, const glia_table_params *params,
                             const gi_reading *reading, glia_dataset **out, glia_error *error)
{
    const glia_table_params none = {0};
    if (!params) params = &none;
    gi_table_params how = gi_table_params_of(params, 1);
    gi_known_columns known = {0};
    gi_table *table = NULL;
    glia_status status = reading ? gi_known_of_reading(reading, params, false, &known, error)
                                 : gi_known_of_params(params, &known, error);
    assert_int_equal(status, GLIA_OK);
    how.known = known.columns;
    how.n_known = known.n;
    how.ignores_unknown = reading != NULL;
    status = gi_csv_parse("t.csv", (const uint8_t *)text, strlen(text), &how, &table, error);
    gi_free(known.columns);
    return status ? status : gi_dataset_of_table(table, "t", params, reading, out, error);
}

static glia_dataset *must_read(const char *text, const glia_table_params *params)
{
    glia_error error = {0};
    glia_dataset *dataset = NULL;
    if (read_text(text, params, NULL, &dataset, &error) != GLIA_OK) fail_msg("%s", error.message);
    return dataset;
}

/* Features of a sample, which there are n of, and its label. */
static void assert_row(const glia_dataset *dataset, size_t index, const float *x, size_t n,
                       uint32_t label)
{
    float found[64];
    uint32_t found_label;
    assert_int_equal(glia_dataset_describe(dataset).features, n);
    assert_int_equal(whole_sample(dataset, index, found, &found_label, NULL), GLIA_OK);
    for (size_t i = 0; i < n; i++)
        if (!(fabsf(found[i] - x[i]) <= 1e-6F))
            fail_msg("sample %zu, feature %zu: found %g, expected %g", index, i, (double)found[i],
                     (double)x[i]);
    assert_int_equal(found_label, label);
}

/* ---- Columns ------------------------------------------------------------------------------- */

static const char pets[] = "age,kind,weight,name\n"
                           "1,cat,3,ann\n"
                           "3,dog,9,bob\n"
                           ",cat,3,ann\n"
                           "5,,9,bob\n";

static void test_columns(void **state)
{
    (void)state;
    glia_dataset *set = must_read(pets, NULL);
    const glia_dataset_info info = glia_dataset_describe(set);
    assert_int_equal(info.samples, 4);
    assert_int_equal(info.classes, 2);
    assert_int_equal(info.task, GLIA_TASK_CLASSES);
    assert_string_equal(glia_dataset_class_name(set, 0), "ann");
    /* age: mean 3, sd sqrt(8/3), missing; kind: cat, dog, missing; weight: mean 6, sd 3 */
    const float u = (float)(2 / sqrt(8.0 / 3));
    assert_row(set, 0, (const float[]){-u, 0, 1, 0, 0, -1}, 6, 0);
    assert_row(set, 1, (const float[]){0, 0, 0, 1, 0, 1}, 6, 1);
    assert_row(set, 2, (const float[]){0, 1, 1, 0, 0, -1}, 6, 0);
    assert_row(set, 3, (const float[]){u, 0, 0, 0, 1, 1}, 6, 1);
    assert_non_null(strstr(glia_dataset_notes(set), "name"));
    glia_dataset_free(set);
}

/* A date is days, year, month and day of the week, each standardised; a gap is told once. */
static void test_dates(void **state)
{
    (void)state;
    glia_dataset *set = must_read("d,y\n01.02.2024,1.5\n03.02.2024,2.5\n,3.5\n", NULL);
    /* Thursday and Saturday: days and weekdays are 1 from their means, year and month constant */
    assert_row(set, 0, (const float[]){-1, 0, 0, 0, -1}, 5, 0);
    assert_row(set, 1, (const float[]){1, 0, 0, 0, 1}, 5, 0);
    assert_row(set, 2, (const float[]){0, 1, 0, 0, 0}, 5, 0);
    assert_int_equal(glia_dataset_describe(set).columns, 1);
    assert_non_null(strstr(glia_dataset_notes(set), "d has dates (day.month.year)"));
    const gi_reading reading = gi_dataset_reading(set);
    glia_dataset *other = NULL;
    glia_error error = {0};
    assert_int_equal(read_text("d,y\n05.02.2024 12:00,1\n", NULL, &reading, &other, &error),
                     GLIA_OK); /* as it was learned, with the time in the days */
    assert_row(other, 0, (const float[]){3.5F, 0, 0, 0, -4}, 5, 0);
    glia_dataset_free(other);
    assert_int_equal(read_text("d,y\n2024-02-05T12:00,1\n", NULL, &reading, &other, &error),
                     GLIA_OK); /* which cannot be another day */
    assert_row(other, 0, (const float[]){3.5F, 0, 0, 0, -4}, 5, 0);
    glia_dataset_free(other);
    assert_int_equal(read_text("d,y\n13.13.2024,1\n", NULL, &reading, &other, &error),
                     GLIA_BAD_FORMAT);
    assert_non_null(strstr(error.message, "line 2, column d: found \"13.13.2024\""));
    glia_dataset_free(set);

    static const char *const d[] = {"d"};
    const glia_table_params as_texts = {.categorical = d, .n_categorical = 1};
    set = must_read("d,y\n01.02.2024,1.5\n03.02.2024,2.5\n", &as_texts);
    assert_row(set, 0, (const float[]){1, 0}, 2, 0);
    glia_dataset_free(set);
    set = must_read("d,y\n2024-01-01 06:00,1.5\n2024-01-01 18:00,2.5\n", NULL);
    assert_row(set, 0, (const float[]){-1, 0, 0, 0, -1}, 5, 0); /* and the hour */
    glia_dataset_free(set);
    set = must_read("d,y\n20240101,1\n20240102,2\n20240103,3\n20240104,4\n20240105,5.5\n", NULL);
    const float u = (float)sqrt(2);
    assert_row(set, 0, (const float[]){-u, 0, 0, -u}, 4, 0); /* Monday to Friday */
    glia_dataset_free(set);
}

/* Times may be more than categories could be. */
static void test_many_times(void **state)
{
    (void)state;
    enum { ROWS = 70000, LONGEST = 32 };
    char *text = malloc(ROWS * LONGEST);
    size_t used = (size_t)sprintf(text, "when,y\n");
    for (int i = 0; i < ROWS; i++) { /* a minute each, of January and February */
        const int day = i / 1440;
        used += (size_t)snprintf(text + used, LONGEST, "2024-%02d-%02d %02d:%02d,%d.5\n",
                                 day < 31 ? 1 : 2, day < 31 ? day + 1 : day - 30, i / 60 % 24,
                                 i % 60, i % 7);
    }
    glia_dataset *set = must_read(text, NULL);
    assert_int_equal(glia_dataset_describe(set).features, 5);
    float x[5];
    assert_int_equal(whole_sample(set, ROWS - 1, x, NULL, NULL), GLIA_OK);
    assert_true(fabsf(x[0] - (float)sqrt(3)) < 1e-3F); /* days are evenly spread */
    glia_dataset_free(set);
    free(text);
}

/* What days and months are is decided by all dates of a column. */
static void test_order_of_dates(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second, *said;
    } cases[] = {
        {"01/02/2024", "31/01/2024", "(day.month.year) and is read as numbers"},
        {"01/02/2024", "01/31/2024", "(month/day/year) and is read as numbers"},
        {"01/02/2024", "02/03/2024", "month/day/year"}, /* none shows: as pandas */
        {"01/02/2024", "02/03/2024", "no date shows"},
        {"01.02.2024", "02.03.2024", "day.month.year"},
        {"01/12/2023", "01/01/2024", "day.month.year"}, /* they ascend */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[128];
        snprintf(text, sizeof text, "d,y\n%s,1.5\n%s,2.5\n", cases[i].first, cases[i].second);
        glia_dataset *set = must_read(text, NULL);
        if (!strstr(glia_dataset_notes(set), cases[i].said))
            fail_msg("%s: %s", cases[i].first, glia_dataset_notes(set));
        glia_dataset_free(set);
    }
}

/* A target with another text in most rows is hardly one of classes; who asks for them has them. */
static void test_unique_target(void **state)
{
    (void)state;
    char text[2048] = "x,price\n";
    for (int i = 0; i < 30; i++) {
        const size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%d,\"house %d, %03d\"\n", i % 7, i / 2 + 1, i);
    }
    glia_dataset *set = NULL;
    glia_error error = {0};
    assert_int_equal(read_text(text, NULL, NULL, &set, &error), GLIA_BAD_FORMAT);
    assert_non_null(strstr(error.message, "30 different texts in 30 rows"));
    const glia_table_params asked = {.loss = GLIA_LOSS_CROSS_ENTROPY};
    set = must_read(text, &asked);
    assert_int_equal(glia_dataset_describe(set).classes, 30);
    glia_dataset_free(set);
}

/* The last column is the target, but for one that is dropped, or that is nothing but a separator at
 * the end of each line. */
static void test_default_target(void **state)
{
    (void)state;
    static const char *const drop[] = {"z"};
    const glia_table_params params = {.drop = drop, .n_drop = 1};
    glia_dataset *set = must_read("x,y,z\n1,a,3\n2,b,3\n", &params);
    assert_string_equal(glia_dataset_class_name(set, 0), "a");
    glia_dataset_free(set);
    set = must_read("x;y;\n1;a;\n2;b;\n3;a;\n", NULL);
    assert_string_equal(glia_dataset_class_name(set, 0), "a");
    assert_int_equal(glia_dataset_describe(set).features, 1);
    glia_dataset_free(set);
}

/* Several targets of which one is 1 in each row are classes, unless labels are asked for. */
static void test_one_hot(void **state)
{
    (void)state;
    static const char *const targets[] = {"p", "q", "r"};
    glia_table_params params = {.targets = targets, .n_targets = 3};
    char text[1024] = "x,p,q,r\n";
    for (int i = 0; i < 12; i++) {
        const size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%d,%d,%d,%d\n", i, i % 3 == 0, i % 3 == 1,
                 i % 3 == 2);
    }
    glia_dataset *set = must_read(text, &params);
    glia_dataset_info info = glia_dataset_describe(set);
    assert_int_equal(info.task, GLIA_TASK_CLASSES);
    assert_int_equal(info.classes, 3);
    assert_string_equal(glia_dataset_class_name(set, 2), "r");
    assert_non_null(strstr(glia_dataset_notes(set), "setting loss=bce"));
    for (size_t i = 0; i < 12; i++) {
        uint32_t label;
        assert_int_equal(whole_sample(set, i, NULL, &label, NULL), GLIA_OK);
        assert_int_equal(label, i % 3);
    }
    const gi_reading reading = gi_dataset_reading(set);
    glia_dataset *other = NULL;
    glia_error error = {0};
    assert_int_equal(read_text("r,q,p,x\n0,1,0,5\n", NULL, &reading, &other, &error), GLIA_OK);
    uint32_t label;
    assert_int_equal(whole_sample(other, 0, NULL, &label, NULL), GLIA_OK);
    assert_int_equal(label, 1);
    glia_dataset_free(other);
    assert_int_equal(read_text("x,p,q,r\n5,1,1,0\n", NULL, &reading, &other, &error),
                     GLIA_BAD_FORMAT);
    assert_non_null(strstr(error.message, "line 2, column p"));
    glia_dataset_free(set);
    params.loss = GLIA_LOSS_BCE;
    set = must_read(text, &params);
    assert_int_equal(glia_dataset_describe(set).task, GLIA_TASK_LABELS);
    glia_dataset_free(set);
    params.loss = GLIA_LOSS_AUTO;
    strcat(text, "13,1,1,0\n"); /* one row has two */
    set = must_read(text, &params);
    assert_int_equal(glia_dataset_describe(set).task, GLIA_TASK_LABELS);
    glia_dataset_free(set);
    params.loss = GLIA_LOSS_CROSS_ENTROPY;
    assert_int_equal(read_text(text, &params, NULL, &set, &error), GLIA_BAD_FORMAT);
    assert_non_null(strstr(error.message, "setting loss=bce"));
}

/* Categories and classes that another tool writes otherwise are the same. */
static void test_same_values(void **state)
{
    (void)state;
    static const char *const code[] = {"code"};
    const glia_table_params params = {.categorical = code, .n_categorical = 1};
    glia_dataset *set = must_read("code,flag,y\n5,TRUE,t\n100000,FALSE,f\n", &params);
    const gi_reading reading = gi_dataset_reading(set);
    glia_dataset *other = NULL;
    glia_error error = {0};
    assert_int_equal(read_text("code,flag,y\n5.0,True,True\n1e+05,f,FALSE\n6,yes,t\n", NULL,
                               &reading, &other, &error),
                     GLIA_OK);
    assert_row(other, 0, (const float[]){0, 1, 0, 1}, 4, 1); /* 100000, 5; FALSE, TRUE; f, t */
    assert_row(other, 1, (const float[]){1, 0, 1, 0}, 4, 0);
    assert_row(other, 2, (const float[]){0, 0, 0, 0}, 4, 1); /* what means another is none */
    glia_dataset_free(other);
    glia_dataset_free(set);
    /* What a double does not tell apart is not the same. */
    set = must_read("code,y\n9007199254740992,p\n5,q\n", &params);
    const gi_reading ids = gi_dataset_reading(set);
    assert_int_equal(read_text("code,y\n9007199254740993,p\n", NULL, &ids, &other, &error),
                     GLIA_OK);
    assert_row(other, 0, (const float[]){0, 0}, 2, 0);
    glia_dataset_free(other);
    glia_dataset_free(set);
}

/* 0123 is another code than 123; zeros that fill codes up to one length may be lost. */
static void test_zeros_in_front(void **state)
{
    (void)state;
    static const char *const code[] = {"code", "y"};
    const glia_table_params params = {.categorical = code, .n_categorical = 2};
    glia_dataset *set = must_read("code,y\n0123,0123\n45,45\n", &params), *other = NULL;
    const gi_reading codes = gi_dataset_reading(set);
    glia_error error = {0};
    assert_int_equal(
        read_text("code,y\n123,0123\n0123,45\n045,45\n45.0,45.0\n", NULL, &codes, &other, &error),
        GLIA_OK);
    assert_row(other, 0, (const float[]){0, 0}, 2, 0);
    assert_row(other, 1, (const float[]){1, 0}, 2, 1);
    assert_row(other, 2, (const float[]){0, 0}, 2, 1);
    assert_row(other, 3, (const float[]){0, 1}, 2, 1);
    glia_dataset_free(other);
    assert_int_equal(read_text("code,y\n45,123\n", NULL, &codes, &other, &error), GLIA_BAD_FORMAT);
    assert_non_null(strstr(error.message, "found the class \"123\""));
    glia_dataset_free(set);
    /* Both have four digits, and another tool has lost a zero. */
    set = must_read("code,y\n0123,p\n4567,q\n", &params);
    const gi_reading filled = gi_dataset_reading(set);
    assert_int_equal(read_text("code,y\n123,p\n4567,q\n", NULL, &filled, &other, &error), GLIA_OK);
    assert_row(other, 0, (const float[]){1, 0}, 2, 0);
    glia_dataset_free(other);
    glia_dataset_free(set);
}

/* A column with another text in nearly every row is left out, unless it is named. */
static void test_identifiers(void **state)
{
    (void)state;
    char text[2048] = "name,id,x,y\n";
    for (int i = 0; i < 30; i++) {
        const size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "n%d,%d,%d,%d.5\n", i - (i == 29), 70 - i, i % 3,
                 i);
    }
    glia_dataset *set = must_read(text, NULL);
    assert_int_equal(glia_dataset_describe(set).features, 1);
    assert_non_null(
        strstr(glia_dataset_notes(set), "name, id have another value in nearly every row"));
    glia_dataset_free(set);
    static const char *const name[] = {"name"};
    const glia_table_params named = {.categorical = name, .n_categorical = 1};
    set = must_read(text, &named);
    assert_int_equal(glia_dataset_describe(set).features, 29 + 1);
    glia_dataset_free(set);
    /* Where there is nothing else, what to do is said. */
    static const char *const rest[] = {"id", "x"};
    const glia_table_params alone = {.drop = rest, .n_drop = 2};
    glia_error error = {0};
    assert_int_equal(read_text(text, &alone, NULL, &set, &error), GLIA_BAD_FORMAT);
    assert_non_null(strstr(error.message, "table.categorical name"));
}

static void test_constant(void **state)
{
    (void)state;
    glia_dataset *set = must_read("x,c,y\n0.1,7.3,a\n0.3,7.3,b\n", NULL);
    assert_row(set, 0, (const float[]){-1, 0}, 2, 0);
    assert_row(set, 1, (const float[]){1, 0}, 2, 1);
    glia_dataset_free(set);
}

/* Large numbers that differ little: nothing is lost before they are centred. */
static void test_large(void **state)
{
    (void)state;
    glia_dataset *set = must_read("t,y\n1700000000001,a\n1700000000003,b\n", NULL);
    assert_row(set, 0, (const float[]){-1}, 1, 0);
    assert_row(set, 1, (const float[]){1}, 1, 1);
    glia_dataset_free(set);
}

/* A weight of 3 is what three rows are. */
static void test_weighted(void **state)
{
    (void)state;
    const glia_table_params params = {.weight = "w"};
    glia_dataset *set = must_read("x,w,y\n1,3,a\n2,1,b\n7,0,a\n", &params);
    glia_dataset *repeated = must_read("x,y\n1,a\n1,a\n1,a\n2,b\n", NULL);
    float x[2];
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(whole_sample(repeated, i ? 3 : 0, &x[i], NULL, NULL), GLIA_OK);
    assert_row(set, 0, &x[0], 1, 0);
    assert_row(set, 1, &x[1], 1, 1);
    assert_true(gi_dataset_weight(set, 0) == 3 && gi_dataset_weight(set, 2) == 0);
    glia_dataset_free(set);
    glia_dataset_free(repeated);
}

/* ---- Targets ------------------------------------------------------------------------------- */

struct target_case {
    const char *text;
    glia_table_params params;
    glia_task task;
    size_t classes;
    const char *first; /* class or target */
};

static void test_targets(void **state)
{
    (void)state;
    static const char *const two[] = {"p", "q"}, *const first[] = {"x"}, *const third[] = {"3"};
    const struct target_case cases[] = {
        {"x,y\n1,2\n2,2\n3,1\n4,1\n", {0}, GLIA_TASK_CLASSES, 2, "1"},
        {"x,y\n1,20\n2,20\n3,100\n4,100\n", {0}, GLIA_TASK_CLASSES, 2, "20"}, /* not "100" */
        {"x,y\n1,-1\n2,1\n3,1\n4,-1\n", {0}, GLIA_TASK_CLASSES, 2, "-1"},
        {"x,y\n1,1\n2,2\n3,3\n4,4\n", {0}, GLIA_TASK_VALUES, 1, "y"},
        {"x,y\n1,1.5\n2,2\n3,2\n4,1.5\n", {0}, GLIA_TASK_VALUES, 1, "y"},
        {"x,y\n1,2\n2,2\n3,1\n4,1\n", {.loss = GLIA_LOSS_MAE}, GLIA_TASK_VALUES, 1, "y"},
        {"x,y\n1,1\n2,2\n3,3\n4,4\n", {.loss = GLIA_LOSS_CROSS_ENTROPY}, GLIA_TASK_CLASSES, 4, "1"},
        {"x,p,q\n1,0,1\n2,1,1\n", {.targets = two, .n_targets = 2}, GLIA_TASK_LABELS, 2, "p"},
        {"x,p,q\n1,0,1\n2,1,3\n", {.targets = two, .n_targets = 2}, GLIA_TASK_VALUES, 2, "p"},
        {"x,y\na,1\nb,2\n", {.targets = first, .n_targets = 1}, GLIA_TASK_CLASSES, 2, "a"},
        {"x,p,q\n1,0,u\n2,1,v\n", {.targets = third, .n_targets = 1}, GLIA_TASK_CLASSES, 2, "u"},
        {"x,w,y\n1,1,u\n2,1,v\n",
         {.weight = "y"},
         GLIA_TASK_CLASSES,
         0,
         NULL}, /* a weight of text */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct target_case *c = &cases[i];
        glia_dataset *set = NULL;
        glia_error error = {0};
        const glia_status status = read_text(c->text, &c->params, NULL, &set, &error);
        if (!c->first) {
            assert_int_not_equal(status, GLIA_OK);
            continue;
        }
        if (status) fail_msg("case %zu: %s", i, error.message);
        const glia_dataset_info info = glia_dataset_describe(set);
        if (info.task != c->task || info.classes != c->classes)
            fail_msg("case %zu: task %d with %zu classes, expected %d with %zu", i, (int)info.task,
                     info.classes, (int)c->task, c->classes);
        assert_string_equal(glia_dataset_class_name(set, 0), c->first);
        glia_dataset_free(set);
    }
}

static void test_values(void **state)
{
    (void)state;
    static const char *const two[] = {"b", "a"};
    const glia_table_params params = {.targets = two, .n_targets = 2};
    glia_dataset *set = must_read("a,x,b\n1.5,0,2\n2.5,1,-4\n", &params);
    double targets[2];
    gi_dataset_targets(set, 1, 0, 2, targets);
    assert_true(targets[0] == -4 && targets[1] == 2.5);
    gi_dataset_targets(set, 1, 1, 1, targets);
    assert_true(targets[0] == 2.5);
    assert_row(set, 0, (const float[]){-1}, 1, 0);
    glia_dataset_free(set);
}

struct failing {
    const char *text;
    glia_table_params params;
    const char *word1, *word2;
};

static void test_failing(void **state)
{
    (void)state;
    static const char *const absent[] = {"z"}, *const twice[] = {"y", "2"};
    const struct failing cases[] = {
        {"x,y\n1,a\n2,a\n", {0}, "column y", "one class"},
        {"x,y\n1,a\n2,\n3,b\n", {0}, "line 3", "missing"},
        {"x,y\n1,a\n2,b\n", {.targets = absent, .n_targets = 1}, "column z", "found x, y"},
        {"x,y\n1,a\n2,b\n", {.targets = twice, .n_targets = 2}, "twice", NULL},
        {"y\na\nb\n", {0}, "no column to learn from", NULL},
        {"x,y\n1,a\n2,b\n", {.loss = GLIA_LOSS_MSE}, "column y", "texts"},
        {"x,y\n1,1\n2,2\n", {.loss = GLIA_LOSS_BCE}, "other numbers than 0 and 1", NULL},
        {"x,y\n1,1.5\n2,2\n", {.loss = GLIA_LOSS_CROSS_ENTROPY}, "column y", "fractions"},
        {"x,y\n1,1e20\n2,2e20\n", {.loss = GLIA_LOSS_CROSS_ENTROPY}, "column y", "2^53"},
        {"label,x,p\n1,1,0\n2,1,0\n", {0}, "only one class", "table.targets label"},
        {"x,w,y\n1,-1,a\n2,1,b\n", {.weight = "w"}, "line 2", "weight"},
        {"x,w,y\n1,,a\n2,1,b\n", {.weight = "w"}, "line 2", "weight is missing"},
        {"x,g,y\n1,1,a\n2,,b\n", {.group = "g"}, "line 3", "group is missing"},
        {"x,y\n1,a\n2,b\n", {.group = "h"}, "column h", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        glia_dataset *set = NULL;
        glia_error error = {0};
        char label[32];
        snprintf(label, sizeof label, "case %zu", i);
        const glia_status status = read_text(cases[i].text, &cases[i].params, NULL, &set, &error);
        assert_error(label, status, GLIA_BAD_FORMAT, &error, cases[i].word1, cases[i].word2);
        glia_dataset_free(set);
    }
}

static void test_skipping(void **state)
{
    (void)state;
    const glia_table_params params = {.skip_bad_rows = true};
    glia_dataset *set = must_read("x,y\n1,a\n2,\n3,b\n5\n3,a\n", &params);
    assert_int_equal(glia_dataset_describe(set).samples, 3);
    assert_non_null(strstr(glia_dataset_notes(set), "2 malformed rows skipped"));
    assert_int_equal(glia_dataset_line(set, 1), 4);
    assert_int_equal(glia_dataset_line(set, 2), 6);
    glia_dataset_free(set);
}

/* ---- Parts --------------------------------------------------------------------------------- */

/* 40 rows: x = 0, 1, ...; g = x / 4; y: of ten rows seven are a, three b. */
static char *forty(void)
{
    static char text[1024];
    size_t used = (size_t)snprintf(text, sizeof text, "x,g,y\n");
    for (int i = 0; i < 40; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%d,%d,%s\n", i, i / 4,
                                 i % 10 < 7 ? "a" : "b");
    return text;
}

/* Means and scales come from the rest alone, and hold for both parts. */
static void test_learned_from_rest(void **state)
{
    (void)state;
    glia_dataset *set = must_read(forty(), NULL), *rest, *held;
    assert_int_equal(glia_dataset_hold_out(set, 0.25, 3, &rest, &held, NULL), GLIA_OK);
    const size_t n = glia_dataset_describe(rest).samples;
    assert_int_equal(n, 30);
    assert_int_equal(glia_dataset_describe(held).samples, 10);
    double mean = 0, squares = 0, raw = 0, raw_squares = 0;
    float x[2];
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(whole_sample(rest, i, x, NULL, NULL), GLIA_OK);
        mean += (double)x[0] / (double)n;
        squares += (double)(x[0] * x[0]) / (double)n;
        const double cell = (double)gi_dataset_line(rest, i) - 2;
        raw += cell / (double)n;
        raw_squares += cell * cell / (double)n;
    }
    assert_true(fabs(mean) < 1e-6 && fabs(squares - 1) < 1e-6);
    const double sd = sqrt(raw_squares - raw * raw);
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(whole_sample(held, i, x, NULL, NULL), GLIA_OK);
        assert_true(fabs((double)x[0] - ((double)gi_dataset_line(held, i) - 2 - raw) / sd) < 1e-6);
    }
    glia_dataset_free(rest);
    glia_dataset_free(held);
    glia_dataset_free(set);
}

/* A part may outlive what it was taken from: the table has as many owners as it needs. */
static void test_lifetime(void **state)
{
    (void)state;
    glia_dataset *set = must_read(forty(), NULL), *rest, *held;
    assert_int_equal(glia_dataset_hold_out_last(set, 10, &rest, &held, NULL), GLIA_OK);
    assert_int_equal(glia_dataset_line(held, 0), 32);
    assert_int_equal(glia_dataset_line(rest, 29), 31);
    glia_dataset_free(set);
    float x[2];
    assert_int_equal(whole_sample(rest, 0, x, NULL, NULL), GLIA_OK);
    glia_dataset_free(rest);
    assert_int_equal(whole_sample(held, 0, x, NULL, NULL), GLIA_OK);
    glia_dataset_free(held);
}

/* A category that only held-out rows have is none to the network. */
static void test_category_of_held(void **state)
{
    (void)state;
    glia_dataset *set = must_read("k,y\nu,a\nv,b\nu,b\nw,a\n", NULL), *rest, *held;
    assert_int_equal(glia_dataset_describe(set).features, 3);
    assert_int_equal(glia_dataset_hold_out_last(set, 1, &rest, &held, NULL), GLIA_OK);
    assert_row(rest, 1, (const float[]){0, 1}, 2, 1);
    assert_row(held, 0, (const float[]){0, 0}, 2, 0);
    glia_dataset_free(rest);
    glia_dataset_free(held);
    glia_dataset_free(set);
}

static void check_folds(const glia_dataset *set, size_t n_folds, bool grouped)
{
    int seen[40] = {0};
    size_t least = 40, most = 0;
    for (size_t f = 0; f < n_folds; f++) {
        glia_dataset *rest, *held;
        glia_error error = {0};
        if (glia_dataset_fold(set, f, n_folds, 5, &rest, &held, &error))
            fail_msg("%s", error.message);
        const size_t n = glia_dataset_describe(held).samples;
        least = n < least ? n : least;
        most = n > most ? n : most;
        size_t of_b = 0;
        bool has_group[10] = {false};
        for (size_t i = 0; i < n; i++) {
            uint32_t label;
            assert_int_equal(whole_sample(held, i, NULL, &label, NULL), GLIA_OK);
            const size_t row = (size_t)gi_dataset_line(held, i) - 2;
            seen[row]++;
            of_b += label;
            has_group[row / 4] = true;
        }
        if (!grouped) assert_in_range(of_b, 12 / n_folds, (12 + n_folds - 1) / n_folds);
        for (size_t i = 0; i < 40 - n && grouped; i++)
            assert_false(has_group[(gi_dataset_line(rest, i) - 2) / 4]);
        glia_dataset_free(rest);
        glia_dataset_free(held);
    }
    for (size_t i = 0; i < 40; i++) assert_int_equal(seen[i], 1);
    assert_in_range(most - least, 0, grouped ? 4 : 1);
}

static void test_folds(void **state)
{
    (void)state;
    glia_dataset *set = must_read(forty(), NULL);
    check_folds(set, 2, false);
    check_folds(set, 5, false);
    check_folds(set, 7, false);
    glia_dataset *rest, *held;
    assert_int_equal(glia_dataset_fold(set, 0, 1, 1, &rest, &held, NULL), GLIA_BAD_ARGUMENT);
    assert_int_equal(glia_dataset_fold(set, 5, 5, 1, &rest, &held, NULL), GLIA_BAD_ARGUMENT);
    assert_int_equal(glia_dataset_fold(set, 0, 41, 1, &rest, &held, NULL), GLIA_BAD_ARGUMENT);
    glia_dataset_free(set);
}

static void test_groups(void **state)
{
    (void)state;
    const glia_table_params params = {.group = "g"};
    glia_dataset *set = must_read(forty(), &params), *rest, *held;
    assert_int_equal(glia_dataset_describe(set).features, 1); /* x alone */
    check_folds(set, 2, true);
    check_folds(set, 5, true);
    assert_int_equal(glia_dataset_fold(set, 0, 11, 1, &rest, &held, NULL), GLIA_BAD_ARGUMENT);
    assert_int_equal(glia_dataset_hold_out(set, 0.3, 1, &rest, &held, NULL), GLIA_OK);
    assert_int_equal(glia_dataset_describe(held).samples, 12);
    bool has_group[10] = {false};
    for (size_t i = 0; i < 12; i++) has_group[(gi_dataset_line(held, i) - 2) / 4] = true;
    for (size_t i = 0; i < 28; i++) assert_false(has_group[(gi_dataset_line(rest, i) - 2) / 4]);
    glia_dataset_free(rest);
    glia_dataset_free(held);
    glia_dataset_free(set);
}

/* ---- Read as another ----------------------------------------------------------------------- */

static void test_read_like(void **state)
{
    (void)state;
    glia_dataset *set = must_read(pets, NULL), *other = NULL;
    const gi_reading reading = gi_dataset_reading(set);
    glia_error error = {0};
    /* Columns in another order, one more, other texts first. */
    if (read_text("name,weight,more,kind,age\nbob,9,x,dog,3\nann,3,y,cat,\n", NULL, &reading,
                  &other, &error))
        fail_msg("%s", error.message);
    assert_row(other, 0, (const float[]){0, 0, 0, 1, 0, 1}, 6, 1);
    assert_row(other, 1, (const float[]){0, 1, 1, 0, 0, -1}, 6, 0);
    glia_dataset_free(other);

    /* Without the target. */
    assert_int_equal(read_text("weight,kind,age\n9,dog,3\n", NULL, &reading, &other, &error),
                     GLIA_OK);
    assert_true(other->is_unlabelled);
    assert_row(other, 0, (const float[]){0, 0, 0, 1, 0, 1}, 6, 0);
    glia_dataset_free(other);

    static const struct {
        const char *text, *word1, *word2;
    } failing[] = {
        {"weight,kind\n9,dog\n", "age", NULL},
        {"name,weight,kind,age\nbob,9,dog,3\ncid,9,dog,3\n", "line 3", "\"cid\""},
        {"name,weight,kind,age\nbob,9,dog,3\n,9,dog,3\n", "line 3", "missing"},
        {"name,weight,kind,age\nbob,9,dog,x\n", "line 2", "age"},
    };
    for (size_t i = 0; i < sizeof failing / sizeof *failing; i++) {
        const glia_status status = read_text(failing[i].text, NULL, &reading, &other, &error);
        assert_error(failing[i].text, status, GLIA_BAD_FORMAT, &error, failing[i].word1,
                     failing[i].word2);
    }
    /* ... or skipped. */
    const glia_table_params skips = {.skip_bad_rows = true};
    assert_int_equal(read_text(failing[1].text, &skips, &reading, &other, &error), GLIA_OK);
    assert_int_equal(glia_dataset_describe(other).samples, 1);
    glia_dataset_free(other);
    glia_dataset_free(set);
}

/* Categories that were not learned from are read as none, and counted; or they fail. */
static void test_unknown(void **state)
{
    (void)state;
    static const char text[] = "weight,kind,age\n9,dog,3\n9,bird,3\n9,fly,3\n9,bird,3\n9,,3\n";
    glia_dataset *set = must_read(pets, NULL), *other = NULL;
    const gi_reading reading = gi_dataset_reading(set);
    glia_error error = {0};
    glia_unknown *unknown = NULL;
    size_t n = SIZE_MAX;
    assert_int_equal(glia_dataset_unknown(set, &unknown, &n, &error), GLIA_OK);
    assert_int_equal(n, 0);
    glia_unknown_free(unknown);

    assert_int_equal(read_text(text, NULL, &reading, &other, &error), GLIA_OK);
    assert_row(other, 0, (const float[]){0, 0, 0, 1, 0, 1}, 6, 0);
    assert_row(other, 1, (const float[]){0, 0, 0, 0, 0, 1}, 6, 0);
    assert_row(other, 4, (const float[]){0, 0, 0, 0, 1, 1}, 6, 0);
    assert_int_equal(glia_dataset_unknown(other, &unknown, &n, &error), GLIA_OK);
    assert_int_equal(n, 1);
    assert_string_equal(unknown[0].column, "kind");
    assert_int_equal(unknown[0].cells, 3);
    assert_int_equal(unknown[0].n_categories, 2);
    assert_string_equal(unknown[0].categories[0], "bird");
    assert_string_equal(unknown[0].categories[1], "fly");
    assert_false(unknown[0].has_more);
    glia_unknown_free(unknown);
    glia_dataset_free(other);

    /* Of ten categories eight are listed. */
    assert_int_equal(read_text("weight,kind,age\n1,a,1\n1,b,1\n1,c,1\n1,d,1\n1,e,1\n1,f,1\n"
                               "1,g,1\n1,h,1\n1,i,1\n1,j,1\n",
                               NULL, &reading, &other, &error),
                     GLIA_OK);
    assert_int_equal(glia_dataset_unknown(other, &unknown, &n, &error), GLIA_OK);
    assert_int_equal(unknown[0].cells, 10);
    assert_int_equal(unknown[0].n_categories, 8);
    assert_string_equal(unknown[0].categories[7], "h");
    assert_true(unknown[0].has_more);
    glia_unknown_free(unknown);
    glia_dataset_free(other);

    glia_table_params fails = {.fail_on_unknown = true};
    assert_error("fails", read_text(text, &fails, &reading, &other, &error), GLIA_BAD_FORMAT,
                 &error, "line 3", "\"bird\"");
    fails.skip_bad_rows = true;
    assert_int_equal(read_text(text, &fails, &reading, &other, &error), GLIA_OK);
    assert_int_equal(glia_dataset_describe(other).samples, 2);
    glia_dataset_free(other);
    glia_dataset_free(set);
}

/* ---- With a network ------------------------------------------------------------------------ */

/* A network keeps how it reads rows, in its file too; so do rows that come one by one. */
static void test_network(void **state)
{
    (void)state;
    char folder[] = "/tmp/glia-encoding-XXXXXX", model[64], csv[64];
    assert_non_null(mkdtemp(folder));
    snprintf(model, sizeof model, "%s/m.safetensors", folder);
    snprintf(csv, sizeof csv, "%s/t.csv", folder);
    FILE *file = fopen(csv, "w");
    assert_non_null(file);
    fputs("kind,weight,age\ndog,9,3\n,4.5,\ncat,3,1\n", file);
    fclose(file);

    glia_dataset *set = must_read(pets, NULL);
    const glia_dataset_info info = glia_dataset_describe(set);
    const shape form = shape_of(info.features, info.classes);
    glia_settings how = gi_settings_defaults();
    glia_network *network, *loaded;
    glia_error error = {0};
    how.epochs = 3;
    assert_int_equal(shape_network(&form, &network, &error), GLIA_OK);
    assert_int_equal(glia_train(network, set, NULL, &how, NULL, &error), GLIA_OK);
    assert_int_equal(glia_network_save(network, model, &error), GLIA_OK);
    if (glia_network_load(model, &loaded, &error)) fail_msg("%s", error.message);
    assert_int_equal(glia_network_describe(loaded).columns, 3);

    glia_dataset *rows = NULL;
    if (glia_dataset_open_for(loaded, csv, GLIA_SPLIT_TEST, NULL, &rows, &error))
        fail_msg("%s", error.message);
    assert_int_equal(glia_dataset_describe(rows).samples, 3);
    assert_row(rows, 0, (const float[]){0, 0, 0, 1, 0, 1}, 6, 0);
    assert_row(rows, 1, (const float[]){0, 1, 0, 0, 1, -0.5F}, 6, 0);
    glia_metrics metrics;
    assert_error("no target", whole_evaluate(loaded, rows, 1, &metrics, NULL, &error),
                 GLIA_MISMATCH, &error, "target", NULL);

    glia_row_stream *stream;
    if (glia_row_stream_open(loaded, csv, GLIA_SPLIT_TEST, NULL, &stream, &error))
        fail_msg("%s", error.message);
    size_t n = 0;
    for (glia_dataset *some;; glia_dataset_free(some)) {
        if (glia_row_stream_next(stream, &some, &error)) fail_msg("%s", error.message);
        if (!some) break;
        for (size_t i = 0; i < glia_dataset_describe(some).samples; i++, n++) {
            float x[6], expected[6];
            assert_int_equal(whole_sample(some, i, x, NULL, NULL), GLIA_OK);
            assert_int_equal(whole_sample(rows, n, expected, NULL, NULL), GLIA_OK);
            assert_memory_equal(x, expected, sizeof x);
            assert_int_equal(glia_dataset_line(some, i), n + 2);
        }
    }
    assert_int_equal(n, 3);
    glia_row_stream_free(stream);

    /* Rows that were read otherwise would be nonsense to it. */
    glia_dataset *otherwise =
        must_read("age,kind,weight,name\n9,cat,3,ann\n,,8,bob\n2,dog,2,ann\n", NULL);
    assert_error("read otherwise", whole_evaluate(loaded, otherwise, 1, &metrics, NULL, &error),
                 GLIA_MISMATCH, &error, "read", NULL);
    glia_dataset_free(otherwise);
    glia_dataset_free(rows);
    glia_dataset_free(set);
    glia_network_free(network);
    glia_network_free(loaded);
    remove(model);
    remove(csv);
    rmdir(folder);
}

/* A file of text, opened for a network that knows no columns. */
static glia_status open_plain(const glia_network *network, const char *text, glia_dataset **out,
                              glia_error *error)
{
    char path[] = "/tmp/glia-plain-XXXXXX";
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, strlen(text)), strlen(text));
    close(descriptor);
    const glia_status status =
        glia_dataset_open_for(network, path, GLIA_SPLIT_TEST, NULL, out, error);
    unlink(path);
    return status;
}

/* A network that learned from arrays reads the numbers of a table as they are. */
static void test_plain(void **state)
{
    (void)state;
    shape form = shape_of(2, 2);
    glia_network *network = NULL;
    glia_dataset *set = NULL;
    glia_error error = {0};
    assert_int_equal(shape_network(&form, &network, &error), GLIA_OK);
    if (open_plain(network, "a,b,t\n3,0.5,1\n-2,7,0\n", &set, &error))
        fail_msg("%s", error.message);
    assert_row(set, 0, (const float[]){3, 0.5F}, 2, 1);
    assert_row(set, 1, (const float[]){-2, 7}, 2, 0);
    assert_false(set->is_unlabelled);
    glia_dataset_free(set);

    assert_int_equal(open_plain(network, "3,0.5\n-2,7\n", &set, &error), GLIA_OK);
    assert_row(set, 1, (const float[]){-2, 7}, 2, 0);
    assert_true(set->is_unlabelled);
    glia_metrics metrics;
    assert_error("no targets", whole_evaluate(network, set, 1, &metrics, NULL, &error),
                 GLIA_MISMATCH, &error, "no target", NULL);
    glia_dataset_free(set);

    static const struct {
        const char *text, *word1, *word2;
        glia_status status;
    } failing[] = {
        {"a\n1\n2\n", "found 1 column, but", "2 columns, or 3", GLIA_MISMATCH},
        {"1,2,3,4\n5,6,7,8\n", "found 4 columns", "reads 2 numbers", GLIA_MISMATCH},
        {"a,b,t\nu,1,0\nv,2,1\n", "column a", "texts", GLIA_MISMATCH},
        {"a,b,t\n1,,0\n1,2,1\n", "line 2, column b", "missing", GLIA_BAD_FORMAT},
        {"a,b,t\n1,3,0\n1,2,2\n", "line 3", "class 2", GLIA_BAD_FORMAT},
    };
    for (size_t i = 0; i < sizeof failing / sizeof *failing; i++)
        assert_error(failing[i].text, open_plain(network, failing[i].text, &set, &error),
                     failing[i].status, &error, failing[i].word1, failing[i].word2);

    /* Classes by their names, or else by their places. */
    static const char *const names[] = {"no", "yes"};
    assert_int_equal(gi_network_set_class_names(network, names, NULL), GLIA_OK);
    assert_int_equal(open_plain(network, "a,b,t\n1,3,yes\n1,2,no\n", &set, &error), GLIA_OK);
    assert_row(set, 0, (const float[]){1, 3}, 2, 1);
    glia_dataset_free(set);
    assert_int_equal(open_plain(network, "1,3,0\n1,2,1\n", &set, &error), GLIA_OK);
    assert_row(set, 1, (const float[]){1, 2}, 2, 1);
    glia_dataset_free(set);
    glia_network_free(network);

    form.loss = GLIA_LOSS_MSE;
    assert_int_equal(shape_network(&form, &network, &error), GLIA_OK);
    assert_int_equal(open_plain(network, "1,3,0.25,-4\n1,2,1e9,5\n", &set, &error), GLIA_OK);
    double targets[2];
    assert_int_equal(whole_targets_f64(set, 0, targets, NULL), GLIA_OK);
    assert_true(targets[0] == 0.25 && targets[1] == -4);
    glia_dataset_free(set);
    glia_network_free(network);
}

/* A row of the caller's is what the same row of a file is. */
static void test_encode(void **state)
{
    (void)state;
    static const char text[] =
        "day,price,kind,weight,name\n"
        "2024-03-01,\"1.234,5\",cat,3,ann\n2024-03-02,\"2.000,25\",\"a \"\"b\"\"\",9,bob\n"
        "2024-05-09,\"10,5\",cat,,ann\n2023-03-05,\"7,0\",,9,bob\n";
    glia_dataset *set = must_read(text, NULL);
    const glia_dataset_info info = glia_dataset_describe(set);
    const shape form = shape_of(info.features, info.classes);
    glia_settings how = gi_settings_defaults();
    glia_network *network = NULL;
    glia_error error = {0};
    how.epochs = 1;
    assert_int_equal(shape_network(&form, &network, &error), GLIA_OK);
    assert_int_equal(glia_train(network, set, NULL, &how, NULL, &error), GLIA_OK);
    const glia_cell rows[][5] = {
        {{.column = "kind", .text = "cat"},
         {.column = "weight", .number = 3},
         {.column = "price", .number = 1234.5},
         {.column = "day", .text = "2024-03-01"},
         {.column = "more", .text = "x"}},
        {{.column = "day", .text = "2024-03-02"},
         {.column = "price", .text = "2.000,25"},
         {.column = "kind", .text = "a \"b\""},
         {.column = "weight", .text = "9"},
         {.column = "name", .text = "bob"}},
        {{.column = "day", .text = "2024-05-09"},
         {.column = "price", .number = 10.5},
         {.column = "kind", .text = "cat"},
         {.column = "weight", .number = NAN},
         {.column = "name", .text = ""}},
        {{.column = "day", .text = "2023-03-05"},
         {.column = "price", .number = 7},
         {.column = "kind", .text = ""},
         {.column = "weight", .number = 9},
         {.column = "name", .text = "eve"}},
    };
    float x[64], expected[64];
    assert_true(info.features <= 64);
    for (size_t i = 0; i < 4; i++) {
        if (whole_encode(network, rows[i], 5, x, &error)) fail_msg("%s", error.message);
        assert_int_equal(whole_sample(set, i, expected, NULL, NULL), GLIA_OK);
        assert_memory_equal(x, expected, info.features * sizeof *x);
    }
    const glia_cell wrong[] = {{.column = "day", .text = "2024-03-01"},
                               {.column = "price", .number = 1},
                               {.column = "kind", .text = "cat"},
                               {.column = "weight", .text = "heavy"}};
    assert_error("heavy", whole_encode(network, wrong, 4, x, &error), GLIA_BAD_FORMAT, &error,
                 "the row", "heavy");
    assert_error("absent", whole_encode(network, wrong, 3, x, &error), GLIA_BAD_FORMAT, &error,
                 "weight", NULL);
    glia_network_free(network);
    assert_int_equal(shape_network(&form, &network, &error), GLIA_OK);
    assert_error("no table", whole_encode(network, wrong, 3, x, &error), GLIA_MISMATCH, &error,
                 "knows no columns", NULL);
    glia_network_free(network);
    glia_dataset_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns),        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_order_of_dates), cmocka_unit_test(test_identifiers),
        cmocka_unit_test(test_one_hot),        cmocka_unit_test(test_many_times),
        cmocka_unit_test(test_same_values),    cmocka_unit_test(test_zeros_in_front),
        cmocka_unit_test(test_unique_target),  cmocka_unit_test(test_default_target),
        cmocka_unit_test(test_constant),       cmocka_unit_test(test_large),
        cmocka_unit_test(test_weighted),       cmocka_unit_test(test_targets),
        cmocka_unit_test(test_values),         cmocka_unit_test(test_failing),
        cmocka_unit_test(test_skipping),       cmocka_unit_test(test_learned_from_rest),
        cmocka_unit_test(test_lifetime),       cmocka_unit_test(test_category_of_held),
        cmocka_unit_test(test_folds),          cmocka_unit_test(test_groups),
        cmocka_unit_test(test_read_like),      cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_plain),          cmocka_unit_test(test_encode),
        cmocka_unit_test(test_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
