/* SPDX-License-Identifier: MIT */
/*
 * Folders of checkpoints. checkpoint.json is there before the first step, and the folder is locked
 * as long as the run goes on, so that no two processes go on with one run.
 */
#define _XOPEN_SOURCE 700
#include "job/checkpoint_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job/run_folder.h"
#include "shell/files.h"
#include "shell/output.h"

static const char words_name[] = "checkpoint.json", state_name[] = "state.safetensors";

static char *file_in(const char *folder, const char *name)
{
    char path[LONGEST_PATH];
    run_folder_file(folder, name, path, sizeof path);
    return need_copy(path);
}

static bool is_there(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

/* ---- A new one ------------------------------------------------------------------------------ */

bool checkpoint_folder_make(const char *path, checkpoint_folder *out)
{
    struct stat status;
    *out = (checkpoint_folder){.path = NULL};
    if (strlen(path) + 64 > LONGEST_PATH) {
        complain("%.64s...: the name of the folder is too long", path);
        return false;
    }
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        complain("%s: cannot make the folder of the checkpoint: %s", path, strerror(errno));
        return false;
    }
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode)) {
        complain("%s: cannot keep a checkpoint there: it is no folder", path);
        return false;
    }
    if (!folder_lock_take(&out->lock, path, "checkpoint")) return false;
    out->path = need_copy(path);
    out->state = file_in(path, state_name);
    char *file = file_in(path, words_name);
    const bool holds_run = is_there(file), has_state = is_there(out->state);
    free(file);
    if (!holds_run && !has_state) return true;
    if (holds_run)
        complain("%s: keeps a run already; 'glia train --resume %s' goes on with it; for another "
                 "run, name another folder, or remove %s and %s from this one",
                 path, path, words_name, state_name);
    else
        complain("%s: cannot keep a checkpoint there: the file %s is in the way; name another "
                 "folder",
                 path, state_name);
    checkpoint_folder_close(out);
    return false;
}

bool checkpoint_folder_begin(checkpoint_folder *folder, json_t *command, const char *model,
                             const train_options *o)
{
    char *file = file_in(folder->path, words_name), *here = realpath(".", NULL);
    json_t *run = json_need(json_object());
    json_put(run, "format", json_text("glia-checkpoint"));
    json_put(run, "format_version", json_count(1));
    json_put(run, "glia", json_text(glia_version()));
    json_put(run, "folder", json_text(here));
    json_put(run, "command", command);
    json_put(run, "model", json_text(model));
    json_put(run, "run", json_text(o->run));
    json_put(run, "tensorboard", json_need(json_boolean(o->tensorboard)));
    json_put(run, "every", json_text(o->checkpoint_every.text));
    const bool done = replace_json(file, run);
    free(here);
    free(file);
    return done;
}

/* ---- One that is there ---------------------------------------------------------------------- */

/* Skips digits; false if there are none. */
static bool skip_number(const char **text, long *value)
{
    char *end;
    if (**text < '0' || **text > '9') return false;
    errno = 0;
    *value = strtol(*text, &end, 10);
    *text = end;
    return errno == 0;
}

/*
 * Whether an entry is a temporary file of something that is replaced as a whole, as the library
 * (NAME.tmp-PID-N) or the program (NAME.PID.tmp) calls it.
 */
static bool is_temporary(const char *entry, const char *name, long *pid)
{
    const size_t length = strlen(name);
    long n;
    if (strncmp(entry, name, length) != 0 || entry[length] != '.') return false;
    const char *rest = entry + length + 1;
    if (strncmp(rest, "tmp-", 4) == 0) {
        rest += 4;
        return skip_number(&rest, pid) && *rest++ == '-' && skip_number(&rest, &n) && *rest == '\0';
    }
    return skip_number(&rest, pid) && strcmp(rest, ".tmp") == 0;
}

/* Removes those of a file, unless a process that is alive may be writing them: one that is held by
 * this process has none. */
static void remove_temporaries(const char *path, bool locked)
{
    char folder[LONGEST_PATH], file[LONGEST_PATH];
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    DIR *entries = opendir(folder);
    if (entries == NULL) return;
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        long pid;
        if (!is_temporary(entry->d_name, name, &pid)) continue;
        if (!locked && pid != (long)getpid() && (kill((pid_t)pid, 0) == 0 || errno != ESRCH))
            continue;
        run_folder_file(folder, entry->d_name, file, sizeof file);
        unlink(file);
    }
    closedir(entries);
}

