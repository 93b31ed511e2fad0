/* SPDX-License-Identifier: MIT */
/*
 * JSON as the model file needs it. A reader that is strict (RFC 8259, no duplicate keys, no NUL in
 * strings), allocates in proportion to its input and survives every allocation that fails; a writer
 * whose bytes depend on nothing but its input. Numbers stay text until someone asks for one.
 */
#ifndef GLIA_FORMAT_JSON_H
#define GLIA_FORMAT_JSON_H

#include "base/status.h"

typedef enum gi_json_type {
    GI_JSON_OBJECT,
    GI_JSON_ARRAY,
    GI_JSON_STRING,
    GI_JSON_NUMBER,
    GI_JSON_TRUE,
    GI_JSON_FALSE,
    GI_JSON_NULL
} gi_json_type;

typedef struct gi_json {
    gi_json_type type;
    const char *key;             /* of a member of an object; else NULL */
    const char *text;            /* of a string, decoded, or of a number, as it stands; else NULL */
    const struct gi_json *first; /* of the members or elements; NULL if there are none */
    const struct gi_json *next;  /* in the same object or array */
    size_t n;                    /* how many members or elements */
    size_t byte;                 /* where it begins, or its key */
} gi_json;

typedef struct gi_json_document {
    gi_json *values; /* the first is the root, an object */
    char *text;      /* the keys and texts, one block no longer than the input */
} gi_json_document;

/*
 * Reads the object at the start of text; *used: its bytes. What stands after it is the caller's to
 * judge. Messages begin with place and count bytes from first_byte on, as gi_json.byte does.
 * BAD_FORMAT, UNSUPPORTED (deeper or larger than any model's) or NO_MEMORY.
 */
glia_status gi_json_parse(const char *place, const char *text, size_t n_bytes, size_t first_byte,
                          gi_json_document *out, size_t *used, glia_error *error);
void gi_json_free(gi_json_document *document); /* an all-zero struct is legal */

/* For all of these, value may be NULL, as gi_json_get returns it for a key that is not there. */
bool gi_json_is(const gi_json *value, gi_json_type type);
const gi_json *gi_json_get(const gi_json *object, const char *key);
const char *gi_json_string(const gi_json *value);        /* NULL if it is no string */
bool gi_json_count(const gi_json *value, uint64_t *out); /* false if no integer >= 0 */
bool gi_json_real(const gi_json *value, double *out);    /* false if no finite number */

/* What was found, for a message: "a string", 3, an array of 2 ... Cut short at a whole character.
 */
typedef struct gi_found {
    char text[96];
} gi_found;
gi_found gi_found_json(const gi_json *value); /* NULL: nothing */
gi_found gi_found_name(const char *name);     /* in quotes */

/* How many bytes of text are UTF-8 as Unicode defines it: no overlong forms, no surrogates. */
size_t gi_utf8_length(const char *text, size_t n_bytes);

/*
 * Writing: begin with an all-zero struct; commas come by themselves; key is NULL in an array. A
 * failed allocation is remembered until gi_json_take. Strings must be UTF-8.
 */
typedef struct gi_json_writer {
    char *text;
    size_t length, capacity;
    bool failed;
} gi_json_writer;

void gi_json_begin(gi_json_writer *writer, const char *key, char bracket); /* { or [ */
void gi_json_end(gi_json_writer *writer, char bracket);                    /* } or ] */
void gi_json_put_string(gi_json_writer *writer, const char *key, const char *value);
void gi_json_put_count(gi_json_writer *writer, const char *key, uint64_t value);
/* As few digits as bring the double back; null if it is not finite. */
void gi_json_put_real(gi_json_writer *writer, const char *key, double value);
void gi_json_put_null(gi_json_writer *writer, const char *key);

/* The text, to be freed with gi_free, or NULL and NO_MEMORY. The writer is then as at the start. */
char *gi_json_take(gi_json_writer *writer, glia_error *error);

#endif
