/* SPDX-License-Identifier: MIT */
/*
 * Networks and kernels: against vectors of an independent implementation, and, where the numbers
 * are small integers and every sum is exact, against plain loops with no tolerance.
 */
#include "numeric.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "golden/golden.h"
#include "model/names.h"
#include "shape.h"
#include "whole.h"

enum { N_GOLDENS = sizeof goldens / sizeof goldens[0] };

/* ---- Against NumPy -------------------------------------------------------------------------- */

/* A row update that keeps the gradient of each layer, (n_in + 1, ld), instead of learning from it.
 */
struct kept {
    const gi_engine *engine;
    size_t ld[GLIA_MAX_LAYERS];
    double *gradient[GLIA_MAX_LAYERS];
};

static void keep_gradient(const gi_row_update *update, size_t layer, size_t row, size_t unit,
                          void *weight, const void *gradient, size_t n)
{
    const struct kept *k = update->user;
    (void)weight;
    for (size_t u = 0; u < n; u++)
        k->gradient[layer][row * k->ld[layer] + unit + u] = element(k->engine, gradient, u);
}

static void assert_near(double found, double expected, double tolerance, const gi_engine *engine,
                        const char *what, size_t golden, size_t i)
{
    if (!(fabs(found - expected) <= tolerance * fmax(1, fabs(expected))))
        fail_msg("%s f%zu, vector %zu, %s %zu: found %.17g, expected %.17g", engine->isa,
                 8 * engine->element_bytes, golden, what, i, found, expected);
}

static void check_golden_plan(const gi_engine *engine, const glia_network *network,
                              const gi_plan *plan, size_t index, double tolerance)
{
    const struct golden *g = &goldens[index];
    struct kept kept = {.engine = engine};
    for (size_t l = 0; l < network->n_layers; l++) {
        kept.ld[l] = network->layers[l].ld;
        kept.gradient[l] = test_calloc((network->layers[l].n_in + 1) * kept.ld[l], sizeof(double));
    }
    gi_workspace w;
    gi_scratch scratch;
    assert_int_equal(gi_workspace_new(network, plan, g->batch, true, &w, NULL), GLIA_OK);
    assert_int_equal(gi_scratch_new(network, g->batch, &scratch, NULL), GLIA_OK);
    for (size_t r = 0; r < g->batch; r++) {
        float x[32];
        for (size_t i = 0; i < g->inputs; i++) x[i] = (float)g->x[r * g->inputs + i];
        gi_row_put(network, plan, &w, r, GLIA_TYPE_F32, x, 0, 0);
        w.labels[r] = g->labels[r];
    }
    gi_network_forward(network, plan, &w, 0, g->batch, &scratch);
    float probabilities[128];
    gi_network_outputs(network, plan, &w, g->batch, probabilities);
    for (size_t i = 0; i < g->batch * g->classes; i++)
        assert_near((double)probabilities[i], g->probabilities[i], fmax(tolerance, 1e-6), engine,
                    "probability", index, i);

    const gi_row_update update = {.apply = keep_gradient, .user = &kept};
    run_step((glia_network *)(uintptr_t)network, plan, &w, &update);
    for (size_t r = 0; r < g->batch; r++)
        assert_near(w.loss[r], g->loss[r], tolerance, engine, "loss", index, r);
    const double *gradient = g->gradients;
    for (size_t l = 0; l < network->n_layers; l++) {
        const gi_layer *layer = &network->layers[l];
        for (size_t u = 0; u < layer->n_out; u++)
            for (size_t i = 0; i < layer->n_in; i++)
                assert_near(kept.gradient[l][i * layer->ld + u], *gradient++, tolerance, engine,
                            "gradient", index, i);
        for (size_t u = 0; u < layer->n_out; u++)
            assert_near(kept.gradient[l][layer->n_in * layer->ld + u], *gradient++, tolerance,
                        engine, "bias gradient", index, u);
        test_free(kept.gradient[l]);
    }
    gi_scratch_free(&scratch);
    gi_workspace_free(&w);
}

static void check_golden(const gi_engine *engine, size_t index, double tolerance)
{
    const struct golden *g = &goldens[index];
    glia_network *network;
    glia_error error;
    if (gi_network_new(g->inputs, g->n_hidden, g->hidden, g->activations, g->classes, engine,
                       &network, &error))
        fail_msg("%s", error.message);
    const double *parameter = g->parameters;
    for (size_t l = 0; l < network->n_layers; l++) {
        const gi_layer *layer = &network->layers[l];
        for (size_t u = 0; u < layer->n_out; u++)
            for (size_t i = 0; i < layer->n_in; i++)
                set_element(engine, layer->weight, gi_weight_offset(layer, i, u), *parameter++);
        for (size_t u = 0; u < layer->n_out; u++) set_element(engine, layer->bias, u, *parameter++);
    }
    gi_plan plan;
    for (size_t i = 0; get_plan(engine, network, i, &plan); i++)
        check_golden_plan(engine, network, &plan, index, tolerance);
    glia_network_free(network);
}

