/* SPDX-License-Identifier: MIT */
/*
 * Sparse text as LIBSVM and SVMlight write it: a line for each sample,
 *
 *     LABEL[,LABEL...] INDEX:VALUE INDEX:VALUE ... # comment
 *
 * with indices that ascend. The features stay sparse: (rows) of the pairs of a row, one after the
 * other; a row of floats is made when it is asked for.
 */
#include <float.h>
#include <inttypes.h>
#include <libdeflate.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/number.h"
#include "data/dataset.h"
#include "data/encoding.h"
#include "data/readers.h"

enum { MAX_SHOWN = 40 };

/* Shared by the parts of a data set. Row r has pairs first_pair[r] .. first_pair[r + 1] - 1. */
struct sparse {
    atomic_int users;
    size_t rows, n_features, n_outputs;
    size_t *first_pair;  /* (rows + 1) */
    uint32_t *column;    /* (pairs) */
    float *value;        /* (pairs) */
    size_t *first_label; /* (rows + 1) */
    double *label;       /* (labels), as they stand in the file; */
    uint32_t *output;    /* (labels), the class or output that each is: of classes and labels */
};

static void sparse_free(struct sparse *s)
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
    const struct sparse *s = source;
    if (x) {
        float *features = x;
        memset(features, 0, s->n_features * sizeof *features);
        for (size_t i = s->first_pair[row]; i < s->first_pair[row + 1]; i++)
            features[s->column[i]] = s->value[i];
    }
    return s->output ? s->output[s->first_label[row]] : 0;
}

/* As read_class, where there are no classes. */
static uint32_t read_row(const void *source, uint64_t row, void *x)
{
    if (x) read_class(source, row, x);
    return 0;
}

static void read_value(const void *source, uint64_t row, float *targets)
{
    const struct sparse *s = source;
    targets[0] = (float)s->label[s->first_label[row]];
}

static void read_labels(const void *source, uint64_t row, float *targets)
{
    const struct sparse *s = source;
    for (size_t k = 0; k < s->n_outputs; k++) targets[k] = 0;
    for (size_t i = s->first_label[row]; i < s->first_label[row + 1]; i++)
        targets[s->output[i]] = 1;
}

static uint32_t checksum(const void *source)
{
    const struct sparse *s = source;
    const size_t pairs = s->first_pair[s->rows], labels = s->first_label[s->rows];
    uint32_t sum = libdeflate_crc32(0, s->first_pair, (s->rows + 1) * sizeof *s->first_pair);
    sum = libdeflate_crc32(sum, s->column, pairs * sizeof *s->column);
    sum = libdeflate_crc32(sum, s->value, pairs * sizeof *s->value);
    sum = libdeflate_crc32(sum, s->first_label, (s->rows + 1) * sizeof *s->first_label);
    return libdeflate_crc32(sum, s->label, labels * sizeof *s->label);
}

static void keep(void *source)
{
    struct sparse *s = source;
    atomic_fetch_add(&s->users, 1);
}

static void release(void *source)
{
    struct sparse *s = source;
    if (atomic_fetch_sub(&s->users, 1) == 1) sparse_free(s);
}

/* ---- Reading ------------------------------------------------------------------------------- */

