/* SPDX-License-Identifier: MIT */
/* Whole numbers from text. */
#ifndef GLIA_BASE_NUMBER_H
#define GLIA_BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* The whole string must be a decimal number without sign: "0", "60000". False for anything else. */
bool gi_parse_u64(const char *text, uint64_t *out);

#endif
