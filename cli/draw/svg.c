/* SPDX-License-Identifier: MIT */
/*
 * Plots as SVG, 360 units wide: at that size their text is as large as that of a page. Large ones
 * are 560 units wide.
 */
#include "draw/svg.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shell/output.h"

enum { MOST_TICKS = 16, TICKS_X = 7, TICKS_Y = 6, LEGEND_CHARACTERS = 26 };

/* Large ones have room for larger text, which they need where they are drawn smaller. */
static double right_of(const struct plot *plot)
{
    return plot->large ? 34 : 20;
}

static double below(const struct plot *plot)
{
    return plot->large ? 54 : 40;
}

static double legend_row(const struct plot *plot)
{
    return plot->large ? 22 : 17;
}

/* At most, nearly always. */
static double character_width(const struct plot *plot)
{
    return plot->large ? 8.8 : 6.3;
}

static double width_of(const struct plot *plot)
{
    return plot->large ? 560 : 360;
}

/* Smaller ones are 0 for a plot, since steps between them would not be normal numbers. */
static const double TINY = 1e-100;

/* ---- Axes ---------------------------------------------------------------------------------- */

void plot_range(struct plot_axis *axis, const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double value = values[i];
        if (!isfinite(value) || (axis->log && !(value > TINY))) continue;
        bool first = axis->to < axis->from;
        if (first || value < axis->from) axis->from = value;
        if (first || value > axis->to) axis->to = value;
    }
}

/* The round number, 1, 2 or 5 times a power of ten, that divides range into at most n steps. */
static double round_step(double range, int n)
{
    double power = pow(10, floor(log10(range / n)));
    for (int i = 0; i < 3; i++) {
        double step = power * (i == 0 ? 1 : i == 1 ? 2 : 5);
        if (step * n >= range * (1 - 1e-9)) return step;
    }
    return 10 * power;
}

void plot_round(struct plot_axis *axis)
{
    if (!(axis->from <= axis->to)) {
        axis->from = axis->log ? 0.1 : 0;
        axis->to = 1;
    }
    if (axis->log) {
        double ratio = pow(axis->to / axis->from, 0.04);
        axis->from /= ratio > 1.02 ? ratio : 1.02;
        axis->to *= ratio > 1.02 ? ratio : 1.02;
        return;
    }
    const bool is_part = axis->form == AXIS_PERCENT && axis->from >= 0 && axis->to <= 1;
    double range = axis->to - axis->from, middle = fabs(axis->to) + fabs(axis->from);
    if (!(range > 1e-12 * middle && range > TINY)) { /* one value: some room around it */
        range = is_part || !(middle > TINY) ? 0.1 : 0.1 * middle;
        axis->from -= range / 2;
        axis->to += range / 2;
    }
    double step = round_step(range, 5), from = floor(axis->from / step + 1e-9) * step;
    double to = ceil(axis->to / step - 1e-9) * step;
    if (is_part && from < 0) from = 0;
    if (is_part && to > 1) to = 1;
    axis->from = from;
    axis->to = to;
}

/* The places of the ticks; *step: their distance, 0 where they are at powers. Returns how many. */
static int find_ticks(const struct plot_axis *axis, int most, double *ticks, double *step)
{
    int n = 0;
    *step = 0;
    if (axis->log) {
        int first = (int)floor(log10(axis->from)), last = (int)ceil(log10(axis->to));
        int every = (last - first + most - 1) / most;
        bool between = last - first <= 3;
        for (int e = first; e <= last && every > 0; e += every)
            for (int i = 0; i < (between ? 3 : 1); i++) {
                double at = pow(10, e) * (i == 0 ? 1 : i == 1 ? 2 : 5);
                if (at >= axis->from && at <= axis->to && n < MOST_TICKS) ticks[n++] = at;
            }
        return n;
    }
    *step = round_step(axis->to - axis->from, most);
    if (axis->form == AXIS_WHOLE && *step < 1) *step = 1;
    double at = ceil(axis->from / *step - 1e-9);
    for (; at * *step <= axis->to + 1e-9 * *step && n < MOST_TICKS; at++) ticks[n++] = at * *step;
    return n;
}

