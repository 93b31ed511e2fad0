/* SPDX-License-Identifier: MIT */
/*
 * Tests of the survey of a data set: what it says of columns and classes, and each finding, which
 * is provoked once and absent from data that is clean.
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
#include "data/survey/survey.h"

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

static size_t allocations_left = SIZE_MAX;

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    if (allocations_left == 0) return NULL;
    if (allocations_left != SIZE_MAX) allocations_left--;
    return __real_aligned_alloc(alignment, size);
}

/* ---- Helpers ------------------------------------------------------------------------------- */

/* A table that grows row by row. */
static struct {
    char text[1 << 20];
    size_t used;
    uint64_t random;
} file;

__attribute__((format(printf, 1, 2))) static void put(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    file.used +=
        (size_t)vsnprintf(file.text + file.used, sizeof file.text - file.used, format, arguments);
    va_end(arguments);
    assert_true(file.used < sizeof file.text);
}

static void begin(const char *header)
{
    file.used = 0;
    file.random = 1;
    put("%s\n", header);
}

/* Knuth's MMIX generator. */
static uint32_t below(uint32_t n)
{
    file.random = file.random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(file.random >> 33) % n;
}

/* About a standard normal: of twelve uniform numbers. */
static double normal(void)
{
    double sum = -6;
    for (int i = 0; i < 12; i++) sum += (double)below(1 << 20) / (1 << 20);
    return sum;
}

static glia_status survey_with(const glia_table_params *table, glia_survey **out, glia_error *error)
{
    char path[] = "/tmp/glia-survey-XXXXXX";
    glia_data_params params = glia_data_default_params();
    if (table) params.table = *table;
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, file.text, file.used), file.used);
    close(descriptor);
    const glia_status status = glia_survey_make(path, &params, out, error);
    unlink(path);
    return status;
}

static glia_survey *survey(const glia_table_params *table)
{
    glia_survey *out = NULL;
    glia_error error = {0};
    if (survey_with(table, &out, &error) != GLIA_OK) fail_msg("%s", error.message);
    return out;
}

static const glia_finding *find(const glia_survey *s, glia_finding_kind kind, const char *column)
{
    for (size_t i = 0; i < s->n_findings; i++) {
        const glia_finding *finding = glia_survey_finding(s, i);
        if (finding->kind != kind) continue;
        if (!column) return finding;
        for (size_t k = 0; k < finding->n_columns; k++)
            if (strcmp(glia_survey_column(s, finding->columns[k])->name, column) == 0)
                return finding;
    }
    return NULL;
}

/* The finding of that kind, of that column if it is not NULL, whose message has all of it. */
static const glia_finding *assert_found(const glia_survey *s, glia_finding_kind kind,
                                        const char *column, const char *said)
{
    const glia_finding *finding = find(s, kind, column);
    if (!finding) fail_msg("no finding %s of %s", glia_finding_name(kind), column ? column : "it");
    if (!strstr(finding->message, said)) fail_msg("\"%s\" is not in: %s", said, finding->message);
    return finding;
}

static void assert_silent(const glia_survey *s)
{
    if (s->n_findings)
        fail_msg("%s: %s", glia_finding_name(glia_survey_finding(s, 0)->kind),
                 glia_survey_finding(s, 0)->message);
}

static const glia_column_survey *column(const glia_survey *s, const char *name)
{
    for (size_t c = 0; c < s->n_columns; c++)
        if (strcmp(glia_survey_column(s, c)->name, name) == 0) return glia_survey_column(s, c);
    fail_msg("no column %s", name);
    return NULL;
}

/* Flowers of three kinds: clean, but with 150 rows. */
static void put_flowers(void)
{
    static const char *const kinds[] = {"setosa", "versicolor", "virginica"};
    begin("sepal,petal,colour,leaves,kind");
    for (int i = 0; i < 150; i++)
        put("%.3f,%.3f,%s,%u,%s\n", 5 + i / 50 + 1.5 * normal(), 2 + i / 50 + 1.5 * normal(),
            below(2) ? "blue" : "red", 3 + below(4), kinds[i / 50]);
}

/* Rows of noise with a column a of its own making: a,x,y. */
#define PUT_ROWS(n, format, ...)                                                                   \
    do {                                                                                           \
        begin("a,x,y");                                                                            \
        for (unsigned i = 0; i < (n); i++) {                                                       \
            const unsigned y = below(2);                                                           \
            (void)y;                                                                               \
            put(format ",%.6f,%s\n", __VA_ARGS__, normal(), y ? "yes" : "no");                     \
        }                                                                                          \
    } while (0)

/* ---- What it says -------------------------------------------------------------------------- */

