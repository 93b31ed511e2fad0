/* SPDX-License-Identifier: MIT */
/* Mapped reading and atomic replacement. */
#define _GNU_SOURCE
#define _DEFAULT_SOURCE /* madvise */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

/* What is read from something that has no size (a pipe) may be at most this long. */
static const size_t MAX_STREAM_BYTES = (size_t)1 << 32;

/* The text of an errno, in the caller's buffer: strerror is not safe from several threads. */
static const char *errno_text(int number, char buffer[128])
{
#ifdef __GLIBC__
    return strerror_r(number, buffer, 128); /* GNU's returns the text */
#else
    return strerror_r(number, buffer, 128) == 0 ? buffer : "unknown error";
#endif
}

static glia_status fail_errno(glia_error *error, const char *what, const char *path)
{
    const int number = errno;
    char text[128];
    return gi_fail(error, number == ENOENT ? GLIA_NOT_FOUND : GLIA_IO, "%s: cannot %s: %s", path,
                   what, errno_text(number, text));
}

static glia_status read_stream(int descriptor, const char *path, gi_file *out, glia_error *error)
{
    uint8_t *data = NULL;
    size_t size = 0, capacity = 0;
    for (;;) {
        if (size == capacity) {
            const size_t larger = capacity ? 2 * capacity : (size_t)1 << 16;
            if (larger > MAX_STREAM_BYTES) {
                gi_free(data);
                return gi_fail(error, GLIA_IO, "%s: longer than %zu bytes, the most that is read",
                               path, MAX_STREAM_BYTES);
            }
            uint8_t *grown = gi_alloc(larger, 1, path, error);
            if (!grown) {
                gi_free(data);
                return GLIA_NO_MEMORY;
            }
            if (data) memcpy(grown, data, size);
            gi_free(data);
            data = grown;
            capacity = larger;
        }
        const ssize_t got = read(descriptor, data + size, capacity - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            const glia_status status = fail_errno(error, "read", path);
            gi_free(data);
            return status;
        }
        if (got == 0) break;
        size += (size_t)got;
    }
    *out = (gi_file){.data = data, .size = size, .mapped = false};
    return GLIA_OK;
}

glia_status gi_file_open(const char *path, gi_file *out, glia_error *error)
{
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return fail_errno(error, "open", path);

    glia_status status;
    struct stat info;
    if (fstat(descriptor, &info) != 0) {
        status = fail_errno(error, "read", path);
    } else if (S_ISDIR(info.st_mode)) {
        status = gi_fail(error, GLIA_IO, "%s: is a folder, expected a file", path);
    } else {
        void *data = MAP_FAILED;
        if (S_ISREG(info.st_mode) && info.st_size > 0 && (uintmax_t)info.st_size <= SIZE_MAX)
            data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (data != MAP_FAILED) {
            *out = (gi_file){.data = data, .size = (size_t)info.st_size, .mapped = true};
            status = GLIA_OK;
        } else {
            status = read_stream(descriptor, path, out, error);
        }
    }
    close(descriptor);
    return status;
}

glia_status gi_file_open_input(const char *path, gi_file *out, glia_error *error)
{
    if (strcmp(path, "-") != 0) return gi_file_open(path, out, error);
    return read_stream(STDIN_FILENO, "standard input", out, error);
}

void gi_file_forget(const gi_file *file)
{
#ifdef MADV_DONTNEED
    if (file->mapped) (void)madvise((void *)(uintptr_t)file->data, file->size, MADV_DONTNEED);
#else
    (void)file;
#endif
}

void gi_file_close(gi_file *file)
{
    if (file->mapped)
        munmap((void *)(uintptr_t)file->data, file->size);
    else
        gi_free((void *)(uintptr_t)file->data);
    *file = (gi_file){0};
}

bool gi_file_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && !S_ISDIR(info.st_mode) && access(path, R_OK) == 0;
}

