/* SPDX-License-Identifier: MIT */
/* Sections on the inside of the network: weights as images, histograms, units, the projection. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw/png_bytes.h"
#include "draw/svg.h"
#include "report/report_page.h"
#include "shell/output.h"

/* ---- The first layer ----------------------------------------------------------------------- */

enum {
    MOST_UNITS = 64,   /* that are shown */
    LARGEST_SIDE = 32, /* of their images, in pixels */
    SHADES = 63,       /* odd: the one in the middle is 0 */
    MOST_WEIGHTS = 1 << 28
};

/* From dark blue through grey to light yellow: the lightness alone tells the value. */
static struct palette signed_palette(void)
{
    static const double stops[3][3] = {{10, 30, 110}, {128, 132, 138}, {255, 232, 150}};
    struct palette palette = {.n = SHADES};
    for (size_t i = 0; i < SHADES; i++) {
        double at = 2 * (double)i / (SHADES - 1);
        size_t from = at < 1 ? 0 : 1;
        for (size_t c = 0; c < 3; c++)
            palette.rgb[i][c] =
                (uint8_t)(stops[from][c] +
                          (at - (double)from) * (stops[from + 1][c] - stops[from][c]) + 0.5);
    }
    return palette;
}

/* A unit and the sum of the squares of its weights. */
struct unit {
    size_t index;
    double norm;
};

