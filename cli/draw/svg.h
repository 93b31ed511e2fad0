/* SPDX-License-Identifier: MIT */
/*
 * Plots as SVG: axes with ticks at round numbers, a legend, lines, marks and bars. Series differ in
 * dashes and in the shape of their marks too, so that a plot can be read without colours; those are
 * classes (c0 ... c9) that the style sheet of the page defines.
 */
#ifndef GLIA_CLI_DRAW_SVG_H
#define GLIA_CLI_DRAW_SVG_H

#include <stdbool.h>
#include <stddef.h>

#include "shell/text.h"

enum { PLOT_COLOURS = 10, PLOT_SHAPES = 10 };

/* How a series is drawn, and what the legend says of it. */
struct series {
    const char *name;
    int colour; /* c0 ... */
    int dash;   /* of the line; 0: whole, 1, 2, 3: ever shorter dashes */
    int shape;  /* of the marks; -1: none */
    bool line;
};

enum axis_form { AXIS_NUMBER, AXIS_WHOLE, AXIS_PERCENT };

struct plot_axis {
    const char *label;
    enum axis_form form;
    double from, to; /* what is shown; plot_range sets them */
    bool log;        /* from is above 0 */
};

struct plot {
    struct text *out;
    struct plot_axis x, y;
    const struct series *series; /* (n_series), borrowed: the legend */
    size_t n_series;
    bool large; /* for much in one plot */
    /* The area that the axes enclose, in units of the drawing; plot_begin sets them. */
    double left, top, width, height;
};

/*
 * Sets what an axis shows so that all finite values (n) lie within; more calls widen it. Begins
 * from nothing when to < from.
 */
void plot_range(struct plot_axis *axis, const double *values, size_t n);
/* Goes a little beyond, to round numbers for y; never beyond bounds of percentages. */
void plot_round(struct plot_axis *axis);

/* Begins the drawing: legend, axes. title and description are for those who do not see it. */
void plot_begin(struct plot *plot, struct text *out, const char *id, const char *title,
                const char *description);
void plot_end(struct plot *plot);

/* Where values are, in units of the drawing. */
double plot_x(const struct plot *plot, double x);
double plot_y(const struct plot *plot, double y);

/* A line through points (n); one that is not finite breaks it. */
void plot_line(struct plot *plot, const struct series *series, const double *x, const double *y,
               size_t n);
/* Marks at points, of a line of many points at some of them. */
void plot_marks(struct plot *plot, const struct series *series, const double *x, const double *y,
                size_t n);
/* A mark of its own; tip (plain text, or NULL) is shown when it is pointed at. */
void plot_mark(struct plot *plot, int colour, int shape, double x, double y, double size,
               const char *tip);
/* Something invisible at a point that shows tip when it is pointed at. */
void plot_hit(struct plot *plot, double x, double y, const char *tip);
/* A bar between x0 and x1, y0 and y1. */
void plot_bar(struct plot *plot, const char *class_name, double x0, double x1, double y0, double y1,
              const char *tip);

/* The beginning of any drawing: <svg>, title, description. It ends with </svg>. */
void svg_begin(struct text *out, const char *id, const char *class_names, double width,
               double height, const char *title, const char *description);

/* Adds  data-t="tip"; nothing for NULL. */
void svg_tip(struct text *out, const char *tip);

/* string, cut to so many characters with "..." at its end, to be freed. */
char *svg_shortened(const char *string, size_t n);

#endif
