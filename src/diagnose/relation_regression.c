/* SPDX-License-Identifier: MIT */
/*
 * Regressions of the targets on the features, made on cross products. The least squares one is
 * tested by Pillai's trace and its F; the ridge one, whose coefficients are drawn from a normal
 * distribution, has a Bayes factor in closed form (Rasmussen and Williams 2006, section 2.7).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "diagnose/relation_parts.h"

enum { QUARTER_ROWS = 256 /* that quartiles are estimated from */, STEPS = 3 };

/*
 * Two classes whose means are so many standard deviations apart have a best ROC AUC of 0.62 and of
 * 0.69. That explains half the square, times the chance that two samples differ, of the variance of
 * their indicator.
 */
static const double weak_distance = 0.432, moderate_distance = 0.701;

void gi_products_free(gi_products *s)
{
    gi_free(s->feature);
    gi_free(s->threshold);
    gi_free(s->sum);
}

static void fill_row(const gi_look *l, const gi_products *s, size_t i, double *z)
{
    const float *x = l->x + i * l->p;
    for (size_t c = 0; c < s->p; c++)
        z[c] = s->feature ? x[s->feature[c]] > s->threshold[c] : (double)x[c];
    for (size_t k = 0; k < GI_SHIFTS; k++) {
        const size_t from = l->near_row[i * GI_SHIFTS + k];
        for (size_t c = 0; c < l->q; c++)
            z[s->p + k * l->q + c] = from == SIZE_MAX ? NAN : (double)l->y[from * l->q + c];
    }
}

/* A target that is not there counts as the mean, and so for nothing. */
bool gi_multiply(const gi_look *l, gi_products *s)
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

/*
 * Takes what the first columns explain away from m (size, size), with a ridge, in parts of each
 * column's sum of squares; returns how many of them add anything to those before. *volume: the
 * logarithm of the determinant of the columns' products with the ridge, divided by that of the
 * ridge.
 */
