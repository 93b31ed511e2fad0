/* SPDX-License-Identifier: MIT */
/* Deskewing and centring: the maps, what networks make of them everywhere, the model file. */
#include "numeric.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assert_error.h"
#include "data/set/dataset.h"
#include "image/straighten.h"
#include "shape.h"
#include "whole.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE, BOTH = GLIA_PREPROCESS_DESKEW | GLIA_PREPROCESS_CENTRE };

static const char *const levels[] = {"baseline", "avx2", "avx512"};

/* A bar three pixels wide about x = middle + slope (y - 13.5), from row 5 to 22. */
static void draw_bar(uint8_t *image, double middle, double slope)
{
    memset(image, 0, PIXELS);
    for (int y = 5; y < 23; y++)
        for (int x = 0; x < SIDE; x++) {
            const double distance = fabs(x - middle - slope * (y - 13.5));
            image[y * SIDE + x] = (uint8_t)(255 * fmax(0, fmin(1, 2 - distance)) + 0.5);
        }
}

struct moments {
    double ink, x, y, covariance, variance;
};

static struct moments moments_of(const uint8_t *image, size_t height, size_t width)
{
    struct moments m = {0};
    for (size_t i = 0; i < height * width; i++) {
        m.ink += image[i];
        m.x += (double)(image[i] * (i % width));
        m.y += (double)(image[i] * (i / width));
    }
    m.x /= m.ink;
    m.y /= m.ink;
    for (size_t i = 0; i < height * width; i++) {
        const double dx = (double)(i % width) - m.x, dy = (double)(i / width) - m.y;
        m.covariance += image[i] * dx * dy / m.ink;
        m.variance += image[i] * dy * dy / m.ink;
    }
    return m;
}

static void straighten(const gi_warp *warp, unsigned how, const uint8_t *src, uint8_t *dst)
{
    uint8_t out[PIXELS + GI_WARP_COLUMNS];
    gi_warp_room room;
    assert_int_equal(gi_warp_room_new(SIDE, SIDE, false, &room, NULL), GLIA_OK);
    gi_straighten(warp, how, out, src, &room);
    memcpy(dst, out, PIXELS);
    gi_warp_room_free(&room);
}

static void a_skewed_bar_becomes_upright(void **state)
{
    (void)state;
    static const double slopes[] = {0.5, -0.3, 0.8};
    for (size_t l = 0; l < 3; l++) {
        const gi_warp *warp = gi_warp_for(levels[l]);
        if (!warp) continue;
        for (size_t i = 0; i < 3; i++) {
            uint8_t bar[PIXELS], upright[PIXELS];
            draw_bar(bar, 13, slopes[i]);
            straighten(warp, GLIA_PREPROCESS_DESKEW, bar, upright);
            const struct moments before = moments_of(bar, SIDE, SIDE);
            const struct moments after = moments_of(upright, SIDE, SIDE);
            assert_true(fabs(before.covariance / before.variance - slopes[i]) < 0.05);
            assert_true(fabs(after.covariance / after.variance) < 0.01);
            assert_true(fabs(after.x - before.x) < 0.1 && fabs(after.y - before.y) < 0.1);
            for (size_t y = 5; y < 23; y++) {
                double ink = 0, x_sum = 0;
                for (size_t x = 0; x < SIDE; x++) {
                    ink += upright[y * SIDE + x];
                    x_sum += upright[y * SIDE + x] * (double)x;
                }
                assert_true(ink > 0 && fabs(x_sum / ink - before.x) < 0.3);
            }
        }
    }
}

