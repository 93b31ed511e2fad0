/* SPDX-License-Identifier: MIT */
/*
 * The bar is the last line on the terminal: "\r" goes to its beginning and "\033[K" clears it, so a
 * line that stays is printed in its place and the bar drawn again below. A live plot stands above
 * the bar: a frame goes up to where it begins, prints the epochs' lines that have come since, and
 * draws it anew below them. A frame is one write, and between two of them nothing moves but the
 * bar.
 */
#include "draw/progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "draw/plot.h"
#include "shell/output.h"
#include "shell/signals.h"
#include "shell/wording.h"

static const double redraw_seconds = 0.1, plot_seconds = 0.25;

double now_seconds(void)
{
    static struct timespec start;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (start.tv_sec == 0 && start.tv_nsec == 0) start = now;
    return (double)(now.tv_sec - start.tv_sec) + 1e-9 * (double)(now.tv_nsec - start.tv_nsec);
}

static void clear_bar(bool *shown)
{
    if (*shown) fputs("\r\033[K", stderr);
    *shown = false;
}

/* One line: left, a bar as wide as there is room for (at most 40 cells), right if it fits. */
static void draw_bar(const char *left, double fraction, const char *right, bool *shown)
{
    bool utf8 = is_utf8();
    size_t width = terminal_width(stderr);
    /* A line that is too long would wrap and not be cleared. */
    bool fits = text_width(left) + text_width(right) + 3 < width;
    size_t text = text_width(left) + (fits ? text_width(right) : 0) + 5;
    size_t cells = width > text ? width - text : 0;
    if (cells > 40) cells = 40;
    size_t full = (size_t)(fmin(fmax(fraction, 0), 1) * (double)cells);

    fprintf(stderr, "\r\033[K%s", left);
    if (cells >= 8) {
        fprintf(stderr, "  %s", style_begin(stderr, STYLE_ACCENT));
        for (size_t i = 0; i < full; i++) fputs(utf8 ? "━" : "=", stderr);
        fprintf(stderr, "%s%s", style_end(stderr), style_begin(stderr, STYLE_DIM));
        for (size_t i = full; i < cells; i++) fputs(utf8 ? "━" : "-", stderr);
        fputs(style_end(stderr), stderr);
    }
    if (fits) fprintf(stderr, "  %s", right);
    fflush(stderr);
    *shown = true;
}

/* ---- Training ------------------------------------------------------------------------------ */

/* The accuracy; of values the RMSE. */
static words show_figure_of(double accuracy, double rmse)
{
    return isfinite(rmse) ? show_number(rmse) : show_percent(accuracy);
}

static void draw_training(training_view *view, const glia_progress *p, double done, double samples)
{
    char left[64], right[192];
    double speed = p->seconds > 0 ? done / p->seconds : 0;
    int digits = snprintf(NULL, 0, "%zu", p->epochs);
    snprintf(left, sizeof left, "%*zu/%zu", digits > 3 ? digits : 3, p->epoch, p->epochs);
    snprintf(right, sizeof right, "loss %s   %s%s   %s/s   %s left", show_loss(p->train_loss).s,
             isfinite(p->train_rmse) ? "RMSE " : "",
             show_figure_of(p->train_accuracy, p->train_rmse).s, show_count((uint64_t)speed).s,
             show_duration(speed > 0 ? (samples - done) / speed : NAN).s);
    draw_bar(left, done / samples, right, &view->bar_shown);
    view->drawn_at = p->seconds;
}

/* The columns of an epoch's line. */
enum { EPOCH, LOSS, ACCURACY, VALIDATION, VALIDATION_ACCURACY, SPEED, TIME, N_COLUMNS };

static const struct {
    const char *heading;
    int width; /* with the blanks before it */
} columns[N_COLUMNS] = {
    [EPOCH] = {"epoch", 5},
    [LOSS] = {"loss", 10},
    [ACCURACY] = {"accuracy", 11},
    [VALIDATION] = {"validation", 13},
    [VALIDATION_ACCURACY] = {"accuracy", 11},
    [SPEED] = {"samples/s", 12},
    [TIME] = {"time", 11},
};

