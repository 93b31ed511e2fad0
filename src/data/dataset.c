/* SPDX-License-Identifier: MIT */
/*
 * Data sets in memory: made from arrays, divided into views, read row by row.
 *
 * A view (from hold_out) owns its list of rows alone; samples and labels are its base's.
 */
#include "data/dataset.h"

#include <libdeflate.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

glia_data_params glia_data_default_params(void)
{
    return (glia_data_params){.seed = 1};
}

static size_t type_bytes(glia_type type)
{
    return type == GLIA_U8 ? 1 : sizeof(float);
}

glia_status gi_dataset_new(const char *name, glia_type type, size_t samples, size_t features,
                           size_t classes, const char *const *class_names, glia_dataset **out,
                           glia_error *error)
{
    if (type != GLIA_U8 && type != GLIA_F32)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "%s: type %d is neither GLIA_U8 nor GLIA_F32",
                       name, (int)type);
    if (samples == 0 || samples > UINT32_MAX)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "%s: %zu samples, expected 1 to %lu", name,
                       samples, (unsigned long)UINT32_MAX);
    if (features == 0 || features > SIZE_MAX / sizeof(float) / samples)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "%s: %zu features a sample, expected at least 1 and %zu samples of them to "
                       "fit into memory",
                       name, features, samples);
    if (classes == 0 || classes > GLIA_MAX_CLASSES)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "%s: %zu classes, expected 1 to %d", name, classes,
                       (int)GLIA_MAX_CLASSES);

    glia_dataset *dataset = gi_alloc(1, sizeof *dataset, "a data set", error);
    if (!dataset) return GLIA_NO_MEMORY;
    dataset->type = type;
    dataset->samples = samples;
    dataset->features = features;
    dataset->classes = classes;
    dataset->form = GI_FORM_NONE;
    dataset->divisor = type == GLIA_U8 ? 255 : 1;
    dataset->name = gi_strdup(name, error);
    dataset->class_names = gi_copy_names(class_names, classes, error);
    if (!dataset->name || !dataset->class_names) {
        glia_dataset_free(dataset);
        return GLIA_NO_MEMORY;
    }
    *out = dataset;
    return GLIA_OK;
}

void glia_dataset_free(glia_dataset *dataset)
{
    if (!dataset) return;
    gi_file_close(&dataset->file);
    gi_free(dataset->owned_x);
    gi_free(dataset->owned_labels);
    gi_free(dataset->owned_rows);
    gi_free(dataset->weights);
    gi_free(dataset->class_names);
    gi_free(dataset->name);
    gi_free(dataset);
}

/* ---- Arrays of the caller ------------------------------------------------------------------ */

glia_status glia_dataset_from_arrays(glia_type type, const void *features, const uint32_t *labels,
                                     size_t samples, size_t n_features, size_t n_classes,
                                     glia_dataset **out, glia_error *error)
{
    if (!features || !labels || !out)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "arrays: features, labels or out is NULL");
    glia_dataset *dataset = NULL;
    const glia_status status =
        gi_dataset_new("arrays", type, samples, n_features, n_classes, NULL, &dataset, error);
    if (status) return status;
    dataset->x = features;
    dataset->labels = labels;

    for (size_t i = 0; i < samples; i++) {
        if (labels[i] < n_classes) continue;
        glia_dataset_free(dataset);
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "arrays: label %lu of row %zu is not below the number of classes, %zu "
                       "(classes count from 0)",
                       (unsigned long)labels[i], i, n_classes);
    }
    const float *values = features; /* (samples, n_features) */
    for (size_t i = 0; type == GLIA_F32 && i < samples * n_features; i++) {
        if (isfinite(values[i])) continue;
        glia_dataset_free(dataset);
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "arrays: row %zu, column %zu is %s, expected a finite number",
                       i / n_features, i % n_features, isnan(values[i]) ? "NaN" : "infinite");
    }
    *out = dataset;
    return GLIA_OK;
}

glia_status glia_dataset_set_images(glia_dataset *dataset, size_t height, size_t width,
                                    glia_error *error)
{
    const size_t n = dataset->features;
    if (height == 0 || n % height != 0 || n / height != width)
        return gi_fail(
            error, GLIA_BAD_ARGUMENT,
            "%s: images of %zu x %zu pixels, expected a height and a width whose product "
            "is the %zu features of a sample",
            dataset->name, height, width, n);
    dataset->height = height;
    dataset->width = width;
    dataset->form = GI_FORM_SCALE;
    return GLIA_OK;
}

