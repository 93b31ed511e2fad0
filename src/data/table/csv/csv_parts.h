/* SPDX-License-Identifier: MIT */
/*
 * What the files of the reader of separated values share. The text is cut into blocks of whole rows
 * (csv_source.c), each of which a thread parses into a lot of cells (csv_rows.c); the lots are put
 * together in the order of the file (csv.c), so that nothing depends on the threads.
 */
#ifndef GLIA_DATA_TABLE_CSV_CSV_PARTS_H
#define GLIA_DATA_TABLE_CSV_CSV_PARTS_H

#include "base/file.h"
#include "base/text.h"
#include "data/table/csv/csv.h"

enum {
    GI_CSV_PADDING = 64,          /* bytes that may be read beyond the end of a block */
    GI_CSV_BLOCK_BYTES = 1 << 20, /* the text and its cells stay in a core's cache */
    GI_CSV_HEAD_BYTES = 1 << 20,  /* from which is found out what the file is */
    GI_CSV_MISSING_VALUES = 16,   /* numbers that stand for what is missing */
};

/* ---- csv_cell.c: where cells and rows end --------------------------------------------------- */

typedef struct gi_csv_dialect {
    char separator;       /* ' ': blanks, any number of them */
    char line_end;        /* '\n', with or without '\r' before it; or '\r' */
    bool has_backslashes; /* within quotes, a backslash takes what follows for a letter */
} gi_csv_dialect;

typedef enum gi_csv_fault {
    GI_CSV_FINE,
    GI_CSV_RAGGED,
    GI_CSV_OPEN_QUOTE,
    GI_CSV_LONG_ROW,
    GI_CSV_NOT_NUMBER,
    GI_CSV_TOO_LARGE,
    GI_CSV_NOT_UTF8,
    GI_CSV_NUL,
    GI_CSV_TOO_MANY_TEXTS, /* of a column that must be a category */
    GI_CSV_LONG_TEXT
} gi_csv_fault;

typedef struct gi_csv_cell {
    const char *begin, *end; /* without quotes, and blanks around them */
    bool quoted, doubled;    /* doubled: has doubled or escaped quotes within */
    gi_csv_fault fault;
    const char *at; /* where the fault is */
} gi_csv_cell;

bool gi_csv_is_blank(const gi_csv_dialect *dialect, char c);

/* What fills up the end of some files: zero bytes, and the Ctrl-Z of DOS. */
bool gi_csv_fills_up(char c);

/*
 * Whether a row has nothing but blanks, or what fills up the end of a file. *p, at its begin, goes
 * to what is no blank, or to the line end, or end; where it is what fills up, past that.
 */
bool gi_csv_is_blank_row(const gi_csv_dialect *dialect, const char **p, const char *end);

/*
 * The cell that begins at p; returns the separator after it, or the line end, or end. A quote opens
 * at the beginning of a cell alone; a cell that does not end with the quote's close is taken as it
 * stands.
 */
const char *gi_csv_next_cell(const gi_csv_dialect *dialect, const char *p, const char *end,
                             gi_csv_cell *cell);

/* What stands within a cell with doubled quotes; room: the cell's length. Returns its length. */
size_t gi_csv_unquote(const gi_csv_dialect *dialect, const gi_csv_cell *cell, char *text);

/*
 * After the line end of the last row that ends within p..end, or NULL; p begins a row. By the same
 * rule as gi_csv_next_cell. *open: where a quote was left open, or NULL.
 */
const char *gi_csv_last_row_end(const gi_csv_dialect *dialect, const char *p, const char *end,
                                const char **open);

/* The same of the first row. */
const char *gi_csv_row_end(const gi_csv_dialect *dialect, const char *p, const char *end,
                           const char **open);

/* ---- csv_value.c: what a cell's text means --------------------------------------------------- */

enum gi_csv_missing {
    GI_CSV_PRESENT,
    GI_CSV_MISSING_NUMBER, /* a word that stands for a missing number: "-", none */
    GI_CSV_MISSING         /* of any column: "", NA, ?, ... */
};

