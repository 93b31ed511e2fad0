/* SPDX-License-Identifier: MIT */
/*
 * The gradient check: backpropagation, in double by the very kernels that train, against central
 * differences of the loss, for 1 to 4 layers, every activation, batches of 1 and 7, every level;
 * with batch normalisation, dropout, smoothed labels, weighted samples and every loss too.
 */
#include "numeric.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compute/activation.h"
#include "model/names.h"

enum { INPUTS = 6, CLASSES = 4, LD = 16, MAX_PARAMETERS = 512 };

static const double LARGEST_RELATIVE_ERROR = 1e-7;
static double largest_seen;

/* What is checked. */
struct subject {
    size_t n_hidden;
    glia_activation activation;
    size_t batch;
    bool norm;
    double dropout, smoothing;
    glia_loss loss;
    bool is_weighted;
    int threads;
    size_t n_by_units;
};

/* A row update that keeps the gradient instead of learning from it. */
static void keep_gradient(const gi_row_update *update, size_t layer, size_t row, size_t unit,
                          void *weight, const void *gradient, size_t n)
{
    (void)weight;
    void **layers = update->user; /* [layer]: (n_in + 3, LD), LD being one panel's width here */
    memcpy((double *)layers[layer] + row * LD + unit, gradient, n * sizeof(double));
}

static double *parameter_of(const gi_layer *layer, size_t row, size_t unit)
{
    return parameter_at(layer, sizeof(double), row, unit);
}

/* Which rows of a layer are learned: of a normalised one not the bias. */
static bool is_learned(const gi_layer *layer, size_t row)
{
    if (row < layer->n_in) return true;
    return layer->scale ? row != layer->n_in && row < layer->n_in + GI_LEARNED_ROWS
                        : row == layer->n_in;
}

/* The mean loss of the batch in x, as training sees it. */
static double loss_of(glia_network *network, const gi_plan *plan, gi_workspace *w,
                      gi_scratch *scratch)
{
    const gi_plan alone = {.engine = plan->engine,
                           .threads = 1,
                           .staged = plan->staged,
                           .n_by_units = plan->n_by_units};
    const gi_crew crew = {NULL, 0, 1, scratch};
    gi_step_forward(network, &alone, w, w->rows, &crew);
    double sum = 0;
    for (size_t r = 0; r < w->rows; r++) sum += w->loss[r];
    return sum / gi_workspace_weight(w, w->rows);
}

/* The five-point stencil: (-J(+2h) + 8 J(+h) - 8 J(-h) + J(-2h)) / 12h, with an error of O(h^4). */
static double difference(glia_network *network, const gi_plan *plan, gi_workspace *w,
                         gi_scratch *scratch, double *parameter)
{
    const double h = 1e-4, at = *parameter;
    static const double steps[4] = {2, 1, -1, -2}, factors[4] = {-1, 8, -8, 1};
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        *parameter = at + steps[i] * h;
        sum += factors[i] * loss_of(network, plan, w, scratch);
    }
    *parameter = at;
    return sum / (12 * h);
}

/* Targets for rows that are not of classes: 0 and 1, or values. */
static void draw_targets(const glia_network *network, gi_workspace *w, gi_rng *rng)
{
    const size_t n = w->rows * gi_network_classes(network);
    for (size_t i = 0; i < n && w->targets; i++)
        w->targets[i] =
            network->loss == GLIA_LOSS_BCE ? (float)gi_rng_below(rng, 2) : gi_rng_normal(rng);
}

/* Whether no output is so near its target, or Huber's bends, that a kink is crossed. */
static bool is_smooth_at_targets(const glia_network *network, const gi_workspace *w)
{
    const double *z = w->activation[network->n_layers - 1];
    const size_t n = gi_network_classes(network);
    if (network->loss != GLIA_LOSS_MAE && network->loss != GLIA_LOSS_HUBER) return true;
    for (size_t r = 0; r < w->rows; r++)
        for (size_t c = 0; c < n; c++) {
            const double d = z[r * gi_stride(n) + c] - (double)w->targets[r * n + c];
            if (fabs(network->loss == GLIA_LOSS_MAE ? d : fabs(d) - 1) < 1e-2) return false;
        }
    return true;
}

