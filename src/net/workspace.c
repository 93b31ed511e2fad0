/* SPDX-License-Identifier: MIT */
/* A batch's way through the network: forward, loss, backward, update. */
#include "net/workspace.h"

#include <string.h>

#include "base/memory.h"
#include "compute/pack.h"

/* Row r of x (layer 0) or of the activations or gradients of the layer below `layer`. */
static void *at_row(const gi_workspace *w, void *matrix, size_t row, size_t layer)
{
    return matrix ? (char *)matrix + row * w->row_bytes[layer] : NULL;
}

/* The non-zeros of samples in bytes need no lists. */
static bool reads_lists(const gi_plan *plan)
{
    return plan->sparse && !plan->bytes;
}

/* ---- Buffers -------------------------------------------------------------------------------- */

/* The lists of rows samples, in three blocks that belong to the first one. */
static bool lists_new(const glia_network *network, size_t rows, gi_workspace *w, glia_error *error)
{
    const size_t n = gi_network_inputs(network), room = gi_padded(n), blocks = gi_sparse_blocks(n);
    const size_t bytes = network->engine->element_bytes;
    w->lists = gi_alloc(rows, sizeof *w->lists, "a batch", error);
    if (!w->lists) return false;
    uint32_t *index = w->lists[0].index = gi_alloc(rows, room * sizeof *index, "a batch", error);
    char *value = w->lists[0].value = gi_alloc(rows, room * bytes, "a batch", error);
    uint32_t *end = w->lists[0].end = gi_alloc(rows, blocks * sizeof *end, "a batch", error);
    if (!index || !value || !end) return false;
    for (size_t r = 0; r < rows; r++)
        w->lists[r] = (gi_sparse){0, index + r * room, value + r * room * bytes, end + r * blocks};
    return true;
}