/* Whether a cell stands for a value that is not there. *seen: a bit is set for a usual word. */
enum gi_csv_missing gi_csv_missing(const gi_missing_words *words, const char *text, size_t n,
                                   uint64_t *seen);

/* "-inf" and its kin, which are numbers to those who write them. */
/* The first word whose bit is set; NULL: none. */
const char *gi_csv_missing_word(uint64_t seen);

bool gi_csv_is_infinity(const char *text, size_t n);

/* A number of this form; of any form also with a typographic minus, and no-break blanks around. */
bool gi_csv_number(gi_number_form form, const char *text, size_t n, double *out);

/* How the numbers of a column are written: how many are so. */
typedef struct gi_csv_numbers {
    uint64_t n;                              /* of whatever form */
    uint64_t n_whole, n_long;                /* digits alone; more than three of them */
    uint64_t n_points, n_commas;             /* that can be decimal signs alone */
    uint64_t n_point_groups, n_comma_groups; /* 1.234: a decimal sign, or thousands */
    uint64_t n_thousands[4]; /* with points, commas, blanks, apostrophes between thousands alone */
} gi_csv_numbers;

/* Counts a text, if it is a number of any form. */
void gi_csv_note_number(gi_csv_numbers *seen, const char *text, size_t n);

/* ---- csv_source.c: bytes become blocks of whole rows ---------------------------------------- */

/* Where the bytes come from, in order. */
typedef struct gi_csv_source {
    const char *path; /* for messages; borrowed */
    int descriptor;   /* -1: all is in tail */
    bool owns_descriptor, has_ended;
    uint64_t size;    /* of the file, if it is one; else 0 */
    gi_file content;  /* what the tail is a part of, or empty */
    const char *tail; /* (n_tail): read, but not handed out yet */
    size_t n_tail;
    uint64_t tail_byte; /* its place in the file */
    char *owned;        /* (owned_room): what the tail is a part of, or NULL */
    size_t owned_room;
} gi_csv_source;

/* A block of whole rows. */
typedef struct gi_csv_block {
    char *bytes; /* (n), and GI_CSV_PADDING more */
    size_t n, room;
    uint64_t first_byte;
    const char *open; /* where a quote is left open in it, which is one row; or NULL */
    size_t n_added;   /* 1: its last line end is not in the file */
    bool is_long;     /* it is one row that is too long, or a part of it */
} gi_csv_block;

/* path "-": standard input. Gzip files are decompressed as a whole. */
glia_status gi_csv_source_open(const char *path, gi_csv_source *source, glia_error *error);
/* Of bytes in memory, which are borrowed. */
void gi_csv_source_of(const char *path, const uint8_t *bytes, size_t n, gi_csv_source *source);
void gi_csv_source_close(gi_csv_source *source);

/* Reads until the tail is n bytes long, or all there is; if is_hasty, what is there, once. */
glia_status gi_csv_source_fill(gi_csv_source *source, size_t n, bool is_hasty, glia_error *error);

/*
 * The next rows, about n bytes of them, or as many as are there if is_hasty. block->n is 0 at the
 * end. The last line end is added where the file has none.
 */
glia_status gi_csv_source_take(gi_csv_source *source, const gi_csv_dialect *dialect, size_t n,
                               bool is_hasty, gi_csv_block *block, glia_error *error);

/* ---- csv_form.c: what a file is, by its head ------------------------------------------------ */

/* How a column's cells are parsed. */
enum gi_csv_kind {
    GI_CSV_NUMBER, /* as C writes them */
    GI_CSV_FORMED, /* numbers of the column's form */
    GI_CSV_TEXT,
    GI_CSV_LOST,   /* too many texts: looked at, but not kept */
    GI_CSV_DROPPED /* not looked at */
};

