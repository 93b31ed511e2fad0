/* SPDX-License-Identifier: MIT */
/* Samples from functions of the caller: what is learned from them, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "assert_error.h"
#include "glia.h"

enum { ROWS = 96, FEATURES = 40, CLASSES = 3, TARGETS = 2, MOST = 5, UNITS = 16 };

/* The same samples as arrays, which the functions below read. */
typedef struct samples {
    float x[ROWS][FEATURES]; /* mostly zeros */
    uint32_t labels[ROWS];
    double targets[ROWS][TARGETS];
    int n_freed;
} samples;

static samples known;

static void make_samples(void)
{
    uint32_t state = 7;
    memset(&known, 0, sizeof known);
    for (size_t i = 0; i < ROWS; i++) {
        known.labels[i] = (uint32_t)(i % CLASSES);
        for (size_t k = 0; k < MOST - i % 2; k++) {
            state = state * 1664525U + 1013904223U;
            const size_t j = (state >> 16) % FEATURES;
            known.x[i][j] = j % CLASSES == known.labels[i] ? 1.5F : -0.25F;
            known.targets[i][k % TARGETS] += (double)known.x[i][j];
        }
    }
}

static void read_dense(void *user, size_t row, void *x)
{
    memcpy(x, ((samples *)user)->x[row], sizeof known.x[row]);
}

static size_t read_sparse(void *user, size_t row, uint32_t *index, float *value)
{
    const samples *s = user;
    size_t n = 0;
    for (uint32_t j = 0; j < FEATURES; j++) {
        if (s->x[row][j] == 0) continue;
        index[n] = j;
        value[n++] = s->x[row][j];
    }
    return n;
}

static uint32_t label(void *user, size_t row)
{
    return ((samples *)user)->labels[row];
}

static void targets(void *user, size_t row, size_t first, size_t n, double *values)
{
    memcpy(values, ((samples *)user)->targets[row] + first, n * sizeof *values);
}

static void count_free(void *user)
{
    ((samples *)user)->n_freed++;
}

static glia_row_source source_of(bool is_sparse, glia_task task)
{
    make_samples();
    return (glia_row_source){.samples = ROWS,
                             .features = FEATURES,
                             .outputs = task == GLIA_TASK_CLASSES ? CLASSES : TARGETS,
                             .task = task,
                             .type = GLIA_TYPE_F32,
                             .read = is_sparse ? NULL : read_dense,
                             .read_sparse = is_sparse ? read_sparse : NULL,
                             .most_nonzeros = MOST,
                             .label = task == GLIA_TASK_CLASSES ? label : NULL,
                             .targets = task == GLIA_TASK_CLASSES ? NULL : targets,
                             .free = count_free,
                             .user = &known};
}

static glia_dataset *open(const glia_row_source *source)
{
    glia_error error = {0};
    glia_dataset *dataset = NULL;
    if (glia_dataset_from_rows(source, &dataset, &error)) fail_msg("%s", error.message);
    return dataset;
}

/* The first layer's weights after a training, which may skip zeros or not, on two threads. */
static void learn(const glia_dataset *dataset, const char *how, float weights[UNITS * FEATURES],
                  glia_metrics *metrics)
{
    glia_error error = {0};
    glia_settings *settings;
    glia_network *network;
    glia_dataset *rest, *held;
    const glia_dataset_info info = glia_dataset_describe(dataset);
    assert_int_equal(glia_settings_create(&settings, &error), GLIA_OK);
    assert_int_equal(glia_settings_parse(settings, how, &error), GLIA_OK);
    if (glia_dataset_hold_out(dataset, 0.25, 3, &rest, &held, &error))
        fail_msg("%s", error.message);
    assert_int_equal(glia_network_create(info.features, info.classes, settings, &network, &error),
                     GLIA_OK);
    if (glia_train(network, rest, held, settings, NULL, &error)) fail_msg("%s", error.message);
    if (glia_evaluate(network, held, 2, metrics, NULL, 0, &error)) fail_msg("%s", error.message);
    assert_int_equal(glia_network_get_layer(network, 0, weights, UNITS * FEATURES, NULL, 0, &error),
                     GLIA_OK);
    glia_network_free(network);
    glia_dataset_free(rest);
    glia_dataset_free(held);
    glia_settings_free(settings);
}

