/* SPDX-License-Identifier: MIT */
/* Where glia train writes a model. */
#ifndef GLIA_CLI_JOB_MODEL_PATH_H
#define GLIA_CLI_JOB_MODEL_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* DATA.safetensors, here; of a path its last part, of a table without .csv and the like. */
void model_path_default(const char *data, char *path, size_t size);

/* Whether a model can be written there, and replaces nothing that is kept. Complains. */
bool model_path_check(const char *path);

/*
 * Whether the name that nobody gave is free, or holds the model of an earlier run on data of this
 * name, which is replaced; other models, and other files, are not. Complains.
 */
bool model_path_check_default(const char *path, const char *data);

/* The name of the data set that the model in a file was trained on, to be freed; NULL: not known.
 */
char *model_trained_on(const char *path);

/* Whether the last part of the path of data is a name. */
bool is_named(const char *data, const char *name);

#endif
