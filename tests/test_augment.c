/* SPDX-License-Identifier: MIT */
/* Warps against plain loops in double, on every level; what is drawn; training on it; refusals. */
#include "numeric.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assert_error.h"
#include "feed/augment.h"
#include "image/warp.h"
#include "shape.h"
#include "whole.h"

enum { MAX_SIDE = 45, MAX_PIXELS = MAX_SIDE * MAX_SIDE };

typedef void warp_test(const gi_warp *warp, size_t height, size_t width);

/* On every level, with images whose sides are and are not multiples of a vector. */
static void on_every_warp(warp_test *test)
{
    static const char *const levels[] = {"baseline", "avx2", "avx512"};
    static const size_t sides[][2] = {{28, 28}, {1, 1}, {5, 7}, {33, 45}, {45, 16}, {4, 32}};
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        const gi_warp *warp = gi_warp_for(levels[i]);
        if (!warp) {
            print_message("# %s: this CPU lacks it\n", levels[i]);
            continue;
        }
        assert_string_equal(warp->isa, levels[i]);
        for (size_t s = 0; s < sizeof sides / sizeof sides[0]; s++)
            test(warp, sides[s][0], sides[s][1]);
    }
}

static void fill(uint8_t *pixels, size_t n, uint64_t seed)
{
    gi_rng rng = gi_rng_make(seed, GI_RANDOM_INIT, 0, 0);
    for (size_t i = 0; i < n; i++) pixels[i] = (uint8_t)gi_rng_u32(&rng);
}

/* ---- The oracle ----------------------------------------------------------------------------- */

static double pixel(const uint8_t *src, long height, long width, long y, long x)
{
    return y < 0 || x < 0 || y >= height || x >= width ? 0 : src[y * width + x];
}

/* field: (2, height, width), or NULL */
static void warp_plainly(uint8_t *dst, const uint8_t *src, long height, long width,
                         const gi_affine *map, const double *field)
{
    for (long y = 0; y < height; y++)
        for (long x = 0; x < width; x++) {
            const double dx = field ? field[y * width + x] : 0;
            const double dy = field ? field[(height + y) * width + x] : 0;
            const double sx =
                (double)map->xx * (double)x + (double)map->xy * (double)y + (double)map->x0 + dx;
            const double sy =
                (double)map->yx * (double)x + (double)map->yy * (double)y + (double)map->y0 + dy;
            const long ix = (long)floor(sx), iy = (long)floor(sy);
            const double tx = sx - (double)ix, ty = sy - (double)iy;
            const double grey = (1 - ty) * (1 - tx) * pixel(src, height, width, iy, ix) +
                                (1 - ty) * tx * pixel(src, height, width, iy, ix + 1) +
                                ty * (1 - tx) * pixel(src, height, width, iy + 1, ix) +
                                ty * tx * pixel(src, height, width, iy + 1, ix + 1);
            dst[y * width + x] = (uint8_t)floor(grey + 0.5);
        }
}

/* The noise of gi_warp.noise, from Philox's blocks: byte k of word w of block 16 g + l. */
static double noise_at(const gi_rng *rng, size_t i)
{
    const size_t g = i / 256, k = i / 64 % 4, w = i / 16 % 4, l = i % 16;
    const uint32_t counter[4] = {rng->counter[0] + (uint32_t)(16 * g + l), rng->counter[1],
                                 rng->counter[2], rng->counter[3]};
    uint32_t block[4];
    gi_philox4x32(counter, rng->key, block);
    return (double)(block[w] >> 8 * k & 255) - 127.5;
}

/* field (2, height, width) = factor * noise convolved with a Gaussian cut off at 3 sigma */
static void smooth_plainly(double *field, size_t height, size_t width, size_t rows, size_t ld,
                           const float *noise, double sigma, double factor)
{
    const long radius = (long)ceil(3 * sigma);
    double sum = 0;
    for (long i = -radius; i <= radius; i++) sum += exp(-(double)(i * i) / (2 * sigma * sigma));
    for (size_t f = 0; f < 2; f++)
        for (long y = 0; y < (long)height; y++)
            for (long x = 0; x < (long)width; x++) {
                double value = 0;
                for (long j = y - radius; j <= y + radius; j++)
                    for (long i = x - radius; i <= x + radius; i++) {
                        if (j < 0 || i < 0 || j >= (long)height || i >= (long)width) continue;
                        const double square = (double)((y - j) * (y - j) + (x - i) * (x - i));
                        value += exp(-square / (2 * sigma * sigma)) / (sum * sum) *
                                 (double)noise[(f * rows + (size_t)j) * ld + (size_t)i];
                    }
                field[(f * height + (size_t)y) * width + (size_t)x] = factor * value;
            }
}

