/* SPDX-License-Identifier: MIT */
/*
 * Samples of which most features are zero, as sparse text and SciPy's arrays have them. They stay
 * sparse: (rows) of pairs of column and value, one after the other; a row of floats is made when it
 * is asked for.
 */
#include "data/set/sparse.h"

#include <inttypes.h>
#include <libdeflate.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/set/dataset.h"

void gi_sparse_free(gi_sparse *s)
{
    if (!s) return;
    gi_free(s->first_pair);
    gi_free(s->column);
    gi_free(s->value);
    gi_free(s->first_label);
    gi_free(s->label);
    gi_free(s->output);
    gi_free(s);
}

/* ---- Rows ---------------------------------------------------------------------------------- */

static uint32_t read_class(const void *source, uint64_t row, void *x)
{
    const gi_sparse *s = source;
    if (x) {
        float *features = x;
        memset(features, 0, s->n_features * sizeof *features);
        for (size_t i = s->first_pair[row]; i < s->first_pair[row + 1]; i++)
            features[s->column[i]] = s->value[i];
    }
    return s->output ? s->output[s->first_label[row]] : 0;
}

static uint32_t read_pairs(const void *source, uint64_t row, const gi_pair_room *room,
                           gi_pairs *out)
{
    (void)room; /* they lie here */
    const gi_sparse *s = source;
    const size_t first = s->first_pair[row];
    *out = (gi_pairs){s->first_pair[row + 1] - first, s->column + first, s->value + first};
    return s->output ? s->output[s->first_label[row]] : 0;
}

/* ... where there are no classes */
static uint32_t read_pairs_alone(const void *source, uint64_t row, const gi_pair_room *room,
                                 gi_pairs *out)
{
    (void)read_pairs(source, row, room, out);
    return 0;
}

static void prefetch(const void *source, uint64_t row)
{
    enum { A_LINE = 64 / sizeof(float) };
    const gi_sparse *s = source;
    for (size_t i = s->first_pair[row]; i < s->first_pair[row + 1]; i += A_LINE) {
        __builtin_prefetch(s->column + i);
        __builtin_prefetch(s->value + i);
    }
}

static size_t most_pairs(const void *source)
{
    const gi_sparse *s = source;
    return s->most_pairs;
}

/* As read_class, where there are no classes. */
static uint32_t read_row(const void *source, uint64_t row, void *x)
{
    if (x) read_class(source, row, x);
    return 0;
}

static void read_value(const void *source, uint64_t row, size_t first, size_t n, double *targets)
{
    (void)first; /* there is one */
    (void)n;
    const gi_sparse *s = source;
    targets[0] = s->label[s->first_label[row]];
}

/* Of rows whose labels are not known. */
static void read_nothing(const void *source, uint64_t row, size_t first, size_t n, double *targets)
{
    (void)source;
    (void)row;
    (void)first;
    for (size_t k = 0; k < n; k++) targets[k] = 0;
}

static void read_labels(const void *source, uint64_t row, size_t first, size_t n, double *targets)
{
    const gi_sparse *s = source;
    for (size_t k = 0; k < n; k++) targets[k] = 0;
    for (size_t i = s->first_label[row]; i < s->first_label[row + 1]; i++)
        if (s->output[i] >= first && s->output[i] < first + n) targets[s->output[i] - first] = 1;
}

static uint32_t checksum(const void *source)
{
    const gi_sparse *s = source;
    const size_t pairs = s->first_pair[s->rows], labels = s->first_label[s->rows];
    uint32_t sum = libdeflate_crc32(0, s->first_pair, (s->rows + 1) * sizeof *s->first_pair);
    sum = libdeflate_crc32(sum, s->column, pairs * sizeof *s->column);
    sum = libdeflate_crc32(sum, s->value, pairs * sizeof *s->value);
    sum = libdeflate_crc32(sum, s->first_label, (s->rows + 1) * sizeof *s->first_label);
    return libdeflate_crc32(sum, s->label, labels * sizeof *s->label);
}

static void keep(void *source)
{
    gi_sparse *s = source;
    atomic_fetch_add(&s->users, 1);
}

static void release(void *source)
{
    gi_sparse *s = source;
    if (atomic_fetch_sub(&s->users, 1) == 1) gi_sparse_free(s);
}

/* ---- What the labels are ------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The different labels, sorted: (n), to be freed. */
static double *different_labels(const gi_sparse *s, size_t *n, glia_error *error)
{
    const size_t all = s->first_label[s->rows];
    double *values = gi_alloc_unset(all + 1, sizeof *values, "labels", error);
    if (!values) return NULL;
    if (all) memcpy(values, s->label, all * sizeof *values);
    qsort(values, all, sizeof *values, by_value);
    *n = 0;
    for (size_t i = 0; i < all; i++)
        if (*n == 0 || values[i] > values[*n - 1]) values[(*n)++] = values[i];
    return values;
}

