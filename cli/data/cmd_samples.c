/* SPDX-License-Identifier: MIT */
/* glia data show and glia data export: samples of a data set, drawn here or written as PNG. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/augment_options.h"
#include "data/source.h"
#include "draw/picture.h"
#include "shell/commands.h"
#include "shell/files.h"
#include "shell/output.h"
#include "shell/signals.h"

enum { SHOWN_USUALLY = 10, EXPORTED_USUALLY = 100, EPOCHS_USUALLY = 4 };

/* Both commands work on a run of samples. */
typedef struct samples_options {
    source_options source;
    int split;
    size_t first;
    size_t count;           /* 0: as usual, or as many as are left */
    glia_settings *augment; /* owned */
    size_t epochs;          /* each sample as it is distorted in so many; 0: as usual */
    uint64_t seed;
    const char *output; /* of export: the folder */
    int format;         /* of export: as format_names */
} samples_options;

/* How samples are exported. */
enum export_format { FORMAT_FILES, FORMAT_FOLDER };
static const char *const format_names[] = {"files", "folder", NULL};

/* What --split of export may be; it is USUAL_SPLIT when it is not given. */
enum { BOTH_SPLITS = GLIA_SPLIT_TEST + 1, USUAL_SPLIT };
static const char *const export_splits[] = {"train", "test", "both", NULL};

/* clang-format off */
#define EPOCHS_OPTIONS                                                                             \
    {.kind = OPTION_COUNT, .name = "epochs", .metavar = "N", .min = 1, .max = 1000,                \
     .offset = offsetof(samples_options, epochs), .shown_default = "4",                            \
     .help = "show each image also as training would see it in N epochs"},                         \
    {.kind = OPTION_SEED, .name = "seed", .metavar = "N",                                          \
     .offset = offsetof(samples_options, seed), .help = "seed of the distortions, as in train"}
/* clang-format on */

static void show_set_defaults(void *field)
{
    samples_options *options = field;
    source_set_defaults(&options->source);
    need_good(glia_settings_create(&options->augment, NULL));
    options->seed = glia_settings_integer(options->augment, "seed");
}

static void samples_clear(void *field)
{
    samples_options *options = field;
    glia_settings_free(options->augment);
}

static void export_set_defaults(void *field)
{
    samples_options *options = field;
    show_set_defaults(options);
    options->output = ".";
    options->split = USUAL_SPLIT;
}

/* Pictures of each sample: the image, and how it looks in each epoch. */
static size_t count_pictures(const samples_options *options)
{
    if (!augment_is_some(options->augment)) return 1;
    return 1 + (options->epochs > 0 ? options->epochs : EPOCHS_USUALLY);
}

/* Reads a sample and what is made of it: pictures (count_pictures, features). */
static glia_status read_pictures(const glia_dataset *dataset, const samples_options *options,
                                 size_t index, uint8_t *pictures, uint32_t *label,
                                 glia_error *error)
{
    const glia_dataset_info info = glia_dataset_describe(dataset);
    glia_status status = glia_dataset_sample(dataset, index, pictures, info.features, label, error);
    for (size_t i = 1; i < count_pictures(options) && status == GLIA_OK; i++)
        status = glia_augment(options->augment, pictures, 1, info.height, info.width, options->seed,
                              i - 1, index, pictures + i * info.features, error);
    return status;
}

