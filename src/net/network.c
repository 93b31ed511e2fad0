/* SPDX-License-Identifier: MIT */
/* Networks: their structure, and looking into them. */
#include "net/network.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "model/names.h"

/* ---- Elements -------------------------------------------------------------------------------- */

/* Parameter i of a layer's storage, whatever the engine's type. */
static float read_element(const glia_network *network, const void *array, size_t i)
{
    return network->engine->element_bytes == sizeof(float) ? ((const float *)array)[i]
                                                           : (float)((const double *)array)[i];
}

static void write_element(const glia_network *network, void *array, size_t i, float value)
{
    if (network->engine->element_bytes == sizeof(float))
        ((float *)array)[i] = value;
    else
        ((double *)array)[i] = (double)value;
}

/* ---- Making --------------------------------------------------------------------------------- */

static glia_status check_width(size_t width, size_t limit, const char *what, glia_error *error)
{
    if (width >= 1 && width <= limit) return GLIA_OK;
    return gi_fail(error, GLIA_BAD_ARGUMENT, "%s: found %zu, expected 1 to %zu", what, width,
                   limit);
}

glia_status gi_network_new(size_t inputs, size_t n_hidden, const size_t *hidden,
                           const glia_activation *activations, size_t classes,
                           const gi_engine *engine, glia_network **out, glia_error *error)
{
    glia_status status = check_width(inputs, GLIA_MAX_UNITS, "inputs of the network", error);
    if (!status) status = check_width(classes, GLIA_MAX_CLASSES, "classes of the network", error);
    if (!status && n_hidden > GLIA_MAX_LAYERS - 1)
        status = gi_fail(error, GLIA_BAD_ARGUMENT, "hidden layers: found %zu, expected at most %d",
                         n_hidden, GLIA_MAX_LAYERS - 1);
    for (size_t l = 0; l < n_hidden && !status; l++) {
        status = check_width(hidden[l], GLIA_MAX_UNITS, "units of a hidden layer", error);
        if (!status && (size_t)activations[l] >= GI_N_HIDDEN_ACTIVATIONS)
            status = gi_fail(error, GLIA_BAD_ARGUMENT,
                             "activation of hidden layer %zu: found %s, expected one of "
                             "GLIA_HIDDEN_ACTIVATION_LIST",
                             l + 1, glia_activation_name(activations[l]));
    }
    if (status) return status;

    glia_network *network = gi_alloc(1, sizeof *network, "a network", error);
    if (!network) return GLIA_NO_MEMORY;
    network->engine = engine;
    network->n_layers = n_hidden + 1;
    network->loss = GLIA_LOSS_CROSS_ENTROPY;
    network->input.divisor = 1;
    network->record.train_loss = network->record.validation_loss = NAN;
    for (size_t l = 0; l <= n_hidden; l++) {
        gi_layer *layer = &network->layers[l];
        layer->n_in = l ? network->layers[l - 1].n_out : inputs;
        layer->n_out = l < n_hidden ? hidden[l] : classes;
        layer->ld = gi_padded(layer->n_out);
        layer->activation = l < n_hidden ? activations[l] : GLIA_ACTIVATION_IDENTITY;
        layer->weight = gi_alloc(gi_padded(layer->n_in), layer->ld * engine->element_bytes,
                                 "the weights of a layer", error);
        layer->bias = gi_alloc(layer->ld, engine->element_bytes, "the biases of a layer", error);
        if (!layer->weight || !layer->bias) {
            glia_network_free(network);
            return GLIA_NO_MEMORY;
        }
    }
    status = gi_network_set_class_names(network, NULL, error);
    if (status) {
        glia_network_free(network);
        return status;
    }
    *out = network;
    return GLIA_OK;
}

void gi_layer_take_vectors(gi_layer *layer, void *vectors, size_t element_bytes, bool is_normalised)
{
    const size_t row = layer->ld * element_bytes;
    char *at = layer->bias = vectors;
    if (!is_normalised) return;
    layer->scale = at + GI_ROW_SCALE * row;
    layer->shift = at + GI_ROW_SHIFT * row;
    layer->mean = at + GI_LEARNED_ROWS * row;
    layer->variance = at + (GI_LEARNED_ROWS + 1) * row;
}

