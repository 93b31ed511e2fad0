/* SPDX-License-Identifier: MIT */
/*
 * Rows of tables as data sets. Cells stay as they were read; what was learned about columns is
 * applied to a row when it is asked for. Texts are codes by then: of each column, and of the
 * target, a list leads from the table's codes to the places of categories and classes.
 */
#include "data/encoding/encoding_parts.h"

#include <float.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/encoding/same_value.h"

enum {
    CHUNK_BYTES = 1 << 20,     /* of a table that stays on disk: what is read together, */
    RESIDENT_BYTES = 64 << 20, /* and how much of it stays in memory */
    LARGE_BYTES = 128 << 20,
};

static void release_table(struct gi_shared_table *shared)
{
    if (!shared || atomic_fetch_sub(&shared->users, 1) > 1) return;
    gi_table_free(shared->table);
    gi_table_plan_free(&shared->plan);
    gi_free(shared);
}

void gi_encoding_keep(void *source)
{
    struct gi_encoding *e = source;
    atomic_fetch_add(&e->users, 1);
}

void gi_encoding_release(void *source)
{
    struct gi_encoding *e = source;
    if (!e || atomic_fetch_sub(&e->users, 1) > 1) return;
    for (size_t j = 0; e->category && j < e->schema->n_columns; j++) gi_free(e->category[j]);
    for (size_t j = 0; e->number && j < e->schema->n_columns; j++) gi_free(e->number[j]);
    gi_free(e->category);
    gi_free(e->number);
    gi_free(e->column);
    gi_free(e->target);
    gi_free(e->class_of_text);
    gi_free(e->numbers);
    gi_schema_free(e->schema);
    release_table(e->shared);
    gi_free(e);
}

static const struct gi_encoding *encoding_of(const glia_dataset *dataset)
{
    return dataset->source.read == gi_encoding_rows.read ? dataset->source_of : NULL;
}

bool gi_dataset_is_table(const glia_dataset *dataset)
{
    return encoding_of(dataset) != NULL;
}

const gi_table *gi_dataset_table(const glia_dataset *dataset, const gi_table_plan **plan)
{
    const struct gi_encoding *e = encoding_of(dataset);
    if (!e || !e->shared->plan.has_task) return NULL;
    *plan = &e->shared->plan;
    return e->shared->table;
}

gi_reading gi_dataset_reading(const glia_dataset *dataset)
{
    return (gi_reading){.schema = dataset->schema,
                        .task = dataset->task,
                        .classes = dataset->classes,
                        .class_names = dataset->class_names,
                        .features = dataset->features,
                        .from_zero = dataset->from_zero};
}

uint64_t gi_dataset_line(const glia_dataset *dataset, size_t index)
{
    const struct gi_encoding *e = encoding_of(dataset);
    return e ? gi_table_line(e->shared->table, (size_t)gi_encoding_row(dataset, index)) : 0;
}

bool gi_dataset_has_groups(const glia_dataset *dataset)
{
    const struct gi_encoding *e = encoding_of(dataset);
    return e && e->shared->roles.group != SIZE_MAX;
}

const char *gi_dataset_id(const glia_dataset *dataset, size_t index)
{
    const struct gi_encoding *e = encoding_of(dataset);
    const size_t column = e ? e->shared->roles.id : SIZE_MAX;
    if (column == SIZE_MAX || e->shared->table->columns[column].kind != GI_CELL_TEXT) return NULL;
    const double cell = gi_encoding_cells(e, gi_encoding_row(dataset, index))[column];
    return isnan(cell) ? NULL : e->shared->table->columns[column].texts.text[(size_t)cell];
}

const char *gi_dataset_id_name(const glia_dataset *dataset)
{
    const struct gi_encoding *e = encoding_of(dataset);
    const size_t column = e ? e->shared->roles.id : SIZE_MAX;
    return column == SIZE_MAX ? NULL : e->shared->table->columns[column].name;
}

