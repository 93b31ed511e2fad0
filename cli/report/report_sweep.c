/* SPDX-License-Identifier: MIT */
/*
 * Reads results.json of a sweep. What varied is found in the cells themselves: the options whose
 * values are not the same in all of them.
 */
#include "report/report_sweep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "draw/svg.h"
#include "job/merit.h"
#include "job/run_folder.h"
#include "report/report_page.h"
#include "shell/files.h"
#include "shell/output.h"

enum {
    MOST_CELLS = 100000,
    MOST_VARIED = 16,
    MOST_ROWS = 500,    /* of the table */
    MOST_LINES = 300,   /* of parallel coordinates, and marks of a plot */
    MOST_VALUES = 40,   /* of an option, in a heat map */
    MOST_KINDS = 8,     /* colours and shapes of marks */
    LONGEST_VALUE = 24, /* characters */
};

/* An option that varied, and its values in the order in which they come. */
struct varied {
    const char *name;
    const json_t *values[MOST_VALUES]; /* borrowed; the first so many */
    size_t n;
    bool numbers; /* all of them are */
    double from, to;
    bool log;
};

struct sweep_page {
    json_t *results;
    const json_t *cells;
    size_t n;
    const merit *merit;
    struct varied varied[MOST_VARIED];
    size_t n_varied;
};

/* ---- Reading -------------------------------------------------------------------------------- */

bool report_is_sweep(const char *folder)
{
    char path[LONGEST_PATH];
    struct stat status;
    run_folder_file(folder, "sweep.json", path, sizeof path);
    return stat(path, &status) == 0;
}

static bool is_result(const char *key)
{
    static const char *const results[] = {"test_accuracy",
                                          "test_r2",
                                          "standard_error",
                                          "test_accuracy_low",
                                          "test_accuracy_high",
                                          "test_roc_auc",
                                          "validation_accuracy",
                                          "validation_loss",
                                          "seconds",
                                          "runs"};
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        if (strcmp(key, results[i]) == 0) return true;
    return false;
}

static const json_t *cell_value(const struct sweep_page *s, size_t cell, const char *key)
{
    return json_object_get(json_array_get(s->cells, cell), key);
}

