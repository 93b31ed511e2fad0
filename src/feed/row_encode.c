/* SPDX-License-Identifier: MIT */
/*
 * A row of the caller's as the network reads it. It is read as a file of this row alone would be,
 * so that there is one rule for numbers, categories, dates and missing cells.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/encoding/encoding.h"
#include "data/table/csv/csv.h"
#include "feed/input_form.h"

static const char name_of_row[] = "the row";

enum { NUMBER_BYTES = 32 };

/* Text in quotes; returns its end. */
static char *put_quoted(char *at, const char *text)
{
    *at++ = '"';
    for (; *text; text++) {
        if (*text == '"') *at++ = '"';
        *at++ = *text;
    }
    *at++ = '"';
    return at;
}

/* A number with this decimal sign, whatever the locale has. */
static void write_number(double number, char decimal, char text[NUMBER_BYTES])
{
    char printed[NUMBER_BYTES];
    size_t n = 0;
    snprintf(printed, sizeof printed, "%.17g", number);
    for (const char *c = printed; *c; c++) {
        const bool is_decimal = !strchr("0123456789+-e", *c);
        if (!is_decimal || n == 0 || text[n - 1] != decimal) text[n++] = is_decimal ? decimal : *c;
    }
    text[n] = '\0';
}

/* The columns whose numbers have a decimal comma in the file that was learned from. */
static glia_status find_commas(const gi_schema *schema, gi_texts *out, glia_error *error)
{
    glia_status status = GLIA_OK;
    size_t code;
    for (size_t j = 0; j < schema->n_columns && !status; j++)
        if (schema->columns[j].form.decimal == ',')
            status = gi_texts_add(out, schema->columns[j].name, strlen(schema->columns[j].name),
                                  &code, error);
    return status;
}

/* A header and the row, (*n) bytes to be freed; NULL: no memory. */
static char *write_row(const gi_schema *schema, const glia_cell *cells, size_t n_cells, size_t *n,
                       glia_error *error)
{
    size_t bytes = 0;
    for (size_t c = 0; c < n_cells; c++)
        bytes += 2 * strlen(cells[c].column) + 6 +
                 (cells[c].text ? 2 * strlen(cells[c].text) : NUMBER_BYTES);
    gi_texts commas = {0};
    char *text = gi_alloc(bytes + 1, 1, name_of_row, error), *at = text;
    if (!text || find_commas(schema, &commas, error)) {
        gi_texts_free(&commas);
        gi_free(text);
        return NULL;
    }
    for (size_t c = 0; c < n_cells; c++) {
        at = put_quoted(at, cells[c].column);
        *at++ = c + 1 < n_cells ? ',' : '\n';
    }
    for (size_t c = 0; c < n_cells; c++) {
        char number[NUMBER_BYTES] = "";
        const char *name = cells[c].column;
        const bool has_comma = gi_texts_find(&commas, name, strlen(name)) != SIZE_MAX;
        if (!cells[c].text && !isnan(cells[c].number))
            write_number(cells[c].number, has_comma ? ',' : '.', number);
        at = put_quoted(at, cells[c].text ? cells[c].text : number);
        *at++ = c + 1 < n_cells ? ',' : '\n';
    }
    gi_texts_free(&commas);
    *n = (size_t)(at - text);
    return text;
}

glia_status glia_network_encode(const glia_network *network, const glia_cell *cells, size_t n,
                                float *x, size_t n_inputs, glia_error *error)
{
    const glia_table_params params = {.separator = ',', .header = 1};
    gi_table_params how = gi_table_params_of(&params, 1);
    gi_reading reading = gi_network_reading(network);
    gi_known_columns known = {0};
    gi_table *table = NULL;
    glia_dataset *dataset = NULL;
    size_t n_bytes = 0;
    if (!network->schema)
        return gi_fail(
            error, GLIA_MISMATCH,
            "the network knows no columns: its %zu inputs are numbers as they are, which "
            "glia_predict takes",
            gi_network_inputs(network));
    if (n == 0) return gi_fail(error, GLIA_BAD_ARGUMENT, "the row has no cells");
    const glia_status fits = gi_check_length("inputs", n_inputs, gi_network_inputs(network), error);
    if (fits) return fits;
    reading.ignores_targets = true;
    reading.id = NULL;
    char *text = write_row(network->schema, cells, n, &n_bytes, error);
    glia_status status =
        text ? gi_known_of_reading(&reading, &params, true, &known, error) : GLIA_NO_MEMORY;
    if (!status) {
        gi_table_params_read_like(&how, network->schema);
        how.known = known.columns;
        how.n_known = known.n;
        status = gi_csv_parse(name_of_row, (const uint8_t *)text, n_bytes, &how, &table, error);
    }
    if (!status)
        status = gi_dataset_of_table(table, name_of_row, &params, &reading, &dataset, error);
    if (!status) status = glia_dataset_sample(dataset, 0, x, n_inputs, NULL, error);
    glia_dataset_free(dataset);
    gi_free(known.columns);
    gi_free(text);
    return status;
}
