/* SPDX-License-Identifier: MIT */
/*
 * What a model file says in words, beside its tensors: one JSON object in its metadata.
 * glia_network_metadata() packs it (model_pack.c), gi_model_unpack() reads it (model_unpack.c);
 * docs/model-file.md says what its keys mean.
 */
#ifndef GLIA_FORMAT_MODEL_DESCRIPTION_H
#define GLIA_FORMAT_MODEL_DESCRIPTION_H

#include "format/json.h"
#include "format/settings_json.h"
#include "model/image_form.h"
#include "net/network.h"

extern const char *const gi_model_forms[GI_N_FORMS]; /* names of GI_FORM_... */

/* What the metadata says, checked. */
typedef struct gi_model_description {
    size_t inputs, n_layers;
    size_t units[GLIA_MAX_LAYERS];
    glia_activation activations[GLIA_MAX_LAYERS];
    bool batch_norm[GLIA_MAX_LAYERS];
    glia_loss loss;
    gi_input_form input; /* with its scales */
    gi_schema *schema;   /* or NULL */
    gi_output_form output;
    const char **class_names; /* borrowed from the JSON */
    gi_training_record record;
} gi_model_description;

/*
 * Reads a description into *out, which is all zero before. BAD_FORMAT: place, key, what was found,
 * what was expected. Names of classes are borrowed from the object; also after a failure, what is
 * there is freed by gi_model_description_free().
 */
glia_status gi_model_unpack(const char *place, const json_t *object, gi_model_description *out,
                            glia_error *error);
void gi_model_description_free(gi_model_description *description);

#endif