bool gi_is_directory(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

glia_status gi_make_directories(const char *path, glia_error *error)
{
    char *copy = gi_strdup(path, error);
    if (!copy) return GLIA_NO_MEMORY;
    glia_status status = GLIA_OK;
    for (char *slash = copy + 1; !status; slash++) {
        slash += strcspn(slash, "/");
        const char rest = *slash;
        *slash = '\0';
        if (mkdir(copy, 0777) != 0 && !gi_is_directory(copy))
            status = fail_errno(error, "create the folder", copy);
        *slash = rest;
        if (!rest) break;
    }
    gi_free(copy);
    return status;
}

/* ---- Atomic replacement -------------------------------------------------------------------- */

glia_status gi_writer_open(gi_writer *writer, const char *path, glia_error *error)
{
    *writer = (gi_writer){.descriptor = -1};
    /* Through a link, it is the file that the link names that is replaced. */
    char *target = realpath(path, NULL);
    writer->path = gi_strdup(target ? target : path, error);
    free(target);
    if (!writer->path) return GLIA_NO_MEMORY;

    struct stat info;
    const bool replaces = stat(writer->path, &info) == 0;
    if (replaces && !S_ISREG(info.st_mode)) {
        if (S_ISDIR(info.st_mode))
            return gi_fail(error, GLIA_IO, "%s: is a folder, expected the name of a file", path);
        writer->descriptor = open(writer->path, O_WRONLY | O_CLOEXEC);
        return writer->descriptor < 0 ? fail_errno(error, "write", path) : GLIA_OK;
    }

    /* O_EXCL with a fresh name: two processes that save to one path never share a temporary. */
    for (unsigned attempt = 0; attempt < 100; attempt++) {
        writer->temporary =
            gi_format(error, "%s.tmp-%ld-%u", writer->path, (long)getpid(), attempt);
        if (!writer->temporary) return GLIA_NO_MEMORY;
        writer->descriptor = open(writer->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (writer->descriptor >= 0) {
            /* What was private stays so; where that cannot be, the file is as any new one. */
            if (replaces) (void)fchmod(writer->descriptor, info.st_mode & 0777);
            return GLIA_OK;
        }
        const int number = errno;
        gi_free(writer->temporary); /* not ours: nothing to remove on close */
        writer->temporary = NULL;
        errno = number;
        if (errno != EEXIST) break;
    }
    return fail_errno(error, "create", path);
}

glia_status gi_writer_write(gi_writer *writer, const void *data, size_t size, glia_error *error)
{
    const uint8_t *bytes = data;
    while (size > 0) {
        const ssize_t written = write(writer->descriptor, bytes, size);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return fail_errno(error, "write", writer->path);
        bytes += written;
        size -= (size_t)written;
    }
    return GLIA_OK;
}

/* Makes the rename itself durable; some file systems cannot sync a folder, and that is no failure.
 */
static void sync_parent(const char *path)
{
    char folder[PATH_MAX] = ".";
    const char *slash = strrchr(path, '/');
    if (slash && (size_t)(slash - path) < sizeof folder - 1) {
        const size_t length = slash == path ? 1 : (size_t)(slash - path);
        memcpy(folder, path, length);
        folder[length] = '\0';
    }
    const int descriptor = open(folder, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return;
    (void)fsync(descriptor);
    close(descriptor);
}

glia_status gi_writer_close(gi_writer *writer, glia_status so_far, glia_error *error)
{
    glia_status status = so_far;
    if (writer->descriptor >= 0) {
        if (!status && writer->temporary && !writer->unsynced && fsync(writer->descriptor) != 0)
            status = fail_errno(error, "sync to disk", writer->path);
        if (close(writer->descriptor) != 0 && !status)
            status = fail_errno(error, "write", writer->path);
    }
    if (writer->temporary) {
        if (!status && rename(writer->temporary, writer->path) != 0)
            status = fail_errno(error, "replace", writer->path);
        if (status)
            unlink(writer->temporary);
        else if (!writer->unsynced)
            sync_parent(writer->path);
    }
    gi_free(writer->temporary);
    gi_free(writer->path);
    *writer = (gi_writer){.descriptor = -1};
    return status;
}
