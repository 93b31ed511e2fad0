/* SPDX-License-Identifier: MIT */
/* Sections on the test split: what is confused with what, the worst mistakes, the calibration. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw/png_bytes.h"
#include "draw/svg.h"
#include "job/scores.h"
#include "report/report_page.h"
#include "shell/output.h"

enum {
    MOST_DRAWN = 40,    /* classes of a matrix that is drawn */
    MOST_NUMBERED = 14, /* ... with numbers in its cells */
    MOST_LISTED = 200,  /* classes of a table */
    MOST_SEEN = 25,     /* ... without scrolling */
    MOST_SAVED = 1000,  /* rows of data, beyond the matrix that is drawn */
    MOST_PAIRS = 12,    /* confusions that are listed */
    LARGEST_SIDE = 96   /* of a picture, in pixels */
};

/* ---- Confusion ----------------------------------------------------------------------------- */

/* The number of samples of class k, and of those that were taken for it. */
static uint64_t total(const struct test_figures *t, size_t k, bool predicted)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < t->classes; i++)
        sum += predicted ? t->confusion[i * t->classes + k] : t->confusion[k * t->classes + i];
    return sum;
}

/* The classes that occur or were predicted: (*n), to be freed. */
static size_t *classes_shown(const struct test_figures *t, size_t *n)
{
    size_t *shown = need_memory(t->classes, sizeof *shown);
    *n = 0;
    for (size_t k = 0; k < t->classes; k++)
        if (total(t, k, false) + total(t, k, true) > 0) shown[(*n)++] = k;
    return shown;
}

static void put_matrix(const struct report *report, struct text *out, const size_t *shown, size_t n)
{
    const struct test_figures *t = report->test;
    json_t *data = json_need(json_object()), *columns = json_need(json_array());
    uint64_t most = 1;
    size_t longest = 1;
    for (size_t i = 0; i < n; i++) {
        size_t width = text_width(class_name(report, shown[i]));
        longest = width > longest ? width : longest;
        for (size_t j = 0; j < n; j++) {
            uint64_t count = t->confusion[shown[i] * t->classes + shown[j]];
            if (i != j && count > most) most = count;
        }
    }
    if (longest > 10) longest = 10;
    double left = 24 + 6.9 * (double)longest, size = (354 - left) / (double)n;
    if (size > 60) size = 60;
    bool upright = 6.4 * (double)longest < size; /* names of columns fit above them */
    double top = upright ? 36 : 24 + 6.9 * (double)longest;
    size_t every = (size_t)ceil(10.5 / size);
    char description[256];
    snprintf(description, sizeof description,
             "Rows are the true class, columns the predicted one, of %zu classes.", n);

    json_push(columns, json_text("true class"));
    for (size_t j = 0; j < n; j++) json_push(columns, json_text(class_name(report, shown[j])));
    json_put(data, "columns", columns);
    json_put(data, "rows", json_array());

    figure_begin(out, "confusion-matrix", "Confusion matrix", false);
    svg_begin(out, "confusion-matrix", "plot", 360, top + size * (double)n + 4, "Confusion matrix",
              description);
    text_print(out,
               "<g class=\"axis\"><text x=\"%.1f\" y=\"11\" text-anchor=\"middle\">predicted</text>"
               "<text transform=\"translate(11 %.1f)rotate(-90)\" text-anchor=\"middle\">true"
               "</text>",
               left + size * (double)n / 2, top + size * (double)n / 2);
    for (size_t i = 0; i < n; i += every) {
        char *name = svg_shortened(class_name(report, shown[i]), 10);
        double middle = size * ((double)i + 0.5);
        text_print(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">", left - 5,
                   top + middle + 4);
        text_escape(out, name);
        if (upright)
            text_print(out, "</text><text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">",
                       left + middle, top - 6);
        else
            text_print(out, "</text><text transform=\"translate(%.1f %.1f)rotate(-90)\">",
                       left + middle + 4, top - 5);
        text_escape(out, name);
        text_put(out, "</text>");
        free(name);
    }
    text_put(out, "</g>\n");
    for (size_t i = 0; i < n; i++) {
        json_t *row = data_row(data);
        uint64_t of_class = total(t, shown[i], false);
        json_push(row, json_text(class_name(report, shown[i])));
        for (size_t j = 0; j < n; j++) {
            uint64_t count = t->confusion[shown[i] * t->classes + shown[j]];
            double share = of_class > 0 ? (double)count / (double)of_class : 0;
            double shade = i == j      ? 0.30 * share
                           : count > 0 ? 0.08 + 0.37 * sqrt((double)count / (double)most)
                                       : 0;
            double x = left + size * (double)j, y = top + size * (double)i;
            char tip[512];
            snprintf(tip, sizeof tip, "true %s, predicted %s\n%s, %s of this class",
                     class_name(report, shown[i]), class_name(report, shown[j]),
                     show_several(count, "sample").s, show_percent(share).s);
            json_push(row, json_count(count));
            text_print(out,
                       "<rect class=\"cell %s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                       "height=\"%.1f\" fill-opacity=\"%.2g\"",
                       i == j ? "good" : "bad", x, y, size, size, shade);
            svg_tip(out, tip);
            text_put(out, "/>");
            if (n <= MOST_NUMBERED && count > 0)
                text_print(out,
                           "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%llu"
                           "</text>",
                           i == j ? "diagonal" : "", x + size / 2, y + size / 2 + 4,
                           (unsigned long long)count);
        }
        text_put(out, "\n");
    }
    text_put(out, "</svg>\n");
    figure_end(out, "confusion-matrix", data);
}

