/* SPDX-License-Identifier: MIT */
/*
 * The one preprocessing of pictures from outside: a scan, a photograph or a drawing becomes an
 * image like those that a network was trained on.
 *
 * For MNIST's form, as its makers did (LeCun et al. 1998, section III-A): the figure is scaled so
 * that its box fits 20 x 20 pixels, its aspect kept, and its centre of mass comes to the middle of
 * 28 x 28. Before that the figure has to be found:
 *
 *   ground      a plane through the border's pixels, as paper is seldom lit evenly
 *   noise       how far the border strays from it (median absolute deviation): what is not above
 *               the ground by 4 standard deviations is ground
 *   threshold   Otsu's (1979), among the pixels that are left: those above it are surely ink
 *   figure      the connected pieces that have enough of such ink (hysteresis: their faint rims
 *               belong to them, a speck of dust or a shadow does not)
 *   contrast    stretched so that the ground becomes 0 and ink 255
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "image/image.h"
#include "image/scale.h"
#include "model/image_form.h"

enum {
    WORKING_SIDE = 1024, /* larger images are reduced to this before the figure is searched */
    OTHERS_DIVISOR = 20, /* of images that are light on dark, 1/20 may be otherwise */
    SPECK_DIVISOR = 50,  /* a piece with less than 1/50 of the largest one's ink is dropped */
};

/* A light figure on dark ground: pixels (height, width). */
struct plane {
    size_t height, width;
    uint8_t *pixels;
};

/* ---- Levels -------------------------------------------------------------------------------- */

struct histogram {
    size_t count[256];
    size_t total;
};

static void add(struct histogram *histogram, uint8_t value)
{
    histogram->count[value]++;
    histogram->total++;
}

static struct histogram histogram_of_border(const uint8_t *pixels, size_t height, size_t width)
{
    struct histogram border = {0};
    for (size_t i = 0; i < height; i++) {
        const size_t step = i == 0 || i == height - 1 || width == 1 ? 1 : width - 1;
        for (size_t j = 0; j < width; j += step) add(&border, pixels[i * width + j]);
    }
    return border;
}

/* The smallest value that at least this fraction of all is at or below. */
static int quantile(const struct histogram *histogram, double fraction)
{
    double below = 0;
    for (int v = 0; v < 255; v++) {
        below += (double)histogram->count[v];
        if (below > 0 && below >= fraction * (double)histogram->total) return v;
    }
    return 255;
}

/*
 * Otsu's threshold: the t that maximises w0 w1 (m0 - m1)^2, where the values <= t and > t have the
 * weights w0, w1 and the means m0, m1.
 */
static int otsu(const struct histogram *histogram)
{
    double sum = 0, n = (double)histogram->total;
    for (int v = 0; v < 256; v++) sum += (double)v * (double)histogram->count[v];
    double n0 = 0, sum0 = 0, best = -1;
    int threshold = 0;
    for (int t = 0; t < 255; t++) {
        n0 += (double)histogram->count[t];
        sum0 += (double)t * (double)histogram->count[t];
        if (n0 == 0 || n0 == n) continue;
        const double difference = sum0 / n0 - (sum - sum0) / (n - n0);
        const double between = n0 * (n - n0) * difference * difference;
        if (between > best) {
            best = between;
            threshold = t;
        }
    }
    return threshold;
}

/*
 * A clearly light or dark border decides. If it is grey (paper in poor light), the side decides to
 * which the rest departs further: the sign of the third moment about the border's level.
 */
static bool is_dark_on_light(const struct histogram *border, const struct histogram *all)
{
    const int level = quantile(border, 0.5);
    if (level < 64 || level > 191) return level > 127;
    double moment = 0;
    for (int v = 0; v < 256; v++) {
        const double d = v - level;
        moment += d * d * d * (double)all->count[v];
    }
    return moment < 0 || (moment == 0 && level > 127);
}

/* ---- The figure ---------------------------------------------------------------------------- */

