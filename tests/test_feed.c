/* SPDX-License-Identifier: MIT */
/*
 * The way of a sample from its data set to the first layer: what sparse rows become without being
 * spread out is, to the bit, what they become where they are.
 */
#include "data/table/csv/csv.h"
#include "numeric.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/encoding/encoding.h"
#include "data/files/libsvm.h"
#include "feed/augment.h"
#include "feed/input_form.h"
#include "feed/loader.h"
#include "image/straighten.h"
#include "infer/metrics.h"
#include "infer/probe.h"
#include "shape.h"
#include "whole.h"

enum { FEATURES = 700, SAMPLES = 140, UNITS = 100, MOST = 40 };

/* ---- Rows by their non-zeros ---------------------------------------------------------------- */

static glia_dataset *parse(const char *text, glia_loss loss)
{
    glia_error error = {0};
    glia_dataset *dataset = NULL;
    if (gi_libsvm_parse("a1a", "a1a", (const uint8_t *)text, strlen(text), loss, NULL, &dataset,
                        &error))
        fail_msg("%s", error.message);
    return dataset;
}

/* Each row spread out, and by its pairs, with the same label. */
static void assert_rows_agree(const glia_dataset *dataset)
{
    const size_t n = dataset->features, most = gi_dataset_most_pairs(dataset);
    assert_true(most > 0);
    float row[FEATURES], room_value[MOST];
    uint32_t room_index[MOST];
    const gi_pair_room room = {room_index, room_value};
    assert_true(n <= FEATURES && most <= MOST);
    for (size_t i = 0; i < dataset->samples; i++) {
        uint32_t label, same_label;
        gi_pairs pairs;
        const float *x = gi_dataset_row(dataset, 0, i, (uint8_t *)row, &label);
        gi_dataset_pairs(dataset, i, &room, &pairs, &same_label);
        assert_int_equal(label, same_label);
        assert_true(pairs.n <= most);
        size_t k = 0;
        for (size_t f = 0; f < n; f++) {
            const bool is_there = k < pairs.n && pairs.index[k] == f;
            assert_true(x[f] == (is_there ? pairs.value[k] : 0));
            k += is_there;
        }
        assert_int_equal(k, pairs.n);
    }
}

static void test_rows_of_sparse_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        glia_loss loss;
    } sets[] = {
        {"1 1:0.5 3:-2\n2 2:0 3:7\n1\n2 1:1 2:2 3:3\n", GLIA_LOSS_AUTO},
        {"1.5 2:4\n-2.5 1:1 5:0.25\n", GLIA_LOSS_MSE},
        {"1,2 1:1\n2 3:9\n 2:1\n", GLIA_LOSS_BCE},
    };
    for (size_t s = 0; s < sizeof sets / sizeof sets[0]; s++) {
        glia_dataset *dataset = parse(sets[s].text, sets[s].loss);
        assert_rows_agree(dataset);
        glia_dataset_free(dataset);
    }
    glia_dataset *dataset = parse(sets[0].text, sets[0].loss), *rest = NULL, *last = NULL;
    assert_int_equal(gi_dataset_most_pairs(dataset), 3);
    assert_int_equal(glia_dataset_hold_out_last(dataset, 1, &rest, &last, NULL), GLIA_OK);
    assert_rows_agree(rest);
    assert_rows_agree(last);
    gi_pairs pairs;
    uint32_t label;
    gi_dataset_pairs(last, 0, NULL, &pairs, &label);
    assert_int_equal(pairs.n, 3);
    assert_true(pairs.value[2] == 3);
    glia_dataset_free(rest);
    glia_dataset_free(last);
    glia_dataset_free(dataset);
}

