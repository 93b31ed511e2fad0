/* SPDX-License-Identifier: MIT */
#include "data/encoding/same_value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "data/encoding/table_plan.h"

struct gi_named_value {
    double value;
    size_t place; /* of the name */
};

/* Infinities stand for true and false: texts of numbers are finite. */
static bool value_of(const char *text, double *value)
{
    const int boolean = gi_parse_boolean(text, text + strlen(text));
    *value = boolean > 0 ? (double)INFINITY : -(double)INFINITY;
    if (boolean >= 0) return true;
    return gi_parse_f64(text, text + strlen(text), value) && fabs(*value) < GI_LARGEST_WHOLE;
}

static bool has_zeros(const char *text)
{
    return text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

/* Whether some whole numbers have zeros in front that do not fill them up to one length. */
static bool are_codes(char *const *texts, size_t n)
{
    size_t longest = 0, shortest = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        const size_t length = strspn(texts[i], "0123456789");
        if (length == 0 || texts[i][length] || strcmp(texts[i], "0") == 0) continue;
        if (length < shortest) shortest = length;
        if (has_zeros(texts[i]) && length > longest) longest = length;
    }
    return shortest < longest;
}

static int by_value(const void *a, const void *b)
{
    const struct gi_named_value *p = a, *q = b;
    if (p->value != q->value) return p->value < q->value ? -1 : 1;
    return p->place < q->place ? -1 : p->place > q->place;
}

glia_status gi_values_of(char *const *names, size_t n, char *const *texts, size_t n_texts,
                         gi_values *out, glia_error *error)
{
    *out = (gi_values){.values = gi_alloc(n, sizeof *out->values, "categories", error),
                       .zeros_count = are_codes(names, n) || are_codes(texts, n_texts)};
    if (!out->values) return GLIA_NO_MEMORY;
    for (size_t i = 0; i < n; i++) {
        if (out->zeros_count && has_zeros(names[i])) continue;
        out->values[out->n].place = i;
        out->n += value_of(names[i], &out->values[out->n].value);
    }
    if (out->n) qsort(out->values, out->n, sizeof *out->values, by_value);
    return GLIA_OK;
}

size_t gi_values_find(const gi_values *values, const char *text)
{
    double value;
    size_t begin = 0, end = values->n;
    if ((values->zeros_count && has_zeros(text)) || !value_of(text, &value)) return SIZE_MAX;
    while (begin < end) { /* the first that is not less */
        const size_t middle = begin + (end - begin) / 2;
        if (values->values[middle].value < value)
            begin = middle + 1;
        else
            end = middle;
    }
    const bool is_there = begin < values->n && values->values[begin].value == value;
    return is_there ? values->values[begin].place : SIZE_MAX;
}