/* A tick's value with as many decimals as their distance wants. */
static words tick_text(const struct plot_axis *axis, double value, double step)
{
    words out;
    double scale = axis->form == AXIS_PERCENT ? 100 : 1;
    const char *unit = axis->form == AXIS_PERCENT ? " %" : "";
    value *= scale;
    step *= scale;
    int decimals = step > 0 ? (int)ceil(-log10(step) - 1e-9) : 0;
    if (step == 0 || decimals > 6 || fabs(value) >= 1e6)
        snprintf(out.s, sizeof out.s, "%g%s", fabs(value) < 1e-9 * step ? 0 : value, unit);
    else
        snprintf(out.s, sizeof out.s, "%.*f%s", decimals > 0 ? decimals : 0,
                 fabs(value) < 1e-9 * step ? 0 : value, unit);
    return out;
}

static double place(const struct plot_axis *axis, double value)
{
    if (axis->log) return log(value / axis->from) / log(axis->to / axis->from);
    return (value - axis->from) / (axis->to - axis->from);
}

double plot_x(const struct plot *plot, double x)
{
    return plot->left + place(&plot->x, x) * plot->width;
}

double plot_y(const struct plot *plot, double y)
{
    return plot->top + (1 - place(&plot->y, y)) * plot->height;
}

/* The most characters that a tick of an axis has. */
static size_t widest_tick(const struct plot_axis *axis, int most)
{
    double ticks[MOST_TICKS], step;
    size_t widest = 0;
    const int n = find_ticks(axis, most, ticks, &step);
    for (int i = 0; i < n; i++) {
        const size_t width = text_width(tick_text(axis, ticks[i], step).s);
        if (width > widest) widest = width;
    }
    return widest;
}

/* Room for the ticks of the vertical axis, and its label beside them. */
static double left_of(const struct plot *plot)
{
    const double usual = plot->large ? 66 : 50, label = plot->large ? 32 : 24;
    return fmax(usual,
                label + 0.95 * character_width(plot) * (double)widest_tick(&plot->y, TICKS_Y));
}

/* Of the horizontal axis, so that their texts do not touch. */
static int most_ticks(const struct plot *plot)
{
    const double width = character_width(plot) * (double)(widest_tick(&plot->x, TICKS_X) + 1);
    return (int)fmax(2, fmin(TICKS_X, plot->width / width));
}

static void draw_axes(struct plot *plot)
{
    double ticks[MOST_TICKS], step;
    double right = plot->left + plot->width, bottom = plot->top + plot->height;
    struct text *out = plot->out;
    text_put(out, "<g class=\"axis\">");
    int n = find_ticks(&plot->y, TICKS_Y, ticks, &step);
    for (int i = 0; i < n; i++) {
        double y = plot_y(plot, ticks[i]);
        text_print(out,
                   "<path class=\"grid\" d=\"M%.4g %.1fH%.4g\"/>"
                   "<text x=\"%.4g\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
                   plot->left, y, right, plot->left - 5, y + (plot->large ? 4.8 : 3.8),
                   tick_text(&plot->y, ticks[i], step).s);
    }
    n = find_ticks(&plot->x, most_ticks(plot), ticks, &step);
    for (int i = 0; i < n; i++) {
        double x = plot_x(plot, ticks[i]);
        text_print(out,
                   "<path d=\"M%.1f %.4gv4\"/>"
                   "<text x=\"%.1f\" y=\"%.4g\" text-anchor=\"middle\">%s</text>",
                   x, bottom, x, bottom + (plot->large ? 19 : 16),
                   tick_text(&plot->x, ticks[i], step).s);
    }
    text_print(out, "<path d=\"M%.4g %.4gV%.4gH%.4g\"/>", plot->left, plot->top, bottom, right);
    text_print(out, "<text x=\"%.4g\" y=\"%.4g\" text-anchor=\"middle\">",
               plot->left + plot->width / 2, bottom + below(plot) - 7);
    text_escape(out, plot->x.label);
    text_print(out,
               "</text><text transform=\"translate(%d %.4g)rotate(-90)\" text-anchor=\"middle\">",
               plot->large ? 15 : 11, plot->top + plot->height / 2);
    text_escape(out, plot->y.label);
    text_put(out, "</text></g>\n");
}

/* ---- Marks --------------------------------------------------------------------------------- */

