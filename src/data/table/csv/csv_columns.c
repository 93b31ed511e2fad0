/* SPDX-License-Identifier: MIT */
/* The columns of a file of separated values: their names, and whether they are numbers or texts. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "data/table/csv/csv_head.h"

enum {
    NEAR_COLUMNS = 4096, /* among which a name like a missing one is looked for */
    NEAR_LENGTH = 63,
    FEW_WORDS = 3,    /* that are foreign in a column of numbers */
    MANY_NUMBERS = 20 /* from which on it is hardly one of codes */
};

/* "column 7", or "7" */
static const char *number_in(const char *name)
{
    return strncmp(name, "column ", 7) == 0 ? name + 7 : name;
}

/* ---- Names ---------------------------------------------------------------------------------- */

/* Steps from a name to another: letters put in, left out or replaced. */
static size_t distance(const char *a, const char *b)
{
    const size_t n = strlen(b);
    size_t row[NEAR_LENGTH + 1];
    if (n > NEAR_LENGTH) return SIZE_MAX;
    for (size_t j = 0; j <= n; j++) row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t before = row[0]; /* of the row above, to the left */
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            const size_t above = row[j + 1];
            const size_t same = before + (a[i] != b[j]);
            const size_t step = (above < row[j] ? above : row[j]) + 1;
            row[j + 1] = same < step ? same : step;
            before = above;
        }
    }
    return row[n];
}

static glia_status fail_missing(const gi_csv_form *form, const char *name, glia_error *error)
{
    char shown[GI_TEXT_SHOWN], list[400] = "", hint[2 * GI_TEXT_SHOWN] = "";
    size_t used = 0, nearest = strlen(name) <= NEAR_LENGTH ? strlen(name) / 3 + 1 : 0;
    for (size_t c = 0; c < form->n_columns && used < sizeof list - GI_TEXT_SHOWN - 32; c++) {
        gi_text_show(form->columns[c].name, strlen(form->columns[c].name), shown);
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", c ? ", " : "", shown);
        if (c + 1 < form->n_columns && used >= sizeof list - GI_TEXT_SHOWN - 32)
            snprintf(list + used, sizeof list - used, " and %zu more", form->n_columns - c - 1);
    }
    for (size_t c = 0; c < form->n_columns && c < NEAR_COLUMNS; c++) {
        const size_t steps = distance(name, form->columns[c].name);
        if (steps >= nearest) continue;
        nearest = steps;
        gi_text_show(form->columns[c].name, strlen(form->columns[c].name), shown);
        snprintf(hint, sizeof hint, "; did you mean %s?", shown);
    }
    gi_text_show(name, strlen(name), shown);
    return gi_fail(error, GLIA_BAD_FORMAT, "%s: found no %s%s, expected one; there are %s%s",
                   form->path, gi_column_word(shown), shown, list, hint);
}

static glia_status name_column(gi_csv_form *form, size_t c, glia_error *error)
{
    form->columns[c].name = gi_format(error, "column %zu", c + 1);
    return form->columns[c].name ? GLIA_OK : GLIA_NO_MEMORY;
}

/* The names, from the first row or made. */
static glia_status make_names(gi_csv_form *form, gi_csv_evidence *evidence, uint64_t line,
                              glia_error *error)
{
    for (size_t c = 0; c < form->n_columns; c++) {
        gi_csv_guess *guess = &evidence->guesses[c];
        if (!(form->has_header || form->is_named) || guess->n == 0) {
            const glia_status status = name_column(form, c, error);
            if (status) return status;
            continue;
        }
        const char *bad = gi_text_find_bad_byte(guess->first, guess->n);
        char shown[GI_TEXT_SHOWN];
        gi_text_show(guess->first, guess->n, shown);
        if (bad)
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s, line %" PRIu64
                           ": found %s in the name of column %zu (\"%s\"), expected UTF-8; convert "
                           "the file (iconv -f LATIN1 -t UTF-8, if it is Latin-1)",
                           form->path, line, *bad ? "bytes that are no UTF-8" : "a zero byte",
                           c + 1, shown);
        if (guess->n > GI_MAX_TEXT_BYTES)
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s, line %" PRIu64 ": found a name of %zu bytes for column %zu "
                           "(\"%s\"), expected at most %d; is the first line a header, and are "
                           "cells separated by commas, semicolons, tabs, bars or blanks?",
                           form->path, line, guess->n, c + 1, shown, (int)GI_MAX_TEXT_BYTES);
        form->columns[c].name = guess->first;
        guess->first = NULL;
    }
    return GLIA_OK;
}

