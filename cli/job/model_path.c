/* SPDX-License-Identifier: MIT */
/* Where a model goes: found out before the first step, since hours of work may depend on it. */
#include "job/model_path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "glia.h"
#include "shell/files.h"
#include "shell/output.h"

void model_path_default(const char *data, char *path, size_t size)
{
    static const char *const endings[] = {".csv",  ".tsv", ".txt",    ".npy",      ".npz",
                                          ".arff", ".svm", ".libsvm", ".svmlight", ".gz"};
    size_t end = strlen(data);
    while (end > 1 && data[end - 1] == '/') end--;
    size_t begin = end;
    while (begin > 0 && data[begin - 1] != '/') begin--;
    bool named = end > begin && data[begin] != '.' && strcmp(data, "-") != 0;
    for (size_t i = 0; i < 2 * sizeof endings / sizeof *endings; i++) { /* .csv.gz has two */
        const char *ending = endings[i % (sizeof endings / sizeof *endings)];
        const size_t length = strlen(ending);
        if (end > begin + length && strncmp(data + end - length, ending, length) == 0)
            end -= length;
    }
    snprintf(path, size, "%.*s.safetensors", named ? (int)(end - begin) : 5,
             named ? data + begin : "model");
}

bool model_path_check(const char *path)
{
    struct stat status;
    char folder[LONGEST_PATH];
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        snprintf(folder, sizeof folder, ".");
    else
        snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);

    if (strlen(path) >= sizeof folder || (slash != NULL && slash[1] == '\0')) {
        complain("train: --output: found \"%s\", expected the name of a file", path);
        return false;
    }
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        complain("%s: cannot write a model there: it is %s", path,
                 S_ISDIR(status.st_mode) ? "a folder" : "no ordinary file");
        return false;
    }
    const bool is_there = stat(folder, &status) == 0;
    if (!is_there && is_own_folder(folder)) return check_output(path); /* it will be made */
    if (!is_there || !S_ISDIR(status.st_mode)) {
        complain("%s: cannot write a model there: the folder %s does not exist", path, folder);
        return false;
    }
    if (access(folder, W_OK | X_OK) != 0) {
        complain("%s: cannot write a model there: the folder %s: %s", path, folder,
                 strerror(errno));
        return false;
    }
    return check_output(path);
}

char *model_trained_on(const char *path)
{
    glia_network *network = NULL;
    char *text = NULL, *name = NULL;
    if (glia_network_load(path, &network, NULL) == GLIA_OK &&
        glia_network_metadata(network, &text, NULL) == GLIA_OK) {
        json_t *metadata = json_loads(text, 0, NULL);
        const char *dataset =
            json_string_value(json_object_get(json_object_get(metadata, "training"), "dataset"));
        if (dataset != NULL) name = need_copy(dataset);
        json_decref(metadata);
    }
    glia_string_free(text);
    glia_network_free(network);
    return name;
}

bool is_named(const char *data, const char *name)
{
    size_t end = strlen(data), begin;
    while (end > 1 && data[end - 1] == '/') end--;
    for (begin = end; begin > 0 && data[begin - 1] != '/';) begin--;
    return strlen(name) == end - begin && strncmp(name, data + begin, end - begin) == 0;
}

bool model_path_check_default(const char *path, const char *data)
{
    if (access(path, F_OK) != 0) return true;
    char *name = model_trained_on(path);
    const bool same = name != NULL && is_named(data, name);
    if (!same && name != NULL)
        complain("%s: is the model of other data, %s; -o NAME gives the new one a name of its own, "
                 "-o %s replaces the old one",
                 path, name, path);
    else if (!same)
        complain("%s: is there, and is no model of these data; -o NAME gives the new one a name of "
                 "its own, -o %s replaces what is there",
                 path, path);
    free(name);
    return same;
}
