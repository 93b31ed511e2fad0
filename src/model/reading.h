/* SPDX-License-Identifier: MIT */
/* What a network asks of the rows that it reads. */
#ifndef GLIA_MODEL_READING_H
#define GLIA_MODEL_READING_H

#include "model/schema.h"

/* How a network, or another data set, reads a table; borrowed. */
typedef struct gi_reading {
    const gi_schema *schema;
    glia_task task;
    size_t classes;           /* or targets */
    char *const *class_names; /* (classes) */
    size_t features;          /* of samples that are no rows of a table; 0: not known */
    bool from_zero;           /* and whether sparse text counts them from 0 */
    bool is_of_bytes;         /* samples are bytes, divided by 255; else floats as they are */
    bool ignores_targets;     /* rows are to be predicted: what stands there does not matter */
    const char *id;           /* the column that names rows, which may be absent; or NULL */
    const char *group;        /* the column of groups, which may be absent; NULL: none is read */
    bool group_is_text;
} gi_reading;

#endif
