/* SPDX-License-Identifier: MIT */
/* Replaces files as a whole. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"

static bool write_all(int descriptor, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t written = write(descriptor, bytes, n);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes += written;
        n -= (size_t)written;
    }
    return true;
}

bool replace_file(const char *path, const char *bytes, size_t n)
{
    struct stat there;
    const bool straight = stat(path, &there) == 0 && !S_ISREG(there.st_mode);
    const size_t size = strlen(path) + 32;
    char *temporary = need_memory(size, 1);
    snprintf(temporary, size, "%s.%ld.tmp", path, (long)getpid());
    const char *name = straight ? path : temporary;
    const int descriptor = open(name, straight ? O_WRONLY : O_WRONLY | O_CREAT | O_EXCL, 0666);
    bool done = descriptor >= 0 && write_all(descriptor, bytes, n);
    done = done && (straight || fsync(descriptor) == 0);
    int number = errno;
    if (descriptor >= 0 && close(descriptor) != 0 && done) {
        number = errno;
        done = false;
    }
    if (done && !straight && rename(temporary, path) != 0) {
        number = errno;
        done = false;
    }
    if (!done && !straight && descriptor >= 0) unlink(temporary);
    if (!done) complain("%s: cannot be written: %s", path, strerror(number));
    free(temporary);
    return done;
}

bool replace_json(const char *path, json_t *object)
{
    char *text = json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    if (text == NULL) complain("%s: cannot be written: out of memory", path);
    const bool done = text != NULL && replace_file(path, text, strlen(text));
    free(text);
    json_decref(object);
    return done;
}
