/* SPDX-License-Identifier: MIT */
/*
 * Calls of the public interface with the lengths that the network or the data set has: for tests
 * whose arrays fit, and which are about something else.
 */
#ifndef GLIA_TESTS_WHOLE_H
#define GLIA_TESTS_WHOLE_H

#include "glia.h"

static inline glia_status whole_sample(const glia_dataset *d, size_t index, void *x,
                                       uint32_t *label, glia_error *error)
{
    return glia_dataset_sample(d, index, x, glia_dataset_describe(d).features, label, error);
}

static inline glia_status whole_targets(const glia_dataset *d, size_t index, float *targets,
                                        glia_error *error)
{
    return glia_dataset_sample_targets(d, index, targets, glia_dataset_describe(d).classes, error);
}

static inline glia_status whole_targets_f64(const glia_dataset *d, size_t index, double *targets,
                                            glia_error *error)
{
    return glia_dataset_sample_targets_f64(d, index, targets, glia_dataset_describe(d).classes,
                                           error);
}

static inline glia_status whole_set_weights(glia_dataset *d, const float *weights,
                                            glia_error *error)
{
    return glia_dataset_set_weights(d, weights, glia_dataset_describe(d).samples, error);
}

static inline glia_status whole_set_names(glia_dataset *d, const char *const *names,
                                          glia_error *error)
{
    return glia_dataset_set_class_names(d, names, glia_dataset_describe(d).classes, error);
}

static inline glia_status whole_get_layer(const glia_network *network, size_t layer, float *weight,
                                          float *bias, glia_error *error)
{
    const glia_layer_info l = glia_network_layer(network, layer);
    return glia_network_get_layer(network, layer, weight, l.units * l.inputs, bias, l.units, error);
}

static inline glia_status whole_set_layer(glia_network *network, size_t layer, const float *weight,
                                          const float *bias, glia_error *error)
{
    const glia_layer_info l = glia_network_layer(network, layer);
    return glia_network_set_layer(network, layer, weight, l.units * l.inputs, bias, l.units, error);
}

static inline glia_status whole_get_norm(const glia_network *network, size_t layer, float *scale,
                                         float *shift, float *mean, float *variance,
                                         glia_error *error)
{
    const size_t units = glia_network_layer(network, layer).units;
    return glia_network_get_norm(network, layer, scale, shift, mean, variance, units, error);
}

static inline glia_status whole_set_norm(glia_network *network, size_t layer, const float *scale,
                                         const float *shift, const float *mean,
                                         const float *variance, glia_error *error)
{
    const size_t units = glia_network_layer(network, layer).units;
    return glia_network_set_norm(network, layer, scale, shift, mean, variance, units, error);
}

static inline glia_status whole_encode(const glia_network *network, const glia_cell *cells,
                                       size_t n, float *x, glia_error *error)
{
    return glia_network_encode(network, cells, n, x, glia_network_describe(network).inputs, error);
}

static inline glia_status whole_fit_image(const glia_network *network, const glia_image *image,
                                          uint8_t *x, bool *changed, glia_error *error)
{
    return glia_network_fit_image(network, image, x, glia_network_describe(network).inputs, changed,
                                  error);
}

static inline glia_status whole_predict(const glia_network *network, glia_type type, const void *x,
                                        size_t n, float *outputs, glia_error *error)
{
    const glia_network_info info = glia_network_describe(network);
    return glia_predict(network, type, x, n, info.inputs, outputs, info.classes, error);
}

static inline glia_status whole_predict_f64(const glia_network *network, glia_type type,
                                            const void *x, size_t n, double *outputs,
                                            glia_error *error)
{
    const glia_network_info info = glia_network_describe(network);
    return glia_predict_f64(network, type, x, n, info.inputs, outputs, info.classes, error);
}

static inline glia_status whole_activations(const glia_network *network, size_t layer,
                                            glia_type type, const void *x, size_t n, float *out,
                                            glia_error *error)
{
    return glia_network_activations(network, layer, type, x, n,
                                    glia_network_describe(network).inputs, out,
                                    glia_network_layer(network, layer).units, error);
}

static inline glia_status whole_evaluate(const glia_network *network, const glia_dataset *dataset,
                                         int threads, glia_metrics *metrics, uint64_t *confusion,
                                         glia_error *error)
{
    return glia_evaluate(network, dataset, threads, metrics, confusion,
                         glia_network_describe(network).classes, error);
}

#endif