/* A copy, inverted if need be, reduced by a whole factor if it is larger than WORKING_SIDE. */
static glia_status working_copy(const glia_image *image, bool invert, struct plane *out,
                                glia_error *error)
{
    const size_t longer = image->height > image->width ? image->height : image->width;
    const size_t k = (longer + WORKING_SIDE - 1) / WORKING_SIDE;
    struct plane plane = {(image->height + k - 1) / k, (image->width + k - 1) / k, NULL};
    plane.pixels = gi_alloc(plane.height * plane.width, 1, "an image", error);
    if (!plane.pixels) return GLIA_NO_MEMORY;
    for (size_t i = 0; i < plane.height; i++)
        for (size_t j = 0; j < plane.width; j++) {
            size_t sum = 0, n = 0;
            for (size_t y = i * k; y < (i + 1) * k && y < image->height; y++)
                for (size_t x = j * k; x < (j + 1) * k && x < image->width; x++, n++)
                    sum += image->pixels[y * image->width + x];
            const uint8_t mean = (uint8_t)((sum + n / 2) / n);
            plane.pixels[i * plane.width + j] = invert ? (uint8_t)(255 - mean) : mean;
        }
    *out = plane;
    return GLIA_OK;
}

/*
 * Collects the piece of pixels above 0 (8-connected) that contains start into pieces (label), and
 * counts those above threshold. stack has room for every pixel.
 */
static uint32_t trace_piece(const struct plane *plane, size_t start, int threshold, uint32_t label,
                            uint32_t *pieces, uint32_t *stack)
{
    uint32_t ink = 0;
    size_t n = 0;
    stack[n++] = (uint32_t)start;
    pieces[start] = label;
    while (n > 0) {
        const size_t at = stack[--n], y = at / plane->width, x = at % plane->width;
        if (plane->pixels[at] > threshold) ink++;
        const size_t y1 = y + 1 < plane->height ? y + 1 : y, x1 = x + 1 < plane->width ? x + 1 : x;
        for (size_t i = y ? y - 1 : 0; i <= y1; i++)
            for (size_t j = x ? x - 1 : 0; j <= x1; j++) {
                const size_t next = i * plane->width + j;
                if (plane->pixels[next] == 0 || pieces[next]) continue;
                pieces[next] = label;
                stack[n++] = (uint32_t)next;
            }
    }
    return ink;
}

/* Blackens every piece that has too little ink. */
static glia_status drop_specks(struct plane *plane, int threshold, glia_error *error)
{
    const size_t n = plane->height * plane->width;
    glia_status status = GLIA_NO_MEMORY;
    uint32_t *pieces = gi_alloc(n, sizeof *pieces, "pieces of an image", error); /* 0: none */
    uint32_t *stack = gi_alloc(n, sizeof *stack, "pieces of an image", error);
    uint32_t *ink = gi_alloc(n + 1, sizeof *ink, "pieces of an image", error);
    if (!pieces || !stack || !ink) goto cleanup;

    uint32_t last = 0, most = 0;
    for (size_t i = 0; i < n; i++) {
        if (plane->pixels[i] == 0 || pieces[i]) continue;
        last++;
        ink[last] = trace_piece(plane, i, threshold, last, pieces, stack);
        if (ink[last] > most) most = ink[last];
    }
    for (size_t i = 0; i < n; i++)
        if (pieces[i] && (ink[pieces[i]] == 0 || ink[pieces[i]] < most / SPECK_DIVISOR))
            plane->pixels[i] = 0;
    status = GLIA_OK;
cleanup:
    gi_free(ink);
    gi_free(stack);
    gi_free(pieces);
    return status;
}

/* The ground that the figure is on, evenly lit or not: level + slope_y y + slope_x x, and how far
 * its pixels stray from that. y and x run from -1 to 1 over the image. */
struct ground {
    double level, slope_y, slope_x;
    double noise;
};

static double coordinate(size_t i, size_t n)
{
    return n > 1 ? 2 * (double)i / (double)(n - 1) - 1 : 0;
}

static double ground_at(const struct ground *ground, double y, double x)
{
    return ground->level + ground->slope_y * y + ground->slope_x * x;
}

/*
 * One step: the least-squares plane through those border pixels that are within `reach` of the
 * plane so far. Left as it is when they do not determine one.
 */
