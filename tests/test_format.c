/* SPDX-License-Identifier: MIT */
/*
 * The model file: what is written is read back to the byte, every malformed file is refused with a
 * message that names file and place, and a save that fails leaves the old file as it was.
 * Linked with --wrap for write, fsync, rename, close and aligned_alloc; jansson is given allocators
 * that fail with the last.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* needs those above */

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assert_error.h"
#include "base/file.h"
#include "base/memory.h"
#include "format/model_file.h"
#include "format/safetensors.h"
#include "json_memory.h"
#include "model/image_form.h"
#include "shape.h"
#include "whole.h"

/* ---- Calls that fail on demand --------------------------------------------------------------- */

enum call { WRITE, FSYNC, RENAME, CLOSE, ALLOCATE, N_CALLS };

/* Call number fail_at[c] of kind c fails; 0: none. */
static unsigned fail_at[N_CALLS], calls[N_CALLS];
static bool short_writes;

static bool fails(enum call call)
{
    return ++calls[call] == fail_at[call];
}

static void reset_calls(void)
{
    memset(fail_at, 0, sizeof fail_at);
    memset(calls, 0, sizeof calls);
    short_writes = false;
}

ssize_t __real_write(int descriptor, const void *data, size_t size);
ssize_t __wrap_write(int descriptor, const void *data, size_t size);
ssize_t __wrap_write(int descriptor, const void *data, size_t size)
{
    if (fails(WRITE)) {
        errno = ENOSPC;
        return -1;
    }
    if (short_writes && calls[WRITE] % 2) {
        errno = EINTR;
        return -1;
    }
    return __real_write(descriptor, data, short_writes && size > 3 ? 3 : size);
}

int __real_fsync(int descriptor);
int __wrap_fsync(int descriptor);
int __wrap_fsync(int descriptor)
{
    if (!fails(FSYNC)) return __real_fsync(descriptor);
    errno = EIO;
    return -1;
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
    if (!fails(RENAME)) return __real_rename(from, to);
    errno = EACCES;
    return -1;
}

int __real_close(int descriptor);
int __wrap_close(int descriptor);
int __wrap_close(int descriptor)
{
    const int result = __real_close(descriptor);
    if (!fails(CLOSE)) return result;
    errno = EIO;
    return -1;
}

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails(ALLOCATE) ? NULL : __real_aligned_alloc(alignment, size);
}

static bool json_allocation_fails(void)
{
    return fails(ALLOCATE);
}

/* ---- A folder for each test, and models to put there ------------------------------------------
 */

static char folder[256], model_path[300];

static int make_folder(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.200s/glia-format-XXXXXX", base && *base ? base : "/tmp");
    reset_calls();
    if (!mkdtemp(folder)) return -1;
    snprintf(model_path, sizeof model_path, "%s/model.safetensors", folder);
    return 0;
}

/* Counts what is in the folder. */
static size_t count_files(bool remove_them)
{
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    size_t n = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        n++;
        char path[600];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (remove_them && remove(path) != 0) n += 1000;
    }
    closedir(directory);
    return n;
}

static int remove_folder(void **state)
{
    (void)state;
    reset_calls();
    count_files(true);
    return rmdir(folder);
}

/* 2 x 2 images, 4-3-2, the hidden layer normalised, with everything set that a file can hold. */
static glia_network *make_network(uint64_t seed)
{
    const size_t hidden[] = {3};
    const glia_activation activations[] = {GLIA_ACTIVATION_TANH};
    shape params = shape_of(4, 2);
    params.n_hidden = 1;
    params.hidden = hidden;
    params.activations = activations;
    params.batch_norm = true;
    params.seed = seed;
    glia_network *network;
    assert_int_equal(shape_network(&params, &network, NULL), GLIA_OK);
    const float bias[] = {0.5F, 0, -0.25F}, scale[] = {1.5F, -0.3F, 1}, shift[] = {0, 0.1F, -2};
    const float mean[] = {0.7F, -1, 1e-3F}, variance[] = {0.3F, 0, 2};
    assert_int_equal(whole_set_layer(network, 0, NULL, bias, NULL), GLIA_OK);
    assert_int_equal(whole_set_norm(network, 0, scale, shift, mean, variance, NULL), GLIA_OK);
    const char *const names[] = {"Ankle boot", "Stövel \"β\""};
    assert_int_equal(gi_network_set_class_names(network, names, NULL), GLIA_OK);
    network->input =
        (gi_input_form){.height = 2, .width = 2, .form = GI_FORM_SCALE, .divisor = 255};
    network->record = (gi_training_record){
        .init = GLIA_INIT_GLOROT_NORMAL,
        .init_seed = UINT64_MAX - seed,
        .trained = true,
        .dataset = "shoes",
        .samples = 60000,
        .validation_samples = 5000,
        .settings = {.optimizer = GLIA_OPTIMIZER_ADAMW,
                     .momentum = 0.85,
                     .beta2 = 0.98,
                     .epsilon = 1e-7,
                     .weight_decay = 0.02,
                     .l2 = 1e-4,
                     .l1 = 1e-5,
                     .max_norm = 3,
                     .clip_norm = 5,
                     .dropout = 0.5,
                     .input_dropout = 0.2,
                     .input_noise = 0.3,
                     .label_smoothing = 0.1,
                     .averaging = 0.999,
                     .shift = 1.5,
                     .rotation = 0.2,
                     .scale = 0.15,
                     .shear = 0.1,
                     .elastic_alpha = 8,
                     .elastic_sigma = 4,
                     .augment_fade = 0.5,
                     .augment_fade_to = 0.25,
                     .lr = 1.0 / 3,
                     .schedule = GLIA_SCHEDULE_STEP,
                     .lr_end = 0.1,
                     .lr_factor = 0.3,
                     .lr_every = 7,
                     .warmup = 0.15,
                     .batch = 1,
                     .epochs = SIZE_MAX,
                     .seed = UINT64_C(1) << 63,
                     .patience = 2,
                     .min_delta = 1e-7},
        .epochs_done = 10,
        .best_epoch = 8,
        .train_loss = 0.12345678901234567,
        .validation_loss = NAN,
    };
    const double class_weights[] = {1, 1.0 / 7};
    gi_class_weights *weights = &network->record.settings.class_weights;
    weights->of = gi_alloc(2, sizeof(double), "class weights", NULL);
    assert_non_null(weights->of);
    memcpy(weights->of, class_weights, sizeof class_weights);
    weights->n = 2;
    return network;
}

static void save(const glia_network *network, const char *path)
{
    glia_error error = {0};
    if (glia_network_save(network, path, &error)) fail_msg("%s", error.message);
}

static glia_network *load(const char *path)
{
    glia_error error = {0};
    glia_network *network = NULL;
    if (glia_network_load(path, &network, &error)) fail_msg("%s", error.message);
    return network;
}

static gi_file read_file(const char *path)
{
    gi_file file;
    glia_error error = {0};
    if (gi_file_open(path, &file, &error)) fail_msg("%s", error.message);
    return file;
}

static bool same_bytes(const char *path, const gi_file *expected)
{
    gi_file file = read_file(path);
    const bool same =
        file.size == expected->size && memcmp(file.data, expected->data, file.size) == 0;
    gi_file_close(&file);
    return same;
}

/* ---- Round trips ----------------------------------------------------------------------------- */

static void assert_same_settings(const glia_settings *a, const glia_settings *b)
{
    for (size_t i = 0; i < GI_N_SETTINGS; i++) {
        const gi_setting *setting = &gi_settings[i];
        const double a_number = gi_setting_number(setting, a),
                     b_number = gi_setting_number(setting, b);
        const double x = isnan(a_number) ? a_number : fmin(a_number, (double)INT64_MAX);
        const double y = isnan(b_number) ? b_number : fmin(b_number, (double)INT64_MAX);
        if (setting->type == GI_TYPE_SEED)
            assert_true(a->seed == b->seed);
        else if (x != y && !(isnan(x) && isnan(y)))
            fail_msg("%s: %g, %g", setting->name, x, y);
    }
    assert_int_equal(a->class_weights.n, b->class_weights.n);
    for (size_t i = 0; i < a->class_weights.n; i++)
        assert_true(a->class_weights.of[i] == b->class_weights.of[i]);
}

static void test_round_trip(void **state)
{
    (void)state;
    char second_path[320];
    snprintf(second_path, sizeof second_path, "%s.2", model_path);
    glia_network *network = make_network(1);
    save(network, model_path);
    glia_network *loaded = load(model_path);
    save(loaded, second_path);
    gi_file first = read_file(model_path);
    assert_true(same_bytes(second_path, &first));
    gi_file_close(&first);

    float weight[2][12], bias[2][3];
    for (size_t l = 0; l < 2; l++) {
        const glia_layer_info info = glia_network_layer(network, l);
        assert_int_equal(glia_network_layer(loaded, l).activation, info.activation);
        assert_int_equal(whole_get_layer(network, l, weight[0], bias[0], NULL), GLIA_OK);
        assert_int_equal(whole_get_layer(loaded, l, weight[1], bias[1], NULL), GLIA_OK);
        assert_memory_equal(weight[0], weight[1], info.units * info.inputs * sizeof(float));
        assert_memory_equal(bias[0], bias[1], info.units * sizeof(float));
    }
    float norm[2][4][3];
    assert_true(glia_network_layer(loaded, 0).batch_norm);
    assert_false(glia_network_layer(loaded, 1).batch_norm);
    for (int i = 0; i < 2; i++)
        assert_int_equal(whole_get_norm(i ? loaded : network, 0, norm[i][0], norm[i][1], norm[i][2],
                                        norm[i][3], NULL),
                         GLIA_OK);
    assert_memory_equal(norm[0], norm[1], sizeof norm[0]);
    assert_true(norm[1][0][1] == -0.3F && norm[1][1][1] == 0.1F && norm[1][2][0] == 0.7F &&
                norm[1][3][2] == 2);

    const uint8_t x[3][4] = {{0, 255, 3, 90}, {7, 0, 0, 1}, {200, 100, 50, 25}};
    float probabilities[2][6];
    assert_int_equal(whole_predict(network, GLIA_TYPE_U8, x, 3, probabilities[0], NULL), GLIA_OK);
    assert_int_equal(whole_predict(loaded, GLIA_TYPE_U8, x, 3, probabilities[1], NULL), GLIA_OK);
    assert_memory_equal(probabilities[0], probabilities[1], sizeof probabilities[0]);

    assert_string_equal(glia_network_class_name(loaded, 1), "Stövel \"β\"");
    const gi_training_record *record = &loaded->record;
    const glia_settings *settings = &record->settings;
    assert_same_settings(settings, &network->record.settings);
    assert_true(settings->averaging == 0.999 && settings->optimizer == GLIA_OPTIMIZER_ADAMW);
    assert_true(settings->shift == 1.5 && settings->augment_fade_to == 0.25);
    assert_true(settings->class_weights.n == 2 && settings->class_weights.of[1] == 1.0 / 7);
    assert_int_equal(record->init, GLIA_INIT_GLOROT_NORMAL);
    assert_true(record->init_seed == UINT64_MAX - 1);
    assert_true(settings->seed == UINT64_C(1) << 63);
    assert_true(settings->lr == 1.0 / 3 && settings->lr_end == 0.1);
    assert_int_equal(settings->schedule, GLIA_SCHEDULE_STEP);
    assert_true(settings->lr_factor == 0.3 && settings->lr_every == 7);
    assert_true(settings->warmup == 0.15);
    assert_true(record->train_loss == 0.12345678901234567);
    assert_true(isnan(record->validation_loss));
    assert_string_equal(record->dataset, "shoes");
    assert_int_equal(loaded->input.height, 2);
    assert_int_equal(loaded->input.form, GI_FORM_SCALE);
    glia_network_free(network);
    glia_network_free(loaded);
}