static void test_describes(void **state)
{
    (void)state;
    begin("a,b,t");
    put("1,red,yes\n3,,no\n,blue,yes\n5,red,no\n");
    glia_survey *s = survey(NULL);
    assert_true(s->is_table);
    assert_true(s->can_train);
    assert_int_equal(s->rows, 4);
    assert_int_equal(s->bytes, file.used);
    assert_int_equal(s->n_columns, 3);
    assert_int_equal(s->features, 2 + 3);
    assert_non_null(strstr(s->how, "comma-separated"));
    const glia_column_survey *a = column(s, "a"), *b = column(s, "b"), *t = column(s, "t");
    assert_int_equal(a->kind, GLIA_COLUMN_NUMBERS);
    assert_int_equal(a->missing, 1);
    assert_int_equal(a->different, 3);
    assert_true(a->is_whole);
    assert_true(a->min == 1 && a->max == 5 && a->mean == 3);
    assert_true(fabs(a->sd - sqrt(8.0 / 3)) < 1e-12);
    assert_int_equal(b->kind, GLIA_COLUMN_CATEGORIES);
    assert_int_equal(b->missing, 1);
    assert_int_equal(b->n_top, 2);
    assert_string_equal(b->top[0].text, "red");
    assert_int_equal(b->top[0].count, 2);
    assert_true(isnan(b->min));
    assert_int_equal(t->role, GLIA_ROLE_TARGET);
    assert_true(s->has_task);
    assert_int_equal(s->task, GLIA_TASK_CLASSES);
    assert_int_equal(s->n_classes, 2);
    assert_string_equal(s->classes[0].text, "no");
    assert_int_equal(s->classes[0].count, 2);
    glia_survey_free(s);
    glia_survey_free(NULL);
}

static void test_roles(void **state)
{
    (void)state;
    begin("a,w,g,t,u");
    for (unsigned i = 0; i < 40; i++)
        put("%u,%u,%u,%.3f,%.3f\n", i, 1 + i % 2, i / 4, normal(), normal());
    const char *drop[] = {"a"}, *targets[] = {"t", "u"};
    const glia_table_params params = {
        .targets = targets, .n_targets = 2, .drop = drop, .n_drop = 1, .weight = "w", .group = "g"};
    glia_survey *s = survey(&params);
    assert_int_equal(column(s, "a")->role, GLIA_ROLE_NONE);
    assert_string_equal(column(s, "a")->why, "dropped");
    assert_int_equal(column(s, "w")->role, GLIA_ROLE_WEIGHT);
    assert_int_equal(column(s, "g")->role, GLIA_ROLE_GROUP);
    assert_int_equal(column(s, "u")->role, GLIA_ROLE_TARGET);
    assert_int_equal(s->task, GLIA_TASK_VALUES);
    /* No feature is left. */
    assert_false(s->can_train);
    assert_found(s, GLIA_FINDING_UNUSABLE, NULL, "no column to learn from");
    glia_survey_free(s);
}

static void test_clean(void **state)
{
    (void)state;
    put_flowers();
    glia_survey *s = survey(NULL);
    assert_silent(s);
    assert_false(column(s, "sepal")->is_whole);
    assert_true(column(s, "leaves")->is_whole);
    assert_int_equal(s->n_classes, 3);
    assert_int_equal(s->classes[1].count, 50);
    assert_int_equal(s->checked_rows, 150);
    for (size_t c = 0; c < s->n_columns; c++)
        assert_false(glia_survey_column(s, c)->drop || glia_survey_column(s, c)->categorical);
    glia_survey_free(s);
}

static void test_clean_values(void **state)
{
    (void)state;
    begin("a,b,c,price");
    for (int i = 0; i < 300; i++) {
        const double a = normal(), b = normal();
        put("%.6f,%.6f,%u,%.6f\n", a, b, below(9), 3 * a - b + normal());
    }
    glia_survey *s = survey(NULL);
    assert_silent(s);
    assert_int_equal(s->task, GLIA_TASK_VALUES);
    assert_int_equal(s->n_classes, 0);
    glia_survey_free(s);
}

/* Columns of few different numbers, most of them 0, as pixels are. */
static void test_clean_pixels(void **state)
{
    (void)state;
    begin("p,q,r,label");
    for (int i = 0; i < 600; i++)
        put("%u,%u,%u,%u\n", below(10) ? 0 : below(17), below(17), below(200) ? 0 : 16, below(10));
    glia_survey *s = survey(NULL);
    for (size_t i = 0; i < s->n_findings; i++) /* rows of so few numbers repeat */
        if (glia_survey_finding(s, i)->severity != GLIA_SEVERITY_NOTE ||
            glia_survey_finding(s, i)->kind > GLIA_FINDING_DUPLICATES)
            fail_msg("%s", glia_survey_finding(s, i)->message);
    glia_survey_free(s);
}

static void test_not_a_table(void **state)
{
    (void)state;
    glia_survey *s = NULL;
    assert_int_equal(glia_survey_make("digits", NULL, &s, NULL), GLIA_OK);
    assert_false(s->is_table);
    assert_int_equal(s->rows, 60000);
    assert_int_equal(s->features, 784);
    assert_int_equal(s->n_classes, 10);
    uint64_t all = 0;
    for (size_t k = 0; k < s->n_classes; k++) all += s->classes[k].count;
    assert_int_equal(all, 60000);
    assert_silent(s);
    assert_true(s->can_train);
    glia_survey_free(s);
}

