/* SPDX-License-Identifier: MIT */
/*
 * Folders of images: a folder for each class, for both splits or one set of them for each.
 *
 *   list     the folders, which are the classes, and their files: names alone
 *   probe    the headers of all images, of both splits, unless size and channels are given, so that
 *            either split comes to the same
 *   decode   all of the split into one block
 *
 * Probing and decoding are shared out among threads; of several failures that of the first file is
 * told, however many threads there are.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/number.h"
#include "base/thread.h"
#include "data/dataset.h"
#include "data/readers.h"

enum {
    MAX_NAMES_BYTES = 1 << 30, /* of all names of files together */
    MAX_FILES = 1 << 28,
};

/* ---- Lists of names ------------------------------------------------------------------------ */

/* A file or a folder; number is what its name says, without the ending. */
struct entry {
    size_t name; /* where it begins, in the list's text */
    size_t class;
    uint64_t number;
};

struct list {
    struct entry *entries; /* (n) of room */
    size_t n, room;
    char *text; /* (n_text) of text_room: the names, each with its zero */
    size_t n_text, text_room;
    bool all_numbers;
    size_t skipped; /* files that are no images by their names */
};

static void list_free(struct list *list)
{
    gi_free(list->entries);
    gi_free(list->text);
    *list = (struct list){0};
}

static const char *name_of(const struct list *list, size_t i)
{
    return list->text + list->entries[i].name;
}

/* Doubles a block (used bytes of it are kept) until it has room for `needed` bytes. */
static glia_status grow(void **block, size_t used, size_t *room, size_t needed, size_t max,
                        const char *folder, glia_error *error)
{
    if (needed <= *room) return GLIA_OK;
    if (needed > max)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: too many files: their list takes more than %zu bytes", folder, max);
    size_t larger = *room ? *room : 4096;
    while (larger < needed) larger *= 2;
    void *copy = gi_alloc_unset(larger, 1, "the names of files", error);
    if (!copy) return GLIA_NO_MEMORY;
    if (used) memcpy(copy, *block, used);
    gi_free(*block);
    *block = copy;
    *room = larger;
    return GLIA_OK;
}

/* The number that the first length bytes of a name are. */
static bool read_number(const char *name, size_t length, uint64_t *out)
{
    char digits[24];
    if (length >= sizeof digits) return false;
    memcpy(digits, name, length);
    digits[length] = '\0';
    return gi_parse_u64(digits, out);
}

/* length: of the part of the name that may be a number. */
static glia_status list_add(struct list *list, const char *name, size_t length, size_t class,
                            const char *folder, glia_error *error)
{
    const size_t bytes = strlen(name) + 1;
    size_t entries_room = list->room * sizeof *list->entries;
    void *entries = list->entries, *text = list->text;
    glia_status status = grow(&text, list->n_text, &list->text_room, list->n_text + bytes,
                              MAX_NAMES_BYTES, folder, error);
    list->text = text;
    if (!status)
        status = grow(&entries, list->n * sizeof *list->entries, &entries_room,
                      (list->n + 1) * sizeof *list->entries, MAX_FILES * sizeof *list->entries,
                      folder, error);
    list->entries = entries;
    list->room = entries_room / sizeof *list->entries;
    if (status) return status;
    struct entry entry = {.name = list->n_text, .class = class};
    const bool is_number = read_number(name, length, &entry.number);
    list->all_numbers = is_number && (list->n == 0 || list->all_numbers);
    memcpy(list->text + list->n_text, name, bytes);
    list->n_text += bytes;
    list->entries[list->n++] = entry;
    return GLIA_OK;
}

/* qsort's functions have no context: what is sorted carries its keys. */
struct sorted {
    const char *name;
    uint64_t number; /* 0 unless all names are numbers */
    size_t class;
    struct entry entry;
};

static int compare_entries(const void *a, const void *b)
{
    const struct sorted *p = a, *q = b;
    if (p->class != q->class) return p->class < q->class ? -1 : 1;
    if (p->number != q->number) return p->number < q->number ? -1 : 1;
    return strcmp(p->name, q->name);
}

/*
 * By number if all names are numbers, else bytewise; class by class, unless the names are numbers
 * all different from each other.
 */