glia_status glia_dataset_set_weights(glia_dataset *dataset, const float *weights, glia_error *error)
{
    bool any = false;
    for (size_t i = 0; i < dataset->samples; i++) {
        if (!(weights[i] >= 0) || !isfinite(weights[i]))
            return gi_fail(error, GLIA_BAD_ARGUMENT,
                           "%s: weight of sample %zu: found %g, expected a finite number of at "
                           "least 0",
                           dataset->name, i, (double)weights[i]);
        any |= weights[i] > 0;
    }
    if (!any)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "%s: the weights of all samples are 0: there is nothing to learn",
                       dataset->name);
    float *copy = gi_alloc(dataset->samples, sizeof *copy, "the weights of samples", error);
    if (!copy) return GLIA_NO_MEMORY;
    memcpy(copy, weights, dataset->samples * sizeof *copy);
    gi_free(dataset->weights);
    dataset->weights = copy;
    return GLIA_OK;
}

uint32_t gi_dataset_checksum(const glia_dataset *d)
{
    const uint64_t about[] = {d->samples, d->features, d->classes, (uint64_t)d->type};
    uint32_t sum = libdeflate_crc32(0, about, sizeof about);
    if (d->weights) sum = libdeflate_crc32(sum, d->weights, d->samples * sizeof *d->weights);
    if (!d->x) return libdeflate_crc32(sum, &d->draw_seed, sizeof d->draw_seed);
    const size_t bytes = d->features * type_bytes(d->type);
    for (size_t i = 0; i < d->samples; i++) {
        uint32_t label;
        const void *x = gi_dataset_row(d, 0, i, NULL, &label);
        sum = libdeflate_crc32(sum, x, bytes);
        sum = libdeflate_crc32(sum, &label, sizeof label);
    }
    return sum;
}

double gi_dataset_weight(const glia_dataset *dataset, size_t index)
{
    return dataset->weights ? (double)dataset->weights[index] : 1;
}

glia_status glia_dataset_set_class_names(glia_dataset *dataset, const char *const *names,
                                         glia_error *error)
{
    char **copies = gi_copy_names(names, dataset->classes, error);
    if (!copies) return GLIA_NO_MEMORY;
    gi_free(dataset->class_names);
    dataset->class_names = copies;
    return GLIA_OK;
}

/* ---- Reading ------------------------------------------------------------------------------- */

bool gi_dataset_is_drawn(const glia_dataset *dataset)
{
    return dataset->x == NULL;
}

size_t gi_dataset_row_bytes(const glia_dataset *dataset)
{
    return dataset->features * type_bytes(dataset->type);
}

const void *gi_dataset_row(const glia_dataset *dataset, uint32_t epoch, size_t index,
                           uint8_t *scratch, uint32_t *label)
{
    if (!dataset->x) {
        *label = dataset->draw(dataset->draw_seed, dataset->draw_split,
                               (uint64_t)epoch * dataset->samples + index, scratch);
        return scratch;
    }
    const size_t row = dataset->rows ? dataset->rows[index] : index;
    *label = dataset->labels[row];
    return (const uint8_t *)dataset->x + row * gi_dataset_row_bytes(dataset);
}

void gi_dataset_prefetch(const glia_dataset *dataset, size_t index)
{
    enum { CACHE_LINE = 64 };
    if (!dataset->x) return;
    const size_t row = dataset->rows ? dataset->rows[index] : index;
    const size_t bytes = gi_dataset_row_bytes(dataset);
    const char *at = (const char *)dataset->x + row * bytes;
    __builtin_prefetch(dataset->labels + row);
    for (size_t i = 0; i < bytes; i += CACHE_LINE) __builtin_prefetch(at + i);
}

glia_status gi_dataset_density(const glia_dataset *dataset, double *out, glia_error *error)
{
    enum { SAMPLES = 256 };
    const size_t n = dataset->samples < SAMPLES ? dataset->samples : SAMPLES;
    uint8_t *scratch = gi_alloc(1, gi_dataset_row_bytes(dataset), "a sample", error);
    if (!scratch) return GLIA_NO_MEMORY;
    size_t nonzero = 0;
    for (size_t s = 0; s < n; s++) { /* spread over the set */
        uint32_t label;
        const void *row = gi_dataset_row(dataset, 0, s * (dataset->samples / n), scratch, &label);
        for (size_t i = 0; i < dataset->features; i++)
            nonzero += dataset->type == GLIA_U8 ? ((const uint8_t *)row)[i] != 0
                                                : ((const float *)row)[i] != 0;
    }
    gi_free(scratch);
    *out = (double)nonzero / ((double)n * (double)dataset->features);
    return GLIA_OK;
}