static void the_map_is_that_of_the_moments(void **state)
{
    (void)state;
    enum { HEIGHT = 9, WIDTH = 2500 }; /* rows longer than a part whose sum fits 32 bits */
    static uint8_t image[HEIGHT * WIDTH];
    gi_rng rng = gi_rng_make(1, GI_RANDOM_INIT, 0, 0);
    for (size_t i = 0; i < HEIGHT * WIDTH; i++)
        image[i] = i % WIDTH / 300 == i / WIDTH ? (uint8_t)gi_rng_u32(&rng) : 0;
    for (size_t y = 0; y < HEIGHT; y++) image[y * WIDTH + 1200 + y / 2] = 255;
    /* wider than it is high: take the ink of the middle alone, so that the skew is below 1 */
    for (size_t i = 0; i < HEIGHT * WIDTH; i++)
        if (i % WIDTH < 1200 || i % WIDTH > 1206) image[i] = 0;
    const struct moments m = moments_of(image, HEIGHT, WIDTH);
    const double skew = m.covariance / m.variance;
    assert_true(fabs(skew) > 0.05 && fabs(skew) < 0.99);
    const gi_affine map = gi_straightening(GLIA_PREPROCESS_DESKEW, image, HEIGHT, WIDTH);
    assert_true(map.xx == 1 && map.yy == 1 && map.yx == 0 && map.y0 == 0);
    assert_true(fabs((double)map.xy - skew) < 1e-6);
    assert_true(fabs((double)map.x0 + skew * m.y) < 1e-5);
    const gi_affine both = gi_straightening(BOTH, image, HEIGHT, WIDTH);
    const double t_x = rint((WIDTH - 1) / 2.0 - m.x), t_y = rint((HEIGHT - 1) / 2.0 - m.y);
    assert_true(t_x > 40 && both.xy == map.xy && (double)both.y0 == -t_y);
    assert_true(fabs((double)both.x0 + t_x + skew * (t_y + m.y)) < 1e-4);
}

static void centring_moves_by_whole_pixels(void **state)
{
    (void)state;
    uint8_t dot[PIXELS] = {0}, centred[PIXELS];
    dot[3 * SIDE + 20] =
        200; /* to (13.5, 13.5), as nearly as whole pixels can: to an even number */
    dot[3 * SIDE + 21] = 100;
    dot[4 * SIDE + 20] = 100;
    for (size_t l = 0; l < 3; l++) {
        const gi_warp *warp = gi_warp_for(levels[l]);
        if (!warp) continue;
        straighten(warp, GLIA_PREPROCESS_CENTRE, dot, centred);
        const int dx = (int)rint(13.5 - 20.25), dy = (int)rint(13.5 - 3.25);
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) {
                const int sx = x - dx, sy = y - dy;
                const bool inside = sx >= 0 && sy >= 0 && sx < SIDE && sy < SIDE;
                assert_int_equal(centred[y * SIDE + x], inside ? dot[sy * SIDE + sx] : 0);
            }
        uint8_t again[PIXELS];
        straighten(warp, GLIA_PREPROCESS_CENTRE, centred, again);
        assert_memory_equal(again, centred, PIXELS);
    }
}

static void what_has_no_skew_stays(void **state)
{
    (void)state;
    const gi_warp *warp = gi_warp_for(NULL);
    uint8_t image[PIXELS] = {0}, out[PIXELS];
    straighten(warp, BOTH, image, out); /* no ink */
    assert_memory_equal(out, image, PIXELS);
    for (int x = 4; x < 24; x++) image[13 * SIDE + x] = 255; /* one row: nothing to shear by */
    straighten(warp, GLIA_PREPROCESS_DESKEW, image, out);
    assert_memory_equal(out, image, PIXELS);
    for (int x = 14; x < 24; x++) { /* hardly slanted: 45 degrees, and no more */
        image[13 * SIDE + x] = 0;
        image[12 * SIDE + x] = 255;
    }
    assert_true(gi_straightening(GLIA_PREPROCESS_DESKEW, image, SIDE, SIDE).xy == -1);
}

/* ---- Networks ------------------------------------------------------------------------------- */

enum { SAMPLES = 150 };