static glia_status list_sort(struct list *list, glia_error *error)
{
    struct sorted *sorted = gi_alloc(list->n, sizeof *sorted, "the names of files", error);
    if (!sorted) return GLIA_NO_MEMORY;
    for (size_t i = 0; i < list->n; i++) {
        const struct entry entry = list->entries[i];
        sorted[i] = (struct sorted){name_of(list, i), list->all_numbers ? entry.number : 0,
                                    list->all_numbers ? 0 : entry.class, entry};
    }
    qsort(sorted, list->n, sizeof *sorted, compare_entries);
    bool differ = true;
    for (size_t i = 1; i < list->n; i++) differ &= sorted[i - 1].number != sorted[i].number;
    if (list->all_numbers && !differ) {
        for (size_t i = 0; i < list->n; i++) sorted[i].class = sorted[i].entry.class;
        qsort(sorted, list->n, sizeof *sorted, compare_entries);
    }
    for (size_t i = 0; i < list->n; i++) list->entries[i] = sorted[i].entry;
    gi_free(sorted);
    return GLIA_OK;
}

/* ---- Folders ------------------------------------------------------------------------------- */

static bool is_image_name(const char *name, size_t *length)
{
    static const char *const endings[] = {".png", ".jpg", ".jpeg", ".pgm"};
    const char *dot = strrchr(name, '.');
    if (!dot) return false;
    *length = (size_t)(dot - name);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (strcasecmp(dot, endings[i]) == 0) return true;
    return false;
}

/* Folders (or, if not folders, images) of a folder, added to list with a class. Names that begin
 * with a dot are nobody's. */
static glia_status list_folder(const char *folder, bool folders, size_t class, struct list *list,
                               glia_error *error)
{
    DIR *stream = opendir(folder);
    if (!stream)
        return gi_fail(error, GLIA_IO, "%s: the folder cannot be read; check its permissions",
                       folder);
    glia_status status = GLIA_OK;
    for (const struct dirent *d; !status && (d = readdir(stream));) {
        char path[PATH_MAX];
        struct stat info;
        if (d->d_name[0] == '.') continue;
        const int n = snprintf(path, sizeof path, "%s/%s", folder, d->d_name);
        if (n < 0 || (size_t)n >= sizeof path || stat(path, &info) != 0) {
            status =
                gi_fail(error, GLIA_IO, "%s/%s: cannot be read; remove it, or shorten its path",
                        folder, d->d_name);
            break;
        }
        size_t length = strlen(d->d_name);
        const bool wanted = folders ? S_ISDIR(info.st_mode)
                                    : S_ISREG(info.st_mode) && is_image_name(d->d_name, &length);
        if (wanted)
            status = list_add(list, d->d_name, length, class, folder, error);
        else
            list->skipped++;
    }
    closedir(stream);
    return status;
}

/* Whether there is a folder at folder/name with folders in it. */
static glia_status holds_folders(const char *folder, const char *name, bool *out, glia_error *error)
{
    *out = false;
    struct list list = {0};
    char *path = gi_format(error, "%s/%s", folder, name);
    if (!path) return GLIA_NO_MEMORY;
    glia_status status = GLIA_OK;
    if (gi_is_directory(path)) status = list_folder(path, true, 0, &list, error);
    *out = list.n > 0;
    list_free(&list);
    gi_free(path);
    return status;
}

/* ---- A split ------------------------------------------------------------------------------- */

struct images {
    char *folder; /* that holds the folders of classes; NULL: there is no such split */
    struct list files;
};

struct folder {
    const char *path;
    struct list classes; /* sorted */
    struct images split[2];
};

static void folder_free(struct folder *folder)
{
    for (size_t s = 0; s < 2; s++) {
        gi_free(folder->split[s].folder);
        list_free(&folder->split[s].files);
    }
    list_free(&folder->classes);
}

