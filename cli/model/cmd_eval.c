/* SPDX-License-Identifier: MIT */
/* glia eval: scores a model on a data set, as a whole and class by class. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/source.h"
#include "job/model_path.h"
#include "job/scores.h"
#include "shell/commands.h"
#include "shell/output.h"

enum { MOST_SHOWN = 24 }; /* classes up to which the confusion matrix is printed */

typedef struct eval_options {
    source_options source;
    int split;
    int threads;
    bool all_rows;
} eval_options;

/* clang-format off */
static const struct option eval_table[] = {
    {.kind = OPTION_HEADING, .name = "Scoring"},
    {.kind = OPTION_CHOICE, .name = "split", .metavar = "NAME", .choices = split_names,
     .offset = offsetof(eval_options, split), .help = "the samples to score"},
    {.kind = OPTION_FLAG, .name = "all-rows", .offset = offsetof(eval_options, all_rows),
     .help = "score every row of the file that the model was trained on, not only those held out"},
    {.kind = OPTION_INT, .name = "threads", .metavar = "N", .max = 1024,
     .offset = offsetof(eval_options, threads), .help = "number of threads; 0: one for each core"},
    SOURCE_OPTIONS,
    TABLE_UNKNOWN_OPTION(eval_options, source.table),
    COMMON_OPTIONS,
};
/* clang-format on */

static const example eval_examples[] = {
    {"glia eval digits.safetensors digits", "Score on the digits held back from training."},
    {"glia eval digits.safetensors mnist --json", "Score on people's handwriting, as JSON."},
    {NULL, NULL},
};

static void eval_set_defaults(void *field)
{
    eval_options *options = field;
    source_set_defaults(&options->source);
    options->split = GLIA_SPLIT_TEST;
}

/* ---- For people ---------------------------------------------------------------------------- */

/* The classes that are shown: those that occur or were predicted. */
struct shown {
    size_t *of; /* (n), owned */
    size_t n;
};

static struct shown find_shown(const uint64_t *confusion, size_t classes)
{
    struct shown shown = {need_memory(classes, sizeof *shown.of), 0};
    for (size_t k = 0; k < classes; k++)
        if (!isnan(score_class(confusion, classes, k).f1)) shown.of[shown.n++] = k;
    return shown;
}

/* Rows the true class, columns the predicted one. */
static void print_matrix(const glia_network *network, const uint64_t *confusion, size_t classes,
                         const struct shown *shown)
{
    char alignment[MOST_SHOWN + 2];
    const char *headings[MOST_SHOWN + 2];
    char *names[MOST_SHOWN];
    size_t n = shown->n;
    bool numbered = false; /* names too long for columns give way to their row's number */
    for (size_t i = 0; i < n; i++) {
        names[i] = clean_text(glia_network_class_name(network, shown->of[i]));
        numbered = numbered || text_width(names[i]) > 5;
    }
    words numbers[MOST_SHOWN];
    memset(alignment, 'r', sizeof alignment);
    alignment[0] = 'l';
    alignment[n + 1] = '\0';
    headings[0] = "";
    for (size_t i = 0; i < n; i++) {
        snprintf(numbers[i].s, sizeof numbers[i].s, "%zu", shown->of[i]);
        headings[i + 1] = numbered ? numbers[i].s : names[i];
    }

    struct table *table = table_new(alignment, headings);
    for (size_t i = 0; i < n; i++) {
        if (numbered)
            table_add(table, STYLE_PLAIN, "%2zu  %s", shown->of[i], names[i]);
        else
            table_add(table, STYLE_PLAIN, "%s", names[i]);
        for (size_t j = 0; j < n; j++) {
            uint64_t count = confusion[shown->of[i] * classes + shown->of[j]];
            table_add(table,
                      i == j       ? STYLE_BOLD
                      : count == 0 ? STYLE_DIM
                                   : STYLE_PLAIN,
                      "%s", count == 0 ? "." : show_count(count).s);
        }
    }
    if (table_width(table) > line_room(stdout)) {
        printf("\nThe confusion matrix needs %zu columns; --json has it too.\n",
               table_width(table));
    } else {
        printf("\nConfusion: rows the true class, columns the predicted one\n\n");
        table_print(table, stdout, NULL);
    }
    table_free(table);
    for (size_t i = 0; i < n; i++) free(names[i]);
}

