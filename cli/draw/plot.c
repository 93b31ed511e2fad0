/* SPDX-License-Identifier: MIT */
/*
 * A plot is one or two panels side by side. A panel is a title, a canvas with the y axis and its
 * two labels to the left of it, the x axis, and the x axis' labels.
 */
#include "draw/plot.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shell/output.h"

/* ---- The canvas ---------------------------------------------------------------------------- */

struct canvas {
    size_t columns, rows;
    bool braille;
    struct cell {
        unsigned char dots; /* braille: the character is U+2800 + dots; ASCII: 1 above, 2 below */
        bool dotted;        /* whose pen drew last */
    } * cells;              /* (rows, columns) */
};

struct canvas *canvas_new(size_t columns, size_t rows, bool braille)
{
    struct canvas *new = need_memory(1, sizeof *new);
    *new = (struct canvas){columns, rows, braille, need_memory(columns * rows, sizeof *new->cells)};
    return new;
}

void canvas_free(struct canvas *canvas)
{
    if (canvas == NULL) return;
    free(canvas->cells);
    free(canvas);
}

size_t canvas_width(const struct canvas *canvas)
{
    return canvas->columns * (canvas->braille ? 2 : 1);
}

size_t canvas_height(const struct canvas *canvas)
{
    return canvas->rows * (canvas->braille ? 4 : 2);
}

void canvas_dot(struct canvas *canvas, size_t x, size_t y, enum pen pen)
{
    /* Unicode numbers the upper three rows by columns, and then the fourth. */
    static const unsigned char braille[4][2] = {{1, 8}, {2, 16}, {4, 32}, {64, 128}};
    static const unsigned char ascii[2] = {1, 2};
    if (x >= canvas_width(canvas) || y >= canvas_height(canvas)) return;
    size_t column = canvas->braille ? x / 2 : x, row = y / (canvas->braille ? 4 : 2);
    struct cell *cell = &canvas->cells[row * canvas->columns + column];
    cell->dots |= canvas->braille ? braille[y % 4][x % 2] : ascii[y % 2];
    cell->dotted = pen == PEN_DOTTED;
}

void canvas_line(struct canvas *canvas, size_t x0, size_t y0, size_t x1, size_t y1, enum pen pen,
                 unsigned *phase)
{
    double dx = (double)x1 - (double)x0, dy = (double)y1 - (double)y0;
    size_t steps = (size_t)fmax(fabs(dx), fabs(dy));
    for (size_t i = 1; i <= steps; i++) {
        double part = (double)i / (double)steps;
        bool gap = (*phase)++ % 3 != 0; /* of the dotted pen */
        if (pen == PEN_SOLID || !gap)
            canvas_dot(canvas, (size_t)lround((double)x0 + part * dx),
                       (size_t)lround((double)y0 + part * dy), pen);
    }
}

/* The character U+2800 + dots. */
static void print_braille(FILE *out, unsigned dots)
{
    const unsigned code = 0x2800 + dots;
    fputc((int)(0xe0 | code >> 12), out);
    fputc((int)(0x80 | (code >> 6 & 0x3f)), out);
    fputc((int)(0x80 | (code & 0x3f)), out);
}

size_t canvas_print_row(const struct canvas *canvas, size_t row, FILE *out, FILE *screen)
{
    const struct cell *cells = canvas->cells + row * canvas->columns;
    bool accent = false;
    size_t used = canvas->columns;
    while (used > 0 && cells[used - 1].dots == 0) used--;
    for (size_t column = 0; column < used; column++) {
        struct cell cell = cells[column];
        if (cell.dots != 0 && cell.dotted != accent) {
            accent = cell.dotted;
            fputs(accent ? style_begin(screen, STYLE_ACCENT) : style_end(screen), out);
        }
        if (cell.dots == 0)
            fputc(' ', out);
        else if (canvas->braille)
            print_braille(out, cell.dots);
        else
            fputc(cell.dotted ? 'o' : " '.:"[cell.dots], out);
    }
    if (accent) fputs(style_end(screen), out);
    return used;
}

/* ---- Curves -------------------------------------------------------------------------------- */

/* Point a becomes the mean of points b and c; a may be b. */
static void merge_points(struct curve *curve, size_t a, size_t b, size_t c)
{
    double weight = curve->weight[b] + curve->weight[c], part = curve->weight[c] / weight;
    curve->x[a] = curve->x[b] + part * (curve->x[c] - curve->x[b]);
    curve->y[a] = curve->y[b] + part * (curve->y[c] - curve->y[b]);
    curve->weight[a] = weight;
}

void curve_add(struct curve *curve, double x, double y, double weight)
{
    if (!isfinite(x) || !isfinite(y) || !(weight > 0)) return;
    if (curve->stride == 0) curve->stride = 1;
    if (curve->open == 0 && curve->n == CURVE_POINTS) {
        for (size_t i = 0; i < CURVE_POINTS / 2; i++) merge_points(curve, i, 2 * i, 2 * i + 1);
        curve->n /= 2;
        curve->stride *= 2;
    }
    /* The new value is its own point for a moment; there is one place more than points. */
    size_t at = curve->n + (curve->open > 0);
    curve->x[at] = x;
    curve->y[at] = y;
    curve->weight[at] = weight;
    if (curve->open > 0) merge_points(curve, curve->n, curve->n, at);
    if (++curve->open == curve->stride) {
        curve->n++;
        curve->open = 0;
    }
}

