/* SPDX-License-Identifier: MIT */
/* The rules about rows, the target and what gives it away. */
#include <math.h>
#include <string.h>

#include "data/survey/survey_rules.h"

enum { MOST_RATIO = 20 /* of the largest class to the smallest */ };
static const double least_skill = 0.98, least_correlation = 0.99;

/* ---- Rows ------------------------------------------------------------------------------------ */

/* Whether rows of these features are bound to repeat: there are hardly more different ones. */
static bool are_few(const gi_survey *survey, const gi_survey_view *view)
{
    double kinds = 1;
    for (size_t c = 0; c < view->table->n_columns; c++) {
        const gi_column_facts *f = &view->facts[c];
        if (survey->columns[c].role != GLIA_ROLE_FEATURE || f->is_identifier) continue;
        if (f->has_more) return false;
        kinds *= (double)(f->different + (f->missing > 0));
        if (kinds > 1e18) return false;
    }
    return kinds < 20 * (double)view->table->rows;
}

glia_status gi_survey_find_rows(gi_survey *survey, const gi_survey_view *view, glia_error *error)
{
    const gi_row_facts *rows = view->rows;
    const gi_table *table = view->table;
    const bool is_chance = are_few(survey, view);
    const char *about = rows->checked < table->rows ? "about " : "";
    glia_status status = GLIA_OK;
    if (rows->duplicates) {
        const size_t *pair = rows->duplicate;
        status = gi_survey_add(
            survey, GLIA_FINDING_DUPLICATES,
            is_chance || 100 * rows->duplicates <= table->rows ? GLIA_SEVERITY_NOTE
                                                               : GLIA_SEVERITY_WARNING,
            NULL, 0, (uint64_t[]){gi_table_line(table, pair[0]), gi_table_line(table, pair[1])},
            (double)rows->duplicates, error,
            "%s%" PRIu64 " row%s (%.1f %%) %s like an earlier one, "
            "first %s like %s%s",
            about, rows->duplicates, plural(rows->duplicates),
            percent(rows->duplicates, table->rows), rows->duplicates == 1 ? "is" : "are",
            place_of(table, pair[1]).s, place_of(table, pair[0]).s,
            is_chance
                ? ": with so few different values that is to be expected"
                : ": if it is the same one twice, remove it, or it is learned from and tested "
                  "on");
    }
    if (!status && rows->contradictions && view->plan->has_task &&
        view->plan->task != GLIA_TASK_VALUES) {
        const size_t *pair = rows->contradiction;
        status = gi_survey_add(
            survey, GLIA_FINDING_CONTRADICTIONS,
            is_chance ? GLIA_SEVERITY_NOTE : GLIA_SEVERITY_WARNING, NULL, 0,
            (uint64_t[]){gi_table_line(table, pair[0]), gi_table_line(table, pair[1])},
            (double)rows->contradictions, error,
            "%s%" PRIu64 " row%s (%.1f %%) %s like an earlier one in all features, but of another "
            "class, first %s and %s: nothing can tell %s apart",
            about, rows->contradictions, plural(rows->contradictions),
            percent(rows->contradictions, table->rows), rows->contradictions == 1 ? "is" : "are",
            place_of(table, pair[0]).s, place_of(table, pair[1]).s,
            rows->contradictions == 1 ? "the two" : "them");
    }
    if (!status && table->skipped)
        status = gi_survey_add(survey, GLIA_FINDING_BAD_ROWS, GLIA_SEVERITY_WARNING, NULL, 0, NULL,
                               (double)table->skipped, error,
                               "%zu malformed row%s left out (table.skip_bad_rows)", table->skipped,
                               table->skipped == 1 ? " was" : "s were");
    return status;
}

/* ---- The target ------------------------------------------------------------------------------ */