struct pair {
    size_t truth, predicted;
    uint64_t count;
};

/* Falling counts, then rising classes. */
static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    if (x->truth != y->truth) return x->truth < y->truth ? -1 : 1;
    return x->predicted < y->predicted ? -1 : x->predicted > y->predicted;
}

static void put_pairs(const struct report *report, struct text *out)
{
    static const char *const columns[] = {"true class", "predicted", "samples", NULL};
    const struct test_figures *t = report->test;
    size_t n = 0, k = 0;
    for (size_t i = 0; i < t->classes * t->classes; i++)
        n += t->confusion[i] > 0 && i / t->classes != i % t->classes;
    struct pair *pairs = need_memory(n, sizeof *pairs);
    for (size_t i = 0; i < t->classes * t->classes; i++)
        if (t->confusion[i] > 0 && i / t->classes != i % t->classes)
            pairs[k++] = (struct pair){i / t->classes, i % t->classes, t->confusion[i]};
    qsort(pairs, n, sizeof *pairs, compare_pairs);

    json_t *data = data_new(columns);
    figure_begin(out, "confusions", "Most frequent confusions", false);
    if (n == 0) put_note(out, "None: the network is right about every test sample.");
    if (n > 0)
        text_put(out,
                 "<table class=\"numbers\"><thead><tr><th scope=\"col\">true</th>"
                 "<th scope=\"col\" class=\"name\">predicted</th><th scope=\"col\">samples</th>"
                 "<th scope=\"col\">of the class</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < n && i < MOST_SAVED; i++) {
        json_t *row = data_row(data);
        json_push(row, json_text(class_name(report, pairs[i].truth)));
        json_push(row, json_text(class_name(report, pairs[i].predicted)));
        json_push(row, json_count(pairs[i].count));
        if (i >= MOST_PAIRS) continue;
        double of_class = (double)total(t, pairs[i].truth, false);
        text_put(out, "<tr><th scope=\"row\"><bdi>");
        text_escape(out, class_name(report, pairs[i].truth));
        text_put(out, "</bdi></th><td class=\"name\"><bdi>");
        text_escape(out, class_name(report, pairs[i].predicted));
        text_print(out, "</bdi></td><td>%s</td><td>%s</td></tr>\n", show_count(pairs[i].count).s,
                   show_percent((double)pairs[i].count / of_class).s);
    }
    if (n > 0) text_put(out, "</tbody></table>\n");
    if (n > MOST_PAIRS)
        put_note(out, "%zu other pairs of classes are confused less often.", n - MOST_PAIRS);
    figure_end(out, "confusions", data);
    free(pairs);
}

