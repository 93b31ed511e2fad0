/* SPDX-License-Identifier: MIT */
/*
 * Texts that are written otherwise and mean the same: numbers (5, 5.0, 1e+05 and 100000) and truth
 * values (TRUE, True, true, T, t). Tools write the same table in different ways, so a category of a
 * file that is read like another one is looked for by its value where its text is not found.
 */
#ifndef GLIA_DATA_ENCODING_SAME_VALUE_H
#define GLIA_DATA_ENCODING_SAME_VALUE_H

#include "base/status.h"

/* Names that have a value, sorted by it. */
typedef struct gi_values {
    struct gi_named_value *values; /* (n), to be freed */
    size_t n;
    bool zeros_count; /* a number with zeros in front has no value: it is a code */
} gi_values;

/*
 * Of all names (n), for which texts (n_texts) are to be looked up. Where either of them has zeros
 * in front that do not fill numbers up to one length (0123 beside 45), 0123 is not 123. Free it
 * with gi_free(out->values).
 */
glia_status gi_values_of(char *const *names, size_t n, char *const *texts, size_t n_texts,
                         gi_values *out, glia_error *error);

/* The place of the first name with the value of this text, or SIZE_MAX. */
size_t gi_values_find(const gi_values *values, const char *text);

#endif
