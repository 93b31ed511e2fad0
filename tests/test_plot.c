/* SPDX-License-Identifier: MIT */
/* Plots of characters (cli/draw/plot.h): which dots make which characters, and what curves keep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw/plot.h"

static void expect_row(const struct canvas *canvas, size_t row, const char *expected)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    size_t cells = canvas_print_row(canvas, row, out, out); /* no terminal: no styles */
    fclose(out);
    assert_string_equal(text, expected);
    size_t characters = 0;
    for (const char *c = text; *c != '\0'; c++) characters += ((unsigned char)*c & 0xc0) != 0x80;
    assert_int_equal(cells, characters);
    free(text);
}

/* ---- The canvas ---------------------------------------------------------------------------- */

static void test_each_dot(void **state)
{
    (void)state;
    /* The names in Unicode: dots 1 to 8 are bits 0 to 7. */
    static const char *const expected[4][2] = {{"⠁", "⠈"}, {"⠂", "⠐"}, {"⠄", "⠠"}, {"⡀", "⢀"}};
    for (size_t y = 0; y < 4; y++) {
        for (size_t x = 0; x < 2; x++) {
            char second[16];
            struct canvas *canvas = canvas_new(3, 2, true);
            assert_int_equal(canvas_width(canvas), 6);
            assert_int_equal(canvas_height(canvas), 8);
            canvas_dot(canvas, 2 + x, 4 + y, PEN_SOLID);
            snprintf(second, sizeof second, " %s", expected[y][x]);
            expect_row(canvas, 0, "");
            expect_row(canvas, 1, second);
            canvas_free(canvas);
        }
    }
    canvas_free(NULL);
}

static void test_ascii(void **state)
{
    (void)state;
    struct canvas *canvas = canvas_new(6, 1, false);
    assert_int_equal(canvas_width(canvas), 6);
    assert_int_equal(canvas_height(canvas), 2);
    canvas_dot(canvas, 0, 0, PEN_SOLID);
    canvas_dot(canvas, 1, 1, PEN_SOLID);
    canvas_dot(canvas, 3, 0, PEN_SOLID);
    canvas_dot(canvas, 3, 1, PEN_SOLID);
    canvas_dot(canvas, 4, 1, PEN_DOTTED);
    expect_row(canvas, 0, "'. :o");
    canvas_free(canvas);
}

static void test_outside(void **state)
{
    (void)state;
    struct canvas *canvas = canvas_new(2, 1, true);
    canvas_dot(canvas, 4, 0, PEN_SOLID);
    canvas_dot(canvas, 0, 4, PEN_SOLID);
    canvas_dot(canvas, SIZE_MAX, SIZE_MAX, PEN_SOLID);
    expect_row(canvas, 0, "");
    canvas_free(canvas);
}

static void test_lines(void **state)
{
    (void)state;
    unsigned phase = 0;
    struct canvas *canvas = canvas_new(2, 2, true);
    canvas_line(canvas, 0, 0, 3, 3, PEN_SOLID, &phase); /* the first dot is left out */
    expect_row(canvas, 0, "⠐⢄");
    canvas_dot(canvas, 0, 0, PEN_SOLID);
    expect_row(canvas, 0, "⠑⢄");
    canvas_line(canvas, 0, 7, 3, 4, PEN_SOLID, &phase); /* upwards */
    expect_row(canvas, 1, "⠠⠊");
    canvas_line(canvas, 2, 2, 2, 2, PEN_SOLID, &phase); /* of no length */
    expect_row(canvas, 0, "⠑⢄");
    canvas_free(canvas);
}

static void test_dotted_lines(void **state)
{
    (void)state;
    unsigned phase = 0;
    struct canvas *canvas = canvas_new(4, 1, true);
    canvas_line(canvas, 0, 0, 4, 0, PEN_DOTTED, &phase); /* dots at 1 and 4 */
    expect_row(canvas, 0, "⠈ ⠁");
    canvas_line(canvas, 4, 0, 7, 0, PEN_DOTTED, &phase); /* goes on: at 7 */
    expect_row(canvas, 0, "⠈ ⠁⠈");
    canvas_free(canvas);
}

