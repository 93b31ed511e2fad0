/* SPDX-License-Identifier: MIT */
/*
 * Where cells and rows end. A quote opens only at the beginning of a cell; within, "" is a quote
 * (and \" where the dialect has it), and line ends and separators are text. Any other quote is a
 * letter. Whoever looks for ends of rows alone goes from quote to quote: one outside of quotes
 * opens if only blanks are between it and the separator or line end before it.
 */
#define _GNU_SOURCE /* memrchr */
#include <stdio.h>
#include <string.h>

#include "data/table/csv/csv_parts.h"

bool gi_csv_is_blank(const gi_csv_dialect *dialect, char c)
{
    return c == ' ' || (c == '\t' && dialect->separator != '\t') ||
           (c == '\r' && dialect->line_end == '\n') || (c == '\n' && dialect->line_end == '\r');
}

static const char *skip_blanks(const gi_csv_dialect *dialect, const char *p, const char *end)
{
    while (p < end && gi_csv_is_blank(dialect, *p)) p++;
    return p;
}

bool gi_csv_fills_up(char c)
{
    return c == 0 || c == 0x1A;
}

bool gi_csv_is_blank_row(const gi_csv_dialect *dialect, const char **p, const char *end)
{
    *p = skip_blanks(dialect, *p, end);
    if (*p == end || **p == dialect->line_end) return true;
    if (!gi_csv_fills_up(**p)) return false;
    const char *q = *p;
    while (q < end && (gi_csv_fills_up(*q) || gi_csv_is_blank(dialect, *q))) q++;
    if (q < end && *q != dialect->line_end) return false;
    *p = q;
    return true;
}

/* Whether an odd number of backslashes stands before p, not before begin. */
static bool is_escaped(const char *begin, const char *p)
{
    size_t n = 0;
    while (p > begin && p[-1] == '\\') p--, n++;
    return n % 2 == 1;
}

/* The quote that closes what opens before begin, or NULL. */
static const char *find_close(const gi_csv_dialect *dialect, const char *begin, const char *end,
                              bool *doubled)
{
    for (const char *p = begin;;) {
        p = p < end ? memchr(p, '"', (size_t)(end - p)) : NULL;
        if (p && dialect->has_backslashes) {
            *doubled = *doubled || memchr(begin, '\\', (size_t)(p - begin));
            if (is_escaped(begin, p)) {
                p++;
                continue;
            }
        }
        if (!p || p + 1 == end || p[1] != '"') return p;
        *doubled = true;
        p += 2;
    }
}

/* From after a cell to its separator, the line end, or end. */
static const char *to_separator(const gi_csv_dialect *dialect, const char *p, const char *end)
{
    if (dialect->separator != ' ') return p;
    const char *next = skip_blanks(dialect, p, end);
    return next == end || *next == dialect->line_end || next == p ? next : next - 1;
}

const char *gi_csv_next_cell(const gi_csv_dialect *dialect, const char *p, const char *end,
                             gi_csv_cell *cell)
{
    const char separator = dialect->separator, line_end = dialect->line_end;
    *cell = (gi_csv_cell){0};
    p = skip_blanks(dialect, p, end);
    if (p < end && *p == '"') {
        cell->quoted = true;
        cell->begin = p + 1;
        const char *close = find_close(dialect, p + 1, end, &cell->doubled);
        if (!close) {
            cell->end = end;
            cell->fault = GI_CSV_OPEN_QUOTE;
            cell->at = p;
            return end;
        }
        const char *const after = skip_blanks(dialect, close + 1, end);
        const bool ends = after == end || *after == separator || *after == line_end;
        if (ends || (separator == ' ' && after > close + 1)) {
            cell->end = close;
            return separator == ' ' ? to_separator(dialect, close + 1, end) : after;
        }
        /* What does not end with the quote is no quoted text: "C" Street. */
        *cell = (gi_csv_cell){.begin = p, .quoted = true};
        p = close + 1;
    }
    cell->begin = cell->begin ? cell->begin : p;
    if (separator == ' ')
        while (p < end && *p != line_end && !gi_csv_is_blank(dialect, *p)) p++;
    else
        while (p < end && *p != line_end && *p != separator) p++;
    cell->end = p;
    while (cell->end > cell->begin && gi_csv_is_blank(dialect, cell->end[-1])) cell->end--;
    return to_separator(dialect, p, end);
}

size_t gi_csv_unquote(const gi_csv_dialect *dialect, const gi_csv_cell *cell, char *text)
{
    size_t n = 0;
    for (const char *p = cell->begin; p < cell->end; p++) {
        const bool is_escape = dialect->has_backslashes && *p == '\\' && p + 1 < cell->end;
        p += is_escape;
        text[n++] = *p;
        p += *p == '"' && !is_escape;
    }
    return n;
}

/* Whether a quote, which is outside of others, opens; the row or the block begins at begin. */
static bool opens(const gi_csv_dialect *dialect, const char *begin, const char *quote)
{
    const char *p = quote;
    while (p > begin && gi_csv_is_blank(dialect, p[-1])) p--;
    return p == begin || p[-1] == dialect->line_end || p[-1] == dialect->separator ||
           (dialect->separator == ' ' && p < quote);
}

const char *gi_csv_last_row_end(const gi_csv_dialect *dialect, const char *p, const char *end,
                                const char **open)
{
    const char *const begin = p, *last = NULL;
    *open = NULL;
    while (p < end) {
        /* p..quote is outside of quotes, as far as the next that opens */
        const char *quote = memchr(p, '"', (size_t)(end - p));
        const char *outside = quote ? quote : end;
        const char *line_end = memrchr(p, dialect->line_end, (size_t)(outside - p));
        if (line_end) last = line_end + 1;
        if (!quote) break;
        p = quote + 1;
        if (!opens(dialect, begin, quote)) continue;
        bool doubled = false;
        const char *close = find_close(dialect, p, end, &doubled);
        if (!close) {
            *open = quote;
            break;
        }
        p = close + 1;
    }
    return last;
}

const char *gi_csv_row_end(const gi_csv_dialect *dialect, const char *p, const char *end,
                           const char **open)
{
    const char *const begin = p;
    *open = NULL;
    while (p < end) {
        const char *line_end = memchr(p, dialect->line_end, (size_t)(end - p));
        const char *outside = line_end ? line_end : end;
        const char *quote = memchr(p, '"', (size_t)(outside - p));
        if (!quote) return line_end ? line_end + 1 : NULL;
        p = quote + 1;
        if (!opens(dialect, begin, quote)) continue;
        bool doubled = false;
        const char *close = find_close(dialect, p, end, &doubled);
        if (!close) {
            *open = quote;
            return NULL;
        }
        p = close + 1;
    }
    return NULL;
}
