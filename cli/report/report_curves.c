/* SPDX-License-Identifier: MIT */
/* The curves of a training in its report. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw/svg.h"
#include "report/report_page.h"
#include "shell/output.h"

enum { MOST_STEPS = 240, MOST_EPOCHS = 120 }; /* points of a curve */

struct points {
    double *x, *y; /* (n), owned */
    size_t n;
};

static double field_of(const struct metric *metric, size_t offset)
{
    double value;
    memcpy(&value, (const char *)metric + offset, sizeof value);
    return value;
}

/*
 * A field of the lines, at most so many points: each the mean of as many lines as a point stands
 * for, at the place of their last; or that last line alone, where means would mislead.
 */
static struct points take_points(const struct metrics *metrics, size_t offset, size_t most,
                                 bool means)
{
    size_t group = (metrics->n + most - 1) / most;
    if (group == 0) group = 1;
    struct points points = {need_memory(most + 1, sizeof(double)),
                            need_memory(most + 1, sizeof(double)), 0};
    for (size_t first = 0; first < metrics->n; first += group) {
        size_t end = first + group < metrics->n ? first + group : metrics->n;
        double sum = 0;
        for (size_t i = means ? first : end - 1; i < end; i++)
            sum += field_of(&metrics->of[i], offset);
        points.x[points.n] = metrics->of[end - 1].epoch;
        points.y[points.n++] = means ? sum / (double)(end - first) : sum;
    }
    return points;
}

static bool has_values(const struct points *points)
{
    for (size_t i = 0; i < points->n; i++)
        if (isfinite(points->y[i])) return true;
    return false;
}

static void free_points(struct points *points)
{
    free(points->x);
    free(points->y);
}

struct curve {
    struct series series;
    struct points points;
    bool hits; /* whether its points can be pointed at */
};

/* Curves (n) over epochs in one figure; those without values are left out. */
static void put_curves(struct text *out, const char *id, const char *heading, const char *y_label,
                       enum axis_form form, struct curve *curves, size_t n, const char *note)
{
    static const char *const columns[] = {"series", "epoch", "value", NULL};
    struct series series[4];
    struct plot plot = {.x = {"epoch", AXIS_NUMBER, 0, 0, false},
                        .y = {y_label, form, 1, 0, false},
                        .series = series};
    size_t there = 0;
    for (size_t i = 0; i < n; i++) {
        if (!has_values(&curves[i].points)) continue;
        curves[there] = curves[i];
        series[there] = curves[i].series;
        plot_range(&plot.x, curves[i].points.x, curves[i].points.n);
        plot_range(&plot.y, curves[i].points.y, curves[i].points.n);
        there++;
    }
    if (there == 0) return;
    plot.n_series = there;
    plot.y.log = form == AXIS_NUMBER && plot.y.from > 1e-100 && plot.y.to > 30 * plot.y.from;
    if (form == AXIS_NUMBER && !plot.y.log && plot.y.from > 0) plot.y.from = 0;
    plot_round(&plot.y);
    if (!(plot.x.to > 0)) plot.x.to = 1;
    if (plot.x.to >= 2) plot.x.form = AXIS_WHOLE;

    char description[512];
    snprintf(description, sizeof description,
             "A line plot over %g epochs, from %.4g to %.4g; %zu series.", plot.x.to, plot.y.from,
             plot.y.to, there);
    json_t *data = data_new(columns);
    figure_begin(out, id, heading, false);
    plot_begin(&plot, out, id, heading, description);
    for (size_t i = 0; i < there; i++) {
        const struct points *p = &curves[i].points;
        plot_line(&plot, &series[i], p->x, p->y, p->n);
        plot_marks(&plot, &series[i], p->x, p->y, p->n);
    }
    for (size_t i = 0; i < there; i++) {
        const struct points *p = &curves[i].points;
        for (size_t j = 0; j < p->n; j++) {
            char tip[256], value[48];
            snprintf(value, sizeof value, form == AXIS_PERCENT ? "%.2f %%" : "%.4g",
                     p->y[j] * (form == AXIS_PERCENT ? 100 : 1));
            snprintf(tip, sizeof tip, "%s\nepoch %.4g: %s", series[i].name, p->x[j], value);
            if (curves[i].hits) plot_hit(&plot, p->x[j], p->y[j], tip);
            json_t *row = data_row(data);
            json_push(row, json_text(series[i].name));
            json_push(row, json_rounded(p->x[j], 9));
            json_push(row, json_rounded(p->y[j], 9));
        }
    }
    plot_end(&plot);
    if (plot.y.log) put_note(out, "The scale is logarithmic.");
    if (*note != '\0') put_note(out, "%s", note);
    figure_end(out, id, data);
}

