/* SPDX-License-Identifier: MIT */
/* The names of the enumerations of glia.h, each list with NULL at its end. */
#ifndef GLIA_MODEL_NAMES_H
#define GLIA_MODEL_NAMES_H

#include "base/status.h"

/* Of hidden layers: softmax is not among them, and has a number beyond. */
enum {
#define X(name, text) +1
    GI_N_HIDDEN_ACTIVATIONS = 0 GLIA_HIDDEN_ACTIVATION_LIST(X)
#undef X
};

extern const char *const gi_activation_names[]; /* those */
extern const char *const gi_optimizer_names[], *const gi_init_names[], *const gi_loss_names[];
extern const char *const gi_engine_names[], *const gi_precision_names[], *const gi_schedule_names[];

#endif
