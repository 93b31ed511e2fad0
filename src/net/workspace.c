/* SPDX-License-Identifier: MIT */
/* A batch's way through the network: forward, loss, backward, update. */
#include "net/workspace.h"

#include <string.h>

#include "base/memory.h"

/* Row r of x (layer 0) or of the activations or gradients of the layer below `layer`. */
static void *at_row(const gi_workspace *w, void *matrix, size_t row, size_t layer)
{
    return matrix ? (char *)matrix + row * w->row_bytes[layer] : NULL;
}

glia_status gi_plan_inference(const glia_network *network, glia_type type, double density,
                              size_t most_pairs, size_t rows, gi_plan *out, glia_error *error)
{
    const gi_plan_request request = {
        .layers = network->layers,
        .n_layers = network->n_layers,
        .batch = rows,
        .type = type,
        .density = density,
        .most_pairs = most_pairs,
        .threads = 1,
        .standardises = network->input.mean != NULL,
        .reference = network->engine,
    };
    return gi_plan_make(&request, out, error);
}

/* ---- Buffers -------------------------------------------------------------------------------- */

/* The lists of rows samples, in three blocks that belong to the first one. */
static bool lists_new(const glia_network *network, const gi_plan *plan, size_t rows,
                      gi_workspace *w, glia_error *error)
{
    const size_t n = gi_network_inputs(network), blocks = gi_sparse_blocks(n);
    const size_t room = gi_padded(plan->most_pairs ? plan->most_pairs : n);
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
    gi_workspace w = {.rows = rows, .for_training = for_training};
    const size_t element = network->engine->element_bytes;
    const size_t last = network->n_layers - 1;
    for (size_t l = 0; l <= network->n_layers; l++) w.row_bytes[l] = row_bytes(network, plan, l);
    bool ok;
    if (gi_plan_reads_lists(plan))
        ok = lists_new(network, plan, rows ? rows : 1, &w, error);
    else
        ok = (w.x = gi_alloc(rows, w.row_bytes[0], "a batch", error));
    for (size_t l = 0; ok && l <= last; l++) {
        ok = (w.activation[l] = gi_alloc(rows, w.row_bytes[l + 1], "activations", error));
        if (ok && for_training && l < last)
            ok = (w.diff[l] = gi_alloc(rows, w.row_bytes[l + 1], "gradients", error));
    }
    w.diff[last] = w.activation[last];
    for (size_t l = 0; ok && l < last; l++) {
        if (!gi_is_staged(plan, l)) continue;
        const gi_layer *layer = &network->layers[l];
        ok = (w.z[l] = gi_alloc(rows, gi_stride(layer->n_out) * element, "weighted sums", error));
        if (ok && for_training)
            ok = (w.keeps[l] = gi_alloc(rows, layer->ld, "dropout", error)) &&
                 (w.norm[l] = gi_alloc(layer->ld, 4 * element, "normalisation", error));
    }
    if (ok && plan->changes_floats && plan->precision == GLIA_PRECISION_BF16)
        ok = (w.changed = gi_alloc(rows, gi_padded(gi_network_inputs(network)) * sizeof(float),
                                   "a batch", error));
    ok = ok && (w.weights = gi_alloc(rows, sizeof *w.weights, "a batch's weights", error)) &&
         (w.loss = gi_alloc(rows, sizeof *w.loss, "a batch's losses", error));
    const glia_task task = glia_loss_task(network->loss);
    if (ok && task == GLIA_TASK_CLASSES)
        ok = (w.labels = gi_alloc(rows, sizeof *w.labels, "a batch's labels", error));
    if (ok && task != GLIA_TASK_CLASSES)
        ok = (w.targets = gi_alloc(rows, gi_network_classes(network) * sizeof *w.targets,
                                   "a batch's targets", error));
    if (ok && task == GLIA_TASK_VALUES)
        ok = (w.squares = gi_alloc(rows, sizeof *w.squares, "a batch's losses", error));
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
        gi_free(workspace->z[l]);
        gi_free(workspace->keeps[l]);
        gi_free(workspace->norm[l]);
    }
    gi_free(workspace->changed);
    gi_free(workspace->weights);
    gi_free(workspace->labels);
    gi_free(workspace->targets);
    gi_free(workspace->squares);
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
    s.heads = gi_alloc(widest, sizeof *s.heads, "scratch memory", error);
    if (!s.list.index || !s.list.value || !s.block || !s.heads) {
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
    gi_free(scratch->heads);
    *scratch = (gi_scratch){0};
}

