/* SPDX-License-Identifier: MIT */
/*
 * From a network to its file and back. What is written can be read again: saving refuses what
 * loading would refuse. Reading first checks the description, then the tensors against it, and only
 * then makes a network, whose size is thereby bounded by the file's.
 */
#include "format/model_file.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/image_form.h"
#include "base/memory.h"
#include "base/number.h"
#include "format/json.h"
#include "format/safetensors.h"
#include "format/schema_json.h"

static const char *const form_names[] = {
#define X(name, text) text,
    GI_IMAGE_FORM_LIST(X)
#undef X
};

enum {
    N_FORMS = sizeof form_names / sizeof form_names[0],
    MNIST_SIDE = 28,
    NAME_BYTES = sizeof "layers.18446744073709551615.norm.running_mean",
};

/* The largest integer that JSON readers in C keep; a larger count is written as this one. */
#define MAX_COUNT ((size_t)(INT64_MAX < SIZE_MAX ? INT64_MAX : SIZE_MAX))

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

/* Copies one array of a layer, (units, row_length), out of a network or into it. */
static glia_status get_part(const glia_network *network, size_t l, enum part part, float *values,
                            glia_error *error)
{
    float *to[N_PARTS] = {NULL};
    to[part] = values;
    if (part <= BIAS) return glia_network_get_layer(network, l, to[WEIGHT], to[BIAS], error);
    return glia_network_get_norm(network, l, to[NORM_SCALE], to[NORM_SHIFT], to[NORM_MEAN],
                                 to[NORM_VARIANCE], error);
}

static glia_status set_part(glia_network *network, size_t l, enum part part, const float *values,
                            glia_error *error)
{
    const float *from[N_PARTS] = {NULL};
    from[part] = values;
    if (part <= BIAS) return glia_network_set_layer(network, l, from[WEIGHT], from[BIAS], error);
    return glia_network_set_norm(network, l, from[NORM_SCALE], from[NORM_SHIFT], from[NORM_MEAN],
                                 from[NORM_VARIANCE], error);
}

/* What is written of the record only where it is not 0, which is what the key's absence means. */
static const struct {
    const char *key;
    size_t offset; /* of a double in gi_training_record */
    bool below_1;
} settings[] = {
#define FIELD(name) #name, offsetof(gi_training_record, name)
    {FIELD(momentum), true},      {FIELD(beta2), true},        {FIELD(epsilon), false},
    {FIELD(weight_decay), false}, {FIELD(l2), false},          {FIELD(l1), false},
    {FIELD(max_norm), false},     {FIELD(clip_norm), false},   {FIELD(dropout), true},
    {FIELD(input_dropout), true}, {FIELD(input_noise), false}, {FIELD(label_smoothing), true},
    {FIELD(averaging), true},
#undef FIELD
};

enum { N_SETTINGS = sizeof settings / sizeof settings[0] };

/* ---- Describing ---------------------------------------------------------------------------- */

/* These give NULL when memory is short; json_pack then frees what it was given, and gives NULL. */

/* A string of any bytes: control characters, and all beyond ASCII if it is no UTF-8, become '?'
 * (the name of a data set may be that of a folder, and those can be anything). */
static json_t *pack_text(const char *string)
{
    char *copy = gi_strdup(string, NULL);
    if (!copy) return NULL;
    for (char *c = copy; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F) *c = '?';
    json_error_t failure = {0};
    json_t *json = json_pack_ex(&failure, 0, "s", copy);
    if (!json && json_error_code(&failure) == json_error_invalid_utf8) {
        for (char *c = copy; *c; c++)
            if ((unsigned char)*c >= 0x80) *c = '?';
        json = json_string(copy);
    }
    gi_free(copy);
    return json;
}

static json_t *pack_count(size_t count)
{
    return json_integer((json_int_t)(count < MAX_COUNT ? count : MAX_COUNT));
}

static json_t *pack_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null(); /* JSON has no other numbers */
}

