/* SPDX-License-Identifier: MIT */
/*
 * What a file of separated values is, by its head: lines above the table, its separator, whether
 * its first line is a header, which columns are of numbers.
 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "data/files/arff.h"
#include "data/table/csv/csv_head.h"

enum {
    KIND_ROWS = 10000,  /* that tell the kinds of columns, */
    TEXT_ROWS = 1000,   /* which texts come again, */
    ORDER_ROWS = 200,   /* and whether numbers of a row are in order, */
    ORDER_NUMBERS = 64, /* so many of them */
    PLAIN_DIGITS = 15   /* that a double holds */
};

void gi_csv_say(gi_csv_form *form, const char *format, ...)
{
    static const char more[] = "; ...";
    const size_t used = strlen(form->how), room = sizeof form->how - sizeof more;
    if (used >= room) return;
    va_list arguments;
    va_start(arguments, format);
    const int n = vsnprintf(form->how + used, room - used, format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= room - used) /* half a remark says nothing */
        memcpy(form->how + used, more, sizeof more);
}

/* ---- Lines above the table ------------------------------------------------------------------ */

/* What stands above the first row. */
struct above {
    const char *comment, *comment_end; /* the last line of comment, without its sign; or NULL */
    char separator;                    /* "sep=;" says it; or 0 */
};

static const char *line_end_of(const gi_csv_rows *rows, const char *p)
{
    const char *end = memchr(p, rows->dialect->line_end, (size_t)(rows->end - p));
    return end ? end : rows->end;
}

/* Past a line and its end. */
static void pass_line(gi_csv_rows *rows, const char *line_end)
{
    rows->p = line_end < rows->end ? line_end + 1 : line_end;
    rows->line += line_end < rows->end;
}

/* "sep=;", which spreadsheets write and read. */
static void read_separator(gi_csv_rows *rows, struct above *above)
{
    const char *p = rows->p, *const line_end = line_end_of(rows, p);
    const char *end = line_end;
    while (end > p && (end[-1] == '\r' || end[-1] == '"')) end--;
    p += p < end && *p == '"';
    if (end - p != 5 || (memcmp(p, "sep=", 4) != 0 && memcmp(p, "SEP=", 4) != 0)) return;
    if (!strchr(",;\t| ", p[4])) return;
    above->separator = p[4];
    pass_line(rows, line_end);
}

/*
 * Lines that begin with # or % are comments, where others follow. False: the head ends before
 * that, and more is to be read.
 */
static bool read_comments(gi_csv_rows *rows, struct above *above)
{
    gi_csv_rows at = *rows;
    const char *comment = NULL, *comment_end = NULL;
    while (at.p < at.end) {
        const char *first = at.p, *const line_end = line_end_of(rows, at.p);
        const bool is_blank = gi_csv_is_blank_row(rows->dialect, &first, line_end);
        if (!is_blank && *first != '#' && *first != '%') break;
        if (!is_blank) {
            for (comment = first; comment < line_end && strchr("#% \t", *comment); comment++)
                continue;
            comment_end = line_end;
        }
        pass_line(&at, line_end);
    }
    if (!comment) return true;
    if (at.p == at.end) return rows->is_whole;
    above->comment = comment;
    above->comment_end = comment_end;
    *rows = at;
    return true;
}

/* ---- Evidence ------------------------------------------------------------------------------- */

void gi_csv_evidence_free(gi_csv_evidence *evidence)
{
    for (size_t c = 0; evidence->guesses && c < evidence->n; c++) {
        gi_free(evidence->guesses[c].first);
        gi_texts_free(&evidence->guesses[c].texts);
        gi_free(evidence->guesses[c].n_each);
    }
    gi_free(evidence->guesses);
    *evidence = (gi_csv_evidence){0};
}

