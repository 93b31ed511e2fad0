/* SPDX-License-Identifier: MIT */
/*
 * The description in a model file, read: every key is checked before it is used. What describes a
 * network that could not have been saved is refused.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "format/model_description.h"
#include "format/schema_json.h"
#include "format/settings_json.h"

enum { MNIST_SIDE = 28 };

/*
 * The functions that read take the path of a key, as "training.lr", with the object that holds it,
 * and remember the first failure: after it they return what is harmless.
 */
typedef struct reader {
    const char *place;   /* begins every message */
    char written_by[64]; /* ends it, if another version of glia wrote the file */
    glia_status status;
    glia_error *error;
} reader;

static void reject(reader *r, const char *where, const json_t *found, const char *expected)
{
    if (r->status) return;
    r->status = gi_fail(r->error, GLIA_BAD_FORMAT, "%s: %s: found %s, expected %s%s", r->place,
                        where, gi_found_json(found).text, expected, r->written_by);
}

static const json_t *get(const json_t *object, const char *where)
{
    const char *dot = strrchr(where, '.');
    return json_object_get(object, dot ? dot + 1 : where);
}

static size_t read_count(reader *r, const json_t *object, const char *where, size_t min, size_t max)
{
    const json_t *value = get(object, where);
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        const uint64_t n = (uint64_t)json_integer_value(value);
        if (n >= min && n <= max) return (size_t)n;
    }
    char expected[80];
    snprintf(expected, sizeof expected, "an integer from %zu to %zu", min, max);
    reject(r, where, value, expected);
    return min;
}

static double read_real(reader *r, const json_t *object, const char *where, double min, double max)
{
    const json_t *value = get(object, where);
    const double number = json_number_value(value);
    if (json_is_number(value) && number >= min && number <= max) return number;
    char expected[80];
    snprintf(expected, sizeof expected, "a number from %g to %g", min, max);
    reject(r, where, value, expected);
    return min;
}

static double read_real_or_null(reader *r, const json_t *object, const char *where, double min,
                                double if_null)
{
    if (json_is_null(get(object, where))) return if_null;
    return read_real(r, object, where, min, DBL_MAX);
}

static uint64_t read_seed(reader *r, const json_t *object, const char *where)
{
    const json_t *value = get(object, where);
    uint64_t seed = 0;
    if (!json_is_string(value) || !gi_parse_u64(json_string_value(value), &seed))
        reject(r, where, value, "a string of decimal digits, at most 18446744073709551615");
    return seed;
}

/* A string without control characters, since it will be shown. */
static const char *check_text(reader *r, const json_t *value, const char *where)
{
    const char *text = json_string_value(value);
    for (const char *c = text; c && *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F) text = NULL;
    if (!text) reject(r, where, value, "a string without control characters");
    return text ? text : "";
}

/* The first files had no loss but cross-entropy. */
static void read_loss(reader *r, const json_t *network, gi_model_description *d)
{
    const json_t *loss = get(network, "network.loss");
    d->loss = GLIA_LOSS_CROSS_ENTROPY;
    if (loss && (!json_is_string(loss) || !glia_loss_from_name(json_string_value(loss), &d->loss) ||
                 d->loss == GLIA_LOSS_AUTO))
        reject(r, "network.loss", loss, "cross-entropy, bce, mse, mae or huber");
}

static void read_activation(reader *r, const json_t *layer, const char *where, bool last,
                            gi_model_description *d, glia_activation *out)
{
    const json_t *value = get(layer, where);
    const glia_activation of_last = gi_output_activation(d->loss);
    const bool known =
        json_is_string(value) && glia_activation_from_name(json_string_value(value), out);
    if (known && (last ? *out == of_last : *out != GLIA_ACTIVATION_SOFTMAX)) return;
    char expected[96] = "the name of an activation (as relu), as in every layer but the last";
    if (last)
        snprintf(expected, sizeof expected, "%s, as in every last layer with the loss %s",
                 glia_activation_name(of_last), glia_loss_name(d->loss));
    reject(r, where, value, expected);
}