static void test_failures(void **state)
{
    (void)state;
    glia_survey *s = NULL;
    glia_error error;
    begin("a,b");
    put("1,2\n3\n");
    assert_error("ragged", survey_with(NULL, &s, &error), GLIA_BAD_FORMAT, &error, "line 3",
                 "expected 2");
    assert_error("no file", glia_survey_make("no-such-file.csv", NULL, &s, &error), GLIA_NOT_FOUND,
                 &error, "no-such-file.csv", NULL);
    put_flowers();
    const char *targets[] = {"kin"};
    assert_error("no column",
                 survey_with(&(glia_table_params){.targets = targets, .n_targets = 1}, &s, &error),
                 GLIA_BAD_FORMAT, &error, "kin", "sepal, petal");
    assert_error("no name", glia_survey_make(NULL, NULL, &s, &error), GLIA_BAD_ARGUMENT, &error,
                 "NULL", NULL);
    assert_null(s);
}

/* Each allocation fails in turn: an error, and nothing is lost (a sanitizer looks). */
static void test_no_memory(void **state)
{
    (void)state;
    glia_survey *s = NULL;
    put_flowers();
    put("1,2,Red,3,\n1,2,Red,3\n"); /* with findings */
    const glia_table_params params = {.skip_bad_rows = true};
    glia_status status = GLIA_NO_MEMORY;
    for (size_t n = 0; status; n++) {
        glia_error error = {0};
        allocations_left = n;
        status = survey_with(&params, &s, &error);
        allocations_left = SIZE_MAX;
        if (!status) break;
        assert_error("no memory", status, GLIA_NO_MEMORY, &error, "memory", NULL);
        assert_null(s);
    }
    assert_found(s, GLIA_FINDING_BAD_ROWS, NULL, "line 153");
    assert_found(s, GLIA_FINDING_SIMILAR_TEXTS, "colour", "two categories");
    glia_survey_free(s);
}

/* The survey of the file's data set, as a run makes it that has opened it already. */
static glia_survey *survey_opened(void)
{
    char path[] = "/tmp/glia-survey-XXXXXX";
    glia_dataset *dataset = NULL;
    glia_survey *out = NULL;
    glia_error error = {0};
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, file.text, file.used), file.used);
    close(descriptor);
    glia_status status = glia_dataset_open(path, GLIA_SPLIT_TRAIN, NULL, &dataset, &error);
    unlink(path);
    if (!status) status = glia_survey_dataset(dataset, &out, &error);
    if (status) fail_msg("%s", error.message);
    glia_dataset_free(dataset);
    return out;
}

static void test_of_a_dataset(void **state)
{
    (void)state;
    put_flowers();
    glia_survey *s = survey_opened();
    assert_int_equal(s->rows, 150);
    assert_int_equal(s->n_classes, 3);
    assert_silent(s);
    glia_survey_free(s);
    PUT_ROWS(200, "%u.5", y);
    s = survey_opened();
    assert_int_equal(assert_found(s, GLIA_FINDING_LEAK, "a", "alone tells y")->severity,
                     GLIA_SEVERITY_SEVERE);
    glia_survey_free(s);
    /* Of a larger one a sample: of columns, and not that rows are alike. */
    begin("a,b,c,d,e,f,g,h,i,j,k,l,m,n,target,o,p,q,r,s,t,u,v,w,x,a5,a6,a7,a8,a9");
    for (unsigned i = 0; i < 12000; i++) {
        const unsigned y = below(2);
        put("%u,%s", 3 - y, below(9) ? "7 km" : "5 km");
        for (unsigned c = 2; c < 29; c++) put(",%u", c < 28 ? (i % 5 == 0) * below(10) : 0);
        put(",%c\n", y ? 'p' : 'q');
    }
    s = survey_opened();
    assert_true(s->rows == 12000 && s->sampled_rows < 10000);
    assert_found(s, GLIA_FINDING_LEAK, "a", "alone tells a9");
    assert_found(s, GLIA_FINDING_NUMBERS_AS_TEXT, "b", "7 km");
    assert_found(s, GLIA_FINDING_TARGET_NAME, "target", "table.targets target");
    assert_int_equal(s->n_findings, 3);
    glia_survey_free(s);
    /* Classes are counted in all rows. */
    begin("a,b,c,d,e,f,y");
    for (unsigned i = 0; i < 40000; i++) {
        for (unsigned c = 0; c < 6; c++) put("%u,", below(30));
        put("%s\n", i % 100 == 7 ? "rare" : "often");
    }
    s = survey_opened();
    assert_true(s->rows == 40000 && s->sampled_rows < 20000);
    assert_found(s, GLIA_FINDING_IMBALANCE, NULL,
                 "class \"often\" has 39600 rows, class \"rare\" 400: ");
    glia_survey_free(s);
}

/* Columns that are left out because their numbers are written otherwise are no identifiers. */
static void test_left_out_numbers(void **state)
{
    (void)state;
    PUT_ROWS(60, "%u km", 100 + i);
    glia_survey *s = survey(NULL);
    assert_found(s, GLIA_FINDING_NUMBERS_AS_TEXT, "a", "without the unit");
    assert_null(find(s, GLIA_FINDING_IDENTIFIER, "a"));
    glia_survey_free(s);
    s = survey_opened();
    assert_found(s, GLIA_FINDING_NUMBERS_AS_TEXT, "a", "without the unit");
    glia_survey_free(s);
}

/* ---- Rows ---------------------------------------------------------------------------------- */

