/* SPDX-License-Identifier: MIT */
/* Loss, confusion matrix and other figures of a network on a data set. */
#include "infer/metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "feed/loader.h"
#include "net/workspace.h"

enum { TILE = 64 }; /* samples that go through the network together */

/*
 * What is found of every sample is written to its own place, then summed in order: the result does
 * not depend on the number of threads.
 */
struct gi_evaluation {
    const glia_network *network;
    const glia_dataset *dataset;
    glia_task task;
    gi_plan plan;
    gi_pool *pool;
    double *loss; /* (samples) */
    /* Of classes: */
    uint32_t *predicted; /* (samples) */
    uint32_t *label;     /* (samples) */
    size_t *support;     /* (classes): samples of each, */
    size_t *hits;        /*   and those that are recognised */
    /* Of labels and values (samples, outputs); of two classes output alone, (samples) of the
     * second: */
    double *output;
    double *target;
    gi_loader *loader;
    struct evaluator { /* one a thread */
        gi_workspace workspace;
        gi_scratch scratch;
        float *outputs; /* (TILE, outputs) */
    } * evaluators;
};

static void load_tile(const gi_evaluation *e, int thread, size_t first, size_t rows)
{
    gi_workspace *w = &e->evaluators[thread].workspace;
    const size_t n = gi_network_classes(e->network);
    for (size_t r = 0; r < rows; r++) {
        const size_t i = first + r;
        gi_loader_load(e->loader, thread, 0, i, 0, w, r);
        if (e->task == GLIA_TASK_CLASSES)
            e->label[i] = w->labels[r];
        else
            gi_dataset_targets(e->dataset, i, 0, n, e->target + i * n);
    }
}

static void evaluate_slice(void *context, int thread, int n_threads)
{
    const gi_evaluation *e = context;
    struct evaluator *own = &e->evaluators[thread];
    gi_workspace *w = &own->workspace;
    const glia_network *network = e->network;
    const size_t n = gi_network_classes(network);
    size_t begin, end;
    gi_slice(e->dataset->samples, TILE, thread, n_threads, &begin, &end);
    for (size_t first = begin; first < end; first += TILE) {
        const size_t rows = end - first < TILE ? end - first : TILE;
        load_tile(e, thread, first, rows);
        gi_network_forward(network, &e->plan, w, 0, rows, &own->scratch);
        if (e->task == GLIA_TASK_CLASSES)
            gi_network_outputs(network, &e->plan, w, rows, own->outputs);
        else
            gi_network_outputs_f64(network, &e->plan, w, rows, own->outputs, e->output + first * n);
        gi_network_loss(network, &e->plan, w, 0, rows, rows);
        memcpy(e->loss + first, w->loss, rows * sizeof *w->loss);
        for (size_t r = 0; r < rows && e->task == GLIA_TASK_CLASSES; r++) {
            const float *p = own->outputs + r * n;
            uint32_t best = 0;
            for (uint32_t c = 1; c < n; c++)
                if (p[c] > p[best]) best = c;
            e->predicted[first + r] = best;
            if (e->output) e->output[first + r] = (double)p[1];
        }
    }
}

static glia_status check_task(const glia_network *network, const glia_dataset *dataset,
                              glia_error *error)
{
    if (dataset->task == glia_loss_task(network->loss)) return GLIA_OK;
    return gi_fail(error, GLIA_MISMATCH,
                   "%s: its samples have %s, but the network was made for %s, by its loss %s; make "
                   "one with the loss %s",
                   dataset->name, glia_task_name(dataset->task),
                   glia_task_name(glia_loss_task(network->loss)), glia_loss_name(network->loss),
                   dataset->task == GLIA_TASK_CLASSES  ? "cross-entropy"
                   : dataset->task == GLIA_TASK_LABELS ? "bce"
                                                       : "mse, mae or huber");
}

/* The first class that has another name in the network, or SIZE_MAX. Classes without names, which
 * are numbered, may be any. */
static size_t other_name(const glia_network *network, const glia_dataset *dataset)
{
    const size_t n = gi_network_classes(network);
    bool are_numbers = true, are_numbers_there = true;
    size_t other = SIZE_MAX;
    for (size_t c = 0; c < dataset->classes && c < n; c++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", c);
        are_numbers = are_numbers && strcmp(dataset->class_names[c], number) == 0;
        are_numbers_there = are_numbers_there && strcmp(network->class_names[c], number) == 0;
        if (other == SIZE_MAX && strcmp(dataset->class_names[c], network->class_names[c]) != 0)
            other = c;
    }
    return are_numbers || are_numbers_there ? SIZE_MAX : other;
}