static void refit(struct ground *ground, const struct plane *plane, double reach)
{
    /* Sums over the pixels kept: the normal equations A s = b for s = (level, slope_y, slope_x). */
    double n = 0, y1 = 0, x1 = 0, yy = 0, xx = 0, xy = 0, v1 = 0, vy = 0, vx = 0;
    for (size_t i = 0; i < plane->height; i++) {
        const bool edge = i == 0 || i == plane->height - 1 || plane->width == 1;
        const double y = coordinate(i, plane->height);
        for (size_t j = 0; j < plane->width; j += edge ? 1 : plane->width - 1) {
            const double x = coordinate(j, plane->width);
            const double v = plane->pixels[i * plane->width + j];
            if (fabs(v - ground_at(ground, y, x)) > reach) continue;
            n += 1, y1 += y, x1 += x, yy += y * y, xx += x * x, xy += x * y;
            v1 += v, vy += v * y, vx += v * x;
        }
    }
    /* Cramer's rule; the cofactors of A's rows. */
    const double c00 = yy * xx - xy * xy, c01 = xy * x1 - y1 * xx, c02 = y1 * xy - yy * x1;
    const double c11 = n * xx - x1 * x1, c12 = x1 * y1 - n * xy, c22 = n * yy - y1 * y1;
    const double det = n * c00 + y1 * c01 + x1 * c02;
    if (det < 1e-3 * n * n * n) return; /* nearly on one line */
    ground->level = (c00 * v1 + c01 * vy + c02 * vx) / det;
    ground->slope_y = (c01 * v1 + c11 * vy + c12 * vx) / det;
    ground->slope_x = (c02 * v1 + c12 * vy + c22 * vx) / det;
}

/* The median of |value - ground| on the border, in the resolution of a histogram. */
static int border_spread(const struct ground *ground, const struct plane *plane)
{
    struct histogram distance = {0};
    for (size_t i = 0; i < plane->height; i++) {
        const bool edge = i == 0 || i == plane->height - 1 || plane->width == 1;
        const double y = coordinate(i, plane->height);
        for (size_t j = 0; j < plane->width; j += edge ? 1 : plane->width - 1) {
            const double v = plane->pixels[i * plane->width + j];
            add(&distance,
                gi_to_pixel(fabs(v - ground_at(ground, y, coordinate(j, plane->width)))));
        }
    }
    return quantile(&distance, 0.5);
}

static struct ground find_ground(const struct plane *plane)
{
    /* 1.4826 times the median absolute deviation estimates a normal distribution's sigma. */
    const double sigmas_per_spread = 1.4826;
    const struct histogram border = histogram_of_border(plane->pixels, plane->height, plane->width);
    struct ground ground = {.level = quantile(&border, 0.5)};
    int spread = border_spread(&ground, plane);
    if (spread == 0) return ground; /* no photograph: even its faintest pixels mean something */
    for (int step = 0; step < 4 && spread > 0; step++) {
        refit(&ground, plane, 2.5 * sigmas_per_spread * spread);
        spread = border_spread(&ground, plane);
    }
    /* A spread of 0 is then the resolution of the pixels. */
    ground.noise = 4 * sigmas_per_spread * (spread > 0 ? spread : 1);
    return ground;
}

/* Leaves the figure alone on black, its ink at 255. BAD_ARGUMENT if nothing stands out. */
static glia_status isolate_figure(struct plane *plane, glia_error *error)
{
    const size_t n = plane->height * plane->width;
    struct ground ground = find_ground(plane);
    double brightest = 0;
    for (size_t i = 0; i < n; i++) {
        const double y = coordinate(i / plane->width, plane->height);
        const double x = coordinate(i % plane->width, plane->width);
        brightest = fmax(brightest, plane->pixels[i] - ground_at(&ground, y, x));
    }
    if (brightest < 1)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "the image shows no figure: nothing in it stands out from its border");
    ground.noise = fmin(ground.noise, brightest / 2); /* something is left, whatever the noise */

    struct histogram above = {0}, strong = {0};
    for (size_t i = 0; i < n; i++) {
        const double y = coordinate(i / plane->width, plane->height);
        const double x = coordinate(i % plane->width, plane->width);
        plane->pixels[i] = gi_to_pixel(plane->pixels[i] - ground_at(&ground, y, x) - ground.noise);
        if (plane->pixels[i] > 0) add(&above, plane->pixels[i]);
    }
    const int threshold = otsu(&above);
    for (size_t i = 0; i < n; i++)
        if (plane->pixels[i] > threshold) add(&strong, plane->pixels[i]);
    const int ink = quantile(&strong, 0.95);

    glia_status status = drop_specks(plane, threshold, error);
    for (size_t i = 0; i < n && !status; i++)
        plane->pixels[i] = gi_to_pixel(255.0 * plane->pixels[i] / ink);
    return status;
}

