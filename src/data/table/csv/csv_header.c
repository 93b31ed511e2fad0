/* SPDX-License-Identifier: MIT */
/*
 * Whether the first row of a table has the names of the columns. Each column speaks for or against
 * it by about the logarithm of how much likelier its first cell is as a name than as a value like
 * those below, and the sum decides.
 */
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "data/table/csv/csv_head.h"

static const double sure = 3; /* a sum beyond it, either way */

/* ---- What is known -------------------------------------------------------------------------- */

/* "column 7", or "7" */
static const char *number_in(const char *name)
{
    return strncmp(name, "column ", 7) == 0 ? name + 7 : name;
}

/* Whether it is a column's number, or the name that a column without one gets. */
static bool is_number_of_column(const char *name, size_t n_columns)
{
    uint64_t number;
    return gi_parse_u64(number_in(name), &number) && number >= 1 && number <= n_columns;
}

static bool is_in(const gi_texts *first, const char *name)
{
    return gi_texts_find(first, name, strlen(name)) != SIZE_MAX;
}

/* Whether columns that are known or asked for are there by their names, of which the first row has
 * these: 1; -1: they are columns without names; 0: neither. */
static int find_known(const gi_table_params *params, const gi_texts *first, size_t n_columns)
{
    size_t n_numbers = 0, n_found = 0;
    for (size_t i = 0; i < params->n_known; i++) {
        const char *name = params->known[i].name;
        const bool is_number = is_number_of_column(name, n_columns), is_there = is_in(first, name);
        if (!is_number && is_there) return 1;
        n_numbers += is_number;
        n_found += is_number && is_there;
    }
    for (size_t i = 0; i < params->n_targets; i++)
        if (!is_number_of_column(params->targets[i], n_columns) && is_in(first, params->targets[i]))
            return 1;
    if (params->group && !is_number_of_column(params->group, n_columns) &&
        is_in(first, params->group))
        return 1;
    if (!params->ignores_unknown || params->n_known == 0 || n_numbers < params->n_known) return 0;
    /* Names such as 1, 2, 3, of a file whose header has them, or the numbers of columns. */
    return n_found == params->n_known ? 1 : -1;
}

/* ---- A column's evidence -------------------------------------------------------------------- */

static bool is_number(const gi_csv_guess *guess, double *value)
{
    return gi_parse_f64(guess->first, guess->first + guess->n, value);
}

/* A number with another decimal sign, or with signs between thousands; what reads as one of these.
 */
static bool is_number_otherwise(const gi_csv_guess *guess, double *value)
{
    enum { LONGEST = 64 };
    gi_csv_numbers seen = {0};
    char plain[LONGEST];
    size_t n = 0;
    gi_csv_note_number(&seen, guess->first, guess->n);
    if (seen.n == 0 || guess->n > LONGEST) return false;
    const char decimal = seen.n_commas ? ',' : seen.n_points ? '.' : '\0';
    for (size_t i = 0; i < guess->n; i++) {
        const char c = guess->first[i];
        const bool is_digit = (c >= '0' && c <= '9') || c == '-';
        if (is_digit || c == decimal) plain[n++] = is_digit ? c : '.';
    }
    return gi_parse_f64(plain, plain + n, value);
}

static bool is_of_numbers(const gi_csv_guess *guess)
{
    return guess->n_present > 0 &&
           10 * (guess->n_numbers + guess->n_others) >= 9 * (guess->n_present - guess->n_soft);
}

/* A first cell that is empty, or a word for what is missing. */
static double weigh_missing(const gi_csv_guess *guess)
{
    if (guess->n > 0) return -2;                            /* no name is NA */
    if (guess->counts_up && guess->n_present > 1) return 4; /* row numbers of a data frame */
    return guess->n_present > 0 ? -0.5 : 0;
}

/* A text: above numbers, or above texts among which it is new. */
static double weigh_text(const gi_csv_guess *guess, size_t n_rows)
{
    if (guess->n_present == 0) return 0;
    const double n = (double)n_rows;
    if (is_of_numbers(guess)) return fmin(4 + log(n + 1), 9);
    if (guess->first_recurs) return -4;
    /* How likely a value is new among the others: as often as they have come up once (Good 1953).
     */
    size_t n_once = 0, n_texts = 0;
    for (size_t t = 0; t < guess->texts.n; t++) {
        n_once += guess->n_each[t] == 1;
        n_texts += guess->n_each[t];
    }
    return fmin(log(((double)n_texts + 1) / ((double)n_once + 1)), 6);
}

/* A number above numbers: whether it is like them. */
static double weigh_number(const gi_csv_guess *guess, double value)
{
    if (guess->n_present == 0) return 0;
    if (!is_of_numbers(guess)) /* above texts: as a value it would be one of few numbers */
        return guess->n_numbers ? 0 : fmin(log((double)guess->n_present + 1), 3);
    const double n = (double)guess->n_numbers, spread = guess->max - guess->min;
    if (guess->n_numbers == 0) return -1.5; /* all are of other forms, as the first is */
    const bool is_whole = !memchr(guess->first, '.', guess->n);
    const double n_whole = (double)guess->seen.n_whole;
    double weight = is_whole ? fmin(log((n + 2) / (n_whole + 1)), 4) - 0.7 : -1.5;
    if (value >= guess->min && value <= guess->max)
        weight -= 1;
    else if (n >= 5 && (value > guess->max + spread || value < guess->min - spread))
        weight += fmin(log((n + 1) / 2), 3);
    return weight;
}