static void remove_all_temporaries(const checkpoint_folder *folder)
{
    char path[LONGEST_PATH];
    const char *run = checkpoint_folder_text(folder, "run");
    const char *model = checkpoint_folder_text(folder, "model");
    char *file = file_in(folder->path, words_name);
    remove_temporaries(folder->state, true);
    remove_temporaries(file, true);
    free(file);
    if (model != NULL) remove_temporaries(model, false);
    static const char *const names[] = {"run.json", "result.json"};
    for (size_t i = 0; run != NULL && i < sizeof names / sizeof *names; i++) {
        run_folder_file(run, names[i], path, sizeof path);
        remove_temporaries(path, false);
    }
}

static bool is_text(const json_t *value, bool needed)
{
    return json_is_string(value) || (!needed && (value == NULL || json_is_null(value)));
}

static bool read_words(checkpoint_folder *folder, const char *file)
{
    json_error_t wrong;
    folder->said = json_load_file(file, 0, &wrong);
    const json_t *said = folder->said, *word;
    if (said == NULL) {
        complain("%s: line %d: %s; expected the JSON of a checkpoint", file, wrong.line,
                 wrong.text);
        return false;
    }
    const json_t *command = json_object_get(said, "command");
    const char *format = checkpoint_folder_text(folder, "format");
    if (format == NULL || strcmp(format, "glia-checkpoint") != 0) {
        complain("%s: \"format\" is not \"glia-checkpoint\"; expected the folder of glia train "
                 "--checkpoint",
                 file);
        return false;
    }
    bool good = json_array_size(command) >= 2;
    size_t i;
    json_array_foreach(command, i, word) good = good && json_is_string(word);
    good = good && strcmp(json_string_value(json_array_get(command, 0)), "train") == 0 &&
           is_text(json_object_get(said, "folder"), true) &&
           is_text(json_object_get(said, "model"), false) &&
           is_text(json_object_get(said, "run"), false) &&
           is_text(json_object_get(said, "every"), false);
    if (!good)
        complain("%s: expected the words of a glia train, and \"folder\", \"model\", \"run\" and "
                 "\"every\" as texts",
                 file);
    return good;
}

/* Goes to the folder in which the run was started, which its paths are relative to. */
static bool go_to_start(checkpoint_folder *folder)
{
    const char *start = checkpoint_folder_text(folder, "folder");
    char *here = realpath(".", NULL);
    folder->moved = here == NULL || strcmp(here, start) != 0;
    free(here);
    if (!folder->moved || chdir(start) == 0) return true;
    complain("%s: the run was started in the folder %s, and its files are named from there: %s",
             folder->path, start, strerror(errno));
    return false;
}

bool checkpoint_folder_open(const char *path, checkpoint_folder *out)
{
    *out = (checkpoint_folder){.path = NULL};
    char *file = file_in(path, words_name);
    bool good = is_there(file);
    if (!good)
        complain("%s: %s; expected the folder of glia train --checkpoint", path,
                 is_there(path) ? "holds no checkpoint.json" : strerror(errno));
    out->path = good ? realpath(path, NULL) : NULL;
    if (good && (out->path == NULL || strlen(out->path) + 64 > LONGEST_PATH)) {
        complain("%s: the path of the folder is too long, or cannot be found out", path);
        good = false;
    }
    if (good) {
        out->state = file_in(out->path, state_name);
        good = folder_lock_take(&out->lock, out->path, "checkpoint");
    }
    good = good && read_words(out, file) && go_to_start(out);
    free(file);
    if (good) {
        remove_all_temporaries(out);
        out->begun = is_there(out->state);
    } else {
        checkpoint_folder_close(out);
    }
    return good;
}

const char *checkpoint_folder_text(const checkpoint_folder *folder, const char *key)
{
    return json_string_value(json_object_get(folder->said, key));
}

char **checkpoint_folder_words(const checkpoint_folder *folder, int *n)
{
    const json_t *command = json_object_get(folder->said, "command");
    *n = (int)json_array_size(command) - 1;
    char **copies = need_memory((size_t)*n, sizeof *copies);
    for (int i = 0; i < *n; i++)
        copies[i] = need_copy(json_string_value(json_array_get(command, (size_t)i + 1)));
    return copies;
}

void checkpoint_folder_close(checkpoint_folder *folder)
{
    folder_lock_give_back(&folder->lock);
    json_decref(folder->said);
    free(folder->path);
    free(folder->state);
    *folder = (checkpoint_folder){.path = NULL};
}
