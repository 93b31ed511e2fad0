/* SPDX-License-Identifier: MIT */
/* What the files of the reader of NumPy's arrays share. */
#ifndef GLIA_DATA_FILES_NPY_PARTS_H
#define GLIA_DATA_FILES_NPY_PARTS_H

#include "data/files/zip.h"

enum {
    GI_ARRAY_DIMS = 8,
    GI_ARRAY_WHERE = 512,
    GI_ARRAY_TEXT = 4 * 1024 + 1,
    GI_ARRAY_SHAPE = 192
};

/* Elements of a kind, and size, in the bytes of a file. */
typedef struct gi_array {
    char where[GI_ARRAY_WHERE]; /* "data.npz: x_train.npy", for messages */
    char type[24];              /* as it stands in the header */
    char kind;    /* 'b', 'i', 'u', 'f'; 'h': bfloat16; 'U', 'S': texts, of code points or bytes */
    size_t size;  /* of an element, in bytes */
    bool swapped; /* the order of bytes is the other one */
    bool fortran;
    size_t n_dims, dims[GI_ARRAY_DIMS];
    size_t rows, columns;    /* the first of dims, and the product of the others */
    const uint8_t *elements; /* (rows * columns), each of size bytes */
    uint8_t *owned;          /* that they are in; or NULL */
} gi_array;

/* What is learned from, or tested on. */
typedef struct gi_arrays {
    bool is_archive;
    gi_array x, y;
    bool has_y;
    gi_array other_y; /* that of the other split, for its classes */
    bool has_other_y;
    char note[384]; /* which arrays are read, where others are not used; or "" */
} gi_arrays;

/* ---- npy_array.c ---- */

/* where is set; the elements are borrowed. may_be_single: of no dimension, as one of one. */
glia_status gi_array_parse(const uint8_t *bytes, size_t n_bytes, bool may_be_single,
                           gi_array *array, glia_error *error);
void gi_array_free(gi_array *array);

bool gi_array_has_texts(const gi_array *array);

/* Its shape as Python writes it, such as (150, 4); returns text. */
const char *gi_array_shape(const gi_array *array, char text[GI_ARRAY_SHAPE]);

/* An element as a number; not of texts. */
double gi_array_element(const gi_array *array, size_t index);

/*
 * Whether an element is a whole number that a double may not hold (beyond 2^53); and any element of
 * texts or whole numbers as a text: its length, SIZE_MAX if it is not Unicode.
 */
bool gi_array_is_long(const gi_array *array, size_t index);
size_t gi_array_text(const gi_array *array, size_t index, char text[GI_ARRAY_TEXT]);

/*
 * Where column `column` of row 0 is, and how far it is to the next row's. Columns number the other
 * dimensions as C does, the last index fastest.
 */
size_t gi_array_column_begin(const gi_array *array, size_t column, size_t *stride);

/* ---- npy_archive.c ---- */

/* The arrays of a file, which they point into. NOT_FOUND: it has none for the split. */
glia_status gi_arrays_read(const char *path, const uint8_t *bytes, size_t n_bytes, glia_split split,
                           gi_arrays *out, glia_error *error);
void gi_arrays_free(gi_arrays *arrays);

/* A member of an archive as an array. */
glia_status gi_npz_read(const gi_zip *zip, const gi_zip_member *member, bool may_be_single,
                        gi_array *out, glia_error *error);

/* Finds the first of the names (NULL ends them), and reads it. */
glia_status gi_npz_find(const gi_zip *zip, const char *const *names, bool may_be_single,
                        gi_array *out, bool *found, glia_error *error);

/* ---- npy_sparse.c ---- */

/*
 * A sparse matrix that scipy.sparse.save_npz wrote (csr, csc, coo, bsr, dia), spread out: (rows,
 * columns) of doubles, for which n_bytes, the file's size, has a ceiling. *found: there is one.
 */
glia_status gi_npz_read_sparse(const gi_zip *zip, size_t n_bytes, gi_array *out, bool *found,
                               glia_error *error);

/* ---- npy_labels.c ---- */

/* The classes of samples: labels (samples), and names of the n classes, one block. */
typedef struct gi_npy_labels {
    uint32_t *labels;
    char **names;
    size_t n;
} gi_npy_labels;

/*
 * The classes that y stands for, over both splits: one column of whole numbers from 0 to 65,535, or
 * of few others, or of texts, or several columns with one 1 in every row. *fits: it is such.
 */
glia_status gi_npy_find_labels(const gi_arrays *arrays, gi_npy_labels *out, bool *fits,
                               glia_error *error);
void gi_npy_labels_free(gi_npy_labels *labels);

#endif
