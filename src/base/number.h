/* SPDX-License-Identifier: MIT */
/* Numbers from text, whatever the locale. */
#ifndef GLIA_BASE_NUMBER_H
#define GLIA_BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* 1 and 0 of true, True, TRUE, t, T and their opposites, as R, Python, Polars and COPY write them;
 * -1: neither. */
int gi_parse_boolean(const char *begin, const char *end);

/* The whole string must be a decimal number without sign: "0", "60000". False for anything else. */
bool gi_parse_u64(const char *text, uint64_t *out);

/*
 * The whole of begin..end must be a decimal number: a sign or none, digits with one decimal point
 * or none (at least one digit), an exponent or none: "12", "-.5", "6.02E+23". False for anything
 * else, inf and nan too. The nearest double, ties to even; an infinity where there is none that
 * large; what is small becomes denormal or 0.
 */
bool gi_parse_f64(const char *begin, const char *end, double *out);

/*
 * Significant digits times 10^exponent as the nearest double, if truncated is false; else the
 * double is of a value from that up to, but not including, (digits + 1) * 10^exponent, and only
 * given if it is the same for all of those.
 */
bool gi_round_decimal(uint64_t digits, int64_t exponent, bool truncated, double *out);

#endif
