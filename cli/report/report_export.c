/* SPDX-License-Identifier: MIT */
/*
 * Cuts the plots out of a page. Each becomes a document that needs nothing else: it gets its size
 * and the part of the page's style that is about plots, with light colours in place of variables,
 * which librsvg and Inkscape do not know; what answers to the mouse goes.
 */
#include "report/report_export.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifdef GLIA_HAS_RSVG
#include <cairo.h>
#include <dlfcn.h>
#include <librsvg/rsvg.h>
#endif

#include "report_assets.h"
#include "shell/files.h"
#include "shell/output.h"

const char *const report_formats[] = {"html", "svg", "png", NULL};

enum { LONGEST_NAME = 64, LARGEST_SIDE = 10000 };

struct figure {
    char name[LONGEST_NAME]; /* its id */
    double width, height;    /* units of the drawing */
    struct text svg;
};

/* ---- Cutting out --------------------------------------------------------------------------- */

static bool begins(const char *at, const char *with)
{
    return strncmp(at, with, strlen(with)) == 0;
}

/*
 * Copies the attributes of a tag, from the blank before the first to the tag's end, and that;
 * returns what follows. Those of the page's script (data-...) and tabindex are left out.
 */
static const char *copy_attributes(const char *at, struct text *out)
{
    while (*at == ' ') {
        const char *quote = strchr(at, '"'), *end = quote != NULL ? strchr(quote + 1, '"') : NULL;
        if (end == NULL) return at;
        if (!begins(at, " data-") && !begins(at, " tabindex="))
            text_add(out, at, (size_t)(end + 1 - at));
        at = end + 1;
    }
    size_t n = strcspn(at, ">");
    n += at[n] == '>';
    text_add(out, at, n);
    return at + n;
}

/*
 * Copies what is between <svg ...> and </svg>, returning where that ends. Invisible circles, which
 * are there to be pointed at, are left out.
 */
static const char *copy_content(const char *at, struct text *out)
{
    static const char unseen[] = "<circle class=\"h\"";
    struct text nowhere = {0};
    while (*at != '\0' && !begins(at, "</svg>")) {
        const bool seen = !begins(at, unseen);
        size_t n = *at == '<' ? 1 + strcspn(at + 1, " >") : strcspn(at, "<");
        if (*at == '<') {
            if (seen) text_add(out, at, n);
            at = copy_attributes(at + n, seen ? out : &nowhere);
        } else {
            text_add(out, at, n);
            at += n;
        }
    }
    text_free(&nowhere);
    return at;
}

/* A name that is safe as that of a file: small letters, digits and '-', as all ids here are. */
static bool take_name(const char *tag, struct figure *figure)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    const char *id = strstr(tag, " id=\"");
    size_t n = id != NULL ? strspn(id + 5, safe) : 0;
    if (n == 0 || n >= sizeof figure->name || id[5 + n] != '"') return false;
    memcpy(figure->name, id + 5, n);
    figure->name[n] = '\0';
    return true;
}

/* width and height of viewBox="0 0 WIDTH HEIGHT", which this program wrote: '.', as in C */
static bool take_size(const char *tag, struct figure *figure)
{
    static const char key[] = " viewBox=\"0 0 ";
    const char *box = strstr(tag, key);
    char *end;
    if (box == NULL) return false;
    figure->width = strtod(box + sizeof key - 1, &end);
    figure->height = strtod(end, &end);
    return *end == '"' && figure->width > 0 && figure->width <= LARGEST_SIDE &&
           figure->height > 0 && figure->height <= LARGEST_SIDE;
}

/* HTML has U+FFFE and U+FFFF, XML has not: they become U+FFFD, which stands for such. */
static void replace_no_characters(char *text)
{
    while ((text = strstr(text, "\xef\xbf")) != NULL) {
        if ((unsigned char)text[2] >= 0xbe) text[2] = (char)0xbd;
        text += 2;
    }
}

/* Makes a figure of the plot that begins at *at; moves that behind it. False: it is none. */
static bool cut_out(const char **at, struct figure *figure)
{
    if (!take_name(*at, figure) || !take_size(*at, figure)) return false;
    text_print(&figure->svg,
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
               "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.4g\" height=\"%.4g\"",
               figure->width, figure->height);
    *at = copy_attributes(*at + strlen("<svg"), &figure->svg);
    text_print(&figure->svg, "\n<style>\n%s</style>\n", report_figure_style);
    *at = copy_content(*at, &figure->svg);
    text_put(&figure->svg, "</svg>\n");
    replace_no_characters(figure->svg.s);
    return begins(*at, "</svg>");
}

/* ---- PNG ----------------------------------------------------------------------------------- */

#ifdef GLIA_HAS_RSVG

enum { SCALE = 2 }; /* pixels for a unit of the drawing */

#ifdef __APPLE__
static const char rsvg_library[] = "librsvg-2.2.dylib";
#else
static const char rsvg_library[] = "librsvg-2.so.2";
#endif

/* Of librsvg and of what it is made of. */
#define PAINTER_FUNCTIONS(X)                                                                       \
    X(rsvg_handle_new_from_data)                                                                   \
    X(rsvg_handle_render_document)                                                                 \
    X(g_object_unref)                                                                              \
    X(g_error_free)                                                                                \
    X(cairo_image_surface_create)                                                                  \
    X(cairo_create)                                                                                \
    X(cairo_set_source_rgb)                                                                        \
    X(cairo_paint)                                                                                 \
    X(cairo_status)                                                                                \
    X(cairo_status_to_string)                                                                      \
    X(cairo_surface_write_to_png_stream)                                                           \
    X(cairo_destroy)                                                                               \
    X(cairo_surface_destroy)