const char *gi_dataset_cell(const glia_dataset *dataset, size_t index, size_t column)
{
    const struct gi_encoding *e = encoding_of(dataset);
    const gi_table *table = e ? e->shared->table : NULL;
    if (!table || !table->cell_at || column >= table->n_columns) return NULL;
    const uint64_t row = gi_encoding_row(dataset, index);
    return table->cell_texts + table->cell_at[row * table->n_columns + column];
}

double gi_dataset_group(const glia_dataset *dataset, size_t index)
{
    const struct gi_encoding *e = encoding_of(dataset);
    return gi_encoding_cells(e, gi_encoding_row(dataset, index))[e->shared->roles.group];
}

const char *gi_dataset_group_name(const glia_dataset *dataset, bool *is_text)
{
    const struct gi_encoding *e = encoding_of(dataset);
    if (!e || e->shared->roles.group == SIZE_MAX) return NULL;
    const gi_column *column = &e->shared->table->columns[e->shared->roles.group];
    *is_text = column->kind == GI_CELL_TEXT;
    return column->name;
}

/* ---- Making an encoding -------------------------------------------------------------------- */

/* An empty encoding of a table; room for the columns of the schema, which it takes over. */
static glia_status encoding_new(struct gi_shared_table *shared, gi_schema *schema, glia_task task,
                                struct gi_encoding **out, glia_error *error)
{
    struct gi_encoding *e = gi_alloc(1, sizeof *e, "an encoding", error);
    if (!e) {
        gi_schema_free(schema);
        return GLIA_NO_MEMORY;
    }
    atomic_init(&e->users, 1);
    atomic_fetch_add(&shared->users, 1);
    e->shared = shared;
    e->schema = schema;
    e->task = task;
    e->column = gi_alloc(schema->n_columns, sizeof *e->column, "an encoding", error);
    e->category = gi_alloc(schema->n_columns, sizeof *e->category, "an encoding", error);
    e->target = gi_alloc(schema->n_targets, sizeof *e->target, "an encoding", error);
    e->number = gi_alloc(schema->n_columns, sizeof *e->number, "an encoding", error);
    if (!e->column || !e->category || !e->number || !e->target) {
        gi_encoding_release(e);
        return GLIA_NO_MEMORY;
    }
    *out = e;
    return GLIA_OK;
}

/* From the codes of each column's texts to the places of its categories, as the schema has them. */
static glia_status map_categories(struct gi_encoding *e, glia_error *error)
{
    for (size_t j = 0; j < e->schema->n_columns; j++) {
        if (!e->schema->columns[j].is_category) continue;
        const gi_texts *texts = &e->shared->table->columns[e->column[j]].texts;
        if (!e->category[j])
            e->category[j] = gi_alloc(texts->n, sizeof **e->category, "categories", error);
        if (!e->category[j]) return GLIA_NO_MEMORY;
        gi_values values;
        const gi_schema_column *column = &e->schema->columns[j];
        const glia_status status = gi_values_of(column->categories, column->n_categories,
                                                texts->text, texts->n, &values, error);
        if (status) return status;
        for (size_t c = 0; c < texts->n; c++) {
            size_t place = gi_schema_category(column, texts->text[c]);
            if (place == SIZE_MAX) place = gi_values_find(&values, texts->text[c]);
            e->category[j][c] = place == SIZE_MAX ? GI_UNKNOWN : (int32_t)place;
        }
        gi_free(values.values);
    }
    return GLIA_OK;
}

/* The number that is read of a date. Year, month, day is read in any column of dates: no other
 * order is written so. INFINITY: it is no date. */
static double date_number(const gi_schema_column *column, const char *text)
{
    double seconds;
    const bool is_date =
        gi_date_parse(text, column->date, &seconds, NULL) ||
        (column->date != GI_DATE_TIME && gi_date_parse(text, GI_DATE_YMD, &seconds, NULL));
    return is_date ? gi_date_part_of(seconds, column->part) : (double)INFINITY;
}

