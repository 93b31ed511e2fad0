/* SPDX-License-Identifier: MIT */
/*
 * glia bench: measures the machine, then training and inference, row by row (a network, a
 * precision, a batch), and sets each beside the machine's peak.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench_options.h"
#include "bench/bench_samples.h"
#include "bench/bench_speed.h"
#include "draw/progress.h"
#include "shell/commands.h"
#include "shell/output.h"
#include "shell/signals.h"

enum { MOST_MACHINES = 16 }; /* thread counts that are measured */

struct bench {
    const bench_options *options;
    struct samples samples;
    glia_machine machines[MOST_MACHINES]; /* the first: with the threads that were asked for */
    size_t n_machines;
    struct row *rows;
    size_t n_rows, most_rows;
    glia_error why_no_bf16; /* its message is empty where bf16 is measured, or was not asked for */
    bench_view view;
};

static bool is_dense(const bench_options *options)
{
    return options->data != NULL && strcmp(options->data, "dense") == 0;
}

/* ---- The machine --------------------------------------------------------------------------- */

/* The machine with so many threads, measured when it is first asked for; NULL: it failed. */
static const glia_machine *machine_with(struct bench *bench, int threads, glia_error *error)
{
    for (size_t i = 0; i < bench->n_machines; i++)
        if (bench->machines[i].threads == threads) return &bench->machines[i];
    glia_machine *machine = &bench->machines[bench->n_machines];
    if (glia_machine_measure(threads, machine, error) != GLIA_OK) return NULL;
    if (bench->n_machines < MOST_MACHINES - 1) bench->n_machines++;
    return machine;
}

/* Whether oneDNN multiplies bf16 by AMX, whose peak is not measured. */
static bool has_amx(const glia_machine *machine)
{
    return strstr(machine->onednn_isa, "amx") != NULL;
}

/* ---- The run ------------------------------------------------------------------------------- */

static glia_status measure_row(struct bench *bench, glia_network *network, struct row row,
                               glia_error *error)
{
    const bench_options *o = bench->options;
    const struct samples *samples = &bench->samples;
    char name[LONGEST_NETWORK], what[LONGEST_NETWORK + 64];
    bench_show_network(row.widths, name, sizeof name);
    snprintf(what, sizeof what, "%s %s, batch %zu, %s", row.training ? "training" : "inference",
             name, row.batch, glia_precision_name(row.precision));
    bench_step(&bench->view, what, bench->n_rows, bench->most_rows);
    glia_status status = row.training ? speed_train(o, samples, network, &row, error)
                                      : speed_infer(o, samples, network, &row, error);
    if (status != GLIA_OK || signals_came()) return status;

    const glia_machine *machine = machine_with(bench, row.threads, error);
    if (machine == NULL) return error->status;
    const bool bf16 = row.precision == GLIA_PRECISION_BF16;
    double peak = !bf16              ? machine->peak_f32_gflops
                  : has_amx(machine) ? 0
                                     : machine->peak_bf16_gflops;
    row.gflops = row.samples_per_second * speed_flop(&row) / 1e9;
    row.fraction = peak > 0 ? row.gflops / peak : NAN;
    if (!signals_came()) bench->rows[bench->n_rows++] = row;
    return GLIA_OK;
}

/* All rows of a network. */
static glia_status measure_network(struct bench *bench, const width_list *widths,
                                   const precision_list *precisions, glia_error *error)
{
    const bench_options *o = bench->options;
    bool both = o->train == o->inference;
    glia_network *network = NULL;
    glia_status status = speed_make_network(o, &bench->samples, widths, &network, error);
    for (int training = 1; training >= 0; training--) {
        if (!both && o->train != (training == 1)) continue;
        for (size_t p = 0; p < precisions->n; p++)
            for (size_t b = 0; b < o->batches.n && status == GLIA_OK && !signals_came(); b++)
                status = measure_row(bench, network,
                                     (struct row){.training = training == 1,
                                                  .widths = widths,
                                                  .precision = precisions->of[p],
                                                  .batch = o->batches.of[b]},
                                     error);
    }
    glia_network_free(network);
    return status;
}

