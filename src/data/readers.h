/* SPDX-License-Identifier: MIT */
/*
 * The readers: bytes from outside become data sets and images. Each trusts nothing: a size is
 * checked against the bytes that are there before it is used, and a message names the file, the
 * byte, what was found, what was expected, and what to do. All read from memory, so that a fuzzer
 * can call them.
 */
#ifndef GLIA_DATA_READERS_H
#define GLIA_DATA_READERS_H

#include "base/file.h"
#include "base/status.h"
#include "data/table/table.h"
#include "model/image_form.h"

/* ---- file_set.c ---- */

struct gi_reading;
struct gi_table;

/* Whether a name is that of a file, or "-", rather than of a folder or a known set. */
bool gi_is_file_set(const char *name);

/* The table in a file, read as `reading` says, NULL: as is found out. */
glia_status gi_file_set_read(const char *path, const glia_data_params *params,
                             const struct gi_reading *reading, struct gi_table **out,
                             glia_error *error);

/* The same as a data set, whatever is in the file. NOT_FOUND: it has no such split. */
glia_status gi_file_set_open(const char *path, glia_split split, const glia_data_params *params,
                             const struct gi_reading *reading, glia_dataset **out,
                             glia_error *error);

/* ---- idx.c: LeCun's IDX format ---- */

/* An array of unsigned bytes of up to 4 dimensions; labels may be 32-bit integers, big-endian. */
typedef struct gi_idx {
    size_t n_dims;
    size_t dims[4];
    size_t width;        /* of an element: 1, or 4 */
    size_t size;         /* product of dims and width: bytes of data */
    const uint8_t *data; /* into the caller's bytes, or into owned */
    uint8_t *owned;      /* the decompressed file; freed by gi_idx_free; else NULL */
} gi_idx;

/*
 * Reads IDX from bytes (path is for messages), compressed by gzip or not (told by the magic
 * number). Uncompressed data is borrowed from bytes. Refuses other element types than u8, more
 * than 4 dimensions, sizes that do not match the bytes exactly, and what gi_gzip_decompress does.
 */
glia_status gi_idx_parse(const char *path, const uint8_t *bytes, size_t n_bytes, gi_idx *out,
                         glia_error *error);
void gi_idx_free(gi_idx *idx);

/* The same of labels, which may be integers of 32 bits. */
glia_status gi_idx_parse_labels(const char *path, const uint8_t *bytes, size_t n_bytes, gi_idx *out,
                                glia_error *error);

/*
 * One split from a folder of IDX files (gi_idx_find_file). name is the data set's. class_names
 * (classes), or NULL: the labels themselves. classes 0: those that are labels of either split.
 * Images of (n, height, width) or (n, features). Uncompressed images stay in the mapped file. form
 * is GI_FORM_SCALE for images; who knows better sets it.
 */
glia_status gi_idx_open_folder(const char *folder, const char *name, glia_split split,
                               const char *const *class_names, size_t classes, glia_dataset **out,
                               glia_error *error);

/* The four file names, [split][0] images, [split][1] labels, without ".gz". */
extern const char *const gi_idx_file_names[2][2];

/* The path of a file of a folder, plain before ".gz"; found says whether it is there. NULL: no
 * memory. Freed with gi_free. */
char *gi_idx_find(const char *folder, const char *file, bool *found, glia_error *error);

/*
 * The path of the images or labels of a split, by their usual name, or by one like it: with words
 * before it (emnist-letters-train-images-idx3-ubyte), with a point (train-images.idx3-ubyte), with
 * test for t10k, or idx2-int. *out is NULL if there is none. BAD_FORMAT: there are several.
 */
glia_status gi_idx_find_file(const char *folder, glia_split split, bool are_labels, char **out,
                             glia_error *error);

/* ---- gzip.c ---- */

bool gi_gzip_is(const uint8_t *bytes, size_t n_bytes);

/*
 * Decompresses a gzip file (one or several members) as a whole: *out (*n_out) is freed by gi_free.
 * BAD_FORMAT when more than max_bytes come, for a wrong checksum, a file that is cut short, or
 * bytes after its end, unless they are all zero.
 */
glia_status gi_gzip_decompress(const char *path, const uint8_t *bytes, size_t n_bytes,
                               size_t max_bytes, uint8_t **out, size_t *n_out, glia_error *error);

/* The bytes of a file, or of standard input ("-"), decompressed if they are gzip; closed with
 * gi_file_close. */
glia_status gi_gzip_open(const char *path, gi_file *out, glia_error *error);

/* The beginning of a compressed text, up to room bytes, for a look at what it is: returns how many
 * there are, 0 if it cannot be read. */