int gi_csv_order(const double *x, size_t n)
{
    bool up = true, down = true, even = n >= 3;
    for (size_t i = 1; i < n; i++) {
        up = up && x[i] > x[i - 1];
        down = down && x[i] < x[i - 1];
        if (i > 1)
            even = even && fabs((x[i] - x[i - 1]) - (x[1] - x[0])) <= 1e-6 * fabs(x[1] - x[0]);
    }
    return even && (up || down) ? 2 : n >= 3 && (up || down) ? 1 : 0;
}

/* Numbers in the first row in equal steps, or that ascend, where rows below are seldom so. */
static double weigh_order(const gi_csv_evidence *evidence, const double *x, size_t n)
{
    const int order = gi_csv_order(x, n);
    const double n_so = (double)(order == 2 ? evidence->n_even : evidence->n_ascending);
    if (order == 0 || 10 * n_so > (double)evidence->n_judged) return 0;
    /* each step but the first could have been another one; n things have n! orders, two of them so
     */
    return fmin(order == 2 ? 2.5 * (double)(n - 2) + 1 : lgamma((double)n + 1) - log(2), 12);
}

/* Years above what is none. */
static bool are_years(const gi_csv_evidence *evidence)
{
    size_t n_years = 0;
    for (size_t c = 0; c < evidence->n; c++) {
        const gi_csv_guess *guess = &evidence->guesses[c];
        double value;
        if (!is_number(guess, &value)) continue;
        n_years++;
        if (guess->n != 4 || value < 1800 || value > 2200) return false;
        if (guess->n_numbers > 0 && guess->max >= 1800 && guess->min <= 2200) return false;
    }
    return n_years > 1;
}

/* ---- The sum -------------------------------------------------------------------------------- */

/* What the cells of the first row say. */
static double weigh(const gi_table_params *params, const gi_csv_evidence *evidence,
                    size_t *n_numbers)
{
    enum { MOST_IN_ORDER = 64 };
    double sum = 0, above = 0, numbers[MOST_IN_ORDER];
    *n_numbers = 0;
    for (size_t c = 0; c < evidence->n; c++) {
        const gi_csv_guess *guess = &evidence->guesses[c];
        double value;
        if (gi_csv_missing(&params->missing, guess->first, guess->n, NULL) == GI_CSV_MISSING) {
            sum += weigh_missing(guess);
        } else if (is_number(guess, &value) || is_number_otherwise(guess, &value)) {
            above += weigh_number(guess, value);
            if (*n_numbers < MOST_IN_ORDER) numbers[*n_numbers] = value;
            ++*n_numbers;
        } else {
            sum += weigh_text(guess, evidence->n_rows);
        }
    }
    if (*n_numbers == 0) return sum;
    /* names are seldom numbers; where they are, they are in order, and can lie among the values */
    const size_t n = *n_numbers < MOST_IN_ORDER ? *n_numbers : MOST_IN_ORDER;
    const double order = weigh_order(evidence, numbers, n);
    const bool is_even = order > 0 && gi_csv_order(numbers, n) == 2;
    const double least = is_even ? -2 : order > 0 ? -6 : -20;
    return sum + fmax(above, least) + order - 3 + (are_years(evidence) ? 4 : 0);
}

glia_status gi_csv_find_header(const gi_table_params *params, const gi_csv_evidence *evidence,
                               bool *out, bool *is_sure, glia_error *error)
{
    gi_texts names = {0};
    size_t n_named = 0, code;
    glia_status status = GLIA_OK;
    *is_sure = true;
    *out = params->header > 0;
    if (params->header >= 0) return GLIA_OK;
    for (size_t c = 0; c < evidence->n && !status; c++) {
        const gi_csv_guess *guess = &evidence->guesses[c];
        if (guess->n == 0) continue;
        status = gi_texts_add(&names, guess->first, guess->n, &code, error);
        n_named++;
    }
    const int known = status ? 0 : find_known(params, &names, evidence->n);
    const bool has_twice = names.n < n_named;
    gi_texts_free(&names);
    *out = known > 0;
    if (status || known != 0) return status;
    size_t n_numbers;
    const double sum = weigh(params, evidence, &n_numbers) - (has_twice ? 4 : 0);
    *out = n_numbers == 0;
    if (evidence->n_rows == 0) return GLIA_OK;
    *is_sure = sum > sure || sum < -sure;
    /* where nothing speaks either way, a table of texts alone has names */
    *out = sum > 0 || (n_numbers == 0 && sum > -0.5);
    return GLIA_OK;
}
