/* SPDX-License-Identifier: MIT */
/*
 * Tests of the built-in digits: an image is a function of (seed, split, index) and of nothing else,
 * it has MNIST's form, and the set as a whole has MNIST's proportions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/digits/digits.h"
#include "data/digits/digits_shapes.h"
#include "data/set/dataset.h"

enum { SIDE = GI_DIGITS_SIDE, PIXELS = SIDE * SIDE };

/* ---- Allocations, counted (the linker's --wrap) ---------------------------------------------- */

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

static size_t allocations;

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    allocations++;
    return __real_aligned_alloc(alignment, size);
}

/* ---- The table of skeletons ------------------------------------------------------------------ */

/* Each style's pen is strokes of at least two points, and its shapes have as many points as it. */
static void test_table(void **state)
{
    (void)state;
    const size_t n = sizeof gi_digits_styles / sizeof *gi_digits_styles;
    uint32_t digit = 0;
    for (size_t s = 0; s < n; s++) {
        const struct gi_digits_style *style = &gi_digits_styles[s];
        if (style->digit != digit) assert_int_equal(style->digit, ++digit);
        assert_true(style->weight > 0);
        assert_in_range(style->n_shapes, 1, GI_DIGITS_SHAPES);
        const size_t points = strlen(style->pen);
        assert_in_range(points, 2, GI_DIGITS_POINTS);
        bool down = false;
        int strokes = 0;
        for (size_t i = 0; i < points; i++) {
            assert_non_null(strchr("(-*)", style->pen[i]));
            assert_int_equal(style->pen[i] == '(', !down);
            down = style->pen[i] != ')';
            strokes += !down;
        }
        assert_false(down);
        assert_in_range(strokes, 1, GI_DIGITS_STROKES);
        for (size_t k = 0; k < GI_DIGITS_SHAPES; k++) {
            const int16_t *p = style->shapes[k];
            int highest = 1000, lowest = -1000;
            const size_t used = k < (size_t)style->n_shapes ? points : 0;
            for (size_t i = 0; i < used; i++) {
                highest = p[2 * i + 1] < highest ? p[2 * i + 1] : highest;
                lowest = p[2 * i + 1] > lowest ? p[2 * i + 1] : lowest;
            }
            /* A point too few would be (0, 0) and one too many would stand after the last. */
            if (used > 0) assert_true(p[2 * used - 2] != 0 || p[2 * used - 1] != 0);
            for (size_t i = 2 * used; i < 2 * GI_DIGITS_POINTS; i++) assert_int_equal(p[i], 0);
            if (used > 0) assert_in_range(lowest - highest, 75, 130);
        }
    }
    assert_int_equal(digit, 9);
}

/* ---- One image ------------------------------------------------------------------------------- */

static void test_function_of_its_arguments(void **state)
{
    (void)state;
    uint8_t image[PIXELS], again[PIXELS], other[PIXELS];
    memset(image, 0xAA, sizeof image);
    memset(again, 0x55, sizeof again);
    const uint32_t label = gi_digits_draw(1, GLIA_SPLIT_TRAIN, 7, image);
    gi_digits_draw(2, GLIA_SPLIT_TEST, 8, other); /* leaves no trace */
    assert_int_equal(gi_digits_draw(1, GLIA_SPLIT_TRAIN, 7, again), label);
    assert_memory_equal(image, again, PIXELS);

    /* Each argument, its high bits included, makes another image. */
    static const struct {
        uint64_t seed;
        glia_split split;
        uint64_t index;
    } others[] = {
        {2, GLIA_SPLIT_TRAIN, 7},          {1, GLIA_SPLIT_TEST, 7},
        {1, GLIA_SPLIT_TRAIN, 8},          {UINT64_C(1) << 32 | 1, GLIA_SPLIT_TRAIN, 7},
        {UINT64_MAX, GLIA_SPLIT_TRAIN, 7}, {1, GLIA_SPLIT_TRAIN, UINT64_C(1) << 32 | 7},
        {0, GLIA_SPLIT_TRAIN, 7},          {1, GLIA_SPLIT_TRAIN, (UINT64_C(1) << 56) - 1},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        const uint32_t digit =
            gi_digits_draw(others[i].seed, others[i].split, others[i].index, other);
        assert_in_range(digit, 0, 9);
        assert_memory_not_equal(image, other, PIXELS);
    }
}

