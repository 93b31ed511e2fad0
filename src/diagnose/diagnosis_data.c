/* SPDX-License-Identifier: MIT */
/* What the data say before, and without, a network: labels, and ranges of inputs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/set/dataset.h"
#include "diagnose/diagnosis.h"
#include "feed/input_form.h"
#include "infer/probe.h"

enum { INPUT_SAMPLES = 128 }; /* looked at for ranges */

/* ---- Labels --------------------------------------------------------------------------------- */

/* The cross-entropy of targets of which a part is spread over all classes, predicted exactly. */
static double smoothed(double p, double smoothing, size_t classes)
{
    const double q = (1 - smoothing) * p + smoothing / (double)classes;
    return q > 0 ? -q * log(q) : 0;
}

static glia_status class_facts(const glia_dataset *dataset, const glia_settings *params,
                               gi_label_facts *out, glia_error *error)
{
    const size_t classes = dataset->classes, n = dataset->samples;
    const double smoothing = params->label_smoothing;
    const bool drawn = gi_dataset_is_endless(dataset);
    gi_label_facts facts = {0};
    double *count = gi_alloc(classes, 2 * sizeof *count, "classes", error);
    if (!count) return GLIA_NO_MEMORY;
    double *weight = count + classes, total = 0; /* of each class's samples */
    for (size_t i = 0; i < n && !drawn; i++) {
        const uint32_t c = gi_dataset_label(dataset, i);
        const double own = gi_dataset_weight(dataset, i);
        count[c]++;
        weight[c] += own * (params->class_weights.of ? params->class_weights.of[c] : 1);
    }
    for (size_t c = 0; c < classes && drawn; c++)
        count[c] = weight[c] = (double)n / (double)classes;
    for (size_t c = 0; c < classes; c++) total += weight[c];
    if (total == 0) total = 1;
    const size_t room = sizeof facts.first_missing / sizeof *facts.first_missing;
    for (size_t c = 0; c < classes; c++) {
        const double p = count[c] / (double)n;
        facts.entropy += smoothed(weight[c] / total, smoothing, classes);
        facts.floor += smoothed(c == 0, smoothing, classes);
        if (p > facts.largest) {
            facts.largest = p;
            facts.most_frequent = (uint32_t)c;
        }
        if (count[c] > 0) continue;
        if (facts.n_missing < room) facts.first_missing[facts.n_missing] = (uint32_t)c;
        facts.n_missing++;
    }
    gi_free(count);
    facts.all_alike = facts.largest == 1;
    *out = facts;
    return GLIA_OK;
}

/* The loss of one sample for which `guess` is predicted, a probability or a value. */
static double loss_of_guess(glia_loss loss, double guess, double target)
{
    const double d = fabs(guess - target);
    switch (loss) {
    case GLIA_LOSS_BCE: /* is never infinite, as the guess is the frequency of the target */
        return -log(target > 0 ? guess : 1 - guess);
    case GLIA_LOSS_MAE:
        return d;
    case GLIA_LOSS_HUBER:
        return d <= 1 ? d * d / 2 : d - 0.5;
    default:
        return d * d;
    }
}

/* Of labels and values: two passes over the targets, the first for their means. */
static glia_status target_facts(const glia_network *network, const glia_dataset *dataset,
                                gi_label_facts *out, glia_error *error)
{
    const size_t n = dataset->classes;
    const bool are_values = dataset->task == GLIA_TASK_VALUES;
    gi_label_facts facts = {.all_alike = true};
    float *targets = gi_alloc(n, 2 * sizeof *targets, "targets", error), *first = targets + n;
    double *mean = gi_alloc(n, sizeof *mean, "targets", error), total = 0;
    const glia_status status = targets && mean ? GLIA_OK : GLIA_NO_MEMORY;
    for (size_t i = 0; i < dataset->samples && !status; i++) {
        const double weight = gi_dataset_weight(dataset, i);
        gi_read_targets(network, dataset, i, targets);
        if (i == 0) memcpy(first, targets, n * sizeof *first);
        total += weight;
        for (size_t c = 0; c < n; c++) {
            mean[c] += weight * (double)targets[c];
            facts.all_alike &= targets[c] == first[c];
        }
    }
    for (size_t c = 0; c < n && !status; c++) mean[c] /= total;
    for (size_t i = 0; i < dataset->samples && !status; i++) {
        const double weight = gi_dataset_weight(dataset, i);
        gi_read_targets(network, dataset, i, targets);
        for (size_t c = 0; c < n && weight > 0; c++)
            facts.entropy += weight * loss_of_guess(network->loss, mean[c], (double)targets[c]);
    }
    facts.entropy /= total * (are_values ? (double)n : 1);
    gi_free(targets);
    gi_free(mean);
    if (!status) *out = facts;
    return status;
}

glia_status gi_label_facts_of(const glia_network *network, const glia_dataset *dataset,
                              const glia_settings *params, gi_label_facts *out, glia_error *error)
{
    return dataset->task == GLIA_TASK_CLASSES ? class_facts(dataset, params, out, error)
                                              : target_facts(network, dataset, out, error);
}

/* ---- Inputs --------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The median of values (n), which are sorted; 0 of none. */
static double median(float *values, size_t n)
{
    if (n == 0) return 0;
    qsort(values, n, sizeof *values, ascending);
    return (double)values[n / 2];
}

glia_status gi_input_facts_of(const glia_dataset *dataset, gi_input_facts *out, glia_error *error)
{
    const size_t n = dataset->samples < INPUT_SAMPLES ? dataset->samples : INPUT_SAMPLES;
    const size_t features = dataset->features, first = gi_sparse_first_feature(dataset);
    gi_input_facts facts = {.samples = n};
    uint8_t *scratch = gi_alloc(1, gi_dataset_row_bytes(dataset), "a sample", error);
    float *x = gi_alloc(features, 4 * sizeof *x, "the ranges of features", error);
    glia_status status = scratch && x ? GLIA_OK : GLIA_NO_MEMORY;
    if (status) goto cleanup;
    float *low = x + features, *high = low + features, *square = high + features;
    for (size_t s = 0; s < n; s++) {
        uint32_t label;
        const size_t index = gi_spread_index(s, n, dataset->samples);
        gi_read_features(dataset, gi_dataset_row(dataset, 0, index, scratch, &label), x);
        for (size_t f = 0; f < features; f++) {
            low[f] = s == 0 || x[f] < low[f] ? x[f] : low[f];
            high[f] = s == 0 || x[f] > high[f] ? x[f] : high[f];
            square[f] += x[f] * x[f];
        }
    }
    size_t n_varying = 0; /* their rms and range are moved to the front of square and low */
    for (size_t f = 0; f < features; f++) {
        const float range = high[f] - low[f], rms = sqrtf(square[f] / (float)n);
        if ((double)rms > facts.largest_rms) {
            facts.largest_rms = (double)rms;
            facts.largest_feature = first + f;
        }
        if (range == 0) continue;
        if ((double)range > facts.widest_range) {
            facts.widest_range = (double)range;
            facts.widest_feature = first + f;
        }
        square[n_varying] = rms;
        low[n_varying] = range;
        n_varying++;
    }
    facts.constant = n_varying == 0;
    facts.median_rms = median(square, n_varying);
    facts.median_range = median(low, n_varying);
    *out = facts;
cleanup:
    gi_free(x);
    gi_free(scratch);
    return status;
}
