/* SPDX-License-Identifier: MIT */
/* The rules by which what is known of a table becomes findings. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/survey/survey_rules.h"

enum {
    MOST_CODES = 100,   /* different ones */
    LEAST_OF_CODE = 5,  /* rows of each, on average */
    LEAST_SORTED = 100, /* rows in ascending order that make an identifier */
    MOST_OUTLYING = 10, /* standard deviations, */
    FAR_OUT = 30,       /* and when it is more than a note */
    LEAST_GROUPS = 10,
    FEW_ROWS = 50,
    MOST_PAIRED = 256 /* columns that are compared with each other */
};
static const double copies_correlation = 0.999999;

/* ---- Adding ---------------------------------------------------------------------------------- */

glia_status gi_survey_add(gi_survey *survey, glia_finding_kind kind, glia_severity severity,
                          const size_t *columns, size_t n_columns, const uint64_t lines[2],
                          double value, glia_error *error, const char *format, ...)
{
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (survey->shown.n_findings == survey->room) {
        const size_t room = 2 * survey->room + 16;
        glia_finding *larger = gi_survey_alloc(survey, room, sizeof *larger, error);
        if (!larger) return GLIA_NO_MEMORY;
        if (survey->room)
            memcpy(larger, survey->findings, survey->shown.n_findings * sizeof *larger);
        survey->findings = larger;
        survey->room = room;
    }
    size_t *copy = gi_survey_alloc(survey, n_columns, sizeof *copy, error);
    char *text = gi_survey_copy(survey, message, error);
    if (!copy || !text) return GLIA_NO_MEMORY;
    if (n_columns) memcpy(copy, columns, n_columns * sizeof *copy);
    survey->findings[survey->shown.n_findings++] =
        (glia_finding){.kind = kind,
                       .severity = severity,
                       .columns = copy,
                       .n_columns = n_columns,
                       .lines = {lines ? lines[0] : 0, lines ? lines[1] : 0},
                       .value = value,
                       .message = text};
    return GLIA_OK;
}

/* Which comes first of findings that are equally severe. The numbers of kinds only say when they
 * were added. */
static const glia_finding_kind order[] = {
    GLIA_FINDING_UNUSABLE,       GLIA_FINDING_TARGET_MISSING, GLIA_FINDING_TARGET_UNIQUE,
    GLIA_FINDING_LEAK,           GLIA_FINDING_CONTRADICTIONS, GLIA_FINDING_DUPLICATES,
    GLIA_FINDING_IDENTIFIER,     GLIA_FINDING_MANY_TEXTS,     GLIA_FINDING_NUMBERS_AS_TEXT,
    GLIA_FINDING_DATES,          GLIA_FINDING_RARE_CLASS,     GLIA_FINDING_IMBALANCE,
    GLIA_FINDING_BAD_ROWS,       GLIA_FINDING_OUTLIER,        GLIA_FINDING_UNSCALED,
    GLIA_FINDING_TARGET_NAME,    GLIA_FINDING_MISSING_WORD,   GLIA_FINDING_SIMILAR_TEXTS,
    GLIA_FINDING_CODES,          GLIA_FINDING_GROUPS,         GLIA_FINDING_COPIES,
    GLIA_FINDING_MOSTLY_MISSING, GLIA_FINDING_EMPTY,          GLIA_FINDING_CONSTANT,
    GLIA_FINDING_FEW_ROWS};

static size_t rank(glia_finding_kind kind)
{
    size_t i = 0;
    while (i < sizeof order / sizeof *order && order[i] != kind) i++;
    return i;
}

static int by_severity(const void *a, const void *b)
{
    const glia_finding *p = a, *q = b;
    if (p->severity != q->severity) return (int)p->severity - (int)q->severity;
    if (p->kind != q->kind) return rank(p->kind) < rank(q->kind) ? -1 : 1;
    if (p->n_columns && q->n_columns && p->columns[0] != q->columns[0])
        return p->columns[0] < q->columns[0] ? -1 : 1;
    return (p->lines[0] > q->lines[0]) - (p->lines[0] < q->lines[0]);
}

void gi_survey_sort(gi_survey *survey)
{
    if (survey->findings)
        qsort(survey->findings, survey->shown.n_findings, sizeof *survey->findings, by_severity);
}

