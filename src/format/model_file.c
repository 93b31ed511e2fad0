/* SPDX-License-Identifier: MIT */
/*
 * From a network to its file and back. What is written can be read again: saving refuses what
 * loading would refuse. Reading first checks the description, then the tensors against it, and only
 * then makes a network, whose size is thereby bounded by the file's.
 */
#include "format/model_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "format/model_description.h"
#include "format/safetensors.h"

enum { NAME_BYTES = sizeof "layers.18446744073709551615.norm.running_mean" };

/* Which array of a layer: the two tensors that each has, and the four more of a normalised one. */
enum part { WEIGHT, BIAS, NORM_SCALE, NORM_SHIFT, NORM_MEAN, NORM_VARIANCE, N_PARTS };

static const char *const part_names[N_PARTS] = {
    "weight", "bias", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var",
};

static enum part n_parts(glia_layer_info layer)
{
    return layer.batch_norm ? N_PARTS : NORM_SCALE;
}

static void name_tensor(char name[NAME_BYTES], size_t layer, enum part part)
{
    snprintf(name, NAME_BYTES, "layers.%zu.%s", layer, part_names[part]);
}

/* Elements are rows of this length: where number i of them is, for a message. */
static size_t row_length(glia_layer_info layer, enum part part)
{
    return part == WEIGHT ? layer.inputs : 1;
}

/* Copies one array of a layer (n), out of a network or into it. */
static glia_status get_part(const glia_network *network, size_t l, enum part part, float *values,
                            size_t n, glia_error *error)
{
    float *to[N_PARTS] = {NULL};
    to[part] = values;
    if (part <= BIAS) return glia_network_get_layer(network, l, to[WEIGHT], n, to[BIAS], n, error);
    return glia_network_get_norm(network, l, to[NORM_SCALE], to[NORM_SHIFT], to[NORM_MEAN],
                                 to[NORM_VARIANCE], n, error);
}

static glia_status set_part(glia_network *network, size_t l, enum part part, const float *values,
                            size_t n, glia_error *error)
{
    const float *from[N_PARTS] = {NULL};
    from[part] = values;
    if (part <= BIAS)
        return glia_network_set_layer(network, l, from[WEIGHT], n, from[BIAS], n, error);
    return glia_network_set_norm(network, l, from[NORM_SCALE], from[NORM_SHIFT], from[NORM_MEAN],
                                 from[NORM_VARIANCE], n, error);
}
/* ---- Saving -------------------------------------------------------------------------------- */

/* The first element that is no finite number, or n. */
static size_t find_non_finite(const float *values, size_t n)
{
    size_t i = 0;
    while (i < n && isfinite(values[i])) i++;
    return i;
}

/* In place, whatever the order of bytes of this machine; does nothing on most. */
static void to_little_endian(float *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        const uint8_t bytes[] = {(uint8_t)bits, (uint8_t)(bits >> 8), (uint8_t)(bits >> 16),
                                 (uint8_t)(bits >> 24)};
        memcpy(&values[i], bytes, sizeof bytes);
    }
}

static void from_little_endian(const uint8_t *bytes, float *values, size_t n)
{
    for (size_t i = 0; i < n; i++, bytes += sizeof(float)) {
        const uint32_t bits = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 |
                              (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
        memcpy(&values[i], &bits, sizeof bits);
    }
}

/* What a tensor of the file borrows. */
typedef struct saved_part {
    char name[NAME_BYTES];
    float *values; /* owned */
} saved_part;

/* One array of a layer as it goes into the file. Whatever comes of it, values are to be freed. */
static glia_status save_part(const glia_network *network, const char *path, size_t l,
                             enum part part, saved_part *saved, gi_tensor *out, glia_error *error)
{
    const glia_layer_info layer = glia_network_layer(network, l);
    const size_t columns = row_length(layer, part), n = layer.units * columns;
    float *x = saved->values = gi_alloc(n, sizeof *x, "the weights to save", error);
    if (!x) return GLIA_NO_MEMORY;
    const glia_status status = get_part(network, l, part, x, n, error);
    if (status) return status;
    name_tensor(saved->name, l, part);
    const size_t bad = find_non_finite(x, n);
    if (bad < n)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "%s: not saved: %s, row %zu, column %zu is %s, expected a finite number; a "
                       "lower learning rate may help",
                       path, saved->name, bad / columns, bad % columns,
                       isnan(x[bad]) ? "not a number" : "infinite");
    to_little_endian(x, n);
    *out = (gi_tensor){.name = saved->name,
                       .dtype = "F32",
                       .n_dims = part == WEIGHT ? 2 : 1,
                       .shape = {layer.units, part == WEIGHT ? columns : 0},
                       .data = (const uint8_t *)x,
                       .n_bytes = n * sizeof *x};
    return GLIA_OK;
}

