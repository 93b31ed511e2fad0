/* SPDX-License-Identifier: MIT */
/* What came of a sweep: for people, and as JSON, Markdown and CSV. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "job/spread.h"
#include "shell/files.h"
#include "shell/output.h"
#include "shell/quote.h"
#include "sweep/sweep.h"

/* ---- Means ---------------------------------------------------------------------------------- */

/* One run: its own error bar (binomial); several: the standard error of their mean. */
static void sum_up_cell(const struct sweep *s, size_t c)
{
    struct cell *cell = &s->cells[c];
    const struct job *jobs = &s->jobs[c * s->options->seeds];
    const size_t seeds = s->options->seeds;
    double *test = need_memory(4 * seeds, sizeof *test), *validation = test + seeds;
    double *seconds = validation + seeds, *roc_auc = seconds + seeds;
    *cell = (struct cell){.values = cell->values, .test_error = {NAN, NAN, NAN}};
    for (size_t i = 0; i < seeds; i++) {
        cell->failed += jobs[i].state == JOB_FAILED;
        if (jobs[i].state != JOB_DONE) continue;
        test[cell->done] = jobs[i].test_score;
        validation[cell->done] = jobs[i].validation_score;
        roc_auc[cell->done] = jobs[i].roc_auc;
        cell->test_error = jobs[i].test_error;
        seconds[cell->done++] = jobs[i].seconds;
    }
    const spread of_test = spread_of(test, cell->done);
    cell->test_score = of_test.mean;
    if (cell->done > 1) cell->test_error = (error_bar){of_test.error, NAN, NAN};
    cell->roc_auc = spread_of(roc_auc, cell->done).mean;
    cell->validation_score = spread_of(validation, cell->done).mean;
    cell->seconds = spread_of(seconds, cell->done).mean;
    free(test);
}

