/* SPDX-License-Identifier: MIT */
/* A survey of a data set: what it holds, what it would be taken for, what is wrong with it. */
#include "data/survey/survey.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/file_set.h"
#include "data/files/npy.h"
#include "data/set/dataset.h"
#include "data/set/sparse.h"

const char *glia_finding_name(glia_finding_kind kind)
{
    static const char *const names[] = {
#define X(name, text) text,
        GLIA_FINDING_LIST(X)
#undef X
    };
    return (size_t)kind < sizeof names / sizeof *names ? names[kind] : "?";
}

/* ---- Memory ---------------------------------------------------------------------------------- */

struct gi_survey_block {
    struct gi_survey_block *next;
    void *content;
};

void *gi_survey_alloc(gi_survey *survey, size_t count, size_t size, glia_error *error)
{
    struct gi_survey_block *block = gi_alloc(1, sizeof *block, "a survey", error);
    void *content = block ? gi_alloc(count, size, "a survey", error) : NULL;
    if (!content) {
        gi_free(block);
        return NULL;
    }
    *block = (struct gi_survey_block){survey->blocks, content};
    survey->blocks = block;
    return content;
}

char *gi_survey_copy(gi_survey *survey, const char *text, glia_error *error)
{
    const size_t n = strlen(text) + 1;
    char *copy = gi_survey_alloc(survey, n, 1, error);
    if (copy) memcpy(copy, text, n);
    return copy;
}

static const gi_survey *whole(const glia_survey *shown)
{
    return (const gi_survey *)shown; /* its first member */
}

const glia_column_survey *glia_survey_column(const glia_survey *shown, size_t index)
{
    return index < shown->n_columns ? &whole(shown)->columns[index] : NULL;
}

const glia_finding *glia_survey_finding(const glia_survey *shown, size_t index)
{
    return index < shown->n_findings ? &whole(shown)->findings[index] : NULL;
}

void glia_survey_free(glia_survey *shown)
{
    gi_survey *survey = (gi_survey *)shown; /* which it is the first member of */
    while (survey && survey->blocks) {
        struct gi_survey_block *next = survey->blocks->next;
        gi_free(survey->blocks->content);
        gi_free(survey->blocks);
        survey->blocks = next;
    }
    gi_free(survey);
}

/* ---- Tables ---------------------------------------------------------------------------------- */

/* Those that are suggested to be left out, unless nothing would be left. */
static void settle_suggestions(gi_survey *survey)
{
    size_t left = 0;
    for (size_t c = 0; c < survey->shown.n_columns; c++)
        left += survey->columns[c].role == GLIA_ROLE_FEATURE && !survey->columns[c].drop;
    for (size_t c = 0; c < survey->shown.n_columns; c++) {
        if (left == 0) survey->columns[c].drop = false;
        if (survey->columns[c].drop) survey->columns[c].categorical = false;
    }
}

/* Opens the table, which it takes over, as training would; what keeps it from that is a finding. */
static glia_status try_opening(gi_survey *survey, gi_table *table, const glia_data_params *params,
                               const gi_table_plan *plan, const glia_error *plan_error,
                               glia_error *error)
{
    glia_dataset *dataset = NULL, *rest = NULL, *held = NULL;
    glia_error found = *plan_error;
    glia_table_params how = params->table;
    how.skip_bad_rows = how.skip_bad_rows || survey->shown.skip_bad_rows;
    glia_status status = GLIA_BAD_FORMAT;
    if (plan->has_task) {
        status = gi_dataset_of_table(table, survey->shown.name, &how, NULL, &dataset, &found);
        if (!status)
            status = glia_dataset_hold_out(dataset, 0.2, params->seed, &rest, &held, &found);
    } else {
        gi_table_free(table);
    }
    glia_dataset_free(rest);
    glia_dataset_free(held);
    glia_dataset_free(dataset);
    if (status == GLIA_NO_MEMORY) {
        if (error) *error = found;
        return status;
    }
    survey->shown.can_train = !status;
    if (!status) return GLIA_OK;
    for (size_t i = 0; i < survey->shown.n_findings; i++) /* which says the same */
        if (survey->findings[i].kind == GLIA_FINDING_TARGET_UNIQUE &&
            survey->findings[i].severity == GLIA_SEVERITY_SEVERE)
            return GLIA_OK;
    return gi_survey_add(survey, GLIA_FINDING_UNUSABLE, GLIA_SEVERITY_SEVERE, NULL, 0, NULL, NAN,
                         error, "%s", found.message);
}

