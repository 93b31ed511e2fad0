/* SPDX-License-Identifier: MIT */
/*
 * Tests of whether targets belong to their samples. Each compares a statistic with what targets in
 * random order would give:
 *
 *   linear      Pillai's trace of a regression of the targets on the features
 *   steps       the same on indicators of the quarters of each feature, which see bends
 *   one feature the best feature's steps alone, corrected for the number of features (Bonferroni)
 *   neighbours  how alike the targets of the nearest samples are (Mantel 1967)
 *   pairs       the same of samples that have the same pairs of steps, which see interactions
 *
 * Whether few rows speak against a relation, or say nothing, is a question of its own, which the
 * regressions answer by Bayes factors: the more columns or the fewer rows, the nearer they are to
 * 1. All is done for the targets as they are, and for those of the row before and the row after.
 */
#include "diagnose/relation.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "diagnose/relation_parts.h"
#include "feed/input_form.h"

enum {
    MOST_ROWS = 4096,
    LEAST_ROWS = 100,
    BLOCK = 64, /* rows that follow each other are taken together */
    MOST_COLUMNS = 512
};

static void look_free(gi_look *l)
{
    gi_free(l->x);
    gi_free(l->y);
    gi_free(l->label);
    gi_free(l->rarity);
    gi_free(l->near_row);
}

/* The sample in place k of n, in blocks that lie evenly over all. */
static size_t place_of(size_t k, size_t n, size_t samples)
{
    if (n >= samples) return k;
    const size_t n_blocks = (n + BLOCK - 1) / BLOCK, block = k / BLOCK;
    return (size_t)((double)block * (double)(samples - BLOCK) / (double)n_blocks) + k % BLOCK;
}

static size_t row_of(const glia_dataset *dataset, size_t index)
{
    return dataset->rows ? dataset->rows[index] : index;
}

/* ---- The samples ---------------------------------------------------------------------------- */

/* Adds features to columns: each to its own, or, where there are fewer, with a sign to one of them
 * (a sketch, which keeps distances and sums but for noise). */
static void fill_columns(const gi_look *l, const void *row, float *x)
{
    const uint8_t *bytes = row;
    const float *floats = row;
    for (size_t f = 0; f < l->features; f++) {
        const float value = l->dataset->type == GLIA_TYPE_U8 ? (float)bytes[f] : floats[f];
        const uint32_t hash = (uint32_t)f * 0x9E3779B9U;
        if (l->p == l->features)
            x[f] = value;
        else
            x[(uint64_t)hash * l->p >> 32] += hash & 0x800 ? value : -value;
    }
}

/* Gives each column of x (n, columns) a mean of 0 and a variance of 1; of one that never varies 0.
 */
static void standardise(float *x, size_t n, size_t columns)
{
    for (size_t c = 0; c < columns; c++) {
        double mean = 0, squares = 0;
        for (size_t i = 0; i < n; i++) { /* Welford 1962 */
            const double d = (double)x[i * columns + c] - mean;
            mean += d / (double)(i + 1);
            squares += d * ((double)x[i * columns + c] - mean);
        }
        const double scale = squares > 0 ? sqrt((double)n / squares) : 0;
        for (size_t i = 0; i < n; i++)
            x[i * columns + c] = (float)(((double)x[i * columns + c] - mean) * scale);
    }
}

static void link_rows(gi_look *l)
{
    for (size_t i = 0; i < l->n; i++) {
        const size_t row = row_of(l->dataset, place_of(i, l->n, l->dataset->samples));
        size_t *near_row = l->near_row + i * GI_SHIFTS;
        near_row[GI_OWN] = i;
        near_row[GI_BEFORE] = near_row[GI_AFTER] = SIZE_MAX;
        if (i == 0) continue;
        if (row_of(l->dataset, place_of(i - 1, l->n, l->dataset->samples)) + 1 != row) continue;
        near_row[GI_BEFORE] = i - 1;
        near_row[GI_AFTER - GI_SHIFTS] = i;
    }
}

/* The classes after the most frequent one, which get an indicator each. */
static void choose_classes(gi_look *l, size_t *count, size_t classes)
{
    double alike = 0;
    for (size_t i = 0; i < l->n; i++) count[l->label[i]]++;
    for (size_t c = 0; c < classes; c++) {
        const double frequency = (double)count[c] / (double)l->n;
        alike += frequency * frequency;
        if (count[c] > 0) l->rarity[c] = 1 / frequency;
    }
    l->varied = 1 - alike;
    for (size_t t = 0; t <= GI_MOST_TARGETS; t++) {
        size_t best = 0;
        for (size_t c = 1; c < classes; c++)
            if (count[c] > count[best]) best = c;
        if (count[best] == 0) break;
        count[best] = 0;
        if (t == 0) continue;
        for (size_t i = 0; i < l->n; i++) l->y[i * l->q + t - 1] = l->label[i] == best;
    }
}

