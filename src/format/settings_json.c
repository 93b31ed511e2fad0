/* SPDX-License-Identifier: MIT */
/* From settings to JSON; model_unpack.c reads the record. */
#include "format/settings_json.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "format/json.h"

json_t *gi_seed_pack(uint64_t seed)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    return json_string(text);
}

const char *gi_setting_image_key(const gi_setting *setting)
{
    static const char prefix[] = "augment_";
    const size_t n = sizeof prefix - 1;
    return strncmp(setting->key, prefix, n) == 0 ? setting->key + n : setting->key;
}

/* Appends to an array; NULL, with both freed, for want of memory. */
static json_t *append(json_t *array, json_t *value)
{
    if (!array || json_array_append_new(array, value) == 0) return array;
    json_decref(array);
    return NULL;
}

static json_t *pack_weights(const gi_class_weights *weights)
{
    if (weights->is_balanced) return json_string("balanced");
    json_t *array = json_array();
    for (size_t i = 0; i < weights->n && array; i++)
        array = append(array, json_real(weights->of[i]));
    return array;
}

static json_t *pack_count(const gi_setting *s, const glia_settings *settings)
{
    const size_t count = *(const size_t *)gi_setting_field(s, settings);
    return json_integer((json_int_t)(count < GI_MAX_COUNT ? count : GI_MAX_COUNT));
}

/* Its value; NULL for want of memory. */
static json_t *pack(const gi_setting *s, const glia_settings *settings)
{
    const double value = gi_setting_number(s, settings);
    json_t *array;
    switch (s->type) {
    case GI_TYPE_REAL:
        /* JSON has neither NaN nor infinities. */
        return isnan(value) ? json_null() : json_real(fmax(-DBL_MAX, fmin(value, DBL_MAX)));
    case GI_TYPE_COUNT:
        return s->bounds == GI_ON_AUTO && value == 0 ? json_null() : pack_count(s, settings);
    case GI_TYPE_THREADS:
        return json_integer((json_int_t)value);
    case GI_TYPE_SEED:
        return settings->seed <= 1ULL << 53 ? json_integer((json_int_t)settings->seed)
                                            : gi_seed_pack(settings->seed);
    case GI_TYPE_FLAG:
        return json_boolean(value != 0);
    case GI_TYPE_CHOICE:
        return json_string(s->choices[(size_t)value]);
    case GI_TYPE_UNITS:
        array = json_array();
        for (size_t i = 0; i < settings->hidden.n && array; i++)
            array = append(array, json_integer((json_int_t)settings->hidden.of[i]));
        return array;
    case GI_TYPE_ACTIVATIONS: /* one for each layer */
        array = json_array();
        for (size_t i = 0; i < settings->hidden.n && array; i++) {
            const glia_activation activation =
                settings->activation.of[settings->activation.n > 1 ? i : 0];
            array = append(array, json_string(glia_activation_name(activation)));
        }
        return array;
    case GI_TYPE_WEIGHTS:
        return settings->class_weights.n > 0 || settings->class_weights.is_balanced
                   ? pack_weights(&settings->class_weights)
                   : json_null();
    }
    return NULL;
}

glia_status glia_settings_json(const glia_settings *settings, char **json, glia_error *error)
{
    json_t *object = json_object();
    int failed = !object;
    for (size_t i = 0; i < GI_N_SETTINGS && !failed; i++)
        failed = json_object_set_new(object, gi_settings[i].key, pack(&gi_settings[i], settings));
    if (failed) {
        json_decref(object);
        object = NULL;
    }
    char *text = gi_json_write(object, error);
    json_decref(object);
    if (!text) return GLIA_NO_MEMORY;
    *json = text;
    return GLIA_OK;
}

/* ---- The record of a model file ------------------------------------------------------------- */

static bool is_set(const gi_setting *s, const glia_settings *settings)
{
    if (s->type == GI_TYPE_WEIGHTS) return settings->class_weights.n > 0;
    const double value = gi_setting_number(s, settings);
    return value != 0 && !isnan(value);
}

/* In files a number that nothing looks at is 0, but for the first ones, and a seed is a text. */
static json_t *pack_recorded(const gi_setting *s, const glia_settings *settings)
{
    if (s->type == GI_TYPE_SEED) return gi_seed_pack(settings->seed);
    if (s->type == GI_TYPE_REAL && s->record != GI_FIRST && isnan(gi_setting_number(s, settings)))
        return json_real(0);
    return s->type == GI_TYPE_COUNT ? pack_count(s, settings) : pack(s, settings);
}

static bool is_augmented(const glia_settings *s)
{
    return s->shift > 0 || s->rotation > 0 || s->scale > 0 || s->shear > 0 || s->elastic_alpha > 0;
}

int gi_settings_pack_record(const glia_settings *settings, json_t *training)
{
    json_t *images = is_augmented(settings) ? json_object() : NULL;
    int failed = !images && is_augmented(settings) ? -1 : 0;
    for (size_t i = 0; i < GI_N_SETTINGS; i++) {
        const gi_setting *s = &gi_settings[i];
        switch (s->record) {
        case GI_NEVER:
            break;
        case GI_FIRST:
        case GI_ALWAYS:
            failed |= json_object_set_new(training, s->key, pack_recorded(s, settings));
            break;
        case GI_IF_SET:
            if (is_set(s, settings))
                failed |= json_object_set_new(training, s->key, pack_recorded(s, settings));
            break;
        case GI_IMAGES:
            if (images) failed |= json_object_set_new(images, s->key, pack_recorded(s, settings));
            break;
        case GI_IMAGES_IF_SET:
            if (images && settings->augment_fade > 0)
                failed |= json_object_set_new(images, gi_setting_image_key(s), pack(s, settings));
            break;
        }
    }
    if (images) failed |= json_object_set_new(training, "augmentation", images);
    return failed;
}
