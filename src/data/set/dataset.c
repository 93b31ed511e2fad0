/* SPDX-License-Identifier: MIT */
/*
 * Data sets in memory: made from arrays, divided into views, read row by row.
 *
 * A view (from hold_out) owns its list of rows alone; samples and labels are its base's.
 */
#include "data/set/dataset.h"

#include <libdeflate.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/table/table.h"

static const glia_data_params default_params = {.seed = 1};

/* Else a field that is added would lie in bytes that programs of today leave unset. */
_Static_assert(offsetof(glia_data_params, user) + sizeof(void *) == sizeof(glia_data_params),
               "glia_data_params has padding at its end");

void glia_data_default_params_sized(glia_data_params *out, size_t size)
{
    gi_copy_known(out, size, &default_params, sizeof default_params);
}

glia_data_params gi_data_params(const glia_data_params *params, size_t size)
{
    glia_data_params known = default_params;
    if (params) gi_copy_known(&known, sizeof known, params, size);
    return known;
}

static size_t type_bytes(glia_type type)
{
    return type == GLIA_TYPE_U8 ? 1 : sizeof(float);
}

glia_status gi_dataset_new(const char *name, glia_type type, size_t samples, size_t features,
                           size_t classes, const char *const *class_names, glia_dataset **out,
                           glia_error *error)
{
    if (type != GLIA_TYPE_U8 && type != GLIA_TYPE_F32)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "%s: type %d is neither GLIA_TYPE_U8 nor GLIA_TYPE_F32", name, (int)type);
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
    dataset->divisor = type == GLIA_TYPE_U8 ? 255 : 1;
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
    if (dataset->source_of) dataset->source.free(dataset->source_of);
    gi_free(dataset->notes);
    gi_free(dataset->owned_x);
    gi_free(dataset->owned_labels);
    gi_free(dataset->owned_rows);
    gi_free(dataset->weights);
    gi_free(dataset->class_names);
    gi_free(dataset->name);
    gi_free(dataset);
}

/* ---- Arrays of the caller ------------------------------------------------------------------ */

/* Whether floats are finite. */
static glia_status check_features(const glia_dataset *dataset, glia_error *error)
{
    const float *values = dataset->x; /* (samples, features) */
    const size_t n = dataset->features;
    for (size_t i = 0; dataset->type == GLIA_TYPE_F32 && i < dataset->samples * n; i++)
        if (!isfinite(values[i]))
            return gi_fail(error, GLIA_BAD_ARGUMENT,
                           "arrays: row %zu, column %zu is %s, expected a finite number", i / n,
                           i % n, isnan(values[i]) ? "NaN" : "infinite");
    return GLIA_OK;
}

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
    const glia_status finite = check_features(dataset, error);
    if (finite)
        glia_dataset_free(dataset);
    else
        *out = dataset;
    return finite;
}

/* Of targets that are floats or doubles: one of both is NULL. */
static glia_status from_targets(glia_type type, const void *features, const float *targets,
                                const double *targets_f64, size_t samples, size_t n_features,
                                size_t n_targets, glia_task task, glia_dataset **out,
                                glia_error *error)
{
    if (!features || (!targets && !targets_f64) || !out)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "arrays: features, targets or out is NULL");
    if (task != GLIA_TASK_LABELS && task != GLIA_TASK_VALUES)
        return gi_fail(
            error, GLIA_BAD_ARGUMENT,
            "arrays: task %d is neither GLIA_TASK_LABELS nor GLIA_TASK_VALUES; classes go into "
            "glia_dataset_from_arrays",
            (int)task);
    glia_dataset *dataset = NULL;
    glia_status status =
        gi_dataset_new("arrays", type, samples, n_features, n_targets, NULL, &dataset, error);
    if (status) return status;
    dataset->task = task;
    dataset->x = features;
    dataset->targets = targets;
    dataset->targets_f64 = targets_f64;
    status = check_features(dataset, error);
    for (size_t i = 0; i < samples * n_targets && !status; i++) {
        const double t = targets ? (double)targets[i] : targets_f64[i];
        if (task == GLIA_TASK_VALUES ? isfinite(t) : t == 0 || t == 1) continue;
        status = gi_fail(error, GLIA_BAD_ARGUMENT,
                         "arrays: row %zu, target %zu: found %g, expected %s", i / n_targets,
                         i % n_targets, t, task == GLIA_TASK_VALUES ? "a finite number" : "0 or 1");
    }
    if (status)
        glia_dataset_free(dataset);
    else
        *out = dataset;
    return status;
}