/* -0 is 0, and numbers of 15 digits are whole in a double. */
static bool are_whole(const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (values[i] != floor(values[i]) || fabs(values[i]) > 1e15) return false;
    return true;
}

/* What the labels (n different ones) are, by the loss that was asked for, or as they look. */
static glia_task task_of(const gi_sparse_facts *facts, const gi_sparse *s, bool whole, size_t n,
                         glia_loss loss)
{
    switch (loss) {
    case GLIA_LOSS_AUTO:
        return facts->many                     ? GLIA_TASK_LABELS
               : whole && 2 * n <= s->rows + 2 ? GLIA_TASK_CLASSES
                                               : GLIA_TASK_VALUES;
    case GLIA_LOSS_CROSS_ENTROPY:
        return GLIA_TASK_CLASSES;
    case GLIA_LOSS_BCE:
        return GLIA_TASK_LABELS;
    default:
        return GLIA_TASK_VALUES;
    }
}

/* Whether the labels (n different ones) can be what the task says; any_number: one class alone, or
 * none, may be tested on. */
static glia_status check_task(const gi_sparse_facts *facts, const double *values, size_t n,
                              glia_task task, bool any_number, glia_error *error)
{
    const char *path = facts->path;
    if (n == 0 && task != GLIA_TASK_LABELS)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: found no label, expected one in each sample: LABEL INDEX:VALUE ...; "
                       "samples without labels can be predicted alone",
                       path);
    if (task != GLIA_TASK_LABELS && facts->many)
        return gi_fail(
            error, GLIA_BAD_FORMAT,
            "%s: found samples with several labels or none, expected one a sample%s", path,
            any_number ? "" : "; setting loss=bce learns several labels, each for itself");
    if (task != GLIA_TASK_VALUES && facts->has_long)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: found a label of more than 15 digits, expected fewer: longer whole "
                       "numbers are not told apart; number the classes from 0",
                       path);
    if (task != GLIA_TASK_VALUES && !are_whole(values, n))
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: found labels that are no whole numbers, such as %g, expected them to "
                       "name %s",
                       path, values[n - 1], task == GLIA_TASK_LABELS ? "labels" : "classes");
    if (task != GLIA_TASK_VALUES && !any_number &&
        (n < (task == GLIA_TASK_CLASSES ? 2 : 1) || n > GLIA_MAX_CLASSES))
        return gi_fail(error, GLIA_BAD_FORMAT, "%s: found %zu different label%s, expected %d to %d",
                       path, n, n == 1 ? "" : "s", task == GLIA_TASK_CLASSES ? 2 : 1,
                       (int)GLIA_MAX_CLASSES);
    return GLIA_OK;
}

/* "-1": the name of a class. */
static void write_name(double label, char name[32])
{
    snprintf(name, 32, "%" PRId64, (int64_t)label);
}

/* Names of the classes or labels (n, one block). */
static char **make_names(const double *values, size_t n, glia_error *error)
{
    char(*text)[32] = gi_alloc(n, sizeof *text, "names of classes", error);
    const char **names = gi_alloc(n, sizeof *names, "names of classes", error);
    char **copies = NULL;
    for (size_t k = 0; text && names && k < n; k++) {
        write_name(values[k], text[k]);
        names[k] = text[k];
    }
    if (text && names) copies = gi_copy_names(names, n, error);
    gi_free(text);
    gi_free(names);
    return copies;
}

/* Which of the names each label is: fills s->output. */
static glia_status find_outputs(const gi_sparse_facts *facts, gi_sparse *s, char *const *names,
                                size_t n, glia_error *error)
{
    const size_t all = s->first_label[s->rows];
    size_t n_values = 0;
    glia_status status = GLIA_NO_MEMORY;
    double *values = different_labels(s, &n_values, error);
    uint32_t *output_of = gi_alloc(n_values + 1, sizeof *output_of, "labels", error);
    s->output = gi_alloc(all + 1, sizeof *s->output, "labels", error);
    if (!values || !output_of || !s->output) goto cleanup;
    status = GLIA_OK;
    for (size_t v = 0; v < n_values && !status; v++) {
        char name[32];
        size_t k = 0;
        write_name(values[v], name);
        while (k < n && strcmp(names[k], name) != 0) k++;
        output_of[v] = (uint32_t)k;
        if (k == n)
            status =
                gi_fail(error, GLIA_MISMATCH,
                        "%s: found the label %s, expected one of the %zu that were trained on, "
                        "%s to %s",
                        facts->path, name, n, names[0], names[n - 1]);
    }
    for (size_t i = 0; i < all && !status; i++) {
        const double *at = bsearch(&s->label[i], values, n_values, sizeof *values, by_value);
        s->output[i] = output_of[at - values];
    }
cleanup:
    gi_free(values);
    gi_free(output_of);
    return status;
}