static glia_status find_leak(gi_survey *survey, const gi_survey_view *view, size_t column,
                             size_t target, glia_error *error)
{
    const gi_table *table = view->table;
    const bool is_class = view->plan->task != GLIA_TASK_VALUES;
    const bool are_numbers = table->columns[column].kind == GI_CELL_NUMBER && !is_class;
    double skill, accuracy, guessed;
    const glia_status status = gi_survey_skill(table, view->sample, column, target, is_class,
                                               &skill, &accuracy, &guessed, error);
    if (status) return status;
    const double r = are_numbers && view->sample->n >= GI_SURVEY_LEAST_ROWS
                         ? gi_survey_correlation(table, view->facts, view->sample, column, target)
                         : 0;
    const char *name = name_of(table, column), *of = name_of(table, target);
    const struct words option = option_of(table, &column, 1);
    static const char *const todo = "is it known before the target is? If not, table.drop";
    if (skill >= least_skill && is_class)
        return gi_survey_add(
            survey, GLIA_FINDING_LEAK, GLIA_SEVERITY_SEVERE, &column, 1, NULL, skill, error,
            "%.60s alone tells %.60s in %.4g %% of the rows that it was not learned "
            "from (guessing: %.4g %%): %s %s",
            name, of, 100 * accuracy, 100 * guessed, todo, option.s);
    if (fabs(r) > least_correlation)
        return gi_survey_add(survey, GLIA_FINDING_LEAK, GLIA_SEVERITY_SEVERE, &column, 1, NULL,
                             r * r, error, "%.60s alone tells %.60s (correlation %.4f): %s %s",
                             name, of, r, todo, option.s);
    if (skill >= least_skill)
        return gi_survey_add(
            survey, GLIA_FINDING_LEAK, GLIA_SEVERITY_SEVERE, &column, 1, NULL, skill, error,
            "%.60s alone tells %.60s (%.4g %% of its variance, in rows that it was "
            "not learned from): %s %s",
            name, of, 100 * skill, todo, option.s);
    return GLIA_OK;
}

glia_status gi_survey_find_leaks(gi_survey *survey, const gi_survey_view *view, glia_error *error)
{
    enum { MOST_TARGETS = 8 };
    const gi_table *table = view->table;
    glia_status status = GLIA_OK;
    size_t n = 0;
    for (size_t c = 0; c < table->n_columns; c++) n += is_feature(survey, c);
    for (size_t c = 0; c < table->n_columns && n > 1 && view->plan->has_task; c++) {
        const gi_column_facts *f = &view->facts[c];
        if (!is_feature(survey, c) || f->is_identifier || f->different < 1) continue;
        const size_t before = survey->shown.n_findings;
        for (size_t k = 0; k < view->plan->n_targets && k < MOST_TARGETS && !status; k++)
            if (survey->shown.n_findings == before)
                status = find_leak(survey, view, c, view->plan->targets[k], error);
        if (status) return status;
    }
    return GLIA_OK;
}

