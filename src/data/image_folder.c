/* SPDX-License-Identifier: MIT */
/*
 * Folders of images: a folder for each class, for both splits or one set of them for each.
 *
 *   list     the folders, which are the classes, and their files: names alone (image_list.c)
 *   probe    the headers of all images, of both splits, unless size and channels are given, so that
 *            either split comes to the same (image_size.c)
 *   decode   all of the split into one block
 *
 * Probing and decoding are shared out among threads; of several failures that of the first file is
 * told, however many threads there are. Where images that cannot be read are skipped, they are
 * marked, and what is decoded closes up over them.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/thread.h"
#include "data/files/idx.h"
#include "data/image_folder.h"
#include "data/image_list.h"
#include "data/set/dataset.h"
#include "image/image.h"
#include "image/image_size.h"

/* Whether there is a folder at folder/name with folders in it. */
static glia_status holds_folders(const char *folder, const char *name, bool *out, glia_error *error)
{
    *out = false;
    gi_image_list list = {0};
    char *path = gi_format(error, "%s/%s", folder, name);
    if (!path) return GLIA_NO_MEMORY;
    glia_status status = GLIA_OK;
    if (gi_is_directory(path)) status = gi_image_list_add_folders(&list, path, error);
    *out = list.n > 0;
    gi_image_list_free(&list);
    gi_free(path);
    return status;
}

/* ---- A split ------------------------------------------------------------------------------- */

struct images {
    char *folder; /* that holds the folders of classes; NULL: there is no such split */
    gi_image_list files;
    bool *is_bad; /* (files.n): those that cannot be read, where such are skipped */
};

struct folder {
    const char *path;
    gi_image_list classes; /* sorted */
    struct images split[2];
};

static void folder_free(struct folder *folder)
{
    for (size_t s = 0; s < 2; s++) {
        gi_free(folder->split[s].folder);
        gi_image_list_free(&folder->split[s].files);
        gi_free(folder->split[s].is_bad);
    }
    gi_image_list_free(&folder->classes);
}

/* Whether two names are the same but for capitals, of ASCII. */
static bool is_same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        const char lower_a = *a >= 'A' && *a <= 'Z' ? (char)(*a + 32) : *a;
        const char lower_b = *b >= 'A' && *b <= 'Z' ? (char)(*b + 32) : *b;
        if (lower_a != lower_b) return false;
    }
    return *a == *b;
}

/* Takes the folder of a split by this name, in capitals or not, if it holds folders. */
static glia_status take_split(struct folder *f, const gi_image_list *folders, const char *name,
                              char **to, glia_error *error)
{
    for (size_t i = 0; i < folders->n && !*to; i++) {
        const char *found = gi_image_list_name(folders, i);
        bool there = false;
        if (!is_same_name(found, name)) continue;
        const glia_status status = holds_folders(f->path, found, &there, error);
        if (status) return status;
        if (there && !(*to = gi_format(error, "%s/%s", f->path, found))) return GLIA_NO_MEMORY;
    }
    return GLIA_OK;
}

/* Finds the folders of the splits. */
static glia_status find_splits(struct folder *f, glia_error *error)
{
    static const struct {
        glia_split split;
        const char *name;
    } names[] = {{GLIA_SPLIT_TRAIN, "train"},    {GLIA_SPLIT_TRAIN, "training"},
                 {GLIA_SPLIT_TEST, "test"},      {GLIA_SPLIT_TEST, "testing"},
                 {GLIA_SPLIT_TEST, "val"},       {GLIA_SPLIT_TEST, "valid"},
                 {GLIA_SPLIT_TEST, "validation"}};
    gi_image_list folders = {0};
    glia_status status = GLIA_OK;
    if (gi_is_directory(f->path)) status = gi_image_list_add_folders(&folders, f->path, error);
    if (!status) status = gi_image_list_sort(&folders, error);
    for (size_t i = 0; i < sizeof names / sizeof names[0] && !status; i++) {
        /* Without train, the others may be classes. */
        if (names[i].split == GLIA_SPLIT_TEST && !f->split[GLIA_SPLIT_TRAIN].folder) continue;
        status = take_split(f, &folders, names[i].name, &f->split[names[i].split].folder, error);
    }
    gi_image_list_free(&folders);
    if (status || f->split[GLIA_SPLIT_TRAIN].folder) return status;
    f->split[GLIA_SPLIT_TRAIN].folder = gi_strdup(f->path, error);
    return f->split[GLIA_SPLIT_TRAIN].folder ? GLIA_OK : GLIA_NO_MEMORY;
}

