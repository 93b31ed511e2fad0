/* SPDX-License-Identifier: MIT */
/* Optimizers through a run. */
#include "train/optimizer.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"

/* ---- Settings ------------------------------------------------------------------------------- */

static double default_rate(glia_optimizer kind)
{
    switch (kind) {
    case GLIA_OPTIMIZER_SGD:
        return 0.2;
    case GLIA_OPTIMIZER_MOMENTUM:
    case GLIA_OPTIMIZER_NESTEROV:
        return 0.02;
    case GLIA_OPTIMIZER_RMSPROP:
    case GLIA_OPTIMIZER_ADAM:
    case GLIA_OPTIMIZER_ADAMW:
        break;
    }
    return 0.001;
}

static bool has_second_moment(glia_optimizer kind)
{
    return kind == GLIA_OPTIMIZER_RMSPROP || kind == GLIA_OPTIMIZER_ADAM ||
           kind == GLIA_OPTIMIZER_ADAMW;
}

static bool has_first_moment(glia_optimizer kind)
{
    return kind != GLIA_OPTIMIZER_SGD && kind != GLIA_OPTIMIZER_RMSPROP;
}

glia_status gi_descent_settle(glia_settings *p, glia_error *error)
{
    if (isnan(p->lr)) p->lr = default_rate(p->optimizer);
    if (isnan(p->beta2)) p->beta2 = p->optimizer == GLIA_OPTIMIZER_RMSPROP ? 0.99 : 0.999;
    if (isnan(p->weight_decay)) p->weight_decay = p->optimizer == GLIA_OPTIMIZER_ADAMW ? 0.01 : 0;
    /* What computes has it as a float, in which a smaller one would be 0. */
    if (!((float)p->epsilon > 0) || !isfinite((float)p->epsilon))
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "epsilon: found %g, expected a number from %g to %g, as floats can be",
                       p->epsilon, (double)FLT_TRUE_MIN, (double)FLT_MAX);
    return GLIA_OK;
}

void gi_descent_clear_unused(glia_settings *p)
{
    if (!has_first_moment(p->optimizer)) p->momentum = 0;
    if (!has_second_moment(p->optimizer)) p->beta2 = p->epsilon = 0;
}

bool gi_descent_is_plain(const glia_settings *p)
{
    return p->optimizer == GLIA_OPTIMIZER_SGD && p->weight_decay == 0 && p->l2 == 0 && p->l1 == 0 &&
           p->clip_norm == 0;
}

/* ---- Making and freeing --------------------------------------------------------------------- */

static size_t n_panels(const gi_layer *layer)
{
    return (layer->ld + GI_PANEL - 1) / GI_PANEL;
}

/* Learned vectors: of a normalised layer scale and shift, behind a bias that stays 0. */
static size_t learned_vectors(const gi_layer *layer)
{
    return layer->scale ? GI_LEARNED_ROWS : 1;
}

glia_status gi_descent_new(glia_network *network, const gi_plan *plan, const glia_settings *params,
                           gi_descent *out, glia_error *error)
{
    gi_descent d = {.network = network, .plan = plan, .params = *params};
    d.optimizer = (gi_optimizer){
        .kind = params->optimizer,
        .momentum = params->momentum,
        .beta2 = params->beta2,
        .epsilon = params->epsilon,
        .l1 = params->l1,
        .l2 = params->l2,
        .weight_decay = params->weight_decay,
        .gradient_factor = 1,
        .layers = network->layers,
    };
    static const char what[] = "what the optimizer keeps";
    glia_status status = GLIA_OK;
    if (has_first_moment(params->optimizer))
        status = gi_shadows_new(network, what, &d.optimizer.first, error);
    if (!status && has_second_moment(params->optimizer))
        status = gi_shadows_new(network, what, &d.optimizer.second, error);
    if (!status && params->averaging > 0) {
        status = gi_shadows_new(network, "the average of the weights", &d.average, error);
        for (size_t l = 0; l < network->n_layers && !status; l++)
            for (int block = 0; block < 2; block++)
                memcpy(d.average[l].of[block], gi_parameters(&network->layers[l], block),
                       gi_parameter_bytes(network, l, block));
    }
    if (!status && params->clip_norm > 0) {
        size_t n = 0;
        for (size_t l = 0; l < network->n_layers; l++) n += n_panels(&network->layers[l]) + 1;
        status = gi_shadows_new(network, "the gradient", &d.gradient, error);
        if (!status && !(d.squares = gi_alloc(n, sizeof *d.squares, "the gradient", error)))
            status = GLIA_NO_MEMORY;
    }
    if (status)
        gi_descent_free(&d);
    else
        *out = d;
    return status;
}

