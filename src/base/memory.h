/* SPDX-License-Identifier: MIT */
/* The one funnel for memory: sizes checked for overflow, failures reported, contents zeroed. Blocks
 * come from aligned_alloc, or from what glia_set_allocator was given. */
#ifndef GLIA_BASE_MEMORY_H
#define GLIA_BASE_MEMORY_H

#include "base/status.h"

/*
 * count elements of size bytes, zeroed, aligned to 64 bytes (a cache line, a vector register).
 * NULL and NO_MEMORY with "what" in the message on failure. count or size may be 0: the result is
 * then a block that may only be freed. A size that comes from a file must have been checked against
 * a ceiling of its own before it gets here.
 */
void *gi_alloc(size_t count, size_t size, const char *what, glia_error *error);

/* The same, but not zeroed: for a large block that is written before it is read. */
void *gi_alloc_unset(size_t count, size_t size, const char *what, glia_error *error);

/* Frees what gi_alloc, gi_strdup or gi_format gave; NULL is legal. */
void gi_free(void *block);

/*
 * Copies a struct between the library and a caller whose header may be older or newer: the bytes
 * that both know; the rest of `to` is zeroed.
 */
void gi_copy_known(void *to, size_t to_size, const void *from, size_t from_size);

/* A copy of a string, and a string made by printf's rules. */
char *gi_strdup(const char *string, glia_error *error);
__attribute__((format(printf, 2, 3))) char *gi_format(glia_error *error, const char *format, ...);

/*
 * Copies n strings into one block, to be freed by one gi_free; names NULL: "0", "1", ...
 */
char **gi_copy_names(const char *const *names, size_t n, glia_error *error);

/* Bytes of memory that the machine has; 0: not known. */
size_t gi_memory_size(void);

#endif
