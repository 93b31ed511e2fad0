/* SPDX-License-Identifier: MIT */
/* Dates and times of day. Everything is parsed by hand: strptime depends on the locale. */
#include "base/date.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static const double day_seconds = 86400;

enum { PIVOT_YEAR = 69 }; /* years of two digits: from 1969 on, as POSIX has it */

static const char *const form_names[] = {[GI_DATE_YMD] = "ymd",
                                         [GI_DATE_DMY] = "dmy",
                                         [GI_DATE_MDY] = "mdy",
                                         [GI_DATE_TIME] = "time",
                                         [GI_DATE_COMPACT] = "yyyymmdd"};
static const char *const form_texts[] = {
    [GI_DATE_NONE] = "no date",       [GI_DATE_YMD] = "year-month-day",
    [GI_DATE_DMY] = "day.month.year", [GI_DATE_MDY] = "month/day/year",
    [GI_DATE_TIME] = "hours:minutes", [GI_DATE_COMPACT] = "yyyymmdd"};
static const char *const part_names[] = {[GI_DATE_DAYS] = "days",
                                         [GI_DATE_YEAR] = "year",
                                         [GI_DATE_MONTH] = "month",
                                         [GI_DATE_WEEKDAY] = "weekday",
                                         [GI_DATE_HOUR] = "hour"};

const char *gi_date_form_name(gi_date_form form)
{
    return form_names[form];
}

const char *gi_date_form_text(gi_date_form form)
{
    return form_texts[form];
}

const char *gi_date_part_name(gi_date_part part)
{
    return part_names[part];
}

/* ---- The calendar -------------------------------------------------------------------------- */

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && is_leap);
}

/* Days since 1970-01-01: Hinnant's days_from_civil, whose years begin in March. */
static int64_t days_of(int year, int month, int day)
{
    const int64_t y = month <= 2 ? year - 1 : year;
    const int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    const int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* The year and the month of a day: his civil_from_days. */
static void year_of(int64_t days, int *year, int *month)
{
    const int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    const int64_t of_era = z - era * 146097;
    const int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const int64_t of_year = of_era - (365 * y + y / 4 - y / 100), m = (5 * of_year + 2) / 153;
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)(y + era * 400 + (*month <= 2));
}

/* The Monday of a day's week: 1970-01-01 was a Thursday. */
static int64_t monday_of(int64_t days)
{
    return days - ((days + 3) % 7 + 7) % 7;
}

/* ---- Texts --------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Takes a whole number of least to most digits. */
static bool take_number(const char **at, size_t least, size_t most, int *out, size_t *n_digits)
{
    size_t n = 0;
    *out = 0;
    for (; n <= most && is_digit((*at)[n]); n++)
        if (n < most) *out = 10 * *out + ((*at)[n] - '0');
    if (n < least || n > most) return false;
    *at += n;
    if (n_digits) *n_digits = n;
    return true;
}

static bool take(const char **at, char c)
{
    if (**at != c) return false;
    (*at)++;
    return true;
}

/* Takes a word, in small or capital letters. */
static bool take_word(const char **at, const char *word)
{
    size_t n = 0;
    while (word[n] && lower((*at)[n]) == word[n]) n++;
    if (word[n]) return false;
    *at += n;
    return true;
}

/* Takes the English name of a month, whole or its first three letters, with or without a point. */
static bool take_month_name(const char **at, int *month)
{
    static const char *const names[] = {"january",   "february", "march",    "april",
                                        "may",       "june",     "july",     "august",
                                        "september", "october",  "november", "december"};
    for (int m = 0; m < 12; m++) {
        const char first[] = {names[m][0], names[m][1], names[m][2], '\0'};
        if (!take_word(at, names[m]) && !take_word(at, first)) continue;
        *month = m + 1;
        take(at, '.');
        return true;
    }
    return false;
}

/* ---- Dates --------------------------------------------------------------------------------- */

struct date {
    int year, month, day;
};

/* Between the parts of a date: the same in both places; blanks and nothing only beside a name. */
static bool take_separator(const char **at, char *separator, bool beside_name)
{
    if (**at && strchr("-/.", **at)) {
        if (*separator && *separator != **at) return false;
        *separator = *(*at)++;
        while (beside_name && take(at, ' ')) continue; /* 29. June */
        return true;
    }
    if (!beside_name) return false;
    take(at, ',');
    while (take(at, ' ')) continue;
    return true;
}

/* A year of four digits, or of two. */
static bool take_year(const char **at, char separator, int *year)
{
    size_t n;
    if (!take_number(at, 2, 4, year, &n) || n == 3) return false;
    if (n == 4) return true;
    *year += *year < PIVOT_YEAR ? 2000 : 1900;
    return separator != '-'; /* 01-02-03 is more often a code */
}

