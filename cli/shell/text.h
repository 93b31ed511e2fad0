/* SPDX-License-Identifier: MIT */
/* Text that grows, and what a page is made of: escaped text, JSON within a script, base64. */
#ifndef GLIA_CLI_SHELL_TEXT_H
#define GLIA_CLI_SHELL_TEXT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* An all-zero struct is empty text. */
struct text {
    char *s; /* (length + 1), ends with NUL; NULL while nothing was added */
    size_t length, capacity;
};

void text_add(struct text *text, const char *bytes, size_t n);
void text_put(struct text *text, const char *string);
__attribute__((format(printf, 2, 3))) void text_print(struct text *text, const char *format, ...);

/*
 * Adds string as HTML: what would be markup is escaped, in content and in quoted attributes; what
 * is not UTF-8, and what steers the text around it (clean_text), becomes '?'.
 */
void text_escape(struct text *text, const char *string);
__attribute__((format(printf, 2, 3))) void text_escape_print(struct text *text, const char *format,
                                                             ...);

/* Adds JSON that may stand within <script>: no '<', '>' or '&' is in it, and nothing that steers.
 */
void text_json(struct text *text, const json_t *value);

void text_base64(struct text *text, const uint8_t *bytes, size_t n);

void text_free(struct text *text);

#endif
