/* SPDX-License-Identifier: MIT */
/* glia data list, fetch, show, export: the data sets, as they are on this machine and to look at.
 */
#include <stdlib.h>
#include <string.h>

#include "data/source.h"
#include "draw/progress.h"
#include "shell/commands.h"
#include "shell/output.h"

static void data_set_defaults(void *field)
{
    source_set_defaults(field);
}

/* ---- glia data list ------------------------------------------------------------------------ */

/* clang-format off */
static const struct option list_table[] = {
    {.kind = OPTION_HEADING, .name = "Data"},
    SOURCE_DIRECTORY_OPTION,
    COMMON_OPTIONS,
};
/* clang-format on */

static const example list_examples[] = {
    {"glia data list", "Which data sets have a name, and where they are."},
    {NULL, NULL},
};

/* The name and where it is; in the next lines what it is. */
static void list_people(const glia_dataset_entry *entries, size_t n)
{
    size_t width = 0;
    for (size_t i = 0; i < n; i++)
        if (text_width(entries[i].name) > width) width = text_width(entries[i].name);
    for (size_t i = 0; i < n; i++) {
        const glia_dataset_entry *entry = &entries[i];
        char *where = clean_text(entry->built_in  ? "built in"
                                 : entry->present ? entry->path
                                                  : "not on this machine");
        printf("%s%-*s%s   %s\n", style_begin(stdout, STYLE_BOLD), (int)width, entry->name,
               style_end(stdout), where);
        free(where);
        char text[512];
        snprintf(text, sizeof text, "%s; %s", entry->description, entry->license);
        printf("%*s   %s", (int)width, "", style_begin(stdout, STYLE_DIM));
        print_words(stdout, text, strlen(text), line_room(stdout), width + 3, width + 3);
        fputs(style_end(stdout), stdout);
    }
}

static void list_json(const glia_dataset_entry *entries, size_t n)
{
    json_t *o = json_need(json_object()), *list = json_need(json_array());
    for (size_t i = 0; i < n; i++) {
        json_t *of_entry = json_need(json_object());
        json_put(of_entry, "name", json_text(entries[i].name));
        json_put(of_entry, "description", json_text(entries[i].description));
        json_put(of_entry, "license", json_text(entries[i].license));
        json_put(of_entry, "built_in", json_need(json_boolean(entries[i].built_in)));
        json_put(of_entry, "present", json_need(json_boolean(entries[i].present)));
        json_put(of_entry, "path", json_text(entries[i].path));
        json_push(list, of_entry);
    }
    json_put(o, "datasets", list);
    json_print(o);
}

static int list_run(void *field, int n_operands, char *const *operands)
{
    (void)n_operands;
    (void)operands;
    const source_options *options = field;
    glia_data_params params = glia_data_default_params();
    glia_dataset_entry *entries = NULL;
    size_t n = 0;
    glia_error error;
    params.directory = options->directory;
    if (glia_dataset_list(&params, &entries, &n, &error) != GLIA_OK) return complain_error(&error);
    if (options->common.json)
        list_json(entries, n);
    else
        list_people(entries, n);
    glia_dataset_list_free(entries, n);
    return EXIT_DONE;
}

const struct command data_list_command = {
    .name = "data list",
    .operands = "",
    .summary = "list the data sets that are known by name",
    .description = "Lists the data sets known by name, and where they were found: in --data-dir, "
                   "$GLIA_DATA, or the cache.",
    .options = list_table,
    .examples = list_examples,
    .options_size = sizeof(source_options),
    .set_defaults = data_set_defaults,
    .run = list_run,
};

/* ---- glia data fetch ----------------------------------------------------------------------- */

typedef struct fetch_options {
    source_options source;
    bool quiet;
} fetch_options;

/* clang-format off */
static const struct option fetch_table[] = {
    {.kind = OPTION_HEADING, .name = "Data"},
    SOURCE_DIRECTORY_OPTION,
    SOURCE_MIRROR_OPTION,
    {.kind = OPTION_FLAG, .name = "quiet", .letter = 'q', .offset = offsetof(fetch_options, quiet),
     .help = "show no progress"},
    COMMON_OPTIONS,
};
/* clang-format on */

static const example fetch_examples[] = {
    {"glia data fetch mnist", "Download MNIST into the cache."},
    {NULL, NULL},
};

/* Where the list says that a data set is; to be freed; NULL: built in, or not known. */
static char *find_path(const char *name, const glia_data_params *params)
{
    glia_dataset_entry *entries = NULL;
    size_t n = 0;
    char *path = NULL;
    if (glia_dataset_list(params, &entries, &n, NULL) != GLIA_OK) return NULL;
    for (size_t i = 0; i < n; i++)
        if (strcmp(entries[i].name, name) == 0 && entries[i].path != NULL)
            path = need_copy(entries[i].path);
    glia_dataset_list_free(entries, n);
    return path;
}

static int fetch_run(void *field, int n_operands, char *const *operands)
{
    (void)n_operands;
    const fetch_options *options = field;
    const char *name = operands[0];
    fetch_view view = {.quiet = options->quiet};
    glia_data_params params = glia_data_default_params();
    glia_error error;
    if (!source_check(&options->source, name)) return EXIT_WRONG;
    params.directory = options->source.directory;
    params.mirror = options->source.mirror;
    params.progress = fetch_step;
    params.user = &view;
    glia_status status = glia_dataset_fetch(name, &params, &error);
    fetch_end(&view);
    if (status != GLIA_OK) return complain_error(&error);

    char *path = find_path(name, &params);
    if (options->source.common.json) {
        json_t *o = json_need(json_object());
        json_put(o, "dataset", json_text(name));
        json_put(o, "path", json_text(path));
        json_print(o);
    } else if (path != NULL) {
        printf("%s is in ", name);
        print_clean(stdout, path);
        printf("\n");
    } else {
        printf("%s is built in\n", name);
    }
    free(path);
    return EXIT_DONE;
}

const struct command data_fetch_command = {
    .name = "data fetch",
    .operands = "NAME",
    .summary = "download a data set",
    .description =
        "Makes sure that a data set is on this machine. It downloads missing files into "
        "$XDG_CACHE_HOME/glia, or ~/.cache/glia, and checks each against a known checksum before "
        "the file takes its name.",
    .options = fetch_table,
    .examples = fetch_examples,
    .options_size = sizeof(fetch_options),
    .min_operands = 1,
    .max_operands = 1,
    .set_defaults = data_set_defaults,
    .run = fetch_run,
};
