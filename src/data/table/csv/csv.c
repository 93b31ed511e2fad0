/* SPDX-License-Identifier: MIT */
/*
 * Reading a file of separated values as a whole. Threads take blocks in turn, parse them side by
 * side, and put what they became into the table in the order of the file: line numbers, codes of
 * texts and the first error are those of one thread.
 *
 * A thread holds up to LOTS lots that wait for their turn, so that a slow block does not keep the
 * others from work.
 */
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/thread.h"
#include "data/table/csv/csv_parts.h"

enum { LOTS = 4, SMALL_FILE = 1 << 19 };
static const uint64_t cached_from = 64 << 20; /* bytes of a file */

struct reading {
    gi_csv_form form;
    gi_csv_source source;
    gi_table *table;
    gi_csv_cache *cache; /* where the cells go, or NULL */
    bool cache_failed;   /* it could not be written */
    size_t block_bytes;

    pthread_mutex_t taking;
    uint64_t n_taken;
    bool has_ended;

    pthread_mutex_t committing;
    pthread_cond_t committed;
    uint64_t n_committed;
    uint64_t line;     /* of the next lot's beginning */
    uint64_t bytes;    /* that have become rows */
    size_t room;       /* of the table's cells, in rows */
    gi_csv_lost *lost; /* (n_lost): columns with too many texts, in the order of their loss */
    size_t n_lost, lost_room;
    size_t marks_room;
    glia_status status;
    glia_error *error;
};

/* ---- Putting lots together ------------------------------------------------------------------ */

static glia_status lose_column(struct reading *reading, size_t column)
{
    gi_column *of = &reading->table->columns[column];
    if (of->kind == GI_CELL_IGNORED) return GLIA_OK;
    const glia_status status =
        gi_table_grow((void **)&reading->lost, &reading->lost_room, reading->n_lost + 1,
                      sizeof *reading->lost, reading->error);
    if (status) return status;
    reading->lost[reading->n_lost++] = (gi_csv_lost){(uint32_t)column, reading->table->rows};
    of->kind = GI_CELL_IGNORED;
    gi_texts_free(&of->texts);
    return GLIA_OK;
}

/* The texts that the lot has brought get their codes. */
static glia_status commit_texts(struct reading *reading, gi_csv_parser *parser, gi_csv_lot *lot)
{
    glia_status status = GLIA_OK;
    for (size_t i = 0; i < lot->n_new_texts && !status; i++) {
        const gi_csv_new_text *new = &lot->new_texts[i];
        gi_column *column = &reading->table->columns[new->column];
        if (column->kind == GI_CELL_IGNORED) continue;
        gi_csv_fault fault = new->fault;
        if (new->code != GI_CSV_NO_CODE) {
            gi_csv_dictionary *dictionary = &parser->dictionaries[new->column];
            size_t code;
            status = gi_texts_add(&column->texts, dictionary->texts.text[new->code],
                                  dictionary->texts.lengths[new->code], &code, reading->error);
            if (status) return status;
            dictionary->codes[new->code] = (uint32_t)code;
            if (code == SIZE_MAX) fault = GI_CSV_TOO_MANY_TEXTS;
        }
        if (fault) {
            if (reading->form.must_be_text[new->column])
                return gi_csv_report_text(&reading->form, lot, new, fault, reading->line,
                                          reading->error);
            status = lose_column(reading, new->column);
        }
    }
    for (size_t i = 0; i < lot->n_open_cells && !status; i++) {
        const gi_csv_open_cell *open = &lot->open_cells[i];
        lot->cells[open->cell] = parser->dictionaries[open->column].codes[open->code];
    }
    const size_t n_columns = reading->form.n_columns;
    for (size_t i = lot->n_lost; i < reading->n_lost; i++)
        for (size_t row = 0; row < lot->rows; row++)
            lot->cells[row * n_columns + reading->lost[i].column] = NAN;
    return status;
}

