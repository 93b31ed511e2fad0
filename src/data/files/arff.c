/* SPDX-License-Identifier: MIT */
/*
 * ARFF, the tables of Weka and OpenML: a header that declares the columns,
 *
 *     @relation NAME
 *     @attribute NAME numeric|real|integer|string|date ["FORMAT"]|{VALUE, VALUE, ...}
 *
 * then @data and a row a line: "1.5, red, ?" or, sparse, "{0 1.5, 3 red}", where what is left out
 * is 0 or the first of the declared values. Texts may stand in quotes of either kind with
 * backslashes within, % begins a comment, and a row may end with its weight in braces.
 */
#include "data/files/arff_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/text.h"
#include "data/files/arff.h"
#include "data/files/gzip.h"

/* ---- Cells --------------------------------------------------------------------------------- */

/* As gi_arff_unexpected: what stands in a cell, which is the token. */
static glia_status bad_cell(const gi_arff *r, size_t column, const char *expected)
{
    char found[GI_TEXT_SHOWN], name[GI_TEXT_SHOWN];
    const char *of = r->table->columns[column].name;
    gi_text_show(r->text, r->n_text, found);
    gi_text_show(of, strlen(of), name);
    return gi_fail(r->error, GLIA_BAD_FORMAT,
                   "%s, line %" PRIu64 ", %s%s: found \"%s\", expected %s", r->path, r->line,
                   gi_column_word(name), name, found, expected);
}

/* Leaves a column out, and its cells so far. */
static void lose_column(gi_arff *r, size_t c)
{
    gi_table *table = r->table;
    table->columns[c].kind = GI_CELL_IGNORED;
    r->attributes[c].is_lost = true;
    gi_texts_free(&table->columns[c].texts);
    r->attributes[c].omitted = (double)NAN;
    for (size_t row = 0; row < table->rows; row++)
        table->owned_cells[row * table->n_columns + c] = (double)NAN;
}

/* The code of a value that was declared. */
static glia_status find_value(const gi_arff *r, size_t c, double *cell)
{
    const gi_texts *texts = &r->table->columns[c].texts;
    const size_t code = gi_texts_find(texts, r->text, r->n_text);
    char list[200] = "one of the declared values: ", shown[GI_TEXT_SHOWN];
    size_t used = strlen(list);
    *cell = (double)code;
    if (code != SIZE_MAX) return GLIA_OK;
    for (size_t i = 0; i < texts->n; i++) {
        gi_text_show(texts->text[i], texts->lengths[i], shown);
        if (used + strlen(shown) + 8 > sizeof list) {
            snprintf(list + used, sizeof list - used, ", ...");
            break;
        }
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", shown);
    }
    return bad_cell(r, c, list);
}

/* The code of a text, which is new, or not. */
static glia_status add_text(gi_arff *r, size_t c, double *cell)
{
    gi_column *column = &r->table->columns[c];
    const gi_arff_attribute *attribute = &r->attributes[c];
    char date[GI_ARFF_DATE_ROOM];
    const char *text = r->text;
    size_t n = r->n_text, code = SIZE_MAX;
    if (attribute->type == GI_ARFF_DATE) {
        if (!gi_arff_date(attribute->format, text, date))
            return bad_cell(r, c,
                            attribute->format ? "a date of the attribute's format"
                                              : "a date such as 2024-12-31T23:59:59");
        text = date;
        n = strlen(date);
    }
    if (n <= GI_MAX_TEXT_BYTES) {
        const glia_status status = gi_texts_add(&column->texts, text, n, &code, r->error);
        if (status) return status;
    }
    *cell = (double)code;
    if (code != SIZE_MAX) return GLIA_OK;
    if (attribute->must_be_text) {
        char expected[GI_OPTION_NAMES + 96] =
            "at most 65,536 different texts of at most 1,024 bytes";
        char option[GI_OPTION_NAMES];
        if (!r->is_for_network)
            snprintf(expected + strlen(expected), sizeof expected - strlen(expected),
                     "; leave the column out with table.drop %s",
                     gi_table_option(r->table->columns, &c, 1, option));
        return bad_cell(r, c, expected);
    }
    lose_column(r, c);
    *cell = (double)NAN;
    return GLIA_OK;
}

