/* SPDX-License-Identifier: MIT */
/*
 * Holds a folder for one process. What is locked is a file in it that is there for nothing else and
 * is never replaced; the system gives the lock back however the process ends.
 */
#ifndef GLIA_CLI_SHELL_FOLDER_LOCK_H
#define GLIA_CLI_SHELL_FOLDER_LOCK_H

#include <stdbool.h>

typedef struct folder_lock {
    char *file;     /* NULL: nothing is held */
    int descriptor; /* -1: the file system knows no locks */
} folder_lock;

/*
 * Holds a folder that is there; kind ("run", "checkpoint", "sweep") says what it keeps, and folders
 * of several kinds are held by kind. Complains, and returns false, when another process has it.
 */
bool folder_lock_take(folder_lock *lock, const char *folder, const char *kind);
void folder_lock_give_back(folder_lock *lock);

/* Whether an entry of a folder is the file of such a lock. */
bool folder_lock_is_file(const char *entry);

#endif
