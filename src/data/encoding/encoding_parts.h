/* SPDX-License-Identifier: MIT */
/* What an encoding is made of, for the files that make it. */
#ifndef GLIA_DATA_ENCODING_ENCODING_PARTS_H
#define GLIA_DATA_ENCODING_ENCODING_PARTS_H

#include <math.h>
#include <stdatomic.h>

#include "data/encoding/encoding.h"

enum { GI_UNKNOWN = -1 };

/* A table with everything that opening it has settled; of all data sets that were made of it. */
struct gi_shared_table {
    atomic_int users;
    gi_table *table;
    gi_table_roles roles;
    bool fails_on_unknown; /* categories */
    gi_table_plan plan;    /* has no task where rows are read like those of another table */
    /* Of a large one that is mapped from a file: rows that lie together, and after how many rows
     * that were read their pages are given back; else 0. */
    size_t chunk, drop_after;
    atomic_size_t n_read;
};

/* A whole number that is a class. */
struct gi_class_number {
    double value;
    uint32_t class;
};

/* How one or several data sets read it. */
struct gi_encoding {
    atomic_int users;
    struct gi_shared_table *shared;
    gi_schema *schema;
    size_t *column;     /* (schema's columns): which one of the table */
    int32_t **category; /* (schema's columns), of texts: from codes to places, or GI_UNKNOWN */
    double **number;    /* (schema's columns), of texts that are dates: from codes to the part that
                         * is read, NAN where it is missing, INFINITY of what is no date */
    bool is_plain;      /* cells enter the network as they are, so that none can be missing */
    glia_task task;
    size_t n_targets;                /* 0: the table has none */
    size_t *target;                  /* (n_targets): columns of the table */
    int32_t *class_of_text;          /* from codes to classes; NULL: classes are */
    struct gi_class_number *numbers; /* (n_numbers), sorted */
    size_t n_numbers;
};

/* The cells (columns) of a row. Of a large table on disk the pages of rows read before may be given
 * back meanwhile; they come again when they are needed. */
const double *gi_encoding_cells(const struct gi_encoding *encoding, uint64_t row);

/* The class that a cell of the target stands for; of several targets, of which one is 1 and the
 * others are 0, that of a row's cells. Or GI_UNKNOWN. */
int64_t gi_encoding_class(const struct gi_encoding *encoding, double cell);
int64_t gi_encoding_one_hot(const struct gi_encoding *encoding, const double *cells);

/* How its rows are read (encoding_rows.c); one more data set has it, or one less. */
extern const gi_rows gi_encoding_rows;
void gi_encoding_keep(void *encoding);
void gi_encoding_release(void *encoding);

/* The number that a column of the schema, which is not one of categories, has in a row's cells;
 * NAN: it is missing. */
static inline double gi_encoding_number(const struct gi_encoding *e, size_t j, const double *cells)
{
    const double cell = cells[e->column[j]];
    if (e->schema->columns[j].date == GI_DATE_NONE || isnan(cell)) return cell;
    double seconds;
    if (e->number[j]) return e->number[j][(size_t)cell];
    return gi_date_of_number(cell, &seconds) ? gi_date_part_of(seconds, e->schema->columns[j].part)
                                             : (double)INFINITY;
}

/* BAD_FORMAT: a row of the data set cannot be read (encoding_check.c). */
glia_status gi_encoding_check_rows(const struct gi_encoding *e, const glia_dataset *dataset,
                                   glia_error *error);

/* The numbers of the rows that can be read (n), to be freed. Without skips the first bad row is an
 * error. */
glia_status gi_encoding_choose_rows(const struct gi_encoding *e, bool skips, bool may_be_none,
                                    uint32_t **rows, size_t *n, glia_error *error);

/* Which row of its table a sample is. */
static inline uint64_t gi_encoding_row(const glia_dataset *dataset, size_t index)
{
    return dataset->rows ? dataset->rows[index] : index;
}

/*
 * How a table is read whose first columns (features) are numbers as the network reads them, and
 * whose others, if there are any, are its targets. MISMATCH.
 */
glia_status gi_plain_schema(const gi_table *table, const gi_reading *reading, gi_schema **out,
                            glia_error *error);

/* Sets means, scales, categories and flags of its schema from the rows of a data set. */
glia_status gi_encoding_learn(const struct gi_encoding *encoding, const glia_dataset *dataset,
                              glia_error *error);

#endif
