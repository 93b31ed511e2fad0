/* SPDX-License-Identifier: MIT */
/* Loss, accuracy and confusion matrix of a network on a data set. */
#include "train/metrics.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "net/workspace.h"

enum { TILE = 64 }; /* samples that go through the network together */

/* Every sample's loss and predicted class are written to its own place, then summed in order. */
struct gi_evaluation {
    const glia_network *network;
    const glia_dataset *dataset;
    gi_plan plan;
    gi_pool *pool;
    double *loss;        /* (samples) */
    uint32_t *predicted; /* (samples) */
    uint32_t *label;     /* (samples) */
    struct evaluator {   /* one a thread */
        gi_workspace workspace;
        gi_scratch scratch;
        float *probabilities; /* (TILE, classes) */
        uint8_t *row;         /* for images that are drawn as needed */
    } * evaluators;
};

static void evaluate_slice(void *context, int thread, int n_threads)
{
    const gi_evaluation *e = context;
    struct evaluator *own = &e->evaluators[thread];
    gi_workspace *w = &own->workspace;
    const glia_network *network = e->network;
    const size_t classes = gi_network_classes(network);
    size_t begin, end;
    gi_slice(e->dataset->samples, TILE, thread, n_threads, &begin, &end);
    for (size_t first = begin; first < end; first += TILE) {
        const size_t rows = end - first < TILE ? end - first : TILE;
        for (size_t r = 0; r < rows; r++)
            gi_workspace_load(network, &e->plan, w, r, e->dataset->type,
                              gi_dataset_row(e->dataset, 0, first + r, own->row, &w->labels[r]));
        gi_network_forward(network, &e->plan, w, 0, rows, &own->scratch);
        e->plan.engine->softmax(w->activation[network->n_layers - 1], classes, own->probabilities,
                                rows);
        gi_network_loss(network, &e->plan, w, 0, rows, rows);
        for (size_t r = 0; r < rows; r++) {
            const float *p = own->probabilities + r * classes;
            uint32_t best = 0;
            for (uint32_t c = 1; c < classes; c++)
                if (p[c] > p[best]) best = c;
            e->predicted[first + r] = best;
            e->label[first + r] = w->labels[r];
            e->loss[first + r] = w->loss[r];
        }
    }
}

glia_status gi_check_fit(const glia_network *network, const glia_dataset *dataset,
                         glia_error *error)
{
    const size_t inputs = gi_network_inputs(network), classes = gi_network_classes(network);
    if (dataset->features != inputs)
        return gi_fail(error, GLIA_MISMATCH,
                       "%s: its samples have %zu features, but the network reads %zu; use the data "
                       "set that the network was made for",
                       dataset->name, dataset->features, inputs);
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
    return gi_network_check_images(network, dataset->type, dataset->name, error);
}

void gi_evaluation_free(gi_evaluation *e)
{
    if (!e) return;
    const int n_threads = e->evaluators ? gi_pool_threads(e->pool) : 0;
    for (int t = 0; t < n_threads; t++) {
        gi_workspace_free(&e->evaluators[t].workspace);
        gi_scratch_free(&e->evaluators[t].scratch);
        gi_free(e->evaluators[t].probabilities);
        gi_free(e->evaluators[t].row);
    }
    gi_free(e->evaluators);
    gi_free(e->loss);
    gi_free(e->predicted);
    gi_free(e->label);
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
    status = gi_plan_inference(network, dataset->type, density, TILE, &e->plan, error);
    e->network = network;
    e->dataset = dataset;
    e->pool = pool;
    e->loss = gi_alloc(n, sizeof *e->loss, "losses", error);
    e->predicted = gi_alloc(n, sizeof *e->predicted, "predictions", error);
    e->label = gi_alloc(n, sizeof *e->label, "labels", error);
    e->evaluators = gi_alloc(n_threads, sizeof *e->evaluators, "evaluation", error);
    if (!e->loss || !e->predicted || !e->label || !e->evaluators) status = GLIA_NO_MEMORY;
    for (size_t t = 0; t < n_threads && !status; t++) {
        struct evaluator *own = &e->evaluators[t];
        status = gi_workspace_new(network, &e->plan, TILE, false, &own->workspace, error);
        own->workspace.smoothing = smoothing;
        if (!status) status = gi_scratch_new(network, 0, &own->scratch, error);
        if (status) break;
        own->probabilities = gi_alloc(TILE, classes * sizeof(float), "probabilities", error);
        own->row = gi_alloc(1, gi_dataset_row_bytes(dataset), "a sample", error);
        if (!own->probabilities || !own->row) status = GLIA_NO_MEMORY;
    }
    if (status)
        gi_evaluation_free(e);
    else
        *out = e;
    return status;
}

glia_metrics gi_evaluation_run(gi_evaluation *e, uint64_t *confusion)
{
    const size_t n = e->dataset->samples, classes = gi_network_classes(e->network);
    gi_pool_run(e->pool, evaluate_slice, e);
    double loss = 0;
    size_t correct = 0;
    if (confusion) memset(confusion, 0, classes * classes * sizeof *confusion);
    for (size_t i = 0; i < n; i++) {
        loss += e->loss[i];
        correct += e->predicted[i] == e->label[i];
        if (confusion) confusion[e->label[i] * classes + e->predicted[i]]++;
    }
    const double accuracy = (double)correct / (double)n;
    return (glia_metrics){
        .samples = n,
        .loss = loss / (double)n,
        .accuracy = accuracy,
        .standard_error = sqrt(accuracy * (1 - accuracy) / (double)n),
    };
}

glia_status glia_evaluate(const glia_network *network, const glia_dataset *dataset, int threads,
                          glia_metrics *metrics, uint64_t *confusion, glia_error *error)
{
    gi_pool *pool;
    glia_status status = gi_pool_create(threads, &pool, error);
    if (status) return status;
    gi_evaluation *evaluation = NULL;
    status = gi_evaluation_new(network, dataset, pool, 0, &evaluation, error);
    if (!status) *metrics = gi_evaluation_run(evaluation, confusion);
    gi_evaluation_free(evaluation);
    gi_pool_free(pool);
    return status;
}
