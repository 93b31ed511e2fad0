/* SPDX-License-Identifier: MIT */
/*
 * What a cell's text means: nothing (a word for a missing value), a number as people and programs
 * write it, or neither.
 */
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "data/table/csv/csv_parts.h"

/* ---- Missing values ------------------------------------------------------------------------- */

/* What programs write where a value is missing. Never reordered: the place is a bit of
 * gi_column.missing_words, which the cache keeps. */
static const char *const usual_words[] = {
    /* of any column */
    "?", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", "None", "\\N", "NaT",
    "NAN", "-nan", "-NaN", "-NAN", "+nan", "nan(ind)", "-nan(ind)", "1.#IND", "-1.#IND", "1.#QNAN",
    "-1.#QNAN", "#NA", "#N/A N/A", "#NUM!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NULL!",
    "<null>", "<NULL>", "(null)", "[NULL]",
    /* of a column of numbers alone: in another one they may be categories */
    ".", "-", "--", "none", "NONE", "Null", "na", "Na", "n.a.", "N.A.", "missing", "nil"};

enum {
    N_WORDS = sizeof usual_words / sizeof usual_words[0],
    N_WORDS_OF_ALL = 36, /* the first, which are of any column */
    LONGEST_WORD = 9
};
_Static_assert(N_WORDS <= 64, "a word is a bit");

enum gi_csv_missing gi_csv_missing(const gi_missing_words *words, const char *text, size_t n,
                                   uint64_t *seen)
{
    if (n == 0) return GI_CSV_MISSING;
    for (size_t i = 0; i < words->n; i++)
        if (strlen(words->words[i]) == n && memcmp(words->words[i], text, n) == 0)
            return GI_CSV_MISSING;
    if (words->alone || n > LONGEST_WORD || !memchr("?N#<n-+1\\([.m", text[0], 13))
        return GI_CSV_PRESENT;
    for (size_t i = 0; i < N_WORDS; i++)
        if (usual_words[i][0] == text[0] && strlen(usual_words[i]) == n &&
            memcmp(usual_words[i], text, n) == 0) {
            if (seen) *seen |= UINT64_C(1) << i;
            return i < N_WORDS_OF_ALL ? GI_CSV_MISSING : GI_CSV_MISSING_NUMBER;
        }
    return GI_CSV_PRESENT;
}

void gi_table_remark_missing(const gi_column *column, char remark[GI_MISSING_REMARK])
{
    remark[0] = '\0';
    if (column->missing_words)
        snprintf(remark, GI_MISSING_REMARK,
                 " (%s means missing; table.missing_alone reads it as a text)",
                 usual_words[__builtin_ctzll(column->missing_words)]);
}

bool gi_csv_is_infinity(const char *text, size_t n)
{
    static const char *const words[] = {"inf",      "Inf",    "INF",   "infinity",
                                        "Infinity", "1.#INF", "Infty", "\xE2\x88\x9E"};
    if (n && (*text == '-' || *text == '+')) text++, n--;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) == n && memcmp(words[i], text, n) == 0) return true;
    return false;
}

/* ---- Numbers -------------------------------------------------------------------------------- */

/* Characters of UTF-8 that stand for one of ASCII in numbers: a minus, blanks, an apostrophe. */
static const struct {
    const char *text;
    size_t n;
    char means;
} typographic[] = {
    {"\xE2\x88\x92", 3, '-'}, {"\xC2\xA0", 2, ' '},     {"\xE2\x80\xAF", 3, ' '},
    {"\xE2\x80\x89", 3, ' '}, {"\xE2\x80\x87", 3, ' '}, {"\xE2\x80\x99", 3, '\''},
};

enum { LONGEST_NUMBER = 400 };