/* Of a malformed file whose bad rows were skipped: what the first of them is. */
static glia_status tell_first_bad(gi_survey *survey, const char *name,
                                  const glia_data_params *params, glia_error *error)
{
    gi_table *table = NULL;
    glia_error found = {0};
    glia_data_params strict = *params;
    strict.table.skip_bad_rows = false;
    const glia_status status = gi_file_set_read(name, &strict, NULL, &table, &found);
    gi_table_free(table);
    if (status == GLIA_NO_MEMORY && error) *error = found;
    if (!status || status == GLIA_NO_MEMORY) return status;
    for (size_t i = 0; i < survey->shown.n_findings; i++) {
        glia_finding *finding = &survey->findings[i];
        if (finding->kind != GLIA_FINDING_BAD_ROWS) continue;
        const size_t size = strlen(finding->message) + sizeof found.message + 16;
        char *message = gi_survey_alloc(survey, size, 1, error);
        if (!message) return GLIA_NO_MEMORY;
        snprintf(message, size, "%s; the first: %s", finding->message, found.message);
        char *advice = strstr(message, ", or leave such rows out"); /* they were */
        if (advice) *advice = '\0';
        finding->message = message;
    }
    return GLIA_OK;
}

/* Whether the columns that are named are there. */
static bool are_there(const gi_table *table, const glia_table_params *params)
{
    bool all = (!params->weight || gi_table_column(table, params->weight) != SIZE_MAX) &&
               (!params->group || gi_table_column(table, params->group) != SIZE_MAX) &&
               (!params->id || gi_table_column(table, params->id) != SIZE_MAX);
    for (size_t k = 0; k < params->n_targets; k++)
        all = all && gi_table_column(table, params->targets[k]) != SIZE_MAX;
    return all;
}

/* Looks at the columns and rows of a table that is planned; facts are the view's. */
static glia_status look_at_table(gi_survey *survey, const gi_survey_view *view,
                                 const glia_table_params *params, gi_column_facts *facts,
                                 gi_row_facts *rows, glia_error *error)
{
    const gi_table *table = view->table;
    const gi_table_plan *plan = view->plan;
    glia_survey *s = &survey->shown;
    const bool is_sample = view->all_rows > table->rows;
    bool *is_feature = gi_alloc(table->n_columns, sizeof *is_feature, "a survey", error);
    bool *is_target = gi_alloc(table->n_columns, sizeof *is_target, "a survey", error);
    glia_status status = is_feature && is_target ? GLIA_OK : GLIA_NO_MEMORY;
    if (!status) status = gi_survey_describe_columns(survey, table, facts, plan, params, error);
    if (!status && plan->has_task && plan->task == GLIA_TASK_CLASSES && !is_sample)
        status = plan->n_targets > 1
                     ? gi_survey_count_one_hot(survey, table, plan, facts, error)
                     : gi_survey_count_classes(survey, &table->columns[plan->targets[0]],
                                               &facts[plan->targets[0]], error);
    if (status) goto cleanup;
    gi_survey_find_identifiers(survey, view, facts);
    for (size_t c = 0; c < table->n_columns; c++) {
        s->features += survey->columns[c].features;
        is_feature[c] = survey->columns[c].role == GLIA_ROLE_FEATURE && !facts[c].is_identifier;
        is_target[c] = survey->columns[c].role == GLIA_ROLE_TARGET;
    }
    gi_survey_inner(table, facts);
    s->sampled_rows = view->sample->n;
    if (is_sample) {
        status = gi_survey_find_in_sample(survey, view, error);
        goto cleanup;
    }
    status = gi_survey_rows(table, is_feature, is_target, rows, error);
    s->checked_rows = rows->checked;
    if (!status) status = gi_survey_find(survey, view, error);
    if (!status) status = gi_survey_find_classes(survey, error);
    if (!status) settle_suggestions(survey);
cleanup:
    gi_free(is_feature);
    gi_free(is_target);
    return status;
}

