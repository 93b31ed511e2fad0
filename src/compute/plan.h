/* SPDX-License-Identifier: MIT */
/*
 * The plan of a run: which kernels compute, whether the first layer skips zeros, and how threads
 * share each layer. Made once from shapes, batch, density and machine; it can say what it chose.
 */
#ifndef GLIA_COMPUTE_PLAN_H
#define GLIA_COMPUTE_PLAN_H

#include "compute/engine.h"

typedef struct gi_plan_request {
    const gi_layer *layers;
    size_t n_layers;
    size_t batch;      /* samples that go through together */
    glia_type type;    /* of the inputs */
    double density;    /* the part of the inputs that is not zero */
    size_t most_pairs; /* of samples that can be read by their non-zeros: the most of one; else 0 */
    int threads;       /* that there are */
    glia_engine engine;
    glia_precision precision;
    bool standardises;          /* the inputs, which then are floats and none of them 0 */
    const gi_engine *reference; /* of the network: type and level of instruction set */
    bool for_training;
    /* Of training alone: */
    double dropout, input_dropout, input_noise; /* as in glia_settings */
    bool is_plain; /* SGD and nothing else, so that a sample's step can be one kernel */
} gi_plan_request;

typedef struct gi_plan {
    const gi_engine *engine;
    glia_precision precision;
    const char *name;    /* of what computes, for people: the engine's, or "onednn" */
    bool onednn;         /* layers by oneDNN; engine does what lies around them */
    bool one_by_one;     /* batch 1: a fused step a sample, by one thread */
    bool sparse;         /* the first layer multiplies the non-zeros of its samples alone */
    bool bytes;          /* it reads the samples' bytes as they are */
    size_t most_pairs;   /* samples come by their non-zeros, at most so many; 0: as they are */
    bool changes_floats; /* inputs are standardised, or have noise or dropout that bytes cannot */
    int threads;         /* at most those that there are */
    /*
     * Layers 0 .. n_by_units-1 are shared out by units: a thread computes and updates its part of
     * the columns of W, which so stay in its cache. The others are shared out by samples, and
     * updated by rows of W.
     */
    size_t n_by_units;
    /*
     * Bit l: layer l's products leave its sums as they are, and gi_engine.units_forward makes its
     * activations of them.
     */
    uint64_t staged;
    char kernels[GLIA_PLAN_TEXT / 2]; /* what was chosen, and why */
    const char *sharing;              /* ... of how threads share it out; static */
} gi_plan;

/* gi_plan.staged of such layers; dropout is of training alone. */
uint64_t gi_plan_staged(const gi_layer *layers, size_t n_layers, double dropout, bool onednn);

/* Whether samples come as lists of their non-zeros; those of bytes are found as they lie. */
static inline bool gi_plan_reads_lists(const gi_plan *plan)
{
    return plan->one_by_one || (plan->sparse && !plan->bytes);
}

static inline bool gi_is_staged(const gi_plan *plan, size_t layer)
{
    return plan->staged >> layer & 1;
}

/* Multiply-adds of the forward pass of one sample, of the first layer those with a density. */
double gi_plan_forward_work(const gi_layer *layers, size_t n_layers, double density);

/* Whether so many multiply-adds are worth a hand-over to other threads. */
bool gi_plan_is_worth_sharing(double work);

/* Whether so few inputs are not zero that skipping the zeros is faster than multiplying them. */
bool gi_plan_skips_zeros(double density);

/*
 * BAD_ARGUMENT for an engine or precision that does not exist, UNSUPPORTED if this build or this
 * CPU cannot do what the request insists on.
 */
glia_status gi_plan_make(const gi_plan_request *request, gi_plan *out, glia_error *error);

#endif
