/* SPDX-License-Identifier: MIT */
/*
 * Writes help as plain text of at most 80 columns (as many as a narrower terminal has), and manual
 * pages in roff's man macros. Texts in the tables are ASCII; an indented paragraph of a description
 * is a literal line.
 */
#include "shell/manual.h"

#include <stdlib.h>
#include <string.h>

#include "glia.h"
#include "shell/output.h"

enum { LINE = 80, WIDEST_NAME = 26 };

/* ---- Text ---------------------------------------------------------------------------------- */

/* The next paragraph of *text: sets its length, moves *text past it. NULL after the last. */
static const char *next_paragraph(const char **text, size_t *length)
{
    const char *paragraph = *text, *end;
    if (*paragraph == '\0') return NULL;
    end = strstr(paragraph, "\n\n");
    *length = end != NULL ? (size_t)(end - paragraph) : strlen(paragraph);
    *text = paragraph + *length + (end != NULL ? 2 : 0);
    return paragraph;
}

/* ---- What an option is called and does ----------------------------------------------------- */

/* "-o, --output FILE" */
static size_t option_form(const struct option *option, char *text, size_t size)
{
    char letter[8] = "    ";
    if (option->letter != '\0') snprintf(letter, sizeof letter, "-%c, ", option->letter);
    bool valued = option->metavar != NULL;
    int length = snprintf(text, size, "%s--%s%s%s", letter, option->name, valued ? " " : "",
                          valued ? option->metavar : "");
    return (size_t)length;
}

/* Its help, the names that it takes, and the default. */
static void option_text(const struct option *option, const void *defaults, char *text, size_t size)
{
    char value[128];
    int used = snprintf(text, size, "%s", option->help);
    const bool is_choice =
        option->kind == OPTION_SETTING && glia_setting_choice(option->setting, 0) != NULL;
    if (option->kind == OPTION_CHOICE || is_choice) {
        char choices[256];
        option_expected(option, choices, sizeof choices);
        used += snprintf(text + used, size - (size_t)used, ": %s", choices);
    }
    option_show(option, defaults, value, sizeof value);
    if (*value != '\0') snprintf(text + used, size - (size_t)used, " [%s]", value);
}

/* Its recipes, or NULL. */
static const struct recipe *recipes_of(const struct command *command)
{
    for (const struct option *option = options_of(command); option->kind != OPTION_END; option++)
        if (option->kind == OPTION_RECIPE) return option->recipes;
    return NULL;
}

/* ---- Help ---------------------------------------------------------------------------------- */

void manual_help(const struct command *command, FILE *stream)
{
    const char *description = command->description, *paragraph;
    char form[128], text[512];
    size_t length, column = 0, room = line_room(stream), width = room < LINE ? room : LINE;
    void *defaults = options_new(command);
    const struct recipe *recipe;

    fprintf(stream, "Usage: glia %s%s%s [options]\n", command->name,
            *command->operands != '\0' ? " " : "", command->operands);
    while ((paragraph = next_paragraph(&description, &length)) != NULL) {
        fputc('\n', stream);
        if (*paragraph == ' ')
            fprintf(stream, "%.*s\n", (int)length, paragraph);
        else
            print_words(stream, paragraph, length, width, 0, 0);
    }
    for (const struct option *option = options_of(command); option->kind != OPTION_END; option++) {
        if (option->kind == OPTION_HEADING) continue;
        length = option_form(option, form, sizeof form);
        if (length > column && length <= WIDEST_NAME) column = length;
    }
    column += 4; /* two blanks before the name, two after it */
    for (const struct option *option = options_of(command); option->kind != OPTION_END; option++) {
        if (option->kind == OPTION_HEADING) {
            fprintf(stream, "\n%s:\n", option->name);
            continue;
        }
        length = option_form(option, form, sizeof form);
        option_text(option, defaults, text, sizeof text);
        fprintf(stream, "  %-*s", (int)column - 2, form);
        if (length + 4 > column) fprintf(stream, "\n%*s", (int)column, "");
        print_words(stream, text, strlen(text), width, column, column);
    }
    if ((recipe = recipes_of(command)) != NULL) {
        fprintf(stream, "\nRecipes:\n");
        for (; recipe->name != NULL; recipe++) {
            fprintf(stream, "  %-*s", (int)column - 2, recipe->name);
            print_words(stream, recipe->summary, strlen(recipe->summary), width, column, column);
        }
    }
    if (command->examples != NULL) {
        fprintf(stream, "\nExamples:\n");
        for (const example *e = command->examples; e->command != NULL; e++) {
            fprintf(stream, "  %s\n      ", e->command);
            print_words(stream, e->comment, strlen(e->comment), width, 6, 6);
        }
    }
    options_delete(command, defaults);
}