/* A decimal string: readers of JSON may keep no more than 53 bits of a number. */
static json_t *pack_seed(uint64_t seed)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    return json_string(text);
}

static json_t *pack_layers(const glia_network *network)
{
    json_t *layers = json_array();
    for (size_t l = 0; l < network->n_layers; l++) {
        const glia_layer_info layer = glia_network_layer(network, l);
        json_t *entry = json_pack("{s:o, s:s}", "units", pack_count(layer.units), "activation",
                                  glia_activation_name(layer.activation));
        int failed = 0;
        if (layer.batch_norm) failed = json_object_set_new(entry, "batch_norm", json_true());
        failed |= json_array_append_new(layers, entry);
        if (failed) {
            json_decref(layers);
            return NULL;
        }
    }
    return layers;
}

/* What the outputs of a network for values mean. */
static json_t *pack_outputs(const glia_network *network)
{
    const gi_output_form *form = &network->output;
    json_t *outputs = json_array();
    for (size_t c = 0; c < gi_network_classes(network); c++)
        if (json_array_append_new(outputs, json_pack("{s:o, s:o}", "mean", pack_real(form->mean[c]),
                                                     "scale", pack_real(form->scale[c])))) {
            json_decref(outputs);
            return NULL;
        }
    return outputs;
}

static json_t *pack_classes(const glia_network *network)
{
    json_t *classes = json_array();
    for (size_t i = 0; i < gi_network_classes(network); i++)
        if (json_array_append_new(classes, pack_text(glia_network_class_name(network, i)))) {
            json_decref(classes);
            return NULL;
        }
    return classes;
}

/* Fading is told where there is some. */
static json_t *pack_augmentation(const glia_augmentation *a)
{
    json_t *object = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o}", "shift", pack_real(a->shift), "rotation",
        pack_real(a->rotation), "scale", pack_real(a->scale), "shear", pack_real(a->shear),
        "elastic_alpha", pack_real(a->elastic_alpha), "elastic_sigma", pack_real(a->elastic_sigma));
    if (object && a->fade > 0 &&
        (json_object_set_new(object, "fade", pack_real(a->fade)) ||
         json_object_set_new(object, "fade_to", pack_real(a->fade_to)))) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static bool is_augmented(const glia_augmentation *a)
{
    return a->shift > 0 || a->rotation > 0 || a->scale > 0 || a->shear > 0 || a->elastic_alpha > 0;
}

static json_t *pack_class_weights(const gi_training_record *record)
{
    json_t *weights = json_array();
    for (size_t i = 0; i < record->n_class_weights; i++)
        if (json_array_append_new(weights, pack_real(record->class_weights[i]))) {
            json_decref(weights);
            return NULL;
        }
    return weights;
}

typedef struct member {
    const char *key;
    json_t *value; /* taken over; NULL fails */
} member;

static int put_members(json_t *object, const member *members, size_t n)
{
    int failed = 0;
    for (size_t i = 0; i < n; i++)
        failed |= json_object_set_new(object, members[i].key, members[i].value);
    return failed;
}

static int put_settings(json_t *training, const gi_training_record *record)
{
    int failed = 0;
    for (size_t i = 0; i < N_SETTINGS; i++) {
        double value;
        memcpy(&value, (const char *)record + settings[i].offset, sizeof value);
        if (value != 0) failed |= json_object_set_new(training, settings[i].key, pack_real(value));
    }
    if (record->class_weights)
        failed |= json_object_set_new(training, "class_weights", pack_class_weights(record));
    return failed;
}