/* A number in plain ASCII, without blanks around it, into plain; its length, 0: it is too long. */
static size_t plain_number(const char *text, size_t n, char plain[LONGEST_NUMBER])
{
    size_t used = 0;
    for (size_t i = 0; i < n;) {
        if (used == LONGEST_NUMBER) return 0;
        size_t length = 1;
        char c = text[i];
        for (size_t k = 0; k < sizeof typographic / sizeof typographic[0] && (uint8_t)c >= 0x80;
             k++)
            if (n - i >= typographic[k].n &&
                memcmp(text + i, typographic[k].text, typographic[k].n) == 0) {
                c = typographic[k].means;
                length = typographic[k].n;
            }
        i += length;
        if (used > 0 || c != ' ') plain[used++] = c;
    }
    while (used > 0 && plain[used - 1] == ' ') used--;
    if (used > 2 && plain[0] == '\'' && plain[used - 1] == '\'') { /* quotes of some spreadsheets */
        used -= 2;
        memmove(plain, plain + 1, used);
    }
    return used;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The signs between the runs of digits of a number, and how long the runs are. */
enum { MOST_RUNS = 10 };
struct runs {
    size_t n;
    size_t lengths[MOST_RUNS];
    char signs[MOST_RUNS]; /* (n - 1): '.', ',', ' ' or '\'' */
    bool starts_with_zero, has_exponent;
};

/* False: it is no number at all. */
static bool find_runs(const char *text, size_t n, struct runs *runs)
{
    const char *p = text, *const end = text + n;
    *runs = (struct runs){.n = 1};
    p += p < end && (*p == '-' || *p == '+');
    runs->starts_with_zero = p < end && *p == '0';
    size_t n_digits = 0;
    for (; p < end; p++) {
        if (is_digit(*p)) {
            runs->lengths[runs->n - 1]++;
            n_digits++;
        } else if (strchr(".,' ", *p) && *p) {
            if (runs->n == MOST_RUNS) return false;
            runs->signs[runs->n++ - 1] = *p;
        } else {
            break;
        }
    }
    if (n_digits == 0) return false;
    if (p == end) return true;
    runs->has_exponent = *p == 'e' || *p == 'E';
    p += 1;
    if (p < end && (*p == '-' || *p == '+')) p++;
    if (!runs->has_exponent || p == end) return false;
    while (p < end && is_digit(*p)) p++;
    return p == end;
}

/* Whether the first n runs are groups of digits: one to three, then three each (or two, as in
 * 12,34,567, but for the last). */
static bool are_groups(const struct runs *runs, size_t n)
{
    if (n < 2 || runs->lengths[0] < 1 || runs->lengths[0] > 3 || runs->starts_with_zero)
        return false;
    for (size_t i = 1; i < n; i++)
        if (runs->lengths[i] != 3 && (runs->lengths[i] != 2 || i + 1 == n)) return false;
    return true;
}

bool gi_csv_number(gi_number_form form, const char *text, size_t n, double *out)
{
    const bool is_usual = form.thousands == 0 && form.decimal != ',';
    if (is_usual && gi_parse_f64(text, text + n, out)) return true;
    char plain[LONGEST_NUMBER];
    struct runs runs;
    n = plain_number(text, n, plain);
    if (n == 0 || !find_runs(plain, n, &runs)) return false;
    const char decimal = form.decimal ? form.decimal : '.';
    size_t n_whole = runs.n; /* runs before the decimal sign */
    if (runs.n > 1 && runs.signs[runs.n - 2] == decimal) n_whole--;
    for (size_t i = 0; i + 1 < n_whole; i++)
        if (runs.signs[i] != form.thousands) return false;
    if (n_whole > 1 && !are_groups(&runs, n_whole)) return false;
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        if (plain[i] == decimal)
            plain[used++] = '.';
        else if (plain[i] != form.thousands || form.thousands == 0)
            plain[used++] = plain[i];
    }
    return gi_parse_f64(plain, plain + used, out);
}

void gi_csv_note_number(gi_csv_numbers *seen, const char *text, size_t n)
{
    char plain[LONGEST_NUMBER];
    struct runs runs;
    n = plain_number(text, n, plain);
    if (n == 0 || !find_runs(plain, n, &runs)) return;
    const size_t last = runs.n - 1;
    if (last == 0) {
        seen->n++;
        seen->n_whole++;
        seen->n_long += runs.lengths[0] > 3;
        return;
    }
    const char first_sign = runs.signs[0], last_sign = runs.signs[last - 1];
    const bool is_mixed = first_sign != last_sign;
    for (size_t i = 1; i + is_mixed < last; i++)
        if (runs.signs[i] != first_sign) return;
    const bool are_thousands = are_groups(&runs, last + !is_mixed) && !runs.has_exponent;
    const bool is_sign = last_sign == '.' || last_sign == ',';
    uint64_t *decimals = last_sign == ',' ? &seen->n_commas : &seen->n_points;
    if (is_mixed) {
        if (!are_groups(&runs, last) || !is_sign) return;
        (*decimals)++;
    } else if (last == 1 && is_sign) {
        if (!are_thousands) {
            if (last_sign == ',' && (runs.lengths[0] == 0 || runs.lengths[1] == 0)) return;
            (*decimals)++;
        } else if (last_sign == ',') {
            seen->n_comma_groups++;
        } else {
            seen->n_point_groups++;
        }
        seen->n++;
        return;
    } else if (!are_thousands) {
        return;
    }
    seen->n++;
    seen->n_thousands[first_sign == '.' ? 0 : first_sign == ',' ? 1 : first_sign == ' ' ? 2 : 3]++;
}