static void put_classes(const struct report *report, struct text *out, const size_t *shown,
                        size_t n)
{
    static const char *const columns[] = {"class", "precision", "recall", "f1", "samples", NULL};
    const struct test_figures *t = report->test;
    json_t *data = data_new(columns);
    figure_begin(out, "classes", "Each class", false);
    if (n > MOST_SEEN)
        text_put(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
                      "aria-label=\"Each class\">\n");
    text_put(out, "<table class=\"numbers\"><thead><tr><th scope=\"col\">class</th>"
                  "<th scope=\"col\">precision</th><th scope=\"col\">recall</th>"
                  "<th scope=\"col\">F1</th><th scope=\"col\">samples</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < n && i < MOST_SAVED; i++) {
        class_score score = score_class(t->confusion, t->classes, shown[i]);
        json_t *row = data_row(data);
        json_push(row, json_text(class_name(report, shown[i])));
        json_push(row, json_number(score.precision));
        json_push(row, json_number(score.recall));
        json_push(row, json_number(score.f1));
        json_push(row, json_count(score.support));
        if (i >= MOST_LISTED) continue;
        text_put(out, "<tr><th scope=\"row\"><bdi>");
        text_escape(out, class_name(report, shown[i]));
        text_print(out, "</bdi></th><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>\n",
                   show_percent(score.precision).s, show_percent(score.recall).s,
                   show_percent(score.f1).s, show_count(score.support).s);
    }
    text_put(out, n > MOST_SEEN ? "</tbody></table></div>\n" : "</tbody></table>\n");
    put_note(out, "Precision: the part of the samples predicted as the class that belong to it. "
                  "Recall: the part of the samples of the class that are predicted as it. F1: "
                  "their harmonic mean.");
    if (n > MOST_LISTED)
        put_note(out, "%zu more classes are left out; glia eval --json has them.", n - MOST_LISTED);
    figure_end(out, "classes", data);
}

void report_confusion(const struct report *report, struct text *out)
{
    const struct test_figures *t = report->test;
    if (t->confusion == NULL) {
        put_note(out, "The confusion matrix of %zu classes is too large.", t->classes);
        return;
    }
    size_t n, *shown = classes_shown(t, &n);
    text_put(out, "<div class=\"grid\">\n");
    if (n <= MOST_DRAWN) put_matrix(report, out, shown, n);
    put_pairs(report, out);
    put_classes(report, out, shown, n);
    text_put(out, "</div>\n");
    free(shown);
}

/* ---- Mistakes ------------------------------------------------------------------------------ */

/* Adds a sample as an image, smaller by whole factors where it is large: the mean of its pixels. */
static void put_picture(const struct report *report, struct text *out, size_t index)
{
    glia_dataset_info info = report->test->data;
    size_t longer = info.height > info.width ? info.height : info.width;
    size_t by = (longer + LARGEST_SIDE - 1) / LARGEST_SIDE;
    size_t height = (info.height + by - 1) / by, width = (info.width + by - 1) / by;
    bool bytes = info.type == GLIA_TYPE_U8;
    void *x = need_memory(info.features, bytes ? 1 : sizeof(float));
    uint8_t *small = need_memory(height, width);
    double low = 0, high = 255;
    if (glia_dataset_sample(report->dataset, index, x, info.features, NULL, NULL) == GLIA_OK) {
        for (size_t i = 0; !bytes && i < info.features; i++) {
            double value = (double)((float *)x)[i];
            low = i == 0 || value < low ? value : low;
            high = i == 0 || value > high ? value : high;
        }
        for (size_t row = 0; row < height; row++)
            for (size_t column = 0; column < width; column++) {
                double sum = 0, n = 0;
                for (size_t r = row * by; r < (row + 1) * by && r < info.height; r++)
                    for (size_t c = column * by * info.channels;
                         c < (column + 1) * by * info.channels && c < info.width * info.channels;
                         c++) {
                        size_t at = r * info.width * info.channels + c;
                        sum += bytes ? (double)((uint8_t *)x)[at] : (double)((float *)x)[at];
                        n++;
                    }
                double grey = high > low ? 255 * (sum / n - low) / (high - low) : 0;
                small[row * width + column] = (uint8_t)(grey > 0 ? grey < 255 ? grey : 255 : 0);
            }
    }
    text_print(out, "width=\"%zu\" height=\"%zu\" src=\"", width, height);
    text_png(out, small, height, width, NULL);
    text_put(out, "\"");
    free(small);
    free(x);
}