/* What training was asked for, as far as the optimizer looks at it, comes back from the file, and
 * what is left at nothing is not in it. */
static void test_trained_settings(void **state)
{
    (void)state;
    const float x[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
    const uint32_t labels[] = {0, 1, 0, 1};
    double class_weights[] = {1, 2.5};
    glia_dataset *data;
    assert_int_equal(glia_dataset_from_arrays(GLIA_TYPE_F32, x, labels, 4, 2, 2, &data, NULL),
                     GLIA_OK);
    glia_settings all = gi_settings_defaults();
    all.optimizer = GLIA_OPTIMIZER_ADAMW;
    all.momentum = 0.8;
    all.l2 = 1e-3;
    all.l1 = 1e-4;
    all.max_norm = 2;
    all.clip_norm = 1;
    all.dropout = 0.25;
    all.input_dropout = 0.125;
    all.input_noise = 0.1;
    all.label_smoothing = 0.05;
    all.averaging = 0.9;
    all.class_weights = (gi_class_weights){.n = 2, .of = class_weights};
    /* What the run was: settled, without what its optimizer does not look at. */
    glia_settings plainly = gi_settings_defaults();
    plainly.lr = 0.2;
    plainly.schedule = GLIA_SCHEDULE_CONSTANT;
    plainly.lr_factor = plainly.momentum = plainly.beta2 = plainly.epsilon = 0;
    plainly.weight_decay = 0;
    plainly.shift = plainly.rotation = plainly.scale = plainly.shear = 0;
    plainly.elastic_alpha = plainly.elastic_sigma = 0;
    plainly.batch = 4; /* all samples */
    glia_settings of_all = plainly, of_rms = plainly, of_nesterov = plainly;
    of_all.optimizer = GLIA_OPTIMIZER_ADAMW;
    of_all.lr = 0.001;
    of_all.momentum = 0.8;
    of_all.beta2 = 0.999;
    of_all.epsilon = 1e-8;
    of_all.weight_decay = 0.01;
    of_all.l2 = 1e-3;
    of_all.l1 = 1e-4;
    of_all.max_norm = 2;
    of_all.clip_norm = 1;
    of_all.dropout = 0.25;
    of_all.input_dropout = 0.125;
    of_all.input_noise = 0.1;
    of_all.label_smoothing = 0.05;
    of_all.averaging = 0.9;
    of_all.class_weights = (gi_class_weights){.n = 2, .of = class_weights};
    of_rms.optimizer = GLIA_OPTIMIZER_RMSPROP;
    of_rms.lr = 0.001;
    of_rms.beta2 = 0.99;
    of_rms.epsilon = 1e-8;
    of_nesterov.optimizer = GLIA_OPTIMIZER_NESTEROV;
    of_nesterov.lr = 0.02;
    of_nesterov.momentum = 0.9;
    glia_settings plain = gi_settings_defaults(), rms = plain, nesterov = plain;
    /* a checkpoint says the same of the run, and leaves the network's record alone */
    char checkpoint[320];
    snprintf(checkpoint, sizeof checkpoint, "%s.kept", model_path);
    all.checkpoint = checkpoint;
    rms.optimizer = GLIA_OPTIMIZER_RMSPROP;
    nesterov.optimizer = GLIA_OPTIMIZER_NESTEROV;
    const struct {
        const glia_settings *params;
        const glia_settings *record;
        const char *text; /* of the file */
    } runs[] = {
        {&plain, &plainly, "\"optimizer\":\"sgd\",\"lr\""},
        {&all, &of_all, "\"momentum\":0.80000000000000004,\"beta2\":0.999"},
        {&all, &of_all, "\"class_weights\":[1.0,2.5]"},
        {&rms, &of_rms, "\"beta2\":0.98999999999999999,\"epsilon\":1e-8"},
        {&nesterov, &of_nesterov, "\"momentum\":0.90000000000000002"},
    };
    shape params = shape_of(2, 2);
    params.n_hidden = 1;
    params.hidden = &(size_t){3};
    params.batch_norm = true;
    glia_network *network;
    assert_int_equal(shape_network(&params, &network, NULL), GLIA_OK);
    /* one after the other: nothing of a run before is left */
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        glia_error error = {0};
        if (glia_train(network, data, NULL, runs[i].params, NULL, &error))
            fail_msg("%s", error.message);
        save(network, model_path);
        glia_network *loaded = load(model_path);
        assert_same_settings(&loaded->record.settings, runs[i].record);
        char *text = NULL;
        assert_int_equal(glia_network_metadata(loaded, &text, NULL), GLIA_OK);
        if (!strstr(text, runs[i].text)) fail_msg("%s is not in %s", runs[i].text, text);
        glia_string_free(text);
        glia_network_free(loaded);
    }
    glia_network_free(network);
    glia_dataset_free(data);
}

/* The bytes themselves: a change of the format must not go unnoticed. */
static void test_exact_bytes(void **state)
{
    (void)state;
    static const char header[] =
        "{\"__metadata__\":{\"format\":\"glia\",\"glia\":\""
        "{\\\"version\\\":\\\"" GLIA_VERSION "\\\","
        "\\\"network\\\":{\\\"inputs\\\":2,\\\"layers\\\":"
        "[{\\\"units\\\":2,\\\"activation\\\":\\\"softmax\\\"}]},"
        "\\\"preprocessing\\\":{\\\"divisor\\\":1.0,\\\"height\\\":0,\\\"width\\\":0,"
        "\\\"form\\\":\\\"none\\\"},"
        "\\\"classes\\\":[\\\"0\\\",\\\"1\\\"],"
        "\\\"initialisation\\\":{\\\"method\\\":\\\"auto\\\",\\\"seed\\\":\\\"1\\\"},"
        "\\\"training\\\":null}\"},"
        "\"layers.0.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
        "\"layers.0.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[16,24]}}";
    static const uint8_t data[] = {0, 0, 0x80, 0x3F, 0, 0, 0, 0x40, 0, 0,    0x40, 0x40,
                                   0, 0, 0x80, 0x40, 0, 0, 0, 0xBF, 0, 0x0A, 0x0B, 0x0C};
    const float weight[] = {1, 2, 3, 4}, bias[] = {-0.5F, 0x1.1614p-103F};
    const shape params = shape_of(2, 2);
    glia_network *network;
    assert_int_equal(shape_network(&params, &network, NULL), GLIA_OK);
    assert_int_equal(whole_set_layer(network, 0, weight, bias, NULL), GLIA_OK);
    save(network, model_path);
    glia_network_free(network);

    gi_file file = read_file(model_path);
    const size_t n_header = (sizeof header - 1 + 7) / 8 * 8;
    assert_int_equal(file.size, 8 + n_header + sizeof data);
    assert_int_equal(file.data[0] | file.data[1] << 8, n_header);
    for (size_t i = 2; i < 8; i++) assert_int_equal(file.data[i], 0);
    assert_memory_equal(file.data + 8, header, sizeof header - 1);
    for (size_t i = sizeof header - 1; i < n_header; i++) assert_int_equal(file.data[8 + i], ' ');
    assert_memory_equal(file.data + 8 + n_header, data, sizeof data);
    gi_file_close(&file);
}

static void test_metadata(void **state)
{
    (void)state;
    glia_network *network = make_network(1);
    network->record.settings.min_delta = INFINITY; /* what JSON has no number for */
    /* The name of a data set can be that of any folder; what no JSON can hold becomes '?'. */
    static const char *const names[][2] = {
        {"a\nb\x7F", "a?b?"},
        {"a\xFF\xC3", "a??"},
        {"é\xE2\x82\xAC\xF0\x9F\x98\x80", "é\xE2\x82\xAC\xF0\x9F\x98\x80"},
        {"é\xC0\xAF", "????"},           /* an overlong form */
        {"é\xED\xA0\x80", "?????"},      /* half of a surrogate pair */
        {"é\xF4\x90\x80\x80", "??????"}, /* past the last code point */
        {"é\xE2\x82", "????"},           /* cut short */
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        strcpy(network->record.dataset, names[i][0]);
        char *text = NULL;
        assert_int_equal(glia_network_metadata(network, &text, NULL), GLIA_OK);
        assert_non_null(strstr(text, "\"seed\":\"9223372036854775808\""));
        assert_non_null(strstr(text, "\"validation_loss\":null"));
        glia_string_free(text);
        save(network, model_path);
        glia_network *loaded = load(model_path);
        assert_string_equal(loaded->record.dataset, names[i][1]);
        glia_network_free(loaded);
    }
    glia_network_free(network);
}

/* A model does not depend on how numbers are written where the program runs. */
static void test_other_locale(void **state)
{
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8",
                                        "ps_AF.UTF-8"}; /* whose point has two bytes */
    glia_network *network = make_network(1);
    save(network, model_path);
    gi_file plain = read_file(model_path);
    int n_set = 0;
    bool same = true;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!setlocale(LC_ALL, names[i])) continue;
        n_set++;
        char number[8];
        snprintf(number, sizeof number, "%.1f", 1.5);
        assert_string_not_equal(number, "1.5"); /* it is in force */
        glia_network *loaded = load(model_path);
        save(loaded, model_path);
        glia_network_free(loaded);
        same = same && same_bytes(model_path, &plain);
        assert_int_equal(snprintf(NULL, 0, "%.1f", 1.5), strlen(number)); /* it still is */
        setlocale(LC_ALL, "C");
    }
    gi_file_close(&plain);
    glia_network_free(network);
    if (n_set == 0) skip(); /* no locale with another decimal point is installed */
    assert_true(same);
}

