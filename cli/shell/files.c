/* SPDX-License-Identifier: MIT */
/* Replaces files as a whole, and none that is needed. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "shell/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shell/output.h"

/* ---- What is kept ---------------------------------------------------------------------------- */

struct kept {
    struct kept *next;
    const char *what, *except;
    char *place; /* as where_is has it, "" for standard input */
    bool is_there, is_folder;
    dev_t device;
    ino_t inode;
};

static struct kept *all_kept; /* of the command, by its main thread, to the end of the program */

/* The path without links and dots, as far as it is there already; to be freed; or NULL. */
static char *where_is(const char *path)
{
    char *real = realpath(path, NULL);
    if (real != NULL || errno != ENOENT) return real;
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    char *folder = need_copy(slash != NULL ? path : ".");
    if (slash != NULL) folder[slash == path ? 1 : slash - path] = '\0';
    real = where_is(folder);
    free(folder);
    if (real == NULL) return NULL;
    const size_t size = strlen(real) + strlen(name) + 2;
    char *whole = need_memory(size, 1);
    snprintf(whole, size, "%s/%s", strcmp(real, "/") == 0 ? "" : real, name);
    free(real);
    return whole;
}

void keep_folder(const char *path, const char *what, const char *except)
{
    struct stat status;
    const bool is_input = strcmp(path, "-") == 0;
    char *place = is_input ? need_copy("") : where_is(path);
    for (const struct kept *k = all_kept; place != NULL && k != NULL; k = k->next)
        if (strcmp(k->place, place) == 0 && strcmp(k->what, what) == 0) {
            free(place); /* it is known */
            return;
        }
    if (place == NULL) return; /* it cannot be read or written either */
    struct kept *kept = need_memory(1, sizeof *kept);
    *kept = (struct kept){.next = all_kept, .what = what, .except = except, .place = place};
    kept->is_there = (is_input ? fstat(STDIN_FILENO, &status) : stat(path, &status)) == 0;
    if (kept->is_there) {
        kept->is_folder = S_ISDIR(status.st_mode);
        kept->is_there = kept->is_folder || S_ISREG(status.st_mode);
        kept->device = status.st_dev;
        kept->inode = status.st_ino;
    }
    all_kept = kept;
}

void keep_file(const char *path, const char *what)
{
    keep_folder(path, what, NULL);
}

void keep_file_in(const char *folder, const char *name, const char *what)
{
    const size_t size = strlen(folder) + strlen(name) + 2;
    char *path = need_memory(size, 1);
    snprintf(path, size, "%s/%s", folder, name);
    keep_file(path, what);
    free(path);
}

/* ---- Folders of runs ------------------------------------------------------------------------- */

enum { MOST_OWN = 4 };
static const char *own_folders[MOST_OWN]; /* of the command, as all_kept */
static size_t n_own_folders;

void own_folder(const char *path)
{
    if (n_own_folders < MOST_OWN) own_folders[n_own_folders++] = path;
}

/* Whether place is the folder, or lies below it. */
static bool is_within(const char *place, const char *folder)
{
    char *root = where_is(folder);
    const size_t length = root != NULL ? strlen(root) : 0;
    const bool within = root != NULL && strncmp(place, root, length) == 0 &&
                        (place[length] == '\0' || place[length] == '/');
    free(root);
    return within;
}

bool is_own_folder(const char *path)
{
    char *place = where_is(path);
    bool is_own = false;
    for (size_t i = 0; place != NULL && i < n_own_folders && !is_own; i++)
        is_own = is_within(place, own_folders[i]);
    free(place);
    return is_own;
}

/*
 * What the folder of another run consists of, if the file at place (absolute) is a part of it;
 * else NULL.
 */
static const char *what_it_is_of(const char *place)
{
    static const struct {
        const char *sign, *what; /* sign: the folder has this file; a part as well */
        const char *parts[3];
    } folders[] = {
        {"run.json", "a run", {"metrics.jsonl", "result.json", "model.safetensors"}},
        {"metrics.jsonl", "a run", {"model.safetensors"}},
        {"seeds.json", "several runs", {NULL}},
        {"checkpoint.json", "a checkpoint", {"state.safetensors"}},
        {"sweep.json", "a sweep", {"results.json", "table.md", "table.csv"}},
    };
    const char *slash = strrchr(place, '/'), *name = slash + 1;
    const size_t size = (size_t)(name - place) + 32;
    char *sign = need_memory(size, 1);
    const char *what = NULL;
    for (size_t i = 0; i < sizeof folders / sizeof *folders && what == NULL; i++) {
        bool is_part = strcmp(name, folders[i].sign) == 0;
        for (size_t k = 0; k < 3 && folders[i].parts[k] != NULL; k++)
            is_part = is_part || strcmp(name, folders[i].parts[k]) == 0;
        snprintf(sign, size, "%.*s%s", (int)(name - place), place, folders[i].sign);
        if (is_part && access(sign, F_OK) == 0) what = folders[i].what;
    }
    free(sign);
    return what;
}

