/* SPDX-License-Identifier: MIT */
/* Texts from outside. */
#ifndef GLIA_BASE_TEXT_H
#define GLIA_BASE_TEXT_H

#include <stddef.h>

/* The first byte that is not part of UTF-8, or is NUL; NULL: all is well. */
const char *gi_text_find_bad_byte(const char *text, size_t n);

/* A text as it can stand in a message: short, on one line, UTF-8. */
enum { GI_TEXT_SHOWN = 56 };
void gi_text_show(const char *text, size_t n, char shown[GI_TEXT_SHOWN]);

#endif