/* Whether every weighted sum keeps so far from 0 that relu's kink is not crossed. */
static bool is_smooth(const glia_network *network, const gi_workspace *w)
{
    for (size_t l = 0; l + 1 < network->n_layers; l++) {
        const gi_layer *layer = &network->layers[l];
        const double *x = l ? w->activation[l - 1] : w->x, *kept = w->z[l];
        for (size_t r = 0; r < w->rows; r++)
            for (size_t u = 0; u < layer->n_out; u++) {
                double y = ((double *)layer->bias)[u];
                for (size_t i = 0; i < layer->n_in && !kept; i++)
                    y += x[r * gi_stride(layer->n_in) + i] * *parameter_of(layer, i, u);
                if (kept) y = kept[r * gi_stride(layer->n_out) + u];
                if (layer->scale) y = y * ((double *)layer->scale)[u] + ((double *)layer->shift)[u];
                if (fabs(y) < 4e-3) return false;
            }
    }
    return true;
}

static void check(const gi_engine *engine, const struct subject *what)
{
    static const size_t hidden[3] = {5, 7, 3};
    const size_t batch = what->batch;
    glia_network *network =
        make_network(engine, INPUTS, what->n_hidden, hidden, what->activation, CLASSES);
    network->loss = what->loss ? what->loss : GLIA_LOSS_CROSS_ENTROPY;
    for (size_t l = 0; l < what->n_hidden && what->norm; l++)
        assert_int_equal(gi_network_normalise(network, l, NULL), GLIA_OK);
    const gi_plan plan = {
        .engine = engine,
        .threads = what->threads,
        .n_by_units = what->norm ? what->n_hidden : what->n_by_units,
        .staged = gi_plan_staged(network->layers, network->n_layers, what->dropout, false)};
    gi_workspace w;
    gi_scratch scratch;
    assert_int_equal(gi_workspace_new(network, &plan, batch, true, &w, NULL), GLIA_OK);
    assert_int_equal(gi_scratch_new(network, batch, &scratch, NULL), GLIA_OK);
    w.dropout = what->dropout;
    w.smoothing = what->smoothing;
    w.is_weighted = what->is_weighted;

    for (uint64_t seed = 1;; seed++) { /* until no sum is near relu's kink */
        gi_rng rng = gi_rng_make(seed, GI_RANDOM_INIT, 0, 0);
        w.seed = seed;
        for (size_t l = 0; l < network->n_layers; l++) {
            const gi_layer *layer = &network->layers[l];
            for (size_t row = 0; row < layer->n_in + GI_LEARNED_ROWS; row++)
                for (size_t u = 0; u < layer->n_out && is_learned(layer, row); u++)
                    *parameter_of(layer, row, u) = 0.7 * (double)gi_rng_normal(&rng);
        }
        for (size_t r = 0; r < batch; r++) {
            float x[INPUTS];
            for (size_t i = 0; i < INPUTS; i++) /* zeros too: they are skipped */
                x[i] = gi_rng_below(&rng, 3) ? gi_rng_normal(&rng) : 0;
            gi_row_put(network, &plan, &w, r, GLIA_TYPE_F32, x, 0, 0);
            if (w.labels) w.labels[r] = gi_rng_below(&rng, CLASSES);
            w.weights[r] = (float)gi_rng_below(&rng, 4) * 0.5F;
        }
        draw_targets(network, &w, &rng);
        w.weights[0] = 1;
        gi_network_forward(network, &plan, &w, 0, batch, &scratch);
        const bool is_clear = is_smooth_at_targets(network, &w);
        loss_of(network, &plan, &w, &scratch);
        const bool has_kink = what->activation == GLIA_ACTIVATION_RELU ||
                              what->activation == GLIA_ACTIVATION_LEAKY_RELU ||
                              what->activation == GLIA_ACTIVATION_ELU;
        if (is_clear && (!has_kink || is_smooth(network, &w))) break;
        assert_true(seed < 100000);
    }

    double gradient[4][MAX_PARAMETERS];
    void *layers[4] = {gradient[0], gradient[1], gradient[2], gradient[3]};
    const gi_row_update update = {.apply = keep_gradient, .user = layers};
    run_step(network, &plan, &w, &update);

    for (size_t l = 0; l < network->n_layers; l++) {
        const gi_layer *layer = &network->layers[l];
        /* Relative to the largest gradient of the layer: differences of J carry its rounding. */
        double largest = 0, worst = 0;
        for (size_t row = 0; row < layer->n_in + GI_LEARNED_ROWS; row++)
            for (size_t u = 0; u < layer->n_out && is_learned(layer, row); u++)
                largest = fmax(largest, fabs(gradient[l][row * LD + u]));
        for (size_t row = 0; row < layer->n_in + GI_LEARNED_ROWS; row++)
            for (size_t u = 0; u < layer->n_out && is_learned(layer, row); u++) {
                double *parameter = parameter_of(layer, row, u);
                const double numeric = difference(network, &plan, &w, &scratch, parameter);
                worst = fmax(worst, fabs(gradient[l][row * LD + u] - numeric) / largest);
            }
        assert_true(largest > 0);
        if (!(worst <= LARGEST_RELATIVE_ERROR))
            fail_msg("%s, %s, %zu layers, %s, batch %zu%s, dropout %g, smoothing %g%s, %d threads, "
                     "layer %zu: relative error %.2e",
                     engine->isa, glia_loss_name(network->loss), network->n_layers,
                     glia_activation_name(what->activation), batch,
                     what->norm ? ", normalised" : "", what->dropout, what->smoothing,
                     what->is_weighted ? ", weighted" : "", what->threads, l, worst);
        largest_seen = fmax(largest_seen, worst);
    }
    gi_scratch_free(&scratch);
    gi_workspace_free(&w);
    glia_network_free(network);
}