static json_t *pack_training(const gi_training_record *record)
{
    if (!record->trained) return json_null();
    json_t *training = json_object();
    const member first[] = {
        {"dataset", pack_text(record->dataset)},
        {"samples", pack_count(record->samples)},
        {"validation_samples", pack_count(record->validation_samples)},
        {"optimizer", pack_text(glia_optimizer_name(record->optimizer))},
    };
    int failed = put_members(training, first, sizeof first / sizeof first[0]);
    failed |= put_settings(training, record);
    const member others[] = {
        {"lr", pack_real(record->lr)},
        {"schedule", pack_text(glia_schedule_name(record->schedule))},
        {"lr_end", pack_real(record->lr_end < 0 ? (double)NAN : record->lr_end)},
        {"lr_factor", pack_real(record->lr_factor)},
        {"lr_every", pack_count(record->lr_every)},
        {"warmup", pack_real(record->warmup)},
        {"batch", pack_count(record->batch)},
        {"epochs", pack_count(record->epochs)},
        {"seed", pack_seed(record->seed)},
        {"patience", pack_count(record->patience)},
        {"min_delta", pack_real(fmin(record->min_delta, DBL_MAX))},
        {"engine", pack_text(record->engine)},
        {"isa", pack_text(record->isa)},
        {"precision", pack_text(glia_precision_name(record->precision))},
        {"plan", pack_text(record->plan)},
        {"epochs_done", pack_count(record->epochs_done)},
        {"best_epoch", pack_count(record->best_epoch)},
        {"train_loss", pack_real(record->train_loss)},
        {"validation_loss", pack_real(record->validation_loss)},
    };
    failed |= put_members(training, others, sizeof others / sizeof others[0]);
    if (is_augmented(&record->augmentation))
        failed |=
            json_object_set_new(training, "augmentation", pack_augmentation(&record->augmentation));
    if (!failed) return training;
    json_decref(training);
    return NULL;
}

glia_status glia_network_metadata(const glia_network *network, char **json, glia_error *error)
{
    const gi_input_form *input = &network->input;
    const gi_training_record *record = &network->record;
    json_t *architecture = json_pack("{s:o, s:o}", "inputs", pack_count(gi_network_inputs(network)),
                                     "layers", pack_layers(network));
    json_t *preprocessing =
        json_pack("{s:o, s:o, s:o, s:s}", "divisor", pack_real((double)input->divisor), "height",
                  pack_count(input->height), "width", pack_count(input->width), "form",
                  form_names[input->form]);
    int failed = 0; /* only what is done, or other than in the first files, is there */
    if (network->loss != GLIA_LOSS_CROSS_ENTROPY &&
        json_object_set_new(architecture, "loss", json_string(glia_loss_name(network->loss)))) {
        json_decref(architecture);
        architecture = NULL;
    }
    if (input->channels > 1)
        failed |= json_object_set_new(preprocessing, "channels", pack_count(input->channels));
    if (network->output.mean)
        failed |= json_object_set_new(preprocessing, "outputs", pack_outputs(network));
    if (input->from_zero) failed |= json_object_set_new(preprocessing, "from_zero", json_true());
    if (input->preprocess & GLIA_DESKEW)
        failed |= json_object_set_new(preprocessing, "deskew", json_true());
    if (input->preprocess & GLIA_CENTRE)
        failed |= json_object_set_new(preprocessing, "centre", json_true());
    if (network->schema)
        failed |= json_object_set_new(preprocessing, "table", gi_schema_pack(network->schema));
    if (failed) {
        json_decref(preprocessing);
        preprocessing = NULL; /* json_pack will fail */
    }
    json_t *initialisation = json_pack("{s:s, s:o}", "method", glia_init_name(record->init), "seed",
                                       pack_seed(record->init_seed));
    json_t *whole =
        json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "version", GLIA_VERSION, "network",
                  architecture, "preprocessing", preprocessing, "classes", pack_classes(network),
                  "initialisation", initialisation, "training", pack_training(record));
    char *text = gi_json_write(whole, error);
    json_decref(whole);
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
    const glia_status status = get_part(network, l, part, x, error);
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

glia_status glia_network_save(const glia_network *network, const char *path, glia_error *error)
{
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
            status = save_part(network, path, l, part, &saved[t], &tensors[t], error);
    if (!status) {
        const char *metadata[] = {"format", "glia", "glia", description};
        const gi_safetensors file = {
            .tensors = tensors, .n_tensors = n_tensors, .metadata = metadata, .n_metadata = 2};
        status = gi_safetensors_write(path, &file, error);
    }
    while (t > 0) gi_free(saved[--t].values);
    gi_free(saved);
    gi_free(tensors);
    glia_string_free(description);
    return status;
}