/* The columns while they are made. */
struct making {
    gi_csv_form *form;
    const gi_table_params *params;
    gi_csv_evidence *evidence;
    uint64_t line;         /* of the first row */
    gi_texts names;        /* the different ones, */
    size_t *first_of_name; /* (n): and the first column of each */
    bool *has_name;        /* (n) */
    bool *is_known;        /* (n): its kind was asked for, */
    bool *is_wanted;       /* (n): by its name */
};

static glia_status index_names(struct making *m, glia_error *error)
{
    for (size_t c = 0; c < m->form->n_columns; c++) {
        const char *name = m->form->columns[c].name;
        const size_t before = m->names.n;
        size_t code;
        const glia_status status = gi_texts_add(&m->names, name, strlen(name), &code, error);
        if (status) return status;
        if (m->names.n > before) m->first_of_name[code] = c;
    }
    return GLIA_OK;
}

/* The column of a name, else of a number; SIZE_MAX: none. */
static size_t find_column(const struct making *m, const char *name, bool *is_name)
{
    const size_t code = gi_texts_find(&m->names, name, strlen(name));
    uint64_t number = 0;
    *is_name = code != SIZE_MAX;
    if (*is_name) return m->first_of_name[code];
    if (gi_parse_u64(number_in(name), &number) && number >= 1 && number <= m->form->n_columns)
        return (size_t)number - 1;
    return SIZE_MAX;
}

/* Whether all texts of a column are true and false, or 0 and 1. */
static bool has_booleans(const gi_csv_guess *guess)
{
    bool all = guess->texts.n > 0 && guess->n_others == 0;
    for (size_t t = 0; t < guess->texts.n; t++)
        all = all && gi_parse_boolean(guess->texts.text[t],
                                      guess->texts.text[t] + guess->texts.lengths[t]) >= 0;
    return all && (guess->n_numbers == 0 || (guess->min >= 0 && guess->max <= 1));
}

/*
 * The column of the first names of a list, which was cut at commas that a name can have itself: of
 * the fewest names that make one. Returns how many they are, 0: there is no such column.
 */
static size_t find_cut(const struct making *m, const char *const *names, size_t n, size_t *column,
                       bool *is_name)
{
    char name[GI_MAX_TEXT_BYTES + 1];
    size_t used = 0;
    for (size_t k = 0; k < n; k++) {
        const size_t length = strlen(names[k]);
        if (used + length + 1 > sizeof name - 1) return 0;
        if (k > 0) name[used++] = ',';
        memcpy(name + used, names[k], length + 1);
        used += length;
        *column = find_column(m, name, is_name);
        if (*column != SIZE_MAX && (k == 0 || *is_name)) return k + 1;
    }
    return 0;
}

/* The same of what is known, whose names are one list as long as its kind is the same. */
static size_t find_cut_known(const struct making *m, size_t i, size_t *column, bool *is_name)
{
    enum { MOST = 8 }; /* names that one is cut into */
    const gi_known_column *known = m->params->known + i;
    const char *names[MOST];
    size_t n = 0;
    while (n < MOST && i + n < m->params->n_known && known[n].kind == known[0].kind) {
        names[n] = known[n].name;
        n++;
    }
    return find_cut(m, names, m->params->ignores_unknown ? 1 : n, column, is_name);
}

/* A target of true and false becomes one of numbers: labels. */
static void take_booleans(struct making *m, size_t c)
{
    gi_csv_form *form = m->form;
    if (m->is_known[c] || form->columns[c].kind != GI_CELL_TEXT) return;
    form->takes_booleans[c] = has_booleans(&m->evidence->guesses[c]);
    if (form->takes_booleans[c]) form->columns[c].kind = GI_CELL_NUMBER;
}

/*
 * Whole numbers with zeros in front that do not fill them up to one length: 0123 beside 123 names
 * another thing. 00 to 59, or 007 to 120, may be amounts.
 */
static bool are_padded_codes(const gi_csv_guess *guess)
{
    enum { LEAST = 2, ONE_IN = 50 };
    return guess->n_padded >= LEAST && guess->n_padded * ONE_IN >= guess->n_numbers &&
           guess->n_others == 0 && guess->seen.n_whole == guess->n_numbers && guess->min >= 0 &&
           guess->shortest < guess->longest_padded;
}

/* A target of values is one of numbers, whatever zeros stand in front. */
static void take_values(struct making *m, size_t c)
{
    if (!m->is_known[c] && are_padded_codes(&m->evidence->guesses[c]))
        m->form->columns[c].kind = GI_CELL_NUMBER;
}