glia_status glia_dataset_from_targets(glia_type type, const void *features, const float *targets,
                                      size_t samples, size_t n_features, size_t n_targets,
                                      glia_task task, glia_dataset **out, glia_error *error)
{
    return from_targets(type, features, targets, NULL, samples, n_features, n_targets, task, out,
                        error);
}

glia_status glia_dataset_from_targets_f64(glia_type type, const void *features,
                                          const double *targets, size_t samples, size_t n_features,
                                          size_t n_targets, glia_task task, glia_dataset **out,
                                          glia_error *error)
{
    return from_targets(type, features, NULL, targets, samples, n_features, n_targets, task, out,
                        error);
}

glia_status glia_dataset_set_images(glia_dataset *dataset, size_t height, size_t width,
                                    glia_error *error)
{
    const size_t n = dataset->features;
    const size_t pixels = height == 0 || width > n / height ? 0 : height * width;
    if (pixels == 0 || (n != pixels && n != 3 * pixels))
        return gi_fail(
            error, GLIA_BAD_ARGUMENT,
            "%s: images of %zu x %zu pixels, expected a height and a width whose product "
            "is the %zu features of a sample, or a third of them, in colour",
            dataset->name, height, width, n);
    dataset->height = height;
    dataset->width = width;
    dataset->channels = n / pixels;
    dataset->form = n == pixels ? GI_FORM_SCALE : GI_FORM_WHOLE;
    return GLIA_OK;
}