struct text {
    const char *path;
    const char *at, *end; /* end: of all */
    uint64_t line;
    size_t n_pairs, n_labels;
    size_t largest; /* index */
    bool any_zero;  /* index */
    bool many;      /* a line has no label, or several */
    glia_error *error;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The token that begins at `at`, which is no blank: up to a blank, a comment or the line's end. */
static const char *token_end(const char *at, const char *end)
{
    while (at < end && !is_blank(*at) && *at != '\n' && *at != '#') at++;
    return at;
}

/* A token for a message. */
static const char *shown(const char *begin, const char *end, char text[MAX_SHOWN + 4])
{
    const size_t n = (size_t)(end - begin);
    memcpy(text, begin, n < MAX_SHOWN ? n : MAX_SHOWN);
    strcpy(text + (n < MAX_SHOWN ? n : MAX_SHOWN), n > MAX_SHOWN ? "..." : "");
    return text;
}

static glia_status unexpected(const struct text *t, const char *begin, const char *end,
                              const char *expected)
{
    char found[MAX_SHOWN + 4];
    return gi_fail(t->error, GLIA_BAD_FORMAT, "%s, line %" PRIu64 ": found \"%s\", expected %s",
                   t->path, t->line, shown(begin, end, found), expected);
}

/* "1" or "1,3": adds to the labels. */
static glia_status read_label(struct text *t, struct sparse *s, const char *token, const char *end)
{
    for (const char *begin = token;;) {
        const char *comma = memchr(begin, ',', (size_t)(end - begin));
        const char *last = comma ? comma : end;
        double *label = &s->label[t->n_labels];
        if (!gi_parse_f64(begin, last, label) || !isfinite(*label))
            return unexpected(t, token, end,
                              "a number, or several with commas between them, as the label");
        t->n_labels++;
        if (!comma) return GLIA_OK;
        begin = comma + 1;
    }
}

/* "17:0.5": adds to the pairs. previous: the index before it, or -1. */
static glia_status read_pair(struct text *t, struct sparse *s, const char *begin, const char *end,
                             int64_t *previous)
{
    const char *colon = memchr(begin, ':', (size_t)(end - begin));
    int64_t index = 0;
    double value;
    if (colon && colon - begin == 3 && memcmp(begin, "qid", 3) == 0)
        return unexpected(t, begin, end,
                          "INDEX:VALUE; files for ranking (qid) are not read, leave the qid out");
    if (!colon || colon == begin) return unexpected(t, begin, end, "INDEX:VALUE, as 17:0.5");
    for (const char *c = begin; c < colon; c++) {
        if (*c < '0' || *c > '9')
            return unexpected(t, begin, end, "INDEX:VALUE with a whole number as the index");
        index = index * 10 + (*c - '0');
        if (index > GLIA_MAX_UNITS)
            return gi_fail(t->error, GLIA_BAD_FORMAT,
                           "%s, line %" PRIu64 ": found the index %.*s, expected at most %d, the "
                           "most inputs that a network may have",
                           t->path, t->line, colon - begin > 20 ? 20 : (int)(colon - begin), begin,
                           (int)GLIA_MAX_UNITS);
    }
    if (index <= *previous)
        return gi_fail(t->error, GLIA_BAD_FORMAT,
                       "%s, line %" PRIu64 ": found the index %" PRId64 " after %" PRId64
                       ", expected indices that ascend; sort them",
                       t->path, t->line, index, *previous);
    if (!gi_parse_f64(colon + 1, end, &value) || !(fabs(value) <= (double)FLT_MAX))
        return unexpected(t, begin, end,
                          "INDEX:VALUE with a number of at most 3.4e38 as the value");
    *previous = index;
    if (index == 0) t->any_zero = true;
    if ((size_t)index > t->largest) t->largest = (size_t)index;
    s->column[t->n_pairs] = (uint32_t)index;
    s->value[t->n_pairs++] = (float)value;
    return GLIA_OK;
}

/* A line with a sample: from its first token on. Leaves t->at at the line's end. */
static glia_status read_line(struct text *t, struct sparse *s)
{
    const size_t labels_before = t->n_labels;
    int64_t previous = -1;
    bool first = true;
    glia_status status = GLIA_OK;
    while (!status && t->at < t->end && *t->at != '\n' && *t->at != '#') {
        const char *begin = t->at, *end = token_end(begin, t->end);
        if (first && !memchr(begin, ':', (size_t)(end - begin)))
            status = read_label(t, s, begin, end);
        else
            status = read_pair(t, s, begin, end, &previous);
        first = false;
        for (t->at = end; t->at < t->end && is_blank(*t->at);) t->at++;
    }
    t->many |= t->n_labels != labels_before + 1;
    return status;
}

/* All lines; the arrays have room for what the text may hold. */
static glia_status read_lines(struct text *t, struct sparse *s)
{
    glia_status status = GLIA_OK;
    while (!status && t->at < t->end) {
        t->line++;
        while (t->at < t->end && is_blank(*t->at)) t->at++;
        if (t->at < t->end && *t->at != '\n' && *t->at != '#') {
            s->first_pair[s->rows] = t->n_pairs;
            s->first_label[s->rows] = t->n_labels;
            s->rows++;
            status = read_line(t, s);
        }
        const char *newline = memchr(t->at, '\n', (size_t)(t->end - t->at));
        t->at = newline ? newline + 1 : t->end;
    }
    s->first_pair[s->rows] = t->n_pairs;
    s->first_label[s->rows] = t->n_labels;
    return status;
}

static size_t count(const char *at, const char *end, char c)
{
    size_t n = 0;
    while (at < end && (at = memchr(at, c, (size_t)(end - at)))) {
        n++;
        at++;
    }
    return n;
}

/* Reads all into s, whose arrays are made. */
static glia_status read_text(struct text *t, struct sparse *s)
{
    const char *zero = t->at < t->end ? memchr(t->at, '\0', (size_t)(t->end - t->at)) : NULL;
    if (zero)
        return gi_fail(t->error, GLIA_BAD_FORMAT,
                       "%s: byte %zu: found a zero byte, expected text: lines of LABEL INDEX:VALUE",
                       t->path, (size_t)(zero - t->at));
    const size_t lines = count(t->at, t->end, '\n') + 1, pairs = count(t->at, t->end, ':');
    const size_t labels = lines + count(t->at, t->end, ',');
    s->first_pair = gi_alloc(lines + 1, sizeof *s->first_pair, t->path, t->error);
    s->first_label = gi_alloc(lines + 1, sizeof *s->first_label, t->path, t->error);
    s->column = gi_alloc_unset(pairs + 1, sizeof *s->column, t->path, t->error);
    s->value = gi_alloc_unset(pairs + 1, sizeof *s->value, t->path, t->error);
    s->label = gi_alloc(labels + 1, sizeof *s->label, t->path, t->error);
    if (!s->first_pair || !s->first_label || !s->column || !s->value || !s->label)
        return GLIA_NO_MEMORY;
    const glia_status status = read_lines(t, s);
    if (status) return status;
    if (s->rows == 0)
        return gi_fail(t->error, GLIA_BAD_FORMAT,
                       "%s: found no sample, expected lines of LABEL INDEX:VALUE", t->path);
    return GLIA_OK;
}

/* ---- What the labels are ------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The different labels, sorted: (n), to be freed. */
static double *different_labels(const struct sparse *s, size_t *n, glia_error *error)
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

/* What is to be said of a sample, by what a line holds and by the loss that was asked for. */
static glia_status choose_task(const struct text *t, const struct sparse *s, const double *values,
                               size_t n, glia_loss loss, glia_task *task)
{
    const bool whole = are_whole(values, n);
    switch (loss) {
    case GLIA_LOSS_AUTO:
        *task = t->many ? GLIA_LABELS : whole && 2 * n <= s->rows + 2 ? GLIA_CLASSES : GLIA_VALUES;
        break;
    case GLIA_LOSS_CROSS_ENTROPY:
        *task = GLIA_CLASSES;
        break;
    case GLIA_LOSS_BCE:
        *task = GLIA_LABELS;
        break;
    default:
        *task = GLIA_VALUES;
    }
    if (*task != GLIA_LABELS && t->many)
        return gi_fail(t->error, GLIA_BAD_FORMAT,
                       "%s: found lines with several labels or none, expected one a line; or let "
                       "each be learned for itself (--loss bce)",
                       t->path);
    if (*task != GLIA_VALUES && !whole)
        return gi_fail(
            t->error, GLIA_BAD_FORMAT,
            "%s: found labels that are no whole numbers, as %g, expected them to name %s", t->path,
            n ? values[n - 1] : 0, *task == GLIA_LABELS ? "labels" : "classes");
    if (*task != GLIA_VALUES && (n < (*task == GLIA_CLASSES ? 2 : 1) || n > GLIA_MAX_CLASSES))
        return gi_fail(t->error, GLIA_BAD_FORMAT,
                       "%s: found %zu different labels, expected %d to %d", t->path, n,
                       *task == GLIA_CLASSES ? 2 : 1, (int)GLIA_MAX_CLASSES);
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
static glia_status find_outputs(const struct text *t, struct sparse *s, char *const *names,
                                size_t n)
{
    const size_t all = s->first_label[s->rows];
    size_t n_values = 0;
    glia_status status = GLIA_NO_MEMORY;
    double *values = different_labels(s, &n_values, t->error);
    uint32_t *output_of = gi_alloc(n_values + 1, sizeof *output_of, "labels", t->error);
    s->output = gi_alloc(all + 1, sizeof *s->output, "labels", t->error);
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
                gi_fail(t->error, GLIA_MISMATCH,
                        "%s: found the label %s, expected one of the %zu that were trained on, "
                        "%s to %s",
                        t->path, name, n, names[0], names[n - 1]);
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

/* Turns indices into columns, and sets the number of features. */
static glia_status place_columns(const struct text *t, struct sparse *s, const gi_reading *like,
                                 bool *from_zero)
{
    const bool like_rows = like && like->features > 0;
    *from_zero = like_rows ? like->from_zero : t->any_zero;
    if (!*from_zero && t->any_zero)
        return gi_fail(t->error, GLIA_MISMATCH,
                       "%s: found the index 0, expected indices from 1, as in what was trained on",
                       t->path);
    const size_t first = *from_zero ? 0 : 1, n = t->largest + 1 - first;
    s->n_features = like_rows ? like->features : n > 0 ? n : 1;
    if (n > s->n_features)
        return gi_fail(t->error, GLIA_MISMATCH,
                       "%s: found the index %zu, expected at most %zu, as in what was trained on",
                       t->path, t->largest, s->n_features - 1 + first);
    if (s->n_features > GLIA_MAX_UNITS)
        return gi_fail(t->error, GLIA_BAD_FORMAT,
                       "%s: found the index %zu, expected at most %zu, the last input that a "
                       "network may have",
                       t->path, t->largest, (size_t)GLIA_MAX_UNITS - 1 + first);
    for (size_t i = 0; i < t->n_pairs; i++) s->column[i] -= (uint32_t)first;
    return GLIA_OK;
}

static glia_status make_dataset(const struct text *t, struct sparse *s, const char *name,
                                glia_loss loss, const gi_reading *like, glia_dataset **out)
{
    static const char *const value_name[] = {"label"};
    static const char *const kinds[] = {[GLIA_CLASSES] = "classes",
                                        [GLIA_LABELS] = "labels, several a sample",
                                        [GLIA_VALUES] = "values"};
    glia_dataset *dataset = NULL;
    char **own_names = NULL;
    size_t n_values = 0;
    bool from_zero;
    glia_task task = like ? like->task : GLIA_CLASSES;
    double *values = different_labels(s, &n_values, t->error);
    if (!values) return GLIA_NO_MEMORY;
    if (like)
        loss = task == GLIA_CLASSES  ? GLIA_LOSS_CROSS_ENTROPY
               : task == GLIA_LABELS ? GLIA_LOSS_BCE
                                     : GLIA_LOSS_MSE;
    /* One class alone may be tested on. */
    glia_status status = like && task == GLIA_CLASSES && n_values == 1 && !t->many
                             ? GLIA_OK
                             : choose_task(t, s, values, n_values, loss, &task);
    if (!status) status = place_columns(t, s, like, &from_zero);
    if (status) goto cleanup;
    char *const *names = like ? like->class_names : NULL;
    size_t n = like ? like->classes : task == GLIA_VALUES ? 1 : n_values;
    if (!like && task != GLIA_VALUES) {
        names = own_names = make_names(values, n_values, t->error);
        if (!names) status = GLIA_NO_MEMORY;
    }
    if (!status && task != GLIA_VALUES) status = find_outputs(t, s, names, n);
    if (!status && task == GLIA_VALUES && n != 1)
        status = gi_fail(t->error, GLIA_MISMATCH,
                         "%s: found one value a line, expected %zu, as in what was trained on",
                         t->path, n);
    if (!status)
        status =
            gi_dataset_new(name, GLIA_F32, s->rows, s->n_features, n,
                           names ? (const char *const *)names : value_name, &dataset, t->error);
    if (status) goto cleanup;
    s->n_outputs = n;
    dataset->task = task;
    dataset->from_zero = from_zero;
    dataset->notes = gi_format(
        t->error,
        "sparse text, indices from %d to %zu, %.3g of them not 0 on average\nthe labels are %s%s",
        from_zero ? 0 : 1, t->largest, (double)t->n_pairs / (double)s->rows, kinds[task],
        like                   ? ""
        : task == GLIA_CLASSES ? "; --loss mse takes them for values"
        : task == GLIA_VALUES  ? "; --loss cross-entropy takes whole numbers for classes"
                               : "");
    if (!dataset->notes) {
        glia_dataset_free(dataset);
        status = GLIA_NO_MEMORY;
        goto cleanup;
    }
    atomic_init(&s->users, 1);
    dataset->source = (gi_rows){
        .read = task == GLIA_CLASSES ? read_class : read_row,
        .read_targets = task == GLIA_CLASSES  ? NULL
                        : task == GLIA_LABELS ? read_labels
                                              : read_value,
        .checksum = checksum,
        .keep = keep,
        .free = release,
    };
    dataset->source_of = s;
    *out = dataset;
cleanup:
    gi_free(values);
    gi_free(own_names);
    return status;
}

glia_status gi_libsvm_parse(const char *path, const char *name, const uint8_t *bytes,
                            size_t n_bytes, glia_loss loss, const gi_reading *like,
                            glia_dataset **out, glia_error *error)
{
    struct text t = {.path = path,
                     .at = (const char *)bytes,
                     .end = (const char *)bytes + n_bytes,
                     .error = error};
    struct sparse *s = gi_alloc(1, sizeof *s, path, error);
    if (!s) return GLIA_NO_MEMORY;
    glia_status status = read_text(&t, s);
    if (!status) status = make_dataset(&t, s, name, loss, like, out);
    if (status) sparse_free(s);
    return status;
}

bool gi_libsvm_is(const uint8_t *bytes, size_t n_bytes)
{
    const char *at = (const char *)bytes, *end = at + n_bytes;
    size_t pairs = 0;
    double label;
    while (at < end) { /* to the first line with a sample */
        while (at < end && (is_blank(*at) || *at == '\n')) at++;
        if (at == end || *at != '#') break;
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        at = newline ? newline : end;
    }
    for (bool first = true; at < end && *at != '\n' && *at != '#'; first = false) {
        const char *last = token_end(at, end);
        const char *colon = memchr(at, ':', (size_t)(last - at));
        if (first && !colon) {
            const char *comma = memchr(at, ',', (size_t)(last - at));
            if (!gi_parse_f64(at, comma ? comma : last, &label)) return false;
        } else {
            if (!colon || colon == at) return false;
            if (pairs == 0 && colon - at == 3 && memcmp(at, "qid", 3) == 0) at = colon;
            for (; at < colon; at++)
                if (*at < '0' || *at > '9') return false;
            if (memchr(colon, ',', (size_t)(last - colon))) return false; /* a table with times */
            pairs++;
        }
        for (at = last; at < end && is_blank(*at);) at++;
    }
    return pairs > 0;
}

bool gi_libsvm_is_file(const char *path)
{
    struct stat info;
    gi_file file = {0};
    /* What comes through a pipe can be looked at once. */
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) return false;
    if (gi_file_open(path, &file, NULL) != GLIA_OK) return false;
    const bool is = gi_libsvm_is(file.data, file.size);
    gi_file_close(&file);
    return is;
}

glia_status gi_libsvm_open(const char *path, const char *name, glia_loss loss,
                           const gi_reading *like, glia_dataset **out, glia_error *error)
{
    gi_file file = {0};
    glia_status status = gi_file_open(path, &file, error);
    if (!status) status = gi_libsvm_parse(path, name, file.data, file.size, loss, like, out, error);
    gi_file_close(&file);
    return status;
}
