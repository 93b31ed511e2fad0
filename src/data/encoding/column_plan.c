/* SPDX-License-Identifier: MIT */
/*
 * What each column of a table is learned as: numbers and categories as they stand, dates as
 * numbers, and identifiers not at all.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/encoding/table_plan.h"
#include "data/table/text_look.h"

enum {
    LEAST_ROWS = 20,      /* below, no column is taken for an identifier */
    LEAST_COMPACT = 5,    /* different whole numbers such as 20240301 that make dates, */
    COMPACT_ROWS = 10000, /* in the first so many rows */
    ID_ROWS = 1 << 20,    /* that tell whether whole numbers are an identifier */
    SHOWN_NAMES = 5
};

/* ---- Dates --------------------------------------------------------------------------------- */

/* Nine in ten, as of the cells of a column of numbers. */
static bool are_most(size_t n, size_t of)
{
    return of > 0 && 10 * n >= 9 * of;
}

/* What a column's texts are as dates of one form. */
struct date_facts {
    gi_date_form form;
    size_t n;         /* texts that are such dates; 0 unless they are nearly all */
    size_t ascending; /* that are later than the one that appears first before them */
    size_t months;    /* different ones */
    bool has_time;
};

static struct date_facts look_at_dates(const gi_texts *texts, gi_date_form form)
{
    struct date_facts facts = {.form = form};
    bool is_there[13] = {false};
    double before = -INFINITY;
    for (size_t code = 0; code < texts->n; code++) {
        double seconds;
        bool timed;
        if (!are_most(texts->n - (code - facts.n), texts->n)) break;
        if (!gi_date_parse(texts->text[code], form, &seconds, &timed)) continue;
        facts.n++;
        facts.ascending += seconds > before;
        facts.has_time |= timed;
        before = seconds;
        if (!isnan(seconds)) is_there[(int)gi_date_part_of(seconds, GI_DATE_MONTH)] = true;
    }
    for (size_t m = 1; m <= 12; m++) facts.months += is_there[m];
    if (!are_most(facts.n, texts->n)) facts.n = 0;
    return facts;
}

/*
 * Whether texts are dates of form a rather than of b. Where both can be, since no day is past 12,
 * points stand in day.month.year; and dates ascend in most files, and are not all of one month.
 */
static bool is_likelier(const struct date_facts *a, const struct date_facts *b, const char *text)
{
    if (a->n != b->n) return a->n > b->n;
    if (strchr(text, '.')) return a->form == GI_DATE_DMY;
    if (a->ascending != b->ascending) return a->ascending > b->ascending;
    if (a->months != b->months) return a->months > b->months;
    return a->form == GI_DATE_MDY;
}

/* The form of a column's texts: the one that most of them have. */
static void find_date_form(const gi_texts *texts, gi_column_plan *out)
{
    struct date_facts best = {.form = GI_DATE_NONE};
    for (gi_date_form form = GI_DATE_YMD; form <= GI_DATE_TIME; form++) {
        const struct date_facts facts = look_at_dates(texts, form);
        if (facts.n == 0) continue;
        if (facts.n >= best.n)
            out->is_ambiguous = facts.n == best.n && !strchr(texts->text[0], '.');
        if (is_likelier(&facts, &best, texts->text[0])) best = facts;
    }
    out->form = best.form;
    out->has_time = best.has_time;
}

/* Whether the whole numbers of a column are dates such as 20240301. */
static bool are_compact_dates(const gi_table *table, size_t column, bool *has_time)
{
    double seen[LEAST_COMPACT];
    size_t n = 0;
    for (size_t row = 0; row < table->rows && row < COMPACT_ROWS; row++) {
        const double cell = table->cells[row * table->n_columns + column];
        double seconds;
        size_t i = 0;
        if (isnan(cell)) continue;
        if (!gi_date_of_number(cell, &seconds)) return false;
        *has_time |= cell >= 1e11; /* more digits than a day has */
        while (i < n && seen[i] != cell) i++;
        if (i == n && n < LEAST_COMPACT) seen[n++] = cell;
    }
    return n == LEAST_COMPACT;
}