/* Into the file at path or, where path is NULL, into memory. */
static glia_status save(const glia_network *network, const char *path, void **bytes, size_t *size,
                        glia_error *error)
{
    const char *name = path ? path : "the model";
    size_t n_tensors = 0, t = 0;
    for (size_t l = 0; l < network->n_layers; l++)
        n_tensors += n_parts(glia_network_layer(network, l));
    saved_part *saved = gi_alloc(n_tensors, sizeof *saved, "the tensors to save", error);
    gi_tensor *tensors = gi_alloc(n_tensors, sizeof *tensors, "the tensors to save", error);
    char *description = NULL;
    glia_status status = saved && tensors ? GLIA_OK : GLIA_NO_MEMORY;
    if (!status) status = glia_network_metadata(network, &description, error);
    for (size_t l = 0; l < network->n_layers && !status; l++)
        for (enum part part = WEIGHT; part < n_parts(glia_network_layer(network, l)) && !status;
             part++, t++)
            status = save_part(network, name, l, part, &saved[t], &tensors[t], error);
    if (!status) {
        const char *metadata[] = {"format", "glia", "glia", description};
        const gi_safetensors file = {
            .tensors = tensors, .n_tensors = n_tensors, .metadata = metadata, .n_metadata = 2};
        status = path ? gi_safetensors_write(path, &file, error)
                      : gi_safetensors_pack(name, &file, bytes, size, error);
    }
    while (t > 0) gi_free(saved[--t].values);
    gi_free(saved);
    gi_free(tensors);
    glia_string_free(description);
    return status;
}

glia_status glia_network_save(const glia_network *network, const char *path, glia_error *error)
{
    if (!path) return gi_fail(error, GLIA_BAD_ARGUMENT, "save: the path is NULL");
    return save(network, path, NULL, NULL, error);
}

glia_status glia_network_save_memory(const glia_network *network, void **bytes, size_t *size,
                                     glia_error *error)
{
    if (!bytes || !size)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "save into memory: bytes or size is NULL");
    return save(network, NULL, bytes, size, error);
}

/* ---- Reading the tensors ------------------------------------------------------------------- */

static glia_layer_info described_layer(const gi_model_description *d, size_t l)
{
    return (glia_layer_info){.inputs = l ? d->units[l - 1] : d->inputs,
                             .units = d->units[l],
                             .batch_norm = d->batch_norm[l]};
}

static glia_status check_tensor(const char *path, const gi_tensor *tensor, const char *name,
                                glia_layer_info layer, enum part part, glia_error *error)
{
    char expected[64];
    if (part == WEIGHT)
        snprintf(expected, sizeof expected, "(%zu, %zu)", layer.units, layer.inputs);
    else
        snprintf(expected, sizeof expected, "(%zu)", layer.units);
    if (!tensor)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: tensor \"%s\": found none, expected F32 of shape %s", path, name,
                       expected);
    const size_t n_dims = part == WEIGHT ? 2 : 1;
    const bool fits = strcmp(tensor->dtype, "F32") == 0 && tensor->n_dims == n_dims &&
                      tensor->shape[0] == layer.units &&
                      (part != WEIGHT || tensor->shape[1] == layer.inputs);
    if (fits) return GLIA_OK;

    char shape[GI_TENSOR_MAX_DIMS * 22 + 1] = "";
    for (size_t i = 0, used = 0; i < tensor->n_dims; i++)
        used += (size_t)snprintf(shape + used, sizeof shape - used, "%s%zu", i ? ", " : "",
                                 tensor->shape[i]);
    return gi_fail(error, GLIA_BAD_FORMAT,
                   "%s: tensor \"%s\": found %s of shape (%s), expected F32 of shape %s", path,
                   name, tensor->dtype, shape, expected);
}

static bool is_described(const gi_model_description *d, const char *name)
{
    for (size_t l = 0; l < d->n_layers; l++)
        for (enum part part = WEIGHT; part < n_parts(described_layer(d, l)); part++) {
            char described[NAME_BYTES];
            name_tensor(described, l, part);
            if (strcmp(name, described) == 0) return true;
        }
    return false;
}

/* Every tensor that the description asks for, and no other. */
static glia_status check_tensors(const char *path, const gi_safetensors *file,
                                 const gi_model_description *d, glia_error *error)
{
    char name[NAME_BYTES];
    size_t n = 0;
    for (size_t l = 0; l < d->n_layers; l++) {
        const glia_layer_info layer = described_layer(d, l);
        for (enum part part = WEIGHT; part < n_parts(layer); part++, n++) {
            name_tensor(name, l, part);
            const glia_status status =
                check_tensor(path, gi_safetensors_find(file, name), name, layer, part, error);
            if (status) return status;
        }
    }
    if (file->n_tensors == n) return GLIA_OK;
    size_t i = 0;
    while (is_described(d, file->tensors[i].name)) i++; /* all of them but those past n */
    return gi_fail(error, GLIA_BAD_FORMAT,
                   "%s: tensor %s: expected none but weight and bias of the %zu layers, and norm.* "
                   "of those with batch_norm",
                   path, gi_found_name(file->tensors[i].name).text, d->n_layers);
}

