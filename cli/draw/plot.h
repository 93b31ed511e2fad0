/* SPDX-License-Identifier: MIT */
/*
 * Curves of a training, drawn with characters: braille, a character of which has 2 x 4 dots, or
 * ASCII where the locale is not UTF-8, with 1 x 2 dots.
 */
#ifndef GLIA_CLI_DRAW_PLOT_H
#define GLIA_CLI_DRAW_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "glia.h"

/* ---- The canvas ---------------------------------------------------------------------------- */

/* The second pen is told from the first by its colour, and by its dots, where it has its own. */
enum pen { PEN_SOLID, PEN_DOTTED };

struct canvas;

/* Of so many characters, all blank; it is to be freed. NULL does nothing. */
struct canvas *canvas_new(size_t columns, size_t rows, bool braille);
void canvas_free(struct canvas *canvas);

/* Dots in each direction; (0, 0) is at the top left. */
size_t canvas_width(const struct canvas *canvas);
size_t canvas_height(const struct canvas *canvas);

/* Those that are not on it are not drawn. */
void canvas_dot(struct canvas *canvas, size_t x, size_t y, enum pen pen);

/*
 * Dots from (x0, y0), that one left out, to (x1, y1). *phase, 0 at the beginning of a curve,
 * carries the rhythm of a dotted pen from line to line.
 */
void canvas_line(struct canvas *canvas, size_t x0, size_t y0, size_t x1, size_t y1, enum pen pen,
                 unsigned *phase);

/* Prints a row up to its last dot, in the styles that screen can show; returns the cells taken. */
size_t canvas_print_row(const struct canvas *canvas, size_t row, FILE *out, FILE *screen);

/* ---- Curves -------------------------------------------------------------------------------- */

/* An even number, of more points than a line of a terminal has dots. */
enum { CURVE_POINTS = 1024 };

/*
 * A curve of bounded size. When it is full, neighbours are merged, and from then on twice as many
 * values make a point; points are means. Begins as zeros.
 */
struct curve {
    size_t n, stride; /* points; values in each, 0 standing for 1 */
    double x[CURVE_POINTS + 1], y[CURVE_POINTS + 1];
    double weight[CURVE_POINTS + 1];
    size_t open; /* values in the point n, which is not complete; 0: there is none */
};

/* What is not finite, or has no weight, is left out. x must not decrease. */
void curve_add(struct curve *curve, double x, double y, double weight);

/* ---- The plot of a training ---------------------------------------------------------------- */

enum { PLOT_LINES = 12 };

/* Begins as zeros. */
struct training_plot {
    struct curve loss, accuracy, validation_loss, validation_accuracy;
    bool has_values;    /* accuracy is RMSE, correct a sum of squares */
    size_t epoch, done; /* of the progress before */
    double loss_sum, correct;
};

/* Takes the values from a progress of a training. */
void plot_add(struct training_plot *plot, const glia_progress *progress);

/*
 * Prints the plot, at most max_lines high and width wide, an empty line first: the loss, and beside
 * it, where there is room, the accuracy, or the RMSE. Returns the lines printed, 0 where there is
 * nothing to show, or no room for it.
 */
size_t plot_print(const struct training_plot *plot, FILE *out, FILE *screen, size_t width,
                  size_t max_lines);

#endif
