/* SPDX-License-Identifier: MIT */
/*
 * glia predict: what a model takes an image, or samples of a data set, to be. An input that is the
 * name of a file is a file; else NAME:INDEX or NAME:FIRST-LAST are rows of a data set.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/sample_range.h"
#include "data/source.h"
#include "draw/picture.h"
#include "model/predict_table.h"
#include "shell/commands.h"
#include "shell/files.h"
#include "shell/output.h"

typedef struct predict_options {
    source_options source;
    int split;
    size_t top;
    bool show;
    int format;         /* of rows of tables */
    bool with_input;    /* the cells of a row come before its answer */
    const char *output; /* where they go; or NULL */
} predict_options;

static const char *const formats[] = {[PREDICT_CSV] = "csv", [PREDICT_JSONL] = "jsonl", NULL};

/* clang-format off */
static const struct option predict_table[] = {
    {.kind = OPTION_HEADING, .name = "Prediction"},
    {.kind = OPTION_COUNT, .name = "top", .metavar = "N", .min = 1, .max = GLIA_MAX_CLASSES,
     .offset = offsetof(predict_options, top), .help = "number of classes to show, the likeliest "
                                                       "first"},
    {.kind = OPTION_FLAG, .name = "show", .offset = offsetof(predict_options, show),
     .help = "draw each image as the network sees it"},
    {.kind = OPTION_CHOICE, .name = "split", .metavar = "NAME", .choices = split_names,
     .offset = offsetof(predict_options, split), .help = "the samples of a data set to predict"},
    {.kind = OPTION_CHOICE, .name = "format", .metavar = "NAME", .choices = formats,
     .offset = offsetof(predict_options, format),
     .help = "the form of the answers for rows of a table; jsonl is one JSON object in each line"},
    {.kind = OPTION_FLAG, .name = "with-input", .offset = offsetof(predict_options, with_input),
     .help = "repeat the columns of a table before its answers"},
    TABLE_ID_OPTION(predict_options, source.table),
    {.kind = OPTION_TEXT, .name = "output", .letter = 'o', .metavar = "FILE", .shown_default = "",
     .offset = offsetof(predict_options, output),
     .help = "file for the answers for rows (standard output unless given)"},
    SOURCE_OPTIONS,
    TABLE_UNKNOWN_OPTION(predict_options, source.table),
    COMMON_OPTIONS,
};
/* clang-format on */

static const example predict_examples[] = {
    {"glia predict digits.safetensors seven.png", "Predict the class of an image."},
    {"glia predict digits.safetensors mnist:0-9 --show",
     "Predict the first ten test images of mnist, and draw them."},
    {"glia predict homes.safetensors homes.csv -o answers.csv",
     "Predict each row of a table, with a model that was trained on such a table."},
    {"glia predict homes.safetensors - --format jsonl < homes.csv",
     "Predict each row as it arrives, as JSON lines."},
    {"glia predict homes.safetensors homes.csv --with-input -o answers.csv",
     "Write each answer beside the columns of the table."},
    {NULL, NULL},
};

static void predict_set_defaults(void *field)
{
    predict_options *options = field;
    source_set_defaults(&options->source);
    options->split = GLIA_SPLIT_TEST;
    options->top = 3;
}

/* One run of the command: the model, the data set that was opened last, and what comes out. */
struct predictor {
    const predict_options *options;
    glia_network *network;
    glia_network_info info;
    char *data_name; /* of dataset; owned */
    glia_dataset *dataset;
    void *x;            /* (inputs), of bytes or floats */
    float *outputs;     /* (classes): probabilities, or values */
    size_t *order;      /* (classes): likeliest first */
    size_t name_width;  /* of the longest input */
    size_t class_width; /* of the longest class name, within reason */
    json_t *list;       /* with --json */
};

/* ---- What is shown of one input ------------------------------------------------------------ */

/* Puts the first n of order right, likeliest first; of equals the lower class. */
static void rank(struct predictor *p, size_t n)
{
    for (size_t k = 0; k < p->info.classes; k++) p->order[k] = k;
    for (size_t i = 0; i < n; i++) {
        size_t best = i;
        for (size_t j = i + 1; j < p->info.classes; j++) {
            float a = p->outputs[p->order[j]], b = p->outputs[p->order[best]];
            if (a > b || (!(a < b) && p->order[j] < p->order[best])) best = j;
        }
        size_t swapped = p->order[i];
        p->order[i] = p->order[best];
        p->order[best] = swapped;
    }
}