static void test_bad_rows(void **state)
{
    (void)state;
    put_flowers();
    put("1,2,3\n1,2\n");
    glia_survey *s = survey(&(glia_table_params){.skip_bad_rows = true});
    assert_int_equal(s->rows, 150);
    assert_int_equal(s->skipped, 2);
    const glia_finding *f = assert_found(s, GLIA_FINDING_BAD_ROWS, NULL, "2 malformed rows were");
    assert_non_null(strstr(f->message, "line 152: found 3 cells"));
    assert_null(strstr(f->message, "or leave such rows out"));
    glia_survey_free(s);
}

static void test_duplicates(void **state)
{
    (void)state;
    put_flowers();
    put("1.5,2.5,red,3,setosa\n\n1.5,2.5,red,3,setosa\n1.5,2.5,red,3,setosa\n");
    glia_survey *s = survey(NULL);
    const glia_finding *f = assert_found(s, GLIA_FINDING_DUPLICATES, NULL, "2 rows");
    assert_true(f->value == 2);
    assert_int_equal(f->lines[0], 152);
    assert_int_equal(f->lines[1], 154);
    assert_null(find(s, GLIA_FINDING_CONTRADICTIONS, NULL));
    glia_survey_free(s);
}

static void test_contradictions(void **state)
{
    (void)state;
    put_flowers();
    put("1.5,,red,3,setosa\n1.5,,red,3,virginica\n");
    glia_survey *s = survey(NULL);
    const glia_finding *f = assert_found(s, GLIA_FINDING_CONTRADICTIONS, NULL, "1 row ");
    assert_int_equal(f->lines[0], 152);
    assert_int_equal(f->lines[1], 153);
    assert_null(find(s, GLIA_FINDING_DUPLICATES, NULL));
    glia_survey_free(s);
}

/* An advice can be copied: names with blanks and commas are quoted, as a command takes them. */
static void test_advice_quotes_names(void **state)
{
    (void)state;
    begin("a b,\"c, d\",plain,it's,x,y");
    for (unsigned i = 0; i < 120; i++) put("1,1,1,1,%.6f,%u\n", normal(), i % 2);
    glia_survey *s = survey(NULL);
    assert_found(s, GLIA_FINDING_CONSTANT, "a b",
                 "a b, \"c, d\", plain, it's: the same value in all rows, which is harmless; "
                 "table.drop 'a b,\"c, d\",plain,4' saves inputs");
    glia_survey_free(s);
    begin("a b,y");
    for (unsigned i = 0; i < 120; i++) put("%u,%u\n", 1 + i, i % 2);
    s = survey(NULL);
    assert_found(s, GLIA_FINDING_IDENTIFIER, "a b", "nothing about new rows; table.drop 'a b'");
    glia_survey_free(s);
}

/* A column is left out for one of several reasons; the one that holds is given. */
static void test_why_ignored(void **state)
{
    (void)state;
    begin(",a,y,");
    for (unsigned i = 0; i < 60; i++) put("%u,%.6f,%u,\n", i, normal(), i % 2);
    glia_survey *s = survey(NULL);
    assert_string_equal(column(s, "column 1")->why, "no name: it names the rows, or is empty");
    assert_string_equal(column(s, "column 4")->why, "neither a name nor a value");
    glia_survey_free(s);
}

/* Rows that differ in an identifier alone are the same. */
static void test_duplicates_but_for_an_identifier(void **state)
{
    (void)state;
    begin("id,x,y");
    for (unsigned i = 0; i < 100; i++)
        put("%u,%.6f,%u\n", 7000 + i, i == 60 || i == 80 ? 0.25 : normal(), i % 2);
    glia_survey *s = survey(NULL);
    assert_found(s, GLIA_FINDING_IDENTIFIER, "id", "left out");
    assert_int_equal(column(s, "id")->role, GLIA_ROLE_NONE);
    const glia_finding *f = assert_found(s, GLIA_FINDING_DUPLICATES, NULL, "line 82 like line 62");
    assert_true(f->value == 1);
    glia_survey_free(s);
}

/* More rows than are kept: a part of them is looked at, and stands for all. */
static void test_duplicates_of_many(void **state)
{
    (void)state;
    enum { ROWS = 2500000, TWICE = 250000 };
    gi_column columns[] = {{.name = (char[]){"a"}}, {.name = (char[]){"y"}}};
    double *cells = malloc(2 * ROWS * sizeof *cells);
    gi_table table = {.rows = ROWS, .n_columns = 2, .columns = columns, .cells = cells};
    assert_non_null(cells);
    for (size_t i = 0; i < ROWS; i++) {
        cells[2 * i] = (double)(i < TWICE ? i + TWICE : i);
        cells[2 * i + 1] = (double)(i % 2);
    }
    const bool is_feature[] = {true, false}, is_target[] = {false, true};
    gi_row_facts rows;
    assert_int_equal(gi_survey_rows(&table, is_feature, is_target, &rows, NULL), GLIA_OK);
    assert_in_range(rows.checked, 700000, 1000000);
    assert_in_range(rows.duplicates, TWICE * 0.97, TWICE * 1.03);
    assert_int_equal(rows.contradictions, 0);
    free(cells);
}

static void test_few_rows(void **state)
{
    (void)state;
    PUT_ROWS(30, "%.3f", normal());
    glia_survey *s = survey(NULL);
    assert_found(s, GLIA_FINDING_FEW_ROWS, NULL, "30 rows for 2 features");
    assert_int_equal(s->n_findings, 1);
    glia_survey_free(s);
}

