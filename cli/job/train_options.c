/* SPDX-License-Identifier: MIT */
/* Reads the lists that glia train takes; the table of its options. */
#include "job/train_options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/augment_options.h"
#include "shell/output.h"

/* "500": steps; "30s", "5m", "1h": time. */
static bool parse_interval(const char *text, void *field)
{
    static const struct {
        char letter;
        double seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}};
    checkpoint_interval interval = {.text = text};
    const size_t length = strlen(text);
    char number[32];
    uint64_t steps;
    if (length == 0 || length >= sizeof number) return false;
    memcpy(number, text, length);
    number[length - 1] = '\0';
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (text[length - 1] == units[i].letter) {
            if (!parse_real(number, &interval.seconds)) return false;
            interval.seconds *= units[i].seconds;
            if (!(interval.seconds > 0)) return false;
        }
    if (interval.seconds == 0) {
        if (!parse_count(text, &steps) || steps == 0 || steps > SIZE_MAX) return false;
        interval.steps = (size_t)steps;
    }
    *(checkpoint_interval *)field = interval;
    return true;
}

/* A fraction, a number of samples, none, or else the name of a file. */
static bool parse_held(const char *text, void *field)
{
    held_part part = {.is_given = true};
    if (text[0] == '\0') return false;
    if (strcmp(text, "none") == 0) {
        /* nothing is held out */
    } else if (parse_real(text, &part.amount)) {
        if (part.amount <= 0) return false;
        if (part.amount >= 1 && (part.amount != floor(part.amount) || part.amount > 1e15))
            return false;
    } else {
        part.path = text;
    }
    *(held_part *)field = part;
    return true;
}

bool train_holds_out(const held_part *part)
{
    return part->amount > 0 || part->path != NULL;
}

static const char *const split_orders[] = {[ORDER_RANDOM] = "random", [ORDER_LAST] = "last", NULL};

#define TRAIN_FIELD(field) .offset = offsetof(train_options, field)
#define TRAIN_SETTINGS(group)                                                                      \
    {                                                                                              \
        .kind = OPTION_SETTINGS, .name = group, TRAIN_FIELD(settings)                              \
    }

/* clang-format off */
const struct option train_option_table[] = {
    {.kind = OPTION_HEADING, .name = "Recipe"},
    {.kind = OPTION_RECIPE, .name = "recipe", .metavar = "NAME", TRAIN_FIELD(recipe),
     .recipes = train_recipes, .shown_default = "",
     .help = "begin with the options of a recipe: a built-in one (listed below) or a file; "
             "other options on the command line override it"},
    {.kind = OPTION_FLAG, .name = "print", .offset = offsetof(common_options, print),
     .help = "print the options as a recipe, to keep and change, and train nothing"},

    {.kind = OPTION_HEADING, .name = "Network"},
    TRAIN_SETTINGS("Network"),

    {.kind = OPTION_HEADING, .name = "Training"},
    TRAIN_SETTINGS("Training"),
    {.kind = OPTION_COUNT, .name = "seeds", .metavar = "N", TRAIN_FIELD(seeds),
     .min = 1, .max = 100000, .aside = true, .shown_default = "",
     .help = "train N times with N consecutive seeds, and print mean, standard deviation "
             "and standard error"},
    {.kind = OPTION_FLAG, .name = "fresh", TRAIN_FIELD(fresh),
     .help = "draw new images in every epoch (digits only); validation samples come from "
             "the next --data-seed"},

    {.kind = OPTION_HEADING, .name = "Regularisation"},
    TRAIN_SETTINGS("Regularisation"),
    {.kind = OPTION_HEADING, .name = "Augmentation"},
    TRAIN_SETTINGS("Augmentation"),
    TRAIN_SETTINGS("Augmentation over the epochs"),

    TABLE_COLUMN_OPTIONS(train_options, source.table),

    {.kind = OPTION_HEADING, .name = "What is held out"},
    {.kind = OPTION_OTHER, .name = "test", .metavar = "X", TRAIN_FIELD(test),
     .parse = parse_held, .shown_default = "0.2 of a table or of photographs",
     .expected = "a fraction between 0 and 1, a whole number of samples, a file, or none",
     .help = "rows of a table, or pictures of a folder, to hold out for the final score: a fraction, "
             "a number, a file, or none"},
    {.kind = OPTION_OTHER, .name = "validation", .metavar = "X", TRAIN_FIELD(validation),
     .parse = parse_held,
     .expected = "a fraction between 0 and 1, a whole number of samples, a file, or none",
     .help = "samples to hold out for choosing the epoch: a fraction, a number, or a file; "
             "the weights with the lowest loss on them are kept"},
    {.kind = OPTION_CHOICE, .name = "split", .metavar = "WORD", TRAIN_FIELD(order),
     .choices = split_orders,
     .help = "hold out random samples, or the last ones (for a series in time)"},
    {.kind = OPTION_COUNT, .name = "folds", .metavar = "K", TRAIN_FIELD(folds),
     .min = 2, .max = 100000, .aside = true, .shown_default = "",
     .help = "K-fold cross-validation of a table: each row is scored once, by a network "
             "that has not learned from it; with -o one more network learns from all rows "
             "and is saved"},
    TRAIN_SETTINGS("Validation"),

    SOURCE_OPTIONS,

    {.kind = OPTION_HEADING, .name = "Result"},
    {.kind = OPTION_TEXT, .name = "output", .letter = 'o', .metavar = "FILE", TRAIN_FIELD(output),
     .aside = true, .shown_default = "DATA.safetensors", .help = "file of the model"},
    {.kind = OPTION_TEXT, .name = "run", .metavar = "DIR", TRAIN_FIELD(run), .aside = true,
     .help = "keep the run in a new folder DIR: settings, environment, metrics, result, and "
             "the model unless -o names another place"},
    {.kind = OPTION_FLAG, .name = "tensorboard", TRAIN_FIELD(tensorboard), .aside = true,
     .help = "write the metrics to the run's folder as TensorBoard's events, too"},
    {.kind = OPTION_TEXT, .name = "checkpoint", .metavar = "DIR", TRAIN_FIELD(checkpoint),
     .aside = true,
     .help = "keep the state of the run in a new folder DIR while it trains, so that "
             "--resume DIR can continue it after any interruption"},
    {.kind = OPTION_OTHER, .name = "checkpoint-every", .metavar = "N",
     TRAIN_FIELD(checkpoint_every), .aside = true, .parse = parse_interval,
     .expected = "a number of steps such as 500, or a time such as 30s, 5m or 1h",
     .shown_default = "30s", .help = "how often the state is kept: a number of steps (500) or a time (30s, 5m)"},
    {.kind = OPTION_TEXT, .name = "resume", .metavar = "DIR", TRAIN_FIELD(resume), .aside = true,
     .alone = true,
     .help = "continue the run in DIR with its own data and settings; of the other options only "
             "threads, checkpoint-every, plot, quiet and json may be given"},
    {.kind = OPTION_FLAG, .name = "plot", TRAIN_FIELD(plot), .aside = true,
     .help = "draw the curves of loss and accuracy in the terminal"},
    {.kind = OPTION_FLAG, .name = "quiet", .letter = 'q', TRAIN_FIELD(quiet), .aside = true,
     .help = "print the result without progress"},
    COMMON_OPTIONS,
};
/* clang-format on */