/* The rows of all networks; the machine is measured. Returns the exit status, its reason said. */
static int measure_networks(struct bench *bench)
{
    const bench_options *o = bench->options;
    precision_list precisions = o->precisions;
    if (precisions.n == 0) precisions = speed_default_precisions(o, &bench->why_no_bf16);
    bench->most_rows =
        o->networks.n * o->batches.n * precisions.n * (o->train == o->inference ? 2 : 1);
    bench->rows = need_memory(bench->most_rows, sizeof *bench->rows);
    for (size_t i = 0; i < o->networks.n && !signals_came(); i++) {
        glia_error error;
        int status =
            is_dense(o) ? samples_make_dense(o, &o->networks.of[i], &bench->samples) : EXIT_DONE;
        if (status != EXIT_DONE) return status;
        glia_status measured = measure_network(bench, &o->networks.of[i], &precisions, &error);
        bench_end(&bench->view);
        if (measured != GLIA_OK) return complain_error(&error);
    }
    return EXIT_DONE;
}

/* Everything after the checks of the command. */
static int measure(struct bench *bench)
{
    glia_error error;
    bench_step(&bench->view, "the machine", 0, 1);
    glia_status measured =
        glia_machine_measure(bench->options->threads, &bench->machines[0], &error);
    bench_end(&bench->view);
    if (measured != GLIA_OK) return complain_error(&error);
    bench->n_machines = 1;
    int status = measure_networks(bench);
    if (status != EXIT_DONE || !signals_came()) return status;
    complain("interrupted; the rows above were measured before");
    return EXIT_INTERRUPTED;
}

/* ---- The result ---------------------------------------------------------------------------- */

/* One of the two tables; nothing if it has no row. */
static void print_rows(const struct bench *bench, bool training)
{
    static const char *const headings[] = {"network", "batch",     "precision", "engine",
                                           "threads", "samples/s", "GFLOP/s",   "of peak"};
    struct table *table = table_new("lrllrrrr", headings);
    size_t n = 0;
    for (size_t i = 0; i < bench->n_rows; i++) {
        const struct row *row = &bench->rows[i];
        char name[LONGEST_NETWORK];
        if (row->training != training) continue;
        n++;
        bench_show_network(row->widths, name, sizeof name);
        table_add(table, STYLE_PLAIN, "%s", name);
        table_add(table, STYLE_PLAIN, "%s", show_count(row->batch).s);
        table_add(table, STYLE_PLAIN, "%s", glia_precision_name(row->precision));
        table_add(table, STYLE_PLAIN, "%s", row->engine);
        table_add(table, STYLE_PLAIN, "%d", row->threads);
        table_add(table, STYLE_BOLD, "%s", show_count((uint64_t)row->samples_per_second).s);
        table_add(table, STYLE_PLAIN, "%.1f", row->gflops);
        if (isfinite(row->fraction))
            table_add(table, STYLE_PLAIN, "%.1f %%", 100 * row->fraction);
        else
            table_add(table, STYLE_PLAIN, "-");
    }
    if (n > 0) {
        printf("\n%s%s%s\n", style_begin(stdout, STYLE_ACCENT), training ? "training" : "inference",
               style_end(stdout));
        table_print(table, stdout, "3426");
    }
    table_free(table);
}

static void print_result(const struct bench *bench)
{
    static const char note[] =
        "GFLOP/s count every product, also those with zeros, which a step may leave out: more than "
        "100 % of the peak is possible.";
    size_t room = line_room(stdout);
    const glia_machine *m = &bench->machines[0];
    const char *dim = style_begin(stdout, STYLE_DIM), *end = style_end(stdout);
    printf("%smachine%s   ", dim, end);
    print_clean(stdout, m->cpu);
    printf(", %s, %d thread%s\n", m->isa, m->threads, m->threads == 1 ? "" : "s");
    printf("%speak%s      f32 %.1f GFLOP/s, ", dim, end, m->peak_f32_gflops);
    if (m->peak_bf16_gflops > 0)
        printf("bf16 %s%.1f GFLOP/s", has_amx(m) ? "of AVX-512, without AMX, " : "",
               m->peak_bf16_gflops);
    else
        printf("no bf16");
    printf("; memory %.1f GB/s\n", m->memory_gb_per_s);
    printf("%sdata%s      ", dim, end);
    print_clean(stdout, bench->samples.name);
    printf("\n");
    if (*bench->why_no_bf16.message != '\0') {
        printf("%sleft out%s  ", dim, end);
        print_clean(stdout, bench->why_no_bf16.message);
        printf("\n");
    }
    print_rows(bench, true);
    print_rows(bench, false);
    if (bench->n_rows == 0) return;
    printf("\n");
    print_words(stdout, note, strlen(note), room < 80 ? room : 80, 0, 0);
}