void gi_descent_free(gi_descent *d)
{
    const size_t n = d->network ? d->network->n_layers : 0;
    gi_shadows_free(d->optimizer.first, n);
    gi_shadows_free(d->optimizer.second, n);
    gi_shadows_free(d->average, n);
    gi_shadows_free(d->gradient, n);
    gi_free(d->squares);
    *d = (gi_descent){0};
}

void gi_descent_swap_average(gi_descent *d)
{
    if (!d->average) return;
    const size_t bytes = d->network->engine->element_bytes;
    for (size_t l = 0; l < d->network->n_layers; l++) {
        gi_layer *layer = &d->network->layers[l];
        gi_shadow *average = &d->average[l];
        void *const weight = layer->weight, *const vectors = layer->bias;
        layer->weight = average->of[0];
        gi_layer_take_vectors(layer, average->of[1], bytes, layer->scale != NULL);
        average->of[0] = weight;
        average->of[1] = vectors;
    }
}

/* ---- A step --------------------------------------------------------------------------------- */

/* A panel of a matrix that is laid out as the layer's weights are: (n_in, width). */
static void *panel_of(const gi_layer *layer, void *matrix, size_t panel, size_t bytes)
{
    return (char *)matrix + gi_weight_offset(layer, 0, panel * GI_PANEL) * bytes;
}

static double sum(const double *values, size_t n)
{
    double total = 0;
    for (size_t i = 0; i < n; i++) total += values[i];
    return total;
}

/*
 * Each thread sums the squares of its panels of the gradient; then all add them up, in one order.
 * Returns what the gradient is to be multiplied by (Pascanu, Mikolov and Bengio 2013, algorithm 1).
 */
static double clipping_factor(gi_descent *d, const gi_crew *crew)
{
    const gi_engine *engine = d->plan->engine;
    const size_t bytes = engine->element_bytes;
    double *squares = d->squares, columns[GI_PANEL];
    size_t n = 0;
    for (size_t l = 0; l < d->network->n_layers; l++) {
        const gi_layer *layer = &d->network->layers[l];
        size_t begin, end;
        gi_slice(n_panels(layer), 1, crew->thread, crew->n_threads, &begin, &end);
        for (size_t p = begin; p < end; p++) {
            const size_t width = gi_panel_width(layer, p * GI_PANEL);
            engine->sum_squares(panel_of(layer, d->gradient[l].of[0], p, bytes), layer->n_in, width,
                                columns);
            squares[n + p] = sum(columns, width);
        }
        n += n_panels(layer);
        if (crew->thread == 0) { /* the vectors, 16 columns at a time: (learned ld / 16, 16) */
            engine->sum_squares(d->gradient[l].of[1], learned_vectors(layer) * layer->ld / GI_PAD,
                                GI_PAD, columns);
            squares[n] = sum(columns, GI_PAD);
        }
        n++;
    }
    gi_crew_barrier(crew);
    const double norm = sqrt(sum(squares, n));
    return norm > d->params.clip_norm ? d->params.clip_norm / norm : 1;
}

/* Hands each panel of the gradient, and each vector, to the update. */
static void apply_gradient(gi_descent *d, const gi_row_update *update, const gi_crew *crew)
{
    const size_t bytes = d->plan->engine->element_bytes;
    for (size_t l = 0; l < d->network->n_layers; l++) {
        const gi_layer *layer = &d->network->layers[l];
        size_t begin, end;
        gi_slice(n_panels(layer), 1, crew->thread, crew->n_threads, &begin, &end);
        for (size_t p = begin; p < end; p++)
            update->apply(update, l, 0, p * GI_PANEL, panel_of(layer, layer->weight, p, bytes),
                          panel_of(layer, d->gradient[l].of[0], p, bytes),
                          layer->n_in * gi_panel_width(layer, p * GI_PANEL));
        if (crew->thread > 0) continue;
        update->apply(update, l, layer->n_in, 0, layer->bias, d->gradient[l].of[1],
                      learned_vectors(layer) * layer->ld);
    }
}

