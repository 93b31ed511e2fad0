/* SPDX-License-Identifier: MIT */
/* ARFF: lines, tokens, and the header, which declares the columns. */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/files/arff_parts.h"

/* ---- Lines and messages -------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

void gi_arff_skip_blanks(gi_arff *r)
{
    while (r->at < r->line_end && is_blank(*r->at)) r->at++;
}

bool gi_arff_next_line(gi_arff *r)
{
    while (r->next < r->end) {
        const char *newline = memchr(r->next, r->line_feed, (size_t)(r->end - r->next));
        r->at = r->next;
        r->line_end = newline ? newline : r->end;
        r->next = newline ? newline + 1 : r->end;
        r->line++;
        gi_arff_skip_blanks(r);
        if (r->at < r->line_end && *r->at != '%') return true;
    }
    return false;
}

glia_status gi_arff_unexpected(const gi_arff *r, const char *from, const char *expected)
{
    char found[GI_TEXT_SHOWN];
    const char *end = r->line_end;
    while (end > from && is_blank(end[-1])) end--;
    gi_text_show(from, (size_t)(end - from), found);
    return gi_fail(r->error, GLIA_BAD_FORMAT, "%s, line %" PRIu64 ": found %s%s%s, expected %s",
                   r->path, r->line, from < end ? "\"" : "", from < end ? found : "the line's end",
                   from < end ? "\"" : "", expected);
}

/* ---- Tokens -------------------------------------------------------------------------------- */

/* What a backslash and c stand for. */
static char unescaped(char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    default:
        return c;
    }
}

glia_status gi_arff_make_room(gi_arff *r)
{
    const size_t n = (size_t)(r->line_end - r->at) + 1;
    if (n <= r->text_room) return GLIA_OK;
    gi_free(r->text);
    r->text_room = 0;
    r->text = gi_alloc_unset(2 * n, 1, r->path, r->error);
    if (!r->text) return GLIA_NO_MEMORY;
    r->text_room = 2 * n;
    return GLIA_OK;
}

/* A text in quotes, at the first of them. */
static glia_status read_quoted(gi_arff *r)
{
    const char *begin = r->at;
    const char quote = *r->at++;
    r->is_quoted = true;
    for (; r->at < r->line_end && *r->at != quote; r->at++) {
        if (*r->at == '\\' && r->at + 1 < r->line_end)
            r->text[r->n_text++] = unescaped(*++r->at);
        else
            r->text[r->n_text++] = *r->at;
    }
    if (r->at == r->line_end)
        return gi_arff_unexpected(r, begin, "a text whose quote is closed on the same line");
    r->at++;
    return GLIA_OK;
}

glia_status gi_arff_token(gi_arff *r, const char *ends)
{
    r->n_text = 0;
    r->is_quoted = false;
    const glia_status status = gi_arff_make_room(r);
    if (status) return status;
    gi_arff_skip_blanks(r);
    if (r->at < r->line_end && (*r->at == '\'' || *r->at == '"')) {
        const glia_status quoted = read_quoted(r);
        if (quoted) return quoted;
    } else {
        for (; r->at < r->line_end && !strchr(ends, *r->at); r->at++) {
            if (*r->at == '%' && (r->n_text == 0 || is_blank(r->at[-1]))) break;
            r->text[r->n_text++] = *r->at;
        }
        while (r->n_text > 0 && is_blank(r->text[r->n_text - 1])) r->n_text--;
    }
    r->text[r->n_text] = '\0';
    gi_arff_skip_blanks(r);
    if (r->at < r->line_end && *r->at == '%') r->at = r->line_end;
    const char *bad = gi_text_find_bad_byte(r->text, r->n_text);
    if (bad)
        return gi_fail(r->error, GLIA_BAD_FORMAT,
                       "%s, line %" PRIu64 ": found %s, expected UTF-8; convert the file (iconv -f "
                       "LATIN1 -t UTF-8, if it is Latin-1)",
                       r->path, r->line, *bad ? "bytes that are no UTF-8" : "a zero byte");
    return GLIA_OK;
}