/* ---- Malformed containers ----------------------------------------------------------------------
 */

static const char bad_path[] = "bad.safetensors";

static void expect_failure(glia_status status, const glia_error *error, glia_status expected,
                           const char *const words[2], const char *what)
{
    if (status != expected)
        fail_msg("%s: found status %s (%s), expected %s", what, glia_status_name(status),
                 error->message, glia_status_name(expected));
    assert_int_equal(error->status, status);
    const char *all[] = {bad_path, words[0], words[1]};
    for (size_t i = 0; i < 3; i++)
        if (all[i] && !strstr(error->message, all[i]))
            fail_msg("%s: \"%s\" is not in the message: %s", what, all[i], error->message);
}

/* Length, header, data of zeros; in a block of exactly that size, so that a sanitizer sees all. */
static uint8_t *make_file(uint64_t length, const char *header, size_t n_header, size_t n_data,
                          size_t *n_bytes)
{
    uint8_t *bytes = calloc(1, 8 + n_header + n_data);
    assert_non_null(bytes);
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(length >> 8 * i);
    memcpy(bytes + 8, header, n_header);
    *n_bytes = 8 + n_header + n_data;
    return bytes;
}

#define F32(shape, begin, end)                                                                     \
    "{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" #begin "," #end "]}"

static const struct {
    const char *header;
    size_t n_data;
    const char *words[2];
    glia_status status; /* 0: BAD_FORMAT */
} bad_headers[] = {
    {"", 0, {"byte 8", "'{'"}, 0},
    {"[]", 0, {"byte 8", "'{'"}, 0},
    {" {}", 0, {"byte 8", "'{'"}, 0},
    {"{", 0, {"byte 9", "end of file"}, 0},
    {"{\"a\":}", 0, {"byte 14", "unexpected token near '}'"}, 0},
    {"{}x", 0, {"byte 10", "0x78"}, 0},
    {"{} \n", 0, {"byte 11", "0x0a"}, 0},
    {"{}{}", 0, {"byte 10", "spaces"}, 0},
    {"{\"a\":" F32("[1]", 0, 4) ",\"a\":" F32("[1]", 0, 4) "}", 4, {"byte", "duplicate"}, 0},
    {"{\"a\":" F32("[1]", 0, 4) ",\"\\u0061\":" F32("[1]", 0, 4) "}", 4, {"byte", "duplicate"}, 0},
    {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
     4,
     {"byte", "duplicate"},
     0},
    {"{\"__metadata__\":[]}", 0, {"__metadata__", "an array of 0"}, 0},
    {"{\"__metadata__\":{\"k\":1}}", 0, {"__metadata__: \"k\"", "found 1"}, 0},
    {"{\"__metadata__\":{\"k\":\"1\",\"k\":\"1\"}}", 0, {"byte", "duplicate"}, 0},
    {"{\"a\":3}", 0, {"tensor \"a\"", "found 3"}, 0},
    {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, {"tensor \"a\"", "without dtype"}, 0},
    {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, {"\"a\"", "without shape"}, 0},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, {"\"a\"", "without data_offsets"}, 0},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":0}}",
     4,
     {"tensor \"a\"", "an object of 4"},
     0},
    {"{\"a\":{\"dtype\":4,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, {"\"a\": dtype", "4"}, 0},
    {"{\"a\":{\"dtype\":\"f32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
     4,
     {"\"a\": dtype", "\"f32\""},
     0},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]}}", 4, {"\"a\": shape", "1"}, 0},
    {"{\"a\":" F32("[1,-1]", 0, 4) "}", 4, {"\"a\": shape[1]", "-1"}, 0},
    {"{\"a\":" F32("[1.0]", 0, 4) "}", 4, {"\"a\": shape[0]", "found 1"}, 0},
    {"{\"a\":" F32("[\"1\"]", 0, 4) "}", 4, {"\"a\": shape[0]", "\"1\""}, 0},
    {"{\"a\":" F32("[4294967296,4294967296]", 0, 4) "}", 4, {"\"a\": shape[1]", "counted"}, 0},
    {"{\"a\":" F32("[18446744073709551617]", 0, 4) "}", 4, {"byte 57", "too big integer"}, 0},
    {"{\"a\":" F32("[9223372036854775807]", 0, 4) "}", 4, {"\"a\": shape[0]", "counted"}, 0},
    {"{\"a\":" F32("[1,1,1,1,1,1,1,1,1]", 0, 4) "}", 4, {"shape", "9"}, GLIA_UNSUPPORTED},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":4}}",
     4,
     {"\"a\": data_offsets", "found 4"},
     0},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}",
     4,
     {"\"a\": data_offsets", "an array of 3"},
     0},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4e0]}}",
     4,
     {"\"a\": data_offsets", "two integers"},
     0},
    {"{\"a\":" F32("[1]", -4, 0) "}", 4, {"\"a\": data_offsets", "two integers"}, 0},
    {"{\"a\":" F32("[1]", 4, 0) "}", 4, {"\"a\": data_offsets", "[4, 0]"}, 0},
    {"{\"a\":" F32("[2]", 0, 8) "}", 4, {"\"a\": data_offsets", "[0, 8]"}, 0},
    {"{\"a\":" F32("[2]", 0, 4) "}", 4, {"\"a\": data_offsets", "span 4"}, 0},
    {"{\"a\":" F32("[0]", 0, 4) "}", 4, {"\"a\": data_offsets", "take 0"}, 0},
    {"{\"a\":" F32("[1]", 4, 8) "}", 8, {"\"a\"", "hole"}, 0},
    {"{\"a\":" F32("[1]", 0, 4) ",\"b\":" F32("[1]", 0, 4) "}", 4, {"\"b\"", "overlaps"}, 0},
    {"{\"a\":" F32("[2]", 0, 8) ",\"b\":" F32("[1]", 4, 8) "}", 8, {"\"b\"", "overlaps"}, 0},
    {"{\"a\":" F32("[1]", 0, 4) ",\"b\":" F32("[1]", 8, 12) "}", 12, {"\"b\"", "hole"}, 0},
    {"{\"a\":" F32("[1]", 0, 4) "}", 5, {"byte 4", "expected 5"}, 0},
    {"{}", 1, {"byte 0", "expected 1"}, 0},
};

/* What stands after {"a": and is no JSON: at which byte of the file the reader has seen that, and
 * what it says of it. */
static const struct {
    const char *rest;
    size_t byte;
    const char *word;
} bad_json[] = {
    {"01}", 14, "'0'"},
    {"-}", 14, "'-'"},
    {"+1}", 14, "'+'"},
    {".5}", 14, "'.'"},
    {"1.}", 15, "'1.'"},
    {"1e}", 15, "'1e'"},
    {"1e+}", 16, "'1e+'"},
    {"0x1}", 15, "'x'"},
    {"NaN}", 16, "'NaN'"},
    {"tru}", 16, "'tru'"},
    {"truee}", 18, "'truee'"},
    {"nul", 16, "'nul'"},
    {"1", 14, "end of file"},
    {"1,}", 16, "string or '}' expected"},
    {"1 \"b\":2}", 18, "'}' expected"},
    {"1,\"b\" 2}", 20, "':' expected"},
    {"1,b:2}", 16, "'b'"},
    {"[1 2]}", 17, "']' expected"},
    {"[1,]}", 17, "unexpected token near ']'"},
    {"[1}", 16, "']' expected"},
    {"[", 14, "end of file"},
    {"'1'}", 14, "near '''"},
    {"\"", 14, "end of input"},
    {"\"\\", 15, "escape"},
    {"\"\n\"}", 14, "newline"},
    {"\"\x01\"}", 14, "control character 0x1"},
    {"\"\\x\"}", 16, "escape near '\"\\x'"},
    {"\"\\u12g4\"}", 19, "escape"},
    {"\"\\u12", 18, "escape"},
    {"\"\\ud800\"}", 21, "'\\uD800'"},
    {"\"\\ud800\\u0041\"}", 27, "'\\uD800\\u0041'"},
    {"\"\\udc00\"}", 21, "'\\uDC00'"},
    {"\"\\u0000\"}", 21, "\\u0000 is not allowed"},
    {"1,\"\\u0000\":2}", 23, "NUL"},
    {"1e999}", 18, "real number overflow"},
    {"-9223372036854775809}", 33, "too big negative integer"},
    {"\"\xFF\"}", 14, "0xff"},
    {"\"\xC3\"}", 14, "0xc3"},
    {"\"\xC0\xAF\"}", 14, "0xc0"},         /* an overlong form */
    {"\"\xED\xA0\x80\"}", 14, "0xed"},     /* half of a surrogate pair */
    {"\"\xF4\x90\x80\x80\"}", 14, "0xf4"}, /* past the last code point */
    {"\"\xF8\x88\x80\x80\x80\"}", 14, "0xf8"},
    {"\"\xE2\x82", 14, "0xe2"},
    {"/* */1}", 14, "'/'"},
};

static void test_bad_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_json / sizeof bad_json[0]; i++) {
        char header[100], place[40];
        snprintf(header, sizeof header, "{\"a\":%s", bad_json[i].rest);
        snprintf(place, sizeof place, ": byte %zu: not valid JSON", bad_json[i].byte);
        size_t n_bytes;
        uint8_t *bytes = make_file(strlen(header), header, strlen(header), 0, &n_bytes);
        gi_safetensors file;
        glia_error error = {0};
        const char *const words[2] = {place, bad_json[i].word};
        expect_failure(gi_safetensors_parse(bad_path, bytes, n_bytes, &file, &error), &error,
                       GLIA_BAD_FORMAT, words, header);
        free(bytes);
    }
}

/* Every escape and length of UTF-8, and what the writer makes of the string. */
static void test_json_strings(void **state)
{
    (void)state;
    static const char text[] = "{\"__metadata__\":{\"k\\u0065y\":"
                               "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u00e9\\u20AC"
                               "\\ud83d\\uDE00 \xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\x7F\"}}";
    static const char decoded[] = "\"\\/\b\f\n\r\t\x01\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80 "
                                  "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\x7F";
    size_t n_bytes;
    uint8_t *bytes = make_file(sizeof text - 1, text, sizeof text - 1, 0, &n_bytes);
    gi_safetensors file;
    glia_error error = {0};
    if (gi_safetensors_parse(bad_path, bytes, n_bytes, &file, &error))
        fail_msg("%s", error.message);
    assert_string_equal(gi_safetensors_metadata(&file, "key"), decoded);
    gi_safetensors_free(&file);
    free(bytes);

    const char *metadata[] = {decoded, decoded};
    const gi_safetensors strange = {.metadata = metadata, .n_metadata = 1};
    assert_int_equal(gi_safetensors_write(model_path, &strange, &error), GLIA_OK);
    gi_file written = read_file(model_path);
    assert_int_equal(gi_safetensors_parse(model_path, written.data, written.size, &file, &error),
                     GLIA_OK);
    assert_int_equal(file.n_tensors, 0);
    assert_int_equal(file.n_metadata, 1);
    assert_string_equal(gi_safetensors_metadata(&file, decoded), decoded);
    gi_safetensors_free(&file);
    gi_file_close(&written);
}

