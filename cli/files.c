/* SPDX-License-Identifier: MIT */
/* Replaces files as a whole. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"

bool is_same_file(const char *a, const char *b)
{
    struct stat of_a, of_b;
    return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
           of_a.st_ino == of_b.st_ino;
}

bool new_file_open(new_file *file, const char *path)
{
    struct stat there;
    const bool straight = stat(path, &there) == 0 && !S_ISREG(there.st_mode);
    char *real = realpath(path, NULL); /* a link stays, and what it leads to is replaced */
    *file = (new_file){.path = need_copy(real != NULL ? real : path)};
    free(real);
    path = file->path;
    if (!straight) {
        const size_t size = strlen(path) + 32;
        file->temporary = need_memory(size, 1);
        snprintf(file->temporary, size, "%s.%ld.tmp", path, (long)getpid());
    }
    const int descriptor =
        straight ? open(path, O_WRONLY) : open(file->temporary, O_WRONLY | O_CREAT | O_EXCL, 0666);
    if (descriptor >= 0) file->stream = fdopen(descriptor, "w");
    if (file->stream != NULL) return true;
    complain("%s: cannot be written: %s", path, strerror(errno));
    if (descriptor >= 0) close(descriptor);
    free(file->temporary);
    free(file->path);
    return false;
}

bool new_file_close(new_file *file, bool keep)
{
    int number = 0;
    if (fflush(file->stream) != 0 || ferror(file->stream)) number = errno != 0 ? errno : EIO;
    if (number == 0 && file->temporary != NULL && fsync(fileno(file->stream)) != 0) number = errno;
    if (fclose(file->stream) != 0 && number == 0) number = errno;
    if (number == 0 && keep && file->temporary != NULL && rename(file->temporary, file->path) != 0)
        number = errno;
    if (file->temporary != NULL && (number != 0 || !keep)) unlink(file->temporary);
    if (number != 0 && keep) complain("%s: cannot be written: %s", file->path, strerror(number));
    free(file->temporary);
    free(file->path);
    return number == 0;
}

bool replace_file(const char *path, const char *bytes, size_t n)
{
    new_file file;
    if (!new_file_open(&file, path)) return false;
    fwrite(bytes, 1, n, file.stream);
    return new_file_close(&file, true);
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
