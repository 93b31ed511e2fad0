/* SPDX-License-Identifier: MIT */
/* Dates and times as people and programs write them, and the numbers that a network reads of them.
 */
#ifndef GLIA_BASE_DATE_H
#define GLIA_BASE_DATE_H

#include <stdbool.h>

/*
 * The order in which dates are written. Any of them may be followed by a time of day (hours and
 * minutes at least) and a zone. Months may be English names.
 */
typedef enum gi_date_form {
    GI_DATE_NONE,
    GI_DATE_YMD,     /* 2024-03-01, 2024/3/1, 2024-03-01T10:30:00Z, 2024-03, 2024Q1 */
    GI_DATE_DMY,     /* 01.03.2024, 1/3/24, 01-Mar-2024, 01MAR2024 */
    GI_DATE_MDY,     /* 03/01/2024, 3/1/24, Mar 1, 2024 */
    GI_DATE_TIME,    /* 10:30, 10:30:00.5, 2:30 pm */
    GI_DATE_COMPACT, /* 20240301, 202403011030, 20240301103000: a whole number */
    GI_DATE_FORMS
} gi_date_form;

/* A number that is read of a date. */
typedef enum gi_date_part {
    GI_DATE_WHOLE, /* none of it: the cell is no date */
    GI_DATE_DAYS,  /* since 1970-01-01, with the time of day as a fraction */
    GI_DATE_YEAR,
    GI_DATE_MONTH,   /* 1 to 12 */
    GI_DATE_WEEKDAY, /* 1, Monday, to 7, as ISO 8601 counts them */
    GI_DATE_HOUR,    /* 0 to 24, with minutes and seconds as a fraction */
    GI_DATE_PARTS
} gi_date_part;

/* "ymd", "month", as model files have them; NULL for GI_DATE_NONE and GI_DATE_WHOLE. */
const char *gi_date_form_name(gi_date_form form);
const char *gi_date_part_name(gi_date_part part);

/* "year-month-day", for people. */
const char *gi_date_form_text(gi_date_form form);

/*
 * Seconds since 1970-01-01, in UTC where a zone is written, else as the clock showed them; of a
 * time alone, since midnight. NAN for the date of zeros that MySQL writes for none. False: it is
 * not written in this form, or no day of the calendar. *has_time, if not NULL: whether it has a
 * time of day.
 */
bool gi_date_parse(const char *text, gi_date_form form, double *seconds, bool *has_time);

/* The same of a whole number, 20240301. */
bool gi_date_of_number(double number, double *seconds);

/* A part of what gi_date_parse gave; NAN of NAN. */
double gi_date_part_of(double seconds, gi_date_part part);

#endif
