/* SPDX-License-Identifier: MIT */
/* The form of the training data, kept by the network, and pictures brought into it. */
#include "feed/input_form.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "data/file_set.h"
#include "data/set/dataset.h"
#include "image/image.h"

void gi_read_features(const glia_dataset *dataset, const void *row, float *x)
{
    const float scale = (float)(1 / dataset->divisor);
    const uint8_t *bytes = row;
    const float *floats = row;
    if (dataset->type == GLIA_TYPE_U8)
        for (size_t f = 0; f < dataset->features; f++) x[f] = (float)bytes[f] * scale;
    else
        for (size_t f = 0; f < dataset->features; f++) x[f] = floats[f] * scale;
}

void gi_read_targets(const glia_network *network, const glia_dataset *dataset, size_t index,
                     float *scaled)
{
    enum { TOGETHER = 64 };
    double targets[TOGETHER];
    for (size_t first = 0; first < dataset->classes; first += TOGETHER) {
        const size_t left = dataset->classes - first, n = left < TOGETHER ? left : TOGETHER;
        gi_dataset_targets(dataset, index, first, n, targets);
        gi_network_scale_targets(network, first, n, targets, scaled + first);
    }
}

/* What is found of the targets, times a unit each, which is a power of 2. */
struct target_moments {
    double *unit, *mean, *squares, *least, *greatest; /* (targets), in one block at unit */
    double *targets;                                  /* (targets), of a sample */
};

static glia_status target_moments_new(size_t n, struct target_moments *m, glia_error *error)
{
    m->unit = gi_alloc(n, 6 * sizeof *m->unit, "targets", error);
    if (!m->unit) return GLIA_NO_MEMORY;
    m->mean = m->unit + n;
    m->squares = m->mean + n;
    m->least = m->squares + n;
    m->greatest = m->least + n;
    m->targets = m->greatest + n;
    for (size_t c = 0; c < n; c++) m->unit[c] = 1;
    return GLIA_OK;
}

/*
 * Mean and squares about it of each target, by the weights of the samples, in one pass (West 1979):
 * a sample that weighs 2 counts as two. Returns the sum of the weights.
 */
static double find_moments(const glia_dataset *dataset, struct target_moments *m)
{
    const size_t n = dataset->classes;
    double total = 0;
    for (size_t c = 0; c < n; c++) {
        m->mean[c] = m->squares[c] = 0;
        m->least[c] = INFINITY;
        m->greatest[c] = -INFINITY;
    }
    for (size_t i = 0; i < dataset->samples; i++) {
        const double weight = gi_dataset_weight(dataset, i);
        if (weight == 0) continue;
        total += weight;
        gi_dataset_targets(dataset, i, 0, n, m->targets);
        for (size_t c = 0; c < n; c++) {
            const double t = m->targets[c] * m->unit[c], d = t - m->mean[c];
            m->mean[c] += weight / total * d;
            m->squares[c] += weight * d * (t - m->mean[c]);
            m->least[c] = fmin(m->least[c], m->targets[c]);
            m->greatest[c] = fmax(m->greatest[c], m->targets[c]);
        }
    }
    return total;
}

/* Where squares are past the range of a double, or nearly 0, targets are to be near 1: false if
 * none is. */
static bool choose_units(size_t n, struct target_moments *m)
{
    static const double largest = 1e300, smallest = 1e-280;
    bool any = false;
    for (size_t c = 0; c < n; c++) {
        if (!(m->greatest[c] > m->least[c]) ||
            (m->squares[c] < largest && m->squares[c] > smallest))
            continue;
        m->unit[c] = ldexp(1, -ilogb(fmax(fabs(m->least[c]), fabs(m->greatest[c]))));
        any = true;
    }
    return any;
}