/* ---- Layers --------------------------------------------------------------------------------- */

/* What layer l reads: the activations of the one below. Of a sparse first layer it is no matrix. */
static void *source(const gi_workspace *w, size_t l)
{
    return l ? w->activation[l - 1] : w->x;
}

/* What layer l's products write: sums, or activations at once. */
static void *destination(const gi_plan *plan, const gi_workspace *w, size_t l)
{
    return gi_is_staged(plan, l) ? w->z[l] : w->activation[l];
}

/* What the first layer's bytes stand for, in units of a byte. */
static float byte_scale(const glia_network *network, const gi_workspace *w)
{
    return (float)(1 / network->input.divisor / (1 - w->input_dropout));
}

/* Units unit_begin..unit_end of layer l, of rows begin..end: sums, if it is staged. */
static void forward_layer(const glia_network *network, const gi_plan *plan, gi_workspace *w,
                          size_t l, size_t begin, size_t end, size_t unit_begin, size_t unit_end,
                          gi_scratch *scratch)
{
    gi_layer linear = network->layers[l];
    const gi_layer *layer = &network->layers[l];
    void *dst = at_row(w, w->activation[l], begin, l + 1);
    if (gi_is_staged(plan, l)) {
        linear.activation = GLIA_ACTIVATION_IDENTITY;
        layer = &linear;
        dst = (char *)w->z[l] + begin * gi_stride(layer->n_out) * plan->engine->element_bytes;
    }
    if (l == 0 && plan->bytes)
        plan->engine->forward_bytes(layer, at_row(w, w->x, begin, 0), w->row_bytes[0],
                                    byte_scale(network, w), plan->sparse, dst, end - begin,
                                    unit_begin, unit_end, scratch);
    else if (l == 0 && plan->sparse)
        plan->engine->forward_sparse(layer, w->lists + begin, dst, end - begin, unit_begin,
                                     unit_end);
    else
        plan->engine->forward(layer, at_row(w, source(w, l), begin, l), dst, end - begin,
                              unit_begin, unit_end, scratch);
}

/* The activation whose derivative the product above applies; that of a staged layer comes later. */
static glia_activation derived(const glia_network *network, const gi_plan *plan, size_t l)
{
    return gi_is_staged(plan, l) ? GLIA_ACTIVATION_IDENTITY : network->layers[l].activation;
}

/* Inputs input_begin..input_end of the gradient below layer l > 0, of rows begin..end. */
static void backward_layer(const glia_network *network, const gi_plan *plan, gi_workspace *w,
                           size_t l, size_t begin, size_t end, size_t input_begin, size_t input_end,
                           gi_scratch *scratch)
{
    plan->engine->backward_data(
        &network->layers[l], at_row(w, w->diff[l], begin, l + 1), derived(network, plan, l - 1),
        at_row(w, w->activation[l - 1], begin, l), at_row(w, w->diff[l - 1], begin, l), end - begin,
        input_begin, input_end, scratch);
}

static void update_layer(glia_network *network, const gi_plan *plan, gi_workspace *w, size_t l,
                         size_t m, const gi_part *part, const gi_row_update *update,
                         const gi_crew *crew)
{
    const gi_layer *layer = &network->layers[l];
    if (l == 0 && plan->bytes)
        plan->engine->backward_bytes(layer, l, w->x, w->row_bytes[0], byte_scale(network, w),
                                     plan->sparse, w->diff[l], m, part, update, crew->scratch);
    else if (l == 0 && plan->sparse)
        plan->engine->backward_sparse(layer, l, w->lists, w->diff[l], m, part, update,
                                      crew->scratch);
    else
        plan->engine->backward_weights(layer, l, source(w, l), w->diff[l], m, part, update,
                                       crew->scratch);
}

/* ---- What lies between products ------------------------------------------------------------- */

static gi_units units_of(const glia_network *network, const gi_plan *plan, const gi_workspace *w,
                         size_t l)
{
    const bool in_bf16 = plan->precision == GLIA_PRECISION_BF16;
    const size_t bytes = in_bf16 ? sizeof(uint16_t) : plan->engine->element_bytes;
    return (gi_units){
        .layer = &network->layers[l],
        .z = w->z[l],
        .measured = w->norm[l],
        .in_bf16 = in_bf16,
        .row = w->row_bytes[l + 1] / bytes,
        .for_training = w->for_training && !w->is_frozen,
        .dropout = w->dropout,
        .keeps = w->keeps[l],
        .seed = w->seed,
        .epoch = w->epoch,
        .index = l,
        .first = w->first,
    };
}

