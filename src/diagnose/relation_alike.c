/* SPDX-License-Identifier: MIT */
/*
 * Whether samples that are alike have targets that are alike: the sum, over pairs of samples, of
 * how alike the one and the other are, against its mean and variance over all orders of the targets
 * (Mantel 1967). It sees what regressions cannot: targets that depend on features together.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "diagnose/relation_parts.h"

enum { MOST_ROWS = 1024, LEAST_ROWS = 100, NEIGHBOURS = 10 };

/* Some samples, and how alike each two of them are. */
typedef struct hood {
    size_t m;
    size_t *among; /* (m): samples of the look */
    float *alike;  /* (m, m), symmetric; 0 on the diagonal */
} hood;

static void hood_free(hood *h)
{
    gi_free(h->among);
    gi_free(h->alike);
}

/* As many samples as work allows of which each two take so many multiplications. */
static bool hood_new(const gi_look *l, size_t multiplications, double work, hood *h)
{
    const double affordable = sqrt(work / (double)multiplications);
    h->m = l->n < MOST_ROWS ? l->n : MOST_ROWS;
    if ((double)h->m > affordable) h->m = (size_t)affordable;
    if (h->m < LEAST_ROWS) return false;
    h->among = gi_alloc(h->m, sizeof *h->among, "neighbours", NULL);
    h->alike = gi_alloc(h->m, h->m * sizeof *h->alike, "neighbours", NULL);
    for (size_t i = 0; h->among && i < h->m; i++) h->among[i] = i * l->n / h->m;
    return h->among && h->alike;
}

/* ---- Targets -------------------------------------------------------------------------------- */

/* How alike the targets of two samples are: of a rare class more than of a frequent one. */
static double likeness(const gi_look *l, size_t a, size_t b)
{
    if (a == SIZE_MAX || b == SIZE_MAX) return 0;
    if (l->dataset->task == GLIA_TASK_CLASSES)
        return l->label[a] == l->label[b] ? l->rarity[l->label[a]] - 1 : -1;
    double sum = 0;
    for (size_t c = 0; c < l->q; c++)
        sum += (double)l->y[a * l->q + c] * (double)l->y[b * l->q + c];
    return sum;
}

/* Of a symmetric matrix without its diagonal: its sum, that of its squares, and that of the squares
 * of the sums of its rows. */
typedef struct sums {
    double all, squares, rows;
} sums;

static void add_row(sums *s, double row, double squares)
{
    s->all += row;
    s->squares += squares;
    s->rows += row * row;
}

/* The means of products of two elements, that are the same, that share a row, and others, times
 * their number. */
static void moments(const sums *s, double out[3])
{
    out[0] = 2 * s->squares;
    out[1] = 4 * (s->rows - s->squares);
    out[2] = s->all * s->all - out[0] - out[1];
}

/* How far the sum of products of both matrices is above its mean over all orders. target (m): the
 * samples whose targets stand beside those of the hood. */
static double compare(const gi_look *l, const hood *h, const size_t *target)
{
    const double m = (double)h->m;
    sums alike = {0}, like = {0};
    double sum = 0;
    for (size_t i = 0; i < h->m; i++) {
        double row[2] = {0, 0}, squares[2] = {0, 0};
        for (size_t j = 0; j < h->m; j++) {
            const double x = (double)h->alike[i * h->m + j];
            const double y = j == i ? 0 : likeness(l, target[i], target[j]);
            row[0] += x;
            row[1] += y;
            squares[0] += x * x;
            squares[1] += y * y;
            sum += x * y;
        }
        add_row(&alike, row[0], squares[0]);
        add_row(&like, row[1], squares[1]);
    }
    double a[3], b[3];
    moments(&alike, a);
    moments(&like, b);
    const double pairs = m * (m - 1), mean = alike.all * like.all / pairs;
    const double square = a[0] * b[0] / (2 * pairs) + a[1] * b[1] / (4 * pairs * (m - 2)) +
                          a[2] * b[2] / (pairs * (m - 2) * (m - 3));
    const double variance = square - mean * mean;
    return variance > 1e-12 * square ? (sum - mean) / sqrt(variance) : 0;
}

static gi_finding compare_all(const gi_look *l, const hood *h)
{
    gi_finding found = {0};
    size_t *target = gi_alloc(h->m, sizeof *target, "neighbours", NULL);
    for (size_t k = 0; target && k < GI_SHIFTS; k++) {
        for (size_t i = 0; i < h->m; i++) target[i] = l->near_row[h->among[i] * GI_SHIFTS + k];
        found.sign[k] = fmin(GI_CERTAIN, compare(l, h, target));
    }
    found.known = target != NULL;
    gi_free(target);
    return found;
}