/* Doubles come back, to the bit. */
static void test_json_reals(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } reals[] = {
        {0.1, "0.10000000000000001,"},
        {255, "255.0,"},
        {1e-7, "9.9999999999999995e-8,"},
        {0, "0.0,"},
        {-0.0, "-0.0,"},
        {1.5, "1.5,"},
        {1e300, "1.0000000000000001e300,"},
        {5e-324, "4.9406564584124654e-324,"},
        {INFINITY, "null,"},
        {NAN, "null,"},
        {-1.0 / 3, "-0.33333333333333331,"},
        {0x1.fffffffffffffp1023, "1.7976931348623157e308,"},
    };
    glia_network *network = make_network(1);
    for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++) {
        network->record.train_loss = reals[i].value;
        char *text = NULL, expected[60];
        assert_int_equal(glia_network_metadata(network, &text, NULL), GLIA_OK);
        snprintf(expected, sizeof expected, "\"train_loss\":%s", reals[i].text);
        if (!strstr(text, expected)) fail_msg("%s is not in %s", expected, text);
        glia_string_free(text);
        save(network, model_path);
        glia_network *loaded = load(model_path);
        if (isfinite(reals[i].value))
            assert_memory_equal(&loaded->record.train_loss, &reals[i].value, sizeof(double));
        else
            assert_true(isnan(loaded->record.train_loss));
        glia_network_free(loaded);
    }
    glia_network_free(network);
}

static void test_bad_containers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_headers / sizeof bad_headers[0]; i++) {
        const char *header = bad_headers[i].header;
        size_t n_bytes;
        uint8_t *bytes =
            make_file(strlen(header), header, strlen(header), bad_headers[i].n_data, &n_bytes);
        gi_safetensors file;
        glia_error error = {0};
        const glia_status status = gi_safetensors_parse(bad_path, bytes, n_bytes, &file, &error);
        expect_failure(status, &error,
                       bad_headers[i].status ? bad_headers[i].status : GLIA_BAD_FORMAT,
                       bad_headers[i].words, header);
        free(bytes);
    }
}

/* Files whose first 8 bytes lie, or that are not even so long. */
static void test_bad_lengths(void **state)
{
    (void)state;
    static const struct {
        uint64_t length;
        size_t cut; /* bytes of the file that are there */
        const char *words[2];
    } files[] = {
        {2, 0, {"found 0 bytes", "at least"}},
        {2, 7, {"found 7 bytes", "at least"}},
        {2, 8, {"byte 0", "only 0 bytes follow"}},
        {2, 9, {"byte 0", "only 1 byte follows"}},
        {3, 10, {"byte 0", "only 2 bytes follow"}},
        {100000000, 10, {"byte 0", "only 2 bytes follow"}},
        {100000001, 10, {"byte 0", "at most 100000000"}},
        {UINT64_MAX, 10, {"byte 0", "at most 100000000"}},
        {UINT64_MAX - 7, 10, {"byte 0", "at most 100000000"}},
        {0, 10, {"byte 8", "'{'"}},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        size_t n_bytes;
        uint8_t *whole = make_file(files[i].length, "{}", 2, 0, &n_bytes);
        uint8_t *bytes = malloc(files[i].cut + 1); /* of no more than what is told */
        assert_non_null(bytes);
        uint8_t *end_aligned = bytes + 1;
        memcpy(end_aligned, whole, files[i].cut);
        gi_safetensors file;
        glia_error error = {0};
        const glia_status status =
            gi_safetensors_parse(bad_path, end_aligned, files[i].cut, &file, &error);
        expect_failure(status, &error, GLIA_BAD_FORMAT, files[i].words, "length");
        free(bytes);
        free(whole);
    }
}

/* A parser that recurses must not be led to the end of its stack. */
static void test_deep_header(void **state)
{
    (void)state;
    enum { DEPTH = 1 << 20 };
    char *header = malloc(DEPTH);
    assert_non_null(header);
    memset(header, '[', DEPTH);
    memcpy(header, "{\"a\":", 5);
    size_t n_bytes;
    uint8_t *bytes = make_file(DEPTH, header, DEPTH, 0, &n_bytes);
    gi_safetensors file;
    glia_error error = {0};
    const char *const words[2] = {"byte", "depth"};
    expect_failure(gi_safetensors_parse(bad_path, bytes, n_bytes, &file, &error), &error,
                   GLIA_UNSUPPORTED, words, "depth");
    free(bytes);
    free(header);
}

/* Nor to take many times the file's size in memory: commas outside of strings are counted. */
static void test_header_of_many(void **state)
{
    (void)state;
    enum { COMMAS = 1 << 20 };
    static const struct {
        const char *begin, *end;
        glia_status status;
    } headers[] = {
        {"{\"a\":[", "", GLIA_UNSUPPORTED},
        {"{\"a\":\"\\\\\"", "", GLIA_UNSUPPORTED},
        {"{\"__metadata__\":{\"a\":\"\\\"", "\"}}", GLIA_OK},
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        const size_t n_begin = strlen(headers[i].begin);
        char *header = calloc(1, COMMAS + 40);
        assert_non_null(header);
        strcpy(header, headers[i].begin);
        memset(header + n_begin, ',', COMMAS);
        strcpy(header + n_begin + COMMAS, headers[i].end);
        size_t n_bytes;
        uint8_t *bytes = make_file(strlen(header), header, strlen(header), 0, &n_bytes);
        gi_safetensors file;
        glia_error error = {0};
        const glia_status status = gi_safetensors_parse(bad_path, bytes, n_bytes, &file, &error);
        const char *const words[2] = {"byte 8", "at most 1048576"};
        if (headers[i].status == GLIA_OK) {
            assert_int_equal(status, GLIA_OK);
            gi_safetensors_free(&file);
        } else {
            expect_failure(status, &error, headers[i].status, words, headers[i].begin);
        }
        free(bytes);
        free(header);
    }
}

/* What looks odd and is allowed: no tensors, scalars, empty tensors, spaces, any order. */
static void test_good_containers(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t n_data, n_tensors;
        const char *first;
    } files[] = {
        {"{}", 0, 0, NULL},
        {"{}      ", 0, 0, NULL},
        {"{\"__metadata__\":{\"\\\"[,:\":\"\\\\\"}}", 0, 0, NULL},
        {"{\"__metadata__\":{}}", 0, 0, NULL},
        {"{\n \"a\" : " F32("[]", 0, 4) "\n}", 4, 1, "a"},
        {"{\"b\":" F32("[1]", 4, 8) ",\"a\":" F32("[1]", 0, 4) "}", 8, 2, "a"},
        {"{\"b\":" F32("[1]", 0, 4) ",\"a\":" F32("[0]", 4, 4) ",\"c\":" F32("[3,0]", 0, 0) "}", 4,
         3, "c"},
        {"{\"\":{\"dtype\":\"F8_E5M2\",\"shape\":[3],\"data_offsets\":[0,3]}}", 3, 1, ""},
        {"{\"a\":{\"dtype\":\"BF16\",\"shape\":[1,1,1,1,1,1,1,2],\"data_offsets\":[0,4]}}", 4, 1,
         "a"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        const char *header = files[i].header;
        size_t n_bytes;
        uint8_t *bytes =
            make_file(strlen(header), header, strlen(header), files[i].n_data, &n_bytes);
        gi_safetensors file;
        glia_error error = {0};
        if (gi_safetensors_parse(bad_path, bytes, n_bytes, &file, &error))
            fail_msg("%s", error.message);
        assert_int_equal(file.n_tensors, files[i].n_tensors);
        if (files[i].first) {
            assert_string_equal(file.tensors[0].name, files[i].first);
            assert_ptr_equal(gi_safetensors_find(&file, files[i].first), &file.tensors[0]);
            assert_ptr_equal(file.tensors[0].data, bytes + 8 + strlen(header));
        }
        assert_null(gi_safetensors_find(&file, "no such tensor"));
        assert_null(gi_safetensors_metadata(&file, "no such key"));
        gi_safetensors_free(&file);
        free(bytes);
    }
}

/* ---- Malformed models ------------------------------------------------------------------------ */

static const char description[] =
    "{\"version\":\"" GLIA_VERSION "\",\"network\":{\"inputs\":4,\"layers\":["
    "{\"units\":3,\"activation\":\"relu\"},{\"units\":2,\"activation\":\"softmax\"}]},"
    "\"preprocessing\":{\"divisor\":255.0,\"height\":2,\"width\":2,\"form\":\"scale\"},"
    "\"classes\":[\"no\",\"yes\"],"
    "\"initialisation\":{\"method\":\"auto\",\"seed\":\"1\"},"
    "\"training\":{\"dataset\":\"d\",\"samples\":9,\"validation_samples\":0,\"lr\":0.1,"
    "\"lr_end\":null,\"warmup\":0.25,\"batch\":1,\"epochs\":10,\"seed\":\"1\",\"patience\":0,\"min_"
    "delta\":0,"
    "\"epochs_done\":10,\"best_epoch\":10,\"train_loss\":0.5,\"validation_loss\":null}}";

/* What stands in the file, and how many bytes of tensors. */
typedef struct source {
    const char *description, *tensors;
    size_t n_data;
} source;

static const char tensors[] = "\"layers.0.weight\":" F32(
    "[3,4]", 0, 48) ","
                    "\"layers.0.bias\":" F32(
                        "[3]", 48, 60) ","
                                       "\"layers.1.weight\":" F32(
                                           "[2,3]", 60, 84) ","
                                                            "\"layers.1.bias\":" F32("[2]", 84, 92);

enum { N_DATA = 92, N_NORM = 48 };

/* text with its first "from" replaced; to be freed. */
static char *replace(const char *text, const char *from, const char *to)
{
    const char *place = strstr(text, from);
    if (!place) fail_msg("\"%s\" is not in the text that it should be replaced in", from);
    char *result = malloc(strlen(text) + strlen(to) + 1);
    assert_non_null(result);
    const size_t before = (size_t)(place - text);
    memcpy(result, text, before);
    strcpy(result + before, to);
    strcat(result, place + strlen(from));
    return result;
}