/* From the codes of texts that are dates to the numbers that are read of them. */
static glia_status map_dates(struct gi_encoding *e, glia_error *error)
{
    for (size_t j = 0; j < e->schema->n_columns; j++) {
        const gi_schema_column *column = &e->schema->columns[j];
        if (column->date == GI_DATE_NONE || !gi_schema_has_texts(column)) continue;
        const gi_texts *texts = &e->shared->table->columns[e->column[j]].texts;
        e->number[j] = gi_alloc(texts->n, sizeof **e->number, "dates", error);
        if (!e->number[j]) return GLIA_NO_MEMORY;
        for (size_t c = 0; c < texts->n; c++) e->number[j][c] = date_number(column, texts->text[c]);
    }
    return GLIA_OK;
}

/* A class's name as the whole number that it is. */
static bool parse_whole(const char *name, double *out)
{
    char *end;
    const long long value = strtoll(name, &end, 10);
    *out = (double)value;
    return end != name && *end == '\0' && fabs(*out) <= GI_LARGEST_WHOLE;
}

static int by_value(const void *a, const void *b)
{
    const double p = ((const struct gi_class_number *)a)->value,
                 q = ((const struct gi_class_number *)b)->value;
    return p < q ? -1 : p > q;
}

/* From what stands in the target's cells to classes. */
static glia_status map_classes(struct gi_encoding *e, size_t n, char *const *names,
                               glia_error *error)
{
    const gi_column *target = &e->shared->table->columns[e->target[0]];
    if (e->schema->n_targets > 1) return GLIA_OK; /* each is a class */
    if (e->schema->has_text_target) {
        e->class_of_text = gi_alloc(target->texts.n, sizeof *e->class_of_text, "classes", error);
        if (!e->class_of_text) return GLIA_NO_MEMORY;
        gi_values values;
        const glia_status status =
            gi_values_of(names, n, target->texts.text, target->texts.n, &values, error);
        if (status) return status;
        for (size_t c = 0; c < target->texts.n; c++) {
            const size_t k = gi_values_find(&values, target->texts.text[c]);
            e->class_of_text[c] = k == SIZE_MAX ? GI_UNKNOWN : (int32_t)k;
        }
        gi_free(values.values);
        for (size_t k = 0; k < n; k++) {
            const size_t c = gi_texts_find(&target->texts, names[k], strlen(names[k]));
            if (c != SIZE_MAX) e->class_of_text[c] = (int32_t)k;
        }
        return GLIA_OK;
    }
    e->numbers = gi_alloc(n, sizeof *e->numbers, "classes", error);
    if (!e->numbers) return GLIA_NO_MEMORY;
    e->n_numbers = n;
    bool are_whole = true; /* else numbers are the places of classes, where nothing else is known */
    for (size_t k = 0; k < n; k++) {
        e->numbers[k].class = (uint32_t)k;
        are_whole = parse_whole(names[k], &e->numbers[k].value) && are_whole;
        if (!are_whole && !e->is_plain)
            return gi_fail(error, GLIA_MISMATCH,
                           "%s: %s%s: the class \"%s\" is no whole number, as those of the "
                           "training data were",
                           e->shared->table->path, gi_column_word(target->name), target->name,
                           names[k]);
    }
    for (size_t k = 0; k < n && !are_whole; k++) e->numbers[k].value = (double)k;
    qsort(e->numbers, n, sizeof *e->numbers, by_value);
    return GLIA_OK;
}

/* ---- Reading as a schema says -------------------------------------------------------------- */

/*
 * An encoding of a table by a schema, which it takes over: finds its columns. Targets may be
 * absent, all together, where they are not needed.
 */