glia_status gi_network_normalise(glia_network *network, size_t l, glia_error *error)
{
    gi_layer *layer = &network->layers[l];
    const size_t bytes = network->engine->element_bytes;
    void *vectors =
        gi_alloc(layer->ld, GI_NORM_ROWS * bytes, "the normalisation of a layer", error);
    if (!vectors) return GLIA_NO_MEMORY;
    gi_free(layer->bias);
    gi_layer_take_vectors(layer, vectors, bytes, true);
    for (size_t u = 0; u < layer->n_out; u++) {
        write_element(network, layer->scale, u, 1);
        write_element(network, layer->variance, u, 1);
    }
    return GLIA_OK;
}

size_t gi_weight_bytes(const glia_network *network, size_t l)
{
    const gi_layer *layer = &network->layers[l];
    return gi_padded(layer->n_in) * layer->ld * network->engine->element_bytes;
}

size_t gi_vector_bytes(const glia_network *network, size_t l)
{
    const gi_layer *layer = &network->layers[l];
    return gi_layer_vectors(layer) * layer->ld * network->engine->element_bytes;
}

glia_status gi_shadows_new(const glia_network *network, const char *what, gi_shadow **out,
                           glia_error *error)
{
    const size_t n = network->n_layers;
    gi_shadow *shadows = gi_alloc(n, sizeof *shadows, what, error);
    if (!shadows) return GLIA_NO_MEMORY;
    for (size_t l = 0; l < n; l++)
        for (int block = 0; block < 2; block++) {
            shadows[l].of[block] = gi_alloc(gi_parameter_bytes(network, l, block), 1, what, error);
            if (shadows[l].of[block]) continue;
            gi_shadows_free(shadows, n);
            return GLIA_NO_MEMORY;
        }
    *out = shadows;
    return GLIA_OK;
}

void gi_shadows_free(gi_shadow *shadows, size_t n_layers)
{
    for (size_t l = 0; shadows && l < n_layers; l++) {
        gi_free(shadows[l].of[0]);
        gi_free(shadows[l].of[1]);
    }
    gi_free(shadows);
}

void glia_network_free(glia_network *network)
{
    if (!network) return;
    for (size_t l = 0; l < network->n_layers; l++) {
        gi_free(network->layers[l].weight);
        gi_free(network->layers[l].bias);
    }
    gi_free(network->class_names);
    gi_schema_free(network->schema);
    gi_free(network->input.mean);
    gi_free(network->output.mean);
    gi_settings_clear(&network->record.settings);
    gi_free(network);
}

glia_status gi_network_set_class_names(glia_network *network, const char *const *names,
                                       glia_error *error)
{
    char **copies = gi_copy_names(names, gi_network_classes(network), error);
    if (!copies) return GLIA_NO_MEMORY;
    gi_free(network->class_names);
    network->class_names = copies;
    return GLIA_OK;
}

/* ---- Looking into --------------------------------------------------------------------------- */

size_t gi_network_inputs(const glia_network *network)
{
    return network->layers[0].n_in;
}

size_t gi_network_classes(const glia_network *network)
{
    return network->layers[network->n_layers - 1].n_out;
}

glia_task glia_loss_task(glia_loss loss)
{
    return loss == GLIA_LOSS_BCE ? GLIA_TASK_LABELS
           : loss == GLIA_LOSS_MSE || loss == GLIA_LOSS_MAE || loss == GLIA_LOSS_HUBER
               ? GLIA_TASK_VALUES
               : GLIA_TASK_CLASSES;
}

glia_activation gi_output_activation(glia_loss loss)
{
    const glia_task task = glia_loss_task(loss);
    return task == GLIA_TASK_CLASSES  ? GLIA_ACTIVATION_SOFTMAX
           : task == GLIA_TASK_LABELS ? GLIA_ACTIVATION_SIGMOID
                                      : GLIA_ACTIVATION_IDENTITY;
}

glia_status gi_output_form_new(size_t outputs, gi_output_form *out, glia_error *error)
{
    double *mean = gi_alloc(outputs, 2 * sizeof *mean, "the scales of outputs", error);
    if (!mean) return GLIA_NO_MEMORY;
    *out = (gi_output_form){.mean = mean, .scale = mean + outputs};
    for (size_t c = 0; c < outputs; c++) out->scale[c] = 1;
    return GLIA_OK;
}

