/* SPDX-License-Identifier: MIT */
/*
 * The program glia: a client of libglia and of nothing else in it. This file finds the command;
 * cmd_*.c do the work.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "draw/progress.h"
#include "report/report_export.h"
#include "shell/commands.h"
#include "shell/manual.h"
#include "shell/output.h"
#include "shell/recipe.h"
#include "shell/signals.h"

static const struct command *const commands[] = {
    &train_command,       &sweep_command,       &eval_command,       &predict_command,
    &inspect_command,     &data_list_command,   &data_check_command, &data_fetch_command,
    &data_show_command,   &data_export_command, &runs_list_command,  &runs_compare_command,
    &runs_repeat_command, &report_command,      &bench_command,      NULL,
};
enum { N_COMMANDS = sizeof commands / sizeof *commands - 1 };

/* Whether name is group followed by a blank: "data show" in "data". */
static bool is_in_group(const char *name, const char *group)
{
    size_t length = strlen(group);
    return strncmp(name, group, length) == 0 && name[length] == ' ';
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0) return commands[i];
    return NULL;
}

/* The commands of a group, or the one of that name; ends with NULL. Returns their number. */
static size_t find_all(const char *name, const struct command **found)
{
    size_t n = 0;
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0 || is_in_group(commands[i]->name, name))
            found[n++] = commands[i];
    found[n] = NULL;
    return n;
}

/*
 * Puts the name that argv begins with into name: one word, or two where the first is a group's.
 * Returns how many words it took.
 */
static int command_name(int argc, char **argv, char *name, size_t size)
{
    bool group = false;
    for (size_t i = 0; i < N_COMMANDS; i++)
        group = group || is_in_group(commands[i]->name, argv[0]);
    bool two = group && argc > 1 && argv[1][0] != '-';
    snprintf(name, size, "%s%s%s", argv[0], two ? " " : "", two ? argv[1] : "");
    return two ? 2 : 1;
}

static int complain_command(const char *name)
{
    const char *names[N_COMMANDS + 3];
    for (size_t i = 0; i < N_COMMANDS; i++) names[i] = commands[i]->name;
    names[N_COMMANDS] = "help";
    names[N_COMMANDS + 1] = "data";
    names[N_COMMANDS + 2] = NULL;
    const char *nearest = nearest_name(name, names);
    if (nearest != NULL)
        complain("there is no command \"%s\"; did you mean %s?", name, nearest);
    else
        complain("there is no command \"%s\"; 'glia help' lists them", name);
    return EXIT_WRONG;
}

/* ---- glia help ----------------------------------------------------------------------------- */

static void help_group(const char *name, const struct command *const *found)
{
    printf("Usage: glia %s COMMAND [options]\n\n", name);
    for (; *found != NULL; found++) printf("  %-12s  %s\n", (*found)->name, (*found)->summary);
    printf("\n'glia help %s COMMAND' explains one.\n", name);
}

/*
 * glia help [COMMAND]; with --man the manual page, with --options the names of the options, with
 * --commands those of the commands: for the build and for tests.
 */
static int help(int argc, char **argv)
{
    const struct command *found[N_COMMANDS + 1];
    const char *form = argc > 0 && strncmp(argv[0], "--", 2) == 0 ? argv[0] : "";
    char name[64];
    if (*form != '\0') {
        argc--;
        argv++;
    }
    bool man = strcmp(form, "--man") == 0, options = strcmp(form, "--options") == 0;
    bool list = strcmp(form, "--commands") == 0;
    if (*form != '\0' && !man && !options && !list && strcmp(form, "--help") != 0) {
        complain("help: there is no option %s", form);
        return EXIT_WRONG;
    }
    if (list) {
        for (size_t i = 0; i < N_COMMANDS; i++) printf("%s\n", commands[i]->name);
        return EXIT_DONE;
    }
    if (argc == 0) {
        if (man)
            manual_main_page(commands, stdout);
        else
            manual_overview(commands, stdout);
        return EXIT_DONE;
    }
    int used = command_name(argc, argv, name, sizeof name);
    size_t n = find_all(name, found);
    if (n == 0) return complain_command(name);
    if (argc > used) {
        complain("help: \"%s\" is one too many; expected a command", argv[used]);
        return EXIT_WRONG;
    }
    if (man)
        manual_page(name, found, n, stdout);
    else if (options)
        for (size_t i = 0; i < n; i++) manual_options(found[i], stdout);
    else if (strcmp(found[0]->name, name) == 0)
        manual_help(found[0], stdout);
    else
        help_group(name, found);
    return EXIT_DONE;
}

/* ---- main ---------------------------------------------------------------------------------- */

static int version(void)
{
    const char *library = glia_build_features(), *program = export_features();
    const bool both = *library != '\0' && *program != '\0';
    printf("glia %s\nbuilt with: %s%s%s\n", glia_version(), library, both ? " " : "",
           *library == '\0' && *program == '\0' ? "the core" : program);
    return EXIT_DONE;
}

static int run_command(const struct command *command, int argc, char **argv)
{
    void *options = options_new(command);
    struct command_line line;
    int status = EXIT_WRONG;
    if (options_parse(command, argc, argv, options, &line)) {
        common_options *common = options;
        common->line = &line;
        status = EXIT_DONE;
        if (common->help)
            manual_help(command, stdout);
        else if (common->print)
            recipe_print(command, &line, common->json);
        else
            status = command->run(options, line.n_operands, line.operands);
    }
    options_free(&line);
    options_delete(command, options);
    return status;
}

static int dispatch(int argc, char **argv)
{
    const struct command *found[N_COMMANDS + 1];
    char name[64];
    if (argc == 0) {
        manual_overview(commands, stderr);
        return EXIT_WRONG;
    }
    if (strcmp(argv[0], "help") == 0) return help(argc - 1, argv + 1);
    if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0) return help(0, NULL);
    if (strcmp(argv[0], "--version") == 0) return version();
    if (argv[0][0] == '-') {
        complain("there is no option %s before a command; 'glia help' lists the commands", argv[0]);
        return EXIT_WRONG;
    }
    int used = command_name(argc, argv, name, sizeof name);
    const struct command *command = find_command(name);
    if (command != NULL) return run_command(command, argc - used, argv + used);
    if (find_all(name, found) == 0) return complain_command(name);
    if (argc > used && (strcmp(argv[used], "--help") == 0 || strcmp(argv[used], "-h") == 0)) {
        help_group(name, found);
        return EXIT_DONE;
    }
    complain("%s: expected a command; 'glia help %s' lists them", name, name);
    return EXIT_WRONG;
}

/* A file must never be opened as 0, 1 or 2: what is printed would go into it. */
static void open_standard_streams(void)
{
    for (int stream = 0; stream <= 2; stream++)
        if (fcntl(stream, F_GETFD) == -1 && errno == EBADF)
            (void)!open("/dev/null", stream == 0 ? O_WRONLY : O_RDONLY); /* using it fails */
}

int main(int argc, char **argv)
{
    now_seconds(); /* starts the clock */
    open_standard_streams();
    signals_install();
    return finish_output(dispatch(argc > 0 ? argc - 1 : 0, argv + (argc > 0)));
}