/* Mean and standard deviation of each target. Those that are all the same keep the scale 1. */
static glia_status measure_targets(const glia_dataset *dataset, gi_output_form *form,
                                   glia_error *error)
{
    const size_t n = dataset->classes;
    struct target_moments m = {0};
    glia_status status = target_moments_new(n, &m, error);
    double total = status ? 0 : find_moments(dataset, &m);
    if (!status && choose_units(n, &m)) total = find_moments(dataset, &m);
    for (size_t c = 0; c < n && !status; c++) {
        form->mean[c] = m.mean[c] / m.unit[c];
        if (!(m.greatest[c] > m.least[c])) continue; /* and their sums may round */
        form->scale[c] = sqrt(m.squares[c] / total) / m.unit[c];
        if (form->scale[c] >= DBL_MIN && isfinite(m.greatest[c] - m.least[c])) continue;
        status = gi_fail(error, GLIA_BAD_FORMAT,
                         "%s: target %s goes from %g to %g, whose spread is past the range of a "
                         "double; give it in another unit",
                         dataset->name, dataset->class_names[c], m.least[c], m.greatest[c]);
    }
    gi_free(m.unit);
    return status;
}

/*
 * Sums (n_scales) over all samples, by their weights: of the inputs, or with a mean of the squares
 * of what is around it. Two passes, since a mean far from 0 would drown the squares.
 */
static void sum_inputs(const glia_dataset *dataset, size_t n_scales, const double *mean,
                       uint8_t *scratch, float *x, double *sums)
{
    for (size_t s = 0; s < dataset->samples; s++) {
        uint32_t label;
        const double weight = gi_dataset_weight(dataset, s);
        if (weight == 0) continue;
        gi_read_features(dataset, gi_dataset_row(dataset, 0, s, scratch, &label), x);
        for (size_t i = 0; i < dataset->features; i += n_scales)
            for (size_t k = 0; k < n_scales; k++) {
                const double d = (double)x[i + k] - (mean ? mean[k] : 0);
                sums[k] += weight * (mean ? d * d : d);
            }
    }
}

static glia_status measure_inputs(const glia_dataset *dataset, gi_input_form *form,
                                  glia_error *error)
{
    const size_t n = form->n_scales;
    uint8_t *scratch = gi_alloc(1, gi_dataset_row_bytes(dataset), "a sample", error);
    float *x = gi_alloc(dataset->features, sizeof *x, "a sample", error);
    glia_status status = scratch && x ? GLIA_OK : GLIA_NO_MEMORY;
    double total = 0; /* of what one sum is made of */
    for (size_t s = 0; s < dataset->samples; s++) total += gi_dataset_weight(dataset, s);
    total *= (double)(dataset->features / n);
    for (size_t k = 0; k < n; k++) form->scale[k] = 0;
    if (!status) sum_inputs(dataset, n, NULL, scratch, x, form->mean);
    for (size_t k = 0; k < n; k++) form->mean[k] /= total;
    if (!status) sum_inputs(dataset, n, form->mean, scratch, x, form->scale);
    for (size_t k = 0; k < n && !status; k++) {
        const double deviation = sqrt(form->scale[k] / total);
        form->scale[k] = deviation >= (double)FLT_MIN ? deviation : 1;
        if (!isfinite(form->mean[k]) || !isfinite(deviation))
            status = gi_fail(error, GLIA_BAD_ARGUMENT,
                             "%s: feature %zu has values that are infinite or no number, which "
                             "cannot be standardised; leave those samples out",
                             dataset->name, k + gi_sparse_first_feature(dataset));
    }
    gi_free(x);
    gi_free(scratch);
    return status;
}

/* Those of a network that has them stay: its weights mean something by them. */
static glia_status input_scales_of(const glia_network *network, const glia_dataset *dataset,
                                   gi_input_form *form, glia_error *error)
{
    const gi_input_form *old = &network->input;
    if (!(old->preprocess & GLIA_PREPROCESS_STANDARDISE)) return GLIA_OK;
    const size_t n = old->mean         ? old->n_scales
                     : dataset->height ? dataset->channels
                                       : dataset->features;
    const glia_status status = gi_input_scales_new(n, form, error);
    if (status || !old->mean) return status ? status : measure_inputs(dataset, form, error);
    memcpy(form->mean, old->mean, 2 * n * sizeof *form->mean); /* one block */
    return GLIA_OK;
}

