/* SPDX-License-Identifier: MIT */
/* A sample in the form that a plan's first layer reads: bytes, floats, bf16, or a list of its
 * non-zeros; scaled, standardised, with noise and dropout. */
#ifndef GLIA_FEED_ROW_H
#define GLIA_FEED_ROW_H

#include "net/workspace.h"

/*
 * Puts a sample (inputs), an image as it is to be seen, into row r of the workspace, with the noise
 * and dropout that the workspace is set to, drawn for a place in an epoch's order.
 */
void gi_row_put(const glia_network *network, const gi_plan *plan, gi_workspace *workspace, size_t r,
                glia_type type, const void *sample, uint32_t epoch, uint64_t place);

/* The same of a sample of which only the non-zeros are there: with a plan of most_pairs > 0. */
void gi_row_put_pairs(const glia_network *network, const gi_plan *plan, gi_workspace *workspace,
                      size_t r, const gi_pairs *sample);

#endif