/* The classes, which are the folders of the training split. */
static glia_status find_classes(struct folder *f, glia_error *error)
{
    const char *path = f->split[GLIA_SPLIT_TRAIN].folder;
    glia_status status = gi_image_list_add_folders(&f->classes, path, error);
    f->classes.skipped = 0;
    if (status) return status;
    if (f->classes.n < 2) {
        gi_image_list images = {0};
        status = gi_image_list_add_images(&images, path, 0, error);
        const size_t n = images.n;
        gi_image_list_free(&images);
        if (status) return status;
        if (f->classes.n == 0 && n == 0)
            return gi_fail(error, GLIA_NOT_FOUND,
                           "%s: found neither folders of images, expected %s/CLASS/FILE.png (or "
                           ".jpg, .jpeg, .pgm), nor %s, %s, %s and %s (or .gz)",
                           path, path, gi_idx_file_names[0][0], gi_idx_file_names[0][1],
                           gi_idx_file_names[1][0], gi_idx_file_names[1][1]);
        if (f->classes.n == 0)
            return gi_fail(
                error, GLIA_BAD_FORMAT,
                "%s: found %zu image%s and no folders; expected a folder for each class: "
                "%s/CLASS/FILE.png",
                path, n, n == 1 ? "" : "s", path);
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: found one folder, %s, expected at least two, one for each class; give "
                       "the folder that holds them",
                       path, gi_image_list_name(&f->classes, 0));
    }
    if (f->classes.n > GLIA_MAX_CLASSES)
        return gi_fail(error, GLIA_BAD_FORMAT, "%s: found %zu folders, expected at most %d classes",
                       path, f->classes.n, (int)GLIA_MAX_CLASSES);
    return gi_image_list_sort(&f->classes, error);
}

/* The class of a folder of the other split; as many as there are classes: none. */
static size_t find_class(const gi_image_list *classes, const char *name)
{
    size_t i = 0;
    while (i < classes->n && strcmp(gi_image_list_name(classes, i), name) != 0) i++;
    return i;
}

/* The images of one class. */
static glia_status find_images_of(struct images *images, size_t class, const char *name,
                                  glia_error *error)
{
    const size_t before = images->files.n;
    char *path = gi_format(error, "%s/%s", images->folder, name);
    if (!path) return GLIA_NO_MEMORY;
    glia_status status = gi_image_list_add_images(&images->files, path, class, error);
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
    gi_image_list folders = {0};
    glia_status status = gi_image_list_add_folders(&folders, images->folder, error);
    if (!status) status = gi_image_list_sort(&folders, error);
    images->files.skipped = folders.skipped;
    for (size_t i = 0; i < folders.n && !status; i++) {
        const char *name = gi_image_list_name(&folders, i);
        const size_t class = find_class(&f->classes, name);
        if (class == f->classes.n)
            status = gi_fail(error, GLIA_BAD_FORMAT,
                             "%s/%s: a class that has no folder in %s, expected one of its %zu; "
                             "rename or remove it",
                             images->folder, name, f->split[GLIA_SPLIT_TRAIN].folder, f->classes.n);
        else
            status = find_images_of(images, class, name, error);
    }
    gi_image_list_free(&folders);
    if (status) return status;
    images->is_bad = gi_alloc(images->files.n, 1, "the names of files", error);
    return images->is_bad ? gi_image_list_sort(&images->files, error) : GLIA_NO_MEMORY;
}

/* ---- All images of a list, in parallel ----------------------------------------------------- */

/* What a thread found: the first failure of its slice, and what is remarkable. */
struct finds {
    glia_status status; /* that ends the work */
    glia_error error;   /* of that, or of the first image that was skipped */
    size_t n_skipped, n_turned, n_odd;
    size_t first_odd; /* of n_odd */
};

/* pixels (n, height, width, channels): where images are decoded to; NULL: kinds (n) is filled. */
struct work {
    const struct folder *folder;
    struct images *images;
    size_t height, width, channels; /* height 0: of the size that they have */
    gi_image_kind *kinds;
    uint8_t *pixels;
    bool skips;          /* images that cannot be read */
    struct finds *finds; /* (threads) */
};

