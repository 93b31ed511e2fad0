/* SPDX-License-Identifier: MIT */
/* The page of a report as a whole, and its summary. */
#include "report/report_page.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw/svg.h"
#include "job/run_folder.h"
#include "job/scores.h"
#include "report_assets.h"
#include "shell/commands.h"
#include "shell/output.h"
#include "shell/quote.h"

/* ---- What sections are made of ------------------------------------------------------------- */

void figure_begin(struct text *out, const char *id, const char *heading, bool wide)
{
    text_print(out, "<div class=\"figure%s\" id=\"figure-%s\"><div class=\"head\"><h3>",
               wide ? " wide" : "", id);
    text_escape(out, heading);
    text_print(out,
               "</h3><button type=\"button\" data-csv=\"%s\" hidden>CSV<span class=\"sr\">: save "
               "the data of this figure</span></button></div>\n",
               id);
}

void figure_end(struct text *out, const char *id, json_t *data)
{
    text_print(out, "<script type=\"application/json\" id=\"data-%s\">", id);
    text_json(out, data);
    text_put(out, "</script></div>\n");
    json_decref(data);
}

void put_note(struct text *out, const char *format, ...)
{
    char note[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(note, sizeof note, format, arguments);
    va_end(arguments);
    text_put(out, "<p class=\"note\">");
    text_escape(out, note);
    text_put(out, "</p>\n");
}

json_t *data_new(const char *const *columns)
{
    json_t *data = json_need(json_object()), *names = json_need(json_array());
    for (; *columns != NULL; columns++) json_push(names, json_text(*columns));
    json_put(data, "columns", names);
    json_put(data, "rows", json_array());
    return data;
}

json_t *data_row(json_t *data)
{
    json_t *row = json_need(json_array());
    json_push(json_object_get(data, "rows"), row);
    return row;
}

json_t *json_rounded(double value, int digits)
{
    char text[40];
    snprintf(text, sizeof text, "%.*g", digits, value);
    return json_number(isfinite(value) ? strtod(text, NULL) : NAN);
}

const char *class_name(const struct report *report, size_t k)
{
    return k < report->classes ? report->names[k] : "?";
}

const char *loss_name(const struct report *report)
{
    const char *name = run_text(report->run->result, "loss");
    return name != NULL ? name : "cross-entropy";
}

/* ---- Summary ------------------------------------------------------------------------------- */

/* The figure of the test split if it was measured now, else what the run said at its end. */
static glia_metrics find_score(const struct report *report)
{
    const json_t *result = report->run->result;
    if (report->test != NULL) return report->test->metrics;
    glia_metrics score = score_none();
    score.accuracy = run_number(result, "test_accuracy");
    const error_bar bar = error_bar_in(result, "test_standard_error");
    const double samples = run_number(report->run->about, "data.test_samples");
    score.standard_error = bar.error;
    score.accuracy_low = bar.low;
    score.accuracy_high = bar.high;
    if (samples > 0 && samples < 1e15) score.samples = (size_t)samples;
    score.loss = run_number(result, "test_loss");
    score.rmse = run_number(result, "test_rmse");
    score.r2 = run_number(result, "test_r2");
    return score;
}

void put_card(struct text *out, const char *term, const char *value, const char *more)
{
    text_put(out, "<li>");
    text_escape(out, term);
    text_put(out, " <strong>");
    text_escape(out, value);
    text_put(out, "</strong>");
    if (*more != '\0') {
        text_put(out, " <small>");
        text_escape(out, more);
        text_put(out, "</small>");
    }
    text_put(out, "</li>\n");
}

/* The accuracy, and beside it what it is to be compared with. */
static void put_accuracy(const struct report *report, const glia_metrics *score, struct text *out)
{
    char more[128] = "";
    if (error_bar_is_interval(score->accuracy, error_bar_of(score)))
        snprintf(more, sizeof more, "95 %% interval %.2f to %.2f %%, of %s",
                 100 * score->accuracy_low, 100 * score->accuracy_high,
                 show_several(score->samples, "sample").s);
    else if (score->standard_error > 0)
        snprintf(more, sizeof more, "\xc2\xb1 %.2f %% standard error", 100 * score->standard_error);
    put_card(out, "Test accuracy", show_percent(score->accuracy).s, more);
    if (!(report->classes == 2 || score_is_imbalanced(score)) || report->run->network == NULL ||
        !isfinite(score->majority))
        return;
    snprintf(more, sizeof more, "always answering \"%.80s\"",
             class_name(report, score->majority_class));
    if (isfinite(score->roc_auc)) put_card(out, "ROC AUC", show_number(score->roc_auc).s, "");
    put_card(out, "Balanced accuracy", show_percent(score->balanced_accuracy).s, "");
    put_card(out, "Majority class", show_percent(score->majority).s, more);
}

static void put_cards(const struct report *report, struct text *out)
{
    const struct report_run *run = report->run;
    const struct metrics *epochs = &run->epochs;
    const glia_metrics score = find_score(report);
    double seconds = run_number(run->result, "seconds");
    double speed = run_number(run->result, "samples_per_second");
    double done = run_number(run->result, "epochs"),
           asked = run_number(run->about, "settings.epochs");
    char value[96], more[96];
    if (!isfinite(seconds) && epochs->n > 0) seconds = epochs->of[epochs->n - 1].seconds;
    if (!isfinite(done)) done = epochs->n > 0 ? epochs->of[epochs->n - 1].epoch : 0;

    text_put(out, "<ul class=\"cards\">\n");
    if (isfinite(score.accuracy)) {
        put_accuracy(report, &score, out);
    } else if (isfinite(score.rmse)) {
        snprintf(more, sizeof more, "%s; R\xc2\xb2 %s",
                 report->classes > 1 ? "of all targets together" : "in the units of the data",
                 show_number(score.r2).s);
        put_card(out, "Test RMSE", show_number(score.rmse).s, more);
    }
    if (isfinite(score.loss)) {
        snprintf(more, sizeof more, "mean %s", loss_name(report));
        put_card(out, "Test loss", show_loss(score.loss).s, more);
    }
    const struct metric *best = NULL;
    for (size_t i = 0; i < epochs->n; i++)
        if (epochs->of[i].best && isfinite(epochs->of[i].validation_loss)) best = &epochs->of[i];
    if (best != NULL) {
        snprintf(more, sizeof more, "after epoch %g, whose weights are kept", best->epoch);
        if (isfinite(best->validation_rmse))
            put_card(out, "Validation RMSE", show_number(best->validation_rmse).s, more);
        else
            put_card(out, "Validation accuracy", show_percent(best->validation_accuracy).s, more);
    } else if (epochs->n > 0) {
        const struct metric *last = &epochs->of[epochs->n - 1];
        const char *when = "over the last epoch";
        if (isfinite(last->train_rmse))
            put_card(out, "Training RMSE", show_number(last->train_rmse).s, when);
        else
            put_card(out, "Training accuracy", show_percent(last->train_accuracy).s, when);
    }
    snprintf(value, sizeof value, "%g", done);
    more[0] = '\0';
    if (isfinite(asked) && asked != done) snprintf(more, sizeof more, "of %g", asked);
    put_card(out, "Epochs", value, more);
    more[0] = '\0';
    if (speed >= 0 && speed < 1e18)
        snprintf(more, sizeof more, "%s samples/s", show_count((uint64_t)speed).s);
    put_card(out, "Training time", show_duration(seconds).s, more);
    text_put(out, "</ul>\n");
}

/* A value of run.json in one line; of a long list the beginning. grouped: 60,000 for 60000. */
static void put_value(struct text *out, const json_t *value, bool grouped)
{
    enum { MOST_LISTED = 64, MOST_CHARACTERS = 400 };
    if (json_is_string(value)) {
        char *shorter = svg_shortened(json_string_value(value), MOST_CHARACTERS);
        text_escape(out, shorter);
        free(shorter);
    } else if (json_is_integer(value)) {
        json_int_t integer = json_integer_value(value);
        if (grouped && integer >= 0)
            text_put(out, show_count((uint64_t)integer).s);
        else
            text_print(out, "%lld", (long long)integer);
    } else if (json_is_real(value)) {
        text_print(out, "%.9g", json_real_value(value));
    } else if (json_is_boolean(value)) {
        text_put(out, json_is_true(value) ? "yes" : "no");
    } else if (json_is_array(value)) {
        size_t n = json_array_size(value);
        for (size_t i = 0; i < n && i < MOST_LISTED; i++) {
            if (i > 0) text_put(out, ", ");
            if (!json_is_array(json_array_get(value, i)))
                put_value(out, json_array_get(value, i), grouped);
        }
        if (n == 0) text_put(out, "none");
        if (n > MOST_LISTED) text_print(out, ", ... (%zu)", n);
    } else {
        text_put(out, "\xe2\x80\x93"); /* a dash */
    }
}

/* The members of an object in a table, those that are equal to, or differ from, those of other;
 * '_' in keys stands for a blank. */
static void put_members(struct text *out, const json_t *object, const json_t *other, bool equal)
{
    const char *key;
    json_t *value;
    text_put(out, "<table><tbody>\n");
    json_object_foreach((json_t *)object, key, value)
    {
        if (json_equal(value, json_object_get(other, key)) != equal) continue;
        char *name = svg_shortened(key, 24);
        for (char *at = name; *at != '\0'; at++)
            if (*at == '_') *at = ' ';
        text_put(out, "<tr><th scope=\"row\">");
        text_escape(out, name);
        text_put(out, "</th><td>");
        put_value(out, value, strstr(key, "seed") == NULL);
        text_put(out, "</td></tr>\n");
        free(name);
    }
    text_put(out, "</tbody></table>\n");
}

/* Members that are those of defaults (or NULL) are folded away. */
static void put_object(struct text *out, const char *id, const char *heading, const json_t *object,
                       const json_t *defaults)
{
    const char *key;
    json_t *value;
    size_t n_defaults = 0;
    if (json_object_size(object) == 0) return;
    json_object_foreach((json_t *)object, key, value) n_defaults +=
        json_equal(value, json_object_get(defaults, key)) != 0;
    text_print(out, "<div class=\"figure\" id=\"figure-%s\"><div class=\"head\"><h3>%s</h3></div>",
               id, heading);
    if (n_defaults < json_object_size(object)) put_members(out, object, defaults, false);
    if (n_defaults > 0) {
        text_print(out, "<details><summary>%zu defaults</summary>\n", n_defaults);
        put_members(out, object, defaults, true);
        text_put(out, "</details>\n");
    }
    text_put(out, "</div>\n");
}

/* The words of a command, quoted for a shell where need be. */
static void put_command(struct text *out, const json_t *command)
{
    if (json_array_size(command) == 0) return;
    text_put(out, "<div class=\"figure wide\" id=\"figure-command\"><div "
                  "class=\"head\"><h3>Command</h3></div><pre><code>glia");
    for (size_t i = 0; i < json_array_size(command) && i < 256; i++) {
        const char *word = json_string_value(json_array_get(command, i));
        if (word == NULL) continue;
        text_put(out, " ");
        char *quoted = shell_word(word);
        text_escape(out, quoted);
        free(quoted);
    }
    text_put(out, "</code></pre></div>\n");
}

void report_summary(const struct report *report, struct text *out)
{
    const json_t *about = report->run->about;
    train_options *o = options_new(&train_command);
    json_t *defaults = run_folder_settings(o);
    options_delete(&train_command, o);
    put_cards(report, out);
    text_put(out, "<div class=\"grid\">\n<div class=\"stack\">\n");
    json_t *data = json_copy(json_object_get(about, "data"));
    if (run_number(data, "height") == 0) { /* the samples are no images */
        json_object_del(data, "height");
        json_object_del(data, "width");
    }
    put_object(out, "data", "Data", data, NULL);
    json_decref(data);
    put_object(out, "network", "Network", json_object_get(about, "network"), NULL);
    text_put(out, "</div>\n<div class=\"stack\">\n");
    put_object(out, "environment", "Environment", json_object_get(about, "environment"), NULL);
    text_put(out, "</div>\n<div class=\"stack\">\n");
    put_object(out, "settings", "Settings", json_object_get(about, "settings"), defaults);
    text_put(out, "</div>\n");
    put_command(out, json_object_get(about, "command"));
    text_put(out, "</div>\n");
    json_decref(defaults);
}

/* ---- The page ------------------------------------------------------------------------------ */

/* "mnist, 784-256-10, relu" */
static void put_title(const struct report *report, struct text *out)
{
    const json_t *about = report->run->about;
    const char *name = run_text(about, "data.name");
    const json_t *layers = run_value(about, "network.layers");
    const json_t *activations = run_value(about, "network.activations");
    char *shorter = svg_shortened(name != NULL ? name : "a run", 80);
    text_put(out, shorter);
    free(shorter);
    size_t n = json_array_size(layers);
    for (size_t i = 0; i < n && i <= GLIA_MAX_LAYERS; i++)
        text_print(out, "%s%lld", i == 0 ? ", " : "-",
                   (long long)json_integer_value(json_array_get(layers, i)));
    const char *first = json_string_value(json_array_get(activations, 0));
    bool same = n > 2 && first != NULL;
    for (size_t i = 1; same && i + 1 < json_array_size(activations); i++) {
        const char *other = json_string_value(json_array_get(activations, i));
        same = other != NULL && strcmp(first, other) == 0;
    }
    if (same) {
        char *cut = svg_shortened(first, NAME_CHARACTERS);
        text_print(out, ", %s", cut);
        free(cut);
    }
}

void page_begin(struct text *page, const char *title, const char *below)
{
    text_print(page,
               "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
               "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
               "img-src data:; style-src '%s'; script-src '%s'\">\n"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
               "<title>",
               report_style_hash, report_script_hash);
    text_escape(page, title);
    text_put(page, "</title>\n<style>");
    text_put(page, report_style);
    text_put(page, "</style>\n</head>\n<body>\n<header><h1>");
    text_escape(page, title);
    text_put(page, "</h1><button type=\"button\" id=\"theme\" hidden>Dark theme</button>\n<p>");
    text_escape(page, below);
    text_put(page, "</p></header>\n<main>\n");
}

static const char page_tail[] = "</main>\n<footer>Made by <code>glia report</code>.</footer>\n"
                                "<div id=\"tip\" role=\"status\" hidden></div>\n<script>";

void page_end(struct text *page)
{
    text_put(page, page_tail);
    text_put(page, report_script);
    text_put(page, "</script>\n</body>\n</html>\n");
}

void page_section(struct text *page, const char *id, const char *heading,
                  const struct text *section)
{
    const size_t reserved = sizeof page_tail + sizeof report_script + 256;
    if (section->length == 0) return;
    text_print(page, "<section aria-labelledby=\"about-%s\"><h2 id=\"about-%s\">%s</h2>\n", id, id,
               heading);
    if (page->length + section->length + reserved < LARGEST_PAGE)
        text_add(page, section->s, section->length);
    else
        put_note(page, "Left out: with it the page would be larger than %s.",
                 show_bytes(LARGEST_PAGE).s);
    text_put(page, "</section>\n");
}

/* "A run of glia 0.1.0, started 2026-01-31T12:00:00Z" */
static void put_head(const struct report *report, struct text *page)
{
    struct text title = {0};
    char below[160];
    const char *version = run_text(report->run->about, "environment.glia");
    const char *started = run_text(report->run->about, "started");
    snprintf(below, sizeof below, "A run of glia%s%.40s%s%.40s", version != NULL ? " " : "",
             version != NULL ? version : "", started != NULL ? ", started " : "",
             started != NULL ? started : "");
    put_title(report, &title);
    page_begin(page, title.s, below);
    text_free(&title);
}

static void put_banner(const char *text, struct text *page)
{
    text_put(page, "<p class=\"banner\" role=\"note\">");
    text_escape(page, text);
    text_put(page, "</p>\n");
}

static void put_banners(const struct report *report, struct text *page)
{
    const struct report_run *run = report->run;
    const char *stopped = run_text(run->result, "stopped");
    if (run->result == NULL)
        put_banner("This run is not complete: its folder has no result.json. It is going on, or it "
                   "was killed; here is what there is.",
                   page);
    if (stopped != NULL && strcmp(stopped, "cancelled") == 0)
        put_banner("This run was interrupted.", page);
    if (stopped != NULL && strcmp(stopped, "diverged") == 0)
        put_banner("This run diverged: its loss was no longer finite. The network is that of the "
                   "last good epoch, if there was one.",
                   page);
    if (run->network == NULL)
        put_banner("There is no model.safetensors in the folder of the run, so nothing of the "
                   "network is shown.",
                   page);
    else if (report->test == NULL)
        put_banner(report->why_no_test, page);
}

void report_write(const struct report *report, struct text *page)
{
    static const struct {
        const char *id, *heading;
        void (*write)(const struct report *report, struct text *out);
        bool needs_network, needs_test, needs_classes;
    } sections[] = {
        {"summary", "Summary", report_summary, false, false, false},
        {"curves", "Learning curves", report_curves, false, false, false},
        {"values", "Predicted and true values", report_values, true, true, false},
        {"ranking", "ROC and precision-recall curves", report_ranking, true, true, true},
        {"confusion", "Confusion", report_confusion, true, true, true},
        {"mistakes", "The most confident mistakes", report_mistakes, true, true, true},
        {"calibration", "Calibration", report_calibration, true, true, true},
        {"weights", "Weights of the first layer", report_weights, true, false, false},
        {"histograms", "Weights and activations over epochs", report_histograms, false, false,
         false},
        {"units", "Dead and saturated units", report_units, true, true, false},
        {"projection", "The last hidden layer, projected to the plane", report_projection, true,
         true, true},
    };
    put_head(report, page);
    put_banners(report, page);
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        if (sections[i].needs_network && report->run->network == NULL) continue;
        if (sections[i].needs_test && report->test == NULL) continue;
        if (sections[i].needs_classes && report->test->data.task != GLIA_TASK_CLASSES) continue;
        struct text section = {0};
        sections[i].write(report, &section);
        page_section(page, sections[i].id, sections[i].heading, &section);
        text_free(&section);
    }
    page_end(page);
}
