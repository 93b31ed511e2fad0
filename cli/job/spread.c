/* SPDX-License-Identifier: MIT */
/* Mean, standard deviation and standard error of a few values. */
#include "job/spread.h"

#include <math.h>
#include <stdlib.h>

#include "shell/output.h"

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

spread spread_of(const double *values, size_t n_values)
{
    spread s = {0, NAN, NAN, NAN, NAN, NAN, NAN};
    double *sorted = need_memory(n_values + 1, sizeof *sorted), sum = 0, squares = 0;
    for (size_t i = 0; i < n_values; i++) {
        if (!isfinite(values[i])) continue;
        sorted[s.n++] = values[i];
        sum += values[i];
    }
    if (s.n > 0) {
        const double n = (double)s.n;
        s.mean = sum / n;
        for (size_t i = 0; i < s.n; i++) squares += (sorted[i] - s.mean) * (sorted[i] - s.mean);
        qsort(sorted, s.n, sizeof *sorted, ascending);
        s.min = sorted[0];
        s.max = sorted[s.n - 1];
        s.median = (sorted[(s.n - 1) / 2] + sorted[s.n / 2]) / 2;
        if (s.n > 1) {
            s.deviation = sqrt(squares / (n - 1));
            s.error = sqrt(squares / (n - 1) / n);
        }
    }
    free(sorted);
    return s;
}

json_t *spread_json(const spread *s)
{
    if (s->n == 0) return json_text(NULL);
    json_t *o = json_need(json_object());
    json_put(o, "mean", json_number(s->mean));
    json_put(o, "standard_deviation", json_number(s->deviation));
    json_put(o, "standard_error", json_number(s->error));
    json_put(o, "median", json_number(s->median));
    json_put(o, "min", json_number(s->min));
    json_put(o, "max", json_number(s->max));
    return o;
}
