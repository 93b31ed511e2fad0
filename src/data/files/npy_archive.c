/* SPDX-License-Identifier: MIT */
/* Which arrays of a file of NumPy's are learned from: a single one, or those of an archive. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/files/npy_parts.h"

/* ---- The arrays of a file ------------------------------------------------------------------ */

void gi_arrays_free(gi_arrays *arrays)
{
    gi_array_free(&arrays->x);
    gi_array_free(&arrays->y);
    gi_array_free(&arrays->other_y);
}

/* The names of arrays, each list in order of precedence. */
static const char *const train_x[] = {"x_train", "X_train", "train_images", NULL};
static const char *const train_y[] = {"y_train", "Y_train", "train_labels", NULL};
static const char *const test_x[] = {"x_test", "X_test", "test_images", NULL};
static const char *const test_y[] = {"y_test", "Y_test", "test_labels", NULL};
static const char *const only_x[] = {"x", "X", "data", "images", NULL};
static const char *const other_x[] = {
    "x_val",        "X_val",        "val_images",   "x_valid",           "X_valid",
    "valid_images", "x_validation", "X_validation", "validation_images", NULL};
static const char *const only_y[] = {"y", "Y", "target", "labels", NULL};

static bool is_named(const gi_zip_member *member, const char *name)
{
    const size_t n = strlen(name);
    return member->name_length == n + 4 && memcmp(member->name, name, n) == 0 &&
           memcmp(member->name + n, ".npy", 4) == 0;
}

/* The first of the names that is there. */
static glia_status find_member(const gi_zip *zip, const char *const *names, gi_zip_member *out,
                               bool *found, glia_error *error)
{
    *found = false;
    for (; *names && !*found; names++) {
        size_t at = GI_ZIP_BEGIN;
        for (;;) {
            bool more;
            gi_zip_member member;
            const glia_status status = gi_zip_next(zip, &at, &member, &more, error);
            if (status) return status;
            if (!more) break;
            if (!is_named(&member, *names)) continue;
            *out = member;
            *found = true;
        }
    }
    return GLIA_OK;
}

glia_status gi_npz_read(const gi_zip *zip, const gi_zip_member *member, bool may_be_single,
                        gi_array *out, glia_error *error)
{
    gi_array array = {0};
    const uint8_t *data;
    snprintf(array.where, sizeof array.where, "%s: %.*s", zip->path, (int)member->name_length,
             (const char *)member->name);
    glia_status status = gi_zip_read(zip, member, &data, &array.owned, error);
    if (!status) status = gi_array_parse(data, member->size, may_be_single, &array, error);
    if (status)
        gi_array_free(&array);
    else
        *out = array;
    return status;
}

glia_status gi_npz_find(const gi_zip *zip, const char *const *names, bool may_be_single,
                        gi_array *out, bool *found, glia_error *error)
{
    gi_zip_member member;
    const glia_status status = find_member(zip, names, &member, found, error);
    return status || !*found ? status : gi_npz_read(zip, &member, may_be_single, out, error);
}

/* Of what is learned from: texts can be what is to be predicted alone. */
static glia_status check_numbers(const gi_array *x, glia_error *error)
{
    if (!gi_array_has_texts(x)) return GLIA_OK;
    return gi_fail(error, GLIA_BAD_FORMAT,
                   "%s: the elements are '%s' (texts), expected numbers; y may hold texts, the "
                   "names of classes",
                   x->where, x->type);
}

/* The arrays of an archive that are used: those to learn from, and those to test on. */
struct used {
    size_t n;
    gi_zip_member members[4];
};

static glia_status use_member(const gi_zip *zip, const char *const *names, struct used *used,
                              bool *found, glia_error *error)
{
    const glia_status status = find_member(zip, names, &used->members[used->n], found, error);
    used->n += !status && *found;
    return status;
}

