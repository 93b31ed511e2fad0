/* SPDX-License-Identifier: MIT */
/*
 * Says why nothing is learned, as it shows: of the data before the first step, of the network at
 * probes. The trainer calls it from one thread; a NULL gi_diagnosis, of a run that nobody wants
 * diagnosed, does nothing.
 */
#ifndef GLIA_DIAGNOSE_DIAGNOSIS_H
#define GLIA_DIAGNOSE_DIAGNOSIS_H

#include "data/set/dataset.h"
#include "net/network.h"

typedef struct gi_diagnosis gi_diagnosis;

/*
 * Borrows all three; density: of the samples, as gi_dataset_density says. *out is NULL where params
 * have no callback. Allocates all that it will need. The network has the form of its inputs
 * already.
 */
glia_status gi_diagnosis_new(const glia_network *network, const glia_dataset *train, double density,
                             const glia_settings *params, gi_diagnosis **out, glia_error *error);
void gi_diagnosis_free(gi_diagnosis *d);

/* Before the first step, or the first after a checkpoint: judges the data, and the network as it
 * comes. */
void gi_diagnosis_begin(gi_diagnosis *d, size_t epoch, size_t step);

/*
 * Whether the network is to be looked at after so many steps of the run, within an epoch. Any
 * thread may ask: it depends on nothing that changes.
 */
bool gi_diagnosis_is_due(const gi_diagnosis *d, size_t step);

/* Looks at the network, which no thread may be writing, after a step that is due. */
void gi_diagnosis_step(gi_diagnosis *d, size_t epoch, size_t step);

/* How an epoch went. */
typedef struct gi_epoch_figures {
    size_t epoch, step;                          /* both from 1 */
    double train_loss, train_accuracy;           /* each sample's just before it was learned from */
    double validation_loss, validation_accuracy; /* NAN without a validation set */
    size_t validation_samples;
} gi_epoch_figures;

/* Judges a finished epoch, and looks at the network now and then. */
void gi_diagnosis_epoch(gi_diagnosis *d, const gi_epoch_figures *figures);

/* ---- What the data say (diagnosis_data.c) --------------------------------------------------- */

/* Of the labels: all of them, or, where samples are drawn as needed, as if evenly spread. */
typedef struct gi_label_facts {
    double entropy; /* the loss of predicting the frequencies of classes or labels, or the mean */
    double floor;   /* the loss of predicting every label: 0 without smoothing */
    bool all_alike; /* there is nothing to learn */
    /* Of classes alone: */
    double largest;   /* the frequency of the most frequent class */
    size_t n_missing; /* classes without a sample */
    uint32_t first_missing[3];
    uint32_t most_frequent;
} gi_label_facts;

/* params: samples count by their weights, and labels are smoothed, where losses are meant, which
 * are the network's. */
glia_status gi_label_facts_of(const glia_network *network, const glia_dataset *dataset,
                              const glia_settings *params, gi_label_facts *out, glia_error *error);

/* Of the inputs of a few hundred samples, as they enter the network. */
typedef struct gi_input_facts {
    size_t samples;
    bool constant;          /* all samples are the same */
    double largest_rms;     /* of the features' */
    size_t largest_feature; /* its number in the file, as widest_feature */
    double median_rms;      /* of features that are not constant, as what follows */
    double widest_range, median_range;
    size_t widest_feature;
} gi_input_facts;

glia_status gi_input_facts_of(const glia_dataset *dataset, gi_input_facts *out, glia_error *error);

#endif