glia_status gi_check_fit(const glia_network *network, const glia_dataset *dataset,
                         glia_error *error)
{
    const size_t inputs = gi_network_inputs(network), classes = gi_network_classes(network);
    if (dataset->features != inputs)
        return gi_fail(
            error, GLIA_MISMATCH,
            "%s: its samples have %zu feature%s, but the network reads %zu; use the data "
            "set that the network was made for",
            dataset->name, dataset->features, dataset->features == 1 ? "" : "s", inputs);
    const glia_status status = check_task(network, dataset, error);
    if (status) return status;
    if (dataset->task != GLIA_TASK_CLASSES && dataset->classes != classes)
        return gi_fail(
            error, GLIA_MISMATCH,
            "%s: its samples have %zu target%s, but the network has %zu output%s; use the "
            "data set that the network was made for",
            dataset->name, dataset->classes, dataset->classes == 1 ? "" : "s", classes,
            classes == 1 ? "" : "s");
    const size_t other = other_name(network, dataset);
    if (dataset->task == GLIA_TASK_CLASSES && other < dataset->classes)
        return gi_fail(
            error, GLIA_MISMATCH,
            "%s: class %zu is \"%.80s\", but the network knows it as \"%.80s\"; use data "
            "with the classes that the network was made for",
            dataset->name, other, dataset->class_names[other], network->class_names[other]);
    if (dataset->classes > classes)
        return gi_fail(error, GLIA_MISMATCH,
                       "%s: has %zu classes, but the network knows %zu; use the data set that the "
                       "network was made for",
                       dataset->name, dataset->classes, classes);
    if (dataset->divisor != network->input.divisor)
        return gi_fail(
            error, GLIA_MISMATCH,
            "%s: its features enter a network divided by %g, but this network was made "
            "for features divided by %g (bytes are divided by 255, floats by 1); give it "
            "data of the same kind",
            dataset->name, dataset->divisor, network->input.divisor);
    if (dataset->is_unlabelled)
        return gi_fail(error, GLIA_MISMATCH,
                       "%s: has no target (%s): its samples can be predicted, but neither learned "
                       "from nor scored",
                       dataset->name,
                       dataset->schema && dataset->schema->n_targets ? dataset->schema->targets[0]
                                                                     : "labels");
    if (network->schema && dataset->schema && !gi_schema_equal(network->schema, dataset->schema))
        return gi_fail(error, GLIA_MISMATCH,
                       "%s: its columns are read otherwise than the network learned to read them; "
                       "open it for the network",
                       dataset->name);
    return gi_network_check_images(network, dataset->type, dataset->name, error);
}

void gi_evaluation_free(gi_evaluation *e)
{
    if (!e) return;
    const int n_threads = e->evaluators ? gi_pool_threads(e->pool) : 0;
    for (int t = 0; t < n_threads; t++) {
        gi_workspace_free(&e->evaluators[t].workspace);
        gi_scratch_free(&e->evaluators[t].scratch);
        gi_free(e->evaluators[t].outputs);
    }
    gi_free(e->evaluators);
    gi_loader_free(e->loader);
    gi_free(e->loss);
    gi_free(e->predicted);
    gi_free(e->label);
    gi_free(e->support);
    gi_free(e->hits);
    gi_free(e->output);
    gi_free(e->target);
    gi_free(e);
}