/* Categories of which one is 1, numbers, and cells that are missing. */
static void test_rows_of_tables(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "size,kind,day,class\n1.5,a,x,p\n,b,y,q\n2.5,,x,p\n3.5,c,,q\n9,a,y,p\n4,b,x,q\n",
        "kind,size,price\na,1,10.5\nb,2,20.25\na,,30.125\nc,4,41.5\n,1,55\nb,7,61.75\n",
    };
    for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
        const glia_table_params params = {0};
        const gi_table_params how = gi_table_params_of(&params, 1);
        gi_table *table = NULL;
        glia_dataset *dataset = NULL, *rest = NULL, *held = NULL;
        assert_int_equal(
            gi_csv_parse("t.csv", (const uint8_t *)texts[k], strlen(texts[k]), &how, &table, NULL),
            GLIA_OK);
        assert_int_equal(gi_dataset_of_table(table, "t", &params, NULL, &dataset, NULL), GLIA_OK);
        assert_rows_agree(dataset);
        assert_int_equal(glia_dataset_hold_out_last(dataset, 2, &rest, &held, NULL), GLIA_OK);
        assert_rows_agree(rest);
        assert_rows_agree(held);
        glia_dataset_free(rest);
        glia_dataset_free(held);
        glia_dataset_free(dataset);
    }
}

/* ---- Lists ---------------------------------------------------------------------------------- */

/* A sample with so many non-zeros among the features, and some zeros that are written down. */
static gi_pairs draw(gi_rng *rng, size_t n, uint32_t *index, float *value)
{
    size_t count = 0;
    for (uint32_t f = 0; f < FEATURES && count < MOST; f++) {
        if (gi_rng_below(rng, FEATURES) >= n) continue;
        index[count] = f;
        value[count++] = gi_rng_below(rng, 8) ? (float)gi_rng_normal(rng) : 0;
    }
    return (gi_pairs){count, index, value};
}

static void spread_out(const gi_pairs *pairs, float *x)
{
    memset(x, 0, FEATURES * sizeof *x);
    for (size_t k = 0; k < pairs->n; k++) x[pairs->index[k]] = pairs->value[k];
}

static void check_lists(const gi_engine *engine)
{
    enum { ROOM = FEATURES + GI_PAD, BLOCKS = (FEATURES + GI_SPARSE_BLOCK - 1) / GI_SPARSE_BLOCK };
    const size_t bytes = engine->element_bytes;
    const bool has_ends = engine->forward_sparse != NULL;
    uint32_t index[2][ROOM], end[2][BLOCKS], drawn[MOST];
    double value[2][ROOM];
    float numbers[MOST], x[FEATURES];
    gi_rng rng = gi_rng_make(1, GI_RANDOM_INIT, 0, 0);
    for (size_t n = 0; n < MOST; n++) {
        const gi_pairs pairs = draw(&rng, n, drawn, numbers);
        gi_sparse dense = {0, index[0], value[0], has_ends ? end[0] : NULL};
        gi_sparse sparse = {0, index[1], value[1], has_ends ? end[1] : NULL};
        spread_out(&pairs, x);
        engine->load_sparse(&dense, GLIA_TYPE_F32, x, FEATURES, 3);
        engine->load_pairs(&sparse, &pairs, FEATURES, 3);
        assert_int_equal(sparse.n, dense.n);
        assert_memory_equal(index[1], index[0], dense.n * sizeof *index[0]);
        assert_memory_equal(value[1], value[0], dense.n * bytes);
        if (has_ends) assert_memory_equal(end[1], end[0], sizeof end[0]);
    }
}

static void check_lists_of_all(const gi_engine *f32, const gi_engine *f64)
{
    check_lists(f32);
    check_lists(f64);
    check_lists(gi_engine_native(f32));
}

static void test_lists_of_pairs(void **state)
{
    (void)state;
    on_every_level(check_lists_of_all);
}

/* ---- Few non-zeros -------------------------------------------------------------------------- */

/* A batch of SAMPLES lists, of which those from `many` on have more non-zeros than blocks. */
struct lists {
    gi_sparse x[SAMPLES];
    uint32_t index[SAMPLES][FEATURES + GI_PAD], end[SAMPLES][FEATURES / GI_SPARSE_BLOCK + 1];
    float value[SAMPLES][FEATURES + GI_PAD];
};

