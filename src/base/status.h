/* SPDX-License-Identifier: MIT */
/* How a function fails: a status to return, a message in the caller's glia_error. */
#ifndef GLIA_BASE_STATUS_H
#define GLIA_BASE_STATUS_H

#include "glia.h"

/*
 * Sets the error (if not NULL) and returns status, so that a failure is one line:
 *     return gi_fail(error, GLIA_BAD_FORMAT, "%s: byte 4: found ..., expected ...; do ...", path);
 * A message that is too long is cut at a whole UTF-8 character. Control characters in it (from
 * names in hostile files) become '?', so that it stays one line on a terminal.
 */
__attribute__((format(printf, 3, 4))) glia_status gi_fail(glia_error *error, glia_status status,
                                                          const char *format, ...);

/* The length of an array of the caller: BAD_ARGUMENT unless it is the one that is expected. */
glia_status gi_check_length(const char *what, size_t found, size_t expected, glia_error *error);

#endif
