/* SPDX-License-Identifier: MIT */
/* Text within other text: words of a command for a shell, fields of CSV. */
#ifndef GLIA_CLI_SHELL_QUOTE_H
#define GLIA_CLI_SHELL_QUOTE_H

#include <stdio.h>

/*
 * A word for a shell: in quotes where it has other characters than those that mean themselves, and
 * as $'...' where they would steer a terminal.
 */
void print_shell_word(FILE *stream, const char *word);
/* The same, to be freed. */
char *shell_word(const char *word);

/* A field of CSV (RFC 4180). */
void print_csv_field(FILE *stream, const char *text);

#endif