/* The token as a cell of a column. */
static glia_status read_cell(gi_arff *r, size_t c, double *cell)
{
    const gi_arff_type type = r->attributes[c].type;
    const gi_cell_kind kind = r->table->columns[c].kind;
    const bool is_empty = r->n_text == 0 && (!r->is_quoted || type != GI_ARFF_NOMINAL);
    *cell = (double)NAN;
    if (kind == GI_CELL_IGNORED || is_empty || gi_arff_is_word(r, "?") ||
        gi_arff_is_word(r, "<null>")) /* KEEL's */
        return GLIA_OK;
    if (kind == GI_CELL_TEXT)
        return type == GI_ARFF_NOMINAL ? find_value(r, c, cell) : add_text(r, c, cell);
    if (gi_arff_is_word(r, "nan")) return GLIA_OK;
    if (!gi_parse_f64(r->text, r->text + r->n_text, cell) || isinf(*cell))
        return bad_cell(r, c, "a finite number, or ? where it is missing");
    return GLIA_OK;
}

/* What a sparse row has where it names no value: 0, or the first of those that were declared. */
static glia_status find_omitted(gi_arff *r)
{
    const char *const at = r->at, *const line_end = r->line_end;
    glia_status status = GLIA_OK;
    for (size_t c = 0; c < r->table->n_columns && !status; c++) {
        const gi_texts *texts = &r->table->columns[c].texts;
        const char *text = r->attributes[c].type == GI_ARFF_NOMINAL && texts->n > 0 ? texts->text[0]
                           : r->attributes[c].type == GI_ARFF_NUMBER                ? "0"
                                                                                    : "";
        r->line_end = (r->at = text) + strlen(text);
        status = gi_arff_make_room(r);
        if (status) break;
        r->is_quoted = *text != '\0';
        r->n_text = strlen(text);
        memcpy(r->text, text, r->n_text + 1);
        status = read_cell(r, c, &r->attributes[c].omitted);
    }
    r->at = at;
    r->line_end = line_end;
    return status;
}

/* ---- Rows ---------------------------------------------------------------------------------- */

static glia_status read_dense(gi_arff *r, double *cells)
{
    const size_t n = r->table->n_columns;
    const char *begin = r->at;
    const bool by_blanks = n > 1 && !memchr(begin, ',', (size_t)(r->line_end - begin));
    for (size_t c = 0; c < n; c++) {
        if (r->at == r->line_end && c > 0 && (by_blanks || r->at[-1] != ','))
            return gi_fail(r->error, GLIA_BAD_FORMAT,
                           "%s, line %" PRIu64 ": found %zu value%s, expected %zu, one for each "
                           "attribute",
                           r->path, r->line, c, c == 1 ? "" : "s", n);
        const glia_status status = gi_arff_token(r, by_blanks ? " \t\r" : ",");
        const glia_status of_cell = status ? status : read_cell(r, c, &cells[c]);
        if (of_cell) return of_cell;
        if (c + 1 == n || by_blanks || r->at == r->line_end) continue;
        if (*r->at != ',') return gi_arff_unexpected(r, r->at, "a comma after the value");
        r->at++;
    }
    return GLIA_OK;
}

static glia_status read_sparse(gi_arff *r, double *cells)
{
    const size_t n = r->table->n_columns;
    size_t after_last = 0;
    glia_status status = r->has_sparse_rows ? GLIA_OK : find_omitted(r);
    if (status) return status;
    r->has_sparse_rows = true;
    for (size_t c = 0; c < n; c++) cells[c] = r->attributes[c].omitted;
    r->at++;
    for (;;) {
        uint64_t index;
        gi_arff_skip_blanks(r);
        if (r->at < r->line_end && *r->at == '}') break;
        const char *begin = r->at;
        status = gi_arff_token(r, " \t,}");
        if (status) return status;
        if (!gi_parse_u64(r->text, &index) || index >= n || index < after_last)
            return gi_arff_unexpected(
                r, begin, "INDEX VALUE, with indices from 0 that ascend, or } at the end");
        after_last = (size_t)index + 1;
        status = gi_arff_token(r, ",}");
        if (!status) status = read_cell(r, (size_t)index, &cells[index]);
        if (status) return status;
        if (r->at < r->line_end && *r->at == ',')
            r->at++;
        else if (r->at == r->line_end || *r->at != '}')
            return gi_arff_unexpected(r, begin, "a comma, or } at the end of the row");
    }
    r->at++;
    return GLIA_OK;
}