void report_mistakes(const struct report *report, struct text *out)
{
    static const char *const columns[] = {"sample",     "true class",        "predicted",
                                          "confidence", "of the true class", NULL};
    const struct test_figures *t = report->test;
    bool images = t->data.height > 0;
    json_t *data = data_new(columns);
    figure_begin(out, "mistakes", "Wrong predictions", true);
    if (t->n_wrong == 0) put_note(out, "The network is right about every test sample.");
    text_put(out, "<ul class=\"pictures marks\" tabindex=\"0\" aria-label=\"The most confident "
                  "mistakes\">\n");
    for (size_t i = 0; i < t->n_mistakes; i++) {
        const struct mistake *m = &t->mistakes[i];
        const char *truth = class_name(report, m->truth),
                   *predicted = class_name(report, m->predicted);
        char tip[512];
        snprintf(tip, sizeof tip, "test sample %zu\npredicted %s: %s\ntrue %s: %s", m->index,
                 predicted, show_percent((double)m->confidence).s, truth,
                 show_percent((double)m->of_truth).s);
        text_put(out, "<li");
        svg_tip(out, tip);
        text_put(out, ">");
        if (images) {
            text_put(out, "<img ");
            put_picture(report, out, m->index);
            text_put(out, " alt=\"");
            text_escape_print(out, "Test sample %zu", m->index);
            text_put(out, "\">");
        }
        text_put(out, "predicted <bdi class=\"predicted\">");
        text_escape(out, predicted);
        text_print(out, "</bdi> %.1f&nbsp;%%<br>true <bdi>", 100 * (double)m->confidence);
        text_escape(out, truth);
        text_put(out, "</bdi></li>\n");
        json_t *row = data_row(data);
        json_push(row, json_count(m->index));
        json_push(row, json_text(truth));
        json_push(row, json_text(predicted));
        json_push(row, json_rounded((double)m->confidence, 7));
        json_push(row, json_rounded((double)m->of_truth, 7));
    }
    text_put(out, "</ul>\n");
    if (t->n_wrong > 0)
        put_note(out,
                 "The network is wrong about %s of %s test samples. These are the ones with the "
                 "highest confidence, the highest first.",
                 show_count(t->n_wrong).s, show_count(t->metrics.samples).s);
    figure_end(out, "mistakes", data);
}

/* ---- Calibration --------------------------------------------------------------------------- */

static void put_reliability(const struct report *report, struct text *out)
{
    static const char *const columns[] = {"from", "to", "samples", "confidence", "accuracy", NULL};
    static const struct series series[] = {{"perfect", 9, 1, -1, true}, {"bins", 1, 0, 2, false}};
    const struct test_figures *t = report->test;
    const double ends[] = {0, 1};
    struct plot plot = {.x = {"confidence", AXIS_PERCENT, 0, 1, false},
                        .y = {"accuracy", AXIS_PERCENT, 0, 1, false},
                        .series = series,
                        .n_series = 2};
    json_t *data = data_new(columns);
    figure_begin(out, "reliability", "Reliability", false);
    plot_begin(&plot, out, "reliability", "Reliability diagram",
               "Bars of the accuracy of samples grouped by the network's confidence; where it is "
               "well calibrated they end at the diagonal.");
    for (int pass = 0; pass < 2; pass++) { /* bars, then what lies on them */
        for (size_t b = 0; b < CALIBRATION_BINS; b++) {
            const struct calibration_bin *bin = &t->bins[b];
            double from = (double)b / CALIBRATION_BINS, to = (double)(b + 1) / CALIBRATION_BINS;
            double right = (double)bin->right / (double)bin->samples;
            char tip[256];
            if (bin->samples > 0 && pass == 0) plot_bar(&plot, "bar", from, to, 0, right, NULL);
            if (bin->samples > 0 && pass == 1) {
                snprintf(tip, sizeof tip,
                         "confidence %.1f to %.1f %%\n%s\nmean confidence %s\nright %s", 100 * from,
                         100 * to, show_several(bin->samples, "sample").s,
                         show_percent(bin->confidence).s, show_percent(right).s);
                plot_mark(&plot, 1, 2, bin->confidence, right, 3.6, tip);
            }
            if (pass == 0) continue;
            json_t *row = data_row(data);
            json_push(row, json_rounded(from, 6));
            json_push(row, json_rounded(to, 6));
            json_push(row, json_count(bin->samples));
            json_push(row, json_number(bin->samples > 0 ? bin->confidence : NAN));
            json_push(row, json_number(bin->samples > 0 ? right : NAN));
        }
        if (pass == 0) plot_line(&plot, &series[0], ends, ends, 2);
    }
    plot_end(&plot);
    put_note(out,
             "Expected calibration error: %.2f %%, the mean distance between confidence and "
             "accuracy over %d bins, weighted by their samples (Guo et al. 2017). Where a mark is "
             "below the diagonal, the network is too confident.",
             100 * t->calibration_error, CALIBRATION_BINS);
    figure_end(out, "reliability", data);
}

