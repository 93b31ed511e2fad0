/* SPDX-License-Identifier: MIT */
/*
 * How the numbers of each column are written: with which decimal sign, and which sign between
 * thousands. 1,5 is a decimal comma, 1,234,567 has commas between thousands; 1,234 can be either,
 * and the rest of its column and then of the file decides.
 */
#include <stdio.h>
#include <string.h>

#include "data/table/csv/csv_head.h"

enum sign { POINT, COMMA, BLANK, APOSTROPHE };
static const char signs[] = {'.', ',', ' ', '\''};

/* What numbers of the whole file show. */
struct file_signs {
    bool has_decimal_comma, has_decimal_point, has_point_thousands, has_comma_thousands;
};

static bool is_judged(const gi_csv_form *form, size_t c)
{
    return form->columns[c].kind == GI_CELL_NUMBER && !form->columns[c].form.decimal;
}

static struct file_signs look_at_file(const gi_csv_form *form, const gi_csv_evidence *evidence)
{
    struct file_signs file = {0};
    for (size_t c = 0; c < form->n_columns; c++) {
        if (!is_judged(form, c)) continue;
        const gi_csv_numbers *seen = &evidence->guesses[c].seen;
        file.has_decimal_comma |= seen->n_commas > 0;
        file.has_decimal_point |= seen->n_points > 0;
        file.has_point_thousands |= seen->n_thousands[POINT] > 0;
        file.has_comma_thousands |= seen->n_thousands[COMMA] > 0;
    }
    return file;
}

/* Whether short numbers without a sign stand beside those in groups, and none that is too long:
 * 850 beside 1,031. Numbers with three decimals would mostly have fewer than three here and there.
 */
static bool look_like_thousands(const gi_csv_numbers *seen)
{
    return seen->n_whole > 1 && seen->n_long == 0;
}

/* Of a column with 1,031 and its like, and nothing that tells more: 1 thousands, 0 decimals, -1
 * either. */
static int judge_commas(const gi_csv_form *form, const gi_table_params *params,
                        const gi_csv_numbers *seen, const struct file_signs *file)
{
    if (params->form.decimal) return params->form.decimal != ',';
    if (params->form.thousands) return params->form.thousands == ',';
    if (seen->n_points) return 1;
    if (file->has_decimal_comma != file->has_comma_thousands) return file->has_comma_thousands;
    if (file->has_decimal_comma) return -1;
    if (seen->n_long) return -1;
    /* Whoever separates by commas writes decimals with points. */
    return form->dialect.separator == ',' || look_like_thousands(seen) ? 1 : -1;
}

/* The same of points, which are decimals unless something speaks for thousands. */
static int judge_points(const gi_table_params *params, const gi_csv_numbers *seen,
                        const struct file_signs *file, bool has_decimal_comma)
{
    if (seen->n_points) return 0;
    if (has_decimal_comma) return 1; /* of this column: its points are nothing else */
    if (params->form.thousands) return params->form.thousands == '.';
    if (params->form.decimal) return params->form.decimal == ',';
    if (file->has_point_thousands) return 1;
    if (!file->has_decimal_comma) return 0;
    if (file->has_decimal_point) return look_like_thousands(seen) ? -1 : 0;
    return look_like_thousands(seen) ? 1 : -1;
}

/* The form of a column, or {0, 0} with what can be either in *what. */
static gi_number_form form_of(const gi_csv_form *form, const gi_table_params *params,
                              const gi_csv_numbers *seen, const struct file_signs *file,
                              const char **what)
{
    bool comma_decimals = seen->n_commas > 0, comma_thousands = seen->n_thousands[COMMA] > 0;
    bool point_thousands = seen->n_thousands[POINT] > 0;
    *what = "1,234, whose comma can stand before decimals or between thousands";
    if (seen->n_comma_groups && !comma_decimals && !comma_thousands) {
        const int judged = judge_commas(form, params, seen, file);
        if (judged < 0) return (gi_number_form){0};
        comma_thousands = judged;
        comma_decimals = !judged;
    }
    if (seen->n_point_groups && !point_thousands && !comma_thousands) {
        *what = "1.234, whose point can stand before decimals or between thousands";
        const int judged = judge_points(params, seen, file, comma_decimals);
        if (judged < 0) return (gi_number_form){0};
        point_thousands = judged;
    }
    const bool has_points = seen->n_points || (seen->n_point_groups && !point_thousands);
    *what = "numbers with decimal points beside others with decimal commas";
    const bool is_torn = (has_points && (comma_decimals || point_thousands)) ||
                         (comma_thousands && (comma_decimals || point_thousands));
    if (is_torn) return params->form; /* whose exceptions are found when they are read */
    const bool is_usual = params->form.decimal != ',' || has_points || comma_thousands;
    gi_number_form found = {comma_decimals || point_thousands || !is_usual ? ',' : '.', 0};
    if (comma_thousands) found.thousands = ',';
    if (point_thousands) found.thousands = '.';
    for (int i = BLANK; i <= APOSTROPHE; i++)
        if (seen->n_thousands[i] > 0) found.thousands = signs[i];
    if (!found.thousands && params->form.thousands != found.decimal)
        found.thousands = params->form.thousands;
    return found;
}

