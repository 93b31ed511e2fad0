/* SPDX-License-Identifier: MIT */
/* What the texts of a column look like: numbers and dates that are not written as such, words for
 * nothing. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "data/survey/survey_rules.h"

enum { MOST_DATES = 31 }; /* different ones that may be categories */

/* Cells of a column by what their texts look like. */
struct looks {
    uint64_t cells[GI_LOOKS];
    size_t first[GI_LOOKS]; /* the code of the first text that looks so */
    uint64_t numbers;       /* cells of all looks that are numbers in some way */
};

static struct looks look_at(const gi_texts *texts, const gi_column_facts *f)
{
    struct looks looks = {0};
    for (size_t code = 0; code < texts->n; code++) {
        if (!f->counts[code]) continue; /* a sample has not all of them */
        const gi_text_look look = gi_look_at_text(texts->text[code]);
        if (!looks.cells[look]) looks.first[look] = code;
        looks.cells[look] += f->counts[code];
    }
    const char *unit = gi_unit_of_text(texts->n ? texts->text[looks.first[GI_LOOK_UNIT]] : "");
    for (size_t code = 0; code < texts->n && looks.cells[GI_LOOK_UNIT]; code++) {
        /* Of several units the numbers are none. */
        if (gi_look_at_text(texts->text[code]) != GI_LOOK_UNIT) continue;
        if (strcmp(gi_unit_of_text(texts->text[code]), unit) == 0) continue;
        looks.cells[GI_LOOK_TEXT] += looks.cells[GI_LOOK_UNIT];
        looks.cells[GI_LOOK_UNIT] = 0;
    }
    for (gi_text_look look = GI_LOOK_NUMBER; look <= GI_LOOK_UNIT; look++)
        looks.numbers += looks.cells[look];
    return looks;
}

/* Of dates that are not read as such: a target, or dates of several forms. */
static glia_status find_dates(gi_survey *survey, const gi_survey_view *view, size_t column,
                              const struct looks *looks, glia_error *error)
{
    const gi_table *table = view->table;
    const gi_column_facts *f = &view->facts[column];
    const size_t code = looks->first[GI_LOOK_DATE];
    const char *text = table->columns[column].texts.text[code];
    const uint64_t lines[] = {gi_table_line(table, f->first_rows[code]), 0};
    const double part = percent(looks->cells[GI_LOOK_DATE], f->present) / 100;
    if (survey->columns[column].role == GLIA_ROLE_TARGET)
        return view->plan->are_classes
                   ? GLIA_OK
                   : gi_survey_add(survey, GLIA_FINDING_DATES, GLIA_SEVERITY_WARNING, &column, 1,
                                   lines, part, error,
                                   "the target %.60s has dates or times (such as %.40s), each of "
                                   "which is a class: write them as numbers (days or hours since "
                                   "the first, say) to learn them as values",
                                   name_of(table, column), text);
    if (is_feature(survey, column) && f->different > MOST_DATES)
        survey->columns[column].drop = true;
    return gi_survey_add(
        survey, GLIA_FINDING_DATES, GLIA_SEVERITY_WARNING, &column, 1, lines, part, error,
        "%.60s has dates or times of several forms (such as %.40s) and is read as "
        "texts, each for itself: write all of them as year-month-day, or table.drop "
        "%s",
        name_of(table, column), text, option_of(table, &column, 1).s);
}

glia_status gi_survey_find_numbers(gi_survey *survey, const gi_survey_view *view, size_t column,
                                   glia_error *error)
{
    static const char *const said[GI_LOOKS] = {
        [GI_LOOK_THOUSANDS] = "write them without commas between thousands",
        [GI_LOOK_COMMA] = "write them with a decimal point, and nothing between thousands",
        [GI_LOOK_CURRENCY] = "write them without the sign of a currency",
        [GI_LOOK_PERCENT] = "write them without the percent sign",
        [GI_LOOK_UNIT] = "write them without the unit",
    };
    const gi_texts *texts = &view->table->columns[column].texts;
    const gi_column_facts *f = &view->facts[column];
    const bool is_named = view->plan->columns && view->plan->columns[column].is_named;
    if (f->present < GI_SURVEY_LEAST_CLASS) return GLIA_OK;
    const struct looks looks = look_at(texts, f);
    gi_text_look most = GI_LOOK_THOUSANDS;
    for (gi_text_look look = most; look <= GI_LOOK_UNIT; look++)
        if (looks.cells[look] > looks.cells[most]) most = look;

    if (10 * looks.cells[GI_LOOK_DATE] >= 9 * f->present)
        return is_named ? GLIA_OK : find_dates(survey, view, column, &looks, error);
    const double part = percent(looks.numbers, f->present);
    const bool drops = is_feature(survey, column) && gi_survey_are_many(f);
    if (10 * looks.numbers >= 8 * f->present && looks.cells[most] > 0) {
        const size_t code = looks.first[most];
        survey->columns[column].drop |= drops; /* as long as they are texts */
        return gi_survey_add(survey, GLIA_FINDING_NUMBERS_AS_TEXT, GLIA_SEVERITY_WARNING, &column,
                             1, (uint64_t[]){gi_table_line(view->table, f->first_rows[code]), 0},
                             part / 100, error,
                             "%.60s is read as texts, but has numbers such as %.40s (%s): %s",
                             name_of(view->table, column), texts->text[code],
                             place_of(view->table, f->first_rows[code]).s, said[most]);
    }
    /* Numbers with something else between them. */
    if (2 * looks.cells[GI_LOOK_NUMBER] >= f->present && looks.cells[GI_LOOK_TEXT] > 0 &&
        !survey->columns[column].categorical) {
        const size_t code = looks.first[GI_LOOK_TEXT];
        survey->columns[column].drop |= drops;
        return gi_survey_add(survey, GLIA_FINDING_NUMBERS_AS_TEXT, GLIA_SEVERITY_WARNING, &column,
                             1, (uint64_t[]){gi_table_line(view->table, f->first_rows[code]), 0},
                             part / 100, error,
                             "%.60s is read as texts, though %.0f %% of its cells are numbers: "
                             "others are such as \"%.40s\" (%s); correct them, or leave them empty "
                             "(missing)",
                             name_of(view->table, column), part, texts->text[code],
                             place_of(view->table, f->first_rows[code]).s);
    }
    return GLIA_OK;
}

