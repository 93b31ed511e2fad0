/* SPDX-License-Identifier: MIT */
/*
 * The buffers that a batch passes through a network in, and the passes themselves, each on a slice
 * of the batch (forward, backward) or of the weights (update), so that threads share them out.
 */
#ifndef GLIA_NET_WORKSPACE_H
#define GLIA_NET_WORKSPACE_H

#include "net/network.h"

/*
 * Of layer l: activation[l] and diff[l] are (rows, layers[l].ld). The last activation holds the
 * logits and, after gi_network_loss, their gradient.
 */
typedef struct gi_workspace {
    size_t rows;
    void *x; /* (rows, gi_padded(inputs)): the samples as they enter the network */
    void *activation[GLIA_MAX_LAYERS];
    void *diff[GLIA_MAX_LAYERS]; /* dJ/dz of hidden layers; of the last it is activation's buffer */
    uint32_t *labels;            /* (rows) */
    double *loss;                /* (rows) */
} gi_workspace;

/* What one thread needs for itself. */
typedef struct gi_scratch {
    gi_sparse list; /* room for the widest layer, and for a batch */
    void *row;      /* (widest ld) */
} gi_scratch;

/* for_training: with diff and the room that gradients need. */
glia_status gi_workspace_new(const glia_network *network, size_t rows, bool for_training,
                             gi_workspace *out, glia_error *error);
void gi_workspace_free(gi_workspace *workspace);
glia_status gi_scratch_new(const glia_network *network, size_t rows, gi_scratch *out,
                           glia_error *error);
void gi_scratch_free(gi_scratch *scratch);

/* Puts one sample into row r of x. */
void gi_workspace_load(const glia_network *network, gi_workspace *workspace, size_t r,
                       glia_type type, const void *sample);

/* Rows begin..end: from x to the logits. */
void gi_network_forward(const glia_network *network, gi_workspace *workspace, size_t begin,
                        size_t end, gi_scratch *scratch);

/*
 * Rows begin..end of a batch of batch_size: from logits and labels to loss, and to the gradient of
 * the batch's mean loss with respect to the logits. Returns how many are classified correctly.
 */
size_t gi_network_loss(const glia_network *network, gi_workspace *workspace, size_t begin,
                       size_t end, size_t batch_size);

/* Rows begin..end: from the gradient of the logits back to that of every hidden layer's z. */
void gi_network_backward(const glia_network *network, gi_workspace *workspace, size_t begin,
                         size_t end);

/*
 * The gradient of every weight and bias over the batch's m rows, row by row to update: this
 * thread's part of the rows of each layer.
 */
void gi_network_update(glia_network *network, const gi_workspace *workspace, size_t m, int thread,
                       int n_threads, const gi_row_update *update, gi_scratch *scratch);

#endif