/* The likeliest classes with their probabilities, likely labels first, or all values. */
static size_t choose_shown(struct predictor *p)
{
    const size_t n = p->info.classes, top = p->options->top < n ? p->options->top : n;
    if (p->info.task != GLIA_TASK_VALUES) {
        rank(p, top);
        return top;
    }
    for (size_t k = 0; k < n; k++) p->order[k] = k;
    return n;
}

static void print_prediction(struct predictor *p, const char *input, const char *label,
                             bool changed)
{
    char *name = clean_text(input);
    int padding = (int)(p->name_width - text_width(name));
    const size_t top = choose_shown(p);
    const bool are_values = p->info.task == GLIA_TASK_VALUES;
    const char *likeliest = glia_network_class_name(p->network, p->order[0]);
    printf("%s%*s", name, padding > 0 ? padding : 0, "");
    for (size_t i = 0; i < top; i++) {
        char *class_name = clean_text(glia_network_class_name(p->network, p->order[i]));
        int blanks = (int)p->class_width - (int)text_width(class_name);
        printf("   %s%s%*s %8s%s", style_begin(stdout, i == 0 ? STYLE_BOLD : STYLE_DIM), class_name,
               blanks > 0 ? blanks : 0, "",
               are_values ? show_number((double)p->outputs[p->order[i]]).s
                          : show_percent((double)p->outputs[p->order[i]]).s,
               style_end(stdout));
        free(class_name);
    }
    if (label != NULL && strcmp(label, likeliest) != 0) {
        char *truth = clean_text(label);
        printf("   is %s", truth);
        free(truth);
    }
    if (changed) printf("   (brought into the model's form)");
    printf("\n");
    if (p->options->show) {
        uint8_t *grey = pictures_grey(p->x, p->info.height * p->info.width, p->info.channels);
        pictures_print(stdout, grey, 1, p->info.height, p->info.width, NULL);
        free(grey);
    }
    free(name);
}

static void add_json(struct predictor *p, const char *input, const char *label, bool changed)
{
    json_t *o = json_need(json_object()), *outputs = json_need(json_array());
    const bool are_values = p->info.task == GLIA_TASK_VALUES;
    for (size_t k = 0; k < p->info.classes; k++)
        json_push(outputs, json_number((double)p->outputs[k]));
    json_put(o, "input", json_text(input));
    if (p->info.task == GLIA_TASK_CLASSES) {
        rank(p, 1);
        json_put(o, "class", json_text(glia_network_class_name(p->network, p->order[0])));
        json_put(o, "probability", json_number((double)p->outputs[p->order[0]]));
    }
    json_put(o, are_values ? "values" : "probabilities", outputs);
    if (label != NULL)
        json_put(o, "label", json_text(label));
    else
        json_put(o, "changed", json_need(json_boolean(changed)));
    json_push(p->list, o);
}

/* Predicts from p->x; label is NULL for a file. */
static int predict_x(struct predictor *p, glia_type type, const char *input, const char *label,
                     bool changed)
{
    glia_error error;
    if (glia_predict(p->network, type, p->x, 1, p->info.inputs, p->outputs, p->info.classes,
                     &error) != GLIA_OK)
        return complain_error(&error);
    if (p->list != NULL)
        add_json(p, input, label, changed);
    else
        print_prediction(p, input, label, changed);
    return EXIT_DONE;
}

/* ---- The two kinds of inputs --------------------------------------------------------------- */

/* Whether the name of a file is that of a table. */
static bool is_named_table(const char *path)
{
    static const char *const endings[] = {".csv", ".tsv", ".arff"};
    const size_t length = strlen(path);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const size_t n = strlen(endings[i]);
        if (length > n && strcmp(path + length - n, endings[i]) == 0) return true;
    }
    return false;
}

static int predict_file(struct predictor *p, const char *path)
{
    glia_image image = {0};
    glia_error error;
    bool changed = false;
    int status = EXIT_FAILED;
    if (is_named_table(path) && p->info.height > 0) {
        complain(
            "%s: is a table, but the model reads images of %zu x %zu pixels; give it pictures, "
            "a folder of them, or samples of a data set (DATA:INDEX)",
            path, p->info.height, p->info.width);
        return EXIT_FAILED;
    }
    if (glia_image_read_as(path, p->info.channels == 3 ? 3 : 1, &image, &error) != GLIA_OK)
        complain_error(&error);
    else if (glia_network_fit_image(p->network, &image, p->x, p->info.inputs, &changed, &error) !=
             GLIA_OK)
        complain("%s: %s", path, error.message);
    else
        status = predict_x(p, GLIA_TYPE_U8, path, NULL, changed);
    glia_image_free(&image);
    return status;
}

