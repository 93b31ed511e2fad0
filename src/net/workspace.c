/* SPDX-License-Identifier: MIT */
/* A batch's way through the network: forward, loss, backward, update. */
#include "net/workspace.h"

#include "base/memory.h"
#include "base/thread.h"

static void *at_row(const glia_network *network, void *matrix, size_t row, size_t ld)
{
    return (char *)matrix + row * ld * network->engine->element_bytes;
}

glia_status gi_workspace_new(const glia_network *network, size_t rows, bool for_training,
                             gi_workspace *out, glia_error *error)
{
    gi_workspace w = {.rows = rows};
    const size_t bytes = network->engine->element_bytes;
    const size_t last = network->n_layers - 1;
    bool ok =
        (w.x = gi_alloc(rows, gi_padded(gi_network_inputs(network)) * bytes, "a batch", error));
    for (size_t l = 0; ok && l <= last; l++) {
        const size_t row_bytes = network->layers[l].ld * bytes;
        ok = (w.activation[l] = gi_alloc(rows, row_bytes, "activations", error));
        if (ok && for_training && l < last)
            ok = (w.diff[l] = gi_alloc(rows, row_bytes, "gradients", error));
    }
    w.diff[last] = w.activation[last];
    ok = ok && (w.labels = gi_alloc(rows, sizeof *w.labels, "a batch's labels", error)) &&
         (w.loss = gi_alloc(rows, sizeof *w.loss, "a batch's losses", error));
    if (!ok) {
        gi_workspace_free(&w);
        return GLIA_NO_MEMORY;
    }
    *out = w;
    return GLIA_OK;
}

void gi_workspace_free(gi_workspace *workspace)
{
    gi_free(workspace->x);
    for (size_t l = 0; l < GLIA_MAX_LAYERS; l++) {
        if (workspace->diff[l] != workspace->activation[l]) gi_free(workspace->diff[l]);
        gi_free(workspace->activation[l]);
    }
    gi_free(workspace->labels);
    gi_free(workspace->loss);
    *workspace = (gi_workspace){0};
}

glia_status gi_scratch_new(const glia_network *network, size_t rows, gi_scratch *out,
                           glia_error *error)
{
    size_t widest = gi_padded(gi_network_inputs(network));
    for (size_t l = 0; l < network->n_layers; l++)
        if (network->layers[l].ld > widest) widest = network->layers[l].ld;
    const size_t room = rows > widest ? rows : widest;
    gi_scratch s = {{0}, NULL};
    s.list.index = gi_alloc(room, sizeof *s.list.index, "scratch memory", error);
    s.list.value = gi_alloc(room, network->engine->element_bytes, "scratch memory", error);
    s.row = gi_alloc(widest, network->engine->element_bytes, "scratch memory", error);
    if (!s.list.index || !s.list.value || !s.row) {
        gi_scratch_free(&s);
        return GLIA_NO_MEMORY;
    }
    *out = s;
    return GLIA_OK;
}

void gi_scratch_free(gi_scratch *scratch)
{
    gi_free(scratch->list.index);
    gi_free(scratch->list.value);
    gi_free(scratch->row);
    *scratch = (gi_scratch){{0}, NULL};
}

void gi_workspace_load(const glia_network *network, gi_workspace *workspace, size_t r,
                       glia_type type, const void *sample)
{
    const size_t n = gi_network_inputs(network);
    network->engine->load_row(at_row(network, workspace->x, r, gi_padded(n)), type, sample, n,
                              network->input.divisor);
}

void gi_network_forward(const glia_network *network, gi_workspace *workspace, size_t begin,
                        size_t end, gi_scratch *scratch)
{
    void *src = at_row(network, workspace->x, begin, gi_padded(gi_network_inputs(network)));
    for (size_t l = 0; l < network->n_layers; l++) {
        const gi_layer *layer = &network->layers[l];
        void *dst = at_row(network, workspace->activation[l], begin, layer->ld);
        network->engine->forward(layer, src, dst, end - begin, &scratch->list);
        src = dst;
    }
}

size_t gi_network_loss(const glia_network *network, gi_workspace *workspace, size_t begin,
                       size_t end, size_t batch_size)
{
    const size_t last = network->n_layers - 1;
    void *logits = at_row(network, workspace->activation[last], begin, network->layers[last].ld);
    return network->engine->softmax_loss(logits, network->layers[last].n_out,
                                         workspace->labels + begin, batch_size,
                                         workspace->loss + begin, end - begin);
}

void gi_network_backward(const glia_network *network, gi_workspace *workspace, size_t begin,
                         size_t end)
{
    for (size_t l = network->n_layers - 1; l > 0; l--) {
        const gi_layer *layer = &network->layers[l], *before = &network->layers[l - 1];
        network->engine->backward_data(
            layer, at_row(network, workspace->diff[l], begin, layer->ld), before->activation,
            at_row(network, workspace->activation[l - 1], begin, before->ld),
            at_row(network, workspace->diff[l - 1], begin, before->ld), end - begin);
    }
}

void gi_network_update(glia_network *network, const gi_workspace *workspace, size_t m, int thread,
                       int n_threads, const gi_row_update *update, gi_scratch *scratch)
{
    for (size_t l = 0; l < network->n_layers; l++) {
        const gi_layer *layer = &network->layers[l];
        size_t begin, end;
        gi_slice(layer->n_in + 1, 1, thread, n_threads, &begin, &end); /* + 1: the bias */
        network->engine->backward_weights(layer, l, l ? workspace->activation[l - 1] : workspace->x,
                                          workspace->diff[l], m, begin, end, update, &scratch->list,
                                          scratch->row);
    }
}