static void check_goldens(const gi_engine *f32, const gi_engine *f64)
{
    for (size_t i = 0; i < N_GOLDENS; i++) {
        check_golden(f64, i, 1e-13);
        check_golden(f32, i, 1e-5);
    }
}

static void test_numpy_vectors(void **state)
{
    (void)state;
    on_every_level(check_goldens);
}

/* ---- Exact products of small integers ------------------------------------------------------- */

static int small(gi_rng *rng)
{
    return gi_rng_below(rng, 3) ? (int)gi_rng_below(rng, 9) - 4 : 0;
}

/* A layer n_in -> n_out as the second of a network, so that data flows back through it. */
static void check_exact_layer(const gi_engine *reference, const gi_engine *engine, size_t n_in,
                              size_t n_out, size_t batch, gi_rng *rng)
{
    const glia_activation identity[1] = {GLIA_ACTIVATION_IDENTITY};
    const gi_plan plan = {.engine = engine, .threads = 1};
    glia_network *network;
    assert_int_equal(gi_network_new(2, 1, &n_in, identity, n_out, reference, &network, NULL),
                     GLIA_OK);
    const gi_layer *layer = &network->layers[1];
    gi_workspace s;
    gi_scratch scratch;
    assert_int_equal(gi_workspace_new(network, &plan, batch, true, &s, NULL), GLIA_OK);
    assert_int_equal(gi_scratch_new(network, batch, &scratch, NULL), GLIA_OK);
    const size_t row_in = gi_stride(n_in), row = gi_stride(n_out), ld = layer->ld;
    int *w = test_calloc(n_in * n_out, sizeof *w), *x = test_calloc(batch * n_in, sizeof *x);
    int *delta = test_calloc(batch * n_out, sizeof *delta);
    for (size_t i = 0; i < n_in; i++)
        for (size_t u = 0; u < n_out; u++)
            set_element(engine, layer->weight, gi_weight_offset(layer, i, u),
                        w[i * n_out + u] = small(rng));
    for (size_t u = 0; u < n_out; u++) set_element(engine, layer->bias, u, 3);
    for (size_t r = 0; r < batch; r++)
        for (size_t i = 0; i < n_in; i++)
            set_element(engine, s.activation[0], r * row_in + i, x[r * n_in + i] = small(rng));

    const size_t middle = ld / GI_PAD / 2 * GI_PAD; /* two parts make the whole */
    engine->forward(layer, s.activation[0], s.activation[1], batch, 0, middle, &scratch);
    engine->forward(layer, s.activation[0], s.activation[1], batch, middle, ld, &scratch);
    for (size_t r = 0; r < batch; r++)
        for (size_t u = 0; u < ld; u++) {
            int z = u < n_out ? 3 : 0;
            for (size_t i = 0; i < n_in && u < n_out; i++) z += x[r * n_in + i] * w[i * n_out + u];
            assert_true(element(engine, s.activation[1], r * row + u) == z);
        }

    for (size_t r = 0; r < batch; r++)
        for (size_t u = 0; u < n_out; u++)
            set_element(engine, s.diff[1], r * row + u, delta[r * n_out + u] = small(rng));
    const size_t ld_in = gi_padded(n_in), half = ld_in / GI_PAD / 2 * GI_PAD;
    engine->backward_data(layer, s.diff[1], GLIA_ACTIVATION_RELU, s.activation[0], s.diff[0], batch,
                          0, half, &scratch);
    engine->backward_data(layer, s.diff[1], GLIA_ACTIVATION_RELU, s.activation[0], s.diff[0], batch,
                          half, ld_in, &scratch);
    for (size_t r = 0; r < batch; r++)
        for (size_t i = 0; i < ld_in; i++) {
            int sum = 0;
            for (size_t u = 0; u < n_out && i < n_in; u++)
                sum += x[r * n_in + i] > 0 ? w[i * n_out + u] * delta[r * n_out + u] : 0;
            assert_true(element(engine, s.diff[0], r * row_in + i) == sum);
        }

    struct kept kept = {.engine = engine, .ld = {0, ld}};
    kept.gradient[1] = test_calloc((n_in + 1) * ld, sizeof(double));
    const gi_row_update update = {.apply = keep_gradient, .user = &kept};
    const gi_row_update sgd = {.apply = engine->sgd_row, .rate = 0.5, .skips_zero = true};
    const size_t n = n_in / 2; /* four parts */
    for (int p = 0; p < 4; p++) {
        const gi_part part = {p & 1 ? n : 0, p & 1 ? n_in + 1 : n, p & 2 ? middle : 0,
                              p & 2 ? ld : middle};
        engine->backward_weights(layer, 1, s.activation[0], s.diff[1], batch, &part, &update,
                                 &scratch);
        engine->backward_weights(layer, 1, s.activation[0], s.diff[1], batch, &part, &sgd,
                                 &scratch);
    }
    for (size_t i = 0; i <= n_in; i++)
        for (size_t u = 0; u < n_out; u++) {
            int sum = 0;
            for (size_t r = 0; r < batch; r++)
                sum += (i < n_in ? x[r * n_in + i] : 1) * delta[r * n_out + u];
            assert_true(kept.gradient[1][i * ld + u] == sum);
            const double before = i < n_in ? w[i * n_out + u] : 3;
            assert_true(element(engine, parameter_at(layer, engine->element_bytes, i, u), 0) ==
                        before - 0.5 * sum);
        }
    test_free(kept.gradient[1]);
    test_free(w);
    test_free(x);
    test_free(delta);
    gi_scratch_free(&scratch);
    gi_workspace_free(&s);
    glia_network_free(network);
}

