/* SPDX-License-Identifier: MIT */
/* Numbers from text and to text, in C's notation whatever the locale of the process is. */
#ifndef GLIA_BASE_NUMBER_H
#define GLIA_BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* The whole string must be a decimal number without sign: "0", "60000". False for anything else. */
bool gi_parse_u64(const char *text, uint64_t *out);

/*
 * The whole string must be a finite decimal number: [+-] digits [. digits] [e [+-] digits].
 * Correctly rounded. False for anything else: spaces, hexadecimal, "inf", "nan", "1,5", overflow.
 */
bool gi_parse_double(const char *text, double *out);

#endif
