/* SPDX-License-Identifier: MIT */
/* The learning rate of each step: GLIA_SCHEDULE_LIST of glia.h says which schedules there are. */
#ifndef GLIA_TRAIN_SCHEDULE_H
#define GLIA_TRAIN_SCHEDULE_H

#include "base/status.h"

/* Whether schedule, lr, lr_end, lr_factor and warmup are legal. */
glia_status gi_schedule_check(const glia_train_params *params, glia_error *error);

/*
 * params with what its schedule leaves open filled in (auto by the schedule that it stands for, 0
 * by the default) and what that schedule does not look at cleared. Twice is the same as once.
 */
glia_train_params gi_schedule_settle(glia_train_params params);

/*
 * The rate of a step, 0 to n_steps - 1, by settled params. A function of its arguments alone, so
 * that a run that is resumed goes on as it would have.
 */
double gi_rate_at(const glia_train_params *params, size_t step, size_t n_steps,
                  size_t steps_an_epoch);

#endif