struct sets {
    uint8_t images[SAMPLES * PIXELS], straight[SAMPLES * PIXELS];
    uint32_t labels[SAMPLES];
    glia_dataset *raw, *made; /* of images, of straight ones */
};

static struct sets sets;

static glia_dataset *wrap(const uint8_t *images)
{
    glia_dataset *dataset = NULL;
    assert_int_equal(glia_dataset_from_arrays(GLIA_TYPE_U8, images, sets.labels, SAMPLES, PIXELS,
                                              10, &dataset, NULL),
                     GLIA_OK);
    assert_int_equal(glia_dataset_set_images(dataset, SIDE, SIDE, NULL), GLIA_OK);
    return dataset;
}

static int open_sets(void **state)
{
    (void)state;
    glia_dataset *digits = NULL;
    const gi_engine *engine;
    if (gi_engine_choose(&engine, NULL)) return -1;
    glia_data_params params = glia_data_default_params();
    params.fresh = true; /* drawn one by one */
    if (glia_dataset_open("digits", GLIA_SPLIT_TRAIN, &params, &digits, NULL)) return -1;
    for (size_t i = 0; i < SAMPLES; i++) {
        uint8_t *image = sets.images + i * PIXELS;
        if (whole_sample(digits, i, image, &sets.labels[i], NULL)) return -1;
        straighten(gi_warp_for(engine->isa), BOTH, image, sets.straight + i * PIXELS);
    }
    glia_dataset_free(digits);
    sets.raw = wrap(sets.images);
    sets.made = wrap(sets.straight);
    return 0;
}

static int close_sets(void **state)
{
    (void)state;
    glia_dataset_free(sets.raw);
    glia_dataset_free(sets.made);
    return 0;
}

static glia_network *train(unsigned preprocess, const glia_dataset *dataset,
                           const glia_dataset *validation, glia_settings p)
{
    const size_t hidden = 20;
    shape params = shape_of(PIXELS, 10);
    params.n_hidden = 1;
    params.hidden = &hidden;
    params.preprocess = preprocess;
    glia_network *network = NULL;
    glia_error error;
    if (shape_network(&params, &network, &error) ||
        glia_train(network, dataset, validation, &p, NULL, &error))
        fail_msg("%s", error.message);
    assert_int_equal(glia_network_describe(network).preprocess, preprocess);
    return network;
}

static glia_settings short_training(size_t batch)
{
    glia_settings p = gi_settings_defaults();
    p.batch = batch;
    p.epochs = 2;
    p.threads = 2;
    p.engine = GLIA_ENGINE_REFERENCE; /* whose sums do not depend on the density of the data */
    return p;
}

static void assert_same_weights(const glia_network *a, const glia_network *b)
{
    static float x[PIXELS * 20], y[PIXELS * 20];
    for (size_t l = 0; l < 2; l++) {
        const glia_layer_info layer = glia_network_layer(a, l);
        assert_int_equal(whole_get_layer(a, l, x, NULL, NULL), GLIA_OK);
        assert_int_equal(whole_get_layer(b, l, y, NULL, NULL), GLIA_OK);
        assert_memory_equal(x, y, layer.inputs * layer.units * sizeof *x);
    }
}

static void training_sees_straightened_images(void **state)
{
    (void)state;
    const glia_augmentation how = {.shift = 1, .rotation = 5};
    for (int augmented = 0; augmented < 2; augmented++)
        for (size_t batch = 1; batch <= 32; batch *= 32) {
            glia_settings p = short_training(batch);
            if (augmented) set_augmentation(&p, &how);
            glia_network *a = train(BOTH, sets.raw, sets.raw, p);
            glia_network *b = train(0, sets.made, sets.made, p);
            assert_same_weights(a, b);
            glia_network_free(a);
            glia_network_free(b);
        }
}

