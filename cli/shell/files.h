/* SPDX-License-Identifier: MIT */
/* Files that the program writes for people and other programs: each is there as a whole, or not. */
#ifndef GLIA_CLI_SHELL_FILES_H
#define GLIA_CLI_SHELL_FILES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Bytes of a path, with its end. */
enum { LONGEST_PATH = 4096 };

/*
 * A file that is written beside its place, synced to disk and renamed when it is closed: at any
 * moment path names the old file or the new one, whole. What is no ordinary file (/dev/stdout) is
 * written straight.
 */
typedef struct new_file {
    char *path;
    char *temporary; /* NULL where it is written straight */
    FILE *stream;
} new_file;

/* Complain, and return false, when they cannot. keep false: what was written is given up. */
bool new_file_open(new_file *file, const char *path);
bool new_file_close(new_file *file, bool keep);

/*
 * What the command reads, or keeps beside its output, is not to be replaced by an output. what
 * names it: "the data"; borrowed. path may be "-", standard input; nothing need be there yet. Of a
 * folder, the files in it and below are kept too, but for those whose names end with except (or
 * NULL).
 */
void keep_file(const char *path, const char *what);
void keep_folder(const char *path, const char *what, const char *except);
/* folder/name */
void keep_file_in(const char *folder, const char *name, const char *what);

/*
 * A folder that the command makes, or goes on with: its outputs may go there, and to folders below.
 * Borrowed.
 */
void own_folder(const char *path);
bool is_own_folder(const char *path);

/*
 * Whether an output may be written there: complains where it would replace what is kept, by
 * whatever name or link, or what the folder of another run, checkpoint or sweep consists of.
 */
bool check_output(const char *path);

/* All at once. */
bool replace_file(const char *path, const char *bytes, size_t n);

/* The same with an object, indented; frees that. */
bool replace_json(const char *path, json_t *object);

#endif
