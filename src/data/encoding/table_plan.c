/* SPDX-License-Identifier: MIT */
/* What the columns of a table are for: which are predicted, as what, and which are learned from. */
#include "data/encoding/table_plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/table/text_look.h"

int gi_by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

glia_status gi_table_fail_absent(const gi_table *table, const char *name, const char *what,
                                 glia_error *error)
{
    char names[512];
    gi_table_list_names(table->columns, NULL, table->n_columns, names, sizeof names);
    return gi_fail(error, GLIA_BAD_FORMAT, "%s: there is no %s%s%s; found %s", table->path,
                   gi_column_word(name), name, what, names);
}

/* ---- Columns and what they are for --------------------------------------------------------- */

/* A column that was asked for: SIZE_MAX if name is NULL. */
static glia_status find_column(const gi_table *table, const char *name, const char *what,
                               size_t *out, glia_error *error)
{
    *out = name ? gi_table_column(table, name) : SIZE_MAX;
    return name && *out == SIZE_MAX ? gi_table_fail_absent(table, name, what, error) : GLIA_OK;
}

/* Whether a column is there for something else than to be learned, or learned from. */
static bool has_role(const gi_table_roles *roles, size_t column)
{
    return column == roles->weight || column == roles->group || column == roles->id;
}

static bool has_name(const gi_table *table, size_t column)
{
    char name[32];
    snprintf(name, sizeof name, "column %zu", column + 1);
    return strcmp(table->columns[column].name, name) != 0;
}

bool gi_plan_is_nameless(const gi_table *table, size_t column)
{
    size_t named = 0;
    if (has_name(table, column)) return false;
    while (named < table->n_columns && !has_name(table, named)) named++;
    return named < table->n_columns;
}

static bool is_empty(const gi_table *table, size_t column)
{
    size_t row = 0;
    if (table->columns[column].kind == GI_CELL_IGNORED) return true;
    if (!table->columns[column].has_missing) return false;
    while (row < table->rows && isnan(table->cells[row * table->n_columns + column])) row++;
    return row == table->rows;
}

/* Whether a column can be the target by default: it has no other purpose, and is neither dropped
 * nor what a separator at the end of each line leaves behind. */
static bool may_be_target(const gi_table *table, const gi_table_roles *roles,
                          const glia_table_params *params, size_t column)
{
    if (has_role(roles, column)) return false;
    for (size_t i = 0; i < params->n_drop; i++)
        if (gi_table_column(table, params->drop[i]) == column) return false;
    return !gi_plan_is_nameless(table, column) || !is_empty(table, column);
}

/*
 * The column of the first names of a list, which was cut at commas that a name can have itself: of
 * the fewest names that make one. Returns how many they are, 0: there is no such column.
 */
static size_t find_cut(const gi_table *table, const char *const *names, size_t n, size_t *column)
{
    char name[GI_MAX_TEXT_BYTES + 1];
    size_t used = 0;
    for (size_t k = 0; k < n; k++) {
        const size_t length = strlen(names[k]);
        if (used + length + 1 > sizeof name - 1) return 0;
        if (k > 0) name[used++] = ',';
        memcpy(name + used, names[k], length + 1);
        used += length;
        *column = gi_table_column(table, name);
        if (*column != SIZE_MAX) return k + 1;
    }
    return 0;
}

