/* SPDX-License-Identifier: MIT */
/*
 * Checkpoints: a run that is broken off and continued, as often as you like, ends with the bits of
 * one that is not; what is no whole checkpoint of the same run is refused, and changes nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "assert_error.h"
#include "base/memory.h"
#include "base/random.h"
#include "config.h"
#include "json_memory.h"
#include "net/network.h"
#include "slow.h"
#include "train/checkpoint.h"
#ifdef GLIA_HAS_ONEDNN
#include "compute/onednn.h"
#endif
#include "shape.h"
#include "whole.h"

/* ---- What fails when told ------------------------------------------------------------------- */

void *__real_aligned_alloc(size_t alignment, size_t size);
ssize_t __real_write(int descriptor, const void *bytes, size_t n);
int __real_fsync(int descriptor);
int __real_rename(const char *from, const char *to);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
ssize_t __wrap_write(int descriptor, const void *bytes, size_t n);
int __wrap_fsync(int descriptor);
int __wrap_rename(const char *from, const char *to);

/* Count down; what comes when one is at 0 fails. Below 0 nothing does. */
static long until_no_memory = -1, until_no_room = -1;

static bool fails(long *until)
{
    return *until >= 0 && (*until)-- == 0;
}

static bool json_allocation_fails(void)
{
    return fails(&until_no_memory);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails(&until_no_memory) ? NULL : __real_aligned_alloc(alignment, size);
}

ssize_t __wrap_write(int descriptor, const void *bytes, size_t n)
{
    if (!fails(&until_no_room)) return __real_write(descriptor, bytes, n);
    if (n > 100) (void)!__real_write(descriptor, bytes, n / 2);
    errno = ENOSPC;
    return -1;
}

/* Nothing here needs a disk to be in step: a thousand checkpoints are written. */
int __wrap_fsync(int descriptor)
{
    (void)descriptor;
    if (!fails(&until_no_room)) return 0;
    errno = EIO;
    return -1;
}

int __wrap_rename(const char *from, const char *to)
{
    if (!fails(&until_no_room)) return __real_rename(from, to);
    errno = EIO;
    return -1;
}

/* ---- Files ---------------------------------------------------------------------------------- */

static char folder[] = "/tmp/glia-checkpoint-XXXXXX";
static char kept[64], copied[64], model[64]; /* paths */

static uint8_t *read_file(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("%s: %s", path, strerror(errno));
    fseek(file, 0, SEEK_END);
    *n = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*n + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *n, file), *n);
    fclose(file);
    return bytes;
}