static void check_exact(const gi_engine *reference, const gi_engine *engine)
{
    static const size_t widths[] = {1, 2, 15, 16, 17, 33, 83, 150};
    static const size_t batches[] = {1, 9, 131}; /* more than a tile is deep, and than its rows */
    gi_rng rng = gi_rng_make(3, GI_RANDOM_INIT, 0, 0);
    for (size_t a = 0; a < sizeof widths / sizeof *widths; a++)
        for (size_t b = 0; b < sizeof widths / sizeof *widths; b++)
            for (size_t c = 0; c < sizeof batches / sizeof *batches; c++)
                check_exact_layer(reference, engine, widths[a], widths[b], batches[c], &rng);
}

/* The first layer of sparse samples, against the same one of dense samples; sums are exact. */
static void check_exact_sparse(const gi_engine *reference)
{
    enum { BATCH = 70, INPUTS = 250, MAX_UNITS = 200 }; /* more than a chunk, blocks, a panel */
    static const size_t widths[] = {1, 16, 33, 64, 70, 100, 128, MAX_UNITS};
    const gi_engine *engine = gi_engine_native(reference);
    static uint8_t x[BATCH][INPUTS];
    gi_rng rng = gi_rng_make(4, GI_RANDOM_INIT, 0, 0);
    for (size_t r = 0; r < BATCH; r++)
        for (size_t i = 0; i < INPUTS; i++)
            x[r][i] = i / 50 == 3 || gi_rng_below(&rng, 4) ? 0 : (uint8_t)gi_rng_below(&rng, 9);
    for (size_t a = 0; a < sizeof widths / sizeof *widths; a++) {
        for (int form = 0; form < 6; form++) {
            const int threads = 1 + form / 2;
            const bool bytes = form % 2;
            struct kept kept[2];
            void *z[2], *weights[2];
            glia_network *network[2];
            gi_workspace w[2];
            for (int sparse = 0; sparse < 2; sparse++) {
                const gi_plan plan = {.engine = sparse ? engine : reference,
                                      .sparse = sparse,
                                      .bytes = sparse && bytes,
                                      .threads = threads,
                                      .n_by_units = sparse ? (size_t)threads % 2 : 0};
                network[sparse] =
                    make_network(reference, INPUTS, 1, &widths[a], GLIA_ACTIVATION_IDENTITY, 3);
                const gi_layer *layer = &network[sparse]->layers[0];
                gi_rng again = gi_rng_make(5, GI_RANDOM_INIT, 0, 0);
                for (size_t i = 0; i < INPUTS; i++)
                    for (size_t u = 0; u < widths[a]; u++)
                        set_element(engine, layer->weight, gi_weight_offset(layer, i, u),
                                    small(&again));
                assert_int_equal(
                    gi_workspace_new(network[sparse], &plan, BATCH, true, &w[sparse], NULL),
                    GLIA_OK);
                for (size_t r = 0; r < BATCH; r++) {
                    gi_row_put(network[sparse], &plan, &w[sparse], r, GLIA_TYPE_U8, x[r], 0, 0);
                    w[sparse].labels[r] = (uint32_t)(r % 3);
                }
                kept[sparse] = (struct kept){.engine = engine, .ld = {layer->ld, 16}};
                kept[sparse].gradient[0] = test_calloc((INPUTS + 1) * layer->ld, sizeof(double));
                kept[sparse].gradient[1] = test_calloc((widths[a] + 1) * 16, sizeof(double));
                /* layer 1 is zero, so that the gradient above is too: set it to small integers */
                const gi_row_update look = {.apply = keep_gradient, .user = &kept[sparse]};
                run_step(network[sparse], &plan, &w[sparse], &look);
                for (size_t r = 0; r < BATCH; r++)
                    for (size_t u = 0; u < widths[a]; u++)
                        set_element(engine, w[sparse].diff[0], r * gi_stride(widths[a]) + u,
                                    small(&again));
                gi_scratch scratch;
                assert_int_equal(gi_scratch_new(network[sparse], BATCH, &scratch, NULL), GLIA_OK);
                const gi_row_update sgd = {
                    .apply = engine->sgd_row, .rate = 0.5, .skips_zero = true};
                const gi_row_update *const updates[2] = {&look, &sgd};
                for (int k = 0; k < 2; k++) {
                    for (int p = 0; p < 2; p++) {
                        const gi_part part = {p ? 77 : 0, p ? INPUTS + 1 : 77, 0, layer->ld};
                        if (sparse && bytes)
                            engine->backward_bytes(layer, 0, w[sparse].x, w[sparse].row_bytes[0], 1,
                                                   true, w[sparse].diff[0], BATCH, &part,
                                                   updates[k], &scratch);
                        else if (sparse)
                            engine->backward_sparse(layer, 0, w[sparse].lists, w[sparse].diff[0],
                                                    BATCH, &part, updates[k], &scratch);
                        else
                            reference->backward_weights(
                                layer, 0, w[sparse].x, w[sparse].diff[0], BATCH, &part,
                                k ? &(gi_row_update){.apply = reference->sgd_row, .rate = 0.5}
                                  : &look,
                                &scratch);
                    }
                }
                gi_scratch_free(&scratch);
                z[sparse] = w[sparse].activation[0];
                weights[sparse] = layer->weight;
            }
            const gi_layer *layer = &network[0]->layers[0];
            for (size_t r = 0; r < BATCH; r++)
                for (size_t u = 0; u < layer->ld; u++) {
                    const size_t at = r * gi_stride(widths[a]) + u;
                    /* the sums are of integers times 1/255 times integers: not exact */
                    assert_true(fabs(element(engine, z[0], at) - element(engine, z[1], at)) < 1e-5);
                }
            for (size_t i = 0; i < (INPUTS + 1) * layer->ld; i++)
                assert_true(fabs(kept[0].gradient[0][i] - kept[1].gradient[0][i]) < 1e-5);
            for (size_t i = 0; i < gi_padded(INPUTS) * layer->ld; i++)
                assert_true(fabs(element(engine, weights[0], i) - element(engine, weights[1], i)) <
                            1e-5);
            for (int sparse = 0; sparse < 2; sparse++) {
                test_free(kept[sparse].gradient[0]);
                test_free(kept[sparse].gradient[1]);
                gi_workspace_free(&w[sparse]);
                glia_network_free(network[sparse]);
            }
        }
    }
}

