/* SPDX-License-Identifier: MIT */
/* The choice of kernels. Its bounds are estimates from the rates of single kernels on one machine.
 */
#include "compute/plan.h"

#include <stdio.h>
#include <string.h>

#include "compute/activation.h"
#include "compute/onednn.h"
#include "config.h"

/* Above it, multiplying the zeros too is faster: dense products reached twice the rate. */
static const double most_dense_for_skipping = 0.45;

/* Multiply-adds of a step below which a second thread costs more than it gives. */
static const double least_shared_work = 3e5;

/*
 * By units, a thread needs so many of them that its rows are long, in parts that are no crooked
 * pieces of panels; otherwise two threads were faster by samples (at 192 units they were even). And
 * so many weights that it pays to keep them in one cache.
 */
enum {
    UNITS_A_THREAD = 96,
    STRAIGHT = 32,           /* a divisor of parts, */
    UNITS_OF_ANY_PART = 256, /* unless they are so large */
    LEAST_BYTES = 96 * 1024
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
    const size_t n = (size_t)threads, part = layer->ld / n;
    return part >= UNITS_A_THREAD &&
           (layer->ld % (n * STRAIGHT) == 0 || part >= UNITS_OF_ANY_PART) &&
           layer->n_in * layer->ld * sizeof(float) >= LEAST_BYTES;
}

uint64_t gi_plan_staged(const gi_layer *layers, size_t n_layers, double dropout, bool onednn)
{
    uint64_t staged = 0;
    for (size_t l = 0; l + 1 < n_layers; l++) {
        const bool is = layers[l].scale || dropout > 0 ||
                        gi_activation_is(layers[l].activation, GI_BY_SUM) ||
                        (onednn && !gi_activation_is(layers[l].activation, GI_IN_ONEDNN));
        staged |= (uint64_t)is << l;
    }
    return staged;
}

#ifdef GLIA_HAS_ONEDNN
static const bool has_onednn = true;
#else
static const bool has_onednn = false;
#endif

/* Why there is no bf16, which may be the CPU or what a variable says: the cure differs. */
static glia_status check_bf16(const gi_engine *reference, glia_error *error)
{
    if (!gi_cpu_has_bf16())
        return gi_fail(error, GLIA_UNSUPPORTED,
                       "precision bf16: this CPU has no instructions for it (avx512_bf16); use "
                       "f32, which is faster here");
    if (strcmp(reference->isa, "avx512") != 0)
        return gi_fail(error, GLIA_UNSUPPORTED,
                       "precision bf16: the environment variable GLIA_CPU allows %s at most, and "
                       "bf16 needs avx512; unset it, or use f32",
                       reference->isa);
    if (!gi_onednn_has_bf16())
        return gi_fail(error, GLIA_UNSUPPORTED,
                       "precision bf16: oneDNN is limited to %s in this process, and needs "
                       "avx512_core_bf16, which this CPU has; unset the environment variable "
                       "ONEDNN_MAX_CPU_ISA, or use f32",
                       gi_onednn_isa());
    return GLIA_OK;
}

/* Whether the request can be met by this build on this CPU. */
static glia_status check(const gi_plan_request *q, glia_error *error)
{
    const bool bf16 = q->precision == GLIA_PRECISION_BF16;
    if ((size_t)q->engine > GLIA_ENGINE_ONEDNN)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "engine: found %d, expected one of GLIA_ENGINE_LIST", (int)q->engine);
    if ((size_t)q->precision > GLIA_PRECISION_BF16)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "precision: found %d, expected one of GLIA_PRECISION_LIST",
                       (int)q->precision);
    if ((q->engine == GLIA_ENGINE_ONEDNN || bf16) && !has_onednn)
        return gi_fail(error, GLIA_UNSUPPORTED,
                       "%s: this build of glia is without oneDNN, which computes it; use %s, or a "
                       "build with oneDNN (libdnnl-dev)",
                       bf16 ? "precision bf16" : "engine onednn", bf16 ? "f32" : "auto");
    if (bf16 && q->engine != GLIA_ENGINE_AUTO && q->engine != GLIA_ENGINE_ONEDNN)
        return gi_fail(error, GLIA_UNSUPPORTED,
                       "precision bf16: engine %s computes in f32; use engine auto or onednn",
                       glia_engine_name(q->engine));
    return bf16 ? check_bf16(q->reference, error) : GLIA_OK;
}