static double cell_number(const struct sweep_page *s, size_t cell, const char *key)
{
    const json_t *value = cell_value(s, cell, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* Where a value stands among those of its option; n if it is not kept. */
static size_t value_index(const struct varied *v, const json_t *value)
{
    for (size_t i = 0; i < v->n; i++)
        if (json_equal(v->values[i], value)) return i;
    return v->n;
}

static void find_varied(struct sweep_page *s)
{
    const char *key;
    json_t *first;
    json_object_foreach(json_array_get(s->cells, 0), key, first)
    {
        struct varied v = {.name = key, .numbers = true, .from = INFINITY, .to = -INFINITY};
        bool differs = false;
        for (size_t c = 0; c < s->n; c++) {
            const json_t *value = cell_value(s, c, key);
            differs = differs || !json_equal(value, first);
            v.numbers = v.numbers && json_is_number(value);
            if (json_is_number(value)) {
                v.from = fmin(v.from, json_number_value(value));
                v.to = fmax(v.to, json_number_value(value));
            }
            if (v.n < MOST_VALUES && value_index(&v, value) == v.n) v.values[v.n++] = value;
        }
        v.log = v.numbers && v.from > 0 && v.to >= 8 * v.from;
        if (differs && !is_result(key) && s->n_varied < MOST_VARIED) s->varied[s->n_varied++] = v;
    }
}

static int read_results(const char *folder, struct sweep_page *s)
{
    char path[LONGEST_PATH];
    struct stat status;
    json_error_t wrong;
    run_folder_file(folder, "results.json", path, sizeof path);
    if (stat(path, &status) != 0) {
        complain("%s: the sweep is not finished; the command that began it goes on with --resume",
                 folder);
        return EXIT_FAILED;
    }
    s->results = json_load_file(path, 0, &wrong);
    if (s->results == NULL) {
        complain("%s: line %d: %s", path, wrong.line, wrong.text);
        return EXIT_FAILED;
    }
    s->cells = json_object_get(s->results, "cells");
    s->n = json_array_size(s->cells);
    for (size_t c = 0; c < s->n; c++)
        if (!json_is_object(json_array_get(s->cells, c))) s->n = 0;
    if (s->n == 0 || s->n > MOST_CELLS) {
        complain("%s: \"cells\": expected a list of 1 to %d objects", path, (int)MOST_CELLS);
        return EXIT_FAILED;
    }
    s->merit = merit_in(json_array_get(s->cells, 0));
    find_varied(s);
    return EXIT_DONE;
}

/* A value as text, cut to a few characters. */
static void show_value(const json_t *value, char *text, size_t size)
{
    char whole[256] = "";
    if (json_is_string(value)) {
        char *shorter = svg_shortened(json_string_value(value), LONGEST_VALUE);
        snprintf(whole, sizeof whole, "%s", shorter);
        free(shorter);
    } else if (json_is_integer(value)) {
        snprintf(whole, sizeof whole, "%lld", (long long)json_integer_value(value));
    } else if (json_is_real(value)) {
        snprintf(whole, sizeof whole, "%.4g", json_real_value(value));
    } else if (json_is_array(value)) {
        for (size_t i = 0, used = 0; i < json_array_size(value) && used + 24 < sizeof whole; i++)
            used += (size_t)snprintf(whole + used, sizeof whole - used, "%s%lld", i > 0 ? "," : "",
                                     (long long)json_integer_value(json_array_get(value, i)));
    }
    snprintf(text, size, "%s", whole);
}

/* "hidden 256, activation relu" */
static void show_cell(const struct sweep_page *s, size_t cell, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t v = 0; v < s->n_varied && used + 64 < size; v++) {
        char value[64];
        show_value(cell_value(s, cell, s->varied[v].name), value, sizeof value);
        used += (size_t)snprintf(text + used, size - used, "%s%.20s %s", v > 0 ? ", " : "",
                                 s->varied[v].name, value);
    }
}

static void show_test(const struct sweep_page *s, size_t cell, char *text, size_t size)
{
    const double score = cell_number(s, cell, s->merit->test_key);
    const error_bar bar = error_bar_in(json_array_get(s->cells, cell), "standard_error");
    snprintf(text, size, "%s", isfinite(score) ? merit_show(s->merit, score, bar).s : "failed");
}

/* A name as a heading. */
static words title_of(const char *name)
{
    words title;
    snprintf(title.s, sizeof title.s, "%s", name);
    if (title.s[0] >= 'a' && title.s[0] <= 'z') title.s[0] = (char)(title.s[0] - 32);
    return title;
}

/* The least and the largest of a figure over the cells; false if there is none. */
static bool find_range(const struct sweep_page *s, const char *key, double *from, double *to)
{
    *from = INFINITY;
    *to = -INFINITY;
    for (size_t c = 0; c < s->n; c++) {
        const double value = cell_number(s, c, key);
        if (!isfinite(value)) continue;
        *from = fmin(*from, value);
        *to = fmax(*to, value);
    }
    return *from <= *to;
}

static const char roc_auc_key[] = "test_roc_auc";

/* ---- Summary and table ---------------------------------------------------------------------- */

static void write_summary(const struct sweep_page *s, struct text *out)
{
    char value[128], more[256];
    double from, to;
    text_put(out, "<ul class=\"cards\">\n");
    size_t runs = 0;
    for (size_t c = 0; c < s->n; c++) runs += json_array_size(cell_value(s, c, "runs"));
    snprintf(more, sizeof more, "%zu run%s", runs, runs == 1 ? "" : "s");
    put_card(out, "Cells", show_count(s->n).s, more);
    if (find_range(s, s->merit->test_key, &from, &to)) {
        if (s->merit->percent)
            snprintf(value, sizeof value, "%.2f to %.2f %%", 100 * from, 100 * to);
        else
            snprintf(value, sizeof value, "%s to %s", show_number(from).s, show_number(to).s);
        put_card(out, title_of(s->merit->test_name).s, value, "over all cells");
    }
    if (find_range(s, roc_auc_key, &from, &to)) {
        snprintf(value, sizeof value, "%s to %s", show_number(from).s, show_number(to).s);
        put_card(out, "Test ROC AUC", value, "over all cells");
    }
    const json_t *best = json_object_get(s->results, "best");
    for (size_t c = 0; c < s->n && json_is_object(best); c++)
        if (json_equal(json_array_get(s->cells, c), best)) {
            show_test(s, c, value, sizeof value);
            show_cell(s, c, more, sizeof more);
            put_card(out, "Best on the validation samples", value, more);
        }
    put_card(out, "Time", show_duration(run_number(s->results, "seconds")).s,
             "for the whole sweep");
    text_put(out, "</ul>\n");
}

static void write_table(const struct sweep_page *s, struct text *out)
{
    json_t *data = json_need(json_object()), *columns = json_need(json_array());
    double from, to;
    const bool validated = find_range(s, s->merit->validation_key, &from, &to);
    const bool ranks = find_range(s, roc_auc_key, &from, &to);
    const char *const figures[] = {s->merit->test_key, "standard_error", s->merit->validation_key,
                                   "seconds", roc_auc_key};
    const size_t n_figures = ranks ? 5 : 4;
    for (size_t v = 0; v < s->n_varied; v++) json_push(columns, json_text(s->varied[v].name));
    for (size_t f = 0; f < n_figures; f++) json_push(columns, json_text(figures[f]));
    json_put(data, "columns", columns);
    json_put(data, "rows", json_array());

    figure_begin(out, "cells", "Cells", true);
    text_put(out, "<table class=\"numbers\"><thead><tr>");
    for (size_t v = 0; v < s->n_varied; v++) {
        text_put(out, "<th scope=\"col\">");
        text_escape(out, s->varied[v].name);
        text_put(out, "</th>");
    }
    if (s->n_varied == 0) text_put(out, "<th scope=\"col\">cell</th>");
    text_print(out, "<th scope=\"col\">%s</th>", s->merit->test_name);
    if (ranks) text_put(out, "<th scope=\"col\">test ROC AUC</th>");
    if (validated) text_print(out, "<th scope=\"col\">%s</th>", s->merit->validation_name);
    text_put(out, "<th scope=\"col\">seconds</th></tr></thead><tbody>\n");
    for (size_t c = 0; c < s->n; c++) {
        char text[128];
        json_t *row = data_row(data);
        for (size_t v = 0; v < s->n_varied; v++) {
            show_value(cell_value(s, c, s->varied[v].name), text, sizeof text);
            json_push(row, json_text(text));
            if (c >= MOST_ROWS) continue;
            text_put(out, v == 0 ? "<tr><th scope=\"row\">" : "<td>");
            text_escape(out, text);
            text_put(out, v == 0 ? "</th>" : "</td>");
        }
        for (size_t f = 0; f < n_figures; f++)
            json_push(row, json_rounded(cell_number(s, c, figures[f]), 9));
        if (c >= MOST_ROWS) continue;
        if (s->n_varied == 0) text_put(out, "<tr><th scope=\"row\">all</th>");
        show_test(s, c, text, sizeof text);
        text_put(out, "<td>");
        text_escape(out, text);
        text_put(out, "</td>");
        if (ranks) text_print(out, "<td>%s</td>", show_number(cell_number(s, c, roc_auc_key)).s);
        if (validated)
            text_print(out, "<td>%s</td>",
                       merit_show_validation(s->merit, cell_number(s, c, figures[2])).s);
        text_print(out, "<td>%.2f</td></tr>\n", cell_number(s, c, "seconds"));
    }
    text_put(out, "</tbody></table>\n");
    if (s->n > MOST_ROWS)
        put_note(out, "The first %d of %zu cells; the button CSV saves all of them.",
                 (int)MOST_ROWS, s->n);
    figure_end(out, "cells", data);
}

/* ---- Heat maps ------------------------------------------------------------------------------ */

/* A figure over the first two options that varied; the mean of the cells that share their values.
 */
static void put_heat_map(const struct sweep_page *s, struct text *out, const char *id,
                         const char *heading, const char *key, bool percent, const char *unit)
{
    const struct varied *rows = &s->varied[0], *columns = &s->varied[1];
    const size_t n_rows = rows->n, n_columns = columns->n;
    double *sum = need_memory(n_rows * n_columns, sizeof *sum);
    size_t *count = need_memory(n_rows * n_columns, sizeof *count);
    for (size_t c = 0; c < s->n; c++) {
        const size_t i = value_index(rows, cell_value(s, c, rows->name));
        const size_t j = value_index(columns, cell_value(s, c, columns->name));
        const double value = cell_number(s, c, key);
        if (i == n_rows || j == n_columns || !isfinite(value)) continue;
        sum[i * n_columns + j] += value;
        count[i * n_columns + j]++;
    }
    double from = INFINITY, to = -INFINITY;
    for (size_t i = 0; i < n_rows * n_columns; i++) {
        if (count[i] == 0) continue;
        sum[i] /= (double)count[i];
        from = fmin(from, sum[i]);
        to = fmax(to, sum[i]);
    }

    const char *const names[] = {rows->name, columns->name, key, NULL};
    const double left = 96, top = 40, width = fmin(84, 372 / (double)n_columns), height = 34;
    const bool numbered = width >= 44;
    char text[128], description[256];
    json_t *data = data_new(names);
    snprintf(description, sizeof description,
             "A heat map: rows are %.40s, columns %.40s; darker is more. The values are in the "
             "cells.",
             rows->name, columns->name);
    figure_begin(out, id, heading, false);
    svg_begin(out, id, "plot", left + width * (double)n_columns + 12,
              top + height * (double)n_rows + 6, heading, description);
    text_put(out, "<g class=\"axis\">");
    text_print(out, "<text x=\"%.1f\" y=\"12\" text-anchor=\"middle\">",
               left + width * (double)n_columns / 2);
    text_escape(out, columns->name);
    text_print(out, "</text><text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">", left - 6, top - 8);
    text_escape(out, rows->name);
    text_put(out, "</text>");
    for (size_t j = 0; j < n_columns; j++) {
        show_value(columns->values[j], text, sizeof text);
        char *shorter = svg_shortened(text, width >= 60 ? 12 : 6);
        text_print(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">",
                   left + width * ((double)j + 0.5), top - 8);
        text_escape(out, shorter);
        text_put(out, "</text>");
        free(shorter);
    }
    for (size_t i = 0; i < n_rows; i++) {
        show_value(rows->values[i], text, sizeof text);
        char *shorter = svg_shortened(text, 13);
        text_print(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">", left - 6,
                   top + height * ((double)i + 0.5) + 4);
        text_escape(out, shorter);
        text_put(out, "</text>");
        free(shorter);
    }
    text_put(out, "</g>\n");
    for (size_t i = 0; i < n_rows; i++)
        for (size_t j = 0; j < n_columns; j++) {
            const size_t at = i * n_columns + j;
            const double value = count[at] > 0 ? sum[at] : NAN;
            const double share = to > from ? (value - from) / (to - from) : 0.5;
            char row_text[64], column_text[64], number[64] = "\xe2\x80\x93", tip[384];
            show_value(rows->values[i], row_text, sizeof row_text);
            show_value(columns->values[j], column_text, sizeof column_text);
            if (isfinite(value))
                snprintf(number, sizeof number,
                         percent       ? "%.2f"
                         : value < 1   ? "%.3f"
                         : value < 100 ? "%.2f"
                                       : "%.0f",
                         percent ? 100 * value : value);
            snprintf(tip, sizeof tip, "%.40s %s, %.40s %s\n%s%s", rows->name, row_text,
                     columns->name, column_text, number, unit);
            text_print(out,
                       "<rect class=\"cell good\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                       "height=\"%.1f\" fill-opacity=\"%.2g\"",
                       left + width * (double)j, top + height * (double)i, width, height,
                       isfinite(value) ? 0.04 + 0.41 * share : 0);
            svg_tip(out, tip);
            text_put(out, "/>");
            if (numbered)
                text_print(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n",
                           left + width * ((double)j + 0.5), top + height * ((double)i + 0.5) + 4,
                           number);
            json_t *row = data_row(data);
            json_push(row, json_text(row_text));
            json_push(row, json_text(column_text));
            json_push(row, json_rounded(value, 9));
        }
    text_put(out, "</svg>\n");
    if (s->n_varied > 2)
        put_note(out, "Each value is the mean over the other options that varied.");
    figure_end(out, id, data);
    free(sum);
    free(count);
}

static void write_heat_maps(const struct sweep_page *s, struct text *out)
{
    if (s->n_varied < 2 || s->varied[0].n * s->varied[1].n > 2 * s->n) return;
    text_put(out, "<div class=\"grid\">\n");
    if (s->merit->percent)
        put_heat_map(s, out, "heat-accuracy", "Test accuracy, %", s->merit->test_key, true, " %");
    else
        put_heat_map(s, out, "heat-score", title_of(s->merit->test_name).s, s->merit->test_key,
                     false, "");
    double from, to;
    if (find_range(s, roc_auc_key, &from, &to))
        put_heat_map(s, out, "heat-roc-auc", "Test ROC AUC", roc_auc_key, false, "");
    put_heat_map(s, out, "heat-seconds", "Training time, s", "seconds", false, " s");
    text_put(out, "</div>\n");
}

/* ---- Parallel coordinates ------------------------------------------------------------------- */

/* Where a cell's value lies on the axis of an option, from 0 at the bottom to 1. */
static double place(const struct sweep_page *s, size_t cell, const struct varied *v)
{
    const json_t *value = cell_value(s, cell, v->name);
    if (!v->numbers) {
        const size_t i = value_index(v, value);
        return v->n > 1 ? (double)(i < v->n ? i : v->n - 1) / (double)(v->n - 1) : 0.5;
    }
    const double x = json_number_value(value);
    return v->log ? log(x / v->from) / log(v->to / v->from) : (x - v->from) / (v->to - v->from);
}

static void put_tick(struct text *out, double x, double y, const char *text, bool right)
{
    text_print(out, "<text class=\"over\" x=\"%.1f\" y=\"%.1f\"%s>", x + (right ? 6 : -6), y + 4,
               right ? "" : " text-anchor=\"end\"");
    text_escape(out, text);
    text_put(out, "</text>");
}

static void write_parallel(const struct sweep_page *s, struct text *out)
{
    enum { WIDTH = 720, HEIGHT = 300, TOP = 34, LEFT = 86, RIGHT = 70 };
    double from, to;
    const size_t n = s->n < MOST_LINES ? s->n : MOST_LINES, last = s->n_varied;
    if (last == 0 || !find_range(s, s->merit->test_key, &from, &to)) return;
    const double step = (double)(WIDTH - LEFT - RIGHT) / (double)last;
    json_t *data = json_need(json_object()), *columns = json_need(json_array());
    for (size_t v = 0; v < last; v++) json_push(columns, json_text(s->varied[v].name));
    json_push(columns, json_text(s->merit->test_key));
    json_put(data, "columns", columns);
    json_put(data, "rows", json_array());

    figure_begin(out, "parallel", "Parallel coordinates", true);
    svg_begin(out, "parallel", "plot large", WIDTH, HEIGHT + TOP + 22, "Parallel coordinates",
              "A line for each cell, through its values of the options that varied, to its test "
              "score on the right; dashed lines end in its lower half.");
    for (size_t c = 0; c < n; c++) {
        const double score = cell_number(s, c, s->merit->test_key);
        char cell[512], tip[640];
        json_t *row = data_row(data);
        for (size_t v = 0; v < last; v++) {
            show_value(cell_value(s, c, s->varied[v].name), cell, sizeof cell);
            json_push(row, json_text(cell));
        }
        json_push(row, json_rounded(score, 9));
        if (!isfinite(score)) continue;
        const double share = to > from ? (score - from) / (to - from) : 1;
        text_print(out, "<path class=\"l %s\" stroke-opacity=\"%.2f\" d=\"",
                   share > 0.5 ? "c0" : "d1 c1", 0.25 + 1.2 * fabs(share - 0.5));
        for (size_t v = 0; v <= last; v++) {
            const double y = v < last ? place(s, c, &s->varied[v]) : share;
            text_print(out, "%s%.1f %.1f", v == 0 ? "M" : "L", LEFT + step * (double)v,
                       TOP + HEIGHT * (1 - y));
        }
        text_put(out, "\"/>\n");
        show_cell(s, c, cell, sizeof cell);
        snprintf(tip, sizeof tip, "%s\n%s %s", cell, s->merit->test_name,
                 merit_show_short(s->merit, score).s);
        text_print(out, "<circle class=\"h\" cx=\"%.1f\" cy=\"%.1f\" r=\"6\"",
                   LEFT + step * (double)last, TOP + HEIGHT * (1 - share));
        svg_tip(out, tip);
        text_put(out, "/>\n");
    }
    text_put(out, "<g class=\"axis\">");
    for (size_t v = 0; v <= last; v++) {
        const double x = LEFT + step * (double)v;
        char text[64];
        text_print(out,
                   "<path d=\"M%.1f %dV%d\"/><text x=\"%.1f\" y=\"14\" text-anchor=\"middle\">", x,
                   (int)TOP, TOP + HEIGHT, x);
        text_escape(out, v < last ? s->varied[v].name : s->merit->test_name);
        text_put(out, "</text>");
        if (v == last) {
            put_tick(out, x, TOP, merit_show_short(s->merit, to).s, true);
            if (to > from) put_tick(out, x, TOP + HEIGHT, merit_show_short(s->merit, from).s, true);
            continue;
        }
        const struct varied *axis = &s->varied[v];
        for (size_t i = 0; i < axis->n; i++) { /* of many numbers the ends alone */
            if (axis->numbers && axis->n > 8) {
                const double value = json_number_value(axis->values[i]);
                if (value > axis->from && value < axis->to) continue;
            }
            double y = axis->n > 1 ? (double)i / (double)(axis->n - 1) : 0.5;
            if (axis->numbers) {
                const double value = json_number_value(axis->values[i]);
                y = axis->log ? log(value / axis->from) / log(axis->to / axis->from)
                              : (value - axis->from) / (axis->to - axis->from);
            }
            show_value(axis->values[i], text, sizeof text);
            put_tick(out, x, TOP + HEIGHT * (1 - y), text, false);
        }
    }
    text_put(out, "</g>\n</svg>\n");
    if (s->n > n) put_note(out, "The first %zu of %zu cells.", n, s->n);
    figure_end(out, "parallel", data);
}

/* ---- Accuracy against time ------------------------------------------------------------------ */

static void write_against_time(const struct sweep_page *s, struct text *out)
{
    const char *const columns[] = {"cell", "seconds", s->merit->test_key, NULL};
    char heading[64];
    snprintf(heading, sizeof heading, "%.30s against training time",
             title_of(s->merit->test_name).s);
    const size_t n = s->n < MOST_LINES ? s->n : MOST_LINES;
    double *seconds = need_memory(n, sizeof *seconds), *score = need_memory(n, sizeof *score);
    size_t there = 0;
    for (size_t c = 0; c < n; c++) {
        seconds[c] = cell_number(s, c, "seconds");
        score[c] = cell_number(s, c, s->merit->test_key);
        there += isfinite(score[c]) && isfinite(seconds[c]);
    }
    if (there > 0) {
        struct series kinds[MOST_KINDS];
        char names[MOST_KINDS][96];
        size_t n_kinds = s->n_varied > 0 ? s->varied[0].n : 0;
        if (n_kinds > MOST_KINDS) n_kinds = MOST_KINDS;
        for (size_t k = 0; k < n_kinds; k++) {
            char value[64];
            show_value(s->varied[0].values[k], value, sizeof value);
            snprintf(names[k], sizeof names[k], "%.30s %s", s->varied[0].name, value);
            kinds[k] = (struct series){names[k], (int)k, 0, (int)k, false};
        }
        struct plot plot = {
            .x = {"seconds of training", AXIS_NUMBER, 1, 0, false},
            .y = {s->merit->test_name, s->merit->percent ? AXIS_PERCENT : AXIS_NUMBER, 1, 0, false},
            .series = kinds,
            .n_series = s->n_varied > 0 && s->varied[0].n <= MOST_KINDS ? n_kinds : 0,
            .large = true};
        plot_range(&plot.x, seconds, n);
        plot_range(&plot.y, score, n);
        plot.x.log = plot.x.from > 0 && plot.x.to > 10 * plot.x.from;
        plot_round(&plot.x);
        plot_round(&plot.y);
        json_t *data = data_new(columns);
        figure_begin(out, "against-time", heading, true);
        plot_begin(&plot, out, "against-time", heading,
                   "A mark for each cell. The upper left is best: good, and soon.");
        for (size_t c = 0; c < n; c++) {
            char cell[512], tip[640];
            if (!isfinite(score[c]) || !isfinite(seconds[c])) continue;
            show_cell(s, c, cell, sizeof cell);
            snprintf(tip, sizeof tip, "%s\n%s in %s", cell, merit_show_short(s->merit, score[c]).s,
                     show_duration(seconds[c]).s);
            /* the first option that varied gives shape and colour */
            const size_t kind =
                s->n_varied > 0
                    ? value_index(&s->varied[0], cell_value(s, c, s->varied[0].name)) % MOST_KINDS
                    : 0;
            plot_mark(&plot, (int)kind, (int)kind, seconds[c], score[c], 4.5, tip);
            json_t *row = data_row(data);
            json_push(row, json_text(cell));
            json_push(row, json_rounded(seconds[c], 6));
            json_push(row, json_rounded(score[c], 9));
        }
        plot_end(&plot);
        if (plot.x.log) put_note(out, "The scale of time is logarithmic.");
        figure_end(out, "against-time", data);
    }
    free(seconds);
    free(score);
}

/* ---- The page ------------------------------------------------------------------------------- */

int report_sweep_write(const char *folder, struct text *page)
{
    static const struct {
        const char *id, *heading;
        void (*write)(const struct sweep_page *s, struct text *out);
    } sections[] = {{"summary", "Summary", write_summary},
                    {"table", "Results", write_table},
                    {"heat", "Heat maps", write_heat_maps},
                    {"lines", "Options and results", write_parallel},
                    {"time", "Test score against time", write_against_time}};
    struct sweep_page s = {0};
    const int status = read_results(folder, &s);
    if (status != EXIT_DONE) {
        json_decref(s.results);
        return status;
    }
    char title[256], about[64];
    const char *data = run_text(s.results, "data");
    char *shorter = svg_shortened(data != NULL ? data : "data", 80);
    snprintf(title, sizeof title, "A sweep on %s", shorter);
    free(shorter);
    snprintf(about, sizeof about, "Made by glia %s", glia_version());
    page_begin(page, title, about);
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        struct text section = {0};
        sections[i].write(&s, &section);
        page_section(page, sections[i].id, sections[i].heading, &section);
        text_free(&section);
    }
    page_end(page);
    json_decref(s.results);
    return EXIT_DONE;
}
