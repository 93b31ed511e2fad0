/* SPDX-License-Identifier: MIT */
/* Checkpoints: a run's file, written and read. */
#include "train/checkpoint.h"

#include <libdeflate.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "format/json.h"
#include "format/safetensors.h"

enum { NAME_BYTES = 64, MAX_TENSORS = GI_KEPT_ARRAYS * 2 * GLIA_MAX_LAYERS };

/* ---- State ---------------------------------------------------------------------------------- */

static const struct {
    const char *key;
    size_t offset;
    bool is_real;
} members[] = {
#define COUNT(name) .key = #name, .offset = offsetof(gi_run_state, name)
#define REAL(name)  COUNT(name), .is_real = true
    {COUNT(epoch)},
    {COUNT(done)},
    {COUNT(reported)},
    {COUNT(step)},
    {REAL(loss_sum)},
    {REAL(weight_sum)},
    {REAL(square_sum)},
    {COUNT(correct)},
    {COUNT(best_epoch)},
    {COUNT(epochs_without_better)},
    {COUNT(samples)},
    {REAL(train_loss)},
    {REAL(train_accuracy)},
    {REAL(train_rmse)},
    {REAL(best_loss)},
    {REAL(validation_loss)},
    {REAL(validation_accuracy)},
    {REAL(validation_rmse)},
    {REAL(seconds)},
#undef COUNT
#undef REAL
};
enum { N_MEMBERS = sizeof members / sizeof members[0] };

/* A real as the hexadecimal of its bits: the same bits, also for what JSON has no number for. */
static json_t *pack_real(double value)
{
    uint64_t bits;
    char text[24];
    memcpy(&bits, &value, sizeof bits);
    snprintf(text, sizeof text, "%016llx", (unsigned long long)bits);
    return json_string(text);
}

static bool read_real(const json_t *json, double *out)
{
    const char *text = json_string_value(json);
    uint64_t bits = 0;
    if (!text || strlen(text) != 16) return false;
    for (; *text; text++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = strchr(digits, *text);
        if (!digit) return false;
        bits = bits << 4 | (uint64_t)(digit - digits);
    }
    memcpy(out, &bits, sizeof bits);
    return true;
}

static json_t *pack_state(const gi_run_state *state)
{
    json_t *object = json_object();
    int failed = 0;
    for (size_t i = 0; i < N_MEMBERS; i++) {
        const char *at = (const char *)state + members[i].offset;
        json_t *value = members[i].is_real
                            ? pack_real(*(const double *)(const void *)at)
                            : json_integer((json_int_t) * (const size_t *)(const void *)at);
        failed |= json_object_set_new(object, members[i].key, value);
    }
    if (!failed) return object;
    json_decref(object);
    return NULL;
}

static glia_status read_state(const char *path, const json_t *object, gi_run_state *state,
                              glia_error *error)
{
    for (size_t i = 0; i < N_MEMBERS; i++) {
        const json_t *value = json_object_get(object, members[i].key);
        char *at = (char *)state + members[i].offset;
        bool good;
        if (members[i].is_real) {
            good = read_real(value, (double *)(void *)at);
        } else {
            good = json_is_integer(value) && json_integer_value(value) >= 0;
            if (good) *(size_t *)(void *)at = (size_t)json_integer_value(value);
        }
        if (!good)
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: metadata \"glia\": state.%s: found %s, expected %s", path,
                           members[i].key, gi_found_json(value).text,
                           members[i].is_real ? "16 hexadecimal digits" : "a count");
    }
    return GLIA_OK;
}

static glia_status check_place(const char *path, const gi_run_state *s, const gi_run_limits *run,
                               glia_error *error)
{
    const bool ended = s->epoch == run->epochs;
    if (s->epoch <= run->epochs && s->done < (ended ? 1 : run->samples) &&
        s->done % run->batch == 0 && s->reported <= s->done && s->best_epoch <= s->epoch &&
        s->step == s->epoch * run->steps_an_epoch + s->done / run->batch)
        return GLIA_OK;
    return gi_fail(error, GLIA_BAD_FORMAT,
                   "%s: found epoch %zu, sample %zu, step %zu, expected a place in %zu epochs of "
                   "%zu samples, %zu a step; begin the run anew",
                   path, s->epoch, s->done, s->step, run->epochs, run->samples, run->batch);
}

/* ---- What it is about ----------------------------------------------------------------------- */

/*
 * The first place where two objects differ: its path is appended to where (size), and a and b
 * become what is there. False if they are the same.
 */
