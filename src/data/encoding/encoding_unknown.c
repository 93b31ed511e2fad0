/* SPDX-License-Identifier: MIT */
/* Categories in the rows of a table that were not among those learned from: how many, and which. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "data/encoding/encoding_parts.h"

enum { MOST_LISTED = 8 }; /* categories of a column */

struct gi_unknown_column {
    uint64_t cells;
    gi_texts texts; /* the first MOST_LISTED */
    bool has_more;
};

void gi_unknowns_free(gi_unknowns *unknowns)
{
    for (size_t j = 0; unknowns->columns && j < unknowns->n_columns; j++)
        gi_texts_free(&unknowns->columns[j].texts);
    gi_free(unknowns->columns);
    *unknowns = (gi_unknowns){0};
}

/* Whether any text of the table's column is unknown. */
static bool has_unknown(const struct gi_encoding *e, size_t j)
{
    const size_t n = e->category[j] ? e->shared->table->columns[e->column[j]].texts.n : 0;
    size_t c = 0;
    while (c < n && e->category[j][c] != GI_UNKNOWN) c++;
    return c < n;
}

/* Of the samples from begin to end - 1. */
static glia_status count(const struct gi_encoding *e, const glia_dataset *dataset, size_t begin,
                         size_t end, size_t j, struct gi_unknown_column *column, glia_error *error)
{
    const gi_texts *texts = &e->shared->table->columns[e->column[j]].texts;
    glia_status status = GLIA_OK;
    for (size_t i = begin; i < end && !status; i++) {
        const double cell = gi_encoding_cells(e, gi_encoding_row(dataset, i))[e->column[j]];
        if (isnan(cell) || e->category[j][(size_t)cell] != GI_UNKNOWN) continue;
        const char *text = texts->text[(size_t)cell];
        const size_t length = texts->lengths[(size_t)cell];
        size_t code;
        column->cells++;
        if (column->texts.n < MOST_LISTED)
            status = gi_texts_add(&column->texts, text, length, &code, error);
        else if (gi_texts_find(&column->texts, text, length) == SIZE_MAX)
            column->has_more = true;
    }
    return status;
}

glia_status gi_unknowns_add(gi_unknowns *unknowns, const glia_dataset *dataset, size_t begin,
                            size_t end, glia_error *error)
{
    if (!gi_dataset_is_table(dataset)) return GLIA_OK;
    const struct gi_encoding *e = dataset->source_of;
    const size_t n = e->schema->n_columns;
    glia_status status = GLIA_OK;
    if (!unknowns->columns) {
        unknowns->columns = gi_alloc(n, sizeof *unknowns->columns, "unknown categories", error);
        if (!unknowns->columns) return GLIA_NO_MEMORY;
        unknowns->n_columns = n;
    }
    for (size_t j = 0; j < n && j < unknowns->n_columns && !status; j++)
        if (has_unknown(e, j))
            status = count(e, dataset, begin, end, j, &unknowns->columns[j], error);
    return status;
}

/* Where the parts of a list lie, which is one block: columns, their categories, all texts. */
struct list {
    glia_unknown *columns;
    const char **categories;
    char *text;
};

static const char *copy_text(struct list *to, const char *text)
{
    const size_t bytes = strlen(text) + 1;
    char *copy = memcpy(to->text, text, bytes);
    to->text += bytes;
    return copy;
}

glia_status gi_unknowns_list(const gi_unknowns *unknowns, const gi_schema *schema,
                             glia_unknown **out, size_t *n, glia_error *error)
{
    size_t n_columns = 0, n_categories = 0, bytes = 0;
    for (size_t j = 0; j < unknowns->n_columns; j++) {
        const gi_texts *texts = &unknowns->columns[j].texts;
        if (texts->n == 0) continue;
        n_columns++;
        n_categories += texts->n;
        bytes += strlen(schema->columns[j].name) + 1;
        for (size_t c = 0; c < texts->n; c++) bytes += texts->lengths[c] + (size_t)1;
    }
    const size_t before_text = n_columns * sizeof **out + n_categories * sizeof(char *);
    glia_unknown *list = gi_alloc(1, before_text + bytes, "unknown categories", error);
    if (!list) return GLIA_NO_MEMORY;
    struct list to = {list, (const char **)(list + n_columns), (char *)list + before_text};
    for (size_t j = 0; j < unknowns->n_columns; j++) {
        const struct gi_unknown_column *column = &unknowns->columns[j];
        if (column->texts.n == 0) continue;
        *to.columns++ = (glia_unknown){.column = copy_text(&to, schema->columns[j].name),
                                       .cells = column->cells,
                                       .categories = to.categories,
                                       .n_categories = column->texts.n,
                                       .has_more = column->has_more};
        for (size_t c = 0; c < column->texts.n; c++)
            *to.categories++ = copy_text(&to, column->texts.text[c]);
    }
    *out = list;
    *n = n_columns;
    return GLIA_OK;
}

glia_status glia_dataset_unknown(const glia_dataset *dataset, glia_unknown **out, size_t *n,
                                 glia_error *error)
{
    gi_unknowns unknowns = {0};
    glia_status status = gi_unknowns_add(&unknowns, dataset, 0, dataset->samples, error);
    if (!status) status = gi_unknowns_list(&unknowns, dataset->schema, out, n, error);
    gi_unknowns_free(&unknowns);
    return status;
}

void glia_unknown_free(glia_unknown *list)
{
    gi_free(list);
}
