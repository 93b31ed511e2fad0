/* SPDX-License-Identifier: MIT */
/*
 * The library's messages name what its callers set: fields of glia_data_params ("table.drop"),
 * settings ("setting loss=mse"), functions. Users of the program have options for these.
 */
#ifndef GLIA_CLI_SHELL_WORDING_H
#define GLIA_CLI_SHELL_WORDING_H

#include <stddef.h>

#include <jansson.h>

/* Copies text to out, cut to size, with options in their place: "--drop", "--loss mse". */
void name_options(const char *text, char *out, size_t size);

/* The same, to be freed; and for JSON. */
char *option_names(const char *text);
json_t *json_message(const char *text);

#endif
