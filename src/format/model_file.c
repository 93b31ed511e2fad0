/* SPDX-License-Identifier: MIT */
/*
 * From a network to its file and back. What is written can be read again: saving refuses what
 * loading would refuse. Reading first checks the description, then the tensors against it, and only
 * then makes a network, whose size is thereby bounded by the file's.
 */
#include "format/model_file.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/image_form.h"
#include "base/memory.h"
#include "base/number.h"
#include "format/json.h"
#include "format/safetensors.h"

static const char *const form_names[] = {
#define X(name, text) text,
    GI_IMAGE_FORM_LIST(X)
#undef X
};

enum {
    N_FORMS = sizeof form_names / sizeof form_names[0],
    MNIST_SIDE = 28,
    NAME_BYTES = sizeof "layers.18446744073709551615.weight",
};

/* The largest integer that JSON readers in C keep; a larger count is written as this one. */
#define MAX_COUNT ((size_t)(INT64_MAX < SIZE_MAX ? INT64_MAX : SIZE_MAX))

/* Which array of a layer: the two tensors that each has. */
enum part { WEIGHT, BIAS };

static void name_tensor(char name[NAME_BYTES], size_t layer, enum part part)
{
    snprintf(name, NAME_BYTES, "layers.%zu.%s", layer, part == WEIGHT ? "weight" : "bias");
}

/* Elements are rows of this length: where number i of them is, for a message. */
static size_t row_length(glia_layer_info layer, enum part part)
{
    return part == WEIGHT ? layer.inputs : 1;
}

/* ---- Describing ---------------------------------------------------------------------------- */

/* A string of any bytes: control characters, and all beyond ASCII if it is no UTF-8, become '?'
 * (the name of a data set may be that of a folder, and those can be anything). */
static void put_text(gi_json_writer *writer, const char *key, const char *string)
{
    const bool all_ascii = gi_utf8_length(string, strlen(string)) < strlen(string);
    char *copy = gi_strdup(string, NULL);
    if (!copy) {
        writer->failed = true;
        return;
    }
    for (char *c = copy; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F || (all_ascii && (unsigned char)*c >= 0x80))
            *c = '?';
    gi_json_put_string(writer, key, copy);
    gi_free(copy);
}

static void put_count(gi_json_writer *writer, const char *key, size_t count)
{
    gi_json_put_count(writer, key, count < MAX_COUNT ? count : MAX_COUNT);
}

/* A decimal string: readers of JSON may keep no more than 53 bits of a number. */
static void put_seed(gi_json_writer *writer, const char *key, uint64_t seed)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    gi_json_put_string(writer, key, text);
}

static void put_training(gi_json_writer *w, const gi_training_record *record)
{
    if (!record->trained) {
        gi_json_put_null(w, "training");
        return;
    }
    gi_json_begin(w, "training", '{');
    put_text(w, "dataset", record->dataset);
    put_count(w, "samples", record->samples);
    put_count(w, "validation_samples", record->validation_samples);
    gi_json_put_real(w, "lr", record->lr);
    gi_json_put_real(w, "lr_end", record->lr_end < 0 ? (double)NAN : record->lr_end);
    put_count(w, "batch", record->batch);
    put_count(w, "epochs", record->epochs);
    put_seed(w, "seed", record->seed);
    put_count(w, "patience", record->patience);
    gi_json_put_real(w, "min_delta", fmin(record->min_delta, DBL_MAX));
    put_count(w, "epochs_done", record->epochs_done);
    put_count(w, "best_epoch", record->best_epoch);
    gi_json_put_real(w, "train_loss", record->train_loss);
    gi_json_put_real(w, "validation_loss", record->validation_loss);
    gi_json_end(w, '}');
}