static void prediction_and_evaluation_see_them_too(void **state)
{
    (void)state;
    static float p[2][SAMPLES * 10], hidden[2][SAMPLES * 20];
    glia_network *network[2] = {train(BOTH, sets.raw, NULL, short_training(16)),
                                train(0, sets.made, NULL, short_training(16))};
    const uint8_t *const x[2] = {sets.images, sets.straight};
    const glia_dataset *const data[2] = {sets.raw, sets.made};
    glia_metrics metrics[2];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(whole_predict(network[i], GLIA_TYPE_U8, x[i], SAMPLES, p[i], NULL),
                         GLIA_OK);
        assert_int_equal(
            whole_activations(network[i], 0, GLIA_TYPE_U8, x[i], SAMPLES, hidden[i], NULL),
            GLIA_OK);
        assert_int_equal(whole_evaluate(network[i], data[i], 2, &metrics[i], NULL, NULL), GLIA_OK);
    }
    assert_memory_equal(p[0], p[1], sizeof p[0]);
    assert_memory_equal(hidden[0], hidden[1], sizeof hidden[0]);
    assert_true(metrics[0].loss == metrics[1].loss && metrics[0].accuracy == metrics[1].accuracy);

    static const glia_engine engines[] = {GLIA_ENGINE_REFERENCE, GLIA_ENGINE_NATIVE,
                                          GLIA_ENGINE_ONEDNN};
    for (size_t e = 0; e < 3; e++) {
        for (int i = 0; i < 2; i++) {
            const glia_predictor_params params = {.threads = 2, .engine = engines[e]};
            glia_predictor *predictor = NULL;
            if (glia_predictor_create(network[i], &params, &predictor, NULL)) {
                assert_int_equal(engines[e], GLIA_ENGINE_ONEDNN); /* this build has none */
                continue;
            }
            assert_int_equal(glia_predictor_run(predictor, GLIA_TYPE_U8, x[i], SAMPLES,
                                                glia_network_describe(network[i]).inputs, p[i],
                                                glia_network_describe(network[i]).classes, NULL),
                             GLIA_OK);
            glia_predictor_free(predictor);
        }
        assert_memory_equal(p[0], p[1], sizeof p[0]);
    }
    /* and it does matter */
    assert_int_equal(whole_predict(network[1], GLIA_TYPE_U8, x[0], SAMPLES, p[1], NULL), GLIA_OK);
    assert_memory_not_equal(p[0], p[1], sizeof p[0]);
    glia_network_free(network[0]);
    glia_network_free(network[1]);
}