/*
 * The first layer of bytes, which stand for themselves, in parts; pads of a row are not looked at,
 * or are 0 where zeros are skipped.
 */
static void check_exact_bytes(const gi_engine *reference, bool skips, size_t n_in, size_t n_out,
                              size_t batch, gi_rng *rng)
{
    const gi_engine *engine = gi_engine_native(reference);
    const size_t row_in = (n_in / 64 + 1) * 64, row = gi_stride(n_out);
    glia_network *network = make_network(reference, n_in, 1, &n_out, GLIA_ACTIVATION_IDENTITY, 2);
    const gi_layer *layer = &network->layers[0];
    const size_t ld = layer->ld;
    uint8_t *x = test_malloc(batch * row_in);
    int *w = test_calloc((n_in + 1) * n_out, sizeof *w); /* the last row is the bias */
    int *delta = test_calloc(batch * n_out, sizeof *delta);
    gi_workspace s;
    gi_scratch scratch;
    const gi_plan plan = {.engine = engine, .bytes = true, .threads = 1};
    assert_int_equal(gi_workspace_new(network, &plan, batch, true, &s, NULL), GLIA_OK);
    assert_int_equal(gi_scratch_new(network, batch, &scratch, NULL), GLIA_OK);
    float *z = s.activation[0], *diff = s.diff[0];
    memset(x, skips ? 0 : 255, batch * row_in);
    for (size_t r = 0; r < batch; r++)
        for (size_t i = 0; i < n_in; i++)
            x[r * row_in + i] = (uint8_t)(skips && gi_rng_below(rng, 4) ? 0 : gi_rng_below(rng, 9));
    for (size_t i = 0; i <= n_in; i++)
        for (size_t u = 0; u < n_out; u++)
            *(float *)parameter_at(layer, sizeof(float), i, u) =
                (float)(w[i * n_out + u] = small(rng));

    const size_t middle = ld / GI_PAD / 2 * GI_PAD; /* two parts make the whole */
    engine->forward_bytes(layer, x, row_in, 1, skips, z, batch, 0, middle, &scratch);
    engine->forward_bytes(layer, x, row_in, 1, skips, z, batch, middle, ld, &scratch);
    for (size_t r = 0; r < batch; r++)
        for (size_t u = 0; u < ld; u++) {
            int sum = u < n_out ? w[n_in * n_out + u] : 0;
            for (size_t i = 0; i < n_in && u < n_out; i++)
                sum += x[r * row_in + i] * w[i * n_out + u];
            assert_true(z[r * row + u] == (float)sum);
        }

    for (size_t r = 0; r < batch; r++)
        for (size_t u = 0; u < n_out; u++)
            diff[r * row + u] = (float)(delta[r * n_out + u] = small(rng));
    struct kept kept = {.engine = engine, .ld = {ld}};
    kept.gradient[0] = test_calloc((n_in + 1) * ld, sizeof(double));
    const gi_row_update look = {.apply = keep_gradient, .user = &kept};
    const gi_row_update sgd = {.apply = engine->sgd_row, .rate = 0.5, .skips_zero = true};
    const size_t n = n_in / 2; /* four parts */
    for (int p = 0; p < 4; p++) {
        const gi_part part = {p & 1 ? n : 0, p & 1 ? n_in + 1 : n, p & 2 ? middle : 0,
                              p & 2 ? ld : middle};
        engine->backward_bytes(layer, 0, x, row_in, 1, skips, diff, batch, &part, &look, &scratch);
        engine->backward_bytes(layer, 0, x, row_in, 1, skips, diff, batch, &part, &sgd, &scratch);
    }
    for (size_t i = 0; i <= n_in; i++)
        for (size_t u = 0; u < ld; u++) {
            int sum = 0;
            for (size_t r = 0; r < batch && u < n_out; r++)
                sum += (i < n_in ? x[r * row_in + i] : 1) * delta[r * n_out + u];
            assert_true(kept.gradient[0][i * ld + u] == sum);
            const double before = u < n_out ? w[i * n_out + u] : 0;
            assert_true(*(const float *)parameter_at(layer, sizeof(float), i, u) ==
                        (float)(before - 0.5 * sum));
        }
    test_free(kept.gradient[0]);
    test_free(x);
    test_free(w);
    test_free(delta);
    gi_scratch_free(&scratch);
    gi_workspace_free(&s);
    glia_network_free(network);
}

