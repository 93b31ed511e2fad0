/* SPDX-License-Identifier: MIT */
/*
 * Samples from functions of the caller. They are checked once, when the data set is made; what they
 * give later is held to the room that there is, and no more.
 */
#include <libdeflate.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/memory.h"
#include "base/thread.h"
#include "data/set/dataset.h"

/* Else a field that is added would lie in bytes that programs of today leave unset. */
_Static_assert(offsetof(glia_row_source, user) + sizeof(void *) == sizeof(glia_row_source),
               "glia_row_source has padding at its end");

/* Where the pairs of a row lie while it is made dense, by one thread at a time. */
typedef struct pair_room {
    pthread_mutex_t lock;
    gi_pair_room of; /* (most_nonzeros) each; one block, from index on */
} pair_room;

typedef struct row_source {
    glia_row_source of;
    uint32_t checksum;
    atomic_int users; /* data sets that share it */
    pair_room *rooms; /* (n_rooms), of sparse rows: one a core */
    size_t n_rooms;
} row_source;

static void row_source_free(row_source *s)
{
    for (size_t i = 0; s && i < s->n_rooms; i++) {
        gi_free(s->rooms[i].of.index);
        pthread_mutex_destroy(&s->rooms[i].lock);
    }
    if (s) gi_free(s->rooms);
    gi_free(s);
}

/* ---- Reading ------------------------------------------------------------------------------- */

static uint32_t label_of(const row_source *s, size_t row)
{
    if (s->of.task != GLIA_TASK_CLASSES) return 0;
    const uint32_t label = s->of.label(s->of.user, row);
    return label < s->of.outputs ? label : 0;
}

static uint32_t read_dense(const void *source, uint64_t row, void *x)
{
    const row_source *s = source;
    if (x) s->of.read(s->of.user, (size_t)row, x);
    return label_of(s, (size_t)row);
}

/* The pairs of a row, as far as they ascend. */
static uint32_t read_pairs(const void *source, uint64_t row, const gi_pair_room *room,
                           gi_pairs *out)
{
    const row_source *s = source;
    const size_t found = s->of.read_sparse(s->of.user, (size_t)row, room->index, room->value);
    const size_t most = found < s->of.most_nonzeros ? found : s->of.most_nonzeros;
    size_t n = 0;
    while (n < most && room->index[n] < s->of.features &&
           (n == 0 || room->index[n] > room->index[n - 1]))
        n++;
    *out = (gi_pairs){n, room->index, room->value};
    return label_of(s, (size_t)row);
}

static size_t most_pairs(const void *source)
{
    return ((const row_source *)source)->of.most_nonzeros;
}

/* The same as a dense row. */
static uint32_t read_spread(const void *source, uint64_t row, void *x)
{
    const row_source *s = source;
    if (!x) return label_of(s, (size_t)row);
    float *features = x;
    pair_room *room = &s->rooms[row % s->n_rooms];
    gi_pairs pairs;
    pthread_mutex_lock(&room->lock);
    const uint32_t label = read_pairs(s, row, &room->of, &pairs);
    memset(features, 0, s->of.features * sizeof *features);
    for (size_t k = 0; k < pairs.n; k++) features[pairs.index[k]] = pairs.value[k];
    pthread_mutex_unlock(&room->lock);
    return label;
}

static void read_targets(const void *source, uint64_t row, size_t first, size_t n, double *targets)
{
    const row_source *s = source;
    s->of.targets(s->of.user, (size_t)row, first, n, targets);
}

static uint32_t checksum(const void *source)
{
    return ((const row_source *)source)->checksum;
}

static void keep(void *source)
{
    atomic_fetch_add(&((row_source *)source)->users, 1);
}

static void release(void *source)
{
    row_source *s = source;
    if (atomic_fetch_sub(&s->users, 1) != 1) return;
    if (s->of.free) s->of.free(s->of.user);
    row_source_free(s);
}

/* ---- Making -------------------------------------------------------------------------------- */

static glia_status check_functions(const glia_row_source *of, glia_error *error)
{
    if (!of->read == !of->read_sparse)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "rows: read and read_sparse are both %s; give one of them",
                       of->read ? "set" : "NULL");
    if (of->task != GLIA_TASK_CLASSES && of->task != GLIA_TASK_LABELS &&
        of->task != GLIA_TASK_VALUES)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "rows: there is no task %d", (int)of->task);
    if (of->task == GLIA_TASK_CLASSES ? !of->label : !of->targets)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "rows: %s is NULL",
                       of->task == GLIA_TASK_CLASSES ? "label" : "targets");
    if (!of->read_sparse) return GLIA_OK;
    if (of->type != GLIA_TYPE_F32)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "rows: sparse rows are of the type GLIA_TYPE_F32");
    if (of->most_nonzeros == 0 || of->most_nonzeros > of->features)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "rows: most_nonzeros is %zu, expected 1 to the number of features, %zu",
                       of->most_nonzeros, of->features);
    return GLIA_OK;
}

static glia_status make_rooms(row_source *s, glia_error *error)
{
    const size_t most = s->of.most_nonzeros, n = (size_t)gi_core_count();
    if (!s->of.read_sparse) return GLIA_OK;
    s->rooms = gi_alloc(n, sizeof *s->rooms, "rows", error);
    for (; s->rooms && s->n_rooms < n; s->n_rooms++) {
        pair_room *room = &s->rooms[s->n_rooms];
        room->of.index =
            gi_alloc_unset(most, sizeof *room->of.index + sizeof *room->of.value, "rows", error);
        if (!room->of.index) return GLIA_NO_MEMORY;
        room->of.value = (float *)(void *)(room->of.index + most);
        pthread_mutex_init(&room->lock, NULL); /* does not fail here */
    }
    return s->rooms ? GLIA_OK : GLIA_NO_MEMORY;
}

