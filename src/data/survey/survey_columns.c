/* SPDX-License-Identifier: MIT */
/* What is known of each column of a table, in two passes over its cells, row by row. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "data/survey/survey.h"

enum {
    LEAST_SLOTS = 64,
    MOST_SLOTS = 1 << 15,
    ALL_SLOTS = 1 << 22,     /* of all columns together */
    LARGE_BYTES = 128 << 20, /* of a table that is mapped: more than that is given back, */
    FORGET_BYTES = 64 << 20  /* each time so much was read */
};

void gi_survey_forget(const gi_table *table, size_t row)
{
    if (table->mapped.size <= LARGE_BYTES) return;
    const size_t rows = FORGET_BYTES / (table->n_columns * sizeof *table->cells) + 1;
    if (row % rows == rows - 1) gi_file_forget(&table->mapped);
}

/* The bits of a cell, the same for all that are missing and for both zeros. */
static uint64_t bits_of(double x)
{
    uint64_t bits;
    if (isnan(x)) return UINT64_MAX;
    x += 0.0;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    a = (a ^ b) * UINT64_C(0x9E3779B97F4A7C15);
    return a ^ a >> 32;
}

/* ---- Different numbers ---------------------------------------------------------------------- */

static size_t slots_for(const gi_table *table)
{
    size_t n = MOST_SLOTS;
    while (n > LEAST_SLOTS && (n * table->n_columns > ALL_SLOTS || n > 4 * table->rows)) n /= 2;
    return n;
}

/* The slot of a number, or the empty one where it would be. */
static gi_number_count *find_slot(const gi_column_facts *facts, double x)
{
    const size_t mask = facts->n_slots - 1;
    size_t i = mix(0, bits_of(x)) & mask;
    while (facts->numbers[i].count && facts->numbers[i].value != x) i = (i + 1) & mask;
    return &facts->numbers[i];
}

static void count_number(gi_column_facts *facts, double x)
{
    gi_number_count *slot = find_slot(facts, x);
    if (slot->count) {
        facts->repeats = true;
    } else if (facts->different == facts->n_slots / 2) {
        facts->has_more = true;
        return;
    } else {
        slot->value = x;
        facts->different++;
    }
    slot->count++;
}

uint64_t gi_survey_count(const gi_column_facts *facts, double value)
{
    return facts->numbers ? find_slot(facts, value)->count : 0;
}

/* ---- The first pass -------------------------------------------------------------------------- */

static void see_number(gi_column_facts *f, double x, size_t row)
{
    if (f->present == 0) {
        f->min = f->max = x;
        f->min_row = f->max_row = row;
        f->is_whole = f->increases = true;
    } else {
        if (x < f->min) f->min = x, f->min_row = row;
        if (x > f->max) f->max = x, f->max_row = row;
        if (!(x > f->last)) f->increases = false;
    }
    if (f->is_whole && x != floor(x)) f->is_whole = false;
    f->last = x;
    const double d = x - f->mean;
    f->mean += d / (double)(f->present + 1);
    f->squares += d * (x - f->mean);
    if (!f->has_more || f->different < f->n_slots / 2) count_number(f, x);
}

static void see_text(gi_column_facts *f, size_t code, size_t row)
{
    if (f->counts[code]++ > 0) return;
    f->first_rows[code] = row;
    f->different++;
}

static glia_status make_room(const gi_table *table, gi_column_facts *facts, glia_error *error)
{
    const size_t n_slots = slots_for(table);
    for (size_t c = 0; c < table->n_columns; c++) {
        gi_column_facts *f = &facts[c];
        const size_t texts = table->columns[c].texts.n;
        if (table->columns[c].kind == GI_CELL_NUMBER) {
            f->n_slots = n_slots;
            f->numbers = gi_alloc(n_slots, sizeof *f->numbers, "a survey", error);
            if (!f->numbers) return GLIA_NO_MEMORY;
        } else if (table->columns[c].kind == GI_CELL_TEXT) {
            f->counts = gi_alloc(texts, sizeof *f->counts, "a survey", error);
            f->first_rows = gi_alloc(texts, sizeof *f->first_rows, "a survey", error);
            if (!f->counts || !f->first_rows) return GLIA_NO_MEMORY;
        }
    }
    return GLIA_OK;
}

glia_status gi_survey_columns(const gi_table *table, gi_column_facts **out, glia_error *error)
{
    gi_column_facts *facts = gi_alloc(table->n_columns, sizeof *facts, "a survey", error);
    *out = facts;
    const glia_status status = facts ? make_room(table, facts, error) : GLIA_NO_MEMORY;
    if (status) return status;
    for (size_t row = 0; row < table->rows; row++) {
        const double *cells = table->cells + row * table->n_columns;
        for (size_t c = 0; c < table->n_columns; c++) {
            gi_column_facts *f = &facts[c];
            if (table->columns[c].kind == GI_CELL_IGNORED) continue;
            f->hash = mix(f->hash, bits_of(cells[c]));
            if (isnan(cells[c])) {
                if (f->missing++ == 0) f->first_missing = row;
                continue;
            }
            if (f->numbers)
                see_number(f, cells[c], row);
            else
                see_text(f, (size_t)cells[c], row);
            f->present++;
        }
        gi_survey_forget(table, row);
    }
    return GLIA_OK;
}

void gi_survey_columns_free(gi_column_facts *facts, size_t n_columns)
{
    for (size_t c = 0; facts && c < n_columns; c++) {
        gi_free(facts[c].numbers);
        gi_free(facts[c].counts);
        gi_free(facts[c].first_rows);
    }
    gi_free(facts);
}

/* ---- The second ------------------------------------------------------------------------------ */

void gi_survey_inner(const gi_table *table, gi_column_facts *facts)
{
    for (size_t row = 0; row < table->rows; row++) {
        const double *cells = table->cells + row * table->n_columns;
        for (size_t c = 0; c < table->n_columns; c++) {
            gi_column_facts *f = &facts[c];
            const double x = cells[c];
            if (!f->numbers || isnan(x)) continue;
            f->n_min += x == f->min;
            f->n_max += x == f->max;
            if (x == f->min || x == f->max) continue;
            f->n_inner++;
            const double d = x - f->inner_mean;
            f->inner_mean += d / (double)f->n_inner;
            f->inner_squares += d * (x - f->inner_mean);
        }
        gi_survey_forget(table, row);
    }
}