/* ---- Columns --------------------------------------------------------------------------------- */

static bool all_differ(const gi_column_facts *f)
{
    return f->has_more ? !f->repeats : f->different == f->present;
}

static bool is_identifier(const gi_survey_view *view, size_t column)
{
    const gi_column_facts *f = &view->facts[column];
    if (f->missing || f->present < GI_SURVEY_LEAST_ROWS) return false;
    if (view->table->columns[column].kind == GI_CELL_TEXT) return all_differ(f);
    if (!f->is_whole || !(f->increases || all_differ(f))) return false;
    if (f->max - f->min + 1 == (double)f->present) return true; /* one after the other */
    return (f->increases && f->present >= LEAST_SORTED) ||
           (all_differ(f) && gi_names_identifier(name_of(view->table, column)));
}

/* Names in one finding the columns that a rule holds for. */
struct list {
    size_t *columns; /* (n) */
    size_t n;
};

/* What a rule says of a column. */
typedef bool column_rule(const gi_survey *survey, const gi_survey_view *view, size_t column);

static bool is_empty(const gi_survey *survey, const gi_survey_view *view, size_t column)
{
    return is_feature(survey, column) && view->facts[column].present == 0;
}

static bool is_constant(const gi_survey *survey, const gi_survey_view *view, size_t column)
{
    const gi_column_facts *f = &view->facts[column];
    return is_feature(survey, column) && view->table->rows > 1 && f->present > 0 &&
           f->different == 1 && !f->has_more && f->missing == 0;
}

static bool is_mostly_missing(const gi_survey *survey, const gi_survey_view *view, size_t column)
{
    const gi_column_facts *f = &view->facts[column];
    return is_feature(survey, column) && f->present > 0 && f->missing > f->present;
}

static bool identifies(const gi_survey *survey, const gi_survey_view *view, size_t column)
{
    return is_feature(survey, column) && view->facts[column].is_identifier;
}

static bool is_left_out(const gi_survey *survey, const gi_survey_view *view, size_t column)
{
    for (size_t i = 0; i < survey->shown.n_findings; i++)
        if (survey->findings[i].kind == GLIA_FINDING_NUMBERS_AS_TEXT &&
            survey->findings[i].columns[0] == column)
            return false; /* more is known of it */
    return use_of(view, column) == GI_USE_IDENTIFIER;
}

static bool are_groups(const gi_survey *survey, const gi_survey_view *view, size_t column)
{
    const gi_column_facts *f = &view->facts[column];
    const gi_cell_kind kind = view->table->columns[column].kind;
    return is_feature(survey, column) && !f->is_identifier && use_of(view, column) != GI_USE_DATE &&
           f->different >= LEAST_GROUPS && (kind == GI_CELL_TEXT || f->is_whole) &&
           2 * f->different <= f->present && gi_names_identifier(name_of(view->table, column));
}

static bool has_many_texts(const gi_survey *survey, const gi_survey_view *view, size_t column)
{
    const gi_column_facts *f = &view->facts[column];
    const gi_column *of = &view->table->columns[column];
    if (!is_feature(survey, column) || of->kind != GI_CELL_TEXT || f->is_identifier ||
        use_of(view, column) != GI_USE_AS_IT_IS || survey->columns[column].drop)
        return false;
    return view->all_rows > view->table->rows ? 2 * of->texts.n > view->all_rows
                                              : gi_survey_are_many(f);
}

/* Whole numbers, few of them, which have the name of a code, or leave large gaps as codes do. */
static bool are_codes(const gi_survey *survey, const gi_survey_view *view, size_t column)
{
    const gi_column_facts *f = &view->facts[column];
    const char *name = name_of(view->table, column);
    if (!is_feature(survey, column) || use_of(view, column) == GI_USE_DATE ||
        view->table->columns[column].kind != GI_CELL_NUMBER || !f->is_whole || f->has_more ||
        f->different < 3 || f->different > MOST_CODES || f->present < GI_SURVEY_LEAST_CODES ||
        f->different * LEAST_OF_CODE > f->present)
        return false;
    if (gi_names_code(name)) return true;
    if (gi_names_identifier(name)) return f->different < LEAST_GROUPS;
    return f->min >= 100 && f->max - f->min + 1 > 4 * (double)f->different;
}