/* More rows and inputs than are converted at a time, and fewer. */
static void check_bytes(const gi_engine *f32, const gi_engine *f64)
{
    static const size_t inputs[] = {1, 17, 128, 129, 300}, units[] = {1, 33, 64, 150};
    static const size_t batches[] = {1, 9, 128, 131, 300};
    (void)f64;
    gi_rng rng = gi_rng_make(6, GI_RANDOM_INIT, 0, 0);
    for (size_t a = 0; a < sizeof inputs / sizeof *inputs; a++)
        for (size_t b = 0; b < sizeof units / sizeof *units; b++)
            for (size_t c = 0; c < sizeof batches / sizeof *batches; c++)
                for (int skips = 0; skips < 2; skips++)
                    check_exact_bytes(f32, skips, inputs[a], units[b], batches[c], &rng);
    check_exact_bytes(f32, true, 1000, 17, 70, &rng); /* more than are turned at a time */
}

static void test_products_of_bytes_are_exact(void **state)
{
    (void)state;
    on_every_level(check_bytes);
}

static void check_exact_both(const gi_engine *f32, const gi_engine *f64)
{
    check_exact(f32, f32);
    check_exact(f64, f64);
    check_exact(f32, gi_engine_native(f32));
    check_exact_sparse(f32);
}

static void test_integer_products_are_exact(void **state)
{
    (void)state;
    on_every_level(check_exact_both);
}

/* ---- Input ---------------------------------------------------------------------------------- */

static void check_load_by(const gi_engine *engine)
{
    uint8_t bytes[40] = {0};
    bytes[3] = 1, bytes[16] = 9, bytes[17] = 255, bytes[18] = 128,
    bytes[39] = 7; /* runs of eight zeros too */
    for (size_t n = 1; n <= sizeof bytes; n++) {
        float row[48], value[48], expected[48] = {0};
        uint32_t index[48];
        gi_sparse list = {.index = index, .value = value};
        for (size_t i = 0; i < 48; i++) row[i] = -1;
        engine->load_row(row, GLIA_TYPE_U8, bytes, n, 255);
        engine->load_sparse(&list, GLIA_TYPE_U8, bytes, n, 255);
        for (size_t k = 0; k < list.n; k++) {
            assert_true(index[k] < n && value[k] != 0);
            expected[index[k]] = value[k];
        }
        for (size_t i = 0; i < gi_padded(n); i++) {
            assert_true(row[i] == expected[i]);
            const float exact = i < n ? (float)bytes[i] / 255 : 0;
            assert_true(fabsf(row[i] - exact) <= 1e-7F);
        }
    }
}