glia_status glia_dataset_set_weights(glia_dataset *dataset, const float *weights, size_t n,
                                     glia_error *error)
{
    const glia_status status = gi_check_length("weights of samples", n, dataset->samples, error);
    if (status) return status;
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

/* Which row of its base a sample is. */
static size_t row_of(const glia_dataset *dataset, size_t index)
{
    return dataset->rows ? dataset->rows[index] : index;
}

/* The place of each class among n names: (classes), to be freed; *all: each is there. */
static uint32_t *find_places(const glia_dataset *dataset, char *const *names, size_t n, bool *all,
                             glia_error *error)
{
    gi_texts texts = {0};
    uint32_t *place = gi_alloc(dataset->classes, sizeof *place, "classes", error);
    glia_status status = place ? GLIA_OK : GLIA_NO_MEMORY;
    size_t code;
    for (size_t k = 0; k < n && !status; k++)
        status = gi_texts_add(&texts, names[k], strlen(names[k]), &code, error);
    *all = !status && texts.n == n; /* names that are there twice have no place */
    for (size_t k = 0; k < dataset->classes && *all; k++) {
        code = gi_texts_find(&texts, dataset->class_names[k], strlen(dataset->class_names[k]));
        *all = code != SIZE_MAX;
        place[k] = (uint32_t)code;
    }
    gi_texts_free(&texts);
    if (!status) return place;
    gi_free(place);
    return NULL;
}

glia_status gi_dataset_take_classes(glia_dataset *dataset, char *const *names, size_t n,
                                    glia_error *error)
{
    bool all, is_same = true;
    if (dataset->task != GLIA_TASK_CLASSES || !dataset->owned_labels || dataset->rows || !names)
        return GLIA_OK;
    uint32_t *place = find_places(dataset, names, n, &all, error);
    if (!place) return GLIA_NO_MEMORY;
    for (size_t k = 0; k < dataset->classes; k++) is_same = is_same && place[k] == k;
    char **copies = all && !is_same ? gi_copy_names((const char *const *)names, n, error) : NULL;
    for (size_t i = 0; copies && i < dataset->samples; i++)
        dataset->owned_labels[i] = place[dataset->owned_labels[i]];
    if (copies) {
        gi_free(dataset->class_names);
        dataset->class_names = copies;
        dataset->classes = n;
    }
    gi_free(place);
    return copies || !all || is_same ? GLIA_OK : GLIA_NO_MEMORY;
}

uint32_t gi_dataset_checksum(const glia_dataset *d)
{
    const uint64_t about[] = {d->samples, d->features, d->classes, (uint64_t)d->type};
    uint32_t sum = libdeflate_crc32(0, about, sizeof about);
    if (d->weights) sum = libdeflate_crc32(sum, d->weights, d->samples * sizeof *d->weights);
    if (!d->x) {
        const uint32_t of_source = d->source.checksum(d->source_of);
        sum = libdeflate_crc32(sum, &of_source, sizeof of_source);
        return d->rows ? libdeflate_crc32(sum, d->rows, d->samples * sizeof *d->rows) : sum;
    }
    const size_t bytes = d->features * type_bytes(d->type);
    for (size_t i = 0; i < d->samples; i++) {
        uint32_t label;
        const void *x = gi_dataset_row(d, 0, i, NULL, &label);
        sum = libdeflate_crc32(sum, x, bytes);
        sum = libdeflate_crc32(sum, &label, sizeof label);
        if (d->targets)
            sum = libdeflate_crc32(sum, d->targets + row_of(d, i) * d->classes,
                                   d->classes * sizeof *d->targets);
        if (d->targets_f64)
            sum = libdeflate_crc32(sum, d->targets_f64 + row_of(d, i) * d->classes,
                                   d->classes * sizeof *d->targets_f64);
    }
    return sum;
}

glia_status gi_dataset_fingerprint(const glia_dataset *d, uint32_t *out, glia_error *error)
{
    enum { MOST_SAMPLES = 1024, MOST_FEATURES = 1 << 22 };
    size_t n = MOST_FEATURES / d->features;
    n = n > MOST_SAMPLES ? MOST_SAMPLES : n < 16 ? 16 : n;
    if (n > d->samples) n = d->samples;
    uint8_t *scratch = gi_alloc(1, gi_dataset_row_bytes(d), "a sample", error);
    if (!scratch) return GLIA_NO_MEMORY;
    const uint64_t about[] = {d->samples, d->features, d->classes, (uint64_t)d->type};
    uint32_t sum = libdeflate_crc32(0, about, sizeof about);
    for (size_t k = 0; k < n; k++) {
        uint32_t label;
        const size_t index = (size_t)((uint64_t)k * d->samples / n);
        const void *x = gi_dataset_row(d, 0, index, scratch, &label);
        sum = libdeflate_crc32(sum, x, d->features * type_bytes(d->type));
        sum = libdeflate_crc32(sum, &label, sizeof label);
    }
    gi_free(scratch);
    *out = sum;
    return GLIA_OK;
}

double gi_dataset_weight(const glia_dataset *dataset, size_t index)
{
    return dataset->weights ? (double)dataset->weights[index] : 1;
}

glia_status glia_dataset_set_class_names(glia_dataset *dataset, const char *const *names, size_t n,
                                         glia_error *error)
{
    const glia_status status = gi_check_length("names of classes", n, dataset->classes, error);
    if (status) return status;
    char **copies = gi_copy_names(names, dataset->classes, error);
    if (!copies) return GLIA_NO_MEMORY;
    gi_free(dataset->class_names);
    dataset->class_names = copies;
    return GLIA_OK;
}

/* ---- Reading ------------------------------------------------------------------------------- */

bool gi_dataset_needs_scratch(const glia_dataset *dataset)
{
    return dataset->x == NULL;
}

bool gi_dataset_is_endless(const glia_dataset *dataset)
{
    return dataset->x == NULL && dataset->source.is_endless;
}

size_t gi_dataset_row_bytes(const glia_dataset *dataset)
{
    return dataset->features * type_bytes(dataset->type);
}

const void *gi_dataset_row(const glia_dataset *dataset, uint32_t epoch, size_t index,
                           uint8_t *scratch, uint32_t *label)
{
    const size_t row = row_of(dataset, index);
    if (!dataset->x) {
        const uint64_t before = dataset->source.is_endless ? (uint64_t)epoch * dataset->samples : 0;
        *label = dataset->source.read(dataset->source_of, before + row, scratch);
        return scratch;
    }
    *label = dataset->labels ? dataset->labels[row] : 0;
    return (const uint8_t *)dataset->x + row * gi_dataset_row_bytes(dataset);
}

size_t gi_dataset_most_pairs(const glia_dataset *dataset)
{
    return dataset->source.most_pairs ? dataset->source.most_pairs(dataset->source_of) : 0;
}

void gi_dataset_pairs(const glia_dataset *dataset, size_t index, const gi_pair_room *room,
                      gi_pairs *out, uint32_t *label)
{
    *label = dataset->source.read_pairs(dataset->source_of, row_of(dataset, index), room, out);
}

uint32_t gi_dataset_label(const glia_dataset *dataset, size_t index)
{
    const size_t row = row_of(dataset, index);
    if (!dataset->x) return dataset->source.read(dataset->source_of, row, NULL);
    return dataset->labels ? dataset->labels[row] : 0;
}

void gi_dataset_targets(const glia_dataset *dataset, size_t index, size_t first, size_t n,
                        double *targets)
{
    const size_t row = row_of(dataset, index), at = row * dataset->classes + first;
    if (dataset->targets)
        for (size_t c = 0; c < n; c++) targets[c] = (double)dataset->targets[at + c];
    else if (dataset->targets_f64)
        memcpy(targets, dataset->targets_f64 + at, n * sizeof *targets);
    else
        dataset->source.read_targets(dataset->source_of, row, first, n, targets);
}

void gi_dataset_prefetch(const glia_dataset *dataset, size_t index)
{
    enum { CACHE_LINE = 64 };
    const size_t row = row_of(dataset, index);
    if (!dataset->x) {
        if (dataset->source.prefetch) dataset->source.prefetch(dataset->source_of, row);
        return;
    }
    const size_t bytes = gi_dataset_row_bytes(dataset);
    const char *at = (const char *)dataset->x + row * bytes;
    if (dataset->labels) __builtin_prefetch(dataset->labels + row);
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
            nonzero += dataset->type == GLIA_TYPE_U8 ? ((const uint8_t *)row)[i] != 0
                                                     : ((const float *)row)[i] != 0;
    }
    gi_free(scratch);
    *out = (double)nonzero / ((double)n * (double)dataset->features);
    return GLIA_OK;
}