static void write_file(const char *path, const uint8_t *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static void copy_file(const char *from, const char *to)
{
    size_t n;
    uint8_t *bytes = read_file(from, &n);
    write_file(to, bytes, n);
    free(bytes);
}

/* ---- Data ----------------------------------------------------------------------------------- */

enum { N = 2250, HELD = 250, SIDE = 8, FEATURES = SIDE * SIDE, CLASSES = 3 };

static uint8_t pixels[N][FEATURES];
static uint32_t labels[N];
static float sample_weights[N];

static glia_dataset *make_data(bool weighted)
{
    gi_rng rng = gi_rng_make(1, GI_RANDOM_INIT, 0, 0);
    for (size_t i = 0; i < N; i++) {
        labels[i] = gi_rng_below(&rng, CLASSES);
        sample_weights[i] = 0.5F + (float)gi_rng_below(&rng, 4);
        for (size_t f = 0; f < FEATURES; f++) /* a bright part for each class, noise, and zeros */
            pixels[i][f] = (uint8_t)(f % CLASSES == labels[i]     ? gi_rng_below(&rng, 200)
                                     : gi_rng_below(&rng, 3) == 0 ? gi_rng_below(&rng, 256)
                                                                  : 0);
    }
    glia_dataset *data = NULL;
    assert_int_equal(
        glia_dataset_from_arrays(GLIA_TYPE_U8, pixels, labels, N, FEATURES, CLASSES, &data, NULL),
        GLIA_OK);
    assert_int_equal(glia_dataset_set_images(data, SIDE, SIDE, NULL), GLIA_OK);
    if (weighted) assert_int_equal(whole_set_weights(data, sample_weights, NULL), GLIA_OK);
    return data;
}

/* ---- Runs ----------------------------------------------------------------------------------- */

/* A way to train. Of p, what is 0 is as glia_train_default_params says. */
typedef struct kind {
    const char *name;
    bool batch_norm, weighted, validated;
    glia_settings p;
} kind;

#define AUGMENTED                                                                                  \
    .shift = 1, .rotation = 10, .scale = 0.1, .shear = 0.1, .elastic_alpha = 3,                    \
    .elastic_sigma = 2, .augment_fade = 1, .augment_fade_to = 0.3
static double class_weights[CLASSES] = {1, 0.25, 2};

static const kind kinds[] = {
    {"sgd", .p = {.schedule = GLIA_SCHEDULE_AUTO}},
    {"samples one by one", .p = {.batch = 1, .lr = 0.02, .epochs = 2}},
    {"batches of 7", .p = {.batch = 7, .epochs = 2}},
    {"one batch an epoch", .p = {.batch = N, .epochs = 5}},
    {"momentum, step", .p = {.optimizer = GLIA_OPTIMIZER_MOMENTUM, .schedule = GLIA_SCHEDULE_STEP}},
    {"nesterov, cosine, batch normalisation", true,
     .p = {.optimizer = GLIA_OPTIMIZER_NESTEROV, .schedule = GLIA_SCHEDULE_COSINE, .warmup = 0.2}},
    {"rmsprop, exponential",
     .p = {.optimizer = GLIA_OPTIMIZER_RMSPROP, .schedule = GLIA_SCHEDULE_EXPONENTIAL}},
    {"adam, linear, l1, l2", .validated = true,
     .p = {.optimizer = GLIA_OPTIMIZER_ADAM,
           .schedule = GLIA_SCHEDULE_LINEAR,
           .l1 = 1e-5,
           .l2 = 1e-4}},
    {"adamw, one-cycle",
     .p = {.optimizer = GLIA_OPTIMIZER_ADAMW, .schedule = GLIA_SCHEDULE_ONE_CYCLE}},
    {"dropout, noise", .p = {.dropout = 0.3, .input_dropout = 0.1, .input_noise = 0.2}},
    {"augmentation", .p = {AUGMENTED}},
    {"smoothing, weights", .weighted = true,
     .p = {.label_smoothing = 0.1, .class_weights = {.n = CLASSES, .of = class_weights}}},
    {"averaging", .validated = true, .p = {.averaging = 0.99}},
    {"averaging, batch normalisation", true, .p = {.averaging = 0.9}},
    {"norms", .p = {.clip_norm = 0.5, .max_norm = 1.5, .momentum = 0.5}},
    {"early stopping", .validated = true, .p = {.patience = 1, .min_delta = 0.2, .epochs = 8}},
    {"everything", true, true, true,
     .p = {.optimizer = GLIA_OPTIMIZER_ADAMW,
           .schedule = GLIA_SCHEDULE_COSINE,
           .warmup = 0.1,
           .dropout = 0.2,
           .input_dropout = 0.1,
           .input_noise = 0.1,
           .label_smoothing = 0.1,
           .averaging = 0.95,
           .max_norm = 2,
           .clip_norm = 2,
           .l1 = 1e-6,
           .l2 = 1e-5,
           AUGMENTED,
           .class_weights = {.n = CLASSES, .of = class_weights},
           .patience = 3,
           .epochs = 4}},
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0], EVERYTHING = N_KINDS - 1 };

static glia_settings complete(const kind *k)
{
    const glia_settings defaults = gi_settings_defaults();
    glia_settings p = k->p;
    if (p.batch == 0) p.batch = 100;
    if (p.epochs == 0) p.epochs = 3;
    if (p.momentum == 0) p.momentum = defaults.momentum;
    if (p.lr == 0) p.lr = defaults.lr;
    if (p.lr_end == 0) p.lr_end = defaults.lr_end;
    if (p.elastic_sigma == 0) p.elastic_sigma = defaults.elastic_sigma;
    p.lr_factor = defaults.lr_factor;
    p.hidden = defaults.hidden;
    p.activation = defaults.activation;
    p.beta2 = defaults.beta2;
    p.epsilon = defaults.epsilon;
    p.weight_decay = defaults.weight_decay;
    p.seed = 3;
    p.threads = 1;
    return p;
}

static glia_network *make_network(const kind *k)
{
    static const size_t hidden[] = {96, 24};
    shape p = shape_of(FEATURES, CLASSES);
    p.hidden = hidden;
    p.n_hidden = 2;
    p.activation = GLIA_ACTIVATION_TANH;
    p.batch_norm = k->batch_norm;
    glia_network *network = NULL;
    assert_int_equal(shape_network(&p, &network, NULL), GLIA_OK);
    return network;
}

typedef struct data {
    glia_dataset *all, *rest, *held;
    const glia_dataset *train, *validation;
} data;

static data open_data(const kind *k)
{
    data d = {.all = make_data(k->weighted)};
    d.train = d.all;
    if (!k->validated) return d;
    assert_int_equal(glia_dataset_hold_out(d.all, HELD, 1, &d.rest, &d.held, NULL), GLIA_OK);
    d.train = d.rest;
    d.validation = d.held;
    return d;
}

static void close_data(data *d)
{
    glia_dataset_free(d->held);
    glia_dataset_free(d->rest);
    glia_dataset_free(d->all);
}

/* What a run has come to, as bytes. */
typedef struct end {
    glia_train_result result;
    uint8_t *parameters; /* as they are in memory */
    size_t n_parameters;
    uint8_t *file; /* as they are saved */
    size_t n_file;
} end;

