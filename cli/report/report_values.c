/* SPDX-License-Identifier: MIT */
/*
 * Sections on the test split of values: predicted against true, residuals, the error by range; and
 * of two classes: the ROC curve and the curve of precision and recall.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw/svg.h"
#include "report/report_page.h"
#include "shell/output.h"

enum {
    MOST_MARKS = 300,   /* samples of a plot */
    MOST_PLOTTED = 4,   /* targets with plots of their own */
    MOST_LISTED = 200,  /* targets of a table */
    RANGES = 8,         /* of a target, each with as many samples */
    CURVE_POINTS = 160, /* of a curve */
    CURVE_HITS = 40     /* points that can be pointed at */
};

/* ---- Values -------------------------------------------------------------------------------- */

/* A target's values on the test split, borrowed. */
struct values {
    const struct test_figures *t;
    size_t target;
};

static double truth_of(const struct values *v, size_t sample)
{
    return v->t->true_values[sample * v->t->classes + v->target];
}

static double prediction_of(const struct values *v, size_t sample)
{
    return v->t->predicted_values[sample * v->t->classes + v->target];
}

/* "Residuals", or of one of several targets "Residuals of NAME", to be freed. */
static char *heading_of(const struct report *report, const char *what, size_t target)
{
    char heading[4 * NAME_CHARACTERS + 64];
    if (report->test->classes == 1) return need_copy(what);
    snprintf(heading, sizeof heading, "%s of %s", what, class_name(report, target));
    return need_copy(heading);
}

/* Marks of samples that are evenly spread over the split; the values are those of the plot. */
static void put_samples(const struct report *report, const struct values *v, struct plot *plot,
                        bool residuals, json_t *data)
{
    const size_t n = report->test->data.samples, shown = n < MOST_MARKS ? n : MOST_MARKS;
    for (size_t i = 0; i < shown; i++) {
        const size_t sample = i * n / shown;
        const double truth = truth_of(v, sample), predicted = prediction_of(v, sample);
        if (!isfinite(predicted)) continue;
        char tip[192];
        snprintf(tip, sizeof tip, "test sample %zu\ntrue %s\npredicted %s\nresidual %s", sample,
                 show_number(truth).s, show_number(predicted).s, show_number(predicted - truth).s);
        plot_mark(plot, 0, 0, residuals ? predicted : truth,
                  residuals ? predicted - truth : predicted, 2.4, tip);
        json_t *row = data_row(data);
        json_push(row, json_count(sample));
        json_push(row, json_rounded(truth, 9));
        json_push(row, json_rounded(predicted, 9));
        json_push(row, json_rounded(predicted - truth, 9));
    }
}

