/* SPDX-License-Identifier: MIT */
/*
 * What a command is: a table of options, and a struct that parsing fills from it. Help, manual
 * page and error messages are made from the same table (manual.h), so they cannot disagree.
 */
#ifndef GLIA_CLI_SHELL_OPTIONS_H
#define GLIA_CLI_SHELL_OPTIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "shell/parse.h"

typedef enum option_kind {
    OPTION_END,     /* the last line of a struct table */
    OPTION_HEADING, /* name is the heading of the options that follow */
    OPTION_FLAG,    /* bool: takes no value */
    OPTION_COUNT,   /* size_t */
    OPTION_INT,     /* int */
    OPTION_SEED,    /* uint64_t */
    OPTION_REAL,    /* double */
    OPTION_TEXT,    /* const char *: not empty, borrowed from argv */
    OPTION_CHOICE,  /* int: the index of a name in choices */
    OPTION_RECIPE,  /* const char *: the name of one of recipes, or the path of a file */
    OPTION_OTHER,   /* whatever its parse function fills in */
    OPTION_SETTING, /* glia_settings *, of which it is one: options_of makes it */
    /* A row for all settings of the group `name`: options_of puts an OPTION_SETTING, or where
     * is_list an OPTION_TEXT, for each in its place. offset: of the glia_settings *, or of the
     * first of as many texts as there are settings. */
    OPTION_SETTINGS,
} option_kind;

/*
 * A name for options and their values (recipe.h). They are set before those of the command line,
 * which therefore override them.
 */
struct recipe {
    const char *name;
    const char *summary; /* a phrase, its first line */
    const char *text;
};

struct option {
    option_kind kind;
    const char *name; /* without the dashes */
    char letter;      /* of the short form; 0: none */
    const char *metavar;
    const char *help; /* a phrase in small letters, without a full stop */
    size_t offset;    /* of the field in the command's struct */

    double min, max; /* COUNT, INT, REAL: the legal values; max 0: no upper limit */
    bool above_min;  /* REAL: min itself is not legal */
    bool below_max;  /* REAL: max itself is not legal */

    const char *const *choices; /* CHOICE, and OTHER for suggestions: NULL-terminated */

    const struct recipe *recipes; /* RECIPE: ends with one whose name is NULL */

    /* OTHER. parse fills the field or returns false; expected says what would have been right. */
    bool (*parse)(const char *text, void *field);
    void (*show)(const void *field, char *text, size_t size);
    const char *expected;

    const char *shown_default; /* in place of the field's value; "": none is shown */

    size_t setting; /* SETTING, and the TEXT of a list: which one it is (glia_setting_name) */
    bool is_list;

    bool aside; /* says where results go and what is shown, nothing of what is done */
    bool alone; /* takes the place of the operands */
};

typedef struct example {
    const char *command;
    const char *comment;
} example;

struct command {
    const char *name;        /* "train", "data show" */
    const char *operands;    /* "MODEL DATA" */
    const char *summary;     /* a phrase */
    const char *description; /* paragraphs, an empty line between them */
    const struct option *options;
    const example *examples; /* ends with one whose command is NULL */
    size_t options_size;     /* of the struct, which begins with common_options */
    int min_operands, max_operands;
    void (*set_defaults)(void *options);
    void (*clear)(void *options); /* frees what set_defaults made; or NULL */
    int (*run)(void *options, int n_operands, char *const *operands); /* returns exit status */
};

/* What every command's struct begins with. */
typedef struct common_options {
    bool json;
    bool help;
    bool print; /* where there are recipes: show the options in place of running the command */
    const struct command_line *line; /* what was parsed */
} common_options;

/* clang-format off */
#define COMMON_OPTIONS                                                                             \
    {.kind = OPTION_HEADING, .name = "Other"},                                                     \
    {.kind = OPTION_FLAG, .name = "json", .offset = offsetof(common_options, json), .aside = true, \
     .help = "print one JSON object on standard output, and nothing else there"},                  \
    {.kind = OPTION_FLAG, .name = "help", .letter = 'h', .offset = offsetof(common_options, help), \
     .help = "print this help"},                                                                   \
    {.kind = OPTION_END}
/* clang-format on */

/* An option as it was given, by a recipe or on the command line. */
struct setting {
    const struct option *option;
    const char *value; /* NULL: the option is a flag */
};

/* What a command line says; its texts are borrowed from argv and recipe_text. */
struct command_line {
    struct setting *settings; /* in the order in which they take effect: a recipe's come first */
    size_t n_settings;
    size_t n_recipe;    /* settings of the recipe */
    const char *recipe; /* as it was named; NULL: there is none */
    char *recipe_text;
    char *recipe_head; /* its comments before the first option; or NULL */
    char **operands;   /* in argv */
    int n_operands;
};

/* All options of a command, one for each setting, up to an OPTION_END. Of the process. */
const struct option *options_of(const struct command *command);

/* A zeroed struct of its options with the defaults; to be freed by options_delete. */
void *options_new(const struct command *command);
void options_delete(const struct command *command, void *options);

/* Whether it takes no value. */
bool option_is_flag(const struct option *option);

/*
 * Parses argv (argc) into *options, which holds the defaults already, and *line, to be freed.
 * Options may stand before, between and after operands; "--" ends them; the last of a repeated
 * option counts. Operands are moved to the front of argv. Returns false, with the reason on stderr,
 * when the command line is wrong. With --help and --print too few operands are enough.
 */
bool options_parse(const struct command *command, int argc, char **argv, void *options,
                   struct command_line *line);
void options_free(struct command_line *line);

/* Sets the option's field; false when the value is not what it expects. */
bool options_set(const struct setting *setting, void *options);

/* By its long name (length bytes); NULL if there is none. */
const struct option *options_find(const struct command *command, const char *name, size_t length);

/* place begins the message: the command's name, or where in a file it is. */
void options_complain_unknown(const char *place, const struct command *command,
                              const char *argument);
void options_complain_value(const char *place, const struct option *option, const char *value);

/* Whether no later setting takes the place of the i-th. */
bool options_counts(const struct command_line *line, size_t i);

/*
 * The line as a command for a shell, without its recipe but with what that says; an option that is
 * given twice stands there once. To be freed.
 */
char *options_command(const struct command *command, const struct command_line *line);

/*
 * The same as an array of words, "train", "mnist", "--lr=0.1", without options that are aside: what
 * to type to do the work again.
 */
json_t *options_words(const struct command *command, const struct command_line *line);
/* One of them. */
json_t *options_word(const struct setting *setting);

/* What an option's value must be: "a whole number from 0 to 1024". */
void option_expected(const struct option *option, char *text, size_t size);

/* A field's value as text, as it would be given; "" where there is none to show. */
void option_show(const struct option *option, const void *options, char *text, size_t size);

#endif