static int compare_norms(const void *a, const void *b)
{
    const struct unit *x = a, *y = b;
    if (x->norm != y->norm) return x->norm > y->norm ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

static int compare_indices(const void *a, const void *b)
{
    const struct unit *x = a, *y = b;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* The units that are shown, in their order: those of the largest weights. To be freed. */
static struct unit *choose_units(const float *weight, glia_layer_info layer, size_t *n)
{
    struct unit *units = need_memory(layer.units, sizeof *units);
    for (size_t u = 0; u < layer.units; u++) {
        units[u].index = u;
        for (size_t i = 0; i < layer.inputs; i++) {
            double w = (double)weight[u * layer.inputs + i];
            units[u].norm += isfinite(w) ? w * w : 0;
        }
    }
    *n = layer.units < MOST_UNITS ? layer.units : MOST_UNITS;
    qsort(units, layer.units, sizeof *units, compare_norms);
    qsort(units, *n, sizeof *units, compare_indices);
    return units;
}

/* Means of the weights w (height, width) over squares of so many a side; returns the largest size.
 */
static double shrink(const float *w, size_t height, size_t width, size_t by, double *small,
                     size_t small_width)
{
    double largest = 0;
    for (size_t row = 0; row * by < height; row++)
        for (size_t column = 0; column * by < width; column++) {
            double sum = 0, n = 0;
            for (size_t r = row * by; r < (row + 1) * by && r < height; r++)
                for (size_t c = column * by; c < (column + 1) * by && c < width; c++, n++)
                    sum += (double)w[r * width + c];
            sum = isfinite(sum) ? sum / n : 0;
            small[row * small_width + column] = sum;
            largest = fabs(sum) > largest ? fabs(sum) : largest;
        }
    return largest;
}

static void put_scale(struct text *out, const struct palette *palette)
{
    uint8_t shades[SHADES];
    for (size_t i = 0; i < SHADES; i++) shades[i] = (uint8_t)i;
    text_put(out, "<div class=\"scale-row\"><span>negative</span><img alt=\"Dark is negative, grey "
                  "is 0, light is positive\" width=\"63\" height=\"1\" src=\"");
    text_png(out, shades, 1, SHADES, palette);
    text_put(out, "\"><span>positive</span></div>\n");
}

void report_weights(const struct report *report, struct text *out)
{
    static const char *const columns[] = {"unit", "row", "weights from left to right", NULL};
    const glia_network *network = report->run->network;
    glia_network_info info = glia_network_describe(network);
    glia_layer_info layer = glia_network_layer(network, 0);
    if (info.height == 0 || info.height * info.width != layer.inputs) return;
    if (layer.units > MOST_WEIGHTS / layer.inputs) {
        put_note(out, "The layer is too large to be shown.");
        return;
    }
    float *weight = need_memory(layer.units * layer.inputs, sizeof *weight);
    glia_network_get_layer(network, 0, weight, layer.units * layer.inputs, NULL, 0, NULL);
    size_t n, longer = info.height > info.width ? info.height : info.width;
    size_t by = (longer + LARGEST_SIDE - 1) / LARGEST_SIDE;
    size_t height = (info.height + by - 1) / by, width = (info.width + by - 1) / by;
    double *small = need_memory(height, width * sizeof *small);
    uint8_t *pixels = need_memory(height, width);
    struct unit *units = choose_units(weight, layer, &n);
    struct palette palette = signed_palette();
    json_t *data = data_new(columns);

    figure_begin(out, "weights", "Weights of the first layer", true);
    put_scale(out, &palette);
    text_put(out, "<ul class=\"pictures small marks\" tabindex=\"0\" aria-label=\"Weights of the "
                  "units of the first layer\">\n");
    for (size_t i = 0; i < n; i++) {
        size_t u = units[i].index;
        char name[128], tip[256];
        double largest =
            shrink(weight + u * layer.inputs, info.height, info.width, by, small, width);
        for (size_t p = 0; p < height * width; p++) {
            double at = largest > 0 ? (small[p] / largest + 1) / 2 * (SHADES - 1) : SHADES / 2;
            pixels[p] = (uint8_t)(at + 0.5);
        }
        if (info.layers == 1)
            snprintf(name, sizeof name, "%s", class_name(report, u));
        else
            snprintf(name, sizeof name, "%zu", u);
        snprintf(tip, sizeof tip, "%s %s\nlargest weight shown %.3g\nnorm %.3g",
                 info.layers == 1 ? "class" : "unit", name, largest, sqrt(units[i].norm));
        text_put(out, "<li");
        svg_tip(out, tip);
        text_print(out, "><img width=\"%zu\" height=\"%zu\" alt=\"\" src=\"", width, height);
        text_png(out, pixels, height, width, &palette);
        text_put(out, "\"><bdi>");
        text_escape(out, name);
        text_put(out, "</bdi></li>\n");
        for (size_t r = 0; r < height; r++) {
            json_t *row = data_row(data);
            json_push(row, json_count(u));
            json_push(row, json_count(r));
            for (size_t c = 0; c < width; c++)
                json_push(row, json_rounded(small[r * width + c], 3));
        }
    }
    text_put(out, "</ul>\n");
    put_note(out, "Each image shows the weights of one unit, each at the place of its input; the "
                  "scale ends at the largest weight of the unit.");
    if (n < layer.units)
        put_note(out, "These are the %zu of %s units with the largest weights.", n,
                 show_count(layer.units).s);
    figure_end(out, "weights", data);
    free(units);
    free(pixels);
    free(small);
    free(weight);
}

/* ---- Histograms ---------------------------------------------------------------------------- */

enum {
    MOST_RIDGES = 6, /* epochs that are shown */
    MOST_BINS = 32,  /* of a histogram that is shown; of one that is read 4096 */
    MOST_LAYERS = 6
};

/* The part of all values that each bin between min and max has. */
struct histogram {
    double epoch, min, max;
    size_t n;
    double share[MOST_BINS];
};

/* Reads {"min", "max", "counts"}, joining bins until there are few; false where there is none. */
static bool read_histogram(const json_t *json, struct histogram *h)
{
    const json_t *counts = json_object_get(json, "counts");
    size_t n = json_array_size(counts), by = (n + MOST_BINS - 1) / MOST_BINS;
    double sum = 0;
    h->min = run_number(json, "min");
    h->max = run_number(json, "max");
    if (n == 0 || n > 4096 || !(h->min <= h->max)) return false;
    while (n % by != 0) by++; /* bins of equal width */
    h->n = n / by;
    memset(h->share, 0, sizeof h->share);
    for (size_t i = 0; i < n; i++) {
        double count = json_number_value(json_array_get(counts, i));
        if (!(count >= 0)) return false;
        h->share[i / by] += count;
        sum += count;
    }
    for (size_t i = 0; i < h->n; i++) h->share[i] = sum > 0 ? h->share[i] / sum : 0;
    return true;
}

/* The epochs that are shown: evenly spread, with the first and the last. Returns their number. */
static size_t choose_epochs(size_t n, size_t *chosen)
{
    size_t shown = n < MOST_RIDGES ? n : MOST_RIDGES;
    for (size_t i = 0; i < shown; i++) chosen[i] = shown > 1 ? i * (n - 1) / (shown - 1) : 0;
    return shown;
}

/* Histograms (n) one above the other, each standing at its epoch. */
static void put_ridges(struct text *out, const char *id, const char *heading, const char *label,
                       const struct histogram *h, size_t n)
{
    static const char *const columns[] = {"epoch", "from", "to", "share", NULL};
    struct plot plot = {.x = {label, AXIS_NUMBER, 1, 0, false},
                        .y = {"epoch", AXIS_WHOLE, h[0].epoch, h[n - 1].epoch, false}};
    double most = 0, spacing = n > 1 ? (plot.y.to - plot.y.from) / (double)(n - 1) : 1;
    char description[256];
    json_t *data = data_new(columns);
    for (size_t k = 0; k < n; k++) {
        double width = (h[k].max - h[k].min) / (double)h[k].n;
        plot_range(&plot.x, &h[k].min, 1);
        plot_range(&plot.x, &h[k].max, 1);
        for (size_t i = 0; i < h[k].n; i++) {
            double density = width > 1e-100 ? h[k].share[i] / width : 1;
            most = density > most ? density : most;
        }
    }
    plot_round(&plot.x);
    plot.y.to += (n > 1 ? 1.7 : 1.05) * spacing;
    snprintf(description, sizeof description,
             "Histograms of %zu epochs, one above the other; values from %.3g to %.3g.", n,
             plot.x.from, plot.x.to);
    figure_begin(out, id, heading, false);
    plot_begin(&plot, out, id, heading, description);
    for (size_t k = n; k-- > 0;) { /* later ones are higher, and behind */
        double width = (h[k].max - h[k].min) / (double)h[k].n, x = h[k].min;
        text_print(out, "<path class=\"ridge c0\" d=\"M%.1f %.1f", plot_x(&plot, h[k].min),
                   plot_y(&plot, h[k].epoch));
        for (size_t i = 0; i < h[k].n; i++) {
            double density = width > 1e-100 ? h[k].share[i] / width : 1;
            double y = h[k].epoch +
                       1.6 * spacing * sqrt(density / (most > 0 ? most : 1)) * (n > 1 ? 1 : 0.6);
            x = h[k].min + width * (double)i;
            text_print(out, "L%.1f %.1fL%.1f %.1f", plot_x(&plot, x), plot_y(&plot, y),
                       plot_x(&plot, x + width), plot_y(&plot, y));
        }
        text_print(out, "L%.1f %.1f\"/>\n", plot_x(&plot, h[k].max), plot_y(&plot, h[k].epoch));
    }
    for (size_t k = 0; k < n; k++) {
        double width = (h[k].max - h[k].min) / (double)h[k].n;
        for (size_t i = 0; i < h[k].n; i++) {
            double density = width > 1e-100 ? h[k].share[i] / width : 1;
            double y = h[k].epoch +
                       1.6 * spacing * sqrt(density / (most > 0 ? most : 1)) * (n > 1 ? 1 : 0.6);
            double from = h[k].min + width * (double)i;
            char tip[160];
            snprintf(tip, sizeof tip, "epoch %g\n%.3g to %.3g\n%.2f %% of the values", h[k].epoch,
                     from, from + width, 100 * h[k].share[i]);
            plot_hit(&plot, from + width / 2, y, tip);
            json_t *row = data_row(data);
            json_push(row, json_count((uint64_t)h[k].epoch));
            json_push(row, json_rounded(from, 6));
            json_push(row, json_rounded(from + width, 6));
            json_push(row, json_rounded(h[k].share[i], 6));
        }
    }
    plot_end(&plot);
    figure_end(out, id, data);
}

void report_histograms(const struct report *report, struct text *out)
{
    static const char *const what[] = {"weights", "activations"};
    const struct report_run *run = report->run;
    size_t chosen[MOST_RIDGES], n = choose_epochs(run->epochs.n, chosen), layers = 0;
    json_t *lines[MOST_RIDGES];
    for (size_t k = 0; k < n; k++) {
        lines[k] = run_epoch(run, chosen[k]);
        size_t there = json_array_size(run_value(lines[k], "histograms"));
        layers = there > layers ? there : layers;
    }
    size_t shown = layers < MOST_LAYERS ? layers : MOST_LAYERS;
    if (shown > 0) text_put(out, "<div class=\"grid\">\n");
    for (size_t l = 0; l < shown; l++)
        for (size_t w = 0; w < 2; w++) {
            struct histogram h[MOST_RIDGES];
            size_t there = 0;
            for (size_t k = 0; k < n; k++) {
                const json_t *of_layer = json_array_get(run_value(lines[k], "histograms"), l);
                h[there].epoch = run->epochs.of[chosen[k]].epoch;
                if (isfinite(h[there].epoch) &&
                    (there == 0 || h[there].epoch > h[there - 1].epoch) &&
                    read_histogram(json_object_get(of_layer, what[w]), &h[there]))
                    there++;
            }
            char id[48], heading[96];
            snprintf(id, sizeof id, "%s-%zu", what[w], l + 1);
            snprintf(heading, sizeof heading, "Layer %zu%s: %s", l + 1,
                     l + 1 == layers ? ", the output" : "", what[w]);
            if (there > 0)
                put_ridges(out, id, heading, w == 0 ? "weight" : "output of a unit", h, there);
        }
    if (shown > 0) {
        text_put(out, "</div>\n");
        put_note(out, "Heights are square roots of densities, so that rare values are visible. "
                      "Activations are those of 256 training samples.");
    }
    if (shown < layers) put_note(out, "%zu more layers are left out.", layers - shown);
    for (size_t k = 0; k < n; k++) json_decref(lines[k]);
}

/* ---- Units --------------------------------------------------------------------------------- */

void report_units(const struct report *report, struct text *out)
{
    static const char *const columns[] = {"layer",     "units", "activation", "dead",
                                          "saturated", "zeros", NULL};
    const struct test_figures *t = report->test;
    const glia_network *network = report->run->network;
    size_t layers = glia_network_describe(network).layers;
    if (layers < 2 || t->n_looked == 0) return;
    json_t *data = data_new(columns);
    figure_begin(out, "units", "Hidden layers", true);
    text_put(out, "<table class=\"numbers\"><thead><tr><th scope=\"col\">layer</th>"
                  "<th scope=\"col\" class=\"word\">activation</th><th scope=\"col\">units</th>"
                  "<th scope=\"col\">dead</th><th scope=\"col\">saturated</th>"
                  "<th scope=\"col\">zeros</th></tr></thead><tbody>\n");
    for (size_t l = 0; l + 1 < layers; l++) {
        glia_layer_info layer = glia_network_layer(network, l);
        const struct layer_state *state = &t->layers[l];
        char name[64];
        snprintf(name, sizeof name, "%s%s", layer.batch_norm ? "batch norm, " : "",
                 glia_activation_name(layer.activation));
        text_print(out,
                   "<tr><th scope=\"row\">%zu</th><td class=\"word\">%s</td><td>%s</td><td>%s</td>"
                   "<td>%s</td><td>%s</td></tr>\n",
                   l + 1, name, show_count(state->units).s, show_count(state->dead).s,
                   state->bounded ? show_count(state->saturated).s : "\xe2\x80\x93",
                   show_percent(state->zeros).s);
        json_t *row = data_row(data);
        json_push(row, json_count(l + 1));
        json_push(row, json_count(state->units));
        json_push(row, json_text(name));
        json_push(row, json_count(state->dead));
        json_push(row, state->bounded ? json_count(state->saturated) : json_null());
        json_push(row, json_rounded(state->zeros, 6));
    }
    text_put(out, "</tbody></table>\n");
    put_note(out,
             "Counted over %zu test samples. A dead unit has the same output for all of them. A "
             "saturated one (sigmoid, tanh, scaled tanh) is within a twentieth of the "
             "activation's range from one of its ends for 95 %% of them, where it hardly learns. "
             "Zeros: the part of all outputs that are 0.",
             t->n_looked);
    figure_end(out, "units", data);
}

/* ---- Projection ---------------------------------------------------------------------------- */

enum { MOST_CLASSES_NAMED = 30 }; /* in the legend */

void report_projection(const struct report *report, struct text *out)
{
    static const char *const columns[] = {"sample",     "component 1", "component 2",
                                          "true class", "predicted",   NULL};
    const struct test_figures *t = report->test;
    if (t->plane == NULL || t->n_looked == 0) return;
    char labels[2][64], description[256];
    bool lettered = true; /* names so short that they are the marks */
    for (size_t k = 0; k < report->classes; k++)
        lettered = lettered && text_width(report->names[k]) <= 2;

    struct series *series = need_memory(report->classes, sizeof *series);
    for (size_t k = 0; k < report->classes; k++)
        series[k] = (struct series){report->names[k], (int)(k % PLOT_COLOURS), 0,
                                    (int)((k + k / PLOT_COLOURS) % PLOT_SHAPES), false};
    for (size_t c = 0; c < 2; c++)
        snprintf(labels[c], sizeof labels[c], "component %zu, %.1f %% of the variance", c + 1,
                 100 * t->variance[c]);
    bool named = !lettered && report->classes <= MOST_CLASSES_NAMED;
    struct plot plot = {.x = {labels[0], AXIS_NUMBER, 1, 0, false},
                        .y = {labels[1], AXIS_NUMBER, 1, 0, false},
                        .series = series,
                        .n_series = named ? report->classes : 0,
                        .large = true};
    for (size_t i = 0; i < t->n_looked; i++) {
        plot_range(&plot.x, &t->plane[2 * i], 1);
        plot_range(&plot.y, &t->plane[2 * i + 1], 1);
    }
    plot_round(&plot.x);
    plot_round(&plot.y);
    snprintf(description, sizeof description,
             "Each of %zu test samples as a point, marked by its true class, where the last hidden "
             "layer puts it.",
             t->n_looked);
    json_t *data = data_new(columns);
    figure_begin(out, "projection", "Principal components", true);
    plot_begin(&plot, out, "projection", "Projection of the last hidden layer", description);
    for (size_t i = 0; i < t->n_looked; i++) {
        size_t k = t->truth[i];
        double x = t->plane[2 * i], y = t->plane[2 * i + 1];
        bool right = t->predicted[i] == k;
        char tip[256];
        if (!isfinite(x) || !isfinite(y)) continue;
        snprintf(tip, sizeof tip, "%s%s%s\ntest sample %zu", class_name(report, k),
                 right ? "" : ", predicted ", right ? "" : class_name(report, t->predicted[i]),
                 t->looked[i]);
        if (lettered) {
            text_print(out, "<text class=\"t c%zu%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\"",
                       k % PLOT_COLOURS, right ? "" : " wrong", plot_x(&plot, x),
                       plot_y(&plot, y) + 3);
            svg_tip(out, tip);
            text_put(out, ">");
            text_escape(out, class_name(report, k));
            text_put(out, "</text>");
        } else {
            plot_mark(&plot, (int)(k % PLOT_COLOURS), (int)((k + k / PLOT_COLOURS) % PLOT_SHAPES),
                      x, y, 2.6, tip);
        }
        json_t *row = data_row(data);
        json_push(row, json_count(t->looked[i]));
        json_push(row, json_rounded(x, 5));
        json_push(row, json_rounded(y, 5));
        json_push(row, json_text(class_name(report, k)));
        json_push(row, json_text(class_name(report, t->predicted[i])));
    }
    plot_end(&plot);
    put_note(out,
             "The outputs of the last hidden layer for %zu test samples, projected to the two "
             "directions in which they vary most. Classes that lie apart are easy to tell apart; "
             "classes that overlap here may still be apart in all dimensions.%s",
             t->n_looked, lettered ? " The network is wrong about the underlined samples." : "");
    figure_end(out, "projection", data);
    free(series);
}
