/* SPDX-License-Identifier: MIT */
/* glia inspect: what a model file holds. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shell/commands.h"
#include "shell/output.h"

/* clang-format off */
static const struct option inspect_table[] = {
    COMMON_OPTIONS,
};
/* clang-format on */

static const example inspect_examples[] = {
    {"glia inspect digits.safetensors", "Layers, parameters, and how the network was trained."},
    {NULL, NULL},
};

/* Beside its weights a unit has a bias, or what batch normalisation learns: scale and shift. */
static size_t layer_parameters(glia_layer_info layer)
{
    return (layer.inputs + (layer.batch_norm ? 2 : 1)) * layer.units;
}

/* ---- For people ---------------------------------------------------------------------------- */

static void print_layers(const glia_network *network)
{
    static const char *const headings[] = {"layer", "inputs", "units", "activation", "parameters"};
    glia_network_info info = glia_network_describe(network);
    struct table *table = table_new("lrrlr", headings);
    for (size_t i = 0; i < info.layers; i++) {
        glia_layer_info layer = glia_network_layer(network, i);
        table_add(table, STYLE_PLAIN, "%zu", i + 1);
        table_add(table, STYLE_PLAIN, "%s", show_count(layer.inputs).s);
        table_add(table, STYLE_PLAIN, "%s", show_count(layer.units).s);
        table_add(table, STYLE_PLAIN, "%s%s", layer.batch_norm ? "batch norm, " : "",
                  glia_activation_name(layer.activation));
        table_add(table, STYLE_PLAIN, "%s", show_count(layer_parameters(layer)).s);
    }
    table_add(table, STYLE_PLAIN, "all");
    for (int i = 0; i < 3; i++) table_add(table, STYLE_PLAIN, "%s", "");
    table_add(table, STYLE_BOLD, "%s", show_count(info.parameters).s);
    table_print(table, stdout, "1"); /* inputs are the units above */
    table_free(table);
}

