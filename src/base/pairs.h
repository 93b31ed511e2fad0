/* SPDX-License-Identifier: MIT */
/* A sparse sample: how data sets give it, and engines take it. */
#ifndef GLIA_BASE_PAIRS_H
#define GLIA_BASE_PAIRS_H

#include <stddef.h>
#include <stdint.h>

/* x[index[k]] = value[k], k < n; index ascends, and all else is 0. A value may be 0, too. */
typedef struct gi_pairs {
    size_t n;
    const uint32_t *index;
    const float *value;
} gi_pairs;

/* Room for those of a sample. */
typedef struct gi_pair_room {
    uint32_t *index;
    float *value;
} gi_pair_room;

#endif