/* ---- All of it ----------------------------------------------------------------------------- */

/* Leaves out the pairs of columns from n_features on, and returns how many there were. */
static size_t leave_out(gi_sparse *s)
{
    size_t kept = 0, begin = 0;
    for (size_t row = 0; row < s->rows; row++) {
        const size_t end = s->first_pair[row + 1];
        for (size_t i = begin; i < end; i++) {
            if (s->column[i] >= s->n_features) continue;
            s->column[kept] = s->column[i];
            s->value[kept++] = s->value[i];
        }
        begin = end;
        s->first_pair[row + 1] = kept;
    }
    return begin - kept;
}

/*
 * Turns indices into columns, and sets the number of features. Those that a network has no input
 * for are left out, unless they are most of what is there; *left_out: how many pairs.
 */
static glia_status place_columns(const gi_sparse_facts *facts, gi_sparse *s, const gi_reading *like,
                                 bool *from_zero, size_t *left_out, glia_error *error)
{
    const bool like_rows = like && like->features > 0;
    const size_t n_pairs = s->first_pair[s->rows];
    *from_zero = like_rows ? like->from_zero : facts->from_zero;
    if (!*from_zero && facts->from_zero)
        return gi_fail(error, GLIA_MISMATCH,
                       "%s: found the index 0, expected indices from 1, as in the training data",
                       facts->path);
    const size_t first = *from_zero ? 0 : 1, n = facts->largest + 1 - first;
    const size_t width = facts->width > n ? facts->width : n;
    s->n_features = like_rows ? like->features : width > 0 ? width : 1;
    if (s->n_features > GLIA_MAX_UNITS)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: found the index %zu, expected at most %zu, the last input that a "
                       "network may have",
                       facts->path, width - 1 + first, (size_t)GLIA_MAX_UNITS - 1 + first);
    for (size_t i = 0; i < n_pairs; i++) s->column[i] -= (uint32_t)first;
    *left_out = n > s->n_features ? leave_out(s) : 0;
    if (2 * *left_out > n_pairs)
        return gi_fail(error, GLIA_MISMATCH,
                       "%s: found indices up to %zu, expected at most %zu, as in the training "
                       "data; most values belong to features that the training data have not",
                       facts->path, facts->largest, s->n_features - 1 + first);
    return GLIA_OK;
}

/* For people: what was read, and what the labels were taken for. */
static char *write_notes(const gi_sparse_facts *facts, const gi_sparse *s, bool from_zero,
                         size_t left_out, glia_task task, const gi_reading *like, glia_error *error)
{
    static const char *const kinds[] = {[GLIA_TASK_CLASSES] = "labels are classes",
                                        [GLIA_TASK_LABELS] =
                                            "a sample may have several labels, or none",
                                        [GLIA_TASK_VALUES] = "labels are values"};
    char unknown[96] = "";
    if (left_out > 0)
        snprintf(unknown, sizeof unknown,
                 "; %zu value%s of features that the training data lack %s left out", left_out,
                 left_out == 1 ? "" : "s", left_out == 1 ? "was" : "were");
    return gi_format(
        error, "%s, indices from %d to %zu, %.3g of them not 0 on average%s%s%s%s%s", facts->kind,
        from_zero ? 0 : 1, facts->largest, (double)s->first_pair[s->rows] / (double)s->rows,
        unknown, facts->has_queries ? "; query numbers (qid) were left out" : "",
        like && like->ignores_targets ? "" : "\n", like && like->ignores_targets ? "" : kinds[task],
        like                        ? ""
        : task == GLIA_TASK_CLASSES ? "; setting loss=mse takes them for values"
        : task == GLIA_TASK_VALUES  ? "; setting loss=cross-entropy takes whole numbers for classes"
                                    : "");
}

static gi_rows rows_of(glia_task task, bool is_unlabelled)
{
    const bool has_class = task == GLIA_TASK_CLASSES && !is_unlabelled;
    return (gi_rows){
        .read = has_class ? read_class : read_row,
        .read_pairs = has_class ? read_pairs : read_pairs_alone,
        .most_pairs = most_pairs,
        .prefetch = prefetch,
        .read_targets = task == GLIA_TASK_CLASSES  ? NULL
                        : is_unlabelled            ? read_nothing
                        : task == GLIA_TASK_LABELS ? read_labels
                                                   : read_value,
        .checksum = checksum,
        .keep = keep,
        .free = release,
    };
}