/* Finds the folders of the splits. */
static glia_status find_splits(struct folder *f, glia_error *error)
{
    static const struct {
        glia_split split;
        const char *name;
    } names[] = {{GLIA_TRAIN, "train"},
                 {GLIA_TEST, "test"},
                 {GLIA_TEST, "val"},
                 {GLIA_TEST, "valid"},
                 {GLIA_TEST, "validation"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        bool there;
        char **to = &f->split[names[i].split].folder;
        /* Without train, the others may be classes. */
        if (*to || (i > 0 && !f->split[GLIA_TRAIN].folder)) continue;
        const glia_status status = holds_folders(f->path, names[i].name, &there, error);
        if (status) return status;
        if (there && !(*to = gi_format(error, "%s/%s", f->path, names[i].name)))
            return GLIA_NO_MEMORY;
    }
    if (!f->split[GLIA_TRAIN].folder) {
        f->split[GLIA_TRAIN].folder = gi_strdup(f->path, error);
        if (!f->split[GLIA_TRAIN].folder) return GLIA_NO_MEMORY;
    }
    return GLIA_OK;
}

/* The classes, which are the folders of the training split. */
static glia_status find_classes(struct folder *f, glia_error *error)
{
    const char *path = f->split[GLIA_TRAIN].folder;
    glia_status status = list_folder(path, true, 0, &f->classes, error);
    f->classes.skipped = 0;
    if (status) return status;
    if (f->classes.n < 2) {
        struct list images = {0};
        status = list_folder(path, false, 0, &images, error);
        const size_t n = images.n;
        list_free(&images);
        if (status) return status;
        if (f->classes.n == 0 && n == 0)
            return gi_fail(error, GLIA_NOT_FOUND,
                           "%s: found neither folders of images, expected %s/CLASS/FILE.png (or "
                           ".jpg, .jpeg, .pgm), nor %s, %s, %s and %s (or .gz)",
                           path, path, gi_idx_file_names[0][0], gi_idx_file_names[0][1],
                           gi_idx_file_names[1][0], gi_idx_file_names[1][1]);
        if (f->classes.n == 0)
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: found %zu images and no folders; expected a folder for each class: "
                           "%s/CLASS/FILE.png",
                           path, n, path);
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: found one folder, %s, expected at least two, one for each class; give "
                       "the folder that holds them",
                       path, name_of(&f->classes, 0));
    }
    if (f->classes.n > GLIA_MAX_CLASSES)
        return gi_fail(error, GLIA_BAD_FORMAT, "%s: found %zu folders, expected at most %d classes",
                       path, f->classes.n, (int)GLIA_MAX_CLASSES);
    return list_sort(&f->classes, error);
}

/* The class of a folder of the other split; as many as there are classes: none. */
static size_t find_class(const struct list *classes, const char *name)
{
    size_t i = 0;
    while (i < classes->n && strcmp(name_of(classes, i), name) != 0) i++;
    return i;
}

/* The images of one class. */
static glia_status find_images_of(struct images *images, size_t class, const char *name,
                                  glia_error *error)
{
    const size_t before = images->files.n;
    char *path = gi_format(error, "%s/%s", images->folder, name);
    if (!path) return GLIA_NO_MEMORY;
    glia_status status = list_folder(path, false, class, &images->files, error);
    if (!status && images->files.n == before)
        status = gi_fail(error, GLIA_BAD_FORMAT,
                         "%s: found no image (.png, .jpg, .jpeg or .pgm), expected at least one; "
                         "fill the folder, or remove it if it is no class",
                         path);
    gi_free(path);
    return status;
}

static glia_status find_images(struct folder *f, glia_split split, glia_error *error)
{
    struct images *images = &f->split[split];
    struct list folders = {0};
    glia_status status = list_folder(images->folder, true, 0, &folders, error);
    if (!status) status = list_sort(&folders, error);
    images->files.skipped = folders.skipped;
    for (size_t i = 0; i < folders.n && !status; i++) {
        const char *name = name_of(&folders, i);
        const size_t class = find_class(&f->classes, name);
        if (class == f->classes.n)
            status = gi_fail(error, GLIA_BAD_FORMAT,
                             "%s/%s: a class that has no folder in %s, expected one of its %zu; "
                             "rename or remove it",
                             images->folder, name, f->split[GLIA_TRAIN].folder, f->classes.n);
        else
            status = find_images_of(images, class, name, error);
    }
    list_free(&folders);
    return status ? status : list_sort(&images->files, error);
}

/* ---- All images of a list, in parallel ----------------------------------------------------- */

/* pixels (n, height, width, channels): where images are decoded to; NULL: kinds (n) is filled. */
struct work {
    const struct folder *folder;
    const struct images *images;
    size_t height, width, channels; /* height 0: of the size that they have */
    gi_image_kind *kinds;
    uint8_t *pixels;
    struct failure {
        glia_status status;
        glia_error error;
    } * failures; /* (threads) */
};

static void path_of(const struct work *w, size_t i, char path[PATH_MAX])
{
    const struct list *files = &w->images->files;
    /* It was made when the file was found, and was short enough. */
    snprintf(path, PATH_MAX, "%s/%s/%s", w->images->folder,
             name_of(&w->folder->classes, files->entries[i].class), name_of(files, i));
}