/* At most one grey level apart; returns how many are apart. */
static size_t assert_near(const uint8_t *a, const uint8_t *b, size_t n)
{
    size_t apart = 0;
    for (size_t i = 0; i < n; i++) {
        const int difference = abs(a[i] - b[i]);
        if (difference > 1) fail_msg("pixel %zu: found %d, expected %d", i, (int)a[i], (int)b[i]);
        apart += difference > 0;
    }
    return apart;
}

/* ---- The kernels ---------------------------------------------------------------------------- */

static void check_shifts(const gi_warp *warp, size_t height, size_t width)
{
    static const int shifts[][2] = {{0, 0}, {1, 0}, {0, -1}, {-3, 2}, {4, 100}, {-60, -60}};
    uint8_t src[MAX_PIXELS], dst[MAX_PIXELS + GI_WARP_COLUMNS];
    gi_warp_room room;
    fill(src, height * width, 1);
    assert_int_equal(gi_warp_room_new(height, width, true, &room, NULL), GLIA_OK);
    for (size_t s = 0; s < sizeof shifts / sizeof shifts[0]; s++)
        for (int has_field = 0; has_field < 2; has_field++) { /* the field is zero */
            const int dx = shifts[s][0], dy = shifts[s][1];
            const gi_affine map = {.xx = 1, .x0 = (float)-dx, .yy = 1, .y0 = (float)-dy};
            memset(dst, 7, sizeof dst);
            warp->apply(dst, src, &map, has_field, &room);
            for (int y = 0; y < (int)height; y++)
                for (int x = 0; x < (int)width; x++)
                    assert_int_equal(dst[y * (int)width + x],
                                     (int)pixel(src, (long)height, (long)width, y - dy, x - dx));
        }
    gi_warp_room_free(&room);
}

static void whole_pixels_are_shifted_exactly(void **state)
{
    (void)state;
    on_every_warp(check_shifts);
}

static void check_affine(const gi_warp *warp, size_t height, size_t width)
{
    static const double degrees[] = {30, -90, 11, 180};
    uint8_t src[MAX_PIXELS], dst[MAX_PIXELS + GI_WARP_COLUMNS], expected[MAX_PIXELS];
    size_t apart = 0;
    gi_warp_room room;
    fill(src, height * width, 2);
    assert_int_equal(gi_warp_room_new(height, width, false, &room, NULL), GLIA_OK);
    for (size_t i = 0; i < 4; i++) {
        const double angle = degrees[i] * acos(-1) / 180, c = cos(angle), s = sin(angle);
        const double cx = (double)(width - 1) / 2, cy = (double)(height - 1) / 2;
        const double scale = i == 2 ? 1.3 : 1;
        const gi_affine map = {.xx = (float)(scale * c),
                               .xy = (float)s,
                               .x0 = (float)(cx - scale * c * cx - s * cy),
                               .yx = (float)(-scale * s),
                               .yy = (float)c,
                               .y0 = (float)(cy + scale * s * cx - c * cy)};
        warp->apply(dst, src, &map, false, &room);
        warp_plainly(expected, src, (long)height, (long)width, &map, NULL);
        apart += assert_near(dst, expected, height * width);
    }
    assert_true(apart <= 4 * height * width / 100); /* halves that f32 rounds otherwise */
    gi_warp_room_free(&room);
}

static void rotations_are_those_of_a_plain_loop(void **state)
{
    (void)state;
    on_every_warp(check_affine);
}

static void check_noise(const gi_warp *warp, size_t height, size_t width)
{
    if (height != 28) return; /* no matter of the image */
    (void)width;
    enum { N = 7 * 256 };
    static _Alignas(64) float noise[N];
    gi_rng rng = gi_rng_make(0x123456789abcdef0, GI_RANDOM_AUGMENT, 3, (UINT64_C(1) << 40) + 5);
    rng.counter[0] = 2;
    warp->noise(noise, N, &rng);
    for (size_t i = 0; i < N; i++) assert_true((double)noise[i] == noise_at(&rng, i));
}

static void noise_is_that_of_philox(void **state)
{
    (void)state;
    on_every_warp(check_noise);
}