static void print_classes(const glia_network *network, const uint64_t *confusion, size_t classes,
                          const struct shown *shown)
{
    static const char *const headings[] = {"class", "precision", "recall", "F1", "samples"};
    struct table *table = table_new("lrrrr", headings);
    for (size_t i = 0; i < shown->n; i++) {
        class_score score = score_class(confusion, classes, shown->of[i]);
        table_add(table, STYLE_PLAIN, "%s", glia_network_class_name(network, shown->of[i]));
        table_add(table, STYLE_PLAIN, "%s", show_percent(score.precision).s);
        table_add(table, STYLE_PLAIN, "%s", show_percent(score.recall).s);
        table_add(table, STYLE_PLAIN, "%s", show_percent(score.f1).s);
        table_add(table, STYLE_PLAIN, "%s", show_count(score.support).s);
    }
    printf("\n");
    table_print(table, stdout, "34");
    table_free(table);
    if (shown->n < classes)
        printf("\n%zu of %zu classes are left out: they neither occur nor were predicted.\n",
               classes - shown->n, classes);
}

/* What the score is of. */
struct scored {
    const char *model; /* its file */
    const char *data;
    int split;
    size_t rows;          /* of the file, of which those held out are scored; 0: all samples are */
    glia_overlap overlap; /* of all samples with those that the model has learned from */
    bool validated;       /* those held out have chosen the epoch */
    bool is_whole;        /* the data have no test samples of their own */
};

/* A file of the name of the training file with other rows may hold some that were learned from. */
static void note_same_name(const struct scored *scored)
{
    char *name = scored->overlap == GLIA_OVERLAP_UNKNOWN && source_is_file(scored->data)
                     ? model_trained_on(scored->model)
                     : NULL;
    if (name != NULL && is_named(scored->data, name))
        printf(
            "note: the model was trained on a file of this name that had other rows; it may have "
            "learned from some of these\n");
    free(name);
}

/* The samples that are scored, and what is to be known of them to judge the score. */
static void print_samples(const struct scored *scored, size_t samples)
{
    print_clean(stdout, source_shown_name(scored->data));
    if (scored->rows > 0)
        printf(", %s of its %s: those held out %s\n", show_count(samples).s,
               show_several(scored->rows, source_is_file(scored->data) ? "row" : "sample").s,
               scored->validated ? "to validate the training" : "from training");
    else if (source_is_file(scored->data))
        printf(", %s\n", show_several(samples, "sample").s);
    else
        printf(", %s, %s\n", split_names[scored->split], show_several(samples, "sample").s);
    note_same_name(scored);
    if (scored->rows > 0 || scored->overlap == GLIA_OVERLAP_UNKNOWN) return;
    printf("note: the model has learned from %s of these samples, so the score is higher than it "
           "would be on new ones\n",
           scored->overlap == GLIA_OVERLAP_ALL ? "all" : "most");
}

static score_text text_of(words w)
{
    score_text text;
    snprintf(text.s, sizeof text.s, "%s", w.s);
    return text;
}

static void print_score(const glia_network *network, const struct scored *scored,
                        const glia_metrics *score, const glia_metrics *targets,
                        const uint64_t *confusion)
{
    const char *dim = style_begin(stdout, STYLE_DIM), *end = style_end(stdout);
    size_t classes = glia_network_describe(network).classes;
    printf("%sdata    %s   ", dim, end);
    print_samples(scored, score->samples);
    const struct {
        const char *name;
        score_text value;
        bool fits;
    } figures[] = {
        {"accuracy", show_score(score), isfinite(score->accuracy)},
        {"balanced", text_of(show_percent(score->balanced_accuracy)), score_is_imbalanced(score)},
        {"exact", text_of(show_percent(score->exact)), isfinite(score->exact)},
        {"RMSE", text_of(show_number(score->rmse)), isfinite(score->rmse)},
        {"MAE", text_of(show_number(score->mae)), isfinite(score->mae)},
        {"R2", text_of(show_number(score->r2)), isfinite(score->r2)},
        {"ROC AUC", text_of(show_number(score->roc_auc)), isfinite(score->roc_auc)},
        {"AP", text_of(show_number(score->average_precision)), isfinite(score->average_precision)},
        {"loss", text_of(show_loss(score->loss)), true},
    };
    const char *bold = style_begin(stdout, STYLE_BOLD);
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        if (!figures[i].fits) continue;
        printf("%s%-8s%s   %s%s%s\n", dim, figures[i].name, end, bold, figures[i].value.s,
               *bold != '\0' ? end : "");
        bold = "";
    }
    if (score_is_imbalanced(score) || (isfinite(score->majority) && isfinite(score->roc_auc))) {
        print_clean(stdout, show_majority(score, network).s);
        printf("\n");
    }
    print_targets(network, targets);
    if (confusion == NULL) return;
    struct shown shown = find_shown(confusion, classes);
    if (shown.n <= MOST_SHOWN)
        print_matrix(network, confusion, classes, &shown);
    else
        printf("\nThe confusion matrix of %zu classes is too wide to be shown; --json has it.\n",
               shown.n);
    print_classes(network, confusion, classes, &shown);
    free(shown.of);
}