static void put_scatter(const struct report *report, const struct values *v, struct text *out,
                        bool residuals)
{
    static const char *const columns[] = {"sample", "true", "predicted", "residual", NULL};
    static const struct series series[] = {{"samples", 0, 0, 0, false}, {"", 9, 1, -1, true}};
    const size_t n = v->t->data.samples;
    struct series named[] = {series[0], series[1]};
    struct plot plot = {
        .x = {residuals ? "predicted" : "true", AXIS_NUMBER, 1, 0, false},
        .y = {residuals ? "predicted - true" : "predicted", AXIS_NUMBER, 1, 0, false},
        .series = named,
        .n_series = 2};
    char id[40], description[256];
    named[1].name = residuals ? "no error" : "predicted = true";
    snprintf(id, sizeof id, "%s-%zu", residuals ? "residuals" : "predicted", v->target);
    double *x = need_memory(n, sizeof *x), *y = need_memory(n, sizeof *y);
    for (size_t i = 0; i < n; i++) {
        x[i] = residuals ? prediction_of(v, i) : truth_of(v, i);
        y[i] = residuals ? prediction_of(v, i) - truth_of(v, i) : prediction_of(v, i);
    }
    plot_range(&plot.x, x, n);
    plot_range(&plot.y, y, n);
    if (!residuals) { /* both axes alike, so that the diagonal is one */
        plot_range(&plot.x, y, n);
        plot_range(&plot.y, x, n);
    } else {
        const double none = 0;
        plot_range(&plot.y, &none, 1);
    }
    plot_round(&plot.x);
    plot_round(&plot.y);
    free(x);
    free(y);
    const double ends[] = {plot.x.from, plot.x.to}, zeros[] = {0, 0};
    char *heading =
        heading_of(report, residuals ? "Residuals" : "Predicted against true", v->target);
    snprintf(description, sizeof description,
             "A mark for each of %zu test samples, from %.4g to %.4g across and from %.4g to %.4g "
             "upwards; %s.",
             n < MOST_MARKS ? n : (size_t)MOST_MARKS, plot.x.from, plot.x.to, plot.y.from,
             plot.y.to,
             residuals ? "without error a mark lies on the line at 0"
                       : "without error a mark lies on the diagonal");
    json_t *data = data_new(columns);
    figure_begin(out, id, heading, false);
    plot_begin(&plot, out, id, heading, description);
    plot_line(&plot, &named[1], ends, residuals ? zeros : ends, 2);
    put_samples(report, v, &plot, residuals, data);
    plot_end(&plot);
    if (n > MOST_MARKS)
        put_note(out, "%d of %s test samples are drawn.", MOST_MARKS, show_count(n).s);
    figure_end(out, id, data);
    free(heading);
}

struct pair_of_values {
    double truth, predicted;
};

static int by_truth(const void *a, const void *b)
{
    const double x = ((const struct pair_of_values *)a)->truth;
    const double y = ((const struct pair_of_values *)b)->truth;
    return (x > y) - (x < y);
}

/* The error in ranges of the target that have as many samples each. */
static void put_ranges(const struct report *report, const struct values *v, struct text *out)
{
    static const char *const columns[] = {"from", "to", "samples", "rmse", "mean error", NULL};
    const size_t n = v->t->data.samples, ranges = n / 5 < RANGES ? (n + 4) / 5 : RANGES;
    struct pair_of_values *pairs = need_memory(n, sizeof *pairs);
    char id[40], *heading = heading_of(report, "Error by range", v->target);
    for (size_t i = 0; i < n; i++)
        pairs[i] = (struct pair_of_values){truth_of(v, i), prediction_of(v, i)};
    qsort(pairs, n, sizeof *pairs, by_truth);
    snprintf(id, sizeof id, "ranges-%zu", v->target);
    json_t *data = data_new(columns);
    figure_begin(out, id, heading, false);
    text_put(out, "<table class=\"numbers\"><thead><tr><th scope=\"col\">true value</th>"
                  "<th scope=\"col\">samples</th><th scope=\"col\">RMSE</th>"
                  "<th scope=\"col\">mean error</th></tr></thead><tbody>\n");
    for (size_t r = 0, first = 0, end; r < ranges && first < n; r++, first = end) {
        double squares = 0, sum = 0;
        end = (r + 1) * n / ranges > first ? (r + 1) * n / ranges : first + 1;
        while (end < n && pairs[end].truth == pairs[end - 1].truth) end++; /* equal ones together */
        for (size_t i = first; i < end; i++) {
            const double d = pairs[i].predicted - pairs[i].truth;
            squares += d * d;
            sum += d;
        }
        const double count = (double)(end - first), from = pairs[first].truth;
        const double to = pairs[end - 1].truth;
        text_print(out,
                   "<tr><th scope=\"row\">%s to %s</th><td>%s</td><td>%s</td><td>%s</td></tr>\n",
                   show_number(from).s, show_number(to).s, show_count(end - first).s,
                   show_number(sqrt(squares / count)).s, show_number(sum / count).s);
        json_t *row = data_row(data);
        json_push(row, json_rounded(from, 9));
        json_push(row, json_rounded(to, 9));
        json_push(row, json_count(end - first));
        json_push(row, json_rounded(sqrt(squares / count), 9));
        json_push(row, json_rounded(sum / count, 9));
    }
    text_put(out, "</tbody></table>\n");
    put_note(out, "The test samples are ordered by their true value and divided into parts of the "
                  "same size. Where the mean error is above 0, the predictions are too high.");
    figure_end(out, id, data);
    free(heading);
    free(pairs);
}

