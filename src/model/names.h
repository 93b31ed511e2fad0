/* SPDX-License-Identifier: MIT */
/* The names of the enumerations of glia.h, each list with NULL at its end. */
#ifndef GLIA_MODEL_NAMES_H
#define GLIA_MODEL_NAMES_H

extern const char *const gi_activation_names[]; /* hidden ones, then softmax */
extern const char *const gi_optimizer_names[], *const gi_init_names[], *const gi_loss_names[];
extern const char *const gi_engine_names[], *const gi_precision_names[], *const gi_schedule_names[];

#endif