/* The same with the hidden layer normalised; to be freed. */
static source make_normalised(void)
{
    static const char norm[] =
        ",\"layers.0.norm.weight\":" F32("[3]", 92, 104) ",\"layers.0.norm.bias\":" F32(
            "[3]", 104, 116) ",\"layers.0.norm.running_mean\":" F32("[3]", 116,
                                                                    128) ",\"layers.0.norm.running_"
                                                                         "var\":" F32("[3]", 128,
                                                                                      140);
    char *all = malloc(sizeof tensors + sizeof norm);
    assert_non_null(all);
    strcat(strcpy(all, tensors), norm);
    return (source){replace(description, "\"relu\"", "\"relu\",\"batch_norm\":true"), all,
                    N_DATA + N_NORM};
}

static void free_source(source s)
{
    free((void *)(uintptr_t)s.description);
    free((void *)(uintptr_t)s.tensors);
}

/* The file of a model whose description or tensors have one place changed. */
static uint8_t *make_changed(source s, const char *from, const char *to, size_t n_data,
                             size_t *n_bytes)
{
    const bool in_description = strstr(s.description, from);
    char *text = replace(in_description ? s.description : s.tensors, from, to);
    json_t *string = json_string(in_description ? text : s.description);
    assert_non_null(string);
    char *quoted = json_dumps(string, JSON_ENCODE_ANY);
    const char *entries = in_description ? s.tensors : text;
    const size_t room = strlen(quoted) + strlen(entries) + 100;
    char *header = malloc(room);
    assert_non_null(header);
    snprintf(header, room, "{\"__metadata__\":{\"glia\":%s},%s}", quoted, entries);
    uint8_t *bytes = make_file(strlen(header), header, strlen(header), n_data, n_bytes);
    free(header);
    free(quoted);
    json_decref(string);
    free(text);
    return bytes;
}

static uint8_t *make_model(const char *from, const char *to, size_t n_data, size_t *n_bytes)
{
    return make_changed((source){description, tensors, N_DATA}, from, to, n_data, n_bytes);
}

typedef struct change {
    const char *from, *to;
    size_t n_data; /* 0: as the model has it */
    const char *words[2];
} change;

static const change bad_models[] = {
    /* the description */
    {"{\"version\"", "x{\"version\"", 0, {"metadata \"glia\": byte 1", "JSON"}},
    {"\"validation_loss\":null}}", "\"validation_loss\":null}", 0, {"metadata \"glia\": byte"}},
    {"null}}", "null}} x", 0, {"metadata \"glia\": byte", "end of file expected"}},
    {"\"version\":", "\"Version\":", 0, {"version", "nothing"}},
    {"\"version\":\"", "\"version\":\"\\u001b", 0, {"version", "control"}},
    {"\"network\":{", "\"net\":{", 0, {"network", "nothing"}},
    {"\"inputs\":4", "\"inputs\":0", 0, {"network.inputs", "found 0"}},
    {"\"inputs\":4", "\"inputs\":1048577", 0, {"network.inputs", "1048576"}},
    {"\"inputs\":4", "\"inputs\":4.0", 0, {"network.inputs", "integer"}},
    {"\"inputs\":4", "\"inputs\":\"4\"", 0, {"network.inputs", "\"4\""}},
    {"\"inputs\":4", "\"inputs\":5", 0, {"preprocessing.height", "5 inputs"}},
    {"\"layers\":[", "\"layers\":[],\"x\":[", 0, {"network.layers", "an array of 0"}},
    {"\"units\":3", "\"units\":-3", 0, {"network.layers[0].units", "-3"}},
    {"{\"units\":3,\"activation\":\"relu\"}", "3", 0, {"network.layers[0].units", "nothing"}},
    {"\"units\":2", "\"units\":65537", 0, {"network.layers[1].units", "65536"}},
    {"\"relu\"", "\"softplus\"", 0, {"network.layers[0].activation", "\"softplus\""}},
    {"\"relu\"", "null", 0, {"network.layers[0].activation", "null"}},
    {"\"relu\"", "\"softmax\"", 0, {"network.layers[0].activation", "\"softmax\""}},
    {"\"softmax\"", "\"relu\"", 0, {"network.layers[1].activation", "\"relu\""}},
    {"\"preprocessing\":{", "\"preprocessing\":null,\"x\":{", 0, {"preprocessing", "null"}},
    {"\"divisor\":255.0", "\"divisor\":0.0", 0, {"preprocessing.divisor", "found 0"}},
    {"\"divisor\":255.0", "\"divisor\":-1", 0, {"preprocessing.divisor", "found -1"}},
    {"\"divisor\":255.0", "\"divisor\":1e39", 0, {"preprocessing.divisor", "e+38"}},
    {"\"divisor\":255.0", "\"divisor\":1e999", 0, {"metadata \"glia\": byte", "1e999"}},
    {"\"height\":2", "\"height\":3", 0, {"preprocessing.height", "found 3"}},
    {"\"height\":2", "\"height\":0", 0, {"preprocessing.height", "found 0"}},
    {"\"form\":\"scale\"", "\"form\":\"SCALE\"", 0, {"preprocessing.form", "\"SCALE\""}},
    {"\"form\":\"scale\"", "\"form\":\"mnist\"", 0, {"preprocessing.form", "28 x 28"}},
#define FORM "\"form\":\"scale\""
    {FORM, FORM ",\"standardise\":1", 0, {"preprocessing.standardise", "true or false"}},
    {FORM, FORM ",\"inputs\":[]", 0, {"preprocessing.inputs", "\"standardise\" is not true"}},
    {FORM, FORM ",\"standardise\":true,\"inputs\":[]", 0, {"preprocessing.inputs", "4 inputs"}},
    {FORM,
     FORM ",\"standardise\":true,\"inputs\":[1,2,3]",
     0,
     {"preprocessing.inputs", "an array of 3"}},
    {FORM,
     FORM ",\"standardise\":true,\"inputs\":[{\"mean\":0,\"scale\":0}]",
     0,
     {"preprocessing.inputs[0].scale", "found 0"}},
    {FORM,
     FORM ",\"standardise\":true,\"inputs\":[{\"mean\":1e39,\"scale\":1}]",
     0,
     {"preprocessing.inputs[0].mean", "e+38"}},
#undef FORM
    {"\"height\":2,\"width\":2", "\"height\":0,\"width\":0", 0, {"preprocessing.form", "none"}},
    {"\"classes\":[", "\"classes\":[\"maybe\",", 0, {"classes", "an array of 3"}},
    {"\"classes\":[\"no\"", "\"classes\":[7", 0, {"classes[0]", "found 7"}},
    {"\"yes\"", "\"\\u0000\"", 0, {"metadata \"glia\": byte"}},
    {"\"auto\"", "\"ones\"", 0, {"initialisation.method", "\"ones\""}},
    {"\"seed\":\"1\"}", "\"seed\":1}", 0, {"initialisation.seed", "found 1"}},
    {"\"seed\":\"1\"}", "\"seed\":\"-1\"}", 0, {"initialisation.seed", "\"-1\""}},
    {"\"seed\":\"1\"}", "\"seed\":\"18446744073709551616\"}", 0, {"initialisation.seed", "16\""}},
    {"\"training\":{", "\"training\":1,\"x\":{", 0, {"training", "found 1"}},
    {"\"lr\":0.1", "\"lr\":\"fast\"", 0, {"training.lr", "\"fast\""}},
    {"\"batch\":1,", "", 0, {"training.batch", "nothing"}},
    {"\"warmup\"", "\"schedule\":7,\"warmup\"", 0, {"training.schedule", "found 7"}},
    {"\"warmup\"", "\"schedule\":\"steep\",\"warmup\"", 0, {"training.schedule", "\"steep\""}},
    {"\"warmup\"", "\"lr_factor\":1.5,\"warmup\"", 0, {"training.lr_factor", "1.5"}},
    {"\"warmup\"", "\"lr_every\":-1,\"warmup\"", 0, {"training.lr_every", "-1"}},
    {"\"warmup\":0.25", "\"warmup\":1", 0, {"training.warmup", "found 1, expected"}},
    {"\"warmup\":0.25", "\"warmup\":-0.25", 0, {"training.warmup", "-0.25"}},
    {"\"warmup\":0.25", "\"warmup\":null", 0, {"training.warmup", "null"}},
    {"\"samples\":9", "\"samples\":-9", 0, {"training.samples", "-9"}},
    {"\"warmup\"", "\"optimizer\":\"sg\",\"warmup\"", 0, {"training.optimizer", "\"sg\""}},
    {"\"warmup\"", "\"optimizer\":null,\"warmup\"", 0, {"training.optimizer", "null"}},
    {"\"warmup\"", "\"momentum\":1,\"warmup\"", 0, {"training.momentum", "below 1"}},
    {"\"warmup\"", "\"beta2\":-0.1,\"warmup\"", 0, {"training.beta2", "-0.1"}},
    {"\"warmup\"", "\"epsilon\":-1,\"warmup\"", 0, {"training.epsilon", "found -1"}},
    {"\"warmup\"", "\"weight_decay\":\"1\",\"warmup\"", 0, {"training.weight_decay", "\"1\""}},
    {"\"warmup\"", "\"l2\":-1,\"warmup\"", 0, {"training.l2", "found -1"}},
    {"\"warmup\"", "\"l1\":null,\"warmup\"", 0, {"training.l1", "null"}},
    {"\"warmup\"", "\"max_norm\":-1,\"warmup\"", 0, {"training.max_norm", "found -1"}},
    {"\"warmup\"", "\"clip_norm\":[],\"warmup\"", 0, {"training.clip_norm", "an array"}},
    {"\"warmup\"", "\"dropout\":1.0,\"warmup\"", 0, {"training.dropout", "below 1"}},
    {"\"warmup\"", "\"input_dropout\":2,\"warmup\"", 0, {"training.input_dropout", "found 2"}},
    {"\"warmup\"", "\"input_noise\":-2,\"warmup\"", 0, {"training.input_noise", "found -2"}},
    {"\"warmup\"", "\"label_smoothing\":1,\"warmup\"", 0, {"training.label_smoothing", "1"}},
    {"\"warmup\"", "\"averaging\":true,\"warmup\"", 0, {"training.averaging", "true"}},
    {"\"warmup\"", "\"class_weights\":1,\"warmup\"", 0, {"class_weights", "array of 1 to 2"}},
    {"\"warmup\"", "\"class_weights\":[],\"warmup\"", 0, {"class_weights", "array of 1 to 2"}},
    {"\"warmup\"", "\"class_weights\":[1,1,1],\"warmup\"", 0, {"class_weights", "array of 3"}},
    {"\"warmup\"", "\"class_weights\":[1,-1],\"warmup\"", 0, {"class_weights[1]", "found -1"}},
    {"\"warmup\"", "\"class_weights\":[null],\"warmup\"", 0, {"class_weights[0]", "null"}},
    {"\"warmup\"", "\"augmentation\":1,\"warmup\"", 0, {"training.augmentation", "found 1"}},
    {"\"warmup\"",
     "\"augmentation\":{\"shift\":-1},\"warmup\"",
     0,
     {"augmentation.shift", "found -1"}},
    {"\"warmup\"",
     "\"augmentation\":{\"shift\":1,\"rotation\":0,\"scale\":0,\"shear\":0,\"elastic_alpha\":0,"
     "\"elastic_sigma\":4,\"fade\":2},\"warmup\"",
     0,
     {"augmentation.fade", "found 2"}},
    {"\"relu\"", "\"relu\",\"batch_norm\":1", 0, {"layers[0].batch_norm", "found 1"}},
    {"\"relu\"", "\"relu\",\"batch_norm\":null", 0, {"layers[0].batch_norm", "true or false"}},
    {"\"softmax\"", "\"softmax\",\"batch_norm\":true", 0, {"layers[1].batch_norm", "last"}},
    {"\"version\":\"" GLIA_VERSION "\"",
     "\"version\":\"99.0\",\"classes\":[]",
     0,
     {"byte", "duplicate"}},
    /* the tensors */
    {"\"layers.0.weight\"", "\"layers.0.Weight\"", 0, {"tensor \"layers.0.weight\"", "none"}},
    {"\"layers.1.bias\"", "\"layers.2.bias\"", 0, {"tensor \"layers.1.bias\"", "none"}},
    {"F32\",\"shape\":[3,4]", "I32\",\"shape\":[3,4]", 0, {"\"layers.0.weight\"", "found I32"}},
    {"[3,4]", "[4,3]", 0, {"\"layers.0.weight\"", "shape (4, 3), expected F32 of shape (3, 4)"}},
    {"[3,4]", "[12]", 0, {"\"layers.0.weight\"", "(12)"}},
    {"[2]", "[2,1]", 0, {"\"layers.1.bias\"", "(2, 1)"}},
    {"\"layers.1.bias\"", "\"x\":" F32("[1]", 92, 96) ",\"layers.1.bias\"", 96, {"\"x\""}},
    {"\"layers.1.bias\"",
     "\"layers.0.norm.bias\":" F32("[3]", 92, 104) ",\"layers.1.bias\"",
     104,
     {"tensor \"layers.0.norm.bias\": expected none", "of those with batch_norm"}},
};