/* ---- Reading the description --------------------------------------------------------------- */

/* What the metadata says, checked. */
typedef struct description {
    size_t inputs, n_layers;
    size_t units[GLIA_MAX_LAYERS];
    glia_activation activations[GLIA_MAX_LAYERS];
    bool batch_norm[GLIA_MAX_LAYERS];
    glia_loss loss;
    gi_input_form input;
    gi_schema *schema; /* or NULL */
    gi_output_form output;
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

static void reject(reader *r, const char *where, const json_t *found, const char *expected)
{
    if (r->status) return;
    r->status = gi_fail(r->error, GLIA_BAD_FORMAT, "%s: %s: found %s, expected %s%s", r->place,
                        where, gi_found_json(found).text, expected, r->written_by);
}

static const json_t *get(const json_t *object, const char *where)
{
    const char *dot = strrchr(where, '.');
    return json_object_get(object, dot ? dot + 1 : where);
}

static size_t read_count(reader *r, const json_t *object, const char *where, size_t min, size_t max)
{
    const json_t *value = get(object, where);
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        const uint64_t n = (uint64_t)json_integer_value(value);
        if (n >= min && n <= max) return (size_t)n;
    }
    char expected[80];
    snprintf(expected, sizeof expected, "an integer from %zu to %zu", min, max);
    reject(r, where, value, expected);
    return min;
}

static double read_real(reader *r, const json_t *object, const char *where, double min, double max)
{
    const json_t *value = get(object, where);
    const double number = json_number_value(value);
    if (json_is_number(value) && number >= min && number <= max) return number;
    char expected[80];
    snprintf(expected, sizeof expected, "a number from %g to %g", min, max);
    reject(r, where, value, expected);
    return min;
}

static double read_real_or_null(reader *r, const json_t *object, const char *where, double min,
                                double if_null)
{
    if (json_is_null(get(object, where))) return if_null;
    return read_real(r, object, where, min, DBL_MAX);
}

static uint64_t read_seed(reader *r, const json_t *object, const char *where)
{
    const json_t *value = get(object, where);
    uint64_t seed = 0;
    if (!json_is_string(value) || !gi_parse_u64(json_string_value(value), &seed))
        reject(r, where, value, "a string of decimal digits, at most 18446744073709551615");
    return seed;
}

/* A string without control characters, since it will be shown. */
static const char *check_text(reader *r, const json_t *value, const char *where)
{
    const char *text = json_string_value(value);
    for (const char *c = text; c && *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F) text = NULL;
    if (!text) reject(r, where, value, "a string without control characters");
    return text ? text : "";
}

/* The first files had no loss but cross-entropy. */
static void read_loss(reader *r, const json_t *network, description *d)
{
    const json_t *loss = get(network, "network.loss");
    d->loss = GLIA_LOSS_CROSS_ENTROPY;
    if (loss && (!json_is_string(loss) || !glia_loss_from_name(json_string_value(loss), &d->loss) ||
                 d->loss == GLIA_LOSS_AUTO))
        reject(r, "network.loss", loss, "cross-entropy, bce, mse, mae or huber");
}

static void read_activation(reader *r, const json_t *layer, const char *where, bool last,
                            description *d, glia_activation *out)
{
    const json_t *value = get(layer, where);
    const glia_activation of_last = gi_output_activation(d->loss);
    const bool known =
        json_is_string(value) && glia_activation_from_name(json_string_value(value), out);
    if (known && (last ? *out == of_last : *out != GLIA_SOFTMAX)) return;
    char expected[96] = "the name of an activation (as relu), as in every layer but the last";
    if (last)
        snprintf(expected, sizeof expected, "%s, as in every last layer with the loss %s",
                 glia_activation_name(of_last), glia_loss_name(d->loss));
    reject(r, where, value, expected);
}

