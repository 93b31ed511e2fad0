/* SPDX-License-Identifier: MIT */
/*
 * Data sets divided into what is learned from and what is held out: at random, class by class, by
 * groups, or by order.
 *
 * A view owns its list of rows alone; samples and labels are its base's. How the columns of a table
 * are read is learned from the rest, never from what is held out.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "data/encoding/encoding.h"

/* A set with the same samples as dataset and room for n rows, which the caller fills. */
static glia_status new_view(const glia_dataset *dataset, size_t n, glia_dataset **out,
                            glia_error *error)
{
    glia_dataset *view = NULL;
    glia_status status =
        gi_dataset_new(dataset->name, dataset->type, n, dataset->features, dataset->classes,
                       (const char *const *)dataset->class_names, &view, error);
    if (status) return status;
    view->height = dataset->height;
    view->width = dataset->width;
    view->channels = dataset->channels;
    view->form = dataset->form;
    view->divisor = dataset->divisor;
    view->from_zero = dataset->from_zero;
    view->task = dataset->task;
    view->is_unlabelled = dataset->is_unlabelled;
    view->x = dataset->x;
    view->labels = dataset->labels;
    view->targets = dataset->targets;
    view->targets_f64 = dataset->targets_f64;
    view->schema = dataset->schema;
    view->chunk = dataset->chunk;
    view->lineage = dataset->lineage;
    view->source = dataset->source;
    view->source_of = dataset->source_of;
    if (view->source_of) view->source.keep(view->source_of);
    view->owned_rows = gi_alloc(n, sizeof *view->owned_rows, "rows of a data set", error);
    if (dataset->weights)
        view->weights = gi_alloc(n, sizeof *view->weights, "the weights of samples", error);
    if (!view->owned_rows || (dataset->weights && !view->weights)) {
        glia_dataset_free(view);
        return GLIA_NO_MEMORY;
    }
    view->rows = view->owned_rows;
    *out = view;
    return GLIA_OK;
}

/* A part of a set that was divided; division NULL: in a way that a lineage cannot say. */
static void continue_lineage(gi_lineage *lineage, const gi_division *division, bool is_held)
{
    if (!division || lineage->is_held || lineage->n == GI_MAX_DIVISIONS) lineage->is_other = true;
    if (lineage->is_other) return;
    lineage->of[lineage->n++] = *division;
    lineage->is_held = is_held;
}

/* The two parts: of sample i held_out[i] says whether it is held out; in all, count are. */
static glia_status make_views(const glia_dataset *dataset, const bool *held_out, size_t count,
                              const gi_division *division, glia_dataset **rest_out,
                              glia_dataset **held_set, glia_error *error)
{
    glia_dataset *parts[2] = {NULL, NULL}; /* the rest, and what is held out */
    size_t n[2] = {0, 0};
    glia_status status = GLIA_OK;
    if (count == 0 || count >= dataset->samples)
        status = gi_fail(error, GLIA_BAD_ARGUMENT,
                         "%s: %zu of %zu sample%s would be held out, and both parts need at least "
                         "one; if they come in groups, there must be two; "
                         "a part of 0 holds out nothing",
                         dataset->name, count, dataset->samples, dataset->samples == 1 ? "" : "s");
    if (!status) status = new_view(dataset, dataset->samples - count, &parts[0], error);
    if (!status) status = new_view(dataset, count, &parts[1], error);
    for (size_t i = 0; i < dataset->samples && !status; i++) {
        const int p = held_out[i];
        if (parts[p]->weights) parts[p]->weights[n[p]] = dataset->weights[i];
        parts[p]->owned_rows[n[p]++] = dataset->rows ? dataset->rows[i] : (uint32_t)i;
    }
    for (int p = 0; p < 2 && !status; p++) continue_lineage(&parts[p]->lineage, division, p == 1);
    if (!status && gi_dataset_is_table(dataset)) {
        /* A category that the rest has not is read as none. */
        status = gi_dataset_learn_columns(parts[0], error);
        if (!status) status = glia_dataset_read_like(parts[1], parts[0], error);
    }
    if (status) {
        glia_dataset_free(parts[0]);
        glia_dataset_free(parts[1]);
        return status;
    }
    *rest_out = parts[0];
    *held_set = parts[1];
    return GLIA_OK;
}