static void path_of(const struct work *w, size_t i, char path[PATH_MAX])
{
    const gi_image_list *files = &w->images->files;
    /* It was made when the file was found, and was short enough. */
    snprintf(path, PATH_MAX, "%s/%s/%s", w->images->folder,
             gi_image_list_name(&w->folder->classes, files->entries[i].class),
             gi_image_list_name(files, i));
}

static glia_status decode(const struct work *w, const char *path, const gi_file *file, size_t i,
                          struct finds *finds, glia_error *error)
{
    glia_image image;
    gi_image_traits traits;
    glia_status status =
        gi_image_parse_as(path, file->data, file->size, w->channels, &image, &traits, error);
    if (status) return status;
    status = gi_image_scale(&image, w->height, w->width, w->channels,
                            w->pixels + i * w->height * w->width * w->channels, error);
    glia_image_free(&image);
    if (status) return status;
    finds->n_turned += traits.orientation != GI_UPRIGHT;
    if (traits.is_odd && finds->n_odd++ == 0) finds->first_odd = i;
    return GLIA_OK;
}

/* Whether the fault is the file's, and another file may be sound. */
static bool is_of_file(glia_status status)
{
    return status == GLIA_BAD_FORMAT || status == GLIA_IO || status == GLIA_NOT_FOUND;
}

static void work_on(const struct work *w, size_t i, struct finds *finds)
{
    char path[PATH_MAX];
    gi_file file = {0};
    glia_error error;
    path_of(w, i, path);
    glia_status status = gi_file_open(path, &file, &error);
    if (!status)
        status = w->pixels ? decode(w, path, &file, i, finds, &error)
                           : gi_image_probe(path, file.data, file.size, &w->kinds[i], &error);
    gi_file_close(&file);
    if (!status) return;
    if (finds->n_skipped == 0) finds->error = error;
    if (w->skips && is_of_file(status)) {
        w->images->is_bad[i] = true;
        finds->n_skipped++;
        return;
    }
    finds->error = error;
    finds->status = status;
}

static void work_task(void *context, int thread, int n_threads)
{
    const struct work *w = context;
    struct finds *finds = &w->finds[thread];
    size_t begin, end;
    gi_slice(w->images->files.n, 1, thread, n_threads, &begin, &end);
    for (size_t i = begin; i < end && !finds->status; i++)
        if (!w->images->is_bad[i]) work_on(w, i, finds);
}

/* What all threads found together; slices are in order, so that the first is the first file's. */
static void gather(const struct finds *of, int n, struct finds *out)
{
    for (int t = 0; t < n; t++) {
        const bool is_first = out->n_skipped == 0 && of[t].n_skipped > 0;
        if (!out->status && (is_first || of[t].status)) out->error = of[t].error;
        if (!out->status) out->status = of[t].status;
        if (out->n_odd == 0) out->first_odd = of[t].first_odd;
        out->n_skipped += of[t].n_skipped;
        out->n_turned += of[t].n_turned;
        out->n_odd += of[t].n_odd;
    }
}

/* out: added to; its error is that of the first image that was skipped. */
static glia_status work_run(struct work *w, gi_pool *pool, struct finds *out, glia_error *error)
{
    const int n = gi_pool_threads(pool);
    w->finds = gi_alloc((size_t)n, sizeof *w->finds, "the reading of images", error);
    if (!w->finds) return GLIA_NO_MEMORY;
    gi_pool_run(pool, work_task, w);
    gather(w->finds, n, out);
    gi_free(w->finds);
    if (!out->status) return GLIA_OK;
    const bool could_skip = is_of_file(out->status) && !w->skips;
    return gi_fail(error, out->status, "%s%s", out->error.message,
                   could_skip ? "; or leave out what cannot be read (table.skip_bad_rows)" : "");
}

/* ---- Sizes --------------------------------------------------------------------------------- */

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

/* What the images of a split are, added to sizes; channels: 3 if any file has so many. */
static glia_status probe(const struct folder *f, struct images *images, bool skips, gi_pool *pool,
                         gi_image_sizes *sizes, size_t *channels, struct finds *finds,
                         glia_error *error)
{
    const size_t n = images->files.n;
    struct work w = {.folder = f, .images = images, .skips = skips};
    w.kinds = gi_alloc(n, sizeof *w.kinds, "the sizes of images", error);
    if (!w.kinds) return GLIA_NO_MEMORY;
    glia_status status = work_run(&w, pool, finds, error);
    for (size_t i = 0; i < n && !status; i++) {
        if (images->is_bad[i]) continue;
        if (w.kinds[i].channels > *channels) *channels = w.kinds[i].channels;
        status = gi_image_sizes_add(sizes, w.kinds[i].height, w.kinds[i].width, error);
    }
    gi_free(w.kinds);
    return status;
}

