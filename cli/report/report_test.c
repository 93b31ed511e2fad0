/* SPDX-License-Identifier: MIT */
/*
 * Runs the network over the test split: the confusion matrix, the mistakes, the calibration, values
 * and scores of every sample, and of some samples what the hidden layers make of them.
 */
#include "report/report_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "job/scores.h"
#include "shell/output.h"

enum {
    BLOCK = 256,          /* samples predicted at a time, fewer where a sample is large */
    BLOCK_BYTES = 1 << 25 /* of samples, and of probabilities */
};

static size_t type_size(glia_type type)
{
    return type == GLIA_TYPE_U8 ? sizeof(uint8_t) : sizeof(float);
}

/* How many samples of so many values of size bytes are taken at a time. */
static size_t block_of(size_t values, size_t size)
{
    size_t fit = BLOCK_BYTES / (values * size);
    return fit < 1 ? 1 : fit < BLOCK ? fit : BLOCK;
}

/* ---- Predictions --------------------------------------------------------------------------- */

/* The class of the highest probability, of equals the lower; classes if one is NaN. */
static size_t likeliest(const float *probabilities, size_t classes)
{
    size_t best = 0;
    for (size_t k = 0; k < classes; k++) {
        if (isnan(probabilities[k])) return classes;
        if (probabilities[k] > probabilities[best]) best = k;
    }
    return best;
}

/* Puts a mistake where its confidence belongs among those that are kept. */
static void keep_mistake(struct test_figures *f, struct mistake mistake)
{
    size_t at = f->n_mistakes;
    if (at == MOST_MISTAKES && !(mistake.confidence > f->mistakes[at - 1].confidence)) return;
    if (at == MOST_MISTAKES) at--;
    for (; at > 0 && mistake.confidence > f->mistakes[at - 1].confidence; at--)
        f->mistakes[at] = f->mistakes[at - 1];
    f->mistakes[at] = mistake;
    if (f->n_mistakes < MOST_MISTAKES) f->n_mistakes++;
}

static int falling(const void *a, const void *b)
{
    const float x = ((const struct scored *)a)->score, y = ((const struct scored *)b)->score;
    return (x < y) - (x > y);
}

/* probabilities (classes) of the sample at index, whose class is truth. */
static void count_sample(struct test_figures *f, const float *probabilities, size_t index,
                         uint32_t truth)
{
    size_t predicted = likeliest(probabilities, f->classes);
    if (predicted == f->classes) {
        f->n_wrong++;
        return;
    }
    float confidence = probabilities[predicted];
    double place = floor((double)confidence * CALIBRATION_BINS);
    size_t b = place < 0 ? 0 : place < CALIBRATION_BINS ? (size_t)place : CALIBRATION_BINS - 1;
    f->bins[b].samples++;
    f->bins[b].right += predicted == truth;
    f->bins[b].confidence += (double)confidence;
    if (predicted == truth) return;
    f->n_wrong++;
    keep_mistake(f, (struct mistake){index, truth, (uint32_t)predicted, confidence,
                                     truth < f->classes ? probabilities[truth] : 0});
}

static void end_calibration(struct test_figures *f)
{
    double n = 0, sum = 0;
    for (size_t b = 0; b < CALIBRATION_BINS; b++) {
        struct calibration_bin *bin = &f->bins[b];
        if (bin->samples > 0) bin->confidence /= (double)bin->samples;
        n += (double)bin->samples;
        sum += fabs((double)bin->right - bin->confidence * (double)bin->samples);
    }
    f->calibration_error = n > 0 ? sum / n : NAN;
}

/* outputs (classes) of the sample at index. */
static glia_status take_sample(struct test_figures *f, const glia_dataset *dataset, size_t index,
                               const double *outputs, uint32_t truth, glia_error *error)
{
    if (f->data.task == GLIA_TASK_CLASSES) {
        for (size_t k = 0; k < f->classes; k++) f->sample[k] = (float)outputs[k];
        count_sample(f, f->sample, index, truth);
        if (f->scored != NULL) f->scored[index] = (struct scored){f->sample[1], truth == 1};
        return GLIA_OK;
    }
    double *row = f->true_values + index * f->classes;
    memcpy(f->predicted_values + index * f->classes, outputs, f->classes * sizeof *outputs);
    return glia_dataset_sample_targets_f64(dataset, index, row, f->classes, error);
}