static void check_elastic(const gi_warp *warp, size_t height, size_t width)
{
    static const double sigmas[] = {0.5, 4, 13};
    static double field[2 * MAX_PIXELS];
    uint8_t src[MAX_PIXELS], dst[MAX_PIXELS + GI_WARP_COLUMNS], expected[MAX_PIXELS];
    const gi_affine map = {.xx = 1.1F, .xy = 0.2F, .x0 = -2, .yy = 0.9F, .y0 = 1.5F};
    fill(src, height * width, 3);
    for (size_t s = 0; s < 3; s++) {
        gi_warp_room room;
        gi_blur blur;
        assert_int_equal(gi_warp_room_new(height, width, true, &room, NULL), GLIA_OK);
        assert_int_equal(gi_blur_new(sigmas[s], &blur, NULL), GLIA_OK);
        const gi_rng rng = gi_rng_make(9, GI_RANDOM_AUGMENT, 0, s);
        const double factor = 6 * sigmas[s] / 127.5; /* displacements of about a pixel */
        warp->noise(room.field, 2 * room.rows * room.ld, &rng);
        smooth_plainly(field, height, width, room.rows, room.ld, room.field, sigmas[s], factor);
        warp->smooth(&room, &blur, (float)factor);
        double largest = 0;
        for (size_t f = 0; f < 2; f++)
            for (size_t y = 0; y < height; y++)
                for (size_t x = 0; x < width; x++) {
                    const double found = (double)room.field[(f * room.rows + y) * room.ld + x];
                    const double right = field[(f * height + y) * width + x];
                    assert_true(fabs(found - right) < 1e-5);
                    largest = fmax(largest, fabs(right));
                }
        assert_true(height * width < 100 || (largest > 0.2 && largest < 20));
        warp->apply(dst, src, &map, true, &room);
        warp_plainly(expected, src, (long)height, (long)width, &map, field);
        assert_near(dst, expected, height * width);
        gi_blur_free(&blur);
        gi_warp_room_free(&room);
    }
}

static void displacements_are_those_of_a_convolution(void **state)
{
    (void)state;
    on_every_warp(check_elastic);
}

/* ---- What is drawn -------------------------------------------------------------------------- */

enum { SIDE = 28, PIXELS = SIDE * SIDE };

/* Each distortion alone, from one thousand images: its bounds, which are nearly reached. */
static void distortions_keep_their_bounds(void **state)
{
    (void)state;
    const double pi = acos(-1), centre = (SIDE - 1) / 2.0;
    double most[5] = {0}, least_scale = 2;
    for (uint64_t i = 0; i < 1000; i++) {
        const glia_augmentation alone[] = {
            {.shift = 2}, {.rotation = 20}, {.scale = 0.2}, {.shear = 0.3}};
        gi_affine m[4];
        for (size_t a = 0; a < 4; a++) {
            gi_rng rng = gi_rng_make(5, GI_RANDOM_AUGMENT, 1, i);
            m[a] = gi_augmentation_draw(&alone[a], SIDE, SIDE, &rng);
            assert_int_equal(rng.counter[0], 2); /* where the field's noise begins */
            if (a == 0) continue;
            /* the centre stays */
            const double x = (double)(m[a].xx + m[a].xy) * centre + (double)m[a].x0;
            const double y = (double)(m[a].yx + m[a].yy) * centre + (double)m[a].y0;
            assert_true(fabs(x - centre) < 1e-5 && fabs(y - centre) < 1e-5);
        }
        assert_true(m[0].xx == 1 && m[0].yy == 1 && m[0].xy == 0 && m[0].yx == 0);
        most[0] = fmax(most[0], fmax(fabs((double)m[0].x0), fabs((double)m[0].y0)));
        assert_true(fabs(hypot((double)m[1].xx, (double)m[1].yx) - 1) < 1e-6);
        assert_true(m[1].xx == m[1].yy && m[1].xy == -m[1].yx);
        most[1] = fmax(most[1], fabs(atan2((double)m[1].xy, (double)m[1].xx)) * 180 / pi);
        assert_true(m[2].xy == 0 && m[2].yx == 0 && m[2].xx != m[2].yy);
        most[2] = fmax(most[2], 1 / (double)m[2].xx);
        least_scale = fmin(least_scale, 1 / (double)m[2].yy);
        assert_true(m[3].xx == 1 && m[3].yy == 1 && m[3].yx == 0);
        most[3] = fmax(most[3], fabs((double)m[3].xy));
    }
    assert_true(most[0] > 1.98 && most[0] <= 2);
    assert_true(most[1] > 19.8 && most[1] <= 20.00001);
    assert_true(most[2] > 1.19 && most[2] <= 1.20001 && least_scale < 0.81 && least_scale > 0.7999);
    assert_true(most[3] > 0.297 && most[3] <= 0.300001);
}

