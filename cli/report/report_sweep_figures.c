/* SPDX-License-Identifier: MIT */
/* The figures of a sweep: heat maps, parallel coordinates, scores against time. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw/svg.h"
#include "report/report_page.h"
#include "report/report_sweep_parts.h"

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
        const size_t i = sweep_value_index(rows, sweep_cell_value(s, c, rows->name));
        const size_t j = sweep_value_index(columns, sweep_cell_value(s, c, columns->name));
        const double value = sweep_cell_number(s, c, key);
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
        sweep_show_value(columns->values[j], text, sizeof text);
        char *shorter = svg_shortened(text, width >= 60 ? 12 : 6);
        text_print(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">",
                   left + width * ((double)j + 0.5), top - 8);
        text_escape(out, shorter);
        text_put(out, "</text>");
        free(shorter);
    }
    for (size_t i = 0; i < n_rows; i++) {
        sweep_show_value(rows->values[i], text, sizeof text);
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
            sweep_show_value(rows->values[i], row_text, sizeof row_text);
            sweep_show_value(columns->values[j], column_text, sizeof column_text);
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

void sweep_write_heat_maps(const struct sweep_page *s, struct text *out)
{
    if (s->n_varied < 2 || s->varied[0].n * s->varied[1].n > 2 * s->n) return;
    text_put(out, "<div class=\"grid\">\n");
    if (s->merit->percent)
        put_heat_map(s, out, "heat-accuracy", "Test accuracy, %", s->merit->test_key, true, " %");
    else
        put_heat_map(s, out, "heat-score", sweep_title_of(s->merit->test_name).s,
                     s->merit->test_key, false, "");
    double from, to;
    if (sweep_find_range(s, roc_auc_key, &from, &to))
        put_heat_map(s, out, "heat-roc-auc", "Test ROC AUC", roc_auc_key, false, "");
    put_heat_map(s, out, "heat-seconds", "Training time, s", "seconds", false, " s");
    text_put(out, "</div>\n");
}

/* ---- Parallel coordinates ------------------------------------------------------------------- */

/* Where a cell's value lies on the axis of an option, from 0 at the bottom to 1. */
static double place(const struct sweep_page *s, size_t cell, const struct varied *v)
{
    const json_t *value = sweep_cell_value(s, cell, v->name);
    if (!v->numbers) {
        const size_t i = sweep_value_index(v, value);
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

void sweep_write_parallel(const struct sweep_page *s, struct text *out)
{
    enum { WIDTH = 720, HEIGHT = 300, TOP = 34, LEFT = 86, RIGHT = 70 };
    double from, to;
    const size_t n = s->n < MOST_LINES ? s->n : MOST_LINES, last = s->n_varied;
    if (last == 0 || !sweep_find_range(s, s->merit->test_key, &from, &to)) return;
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
        const double score = sweep_cell_number(s, c, s->merit->test_key);
        char cell[512], tip[640];
        json_t *row = data_row(data);
        for (size_t v = 0; v < last; v++) {
            sweep_show_value(sweep_cell_value(s, c, s->varied[v].name), cell, sizeof cell);
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
        sweep_show_cell(s, c, cell, sizeof cell);
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
            sweep_show_value(axis->values[i], text, sizeof text);
            put_tick(out, x, TOP + HEIGHT * (1 - y), text, false);
        }
    }
    text_put(out, "</g>\n</svg>\n");
    if (s->n > n) put_note(out, "The first %zu of %zu cells.", n, s->n);
    figure_end(out, "parallel", data);
}

/* ---- Accuracy against time ------------------------------------------------------------------ */

void sweep_write_against_time(const struct sweep_page *s, struct text *out)
{
    const char *const columns[] = {"cell", "seconds", s->merit->test_key, NULL};
    char heading[64];
    snprintf(heading, sizeof heading, "%.30s against training time",
             sweep_title_of(s->merit->test_name).s);
    const size_t n = s->n < MOST_LINES ? s->n : MOST_LINES;
    double *seconds = need_memory(n, sizeof *seconds), *score = need_memory(n, sizeof *score);
    size_t there = 0;
    for (size_t c = 0; c < n; c++) {
        seconds[c] = sweep_cell_number(s, c, "seconds");
        score[c] = sweep_cell_number(s, c, s->merit->test_key);
        there += isfinite(score[c]) && isfinite(seconds[c]);
    }
    if (there > 0) {
        struct series kinds[MOST_KINDS];
        char names[MOST_KINDS][96];
        size_t n_kinds = s->n_varied > 0 ? s->varied[0].n : 0;
        if (n_kinds > MOST_KINDS) n_kinds = MOST_KINDS;
        for (size_t k = 0; k < n_kinds; k++) {
            char value[64];
            sweep_show_value(s->varied[0].values[k], value, sizeof value);
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
            sweep_show_cell(s, c, cell, sizeof cell);
            snprintf(tip, sizeof tip, "%s\n%s in %s", cell, merit_show_short(s->merit, score[c]).s,
                     show_duration(seconds[c]).s);
            /* the first option that varied gives shape and colour */
            const size_t kind =
                s->n_varied > 0
                    ? sweep_value_index(&s->varied[0], sweep_cell_value(s, c, s->varied[0].name)) %
                          MOST_KINDS
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