static bool find_difference(const json_t **a, const json_t **b, char *where, size_t size)
{
    if (json_equal(*a, *b)) return false;
    if (!json_is_object(*a) || !json_is_object(*b)) return true;
    const json_t *const objects[2] = {*a, *b};
    for (int i = 0; i < 2; i++) {
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)(uintptr_t)objects[i], key, value)
        {
            const json_t *in_a = json_object_get(objects[0], key);
            const json_t *in_b = json_object_get(objects[1], key);
            if (json_equal(in_a, in_b)) continue;
            const size_t used = strlen(where);
            snprintf(where + used, size - used, "%s%s", used ? "." : "", key);
            *a = in_a;
            *b = in_b;
            find_difference(a, b, where, size);
            return true;
        }
    }
    return true;
}

/* What has changed of the data, if it is they that differ and not the settings; else NULL. */
static const char *what_of_data(const char *where)
{
    static const struct {
        const char *beginning, *what;
    } parts[] = {
        {"checksum", "the training samples are not the same"},
        {"validation_checksum", "the validation samples are not the same"},
        {"preprocessing.inputs", "the values of the inputs are not the same"},
        {"preprocessing.table", "the columns of the table, or their values, are not the same"},
        {"training.samples", "the number of training samples is not the same"},
        {"training.validation_samples", "the number of validation samples is not the same"},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strncmp(where, parts[i].beginning, strlen(parts[i].beginning)) == 0)
            return parts[i].what;
    return NULL;
}

static glia_status check_about(const char *path, const json_t *found, const json_t *expected,
                               glia_error *error)
{
    char where[256] = "";
    if (!find_difference(&found, &expected, where, sizeof where)) return GLIA_OK;
    const char *what = what_of_data(where);
    if (what)
        return gi_fail(
            error, GLIA_MISMATCH,
            "%s: is the checkpoint of another run, on other data: %s; bring the data back as "
            "they were, or begin a new run with a checkpoint of its own",
            path, what);
    if (json_is_array(found) || json_is_array(expected))
        return gi_fail(error, GLIA_MISMATCH,
                       "%s: is the checkpoint of another run: its %s differ from those of this "
                       "run; give this run another place for its checkpoint, or go on with the "
                       "settings of that one",
                       path, where);
    return gi_fail(
        error, GLIA_MISMATCH,
        "%s: is the checkpoint of another run: %s was %s there and is %s here; give this "
        "run another place for its checkpoint, or go on with the settings of that one",
        path, where, gi_found_json(found).text, gi_found_json(expected).text);
}

/* ---- Whole or not --------------------------------------------------------------------------- */

typedef struct checksum {
    char hex[16];
} checksum;

/* CRC-32 of the text and all tensors, in the file's order. */
static checksum sum_file(const gi_safetensors *file, const char *text)
{
    checksum c;
    uint32_t sum = libdeflate_crc32(0, text, strlen(text));
    for (size_t i = 0; i < file->n_tensors; i++) {
        const gi_tensor *tensor = &file->tensors[i];
        sum = libdeflate_crc32(sum, tensor->name, strlen(tensor->name));
        sum = libdeflate_crc32(sum, tensor->data, tensor->n_bytes);
    }
    snprintf(c.hex, sizeof c.hex, "%08lx", (unsigned long)sum);
    return c;
}

/* ---- Arrays --------------------------------------------------------------------------------- */

/* "moment1.0.weight"; block 1 has all vectors of a layer. */
static void name_tensor(char name[NAME_BYTES], const char *array, size_t layer, int block)
{
    snprintf(name, NAME_BYTES, "%s.%zu.%s", array, layer, block ? "vectors" : "weight");
}

glia_status gi_checkpoint_write(const char *path, const glia_network *network,
                                const gi_kept_arrays *arrays, const gi_run_state *state,
                                const json_t *about, glia_error *error)
{
    glia_status status = GLIA_OK;
    size_t n = 0;
    char(*names)[NAME_BYTES] = gi_alloc(MAX_TENSORS, sizeof *names, "a checkpoint", error);
    gi_tensor *tensors = gi_alloc(MAX_TENSORS, sizeof *tensors, "a checkpoint", error);
    char *text = NULL;
    json_t *whole = json_pack("{s:s, s:O, s:o}", "version", GLIA_VERSION, "about",
                              (json_t *)(uintptr_t)about, "state", pack_state(state));
    if (!names || !tensors || !(text = gi_json_write(whole, error))) {
        status = GLIA_NO_MEMORY;
        goto cleanup;
    }
    for (size_t i = 0; i < GI_KEPT_ARRAYS; i++)
        for (size_t l = 0; l < network->n_layers && arrays->of[i]; l++)
            for (int block = 0; block < 2; block++, n++) {
                const size_t bytes = gi_parameter_bytes(network, l, block);
                name_tensor(names[n], arrays->name[i], l, block);
                tensors[n] = (gi_tensor){.name = names[n],
                                         .dtype = "F32",
                                         .n_dims = 1,
                                         .shape = {bytes / sizeof(float)},
                                         .data = arrays->of[i][l].of[block],
                                         .n_bytes = bytes};
            }
    const char *metadata[] = {"format", "glia checkpoint", "glia", text, "checksum", NULL};
    const gi_safetensors file = {
        .tensors = tensors, .n_tensors = n, .metadata = metadata, .n_metadata = 3};
    const checksum sum = sum_file(&file, text);
    metadata[5] = sum.hex;
    status = gi_safetensors_write(path, &file, error);
cleanup:
    glia_string_free(text);
    json_decref(whole);
    gi_free(tensors);
    gi_free(names);
    return status;
}