static glia_status commit_marks(struct reading *reading, const gi_csv_lot *lot)
{
    gi_table *table = reading->table;
    for (size_t i = 0; i < lot->n_marks; i++) {
        const gi_line_mark mark = {table->rows + lot->marks[i].row,
                                   reading->line + lot->marks[i].line};
        const gi_line_mark *last = table->n_marks ? &table->marks[table->n_marks - 1] : NULL;
        if (last && mark.line - last->line == mark.row - last->row) continue;
        const glia_status status =
            gi_table_grow((void **)&table->marks, &reading->marks_room, table->n_marks + 1,
                          sizeof *table->marks, reading->error);
        if (status) return status;
        table->marks[table->n_marks++] = mark;
    }
    return GLIA_OK;
}

/* Room for the lot's rows; at the beginning, for those of the whole file as the lot lets expect. */
static glia_status make_room(struct reading *reading, const gi_csv_lot *lot)
{
    gi_table *table = reading->table;
    const size_t needed = table->rows + lot->rows, n_columns = reading->form.n_columns;
    if (needed <= reading->room) return GLIA_OK;
    const uint64_t size = reading->source.size, read = reading->bytes + lot->bytes;
    double *cells = NULL;
    size_t room = needed;
    if (size > read) { /* what is beyond the rows is not touched, and takes no memory */
        room = (size_t)(1.03 * (double)needed * (double)size / (double)read) + 1;
        cells = gi_alloc_unset(room, n_columns * sizeof *cells, table->path, NULL);
    }
    if (!cells) {
        room = needed + table->rows / 2;
        cells = gi_alloc_unset(room, n_columns * sizeof *cells, table->path, reading->error);
    }
    if (!cells) return GLIA_NO_MEMORY;
    if (table->rows) memcpy(cells, table->owned_cells, table->rows * n_columns * sizeof *cells);
    gi_free(table->owned_cells);
    table->cells = table->owned_cells = cells;
    reading->room = room;
    return GLIA_OK;
}

static glia_status commit(struct reading *reading, gi_csv_parser *parser, gi_csv_lot *lot)
{
    gi_table *table = reading->table;
    glia_status status = commit_texts(reading, parser, lot);
    if (status) return status;
    if (lot->problem.fault)
        return gi_csv_report(&reading->form, &lot->problem, reading->line, reading->error);
    status = commit_marks(reading, lot);
    if (!status && lot->rows)
        status = reading->cache
                     ? gi_csv_cache_add(reading->cache, table->rows, &lot->place, reading->error)
                     : make_room(reading, lot);
    if (status) return status;
    lot->first_row = table->rows;
    const size_t n_columns = reading->form.n_columns;
    if (lot->rows && !reading->cache)
        memcpy(table->owned_cells + table->rows * n_columns, lot->cells,
               lot->rows * n_columns * sizeof *lot->cells);
    table->rows += lot->rows;
    table->skipped += lot->skipped;
    reading->line += lot->lines;
    reading->bytes += lot->bytes;
    return GLIA_OK;
}

/* ---- A thread's work ------------------------------------------------------------------------ */

/* A thread, and what it has parsed. */
struct worker {
    gi_csv_parser parser;
    gi_csv_block block;
    gi_csv_lot lots[LOTS]; /* a ring */
    uint64_t n_parsed, n_committed;
    uint64_t ordinal; /* of the block */
};

/* Takes a block; *has: whether there was one. */
static glia_status take(struct reading *reading, struct worker *worker, bool *has,
                        glia_error *error)
{
    glia_status status = GLIA_OK;
    *has = false;
    pthread_mutex_lock(&reading->taking);
    if (!reading->has_ended) {
        status = gi_csv_source_take(&reading->source, &reading->form.dialect, reading->block_bytes,
                                    false, &worker->block, error);
        const bool is_at_fault = worker->block.open || worker->block.is_long;
        *has = !status && worker->block.n > 0;
        reading->has_ended = !*has || is_at_fault;
        if (*has && reading->cache)
            gi_csv_cache_sum(reading->cache, worker->block.bytes,
                             worker->block.n - worker->block.n_added);
        worker->ordinal = reading->n_taken;
        reading->n_taken += *has;
    }
    pthread_mutex_unlock(&reading->taking);
    return status;
}