/* Each of several targets on its own, in its own unit. */
static void put_targets(const struct report *report, struct text *out)
{
    static const char *const of_values[] = {"target", "RMSE", "MAE", "R2", NULL};
    static const char *const of_labels[] = {"label", "accuracy", "ROC AUC", "AP", NULL};
    const struct test_figures *t = report->test;
    const bool values = t->data.task == GLIA_TASK_VALUES;
    const char *const *columns = values ? of_values : of_labels;
    json_t *data = data_new(columns);
    figure_begin(out, "targets", values ? "Each target" : "Each label", false);
    text_put(out, "<table class=\"numbers\"><thead><tr>");
    for (size_t i = 0; columns[i] != NULL; i++)
        text_print(out, "<th scope=\"col\">%s</th>", columns[i]);
    text_put(out, "</tr></thead><tbody>\n");
    for (size_t c = 0; c < t->classes && c < MOST_LISTED; c++) {
        const glia_metrics *m = &t->targets[c];
        const double figures[] = {values ? m->rmse : m->accuracy, values ? m->mae : m->roc_auc,
                                  values ? m->r2 : m->average_precision};
        json_t *row = data_row(data);
        json_push(row, json_text(class_name(report, c)));
        text_put(out, "<tr><th scope=\"row\"><bdi>");
        text_escape(out, class_name(report, c));
        text_put(out, "</bdi></th>");
        for (size_t i = 0; i < 3; i++) {
            json_push(row, json_rounded(figures[i], 9));
            text_print(out, "<td>%s</td>",
                       !values && i == 0 ? show_percent(figures[i]).s : show_number(figures[i]).s);
        }
        text_put(out, "</tr>\n");
    }
    text_put(out, "</tbody></table>\n");
    if (t->classes > MOST_LISTED)
        put_note(out, "%zu more are left out; glia eval --json has them.",
                 t->classes - MOST_LISTED);
    figure_end(out, "targets", data);
}

void report_values(const struct report *report, struct text *out)
{
    const struct test_figures *t = report->test;
    const bool values = t->data.task == GLIA_TASK_VALUES;
    if (t->data.task == GLIA_TASK_CLASSES || (!values && t->classes == 1)) return;
    text_put(out, "<div class=\"grid\">\n");
    if (t->classes > 1) put_targets(report, out);
    for (size_t c = 0; values && c < t->classes && c < MOST_PLOTTED; c++) {
        const struct values v = {t, c};
        put_scatter(report, &v, out, false);
        put_scatter(report, &v, out, true);
        put_ranges(report, &v, out);
    }
    text_put(out, "</div>\n");
    if (values && t->classes > MOST_PLOTTED)
        put_note(out, "The first %d of %zu targets are drawn.", MOST_PLOTTED, t->classes);
}

/* ---- Two classes --------------------------------------------------------------------------- */

/* A point for each threshold at which something changes, at most so many. */
struct threshold_curve {
    double threshold[CURVE_POINTS + 2];
    double found[CURVE_POINTS + 2];     /* the recall, or true positive rate */
    double mistaken[CURVE_POINTS + 2];  /* the false positive rate */
    double precision[CURVE_POINTS + 2]; /* NAN where nothing is found */
    size_t n;
    double share; /* of the samples that are to be found */
};