static glia_status decode(const struct work *w, const char *path, const gi_file *file, size_t i,
                          glia_error *error)
{
    glia_image image;
    glia_status status =
        gi_image_parse_as(path, file->data, file->size, w->channels, &image, NULL, error);
    if (status) return status;
    status = gi_image_scale(&image, w->height, w->width, w->channels,
                            w->pixels + i * w->height * w->width * w->channels, error);
    glia_image_free(&image);
    return status;
}

static void work_task(void *context, int thread, int n_threads)
{
    const struct work *w = context;
    struct failure *failure = &w->failures[thread];
    size_t begin, end;
    gi_slice(w->images->files.n, 1, thread, n_threads, &begin, &end);
    for (size_t i = begin; i < end && !failure->status; i++) {
        char path[PATH_MAX];
        gi_file file = {0};
        path_of(w, i, path);
        failure->status = gi_file_open(path, &file, &failure->error);
        if (!failure->status)
            failure->status = w->pixels ? decode(w, path, &file, i, &failure->error)
                                        : gi_image_probe(path, file.data, file.size, &w->kinds[i],
                                                         &failure->error);
        gi_file_close(&file);
    }
}

static glia_status work_run(struct work *w, gi_pool *pool, glia_error *error)
{
    const int n = gi_pool_threads(pool);
    w->failures = gi_alloc((size_t)n, sizeof *w->failures, "the reading of images", error);
    if (!w->failures) return GLIA_NO_MEMORY;
    gi_pool_run(pool, work_task, w);
    glia_status status = GLIA_OK;
    for (int t = 0; t < n && !status; t++) { /* slices are in order, so this is the first file's */
        status = w->failures[t].status;
        if (status && error) *error = w->failures[t].error;
    }
    gi_free(w->failures);
    return status;
}

/* ---- Sizes --------------------------------------------------------------------------------- */

/* What the images of all splits are together: the path of the first, and its kind. */
struct common {
    char first[PATH_MAX];
    gi_image_kind kind; /* channels: 3 if any file has so many; height 0: none seen yet */
};

static glia_status probe(const struct folder *f, const struct images *images, bool may_differ,
                         gi_pool *pool, struct common *common, glia_error *error)
{
    const size_t n = images->files.n;
    struct work w = {.folder = f, .images = images};
    w.kinds = gi_alloc(n, sizeof *w.kinds, "the sizes of images", error);
    if (!w.kinds) return GLIA_NO_MEMORY;
    glia_status status = work_run(&w, pool, error);
    for (size_t i = 0; i < n && !status; i++) {
        const gi_image_kind *kind = &w.kinds[i];
        if (common->kind.height == 0) {
            common->kind = *kind;
            path_of(&w, i, common->first);
        }
        if (kind->channels > common->kind.channels) common->kind.channels = kind->channels;
        if (may_differ ||
            (kind->height == common->kind.height && kind->width == common->kind.width))
            continue;
        char path[PATH_MAX];
        path_of(&w, i, path);
        status = gi_fail(error, GLIA_BAD_FORMAT,
                         "%s: an image of %zu x %zu pixels (height x width), expected %zu x %zu, "
                         "that of %s; say what size all are to be brought to (--image-size HxW)",
                         path, kind->height, kind->width, common->kind.height, common->kind.width,
                         common->first);
    }
    gi_free(w.kinds);
    return status;
}

static glia_status check_params(const glia_data_params *p, glia_error *error)
{
    if ((p->image_height == 0) != (p->image_width == 0))
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "images: height %zu and width %zu, expected both, or 0 for both",
                       p->image_height, p->image_width);
    if (p->image_channels != 0 && p->image_channels != 1 && p->image_channels != 3)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "images: %zu channels, expected 1 (grey), 3 (colour) or 0",
                       p->image_channels);
    return GLIA_OK;
}

/* What images are to become. */
static glia_status find_kind(const struct folder *f, const glia_data_params *params, gi_pool *pool,
                             gi_image_kind *out, glia_error *error)
{
    gi_image_kind kind = {params->image_height, params->image_width, params->image_channels};
    if (kind.height == 0 || kind.channels == 0) {
        struct common common = {0};
        glia_status status = GLIA_OK;
        for (size_t s = 0; s < 2 && !status; s++)
            if (f->split[s].files.n > 0)
                status = probe(f, &f->split[s], kind.height > 0, pool, &common, error);
        if (status) return status;
        if (kind.channels == 0) kind.channels = common.kind.channels;
        if (kind.height == 0) kind.height = common.kind.height, kind.width = common.kind.width;
    }
    if (kind.height > GLIA_MAX_UNITS / kind.channels / kind.width)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: images of %zu x %zu pixels with %zu channels, more than the %d inputs "
                       "that a network may have; have them scaled down (--image-size HxW)",
                       f->path, kind.height, kind.width, kind.channels, (int)GLIA_MAX_UNITS);
    *out = kind;
    return GLIA_OK;
}

