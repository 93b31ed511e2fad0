/* SPDX-License-Identifier: MIT */
/* Initial weights. */
#ifndef GLIA_NET_INIT_H
#define GLIA_NET_INIT_H

#include "net/network.h"

/* Draws every layer's weights by init (see GLIA_INIT_LIST), a stream a layer; biases 0. */
glia_status gi_network_initialise(glia_network *network, glia_init init, uint64_t seed,
                                  glia_error *error);

#endif