void manual_options(const struct command *command, FILE *stream)
{
    for (const struct option *option = options_of(command); option->kind != OPTION_END; option++)
        if (option->kind != OPTION_HEADING) fprintf(stream, "--%s\n", option->name);
}

void manual_overview(const struct command *const *commands, FILE *stream)
{
    fprintf(stream, "glia trains feed-forward neural networks and uses them.\n\n"
                    "Usage: glia COMMAND [options]\n\n");
    for (; *commands != NULL; commands++)
        fprintf(stream, "  %-12s  %s\n", (*commands)->name, (*commands)->summary);
    fprintf(stream,
            "\nTo begin:\n"
            "  glia train digits              learn the built-in handwritten digits\n"
            "  glia predict digits.safetensors seven.png\n\n"
            "'glia help COMMAND' explains a command, 'glia --version' prints the version.\n");
}

/* ---- Manual pages -------------------------------------------------------------------------- */

/* Text in roff: a backslash, a hyphen and what would be a macro at a line's beginning escaped. */
static void roff(FILE *stream, const char *text, size_t length)
{
    bool line_start = true;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (line_start && (c == '.' || c == '\'')) fputs("\\&", stream);
        if (c == '\\')
            fputs("\\e", stream);
        else if (c == '-')
            fputs("\\-", stream);
        else if (c == '\'')
            fputs("\\(aq", stream);
        else
            fputc(c, stream);
        line_start = c == '\n';
    }
}

static void roff_line(FILE *stream, const char *text)
{
    roff(stream, text, strlen(text));
    fputc('\n', stream);
}

static void page_description(const struct command *command, FILE *stream)
{
    const char *description = command->description, *paragraph;
    size_t length;
    while ((paragraph = next_paragraph(&description, &length)) != NULL) {
        bool literal = *paragraph == ' ';
        fputs(literal ? ".PP\n.nf\n" : ".PP\n", stream);
        roff(stream, paragraph, length);
        fputs(literal ? "\n.fi\n" : "\n", stream);
    }
}

static void page_options(const struct command *command, FILE *stream)
{
    char text[512];
    void *defaults = options_new(command);
    for (const struct option *option = options_of(command); option->kind != OPTION_END; option++) {
        if (option->kind == OPTION_HEADING) {
            fprintf(stream, ".SS ");
            roff_line(stream, option->name);
            continue;
        }
        fputs(".TP\n", stream);
        if (option->letter != '\0') fprintf(stream, "\\fB\\-%c\\fR, ", option->letter);
        fputs("\\fB\\-\\-", stream);
        roff(stream, option->name, strlen(option->name));
        fputs("\\fR", stream);
        if (option->metavar != NULL) fprintf(stream, " \\fI%s\\fR", option->metavar);
        fputc('\n', stream);
        option_text(option, defaults, text, sizeof text);
        roff_line(stream, text);
    }
    options_delete(command, defaults);
}

static void page_recipes(const struct command *command, FILE *stream)
{
    const struct recipe *recipe = recipes_of(command);
    if (recipe == NULL) return;
    fputs(".SS Recipes\n", stream);
    for (; recipe->name != NULL; recipe++) {
        fputs(".TP\n.B ", stream);
        roff_line(stream, recipe->name);
        roff_line(stream, recipe->summary);
    }
}

static void page_examples(const struct command *command, FILE *stream)
{
    for (const example *e = command->examples; e != NULL && e->command != NULL; e++) {
        fputs(".TP\n.B ", stream);
        roff_line(stream, e->command);
        roff_line(stream, e->comment);
    }
}

static void page_head(const char *name, FILE *stream)
{
    fputs(".TH ", stream);
    roff(stream, name, strlen(name));
    fprintf(stream, " 1 \"\" \"glia %s\" \"glia manual\"\n.SH NAME\n", GLIA_VERSION);
    roff(stream, name, strlen(name));
    fputs(" \\- ", stream);
}