/* The first failure stays. With reading->committing held. */
static void fail(struct reading *reading, glia_status status, const glia_error *error)
{
    if (!status || reading->status) return;
    reading->status = status;
    if (reading->error && error) *reading->error = *error;
}

/* Writes a lot to the cache, while others go on. With reading->committing held. */
static void write_lot(struct reading *reading, const gi_csv_lot *lot)
{
    uint32_t crc;
    pthread_mutex_unlock(&reading->committing);
    const bool done =
        gi_csv_cache_write(reading->cache, lot->first_row, lot->cells, lot->rows, &crc);
    pthread_mutex_lock(&reading->committing);
    gi_csv_cache_set_crc(reading->cache, lot->place, crc);
    if (done || reading->status) return;
    reading->cache_failed = true;
    reading->status = GLIA_IO;
}

/*
 * Commits the worker's lots whose turn it is; waits for their turn if there is no room for another
 * lot, or nothing else to do. Then learns which columns have been lost. False after a failure.
 */
static bool commit_own(struct reading *reading, struct worker *worker, bool has_ended)
{
    pthread_mutex_lock(&reading->committing);
    for (;;) {
        const bool has_lots = worker->n_committed < worker->n_parsed;
        gi_csv_lot *lot = &worker->lots[worker->n_committed % LOTS];
        if (reading->status) break;
        if (has_lots && lot->ordinal == reading->n_committed) {
            reading->status = commit(reading, &worker->parser, lot);
            worker->n_committed++;
            reading->n_committed++;
            pthread_cond_broadcast(&reading->committed);
            if (reading->cache && !reading->status && lot->rows) write_lot(reading, lot);
        } else if (has_lots && (has_ended || worker->n_parsed - worker->n_committed == LOTS)) {
            pthread_cond_wait(&reading->committed, &reading->committing);
        } else {
            break;
        }
    }
    for (gi_csv_parser *parser = &worker->parser; parser->n_lost < reading->n_lost;) {
        const size_t column = reading->lost[parser->n_lost++].column;
        parser->kinds[column] = GI_CSV_LOST;
        gi_texts_free(&parser->dictionaries[column].texts);
    }
    const bool goes_on = !reading->status;
    pthread_mutex_unlock(&reading->committing);
    return goes_on;
}

static void work(void *context, int thread, int n_threads)
{
    (void)thread, (void)n_threads;
    struct reading *reading = context;
    glia_error error;
    struct worker worker = {0};
    bool has_block = true;
    glia_status status = gi_csv_parser_make(&reading->form, &worker.parser, &error);
    while (!status && commit_own(reading, &worker, !has_block) && has_block) {
        status = take(reading, &worker, &has_block, &error);
        if (status || !has_block) continue;
        const gi_csv_block *block = &worker.block;
        gi_csv_lot *lot = &worker.lots[worker.n_parsed % LOTS];
        lot->ordinal = worker.ordinal;
        lot->n_lost = worker.parser.n_lost;
        if (block->open || block->is_long)
            gi_csv_set_problem(&reading->form, block, lot);
        else
            status = gi_csv_parse_rows(&worker.parser, block->bytes, block->bytes + block->n,
                                       block->first_byte, lot, &error);
        worker.n_parsed += !status;
    }
    pthread_mutex_lock(&reading->committing);
    fail(reading, status, &error);
    for (size_t c = 0; !reading->status && c < reading->form.n_columns; c++)
        gi_csv_count_missing(&worker.parser, c, &reading->table->columns[c]);
    pthread_cond_broadcast(&reading->committed);
    pthread_mutex_unlock(&reading->committing);
    gi_csv_parser_free(&worker.parser);
    gi_free(worker.block.bytes);
    for (size_t i = 0; i < LOTS; i++) gi_csv_lot_free(&worker.lots[i]);
}