/* Says what computes, and why. */
static void describe(const gi_plan_request *q, gi_plan *plan)
{
    const double percent = 100 * q->density;
    const bool not_so = q->engine == GLIA_ENGINE_ONEDNN || q->precision == GLIA_PRECISION_BF16;
    const char *what = plan->one_by_one && not_so     ? "a fused step a sample, not by oneDNN"
                       : plan->one_by_one             ? "a fused step a sample, skips zeros"
                       : plan->onednn                 ? "dense products by oneDNN"
                       : plan->sparse                 ? "skips zeros"
                       : plan->engine == q->reference ? "plain loops, skip zeros"
                                                      : "dense products";
    snprintf(plan->kernels, sizeof plan->kernels, "%s (%.0f %% of the inputs are not zero)", what,
             percent);
    plan->sharing = plan->one_by_one             ? "one thread"
                    : plan->threads < q->threads ? "too small to share out"
                    : plan->threads == 1         ? "one thread"
                    : plan->n_by_units > 0       ? "shared out by units"
                                                 : "shared out by samples";
}

glia_status gi_plan_make(const gi_plan_request *q, gi_plan *out, glia_error *error)
{
    const glia_status status = check(q, error);
    if (status) return status;
    const gi_engine *native =
        q->reference->element_bytes == sizeof(float) ? gi_engine_native(q->reference) : NULL;
    gi_plan plan = {.engine = q->reference, .precision = q->precision};
    if (q->engine != GLIA_ENGINE_REFERENCE && native) plan.engine = native;
    plan.one_by_one = q->batch == 1 && q->for_training && q->is_plain && !q->standardises &&
                      gi_plan_staged(q->layers, q->n_layers, q->dropout, false) == 0;
    if (plan.one_by_one) plan.precision = GLIA_PRECISION_F32; /* its products are no matrices */
    plan.onednn = !plan.one_by_one &&
                  (q->engine == GLIA_ENGINE_ONEDNN || q->precision == GLIA_PRECISION_BF16);
    plan.name = plan.onednn ? "onednn" : plan.engine->name;
    const bool is_native = !plan.onednn && plan.engine == native;
    plan.bytes = is_native && q->type == GLIA_TYPE_U8 && q->input_noise == 0 && !q->standardises;
    plan.changes_floats =
        (q->input_noise > 0 || q->input_dropout > 0 || q->standardises) && !plan.bytes;
    plan.sparse = is_native && !plan.changes_floats && gi_plan_skips_zeros(q->density);
    plan.most_pairs = plan.sparse || plan.one_by_one ? q->most_pairs : 0;
    plan.staged =
        gi_plan_staged(q->layers, q->n_layers, q->for_training ? q->dropout : 0, plan.onednn);

    const double work = (double)q->batch * (q->for_training ? 3 : 1) *
                        gi_plan_forward_work(q->layers, q->n_layers, plan.sparse ? q->density : 1);
    plan.threads = gi_plan_is_worth_sharing(work) && !plan.one_by_one ? q->threads : 1;
    while (plan.n_by_units + 1 < q->n_layers &&
           serves_by_units(&q->layers[plan.n_by_units], plan.threads))
        plan.n_by_units++;
    /* a normalised unit needs all samples: its layer, and those below, are shared out by units */
    for (size_t l = plan.n_by_units; l + 1 < q->n_layers && q->for_training; l++)
        if (q->layers[l].scale) plan.n_by_units = l + 1;
    describe(q, &plan);
    *out = plan;
    return GLIA_OK;
}