static glia_status check(const glia_dataset *dataset, glia_dataset **rest, glia_dataset **held,
                         glia_error *error)
{
    if (!dataset || !rest || !held)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "hold out: dataset, rest or held is NULL");
    if (gi_dataset_is_endless(dataset))
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "%s: a set that is drawn afresh in every epoch has no samples to hold out: "
                       "open it a second time with another seed, and validate on that",
                       dataset->name);
    return GLIA_OK;
}

static glia_status hold_out_count(const glia_dataset *dataset, double held_out, size_t *count,
                                  glia_error *error)
{
    const size_t n = dataset->samples;
    if (!(held_out > 0 && isfinite(held_out)))
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "%s: cannot hold out %g: expected a fraction between 0 and 1 or a count of "
                       "samples",
                       dataset->name, held_out);
    if (held_out >= 1 && held_out != floor(held_out))
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "%s: cannot hold out %g samples: expected a whole number", dataset->name,
                       held_out);
    const double wanted = held_out >= 1 ? held_out : round(held_out * (double)n);
    if (wanted < 1 || wanted > (double)(n - 1))
        return gi_fail(
            error, GLIA_BAD_ARGUMENT,
            "%s: cannot hold out %g of %zu sample%s: that is %.0f, and both parts need at "
            "least one; a part of 0 holds out nothing",
            dataset->name, held_out, n, n == 1 ? "" : "s", wanted);
    *count = (size_t)wanted;
    return GLIA_OK;
}

/* ---- Groups -------------------------------------------------------------------------------- */

/* Samples that belong together. */
struct group {
    double key;
    uint32_t sample;    /* any of them, and while they are being found, each */
    uint32_t n, number; /* how many there are; the place in a random order */
    size_t fold;
};

static int by_key(const void *a, const void *b)
{
    const struct group *p = a, *q = b;
    if (p->key != q->key) return p->key < q->key ? -1 : 1;
    return p->sample < q->sample ? -1 : p->sample > q->sample;
}

static int by_number(const void *a, const void *b)
{
    const struct group *p = a, *q = b;
    return p->number < q->number ? -1 : p->number > q->number;
}

static int largest_first(const void *a, const void *b)
{
    const struct group *p = a, *q = b;
    if (p->n != q->n) return p->n > q->n ? -1 : 1;
    return by_number(a, b);
}

/* The groups (*n) in a random order, to be freed; of[i] is the number of sample i's in that order.
 */
static struct group *find_groups(const glia_dataset *dataset, gi_rng *rng, uint32_t *of, size_t *n,
                                 glia_error *error)
{
    struct group *groups = gi_alloc(dataset->samples, sizeof *groups, "groups", error);
    uint32_t *order = gi_alloc(dataset->samples, sizeof *order, "groups", error);
    if (!groups || !order) {
        gi_free(groups);
        gi_free(order);
        return NULL;
    }
    for (size_t i = 0; i < dataset->samples; i++)
        groups[i] = (struct group){.key = gi_dataset_group(dataset, i), .sample = (uint32_t)i};
    qsort(groups, dataset->samples, sizeof *groups, by_key);
    size_t found = 0;
    for (size_t i = 0; i < dataset->samples; i++) {
        if (i == 0 || groups[i].key != groups[found - 1].key) groups[found++] = groups[i];
        of[groups[i].sample] = (uint32_t)(found - 1);
        groups[found - 1].n++;
    }
    for (size_t i = 0; i < found; i++) order[i] = (uint32_t)i;
    gi_shuffle(order, found, rng);
    for (size_t i = 0; i < found; i++) groups[i].number = order[i];
    for (size_t i = 0; i < dataset->samples; i++) of[i] = order[of[i]];
    gi_free(order);
    qsort(groups, found, sizeof *groups, by_number);
    *n = found;
    return groups;
}

/* ---- Holding out --------------------------------------------------------------------------- */

/* What one class gives: how many samples are still to come, how many of them are to be taken. */
struct share {
    uint64_t samples, take, remainder;
    size_t class;
};

static int by_remainder(const void *a, const void *b)
{
    const struct share *p = a, *q = b;
    if (p->remainder != q->remainder) return p->remainder > q->remainder ? -1 : 1;
    return p->class < q->class ? -1 : p->class > q->class;
}

static int by_class(const void *a, const void *b)
{
    const struct share *p = a, *q = b;
    return p->class < q->class ? -1 : p->class > q->class;
}

/*
 * Divides count among the classes in proportion, by largest remainder: class c gives
 * floor(count * n_c / n), and those with the largest remainders one more until count is reached.
 * No class gives more than it has, as count < n and only classes with a remainder give one more.
 */