static uint8_t *copy_parameters(const glia_network *network, size_t *n)
{
    uint8_t *all = NULL;
    *n = 0;
    for (size_t l = 0; l < network->n_layers; l++)
        for (int block = 0; block < 2; block++) {
            const size_t bytes = gi_parameter_bytes(network, l, block);
            all = realloc(all, *n + bytes);
            assert_non_null(all);
            memcpy(all + *n, gi_parameters(&network->layers[l], block), bytes);
            *n += bytes;
        }
    return all;
}

static end end_of(const glia_network *network, const glia_train_result *result)
{
    end e = {.result = *result};
    e.parameters = copy_parameters(network, &e.n_parameters);
    assert_int_equal(glia_network_save(network, model, NULL), GLIA_OK);
    e.file = read_file(model, &e.n_file);
    return e;
}

static void free_end(end *e)
{
    free(e->parameters);
    free(e->file);
}

static bool same_real(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static void assert_same_end(const char *name, const end *a, const end *b)
{
    const glia_train_result *r = &a->result, *s = &b->result;
    if (r->stop != s->stop || r->epochs != s->epochs || r->best_epoch != s->best_epoch ||
        r->samples != s->samples)
        fail_msg("%s: ended otherwise: %d %zu %zu %zu, %d %zu %zu %zu", name, (int)r->stop,
                 r->epochs, r->best_epoch, r->samples, (int)s->stop, s->epochs, s->best_epoch,
                 s->samples);
    if (!same_real(r->train_loss, s->train_loss) ||
        !same_real(r->train_accuracy, s->train_accuracy) ||
        !same_real(r->validation_loss, s->validation_loss) ||
        !same_real(r->validation_accuracy, s->validation_accuracy))
        fail_msg("%s: other figures: loss %.17g, %.17g", name, r->train_loss, s->train_loss);
    if (a->n_parameters != b->n_parameters ||
        memcmp(a->parameters, b->parameters, a->n_parameters) != 0)
        fail_msg("%s: other parameters", name);
    if (a->n_file != b->n_file || memcmp(a->file, b->file, a->n_file) != 0)
        fail_msg("%s: another model file", name);
}

/* ---- Broken off and continued --------------------------------------------------------------- */

/*
 * Breaks a run off at a call of the callback: stopped, which keeps it there; or as if killed, which
 * leaves the file as it was when the call came, at one of the steps at which it is kept.
 */
typedef struct breaker {
    size_t calls; /* until it breaks off */
    bool kills;
    bool broke;
} breaker;

static bool break_off(void *user, const glia_progress *p)
{
    breaker *b = user;
    (void)p;
    if (b->broke || b->calls-- > 0) return !b->broke;
    b->broke = true;
    if (b->kills) {
        unlink(copied);
        if (access(kept, F_OK) == 0) copy_file(kept, copied);
    }
    return false;
}

static size_t n_pieces; /* of runs that were broken off, over all tests */

/* The run in pieces, each in a fresh network, as a fresh process has it. */
static end run_in_pieces(const kind *k, const glia_settings *params, gi_rng *rng)
{
    unlink(kept);
    for (size_t piece = 0;; piece++) {
        glia_settings p = *params;
        breaker b = {.calls = gi_rng_below(rng, 5), .kills = gi_rng_below(rng, 2) == 0};
        p.checkpoint = kept;
        p.checkpoint_steps = p.batch == 1 ? 611 : 1 + gi_rng_below(rng, 9);
        if (gi_rng_below(rng, 4) == 0) p.checkpoint_seconds = 1e-3; /* whenever that may be */
        p.resume = access(kept, F_OK) == 0;
        if (piece < 12) { /* then to the end */
            p.progress = break_off;
            p.user = &b;
        }
        data d = open_data(k);
        glia_network *network = make_network(k);
        glia_train_result result;
        glia_error error;
        if (glia_train(network, d.train, d.validation, &p, &result, &error))
            fail_msg("%s: piece %zu: %s", k->name, piece, error.message);
        end e = end_of(network, &result);
        glia_network_free(network);
        close_data(&d);
        if (result.stop != GLIA_STOP_CANCELLED) return e;
        /* At the end of the last epoch it is told to stop, and is done. */
        n_pieces++;
        free_end(&e);
        if (!b.kills) continue;
        unlink(kept);
        if (access(copied, F_OK) == 0) copy_file(copied, kept);
    }
}

static void compare_pieces(const kind *k, glia_engine engine, glia_precision precision, int threads)
{
    static uint64_t seed = 0;
    gi_rng rng = gi_rng_make(++seed, GI_RANDOM_INIT, 0, 0);
    glia_settings p = complete(k);
    p.engine = engine;
    p.precision = precision;
    p.threads = threads;
    data d = open_data(k);
    glia_network *network = make_network(k);
    glia_train_result result;
    glia_error error;
    if (glia_train(network, d.train, d.validation, &p, &result, &error))
        fail_msg("%s: %s", k->name, error.message);
    end whole = end_of(network, &result);
    glia_network_free(network);
    close_data(&d);
    char name[256];
    snprintf(name, sizeof name, "%s, %s %s, %d threads of %d", k->name, glia_engine_name(engine),
             glia_precision_name(precision), result.threads, threads);
    end pieces = run_in_pieces(k, &p, &rng);
    assert_same_end(name, &whole, &pieces);
    free_end(&pieces);
    free_end(&whole);
}

/* Whether this build and this CPU have it; if not, says what is left out. */
static bool has(glia_engine engine, glia_precision precision)
{
#ifdef GLIA_HAS_ONEDNN
    (void)engine;
    if (precision == GLIA_PRECISION_F32 || gi_onednn_has_bf16()) return true;
    print_message("# bf16 is skipped: this CPU lacks it\n");
    return false;
#else
    if (engine != GLIA_ENGINE_ONEDNN && precision == GLIA_PRECISION_F32) return true;
    print_message("# onednn %s is skipped: this build is without oneDNN\n",
                  glia_precision_name(precision));
    return false;
#endif
}

/* The kinds first, first + each, ..., and the one with everything. */
static void compare_kinds(glia_engine engine, glia_precision precision, size_t first, size_t each)
{
    if (!has(engine, precision)) return;
    size_t n_kinds = 0;
    n_pieces = 0;
    for (size_t i = 0; i < N_KINDS; i++) {
        if (i % each != first && i != EVERYTHING) continue;
        if (precision == GLIA_PRECISION_BF16 && kinds[i].p.batch == 1) continue;
        /* with one thread and with two, in turn; oneDNN's with two */
        const bool by_two = engine == GLIA_ENGINE_ONEDNN || i == EVERYTHING || i % 2;
        compare_pieces(&kinds[i], engine, precision, by_two ? 2 : 1);
        n_kinds++;
    }
    assert_true(n_pieces > 2 * n_kinds); /* they were broken off indeed */
    print_message("# %s %s: %zu kinds, broken off %zu times\n", glia_engine_name(engine),
                  glia_precision_name(precision), n_kinds, n_pieces);
}

/* Each kind by one of the engines. */
enum { QUICK_ENGINES = 4 };

static void test_reference_goes_on(void **state)
{
    (void)state;
    compare_kinds(GLIA_ENGINE_REFERENCE, GLIA_PRECISION_F32, 0, QUICK_ENGINES);
}

static void test_native_goes_on(void **state)
{
    (void)state;
    compare_kinds(GLIA_ENGINE_NATIVE, GLIA_PRECISION_F32, 1, QUICK_ENGINES);
}

static void test_onednn_goes_on(void **state)
{
    (void)state;
    compare_kinds(GLIA_ENGINE_ONEDNN, GLIA_PRECISION_F32, 2, QUICK_ENGINES);
}

static void test_bf16_goes_on(void **state)
{
    (void)state;
    compare_kinds(GLIA_ENGINE_ONEDNN, GLIA_PRECISION_BF16, 3, QUICK_ENGINES);
}

/* Each kind by each engine. */
static void test_reference_goes_on_in_every_kind(void **state)
{
    (void)state;
    compare_kinds(GLIA_ENGINE_REFERENCE, GLIA_PRECISION_F32, 0, 1);
}

static void test_native_goes_on_in_every_kind(void **state)
{
    (void)state;
    compare_kinds(GLIA_ENGINE_NATIVE, GLIA_PRECISION_F32, 0, 1);
}

static void test_onednn_goes_on_in_every_kind(void **state)
{
    (void)state;
    compare_kinds(GLIA_ENGINE_ONEDNN, GLIA_PRECISION_F32, 0, 1);
}

static void test_bf16_goes_on_in_every_kind(void **state)
{
    (void)state;
    compare_kinds(GLIA_ENGINE_ONEDNN, GLIA_PRECISION_BF16, 0, 1);
}

/* One thread, then two, then one: where the bits do not depend on them. */
static void test_threads_may_change(void **state)
{
    (void)state;
    const kind *k = &kinds[EVERYTHING];
    glia_settings p = complete(k);
    p.engine = GLIA_ENGINE_NATIVE;
    data d = open_data(k);
    end ends[2];
    for (int changes = 0; changes < 2; changes++) {
        unlink(kept);
        glia_train_result result = {.stop = GLIA_STOP_CANCELLED};
        for (int piece = 0; result.stop == GLIA_STOP_CANCELLED; piece++) {
            breaker b = {.calls = 3};
            glia_network *network = make_network(k);
            p.threads = changes ? 1 + piece % 2 : 1;
            if (changes) {
                p.checkpoint = kept;
                p.resume = piece > 0;
                p.progress = break_off;
                p.user = &b;
            }
            assert_int_equal(glia_train(network, d.train, d.validation, &p, &result, NULL),
                             GLIA_OK);
            if (result.stop != GLIA_STOP_CANCELLED) ends[changes] = end_of(network, &result);
            glia_network_free(network);
        }
    }
    assert_same_end("threads", &ends[0], &ends[1]);
    free_end(&ends[0]);
    free_end(&ends[1]);
    close_data(&d);
}

/* A run that has ended, by all epochs or early, is at its end again at once. */
static bool count_call(void *user, const glia_progress *p)
{
    (void)p;
    ++*(size_t *)user;
    return true;
}

static void test_an_ended_run_stays_ended(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_KINDS; i++) {
        const kind *k = &kinds[i];
        glia_settings p = complete(k);
        data d = open_data(k);
        end ends[2];
        size_t calls = 0;
        p.checkpoint = kept;
        p.progress = count_call;
        p.user = &calls;
        for (int again = 0; again < 2; again++) {
            glia_network *network = make_network(k);
            glia_train_result result;
            p.resume = again;
            calls = 0;
            assert_int_equal(glia_train(network, d.train, d.validation, &p, &result, NULL),
                             GLIA_OK);
            ends[again] = end_of(network, &result);
            glia_network_free(network);
        }
        assert_true(calls <= 1);
        assert_same_end(k->name, &ends[0], &ends[1]);
        free_end(&ends[0]);
        free_end(&ends[1]);
        close_data(&d);
    }
}