/* ---- Samples -------------------------------------------------------------------------------- */

static float distance(const gi_look *l, size_t a, size_t b)
{
    enum { LANES = 16 };
    const float *x = l->x + a * l->p, *y = l->x + b * l->p;
    float lanes[LANES] = {0}, sum = 0;
    size_t f = 0;
    for (; f + LANES <= l->p; f += LANES)
        for (size_t i = 0; i < LANES; i++)
            lanes[i] += (x[f + i] - y[f + i]) * (x[f + i] - y[f + i]);
    for (; f < l->p; f++) sum += (x[f] - y[f]) * (x[f] - y[f]);
    for (size_t i = 0; i < LANES; i++) sum += lanes[i];
    return sum;
}

/* Of each sample its nearest, the others of which it may be among the nearest, too. */
static void find_neighbours(const gi_look *l, hood *h)
{
    for (size_t i = 0; i < h->m; i++) {
        float far[NEIGHBOURS];
        size_t near[NEIGHBOURS], n = 0;
        for (size_t j = 0; j < h->m; j++) {
            if (j == i) continue;
            const float d = distance(l, h->among[i], h->among[j]);
            if (n == NEIGHBOURS && d >= far[n - 1]) continue;
            size_t at = n < NEIGHBOURS ? n++ : n - 1;
            for (; at > 0 && far[at - 1] > d; at--) {
                far[at] = far[at - 1];
                near[at] = near[at - 1];
            }
            far[at] = d;
            near[at] = j;
        }
        for (size_t j = 0; j < n; j++) {
            h->alike[i * h->m + near[j]] += 1;
            h->alike[near[j] * h->m + i] += 1;
        }
    }
}

gi_finding gi_compare_neighbours(const gi_look *l, double work)
{
    gi_finding found = {0};
    hood h = {0};
    if (hood_new(l, l->p, work, &h)) {
        find_neighbours(l, &h);
        found = compare_all(l, &h);
    }
    hood_free(&h);
    return found;
}

/* The steps (m, s->p) of the samples, standardised among them. */
static void fill_steps(const gi_look *l, const gi_products *s, const hood *h, float *z)
{
    for (size_t c = 0; c < s->p; c++) {
        double sum = 0;
        for (size_t i = 0; i < h->m; i++) {
            const float x = l->x[h->among[i] * l->p + s->feature[c]];
            z[i * s->p + c] = x > s->threshold[c];
            sum += (double)z[i * s->p + c];
        }
        const double mean = sum / (double)h->m, deviation = sqrt(mean * (1 - mean));
        for (size_t i = 0; i < h->m; i++) {
            float *own = &z[i * s->p + c];
            *own = deviation > 0 ? (float)(((double)*own - mean) / deviation) : 0;
        }
    }
}

/* The sum over pairs of columns of how alike two samples are in both. */
static float pairs_alike(const float *x, const float *y, size_t n)
{
    enum { LANES = 16 };
    float products[LANES] = {0}, squares[LANES] = {0}, sum = 0, square = 0;
    size_t c = 0;
    for (; c + LANES <= n; c += LANES)
        for (size_t i = 0; i < LANES; i++) {
            const float product = x[c + i] * y[c + i];
            products[i] += product;
            squares[i] += product * product;
        }
    for (; c < n; c++) {
        sum += x[c] * y[c];
        square += x[c] * y[c] * (x[c] * y[c]);
    }
    for (size_t i = 0; i < LANES; i++) {
        sum += products[i];
        square += squares[i];
    }
    return (sum * sum - square) / 2;
}

gi_finding gi_compare_pairs(const gi_look *l, const gi_products *s, double work)
{
    gi_finding found = {0};
    hood h = {0};
    float *z = NULL;
    if (s->p > 1 && hood_new(l, s->p, work, &h)) z = gi_alloc(h.m, s->p * sizeof *z, "steps", NULL);
    if (z) {
        fill_steps(l, s, &h, z);
        for (size_t i = 0; i < h.m; i++)
            for (size_t j = 0; j < i; j++)
                h.alike[i * h.m + j] = h.alike[j * h.m + i] =
                    pairs_alike(z + i * s->p, z + j * s->p, s->p);
        found = compare_all(l, &h);
    }
    gi_free(z);
    hood_free(&h);
    return found;
}