static void check_load(const gi_engine *engine, const gi_engine *f64)
{
    (void)f64;
    check_load_by(engine);
    check_load_by(gi_engine_native(engine));
}

static void test_loading_keeps_zeros_and_pads(void **state)
{
    (void)state;
    on_every_level(check_load);
}

/* ---- Softmax and the elementary functions --------------------------------------------------- */

static void check_softmax(const gi_engine *engine, const gi_engine *f64)
{
    (void)f64;
    _Alignas(64) float z[16] = {1000, -1000, 0, 999};
    float p[4];
    engine->outputs(z, 4, GLIA_LOSS_CROSS_ENTROPY, NULL, NULL, p, 1);
    assert_true(fabsf(p[0] - 0.7310586F) < 1e-6F && fabsf(p[3] - 0.2689414F) < 1e-6F);
    const uint32_t label = 1;
    const gi_loss how = {.kind = GLIA_LOSS_CROSS_ENTROPY, .labels = &label, .total = 1};
    double loss;
    assert_int_equal(engine->loss(z, 4, &how, &loss, 1), 0);
    assert_true(fabs(loss - 2000.3132617) < 1e-3); /* no overflow, no infinity */
    assert_true(fabsf(z[1] + 1) < 1e-6F && fabsf(z[0] - 0.7310586F) < 1e-6F);

    z[0] = NAN; /* what is not a number is seen in the loss */
    engine->loss(z, 4, &how, &loss, 1);
    assert_true(isnan(loss));
}

static void test_softmax_is_stable(void **state)
{
    (void)state;
    on_every_level(check_softmax);
}

static double activation_of(glia_activation f, double z)
{
    switch (f) {
    case GLIA_ACTIVATION_SIGMOID:
        return 1 / (1 + exp(-z));
    case GLIA_ACTIVATION_TANH:
        return tanh(z);
    case GLIA_ACTIVATION_RELU:
        return fmax(z, 0);
    case GLIA_ACTIVATION_LEAKY_RELU:
        return z < 0 ? 0.01 * z : z;
    case GLIA_ACTIVATION_ELU:
        return z < 0 ? expm1(z) : z;
    case GLIA_ACTIVATION_GELU:
        return z * 0.5 * erfc(-z / sqrt(2));
    case GLIA_ACTIVATION_SILU:
        return z / (1 + exp(-z));
    case GLIA_ACTIVATION_SCALED_TANH:
        return 1.7159 * tanh(z * 2 / 3);
    case GLIA_ACTIVATION_IDENTITY:
    case GLIA_ACTIVATION_SOFTMAX:
        break;
    }
    return z;
}

static void check_activations(const gi_engine *engine, const gi_engine *f64)
{
    (void)f64;
    enum { N = 13 }; /* and three pads */
    const size_t width = N;
    for (int f = GLIA_ACTIVATION_SIGMOID; f < GI_N_HIDDEN_ACTIVATIONS; f++) {
        const glia_activation activation = (glia_activation)f;
        glia_network *network;
        assert_int_equal(gi_network_new(1, 1, &width, &activation, 2, engine, &network, NULL),
                         GLIA_OK);
        gi_scratch scratch;
        assert_int_equal(gi_scratch_new(network, 1, &scratch, NULL), GLIA_OK);
        for (int first = -1600; first < 1600; first++) { /* biases alone: z = bias */
            _Alignas(64) float x[16] = {0}, a[16];
            for (int u = 0; u < N; u++)
                ((float *)network->layers[0].bias)[u] = ((float)(first * N + u)) / 256.0F;
            engine->forward(&network->layers[0], x, a, 1, 0, 16, &scratch);
            for (int pad = N; pad < 16; pad++) assert_true(a[pad] == 0);
            for (int u = 0; u < N; u++) {
                const double z = (double)((float *)network->layers[0].bias)[u];
                const double expected = activation_of(activation, z);
                /* of some, differences of numbers near 1 are taken */
                const bool is_relative = f != GLIA_ACTIVATION_ELU && f != GLIA_ACTIVATION_GELU;
                if (!(fabs((double)a[u] - expected) <=
                      3e-7 * fmax(fabs(expected), is_relative ? 1e-30 : 1)))
                    fail_msg("%s, %s of %.9g: found %.9g, expected %.9g", engine->isa,
                             glia_activation_name(activation), z, (double)a[u], expected);
            }
        }
        gi_scratch_free(&scratch);
        glia_network_free(network);
    }
}

