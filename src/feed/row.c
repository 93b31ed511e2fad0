/* SPDX-License-Identifier: MIT */
/* Samples become rows of a batch. */
#include "feed/row.h"

#include <string.h>

#include "compute/pack.h"

enum { CHANGED_AT_ONCE = 128 }; /* inputs that dropout draws for */

/* Inputs that dropout leaves out become 0; the others are scaled with the product that reads them.
 */
static void drop_bytes(const gi_engine *engine, const gi_workspace *w, uint32_t epoch,
                       uint64_t place, uint8_t *x, size_t n)
{
    uint8_t keeps[CHANGED_AT_ONCE];
    const gi_rng stream = gi_rng_make(w->seed, GI_RANDOM_INPUT_DROPOUT, epoch, place);
    for (size_t i = 0; i < n; i += CHANGED_AT_ONCE) {
        const size_t here = n - i < CHANGED_AT_ONCE ? n - i : CHANGED_AT_ONCE;
        engine->draw_keeps(keeps, &stream, i, here, w->input_dropout);
        for (size_t k = 0; k < here; k++) x[i + k] = keeps[k] ? x[i + k] : 0;
    }
}

/* What is done to a row of inputs in the engine's type: it is standardised, then has noise and
 * dropout. */
static void change_floats(const gi_input_form *form, const gi_engine *engine, const gi_workspace *w,
                          uint32_t epoch, uint64_t place, void *x, size_t n)
{
    if (form->mean) engine->standardise(x, n, form->mean, form->scale, form->n_scales);
    if (w->input_noise > 0) {
        const gi_rng stream = gi_rng_make(w->seed, GI_RANDOM_INPUT_NOISE, epoch, place);
        engine->add_noise(x, &stream, n, w->input_noise);
    }
    if (w->input_dropout == 0) return;
    const gi_rng stream = gi_rng_make(w->seed, GI_RANDOM_INPUT_DROPOUT, epoch, place);
    const double kept = 1 / (1 - w->input_dropout);
    uint8_t keeps[CHANGED_AT_ONCE];
    double factors[CHANGED_AT_ONCE];
    for (size_t i = 0; i < n; i += CHANGED_AT_ONCE) {
        const size_t here = n - i < CHANGED_AT_ONCE ? n - i : CHANGED_AT_ONCE;
        engine->draw_keeps(keeps, &stream, i, here, w->input_dropout);
        for (size_t k = 0; k < here; k++) factors[k] = keeps[k] ? kept : 0;
        engine->scale_columns((char *)x + i * engine->element_bytes, 1, here, factors);
    }
}

/* A row of floats, or what they are in bf16. */
static void put_floats(const glia_network *network, const gi_plan *plan, gi_workspace *w, size_t r,
                       glia_type type, const void *sample, uint32_t epoch, uint64_t place)
{
    const size_t n = gi_network_inputs(network);
    const double divisor = network->input.divisor;
    const gi_engine *engine = plan->engine;
    void *row = (char *)w->x + r * w->row_bytes[0];
    const bool in_bf16 = plan->precision == GLIA_PRECISION_BF16;
    if (in_bf16 && !plan->changes_floats) {
        gi_pack_for(engine->isa)->load_row_bf16(row, type, sample, n, divisor);
        return;
    }
    void *floats = in_bf16 ? w->changed + r * gi_padded(n) : row;
    engine->load_row(floats, type, sample, n, divisor);
    if (plan->changes_floats) change_floats(&network->input, engine, w, epoch, place, floats, n);
    if (in_bf16) gi_pack_for(engine->isa)->to_bf16(row, floats, gi_padded(n));
}

void gi_row_put(const glia_network *network, const gi_plan *plan, gi_workspace *w, size_t r,
                glia_type type, const void *sample, uint32_t epoch, uint64_t place)
{
    const size_t n = gi_network_inputs(network);
    if (gi_plan_reads_lists(plan)) {
        plan->engine->load_sparse(&w->lists[r], type, sample, n, network->input.divisor);
    } else if (plan->bytes) {
        uint8_t *row = (uint8_t *)w->x + r * w->row_bytes[0];
        memcpy(row, sample, n);
        if (w->input_dropout > 0) drop_bytes(plan->engine, w, epoch, place, row, n);
    } else {
        put_floats(network, plan, w, r, type, sample, epoch, place);
    }
}

void gi_row_put_pairs(const glia_network *network, const gi_plan *plan, gi_workspace *w, size_t r,
                      const gi_pairs *sample)
{
    plan->engine->load_pairs(&w->lists[r], sample, gi_network_inputs(network),
                             network->input.divisor);
}