static void read_architecture(reader *r, const json_t *network, gi_model_description *d)
{
    if (!json_is_object(network)) reject(r, "network", network, "an object");
    read_loss(r, network, d);
    d->inputs = read_count(r, network, "network.inputs", 1, GLIA_MAX_UNITS);
    const json_t *layers = get(network, "network.layers");
    d->n_layers = json_array_size(layers); /* 0 if it is none */
    if (d->n_layers < 1 || d->n_layers > GLIA_MAX_LAYERS) {
        char expected[80];
        snprintf(expected, sizeof expected, "an array of 1 to %d layers", GLIA_MAX_LAYERS);
        reject(r, "network.layers", layers, expected);
        return;
    }
    for (size_t l = 0; l < d->n_layers; l++) {
        const json_t *layer = json_array_get(layers, l);
        const bool last = l + 1 == d->n_layers;
        char where[64];
        snprintf(where, sizeof where, "network.layers[%zu].units", l);
        d->units[l] = read_count(r, layer, where, 1, last ? GLIA_MAX_CLASSES : GLIA_MAX_UNITS);
        snprintf(where, sizeof where, "network.layers[%zu].activation", l);
        read_activation(r, layer, where, last, d, &d->activations[l]);
        snprintf(where, sizeof where, "network.layers[%zu].batch_norm", l);
        const json_t *batch_norm = get(layer, where);
        d->batch_norm[l] = json_is_true(batch_norm);
        if (batch_norm && (!json_is_boolean(batch_norm) || (last && d->batch_norm[l])))
            reject(r, where, batch_norm, last ? "false, as in every last layer" : "true or false");
    }
}

/* Nothing: false. */
static bool read_flag(reader *r, const json_t *object, const char *where)
{
    const json_t *value = get(object, where);
    if (value && !json_is_boolean(value)) reject(r, where, value, "true or false");
    return json_is_true(value);
}

/* Objects (n) of a mean and a scale each. */
static void read_scales(reader *r, const json_t *array, const char *place, size_t n, double least,
                        double most, double *mean, double *scale)
{
    for (size_t i = 0; i < n && !r->status; i++) {
        const json_t *object = json_array_get(array, i);
        char where[64];
        snprintf(where, sizeof where, "%s[%zu].mean", place, i);
        mean[i] = read_real(r, object, where, -most, most);
        snprintf(where, sizeof where, "%s[%zu].scale", place, i);
        scale[i] = read_real(r, object, where, least, most);
    }
}

/* Of a network for values that has learned; others have none. */
static void read_outputs(reader *r, const json_t *outputs, gi_model_description *d)
{
    const size_t n = d->units[d->n_layers - 1];
    if (!outputs || r->status) return;
    if (glia_loss_task(d->loss) != GLIA_TASK_VALUES) {
        reject(r, "preprocessing.outputs", outputs,
               "none, as of every loss but mse, mae and huber");
        return;
    }
    if (!json_is_array(outputs) || json_array_size(outputs) != n) {
        char expected[80];
        snprintf(expected, sizeof expected, "an array of %zu, as many as the last layer's units",
                 n);
        reject(r, "preprocessing.outputs", outputs, expected);
        return;
    }
    r->status = gi_output_form_new(n, &d->output, r->error);
    if (!r->status)
        read_scales(r, outputs, "preprocessing.outputs", n, DBL_MIN, DBL_MAX, d->output.mean,
                    d->output.scale);
}

/* Of a network that standardises its inputs, and has learned. */
static void read_inputs(reader *r, const json_t *inputs, gi_model_description *d)
{
    const size_t n = json_array_size(inputs); /* 0 if it is none */
    if (!inputs || r->status) return;
    if (!(d->input.preprocess & GLIA_PREPROCESS_STANDARDISE)) {
        reject(r, "preprocessing.inputs", inputs, "none, as \"standardise\" is not true");
        return;
    }
    if (n == 0 || d->inputs % n != 0) {
        char expected[96];
        snprintf(expected, sizeof expected,
                 "an array of a divisor of the %zu inputs: one for each, or for each channel",
                 d->inputs);
        reject(r, "preprocessing.inputs", inputs, expected);
        return;
    }
    r->status = gi_input_scales_new(n, &d->input, r->error);
    if (!r->status)
        read_scales(r, inputs, "preprocessing.inputs", n, (double)FLT_MIN, (double)FLT_MAX,
                    d->input.mean, d->input.scale);
}

