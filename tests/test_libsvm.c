/* SPDX-License-Identifier: MIT */
/*
 * Tests of sparse text: what lines become, what labels are taken for, files that are read like a
 * network's, and each rule as a line of a table of malformed ones.
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
#include <unistd.h>

#include "assert_error.h"
#include "data/encoding/encoding.h"
#include "data/files/libsvm.h"
#include "data/set/dataset.h"
#include "shape.h"
#include "whole.h"

/* Parses a copy of exactly the size, so that AddressSanitizer sees a step beyond its end. */
static glia_status parse(const char *text, size_t size, glia_loss loss, const gi_reading *like,
                         glia_dataset **out, glia_error *error)
{
    uint8_t *exact = malloc(size ? size : 1);
    if (size) memcpy(exact, text, size);
    const glia_status status = gi_libsvm_parse("a1a", "a1a", exact, size, loss, like, out, error);
    free(exact);
    return status;
}

static glia_dataset *must_parse(const char *text, glia_loss loss, const gi_reading *like)
{
    glia_error error = {0};
    glia_dataset *dataset = NULL;
    if (parse(text, strlen(text), loss, like, &dataset, &error) != GLIA_OK)
        fail_msg("%s", error.message);
    return dataset;
}

/* Features of a sample, which there are n of. */
static void assert_features(const glia_dataset *dataset, size_t index, const float *x, size_t n)
{
    float found[16];
    assert_int_equal(glia_dataset_describe(dataset).features, n);
    assert_int_equal(whole_sample(dataset, index, found, NULL, NULL), GLIA_OK);
    for (size_t i = 0; i < n; i++)
        if (!(found[i] == x[i]))
            fail_msg("sample %zu, feature %zu: %g", index, i, (double)found[i]);
}

static void test_classes(void **state)
{
    (void)state;
    glia_dataset *dataset = must_parse("# made by hand\n"
                                       "+1 1:0.5 3:-2e0 \n"
                                       "-1\t2:1 # a comment 7:7\r\n"
                                       "\n"
                                       "-1\n"
                                       "  1 4:.25",
                                       GLIA_LOSS_AUTO, NULL);
    const glia_dataset_info info = glia_dataset_describe(dataset);
    assert_int_equal(info.type, GLIA_TYPE_F32);
    assert_int_equal(info.task, GLIA_TASK_CLASSES);
    assert_int_equal(info.samples, 4);
    assert_int_equal(info.classes, 2);
    assert_string_equal(glia_dataset_class_name(dataset, 0), "-1");
    assert_string_equal(glia_dataset_class_name(dataset, 1), "1");
    assert_features(dataset, 0, (const float[]){0.5F, 0, -2, 0}, 4);
    assert_features(dataset, 1, (const float[]){0, 1, 0, 0}, 4);
    assert_features(dataset, 2, (const float[]){0, 0, 0, 0}, 4);
    assert_features(dataset, 3, (const float[]){0, 0, 0, 0.25F}, 4);
    const uint32_t labels[] = {1, 0, 0, 1};
    for (size_t i = 0; i < 4; i++) assert_int_equal(gi_dataset_label(dataset, i), labels[i]);
    assert_non_null(strstr(glia_dataset_notes(dataset), "indices from 1 to 4"));

    /* Parts share it, and outlive it. */
    glia_dataset *rest = NULL, *held = NULL;
    const uint32_t whole = gi_dataset_checksum(dataset);
    assert_int_equal(glia_dataset_hold_out(dataset, 2, 1, &rest, &held, NULL), GLIA_OK);
    assert_int_equal(glia_dataset_describe(held).features, 4);
    assert_int_not_equal(gi_dataset_checksum(held), whole);
    glia_dataset_free(rest);
    glia_dataset_free(held);
    glia_dataset_free(dataset);

    dataset = must_parse("1 1:0.5 3:-2.5\n-1 2:1\n-1\n1 4:.25", GLIA_LOSS_AUTO, NULL);
    assert_int_not_equal(gi_dataset_checksum(dataset), whole); /* one number is another */
    glia_dataset_free(dataset);
}

