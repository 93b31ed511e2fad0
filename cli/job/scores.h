/* SPDX-License-Identifier: MIT */
/* The figures of a network on a data set, and what a confusion matrix says of each class. */
#ifndef GLIA_CLI_JOB_SCORES_H
#define GLIA_CLI_JOB_SCORES_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "glia.h"
#include "shell/output.h"

/* Classes up to which a confusion matrix is asked for: 128 MiB. */
enum { MOST_CONFUSED_CLASSES = 4096 };

/* Characters to which names of classes are cut in a line of figures. */
enum { LONGEST_NAME = 40 };

/* Of no samples: every figure NAN. */
glia_metrics score_none(void);

typedef struct score_text {
    char s[256];
} score_text;

/*
 * "97.94 ± 0.14 %"; "100.00 %, 95 % interval 34.24 to 100.00 %" where so few samples are right, or
 * wrong, that a standard error says nothing; of values "RMSE 4.95".
 */
score_text show_score(const glia_metrics *score);

/* How certain an accuracy is: its standard error, and its 95 % interval; NAN where not known. */
typedef struct error_bar {
    double error, low, high;
} error_bar;

error_bar error_bar_of(const glia_metrics *score);

/* Of a result in JSON, where the standard error has the key given. */
error_bar error_bar_in(const json_t *object, const char *standard_error);

/* Whether so few samples are right, or wrong, that a standard error says nothing: fewer than 5. */
bool error_bar_is_interval(double accuracy, error_bar bar);

/* For tables: "97.94 ± 0.14 %"; "100.00 % (88.65 to 100.00)" of few samples; else "100.00 %". */
words show_accuracy(double accuracy, error_bar bar);

/* Whether one class has so many samples that the accuracy alone misleads. */
bool score_is_imbalanced(const glia_metrics *score);

/* "always answering \"no\" would get 96.50 %", of the most frequent class; "" where there are no
 * classes. */
score_text show_majority(const glia_metrics *score, const glia_network *network);

/*
 * Puts what is of the network's task beside loss and accuracy, each key after prefix: rmse, mae,
 * r2; exact; roc_auc, average_precision; accuracy_low, accuracy_high; of classes majority and
 * balanced_accuracy.
 */
void score_json(json_t *o, const char *prefix, const glia_metrics *score,
                const glia_network *network);

/*
 * Scores each of several targets on its own, which have units of their own: *targets (outputs), to
 * be freed; NULL where there is one target, or classes.
 */
glia_status score_targets(const glia_network *network, const glia_dataset *dataset, int threads,
                          glia_metrics **targets, glia_error *error);

/* The same as a table on stdout; nothing for NULL. */
void print_targets(const glia_network *network, const glia_metrics *targets);

/* The same as an array of objects; null for NULL. */
json_t *targets_json(const glia_network *network, const glia_metrics *targets);

/* How one class fares; what divides by 0 is NAN. */
typedef struct class_score {
    double precision, recall, f1;
    uint64_t support;
} class_score;

/* confusion (classes, classes): rows the true class, columns the predicted one. */
class_score score_class(const uint64_t *confusion, size_t classes, size_t k);

#endif