static void read_architecture(reader *r, const json_t *network, description *d)
{
    if (!json_is_object(network)) reject(r, "network", network, "an object");
    read_loss(r, network, d);
    d->inputs = read_count(r, network, "network.inputs", 1, GLIA_MAX_UNITS);
    const json_t *layers = get(network, "network.layers");
    d->n_layers = json_array_size(layers); /* 0 if it is none */
    if (d->n_layers < 1 || d->n_layers > GLIA_MAX_LAYERS) {
        char expected[80];
        snprintf(expected, sizeof expected, "an array of 1 to %d layers", GLIA_MAX_LAYERS);
        reject(r, "network.layers", layers, expected);
        return;
    }
    for (size_t l = 0; l < d->n_layers; l++) {
        const json_t *layer = json_array_get(layers, l);
        const bool last = l + 1 == d->n_layers;
        char where[64];
        snprintf(where, sizeof where, "network.layers[%zu].units", l);
        d->units[l] = read_count(r, layer, where, 1, last ? GLIA_MAX_CLASSES : GLIA_MAX_UNITS);
        snprintf(where, sizeof where, "network.layers[%zu].activation", l);
        read_activation(r, layer, where, last, d, &d->activations[l]);
        snprintf(where, sizeof where, "network.layers[%zu].batch_norm", l);
        const json_t *batch_norm = get(layer, where);
        d->batch_norm[l] = json_is_true(batch_norm);
        if (batch_norm && (!json_is_boolean(batch_norm) || (last && d->batch_norm[l])))
            reject(r, where, batch_norm, last ? "false, as in every last layer" : "true or false");
    }
}

/* Nothing: false. */
static bool read_flag(reader *r, const json_t *object, const char *where)
{
    const json_t *value = get(object, where);
    if (value && !json_is_boolean(value)) reject(r, where, value, "true or false");
    return json_is_true(value);
}

/* Of a network for values that has learned; others have none. */
static void read_outputs(reader *r, const json_t *outputs, description *d)
{
    const size_t n = d->units[d->n_layers - 1];
    if (!outputs || r->status) return;
    if (glia_loss_task(d->loss) != GLIA_VALUES) {
        reject(r, "preprocessing.outputs", outputs,
               "none, as of every loss but mse, mae and huber");
        return;
    }
    if (!json_is_array(outputs) || json_array_size(outputs) != n) {
        char expected[80];
        snprintf(expected, sizeof expected, "an array of %zu, as many as the last layer's units",
                 n);
        reject(r, "preprocessing.outputs", outputs, expected);
        return;
    }
    r->status = gi_output_form_new(n, &d->output, r->error);
    for (size_t c = 0; c < n && !r->status; c++) {
        const json_t *output = json_array_get(outputs, c);
        char where[64];
        snprintf(where, sizeof where, "preprocessing.outputs[%zu].mean", c);
        d->output.mean[c] = read_real(r, output, where, -(double)FLT_MAX, (double)FLT_MAX);
        snprintf(where, sizeof where, "preprocessing.outputs[%zu].scale", c);
        d->output.scale[c] = read_real(r, output, where, (double)FLT_MIN, (double)FLT_MAX);
    }
}