/* "Q3" at the end, which begins in July. */
static bool take_quarter(const char **at, struct date *date)
{
    const char *p = *at;
    int quarter;
    if (!take_word(&p, "q") || !take_number(&p, 1, 1, &quarter, NULL) || *p) return false;
    if (quarter < 1 || quarter > 4) return false;
    date->month = 3 * quarter - 2;
    *at = p;
    return true;
}

/* "W05" or "W05-3" at the end: a week of ISO 8601, and its day, else its Monday. The first week has
 * January 4. */
static bool take_week(const char **at, struct date *date)
{
    const char *p = *at;
    int week, weekday = 1;
    if (!take_word(&p, "w") || !take_number(&p, 2, 2, &week, NULL)) return false;
    if (*p && (!take(&p, '-') || !take_number(&p, 1, 1, &weekday, NULL) || *p)) return false;
    const int64_t first = monday_of(days_of(date->year, 1, 4));
    const int64_t monday = first + 7 * (int64_t)(week - 1);
    if (week < 1 || weekday < 1 || weekday > 7) return false;
    if (monday >= monday_of(days_of(date->year + 1, 1, 4))) return false;
    const int64_t day = monday + weekday - 1;
    year_of(day, &date->year, &date->month);
    date->day = (int)(day - days_of(date->year, date->month, 1)) + 1;
    *at = p;
    return true;
}

static bool take_ymd(const char **at, struct date *date)
{
    char separator = '\0';
    if (!take_number(at, 4, 4, &date->year, NULL)) return false;
    date->day = 1;
    if (take_quarter(at, date)) return true;
    if (!take_separator(at, &separator, false)) return false;
    if (take_quarter(at, date) || (separator == '-' && take_week(at, date))) return true;
    const bool is_name = take_month_name(at, &date->month);
    if (!is_name && !take_number(at, 1, 2, &date->month, NULL)) return false;
    if (separator != '.' && !is_name && **at == '\0') return true; /* a month */
    return take_separator(at, &separator, is_name) && take_number(at, 1, 2, &date->day, NULL);
}

static bool take_dmy(const char **at, struct date *date)
{
    char separator = '\0';
    if (!take_number(at, 1, 2, &date->day, NULL)) return false;
    const char *before_name = *at;
    bool is_name = take_separator(&before_name, &separator, true) &&
                   take_month_name(&before_name, &date->month);
    if (is_name) {
        *at = before_name;
    } else {
        separator = '\0';
        if (!take_separator(at, &separator, false) || !take_number(at, 1, 2, &date->month, NULL))
            return false;
    }
    return take_separator(at, &separator, is_name) &&
           take_year(at, is_name ? ' ' : separator, &date->year);
}

/* "2023" at the end: the year of a month. */
static bool take_last_year(const char **at, struct date *date)
{
    enum { EARLIEST = 1500, LATEST = 2999 }; /* else it is a code: 3/1024 */
    const char *p = *at;
    int year;
    if (!take_number(&p, 4, 4, &year, NULL) || *p || year < EARLIEST || year > LATEST) return false;
    date->year = year;
    date->day = 1;
    *at = p;
    return true;
}

static bool take_mdy(const char **at, struct date *date)
{
    char separator = '\0';
    const bool is_name = take_month_name(at, &date->month);
    if (!is_name && !take_number(at, 1, 2, &date->month, NULL)) return false;
    if (!take_separator(at, &separator, is_name)) return false;
    if ((is_name || separator != '.') && take_last_year(at, date)) return true;
    return take_number(at, 1, 2, &date->day, NULL) && take_separator(at, &separator, is_name) &&
           take_year(at, is_name ? ' ' : separator, &date->year);
}

/* ---- Times --------------------------------------------------------------------------------- */