/* The column that is the target where none is named: the last one that has no other purpose. */
static size_t find_default_target(const struct making *m)
{
    bool is_name;
    const size_t group = m->params->group ? find_column(m, m->params->group, &is_name) : SIZE_MAX;
    size_t c = m->form->n_columns;
    while (c-- > 0)
        if (m->has_name[c] && !m->is_known[c] && c != group) break;
    return c;
}

/* What is asked of columns by name, or by number. */
static glia_status apply_known(struct making *m, glia_error *error)
{
    gi_csv_form *form = m->form;
    bool is_name;
    size_t c, n;
    for (size_t i = 0; i < m->params->n_known; i += n) {
        const gi_known_column *known = &m->params->known[i];
        n = find_cut_known(m, i, &c, &is_name);
        if (n == 0 && !known->may_be_absent) return fail_missing(form, known->name, error);
        if (n == 0) {
            n = 1;
            continue;
        }
        m->is_wanted[c] |= is_name;
        m->is_known[c] = true;
        m->has_name[c] = true; /* its number will do */
        form->columns[c].kind = known->kind;
        form->columns[c].form = known->form;
        form->must_be_text[c] = known->kind == GI_CELL_TEXT;
        form->takes_booleans[c] = m->params->ignores_unknown;
    }
    for (size_t i = 0; i < m->params->n_targets; i += n) {
        n = find_cut(m, m->params->targets + i, m->params->n_targets - i, &c, &is_name);
        if (n == 0) break; /* it is missed when all is read */
        m->has_name[c] = true;
        if (n < m->params->n_targets || m->params->targets_are_labels) take_booleans(m, c);
        if (m->params->targets_are_values) take_values(m, c);
    }
    c = m->params->n_targets == 0 ? find_default_target(m) : SIZE_MAX;
    if (c != SIZE_MAX && m->params->targets_are_labels) take_booleans(m, c);
    if (c != SIZE_MAX && m->params->targets_are_values) take_values(m, c);
    return GLIA_OK;
}

/* ---- Kinds ---------------------------------------------------------------------------------- */

/* How many cells are there, and how many of them are numbers. */
static size_t count_numbers(const gi_csv_guess *guess, size_t *n_numbers)
{
    *n_numbers = guess->n_numbers + guess->n_others;
    return guess->n_present;
}

/* Nine in ten, words for missing numbers aside; a column without any value may be of numbers. */
static bool is_mostly_numbers(const gi_csv_guess *guess)
{
    size_t n, n_present = count_numbers(guess, &n);
    return 10 * n >= 9 * (n_present - guess->n_soft) && (guess->n_soft == 0 || 4 * n >= n_present);
}

/* Whether texts are what is seldom in it, and only a few words: it is of numbers, and they are to
 * be corrected, or to be said to be missing. */
static bool has_foreign_words(const gi_csv_guess *guess)
{
    size_t n, n_present = count_numbers(guess, &n), n_words = 0;
    const bool varies =
        guess->seen.n_points + guess->seen.n_commas > 0 || guess->max - guess->min > MANY_NUMBERS;
    if (2 * n < n_present || n < MANY_NUMBERS || !varies) return false;
    for (size_t t = 0; t < guess->texts.n; t++) {
        if (strpbrk(guess->texts.text[t], "0123456789")) return false;
        n_words++;
    }
    return n_words <= FEW_WORDS;
}

/* Whether some of the first texts, which are numbers, are one double, though they differ. */
static bool are_merged(const gi_texts *texts)
{
    enum { LOOKED_AT = 64 };
    double values[LOOKED_AT];
    const size_t n = texts->n < LOOKED_AT ? texts->n : LOOKED_AT;
    for (size_t t = 0; t < n; t++) {
        if (!gi_parse_f64(texts->text[t], texts->text[t] + texts->lengths[t], &values[t]))
            return false;
        for (size_t before = 0; before < t; before++)
            if (values[before] == values[t]) return true;
    }
    return false;
}

/* Whole numbers that a double does not tell apart, or that come again: they name things. */
static bool are_long_codes(const gi_csv_form *form, const gi_table_params *params,
                           const gi_csv_guess *guess, size_t c)
{
    if (guess->n_wide == 0 || guess->seen.n_points + guess->seen.n_commas > 0) return false;
    const char *name = form->columns[c].name;
    bool is_asked = params->group && strcmp(params->group, name) == 0;
    for (size_t i = 0; i < params->n_targets && params->n_targets == 1; i++)
        is_asked |= strcmp(params->targets[i], name) == 0;
    size_t n_counted = 0;
    for (size_t t = 0; t < guess->texts.n; t++) n_counted += guess->n_each[t];
    return is_asked || 2 * guess->texts.n <= n_counted || are_merged(&guess->texts);
}