static void fill(struct lists *l, const gi_engine *engine, size_t many)
{
    gi_rng rng = gi_rng_make(2, GI_RANDOM_INIT, 0, 0);
    for (size_t r = 0; r < SAMPLES; r++) {
        uint32_t index[MOST];
        float value[MOST];
        const gi_pairs pairs = draw(&rng, r >= many ? MOST : r % 7, index, value);
        l->x[r] = (gi_sparse){0, l->index[r], l->value[r], l->end[r]};
        engine->load_pairs(&l->x[r], &pairs, FEATURES, 1);
    }
}

static void *draw_floats(size_t n, uint64_t seed)
{
    float *x = NULL;
    assert_int_equal(posix_memalign((void **)&x, 64, n * sizeof *x), 0);
    gi_rng rng = gi_rng_make(seed, GI_RANDOM_INIT, 0, 0);
    for (size_t i = 0; i < n; i++) x[i] = (float)gi_rng_normal(&rng);
    return x;
}

/* A sample's sums do not depend on how its neighbours are filled, by which it is chosen how. */
static void check_forward(const gi_engine *f32, const gi_engine *f64)
{
    (void)f64;
    const gi_engine *engine = gi_engine_native(f32);
    const size_t hidden[] = {UNITS};
    glia_network *network = make_network(f32, FEATURES, 1, hidden, GLIA_ACTIVATION_RELU, 3);
    gi_layer *layer = &network->layers[0];
    float *w = draw_floats(gi_padded(FEATURES) * layer->ld, 3);
    void *own = layer->weight;
    layer->weight = w;
    struct lists *few = calloc(1, sizeof *few), *many = calloc(1, sizeof *many);
    fill(few, engine, SAMPLES);
    fill(many, engine, 30);
    const size_t row = gi_stride(UNITS);
    float *dst[2] = {draw_floats(SAMPLES * row, 4), draw_floats(SAMPLES * row, 5)};
    engine->forward_sparse(layer, few->x, dst[0], SAMPLES, 0, layer->ld);
    engine->forward_sparse(layer, many->x, dst[1], SAMPLES, 0, layer->ld);
    for (size_t r = 0; r < 30; r++)
        assert_memory_equal(dst[0] + r * row, dst[1] + r * row, layer->ld * sizeof(float));
    layer->weight = own;
    free(w);
    free(few);
    free(many);
    free(dst[0]);
    free(dst[1]);
    glia_network_free(network);
}

/* What SGD makes of the weights, by linked lists and, without room for them, by blocks. */
static void check_backward(const gi_engine *f32, const gi_engine *f64)
{
    (void)f64;
    const gi_engine *engine = gi_engine_native(f32);
    const size_t hidden[] = {UNITS}, n_weights = gi_padded(FEATURES) * 112;
    glia_network *network = make_network(f32, FEATURES, 1, hidden, GLIA_ACTIVATION_RELU, 3);
    gi_layer layer = network->layers[0];
    assert_int_equal(layer.ld, 112);
    float *w[2] = {draw_floats(n_weights, 6), draw_floats(n_weights, 6)};
    float *diff = draw_floats(SAMPLES * gi_stride(UNITS), 7);
    struct lists *few = calloc(1, sizeof *few);
    fill(few, engine, SAMPLES);
    const gi_row_update sgd = {.apply = engine->sgd_row, .rate = 0.3, .skips_zero = true};
    /* threads share a layer by units or by rows */
    const gi_part parts[] = {{0, 300, 0, 112},
                             {300, FEATURES + 1, 0, 112},
                             {0, FEATURES + 1, 0, 64},
                             {0, FEATURES + 1, 64, 112}};
    gi_scratch scratch;
    assert_int_equal(gi_scratch_new(network, SAMPLES, &scratch, NULL), GLIA_OK);
    uint32_t *heads = scratch.heads;
    for (int way = 0; way < 2; way++) {
        layer.weight = w[way];
        scratch.heads = way ? heads : NULL;
        for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++)
            engine->backward_sparse(&layer, 0, few->x, diff, SAMPLES, &parts[p], &sgd, &scratch);
    }
    assert_memory_equal(w[0], w[1], n_weights * sizeof(float));
    for (size_t i = 0; i < FEATURES; i++) assert_int_equal(heads[i], 0);
    gi_scratch_free(&scratch);
    free(few);
    free(diff);
    free(w[0]);
    free(w[1]);
    glia_network_free(network);
}