/* Keeps a row of the gradient: where the parameter is, in the layout that both share. */
static void keep_row(const gi_row_update *update, size_t l, size_t row, size_t unit, void *weight,
                     const void *gradient, size_t n)
{
    (void)unit;
    const gi_descent *d = update->user;
    const gi_layer *layer = &d->network->layers[l];
    const size_t bytes = d->plan->engine->element_bytes;
    const int block = row >= layer->n_in;
    const size_t at = (size_t)((char *)weight - (char *)gi_parameters(layer, block));
    memcpy((char *)d->gradient[l].of[block] + at, gradient, n * bytes);
}

/* ||w_u|| <= max_norm for each hidden unit u (Srivastava et al. 2014, section 5.1). */
static void constrain_norms(gi_descent *d, const gi_crew *crew)
{
    const gi_engine *engine = d->plan->engine;
    double factors[GI_PANEL];
    for (size_t l = 0; l + 1 < d->network->n_layers; l++) {
        const gi_layer *layer = &d->network->layers[l];
        size_t begin, end;
        gi_slice(n_panels(layer), 1, crew->thread, crew->n_threads, &begin, &end);
        for (size_t p = begin; p < end; p++) {
            void *panel = panel_of(layer, layer->weight, p, engine->element_bytes);
            const size_t width = gi_panel_width(layer, p * GI_PANEL);
            engine->sum_squares(panel, layer->n_in, width, factors);
            bool any = false;
            for (size_t u = 0; u < width; u++) {
                const double norm = sqrt(factors[u]);
                factors[u] = norm > d->params.max_norm ? d->params.max_norm / norm : 1;
                any |= factors[u] < 1;
            }
            if (any) engine->scale_columns(panel, layer->n_in, width, factors);
        }
    }
}

/* The averages of all parameters, running means and variances among them, follow those of now. */
static void follow_average(gi_descent *d, double part, const gi_crew *crew)
{
    const gi_engine *engine = d->plan->engine;
    const size_t bytes = engine->element_bytes;
    for (size_t l = 0; l < d->network->n_layers; l++) {
        const gi_layer *layer = &d->network->layers[l];
        size_t begin, end;
        gi_slice(n_panels(layer), 1, crew->thread, crew->n_threads, &begin, &end);
        for (size_t p = begin; p < end; p++)
            engine->follow(panel_of(layer, d->average[l].of[0], p, bytes),
                           panel_of(layer, layer->weight, p, bytes), part,
                           layer->n_in * gi_panel_width(layer, p * GI_PANEL));
        if (crew->thread == 0)
            engine->follow(d->average[l].of[1], layer->bias, part,
                           gi_layer_vectors(layer) * layer->ld);
    }
}

void gi_descend(gi_descent *d, gi_workspace *workspace, size_t m, size_t step, double rate,
                const gi_crew *crew)
{
    const glia_settings *p = &d->params;
    const double t = (double)step + 1;
    gi_optimizer optimizer = d->optimizer; /* each thread has its own: no writing together */
    optimizer.correction1 = 1 - pow(p->momentum, t);
    optimizer.correction2 = 1 - pow(p->beta2, t);
    const bool plain = gi_descent_is_plain(p);
    const gi_engine *engine = d->plan->engine;
    gi_row_update update = {
        .apply = plain ? engine->sgd_row : engine->optimize_row,
        .rate = rate,
        .skips_zero = plain,
        .optimizer = &optimizer,
    };
    if (p->clip_norm > 0) {
        const gi_row_update keep = {.apply = keep_row, .user = d};
        gi_step_update(d->network, d->plan, workspace, m, &keep, crew);
        gi_crew_barrier(crew);
        optimizer.gradient_factor = clipping_factor(d, crew);
        apply_gradient(d, &update, crew);
        gi_crew_barrier(crew);
    } else {
        gi_step_update(d->network, d->plan, workspace, m, &update, crew);
    }
    if (p->max_norm > 0 || d->average) gi_crew_barrier(crew); /* all is updated */
    if (p->max_norm > 0) constrain_norms(d, crew);
    /* of the panels that this thread has constrained: it need not wait for the others */
    if (d->average) follow_average(d, 1 - fmin(p->averaging, (1 + t) / (10 + t)), crew);
    if (p->max_norm > 0) gi_crew_barrier(crew);
    if (workspace->dense && (p->clip_norm > 0 || p->max_norm > 0)) {
        for (int part = crew->thread; part < d->plan->threads; part += crew->n_threads)
            gi_dense_refresh(workspace->dense, part);
        gi_crew_barrier(crew);
    }
}
