/* SPDX-License-Identifier: MIT */
/*
 * Predictions of the rows of tables. A row is answered as soon as it has come: nothing waits for
 * the end of a pipe. A file of results takes its name when it is complete.
 */
#include "model/predict_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/sample_range.h"
#include "shell/files.h"
#include "shell/output.h"
#include "shell/quote.h"
#include "shell/text.h"

enum { ROWS_TOGETHER = 4096 };

/* As many digits as tell one float from another, or one double: values are doubles. */
enum { FLOAT_DIGITS = 9, DOUBLE_DIGITS = 17 };
static size_t json_flags(glia_task task)
{
    const size_t digits = task == GLIA_TASK_VALUES ? DOUBLE_DIGITS : FLOAT_DIGITS;
    return JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(digits);
}

/* How a row is named in its answer. */
enum naming { BY_LINE, BY_NUMBER, BY_ID };

static const char *const naming_keys[] = {[BY_LINE] = "line", [BY_NUMBER] = "row", [BY_ID] = "id"};

struct table_run {
    const struct predict_table *how;
    FILE *out;
    const char *file; /* NULL where there is one alone */
    glia_predictor *predictor;
    glia_network_info info;
    void *x;                      /* (ROWS_TOGETHER, inputs), floats or bytes */
    double *outputs;              /* (ROWS_TOGETHER, classes) */
    json_t *list;                 /* with --json */
    uint64_t first, last, n_read; /* rows that are asked for, and that have come */
    bool are_numbered;            /* rows are asked for by their numbers */
    /* Once the first rows have come: */
    bool has_head, on_terminal;
    enum naming naming;
    char *id;           /* the column that names rows; or NULL */
    char **input_names; /* (n_inputs): the columns that are repeated; owned */
    size_t n_inputs;
};

/* A row that has been predicted. */
struct answer {
    const glia_dataset *rows;
    size_t index;
    uint64_t number; /* of the row in its file, from 0 */
    const double *outputs;
};

static const char *name_of(const struct table_run *run, size_t k)
{
    return glia_network_class_name(run->how->network, k);
}

/* A cell; on a terminal nothing in it may steer that. */
static void print_cell(const struct table_run *run, const char *text)
{
    if (!run->on_terminal) {
        print_csv_field(run->out, text);
        return;
    }
    char *clean = clean_text(text);
    print_csv_field(run->out, clean);
    free(clean);
}

/* A probability, which is a float; or a value, with no more digits than it takes to read it back.
 */
static void print_number(const struct table_run *run, double number)
{
    char text[32];
    int digits = FLOAT_DIGITS;
    do snprintf(text, sizeof text, "%.*g", digits, number);
    while (run->info.task == GLIA_TASK_VALUES && strtod(text, NULL) != number &&
           digits++ < DOUBLE_DIGITS);
    fprintf(run->out, ",%s", text);
}

static size_t likeliest(const struct table_run *run, const double *outputs)
{
    size_t best = 0;
    for (size_t k = 1; k < run->info.classes; k++)
        if (outputs[k] > outputs[best]) best = k;
    return best;
}

/* The number in the column `line` or `row`. */
static uint64_t place_of(const struct table_run *run, const struct answer *answer)
{
    return run->naming == BY_NUMBER ? answer->number
                                    : glia_dataset_line(answer->rows, answer->index);
}

/* ---- As a table ----------------------------------------------------------------------------- */

/* A column of answers, named otherwise than every column of the input. */
static void print_answer_name(const struct table_run *run, const char *name)
{
    bool is_taken = false;
    for (size_t c = 0; c < run->n_inputs; c++)
        is_taken = is_taken || strcmp(run->input_names[c], name) == 0;
    char *other = need_memory(strlen(name) + sizeof "predicted ", 1);
    sprintf(other, "%s%s", is_taken ? "predicted " : "", name);
    fputc(',', run->out);
    print_cell(run, other);
    free(other);
}

/* Classes have a column for the likeliest one, and each a column for its probability. */
static void print_head(const struct table_run *run)
{
    if (run->file != NULL) fputs("file,", run->out);
    if (run->n_inputs == 0)
        print_cell(run, run->naming == BY_ID ? run->id : naming_keys[run->naming]);
    for (size_t c = 0; c < run->n_inputs; c++) {
        if (c > 0) fputc(',', run->out);
        print_cell(run, run->input_names[c]);
    }
    if (run->info.task == GLIA_TASK_CLASSES) print_answer_name(run, "prediction");
    for (size_t k = 0; k < run->info.classes; k++) print_answer_name(run, name_of(run, k));
    fputc('\n', run->out);
}

