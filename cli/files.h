/* SPDX-License-Identifier: MIT */
/* Files that the program writes for people and other programs: each is there as a whole, or not. */
#ifndef GLIA_CLI_FILES_H
#define GLIA_CLI_FILES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Writes the file beside its place, syncs it to disk and renames it: at any moment path names the
 * old file or the new one, whole. What is no ordinary file (/dev/stdout) is written straight.
 * Complains, and returns false, when it cannot.
 */
bool replace_file(const char *path, const char *bytes, size_t n);

/* The same with an object, indented; frees that. */
bool replace_json(const char *path, json_t *object);

#endif