static glia_status predict_all(struct test_figures *f, const glia_network *network,
                               const glia_dataset *dataset, int threads, glia_error *error)
{
    glia_predictor_params params = glia_predictor_default_params();
    glia_predictor *predictor = NULL;
    size_t row = f->data.features * type_size(f->data.type), n = f->data.samples;
    size_t block =
        block_of(row > f->classes * sizeof(double) ? row : f->classes * sizeof(double), 1);
    uint8_t *x = need_memory(block, row);
    double *outputs = need_memory(block, f->classes * sizeof *outputs);
    uint32_t *truth = need_memory(block, sizeof *truth);
    params.threads = threads;
    glia_status status = glia_predictor_create(network, &params, &predictor, error);
    for (size_t first = 0; status == GLIA_OK && first < n; first += block) {
        size_t m = n - first < block ? n - first : block;
        for (size_t i = 0; status == GLIA_OK && i < m; i++)
            status = glia_dataset_sample(dataset, first + i, x + i * row, f->data.features,
                                         &truth[i], error);
        if (status == GLIA_OK)
            status = glia_predictor_run_f64(predictor, f->data.type, x, m, f->data.features,
                                            outputs, f->classes, error);
        for (size_t i = 0; status == GLIA_OK && i < m; i++)
            status = take_sample(f, dataset, first + i, outputs + i * f->classes, truth[i], error);
    }
    glia_predictor_free(predictor);
    free(truth);
    free(outputs);
    free(x);
    return status;
}

/* What is kept of every sample: of values all, of two classes the probability of the second. */
static glia_status predict(struct test_figures *f, const glia_network *network,
                           const glia_dataset *dataset, int threads, glia_error *error)
{
    const size_t n = f->data.samples;
    const bool values = f->data.task == GLIA_TASK_VALUES,
               classes = f->data.task == GLIA_TASK_CLASSES;
    if (!classes) {
        f->targets = need_memory(f->classes, sizeof *f->targets);
        const glia_status status =
            glia_evaluate_targets(network, dataset, threads, f->targets, f->classes, error);
        if (status != GLIA_OK || !values) return status;
        f->true_values = need_memory(n, f->classes * sizeof *f->true_values);
        f->predicted_values = need_memory(n, f->classes * sizeof *f->predicted_values);
    }
    f->sample = need_memory(f->classes, sizeof *f->sample);
    if (classes && f->classes == 2) f->scored = need_memory(n, sizeof *f->scored);
    const glia_status status = predict_all(f, network, dataset, threads, error);
    if (status == GLIA_OK && classes) end_calibration(f);
    if (status == GLIA_OK && f->scored != NULL) qsort(f->scored, n, sizeof *f->scored, falling);
    return status;
}

/* ---- Hidden layers ------------------------------------------------------------------------- */

/*
 * outputs (n, units). A unit is dead if its output is the same for all samples, and saturated if it
 * is within a twentieth of the activation's range from an end for 95 % of them.
 */
static struct layer_state look_at(const float *outputs, size_t n, glia_layer_info layer)
{
    struct layer_state state = {.units = layer.units};
    float bottom = 0, top = 0;
    state.bounded = glia_activation_range(layer.activation, &bottom, &top) && isfinite(top);
    float end = 0.05f * (top - bottom), low = bottom + end, high = top - end;
    size_t zeros = 0;
    for (size_t u = 0; u < layer.units; u++) {
        float least = outputs[u], most = outputs[u];
        size_t at_end = 0;
        for (size_t i = 0; i < n; i++) {
            float value = outputs[i * layer.units + u];
            least = value < least ? value : least;
            most = value > most ? value : most;
            zeros += value == 0;
            at_end += value < low || value > high;
        }
        state.dead += !(most - least > 1e-6f);
        state.saturated += state.bounded && (double)at_end >= 0.95 * (double)n;
    }
    state.zeros = (double)zeros / ((double)n * (double)layer.units);
    return state;
}