double gi_network_output_unit(const glia_network *network)
{
    const gi_output_form *form = &network->output;
    double largest = 0;
    for (size_t c = 0; form->scale && c < gi_network_classes(network); c++)
        largest = fmax(largest, form->scale[c]);
    return largest > 1e100 || (largest > 0 && largest < 1e-100) ? ldexp(1, ilogb(largest)) : 1;
}

glia_status gi_input_scales_new(size_t n, gi_input_form *form, glia_error *error)
{
    double *mean = gi_alloc(n, 2 * sizeof *mean, "the scales of inputs", error);
    if (!mean) return GLIA_NO_MEMORY;
    form->mean = mean;
    form->scale = mean + n;
    form->n_scales = n;
    for (size_t i = 0; i < n; i++) form->scale[i] = 1;
    return GLIA_OK;
}

void gi_network_scale_targets(const glia_network *network, size_t first, size_t n,
                              const double *targets, float *scaled)
{
    const gi_output_form *form = &network->output;
    for (size_t k = 0; k < n; k++)
        scaled[k] =
            (float)(form->mean ? (targets[k] - form->mean[first + k]) / form->scale[first + k]
                               : targets[k]);
}

glia_status gi_network_check_images(const glia_network *network, glia_type type, const char *what,
                                    glia_error *error)
{
    const gi_input_form *input = &network->input;
    const unsigned how = input->preprocess & GI_STRAIGHTEN;
    if (!how || (type == GLIA_TYPE_U8 && input->height > 0 && input->channels < 2)) return GLIA_OK;
    const char *does = how == GLIA_PREPROCESS_DESKEW   ? "deskews"
                       : how == GLIA_PREPROCESS_CENTRE ? "centres"
                                                       : "deskews and centres";
    if (type != GLIA_TYPE_U8)
        return gi_fail(error, GLIA_MISMATCH,
                       "%s: found floats, but the network %s images of bytes; give their pixels as "
                       "bytes (GLIA_TYPE_U8, 0 to 255)",
                       what, does);
    if (input->height > 0)
        return gi_fail(error, GLIA_MISMATCH,
                       "%s: found images in colour, but the network %s grey ones alone; read them "
                       "in grey, or make a network that does not",
                       what, does);
    return gi_fail(error, GLIA_MISMATCH,
                   "%s: the network %s images, but knows no height and width of them; train it on "
                   "images (glia_dataset_set_images says what they are)",
                   what, does);
}

void glia_network_describe_sized(const glia_network *network, glia_network_info *out, size_t size)
{
    glia_network_info info = {
        .inputs = gi_network_inputs(network),
        .classes = gi_network_classes(network),
        .loss = network->loss,
        .layers = network->n_layers,
        .height = network->input.height,
        .width = network->input.width,
        .channels = network->input.channels,
        .preprocess = network->input.preprocess,
        .task = glia_loss_task(network->loss),
        .columns = network->schema ? gi_schema_count_read(network->schema) : 0,
    };
    for (size_t l = 0; l < network->n_layers; l++)
        info.parameters += (network->layers[l].n_in + (network->layers[l].scale ? 2 : 1)) *
                           network->layers[l].n_out;
    gi_copy_known(out, size, &info, sizeof info);
}

void glia_network_layer_sized(const glia_network *network, size_t layer, glia_layer_info *out,
                              size_t size)
{
    glia_layer_info info = {0};
    if (layer < network->n_layers) {
        const gi_layer *l = &network->layers[layer];
        const bool is_last = layer + 1 == network->n_layers;
        info = (glia_layer_info){
            .inputs = l->n_in,
            .units = l->n_out,
            .activation = is_last ? gi_output_activation(network->loss) : l->activation,
            .batch_norm = l->scale != NULL,
        };
    }
    gi_copy_known(out, size, &info, sizeof info);
}

const char *glia_network_class_name(const glia_network *network, size_t index)
{
    return index < gi_network_classes(network) ? network->class_names[index] : NULL;
}

