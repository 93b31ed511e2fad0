/* SPDX-License-Identifier: MIT */
/* Figures for people and for programs; precision, recall and F1 from the confusion matrix. */
#include "scores.h"

#include <math.h>

glia_metrics score_none(void)
{
    return (glia_metrics){0, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
}

words show_score(const glia_metrics *score)
{
    words w;
    if (!isfinite(score->rmse)) return show_accuracy(score->accuracy, score->standard_error);
    snprintf(w.s, sizeof w.s, "RMSE %.20s", show_number(score->rmse).s);
    return w;
}

void score_json(json_t *o, const char *prefix, const glia_metrics *score,
                const glia_network *network)
{
    const glia_network_info info = glia_network_describe(network);
    const glia_task task = glia_loss_task(info.loss);
    const bool values = task == GLIA_VALUES, labels = task == GLIA_LABELS;
    const bool ranks = labels || (!values && info.classes == 2);
    const struct {
        const char *key;
        double value;
        bool fits;
    } figures[] = {
        {"exact", score->exact, labels},    {"rmse", score->rmse, values},
        {"mae", score->mae, values},        {"r2", score->r2, values},
        {"roc_auc", score->roc_auc, ranks}, {"average_precision", score->average_precision, ranks},
    };
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        char key[40];
        snprintf(key, sizeof key, "%s%s", prefix, figures[i].key);
        if (figures[i].fits) json_put(o, key, json_number(figures[i].value));
    }
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
