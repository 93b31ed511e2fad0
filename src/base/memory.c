/* SPDX-License-Identifier: MIT */
/* Allocation: every block of the library comes from here. */
#define _DEFAULT_SOURCE /* madvise */
#include "base/memory.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ALIGNMENT = 64, HUGE_PAGE = 2 << 20, HUGE_BLOCK = 384 << 10 };

/*
 * The one thing that the library keeps for the whole process. It is set before the first block is
 * taken, and stays.
 */
static struct {
    glia_allocate *allocate; /* NULL: aligned_alloc and free */
    glia_release *release;
    void *user;
    atomic_bool is_used;
} allocator;

glia_status glia_set_allocator(glia_allocate *allocate, glia_release *release, void *user,
                               glia_error *error)
{
    if (!allocate != !release)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "allocator: %s is NULL and %s is not; give both, or none",
                       allocate ? "release" : "allocate", allocate ? "allocate" : "release");
    if (atomic_load(&allocator.is_used))
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "allocator: the library has taken memory already; set the allocator before "
                       "any other call");
    allocator.allocate = allocate;
    allocator.release = release;
    allocator.user = user;
    return GLIA_OK;
}

/* A block from whoever is asked: bytes is a multiple of the alignment. */
static void *take(size_t alignment, size_t bytes)
{
    if (!atomic_load_explicit(&allocator.is_used, memory_order_relaxed))
        atomic_store(&allocator.is_used, true);
    return allocator.allocate ? allocator.allocate(allocator.user, alignment, bytes)
                              : aligned_alloc(alignment, bytes);
}

static size_t round_up(size_t n, size_t multiple)
{
    return (n + multiple - 1) / multiple * multiple;
}

void *gi_alloc_unset(size_t count, size_t size, const char *what, glia_error *error)
{
    if (size != 0 && count > (SIZE_MAX - HUGE_PAGE) / size) {
        gi_fail(error, GLIA_NO_MEMORY, "%s: %zu times %zu bytes is more than memory can hold", what,
                count, size);
        return NULL;
    }
    /* C17's aligned_alloc wants a multiple of the alignment. */
    const size_t alignment =
        count * size < HUGE_BLOCK || allocator.allocate ? ALIGNMENT : HUGE_PAGE;
    const size_t bytes = count && size ? round_up(count * size, alignment) : ALIGNMENT;
    void *block = take(alignment, bytes);
    if (!block) {
        gi_fail(error, GLIA_NO_MEMORY, "%s: out of memory (%zu bytes)", what, bytes);
        return NULL;
    }
#ifdef MADV_HUGEPAGE /* the first touch of a page of 4 KiB costs more than the work on it */
    if (alignment == HUGE_PAGE) (void)madvise(block, bytes, MADV_HUGEPAGE);
#endif
    return block;
}

void *gi_alloc(size_t count, size_t size, const char *what, glia_error *error)
{
    void *block = gi_alloc_unset(count, size, what, error);
    return block ? memset(block, 0, round_up(count * size, ALIGNMENT)) : NULL;
}

void gi_free(void *block)
{
    if (!allocator.release)
        free(block);
    else if (block)
        allocator.release(allocator.user, block);
}

void gi_copy_known(void *to, size_t to_size, const void *from, size_t from_size)
{
    const size_t both = to_size < from_size ? to_size : from_size;
    memcpy(to, from, both);
    memset((char *)to + both, 0, to_size - both);
}

char *gi_strdup(const char *string, glia_error *error)
{
    const size_t bytes = strlen(string) + 1;
    char *copy = gi_alloc(bytes, 1, "a string", error);
    return copy ? memcpy(copy, string, bytes) : NULL;
}

char *gi_format(glia_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *string = gi_alloc(length < 0 ? 1 : (size_t)length + 1, 1, "a string", error);
    if (!string) return NULL;
    va_start(arguments, format);
    if (length >= 0) vsnprintf(string, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return string;
}

char **gi_copy_names(const char *const *names, size_t n, glia_error *error)
{
    char number[24];
    size_t bytes = n * sizeof(char *);
    for (size_t i = 0; i < n; i++)
        bytes +=
            names ? strlen(names[i]) + 1 : (size_t)snprintf(number, sizeof number, "%zu", i) + 1;
    char **copies = gi_alloc(bytes, 1, "names", error);
    if (!copies) return NULL;
    char *text = (char *)(copies + n);
    for (size_t i = 0; i < n; i++) {
        copies[i] = text;
        if (!names) snprintf(number, sizeof number, "%zu", i);
        const char *name = names ? names[i] : number;
        text = (char *)memcpy(text, name, strlen(name) + 1) + strlen(name) + 1;
    }
    return copies;
}

void glia_string_free(char *string)
{
    gi_free(string);
}

void glia_bytes_free(void *bytes)
{
    gi_free(bytes);
}

size_t gi_memory_size(void)
{
#ifdef _SC_PHYS_PAGES
    const long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
    if (pages > 0 && bytes > 0 && (size_t)pages < SIZE_MAX / (size_t)bytes)
        return (size_t)pages * (size_t)bytes;
#endif
    return 0;
}