static void test_draws_without_memory(void **state)
{
    (void)state;
    glia_dataset *dataset;
    const glia_data_params params = {.seed = 1, .threads = 1};
    allocations = 0;
    assert_int_equal(glia_dataset_open("digits", GLIA_SPLIT_TEST, &params, &dataset, NULL),
                     GLIA_OK);
    assert_true(allocations > 0); /* they are counted */
    glia_dataset_free(dataset);
    allocations = 0;
    uint8_t image[PIXELS];
    for (uint64_t i = 0; i < 100; i++) gi_digits_draw(1, GLIA_SPLIT_TRAIN, i, image);
    assert_int_equal(allocations, 0);
}

/*
 * MNIST's form: the longer side of the ink is 20 pixels; the centre of mass comes to pixel number
 * 14, as near as whole pixels and the borders allow.
 */
static void test_form(void **state)
{
    (void)state;
    for (uint64_t index = 0; index < 5000; index++) {
        uint8_t image[SIDE][SIDE];
        gi_digits_draw(3, GLIA_SPLIT_TRAIN, index, &image[0][0]);
        int left = SIDE, right = -1, top = SIDE, bottom = -1, brightest = 0;
        double mass = 0, x = 0, y = 0;
        for (int i = 0; i < SIDE; i++)
            for (int j = 0; j < SIDE; j++) {
                const int v = image[i][j];
                if (!v) continue;
                left = j < left ? j : left;
                right = j > right ? j : right;
                top = i < top ? i : top;
                bottom = i;
                brightest = v > brightest ? v : brightest;
                mass += v;
                x += v * j;
                y += v * i;
            }
        const int width = right - left + 1, height = bottom - top + 1;
        assert_int_equal(width > height ? width : height, 20);
        assert_in_range(brightest, 200, 255);
        x /= mass;
        y /= mass;
        if (left > 0 && right < SIDE - 1) assert_true(fabs(x - 14) < 0.5001);
        if (top > 0 && bottom < SIDE - 1) assert_true(fabs(y - 14) < 0.5001);
        assert_true(fabs(x - 14) < 3 && fabs(y - 14) < 3);
    }
}

/* ---- The set --------------------------------------------------------------------------------- */

/*
 * The classes are equally likely (chi-squared of 9 degrees of freedom; 27.9 is passed by chance
 * once in 1000 seeds), and the ink is MNIST's, within what the range of styles asks for:
 * 103 px of ink an image, 150 pixels that are not 0, of them 38 % above 250 and 18 % below 64.
 */
static void test_statistics(void **state)
{
    (void)state;
    enum { N = 10000 };
    double counts[10] = {0}, ink = 0, lit = 0, full = 0, faint = 0;
    for (uint64_t index = 0; index < N; index++) {
        uint8_t image[PIXELS];
        counts[gi_digits_draw(1, GLIA_SPLIT_TRAIN, index, image)]++;
        for (size_t i = 0; i < PIXELS; i++) {
            ink += image[i] / 255.0;
            lit += image[i] > 0;
            full += image[i] > 250;
            faint += image[i] > 0 && image[i] < 64;
        }
    }
    double chi_squared = 0;
    for (int d = 0; d < 10; d++)
        chi_squared += (counts[d] - N / 10) * (counts[d] - N / 10) / (N / 10);
    assert_true(chi_squared < 27.9);
    assert_true(fabs(ink / N - 103) < 8);
    assert_true(fabs(lit / N - 150) < 12);
    assert_true(fabs(full / lit - 0.38) < 0.04);
    assert_true(fabs(faint / lit - 0.18) < 0.03);
}

/*
 * The label says what is drawn: the nearest mean image of 3,000 tells most of 1,000 others, a 1 has
 * the least ink, and a 0 is hollow.
 */
