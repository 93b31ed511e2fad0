/* SPDX-License-Identifier: MIT */
/*
 * Predictions of the rows of tables. A row is answered as soon as it has come: nothing waits for
 * the end of a pipe. A file of results takes its name when it is complete.
 */
#include "predict_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "output.h"
#include "sample_range.h"
#include "text.h"

enum { ROWS_TOGETHER = 4096 };

/* As many digits as tell one float from another. */
#define AS_JSON (JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9))

struct table_run {
    const struct predict_table *how;
    FILE *out;
    const char *file; /* NULL where there is one alone */
    glia_predictor *predictor;
    glia_network_info info;
    void *x;                      /* (ROWS_TOGETHER, inputs), floats or bytes */
    float *outputs;               /* (ROWS_TOGETHER, classes) */
    json_t *list;                 /* with --json */
    uint64_t first, last, n_read; /* rows that are asked for, and that have come */
    bool has_head;
};

static const char *name_of(const struct table_run *run, size_t k)
{
    return glia_network_class_name(run->how->network, k);
}

/* A cell as RFC 4180 has it. */
static void print_cell(FILE *out, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"') fputc('"', out);
        fputc(*c, out);
    }
    fputc('"', out);
}

static size_t likeliest(const struct table_run *run, const float *outputs)
{
    size_t best = 0;
    for (size_t k = 1; k < run->info.classes; k++)
        if (outputs[k] > outputs[best]) best = k;
    return best;
}

/* Where there is one output, its name is the column's; else classes have one more, before theirs.
 */
static void print_head(struct table_run *run)
{
    if (run->has_head) return;
    run->has_head = true;
    if (run->file != NULL) fputs("file,", run->out);
    if (run->how->source->table.id != NULL)
        print_cell(run->out, run->how->source->table.id);
    else
        fputs("line", run->out);
    if (run->info.task == GLIA_CLASSES) fputs(",prediction", run->out);
    for (size_t k = 0; k < run->info.classes; k++) {
        fputc(',', run->out);
        print_cell(run->out, name_of(run, k));
    }
    fputc('\n', run->out);
}

static void print_csv(struct table_run *run, uint64_t line, const char *id, const float *outputs)
{
    print_head(run);
    if (run->file != NULL) {
        print_cell(run->out, run->file);
        fputc(',', run->out);
    }
    if (run->how->source->table.id == NULL)
        fprintf(run->out, "%llu", (unsigned long long)line);
    else if (id != NULL)
        print_cell(run->out, id);
    if (run->info.task == GLIA_CLASSES) {
        fputc(',', run->out);
        print_cell(run->out, name_of(run, likeliest(run, outputs)));
    }
    for (size_t k = 0; k < run->info.classes; k++) fprintf(run->out, ",%.9g", (double)outputs[k]);
    fputc('\n', run->out);
}

static json_t *row_json(const struct table_run *run, uint64_t line, const char *id,
                        const float *outputs)
{
    json_t *o = json_need(json_object()), *all = json_need(json_object());
    const bool is_class = run->info.task == GLIA_CLASSES;
    if (run->file != NULL) json_put(o, "file", json_text(run->file));
    if (run->how->source->table.id != NULL) json_put(o, "id", json_text(id));
    json_put(o, "line", json_count(line));
    for (size_t k = 0; k < run->info.classes; k++)
        json_put(all, name_of(run, k), json_number((double)outputs[k]));
    if (is_class) json_put(o, "prediction", json_text(name_of(run, likeliest(run, outputs))));
    json_put(o, run->info.task == GLIA_VALUES ? "values" : "probabilities", all);
    return o;
}

static void print_row(struct table_run *run, uint64_t line, const char *id, const float *outputs)
{
    if (run->list == NULL && run->how->format == PREDICT_CSV) {
        print_csv(run, line, id, outputs);
        return;
    }
    json_t *o = row_json(run, line, id, outputs);
    if (run->list != NULL) {
        json_push(run->list, o);
        return;
    }
    char *text = json_dumps(o, AS_JSON);
    if (text == NULL) json_need(NULL);
    fprintf(run->out, "%s\n", text);
    free(text);
    json_decref(o);
}

/* Those of the next rows that are asked for, some together. */
static glia_status predict_rows(struct table_run *run, const glia_dataset *rows, glia_error *error)
{
    const glia_dataset_info info = glia_dataset_describe(rows);
    const size_t row_bytes = info.features * (info.type == GLIA_U8 ? 1 : 4);
    const uint64_t before = run->n_read;
    const size_t start = run->first > before ? (size_t)(run->first - before) : 0;
    const size_t n =
        run->last - before < info.samples ? (size_t)(run->last - before) + 1 : info.samples;
    run->n_read += info.samples;
    glia_status status = GLIA_OK;
    if (info.features != run->info.inputs) {
        complain("%s: its samples have %zu features, the network has %zu inputs", info.name,
                 info.features, run->info.inputs);
        snprintf(error->message, sizeof error->message, "nothing was predicted");
        error->status = GLIA_MISMATCH;
        return GLIA_MISMATCH;
    }
    for (size_t first = start; first < n && status == GLIA_OK; first += ROWS_TOGETHER) {
        const size_t m = n - first < ROWS_TOGETHER ? n - first : ROWS_TOGETHER;
        for (size_t r = 0; r < m && status == GLIA_OK; r++)
            status =
                glia_dataset_sample(rows, first + r, (char *)run->x + r * row_bytes, NULL, error);
        if (status == GLIA_OK)
            status = glia_predictor_run(run->predictor, info.type, run->x, m, run->outputs, error);
        for (size_t r = 0; r < m && status == GLIA_OK; r++) {
            const uint64_t line = glia_dataset_line(rows, first + r);
            print_row(run, line > 0 ? line : first + r, glia_dataset_id(rows, first + r),
                      run->outputs + r * run->info.classes);
        }
    }
    return status;
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
    glia_row_stream *stream = NULL;
    glia_dataset *rows = NULL;
    glia_status status = glia_row_stream_open(run->how->network, path, (glia_split)run->how->split,
                                              &params, &stream, error);
    do {
        if (status == GLIA_OK) status = glia_row_stream_next(stream, &rows, error);
        if (status != GLIA_OK || rows == NULL) break;
        status = predict_rows(run, rows, error);
        glia_dataset_free(rows);
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
        complain("%s: %s malformed row%s skipped", path, show_count(skipped).s,
                 skipped == 1 ? " was" : "s were");
    glia_unknown *unknown = NULL;
    size_t n_unknown = 0;
    if (status == GLIA_OK) status = glia_row_stream_unknown(stream, &unknown, &n_unknown, error);
    if (status == GLIA_OK) source_tell_unknown(path, unknown, n_unknown);
    glia_row_stream_free(stream);
    table_columns_free(&columns);
    return status;
}

int predict_tables(const struct predict_table *how, int n_files, char *const *files)
{
    struct table_run run = {.how = how, .info = glia_network_describe(how->network)};
    glia_error error;
    for (int i = 0; i < n_files && how->output != NULL; i++)
        if (is_same_file(files[i], how->output)) {
            complain("%s: cannot be written: it is what is to be predicted", how->output);
            return EXIT_FAILED;
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
        json_dumpf(o, run.out, AS_JSON);
        fputc('\n', run.out);
        json_decref(o);
    }
    json_decref(run.list);
    if (how->output != NULL && opened && !new_file_close(&file, status == EXIT_DONE))
        status = EXIT_FAILED;
    glia_predictor_free(run.predictor);
    free(run.x);
    free(run.outputs);
    return status;
}
