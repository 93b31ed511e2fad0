/* SPDX-License-Identifier: MIT */
/* Fuzzes the reader of model files: container, JSON, description and weights. A model that is read
 * must be one that can be described and used. */
#include "format/model_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    glia_error error = {0};
    glia_network *network = NULL;
    const glia_status status = gi_model_parse("model.safetensors", data, size, &network, &error);
    if (status != GLIA_OK) {
        if (network || error.status != status || !error.message[0]) __builtin_trap();
        return 0;
    }
    char *json = NULL;
    if (glia_network_metadata(network, &json, &error) != GLIA_OK) __builtin_trap();
    glia_string_free(json);
    glia_network_free(network);
    return 0;
}