static size_t explain(double *m, size_t size, size_t columns, double ridge, double *volume)
{
    static const double tolerance = 1e-7;
    size_t rank = 0;
    double *kept = gi_alloc(columns, sizeof *kept, "sums", NULL);
    *volume = 0;
    for (size_t c = 0; kept && c < columns; c++) {
        kept[c] = m[c * size + c];
        m[c * size + c] *= 1 + ridge;
    }
    for (size_t c = 0; kept && c < columns; c++) {
        const double pivot = m[c * size + c];
        if (!(pivot > tolerance * kept[c])) continue;
        rank++;
        if (ridge > 0) *volume += log(pivot / (ridge * kept[c]));
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
    double trace = 0, kept[GI_MOST_TARGETS];
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

/* What a regression leaves of the targets. */
typedef struct leftover {
    size_t rank, targets;   /* of the columns; directions of the targets */
    double volume;          /* as explain has it */
    double left[GI_SHIFTS]; /* the part of their variance, summed over directions */
} leftover;

/* Regresses on some of the columns: (n), or NULL: all of the first n; false: no memory. */
static bool solve(const gi_look *l, const gi_products *s, const size_t *columns, size_t n,
                  double ridge, leftover *out)
{
    const size_t q = l->q, size = n + GI_SHIFTS * q;
    double *m = gi_alloc(size, size * sizeof *m, "sums", NULL);
    if (!m) return false;
    for (size_t a = 0; a < size; a++)
        for (size_t b = 0; b < size; b++) {
            const size_t from = a >= n ? s->p + a - n : columns ? columns[a] : a;
            const size_t to = b >= n ? s->p + b - n : columns ? columns[b] : b;
            m[a * size + b] = s->sum[from * s->t + to];
        }
    out->rank = explain(m, size, n, ridge, &out->volume);
    for (size_t k = GI_SHIFTS; k-- > 0;) { /* the targets' own rank is the last */
        double whole[GI_MOST_TARGETS * GI_MOST_TARGETS], rest[GI_MOST_TARGETS * GI_MOST_TARGETS];
        for (size_t a = 0; a < q * q; a++) {
            const size_t i = k * q + a / q, j = k * q + a % q;
            whole[a] = s->sum[(s->p + i) * s->t + s->p + j];
            rest[a] = m[(n + i) * size + n + j];
        }
        out->left[k] = trace_left(whole, rest, q, &out->targets);
    }
    gi_free(m);
    return true;
}

/*
 * How far F, of a and b degrees of freedom, lies above its mean where there is no relation, in
 * standard errors (Abramowitz and Stegun 26.6.27, Paulson's approximation).
 */
static double deviate(double f, double a, double b)
{
    const double spread = 2 / (9 * a), root = cbrt(fmax(0, f));
    return (root * (1 - 2 / (9 * b)) - (1 - spread)) / sqrt(spread + 2 / (9 * b) * root * root);
}

/* Least squares. */
static gi_finding regress(const gi_look *l, const gi_products *s, const size_t *columns, size_t n)
{
    gi_finding found = {0};
    leftover r;
    if (!solve(l, s, columns, n, 0, &r)) return found;
    const double rank = (double)r.rank, t = (double)r.targets, rows = (double)l->n;
    const double least = fmin(rank, t), a = rank * t, b = least * (rows - 1 - rank - t + least);
    if (a == 0 || b < 8) return found;
    for (size_t k = 0; k < GI_SHIFTS; k++) {
        const double trace = fmin(t - r.left[k], least * (1 - 1e-9));
        const double f = b / a * fmax(trace, 0) / (least - trace);
        found.sign[k] = fmin(GI_CERTAIN, deviate(f, a, b));
    }
    found.known = true;
    found.explained = 1 - r.left[GI_OWN] / t * (rows - 1) / (rows - 1 - rank);
    return found;
}

/*
 * Bayes factors of targets that are, in part, a sum of the columns with coefficients drawn from a
 * normal distribution, in parts of each column's deviation, against targets that are noise alone;
 * kept: the part of an effect that the columns still have.
 */
static bool weigh(const gi_look *l, const gi_products *s, double kept, double distance,
                  double factor[GI_SHIFTS])
{
    const double effect = distance * distance / 2 * l->varied * kept, rows = (double)l->n;
    const double part = effect / (double)l->q;
    size_t varying = 0;
    for (size_t c = 0; c < s->p; c++) varying += s->sum[c * s->t + c] > 0;
    leftover r;
    if (!solve(l, s, NULL, s->p, (double)varying / rows * (1 - part) / part, &r)) return false;
    for (size_t k = 0; k < GI_SHIFTS; k++) {
        const double t = (double)r.targets, fit = rows * (t - r.left[k] / (1 - part));
        const double volume = r.volume + (rows - 1) * log(1 - part);
        factor[k] = (fit - t * volume) / 2;
    }
    return true;
}

static void weigh_all(const gi_look *l, const gi_products *s, double kept, gi_finding *found)
{
    double weak[GI_SHIFTS];
    found->weighed = weigh(l, s, kept, weak_distance, weak) &&
                     weigh(l, s, kept, moderate_distance, found->moderate);
    if (found->weighed) found->weak = weak[GI_OWN];
}

gi_finding gi_regress_linear(const gi_look *l)
{
    gi_products s = {.p = l->p, .t = l->p + GI_SHIFTS * l->q};
    gi_finding found = {0};
    if (gi_multiply(l, &s)) {
        found = regress(l, &s, NULL, s.p);
        /* a sketch keeps so much of what is explained */
        weigh_all(l, &s, (double)l->p / (double)l->features, &found);
    }
    gi_products_free(&s);
    return found;
}

gi_finding gi_regress_steps(const gi_look *l, const gi_products *s)
{
    gi_finding found = {0};
    if (2 * s->t <= l->n) found = regress(l, s, NULL, s->p);
    weigh_all(l, s, 1, &found);
    return found;
}

gi_finding gi_regress_best(const gi_look *l, const gi_products *s)
{
    gi_finding best = {0};
    size_t n_features = 0;
    for (size_t first = 0, end; first < s->p; first = end) {
        size_t columns[STEPS], n = 0;
        for (end = first; end < s->p && s->feature[end] == s->feature[first]; end++)
            columns[n++] = end;
        const gi_finding own = regress(l, s, columns, n);
        n_features++;
        for (size_t k = 0; k < GI_SHIFTS && own.known; k++)
            best.sign[k] = fmax(best.sign[k], own.sign[k]);
        best.known = best.known || own.known;
    }
    /* Bonferroni: exp(-z^2 / 2) times the number of features */
    for (size_t k = 0; k < GI_SHIFTS; k++)
        best.sign[k] = sqrt(fmax(0, best.sign[k] * best.sign[k] - 2 * log((double)n_features)));
    return best;
}

static int ascending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

bool gi_find_steps(const gi_look *l, gi_products *s)
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
    s->t = s->p + GI_SHIFTS * l->q;
    return s->p > 0;
}
