/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the description of a model: the input is the JSON of the metadata "glia", put into a file
 * that is well-formed otherwise, with the tensors of one of a few networks, which the first byte
 * chooses. A model that is read must be one that can be described, read again as the same, and
 * used.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "format/model_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_BYTES = 1 << 16, MOST_LAYERS = 3 };

/* Inputs, then the units of each layer; 0: there is no more. */
static const size_t shapes[][MOST_LAYERS + 1] = {
    {2, 3, 2, 0}, {3, 2, 0, 0}, {4, 1, 0, 0}, {6, 5, 4, 3}};

typedef struct container {
    uint8_t bytes[MOST_BYTES];
    size_t used, n_values;
    char tensors[2048];
} container;

/* Names a tensor; with a comma before it. */
static void add_tensor(container *c, size_t layer, const char *name, size_t rows, size_t columns)
{
    const size_t n = rows * (columns ? columns : 1), used = strlen(c->tensors);
    char shape[48];
    snprintf(shape, sizeof shape, columns ? "%zu,%zu" : "%zu", rows, columns);
    snprintf(c->tensors + used, sizeof c->tensors - used,
             ",\"layers.%zu.%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
             layer, name, shape, 4 * c->n_values, 4 * (c->n_values + n));
    c->n_values += n;
}

static void add_tensors(container *c, const size_t *shape, bool normalised)
{
    for (size_t l = 0; l < MOST_LAYERS && shape[l + 1]; l++) {
        add_tensor(c, l, "weight", shape[l + 1], shape[l]);
        add_tensor(c, l, "bias", shape[l + 1], 0);
        if (!normalised || l + 1 == MOST_LAYERS || !shape[l + 2]) continue;
        static const char *const names[] = {"norm.weight", "norm.bias", "norm.running_mean",
                                            "norm.running_var"};
        for (size_t i = 0; i < 4; i++) add_tensor(c, l, names[i], shape[l + 1], 0);
    }
}

/* The file, header and tensors of ones; false if text is no JSON string. */
static bool wrap(container *c, const char *text)
{
    json_t *string = json_string(text);
    char *escaped = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
    json_decref(string);
    if (!escaped) return false;
    const int n =
        snprintf((char *)c->bytes + 8, sizeof c->bytes - 8,
                 "{\"__metadata__\":{\"format\":\"glia\",\"glia\":%s}%s}", escaped, c->tensors);
    free(escaped);
    const float one = 1;
    if (n < 0 || (size_t)n + 8 + sizeof one * c->n_values > sizeof c->bytes) return false;
    uint64_t header = (uint64_t)n;
    for (size_t i = 0; i < 8; i++, header >>= 8) c->bytes[i] = (uint8_t)header;
    c->used = (size_t)n + 8;
    for (size_t i = 0; i < c->n_values; i++, c->used += sizeof one)
        memcpy(c->bytes + c->used, &one, sizeof one);
    return true;
}

/* Predicts a row of zeros. */
static void use(const glia_network *network)
{
    const glia_network_info info = glia_network_describe(network);
    if (info.inputs > 64 || info.classes > 64) __builtin_trap();
    const float x[64] = {0};
    float y[64];
    if (glia_predict(network, GLIA_TYPE_F32, x, 1, info.inputs, y, info.classes, NULL) ==
        GLIA_NO_MEMORY)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static container c;
    if (size == 0 || size > MOST_BYTES / 8) return 0;
    char *text = calloc(size, 1);
    memcpy(text, data + 1, size - 1);
    c.tensors[0] = '\0';
    c.n_values = 0;
    add_tensors(&c, shapes[data[0] & 3], data[0] & 4);
    if (wrap(&c, text)) {
        glia_error error = {0};
        glia_network *network = NULL, *again = NULL;
        const glia_status status = gi_model_parse("model", c.bytes, c.used, &network, &error);
        if (status && (network || error.status != status || !error.message[0])) __builtin_trap();
        char *json = NULL;
        if (!status && glia_network_metadata(network, &json, &error)) __builtin_trap();
        if (!status && wrap(&c, json) && gi_model_parse("model", c.bytes, c.used, &again, &error))
            __builtin_trap();
        if (again) use(again);
        glia_string_free(json);
        glia_network_free(network);
        glia_network_free(again);
    }
    free(text);
    return 0;
}
