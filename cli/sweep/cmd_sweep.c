/* SPDX-License-Identifier: MIT */
/* glia sweep: trains every combination of options, and says what came of each. */
#include <stdlib.h>
#include <string.h>

#include "report/report_sweep.h"
#include "shell/commands.h"
#include "shell/files.h"
#include "shell/output.h"
#include "sweep/sweep.h"

#define SWEEP_FIELD(field) .offset = offsetof(sweep_options, field)
#define SWEEP_SETTINGS(group)                                                                      \
    {                                                                                              \
        .kind = OPTION_SETTINGS, .name = group, SWEEP_FIELD(values), .is_list = true               \
    }

/* clang-format off */
static const struct option sweep_table[] = {
    {.kind = OPTION_HEADING, .name = "Options of train, each with one value or several"},
    SWEEP_SETTINGS("Network"),
    SWEEP_SETTINGS("Training"),
    SWEEP_SETTINGS("Regularisation"),
    SWEEP_SETTINGS("Augmentation"),
    SWEEP_SETTINGS("Augmentation over the epochs"),
    SWEEP_SETTINGS("Validation"),
    {.kind = OPTION_TEXT, .name = "validation", .metavar = "LIST", SWEEP_FIELD(validation),
     .help = "samples to hold out: a fraction or a number; the best cell is chosen by them"},
    {.kind = OPTION_TEXT, .name = "recipe", .metavar = "NAME", SWEEP_FIELD(recipe),
     .help = "begin each run with the options of one of train's recipes, or of a file"},

    {.kind = OPTION_HEADING, .name = "Sweep"},
    {.kind = OPTION_FLAG, .name = "article", SWEEP_FIELD(article),
     .help = "run the experiment of the article that glia began with (see below), and print its "
             "tables beside glia's"},
    {.kind = OPTION_COUNT, .name = "random", .metavar = "N", SWEEP_FIELD(random), .max = 100000,
     .shown_default = "",
     .help = "run N random cells instead of all; a value may then be a range, as 0.01..1"},
    {.kind = OPTION_SEED, .name = "seed", .metavar = "N", SWEEP_FIELD(seed),
     .help = "seed of the first run of each cell and of the random cells"},
    {.kind = OPTION_COUNT, .name = "seeds", .metavar = "N", SWEEP_FIELD(seeds), .min = 1,
     .max = 100000, .help = "number of runs for each cell, with consecutive seeds"},
    {.kind = OPTION_INT, .name = "threads", .metavar = "N", SWEEP_FIELD(threads), .max = 1024,
     .help = "number of runs at the same time; 0: one for each core; no result depends on it"},
    {.kind = OPTION_TEXT, .name = "output", .letter = 'o', .metavar = "DIR", SWEEP_FIELD(output),
     .shown_default = "DATA-sweep", .help = "folder of the sweep"},
    {.kind = OPTION_FLAG, .name = "resume", SWEEP_FIELD(resume),
     .help = "continue the sweep in that folder; finished runs are not repeated"},
    {.kind = OPTION_FLAG, .name = "tensorboard", SWEEP_FIELD(tensorboard),
     .help = "write each run's metrics as TensorBoard's events too"},
    {.kind = OPTION_FLAG, .name = "quiet", .letter = 'q', SWEEP_FIELD(quiet),
     .help = "print the result without progress"},
    TABLE_COLUMN_OPTIONS(sweep_options, source.table),
    SOURCE_OPTIONS,
    COMMON_OPTIONS,
};
/* clang-format on */

static void sweep_set_defaults(void *field)
{
    sweep_options *options = field;
    source_set_defaults(&options->source);
    options->seed = 1;
    options->seeds = 1;
}

/* DATA-sweep, here; of a path its last part. */
static bool choose_folder(struct sweep *s)
{
    const char *data = s->data;
    size_t end = strlen(data);
    while (end > 1 && data[end - 1] == '/') end--;
    size_t begin = end;
    while (begin > 0 && data[begin - 1] != '/') begin--;
    const char *given = s->options->output;
    const int length = given != NULL ? snprintf(s->folder, sizeof s->folder, "%s", given)
                                     : snprintf(s->folder, sizeof s->folder, "%.*s-sweep",
                                                (int)(end - begin), data + begin);
    if (length >= 0 && (size_t)length < sizeof s->folder) return true;
    complain("sweep: --output: the name of the folder is too long");
    return false;
}