/* ", NAME" to a list of columns in how. */
static void add_name(gi_csv_form *form, size_t c, bool is_first, const char *title)
{
    char shown[GI_TEXT_SHOWN];
    gi_text_show(form->columns[c].name, strlen(form->columns[c].name), shown);
    gi_csv_say(form, "%s%s", is_first ? title : ", ", shown);
}

static void say_forms(gi_csv_form *form, const gi_csv_evidence *evidence)
{
    static const char *const titles[] = {
        "; decimal commas: ", "; points between thousands: ", "; commas between thousands: ",
        "; blanks between thousands: ", "; apostrophes between thousands: "};
    for (int i = -1; i <= APOSTROPHE; i++) {
        bool is_first = true;
        for (size_t c = 0; c < form->n_columns; c++) {
            const gi_csv_numbers *seen = &evidence->guesses[c].seen;
            const gi_number_form *of = &form->columns[c].form;
            const bool is_grouped = seen->n_thousands[POINT] + seen->n_thousands[COMMA] +
                                        seen->n_thousands[BLANK] + seen->n_thousands[APOSTROPHE] +
                                        seen->n_comma_groups + seen->n_point_groups >
                                    0;
            if (form->columns[c].kind != GI_CELL_NUMBER) continue;
            if (i < 0 ? of->decimal != ',' : of->thousands != signs[i] || !is_grouped) continue;
            add_name(form, c, is_first, titles[i + 1]);
            is_first = false;
        }
    }
}

/* What was asked for, as far as it follows from that. */
static gi_number_form complete(gi_number_form form)
{
    if (form.thousands == '.' && !form.decimal) form.decimal = ',';
    if (form.thousands == ',' && !form.decimal) form.decimal = '.';
    return form;
}

/* As a network learned them, unless it is asked for otherwise. */
static gi_number_form form_of_known(gi_number_form known, gi_number_form asked)
{
    if (asked.decimal) return asked;
    if (asked.thousands) known.thousands = asked.thousands;
    return known;
}

static glia_status fail_form(const gi_csv_form *form, const char *name, const char *what,
                             glia_error *error)
{
    return gi_fail(
        error, GLIA_BAD_FORMAT,
        "%s, %s%s: found %s%s, expected numbers that can be read in one way; say "
        "which sign stands before decimals (table.decimal , or table.decimal .), or between "
        "thousands (table.thousands , or table.thousands .)",
        form->path, strncmp(name, "column ", 7) == 0 ? "" : "column ", name,
        *what == '1' ? "numbers such as " : what, *what == '1' ? what : "");
}

glia_status gi_csv_find_number_forms(gi_csv_form *form, const gi_table_params *params,
                                     const gi_csv_evidence *evidence, glia_error *error)
{
    const struct file_signs file = look_at_file(form, evidence);
    gi_table_params asked = *params;
    asked.form = complete(params->form);
    for (size_t c = 0; c < form->n_columns; c++) {
        gi_number_form *of = &form->columns[c].form;
        if (form->columns[c].kind != GI_CELL_NUMBER) continue;
        if (of->decimal) {
            *of = form_of_known(*of, asked.form);
            continue;
        }
        const gi_csv_numbers *seen = &evidence->guesses[c].seen;
        const char *what;
        *of = form_of(form, &asked, seen, &file, &what);
        char shown[GI_TEXT_SHOWN];
        gi_text_show(form->columns[c].name, strlen(form->columns[c].name), shown);
        if (!of->decimal) return fail_form(form, shown, what, error);
        if (of->decimal == '.' && !of->thousands && !params->form.decimal && seen->n_points == 0 &&
            seen->n_point_groups > 2 && form->dialect.separator != ',' && seen->n_long == 0)
            gi_csv_say(form,
                       "; %s: points are read as decimal points, table.thousands . reads them "
                       "as thousands",
                       shown);
    }
    if (!params->ignores_unknown) say_forms(form, evidence);
    return GLIA_OK;
}