glia_status glia_network_metadata(const glia_network *network, char **json, glia_error *error)
{
    gi_json_writer writer = {0}, *const w = &writer;
    gi_json_begin(w, NULL, '{');
    gi_json_put_string(w, "version", GLIA_VERSION);

    gi_json_begin(w, "network", '{');
    put_count(w, "inputs", gi_network_inputs(network));
    gi_json_begin(w, "layers", '[');
    for (size_t l = 0; l < network->n_layers; l++) {
        const glia_layer_info layer = glia_network_layer(network, l);
        gi_json_begin(w, NULL, '{');
        put_count(w, "units", layer.units);
        gi_json_put_string(w, "activation", glia_activation_name(layer.activation));
        gi_json_end(w, '}');
    }
    gi_json_end(w, ']');
    gi_json_end(w, '}');

    gi_json_begin(w, "preprocessing", '{');
    gi_json_put_real(w, "divisor", network->input.divisor);
    put_count(w, "height", network->input.height);
    put_count(w, "width", network->input.width);
    gi_json_put_string(w, "form", form_names[network->input.form]);
    gi_json_end(w, '}');

    gi_json_begin(w, "classes", '[');
    for (size_t i = 0; i < gi_network_classes(network); i++)
        put_text(w, NULL, glia_network_class_name(network, i));
    gi_json_end(w, ']');

    gi_json_begin(w, "initialisation", '{');
    gi_json_put_string(w, "method", glia_init_name(network->record.init));
    put_seed(w, "seed", network->record.init_seed);
    gi_json_end(w, '}');

    put_training(w, &network->record);
    gi_json_end(w, '}');

    char *text = gi_json_take(w, error);
    if (!text) return GLIA_NO_MEMORY;
    *json = text;
    return GLIA_OK;
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

glia_status glia_network_save(const glia_network *network, const char *path, glia_error *error)
{
    char names[2 * GLIA_MAX_LAYERS][NAME_BYTES];
    float *values[2 * GLIA_MAX_LAYERS] = {NULL};
    gi_tensor tensors[2 * GLIA_MAX_LAYERS] = {{0}};
    char *description = NULL;
    glia_status status = glia_network_metadata(network, &description, error);
    for (size_t t = 0; t < 2 * network->n_layers && !status; t++) {
        const size_t l = t / 2;
        const enum part part = t % 2 ? BIAS : WEIGHT;
        const glia_layer_info layer = glia_network_layer(network, l);
        const size_t columns = row_length(layer, part), n = layer.units * columns;
        name_tensor(names[t], l, part);
        values[t] = gi_alloc(n, sizeof(float), "the weights to save", error);
        if (!values[t]) {
            status = GLIA_NO_MEMORY;
            break;
        }
        status = glia_network_get_layer(network, l, part == WEIGHT ? values[t] : NULL,
                                        part == BIAS ? values[t] : NULL, error);
        if (status) break;
        const size_t bad = find_non_finite(values[t], n);
        if (bad < n) {
            status = gi_fail(error, GLIA_BAD_ARGUMENT,
                             "%s: not saved: %s, row %zu, column %zu is %s, expected a finite "
                             "number; a lower learning rate may help",
                             path, names[t], bad / columns, bad % columns,
                             isnan(values[t][bad]) ? "not a number" : "infinite");
            break;
        }
        to_little_endian(values[t], n);
        tensors[t] = (gi_tensor){.name = names[t],
                                 .dtype = "F32",
                                 .n_dims = part == WEIGHT ? 2 : 1,
                                 .shape = {layer.units, part == WEIGHT ? columns : 0},
                                 .data = (const uint8_t *)values[t],
                                 .n_bytes = n * sizeof(float)};
    }
    if (!status) {
        const char *metadata[] = {"format", "glia", "glia", description};
        const gi_safetensors file = {.tensors = tensors,
                                     .n_tensors = 2 * network->n_layers,
                                     .metadata = metadata,
                                     .n_metadata = 2};
        status = gi_safetensors_write(path, &file, error);
    }
    for (size_t t = 0; t < 2 * network->n_layers; t++) gi_free(values[t]);
    glia_string_free(description);
    return status;
}

/* ---- Reading the description --------------------------------------------------------------- */

/* What the metadata says, checked. */
typedef struct description {
    size_t inputs, n_layers;
    size_t units[GLIA_MAX_LAYERS];
    glia_activation activations[GLIA_MAX_LAYERS];
    gi_input_form input;
    const char **class_names; /* borrowed from the JSON */
    gi_training_record record;
} description;

/*
 * The functions that read take the path of a key, as "training.lr", with the object that holds it,
 * and remember the first failure: after it they return what is harmless.
 */
typedef struct reader {
    const char *place;   /* begins every message */
    char written_by[64]; /* ends it, if another version of glia wrote the file */
    glia_status status;
    glia_error *error;
} reader;

static void reject(reader *r, const char *where, const gi_json *found, const char *expected)
{
    if (r->status) return;
    r->status = gi_fail(r->error, GLIA_BAD_FORMAT, "%s: %s: found %s, expected %s%s", r->place,
                        where, gi_found_json(found).text, expected, r->written_by);
}

static const gi_json *get(const gi_json *object, const char *where)
{
    const char *dot = strrchr(where, '.');
    return gi_json_get(object, dot ? dot + 1 : where);
}

static size_t read_count(reader *r, const gi_json *object, const char *where, size_t min,
                         size_t max)
{
    const gi_json *value = get(object, where);
    uint64_t count;
    if (gi_json_count(value, &count) && count >= min && count <= max) return (size_t)count;
    char expected[80];
    snprintf(expected, sizeof expected, "an integer from %zu to %zu", min, max);
    reject(r, where, value, expected);
    return min;
}

static double read_real(reader *r, const gi_json *object, const char *where, double min, double max)
{
    const gi_json *value = get(object, where);
    double number;
    if (gi_json_real(value, &number) && number >= min && number <= max) return number;
    char expected[80];
    snprintf(expected, sizeof expected, "a number from %g to %g", min, max);
    reject(r, where, value, expected);
    return min;
}

static double read_real_or_null(reader *r, const gi_json *object, const char *where, double min,
                                double if_null)
{
    if (gi_json_is(get(object, where), GI_JSON_NULL)) return if_null;
    return read_real(r, object, where, min, DBL_MAX);
}

static uint64_t read_seed(reader *r, const gi_json *object, const char *where)
{
    const gi_json *value = get(object, where);
    uint64_t seed = 0;
    if (!gi_json_is(value, GI_JSON_STRING) || !gi_parse_u64(value->text, &seed))
        reject(r, where, value, "a string of decimal digits, at most 18446744073709551615");
    return seed;
}

/* A string without control characters, since it will be shown. */
static const char *check_text(reader *r, const gi_json *value, const char *where)
{
    const char *text = gi_json_string(value);
    for (const char *c = text; c && *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F) text = NULL;
    if (!text) reject(r, where, value, "a string without control characters");
    return text ? text : "";
}

static void read_architecture(reader *r, const gi_json *network, description *d)
{
    if (!gi_json_is(network, GI_JSON_OBJECT)) reject(r, "network", network, "an object");
    d->inputs = read_count(r, network, "network.inputs", 1, GLIA_MAX_UNITS);
    const gi_json *layers = get(network, "network.layers");
    d->n_layers = gi_json_is(layers, GI_JSON_ARRAY) ? layers->n : 0;
    if (d->n_layers < 1 || d->n_layers > GLIA_MAX_LAYERS) {
        char expected[80];
        snprintf(expected, sizeof expected, "an array of 1 to %d layers", GLIA_MAX_LAYERS);
        reject(r, "network.layers", layers, expected);
        return;
    }
    const gi_json *layer = layers->first;
    for (size_t l = 0; l < d->n_layers; l++, layer = layer->next) {
        const bool last = l + 1 == d->n_layers;
        char where[64];
        snprintf(where, sizeof where, "network.layers[%zu].units", l);
        d->units[l] = read_count(r, layer, where, 1, last ? GLIA_MAX_CLASSES : GLIA_MAX_UNITS);
        snprintf(where, sizeof where, "network.layers[%zu].activation", l);
        const gi_json *activation = get(layer, where);
        if (!gi_json_is(activation, GI_JSON_STRING) ||
            !glia_activation_from_name(activation->text, &d->activations[l]) ||
            (d->activations[l] == GLIA_SOFTMAX) != last)
            reject(r, where, activation,
                   last ? "softmax, as in every last layer"
                        : "sigmoid, tanh, relu or identity, as in every layer but the last");
    }
}

static void read_preprocessing(reader *r, const gi_json *object, description *d)
{
    if (!gi_json_is(object, GI_JSON_OBJECT)) reject(r, "preprocessing", object, "an object");
    gi_input_form *input = &d->input;
    /* The division is done in f32. */
    input->divisor =
        read_real(r, object, "preprocessing.divisor", (double)FLT_MIN, (double)FLT_MAX);
    input->height = read_count(r, object, "preprocessing.height", 0, GLIA_MAX_UNITS);
    input->width = read_count(r, object, "preprocessing.width", 0, GLIA_MAX_UNITS);

    const gi_json *form = get(object, "preprocessing.form");
    const char *name = gi_json_is(form, GI_JSON_STRING) ? form->text : "";
    input->form = 0;
    while (input->form < N_FORMS && strcmp(form_names[input->form], name) != 0) input->form++;
    if (input->form == N_FORMS)
        reject(r, "preprocessing.form", form, "\"none\", \"scale\" or \"mnist\"");

    const bool is_image = input->height != 0 || input->width != 0;
    if (is_image && (uint64_t)input->height * input->width != d->inputs) {
        char expected[80];
        snprintf(expected, sizeof expected,
                 "height * width equal to the %zu inputs, or both 0, but width %zu", d->inputs,
                 input->width);
        reject(r, "preprocessing.height", get(object, "preprocessing.height"), expected);
    }
    if (!is_image && input->form != GI_FORM_NONE)
        reject(r, "preprocessing.form", form, "\"none\", since height and width are 0");
    if (input->form == GI_FORM_MNIST && (input->height != MNIST_SIDE || input->width != MNIST_SIDE))
        reject(r, "preprocessing.form", form, "another form: \"mnist\" is for images of 28 x 28");
}

static void read_classes(reader *r, const gi_json *classes, description *d)
{
    const size_t n = d->units[d->n_layers - 1];
    if (!gi_json_is(classes, GI_JSON_ARRAY) || classes->n != n) {
        char expected[80];
        snprintf(expected, sizeof expected,
                 "an array of %zu names, as many as the last layer's units", n);
        reject(r, "classes", classes, expected);
        return;
    }
    d->class_names = gi_alloc(n, sizeof *d->class_names, "class names", r->error);
    if (!d->class_names) {
        r->status = GLIA_NO_MEMORY;
        return;
    }
    const gi_json *name = classes->first;
    for (size_t i = 0; i < n; i++, name = name->next) {
        char where[32];
        snprintf(where, sizeof where, "classes[%zu]", i);
        d->class_names[i] = check_text(r, name, where);
    }
}

static void read_initialisation(reader *r, const gi_json *object, gi_training_record *record)
{
    if (!object || gi_json_is(object, GI_JSON_NULL)) return; /* the network comes from elsewhere */
    const gi_json *method = get(object, "initialisation.method");
    if (!gi_json_is(method, GI_JSON_STRING) || !glia_init_from_name(method->text, &record->init))
        reject(r, "initialisation.method", method, "a method of glia's, as \"glorot-uniform\"");
    record->init_seed = read_seed(r, object, "initialisation.seed");
}

static void read_training(reader *r, const gi_json *object, gi_training_record *record)
{
    record->train_loss = record->validation_loss = NAN;
    if (!object || gi_json_is(object, GI_JSON_NULL)) return;
    if (!gi_json_is(object, GI_JSON_OBJECT)) reject(r, "training", object, "an object or null");
    record->trained = true;
    const gi_json *dataset = get(object, "training.dataset");
    const char *name = check_text(r, dataset, "training.dataset");
    if (strlen(name) < sizeof record->dataset)
        strcpy(record->dataset, name);
    else
        reject(r, "training.dataset", dataset, "at most 255 bytes");
    record->samples = read_count(r, object, "training.samples", 0, MAX_COUNT);
    record->validation_samples = read_count(r, object, "training.validation_samples", 0, MAX_COUNT);
    record->lr = read_real(r, object, "training.lr", 0, DBL_MAX);
    record->lr_end = read_real_or_null(r, object, "training.lr_end", 0, -1);
    record->batch = read_count(r, object, "training.batch", 1, MAX_COUNT);
    record->epochs = read_count(r, object, "training.epochs", 0, MAX_COUNT);
    record->seed = read_seed(r, object, "training.seed");
    record->patience = read_count(r, object, "training.patience", 0, MAX_COUNT);
    record->min_delta = read_real(r, object, "training.min_delta", 0, DBL_MAX);
    record->epochs_done = read_count(r, object, "training.epochs_done", 0, MAX_COUNT);
    record->best_epoch = read_count(r, object, "training.best_epoch", 0, MAX_COUNT);
    record->train_loss = read_real_or_null(r, object, "training.train_loss", -DBL_MAX, NAN);
    record->validation_loss =
        read_real_or_null(r, object, "training.validation_loss", -DBL_MAX, NAN);
}

static glia_status read_description(const char *place, const gi_json *object, description *d,
                                    glia_error *error)
{
    reader r = {.place = place, .error = error};
    const gi_json *version = get(object, "version");
    const char *text = check_text(&r, version, "version");
    if (!r.status && strcmp(text, GLIA_VERSION) != 0)
        snprintf(r.written_by, sizeof r.written_by, " (written by glia %.24s, this is %s)", text,
                 GLIA_VERSION);
    read_architecture(&r, get(object, "network"), d);
    if (!r.status) read_preprocessing(&r, get(object, "preprocessing"), d);
    if (!r.status) read_classes(&r, get(object, "classes"), d);
    if (!r.status) read_initialisation(&r, get(object, "initialisation"), &d->record);
    if (!r.status) read_training(&r, get(object, "training"), &d->record);
    return r.status;
}

/* ---- Reading the tensors ------------------------------------------------------------------- */

static glia_layer_info described_layer(const description *d, size_t l)
{
    return (glia_layer_info){.inputs = l ? d->units[l - 1] : d->inputs, .units = d->units[l]};
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
                      (part == BIAS || tensor->shape[1] == layer.inputs);
    if (fits) return GLIA_OK;

    char shape[GI_TENSOR_MAX_DIMS * 22 + 1] = "";
    for (size_t i = 0, used = 0; i < tensor->n_dims; i++)
        used += (size_t)snprintf(shape + used, sizeof shape - used, "%s%zu", i ? ", " : "",
                                 tensor->shape[i]);
    return gi_fail(error, GLIA_BAD_FORMAT,
                   "%s: tensor \"%s\": found %s of shape (%s), expected F32 of shape %s", path,
                   name, tensor->dtype, shape, expected);
}

/* Every tensor that the description asks for, and no other. */
static glia_status check_tensors(const char *path, const gi_safetensors *file, const description *d,
                                 glia_error *error)
{
    char name[NAME_BYTES];
    for (size_t t = 0; t < 2 * d->n_layers; t++) {
        const enum part part = t % 2 ? BIAS : WEIGHT;
        name_tensor(name, t / 2, part);
        const glia_status status = check_tensor(path, gi_safetensors_find(file, name), name,
                                                described_layer(d, t / 2), part, error);
        if (status) return status;
    }
    if (file->n_tensors == 2 * d->n_layers) return GLIA_OK;
    for (size_t i = 0; i < file->n_tensors; i++) {
        bool known = false;
        for (size_t t = 0; t < 2 * d->n_layers && !known; t++) {
            name_tensor(name, t / 2, t % 2 ? BIAS : WEIGHT);
            known = strcmp(name, file->tensors[i].name) == 0;
        }
        if (!known)
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: tensor %s: expected none but weight and bias of the %zu layers",
                           path, gi_found_name(file->tensors[i].name).text, d->n_layers);
    }
    return GLIA_OK;
}

