/* SPDX-License-Identifier: MIT */
/* Finds the files of a folder of images. */
#include "data/image_list.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/number.h"

enum {
    MAX_NAMES_BYTES = 1 << 30, /* of all names of files together */
    MAX_FILES = 1 << 28,
    MAX_DEPTH = 32,        /* of folders below a class */
    MAX_FOLDERS = 1 << 20, /* looked into below a class: links may multiply them */
};

void gi_image_list_free(gi_image_list *list)
{
    gi_free(list->entries);
    gi_free(list->text);
    *list = (gi_image_list){0};
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
static glia_status list_add(gi_image_list *list, const char *name, size_t length, size_t class,
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
    gi_image_entry entry = {.name = list->n_text, .class = class};
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
    gi_image_entry entry;
};

static int compare_entries(const void *a, const void *b)
{
    const struct sorted *p = a, *q = b;
    if (p->class != q->class) return p->class < q->class ? -1 : 1;
    if (p->number != q->number) return p->number < q->number ? -1 : 1;
    return strcmp(p->name, q->name);
}

glia_status gi_image_list_sort(gi_image_list *list, glia_error *error)
{
    struct sorted *sorted = gi_alloc(list->n, sizeof *sorted, "the names of files", error);
    if (!sorted) return GLIA_NO_MEMORY;
    for (size_t i = 0; i < list->n; i++) {
        const gi_image_entry entry = list->entries[i];
        sorted[i] =
            (struct sorted){gi_image_list_name(list, i), list->all_numbers ? entry.number : 0,
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

/* A folder that is looked into, and the one above it. */
struct visit {
    dev_t device;
    ino_t inode;
    size_t depth;
    const struct visit *above;
};

/* What is added, and how much was looked at. */
struct search {
    gi_image_list *list;
    size_t class, n_folders;
    bool folders;  /* those are wanted, and no images */
    size_t prefix; /* length of the path that names do not have */
};

static glia_status look_into(struct search *search, const char *folder, const struct visit *above,
                             glia_error *error);

static bool leads_back(const struct stat *info, const struct visit *visit)
{
    while (visit && (visit->device != info->st_dev || visit->inode != info->st_ino))
        visit = visit->above;
    return visit != NULL;
}

/* What is at path: added if it is wanted, looked into if it is a folder of images. */
static glia_status look_at(struct search *search, const char *path, const char *name,
                           const struct visit *visit, glia_error *error)
{
    struct stat info;
    size_t length = strlen(name);
    if (stat(path, &info) != 0)
        return gi_fail(error, GLIA_IO,
                       "%s: cannot be read; remove it, or correct where it links to", path);
    const bool is_folder = S_ISDIR(info.st_mode);
    if (is_folder && !search->folders && !leads_back(&info, visit))
        return look_into(search, path, visit, error);
    const bool wanted =
        search->folders ? is_folder : S_ISREG(info.st_mode) && is_image_name(name, &length);
    if (!wanted) {
        search->list->skipped++;
        return GLIA_OK;
    }
    const size_t above = (size_t)(name - path) - search->prefix;
    return list_add(search->list, path + search->prefix, above + length, search->class, path,
                    error);
}

/* All that is in a folder. */
static glia_status look_into(struct search *search, const char *folder, const struct visit *above,
                             glia_error *error)
{
    struct stat info;
    DIR *stream = opendir(folder);
    if (!stream || fstat(dirfd(stream), &info) != 0) {
        if (stream) closedir(stream);
        return gi_fail(error, GLIA_IO, "%s: the folder cannot be read; check its permissions",
                       folder);
    }
    const struct visit visit = {info.st_dev, info.st_ino, above ? above->depth + 1 : 0, above};
    glia_status status = GLIA_OK;
    if (visit.depth > MAX_DEPTH || ++search->n_folders > MAX_FOLDERS)
        status = gi_fail(error, GLIA_BAD_FORMAT,
                         "%s: folders of images are looked into to a depth of %d, %d of them; is "
                         "there a link that leads in a circle?",
                         folder, (int)MAX_DEPTH, (int)MAX_FOLDERS);
    for (const struct dirent *d; !status && (d = readdir(stream));) {
        char path[PATH_MAX];
        if (d->d_name[0] == '.') continue;
        const int n = snprintf(path, sizeof path, "%s/%s", folder, d->d_name);
        if (n < 0 || (size_t)n >= sizeof path)
            status = gi_fail(error, GLIA_IO, "%s/%s: the path is too long; shorten it", folder,
                             d->d_name);
        else
            status = look_at(search, path, path + strlen(folder) + 1, &visit, error);
    }
    closedir(stream);
    return status;
}

glia_status gi_image_list_add_folders(gi_image_list *list, const char *folder, glia_error *error)
{
    struct search search = {.list = list, .folders = true, .prefix = strlen(folder) + 1};
    return look_into(&search, folder, NULL, error);
}

glia_status gi_image_list_add_images(gi_image_list *list, const char *folder, size_t class,
                                     glia_error *error)
{
    struct search search = {.list = list, .class = class, .prefix = strlen(folder) + 1};
    return look_into(&search, folder, NULL, error);
}
