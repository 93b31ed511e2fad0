/* SPDX-License-Identifier: MIT */
/* How pictures from outside are brought into the form of a set's images; the model file keeps it.
 */
#ifndef GLIA_MODEL_IMAGE_FORM_H
#define GLIA_MODEL_IMAGE_FORM_H

/* X(NAME, text): the text is what stands in a model file. */
#define GI_IMAGE_FORM_LIST(X)                                                                      \
    X(NONE, "none")   /* samples are no images */                                                  \
    X(SCALE, "scale") /* scaled whole, light on dark */                                            \
    X(MNIST, "mnist") /* a light figure of 20 pixels on black, centred by mass in 28 x 28 */       \
    X(WHOLE, "whole") /* scaled whole, never inverted: images of any ground, or in colour */

enum gi_image_form {
#define X(name, text) GI_FORM_##name,
    GI_IMAGE_FORM_LIST(X)
#undef X
        GI_N_FORMS
};

#endif
