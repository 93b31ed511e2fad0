/* SPDX-License-Identifier: MIT */
/* glia report: a page of HTML that shows what a run was and what came out. */
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/source.h"
#include "draw/svg.h"
#include "job/parts.h"
#include "job/run_folder.h"
#include "job/scores.h"
#include "report/report_export.h"
#include "report/report_page.h"
#include "report/report_sweep.h"
#include "shell/commands.h"
#include "shell/files.h"
#include "shell/output.h"

typedef struct report_options {
    source_options source;
    const char *output;
    int format; /* enum report_format */
    int threads;
} report_options;

/* clang-format off */
static const struct option report_table[] = {
    {.kind = OPTION_HEADING, .name = "Report"},
    {.kind = OPTION_TEXT, .name = "output", .letter = 'o', .metavar = "PATH",
     .offset = offsetof(report_options, output), .shown_default = "RUN/report.html, RUN/figures",
     .help = "file of the page, or with --format svg or png folder of the plots"},
    {.kind = OPTION_CHOICE, .name = "format", .metavar = "FORMAT",
     .offset = offsetof(report_options, format), .choices = report_formats,
     .help = "html writes a page; svg and png write each plot as a file of its own, for a paper"},
    {.kind = OPTION_INT, .name = "threads", .metavar = "N", .max = 1024,
     .offset = offsetof(report_options, threads), .help = "number of threads; 0: one for each core"},
    {.kind = OPTION_HEADING, .name = "Data"},
    SOURCE_DIRECTORY_OPTION,
    SOURCE_MIRROR_OPTION,
    SOURCE_OFFLINE_OPTION,
    COMMON_OPTIONS,
};
/* clang-format on */

static void report_set_defaults(void *field)
{
    report_options *options = field;
    source_set_defaults(&options->source);
}

/* ---- The command --------------------------------------------------------------------------- */

/* The names of the classes, cut to what a page has room for. */
static void take_names(struct report *report)
{
    const glia_network *network = report->run->network;
    report->classes = glia_network_describe(network).classes;
    report->names = need_memory(report->classes, sizeof *report->names);
    for (size_t k = 0; k < report->classes; k++)
        report->names[k] = svg_shortened(glia_network_class_name(network, k), NAME_CHARACTERS);
}

/* What the network is measured on. */
struct test_part {
    const glia_dataset *samples; /* one of the following */
    glia_dataset *split;
    open_data data_sets; /* of a single file */
    run_parts parts;     /* ... as the run divided it */
};

static void test_part_free(struct test_part *part)
{
    run_parts_free(&part->parts);
    open_data_close(&part->data_sets);
    glia_dataset_free(part->split);
}

static glia_status no_part(glia_error *error, glia_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error->status = status;
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return status;
}

/* The words of run.json's command without the first, which are borrowed; NULL: it has none. */
static char **train_words(const struct report_run *run, int *n)
{
    const json_t *command = json_object_get(run->about, "command"), *word;
    size_t i;
    const size_t size = json_array_size(command);
    char **argv = need_memory(size + 1, sizeof *argv);
    bool good = size >= 2 && size < INT_MAX;
    json_array_foreach(command, i, word)
    {
        good = good && json_is_string(word) && (i > 0 || !strcmp(json_string_value(word), "train"));
        if (good && i > 0) argv[i - 1] = (char *)json_string_value(word);
    }
    *n = (int)size - 1;
    if (good) return argv;
    free(argv);
    return NULL;
}

/* Whether a part has as many samples as run.json says; where that says nothing, it has. */
static bool has_samples(const struct report_run *run, const char *path, const glia_dataset *part)
{
    const double expected = run_number(run->about, path);
    return isnan(expected) || expected == (double)glia_dataset_describe(part).samples;
}

/* Divides the file as the run did, with its options. */
static glia_status divide(train_options *o, const struct report_run *run, const char *name,
                          struct test_part *part, glia_error *error)
{
    const char *const files[] = {name, o->test.path, o->validation.path};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i] != NULL && strcmp(files[i], "-") == 0)
            return no_part(error, GLIA_NOT_FOUND,
                           "the run read standard input, which cannot be read again");
    glia_status status = open_data_for(o, name, &part->data_sets, error);
    if (status == GLIA_OK)
        status = run_parts_make(o, &part->data_sets, SIZE_MAX, &part->parts, error);
    if (status != GLIA_OK) return status;
    part->samples = part->parts.test;
    if (part->samples == NULL)
        return no_part(error, GLIA_NOT_FOUND, "%s: the run held out nothing to test", name);
    if (!has_samples(run, "data.train_samples", part->parts.train) ||
        !has_samples(run, "data.test_samples", part->samples))
        return no_part(error, GLIA_MISMATCH,
                       "%s: found %zu samples to train on and %zu to test, which are not as many "
                       "as run.json has; the file is another one than the run's",
                       name, glia_dataset_describe(part->parts.train).samples,
                       glia_dataset_describe(part->samples).samples);
    return GLIA_OK;
}