/* What the labels are, and what they are called: *own_names (or NULL) is to be freed. */
static glia_status settle_labels(const gi_sparse_facts *facts, gi_sparse *s, glia_loss loss,
                                 const gi_reading *like, glia_task *task, char ***own_names,
                                 glia_error *error)
{
    size_t n = 0;
    double *values = different_labels(s, &n, error);
    if (!values) return GLIA_NO_MEMORY;
    *task = like ? like->task : task_of(facts, s, are_whole(values, n), n, loss);
    glia_status status = check_task(facts, values, n, *task, like != NULL, error);
    if (!status && loss == GLIA_LOSS_AUTO && !like && facts->has_long)
        status = check_task(facts, values, n, GLIA_TASK_CLASSES, true, error);
    s->n_outputs = like ? like->classes : *task == GLIA_TASK_VALUES ? 1 : n;
    if (!status && !like && *task != GLIA_TASK_VALUES) {
        *own_names = make_names(values, n, error);
        if (!*own_names) status = GLIA_NO_MEMORY;
    }
    if (!status && *task != GLIA_TASK_VALUES)
        status = find_outputs(facts, s, like ? like->class_names : *own_names, s->n_outputs, error);
    if (!status && *task == GLIA_TASK_VALUES && s->n_outputs != 1)
        status = gi_fail(error, GLIA_MISMATCH,
                         "%s: found one value a sample, expected %zu, as in the training data",
                         facts->path, s->n_outputs);
    gi_free(values);
    return status;
}

glia_status gi_sparse_dataset(gi_sparse *s, const gi_sparse_facts *facts, const char *name,
                              glia_loss loss, const gi_reading *like, glia_dataset **out,
                              glia_error *error)
{
    static const char *const value_name[] = {"label"};
    const bool is_unlabelled = like && like->ignores_targets;
    glia_dataset *dataset = NULL;
    char **own_names = NULL;
    bool from_zero = false;
    size_t left_out = 0;
    glia_task task = like ? like->task : GLIA_TASK_CLASSES;
    glia_status status = GLIA_OK;
    if (is_unlabelled)
        s->n_outputs = like->classes;
    else
        status = settle_labels(facts, s, loss, like, &task, &own_names, error);
    if (!status) status = place_columns(facts, s, like, &from_zero, &left_out, error);
    char *const *names = like ? like->class_names : own_names;
    if (!status)
        status = gi_dataset_new(name, GLIA_TYPE_F32, s->rows, s->n_features, s->n_outputs,
                                names ? (const char *const *)names : value_name, &dataset, error);
    if (status) goto cleanup;
    dataset->task = task;
    dataset->from_zero = from_zero;
    dataset->is_unlabelled = is_unlabelled;
    dataset->notes = write_notes(facts, s, from_zero, left_out, task, like, error);
    if (!dataset->notes) {
        glia_dataset_free(dataset);
        status = GLIA_NO_MEMORY;
        goto cleanup;
    }
    s->most_pairs = 1;
    for (size_t row = 0; row < s->rows; row++) {
        const size_t n = s->first_pair[row + 1] - s->first_pair[row];
        if (n > s->most_pairs) s->most_pairs = n;
    }
    atomic_init(&s->users, 1);
    dataset->source = rows_of(task, is_unlabelled);
    dataset->source_of = s;
    *out = dataset;
cleanup:
    gi_free(own_names);
    return status;
}

size_t gi_sparse_first_feature(const glia_dataset *dataset)
{
    return dataset->source.checksum == checksum && !dataset->from_zero;
}

glia_status gi_sparse_largest(const glia_dataset *dataset, double *rms, size_t *index,
                              glia_error *error)
{
    *rms = 0;
    *index = 0;
    if (dataset->source.checksum != checksum || dataset->samples == 0) return GLIA_OK;
    const gi_sparse *s = dataset->source_of;
    double *squares = gi_alloc(s->n_features, sizeof *squares, "the sizes of features", error);
    if (!squares) return GLIA_NO_MEMORY;
    for (size_t i = 0; i < s->first_pair[s->rows]; i++)
        squares[s->column[i]] += (double)s->value[i] * (double)s->value[i];
    for (size_t f = 0; f < s->n_features; f++) {
        const double own = sqrt(squares[f] / (double)s->rows);
        if (own <= *rms) continue;
        *rms = own;
        *index = f + gi_sparse_first_feature(dataset);
    }
    gi_free(squares);
    return GLIA_OK;
}