static glia_status check_layer(const glia_network *network, size_t layer, glia_error *error)
{
    if (layer < network->n_layers) return GLIA_OK;
    return gi_fail(error, GLIA_BAD_ARGUMENT, "layer: found %zu, expected 0 to %zu", layer,
                   network->n_layers - 1);
}

/* Of arrays that are there: weight (n_weights), bias (n_units). */
static glia_status check_lengths(const glia_network *network, size_t layer, const float *weight,
                                 size_t n_weights, const float *bias, size_t n_units,
                                 glia_error *error)
{
    glia_status status = check_layer(network, layer, error);
    if (status) return status;
    const gi_layer *l = &network->layers[layer];
    if (weight) status = gi_check_length("weights", n_weights, l->n_out * l->n_in, error);
    if (!status && bias) status = gi_check_length("units", n_units, l->n_out, error);
    return status;
}

glia_status glia_network_get_layer(const glia_network *network, size_t layer, float *weight,
                                   size_t n_weights, float *bias, size_t n_units, glia_error *error)
{
    const glia_status status =
        check_lengths(network, layer, weight, n_weights, bias, n_units, error);
    if (status) return status;
    const gi_layer *l = &network->layers[layer];
    for (size_t u = 0; u < l->n_out; u++) {
        for (size_t i = 0; weight && i < l->n_in; i++)
            weight[u * l->n_in + i] = read_element(network, l->weight, gi_weight_offset(l, i, u));
        if (bias) bias[u] = read_element(network, l->bias, u);
    }
    return GLIA_OK;
}

glia_status glia_network_set_layer(glia_network *network, size_t layer, const float *weight,
                                   size_t n_weights, const float *bias, size_t n_units,
                                   glia_error *error)
{
    const glia_status status =
        check_lengths(network, layer, weight, n_weights, bias, n_units, error);
    if (status) return status;
    const gi_layer *l = &network->layers[layer];
    for (size_t u = 0; u < l->n_out; u++) {
        for (size_t i = 0; weight && i < l->n_in; i++)
            write_element(network, l->weight, gi_weight_offset(l, i, u), weight[u * l->n_in + i]);
        if (bias) write_element(network, l->bias, u, bias[u]);
    }
    return GLIA_OK;
}

static glia_status check_normalised(const glia_network *network, size_t layer, size_t n_units,
                                    glia_error *error)
{
    const glia_status status = check_layer(network, layer, error);
    if (status) return status;
    if (network->layers[layer].scale)
        return gi_check_length("units", n_units, network->layers[layer].n_out, error);
    return gi_fail(error, GLIA_BAD_ARGUMENT,
                   "layer %zu: has no batch normalisation; make the network with "
                   "batch_norm, and ask for a hidden layer",
                   layer);
}

glia_status glia_network_get_norm(const glia_network *network, size_t layer, float *scale,
                                  float *shift, float *mean, float *variance, size_t n_units,
                                  glia_error *error)
{
    const glia_status status = check_normalised(network, layer, n_units, error);
    if (status) return status;
    const gi_layer *l = &network->layers[layer];
    const void *const from[] = {l->scale, l->shift, l->mean, l->variance};
    float *const to[] = {scale, shift, mean, variance};
    for (int i = 0; i < 4; i++)
        for (size_t u = 0; to[i] && u < l->n_out; u++) to[i][u] = read_element(network, from[i], u);
    return GLIA_OK;
}

glia_status glia_network_set_norm(glia_network *network, size_t layer, const float *scale,
                                  const float *shift, const float *mean, const float *variance,
                                  size_t n_units, glia_error *error)
{
    const glia_status status = check_normalised(network, layer, n_units, error);
    if (status) return status;
    const gi_layer *l = &network->layers[layer];
    for (size_t u = 0; variance && u < l->n_out; u++)
        if (!(variance[u] >= 0))
            return gi_fail(error, GLIA_BAD_ARGUMENT,
                           "variance of unit %zu: found %g, expected 0 or more", u,
                           (double)variance[u]);
    void *const to[] = {l->scale, l->shift, l->mean, l->variance};
    const float *const from[] = {scale, shift, mean, variance};
    for (int i = 0; i < 4; i++)
        for (size_t u = 0; from[i] && u < l->n_out; u++)
            write_element(network, to[i], u, from[i][u]);
    return GLIA_OK;
}
