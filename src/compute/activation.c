/* SPDX-License-Identifier: MIT */
/* What is asked about activations, see activation.h. */
#include "compute/activation.h"

static const struct {
    int traits;
    float low, high;
} activations[] = {
#define X(name, traits, low, high, ...) [GLIA_##name] = {traits, (float)(low), (float)(high)},
    GI_ACTIVATIONS(X)
#undef X
        [GLIA_SOFTMAX] = {0, -INFINITY, INFINITY},
};

bool gi_activation_is(glia_activation f, int trait)
{
    return activations[f].traits & trait;
}

bool glia_activation_range(glia_activation f, float *low, float *high)
{
    if ((size_t)f >= sizeof activations / sizeof *activations) return false;
    if (isinf(activations[f].low) && isinf(activations[f].high)) return false;
    *low = activations[f].low;
    *high = activations[f].high;
    return true;
}