/* The survey of a table, which it takes over. */
static glia_status survey_table(gi_survey *survey, gi_table *table, const glia_data_params *params,
                                glia_error *error)
{
    gi_column_facts *facts = NULL;
    gi_table_plan plan = {0};
    gi_row_facts rows = {0};
    gi_row_sample sample = {0};
    glia_error plan_error = {0};
    glia_survey *s = &survey->shown;
    const size_t n_columns = table->n_columns;

    s->is_table = true;
    s->rows = table->rows;
    s->skipped = table->skipped;
    s->how = gi_survey_copy(survey, table->how, error);
    glia_status status = s->how ? gi_table_index(table, error) : GLIA_NO_MEMORY;
    if (!status) status = gi_survey_columns(table, &facts, error);
    if (status) goto cleanup;
    status = gi_table_find_plan(table, &params->table, &plan, &plan_error);
    if (status == GLIA_NO_MEMORY || (status && !are_there(table, &params->table))) {
        if (error) *error = plan_error;
        goto cleanup;
    }
    s->has_task = plan.has_task;
    s->task = plan.task;
    s->task_note = gi_survey_copy(survey, plan.note, error);
    status =
        s->task_note ? gi_survey_sample(table, GI_SAMPLE_CELLS, &sample, error) : GLIA_NO_MEMORY;
    const gi_survey_view view = {.table = table,
                                 .facts = facts,
                                 .plan = &plan,
                                 .rows = &rows,
                                 .sample = &sample,
                                 .skips = params->table.skip_bad_rows,
                                 .all_rows = table->rows};
    if (!status) status = look_at_table(survey, &view, &params->table, facts, &rows, error);
    if (!status) {
        status = try_opening(survey, table, params, &plan, &plan_error, error);
        table = NULL;
    }
cleanup:
    gi_survey_sample_free(&sample);
    gi_survey_columns_free(facts, n_columns);
    gi_table_plan_free(&plan);
    gi_table_free(table);
    return status;
}

/* Where the rows of a sample stand in the file of their table; to be freed. */
static gi_line_mark *mark_rows(const gi_table *table, const gi_row_sample *sample,
                               glia_error *error)
{
    gi_line_mark *marks = gi_alloc(sample->n, sizeof *marks, "a survey", error);
    for (size_t i = 0; marks && i < sample->n; i++)
        marks[i] = (gi_line_mark){i, gi_table_line(table, sample->rows[i])};
    return marks;
}

static size_t hasty_cells(const gi_table *table)
{
    const size_t part = table->rows * table->n_columns / GI_HASTY_PART;
    const size_t rows = GI_HASTY_ROWS * table->n_columns;
    size_t n = GI_HASTY_CELLS;
    if (n < rows) n = rows;
    if (n < part) n = part;
    return n < GI_MOST_HASTY_CELLS ? n : GI_MOST_HASTY_CELLS;
}

