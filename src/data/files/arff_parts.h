/* SPDX-License-Identifier: MIT */
/* What the files of the ARFF reader share: arff_header.c, arff.c and arff_date.c. */
#ifndef GLIA_DATA_FILES_ARFF_PARTS_H
#define GLIA_DATA_FILES_ARFF_PARTS_H

#include "base/text.h"
#include "data/table/table.h"

typedef enum gi_arff_type {
    GI_ARFF_NUMBER,
    GI_ARFF_NOMINAL,
    GI_ARFF_STRING,
    GI_ARFF_DATE
} gi_arff_type;

typedef struct gi_arff_attribute {
    gi_arff_type type;
    char *format;      /* of dates; owned, or NULL: the usual one */
    double omitted;    /* the cell of a sparse row that does not name it */
    bool must_be_text; /* it was asked for as categories, so it cannot be left out */
    bool is_lost;      /* it was left out for its texts */
} gi_arff_attribute;

/* A file that is being read. Invariant: at <= line_end <= end. */
typedef struct gi_arff {
    const char *path;
    const char *at, *line_end; /* of the line that is read, without its end */
    const char *next, *end;    /* where the next line begins; the end of all */
    uint64_t line;
    gi_table *table;
    gi_arff_attribute *attributes; /* (the table's columns) */
    size_t columns_room, attributes_room, cells_room, marks_room;
    double *weights; /* (weights_room), of the first n_weights rows; others weigh 1 */
    size_t n_weights, weights_room;
    char *text; /* (text_room): a token without its quotes, of n_text bytes */
    size_t n_text, text_room;
    bool is_quoted, has_sparse_rows;
    bool is_for_network;         /* what is read of which column is decided */
    char line_feed;              /* what ends a line */
    char outputs[GI_TEXT_SHOWN]; /* the attributes that KEEL's @outputs names, or "" */
    glia_error *error;
} gi_arff;

/* ---- arff_header.c ---- */

/* Steps over blanks. */
void gi_arff_skip_blanks(gi_arff *r);

/* The next line that is neither empty nor a comment; at is after its blanks. False at the end. */
bool gi_arff_next_line(gi_arff *r);

/* BAD_FORMAT: what stands from `from` on, and what was expected. */
glia_status gi_arff_unexpected(const gi_arff *r, const char *from, const char *expected);

/* Room for a token of the rest of the line. */
glia_status gi_arff_make_room(gi_arff *r);

/*
 * The token at `at`, in quotes or up to one of the ends, or to a comment, without the blanks around
 * it. Leaves at after the blanks that follow.
 */
glia_status gi_arff_token(gi_arff *r, const char *ends);

/* Whether the token is a word, in capitals or not, without quotes. */
bool gi_arff_is_word(const gi_arff *r, const char *word);

/* Reads the lines up to @data: names, types and kinds of the columns, as far as they are known. */
glia_status gi_arff_read_header(gi_arff *r, const gi_table_params *params);

/* ---- arff_date.c ---- */

enum { GI_ARFF_DATE_ROOM = 32 };

/* Whether dates of a format of Java's (yyyy, MM, dd, HH, mm, ss and what stands between them) are
 * read; NULL: the usual one, yyyy-MM-dd'T'HH:mm:ss. */
bool gi_arff_date_is_known(const char *format);

/* A date in such a format, as ISO 8601 has it. False: it is no such date. */
bool gi_arff_date(const char *format, const char *text, char date[GI_ARFF_DATE_ROOM]);

#endif
