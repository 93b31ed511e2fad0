/* SPDX-License-Identifier: MIT */
/*
 * Tests of whether targets belong to their samples. Each compares a statistic with what targets in
 * random order would give:
 *
 *   linear      Pillai's trace of a regression of the targets on the features
 *   steps       the same on indicators of the quarters of each feature, which see bends
 *   one feature the best feature's steps alone, corrected for the number of features (Bonferroni)
 *   neighbours  how alike the targets of the nearest samples are, by permutations
 *
 * The regressions, which are made on the same cross products, also say how far the statistic is
 * below that of a relation so weak that the best classifier's ROC AUC is 0.62. All is done for the
 * targets as they are, and for those of the row before and the row after.
 */
#include "train/relation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "feed/input_form.h"

enum {
    MOST_ROWS = 4096,
    LEAST_ROWS = 100,
    BLOCK = 64, /* rows that follow each other are taken together */
    MOST_COLUMNS = 512,
    MOST_TARGETS = 8, /* of more classes, those after the most frequent one */
    MOST_NEIGHBOURHOOD = 512,
    NEIGHBOURS = 10,
    QUARTER_ROWS = 256, /* that quartiles are estimated from */
    STEPS = 3,
    SHIFTS = 3, /* as they are, of the row before, of the row after */
    PERMUTATIONS = 24
};

/*
 * A weak relation: two classes whose means are 0.43 standard deviations apart (an AUC of 0.62)
 * explain this part of the variance of their indicator, times the chance that two samples differ;
 * and of values a part of 1/20.
 */
static const double weak_classes = 0.432 * 0.432 / 2, weak_values = 0.05;

/* A statistic that cannot be larger. */
static const double certain = 50;

typedef struct look {
    const glia_dataset *dataset;
    size_t n, p, q;   /* samples, columns, targets */
    size_t features;  /* that the columns were made of */
    float *x;         /* (n, p) */
    float *y;         /* (n, q): indicators of classes, or targets */
    uint32_t *label;  /* (n), of classes */
    size_t *near_row; /* (n, SHIFTS): the sample itself, before, after; SIZE_MAX: not there */
    double effect;    /* of a weak relation, of each sample */
} look;

