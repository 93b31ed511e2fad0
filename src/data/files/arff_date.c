/* SPDX-License-Identifier: MIT */
/* ARFF: dates in the formats of Java's SimpleDateFormat. */
#include <stdio.h>
#include <string.h>

#include "data/files/arff_parts.h"

/* The parts of a date that are read. */
struct parts {
    unsigned year, month, day, hour, minute, second;
    bool has_date, has_time; /* a day of a year; a time of day */
};

static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                     "jul", "aug", "sep", "oct", "nov", "dec"};

/* Up to `most` digits; false: there is none. */
static bool read_digits(const char **text, size_t most, unsigned *out)
{
    const char *begin = *text;
    *out = 0;
    for (; **text >= '0' && **text <= '9' && (size_t)(*text - begin) < most; (*text)++)
        *out = 10 * *out + (unsigned)(**text - '0');
    return *text > begin;
}

/* "Mar", "March": by the first three letters. */
static bool read_month(const char **text, unsigned *out)
{
    for (unsigned m = 0; m < 12; m++) {
        size_t same = 0;
        while (same < 3 && ((*text)[same] | 0x20) == months[m][same]) same++;
        if (same < 3) continue;
        while (((**text | 0x20) >= 'a' && (**text | 0x20) <= 'z')) (*text)++;
        *out = m + 1;
        return true;
    }
    return false;
}

/* n times the letter of a format. Digits are many where another letter follows at once. */
static bool read_part(char letter, size_t n, bool is_bounded, const char **text,
                      struct parts *parts)
{
    const size_t most = is_bounded ? n : letter == 'y' ? 4 : 9;
    unsigned rest;
    switch (letter) {
    case 'y':
        if (!read_digits(text, most, &parts->year)) return false;
        if (n <= 2 && parts->year < 100) parts->year += parts->year < 70 ? 2000U : 1900U;
        return true;
    case 'M':
        return n >= 3 ? read_month(text, &parts->month) : read_digits(text, most, &parts->month);
    case 'd':
        parts->has_date = true;
        return read_digits(text, most, &parts->day);
    case 'H':
        parts->has_time = true;
        return read_digits(text, most, &parts->hour);
    case 'm':
        return read_digits(text, most, &parts->minute);
    case 's':
        return read_digits(text, most, &parts->second);
    case 'S':
        return read_digits(text, most, &rest);
    default:
        return false;
    }
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool read_parts(const char *format, const char *text, struct parts *parts)
{
    bool is_quoted = false;
    while (*format) {
        if (*format == '\'' && format[1] != '\'') {
            is_quoted = !is_quoted;
            format++;
            continue;
        }
        if (is_quoted || !is_letter(*format)) {
            format += *format == '\'';
            if (*text++ != *format++) return false;
            continue;
        }
        size_t n = 0;
        const char letter = *format;
        for (; *format == letter; format++) n++;
        if (!read_part(letter, n, is_letter(*format), &text, parts)) return false;
    }
    return *text == '\0';
}

/* Whether every letter of a format is one that is read. */
static bool is_known(const char *format)
{
    bool is_quoted = false, has_year = false, has_day = false;
    for (; *format; format++) {
        if (*format == '\'') is_quoted = !is_quoted;
        if (is_quoted || !is_letter(*format)) continue;
        if (!strchr("yMdHmsS", *format)) return false;
        has_year |= *format == 'y';
        has_day |= *format == 'd';
    }
    return has_year && has_day;
}

bool gi_arff_date(const char *format, const char *text, char date[GI_ARFF_DATE_ROOM])
{
    static const unsigned days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    static const char *const usual[] = {"yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd HH:mm:ss",
                                        "yyyy-MM-dd"};
    const char *const *formats = format ? &format : usual;
    const size_t n_formats = format ? 1 : sizeof usual / sizeof usual[0];
    struct parts p = {0};
    size_t i = 0;
    for (; i < n_formats; i++) {
        p = (struct parts){0};
        if (read_parts(formats[i], text, &p)) break;
    }
    if (i == n_formats) return false;
    if (p.year < 1 || p.year > 9999 || p.month < 1 || p.month > 12 || p.day < 1 ||
        p.day > days[p.month - 1] || p.hour > 23 || p.minute > 59 || p.second > 60)
        return false;
    int used = snprintf(date, GI_ARFF_DATE_ROOM, "%04u-%02u-%02u", p.year, p.month, p.day);
    if (p.has_time)
        snprintf(date + used, GI_ARFF_DATE_ROOM - (size_t)used, "T%02u:%02u:%02u", p.hour, p.minute,
                 p.second);
    return true;
}

bool gi_arff_date_is_known(const char *format)
{
    return !format || is_known(format);
}