/* oneDNN wants rows without gaps; the logits are as all engines have them. */
static size_t row_bytes(const glia_network *network, const gi_plan *plan, size_t layer)
{
    enum { CACHE_LINE = 64 };
    const bool is_logits = layer == network->n_layers;
    const size_t n = layer ? network->layers[layer - 1].n_out : gi_network_inputs(network);
    if (layer == 0 && plan->bytes) return (n + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    if (!plan->onednn || is_logits) return gi_stride(n) * network->engine->element_bytes;
    return gi_padded(n) *
           (plan->precision == GLIA_PRECISION_BF16 ? sizeof(uint16_t) : sizeof(float));
}

glia_status gi_workspace_new(const glia_network *network, const gi_plan *plan, size_t rows,
                             bool for_training, gi_workspace *out, glia_error *error)
{
    gi_workspace w = {.rows = rows};
    const size_t last = network->n_layers - 1;
    for (size_t l = 0; l <= network->n_layers; l++) w.row_bytes[l] = row_bytes(network, plan, l);
    bool ok;
    if (reads_lists(plan))
        ok = lists_new(network, rows ? rows : 1, &w, error);
    else
        ok = (w.x = gi_alloc(rows, w.row_bytes[0], "a batch", error));
    for (size_t l = 0; ok && l <= last; l++) {
        ok = (w.activation[l] = gi_alloc(rows, w.row_bytes[l + 1], "activations", error));
        if (ok && for_training && l < last)
            ok = (w.diff[l] = gi_alloc(rows, w.row_bytes[l + 1], "gradients", error));
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
    if (workspace->lists) {
        gi_free(workspace->lists[0].index);
        gi_free(workspace->lists[0].value);
        gi_free(workspace->lists[0].end);
    }
    gi_free(workspace->lists);
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
    const size_t bytes = network->engine->element_bytes;
    gi_scratch s = {0};
    s.list.index = gi_alloc(room, sizeof *s.list.index, "scratch memory", error);
    s.list.value = gi_alloc(room, bytes, "scratch memory", error);
    s.block = gi_alloc(gi_scratch_block(widest), bytes, "scratch memory", error);
    if (!s.list.index || !s.list.value || !s.block) {
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
    gi_free(scratch->block);
    *scratch = (gi_scratch){0};
}

void gi_workspace_load(const glia_network *network, const gi_plan *plan, gi_workspace *workspace,
                       size_t r, glia_type type, const void *sample)
{
    const size_t n = gi_network_inputs(network);
    const double divisor = network->input.divisor;
    if (plan->bytes)
        memcpy(at_row(workspace, workspace->x, r, 0), sample, n);
    else if (reads_lists(plan))
        plan->engine->load_sparse(&workspace->lists[r], type, sample, n, divisor);
    else if (plan->precision == GLIA_PRECISION_BF16)
        gi_pack_for(plan->engine->isa)
            ->load_row_bf16(at_row(workspace, workspace->x, r, 0), type, sample, n, divisor);
    else
        plan->engine->load_row(at_row(workspace, workspace->x, r, 0), type, sample, n, divisor);
}

/* ---- Layers --------------------------------------------------------------------------------- */

/* What layer l reads: the activations of the one below. Of a sparse first layer it is no matrix. */
static void *source(const gi_workspace *w, size_t l)
{
    return l ? w->activation[l - 1] : w->x;
}

/* Units unit_begin..unit_end of layer l, of rows begin..end. */
static void forward_layer(const glia_network *network, const gi_plan *plan, gi_workspace *w,
                          size_t l, size_t begin, size_t end, size_t unit_begin, size_t unit_end,
                          gi_scratch *scratch)
{
    const gi_layer *layer = &network->layers[l];
    void *dst = at_row(w, w->activation[l], begin, l + 1);
    if (l == 0 && plan->bytes)
        plan->engine->forward_bytes(layer, at_row(w, w->x, begin, 0), w->row_bytes[0],
                                    (float)(1 / network->input.divisor), plan->sparse, dst,
                                    end - begin, unit_begin, unit_end, scratch);
    else if (l == 0 && plan->sparse)
        plan->engine->forward_sparse(layer, w->lists + begin, dst, end - begin, unit_begin,
                                     unit_end);
    else
        plan->engine->forward(layer, at_row(w, source(w, l), begin, l), dst, end - begin,
                              unit_begin, unit_end, scratch);
}

/* Inputs input_begin..input_end of the gradient below layer l > 0, of rows begin..end. */
static void backward_layer(const glia_network *network, const gi_plan *plan, gi_workspace *w,
                           size_t l, size_t begin, size_t end, size_t input_begin, size_t input_end,
                           gi_scratch *scratch)
{
    plan->engine->backward_data(
        &network->layers[l], at_row(w, w->diff[l], begin, l + 1), network->layers[l - 1].activation,
        at_row(w, w->activation[l - 1], begin, l), at_row(w, w->diff[l - 1], begin, l), end - begin,
        input_begin, input_end, scratch);
}

static void update_layer(glia_network *network, const gi_plan *plan, gi_workspace *w, size_t l,
                         size_t m, const gi_part *part, const gi_row_update *update,
                         const gi_crew *crew)
{
    const gi_layer *layer = &network->layers[l];
    if (l == 0 && plan->bytes)
        plan->engine->backward_bytes(layer, l, w->x, w->row_bytes[0],
                                     (float)(1 / network->input.divisor), plan->sparse, w->diff[l],
                                     m, part, update, crew->scratch);
    else if (l == 0 && plan->sparse)
        plan->engine->backward_sparse(layer, l, w->lists, w->diff[l], m, part, update,
                                      crew->scratch);
    else
        plan->engine->backward_weights(layer, l, source(w, l), w->diff[l], m, part, update,
                                       crew->scratch);
}

/* ---- Passes by one thread ------------------------------------------------------------------- */

void gi_network_forward(const glia_network *network, const gi_plan *plan, gi_workspace *workspace,
                        size_t begin, size_t end, gi_scratch *scratch)
{
    for (size_t l = 0; l < network->n_layers; l++)
        if (workspace->dense)
            gi_dense_forward(workspace->dense, l, 0, source(workspace, l), workspace->activation[l],
                             end);
        else
            forward_layer(network, plan, workspace, l, begin, end, 0, network->layers[l].ld,
                          scratch);
}

size_t gi_network_loss(const glia_network *network, const gi_plan *plan, gi_workspace *workspace,
                       size_t begin, size_t end, size_t batch_size)
{
    const size_t n = network->n_layers;
    return plan->engine->softmax_loss(at_row(workspace, workspace->activation[n - 1], begin, n),
                                      gi_network_classes(network), workspace->labels + begin,
                                      batch_size, workspace->loss + begin, end - begin);
}

/* ---- Steps by all threads ------------------------------------------------------------------- */

void gi_crew_barrier(const gi_crew *crew)
{
    if (crew->n_threads > 1) gi_pool_barrier(crew->pool);
}

/* This thread's part of n things; whole panels where they come out even. */
static void share(size_t n, const gi_crew *crew, size_t *begin, size_t *end)
{
    const bool even = n % (GI_PANEL * (size_t)crew->n_threads) == 0;
    gi_slice(n, even ? GI_PANEL : GI_PAD, crew->thread, crew->n_threads, begin, end);
}

/*
 * With oneDNN each thread has the part of the layer that was made for it, and thread 0, when it is
 * alone, those of all, one after the other.
 */
static int next_part(int part, const gi_crew *crew)
{
    return part + crew->n_threads;
}

/* All of layer l's units of all m rows, or, by samples, all units of this thread's rows. */
static void step_forward_layer(const glia_network *network, const gi_plan *plan, gi_workspace *w,
                               size_t l, size_t m, const gi_crew *crew)
{
    size_t begin, end;
    if (w->dense) {
        for (int t = crew->thread; t < plan->threads; t = next_part(t, crew))
            gi_dense_forward(w->dense, l, t, source(w, l), w->activation[l], m);
    } else if (l < plan->n_by_units) {
        share(network->layers[l].ld, crew, &begin, &end);
        forward_layer(network, plan, w, l, 0, m, begin, end, crew->scratch);
    } else {
        gi_slice(m, 1, crew->thread, crew->n_threads, &begin, &end);
        forward_layer(network, plan, w, l, begin, end, 0, network->layers[l].ld, crew->scratch);
    }
}

static void step_backward_layer(const glia_network *network, const gi_plan *plan, gi_workspace *w,
                                size_t l, size_t m, const gi_crew *crew)
{
    size_t begin, end;
    const size_t inputs = gi_padded(network->layers[l].n_in);
    if (w->dense) {
        for (int t = crew->thread; t < plan->threads; t = next_part(t, crew))
            gi_dense_backward(w->dense, l, t, w->diff[l], network->layers[l - 1].activation,
                              w->activation[l - 1], w->diff[l - 1], m);
    } else if (l < plan->n_by_units) {
        share(inputs, crew, &begin, &end);
        backward_layer(network, plan, w, l, 0, m, begin, end, crew->scratch);
    } else {
        gi_slice(m, 1, crew->thread, crew->n_threads, &begin, &end);
        backward_layer(network, plan, w, l, begin, end, 0, inputs, crew->scratch);
    }
}

static void step_update_layer(glia_network *network, const gi_plan *plan, gi_workspace *w, size_t l,
                              size_t m, const gi_row_update *update, const gi_crew *crew)
{
    const gi_layer *layer = &network->layers[l];
    gi_part part = {0, layer->n_in + 1, 0, layer->ld}; /* + 1: the bias */
    if (w->dense) {
        for (int t = crew->thread; t < plan->threads; t = next_part(t, crew))
            gi_dense_update(w->dense, l, t, w->diff[l], m, update);
        return;
    }
    if (l < plan->n_by_units)
        share(layer->ld, crew, &part.unit_begin, &part.unit_end);
    else
        gi_slice(layer->n_in + 1, 1, crew->thread, crew->n_threads, &part.row_begin, &part.row_end);
    update_layer(network, plan, w, l, m, &part, update, crew);
}

size_t gi_step_forward(const glia_network *network, const gi_plan *plan, gi_workspace *workspace,
                       size_t m, const gi_crew *crew)
{
    for (size_t l = 0; l < network->n_layers; l++) {
        step_forward_layer(network, plan, workspace, l, m, crew);
        if (l < plan->n_by_units) gi_crew_barrier(crew);
    }
    size_t begin, end;
    gi_slice(m, 1, crew->thread, crew->n_threads, &begin, &end);
    return gi_network_loss(network, plan, workspace, begin, end, m);
}

void gi_step_backward(const glia_network *network, const gi_plan *plan, gi_workspace *workspace,
                      size_t m, const gi_crew *crew)
{
    for (size_t l = network->n_layers - 1; l > 0 && l >= plan->n_by_units; l--)
        step_backward_layer(network, plan, workspace, l, m, crew);
}

void gi_step_update(glia_network *network, const gi_plan *plan, gi_workspace *workspace, size_t m,
                    const gi_row_update *update, const gi_crew *crew)
{
    for (size_t l = network->n_layers; l-- > 0;) {
        if (l > 0 && l < plan->n_by_units) { /* reads all of W: nobody may have changed it yet */
            step_backward_layer(network, plan, workspace, l, m, crew);
            gi_crew_barrier(crew);
        }
        step_update_layer(network, plan, workspace, l, m, update, crew);
    }
    /* the next step's first layer reads what others have updated */
    if (plan->n_by_units == 0 || workspace->dense) gi_crew_barrier(crew);
}