/* Of a single file the test part is what the command of the run makes it. */
static glia_status open_part(const report_options *options, const struct report_run *run,
                             const char *name, struct test_part *part, glia_error *error)
{
    struct command_line line;
    int n;
    char **argv = train_words(run, &n);
    if (argv == NULL)
        return no_part(error, GLIA_BAD_FORMAT,
                       "%s/run.json: \"command\": expected the words of a glia train", run->folder);
    train_options *o = options_new(&train_command);
    glia_status status = GLIA_OK;
    if (!options_parse(&train_command, n, argv, o, &line) || line.n_operands != 1 ||
        !train_check_options(o, name))
        status =
            no_part(error, GLIA_BAD_FORMAT,
                    "%s/run.json: \"command\": glia train does not take these words", run->folder);
    o->source.common.line = &line;
    train_put(o, "threads", options->threads);
    o->quiet = true;
    if (status == GLIA_OK) status = divide(o, run, name, part, error);
    options_free(&line);
    options_delete(&train_command, o);
    free(argv);
    return status;
}

/* Opens the test split of a data set that has one. */
static glia_status open_split(const report_options *options, const struct report_run *run,
                              const char *name, struct test_part *part, glia_error *error)
{
    source_options source = options->source;
    double seed = run_number(run->about, "settings.data_seed");
    glia_data_params defaults = glia_data_default_params();
    source.seed = seed >= 0 && seed <= 9007199254740992.0 ? (uint64_t)seed : defaults.seed;
    const char *seed_text = run_text(run->about, "settings.data_seed");
    if (seed_text != NULL) source.seed = strtoull(seed_text, NULL, 10);
    /* Images are brought to the size of those that it was trained on. */
    bool fits = glia_network_describe(run->network).height > 0;
    glia_status status =
        source_open_for(&source, fits ? run->network : NULL, name, GLIA_SPLIT_TEST,
                        options->threads, options->source.common.json, &part->split, error);
    part->samples = part->split;
    return status;
}

/* Opens what the run was tested on, and measures the network on it; else says why not. */
static glia_status measure(const report_options *options, const struct report_run *run,
                           struct test_part *part, struct test_figures *figures, glia_error *error)
{
    const char *name = run_text(run->about, "data.name");
    if (name != NULL && source_is_file(name)) keep_file(name, "the data of the run");
    if (name == NULL) return no_part(error, GLIA_NOT_FOUND, "run.json does not name the data");
    glia_status status =
        (source_is_file(name) ? open_part : open_split)(options, run, name, part, error);
    if (status == GLIA_OK)
        status = test_measure(figures, run->network, part->samples, options->threads, error);
    return status;
}

/* Says where the page is. */
static void say(const report_options *options, const char *path, size_t bytes, json_t *more)
{
    if (options->source.common.json) {
        json_put(more, "report", json_text(path));
        json_put(more, "bytes", json_count(bytes));
        json_print(more);
        return;
    }
    printf("%sreport%s   ", style_begin(stdout, STYLE_DIM), style_end(stdout));
    print_clean(stdout, path);
    printf(", %s\n", show_bytes(bytes).s);
    json_decref(more);
}

/* Writes the page, or its plots, of the run or sweep in the folder; says what came out, and more.
 */
static int deliver(const report_options *options, const char *folder, const struct text *page,
                   json_t *more)
{
    const bool html = options->format == REPORT_HTML;
    char path[LONGEST_PATH];
    run_folder_file(folder, html ? "report.html" : "figures", path, sizeof path);
    const char *to = options->output != NULL ? options->output : path;
    if (html) {
        if (check_output(to) && replace_file(to, page->s, page->length)) {
            say(options, to, page->length, more);
            return EXIT_DONE;
        }
        json_decref(more);
        return EXIT_FAILED;
    }
    json_t *files = json_need(json_array());
    size_t bytes;
    int status = export_plots(page, (enum report_format)options->format, to, files, &bytes);
    if (status != EXIT_DONE) {
        json_decref(more);
    } else if (options->source.common.json) {
        json_put(more, "folder", json_text(to));
        json_put(more, "files", json_incref(files));
        json_put(more, "bytes", json_count(bytes));
        json_print(more);
    } else {
        printf("%splots%s    ", style_begin(stdout, STYLE_DIM), style_end(stdout));
        print_clean(stdout, to);
        printf(", %s, %s\n", show_several(json_array_size(files), "file").s, show_bytes(bytes).s);
        json_decref(more);
    }
    json_decref(files);
    return status;
}

