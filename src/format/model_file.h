/* SPDX-License-Identifier: MIT */
/*
 * The model file: safetensors with glia's description of the network in its metadata, under the
 * key "glia", as one JSON object. docs/model-file.md says what each of its keys means.
 */
#ifndef GLIA_FORMAT_MODEL_FILE_H
#define GLIA_FORMAT_MODEL_FILE_H

#include "net/network.h"

/* Reads a model from bytes (path is for messages), so that a fuzzer can call it. */
glia_status gi_model_parse(const char *path, const uint8_t *bytes, size_t n_bytes,
                           glia_network **out, glia_error *error);

#endif
