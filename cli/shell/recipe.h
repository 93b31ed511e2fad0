/* SPDX-License-Identifier: MIT */
/*
 * Recipes: options that serve a purpose together, as text. A line is an option as on the command
 * line, "--lr 0.5"; an empty one, or one that begins with '#', says nothing to the program. The
 * first line of a recipe that is built in says in a phrase what it is for.
 */
#ifndef GLIA_CLI_SHELL_RECIPE_H
#define GLIA_CLI_SHELL_RECIPE_H

#include "shell/options.h"

/*
 * Reads the recipe that the setting names, a built-in one or a file, sets its options, and puts
 * them before those of the line. Complains, and returns false, when something is wrong with it.
 */
bool recipe_read(const struct command *command, const struct setting *setting, void *options,
                 struct command_line *line);

/*
 * Prints the line's options as a recipe, and in a comment at its end the command that does the
 * same.
 */
void recipe_print(const struct command *command, const struct command_line *line, bool json);

#endif
