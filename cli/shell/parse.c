/* SPDX-License-Identifier: MIT */
/*
 * The program never calls setlocale, so strtod reads the "C" locale's numbers; the grammar is
 * checked before it is called.
 */
#include "shell/parse.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool parse_count(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    if (*text == '\0') return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') return false;
        unsigned digit = (unsigned)(*text - '0');
        if (value > (UINT64_MAX - digit) / 10) return false;
        value = 10 * value + digit;
    }
    *out = value;
    return true;
}

static const char *skip_digits(const char *text)
{
    while (*text >= '0' && *text <= '9') text++;
    return text;
}

/* [+-] digits [. digits] [e [+-] digits], with a digit before or after the point. */
bool parse_real(const char *text, double *out)
{
    const char *at = text + (*text == '+' || *text == '-');
    const char *whole_end = skip_digits(at);
    bool has_digit = whole_end > at;
    at = whole_end;
    if (*at == '.') {
        const char *end = skip_digits(at + 1);
        has_digit = has_digit || end > at + 1;
        at = end;
    }
    if (!has_digit) return false;
    if (*at == 'e' || *at == 'E') {
        at += 1 + (at[1] == '+' || at[1] == '-');
        if (*at < '0' || *at > '9') return false;
        at = skip_digits(at);
    }
    if (*at != '\0') return false;
    double value = strtod(text, NULL);
    if (!isfinite(value)) return false;
    *out = value;
    return true;
}

bool next_item(const char **text, char *item, size_t size)
{
    if (*text == NULL) return false;
    size_t length = strcspn(*text, ",");
    snprintf(item, size, "%.*s", (int)(length < size ? length : size - 1), *text);
    *text = (*text)[length] == ',' ? *text + length + 1 : NULL;
    return true;
}

/* Levenshtein's distance, large and small letters alike; one row of the table at a time. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t n = strlen(b), row[LONGEST_MISSPELT + 1];
    if (n > LONGEST_MISSPELT) return SIZE_MAX;
    for (size_t j = 0; j <= n; j++) row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t best = diagonal + (tolower((unsigned char)a[i]) != tolower((unsigned char)b[j]));
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j + 1] + 1 < best) best = row[j + 1] + 1;
            diagonal = row[j + 1];
            row[j + 1] = best;
        }
    }
    return row[n];
}

const char *nearest_name(const char *text, const char *const *names)
{
    const char *nearest = NULL;
    size_t length = strlen(text);
    size_t least = length < 3 ? 1 : length / 3 + 1; /* distances up to this are near */
    for (; *names != NULL; names++) {
        size_t distance = edit_distance(text, *names);
        /* The beginning of a name means that name. */
        if (length >= 2 && strncasecmp(text, *names, length) == 0 && distance > 1) distance = 1;
        if (distance < least || (distance == least && nearest == NULL)) {
            least = distance;
            nearest = *names;
        }
    }
    return nearest;
}
