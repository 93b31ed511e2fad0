/* SPDX-License-Identifier: MIT */
/* What a network keeps of the form of its data. */
#ifndef GLIA_TRAIN_INPUT_FORM_H
#define GLIA_TRAIN_INPUT_FORM_H

#include "data/dataset.h"
#include "net/network.h"

/* The network takes over the data set's scaling, image form and class names. */
glia_status gi_network_adopt(glia_network *network, const glia_dataset *dataset, glia_error *error);

#endif
