/* SPDX-License-Identifier: MIT */
/* What is known of the columns of a table before it is read. */
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "data/encoding/table_plan.h"

gi_table_params gi_table_params_of(const glia_table_params *params, int threads)
{
    gi_table_params how = gi_table_default_params();
    how.separator = params->separator;
    how.header = params->header == 0 ? -1 : params->header > 0;
    how.skips_bad_rows = params->skip_bad_rows;
    how.threads = threads;
    how.targets = params->targets;
    how.n_targets = params->n_targets;
    how.targets_are_labels = params->loss == GLIA_LOSS_BCE;
    how.targets_are_values = params->loss == GLIA_LOSS_MSE || params->loss == GLIA_LOSS_MAE ||
                             params->loss == GLIA_LOSS_HUBER;
    how.group = params->group;
    how.form = (gi_number_form){params->decimal, params->thousands};
    how.missing = (gi_missing_words){(char **)(uintptr_t)params->missing, params->n_missing,
                                     params->missing_alone};
    return how;
}

void gi_table_params_read_like(gi_table_params *how, const gi_schema *schema)
{
    how->ignores_unknown = true;
    if (how->missing.n == 0 && !how->missing.alone) how->missing = schema->missing;
}

static glia_status known_new(size_t n, gi_known_columns *out, glia_error *error)
{
    *out = (gi_known_columns){gi_alloc(n, sizeof *out->columns, "columns", error), 0};
    return out->columns ? GLIA_OK : GLIA_NO_MEMORY;
}

static void know(gi_known_columns *known, const char *name, gi_cell_kind kind)
{
    known->columns[known->n++] = (gi_known_column){.name = name, .kind = kind};
}

/* How numbers are written that a network learned from. */
static gi_number_form known_form(const gi_number_form *form)
{
    return form->decimal ? *form : (gi_number_form){'.', 0};
}

static bool is_same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

glia_status gi_known_of_params(const glia_table_params *params, gi_known_columns *out,
                               glia_error *error)
{
    glia_status status = known_new(params->n_drop + params->n_categorical + 2, out, error);
    for (size_t i = 0; i < params->n_drop && !status; i++)
        know(out, params->drop[i], GI_CELL_IGNORED);
    for (size_t i = 0; i < params->n_categorical && !status; i++)
        know(out, params->categorical[i], GI_CELL_TEXT);
    if (!status && params->weight) know(out, params->weight, GI_CELL_NUMBER);
    if (!status && params->id && !is_same(params->id, params->weight) &&
        !is_same(params->id, params->group))
        know(out, params->id, GI_CELL_IGNORED);
    return status;
}

glia_status gi_schema_check_id(const gi_schema *schema, const char *name, glia_error *error)
{
    for (size_t j = 0; j < schema->n_columns; j++)
        if (is_same(name, schema->columns[j].name) && !gi_schema_has_texts(&schema->columns[j]))
            return gi_fail(
                error, GLIA_BAD_ARGUMENT,
                "%s%s is one that the network learned from, as numbers; expected another "
                "one for the names of rows",
                gi_column_word(name), name);
    return GLIA_OK;
}

glia_status gi_known_of_reading(const gi_reading *reading, const glia_table_params *params,
                                bool is_for_prediction, gi_known_columns *out, glia_error *error)
{
    const gi_schema *schema = reading->schema;
    glia_status status = known_new(schema->n_columns + schema->n_targets + 2, out, error);
    if (status) return status;
    for (size_t j = 0; j < schema->n_columns; j++) {
        know(out, schema->columns[j].name,
             gi_schema_has_texts(&schema->columns[j]) ? GI_CELL_TEXT : GI_CELL_NUMBER);
        out->columns[out->n - 1].form = known_form(&schema->columns[j].form);
    }
    if (is_for_prediction) {
        status = gi_schema_check_id(schema, params->id, error);
        if (status) return status;
        if (params->id)
            know(out, params->id, GI_CELL_TEXT);
        else if (reading->id)
            out->columns[out->n++] =
                (gi_known_column){.name = reading->id, .kind = GI_CELL_TEXT, .may_be_absent = true};
        return GLIA_OK;
    }
    for (size_t k = 0; k < schema->n_targets; k++)
        out->columns[out->n++] = (gi_known_column){
            schema->targets[k], schema->has_text_target ? GI_CELL_TEXT : GI_CELL_NUMBER, true,
            known_form(&schema->target_forms[k])};
    if (params->weight) know(out, params->weight, GI_CELL_NUMBER);
    if (reading->group)
        out->columns[out->n++] =
            (gi_known_column){.name = reading->group,
                              .kind = reading->group_is_text ? GI_CELL_TEXT : GI_CELL_NUMBER,
                              .may_be_absent = true};
    return GLIA_OK;
}