/* What images are to become; note: of their sizes, freed by gi_free, or NULL. */
static glia_status find_kind(struct folder *f, const glia_data_params *params, glia_split split,
                             gi_pool *pool, gi_image_kind *out, char **note, struct finds *finds,
                             glia_error *error)
{
    gi_image_kind kind = {params->image_height, params->image_width, params->image_channels};
    gi_image_sizes sizes = {0};
    size_t channels = 1;
    glia_status status = GLIA_OK;
    if (kind.height == 0 || kind.channels == 0)
        for (size_t s = 0; s < 2 && !status; s++) {
            struct finds of_other = {0};
            if (f->split[s].files.n > 0)
                status = probe(f, &f->split[s], params->table.skip_bad_rows, pool, &sizes,
                               &channels, s == (size_t)split ? finds : &of_other, error);
        }
    if (!status && kind.channels == 0) kind.channels = channels;
    if (!status && kind.height == 0 && sizes.n == 0)
        status = gi_fail(error, GLIA_BAD_FORMAT, "%s: none of its images can be read: %s", f->path,
                         finds->error.message);
    if (!status && kind.height == 0)
        status = gi_image_sizes_choose(&sizes, &kind.height, &kind.width, note, error);
    gi_image_sizes_free(&sizes);
    if (!status && kind.height > GLIA_MAX_UNITS / kind.channels / kind.width)
        status =
            gi_fail(error, GLIA_BAD_FORMAT,
                    "%s: images of %zu x %zu pixels with %zu channels, more than the %d inputs "
                    "that a network may have; have them scaled down (image_height and image_width)",
                    f->path, kind.height, kind.width, kind.channels, (int)GLIA_MAX_UNITS);
    *out = kind;
    return status;
}

/* ---- All of it ----------------------------------------------------------------------------- */

/* Closes up over the images that cannot be read. */
static void close_up(const struct images *images, uint8_t *pixels, glia_dataset *dataset)
{
    size_t n = 0;
    for (size_t i = 0; i < images->files.n; i++) {
        if (images->is_bad[i]) continue;
        if (n < i)
            memmove(pixels + n * dataset->features, pixels + i * dataset->features,
                    dataset->features);
        dataset->owned_labels[n++] = (uint32_t)images->files.entries[i].class;
    }
    dataset->samples = n;
}

/* What is to be said of the images: lines. */
static char *describe(const struct work *w, const glia_dataset *dataset, const char *sizes,
                      const struct finds *finds, glia_error *error)
{
    char skipped[64] = "", turned[96] = "", odd[PATH_MAX + 128] = "",
         bad[sizeof(glia_error) + 96] = "";
    const gi_image_list *files = &w->images->files;
    if (files->skipped > 0)
        snprintf(skipped, sizeof skipped, "; %zu other file%s skipped", files->skipped,
                 files->skipped == 1 ? "" : "s");
    if (finds->n_turned > 0)
        snprintf(turned, sizeof turned, "\n%zu image%s turned upright, as EXIF says",
                 finds->n_turned, finds->n_turned == 1 ? " is" : "s are");
    if (finds->n_odd > 0) {
        char path[PATH_MAX];
        path_of(w, finds->first_odd, path);
        snprintf(odd, sizeof odd,
                 "\n%zu JPEG image%s odd bytes, which are passed over; the first is %s",
                 finds->n_odd, finds->n_odd == 1 ? " has" : "s have", path);
    }
    if (finds->n_skipped > 0)
        snprintf(bad, sizeof bad, "\n%zu image%s cannot be read and %s left out; the first: %s",
                 finds->n_skipped, finds->n_skipped == 1 ? "" : "s",
                 finds->n_skipped == 1 ? "is" : "are", finds->error.message);
    return gi_format(error, "%zu %s image%s of %zu x %zu pixels in %zu folder%s%s%s%s%s%s%s",
                     dataset->samples, w->channels == 1 ? "grey" : "colour",
                     dataset->samples == 1 ? "" : "s", w->height, w->width, w->folder->classes.n,
                     w->folder->classes.n == 1 ? "" : "s", skipped, sizes ? "\n" : "",
                     sizes ? sizes : "", turned, odd, bad);
}