static void expect_bad(source s, const change *c)
{
    size_t n_bytes;
    uint8_t *bytes = make_changed(s, c->from, c->to, c->n_data ? c->n_data : s.n_data, &n_bytes);
    glia_network *network = NULL;
    glia_error error = {0};
    const glia_status status = gi_model_parse(bad_path, bytes, n_bytes, &network, &error);
    expect_failure(status, &error, GLIA_BAD_FORMAT, c->words, c->to);
    assert_null(network);
    free(bytes);
}

static void test_bad_models(void **state)
{
    (void)state;
    const source plain = {description, tensors, N_DATA};
    for (size_t i = 0; i < sizeof bad_models / sizeof bad_models[0]; i++)
        expect_bad(plain, &bad_models[i]);
}

static void test_bad_normalised(void **state)
{
    (void)state;
    static const change changes[] = {
        {"true", "false", 0, {"\"layers.0.norm.weight\"", "expected none"}},
        {"0.norm.weight", "0.norm.gamma", 0, {"tensor \"layers.0.norm.weight\"", "found none"}},
        {"0.norm.bias", "0.norm.beta", 0, {"tensor \"layers.0.norm.bias\"", "found none"}},
        {"running_mean", "mean", 0, {"tensor \"layers.0.norm.running_mean\"", "found none"}},
        {"running_var", "var", 0, {"tensor \"layers.0.norm.running_var\"", "found none"}},
        {"0.norm.weight", "1.norm.weight", 0, {"tensor \"layers.0.norm.weight\"", "found none"}},
        {F32("[3]", 104, 116), F32("[1,3]", 104, 116), 0, {"norm.bias", "shape (1, 3)"}},
        {F32("[3]", 128, 140),
         "{\"dtype\":\"F64\",\"shape\":[3],\"data_offsets\":[128,152]}",
         152,
         {"norm.running_var", "found F64"}},
        {F32("[3]", 116, 128) ",\"layers.0.norm.running_var\":" F32("[3]", 128, 140),
         F32("[4]", 116, 132) ",\"layers.0.norm.running_var\":" F32("[2]", 132, 140),
         0,
         {"norm.running_mean", "(4), expected F32 of shape (3)"}},
        {"\"layers.0.norm.bias\"",
         "\"layers.0.norm.num_batches_tracked\":" F32("[]", 140, 144) ",\"layers.0.norm.bias\"",
         144,
         {"num_batches_tracked\": expected none", "norm.*"}},
    };
    const source normalised = make_normalised();
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
        expect_bad(normalised, &changes[i]);

    /* from the end: variance, mean, shift and scale, of 3 units each */
    static const struct {
        size_t from_end;
        uint8_t high[2]; /* the upper bytes of the f32 */
        const char *words[2];
    } values[] = {
        {2, {0x80, 0xBF}, {"\"layers.0.norm.running_var\": row 1: found -1", "at least 0"}},
        {1, {0x80, 0x7F}, {"\"layers.0.norm.running_var\": row 2", "infinity"}},
        {6, {0xC0, 0x7F}, {"\"layers.0.norm.running_mean\": row 0", "not a number"}},
        {7, {0x80, 0xFF}, {"\"layers.0.norm.bias\": row 2", "infinity"}},
        {11, {0xC0, 0xFF}, {"\"layers.0.norm.weight\": row 1", "not a number"}},
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        size_t n_bytes;
        uint8_t *bytes = make_changed(normalised, "true", "true", normalised.n_data, &n_bytes);
        memcpy(bytes + n_bytes - 4 * values[i].from_end + 2, values[i].high, 2);
        glia_network *network = NULL;
        glia_error error = {0};
        expect_failure(gi_model_parse(bad_path, bytes, n_bytes, &network, &error), &error,
                       GLIA_BAD_FORMAT, values[i].words, "norm");
        free(bytes);
    }

    /* and as it is, it is read */
    size_t n_bytes;
    uint8_t *bytes = make_changed(normalised, "true", "true", normalised.n_data, &n_bytes);
    glia_network *network = NULL;
    glia_error error = {0};
    if (gi_model_parse(bad_path, bytes, n_bytes, &network, &error)) fail_msg("%s", error.message);
    assert_int_equal(glia_network_describe(network).parameters, 26);
    assert_true(glia_network_layer(network, 0).batch_norm);
    const float variance[] = {1, INFINITY, 1};
    assert_int_equal(whole_set_norm(network, 0, NULL, NULL, NULL, variance, NULL), GLIA_OK);
    assert_int_equal(glia_network_save(network, model_path, &error), GLIA_BAD_ARGUMENT);
    assert_non_null(strstr(error.message, "layers.0.norm.running_var, row 1"));
    glia_network_free(network);
    free(bytes);
    free_source(normalised);
}

/* The same for two values; to be freed. */
static source make_for_values(void)
{
    char *identity = replace(description, "\"softmax\"}]", "\"identity\"}],\"loss\":\"mse\"");
    char *text = replace(identity, "\"form\":\"scale\"",
                         "\"form\":\"scale\",\"outputs\":["
                         "{\"mean\":-3.5,\"scale\":0.25},{\"mean\":1e20,\"scale\":1}]");
    char *copy = malloc(sizeof tensors);
    assert_non_null(copy);
    free(identity);
    return (source){text, memcpy(copy, tensors, sizeof tensors), N_DATA};
}

static void test_bad_values(void **state)
{
    (void)state;
    static const change changes[] = {
        {"\"mse\"", "\"auto\"", 0, {"network.loss: found \"auto\"", "mse, mae or huber"}},
        {"\"mse\"", "\"hinge\"", 0, {"network.loss", "\"hinge\""}},
        {"\"mse\"", "3", 0, {"network.loss", "found 3"}},
        {"\"mse\"", "null", 0, {"network.loss", "found null"}},
        {"\"mse\"", "\"bce\"", 0, {"layers[1].activation: found \"identity\"", "expected sigmoid"}},
        {"\"mse\"", "\"cross-entropy\"", 0, {"layers[1].activation", "expected softmax"}},
        {"\"loss\"", "\"Loss\"", 0, {"layers[1].activation", "expected softmax"}},
        {"\"identity\"", "\"softmax\"", 0, {"layers[1].activation", "expected identity"}},
        {"\"identity\"", "\"relu\"", 0, {"layers[1].activation", "with the loss mse"}},
        {"\"outputs\":[", "\"outputs\":null,\"x\":[", 0, {"outputs: found null", "array of 2"}},
        {"\"outputs\":[", "\"outputs\":{},\"x\":[", 0, {"preprocessing.outputs", "array of 2"}},
        {"\"outputs\":[", "\"outputs\":[1,", 0, {"found an array of 3", "an array of 2"}},
        {"{\"mean\":-3.5,\"scale\":0.25}", "7", 0, {"outputs[0].mean: found nothing", "number"}},
        {"-3.5", "\"-3.5\"", 0, {"outputs[0].mean", "\"-3.5\""}},
        {"-3.5", "1e309", 0, {"not valid JSON", "overflow"}},
        {"0.25", "0", 0, {"outputs[0].scale: found 0", "e-308"}},
        {"0.25", "-1", 0, {"outputs[0].scale", "found -1"}},
        {"\"scale\":1}", "\"scale\":null}", 0, {"outputs[1].scale", "null"}},
        {"\"scale\":1}", "\"scale\":1e-309}", 0, {"outputs[1].scale", "e-308"}},
        {",\"scale\":1}", "}", 0, {"outputs[1].scale: found nothing", "number"}},
        {"\"identity\"}],\"loss\":\"mse\"",
         "\"sigmoid\"}],\"loss\":\"bce\"",
         0,
         {"preprocessing.outputs: found an array of 2", "expected none"}},
    };
    const source values = make_for_values();
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) expect_bad(values, &changes[i]);

    /* As it is, and without what training would find, it is read, and is what it was when saved. */
    static const char *const fine[][2] = {
        {"\"mse\"", "\"mse\""}, {"\"mse\"", "\"huber\""}, {"\"outputs\":[", "\"later\":["}};
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        size_t n_bytes;
        uint8_t *bytes = make_changed(values, fine[i][0], fine[i][1], values.n_data, &n_bytes);
        glia_network *network = NULL, *again = NULL;
        glia_error error = {0};
        if (gi_model_parse(bad_path, bytes, n_bytes, &network, &error) ||
            glia_network_save(network, model_path, &error) ||
            glia_network_load(model_path, &again, &error))
            fail_msg("%s", error.message);
        assert_int_equal(glia_network_describe(again).loss,
                         i == 1 ? GLIA_LOSS_HUBER : GLIA_LOSS_MSE);
        assert_int_equal(glia_network_layer(again, 1).activation, GLIA_ACTIVATION_IDENTITY);
        assert_true((again->output.mean == NULL) == (i == 2));
        assert_true(i == 2 || (again->output.mean[0] == -3.5 && again->output.scale[0] == 0.25 &&
                               again->output.mean[1] == 1e20 && again->output.scale[1] == 1));
        glia_network_free(network);
        glia_network_free(again);
        free(bytes);
    }
    free_source(values);
}

