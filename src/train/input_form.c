/* SPDX-License-Identifier: MIT */
/* The form of the training data, kept by the network, and pictures brought into it. */
#include "train/input_form.h"

#include "data/readers.h"

glia_status gi_network_adopt(glia_network *network, const glia_dataset *dataset, glia_error *error)
{
    network->input = (gi_input_form){
        .height = dataset->height,
        .width = dataset->width,
        .form = (int)dataset->form,
        .divisor = dataset->divisor,
    };
    /* A set may have fewer classes than the network; then the names stay those of the network. */
    if (dataset->classes != gi_network_classes(network)) return GLIA_OK;
    return gi_network_set_class_names(network, (const char *const *)dataset->class_names, error);
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
