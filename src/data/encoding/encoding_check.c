/* SPDX-License-Identifier: MIT */
/* Which rows of a table can be read by an encoding, and what is wrong with the others. */
#include <float.h>
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "data/encoding/encoding_parts.h"

/* Beyond, a float's square would be infinite. */
#define LARGEST_FEATURE 1e18

/* Where a sample's cell stands in its file, for a message. */
struct place {
    char text[512];
};

static struct place place_of(const gi_table *table, uint64_t row, size_t column)
{
    struct place place;
    gi_table_where(table, (size_t)row, column, place.text, sizeof place.text);
    return place;
}

/* Of a cell that is no date. */
static glia_status fail_date(const struct gi_encoding *e, uint64_t row, size_t j, double cell,
                             glia_error *error)
{
    const gi_schema_column *column = &e->schema->columns[j];
    const gi_table *table = e->shared->table;
    char number[32];
    snprintf(number, sizeof number, "%.17g", cell);
    return gi_fail(error, GLIA_BAD_FORMAT,
                   "%s: found \"%.80s\", expected a date as %s; correct it, leave it empty "
                   "(missing), or skip such rows (table.skip_bad_rows)",
                   place_of(table, row, e->column[j]).text,
                   gi_schema_has_texts(column)
                       ? table->columns[e->column[j]].texts.text[(size_t)cell]
                       : number,
                   gi_date_form_text(column->date));
}

/* What keeps a row from being read, as a message; GLIA_OK if nothing does. */
static glia_status check_row(const struct gi_encoding *e, uint64_t row, glia_error *error)
{
    const gi_table *table = e->shared->table;
    const double *cells = gi_encoding_cells(e, row);
    for (size_t j = 0; j < e->schema->n_columns; j++) {
        const gi_schema_column *column = &e->schema->columns[j];
        const double cell =
            column->is_category ? cells[e->column[j]] : gi_encoding_number(e, j, cells);
        if (isnan(cell) && e->is_plain)
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: the cell is missing, but the network reads numbers, as they are; "
                           "fill it in, or skip such rows (table.skip_bad_rows)",
                           place_of(table, row, e->column[j]).text);
        if (isnan(cell)) continue;
        if (column->date != GI_DATE_NONE && isinf(cell))
            return fail_date(e, row, j, cells[e->column[j]], error);
        if (!e->category[j] && e->schema->n_features > 0 &&
            !(fabs((cell - column->mean) / column->scale) <= LARGEST_FEATURE))
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: found %g, too far from the training data, whose mean there is %g; "
                           "correct it, or skip such rows (table.skip_bad_rows)",
                           place_of(table, row, e->column[j]).text, cell, column->mean);
        if (!e->shared->fails_on_unknown || !e->category[j] ||
            e->category[j][(size_t)cell] != GI_UNKNOWN)
            continue;
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: found \"%.80s\", which was not among the %zu categories of the "
                       "training data; correct it, have it read as none "
                       "(table.fail_on_unknown=false), or skip "
                       "such rows (table.skip_bad_rows)",
                       place_of(table, row, e->column[j]).text,
                       table->columns[e->column[j]].texts.text[(size_t)cell],
                       e->schema->columns[j].n_categories);
    }
    for (size_t k = 0; k < e->n_targets; k++) {
        const double cell = cells[e->target[k]];
        if (isnan(cell)) {
            char remark[GI_MISSING_REMARK];
            gi_table_remark_missing(&table->columns[e->target[k]], remark);
            return gi_fail(
                error, GLIA_BAD_FORMAT,
                "%s: the target is missing%s; fill it in, or skip such rows (table.skip_bad_rows)",
                place_of(table, row, e->target[k]).text, remark);
        }
        if (e->task == GLIA_TASK_CLASSES && e->n_targets > 1) {
            if (gi_encoding_one_hot(e, cells) != GI_UNKNOWN) continue;
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: found %g, expected a 1 in one of the %zu targets of the row, which "
                           "are classes, and 0 in the others",
                           place_of(table, row, e->target[k]).text, cell, e->n_targets);
        }
        if (e->task == GLIA_TASK_CLASSES && gi_encoding_class(e, cell) == GI_UNKNOWN) {
            if (e->class_of_text)
                return gi_fail(error, GLIA_BAD_FORMAT,
                               "%s: found the class \"%.80s\", which the training data have not",
                               place_of(table, row, e->target[k]).text,
                               table->columns[e->target[k]].texts.text[(size_t)cell]);
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: found the class %.0f, which the training data have not",
                           place_of(table, row, e->target[k]).text, cell);
        }
        if (e->task == GLIA_TASK_LABELS && cell != 0 && cell != 1)
            return gi_fail(error, GLIA_BAD_FORMAT, "%s: found %g, expected the label 0 or 1",
                           place_of(table, row, e->target[k]).text, cell);
    }
    return GLIA_OK;
}

/* Fails for the first row that cannot be read. */
glia_status gi_encoding_check_rows(const struct gi_encoding *e, const glia_dataset *dataset,
                                   glia_error *error)
{
    glia_status status = GLIA_OK;
    for (size_t i = 0; i < dataset->samples && !status; i++)
        status = check_row(e, gi_encoding_row(dataset, i), error);
    return status;
}

static glia_status check_weight(const struct gi_encoding *e, uint64_t row, glia_error *error)
{
    const size_t column = e->shared->roles.weight;
    const double weight = gi_encoding_cells(e, row)[column];
    if (weight >= 0 && weight <= (double)FLT_MAX) return GLIA_OK;
    return gi_fail(error, GLIA_BAD_FORMAT,
                   "%s: found the weight %g, expected a number of at least 0",
                   place_of(e->shared->table, row, column).text, weight);
}

glia_status gi_encoding_choose_rows(const struct gi_encoding *e, bool skips, bool may_be_none,
                                    uint32_t **rows, size_t *n, glia_error *error)
{
    const gi_table *table = e->shared->table;
    const size_t marked[] = {e->shared->roles.weight, e->shared->roles.group};
    static const char *const what[] = {"weight", "group"};
    glia_status status = GLIA_OK;
    *rows = gi_alloc(table->rows, sizeof **rows, "rows of a table", error);
    if (!*rows) return GLIA_NO_MEMORY;
    *n = 0;
    for (size_t row = 0; row < table->rows && !status; row++) {
        glia_status of_row = check_row(e, row, skips ? NULL : error);
        for (size_t k = 0; k < 2 && !of_row; k++)
            if (marked[k] != SIZE_MAX && isnan(gi_encoding_cells(e, row)[marked[k]]))
                of_row = gi_fail(
                    skips ? NULL : error, GLIA_BAD_FORMAT,
                    "%s: the %s is missing; fill it in, or skip such rows (table.skip_bad_rows)",
                    place_of(table, row, marked[k]).text, what[k]);
        if (!of_row && marked[0] != SIZE_MAX) of_row = check_weight(e, row, skips ? NULL : error);
        if (!of_row)
            (*rows)[(*n)++] = (uint32_t)row;
        else if (!skips)
            status = of_row;
    }
    if (!status && *n == 0 && !may_be_none)
        status =
            gi_fail(error, GLIA_BAD_FORMAT, "%s: no row is left of %zu", table->path, table->rows);
    if (status) {
        gi_free(*rows);
        *rows = NULL;
    }
    return status;
}