/* Opens the data set and checks that it has those samples and that they are images. */
static int open_samples(const struct command *command, const samples_options *options,
                        const char *name, glia_dataset **out, glia_dataset_info *info)
{
    int status = source_need(&options->source, name, (glia_split)options->split, out);
    if (status != EXIT_DONE) return status;
    *info = glia_dataset_describe(*out);
    if (options->first >= info->samples) {
        complain("%s: --first: found %zu; the %s split of %s has samples 0 to %zu", command->name,
                 options->first, split_names[options->split], name, info->samples - 1);
        return EXIT_WRONG;
    }
    if (!augment_check(command->name, options->augment)) return EXIT_WRONG;
    if (info->channels == 3 && augment_is_some(options->augment)) {
        complain(
            "%s: %s: only grey images are distorted, and these are in colour; add --colour grey",
            command->name, name);
        return EXIT_WRONG;
    }
    if (options->epochs > 0 && !augment_is_some(options->augment)) {
        complain("%s: --epochs: without augmentation images are the same in every epoch; add "
                 "--augment, say",
                 command->name);
        return EXIT_WRONG;
    }
    if (options->count > info->samples - options->first) {
        complain("%s: --count: found %zu; the %s split of %s has %zu from sample %zu on",
                 command->name, options->count, split_names[options->split], name,
                 info->samples - options->first, options->first);
        return EXIT_WRONG;
    }
    if (info->height == 0 || info->type != GLIA_TYPE_U8) {
        complain("%s: its samples are no images", name);
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

/* How many are meant. */
static size_t count_samples(const samples_options *options, size_t samples, size_t usual)
{
    size_t rest = samples - options->first;
    if (options->count > 0) return options->count;
    return usual < rest ? usual : rest;
}

/* ---- glia data show ------------------------------------------------------------------------ */

/* clang-format off */
static const struct option show_table[] = {
    {.kind = OPTION_HEADING, .name = "Samples"},
    {.kind = OPTION_COUNT, .name = "first", .metavar = "N",
     .offset = offsetof(samples_options, first), .help = "the first sample, counted from 0"},
    {.kind = OPTION_COUNT, .name = "count", .metavar = "N", .min = 1, .max = 10000,
     .offset = offsetof(samples_options, count), .shown_default = "10", .help = "number of samples"},
    {.kind = OPTION_CHOICE, .name = "split", .metavar = "NAME", .choices = split_names,
     .offset = offsetof(samples_options, split), .help = "the samples to take"},
    {.kind = OPTION_HEADING, .name = "Augmentation"},
    {.kind = OPTION_SETTINGS, .name = "Augmentation", .offset = offsetof(samples_options, augment)},
    EPOCHS_OPTIONS,
    SOURCE_OPTIONS,
    COMMON_OPTIONS,
};
/* clang-format on */

static const example show_examples[] = {
    {"glia data show digits --count 4", "Draw the first four training images."},
    {"glia data show mnist --split test --first 8 --count 1", "Draw one test image of mnist."},
    {"glia data show digits --count 2 --augment --epochs 5",
     "Draw two images, and what training with --augment sees of them in its first five epochs."},
    {NULL, NULL},
};

static void show_people(const glia_dataset *dataset, const glia_dataset_info *info,
                        const samples_options *options, size_t n, const uint8_t *pixels,
                        const uint32_t *labels)
{
    const size_t abreast = count_pictures(options), all = n * abreast;
    char **captions = need_memory(all, sizeof *captions);
    for (size_t i = 0; i < all; i++) {
        char text[256];
        const char *label = glia_dataset_class_name(dataset, labels[i / abreast]);
        if (i % abreast == 0)
            snprintf(text, sizeof text, "%zu: %s", options->first + i / abreast, label);
        else
            snprintf(text, sizeof text, "  epoch %zu", i % abreast);
        captions[i] = clean_text(text);
    }
    uint8_t *grey = pictures_grey(pixels, all * info->height * info->width, info->channels);
    pictures_print(stdout, grey, all, info->height, info->width, (const char *const *)captions);
    free(grey);
    for (size_t i = 0; i < all; i++) free(captions[i]);
    free(captions);
}

static json_t *json_pixels(const uint8_t *pixels, size_t n)
{
    json_t *image = json_need(json_array());
    for (size_t j = 0; j < n; j++) json_push(image, json_count(pixels[j]));
    return image;
}

static void show_json(const glia_dataset *dataset, const glia_dataset_info *info,
                      const samples_options *options, size_t n, const uint8_t *pixels,
                      const uint32_t *labels)
{
    json_t *o = json_need(json_object()), *list = json_need(json_array());
    const size_t abreast = count_pictures(options);
    for (size_t i = 0; i < n; i++, pixels += abreast * info->features) {
        json_t *of_sample = json_need(json_object());
        json_put(of_sample, "index", json_count(options->first + i));
        json_put(of_sample, "label", json_count(labels[i]));
        json_put(of_sample, "class", json_text(glia_dataset_class_name(dataset, labels[i])));
        json_put(of_sample, "pixels", json_pixels(pixels, info->features));
        if (abreast > 1) {
            json_t *augmented = json_need(json_array());
            for (size_t j = 1; j < abreast; j++)
                json_push(augmented, json_pixels(pixels + j * info->features, info->features));
            json_put(of_sample, "augmented", augmented);
        }
        json_push(list, of_sample);
    }
    json_put(o, "dataset", json_text(info->name));
    json_put(o, "split", json_text(split_names[options->split]));
    json_put(o, "height", json_count(info->height));
    json_put(o, "width", json_count(info->width));
    json_put(o, "channels", json_count(info->channels));
    json_put(o, "samples", list);
    json_print(o);
}

static int show_run(void *field, int n_operands, char *const *operands)
{
    (void)n_operands;
    const samples_options *options = field;
    glia_dataset *dataset = NULL;
    glia_dataset_info info;
    glia_error error;
    uint8_t *pixels = NULL;
    uint32_t *labels = NULL;
    int status = open_samples(&data_show_command, options, operands[0], &dataset, &info);
    if (status != EXIT_DONE) goto cleanup;

    size_t n = count_samples(options, info.samples, SHOWN_USUALLY);
    const size_t abreast = count_pictures(options);
    pixels = need_memory(n * abreast, info.features);
    labels = need_memory(n, sizeof *labels);
    for (size_t i = 0; i < n; i++) {
        if (read_pictures(dataset, options, options->first + i,
                          pixels + i * abreast * info.features, &labels[i], &error) != GLIA_OK) {
            status = complain_error(&error);
            goto cleanup;
        }
    }
    if (options->source.common.json)
        show_json(dataset, &info, options, n, pixels, labels);
    else
        show_people(dataset, &info, options, n, pixels, labels);

cleanup:
    free(pixels);
    free(labels);
    glia_dataset_free(dataset);
    return status;
}

const struct command data_show_command = {
    .name = "data show",
    .operands = "DATA",
    .summary = "draw samples in the terminal",
    .description = "Draws images in shades of grey, or in characters if the terminal has none. "
                   "With augmentation it draws beside each image what training with the same "
                   "options sees of it.\n\n" SOURCE_DESCRIPTION,
    .options = show_table,
    .examples = show_examples,
    .options_size = sizeof(samples_options),
    .min_operands = 1,
    .max_operands = 1,
    .set_defaults = show_set_defaults,
    .clear = samples_clear,
    .run = show_run,
};

/* ---- glia data export ---------------------------------------------------------------------- */

/* clang-format off */
static const struct option export_table[] = {
    {.kind = OPTION_HEADING, .name = "Samples"},
    {.kind = OPTION_COUNT, .name = "first", .metavar = "N",
     .offset = offsetof(samples_options, first), .help = "the first sample, counted from 0"},
    {.kind = OPTION_COUNT, .name = "count", .metavar = "N", .min = 1,
     .offset = offsetof(samples_options, count), .shown_default = "100; as a folder all",
     .help = "number of samples"},
    {.kind = OPTION_CHOICE, .name = "split", .metavar = "NAME", .choices = export_splits,
     .offset = offsetof(samples_options, split), .shown_default = "train; as a folder both",
     .help = "the samples to take"},
    {.kind = OPTION_CHOICE, .name = "format", .metavar = "NAME", .choices = format_names,
     .offset = offsetof(samples_options, format),
     .help = "write all images into one folder (files), or into folders by split and class, to "
             "train on (folder)"},
    {.kind = OPTION_TEXT, .name = "output", .letter = 'o', .metavar = "DIR",
     .offset = offsetof(samples_options, output), .help = "the folder to write to; it is made if "
                                                          "necessary"},
    {.kind = OPTION_HEADING, .name = "Augmentation"},
    {.kind = OPTION_SETTINGS, .name = "Augmentation", .offset = offsetof(samples_options, augment)},
    EPOCHS_OPTIONS,
    SOURCE_OPTIONS,
    COMMON_OPTIONS,
};
/* clang-format on */

static const example export_examples[] = {
    {"glia data export digits --count 20 -o images",
     "Write images/digits-train-00000-5.png and 19 more."},
    {"glia data export digits --format folder --count 50 -o digits-folder",
     "Write digits-folder/train/5/0.png and so on, a folder that 'glia train' takes."},
    {NULL, NULL},
};

/* What may be in the name of a file stays; the rest becomes '_'. */
static void copy_name(const char *text, char *name, size_t size)
{
    size_t n = 0;
    for (; *text != '\0' && n + 1 < size; text++) {
        bool plain = (*text >= '0' && *text <= '9') || (*text >= 'A' && *text <= 'Z') ||
                     (*text >= 'a' && *text <= 'z') || *text == '.' || *text == '_' || *text == '-';
        name[n++] = '_';
        if (plain) name[n - 1] = *text;
    }
    name[n] = '\0';
}

static int export_sample(const glia_dataset *dataset, const samples_options *options, size_t index,
                         uint8_t *pixels, json_t *files)
{
    glia_dataset_info info = glia_dataset_describe(dataset);
    char path[LONGEST_PATH], data_name[128], class_name[128];
    uint32_t label = 0;
    glia_error error;
    if (read_pictures(dataset, options, index, pixels, &label, &error) != GLIA_OK)
        return complain_error(&error);
    const char *last_part = strrchr(info.name, '/');
    copy_name(last_part != NULL ? last_part + 1 : info.name, data_name, sizeof data_name);
    copy_name(glia_dataset_class_name(dataset, label), class_name, sizeof class_name);
    for (size_t i = 0; i < count_pictures(options); i++) {
        char epoch[32] = "";
        if (i > 0) snprintf(epoch, sizeof epoch, "-epoch%zu", i);
        int length = snprintf(path, sizeof path, "%s/%s-%s-%05zu-%s%s.png", options->output,
                              data_name, split_names[options->split], index, class_name, epoch);
        if (length < 0 || (size_t)length >= sizeof path) {
            complain("%s: the name of the folder is too long", options->output);
            return EXIT_FAILED;
        }
        if (!check_output(path)) return EXIT_FAILED;
        if (glia_image_write(path,
                             &(glia_image){.width = info.width,
                                           .height = info.height,
                                           .channels = info.channels,
                                           .pixels = pixels + i * info.features},
                             &error) != GLIA_OK)
            return complain_error(&error);
        json_push(files, json_text(path));
    }
    return EXIT_DONE;
}

/* ---- As a folder of images ----------------------------------------------------------------- */

static bool make_folder(const char *path)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST) return true;
    complain("%s: the folder cannot be made: %s", path, strerror(errno));
    return false;
}