/* "Z", "UTC", "+01:00", "+0100", "+01"; seconds to be taken away: none for another name. */
static bool take_zone(const char **at, double *seconds)
{
    *seconds = 0;
    while (take(at, ' ')) continue;
    if (**at == '\0') return true;
    if ((*at)[strspn(*at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0') { /* Z, UTC; CET is not known */
        *at += strlen(*at);
        return true;
    }
    const int sign = take(at, '+') ? 1 : take(at, '-') ? -1 : 0;
    int hours, minutes = 0;
    if (!sign || !take_number(at, 1, 4, &hours, NULL)) return false;
    if (hours > 99) {
        minutes = hours % 100;
        hours /= 100;
    } else if (take(at, ':') && !take_number(at, 2, 2, &minutes, NULL)) {
        return false;
    }
    *seconds = sign * (hours * 3600 + minutes * 60);
    return hours <= 14 && minutes < 60 && **at == '\0';
}

/* The time at the end of a text. A time alone may be one that went by, of more than a day. */
static bool take_time(const char **at, bool is_alone, double *seconds)
{
    int hour, minute, second = 0;
    double fraction = 0, zone = 0;
    if (!take_number(at, 1, is_alone ? 3 : 2, &hour, NULL) || !take(at, ':') ||
        !take_number(at, 2, 2, &minute, NULL))
        return false;
    if (take(at, ':') && !take_number(at, 2, 2, &second, NULL)) return false;
    if ((**at == '.' || **at == ',') && is_digit((*at)[1])) {
        double unit = 0.1;
        for ((*at)++; is_digit(**at); (*at)++, unit /= 10) fraction += unit * (**at - '0');
    }
    const char *half = *at;
    while (take(&half, ' ')) continue;
    const bool is_am = take_word(&half, "am"), is_pm = !is_am && take_word(&half, "pm");
    if (is_am || is_pm) {
        if (hour < 1 || hour > 12) return false;
        hour = hour % 12 + (is_pm ? 12 : 0);
        *at = half;
    }
    if (minute > 59 || second > 60 || (!is_alone && hour > 24)) return false;
    if (is_alone ? **at != '\0' : !take_zone(at, &zone)) return false;
    *seconds = hour * 3600 + minute * 60 + second + fraction - zone;
    return true;
}

static bool seconds_of(const struct date *date, double *seconds)
{
    if (date->year == 0 && date->month == 0 && date->day == 0) {
        *seconds = NAN;
        return true;
    }
    if (date->month < 1 || date->month > 12 || date->day < 1 ||
        date->day > days_in_month(date->year, date->month))
        return false;
    *seconds = (double)days_of(date->year, date->month, date->day) * day_seconds;
    return true;
}

/* "Fri, 01 Mar 2024" */
static void skip_weekday(const char **at)
{
    static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    const char *p = *at;
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        if (!take_word(&p, days[i])) continue;
        while (lower(*p) >= 'a' && lower(*p) <= 'z') p++;
        const char *end = p;
        take(&p, ',');
        while (take(&p, ' ')) continue;
        if (p > end) *at = p;
        return;
    }
}

bool gi_date_parse(const char *text, gi_date_form form, double *seconds, bool *has_time)
{
    struct date date;
    double time = 0;
    bool timed = form == GI_DATE_TIME;
    if (has_time) *has_time = timed;
    skip_weekday(&text);
    switch (form) {
    case GI_DATE_YMD:
        if (!take_ymd(&text, &date)) return false;
        break;
    case GI_DATE_DMY:
        if (!take_dmy(&text, &date)) return false;
        break;
    case GI_DATE_MDY:
        if (!take_mdy(&text, &date)) return false;
        break;
    case GI_DATE_TIME:
        return take_time(&text, true, seconds);
    default:
        return false;
    }
    if (*text && strchr("T t,:", *text)) {
        text++;
        while (take(&text, ' ')) continue;
        timed = true;
        if (!take_time(&text, false, &time)) return false;
    }
    if (has_time) *has_time = timed;
    if (*text != '\0' || !seconds_of(&date, seconds)) return false;
    *seconds += time;
    return true;
}

bool gi_date_of_number(double number, double *seconds)
{
    double time = 0;
    if (!(number >= 15000101 && number < 30000000000000) || number != floor(number)) return false;
    int64_t whole = (int64_t)number;
    if (whole >= 150001010000 && whole < 15000101000000) whole *= 100; /* without seconds */
    if (whole >= 15000101000000) { /* with hours, minutes and seconds */
        const int hour = (int)(whole / 10000 % 100), minute = (int)(whole / 100 % 100);
        const int second = (int)(whole % 100);
        if (hour > 23 || minute > 59 || second > 59) return false;
        time = hour * 3600 + minute * 60 + second;
        whole /= 1000000;
    }
    if (whole > 29991231) return false;
    const struct date date = {(int)(whole / 10000), (int)(whole / 100 % 100), (int)(whole % 100)};
    if (!seconds_of(&date, seconds)) return false;
    *seconds += time;
    return true;
}

double gi_date_part_of(double seconds, gi_date_part part)
{
    if (isnan(seconds)) return NAN;
    const double day = floor(seconds / day_seconds);
    int year, month;
    switch (part) {
    case GI_DATE_DAYS:
        return seconds / day_seconds;
    case GI_DATE_WEEKDAY: /* 1970-01-01 was a Thursday */
        return (double)((((int64_t)day + 3) % 7 + 7) % 7 + 1);
    case GI_DATE_HOUR:
        return (seconds - day * day_seconds) / 3600;
    case GI_DATE_YEAR:
    case GI_DATE_MONTH:
        year_of((int64_t)day, &year, &month);
        return part == GI_DATE_YEAR ? year : month;
    default:
        return seconds;
    }
}
