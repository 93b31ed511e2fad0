/* SPDX-License-Identifier: MIT */
/*
 * Sparse matrices as scipy.sparse.save_npz writes them: arrays called format, shape, data, and by
 * the format indices and indptr (csr, csc, bsr), row and col (coo), or offsets (dia). They are
 * spread out, and are then what numpy.save would have written of them.
 */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/files/gzip.h"
#include "data/files/npy_parts.h"

struct matrix {
    gi_array format, shape, data;
    gi_array first, second; /* indices and indptr; row and col; offsets */
    size_t rows, columns;
    double *dense; /* (rows, columns) */
    glia_error *error;
};

static glia_status fail(const struct matrix *m, const gi_array *array, const char *expected)
{
    return gi_fail(m->error, GLIA_BAD_FORMAT, "%s: found other elements than expected: %s",
                   array->where, expected);
}

/* An element as a whole number below a limit; false: it is none. */
static bool read_index(const gi_array *array, size_t at, size_t limit, size_t *out)
{
    if (at >= array->rows * array->columns) return false;
    const double number = gi_array_element(array, at);
    if (!(number >= 0) || number >= (double)limit) return false;
    *out = (size_t)number;
    return true;
}

static bool is_whole(const gi_array *array)
{
    return array->kind == 'i' || array->kind == 'u';
}

/* csr, csc and bsr: blocks of height x width (1 x 1), in lines along rows, or columns. */
static glia_status spread_lines(struct matrix *m, bool by_rows, size_t height, size_t width)
{
    const gi_array *indices = &m->first, *indptr = &m->second, *data = &m->data;
    const size_t lines = by_rows ? m->rows / height : m->columns;
    const size_t across = by_rows ? m->columns / width : m->rows;
    size_t begin = 0, end, index;
    if (indptr->columns != 1 || indptr->rows != lines + 1 || indices->columns != 1)
        return fail(m, indptr, "one more than there are rows or columns");
    for (size_t line = 0; line < lines; line++, begin = end) {
        if (!read_index(indptr, line + 1, data->rows + 1, &end) || end < begin)
            return fail(m, indptr, "numbers that ascend, up to that of the data");
        for (size_t i = begin; i < end; i++) {
            if (!read_index(indices, i, across, &index))
                return fail(m, indices, "numbers of rows or columns that the shape has");
            for (size_t k = 0; k < height * width; k++) {
                const size_t row = by_rows ? line * height + k / width : index;
                const size_t column = by_rows ? index * width + k % width : line;
                m->dense[row * m->columns + column] +=
                    gi_array_element(data, i * height * width + k);
            }
        }
    }
    return GLIA_OK;
}

static glia_status spread_pairs(struct matrix *m)
{
    if (m->first.rows != m->data.rows || m->second.rows != m->data.rows ||
        m->first.columns * m->second.columns * m->data.columns != 1)
        return fail(m, &m->first, "as many as the data have");
    for (size_t i = 0; i < m->data.rows; i++) {
        size_t row, column;
        if (!read_index(&m->first, i, m->rows, &row)) return fail(m, &m->first, "numbers of rows");
        if (!read_index(&m->second, i, m->columns, &column))
            return fail(m, &m->second, "numbers of columns");
        m->dense[row * m->columns + column] += gi_array_element(&m->data, i);
    }
    return GLIA_OK;
}

/* data (diagonals, length): element k of a diagonal is in column k. */
static glia_status spread_diagonals(struct matrix *m)
{
    if (m->first.columns != 1 || m->first.rows != m->data.rows)
        return fail(m, &m->first, "one for each row of the data");
    for (size_t d = 0; d < m->data.rows; d++) {
        const double offset = gi_array_element(&m->first, d);
        for (size_t column = 0; column < m->columns && column < m->data.columns; column++) {
            const double row = (double)column - offset;
            if (!(row >= 0) || row >= (double)m->rows) continue;
            m->dense[(size_t)row * m->columns + column] +=
                gi_array_element(&m->data, d * m->data.columns + column);
        }
    }
    return GLIA_OK;
}

static glia_status spread(struct matrix *m, const char *format)
{
    const gi_array *data = &m->data;
    if (data->fortran && data->n_dims > 1)
        return gi_fail(m->error, GLIA_BAD_FORMAT,
                       "%s: found it in Fortran's order, expected C's; save the matrix as csr "
                       "(matrix.tocsr())",
                       data->where);
    if (strcmp(format, "bsr") == 0) {
        if (data->n_dims != 3 || m->rows % data->dims[1] != 0 || m->columns % data->dims[2] != 0)
            return fail(m, data, "blocks that fill the shape");
        return spread_lines(m, true, data->dims[1], data->dims[2]);
    }
    if (strcmp(format, "dia") == 0) return spread_diagonals(m);
    if (data->columns != 1) return fail(m, data, "one dimension");
    if (strcmp(format, "coo") == 0) return spread_pairs(m);
    return spread_lines(m, strcmp(format, "csr") == 0, 1, 1);
}

