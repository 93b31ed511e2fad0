/* SPDX-License-Identifier: MIT */
/*
 * flock, which holds for an open file: closing another descriptor of the file does not give it
 * back, as that of fcntl does, and Linux hands it on to servers of NFS. The file is removed when
 * the lock is given back; whoever has opened it before, and locks it after, finds that its name
 * leads to another file now, or to none, and begins anew.
 */
#include "shell/folder_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shell/output.h"

static const char ending[] = ".lock";
static const char *const kinds[] = {"run", "checkpoint", "sweep"};

bool folder_lock_is_file(const char *entry)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const size_t length = strlen(kinds[i]);
        if (strncmp(entry, kinds[i], length) == 0 && strcmp(entry + length, ending) == 0)
            return true;
    }
    return false;
}

/* Whether path still leads to the file that is open. */
static bool is_current(int descriptor, const char *path)
{
    struct stat open_one, named;
    return fstat(descriptor, &open_one) == 0 && stat(path, &named) == 0 &&
           open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

/* Locks the open file; *taken: somebody else has it. False: where locks are not known. */
static bool lock_file(int descriptor, bool *taken)
{
    int result;
    do result = flock(descriptor, LOCK_EX | LOCK_NB);
    while (result != 0 && errno == EINTR);
    *taken = result != 0 && errno == EWOULDBLOCK;
    return result == 0 || *taken;
}

bool folder_lock_take(folder_lock *lock, const char *folder, const char *kind)
{
    const size_t size = strlen(folder) + strlen(kind) + sizeof ending + 1;
    *lock = (folder_lock){.file = need_memory(size, 1), .descriptor = -1};
    snprintf(lock->file, size, "%s/%s%s", folder, kind, ending);
    for (;;) {
        bool taken = false;
        lock->descriptor = open(lock->file, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (lock->descriptor < 0) {
            complain("%s: cannot write there: %s", lock->file, strerror(errno));
            break;
        }
        if (!lock_file(lock->descriptor, &taken)) {
            complain("warning: %s: the file system cannot lock files (%s): see to it that no other "
                     "process writes to this folder",
                     folder, strerror(errno));
            return true;
        }
        if (taken) {
            complain("%s: another process is at work on the %s in this folder; wait for its end, "
                     "or name another folder",
                     folder, kind);
            break;
        }
        if (is_current(lock->descriptor, lock->file)) return true;
        close(lock->descriptor);
    }
    if (lock->descriptor >= 0) close(lock->descriptor);
    free(lock->file);
    *lock = (folder_lock){.descriptor = -1};
    return false;
}

void folder_lock_give_back(folder_lock *lock)
{
    if (lock->file == NULL) return;
    if (is_current(lock->descriptor, lock->file)) unlink(lock->file);
    close(lock->descriptor);
    free(lock->file);
    *lock = (folder_lock){.descriptor = -1};
}
