/* SPDX-License-Identifier: MIT */
/*
 * A look into a network while it learns: a few fixed training samples go through it, forward and
 * backward, in buffers of the probe's own and by one thread, so that nothing of the training
 * changes, whatever its engine, precision and batch are.
 */
#ifndef GLIA_INFER_PROBE_H
#define GLIA_INFER_PROBE_H

#include "data/set/dataset.h"
#include "net/network.h"

typedef struct gi_probe gi_probe;

/* What a hidden layer made of the samples. */
typedef struct gi_layer_state {
    double dead;      /* relu: the part of its units that were 0 for all of them; else 0 */
    double saturated; /* sigmoid, tanh: the part of its units that hardly left the ends of their
                         range; else 0 */
    double gradient;  /* rms of dJ/dz, J being the mean loss; of the output layer too */
} gi_layer_state;

typedef struct gi_state {
    double loss; /* mean over the samples */
    gi_layer_state layers[GLIA_MAX_LAYERS];
} gi_state;

/* With at most `rows` samples, spread over the set, of which density is not zero. Borrows both. */
glia_status gi_probe_new(const glia_network *network, const glia_dataset *dataset, double density,
                         size_t rows, gi_probe **out, glia_error *error);
void gi_probe_free(gi_probe *probe);

/* The network must not be written meanwhile. */
void gi_probe_run(gi_probe *probe, gi_state *out);

/*
 * The i-th of n indices spread over 0..samples-1, for i < n: no two the same where n is samples,
 * and without a period, which the order of the samples may have.
 */
size_t gi_spread_index(size_t i, size_t n, size_t samples);

#endif