/* The whole of it, in double. */
static void augment_plainly(const glia_augmentation *how, uint64_t seed, uint32_t epoch,
                            uint64_t row, const uint8_t *src, uint8_t *dst)
{
    enum { LD = 32 };
    static float noise[2 * SIDE * LD];
    static double field[2 * PIXELS];
    gi_rng rng = gi_rng_make(seed, GI_RANDOM_AUGMENT, epoch, row);
    const gi_affine map = gi_augmentation_draw(how, SIDE, SIDE, &rng);
    for (size_t i = 0; i < 2 * SIDE * LD; i++) noise[i] = (float)noise_at(&rng, i);
    smooth_plainly(field, SIDE, SIDE, SIDE, LD, noise, how->elastic_sigma,
                   how->elastic_alpha / 127.5);
    warp_plainly(dst, src, SIDE, SIDE, &map, field);
}

static glia_dataset *open_digits(bool fresh)
{
    glia_dataset *dataset = NULL;
    glia_error error;
    glia_data_params params = glia_data_default_params();
    params.fresh = fresh;
    if (glia_dataset_open("digits", GLIA_SPLIT_TRAIN, &params, &dataset, &error))
        fail_msg("%s", error.message);
    return dataset;
}

static void augmented_images_are_those_of_the_oracle(void **state)
{
    (void)state;
    enum { N = 20 };
    static uint8_t images[N * PIXELS], out[N * PIXELS], expected[PIXELS];
    glia_dataset *digits = open_digits(false);
    const glia_augmentation how = glia_augmentation_default();
    for (size_t i = 0; i < N; i++)
        assert_int_equal(whole_sample(digits, i, images + i * PIXELS, NULL, NULL), GLIA_OK);
    glia_error error;
    if (augment(&how, images, N, SIDE, SIDE, 4, 6, 100, out, &error)) fail_msg("%s", error.message);
    for (size_t i = 0; i < N; i++) {
        augment_plainly(&how, 4, 6, 100 + i, images + i * PIXELS, expected);
        assert_near(out + i * PIXELS, expected, PIXELS);
        assert_memory_not_equal(out + i * PIXELS, images + i * PIXELS, PIXELS);
    }
    glia_dataset_free(digits);
}

/* A row of a data set, distorted, as a loader makes it. */
static const uint8_t *distorted_row(gi_augmenter *augmenter, int thread,
                                    const glia_dataset *dataset, uint32_t epoch, size_t index,
                                    uint8_t *scratch, uint32_t *label)
{
    return gi_augmenter_distort(augmenter, thread, epoch, index,
                                gi_dataset_row(dataset, epoch, index, scratch, label));
}

static void levels_agree(void **state)
{
    (void)state;
    enum { N = 200 };
    static const char *const levels[] = {"avx2", "avx512"};
    glia_dataset *digits = open_digits(true);
    const glia_augmentation how = glia_augmentation_default();
    gi_augmenter *base = NULL, *other = NULL;
    uint8_t scratch[PIXELS];
    uint32_t label;
    assert_int_equal(gi_augmenter_new(&how, digits, 3, 1, "baseline", 1, &base, NULL), GLIA_OK);
    for (size_t l = 0; l < 2; l++) {
        if (!gi_warp_for(levels[l])) continue;
        size_t apart = 0;
        assert_int_equal(gi_augmenter_new(&how, digits, 3, 1, levels[l], 1, &other, NULL), GLIA_OK);
        for (size_t i = 0; i < N; i++)
            apart += assert_near(distorted_row(other, 0, digits, 7, i, scratch, &label),
                                 distorted_row(base, 0, digits, 7, i, scratch, &label), PIXELS);
        assert_true(apart < N * PIXELS / 1000);
        gi_augmenter_free(other);
    }
    gi_augmenter_free(base);
    glia_dataset_free(digits);
}

static void without_distortion_nothing_changes(void **state)
{
    (void)state;
    uint8_t image[PIXELS], out[PIXELS] = {0};
    fill(image, PIXELS, 8);
    const glia_augmentation none = {.elastic_sigma = 4};
    assert_int_equal(augment(&none, image, 1, SIDE, SIDE, 1, 0, 0, out, NULL), GLIA_OK);
    assert_memory_equal(out, image, PIXELS);
}

