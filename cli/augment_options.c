/* SPDX-License-Identifier: MIT */
/* How images are distorted, as options say it. */
#include "augment_options.h"

#include "output.h"

void augment_set_defaults(augment_options *options)
{
    *options = (augment_options){false, -1, -1, -1, -1, -1, -1, -1, -1};
}

bool augment_check(const char *command, const augment_options *options)
{
    if (options->elastic_sigma >= 0 && augment_settings(options).elastic_alpha == 0) {
        complain("%s: --elastic-sigma smooths the displacements of --elastic; add --elastic 25, "
                 "say",
                 command);
        return false;
    }
    if (options->fade_to >= 0 && !(options->fade > 0)) {
        complain("%s: --augment-fade-to is where --augment-fade ends; add --augment-fade 0.5, say",
                 command);
        return false;
    }
    if (options->fade > 0 && !augment_is_some(options)) {
        complain("%s: --augment-fade lets distortions shrink, and there are none; add --augment, "
                 "or --rotate 10, say",
                 command);
        return false;
    }
    return true;
}

bool augment_is_some(const augment_options *options)
{
    const glia_augmentation a = augment_settings(options);
    return a.shift > 0 || a.rotation > 0 || a.scale > 0 || a.shear > 0 || a.elastic_alpha > 0;
}

glia_augmentation augment_settings(const augment_options *o)
{
    const glia_augmentation usual = glia_augmentation_default();
    glia_augmentation a = o->usual ? usual : (glia_augmentation){0};
    if (o->shift >= 0) a.shift = o->shift;
    if (o->rotation >= 0) a.rotation = o->rotation;
    if (o->scale >= 0) a.scale = o->scale;
    if (o->shear >= 0) a.shear = o->shear;
    if (o->elastic >= 0) a.elastic_alpha = o->elastic;
    if (a.elastic_alpha > 0)
        a.elastic_sigma = o->elastic_sigma >= 0 ? o->elastic_sigma : usual.elastic_sigma;
    else
        a.elastic_sigma = 0;
    if (o->fade > 0) a.fade = o->fade;
    if (o->fade_to > 0) a.fade_to = o->fade_to;
    return a;
}