/* DIR/SPLIT/CLASS, with what cannot be in the name of a folder as '_'; false if it is too long. */
static bool class_folder(const samples_options *options, glia_split split, const char *class_name,
                         char path[LONGEST_PATH])
{
    int begin = snprintf(path, 4096, "%s/%s/", options->output, split_names[split]);
    if (begin < 0 || begin >= 4096) return false;
    int length = snprintf(path + begin, 4096 - (size_t)begin, "%s", class_name);
    if (length < 0 || begin + length >= 4096) return false;
    for (char *at = path + begin; *at != '\0'; at++)
        if (*at == '/' || (unsigned char)*at < ' ' || *at == 127) *at = '_';
    if (path[begin] == '.' || path[begin] == '\0') path[begin] = '_';
    return true;
}

/* The folders of all classes, so that both splits have the same; (classes) paths, to be freed. */
static char **make_class_folders(const glia_dataset *dataset, const samples_options *options,
                                 glia_split split)
{
    glia_dataset_info info = glia_dataset_describe(dataset);
    char path[LONGEST_PATH], **folders = need_memory(info.classes, sizeof *folders);
    bool good = true;
    for (size_t k = 0; k < info.classes && good; k++) {
        good = class_folder(options, split, glia_dataset_class_name(dataset, k), path);
        if (!good) complain("%s: the name of the folder is too long", options->output);
        if (good) folders[k] = need_copy(path);
        for (size_t other = 0; other < k && good; other++) {
            if (strcmp(folders[other], path) != 0) continue;
            complain("%s: two classes would have this folder, %s and %s", path,
                     glia_dataset_class_name(dataset, other), glia_dataset_class_name(dataset, k));
            good = false;
        }
    }
    if (good) return folders;
    for (size_t k = 0; k < info.classes; k++) free(folders[k]);
    free(folders);
    return NULL;
}

