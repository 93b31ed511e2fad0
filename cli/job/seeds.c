/* SPDX-License-Identifier: MIT */
/* Several seeds or folds, summed up. */
#include "job/seeds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "job/spread.h"
#include "shell/output.h"

/* The spread is over the runs, so a run is a figure alone. */
static void print_score(const glia_metrics *score)
{
    printf(" test %s", show_score(score).s);
    if (isfinite(score->roc_auc)) printf(", ROC AUC %s", show_number(score->roc_auc).s);
}

static void print_run(const struct seeds *s, uint64_t number, const glia_train_result *r,
                      const glia_metrics *score)
{
    printf("%s%s    %s   %llu:", style_begin(stdout, STYLE_DIM), s->are_folds ? "fold" : "seed",
           style_end(stdout), (unsigned long long)number);
    if (r->stop == GLIA_STOP_DIVERGED)
        printf(" diverged");
    else if (r->stop == GLIA_STOP_CANCELLED)
        printf(" interrupted");
    else if (isfinite(score->loss))
        print_score(score);
    else if (isfinite(r->train_rmse))
        printf(" train RMSE %s", show_number(r->train_rmse).s);
    else
        printf(" train %s", show_percent(r->train_accuracy).s);
    if (isfinite(r->validation_accuracy) && r->stop != GLIA_STOP_DIVERGED)
        printf(", validation %s", show_percent(r->validation_accuracy).s);
    if (isfinite(r->validation_rmse) && r->stop != GLIA_STOP_DIVERGED)
        printf(", validation RMSE %s", show_number(r->validation_rmse).s);
    printf(", %s\n", show_duration(r->seconds).s);
    fflush(stdout); /* the next one may take an hour */
}

void seeds_add(struct seeds *s, uint64_t number, const glia_train_result *result,
               const glia_metrics *score, const glia_network *network, json_t *outcome)
{
    if (s->outcomes == NULL) {
        s->outcomes = json_need(json_array());
        s->test = need_memory(s->n, sizeof *s->test);
        s->other = need_memory(s->n, sizeof *s->other);
        s->validation = need_memory(s->n, sizeof *s->validation);
        s->seconds = need_memory(s->n, sizeof *s->seconds);
        s->roc_auc = need_memory(s->n, sizeof *s->roc_auc);
        s->balanced = need_memory(s->n, sizeof *s->balanced);
    }
    json_push(s->outcomes, outcome);
    if (s->printed) print_run(s, number, result, score);
    if (result->stop == GLIA_STOP_DIVERGED) s->n_failed++;
    if (result->stop != GLIA_STOP_EPOCHS && result->stop != GLIA_STOP_EARLY) return;
    s->has_values = isfinite(result->train_rmse);
    s->test[s->n_done] = s->has_values ? score->rmse : score->accuracy;
    s->other[s->n_done] = s->has_values ? score->r2 : 1 - score->accuracy;
    s->validation[s->n_done] =
        s->has_values ? result->validation_rmse : result->validation_accuracy;
    s->roc_auc[s->n_done] = score->roc_auc;
    s->balanced[s->n_done] = score->balanced_accuracy;
    s->is_imbalanced = s->is_imbalanced || score_is_imbalanced(score);
    s->majority = show_majority(score, network);
    s->seconds[s->n_done++] = result->seconds;
}

static void add_row(struct table *table, const char *name, spread s, words (*show)(double))
{
    const double figures[] = {s.mean, s.deviation, s.error, s.min, s.median, s.max};
    if (s.n == 0) return;
    table_add(table, STYLE_PLAIN, "%s", name);
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        table_add(table, i == 0 ? STYLE_BOLD : STYLE_PLAIN, "%s",
                  isfinite(figures[i]) ? show(figures[i]).s : "–");
}

void seeds_print(const struct seeds *s)
{
    static const char *const headings[] = {"",       "mean",   "std deviation", "std error",
                                           "lowest", "median", "highest"};
    char title[64];
    snprintf(title, sizeof title, "%zu %s%s", s->n_done, s->are_folds ? "fold" : "seed",
             s->n_done == 1 ? "" : "s");
    if (s->n_done > 0) {
        const char *named[sizeof headings / sizeof *headings];
        memcpy(named, headings, sizeof named);
        named[0] = title;
        struct table *table = table_new("lrrrrrr", named);
        const spread test = spread_of(s->test, s->n_done);
        const spread other = spread_of(s->other, s->n_done);
        const spread validation = spread_of(s->validation, s->n_done);
        if (s->has_values) {
            add_row(table, "test RMSE", test, show_number);
            add_row(table, "test R2", other, show_number);
            add_row(table, "validation RMSE", validation, show_number);
        } else {
            add_row(table, "test accuracy", test, show_percent);
            add_row(table, "test error", other, show_percent);
            add_row(table, "test ROC AUC", spread_of(s->roc_auc, s->n_done), show_number);
            if (s->is_imbalanced)
                add_row(table, "balanced accuracy", spread_of(s->balanced, s->n_done),
                        show_percent);
            add_row(table, "validation accuracy", validation, show_percent);
        }
        printf("\n");
        table_print(table, stdout, "546");
        table_free(table);
    }
    if (s->n_done > 0 && s->majority.s[0] != '\0' &&
        (s->is_imbalanced || isfinite(s->roc_auc[0]))) {
        printf("\n");
        print_clean(stdout, s->majority.s);
        printf("\n");
    }
    if (s->n_failed > 0)
        printf("\n%zu of %zu diverged%s\n", s->n_failed, s->n,
               s->n_done > 0 ? ", which are not in these figures" : "");
}

json_t *seeds_json(const struct seeds *s)
{
    json_t *o = json_need(json_object()), *summary = json_need(json_object());
    const struct {
        const char *key;
        const double *values;
    } figures[] = {{s->has_values ? "test_rmse" : "test_accuracy", s->test},
                   {s->has_values ? "test_r2" : "test_error", s->other},
                   {s->has_values ? "validation_rmse" : "validation_accuracy", s->validation},
                   {"test_roc_auc", s->roc_auc},
                   {"test_balanced_accuracy", s->balanced},
                   {"seconds", s->seconds}};
    if (!s->are_folds) json_put(summary, "seed", json_seed(s->first));
    json_put(summary, s->are_folds ? "folds" : "seeds", json_count(s->n));
    json_put(summary, "done", json_count(s->n_done));
    json_put(summary, "failed", json_count(s->n_failed));
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        const spread of = spread_of(figures[i].values, s->n_done);
        const bool fits = figures[i].values != s->roc_auc && figures[i].values != s->balanced;
        if (of.n == 0 && !fits) continue; /* of another task */
        json_put(summary, figures[i].key, spread_json(&of));
    }
    json_put(o, "runs", s->outcomes != NULL ? json_incref(s->outcomes) : json_need(json_array()));
    json_put(o, "summary", summary);
    return o;
}

void seeds_free(struct seeds *s)
{
    free(s->test);
    free(s->other);
    free(s->validation);
    free(s->seconds);
    free(s->roc_auc);
    free(s->balanced);
    json_decref(s->outcomes);
}

bool seeds_path(const char *given, uint64_t seed, char *path, size_t size)
{
    const char *slash = strrchr(given, '/'), *name = slash != NULL ? slash + 1 : given;
    const char *dot = strrchr(name, '.');
    const size_t stem = dot != NULL && dot > name ? (size_t)(dot - given) : strlen(given);
    const int length = snprintf(path, size, "%.*s-%llu%s", (int)stem, given,
                                (unsigned long long)seed, given + stem);
    return length >= 0 && (size_t)length < size;
}