static void check_level(const gi_engine *f32, const gi_engine *f64)
{
    (void)f32;
    for (size_t n_hidden = 0; n_hidden <= 3; n_hidden++)
        for (int f = GLIA_ACTIVATION_SIGMOID; f < GI_N_HIDDEN_ACTIVATIONS; f++)
            for (size_t batch = 1; batch <= 7; batch += 6)
                check(f64, &(struct subject){.n_hidden = n_hidden,
                                             .activation = (glia_activation)f,
                                             .batch = batch,
                                             .threads = 1});
}

/* Everything that lies between products, alone and together, shared out by units and by samples. */
static void check_stages(const gi_engine *f32, const gi_engine *f64)
{
    (void)f32;
    for (int f = GLIA_ACTIVATION_SIGMOID; f < GI_N_HIDDEN_ACTIVATIONS; f++)
        for (unsigned set = 0; set < 16; set++)
            for (int threads = 1; threads <= 3; threads += 2)
                check(f64, &(struct subject){.n_hidden = 1 + (set + (unsigned)f) % 3,
                                             .activation = (glia_activation)f,
                                             .batch = 9,
                                             .norm = set & 1,
                                             .dropout = set & 2 ? 0.4 : 0,
                                             .smoothing = set & 4 ? 0.1 : 0,
                                             .is_weighted = set & 8,
                                             .threads = threads,
                                             .n_by_units = set % 3 % 2});
}

/* Every loss, of samples with weights and without, alone and shared out. */
static void check_losses(const gi_engine *f32, const gi_engine *f64)
{
    (void)f32;
    for (int loss = GLIA_LOSS_CROSS_ENTROPY; loss <= GLIA_LOSS_HUBER; loss++)
        for (unsigned set = 0; set < 8; set++)
            check(f64, &(struct subject){.n_hidden = set % 3,
                                         .activation =
                                             set & 1 ? GLIA_ACTIVATION_TANH : GLIA_ACTIVATION_RELU,
                                         .batch = set & 2 ? 9 : 1,
                                         .loss = (glia_loss)loss,
                                         .is_weighted = set & 4,
                                         .threads = set & 2 ? 3 : 1});
}

static void test_losses_equal_differences(void **state)
{
    (void)state;
    on_every_level(check_losses);
    print_message("# largest relative error: %.2e\n", largest_seen);
}

static void test_stages_equal_differences(void **state)
{
    (void)state;
    on_every_level(check_stages);
    print_message("# largest relative error: %.2e\n", largest_seen);
}

static void test_backpropagation_equals_differences(void **state)
{
    (void)state;
    on_every_level(check_level);
    print_message("# largest relative error: %.2e\n", largest_seen);
}

