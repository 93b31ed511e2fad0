/* SPDX-License-Identifier: MIT */
/* From a network to its description in a model file. */
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "format/model_description.h"
#include "format/schema_json.h"

const char *const gi_model_forms[GI_N_FORMS] = {
#define X(name, text) text,
    GI_IMAGE_FORM_LIST(X)
#undef X
};

const gi_model_setting gi_model_settings[GI_MODEL_SETTINGS] = {
#define FIELD(name) #name, offsetof(gi_training_record, name)
    {FIELD(momentum), true},      {FIELD(beta2), true},        {FIELD(epsilon), false},
    {FIELD(weight_decay), false}, {FIELD(l2), false},          {FIELD(l1), false},
    {FIELD(max_norm), false},     {FIELD(clip_norm), false},   {FIELD(dropout), true},
    {FIELD(input_dropout), true}, {FIELD(input_noise), false}, {FIELD(label_smoothing), true},
    {FIELD(averaging), true},
#undef FIELD
};

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

/*
 * The name of a class, as it is: the data are read by it again. The bytes of a name that is no
 * UTF-8, which JSON cannot hold, become \xFF and the like each, so that two names stay two.
 */
static json_t *pack_name(const char *name)
{
    static const char digits[] = "0123456789ABCDEF";
    json_error_t failure = {0};
    json_t *json = json_pack_ex(&failure, 0, "s", name);
    if (json || json_error_code(&failure) != json_error_invalid_utf8) return json;
    char *copy = gi_alloc(4 * strlen(name) + 1, 1, "a name", NULL), *to = copy;
    if (!copy) return NULL;
    for (; *name; name++) {
        const unsigned byte = (unsigned char)*name;
        if (byte < 0x80) {
            *to++ = *name;
        } else {
            const char text[] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
            memcpy(to, text, sizeof text);
            to += sizeof text;
        }
    }
    *to = '\0';
    json = json_string(copy);
    gi_free(copy);
    return json;
}

static json_t *pack_count(size_t count)
{
    return json_integer((json_int_t)(count < GI_MODEL_MAX_COUNT ? count : GI_MODEL_MAX_COUNT));
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

/* What inputs are standardised by, or what the outputs of a network for values mean. */
static json_t *pack_scales(const double *mean, const double *scale, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++)
        if (json_array_append_new(array, json_pack("{s:o, s:o}", "mean", pack_real(mean[i]),
                                                   "scale", pack_real(scale[i])))) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *pack_classes(const glia_network *network)
{
    json_t *classes = json_array();
    for (size_t i = 0; i < gi_network_classes(network); i++)
        if (json_array_append_new(classes, pack_name(glia_network_class_name(network, i)))) {
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
    for (size_t i = 0; i < GI_MODEL_SETTINGS; i++) {
        double value;
        memcpy(&value, (const char *)record + gi_model_settings[i].offset, sizeof value);
        if (value != 0)
            failed |= json_object_set_new(training, gi_model_settings[i].key, pack_real(value));
    }
    if (record->class_weights)
        failed |= json_object_set_new(training, "class_weights", pack_class_weights(record));
    return failed;
}

/* What of the data it has learned from: {held_out: [{part, seed} or {part, last}], fingerprint}. */
static json_t *pack_rows(const gi_learned_rows *rows)
{
    json_t *divisions = json_array();
    int failed = 0;
    for (size_t i = 0; i < rows->lineage.n; i++) {
        const gi_division *division = &rows->lineage.of[i];
        failed |= json_array_append_new(
            divisions,
            division->is_last
                ? json_pack("{s:o, s:b}", "part", pack_real(division->held_out), "last", 1)
                : json_pack("{s:o, s:o}", "part", pack_real(division->held_out), "seed",
                            pack_seed(division->seed)));
    }
    if (failed) {
        json_decref(divisions);
        divisions = NULL;
    }
    json_t *object = json_pack("{s:o, s:I}", "held_out", divisions, "fingerprint",
                               (json_int_t)rows->fingerprint);
    if (object && rows->is_validated)
        failed |= json_object_set_new(object, "validates", json_true());
    if (object && rows->group[0])
        failed |= json_object_set_new(object, rows->group_is_text ? "group" : "number_group",
                                      pack_text(rows->group));
    if (!failed) return object;
    json_decref(object);
    return NULL;
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
    if (record->id[0]) failed |= json_object_set_new(training, "id", pack_text(record->id));
    if (record->rows.is_known)
        failed |= json_object_set_new(training, "rows", pack_rows(&record->rows));
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
                  gi_model_forms[input->form]);
    int failed = 0; /* only what is done, or other than in the first files, is there */
    if (network->loss != GLIA_LOSS_CROSS_ENTROPY &&
        json_object_set_new(architecture, "loss", json_string(glia_loss_name(network->loss)))) {
        json_decref(architecture);
        architecture = NULL;
    }
    if (input->channels > 1)
        failed |= json_object_set_new(preprocessing, "channels", pack_count(input->channels));
    if (network->output.mean)
        failed |= json_object_set_new(
            preprocessing, "outputs",
            pack_scales(network->output.mean, network->output.scale, gi_network_classes(network)));
    if (input->from_zero) failed |= json_object_set_new(preprocessing, "from_zero", json_true());
    if (input->preprocess & GLIA_DESKEW)
        failed |= json_object_set_new(preprocessing, "deskew", json_true());
    if (input->preprocess & GLIA_CENTRE)
        failed |= json_object_set_new(preprocessing, "centre", json_true());
    if (input->preprocess & GLIA_STANDARDISE)
        failed |= json_object_set_new(preprocessing, "standardise", json_true());
    if (input->mean)
        failed |= json_object_set_new(preprocessing, "inputs",
                                      pack_scales(input->mean, input->scale, input->n_scales));
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
