/* SPDX-License-Identifier: MIT */
/* What the settings of augmentation need of each other, for every command that has them. */
#ifndef GLIA_CLI_DATA_AUGMENT_OPTIONS_H
#define GLIA_CLI_DATA_AUGMENT_OPTIONS_H

#include <stdbool.h>

#include "glia.h"

/* Complains, and returns false, when settings lack another that they need. */
bool augment_check(const char *command, const glia_settings *settings);

/* Whether they distort anything. */
bool augment_is_some(const glia_settings *settings);

#endif