glia_status gi_evaluation_new(const glia_network *network, const glia_dataset *dataset,
                              gi_pool *pool, double smoothing, gi_evaluation **out,
                              glia_error *error)
{
    glia_status status = gi_check_fit(network, dataset, error);
    if (status) return status;
    double density;
    status = gi_dataset_density(dataset, &density, error);
    if (status) return status;
    const size_t n = dataset->samples, classes = gi_network_classes(network);
    const size_t n_threads = (size_t)gi_pool_threads(pool);
    gi_evaluation *e = gi_alloc(1, sizeof *e, "evaluation", error);
    if (!e) return GLIA_NO_MEMORY;
    status = gi_plan_inference(network, dataset->type, density, gi_dataset_most_pairs(dataset),
                               TILE, &e->plan, error);
    e->network = network;
    e->dataset = dataset;
    e->pool = pool;
    const gi_loader_params loading = {
        .network = network, .plan = &e->plan, .dataset = dataset, .n_threads = (int)n_threads};
    if (!status) status = gi_loader_new(&loading, &e->loader, error);
    e->loss = gi_alloc(n, sizeof *e->loss, "losses", error);
    e->task = dataset->task;
    if (e->task == GLIA_TASK_CLASSES) {
        e->predicted = gi_alloc(n, sizeof *e->predicted, "predictions", error);
        e->label = gi_alloc(n, sizeof *e->label, "labels", error);
        e->support = gi_alloc(classes, sizeof *e->support, "classes", error);
        e->hits = gi_alloc(classes, sizeof *e->hits, "classes", error);
        if (!e->predicted || !e->label || !e->support || !e->hits) status = GLIA_NO_MEMORY;
    } else {
        e->target = gi_alloc(n, classes * sizeof *e->target, "targets", error);
        if (!e->target) status = GLIA_NO_MEMORY;
    }
    const size_t kept = e->task != GLIA_TASK_CLASSES ? classes : classes == 2 ? 1 : 0;
    if (kept > 0) {
        e->output = gi_alloc(n, kept * sizeof *e->output, "predictions", error);
        if (!e->output) status = GLIA_NO_MEMORY;
    }
    e->evaluators = gi_alloc(n_threads, sizeof *e->evaluators, "evaluation", error);
    if (!e->loss || !e->evaluators) status = GLIA_NO_MEMORY;
    for (size_t t = 0; t < n_threads && !status; t++) {
        struct evaluator *own = &e->evaluators[t];
        status = gi_workspace_new(network, &e->plan, TILE, false, &own->workspace, error);
        own->workspace.smoothing = smoothing;
        if (!status) status = gi_scratch_new(network, 0, &own->scratch, error);
        if (status) break;
        own->outputs = gi_alloc(TILE, classes * sizeof(float), "predictions", error);
        if (!own->outputs) status = GLIA_NO_MEMORY;
    }
    if (status)
        gi_evaluation_free(e);
    else
        *out = e;
    return status;
}

/* ---- Figures -------------------------------------------------------------------------------- */

/*
 * The standard error of an accuracy, and the interval that holds the true accuracy with 95 %
 * (Wilson 1927); of values NAN.
 */
static void bound_accuracy(glia_metrics *metrics, size_t samples)
{
    const double p = metrics->accuracy, n = (double)samples, z = 1.959964, zz = z * z / n;
    metrics->standard_error = sqrt(p * (1 - p) / n);
    if (isnan(p)) return;
    const double middle = (p + zz / 2) / (1 + zz);
    const double half = z * sqrt(p * (1 - p) / n + zz / (4 * n)) / (1 + zz);
    metrics->accuracy_low = fmax(0, middle - half);
    metrics->accuracy_high = fmin(1, middle + half);
}

static void count_classes(const gi_evaluation *e, glia_metrics *metrics, uint64_t *confusion)
{
    const size_t n = e->dataset->samples, classes = gi_network_classes(e->network);
    size_t correct = 0, largest = 0, n_seen = 0;
    double recalls = 0;
    memset(e->support, 0, classes * sizeof *e->support);
    memset(e->hits, 0, classes * sizeof *e->hits);
    for (size_t i = 0; i < n; i++) {
        const bool hit = e->predicted[i] == e->label[i];
        correct += hit;
        e->hits[e->label[i]] += hit;
        e->support[e->label[i]]++;
        if (confusion) confusion[e->label[i] * classes + e->predicted[i]]++;
    }
    for (size_t c = 0; c < classes; c++) {
        if (e->support[c] > e->support[largest]) largest = c;
        if (e->support[c] == 0) continue;
        recalls += (double)e->hits[c] / (double)e->support[c];
        n_seen++;
    }
    metrics->accuracy = (double)correct / (double)n;
    metrics->majority = (double)e->support[largest] / (double)n;
    metrics->majority_class = largest;
    metrics->balanced_accuracy = recalls / (double)n_seen;
}

static void count_labels(const gi_evaluation *e, glia_metrics *metrics)
{
    const size_t n = e->dataset->samples, outputs = gi_network_classes(e->network);
    size_t right = 0, exact = 0;
    for (size_t i = 0; i < n; i++) {
        size_t of_sample = 0;
        for (size_t c = 0; c < outputs; c++)
            of_sample += (e->output[i * outputs + c] > 0.5) == (e->target[i * outputs + c] > 0);
        right += of_sample;
        exact += of_sample == outputs;
    }
    metrics->accuracy = (double)right / ((double)n * (double)outputs);
    metrics->exact = (double)exact / (double)n;
}

/*
 * The figures of one target alone. Every sum is over the samples in their order, in a unit that is
 * a power of 2 near the largest target: its square is in the range of a double.
 */
