/* SPDX-License-Identifier: MIT */
/* The choice of kernels. The bounds are measured; docs/performance.md says where. */
#include "compute/plan.h"

#include <stdio.h>

/* Above it, multiplying the zeros too is faster: dense products reach twice the rate. */
static const double most_dense_for_skipping = 0.45;

/* Multiply-adds of a step below which a second thread costs more than it gives. */
static const double least_shared_work = 3e5;

enum {
    UNITS_A_THREAD = 32,             /* fewer make short rows */
    LEAST_BYTES_BY_UNITS = 96 * 1024 /* weights that are worth a barrier to keep in one cache */
};

bool gi_plan_skips_zeros(double density)
{
    return density < most_dense_for_skipping;
}

bool gi_plan_is_worth_sharing(double work)
{
    return work >= least_shared_work;
}

double gi_plan_forward_work(const gi_layer *layers, size_t n_layers, double density)
{
    double work = 0;
    for (size_t l = 0; l < n_layers; l++)
        work += (l == 0 ? density : 1) * (double)layers[l].n_in * (double)layers[l].ld;
    return work;
}

static bool serves_by_units(const gi_layer *layer, int threads)
{
    return layer->ld >= (size_t)threads * UNITS_A_THREAD &&
           layer->n_in * layer->ld * sizeof(float) >= LEAST_BYTES_BY_UNITS;
}

glia_status gi_plan_make(const gi_plan_request *q, gi_plan *out, glia_error *error)
{
    const gi_engine *native =
        q->reference->element_bytes == sizeof(float) ? gi_engine_native(q->reference) : NULL;
    gi_plan plan = {.engine = q->reference, .precision = q->precision};
    if (q->precision != GLIA_PRECISION_F32)
        return gi_fail(error, GLIA_UNSUPPORTED,
                       "precision bf16: this build of glia has no oneDNN, "
                       "which computes it; use f32");
    if (q->engine == GLIA_ENGINE_ONEDNN)
        return gi_fail(error, GLIA_UNSUPPORTED,
                       "engine onednn: this build of glia is without it; use auto");
    if (q->engine != GLIA_ENGINE_REFERENCE && native) plan.engine = native;
    plan.sparse = plan.engine->forward_sparse && gi_plan_skips_zeros(q->density);

    const double work = (double)q->batch * (q->for_training ? 3 : 1) *
                        gi_plan_forward_work(q->layers, q->n_layers, plan.sparse ? q->density : 1);
    const bool shared = gi_plan_is_worth_sharing(work) && (q->batch > 1 || !q->for_training);
    plan.threads = shared ? q->threads : 1;
    while (plan.n_by_units + 1 < q->n_layers &&
           serves_by_units(&q->layers[plan.n_by_units], plan.threads))
        plan.n_by_units++;

    plan.sharing = plan.threads < q->threads ? "too small to share out"
                   : plan.threads == 1       ? "one thread"
                   : plan.n_by_units > 0     ? "shared out by units"
                                             : "shared out by samples";
    const double percent = 100 * q->density;
    if (q->batch == 1 && q->for_training)
        snprintf(plan.kernels, sizeof plan.kernels,
                 "a fused step a sample, skips zeros (%.0f %% of the inputs are not)", percent);
    else if (plan.sparse)
        snprintf(plan.kernels, sizeof plan.kernels, "skips zeros (%.0f %% of the inputs are not)",
                 percent);
    else if (plan.engine == q->reference)
        snprintf(plan.kernels, sizeof plan.kernels, "plain loops, as asked for");
    else
        snprintf(plan.kernels, sizeof plan.kernels,
                 "dense products (%.0f %% of the inputs are not zero)", percent);
    *out = plan;
    return GLIA_OK;
}
