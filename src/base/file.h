/* SPDX-License-Identifier: MIT */
/* Files: read as one block, and replaced as one. */
#ifndef GLIA_BASE_FILE_H
#define GLIA_BASE_FILE_H

#include "base/status.h"

/*
 * A file's bytes, mapped (or read, where mapping fails, as for a pipe). A file that is mapped must
 * not become shorter meanwhile: what is no longer there cannot be read (SIGBUS).
 */
typedef struct gi_file {
    const uint8_t *data;
    size_t size;
    bool mapped;
} gi_file;

/* NOT_FOUND (does not exist), IO (a folder, no permission, ...) or NO_MEMORY. */
glia_status gi_file_open(const char *path, gi_file *out, glia_error *error);

/* The same, and all of standard input where path is "-". */
glia_status gi_file_open_input(const char *path, gi_file *out, glia_error *error);

/* An all-zero struct is legal. */
void gi_file_close(gi_file *file);

/* Gives the memory of a mapped file back, whose bytes come again when they are read. */
void gi_file_forget(const gi_file *file);

/* Whether there is a file (not a folder) at path that can be read. */
bool gi_file_exists(const char *path);

/* Whether path is a folder. */
bool gi_is_directory(const char *path);

/* Makes a folder and those above it; succeeds if it is there. */
glia_status gi_make_directories(const char *path, glia_error *error);

/*
 * Replaces (or creates) a file atomically: what is written goes to a temporary file beside it,
 * which on commit is synced to disk and renamed. Until the rename the old file is untouched.
 * A path that exists and is no regular file (/dev/stdout) is written straight.
 *
 *     gi_writer writer;
 *     status = gi_writer_open(&writer, path, error);
 *     if (!status) status = gi_writer_write(&writer, data, size, error);
 *     status = gi_writer_close(&writer, status, error);   // always: commits if status is OK
 */
typedef struct gi_writer {
    char *path;      /* what is replaced */
    char *temporary; /* NULL when path is written straight */
    int descriptor;
    bool unsynced; /* set by the caller: what can be made again need not wait for the disk */
} gi_writer;

glia_status gi_writer_open(gi_writer *writer, const char *path, glia_error *error);
glia_status gi_writer_write(gi_writer *writer, const void *data, size_t size, glia_error *error);

/* Commits if so_far is GLIA_OK, else removes the temporary file. Returns the first failure. */
glia_status gi_writer_close(gi_writer *writer, glia_status so_far, glia_error *error);

#endif