/* ---- What is refused ------------------------------------------------------------------------ */

/* Keeps the run of a kind in the middle of its second epoch. */
static void keep_half(const kind *k)
{
    data d = open_data(k);
    glia_network *network = make_network(k);
    glia_settings p = complete(k);
    breaker b = {.calls = 3}; /* at the beginning, within the epoch, at its end */
    p.checkpoint = kept;
    p.progress = break_off;
    p.user = &b;
    glia_train_result result;
    assert_int_equal(glia_train(network, d.train, d.validation, &p, &result, NULL), GLIA_OK);
    assert_int_equal(result.stop, GLIA_STOP_CANCELLED);
    assert_int_equal(result.epochs, 1);
    glia_network_free(network);
    close_data(&d);
}

/* Tries to resume; the network must not have changed if that fails. */
static glia_status try(const glia_dataset *train, const glia_dataset *validation,
                       glia_network *network, glia_settings p, glia_error *error)
{
    size_t n, m;
    uint8_t *before = copy_parameters(network, &n);
    char *was = NULL, *is = NULL;
    assert_int_equal(glia_network_metadata(network, &was, NULL), GLIA_OK);
    p.checkpoint = kept;
    p.resume = true;
    const glia_status status = glia_train(network, train, validation, &p, NULL, error);
    uint8_t *after = copy_parameters(network, &m);
    assert_int_equal(glia_network_metadata(network, &is, NULL), GLIA_OK);
    if (status && (n != m || memcmp(before, after, n) != 0 || strcmp(was, is) != 0))
        fail_msg("the network has changed: %s", error->message);
    free(before);
    free(after);
    glia_string_free(was);
    glia_string_free(is);
    return status;
}

