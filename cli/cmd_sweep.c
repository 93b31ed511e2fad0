/* SPDX-License-Identifier: MIT */
/* glia sweep: trains every combination of options, and says what came of each. */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "files.h"
#include "output.h"
#include "report_sweep.h"
#include "sweep.h"

#define SWEEP_FIELD(field) .offset = offsetof(sweep_options, field)
#define SWEEP_LIST(option_name, index, text)                                                       \
    {                                                                                              \
        .kind = OPTION_TEXT, .name = option_name, .metavar = "LIST", SWEEP_FIELD(values[index]),   \
        .help = text                                                                               \
    }

/* clang-format off */
static const struct option sweep_table[] = {
    {.kind = OPTION_HEADING, .name = "Options of train, each with one value or several"},
    SWEEP_LIST("hidden", SWEEP_HIDDEN,
               "units of the hidden layers; '-' separates the layers of a network: 256,512-256,none"),
    SWEEP_LIST("activation", SWEEP_ACTIVATION,
               "activations of the hidden layers, as in train: relu,tanh, ..."),
    SWEEP_LIST("init", SWEEP_INIT, "distributions of the first weights"),
    SWEEP_LIST("lr", SWEEP_LR, "learning rates"),
    SWEEP_LIST("lr-end", SWEEP_LR_END, "learning rates at the last step, or constant"),
    SWEEP_LIST("schedule", SWEEP_SCHEDULE,
               "schedules of the learning rate: constant,linear,cosine, ..."),
    SWEEP_LIST("lr-factor", SWEEP_LR_FACTOR, "factors of the schedules step and exponential"),
    SWEEP_LIST("lr-every", SWEEP_LR_EVERY, "epochs between two falls of the schedule step"),
    SWEEP_LIST("warmup", SWEEP_WARMUP, "parts of all steps in which the learning rate rises"),
    SWEEP_LIST("batch", SWEEP_BATCH, "samples for each update"),
    SWEEP_LIST("epochs", SWEEP_EPOCHS, "passes over the training data"),
    SWEEP_LIST("optimizer", SWEEP_OPTIMIZER, "optimizers: sgd,momentum,nesterov,rmsprop,adam,adamw"),
    SWEEP_LIST("momentum", SWEEP_MOMENTUM,
               "momentum of momentum and nesterov; beta1 of adam and adamw"),
    SWEEP_LIST("beta2", SWEEP_BETA2, "beta2 of adam, adamw and rmsprop"),
    SWEEP_LIST("epsilon", SWEEP_EPSILON, "epsilon of adam, adamw and rmsprop"),
    SWEEP_LIST("averaging", SWEEP_AVERAGING,
               "parts that a moving average of the weights keeps in each step"),
    SWEEP_LIST("dropout", SWEEP_DROPOUT, "parts of the hidden units to leave out"),
    SWEEP_LIST("input-dropout", SWEEP_INPUT_DROPOUT, "parts of the inputs to leave out"),
    SWEEP_LIST("input-noise", SWEEP_INPUT_NOISE, "standard deviations of noise on the inputs"),
    SWEEP_LIST("label-smoothing", SWEEP_LABEL_SMOOTHING,
               "parts of each label to spread over all classes"),
    SWEEP_LIST("weight-decay", SWEEP_WEIGHT_DECAY,
               "rates by which weights shrink beside the gradient"),
    SWEEP_LIST("l2", SWEEP_L2, "factors of the squared weights in the loss"),
    SWEEP_LIST("l1", SWEEP_L1, "factors of the weights' magnitudes in the loss"),
    SWEEP_LIST("max-norm", SWEEP_MAX_NORM, "largest norms of a hidden unit's weights"),
    SWEEP_LIST("clip-norm", SWEEP_CLIP_NORM, "largest norms of the gradient"),
    SWEEP_LIST("shift", SWEEP_SHIFT, "largest shifts of images, in pixels"),
    SWEEP_LIST("rotate", SWEEP_ROTATE, "largest rotations of images, in degrees"),
    SWEEP_LIST("scale", SWEEP_SCALE, "largest changes of scale, as parts of 1"),
    SWEEP_LIST("shear", SWEEP_SHEAR, "largest shears, in pixels for each pixel of height"),
    SWEEP_LIST("elastic", SWEEP_ELASTIC, "sizes of elastic distortions, in pixels"),
    SWEEP_LIST("elastic-sigma", SWEEP_ELASTIC_SIGMA,
               "smoothness of elastic distortions, in pixels"),
    SWEEP_LIST("augment-fade", SWEEP_AUGMENT_FADE,
               "last parts of the epochs in which distortions shrink"),
    SWEEP_LIST("augment-fade-to", SWEEP_AUGMENT_FADE_TO,
               "parts of the distortions that remain at the end"),
    SWEEP_LIST("validation", SWEEP_VALIDATION,
               "samples to hold out: a fraction or a number; the best cell is chosen by them"),
    SWEEP_LIST("patience", SWEEP_PATIENCE,
               "stop after so many epochs without a lower validation loss"),
    SWEEP_LIST("min-delta", SWEEP_MIN_DELTA, "how much lower a loss must be to count as lower"),
    SWEEP_LIST("engine", SWEEP_ENGINE, "engines: auto,reference,native,onednn"),
    SWEEP_LIST("precision", SWEEP_PRECISION, "precisions: f32,bf16"),
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
    {.kind = OPTION_CHOICE, .name = "loss", .metavar = "NAME", .choices = loss_choices,
     SWEEP_FIELD(source.table.loss),
     .help = "the loss of all runs, as in train"},
    SOURCE_OPTIONS,
    COMMON_OPTIONS,
};
/* clang-format on */

static void sweep_set_defaults(void *field)
{
    sweep_options *options = field;
    source_set_defaults(&options->source);
    options->seed = glia_train_default_params().seed;
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
        "standard error of their mean. The result of a run does not depend on the others.\n\n" //
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