/* check_tensors has seen that each is there and fits. */
static glia_status load_layer(const char *path, const gi_safetensors *file, size_t l, float *values,
                              glia_network *network, glia_error *error)
{
    for (enum part part = WEIGHT; part <= BIAS; part++) {
        char name[NAME_BYTES];
        name_tensor(name, l, part);
        const gi_tensor *tensor = gi_safetensors_find(file, name);
        const size_t columns = row_length(glia_network_layer(network, l), part);
        const size_t n = tensor->n_bytes / sizeof(float);
        from_little_endian(tensor->data, values, n);
        const size_t bad = find_non_finite(values, n);
        if (bad < n)
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: tensor \"%s\": row %zu, column %zu: found %s, expected a finite "
                           "number",
                           path, name, bad / columns, bad % columns,
                           isnan(values[bad]) ? "not a number" : "infinity");
        const glia_status status = glia_network_set_layer(
            network, l, part == WEIGHT ? values : NULL, part == BIAS ? values : NULL, error);
        if (status) return status;
    }
    return GLIA_OK;
}

static glia_status make_network(const char *path, const gi_safetensors *file, const description *d,
                                glia_network **out, glia_error *error)
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
    network->input = d->input;
    network->record = d->record;
    *out = network;
    return GLIA_OK;
}

glia_status gi_model_parse(const char *path, const uint8_t *bytes, size_t n_bytes,
                           glia_network **out, glia_error *error)
{
    gi_safetensors file;
    glia_status status = gi_safetensors_parse(path, bytes, n_bytes, &file, error);
    if (status) return status;

    description d = {0};
    gi_json_document document = {0};
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
    size_t used;
    status = gi_json_parse(place, text, strlen(text), 0, &document, &used, error);
    if (status) goto cleanup;
    if (text[used]) {
        status = gi_fail(error, GLIA_BAD_FORMAT,
                         "%s: byte %zu: found something after the object, expected its end", place,
                         used);
        goto cleanup;
    }
    status = read_description(place, document.values, &d, error);
    if (!status) status = check_tensors(path, &file, &d, error);
    if (!status) status = make_network(path, &file, &d, out, error);

cleanup:
    gi_free(d.class_names);
    gi_free(place);
    gi_json_free(&document);
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