/* The gradients of scale and shift, behind mean and variance. */
static void *norm_gradient(const gi_plan *plan, const gi_workspace *w, const gi_layer *layer,
                           size_t l)
{
    return (char *)w->norm[l] + 2 * layer->ld * plan->engine->element_bytes;
}

/* ---- Passes by one thread ------------------------------------------------------------------- */

void gi_network_forward(const glia_network *network, const gi_plan *plan, gi_workspace *workspace,
                        size_t begin, size_t end, gi_scratch *scratch)
{
    for (size_t l = 0; l < network->n_layers; l++) {
        const size_t ld = network->layers[l].ld;
        if (workspace->dense)
            gi_dense_forward(workspace->dense, l, 0, source(workspace, l),
                             destination(plan, workspace, l), end);
        else
            forward_layer(network, plan, workspace, l, begin, end, 0, ld, scratch);
        if (!gi_is_staged(plan, l)) continue;
        gi_units units = units_of(network, plan, workspace, l);
        units.for_training = false;
        plan->engine->units_forward(&units, workspace->activation[l], begin, end, 0, ld);
    }
}

double gi_workspace_weight(const gi_workspace *workspace, size_t m)
{
    if (!workspace->is_weighted) return (double)m;
    double sum = 0;
    for (size_t r = 0; r < m; r++) sum += (double)workspace->weights[r];
    return sum;
}

gi_loss gi_workspace_loss(const glia_network *network, const gi_workspace *w, size_t row,
                          double total)
{
    const size_t n = gi_network_classes(network);
    return (gi_loss){
        .kind = network->loss,
        .labels = w->labels ? w->labels + row : NULL,
        .targets = w->targets ? w->targets + row * n : NULL,
        .total = total,
        .weight = w->is_weighted ? w->weights + row : NULL,
        .smoothing = w->smoothing,
        .scale = network->output.scale,
        .unit = gi_network_output_unit(network),
        .squares = w->squares ? w->squares + row : NULL,
    };
}

void gi_network_outputs(const glia_network *network, const gi_plan *plan, const gi_workspace *w,
                        size_t rows, float *out)
{
    plan->engine->outputs(w->activation[network->n_layers - 1], gi_network_classes(network),
                          network->loss, network->output.mean, network->output.scale, out, rows);
}

void gi_network_outputs_f64(const glia_network *network, const gi_plan *plan, const gi_workspace *w,
                            size_t rows, float *scratch, double *out)
{
    const gi_output_form *form = &network->output;
    const size_t n = gi_network_classes(network);
    plan->engine->outputs(w->activation[network->n_layers - 1], n, network->loss, NULL, NULL,
                          scratch, rows);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < n; c++) {
            const double y = (double)scratch[r * n + c];
            out[r * n + c] = form->mean ? y * form->scale[c] + form->mean[c] : y;
        }
}