static glia_status output_form_of(const glia_network *network, const glia_dataset *dataset,
                                  gi_output_form *out, glia_error *error)
{
    const size_t n = gi_network_classes(network);
    if (glia_loss_task(network->loss) != GLIA_TASK_VALUES) return GLIA_OK;
    glia_status status = gi_output_form_new(n, out, error);
    if (status) return status;
    const gi_output_form *old = &network->output;
    for (size_t c = 0; c < n && old->mean; c++) {
        out->mean[c] = old->mean[c];
        out->scale[c] = old->scale[c];
    }
    /* What does not fit is refused later. */
    if (!old->mean && dataset->task == GLIA_TASK_VALUES && dataset->classes == n)
        status = measure_targets(dataset, out, error);
    return status;
}

glia_status gi_data_form_of(const glia_network *network, const glia_dataset *dataset,
                            gi_data_form *out, glia_error *error)
{
    gi_data_form form = {.input = {
                             .height = dataset->height,
                             .width = dataset->width,
                             .channels = dataset->channels,
                             .form = (int)dataset->form,
                             .divisor = dataset->divisor,
                             .from_zero = dataset->from_zero,
                             .preprocess = network->input.preprocess,
                         }};
    /* A set may have fewer classes than the network; then the names stay those of the network. */
    const bool same = dataset->classes == gi_network_classes(network);
    char *const *names = same ? dataset->class_names : network->class_names;
    form.class_names =
        gi_copy_names((const char *const *)names, gi_network_classes(network), error);
    glia_status status = form.class_names ? GLIA_OK : GLIA_NO_MEMORY;
    const gi_schema *schema = network->schema ? network->schema : dataset->schema;
    if (!status && schema) status = gi_schema_copy(schema, &form.schema, error);
    if (!status) status = input_scales_of(network, dataset, &form.input, error);
    if (!status) status = output_form_of(network, dataset, &form.output, error);
    if (status)
        gi_data_form_free(&form);
    else
        *out = form;
    return status;
}

void gi_data_form_free(gi_data_form *form)
{
    gi_free(form->class_names);
    gi_free(form->input.mean);
    gi_free(form->output.mean);
    gi_schema_free(form->schema);
    *form = (gi_data_form){0};
}

void gi_data_form_swap(glia_network *network, gi_data_form *form)
{
    const gi_data_form old = {network->input, network->output, network->class_names,
                              network->schema};
    network->input = form->input;
    network->output = form->output;
    network->class_names = form->class_names;
    network->schema = form->schema;
    *form = old;
}

gi_reading gi_network_reading(const glia_network *network)
{
    const gi_learned_rows *rows = &network->record.rows;
    return (gi_reading){
        .schema = network->schema,
        .task = glia_loss_task(network->loss),
        .classes = gi_network_classes(network),
        .class_names = network->class_names,
        .features = gi_network_inputs(network),
        .from_zero = network->input.from_zero,
        .is_of_bytes = network->input.divisor != 1,
        .id = network->record.id[0] ? network->record.id : NULL,
        .group = rows->is_known && rows->group[0] ? rows->group : NULL,
        .group_is_text = rows->group_is_text,
    };
}

/* A file of arrays without a test split is read as it is. */
static glia_status open_either(const char *name, glia_split split, const glia_data_params *params,
                               const gi_reading *reading, glia_dataset **out, glia_error *error)
{
    const bool may_lack =
        name && split == GLIA_SPLIT_TEST && glia_file_kind_of(name, params) == GLIA_FILE_ARRAYS;
    glia_error missing;
    glia_error *here = may_lack ? &missing : error;
    glia_status status = reading ? gi_file_set_open(name, split, params, reading, out, here)
                                 : glia_dataset_open(name, split, params, out, here);
    if (may_lack && status == GLIA_NOT_FOUND)
        return open_either(name, GLIA_SPLIT_TRAIN, params, reading, out, error);
    if (may_lack && status && error) *error = missing;
    return status;
}

/* Samples that are no rows, with the classes of the network where they have their names. */
static glia_status open_with_classes(const glia_network *network, const char *name,
                                     glia_split split, const glia_data_params *params,
                                     glia_dataset **out, glia_error *error)
{
    glia_dataset *dataset = NULL;
    glia_status status = open_either(name, split, params, NULL, &dataset, error);
    if (status) return status;
    status =
        gi_dataset_take_classes(dataset, network->class_names, gi_network_classes(network), error);
    if (status)
        glia_dataset_free(dataset);
    else
        *out = dataset;
    return status;
}