static void put_confidence(const struct report *report, struct text *out)
{
    static const char *const columns[] = {"from", "to", "right", "wrong", NULL};
    static const struct series series[] = {{"right", 0, 0, 0, true}, {"wrong", 1, 1, 2, true}};
    const struct test_figures *t = report->test;
    double x[CALIBRATION_BINS], right[CALIBRATION_BINS], wrong[CALIBRATION_BINS];
    struct plot plot = {.x = {"confidence", AXIS_PERCENT, 0, 1, false},
                        .y = {"samples", AXIS_NUMBER, 1, 0, true},
                        .series = series,
                        .n_series = 2};
    json_t *data = data_new(columns);
    for (size_t b = 0; b < CALIBRATION_BINS; b++) {
        x[b] = ((double)b + 0.5) / CALIBRATION_BINS;
        right[b] = (double)t->bins[b].right;
        wrong[b] = (double)(t->bins[b].samples - t->bins[b].right);
        json_t *row = data_row(data);
        json_push(row, json_rounded((double)b / CALIBRATION_BINS, 6));
        json_push(row, json_rounded((double)(b + 1) / CALIBRATION_BINS, 6));
        json_push(row, json_count(t->bins[b].right));
        json_push(row, json_count(t->bins[b].samples - t->bins[b].right));
    }
    plot_range(&plot.y, right, CALIBRATION_BINS);
    plot_range(&plot.y, wrong, CALIBRATION_BINS);
    plot_round(&plot.y);
    figure_begin(out, "confidence", "Confidence", false);
    plot_begin(&plot, out, "confidence", "Numbers of samples by confidence",
               "Two lines: how many samples the network was right and wrong about, by its "
               "confidence.");
    for (int s = 0; s < 2; s++) {
        plot_line(&plot, &series[s], x, s == 0 ? right : wrong, CALIBRATION_BINS);
        plot_marks(&plot, &series[s], x, s == 0 ? right : wrong, CALIBRATION_BINS);
    }
    for (int s = 0; s < 2; s++)
        for (size_t b = 0; b < CALIBRATION_BINS; b++) {
            char tip[128];
            double n = s == 0 ? right[b] : wrong[b];
            snprintf(tip, sizeof tip, "confidence %.1f to %.1f %%\n%g samples %s",
                     100.0 * (double)b / CALIBRATION_BINS,
                     100.0 * (double)(b + 1) / CALIBRATION_BINS, n, series[s].name);
            plot_hit(&plot, x[b], n, tip);
        }
    plot_end(&plot);
    put_note(out, "The scale is logarithmic; bins without samples have no mark.");
    figure_end(out, "confidence", data);
}

void report_calibration(const struct report *report, struct text *out)
{
    text_put(out, "<div class=\"grid\">\n");
    put_reliability(report, out);
    put_confidence(report, out);
    text_put(out, "</div>\n");
}