static void read_preprocessing(reader *r, const json_t *object, description *d)
{
    if (!json_is_object(object)) reject(r, "preprocessing", object, "an object");
    gi_input_form *input = &d->input;
    /* The division is done in f32. */
    input->divisor =
        read_real(r, object, "preprocessing.divisor", (double)FLT_MIN, (double)FLT_MAX);
    input->height = read_count(r, object, "preprocessing.height", 0, GLIA_MAX_UNITS);
    input->width = read_count(r, object, "preprocessing.width", 0, GLIA_MAX_UNITS);

    input->from_zero = read_flag(r, object, "preprocessing.from_zero");
    input->preprocess = (read_flag(r, object, "preprocessing.deskew") ? GLIA_DESKEW : 0U) |
                        (read_flag(r, object, "preprocessing.centre") ? GLIA_CENTRE : 0U);

    const json_t *form = get(object, "preprocessing.form");
    const char *name = json_is_string(form) ? json_string_value(form) : "";
    input->form = 0;
    while (input->form < N_FORMS && strcmp(form_names[input->form], name) != 0) input->form++;
    if (input->form == N_FORMS)
        reject(r, "preprocessing.form", form, "\"none\", \"scale\", \"mnist\" or \"whole\"");

    read_outputs(r, get(object, "preprocessing.outputs"), d);

    const bool is_image = input->height != 0 || input->width != 0;
    if (is_image) {
        const json_t *channels = json_object_get(object, "channels");
        input->channels = channels ? read_count(r, object, "preprocessing.channels", 1, 3) : 1;
        if (input->channels == 2) reject(r, "preprocessing.channels", channels, "1 or 3");
    }
    if (is_image && (uint64_t)input->height * input->width * input->channels != d->inputs) {
        char expected[80];
        snprintf(expected, sizeof expected,
                 "height * width%s equal to the %zu inputs, or both 0, but width %zu",
                 input->channels == 3 ? " * 3" : "", d->inputs, input->width);
        reject(r, "preprocessing.height", get(object, "preprocessing.height"), expected);
    }
    if (!is_image && input->form != GI_FORM_NONE)
        reject(r, "preprocessing.form", form, "\"none\", since height and width are 0");
    if (input->channels == 3 && input->form != GI_FORM_WHOLE)
        reject(r, "preprocessing.form", form, "\"whole\", that of images in colour");
    if (input->form == GI_FORM_MNIST && (input->height != MNIST_SIDE || input->width != MNIST_SIDE))
        reject(r, "preprocessing.form", form, "another form: \"mnist\" is for images of 28 x 28");
}

/* How rows of a table are read, where there is one. */
static void read_table(reader *r, const json_t *preprocessing, description *d)
{
    const json_t *table = json_object_get(preprocessing, "table");
    if (!table || r->status) return;
    r->status = gi_schema_unpack(r->place, table, d->inputs, &d->schema, r->error);
}

static void read_classes(reader *r, const json_t *classes, description *d)
{
    const size_t n = d->units[d->n_layers - 1];
    if (!json_is_array(classes) || json_array_size(classes) != n) {
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
    for (size_t i = 0; i < n; i++) {
        char where[32];
        snprintf(where, sizeof where, "classes[%zu]", i);
        d->class_names[i] = check_text(r, json_array_get(classes, i), where);
    }
}

static void read_initialisation(reader *r, const json_t *object, gi_training_record *record)
{
    if (!object || json_is_null(object)) return; /* the network comes from elsewhere */
    const json_t *method = get(object, "initialisation.method");
    if (!json_is_string(method) || !glia_init_from_name(json_string_value(method), &record->init))
        reject(r, "initialisation.method", method, "a method of glia's, as \"glorot-uniform\"");
    record->init_seed = read_seed(r, object, "initialisation.seed");
}

/* A text that files of older versions do not have. */
static void read_short_text(reader *r, const json_t *object, const char *place, char *out,
                            size_t size)
{
    const json_t *value = get(object, place);
    if (!value) return;
    const char *text = check_text(r, value, place);
    if (strlen(text) < size)
        strcpy(out, text);
    else
        reject(r, place, value, "a shorter text");
}

/* A part of a whole, which files of older versions may not have. */
static double read_below_1(reader *r, const json_t *object, const char *where)
{
    const json_t *value = get(object, where);
    const double number = json_number_value(value);
    if (!value) return 0;
    if (json_is_number(value) && number >= 0 && number < 1) return number;
    reject(r, where, value, "a number of at least 0 and below 1");
    return 0;
}

/* The first files had no optimizer but sgd, and nothing beside it. */
static void read_settings(reader *r, const json_t *object, size_t classes,
                          gi_training_record *record)
{
    const json_t *optimizer = get(object, "training.optimizer");
    if (optimizer && (!json_is_string(optimizer) ||
                      !glia_optimizer_from_name(json_string_value(optimizer), &record->optimizer)))
        reject(r, "training.optimizer", optimizer, "the name of an optimizer");
    for (size_t i = 0; i < N_SETTINGS; i++) {
        char where[64];
        snprintf(where, sizeof where, "training.%s", settings[i].key);
        double value = 0;
        if (settings[i].below_1)
            value = read_below_1(r, object, where);
        else if (get(object, where))
            value = read_real(r, object, where, 0, DBL_MAX);
        memcpy((char *)record + settings[i].offset, &value, sizeof value);
    }

    const json_t *weights = get(object, "training.class_weights");
    const size_t n = json_array_size(weights); /* 0 if it is none */
    if (!weights) return;
    if (n < 1 || n > classes) {
        char expected[80];
        snprintf(expected, sizeof expected, "an array of 1 to %zu numbers", classes);
        reject(r, "training.class_weights", weights, expected);
        return;
    }
    record->class_weights = gi_alloc(n, sizeof *record->class_weights, "class weights", r->error);
    if (!record->class_weights) {
        r->status = GLIA_NO_MEMORY;
        return;
    }
    record->n_class_weights = n;
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_array_get(weights, i);
        char where[48];
        snprintf(where, sizeof where, "training.class_weights[%zu]", i);
        record->class_weights[i] = json_number_value(value);
        if (!json_is_number(value) || record->class_weights[i] < 0)
            reject(r, where, value, "a number of at least 0");
    }
}