static void assert_refused(const char *label, const kind *k, glia_status expected, const char *word)
{
    data d = open_data(k);
    glia_network *network = make_network(k);
    glia_error error;
    const glia_status status = try(d.train, d.validation, network, complete(k), &error);
    assert_error(label, status, expected, &error, kept, word);
    glia_network_free(network);
    close_data(&d);
}

static void test_damage_is_refused(void **state)
{
    (void)state;
    const kind *k = &kinds[EVERYTHING];
    keep_half(k);
    size_t n;
    uint8_t *whole = read_file(kept, &n);
    assert_true(n > 20000);
    data d = open_data(k);
    glia_network *network = make_network(k);
    const glia_settings p = complete(k);
    glia_error error;

    size_t header = 0;
    for (int i = 7; i >= 0; i--) header = header << 8 | whole[i];
    size_t n_flips = 0, n_checksum = 0;
    for (size_t at = 0; at < n; at += at < 8 + header ? 5 : 997, n_flips++) {
        whole[at] ^= 1;
        write_file(kept, whole, n);
        whole[at] ^= 1;
        const glia_status status = try(d.train, d.validation, network, p, &error);
        if (status != GLIA_BAD_FORMAT && status != GLIA_UNSUPPORTED)
            fail_msg("byte %zu of %zu (header %zu): %s", at, n, header, glia_status_name(status));
        assert_error("flip", status, status, &error, kept, NULL);
        n_checksum += strstr(error.message, "is damaged") != NULL;
    }
    print_message("# %zu bytes changed, %zu found by the checksum\n", n_flips, n_checksum);

    const size_t cuts[] = {0, 1, 7, 8, 9, 100, 8 + header, 8 + header + 4, n / 2, n - 1};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        write_file(kept, whole, cuts[i]);
        const glia_status status = try(d.train, d.validation, network, p, &error);
        assert_error("cut", status, GLIA_BAD_FORMAT, &error, kept, NULL);
    }
    whole[n] = 0;
    write_file(kept, whole, n + 1);
    assert_error("longer", try(d.train, d.validation, network, p, &error), GLIA_BAD_FORMAT, &error,
                 kept, NULL);

    write_file(kept, whole, n); /* and whole it goes on */
    assert_int_equal(try(d.train, d.validation, network, p, &error), GLIA_OK);
    glia_network_free(network);
    close_data(&d);
    free(whole);
}