static void every_epoch_row_and_seed_has_its_own(void **state)
{
    (void)state;
    uint8_t image[PIXELS], out[4][PIXELS], again[PIXELS];
    fill(image, PIXELS, 8);
    const glia_augmentation how = glia_augmentation_default();
    static const struct {
        uint64_t seed;
        size_t epoch, first;
    } cases[4] = {{1, 0, 0}, {1, 1, 0}, {1, 0, 1}, {2, 0, 0}};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(augment(&how, image, 1, SIDE, SIDE, cases[i].seed, cases[i].epoch,
                                 cases[i].first, out[i], NULL),
                         GLIA_OK);
        for (size_t j = 0; j < i; j++) assert_memory_not_equal(out[i], out[j], PIXELS);
    }
    assert_int_equal(augment(&how, image, 1, SIDE, SIDE, 1, 0, 0, again, NULL), GLIA_OK);
    assert_memory_equal(again, out[0], PIXELS);
}

/* ---- Training ------------------------------------------------------------------------------- */

enum { SAMPLES = 300, EPOCHS = 2 };

static glia_network *train(const glia_dataset *dataset, size_t batch, int threads,
                           const glia_augmentation *how, size_t epochs)
{
    const size_t hidden = 24;
    shape params = shape_of(PIXELS, 10);
    params.n_hidden = 1;
    params.hidden = &hidden;
    glia_network *network = NULL;
    assert_int_equal(shape_network(&params, &network, NULL), GLIA_OK);
    glia_settings p = gi_settings_defaults();
    p.batch = batch;
    p.threads = threads;
    p.epochs = epochs;
    if (how) set_augmentation(&p, how);
    p.engine = GLIA_ENGINE_REFERENCE;
    glia_error error;
    if (glia_train(network, dataset, NULL, &p, NULL, &error)) fail_msg("%s", error.message);
    return network;
}

static bool same_weights(const glia_network *a, const glia_network *b)
{
    for (size_t l = 0; l < 2; l++) {
        const glia_layer_info layer = glia_network_layer(a, l);
        const size_t n = layer.inputs * layer.units;
        float *x = malloc(n * sizeof *x), *y = malloc(n * sizeof *y);
        assert_non_null(x);
        assert_non_null(y);
        assert_int_equal(whole_get_layer(a, l, x, NULL, NULL), GLIA_OK);
        assert_int_equal(whole_get_layer(b, l, y, NULL, NULL), GLIA_OK);
        const bool same = memcmp(x, y, n * sizeof *x) == 0;
        free(x);
        free(y);
        if (!same) return false;
    }
    return true;
}

static void training_does_not_depend_on_threads(void **state)
{
    (void)state;
    static uint8_t images[SAMPLES * PIXELS];
    static uint32_t labels[SAMPLES];
    glia_dataset *digits = open_digits(true), *part = NULL;
    for (size_t i = 0; i < SAMPLES; i++)
        assert_int_equal(whole_sample(digits, i, images + i * PIXELS, &labels[i], NULL), GLIA_OK);
    assert_int_equal(
        glia_dataset_from_arrays(GLIA_TYPE_U8, images, labels, SAMPLES, PIXELS, 10, &part, NULL),
        GLIA_OK);
    assert_int_equal(glia_dataset_set_images(part, SIDE, SIDE, NULL), GLIA_OK);
    const glia_augmentation how = glia_augmentation_default();
    for (size_t batch = 1; batch <= 64; batch *= 64) {
        glia_network *one = train(part, batch, 1, &how, EPOCHS);
        glia_network *two = train(part, batch, 2, &how, EPOCHS);
        glia_network *plain = train(part, batch, 2, NULL, EPOCHS);
        assert_true(same_weights(one, two));
        assert_false(same_weights(one, plain));
        glia_network_free(one);
        glia_network_free(two);
        glia_network_free(plain);
    }
    glia_dataset_free(part);
    glia_dataset_free(digits);
}