/* ---- Columns ------------------------------------------------------------------------------- */

static void test_identifiers(void **state)
{
    (void)state;
    PUT_ROWS(120, "%u", 1 + i);
    glia_survey *s = survey(NULL);
    assert_found(s, GLIA_FINDING_IDENTIFIER, "a", "table.drop");
    assert_true(column(s, "a")->drop);
    glia_survey_free(s);
    PUT_ROWS(120, "%u", 100 + 37 * i % 120); /* in some order */
    s = survey(NULL);
    assert_found(s, GLIA_FINDING_IDENTIFIER, "a", "table.drop");
    glia_survey_free(s);
    PUT_ROWS(120, "%u", 10 * i + below(10)); /* with gaps, ascending */
    s = survey(NULL);
    assert_found(s, GLIA_FINDING_IDENTIFIER, "a", "table.drop");
    glia_survey_free(s);
    PUT_ROWS(120, "n%u", i); /* which training leaves out by itself */
    s = survey(NULL);
    assert_int_equal(assert_found(s, GLIA_FINDING_IDENTIFIER, "a", "left out")->severity,
                     GLIA_SEVERITY_NOTE);
    assert_int_equal(s->features, 1);
    assert_false(column(s, "a")->drop);
    glia_survey_free(s);
    PUT_ROWS(120, "%u", 1000 * below(1000) + i); /* amounts that happen to differ */
    s = survey(NULL);
    assert_silent(s);
    glia_survey_free(s);
}

static void test_names(void **state)
{
    (void)state;
    assert_true(gi_names_identifier("id") && gi_names_identifier("user_id"));
    assert_true(gi_names_identifier("PassengerId") && gi_names_identifier("customerID"));
    assert_false(gi_names_identifier("humid") || gi_names_identifier("paid"));
    assert_true(gi_names_code("Pclass") && gi_names_code("zip code"));
    assert_false(gi_names_code("age"));
    assert_true(gi_names_target("Survived") && gi_names_target("y"));
    assert_false(gi_names_target("years"));
}

static void test_many_texts(void **state)
{
    (void)state;
    PUT_ROWS(200, "t%u", below(300));
    glia_survey *s = survey(NULL);
    assert_found(s, GLIA_FINDING_MANY_TEXTS, "a", "table.drop");
    assert_true(column(s, "a")->drop);
    glia_survey_free(s);
}

static void test_codes(void **state)
{
    (void)state;
    static const unsigned codes[] = {101, 205, 317, 442, 1010};
    PUT_ROWS(200, "%u", codes[below(5)]);
    glia_survey *s = survey(NULL);
    assert_found(s, GLIA_FINDING_CODES, "a", "table.categorical");
    assert_true(column(s, "a")->categorical && !column(s, "a")->drop);
    glia_survey_free(s);
    begin("Pclass,x,y");
    for (int i = 0; i < 200; i++) put("%u,%.6f,%u\n", 1 + below(3), normal(), below(2));
    s = survey(NULL);
    assert_found(s, GLIA_FINDING_CODES, "Pclass", "table.categorical");
    glia_survey_free(s);
}

static void test_groups(void **state)
{
    (void)state;
    begin("patient_id,x,y");
    for (int i = 0; i < 200; i++) put("%u,%.6f,%u\n", 500 + below(20), normal(), below(2));
    glia_survey *s = survey(NULL);
    assert_found(s, GLIA_FINDING_GROUPS, "patient_id", "table.group");
    assert_int_equal(s->n_findings, 1);
    glia_survey_free(s);
}

static void test_missing(void **state)
{
    (void)state;
    begin("a,b,c,x,y");
    for (int i = 0; i < 100; i++)
        put("%s,,7,%.6f,%u\n", i % 4 ? "" : i % 8 ? "1" : "2", normal(), below(2));
    glia_survey *s = survey(NULL);
    assert_found(s, GLIA_FINDING_MOSTLY_MISSING, "a", "missing in most rows");
    assert_found(s, GLIA_FINDING_EMPTY, "b", "no value");
    assert_found(s, GLIA_FINDING_CONSTANT, "c", "the same value");
    assert_null(find(s, GLIA_FINDING_CONSTANT, "b"));
    assert_int_equal(s->n_findings, 3);
    assert_true(s->can_train);
    glia_survey_free(s);
}

static void test_outlier(void **state)
{
    (void)state;
    PUT_ROWS(200, "%s%.3f", i == 77 ? "9999" : "", fabs(normal()));
    glia_survey *s = survey(NULL);
    const glia_finding *f = assert_found(s, GLIA_FINDING_OUTLIER, "a", "line 79");
    assert_int_equal(f->severity, GLIA_SEVERITY_WARNING);
    assert_int_equal(f->lines[0], 79);
    assert_true(f->value > 1000);
    assert_int_equal(s->n_findings, 1);
    glia_survey_free(s);
    /* Several of them, and below; in text that is not read line by line. */
    PUT_ROWS(200, "%.3f", i % 20 == 7 ? -999 : normal());
    s = survey(NULL);
    f = assert_found(s, GLIA_FINDING_OUTLIER, "a", "-999 in line 9, and 9 times more");
    glia_survey_free(s);
}

