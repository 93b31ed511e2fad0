/* SPDX-License-Identifier: MIT */
/* Help and manual pages, made from the tables of options. */
#ifndef GLIA_CLI_SHELL_MANUAL_H
#define GLIA_CLI_SHELL_MANUAL_H

#include <stdio.h>

#include "shell/options.h"

/* The help of one command. */
void manual_help(const struct command *command, FILE *stream);

/* Its options, one "--name" a line. */
void manual_options(const struct command *command, FILE *stream);

/* What glia is and which commands it has (commands ends with NULL). */
void manual_overview(const struct command *const *commands, FILE *stream);

/* The page glia(1), which lists the commands. */
void manual_main_page(const struct command *const *commands, FILE *stream);

/*
 * The page glia-NAME(1) of one command, or of all whose names begin with NAME and a blank.
 * commands (n) are those.
 */
void manual_page(const char *name, const struct command *const *commands, size_t n, FILE *stream);

#endif