static glia_status encoding_of_schema(struct gi_shared_table *shared, gi_schema *schema,
                                      const gi_reading *reading, struct gi_encoding **out,
                                      glia_error *error)
{
    const gi_table *table = shared->table;
    const bool is_one_column = reading->task == GLIA_TASK_CLASSES && schema->n_targets == 1;
    const size_t outputs = is_one_column ? 1 : reading->classes;
    struct gi_encoding *e = NULL;
    glia_status status = encoding_new(shared, schema, reading->task, &e, error);
    if (!status) e->is_plain = !reading->schema;
    if (!status && schema->n_targets != outputs && !(e->is_plain && schema->n_targets == 0))
        status = gi_fail(
            error, GLIA_MISMATCH, "%s: %zu column%s to be predicted, but the network predicts %zu",
            table->path, schema->n_targets, schema->n_targets == 1 ? " is" : "s are", outputs);
    for (size_t j = 0; !status && j < schema->n_columns; j++) {
        const gi_schema_column *column = &schema->columns[j];
        e->column[j] = gi_table_column(table, column->name);
        if (e->column[j] == SIZE_MAX) {
            status = gi_table_fail_absent(table, column->name, ", which the network reads", error);
            break;
        }
        const gi_cell_kind kind = table->columns[e->column[j]].kind;
        const bool has_texts = gi_schema_has_texts(column);
        if (kind != (has_texts ? GI_CELL_TEXT : GI_CELL_NUMBER))
            status = gi_fail(
                error, GLIA_MISMATCH, "%s: %s%s holds %s, but the network was made for %s",
                table->path, gi_column_word(column->name), column->name,
                kind == GI_CELL_TEXT ? "texts" : "numbers", has_texts ? "texts" : "numbers");
    }
    for (size_t k = 0; !status && k < schema->n_targets && !reading->ignores_targets; k++) {
        const size_t c = gi_table_column(table, schema->targets[k]);
        if (c == SIZE_MAX && e->n_targets > 0)
            status =
                gi_table_fail_absent(table, schema->targets[k], ", though others are there", error);
        if (c != SIZE_MAX && k > e->n_targets)
            status =
                gi_table_fail_absent(table, schema->targets[0], ", though others are there", error);
        if (c == SIZE_MAX) continue;
        e->target[e->n_targets++] = c;
        const gi_cell_kind kind = table->columns[c].kind;
        if (!status && kind != (schema->has_text_target ? GI_CELL_TEXT : GI_CELL_NUMBER))
            status = gi_fail(error, GLIA_MISMATCH, "%s: %s%s, the target, holds %s, expected %s",
                             table->path, gi_column_word(schema->targets[k]), schema->targets[k],
                             kind == GI_CELL_TEXT ? "texts" : "numbers",
                             schema->has_text_target ? "texts" : "numbers");
    }
    if (!status) status = map_categories(e, error);
    if (!status) status = map_dates(e, error);
    if (!status && e->task == GLIA_TASK_CLASSES && e->n_targets > 0)
        status = map_classes(e, reading->classes, reading->class_names, error);
    if (status)
        gi_encoding_release(e);
    else
        *out = e;
    return status;
}

/* ---- Data sets ----------------------------------------------------------------------------- */

/* From now on a data set is read by this encoding, which it takes over. */
static void set_encoding(glia_dataset *dataset, struct gi_encoding *e)
{
    if (dataset->source_of) dataset->source.free(dataset->source_of);
    dataset->source = gi_encoding_rows;
    dataset->source_of = e;
    dataset->schema = e->schema;
    dataset->features = e->schema->n_features;
    dataset->chunk = e->shared->chunk;
    dataset->is_unlabelled = e->n_targets == 0;
}

glia_status gi_dataset_learn_columns(glia_dataset *dataset, glia_error *error)
{
    const struct gi_encoding *old = encoding_of(dataset);
    const gi_reading reading = gi_dataset_reading(dataset);
    gi_schema *schema = NULL;
    struct gi_encoding *e = NULL;
    if (old->is_plain) return GLIA_OK; /* there is nothing to learn */
    glia_status status = gi_schema_copy(old->schema, &schema, error);
    if (status) return status;
    for (size_t j = 0; j < schema->n_columns; j++) { /* the old names and kinds alone */
        schema->columns[j].flags_missing = false;
        schema->columns[j].mean = 0;
        gi_free(schema->columns[j].categories);
        schema->columns[j].categories = NULL;
        schema->columns[j].n_categories = 0;
    }
    status = encoding_of_schema(old->shared, schema, &reading, &e, error);
    if (status) return status;
    status = gi_encoding_learn(e, dataset, error);
    if (!status) status = map_categories(e, error);
    if (!status) set_encoding(dataset, e);
    if (status) gi_encoding_release(e);
    return status;
}

