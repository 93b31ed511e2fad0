/* SPDX-License-Identifier: MIT */
/* Decides what settings leave to each other. */
#include "model/settings.h"
#include "train/optimizer.h"
#include "train/schedule.h"

glia_status glia_settings_settle(glia_settings *s, glia_error *error)
{
    glia_status status = gi_settings_check(s, error);
    if (!status) status = gi_descent_settle(s, error);
    if (status) return status;
    gi_schedule_settle(s);
    const glia_augmentation how = gi_settings_augmentation(s);
    s->shift = how.shift;
    s->rotation = how.rotation;
    s->scale = how.scale;
    s->shear = how.shear;
    s->elastic_alpha = how.elastic_alpha;
    s->elastic_sigma = how.elastic_alpha > 0 ? how.elastic_sigma : NAN;
    return GLIA_OK;
}
