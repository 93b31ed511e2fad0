/* SPDX-License-Identifier: MIT */
/* What texts look like: numbers that are not written as such, dates, words for nothing; what names
 * say. */
#ifndef GLIA_DATA_TABLE_TEXT_LOOK_H
#define GLIA_DATA_TABLE_TEXT_LOOK_H

#include "base/status.h"

/* What a text looks like. */
typedef enum gi_text_look {
    GI_LOOK_TEXT,
    GI_LOOK_NUMBER,    /* that the reader takes */
    GI_LOOK_THOUSANDS, /* 1,234 */
    GI_LOOK_COMMA,     /* 1,5 and 1.234,5 */
    GI_LOOK_CURRENCY,
    GI_LOOK_PERCENT,
    GI_LOOK_UNIT, /* 12 km */
    GI_LOOK_DATE, /* or time */
    GI_LOOKS
} gi_text_look;

gi_text_look gi_look_at_text(const char *text);

/* The unit of a text that has one. */
const char *gi_unit_of_text(const char *text);

/* Whether it seems to say that nothing is there. */
bool gi_says_missing(const char *text);

/* Whether two texts differ in capitals and blanks alone, of ASCII; and a hash alike for those. */
bool gi_are_similar(const char *a, const char *b);
uint64_t gi_similar_hash(const char *text);

/* What names say: an identifier of something, which is an id or, in the wider sense, a number or an
 * index too; a code; a target. */
bool gi_names_id(const char *name);
bool gi_names_identifier(const char *name);
bool gi_names_code(const char *name);
bool gi_names_target(const char *name);

#endif