/* ---- Curves -------------------------------------------------------------------------------- */

static void test_curves_stay_small(void **state)
{
    (void)state;
    struct curve *curve = calloc(1, sizeof *curve);
    assert_non_null(curve);
    const size_t n = 10 * CURVE_POINTS + 7;
    double before = 0;
    for (size_t i = 1; i <= n; i++) {
        curve_add(curve, (double)i, 3 * (double)i, 1 + (double)(i % 2));
        assert_true(curve->n <= CURVE_POINTS);
    }
    assert_int_equal(curve->stride, 16);
    assert_true(curve->n >= CURVE_POINTS / 2);
    double weight = 0, sum = 0;
    size_t points = curve->n + (curve->open > 0);
    for (size_t i = 0; i < points; i++) {
        assert_true(curve->x[i] > before);
        assert_true(fabs(curve->y[i] - 3 * curve->x[i]) < 1e-6);
        before = curve->x[i];
        weight += curve->weight[i];
        sum += curve->weight[i] * curve->y[i];
    }
    double expected_weight = 0, expected_sum = 0;
    for (size_t i = 1; i <= n; i++) {
        expected_weight += 1 + (double)(i % 2);
        expected_sum += (1 + (double)(i % 2)) * 3 * (double)i;
    }
    assert_true(weight == expected_weight);
    assert_true(fabs(sum / expected_sum - 1) < 1e-12);
    free(curve);
}

static void test_curves_leave_out(void **state)
{
    (void)state;
    struct curve *curve = calloc(1, sizeof *curve);
    assert_non_null(curve);
    curve_add(curve, 1, NAN, 1);
    curve_add(curve, 1, INFINITY, 1);
    curve_add(curve, 1, 1, 0);
    curve_add(curve, 1, 1, NAN);
    assert_int_equal(curve->n + curve->open, 0);
    curve_add(curve, 2, 5, 1);
    assert_int_equal(curve->n, 1);
    assert_true(curve->x[0] == 2 && curve->y[0] == 5);
    free(curve);
}

/* ---- Plots --------------------------------------------------------------------------------- */

/* A progress says means of the epoch so far; the curve has those of the samples in between. */
static void test_values_of_progress(void **state)
{
    (void)state;
    struct training_plot *plot = calloc(1, sizeof *plot);
    assert_non_null(plot);
    glia_progress p = {.epoch = 1, .epochs = 2, .done = 0, .samples = 40};
    p.train_loss = p.train_accuracy = p.train_rmse = NAN;
    p.validation_loss = p.validation_accuracy = p.validation_rmse = NAN;
    plot_add(plot, &p);
    assert_int_equal(plot->loss.n, 0);
    p.done = 10;
    p.train_loss = 2;
    p.train_accuracy = 0.5;
    plot_add(plot, &p);
    p.done = 40;
    p.train_loss = 1.25; /* 10 of 2, 30 of 1 */
    p.train_accuracy = 0.875;
    plot_add(plot, &p);
    p.epoch_end = true; /* no further samples */
    p.validation_loss = 0.75;
    p.validation_accuracy = 0.9;
    plot_add(plot, &p);
    p = (glia_progress){.epoch = 2, .epochs = 2, .done = 20, .samples = 40, .train_loss = 0.5};
    p.validation_loss = p.validation_accuracy = p.train_rmse = NAN;
    plot_add(plot, &p);

    assert_int_equal(plot->loss.n, 3);
    assert_true(plot->loss.x[0] == 0.25 && plot->loss.x[1] == 1 && plot->loss.x[2] == 1.5);
    assert_true(plot->loss.y[0] == 2 && plot->loss.y[1] == 1 && plot->loss.y[2] == 0.5);
    assert_true(plot->accuracy.y[0] == 0.5 && plot->accuracy.y[1] == 1);
    assert_int_equal(plot->validation_loss.n, 1);
    assert_true(plot->validation_loss.x[0] == 1 && plot->validation_loss.y[0] == 0.75);
    assert_true(plot->validation_accuracy.y[0] == 0.9);
    free(plot);
}

