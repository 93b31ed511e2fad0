/* SPDX-License-Identifier: MIT */
/* Initial weights: Glorot's and He's, chosen by the activation that follows. */
#include "net/init.h"

#include <math.h>

#include "base/memory.h"
#include "base/random.h"

glia_status gi_network_initialise(glia_network *network, glia_init init, uint64_t seed,
                                  glia_error *error)
{
    glia_status status = GLIA_OK;
    for (size_t l = 0; l < network->n_layers && !status; l++) {
        const gi_layer *layer = &network->layers[l];
        const size_t n = layer->n_in * layer->n_out;
        float *weight = gi_alloc(n, sizeof *weight, "initial weights", error); /* (n_out, n_in) */
        float *bias = gi_alloc(layer->n_out, sizeof *bias, "initial weights", error);
        if (!weight || !bias) {
            gi_free(weight);
            gi_free(bias);
            return GLIA_NO_MEMORY;
        }
        glia_init method = init;
        if (method == GLIA_INIT_AUTO)
            method =
                layer->activation == GLIA_RELU ? GLIA_INIT_HE_NORMAL : GLIA_INIT_GLOROT_UNIFORM;
        const bool is_he = method == GLIA_INIT_HE_NORMAL || method == GLIA_INIT_HE_UNIFORM;
        const bool is_normal = method == GLIA_INIT_HE_NORMAL || method == GLIA_INIT_GLOROT_NORMAL;
        const double fan = is_he ? (double)layer->n_in : (double)(layer->n_in + layer->n_out);
        const float deviation = (float)sqrt(2 / fan), bound = (float)sqrt(6 / fan);

        gi_rng rng = gi_rng_make(seed, GI_RANDOM_INIT, 0, l);
        for (size_t i = 0; i < n; i++)
            weight[i] = is_normal ? deviation * gi_rng_normal(&rng)
                                  : bound * (2 * gi_rng_uniform(&rng) - 1);
        status = glia_network_set_layer(network, l, weight, bias, error);
        gi_free(weight);
        gi_free(bias);
    }
    network->record.init = init;
    network->record.init_seed = seed;
    return status;
}
