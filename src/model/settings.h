/* SPDX-License-Identifier: MIT */
/*
 * What a network is to be, and how it is to be trained, as plain fields for the code that uses
 * them: struct glia_settings, made from the one list of settings (settings_list.h). glia.h has the
 * same by name, for programs.
 */
#ifndef GLIA_MODEL_SETTINGS_H
#define GLIA_MODEL_SETTINGS_H

#include <math.h>

#include "base/status.h"
#include "model/settings_list.h"

enum { GI_MAX_HIDDEN = GLIA_MAX_LAYERS - 1 };

typedef struct gi_unit_list {
    size_t n; /* hidden layers; 0: a linear model */
    size_t of[GI_MAX_HIDDEN];
} gi_unit_list;

typedef struct gi_activation_list {
    size_t n; /* 1: of all hidden layers */
    glia_activation of[GI_MAX_HIDDEN];
} gi_activation_list;

/* How much a sample of each class counts. */
typedef struct gi_class_weights {
    bool is_balanced; /* by how often each class occurs in the training set */
    size_t n;         /* 0: all alike */
    double *of;       /* (n), owned by the settings; NULL: none */
} gi_class_weights;

/*
 * Random distortions of images, drawn anew for each image and epoch, all independent of each other.
 * All zero: none. One bilinear resampling about the image's centre; outside it all is 0.
 */
typedef struct glia_augmentation {
    double shift;         /* pixels along each axis, uniform in [-shift, shift] */
    double rotation;      /* degrees, uniform in [-rotation, rotation] */
    double scale;         /* a factor for each axis, uniform in [1 - scale, 1 + scale]; below 1 */
    double shear;         /* pixels to the side a pixel of height, uniform in [-shear, shear] */
    double elastic_alpha; /* Simard, Steinkraus and Platt 2003: displacements of each pixel along */
    double elastic_sigma; /*   each axis, uniform in [-1, 1], smoothed by a Gaussian whose standard
                           *   deviation is sigma pixels, times alpha */
    double fade;    /* over this last part of training's epochs, 0 to 1, all of the above but */
    double fade_to; /*   sigma shrink linearly, from 1 to fade_to times what they are, 0 to 1
                     *   (He et al. 2019, arXiv:1909.09148, end without distortions) */
} glia_augmentation;

/*
 * For handwritten digits of 28 x 28 pixels: shift 1.5, rotation 11.5, scale 0.15, shear 0.2, and
 * elastic displacements with alpha 25 and sigma 4, whose standard deviation is about 1 pixel.
 */
glia_augmentation glia_augmentation_default(void);

/* What is done, or not, or decided by the data. */
typedef enum gi_switch { GI_AUTO, GI_YES, GI_NO } gi_switch;

/* The C type of each KIND. */
typedef double gi_setting_REAL;
typedef size_t gi_setting_COUNT;
typedef uint64_t gi_setting_SEED;
typedef int gi_setting_THREADS;
typedef bool gi_setting_FLAG;
typedef gi_unit_list gi_setting_UNITS;
typedef gi_activation_list gi_setting_ACTIVATIONS;
typedef gi_class_weights gi_setting_WEIGHTS;
typedef gi_switch gi_setting_SWITCH;
typedef glia_loss gi_setting_LOSS;
typedef glia_init gi_setting_INIT;
typedef glia_optimizer gi_setting_OPTIMIZER;
typedef glia_schedule gi_setting_SCHEDULE;
typedef glia_engine gi_setting_ENGINE;
typedef glia_precision gi_setting_PRECISION;

enum {
#define X(kind, field, ...) GI_SETTING_##field,
    GI_SETTINGS_LIST(X)
#undef X
        GI_N_SETTINGS
};

struct glia_settings {
#define X(kind, field, ...) gi_setting_##kind field;
    GI_SETTINGS_LIST(X)
#undef X
    bool is_given[GI_N_SETTINGS]; /* set by the caller, not the default */

    /* What a run calls and keeps: of glia_train alone. */
    glia_train_progress *progress;
    glia_train_diagnosis *diagnosis;
    const glia_dataset *whole; /* what the diagnosis looks at, borrowed; NULL: the training set */
    void *user;
    const char *checkpoint; /* the file, owned; or NULL */
    size_t checkpoint_steps;
    double checkpoint_seconds;
    bool resume;
};

/* The defaults. Freed by gi_settings_clear. */
glia_settings gi_settings_defaults(void);
void gi_settings_clear(glia_settings *settings);

/* *out becomes an equal one; it holds nothing that is to be freed before. NO_MEMORY: it is as it
 * was. */
glia_status gi_settings_copy(const glia_settings *settings, glia_settings *out, glia_error *error);

/* Whether every field is within its bounds, as by-name setters have it: BAD_ARGUMENT. */
glia_status gi_settings_check(const glia_settings *settings, glia_error *error);

/* How images are distorted: what augment and the numbers beside it come to. */
glia_augmentation gi_settings_augmentation(const glia_settings *settings);

/* Flags of glia_preprocess: what the network does to each sample. */
unsigned gi_settings_preprocess(const glia_settings *settings);

/* The activation of a hidden layer. */
glia_activation gi_settings_activation(const glia_settings *settings, size_t layer);

/* ---- What is known of each ------------------------------------------------------------------ */

typedef enum gi_setting_type {
    GI_TYPE_REAL,
    GI_TYPE_COUNT,
    GI_TYPE_SEED,
    GI_TYPE_THREADS,
    GI_TYPE_FLAG,
    GI_TYPE_CHOICE,
    GI_TYPE_UNITS,
    GI_TYPE_ACTIVATIONS,
    GI_TYPE_WEIGHTS
} gi_setting_type;

typedef enum gi_setting_bounds { GI_CLOSED, GI_ABOVE, GI_BELOW, GI_ON_AUTO } gi_setting_bounds;
typedef enum gi_setting_record {
    GI_NEVER,
    GI_FIRST,
    GI_ALWAYS,
    GI_IF_SET,
    GI_IMAGES,
    GI_IMAGES_IF_SET
} gi_setting_record;

typedef struct gi_setting {
    const char *name, *key; /* of the option, of JSON */
    gi_setting_type type;
    size_t group;  /* its heading is gi_setting_headings[group] */
    size_t offset; /* in struct glia_settings */
    double by_default, min, max;
    gi_setting_bounds bounds;
    gi_setting_record record;
    const char *metavar, *shown, *help;
    const char *const *choices; /* n_choices names, NULL at the end; or NULL */
    size_t n_choices;
} gi_setting;

extern const gi_setting gi_settings[GI_N_SETTINGS];
extern const char *const gi_setting_headings[];

/* By the name of its option or its key, '-' and '_' alike; NULL if there is none. */
const gi_setting *gi_setting_find(const char *name);

/* Its field. */
static inline void *gi_setting_field(const gi_setting *setting, const glia_settings *settings)
{
    return (char *)(uintptr_t)settings + setting->offset;
}

/* A number's value, whatever its type: of a choice its place among the names. */
double gi_setting_number(const gi_setting *setting, const glia_settings *settings);

/* Whether a number lies within the bounds of its setting, or is the automatic one. */
bool gi_setting_in_bounds(const gi_setting *setting, double value);

/* What a value must be: "a number of at least 0 and below 1". */
void gi_setting_expected(const gi_setting *setting, char *text, size_t size);

#endif