/* ---- All of it ----------------------------------------------------------------------------- */

static glia_status decode_all(const struct folder *f, glia_split split, gi_image_kind kind,
                              const char *name, gi_pool *pool, glia_dataset **out,
                              glia_error *error)
{
    const struct list *files = &f->split[split].files;
    const size_t features = kind.height * kind.width * kind.channels, memory = gi_memory_size();
    glia_dataset *dataset = NULL;
    glia_status status = GLIA_NO_MEMORY;
    if (memory && files->n > memory / features)
        return gi_fail(
            error, GLIA_NO_MEMORY,
            "%s: %zu images of %zu x %zu pixels with %zu channels take %.1f GB, and this "
            "machine has %.1f; have them scaled down (--image-size HxW)",
            f->split[split].folder, files->n, kind.height, kind.width, kind.channels,
            (double)files->n * (double)features / 1e9, (double)memory / 1e9);
    const char **names = gi_alloc(f->classes.n, sizeof *names, "the names of classes", error);
    if (!names) return GLIA_NO_MEMORY;
    for (size_t i = 0; i < f->classes.n; i++) names[i] = name_of(&f->classes, i);
    status =
        gi_dataset_new(name, GLIA_U8, files->n, features, f->classes.n, names, &dataset, error);
    gi_free(names);
    if (status) return status;

    uint8_t *pixels = gi_alloc_unset(files->n, features, "images", error);
    dataset->owned_x = pixels;
    dataset->owned_labels = gi_alloc(files->n, sizeof *dataset->owned_labels, "labels", error);
    if (!pixels || !dataset->owned_labels) {
        glia_dataset_free(dataset);
        return GLIA_NO_MEMORY;
    }
    dataset->x = pixels;
    dataset->labels = dataset->owned_labels;
    for (size_t i = 0; i < files->n; i++)
        dataset->owned_labels[i] = (uint32_t)files->entries[i].class;
    dataset->height = kind.height;
    dataset->width = kind.width;
    dataset->channels = kind.channels;
    struct work w = {.folder = f,
                     .images = &f->split[split],
                     .height = kind.height,
                     .width = kind.width,
                     .channels = kind.channels,
                     .pixels = pixels};
    status = work_run(&w, pool, error);
    if (status) {
        glia_dataset_free(dataset);
        return status;
    }
    dataset->form = gi_image_form_of(pixels, files->n, kind.height, kind.width, kind.channels);
    char skipped[64] = "";
    if (files->skipped > 0)
        snprintf(skipped, sizeof skipped, "; %zu other file%s skipped", files->skipped,
                 files->skipped == 1 ? "" : "s");
    dataset->notes = gi_format(error, "%zu %s images of %zu x %zu pixels in %zu folders%s",
                               files->n, kind.channels == 1 ? "grey" : "colour", kind.height,
                               kind.width, f->classes.n, skipped);
    if (!dataset->notes) {
        glia_dataset_free(dataset);
        return GLIA_NO_MEMORY;
    }
    *out = dataset;
    return GLIA_OK;
}

glia_status gi_image_folder_open(const char *folder, const char *name, glia_split split,
                                 const glia_data_params *params, glia_dataset **out,
                                 glia_error *error)
{
    struct folder f = {.path = folder};
    gi_pool *pool = NULL;
    gi_image_kind kind;
    glia_status status = check_params(params, error);
    if (!status) status = find_splits(&f, error);
    if (!status) status = find_classes(&f, error);
    if (!status && !f.split[split].folder)
        status = gi_fail(error, GLIA_NOT_FOUND,
                         "%s: found no folder %s/test (or val, valid, validation), expected one "
                         "with a folder for each class; all images are for training",
                         folder, folder);
    for (size_t s = 0; s < 2 && !status; s++)
        if (f.split[s].folder) status = find_images(&f, (glia_split)s, error);
    if (!status) status = gi_pool_create(params->threads, &pool, error);
    if (!status) status = find_kind(&f, params, pool, &kind, error);
    if (!status) status = decode_all(&f, split, kind, name, pool, out, error);
    gi_pool_free(pool);
    folder_free(&f);
    return status;
}
