/* SPDX-License-Identifier: MIT */
/* From a data set to a batch. */
#include "feed/loader.h"

#include "base/memory.h"
#include "feed/augment.h"
#include "feed/input_form.h"
#include "feed/row.h"
#include "image/straighten.h"

/* What a thread needs for itself; each may be empty. */
struct lane {
    uint8_t *row;       /* a row that is made when it is asked for */
    gi_pair_room pairs; /* ... or its pairs */
    gi_warp_room room;  /* to straighten an image */
    uint8_t *straight;  /* which it is then */
};

struct gi_loader {
    gi_loader_params how;
    const gi_warp *warp;
    unsigned straightens; /* flags of glia_preprocess */
    gi_augmenter *augmenter;
    struct lane *lanes; /* (threads) */
    /*
     * In training, of a set that has its images, which are straightened once: (samples, kept_row)
     * and whether each is there yet. An epoch asks for a sample once, and epochs follow each other.
     */
    uint8_t *kept;
    size_t kept_row;
    bool *is_kept;
};

/* ---- Making --------------------------------------------------------------------------------- */

void gi_loader_free(gi_loader *l)
{
    if (!l) return;
    for (int t = 0; l->lanes && t < l->how.n_threads; t++) {
        gi_free(l->lanes[t].row);
        gi_free(l->lanes[t].pairs.index);
        gi_free(l->lanes[t].pairs.value);
        gi_warp_room_free(&l->lanes[t].room);
        gi_free(l->lanes[t].straight);
    }
    gi_free(l->lanes);
    gi_free(l->kept);
    gi_free(l->is_kept);
    gi_augmenter_free(l->augmenter);
    gi_free(l);
}

/* Room for a row of the data set, in the form in which it will be read. */
static bool make_row(const gi_loader *l, struct lane *lane, glia_error *error)
{
    const glia_dataset *dataset = l->how.dataset;
    const size_t most = l->how.plan->most_pairs;
    if (!dataset || !gi_dataset_needs_scratch(dataset)) return true;
    if (most == 0)
        return (lane->row = gi_alloc(1, gi_dataset_row_bytes(dataset), "a sample", error));
    lane->pairs.index = gi_alloc(most, sizeof *lane->pairs.index, "a sample", error);
    lane->pairs.value = gi_alloc(most, sizeof *lane->pairs.value, "a sample", error);
    return lane->pairs.index && lane->pairs.value;
}

static glia_status make_straightening(gi_loader *l, glia_error *error)
{
    const gi_input_form *input = &l->how.network->input;
    const glia_dataset *dataset = l->how.dataset;
    const size_t n = input->height * input->width;
    if (input->height > GI_WARP_MAX_SIDE || input->width > GI_WARP_MAX_SIDE ||
        n > GI_WARP_MAX_PIXELS)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "images of %zu x %zu pixels are too large to be deskewed or centred: "
                       "expected at most %d a side and %d in all",
                       input->height, input->width, (int)GI_WARP_MAX_SIDE, (int)GI_WARP_MAX_PIXELS);
    for (int t = 0; t < l->how.n_threads; t++) {
        struct lane *lane = &l->lanes[t];
        const glia_status status =
            gi_warp_room_new(input->height, input->width, false, &lane->room, error);
        if (status) return status;
        lane->straight = gi_alloc(n + GI_WARP_COLUMNS, 1, "an image", error);
        if (!lane->straight) return GLIA_NO_MEMORY;
    }
    if (!l->how.for_training || gi_dataset_is_endless(dataset)) return GLIA_OK;
    l->kept_row = dataset->features + GI_WARP_COLUMNS;
    l->kept = gi_alloc(dataset->samples, l->kept_row, "the straightened images", error);
    l->is_kept = gi_alloc(dataset->samples, sizeof *l->is_kept, "the straightened images", error);
    return l->kept && l->is_kept ? GLIA_OK : GLIA_NO_MEMORY;
}