static void measure_target(const gi_evaluation *e, size_t c, glia_metrics *metrics)
{
    const size_t n = e->dataset->samples, outputs = gi_network_classes(e->network);
    double largest = 0, mean = 0, squares = 0, absolutes = 0, spread = 0;
    for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs(e->target[i * outputs + c]));
    const double unit = largest > 0 ? ldexp(1, ilogb(largest)) : 1;
    for (size_t i = 0; i < n; i++) mean += e->target[i * outputs + c] / unit;
    mean /= (double)n;
    for (size_t i = 0; i < n; i++) {
        const double t = e->target[i * outputs + c] / unit;
        const double d = e->output[i * outputs + c] / unit - t;
        squares += d * d;
        absolutes += fabs(d);
        spread += (t - mean) * (t - mean);
    }
    metrics->rmse = unit * sqrt(squares / (double)n);
    metrics->mae = unit * (absolutes / (double)n);
    metrics->r2 = spread > 0 ? 1 - squares / spread : (double)NAN;
}

/* Of all targets together, output by output. */
static void measure_values(const gi_evaluation *e, glia_metrics *metrics)
{
    const double outputs = (double)gi_network_classes(e->network);
    double length = 0, absolutes = 0, r2 = 0;
    for (size_t c = 0; c < gi_network_classes(e->network); c++) {
        glia_metrics own;
        measure_target(e, c, &own);
        length = hypot(length, own.rmse);
        absolutes += own.mae;
        r2 += own.r2;
    }
    metrics->rmse = length / sqrt(outputs);
    metrics->mae = absolutes / outputs;
    metrics->r2 = r2 / outputs;
}

/* Figures of which none is known. */
static glia_metrics no_metrics(size_t samples)
{
    return (glia_metrics){
        .samples = samples,
        .loss = NAN,
        .accuracy = NAN,
        .standard_error = NAN,
        .exact = NAN,
        .rmse = NAN,
        .mae = NAN,
        .r2 = NAN,
        .roc_auc = NAN,
        .average_precision = NAN,
        .accuracy_low = NAN,
        .accuracy_high = NAN,
        .majority = NAN,
        .balanced_accuracy = NAN,
    };
}

glia_metrics gi_evaluation_run(gi_evaluation *e, uint64_t *confusion)
{
    const size_t n = e->dataset->samples, classes = gi_network_classes(e->network);
    glia_metrics metrics = no_metrics(n);
    gi_pool_run(e->pool, evaluate_slice, e);
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += e->loss[i];
    metrics.loss = sum / (double)n;
    if (confusion) memset(confusion, 0, classes * classes * sizeof *confusion);
    if (e->task == GLIA_TASK_CLASSES)
        count_classes(e, &metrics, confusion);
    else if (e->task == GLIA_TASK_LABELS)
        count_labels(e, &metrics);
    else
        measure_values(e, &metrics);
    bound_accuracy(&metrics, n);
    return metrics;
}

/* ---- Rankings ------------------------------------------------------------------------------- */

/* A sample by how likely it is found to have a label, and whether it has. */
typedef struct ranked {
    double score;
    bool has;
} ranked;

static int by_score(const void *a, const void *b)
{
    const double x = ((const ranked *)a)->score, y = ((const ranked *)b)->score;
    return (x < y) - (x > y);
}

/*
 * From the most likely sample to the least, those with the same score together. The area under the
 * curve is the part of all pairs of one with the label and one without in which the first is found
 * likelier, equal ones counting half (Hanley and McNeil 1982); the precision after each step down
 * is weighted by the recall that it adds. False if all samples have the label, or none.
 */
static bool rank(ranked *samples, size_t n, double *roc_auc, double *average_precision)
{
    size_t with = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(samples[i].score)) return false;
        with += samples[i].has;
    }
    if (with == 0 || with == n) return false;
    qsort(samples, n, sizeof *samples, by_score);
    size_t true_positives = 0, false_positives = 0;
    double pairs = 0, precision = 0;
    for (size_t i = 0, next; i < n; i = next) {
        size_t has = 0;
        for (next = i; next < n && samples[next].score == samples[i].score; next++)
            has += samples[next].has;
        const size_t has_not = next - i - has;
        pairs += (double)has_not * ((double)true_positives + (double)has / 2);
        true_positives += has;
        false_positives += has_not;
        precision +=
            (double)has * (double)true_positives / (double)(true_positives + false_positives);
    }
    *roc_auc = pairs / ((double)with * (double)(n - with));
    *average_precision = precision / (double)with;
    return true;
}

