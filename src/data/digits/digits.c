/* SPDX-License-Identifier: MIT */
/*
 * The built-in digits. One image goes: a style's skeleton -> control points -> curve -> distorted
 * curve -> pen of varying width -> 28 x 28 pixels, size-normalised and centred by mass as MNIST's.
 */
#include "data/digits/digits.h"

#include <libdeflate.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/thread.h"
#include "data/digits/digits_shapes.h"
#include "data/set/dataset.h"

/*
 * How strongly the skeletons are distorted. The unit of length is the height of the skeleton, which
 * becomes 17.5 px; x and y are 0 at its middle and y runs down. "sd" is of a normal distribution
 * that is cut at 2.5 sd. Where a value differs between the digits there is one for each, 0 to 9.
 *
 * These values, and the weights of the styles, were chosen for what a network that learned from
 * them alone gets right on MNIST's training images, and the styles by looking at those that it
 * misread. No image of MNIST is in what is drawn, and MNIST's test images had no part in it.
 */
static const struct {
    float jitter[10];     /* of a control point, in x and in y, sd */
    float cut, extend;    /* an end of a stroke: at most this part of the stroke, this length */
    float warp;           /* a: amplitudes of the WAVES plane waves, in x and in y, sd */
    float frequency[2];   /* f: of the waves, cycles a unit, from .. to */
    float quadratic;      /* q: of the six quadratic terms, sd */
    float width[10];      /* log of the stretch in width: mean, */
    float aspect;         /*   sd */
    float slant_mean[10]; /* degrees to the right: mean, */
    float slant;          /*   sd */
    float turn;           /* degrees, sd */
    float pen[10];        /* diameter in px: its median, */
    float pen_spread[10]; /*   the sd of its logarithm, */
    float pen_least, pen_most;
    float swell;     /* relative amplitude of the sine by which the radius varies, sd */
    float cycles[2]; /* of that sine along a stroke, from .. to */
} amount = {
    .jitter = {0.03F, 0.03F, 0.045F, 0.045F, 0.045F, 0.045F, 0.03F, 0.045F, 0.03F, 0.045F},
    .cut = 0.10F,
    .extend = 0.10F,
    .warp = 0.03F,
    .frequency = {0.25F, 0.75F},
    .quadratic = 0.165F,
    .width = {0.12F, 0, 0.1F, 0.08F, 0.06F, 0.1F, 0.06F, 0.08F, 0.07F, 0},
    .aspect = 0.27F,
    .slant_mean = {13, 13, 3, 3, 12, 3, 4, 2, 7, 5},
    .slant = 13.5F,
    .turn = 7,
    .pen = {2.65F, 2.55F, 2.4F, 2.3F, 2.3F, 2.25F, 2.3F, 2.4F, 2.25F, 2.15F},
    .pen_spread = {0.36F, 0.44F, 0.34F, 0.34F, 0.28F, 0.3F, 0.33F, 0.33F, 0.32F, 0.3F},
    .pen_least = 1.1F,
    .pen_most = 7,
    .swell = 0.36F,
    .cycles = {1, 3},
};

enum {
    SIDE = GI_DIGITS_SIDE,
    BOX = 20,    /* the longer side of the figure, px */
    SAMPLES = 3, /* of a pixel's side */
    GRID = BOX * SAMPLES,
    ROW = (GRID + 3) / 4 * 4, /* a row of the grid in memory: whole groups of four */
    WAVES = 4,
    STEPS = 8, /* at most so many points of the curve from one control point to the next */
    MAX_POINTS = GI_DIGITS_POINTS * STEPS,
};

static const float HEIGHT = 17.5F; /* of a skeleton, px */
static const float EDGE = 0.3F;    /* px from no ink to full ink */
static const float PI = 3.14159265358979323846F;

typedef struct point {
    float x, y;
} point;

/* The curve of a digit; stroke s has the points begin[s] .. begin[s + 1] - 1. */
struct curve {
    int n_strokes;
    int begin[GI_DIGITS_STROKES + 1];
    point points[MAX_POINTS];
    float radius[MAX_POINTS]; /* of the pen at each point */
};

/* Normal, mean 0, cut at 2.5 sd. */
static float deviate(gi_rng *rng, float sd)
{
    float z;
    do z = gi_rng_normal(rng);
    while (fabsf(z) > 2.5F);
    return sd * z;
}

static float uniform(gi_rng *rng, float from, float to)
{
    return from + (to - from) * gi_rng_uniform(rng);
}

static float length(point a, point b)
{
    return sqrtf((b.x - a.x) * (b.x - a.x) + (b.y - a.y) * (b.y - a.y));
}