glia_status gi_dataset_read_like(glia_dataset *dataset, const gi_reading *reading,
                                 glia_error *error)
{
    const struct gi_encoding *old = encoding_of(dataset);
    if (!old || !reading->schema)
        return gi_fail(error, GLIA_MISMATCH,
                       "%s: its samples are %s, but what is to be read alike are %s", dataset->name,
                       old ? "rows of a table" : "no rows of a table",
                       reading->schema ? "rows of a table" : "none");
    gi_schema *schema = NULL;
    struct gi_encoding *e = NULL;
    char **names = NULL;
    glia_status status = gi_schema_copy(reading->schema, &schema, error);
    if (!status) status = encoding_of_schema(old->shared, schema, reading, &e, error);
    if (!status) status = gi_encoding_check_rows(e, dataset, error);
    if (!status) {
        names = gi_copy_names((const char *const *)reading->class_names, reading->classes, error);
        if (!names) status = GLIA_NO_MEMORY;
    }
    if (status) {
        gi_encoding_release(e);
        return status;
    }
    gi_free(dataset->class_names);
    dataset->class_names = names;
    dataset->classes = reading->classes;
    dataset->task = reading->task;
    set_encoding(dataset, e);
    return GLIA_OK;
}

glia_status glia_dataset_read_like(glia_dataset *dataset, const glia_dataset *like,
                                   glia_error *error)
{
    const struct gi_encoding *own = encoding_of(dataset), *other = encoding_of(like);
    if (!own && !other) return GLIA_OK; /* there are no columns that could be read otherwise */
    if (own && other && own->shared == other->shared) { /* parts of one table */
        gi_encoding_keep(like->source_of);
        set_encoding(dataset, like->source_of);
        return GLIA_OK;
    }
    const gi_reading reading = gi_dataset_reading(like);
    return gi_dataset_read_like(dataset, &reading, error);
}

/* ---- From a table to a data set ------------------------------------------------------------ */

static glia_status set_weights(glia_dataset *dataset, const struct gi_encoding *e,
                               glia_error *error)
{
    float *weights = gi_alloc(dataset->samples, sizeof *weights, "the weights of samples", error);
    glia_status status = weights ? GLIA_OK : GLIA_NO_MEMORY;
    for (size_t i = 0; i < dataset->samples && !status; i++)
        weights[i] =
            (float)gi_encoding_cells(e, gi_encoding_row(dataset, i))[e->shared->roles.weight];
    if (!status) status = glia_dataset_set_weights(dataset, weights, dataset->samples, error);
    gi_free(weights);
    return status;
}

/* For people: how the file was read, what was left out, what the target is. */
static glia_status write_notes(glia_dataset *dataset, const gi_table *table,
                               const gi_table_plan *plan, glia_error *error)
{
    const size_t skipped = table->skipped + (table->rows - dataset->samples);
    char left_out[64] = "";
    if (skipped > 0)
        snprintf(left_out, sizeof left_out, "%s%zu malformed row%s skipped",
                 table->how[0] ? "; " : "", skipped, skipped == 1 ? "" : "s");
    char *notes = plan->has_task ? gi_plan_notes(table, plan, error) : gi_strdup("", error);
    if (!notes) return GLIA_NO_MEMORY;
    dataset->notes = gi_format(error, "%s%s%s%s", table->how, left_out,
                               (table->how[0] || left_out[0]) && notes[0] ? "\n" : "", notes);
    gi_free(notes);
    return dataset->notes ? GLIA_OK : GLIA_NO_MEMORY;
}

/* A table with what is known of it before its columns are looked at; NULL: there is no memory, and
 * the table is freed. */
static struct gi_shared_table *share(gi_table *table, const glia_table_params *params,
                                     glia_error *error)
{
    struct gi_shared_table *shared = gi_alloc(1, sizeof *shared, "a table", error);
    if (!shared) {
        gi_table_free(table);
        return NULL;
    }
    atomic_init(&shared->users, 1);
    atomic_init(&shared->n_read, 0);
    shared->table = table;
    shared->fails_on_unknown = params->fail_on_unknown;
    const size_t row_bytes = table->n_columns * sizeof *table->cells;
    if (table->mapped.size > LARGE_BYTES) {
        shared->chunk = CHUNK_BYTES / row_bytes + 1;
        shared->drop_after = RESIDENT_BYTES / row_bytes + 1;
    }
    return shared;
}