/* Those that a terminal has room for. */
static unsigned choose_columns(bool validation)
{
    static const int leave_out[] = {SPEED, TIME, ACCURACY}; /* the least important first */
    unsigned chosen = (1u << N_COLUMNS) - 1;
    size_t room = line_room(stderr), width = 0;
    if (!validation) chosen &= ~(1u << VALIDATION | 1u << VALIDATION_ACCURACY);
    for (int c = 0; c < N_COLUMNS; c++)
        if (chosen >> c & 1) width += (size_t)columns[c].width;
    for (size_t i = 0; i < sizeof leave_out / sizeof *leave_out && width > room; i++) {
        chosen &= ~(1u << leave_out[i]);
        width -= (size_t)columns[leave_out[i]].width;
    }
    return chosen;
}

/* cells (N_COLUMNS) */
static void print_columns(FILE *out, unsigned chosen, const char *const *cells)
{
    for (int c = 0; c < N_COLUMNS; c++)
        if (chosen >> c & 1) fprintf(out, "%*s", columns[c].width, cells[c]);
}

static FILE *text_stream(char **text, size_t *size)
{
    FILE *stream = open_memstream(text, size);
    if (stream == NULL) {
        complain("out of memory");
        exit(EXIT_FAILED);
    }
    return stream;
}

/* Whether the plot is drawn as training goes. */
static bool is_live(const training_view *view)
{
    return view->curves != NULL && is_rich(stderr);
}

/* Where a line goes that is to stay: to stderr, or, where a plot is drawn, to the next frame. */
static FILE *lasting_line(training_view *view)
{
    if (!is_live(view)) {
        clear_bar(&view->bar_shown);
        return stderr;
    }
    if (view->waiting == NULL)
        view->waiting = text_stream(&view->waiting_text, &view->waiting_size);
    return view->waiting;
}

/*
 * Of many short epochs one in so many has a line, which is about all since the one before; an epoch
 * that one has to wait for always has.
 */
static bool is_line_due(const training_view *view, const glia_progress *p)
{
    enum { MOST_LINES = 40, LINES = 20 };
    const double patience = 1;
    if (p->epochs <= MOST_LINES || p->epoch == p->epochs) return true;
    return p->epoch % ((p->epochs + LINES - 1) / LINES) == 0 ||
           p->seconds - view->line_began >= patience;
}

static void print_epoch(training_view *view, const glia_progress *p)
{
    view->line_epochs++;
    if (!is_line_due(view, p)) return;
    double seconds = p->seconds - view->line_began;
    double samples = (double)p->samples * (double)view->line_epochs - (double)view->epoch_first;
    double speed = seconds > 0 ? samples / seconds : 0;
    const char *cells[N_COLUMNS];
    words epoch;
    snprintf(epoch.s, sizeof epoch.s, "%zu", p->epoch);
    FILE *out = lasting_line(view);
    if (!view->headed) {
        view->headed = true;
        view->columns = choose_columns(view->validation);
        for (int c = 0; c < N_COLUMNS; c++) cells[c] = columns[c].heading;
        if (isfinite(p->train_rmse)) cells[ACCURACY] = cells[VALIDATION_ACCURACY] = "RMSE";
        fprintf(out, "\n%s", style_begin(stderr, STYLE_DIM));
        print_columns(out, view->columns, cells);
        fprintf(out, "%s\n", style_end(stderr));
    }
    const words values[N_COLUMNS] = {
        [EPOCH] = epoch,
        [LOSS] = show_loss(p->train_loss),
        [ACCURACY] = show_figure_of(p->train_accuracy, p->train_rmse),
        [VALIDATION] = show_loss(p->validation_loss),
        [VALIDATION_ACCURACY] = show_figure_of(p->validation_accuracy, p->validation_rmse),
        [SPEED] = show_count((uint64_t)speed),
        [TIME] = show_duration(seconds),
    };
    for (int c = 0; c < N_COLUMNS; c++) cells[c] = values[c].s;
    print_columns(out, view->columns, cells);
    fputc('\n', out);
    if (out == stderr) fflush(stderr);
    view->line_began = p->seconds;
    view->line_epochs = 0;
    view->epoch_first = 0;
}

