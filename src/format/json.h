/* SPDX-License-Identifier: MIT */
/* JSON by jansson, for the header of a model file and for what its metadata holds. */
#ifndef GLIA_FORMAT_JSON_H
#define GLIA_FORMAT_JSON_H

#include <jansson.h>

#include "base/status.h"

/*
 * Reads the object at the start of text; *used: its bytes, NULL: nothing but space may follow.
 * Messages begin with place and count bytes from first_byte on. *out is to be given to json_decref.
 * BAD_FORMAT, UNSUPPORTED (deeper or larger than any model's) or NO_MEMORY.
 */
glia_status gi_json_read(const char *place, const char *text, size_t n_bytes, size_t first_byte,
                         json_t **out, size_t *used, glia_error *error);

/* The text, to be freed with gi_free, or NULL and NO_MEMORY, also for a json that is NULL. */
char *gi_json_write(const json_t *json, glia_error *error);

/* What was found, for a message: "a string", 3, an array of 2 ... Cut short at a whole character.
 */
typedef struct gi_found {
    char text[96];
} gi_found;
gi_found gi_found_json(const json_t *value); /* NULL: nothing */
gi_found gi_found_name(const char *name);    /* in quotes */

#endif