/* A cell's text; scratch has room for it. */
static const char *text_of(const gi_csv_dialect *dialect, const gi_csv_cell *cell, char *scratch,
                           size_t *n)
{
    *n = (size_t)(cell->end - cell->begin);
    if (!cell->doubled) return cell->begin;
    *n = gi_csv_unquote(dialect, cell, scratch);
    return scratch;
}

/* 258E000656 is the name of something: no number has such an exponent. */
static bool is_code(const char *text, size_t n)
{
    const char *e = memchr(text, 'E', n);
    if (!e) e = memchr(text, 'e', n);
    if (!e || text + n - e < 5) return false;
    for (const char *p = e + 1; p < text + n; p++)
        if (*p < '0' || *p > '9') return false;
    return true;
}

static glia_status note_text(gi_csv_guess *guess, const char *text, size_t n, glia_error *error)
{
    const size_t before = guess->texts.n;
    size_t code;
    glia_status status = gi_texts_add(&guess->texts, text, n, &code, error);
    if (status || code == SIZE_MAX) return status;
    status = gi_table_grow((void **)&guess->n_each, &guess->n_each_room, guess->texts.n,
                           sizeof *guess->n_each, error);
    if (status) return status;
    if (guess->texts.n > before) guess->n_each[code] = 0;
    guess->n_each[code]++;
    return GLIA_OK;
}

/* Of n digits: whether zeros stand in front. */
static void note_zeros(gi_csv_guess *guess, const char *text, size_t n)
{
    const bool is_padded = n > 1 && *text == '0';
    guess->n_padded += is_padded;
    if (is_padded && n > guess->longest_padded) guess->longest_padded = n;
    if (n == 1 && *text == '0') return;
    if (guess->shortest == 0 || n < guess->shortest) guess->shortest = n;
}

static void note_number(gi_csv_guess *guess, const char *text, size_t n, double value)
{
    const char *point = memchr(text, '.', n);
    const bool was_first = guess->n_numbers == 0;
    guess->counts_up =
        (was_first || (guess->counts_up && value == guess->last + 1)) && value == floor(value);
    guess->last = value;
    if (was_first || value < guess->min) guess->min = value;
    if (was_first || value > guess->max) guess->max = value;
    guess->n_numbers++;
    const size_t n_digits = n - (*text == '-' || *text == '+');
    if (!point && !memchr(text, 'e', n) && !memchr(text, 'E', n)) {
        guess->seen.n_whole++;
        guess->seen.n_long += n_digits > 3;
        guess->n_wide += n_digits > PLAIN_DIGITS;
        if (n_digits == n) note_zeros(guess, text, n);
    } else if (point && text + n - point == 4) {
        gi_csv_note_number(&guess->seen, text, n);
    } else {
        guess->seen.n_points += point != NULL;
    }
}

/* What a cell tells of its column. */
static glia_status note_cell(gi_csv_guess *guess, const gi_missing_words *words, const char *text,
                             size_t n, bool counts_texts, glia_error *error)
{
    const enum gi_csv_missing missing = gi_csv_missing(words, text, n, NULL);
    double value;
    if (missing == GI_CSV_MISSING) return GLIA_OK;
    guess->n_present++;
    guess->n_soft += missing == GI_CSV_MISSING_NUMBER;
    const bool is_plain = gi_parse_f64(text, text + n, &value);
    if (is_plain && is_code(text, n))
        return counts_texts ? note_text(guess, text, n, error) : GLIA_OK;
    if (is_plain && !isinf(value)) {
        note_number(guess, text, n, value);
        const bool is_name = guess->n == 0 || n > PLAIN_DIGITS;
        if (!is_name) return GLIA_OK;
    } else if (!missing) {
        const uint64_t before = guess->seen.n;
        if (!is_plain) gi_csv_note_number(&guess->seen, text, n);
        if (is_plain || guess->seen.n > before || gi_csv_is_infinity(text, n)) {
            guess->n_others++;
            return GLIA_OK;
        }
    }
    return counts_texts && !missing ? note_text(guess, text, n, error) : GLIA_OK;
}

