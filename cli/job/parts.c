/* SPDX-License-Identifier: MIT */
/* Divides the data of a run. */
#include "job/parts.h"

#include <stdio.h>

#include "shell/output.h"

glia_status open_data_for(train_options *o, const char *name, open_data *out, glia_error *error)
{
    const source_options *source = &o->source;
    const int threads = train_threads(o);
    o->source.table.loss = (int)glia_settings_integer(o->settings, "loss");
    out->name = name;
    /* The test split now, so that what is wrong with it is known before an hour has gone. */
    glia_status status =
        source_open_both(source, name, o->fresh, threads, o->quiet, &out->all, &out->test, error);
    if (status == GLIA_OK && train_holds_out(&o->validation) && o->fresh) {
        /* images that are new in every epoch cannot be held out: take others */
        source_options next = *source;
        next.seed++; /* after the last comes 0 */
        status = source_open(&next, name, GLIA_SPLIT_TRAIN, false, threads, o->quiet, &out->other,
                             error);
    }
    if (status != GLIA_OK) return status;
    const glia_dataset_info info = glia_dataset_describe(out->all);
    if (info.columns == 0 && table_has_columns(&source->table)) {
        error->status = GLIA_MISMATCH;
        snprintf(
            error->message, sizeof error->message,
            "%s: --target, --drop, --categorical, --weight, --group and --id name columns of a "
            "table, and this is none",
            name);
        return GLIA_MISMATCH;
    }
    train_choose(o, name, &info, out->test != NULL);
    return GLIA_OK;
}

void open_data_close(open_data *data)
{
    glia_dataset_free(data->other);
    glia_dataset_free(data->test);
    glia_dataset_free(data->all);
}

/* Holds a part out of parts->train, or of a set of its own; the rest is learned from. */
static glia_status hold_out(const train_options *o, const held_part *part, uint64_t seed,
                            const glia_dataset *from, run_parts *parts, const glia_dataset **held,
                            glia_error *error)
{
    glia_dataset *rest = NULL, *taken = NULL;
    const glia_status status =
        o->order == ORDER_LAST
            ? glia_dataset_hold_out_last(from, part->amount, &rest, &taken, error)
            : glia_dataset_hold_out(from, part->amount, seed, &rest, &taken, error);
    if (status != GLIA_OK) return status;
    parts->owned[parts->n_owned++] = rest;
    parts->owned[parts->n_owned++] = taken;
    if (from == parts->train) parts->train = rest;
    *held = taken;
    return GLIA_OK;
}

/* A file that is read as the training part is. */
static glia_status open_part(const train_options *o, const char *path, glia_split split,
                             run_parts *parts, const glia_dataset **out, glia_error *error)
{
    glia_dataset *opened = NULL;
    const glia_status status =
        source_open_like(&o->source, path, split, parts->train, train_threads(o), &opened, error);
    if (status != GLIA_OK) return status;
    parts->owned[parts->n_owned++] = opened;
    *out = opened;
    return GLIA_OK;
}

static glia_status take_fold(const train_options *o, size_t fold, run_parts *parts,
                             glia_error *error)
{
    glia_dataset *rest = NULL, *held = NULL;
    const glia_status status =
        glia_dataset_fold(parts->train, fold, o->folds, o->source.seed, &rest, &held, error);
    if (status != GLIA_OK) return status;
    parts->owned[parts->n_owned++] = rest;
    parts->owned[parts->n_owned++] = held;
    parts->train = rest;
    parts->test = held;
    return GLIA_OK;
}

glia_status run_parts_make(const train_options *o, const open_data *data, size_t fold,
                           run_parts *out, glia_error *error)
{
    glia_status status = GLIA_OK;
    *out = (run_parts){.train = data->all, .test = data->test};
    if (fold < o->folds)
        status = take_fold(o, fold, out, error);
    else if (o->test.amount > 0)
        status = hold_out(o, &o->test, o->source.seed, out->train, out, &out->test, error);
    if (status == GLIA_OK && o->validation.amount > 0)
        status = hold_out(o, &o->validation, train_seed(o), o->fresh ? data->other : out->train,
                          out, &out->validation, error);
    if (status == GLIA_OK && o->validation.path != NULL)
        status = open_part(o, o->validation.path, GLIA_SPLIT_TRAIN, out, &out->validation, error);
    if (status == GLIA_OK && o->test.path != NULL)
        return open_part(o, o->test.path, GLIA_SPLIT_TRAIN, out, &out->test, error);
    if (status == GLIA_OK && out->test == data->test && data->test != NULL &&
        source_is_archive(data->name) && glia_dataset_describe(data->test).type == GLIA_TYPE_F32)
        return open_part(o, data->name, GLIA_SPLIT_TEST, out, &out->test, error);
    /* What was held out first is read as what is left in the end has taught. */
    if (status == GLIA_OK && out->test != data->test)
        status = glia_dataset_read_like(out->owned[1], out->train, error);
    return status;
}

void run_parts_free(run_parts *parts)
{
    while (parts->n_owned > 0) glia_dataset_free(parts->owned[--parts->n_owned]);
}