/* Writes DIR/SPLIT/CLASS/INDEX.png for each sample. */
static int export_split(const char *name, const samples_options *options, glia_split split,
                        size_t *written, json_t *files)
{
    samples_options of_split = *options;
    glia_dataset *dataset = NULL;
    glia_dataset_info info = {0};
    glia_error error;
    uint8_t *pixels = NULL;
    char path[LONGEST_PATH], **folders = NULL;
    of_split.split = (int)split;
    int status = open_samples(&data_export_command, &of_split, name, &dataset, &info);
    if (status != EXIT_DONE) goto cleanup;
    status = EXIT_FAILED;
    snprintf(path, sizeof path, "%s/%s", options->output, split_names[split]);
    folders = make_class_folders(dataset, options, split);
    if (folders == NULL || !make_folder(options->output) || !make_folder(path)) goto cleanup;

    size_t end = options->first + count_samples(options, info.samples, info.samples);
    pixels = need_memory(info.features, 1);
    status = EXIT_DONE;
    for (size_t i = options->first; i < end && status == EXIT_DONE; i++) {
        uint32_t label = 0;
        glia_image image = {.width = info.width,
                            .height = info.height,
                            .channels = info.channels,
                            .pixels = pixels};
        if (glia_dataset_sample(dataset, i, pixels, info.features, &label, &error) != GLIA_OK) {
            status = complain_error(&error);
            break;
        }
        int length = snprintf(path, sizeof path, "%s/%zu.png", folders[label], i);
        if (length < 0 || (size_t)length >= sizeof path) {
            complain("%s: the name of the folder is too long", options->output);
            status = EXIT_FAILED;
        } else if (!make_folder(folders[label]) || !check_output(path)) {
            status = EXIT_FAILED;
        } else if (glia_image_write(path, &image, &error) != GLIA_OK) {
            status = complain_error(&error);
        } else {
            json_push(files, json_text(path));
            (*written)++;
        }
        if (signals_came()) status = EXIT_INTERRUPTED;
    }
cleanup:
    for (size_t k = 0; folders != NULL && k < info.classes; k++) free(folders[k]);
    free(folders);
    free(pixels);
    glia_dataset_free(dataset);
    return status;
}

