/* SPDX-License-Identifier: MIT */
/* What a network keeps of the form of its data. */
#ifndef GLIA_FEED_INPUT_FORM_H
#define GLIA_FEED_INPUT_FORM_H

#include "data/encoding/encoding.h"
#include "net/network.h"

/* To be freed by gi_data_form_free. */
typedef struct gi_data_form {
    gi_input_form input;
    gi_output_form output;
    char **class_names; /* one block */
    gi_schema *schema;  /* or NULL */
} gi_data_form;

/* How a network reads the rows of a table. */
gi_reading gi_network_reading(const glia_network *network);

/* glia_dataset_open_for; ignores_targets: the samples are to be predicted, whatever they are. */
glia_status gi_open_for(const glia_network *network, const char *name, glia_split split,
                        const glia_data_params *params, bool ignores_targets, glia_dataset **out,
                        glia_error *error);

/*
 * What a network that learns from the data set keeps of it. The schema and the output form of a
 * network that has them stay: its weights mean something by them.
 */
glia_status gi_data_form_of(const glia_network *network, const glia_dataset *dataset,
                            gi_data_form *out, glia_error *error);
void gi_data_form_free(gi_data_form *form);

/* Exchanges it with the network's. */
void gi_data_form_swap(glia_network *network, gi_data_form *form);

/* x (features) = a sample's features, divided by the divisor. */
void gi_read_features(const glia_dataset *dataset, const void *row, float *x);

/* A sample's targets (outputs), as the network's last sums are to be. */
void gi_read_targets(const glia_network *network, const glia_dataset *dataset, size_t index,
                     float *scaled);

#endif