void glia_dataset_describe_sized(const glia_dataset *dataset, glia_dataset_info *out, size_t size)
{
    const glia_dataset_info info = {
        .name = dataset->name,
        .type = dataset->type,
        .task = dataset->task,
        .samples = dataset->samples,
        .features = dataset->features,
        .classes = dataset->classes,
        .height = dataset->height,
        .width = dataset->width,
        .channels = dataset->channels,
        .columns = dataset->schema ? gi_schema_count_read(dataset->schema) : 0,
        .light_on_dark = dataset->form == GI_FORM_SCALE || dataset->form == GI_FORM_MNIST,
    };
    gi_copy_known(out, size, &info, sizeof info);
}

const char *glia_dataset_notes(const glia_dataset *dataset)
{
    return dataset->notes ? dataset->notes : "";
}

const char *glia_dataset_class_name(const glia_dataset *dataset, size_t index)
{
    return index < dataset->classes ? dataset->class_names[index] : NULL;
}

glia_status glia_dataset_sample(const glia_dataset *dataset, size_t index, void *x,
                                size_t n_features, uint32_t *label, glia_error *error)
{
    const size_t n = x ? n_features : dataset->features;
    const glia_status status = gi_check_length("features", n, dataset->features, error);
    if (status) return status;
    if (index >= dataset->samples)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "%s: there is no sample %zu, the last is %zu",
                       dataset->name, index, dataset->samples - 1);
    uint8_t *scratch = NULL;
    if (gi_dataset_needs_scratch(dataset)) {
        scratch = gi_alloc(gi_dataset_row_bytes(dataset), 1, "a sample", error);
        if (!scratch) return GLIA_NO_MEMORY;
    }
    uint32_t class;
    const void *row = gi_dataset_row(dataset, 0, index, scratch, &class);
    if (x) memcpy(x, row, gi_dataset_row_bytes(dataset));
    if (label) *label = class;
    gi_free(scratch);
    return GLIA_OK;
}

static glia_status check_has_targets(const glia_dataset *dataset, size_t index, size_t n_targets,
                                     glia_error *error)
{
    if (index >= dataset->samples)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "%s: there is no sample %zu, the last is %zu",
                       dataset->name, index, dataset->samples - 1);
    if (dataset->task == GLIA_TASK_CLASSES)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "%s: its samples have classes, not targets; ask glia_dataset_sample",
                       dataset->name);
    return gi_check_length("targets", n_targets, dataset->classes, error);
}

glia_status glia_dataset_sample_targets(const glia_dataset *dataset, size_t index, float *targets,
                                        size_t n_targets, glia_error *error)
{
    const glia_status status = check_has_targets(dataset, index, n_targets, error);
    for (size_t c = 0; c < dataset->classes && !status; c++) {
        double target;
        gi_dataset_targets(dataset, index, c, 1, &target);
        targets[c] = (float)target;
    }
    return status;
}

glia_status glia_dataset_sample_targets_f64(const glia_dataset *dataset, size_t index,
                                            double *targets, size_t n_targets, glia_error *error)
{
    const glia_status status = check_has_targets(dataset, index, n_targets, error);
    if (!status) gi_dataset_targets(dataset, index, 0, dataset->classes, targets);
    return status;
}
