/* SPDX-License-Identifier: MIT */
/* Settings as JSON: all of them, or what a model file keeps of those that it was trained by. */
#ifndef GLIA_FORMAT_SETTINGS_JSON_H
#define GLIA_FORMAT_SETTINGS_JSON_H

#include <jansson.h>

#include "model/settings.h"

/* The largest integer that JSON readers in C keep; a larger count is written as this one. */
#define GI_MAX_COUNT ((size_t)(INT64_MAX < SIZE_MAX ? INT64_MAX : SIZE_MAX))

/* A decimal string: readers of JSON may keep no more than 53 bits of a number. */
json_t *gi_seed_pack(uint64_t seed);

/* Adds settled settings to the object "training" of a model file, by their GI_... record; 0, or -1
 * for want of memory. */
int gi_settings_pack_record(const glia_settings *settings, json_t *training);

/* The key of a distortion within "augmentation": augment_fade is fade there. */
const char *gi_setting_image_key(const gi_setting *setting);

#endif