/* The columns that are predicted (n, to be freed): those asked for, or the last that can be. */
static glia_status find_targets(const gi_table *table, const gi_table_roles *roles,
                                const glia_table_params *params, size_t **out, size_t *n,
                                glia_error *error)
{
    *n = params->n_targets ? params->n_targets : table->n_targets ? table->n_targets : 1;
    size_t *targets = gi_alloc(*n, sizeof *targets, "targets", error);
    if (!targets) return GLIA_NO_MEMORY;
    glia_status status = GLIA_OK;
    for (size_t i = 0, k = 0; i < params->n_targets && !status; k++) {
        const size_t n_cut =
            find_cut(table, params->targets + i, params->n_targets - i, &targets[k]);
        *n = k + 1;
        if (n_cut == 0)
            status = gi_table_fail_absent(table, params->targets[i], ", the target", error);
        for (size_t j = 0; j < k && !status; j++)
            if (targets[j] == targets[k])
                status = gi_fail(error, GLIA_BAD_FORMAT, "%s: the target %s is named twice",
                                 table->path, params->targets[i]);
        i += n_cut;
    }
    if (params->n_targets == 0 && table->n_targets > 0) {
        for (size_t k = 0; k < *n; k++) targets[k] = table->n_columns - *n + k;
    } else if (params->n_targets == 0) {
        size_t c = table->n_columns;
        while (c > 0 && !may_be_target(table, roles, params, c - 1)) c--;
        targets[0] = c - 1;
        if (c == 0)
            status = gi_fail(error, GLIA_BAD_FORMAT, "%s: no column is left that could be learned",
                             table->path);
    }
    for (size_t k = 0; k < *n && !status; k++) {
        const gi_column *column = &table->columns[targets[k]];
        if (column->kind == GI_CELL_IGNORED)
            status =
                gi_fail(error, GLIA_BAD_FORMAT,
                        "%s: %s%s, the target, was dropped, or holds more than %d "
                        "different texts; name another one as the target",
                        table->path, gi_column_word(column->name), column->name, (int)GI_MAX_TEXTS);
    }
    if (status)
        gi_free(targets);
    else
        *out = targets;
    return status;
}

size_t gi_plan_named_target(const gi_table *table, const gi_table_plan *plan)
{
    if (plan->is_asked_for || plan->n_targets != 1 ||
        gi_names_target(table->columns[plan->targets[0]].name))
        return SIZE_MAX;
    for (size_t c = 0; c < table->n_columns; c++) {
        const gi_column_use use = plan->columns[c].use;
        if (use != GI_USE_AS_IT_IS || !gi_names_target(table->columns[c].name)) continue;
        /* x, y and z are places. */
        if (strlen(table->columns[c].name) == 1 && gi_table_column(table, "z") != SIZE_MAX)
            continue;
        return c;
    }
    return SIZE_MAX;
}

/* How many columns of the schema a column of the table becomes. */
static size_t count_schema_columns(const gi_column_plan *column)
{
    gi_date_part parts[GI_DATE_PARTS];
    return column->use == GI_USE_AS_IT_IS ? 1
           : column->use == GI_USE_DATE   ? gi_date_parts_of(column, parts)
                                          : 0;
}

static glia_status begin_schema_column(const gi_column *from, const gi_column_plan *plan,
                                       gi_date_part part, gi_schema_column *out, glia_error *error)
{
    out->is_category = from->kind == GI_CELL_TEXT && plan->use == GI_USE_AS_IT_IS;
    out->scale = 1;
    out->form = from->form;
    out->date = plan->form;
    out->part = part;
    out->name = gi_strdup(from->name, error);
    return out->name ? GLIA_OK : GLIA_NO_MEMORY;
}

static glia_status fail_no_column(const gi_table *table, const gi_table_plan *plan,
                                  glia_error *error)
{
    char option[GI_OPTION_NAMES];
    for (size_t c = 0; c < table->n_columns; c++)
        if (plan->columns[c].use == GI_USE_IDENTIFIER)
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: %s%s has another value in nearly every row, as an identifier "
                           "has, and beside the target there is no other column to learn from; "
                           "table.categorical %s learns from it all the same",
                           table->path, gi_column_word(table->columns[c].name),
                           table->columns[c].name, gi_table_option(table->columns, &c, 1, option));
    return gi_fail(error, GLIA_BAD_FORMAT,
                   "%s: beside the target there is no column to learn from; is it really "
                   "separated as found (%s)?",
                   table->path, table->how);
}

