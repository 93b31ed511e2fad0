/* SPDX-License-Identifier: MIT */
/* Locale-free number parsing. */
#define _GNU_SOURCE /* strtod_l */
#include "base/number.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>

bool gi_parse_u64(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    if (!*text) return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return false;
        const unsigned digit = (unsigned)(*text - '0');
        if (value > (UINT64_MAX - digit) / 10) return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whether the text has the grammar of gi_parse_double. */
static bool is_decimal(const char *c)
{
    bool digits = false;
    if (*c == '+' || *c == '-') c++;
    for (; is_digit(*c); c++) digits = true;
    if (*c == '.') c++;
    for (; is_digit(*c); c++) digits = true;
    if (!digits) return false;
    if (*c == 'e' || *c == 'E') {
        c++;
        if (*c == '+' || *c == '-') c++;
        if (!is_digit(*c)) return false;
        while (is_digit(*c)) c++;
    }
    return *c == '\0';
}

bool gi_parse_double(const char *text, double *out)
{
    if (!is_decimal(text)) return false;
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c_locale == (locale_t)0) return false;
    const double value = strtod_l(text, NULL, c_locale);
    freelocale(c_locale);
    if (!isfinite(value)) return false;
    *out = value;
    return true;
}