static void look_free(look *l)
{
    gi_free(l->x);
    gi_free(l->y);
    gi_free(l->label);
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
static void fill_columns(const look *l, const void *row, float *x)
{
    const uint8_t *bytes = row;
    const float *floats = row;
    for (size_t f = 0; f < l->features; f++) {
        const float value = l->dataset->type == GLIA_U8 ? (float)bytes[f] : floats[f];
        const uint32_t hash = (uint32_t)f * 0x9E3779B9U;
        if (l->p == l->features)
            x[f] = value;
        else
            x[(uint64_t)hash * l->p >> 32] += hash & 0x800 ? value : -value;
    }
}

static void link_rows(look *l)
{
    for (size_t i = 0; i < l->n; i++) {
        const size_t row = row_of(l->dataset, place_of(i, l->n, l->dataset->samples));
        size_t *near_row = l->near_row + i * SHIFTS;
        near_row[0] = i;
        near_row[1] = near_row[2] = SIZE_MAX;
        if (i == 0) continue;
        if (row_of(l->dataset, place_of(i - 1, l->n, l->dataset->samples)) + 1 != row) continue;
        near_row[1] = i - 1;
        near_row[2 - SHIFTS] = i;
    }
}

/* The classes after the most frequent one, which get an indicator each; how often two samples have
 * different classes is half of what a weak relation explains. */
static void choose_classes(look *l, size_t *count, size_t classes)
{
    double alike = 0;
    for (size_t i = 0; i < l->n; i++) count[l->label[i]]++;
    for (size_t c = 0; c < classes; c++)
        alike += (double)count[c] * (double)count[c] / ((double)l->n * (double)l->n);
    l->effect = weak_classes * (1 - alike);
    for (size_t t = 0; t <= MOST_TARGETS; t++) {
        size_t best = 0;
        for (size_t c = 1; c < classes; c++)
            if (count[c] > count[best]) best = c;
        if (count[best] == 0) break;
        count[best] = 0;
        if (t == 0) continue;
        for (size_t i = 0; i < l->n; i++) l->y[i * l->q + t - 1] = l->label[i] == best;
    }
}

static bool read_samples(look *l, const glia_network *network)
{
    const glia_dataset *dataset = l->dataset;
    const bool classes = dataset->task == GLIA_CLASSES;
    uint8_t *scratch = gi_alloc(1, gi_dataset_row_bytes(dataset), "a sample", NULL);
    float *targets = gi_alloc(dataset->classes, sizeof *targets, "targets", NULL);
    size_t *count = gi_alloc(dataset->classes, sizeof *count, "classes", NULL);
    l->x = gi_alloc(l->n, l->p * sizeof *l->x, "samples", NULL);
    l->y = gi_alloc(l->n, l->q * sizeof *l->y, "targets", NULL);
    l->label = gi_alloc(l->n, sizeof *l->label, "labels", NULL);
    l->near_row = gi_alloc(l->n, SHIFTS * sizeof *l->near_row, "rows", NULL);
    const bool good = scratch && targets && count && l->x && l->y && l->label && l->near_row;
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
    if (good && !classes) l->effect = weak_values;
    gi_free(count);
    gi_free(targets);
    gi_free(scratch);
    return good;
}

/* ---- Regressions ---------------------------------------------------------------------------- */

/* Columns and, behind them, targets of each shift: what they are and their cross products. */
typedef struct products {
    size_t p, t;      /* columns; with the targets */
    size_t *feature;  /* (p): that a column was made of; NULL: each is one */
    float *threshold; /* (p): a column is whether its feature exceeds it */
    double *sum;      /* (t, t), centred */
} products;

static void products_free(products *s)
{
    gi_free(s->feature);
    gi_free(s->threshold);
    gi_free(s->sum);
}

static void fill_row(const look *l, const products *s, size_t i, double *z)
{
    const float *x = l->x + i * l->p;
    for (size_t c = 0; c < s->p; c++)
        z[c] = s->feature ? x[s->feature[c]] > s->threshold[c] : (double)x[c] - (double)l->x[c];
    for (size_t k = 0; k < SHIFTS; k++) {
        const size_t from = l->near_row[i * SHIFTS + k];
        for (size_t c = 0; c < l->q; c++)
            z[s->p + k * l->q + c] = from == SIZE_MAX ? NAN : (double)l->y[from * l->q + c];
    }
}

/* A target that is not there counts as the mean, and so for nothing. */
static bool multiply(const look *l, products *s)
{
    const size_t t = s->t;
    double *z = gi_alloc(t, 2 * sizeof *z, "sums", NULL), *mean = z ? z + t : NULL;
    size_t *there = gi_alloc(t, sizeof *there, "sums", NULL);
    s->sum = gi_alloc(t, t * sizeof *s->sum, "sums", NULL);
    const bool good = z && there && s->sum;
    for (size_t i = 0; good && i < l->n; i++) {
        fill_row(l, s, i, z);
        for (size_t c = 0; c < t; c++) {
            if (isnan(z[c])) continue;
            mean[c] += z[c];
            there[c]++;
        }
    }
    for (size_t c = 0; good && c < t; c++) mean[c] /= there[c] > 0 ? (double)there[c] : 1;
    for (size_t i = 0; good && i < l->n; i++) {
        fill_row(l, s, i, z);
        for (size_t c = 0; c < t; c++) z[c] = isnan(z[c]) ? 0 : z[c] - mean[c];
        for (size_t a = 0; a < t; a++) {
            double *row = s->sum + a * t;
            const double factor = z[a];
            for (size_t b = a; b < t && factor != 0; b++) row[b] += factor * z[b];
        }
    }
    for (size_t a = 0; good && a < t; a++)
        for (size_t b = 0; b < a; b++) s->sum[a * t + b] = s->sum[b * t + a];
    gi_free(z);
    gi_free(there);
    return good;
}

/* Takes what the first columns explain away from m (size, size); returns how many of them add
 * anything to those before. */
static size_t explain(double *m, size_t size, size_t columns)
{
    static const double tolerance = 1e-7;
    size_t rank = 0;
    double *kept = gi_alloc(columns, sizeof *kept, "sums", NULL);
    for (size_t c = 0; kept && c < columns; c++) kept[c] = m[c * size + c];
    for (size_t c = 0; kept && c < columns; c++) {
        const double pivot = m[c * size + c];
        if (!(pivot > tolerance * kept[c])) continue;
        rank++;
        for (size_t a = c + 1; a < size; a++) {
            const double factor = m[a * size + c] / pivot;
            for (size_t b = c + 1; b < size && factor != 0; b++)
                m[a * size + b] -= factor * m[c * size + b];
        }
    }
    gi_free(kept);
    return rank;
}

/* The trace of the inverse of whole times rest, both (q, q): the part of the targets that is not
 * explained, summed over directions, whose number is put into *rank. Both are destroyed. */
static double trace_left(double *whole, double *rest, size_t q, size_t *rank)
{
    double trace = 0, kept[MOST_TARGETS];
    *rank = 0;
    for (size_t c = 0; c < q; c++) kept[c] = whole[c * q + c];
    for (size_t c = 0; c < q; c++) { /* congruence: whole becomes diagonal, rest follows */
        const double pivot = whole[c * q + c];
        if (!(pivot > 1e-9 * kept[c])) continue;
        for (size_t a = c + 1; a < q; a++) {
            const double factor = whole[a * q + c] / pivot;
            for (size_t b = 0; b < q; b++) {
                whole[a * q + b] -= factor * whole[c * q + b];
                rest[a * q + b] -= factor * rest[c * q + b];
            }
            for (size_t b = 0; b < q; b++) rest[b * q + a] -= factor * rest[b * q + c];
        }
        trace += rest[c * q + c] / pivot;
        ++*rank;
    }
    return trace;
}

/*
 * How far F lies above what it is with a non-centrality of `centre`, in standard errors
 * (Abramowitz and Stegun 26.6.27), of a and b degrees of freedom.
 */
static double deviate(double f, double a, double b, double centre)
{
    const double k = a + centre, spread = 2 * (a + 2 * centre) / (9 * k * k);
    const double root = cbrt(fmax(0, a * f / k));
    return (root * (1 - 2 / (9 * b)) - (1 - spread)) / sqrt(spread + 2 / (9 * b) * root * root);
}

/* What a regression finds: of each shift, and how far it is above a weak relation's. */
typedef struct finding {
    bool known;
    double above[SHIFTS], weak;
    double explained; /* of the variance, corrected for the number of columns */
} finding;

/* Of a regression on some of the columns: (n), or NULL: all of the first n. */
static finding regress(const look *l, const products *s, const size_t *columns, size_t n,
                       double effect)
{
    const size_t q = l->q, size = n + SHIFTS * q;
    finding found = {false, {0, 0, 0}, 0, 0};
    double *m = gi_alloc(size, size * sizeof *m, "sums", NULL);
    if (!m) return found;
    for (size_t a = 0; a < size; a++)
        for (size_t b = 0; b < size; b++) {
            const size_t from = a >= n ? s->p + a - n : columns ? columns[a] : a;
            const size_t to = b >= n ? s->p + b - n : columns ? columns[b] : b;
            m[a * size + b] = s->sum[from * s->t + to];
        }
    const double rank = (double)explain(m, size, n);
    for (size_t k = 0; k < SHIFTS; k++) {
        double whole[MOST_TARGETS * MOST_TARGETS], rest[MOST_TARGETS * MOST_TARGETS];
        for (size_t a = 0; a < q * q; a++) {
            const size_t i = k * q + a / q, j = k * q + a % q;
            whole[a] = s->sum[(s->p + i) * s->t + s->p + j];
            rest[a] = m[(n + i) * size + n + j];
        }
        size_t targets;
        const double left = trace_left(whole, rest, q, &targets), t = (double)targets;
        const double least = fmin(rank, t), a = rank * t;
        const double b = least * ((double)l->n - 1 - rank - t + least);
        if (a == 0 || b < 8) break;
        const double trace = fmin(t - left, least * (1 - 1e-9));
        const double f = b / a * fmax(trace, 0) / (least - trace);
        found.known = true;
        found.above[k] = fmin(certain, deviate(f, a, b, 0));
        if (k > 0) continue;
        found.weak = deviate(f, a, b, (double)l->n * effect);
        found.explained = 1 - left / t * ((double)l->n - 1) / ((double)l->n - 1 - rank);
    }
    gi_free(m);
    return found;
}

static finding linear(const look *l)
{
    products s = {.p = l->p, .t = l->p + SHIFTS * l->q};
    finding found = {false, {0, 0, 0}, 0, 0};
    const double kept = (double)l->p / (double)l->features; /* by a sketch, of what is explained */
    if (multiply(l, &s)) found = regress(l, &s, NULL, s.p, l->effect * kept);
    products_free(&s);
    return found;
}

static int ascending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The quartiles of each feature, but for those that are equal or the largest value. */
static bool find_steps(const look *l, products *s)
{
    const size_t n = l->n < QUARTER_ROWS ? l->n : QUARTER_ROWS;
    float values[QUARTER_ROWS];
    s->feature = gi_alloc(l->p, STEPS * sizeof *s->feature, "steps", NULL);
    s->threshold = gi_alloc(l->p, STEPS * sizeof *s->threshold, "steps", NULL);
    if (!s->feature || !s->threshold) return false;
    for (size_t f = 0; f < l->p; f++) {
        for (size_t i = 0; i < n; i++) values[i] = l->x[i * l->n / n * l->p + f];
        qsort(values, n, sizeof *values, ascending);
        for (size_t k = 1; k <= STEPS; k++) {
            const float threshold = values[k * n / (STEPS + 1)];
            const bool is_first = s->p == 0 || s->feature[s->p - 1] != f;
            if (!(threshold < values[n - 1])) break;
            if (!is_first && threshold == s->threshold[s->p - 1]) continue;
            s->feature[s->p] = f;
            s->threshold[s->p++] = threshold;
        }
    }
    s->t = s->p + SHIFTS * l->q;
    return s->p > 0;
}

/* The strongest of the features, each by its own steps. */
static finding best_feature(const look *l, const products *s)
{
    finding best = {false, {0, 0, 0}, 0, 0};
    size_t n_features = 0;
    for (size_t first = 0, end; first < s->p; first = end) {
        size_t columns[STEPS], n = 0;
        for (end = first; end < s->p && s->feature[end] == s->feature[first]; end++)
            columns[n++] = end;
        const finding own = regress(l, s, columns, n, l->effect);
        n_features++;
        for (size_t k = 0; k < SHIFTS && own.known; k++)
            best.above[k] = fmax(best.above[k], own.above[k]);
        best.known = best.known || own.known;
    }
    /* exp(-z^2 / 2) times the number of features */
    for (size_t k = 0; k < SHIFTS; k++)
        best.above[k] = sqrt(fmax(0, best.above[k] * best.above[k] - 2 * log((double)n_features)));
    return best;
}

/* ---- Neighbours ----------------------------------------------------------------------------- */

static float distance(const look *l, size_t a, size_t b)
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

/* Some samples, and the nearest of them to each. */
struct hood {
    size_t m, k;
    size_t *among;  /* (m): samples of the look */
    size_t *near;   /* (m, k): places in among, the nearest first */
    double *weight; /* (n) of classes: how rare a sample's is; else (q), all 1 */
};

static void hood_free(struct hood *h)
{
    gi_free(h->among);
    gi_free(h->near);
    gi_free(h->weight);
}

static bool hood_new(const look *l, struct hood *h)
{
    float *far = gi_alloc(h->k, sizeof *far, "neighbours", NULL);
    h->among = gi_alloc(h->m, sizeof *h->among, "neighbours", NULL);
    h->near = gi_alloc(h->m, h->k * sizeof *h->near, "neighbours", NULL);
    h->weight = gi_alloc(l->n + l->q, sizeof *h->weight, "neighbours", NULL);
    size_t *count = gi_alloc(l->dataset->classes, sizeof *count, "classes", NULL);
    const bool good = far && h->among && h->near && h->weight && count;
    const bool classes = l->dataset->task == GLIA_CLASSES;
    for (size_t i = 0; good && i < h->m; i++) h->among[i] = i * l->n / h->m;
    for (size_t i = 0; good && i < l->n; i++) count[l->label[i]]++;
    for (size_t i = 0; good && i < l->n + l->q; i++)
        h->weight[i] = classes && i < l->n ? (double)l->n / (double)count[l->label[i]] : 1;
    for (size_t i = 0; good && i < h->m; i++) {
        size_t *own = h->near + i * h->k, n = 0;
        for (size_t j = 0; j < h->m; j++) {
            if (j == i) continue;
            const float d = distance(l, h->among[i], h->among[j]);
            if (n == h->k && d >= far[n - 1]) continue;
            size_t at = n < h->k ? n++ : n - 1;
            for (; at > 0 && far[at - 1] > d; at--) {
                far[at] = far[at - 1];
                own[at] = own[at - 1];
            }
            far[at] = d;
            own[at] = j;
        }
    }
    gi_free(far);
    gi_free(count);
    return good;
}

/* How alike the targets of two samples are: of a rare class more than of a frequent one. */
static double likeness(const look *l, const double *weight, size_t a, size_t b)
{
    if (l->dataset->task == GLIA_CLASSES) return l->label[a] == l->label[b] ? weight[a] : 0;
    double sum = 0;
    for (size_t c = 0; c < l->q; c++)
        sum += (double)l->y[a * l->q + c] * (double)l->y[b * l->q + c] * weight[c];
    return sum;
}

/* The sum of the likenesses of neighbours, when each has the target of shift k, or, with an order
 * (m), that of another; *n counts the pairs. */
static double sum_likeness(const look *l, const struct hood *h, size_t k, const uint32_t *order,
                           size_t *n)
{
    double sum = 0;
    *n = 0;
    for (size_t i = 0; i < h->m; i++)
        for (size_t j = 0; j < h->k; j++) {
            const size_t other = h->near[i * h->k + j];
            const size_t a = l->near_row[h->among[order ? order[i] : i] * SHIFTS + k];
            const size_t b = l->near_row[h->among[order ? order[other] : other] * SHIFTS + k];
            if (a == SIZE_MAX || b == SIZE_MAX) continue;
            sum += likeness(l, h->weight, a, b);
            ++*n;
        }
    return sum;
}

static finding neighbours(const look *l, double work)
{
    finding found = {false, {0, 0, 0}, 0, 0};
    const double affordable = sqrt(work / (double)l->p);
    size_t m = l->n < MOST_NEIGHBOURHOOD ? l->n : MOST_NEIGHBOURHOOD, n;
    if ((double)m > affordable) m = (size_t)affordable;
    if (m < LEAST_ROWS) return found;
    struct hood h = {.m = m, .k = NEIGHBOURS};
    uint32_t *order = gi_alloc(m, sizeof *order, "neighbours", NULL);
    if (order && hood_new(l, &h)) {
        double mean = 0, squares = 0;
        for (size_t i = 0; i < m; i++) order[i] = (uint32_t)i;
        for (size_t r = 0; r < PERMUTATIONS; r++) {
            gi_rng rng = gi_rng_make(r, GI_RANDOM_INIT, 0, 0);
            gi_shuffle(order, m, &rng);
            const double sum = sum_likeness(l, &h, 0, order, &n) / (double)n;
            const double d = sum - mean;
            mean += d / (double)(r + 1);
            squares += d * (sum - mean);
        }
        const double deviation = sqrt(squares / (PERMUTATIONS - 1));
        for (size_t k = 0; k < SHIFTS && deviation > 0; k++) {
            const double sum = sum_likeness(l, &h, k, NULL, &n);
            if (n == 0) continue;
            const double error = deviation * sqrt((double)(m * h.k) / (double)n);
            found.above[k] = fmin(certain, (sum / (double)n - mean) / error);
            found.known = true;
        }
    }
    hood_free(&h);
    gi_free(order);
    return found;
}

/* ---- All together --------------------------------------------------------------------------- */

static void add(gi_relation *relation, const finding *found)
{
    static const int shifts[SHIFTS] = {0, -1, 1};
    if (!found->known) return;
    relation->related = fmax(relation->related, found->above[0]);
    for (size_t k = 1; k < SHIFTS; k++) {
        if (found->above[k] <= relation->shifted) continue;
        relation->shifted = found->above[k];
        relation->shift = shifts[k];
    }
}

/* Chooses how many samples, columns and targets are looked at; false: too few. */
static bool choose_sizes(look *l, double work)
{
    const glia_dataset *d = l->dataset;
    const size_t outputs = d->task == GLIA_CLASSES ? d->classes - 1 : d->classes;
    l->n = d->samples < MOST_ROWS ? d->samples : MOST_ROWS;
    l->p = l->features = d->features;
    l->q = outputs < MOST_TARGETS ? outputs : MOST_TARGETS;
    if (l->p > MOST_COLUMNS) l->p = MOST_COLUMNS;
    if (l->p + SHIFTS * l->q > l->n / 2) l->p = l->n / 4;
    const double width = (double)(l->p + SHIFTS * l->q), rows = work / (width * width / 2);
    if (rows < (double)l->n) l->n = (size_t)rows;
    return l->n >= LEAST_ROWS && l->n > 2 * (l->p + l->q) && l->q > 0;
}

gi_relation gi_relation_of(const glia_network *network, const glia_dataset *dataset, double work)
{
    gi_relation relation = {.related = -certain, .weak = certain, .shifted = -certain};
    look l = {.dataset = dataset};
    if (gi_dataset_is_endless(dataset) || !choose_sizes(&l, work)) return relation;
    products steps = {0};
    if (read_samples(&l, network)) {
        const finding line = linear(&l), near = neighbours(&l, work);
        add(&relation, &line);
        add(&relation, &near);
        if (line.known) relation.weak = line.weak;
        relation.explained = fmax(0, line.explained);
        if (l.p == l.features && find_steps(&l, &steps) && 2 * (steps.t) <= l.n &&
            (double)l.n * (double)(steps.t * steps.t) / 2 <= work && multiply(&l, &steps)) {
            const finding all = regress(&l, &steps, NULL, steps.p, l.effect);
            const finding best = best_feature(&l, &steps);
            add(&relation, &all);
            add(&relation, &best);
            if (all.known) relation.weak = fmax(relation.weak, all.weak);
        }
        relation.samples = line.known ? l.n : 0;
    }
    products_free(&steps);
    look_free(&l);
    return relation;
}
