/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes command lines and recipes. The first byte chooses the command; the words follow, one a
 * line, and after a byte of value 1 the text of the recipe "./served.recipe". What is parsed is
 * printed as a command and as words, and those must mean the same.
 */
#include <stdlib.h>
#include <string.h>

#include "cli_output.h"
#include "job/train_options.h"
#include "served_files.h"
#include "shell/commands.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct served served[MOST_SERVED] = {{.name = NULL}, {.name = "/served.recipe"}};

enum { MOST_WORDS = 64 };

static const struct command *const commands[] = {
    &train_command,        &sweep_command,      &eval_command,       &predict_command,
    &train_command,        &train_command,      &data_check_command, &inspect_command,
    &runs_compare_command, &bench_command,      &report_command,     &data_show_command,
    &data_export_command,  &data_fetch_command, &data_list_command,  &runs_repeat_command,
};

static bool parse(const struct command *command, int argc, char **argv, void **options,
                  struct command_line *line)
{
    *options = options_new(command);
    return options_parse(command, argc, argv, *options, line);
}

/* The words of a parsed line are parsed again, to the same words. */
static void check_again(const struct command *command, const struct command_line *line)
{
    json_t *said = options_words(command, line);
    char *argv[2 * MOST_WORDS + 2048];
    const size_t n = json_array_size(said);
    struct command_line again;
    void *options;
    if (n > sizeof argv / sizeof *argv) __builtin_trap();
    for (size_t i = 1; i < n; i++)
        argv[i - 1] = need_copy(json_string_value(json_array_get(said, i)));
    char *kept[sizeof argv / sizeof *argv];
    memcpy(kept, argv, (n - 1) * sizeof *argv);
    if (!parse(command, (int)n - 1, argv, &options, &again)) __builtin_trap();
    json_t *more = options_words(command, &again);
    if (!json_equal(said, more)) __builtin_trap();
    json_decref(more);
    json_decref(said);
    options_free(&again);
    options_delete(command, options);
    for (size_t i = 0; i + 1 < n; i++) free(kept[i]);
}

/* Whether the words are UTF-8, which JSON can hold: others do not come back the same. */
static bool is_text(const struct command_line *line)
{
    bool good = true;
    for (size_t i = 0; i < line->n_settings + (size_t)line->n_operands; i++) {
        const char *text =
            i < line->n_settings ? line->settings[i].value : line->operands[i - line->n_settings];
        json_t *string = text != NULL ? json_string(text) : NULL;
        good = good && (text == NULL || string != NULL);
        json_decref(string);
    }
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    silence();
    if (size == 0 || size > 8192) return 0;
    const struct command *command = commands[data[0] & 15];
    serve(data + 1, size - 1);
    char *text = need_memory(served[0].n + 1, 1), *argv[MOST_WORDS];
    memcpy(text, served[0].bytes, served[0].n);
    int argc = 0;
    for (char *at = text; *at != '\0' && argc < MOST_WORDS;) {
        char *end = at + strcspn(at, "\n");
        argv[argc++] = at;
        at = *end != '\0' ? end + 1 : end;
        *end = '\0';
    }
    struct command_line line;
    void *options;
    if (parse(command, argc, argv, &options, &line)) {
        const common_options *common = options;
        char *typed = options_command(command, &line);
        for (const char *at = typed; *at != '\0'; at += character_length(at))
            if (character_length(at) == 0) __builtin_trap(); /* it would steer a terminal */
        free(typed);
        const bool is_whole = line.n_operands >= command->min_operands; /* not with --resume */
        if (!common->help && !common->print && is_whole && is_text(&line))
            check_again(command, &line);
        if (command == &train_command && line.n_operands == 1) {
            train_options *o = options;
            o->source.common.line = &line;
            (void)train_check_options(o, line.operands[0]);
        }
    }
    options_free(&line);
    options_delete(command, options);
    free(text);
    return 0;
}