static struct gi_box find_box(const struct plane *plane)
{
    size_t top = plane->height, bottom = 0, left = plane->width, right = 0;
    for (size_t i = 0; i < plane->height; i++)
        for (size_t j = 0; j < plane->width; j++) {
            if (plane->pixels[i * plane->width + j] == 0) continue;
            if (i < top) top = i;
            if (i + 1 > bottom) bottom = i + 1;
            if (j < left) left = j;
            if (j + 1 > right) right = j + 1;
        }
    return (struct gi_box){top, left, bottom - top, right - left};
}

/*
 * Where a line of n pixels goes in one of size, so that its centre of mass comes into the middle
 * pixel. MNIST's rule, found from its images: floor(centre) is pixel 14 of 28 in 99.998 % of them.
 */
static size_t place(double centre, size_t n, size_t size)
{
    const double offset = (double)(size / 2) - floor(centre);
    return offset < 0 ? 0 : offset > (double)(size - n) ? size - n : (size_t)offset;
}

/* The box scaled to 20/28 of the result's size, placed by its centre of mass. */
static glia_status normalise(const struct plane *plane, struct gi_box box, size_t height,
                             size_t width, uint8_t *pixels, glia_error *error)
{
    const size_t inner_height = (height * 20 + 14) / 28 ? (height * 20 + 14) / 28 : 1;
    const size_t inner_width = (width * 20 + 14) / 28 ? (width * 20 + 14) / 28 : 1;
    const double scale =
        fmin((double)inner_height / (double)box.height, (double)inner_width / (double)box.width);
    /* Ends in a pixel that is covered by more than rounding error. */
    size_t n_y = (size_t)ceil((double)box.height * scale - 1e-6);
    size_t n_x = (size_t)ceil((double)box.width * scale - 1e-6);
    n_y = n_y < 1 ? 1 : n_y > inner_height ? inner_height : n_y;
    n_x = n_x < 1 ? 1 : n_x > inner_width ? inner_width : n_x;

    double *figure = gi_alloc(n_y * n_x, sizeof *figure, "an image", error); /* (n_y, n_x) */
    if (!figure) return GLIA_NO_MEMORY;
    double mass = 0, mass_y = 0, mass_x = 0, brightest = 0;
    for (size_t i = 0; i < n_y; i++)
        for (size_t j = 0; j < n_x; j++) {
            const double v =
                gi_box_scaled(plane->pixels, plane->width, box, scale, scale, i, j, true);
            figure[i * n_x + j] = v;
            mass += v;
            mass_y += v * ((double)i + 0.5);
            mass_x += v * ((double)j + 0.5);
            brightest = fmax(brightest, v);
        }
    const double gain = 255 / brightest; /* a thin line was averaged with the ground beside it */
    const size_t top = place(mass_y / mass, n_y, height), left = place(mass_x / mass, n_x, width);
    memset(pixels, 0, height * width);
    for (size_t i = 0; i < n_y; i++)
        for (size_t j = 0; j < n_x; j++)
            pixels[(top + i) * width + left + j] = gi_to_pixel(gain * figure[i * n_x + j]);
    gi_free(figure);
    return GLIA_OK;
}

/* ---- Fitting ------------------------------------------------------------------------------- */

static glia_status fit_mnist(const glia_image *image, bool invert, size_t height, size_t width,
                             uint8_t *pixels, glia_error *error)
{
    struct plane plane = {0};
    glia_status status = working_copy(image, invert, &plane, error);
    if (!status) status = isolate_figure(&plane, error);
    if (!status) status = normalise(&plane, find_box(&plane), height, width, pixels, error);
    gi_free(plane.pixels);
    return status;
}