static glia_status check_memory(const struct images *images, gi_image_kind kind, glia_error *error)
{
    const size_t features = kind.height * kind.width * kind.channels, memory = gi_memory_size();
    const size_t n = images->files.n;
    if (!memory || n <= memory / features) return GLIA_OK;
    return gi_fail(error, GLIA_NO_MEMORY,
                   "%s: %zu images of %zu x %zu pixels with %zu channels take %.1f GB, and this "
                   "machine has %.1f; have them scaled down (image_height and image_width)",
                   images->folder, n, kind.height, kind.width, kind.channels,
                   (double)n * (double)features / 1e9, (double)memory / 1e9);
}

/* A data set with room for all images. */
static glia_status make_room(const struct folder *f, const struct images *images,
                             gi_image_kind kind, const char *name, glia_dataset **out,
                             glia_error *error)
{
    const size_t n = images->files.n, features = kind.height * kind.width * kind.channels;
    glia_dataset *dataset = NULL;
    const char **names = gi_alloc(f->classes.n, sizeof *names, "the names of classes", error);
    if (!names) return GLIA_NO_MEMORY;
    for (size_t i = 0; i < f->classes.n; i++) names[i] = gi_image_list_name(&f->classes, i);
    const glia_status status =
        gi_dataset_new(name, GLIA_TYPE_U8, n, features, f->classes.n, names, &dataset, error);
    gi_free(names);
    if (status) return status;
    dataset->owned_x = gi_alloc_unset(n, features, "images", error);
    dataset->owned_labels = gi_alloc(n, sizeof *dataset->owned_labels, "labels", error);
    if (!dataset->owned_x || !dataset->owned_labels) {
        glia_dataset_free(dataset);
        return GLIA_NO_MEMORY;
    }
    dataset->x = dataset->owned_x;
    dataset->labels = dataset->owned_labels;
    dataset->height = kind.height;
    dataset->width = kind.width;
    dataset->channels = kind.channels;
    *out = dataset;
    return GLIA_OK;
}

static glia_status decode_all(const struct folder *f, struct images *images, gi_image_kind kind,
                              bool skips, const char *name, const char *sizes, struct finds *finds,
                              gi_pool *pool, glia_dataset **out, glia_error *error)
{
    glia_dataset *dataset = NULL;
    glia_status status = check_memory(images, kind, error);
    if (!status) status = make_room(f, images, kind, name, &dataset, error);
    if (status) return status;
    struct work w = {.folder = f,
                     .images = images,
                     .height = kind.height,
                     .width = kind.width,
                     .channels = kind.channels,
                     .pixels = dataset->owned_x,
                     .skips = skips};
    status = work_run(&w, pool, finds, error);
    if (!status) close_up(images, w.pixels, dataset);
    if (!status && dataset->samples == 0)
        status = gi_fail(error, GLIA_BAD_FORMAT, "%s: none of its images can be read: %s",
                         images->folder, finds->error.message);
    if (!status) {
        dataset->form =
            gi_image_form_of(w.pixels, dataset->samples, kind.height, kind.width, kind.channels);
        dataset->n_unread = finds->n_skipped;
        dataset->notes = describe(&w, dataset, sizes, finds, error);
        if (!dataset->notes) status = GLIA_NO_MEMORY;
    }
    if (status)
        glia_dataset_free(dataset);
    else
        *out = dataset;
    return status;
}

glia_status gi_image_folder_open(const char *folder, const char *name, glia_split split,
                                 const glia_data_params *params, glia_dataset **out,
                                 glia_error *error)
{
    struct folder f = {.path = folder};
    gi_pool *pool = NULL;
    gi_image_kind kind;
    struct finds finds = {0};
    char *sizes = NULL;
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
    if (!status) status = find_kind(&f, params, split, pool, &kind, &sizes, &finds, error);
    if (!status)
        status = decode_all(&f, &f.split[split], kind, params->table.skip_bad_rows, name, sizes,
                            &finds, pool, out, error);
    gi_free(sizes);
    gi_pool_free(pool);
    folder_free(&f);
    return status;
}
