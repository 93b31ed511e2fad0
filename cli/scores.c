/* SPDX-License-Identifier: MIT */
/* Precision, recall and F1 of a class, from the confusion matrix. */
#include "scores.h"

#include <math.h>

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
