/* SPDX-License-Identifier: MIT */
/* Arrays that are too short or too long are refused before anything is read or written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "assert_error.h"
#include "glia.h"

enum { N = 6, FEATURES = 4, CLASSES = 3, TARGETS = 2, UNITS = 5 };

static const float x[N * FEATURES] = {1, 0, 1, 0, 0, 1, 0, 1, 1, 1, 0, 0};
static const uint32_t labels[N] = {0, 1, 2, 0, 1, 2};
static const float targets[N * TARGETS] = {1, 2, 3};

static glia_network *make_network(void)
{
    glia_network *network = NULL;
    glia_settings *settings = NULL;
    assert_int_equal(glia_settings_create(&settings, NULL), GLIA_OK);
    assert_int_equal(glia_settings_parse(settings, "hidden=5 batch-norm=yes", NULL), GLIA_OK);
    assert_int_equal(glia_network_create(FEATURES, CLASSES, settings, &network, NULL), GLIA_OK);
    glia_settings_free(settings);
    return network;
}

/* Runs a call with each wrong length, `wrong`, in the place of the right one. */
#define REFUSED(right, word, call)                                                                 \
    for (size_t wrong = (right)-1; wrong <= (right) + 1; wrong += 2) {                             \
        glia_error error = {0};                                                                    \
        assert_error(#call, (call), GLIA_BAD_ARGUMENT, &error, word, "expected");                  \
    }

static void test_network(void **state)
{
    (void)state;
    glia_network *network = make_network();
    float weight[UNITS * FEATURES] = {0}, units[UNITS] = {0}, y[N * UNITS] = {0};
    double y_f64[N * CLASSES] = {0};
    REFUSED(UNITS * FEATURES, "weights",
            glia_network_get_layer(network, 0, weight, wrong, NULL, 0, &error));
    REFUSED(UNITS, "units",
            glia_network_get_layer(network, 0, weight, UNITS * FEATURES, units, wrong, &error));
    REFUSED(UNITS * FEATURES, "weights",
            glia_network_set_layer(network, 0, weight, wrong, units, UNITS, &error));
    REFUSED(UNITS, "units", glia_network_set_layer(network, 0, NULL, 0, units, wrong, &error));
    REFUSED(UNITS, "units",
            glia_network_get_norm(network, 0, units, NULL, NULL, NULL, wrong, &error));
    REFUSED(UNITS, "units",
            glia_network_set_norm(network, 0, NULL, units, NULL, NULL, wrong, &error));
    REFUSED(FEATURES, "inputs",
            glia_predict(network, GLIA_TYPE_F32, x, N, wrong, y, CLASSES, &error));
    REFUSED(CLASSES, "outputs",
            glia_predict(network, GLIA_TYPE_F32, x, N, FEATURES, y, wrong, &error));
    REFUSED(CLASSES, "outputs",
            glia_predict_f64(network, GLIA_TYPE_F32, x, N, FEATURES, y_f64, wrong, &error));
    REFUSED(FEATURES, "inputs",
            glia_network_activations(network, 0, GLIA_TYPE_F32, x, N, wrong, y, UNITS, &error));
    REFUSED(UNITS, "units",
            glia_network_activations(network, 0, GLIA_TYPE_F32, x, N, FEATURES, y, wrong, &error));
    glia_predictor *predictor = NULL;
    assert_int_equal(glia_predictor_create(network, NULL, &predictor, NULL), GLIA_OK);
    REFUSED(FEATURES, "inputs",
            glia_predictor_run(predictor, GLIA_TYPE_F32, x, N, wrong, y, CLASSES, &error));
    REFUSED(CLASSES, "outputs",
            glia_predictor_run_f64(predictor, GLIA_TYPE_F32, x, N, FEATURES, y_f64, wrong, &error));
    for (size_t i = 0; i < sizeof y / sizeof *y; i++) assert_true(y[i] == 0);
    for (size_t i = 0; i < sizeof y_f64 / sizeof *y_f64; i++) assert_true(y_f64[i] == 0);
    for (size_t i = 0; i < sizeof weight / sizeof *weight; i++) assert_true(weight[i] == 0);
    glia_predictor_free(predictor);
    glia_network_free(network);
}

static void test_dataset(void **state)
{
    (void)state;
    static const char *const names[CLASSES + 1] = {"a", "b", "c", "d"};
    static const float weights[N + 1] = {1, 1, 1, 1, 1, 1, 1};
    glia_network *network = make_network();
    glia_dataset *classes = NULL, *values = NULL;
    glia_metrics metrics;
    uint64_t confusion[(CLASSES + 1) * (CLASSES + 1)] = {0};
    float row[FEATURES] = {-1, -1, -1, -1}, target[TARGETS];
    double target_f64[TARGETS];
    assert_int_equal(
        glia_dataset_from_arrays(GLIA_TYPE_F32, x, labels, N, FEATURES, CLASSES, &classes, NULL),
        GLIA_OK);
    assert_int_equal(glia_dataset_from_targets(GLIA_TYPE_F32, x, targets, N, FEATURES, TARGETS,
                                               GLIA_TASK_VALUES, &values, NULL),
                     GLIA_OK);
    REFUSED(CLASSES, "names of classes",
            glia_dataset_set_class_names(classes, names, wrong, &error));
    assert_string_equal(glia_dataset_class_name(classes, 0), "0");
    REFUSED(N, "weights of samples", glia_dataset_set_weights(classes, weights, wrong, &error));
    REFUSED(FEATURES, "features", glia_dataset_sample(classes, 0, row, wrong, NULL, &error));
    assert_true(row[0] == -1);
    REFUSED(TARGETS, "targets", glia_dataset_sample_targets(values, 0, target, wrong, &error));
    REFUSED(TARGETS, "targets",
            glia_dataset_sample_targets_f64(values, 0, target_f64, wrong, &error));
    REFUSED(CLASSES, "classes",
            glia_evaluate(network, classes, 1, &metrics, confusion, wrong, &error));
    assert_int_equal(glia_evaluate(network, classes, 1, &metrics, confusion, CLASSES, NULL),
                     GLIA_OK);
    assert_int_equal(glia_dataset_set_class_names(classes, names, CLASSES, NULL), GLIA_OK);
    assert_string_equal(glia_dataset_class_name(classes, 2), "c");
    glia_dataset_free(values);
    glia_dataset_free(classes);
    glia_network_free(network);
}

int main(void)
{
    const struct CMUnitTest tests_of_lengths[] = {
        cmocka_unit_test(test_network),
        cmocka_unit_test(test_dataset),
    };
    return cmocka_run_group_tests(tests_of_lengths, NULL, NULL);
}