static json_t *json_row(const struct bench *bench, const struct row *row)
{
    char name[LONGEST_NETWORK];
    json_t *o = json_need(json_object());
    bench_show_network(row->widths, name, sizeof name);
    json_put(o, "network", json_text(name));
    json_put(o, "data", json_text(bench->samples.name));
    json_put(o, "batch", json_count(row->batch));
    json_put(o, "precision", json_text(glia_precision_name(row->precision)));
    json_put(o, "engine", json_text(row->engine));
    json_put(o, "threads", json_count((uint64_t)row->threads));
    json_put(o, "samples_per_second", json_number(row->samples_per_second));
    json_put(o, "gflops", json_number(row->gflops));
    json_put(o, "fraction_of_peak", json_number(row->fraction));
    return o;
}

static void print_json(const struct bench *bench)
{
    const glia_machine *m = &bench->machines[0];
    json_t *o = json_need(json_object());
    json_t *train = json_need(json_array()), *inference = json_need(json_array());
    json_put(o, "cpu", json_text(m->cpu));
    json_put(o, "cores", json_count((uint64_t)m->cores));
    json_put(o, "isa", json_text(m->isa));
    json_put(o, "threads", json_count((uint64_t)m->threads));
    json_put(o, "peak_f32_gflops", json_number(m->peak_f32_gflops));
    json_put(o, "peak_bf16_gflops",
             json_number(m->peak_bf16_gflops > 0 ? m->peak_bf16_gflops : NAN));
    json_put(o, "onednn_isa", json_text(*m->onednn_isa != '\0' ? m->onednn_isa : NULL));
    json_put(o, "memory_gb_per_s", json_number(m->memory_gb_per_s));
    for (size_t i = 0; i < bench->n_rows; i++)
        json_push(bench->rows[i].training ? train : inference, json_row(bench, &bench->rows[i]));
    json_put(o, "train", train);
    json_put(o, "inference", inference);
    json_print(o);
}

static int bench_run(void *field, int n_operands, char *const *operands)
{
    (void)n_operands;
    (void)operands;
    const bench_options *options = field;
    struct bench bench = {.options = options};
    int status = speed_check_options(options);
    if (status != EXIT_DONE) return status;
    if (!is_dense(options))
        status = samples_open(options, &bench.samples);
    else if (!source_check(&options->source, "dense"))
        status = EXIT_WRONG;
    if (status == EXIT_DONE) {
        if (is_dense(options)) bench.samples.name = "dense";
        signals_guard(true);
        status = measure(&bench);
        signals_guard(false);
    }
    /* Also what was measured before something went wrong. */
    bool interrupted = status == EXIT_INTERRUPTED && bench.n_machines > 0;
    if (status == EXIT_DONE || interrupted || bench.n_rows > 0) {
        if (options->source.common.json)
            print_json(&bench);
        else
            print_result(&bench);
    }
    free(bench.rows);
    samples_free(&bench.samples);
    return status;
}

static const example bench_examples[] = {
    {"glia bench --network 784-256-10 --batch 64 --seconds 0.05", "Measure one network with one "
                                                                  "batch size."},
    {"glia bench --network 784-256-10,100-50-2 --batch 1,128 --data dense --train --seconds 0.05",
     "Measure training on data without zeros."},
    {NULL, NULL},
};

const struct command bench_command = {
    .name = "bench",
    .operands = "",
    .summary = "measure this machine, and training and inference on it",
    .description =
        "Measures the limits of the machine: its peak in f32 and bf16 (multiply-adds in "
        "registers) and the bandwidth of its memory (a = b + s c over arrays larger than the "
        "caches). Then it trains and predicts, and prints a row for each network, precision and "
        "batch: samples per second, GFLOP/s, and the part of the peak that the same number of "
        "threads has.\n\nGFLOP/s count every product of a dense step: for each weight 2 FLOP to "
        "predict, 6 to train, 4 in the first layer, which needs no gradient of the data. A step "
        "that leaves out the products with zeros can exceed 100 % of the peak; --data dense has "
        "no zeros in its data.\n\nInference with batch 1 is the latency of one sample: the median "
        "over many blocks of calls, each with another sample. On a CPU with AMX the peak in bf16 "
        "is that of AVX-512 alone; for rows that AMX computes no part of the peak is printed. "
        "Ctrl-C ends the measurement; bench prints the rows that are complete, and the exit "
        "status is 130.",
    .options = bench_option_table,
    .examples = bench_examples,
    .options_size = sizeof(bench_options),
    .min_operands = 0,
    .max_operands = 0,
    .set_defaults = bench_set_defaults,
    .run = bench_run,
};
