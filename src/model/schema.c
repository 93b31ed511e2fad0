/* SPDX-License-Identifier: MIT */
/* What was learned about the columns of a table. */
#include "model/schema.h"

#include <string.h>

#include "base/memory.h"

glia_status gi_missing_words_copy(const gi_missing_words *words, gi_missing_words *out,
                                  glia_error *error)
{
    *out = (gi_missing_words){.n = words->n, .alone = words->alone};
    if (words->n == 0) return GLIA_OK;
    out->words = gi_copy_names((const char *const *)words->words, words->n, error);
    return out->words ? GLIA_OK : GLIA_NO_MEMORY;
}

glia_status gi_schema_new(size_t n_columns, const char *const *targets, size_t n_targets,
                          gi_schema **out, glia_error *error)
{
    gi_schema *schema = gi_alloc(1, sizeof *schema, "a schema", error);
    if (!schema) return GLIA_NO_MEMORY;
    schema->n_columns = n_columns;
    schema->n_targets = n_targets;
    schema->columns = gi_alloc(n_columns, sizeof *schema->columns, "a schema", error);
    schema->targets = n_targets ? gi_copy_names(targets, n_targets, error) : NULL;
    schema->target_forms = gi_alloc(n_targets, sizeof *schema->target_forms, "a schema", error);
    if (!schema->columns || !schema->target_forms || (n_targets && !schema->targets)) {
        gi_schema_free(schema);
        return GLIA_NO_MEMORY;
    }
    *out = schema;
    return GLIA_OK;
}

void gi_schema_free(gi_schema *schema)
{
    if (!schema) return;
    for (size_t j = 0; schema->columns && j < schema->n_columns; j++) {
        gi_free(schema->columns[j].name);
        gi_free(schema->columns[j].categories);
    }
    gi_free(schema->columns);
    gi_free(schema->targets);
    gi_free(schema->target_forms);
    gi_free(schema->missing.words);
    gi_free(schema);
}

bool gi_schema_has_texts(const gi_schema_column *column)
{
    return column->is_category || (column->date != GI_DATE_NONE && column->date != GI_DATE_COMPACT);
}

bool gi_schema_tells_missing(const gi_schema_column *column)
{
    return column->date == GI_DATE_NONE || column->date == GI_DATE_TIME ||
           column->part == GI_DATE_DAYS;
}

size_t gi_schema_count_read(const gi_schema *schema)
{
    size_t n = 0;
    for (size_t j = 0; j < schema->n_columns; j++)
        n += j == 0 || schema->columns[j].date == GI_DATE_NONE ||
             strcmp(schema->columns[j].name, schema->columns[j - 1].name) != 0;
    return n;
}

size_t gi_schema_width(const gi_schema_column *column)
{
    return (column->is_category ? column->n_categories : 1) + column->flags_missing;
}

void gi_schema_count(gi_schema *schema)
{
    schema->n_features = 0;
    for (size_t j = 0; j < schema->n_columns; j++) {
        schema->columns[j].first = schema->n_features;
        schema->n_features += gi_schema_width(&schema->columns[j]);
    }
}

size_t gi_schema_category(const gi_schema_column *column, const char *text)
{
    size_t begin = 0, end = column->n_categories;
    while (begin < end) {
        const size_t middle = begin + (end - begin) / 2;
        const int order = strcmp(text, column->categories[middle]);
        if (order == 0) return middle;
        if (order < 0)
            end = middle;
        else
            begin = middle + 1;
    }
    return SIZE_MAX;
}

static bool is_equal(const gi_schema_column *a, const gi_schema_column *b)
{
    if (strcmp(a->name, b->name) != 0 || a->is_category != b->is_category ||
        a->flags_missing != b->flags_missing || a->n_categories != b->n_categories ||
        a->date != b->date || a->part != b->part)
        return false;
    if (a->mean != b->mean || a->scale != b->scale) return false;
    for (size_t i = 0; i < a->n_categories; i++)
        if (strcmp(a->categories[i], b->categories[i]) != 0) return false;
    return true;
}

bool gi_schema_equal(const gi_schema *a, const gi_schema *b)
{
    if (a->n_columns != b->n_columns) return false;
    for (size_t j = 0; j < a->n_columns; j++)
        if (!is_equal(&a->columns[j], &b->columns[j])) return false;
    return true;
}

glia_status gi_schema_copy(const gi_schema *schema, gi_schema **out, glia_error *error)
{
    gi_schema *copy = NULL;
    glia_status status = gi_schema_new(schema->n_columns, (const char *const *)schema->targets,
                                       schema->n_targets, &copy, error);
    if (status) return status;
    copy->n_features = schema->n_features;
    copy->has_text_target = schema->has_text_target;
    for (size_t k = 0; k < schema->n_targets; k++) copy->target_forms[k] = schema->target_forms[k];
    if (gi_missing_words_copy(&schema->missing, &copy->missing, error)) {
        gi_schema_free(copy);
        return GLIA_NO_MEMORY;
    }
    for (size_t j = 0; j < schema->n_columns; j++) {
        const gi_schema_column *from = &schema->columns[j];
        gi_schema_column *to = &copy->columns[j];
        *to = *from;
        to->name = gi_strdup(from->name, error);
        to->categories = NULL;
        if (from->categories)
            to->categories =
                gi_copy_names((const char *const *)from->categories, from->n_categories, error);
        if (!to->name || (from->categories && !to->categories)) {
            gi_schema_free(copy);
            return GLIA_NO_MEMORY;
        }
    }
    *out = copy;
    return GLIA_OK;
}