/* The survey of a table that is open, in little time: of its rows a sample if they are many. */
static glia_status survey_open_table(gi_survey *survey, const gi_table *table,
                                     const gi_table_plan *plan, glia_error *error)
{
    const glia_table_params none = {0};
    gi_column_facts *facts = NULL;
    gi_row_facts rows = {0};
    gi_row_sample sample = {0};
    gi_line_mark *marks = NULL;
    gi_table part = *table; /* borrows all that is the table's */
    glia_survey *s = &survey->shown;
    s->is_table = s->has_task = s->can_train = true;
    s->rows = table->rows;
    s->skipped = table->skipped;
    s->task = plan->task;
    s->how = gi_survey_copy(survey, table->how, error);
    s->task_note = gi_survey_copy(survey, plan->note, error);
    glia_status status = s->how && s->task_note
                             ? gi_survey_sample(table, hasty_cells(table), &sample, error)
                             : GLIA_NO_MEMORY;
    if (!status && sample.n < table->rows) {
        part.rows = sample.n;
        part.cells = sample.cells;
        part.mapped = (gi_file){0};
        if (table->n_marks) {
            marks = mark_rows(table, &sample, error);
            part.marks = marks;
            part.n_marks = sample.n;
            status = marks ? GLIA_OK : GLIA_NO_MEMORY;
        }
    }
    if (!status) status = gi_survey_columns(&part, &facts, error);
    const gi_survey_view view = {.table = &part,
                                 .facts = facts,
                                 .plan = plan,
                                 .rows = &rows,
                                 .sample = &sample,
                                 .skips = true, /* what is bad has been left out */
                                 .is_hasty = true,
                                 .all_rows = table->rows};
    if (!status) status = look_at_table(survey, &view, &none, facts, &rows, error);
    gi_survey_columns_free(facts, table->n_columns);
    gi_survey_sample_free(&sample);
    gi_free(marks);
    return status;
}

/* ---- Other data sets ------------------------------------------------------------------------- */

/* Sparse samples: what was found out of them, and whether their values are of a size to learn from.
 */
static glia_status survey_sparse(gi_survey *survey, const glia_dataset *dataset, glia_error *error)
{
    static const double largest = 10;
    double rms;
    size_t index;
    glia_status status = gi_sparse_largest(dataset, &rms, &index, error);
    if (status || rms == 0) return status;
    char *how = gi_survey_copy(survey, dataset->notes ? dataset->notes : "", error);
    if (!how) return GLIA_NO_MEMORY;
    char *line_end = strchr(how, '\n');
    if (line_end) *line_end = '\0';
    survey->shown.how = how;
    if (line_end) survey->shown.task_note = line_end + 1;
    if (rms <= largest) return GLIA_OK;
    survey->shown.standardise = true;
    return gi_survey_add(
        survey, GLIA_FINDING_UNSCALED, GLIA_SEVERITY_WARNING, NULL, 0, NULL, rms, error,
        "feature %zu has values of %.3g (root mean square), and sparse text is "
        "learned from as it is; train with setting standardise=yes, or scale it to values of "
        "about 1 (svm-scale, or scikit-learn's MaxAbsScaler)",
        index, rms);
}

/* Counts the classes of all samples, and finds rare and imbalanced ones. */
static glia_status find_classes_of_samples(gi_survey *survey, const glia_dataset *dataset,
                                           glia_error *error)
{
    const glia_dataset_info info = glia_dataset_describe(dataset);
    if (info.task != GLIA_TASK_CLASSES) return GLIA_OK;
    glia_text_count *classes = gi_survey_alloc(survey, info.classes, sizeof *classes, error);
    if (!classes) return GLIA_NO_MEMORY;
    for (size_t k = 0; k < info.classes; k++) {
        classes[k].text = gi_survey_copy(survey, glia_dataset_class_name(dataset, k), error);
        if (!classes[k].text) return GLIA_NO_MEMORY;
    }
    for (size_t i = 0; i < info.samples; i++) classes[gi_dataset_label(dataset, i)].count++;
    survey->shown.classes = classes;
    survey->shown.n_classes = info.classes;
    return gi_survey_find_classes(survey, error);
}