/* To the bit what is learned from the same samples in arrays; freed once, after the last part. */
static void test_learned(void **state)
{
    (void)state;
    static const char *const hows[] = {
        "hidden=16 epochs=3 lr=0.1 batch=1 standardise=no",
        "hidden=16 epochs=3 lr=0.1 batch=8 threads=2 standardise=no",
        "hidden=16 epochs=3 lr=0.1 batch=8 threads=2 standardise=yes",
        "hidden=16 epochs=3 lr=0.1 batch=8 engine=reference input-dropout=0.2 standardise=no",
    };
    for (size_t h = 0; h < 2 * sizeof hows / sizeof hows[0]; h++) {
        const glia_task task = h % 2 ? GLIA_TASK_VALUES : GLIA_TASK_CLASSES;
        char how[120] = "loss=mse ";
        strcpy(how + (h % 2 ? strlen(how) : 0), hows[h / 2]);
        static float expected[UNITS * FEATURES], found[UNITS * FEATURES];
        glia_metrics metrics, metrics_found;
        glia_dataset *arrays;
        make_samples();
        if (task == GLIA_TASK_CLASSES)
            assert_int_equal(glia_dataset_from_arrays(GLIA_TYPE_F32, known.x, known.labels, ROWS,
                                                      FEATURES, CLASSES, &arrays, NULL),
                             GLIA_OK);
        else
            assert_int_equal(glia_dataset_from_targets_f64(GLIA_TYPE_F32, known.x, known.targets[0],
                                                           ROWS, FEATURES, TARGETS, task, &arrays,
                                                           NULL),
                             GLIA_OK);
        learn(arrays, how, expected, &metrics);
        glia_dataset_free(arrays);
        for (int is_sparse = 0; is_sparse < 2; is_sparse++) {
            const glia_row_source source = source_of(is_sparse, task);
            glia_dataset *dataset = open(&source);
            learn(dataset, how, found, &metrics_found);
            assert_memory_equal(found, expected, sizeof found);
            assert_true(metrics_found.loss == metrics.loss);
            assert_int_equal(known.n_freed, 0);
            glia_dataset_free(dataset);
            assert_int_equal(known.n_freed, 1);
        }
    }
}

/* A sample, its class, its targets. */
static void test_read(void **state)
{
    (void)state;
    for (int is_sparse = 0; is_sparse < 2; is_sparse++) {
        const glia_row_source source = source_of(is_sparse, GLIA_TASK_CLASSES);
        glia_dataset *dataset = open(&source);
        const glia_dataset_info info = glia_dataset_describe(dataset);
        assert_int_equal(info.samples, ROWS);
        assert_int_equal(info.features, FEATURES);
        assert_int_equal(info.classes, CLASSES);
        float x[FEATURES];
        uint32_t class;
        assert_int_equal(glia_dataset_sample(dataset, 5, x, FEATURES, &class, NULL), GLIA_OK);
        assert_memory_equal(x, known.x[5], sizeof x);
        assert_int_equal(class, known.labels[5]);
        glia_dataset_free(dataset);

        const glia_row_source values = source_of(is_sparse, GLIA_TASK_VALUES);
        double found[TARGETS];
        dataset = open(&values);
        assert_int_equal(glia_dataset_sample_targets_f64(dataset, 9, found, TARGETS, NULL),
                         GLIA_OK);
        assert_memory_equal(found, known.targets[9], sizeof found);
        glia_dataset_free(dataset);
    }
}

/* ---- What is refused ------------------------------------------------------------------------- */

static void assert_refused(const glia_row_source *source, const char *word)
{
    glia_error error = {0};
    glia_dataset *dataset = NULL;
    assert_error(word, glia_dataset_from_rows(source, &dataset, &error), GLIA_BAD_ARGUMENT, &error,
                 word, NULL);
    assert_null(dataset);
    assert_int_equal(known.n_freed, 0);
}

static size_t read_backwards(void *user, size_t row, uint32_t *index, float *value)
{
    const size_t n = read_sparse(user, row, index, value);
    if (row == 4) index[1] = index[0];
    return n;
}

static size_t read_beyond(void *user, size_t row, uint32_t *index, float *value)
{
    const size_t n = read_sparse(user, row, index, value);
    if (row == 4) index[n - 1] = FEATURES;
    return n;
}

static size_t read_many(void *user, size_t row, uint32_t *index, float *value)
{
    return read_sparse(user, row, index, value) + (row == 4 ? MOST : 0);
}

static void test_refused(void **state)
{
    (void)state;
    glia_row_source s = source_of(false, GLIA_TASK_CLASSES);
    s.read_sparse = read_sparse;
    assert_refused(&s, "read and read_sparse are both set");
    s.read = NULL;
    s.type = GLIA_TYPE_U8;
    assert_refused(&s, "type GLIA_TYPE_F32");
    s.type = GLIA_TYPE_F32;
    s.most_nonzeros = FEATURES + 1;
    assert_refused(&s, "most_nonzeros is 41, expected 1 to the number of features, 40");
    s.most_nonzeros = MOST;
    s.read_sparse = read_backwards;
    assert_refused(&s, "expected them to ascend");
    s.read_sparse = read_beyond;
    assert_refused(&s, "row 4 has the index 40, expected one below the number of features, 40");
    s.read_sparse = read_many;
    assert_refused(&s, "expected at most 5");
    s.label = NULL;
    assert_refused(&s, "label is NULL");
    s = source_of(false, GLIA_TASK_VALUES);
    s.targets = NULL;
    assert_refused(&s, "targets is NULL");
    s = source_of(false, GLIA_TASK_VALUES);
    known.targets[3][1] = NAN;
    assert_refused(&s, "row 3, target 1: found nan, expected a finite number");
    s = source_of(false, GLIA_TASK_CLASSES);
    known.labels[8] = CLASSES;
    assert_refused(&s, "label 3 of row 8");
    s = source_of(false, GLIA_TASK_CLASSES);
    known.x[2][7] = INFINITY;
    assert_refused(&s, "row 2, feature 7 is infinite");
    s.samples = 0;
    assert_refused(&s, "0 samples");
}

int main(void)
{
    const struct CMUnitTest tests_of_rows[] = {
        cmocka_unit_test(test_learned),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests_of_rows, NULL, NULL);
}