static void divide(struct share *shares, size_t classes, uint64_t count, uint64_t n)
{
    uint64_t left = count;
    for (size_t c = 0; c < classes; c++) {
        shares[c].take = count * shares[c].samples / n; /* both factors are below 2^32 */
        shares[c].remainder = count * shares[c].samples % n;
        left -= shares[c].take;
    }
    qsort(shares, classes, sizeof *shares, by_remainder);
    for (size_t i = 0; i < left; i++) shares[i].take++;
    qsort(shares, classes, sizeof *shares, by_class);
}

/*
 * One pass, in order: of a class with m samples to come and k to take, the next is taken with
 * probability k / m. Every choice of k is then equally likely, and exactly k are taken. Without
 * classes all are of class 0.
 */
static glia_status choose(const glia_dataset *dataset, size_t count, gi_rng *rng, bool *held_out,
                          glia_error *error)
{
    const size_t classes = dataset->task == GLIA_TASK_CLASSES ? dataset->classes : 1;
    struct share *shares = gi_alloc(classes, sizeof *shares, "classes", error);
    if (!shares) return GLIA_NO_MEMORY;
    for (size_t c = 0; c < classes; c++) shares[c].class = c;
    for (size_t i = 0; i < dataset->samples; i++) shares[gi_dataset_label(dataset, i)].samples++;
    divide(shares, classes, count, dataset->samples);
    for (size_t i = 0; i < dataset->samples; i++) {
        struct share *share = &shares[gi_dataset_label(dataset, i)];
        held_out[i] = gi_rng_below(rng, (uint32_t)share->samples) < share->take;
        share->take -= held_out[i];
        share->samples--;
    }
    gi_free(shares);
    return GLIA_OK;
}

/* Whole groups, in a random order, until there are count samples, or as near as that can be. */
static glia_status choose_groups(const glia_dataset *dataset, size_t *count, gi_rng *rng,
                                 bool *held_out, glia_error *error)
{
    size_t n, taken = 0, last = 0;
    uint32_t *of = gi_alloc(dataset->samples, sizeof *of, "groups", error);
    struct group *groups = of ? find_groups(dataset, rng, of, &n, error) : NULL;
    if (!groups) {
        gi_free(of);
        return GLIA_NO_MEMORY;
    }
    while (last < n && taken < *count) taken += groups[last++].n;
    if (last > 1 && taken - *count > *count - (taken - groups[last - 1].n))
        taken -= groups[--last].n;
    for (size_t i = 0; i < dataset->samples; i++) held_out[i] = of[i] < last;
    *count = taken;
    gi_free(groups);
    gi_free(of);
    return GLIA_OK;
}

/* How many samples are held out, and room for which (*chosen, to be freed). */
static glia_status begin(const glia_dataset *dataset, double held_out, glia_dataset **rest,
                         glia_dataset **held, size_t *count, bool **chosen, glia_error *error)
{
    glia_status status = check(dataset, rest, held, error);
    if (!status) status = hold_out_count(dataset, held_out, count, error);
    if (status) return status;
    *chosen = gi_alloc(dataset->samples, sizeof **chosen, "what is held out", error);
    return *chosen ? GLIA_OK : GLIA_NO_MEMORY;
}

glia_status glia_dataset_hold_out(const glia_dataset *dataset, double held_out, uint64_t seed,
                                  glia_dataset **rest, glia_dataset **held, glia_error *error)
{
    size_t count;
    bool *chosen;
    glia_status status = begin(dataset, held_out, rest, held, &count, &chosen, error);
    if (status) return status;
    gi_rng rng = gi_rng_make(seed, GI_RANDOM_HOLD_OUT, 0, 0);
    status = gi_dataset_has_groups(dataset) ? choose_groups(dataset, &count, &rng, chosen, error)
                                            : choose(dataset, count, &rng, chosen, error);
    const gi_division division = {.held_out = held_out, .seed = seed};
    if (!status) status = make_views(dataset, chosen, count, &division, rest, held, error);
    gi_free(chosen);
    return status;
}

glia_status glia_dataset_hold_out_last(const glia_dataset *dataset, double held_out,
                                       glia_dataset **rest, glia_dataset **held, glia_error *error)
{
    size_t count;
    bool *chosen;
    glia_status status = begin(dataset, held_out, rest, held, &count, &chosen, error);
    if (status) return status;
    for (size_t i = 0; i < dataset->samples; i++) chosen[i] = i >= dataset->samples - count;
    const gi_division division = {.held_out = held_out, .is_last = true};
    status = make_views(dataset, chosen, count, &division, rest, held, error);
    gi_free(chosen);
    return status;
}