/* An epoch of augmented images is one of the images that glia_augment makes; of a view too. */
static void training_learns_what_augment_shows(void **state)
{
    (void)state;
    static uint8_t images[SAMPLES * PIXELS], shown[SAMPLES * PIXELS];
    static uint32_t labels[SAMPLES];
    glia_dataset *digits = open_digits(true), *part = NULL, *made = NULL;
    for (size_t i = 0; i < SAMPLES; i++)
        assert_int_equal(whole_sample(digits, i, images + i * PIXELS, &labels[i], NULL), GLIA_OK);
    const glia_augmentation how = glia_augmentation_default();
    assert_int_equal(augment(&how, images, SAMPLES, SIDE, SIDE, 1, 0, 0, shown, NULL), GLIA_OK);
    assert_int_equal(
        glia_dataset_from_arrays(GLIA_TYPE_U8, images, labels, SAMPLES, PIXELS, 10, &part, NULL),
        GLIA_OK);
    assert_int_equal(glia_dataset_set_images(part, SIDE, SIDE, NULL), GLIA_OK);
    assert_int_equal(
        glia_dataset_from_arrays(GLIA_TYPE_U8, shown, labels, SAMPLES, PIXELS, 10, &made, NULL),
        GLIA_OK);
    glia_dataset *rest[2], *held[2];
    assert_int_equal(glia_dataset_hold_out(part, 50, 1, &rest[0], &held[0], NULL), GLIA_OK);
    assert_int_equal(glia_dataset_hold_out(made, 50, 1, &rest[1], &held[1], NULL), GLIA_OK);
    const glia_dataset *const pairs[2][2] = {{part, made}, {rest[0], rest[1]}};
    for (size_t i = 0; i < 2; i++)
        for (size_t batch = 1; batch <= 64; batch *= 64) {
            glia_network *a = train(pairs[i][0], batch, 2, &how, 1);
            glia_network *b = train(pairs[i][1], batch, 2, NULL, 1);
            assert_true(same_weights(a, b));
            glia_network_free(a);
            glia_network_free(b);
        }
    for (size_t i = 0; i < 2; i++) {
        glia_dataset_free(rest[i]);
        glia_dataset_free(held[i]);
    }
    glia_dataset_free(part);
    glia_dataset_free(made);
    glia_dataset_free(digits);
}

static void fresh_digits_can_be_augmented(void **state)
{
    (void)state;
    glia_dataset *digits = open_digits(true);
    const glia_augmentation how = {.shift = 1};
    gi_augmenter *augmenter = NULL;
    uint8_t scratch[PIXELS], expected[PIXELS], image[PIXELS];
    uint32_t label, expected_label;
    assert_int_equal(gi_augmenter_new(&how, digits, 1, 1, NULL, 1, &augmenter, NULL), GLIA_OK);
    memcpy(image, gi_dataset_row(digits, 2, 17, scratch, &expected_label), PIXELS);
    assert_int_equal(augment(&how, image, 1, SIDE, SIDE, 1, 2, 17, expected, NULL), GLIA_OK);
    assert_memory_equal(distorted_row(augmenter, 0, digits, 2, 17, scratch, &label), expected,
                        PIXELS);
    assert_int_equal(label, expected_label);
    gi_augmenter_free(augmenter);
    glia_dataset_free(digits);
}

/* Of 10 epochs the last 4 fade: 1, then down by steps of (1 - fade_to) / 4. */
static void distortions_fade_as_told(void **state)
{
    (void)state;
    static const double strengths[10] = {1, 1, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4};
    const glia_augmentation usual = glia_augmentation_default();
    glia_augmentation fading = usual;
    fading.fade = 0.4;
    fading.fade_to = 0.2;
    glia_dataset *digits = open_digits(false);
    gi_augmenter *augmenter = NULL;
    uint8_t scratch[PIXELS], image[PIXELS], expected[PIXELS];
    uint32_t label;
    assert_int_equal(gi_augmenter_new(&fading, digits, 3, 10, NULL, 1, &augmenter, NULL), GLIA_OK);
    for (uint32_t epoch = 0; epoch < 10; epoch++) {
        const double strength = strengths[epoch];
        const glia_augmentation now = {.shift = strength * usual.shift,
                                       .rotation = strength * usual.rotation,
                                       .scale = strength * usual.scale,
                                       .shear = strength * usual.shear,
                                       .elastic_alpha = strength * usual.elastic_alpha,
                                       .elastic_sigma = usual.elastic_sigma};
        for (size_t i = 0; i < 5; i++) {
            assert_int_equal(whole_sample(digits, i, image, NULL, NULL), GLIA_OK);
            assert_int_equal(augment(&now, image, 1, SIDE, SIDE, 3, epoch, i, expected, NULL),
                             GLIA_OK);
            const uint8_t *row = distorted_row(augmenter, 0, digits, epoch, i, scratch, &label);
            if (strength == 1) assert_memory_equal(row, expected, PIXELS);
            assert_near(row, expected, PIXELS);
        }
        /* What is only looked at does not fade. */
        uint8_t looked_at[PIXELS];
        assert_int_equal(augment(&fading, image, 1, SIDE, SIDE, 3, epoch, 4, looked_at, NULL),
                         GLIA_OK);
        assert_int_equal(augment(&usual, image, 1, SIDE, SIDE, 3, epoch, 4, expected, NULL),
                         GLIA_OK);
        assert_memory_equal(looked_at, expected, PIXELS);
    }
    gi_augmenter_free(augmenter);

    /* Of all epochs, to nothing, in the one epoch that there is: full strength. */
    fading.fade = 1;
    fading.fade_to = 0;
    const glia_augmentation first = gi_augmentation_faded(&fading, 0, 1);
    assert_float_equal(first.rotation, usual.rotation, 0);
    const glia_augmentation last = gi_augmentation_faded(&fading, 3, 4);
    assert_float_equal(last.rotation, usual.rotation / 4, 1e-12);
    assert_float_equal(last.elastic_sigma, usual.elastic_sigma, 0);
    glia_dataset_free(digits);
}