glia_dataset_info glia_dataset_describe(const glia_dataset *dataset)
{
    return (glia_dataset_info){
        .name = dataset->name,
        .type = dataset->type,
        .samples = dataset->samples,
        .features = dataset->features,
        .classes = dataset->classes,
        .height = dataset->height,
        .width = dataset->width,
    };
}

const char *glia_dataset_class_name(const glia_dataset *dataset, size_t index)
{
    return index < dataset->classes ? dataset->class_names[index] : NULL;
}

glia_status glia_dataset_sample(const glia_dataset *dataset, size_t index, void *x, uint32_t *label,
                                glia_error *error)
{
    if (index >= dataset->samples)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "%s: there is no sample %zu, the last is %zu",
                       dataset->name, index, dataset->samples - 1);
    uint8_t *scratch = NULL;
    if (gi_dataset_is_drawn(dataset)) {
        scratch = gi_alloc(dataset->features, 1, "an image", error);
        if (!scratch) return GLIA_NO_MEMORY;
    }
    uint32_t class;
    const void *row = gi_dataset_row(dataset, 0, index, scratch, &class);
    if (x) memcpy(x, row, gi_dataset_row_bytes(dataset));
    if (label) *label = class;
    gi_free(scratch);
    return GLIA_OK;
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
    view->form = dataset->form;
    view->divisor = dataset->divisor;
    view->x = dataset->x;
    view->labels = dataset->labels;
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
            "%s: cannot hold out %g of %zu samples: that is %.0f, and both parts need at "
            "least one",
            dataset->name, held_out, n, wanted);
    *count = (size_t)wanted;
    return GLIA_OK;
}

glia_status glia_dataset_hold_out(const glia_dataset *dataset, double held_out, uint64_t seed,
                                  glia_dataset **rest_out, glia_dataset **held_out_set,
                                  glia_error *error)
{
    if (!dataset || !rest_out || !held_out_set)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "hold out: dataset, rest or held is NULL");
    if (gi_dataset_is_drawn(dataset))
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "%s: a set that is drawn afresh in every epoch has no samples to hold out: "
                       "open it a second time with another seed, and validate on that",
                       dataset->name);
    size_t count = 0;
    glia_status status = hold_out_count(dataset, held_out, &count, error);
    if (status) return status;

    glia_dataset *rest = NULL, *held = NULL;
    struct share *shares = gi_alloc(dataset->classes, sizeof *shares, "classes", error);
    if (!shares) return GLIA_NO_MEMORY;
    status = new_view(dataset, dataset->samples - count, &rest, error);
    if (!status) status = new_view(dataset, count, &held, error);
    if (status) goto cleanup;

    for (size_t c = 0; c < dataset->classes; c++) shares[c].class = c;
    for (size_t i = 0; i < dataset->samples; i++) {
        const size_t row = dataset->rows ? dataset->rows[i] : i;
        shares[dataset->labels[row]].samples++;
    }
    divide(shares, dataset->classes, count, dataset->samples);

    /*
     * One pass, in order: of a class with m samples to come and k to take, the next is taken with
     * probability k / m. Every choice of k is then equally likely, and exactly k are taken.
     */
    gi_rng rng = gi_rng_make(seed, GI_RANDOM_HOLD_OUT, 0, 0);
    size_t n_rest = 0, n_held = 0;
    for (size_t i = 0; i < dataset->samples; i++) {
        const uint32_t row = dataset->rows ? dataset->rows[i] : (uint32_t)i;
        struct share *share = &shares[dataset->labels[row]];
        if (gi_rng_below(&rng, (uint32_t)share->samples) < share->take) {
            if (held->weights) held->weights[n_held] = dataset->weights[i];
            held->owned_rows[n_held++] = row;
            share->take--;
        } else {
            if (rest->weights) rest->weights[n_rest] = dataset->weights[i];
            rest->owned_rows[n_rest++] = row;
        }
        share->samples--;
    }
    *rest_out = rest;
    *held_out_set = held;
    rest = held = NULL;
cleanup:
    glia_dataset_free(rest);
    glia_dataset_free(held);
    gi_free(shares);
    return status;
}