size_t gi_gzip_head(const uint8_t *bytes, size_t n_bytes, char *head, size_t room);

/* The most that a compressed file of n_bytes may hold: what holds more was made to fill memory. */
size_t gi_gzip_ceiling(size_t n_bytes);

/* ---- image_file.c: PNG (where libpng is), JPEG (where libjpeg is) and PGM ---- */

/* What was noticed about an image file. */
typedef struct gi_image_traits {
    unsigned orientation; /* as EXIF counts: GI_UPRIGHT, or how it was turned, 2 to 8 */
    bool is_odd;          /* its decoder passed over bytes that do not belong there */
} gi_image_traits;

/* In grey. */
glia_status gi_image_parse(const char *path, const uint8_t *bytes, size_t n_bytes, glia_image *out,
                           glia_error *error);

/* In grey (channels 1: gi_image_convert) or in colour (3), turned as the file says. traits: or
 * NULL. */
glia_status gi_image_parse_as(const char *path, const uint8_t *bytes, size_t n_bytes,
                              size_t channels, glia_image *out, gi_image_traits *traits,
                              glia_error *error);

/* What the header of an image says, which is checked as parsing would: height and width once it is
 * turned, channels 1 or 3. */
typedef struct gi_image_kind {
    size_t height, width, channels;
} gi_image_kind;

glia_status gi_image_probe(const char *path, const uint8_t *bytes, size_t n_bytes,
                           gi_image_kind *out, glia_error *error);

/* For decoders: BAD_FORMAT for an image that is larger than is read; and room for one whose size
 * was checked. */
glia_status gi_image_check_size(const char *path, uint64_t width, uint64_t height,
                                glia_error *error);
glia_status gi_image_new(const char *path, size_t width, size_t height, size_t channels,
                         glia_image *out, glia_error *error);

/* ---- png.c, jpeg.c: images as they are stored, not turned ---- */

glia_status gi_png_parse(const char *path, const uint8_t *bytes, size_t n_bytes, size_t channels,
                         glia_image *out, glia_error *error);
glia_status gi_png_probe(const char *path, const uint8_t *bytes, size_t n_bytes, gi_image_kind *out,
                         glia_error *error);
/* is_odd: see gi_image_traits. */
glia_status gi_jpeg_parse(const char *path, const uint8_t *bytes, size_t n_bytes, size_t channels,
                          glia_image *out, bool *is_odd, glia_error *error);
glia_status gi_jpeg_probe(const char *path, const uint8_t *bytes, size_t n_bytes,
                          gi_image_kind *out, glia_error *error);

/* ---- exif.c: how an image is to be turned ---- */

enum { GI_UPRIGHT = 1 };

/* The orientation in a file's EXIF, 1 to 8; GI_UPRIGHT where it says none, or nothing sound. */
unsigned gi_exif_of_jpeg(const uint8_t *bytes, size_t n_bytes);
unsigned gi_exif_of_png(const uint8_t *bytes, size_t n_bytes);

/* Whether height and width change their places. */
bool gi_is_turned_sideways(unsigned orientation);

/* Makes an image as it is to be shown of one as it is stored. */
glia_status gi_image_turn(const char *path, unsigned orientation, glia_image *image,
                          glia_error *error);

/* ---- image_folder.c ---- */

/* One split of a folder of images: see glia_dataset_open. */
glia_status gi_image_folder_open(const char *folder, const char *name, glia_split split,
                                 const glia_data_params *params, glia_dataset **out,
                                 glia_error *error);

/* ---- image_form.c ---- */

/*
 * Brings an image into a form: pixels (height, width). See glia_network_fit_image, whose rule this
 * is. form is GI_FORM_SCALE or GI_FORM_MNIST (enum gi_image_form in data/dataset.h).
 */
glia_status gi_image_fit(const glia_image *image, int form, size_t height, size_t width,
                         uint8_t *pixels, bool *changed, glia_error *error);

/* One pixel (n_in channels, 1 or 3) as another (n_out): grey is the luma of Rec. 601 of the values
 * as they are stored, whatever file they are from; colour is three of the grey. */
void gi_image_convert(const uint8_t *in, size_t n_in, uint8_t *out, size_t n_out);

/* Scales an image whole: pixels (height, width, channels), those of the image or grey made colour
 * or the reverse. What has that size already is copied. */
glia_status gi_image_scale(const glia_image *image, size_t height, size_t width, size_t channels,
                           uint8_t *pixels, glia_error *error);

/*
 * The form that pictures are to be brought into which are like these images (n, height, width,
 * channels): GI_FORM_SCALE if all but a few are light on dark, else GI_FORM_WHOLE.
 */
