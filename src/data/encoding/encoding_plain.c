/* SPDX-License-Identifier: MIT */
/* Tables for a network that knows no columns: it learned from arrays, or comes from elsewhere. */
#include "base/memory.h"
#include "data/encoding/encoding_parts.h"

/* Columns of texts are no features: the first of them, or n. */
static size_t first_other(const gi_table *table, size_t n)
{
    size_t c = 0;
    while (c < n && table->columns[c].kind == GI_CELL_NUMBER) c++;
    return c;
}

glia_status gi_plain_schema(const gi_table *table, const gi_reading *reading, gi_schema **out,
                            glia_error *error)
{
    const size_t n = reading->features,
                 targets = reading->task == GLIA_TASK_CLASSES ? 1 : reading->classes;
    if (table->n_columns != n && table->n_columns != n + targets)
        return gi_fail(
            error, GLIA_MISMATCH,
            "%s: found %zu column%s, but the network reads %zu number%s a row, as they are; "
            "expected %zu column%s, or %zu, of which the last %s",
            table->path, table->n_columns, table->n_columns == 1 ? "" : "s", n, n == 1 ? "" : "s",
            n, n == 1 ? "" : "s", n + targets, targets == 1 ? "is the target" : "are the targets");
    const size_t other = first_other(table, n);
    if (other < n)
        return gi_fail(error, GLIA_MISMATCH,
                       "%s: %s%s holds texts, but the network reads numbers, as they are; give "
                       "it the numbers that it learned from",
                       table->path, gi_column_word(table->columns[other].name),
                       table->columns[other].name);
    const size_t n_targets = table->n_columns - n;
    const char **names = gi_alloc(n_targets, sizeof *names, "targets", error);
    if (!names) return GLIA_NO_MEMORY;
    for (size_t k = 0; k < n_targets; k++) names[k] = table->columns[n + k].name;
    gi_schema *schema = NULL;
    glia_status status = gi_schema_new(n, names, n_targets, &schema, error);
    gi_free(names);
    for (size_t j = 0; j < n && !status; j++) {
        schema->columns[j].scale = 1;
        schema->columns[j].name = gi_strdup(table->columns[j].name, error);
        if (!schema->columns[j].name) status = GLIA_NO_MEMORY;
    }
    if (status) {
        gi_schema_free(schema);
        return status;
    }
    gi_schema_count(schema);
    schema->has_text_target = n_targets > 0 && table->columns[n].kind == GI_CELL_TEXT;
    *out = schema;
    return GLIA_OK;
}
