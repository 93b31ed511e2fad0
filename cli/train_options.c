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
     .help = "begin with the options of a recipe: a built-in one (listed below) or a file; "
             "other options on the command line override it"},
    {.kind = OPTION_FLAG, .name = "print", .offset = offsetof(common_options, print),
     .help = "print the options as a recipe, to keep and change, and train nothing"},

    {.kind = OPTION_HEADING, .name = "Network"},
    {.kind = OPTION_OTHER, .name = "hidden", .metavar = "LIST", TRAIN_FIELD(hidden),
     .parse = parse_hidden, .show = show_hidden,
     .expected = "numbers of units such as 256 or 512,256 (at most 63 layers of 1 to 1048576), "
                 "or none",
     .help = "units of each hidden layer, as 512,256; none: no hidden layer, which is "
             "softmax or linear regression"},
    {.kind = OPTION_OTHER, .name = "activation", .metavar = "LIST", TRAIN_FIELD(activation),
     .parse = parse_activation, .show = train_show_activation, .choices = activation_names,
     .expected = "sigmoid, tanh, relu, identity, leaky-relu, elu, gelu, silu or scaled-tanh, or "
                 "one of these for each hidden layer",
     .help = "activation of the hidden layers: one of sigmoid, tanh, relu, identity, "
             "leaky-relu, elu, gelu, silu, scaled-tanh, or a list with one for each layer"},
    {.kind = OPTION_FLAG, .name = "batch-norm", TRAIN_FIELD(batch_norm),
     .help = "normalise the sums of hidden units over each batch"},
    {.kind = OPTION_FLAG, .name = "deskew", TRAIN_FIELD(deskew),
     .help = "shear each image until it stands upright, in training and in prediction"},
    {.kind = OPTION_FLAG, .name = "centre", TRAIN_FIELD(centre),
     .help = "move the centre of mass of each image to the middle, in training and in "
             "prediction"},
    {.kind = OPTION_CHOICE, .name = "standardise", .metavar = "WORD", TRAIN_FIELD(standardise),
     .choices = standardise_words,
     .help = "scale the inputs to mean 0 and standard deviation 1, for each channel of "
             "images or for each feature of other samples, in training and in prediction; "
             "auto does it for pictures that are not light on dark"},
    {.kind = OPTION_CHOICE, .name = "loss", .metavar = "NAME", TRAIN_FIELD(source.table.loss),
     .choices = loss_choices,
     .help = "the loss, which decides what the outputs are: one of several classes "
             "(cross-entropy), labels that are each 0 or 1 (bce), or values (the others); auto "
             "chooses by the data"},
    {.kind = OPTION_CHOICE, .name = "init", .metavar = "NAME", TRAIN_FIELD(init),
     .choices = init_names, .help = "distribution of the first weights"},

    {.kind = OPTION_HEADING, .name = "Training"},
    {.kind = OPTION_CHOICE, .name = "optimizer", .metavar = "NAME", TRAIN_FIELD(optimizer),
     .choices = optimizer_names, .help = "how a step follows the gradient"},
    {.kind = OPTION_REAL, .name = "lr", .metavar = "X", TRAIN_FIELD(params.lr),
     .above_min = true, .shown_default = "0.2",
     .help = "learning rate (default with momentum and nesterov: 0.02; with rmsprop, adam and "
             "adamw: 0.001)"},
    {.kind = OPTION_CHOICE, .name = "schedule", .metavar = "NAME", TRAIN_FIELD(schedule),
     .choices = schedule_names,
     .help = "how the learning rate changes; auto is linear if lr-end is given, else constant"},
    {.kind = OPTION_OTHER, .name = "lr-end", .metavar = "X", TRAIN_FIELD(params.lr_end),
     .parse = parse_lr_end, .expected = "a number of at least 0, or constant",
     .shown_default = "constant",
     .help = "the learning rate at the last step of the schedules linear, cosine and "
             "one-cycle; without it cosine falls to 0 and one-cycle to lr / 250000"},
    {.kind = OPTION_REAL, .name = "lr-factor", .metavar = "X", TRAIN_FIELD(params.lr_factor),
     .max = 1, .above_min = true, .shown_default = "",
     .help = "factor of the schedules step (at each fall; 0.1 unless given) and exponential "
             "(in each epoch; 0.95 unless given)"},
    {.kind = OPTION_COUNT, .name = "lr-every", .metavar = "N", TRAIN_FIELD(params.lr_every),
     .min = 1, .max = 1e9, .shown_default = "",
     .help = "epochs between two falls of the schedule step (a third of all epochs unless "
             "given)"},
    {.kind = OPTION_REAL, .name = "warmup", .metavar = "X", TRAIN_FIELD(params.warmup),
     .max = 1, .below_max = true,
     .help = "part of all steps in which the learning rate first rises linearly from 0 (with "
             "one-cycle 0.3 unless given)"},
    {.kind = OPTION_COUNT, .name = "batch", .metavar = "N", TRAIN_FIELD(params.batch),
     .min = 1, .help = "samples in each update; 1 updates after every sample"},
    {.kind = OPTION_COUNT, .name = "epochs", .metavar = "N", TRAIN_FIELD(params.epochs),
     .max = 1e9, .help = "passes over the training data"},
    {.kind = OPTION_SEED, .name = "seed", .metavar = "N", TRAIN_FIELD(params.seed),
     .help = "seed of the first weights, the order of the samples, the distortions and the "
             "validation samples"},
    {.kind = OPTION_COUNT, .name = "seeds", .metavar = "N", TRAIN_FIELD(seeds),
     .min = 1, .max = 100000, .aside = true, .shown_default = "",
     .help = "train N times with N consecutive seeds, and print mean, standard deviation "
             "and standard error"},
    {.kind = OPTION_INT, .name = "threads", .metavar = "N", TRAIN_FIELD(params.threads),
     .max = 1024,
     .help = "number of threads; 0: one for each core; the result does not depend on it, except "
             "with onednn"},
    {.kind = OPTION_CHOICE, .name = "engine", .metavar = "NAME", TRAIN_FIELD(engine),
     .choices = engine_names,
     .help = "the engine that computes (see above); auto takes native for f32 and onednn "
             "for bf16"},
    {.kind = OPTION_CHOICE, .name = "precision", .metavar = "NAME", TRAIN_FIELD(precision),
     .choices = precision_names, .help = "precision of the products; bf16 needs a CPU that has it"},
    {.kind = OPTION_FLAG, .name = "fresh", TRAIN_FIELD(fresh),
     .help = "draw new images in every epoch (digits only); validation samples come from "
             "the next --data-seed"},

    {.kind = OPTION_REAL, .name = "momentum", .metavar = "X", TRAIN_FIELD(params.momentum),
     .max = 1, .below_max = true,
     .help = "momentum of momentum and nesterov; beta1 of adam and adamw"},
    {.kind = OPTION_REAL, .name = "beta2", .metavar = "X", TRAIN_FIELD(params.beta2),
     .max = 1, .below_max = true, .shown_default = "0.999",
     .help = "beta2 of adam and adamw (0.999) and of rmsprop (0.99)"},
    {.kind = OPTION_REAL, .name = "epsilon", .metavar = "X", TRAIN_FIELD(params.epsilon),
     .above_min = true, .help = "epsilon of adam, adamw and rmsprop"},
    {.kind = OPTION_REAL, .name = "averaging", .metavar = "X", TRAIN_FIELD(params.averaging),
     .max = 1, .below_max = true,
     .help = "validate and save a moving average of the weights; each step keeps the part X "
             "of it, as 0.999"},

    {.kind = OPTION_HEADING, .name = "Regularisation"},
    {.kind = OPTION_REAL, .name = "dropout", .metavar = "X", TRAIN_FIELD(params.dropout),
     .max = 1, .below_max = true, .help = "leave this part of the hidden units out in each step"},
    {.kind = OPTION_REAL, .name = "input-dropout", .metavar = "X",
     TRAIN_FIELD(params.input_dropout), .max = 1, .below_max = true, .help = "leave this part of the inputs out in each step"},
    {.kind = OPTION_REAL, .name = "input-noise", .metavar = "X", TRAIN_FIELD(params.input_noise),
     .help = "add normal noise with this standard deviation to the inputs (pixels go from 0 "
             "to 1)"},
    {.kind = OPTION_REAL, .name = "label-smoothing", .metavar = "X",
     TRAIN_FIELD(params.label_smoothing), .max = 1, .below_max = true,
     .help = "spread this part of each label over all classes (cross-entropy only)"},
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
     .help = "weight of each class; balanced gives all classes the same total weight "
             "(cross-entropy only)"},
    AUGMENT_OPTIONS(train_options, augment),
    AUGMENT_FADE_OPTIONS(train_options, augment),

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
    {.kind = OPTION_COUNT, .name = "patience", .metavar = "N", TRAIN_FIELD(params.patience),
     .max = 1e9, .shown_default = "",
     .help = "stop after N epochs without a lower validation loss"},
    {.kind = OPTION_REAL, .name = "min-delta", .metavar = "X", TRAIN_FIELD(params.min_delta),
     .help = "a lower loss counts only if it is lower by more than X"},

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
    return augment_check("train", &options->augment) && source_check(&options->source, data);
}