/* The columns of a table for its 4 inputs, and two targets. */
#define TABLE                                                                                      \
    "\"table\":{\"columns\":[{\"name\":\"a\",\"mean\":1,\"scale\":2,\"missing\":true},"            \
    "{\"name\":\"b\",\"categories\":[\"u\",\"v\"]}],\"targets\":[\"y\",\"z\"],\"text_target\":"    \
    "false}"

static void test_bad_tables(void **state)
{
    (void)state;
    static const change changes[] = {
        {"[\"y\",\"z\"]", "[]", 0, {"table.targets: found an array of 0", "one for each output"}},
        {"[\"y\",\"z\"]", "[\"y\"]", 0, {"table.targets: found an array of 1", "array of 2"}},
        {"[\"y\",\"z\"]", "[\"y\",\"z\",\"a\"]", 0, {"found an array of 3", "array of 2"}},
        {"[\"y\",\"z\"]", "\"y\"", 0, {"preprocessing.table.targets", "array of names"}},
        {"[\"y\",\"z\"]", "[\"y\",2]", 0, {"preprocessing.table.targets", "array of names"}},
        {"\"text_target\":false", "\"text_target\":true", 0, {"text_target: found true", "false"}},
        {"\"text_target\":false", "\"x\":1", 0, {"text_target", "true or false"}},
        {"[\"u\",\"v\"]", "[\"u\"]", 0, {"3 features", "expected 4"}},
        {"[\"u\",\"v\"]", "[\"v\",\"u\"]", 0, {"columns[1].categories", "ascending order"}},
        {"\"scale\":2", "\"scale\":0", 0, {"columns[0].scale", "above 0"}},
        {"\"missing\":true", "\"missing\":1", 0, {"columns[0].missing", "true or false"}},
    };
    const source values = make_for_values();
    char *text = replace(values.description, "\"height\":2,\"width\":2,\"form\":\"scale\"",
                         "\"height\":0,\"width\":0,\"form\":\"none\"," TABLE);
    const source table = {text, values.tensors, values.n_data};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) expect_bad(table, &changes[i]);

    size_t n_bytes;
    uint8_t *bytes = make_changed(table, "\"z\"", "\"z\"", table.n_data, &n_bytes);
    glia_network *network = NULL;
    glia_error error = {0};
    if (gi_model_parse(bad_path, bytes, n_bytes, &network, &error)) fail_msg("%s", error.message);
    assert_int_equal(network->schema->n_targets, 2);
    glia_network_free(network);
    free(bytes);
    free(text);
    free_source(values);

    /* A network for classes has one column of them, or one for each class. */
    static const change classes[] = {
        {"[\"y\",\"z\"]", "[\"y\",\"z\",\"u\"]", 0, {"found an array of 3", "array of 1"}},
        {"\"name\":\"a\"",
         "\"name\":\"a\",\"date\":\"dmx\",\"part\":\"year\"",
         0,
         {"columns[0].date", "yyyymmdd"}},
        {"\"name\":\"a\"", "\"name\":\"a\",\"date\":\"dmy\"", 0, {"columns[0].part", "weekday"}},
        {"\"name\":\"a\"",
         "\"name\":\"a\",\"date\":\"time\",\"part\":\"year\"",
         0,
         {"columns[0].part", "of times hour"}},
        {"[\"y\",\"z\"]", "[]", 0, {"found an array of 0", "the column of classes"}},
    };
    text = replace(description, "\"height\":2,\"width\":2,\"form\":\"scale\"",
                   "\"height\":0,\"width\":0,\"form\":\"none\"," TABLE);
    const source of_classes = {text, tensors, N_DATA};
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        expect_bad(of_classes, &classes[i]);
    free(text);
}

/* What another version may write as long as it means the same: more keys, no settings. */
static void test_good_models(void **state)
{
    (void)state;
    static const char *const changes[][2] = {
        {"\"version\":\"" GLIA_VERSION "\"", "\"version\":\"99.0\",\"later\":[1,2]"},
        {"\"divisor\":255.0", "\"divisor\":255"},
        {"\"training\":{", "\"training\":null,\"x\":{"},
        {"\"initialisation\":{", "\"x\":{"},
        {"\"height\":2,\"width\":2,\"form\":\"scale\"",
         "\"height\":0,\"width\":0,\"form\":\"none\""},
        {"{\"version\"", " \n{\"version\""},
        {"\"warmup\":0.25,", ""},
        {"\"lr_end\":null", "\"lr_end\":0"},
        {"\"relu\"", "\"relu\",\"batch_norm\":false"},
        {"\"softmax\"", "\"softmax\",\"batch_norm\":false"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        size_t n_bytes;
        uint8_t *bytes = make_model(changes[i][0], changes[i][1], N_DATA, &n_bytes);
        glia_network *network = NULL;
        glia_error error = {0};
        if (gi_model_parse(bad_path, bytes, n_bytes, &network, &error))
            fail_msg("%s: %s", changes[i][1], error.message);
        assert_int_equal(glia_network_describe(network).parameters, 23);
        const bool has_warmup =
            network->record.trained && strcmp(changes[i][0], "\"warmup\":0.25,") != 0;
        assert_true(network->record.settings.warmup == (has_warmup ? 0.25 : 0));
        /* files from before there was more than sgd */
        assert_true(network->record.settings.optimizer == GLIA_OPTIMIZER_SGD &&
                    network->record.settings.momentum == 0 &&
                    network->record.settings.weight_decay == 0 &&
                    network->record.settings.dropout == 0);
        assert_false(glia_network_layer(network, 0).batch_norm);
        /* files from before there were schedules */
        if (network->record.trained)
            assert_int_equal(network->record.settings.schedule,
                             isnan(network->record.settings.lr_end) ? GLIA_SCHEDULE_CONSTANT
                                                                    : GLIA_SCHEDULE_LINEAR);
        glia_network_free(network);
        free(bytes);
    }
}

/* The message about a later version's file says that it is one. */
static void test_later_version(void **state)
{
    (void)state;
    char *later = replace(description, GLIA_VERSION, "99.0");
    char *gelu = replace(later, "relu", "softplus");
    json_t *string = json_string(gelu);
    char *quoted = json_dumps(string, JSON_ENCODE_ANY);
    char header[4000];
    snprintf(header, sizeof header, "{\"__metadata__\":{\"glia\":%s},%s}", quoted, tensors);
    size_t n_bytes;
    uint8_t *bytes = make_file(strlen(header), header, strlen(header), N_DATA, &n_bytes);
    glia_network *network;
    glia_error error = {0};
    const char *const words[2] = {"\"softplus\"", "written by glia 99.0"};
    expect_failure(gi_model_parse(bad_path, bytes, n_bytes, &network, &error), &error,
                   GLIA_BAD_FORMAT, words, "later version");
    free(bytes);
    free(quoted);
    json_decref(string);
    free(gelu);
    free(later);
}

static void test_foreign_files(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        const char *words[2];
    } files[] = {
        {"{}", {"\"glia\"", "0 tensors"}},
        {"{\"__metadata__\":{\"format\":\"pt\"},\"w\":" F32("[0]", 0, 0) "}",
         {"format \"pt\"", "1 tensors"}},
        {"{\"__metadata__\":{\"glia\":\"\"}}", {"metadata \"glia\"", "JSON"}},
        {"{\"__metadata__\":{\"glia\":\"[]\"}}",
         {"metadata \"glia\"", "found an array of 0, expected an object"}},
        {"{\"__metadata__\":{\"glia\":\"{}\"}}", {"metadata \"glia\"", "version"}},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        const char *header = files[i].header;
        size_t n_bytes;
        uint8_t *bytes = make_file(strlen(header), header, strlen(header), 0, &n_bytes);
        glia_network *network;
        glia_error error = {0};
        expect_failure(gi_model_parse(bad_path, bytes, n_bytes, &network, &error), &error,
                       GLIA_BAD_FORMAT, files[i].words, header);
        free(bytes);
    }
}

/* Weights that are no numbers are neither read nor written. */
static void test_non_finite_weights(void **state)
{
    (void)state;
    static const struct {
        uint8_t high[2]; /* the upper bytes of the f32 */
        const char *word;
    } values[] = {
        {{0xC0, 0x7F}, "not a number"}, {{0x80, 0x7F}, "infinity"}, {{0x80, 0xFF}, "infinity"}};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        size_t n_bytes;
        uint8_t *bytes = make_model("\"relu\"", "\"tanh\"", N_DATA, &n_bytes);
        memcpy(bytes + n_bytes - N_DATA + 4 * 6 + 2, values[i].high, 2);
        glia_network *network;
        glia_error error = {0};
        const char *const words[2] = {"\"layers.0.weight\": row 1, column 2", values[i].word};
        expect_failure(gi_model_parse(bad_path, bytes, n_bytes, &network, &error), &error,
                       GLIA_BAD_FORMAT, words, "weight");
        free(bytes);
    }

    glia_network *network = make_network(1);
    const float bias[] = {1, INFINITY};
    assert_int_equal(whole_set_layer(network, 1, NULL, bias, NULL), GLIA_OK);
    glia_error error = {0};
    assert_int_equal(glia_network_save(network, model_path, &error), GLIA_BAD_ARGUMENT);
    assert_non_null(strstr(error.message, "layers.1.bias, row 1"));
    assert_non_null(strstr(error.message, model_path));
    assert_int_equal(count_files(false), 0);
    glia_network_free(network);
}

