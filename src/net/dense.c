/* SPDX-License-Identifier: MIT */
/* A network's layers by oneDNN. */
#include "net/dense.h"

#include "config.h"

#ifdef GLIA_HAS_ONEDNN

#include "base/memory.h"
#include "compute/onednn.h"

struct gi_dense {
    size_t n_layers;
    gi_onednn *layer[GLIA_MAX_LAYERS];
};

void gi_dense_free(gi_dense *dense)
{
    for (size_t l = 0; dense && l < dense->n_layers; l++) gi_onednn_free(dense->layer[l]);
    gi_free(dense);
}

glia_status gi_dense_new(const glia_network *network, const gi_plan *plan, const size_t batches[2],
                         bool for_training, gi_dense **out, glia_error *error)
{
    *out = NULL;
    if (!plan->onednn) return GLIA_OK;
    gi_dense *dense = gi_alloc(1, sizeof *dense, "a network for oneDNN", error);
    if (!dense) return GLIA_NO_MEMORY;
    dense->n_layers = network->n_layers;
    glia_status status = GLIA_OK;
    for (size_t l = 0; l < network->n_layers && !status; l++) {
        const gi_onednn_params params = {
            .layer = &network->layers[l],
            .precision = plan->precision,
            .n_threads = plan->threads,
            .by_columns = l < plan->n_by_units,
            .m = {batches[0], batches[1]},
            .for_training = for_training,
            .needs_backward_data = for_training && l > 0,
            .is_last = l + 1 == network->n_layers,
            .keeps_sums = gi_is_staged(plan, l),
        };
        status = gi_onednn_new(&params, &dense->layer[l], error);
        for (int t = 0; t < plan->threads && !status; t++) gi_onednn_refresh(dense->layer[l], t);
    }
    if (status)
        gi_dense_free(dense);
    else
        *out = dense;
    return status;
}

glia_status gi_dense_check(const gi_dense *dense, glia_error *error)
{
    glia_status status = GLIA_OK;
    for (size_t l = 0; dense && l < dense->n_layers && !status; l++)
        status = gi_onednn_check(dense->layer[l], error);
    return status;
}

void gi_dense_refresh(gi_dense *dense, int thread)
{
    for (size_t l = 0; l < dense->n_layers; l++) gi_onednn_refresh(dense->layer[l], thread);
}

void gi_dense_forward(gi_dense *dense, size_t l, int thread, const void *src, void *dst, size_t m)
{
    gi_onednn_forward(dense->layer[l], thread, src, dst, m);
}

void gi_dense_backward(gi_dense *dense, size_t l, int thread, const void *diff_dst,
                       glia_activation f, const void *src, void *diff_src, size_t m)
{
    gi_onednn_backward_data(dense->layer[l], thread, diff_dst, f, src, diff_src, m);
}

void gi_dense_update(gi_dense *dense, size_t l, int thread, const void *diff_dst, size_t m,
                     const gi_row_update *update)
{
    gi_onednn_update(dense->layer[l], thread, diff_dst, m, update, l);
}

#else /* a plan never asks for it */

glia_status gi_dense_new(const glia_network *network, const gi_plan *plan, const size_t batches[2],
                         bool for_training, gi_dense **out, glia_error *error)
{
    (void)network, (void)plan, (void)batches, (void)for_training, (void)error;
    *out = NULL;
    return GLIA_OK;
}

void gi_dense_free(gi_dense *dense)
{
    (void)dense;
}

glia_status gi_dense_check(const gi_dense *dense, glia_error *error)
{
    (void)dense, (void)error;
    return GLIA_OK;
}

void gi_dense_refresh(gi_dense *dense, int thread)
{
    (void)dense, (void)thread;
}

void gi_dense_forward(gi_dense *dense, size_t l, int thread, const void *src, void *dst, size_t m)
{
    (void)dense, (void)l, (void)thread, (void)src, (void)dst, (void)m;
}

void gi_dense_backward(gi_dense *dense, size_t l, int thread, const void *diff_dst,
                       glia_activation f, const void *src, void *diff_src, size_t m)
{
    (void)dense, (void)l, (void)thread, (void)diff_dst, (void)f, (void)src, (void)diff_src, (void)m;
}

void gi_dense_update(gi_dense *dense, size_t l, int thread, const void *diff_dst, size_t m,
                     const gi_row_update *update)
{
    (void)dense, (void)l, (void)thread, (void)diff_dst, (void)m, (void)update;
}

#endif