/* ---- Cross-validation ---------------------------------------------------------------------- */

/*
 * The fold of each sample: shuffled, sorted by class, and dealt out in turn, so that folds differ
 * by one sample at most, as a whole and of each class.
 */
static glia_status deal(const glia_dataset *dataset, size_t n_folds, gi_rng *rng, uint32_t *folds,
                        glia_error *error)
{
    const size_t n = dataset->samples;
    const size_t classes = dataset->task == GLIA_TASK_CLASSES ? dataset->classes : 1;
    uint32_t *order = gi_alloc(n, sizeof *order, "folds", error);
    size_t *next = gi_alloc(classes + 1, sizeof *next, "folds", error); /* place of each class's */
    if (order && next) {
        for (size_t i = 0; i < n; i++) {
            order[i] = (uint32_t)i;
            next[gi_dataset_label(dataset, i) + 1]++;
        }
        for (size_t c = 0; c < classes; c++) next[c + 1] += next[c];
        gi_shuffle(order, n, rng);
        for (size_t k = 0; k < n; k++) {
            const size_t place = next[gi_dataset_label(dataset, order[k])]++;
            folds[order[k]] = (uint32_t)(place % n_folds);
        }
    }
    const bool failed = !order || !next;
    gi_free(order);
    gi_free(next);
    return failed ? GLIA_NO_MEMORY : GLIA_OK;
}

/* Groups, the largest first, each to the fold that has the fewest samples. */
static glia_status deal_groups(const glia_dataset *dataset, size_t n_folds, gi_rng *rng,
                               uint32_t *folds, glia_error *error)
{
    size_t n = 0;
    struct group *groups = find_groups(dataset, rng, folds, &n, error);
    size_t *samples = gi_alloc(n_folds, sizeof *samples, "folds", error);
    glia_status status = groups && samples ? GLIA_OK : GLIA_NO_MEMORY;
    if (!status && n < n_folds)
        status = gi_fail(error, GLIA_BAD_ARGUMENT,
                         "%s: %zu folds of %zu groups, expected a group for each fold at least",
                         dataset->name, n_folds, n);
    if (!status) qsort(groups, n, sizeof *groups, largest_first);
    for (size_t g = 0; g < n && !status; g++) {
        size_t least = 0;
        for (size_t f = 1; f < n_folds; f++)
            if (samples[f] < samples[least]) least = f;
        groups[g].fold = least;
        samples[least] += groups[g].n;
    }
    if (!status) qsort(groups, n, sizeof *groups, by_number);
    for (size_t i = 0; i < dataset->samples && !status; i++)
        folds[i] = (uint32_t)groups[folds[i]].fold;
    gi_free(groups);
    gi_free(samples);
    return status;
}

glia_status glia_dataset_fold(const glia_dataset *dataset, size_t fold, size_t n_folds,
                              uint64_t seed, glia_dataset **rest, glia_dataset **held,
                              glia_error *error)
{
    glia_status status = check(dataset, rest, held, error);
    if (status) return status;
    if (n_folds < 2 || n_folds > dataset->samples || fold >= n_folds)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "%s: fold %zu of %zu of %zu samples, expected at least two folds, each with "
                       "a sample (they count from 0)",
                       dataset->name, fold, n_folds, dataset->samples);
    bool *chosen = gi_alloc(dataset->samples, sizeof *chosen, "what is held out", error);
    uint32_t *folds = gi_alloc(dataset->samples, sizeof *folds, "folds", error);
    gi_rng rng = gi_rng_make(seed, GI_RANDOM_FOLDS, 0, 0);
    size_t count = 0;
    if (!chosen || !folds)
        status = GLIA_NO_MEMORY;
    else if (gi_dataset_has_groups(dataset))
        status = deal_groups(dataset, n_folds, &rng, folds, error);
    else
        status = deal(dataset, n_folds, &rng, folds, error);
    for (size_t i = 0; i < dataset->samples && !status; i++) {
        chosen[i] = folds[i] == fold;
        count += chosen[i];
    }
    if (!status) status = make_views(dataset, chosen, count, NULL, rest, held, error);
    gi_free(chosen);
    gi_free(folds);
    return status;
}
