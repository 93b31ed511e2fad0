/* SPDX-License-Identifier: MIT */
/* What the rows of a data set teach about the columns of their table. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/encoding/encoding_parts.h"

/* Mean and standard deviation of a column's numbers, weighted: West 1979. */
struct moments {
    double weight, mean, squares;
    double least, greatest;
};

static void add_number(struct moments *m, double x, double weight)
{
    if (weight <= 0) return;
    m->least = m->weight == 0 ? x : fmin(m->least, x);
    m->greatest = m->weight == 0 ? x : fmax(m->greatest, x);
    m->weight += weight;
    const double step = (x - m->mean) * (weight / m->weight);
    m->squares += weight * (x - m->mean) * (x - m->mean - step);
    m->mean += step;
}

/* The texts of a column that occur, sorted. */
static glia_status learn_categories(const gi_texts *texts, const bool *occurs,
                                    gi_schema_column *column, glia_error *error)
{
    const char **names = gi_alloc(texts->n, sizeof *names, "categories", error);
    if (!names) return GLIA_NO_MEMORY;
    size_t n = 0;
    for (size_t c = 0; c < texts->n; c++)
        if (occurs[c]) names[n++] = texts->text[c];
    qsort(names, n, sizeof *names, gi_by_text);
    column->categories = gi_copy_names(names, n, error);
    column->n_categories = n;
    gi_free(names);
    return column->categories ? GLIA_OK : GLIA_NO_MEMORY;
}

/* What is seen of the columns in one pass over the rows. */
struct survey {
    struct moments *moments; /* (columns) */
    bool **occurs;           /* (columns), of texts (texts) */
};

static void survey_free(struct survey *survey, size_t n_columns)
{
    for (size_t j = 0; survey->occurs && j < n_columns; j++) gi_free(survey->occurs[j]);
    gi_free(survey->occurs);
    gi_free(survey->moments);
}

static glia_status survey_new(const struct gi_encoding *e, struct survey *out, glia_error *error)
{
    const size_t n = e->schema->n_columns;
    out->moments = gi_alloc(n, sizeof *out->moments, "columns", error);
    out->occurs = gi_alloc(n, sizeof *out->occurs, "columns", error);
    if (!out->moments || !out->occurs) return GLIA_NO_MEMORY;
    for (size_t j = 0; j < n; j++) {
        if (!e->schema->columns[j].is_category) continue;
        const size_t texts = e->shared->table->columns[e->column[j]].texts.n;
        out->occurs[j] = gi_alloc(texts, sizeof **out->occurs, "categories", error);
        if (!out->occurs[j]) return GLIA_NO_MEMORY;
    }
    return GLIA_OK;
}

glia_status gi_encoding_learn(const struct gi_encoding *e, const glia_dataset *dataset,
                              glia_error *error)
{
    gi_schema *schema = e->schema;
    struct survey survey = {0};
    glia_status status = survey_new(e, &survey, error);
    for (size_t i = 0; i < dataset->samples && !status; i++) {
        const double *cells = gi_encoding_cells(e, gi_encoding_row(dataset, i));
        const double weight = gi_dataset_weight(dataset, i);
        for (size_t j = 0; j < schema->n_columns; j++) {
            const double cell =
                survey.occurs[j] ? cells[e->column[j]] : gi_encoding_number(e, j, cells);
            if (isnan(cell))
                schema->columns[j].flags_missing = gi_schema_tells_missing(&schema->columns[j]);
            else if (survey.occurs[j])
                survey.occurs[j][(size_t)cell] = true;
            else
                add_number(&survey.moments[j], cell, weight);
        }
    }
    for (size_t j = 0; j < schema->n_columns && !status; j++) {
        gi_schema_column *column = &schema->columns[j];
        const struct moments *m = &survey.moments[j];
        column->scale = 1;
        if (survey.occurs[j]) {
            status = learn_categories(&e->shared->table->columns[e->column[j]].texts,
                                      survey.occurs[j], column, error);
        } else if (m->weight > 0) {
            column->mean = m->mean;
            /* A column of one value has no spread, but its sums may round. */
            if (m->greatest > m->least) column->scale = sqrt(m->squares / m->weight);
            if (!(column->scale > 0)) column->scale = 1;
            if (!isfinite(column->scale) || !isfinite(column->mean))
                status = gi_fail(error, GLIA_BAD_FORMAT,
                                 "%s: %s%s goes from %g to %g, whose spread is past the range "
                                 "of a double; correct it, or leave it out (table.drop %s)",
                                 e->shared->table->path, gi_column_word(column->name), column->name,
                                 m->least, m->greatest, column->name);
        }
    }
    survey_free(&survey, schema->n_columns);
    if (!status) gi_schema_count(schema);
    return status;
}
