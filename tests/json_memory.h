/* SPDX-License-Identifier: MIT */
/*
 * Allocators for jansson that count its blocks and fail when told:
 *     json_set_alloc_funcs(json_malloc, json_free);
 */
#ifndef GLIA_TESTS_JSON_MEMORY_H
#define GLIA_TESTS_JSON_MEMORY_H

#include <stdbool.h>
#include <stdlib.h>

/* The test's: whether this allocation is to fail. */
static bool json_allocation_fails(void);

static long json_blocks; /* that jansson holds */
static bool json_failed; /* jansson, out of memory within a string, calls it a syntax error */

/*
 * jansson 2.14 does not look whether its lexer's buffer could grow, and then fails an assertion.
 * The buffer doubles from 16 bytes: blocks of such sizes are spared, as that is not ours to mend.
 */
static bool is_lexer_buffer(size_t size)
{
    return size >= 32 && (size & (size - 1)) == 0;
}

static void *json_malloc(size_t size)
{
    if (!is_lexer_buffer(size) && json_allocation_fails()) {
        json_failed = true;
        return NULL;
    }
    json_blocks++;
    return malloc(size);
}

static void json_free(void *block)
{
    json_blocks -= block != NULL;
    free(block);
}

#endif