static void fit_scale(const glia_image *image, bool invert, size_t height, size_t width,
                      uint8_t *pixels)
{
    const struct gi_box whole = {0, 0, image->height, image->width};
    const double scale_y = (double)height / (double)image->height;
    const double scale_x = (double)width / (double)image->width;
    for (size_t i = 0; i < height; i++)
        for (size_t j = 0; j < width; j++) {
            const uint8_t v = gi_to_pixel(
                gi_box_scaled(image->pixels, image->width, whole, scale_y, scale_x, i, j, false));
            pixels[i * width + j] = invert ? (uint8_t)(255 - v) : v;
        }
}

/*
 * Whether a figure at first, first + 1, ... first + n - 1 of a line of size has its centre of mass
 * in the middle pixel, give or take one, or cannot be moved nearer.
 */
static bool is_centred(double centre, size_t first, size_t n, size_t size)
{
    const double move = (double)size / 2 + 0.5 - centre;
    return fabs(move) <= 1 || (move < 0 && first == 0) || (move > 0 && first + n == size);
}

/*
 * Whether a light figure on dark of the right size is in MNIST's form already, as its own images
 * are: the longer side of its box 20 pixels of 28 or a little less, its centre of mass in the
 * middle.
 */
static bool is_in_mnist_form(const glia_image *image)
{
    const struct plane plane = {image->height, image->width, image->pixels};
    const struct gi_box box = find_box(&plane);
    double mass = 0, mass_y = 0, mass_x = 0;
    for (size_t i = 0; i < plane.height; i++)
        for (size_t j = 0; j < plane.width; j++) {
            const double v = plane.pixels[i * plane.width + j];
            mass += v;
            mass_y += v * ((double)i + 0.5);
            mass_x += v * ((double)j + 0.5);
        }
    const double side =
        fmax((double)box.height / (double)plane.height, (double)box.width / (double)plane.width);
    return side >= 17.0 / 28 && side <= 20.0 / 28 + 1e-9 &&
           is_centred(mass_y / mass, box.top, box.height, plane.height) &&
           is_centred(mass_x / mass, box.left, box.width, plane.width);
}

enum gi_image_form gi_image_form_of(const uint8_t *pixels, size_t n, size_t height, size_t width,
                                    size_t channels)
{
    if (channels != 1) return GI_FORM_WHOLE;
    size_t others = 0;
    for (size_t i = 0; i < n; i++) {
        const struct histogram border =
            histogram_of_border(pixels + i * height * width, height, width);
        others += quantile(&border, 0.5) >= 64;
    }
    return others <= n / OTHERS_DIVISOR ? GI_FORM_SCALE : GI_FORM_WHOLE;
}

glia_status gi_image_fit(const glia_image *image, int form, size_t height, size_t width,
                         uint8_t *pixels, bool *changed, glia_error *error)
{
    if (!image->pixels || image->height == 0 || image->width == 0)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "the image has no pixels");
    if (height == 0 || width == 0 || (form != GI_FORM_SCALE && form != GI_FORM_MNIST))
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "no form to bring an image into: form %d, %zu x %zu pixels", form, height,
                       width);
    const size_t n = image->height * image->width;
    struct histogram all = {0};
    for (size_t i = 0; i < n; i++) add(&all, image->pixels[i]);
    if (all.count[image->pixels[0]] == n)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "the image is empty: all of its %zu x %zu pixels are %u", image->width,
                       image->height, image->pixels[0]);

    const struct histogram border = histogram_of_border(image->pixels, image->height, image->width);
    const bool invert = is_dark_on_light(&border, &all);
    const bool as_it_is = !invert && image->height == height && image->width == width &&
                          (form != GI_FORM_MNIST || is_in_mnist_form(image));
    glia_status status = GLIA_OK;
    if (as_it_is)
        memcpy(pixels, image->pixels, n);
    else if (form == GI_FORM_MNIST)
        status = fit_mnist(image, invert, height, width, pixels, error);
    else
        fit_scale(image, invert, height, width, pixels);
    if (!status && changed) *changed = !as_it_is;
    return status;
}