struct box {
    point low, high;
};

/* Widens a box by a disc. */
static void enclose(struct box *box, point p, float r)
{
    box->low = (point){fminf(box->low.x, p.x - r), fminf(box->low.y, p.y - r)};
    box->high = (point){fmaxf(box->high.x, p.x + r), fmaxf(box->high.y, p.y + r)};
}

static float longer_side(struct box box)
{
    return fmaxf(box.high.x - box.low.x, box.high.y - box.low.y);
}

/* One of the digit's styles, by weight. */
static const struct gi_digits_style *draw_style(gi_rng *rng, uint32_t digit)
{
    const struct gi_digits_style *style = gi_digits_styles, *last = NULL;
    const size_t n = sizeof gi_digits_styles / sizeof *gi_digits_styles;
    float total = 0;
    for (size_t s = 0; s < n; s++)
        if (style[s].digit == digit) total += style[s].weight;
    float left = uniform(rng, 0, total);
    for (size_t s = 0; s < n && left >= 0; s++)
        if (style[s].digit == digit) {
            last = &style[s];
            left -= style[s].weight;
        }
    return last;
}

/*
 * Control points: the style's shapes blended with random weights, p = sum_k b_k shape_k / sum_k b_k
 * where b_k = -log u is exponential (all blends equally likely), and moved by N(0, jitter) each.
 */
static int draw_control_points(gi_rng *rng, const struct gi_digits_style *style, point *p)
{
    const int n = (int)strlen(style->pen);
    float blend[GI_DIGITS_SHAPES], total = 0;
    for (int k = 0; k < style->n_shapes; k++) {
        blend[k] = -logf(1 - gi_rng_uniform(rng)) + 1e-6F; /* not all 0 */
        total += blend[k];
    }
    const float jitter = amount.jitter[style->digit];
    for (int i = 0; i < n; i++) {
        p[i] = (point){deviate(rng, jitter), deviate(rng, jitter)};
        for (int k = 0; k < style->n_shapes; k++) {
            const float share = blend[k] / total * 0.01F; /* the table is in hundredths */
            p[i].x += share * style->shapes[k][2 * i];
            p[i].y += share * style->shapes[k][2 * i + 1];
        }
    }
    return n;
}