static glia_status list_columns(const gi_survey *survey, const gi_survey_view *view,
                                column_rule *rule, struct list *out, glia_error *error)
{
    out->n = 0;
    out->columns = gi_alloc(view->table->n_columns, sizeof *out->columns, "a survey", error);
    if (!out->columns) return GLIA_NO_MEMORY;
    for (size_t c = 0; c < view->table->n_columns; c++)
        if (rule(survey, view, c)) out->columns[out->n++] = c;
    return GLIA_OK;
}

/* Each rule makes one finding of all columns that it holds for. */
static const struct rule {
    column_rule *rule;
    glia_finding_kind kind;
    glia_severity severity;
    bool drops, takes;                /* is to be left out; to be taken for categories */
    const char *said, *option, *does; /* what is known; what to do about it, with which columns */
} rules[] = {
    {identifies, GLIA_FINDING_IDENTIFIER, GLIA_SEVERITY_WARNING, true, false,
     "another value in each row, as an identifier or a time has: it teaches nothing about new "
     "rows;",
     "table.drop", ""},
    {is_left_out, GLIA_FINDING_IDENTIFIER, GLIA_SEVERITY_NOTE, false, false,
     "another value in nearly every row, as an identifier has: left out;", "table.categorical",
     " learns from it all the same"},
    {are_groups, GLIA_FINDING_GROUPS, GLIA_SEVERITY_NOTE, false, false,
     "seems to name the person or thing that a row belongs to: if so, table.group keeps its rows "
     "together when some are held out, and leaves the column out",
     NULL, NULL},
    {has_many_texts, GLIA_FINDING_MANY_TEXTS, GLIA_SEVERITY_WARNING, true, false,
     "so many different texts that most are rare, and each becomes a feature;", "table.drop",
     ", or make fewer of them"},
    {are_codes, GLIA_FINDING_CODES, GLIA_SEVERITY_NOTE, false, true,
     "few whole numbers, read as amounts: if they are codes,", "table.categorical", ""},
    {is_mostly_missing, GLIA_FINDING_MOSTLY_MISSING, GLIA_SEVERITY_NOTE, false, false,
     "missing in most rows; a feature shows where;", "table.drop", " leaves the column out"},
    {is_empty, GLIA_FINDING_EMPTY, GLIA_SEVERITY_NOTE, false, false, "no value at all;",
     "table.drop", ""},
    {is_constant, GLIA_FINDING_CONSTANT, GLIA_SEVERITY_NOTE, false, false,
     "the same value in all rows, which is harmless;", "table.drop", " saves inputs"},
};

static glia_status find_by_rule(gi_survey *survey, const gi_survey_view *view,
                                const struct rule *rule, glia_error *error)
{
    struct list list;
    glia_status status = list_columns(survey, view, rule->rule, &list, error);
    for (size_t k = 0; !status && k < list.n; k++) {
        survey->columns[list.columns[k]].drop |= rule->drops;
        survey->columns[list.columns[k]].categorical |= rule->takes;
    }
    if (!status && list.n > 0)
        status = gi_survey_add(
            survey, rule->kind, rule->severity, list.columns, list.n, NULL, NAN, error,
            "%s: %s%s%s%s%s%s", names_of(view->table, list.columns, list.n).s, rule->said,
            rule->option ? " " : "", rule->option ? rule->option : "", rule->option ? " " : "",
            rule->option ? option_of(view->table, list.columns, list.n).s : "",
            rule->option ? rule->does : "");
    gi_free(list.columns);
    return status;
}

/* By all rules, or by those of one kind. */
static glia_status find_by_rules(gi_survey *survey, const gi_survey_view *view,
                                 const glia_finding_kind *kind, glia_error *error)
{
    glia_status status = GLIA_OK;
    for (size_t i = 0; i < sizeof rules / sizeof *rules && !status; i++)
        if (!kind || rules[i].kind == *kind) status = find_by_rule(survey, view, &rules[i], error);
    return status;
}

/* ---- Numbers --------------------------------------------------------------------------------- */