/* The name of an array for a message, without the end of its file's. */
static void show_name(const gi_zip_member *member, char shown[GI_TEXT_SHOWN])
{
    size_t n = member->name_length;
    if (n > 4 && memcmp(member->name + n - 4, ".npy", 4) == 0) n -= 4;
    gi_text_show((const char *)member->name, n, shown);
}

/* The names of the arrays that are not used, and how many they are. */
static glia_status list_unused(const gi_zip *zip, const struct used *used, char *list, size_t room,
                               size_t *n, glia_error *error)
{
    size_t at = GI_ZIP_BEGIN, length = 0;
    for (*n = 0;;) {
        bool more;
        gi_zip_member member;
        char shown[GI_TEXT_SHOWN];
        size_t k = 0;
        const glia_status status = gi_zip_next(zip, &at, &member, &more, error);
        if (status || !more) return status;
        while (k < used->n && used->members[k].name != member.name) k++;
        if (k < used->n) continue;
        show_name(&member, shown);
        ++*n;
        if (length + strlen(shown) + 8 < room)
            length +=
                (size_t)snprintf(list + length, room - length, "%s%s", *n > 1 ? ", " : "", shown);
        else if (length < room)
            length += (size_t)snprintf(list + length, room - length, ", ...") + room;
    }
}

/* Says which arrays are learned from, if there are others that are not used. */
static glia_status note_unused(const gi_zip *zip, const char *const *x_names,
                               const char *const *y_names, gi_arrays *out, glia_error *error)
{
    struct used used = {0};
    gi_zip_member member;
    char names[2][GI_TEXT_SHOWN], list[160] = "";
    bool found, has_x = false, has_y = false, has_validation = false;
    size_t n;
    glia_status status = use_member(zip, x_names, &used, &found, error);
    if (!status && out->has_y) status = use_member(zip, y_names, &used, &found, error);
    if (!status) status = find_member(zip, test_y, &member, &has_y, error);
    if (!status) status = find_member(zip, test_x, &member, &has_x, error);
    if (!status && has_x && (has_y || !out->has_y))
        status = use_member(zip, test_x, &used, &found, error);
    if (!status && has_x && has_y) status = use_member(zip, test_y, &used, &found, error);
    if (!status) status = find_member(zip, other_x, &member, &has_validation, error);
    if (!status) status = list_unused(zip, &used, list, sizeof list, &n, error);
    if (status || n == 0) return status;
    for (size_t k = 0; k < 1u + out->has_y; k++) show_name(&used.members[k], names[k]);
    snprintf(out->note, sizeof out->note, "%s%s%s %s read; %s %s not used%s%s", names[0],
             out->has_y ? " and " : "", out->has_y ? names[1] : "", out->has_y ? "are" : "is", list,
             n == 1 ? "is" : "are",
             has_x && !has_y && out->has_y ? "; without y_test, nothing is scored on x_test" : "",
             has_validation ? "; glia_dataset_hold_out holds training samples out" : "");
    return GLIA_OK;
}

/* What is tested on has the columns that are learned from. */
static glia_status check_test(const gi_zip *zip, const gi_array *train, glia_error *error)
{
    gi_zip_member member;
    gi_array test = {0};
    char shape[GI_ARRAY_SHAPE], expected[GI_ARRAY_SHAPE];
    bool has_y, has_x = false;
    glia_status status = find_member(zip, test_y, &member, &has_y, error);
    if (!status && has_y) status = gi_npz_find(zip, test_x, false, &test, &has_x, error);
    if (!status && has_x && test.columns != train->columns)
        status =
            gi_fail(error, GLIA_BAD_FORMAT,
                    "%s: found the shape %s, of %zu column%s, expected %zu, as in the shape "
                    "%s that is learned from",
                    test.where, gi_array_shape(&test, shape), test.columns,
                    test.columns == 1 ? "" : "s", train->columns, gi_array_shape(train, expected));
    gi_array_free(&test);
    return status;
}

