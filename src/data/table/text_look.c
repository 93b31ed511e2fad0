/* SPDX-License-Identifier: MIT */
/* What texts look like: numbers that are not written as such, dates, words for nothing, names. */
#include "data/table/text_look.h"

#include <string.h>

#include "base/number.h"

/* ASCII alone, whatever the locale. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The same but for capitals. */
static bool is_same(const char *a, const char *b)
{
    while (*a && lower(*a) == lower(*b)) a++, b++;
    return !*a && !*b;
}

static size_t digits(const char *p)
{
    size_t n = 0;
    while (is_digit(p[n])) n++;
    return n;
}

/* ---- Numbers --------------------------------------------------------------------------------- */

/* The length of a number with `between` between thousands, and `point` before decimals, of which it
 * has one at least; 0: it is none. */
static size_t grouped(const char *text, char between, char point)
{
    const char *p = text + (*text == '-' || *text == '+');
    size_t n = digits(p), groups = 0;
    if (n == 0) return 0;
    p += n;
    while (n <= 3 && *p == between && digits(p + 1) == 3) {
        p += 4;
        groups++;
    }
    if (*p == point && digits(p + 1) > 0) {
        p += 1 + digits(p + 1);
        if (point == ',') groups++;
    }
    return groups ? (size_t)(p - text) : 0;
}

/* The longest number at the beginning, however it is written. */
static size_t any_number(const char *text)
{
    size_t n = 0;
    const size_t forms[] = {grouped(text, ',', '.'), grouped(text, '.', ',')};
    for (size_t i = 0; i < 2; i++)
        if (forms[i] > n) n = forms[i];
    double value;
    for (size_t end = strspn(text, "+-.0123456789"); end > n; end--)
        if (gi_parse_f64(text, text + end, &value)) return end;
    return n;
}

/* The length of a sign of a currency at p, or 0. */
static size_t currency(const char *p)
{
    static const char *const signs[] = {"$", "€", "£", "¥", "₹", "USD", "EUR", "GBP", "CHF"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strncmp(p, signs[i], strlen(signs[i])) == 0) return strlen(signs[i]);
    return 0;
}

static const char *skip_blanks(const char *p)
{
    while (*p == ' ') p++;
    return p;
}

/* 2024-03-01, 1.3.24, 03/01/2024, with or without a time; 10:30, 10:30:00. */
static bool is_date(const char *text)
{
    const char *p = text;
    const size_t first = digits(p);
    if (first == 0 || first > 4) return false;
    if (p[first] == ':') {
        p += first + 1;
        if (first > 2 || digits(p) != 2) return false;
        p += 2;
        if (*p == ':' && digits(p + 1) == 2) p += 3;
        if (*p == '.') p += 1 + digits(p + 1);
        return *p == '\0';
    }
    const char between = p[first];
    if (!between || !strchr("-/.", between)) return false;
    p += first + 1;
    const size_t second = digits(p);
    if (second == 0 || second > 2 || p[second] != between) return false;
    p += second + 1;
    const size_t third = digits(p);
    const bool is_date =
        first == 4 ? third == 1 || third == 2 : first <= 2 && (third == 2 || third == 4);
    p += third;
    return is_date && (*p == '\0' || ((*p == ' ' || *p == 'T') && is_digit(p[1])));
}

const char *gi_unit_of_text(const char *text)
{
    return skip_blanks(text + any_number(text));
}

gi_text_look gi_look_at_text(const char *text)
{
    enum { LONGEST_UNIT = 4 };
    double value;
    const size_t n = strlen(text);
    if (n == 0) return GI_LOOK_TEXT;
    if (gi_parse_f64(text, text + n, &value)) return GI_LOOK_NUMBER;
    if (grouped(text, ',', '.') == n) return GI_LOOK_THOUSANDS;
    if (grouped(text, '.', ',') == n) return GI_LOOK_COMMA;
    if (is_date(text)) return GI_LOOK_DATE;
    const char *p = text + (*text == '-' || *text == '+');
    if (currency(p)) {
        p = skip_blanks(p + currency(p));
        return *p && any_number(p) == strlen(p) ? GI_LOOK_CURRENCY : GI_LOOK_TEXT;
    }
    const size_t length = any_number(text);
    if (length == 0) return GI_LOOK_TEXT;
    const char *unit = skip_blanks(text + length);
    const size_t n_unit = strlen(unit);
    if (strcmp(unit, "%") == 0) return GI_LOOK_PERCENT;
    if (n_unit > 0 && currency(unit) == n_unit) return GI_LOOK_CURRENCY;
    if (n_unit == 0 || n_unit > LONGEST_UNIT) return GI_LOOK_TEXT;
    for (size_t i = 0; i < n_unit; i++)
        if (!is_letter(unit[i])) return GI_LOOK_TEXT;
    return GI_LOOK_UNIT;
}

/* ---- Words ----------------------------------------------------------------------------------- */

bool gi_says_missing(const char *text)
{
    static const char *const words[] = {
        "-",       "--",      ".",         "..",     "n.a.",   "n.a",
        "na",      "n/a",     "nan",       "nil",    "null",   "none",
        "missing", "unknown", "undefined", "(null)", "(none)", "not available",
        "no data", "#n/a",    "#value!",   "#div/0!"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_same(text, words[i])) return true;
    return false;
}

bool gi_are_similar(const char *a, const char *b)
{
    for (;;) {
        a = skip_blanks(a);
        b = skip_blanks(b);
        if (lower(*a) != lower(*b)) return false;
        if (!*a) return true;
        a++;
        b++;
    }
}

uint64_t gi_similar_hash(const char *text)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325); /* FNV-1a */
    for (; *text; text++)
        if (*text != ' ') hash = (hash ^ (uint8_t)lower(*text)) * UINT64_C(0x100000001B3);
    return hash ^ hash >> 32;
}

/* ---- Names ----------------------------------------------------------------------------------- */

static bool ends_with(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);
    return n >= m && is_same(name + n - m, end);
}

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_same(name, names[i])) return true;
    return false;
}

bool gi_names_identifier(const char *name)
{
    static const char *const whole[] = {"index", "idx", "key", "nr", "number", "row"};
    return is_one_of(name, whole, sizeof whole / sizeof *whole) || gi_names_id(name);
}

bool gi_names_id(const char *name)
{
    static const char *const whole[] = {"id", "uuid", "guid", "rowid"};
    const size_t n = strlen(name);
    if (is_one_of(name, whole, sizeof whole / sizeof *whole)) return true;
    if (n < 3 || !ends_with(name, "id")) return false;
    /* user_id, userId, userID; but no humid */
    const char before = name[n - 3], i = name[n - 2];
    return !is_letter(before) || (i == 'I' && before >= 'a');
}

bool gi_names_code(const char *name)
{
    static const char *const ends[] = {"code",  "zip",      "type",  "kind",
                                       "class", "category", "month", "weekday"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends_with(name, ends[i])) return true;
    return false;
}

bool gi_names_target(const char *name)
{
    static const char *const names[] = {"target",  "label",    "labels",   "class",   "y",
                                        "outcome", "response", "survived", "species", "diagnosis"};
    return is_one_of(name, names, sizeof names / sizeof *names);
}
