/* SPDX-License-Identifier: MIT */
/*
 * A network: fully connected layers, what it knows about its data, and how it came to be. The
 * passes of a batch through it are workspace.h's.
 */
#ifndef GLIA_NET_NETWORK_H
#define GLIA_NET_NETWORK_H

#include "base/status.h"
#include "compute/engine.h"
#include "model/lineage.h"
#include "model/schema.h"
#include "model/settings.h"

/* How the samples that a network was trained on are to be read. */
typedef struct gi_input_form {
    size_t height, width, channels; /* of images, else 0 */
    int form;            /* enum gi_image_form; the network stores it and knows no more of it */
    bool from_zero;      /* sparse text that it learned from counts its features from 0 */
    double divisor;      /* x enters as x / divisor */
    unsigned preprocess; /* flags of glia_preprocess; those of the network, not of its data */
    /*
     * GLIA_PREPROCESS_STANDARDISE: input i enters as (x / divisor - mean[i % n]) / scale[i % n], n
     * being n_scales, the channels of images or the number of inputs. Both in one block at mean;
     * NULL: it does not, or has learned nothing yet.
     */
    double *mean, *scale;
    size_t n_scales;
} gi_input_form;

/* The flags of preprocess that are of images. */
enum { GI_STRAIGHTEN = GLIA_PREPROCESS_DESKEW | GLIA_PREPROCESS_CENTRE };

/*
 * What the outputs of a network for values mean: an output of y stands for y scale + mean, so that
 * it learns targets of mean 0 and standard deviation 1. Both (outputs), in one block at mean; NULL:
 * 0 and 1, of a network that has learned nothing yet, or that has no values.
 */
typedef struct gi_output_form {
    double *mean, *scale;
} gi_output_form;

/* How a network came to be, kept in its model file. Nothing here depends on threads or time. */
typedef struct gi_training_record {
    glia_init init;
    uint64_t init_seed;
    bool trained; /* whether what follows is set */
    char dataset[256];
    size_t samples, validation_samples;
    gi_learned_rows rows;
    char id[256]; /* the column that named its rows, which predictions repeat; or "" */
    /* Settled: nothing that is recorded is automatic but lr_end; what is not looked at is 0. Its
     * class weights are owned by the network. */
    glia_settings settings;
    char engine[16], isa[16]; /* what computed; empty in files of glia before it kept them */
    glia_precision precision;
    char plan[GLIA_PLAN_TEXT / 2]; /* what was chosen, and why */
    size_t epochs_done, best_epoch;
    double train_loss, validation_loss; /* NAN where there is none */
} gi_training_record;

/*
 * Invariants: 1 <= n_layers <= GLIA_MAX_LAYERS; layers[0].n_in is the number of inputs, each
 * layer's n_in the n_out of the one before; the last layer's activation is identity, its outputs
 * are what the loss says.
 */
struct glia_network {
    const gi_engine *engine;
    size_t n_layers;
    gi_layer layers[GLIA_MAX_LAYERS];
    glia_loss loss; /* not auto */
    gi_input_form input;
    gi_output_form output; /* of values */
    char **class_names;    /* (classes) or names of the outputs, one block */
    gi_schema *schema;     /* how rows of a table are read; NULL: it was made for no table */
    gi_training_record record;
};

size_t gi_network_inputs(const glia_network *network);
size_t gi_network_classes(const glia_network *network); /* or outputs */

/* "softmax", ...: what its outputs are. */
glia_activation gi_output_activation(glia_loss loss);

/*
 * A power of two near the scale of the outputs, if squares of that would leave the range of a
 * double; else 1.
 */
double gi_network_output_unit(const glia_network *network);

/* A form of outputs, 0 and 1; to be freed with gi_free(form.mean). */
glia_status gi_output_form_new(size_t outputs, gi_output_form *out, glia_error *error);

/* Room for the scales of inputs, 0 and 1; to be freed with gi_free(form->mean). */
glia_status gi_input_scales_new(size_t n, gi_input_form *form, glia_error *error);

/* Targets (n) of a data set, from output `first` on, as what the last layer's sums are to be. */
void gi_network_scale_targets(const glia_network *network, size_t first, size_t n,
                              const double *targets, float *scaled);

/* Refuses samples that a network which deskews or centres cannot read: MISMATCH. */
glia_status gi_network_check_images(const glia_network *network, glia_type type, const char *what,
                                    glia_error *error);

/* A network with zeroed parameters, for cross-entropy; hidden and activations as in
 * glia_settings. */
glia_status gi_network_new(size_t inputs, size_t n_hidden, const size_t *hidden,
                           const glia_activation *activations, size_t classes,
                           const gi_engine *engine, glia_network **out, glia_error *error);

/* Makes a hidden layer a normalised one, which changes nothing yet: scale 1, shift 0, mean 0,
 * variance 1; its bias becomes 0, and is not learned. */
glia_status gi_network_normalise(glia_network *network, size_t layer, glia_error *error);

/* The vectors of a layer are these, of gi_layer_vectors: the bias and, if it is normalised, the
 * rest. */
void gi_layer_take_vectors(gi_layer *layer, void *vectors, size_t element_bytes,
                           bool is_normalised);

/* What is kept of a layer's parameters, and beside them: gi_layer.weight or the vectors from bias
 * on.
 */
size_t gi_weight_bytes(const glia_network *network, size_t layer);
size_t gi_vector_bytes(const glia_network *network, size_t layer);
static inline void *gi_parameters(const gi_layer *layer, int block)
{
    return block ? layer->bias : layer->weight;
}
static inline size_t gi_parameter_bytes(const glia_network *network, size_t layer, int block)
{
    return block ? gi_vector_bytes(network, layer) : gi_weight_bytes(network, layer);
}

/* As large as all the parameters of a network, zeroed: (n_layers), to be freed by gi_shadows_free.
 */
glia_status gi_shadows_new(const glia_network *network, const char *what, gi_shadow **out,
                           glia_error *error);
void gi_shadows_free(gi_shadow *shadows, size_t n_layers);

/* Copies class names in (NULL: numbers). */
glia_status gi_network_set_class_names(glia_network *network, const char *const *names,
                                       glia_error *error);

#endif