glia_status gi_survey_find_outlier(gi_survey *survey, const gi_survey_view *view, size_t column,
                                   glia_error *error)
{
    const gi_column_facts *f = &view->facts[column];
    if (!f->numbers || f->n_inner < GI_SURVEY_LEAST_ROWS || f->different <= MOST_OUTLYING)
        return GLIA_OK;
    uint64_t most = 0; /* of one number: one that mostly stands there leaves no usual spread */
    for (size_t i = 0; i < f->n_slots; i++)
        if (f->numbers[i].count > most) most = f->numbers[i].count;
    const double sd = sqrt(f->inner_squares / (double)f->n_inner);
    if (2 * most > f->present || !(sd > 0)) return GLIA_OK;
    const double below = (f->inner_mean - f->min) / sd, above = (f->max - f->inner_mean) / sd;
    const bool is_above = above >= below;
    const double z = is_above ? above : below, x = is_above ? f->max : f->min;
    const size_t row = is_above ? f->max_row : f->min_row;
    const uint64_t n = is_above ? f->n_max : f->n_min;
    if (!(z > MOST_OUTLYING)) return GLIA_OK;
    char times[48] = "";
    if (n > 1) snprintf(times, sizeof times, ", and %" PRIu64 " times more", n - 1);
    const bool is_target = survey->columns[column].role == GLIA_ROLE_TARGET;
    return gi_survey_add(survey, GLIA_FINDING_OUTLIER,
                         z > FAR_OUT ? GLIA_SEVERITY_WARNING : GLIA_SEVERITY_NOTE, &column, 1,
                         (uint64_t[]){gi_table_line(view->table, row), 0}, z, error,
                         "%.60s is %g in %s%s, %.0f standard deviations from the mean of the "
                         "others: correct it if it is wrong%s",
                         name_of(view->table, column), x, place_of(view->table, row).s, times, z,
                         is_target ? "; setting loss=huber gives it less weight"
                                   : ", or leave the cell empty (missing)");
}

/* ---- Columns that say the same ----------------------------------------------------------------
 */

static bool may_be_copy(const gi_survey *survey, const gi_survey_view *view, size_t column)
{
    const gi_column_facts *f = &view->facts[column];
    return is_feature(survey, column) && use_of(view, column) != GI_USE_DATE && !f->is_identifier &&
           (f->different > 1 || f->has_more) && f->present > 1;
}

/* A column of a list by the hash of its cells. */
struct hashed {
    uint64_t hash;
    size_t place;
};

static int by_hash(const void *a, const void *b)
{
    const struct hashed *p = a, *q = b;
    if (p->hash != q->hash) return p->hash < q->hash ? -1 : 1;
    return p->place < q->place ? -1 : p->place > q->place;
}

/* For each column of a list the place of the first one that holds the same; NULL: no memory. */
static size_t *find_first_alike(const gi_survey_view *view, const struct list *list,
                                glia_error *error)
{
    size_t *first = gi_alloc(list->n, sizeof *first, "a survey", error);
    struct hashed *sorted = gi_alloc(list->n, sizeof *sorted, "a survey", error);
    if (first && sorted) {
        for (size_t j = 0; j < list->n; j++)
            sorted[j] = (struct hashed){view->facts[list->columns[j]].hash, j};
        qsort(sorted, list->n, sizeof *sorted, by_hash);
        for (size_t j = 0; j < list->n; j++) {
            const bool is_alike = j > 0 && sorted[j].hash == sorted[j - 1].hash;
            first[sorted[j].place] = is_alike ? first[sorted[j - 1].place] : sorted[j].place;
        }
        gi_free(sorted);
        return first;
    }
    gi_free(first);
    gi_free(sorted);
    return NULL;
}