/* ---- Either -------------------------------------------------------------------------------- */

static int export_files(const char *name, const samples_options *options, size_t *written,
                        json_t *files)
{
    glia_dataset *dataset = NULL;
    glia_dataset_info info;
    uint8_t *pixels = NULL;
    int status = open_samples(&data_export_command, options, name, &dataset, &info);
    if (status == EXIT_DONE && !make_folder(options->output)) status = EXIT_FAILED;
    if (status == EXIT_DONE) {
        size_t n = count_samples(options, info.samples, EXPORTED_USUALLY);
        pixels = need_memory(count_pictures(options), info.features);
        for (size_t i = 0; i < n && status == EXIT_DONE; i++) {
            status = export_sample(dataset, options, options->first + i, pixels, files);
            if (status == EXIT_DONE) *written += count_pictures(options);
            if (signals_came()) status = EXIT_INTERRUPTED;
        }
    }
    free(pixels);
    glia_dataset_free(dataset);
    return status;
}

static int export_run(void *field, int n_operands, char *const *operands)
{
    (void)n_operands;
    samples_options *options = field;
    const bool as_folder = options->format == FORMAT_FOLDER;
    size_t written = 0;
    int status = EXIT_DONE;
    if (options->split == USUAL_SPLIT) options->split = as_folder ? BOTH_SPLITS : GLIA_SPLIT_TRAIN;
    if (as_folder && augment_is_some(options->augment)) {
        complain("data export: --format folder: writes the images as they are; distort them while "
                 "training, with the same options");
        return EXIT_WRONG;
    }
    if (!as_folder && options->split == BOTH_SPLITS) {
        complain("data export: --split both: is for --format folder; export one after the other");
        return EXIT_WRONG;
    }
    json_t *files = json_need(json_array());
    keep_folder(operands[0], "the data", NULL);
    signals_guard(true); /* between two files is the time to stop */
    if (!as_folder) status = export_files(operands[0], options, &written, files);
    for (int split = GLIA_SPLIT_TRAIN; as_folder && split <= GLIA_SPLIT_TEST && status == EXIT_DONE;
         split++)
        if (options->split == split || options->split == BOTH_SPLITS)
            status = export_split(operands[0], options, (glia_split)split, &written, files);
    if (status == EXIT_INTERRUPTED) complain("interrupted");
    if (status == EXIT_DONE && options->source.common.json) {
        json_t *o = json_need(json_object());
        json_put(o, "dataset", json_text(operands[0]));
        json_put(o, "split", json_text(export_splits[options->split]));
        json_put(o, "directory", json_text(options->output));
        json_put(o, "files", json_incref(files));
        json_print(o);
    } else if (status == EXIT_DONE) {
        printf("%s in ", show_several(written, "image").s);
        print_clean(stdout, options->output);
        printf("\n");
    }
    json_decref(files);
    return status;
}

const struct command data_export_command = {
    .name = "data export",
    .operands = "DATA",
    .summary = "write samples as PNG files",
    .description =
        "Writes each sample as DATA-SPLIT-INDEX-CLASS.png. With augmentation it also writes the "
        "sample as it looks in epoch E, as DATA-SPLIT-INDEX-CLASS-epochE.png.\n\nWith --format "
        "folder it writes the samples of both splits as SPLIT/CLASS/INDEX.png. The folder can be "
        "trained on, like DATA.\n\n" SOURCE_DESCRIPTION,
    .options = export_table,
    .examples = export_examples,
    .options_size = sizeof(samples_options),
    .min_operands = 1,
    .max_operands = 1,
    .set_defaults = export_set_defaults,
    .clear = samples_clear,
    .run = export_run,
};
