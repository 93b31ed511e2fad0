/* SPDX-License-Identifier: MIT */
/* The learning rate of each step: GLIA_SCHEDULE_LIST of glia.h says which schedules there are. */
#ifndef GLIA_TRAIN_SCHEDULE_H
#define GLIA_TRAIN_SCHEDULE_H

#include "model/settings.h"

/*
 * Fills in what the schedule leaves open (auto by the schedule that it stands for, what is
 * automatic by its default), and clears what that schedule does not look at: lr_end is then NAN,
 * the others 0. Twice is the same as once.
 */
void gi_schedule_settle(glia_settings *settings);

/*
 * The rate of a step, 0 to n_steps - 1, by settled settings. A function of its arguments alone, so
 * that a run that is resumed goes on as it would have.
 */
double gi_rate_at(const glia_settings *params, size_t step, size_t n_steps, size_t steps_an_epoch);

#endif