/* What is known of a file once its head has been read. */
typedef struct gi_csv_form {
    const char *path; /* for messages; borrowed */
    gi_csv_dialect dialect;
    bool has_header;
    bool is_named; /* by a comment */
    bool skips_bad_rows;
    bool is_arff;                                 /* which is why it was refused */
    bool is_for_network;                          /* what is read of which column is decided */
    gi_missing_words missing;                     /* borrowed */
    double missing_values[GI_CSV_MISSING_VALUES]; /* (n_missing_values): those that are numbers */
    size_t n_missing_values;
    size_t n_rows; /* of the head, without the header; up to some thousand */
    size_t begin;  /* the byte where the first row of cells begins, */
    uint64_t line; /* and its line */
    size_t n_columns;
    gi_column *columns;   /* (n_columns): names, kinds, no texts */
    uint8_t *kinds;       /* (n_columns): enum gi_csv_kind */
    char first_line[24];  /* the number of the line that said how many columns there are */
    bool *takes_booleans; /* (n_columns): its numbers can be TRUE and FALSE */
    bool *must_be_text;   /* (n_columns): known as a category, so it cannot be left out */
    char how[512];
} gi_csv_form;

/*
 * Finds out what the file is from its first bytes, all there are if is_whole; at least a row of
 * them is there, and GI_CSV_PADDING readable bytes after them. IO and BAD_FORMAT as of gi_csv_read.
 */
glia_status gi_csv_find_form(const char *path, const char *head, size_t n, bool is_whole,
                             const gi_table_params *params, gi_csv_form *form, glia_error *error);

/*
 * The same of a source that has not been read yet, whose tail then begins with the first row of
 * cells. is_hasty: as soon as there is a row, which may be the header; every column is known then.
 */
glia_status gi_csv_form_of(gi_csv_source *source, bool is_hasty, const gi_table_params *params,
                           gi_csv_form *form, glia_error *error);
void gi_csv_form_free(gi_csv_form *form);

/* ---- csv_rows.c: a block of rows becomes cells ---------------------------------------------- */

/* The first row that is at fault. */
typedef struct gi_csv_problem {
    gi_csv_fault fault;
    uint64_t row, line; /* within the lot, from 0 */
    uint64_t byte;      /* within the file */
    size_t column;
    size_t n_cells; /* of a ragged row */
    char shown[GI_TEXT_SHOWN];
} gi_csv_problem;

/* A text that the thread had not met before, in the order of appearance. */
typedef struct gi_csv_new_text {
    uint32_t column, code; /* code: the thread's; GI_CSV_NO_CODE: it is too much for a category */
    uint64_t row;
    gi_csv_fault fault; /* in which way it is too much */
} gi_csv_new_text;

#define GI_CSV_NO_CODE UINT32_MAX

/* A cell with a text whose code in the table is not known yet. */
typedef struct gi_csv_open_cell {
    size_t cell;
    uint32_t column, code; /* the thread's */
} gi_csv_open_cell;

/* What a block became. */
typedef struct gi_csv_lot {
    uint64_t ordinal;
    uint64_t first_row; /* in the table, once committed */
    size_t place;       /* in the cache */
    double *cells;      /* (rows, columns) */
    size_t rows, cells_room;
    gi_line_mark *marks; /* (n_marks), within the lot, from 0 */
    size_t n_marks, marks_room;
    uint64_t lines;
    uint64_t bytes; /* of the text that it was */
    size_t skipped;
    gi_csv_new_text *new_texts;
    size_t n_new_texts, new_texts_room;
    gi_csv_open_cell *open_cells;
    size_t n_open_cells, open_cells_room;
    gi_csv_problem problem;
    size_t n_lost; /* how many columns were known to be left out when it was parsed */
} gi_csv_lot;

void gi_csv_lot_free(gi_csv_lot *lot);

/* The texts of a column that a thread has met, and their codes in the table. */
typedef struct gi_csv_dictionary {
    gi_texts texts;
    uint32_t *codes; /* (texts.room); GI_CSV_NO_CODE: not known yet */
    size_t room;
} gi_csv_dictionary;