/* ---- Whether an output may be written -------------------------------------------------------- */

static bool ends_with(const char *text, const char *ending)
{
    const size_t length = strlen(text), of_ending = strlen(ending);
    return length >= of_ending && strcmp(text + length - of_ending, ending) == 0;
}

/* Whether it is kept; there: what stat says of the output, NULL where nothing is there. */
static bool is_kept(const struct kept *kept, const char *place, const struct stat *there)
{
    const size_t length = strlen(kept->place);
    if (kept->is_there && there != NULL && there->st_dev == kept->device &&
        there->st_ino == kept->inode)
        return true;
    if (length == 0) return false;
    if (strcmp(place, kept->place) == 0) return true;
    return kept->is_folder && there != NULL && S_ISREG(there->st_mode) &&
           strncmp(place, kept->place, length) == 0 && place[length] == '/' &&
           (kept->except == NULL || !ends_with(place, kept->except));
}

bool check_output(const char *path)
{
    struct stat status;
    const bool is_there = stat(path, &status) == 0;
    char *place = where_is(path);
    const struct kept *kept = place != NULL ? all_kept : NULL;
    while (kept != NULL && !is_kept(kept, place, is_there ? &status : NULL)) kept = kept->next;
    const bool is_of_others = kept == NULL && place != NULL && is_there &&
                              S_ISREG(status.st_mode) && !is_own_folder(path);
    const char *what = kept != NULL ? kept->what : is_of_others ? what_it_is_of(place) : NULL;
    free(place);
    if (what == NULL) return true;
    complain("%s: cannot write there: it is %s%s; name another file", path,
             kept == NULL || kept->is_folder ? "a file of " : "", what);
    return false;
}

/* ---- Writing --------------------------------------------------------------------------------- */

bool new_file_open(new_file *file, const char *path)
{
    struct stat there;
    const bool straight = stat(path, &there) == 0 && !S_ISREG(there.st_mode);
    char *real = realpath(path, NULL); /* a link stays, and what it leads to is replaced */
    *file = (new_file){.path = need_copy(real != NULL ? real : path)};
    free(real);
    path = file->path;
    if (!straight) {
        const size_t size = strlen(path) + 32;
        file->temporary = need_memory(size, 1);
        snprintf(file->temporary, size, "%s.%ld.tmp", path, (long)getpid());
    }
    const int descriptor =
        straight ? open(path, O_WRONLY) : open(file->temporary, O_WRONLY | O_CREAT | O_EXCL, 0666);
    if (descriptor >= 0) file->stream = fdopen(descriptor, "w");
    if (file->stream != NULL) return true;
    complain("%s: cannot be written: %s", path, strerror(errno));
    if (descriptor >= 0) close(descriptor);
    free(file->temporary);
    free(file->path);
    return false;
}

bool new_file_close(new_file *file, bool keep)
{
    int number = 0;
    if (fflush(file->stream) != 0 || ferror(file->stream)) number = errno != 0 ? errno : EIO;
    if (number == 0 && file->temporary != NULL && fsync(fileno(file->stream)) != 0) number = errno;
    if (fclose(file->stream) != 0 && number == 0) number = errno;
    if (number == 0 && keep && file->temporary != NULL && rename(file->temporary, file->path) != 0)
        number = errno;
    if (file->temporary != NULL && (number != 0 || !keep)) unlink(file->temporary);
    if (number != 0 && keep) complain("%s: cannot be written: %s", file->path, strerror(number));
    free(file->temporary);
    free(file->path);
    return number == 0;
}

bool replace_file(const char *path, const char *bytes, size_t n)
{
    new_file file;
    if (!new_file_open(&file, path)) return false;
    fwrite(bytes, 1, n, file.stream);
    return new_file_close(&file, true);
}

bool replace_json(const char *path, json_t *object)
{
    char *text = json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    if (text == NULL) complain("%s: cannot be written: out of memory", path);
    const bool done = text != NULL && replace_file(path, text, strlen(text));
    free(text);
    json_decref(object);
    return done;
}