static void test_what_is_no_checkpoint_is_refused(void **state)
{
    (void)state;
    const kind *k = &kinds[0];
    unlink(kept);
    assert_refused("nothing", k, GLIA_NOT_FOUND, "cannot open");
    glia_network *network = make_network(k);
    assert_int_equal(glia_network_save(network, kept, NULL), GLIA_OK);
    glia_network_free(network);
    assert_refused("a model", k, GLIA_BAD_FORMAT, "found format");
    write_file(kept, (const uint8_t *)"hello, hello, hello", 19);
    assert_refused("text", k, GLIA_BAD_FORMAT, NULL);
    unlink(kept);
    char command[128];
    snprintf(command, sizeof command, "mkdir %s", kept);
    assert_int_equal(system(command), 0);
    assert_refused("a folder", k, GLIA_IO, "folder");
    snprintf(command, sizeof command, "rmdir %s", kept);
    assert_int_equal(system(command), 0);
}

static void test_another_run_is_refused(void **state)
{
    (void)state;
    const kind *k = &kinds[EVERYTHING];
    keep_half(k);
    static double other_weights[CLASSES] = {1, 0.25, 2.5};
    enum { SETTINGS = 21 };
    static const char *const names[SETTINGS] = {
        "lr",        "batch",    "epochs",        "seed",          "optimizer",
        "momentum",  "beta2",    "epsilon",       "weight_decay",  "schedule",
        "warmup",    "dropout",  "input_dropout", "input_noise",   "label_smoothing",
        "averaging", "max_norm", "clip_norm",     "class_weights", "augmentation",
        "patience"};
    for (int i = 0; i < SETTINGS; i++) {
        glia_settings p = complete(k);
        switch (i) {
        case 0:
            p.lr = 0.01;
            break;
        case 1:
            p.batch = 99;
            break;
        case 2:
            p.epochs = 5;
            break;
        case 3:
            p.seed = 4;
            break;
        case 4:
            p.optimizer = GLIA_OPTIMIZER_ADAM;
            break;
        case 5:
            p.momentum = 0.8;
            break;
        case 6:
            p.beta2 = 0.99;
            break;
        case 7:
            p.epsilon = 1e-7;
            break;
        case 8:
            p.weight_decay = 0.02;
            break;
        case 9:
            p.schedule = GLIA_SCHEDULE_LINEAR;
            break;
        case 10:
            p.warmup = 0.2;
            break;
        case 11:
            p.dropout = 0.3;
            break;
        case 12:
            p.input_dropout = 0.2;
            break;
        case 13:
            p.input_noise = 0.2;
            break;
        case 14:
            p.label_smoothing = 0.2;
            break;
        case 15:
            p.averaging = 0.9;
            break;
        case 16:
            p.max_norm = 3;
            break;
        case 17:
            p.clip_norm = 3;
            break;
        case 18:
            p.class_weights.of = other_weights;
            break;
        case 19:
            p.shear = 0.2;
            break;
        default:
            p.patience = 4;
            break;
        }
        data d = open_data(k);
        glia_network *network = make_network(k);
        glia_error error;
        const glia_status status = try(d.train, d.validation, network, p, &error);
        /* the optimizer's own defaults may be what is told of it */
        assert_error(names[i], status, GLIA_MISMATCH, &error, "another run",
                     i == 4 ? NULL : names[i]);
        glia_network_free(network);
        close_data(&d);
    }

    kind other = *k;
    other.batch_norm = false;
    assert_refused("another network", &other, GLIA_MISMATCH, "network");
    other = *k;
    other.validated = false;
    other.p.patience = 0;
    assert_refused("no validation set", &other, GLIA_MISMATCH, "another run");
    other = *k;
    other.weighted = false;
    assert_refused("other weights", &other, GLIA_MISMATCH, "other data: the training samples are");

    data d = open_data(k);
    glia_network *network = make_network(k);
    glia_error error;
    pixels[7][7] ^= 1;
    assert_error("a pixel", try(d.train, d.validation, network, complete(k), &error), GLIA_MISMATCH,
                 &error, "training samples are not the same", kept);
    pixels[7][7] ^= 1;
    assert_int_equal(try(d.train, d.validation, network, complete(k), &error), GLIA_OK);
    glia_network_free(network);
    close_data(&d);
}

/* ---- The file alone ------------------------------------------------------------------------- */

