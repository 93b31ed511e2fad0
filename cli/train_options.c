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

/* Below 0: not given. */
static bool parse_lr_end(const char *text, void *field)
{
    double value = -1;
    if (strcmp(text, "constant") != 0 && (!parse_real(text, &value) || value < 0)) return false;
    *(double *)field = value;
    return true;
}

static bool parse_class_weights(const char *text, void *field)
{
    class_weight_list list = {.balanced = strcmp(text, "balanced") == 0};
    char item[32];
    while (!list.balanced && next_item(&text, item, sizeof item)) {
        if (list.n == MAX_CLASS_WEIGHTS || !parse_real(item, &list.weights[list.n])) return false;
        if (list.weights[list.n++] < 0) return false;
    }
    *(class_weight_list *)field = list;
    return true;
}

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

static const char *const standardise_words[] = {
    [STANDARDISE_AUTO] = "auto", [STANDARDISE_YES] = "yes", [STANDARDISE_NO] = "no", NULL};

static const char *const split_orders[] = {[ORDER_RANDOM] = "random", [ORDER_LAST] = "last", NULL};

/* Of hidden layers. */
static const char *const activation_names[] = {
#define X(name, text) text,
    GLIA_HIDDEN_ACTIVATION_LIST(X)
#undef X
        NULL};

static const char *const optimizer_names[] = {
#define X(name, text) [GLIA_##name] = text,
    GLIA_OPTIMIZER_LIST(X)
#undef X
        NULL};

static const char *const init_names[] = {
#define X(name, text) [GLIA_INIT_##name] = text,
    GLIA_INIT_LIST(X)
#undef X
        NULL};