/* Takes the first row for names, of which the last ones can be absent, or the first. */
static glia_status read_first(gi_csv_form *form, const gi_csv_row *row, size_t shift,
                              gi_csv_guess *guesses, char *scratch, glia_error *error)
{
    gi_csv_cell cell;
    const char *at = row->begin;
    double value;
    for (size_t c = shift; gi_csv_cell_of_row(&form->dialect, &at, row->end, &cell); c++) {
        if (cell.fault) {
            gi_csv_problem problem = {.fault = cell.fault};
            gi_text_show(cell.at, (size_t)(row->end - cell.at), problem.shown);
            return gi_csv_report(form, &problem, row->line, error);
        }
        if (c >= form->n_columns) break;
        size_t n;
        const char *text = text_of(&form->dialect, &cell, scratch, &n);
        guesses[c].first = gi_alloc(n + 1, 1, "names of columns", error);
        if (!guesses[c].first) return GLIA_NO_MEMORY;
        memcpy(guesses[c].first, text, n);
        guesses[c].n = n;
        guesses[c].first_is_number = gi_parse_f64(text, text + n, &value);
    }
    for (size_t c = 0; c < form->n_columns; c++) {
        if (!guesses[c].first) guesses[c].first = gi_alloc(1, 1, "names of columns", error);
        if (!guesses[c].first) return GLIA_NO_MEMORY;
    }
    return GLIA_OK;
}

/* Looks at the rows after the first, up to KIND_ROWS. */
static glia_status read_others(const gi_csv_form *form, gi_csv_rows *rows,
                               gi_csv_evidence *evidence, char *scratch, glia_error *error)
{
    gi_csv_row row;
    glia_status status = GLIA_OK;
    while (evidence->n_rows < KIND_ROWS && gi_csv_next_row(rows, &row)) {
        double numbers[ORDER_NUMBERS];
        size_t n_numbers = 0;
        gi_csv_cell cell;
        const char *at = row.begin;
        const bool is_comment = *at == '#' || *at == '%';
        if (is_comment && gi_csv_count_cells(&form->dialect, at, row.end) != form->n_columns)
            continue;
        for (size_t c = 0;
             c < form->n_columns && gi_csv_cell_of_row(&form->dialect, &at, row.end, &cell); c++) {
            if (cell.fault) break;
            size_t n;
            const char *text = text_of(&form->dialect, &cell, scratch, &n);
            gi_csv_guess *guess = &evidence->guesses[c];
            status = note_cell(guess, &form->missing, text, n, evidence->n_rows < TEXT_ROWS, error);
            if (status) return status;
            guess->first_recurs |= n == guess->n && memcmp(text, guess->first, n) == 0;
            if (guess->first_is_number && n_numbers < ORDER_NUMBERS &&
                gi_parse_f64(text, text + n, &numbers[n_numbers]))
                n_numbers++;
        }
        if (evidence->n_rows++ >= ORDER_ROWS) continue;
        const int order = gi_csv_order(numbers, n_numbers);
        evidence->n_judged++;
        evidence->n_even += order == 2;
        evidence->n_ascending += order >= 1;
    }
    return GLIA_OK;
}

/* ---- The header ----------------------------------------------------------------------------- */

/* Cuts a line of comment into as many names as there are columns: cells, or words. */
static bool count_fits(const gi_csv_form *form, const struct above *above,
                       const gi_csv_dialect *dialect)
{
    const char *at = above->comment;
    size_t n = 0;
    gi_csv_cell cell;
    double value;
    while (gi_csv_cell_of_row(dialect, &at, above->comment_end, &cell)) {
        if (cell.fault || cell.begin == cell.end || gi_parse_f64(cell.begin, cell.end, &value))
            return false;
        n++;
    }
    return n == form->n_columns;
}

