/* SPDX-License-Identifier: MIT */
/* What is asked about activations, see activation.h. */
#include "compute/activation.h"

static const struct {
    int traits;
    float low, high;
} activations[] = {
#define X(name, traits, low, high, ...)                                                            \
    [GLIA_ACTIVATION_##name] = {traits, (float)(low), (float)(high)},
    GI_ACTIVATIONS(X)
#undef X
};

/* Softmax has a number beyond: no trait, no end. */
static const size_t n_activations = sizeof activations / sizeof *activations;

bool gi_activation_is(glia_activation f, int trait)
{
    return (size_t)f < n_activations && activations[f].traits & trait;
}

bool glia_activation_range(glia_activation f, float *low, float *high)
{
    if ((size_t)f >= n_activations) return false;
    if (isinf(activations[f].low) && isinf(activations[f].high)) return false;
    *low = activations[f].low;
    *high = activations[f].high;
    return true;
}