bool gi_arff_is_word(const gi_arff *r, const char *word)
{
    return !r->is_quoted && strlen(word) == r->n_text && strncasecmp(r->text, word, r->n_text) == 0;
}

/* ---- The header ---------------------------------------------------------------------------- */

/* "{a, 'b c', d}": the values become the codes of the column's texts, in this order. */
static glia_status read_values(gi_arff *r, gi_column *column)
{
    const char *begin = r->at++;
    for (;;) {
        size_t code;
        gi_arff_skip_blanks(r);
        const char *value = r->at;
        glia_status status = gi_arff_token(r, ",}");
        if (status) return status;
        if (r->n_text == 0 && !r->is_quoted && column->texts.n == 0 && r->at < r->line_end &&
            *r->at == '}')
            break;
        if (r->n_text == 0 && !r->is_quoted)
            return gi_arff_unexpected(r, value, "a value of the list");
        if (r->n_text > GI_MAX_TEXT_BYTES)
            return gi_arff_unexpected(r, value, "values of at most 1,024 bytes");
        const size_t before = column->texts.n;
        status = gi_texts_add(&column->texts, r->text, r->n_text, &code, r->error);
        if (status) return status;
        if (code == SIZE_MAX) return gi_arff_unexpected(r, value, "at most 65,536 values");
        if (column->texts.n == before) return gi_arff_unexpected(r, value, "each value once");
        if (r->at < r->line_end && *r->at == ',') {
            r->at++;
            continue;
        }
        if (r->at < r->line_end && *r->at == '}') break;
        return gi_arff_unexpected(r, begin,
                                  "values with commas between them, and } at the end of the line");
    }
    r->at++;
    return GLIA_OK;
}

/* Steps over the range of a number, as KEEL writes it: [0, 10]. The rows are what they are. */
static glia_status skip_range(gi_arff *r)
{
    gi_arff_skip_blanks(r);
    if (r->at == r->line_end || *r->at != '[') return GLIA_OK;
    const char *close = memchr(r->at, ']', (size_t)(r->line_end - r->at));
    if (!close) return gi_arff_unexpected(r, r->at, "a range that ends with ], such as [0, 10]");
    r->at = close + 1;
    return GLIA_OK;
}

static glia_status read_type(gi_arff *r, gi_column *column, gi_arff_attribute *attribute)
{
    static const char *const numbers[] = {"numeric", "real", "integer"};
    const char *begin = r->at;
    if (r->at < r->line_end && *r->at == '{') {
        attribute->type = GI_ARFF_NOMINAL;
        column->kind = GI_CELL_TEXT;
        return read_values(r, column);
    }
    glia_status status = gi_arff_token(r, " \t\r{[");
    if (status) return status;
    for (size_t i = 0; i < 3; i++)
        if (gi_arff_is_word(r, numbers[i])) return skip_range(r);
    column->kind = GI_CELL_TEXT;
    attribute->type = GI_ARFF_STRING;
    if (gi_arff_is_word(r, "string")) return GLIA_OK;
    attribute->type = GI_ARFF_DATE;
    if (gi_arff_is_word(r, "relational"))
        return gi_arff_unexpected(r, begin,
                                  "a column of numbers or texts; tables within a row (relational "
                                  "attributes) are not read");
    if (!gi_arff_is_word(r, "date"))
        return gi_arff_unexpected(
            r, begin, "numeric, real, integer, string, date or {VALUE, VALUE, ...} as the type");
    if (r->at == r->line_end) return GLIA_OK;
    status = gi_arff_token(r, "");
    if (!status) attribute->format = gi_strdup(r->text, r->error);
    if (status) return status;
    if (!attribute->format) return GLIA_NO_MEMORY;
    if (!gi_arff_date_is_known(attribute->format)) attribute->type = GI_ARFF_STRING;
    return GLIA_OK;
}

