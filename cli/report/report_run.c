/* SPDX-License-Identifier: MIT */
/*
 * Reads the folder of a run. A run may be going on, or have been killed: then metrics.jsonl may end
 * within a line, and what comes last may be missing.
 */
#include "report/report_run.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shell/output.h"

enum {
    LONGEST_LINE = 1 << 24,   /* of metrics.jsonl: 16 MiB */
    MOST_METRICS = 1 << 20,   /* lines of a kind that are kept */
    LARGEST_OBJECT = 1 << 24, /* bytes of run.json, result.json; */
    USUAL_OBJECT = 1 << 16    /* most have fewer than so many */
};

char *run_path(const struct report_run *run, const char *name)
{
    size_t size = strlen(run->folder) + strlen(name) + 2;
    char *path = need_memory(size, 1);
    snprintf(path, size, "%s/%s", run->folder, name);
    return path;
}

/* Beyond it arithmetic on values could overflow; no measurement is there. */
static const double LARGEST_NUMBER = 1e100;

/* ---- Values -------------------------------------------------------------------------------- */

const json_t *run_value(const json_t *json, const char *path)
{
    char key[64];
    while (json != NULL && *path != '\0') {
        size_t n = strcspn(path, ".");
        snprintf(key, sizeof key, "%.*s", (int)n, path);
        json = json_object_get(json, key);
        path += n + (path[n] == '.');
    }
    return json;
}

const char *run_text(const json_t *json, const char *path)
{
    return json_string_value(run_value(json, path));
}

double run_number(const json_t *json, const char *path)
{
    const json_t *value = run_value(json, path);
    double number = json_is_number(value) ? json_number_value(value) : NAN;
    return fabs(number) < LARGEST_NUMBER ? number : NAN;
}

/* ---- Files --------------------------------------------------------------------------------- */

/* The bytes of a file, at most LARGEST_OBJECT. */
static char *read_bytes(FILE *file, size_t *n)
{
    char *text = need_memory(USUAL_OBJECT, 1);
    *n = fread(text, 1, USUAL_OBJECT, file);
    if (*n == USUAL_OBJECT) {
        char *all = need_memory(LARGEST_OBJECT, 1);
        memcpy(all, text, USUAL_OBJECT);
        free(text);
        text = all;
        *n += fread(text + USUAL_OBJECT, 1, LARGEST_OBJECT - USUAL_OBJECT, file);
    }
    return text;
}

/* Reads an object; *out stays NULL when there is no such file and it is not needed. */
static int read_object(const struct report_run *run, const char *name, bool needed, json_t **out)
{
    char *path = run_path(run, name);
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    json_error_t error;
    int status = EXIT_FAILED;
    if (file == NULL && errno == ENOENT && !needed) {
        status = EXIT_DONE;
    } else if (file == NULL && errno == ENOENT) {
        complain("%s: there is no %s in it; expected the folder of a run, which glia train --run "
                 "makes",
                 run->folder, name);
    } else if (file == NULL) {
        complain("%s: cannot be read: %s", path, strerror(errno));
    } else {
        size_t n;
        text = read_bytes(file, &n);
        if (ferror(file))
            complain("%s: cannot be read: %s", path, strerror(errno));
        else if (n == LARGEST_OBJECT)
            complain("%s: found more than %s, expected a small object", path,
                     show_bytes(LARGEST_OBJECT).s);
        else if ((*out = json_loadb(text, n, 0, &error)) == NULL)
            complain("%s:%d: %s", path, error.line, error.text);
        else if (!json_is_object(*out))
            complain("%s: found no JSON object", path);
        else
            status = EXIT_DONE;
    }
    free(text);
    if (file != NULL) fclose(file);
    free(path);
    return status;
}

/* Of more lines than can be kept every second, fourth, ... stays. */
static void keep(struct metrics *metrics, const struct metric *metric)
{
    if (metrics->every == 0) metrics->every = 1;
    if (metrics->n == MOST_METRICS) {
        metrics->n /= 2;
        metrics->every *= 2;
        for (size_t i = 0; i < metrics->n; i++) metrics->of[i] = metrics->of[2 * i];
    }
    if (metrics->seen++ % metrics->every != 0) return;
    if (metrics->n == metrics->capacity) {
        size_t capacity = 2 * metrics->capacity + 64;
        struct metric *more = need_memory(capacity, sizeof *more);
        if (metrics->n > 0) memcpy(more, metrics->of, metrics->n * sizeof *more);
        free(metrics->of);
        metrics->of = more;
        metrics->capacity = capacity;
    }
    metrics->of[metrics->n++] = *metric;
}

static struct metric read_metric(const json_t *line, long offset)
{
    return (struct metric){
        .epoch = run_number(line, "epoch"),
        .samples = run_number(line, "samples"),
        .seconds = run_number(line, "seconds"),
        .lr = run_number(line, "lr"),
        .train_loss = run_number(line, "train_loss"),
        .train_accuracy = run_number(line, "train_accuracy"),
        .train_rmse = run_number(line, "train_rmse"),
        .validation_loss = run_number(line, "validation_loss"),
        .validation_accuracy = run_number(line, "validation_accuracy"),
        .validation_rmse = run_number(line, "validation_rmse"),
        .best = json_is_true(run_value(line, "best")),
        .offset = offset,
    };
}

