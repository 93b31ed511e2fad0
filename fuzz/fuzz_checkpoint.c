/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes what a run goes on from. The input is the JSON of a checkpoint, put into a file with the
 * run's tensors and the right checksum; where its first byte is odd, the bytes of the whole file. A
 * checkpoint that is taken must lie in the run; of another nothing may be taken.
 */
#include <jansson.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tests/shape.h"
#include "net/network.h"
#include "train/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_BYTES = 1 << 16, MOST_TENSORS = 8 };

static const gi_run_limits limits = {.epochs = 3, .samples = 10, .batch = 4, .steps_an_epoch = 3};

/* The run: made once, and reached from here to the end. */
static glia_network *network;
static gi_kept_arrays arrays;
static json_t *about;

static bool begin(void)
{
    if (about) return true;
    shape params = shape_of(3, 2);
    gi_shadow *parameters = NULL, *best = NULL;
    if (shape_network(&params, &network, NULL) || gi_shadows_new(network, "", &parameters, NULL) ||
        gi_shadows_new(network, "", &best, NULL))
        return false;
    arrays = (gi_kept_arrays){.name = {"parameters", "best"}, .of = {parameters, best}};
    about = json_pack("{s:i, s:{s:s}}", "checksum", 7, "training", "dataset", "d");
    return about != NULL;
}

/* The file around a text; its length, 0 where the text is none. */
static size_t wrap(const char *text, uint8_t *bytes)
{
    char tensors[1024] = "", name[64];
    size_t n_bytes = 0;
    uint32_t sum = libdeflate_crc32(0, text, strlen(text));
    static const uint8_t zeros[1 << 14];
    for (size_t i = 0; i < 2; i++)
        for (size_t l = 0; l < network->n_layers; l++)
            for (int block = 0; block < 2; block++) {
                const size_t n = gi_parameter_bytes(network, l, block), used = strlen(tensors);
                snprintf(name, sizeof name, "%s.%zu.%s", arrays.name[i], l,
                         block ? "vectors" : "weight");
                snprintf(tensors + used, sizeof tensors - used,
                         ",\"%s\":{\"dtype\":\"F32\",\"shape\":[%zu],\"data_offsets\":[%zu,%zu]}",
                         name, n / 4, n_bytes, n_bytes + n);
                sum = libdeflate_crc32(sum, name, strlen(name));
                sum = libdeflate_crc32(sum, zeros, n);
                n_bytes += n;
            }
    json_t *string = json_string(text);
    char *escaped = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
    json_decref(string);
    if (!escaped) return 0;
    const int n = snprintf((char *)bytes + 8, MOST_BYTES - 8,
                           "{\"__metadata__\":{\"format\":\"glia checkpoint\",\"glia\":%s,"
                           "\"checksum\":\"%08lx\"}%s}",
                           escaped, (unsigned long)sum, tensors);
    free(escaped);
    if (n < 0 || (size_t)n + 8 + n_bytes > MOST_BYTES || n_bytes > sizeof zeros) return 0;
    uint64_t header = (uint64_t)n;
    for (size_t i = 0; i < 8; i++, header >>= 8) bytes[i] = (uint8_t)header;
    memset(bytes + 8 + n, 0, n_bytes);
    return (size_t)n + 8 + n_bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[MOST_BYTES];
    if (size == 0 || size > MOST_BYTES / 8 || !begin()) return 0;
    size_t n = size - 1;
    if (data[0] & 1) {
        memcpy(bytes, data + 1, n);
    } else {
        char *text = calloc(size, 1);
        memcpy(text, data + 1, size - 1);
        n = wrap(text, bytes);
        free(text);
    }
    gi_run_state state = {.epoch = 99};
    glia_error error = {0};
    const glia_status status =
        gi_checkpoint_parse("kept", bytes, n, network, &arrays, &limits, &state, about, &error);
    if (status && (state.epoch != 99 || error.status != status || !error.message[0]))
        __builtin_trap();
    if (!status && (state.epoch > limits.epochs || state.done >= limits.samples ||
                    state.step > limits.epochs * limits.steps_an_epoch))
        __builtin_trap();
    return 0;
}