enum gi_image_form gi_image_form_of(const uint8_t *pixels, size_t n, size_t height, size_t width,
                                    size_t channels);

/* ---- npy.c: NumPy's arrays, and archives of them ---- */

/*
 * A data set of bytes with a class each: an archive whose x has the type uint8 and 2 to 4
 * dimensions, (n, features), (n, height, width) or (n, height, width, channels), and whose y has
 * whole numbers from 0, one a row. *out is NULL if the file has something else, which is a table.
 * The arrays are x_train and y_train, for GLIA_TEST x_test and y_test, or x and y alone, and
 * synonyms of these. NOT_FOUND: there are none to test on.
 */
glia_status gi_npy_open(const char *path, const char *name, glia_split split, glia_dataset **out,
                        glia_error *error);
/* The same from memory, which the data set may point into. */
glia_status gi_npy_parse_bytes(const char *path, const char *name, const uint8_t *bytes,
                               size_t n_bytes, glia_split split, glia_dataset **out,
                               glia_error *error);

/*
 * A table of numbers: the columns of x are "column 1", ..., those of y "y" or "y 1", ...; of an
 * array of more dimensions than 2, all but the first are the columns. NaN is missing. A column that
 * params take for categories has whole numbers.
 */
glia_status gi_npy_read(const char *path, glia_split split, const gi_table_params *params,
                        gi_table **out, glia_error *error);
glia_status gi_npy_parse_table(const char *path, const uint8_t *bytes, size_t n_bytes,
                               glia_split split, const gi_table_params *params, gi_table **out,
                               glia_error *error);

/* ---- arff.c: the tables of Weka and OpenML ---- */

/* Whether the first line that is no comment begins with @relation or @attribute. */
bool gi_arff_is(const uint8_t *bytes, size_t n_bytes);

/*
 * A table of ARFF, dense or sparse, compressed by gzip or not. Numeric attributes are columns of
 * numbers, all others of texts: the values of a nominal one have their codes in the order in which
 * they are declared, dates are written as ISO 8601 has them. Weights of rows are a last column. A
 * column that params take for another kind is read as that. BAD_FORMAT (names line and column).
 */
glia_status gi_arff_read(const char *path, const gi_table_params *params, gi_table **out,
                         glia_error *error);
glia_status gi_arff_parse(const char *path, const uint8_t *bytes, size_t n_bytes,
                          const gi_table_params *params, gi_table **out, glia_error *error);

/* ---- libsvm.c: sparse text ---- */

/*
 * Whether most of its lines are LABEL INDEX:VALUE INDEX:VALUE ..., beside comments, blank lines and
 * lines of labels alone; not where the pairs look like columns of a table (times, scores, ratios).
 */
bool gi_libsvm_is(const uint8_t *bytes, size_t n_bytes);
/* The same, where no lines of scores (1 3:2 4:1) can be meant, though the file is named .csv. */
bool gi_libsvm_is_surely(const uint8_t *bytes, size_t n_bytes);

/*
 * A data set of its lines: indices count from 1, or from 0 if there is a 0. Several labels a line,
 * with commas between them, are GLIA_LABELS, and then a line of blanks is a sample too; one, a
 * whole number that is there twice on average, names a class; others are values; loss may say
 * otherwise. like (or NULL): a network or a data set whose features and classes they are; features
 * that it has not are left out, and its ignores_targets lets labels be absent, or anything. Files
 * may be compressed by gzip.
 */
glia_status gi_libsvm_open(const char *path, const char *name, glia_loss loss,
                           const struct gi_reading *like, glia_dataset **out, glia_error *error);
glia_status gi_libsvm_parse(const char *path, const char *name, const uint8_t *bytes,
                            size_t n_bytes, glia_loss loss, const struct gi_reading *like,
                            glia_dataset **out, glia_error *error);

/* ---- sparse.c ---- */

/* The number that a sparse file gives its first feature, 0 or 1; 0 for any other data set. */
size_t gi_sparse_first_feature(const glia_dataset *dataset);

/* ---- named.c, fetch.c ---- */

/* What fetch.c downloads: a file, from each base URL in turn, checked before it takes its name. */
typedef struct gi_download {
    const char *file;              /* "train-images-idx3-ubyte.gz" */
    const char *const *base_urls;  /* NULL-terminated */
    const char *folder;            /* where it goes; made if absent */
    const char *sha256_of_content; /* hex, of the uncompressed bytes; or NULL */
    const char *md5;               /* hex, of the file itself; or NULL */
} gi_download;

glia_status gi_fetch(const gi_download *download, glia_fetch_progress *progress, void *user,
                     glia_error *error);

#endif