/* ---- The whole ------------------------------------------------------------------------------ */

/* Reads the head, and finds out what the file is. */
static glia_status begin(struct reading *reading, const gi_table_params *params, glia_error *error)
{
    gi_csv_source *source = &reading->source;
    const glia_status status = gi_csv_form_of(source, false, params, &reading->form, error);
    if (status) return status;
    reading->line = reading->form.line;

    gi_table *table = reading->table;
    table->path = gi_strdup(source->path, error);
    if (!table->path) return GLIA_NO_MEMORY;
    table->columns = reading->form.columns; /* shared with the form while rows are read */
    table->n_columns = reading->form.n_columns;
    memcpy(table->how, reading->form.how, sizeof table->how);
    return gi_missing_words_copy(&reading->form.missing, &table->missing, error);
}

/* Says in `how` which columns were left out. */
static void name_lost(const struct reading *reading)
{
    gi_table *table = reading->table;
    size_t used = strlen(table->how);
    for (size_t i = 0; i < reading->n_lost; i++) {
        char shown[GI_TEXT_SHOWN];
        const char *name = table->columns[reading->lost[i].column].name;
        gi_text_show(name, strlen(name), shown);
        const size_t room = sizeof table->how - used;
        if (strlen(shown) + 48 > room) {
            snprintf(table->how + used, room, ", ...");
            return;
        }
        used += (size_t)snprintf(table->how + used, room, "%s%s",
                                 i ? ", " : "; left out for too many or too long texts: ", shown);
    }
}

/* The cells are all there: columns that were lost on the way lose those before, too. */
static void finish(struct reading *reading)
{
    gi_table *table = reading->table;
    for (size_t i = 0; i < reading->n_lost; i++)
        table->columns[reading->lost[i].column].has_missing = true;
    if (reading->cache) {
        reading->cache_failed =
            !gi_csv_cache_finish(reading->cache, table, reading->lost, reading->n_lost);
        return;
    }
    for (size_t i = 0; i < reading->n_lost; i++)
        for (size_t row = 0; row < reading->lost[i].rows; row++)
            table->owned_cells[row * table->n_columns + reading->lost[i].column] = NAN;
}

/* Reads what the source has; closes it. IO with cache_failed set if it is only the cache. */
static glia_status read_source(struct reading *reading, const gi_table_params *params,
                               gi_table **out, glia_error *error)
{
    gi_pool *pool = NULL;
    reading->error = error;
    pthread_mutex_init(&reading->taking, NULL);
    pthread_mutex_init(&reading->committing, NULL);
    pthread_cond_init(&reading->committed, NULL);
    reading->table = gi_alloc(1, sizeof *reading->table, "a table", error);
    glia_status status = reading->table ? begin(reading, params, error) : GLIA_NO_MEMORY;
    if (status) goto cleanup;
    const bool is_small = reading->source.has_ended && reading->source.n_tail <= SMALL_FILE &&
                          reading->source.n_tail <= reading->block_bytes;
    status = gi_pool_create(is_small ? 1 : params->threads, &pool, error);
    if (status) goto cleanup;
    if (reading->cache && !gi_csv_cache_begin(reading->cache, reading->form.n_columns)) {
        reading->cache_failed = true;
        status = GLIA_IO;
        goto cleanup;
    }
    if (reading->cache)
        gi_csv_cache_sum(reading->cache, reading->source.tail - reading->form.begin,
                         reading->form.begin);
    gi_pool_run(pool, work, reading);
    status = reading->status;
    if (!status && reading->table->rows == 0) {
        if (reading->table->skipped)
            status =
                gi_fail(error, GLIA_BAD_FORMAT,
                        "%s: found %zu malformed row%s and no other, expected a table; without "
                        "table.skip_bad_rows the first of them is shown",
                        reading->source.path, reading->table->skipped,
                        reading->table->skipped == 1 ? "" : "s");
        else
            status = gi_fail(error, GLIA_BAD_FORMAT,
                             "%s: found a header and no rows, expected a table; if the first line "
                             "is a row, table.header=-1 says so",
                             reading->source.path);
    }
    if (!status) {
        name_lost(reading);
        finish(reading);
        if (reading->cache_failed) status = GLIA_IO;
    }
cleanup:
    if (reading->table && reading->table->columns) reading->form.columns = NULL;
    gi_csv_form_free(&reading->form);
    gi_csv_source_close(&reading->source);
    gi_pool_free(pool);
    gi_free(reading->lost);
    pthread_cond_destroy(&reading->committed);
    pthread_mutex_destroy(&reading->committing);
    pthread_mutex_destroy(&reading->taking);
    if (status)
        gi_table_free(reading->table);
    else
        *out = reading->table;
    return status;
}