/* Whether input is a file, or names rows as it should; complains when not. */
static bool check_input(const predict_options *options, const char *input)
{
    sample_range rows = {0};
    bool good = false;
    if (access(input, F_OK) == 0 || strchr(input, ':') == NULL) return true;
    if (!sample_range_parse(input, &rows))
        complain("predict: found \"%s\", which is neither a file nor samples of a data set "
                 "(DATA:INDEX or DATA:FIRST-LAST)",
                 input);
    else if (rows.first > rows.last)
        complain("predict: %s: the range ends before it begins", input);
    else
        good = source_check(&options->source, rows.name);
    free(rows.name);
    return good;
}

static int open_rows(struct predictor *p, const char *input, const sample_range *rows)
{
    glia_split split = (glia_split)p->options->split;
    if (p->data_name == NULL || strcmp(p->data_name, rows->name) != 0) {
        glia_dataset_free(p->dataset);
        free(p->data_name);
        p->dataset = NULL;
        p->data_name = need_copy(rows->name);
        int status =
            source_need_for(&p->options->source, p->network, rows->name, split, &p->dataset);
        if (status != EXIT_DONE) {
            free(p->data_name);
            p->data_name = NULL;
            return status;
        }
    }
    glia_dataset_info data = glia_dataset_describe(p->dataset);
    if (rows->last >= data.samples) {
        complain("predict: %s: the %s split of %s has samples 0 to %zu", input, split_names[split],
                 rows->name, data.samples - 1);
        return EXIT_WRONG;
    }
    if (data.features != p->info.inputs) {
        complain("%s: its samples have %s, the network has %s", rows->name,
                 show_several(data.features, "feature").s, show_several(p->info.inputs, "input").s);
        return EXIT_FAILED;
    }
    if (p->options->show && (p->info.height == 0 || data.type != GLIA_TYPE_U8)) {
        complain("%s: its samples are no images, so --show cannot draw them", rows->name);
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

static int predict_rows(struct predictor *p, const char *input, const sample_range *rows)
{
    glia_error error;
    int status = open_rows(p, input, rows);
    for (uint64_t i = rows->first; i <= rows->last && status == EXIT_DONE; i++) {
        char name[512];
        uint32_t label = 0;
        if (glia_dataset_sample(p->dataset, (size_t)i, p->x, p->info.inputs, &label, &error) !=
            GLIA_OK)
            return complain_error(&error);
        snprintf(name, sizeof name, "%s:%llu", rows->name, (unsigned long long)i);
        status = predict_x(p, glia_dataset_describe(p->dataset).type, name,
                           p->info.task == GLIA_TASK_CLASSES &&
                                   glia_dataset_describe(p->dataset).task == GLIA_TASK_CLASSES
                               ? glia_dataset_class_name(p->dataset, label)
                               : NULL,
                           false);
    }
    return status;
}

static int predict_input(struct predictor *p, const char *input)
{
    sample_range rows = {0};
    if (access(input, F_OK) == 0 || !sample_range_parse(input, &rows))
        return predict_file(p, input);
    int status = predict_rows(p, input, &rows);
    free(rows.name);
    return status;
}

/* The width of the first column: of the longest input, of a range its last row. */
static size_t longest_input(int n, char *const *inputs)
{
    size_t longest = 0;
    for (int i = 0; i < n; i++) {
        sample_range rows = {0};
        char *name = clean_text(inputs[i]);
        size_t width = text_width(name);
        free(name);
        if (access(inputs[i], F_OK) != 0 && sample_range_parse(inputs[i], &rows))
            width = text_width(rows.name) + 1 +
                    (size_t)snprintf(NULL, 0, "%llu", (unsigned long long)rows.last);
        free(rows.name);
        if (width > longest) longest = width;
    }
    return longest < 60 ? longest : 60;
}

static size_t longest_class(const glia_network *network, size_t classes)
{
    size_t longest = 0;
    for (size_t k = 0; k < classes; k++) {
        size_t width = text_width(glia_network_class_name(network, k));
        if (width > longest) longest = width;
    }
    return longest < 24 ? longest : 24;
}

/*
 * Whether an input has samples of its own, in numbers: a file of a model for tables, or one that is
 * no picture, or a folder. Other inputs are pictures, or DATA:ROWS.
 */
static bool holds_rows(const struct predictor *p, const char *input)
{
    struct stat status;
    if (p->info.columns > 0) return true;
    if (strcmp(input, "-") == 0) return p->info.height == 0;
    if (stat(input, &status) != 0) return false;
    if (S_ISDIR(status.st_mode)) return true;
    table_columns columns;
    const glia_data_params params = source_params(&p->options->source, 1, &columns);
    const glia_file_kind kind = glia_file_kind_of(input, &params);
    table_columns_free(&columns);
    if (kind == GLIA_FILE_VALUES) return p->info.height == 0;
    return kind == GLIA_FILE_ARRAYS || kind == GLIA_FILE_SPARSE;
}

static int predict_run(void *field, int n_operands, char *const *operands)
{
    struct predictor p = {.options = field};
    glia_error error;
    for (int i = 1; i < n_operands; i++)
        if (!check_input(p.options, operands[i])) return EXIT_WRONG;
    keep_file(operands[0], "the model");
    if (glia_network_load(operands[0], &p.network, &error) != GLIA_OK)
        return complain_error(&error);
    p.info = glia_network_describe(p.network);
    bool are_rows = true; /* all of the inputs */
    for (int i = 1; i < n_operands; i++) are_rows = are_rows && holds_rows(&p, operands[i]);
    if (are_rows) {
        const struct predict_table how = {.source = &p.options->source,
                                          .network = p.network,
                                          .split = p.options->split,
                                          .format = p.options->format,
                                          .with_input = p.options->with_input,
                                          .output = p.options->output};
        const int of_tables = predict_tables(&how, n_operands - 1, operands + 1);
        glia_network_free(p.network);
        return of_tables;
    }
    if (p.options->output != NULL || p.options->format != PREDICT_CSV || p.options->with_input ||
        p.options->source.table.id != NULL) {
        complain(
            "predict: --output, --format, --with-input and --id are for rows of tables, arrays "
            "and folders; pictures and samples by number are answered on standard output, "
            "with --json as JSON");
        glia_network_free(p.network);
        return EXIT_WRONG;
    }
    p.x = need_memory(p.info.inputs, sizeof(float));
    p.outputs = need_memory(p.info.classes, sizeof *p.outputs);
    p.order = need_memory(p.info.classes, sizeof *p.order);
    p.name_width = longest_input(n_operands - 1, operands + 1);
    p.class_width = longest_class(p.network, p.info.classes);
    if (p.options->source.common.json) p.list = json_need(json_array());

    /* What is wrong with one input does not keep the others from being predicted. */
    int status = EXIT_DONE;
    for (int i = 1; i < n_operands && status != EXIT_INTERRUPTED; i++) {
        int of_input = predict_input(&p, operands[i]);
        if (of_input > status) status = of_input;
    }

    if (json_array_size(p.list) > 0) {
        json_t *o = json_need(json_object());
        json_put(o, "predictions", p.list);
        json_print(o);
    } else {
        json_decref(p.list);
    }
    glia_dataset_free(p.dataset);
    glia_network_free(p.network);
    free(p.data_name);
    free(p.x);
    free(p.outputs);
    free(p.order);
    return status;
}

const struct command predict_command = {
    .name = "predict",
    .operands = "MODEL INPUT...",
    .summary = "predict images, or rows of data",
    .description =
        "INPUT is an image (PNG, JPEG or PGM; - is an image on standard input), or samples of a "
        "data set: DATA:INDEX or DATA:FIRST-LAST, counted from 0. An image that differs in form "
        "from the model's training images is converted: it is scaled, and for a model of light "
        "digits on dark also inverted and centred. For each image predict prints the likeliest "
        "classes with their probabilities. For a sample that is not predicted right it also "
        "prints the true class.\n\n" //
    SOURCE_DESCRIPTION "\n\nFor a model that was trained on a table, INPUT is a table (- is one "
        "on standard input). predict finds its columns by their names, in any "
        "order; the table may have other columns, and the target may be missing. "
        "FILE:INDEX and FILE:FIRST-LAST name rows of it, counted from 0. predict "
        "answers each row as it arrives, with one line: the row's line in the file "
        "(or its number, if FILE:INDEX was given, or its name, with --id), the "
        "prediction, and the probability of each class, or the values. "
        "--with-input repeats the columns of the file before the "
        "answers.\n\npredict answers NumPy's arrays, sparse text and folders of "
        "samples in the same way, with the number of each sample, counted from "
        "0.\n\nAn input that cannot be read is reported, the others are predicted, "
        "and the exit status is 1.",
    .options = predict_table,
    .examples = predict_examples,
    .options_size = sizeof(predict_options),
    .min_operands = 2,
    .max_operands = 1 << 30,
    .set_defaults = predict_set_defaults,
    .run = predict_run,
};