/* A line of at most LONGEST_LINE bytes; false at the end of the file. *whole: it ends with '\n'. */
static bool read_line(FILE *file, char **line, size_t *size, size_t *n, bool *whole)
{
    int byte = EOF;
    for (*n = 0; (byte = getc(file)) != EOF && byte != '\n';) {
        if (*n == *size) {
            if (*size >= LONGEST_LINE) return false;
            char *more = need_memory(2 * *size + 4096, 1);
            if (*n > 0) memcpy(more, *line, *n);
            free(*line);
            *line = more;
            *size = 2 * *size + 4096;
        }
        (*line)[(*n)++] = (char)byte;
    }
    *whole = byte == '\n';
    return *whole || *n > 0;
}

static int read_metrics(struct report_run *run)
{
    char *path = run_path(run, "metrics.jsonl"), *line = NULL;
    size_t size = 0, n = 0;
    bool whole = true;
    json_error_t error;
    int status = EXIT_DONE;
    FILE *file = fopen(path, "rb");
    if (file == NULL && errno != ENOENT) {
        complain("%s: cannot be read: %s", path, strerror(errno));
        status = EXIT_FAILED;
    }
    double per_epoch = run_number(run->about, "data.train_samples");
    for (size_t number = 1; file != NULL && status == EXIT_DONE; number++) {
        long offset = ftell(file);
        if (!read_line(file, &line, &size, &n, &whole)) break;
        json_t *object = json_loadb(line, n, 0, &error);
        const char *kind = run_text(object, "kind");
        if (object == NULL && whole) {
            complain("%s:%zu: %s", path, number, error.text);
            status = EXIT_FAILED;
        } else if (kind != NULL) {
            struct metric metric = read_metric(object, offset);
            bool step = strcmp(kind, "step") == 0;
            if (step && per_epoch > 0) metric.epoch = metric.samples / per_epoch;
            if (!(metric.epoch >= 0 && metric.epoch < 1e15)) metric.epoch = NAN;
            if (step) keep(&run->steps, &metric);
            if (strcmp(kind, "epoch") == 0) keep(&run->epochs, &metric);
        }
        json_decref(object);
    }
    if (file != NULL && ferror(file)) {
        complain("%s: reading failed", path);
        status = EXIT_FAILED;
    }
    if (file != NULL) fclose(file);
    free(line);
    free(path);
    return status;
}

json_t *run_epoch(const struct report_run *run, size_t index)
{
    char *path = run_path(run, "metrics.jsonl"), *line = NULL;
    size_t size = 0, n = 0;
    bool whole;
    json_t *object = NULL;
    FILE *file = fopen(path, "rb");
    if (file != NULL && fseek(file, run->epochs.of[index].offset, SEEK_SET) == 0 &&
        read_line(file, &line, &size, &n, &whole))
        object = json_loadb(line, n, 0, NULL);
    if (file != NULL) fclose(file);
    free(line);
    free(path);
    return object;
}

/* ---- The run ------------------------------------------------------------------------------- */

static int read_network(struct report_run *run)
{
    char *path = run_path(run, "model.safetensors");
    glia_error error;
    glia_status status = glia_network_load(path, &run->network, &error);
    free(path);
    return status == GLIA_OK || status == GLIA_NOT_FOUND ? EXIT_DONE : complain_error(&error);
}

int run_read(struct report_run *run, const char *folder)
{
    size_t n = strlen(folder);
    run->folder = need_copy(folder);
    while (n > 1 && run->folder[n - 1] == '/') run->folder[--n] = '\0';

    int status = read_object(run, "run.json", true, &run->about);
    if (status == EXIT_DONE) {
        const char *format = run_text(run->about, "format");
        double version = run_number(run->about, "format_version");
        if (format == NULL || strcmp(format, "glia-run") != 0 || !(version >= 1)) {
            complain("%s/run.json: found no \"format\": \"glia-run\" with a format_version; "
                     "expected what glia train --run writes",
                     run->folder);
            status = EXIT_FAILED;
        } else if (version >= 2) {
            complain("%s/run.json: found format_version %g, expected 1; a newer glia reads it",
                     run->folder, version);
            status = EXIT_FAILED;
        }
    }
    if (status == EXIT_DONE) status = read_object(run, "result.json", false, &run->result);
    if (status == EXIT_DONE) status = read_metrics(run);
    if (status == EXIT_DONE) status = read_network(run);
    return status;
}

void run_free(struct report_run *run)
{
    json_decref(run->about);
    json_decref(run->result);
    free(run->steps.of);
    free(run->epochs.of);
    glia_network_free(run->network);
    free(run->folder);
}
