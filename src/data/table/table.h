/* SPDX-License-Identifier: MIT */
/*
 * A table as it stands in a file: rows of cells, which are numbers or texts. What a network makes
 * of it (scaling, classes) is base/schema.h's.
 */
#ifndef GLIA_DATA_TABLE_TABLE_H
#define GLIA_DATA_TABLE_TABLE_H

#include "base/file.h"
#include "base/status.h"
#include "model/schema.h"

/* Ceilings of what a file may hold. */
enum {
    GI_MAX_COLUMNS = 1 << 16,
    GI_MAX_ROW_BYTES = 1 << 24, /* of text: what is longer is taken for a quote left open */
    GI_MAX_TEXTS = 1 << 16,     /* different ones of a column, */
    GI_MAX_DATES = 1 << 22,     /* and of one of dates and times, which are no categories */
    GI_MAX_TEXT_BYTES = 1 << 10 /* of a text that stands for a category */
};

typedef enum gi_cell_kind {
    GI_CELL_NUMBER,
    GI_CELL_TEXT,   /* a category: the cell holds the code of its text */
    GI_CELL_IGNORED /* the column was dropped, or has too many texts: every cell is NAN */
} gi_cell_kind;

/* The different texts of a column, in the order of their first appearance: the code is the place.
 */
typedef struct gi_texts {
    char **text;       /* (n), NUL-terminated UTF-8, none of them twice */
    uint32_t *lengths; /* (n), without the NUL */
    size_t n, room;
    uint64_t *slots; /* (n_slots), a power of two: upper half of the hash, code + 1; 0 empty */
    size_t n_slots;
    struct gi_text_block *blocks; /* where the texts lie, the latest first */
} gi_texts;

/* Finds a text of n bytes, or adds it. GI_MAX_TEXTS of them at most, or GI_MAX_DATES: SIZE_MAX, and
 * no error, when
 * it would be one more. */
glia_status gi_texts_add(gi_texts *texts, const char *text, size_t n, size_t *code,
                         glia_error *error);
/* Its code, or SIZE_MAX. */
size_t gi_texts_find(const gi_texts *texts, const char *text, size_t n);
/* Whether a text of n bytes is a date, or a time of day, or both. */
bool gi_is_date(const char *text, size_t n);
/* Takes back the one that was added last. */
void gi_texts_pop(gi_texts *texts);
void gi_texts_free(gi_texts *texts);

typedef struct gi_column {
    char *name; /* "column 3" where the file has no names: they count from 1 */
    gi_cell_kind kind;
    gi_texts texts; /* of GI_CELL_TEXT */
    bool has_missing;
    uint64_t missing_words; /* which usual words stood there: a bit each */
    gi_number_form form;    /* of GI_CELL_NUMBER in separated values */
} gi_column;

/* Where rows stand: row r, from `row` on until the next mark's, is on line `line` + r - row. */
typedef struct gi_line_mark {
    uint64_t row, line;
} gi_line_mark;

/*
 * cells (rows, columns): a number, or the code of a text; NAN where nothing stands. Read-only once
 * made. In memory, or mapped from a file that was made of it before.
 */
typedef struct gi_table {
    char *path; /* for messages; "standard input" */
    size_t rows, n_columns;
    size_t n_targets;   /* the last so many are what is to be predicted; 0: the file does not say */
    bool has_weights;   /* the last column is how much each row counts */
    gi_column *columns; /* (n_columns) */
    gi_texts names;     /* of gi_table_index: the different names of columns, */
    size_t *of_name;    /* (names.n) and the first column of each */
    const double *cells;
    gi_line_mark *marks; /* (n_marks); none: the file has no lines (NumPy) */
    size_t n_marks;
    size_t skipped; /* rows that were malformed, and left out */
    char how[512];  /* what was found out: "comma-separated, first line is a header", say */
    gi_missing_words missing; /* what it was read with; owned */
    /* Of a stream that keeps them: the cells as texts, without their quotes; else NULL. */
    char *cell_texts;    /* one after the other, each with a NUL */
    size_t *cell_at;     /* (rows, columns): where each begins */
    double *owned_cells; /* or NULL, */
    gi_file mapped;      /* with cells somewhere within */
} gi_table;