/* Outlines around (0, 0), within (-1, -1) and (1, 1); the last three are strokes alone. */
static const struct shape {
    bool stroked;
    signed char corners; /* 0: a circle */
    double at[16][2];
} shapes[PLOT_SHAPES] = {
    {false, 0, {{0}}},
    {false, 4, {{-.85, -.85}, {.85, -.85}, {.85, .85}, {-.85, .85}}},
    {false, 4, {{0, -1.15}, {1, 0}, {0, 1.15}, {-1, 0}}},
    {false, 3, {{0, -1.1}, {1.05, .8}, {-1.05, .8}}},
    {false, 3, {{0, 1.1}, {1.05, -.8}, {-1.05, -.8}}},
    {false,
     12,
     {{-.35, -1},
      {.35, -1},
      {.35, -.35},
      {1, -.35},
      {1, .35},
      {.35, .35},
      {.35, 1},
      {-.35, 1},
      {-.35, .35},
      {-1, .35},
      {-1, -.35},
      {-.35, -.35}}},
    {false,
     10,
     {{0, -1.2},
      {.3, -.4},
      {1.15, -.37},
      {.48, .15},
      {.7, .97},
      {0, .5},
      {-.7, .97},
      {-.48, .15},
      {-1.15, -.37},
      {-.3, -.4}}},
    {true, 4, {{-.9, -.9}, {.9, .9}, {-.9, .9}, {.9, -.9}}},
    {true, 4, {{-1.1, 0}, {1.1, 0}, {0, -1.1}, {0, 1.1}}},
    {true, 2, {{-1.1, 0}, {1.1, 0}}},
};

/* A mark at a place of the drawing. */
static void draw_mark(struct text *out, int colour, int index, double x, double y, double size,
                      const char *tip)
{
    const struct shape *shape = &shapes[index % PLOT_SHAPES];
    text_print(out, "<path class=\"%s c%d\" d=\"", shape->stroked ? "k" : "m",
               colour % PLOT_COLOURS);
    if (shape->corners == 0)
        text_print(out, "M%.1f %.1fa%.3g %.3g 0 1 0 %.3g 0a%.3g %.3g 0 1 0-%.3g 0z", x - size, y,
                   size, size, 2 * size, size, size, 2 * size);
    for (int i = 0; i < shape->corners; i++)
        text_print(out, "%c%.1f %.1f", i == 0 || (shape->stroked && i % 2 == 0) ? 'M' : 'L',
                   x + size * shape->at[i][0], y + size * shape->at[i][1]);
    text_print(out, "%s\"", shape->corners != 0 && !shape->stroked ? "z" : "");
    svg_tip(out, tip);
    text_put(out, "/>");
}

void svg_tip(struct text *out, const char *tip)
{
    if (tip == NULL) return;
    text_put(out, " data-t=\"");
    const char *end;
    for (; (end = strchr(tip, '\n')) != NULL; tip = end + 1) { /* line by line: '\n' is a control */
        text_escape_print(out, "%.*s", (int)(end - tip), tip);
        text_put(out, "&#10;");
    }
    text_escape(out, tip);
    text_put(out, "\"");
}

void plot_mark(struct plot *plot, int colour, int shape, double x, double y, double size,
               const char *tip)
{
    draw_mark(plot->out, colour, shape, plot_x(plot, x), plot_y(plot, y), size, tip);
}

void plot_marks(struct plot *plot, const struct series *series, const double *x, const double *y,
                size_t n)
{
    enum { MOST_MARKS = 24 };
    size_t every = (n + MOST_MARKS - 1) / MOST_MARKS;
    for (size_t i = 0; i < n && series->shape >= 0; i += every)
        if (isfinite(x[i]) && isfinite(y[i]) && (!plot->y.log || y[i] > TINY))
            plot_mark(plot, series->colour, series->shape, x[i], y[i], 3.2, NULL);
}

void plot_hit(struct plot *plot, double x, double y, const char *tip)
{
    if (!isfinite(x) || !isfinite(y) || (plot->y.log && !(y > TINY))) return;
    text_print(plot->out, "<circle class=\"h\" cx=\"%.1f\" cy=\"%.1f\" r=\"6\"", plot_x(plot, x),
               plot_y(plot, y));
    svg_tip(plot->out, tip);
    text_put(plot->out, "/>");
}