size_t gi_date_parts_of(const gi_column_plan *column, gi_date_part parts[GI_DATE_PARTS])
{
    size_t n = 0;
    if (column->form != GI_DATE_TIME) {
        parts[n++] = GI_DATE_DAYS;
        parts[n++] = GI_DATE_YEAR;
        parts[n++] = GI_DATE_MONTH;
        parts[n++] = GI_DATE_WEEKDAY;
    }
    if (column->has_time) parts[n++] = GI_DATE_HOUR;
    return n;
}

/* ---- Identifiers --------------------------------------------------------------------------- */

/* Whether nearly every row has another text. */
static bool has_other_texts(const gi_table *table, size_t column)
{
    const gi_column *of = &table->columns[column];
    size_t present = table->rows;
    if (of->texts.n < LEAST_ROWS) return false;
    for (size_t row = 0; row < table->rows && of->has_missing; row++)
        present -= isnan(table->cells[row * table->n_columns + column]) ? 1 : 0;
    return are_most(of->texts.n, present);
}

/* Whether most of the first texts are numbers with something else: $5, 12 km. */
static bool have_numbers(const gi_texts *texts)
{
    enum { MOST_LOOKED_AT = 100 };
    size_t n = 0, numbers = 0;
    for (; n < texts->n && n < MOST_LOOKED_AT; n++) {
        const gi_text_look look = gi_look_at_text(texts->text[n]);
        numbers += look > GI_LOOK_NUMBER && look != GI_LOOK_DATE;
    }
    return 5 * numbers >= 4 * n;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Whether a column with the name of an identifier has another whole number in each row: any of a
 * column called ..._id; numbers that go up by one of others. */
static glia_status numbers_rows(const gi_table *table, size_t column, bool *out, glia_error *error)
{
    const size_t rows = table->rows < ID_ROWS ? table->rows : ID_ROWS;
    *out = false;
    if (rows < LEAST_ROWS || !gi_names_identifier(table->columns[column].name)) return GLIA_OK;
    double *cells = gi_alloc(rows, sizeof *cells, "a column", error);
    if (!cells) return GLIA_NO_MEMORY;
    bool may_be = true;
    for (size_t row = 0; row < rows && may_be; row++) {
        cells[row] = table->cells[row * table->n_columns + column];
        may_be = cells[row] == floor(cells[row]); /* NAN is no number */
    }
    if (may_be) qsort(cells, rows, sizeof *cells, by_value);
    for (size_t row = 1; row < rows && may_be; row++) may_be = cells[row] != cells[row - 1];
    const bool are_consecutive = may_be && cells[rows - 1] - cells[0] + 1 == (double)rows;
    *out = may_be && (are_consecutive || gi_names_id(table->columns[column].name));
    gi_free(cells);
    return GLIA_OK;
}

/* ---- Columns ------------------------------------------------------------------------------- */

static glia_status plan_column(const gi_table *table, size_t column, gi_column_plan *out,
                               glia_error *error)
{
    bool is_identifier = false;
    glia_status status = GLIA_OK;
    out->use = GI_USE_AS_IT_IS;
    if (out->is_named) return GLIA_OK;
    if (table->columns[column].kind == GI_CELL_TEXT) {
        find_date_form(&table->columns[column].texts, out);
        is_identifier = out->form == GI_DATE_NONE && has_other_texts(table, column);
    } else {
        if (are_compact_dates(table, column, &out->has_time)) out->form = GI_DATE_COMPACT;
        status = numbers_rows(table, column, &is_identifier, error);
    }
    out->has_numbers = is_identifier && table->columns[column].kind == GI_CELL_TEXT &&
                       have_numbers(&table->columns[column].texts);
    if (is_identifier)
        out->use = GI_USE_IDENTIFIER;
    else if (out->form != GI_DATE_NONE)
        out->use = GI_USE_DATE;
    return status;
}

glia_status gi_plan_columns(const gi_table *table, const glia_table_params *params,
                            gi_table_plan *plan, glia_error *error)
{
    const gi_table_roles *roles = &plan->roles;
    plan->columns = gi_alloc(table->n_columns, sizeof *plan->columns, "columns", error);
    if (!plan->columns) return GLIA_NO_MEMORY;
    for (size_t k = 0; k < plan->n_targets; k++)
        plan->columns[plan->targets[k]].use = GI_USE_TARGET;
    for (size_t i = 0; i < params->n_categorical; i++) {
        const size_t c = gi_table_column(table, params->categorical[i]);
        if (c != SIZE_MAX) plan->columns[c].is_named = true;
    }
    glia_status status = GLIA_OK;
    for (size_t c = 0; c < table->n_columns && !status; c++) {
        if (plan->columns[c].use == GI_USE_TARGET || c == roles->weight || c == roles->group ||
            c == roles->id || table->columns[c].kind == GI_CELL_IGNORED)
            continue;
        status = plan_column(table, c, &plan->columns[c], error);
    }
    return status;
}

/* ---- For people ---------------------------------------------------------------------------- */

/* Appends a line to notes, which it takes over; NULL: there is no memory, or were none. */
__attribute__((format(printf, 3, 4))) static char *add_line(char *notes, glia_error *error,
                                                            const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (!notes) return NULL;
    char *longer = gi_format(error, "%s%s%s", notes, notes[0] ? "\n" : "", line);
    gi_free(notes);
    return longer;
}

/* Names the columns that are left out as identifiers, or for numbers that are written otherwise. */
static char *note_left_out(const gi_table *table, const gi_table_plan *plan, bool have_numbers,
                           char *notes, glia_error *error)
{
    char names[512], option[GI_OPTION_NAMES], more[32] = "";
    size_t which[SHOWN_NAMES + 1] = {0}, n = 0;
    for (size_t c = 0; c < table->n_columns; c++) {
        const gi_column_plan *column = &plan->columns[c];
        if (column->use != GI_USE_IDENTIFIER || column->has_numbers != have_numbers) continue;
        if (n <= SHOWN_NAMES) which[n] = c;
        n++;
    }
    if (n == 0) return notes;
    const size_t shown = n < SHOWN_NAMES ? n : SHOWN_NAMES;
    gi_table_list_names(table->columns, which, shown, names, sizeof names);
    if (n > SHOWN_NAMES) snprintf(more, sizeof more, " and %zu more", n - SHOWN_NAMES);
    return add_line(
        notes, error,
        "%s%s %s %s and %s left out; table.categorical %s learns from %s all the same", names, more,
        n == 1 ? "has" : "have",
        have_numbers ? "numbers that are not written as plain numbers"
                     : "another value in nearly every row, as an identifier has,",
        n == 1 ? "is" : "are",
        gi_table_option(table->columns, which, n <= SHOWN_NAMES ? n : SHOWN_NAMES + 1, option),
        n == 1 ? "it" : "them");
}

char *gi_plan_notes(const gi_table *table, const gi_table_plan *plan, glia_error *error)
{
    char *notes = gi_strdup(plan->note, error);
    notes = note_left_out(table, plan, false, notes, error);
    notes = note_left_out(table, plan, true, notes, error);
    for (size_t c = 0, shown = 0; c < table->n_columns && shown < SHOWN_NAMES; c++) {
        const gi_column_plan *column = &plan->columns[c];
        if (column->use != GI_USE_DATE) continue;
        shown++;
        notes = add_line(notes, error, "%.60s has %s (%s) and is read as numbers%s",
                         table->columns[c].name, column->form == GI_DATE_TIME ? "times" : "dates",
                         gi_date_form_text(column->form),
                         column->is_ambiguous
                             ? "; no date shows whether the day or the month comes first, so write "
                               "them as year-month-day if this is wrong"
                             : "");
    }
    return notes;
}
