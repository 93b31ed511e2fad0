/* SPDX-License-Identifier: MIT */
/* Making a network, with Glorot's or He's initial weights by the activation that follows. */
#include "model/settings.h"
#include "net/network.h"

#include <math.h>

#include "base/memory.h"
#include "base/random.h"
#include "compute/activation.h"

/* Draws every layer's weights by init (see GLIA_INIT_LIST), a stream a layer; biases 0. */
static glia_status initialise(glia_network *network, glia_init init, uint64_t seed,
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
            method = gi_activation_is(layer->activation, GI_RECTIFIER) ? GLIA_INIT_HE_NORMAL
                                                                       : GLIA_INIT_GLOROT_UNIFORM;
        const bool is_he = method == GLIA_INIT_HE_NORMAL || method == GLIA_INIT_HE_UNIFORM;
        const bool is_normal = method == GLIA_INIT_HE_NORMAL || method == GLIA_INIT_GLOROT_NORMAL;
        const double fan = is_he ? (double)layer->n_in : (double)(layer->n_in + layer->n_out);
        const float deviation = (float)sqrt(2 / fan), bound = (float)sqrt(6 / fan);

        gi_rng rng = gi_rng_make(seed, GI_RANDOM_INIT, 0, l);
        for (size_t i = 0; i < n; i++)
            weight[i] = is_normal ? deviation * gi_rng_normal(&rng)
                                  : bound * (2 * gi_rng_uniform(&rng) - 1);
        status = glia_network_set_layer(network, l, weight, n, bias, layer->n_out, error);
        gi_free(weight);
        gi_free(bias);
    }
    network->record.init = init;
    network->record.init_seed = seed;
    return status;
}

glia_status glia_network_create(size_t inputs, size_t outputs, const glia_settings *settings,
                                glia_network **out, glia_error *error)
{
    const glia_settings defaults = gi_settings_defaults();
    if (!settings) settings = &defaults;
    glia_status status = gi_settings_check(settings, error);
    if (status) return status;
    glia_activation activations[GLIA_MAX_LAYERS];
    const size_t n_hidden = settings->hidden.n;
    for (size_t l = 0; l < n_hidden; l++) activations[l] = gi_settings_activation(settings, l);

    const gi_engine *engine;
    status = gi_engine_choose(&engine, error);
    if (status) return status;
    glia_network *network;
    status = gi_network_new(inputs, n_hidden, settings->hidden.of, activations, outputs, engine,
                            &network, error);
    if (status) return status;
    for (size_t l = 0; l < n_hidden && settings->batch_norm && !status; l++)
        status = gi_network_normalise(network, l, error);
    network->input.preprocess = gi_settings_preprocess(settings);
    if (settings->loss != GLIA_LOSS_AUTO) network->loss = settings->loss;
    if (!status) status = initialise(network, settings->init, settings->seed, error);
    if (status) {
        glia_network_free(network);
        return status;
    }
    *out = network;
    return GLIA_OK;
}
