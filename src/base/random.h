/* SPDX-License-Identifier: MIT */
/*
 * Random numbers as functions of (seed, purpose, epoch, index): a counter-based generator,
 * Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"). A stream
 * depends on those four alone, so neither threads nor the order of calls nor other uses change it.
 */
#ifndef GLIA_BASE_RANDOM_H
#define GLIA_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* What a stream is for. New purposes go at the end: a number once used is never given again. */
enum gi_purpose {
    GI_RANDOM_INIT,    /* index: layer */
    GI_RANDOM_SHUFFLE, /* epoch */
    GI_RANDOM_HOLD_OUT,
    GI_RANDOM_DIGITS_TRAIN,  /* index: image */
    GI_RANDOM_DIGITS_TEST,   /* index: image */
    GI_RANDOM_DROPOUT,       /* index: place in the epoch's order * layers + layer */
    GI_RANDOM_INPUT_DROPOUT, /* index: place in the epoch's order */
    GI_RANDOM_INPUT_NOISE,   /* index: place in the epoch's order */
    GI_RANDOM_AUGMENT,       /* epoch, index: row of the data set */
    GI_RANDOM_FOLDS,
};

typedef struct gi_rng {
    uint32_t key[2];
    uint32_t counter[4]; /* block, index low, epoch, purpose and index high */
    uint32_t block[4];
    unsigned used; /* numbers of the block already given */
} gi_rng;

/* index < 2^56 */
gi_rng gi_rng_make(uint64_t seed, enum gi_purpose purpose, uint32_t epoch, uint64_t index);

uint32_t gi_rng_u32(gi_rng *rng);

/* Uniform in [0, 1), 24 bits. */
float gi_rng_uniform(gi_rng *rng);

/* Uniform in 0..bound-1 without bias (Lemire 2019); bound > 0. */
uint32_t gi_rng_below(gi_rng *rng, uint32_t bound);

/* Puts numbers (n) into a random order: Fisher and Yates' shuffle. */
void gi_shuffle(uint32_t *numbers, size_t n, gi_rng *rng);

/* Standard normal (Box and Muller 1958), one of the pair. */
float gi_rng_normal(gi_rng *rng);

/* One Philox4x32-10 block, exposed for its known-answer test. */
void gi_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

#endif