static void print_head(const struct sweep *s)
{
    size_t n_before = 0;
    for (size_t i = 0; i < s->n_jobs; i++) n_before += s->jobs[i].resumed;
    const char *dim = style_begin(stderr, STYLE_DIM), *end = style_end(stderr);
    fprintf(stderr, "%sdata %s   ", dim, end);
    print_clean(stderr, s->data);
    fprintf(stderr, "\n%ssweep%s   %s cell%s, %s run%s", dim, end, show_count(s->n_cells).s,
            s->n_cells == 1 ? "" : "s", show_count(s->n_jobs).s, s->n_jobs == 1 ? "" : "s");
    if (n_before > 0) fprintf(stderr, ", %s of them done before", show_count(n_before).s);
    fputc('\n', stderr);
}

/* report.html, as glia report writes it. */
static bool write_report(const struct sweep *s)
{
    struct text page = {0};
    char path[sizeof s->folder + 32];
    snprintf(path, sizeof path, "%s/report.html", s->folder);
    const bool good = report_sweep_write(s->folder, &page) == EXIT_DONE &&
                      replace_file(path, page.s, page.length);
    text_free(&page);
    return good;
}

static int sweep_command_run(void *field, int n_operands, char *const *operands)
{
    (void)n_operands;
    const sweep_options *options = field;
    struct sweep *sweep = need_memory(1, sizeof *sweep);
    sweep->options = options;
    sweep->data = operands[0];
    keep_folder(sweep->data, "the data", ".safetensors");
    int exit_status = EXIT_WRONG;
    if (source_check(&options->source, sweep->data) && sweep_plan(sweep)) {
        exit_status = EXIT_FAILED;
        if (choose_folder(sweep) && sweep_open(sweep)) {
            if (!options->quiet) print_head(sweep);
            exit_status = sweep_run(sweep);
            sweep_sum_up(sweep);
            bool any = false;
            for (size_t c = 0; c < sweep->n_cells; c++)
                any = any || sweep->cells[c].done + sweep->cells[c].failed > 0;
            if (any && exit_status != EXIT_INTERRUPTED) {
                if (!sweep_write(sweep) || !write_report(sweep)) exit_status = EXIT_FAILED;
                if (options->source.common.json)
                    json_print(sweep_json(sweep));
                else
                    sweep_print(sweep);
            }
        }
    }
    sweep_free(sweep);
    free(sweep);
    return exit_status;
}

static const example sweep_examples[] = {
    {"glia sweep mnist --article", "Train the article's twelve networks; print its tables beside "
                                   "glia's."},
    {"glia sweep digits --hidden 16,32 --activation relu,tanh --epochs 2 --seeds 2 -o small",
     "Train each of four networks twice."},
    {"glia sweep digits --hidden 32 --lr 0.01..1 --random 4 --validation 0.1 --epochs 2 -o rates",
     "Try four random learning rates; choose the best on samples that are held out."},
    {NULL, NULL},
};

const struct command sweep_command = {
    .name = "sweep",
    .operands = "DATA",
    .summary = "train every combination of options and compare",
    .description =
        "Trains a network for every combination of the given values, several at the same time, "
        "and prints tables of test accuracy (R2 for values) and of time, and for two classes and "
        "for labels also of ROC AUC. A cell of one run shows the standard error of its accuracy, "
        "or its 95 % interval if few samples are right or wrong; a cell of several runs shows the "
        "standard error of their mean. The result of a run does not depend on the others.\n\n"
        "A value that is a list itself has '-' in place of its commas: --hidden 256,512-256,none "
        "are three networks, --activation relu,relu-leaky-relu two. A switch takes yes and no: "
        "--batch-norm yes,no.\n\n" //
    SOURCE_DESCRIPTION "\n\nThe folder of the sweep holds a folder for each run (in runs/, as "
        "glia train --run makes it), the tables (table.md, table.csv), all figures "
        "(results.json) and a page that shows them (report.html). After an "
        "interruption, the same command with --resume continues the sweep. A run "
        "that fails is reported, the others go on, and the exit status is "
        "1.\n\nThe article trains 784-n-10 with n = 32, 64, 128 and 256, sigmoid, "
        "relu and tanh, at the rate 0.1. It names neither the batch nor the number "
        "of epochs; without options they are 8 and 10.\n\nThe best cell is chosen "
        "on validation samples (--validation), never on test samples.",
    .options = sweep_table,
    .examples = sweep_examples,
    .options_size = sizeof(sweep_options),
    .min_operands = 1,
    .max_operands = 1,
    .set_defaults = sweep_set_defaults,
    .run = sweep_command_run,
};
