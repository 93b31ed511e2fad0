/* SPDX-License-Identifier: MIT */
/* The form of the training data, kept by the network, and pictures brought into it. */
#include "train/input_form.h"

#include "base/memory.h"
#include "data/readers.h"

glia_status gi_input_form_of(const glia_network *network, const glia_dataset *dataset,
                             gi_input_form *form, char ***class_names, glia_error *error)
{
    /* A set may have fewer classes than the network; then the names stay those of the network. */
    const bool same = dataset->classes == gi_network_classes(network);
    char *const *names = same ? dataset->class_names : network->class_names;
    char **copies = gi_copy_names((const char *const *)names, gi_network_classes(network), error);
    if (!copies) return GLIA_NO_MEMORY;
    *class_names = copies;
    *form = (gi_input_form){
        .height = dataset->height,
        .width = dataset->width,
        .form = (int)dataset->form,
        .divisor = dataset->divisor,
        .preprocess = network->input.preprocess,
    };
    return GLIA_OK;
}

void gi_input_form_swap(glia_network *network, gi_input_form *form, char ***class_names)
{
    const gi_input_form old_form = network->input;
    char **old_names = network->class_names;
    network->input = *form;
    network->class_names = *class_names;
    *form = old_form;
    *class_names = old_names;
}

glia_status glia_network_fit_image(const glia_network *network, const glia_image *image, uint8_t *x,
                                   bool *changed, glia_error *error)
{
    const gi_input_form *input = &network->input;
    if (input->form == GI_FORM_NONE || input->height == 0)
        return gi_fail(error, GLIA_MISMATCH,
                       "the network reads %zu numbers a sample, not images; give it rows of a data "
                       "set",
                       gi_network_inputs(network));
    return gi_image_fit(image, input->form, input->height, input->width, x, changed, error);
}