#define FIELD(name) offsetof(struct metric, name)

void report_curves(const struct report *report, struct text *out)
{
    const struct report_run *run = report->run;
    static const struct series by_steps = {"training, within epochs", 0, 3, -1, true};
    static const struct series by_epochs = {"training, an epoch", 0, 0, 0, true};
    static const struct series validation = {"validation", 1, 1, 2, true};
    static const struct series rate = {"learning rate", 2, 0, -1, true};
    char note[256] = "";
    double kept = NAN;
    if (run->steps.n == 0 && run->epochs.n == 0) {
        put_note(out, "There is no line in metrics.jsonl yet.");
        return;
    }
    for (size_t i = 0; i < run->epochs.n; i++)
        if (run->epochs.of[i].best && isfinite(run->epochs.of[i].validation_loss))
            kept = run->epochs.of[i].epoch;
    if (isfinite(kept))
        snprintf(note, sizeof note, "The validation loss is lowest after epoch %g.", kept);

    bool fine = run->epochs.n < 10; /* few epochs: what is between them can be pointed at */
    bool stepped = run->steps.n > run->epochs.n; /* else there is nothing within epochs */
    static const struct metrics none;
    const struct metrics *steps = stepped ? &run->steps : &none;
    struct curve loss[] = {
        {by_steps, take_points(steps, FIELD(train_loss), MOST_STEPS, true), fine},
        {by_epochs, take_points(&run->epochs, FIELD(train_loss), MOST_EPOCHS, false), true},
        {validation, take_points(&run->epochs, FIELD(validation_loss), MOST_EPOCHS, false), true},
    };
    struct curve accuracy[] = {
        {by_steps, take_points(steps, FIELD(train_accuracy), MOST_STEPS, true), fine},
        {by_epochs, take_points(&run->epochs, FIELD(train_accuracy), MOST_EPOCHS, false), true},
        {validation, take_points(&run->epochs, FIELD(validation_accuracy), MOST_EPOCHS, false),
         true},
    };
    struct curve rates[] = {
        {rate,
         take_points(stepped ? &run->steps : &run->epochs, FIELD(lr),
                     stepped ? MOST_STEPS : MOST_EPOCHS, false),
         true},
    };
    struct curve rmse[] = {
        {by_steps, take_points(steps, FIELD(train_rmse), MOST_STEPS, true), fine},
        {by_epochs, take_points(&run->epochs, FIELD(train_rmse), MOST_EPOCHS, false), true},
        {validation, take_points(&run->epochs, FIELD(validation_rmse), MOST_EPOCHS, false), true},
    };
    enum { N_CURVES = 10 };
    struct points owned[N_CURVES] = {
        loss[0].points,     loss[1].points, loss[2].points, accuracy[0].points, accuracy[1].points,
        accuracy[2].points, rmse[0].points, rmse[1].points, rmse[2].points,     rates[0].points};
    char mean_loss[64];
    snprintf(mean_loss, sizeof mean_loss, "mean %s", loss_name(report));

    text_put(out, "<div class=\"grid\">\n");
    put_curves(out, "loss", "Loss", mean_loss, AXIS_NUMBER, loss, 3, note);
    put_curves(out, "accuracy", "Accuracy", "accuracy", AXIS_PERCENT, accuracy, 3, "");
    put_curves(out, "rmse", "Root mean squared error", "RMSE", AXIS_NUMBER, rmse, 3, "");
    put_curves(out, "rate", "Learning rate", "learning rate", AXIS_NUMBER, rates, 1, "");
    text_put(out, "</div>\n");
    put_note(out,
             "Loss and accuracy of the training samples are measured just before the step that "
             "learns from them; those of an epoch belong to a network that is changing.");
    for (size_t i = 0; i < N_CURVES; i++) free_points(&owned[i]);
}
