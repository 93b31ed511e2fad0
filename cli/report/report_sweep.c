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
#include "report/report_sweep_parts.h"
#include "shell/files.h"
#include "shell/output.h"

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

const json_t *sweep_cell_value(const struct sweep_page *s, size_t cell, const char *key)
{
    return json_object_get(json_array_get(s->cells, cell), key);
}

double sweep_cell_number(const struct sweep_page *s, size_t cell, const char *key)
{
    const json_t *value = sweep_cell_value(s, cell, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* Where a value stands among those of its option; n if it is not kept. */
size_t sweep_value_index(const struct varied *v, const json_t *value)
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
            const json_t *value = sweep_cell_value(s, c, key);
            differs = differs || !json_equal(value, first);
            v.numbers = v.numbers && json_is_number(value);
            if (json_is_number(value)) {
                v.from = fmin(v.from, json_number_value(value));
                v.to = fmax(v.to, json_number_value(value));
            }
            if (v.n < MOST_VALUES && sweep_value_index(&v, value) == v.n) v.values[v.n++] = value;
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
void sweep_show_value(const json_t *value, char *text, size_t size)
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
void sweep_show_cell(const struct sweep_page *s, size_t cell, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t v = 0; v < s->n_varied && used + 64 < size; v++) {
        char value[64];
        sweep_show_value(sweep_cell_value(s, cell, s->varied[v].name), value, sizeof value);
        used += (size_t)snprintf(text + used, size - used, "%s%.20s %s", v > 0 ? ", " : "",
                                 s->varied[v].name, value);
    }
}

static void show_test(const struct sweep_page *s, size_t cell, char *text, size_t size)
{
    const double score = sweep_cell_number(s, cell, s->merit->test_key);
    const error_bar bar = error_bar_in(json_array_get(s->cells, cell), "standard_error");
    snprintf(text, size, "%s", isfinite(score) ? merit_show(s->merit, score, bar).s : "failed");
}

/* A name as a heading. */
words sweep_title_of(const char *name)
{
    words title;
    snprintf(title.s, sizeof title.s, "%s", name);
    if (title.s[0] >= 'a' && title.s[0] <= 'z') title.s[0] = (char)(title.s[0] - 32);
    return title;
}

/* The least and the largest of a figure over the cells; false if there is none. */
bool sweep_find_range(const struct sweep_page *s, const char *key, double *from, double *to)
{
    *from = INFINITY;
    *to = -INFINITY;
    for (size_t c = 0; c < s->n; c++) {
        const double value = sweep_cell_number(s, c, key);
        if (!isfinite(value)) continue;
        *from = fmin(*from, value);
        *to = fmax(*to, value);
    }
    return *from <= *to;
}

/* ---- Summary and table ---------------------------------------------------------------------- */

static void write_summary(const struct sweep_page *s, struct text *out)
{
    char value[128], more[256];
    double from, to;
    text_put(out, "<ul class=\"cards\">\n");
    size_t runs = 0;
    for (size_t c = 0; c < s->n; c++) runs += json_array_size(sweep_cell_value(s, c, "runs"));
    snprintf(more, sizeof more, "%zu run%s", runs, runs == 1 ? "" : "s");
    put_card(out, "Cells", show_count(s->n).s, more);
    if (sweep_find_range(s, s->merit->test_key, &from, &to)) {
        if (s->merit->percent)
            snprintf(value, sizeof value, "%.2f to %.2f %%", 100 * from, 100 * to);
        else
            snprintf(value, sizeof value, "%s to %s", show_number(from).s, show_number(to).s);
        put_card(out, sweep_title_of(s->merit->test_name).s, value, "over all cells");
    }
    if (sweep_find_range(s, roc_auc_key, &from, &to)) {
        snprintf(value, sizeof value, "%s to %s", show_number(from).s, show_number(to).s);
        put_card(out, "Test ROC AUC", value, "over all cells");
    }
    const json_t *best = json_object_get(s->results, "best");
    for (size_t c = 0; c < s->n && json_is_object(best); c++)
        if (json_equal(json_array_get(s->cells, c), best)) {
            show_test(s, c, value, sizeof value);
            sweep_show_cell(s, c, more, sizeof more);
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
    const bool validated = sweep_find_range(s, s->merit->validation_key, &from, &to);
    const bool ranks = sweep_find_range(s, roc_auc_key, &from, &to);
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
            sweep_show_value(sweep_cell_value(s, c, s->varied[v].name), text, sizeof text);
            json_push(row, json_text(text));
            if (c >= MOST_ROWS) continue;
            text_put(out, v == 0 ? "<tr><th scope=\"row\">" : "<td>");
            text_escape(out, text);
            text_put(out, v == 0 ? "</th>" : "</td>");
        }
        for (size_t f = 0; f < n_figures; f++)
            json_push(row, json_rounded(sweep_cell_number(s, c, figures[f]), 9));
        if (c >= MOST_ROWS) continue;
        if (s->n_varied == 0) text_put(out, "<tr><th scope=\"row\">all</th>");
        show_test(s, c, text, sizeof text);
        text_put(out, "<td>");
        text_escape(out, text);
        text_put(out, "</td>");
        if (ranks)
            text_print(out, "<td>%s</td>", show_number(sweep_cell_number(s, c, roc_auc_key)).s);
        if (validated)
            text_print(out, "<td>%s</td>",
                       merit_show_validation(s->merit, sweep_cell_number(s, c, figures[2])).s);
        text_print(out, "<td>%.2f</td></tr>\n", sweep_cell_number(s, c, "seconds"));
    }
    text_put(out, "</tbody></table>\n");
    if (s->n > MOST_ROWS)
        put_note(out, "The first %d of %zu cells; the button CSV saves all of them.",
                 (int)MOST_ROWS, s->n);
    figure_end(out, "cells", data);
}

/* ---- The page ------------------------------------------------------------------------------- */

int report_sweep_write(const char *folder, struct text *page)
{
    static const struct {
        const char *id, *heading;
        void (*write)(const struct sweep_page *s, struct text *out);
    } sections[] = {{"summary", "Summary", write_summary},
                    {"table", "Results", write_table},
                    {"heat", "Heat maps", sweep_write_heat_maps},
                    {"lines", "Options and results", sweep_write_parallel},
                    {"time", "Test score against time", sweep_write_against_time}};
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