/* The head while it is looked at. */
struct head {
    gi_csv_rows rows; /* after the first row */
    struct above above;
    gi_csv_row first;
    size_t shift;    /* of the first row's cells: 1 where the name of the first column is absent */
    bool is_header;  /* the first row cannot be anything else: it has a cell too few */
    size_t n_passed; /* lines above it, with another number of cells, */
    size_t n_titles; /* and that fill few of the cells */
};

/*
 * The first row and the number of columns. A row with a cell too few above others is a header whose
 * first name is absent (row names of R), or whose rows end with a separator; with one too many, it
 * can itself end with one. False: more is to be read.
 */
static bool find_first_row(gi_csv_form *form, const gi_table_params *params, struct head *head)
{
    size_t first_has;
    gi_csv_rows *rows = &head->rows;
    form->n_columns = gi_csv_find_width(rows, &first_has, &head->n_passed);
    if (!gi_csv_next_row(rows, &head->first)) return false;
    if (first_has == form->n_columns)
        return gi_csv_pass_titles(params, form->n_columns, rows, &head->first, &head->n_titles);
    gi_csv_rows after = *rows;
    gi_csv_row next;
    const bool is_short = first_has < form->n_columns;
    const bool has_next = gi_csv_next_row(&after, &next);
    if (has_next && gi_csv_looks_like_header(&after, &next)) { /* and what is above it is a title */
        head->n_passed++;
        head->first = next;
        *rows = after;
        return true;
    }
    const bool is_named = gi_csv_looks_like_header(rows, &head->first);
    const char *end = head->first.end;
    while (end > head->first.begin && (end[-1] == '\n' || end[-1] == '\r')) end--;
    const bool ends_open = end > head->first.begin && end[-1] == form->dialect.separator;
    if (is_named && is_short) {
        gi_csv_cell cell = {0};
        bool has_last = false; /* whether a row's last cell holds anything */
        for (gi_csv_rows look = *rows; !has_last && gi_csv_next_row(&look, &next);) {
            const char *at = next.begin;
            while (gi_csv_cell_of_row(&form->dialect, &at, next.end, &cell)) continue;
            has_last = cell.begin < cell.end;
        }
        head->shift = has_last;
        head->is_header = true;
    } else if (!(is_named && ends_open)) {
        form->n_columns = first_has; /* the others are at fault, or it is: a message will say so */
    }
    return true;
}

static glia_status fail_no_row(gi_csv_form *form, const gi_csv_rows *rows, glia_error *error)
{
    const gi_csv_problem problem = {.fault = rows->open && rows->is_whole ? GI_CSV_OPEN_QUOTE
                                                                          : GI_CSV_LONG_ROW};
    if (rows->open || !rows->is_whole) return gi_csv_report(form, &problem, rows->line, error);
    return gi_fail(error, GLIA_BAD_FORMAT, "%s: found blank lines alone, expected a table",
                   form->path);
}

/* Names from a comment, where the first row has none. */
static glia_status name_by_comment(gi_csv_form *form, const struct head *head,
                                   gi_csv_evidence *evidence, char *scratch, glia_error *error)
{
    const gi_csv_dialect words = {.separator = ' ', .line_end = form->dialect.line_end};
    const gi_csv_dialect *dialect = &form->dialect;
    if (!head->above.comment || form->has_header) return GLIA_OK;
    if (!count_fits(form, &head->above, dialect)) dialect = &words;
    if (!count_fits(form, &head->above, dialect)) return GLIA_OK;
    for (size_t c = 0; c < form->n_columns; c++) {
        gi_free(evidence->guesses[c].first);
        evidence->guesses[c].first = NULL;
    }
    const gi_csv_dialect own = form->dialect;
    const gi_csv_row row = {head->above.comment, head->above.comment_end, head->first.line};
    form->dialect = *dialect;
    const glia_status status = read_first(form, &row, 0, evidence->guesses, scratch, error);
    form->dialect = own;
    form->is_named = true;
    return status;
}

