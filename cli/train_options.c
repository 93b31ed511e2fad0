/* SPDX-License-Identifier: MIT */
/* Reads the lists that glia train takes; the table of its options. */
#include "train_options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "output.h"

static bool parse_hidden(const char *text, void *field)
{
    unit_list list = {0};
    char item[32];
    if (strcmp(text, "none") != 0) {
        while (next_item(&text, item, sizeof item)) {
            uint64_t units;
            if (list.n == MAX_HIDDEN || !parse_count(item, &units)) return false;
            if (units < 1 || units > GLIA_MAX_UNITS) return false;
            list.units[list.n++] = (size_t)units;
        }
    }
    *(unit_list *)field = list;
    return true;
}

static void show_hidden(const void *field, char *text, size_t size)
{
    const unit_list *list = field;
    size_t used = 0;
    if (list->n == 0) snprintf(text, size, "none");
    for (size_t i = 0; i < list->n && used < size; i++)
        used +=
            (size_t)snprintf(text + used, size - used, "%s%zu", i > 0 ? "," : "", list->units[i]);
}

static bool parse_activation(const char *text, void *field)
{
    activation_list list = {0};
    char item[32];
    while (next_item(&text, item, sizeof item)) {
        glia_activation activation;
        if (list.n == MAX_HIDDEN || !glia_activation_from_name(item, &activation)) return false;
        if (activation == GLIA_SOFTMAX) return false;
        list.of[list.n++] = activation;
    }
    *(activation_list *)field = list;
    return true;
}

void train_show_activation(const void *field, char *text, size_t size)
{
    const activation_list *list = field;
    size_t used = 0;
    for (size_t i = 0; i < list->n && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? "," : "",
                                 glia_activation_name(list->of[i]));
}

/* Below 0 means constant. */
static bool parse_lr_end(const char *text, void *field)
{
    double value = -1;
    if (strcmp(text, "constant") != 0 && (!parse_real(text, &value) || value < 0)) return false;
    *(double *)field = value;
    return true;
}

static bool parse_validation(const char *text, void *field)
{
    double value;
    if (!parse_real(text, &value) || value <= 0) return false;
    if (value >= 1 && (value != floor(value) || value > 1e15)) return false;
    *(double *)field = value;
    return true;
}

/* Of hidden layers. */
static const char *const activation_names[] = {
#define X(name, text) text,
    GLIA_HIDDEN_ACTIVATION_LIST(X)
#undef X
        NULL};

static const char *const init_names[] = {
#define X(name, text) [GLIA_INIT_##name] = text,
    GLIA_INIT_LIST(X)
#undef X
        NULL};

const char *const engine_names[] = {
#define X(name, text) [GLIA_ENGINE_##name] = text,
    GLIA_ENGINE_LIST(X)
#undef X
        NULL};

const char *const precision_names[] = {
#define X(name, text) [GLIA_PRECISION_##name] = text,
    GLIA_PRECISION_LIST(X)
#undef X
        NULL};

#define TRAIN_FIELD(field) .offset = offsetof(train_options, field)