static void find_kinds(struct making *m)
{
    gi_csv_form *form = m->form;
    for (size_t c = 0; c < form->n_columns; c++) {
        const gi_csv_guess *guess = &m->evidence->guesses[c];
        const bool is_number = is_mostly_numbers(guess) || has_foreign_words(guess);
        form->columns[c].kind =
            m->params->ignores_unknown ? GI_CELL_IGNORED
            : is_number && !are_long_codes(form, m->params, guess, c) && !are_padded_codes(guess)
                ? GI_CELL_NUMBER
                : GI_CELL_TEXT;
    }
}

/* Of a column of numbers whose zeros in front are lost: those of two digits are hardly codes. */
static void say_zeros(gi_csv_form *form, const gi_csv_guess *guess, size_t c)
{
    char option[GI_OPTION_NAMES], name[GI_TEXT_SHOWN];
    if (guess->longest_padded < 3 || guess->seen.n_whole < guess->n_numbers) return;
    gi_text_show(form->columns[c].name, strlen(form->columns[c].name), name);
    gi_csv_say(
        form,
        "; %s has numbers with zeros in front, which do not count: table.categorical %s reads "
        "them as texts",
        name, gi_table_option(form->columns, &c, 1, option));
}

/* Says which columns of numbers, for the most part, are read as texts. */
static void say_kinds(struct making *m)
{
    gi_csv_form *form = m->form;
    for (size_t c = 0; c < form->n_columns; c++) {
        const gi_csv_guess *guess = &m->evidence->guesses[c];
        size_t n, n_present = count_numbers(guess, &n);
        if (m->is_known[c] || n_present == 0 || 2 * n < n_present) continue;
        if (form->columns[c].kind == GI_CELL_NUMBER) say_zeros(form, guess, c);
        if (form->columns[c].kind != GI_CELL_TEXT) continue;
        char name[GI_TEXT_SHOWN], word[GI_TEXT_SHOWN];
        gi_text_show(form->columns[c].name, strlen(form->columns[c].name), name);
        if (is_mostly_numbers(guess)) {
            gi_csv_say(form, "; %s has whole numbers %s and is read as texts", name,
                       are_padded_codes(guess) ? "with zeros in front that others lack"
                                               : "of more than 15 digits");
            continue;
        }
        gi_text_show(guess->texts.n ? guess->texts.text[0] : "",
                     guess->texts.n ? guess->texts.lengths[0] : 0, word);
        gi_csv_say(form,
                   "; %s is read as categories, though %.0f %% of its cells are numbers; "
                   "table.missing takes words such as %s for missing numbers",
                   name, 100 * (double)n / (double)n_present, word);
    }
}

/* ---- Columns without names, and of one name ------------------------------------------------- */

/* Row numbers of a data frame, or row names: all different. */
static bool names_rows(const gi_csv_guess *guess)
{
    const size_t n_counted = guess->texts.n;
    size_t n_all = 0;
    for (size_t t = 0; t < guess->texts.n; t++) n_all += guess->n_each[t];
    return guess->n_present > 0 && (guess->counts_up || (n_all > 0 && n_counted == n_all));
}

enum { ADVICE = 64 };

/* A network's columns are fixed: only training can leave one out. */
static void advise_drop(const gi_csv_form *form, size_t c, char advice[ADVICE])
{
    advice[0] = '\0';
    if (!form->is_for_network)
        snprintf(advice, ADVICE, ", or leave it out with table.drop %zu", c + 1);
}

/* A column that the header has no name for is left out if it names rows, or is empty. */
static glia_status check_nameless(struct making *m, size_t c, glia_error *error)
{
    gi_csv_form *form = m->form;
    const gi_csv_guess *guess = &m->evidence->guesses[c];
    const bool is_empty = guess->n_present == 0 && m->evidence->n_rows > 0;
    if (m->has_name[c] || form->columns[c].kind == GI_CELL_IGNORED) return GLIA_OK;
    if (is_empty || (c == 0 && names_rows(guess))) {
        form->columns[c].kind = GI_CELL_IGNORED;
        gi_csv_say(form,
                   is_empty ? "; column %zu has neither a name nor a value and is left out"
                            : "; column %zu has no name, names the rows and is left out",
                   c + 1);
        return GLIA_OK;
    }
    char drop[ADVICE];
    advise_drop(form, c, drop);
    return gi_fail(error, GLIA_BAD_FORMAT,
                   "%s, line %" PRIu64 ": found no name for column %zu, expected one (row numbers "
                   "of a data frame?); name it%s",
                   form->path, m->line, c + 1, drop);
}