const char *const schedule_names[] = {
#define X(name, text) [GLIA_SCHEDULE_##name] = text,
    GLIA_SCHEDULE_LIST(X)
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
     .help = "begin with the options of a recipe: one of those below, or a file of your own (see "
             "above); those of the command line, before or after it, override them"},
    {.kind = OPTION_FLAG, .name = "print", .offset = offsetof(common_options, print),
     .help = "print this command's options as a recipe, to be kept in a file and changed, and do "
             "nothing"},

    {.kind = OPTION_HEADING, .name = "Network"},
    {.kind = OPTION_OTHER, .name = "hidden", .metavar = "LIST", TRAIN_FIELD(hidden),
     .parse = parse_hidden, .show = show_hidden,
     .expected = "numbers of units such as 256 or 512,256 (at most 63 layers of 1 to 1048576), "
                 "or none",
     .help = "units of the hidden layers, as 512,256; none: softmax or linear regression"},
    {.kind = OPTION_OTHER, .name = "activation", .metavar = "LIST", TRAIN_FIELD(activation),
     .parse = parse_activation, .show = train_show_activation, .choices = activation_names,
     .expected = "sigmoid, tanh, relu, identity, leaky-relu, elu, gelu, silu or scaled-tanh, or "
                 "one of these for each hidden layer",
     .help = "sigmoid, tanh, relu, identity, leaky-relu, elu, gelu, silu or scaled-tanh: one for "
             "all hidden layers, or a list of one for each"},
    {.kind = OPTION_FLAG, .name = "batch-norm", TRAIN_FIELD(batch_norm),
     .help = "normalise the sums of hidden units over each batch"},
    {.kind = OPTION_FLAG, .name = "deskew", TRAIN_FIELD(deskew),
     .help = "shear each image upright, here and whenever the network reads one"},
    {.kind = OPTION_FLAG, .name = "centre", TRAIN_FIELD(centre),
     .help = "move its centre of mass to the middle, likewise"},
    {.kind = OPTION_CHOICE, .name = "standardise", .metavar = "WORD", TRAIN_FIELD(standardise),
     .choices = standardise_words,
     .help = "bring the inputs to mean 0 and standard deviation 1, by each channel of images, or by "
             "each feature of other samples, here and whenever the network reads one; auto does so "
             "for pictures in colour"},
    {.kind = OPTION_CHOICE, .name = "loss", .metavar = "NAME", TRAIN_FIELD(source.table.loss),
     .choices = loss_choices,
     .help = "what is learned, and what the outputs are: cross-entropy, one of several classes; "
             "bce, any of several labels of 0 and 1; mse, mae or huber, values; auto is what fits "
             "the data"},
    {.kind = OPTION_CHOICE, .name = "init", .metavar = "NAME", TRAIN_FIELD(init),
     .choices = init_names, .help = "distribution of the first weights"},

    {.kind = OPTION_HEADING, .name = "Training"},
    {.kind = OPTION_CHOICE, .name = "optimizer", .metavar = "NAME", TRAIN_FIELD(optimizer),
     .choices = optimizer_names, .help = "how weights follow their gradient"},
    {.kind = OPTION_REAL, .name = "lr", .metavar = "X", TRAIN_FIELD(params.lr),
     .above_min = true, .shown_default = "0.2",
     .help = "learning rate (default with momentum and nesterov: 0.02; with rmsprop, adam and "
             "adamw: 0.001)"},
    {.kind = OPTION_CHOICE, .name = "schedule", .metavar = "NAME", TRAIN_FIELD(schedule),
     .choices = schedule_names,
     .help = "how the learning rate goes on from there; auto is linear if there is an lr-end, else "
             "constant"},
    {.kind = OPTION_OTHER, .name = "lr-end", .metavar = "X", TRAIN_FIELD(params.lr_end),
     .parse = parse_lr_end, .expected = "a number of at least 0, or constant",
     .shown_default = "constant",
     .help = "let the learning rate fall to X by the last step: linearly, or as cosine and "
             "one-cycle do (which fall to 0 and lr / 250000 unless told)"},
    {.kind = OPTION_REAL, .name = "lr-factor", .metavar = "X", TRAIN_FIELD(params.lr_factor),
     .max = 1, .above_min = true, .shown_default = "",
     .help = "what step multiplies the rate by each time (0.1 unless given), and exponential in an "
             "epoch (0.95)"},
    {.kind = OPTION_COUNT, .name = "lr-every", .metavar = "N", TRAIN_FIELD(params.lr_every),
     .min = 1, .max = 1e9, .shown_default = "",
     .help = "how many epochs lie between the falls of step (a third of all unless given)"},
    {.kind = OPTION_REAL, .name = "warmup", .metavar = "X", TRAIN_FIELD(params.warmup),
     .max = 1, .below_max = true,
     .help = "before that, let it rise linearly from 0 over this part of all steps; of one-cycle "
             "the part that rises (0.3 unless given)"},
    {.kind = OPTION_COUNT, .name = "batch", .metavar = "N", TRAIN_FIELD(params.batch),
     .min = 1, .help = "samples for each update; 1: update after every sample"},
    {.kind = OPTION_COUNT, .name = "epochs", .metavar = "N", TRAIN_FIELD(params.epochs),
     .max = 1e9, .help = "passes over the training data"},
    {.kind = OPTION_SEED, .name = "seed", .metavar = "N", TRAIN_FIELD(params.seed),
     .help = "of the first weights, the shuffles, the distortions and the choice of the validation "
             "samples"},
    {.kind = OPTION_COUNT, .name = "seeds", .metavar = "N", TRAIN_FIELD(seeds),
     .min = 1, .max = 100000, .aside = true, .shown_default = "",
     .help = "N runs, one after the other, the next each with the next seed; mean, standard "
             "deviation and standard error of their accuracies"},
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

    {.kind = OPTION_REAL, .name = "momentum", .metavar = "X", TRAIN_FIELD(params.momentum),
     .max = 1, .below_max = true,
     .help = "of momentum and nesterov; beta1 of adam and adamw"},
    {.kind = OPTION_REAL, .name = "beta2", .metavar = "X", TRAIN_FIELD(params.beta2),
     .max = 1, .below_max = true, .shown_default = "0.999",
     .help = "of adam and adamw; of rmsprop, with a default of 0.99"},
    {.kind = OPTION_REAL, .name = "epsilon", .metavar = "X", TRAIN_FIELD(params.epsilon),
     .above_min = true, .help = "of adam, adamw and rmsprop"},
    {.kind = OPTION_REAL, .name = "averaging", .metavar = "X", TRAIN_FIELD(params.averaging),
     .max = 1, .below_max = true,
     .help = "keep a moving average of the weights, X of which stays in each step, as 0.999; it is "
             "what is validated and saved"},

    {.kind = OPTION_HEADING, .name = "Regularisation"},
    {.kind = OPTION_REAL, .name = "dropout", .metavar = "X", TRAIN_FIELD(params.dropout),
     .max = 1, .below_max = true, .help = "leave out this part of the hidden units in each step"},
    {.kind = OPTION_REAL, .name = "input-dropout", .metavar = "X",
     TRAIN_FIELD(params.input_dropout), .max = 1, .below_max = true, .help = "... of the inputs"},
    {.kind = OPTION_REAL, .name = "input-noise", .metavar = "X", TRAIN_FIELD(params.input_noise),
     .help = "add normal noise with this standard deviation to the inputs, which go from 0 to 1 in "
             "images"},
    {.kind = OPTION_REAL, .name = "label-smoothing", .metavar = "X",
     TRAIN_FIELD(params.label_smoothing), .max = 1, .below_max = true,
     .help = "spread this part of each label over all classes (cross-entropy alone)"},
    {.kind = OPTION_REAL, .name = "weight-decay", .metavar = "X", TRAIN_FIELD(params.weight_decay),
     .shown_default = "0",
     .help = "shrink weights by lr * X in each step, beside the gradient (adamw's default: 0.01)"},
    {.kind = OPTION_REAL, .name = "l2", .metavar = "X", TRAIN_FIELD(params.l2),
     .help = "add X / 2 times the sum of the squared weights to the loss"},
    {.kind = OPTION_REAL, .name = "l1", .metavar = "X", TRAIN_FIELD(params.l1),
     .help = "add X times the sum of the weights' magnitudes to the loss"},
    {.kind = OPTION_REAL, .name = "max-norm", .metavar = "X", TRAIN_FIELD(params.max_norm),
     .help = "keep the norm of each hidden unit's weights at X or below (0: no limit)"},
    {.kind = OPTION_REAL, .name = "clip-norm", .metavar = "X", TRAIN_FIELD(params.clip_norm),
     .help = "scale a larger gradient down to this norm (0: no limit)"},
    {.kind = OPTION_OTHER, .name = "class-weights", .metavar = "LIST",
     TRAIN_FIELD(class_weights), .parse = parse_class_weights,
     .expected = "balanced, or a number of at least 0 for each class, as 1,1,2.5",
     .help = "how much the samples of each class count; balanced: each class as much as the others "
             "(cross-entropy alone)"},
    AUGMENT_OPTIONS(train_options, augment),
    AUGMENT_FADE_OPTIONS(train_options, augment),

    TABLE_COLUMN_OPTIONS(train_options, source.table),

    {.kind = OPTION_HEADING, .name = "What is held out"},
    {.kind = OPTION_OTHER, .name = "test", .metavar = "X", TRAIN_FIELD(test),
     .parse = parse_held, .shown_default = "0.2 of a table",
     .expected = "a fraction between 0 and 1, a whole number of samples, a file, or none",
     .help = "of a table: the fraction or number of rows that the finished network is scored on, as "
             "many of each class in proportion; or a file that holds them; or none"},
    {.kind = OPTION_OTHER, .name = "validation", .metavar = "X", TRAIN_FIELD(validation),
     .parse = parse_held,
     .expected = "a fraction between 0 and 1, a whole number of samples, a file, or none",
     .help = "hold out a fraction or a number of the training samples, as many of each class in "
             "proportion, or read them from a file; the weights of the epoch with the lowest loss "
             "on them are kept"},
    {.kind = OPTION_CHOICE, .name = "split", .metavar = "WORD", TRAIN_FIELD(order),
     .choices = split_orders,
     .help = "which samples are held out: random ones, or the last (of a series in time)"},
    {.kind = OPTION_COUNT, .name = "folds", .metavar = "K", TRAIN_FIELD(folds),
     .min = 2, .max = 100000, .aside = true, .shown_default = "",
     .help = "K-fold cross-validation of a table: K runs, each scored on another Kth of the rows "
             "that it has not learned from; with -o one more, on all rows, makes the model"},
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
    {.kind = OPTION_TEXT, .name = "checkpoint", .metavar = "DIR", TRAIN_FIELD(checkpoint),
     .aside = true,
     .help = "keep the state of the run in the folder DIR, which is made, while it goes on, so that "
             "it can be broken off at any moment and continued by --resume DIR"},
    {.kind = OPTION_OTHER, .name = "checkpoint-every", .metavar = "N",
     TRAIN_FIELD(checkpoint_every), .aside = true, .parse = parse_interval,
     .expected = "a number of steps such as 500, or a time such as 30s, 5m or 1h",
     .shown_default = "30s", .help = "how often: every N steps (500), or after a time (30s, 5m)"},
    {.kind = OPTION_TEXT, .name = "resume", .metavar = "DIR", TRAIN_FIELD(resume), .aside = true,
     .alone = true,
     .help = "go on with the run in DIR, which knows its data and settings; only threads, "
             "checkpoint-every, plot, quiet and json may be given anew"},
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
    const bool validates = train_holds_out(&options->validation);
    if (!validates && options->params.patience > 0) {
        complain("train: --patience needs a validation set; add --validation 0.1, say");
        return false;
    }
    if (!validates && options->params.min_delta > 0) {
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
    if (!source_is_file(data) && options->folds > 0) {
        complain("train: --folds divides a table; %s is none, and has a test split of its own or "
                 "none (of pictures: "
                 "folders train and test)",
                 data);
        return false;
    }
    if (!source_is_file(data) && options->test.is_given) {
        complain("train: --test divides a table; %s is none, and has a test split of its own or "
                 "none (of pictures: "
                 "folders train and test)",
                 data);
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
    return augment_check("train", &options->augment) && source_check(&options->source, data);
}