static glia_status read_attribute(gi_arff *r)
{
    gi_table *table = r->table;
    const size_t n = table->n_columns;
    const char *begin = r->at;
    if (n == GI_MAX_COLUMNS) return gi_arff_unexpected(r, begin, "at most 65,536 attributes");
    glia_status status = gi_table_grow((void **)&table->columns, &r->columns_room, n + 1,
                                       sizeof *table->columns, r->error);
    if (!status)
        status = gi_table_grow((void **)&r->attributes, &r->attributes_room, n + 1,
                               sizeof *r->attributes, r->error);
    if (!status) status = gi_arff_token(r, " \t\r{");
    if (status) return status;
    if (r->n_text == 0 || r->n_text > GI_MAX_TEXT_BYTES)
        return gi_arff_unexpected(r, begin, "the name of the attribute, of at most 1,024 bytes");
    table->columns[n] = (gi_column){.kind = GI_CELL_NUMBER};
    r->attributes[n] = (gi_arff_attribute){.type = GI_ARFF_NUMBER};
    table->columns[n].name = gi_strdup(r->text, r->error);
    if (!table->columns[n].name) return GLIA_NO_MEMORY;
    table->n_columns = n + 1;
    status = read_type(r, &table->columns[n], &r->attributes[n]);
    gi_arff_skip_blanks(r);
    if (!status && r->at < r->line_end && *r->at != '%')
        status = gi_arff_unexpected(r, r->at, "nothing after the type");
    return status;
}

/* The names, each once, and what is known of the columns. */
static glia_status settle_columns(gi_arff *r, const gi_table_params *params)
{
    gi_table *table = r->table;
    if (table->n_columns == 0)
        return gi_fail(r->error, GLIA_BAD_FORMAT,
                       "%s, line %" PRIu64 ": found @data before any @attribute, expected the "
                       "columns first",
                       r->path, r->line);
    glia_status status = gi_table_index(table, r->error);
    for (size_t c = 0; !status && table->names.n < table->n_columns && c < table->n_columns; c++) {
        char shown[GI_TEXT_SHOWN];
        const char *name = table->columns[c].name;
        if (table->of_name[gi_texts_find(&table->names, name, strlen(name))] == c) continue;
        gi_text_show(name, strlen(name), shown);
        status = gi_fail(r->error, GLIA_BAD_FORMAT,
                         "%s: found two attributes of the name %s, expected different names; "
                         "rename one",
                         r->path, shown);
    }
    if (!status) status = gi_table_apply_known(table, params, r->error);
    for (size_t k = 0; k < params->n_known && !status; k++) {
        const size_t c = gi_table_column(table, params->known[k].name);
        if (c != SIZE_MAX && params->known[k].kind == GI_CELL_TEXT)
            r->attributes[c].must_be_text = true;
    }
    return status;
}

/* "@outputs a, b": keeps the line, since others than the last attributes can be meant. */
static void read_outputs(gi_arff *r)
{
    const char *end = r->line_end;
    while (end > r->at && is_blank(end[-1])) end--;
    gi_text_show(r->at, (size_t)(end - r->at), r->outputs);
}

glia_status gi_arff_read_header(gi_arff *r, const gi_table_params *params)
{
    while (gi_arff_next_line(r)) {
        const char *begin = r->at;
        glia_status status = gi_arff_token(r, " \t\r");
        if (status) return status;
        if (gi_arff_is_word(r, "@data")) return settle_columns(r, params);
        if (gi_arff_is_word(r, "@relation") || gi_arff_is_word(r, "@input") ||
            gi_arff_is_word(r, "@inputs"))
            continue;
        if (gi_arff_is_word(r, "@output") || gi_arff_is_word(r, "@outputs")) {
            read_outputs(r);
            continue;
        }
        if (!gi_arff_is_word(r, "@attribute"))
            return gi_arff_unexpected(r, begin, "@relation, @attribute or @data");
        status = read_attribute(r);
        if (status) return status;
    }
    return gi_fail(r->error, GLIA_BAD_FORMAT,
                   "%s: found no @data, expected it after the attributes", r->path);
}