/* ", {2}" after a row: how much it counts. */
static glia_status read_weight(gi_arff *r)
{
    double weight;
    gi_arff_skip_blanks(r);
    if (r->at == r->line_end || *r->at == '%') return GLIA_OK;
    const char *begin = r->at;
    if (*r->at == ',') r->at++;
    gi_arff_skip_blanks(r);
    if (r->at == r->line_end || *r->at != '{')
        return gi_arff_unexpected(r, begin, "the end of the row");
    r->at++;
    glia_status status = gi_arff_token(r, "}");
    if (status) return status;
    if (!gi_parse_f64(r->text, r->text + r->n_text, &weight) || !(weight >= 0) || isinf(weight) ||
        r->at == r->line_end)
        return gi_arff_unexpected(r, begin, "the weight of the row, such as {0.5}");
    const size_t row = r->table->rows;
    status = gi_table_grow((void **)&r->weights, &r->weights_room, row + 1, sizeof *r->weights,
                           r->error);
    if (status) return status;
    while (r->n_weights < row) r->weights[r->n_weights++] = 1;
    r->weights[r->n_weights++] = weight;
    r->at++;
    gi_arff_skip_blanks(r);
    return r->at == r->line_end || *r->at == '%'
               ? GLIA_OK
               : gi_arff_unexpected(r, r->at, "the end of the row");
}

/* Room for a row's cells and its line. */
static glia_status make_row(gi_arff *r)
{
    gi_table *table = r->table;
    const size_t needed = (table->rows + 1) * table->n_columns, memory = gi_memory_size();
    if (memory && needed > memory / sizeof(double))
        return gi_fail(r->error, GLIA_NO_MEMORY,
                       "%s: %zu rows of %zu columns are more than the memory of this machine "
                       "holds; write sparse rows as sparse text (LIBSVM's)",
                       r->path, table->rows + 1, table->n_columns);
    glia_status status = gi_table_grow((void **)&table->owned_cells, &r->cells_room, needed,
                                       sizeof(double), r->error);
    table->cells = table->owned_cells;
    const gi_line_mark *last = table->n_marks ? &table->marks[table->n_marks - 1] : NULL;
    if (status || (last && r->line - last->line == table->rows - last->row)) return status;
    status = gi_table_grow((void **)&table->marks, &r->marks_room, table->n_marks + 1,
                           sizeof *table->marks, r->error);
    if (!status) table->marks[table->n_marks++] = (gi_line_mark){table->rows, r->line};
    return status;
}

static glia_status read_rows(gi_arff *r, bool skips_bad_rows)
{
    gi_table *table = r->table;
    glia_error *const error = r->error;
    glia_status status = GLIA_OK;
    if (skips_bad_rows) r->error = NULL;
    while (!status && gi_arff_next_line(r)) {
        const size_t n_marks = table->n_marks;
        status = make_row(r);
        if (status) break;
        double *cells = table->owned_cells + table->rows * table->n_columns;
        status = *r->at == '{' ? read_sparse(r, cells) : read_dense(r, cells);
        if (!status) status = read_weight(r);
        if (!status) {
            table->rows++;
        } else if (skips_bad_rows && status == GLIA_BAD_FORMAT) {
            table->n_marks = n_marks;
            table->skipped++;
            if (r->n_weights > table->rows) r->n_weights = table->rows;
            status = GLIA_OK;
        }
    }
    r->error = error;
    if (status == GLIA_NO_MEMORY && skips_bad_rows)
        return gi_fail(error, GLIA_NO_MEMORY, "%s: out of memory", r->path);
    if (!status && table->rows == 0)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: found no row that can be read, expected rows "
                       "after @data",
                       r->path);
    return status;
}

/* ---- The whole ----------------------------------------------------------------------------- */

/* Makes the weights of rows a column, the last one. */
static glia_status add_weights(gi_arff *r)
{
    static const char *const names[] = {"weight", "instance weight", "weight of the row"};
    gi_table *table = r->table;
    const size_t n = table->n_columns;
    size_t k = 0;
    if (n == GI_MAX_COLUMNS)
        return gi_fail(r->error, GLIA_BAD_FORMAT,
                       "%s: found %zu attributes and weights of rows, expected at most %d columns "
                       "with the weights",
                       r->path, n, (int)GI_MAX_COLUMNS);
    while (k < 2 && gi_table_column(table, names[k]) != SIZE_MAX) k++;
    glia_status status = gi_table_grow((void **)&table->columns, &r->columns_room, n + 1,
                                       sizeof *table->columns, r->error);
    if (status) return status;
    double *cells =
        gi_alloc_unset(table->rows, (n + 1) * sizeof *cells, "the cells of a table", r->error);
    char *name = gi_strdup(names[k], r->error);
    if (!cells || !name) {
        gi_free(cells);
        gi_free(name);
        return GLIA_NO_MEMORY;
    }
    for (size_t row = 0; row < table->rows; row++) {
        memcpy(cells + row * (n + 1), table->owned_cells + row * n, n * sizeof *cells);
        cells[row * (n + 1) + n] = row < r->n_weights ? r->weights[row] : 1;
    }
    gi_free(table->owned_cells);
    table->cells = table->owned_cells = cells;
    table->columns[n] = (gi_column){.name = name, .kind = GI_CELL_NUMBER};
    table->n_columns = n + 1;
    table->has_weights = true;
    gi_texts_free(&table->names);
    gi_free(table->of_name);
    table->of_name = NULL;
    return gi_table_index(table, r->error);
}

