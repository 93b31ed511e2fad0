/* SPDX-License-Identifier: MIT */
/* The options that say how images are distorted, for every command that has them. */
#ifndef GLIA_CLI_AUGMENT_OPTIONS_H
#define GLIA_CLI_AUGMENT_OPTIONS_H

#include "glia.h"
#include "options.h"

/* A number below 0 was not given. */
typedef struct augment_options {
    bool usual; /* --augment */
    double shift, rotation, scale, shear, elastic, elastic_sigma;
    double fade, fade_to;
} augment_options;

/* Rows of the table of a command whose struct (type) has augment_options as field. */
/* clang-format off */
#define AUGMENT_OPTIONS(type, field)                                                               \
    {.kind = OPTION_HEADING, .name = "Augmentation"},                                              \
    {.kind = OPTION_FLAG, .name = "augment", .offset = offsetof(type, field.usual),                \
     .help = "distort each image anew in every epoch, as fits handwritten digits: shift 1.5, "      \
             "rotate 11.5, scale 0.15, shear 0.2, elastic 25; the options below override these"},                                                                              \
    {.kind = OPTION_REAL, .name = "shift", .metavar = "X", .offset = offsetof(type, field.shift),  \
     .max = 1e6, .shown_default = "0",                                                             \
     .help = "shift by up to X pixels along each axis, and fill in background"},                     \
    {.kind = OPTION_REAL, .name = "rotate", .metavar = "X",                                        \
     .offset = offsetof(type, field.rotation), .max = 180, .shown_default = "0",                   \
     .help = "rotate by up to X degrees"},                                                         \
    {.kind = OPTION_REAL, .name = "scale", .metavar = "X", .offset = offsetof(type, field.scale),  \
     .max = 1, .below_max = true, .shown_default = "0",                                            \
     .help = "scale each axis by a factor from 1 - X to 1 + X"},                                   \
    {.kind = OPTION_REAL, .name = "shear", .metavar = "X", .offset = offsetof(type, field.shear),  \
     .max = 100, .shown_default = "0",                                                             \
     .help = "shear: each row moves by up to X of its distance from the middle"},                  \
    {.kind = OPTION_REAL, .name = "elastic", .metavar = "ALPHA",                                   \
     .offset = offsetof(type, field.elastic), .max = 1e6, .shown_default = "0",                    \
     .help = "elastic distortion: displacements of up to ALPHA pixels, smoothed (Simard, "         \
             "Steinkraus and Platt 2003)"},                                                        \
    {.kind = OPTION_REAL, .name = "elastic-sigma", .metavar = "SIGMA",                             \
     .offset = offsetof(type, field.elastic_sigma), .max = 1000, .above_min = true,                \
     .shown_default = "4", .help = "standard deviation of the smoothing Gaussian in pixels"}

/* ... where images are trained on. */
#define AUGMENT_FADE_OPTIONS(type, field)                                                          \
    {.kind = OPTION_REAL, .name = "augment-fade", .metavar = "X",                                  \
     .offset = offsetof(type, field.fade), .max = 1, .shown_default = "0",                         \
     .help = "let the distortions shrink over this last part of the epochs"},                      \
    {.kind = OPTION_REAL, .name = "augment-fade-to", .metavar = "X",                               \
     .offset = offsetof(type, field.fade_to), .max = 1, .shown_default = "0",                      \
     .help = "the part of the distortions that remains at the end"}
/* clang-format on */

void augment_set_defaults(augment_options *options);

/* Complains, and returns false, when options lack another that they need. */
bool augment_check(const char *command, const augment_options *options);

/* Whether they distort anything. */
bool augment_is_some(const augment_options *options);

/* What they say; all zero: nothing is distorted. */
glia_augmentation augment_settings(const augment_options *options);

#endif