static void read_preprocessing(reader *r, const json_t *object, gi_model_description *d)
{
    if (!json_is_object(object)) reject(r, "preprocessing", object, "an object");
    gi_input_form *input = &d->input;
    /* The division is done in f32. */
    input->divisor =
        read_real(r, object, "preprocessing.divisor", (double)FLT_MIN, (double)FLT_MAX);
    input->height = read_count(r, object, "preprocessing.height", 0, GLIA_MAX_UNITS);
    input->width = read_count(r, object, "preprocessing.width", 0, GLIA_MAX_UNITS);

    input->from_zero = read_flag(r, object, "preprocessing.from_zero");
    input->preprocess =
        (read_flag(r, object, "preprocessing.deskew") ? GLIA_PREPROCESS_DESKEW : 0U) |
        (read_flag(r, object, "preprocessing.centre") ? GLIA_PREPROCESS_CENTRE : 0U) |
        (read_flag(r, object, "preprocessing.standardise") ? GLIA_PREPROCESS_STANDARDISE : 0U);

    const json_t *form = get(object, "preprocessing.form");
    const char *name = json_is_string(form) ? json_string_value(form) : "";
    input->form = 0;
    while (input->form < GI_N_FORMS && strcmp(gi_model_forms[input->form], name) != 0)
        input->form++;
    if (input->form == GI_N_FORMS)
        reject(r, "preprocessing.form", form, "\"none\", \"scale\", \"mnist\" or \"whole\"");

    read_inputs(r, get(object, "preprocessing.inputs"), d);
    read_outputs(r, get(object, "preprocessing.outputs"), d);

    const bool is_image = input->height != 0 || input->width != 0;
    if (is_image) {
        const json_t *channels = json_object_get(object, "channels");
        input->channels = channels ? read_count(r, object, "preprocessing.channels", 1, 3) : 1;
        if (input->channels == 2) reject(r, "preprocessing.channels", channels, "1 or 3");
    }
    if (is_image && (uint64_t)input->height * input->width * input->channels != d->inputs) {
        char expected[80];
        snprintf(expected, sizeof expected,
                 "height * width%s equal to the %zu inputs, or both 0, but width %zu",
                 input->channels == 3 ? " * 3" : "", d->inputs, input->width);
        reject(r, "preprocessing.height", get(object, "preprocessing.height"), expected);
    }
    if (!is_image && input->form != GI_FORM_NONE)
        reject(r, "preprocessing.form", form, "\"none\", since height and width are 0");
    if (input->channels == 3 && input->form != GI_FORM_WHOLE)
        reject(r, "preprocessing.form", form, "\"whole\", that of images in colour");
    if (input->form == GI_FORM_MNIST && (input->height != MNIST_SIDE || input->width != MNIST_SIDE))
        reject(r, "preprocessing.form", form, "another form: \"mnist\" is for images of 28 x 28");
}

/* How rows of a table are read, where there is one. Its targets are what the outputs are learned
 * from: a class in one column, or a number for each output. */
static void read_table(reader *r, const json_t *preprocessing, gi_model_description *d)
{
    const json_t *table = json_object_get(preprocessing, "table");
    if (!table || r->status) return;
    r->status = gi_schema_unpack(r->place, table, d->inputs, &d->schema, r->error);
    if (r->status) return;
    const bool are_classes = glia_loss_task(d->loss) == GLIA_TASK_CLASSES;
    const size_t outputs = d->units[d->n_layers - 1];
    const size_t n = are_classes && d->schema->n_targets != outputs ? 1 : outputs;
    char expected[80];
    snprintf(expected, sizeof expected,
             are_classes ? "an array of %zu, the column of classes, or of one for each output"
                         : "an array of %zu, one for each output",
             n);
    if (d->schema->n_targets != n)
        reject(r, "preprocessing.table.targets", get(table, "targets"), expected);
    if (d->schema->has_text_target && !(are_classes && d->schema->n_targets == 1))
        reject(r, "preprocessing.table.text_target", get(table, "text_target"),
               "false, as the loss learns numbers");
}

static void read_classes(reader *r, const json_t *classes, gi_model_description *d)
{
    const size_t n = d->units[d->n_layers - 1];
    if (!json_is_array(classes) || json_array_size(classes) != n) {
        char expected[80];
        snprintf(expected, sizeof expected,
                 "an array of %zu names, as many as the last layer's units", n);
        reject(r, "classes", classes, expected);
        return;
    }
    d->class_names = gi_alloc(n, sizeof *d->class_names, "class names", r->error);
    if (!d->class_names) {
        r->status = GLIA_NO_MEMORY;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        char where[32];
        snprintf(where, sizeof where, "classes[%zu]", i);
        const json_t *name = json_array_get(classes, i); /* any text: data are read by it */
        d->class_names[i] = json_is_string(name) ? json_string_value(name) : "";
        if (!json_is_string(name)) reject(r, where, name, "a string");
    }
}

static void read_initialisation(reader *r, const json_t *object, gi_training_record *record)
{
    if (!object || json_is_null(object)) return; /* the network comes from elsewhere */
    const json_t *method = get(object, "initialisation.method");
    if (!json_is_string(method) || !glia_init_from_name(json_string_value(method), &record->init))
        reject(r, "initialisation.method", method, "a method of glia's, as \"glorot-uniform\"");
    record->init_seed = read_seed(r, object, "initialisation.seed");
}