static void print_csv(const struct table_run *run, const struct answer *answer)
{
    if (run->file != NULL) {
        print_cell(run, run->file);
        fputc(',', run->out);
    }
    const char *id = run->naming == BY_ID ? glia_dataset_id(answer->rows, answer->index) : NULL;
    if (run->n_inputs == 0 && run->naming != BY_ID)
        fprintf(run->out, "%llu", (unsigned long long)place_of(run, answer));
    else if (run->n_inputs == 0 && id != NULL)
        print_cell(run, id);
    for (size_t c = 0; c < run->n_inputs; c++) {
        const char *cell = glia_dataset_cell(answer->rows, answer->index, c);
        if (c > 0) fputc(',', run->out);
        print_cell(run, cell != NULL ? cell : "");
    }
    if (run->info.task == GLIA_TASK_CLASSES) {
        fputc(',', run->out);
        print_cell(run, name_of(run, likeliest(run, answer->outputs)));
    }
    for (size_t k = 0; k < run->info.classes; k++) print_number(run, answer->outputs[k]);
    fputc('\n', run->out);
}

/* ---- As JSON -------------------------------------------------------------------------------- */

static json_t *row_json(const struct table_run *run, const struct answer *answer)
{
    json_t *o = json_need(json_object()), *all = json_need(json_object());
    if (run->file != NULL) json_put(o, "file", json_text(run->file));
    if (run->naming == BY_ID)
        json_put(o, "id", json_text(glia_dataset_id(answer->rows, answer->index)));
    json_put(o, run->naming == BY_NUMBER ? "row" : "line", json_count(place_of(run, answer)));
    if (run->n_inputs > 0) {
        json_t *input = json_need(json_object());
        for (size_t c = 0; c < run->n_inputs; c++)
            json_put(input, run->input_names[c],
                     json_text(glia_dataset_cell(answer->rows, answer->index, c)));
        json_put(o, "input", input);
    }
    for (size_t k = 0; k < run->info.classes; k++)
        json_put(all, name_of(run, k), json_number(answer->outputs[k]));
    if (run->info.task == GLIA_TASK_CLASSES)
        json_put(o, "prediction", json_text(name_of(run, likeliest(run, answer->outputs))));
    json_put(o, run->info.task == GLIA_TASK_VALUES ? "values" : "probabilities", all);
    return o;
}

static void print_row(const struct table_run *run, const struct answer *answer)
{
    if (run->list == NULL && run->how->format == PREDICT_CSV) {
        print_csv(run, answer);
        return;
    }
    json_t *o = row_json(run, answer);
    if (run->list != NULL) {
        json_push(run->list, o);
        return;
    }
    if (!json_write(run->out, o, json_flags(run->info.task)) && !ferror(run->out)) json_need(NULL);
    json_decref(o);
}

/* ---- Rows ----------------------------------------------------------------------------------- */

/* Whether the columns of a stream are those of the first file. */
static bool has_same_columns(const struct table_run *run, const glia_row_stream *stream)
{
    if (glia_row_stream_columns(stream) != run->n_inputs) return false;
    for (size_t c = 0; c < run->n_inputs; c++)
        if (strcmp(glia_row_stream_column(stream, c), run->input_names[c]) != 0) return false;
    return true;
}

static glia_status fail(glia_error *error, glia_status status, const char *path, const char *why)
{
    error->status = status;
    snprintf(error->message, sizeof error->message, "%s: %s", path, why);
    return status;
}

/* Settles by the first rows (NULL: there are none) what the columns of the answers are, and checks
 * that the next files have the same. */
static glia_status begin_answers(struct table_run *run, const glia_row_stream *stream,
                                 const glia_dataset *rows, const char *path, glia_error *error)
{
    const char *id = glia_row_stream_id(stream);
    if (run->how->with_input && glia_row_stream_columns(stream) == 0)
        return fail(error, GLIA_UNSUPPORTED, path,
                    "--with-input repeats the columns of separated values (CSV, TSV), and this "
                    "file has another form; leave out --with-input");
    if (run->has_head) {
        if (has_same_columns(run, stream) && (run->naming != BY_ID || id != NULL)) return GLIA_OK;
        return fail(error, GLIA_MISMATCH, path,
                    "its columns are not those of the first file, so that one table cannot hold "
                    "the answers of both; predict the files one by one");
    }
    const bool has_lines = rows == NULL || glia_dataset_line(rows, 0) > 0;
    run->has_head = true;
    run->naming = id != NULL ? BY_ID : run->are_numbered || !has_lines ? BY_NUMBER : BY_LINE;
    if (id != NULL) run->id = need_copy(id);
    run->n_inputs = glia_row_stream_columns(stream);
    run->input_names = need_memory(run->n_inputs + 1, sizeof *run->input_names);
    for (size_t c = 0; c < run->n_inputs; c++)
        run->input_names[c] = need_copy(glia_row_stream_column(stream, c));
    if (run->list == NULL && run->how->format == PREDICT_CSV) print_head(run);
    return GLIA_OK;
}