static void test_activations_equal_libm(void **state)
{
    (void)state;
    on_every_level(check_activations);
}

/* ---- The public interface ------------------------------------------------------------------- */

static void test_create_checks_its_arguments(void **state)
{
    (void)state;
    static const size_t hidden[GLIA_MAX_LAYERS + 1] = {4, 0};
    static const glia_activation softmax[1] = {GLIA_ACTIVATION_SOFTMAX};
    shape good = shape_of(4, 3);
    good.hidden = hidden;
    good.n_hidden = 1;
    struct {
        size_t inputs, n_hidden, classes;
        const glia_activation *activations;
        int init;
        const char *word;
    } cases[] = {
        {0, 0, 3, NULL, 0, "inputs"},
        {(size_t)GLIA_MAX_UNITS + 1, 0, 3, NULL, 0, "inputs"},
        {4, 0, 0, NULL, 0, "classes"},
        {4, 0, (size_t)GLIA_MAX_CLASSES + 1, NULL, 0, "classes"},
        {4, 2, 3, NULL, 0, "hidden layer"},
        {4, GLIA_MAX_LAYERS, 3, NULL, 0, "hidden layers"},
        {4, SIZE_MAX, 3, NULL, 0, "hidden layers"},
        {4, 1, 3, softmax, 0, "softmax"},
        {4, 1, 3, NULL, 99, "init"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        shape p = good;
        p.inputs = cases[i].inputs;
        p.n_hidden = cases[i].n_hidden;
        p.classes = cases[i].classes;
        p.activations = cases[i].activations;
        p.init = (glia_init)cases[i].init;
        glia_network *network = NULL;
        glia_error error = {0};
        assert_int_equal(shape_network(&p, &network, &error), GLIA_BAD_ARGUMENT);
        assert_null(network);
        if (!strstr(error.message, cases[i].word))
            fail_msg("case %zu: \"%s\" does not speak of %s", i, error.message, cases[i].word);
        assert_int_equal(shape_network(&p, &network, NULL), GLIA_BAD_ARGUMENT);
    }
    glia_network_free(NULL);
}

static void test_initial_weights_have_their_distribution(void **state)
{
    (void)state;
    const size_t hidden[2] = {300, 200};
    const glia_activation activations[2] = {GLIA_ACTIVATION_RELU, GLIA_ACTIVATION_TANH};
    for (int init = GLIA_INIT_AUTO; init <= GLIA_INIT_HE_NORMAL; init++) {
        shape p = shape_of(400, 10);
        p.hidden = hidden;
        p.n_hidden = 2;
        p.activations = activations;
        p.init = (glia_init)init;
        glia_network *network;
        assert_int_equal(shape_network(&p, &network, NULL), GLIA_OK);
        for (size_t l = 0; l < 2; l++) {
            const glia_layer_info info = glia_network_layer(network, l);
            const size_t n = info.inputs * info.units;
            float *w = test_malloc(n * sizeof *w), *b = test_malloc(info.units * sizeof *b);
            assert_int_equal(whole_get_layer(network, l, w, b, NULL), GLIA_OK);
            double sum = 0, squares = 0, largest = 0;
            for (size_t i = 0; i < n; i++) {
                sum += (double)w[i];
                squares += (double)w[i] * (double)w[i];
                largest = fmax(largest, fabs((double)w[i]));
            }
            const bool he = init == GLIA_INIT_HE_NORMAL || init == GLIA_INIT_HE_UNIFORM ||
                            (init == GLIA_INIT_AUTO && l == 0);
            const bool uniform = init == GLIA_INIT_HE_UNIFORM || init == GLIA_INIT_GLOROT_UNIFORM ||
                                 (init == GLIA_INIT_AUTO && l == 1);
            const double variance =
                2 / (he ? (double)info.inputs : (double)(info.inputs + info.units));
            assert_true(fabs(sum / (double)n) < 4 * sqrt(variance / (double)n));
            assert_true(fabs(squares / (double)n / variance - 1) < 0.03);
            assert_true((largest <= sqrt(3 * variance) * 1.000001) == uniform);
            for (size_t u = 0; u < info.units; u++) assert_true(b[u] == 0);
            test_free(w);
            test_free(b);
        }
        glia_network_free(network);
    }
}

static void test_parameters_go_in_and_out(void **state)
{
    (void)state;
    shape p = shape_of(3, 2);
    glia_network *network;
    assert_int_equal(shape_network(&p, &network, NULL), GLIA_OK);
    const float w[6] = {1, 2, 3, 4, 5, 6}, b[2] = {7, 8};
    float w_back[6], b_back[2];
    assert_int_equal(whole_set_layer(network, 0, w, b, NULL), GLIA_OK);
    assert_int_equal(whole_get_layer(network, 0, w_back, b_back, NULL), GLIA_OK);
    assert_memory_equal(w, w_back, sizeof w);
    assert_memory_equal(b, b_back, sizeof b);
    assert_int_equal(whole_get_layer(network, 1, w_back, NULL, NULL), GLIA_BAD_ARGUMENT);
    assert_int_equal(glia_network_describe(network).parameters, 8);
    assert_string_equal(glia_network_class_name(network, 1), "1");
    assert_null(glia_network_class_name(network, 2));

    /* softmax(x W^T + b), x = (1, 0, -1): logits 7 - 2, 8 - 2 */
    const float x[3] = {1, 0, -1};
    float probabilities[2];
    assert_int_equal(whole_predict(network, GLIA_TYPE_F32, x, 1, probabilities, NULL), GLIA_OK);
    assert_true(fabsf(probabilities[1] - 0.7310586F) < 1e-6F);
    assert_int_equal(whole_predict(network, (glia_type)9, x, 1, probabilities, NULL),
                     GLIA_BAD_ARGUMENT);
    glia_network_free(network);
}

static void test_environment_chooses_the_level(void **state)
{
    (void)state;
    const char *before = getenv("GLIA_CPU");
    shape p = shape_of(3, 2);
    glia_network *network = NULL;
    glia_error error = {0};
    static const char *const levels[] = {"baseline", "avx2", "avx512", ""};
    for (size_t i = 0; i < 4; i++) {
        const char *level = *levels[i] ? levels[i] : NULL; /* empty: as if unset */
        const gi_engine *engine = gi_engine_reference(sizeof(float), level);
        assert_int_equal(setenv("GLIA_CPU", levels[i], 1), 0);
        if (engine) {
            assert_int_equal(shape_network(&p, &network, NULL), GLIA_OK);
            assert_string_equal(network->engine->isa, engine->isa);
            glia_network_free(network);
        } else {
            assert_int_equal(shape_network(&p, &network, NULL), GLIA_BAD_ARGUMENT);
        }
    }
    setenv("GLIA_CPU", "sse9", 1);
    assert_int_equal(shape_network(&p, &network, &error), GLIA_BAD_ARGUMENT);
    assert_non_null(strstr(error.message, "GLIA_CPU: found \"sse9\""));
    if (before)
        setenv("GLIA_CPU", before, 1);
    else
        unsetenv("GLIA_CPU");
}

static void test_names_and_values_match(void **state)
{
    (void)state;
    assert_string_equal(glia_task_name(GLIA_TASK_CLASSES), "classes");
    assert_string_equal(glia_task_name(GLIA_TASK_VALUES), "values");
    assert_string_equal(glia_task_name((glia_task)3), "unknown");
    assert_string_equal(glia_severity_name(GLIA_SEVERITY_NOTE), "note");
    assert_string_equal(glia_stop_name(GLIA_STOP_DIVERGED), "diverged");
    assert_string_equal(glia_activation_name(GLIA_ACTIVATION_SOFTMAX), "softmax");
    for (int f = GLIA_ACTIVATION_SIGMOID; f <= GLIA_ACTIVATION_SOFTMAX; f++) {
        if (f >= GI_N_HIDDEN_ACTIVATIONS && f < GLIA_ACTIVATION_SOFTMAX) continue;
        glia_activation back;
        assert_true(glia_activation_from_name(glia_activation_name((glia_activation)f), &back));
        assert_int_equal(back, f);
    }
    for (int i = GLIA_INIT_AUTO; i <= GLIA_INIT_HE_NORMAL; i++) {
        glia_init back;
        assert_true(glia_init_from_name(glia_init_name((glia_init)i), &back));
        assert_int_equal(back, i);
    }
    glia_activation unchanged = GLIA_ACTIVATION_TANH;
    assert_false(glia_activation_from_name("Relu", &unchanged));
    assert_int_equal(unchanged, GLIA_ACTIVATION_TANH);
    assert_string_equal(glia_activation_name((glia_activation)77), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numpy_vectors),
        cmocka_unit_test(test_integer_products_are_exact),
        cmocka_unit_test(test_products_of_bytes_are_exact),
        cmocka_unit_test(test_loading_keeps_zeros_and_pads),
        cmocka_unit_test(test_softmax_is_stable),
        cmocka_unit_test(test_activations_equal_libm),
        cmocka_unit_test(test_create_checks_its_arguments),
        cmocka_unit_test(test_initial_weights_have_their_distribution),
        cmocka_unit_test(test_parameters_go_in_and_out),
        cmocka_unit_test(test_environment_chooses_the_level),
        cmocka_unit_test(test_names_and_values_match),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
