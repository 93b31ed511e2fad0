/* SPDX-License-Identifier: MIT */
/* Predicting: samples in, probabilities out. */
#include "net/workspace.h"

glia_status glia_predict(const glia_network *network, glia_type type, const void *x, size_t n,
                         float *probabilities, glia_error *error)
{
    enum { ROWS = 32 }; /* at a time: they stay in cache from layer to layer */
    if (type != GLIA_U8 && type != GLIA_F32)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "type: found %d, expected GLIA_U8 or GLIA_F32",
                       (int)type);
    const size_t inputs = gi_network_inputs(network), classes = gi_network_classes(network);
    const size_t sample_bytes = inputs * (type == GLIA_U8 ? 1 : sizeof(float));
    gi_workspace workspace = {0};
    gi_scratch scratch = {{0}, NULL};
    glia_status status = gi_workspace_new(network, n < ROWS ? n : ROWS, false, &workspace, error);
    if (!status) status = gi_scratch_new(network, 0, &scratch, error);
    for (size_t first = 0; first < n && !status; first += ROWS) {
        const size_t rows = n - first < ROWS ? n - first : ROWS;
        for (size_t r = 0; r < rows; r++)
            gi_workspace_load(network, &workspace, r, type,
                              (const char *)x + (first + r) * sample_bytes);
        gi_network_forward(network, &workspace, 0, rows, &scratch);
        network->engine->softmax(workspace.activation[network->n_layers - 1], classes,
                                 probabilities + first * classes, rows);
    }
    gi_scratch_free(&scratch);
    gi_workspace_free(&workspace);
    return status;
}
