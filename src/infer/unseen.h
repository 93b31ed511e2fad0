/* SPDX-License-Identifier: MIT */
/* Which samples a network learns from, for its record; glia_dataset_unseen reads it back. */
#ifndef GLIA_INFER_UNSEEN_H
#define GLIA_INFER_UNSEEN_H

#include "data/set/dataset.h"
#include "model/lineage.h"

/*
 * What a record says of a training set and its validation set (or NULL). Not known of samples that
 * are drawn, of folds, and of a set that is neither a part of another nor a table. NO_MEMORY.
 */
glia_status gi_learned_rows_of(const glia_dataset *train, const glia_dataset *validation,
                               gi_learned_rows *out, glia_error *error);

#endif