glia_status gi_open_for(const glia_network *network, const char *name, glia_split split,
                        const glia_data_params *params, bool ignores_targets, glia_dataset **out,
                        glia_error *error)
{
    glia_data_params fitted = *params; /* images come in the size of those it was trained on */
    if (fitted.image_height == 0 && fitted.image_width == 0) {
        fitted.image_height = network->input.height;
        fitted.image_width = network->input.width;
    }
    if (fitted.image_channels == 0) fitted.image_channels = network->input.channels;
    /* Without columns it can read sparse text, which standard input may be. */
    const bool is_file = name && gi_is_file_set(name), is_input = is_file && strcmp(name, "-") == 0;
    const glia_file_kind kind = is_file ? glia_file_kind_of(name, params) : GLIA_FILE_NONE;
    if (network->input.height > 0 && !is_input &&
        (kind == GLIA_FILE_VALUES || kind == GLIA_FILE_ARFF || kind == GLIA_FILE_SPARSE))
        return gi_fail(error, GLIA_MISMATCH,
                       "%s: is %s, but the network reads images of %zu x %zu pixels; give it "
                       "pictures, a folder of them, or a data set of such images",
                       name, kind == GLIA_FILE_SPARSE ? "sparse text" : "a table",
                       network->input.height, network->input.width);
    if (!is_file || (!network->schema && kind == GLIA_FILE_IMAGE))
        return open_with_classes(network, name, split, &fitted, out, error);
    gi_reading reading = gi_network_reading(network);
    reading.ignores_targets = ignores_targets;
    glia_dataset *dataset = NULL;
    glia_status status = open_either(name, split, &fitted, &reading, &dataset, error);
    if (!status && !dataset) {
        *out = NULL; /* no row is left */
        return GLIA_OK;
    }
    if (!status && !network->schema && gi_dataset_is_table(dataset))
        dataset->divisor = network->input.divisor; /* of pixels 0 to 255, say */
    else if (!status && kind == GLIA_FILE_ARRAYS)
        status = gi_dataset_take_classes(dataset, network->class_names, gi_network_classes(network),
                                         error);
    if (status)
        glia_dataset_free(dataset);
    else
        *out = dataset;
    return status;
}

glia_status glia_dataset_open_for_sized(const glia_network *network, const char *name,
                                        glia_split split, const glia_data_params *given,
                                        size_t size, glia_dataset **out, glia_error *error)
{
    const glia_data_params own = gi_data_params(given, size), *params = &own;
    return gi_open_for(network, name, split, params, false, out, error);
}

glia_status glia_network_fit_image(const glia_network *network, const glia_image *image, uint8_t *x,
                                   size_t n_inputs, bool *changed, glia_error *error)
{
    const gi_input_form *input = &network->input;
    if (input->form == GI_FORM_NONE || input->height == 0)
        return gi_fail(error, GLIA_MISMATCH,
                       "the network reads %zu numbers a sample, not images; give it rows of a data "
                       "set",
                       gi_network_inputs(network));
    if (!image->pixels || image->height == 0 || image->width == 0)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "the image has no pixels");
    const glia_status fits = gi_check_length("inputs", n_inputs, gi_network_inputs(network), error);
    if (fits) return fits;
    if (input->form == GI_FORM_WHOLE) {
        if (changed) *changed = image->height != input->height || image->width != input->width;
        return gi_image_scale(image, input->height, input->width, input->channels, x, error);
    }
    if (image->channels != 3)
        return gi_image_fit(image, input->form, input->height, input->width, x, changed, error);
    glia_image grey;
    glia_status status = gi_image_new("the image", image->width, image->height, 1, &grey, error);
    if (status) return status;
    status = gi_image_scale(image, grey.height, grey.width, 1, grey.pixels, error);
    if (!status)
        status = gi_image_fit(&grey, input->form, input->height, input->width, x, changed, error);
    glia_image_free(&grey);
    return status;
}