static void test_few_non_zeros_forward(void **state)
{
    (void)state;
    on_every_level(check_forward);
}

static void test_few_non_zeros_backward(void **state)
{
    (void)state;
    on_every_level(check_backward);
}

/* ---- The loader ----------------------------------------------------------------------------- */

enum { SIDE = 12, PIXELS = SIDE * SIDE, IMAGES = 24 };

/* Slanted strokes, each with a class, the last half of them narrower. */
static glia_dataset *strokes(void)
{
    static uint8_t x[IMAGES][PIXELS];
    static uint32_t labels[IMAGES];
    memset(x, 0, sizeof x);
    for (size_t i = 0; i < IMAGES; i++) {
        labels[i] = (uint32_t)(i % 3);
        for (size_t row = 1; row + 1 < SIDE; row++)
            for (size_t k = 0; k < 1 + i % 3; k++)
                x[i][row * SIDE + row / (1 + i % 2) + k] = (uint8_t)(255 - 5 * i);
    }
    glia_dataset *dataset = NULL;
    assert_int_equal(
        glia_dataset_from_arrays(GLIA_TYPE_U8, x, labels, IMAGES, PIXELS, 3, &dataset, NULL),
        GLIA_OK);
    assert_int_equal(glia_dataset_set_images(dataset, SIDE, SIDE, NULL), GLIA_OK);
    return dataset;
}

/* A network that has taken the form of the data, as training begins. */
static glia_network *network_of(const glia_dataset *dataset, unsigned preprocess)
{
    shape params = shape_of(dataset->features, dataset->classes);
    glia_network *network = NULL;
    gi_data_form form;
    params.preprocess = preprocess;
    assert_int_equal(shape_network(&params, &network, NULL), GLIA_OK);
    assert_int_equal(gi_data_form_of(network, dataset, &form, NULL), GLIA_OK);
    gi_data_form_swap(network, &form);
    gi_data_form_free(&form);
    return network;
}

/* What the batch has of a sample, by each step done by hand: read, straightened, distorted. */
static void check_images(const glia_augmentation *augmentation, unsigned preprocess,
                         bool for_training)
{
    enum { EPOCHS = 3, SEED = 9 };
    glia_dataset *dataset = strokes();
    glia_network *network = network_of(dataset, preprocess);
    const gi_plan plan = {.engine = gi_engine_native(network->engine), .bytes = true, .threads = 1};
    const double class_weights[] = {1, 2, 0.5};
    float weights[IMAGES];
    for (size_t i = 0; i < IMAGES; i++) weights[i] = (float)i;
    assert_int_equal(whole_set_weights(dataset, weights, NULL), GLIA_OK);
    const gi_loader_params params = {.network = network,
                                     .plan = &plan,
                                     .dataset = dataset,
                                     .n_threads = 2,
                                     .for_training = for_training,
                                     .augmentation = augmentation,
                                     .seed = SEED,
                                     .epochs = EPOCHS,
                                     .class_weights = class_weights};
    gi_loader *loader = NULL;
    gi_workspace w;
    gi_augmenter *augmenter = NULL;
    gi_warp_room room;
    const char *isa = network->engine->isa;
    assert_int_equal(gi_loader_new(&params, &loader, NULL), GLIA_OK);
    assert_int_equal(gi_workspace_new(network, &plan, IMAGES, true, &w, NULL), GLIA_OK);
    assert_int_equal(
        gi_augmenter_new(augmentation, dataset, SEED, EPOCHS, isa, 1, &augmenter, NULL), GLIA_OK);
    assert_int_equal(gi_warp_room_new(SIDE, SIDE, false, &room, NULL), GLIA_OK);
    w.is_weighted = true;
    for (uint32_t epoch = 0; epoch < EPOCHS; epoch++)
        for (size_t i = 0; i < IMAGES; i++) {
            uint8_t straight[PIXELS + GI_WARP_COLUMNS];
            uint32_t label;
            const uint8_t *x = gi_dataset_row(dataset, epoch, i, NULL, &label);
            if (preprocess) gi_straighten(gi_warp_for(isa), preprocess, straight, x, &room);
            if (preprocess) x = straight;
            if (augmenter) x = gi_augmenter_distort(augmenter, 0, epoch, i, x);
            const size_t r = IMAGES - 1 - i;
            gi_loader_load(loader, (int)(i % 2), epoch, i, 5 * i, &w, r);
            assert_memory_equal((uint8_t *)w.x + r * w.row_bytes[0], x, PIXELS);
            assert_int_equal(w.labels[r], label);
            assert_true(w.weights[r] == (float)(class_weights[label] * (double)i));
        }
    gi_warp_room_free(&room);
    gi_augmenter_free(augmenter);
    gi_loader_free(loader);
    gi_workspace_free(&w);
    glia_network_free(network);
    glia_dataset_free(dataset);
}