/* A long name in a hostile file leaves room for the rest of the message. */
static void test_long_names(void **state)
{
    (void)state;
    char header[4000] = "{\"";
    for (size_t i = 0; i < 800; i++) strcat(header, "é\\n");
    strcat(header, "\":3}");
    size_t n_bytes;
    uint8_t *bytes = make_file(strlen(header), header, strlen(header), 0, &n_bytes);
    gi_safetensors file;
    glia_error error = {0};
    const char *const words[2] = {"...\"", "expected an object"};
    expect_failure(gi_safetensors_parse(bad_path, bytes, n_bytes, &file, &error), &error,
                   GLIA_BAD_FORMAT, words, "long name");
    assert_null(strchr(error.message, '\n'));
    free(bytes);
}

/* Every file cut short, and every file with one byte changed, is refused or read: no crash. */
static void test_cuts_and_changes(void **state)
{
    (void)state;
    size_t n_bytes;
    const source normalised = make_normalised();
    uint8_t *whole = make_changed(normalised, "\"warmup\"", "\"class_weights\":[1,2],\"warmup\"",
                                  normalised.n_data, &n_bytes);
    free_source(normalised);
    for (size_t n = 0; n < n_bytes; n++) {
        uint8_t *cut = malloc(n + 1);
        assert_non_null(cut);
        memcpy(cut, whole, n);
        glia_network *network;
        assert_int_equal(gi_model_parse(bad_path, cut, n, &network, NULL), GLIA_BAD_FORMAT);
        free(cut);
        for (int bit = 0; bit < 8; bit++) {
            whole[n] ^= (uint8_t)(1 << bit);
            if (gi_model_parse(bad_path, whole, n_bytes, &network, NULL) == GLIA_OK)
                glia_network_free(network);
            whole[n] ^= (uint8_t)(1 << bit);
        }
    }
    free(whole);
}

/* ---- Saving that fails ----------------------------------------------------------------------- */

/* Call number n of a kind fails. Whatever save says, there is one whole file, and no other. */
static bool save_with_failure(const glia_network *network, enum call call, unsigned n,
                              const gi_file *before, const gi_file *after)
{
    reset_calls();
    fail_at[call] = n;
    glia_error error = {0};
    const glia_status status = glia_network_save(network, model_path, &error);
    const bool reached = calls[call] >= n;
    reset_calls();
    if (status) {
        if (!strstr(error.message, model_path)) fail_msg("no path in: %s", error.message);
        assert_int_equal(status, GLIA_IO);
        assert_true(same_bytes(model_path, before));
    } else {
        assert_true(same_bytes(model_path, after));
    }
    assert_int_equal(count_files(false), 1);
    return reached ? status != GLIA_OK : false;
}

static void test_each_failure(void **state)
{
    (void)state;
    glia_network *old = make_network(1), *new = make_network(2);
    save(new, model_path);
    gi_file after = read_file(model_path);
    assert_int_equal(unlink(model_path), 0); /* after stays mapped */
    save(old, model_path);
    gi_file before = read_file(model_path);

    /* How many calls a save makes, and how many of them it must not survive: what comes after the
     * rename, the sync of the folder, is not needed for the file to be whole. */
    reset_calls();
    save(new, model_path);
    unsigned counts[N_CALLS];
    memcpy(counts, calls, sizeof counts);
    const unsigned fatal[N_CALLS] = {
        [WRITE] = counts[WRITE], [FSYNC] = 1, [RENAME] = 1, [CLOSE] = 1};
    assert_true(counts[WRITE] >= 9); /* header, eight tensors */
    for (enum call call = WRITE; call <= CLOSE; call++) {
        assert_true(counts[call] >= fatal[call]);
        for (unsigned n = 1; n <= counts[call]; n++) {
            assert_int_equal(unlink(model_path), 0);
            save(old, model_path);
            assert_int_equal(save_with_failure(new, call, n, &before, &after), n <= fatal[call]);
        }
    }
    gi_file_close(&before);
    gi_file_close(&after);
    glia_network_free(old);
    glia_network_free(new);
}

static void test_short_writes(void **state)
{
    (void)state;
    glia_network *network = make_network(1);
    save(network, model_path);
    gi_file whole = read_file(model_path);
    assert_int_equal(unlink(model_path), 0);
    reset_calls();
    short_writes = true;
    save(network, model_path);
    assert_true(calls[WRITE] > whole.size / 3);
    reset_calls();
    assert_true(same_bytes(model_path, &whole));
    gi_file_close(&whole);
    glia_network_free(network);
}

static void test_paths(void **state)
{
    (void)state;
    glia_network *network = make_network(1), *loaded = NULL;
    glia_error error = {0};
    char path[600];

    assert_int_equal(glia_network_save(network, folder, &error), GLIA_IO);
    assert_non_null(strstr(error.message, folder));
    assert_int_equal(glia_network_load(folder, &loaded, &error), GLIA_IO);
    snprintf(path, sizeof path, "%s/no/such/folder/m.safetensors", folder);
    assert_int_equal(glia_network_save(network, path, &error), GLIA_NOT_FOUND);
    assert_int_equal(glia_network_load(path, &loaded, &error), GLIA_NOT_FOUND);
    assert_non_null(strstr(error.message, path));
    assert_int_equal(count_files(false), 0);
    assert_int_equal(glia_network_save(network, "/dev/null", &error), GLIA_OK);

    /* An empty file is no model. */
    FILE *empty = fopen(model_path, "w");
    assert_non_null(empty);
    fclose(empty);
    assert_int_equal(glia_network_load(model_path, &loaded, &error), GLIA_BAD_FORMAT);
    assert_non_null(strstr(error.message, "found 0 bytes"));

    /* Through a link, what it names is replaced; the link stays one. */
    snprintf(path, sizeof path, "%s/link", folder);
    assert_int_equal(symlink("model.safetensors", path), 0);
    save(network, path);
    struct stat info;
    assert_int_equal(lstat(path, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    loaded = load(model_path);
    assert_int_equal(count_files(false), 2);
    glia_network_free(loaded);
    glia_network_free(network);
}

/* Each allocation fails once. */
static void test_each_allocation(void **state)
{
    (void)state;
    json_set_alloc_funcs(json_malloc, json_free);
    glia_network *network = make_network(1);
    save(network, model_path);
    gi_file whole = read_file(model_path);
    unsigned n = 1;
    for (bool failed = true; failed; n++) {
        reset_calls();
        json_failed = false;
        fail_at[ALLOCATE] = n;
        glia_error error = {0};
        const glia_status status = glia_network_save(network, model_path, &error);
        failed = calls[ALLOCATE] >= n;
        reset_calls();
        assert_int_equal(json_blocks, 0);
        if (failed && (status != GLIA_NO_MEMORY || !error.message[0]))
            fail_msg("save, allocation %u: %s %s", n, glia_status_name(status), error.message);
        assert_true(same_bytes(model_path, &whole));
        assert_int_equal(count_files(false), 1);
    }
    assert_true(n > 50);
    n = 1;
    for (bool failed = true; failed; n++) {
        reset_calls();
        json_failed = false;
        fail_at[ALLOCATE] = n;
        glia_error error = {0};
        glia_network *loaded = NULL;
        const glia_status status = glia_network_load(model_path, &loaded, &error);
        failed = calls[ALLOCATE] >= n;
        reset_calls();
        assert_int_equal(json_blocks, 0);
        const char *json = strstr(error.message, "not valid JSON: ");
        const bool expected =
            status == GLIA_NO_MEMORY || (json_failed && status == GLIA_BAD_FORMAT && json &&
                                         json[sizeof "not valid JSON: " - 1]);
        if (failed && (!expected || error.status != status || !error.message[0]))
            fail_msg("load, allocation %u: %s %s", n, glia_status_name(status), error.message);
        if (status == GLIA_OK) glia_network_free(loaded);
    }
    assert_true(n > 100);
    json_set_alloc_funcs(malloc, free);
    gi_file_close(&whole);
    glia_network_free(network);
}

/* In memory a model has the bytes of its file, and comes back from them. */
static void test_memory(void **state)
{
    (void)state;
    glia_network *network = make_network(1), *loaded = NULL;
    glia_error error = {0};
    gi_file whole;
    void *bytes = NULL, *again = NULL;
    size_t size = 0, size_again = 0;
    assert_int_equal(glia_network_save(network, model_path, NULL), GLIA_OK);
    assert_int_equal(gi_file_open(model_path, &whole, NULL), GLIA_OK);
    assert_int_equal(glia_network_save_memory(network, &bytes, &size, &error), GLIA_OK);
    assert_int_equal(size, whole.size);
    assert_memory_equal(bytes, whole.data, size);
    if (glia_network_load_memory(bytes, size, &loaded, &error)) fail_msg("%s", error.message);
    assert_int_equal(glia_network_save_memory(loaded, &again, &size_again, &error), GLIA_OK);
    assert_int_equal(size_again, size);
    assert_memory_equal(again, bytes, size);
    glia_network_free(loaded);
    assert_error("cut", glia_network_load_memory(bytes, size - 1, &loaded, &error), GLIA_BAD_FORMAT,
                 &error, "the model", "bytes");
    assert_error("none", glia_network_load_memory(NULL, 8, &loaded, &error), GLIA_BAD_ARGUMENT,
                 &error, "bytes is NULL", NULL);
    assert_error("nowhere", glia_network_save_memory(network, NULL, &size, &error),
                 GLIA_BAD_ARGUMENT, &error, "bytes or size is NULL", NULL);
    glia_bytes_free(again);
    glia_bytes_free(bytes);
    gi_file_close(&whole);
    glia_network_free(network);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests_of_format[] = {
        TEST(test_round_trip),         TEST(test_exact_bytes),
        TEST(test_metadata),           TEST(test_other_locale),
        TEST(test_bad_json),           TEST(test_json_strings),
        TEST(test_json_reals),         TEST(test_bad_containers),
        TEST(test_bad_lengths),        TEST(test_deep_header),
        TEST(test_header_of_many),     TEST(test_good_containers),
        TEST(test_bad_models),         TEST(test_bad_values),
        TEST(test_bad_tables),         TEST(test_bad_normalised),
        TEST(test_good_models),        TEST(test_trained_settings),
        TEST(test_later_version),      TEST(test_foreign_files),
        TEST(test_non_finite_weights), TEST(test_long_names),
        TEST(test_cuts_and_changes),   TEST(test_each_failure),
        TEST(test_short_writes),       TEST(test_paths),
        TEST(test_each_allocation),    TEST(test_memory),
    };
    return cmocka_run_group_tests(tests_of_format, NULL, NULL);
}
