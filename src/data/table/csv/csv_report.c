/* SPDX-License-Identifier: MIT */
/* What is wrong with a row, as messages: what was found where, what was expected, what to do. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "data/table/csv/csv_parts.h"

/* How numbers of a form are written. */
static const char *name_form(const gi_number_form *form)
{
    if (form->decimal == ',')
        return form->thousands == '.' ? "a number with a decimal comma (1.234,5)"
                                      : "a number with a decimal comma (12,5)";
    return form->thousands == ',' ? "a number with a decimal point (1,234.5)" : "a number";
}

enum { ADVICE = 1280 };

/* What to do about a cell that is no number. */
static void advise_number(const gi_csv_form *form, const gi_csv_problem *problem, const char *name,
                          const char *option, bool is_first, char advice[ADVICE])
{
    const char *shown = problem->shown;
    const size_t n = strspn(shown, "+-0123456789.,' ");
    const bool is_other_form = n > 0 && !shown[n] && strpbrk(shown, ".,'");
    char word[GI_TEXT_SHOWN + 64] = "";
    if (is_other_form)
        snprintf(word, sizeof word,
                 "table.decimal and table.thousands say how numbers are written, ");
    else if (!strpbrk(shown, ",'\"\\ ") && !strstr(shown, "..."))
        snprintf(word, sizeof word, "table.missing %s reads it as missing, ", shown);
    else
        snprintf(word, sizeof word, "table.missing says which words mean missing, ");
    if (form->is_for_network)
        snprintf(advice, ADVICE, "since the network learned %s as numbers; correct it, %s", name,
                 word);
    else
        snprintf(
            advice, ADVICE,
            "correct it, %s%sor take the column as categories with table.categorical %s, or leave "
            "it out with table.drop %s, ",
            is_first ? "take the row out if it has units, " : "", word, option, option);
}

static const char skip[] = "or leave such rows out with table.skip_bad_rows";

/* Of a cell in a column of numbers. */
static glia_status report_number(const gi_csv_form *form, const gi_csv_problem *problem,
                                 uint64_t line, const char *cell, const char *name,
                                 const char *option, glia_error *error)
{
    char advice[ADVICE];
    const char *shown = problem->shown;
    if (problem->fault == GI_CSV_TOO_LARGE)
        return gi_fail(
            error, GLIA_BAD_FORMAT,
            "%s: found %s, expected a number up to 1.8e308, the largest there is; "
            "correct it, %s%s%s%s",
            cell, shown,
            form->is_for_network ? "" : "or take the column as categories with table.categorical ",
            form->is_for_network ? "" : option, form->is_for_network ? "" : ", ", skip);
    advise_number(form, problem, name, option,
                  form->has_header && line + problem->line == form->line, advice);
    const bool may_be_header = !form->has_header && line + problem->line == form->line;
    return gi_fail(
        error, GLIA_BAD_FORMAT, "%s: found \"%s\", expected %s; %s%s%s", cell, shown,
        gi_csv_is_infinity(shown, strlen(shown)) ? "a finite number"
        : form->columns                          ? name_form(&form->columns[problem->column].form)
                                                 : "a number",
        may_be_header ? "if this line has the names of the columns, table.header=1; else " : "",
        advice, skip);
}

glia_status gi_csv_report(const gi_csv_form *form, const gi_csv_problem *problem, uint64_t line,
                          glia_error *error)
{
    const char *shown = problem->shown;
    char name[GI_TEXT_SHOWN] = "", row[256], cell[384], drop[GI_OPTION_NAMES + 48] = "";
    if (form->columns && problem->column < form->n_columns)
        gi_text_show(form->columns[problem->column].name,
                     strlen(form->columns[problem->column].name), name);
    char option[GI_OPTION_NAMES] = "";
    if (name[0]) gi_table_option(form->columns, &problem->column, 1, option);
    if (!form->is_for_network)
        snprintf(drop, sizeof drop, "leave the column out with table.drop %s, ", option);
    snprintf(row, sizeof row, "%.200s, line %" PRIu64, form->path, line + problem->line);
    snprintf(cell, sizeof cell, "%s, %s%s", row, gi_column_word(name), name);
    switch (problem->fault) {
    case GI_CSV_RAGGED:
        return gi_fail(
            error, GLIA_BAD_FORMAT, "%s: found %zu cell%s, expected %zu as in line %s; %s, %s", row,
            problem->n_cells, problem->n_cells == 1 ? "" : "s", form->n_columns, form->first_line,
            form->has_header && line + problem->line == form->line &&
                    problem->n_cells == form->n_columns + 1
                ? "give the header a name for each column (the first may lack it), or "
                  "correct the row"
                : "correct the row",
            skip);
    case GI_CSV_OPEN_QUOTE:
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: found a quote that is not closed until the end of the file (%s), "
                       "expected a closing one; close it, or write a quote within quotes twice",
                       row, shown);
    case GI_CSV_LONG_ROW:
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: found a row of more than %d bytes, expected a shorter one; is a quote "
                       "left open?",
                       row, (int)GI_MAX_ROW_BYTES);
    case GI_CSV_NOT_NUMBER:
    case GI_CSV_TOO_LARGE:
        return report_number(form, problem, line, cell, name, option, error);
    case GI_CSV_NOT_UTF8:
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte %" PRIu64
                       ": found \"%s\", expected UTF-8; convert the file (iconv "
                       "-f LATIN1 -t UTF-8, if it is Latin-1), %s%s",
                       cell, problem->byte, shown, drop, skip);
    case GI_CSV_NUL:
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte %" PRIu64
                       ": found a zero byte (\"%s\"), expected text; is the file "
                       "damaged? Correct it, %s",
                       cell, problem->byte, shown, skip);
    case GI_CSV_TOO_MANY_TEXTS:
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: found more than %d different texts up to here, expected categories%s%s",
                       cell, (int)GI_MAX_TEXTS,
                       form->is_for_network ? ", as the network learned them"
                                            : "; leave the column out with table.drop ",
                       form->is_for_network ? "" : option);
    case GI_CSV_LONG_TEXT:
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: found a text of more than %d bytes, expected a category%s%s", cell,
                       (int)GI_MAX_TEXT_BYTES,
                       form->is_for_network ? ", as the network learned them"
                                            : "; leave the column out with table.drop ",
                       form->is_for_network ? "" : option);
    case GI_CSV_FINE:
        break;
    }
    return GLIA_OK;
}

glia_status gi_csv_report_text(const gi_csv_form *form, const gi_csv_lot *lot,
                               const gi_csv_new_text *text, gi_csv_fault fault, uint64_t line,
                               glia_error *error)
{
    gi_csv_problem problem = {.fault = fault, .column = text->column};
    for (size_t i = 0; i < lot->n_marks && lot->marks[i].row <= text->row; i++)
        problem.line = lot->marks[i].line + (text->row - lot->marks[i].row);
    return gi_csv_report(form, &problem, line, error);
}