/* Of a column whose dates are read as numbers. */
glia_status gi_survey_note_dates(gi_survey *survey, const gi_survey_view *view, size_t column,
                                 glia_error *error)
{
    const gi_column_plan *plan = &view->plan->columns[column];
    const gi_texts *texts = &view->table->columns[column].texts;
    const bool has_zero = gi_texts_find(texts, "0000-00-00", 10) != SIZE_MAX ||
                          gi_texts_find(texts, "0000-00-00 00:00:00", 19) != SIZE_MAX;
    return gi_survey_add(
        survey, GLIA_FINDING_DATES, plan->is_ambiguous ? GLIA_SEVERITY_WARNING : GLIA_SEVERITY_NOTE,
        &column, 1, NULL, NAN, error, "%.60s has %s (%s), which are read as %zu number%s%s%s%s%s",
        name_of(view->table, column), plan->form == GI_DATE_TIME ? "times" : "dates",
        gi_date_form_text(plan->form), survey->columns[column].features,
        plural(survey->columns[column].features),
        has_zero ? ", and 0000-00-00, which is read as missing" : "",
        plan->is_ambiguous ? ": no date shows whether the day or the month comes first, so write "
                             "them as year-month-day if this is wrong"
                           : "; table.categorical ",
        plan->is_ambiguous ? "" : option_of(view->table, &column, 1).s,
        plan->is_ambiguous ? "" : " reads them as texts");
}

static glia_status find_missing_word(gi_survey *survey, const gi_survey_view *view, size_t column,
                                     glia_error *error)
{
    const gi_texts *texts = &view->table->columns[column].texts;
    const gi_column_facts *f = &view->facts[column];
    for (size_t code = 0; code < texts->n; code++) {
        if (!f->counts[code] || !gi_says_missing(texts->text[code])) continue;
        return gi_survey_add(survey, GLIA_FINDING_MISSING_WORD, GLIA_SEVERITY_NOTE, &column, 1,
                             (uint64_t[]){gi_table_line(view->table, f->first_rows[code]), 0},
                             (double)f->counts[code], error,
                             "%.60s has \"%s\" in %" PRIu64
                             " row%s (first %s), which is read as a category: if it "
                             "means that nothing is known, leave the cell empty",
                             name_of(view->table, column), texts->text[code], f->counts[code],
                             plural(f->counts[code]), place_of(view->table, f->first_rows[code]).s);
    }
    return GLIA_OK;
}

static glia_status find_similar(gi_survey *survey, const gi_survey_view *view, size_t column,
                                glia_error *error)
{
    const gi_texts *texts = &view->table->columns[column].texts;
    const gi_column_facts *f = &view->facts[column];
    size_t n_slots = 16, first = SIZE_MAX, like = SIZE_MAX;
    while (n_slots < 2 * texts->n) n_slots *= 2;
    uint32_t *slots = gi_alloc(n_slots, sizeof *slots, "a survey", error); /* code + 1 */
    if (!slots) return GLIA_NO_MEMORY;
    for (size_t code = 0; code < texts->n && first == SIZE_MAX; code++) {
        size_t i = gi_similar_hash(texts->text[code]) & (n_slots - 1);
        for (; slots[i] && first == SIZE_MAX; i = (i + 1) & (n_slots - 1))
            if (gi_are_similar(texts->text[code], texts->text[slots[i] - 1])) {
                first = slots[i] - 1;
                like = code;
            }
        slots[i] = (uint32_t)code + 1;
    }
    gi_free(slots);
    if (first == SIZE_MAX) return GLIA_OK;
    return gi_survey_add(survey, GLIA_FINDING_SIMILAR_TEXTS, GLIA_SEVERITY_NOTE, &column, 1,
                         (uint64_t[]){gi_table_line(view->table, f->first_rows[like]), 0}, NAN,
                         error,
                         "%.60s has \"%.60s\" (%s) and \"%.60s\", which are two categories: write "
                         "them alike if they are the same",
                         name_of(view->table, column), texts->text[like],
                         place_of(view->table, f->first_rows[like]).s, texts->text[first]);
}

glia_status gi_survey_find_in_texts(gi_survey *survey, const gi_survey_view *view, size_t column,
                                    glia_error *error)
{
    const size_t before = survey->shown.n_findings;
    glia_status status = gi_survey_find_numbers(survey, view, column, error);
    if (status || survey->shown.n_findings > before) return status;
    status = find_missing_word(survey, view, column, error);
    return status ? status : find_similar(survey, view, column, error);
}