static void test_a_state_comes_back_to_the_bit(void **state)
{
    (void)state;
    const kind *k = &kinds[0];
    glia_network *network = make_network(k), *other = make_network(&kinds[1]);
    gi_shadow shadows[2][GLIA_MAX_LAYERS];
    for (size_t l = 0; l < network->n_layers; l++)
        for (int block = 0; block < 2; block++) {
            shadows[0][l].of[block] = gi_parameters(&network->layers[l], block);
            shadows[1][l].of[block] = gi_parameters(&other->layers[l], block);
            memset(shadows[1][l].of[block], 0x55, gi_parameter_bytes(other, l, block));
        }
    const gi_kept_arrays from = {.name = {"parameters"}, .of = {shadows[0]}};
    const gi_kept_arrays to = {.name = {"parameters"}, .of = {shadows[1]}};
    const gi_run_limits limits = {.epochs = 3, .samples = 100, .batch = 8, .steps_an_epoch = 13};
    const gi_run_state good = {.epoch = 2,
                               .done = 96,
                               .reported = 64,
                               .step = 38,
                               .loss_sum = 1.0 / 3,
                               .weight_sum = -0.0,
                               .correct = 17,
                               .best_epoch = 1,
                               .train_loss = NAN,
                               .best_loss = INFINITY,
                               .validation_loss = -INFINITY,
                               .validation_accuracy = 5e-324,
                               .seconds = 1e300};
    json_t *about = json_pack("{s:i}", "of", 1);
    glia_error error;
    gi_run_state back;
    assert_int_equal(gi_checkpoint_write(kept, network, &from, &good, about, &error), GLIA_OK);
    assert_int_equal(gi_checkpoint_read(kept, other, &to, &limits, &back, about, &error), GLIA_OK);
    assert_memory_equal(&back, &good, sizeof good);
    for (size_t l = 0; l < network->n_layers; l++)
        for (int block = 0; block < 2; block++)
            assert_memory_equal(shadows[0][l].of[block], shadows[1][l].of[block],
                                gi_parameter_bytes(network, l, block));

    /* Places where no run can be. */
    gi_run_state bad[7];
    for (int i = 0; i < 7; i++) bad[i] = good;
    bad[0].done = 95;
    bad[1].done = 104;
    bad[2].epoch = 3;
    bad[3].step = 37;
    bad[4].reported = 97;
    bad[5].best_epoch = 3;
    bad[6].epoch = 4;
    for (int i = 0; i < 7; i++) {
        memset(shadows[1][0].of[0], 0x55, 16);
        assert_int_equal(gi_checkpoint_write(kept, network, &from, &bad[i], about, &error),
                         GLIA_OK);
        assert_error("place", gi_checkpoint_read(kept, other, &to, &limits, &back, about, &error),
                     GLIA_BAD_FORMAT, &error, kept, "expected a place");
        assert_true(*(const uint8_t *)shadows[1][0].of[0] == 0x55);
        assert_memory_equal(&back, &good, sizeof good);
    }

    /* An array more, or one less. */
    const gi_kept_arrays two = {.name = {"parameters", "best"}, .of = {shadows[0], shadows[0]}};
    assert_int_equal(gi_checkpoint_write(kept, network, &two, &good, about, &error), GLIA_OK);
    assert_error("more", gi_checkpoint_read(kept, other, &to, &limits, &back, about, &error),
                 GLIA_BAD_FORMAT, &error, kept, "tensors");
    assert_int_equal(gi_checkpoint_write(kept, network, &from, &good, about, &error), GLIA_OK);
    assert_error("less", gi_checkpoint_read(kept, other, &two, &limits, &back, about, &error),
                 GLIA_BAD_FORMAT, &error, kept, "best.0.weight");
    json_decref(about);
    glia_network_free(network);
    glia_network_free(other);
}

/* ---- What fails on the way ------------------------------------------------------------------ */

/* A run that is kept often and broken off, and its end. */
static glia_status two_pieces(const kind *k, const data *d, end *e, glia_error *error)
{
    glia_settings p = complete(k);
    glia_status status = GLIA_OK;
    for (int piece = 0; piece < 2 && !status; piece++) {
        glia_network *network = make_network(k);
        breaker b = {.calls = 4};
        glia_train_result result;
        p.checkpoint = kept;
        p.checkpoint_steps = 20;
        p.resume = piece > 0;
        p.progress = piece > 0 ? NULL : break_off;
        p.user = &b;
        status = glia_train(network, d->train, d->validation, &p, &result, error);
        if (!status && piece > 0 && e) *e = end_of(network, &result);
        glia_network_free(network);
    }
    return status;
}

