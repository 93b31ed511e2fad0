/* SPDX-License-Identifier: MIT */
/* NumPy's arrays: what labels they are, for samples of bytes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/files/npy_parts.h"
#include "data/table/table.h"

/* Labels that are no numbers from 0 to 65,535 are classes if they are as few as those of a table.
 */
enum { MOST_OTHERS = 50, LEAST_OF_EACH = 2 };

void gi_npy_labels_free(gi_npy_labels *labels)
{
    gi_free(labels->labels);
    gi_free(labels->names);
    *labels = (gi_npy_labels){0};
}

/* ---- One-hot ------------------------------------------------------------------------------- */

/* The column of a row's 1. */
static size_t hot_column(const gi_array *y, size_t row)
{
    for (size_t c = 0; c < y->columns; c++) {
        size_t stride;
        const size_t begin = gi_array_column_begin(y, c, &stride);
        if (gi_array_element(y, begin + row * stride) == 1) return c;
    }
    return 0;
}

/* Whether there are several columns, with one 1 in every row and 0 else. */
static bool is_one_hot(const gi_array *y)
{
    if (y->columns < 2 || y->columns > GI_MAX_COLUMNS || gi_array_has_texts(y)) return false;
    for (size_t row = 0; row < y->rows; row++) {
        size_t ones = 0;
        for (size_t c = 0; c < y->columns; c++) {
            size_t stride;
            const size_t begin = gi_array_column_begin(y, c, &stride);
            const double element = gi_array_element(y, begin + row * stride);
            if (element != 0 && element != 1) return false;
            ones += element == 1;
        }
        if (ones != 1) return false;
    }
    return true;
}

/* ---- Names --------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    const int64_t p = *(const int64_t *)a, q = *(const int64_t *)b;
    return (p > q) - (p < q);
}

/* Adds the whole numbers of an array; false: one is none, or is too large. */
static bool add_numbers(const gi_array *y, int64_t *numbers, size_t *n)
{
    if ((y->kind != 'i' && y->kind != 'u') || y->columns != 1) return false;
    for (size_t i = 0; i < y->rows; i++) {
        if (gi_array_is_long(y, i)) return false;
        numbers[(*n)++] = (int64_t)gi_array_element(y, i);
    }
    return true;
}

/* The names of the different numbers, sorted, and the number of each: (n), both to be freed. */
static glia_status name_numbers(const gi_arrays *arrays, int64_t **out, gi_npy_labels *labels,
                                bool *fits, glia_error *error)
{
    const size_t all = arrays->y.rows + (arrays->has_other_y ? arrays->other_y.rows : 0);
    size_t n = 0, different = 0;
    int64_t *numbers = gi_alloc_unset(all, sizeof *numbers, "labels", error);
    *out = numbers;
    if (!numbers) return GLIA_NO_MEMORY;
    *fits = add_numbers(&arrays->y, numbers, &n) &&
            (!arrays->has_other_y || add_numbers(&arrays->other_y, numbers, &n));
    if (!*fits) return GLIA_OK;
    qsort(numbers, n, sizeof *numbers, by_number);
    for (size_t i = 0; i < n; i++)
        if (different == 0 || numbers[i] > numbers[different - 1])
            numbers[different++] = numbers[i];
    const bool are_usual = numbers[0] >= 0 && numbers[different - 1] < GLIA_MAX_CLASSES;
    *fits = are_usual || (different <= MOST_OTHERS && different * LEAST_OF_EACH <= n);
    if (!*fits) return GLIA_OK;
    enum { LONGEST = 24 };
    char *text = gi_alloc(different, LONGEST, "names of classes", error);
    const char **names = gi_alloc(different, sizeof *names, "names of classes", error);
    for (size_t k = 0; text && names && k < different; k++) {
        names[k] = text + k * LONGEST;
        snprintf(text + k * LONGEST, LONGEST, "%" PRId64, numbers[k]);
    }
    if (text && names) labels->names = gi_copy_names(names, different, error);
    labels->n = different;
    gi_free(text);
    gi_free(names);
    return labels->names ? GLIA_OK : GLIA_NO_MEMORY;
}

