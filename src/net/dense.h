/* SPDX-License-Identifier: MIT */
/*
 * A network's layers as oneDNN computes them: what lies between the passes (workspace.h) and the
 * layers of compute/onednn.h. Empty, and no work, in a build without oneDNN.
 */
#ifndef GLIA_NET_DENSE_H
#define GLIA_NET_DENSE_H

#include "compute/plan.h"
#include "net/network.h"

typedef struct gi_dense gi_dense;

/*
 * For a plan that wants oneDNN: *out, else NULL. batches: the numbers of samples that will go
 * through together; 0: none. The network must outlive it. Each pass reads the weights where the
 * network's layers have them then; gi_dense_update changes them.
 */
glia_status gi_dense_new(const glia_network *network, const gi_plan *plan, const size_t batches[2],
                         bool for_training, gi_dense **out, glia_error *error);
void gi_dense_free(gi_dense *dense);

/* Whether all went well so far, which the functions below do not say. */
glia_status gi_dense_check(const gi_dense *dense, glia_error *error);

/* A thread's part of every layer, after anything but gi_dense_update has changed the weights. */
void gi_dense_refresh(gi_dense *dense, int thread);

/* A thread's part of layer l, as in onednn.h; thread is below the plan's number of threads. */
void gi_dense_forward(gi_dense *dense, size_t l, int thread, const void *src, void *dst, size_t m);
void gi_dense_backward(gi_dense *dense, size_t l, int thread, const void *diff_dst,
                       glia_activation f, const void *src, void *diff_src, size_t m);
void gi_dense_update(gi_dense *dense, size_t l, int thread, const void *diff_dst, size_t m,
                     const gi_row_update *update);

#endif
