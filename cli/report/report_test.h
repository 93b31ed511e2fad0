/* SPDX-License-Identifier: MIT */
/* What a trained network makes of the test split: the figures of a report that need the data. */
#ifndef GLIA_CLI_REPORT_REPORT_TEST_H
#define GLIA_CLI_REPORT_REPORT_TEST_H

#include <stdbool.h>

#include "glia.h"

enum { CALIBRATION_BINS = 15, MOST_MISTAKES = 24, MOST_PROJECTED = 1000 };

/* Test samples whose highest probability lies in one fifteenth of [0, 1]. */
struct calibration_bin {
    size_t samples, right;
    double confidence; /* the mean of the highest probability */
};

/* A sample that the network was wrong about. */
struct mistake {
    size_t index;
    uint32_t truth, predicted;
    float confidence; /* in what it predicted */
    float of_truth;   /* the probability of the true class */
};

/* What the units of a hidden layer do on the samples that are looked at. */
struct layer_state {
    size_t units, dead;
    bool bounded; /* the activation's range; else no unit is saturated */
    size_t saturated;
    double zeros; /* the fraction of outputs that are 0 */
};

/* The probability of the second class of a sample, and whether it is of that class. */
struct scored {
    float score;
    bool has;
};

struct test_figures {
    glia_dataset_info data;
    glia_metrics metrics;
    size_t classes;
    uint64_t *confusion; /* (classes, classes), owned; NULL: too many classes */

    struct calibration_bin bins[CALIBRATION_BINS];
    double calibration_error; /* sum over bins of n_b / n |right_b - confidence_b| */

    struct mistake mistakes[MOST_MISTAKES]; /* most confident first */
    size_t n_mistakes, n_wrong;

    /* Of values: (samples, classes), owned; else NULL. Of several targets each one's figures. */
    double *true_values, *predicted_values;
    glia_metrics *targets; /* (classes), owned; NULL of classes */

    float *sample; /* (classes): what is predicted of a sample, owned */

    /* Of two classes: (samples), the highest score first, owned; else NULL. */
    struct scored *scored;

    /* The samples that are looked at, evenly spread over the split. */
    size_t n_looked;
    size_t *looked;              /* (n_looked): their indices, owned */
    uint32_t *truth, *predicted; /* (n_looked), owned */
    struct layer_state *layers;  /* (hidden layers), owned */
    double *plane;               /* (n_looked, 2): the last hidden layer's; NULL without one */
    double variance[2];          /* the parts of the whole that the two axes have */
};

/* To be freed whether it succeeds or not; begins all zero. */
glia_status test_measure(struct test_figures *figures, const glia_network *network,
                         const glia_dataset *dataset, int threads, glia_error *error);
void test_free(struct test_figures *figures);

#endif