/* clang-format off */
const struct option train_option_table[] = {
    {.kind = OPTION_HEADING, .name = "Recipe"},
    {.kind = OPTION_RECIPE, .name = "recipe", .metavar = "NAME", TRAIN_FIELD(recipe),
     .recipes = train_recipes, .shown_default = "",
     .help = "begin with the options that a recipe stands for (see below); those of the command "
             "line, before or after it, override them"},
    {.kind = OPTION_FLAG, .name = "print", .offset = offsetof(common_options, print),
     .help = "print the command that this one stands for, without its recipe, and do nothing"},

    {.kind = OPTION_HEADING, .name = "Network"},
    {.kind = OPTION_OTHER, .name = "hidden", .metavar = "LIST", TRAIN_FIELD(hidden),
     .parse = parse_hidden, .show = show_hidden,
     .expected = "numbers of units such as 256 or 512,256 (at most 63 layers of 1 to 1048576), "
                 "or none",
     .help = "units of the hidden layers, as 512,256; none: softmax regression"},
    {.kind = OPTION_OTHER, .name = "activation", .metavar = "LIST", TRAIN_FIELD(activation),
     .parse = parse_activation, .show = train_show_activation, .choices = activation_names,
     .expected = "sigmoid, tanh, relu, identity, leaky-relu, elu, gelu, silu or scaled-tanh, or "
                 "one of these for each hidden layer",
     .help = "sigmoid, tanh, relu, identity, leaky-relu, elu, gelu, silu or scaled-tanh: one for "
             "all hidden layers, or a list of one for each"},
    {.kind = OPTION_CHOICE, .name = "init", .metavar = "NAME", TRAIN_FIELD(init),
     .choices = init_names, .help = "distribution of the first weights"},

    {.kind = OPTION_HEADING, .name = "Training"},
    {.kind = OPTION_REAL, .name = "lr", .metavar = "X", TRAIN_FIELD(params.lr),
     .above_min = true, .shown_default = "0.2",
     .help = "learning rate (default with momentum and nesterov: 0.02; with rmsprop, adam and "
             "adamw: 0.001)"},
    {.kind = OPTION_OTHER, .name = "lr-end", .metavar = "X", TRAIN_FIELD(params.lr_end),
     .parse = parse_lr_end, .expected = "a number of at least 0, or constant",
     .shown_default = "constant", .help = "let the learning rate fall linearly to X"},
    {.kind = OPTION_REAL, .name = "warmup", .metavar = "X", TRAIN_FIELD(params.warmup),
     .max = 1, .below_max = true,
     .help = "before that, let it rise linearly from 0 over this part of all steps"},
    {.kind = OPTION_COUNT, .name = "batch", .metavar = "N", TRAIN_FIELD(params.batch),
     .min = 1, .help = "samples for each update; 1: update after every sample"},
    {.kind = OPTION_COUNT, .name = "epochs", .metavar = "N", TRAIN_FIELD(params.epochs),
     .max = 1e9, .help = "passes over the training data"},
    {.kind = OPTION_SEED, .name = "seed", .metavar = "N", TRAIN_FIELD(params.seed),
     .help = "of the first weights, the shuffles, the distortions and the choice of the validation "
             "samples"},
    {.kind = OPTION_INT, .name = "threads", .metavar = "N", TRAIN_FIELD(params.threads),
     .max = 1024,
     .help = "0: one a core; the result does not depend on it (with onednn it may)"},
    {.kind = OPTION_CHOICE, .name = "engine", .metavar = "NAME", TRAIN_FIELD(engine),
     .choices = engine_names,
     .help = "what computes (see above); auto takes native for f32, onednn for bf16"},
    {.kind = OPTION_CHOICE, .name = "precision", .metavar = "NAME", TRAIN_FIELD(precision),
     .choices = precision_names, .help = "what numbers are multiplied in; bf16 wants a CPU that has it"},
    {.kind = OPTION_FLAG, .name = "fresh", TRAIN_FIELD(fresh),
     .help = "draw new images in every epoch (digits alone); validation samples come from the next "
             "--data-seed"},

    AUGMENT_OPTIONS(train_options, augment),

    {.kind = OPTION_HEADING, .name = "Early stopping"},
    {.kind = OPTION_OTHER, .name = "validation", .metavar = "X", TRAIN_FIELD(validation),
     .parse = parse_validation,
     .expected = "a fraction between 0 and 1, or a whole number of samples",
     .help = "hold out a fraction or a number of the training samples, as many of each class in "
             "proportion; the weights of the epoch with the lowest loss on them are kept"},
    {.kind = OPTION_COUNT, .name = "patience", .metavar = "N", TRAIN_FIELD(params.patience),
     .max = 1e9, .shown_default = "",
     .help = "stop after N epochs without a lower validation loss"},
    {.kind = OPTION_REAL, .name = "min-delta", .metavar = "X", TRAIN_FIELD(params.min_delta),
     .help = "a loss is lower when it is lower by more than X"},

    SOURCE_OPTIONS,

    {.kind = OPTION_HEADING, .name = "Result"},
    {.kind = OPTION_TEXT, .name = "output", .letter = 'o', .metavar = "FILE", TRAIN_FIELD(output),
     .aside = true, .shown_default = "DATA.safetensors", .help = "where the model goes"},
    {.kind = OPTION_TEXT, .name = "run", .metavar = "DIR", TRAIN_FIELD(run), .aside = true,
     .help = "keep the run in the folder DIR, which is made: settings, environment, a line of "
             "metrics every few thousand samples, result, and the model if -o does not say where"},
    {.kind = OPTION_FLAG, .name = "tensorboard", TRAIN_FIELD(tensorboard), .aside = true,
     .help = "write the metrics to that folder as TensorBoard's events too"},
    {.kind = OPTION_FLAG, .name = "plot", TRAIN_FIELD(plot), .aside = true,
     .help = "draw curves of loss and accuracy below the epochs: on a terminal as training goes, "
             "elsewhere at its end"},
    {.kind = OPTION_FLAG, .name = "quiet", .letter = 'q', TRAIN_FIELD(quiet), .aside = true,
     .help = "print the result alone, no progress"},
    COMMON_OPTIONS,
};
/* clang-format on */

void train_set_defaults(void *field)
{
    train_options *options = field;
    source_set_defaults(&options->source);
    options->hidden = (unit_list){1, {256}};
    options->activation = (activation_list){1, {GLIA_RELU}};
    options->init = GLIA_INIT_AUTO;
    options->params = glia_train_default_params();
    augment_set_defaults(&options->augment);
}

bool train_check_options(const train_options *options, const char *data)
{
    size_t hidden = options->hidden.n, activations = options->activation.n;
    if (activations > 1 && activations != hidden) {
        complain("train: --activation: found %zu for %zu hidden layer%s, expected one for all or "
                 "one for each",
                 activations, hidden, hidden == 1 ? "" : "s");
        return false;
    }
    if (options->validation == 0 && options->params.patience > 0) {
        complain("train: --patience needs a validation set; add --validation 0.1, say");
        return false;
    }
    if (options->validation == 0 && options->params.min_delta > 0) {
        complain("train: --min-delta needs a validation set; add --validation 0.1, say");
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
    return augment_check("train", &options->augment) && source_check(&options->source, data);
}