/* Appends to text as much as fits into size. */
__attribute__((format(printf, 3, 4))) static void append(char *text, size_t size,
                                                         const char *format, ...)
{
    va_list arguments;
    size_t used = strlen(text);
    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

/* A value of the metadata in one line; of a long list the beginning. */
static void value_text(const json_t *value, char *text, size_t size)
{
    enum { MOST_LISTED = 12 };
    text[0] = '\0';
    if (json_is_string(value)) {
        append(text, size, "%s", json_string_value(value));
    } else if (json_is_number(value)) {
        append(text, size, "%.6g", json_number_value(value));
    } else if (json_is_boolean(value)) {
        append(text, size, "%s", json_is_true(value) ? "yes" : "no");
    } else if (json_is_array(value)) {
        size_t n = json_array_size(value);
        for (size_t i = 0; i < n && i < MOST_LISTED; i++) {
            const json_t *item = json_array_get(value, i);
            const char *string = json_string_value(item);
            append(text, size, "%s", i > 0 ? ", " : "");
            if (json_is_number(item))
                append(text, size, "%.6g", json_number_value(item));
            else if (json_object_get(item, "scale") != NULL) /* of an output */
                append(text, size, "mean %.6g, scale %.6g",
                       json_number_value(json_object_get(item, "mean")),
                       json_number_value(json_object_get(item, "scale")));
            else
                append(text, size, "%s", string != NULL ? string : "...");
        }
        if (n > MOST_LISTED) append(text, size, ", ... (%zu)", n);
    } else if (json_is_object(value)) { /* what is not 0 */
        const char *key;
        json_t *member;
        json_object_foreach((json_t *)(uintptr_t)value, key, member)
        {
            const double number = json_number_value(member);
            if (number == 0) continue;
            append(text, size, "%s%s %.6g", *text != '\0' ? ", " : "", key, number);
        }
        for (char *at = text; *at != '\0'; at++)
            if (*at == '_') *at = ' ';
    }
}

/* Where values begin: the widest key is indented by 2, and 3 blanks follow. */
enum { VALUE_COLUMN = 23 };

/* Key and value, wrapped where a terminal is narrow; a NULL says nothing. Keys have '_' for a
 * blank. */
static void print_value(const char *indent, const char *key, const json_t *value)
{
    char name[128] = "", text[512];
    if (json_is_null(value)) return;
    append(name, sizeof name, "%s%s", indent, key);
    for (char *at = name; *at != '\0'; at++)
        if (*at == '_') *at = ' ';
    value_text(value, text, sizeof text);
    char *clean_name = clean_text(name), *clean = clean_text(text);
    size_t width = text_width(clean_name), room = line_room(stdout);
    printf("%s%s%s", style_begin(stdout, STYLE_DIM), clean_name, style_end(stdout));
    if (*clean != '\0') printf("%*s", width < VALUE_COLUMN ? (int)(VALUE_COLUMN - width) : 1, "");
    print_words(stdout, clean, strlen(clean), room, VALUE_COLUMN, VALUE_COLUMN);
    free(clean_name);
    free(clean);
}

/* All of the metadata but the network itself, which the table of layers shows. */
static void print_metadata(json_t *metadata)
{
    const char *key, *inner_key;
    json_t *value, *inner;
    json_object_foreach(metadata, key, value)
    {
        if (strcmp(key, "network") == 0) continue;
        print_value("", key, json_is_object(value) ? NULL : value);
        json_object_foreach(value, inner_key, inner) print_value("  ", inner_key, inner);
    }
}

static void print_model(const glia_network *network, const char *path, json_t *metadata,
                        uint64_t n_bytes)
{
    char *name = clean_text(path);
    printf("%s%s%s, %s bytes\n\n", style_begin(stdout, STYLE_BOLD), name, style_end(stdout),
           show_count(n_bytes).s);
    free(name);
    print_layers(network);
    printf("\n");
    json_t *loss = json_text(glia_loss_name(glia_network_describe(network).loss));
    print_value("", "loss", loss);
    json_decref(loss);
    print_metadata(metadata);
}

/* ---- For programs -------------------------------------------------------------------------- */

static void print_json(const glia_network *network, const char *path, json_t *metadata,
                       uint64_t n_bytes)
{
    glia_network_info info = glia_network_describe(network);
    json_t *o = json_need(json_object()), *layers = json_need(json_array());
    for (size_t i = 0; i < info.layers; i++) {
        glia_layer_info layer = glia_network_layer(network, i);
        json_t *of_layer = json_need(json_object());
        json_put(of_layer, "inputs", json_count(layer.inputs));
        json_put(of_layer, "units", json_count(layer.units));
        json_put(of_layer, "activation", json_text(glia_activation_name(layer.activation)));
        json_put(of_layer, "batch_norm", json_need(json_boolean(layer.batch_norm)));
        json_put(of_layer, "parameters", json_count(layer_parameters(layer)));
        json_push(layers, of_layer);
    }
    json_put(o, "model", json_text(path));
    json_put(o, "bytes", json_count(n_bytes));
    json_put(o, "parameters", json_count(info.parameters));
    json_put(o, "loss", json_text(glia_loss_name(info.loss)));
    json_put(o, "layers", layers);
    json_put(o, "metadata", json_incref(metadata));
    json_print(o);
}

static int inspect_run(void *field, int n_operands, char *const *operands)
{
    (void)n_operands;
    const common_options *options = field;
    const char *path = operands[0];
    glia_network *network = NULL;
    char *text = NULL;
    json_t *metadata = NULL;
    json_error_t json_error;
    glia_error error;
    struct stat file;
    int status = EXIT_FAILED;

    if (glia_network_load(path, &network, &error) != GLIA_OK ||
        glia_network_metadata(network, &text, &error) != GLIA_OK) {
        status = complain_error(&error);
        goto cleanup;
    }
    metadata = json_loads(text, 0, &json_error);
    if (metadata == NULL || stat(path, &file) != 0) {
        complain("%s: cannot be read again", path);
        goto cleanup;
    }
    if (options->json)
        print_json(network, path, metadata, (uint64_t)file.st_size);
    else
        print_model(network, path, metadata, (uint64_t)file.st_size);
    status = EXIT_DONE;

cleanup:
    json_decref(metadata);
    glia_string_free(text);
    glia_network_free(network);
    return status;
}

const struct command inspect_command = {
    .name = "inspect",
    .operands = "MODEL",
    .summary = "show what a model file holds",
    .description =
        "Prints the layers of a network, the number of its parameters, the size of the file, and "
        "its metadata: how inputs are prepared, the names of the classes, and how the network was "
        "trained.",
    .options = inspect_table,
    .examples = inspect_examples,
    .options_size = sizeof(common_options),
    .min_operands = 1,
    .max_operands = 1,
    .run = inspect_run,
};
