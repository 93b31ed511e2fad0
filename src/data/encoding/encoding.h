/* SPDX-License-Identifier: MIT */
/*
 * Data sets of the rows of tables. An encoding says how a row of cells becomes features and a class
 * or values (base/schema.h); it is learned from the rows of a data set, and a part that is held out
 * is read by the encoding of the rest. Rows are encoded when they are asked for.
 */
#ifndef GLIA_DATA_ENCODING_ENCODING_H
#define GLIA_DATA_ENCODING_ENCODING_H

#include "data/encoding/table_plan.h"
#include "data/set/dataset.h"
#include "model/schema.h"

/*
 * A data set of all rows of a table, which it takes over whatever comes of it. reading NULL: target
 * and task are found out as params say, and the columns are learned from all rows; else rows are
 * read like that, and the target may be absent. *out is NULL if rows are to be predicted, and all
 * were malformed and skipped. BAD_FORMAT names line and column.
 */
glia_status gi_dataset_of_table(gi_table *table, const char *name, const glia_table_params *params,
                                const gi_reading *reading, glia_dataset **out, glia_error *error);

/* What glia_dataset_unknown tells, of several data sets that are read alike; all zero before. */
typedef struct gi_unknowns {
    struct gi_unknown_column *columns; /* (n_columns): those of the schema */
    size_t n_columns;
} gi_unknowns;

glia_status gi_unknowns_add(gi_unknowns *unknowns, const glia_dataset *dataset, size_t begin,
                            size_t end, glia_error *error);
glia_status gi_unknowns_list(const gi_unknowns *unknowns, const gi_schema *schema,
                             glia_unknown **out, size_t *n, glia_error *error);
void gi_unknowns_free(gi_unknowns *unknowns);

/* Whether its rows are those of a table. */
bool gi_dataset_is_table(const glia_dataset *dataset);

/* The table whose rows it has, all of them or some, and what its columns are used for; NULL: there
 * is none, or it is read like another. */
const gi_table *gi_dataset_table(const glia_dataset *dataset, const gi_table_plan **plan);

/* Reads the rows of a table otherwise: as is learned from them now, and like another does. */
glia_status gi_dataset_learn_columns(glia_dataset *dataset, glia_error *error);
glia_status gi_dataset_read_like(glia_dataset *dataset, const gi_reading *reading,
                                 glia_error *error);

/* How a data set reads its table; schema is NULL if there is none. */
gi_reading gi_dataset_reading(const glia_dataset *dataset);

/* The line in its file of a sample, from 1; 0: there are no lines. */
uint64_t gi_dataset_line(const glia_dataset *dataset, size_t index);

/* What names a sample, if the table was read for that: see glia_dataset_id. */
const char *gi_dataset_id(const glia_dataset *dataset, size_t index);

/* The column of those names; NULL: none. */
const char *gi_dataset_id_name(const glia_dataset *dataset);

/* A cell of a sample's row as it stands in the file, if the table keeps them; see
 * glia_dataset_cell. */
const char *gi_dataset_cell(const glia_dataset *dataset, size_t index, size_t column);

/* What samples that belong together have in common, if the data set has groups. */
bool gi_dataset_has_groups(const glia_dataset *dataset);
double gi_dataset_group(const glia_dataset *dataset, size_t index);
/* The column that says which samples belong together; NULL: there are no groups. */
const char *gi_dataset_group_name(const glia_dataset *dataset, bool *is_text);

#endif
