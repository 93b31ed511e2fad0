/* SPDX-License-Identifier: MIT */
/*
 * Which samples of a data set a network has learned from: its record says how they were divided,
 * and the same division of the same data gives the same parts again.
 */
#include <string.h>

#include "data/encoding/encoding.h"
#include "feed/input_form.h"
#include "infer/unseen.h"

glia_status gi_learned_rows_of(const glia_dataset *train, const glia_dataset *validation,
                               gi_learned_rows *out, glia_error *error)
{
    const gi_lineage *lineage = &train->lineage;
    gi_learned_rows rows = {.lineage = *lineage};
    *out = rows;
    if (lineage->is_other || lineage->is_held || gi_dataset_is_endless(train) ||
        (lineage->n == 0 && !gi_dataset_is_table(train)))
        return GLIA_OK;
    const char *group = gi_dataset_group_name(train, &rows.group_is_text);
    if (group && strlen(group) >= sizeof rows.group) return GLIA_OK;
    if (group && lineage->n > 0) strcpy(rows.group, group);
    rows.is_validated = validation && lineage->n == 1 && validation->lineage.n == 1 &&
                        validation->lineage.is_held && !validation->lineage.is_other;
    const glia_status status = gi_dataset_fingerprint(train, &rows.fingerprint, error);
    if (status) return status;
    rows.is_known = true;
    *out = rows;
    return GLIA_OK;
}

/* Divides a data set as another was: *rest is what is left in the end, *held what the first
 * division held out. Both are to be freed, parts[0] to parts[n - 1] in this order, then *held. */
static glia_status divide(const glia_dataset *dataset, const gi_lineage *lineage,
                          const gi_reading *reading, glia_dataset *parts[GI_MAX_DIVISIONS],
                          glia_dataset **held, glia_error *error)
{
    const glia_dataset *rest = dataset;
    glia_status status = GLIA_OK;
    for (size_t i = 0; i < lineage->n && !status; i++) {
        const gi_division *division = &lineage->of[i];
        glia_dataset *taken = NULL;
        status = division->is_last ? glia_dataset_hold_out_last(rest, division->held_out, &parts[i],
                                                                &taken, error)
                                   : glia_dataset_hold_out(rest, division->held_out, division->seed,
                                                           &parts[i], &taken, error);
        rest = parts[i];
        if (!status && i == 0)
            *held = taken;
        else
            glia_dataset_free(taken);
    }
    if (status || lineage->n == 0 || !gi_dataset_is_table(dataset)) return status;
    status = gi_dataset_read_like(parts[lineage->n - 1], reading, error);
    return status ? status : gi_dataset_read_like(*held, reading, error);
}

glia_status glia_dataset_unseen(const glia_network *network, const glia_dataset *dataset,
                                glia_overlap *overlap, glia_dataset **unseen, bool *validated,
                                glia_error *error)
{
    if (!network || !dataset || !overlap || !unseen)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "an argument is NULL");
    const gi_learned_rows *learned = &network->record.rows;
    const size_t n = learned->lineage.n;
    const gi_reading reading = gi_network_reading(network);
    glia_dataset *parts[GI_MAX_DIVISIONS] = {NULL}, *held = NULL;
    glia_overlap found = GLIA_OVERLAP_UNKNOWN;
    glia_error failure = {0};
    glia_status status = GLIA_OK;
    if (learned->is_known && dataset->lineage.n == 0 && !dataset->is_unlabelled &&
        dataset->features == gi_network_inputs(network) &&
        dataset->samples >= network->record.samples) {
        status = divide(dataset, &learned->lineage, &reading, parts, &held, &failure);
        const glia_dataset *rest = n > 0 ? parts[n - 1] : dataset;
        uint32_t fingerprint = 0;
        if (!status) status = gi_dataset_fingerprint(rest, &fingerprint, &failure);
        if (!status && fingerprint == learned->fingerprint &&
            rest->samples == network->record.samples)
            found = n > 0 ? GLIA_OVERLAP_PART : GLIA_OVERLAP_ALL;
    }
    for (size_t i = n; i-- > 0;) glia_dataset_free(parts[i]);
    if (status ==
        GLIA_NO_MEMORY) { /* other failures: it cannot be divided so, and is another set */
        glia_dataset_free(held);
        return gi_fail(error, status, "%s", failure.message);
    }
    if (found != GLIA_OVERLAP_PART) {
        glia_dataset_free(held);
        held = NULL;
    }
    *overlap = found;
    *unseen = held;
    if (validated) *validated = found == GLIA_OVERLAP_PART && learned->is_validated;
    return GLIA_OK;
}