/* What a table of a file of so many bytes takes must not be much more than there is. */
static bool fits_memory(uint64_t size)
{
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages <= 0 || page <= 0 || size / 2 < (uint64_t)pages * (uint64_t)page / 4 * 3;
}

static glia_status read_file(const char *path, const gi_table_params *params, size_t block_bytes,
                             gi_csv_cache *cache, bool *cache_failed, gi_table **out,
                             glia_error *error)
{
    struct reading reading = {.block_bytes = block_bytes, .cache = cache};
    glia_status status = gi_csv_source_open(path, &reading.source, error);
    if (status)
        gi_csv_source_close(&reading.source);
    else
        status = read_source(&reading, params, out, error);
    *cache_failed = reading.cache_failed;
    return status;
}

glia_status gi_csv_read_blocks(const char *path, const gi_table_params *params, size_t block_bytes,
                               uint64_t from, gi_table **out, glia_error *error)
{
    struct stat info;
    gi_csv_cache *cache = NULL;
    bool cache_failed = false;
    glia_status status = GLIA_OK;
    const bool is_large = params->caches && strcmp(path, "-") != 0 && stat(path, &info) == 0 &&
                          S_ISREG(info.st_mode) && (uint64_t)info.st_size >= from;
    if (is_large) status = gi_csv_cache_open(path, params, &cache, error);
    if (status) return status;
    if (cache) {
        *out = gi_csv_cache_read(cache, path, params->threads);
        if (*out)
            status = gi_missing_words_copy(&params->missing, &(*out)->missing, error);
        else
            status = read_file(path, params, block_bytes, cache, &cache_failed, out, error);
    }
    if (cache_failed && !fits_memory((uint64_t)info.st_size))
        status = gi_fail(error, GLIA_IO,
                         "%s: the table is too large for memory, and could not be written to the "
                         "cache folder (glia/tables in $XDG_CACHE_HOME, or in ~/.cache); make room "
                         "there, or set XDG_CACHE_HOME to a folder with room",
                         path);
    else if (cache_failed || (!cache && !status))
        status = read_file(path, params, block_bytes, NULL, &cache_failed, out, error);
    gi_csv_cache_free(cache);
    return status;
}

glia_status gi_csv_read(const char *path, const gi_table_params *params, gi_table **out,
                        glia_error *error)
{
    return gi_csv_read_blocks(path, params, GI_CSV_BLOCK_BYTES, cached_from, out, error);
}

glia_status gi_csv_parse(const char *path, const uint8_t *bytes, size_t n_bytes,
                         const gi_table_params *params, gi_table **out, glia_error *error)
{
    return gi_csv_parse_blocks(path, bytes, n_bytes, params, GI_CSV_BLOCK_BYTES, out, error);
}

glia_status gi_csv_parse_blocks(const char *path, const uint8_t *bytes, size_t n_bytes,
                                const gi_table_params *params, size_t block_bytes, gi_table **out,
                                glia_error *error)
{
    struct reading reading = {.block_bytes = block_bytes};
    gi_csv_source_of(path, bytes, n_bytes, &reading.source);
    return read_source(&reading, params, out, error);
}
