/* SPDX-License-Identifier: MIT */
/*
 * The data sets known by name: where they are looked for, where they are fetched from, and how the
 * files are checked. A folder of IDX files is opened here too, being what is no known name.
 */
#define _XOPEN_SOURCE 700 /* realpath */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config.h"
#include "data/digits/digits.h"
#include "data/encoding/encoding.h"
#include "data/file_set.h"
#include "data/files/fetch.h"
#include "data/files/idx.h"
#include "data/image_folder.h"

/* Each file has one checksum, SHA-256: of its content, or as it is, compressed. */
struct checksum {
    const char *sha256_of_content, *sha256;
};

struct known_set {
    const char *name, *description, *license;
    bool built_in;
    size_t classes;
    const char *const *class_names;  /* NULL: "0", "1", ... */
    const char *const *mirrors;      /* base URLs, NULL-terminated */
    struct checksum checksums[2][2]; /* [split][0] images, [split][1] labels */
};

static const char *const mnist_mirrors[] = {
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    NULL,
};

static const char *const fashion_mirrors[] = {
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    NULL,
};

static const char *const fashion_class_names[] = {
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot",
};

static const struct known_set known_sets[] = {
    {
        .name = "digits",
        .description = "digits drawn by glia itself, 28x28, 60,000 and 10,000",
        .license = "MIT",
        .built_in = true,
        .classes = 10,
    },
    {
        .name = "mnist",
        .description = "handwritten digits, 28x28, 60,000 and 10,000 (LeCun, Cortes, Burges)",
        .license = "CC BY-SA 3.0",
        .classes = 10,
        .mirrors = mnist_mirrors,
        .checksums = {{{.sha256_of_content =
                            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
                       {.sha256_of_content =
                            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"}},
                      {{.sha256_of_content =
                            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
                       {.sha256_of_content =
                            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"}}},
    },
    {
        .name = "fashion-mnist",
        .description = "articles of clothing, 28x28, 60,000 and 10,000 (Zalando Research)",
        .license = "MIT",
        .classes = 10,
        .class_names = fashion_class_names,
        .mirrors = fashion_mirrors,
        .checksums =
            {{{.sha256 = "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"},
              {.sha256 = "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"}},
             {{.sha256 = "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"},
              {.sha256 = "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"}}},
    },
};

enum { N_KNOWN = sizeof known_sets / sizeof known_sets[0] };

static const struct known_set *find_known(const char *name)
{
    for (size_t i = 0; i < N_KNOWN; i++)
        if (strcmp(name, known_sets[i].name) == 0) return &known_sets[i];
    return NULL;
}

static glia_status fail_unknown(const char *name, glia_error *error)
{
    char names[256] = "";
    for (size_t i = 0; i < N_KNOWN; i++) {
        if (i) strcat(names, ", "); /* a few short names, all from the table above */
        strcat(names, known_sets[i].name);
    }
    return gi_fail(
        error, GLIA_NOT_FOUND,
        "%s: there is no data set of this name, and no such file or folder; the names are %s; data "
        "of your own may be a table (CSV, ARFF, NumPy, sparse text), a folder of images "
        "(DIR/CLASS/FILE.png), or a folder that holds %s, %s, %s and %s (or .gz)",
        name, names, gi_idx_file_names[0][0], gi_idx_file_names[0][1], gi_idx_file_names[1][0],
        gi_idx_file_names[1][1]);
}

/* ---- Looking for the files ----------------------------------------------------------------- */

/* The folders that may hold a set, in order of precedence; each NULL if there is none. */
enum { IN_DIRECTORY, IN_GLIA_DATA, IN_CACHE, N_PLACES };
struct places {
    char *folder[N_PLACES];
};

static void places_free(struct places *places)
{
    for (size_t i = 0; i < N_PLACES; i++) gi_free(places->folder[i]);
    *places = (struct places){0};
}

/* An environment variable, NULL if it is unset or empty. */
static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static glia_status places_find(const char *name, const glia_data_params *params, struct places *out,
                               glia_error *error)
{
    const char *data = environment("GLIA_DATA");
    const char *cache = environment("XDG_CACHE_HOME");
    const char *home = environment("HOME");
    if (cache && cache[0] != '/') cache = NULL; /* the XDG specification: ignore relative ones */

    struct places places = {0};
    bool failed = false;
    if (params->directory) {
        places.folder[IN_DIRECTORY] = gi_format(error, "%s/%s", params->directory, name);
        failed |= !places.folder[IN_DIRECTORY];
    }
    if (data && !failed) {
        places.folder[IN_GLIA_DATA] = gi_format(error, "%s/%s", data, name);
        failed |= !places.folder[IN_GLIA_DATA];
    }
    if ((cache || home) && !failed) {
        places.folder[IN_CACHE] = cache ? gi_format(error, "%s/glia/%s", cache, name)
                                        : gi_format(error, "%s/.cache/glia/%s", home, name);
        failed |= !places.folder[IN_CACHE];
    }
    if (failed) {
        places_free(&places);
        return GLIA_NO_MEMORY;
    }
    *out = places;
    return GLIA_OK;
}

/* Whether a folder has both files of the splits from first to last. */
static glia_status has_splits(const char *folder, glia_split first, glia_split last, bool *out,
                              glia_error *error)
{
    bool all = true;
    for (size_t split = first; split <= (size_t)last && all; split++)
        for (size_t f = 0; f < 2 && all; f++) {
            char *path = gi_idx_find(folder, gi_idx_file_names[split][f], &all, error);
            if (!path) return GLIA_NO_MEMORY;
            gi_free(path);
        }
    *out = all;
    return GLIA_OK;
}

/* The first place that has the splits; *folder is NULL if none has. */
static glia_status look_up(const struct places *places, glia_split first, glia_split last,
                           const char **folder, glia_error *error)
{
    *folder = NULL;
    for (size_t i = 0; i < N_PLACES && !*folder; i++) {
        bool found;
        if (!places->folder[i]) continue;
        const glia_status status = has_splits(places->folder[i], first, last, &found, error);
        if (status) return status;
        if (found) *folder = places->folder[i];
    }
    return GLIA_OK;
}

static glia_status fail_missing(const struct known_set *set, const struct places *places,
                                const char *why, glia_status code, glia_error *error)
{
    const char *folder[N_PLACES], *comma[N_PLACES];
    bool any = false;
    for (size_t i = 0; i < N_PLACES; i++) {
        folder[i] = places->folder[i] ? places->folder[i] : "";
        comma[i] = any && places->folder[i] ? ", " : "";
        any |= places->folder[i] != NULL;
    }
    return gi_fail(error, code,
                   "%s: the files are not on this machine (looked in: %s%s%s%s%s%s); %s; or put "
                   "%s, %s, %s and %s (each plain or .gz) into DIR/%s and set GLIA_DATA=DIR",
                   set->name, folder[0], comma[1], folder[1], comma[2], folder[2],
                   any ? "" : "nowhere, as neither GLIA_DATA nor HOME is set", why,
                   gi_idx_file_names[0][0], gi_idx_file_names[0][1], gi_idx_file_names[1][0],
                   gi_idx_file_names[1][1], set->name);
}

/* ---- Fetching ------------------------------------------------------------------------------ */

#ifdef GLIA_HAS_FETCH
static const bool can_fetch = true;
#else
static const bool can_fetch = false;
#endif

/* Downloads those of the four files that the cache lacks. */
static glia_status fetch_missing(const struct known_set *set, const struct places *places,
                                 const glia_data_params *params, glia_error *error)
{
    if (params->offline)
        return fail_missing(set, places, "allow downloading (this call is offline)", GLIA_NOT_FOUND,
                            error);
    if (!can_fetch)
        return fail_missing(set, places,
                            "use a build of glia that can download (this one is without libcurl "
                            "and libcrypto)",
                            GLIA_UNSUPPORTED, error);
    const char *cache = places->folder[IN_CACHE];
    if (!cache)
        return fail_missing(set, places,
                            "set HOME or XDG_CACHE_HOME, so that there is a place to download to",
                            GLIA_NOT_FOUND, error);

    const char *const replaced[] = {params->mirror, NULL};
    glia_status status = GLIA_OK;
    for (size_t i = 0; i < 4 && !status; i++) {
        const size_t split = i / 2, f = i % 2;
        bool found;
        char *path = gi_idx_find(cache, gi_idx_file_names[split][f], &found, error);
        char *file = path ? gi_format(error, "%s.gz", gi_idx_file_names[split][f]) : NULL;
        if (!file)
            status = GLIA_NO_MEMORY;
        else if (!found)
            status = gi_fetch(
                &(gi_download){
                    .file = file,
                    .base_urls = params->mirror ? replaced : set->mirrors,
                    .folder = cache,
                    .sha256_of_content = set->checksums[split][f].sha256_of_content,
                    .sha256 = set->checksums[split][f].sha256,
                },
                params->progress, params->user, error);
        gi_free(file);
        gi_free(path);
    }
    return status;
}

glia_status glia_dataset_fetch_sized(const char *name, const glia_data_params *given, size_t size,
                                     glia_error *error)
{
    const glia_data_params own = gi_data_params(given, size), *params = &own;
    if (!name) return gi_fail(error, GLIA_BAD_ARGUMENT, "fetch: the name of the data set is NULL");
    const struct known_set *set = find_known(name);
    if (!set) return fail_unknown(name, error);
    if (set->built_in) return GLIA_OK;

    struct places places = {0};
    const char *folder = NULL;
    glia_status status = places_find(name, params, &places, error);
    if (!status) status = look_up(&places, GLIA_SPLIT_TRAIN, GLIA_SPLIT_TEST, &folder, error);
    if (!status && !folder) status = fetch_missing(set, &places, params, error);
    places_free(&places);
    return status;
}

/* ---- Opening ------------------------------------------------------------------------------- */

static glia_status open_known(const struct known_set *set, glia_split split,
                              const glia_data_params *params, glia_dataset **out, glia_error *error)
{
    struct places places = {0};
    const char *folder = NULL;
    glia_status status = places_find(set->name, params, &places, error);
    if (!status) status = look_up(&places, split, split, &folder, error);
    if (!status && !folder) {
        status = fetch_missing(set, &places, params, error);
        folder = places.folder[IN_CACHE];
    }
    if (!status)
        status = gi_idx_open_folder(folder, set->name, split, set->class_names, set->classes, out,
                                    error);
    if (!status && set->class_names == NULL && (*out)->form == GI_FORM_SCALE)
        (*out)->form = GI_FORM_MNIST; /* digits, normalised as MNIST's are */
    places_free(&places);
    return status;
}

/* Whether any of the four files is there. */
static glia_status has_idx(const char *folder, bool *out, glia_error *error)
{
    *out = false;
    for (size_t i = 0; i < 4 && !*out; i++) {
        char *path = NULL;
        const glia_status status =
            gi_idx_find_file(folder, (glia_split)(i / 2), i % 2 == 1, &path, error);
        if (status) return status;
        *out = path != NULL;
        gi_free(path);
    }
    return GLIA_OK;
}

/* The last component of a folder's path is the name of the set in it. */
static glia_status open_folder(const char *path, glia_split split, const glia_data_params *params,
                               glia_dataset **out, glia_error *error)
{
    /* Of the real path, as "." and ".." say nothing. */
    char *real = realpath(path, NULL);
    const char *slash = real ? strrchr(real, '/') : NULL;
    const char *name = slash && slash[1] ? slash + 1 : "data";
    bool is_idx;
    glia_status status = has_idx(path, &is_idx, error);
    if (!status && is_idx)
        status = gi_idx_open_folder(path, name, split, NULL, 0, out, error);
    else if (!status)
        status = gi_image_folder_open(path, name, split, params, out, error);
    free(real);
    return status;
}

static glia_status fail_unlike(const char *name, glia_error *error)
{
    return gi_fail(error, GLIA_MISMATCH,
                   "%s: a table cannot be read like a data set of another kind; give data of one "
                   "kind to train and to test",
                   name);
}

static glia_status open_any(const char *name, glia_split split, const glia_data_params *params,
                            glia_dataset **out, glia_error *error)
{
    glia_data_params alike = *params;
    if (params->like && !params->image_height && !params->image_width && !params->image_channels) {
        alike.image_height = params->like->height;
        alike.image_width = params->like->width;
        alike.image_channels = params->like->channels;
        params = &alike;
    }
    const struct known_set *set = find_known(name);
    if (set && set->built_in) return gi_digits_open(split, params, out, error);
    if (set) return open_known(set, split, params, out, error);
    if (gi_is_directory(name)) return open_folder(name, split, params, out, error);
    if (gi_is_file_set(name)) {
        const glia_file_kind kind = glia_file_kind_of(name, params);
        if (split == GLIA_SPLIT_TEST && kind != GLIA_FILE_ARRAYS)
            return gi_fail(error, GLIA_NOT_FOUND,
                           "%s: a single file has no test split; hold a part of it out, or name a "
                           "second file",
                           name);
        if (!params->like) return gi_file_set_open(name, split, params, NULL, out, error);
        const gi_reading reading = gi_dataset_reading(params->like);
        if (reading.schema) return gi_file_set_open(name, split, params, &reading, out, error);
        if (kind == GLIA_FILE_SPARSE && !params->like->height)
            return gi_file_set_open(name, split, params, &reading, out, error);
        if (kind != GLIA_FILE_ARRAYS) return fail_unlike(name, error);
        glia_dataset *images = NULL;
        const glia_status status = gi_file_set_open(name, split, params, NULL, &images, error);
        if (status) return status;
        if (images->schema) {
            glia_dataset_free(images);
            return fail_unlike(name, error);
        }
        *out = images;
        return GLIA_OK;
    }
    return fail_unknown(name, error);
}

glia_status glia_dataset_open_sized(const char *name, glia_split split,
                                    const glia_data_params *given, size_t size, glia_dataset **out,
                                    glia_error *error)
{
    const glia_data_params own = gi_data_params(given, size), *params = &own;
    if (!name || !out)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "open: the name of the data set or out is NULL");
    if (split != GLIA_SPLIT_TRAIN && split != GLIA_SPLIT_TEST)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "%s: split %d is neither GLIA_SPLIT_TRAIN nor GLIA_SPLIT_TEST", name,
                       (int)split);
    glia_dataset *dataset = NULL;
    glia_status status = open_any(name, split, params, &dataset, error);
    if (!status && params->like && params->like->task == GLIA_TASK_CLASSES)
        status = gi_dataset_take_classes(dataset, params->like->class_names, params->like->classes,
                                         error);
    if (status)
        glia_dataset_free(dataset);
    else
        *out = dataset;
    return status;
}

/* ---- Listing ------------------------------------------------------------------------------- */

glia_status glia_dataset_list_sized(const glia_data_params *given, size_t size,
                                    glia_dataset_entry **out, size_t *count, glia_error *error)
{
    const glia_data_params own = gi_data_params(given, size), *params = &own;
    glia_dataset_entry *entries =
        gi_alloc(N_KNOWN, sizeof *entries, "the list of data sets", error);
    if (!entries) return GLIA_NO_MEMORY;

    glia_status status = GLIA_OK;
    for (size_t i = 0; i < N_KNOWN && !status; i++) {
        const struct known_set *set = &known_sets[i];
        entries[i] = (glia_dataset_entry){
            .name = set->name,
            .description = set->description,
            .license = set->license,
            .built_in = set->built_in,
            .present = set->built_in,
        };
        if (set->built_in) continue;
        struct places places = {0};
        const char *folder = NULL;
        status = places_find(set->name, params, &places, error);
        if (!status) status = look_up(&places, GLIA_SPLIT_TRAIN, GLIA_SPLIT_TEST, &folder, error);
        if (folder) {
            entries[i].present = true;
            entries[i].path = gi_strdup(folder, error);
            if (!entries[i].path) status = GLIA_NO_MEMORY;
        }
        places_free(&places);
    }
    if (status) {
        glia_dataset_list_free(entries, N_KNOWN);
        return status;
    }
    *out = entries;
    *count = N_KNOWN;
    return GLIA_OK;
}

void glia_dataset_list_free(glia_dataset_entry *entries, size_t count)
{
    for (size_t i = 0; entries && i < count; i++) gi_free(entries[i].path);
    gi_free(entries);
}