/* What the columns are for and how rows are read: like `like`, or, where that is NULL, as is found
 * out; class_names is then to be freed. schema is the caller's unless this fails. */
static glia_status find_reading(struct gi_shared_table *shared, const glia_table_params *params,
                                const gi_reading *like, gi_reading *out, gi_schema **schema,
                                char ***class_names, glia_error *error)
{
    gi_table *table = shared->table;
    if (table->rows > UINT32_MAX)
        return gi_fail(error, GLIA_UNSUPPORTED, "%s: %zu rows, expected at most %lu", table->path,
                       table->rows, (unsigned long)UINT32_MAX);
    glia_status status = gi_table_index(table, error);
    if (status) return status;
    glia_table_params roles = *params;
    if (like) /* what others are divided by, these rows need not have */
        roles.group =
            like->group && !like->ignores_targets && gi_table_column(table, like->group) != SIZE_MAX
                ? like->group
                : NULL;
    status = gi_table_find_roles(table, &roles, &shared->roles, error);
    if (!status && !like) status = gi_table_find_plan(table, params, &shared->plan, error);
    if (!status && !like)
        status = gi_table_plan_reading(table, &shared->plan, schema, class_names, out, error);
    else if (!status)
        status = like->schema ? gi_schema_copy(like->schema, schema, error)
                              : gi_plain_schema(table, like, schema, error);
    if (status) {
        gi_schema_free(*schema);
        return status;
    }
    if (like) *out = *like;
    return GLIA_OK;
}

/* Of a table that nothing is known of, no category is unknown. */
static void know_all_categories(struct gi_encoding *e)
{
    for (size_t j = 0; j < e->schema->n_columns; j++)
        for (size_t c = 0; e->category[j] && c < e->shared->table->columns[e->column[j]].texts.n;
             c++)
            e->category[j][c] = 0;
}

glia_status gi_dataset_of_table(gi_table *table, const char *name, const glia_table_params *params,
                                const gi_reading *reading, glia_dataset **out, glia_error *error)
{
    struct gi_shared_table *shared = share(table, params, error);
    if (!shared) return GLIA_NO_MEMORY;
    const bool is_found_out = !reading;
    gi_reading how = {0};
    gi_schema *schema = NULL;
    char **class_names = NULL;
    struct gi_encoding *e = NULL;
    glia_dataset *dataset = NULL;
    uint32_t *rows = NULL;
    size_t n = 0;
    glia_status status = find_reading(shared, params, reading, &how, &schema, &class_names, error);
    if (!status) status = encoding_of_schema(shared, schema, &how, &e, error);
    if (status) goto cleanup;
    if (is_found_out) know_all_categories(e);
    status =
        gi_encoding_choose_rows(e, params->skip_bad_rows, how.ignores_targets, &rows, &n, error);
    if (!status && n == 0) {
        *out = NULL;
        goto cleanup;
    }
    if (!status) /* features are not counted yet */
        status = gi_dataset_new(name, GLIA_TYPE_F32, n, schema->n_features ? schema->n_features : 1,
                                how.classes, (const char *const *)how.class_names, &dataset, error);
    if (status) goto cleanup;
    dataset->task = how.task;
    if (n < table->rows) {
        dataset->rows = dataset->owned_rows = rows;
        rows = NULL;
    }
    const struct gi_encoding *kept = e;
    set_encoding(dataset, e);
    e = NULL;
    if (shared->roles.weight != SIZE_MAX) status = set_weights(dataset, kept, error);
    if (!status) status = write_notes(dataset, table, &shared->plan, error);
    if (!status && is_found_out) status = gi_dataset_learn_columns(dataset, error);
    if (status) goto cleanup;
    *out = dataset;
    dataset = NULL;
cleanup:
    glia_dataset_free(dataset);
    gi_encoding_release(e);
    gi_free(rows);
    gi_free(class_names);
    release_table(shared);
    return status;
}
