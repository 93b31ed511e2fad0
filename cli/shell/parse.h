/* SPDX-License-Identifier: MIT */
/* Texts of a command line as numbers, as lists, and as names that may be misspelt. */
#ifndef GLIA_CLI_SHELL_PARSE_H
#define GLIA_CLI_SHELL_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LONGEST_MISSPELT = 63 }; /* of an option or a value that a misspelt one is compared with */

/* Strict readers of numbers: all of text, no white space, no locale, no overflow. */
bool parse_count(const char *text, uint64_t *out);
bool parse_real(const char *text, double *out);

/*
 * Copies the item of a comma-separated list at *text into item, and moves on: *text is NULL after
 * the last. False when none is left. An item that is too long is cut.
 */
bool next_item(const char **text, char *item, size_t size);

/*
 * The name nearest to text, large and small letters alike, if it is near enough to be meant; else
 * NULL. names ends with NULL.
 */
const char *nearest_name(const char *text, const char *const *names);

#endif
