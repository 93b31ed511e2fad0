/* SPDX-License-Identifier: MIT */
#include "shell/quote.h"

#include <stdlib.h>
#include <string.h>

#include "shell/output.h"

/* As $'...', which bash, zsh, ksh and POSIX of 2024 know: bytes that would steer a terminal as
 * octal. */
static void print_escaped(FILE *stream, const char *word)
{
    fputs("$'", stream);
    while (*word != '\0') {
        const size_t length = character_length(word);
        if (length == 0)
            fprintf(stream, "\\%03o", (unsigned)(unsigned char)*word);
        else if (*word == '\'' || *word == '\\')
            fprintf(stream, "\\%c", *word);
        else
            fwrite(word, 1, length, stream);
        word += length > 0 ? length : 1;
    }
    fputc('\'', stream);
}

void print_shell_word(FILE *stream, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_@%+=:,./-";
    if (*word != '\0' && word[strspn(word, plain)] == '\0') {
        fputs(word, stream);
        return;
    }
    size_t clean = 0; /* bytes */
    for (size_t length; (length = character_length(word + clean)) > 0;) clean += length;
    if (word[clean] != '\0') {
        print_escaped(stream, word);
        return;
    }
    fputc('\'', stream);
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            fputs("'\\''", stream);
        else
            fputc(*word, stream);
    }
    fputc('\'', stream);
}

char *shell_word(const char *word)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream != NULL) print_shell_word(stream, word);
    if (stream == NULL || fclose(stream) != 0) {
        complain("out of memory");
        exit(EXIT_FAILED);
    }
    return text;
}

void print_csv_field(FILE *stream, const char *text)
{
    if (text[strcspn(text, ",\"\r\n")] == '\0') {
        fputs(text, stream);
        return;
    }
    fputc('"', stream);
    for (; *text != '\0'; text++) {
        if (*text == '"') fputc('"', stream);
        fputc(*text, stream);
    }
    fputc('"', stream);
}