/* What the folder of a run or sweep holds, which a page must not replace. */
static void keep_folder_of(const char *folder)
{
    static const char *const names[] = {
        "run.json",          "metrics.jsonl",     "result.json", "seeds.json",
        "model.safetensors", "checkpoint.json",   "sweep.json",  "results.json",
        "table.md",          "state.safetensors", "table.csv",
    };
    char path[LONGEST_PATH];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        keep_file_in(folder, names[i], "what the report is made of");
    run_folder_file(folder, "runs", path, sizeof path);
    keep_folder(path, "the runs of the sweep", NULL);
}

static int report_sweep(const report_options *options, const char *folder)
{
    struct text page = {0};
    int status = report_sweep_write(folder, &page);
    if (status == EXIT_DONE) {
        json_t *o = json_need(json_object());
        json_put(o, "sweep", json_text(folder));
        status = deliver(options, folder, &page, o);
    }
    text_free(&page);
    return status;
}

static int report_run_command(void *field, int n_operands, char *const *operands)
{
    (void)n_operands;
    const report_options *options = field;
    if (!export_can((enum report_format)options->format)) return EXIT_FAILED;
    keep_folder_of(operands[0]);
    if (report_is_sweep(operands[0])) return report_sweep(options, operands[0]);
    struct report_run run = {0};
    struct test_figures figures = {0};
    struct report report = {.run = &run};
    struct text page = {0};
    struct test_part part = {0};
    glia_error error;
    char why[256];
    int status = run_read(&run, operands[0]);
    if (status != EXIT_DONE) goto cleanup;

    if (run.network != NULL) {
        take_names(&report);
        if (measure(options, &run, &part, &figures, &error) == GLIA_OK) {
            report.test = &figures;
            report.dataset = part.samples;
        } else if (error.status == GLIA_CANCELLED || error.status == GLIA_NO_MEMORY) {
            status = complain_error(&error);
            goto cleanup;
        } else {
            snprintf(why, sizeof why,
                     "What needs test samples is left out, since they could not be had: %s.",
                     glia_status_text(error.status));
            report.why_no_test = why;
            complain("no test samples: %s", error.message);
        }
    }
    report_write(&report, &page);
    json_t *o = json_need(json_object());
    json_put(o, "run", json_text(run.folder));
    json_put(o, "complete", json_boolean(run.result != NULL));
    json_put(o, "test_accuracy", json_number(report.test != NULL ? figures.metrics.accuracy : NAN));
    if (report.test != NULL) score_json(o, "test_", &figures.metrics, run.network);
    status = deliver(options, run.folder, &page, o);

cleanup:
    text_free(&page);
    for (size_t k = 0; k < report.classes; k++) free(report.names[k]);
    free(report.names);
    test_free(&figures);
    test_part_free(&part);
    run_free(&run);
    return status;
}

static const example report_examples[] = {
    {"glia report first", "Report the run in the folder first; the page is first/report.html."},
    {"glia report first --format svg -o paper", "Write its plots: paper/loss.svg, and so on."},
    {NULL, NULL},
};

const struct command report_command = {
    .name = "report",
    .operands = "RUN|SWEEP",
    .summary = "show what a run did and learned, as a page of HTML",
    .description =
        "RUN is a folder that glia train --run has made, SWEEP one that glia sweep has made. The "
        "page is a single file, which needs no other file and no connection. It shows the "
        "settings and the result, and curves of loss and accuracy. For values it shows predicted "
        "against true values, residuals and the error by range. For classes it shows the "
        "confusion matrix, the most confident mistakes and the calibration, and for two classes "
        "the ROC curve and precision against recall. It also shows the weights of the first layer "
        "as images, histograms of weights and activations, dead and saturated units, and the last "
        "hidden layer projected to the plane. The values of every plot can be saved as "
        "CSV.\n\nThe page of a sweep shows its cells as a table, as heat maps and as lines from "
        "options to accuracy, and accuracy against time.\n\nreport opens the test samples by the "
        "name that the run has for its data, and divides a file as the run divided it. It looks "
        "for a relative name in the current folder. If the samples, the model or the result are "
        "missing, as in a run that still goes on, the page says so and shows the "
        "rest.\n\n--format svg or png writes each plot of the page as a file of its own, in light "
        "colours, named as the plot is in the page: RUN/figures/loss.svg. PNG has two pixels for "
        "each unit of the SVG, on white. Pictures of weights and of mistakes, and tables, are "
        "left out.",
    .options = report_table,
    .examples = report_examples,
    .options_size = sizeof(report_options),
    .min_operands = 1,
    .max_operands = 1,
    .set_defaults = report_set_defaults,
    .run = report_run_command,
};
