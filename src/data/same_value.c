/* SPDX-License-Identifier: MIT */
#include "data/same_value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "data/table_plan.h"

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

static int by_value(const void *a, const void *b)
{
    const struct gi_named_value *p = a, *q = b;
    if (p->value != q->value) return p->value < q->value ? -1 : 1;
    return p->place < q->place ? -1 : p->place > q->place;
}

glia_status gi_values_of(char *const *names, size_t n, gi_values *out, glia_error *error)
{
    *out = (gi_values){gi_alloc(n, sizeof *out->values, "categories", error), 0};
    if (!out->values) return GLIA_NO_MEMORY;
    for (size_t i = 0; i < n; i++) {
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
    if (!value_of(text, &value)) return SIZE_MAX;
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