/* Replaces a text of the file by another of the same length. */
static void replace_in_file(const char *path, const char *old, const char *new)
{
    static char bytes[200000];
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    const size_t n = fread(bytes, 1, sizeof bytes, file), length = strlen(old);
    assert_int_equal(strlen(new), length);
    size_t at = 0;
    while (at + length <= n && memcmp(bytes + at, old, length) != 0) at++;
    assert_true(at + length <= n);
    assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
    assert_int_equal(fwrite(new, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static void the_model_file_keeps_it(void **state)
{
    (void)state;
    char folder[] = "/tmp/glia-straighten-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    glia_error error;
    for (unsigned how = 0; how <= BOTH; how++) {
        static float p[2][SAMPLES * 10];
        glia_network *network = train(how, sets.raw, NULL, short_training(16)), *loaded = NULL;
        char *json = NULL;
        if (glia_network_save(network, path, &error) || glia_network_load(path, &loaded, &error))
            fail_msg("%s", error.message);
        assert_int_equal(glia_network_describe(loaded).preprocess, how);
        assert_int_equal(whole_predict(network, GLIA_TYPE_U8, sets.images, SAMPLES, p[0], NULL),
                         GLIA_OK);
        assert_int_equal(whole_predict(loaded, GLIA_TYPE_U8, sets.images, SAMPLES, p[1], NULL),
                         GLIA_OK);
        assert_memory_equal(p[0], p[1], sizeof p[0]);
        assert_int_equal(glia_network_metadata(loaded, &json, NULL), GLIA_OK);
        assert_true((strstr(json, "\"deskew\":true") != NULL) ==
                    ((how & GLIA_PREPROCESS_DESKEW) != 0));
        assert_true((strstr(json, "\"centre\":true") != NULL) ==
                    ((how & GLIA_PREPROCESS_CENTRE) != 0));
        glia_string_free(json);
        glia_network_free(loaded);
        glia_network_free(network);
    }
    replace_in_file(path, "centre\\\":true", "centre\\\":1000");
    glia_network *none = NULL;
    assert_error("1000", glia_network_load(path, &none, &error), GLIA_BAD_FORMAT, &error,
                 "preprocessing.centre", "true or false");
    remove(path);
    remove(folder);
}

static void what_are_no_images_is_refused(void **state)
{
    (void)state;
    static float values[4 * PIXELS], p[4 * 10], hidden[4 * 10];
    static uint32_t labels[4];
    glia_dataset *floats = NULL, *rows = NULL;
    glia_error error;
    assert_int_equal(
        glia_dataset_from_arrays(GLIA_TYPE_F32, values, labels, 4, PIXELS, 2, &floats, NULL),
        GLIA_OK);
    assert_int_equal(glia_dataset_set_images(floats, SIDE, SIDE, NULL), GLIA_OK);
    assert_int_equal(
        glia_dataset_from_arrays(GLIA_TYPE_U8, sets.images, labels, 4, PIXELS, 2, &rows, NULL),
        GLIA_OK);
    shape params = shape_of(PIXELS, 10);
    glia_network *network = NULL;
    glia_metrics metrics;
    params.preprocess = GLIA_PREPROCESS_DESKEW;
    assert_int_equal(shape_network(&params, &network, NULL), GLIA_OK);
    glia_settings t = short_training(2);
    assert_error("floats", glia_train(network, floats, NULL, &t, NULL, &error), GLIA_MISMATCH,
                 &error, "deskews", "GLIA_TYPE_U8");
    assert_error("rows", glia_train(network, rows, NULL, &t, NULL, &error), GLIA_MISMATCH, &error,
                 "deskews", "glia_dataset_set_images");
    assert_error("untrained", whole_predict(network, GLIA_TYPE_U8, sets.images, 4, p, &error),
                 GLIA_MISMATCH, &error, "height and width", NULL);
    assert_int_equal(glia_train(network, sets.raw, NULL, &t, NULL, NULL), GLIA_OK);
    assert_error("F32", whole_predict(network, GLIA_TYPE_F32, values, 4, p, &error), GLIA_MISMATCH,
                 &error, "found floats", "deskews");
    assert_error("F32", whole_activations(network, 0, GLIA_TYPE_F32, values, 4, hidden, &error),
                 GLIA_MISMATCH, &error, "found floats", NULL);
    assert_error("floats", whole_evaluate(network, floats, 1, &metrics, NULL, &error),
                 GLIA_MISMATCH, &error, "divided by 255", NULL);
    /* Rows of bytes as long as its images are read as those. */
    assert_int_equal(whole_evaluate(network, rows, 1, &metrics, NULL, NULL), GLIA_OK);
    glia_network_free(network);
    glia_dataset_free(floats);
    glia_dataset_free(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_skewed_bar_becomes_upright),
        cmocka_unit_test(the_map_is_that_of_the_moments),
        cmocka_unit_test(centring_moves_by_whole_pixels),
        cmocka_unit_test(what_has_no_skew_stays),
        cmocka_unit_test(training_sees_straightened_images),
        cmocka_unit_test(prediction_and_evaluation_see_them_too),
        cmocka_unit_test(the_model_file_keeps_it),
        cmocka_unit_test(what_are_no_images_is_refused),
    };
    return cmocka_run_group_tests_name("straighten", tests, open_sets, close_sets);
}