/* Those of the next rows that are asked for, some together. */
static glia_status predict_rows(struct table_run *run, const glia_dataset *rows, glia_error *error)
{
    const glia_dataset_info info = glia_dataset_describe(rows);
    const size_t row_bytes = info.features * (info.type == GLIA_TYPE_U8 ? 1 : 4);
    const uint64_t before = run->n_read;
    const size_t start = run->first > before ? (size_t)(run->first - before) : 0;
    const size_t n =
        run->last - before < info.samples ? (size_t)(run->last - before) + 1 : info.samples;
    run->n_read += info.samples;
    glia_status status = GLIA_OK;
    if (info.features != run->info.inputs) {
        snprintf(error->message, sizeof error->message,
                 "%s: its samples have %s, but the model reads %zu", info.name,
                 show_several(info.features, "feature").s, run->info.inputs);
        return error->status = GLIA_MISMATCH;
    }
    for (size_t first = start; first < n && status == GLIA_OK; first += ROWS_TOGETHER) {
        const size_t m = n - first < ROWS_TOGETHER ? n - first : ROWS_TOGETHER;
        for (size_t r = 0; r < m && status == GLIA_OK; r++)
            status = glia_dataset_sample(rows, first + r, (char *)run->x + r * row_bytes,
                                         info.features, NULL, error);
        if (status == GLIA_OK)
            status = glia_predictor_run_f64(run->predictor, info.type, run->x, m, info.features,
                                            run->outputs, run->info.classes, error);
        for (size_t r = 0; r < m && status == GLIA_OK; r++)
            print_row(run, &(struct answer){.rows = rows,
                                            .index = first + r,
                                            .number = before + first + r,
                                            .outputs = run->outputs + r * run->info.classes});
    }
    return status;
}

/* Whether it is the name of a data set, and no file's. */
static bool names_data_set(const char *name)
{
    glia_dataset_entry *entries = NULL;
    size_t n = 0;
    bool found = false;
    if (access(name, F_OK) == 0 || glia_dataset_list(NULL, &entries, &n, NULL) != GLIA_OK)
        return false;
    for (size_t i = 0; i < n; i++) found = found || strcmp(entries[i].name, name) == 0;
    glia_dataset_list_free(entries, n);
    return found;
}

/* That the input is no image, nor a data set of images, for a model that reads other samples. */
static glia_status check_form(const glia_network_info *info, const char *path,
                              const glia_data_params *params, glia_error *error)
{
    const bool is_image = glia_file_kind_of(path, params) == GLIA_FILE_IMAGE;
    if (info->height > 0 || (!is_image && !names_data_set(path))) return GLIA_OK;
    const size_t n = info->columns > 0 ? info->columns : info->inputs;
    snprintf(error->message, sizeof error->message,
             "%s: is %s, but the model reads rows of %s; give it a table%s", path,
             is_image ? "an image" : "a data set of images",
             show_several(n, info->columns > 0 ? "column" : "number").s,
             info->columns > 0 ? " with those columns" : ", an array or sparse text");
    return error->status = GLIA_MISMATCH;
}