/* ---- Projection ---------------------------------------------------------------------------- */

/* y (units) <- the covariance of centred (n, units), times v (units); t (n) is scratch. */
static void times_covariance(const double *centred, size_t n, size_t units, const double *v,
                             double *t, double *y)
{
    memset(y, 0, units * sizeof *y);
    for (size_t i = 0; i < n; i++) {
        t[i] = 0;
        for (size_t u = 0; u < units; u++) t[i] += centred[i * units + u] * v[u];
        for (size_t u = 0; u < units; u++) y[u] += t[i] * centred[i * units + u] / (double)n;
    }
}

static double norm(const double *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += v[i] * v[i];
    return sqrt(sum);
}

/* Takes the part of v (n) along the unit vector away. */
static void take_away(double *v, const double *along, size_t n)
{
    double product = 0;
    for (size_t i = 0; i < n; i++) product += v[i] * along[i];
    for (size_t i = 0; i < n; i++) v[i] -= product * along[i];
}

/*
 * The first two principal components of outputs (n, units), by power iteration from a fixed start:
 * plane (n, 2), variance (2): the parts of the whole. The sign is such that the largest coordinate
 * of a component is positive.
 */
static void project(const float *outputs, size_t n, size_t units, double *plane, double *variance)
{
    int most_rounds = 10 + (int)(2e9 / ((double)n * (double)units)); /* a few seconds */
    if (most_rounds > 300) most_rounds = 300;
    double *centred = need_memory(n, units * sizeof *centred);
    double *v = need_memory(2 * units, sizeof *v), *next = need_memory(units, sizeof *next);
    double *t = need_memory(n, sizeof *t), whole = 0;
    for (size_t u = 0; u < units; u++) {
        double mean = 0;
        for (size_t i = 0; i < n; i++) mean += (double)outputs[i * units + u] / (double)n;
        for (size_t i = 0; i < n; i++) {
            double d = (double)outputs[i * units + u] - mean;
            centred[i * units + u] = d;
            whole += d * d / (double)n;
        }
    }
    for (size_t c = 0; c < 2; c++) {
        double *w = v + c * units, value = 0;
        for (size_t u = 0; u < units; u++) w[u] = 1 + 0.5 * sin((double)(u * (c + 1)) * 2.399963);
        for (int round = 0; round < most_rounds; round++) {
            if (c == 1) take_away(w, v, units);
            double length = norm(w, units);
            for (size_t u = 0; u < units; u++) w[u] = length > 0 ? w[u] / length : 0;
            times_covariance(centred, n, units, w, t, next);
            double before = value;
            value = norm(next, units);
            if (!(value > 1e-12 * whole)) value = 0;
            if (round > 5 && fabs(value - before) <= 1e-7 * value) break;
            if (value > 0) memcpy(w, next, units * sizeof *w);
        }
        if (c == 1) take_away(w, v, units);
        double length = norm(w, units);
        size_t largest = 0;
        for (size_t u = 0; u < units; u++) {
            w[u] = length > 0 ? w[u] / length : 0;
            if (fabs(w[u]) > fabs(w[largest])) largest = u;
        }
        double sign = w[largest] < 0 ? -1 : 1;
        for (size_t i = 0; i < n; i++) {
            double sum = 0;
            for (size_t u = 0; u < units; u++) sum += centred[i * units + u] * w[u];
            plane[2 * i + c] = sign * sum;
        }
        variance[c] = whole > 0 ? value / whole : 0;
    }
    free(t);
    free(next);
    free(v);
    free(centred);
}

/* ---- The samples that are looked at -------------------------------------------------------- */

/* outputs (n_looked, units) of a layer, to be freed; fewer samples at a time where those are
 * large. */
