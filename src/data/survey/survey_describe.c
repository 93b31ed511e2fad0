/* SPDX-License-Identifier: MIT */
/* What a survey shows of the columns of a table and of its classes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/survey/survey.h"

enum { N_TOP = 5 };

/* ---- Columns --------------------------------------------------------------------------------- */

static bool is_dropped(const gi_table *table, size_t column, const glia_table_params *params)
{
    for (size_t i = 0; i < params->n_drop; i++)
        if (gi_table_column(table, params->drop[i]) == column) return true;
    return false;
}

static glia_column_role role_of(size_t column, const gi_table_plan *plan)
{
    for (size_t k = 0; k < plan->n_targets; k++)
        if (plan->targets[k] == column) return GLIA_ROLE_TARGET;
    if (column == plan->roles.weight) return GLIA_ROLE_WEIGHT;
    if (column == plan->roles.group) return GLIA_ROLE_GROUP;
    const gi_column_use use = plan->columns ? plan->columns[column].use : GI_USE_NOT;
    return use == GI_USE_AS_IT_IS || use == GI_USE_DATE ? GLIA_ROLE_FEATURE : GLIA_ROLE_NONE;
}

/* The most frequent texts of a column; of those that are as frequent, the first ones. */
static glia_status find_top(gi_survey *survey, const gi_texts *texts, const gi_column_facts *facts,
                            glia_column_survey *column, glia_error *error)
{
    glia_text_count top[N_TOP];
    size_t n = 0;
    for (size_t code = 0; code < texts->n; code++) {
        const uint64_t count = facts->counts[code];
        if (count == 0 || (n == N_TOP && count <= top[n - 1].count)) continue;
        size_t at = n < N_TOP ? n++ : n - 1;
        for (; at > 0 && top[at - 1].count < count; at--) top[at] = top[at - 1];
        top[at] = (glia_text_count){texts->text[code], count};
    }
    glia_text_count *kept = gi_survey_alloc(survey, n, sizeof *kept, error);
    if (!kept) return GLIA_NO_MEMORY;
    for (size_t i = 0; i < n; i++) {
        kept[i] = (glia_text_count){gi_survey_copy(survey, top[i].text, error), top[i].count};
        if (!kept[i].text) return GLIA_NO_MEMORY;
    }
    column->top = kept;
    column->n_top = n;
    return GLIA_OK;
}

/* How many features a network reads of a column, which is described but for that. */
static size_t count_features(const glia_column_survey *column, const gi_column_plan *plan)
{
    gi_date_part parts[GI_DATE_PARTS];
    if (column->role != GLIA_ROLE_FEATURE) return 0;
    const size_t n = plan->use == GI_USE_DATE              ? gi_date_parts_of(plan, parts)
                     : column->kind == GLIA_COLUMN_NUMBERS ? 1
                                                           : (size_t)column->different;
    return n + (column->missing > 0);
}

static glia_status describe_column(gi_survey *survey, const gi_table *table, size_t c,
                                   const gi_column_facts *f, const gi_table_plan *plan,
                                   const glia_table_params *params, glia_error *error)
{
    const gi_column *of = &table->columns[c];
    glia_column_survey *column = &survey->columns[c];
    *column = (glia_column_survey){.name = gi_survey_copy(survey, of->name, error),
                                   .role = role_of(c, plan),
                                   .missing = f->missing,
                                   .different = f->different,
                                   .has_more = f->has_more,
                                   .min = NAN,
                                   .max = NAN,
                                   .mean = NAN,
                                   .sd = NAN};
    const bool is_date = plan->columns && plan->columns[c].use == GI_USE_DATE;
    if (!column->name) return GLIA_NO_MEMORY;
    if (of->kind == GI_CELL_IGNORED) {
        column->kind = GLIA_COLUMN_IGNORED;
        const bool is_id = params->id && gi_table_column(table, params->id) == c;
        column->why = is_id                            ? "says which row it is"
                      : is_dropped(table, c, params)   ? "dropped"
                      : !gi_plan_is_nameless(table, c) ? "more than 65,536 different texts, or one "
                                                         "that is very long"
                      : c == 0                         ? "no name: it names the rows, or is empty"
                                                       : "neither a name nor a value";
    } else if (of->kind == GI_CELL_TEXT) {
        column->kind = is_date ? GLIA_COLUMN_DATES : GLIA_COLUMN_CATEGORIES;
        column->features = count_features(column, plan->columns ? &plan->columns[c] : NULL);
        return find_top(survey, &of->texts, f, column, error);
    } else if (f->present) {
        column->is_whole = f->is_whole;
        column->min = f->min;
        column->max = f->max;
        column->mean = f->mean;
        column->sd = sqrt(f->squares / (double)f->present);
    }
    if (is_date) column->kind = GLIA_COLUMN_DATES;
    column->features = count_features(column, plan->columns ? &plan->columns[c] : NULL);
    return GLIA_OK;
}