/* The first files had no schedules but the two. */
static void read_schedule(reader *r, const json_t *object, gi_training_record *record)
{
    const json_t *schedule = get(object, "training.schedule");
    record->schedule = record->lr_end < 0 ? GLIA_SCHEDULE_CONSTANT : GLIA_SCHEDULE_LINEAR;
    if (schedule && (!json_is_string(schedule) ||
                     !glia_schedule_from_name(json_string_value(schedule), &record->schedule)))
        reject(r, "training.schedule", schedule, "the name of a schedule");
    if (get(object, "training.lr_factor"))
        record->lr_factor = read_real(r, object, "training.lr_factor", 0, 1);
    if (get(object, "training.lr_every"))
        record->lr_every = read_count(r, object, "training.lr_every", 0, MAX_COUNT);
}

/* Only what was trained with augmentation has it. */
static void read_augmentation(reader *r, const json_t *object, glia_augmentation *a)
{
    if (!object) return;
    if (!json_is_object(object)) reject(r, "training.augmentation", object, "an object");
    a->shift = read_real(r, object, "training.augmentation.shift", 0, DBL_MAX);
    a->rotation = read_real(r, object, "training.augmentation.rotation", 0, DBL_MAX);
    a->scale = read_real(r, object, "training.augmentation.scale", 0, DBL_MAX);
    a->shear = read_real(r, object, "training.augmentation.shear", 0, DBL_MAX);
    a->elastic_alpha = read_real(r, object, "training.augmentation.elastic_alpha", 0, DBL_MAX);
    a->elastic_sigma = read_real(r, object, "training.augmentation.elastic_sigma", 0, DBL_MAX);
    if (get(object, "training.augmentation.fade")) {
        a->fade = read_real(r, object, "training.augmentation.fade", 0, 1);
        a->fade_to = read_real(r, object, "training.augmentation.fade_to", 0, 1);
    }
}