void train_set_defaults(void *field)
{
    train_options *options = field;
    source_set_defaults(&options->source);
    need_good(glia_settings_create(&options->settings, NULL));
}

void train_clear(void *field)
{
    train_options *options = field;
    glia_settings_free(options->settings);
    options->settings = NULL;
}

void train_copy(const train_options *options, train_options *out)
{
    *out = *options;
    need_good(glia_settings_copy(options->settings, &out->settings, NULL));
}

uint64_t train_seed(const train_options *options)
{
    return glia_settings_integer(options->settings, "seed");
}

int train_threads(const train_options *options)
{
    return (int)glia_settings_integer(options->settings, "threads");
}

void train_put(train_options *options, const char *name, double value)
{
    need_good(glia_settings_set_number(options->settings, name, value, NULL));
}

bool train_check_options(const train_options *options, const char *data)
{
    const glia_settings *settings = options->settings;
    char text[1024];
    const size_t hidden = glia_settings_list(settings, "hidden", NULL, 0);
    glia_settings_get(settings, "activation", text, sizeof text);
    size_t activations = 1;
    for (const char *c = text; *c != '\0'; c++) activations += *c == ',';
    if (activations > 1 && activations != hidden) {
        complain("train: --activation: found %zu for %zu hidden layer%s, expected one for all or "
                 "one for each",
                 activations, hidden, hidden == 1 ? "" : "s");
        return false;
    }
    const bool validates = train_holds_out(&options->validation);
    if (!validates && glia_settings_number(settings, "patience") > 0) {
        complain("train: --patience needs a validation set; add --validation 0.1, say");
        return false;
    }
    if (!validates && glia_settings_number(settings, "min-delta") > 0) {
        complain("train: --min-delta needs a validation set; add --validation 0.1, say");
        return false;
    }
    const bool several = options->seeds > 0 || options->folds > 0;
    const char *which = options->seeds > 0 ? "--seeds" : "--folds";
    if (options->seeds > 0 && options->folds > 0) {
        complain("train: --seeds and --folds are two kinds of several runs; leave one of them out");
        return false;
    }
    if (several && options->checkpoint != NULL) {
        complain("train: --checkpoint keeps one run; leave it out with %s", which);
        return false;
    }
    if (options->folds > 0 && options->test.is_given) {
        complain("train: --folds tests on every row in turn; leave out --test");
        return false;
    }
    const char *divides = options->folds > 0 ? "--folds" : options->test.is_given ? "--test" : NULL;
    if (divides != NULL && !source_is_divided(data)) {
        complain(
            "train: %s divides a table or a folder of pictures; %s has a test split of its own, "
            "or cannot have one; leave the option out",
            divides, data);
        return false;
    }
    if (options->checkpoint_every.text != NULL && options->checkpoint == NULL) {
        complain("train: --checkpoint-every needs a folder to keep the run in; add --checkpoint "
                 "DIR");
        return false;
    }
    if (options->folds > 0 && options->run != NULL) {
        complain("train: --run keeps one run; leave it out with --folds");
        return false;
    }
    if (several && options->plot) {
        complain("train: --plot draws one run; leave it out with %s", which);
        return false;
    }
    if (options->tensorboard && options->run == NULL) {
        complain("train: --tensorboard needs a folder for its files; add --run DIR");
        return false;
    }
    if (options->fresh && strcmp(data, "digits") != 0) {
        complain("train: --fresh: %s has no new images to draw; only digits has", data);
        return false;
    }
    return augment_check("train", settings) && source_check(&options->source, data);
}