/* Ranks the samples (scratch for n) by output c of e; false if there is nothing to rank. */
static bool rank_output(const gi_evaluation *e, size_t c, ranked *samples, glia_metrics *metrics)
{
    const size_t n = e->dataset->samples;
    const size_t outputs = e->task == GLIA_TASK_LABELS ? gi_network_classes(e->network) : 1;
    for (size_t i = 0; i < n; i++)
        samples[i] = (ranked){e->output[i * outputs + c],
                              e->target ? e->target[i * outputs + c] > 0 : e->label[i] == 1};
    return rank(samples, n, &metrics->roc_auc, &metrics->average_precision);
}

glia_status gi_evaluation_rank(const gi_evaluation *e, glia_metrics *metrics, glia_error *error)
{
    if (!e->output || e->task == GLIA_TASK_VALUES) return GLIA_OK;
    const size_t outputs = e->task == GLIA_TASK_LABELS ? gi_network_classes(e->network) : 1;
    ranked *samples = gi_alloc(e->dataset->samples, sizeof *samples, "a ranking", error);
    if (!samples) return GLIA_NO_MEMORY;
    double areas = 0, precisions = 0;
    size_t n_ranked = 0;
    for (size_t c = 0; c < outputs; c++) {
        glia_metrics own;
        if (!rank_output(e, c, samples, &own)) continue;
        areas += own.roc_auc;
        precisions += own.average_precision;
        n_ranked++;
    }
    gi_free(samples);
    metrics->roc_auc = areas / (double)n_ranked; /* NAN of none */
    metrics->average_precision = precisions / (double)n_ranked;
    return GLIA_OK;
}

/* Of one label: how often it is right, and its ranking. */
static void measure_label(const gi_evaluation *e, size_t c, ranked *samples, glia_metrics *metrics)
{
    const size_t n = e->dataset->samples, outputs = gi_network_classes(e->network);
    size_t right = 0;
    for (size_t i = 0; i < n; i++)
        right += (e->output[i * outputs + c] > 0.5) == (e->target[i * outputs + c] > 0);
    metrics->accuracy = (double)right / (double)n;
    bound_accuracy(metrics, n);
    rank_output(e, c, samples, metrics);
}

glia_status glia_evaluate_sized(const glia_network *network, const glia_dataset *dataset,
                                int threads, glia_metrics *metrics, size_t size,
                                uint64_t *confusion, size_t n_classes, glia_error *error)
{
    const size_t classes = gi_network_classes(network);
    const glia_status fits =
        gi_check_length("classes", confusion ? n_classes : classes, classes, error);
    if (fits) return fits;
    gi_pool *pool;
    glia_status status = gi_pool_create(threads, &pool, error);
    if (status) return status;
    gi_evaluation *evaluation = NULL;
    glia_metrics found;
    status = gi_evaluation_new(network, dataset, pool, 0, &evaluation, error);
    if (!status) {
        found = gi_evaluation_run(evaluation, confusion);
        status = gi_evaluation_rank(evaluation, &found, error);
    }
    if (!status) gi_copy_known(metrics, size, &found, sizeof found);
    gi_evaluation_free(evaluation);
    gi_pool_free(pool);
    return status;
}

glia_status glia_evaluate_targets_sized(const glia_network *network, const glia_dataset *dataset,
                                        int threads, glia_metrics *metrics, size_t size, size_t n,
                                        glia_error *error)
{
    if (glia_loss_task(network->loss) == GLIA_TASK_CLASSES)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "the network has classes, not targets to score");
    if (n != gi_network_classes(network))
        return gi_fail(error, GLIA_BAD_ARGUMENT, "%zu targets: the network has %zu", n,
                       gi_network_classes(network));
    gi_pool *pool;
    glia_status status = gi_pool_create(threads, &pool, error);
    if (status) return status;
    gi_evaluation *evaluation = NULL;
    ranked *samples = NULL;
    status = gi_evaluation_new(network, dataset, pool, 0, &evaluation, error);
    if (!status) {
        samples = gi_alloc(dataset->samples, sizeof *samples, "a ranking", error);
        if (!samples) status = GLIA_NO_MEMORY;
    }
    if (!status) {
        gi_evaluation_run(evaluation, NULL);
        for (size_t c = 0; c < n; c++) {
            glia_metrics found = no_metrics(dataset->samples);
            if (evaluation->task == GLIA_TASK_VALUES)
                measure_target(evaluation, c, &found);
            else
                measure_label(evaluation, c, samples, &found);
            gi_copy_known((char *)metrics + c * size, size, &found, sizeof found);
        }
    }
    gi_free(samples);
    gi_evaluation_free(evaluation);
    gi_pool_free(pool);
    return status;
}
