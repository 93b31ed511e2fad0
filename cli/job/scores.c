/* SPDX-License-Identifier: MIT */
/* Figures for people and for programs; precision, recall and F1 from the confusion matrix. */
#include "job/scores.h"

#include <math.h>
#include <stdlib.h>

glia_metrics score_none(void)
{
    return (glia_metrics){.loss = NAN,
                          .accuracy = NAN,
                          .standard_error = NAN,
                          .exact = NAN,
                          .rmse = NAN,
                          .mae = NAN,
                          .r2 = NAN,
                          .roc_auc = NAN,
                          .average_precision = NAN,
                          .accuracy_low = NAN,
                          .accuracy_high = NAN,
                          .majority = NAN,
                          .balanced_accuracy = NAN};
}

static double number_in(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

error_bar error_bar_in(const json_t *object, const char *standard_error)
{
    return (error_bar){number_in(object, standard_error), number_in(object, "test_accuracy_low"),
                       number_in(object, "test_accuracy_high")};
}

error_bar error_bar_of(const glia_metrics *score)
{
    return (error_bar){score->standard_error, score->accuracy_low, score->accuracy_high};
}

bool error_bar_is_interval(double accuracy, error_bar bar)
{
    enum { ENOUGH = 5 };
    const double n = accuracy * (1 - accuracy) / (bar.error * bar.error);
    return isfinite(bar.low) && !(fmin(accuracy, 1 - accuracy) * n >= ENOUGH - 0.5);
}

words show_accuracy(double accuracy, error_bar bar)
{
    words out = show_percent(accuracy);
    if (!isfinite(accuracy)) return out;
    if (error_bar_is_interval(accuracy, bar))
        snprintf(out.s, sizeof out.s, "%.2f %% (%.2f to %.2f)", 100 * accuracy, 100 * bar.low,
                 100 * bar.high);
    else if (bar.error > 0)
        snprintf(out.s, sizeof out.s, "%.2f %s %.2f %%", 100 * accuracy, is_utf8() ? "±" : "+-",
                 100 * bar.error);
    return out;
}

score_text show_score(const glia_metrics *score)
{
    score_text text;
    if (isfinite(score->rmse))
        snprintf(text.s, sizeof text.s, "RMSE %s", show_number(score->rmse).s);
    else if (!error_bar_is_interval(score->accuracy, error_bar_of(score)))
        snprintf(text.s, sizeof text.s, "%s",
                 show_accuracy(score->accuracy, error_bar_of(score)).s);
    else
        snprintf(text.s, sizeof text.s, "%.2f %%, 95 %% interval %.2f to %.2f %%",
                 100 * score->accuracy, 100 * score->accuracy_low, 100 * score->accuracy_high);
    return text;
}

bool score_is_imbalanced(const glia_metrics *score)
{
    return score->majority >= 0.6;
}

score_text show_majority(const glia_metrics *score, const glia_network *network)
{
    score_text text = {""};
    if (!isfinite(score->majority)) return text;
    char *name = clean_text(glia_network_class_name(network, score->majority_class));
    size_t cut = 0; /* bytes of at most so many characters */
    for (size_t n = 0; name[cut] != '\0' && n < LONGEST_NAME; n++)
        cut += character_length(name + cut);
    snprintf(text.s, sizeof text.s, "always answering \"%.*s%s\" would get %s", (int)cut, name,
             name[cut] != '\0' ? "..." : "", show_percent(score->majority).s);
    free(name);
    return text;
}

void score_json(json_t *o, const char *prefix, const glia_metrics *score,
                const glia_network *network)
{
    const glia_network_info info = glia_network_describe(network);
    const glia_task task = glia_loss_task(info.loss);
    const bool values = task == GLIA_TASK_VALUES, labels = task == GLIA_TASK_LABELS;
    const bool ranks = labels || (!values && info.classes == 2), classes = !values && !labels;
    const struct {
        const char *key;
        double value;
        bool fits;
    } figures[] = {
        {"exact", score->exact, labels},
        {"rmse", score->rmse, values},
        {"mae", score->mae, values},
        {"r2", score->r2, values},
        {"roc_auc", score->roc_auc, ranks},
        {"average_precision", score->average_precision, ranks},
        {"accuracy_low", score->accuracy_low, !values},
        {"accuracy_high", score->accuracy_high, !values},
        {"majority", score->majority, classes},
        {"balanced_accuracy", score->balanced_accuracy, classes},
    };
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        char key[40];
        snprintf(key, sizeof key, "%s%s", prefix, figures[i].key);
        if (figures[i].fits) json_put(o, key, json_number(figures[i].value));
    }
}