struct painter {
#define DECLARE(function) __typeof__(function) *function;
    PAINTER_FUNCTIONS(DECLARE)
#undef DECLARE
};

/*
 * Loads librsvg when it is asked for: it brings some 60 libraries, and linked with the program it
 * would double the time in which any command starts. It is never unloaded, which GLib forbids.
 */
static bool painter_load(struct painter *painter)
{
    void *library = dlopen(rsvg_library, RTLD_NOW | RTLD_LOCAL), *found;
#define FIND(function)                                                                             \
    found = library != NULL ? dlsym(library, #function) : NULL;                                    \
    if (found == NULL) goto failed;                                                                \
    memcpy(&painter->function, &found, sizeof found); /* ISO C has no conversion for it */
    PAINTER_FUNCTIONS(FIND)
#undef FIND
    return true;

failed:
    complain("--format png needs librsvg, which cannot be loaded (%s); install it (Debian: "
             "librsvg2-2), or take --format svg",
             dlerror());
    return false;
}

bool export_can(enum report_format format)
{
    struct painter painter;
    return format != REPORT_PNG || painter_load(&painter);
}

static cairo_status_t add_bytes(void *png, const unsigned char *bytes, unsigned n)
{
    text_add(png, (const char *)bytes, n);
    return CAIRO_STATUS_SUCCESS;
}

/* png = the figure on white; false, with a complaint, if the libraries fail. */
static bool paint(const struct figure *figure, struct text *png)
{
    struct painter p;
    if (!painter_load(&p)) return false;
    const RsvgRectangle whole = {0, 0, SCALE * figure->width, SCALE * figure->height};
    const char *why = NULL;
    GError *error = NULL;
    RsvgHandle *svg =
        p.rsvg_handle_new_from_data((const guint8 *)figure->svg.s, figure->svg.length, &error);
    cairo_surface_t *surface = p.cairo_image_surface_create(
        CAIRO_FORMAT_RGB24, (int)(whole.width + 0.5), (int)(whole.height + 0.5));
    cairo_t *cairo = p.cairo_create(surface);
    p.cairo_set_source_rgb(cairo, 1, 1, 1);
    p.cairo_paint(cairo);
    if (svg == NULL || !p.rsvg_handle_render_document(svg, cairo, &whole, &error)) {
        why = error != NULL ? error->message : "librsvg does not say why";
    } else {
        cairo_status_t status = p.cairo_status(cairo);
        if (status == CAIRO_STATUS_SUCCESS)
            status = p.cairo_surface_write_to_png_stream(surface, add_bytes, png);
        if (status != CAIRO_STATUS_SUCCESS) why = p.cairo_status_to_string(status);
    }
    if (why != NULL) complain("%s: cannot be drawn: %s", figure->name, why);
    p.cairo_destroy(cairo);
    p.cairo_surface_destroy(surface);
    if (svg != NULL) p.g_object_unref(svg);
    if (error != NULL) p.g_error_free(error);
    return why == NULL;
}

const char *export_features(void)
{
    return "rsvg";
}

#else

bool export_can(enum report_format format)
{
    if (format != REPORT_PNG) return true;
    complain("--format png needs librsvg, which this build of glia is without; install it (Debian: "
             "librsvg2-dev) and build again, or take --format svg");
    return false;
}

static bool paint(const struct figure *figure, struct text *png)
{
    (void)figure;
    (void)png;
    return export_can(REPORT_PNG);
}

const char *export_features(void)
{
    return "";
}

#endif

/* ---- Files --------------------------------------------------------------------------------- */

static bool make_folder(const char *path)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST) return true;
    complain("%s: the folder cannot be made: %s", path, strerror(errno));
    return false;
}

static bool write_figure(const struct figure *figure, enum report_format format, const char *folder,
                         json_t *files, size_t *bytes)
{
    struct text png = {0}, path = {0};
    const struct text *content = format == REPORT_PNG ? &png : &figure->svg;
    text_print(&path, "%s/%s.%s", folder, figure->name, report_formats[format]);
    const bool done = (format != REPORT_PNG || paint(figure, &png)) && check_output(path.s) &&
                      replace_file(path.s, content->s, content->length);
    if (done) {
        json_push(files, json_text(path.s));
        *bytes += content->length;
    }
    text_free(&path);
    text_free(&png);
    return done;
}

int export_plots(const struct text *page, enum report_format format, const char *folder,
                 json_t *files, size_t *bytes)
{
    static const char plot[] = "<svg class=\"plot";
    const char *at = page->s;
    int status = EXIT_DONE;
    *bytes = 0;
    while (status == EXIT_DONE && (at = strstr(at, plot)) != NULL) {
        struct figure figure = {0};
        if (!cut_out(&at, &figure))
            at += sizeof plot - 1;
        else if ((json_array_size(files) == 0 && !make_folder(folder)) ||
                 !write_figure(&figure, format, folder, files, bytes))
            status = EXIT_FAILED;
        text_free(&figure.svg);
    }
    if (status == EXIT_DONE && json_array_size(files) == 0) {
        complain("there is nothing to plot yet");
        status = EXIT_FAILED;
    }
    return status;
}