/* Of two columns of one name, one that is left out anyway loses it. */
static glia_status check_twice(struct making *m, size_t c, glia_error *error)
{
    gi_csv_form *form = m->form;
    const char *name = form->columns[c].name;
    const size_t code = gi_texts_find(&m->names, name, strlen(name));
    const size_t first = m->first_of_name[code];
    if (first == c) return GLIA_OK;
    const bool drops_this = form->columns[c].kind == GI_CELL_IGNORED && !m->is_wanted[first];
    const bool drops_first = form->columns[first].kind == GI_CELL_IGNORED && !m->is_wanted[first];
    if (!drops_this && !drops_first) {
        char shown[GI_TEXT_SHOWN], drop[ADVICE];
        gi_text_show(name, strlen(name), shown);
        advise_drop(form, c, drop);
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s, line %" PRIu64 ": found two columns of the name %s (%zu and %zu), "
                       "expected different names; rename one%s",
                       form->path, m->line, shown, first + 1, c + 1, drop);
    }
    const size_t dropped = drops_this ? c : first;
    if (!drops_this) m->first_of_name[code] = c;
    gi_free(form->columns[dropped].name);
    form->columns[dropped].name = NULL;
    return name_column(form, dropped, error);
}

/* ---- The whole ------------------------------------------------------------------------------ */

static glia_status begin(struct making *m, glia_error *error)
{
    gi_csv_form *form = m->form;
    const size_t n = form->n_columns;
    m->first_of_name = gi_alloc(n, sizeof *m->first_of_name, "columns", error);
    m->has_name = gi_alloc(n, sizeof *m->has_name, "columns", error);
    m->is_known = gi_alloc(n, sizeof *m->is_known, "columns", error);
    m->is_wanted = gi_alloc(n, sizeof *m->is_wanted, "columns", error);
    form->columns = gi_alloc(n, sizeof *form->columns, "columns", error);
    form->kinds = gi_alloc(n, sizeof *form->kinds, "columns", error);
    form->must_be_text = gi_alloc(n, sizeof *form->must_be_text, "columns", error);
    form->takes_booleans = gi_alloc(n, sizeof *form->takes_booleans, "columns", error);
    return m->first_of_name && m->has_name && m->is_known && m->is_wanted && form->columns &&
                   form->kinds && form->must_be_text && form->takes_booleans
               ? GLIA_OK
               : GLIA_NO_MEMORY;
}

/* How the cells of a column are parsed. */
static uint8_t kind_of_parsing(const gi_column *column)
{
    if (column->kind == GI_CELL_IGNORED) return GI_CSV_DROPPED;
    if (column->kind == GI_CELL_TEXT) return GI_CSV_TEXT;
    return column->form.decimal == ',' || column->form.thousands ? GI_CSV_FORMED : GI_CSV_NUMBER;
}

glia_status gi_csv_make_columns(gi_csv_form *form, const gi_table_params *params,
                                gi_csv_evidence *evidence, uint64_t line, glia_error *error)
{
    struct making m = {.form = form, .params = params, .evidence = evidence, .line = line};
    const size_t n = form->n_columns;
    glia_status status = begin(&m, error);
    for (size_t c = 0; c < n && !status; c++)
        m.has_name[c] = !form->has_header || evidence->guesses[c].n > 0;
    if (!status) status = make_names(form, evidence, line, error);
    if (!status) find_kinds(&m);
    if (!status) status = index_names(&m, error);
    if (!status) status = apply_known(&m, error);
    for (size_t c = 0; c < n && !status; c++) {
        status = check_nameless(&m, c, error);
        if (!status) status = check_twice(&m, c, error);
    }
    if (!status) status = gi_csv_find_number_forms(form, params, evidence, error);
    for (size_t c = 0; c < n && !status; c++) form->kinds[c] = kind_of_parsing(&form->columns[c]);
    if (!status) say_kinds(&m);
    gi_texts_free(&m.names);
    gi_free(m.first_of_name);
    gi_free(m.has_name);
    gi_free(m.is_known);
    gi_free(m.is_wanted);
    return status;
}