/* The fused per-sample step against the batch path with one sample: W - rate * dJ/dW, every layer.
 */
static void check_sample_step(const gi_engine *f32, const gi_engine *engine)
{
    (void)f32;
    static const size_t hidden[3] = {37, 18, 5}; /* no multiples of the padding or of four */
    for (size_t n_hidden = 0; n_hidden <= 3; n_hidden++) {
        for (int f = GLIA_ACTIVATION_SIGMOID; f < GI_N_HIDDEN_ACTIVATIONS; f++) {
            if (gi_activation_is((glia_activation)f, GI_BY_SUM)) continue; /* never in one kernel */
            glia_network *a = make_network(engine, 23, n_hidden, hidden, (glia_activation)f, 10);
            glia_network *b = make_network(engine, 23, n_hidden, hidden, (glia_activation)f, 10);
            a->loss = b->loss = (glia_loss)(GLIA_LOSS_CROSS_ENTROPY + f % GLIA_LOSS_HUBER);
            const gi_plan plan = {.engine = engine, .threads = 1};
            gi_workspace w;
            gi_scratch scratch;
            assert_int_equal(gi_workspace_new(a, &plan, 1, true, &w, NULL), GLIA_OK);
            assert_int_equal(gi_scratch_new(a, 1, &scratch, NULL), GLIA_OK);
            gi_rng rng = gi_rng_make(5, GI_RANDOM_INIT, 0, 0);
            for (size_t l = 0; l < a->n_layers; l++) {
                const gi_layer *la = &a->layers[l], *lb = &b->layers[l];
                for (size_t row = 0; row <= la->n_in; row++)
                    for (size_t u = 0; u < la->n_out; u++) {
                        const double value = 0.5 * (double)gi_rng_normal(&rng);
                        *parameter_of(la, row, u) = value;
                        *parameter_of(lb, row, u) = value;
                    }
            }
            uint8_t x[23];
            for (size_t i = 0; i < sizeof x; i++)
                x[i] = gi_rng_below(&rng, 2) ? (uint8_t)gi_rng_below(&rng, 256) : 0;
            a->input.divisor = b->input.divisor = 255;

            gi_row_put(a, &plan, &w, 0, GLIA_TYPE_U8, x, 0, 0);
            if (w.labels) w.labels[0] = 7;
            draw_targets(a, &w, &rng);
            const gi_row_update update = {.apply = engine->sgd_row, .rate = 0.25};
            run_step(a, &plan, &w, &update);
            const double loss = w.loss[0];

            uint32_t index[32];
            double value[32];
            gi_sparse sparse = {.index = index, .value = value};
            engine->load_sparse(&sparse, GLIA_TYPE_U8, x, 23, 255);
            size_t correct;
            const gi_loss how = gi_workspace_loss(b, &w, 0, 1);
            const double sample_loss =
                engine->sgd_sample(b->layers, b->n_layers, &sparse, &how, 0.25, w.activation,
                                   w.diff, &scratch, &correct);
            assert_true(fabs(sample_loss - loss) < 1e-12);
            for (size_t l = 0; l < a->n_layers; l++) {
                const gi_layer *la = &a->layers[l], *lb = &b->layers[l];
                for (size_t row = 0; row <= la->n_in; row++)
                    for (size_t u = 0; u < la->ld; u++) { /* pads too: they stay zero */
                        const double wa = *parameter_of(la, row, u);
                        const double wb = *parameter_of(lb, row, u);
                        if (!(fabs(wa - wb) < 1e-13) || (u >= la->n_out && wb != 0))
                            fail_msg("%s, %s, layer %zu, row %zu, unit %zu: %.17g and %.17g",
                                     engine->isa, glia_activation_name((glia_activation)f), l, row,
                                     u, wa, wb);
                    }
            }
            gi_scratch_free(&scratch);
            gi_workspace_free(&w);
            glia_network_free(a);
            glia_network_free(b);
        }
    }
}

static void test_sample_step_equals_batch_of_one(void **state)
{
    (void)state;
    on_every_level(check_sample_step);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backpropagation_equals_differences),
        cmocka_unit_test(test_losses_equal_differences),
        cmocka_unit_test(test_stages_equal_differences),
        cmocka_unit_test(test_sample_step_equals_batch_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