static glia_status find_numbers(const gi_arrays *arrays, gi_npy_labels *labels, bool *fits,
                                glia_error *error)
{
    int64_t *numbers = NULL;
    const glia_status status = name_numbers(arrays, &numbers, labels, fits, error);
    for (size_t i = 0; !status && *fits && i < arrays->y.rows; i++) {
        const int64_t number = (int64_t)gi_array_element(&arrays->y, i);
        const int64_t *at = bsearch(&number, numbers, labels->n, sizeof number, by_number);
        labels->labels[i] = (uint32_t)(at - numbers);
    }
    gi_free(numbers);
    return status;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static glia_status add_texts(const gi_array *y, gi_texts *texts, glia_error *error)
{
    char text[GI_ARRAY_TEXT];
    for (size_t i = 0; i < y->rows; i++) {
        size_t code = SIZE_MAX;
        const size_t n = gi_array_text(y, i, text);
        if (n == SIZE_MAX || n == 0)
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: row %zu: found %s, expected the name of a class", y->where, i + 1,
                           n == 0 ? "an empty text" : "a text that is not Unicode");
        const glia_status status = gi_texts_add(texts, text, n, &code, error);
        if (status) return status;
        if (code == SIZE_MAX)
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: found more than %d different texts, expected the names of classes",
                           y->where, (int)GI_MAX_TEXTS);
    }
    return GLIA_OK;
}

static glia_status find_texts(const gi_arrays *arrays, gi_npy_labels *labels, bool *fits,
                              glia_error *error)
{
    gi_texts texts = {0};
    const char **sorted = NULL;
    const gi_array *y = &arrays->y, *other = arrays->has_other_y ? &arrays->other_y : NULL;
    *fits = y->columns == 1 && (!other || (gi_array_has_texts(other) && other->columns == 1));
    if (!*fits) return GLIA_OK;
    glia_status status = add_texts(y, &texts, error);
    if (!status && other) status = add_texts(other, &texts, error);
    if (status) goto cleanup;
    sorted = gi_alloc(texts.n, sizeof *sorted, "names of classes", error);
    if (sorted) {
        memcpy(sorted, texts.text, texts.n * sizeof *sorted);
        qsort(sorted, texts.n, sizeof *sorted, by_text);
        labels->names = gi_copy_names(sorted, texts.n, error);
        labels->n = texts.n;
    }
    if (!labels->names) status = GLIA_NO_MEMORY;
    for (size_t i = 0; i < y->rows && !status; i++) {
        char text[GI_ARRAY_TEXT];
        const char *key = text;
        gi_array_text(y, i, text);
        const char **at = bsearch(&key, sorted, texts.n, sizeof *sorted, by_text);
        labels->labels[i] = (uint32_t)(at - sorted);
    }
cleanup:
    gi_texts_free(&texts);
    gi_free(sorted);
    return status;
}

glia_status gi_npy_find_labels(const gi_arrays *arrays, gi_npy_labels *out, bool *fits,
                               glia_error *error)
{
    const gi_array *y = &arrays->y;
    gi_npy_labels labels = {.labels = gi_alloc(y->rows, sizeof *labels.labels, "labels", error)};
    glia_status status = labels.labels ? GLIA_OK : GLIA_NO_MEMORY;
    *fits = false;
    if (!status && gi_array_has_texts(y)) {
        status = find_texts(arrays, &labels, fits, error);
    } else if (!status && y->columns > 1) {
        *fits = is_one_hot(y) && (!arrays->has_other_y || (arrays->other_y.columns == y->columns &&
                                                           is_one_hot(&arrays->other_y)));
        if (*fits) {
            labels.n = y->columns;
            labels.names = gi_copy_names(NULL, labels.n, error);
            if (!labels.names) status = GLIA_NO_MEMORY;
            for (size_t i = 0; i < y->rows; i++) labels.labels[i] = (uint32_t)hot_column(y, i);
        }
    } else if (!status) {
        status = find_numbers(arrays, &labels, fits, error);
    }
    if (status || !*fits)
        gi_npy_labels_free(&labels);
    else
        *out = labels;
    return status;
}
