/* SPDX-License-Identifier: MIT */
/*
 * Rows that are there twice, found by their hashes; and, in a sample of the rows, columns that tell
 * the target or each other.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/survey/survey.h"

enum {
    LEAST_CORRELATED = 10,  /* rows */
    MOST_CHECKED = 1 << 20, /* rows whose hashes are kept */
    MOST_SAMPLED = 1 << 16  /* rows */
};

static uint64_t mix(uint64_t a, uint64_t b)
{
    a = (a ^ b) * UINT64_C(0x9E3779B97F4A7C15);
    return a ^ a >> 32;
}

static bool are_equal(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* ---- Rows that are there twice --------------------------------------------------------------- */

/* A hash table of rows: the row + 1, 0 where there is none. */
struct row_set {
    uint64_t *hashes, *rows; /* (mask + 1) */
    size_t mask, n;
};

static glia_status row_set_new(size_t most, struct row_set *out, glia_error *error)
{
    size_t n = 64;
    while (n < 2 * most) n *= 2;
    *out = (struct row_set){.mask = n - 1};
    out->hashes = gi_alloc(n, sizeof *out->hashes, "a survey", error);
    out->rows = gi_alloc(n, sizeof *out->rows, "a survey", error);
    return out->hashes && out->rows ? GLIA_OK : GLIA_NO_MEMORY;
}

static void row_set_free(struct row_set *set)
{
    gi_free(set->hashes);
    gi_free(set->rows);
}

/* Whether rows have the same in the columns of either mask; which may be NULL. */
static bool are_alike(const gi_table *table, size_t a, size_t b, const bool *these,
                      const bool *those)
{
    const double *x = table->cells + a * table->n_columns, *y = table->cells + b * table->n_columns;
    for (size_t c = 0; c < table->n_columns; c++)
        if ((these[c] || (those && those[c])) && !are_equal(x[c], y[c])) return false;
    return true;
}

/* The first row like this one, or SIZE_MAX; then this is the first now. */
static size_t find_or_add(struct row_set *set, const gi_table *table, size_t row, uint64_t hash,
                          const bool *these, const bool *those)
{
    size_t i = hash & set->mask;
    for (; set->rows[i]; i = (i + 1) & set->mask) {
        const size_t other = (size_t)set->rows[i] - 1;
        if (set->hashes[i] == hash && are_alike(table, row, other, these, those)) return other;
    }
    if (4 * set->n < 3 * set->mask) {
        set->hashes[i] = hash;
        set->rows[i] = (uint64_t)row + 1;
        set->n++;
    }
    return SIZE_MAX;
}

static uint64_t hash_cells(const gi_table *table, size_t row, const bool *these, uint64_t hash)
{
    const double *cells = table->cells + row * table->n_columns;
    for (size_t c = 0; c < table->n_columns; c++) {
        if (!these[c]) continue;
        uint64_t bits = UINT64_MAX;
        const double x = cells[c] + 0.0; /* no negative zero */
        if (!isnan(x)) memcpy(&bits, &x, sizeof bits);
        hash = mix(hash, bits);
    }
    return mix(hash, hash >> 29);
}

glia_status gi_survey_rows(const gi_table *table, const bool *is_feature, const bool *is_target,
                           gi_row_facts *out, glia_error *error)
{
    *out = (gi_row_facts){0};
    /* Of many rows, those with one in `part` of all hashes: whichever are alike, all or none of
     * them are among those. */
    const uint64_t part = table->rows / MOST_CHECKED + 1;
    const size_t most = table->rows / part + table->rows / part / 8 + 1;
    struct row_set features = {0}, all = {0};
    glia_status status = row_set_new(most, &features, error);
    if (!status) status = row_set_new(most, &all, error);
    for (size_t row = 0; row < table->rows && !status; row++) {
        gi_survey_forget(table, row);
        const uint64_t of_features = hash_cells(table, row, is_feature, 1);
        if (part > 1 && (of_features >> 32) % part != 0) continue;
        const uint64_t of_all = hash_cells(table, row, is_target, of_features);
        const size_t twin = find_or_add(&all, table, row, of_all, is_feature, is_target);
        const size_t like = find_or_add(&features, table, row, of_features, is_feature, NULL);
        out->checked++;
        if (twin != SIZE_MAX && out->duplicates++ == 0)
            out->duplicate[0] = twin, out->duplicate[1] = row;
        if (like != SIZE_MAX && !are_alike(table, row, like, is_target, NULL) &&
            out->contradictions++ == 0)
            out->contradiction[0] = like, out->contradiction[1] = row;
    }
    if (!status && out->checked > 0) {
        const double scale = (double)table->rows / (double)out->checked;
        out->duplicates = (uint64_t)llround(scale * (double)out->duplicates);
        out->contradictions = (uint64_t)llround(scale * (double)out->contradictions);
    }
    row_set_free(&features);
    row_set_free(&all);
    return status;
}

/* ---- A sample -------------------------------------------------------------------------------- */

glia_status gi_survey_sample(const gi_table *table, size_t most_cells, gi_row_sample *out,
                             glia_error *error)
{
    size_t n = most_cells / table->n_columns + 1;
    if (n > MOST_SAMPLED) n = MOST_SAMPLED;
    if (n > table->rows) n = table->rows;
    *out = (gi_row_sample){.n = n};
    out->rows = gi_alloc(n, sizeof *out->rows, "a sample of the rows", error);
    out->cells =
        gi_alloc_unset(n, table->n_columns * sizeof *out->cells, "a sample of the rows", error);
    if (!out->rows || !out->cells) return GLIA_NO_MEMORY;
    const double step = (double)table->rows / (double)n;
    for (size_t i = 0; i < n; i++) {
        /* One of the rows of each step, at a place that looks random: no period is hit upon. */
        const double place = step < 2 ? 0 : (double)(mix(i, 7) >> 40) * 0x1p-24;
        size_t row = (size_t)(step * ((double)i + place));
        if (row >= table->rows) row = table->rows - 1;
        out->rows[i] = row;
        memcpy(out->cells + i * table->n_columns, table->cells + row * table->n_columns,
               table->n_columns * sizeof *out->cells);
    }
    return GLIA_OK;
}

void gi_survey_sample_free(gi_row_sample *sample)
{
    gi_free(sample->rows);
    gi_free(sample->cells);
}

/* Whether a number is the least or the greatest of its column, where there are others. */
static bool is_extreme(const gi_column_facts *facts, double x)
{
    return facts->n_inner > 0 && (x == facts->min || x == facts->max);
}

double gi_survey_correlation(const gi_table *table, const gi_column_facts *facts,
                             const gi_row_sample *sample, size_t a, size_t b)
{
    double n = 0, mean_a = 0, mean_b = 0, aa = 0, bb = 0, ab = 0;
    for (size_t i = 0; i < sample->n; i++) {
        const double x = sample->cells[i * table->n_columns + a];
        const double y = sample->cells[i * table->n_columns + b];
        if (isnan(x) || isnan(y) || is_extreme(&facts[a], x) || is_extreme(&facts[b], y)) continue;
        n++;
        const double dx = x - mean_a, dy = y - mean_b;
        mean_a += dx / n;
        mean_b += dy / n;
        aa += dx * (x - mean_a);
        bb += dy * (y - mean_b);
        ab += dx * (y - mean_b);
    }
    return n >= LEAST_CORRELATED && aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : NAN;
}

/* ---- What a column tells of another one ------------------------------------------------------ */

enum { LEAST_JUDGED = 30, LEAST_WRONG = 8, AROUND = 2 };

/* A row of the sample. */
struct pair {
    double x, y;  /* y: the number, or the class */
    bool teaches; /* else it is what is judged by */
};

static int by_x(const void *a, const void *b)
{
    const double x = ((const struct pair *)a)->x, y = ((const struct pair *)b)->x;
    if (isnan(x) || isnan(y)) return (int)isnan(x) - (int)isnan(y);
    return x < y ? -1 : x > y;
}

static int by_number(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Learns from pairs: what is predicted of them all. counts (classes), all 0, then and after. */
static bool learn(const struct pair *pairs, size_t n, bool is_class, uint32_t *counts, double *out)
{
    size_t taught = 0;
    double sum = 0;
    uint32_t most = 0;
    for (size_t i = 0; i < n; i++) {
        if (!pairs[i].teaches) continue;
        taught++;
        sum += pairs[i].y;
        if (is_class && ++counts[(size_t)pairs[i].y] > most) {
            most = counts[(size_t)pairs[i].y];
            *out = pairs[i].y;
        }
    }
    for (size_t i = 0; is_class && i < n; i++) counts[(size_t)pairs[i].y] = 0;
    if (!is_class && taught) *out = sum / (double)taught;
    return taught > 0;
}

static double loss_of(const struct pair *pairs, size_t n, double predicted, bool is_class)
{
    double loss = 0;
    for (size_t i = 0; i < n; i++) {
        if (pairs[i].teaches) continue;
        const double d = pairs[i].y - predicted;
        loss += is_class ? d != 0 : d * d;
    }
    return loss;
}

/* Pairs of one x. */
struct group {
    size_t begin, end;
    double x, predicted;
    bool is_taught;
};

/* What groups that were taught nothing get: what the nearest number got, or texts the guess. */
static void fill_gaps(struct group *groups, size_t n, bool is_text, double guess)
{
    size_t before = SIZE_MAX;
    for (size_t g = 0; g < n; g++) {
        if (groups[g].is_taught) {
            if (!isnan(groups[g].x)) before = g;
            continue;
        }
        size_t after = g;
        while (after < n && !groups[after].is_taught) after++;
        const bool has_after = after < n && !isnan(groups[after].x);
        groups[g].predicted = guess;
        if (is_text || isnan(groups[g].x)) continue;
        const bool takes_after =
            has_after &&
            (before == SIZE_MAX || groups[after].x - groups[g].x < groups[g].x - groups[before].x);
        if (takes_after)
            groups[g].predicted = groups[after].predicted;
        else if (before != SIZE_MAX)
            groups[g].predicted = groups[before].predicted;
    }
}

/* Numbers get what those around them were taught, too, so that one wrong row does little harm. */
static void smooth(const struct pair *pairs, size_t n, struct group *groups, size_t n_groups,
                   bool is_class, uint32_t *counts)
{
    for (size_t g = 0; g < n_groups && !isnan(groups[g].x); g++) {
        size_t begin = groups[g].begin, end = groups[g].end, before = 0, after = 0;
        while (begin > 0 && before < AROUND) before += pairs[--begin].teaches;
        while (end < n && !isnan(pairs[end].x) && after < AROUND) after += pairs[end++].teaches;
        learn(pairs + begin, end - begin, is_class, counts, &groups[g].predicted);
    }
}

static double loss_of_groups(const struct pair *pairs, const struct group *groups, size_t n_groups,
                             bool is_class)
{
    double loss = 0;
    for (size_t g = 0; g < n_groups; g++)
        loss += loss_of(pairs + groups[g].begin, groups[g].end - groups[g].begin,
                        groups[g].predicted, is_class);
    return loss;
}

/* The pairs of the rows that have a target; the target's numbers become classes. */
static glia_status make_pairs(const gi_table *table, const gi_row_sample *sample, size_t column,
                              size_t target, bool is_class, struct pair *pairs, size_t *n,
                              size_t *classes, glia_error *error)
{
    double *values = gi_alloc(sample->n, sizeof *values, "a survey", error);
    if (!values) return GLIA_NO_MEMORY;
    *n = *classes = 0;
    for (size_t i = 0; i < sample->n; i++) {
        const double *cells = sample->cells + i * table->n_columns;
        if (isnan(cells[target])) continue;
        const bool teaches = mix(mix(sample->rows[i], 3), 5) >> 63;
        pairs[*n] = (struct pair){cells[column], cells[target], teaches};
        values[(*n)++] = cells[target];
    }
    qsort(values, *n, sizeof *values, by_number);
    for (size_t i = 0; i < *n; i++)
        if (i == 0 || values[i] != values[*classes - 1]) values[(*classes)++] = values[i];
    for (size_t i = 0; is_class && i < *n; i++) {
        const double *at = bsearch(&pairs[i].y, values, *classes, sizeof *values, by_number);
        pairs[i].y = (double)(at - values);
    }
    gi_free(values);
    return GLIA_OK;
}

glia_status gi_survey_skill(const gi_table *table, const gi_row_sample *sample, size_t column,
                            size_t target, bool is_class, double *skill, double *accuracy,
                            double *guessed, glia_error *error)
{
    const bool is_text = table->columns[column].kind == GI_CELL_TEXT;
    struct pair *pairs = gi_alloc(sample->n, sizeof *pairs, "a survey", error);
    struct group *groups = gi_alloc(sample->n, sizeof *groups, "a survey", error);
    uint32_t *counts = gi_alloc(sample->n, sizeof *counts, "a survey", error);
    size_t n = 0, classes = 0, n_groups = 0, judged = 0;
    *skill = *accuracy = *guessed = 0;
    glia_status status = pairs && groups && counts ? GLIA_OK : GLIA_NO_MEMORY;
    if (!status)
        status = make_pairs(table, sample, column, target, is_class, pairs, &n, &classes, error);
    if (status) goto cleanup;
    double guess = 0;
    for (size_t i = 0; i < n; i++) judged += !pairs[i].teaches;
    if (!learn(pairs, n, is_class, counts, &guess) || judged < LEAST_JUDGED) goto cleanup;
    const double guess_loss = loss_of(pairs, n, guess, is_class);
    if (!(guess_loss > (is_class ? LEAST_WRONG : 0))) goto cleanup;

    qsort(pairs, n, sizeof *pairs, by_x);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && are_equal(pairs[i].x, pairs[i - 1].x)) continue;
        if (n_groups > 0) groups[n_groups - 1].end = i;
        groups[n_groups++] = (struct group){.begin = i, .end = n, .x = pairs[i].x};
    }
    for (size_t g = 0; g < n_groups; g++)
        groups[g].is_taught = learn(pairs + groups[g].begin, groups[g].end - groups[g].begin,
                                    is_class, counts, &groups[g].predicted);
    fill_gaps(groups, n_groups, is_text, guess);
    double loss = loss_of_groups(pairs, groups, n_groups, is_class);
    if (!is_text) {
        smooth(pairs, n, groups, n_groups, is_class, counts);
        loss = fmin(loss, loss_of_groups(pairs, groups, n_groups, is_class));
    }
    *skill = 1 - loss / guess_loss;
    *accuracy = 1 - loss / (double)judged;
    *guessed = 1 - guess_loss / (double)judged;
cleanup:
    gi_free(pairs);
    gi_free(groups);
    gi_free(counts);
    return status;
}
