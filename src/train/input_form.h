/* SPDX-License-Identifier: MIT */
/* What a network keeps of the form of its data. */
#ifndef GLIA_TRAIN_INPUT_FORM_H
#define GLIA_TRAIN_INPUT_FORM_H

#include "data/dataset.h"
#include "net/network.h"

/*
 * The form of the data set's samples and its class names (one block, to be freed with gi_free), as
 * a network that learns from it keeps them.
 */
glia_status gi_input_form_of(const glia_network *network, const glia_dataset *dataset,
                             gi_input_form *form, char ***class_names, glia_error *error);

/* Exchanges them with the network's. */
void gi_input_form_swap(glia_network *network, gi_input_form *form, char ***class_names);

#endif