/* check_tensors has seen that each is there and fits. */
static glia_status load_layer(const char *path, const gi_safetensors *file, size_t l, float *values,
                              glia_network *network, glia_error *error)
{
    const glia_layer_info layer = glia_network_layer(network, l);
    for (enum part part = WEIGHT; part < n_parts(layer); part++) {
        char name[NAME_BYTES];
        name_tensor(name, l, part);
        const gi_tensor *tensor = gi_safetensors_find(file, name);
        const size_t columns = row_length(layer, part);
        const size_t n = tensor->n_bytes / sizeof(float);
        from_little_endian(tensor->data, values, n);
        const size_t bad = find_non_finite(values, n);
        if (bad < n)
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: tensor \"%s\": row %zu, column %zu: found %s, expected a finite "
                           "number",
                           path, name, bad / columns, bad % columns,
                           isnan(values[bad]) ? "not a number" : "infinity");
        for (size_t u = 0; part == NORM_VARIANCE && u < n; u++)
            if (values[u] < 0)
                return gi_fail(error, GLIA_BAD_FORMAT,
                               "%s: tensor \"%s\": row %zu: found %g, expected a variance of at "
                               "least 0",
                               path, name, u, (double)values[u]);
        const glia_status status = set_part(network, l, part, values, n, error);
        if (status) return status;
    }
    return GLIA_OK;
}

/* The network takes over what the record owns. */
static glia_status make_network(const char *path, const gi_safetensors *file,
                                gi_model_description *d, glia_network **out, glia_error *error)
{
    size_t widest = 0;
    for (size_t i = 0; i < file->n_tensors; i++)
        if (file->tensors[i].n_bytes > widest) widest = file->tensors[i].n_bytes;

    glia_network *network = NULL;
    float *values = NULL;
    const gi_engine *engine;
    glia_status status = gi_engine_choose(&engine, error);
    if (!status)
        status = gi_network_new(d->inputs, d->n_layers - 1, d->units, d->activations,
                                d->units[d->n_layers - 1], engine, &network, error);
    for (size_t l = 0; l < d->n_layers && !status; l++)
        if (d->batch_norm[l]) status = gi_network_normalise(network, l, error);
    if (!status) status = gi_network_set_class_names(network, d->class_names, error);
    if (!status) {
        values = gi_alloc(widest, 1, "the weights to load", error);
        if (!values) status = GLIA_NO_MEMORY;
    }
    for (size_t l = 0; l < d->n_layers && !status; l++)
        status = load_layer(path, file, l, values, network, error);
    gi_free(values);
    if (status) {
        glia_network_free(network);
        return status;
    }
    network->loss = d->loss;
    network->input = d->input;
    d->input = (gi_input_form){0};
    network->schema = d->schema;
    network->output = d->output;
    d->output = (gi_output_form){0};
    network->record = d->record;
    d->schema = NULL;
    d->record.settings.class_weights.of = NULL;
    *out = network;
    return GLIA_OK;
}

glia_status gi_model_parse(const char *path, const uint8_t *bytes, size_t n_bytes,
                           glia_network **out, glia_error *error)
{
    gi_safetensors file;
    glia_status status = gi_safetensors_parse(path, bytes, n_bytes, &file, error);
    if (status) return status;

    gi_model_description d = {0};
    json_t *document = NULL;
    char *place = NULL;
    const char *text = gi_safetensors_metadata(&file, "glia");
    if (!text) {
        const char *format = gi_safetensors_metadata(&file, "format");
        status = gi_fail(error, GLIA_BAD_FORMAT,
                         "%s: __metadata__: found no key \"glia\" in this safetensors file of %zu "
                         "tensors%s%s, expected a model that glia saved",
                         path, file.n_tensors, format ? " and format " : "",
                         format ? gi_found_name(format).text : "");
        goto cleanup;
    }
    place = gi_format(error, "%s: metadata \"glia\"", path);
    if (!place) {
        status = GLIA_NO_MEMORY;
        goto cleanup;
    }
    status = gi_json_read(place, text, strlen(text), 0, &document, NULL, error);
    if (!status) status = gi_model_unpack(place, document, &d, error);
    if (!status) status = check_tensors(path, &file, &d, error);
    if (!status) status = make_network(path, &file, &d, out, error);

cleanup:
    gi_model_description_free(&d);
    gi_free(place);
    json_decref(document);
    gi_safetensors_free(&file);
    return status;
}

glia_status glia_network_load(const char *path, glia_network **out, glia_error *error)
{
    gi_file file;
    glia_status status = gi_file_open(path, &file, error);
    if (status) return status;
    status = gi_model_parse(path, file.data, file.size, out, error);
    gi_file_close(&file);
    return status;
}

glia_status glia_network_load_memory(const void *bytes, size_t size, glia_network **out,
                                     glia_error *error)
{
    if (!bytes) return gi_fail(error, GLIA_BAD_ARGUMENT, "load from memory: bytes is NULL");
    return gi_model_parse("the model", bytes, size, out, error);
}