static void test_copies(void **state)
{
    (void)state;
    begin("a,b,c,d,x,y");
    for (int i = 0; i < 100; i++) {
        const double t = normal();
        put("%.6f,%.6f,%s,%s,%.6f,%u\n", t, 1.8 * t + 32, i % 3 ? "p" : "q", i % 3 ? "0" : "1",
            normal(), below(2));
    }
    const char *categorical[] = {"d"};
    glia_survey *s = survey(&(glia_table_params){.categorical = categorical, .n_categorical = 1});
    assert_found(s, GLIA_FINDING_COPIES, "b", "factor");
    assert_found(s, GLIA_FINDING_COPIES, "d", "d and c are the same"); /* by other names */
    assert_null(find(s, GLIA_FINDING_COPIES, "x"));
    glia_survey_free(s);
    /* Numbers out of range in the same rows do not make columns alike. */
    begin("a,b,y");
    for (int i = 0; i < 100; i++)
        put("%.6f,%.6f,%u\n", i == 9 ? 1e12 : normal(), i == 9 ? 1e12 : normal(), below(2));
    s = survey(NULL);
    assert_null(find(s, GLIA_FINDING_COPIES, NULL));
    glia_survey_free(s);
}

/* ---- Texts --------------------------------------------------------------------------------- */

static void test_looks(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        gi_text_look look;
    } cases[] = {
        {"12", GI_LOOK_NUMBER},
        {"-1.5e3", GI_LOOK_NUMBER},
        {"1,234", GI_LOOK_THOUSANDS},
        {"1,234,567.25", GI_LOOK_THOUSANDS},
        {"-12,345", GI_LOOK_THOUSANDS},
        {"1,5", GI_LOOK_COMMA},
        {"1.234,5", GI_LOOK_COMMA},
        {"0,25", GI_LOOK_COMMA},
        {"$5", GI_LOOK_CURRENCY},
        {"-$1,234.50", GI_LOOK_CURRENCY},
        {"12 \xE2\x82\xAC", GI_LOOK_CURRENCY},
        {"EUR 7", GI_LOOK_CURRENCY},
        {"5%", GI_LOOK_PERCENT},
        {"1,5 %", GI_LOOK_PERCENT},
        {"12 km", GI_LOOK_UNIT},
        {"3.5kg", GI_LOOK_UNIT},
        {"2024-03-01", GI_LOOK_DATE},
        {"1.3.2024", GI_LOOK_DATE},
        {"03/01/24 10:30", GI_LOOK_DATE},
        {"2024-03-01T10:30:00Z", GI_LOOK_DATE},
        {"10:30", GI_LOOK_DATE},
        {"10:30:01.5", GI_LOOK_DATE},
        {"", GI_LOOK_TEXT},
        {"red", GI_LOOK_TEXT},
        {"12,34,5", GI_LOOK_TEXT},
        {"1.2.3.4", GI_LOOK_TEXT},
        {"12 Main Street", GI_LOOK_TEXT},
        {"$", GI_LOOK_TEXT},
        {"5-7", GI_LOOK_TEXT},
        {"10:3", GI_LOOK_TEXT},
        {"2024-3", GI_LOOK_TEXT},
        {"-", GI_LOOK_TEXT},
        {"1,2345", GI_LOOK_COMMA},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (gi_look_at_text(cases[i].text) != cases[i].look)
            fail_msg("\"%s\" looks like %d, expected %d", cases[i].text,
                     (int)gi_look_at_text(cases[i].text), (int)cases[i].look);
}

static void test_numbers_as_text(void **state)
{
    (void)state;
    PUT_ROWS(100, "$%u.50", 10 + below(20));
    glia_survey *s = survey(NULL);
    const glia_finding *f = assert_found(s, GLIA_FINDING_NUMBERS_AS_TEXT, "a", "currency");
    assert_int_equal(f->lines[0], 2);
    glia_survey_free(s);
    PUT_ROWS(100, "%u km", 10 + below(20));
    s = survey(NULL);
    assert_found(s, GLIA_FINDING_NUMBERS_AS_TEXT, "a", "unit");
    glia_survey_free(s);
    PUT_ROWS(100, "%u %s", 1 + below(20), i % 2 ? "mg" : "days"); /* of two kinds: texts */
    s = survey(NULL);
    assert_silent(s);
    glia_survey_free(s);
    PUT_ROWS(100, "%s", i % 4 == 2 ? "low" : i % 3 ? "17" : "23"); /* a quarter is none */
    s = survey(NULL);
    f = assert_found(s, GLIA_FINDING_NUMBERS_AS_TEXT, "a", "\"low\" (line 4)");
    assert_true(fabs(f->value - 0.75) < 1e-9);
    glia_survey_free(s);
    PUT_ROWS(100, "\"%u,%03u\"", 1 + below(9), below(5));
    const char *categorical[] = {"a"};
    s = survey(&(glia_table_params){.categorical = categorical, .n_categorical = 1});
    assert_found(s, GLIA_FINDING_NUMBERS_AS_TEXT, "a", "without commas between thousands");
    glia_survey_free(s);
}