static struct threshold_curve curve_of(const struct test_figures *t)
{
    struct threshold_curve curve = {.threshold = {1}, .precision = {NAN}, .n = 1};
    const size_t n = t->data.samples;
    size_t positives = 0, hits = 0, alarms = 0;
    for (size_t i = 0; i < n; i++) positives += t->scored[i].has;
    const double p = (double)positives, rest = (double)(n - positives);
    curve.share = p / (double)n;
    for (size_t i = 0, next; i < n; i = next) {
        for (next = i; next < n && t->scored[next].score == t->scored[i].score; next++) {
            hits += t->scored[next].has;
            alarms += !t->scored[next].has;
        }
        /* a point when the curves have gone on by one part of all that they go */
        const double way = (double)hits / p + (double)alarms / rest;
        if (next < n && way * CURVE_POINTS / 2 < (double)curve.n) continue;
        if (curve.n == CURVE_POINTS + 2) curve.n--;
        curve.threshold[curve.n] = (double)t->scored[i].score;
        curve.found[curve.n] = (double)hits / p;
        curve.mistaken[curve.n] = (double)alarms / rest;
        curve.precision[curve.n++] = (double)hits / (double)(hits + alarms);
    }
    return curve;
}

static void put_curve(const struct report *report, struct text *out,
                      const struct threshold_curve *curve, bool roc)
{
    static const char *const of_roc[] = {"threshold", "false positive rate", "true positive rate",
                                         NULL};
    static const char *const of_precision[] = {"threshold", "recall", "precision", NULL};
    const struct series series[] = {{"network", 0, 0, -1, true}, {"chance", 9, 1, -1, true}};
    const char *id = roc ? "roc" : "precision-recall";
    const char *heading = roc ? "ROC curve" : "Precision and recall";
    const double *x = roc ? curve->mistaken : curve->found;
    const double *y = roc ? curve->found : curve->precision;
    const double ends[] = {0, 1}, shares[] = {curve->share, curve->share};
    struct plot plot = {.x = {roc ? "false positive rate" : "recall", AXIS_PERCENT, 0, 1, false},
                        .y = {roc ? "true positive rate" : "precision", AXIS_PERCENT, 0, 1, false},
                        .series = series,
                        .n_series = 2};
    json_t *data = data_new(roc ? of_roc : of_precision);
    figure_begin(out, id, heading, false);
    plot_begin(
        &plot, out, id, heading,
        roc ? "The part of the samples of the class that is found, against the part of the "
              "others that is taken for it, over all thresholds."
            : "The part of what is found that is of the class, against the part of the class "
              "that is found, over all thresholds.");
    plot_line(&plot, &series[1], ends, roc ? ends : shares, 2);
    plot_line(&plot, &series[0], x, y, curve->n);
    const size_t every = (curve->n + CURVE_HITS - 1) / CURVE_HITS;
    for (size_t i = 0; i < curve->n; i++) {
        char tip[192];
        snprintf(tip, sizeof tip, "from a probability of %s\n%s %s\n%s %s",
                 show_percent(curve->threshold[i]).s, plot.x.label, show_percent(x[i]).s,
                 plot.y.label, show_percent(y[i]).s);
        if (i % every == 0 || i + 1 == curve->n) plot_hit(&plot, x[i], y[i], tip);
        json_t *row = data_row(data);
        json_push(row, json_rounded(curve->threshold[i], 7));
        json_push(row, json_rounded(x[i], 7));
        json_push(row, json_rounded(y[i], 7));
    }
    plot_end(&plot);
    const glia_metrics *m = &report->test->metrics;
    if (roc)
        put_note(out,
                 "The positive class is \"%s\". Area under the curve (ROC AUC): %s; by chance it "
                 "is 0.5.",
                 class_name(report, 1), show_number(m->roc_auc).s);
    else
        put_note(out, "Average precision (AP): %s; by chance it is %s, the share of \"%s\".",
                 show_number(m->average_precision).s, show_number(curve->share).s,
                 class_name(report, 1));
    figure_end(out, id, data);
}

void report_ranking(const struct report *report, struct text *out)
{
    const struct test_figures *t = report->test;
    if (t->scored == NULL || !isfinite(t->metrics.roc_auc)) return;
    const struct threshold_curve curve = curve_of(t);
    text_put(out, "<div class=\"grid\">\n");
    put_curve(report, out, &curve, true);
    put_curve(report, out, &curve, false);
    text_put(out, "</div>\n");
}