/* The names and kinds of the columns that are read; what they hold is learned later. */
static glia_status begin_schema(const gi_table *table, const gi_table_plan *plan, gi_schema **out,
                                glia_error *error)
{
    gi_schema *schema = NULL;
    size_t n = 0;
    for (size_t c = 0; c < table->n_columns; c++) n += count_schema_columns(&plan->columns[c]);
    if (n == 0) return fail_no_column(table, plan, error);
    const char **names = gi_alloc(plan->n_targets, sizeof *names, "targets", error);
    if (!names) return GLIA_NO_MEMORY;
    for (size_t k = 0; k < plan->n_targets; k++) names[k] = table->columns[plan->targets[k]].name;
    glia_status status = gi_schema_new(n, names, plan->n_targets, &schema, error);
    if (!status) schema->has_text_target = table->columns[plan->targets[0]].kind == GI_CELL_TEXT;
    for (size_t c = 0, j = 0; c < table->n_columns && !status; c++) {
        const gi_column_plan *column = &plan->columns[c];
        gi_date_part parts[GI_DATE_PARTS] = {GI_DATE_WHOLE};
        if (column->use == GI_USE_DATE) gi_date_parts_of(column, parts);
        for (size_t i = 0; i < count_schema_columns(column) && !status; i++)
            status = begin_schema_column(&table->columns[c], column, parts[i],
                                         &schema->columns[j++], error);
    }
    for (size_t k = 0; k < plan->n_targets && !status; k++)
        schema->target_forms[k] = table->columns[plan->targets[k]].form;
    if (!status) status = gi_missing_words_copy(&table->missing, &schema->missing, error);
    gi_free(names);
    if (status)
        gi_schema_free(schema);
    else
        *out = schema;
    return status;
}

/* The names of the classes, or of the targets, to be freed as one block. */
static char **name_classes(const gi_table *table, const gi_table_plan *plan, size_t *n,
                           glia_error *error)
{
    enum { LONGEST = 24 };
    const gi_column *target = &table->columns[plan->targets[0]];
    const bool has_text = target->kind == GI_CELL_TEXT,
               are_classes = plan->task == GLIA_TASK_CLASSES;
    const bool are_columns = !are_classes || plan->n_targets > 1; /* that the outputs stand for */
    *n = are_columns ? plan->n_targets : has_text ? target->texts.n : plan->n_numbers;
    const char **names = gi_alloc(*n, sizeof *names, "classes", error);
    char *numbers = gi_alloc(*n, LONGEST, "classes", error);
    char **copies = NULL;
    for (size_t k = 0; names && numbers && k < *n; k++) {
        names[k] = numbers + k * LONGEST;
        if (are_columns)
            names[k] = table->columns[plan->targets[k]].name;
        else if (has_text)
            names[k] = target->texts.text[k];
        else
            snprintf(numbers + k * LONGEST, LONGEST, "%lld", (long long)plan->numbers[k]);
    }
    if (names && numbers) {
        if (!are_columns && has_text) qsort(names, *n, sizeof *names, gi_by_text);
        copies = gi_copy_names(names, *n, error);
    }
    gi_free(names);
    gi_free(numbers);
    return copies;
}

/* ---- The plan ------------------------------------------------------------------------------ */

glia_status gi_table_find_roles(const gi_table *table, const glia_table_params *params,
                                gi_table_roles *out, glia_error *error)
{
    *out = (gi_table_roles){SIZE_MAX, SIZE_MAX, SIZE_MAX};
    glia_status status = find_column(table, params->weight, ", the weights", &out->weight, error);
    if (!params->weight && table->has_weights) out->weight = table->n_columns - 1;
    if (!status) status = find_column(table, params->group, ", the groups", &out->group, error);
    if (!status) status = find_column(table, params->id, ", the id", &out->id, error);
    return status;
}

