/* SPDX-License-Identifier: MIT */
/* Enumerations to names and back. */
#include "model/names.h"

#include <string.h>

#include "base/status.h"

#define X(name, text) text,
const char *const gi_activation_names[] = {GLIA_HIDDEN_ACTIVATION_LIST(X) NULL};
const char *const gi_optimizer_names[] = {GLIA_OPTIMIZER_LIST(X) NULL};
const char *const gi_init_names[] = {GLIA_INIT_LIST(X) NULL};
const char *const gi_loss_names[] = {GLIA_LOSS_LIST(X) NULL};
const char *const gi_engine_names[] = {GLIA_ENGINE_LIST(X) NULL};
const char *const gi_precision_names[] = {GLIA_PRECISION_LIST(X) NULL};
const char *const gi_schedule_names[] = {GLIA_SCHEDULE_LIST(X) NULL};
#undef X

static const char *const task_names[] = {"classes", "labels", "values"};
static const char *const severity_names[] = {"severe", "warning", "note"};
static const char *const stop_names[] = {"epochs", "early", "cancelled", "diverged"};

/* The place of name in names (n), or n. */
static size_t find_name(const char *const *names, size_t n, const char *name)
{
    size_t i = 0;
    while (i < n && strcmp(names[i], name) != 0) i++;
    return i;
}

#define NAME_OF(names, value)                                                                      \
    ((size_t)(value) < sizeof names / sizeof names[0] ? names[value] : "unknown")

const char *glia_task_name(glia_task task)
{
    return NAME_OF(task_names, task);
}

const char *glia_severity_name(glia_severity severity)
{
    return NAME_OF(severity_names, severity);
}

const char *glia_stop_name(glia_stop stop)
{
    return NAME_OF(stop_names, stop);
}

static const char softmax[] = "softmax"; /* the one activation that is not in the list */

const char *glia_activation_name(glia_activation activation)
{
    if (activation == GLIA_ACTIVATION_SOFTMAX) return softmax;
    return (size_t)activation < GI_N_HIDDEN_ACTIVATIONS ? gi_activation_names[activation]
                                                        : "unknown";
}

bool glia_activation_from_name(const char *name, glia_activation *out)
{
    const size_t i = find_name(gi_activation_names, GI_N_HIDDEN_ACTIVATIONS, name);
    const bool is_softmax = strcmp(name, softmax) == 0;
    if (i < GI_N_HIDDEN_ACTIVATIONS || is_softmax)
        *out = is_softmax ? GLIA_ACTIVATION_SOFTMAX : (glia_activation)i;
    return i < GI_N_HIDDEN_ACTIVATIONS || is_softmax;
}

/* glia_WHAT_name and glia_WHAT_from_name, by gi_WHAT_names. */
#define NAMES_OF(what)                                                                             \
    enum { n_##what = sizeof gi_##what##_names / sizeof gi_##what##_names[0] - 1 };                \
    const char *glia_##what##_name(glia_##what what)                                               \
    {                                                                                              \
        return (size_t)what < n_##what ? gi_##what##_names[what] : "unknown";                      \
    }                                                                                              \
    bool glia_##what##_from_name(const char *name, glia_##what *out)                               \
    {                                                                                              \
        const size_t i = find_name(gi_##what##_names, n_##what, name);                             \
        if (i < n_##what) *out = (glia_##what)i;                                                   \
        return i < n_##what;                                                                       \
    }
NAMES_OF(optimizer)
NAMES_OF(init)
NAMES_OF(loss)
NAMES_OF(engine)
NAMES_OF(precision)
NAMES_OF(schedule)