glia_status gi_survey_describe_columns(gi_survey *survey, const gi_table *table,
                                       const gi_column_facts *facts, const gi_table_plan *plan,
                                       const glia_table_params *params, glia_error *error)
{
    survey->columns = gi_survey_alloc(survey, table->n_columns, sizeof *survey->columns, error);
    if (!survey->columns) return GLIA_NO_MEMORY;
    survey->shown.n_columns = table->n_columns;
    glia_status status = GLIA_OK;
    for (size_t c = 0; c < table->n_columns && !status; c++)
        status = describe_column(survey, table, c, &facts[c], plan, params, error);
    return status;
}

/* ---- Classes --------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    const double x = ((const gi_number_count *)a)->value, y = ((const gi_number_count *)b)->value;
    return x < y ? -1 : x > y;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const glia_text_count *)a)->text, ((const glia_text_count *)b)->text);
}

/* Those of several targets, of which one is 1 in each row. */
glia_status gi_survey_count_one_hot(gi_survey *survey, const gi_table *table,
                                    const gi_table_plan *plan, const gi_column_facts *facts,
                                    glia_error *error)
{
    glia_text_count *classes = gi_survey_alloc(survey, plan->n_targets, sizeof *classes, error);
    if (!classes) return GLIA_NO_MEMORY;
    for (size_t k = 0; k < plan->n_targets; k++) {
        const size_t c = plan->targets[k];
        classes[k] = (glia_text_count){gi_survey_copy(survey, table->columns[c].name, error),
                                       gi_survey_count(&facts[c], 1)};
        if (!classes[k].text) return GLIA_NO_MEMORY;
    }
    survey->shown.classes = classes;
    survey->shown.n_classes = plan->n_targets;
    return GLIA_OK;
}

/* Those of a table, in the order of the network's outputs. */
glia_status gi_survey_count_classes(gi_survey *survey, const gi_column *column,
                                    const gi_column_facts *f, glia_error *error)
{
    if (f->has_more || f->different == 0) return GLIA_OK;
    size_t n = 0;
    glia_text_count *classes =
        gi_survey_alloc(survey, (size_t)f->different, sizeof *classes, error);
    gi_number_count *numbers =
        gi_survey_alloc(survey, f->numbers ? (size_t)f->different : 0, sizeof *numbers, error);
    if (!classes || !numbers) return GLIA_NO_MEMORY;
    for (size_t i = 0; f->numbers && i < f->n_slots; i++)
        if (f->numbers[i].count) numbers[n++] = f->numbers[i];
    if (n) qsort(numbers, n, sizeof *numbers, by_value);
    for (size_t i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "%.0f", numbers[i].value);
        classes[i] = (glia_text_count){gi_survey_copy(survey, name, error), numbers[i].count};
        if (!classes[i].text) return GLIA_NO_MEMORY;
    }
    for (size_t code = 0; f->counts && code < column->texts.n; code++) {
        if (!f->counts[code]) continue;
        classes[n] = (glia_text_count){gi_survey_copy(survey, column->texts.text[code], error),
                                       f->counts[code]};
        if (!classes[n++].text) return GLIA_NO_MEMORY;
    }
    if (f->counts) qsort(classes, n, sizeof *classes, by_text);
    survey->shown.classes = classes;
    survey->shown.n_classes = n;
    return GLIA_OK;
}