static glia_status fail_feature(size_t row, size_t feature, float value, glia_error *error)
{
    return gi_fail(error, GLIA_BAD_ARGUMENT,
                   "rows: row %zu, feature %zu is %s, expected a finite number", row, feature,
                   isnan(value) ? "NaN" : "infinite");
}

static glia_status check_dense(row_source *s, size_t row, void *x, glia_error *error)
{
    const size_t n = s->of.features;
    s->of.read(s->of.user, row, x);
    const float *values = x;
    for (size_t i = 0; s->of.type == GLIA_TYPE_F32 && i < n; i++)
        if (!isfinite(values[i])) return fail_feature(row, i, values[i], error);
    s->checksum =
        libdeflate_crc32(s->checksum, x, n * (s->of.type == GLIA_TYPE_U8 ? 1 : sizeof(float)));
    return GLIA_OK;
}

static glia_status check_sparse(row_source *s, size_t row, glia_error *error)
{
    const gi_pair_room *room = &s->rooms[0].of;
    const size_t n = s->of.read_sparse(s->of.user, row, room->index, room->value);
    if (n > s->of.most_nonzeros)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "rows: row %zu has %zu non-zeros, expected at most %zu", row, n,
                       s->of.most_nonzeros);
    for (size_t k = 0; k < n; k++) {
        if (room->index[k] >= s->of.features)
            return gi_fail(error, GLIA_BAD_ARGUMENT,
                           "rows: row %zu has the index %lu, expected one below the number of "
                           "features, %zu",
                           row, (unsigned long)room->index[k], s->of.features);
        if (k > 0 && room->index[k] <= room->index[k - 1])
            return gi_fail(error, GLIA_BAD_ARGUMENT,
                           "rows: row %zu has the index %lu after %lu, expected them to ascend",
                           row, (unsigned long)room->index[k], (unsigned long)room->index[k - 1]);
        if (!isfinite(room->value[k]))
            return fail_feature(row, room->index[k], room->value[k], error);
    }
    s->checksum = libdeflate_crc32(s->checksum, room->index, n * sizeof *room->index);
    s->checksum = libdeflate_crc32(s->checksum, room->value, n * sizeof *room->value);
    return GLIA_OK;
}

/* targets: room for the outputs. */
static glia_status check_outputs(row_source *s, size_t row, double *targets, glia_error *error)
{
    if (s->of.task == GLIA_TASK_CLASSES) {
        const uint32_t label = s->of.label(s->of.user, row);
        s->checksum = libdeflate_crc32(s->checksum, &label, sizeof label);
        if (label < s->of.outputs) return GLIA_OK;
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "rows: label %lu of row %zu is not below the number of classes, %zu "
                       "(classes count from 0)",
                       (unsigned long)label, row, s->of.outputs);
    }
    s->of.targets(s->of.user, row, 0, s->of.outputs, targets);
    for (size_t k = 0; k < s->of.outputs; k++) {
        const double t = targets[k];
        if (s->of.task == GLIA_TASK_VALUES ? isfinite(t) : t == 0 || t == 1) continue;
        return gi_fail(error, GLIA_BAD_ARGUMENT, "rows: row %zu, target %zu: found %g, expected %s",
                       row, k, t, s->of.task == GLIA_TASK_VALUES ? "a finite number" : "0 or 1");
    }
    s->checksum = libdeflate_crc32(s->checksum, targets, s->of.outputs * sizeof *targets);
    return GLIA_OK;
}

static glia_status check_rows(row_source *s, glia_error *error)
{
    void *x = gi_alloc(s->of.features, sizeof(float), "a row", error);
    double *targets = gi_alloc(s->of.outputs, sizeof *targets, "the targets of a row", error);
    glia_status status = x && targets ? GLIA_OK : GLIA_NO_MEMORY;
    for (size_t row = 0; row < s->of.samples && !status; row++) {
        status = s->of.read ? check_dense(s, row, x, error) : check_sparse(s, row, error);
        if (!status) status = check_outputs(s, row, targets, error);
    }
    gi_free(x);
    gi_free(targets);
    return status;
}

glia_status glia_dataset_from_rows_sized(const glia_row_source *source, size_t size,
                                         glia_dataset **out, glia_error *error)
{
    if (!source || !out)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "rows: the source or out is NULL");
    glia_row_source of;
    gi_copy_known(&of, sizeof of, source, size);
    glia_dataset *dataset = NULL;
    glia_status status = check_functions(&of, error);
    if (!status)
        status = gi_dataset_new("rows", of.type, of.samples, of.features, of.outputs, NULL,
                                &dataset, error);
    if (status) return status;
    row_source *s = gi_alloc(1, sizeof *s, "rows", error);
    status = s ? GLIA_OK : GLIA_NO_MEMORY;
    if (s) {
        s->of = of;
        s->users = 1;
        status = make_rooms(s, error);
    }
    if (!status) status = check_rows(s, error);
    if (status) {
        row_source_free(s);
        glia_dataset_free(dataset);
        return status;
    }
    const bool is_sparse = of.read_sparse != NULL;
    dataset->task = of.task;
    dataset->source_of = s;
    dataset->source = (gi_rows){.read = is_sparse ? read_spread : read_dense,
                                .read_targets = of.task == GLIA_TASK_CLASSES ? NULL : read_targets,
                                .read_pairs = is_sparse ? read_pairs : NULL,
                                .most_pairs = is_sparse ? most_pairs : NULL,
                                .checksum = checksum,
                                .keep = keep,
                                .free = release};
    *out = dataset;
    return GLIA_OK;
}