size_t gi_network_loss(const glia_network *network, const gi_plan *plan, gi_workspace *workspace,
                       size_t begin, size_t end, size_t batch_size)
{
    const size_t n = network->n_layers;
    const gi_loss how =
        gi_workspace_loss(network, workspace, begin, gi_workspace_weight(workspace, batch_size));
    return plan->engine->loss(at_row(workspace, workspace->activation[n - 1], begin, n),
                              gi_network_classes(network), &how, workspace->loss + begin,
                              end - begin);
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
            gi_dense_forward(w->dense, l, t, source(w, l), destination(plan, w, l), m);
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
            gi_dense_backward(w->dense, l, t, w->diff[l], derived(network, plan, l - 1),
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
    const size_t rows = layer->n_in + (layer->scale ? 0 : 1); /* with the bias, if it is learned */
    gi_part part = {0, rows, 0, layer->ld};
    if (w->dense) {
        for (int t = crew->thread; t < plan->threads; t = next_part(t, crew))
            gi_dense_update(w->dense, l, t, w->diff[l], m, update);
        return;
    }
    if (l < plan->n_by_units)
        share(layer->ld, crew, &part.unit_begin, &part.unit_end);
    else
        gi_slice(rows, 1, crew->thread, crew->n_threads, &part.row_begin, &part.row_end);
    update_layer(network, plan, w, l, m, &part, update, crew);
}

/*
 * This thread's part of what lies behind layer l's products: its units of all samples where threads
 * share the layer by units, else all units of its samples.
 */
typedef struct stage_part {
    size_t row_begin, row_end, begin, end;
} stage_part;

static stage_part part_of_stage(const glia_network *network, const gi_plan *plan, size_t l,
                                size_t m, const gi_crew *crew)
{
    stage_part p = {0, m, 0, network->layers[l].ld};
    if (l < plan->n_by_units)
        share(network->layers[l].ld, crew, &p.begin, &p.end);
    else
        gi_slice(m, 1, crew->thread, crew->n_threads, &p.row_begin, &p.row_end);
    return p;
}

static void step_forward_units(const glia_network *network, const gi_plan *plan, gi_workspace *w,
                               size_t l, size_t m, const gi_crew *crew)
{
    const stage_part p = part_of_stage(network, plan, l, m, crew);
    const gi_units units = units_of(network, plan, w, l);
    plan->engine->units_forward(&units, w->activation[l], p.row_begin, p.row_end, p.begin, p.end);
}

/* Of a normalised layer also the update of what it has learned. */
static void step_backward_units(const glia_network *network, const gi_plan *plan, gi_workspace *w,
                                size_t l, size_t m, const gi_row_update *update,
                                const gi_crew *crew)
{
    const stage_part p = part_of_stage(network, plan, l, m, crew);
    const gi_units units = units_of(network, plan, w, l);
    const gi_layer *layer = &network->layers[l];
    if (!layer->scale || w->is_frozen) {
        plan->engine->units_backward(&units, w->diff[l], NULL, p.row_begin, p.row_end, p.begin,
                                     p.end);
        return;
    }
    char *gradient = norm_gradient(plan, w, layer, l);
    const size_t bytes = plan->engine->element_bytes;
    plan->engine->units_backward(&units, w->diff[l], gradient, p.row_begin, p.row_end, p.begin,
                                 p.end);
    char *vectors = layer->bias;
    for (size_t row = GI_ROW_SCALE; row < GI_LEARNED_ROWS; row++)
        update->apply(
            update, l, layer->n_in + row, p.begin, vectors + (row * layer->ld + p.begin) * bytes,
            gradient + ((row - GI_ROW_SCALE) * layer->ld + p.begin) * bytes, p.end - p.begin);
}

size_t gi_step_forward(const glia_network *network, const gi_plan *plan, gi_workspace *workspace,
                       size_t m, const gi_crew *crew)
{
    for (size_t l = 0; l < network->n_layers; l++) {
        const bool by_units = l < plan->n_by_units;
        step_forward_layer(network, plan, workspace, l, m, crew);
        if (gi_is_staged(plan, l)) {
            /* oneDNN's parts of a layer are its own */
            if (workspace->dense && by_units) gi_crew_barrier(crew);
            step_forward_units(network, plan, workspace, l, m, crew);
        }
        if (by_units) gi_crew_barrier(crew);
    }
    size_t begin, end;
    gi_slice(m, 1, crew->thread, crew->n_threads, &begin, &end);
    return gi_network_loss(network, plan, workspace, begin, end, m);
}

void gi_step_backward(const glia_network *network, const gi_plan *plan, gi_workspace *workspace,
                      size_t m, const gi_crew *crew)
{
    for (size_t l = network->n_layers - 1; l > 0 && l >= plan->n_by_units; l--) {
        step_backward_layer(network, plan, workspace, l, m, crew);
        if (gi_is_staged(plan, l - 1) && l - 1 >= plan->n_by_units)
            step_backward_units(network, plan, workspace, l - 1, m, NULL, crew);
    }
}

void gi_step_update(glia_network *network, const gi_plan *plan, gi_workspace *workspace, size_t m,
                    const gi_row_update *update, const gi_crew *crew)
{
    const bool dense = workspace->dense != NULL;
    for (size_t l = network->n_layers; l-- > 0;) {
        const bool by_units = l < plan->n_by_units;
        if (l + 1 == plan->n_by_units && gi_is_staged(plan, l)) {
            /* the gradient of its activations was made by samples, and all of it is there */
            step_backward_units(network, plan, workspace, l, m, update, crew);
            if (l > 0 || dense) gi_crew_barrier(crew);
        }
        if (l > 0 && by_units) { /* reads all of W: nobody may have changed it yet */
            step_backward_layer(network, plan, workspace, l, m, crew);
            if (gi_is_staged(plan, l - 1)) {
                if (dense) gi_crew_barrier(crew);
                step_backward_units(network, plan, workspace, l - 1, m, update, crew);
            }
            gi_crew_barrier(crew);
        }
        step_update_layer(network, plan, workspace, l, m, update, crew);
    }
    /* the next step's first layer reads what others have updated */
    if (plan->n_by_units == 0 || dense) gi_crew_barrier(crew);
}