void gi_table_free(gi_table *table);

/* The line of a row, from 1; 0 where the file has no lines. */
uint64_t gi_table_line(const gi_table *table, size_t row);

/* Makes the search for a column's name one step, however many columns there are. To be called once
 * they have their names; a table that is indexed stays as it is. */
glia_status gi_table_index(gi_table *table, glia_error *error);

/* The column of this name, or with this number, from 1; SIZE_MAX: none. */
size_t gi_table_column(const gi_table *table, const char *name);

/* "column " before a name in a message, unless the name is "column 3" itself; then "". */
const char *gi_column_word(const char *name);

/* Names of columns (n) for a message: a, "b, c", d. Those that do not fit are left out. */
void gi_table_list_names(const gi_column *columns, const size_t *which, size_t n, char *list,
                         size_t room);

/*
 * Columns (n) as an option of a command names them: a,b or 'a b'. Numbers stand for names that are
 * long, begin as options do or hold quotes; for more than GI_OPTION_COLUMNS, the list ends in
 * "...".
 */
enum { GI_OPTION_COLUMNS = 5, GI_OPTION_NAMES = 384 };
const char *gi_table_option(const gi_column *columns, const size_t *which, size_t n,
                            char option[GI_OPTION_NAMES]);

/* " (None means missing; table.missing_alone reads it as a text)", if there is such a word in it;
 * else ""
 */
enum { GI_MISSING_REMARK = 80 };
void gi_table_remark_missing(const gi_column *column, char remark[GI_MISSING_REMARK]);

/* "FILE, line 7, column age" (or "row 6" where there are no lines) into where. */
void gi_table_where(const gi_table *table, size_t row, size_t column, char *where, size_t room);

/* A column whose kind is known before reading; it must be there unless it may be absent. */
typedef struct gi_known_column {
    const char *name;
    gi_cell_kind kind;
    bool may_be_absent;
    gi_number_form form; /* of numbers, if it is known */
} gi_known_column;

typedef struct gi_table_params {
    char separator;               /* 0: is found out */
    int header;                   /* 1: the first line has names, 0: it has not, -1: is found out */
    bool skips_bad_rows;          /* else the first of them fails */
    int threads;                  /* 0: one a core */
    bool ignores_unknown;         /* columns that are not in known are GI_CELL_IGNORED */
    bool caches;                  /* large files are read once, into the cache folder */
    bool keeps_texts;             /* a stream keeps the cells of its rows as texts, too */
    const gi_known_column *known; /* (n_known); all else is found out */
    size_t n_known;
    bool targets_are_labels;    /* true and false in one target, too, are 1 and 0 */
    bool targets_are_values;    /* numbers, even if they look like codes */
    const char *const *targets; /* (n_targets): names that a header has, */
    size_t n_targets;
    const char *group;        /* and one more, or NULL */
    gi_number_form form;      /* of numbers; what is 0 is found out */
    gi_missing_words missing; /* borrowed */
} gi_table_params;

/* Gives the columns of a table the kinds that are known; others are ignored if params say so.
 * BAD_FORMAT: one that must be there is not. */
glia_status gi_table_apply_known(gi_table *table, const gi_table_params *params, glia_error *error);

/* Nothing known, everything found out, no cache. */
gi_table_params gi_table_default_params(void);

/* What a caller of the library asks for; nothing known. */
gi_table_params gi_table_params_of(const glia_table_params *params, int threads);

/* Makes room for `needed` elements of an array that is kept; doubles it at least. */
glia_status gi_table_grow(void **array, size_t *room, size_t needed, size_t size,
                          glia_error *error);

#endif
