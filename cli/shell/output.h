/* SPDX-License-Identifier: MIT */
/*
 * What the program says: messages on stderr, tables and numbers for people, JSON for programs, and
 * what the terminal can show.
 */
#ifndef GLIA_CLI_SHELL_OUTPUT_H
#define GLIA_CLI_SHELL_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "glia.h"

enum exit_status {
    EXIT_DONE = 0,
    EXIT_FAILED = 1, /* the work failed */
    EXIT_WRONG = 2,  /* the command was wrong */
    EXIT_INTERRUPTED = 130
};

/* Prints "glia: message" as one line on stderr, in the words of wording.h; control characters
 * become '?'. */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

/* Prints the library's message; returns the exit status that fits it. */
int complain_error(const glia_error *error);

/* Flushes stdout; returns status, or EXIT_FAILED with a message when not all could be written. */
int finish_output(int status);

/* calloc for small things of the program's own; ends the program when there is no memory. */
void *need_memory(size_t n, size_t size);
char *need_copy(const char *text);
/* Likewise ends the program unless status is GLIA_OK, which only memory could keep it from being.
 */
void need_good(glia_status status);

/* ---- The terminal -------------------------------------------------------------------------- */

/* Whether colours and a bar may be shown: a terminal that is not dumb, and no NO_COLOR. */
bool is_rich(FILE *stream);
size_t terminal_width(FILE *stream);
size_t terminal_height(FILE *stream);
/* The cells that a line may take before it wraps; SIZE_MAX where the stream is no terminal. */
size_t line_room(FILE *stream);
/* Whether text beyond ASCII may be shown: unless the locale says otherwise. */
bool is_utf8(void);

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_ACCENT };
/* The sequence that begins a style, or "" where it cannot be shown. style_end ends any. */
const char *style_begin(FILE *stream, enum style style);
const char *style_end(FILE *stream);

/* ---- Numbers for people -------------------------------------------------------------------- */

typedef struct words {
    char s[32];
} words;

words show_count(uint64_t n);                     /* "199,210" */
words show_several(uint64_t n, const char *noun); /* "1 sample", "2 samples" */
words show_percent(double fraction);              /* "97.94 %" */
words show_loss(double loss);                     /* "0.0712" */
words show_number(double value);                  /* "4.946", "12345", "1.2e-09" */
words show_duration(double seconds);              /* "35 ms", "8.2 s", "3 min 05 s" */
words show_bytes(uint64_t n_bytes);               /* "798 kB" */

/* Terminal cells that UTF-8 text takes, a character counted as one. */
size_t text_width(const char *text);

/*
 * Length of the well-formed UTF-8 character at text, or 0. Characters that steer what shows them
 * are not well-formed here: controls, line separators, and those that turn the direction of text.
 */
size_t character_length(const char *text);

/*
 * A copy, to be freed, in which nothing steers what shows it and all is UTF-8: each character, or
 * byte, that would not be so is a '?'.
 */
char *clean_text(const char *text);

/* Prints text so. */
void print_clean(FILE *stream, const char *text);

/*
 * Prints words (length bytes), wrapped at width; column is where the first begins, indent where
 * later lines do.
 */
void print_words(FILE *stream, const char *text, size_t length, size_t width, size_t column,
                 size_t indent);

/* ---- Tables -------------------------------------------------------------------------------- */

/* Cells are added row by row; printing aligns the columns. */
struct table;

/* alignment: a letter a column, 'l' or 'r'; borrowed. headings (columns) or NULL. */
struct table *table_new(const char *alignment, const char *const *headings);
__attribute__((format(printf, 3, 4))) void table_add(struct table *table, enum style style,
                                                     const char *format, ...);
/*
 * leave_out: the columns, as digits, that a terminal too narrow for all does without, the least
 * important first; or NULL.
 */
void table_print(const struct table *table, FILE *stream, const char *leave_out);
/* Cells that a line of it takes. */
size_t table_width(const struct table *table);
void table_free(struct table *table);

/* ---- JSON ---------------------------------------------------------------------------------- */

/* Sets object[key] = value, which it takes over; ends the program when there is no memory. */
void json_put(json_t *object, const char *key, json_t *value);
void json_push(json_t *array, json_t *value);
json_t *json_need(json_t *value);

json_t *json_number(double value); /* null where it is not finite */
json_t *json_count(uint64_t value);
json_t *json_seed(uint64_t seed);    /* a decimal string where a JSON integer may not hold it */
json_t *json_text(const char *text); /* null for NULL; what is not UTF-8 is replaced */

/*
 * The escape of the character at bytes (n) where it steers what shows it (clean_text): JSON means
 * the same with it. Returns the length of the character; 0: it stands as it is.
 */
size_t json_escape(const char *bytes, size_t n, char escape[8]);

/* Writes a value and a newline, nothing that steers in it; false: no memory, or as ferror says. */
bool json_write(FILE *stream, const json_t *value, size_t flags);

/* Prints the object on stdout, one line, and frees it; ends the program when there is no memory. */
void json_print(json_t *object);

#endif