static void test_labels(void **state)
{
    (void)state;
    static double mean[10][PIXELS];
    double counts[10] = {0};
    uint8_t image[PIXELS];
    for (uint64_t index = 0; index < 3000; index++) {
        const uint32_t label = gi_digits_draw(1, GLIA_SPLIT_TRAIN, index, image);
        counts[label]++;
        for (size_t i = 0; i < PIXELS; i++) mean[label][i] += image[i];
    }
    double ink[10] = {0}, middle[10];
    for (int d = 0; d < 10; d++) {
        for (size_t i = 0; i < PIXELS; i++) ink[d] += mean[d][i] / counts[d];
        middle[d] = mean[d][14 * SIDE + 14] / counts[d];
    }
    for (int d = 0; d < 10; d++) {
        if (d != 1) assert_true(ink[1] < ink[d]);
        if (d != 0) assert_true(middle[0] < middle[d] / 2);
    }

    size_t right = 0;
    for (uint64_t index = 0; index < 1000; index++) {
        const uint32_t label = gi_digits_draw(1, GLIA_SPLIT_TEST, index, image);
        double least = INFINITY;
        uint32_t nearest = 0;
        for (uint32_t d = 0; d < 10; d++) {
            double distance = 0;
            for (size_t i = 0; i < PIXELS; i++) {
                const double difference = image[i] - mean[d][i] / counts[d];
                distance += difference * difference;
            }
            if (distance < least) {
                least = distance;
                nearest = d;
            }
        }
        right += nearest == label;
    }
    assert_in_range(right, 500, 820); /* MNIST: 820; these are to be harder */
}

/* The stored set is what gi_digits_draw draws, whatever the number of threads. */
static void test_stored(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        const glia_data_params params = {.seed = UINT64_MAX, .threads = threads};
        glia_dataset *dataset;
        assert_int_equal(glia_dataset_open("digits", GLIA_SPLIT_TEST, &params, &dataset, NULL),
                         GLIA_OK);
        const glia_dataset_info info = glia_dataset_describe(dataset);
        assert_string_equal(info.name, "digits");
        assert_int_equal(info.type, GLIA_TYPE_U8);
        assert_int_equal(info.samples, GI_DIGITS_TEST);
        assert_int_equal(info.features, PIXELS);
        assert_int_equal(info.classes, 10);
        assert_int_equal(info.height, SIDE);
        assert_int_equal(info.width, SIDE);
        assert_int_equal(dataset->form, GI_FORM_MNIST);
        assert_string_equal(glia_dataset_class_name(dataset, 9), "9");
        assert_false(gi_dataset_is_endless(dataset));
        for (size_t i = 0; i < GI_DIGITS_TEST; i++) {
            uint8_t image[PIXELS];
            uint32_t label;
            const void *row = gi_dataset_row(dataset, 5, i, NULL, &label); /* of any epoch */
            assert_int_equal(gi_digits_draw(UINT64_MAX, GLIA_SPLIT_TEST, i, image), label);
            assert_memory_equal(row, image, PIXELS);
        }
        glia_dataset_free(dataset);
    }
}

/* A fresh set stores nothing: row i of epoch e is image e * 60,000 + i. */
static void test_fresh(void **state)
{
    (void)state;
    const glia_data_params params = {.seed = 5, .fresh = true};
    glia_dataset *dataset;
    assert_int_equal(glia_dataset_open("digits", GLIA_SPLIT_TRAIN, &params, &dataset, NULL),
                     GLIA_OK);
    assert_true(gi_dataset_is_endless(dataset));
    assert_int_equal(glia_dataset_describe(dataset).samples, GI_DIGITS_TRAIN);
    static const struct {
        uint32_t epoch;
        size_t row;
    } cases[] = {{0, 0}, {0, 59999}, {1, 0}, {1, 17}, {100000, 59999}, {UINT32_MAX, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        _Alignas(64) uint8_t scratch[PIXELS], image[PIXELS];
        uint32_t label;
        const void *row = gi_dataset_row(dataset, cases[i].epoch, cases[i].row, scratch, &label);
        const uint64_t index = (uint64_t)cases[i].epoch * GI_DIGITS_TRAIN + cases[i].row;
        assert_int_equal(gi_digits_draw(5, GLIA_SPLIT_TRAIN, index, image), label);
        assert_memory_equal(row, image, PIXELS);
    }
    glia_dataset_free(dataset);

    /* There is no fresh test set: what is measured on must stay. */
    assert_int_equal(glia_dataset_open("digits", GLIA_SPLIT_TEST, &params, &dataset, NULL),
                     GLIA_OK);
    assert_false(gi_dataset_is_endless(dataset));
    glia_dataset_free(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_function_of_its_arguments),
        cmocka_unit_test(test_draws_without_memory),
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_statistics),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_stored),
        cmocka_unit_test(test_fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