/* A text that files of older versions do not have. */
static void read_short_text(reader *r, const json_t *object, const char *place, char *out,
                            size_t size)
{
    const json_t *value = get(object, place);
    if (!value) return;
    const char *text = check_text(r, value, place);
    if (strlen(text) < size)
        strcpy(out, text);
    else
        reject(r, place, value, "a shorter text");
}

static void read_weights(reader *r, const json_t *weights, size_t classes, gi_class_weights *out)
{
    const size_t n = json_array_size(weights); /* 0 if it is none */
    if (!weights) return;
    if (n < 1 || n > classes) {
        char expected[80];
        snprintf(expected, sizeof expected, "an array of 1 to %zu numbers", classes);
        reject(r, "training.class_weights", weights, expected);
        return;
    }
    out->of = gi_alloc(n, sizeof *out->of, "class weights", r->error);
    if (!out->of) {
        r->status = GLIA_NO_MEMORY;
        return;
    }
    out->n = n;
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_array_get(weights, i);
        char where[48];
        snprintf(where, sizeof where, "training.class_weights[%zu]", i);
        out->of[i] = json_number_value(value);
        if (!json_is_number(value) || out->of[i] < 0)
            reject(r, where, value, "a number of at least 0");
    }
}

/* A number within the bounds of its setting, or 0; of one that is automatic NAN stands for null. */
static double read_setting_real(reader *r, const json_t *object, const char *where,
                                const gi_setting *s)
{
    const json_t *value = get(object, where);
    const double number = json_number_value(value);
    if (json_is_null(value) && isnan(s->by_default)) return NAN;
    if (s->bounds != GI_BELOW) return read_real(r, object, where, 0, s->max > 0 ? s->max : DBL_MAX);
    if (json_is_number(value) && number >= 0 && number < s->max) return number;
    reject(r, where, value, "a number of at least 0 and below 1");
    return 0;
}

static int read_choice(reader *r, const json_t *object, const char *where, const gi_setting *s)
{
    const json_t *value = get(object, where);
    const char *name = json_string_value(value);
    char expected[512];
    for (size_t i = 0; name && i < s->n_choices; i++)
        if (strcmp(s->choices[i], name) == 0) return (int)i;
    gi_setting_expected(s, expected, sizeof expected);
    reject(r, where, value, expected);
    return 0;
}

static void read_setting(reader *r, const json_t *object, const char *where, const gi_setting *s,
                         size_t classes, glia_settings *settings)
{
    void *field = gi_setting_field(s, settings);
    int choice;
    switch (s->type) {
    case GI_TYPE_REAL:
        *(double *)field = read_setting_real(r, object, where, s);
        break;
    case GI_TYPE_COUNT:
        *(size_t *)field =
            read_count(r, object, where, s->bounds == GI_CLOSED ? (size_t)s->min : 0, GI_MAX_COUNT);
        break;
    case GI_TYPE_SEED:
        settings->seed = read_seed(r, object, where);
        break;
    case GI_TYPE_CHOICE:
        choice = read_choice(r, object, where, s);
        memcpy(field, &choice, sizeof choice);
        break;
    case GI_TYPE_FLAG:
        *(bool *)field = read_flag(r, object, where);
        break;
    case GI_TYPE_WEIGHTS:
        read_weights(r, get(object, where), classes, field);
        break;
    default: /* the network says it */
        break;
    }
}

/* What a file does not have was not there when it was written: sgd, and nothing beside it. */
static void read_settings(reader *r, const json_t *object, size_t classes, glia_settings *settings)
{
    const json_t *images = get(object, "training.augmentation");
    if (images && !json_is_object(images)) reject(r, "training.augmentation", images, "an object");
    for (size_t i = 0; i < GI_N_SETTINGS; i++) {
        const gi_setting *s = &gi_settings[i];
        const bool is_image = s->record == GI_IMAGES || s->record == GI_IMAGES_IF_SET;
        const json_t *in = is_image ? images : object;
        char where[96];
        snprintf(where, sizeof where, is_image ? "training.augmentation.%s" : "training.%s",
                 is_image ? gi_setting_image_key(s) : s->key);
        const bool is_needed = s->record == GI_FIRST || (s->record == GI_IMAGES && images);
        if (s->record != GI_NEVER && (is_needed || get(in, where)))
            read_setting(r, in, where, s, classes, settings);
    }
    if (settings->schedule == GLIA_SCHEDULE_AUTO) /* the first files had no schedules but the two */
        settings->schedule =
            isnan(settings->lr_end) ? GLIA_SCHEDULE_CONSTANT : GLIA_SCHEDULE_LINEAR;
}