static glia_status find_copies(gi_survey *survey, const gi_survey_view *view, glia_error *error)
{
    const gi_table *table = view->table;
    struct list list;
    glia_status status = list_columns(survey, view, may_be_copy, &list, error);
    size_t *first_alike = status ? NULL : find_first_alike(view, &list, error);
    if (!first_alike) status = GLIA_NO_MEMORY;
    const bool correlates = list.n <= MOST_PAIRED && view->sample->n >= GI_SURVEY_LEAST_ROWS;
    for (size_t j = 1; j < list.n && !status && view->table->rows >= GI_SURVEY_LEAST_ROWS; j++) {
        for (size_t i = correlates ? 0 : first_alike[j]; i < j; i++) {
            const size_t pair[] = {list.columns[i], list.columns[j]};
            const gi_column_facts *a = &view->facts[pair[0]], *b = &view->facts[pair[1]];
            const bool is_copy = a->hash == b->hash;
            const bool are_numbers = a->numbers && b->numbers && a->missing == b->missing;
            if (!is_copy && !(correlates && are_numbers)) continue;
            const double r =
                is_copy ? 1
                        : gi_survey_correlation(table, view->facts, view->sample, pair[0], pair[1]);
            if (!(fabs(r) > copies_correlation)) continue;
            status = gi_survey_add(
                survey, GLIA_FINDING_COPIES, GLIA_SEVERITY_NOTE, pair, 2, NULL, r, error,
                "%.60s and %.60s %s: one of them can be left out with table.drop %s",
                name_of(table, pair[1]), name_of(table, pair[0]),
                is_copy ? "are the same" : "differ by a factor and a sum alone",
                option_of(table, &pair[1], 1).s);
            break;
        }
    }
    gi_free(first_alike);
    gi_free(list.columns);
    return status;
}

/* ---- All ------------------------------------------------------------------------------------- */

glia_status gi_survey_find(gi_survey *survey, const gi_survey_view *view, glia_error *error)
{
    const gi_table *table = view->table;
    glia_status status = gi_survey_find_target(survey, view, error);
    if (!status) status = gi_survey_find_named_target(survey, view, error);
    for (size_t c = 0; c < table->n_columns && !status; c++) {
        if (use_of(view, c) == GI_USE_IDENTIFIER && table->columns[c].kind == GI_CELL_TEXT)
            status =
                gi_survey_find_numbers(survey, view, c, error); /* which is why they all differ */
        if (!is_feature(survey, c)) continue;
        if (use_of(view, c) == GI_USE_DATE) {
            status = gi_survey_note_dates(survey, view, c, error);
            continue;
        }
        if (table->columns[c].kind == GI_CELL_NUMBER) {
            status = gi_survey_find_outlier(survey, view, c, error);
            continue;
        }
        status = gi_survey_find_in_texts(survey, view, c, error);
    }
    if (!status) status = find_by_rules(survey, view, NULL, error);
    if (!status) status = gi_survey_find_leaks(survey, view, error);
    if (!status && !view->is_hasty) status = find_copies(survey, view, error);
    if (!status) status = gi_survey_find_rows(survey, view, error);
    size_t features = 0; /* of what is not suggested to be left out */
    for (size_t c = 0; c < table->n_columns; c++)
        if (!survey->columns[c].drop) features += survey->columns[c].features;
    if (!status && (table->rows < FEW_ROWS || table->rows < features))
        status = gi_survey_add(survey, GLIA_FINDING_FEW_ROWS, GLIA_SEVERITY_NOTE, NULL, 0, NULL,
                               (double)table->rows, error,
                               "%zu row%s for %zu feature%s: too few to learn well from; "
                               "glia_dataset_fold tests on each row",
                               table->rows, plural(table->rows), features, plural(features));
    return status;
}

glia_status gi_survey_find_in_sample(gi_survey *survey, const gi_survey_view *view,
                                     glia_error *error)
{
    glia_status status = gi_survey_find_named_target(survey, view, error);
    for (size_t c = 0; c < view->table->n_columns && !status; c++)
        if (view->table->columns[c].kind == GI_CELL_TEXT &&
            (use_of(view, c) == GI_USE_AS_IT_IS || use_of(view, c) == GI_USE_IDENTIFIER))
            status = gi_survey_find_numbers(survey, view, c, error);
    const glia_finding_kind many = GLIA_FINDING_MANY_TEXTS;
    if (!status) status = find_by_rules(survey, view, &many, error);
    return status ? status : gi_survey_find_leaks(survey, view, error);
}

/* Whose rule is needed before the findings: rows are compared without identifiers. */
void gi_survey_find_identifiers(const gi_survey *survey, const gi_survey_view *view,
                                gi_column_facts *facts)
{
    for (size_t c = 0; c < view->table->n_columns; c++)
        facts[c].is_identifier =
            is_feature(survey, c) && use_of(view, c) != GI_USE_DATE && is_identifier(view, c);
}
