/* SPDX-License-Identifier: MIT */
/* What a model file says of the table that its network reads: "preprocessing.table". */
#ifndef GLIA_FORMAT_SCHEMA_JSON_H
#define GLIA_FORMAT_SCHEMA_JSON_H

#include "format/json.h"
#include "model/schema.h"

/*
 * {"columns": [{"name", "mean", "scale"} or {"name", "categories": [...]}, with "missing": true
 * where that is a feature], "targets": [names], "text_target": bool}; NULL when memory is short.
 */
json_t *gi_schema_pack(const gi_schema *schema);

/* Reads it, for a network with so many inputs. BAD_FORMAT: place, key, what was found, expected. */
glia_status gi_schema_unpack(const char *place, const json_t *table, size_t n_features,
                             gi_schema **out, glia_error *error);

#endif