/* Which of the data it has learned from; files may not have it. */
static void read_rows(reader *r, const json_t *object, gi_learned_rows *rows)
{
    const json_t *held_out = get(object, "training.rows.held_out");
    if (!object) return;
    if (!json_is_array(held_out) || json_array_size(held_out) > GI_MAX_DIVISIONS) {
        reject(r, "training.rows.held_out", held_out, "an array of at most 4 objects");
        return;
    }
    for (size_t i = 0; i < json_array_size(held_out); i++) {
        const json_t *entry = json_array_get(held_out, i);
        gi_division *division = &rows->lineage.of[i];
        division->held_out = read_real(r, entry, "training.rows.held_out.part", DBL_MIN, DBL_MAX);
        division->is_last = read_flag(r, entry, "training.rows.held_out.last");
        if (!division->is_last) division->seed = read_seed(r, entry, "training.rows.held_out.seed");
    }
    rows->lineage.n = json_array_size(held_out);
    rows->is_validated = read_flag(r, object, "training.rows.validates");
    rows->fingerprint = (uint32_t)read_count(r, object, "training.rows.fingerprint", 0, UINT32_MAX);
    rows->group_is_text = get(object, "training.rows.group") != NULL;
    read_short_text(r, object,
                    rows->group_is_text ? "training.rows.group" : "training.rows.number_group",
                    rows->group, sizeof rows->group);
    rows->is_known = true;
}

static void read_training(reader *r, const json_t *object, size_t classes,
                          gi_training_record *record)
{
    record->train_loss = record->validation_loss = NAN;
    if (!object || json_is_null(object)) return;
    if (!json_is_object(object)) reject(r, "training", object, "an object or null");
    record->trained = true;
    const json_t *dataset = get(object, "training.dataset");
    const char *name = check_text(r, dataset, "training.dataset");
    if (strlen(name) < sizeof record->dataset)
        strcpy(record->dataset, name);
    else
        reject(r, "training.dataset", dataset, "at most 255 bytes");
    record->samples = read_count(r, object, "training.samples", 0, GI_MAX_COUNT);
    record->validation_samples =
        read_count(r, object, "training.validation_samples", 0, GI_MAX_COUNT);
    read_short_text(r, object, "training.id", record->id, sizeof record->id);
    read_rows(r, get(object, "training.rows"), &record->rows);
    read_settings(r, object, classes, &record->settings);
    read_short_text(r, object, "training.engine", record->engine, sizeof record->engine);
    read_short_text(r, object, "training.isa", record->isa, sizeof record->isa);
    read_short_text(r, object, "training.plan", record->plan, sizeof record->plan);
    const json_t *precision = get(object, "training.precision");
    if (precision &&
        (!json_is_string(precision) ||
         !glia_precision_from_name(json_string_value(precision), &record->settings.precision)))
        reject(r, "training.precision", precision, "f32 or bf16");
    record->epochs_done = read_count(r, object, "training.epochs_done", 0, GI_MAX_COUNT);
    record->best_epoch = read_count(r, object, "training.best_epoch", 0, GI_MAX_COUNT);
    record->train_loss = read_real_or_null(r, object, "training.train_loss", -DBL_MAX, NAN);
    record->validation_loss =
        read_real_or_null(r, object, "training.validation_loss", -DBL_MAX, NAN);
}

glia_status gi_model_unpack(const char *place, const json_t *object, gi_model_description *d,
                            glia_error *error)
{
    reader r = {.place = place, .error = error};
    const json_t *version = get(object, "version");
    const char *text = check_text(&r, version, "version");
    if (!r.status && strcmp(text, GLIA_VERSION) != 0)
        snprintf(r.written_by, sizeof r.written_by, " (written by glia %.24s, this is %s)", text,
                 GLIA_VERSION);
    read_architecture(&r, get(object, "network"), d);
    if (!r.status) read_preprocessing(&r, get(object, "preprocessing"), d);
    if (!r.status) read_table(&r, get(object, "preprocessing"), d);
    if (!r.status) read_classes(&r, get(object, "classes"), d);
    if (!r.status) read_initialisation(&r, get(object, "initialisation"), &d->record);
    if (!r.status)
        read_training(&r, get(object, "training"), d->units[d->n_layers - 1], &d->record);
    return r.status;
}

void gi_model_description_free(gi_model_description *d)
{
    gi_free(d->class_names);
    gi_free(d->input.mean);
    gi_free(d->output.mean);
    gi_settings_clear(&d->record.settings);
    gi_schema_free(d->schema);
}