/* What a thread parses with. */
typedef struct gi_csv_parser {
    const gi_csv_form *form;
    uint8_t *kinds; /* (columns): enum gi_csv_kind */
    gi_csv_dictionary *dictionaries;
    uint64_t *n_missing;     /* (columns) */
    uint64_t *missing_words; /* (columns): the usual words that were missing values, a bit each */
    size_t n_lost;           /* how many of the table's lost columns it knows */
    char *scratch;
    size_t scratch_room;
} gi_csv_parser;

glia_status gi_csv_parser_make(const gi_csv_form *form, gi_csv_parser *parser, glia_error *error);
void gi_csv_parser_free(gi_csv_parser *parser);

/* What the parser has found missing in a column, added to what others have. */
void gi_csv_count_missing(const gi_csv_parser *parser, size_t column, gi_column *to);

/*
 * Parses begin..end, whole rows, which begin at byte first_byte of the file; GI_CSV_PADDING bytes
 * after it are readable. A row at fault ends it, with lot->problem set, or is skipped. Fails for
 * want of memory alone.
 */
glia_status gi_csv_parse_rows(gi_csv_parser *parser, const char *begin, const char *end,
                              uint64_t first_byte, gi_csv_lot *lot, glia_error *error);

/* ---- csv_report.c: what is wrong with a row ---------------------------------------------------
 */

/* A text of a lot that is too much for its column, as an error; line as below. */
glia_status gi_csv_report_text(const gi_csv_form *form, const gi_csv_lot *lot,
                               const gi_csv_new_text *text, gi_csv_fault fault, uint64_t line,
                               glia_error *error);

/* The problem as an error; line: of the lot's beginning. */
glia_status gi_csv_report(const gi_csv_form *form, const gi_csv_problem *problem, uint64_t line,
                          glia_error *error);

/* ---- csv_cache.c: tables of large files in binary form -------------------------------------- */

/* A column with too many texts, and how many rows had been put into the table before. */
typedef struct gi_csv_lost {
    uint32_t column;
    uint64_t rows;
} gi_csv_lost;

typedef struct gi_csv_cache gi_csv_cache;

/* Where the cache of a file is, if there is a place for it; else *out is NULL. */
glia_status gi_csv_cache_open(const char *path, const gi_table_params *params, gi_csv_cache **out,
                              glia_error *error);
void gi_csv_cache_free(gi_csv_cache *cache);

/* The table, if the cache holds it; NULL: it does not. */
gi_table *gi_csv_cache_read(const gi_csv_cache *cache, const char *path, int n_threads);

/* Writing: begin, then the bytes of the file in their order, and every lot of cells: a place is
 * added for it, the cells are written (by several threads at a time), its checksum is set. False:
 * it cannot be written. */
bool gi_csv_cache_begin(gi_csv_cache *cache, size_t n_columns);
void gi_csv_cache_sum(gi_csv_cache *cache, const char *bytes, size_t n);
glia_status gi_csv_cache_add(gi_csv_cache *cache, uint64_t first_row, size_t *place,
                             glia_error *error);
bool gi_csv_cache_write(const gi_csv_cache *cache, uint64_t first_row, const double *cells,
                        size_t rows, uint32_t *crc);
void gi_csv_cache_set_crc(gi_csv_cache *cache, size_t place, uint32_t crc);
/* Completes the file; the table's cells are then mapped from it. */
bool gi_csv_cache_finish(gi_csv_cache *cache, gi_table *table, const gi_csv_lost *lost,
                         size_t n_lost);

/* ---- csv.c: lots become a table ------------------------------------------------------------- */

/* gi_csv_read of files with a cache from so many bytes on, and gi_csv_parse, with blocks of another
 * size, for tests. */
glia_status gi_csv_read_blocks(const char *path, const gi_table_params *params, size_t block_bytes,
                               uint64_t cached_from, gi_table **out, glia_error *error);
glia_status gi_csv_parse_blocks(const char *path, const uint8_t *bytes, size_t n_bytes,
                                const gi_table_params *params, size_t block_bytes, gi_table **out,
                                glia_error *error);

/* The lot of a block that is one row with an open quote, or too long. */
void gi_csv_set_problem(const gi_csv_form *form, const gi_csv_block *block, gi_csv_lot *lot);

#endif