static const char *separator_name(char separator)
{
    switch (separator) {
    case ',':
        return "comma-separated";
    case ';':
        return "semicolon-separated";
    case '\t':
        return "tab-separated";
    case '|':
        return "bar-separated";
    default:
        return "blank-separated";
    }
}

static void say_how(gi_csv_form *form, const struct head *head, bool is_sure)
{
    gi_csv_say(form, "%s, %s", separator_name(form->dialect.separator),
               form->has_header ? "first line is a header"
               : form->is_named ? "a comment names the columns"
                                : "no header");
    if (!is_sure)
        gi_csv_say(form, form->has_header
                             ? ", it seems (table.header=-1 takes it for a row)"
                             : ", it seems (table.header=1 takes the first line for one)");
    if (head->n_passed > 0)
        gi_csv_say(form, "; %zu line%s above the table, with another number of cells, left out",
                   head->n_passed, head->n_passed == 1 ? "" : "s");
    if (head->n_titles > 0)
        gi_csv_say(form, "; %zu line%s above the table, with empty cells, left out", head->n_titles,
                   head->n_titles == 1 ? "" : "s");
}

/* What the rows of the head are; n_text: of the head. */
static glia_status find_columns(gi_csv_form *form, const gi_table_params *params, struct head *head,
                                size_t n_text, const char **begin, glia_error *error)
{
    char *scratch = gi_alloc_unset(n_text, 1, "columns", error);
    gi_csv_evidence evidence = {
        .guesses = gi_alloc(form->n_columns, sizeof *evidence.guesses, "columns", error),
        .n = form->n_columns};
    glia_status status = evidence.guesses && scratch ? GLIA_OK : GLIA_NO_MEMORY;
    bool is_sure = true;
    if (!status)
        status = read_first(form, &head->first, head->shift, evidence.guesses, scratch, error);
    gi_csv_rows others = head->rows;
    others.keeps_blank = form->n_columns == 1;
    if (!status) status = read_others(form, &others, &evidence, scratch, error);
    if (status) goto cleanup;
    status = gi_csv_find_header(params, &evidence, &form->has_header, &is_sure, error);
    form->has_header |= head->is_header && params->header != 0;
    for (size_t c = 0; c < form->n_columns && !form->has_header && !status; c++)
        status = note_cell(&evidence.guesses[c], &form->missing, evidence.guesses[c].first,
                           evidence.guesses[c].n, true, error);
    if (!status) status = name_by_comment(form, head, &evidence, scratch, error);
    if (status) goto cleanup;
    form->n_rows = evidence.n_rows + !form->has_header;
    form->line = form->has_header ? head->rows.line : head->first.line;
    *begin = form->has_header ? head->rows.p : head->first.begin;
    say_how(form, head, is_sure);
    status = gi_csv_make_columns(form, params, &evidence, head->first.line, error);
cleanup:
    gi_csv_evidence_free(&evidence);
    gi_free(scratch);
    return status;
}

/* Words for what is missing that are numbers are compared as such. */
static void find_missing_values(gi_csv_form *form)
{
    for (size_t i = 0; i < form->missing.n && form->n_missing_values < GI_CSV_MISSING_VALUES; i++) {
        const char *word = form->missing.words[i];
        if (gi_parse_f64(word, word + strlen(word), &form->missing_values[form->n_missing_values]))
            form->n_missing_values++;
    }
}

void gi_csv_form_free(gi_csv_form *form)
{
    for (size_t c = 0; form->columns && c < form->n_columns; c++) gi_free(form->columns[c].name);
    gi_free(form->columns);
    gi_free(form->kinds);
    gi_free(form->must_be_text);
    gi_free(form->takes_booleans);
    *form = (gi_csv_form){0};
}

/* Past byte-order marks: files that were put together have several. */
static const char *pass_marks(const char *p, const char *end)
{
    while (end - p >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) p += 3;
    return p;
}