/* Each array that the run has, with its size: all looked at before any is copied. */
static glia_status read_arrays(const char *path, const gi_safetensors *file,
                               const glia_network *network, const gi_kept_arrays *arrays,
                               glia_error *error)
{
    size_t n = 0;
    for (int copies = 0; copies < 2; copies++)
        for (size_t i = 0; i < GI_KEPT_ARRAYS; i++)
            for (size_t l = 0; l < network->n_layers && arrays->of[i]; l++)
                for (int block = 0; block < 2; block++) {
                    const size_t bytes = gi_parameter_bytes(network, l, block);
                    char name[NAME_BYTES];
                    name_tensor(name, arrays->name[i], l, block);
                    const gi_tensor *tensor = gi_safetensors_find(file, name);
                    if (!tensor || strcmp(tensor->dtype, "F32") != 0 || tensor->n_bytes != bytes)
                        return gi_fail(error, GLIA_BAD_FORMAT,
                                       "%s: tensor \"%s\": found %s of %zu bytes, expected F32 of "
                                       "%zu bytes",
                                       path, name, tensor ? tensor->dtype : "none",
                                       tensor ? tensor->n_bytes : 0, bytes);
                    n++;
                    if (copies) memcpy(arrays->of[i][l].of[block], tensor->data, bytes);
                }
    if (file->n_tensors != n / 2)
        return gi_fail(error, GLIA_BAD_FORMAT, "%s: found %zu tensors, expected %zu", path,
                       file->n_tensors, n / 2);
    return GLIA_OK;
}

glia_status gi_checkpoint_parse(const char *path, const uint8_t *bytes, size_t n_bytes,
                                const glia_network *network, const gi_kept_arrays *arrays,
                                const gi_run_limits *limits, gi_run_state *state,
                                const json_t *about, glia_error *error)
{
    gi_safetensors file = {0};
    json_t *document = NULL;
    gi_run_state read = {0};
    glia_status status = gi_safetensors_parse(path, bytes, n_bytes, &file, error);
    if (status) goto cleanup;
    const char *format = gi_safetensors_metadata(&file, "format");
    const char *text = gi_safetensors_metadata(&file, "glia");
    if (!text || !format || strcmp(format, "glia checkpoint") != 0) {
        status = gi_fail(error, GLIA_BAD_FORMAT,
                         "%s: __metadata__: found format %s, expected \"glia checkpoint\", that of "
                         "a run which glia has kept",
                         path, format ? gi_found_name(format).text : "none");
        goto cleanup;
    }
    const char *found = gi_safetensors_metadata(&file, "checksum");
    const checksum sum = sum_file(&file, text);
    if (!found || strcmp(found, sum.hex) != 0) {
        status = gi_fail(error, GLIA_BAD_FORMAT,
                         "%s: is damaged: its checksum is %s, expected %s; begin the run anew, or "
                         "go on from a copy of the file",
                         path, found ? gi_found_name(found).text : "none", sum.hex);
        goto cleanup;
    }
    status = gi_json_read(path, text, strlen(text), 0, &document, NULL, error);
    if (!status) status = check_about(path, json_object_get(document, "about"), about, error);
    if (!status) status = read_state(path, json_object_get(document, "state"), &read, error);
    if (!status) status = check_place(path, &read, limits, error);
    if (!status) status = read_arrays(path, &file, network, arrays, error);
    if (!status) *state = read;
cleanup:
    json_decref(document);
    gi_safetensors_free(&file);
    return status;
}

glia_status gi_checkpoint_read(const char *path, const glia_network *network,
                               const gi_kept_arrays *arrays, const gi_run_limits *limits,
                               gi_run_state *state, const json_t *about, glia_error *error)
{
    gi_file file;
    glia_status status = gi_file_open(path, &file, error);
    if (status) return status;
    status = gi_checkpoint_parse(path, file.data, file.size, network, arrays, limits, state, about,
                                 error);
    gi_file_close(&file);
    return status;
}
