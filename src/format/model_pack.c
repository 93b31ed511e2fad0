/* SPDX-License-Identifier: MIT */
/* From a network to its description in a model file. */
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "format/model_description.h"
#include "format/schema_json.h"
#include "format/settings_json.h"

const char *const gi_model_forms[GI_N_FORMS] = {
#define X(name, text) text,
    GI_IMAGE_FORM_LIST(X)
#undef X
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
    return json_integer((json_int_t)(count < GI_MAX_COUNT ? count : GI_MAX_COUNT));
}

static json_t *pack_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null(); /* JSON has no other numbers */
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
                            gi_seed_pack(division->seed)));
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
    };
    int failed = put_members(training, first, sizeof first / sizeof first[0]);
    failed |= gi_settings_pack_record(&record->settings, training);
    const member others[] = {
        {"engine", pack_text(record->engine)},
        {"isa", pack_text(record->isa)},
        {"precision", pack_text(glia_precision_name(record->settings.precision))},
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
    if (input->preprocess & GLIA_PREPROCESS_DESKEW)
        failed |= json_object_set_new(preprocessing, "deskew", json_true());
    if (input->preprocess & GLIA_PREPROCESS_CENTRE)
        failed |= json_object_set_new(preprocessing, "centre", json_true());
    if (input->preprocess & GLIA_PREPROCESS_STANDARDISE)
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
                                       gi_seed_pack(record->init_seed));
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
