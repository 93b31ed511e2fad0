/* SPDX-License-Identifier: MIT */
/* What a confusion matrix says of each class. */
#ifndef GLIA_CLI_SCORES_H
#define GLIA_CLI_SCORES_H

#include <stddef.h>
#include <stdint.h>

/* Classes up to which a confusion matrix is asked for: 128 MiB. */
enum { MOST_CONFUSED_CLASSES = 4096 };

/* How one class fares; what divides by 0 is NAN. */
typedef struct class_score {
    double precision, recall, f1;
    uint64_t support;
} class_score;

/* confusion (classes, classes): rows the true class, columns the predicted one. */
class_score score_class(const uint64_t *confusion, size_t classes, size_t k);

#endif