/* The incomplete point is shown too. */
static size_t curve_points(const struct curve *curve)
{
    return curve->n + (curve->open > 0);
}

void plot_add(struct training_plot *plot, const glia_progress *p)
{
    if (p->samples == 0 || p->done == 0) return;
    if (p->epoch != plot->epoch) {
        plot->epoch = p->epoch;
        plot->done = 0;
        plot->loss_sum = plot->correct = 0;
    }
    double x = (double)(p->epoch - 1) + (double)p->done / (double)p->samples;
    double weight = (double)(p->done - plot->done);
    /* Of the samples since the progress before; what it has is means of the epoch so far. */
    double loss_sum = p->train_loss * (double)p->done;
    plot->has_values = isfinite(p->train_rmse);
    double correct = plot->has_values ? p->train_rmse * p->train_rmse * (double)p->done
                                      : p->train_accuracy * (double)p->done;
    if (weight > 0) {
        double part = (correct - plot->correct) / weight;
        curve_add(&plot->loss, x, fmax((loss_sum - plot->loss_sum) / weight, 0), weight);
        curve_add(&plot->accuracy, x, plot->has_values ? sqrt(fmax(part, 0)) : part, weight);
    }
    if (p->epoch_end) {
        curve_add(&plot->validation_loss, x, p->validation_loss, 1);
        curve_add(&plot->validation_accuracy, x,
                  plot->has_values ? p->validation_rmse : p->validation_accuracy, 1);
    }
    plot->done = p->done;
    plot->loss_sum = loss_sum;
    plot->correct = correct;
}

/* ---- Panels -------------------------------------------------------------------------------- */

enum {
    GAP = 3,             /* between two panels */
    LEAST_COLUMNS = 10,  /* of a struct canvas */
    MOST_COLUMNS = 100,  /* wider, eight rows show nothing more */
    OTHER_LINES = 4,     /* beside the canvas: empty, title, axis, labels */
    TWO_PANELS_FROM = 79 /* a plot of this width: a terminal of 80 columns */
};

struct panel {
    const char *title;
    const struct curve *training, *validation;
    double low, high; /* of y */
    double end;       /* of x, which begins at 0 */
    words low_label, high_label, end_label;
    size_t labels; /* cells that the y labels take */
    struct canvas *canvas;
    size_t width; /* cells of the struct panel */
};

static void fit_range(struct panel *panel, const struct curve *curve)
{
    for (size_t i = 0; i < curve_points(curve); i++) {
        panel->low = fmin(panel->low, curve->y[i]);
        panel->high = fmax(panel->high, curve->y[i]);
        panel->end = fmax(panel->end, curve->x[i]);
    }
}

/* Points that share a column of dots are drawn as one, their mean. */
static void draw_curve(struct panel *panel, const struct curve *curve, enum pen pen)
{
    size_t last_x = canvas_width(panel->canvas) - 1, last_y = canvas_height(panel->canvas) - 1;
    double span = panel->high - panel->low, sum = 0, weight = 0;
    size_t points = curve_points(curve), before_x = 0, before_y = 0;
    unsigned phase = 0;
    bool begun = false;
    for (size_t i = 0; i < points; i++) {
        size_t x = (size_t)lround(curve->x[i] / panel->end * (double)last_x);
        sum += curve->weight[i] * curve->y[i];
        weight += curve->weight[i];
        if (i + 1 < points && (size_t)lround(curve->x[i + 1] / panel->end * (double)last_x) == x)
            continue;
        /* A curve that is level lies in the middle. */
        double part = span > 0 ? (panel->high - sum / weight) / span : 0.5;
        size_t y = (size_t)lround(fmin(fmax(part, 0), 1) * (double)last_y);
        if (begun)
            canvas_line(panel->canvas, before_x, before_y, x, y, pen, &phase);
        else
            canvas_dot(panel->canvas, x, y, pen);
        begun = true;
        before_x = x;
        before_y = y;
        sum = weight = 0;
    }
}

static words show_epochs(double epochs)
{
    words out;
    bool whole = epochs == floor(epochs) && epochs < 1e15;
    if (whole || epochs >= 1000)
        snprintf(out.s, sizeof out.s, "%.19s epoch%s", show_count((uint64_t)epochs).s,
                 epochs == 1 ? "" : "s");
    else
        snprintf(out.s, sizeof out.s, "%.*f epochs", epochs < 1 ? 2 : 1, epochs);
    return out;
}