/* The loss falls from 31 to 0 in a straight line, in as many epochs; the accuracy is always 1/2. */
static void expect_plot(size_t width, size_t max_lines, const char *expected)
{
    struct training_plot *plot = calloc(1, sizeof *plot);
    assert_non_null(plot);
    for (int i = 0; i <= 31; i++) {
        curve_add(&plot->loss, i, 31 - i, 1);
        curve_add(&plot->accuracy, i, 0.5, 1);
    }
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    size_t lines = plot_print(plot, out, out, width, max_lines), printed = 0;
    fclose(out);
    for (const char *c = text; *c != '\0'; c++) printed += *c == '\n';
    assert_int_equal(lines, printed);
    assert_string_equal(text, expected);
    free(text);
    free(plot);
}

static void test_plot(void **state)
{
    (void)state;
    setenv("LC_ALL", "C.UTF-8", 1);
    expect_plot(25, 8,
                "\n"
                "         loss\n"
                "31.0000 ┤⠉⠒⠤⣀\n"
                "        │    ⠉⠒⠤⣀\n"
                "        │        ⠉⠒⠤⣀\n"
                " 0.0000 ┤            ⠉⠒⠤⣀\n"
                "        └────────────────\n"
                "         0      31 epochs\n");
    setenv("LC_ALL", "C", 1);
    expect_plot(25, 8,
                "\n"
                "         loss\n"
                "31.0000 +'...\n"
                "        |    ''..\n"
                "        |        ''..\n"
                " 0.0000 +            '''.\n"
                "        +----------------\n"
                "         0      31 epochs\n");
    expect_plot(
        79, 6,
        "\n"
        "         loss                                     accuracy\n"
        "31.0000 +'''''.........                  50.00 % +\n"
        " 0.0000 +              ''''''''''.....   50.00 % +'''''''''''''''''''''''''''''\n"
        "        +-----------------------------           +-----------------------------\n"
        "         0                   31 epochs            0                   31 epochs\n");
}

static void test_no_plot(void **state)
{
    (void)state;
    struct training_plot *empty = calloc(1, sizeof *empty);
    assert_non_null(empty);
    assert_int_equal(plot_print(empty, stdout, stdout, 80, 12), 0);
    free(empty);
    expect_plot(17, 12, ""); /* too narrow */
    expect_plot(0, 12, "");
    expect_plot(80, 5, ""); /* too low */
    expect_plot(80, 0, "");
}

static void test_sizes_of_plots(void **state)
{
    (void)state;
    struct training_plot *plot = calloc(1, sizeof *plot);
    assert_non_null(plot);
    for (int i = 0; i < 5000; i++) {
        curve_add(&plot->loss, i, sin(i * 0.01), 1);
        curve_add(&plot->accuracy, i, 0.5 + 0.5 * cos(i * 0.01), 1);
        if (i % 100 == 0) curve_add(&plot->validation_loss, i, sin(i * 0.02), 1);
    }
    for (size_t width = 0; width < 300; width++) {
        for (size_t height = 0; height < 20; height++) {
            char *text;
            size_t size, cells = 0;
            FILE *out = open_memstream(&text, &size);
            assert_non_null(out);
            size_t lines = plot_print(plot, out, out, width, height);
            fclose(out);
            assert_true(lines <= height && lines <= PLOT_LINES);
            assert_true(lines > 0 || width < 30 || height < 6);
            for (const char *c = text; *c != '\0'; c++) {
                cells += ((unsigned char)*c & 0xc0) != 0x80;
                if (*c == '\n') {
                    assert_true(cells - 1 <= width);
                    cells = 0;
                }
            }
            free(text);
        }
    }
    free(plot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_dot),
        cmocka_unit_test(test_ascii),
        cmocka_unit_test(test_outside),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_dotted_lines),
        cmocka_unit_test(test_curves_stay_small),
        cmocka_unit_test(test_curves_leave_out),
        cmocka_unit_test(test_values_of_progress),
        cmocka_unit_test(test_plot),
        cmocka_unit_test(test_no_plot),
        cmocka_unit_test(test_sizes_of_plots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
