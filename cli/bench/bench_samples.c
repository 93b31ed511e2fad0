/* SPDX-License-Identifier: MIT */
/* The samples of glia bench: a data set, and rows of it in memory; dense ones are made here. */
#include "bench/bench_samples.h"

#include <stdlib.h>
#include <string.h>

#include "shell/output.h"

enum {
    MOST_INFERRED = 10000, /* samples that inference goes through, unless a batch is larger */
    MOST_DENSE = 60000,
    DENSE_BYTES = 48 << 20, /* of the dense data, or what the largest batch takes */
};

static size_t largest_batch(const batch_list *batches)
{
    size_t largest = 1;
    for (size_t i = 0; i < batches->n; i++)
        if (batches->of[i] > largest) largest = batches->of[i];
    return largest;
}

/* "mnist" if it is on this machine, else "digits". */
static const char *default_data(const source_options *source)
{
    glia_data_params params = glia_data_default_params();
    glia_dataset_entry *entries = NULL;
    size_t n = 0;
    bool found = false;
    params.directory = source->directory;
    if (glia_dataset_list(&params, &entries, &n, NULL) != GLIA_OK) return "digits";
    for (size_t i = 0; i < n; i++)
        found = found || (entries[i].present && strcmp(entries[i].name, "mnist") == 0);
    glia_dataset_list_free(entries, n);
    return found ? "mnist" : "digits";
}

void samples_free(struct samples *samples)
{
    glia_dataset_free(samples->set);
    free(samples->x);
    free(samples->labels);
    *samples = (struct samples){0};
}

/* Whether networks and batches go with the data; complains if one does not. */
static bool check_samples(const struct samples *s, const network_list *networks, size_t batch)
{
    for (size_t i = 0; i < networks->n; i++) {
        const width_list *widths = &networks->of[i];
        char name[LONGEST_NETWORK];
        if (widths->of[0] == s->features && widths->of[widths->n - 1] >= s->classes) continue;
        bench_show_network(widths, name, sizeof name);
        complain("bench: --network: found %s, and %s has %zu inputs and %zu classes; add --data "
                 "dense, which has as many as each network",
                 name, s->name, s->features, s->classes);
        return false;
    }
    if (batch <= s->n) return true;
    complain("bench: --batch: found %zu, and %s has %zu samples", batch, s->name, s->n);
    return false;
}

int samples_open(const bench_options *o, struct samples *s)
{
    size_t batch = largest_batch(&o->batches);
    const char *name = o->data != NULL ? o->data : default_data(&o->source);
    int status = source_need(&o->source, name, GLIA_SPLIT_TRAIN, &s->set);
    if (status != EXIT_DONE) return status;

    glia_dataset_info info = glia_dataset_describe(s->set);
    s->name = name;
    s->type = info.type;
    s->n = info.samples;
    s->features = info.features;
    s->classes = info.classes;
    if (!check_samples(s, &o->networks, batch)) return EXIT_WRONG;
    s->n_copied = s->n < MOST_INFERRED ? s->n : MOST_INFERRED;
    if (s->n_copied < batch) s->n_copied = batch;
    size_t row_bytes = s->features * (s->type == GLIA_TYPE_U8 ? 1 : sizeof(float));
    s->x = need_memory(s->n_copied, row_bytes);
    s->labels = need_memory(s->n_copied, sizeof *s->labels);
    for (size_t i = 0; i < s->n_copied; i++) {
        glia_error error;
        if (glia_dataset_sample(s->set, i, (char *)s->x + i * row_bytes, s->features, &s->labels[i],
                                &error) != GLIA_OK)
            return complain_error(&error);
    }
    return EXIT_DONE;
}

/* Marsaglia's xorshift64* (Vigna 2016): the data only have to be no two alike. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 2685821657736338717u;
}

int samples_make_dense(const bench_options *o, const width_list *widths, struct samples *s)
{
    size_t features = widths->of[0], classes = widths->of[widths->n - 1];
    size_t batch = largest_batch(&o->batches), n = DENSE_BYTES / features;
    glia_error error;
    uint64_t state = 1;
    if (n > MOST_DENSE) n = MOST_DENSE;
    if (n < batch) n = batch;
    samples_free(s);
    *s = (struct samples){.name = "dense",
                          .type = GLIA_TYPE_U8,
                          .n = n,
                          .features = features,
                          .classes = classes,
                          .n_copied = n};
    uint8_t *bytes = s->x = need_memory(n, features);
    for (size_t i = 0; i < n * features; i += 8) {
        uint64_t random = next_random(&state);
        for (size_t k = i; k < i + 8 && k < n * features; k++, random >>= 8)
            bytes[k] = (uint8_t)(1 + ((random & 255) * 255 >> 8));
    }
    s->labels = need_memory(n, sizeof *s->labels);
    for (size_t i = 0; i < n; i++) s->labels[i] = (uint32_t)(next_random(&state) % classes);
    if (glia_dataset_from_arrays(GLIA_TYPE_U8, bytes, s->labels, n, features, classes, &s->set,
                                 &error) != GLIA_OK)
        return complain_error(&error);
    return EXIT_DONE;
}