/* The names of all members, for a message. */
static void list_members(const gi_zip *zip, char *text, size_t room)
{
    size_t at = GI_ZIP_BEGIN, used = 0;
    bool more = true;
    gi_zip_member member;
    text[0] = '\0';
    while (gi_zip_next(zip, &at, &member, &more, NULL) == GLIA_OK && more && used + 4 < room) {
        const int n = snprintf(text + used, room - used, "%s%.*s", used ? ", " : "",
                               (int)member.name_length, (const char *)member.name);
        if (n < 0) break;
        used += (size_t)n;
    }
    if (used >= room) strcpy(text + room - 4, "...");
    if (used == 0) snprintf(text, room, "none");
}

static glia_status read_archive(const char *path, const uint8_t *bytes, size_t n_bytes,
                                glia_split split, gi_arrays *out, glia_error *error)
{
    gi_zip zip;
    bool found = false, is_train = false;
    gi_zip_member member;
    char members[256];
    glia_status status = gi_zip_open(path, bytes, n_bytes, &zip, error);
    if (!status && split == GLIA_SPLIT_TRAIN)
        status = gi_npz_read_sparse(&zip, n_bytes, &out->x, &found, error);
    if (status || found) return status;
    status = find_member(&zip, train_x, &member, &is_train, error);
    const char *const *x_names = split == GLIA_SPLIT_TEST ? test_x : is_train ? train_x : only_x;
    const char *const *y_names = split == GLIA_SPLIT_TEST ? test_y : is_train ? train_y : only_y;
    if (!status) status = gi_npz_find(&zip, x_names, false, &out->x, &found, error);
    if (status) return status;
    if (!found) {
        list_members(&zip, members, sizeof members);
        if (split == GLIA_SPLIT_TEST)
            return gi_fail(error, GLIA_NOT_FOUND,
                           "%s: found the arrays %s, and none to test on: expected x_test and "
                           "y_test; hold a part out, or name a second file",
                           path, members);
        return gi_fail(
            error, GLIA_BAD_FORMAT,
            "%s: found the arrays %s, expected x_train and y_train, or x and y (or data "
            "and target, images and labels); save them by these names: numpy.savez(file, "
            "x=..., y=...)",
            path, members);
    }
    status = gi_npz_find(&zip, y_names, false, &out->y, &out->has_y, error);
    if (!status && out->has_y && out->y.rows != out->x.rows)
        status = gi_fail(error, GLIA_BAD_FORMAT,
                         "%s: found %zu row%s, expected %zu, one for each of %s", out->y.where,
                         out->y.rows, out->y.rows == 1 ? "" : "s", out->x.rows, out->x.where);
    if (!status && is_train)
        status = gi_npz_find(&zip, split == GLIA_SPLIT_TEST ? train_y : test_y, false,
                             &out->other_y, &out->has_other_y, error);
    if (!status && split == GLIA_SPLIT_TRAIN) status = check_test(&zip, &out->x, error);
    if (!status && split == GLIA_SPLIT_TRAIN)
        status = note_unused(&zip, x_names, y_names, out, error);
    return status;
}

glia_status gi_arrays_read(const char *path, const uint8_t *bytes, size_t n_bytes, glia_split split,
                           gi_arrays *out, glia_error *error)
{
    gi_arrays arrays = {.is_archive = gi_zip_is(bytes, n_bytes)};
    glia_status status;
    if (arrays.is_archive) {
        status = read_archive(path, bytes, n_bytes, split, &arrays, error);
    } else if (split == GLIA_SPLIT_TEST) {
        status = gi_fail(error, GLIA_NOT_FOUND,
                         "%s: a single array has no test split; hold a part of it out, or name a "
                         "second file",
                         path);
    } else {
        snprintf(arrays.x.where, sizeof arrays.x.where, "%s", path);
        status = gi_array_parse(bytes, n_bytes, false, &arrays.x, error);
    }
    if (!status) status = check_numbers(&arrays.x, error);
    if (status)
        gi_arrays_free(&arrays);
    else
        *out = arrays;
    return status;
}