void sweep_sum_up(struct sweep *s)
{
    double best = -INFINITY;
    s->best = s->n_cells;
    for (size_t c = 0; c < s->n_cells; c++) {
        sum_up_cell(s, c);
        const struct cell *cell = &s->cells[c];
        const double score = s->merit->by_loss ? -cell->validation_score : cell->validation_score;
        if (cell->failed > 0 || !(score > best)) continue;
        best = score;
        s->best = c;
    }
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static json_t *json_value(const char *text)
{
    uint64_t whole;
    double real;
    if (parse_count(text, &whole) && whole <= INT64_MAX) return json_count(whole);
    return parse_real(text, &real) ? json_number(real) : json_text(text);
}

/* "256" or "512,256" as it was asked for, or as it is without asking. */
static json_t *json_hidden(const struct sweep *s, const struct job *job, const struct cell *cell)
{
    const char *text = sweep_value(s, cell, "hidden");
    if (text != NULL) return json_value(text);
    double hidden[GLIA_MAX_LAYERS];
    const size_t n = glia_settings_list(job->options.settings, "hidden", hidden, GLIA_MAX_LAYERS);
    if (n == 1) return json_count((uint64_t)hidden[0]);
    json_t *list = json_need(json_array());
    for (size_t l = 0; l < n; l++) json_push(list, json_count((uint64_t)hidden[l]));
    return list;
}

static json_t *json_cell(const struct sweep *s, size_t c)
{
    const struct cell *cell = &s->cells[c];
    const struct job *jobs = &s->jobs[c * s->options->seeds];
    char activation[1024];
    json_t *o = json_need(json_object()), *runs = json_need(json_array());
    glia_settings_get(jobs->options.settings, "activation", activation, sizeof activation);
    json_put(o, "hidden", json_hidden(s, jobs, cell));
    json_put(o, "activation", json_text(activation));
    for (size_t a = 0; a < s->n_axes; a++)
        if (strcmp(s->axes[a].name, "hidden") != 0 && strcmp(s->axes[a].name, "activation") != 0)
            json_put(o, s->axes[a].name, json_value(cell->values[a]));
    json_put(o, s->merit->test_key, json_number(cell->test_score));
    json_put(o, "standard_error", json_number(cell->test_error.error));
    if (isfinite(cell->test_error.low)) {
        json_put(o, "test_accuracy_low", json_number(cell->test_error.low));
        json_put(o, "test_accuracy_high", json_number(cell->test_error.high));
    }
    if (isfinite(cell->roc_auc)) json_put(o, "test_roc_auc", json_number(cell->roc_auc));
    json_put(o, s->merit->validation_key, json_number(cell->validation_score));
    json_put(o, "seconds", json_number(cell->seconds));
    for (size_t i = 0; i < s->options->seeds; i++) {
        json_t *run = json_need(json_object());
        json_put(run, "run", json_text(jobs[i].name));
        json_put(run, "seed", json_seed(jobs[i].seed));
        json_put(run, s->merit->test_key, json_number(jobs[i].test_score));
        json_put(run, s->merit->validation_key, json_number(jobs[i].validation_score));
        json_put(run, "seconds", json_number(jobs[i].seconds));
        json_put(run, "error", json_text(jobs[i].state == JOB_FAILED ? jobs[i].message : NULL));
        json_push(runs, run);
    }
    json_put(o, "runs", runs);
    return o;
}

json_t *sweep_json(const struct sweep *s)
{
    json_t *o = json_need(json_object()), *cells = json_need(json_array());
    json_put(o, "data", json_text(s->data));
    json_put(o, "folder", json_text(s->folder));
    json_put(o, "seconds", json_number(s->seconds));
    json_put(o, "seed", json_seed(s->options->seed));
    json_put(o, "seeds", json_count(s->options->seeds));
    for (size_t c = 0; c < s->n_cells; c++) json_push(cells, json_cell(s, c));
    json_put(o, "cells", cells);
    json_put(o, "best", s->best < s->n_cells ? json_cell(s, s->best) : json_text(NULL));
    return o;
}

/* ---- Tables --------------------------------------------------------------------------------- */

/* The tables of the second article: percent of the test set, and seconds. */
static const struct {
    const char *hidden, *activation;
    double accuracy, seconds;
} article[] = {
    {"32", "sigmoid", 89.44, 133.137},  {"32", "relu", 39.12, 116.511},
    {"32", "tanh", 71.06, 145.912},     {"64", "sigmoid", 89.98, 170.921},
    {"64", "relu", 64.16, 152.531},     {"64", "tanh", 74.40, 205.702},
    {"128", "sigmoid", 90.32, 255.141}, {"128", "relu", 61.82, 207.650},
    {"128", "tanh", 69.78, 298.367},    {"256", "sigmoid", 91.62, 371.729},
    {"256", "relu", 31.68, 288.749},    {"256", "tanh", 55.06, 448.806},
};

enum figure { TEST, ROC_AUC, VALIDATION, SECONDS, ARTICLE_ACCURACY, ARTICLE_SECONDS, N_FIGURES };

static const char *figure_name(const struct sweep *s, enum figure figure)
{
    const char *const names[N_FIGURES] = {[TEST] = s->merit->test_name,
                                          [ROC_AUC] = "test ROC AUC",
                                          [VALIDATION] = s->merit->validation_name,
                                          [SECONDS] = "seconds of training",
                                          [ARTICLE_ACCURACY] = "the article's test accuracy",
                                          [ARTICLE_SECONDS] = "the article's seconds of training"};
    return names[figure];
}

static double article_figure(const struct sweep *s, const struct cell *cell, bool seconds)
{
    const char *hidden = sweep_value(s, cell, "hidden");
    const char *activation = sweep_value(s, cell, "activation");
    for (size_t i = 0; hidden && activation && i < sizeof article / sizeof *article; i++)
        if (strcmp(hidden, article[i].hidden) == 0 &&
            strcmp(activation, article[i].activation) == 0)
            return seconds ? article[i].seconds : article[i].accuracy / 100;
    return NAN;
}

static words show_figure(const struct sweep *s, const struct cell *cell, enum figure figure)
{
    words w = {"–"};
    if (cell->failed > 0 && figure <= VALIDATION) {
        snprintf(w.s, sizeof w.s, cell->done > 0 ? "%zu failed" : "failed", cell->failed);
        return w;
    }
    double value = NAN;
    switch (figure) {
    case TEST:
        return isfinite(cell->test_score) ? merit_show(s->merit, cell->test_score, cell->test_error)
                                          : w;
    case ROC_AUC:
        return isfinite(cell->roc_auc) ? show_number(cell->roc_auc) : w;
    case VALIDATION:
        return isfinite(cell->validation_score)
                   ? merit_show_validation(s->merit, cell->validation_score)
                   : w;
    case SECONDS:
        value = cell->seconds;
        break;
    case ARTICLE_ACCURACY:
        value = article_figure(s, cell, false);
        return isfinite(value) ? show_percent(value) : w;
    default:
        value = article_figure(s, cell, true);
        break;
    }
    if (isfinite(value)) snprintf(w.s, sizeof w.s, value < 10 ? "%.2f" : "%.1f", value);
    return w;
}

/* Which figures there are to show. */
static bool has_figure(const struct sweep *s, enum figure figure)
{
    if (figure == ARTICLE_ACCURACY || figure == ARTICLE_SECONDS) return s->options->article;
    if (figure != VALIDATION && figure != ROC_AUC) return true;
    for (size_t c = 0; c < s->n_cells; c++)
        if (isfinite(figure == ROC_AUC ? s->cells[c].roc_auc : s->cells[c].validation_score))
            return true;
    return false;
}

/* Where rows of text go: aligned to a terminal, or parted by bars. */
typedef struct sheet {
    FILE *stream;
    bool markdown;
    struct table *table; /* of a terminal */
    size_t n_columns;
} sheet;

static sheet sheet_begin(FILE *stream, bool markdown, const char *title, size_t n_columns,
                         const char *const *headings)
{
    sheet t = {.stream = stream, .markdown = markdown, .n_columns = n_columns};
    if (markdown) {
        fprintf(stream, "### %c%s\n\n|",
                title[0] >= 'a' && title[0] <= 'z' ? title[0] - 32 : title[0], title + 1);
        for (size_t i = 0; i < n_columns; i++) fprintf(stream, " %s |", headings[i]);
        fputs("\n|", stream);
        for (size_t i = 0; i < n_columns; i++) fputs(i == 0 ? "---|" : "---:|", stream);
        return t;
    }
    static char alignment[MOST_SWEPT + N_FIGURES + 1024];
    memset(alignment, 'r', sizeof alignment - 1);
    alignment[0] = 'l';
    alignment[n_columns] = '\0';
    fprintf(stream, "\n%s%s%s\n\n", style_begin(stream, STYLE_BOLD), title, style_end(stream));
    t.table = table_new(alignment, headings);
    return t;
}

static void sheet_row(sheet *t)
{
    if (t->markdown) fputs("\n|", t->stream);
}

static void sheet_add(sheet *t, const char *text)
{
    if (t->markdown)
        fprintf(t->stream, " %s |", text);
    else
        table_add(t->table, STYLE_PLAIN, "%s", text);
}

static void sheet_end(sheet *t)
{
    if (t->markdown) {
        fputs("\n\n", t->stream);
        return;
    }
    table_print(t->table, t->stream, NULL);
    table_free(t->table);
}

/* One figure over two axes: the first one's values are rows, the second one's columns. */
static void write_square(const struct sweep *s, enum figure figure, FILE *stream, bool markdown)
{
    const struct axis *rows = &s->axes[s->varied[0]], *columns = &s->axes[s->varied[1]];
    const char **headings = need_memory(columns->n + 1, sizeof *headings);
    headings[0] = rows->name;
    for (size_t j = 0; j < columns->n; j++) headings[j + 1] = columns->values[j];
    sheet t = sheet_begin(stream, markdown, figure_name(s, figure), columns->n + 1, headings);
    for (size_t i = 0; i < rows->n; i++) {
        sheet_row(&t);
        sheet_add(&t, rows->values[i]);
        for (size_t j = 0; j < columns->n; j++)
            sheet_add(&t, show_figure(s, &s->cells[i * columns->n + j], figure).s);
    }
    sheet_end(&t);
    free(headings);
}

/* A line a cell, with the values of all varied options and all figures. */
static void write_list(const struct sweep *s, FILE *stream, bool markdown)
{
    const char *headings[MOST_SWEPT + N_FIGURES];
    size_t n = 0;
    for (size_t i = 0; i < s->n_varied; i++) headings[n++] = s->axes[s->varied[i]].name;
    if (n == 0) headings[n++] = "data";
    for (enum figure f = TEST; f < N_FIGURES; f++)
        if (has_figure(s, f)) headings[n++] = figure_name(s, f);
    sheet t = sheet_begin(stream, markdown, "cells", n, headings);
    for (size_t c = 0; c < s->n_cells; c++) {
        sheet_row(&t);
        for (size_t i = 0; i < s->n_varied; i++) sheet_add(&t, s->cells[c].values[s->varied[i]]);
        if (s->n_varied == 0) sheet_add(&t, s->data);
        for (enum figure f = TEST; f < N_FIGURES; f++)
            if (has_figure(s, f)) sheet_add(&t, show_figure(s, &s->cells[c], f).s);
    }
    sheet_end(&t);
}

/* Few enough columns that a reader compares them at a glance. */
static bool is_square(const struct sweep *s)
{
    enum { MOST_COLUMNS = 12 };
    return s->n_varied == 2 && s->options->random == 0 && s->axes[s->varied[1]].n <= MOST_COLUMNS;
}

static void write_tables(const struct sweep *s, FILE *stream, bool markdown)
{
    if (!is_square(s)) {
        write_list(s, stream, markdown);
        return;
    }
    for (enum figure f = TEST; f < N_FIGURES; f++)
        if (has_figure(s, f)) write_square(s, f, stream, markdown);
}

/* "--hidden 256 --activation relu" */
static void write_cell(const struct sweep *s, const struct cell *cell, FILE *stream)
{
    for (size_t i = 0; i < s->n_varied; i++)
        fprintf(stream, "%s--%s %s", i > 0 ? " " : "", s->axes[s->varied[i]].name,
                cell->values[s->varied[i]]);
}

static void write_end(const struct sweep *s, FILE *stream)
{
    if (s->best < s->n_cells && s->n_varied > 0) {
        fputs("Best on the validation samples: ", stream);
        write_cell(s, &s->cells[s->best], stream);
        fputs(".\n", stream);
    }
    fprintf(stream, "%zu run%s in %s", s->n_jobs, s->n_jobs == 1 ? "" : "s",
            show_duration(s->seconds).s);
    double article_seconds = 0;
    for (size_t i = 0; i < sizeof article / sizeof *article; i++)
        article_seconds += article[i].seconds;
    if (s->options->article) fprintf(stream, "; the article's twelve took %.0f s", article_seconds);
    fputs(".\n", stream);
}

void sweep_print(const struct sweep *s)
{
    write_tables(s, stdout, false);
    fputc('\n', stdout);
    write_end(s, stdout);
    printf("The results are in ");
    print_clean(stdout, s->folder);
    printf("/; report.html there shows them\n");
}

/* ---- Files ---------------------------------------------------------------------------------- */

static void write_real(FILE *stream, double x)
{
    fputc(',', stream);
    if (isfinite(x)) fprintf(stream, "%.9g", x);
}

static void write_csv(const struct sweep *s, FILE *stream)
{
    for (size_t a = 0; a < s->n_axes; a++) fprintf(stream, "%s,", s->axes[a].name);
    const bool ranks = has_figure(s, ROC_AUC);
    fprintf(stream, "runs,failed,%s,standard_error,%s,seconds%s\n", s->merit->test_key,
            s->merit->validation_key, ranks ? ",test_roc_auc" : "");
    for (size_t c = 0; c < s->n_cells; c++) {
        const struct cell *cell = &s->cells[c];
        for (size_t a = 0; a < s->n_axes; a++) {
            print_csv_field(stream, cell->values[a]);
            fputc(',', stream);
        }
        fprintf(stream, "%zu,%zu", cell->done + cell->failed, cell->failed);
        write_real(stream, cell->test_score);
        write_real(stream, cell->test_error.error);
        write_real(stream, cell->validation_score);
        write_real(stream, cell->seconds);
        if (ranks) write_real(stream, cell->roc_auc);
        fputc('\n', stream);
    }
}

static void write_markdown(const struct sweep *s, FILE *stream)
{
    fprintf(stream, "## Sweep on %s\n\n", s->data);
    write_tables(s, stream, true);
    write_end(s, stream);
}

static bool write_file(const struct sweep *s, const char *name,
                       void (*write)(const struct sweep *, FILE *))
{
    char path[sizeof s->folder + 32], *text = NULL;
    size_t n = 0;
    snprintf(path, sizeof path, "%s/%s", s->folder, name);
    FILE *stream = open_memstream(&text, &n);
    if (stream != NULL) write(s, stream);
    bool good = stream != NULL && fclose(stream) == 0;
    if (!good) complain("%s: cannot be written: out of memory", path);
    good = good && replace_file(path, text, n);
    free(text);
    return good;
}

bool sweep_write(const struct sweep *s)
{
    char path[sizeof s->folder + 32];
    snprintf(path, sizeof path, "%s/results.json", s->folder);
    return replace_json(path, sweep_json(s)) && write_file(s, "table.md", write_markdown) &&
           write_file(s, "table.csv", write_csv);
}
