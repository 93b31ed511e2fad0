/* SPDX-License-Identifier: MIT */
/* Enumerations to names and back. */
#include "model/names.h"

#include <string.h>

#include "base/status.h"

#define X(name, text) text,
const char *const gi_activation_names[] = {GLIA_ACTIVATION_LIST(X) NULL};
const char *const gi_optimizer_names[] = {GLIA_OPTIMIZER_LIST(X) NULL};
const char *const gi_init_names[] = {GLIA_INIT_LIST(X) NULL};
const char *const gi_loss_names[] = {GLIA_LOSS_LIST(X) NULL};
const char *const gi_engine_names[] = {GLIA_ENGINE_LIST(X) NULL};
const char *const gi_precision_names[] = {GLIA_PRECISION_LIST(X) NULL};
const char *const gi_schedule_names[] = {GLIA_SCHEDULE_LIST(X) NULL};
#undef X

/* The place of name in names (n), or n. */
static size_t find_name(const char *const *names, size_t n, const char *name)
{
    size_t i = 0;
    while (i < n && strcmp(names[i], name) != 0) i++;
    return i;
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
NAMES_OF(activation)
NAMES_OF(optimizer)
NAMES_OF(init)
NAMES_OF(loss)
NAMES_OF(engine)
NAMES_OF(precision)
NAMES_OF(schedule)