static void read_training(reader *r, const json_t *object, size_t classes,
                          gi_training_record *record)
{
    record->train_loss = record->validation_loss = NAN;
    if (!object || json_is_null(object)) return;
    if (!json_is_object(object)) reject(r, "training", object, "an object or null");
    record->trained = true;
    const json_t *dataset = get(object, "training.dataset");
    const char *name = check_text(r, dataset, "training.dataset");
    if (strlen(name) < sizeof record->dataset)
        strcpy(record->dataset, name);
    else
        reject(r, "training.dataset", dataset, "at most 255 bytes");
    record->samples = read_count(r, object, "training.samples", 0, MAX_COUNT);
    record->validation_samples = read_count(r, object, "training.validation_samples", 0, MAX_COUNT);
    read_settings(r, object, classes, record);
    record->lr = read_real(r, object, "training.lr", 0, DBL_MAX);
    record->lr_end = read_real_or_null(r, object, "training.lr_end", 0, -1);
    read_schedule(r, object, record);
    record->warmup = read_below_1(r, object, "training.warmup");
    record->batch = read_count(r, object, "training.batch", 1, MAX_COUNT);
    record->epochs = read_count(r, object, "training.epochs", 0, MAX_COUNT);
    record->seed = read_seed(r, object, "training.seed");
    read_augmentation(r, get(object, "training.augmentation"), &record->augmentation);
    record->patience = read_count(r, object, "training.patience", 0, MAX_COUNT);
    record->min_delta = read_real(r, object, "training.min_delta", 0, DBL_MAX);
    read_short_text(r, object, "training.engine", record->engine, sizeof record->engine);
    read_short_text(r, object, "training.isa", record->isa, sizeof record->isa);
    read_short_text(r, object, "training.plan", record->plan, sizeof record->plan);
    const json_t *precision = get(object, "training.precision");
    if (precision && (!json_is_string(precision) ||
                      !glia_precision_from_name(json_string_value(precision), &record->precision)))
        reject(r, "training.precision", precision, "f32 or bf16");
    record->epochs_done = read_count(r, object, "training.epochs_done", 0, MAX_COUNT);
    record->best_epoch = read_count(r, object, "training.best_epoch", 0, MAX_COUNT);
    record->train_loss = read_real_or_null(r, object, "training.train_loss", -DBL_MAX, NAN);
    record->validation_loss =
        read_real_or_null(r, object, "training.validation_loss", -DBL_MAX, NAN);
}

static glia_status read_description(const char *place, const json_t *object, description *d,
                                    glia_error *error)
{
    reader r = {.place = place, .error = error};
    const json_t *version = get(object, "version");
    const char *text = check_text(&r, version, "version");
    if (!r.status && strcmp(text, GLIA_VERSION) != 0)
        snprintf(r.written_by, sizeof r.written_by, " (written by glia %.24s, this is %s)", text,
                 GLIA_VERSION);
    read_architecture(&r, get(object, "network"), d);
    if (!r.status) read_preprocessing(&r, get(object, "preprocessing"), d);
    if (!r.status) read_table(&r, get(object, "preprocessing"), d);
    if (!r.status) read_classes(&r, get(object, "classes"), d);
    if (!r.status) read_initialisation(&r, get(object, "initialisation"), &d->record);
    if (!r.status)
        read_training(&r, get(object, "training"), d->units[d->n_layers - 1], &d->record);
    return r.status;
}

/* ---- Reading the tensors ------------------------------------------------------------------- */

static glia_layer_info described_layer(const description *d, size_t l)
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

static bool is_described(const description *d, const char *name)
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
static glia_status check_tensors(const char *path, const gi_safetensors *file, const description *d,
                                 glia_error *error)
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
        const glia_status status = set_part(network, l, part, values, error);
        if (status) return status;
    }
    return GLIA_OK;
}

/* The network takes over what the record owns. */
static glia_status make_network(const char *path, const gi_safetensors *file, description *d,
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
    network->schema = d->schema;
    network->output = d->output;
    d->output = (gi_output_form){0};
    network->record = d->record;
    d->schema = NULL;
    d->record.class_weights = NULL;
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
    if (!status) status = read_description(place, document, &d, error);
    if (!status) status = check_tensors(path, &file, &d, error);
    if (!status) status = make_network(path, &file, &d, out, error);

cleanup:
    gi_free(d.class_names);
    gi_free(d.output.mean);
    gi_free(d.record.class_weights);
    gi_schema_free(d.schema);
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