static void page_foot(FILE *stream, bool main_page)
{
    fputs(".SH EXIT STATUS\n"
          ".TP\n0\nDone.\n"
          ".TP\n1\nThe work failed; the message says at what.\n"
          ".TP\n2\nThe command was wrong: an unknown option, say, or a value out of range.\n"
          ".TP\n130\nEnded by a signal: SIGINT (Ctrl\\-C), SIGTERM or SIGHUP. "
          "What a training has learned is saved.\n"
          ".SH ENVIRONMENT\n"
          ".TP\n.B GLIA_DATA\nA folder of data sets: \\fBmnist\\fR is looked for in "
          "\\fI$GLIA_DATA/mnist\\fR.\n"
          ".TP\n.B XDG_CACHE_HOME\nDownloads are kept in \\fI$XDG_CACHE_HOME/glia\\fR; "
          "if unset, in \\fI~/.cache/glia\\fR.\n"
          ".TP\n.B GLIA_CPU\nThe level of instruction set to use instead of the best that the CPU "
          "has: \\fBbaseline\\fR, \\fBavx2\\fR or \\fBavx512\\fR. oneDNN does not look at it.\n"
          ".TP\n.B NO_COLOR\nIf set and not empty, no colour and no bar is shown.\n"
          ".SH SEE ALSO\n",
          stream);
    fputs(main_page ? "\\fBglia\\-train\\fR(1), \\fBglia\\-eval\\fR(1), \\fBglia\\-predict\\fR(1), "
                      "\\fBglia\\-inspect\\fR(1), \\fBglia\\-data\\fR(1), \\fBglia\\-bench\\fR(1)\n"
                    : "\\fBglia\\fR(1)\n",
          stream);
}

void manual_main_page(const struct command *const *commands, FILE *stream)
{
    page_head("glia", stream);
    fputs("feed\\-forward neural networks\n"
          ".SH SYNOPSIS\n\\fBglia\\fR \\fICOMMAND\\fR [\\fIoptions\\fR]\n.br\n"
          "\\fBglia help\\fR [\\fICOMMAND\\fR]\n.br\n\\fBglia \\-\\-version\\fR\n"
          ".SH DESCRIPTION\n"
          "glia trains feed\\-forward neural networks, measures them, and uses them.\n"
          "Models are safetensors files, which other tools read as well.\n"
          ".SH COMMANDS\n",
          stream);
    for (; *commands != NULL; commands++) {
        fprintf(stream, ".TP\n.B %s\n", (*commands)->name);
        roff_line(stream, (*commands)->summary);
    }
    page_foot(stream, true);
}

void manual_page(const char *name, const struct command *const *commands, size_t n, FILE *stream)
{
    char title[64];
    snprintf(title, sizeof title, "glia-%s", name);
    page_head(title, stream);
    if (n == 1) roff(stream, commands[0]->summary, strlen(commands[0]->summary));
    for (size_t i = 0; n > 1 && i < n; i++)
        fprintf(stream, "%s%s", i == 0 ? "" : ", ", commands[i]->name + strlen(name) + 1);
    fputs("\n.SH SYNOPSIS\n", stream);
    for (size_t i = 0; i < n; i++)
        fprintf(stream, "%s\\fBglia %s\\fR \\fI%s%s\\fR[\\fIoptions\\fR]\n", i == 0 ? "" : ".br\n",
                commands[i]->name, commands[i]->operands,
                *commands[i]->operands != '\0' ? " " : "");
    if (n == 1) {
        fputs(".SH DESCRIPTION\n", stream);
        page_description(commands[0], stream);
        fputs(".SH OPTIONS\n", stream);
        page_options(commands[0], stream);
        page_recipes(commands[0], stream);
    }
    for (size_t i = 0; n > 1 && i < n; i++) {
        fprintf(stream, ".SH \"glia %s\"\n", commands[i]->name);
        page_description(commands[i], stream);
        page_options(commands[i], stream);
    }
    fputs(".SH EXAMPLES\n", stream);
    for (size_t i = 0; i < n; i++) page_examples(commands[i], stream);
    page_foot(stream, false);
}