/* The point at t in [0, 1] of the Catmull-Rom spline's piece from b to c. */
static float catmull_rom(float a, float b, float c, float d, float t)
{
    return b + 0.5F * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

/* Joins the control points of each stroke by splines; at a corner one ends and another begins. */
static void draw_splines(const char *pen, const point *p, int n, struct curve *curve)
{
    int m = 0;
    curve->n_strokes = 0;
    for (int i = 0; i < n; i++) {
        if (pen[i] == '(') {
            curve->begin[curve->n_strokes++] = m;
            curve->points[m++] = p[i];
        }
        if (pen[i] == ')') continue;
        const point b = p[i], c = p[i + 1];
        const point a = pen[i] == '-' ? p[i - 1] : b;
        const point d = pen[i + 1] == '-' ? p[i + 2] : c;
        int steps = (int)(length(b, c) * 14) + 2;
        if (steps > STEPS) steps = STEPS;
        for (int k = 1; k <= steps; k++) {
            const float t = (float)k / (float)steps;
            curve->points[m++] =
                (point){catmull_rom(a.x, b.x, c.x, d.x, t), catmull_rom(a.y, b.y, c.y, d.y, t)};
        }
    }
    curve->begin[curve->n_strokes] = m;
}

/*
 * Moves an end of the stroke first, first + step, ... , last: cut by up to `cut` of the stroke's
 * points, or extended along its tangent by up to `extend`. Returns the new end.
 */
static int move_end(gi_rng *rng, point *points, int first, int last)
{
    const int step = first < last ? 1 : -1;
    const int n = (last - first) * step;
    const float u = uniform(rng, -1, 1);
    if (u < 0) /* cut */
        return first + step * (int)(-u * amount.cut * (float)n + 0.5F);
    const point a = points[first], b = points[first + step];
    const float l = length(a, b);
    if (l > 0)
        points[first] = (point){a.x + u * amount.extend * (a.x - b.x) / l,
                                a.y + u * amount.extend * (a.y - b.y) / l};
    return first;
}

static void move_ends(gi_rng *rng, struct curve *curve)
{
    int m = 0;
    for (int s = 0; s < curve->n_strokes; s++) {
        int first = curve->begin[s], last = curve->begin[s + 1] - 1;
        first = move_end(rng, curve->points, first, last);
        last = move_end(rng, curve->points, last, first);
        curve->begin[s] = m;
        while (first <= last) curve->points[m++] = curve->points[first++];
    }
    curve->begin[curve->n_strokes] = m;
}

/*
 * With p = (x, y) from the middle of the skeleton's box:
 *   warp           p += sum_k a_k sin(2 pi f_k . p + phi_k)
 *   quadratic      x += 2 (q0 xy + q1 (y^2 - 0.08) + q2 (x^2 - 0.05))
 *                  y += 2 (q3 xy + q4 (y^2 - 0.25) + q5 (x^2 - 0.05))
 *                  which taper, bow, and move proportions between top and bottom, left and right
 *   width          x *= w
 *   slant, turn    x -= y tan(slant); p turned by the angle
 */
static void distort(gi_rng *rng, uint32_t digit, struct curve *curve)
{
    const int n = curve->begin[curve->n_strokes];
    point *p = curve->points;
    struct box box = {p[0], p[0]};
    for (int i = 1; i < n; i++) enclose(&box, p[i], 0);
    const point middle = {(box.low.x + box.high.x) / 2, (box.low.y + box.high.y) / 2};

    struct {
        point a, f;
        float phase;
    } wave[WAVES];
    for (int k = 0; k < WAVES; k++) {
        const float angle = uniform(rng, 0, 2 * PI);
        const float f = 2 * PI * uniform(rng, amount.frequency[0], amount.frequency[1]);
        wave[k].f = (point){f * cosf(angle), f * sinf(angle)};
        wave[k].a = (point){deviate(rng, amount.warp), deviate(rng, amount.warp)};
        wave[k].phase = uniform(rng, 0, 2 * PI);
    }
    float q[6];
    for (int k = 0; k < 6; k++) q[k] = 2 * deviate(rng, amount.quadratic);

    const float width = expf(amount.width[digit] + deviate(rng, amount.aspect));
    const float slant = amount.slant_mean[digit] + deviate(rng, amount.slant);
    const float shear = tanf(slant * PI / 180);
    const float turn = deviate(rng, amount.turn) * PI / 180;
    const float c = cosf(turn), s = sinf(turn);

    for (int i = 0; i < n; i++) {
        float x = p[i].x - middle.x, y = p[i].y - middle.y;
        float dx = 0, dy = 0;
        for (int k = 0; k < WAVES; k++) {
            const float h = sinf(wave[k].f.x * x + wave[k].f.y * y + wave[k].phase);
            dx += wave[k].a.x * h;
            dy += wave[k].a.y * h;
        }
        x += dx;
        y += dy;
        dx = q[0] * x * y + q[1] * (y * y - 0.08F) + q[2] * (x * x - 0.05F);
        dy = q[3] * x * y + q[4] * (y * y - 0.25F) + q[5] * (x * x - 0.05F);
        x = width * (x + dx);
        y += dy;
        x -= shear * y; /* y runs down: the top goes to the right */
        p[i] = (point){c * x - s * y, s * x + c * y};
    }
}

/* The pen's radius along each stroke: r (1 + a sin(2 pi f t + phi)), t from 0 to 1. */
static void draw_pen(gi_rng *rng, uint32_t digit, struct curve *curve)
{
    float diameter = amount.pen[digit] * expf(deviate(rng, amount.pen_spread[digit]));
    diameter = fminf(fmaxf(diameter, amount.pen_least), amount.pen_most);
    const float amplitude = deviate(rng, amount.swell);
    for (int s = 0; s < curve->n_strokes; s++) {
        const int begin = curve->begin[s], n = curve->begin[s + 1] - begin;
        const float frequency =
            2 * PI * uniform(rng, amount.cycles[0], amount.cycles[1]) / (float)n;
        const float phase = uniform(rng, 0, 2 * PI);
        for (int i = 0; i < n; i++) {
            const float d = diameter * (1 + amplitude * sinf(frequency * (float)i + phase));
            curve->radius[begin + i] = fmaxf(d, amount.pen_least) / 2;
        }
    }
}

/*
 * Scales curve and pen so that the longer side of the inked box is BOX px, its corner at (0, 0). A
 * segment is drawn with the pen of its first point, so that pen decides how far its ends reach.
 */
static void normalise_size(struct curve *curve)
{
    const int n = curve->begin[curve->n_strokes];
    point *p = curve->points;
    struct box skeleton = {p[0], p[0]};
    for (int i = 1; i < n; i++) enclose(&skeleton, p[i], 0);
    const float px = HEIGHT / fmaxf(longer_side(skeleton), 0.1F);
    for (int i = 0; i < n; i++) p[i] = (point){px * p[i].x, px * p[i].y};

    struct box ink = {p[0], p[0]};
    for (int s = 0; s < curve->n_strokes; s++)
        for (int i = curve->begin[s]; i + 1 < curve->begin[s + 1]; i++) {
            enclose(&ink, p[i], curve->radius[i]);
            enclose(&ink, p[i + 1], curve->radius[i]);
        }
    const float scale = (BOX - EDGE) / longer_side(ink);
    for (int i = 0; i < n; i++) {
        p[i].x = scale * (p[i].x - ink.low.x) + EDGE / 2;
        p[i].y = scale * (p[i].y - ink.low.y) + EDGE / 2;
        curve->radius[i] *= scale;
    }
}

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

/*
 * Inks the segment a b: ink = max(ink, coverage) at each sample. Coverage falls from 1 to 0 over
 * the EDGE around the radius r; with d the distance from the segment and R = r + EDGE/2 it is
 * (R^2 - d^2) / (2 r EDGE) within [0, 1], which is linear in d but for the curvature of d^2 and
 * needs no root. Lengths are in samples here.
 */
static void ink_segment(point a, point b, float r, float ink[GRID][ROW])
{
    a = (point){SAMPLES * a.x, SAMPLES * a.y};
    b = (point){SAMPLES * b.x, SAMPLES * b.y};
    r *= SAMPLES;
    const float edge = SAMPLES * EDGE, reach = r + edge / 2;
    const float dx = b.x - a.x, dy = b.y - a.y;
    const float square = dx * dx + dy * dy, inverse = square > 0 ? 1 / square : 0;
    const float steepness = 1 / (2 * r * edge);
    /* Whole groups of four columns: what is too far for ink is computed and changes nothing. */
    const int left = clamp((int)(fminf(a.x, b.x) - reach), 0, GRID) / 4 * 4;
    const int right = (clamp((int)(fmaxf(a.x, b.x) + reach) + 1, 0, GRID) + 3) / 4 * 4;
    const int top = clamp((int)(fminf(a.y, b.y) - reach), 0, GRID);
    const int bottom = clamp((int)(fmaxf(a.y, b.y) + reach) + 1, 0, GRID);
    for (int j = top; j < bottom; j++) {
        const float y = (float)j + 0.5F - a.y;
        for (int i = left; i < right; i++) {
            const float x = (float)i + 0.5F - a.x;
            float t = (x * dx + y * dy) * inverse; /* the nearest point of the segment: */
            t = (1 + fabsf(t) - fabsf(1 - t)) / 2; /* t within [0, 1], without a branch */
            const float ex = x - t * dx, ey = y - t * dy;
            float coverage = (reach * reach - ex * ex - ey * ey) * steepness;
            coverage = coverage > 1 ? 1 : coverage;
            ink[j][i] = ink[j][i] > coverage ? ink[j][i] : coverage;
        }
    }
}

/*
 * Averages the samples of each pixel, and puts the box where its centre of mass comes to pixel
 * number 14, as in MNIST (half a pixel right of the middle and below it), give or take half a
 * pixel.
 */
static void place(float ink[GRID][ROW], uint8_t *pixels)
{
    uint8_t box[BOX][BOX];
    uint32_t mass = 0, mass_x = 0, mass_y = 0;
    int width = 0, height = 0;
    for (int y = 0; y < BOX; y++)
        for (int x = 0; x < BOX; x++) {
            float sum = 0;
            for (int j = 0; j < SAMPLES; j++)
                for (int i = 0; i < SAMPLES; i++) sum += ink[y * SAMPLES + j][x * SAMPLES + i];
            const uint32_t v = (uint32_t)(sum * (255.0F / (SAMPLES * SAMPLES)) + 0.5F);
            box[y][x] = (uint8_t)v;
            mass += v;
            mass_x += v * (uint32_t)x;
            mass_y += v * (uint32_t)y;
            if (v && x >= width) width = x + 1;
            if (v) height = y + 1;
        }
    const float centre_x = (float)mass_x / (float)mass;
    const float centre_y = (float)mass_y / (float)mass;
    const int left = clamp((int)lroundf(SIDE / 2 - centre_x), 0, SIDE - width);
    const int top = clamp((int)lroundf(SIDE / 2 - centre_y), 0, SIDE - height);
    memset(pixels, 0, (size_t)SIDE * SIDE);
    for (int y = 0; y < height; y++)
        memcpy(&pixels[(top + y) * SIDE + left], box[y], (size_t)width);
}

uint32_t gi_digits_draw(uint64_t seed, glia_split split, uint64_t index, uint8_t *pixels)
{
    gi_rng rng = gi_rng_make(
        seed, split == GLIA_SPLIT_TRAIN ? GI_RANDOM_DIGITS_TRAIN : GI_RANDOM_DIGITS_TEST, 0, index);
    const uint32_t digit = gi_rng_below(&rng, 10);
    const struct gi_digits_style *style = draw_style(&rng, digit);
    point control[GI_DIGITS_POINTS];
    const int n = draw_control_points(&rng, style, control);
    struct curve curve;
    draw_splines(style->pen, control, n, &curve);
    move_ends(&rng, &curve);
    distort(&rng, digit, &curve);
    draw_pen(&rng, digit, &curve);
    normalise_size(&curve);

    float ink[GRID][ROW] = {{0}};
    for (int s = 0; s < curve.n_strokes; s++)
        for (int i = curve.begin[s]; i + 1 < curve.begin[s + 1]; i++)
            ink_segment(curve.points[i], curve.points[i + 1], curve.radius[i], ink);
    place(ink, pixels);
    return digit;
}

struct drawing {
    uint64_t seed;
    glia_split split;
    size_t samples;
    uint8_t *images;  /* (samples, SIDE * SIDE) */
    uint32_t *labels; /* (samples) */
};

static void draw_slice(void *context, int thread, int n_threads)
{
    const struct drawing *drawing = context;
    size_t begin, end;
    gi_slice(drawing->samples, 1, thread, n_threads, &begin, &end);
    for (size_t i = begin; i < end; i++)
        drawing->labels[i] =
            gi_digits_draw(drawing->seed, drawing->split, i, drawing->images + i * SIDE * SIDE);
}

/* Of images that are drawn when they are asked for: what draws them. */
struct source {
    uint64_t seed;
    glia_split split;
};

static uint32_t read_drawn(const void *source, uint64_t row, void *x)
{
    const struct source *s = source;
    uint8_t pixels[SIDE * SIDE];
    return gi_digits_draw(s->seed, s->split, row, x ? x : pixels);
}

static uint32_t checksum_of_drawn(const void *source)
{
    const struct source *s = source;
    return libdeflate_crc32(0, &s->seed, sizeof s->seed);
}

glia_status gi_digits_open(glia_split split, const glia_data_params *params, glia_dataset **out,
                           glia_error *error)
{
    const glia_data_params defaults = glia_data_default_params();
    if (!params) params = &defaults;
    const size_t samples = split == GLIA_SPLIT_TRAIN ? GI_DIGITS_TRAIN : GI_DIGITS_TEST;
    glia_dataset *dataset = NULL;
    gi_pool *pool = NULL;
    glia_status status = gi_dataset_new("digits", GLIA_TYPE_U8, samples, (size_t)SIDE * SIDE, 10,
                                        NULL, &dataset, error);
    if (status) goto cleanup;
    dataset->height = SIDE;
    dataset->width = SIDE;
    dataset->channels = 1;
    dataset->form = GI_FORM_MNIST;
    dataset->divisor = 255;
    if (params->fresh && split == GLIA_SPLIT_TRAIN) {
        struct source *source = gi_alloc(1, sizeof *source, "the digits", error);
        status = GLIA_NO_MEMORY;
        if (!source) goto cleanup;
        *source = (struct source){params->seed, split};
        dataset->source = (gi_rows){.read = read_drawn,
                                    .checksum = checksum_of_drawn,
                                    .keep = NULL, /* it has no views */
                                    .free = gi_free,
                                    .is_endless = true};
        dataset->source_of = source;
        status = GLIA_OK;
    } else {
        status = GLIA_NO_MEMORY;
        dataset->owned_x = gi_alloc(samples, (size_t)SIDE * SIDE, "the digits", error);
        dataset->owned_labels =
            gi_alloc(samples, sizeof *dataset->owned_labels, "the digits", error);
        if (!dataset->owned_x || !dataset->owned_labels) goto cleanup;
        dataset->x = dataset->owned_x;
        dataset->labels = dataset->owned_labels;
        status = gi_pool_create(params->threads, &pool, error);
        if (status) goto cleanup;
        struct drawing drawing = {params->seed, split, samples, dataset->owned_x,
                                  dataset->owned_labels};
        gi_pool_run(pool, draw_slice, &drawing);
    }
    *out = dataset;
    dataset = NULL;
cleanup:
    gi_pool_free(pool);
    glia_dataset_free(dataset);
    return status;
}