/* Of all samples of the data, also where those held out alone are scored. */
static const char *const overlaps[] = {
    [GLIA_OVERLAP_UNKNOWN] = "unknown", [GLIA_OVERLAP_ALL] = "all", [GLIA_OVERLAP_PART] = "part"};

/* ---- For programs -------------------------------------------------------------------------- */

static void print_json(const glia_network *network, const char *model, const struct scored *scored,
                       const glia_metrics *score, const glia_metrics *targets,
                       const uint64_t *confusion)
{
    size_t classes = glia_network_describe(network).classes;
    json_t *o = json_need(json_object()), *names = json_need(json_array());
    json_put(o, "model", json_text(model));
    json_put(o, "dataset", json_text(scored->data));
    json_put(o, "split", json_text(split_names[scored->split]));
    json_put(o, "rows", json_text(scored->rows > 0 ? "held-out" : "all"));
    json_put(o, "learned_from", json_text(overlaps[scored->overlap]));
    json_put(o, "samples", json_count(score->samples));
    json_put(o, "loss", json_number(score->loss));
    json_put(o, "accuracy", json_number(score->accuracy));
    json_put(o, "standard_error", json_number(score->standard_error));
    score_json(o, "", score, network);
    for (size_t k = 0; k < classes; k++)
        json_push(names, json_text(glia_network_class_name(network, k)));
    json_put(o, "classes", names);

    json_t *matrix = confusion != NULL ? json_need(json_array()) : json_null();
    json_t *per_class = confusion != NULL ? json_need(json_array()) : json_null();
    for (size_t i = 0; confusion != NULL && i < classes; i++) {
        json_t *row = json_need(json_array()), *of_class = json_need(json_object());
        for (size_t j = 0; j < classes; j++) json_push(row, json_count(confusion[i * classes + j]));
        json_push(matrix, row);

        class_score fare = score_class(confusion, classes, i);
        json_put(of_class, "class", json_text(glia_network_class_name(network, i)));
        json_put(of_class, "precision", json_number(fare.precision));
        json_put(of_class, "recall", json_number(fare.recall));
        json_put(of_class, "f1", json_number(fare.f1));
        json_put(of_class, "support", json_count(fare.support));
        json_push(per_class, of_class);
    }
    json_put(o, "confusion", matrix);
    json_put(o, "per_class", per_class);
    json_put(o, "per_target", targets_json(network, targets));
    json_print(o);
}

/*
 * The samples that say something about new ones: of the file that the model was trained on, those
 * that were held out (*held, to be freed before the data set), unless all were asked for.
 */
static glia_status choose_samples(const eval_options *options, const glia_network *network,
                                  const glia_dataset *dataset, struct scored *scored,
                                  glia_dataset **held, glia_error *error)
{
    const glia_status status =
        glia_dataset_unseen(network, dataset, &scored->overlap, held, &scored->validated, error);
    if (status != GLIA_OK || *held == NULL) return status;
    if (!options->all_rows && scored->is_whole) {
        scored->rows = glia_dataset_describe(dataset).samples;
        return GLIA_OK;
    }
    glia_dataset_free(*held);
    *held = NULL;
    return GLIA_OK;
}

/* Says which categories of the samples the model has never seen. */
static glia_status tell_unknown(const char *data, const glia_dataset *dataset, glia_error *error)
{
    glia_unknown *unknown = NULL;
    size_t n = 0;
    glia_status status = glia_dataset_unknown(dataset, &unknown, &n, error);
    source_tell_unknown(data, unknown, n);
    return status;
}