glia_status score_targets(const glia_network *network, const glia_dataset *dataset, int threads,
                          glia_metrics **targets, glia_error *error)
{
    const glia_network_info info = glia_network_describe(network);
    *targets = NULL;
    if (glia_loss_task(info.loss) == GLIA_TASK_CLASSES || info.classes == 1) return GLIA_OK;
    glia_metrics *found = need_memory(info.classes, sizeof *found);
    const glia_status status =
        glia_evaluate_targets(network, dataset, threads, found, info.classes, error);
    if (status == GLIA_OK)
        *targets = found;
    else
        free(found);
    return status;
}

void print_targets(const glia_network *network, const glia_metrics *targets)
{
    static const char *const of_values[] = {"target", "RMSE", "MAE", "R2"};
    static const char *const of_labels[] = {"label", "accuracy", "ROC AUC", "AP"};
    const glia_network_info info = glia_network_describe(network);
    const bool values = glia_loss_task(info.loss) == GLIA_TASK_VALUES;
    if (targets == NULL) return;
    struct table *table = table_new("lrrr", values ? of_values : of_labels);
    for (size_t c = 0; c < info.classes; c++) {
        const glia_metrics *m = &targets[c];
        table_add(table, STYLE_PLAIN, "%s", glia_network_class_name(network, c));
        table_add(table, STYLE_PLAIN, "%s",
                  values ? show_number(m->rmse).s : show_percent(m->accuracy).s);
        table_add(table, STYLE_PLAIN, "%s", show_number(values ? m->mae : m->roc_auc).s);
        table_add(table, STYLE_PLAIN, "%s", show_number(values ? m->r2 : m->average_precision).s);
    }
    printf("\n");
    table_print(table, stdout, "32");
    table_free(table);
}

json_t *targets_json(const glia_network *network, const glia_metrics *targets)
{
    const glia_network_info info = glia_network_describe(network);
    const bool values = glia_loss_task(info.loss) == GLIA_TASK_VALUES;
    if (targets == NULL) return json_null();
    json_t *list = json_need(json_array());
    for (size_t c = 0; c < info.classes; c++) {
        const glia_metrics *m = &targets[c];
        json_t *o = json_need(json_object());
        json_put(o, "target", json_text(glia_network_class_name(network, c)));
        json_put(o, values ? "rmse" : "accuracy", json_number(values ? m->rmse : m->accuracy));
        json_put(o, values ? "mae" : "roc_auc", json_number(values ? m->mae : m->roc_auc));
        json_put(o, values ? "r2" : "average_precision",
                 json_number(values ? m->r2 : m->average_precision));
        json_push(list, o);
    }
    return list;
}

class_score score_class(const uint64_t *confusion, size_t classes, size_t k)
{
    uint64_t hits = confusion[k * classes + k], predicted = 0, support = 0;
    for (size_t i = 0; i < classes; i++) {
        predicted += confusion[i * classes + k];
        support += confusion[k * classes + i];
    }
    double both = (double)predicted + (double)support;
    return (class_score){
        .precision = predicted > 0 ? (double)hits / (double)predicted : NAN,
        .recall = support > 0 ? (double)hits / (double)support : NAN,
        .f1 = both > 0 ? 2 * (double)hits / both : NAN,
        .support = support,
    };
}
