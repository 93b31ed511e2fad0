/* SPDX-License-Identifier: MIT */
/*
 * A network's shape as tests write it down, and the network of it. Tests set settings as the fields
 * of their struct; test_settings.c sets them by name.
 */
#ifndef GLIA_TESTS_SHAPE_H
#define GLIA_TESTS_SHAPE_H

#include <string.h>

#include "model/settings.h"

typedef struct shape {
    size_t inputs, classes;
    size_t n_hidden;
    const size_t *hidden;               /* (n_hidden) */
    const glia_activation *activations; /* (n_hidden); NULL: all as activation */
    glia_activation activation;
    unsigned preprocess; /* flags of glia_preprocess */
    bool batch_norm;
    glia_loss loss;
    glia_init init;
    uint64_t seed;
} shape;

/* Without hidden layers. */
static inline shape shape_of(size_t inputs, size_t classes)
{
    return (shape){
        .inputs = inputs, .classes = classes, .activation = GLIA_ACTIVATION_RELU, .seed = 1};
}

static inline glia_status shape_network(const shape *s, glia_network **out, glia_error *error)
{
    glia_settings settings = gi_settings_defaults();
    const size_t n = s->n_hidden <= GI_MAX_HIDDEN ? s->n_hidden : GI_MAX_HIDDEN;
    settings.hidden.n = s->n_hidden;
    if (s->hidden) memcpy(settings.hidden.of, s->hidden, n * sizeof *s->hidden);
    settings.activation = (gi_activation_list){1, {s->activation}};
    if (s->activations && n > 0) {
        settings.activation.n = s->n_hidden;
        memcpy(settings.activation.of, s->activations, n * sizeof *s->activations);
    }
    settings.deskew = (s->preprocess & GLIA_PREPROCESS_DESKEW) != 0;
    settings.centre = (s->preprocess & GLIA_PREPROCESS_CENTRE) != 0;
    settings.standardise = s->preprocess & GLIA_PREPROCESS_STANDARDISE ? GI_YES : GI_AUTO;
    settings.batch_norm = s->batch_norm;
    settings.loss = s->loss;
    settings.init = s->init;
    settings.seed = s->seed;
    return glia_network_create(s->inputs, s->classes, &settings, out, error);
}

/* Distortions of training images as one struct. */
static inline void set_augmentation(glia_settings *settings, const glia_augmentation *how)
{
    settings->shift = how->shift;
    settings->rotation = how->rotation;
    settings->scale = how->scale;
    settings->shear = how->shear;
    settings->elastic_alpha = how->elastic_alpha;
    settings->elastic_sigma = how->elastic_alpha > 0 ? how->elastic_sigma : (double)NAN;
    settings->augment_fade = how->fade;
    settings->augment_fade_to = how->fade_to;
}

/* glia_augment, by such a struct. */
static inline glia_status augment(const glia_augmentation *how, const uint8_t *images, size_t n,
                                  size_t height, size_t width, uint64_t seed, size_t epoch,
                                  size_t first, uint8_t *out, glia_error *error)
{
    glia_settings settings = gi_settings_defaults();
    set_augmentation(&settings, how);
    return glia_augment(&settings, images, n, height, width, seed, epoch, first, out, error);
}

#endif