static void the_model_says_how(void **state)
{
    (void)state;
    char folder[] = "/tmp/glia-augment-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    static uint8_t images[10 * PIXELS];
    static uint32_t labels[10];
    fill(images, sizeof images, 3);
    glia_dataset *dataset = NULL;
    glia_error error;
    assert_int_equal(
        glia_dataset_from_arrays(GLIA_TYPE_U8, images, labels, 10, PIXELS, 10, &dataset, NULL),
        GLIA_OK);
    assert_int_equal(glia_dataset_set_images(dataset, SIDE, SIDE, NULL), GLIA_OK);
    const glia_augmentation how = {
        .shift = 1.5, .rotation = 7, .elastic_alpha = 3, .elastic_sigma = 5};
    const glia_augmentation none = {.elastic_sigma = 5};
    const glia_augmentation fading = {.shift = 1.5,
                                      .rotation = 7,
                                      .elastic_alpha = 3,
                                      .elastic_sigma = 5,
                                      .fade = 0.5,
                                      .fade_to = 0.25};
    const struct {
        const glia_augmentation *how;
        const char *end;
    } cases[] = {{&none, NULL}, {&how, "}"}, {&fading, ",\"fade\":0.5,\"fade_to\":0.25}"}};
    for (size_t i = 0; i < 3; i++) {
        char expected[200];
        snprintf(expected, sizeof expected,
                 "\"augmentation\":{\"shift\":1.5,\"rotation\":7.0,\"scale\":0.0,\"shear\":0.0,"
                 "\"elastic_alpha\":3.0,\"elastic_sigma\":5.0%s",
                 cases[i].end ? cases[i].end : "");
        const bool augmented = cases[i].end != NULL;
        glia_network *network = train(dataset, 5, 1, cases[i].how, 1), *loaded = NULL;
        char *json = NULL;
        if (glia_network_save(network, path, &error) || glia_network_load(path, &loaded, &error))
            fail_msg("%s", error.message);
        assert_int_equal(glia_network_metadata(loaded, &json, NULL), GLIA_OK);
        if ((strstr(json, expected) != NULL) != augmented ||
            (strstr(json, "augmentation") != NULL) != augmented)
            fail_msg("%s", json);
        glia_string_free(json);
        glia_network_free(network);
        glia_network_free(loaded);
    }
    remove(path);
    remove(folder);
    glia_dataset_free(dataset);
}

/* ---- Refusals ------------------------------------------------------------------------------- */