/* range: NULL for all rows. */
static glia_status predict_file(struct table_run *run, const char *path, const sample_range *range,
                                glia_error *error)
{
    run->first = range != NULL ? range->first : 0;
    run->last = range != NULL ? range->last : UINT64_MAX;
    run->n_read = 0;
    table_columns columns;
    glia_data_params params = source_params(run->how->source, 0, &columns);
    params.keep_texts = run->how->with_input;
    glia_row_stream *stream = NULL;
    glia_dataset *rows = NULL;
    glia_status status = check_form(&run->info, path, &params, error);
    if (status == GLIA_OK)
        status = glia_row_stream_open(run->how->network, path, (glia_split)run->how->split, &params,
                                      &stream, error);
    if (status == GLIA_OK) glia_row_stream_select(stream, run->first, run->last);
    bool has_begun = false;
    do {
        if (status == GLIA_OK) status = glia_row_stream_next(stream, &rows, error);
        if (status == GLIA_OK && !has_begun) status = begin_answers(run, stream, rows, path, error);
        has_begun = true;
        const bool is_end = rows == NULL;
        if (status == GLIA_OK && !is_end) status = predict_rows(run, rows, error);
        glia_dataset_free(rows);
        rows = NULL;
        if (status != GLIA_OK || is_end) break;
        fflush(run->out); /* whoever reads the pipe may be waiting for it */
    } while (status == GLIA_OK && run->n_read <= run->last && !ferror(run->out));
    if (status == GLIA_OK && range != NULL && run->n_read <= run->last) {
        snprintf(error->message, sizeof error->message,
                 "%s: row %llu was asked for, and there are %llu, counted from 0", path,
                 (unsigned long long)run->last, (unsigned long long)run->n_read);
        status = error->status = GLIA_BAD_ARGUMENT;
    }
    const size_t skipped = stream != NULL ? glia_row_stream_skipped(stream) : 0;
    if (status == GLIA_OK && skipped > 0)
        complain("%s: %s %s skipped", source_shown_name(path),
                 show_several(skipped, "malformed row").s, skipped == 1 ? "was" : "were");
    glia_unknown *unknown = NULL;
    size_t n_unknown = 0;
    if (status == GLIA_OK) status = glia_row_stream_unknown(stream, &unknown, &n_unknown, error);
    if (status == GLIA_OK) source_tell_unknown(path, unknown, n_unknown);
    glia_row_stream_free(stream);
    table_columns_free(&columns);
    return status;
}

/* Keeps what is to be predicted, of rows of a file that file, from being replaced by the answers.
 */
static void keep_inputs(const struct predict_table *how, int n_files, char *const *files)
{
    for (int i = 0; i < n_files; i++) {
        sample_range range = {0};
        const bool is_part = access(files[i], F_OK) != 0 && sample_range_parse(files[i], &range);
        keep_folder(is_part ? range.name : files[i], "what is to be predicted",
                    how->format == PREDICT_CSV ? ".csv" : ".jsonl");
        free(range.name);
    }
}

int predict_tables(const struct predict_table *how, int n_files, char *const *files)
{
    struct table_run run = {.how = how, .info = glia_network_describe(how->network)};
    glia_error error;
    keep_inputs(how, n_files, files);
    if (how->output != NULL && !check_output(how->output)) return EXIT_FAILED;
    for (int i = 0; i < n_files; i++) {
        sample_range range = {0};
        run.are_numbered = run.are_numbered ||
                           (access(files[i], F_OK) != 0 && sample_range_parse(files[i], &range));
        free(range.name);
    }
    if (glia_predictor_create(how->network, NULL, &run.predictor, &error) != GLIA_OK)
        return complain_error(&error);
    run.x = need_memory(ROWS_TOGETHER, run.info.inputs * sizeof(float));
    run.outputs = need_memory(ROWS_TOGETHER, run.info.classes * sizeof *run.outputs);
    if (how->source->common.json) run.list = json_need(json_array());
    new_file file = {.stream = stdout};
    const bool opened = how->output == NULL || new_file_open(&file, how->output);
    int status = opened ? EXIT_DONE : EXIT_FAILED;
    run.out = file.stream;
    run.on_terminal = opened && isatty(fileno(run.out)) == 1;
    for (int i = 0; i < n_files && status == EXIT_DONE; i++) {
        sample_range range = {0};
        const bool is_part = access(files[i], F_OK) != 0 && sample_range_parse(files[i], &range);
        const char *path = is_part ? range.name : files[i];
        run.file = n_files > 1 ? path : NULL;
        if (predict_file(&run, path, is_part ? &range : NULL, &error) != GLIA_OK)
            status = complain_error(&error);
        free(range.name);
    }
    if (run.list != NULL && status == EXIT_DONE) {
        json_t *o = json_need(json_object());
        json_put(o, "predictions", json_incref(run.list));
        if (!json_write(run.out, o, json_flags(run.info.task)) && !ferror(run.out)) json_need(NULL);
        json_decref(o);
    }
    json_decref(run.list);
    if (how->output != NULL && opened && !new_file_close(&file, status == EXIT_DONE))
        status = EXIT_FAILED;
    glia_predictor_free(run.predictor);
    for (size_t c = 0; c < run.n_inputs; c++) free(run.input_names[c]);
    free(run.input_names);
    free(run.id);
    free(run.x);
    free(run.outputs);
    return status;
}