glia_status gi_table_find_plan(const gi_table *table, const glia_table_params *params,
                               gi_table_plan *out, glia_error *error)
{
    *out = (gi_table_plan){0};
    glia_status status = gi_table_find_roles(table, params, &out->roles, error);
    if (!status)
        status = find_targets(table, &out->roles, params, &out->targets, &out->n_targets, error);
    if (!out->targets) out->n_targets = 0;
    /* Whatever the targets are, a survey shows what the other columns are. */
    const glia_status of_columns = gi_plan_columns(table, params, out, status ? NULL : error);
    if (!status) status = of_columns;
    if (!status) status = gi_plan_task(table, params, out, error);
    out->has_task = !status;
    out->is_asked_for = params->n_targets > 0 || table->n_targets > 0;
    out->are_classes = params->loss == GLIA_LOSS_CROSS_ENTROPY;
    return status;
}

void gi_table_plan_free(gi_table_plan *plan)
{
    gi_free(plan->targets);
    gi_free(plan->numbers);
    gi_free(plan->columns);
}

/* How many texts of a column its rows have: those that a file declares need not occur. */
static glia_status count_present(const gi_table *table, size_t column, size_t *out,
                                 glia_error *error)
{
    const size_t n = table->columns[column].texts.n;
    bool *seen = gi_alloc(n, sizeof *seen, "classes", error);
    if (!seen) return GLIA_NO_MEMORY;
    *out = 0;
    for (size_t row = 0; row < table->rows; row++) {
        const double cell = table->cells[row * table->n_columns + column];
        if (isnan(cell) || seen[(size_t)cell]) continue;
        seen[(size_t)cell] = true;
        (*out)++;
    }
    gi_free(seen);
    return GLIA_OK;
}

/* Whether classes can be learned: there are two at least, and most have a second row. */
static glia_status check_classes(const gi_table *table, const gi_table_plan *plan, size_t classes,
                                 glia_error *error)
{
    enum { LEAST_ROWS = 20 };
    const gi_column *target = &table->columns[plan->targets[0]];
    const size_t other = gi_plan_named_target(table, plan);
    char hint[256] = "";
    if (plan->task != GLIA_TASK_CLASSES) return GLIA_OK;
    if (other != SIZE_MAX)
        snprintf(hint, sizeof hint, "; if the target is %.60s: table.targets %.60s",
                 table->columns[other].name, table->columns[other].name);
    if (classes < 2) {
        char remark[GI_MISSING_REMARK];
        gi_table_remark_missing(target, remark);
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: %s%s, the target, has %s%s; there is nothing to learn%s", table->path,
                       gi_column_word(target->name), target->name,
                       classes ? "only one class" : "no class", remark, hint);
    }
    if (target->kind != GI_CELL_TEXT || plan->are_classes || table->rows < LEAST_ROWS ||
        2 * classes <= table->rows)
        return GLIA_OK;
    const glia_status status = count_present(table, plan->targets[0], &classes, error);
    if (status) return status;
    if (2 * classes > table->rows)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: %s%s, the target, has %zu different texts in %zu rows, such as "
                       "\"%.40s\", so that hardly any class has a second row; name another column "
                       "with table.targets, write %s, or learn these classes all the same with "
                       "setting loss=cross-entropy%s",
                       table->path, gi_column_word(target->name), target->name, classes,
                       table->rows, target->texts.text[0],
                       gi_is_date(target->texts.text[0], target->texts.lengths[0])
                           ? "dates and times as numbers (days or hours since the first, say)"
                           : "numbers as numbers",
                       hint);
    return GLIA_OK;
}

glia_status gi_table_plan_reading(const gi_table *table, const gi_table_plan *plan,
                                  gi_schema **schema, char ***class_names, gi_reading *out,
                                  glia_error *error)
{
    glia_status status = begin_schema(table, plan, schema, error);
    if (status) return status;
    *out = (gi_reading){.schema = *schema, .task = plan->task};
    *class_names = name_classes(table, plan, &out->classes, error);
    if (!*class_names) return GLIA_NO_MEMORY;
    out->class_names = *class_names;
    return check_classes(table, plan, out->classes, error);
}