static void test_from_zero(void **state)
{
    (void)state;
    glia_dataset *dataset = must_parse("0 0:1 2:3\n1 1:2\n0\n1", GLIA_LOSS_AUTO, NULL);
    assert_features(dataset, 0, (const float[]){1, 0, 3}, 3);
    assert_features(dataset, 1, (const float[]){0, 2, 0}, 3);
    assert_true(gi_dataset_reading(dataset).from_zero);
    /* A file without a 0 is read the same way. */
    const gi_reading like = gi_dataset_reading(dataset);
    glia_dataset *other = must_parse("1 1:5 2:6\n", GLIA_LOSS_AUTO, &like);
    assert_features(other, 0, (const float[]){0, 5, 6}, 3);
    assert_int_equal(gi_dataset_label(other, 0), 1);
    glia_dataset_free(other);
    glia_dataset_free(dataset);
}

static void test_values(void **state)
{
    (void)state;
    static const struct {
        const char *label, *text;
        glia_loss loss;
    } cases[] = {
        {"fractions", "1.5 1:1\n2.5 1:2\n1.5 1:3\n2.5 1:4\n", GLIA_LOSS_AUTO},
        {"each its own", "1.5 1:1\n2 1:2\n3 1:3\n4 1:4\n", GLIA_LOSS_AUTO},
        {"as asked", "1.5 1:1\n2 1:2\n2 1:3\n2 1:4\n", GLIA_LOSS_MSE},
        {"as asked, mae", "1.5 1:1\n2 1:2\n2 1:3\n2 1:4\n", GLIA_LOSS_MAE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        glia_dataset *dataset = must_parse(cases[i].text, cases[i].loss, NULL);
        assert_int_equal(glia_dataset_describe(dataset).task, GLIA_TASK_VALUES);
        assert_int_equal(glia_dataset_describe(dataset).classes, 1);
        double target;
        gi_dataset_targets(dataset, 0, 0, 1, &target);
        assert_true(target == 1.5);
        assert_features(dataset, 3, (const float[]){4}, 1);
        glia_dataset_free(dataset);
    }
}

static void test_labels(void **state)
{
    (void)state;
    glia_dataset *dataset = must_parse("1,10 1:1\n 2:1\n2 3:1\n1,2,10\n", GLIA_LOSS_AUTO, NULL);
    const glia_dataset_info info = glia_dataset_describe(dataset);
    assert_int_equal(info.task, GLIA_TASK_LABELS);
    assert_int_equal(info.classes, 3);
    assert_string_equal(glia_dataset_class_name(dataset, 1), "2");
    assert_string_equal(glia_dataset_class_name(dataset, 2), "10");
    const double expected[4][3] = {{1, 0, 1}, {0, 0, 0}, {0, 1, 0}, {1, 1, 1}};
    for (size_t i = 0; i < 4; i++) {
        double targets[3];
        gi_dataset_targets(dataset, i, 0, 3, targets);
        assert_memory_equal(targets, expected[i], sizeof targets);
    }
    assert_features(dataset, 1, (const float[]){0, 1, 0}, 3);
    const gi_reading like = gi_dataset_reading(dataset);
    glia_dataset *other = must_parse("10 1:1\n", GLIA_LOSS_AUTO, &like);
    double targets[3];
    gi_dataset_targets(other, 0, 0, 3, targets);
    assert_true(targets[0] == 0 && targets[1] == 0 && targets[2] == 1);
    gi_dataset_targets(other, 0, 2, 1, targets);
    assert_true(targets[0] == 1);
    glia_dataset_free(other);
    glia_dataset_free(dataset);
}

/* Files to test on, or to predict. */
static void test_read_alike(void **state)
{
    (void)state;
    glia_dataset *train = must_parse("3 1:1\n7 5:1\n3 2:1\n7 2:1\n", GLIA_LOSS_AUTO, NULL);
    const gi_reading like = gi_dataset_reading(train);
    glia_dataset *test = must_parse("7 2:1\n", GLIA_LOSS_AUTO, &like);
    assert_int_equal(glia_dataset_describe(test).features, 5);
    assert_int_equal(glia_dataset_describe(test).classes, 2);
    assert_int_equal(gi_dataset_label(test, 0), 1);
    glia_dataset_free(test);
    static const struct {
        const char *label, *text;
        glia_status status;
        const char *word1, *word2;
    } cases[] = {
        {"wider", "3 6:1\n", GLIA_MISMATCH, "indices up to 6", "at most 5"},
        {"no label", " 1:1\n 2:1\n", GLIA_BAD_FORMAT, "found no label", "XGBoost's LABEL:WEIGHT"},
        {"from 0", "3 0:1\n", GLIA_MISMATCH, "the index 0", "from 1"},
        {"a new class", "5 1:1\n3 1:1\n", GLIA_MISMATCH, "the label 5", "3 to 7"},
        {"several", "3,7 1:1\n", GLIA_BAD_FORMAT, "several labels", "one a sample"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        glia_error error = {0};
        glia_dataset *dataset = NULL;
        assert_error(
            cases[i].label,
            parse(cases[i].text, strlen(cases[i].text), GLIA_LOSS_AUTO, &like, &dataset, &error),
            cases[i].status, &error, cases[i].word1, cases[i].word2);
    }
    /* A feature that the training data have not is left out, and counted. */
    test = must_parse("7 2:4 6:1\n3 1:1 2:1 3:1\n", GLIA_LOSS_AUTO, &like);
    assert_features(test, 0, (const float[]){0, 4, 0, 0, 0}, 5);
    assert_features(test, 1, (const float[]){1, 1, 1, 0, 0}, 5);
    assert_non_null(strstr(glia_dataset_notes(test), "; 1 value of features that the training"));
    glia_dataset_free(test);
    glia_dataset_free(train);
}

/* What is to be predicted may have any labels, or none. */
static void test_predicted(void **state)
{
    (void)state;
    static const char *const texts[] = {"0 1:2\n0 5:1\n", "1:2\n5:1\n",      "? 1:2\nspam 5:1",
                                        "3 1:2\n7 5:1\n", "1,2 1:2\n 5:1\n", "nan 1:2\n1, 4 5:1"};
    static const char *const of_train[] = {"3 1:1\n7 5:1\n3 2:1\n7 2:1\n",
                                           "1.5 1:1\n7 5:1\n3 2:1\n7 2:1\n",
                                           "3 1:1\n7,3 5:1\n3 2:1\n7 2:1\n"};
    for (size_t k = 0; k < 3; k++) {
        glia_dataset *train = must_parse(of_train[k], GLIA_LOSS_AUTO, NULL);
        gi_reading like = gi_dataset_reading(train);
        like.ignores_targets = true;
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
            glia_dataset *rows = must_parse(texts[i], GLIA_LOSS_AUTO, &like);
            assert_int_equal(glia_dataset_describe(rows).samples, 2);
            assert_int_equal(glia_dataset_describe(rows).task, like.task);
            assert_features(rows, 0, (const float[]){2, 0, 0, 0, 0}, 5);
            assert_features(rows, 1, (const float[]){0, 0, 0, 0, 1}, 5);
            assert_true(rows->is_unlabelled);
            glia_dataset_free(rows);
        }
        glia_dataset_free(train);
    }
}

/* Blanks after commas, and samples that have neither label nor feature. */
static void test_blanks(void **state)
{
    (void)state;
    glia_dataset *dataset = must_parse("\xEF\xBB\xBF"
                                       "1, 4 1:0.5\n \n\n4 ,7 2:1\r\n\r\n 3:1\n\t\n",
                                       GLIA_LOSS_AUTO, NULL);
    const double expected[5][3] = {{1, 1, 0}, {0, 0, 0}, {0, 1, 1}, {0, 0, 0}, {0, 0, 0}};
    assert_int_equal(glia_dataset_describe(dataset).samples, 5);
    assert_int_equal(glia_dataset_describe(dataset).task, GLIA_TASK_LABELS);
    for (size_t i = 0; i < 5; i++) {
        double targets[3];
        gi_dataset_targets(dataset, i, 0, 3, targets);
        assert_memory_equal(targets, expected[i], sizeof targets);
    }
    assert_features(dataset, 0, (const float[]){0.5F, 0, 0}, 3);
    assert_features(dataset, 1, (const float[]){0, 0, 0}, 3);
    assert_features(dataset, 3, (const float[]){0, 0, 1}, 3);
    gi_reading like = gi_dataset_reading(dataset);
    like.ignores_targets = true;
    glia_dataset *rows = must_parse(" 2:1\n \n 1:1\n", GLIA_LOSS_AUTO, &like);
    assert_features(rows, 1, (const float[]){0, 0, 0}, 3);
    assert_features(rows, 2, (const float[]){1, 0, 0}, 3);
    glia_dataset_free(rows);
    glia_dataset_free(dataset);

    /* Where every sample has a label, a line of blanks is none. */
    dataset = must_parse("1 1:1\n \n2 1:2\n1\n2\n  ", GLIA_LOSS_AUTO, NULL);
    assert_int_equal(glia_dataset_describe(dataset).samples, 4);
    like = gi_dataset_reading(dataset);
    like.ignores_targets = true; /* nor where the labels are there and not looked at */
    rows = must_parse("1 1:1\n \n2 1:2\n  ", GLIA_LOSS_AUTO, &like);
    assert_int_equal(glia_dataset_describe(rows).samples, 2);
    glia_dataset_free(rows);
    glia_dataset_free(dataset);

    /* Where labels are learned each for itself, it is one, whether the file is read first or like
     * another. */
    dataset = must_parse(" 1\n ", GLIA_LOSS_BCE, NULL);
    assert_int_equal(glia_dataset_describe(dataset).samples, 2);
    like = gi_dataset_reading(dataset);
    rows = must_parse(" 1\n ", GLIA_LOSS_BCE, &like);
    assert_int_equal(glia_dataset_describe(rows).samples, 2);
    glia_dataset_free(rows);
    glia_dataset_free(dataset);
}

/* A survey says what was read, and that values are large. */
static void test_survey(void **state)
{
    (void)state;
    static const struct {
        const char *text, *word; /* of its one finding; NULL: there is none */
    } cases[] = {
        {"1 1:0.5 2:-1\n0 2:1\n1 1:0.25\n0 1:1\n1 2:1\n0 1:1\n1 1:1\n0 1:1\n1 2:1\n0 2:1\n", NULL},
        {"1 1:0.5 2:-1\n0 2:1.7e9\n1 1:0.25\n0 1:1\n1 2:1\n0 1:1\n1 1:1\n0 1:1\n1 2:1\n0 2:1\n",
         "feature 2 has values of 5.38e+08"},
    };
    char path[] = "/tmp/glia-test-XXXXXX";
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
    for (size_t i = 0; i < 2; i++) {
        FILE *file = fopen(path, "w");
        fputs(cases[i].text, file);
        fclose(file);
        glia_survey *survey = NULL;
        glia_error error = {0};
        assert_error("survey", glia_survey_make(path, NULL, &survey, &error), GLIA_OK, &error, NULL,
                     NULL);
        assert_non_null(strstr(survey->how, "sparse text, indices from 1 to 2"));
        assert_non_null(strstr(survey->task_note, "labels are classes"));
        size_t n = 0;
        for (size_t k = 0; k < survey->n_findings; k++)
            if (glia_survey_finding(survey, k)->kind == GLIA_FINDING_UNSCALED) {
                n++;
                assert_true(cases[i].word &&
                            strstr(glia_survey_finding(survey, k)->message, cases[i].word));
            }
        assert_int_equal(n, cases[i].word != NULL);
        glia_survey_free(survey);
    }
    unlink(path);
}

/* Numbers of queries are left out. */
static void test_queries(void **state)
{
    (void)state;
    glia_dataset *dataset = must_parse("1.5 qid:1 1:1 2:2\n3 qid:1\n", GLIA_LOSS_AUTO, NULL);
    assert_features(dataset, 0, (const float[]){1, 2}, 2);
    assert_features(dataset, 1, (const float[]){0, 0}, 2);
    assert_non_null(strstr(glia_dataset_notes(dataset), "; query numbers (qid) were left out"));
    glia_dataset_free(dataset);
}

static void test_malformed(void **state)
{
    (void)state;
#define TEXT(string) string, sizeof string - 1
    static const struct {
        const char *label, *text;
        size_t size;
        glia_loss loss;
        const char *word1, *word2;
    } cases[] = {
        {"empty", TEXT(""), 0, "no sample", "LABEL INDEX:VALUE"},
        {"comments alone", TEXT("# a\n\n  # b\n"), 0, "no sample", NULL},
        {"a zero byte", TEXT("1 1:1\n1 \0 2:1\n"), 0, "byte 8", "a zero byte"},
        {"a word as label", TEXT("1 1:1\nyes 1:1\n"), 0, "line 2: found \"yes\"", "as the label"},
        {"nan as label", TEXT("nan 1:1\n"), 0, "line 1: found \"nan\"", "as the label"},
        {"an empty label", TEXT("1,,2 1:1\n"), 0, "\"1,,2\"", "commas"},
        {"a comma at the end", TEXT("1, 1:1\n"), 0, "\"1, 1:1\"", "commas"},
        {"a huge label", TEXT("1e999 1:1\n"), 0, "\"1e999\"", "a number"},
        {"no colon", TEXT("1 1:1\n1 2:1 3\n"), 0, "line 2: found \"3\"", "such as 17:0.5"},
        {"no index", TEXT("1 :5\n"), 0, "\":5\"", "such as 17:0.5"},
        {"no value", TEXT("1 5:\n"), 0, "\"5:\"", "as the value"},
        {"a word as value", TEXT("1 5:five\n"), 0, "\"5:five\"", "as the value"},
        {"nan as value", TEXT("1 5:nan\n"), 0, "\"5:nan\"", "as the value"},
        {"inf as value", TEXT("1 5:inf\n"), 0, "\"5:inf\"", "as the value"},
        {"a comma as point", TEXT("1 5:0,5\n"), 0, "\"5:0,5\"", "as the value"},
        {"past a float", TEXT("1 5:1e39\n"), 0, "\"5:1e39\"", "3.4e38"},
        {"past a double", TEXT("1 5:1e400\n"), 0, "\"5:1e400\"", "3.4e38"},
        {"two colons", TEXT("1 5:1:2\n"), 0, "\"5:1:2\"", "as the value"},
        {"a negative index", TEXT("1 -5:1\n"), 0, "\"-5:1\"", "whole number as the index"},
        {"a fraction as index", TEXT("1 1.5:1\n"), 0, "\"1.5:1\"", "whole number as the index"},
        {"a name as index", TEXT("1 age:1\n"), 0, "\"age:1\"", "whole number as the index"},
        {"a huge index", TEXT("1 1048577:1\n"), 0, "the index 1048577", "at most 1048576"},
        {"past all integers", TEXT("1 99999999999999999999999:1\n"), 0,
         "the index 99999999999999999999", "1048576"},
        {"from 0 to the end", TEXT("1 0:1 1048576:1\n2\n1\n2\n"), 0, "the index 1048576",
         "at most 1048575"},
        {"falling", TEXT("1 1:1\n\n1 2:1 1:1\n"), 0, "line 3: found the index 1 after 2", "ascend"},
        {"twice", TEXT("1 2:1 2:1\n"), 0, "the index 2 after 2", "sort them"},
        {"a query after pairs", TEXT("1 1:1 qid:3\n"), 0, "\"qid:3\"", "as the index"},
        {"a long token", TEXT("1 1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"), 0,
         "aaaa...", "as the value"},
        {"one class", TEXT("1 1:1\n1 1:2\n1\n1\n"), 0, "1 different label,", "2 to 65536"},
        {"fractions as classes", TEXT("1.5 1:1\n2 1:2\n"), GLIA_LOSS_CROSS_ENTROPY, "no whole",
         "name classes"},
        {"fractions as labels", TEXT("1.5,2 1:1\n2 1:2\n"), GLIA_LOSS_AUTO, "no whole",
         "name labels"},
        {"several as classes", TEXT("1,2 1:1\n2 1:2\n"), GLIA_LOSS_CROSS_ENTROPY,
         "several labels or none", "setting loss=bce"},
        {"none as values", TEXT("1 1:1\n 2:2\n"), GLIA_LOSS_HUBER, "several labels or none", NULL},
        {"no label", TEXT("1:0.5 2:1\n2:2\n"), 0, "found no label", "XGBoost's LABEL:WEIGHT"},
        {"label and weight", TEXT("1:0.5 0:1\n0:1 1:2\n"), 0, "line 1: found the index 0 after 1",
         "XGBoost's LABEL:WEIGHT"},
        {"a long label", TEXT("1582218195625938944 1:1\n1582218195625938945 1:2\n"), 0,
         "more than 15 digits", "number the classes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        glia_error error = {0};
        glia_dataset *dataset = NULL;
        assert_error(cases[i].label,
                     parse(cases[i].text, cases[i].size, cases[i].loss, NULL, &dataset, &error),
                     GLIA_BAD_FORMAT, &error, cases[i].word1, cases[i].word2);
        assert_memory_equal(error.message, "a1a", 3);
    }
}

static void test_recognised(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is;
    } cases[] = {
        {"1 1:2", true},
        {"-1 3:1 11:1\n", true},
        {"# a\n\n+1 1:2\n", true},
        {"1,2 1:2\n", true},
        {" 1:2 2:3\n", true},
        {"1.5 qid:1 1:2\n", true},
        {"", false},
        {"1\n", false},
        {"1 2 3\n", false},
        {"a,b\n1,2\n", false},
        {"x 1:2\n", false},
        {"1 a:2\n", false},
        {"1 1:2 3\n", false},
        {"12:30,1\n", false},
        {"# only\n", false},
        {"time value\n1:2", false},
        /* Many lines decide. */
        {"0 \n1 0:1 1:1\n0 1:2\n", true},
        {"0\n1\n0\n1 0:1 1:1\n", true},
        {"\xEF\xBB\xBF"
         "1 1:0.12 3:0.5\n",
         true},
        {"1, 4 1:0.5\n2 3:1\n", true},
        {"1 , 4 1:0.5\n", true},
        {"1:0.5 3:1\n2:1\n", true},
        {"1 1:1\nyes 1:1\n", true}, /* one that is malformed is to be told of */
        {"15539 5000 3993\n1,2 3:4.5\n2 3:1\n1 1:1\n1 2:1\n1 2:1\n1 2:1\n1 2:1\n1 2:1\n1 2:1\n1 "
         "2:1\n",
         true},
        {"1 5:nan\n1 5:inf 6:1\n", true},
        {"0 0:1\n1 1:1\n2 2:1\n3 3:1\n4 4:1\n5 5:1\n", true}, /* one of many, as often */
        {"1 1:5\n2 1:7\n1 1:8\n1 1:9\n0 1:4\n", true},        /* one feature */
        {"1\t1:0.5\t2:1\n0\t1:0.1\t2:0\n", true},
        {"1::1193::5::978300760\n1::661::3::978302109\n", false},
        {"3\t3:2\n1\t2:1\n2\t0:0\n", false},
        {"3 3:2\n1 2:1\n2 0:0\n2 1:1\n4 2:3\n", false},
        {"5 09:30\n6 10:45\n", false},
        {"5 9:05\n6 10:45\n", false},
        {"5\t9:30\t10:15\n6\t10:45\t11:20\n", false},
        {"5 9:30:10\n6 10:45:00\n", false},
        {"a b\n3 3:2\n1 2:1\n2 0:0\n4 1:2\n2 2:1\n1 2:1\n1 2:1\n1 2:1\n1 2:1\n1 2:1\n", false},
        {"1,2,10:30\n3,4,11:45\n", false},
        {"key:value\nother:3\n", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (gi_libsvm_is((const uint8_t *)cases[i].text, strlen(cases[i].text)) != cases[i].is)
            fail_msg("\"%s\" is %sexpected to be sparse text", cases[i].text,
                     cases[i].is ? "" : "not ");
}

/* What a file is, by its name and its content. */
static void test_files(void **state)
{
    (void)state;
    static const char sparse[] = "1 1:0.5 2:1\n0 2:1\n", ratios[] = "a\tb\n3\t3:2\n1\t2:1\n";
    static const struct {
        const char *name, *content;
        bool packed;
        char separator;
        glia_file_kind kind;
    } cases[] = {
        {"a1a", sparse, false, 0, GLIA_FILE_SPARSE},
        {"a1a.t", sparse, false, ' ', GLIA_FILE_VALUES},
        {"a1a.gz", sparse, true, 0, GLIA_FILE_SPARSE},
        {"b.tsv", sparse, false, 0, GLIA_FILE_VALUES},
        {"b.csv.gz", sparse, true, 0, GLIA_FILE_VALUES},
        {"c.txt", ratios, false, 0, GLIA_FILE_VALUES},
        {"c.txt.gz", ratios, true, 0, GLIA_FILE_VALUES},
        {"d.libsvm", ratios, false, 0, GLIA_FILE_SPARSE},
        {"d.SVM.gz", sparse, true, 0, GLIA_FILE_SPARSE},
        {"e.npz", sparse, false, ',', GLIA_FILE_ARRAYS},
        {"f", "P5 2 2 255 abcd", false, 0, GLIA_FILE_IMAGE},
        {"g", "\x89PNG\r\n", false, 0, GLIA_FILE_IMAGE},
        {"h", "", false, 0, GLIA_FILE_VALUES},
    };
    char folder[] = "/tmp/glia-test-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t packed[256];
        const void *content = cases[i].content;
        size_t n = strlen(cases[i].content);
        if (cases[i].packed) {
            struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(6);
            n = libdeflate_gzip_compress(compressor, content, n, packed, sizeof packed);
            libdeflate_free_compressor(compressor);
            content = packed;
        }
        snprintf(path, sizeof path, "%s/%s", folder, cases[i].name);
        FILE *file = fopen(path, "wb");
        fwrite(content, 1, n, file);
        fclose(file);
        const glia_data_params params = {.table.separator = cases[i].separator};
        if (glia_file_kind_of(path, &params) != cases[i].kind)
            fail_msg("%s: kind %d", cases[i].name, (int)glia_file_kind_of(path, &params));
        if (cases[i].content == sparse && cases[i].kind == GLIA_FILE_SPARSE) {
            glia_dataset *set = NULL;
            glia_error error = {0};
            const glia_data_params mse = {.table.loss = GLIA_LOSS_MSE};
            assert_error(cases[i].name,
                         glia_dataset_open(path, GLIA_SPLIT_TRAIN, &mse, &set, &error), GLIA_OK,
                         &error, NULL, NULL);
            assert_features(set, 0, (const float[]){0.5F, 1}, 2);
            glia_dataset_free(set);
        }
        unlink(path);
    }
    assert_int_equal(glia_file_kind_of(folder, NULL), GLIA_FILE_NONE);
    rmdir(folder);
    assert_int_equal(glia_file_kind_of(folder, NULL), GLIA_FILE_NONE);
    assert_int_equal(glia_file_kind_of("-", NULL), GLIA_FILE_VALUES);
}

/* The whole way: a model that learned from such a file reads another by its own classes. */
static void test_network(void **state)
{
    (void)state;
    char folder[] = "/tmp/glia-test-XXXXXX", train[64], test[64], model[64];
    assert_non_null(mkdtemp(folder));
    snprintf(train, sizeof train, "%s/train", folder);
    snprintf(test, sizeof test, "%s/test", folder);
    snprintf(model, sizeof model, "%s/m", folder);
    FILE *file = fopen(train, "w");
    for (int i = 0; i < 40; i++) fprintf(file, "%d %d:1\n", i % 2 ? 5 : -5, i % 2 * 2);
    fclose(file);
    file = fopen(test, "w");
    fprintf(file, "5 2:1\n");
    fclose(file);

    glia_error error = {0};
    glia_dataset *set = NULL, *other = NULL;
    assert_error("open", glia_dataset_open(train, GLIA_SPLIT_TRAIN, NULL, &set, &error), GLIA_OK,
                 &error, NULL, NULL);
    const glia_dataset_info info = glia_dataset_describe(set);
    assert_int_equal(info.features, 3);
    shape how = shape_of(info.features, info.classes);
    glia_network *network = NULL, *loaded = NULL;
    assert_int_equal(shape_network(&how, &network, &error), GLIA_OK);
    assert_error("train", glia_train(network, set, NULL, NULL, NULL, &error), GLIA_OK, &error, NULL,
                 NULL);
    assert_int_equal(glia_network_save(network, model, &error), GLIA_OK);
    assert_error("load", glia_network_load(model, &loaded, &error), GLIA_OK, &error, NULL, NULL);
    assert_error("open for",
                 glia_dataset_open_for(loaded, test, GLIA_SPLIT_TEST, NULL, &other, &error),
                 GLIA_OK, &error, NULL, NULL);
    glia_metrics metrics;
    assert_error("evaluate", whole_evaluate(loaded, other, 1, &metrics, NULL, &error), GLIA_OK,
                 &error, NULL, NULL);
    assert_int_equal(metrics.samples, 1);
    assert_true(metrics.accuracy == 1); /* by class 1, "5", and with indices from 0 */
    glia_dataset_free(other);
    const glia_data_params like = {.like = set, .seed = 1};
    assert_error("like", glia_dataset_open(test, GLIA_SPLIT_TRAIN, &like, &other, &error), GLIA_OK,
                 &error, NULL, NULL);
    assert_int_equal(gi_dataset_label(other, 0), 1);
    glia_dataset_free(other);
    glia_dataset_free(set);
    glia_network_free(network);
    glia_network_free(loaded);
    unlink(train);
    unlink(test);
    unlink(model);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),    cmocka_unit_test(test_from_zero),
        cmocka_unit_test(test_values),     cmocka_unit_test(test_labels),
        cmocka_unit_test(test_read_alike), cmocka_unit_test(test_predicted),
        cmocka_unit_test(test_blanks),     cmocka_unit_test(test_files),
        cmocka_unit_test(test_malformed),  cmocka_unit_test(test_queries),
        cmocka_unit_test(test_survey),     cmocka_unit_test(test_recognised),
        cmocka_unit_test(test_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