static void test_dates(void **state)
{
    (void)state;
    PUT_ROWS(100, "2024-%02u-%02u", 1 + i % 12, 1 + i % 28);
    glia_survey *s = survey(NULL);
    assert_int_equal(assert_found(s, GLIA_FINDING_DATES, "a", "year-month-day")->severity,
                     GLIA_SEVERITY_NOTE);
    assert_int_equal(column(s, "a")->kind, GLIA_COLUMN_DATES);
    assert_int_equal(column(s, "a")->features, 4);
    assert_false(column(s, "a")->drop);
    assert_int_equal(s->n_findings, 1);
    glia_survey_free(s);
    PUT_ROWS(100, "%02u/%02u/2024", 1 + i % 12, 1 + i % 11); /* no day is past 12 */
    s = survey(NULL);
    assert_int_equal(assert_found(s, GLIA_FINDING_DATES, "a", "day or the month")->severity,
                     GLIA_SEVERITY_WARNING);
    glia_survey_free(s);
    PUT_ROWS(100, "%s", i % 3 ? "2024-03-01" : "0000-00-00"); /* MySQL's */
    s = survey(NULL);
    assert_found(s, GLIA_FINDING_DATES, "a", "and 0000-00-00, which is read as missing");
    glia_survey_free(s);
    begin("x,when");
    for (unsigned i = 0; i < 100; i++) put("%.3f,2024-03-%02u\n", normal(), 1 + i % 4);
    s = survey(NULL);
    assert_found(
        s, GLIA_FINDING_DATES, "when",
        "the target when has dates or times (such as 2024-03-01), each of which is a class");
    glia_survey_free(s);
    s = survey(&(glia_table_params){.loss = GLIA_LOSS_CROSS_ENTROPY}); /* as asked for */
    assert_null(find(s, GLIA_FINDING_DATES, NULL));
    glia_survey_free(s);
}

static void test_words(void **state)
{
    (void)state;
    static const char *const sexes[] = {"male", "female", "Male ", "unknown"};
    PUT_ROWS(100, "%s", sexes[i % 4]);
    glia_survey *s = survey(NULL);
    const glia_finding *f =
        assert_found(s, GLIA_FINDING_MISSING_WORD, "a", "\"unknown\" in 25 rows");
    assert_int_equal(f->lines[0], 5);
    f = assert_found(s, GLIA_FINDING_SIMILAR_TEXTS, "a", "\"Male\" (line 4) and \"male\"");
    glia_survey_free(s);
}

/* ---- The target ---------------------------------------------------------------------------- */

static void test_leak_of_classes(void **state)
{
    (void)state;
    PUT_ROWS(200, "%.3f", normal() + 20 * y); /* numbers: a threshold */
    glia_survey *s = survey(NULL);
    const glia_finding *f = assert_found(s, GLIA_FINDING_LEAK, "a", "100 %");
    assert_int_equal(f->severity, GLIA_SEVERITY_SEVERE);
    assert_ptr_equal(f, glia_survey_finding(s, 0));
    assert_null(find(s, GLIA_FINDING_LEAK, "x"));
    glia_survey_free(s);
    PUT_ROWS(200, "%u", 10 * (2 * below(5) + y)); /* ranges, one in the other */
    s = survey(NULL);
    assert_found(s, GLIA_FINDING_LEAK, "a", "100 %");
    glia_survey_free(s);
    PUT_ROWS(200, "%s%u", y ? "p" : "q", below(4)); /* texts */
    s = survey(NULL);
    assert_found(s, GLIA_FINDING_LEAK, "a", "100 %");
    glia_survey_free(s);
    PUT_ROWS(200, "%.0u", y ? 1 + below(20) : 0); /* where it is missing */
    s = survey(NULL);
    assert_found(s, GLIA_FINDING_LEAK, "a", "100 %");
    glia_survey_free(s);
    PUT_ROWS(1000, "%.3f", normal() + 20 * (i % 125 == 50 ? 1 - y : y)); /* some wrong rows */
    s = survey(NULL);
    assert_found(s, GLIA_FINDING_LEAK, "a", "%");
    glia_survey_free(s);
    PUT_ROWS(400, "%.3f", normal() + 2 * y); /* a good feature is none */
    s = survey(NULL);
    assert_null(find(s, GLIA_FINDING_LEAK, NULL));
    glia_survey_free(s);
    PUT_ROWS(400, "t%u", below(380)); /* so is a text of which there are many */
    s = survey(NULL);
    assert_null(find(s, GLIA_FINDING_LEAK, NULL));
    glia_survey_free(s);
}

static void test_leak_of_values(void **state)
{
    (void)state;
    begin("a,b,c,d,y");
    for (int i = 0; i < 300; i++) {
        const double y = normal();
        put("%.5f,%.5f,%.5f,%.5f,%.5f\n", 3 * y + 0.01 * normal(), exp(2 * y), y + 0.5 * normal(),
            normal(), y);
    }
    glia_survey *s = survey(NULL);
    assert_found(s, GLIA_FINDING_LEAK, "a", "correlation 1.0");
    assert_found(s, GLIA_FINDING_LEAK, "b", "of its variance");
    assert_null(find(s, GLIA_FINDING_LEAK, "c"));
    assert_null(find(s, GLIA_FINDING_LEAK, "d"));
    glia_survey_free(s);
}