void plot_line(struct plot *plot, const struct series *series, const double *x, const double *y,
               size_t n)
{
    bool on = false;
    text_print(plot->out, "<path class=\"l c%d d%d\" d=\"", series->colour, series->dash);
    for (size_t i = 0; i < n; i++) {
        bool there = isfinite(x[i]) && isfinite(y[i]) && (!plot->y.log || y[i] > TINY);
        if (there)
            text_print(plot->out, "%c%.1f %.1f", on ? 'L' : 'M', plot_x(plot, x[i]),
                       plot_y(plot, y[i]));
        on = there;
    }
    text_put(plot->out, "\"/>\n");
}

void plot_bar(struct plot *plot, const char *class_name, double x0, double x1, double y0, double y1,
              const char *tip)
{
    double left = plot_x(plot, x0), right = plot_x(plot, x1);
    double bottom = plot_y(plot, y0), top = plot_y(plot, y1);
    text_print(plot->out, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"",
               class_name, left, top, right > left ? right - left : 0,
               bottom > top ? bottom - top : 0);
    svg_tip(plot->out, tip);
    text_put(plot->out, "/>");
}

/* ---- The drawing --------------------------------------------------------------------------- */

char *svg_shortened(const char *string, size_t n)
{
    char *out = clean_text(string), *at = out;
    if (text_width(out) <= n) return out;
    size_t kept = 0;
    for (; *at != '\0'; at++) { /* to the character that the points replace */
        if (((unsigned char)*at & 0xc0) == 0x80) continue;
        if (kept == n - 1) break;
        kept++;
    }
    size_t length = (size_t)(at - out);
    char *shorter = need_memory(length + 4, 1);
    memcpy(shorter, out, length);
    memcpy(shorter + length, "\xe2\x80\xa6", 4); /* an ellipsis */
    free(out);
    return shorter;
}

void svg_begin(struct text *out, const char *id, const char *class_names, double width,
               double height, const char *title, const char *description)
{
    text_print(out,
               "<svg class=\"%s\" id=\"%s\" viewBox=\"0 0 %.4g %.4g\" role=\"img\" "
               "tabindex=\"0\" aria-labelledby=\"%s-title\" aria-describedby=\"%s-desc\">"
               "<title id=\"%s-title\">",
               class_names, id, width, height, id, id, id);
    text_escape(out, title);
    text_print(out, "</title><desc id=\"%s-desc\">", id);
    text_escape(out, description);
    text_put(out, "</desc>\n");
}

/* Goes through the legend, drawing it if out is not NULL; returns how many rows it has. */
static int legend(const struct plot *plot, struct text *out)
{
    double x = 8;
    int rows = 0;
    for (size_t i = 0; i < plot->n_series; i++) {
        const struct series *s = &plot->series[i];
        char *name = svg_shortened(s->name, LEGEND_CHARACTERS);
        double sample = s->line ? 26 : 12;
        double width = sample + 5 + character_width(plot) * (double)text_width(name) + 10;
        if (rows == 0 || x + width > width_of(plot)) {
            x = 8;
            rows++;
        }
        if (out != NULL) {
            double y = (plot->large ? 16 : 11) + legend_row(plot) * (rows - 1);
            if (s->line)
                text_print(out, "<path class=\"l c%d d%d\" d=\"M%.1f %.1fh%.4g\"/>", s->colour,
                           s->dash, x, y - 3.5, sample);
            if (s->shape >= 0)
                draw_mark(out, s->colour, s->shape, x + sample / 2, y - 3.5, 3.6, NULL);
            text_print(out, "<text x=\"%.1f\" y=\"%.1f\">", x + sample + 5, y);
            text_escape(out, name);
            text_put(out, "</text>");
        }
        x += width;
        free(name);
    }
    return rows;
}

void plot_begin(struct plot *plot, struct text *out, const char *id, const char *title,
                const char *description)
{
    plot->out = out;
    plot->left = left_of(plot);
    plot->top = (plot->large ? 14 : 8) + legend_row(plot) * legend(plot, NULL);
    plot->width = width_of(plot) - plot->left - right_of(plot);
    plot->height = plot->large ? 360 : 178;
    svg_begin(out, id, plot->large ? "plot large" : "plot", width_of(plot),
              plot->top + plot->height + below(plot), title, description);
    if (plot->n_series > 0) {
        text_put(out, "<g class=\"legend\">");
        legend(plot, out);
        text_put(out, "</g>\n");
    }
    draw_axes(plot);
}

void plot_end(struct plot *plot)
{
    text_put(plot->out, "</svg>\n");
}
