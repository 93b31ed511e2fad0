/* SPDX-License-Identifier: MIT */
/*
 * What an optimizer keeps through a run, and the parts of a step that want all of a gradient or of
 * a unit's weights: clipping by norm, and the constraint on norms. What it does with a row is
 * compute/update.c's.
 */
#ifndef GLIA_TRAIN_OPTIMIZER_H
#define GLIA_TRAIN_OPTIMIZER_H

#include "net/workspace.h"

typedef struct gi_descent {
    glia_network *network;
    const gi_plan *plan;
    glia_settings params;   /* settled; its lists are the run's */
    gi_optimizer optimizer; /* but for what a step decides */
    gi_shadow *average;     /* (n_layers): of all parameters; or NULL */
    gi_shadow *gradient;    /* (n_layers), with clipping; or NULL */
    double *squares;        /* (panels of all layers, + 1 a layer): of the gradient */
} gi_descent;

/* Fills in what is left to the optimizer (lr, beta2, weight_decay), and checks epsilon. */
glia_status gi_descent_settle(glia_settings *settings, glia_error *error);

/* Of momentum, beta2 and epsilon, makes 0 those that the optimizer does not look at. */
void gi_descent_clear_unused(glia_settings *settings);

/* Whether its step is nothing but weight <- weight - rate * gradient. */
bool gi_descent_is_plain(const glia_settings *params);

/* params are settled; network and plan are borrowed. Zeroed it may be freed. */
glia_status gi_descent_new(glia_network *network, const gi_plan *plan, const glia_settings *params,
                           gi_descent *out, glia_error *error);
void gi_descent_free(gi_descent *descent);

/*
 * The last phase of step number `step` (from 0) in a run: gi_step_update, and what this optimizer
 * does beside, by all threads of a crew.
 */
void gi_descend(gi_descent *descent, gi_workspace *workspace, size_t m, size_t step, double rate,
                const gi_crew *crew);

/* Exchanges the network's parameters with their moving average, if there is one: no copy is made.
 */
void gi_descent_swap_average(gi_descent *descent);

#endif