static void test_target_missing(void **state)
{
    (void)state;
    put_flowers();
    put("1,2,red,3,\n");
    glia_survey *s = survey(NULL);
    const glia_finding *f = assert_found(s, GLIA_FINDING_TARGET_MISSING, "kind", "first line 152");
    assert_int_equal(f->severity, GLIA_SEVERITY_SEVERE);
    assert_true(s->skip_bad_rows);
    assert_true(s->can_train);
    assert_null(find(s, GLIA_FINDING_UNUSABLE, NULL));
    glia_survey_free(s);
}

static void test_target_unique(void **state)
{
    (void)state;
    begin("x,y");
    for (unsigned i = 0; i < 100; i++) put("%.6f,n%u\n", normal(), i);
    glia_survey *s = survey(NULL);
    assert_found(s, GLIA_FINDING_TARGET_UNIQUE, "y", "100 classes in 100 rows");
    glia_survey_free(s);
}

static void test_target_name(void **state)
{
    (void)state;
    begin("Survived,x,port");
    for (unsigned i = 0; i < 100; i++) put("%u,%.6f,%s\n", below(2), normal(), i % 3 ? "S" : "C");
    glia_survey *s = survey(NULL);
    assert_found(s, GLIA_FINDING_TARGET_NAME, "Survived", "table.targets Survived");
    glia_survey_free(s);
    const char *targets[] = {"Survived"};
    s = survey(&(glia_table_params){.targets = targets, .n_targets = 1});
    assert_silent(s);
    glia_survey_free(s);
}

static void test_unusable(void **state)
{
    (void)state;
    begin("x,y");
    for (int i = 0; i < 100; i++) put("%.6f,a\n", normal());
    glia_survey *s = survey(NULL);
    assert_found(s, GLIA_FINDING_UNUSABLE, NULL, "one class");
    assert_false(s->can_train);
    glia_survey_free(s);
    s = survey(&(glia_table_params){.loss = GLIA_LOSS_MSE});
    assert_found(s, GLIA_FINDING_UNUSABLE, NULL, "texts");
    assert_false(s->has_task);
    assert_false(s->can_train);
    glia_survey_free(s);
}

static void test_balance(void **state)
{
    (void)state;
    begin("x,z,y");
    for (int i = 0; i < 300; i++)
        put("%.6f,%.6f,%s\n", normal(), normal(), i % 100 == 7 ? "rare" : "often");
    glia_survey *s = survey(NULL);
    assert_found(s, GLIA_FINDING_RARE_CLASS, NULL, "\"rare\" 3");
    const glia_finding *f =
        assert_found(s, GLIA_FINDING_IMBALANCE, NULL, "setting class-weights=balanced");
    assert_true(f->value == 99);
    assert_true(s->balance_classes);
    assert_int_equal(s->n_findings, 2);
    glia_survey_free(s);
}

/* All that would be dropped is kept if nothing else is there. */
static void test_nothing_left(void **state)
{
    (void)state;
    begin("time,value");
    for (unsigned i = 0; i < 200; i++) put("%u,%.6f\n", i, normal());
    glia_survey *s = survey(NULL);
    assert_found(s, GLIA_FINDING_IDENTIFIER, "time", "a time");
    assert_false(column(s, "time")->drop);
    assert_true(s->can_train);
    glia_survey_free(s);
}

static void test_order(void **state)
{
    (void)state;
    begin("id,leak,c,y");
    for (unsigned i = 0; i < 200; i++) {
        const unsigned y = below(2);
        put("%u,%u,5,%u\n", i, y, y);
    }
    glia_survey *s = survey(NULL);
    assert_true(s->n_findings >= 3);
    for (size_t i = 1; i < s->n_findings; i++)
        assert_true(glia_survey_finding(s, i - 1)->severity <= glia_survey_finding(s, i)->severity);
    assert_int_equal(glia_survey_finding(s, 0)->kind, GLIA_FINDING_LEAK);
    assert_string_equal(glia_finding_name(glia_survey_finding(s, 0)->kind), "leak");
    glia_survey_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_describes),
        cmocka_unit_test(test_roles),
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_clean_values),
        cmocka_unit_test(test_clean_pixels),
        cmocka_unit_test(test_not_a_table),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_of_a_dataset),
        cmocka_unit_test(test_left_out_numbers),
        cmocka_unit_test(test_bad_rows),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_contradictions),
        cmocka_unit_test(test_duplicates_but_for_an_identifier),
        cmocka_unit_test(test_duplicates_of_many),
        cmocka_unit_test(test_few_rows),
        cmocka_unit_test(test_identifiers),
        cmocka_unit_test(test_why_ignored),
        cmocka_unit_test(test_advice_quotes_names),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_many_texts),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_outlier),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_looks),
        cmocka_unit_test(test_numbers_as_text),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_leak_of_classes),
        cmocka_unit_test(test_leak_of_values),
        cmocka_unit_test(test_target_missing),
        cmocka_unit_test(test_target_unique),
        cmocka_unit_test(test_target_name),
        cmocka_unit_test(test_unusable),
        cmocka_unit_test(test_balance),
        cmocka_unit_test(test_nothing_left),
        cmocka_unit_test(test_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