/* The arrays beside data that a format has. */
static glia_status read_parts(struct matrix *m, const gi_zip *zip, const char *format)
{
    static const char *const names[][2] = {
        {"indices", "indptr"}, {"row", "col"}, {"offsets", NULL}};
    const size_t k = strcmp(format, "coo") == 0 ? 1 : strcmp(format, "dia") == 0 ? 2 : 0;
    const bool is_known = k > 0 || strcmp(format, "csr") == 0 || strcmp(format, "csc") == 0 ||
                          strcmp(format, "bsr") == 0;
    if (!is_known)
        return gi_fail(m->error, GLIA_BAD_FORMAT,
                       "%s: found another format, expected csr, csc, coo, bsr or dia; save the "
                       "matrix as csr (matrix.tocsr())",
                       m->format.where);
    gi_array *const parts[] = {&m->first, &m->second};
    for (size_t i = 0; i < 2 && names[k][i]; i++) {
        bool found;
        const char *const name[] = {names[k][i], NULL};
        const glia_status status = gi_npz_find(zip, name, false, parts[i], &found, m->error);
        if (status) return status;
        if (!found || !is_whole(parts[i]))
            return gi_fail(m->error, GLIA_BAD_FORMAT,
                           "%s: found a sparse matrix without whole numbers %s.npy, which its "
                           "format has; save it again with scipy.sparse.save_npz",
                           zip->path, names[k][i]);
    }
    return GLIA_OK;
}

/* Room for all elements. */
static glia_status make_room(struct matrix *m, const gi_zip *zip, size_t n_bytes)
{
    enum { MOST = 1 << 30 };
    const size_t ceiling = gi_gzip_ceiling(n_bytes);
    if (!is_whole(&m->shape) || m->shape.rows * m->shape.columns != 2 ||
        !read_index(&m->shape, 0, MOST, &m->rows) || !read_index(&m->shape, 1, MOST, &m->columns) ||
        m->rows == 0 || m->columns == 0)
        return fail(m, &m->shape, "two whole numbers from 1 to 2^30");
    if (m->rows > ceiling / sizeof(double) / m->columns)
        return gi_fail(m->error, GLIA_BAD_FORMAT,
                       "%s: found a sparse matrix of %zu rows and %zu columns, too large to be "
                       "spread out as a table; write it as sparse text "
                       "(sklearn.datasets.dump_svmlight_file)",
                       zip->path, m->rows, m->columns);
    m->dense = gi_alloc(m->rows * m->columns, sizeof *m->dense, zip->path, m->error);
    return m->dense ? GLIA_OK : GLIA_NO_MEMORY;
}

/* What the matrix becomes. */
static void fill_array(struct matrix *m, const gi_zip *zip, const char *format, gi_array *out)
{
    *out = (gi_array){.kind = 'f',
                      .size = sizeof(double),
                      .n_dims = 2,
                      .dims = {m->rows, m->columns},
                      .rows = m->rows,
                      .columns = m->columns,
                      .elements = (const uint8_t *)m->dense,
                      .owned = (uint8_t *)m->dense};
    snprintf(out->where, sizeof out->where, "%s", zip->path);
    snprintf(out->type, sizeof out->type, "%.3s of SciPy's", format);
    m->dense = NULL;
}

glia_status gi_npz_read_sparse(const gi_zip *zip, size_t n_bytes, gi_array *out, bool *found,
                               glia_error *error)
{
    static const char *const format_name[] = {"format", NULL},
                             *const shape_name[] = {"shape", NULL},
                             *const data_name[] = {"data", NULL};
    struct matrix m = {.error = error};
    char format[GI_ARRAY_TEXT];
    bool has_shape = false, has_data = false;
    glia_status status = gi_npz_find(zip, format_name, true, &m.format, found, error);
    *found = !status && *found && gi_array_has_texts(&m.format);
    if (status || !*found) goto cleanup;
    status = gi_npz_find(zip, shape_name, false, &m.shape, &has_shape, error);
    if (!status && has_shape)
        status = gi_npz_find(zip, data_name, false, &m.data, &has_data, error);
    *found = has_shape && has_data && !gi_array_has_texts(&m.data) &&
             gi_array_text(&m.format, 0, format) != SIZE_MAX;
    if (status || !*found) goto cleanup;
    status = read_parts(&m, zip, format);
    if (!status) status = make_room(&m, zip, n_bytes);
    if (!status) status = spread(&m, format);
    if (!status) fill_array(&m, zip, format, out);
cleanup:
    gi_array_free(&m.format);
    gi_array_free(&m.shape);
    gi_array_free(&m.data);
    gi_array_free(&m.first);
    gi_array_free(&m.second);
    gi_free(m.dense);
    return status;
}