static glia_status outputs_of(const struct test_figures *f, const glia_network *network,
                              const glia_dataset *dataset, size_t layer, float **out,
                              glia_error *error)
{
    size_t units = glia_network_layer(network, layer).units;
    size_t row = f->data.features * type_size(f->data.type), block = block_of(row, 1);
    uint8_t *x = need_memory(block, row);
    float *outputs = need_memory(f->n_looked, units * sizeof *outputs);
    glia_status status = GLIA_OK;
    for (size_t first = 0; status == GLIA_OK && first < f->n_looked; first += block) {
        size_t m = f->n_looked - first < block ? f->n_looked - first : block;
        for (size_t i = 0; status == GLIA_OK && i < m; i++)
            status = glia_dataset_sample(dataset, f->looked[first + i], x + i * row,
                                         f->data.features, &f->truth[first + i], error);
        if (status == GLIA_OK)
            status = glia_network_activations(network, layer, f->data.type, x, m, f->data.features,
                                              outputs + first * units, units, error);
    }
    free(x);
    if (status == GLIA_OK)
        *out = outputs;
    else
        free(outputs);
    return status;
}

/* Samples of layers of so many units that their outputs are at most 64 MB, as doubles 128 MB. */
static size_t how_many(const glia_network *network, size_t samples)
{
    size_t widest = 1, n = samples < MOST_PROJECTED ? samples : MOST_PROJECTED;
    for (size_t l = 0; l < glia_network_describe(network).layers; l++) {
        size_t units = glia_network_layer(network, l).units;
        widest = units > widest ? units : widest;
    }
    size_t fit = ((size_t)1 << 24) / widest;
    return n < fit ? n : fit;
}

static glia_status look(struct test_figures *f, const glia_network *network,
                        const glia_dataset *dataset, glia_error *error)
{
    size_t layers = glia_network_describe(network).layers;
    f->n_looked = how_many(network, f->data.samples);
    f->looked = need_memory(f->n_looked, sizeof *f->looked);
    f->truth = need_memory(f->n_looked, sizeof *f->truth);
    f->predicted = need_memory(f->n_looked, sizeof *f->predicted);
    f->layers = need_memory(layers, sizeof *f->layers);
    for (size_t i = 0; i < f->n_looked; i++) f->looked[i] = i * f->data.samples / f->n_looked;
    for (size_t l = 0; l < layers; l++) {
        glia_layer_info layer = glia_network_layer(network, l);
        float *outputs = NULL;
        glia_status status = outputs_of(f, network, dataset, l, &outputs, error);
        if (status != GLIA_OK) return status;
        if (l + 1 == layers)
            for (size_t i = 0; i < f->n_looked; i++)
                f->predicted[i] = (uint32_t)likeliest(outputs + i * layer.units, layer.units);
        else
            f->layers[l] = look_at(outputs, f->n_looked, layer);
        if (l + 2 == layers) {
            f->plane = need_memory(2 * f->n_looked, sizeof *f->plane);
            project(outputs, f->n_looked, layer.units, f->plane, f->variance);
        }
        free(outputs);
    }
    return GLIA_OK;
}

glia_status test_measure(struct test_figures *figures, const glia_network *network,
                         const glia_dataset *dataset, int threads, glia_error *error)
{
    struct test_figures *f = figures;
    f->data = glia_dataset_describe(dataset);
    f->classes = glia_network_describe(network).classes;
    const bool has_classes = f->data.task == GLIA_TASK_CLASSES;
    if (has_classes && f->classes <= MOST_CONFUSED_CLASSES)
        f->confusion = need_memory(f->classes * f->classes, sizeof *f->confusion);
    glia_status status =
        glia_evaluate(network, dataset, threads, &f->metrics, f->confusion, f->classes, error);
    if (status == GLIA_OK && f->data.samples > 0)
        status = predict(f, network, dataset, threads, error);
    if (status == GLIA_OK && f->data.samples > 0) status = look(f, network, dataset, error);
    return status;
}

void test_free(struct test_figures *figures)
{
    free(figures->confusion);
    free(figures->true_values);
    free(figures->predicted_values);
    free(figures->targets);
    free(figures->scored);
    free(figures->sample);
    free(figures->looked);
    free(figures->truth);
    free(figures->predicted);
    free(figures->layers);
    free(figures->plane);
    *figures = (struct test_figures){0};
}