static void wrong_numbers_are_refused(void **state)
{
    (void)state;
    static const struct {
        glia_augmentation how;
        const char *word, *found;
    } cases[] = {
        {{.shift = -1}, "shift", "found -1"},
        {{.rotation = 181}, "rotation", "0 to 180"},
        {{.scale = 1}, "scale", "below 1"},
        {{.shear = INFINITY}, "shear", "inf"},
        {{.elastic_alpha = -2, .elastic_sigma = 4}, "elastic_alpha", "found -2"},
        {{.elastic_alpha = 20}, "elastic_sigma", "found 0"},
        {{.elastic_alpha = 20, .elastic_sigma = 1001}, "elastic_sigma", "at most 1000"},
        {{.shift = 1, .fade = 1.5}, "fade", "found 1.5"},
        {{.shift = 1, .fade = 0.5, .fade_to = -1}, "fade_to", "found -1"},
    };
    uint8_t image[PIXELS] = {0}, out[PIXELS];
    glia_error error;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_error(cases[i].word,
                     augment(&cases[i].how, image, 1, SIDE, SIDE, 1, 0, 0, out, &error),
                     GLIA_BAD_ARGUMENT, &error, cases[i].word, cases[i].found);
    const glia_augmentation how = glia_augmentation_default();
    assert_error("size", augment(&how, image, 1, 0, SIDE, 1, 0, 0, out, &error), GLIA_BAD_ARGUMENT,
                 &error, "0 x 28", "16384");
    assert_error("size", augment(&how, image, 1, 16384, 16384, 1, 0, 0, out, &error),
                 GLIA_BAD_ARGUMENT, &error, "16384 x 16384", NULL);
    assert_error("NULL", augment(&how, NULL, 1, SIDE, SIDE, 1, 0, 0, out, &error),
                 GLIA_BAD_ARGUMENT, &error, "NULL", NULL);
#if SIZE_MAX > UINT32_MAX
    assert_error("epoch",
                 augment(&how, image, 1, SIDE, SIDE, 1, (size_t)UINT32_MAX + 1, 0, out, &error),
                 GLIA_BAD_ARGUMENT, &error, "epoch 4294967296", NULL);
#endif
}

static void what_are_no_images_is_refused(void **state)
{
    (void)state;
    static float values[4 * PIXELS];
    static uint8_t bytes[4 * PIXELS];
    static uint32_t labels[4];
    const glia_augmentation how = glia_augmentation_default(), none = {0}, wrong = {.scale = 2};
    glia_dataset *floats = NULL, *rows = NULL;
    glia_error error;
    assert_int_equal(
        glia_dataset_from_arrays(GLIA_TYPE_F32, values, labels, 4, PIXELS, 2, &floats, NULL),
        GLIA_OK);
    assert_int_equal(glia_dataset_set_images(floats, SIDE, SIDE, NULL), GLIA_OK);
    assert_int_equal(
        glia_dataset_from_arrays(GLIA_TYPE_U8, bytes, labels, 4, PIXELS, 2, &rows, NULL), GLIA_OK);
    shape params = shape_of(PIXELS, 2);
    glia_network *network = NULL;
    assert_int_equal(shape_network(&params, &network, NULL), GLIA_OK);
    glia_settings p = gi_settings_defaults();
    p.epochs = 1;
    set_augmentation(&p, &how);
    assert_error("floats", glia_train(network, floats, NULL, &p, NULL, &error), GLIA_MISMATCH,
                 &error, "floats", "GLIA_TYPE_U8");
    assert_error("rows", glia_train(network, rows, NULL, &p, NULL, &error), GLIA_MISMATCH, &error,
                 "784 features", "glia_dataset_set_images");
    set_augmentation(&p, &wrong);
    assert_error("scale", glia_train(network, rows, NULL, &p, NULL, &error), GLIA_BAD_ARGUMENT,
                 &error, "scale", "found 2");
    set_augmentation(&p, &none); /* changes nothing, and so needs nothing */
    assert_error("none", glia_train(network, rows, NULL, &p, NULL, &error), GLIA_OK, &error, NULL,
                 NULL);
    glia_network_free(network);
    glia_dataset_free(floats);
    glia_dataset_free(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_pixels_are_shifted_exactly),
        cmocka_unit_test(rotations_are_those_of_a_plain_loop),
        cmocka_unit_test(noise_is_that_of_philox),
        cmocka_unit_test(displacements_are_those_of_a_convolution),
        cmocka_unit_test(distortions_keep_their_bounds),
        cmocka_unit_test(augmented_images_are_those_of_the_oracle),
        cmocka_unit_test(levels_agree),
        cmocka_unit_test(without_distortion_nothing_changes),
        cmocka_unit_test(every_epoch_row_and_seed_has_its_own),
        cmocka_unit_test(training_does_not_depend_on_threads),
        cmocka_unit_test(training_learns_what_augment_shows),
        cmocka_unit_test(fresh_digits_can_be_augmented),
        cmocka_unit_test(distortions_fade_as_told),
        cmocka_unit_test(the_model_says_how),
        cmocka_unit_test(wrong_numbers_are_refused),
        cmocka_unit_test(what_are_no_images_is_refused),
    };
    return cmocka_run_group_tests_name("augment", tests, NULL, NULL);
}