/* width: at most so many cells. A panel without a canvas has no room. */
static struct panel make_panel(const char *title, const struct curve *training,
                               const struct curve *validation, bool percent, size_t width,
                               size_t rows)
{
    struct panel p = {.title = title, .training = training, .validation = validation};
    p.low = INFINITY;
    p.high = -INFINITY;
    fit_range(&p, training);
    fit_range(&p, validation);
    p.low_label = percent ? show_percent(p.low) : show_loss(p.low);
    p.high_label = percent ? show_percent(p.high) : show_loss(p.high);
    p.end_label = show_epochs(p.end);
    p.labels = text_width(p.low_label.s);
    if (text_width(p.high_label.s) > p.labels) p.labels = text_width(p.high_label.s);

    size_t columns = width > p.labels + 2 ? width - p.labels - 2 : 0;
    if (columns < LEAST_COLUMNS || columns < text_width(p.end_label.s) + 2) return p;
    if (columns > MOST_COLUMNS) columns = MOST_COLUMNS;
    p.canvas = canvas_new(columns, rows, is_utf8());
    p.width = p.labels + 2 + columns;
    draw_curve(&p, training, PEN_SOLID);
    draw_curve(&p, validation, PEN_DOTTED);
    return p;
}

/* Each of these prints a line of a panel and returns the cells that it takes. */

static size_t print_title(const struct panel *p, FILE *out, FILE *screen)
{
    static const char training[] = "training", validation[] = "validation";
    size_t used = p->labels + 2 + text_width(p->title);
    size_t legend = 4 + sizeof training - 1 + 4 + sizeof validation - 1;
    fprintf(out, "%*s%s", (int)p->labels + 2, "", p->title);
    if (curve_points(p->validation) == 0 || used + legend > p->width) return used;
    fprintf(out, ": %s %s, %s%s%s %s", is_utf8() ? "⠒" : ".", training,
            style_begin(screen, STYLE_ACCENT), is_utf8() ? "⠂" : "o", style_end(screen),
            validation);
    return used + legend;
}

static size_t print_canvas_row(const struct panel *p, size_t row, FILE *out, FILE *screen)
{
    bool top = row == 0, bottom = (row + 1) * (is_utf8() ? 4 : 2) == canvas_height(p->canvas);
    const char *label = top ? p->high_label.s : bottom ? p->low_label.s : "";
    const char *tick = is_utf8() ? "┤" : "+", *line = is_utf8() ? "│" : "|";
    fprintf(out, "%s%*s %s%s", style_begin(screen, STYLE_DIM), (int)p->labels, label,
            top || bottom ? tick : line, style_end(screen));
    return p->labels + 2 + canvas_print_row(p->canvas, row, out, screen);
}

static size_t print_axis(const struct panel *p, FILE *out, FILE *screen)
{
    bool utf8 = is_utf8();
    fprintf(out, "%s%*s%s", style_begin(screen, STYLE_DIM), (int)p->labels + 1, "",
            utf8 ? "└" : "+");
    for (size_t i = p->labels + 2; i < p->width; i++) fputs(utf8 ? "─" : "-", out);
    fputs(style_end(screen), out);
    return p->width;
}

static size_t print_axis_labels(const struct panel *p, FILE *out, FILE *screen)
{
    int columns = (int)(p->width - p->labels - 2);
    fprintf(out, "%s%*s0%*s%s", style_begin(screen, STYLE_DIM), (int)p->labels + 2, "", columns - 1,
            p->end_label.s, style_end(screen));
    return p->width;
}

static size_t print_panel_line(const struct panel *p, size_t line, size_t rows, FILE *out,
                               FILE *screen)
{
    if (line == 0) return print_title(p, out, screen);
    if (line <= rows) return print_canvas_row(p, line - 1, out, screen);
    if (line == rows + 1) return print_axis(p, out, screen);
    return print_axis_labels(p, out, screen);
}

size_t plot_print(const struct training_plot *plot, FILE *out, FILE *screen, size_t width,
                  size_t max_lines)
{
    if (curve_points(&plot->loss) == 0 || max_lines < OTHER_LINES + 2) return 0;
    if (max_lines > PLOT_LINES) max_lines = PLOT_LINES;
    size_t n = width >= TWO_PANELS_FROM ? 2 : 1, rows = max_lines - OTHER_LINES;
    size_t each = n == 2 ? (width - GAP) / 2 : width;
    struct panel panels[2] = {
        make_panel("loss", &plot->loss, &plot->validation_loss, false, each, rows)};
    if (n == 2)
        panels[1] = make_panel(plot->has_values ? "RMSE" : "accuracy", &plot->accuracy,
                               &plot->validation_accuracy, !plot->has_values, each, rows);
    bool room = panels[0].canvas != NULL && (n == 1 || panels[1].canvas != NULL);
    if (room) fputc('\n', out);
    for (size_t line = 0; room && line < rows + OTHER_LINES - 1; line++) {
        for (size_t i = 0; i < n; i++) {
            size_t used = print_panel_line(&panels[i], line, rows, out, screen);
            if (i + 1 < n) fprintf(out, "%*s", (int)(panels[i].width - used) + GAP, "");
        }
        fputc('\n', out);
    }
    for (size_t i = 0; i < n; i++) canvas_free(panels[i].canvas);
    return room ? rows + OTHER_LINES : 0;
}