glia_status gi_loader_new(const gi_loader_params *params, gi_loader **out, glia_error *error)
{
    const char *isa = params->plan->engine->isa;
    gi_loader *l = gi_alloc(1, sizeof *l, "a loader", error);
    if (!l) return GLIA_NO_MEMORY;
    l->how = *params;
    l->warp = gi_warp_for(isa);
    l->straightens = params->network->input.preprocess & GI_STRAIGHTEN;
    glia_status status = GLIA_OK;
    if (params->augmentation)
        status = gi_augmenter_new(params->augmentation, params->dataset, params->seed,
                                  params->epochs, isa, params->n_threads, &l->augmenter, error);
    if (!status) {
        l->lanes = gi_alloc((size_t)params->n_threads, sizeof *l->lanes, "a loader", error);
        if (!l->lanes) status = GLIA_NO_MEMORY;
    }
    for (int t = 0; t < params->n_threads && !status; t++)
        if (!make_row(l, &l->lanes[t], error)) status = GLIA_NO_MEMORY;
    if (!status && l->straightens) status = make_straightening(l, error);
    if (status)
        gi_loader_free(l);
    else
        *out = l;
    return status;
}

/* ---- Loading -------------------------------------------------------------------------------- */

static const uint8_t *straighten(const gi_loader *l, int thread, uint8_t *to, const uint8_t *image)
{
    gi_straighten(l->warp, l->straightens, to, image, &l->lanes[thread].room);
    return to;
}

/* The sample's image, straightened now or in an earlier epoch. */
static const uint8_t *straightened(gi_loader *l, int thread, size_t index, const uint8_t *image)
{
    if (!l->kept) return straighten(l, thread, l->lanes[thread].straight, image);
    uint8_t *to = l->kept + index * l->kept_row;
    if (!l->is_kept[index]) straighten(l, thread, to, image);
    l->is_kept[index] = true;
    return to;
}

/* What a sample is to become: its class, or its targets; and how much it counts. */
static void put_target(const gi_loader *l, size_t index, uint32_t label, gi_workspace *w, size_t r)
{
    const glia_dataset *dataset = l->how.dataset;
    const double *of_class = l->how.class_weights;
    if (w->labels)
        w->labels[r] = label;
    else
        gi_read_targets(l->how.network, dataset, index,
                        w->targets + r * gi_network_classes(l->how.network));
    if (w->is_weighted)
        w->weights[r] =
            (float)((of_class ? of_class[label] : 1) * gi_dataset_weight(dataset, index));
}

void gi_loader_load(gi_loader *l, int thread, uint32_t epoch, size_t index, uint64_t place,
                    gi_workspace *w, size_t r)
{
    const glia_dataset *dataset = l->how.dataset;
    struct lane *lane = &l->lanes[thread];
    uint32_t label;
    if (l->how.plan->most_pairs) {
        gi_pairs pairs;
        gi_dataset_pairs(dataset, index, &lane->pairs, &pairs, &label);
        gi_row_put_pairs(l->how.network, l->how.plan, w, r, &pairs);
    } else {
        const void *row = gi_dataset_row(dataset, epoch, index, lane->row, &label);
        if (l->straightens) row = straightened(l, thread, index, row);
        if (l->augmenter)
            row = gi_augmenter_distort(l->augmenter, thread, epoch,
                                       dataset->rows ? dataset->rows[index] : index, row);
        gi_row_put(l->how.network, l->how.plan, w, r, dataset->type, row, epoch, place);
    }
    put_target(l, index, label, w, r);
}

void gi_loader_load_row(gi_loader *l, int thread, glia_type type, const void *x, gi_workspace *w,
                        size_t r)
{
    if (l->straightens) x = straighten(l, thread, l->lanes[thread].straight, x);
    gi_row_put(l->how.network, l->how.plan, w, r, type, x, 0, 0);
}