glia_status gi_survey_find_target(gi_survey *survey, const gi_survey_view *view, glia_error *error)
{
    const gi_table *table = view->table;
    glia_status status = GLIA_OK;
    for (size_t k = 0; k < view->plan->n_targets && !status; k++) {
        const size_t c = view->plan->targets[k];
        const gi_column_facts *f = &view->facts[c];
        if (f->missing) {
            char remark[GI_MISSING_REMARK];
            gi_table_remark_missing(&table->columns[c], remark);
            survey->shown.skip_bad_rows = true;
            status = gi_survey_add(
                survey, GLIA_FINDING_TARGET_MISSING,
                view->skips ? GLIA_SEVERITY_WARNING : GLIA_SEVERITY_SEVERE, &c, 1,
                (uint64_t[]){gi_table_line(table, f->first_missing), 0}, (double)f->missing, error,
                "the target %.60s is missing in %" PRIu64 " row%s, first %s%s: table.skip_bad_rows "
                "leaves such rows out",
                name_of(table, c), f->missing, plural(f->missing),
                place_of(table, f->first_missing).s, remark);
        }
        if (!status && view->plan->has_task && view->plan->task == GLIA_TASK_CLASSES &&
            view->plan->n_targets == 1 && f->present >= GI_SURVEY_LEAST_ROWS &&
            2 * f->different > f->present)
            status = gi_survey_add(
                survey, GLIA_FINDING_TARGET_UNIQUE,
                view->plan->are_classes ? GLIA_SEVERITY_WARNING : GLIA_SEVERITY_SEVERE, &c, 1, NULL,
                (double)f->different, error,
                "the target %.60s has %" PRIu64 " classes in %" PRIu64 " rows, so that hardly any "
                "has a second one: is it the right column? table.targets names another; "
                "setting loss=cross-entropy learns them all the same",
                name_of(table, c), f->different, f->present);
        if (!status && view->plan->has_task && view->plan->task == GLIA_TASK_VALUES)
            status = gi_survey_find_outlier(survey, view, c, error);
        if (!status && table->columns[c].kind == GI_CELL_TEXT)
            status = gi_survey_find_in_texts(survey, view, c, error);
    }
    return status;
}

/* A column that has the name of a target, where another one was taken for it by default. */
glia_status gi_survey_find_named_target(gi_survey *survey, const gi_survey_view *view,
                                        glia_error *error)
{
    const size_t c = gi_plan_named_target(view->table, view->plan);
    if (c == SIZE_MAX) return GLIA_OK;
    const char *name = name_of(view->table, c);
    return gi_survey_add(
        survey, GLIA_FINDING_TARGET_NAME, GLIA_SEVERITY_WARNING, &c, 1, NULL, NAN, error,
        "%.60s has the name of a target, but %.60s is taken for it, since it is "
        "the last column: if that is wrong, table.targets %s",
        name, name_of(view->table, view->plan->targets[0]), option_of(view->table, &c, 1).s);
}

glia_status gi_survey_find_classes(gi_survey *survey, glia_error *error)
{
    const glia_survey *s = &survey->shown;
    if (s->n_classes < 2) return GLIA_OK;
    size_t least = 0, most = 0, rare = 0;
    for (size_t k = 0; k < s->n_classes; k++) {
        if (s->classes[k].count < s->classes[least].count) least = k;
        if (s->classes[k].count > s->classes[most].count) most = k;
        rare += s->classes[k].count < GI_SURVEY_LEAST_CLASS;
    }
    const double ratio = (double)s->classes[most].count /
                         (double)(s->classes[least].count ? s->classes[least].count : 1);
    glia_status status = GLIA_OK;
    if (rare)
        status =
            gi_survey_add(survey, GLIA_FINDING_RARE_CLASS, GLIA_SEVERITY_WARNING, NULL, 0, NULL,
                          (double)rare, error,
                          "%zu class%s less than %d rows, \"%.60s\" %" PRIu64 ": too few to learn "
                          "and to test; get more, or join classes",
                          rare, rare == 1 ? " has" : "es have", (int)GI_SURVEY_LEAST_CLASS,
                          s->classes[least].text, s->classes[least].count);
    if (!status && ratio > MOST_RATIO) {
        survey->shown.balance_classes = s->n_classes <= 1000;
        status = gi_survey_add(
            survey, GLIA_FINDING_IMBALANCE, GLIA_SEVERITY_WARNING, NULL, 0, NULL, ratio, error,
            "class \"%.60s\" has %" PRIu64 " row%s, class \"%.60s\" %" PRIu64
            ": a network that never predicts \"%.60s\" has a high accuracy; "
            "setting class-weights=balanced gives rare classes more weight, at the price "
            "of accuracy",
            s->classes[most].text, s->classes[most].count, s->classes[most].count == 1 ? "" : "s",
            s->classes[least].text, s->classes[least].count, s->classes[least].text);
    }
    return status;
}