static glia_status survey_dataset(gi_survey *survey, const glia_dataset *dataset, glia_error *error)
{
    glia_survey *s = &survey->shown;
    const glia_dataset_info info = glia_dataset_describe(dataset);
    s->rows = s->checked_rows = info.samples;
    s->features = info.features;
    s->has_task = s->can_train = true;
    s->task = info.task;
    s->how = gi_survey_copy(survey, glia_dataset_notes(dataset), error);
    if (!s->how) return GLIA_NO_MEMORY;
    s->task_note = "";
    const glia_status of_sparse = survey_sparse(survey, dataset, error);
    if (of_sparse) return of_sparse;
    if (dataset->n_unread > 0) {
        s->skipped = dataset->n_unread;
        s->skip_bad_rows = true;
        const glia_status status =
            gi_survey_add(survey, GLIA_FINDING_BAD_ROWS, GLIA_SEVERITY_WARNING, NULL, 0, NULL,
                          (double)dataset->n_unread, error,
                          "%zu image%s cannot be read; table.skip_bad_rows leaves such images out",
                          dataset->n_unread, dataset->n_unread == 1 ? "" : "s");
        if (status) return status;
    }
    return find_classes_of_samples(survey, dataset, error);
}

/* ---- The survey ------------------------------------------------------------------------------ */

glia_status glia_survey_dataset(const glia_dataset *dataset, glia_survey **out, glia_error *error)
{
    if (!dataset || !out)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "survey: the data set or out is NULL");
    gi_survey *survey = gi_alloc(1, sizeof *survey, "a survey", error);
    if (!survey) return GLIA_NO_MEMORY;
    const gi_table_plan *plan;
    const gi_table *table = gi_dataset_table(dataset, &plan);
    survey->shown.name = gi_survey_copy(survey, dataset->name, error);
    glia_status status = survey->shown.name ? GLIA_OK : GLIA_NO_MEMORY;
    if (!status)
        status = table ? survey_open_table(survey, table, plan, error)
                       : survey_dataset(survey, dataset, error);
    if (!status && table && survey->shown.sampled_rows < table->rows && !survey->shown.classes)
        status = find_classes_of_samples(survey, dataset, error); /* of all rows, which is cheap */
    if (status) {
        glia_survey_free(&survey->shown);
        return status;
    }
    gi_survey_sort(survey);
    *out = &survey->shown;
    return GLIA_OK;
}

glia_status glia_survey_make_sized(const char *name, const glia_data_params *given, size_t size,
                                   glia_survey **out, glia_error *error)
{
    const glia_data_params own = gi_data_params(given, size), *params = &own;
    if (!name || !out)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "survey: the name of the data set or out is NULL");
    gi_survey *survey = gi_alloc(1, sizeof *survey, "a survey", error);
    if (!survey) return GLIA_NO_MEMORY;
    gi_table *table = NULL;
    glia_dataset *dataset = NULL;
    struct stat file;
    survey->shown.name = gi_survey_copy(survey, name, error);
    glia_status status = survey->shown.name ? GLIA_OK : GLIA_NO_MEMORY;
    if (!status && gi_is_file_set(name)) {
        const glia_file_kind kind = glia_file_kind_of(name, params);
        if (kind == GLIA_FILE_ARRAYS)
            status = gi_npy_open(name, name, GLIA_SPLIT_TRAIN, &dataset, error);
        if (!status && !dataset && kind != GLIA_FILE_SPARSE)
            status = gi_file_set_read(name, params, NULL, &table, error);
        if (!status && strcmp(name, "-") != 0 && stat(name, &file) == 0 && S_ISREG(file.st_mode))
            survey->shown.bytes = (uint64_t)file.st_size;
    }
    if (!status && table) {
        const bool has_bad = table->skipped > 0 && strcmp(name, "-") != 0;
        status = survey_table(survey, table, params, error);
        if (!status && has_bad) status = tell_first_bad(survey, name, params, error);
    } else if (!status) {
        glia_data_params lenient = *params; /* images that cannot be read are a finding */
        lenient.table.skip_bad_rows |= gi_is_directory(name);
        if (!dataset) status = glia_dataset_open(name, GLIA_SPLIT_TRAIN, &lenient, &dataset, error);
        if (!status) status = survey_dataset(survey, dataset, error);
    }
    glia_dataset_free(dataset);
    if (status) {
        glia_survey_free(&survey->shown);
        return status;
    }
    gi_survey_sort(survey);
    *out = &survey->shown;
    return GLIA_OK;
}
