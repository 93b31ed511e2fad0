/* SPDX-License-Identifier: MIT */
/* A look into a network while it learns. */
#include "infer/probe.h"

#include <math.h>

#include "base/memory.h"
#include "feed/loader.h"
#include "net/workspace.h"

struct gi_probe {
    const glia_network *network;
    const glia_dataset *dataset;
    size_t rows;
    gi_plan plan;
    gi_workspace workspace;
    gi_scratch scratch;
    size_t *n_high, *n_low; /* (units of the widest layer): samples at an end of the range */
};

/*
 * A unit has reached an end of its range within 1 % of the range's length: the slope of sigmoid and
 * tanh is there 4 % of the steepest. It is saturated when nine samples of ten find it so.
 */
static const double end_of_range = 0.01, most_samples = 0.9;

size_t gi_spread_index(size_t i, size_t n, size_t samples)
{
    if (n >= samples) return i;
    /* i times the golden ratio, modulo 1, in 32 bits */
    const uint32_t part = (uint32_t)i * 0x9E3779B9u;
    return (size_t)((uint64_t)part * samples >> 32);
}

/* Puts the samples where they stay: a pass does not change them. */
static glia_status load(gi_probe *p, glia_error *error)
{
    const gi_loader_params loading = {
        .network = p->network, .plan = &p->plan, .dataset = p->dataset, .n_threads = 1};
    gi_loader *loader = NULL;
    const glia_status status = gi_loader_new(&loading, &loader, error);
    for (size_t r = 0; r < p->rows && !status; r++)
        gi_loader_load(loader, 0, 0, gi_spread_index(r, p->rows, p->dataset->samples), 0,
                       &p->workspace, r);
    gi_loader_free(loader);
    return status;
}

glia_status gi_probe_new(const glia_network *network, const glia_dataset *dataset, double density,
                         size_t rows, gi_probe **out, glia_error *error)
{
    gi_probe *p = gi_alloc(1, sizeof *p, "a probe", error);
    if (!p) return GLIA_NO_MEMORY;
    p->network = network;
    p->dataset = dataset;
    p->rows = rows < dataset->samples ? rows : dataset->samples;
    glia_status status = gi_plan_inference(
        network, dataset->type, density, gi_dataset_most_pairs(dataset), p->rows, &p->plan, error);
    p->plan.n_by_units = 0; /* one thread: all gradients in one go */
    if (!status) status = gi_workspace_new(network, &p->plan, p->rows, true, &p->workspace, error);
    p->workspace.is_frozen = true;
    if (!status) status = gi_scratch_new(network, p->rows, &p->scratch, error);
    size_t widest = 0;
    for (size_t l = 0; l < network->n_layers; l++)
        if (network->layers[l].ld > widest) widest = network->layers[l].ld;
    if (!status) {
        p->n_high = gi_alloc(widest, sizeof *p->n_high, "a probe", error);
        p->n_low = gi_alloc(widest, sizeof *p->n_low, "a probe", error);
        if (!p->n_high || !p->n_low) status = GLIA_NO_MEMORY;
    }
    if (!status) status = load(p, error);
    if (status) {
        gi_probe_free(p);
        return status;
    }
    *out = p;
    return GLIA_OK;
}

void gi_probe_free(gi_probe *p)
{
    if (!p) return;
    gi_workspace_free(&p->workspace);
    gi_scratch_free(&p->scratch);
    gi_free(p->n_high);
    gi_free(p->n_low);
    gi_free(p);
}

/* The parts of a layer's units that are stuck at an end of their range. */
static void look_at_units(gi_probe *p, size_t l, gi_layer_state *state)
{
    const gi_layer *layer = &p->network->layers[l];
    const size_t units = layer->n_out;
    float low, high;
    if (!glia_activation_range(layer->activation, &low, &high)) return;
    const bool relu = isinf(high); /* below its end it passes nothing on */
    const float margin = relu ? 0 : (float)end_of_range * (high - low);
    for (size_t u = 0; u < units; u++) p->n_low[u] = p->n_high[u] = 0;
    for (size_t r = 0; r < p->rows; r++) {
        const float *a = (const float *)((const char *)p->workspace.activation[l] +
                                         r * p->workspace.row_bytes[l + 1]);
        for (size_t u = 0; u < units; u++) {
            p->n_low[u] += a[u] <= low + margin;
            p->n_high[u] += a[u] >= high - margin;
        }
    }
    size_t dead = 0, saturated = 0;
    for (size_t u = 0; u < units; u++) {
        dead += p->n_low[u] == p->rows;
        saturated += (double)(p->n_low[u] + p->n_high[u]) >= most_samples * (double)p->rows;
    }
    if (relu)
        state->dead = (double)dead / (double)units;
    else
        state->saturated = (double)saturated / (double)units;
}

static double rms_gradient(const gi_probe *p, size_t l)
{
    const size_t units = p->network->layers[l].n_out;
    double sum = 0;
    for (size_t r = 0; r < p->rows; r++) {
        const float *d =
            (const float *)((const char *)p->workspace.diff[l] + r * p->workspace.row_bytes[l + 1]);
        float of_row = 0;
        for (size_t u = 0; u < units; u++) of_row += d[u] * d[u];
        sum += (double)of_row;
    }
    return sqrt(sum / ((double)units * (double)p->rows));
}

void gi_probe_run(gi_probe *p, gi_state *out)
{
    const size_t n_layers = p->network->n_layers;
    const gi_crew crew = {.thread = 0, .n_threads = 1, .scratch = &p->scratch};
    *out = (gi_state){0};
    gi_network_forward(p->network, &p->plan, &p->workspace, 0, p->rows, &p->scratch);
    gi_network_loss(p->network, &p->plan, &p->workspace, 0, p->rows, p->rows);
    gi_step_backward(p->network, &p->plan, &p->workspace, p->rows, &crew);
    for (size_t r = 0; r < p->rows; r++) out->loss += p->workspace.loss[r] / (double)p->rows;
    for (size_t l = 0; l < n_layers; l++) {
        if (l + 1 < n_layers) look_at_units(p, l, &out->layers[l]);
        out->layers[l].gradient = rms_gradient(p, l);
    }
}