static void test_images_are_straightened_then_distorted(void **state)
{
    (void)state;
    const glia_augmentation all = glia_augmentation_default(), shift = {.shift = 2, .fade = 1};
    for (int for_training = 0; for_training < 2; for_training++) {
        check_images(NULL, 0, for_training);
        check_images(NULL, GLIA_PREPROCESS_DESKEW, for_training);
        check_images(NULL, GLIA_PREPROCESS_CENTRE, for_training);
    }
    check_images(&all, 0, true);
    check_images(&shift, GLIA_PREPROCESS_CENTRE, true);
    check_images(&all, GLIA_PREPROCESS_DESKEW | GLIA_PREPROCESS_CENTRE, true);
}

/* The diagnosis looks at the samples that the network learns from: the loss is that of scoring. */
static void assert_probe_sees(const glia_dataset *dataset, unsigned preprocess)
{
    glia_network *network = network_of(dataset, preprocess);
    gi_probe *probe = NULL;
    gi_state state;
    glia_metrics metrics;
    double density;
    assert_int_equal(gi_dataset_density(dataset, &density, NULL), GLIA_OK);
    assert_int_equal(gi_probe_new(network, dataset, density, 64, &probe, NULL), GLIA_OK);
    gi_probe_run(probe, &state);
    assert_int_equal(whole_evaluate(network, dataset, 1, &metrics, NULL, NULL), GLIA_OK);
    assert_true(metrics.loss > 0.1);
    if (!(fabs(state.loss - metrics.loss) < 1e-6 * metrics.loss))
        fail_msg("the probe sees a loss of %.9g, scoring %.9g", state.loss, metrics.loss);
    gi_probe_free(probe);
    glia_network_free(network);
}

static void test_probe_sees_what_is_learned(void **state)
{
    (void)state;
    static const unsigned how[] = {0, GLIA_PREPROCESS_DESKEW, GLIA_PREPROCESS_CENTRE,
                                   GLIA_PREPROCESS_DESKEW | GLIA_PREPROCESS_CENTRE,
                                   GLIA_PREPROCESS_STANDARDISE};
    glia_dataset *dataset = strokes();
    for (size_t i = 0; i < sizeof how / sizeof how[0]; i++) assert_probe_sees(dataset, how[i]);
    glia_dataset_free(dataset);
    dataset = parse("3 1:0.5 30:-2\n5 2:0 3:7\n5\n3 1:1 2:2 40:3\n", GLIA_LOSS_AUTO);
    assert_probe_sees(dataset, 0);
    assert_probe_sees(dataset, GLIA_PREPROCESS_STANDARDISE);
    glia_dataset_free(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_of_sparse_text),
        cmocka_unit_test(test_rows_of_tables),
        cmocka_unit_test(test_lists_of_pairs),
        cmocka_unit_test(test_few_non_zeros_forward),
        cmocka_unit_test(test_few_non_zeros_backward),
        cmocka_unit_test(test_images_are_straightened_then_distorted),
        cmocka_unit_test(test_probe_sees_what_is_learned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