static void test_each_allocation_fails_once(void **state)
{
    (void)state;
    const kind *k = &kinds[EVERYTHING];
    data d = open_data(k);
    glia_error error;
    keep_half(k);
    size_t n;
    uint8_t *whole = read_file(kept, &n);
    glia_settings p = complete(k);
    glia_network *network = make_network(k);
    json_malloc_t malloc_before;
    json_free_t free_before;
    json_get_alloc_funcs(&malloc_before, &free_before);
    json_set_alloc_funcs(json_malloc, json_free);
    bool came = true;
    long failed = 0;
    for (; came; failed += failed < 100 ? 1 : 7) {
        write_file(kept, whole, n);
        error = (glia_error){0};
        json_failed = false;
        breaker b = {.calls = 1};
        p.checkpoint = kept;
        p.resume = true;
        p.progress = break_off; /* at the second call: after reading, before writing */
        p.user = &b;
        glia_network *fresh = make_network(k);
        until_no_memory = failed;
        const glia_status status = glia_train(fresh, d.train, d.validation, &p, NULL, &error);
        came = until_no_memory < 0;
        until_no_memory = -1;
        glia_network_free(fresh);
        assert_int_equal(json_blocks, 0);
        if (!came) {
            assert_int_equal(status, GLIA_OK);
        } else if (status != GLIA_NO_MEMORY && !(json_failed && status)) {
            fail_msg("allocation %ld: %s: %s", failed, glia_status_name(status), error.message);
        }
        /* The old checkpoint or a new one, whole. */
        glia_network *again = make_network(k);
        b = (breaker){.calls = 0};
        assert_int_equal(glia_train(again, d.train, d.validation, &p, NULL, &error), GLIA_OK);
        assert_true(b.broke);
        glia_network_free(again);
    }
    json_set_alloc_funcs(malloc_before, free_before);
    print_message("# %ld allocations failed\n", failed - 1);
    assert_true(failed > 30);
    glia_network_free(network);
    free(whole);
    close_data(&d);
}

static void test_each_write_fails_once(void **state)
{
    (void)state;
    const kind *k = &kinds[EVERYTHING];
    data d = open_data(k);
    end whole, e;
    glia_error error;
    unlink(kept);
    if (two_pieces(k, &d, &whole, &error)) fail_msg("%s", error.message);
    bool came = true;
    long failed = 0, refused = 0;
    for (; came; failed += failed < 40 ? 1 : 7) { /* each of the first checkpoint */
        unlink(kept);
        until_no_room = failed;
        const glia_status status = two_pieces(k, &d, NULL, &error);
        came = until_no_room < 0;
        until_no_room = -1;
        if (!came) assert_int_equal(status, GLIA_OK);
        if (!came) break;
        if (!status) continue; /* the folder could not be synced, which some cannot */
        refused++;
        assert_error("a write", status, GLIA_IO, &error, kept, NULL);
        /* What is there, if anything, is whole and leads to the same end. */
        glia_settings p = complete(k);
        p.checkpoint = kept;
        p.resume = access(kept, F_OK) == 0;
        glia_network *network = make_network(k);
        glia_train_result result;
        if (glia_train(network, d.train, d.validation, &p, &result, &error))
            fail_msg("write %ld: %s", failed, error.message);
        e = end_of(network, &result);
        assert_same_end("after a failed write", &whole, &e);
        free_end(&e);
        glia_network_free(network);
        char command[128];
        snprintf(command, sizeof command, "test -z \"$(ls %s | grep tmp)\"", folder);
        assert_int_equal(system(command), 0); /* nothing is left behind */
    }
    print_message("# %ld writes failed, %ld of them to some effect\n", failed, refused);
    assert_true(refused > 30);
    free_end(&whole);
    close_data(&d);
}

/* ---- The tests ------------------------------------------------------------------------------ */

static int make_folder(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(kept, sizeof kept, "%s/kept", folder);
    snprintf(copied, sizeof copied, "%s/copied", folder);
    snprintf(model, sizeof model, "%s/model", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest slow[] = {
        cmocka_unit_test(test_reference_goes_on_in_every_kind),
        cmocka_unit_test(test_native_goes_on_in_every_kind),
        cmocka_unit_test(test_onednn_goes_on_in_every_kind),
        cmocka_unit_test(test_bf16_goes_on_in_every_kind),
    };
    if (slow_cases(argc, argv)) return cmocka_run_group_tests(slow, make_folder, remove_folder);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference_goes_on),
        cmocka_unit_test(test_native_goes_on),
        cmocka_unit_test(test_onednn_goes_on),
        cmocka_unit_test(test_bf16_goes_on),
        cmocka_unit_test(test_threads_may_change),
        cmocka_unit_test(test_an_ended_run_stays_ended),
        cmocka_unit_test(test_damage_is_refused),
        cmocka_unit_test(test_what_is_no_checkpoint_is_refused),
        cmocka_unit_test(test_another_run_is_refused),
        cmocka_unit_test(test_a_state_comes_back_to_the_bit),
        cmocka_unit_test(test_each_allocation_fails_once),
        cmocka_unit_test(test_each_write_fails_once),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