/* CR where no LF ends a line, but for the last one. */
static char find_line_end(const char *text, size_t n)
{
    const char *feed = memchr(text, '\n', n), *end = text + n;
    const char *carriage = memchr(text, '\r', n);
    if (!carriage || (feed && feed + 1 < end)) return '\n';
    return !feed || carriage + 1 < feed ? '\r' : '\n';
}

glia_status gi_csv_find_form(const char *path, const char *head, size_t n, bool is_whole,
                             const gi_table_params *params, gi_csv_form *form, glia_error *error)
{
    *form = (gi_csv_form){.path = path,
                          .skips_bad_rows = params->skips_bad_rows,
                          .is_for_network = params->ignores_unknown,
                          .missing = params->missing};
    form->is_arff = gi_arff_is((const uint8_t *)head, n);
    if (form->is_arff)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: found an ARFF file, expected separated values; name it .arff", path);
    glia_status status = gi_csv_refuse_foreign(path, head, n, error);
    if (!status && !params->separator && !params->ignores_unknown)
        status = gi_csv_refuse_lines(path, head, n, error);
    if (status) return status;
    const char *const text = pass_marks(head, head + n), *end = head + n;
    while (is_whole && end > text && gi_csv_fills_up(end[-1])) end--;
    if (text == end) return gi_fail(error, GLIA_BAD_FORMAT, "%s: is empty, expected a table", path);
    find_missing_values(form);
    gi_csv_dialect *dialect = &form->dialect;
    const size_t n_text = (size_t)(end - text);
    dialect->line_end = find_line_end(text, n_text);
    if (dialect->line_end == '\r' && end[-1] == '\r' && !is_whole &&
        !memchr(text, '\r', n_text - 1))
        return GLIA_OK; /* a line feed may follow */
    struct head at = {
        .rows = {.dialect = dialect, .p = text, .end = end, .is_whole = is_whole, .line = 1}};
    read_separator(&at.rows, &at.above);
    const bool has_begun = read_comments(&at.rows, &at.above);
    dialect->separator = params->separator ? params->separator : at.above.separator;
    if (!dialect->separator) gi_csv_find_separator(&at.rows, path, dialect);
    dialect->has_backslashes = gi_csv_find_backslashes(&at.rows);
    if (!has_begun || !find_first_row(form, params, &at)) {
        form->n_columns = 0;
        if (!is_whole && n <= GI_MAX_ROW_BYTES) return GLIA_OK;
        return fail_no_row(form, &at.rows, error);
    }
    if (form->n_columns > GI_MAX_COLUMNS) {
        const size_t found = form->n_columns;
        form->n_columns = 0;
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s, line %" PRIu64 ": found %zu cells, expected at most %d columns", path,
                       at.first.line, found, (int)GI_MAX_COLUMNS);
    }
    snprintf(form->first_line, sizeof form->first_line, "%" PRIu64, at.first.line);
    const char *begin = text;
    status = find_columns(form, params, &at, n_text, &begin, error);
    form->begin = (size_t)(begin - head);
    return status;
}

glia_status gi_csv_form_of(gi_csv_source *source, bool is_hasty, const gi_table_params *params,
                           gi_csv_form *form, glia_error *error)
{
    for (size_t n = GI_CSV_HEAD_BYTES;; n *= n <= source->n_tail ? 2 : 1) {
        glia_status status = gi_csv_source_fill(source, n, is_hasty, error);
        if (status) return status;
        const bool is_whole = source->has_ended;
        status = gi_csv_find_form(source->path, source->tail, source->n_tail, is_whole, params,
                                  form, error);
        if (status) return status;
        const bool suffices = form->n_columns && (is_hasty || form->n_rows);
        if (suffices || is_whole || source->n_tail > GI_MAX_ROW_BYTES) break;
        gi_csv_form_free(form);
    }
    source->tail += form->begin;
    source->n_tail -= form->begin;
    source->tail_byte += form->begin;
    return GLIA_OK;
}