/* Opens the samples of the split; of a folder without test samples, those that training held out
 * are chosen from all. */
static int open_samples(const eval_options *options, const glia_network *network,
                        struct scored *scored, glia_dataset **out)
{
    const source_options *source = &options->source;
    glia_error error, other;
    glia_dataset *all = NULL, *held = NULL;
    glia_overlap overlap = GLIA_OVERLAP_UNKNOWN;
    if (!source_check(source, scored->data)) return EXIT_WRONG;
    scored->is_whole = source_is_file(scored->data);
    const glia_status status = source_open_for(source, network, scored->data,
                                               (glia_split)scored->split, 0, false, out, &error);
    if (status == GLIA_OK) return EXIT_DONE;
    if (status == GLIA_NOT_FOUND && scored->split == GLIA_SPLIT_TEST &&
        source_open_for(source, network, scored->data, GLIA_SPLIT_TRAIN, 0, false, &all, &other) ==
            GLIA_OK)
        glia_dataset_unseen(network, all, &overlap, &held, NULL, &other);
    glia_dataset_free(held);
    if (overlap != GLIA_OVERLAP_PART) {
        glia_dataset_free(all);
        return source_complain(scored->data, &error);
    }
    scored->split = GLIA_SPLIT_TRAIN;
    scored->is_whole = true;
    *out = all;
    return EXIT_DONE;
}

static int eval_run(void *field, int n_operands, char *const *operands)
{
    (void)n_operands;
    const eval_options *options = field;
    const char *model = operands[0], *data = operands[1];
    struct scored scored = {.model = model, .data = data, .split = options->split};
    glia_network *network = NULL;
    glia_dataset *dataset = NULL, *held = NULL;
    uint64_t *confusion = NULL;
    glia_metrics score, *targets = NULL;
    glia_error error;
    int status = EXIT_DONE;

    if (glia_network_load(model, &network, &error) != GLIA_OK) return complain_error(&error);
    status = open_samples(options, network, &scored, &dataset);
    if (status != EXIT_DONE) goto cleanup;

    const glia_network_info info = glia_network_describe(network);
    const size_t classes = info.classes;
    if (glia_loss_task(info.loss) == GLIA_TASK_CLASSES && classes <= MOST_CONFUSED_CLASSES)
        confusion = need_memory(classes * classes, sizeof *confusion);
    if (choose_samples(options, network, dataset, &scored, &held, &error) != GLIA_OK ||
        tell_unknown(data, held != NULL ? held : dataset, &error) != GLIA_OK ||
        glia_evaluate(network, held != NULL ? held : dataset, options->threads, &score, confusion,
                      classes, &error) != GLIA_OK ||
        score_targets(network, held != NULL ? held : dataset, options->threads, &targets, &error) !=
            GLIA_OK)
        status = complain_error(&error);
    else if (options->source.common.json)
        print_json(network, model, &scored, &score, targets, confusion);
    else
        print_score(network, &scored, &score, targets, confusion);

cleanup:
    free(targets);
    free(confusion);
    glia_dataset_free(held);
    glia_dataset_free(dataset);
    glia_network_free(network);
    return status;
}

const struct command eval_command = {
    .name = "eval",
    .operands = "MODEL DATA",
    .summary = "score a model on a data set",
    .description =
        "For classes, eval prints the loss, the accuracy with its standard error (or its 95 % "
        "interval, if few samples are right or wrong), the confusion matrix, and for each class "
        "precision, recall and their harmonic mean F1. For two classes it also prints the area "
        "under the ROC curve, the average precision (AP), and the accuracy of always answering "
        "the more frequent class. If a class has 60 % of the samples, it prints the balanced "
        "accuracy (the mean recall). For labels it prints the share of all labels that are right, "
        "and the share of samples whose labels are all right (exact). For values it prints the "
        "root mean squared error and the mean absolute error, both in the units of the data, and "
        "R2. For several targets it prints the figures of each, too.\n\nIf DATA is the file that "
        "the model was trained on, eval scores only the rows that were held out from training, "
        "and the first line of the output says so; --all-rows scores all of them.\n\n" //
    SOURCE_DESCRIPTION,
    .options = eval_table,
    .examples = eval_examples,
    .options_size = sizeof(eval_options),
    .min_operands = 2,
    .max_operands = 2,
    .set_defaults = eval_set_defaults,
    .run = eval_run,
};