/* Prints the epochs' lines that wait, and the plot below them, in place of the one before. */
static void draw_frame(training_view *view)
{
    char *text = NULL;
    size_t size, width = terminal_width(stderr), height = terminal_height(stderr);
    FILE *frame = text_stream(&text, &size);
    fputs("\r", frame);
    /* After a change of width nobody knows how many lines the old plot takes: it stays. */
    if (view->plot_lines > 0 && view->plot_width == width)
        fprintf(frame, "\033[%zuA", view->plot_lines);
    fputs("\033[J", frame);
    if (view->waiting != NULL) {
        fclose(view->waiting);
        fputs(view->waiting_text, frame);
        free(view->waiting_text);
        view->waiting = NULL;
    }
    /* The last column stays free, lest a line wrap; so does the bar's line, and one above. */
    view->plot_lines =
        plot_print(view->curves, frame, stderr, width - 1, height > 2 ? height - 2 : 0);
    view->plot_width = width;
    fclose(frame);
    fwrite(text, 1, size, stderr);
    fflush(stderr);
    free(text);
    view->bar_shown = false;
}

bool training_step(void *user, const glia_progress *p)
{
    training_view *view = user;
    if (!view->begun) { /* maybe in the middle */
        view->begun = true;
        view->line_began = p->seconds;
        view->epoch_first = p->done;
    }
    if (view->startup_ended == 0) view->startup_ended = now_seconds();
    if (!view->quiet && p->done > 0) {
        double samples = (double)p->epochs * (double)p->samples;
        double done = (double)(p->epoch - 1) * (double)p->samples + (double)p->done;
        if (view->plot && view->curves == NULL) view->curves = need_memory(1, sizeof *view->curves);
        if (view->curves != NULL) plot_add(view->curves, p);
        if (p->epoch_end) print_epoch(view, p);
        if (is_live(view) &&
            (view->plot_width == 0 || p->seconds - view->plotted_at >= plot_seconds)) {
            draw_frame(view);
            view->plotted_at = p->seconds;
        }
        bool due = !view->bar_shown || p->seconds - view->drawn_at >= redraw_seconds;
        if (is_rich(stderr) && due && done < samples) draw_training(view, p, done, samples);
    }
    return !signals_came();
}

void training_warn(training_view *view, const char *text)
{
    FILE *out = lasting_line(view);
    if (out == stderr) {
        complain("warning: %s", text);
        return;
    }
    char *named = option_names(text);
    fputs("glia: warning: ", out);
    print_clean(out, named);
    fputc('\n', out);
    free(named);
}

void training_end(training_view *view)
{
    clear_bar(&view->bar_shown);
    if (is_live(view))
        draw_frame(view);
    else if (view->curves != NULL)
        plot_print(view->curves, stderr, stderr, terminal_width(stderr) - 1, PLOT_LINES);
    free(view->curves);
    view->curves = NULL;
    fflush(stderr);
}

/* ---- Downloads ----------------------------------------------------------------------------- */

bool fetch_step(void *user, const char *file, uint64_t done_bytes, uint64_t total_bytes)
{
    fetch_view *view = user;
    /* From the first byte on there is a temporary file, which the library takes away. */
    signals_guard(true);
    if (!view->quiet) {
        bool new_file = strncmp(view->file, file, sizeof view->file - 1) != 0;
        double now = now_seconds();
        if (new_file) {
            clear_bar(&view->bar_shown);
            snprintf(view->file, sizeof view->file, "%s", file);
            if (!is_rich(stderr)) fprintf(stderr, "fetching %s\n", file);
        }
        if (is_rich(stderr) && (new_file || now - view->drawn_at >= redraw_seconds)) {
            char right[128];
            double total = total_bytes > 0 ? (double)total_bytes : INFINITY;
            snprintf(right, sizeof right, "%s%s%s", show_bytes(done_bytes).s,
                     total_bytes > 0 ? " of " : "",
                     total_bytes > 0 ? show_bytes(total_bytes).s : "");
            draw_bar(view->file, (double)done_bytes / total, right, &view->bar_shown);
            view->drawn_at = now;
        }
    }
    return !signals_came();
}

void fetch_end(fetch_view *view)
{
    clear_bar(&view->bar_shown);
    fflush(stderr);
    signals_guard(false);
}

/* ---- Measurements -------------------------------------------------------------------------- */

void bench_step(bench_view *view, const char *what, size_t done, size_t n)
{
    char right[64];
    if (!is_rich(stderr)) return;
    snprintf(right, sizeof right, "%zu of %zu", done + 1, n);
    draw_bar(what, (double)done / (double)n, right, &view->bar_shown);
}

void bench_bar(bench_view *view, const char *left, double fraction, const char *right)
{
    draw_bar(left, fraction, right, &view->bar_shown);
}

void bench_end(bench_view *view)
{
    clear_bar(&view->bar_shown);
    fflush(stderr);
}