/* What is known once all rows are there. */
static void describe(gi_arff *r)
{
    gi_table *table = r->table;
    const char *comma = "; left out for too many or too long texts: ";
    for (size_t row = 0; row < table->rows; row++)
        for (size_t c = 0; c < table->n_columns; c++)
            table->columns[c].has_missing |= isnan(table->cells[row * table->n_columns + c]);
    int used = snprintf(table->how, sizeof table->how, "ARFF%s%s",
                        r->has_sparse_rows ? ", sparse rows" : "",
                        table->has_weights ? ", rows with weights" : "");
    const size_t last = table->n_columns - table->has_weights - 1;
    if (r->outputs[0] && strcmp(r->outputs, table->columns[last].name) != 0)
        used += snprintf(table->how + used, sizeof table->how - (size_t)used,
                         "; its @outputs are %s (table.targets chooses)", r->outputs);
    for (size_t c = 0; c <= last; c++) {
        char shown[GI_TEXT_SHOWN];
        if (!r->attributes[c].is_lost) continue;
        gi_text_show(table->columns[c].name, strlen(table->columns[c].name), shown);
        if ((size_t)used + strlen(comma) + strlen(shown) + 8 > sizeof table->how) {
            snprintf(table->how + used, sizeof table->how - (size_t)used, ", ...");
            break;
        }
        used += snprintf(table->how + used, sizeof table->how - (size_t)used, "%s%s", comma, shown);
        comma = ", ";
    }
}

static glia_status read_all(gi_arff *r, const gi_table_params *params)
{
    r->table = gi_alloc(1, sizeof *r->table, "a table", r->error);
    if (!r->table) return GLIA_NO_MEMORY;
    r->table->path = gi_strdup(r->path, r->error);
    if (!r->table->path) return GLIA_NO_MEMORY;
    glia_status status = gi_arff_read_header(r, params);
    if (!status) status = read_rows(r, params->skips_bad_rows);
    if (!status && r->n_weights > 0 && !params->ignores_unknown) status = add_weights(r);
    if (!status) describe(r);
    return status;
}

glia_status gi_arff_parse(const char *path, const uint8_t *bytes, size_t n_bytes,
                          const gi_table_params *params, gi_table **out, glia_error *error)
{
    const char *const text = (const char *)bytes;
    const size_t mark = n_bytes >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    const bool has_feeds = n_bytes > 0 && memchr(text, '\n', n_bytes) != NULL;
    gi_arff r = {.path = path,
                 .next = text + mark,
                 .end = text + n_bytes,
                 .line_feed = has_feeds ? '\n' : '\r',
                 .is_for_network = params->ignores_unknown,
                 .error = error};
    const glia_status status = read_all(&r, params);
    for (size_t c = 0; r.attributes && r.table && c < r.table->n_columns - r.table->has_weights;
         c++)
        gi_free(r.attributes[c].format);
    gi_free(r.attributes);
    gi_free(r.weights);
    gi_free(r.text);
    if (status)
        gi_table_free(r.table);
    else
        *out = r.table;
    return status;
}

glia_status gi_arff_read(const char *path, const gi_table_params *params, gi_table **out,
                         glia_error *error)
{
    gi_file file = {0};
    glia_status status = gi_gzip_open(path, &file, error);
    if (!status) status = gi_arff_parse(path, file.data, file.size, params, out, error);
    gi_file_close(&file);
    return status;
}

bool gi_arff_is(const uint8_t *bytes, size_t n_bytes)
{
    static const char *const words[] = {"@relation", "@attribute"};
    const char *at = (const char *)bytes, *end = at + n_bytes;
    if (n_bytes >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0) at += 3;
    while (at < end) {
        while (at < end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n')) at++;
        if (at == end || *at != '%') break;
        while (at < end && *at != '\n' && *at != '\r') at++;
    }
    for (size_t i = 0; i < 2; i++) {
        const size_t n = strlen(words[i]);
        if ((size_t)(end - at) > n && strncasecmp(at, words[i], n) == 0 &&
            (at[n] == ' ' || at[n] == '\t' || at[n] == '\r' || at[n] == '\n'))
            return true;
    }
    return false;
}