static bool read_samples(gi_look *l, const glia_network *network)
{
    const glia_dataset *dataset = l->dataset;
    const bool classes = dataset->task == GLIA_TASK_CLASSES;
    uint8_t *scratch = gi_alloc(1, gi_dataset_row_bytes(dataset), "a sample", NULL);
    float *targets = gi_alloc(dataset->classes, sizeof *targets, "targets", NULL);
    size_t *count = gi_alloc(dataset->classes, sizeof *count, "classes", NULL);
    l->rarity = gi_alloc(dataset->classes, sizeof *l->rarity, "classes", NULL);
    l->x = gi_alloc(l->n, l->p * sizeof *l->x, "samples", NULL);
    l->y = gi_alloc(l->n, l->q * sizeof *l->y, "targets", NULL);
    l->label = gi_alloc(l->n, sizeof *l->label, "labels", NULL);
    l->near_row = gi_alloc(l->n, GI_SHIFTS * sizeof *l->near_row, "rows", NULL);
    const bool good =
        scratch && targets && count && l->x && l->y && l->label && l->near_row && l->rarity;
    for (size_t i = 0; good && i < l->n; i++) {
        const size_t index = place_of(i, l->n, dataset->samples);
        const void *row = gi_dataset_row(dataset, 0, index, scratch, &l->label[i]);
        fill_columns(l, row, l->x + i * l->p);
        if (classes) continue;
        gi_read_targets(network, dataset, index, targets);
        memcpy(l->y + i * l->q, targets, l->q * sizeof *targets);
    }
    if (good) link_rows(l);
    if (good && classes) choose_classes(l, count, dataset->classes);
    if (good && !classes) {
        l->varied = 0.5; /* as of two classes */
        standardise(l->y, l->n, l->q);
    }
    if (good) standardise(l->x, l->n, l->p);
    gi_free(count);
    gi_free(targets);
    gi_free(scratch);
    return good;
}

/* ---- All together --------------------------------------------------------------------------- */

static void add(gi_relation *relation, const gi_finding *found)
{
    for (size_t k = 0; k < GI_SHIFTS && found->known; k++)
        relation->sign[k] = fmax(relation->sign[k], found->sign[k]);
    if (!found->weighed) return;
    relation->weak = fmax(relation->weak, found->weak);
    for (size_t k = 0; k < GI_SHIFTS; k++)
        relation->moderate[k] = fmax(relation->moderate[k], found->moderate[k]);
}

/* Chooses how many samples, columns and targets are looked at; false: too few. */
static bool choose_sizes(gi_look *l, double work)
{
    const glia_dataset *d = l->dataset;
    const size_t outputs = d->task == GLIA_TASK_CLASSES ? d->classes - 1 : d->classes;
    l->n = d->samples < MOST_ROWS ? d->samples : MOST_ROWS;
    l->p = l->features = d->features;
    l->q = outputs < GI_MOST_TARGETS ? outputs : GI_MOST_TARGETS;
    if (l->p > MOST_COLUMNS) l->p = MOST_COLUMNS;
    if (l->p + GI_SHIFTS * l->q > l->n / 2) l->p = l->n / 4;
    const double width = (double)(l->p + GI_SHIFTS * l->q), rows = work / (width * width / 2);
    if (rows < (double)l->n) l->n = (size_t)rows;
    return l->n >= LEAST_ROWS && l->n > 2 * (l->p + l->q) && l->q > 0;
}

static void add_steps(const gi_look *l, double work, gi_relation *relation)
{
    gi_products steps = {0};
    if (l->p == l->features && gi_find_steps(l, &steps) &&
        (double)l->n * (double)(steps.t * steps.t) / 2 <= work && gi_multiply(l, &steps)) {
        const gi_finding all = gi_regress_steps(l, &steps), best = gi_regress_best(l, &steps);
        const gi_finding pairs = gi_compare_pairs(l, &steps, work);
        add(relation, &all);
        add(relation, &best);
        add(relation, &pairs);
    }
    gi_products_free(&steps);
}

gi_relation gi_relation_of(const glia_network *network, const glia_dataset *dataset, double work)
{
    gi_relation relation = {.weak = -INFINITY};
    for (size_t k = 0; k < GI_SHIFTS; k++) {
        relation.sign[k] = -GI_CERTAIN;
        relation.moderate[k] = -INFINITY;
    }
    gi_look l = {.dataset = dataset};
    if (gi_dataset_is_endless(dataset) || !choose_sizes(&l, work)) return relation;
    if (read_samples(&l, network)) {
        const gi_finding line = gi_regress_linear(&l), near = gi_compare_neighbours(&l, work);
        add(&relation, &line);
        add(&relation, &near);
        add_steps(&l, work, &relation);
        relation.explained = fmax(0, line.explained);
        relation.samples = line.known && line.weighed ? l.n : 0;
    }
    look_free(&l);
    return relation;
}
