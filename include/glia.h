/* SPDX-License-Identifier: MIT */
/*
 * glia.h - the whole public interface of libglia: feed-forward neural networks in C.
 *
 * The life of a model:
 *
 *     dataset = glia_dataset_open("mnist", ...)       or glia_dataset_from_arrays(...)
 *     network = glia_network_create(...)              or glia_network_load(...)
 *     glia_train(network, dataset, ...)
 *     glia_evaluate(...), glia_predict(...), glia_network_save(...)
 *
 * Conventions that hold for every function:
 *  - A function that can fail returns a glia_status and takes a glia_error, which may be NULL.
 *    On failure the error holds a message that can be shown to a user as it is; on success it is
 *    not touched, and neither is an output argument on failure (unless said otherwise).
 *  - Every create, open or load has a free; free(NULL) does nothing.
 *  - The library never prints, never exits, and keeps no global state but the allocator.
 *  - Different networks may be used by different threads at the same time; one network may be read
 *    (predict, evaluate, save) by many threads as long as none trains it.
 *  - Matrices are row-major; shapes are written (rows, columns). A sample is one row.
 *  - A length goes with every array that is handed in. Where the network or the data set determines
 *    it, another one is refused with BAD_ARGUMENT, and nothing is read or written.
 *  - Accuracies, errors and probabilities are fractions in [0, 1]; times are seconds.
 *
 * A program that was compiled with an older header runs with a newer library of the same soversion
 * (0.MINOR before 1.0, then MAJOR):
 *  - Enumerators keep their numbers, and new ones come at the end, in lists too: a program may meet
 *    values that its header does not know. Each enumeration has its own prefix; glia_status, which
 *    stands in every call, has none.
 *  - Structs grow at their end. A function that fills or reads a struct of the caller's takes its
 *    size, in the function NAME_sized; NAME is an inline function that passes the size of its own
 *    header. What one side does not know is zero for the other, and zero means the default. Other
 *    languages call NAME_sized themselves. Structs that the library makes, and those that it hands
 *    to callbacks, are only read, by pointers; a program does not copy or index them.
 *  - glia_error, glia_image, glia_text_count, glia_unknown, glia_dataset_entry and glia_cell stay
 *    as they are for good; so does the size of glia_table_params.
 *  - What is declared here is promised, but for what is marked "Provisional", which may change in
 *    any version. So may texts for people (messages, notes, findings, plans); the names of settings
 *    and of enumerators stay.
 */
#ifndef GLIA_H
#define GLIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32) || !defined(__GNUC__)
#define GLIA_API
#else
#define GLIA_API __attribute__((visibility("default")))
#endif

/* The version of this header: "major.minor.patch", and 10,000 major + 100 minor + patch for #if. */
#define GLIA_VERSION        "0.1.0"
#define GLIA_VERSION_NUMBER 100

/* The version of the library that is linked, in both forms. */
GLIA_API const char *glia_version(void);
GLIA_API int glia_version_number(void);

/* What this build can do beyond the core: "png", "jpeg", "fetch" and "onednn", or "". */
GLIA_API const char *glia_build_features(void);

/* ---- Errors -------------------------------------------------------------------------------- */

/* X(NAME, text): the one list from which the codes, their names and their texts are made. */
#define GLIA_STATUS_LIST(X)                                                                        \
    X(OK, "done")                                                                                  \
    X(BAD_ARGUMENT, "an argument is out of its range")                                             \
    X(NO_MEMORY, "out of memory")                                                                  \
    X(NOT_FOUND, "a file or a named thing does not exist")                                         \
    X(IO, "reading or writing failed")                                                             \
    X(BAD_FORMAT, "a file is malformed")                                                           \
    X(MISMATCH, "a network and its data do not fit each other")                                    \
    X(UNSUPPORTED, "this build cannot do it")                                                      \
    X(DOWNLOAD_FAILED, "a download failed")                                                        \
    X(DIVERGED, "training diverged: the loss is no longer finite")                                 \
    X(CANCELLED, "stopped by the caller")

typedef enum glia_status {
#define X(name, text) GLIA_##name,
    GLIA_STATUS_LIST(X)
#undef X
} glia_status;

/* "BAD_FORMAT" and "a file is malformed", say. Static strings; any value is legal. */
GLIA_API const char *glia_status_name(glia_status status);
GLIA_API const char *glia_status_text(glia_status status);

/* Nothing is written to it on success. message comes first, so that = {0} is legal in C++ too. Its
 * form is fixed for good. */
typedef struct glia_error {
    char message[1024]; /* one line, UTF-8, no newline at its end */
    glia_status status;
} glia_error;

/* ---- Memory -------------------------------------------------------------------------------- */

/*
 * A program's own memory in place of aligned_alloc and free. allocate gives a block of `size` bytes
 * at a multiple of `alignment` (64; size is a multiple of it), or NULL; release takes it back. Both
 * may be called by any number of threads at the same time. To be set before any other function of
 * the library is called, for the whole process; NULL both: aligned_alloc and free. BAD_ARGUMENT:
 * one of them is NULL, or memory was taken already. Libraries that glia uses (jansson, libpng, ...)
 * keep their own ways.
 */
typedef void *glia_allocate(void *user, size_t alignment, size_t size);
typedef void glia_release(void *user, void *block);
GLIA_API glia_status glia_set_allocator(glia_allocate *allocate, glia_release *release, void *user,
                                        glia_error *error);

/* ---- Data sets ----------------------------------------------------------------------------- */

typedef enum glia_split { GLIA_SPLIT_TRAIN = 0, GLIA_SPLIT_TEST = 1 } glia_split;

/* The type of one feature of a sample in memory. */
typedef enum glia_type { GLIA_TYPE_U8 = 0, GLIA_TYPE_F32 = 1 } glia_type;

/*
 * X(NAME, text): the loss of one sample with targets t, which decides what the outputs y are.
 *   cross-entropy  -sum t log y, of classes; y = softmax z
 *   bce            -sum t log y + (1 - t) log (1 - y), of several labels; y = sigmoid z
 *   mse            sum (y - t)^2 / outputs; y = z, of the last three
 *   mae            sum |y - t| / outputs
 *   huber          sum h(y - t) / outputs, h(d) = d^2 / 2 where |d| <= 1, else |d| - 1/2
 *                  (Huber 1964, k = 1)
 *   auto           cross-entropy; of a table, what fits its target
 */
#define GLIA_LOSS_LIST(X)                                                                          \
    X(AUTO, "auto")                                                                                \
    X(CROSS_ENTROPY, "cross-entropy")                                                              \
    X(BCE, "bce")                                                                                  \
    X(MSE, "mse")                                                                                  \
    X(MAE, "mae")                                                                                  \
    X(HUBER, "huber")

typedef enum glia_loss {
#define X(name, text) GLIA_LOSS_##name,
    GLIA_LOSS_LIST(X)
#undef X
} glia_loss;

/* What is to be said of a sample. */
typedef enum glia_task {
    GLIA_TASK_CLASSES = 0, /* which one of several classes it is */
    GLIA_TASK_LABELS = 1,  /* which of several labels it has: any of them, each 0 or 1 */
    GLIA_TASK_VALUES = 2   /* one number or several */
} glia_task;

/* "classes", "labels", "values". Static; any value is legal. */
GLIA_API const char *glia_task_name(glia_task task);

/*
 * Samples (n, features) with one class label each, or with targets (n, outputs). Read-only once
 * made, so any number of threads may share it.
 */
typedef struct glia_dataset glia_dataset;

/* Called now and then during a download. Return true to go on, false to stop it. */
typedef bool glia_fetch_progress(void *user, const char *file, uint64_t done_bytes,
                                 uint64_t total_bytes /* 0: not known */);

/*
 * How the columns of a table are to be taken (CSV, TSV, NumPy's arrays). All zero: everything is
 * found out, and glia_dataset_notes says what was found. Columns go by their names, or by numbers
 * from 1. Texts and arrays are borrowed while a data set is opened. Where a message says what to
 * do, it names the field (table.drop), a setting as glia_settings_parse takes it (setting
 * loss=mse), or a function.
 */
typedef struct glia_table_params {
    const char *const *targets; /* (n_targets): what is to be predicted; none: the last column */
    size_t n_targets;
    const char *const *drop; /* (n_drop): columns to be left out */
    size_t n_drop;
    const char *const *categorical; /* (n_categorical): categories, though they look like numbers */
    size_t n_categorical;
    const char *weight; /* a column that says how much each sample counts; or NULL */
    const char *group;  /* rows with the same here are not divided by a split; or NULL */
    const char *id;     /* a column that says which row it is: it is not learned from; or NULL */
    /*
     * What the target is. GLIA_LOSS_AUTO: texts, and whole numbers of which there are at most 50
     * different ones, each twice on average, are classes; several columns of 0 and 1 are labels;
     * all other numbers are values.
     */
    glia_loss loss;
    bool skip_bad_rows;   /* leave out malformed rows, and those without a target; else they fail */
    char separator;       /* 0: found out */
    int header;           /* 1: the first line has the names of columns, -1: it has not */
    bool fail_on_unknown; /* of rows for a network, or read like others: a category that was not
                           * learned from fails; else it is read as none (glia_dataset_unknown) */
    /*
     * Words of separated values that mean a missing value (n_missing), besides an empty cell, NA,
     * NaN, NULL and their kin; missing_alone: in place of these, an empty cell apart. None, and
     * false: those that a network was trained with, when rows are read for it.
     */
    const char *const *missing;
    size_t n_missing;
    bool missing_alone;
    char decimal;   /* '.' or ',': the decimal sign of numbers; 0: found out, column by column */
    char thousands; /* '.', ',', '\'' or ' ' (any blank): between groups of digits; 0: found out */
    const void *reserved[8]; /* the place of fields to come, so that the size stays; all NULL */
} glia_table_params;

typedef struct glia_data_params {
    glia_table_params table;
    const glia_dataset *like; /* read a table, or images, as this data set has them; or NULL */
    /* Of a folder of images: what they are brought to; other data stays as it is. */
    /* Both or none. 0: as the images are; where they differ, their median height and width, reduced
     * to about 1,024 pixels. */
    size_t image_height, image_width;
    size_t image_channels; /* 1 grey, 3 red, green, blue; 0: 1 if all files are grey, else 3 */
    uint64_t seed;         /* of the generated set, "digits" */
    int threads;           /* 0: one a core */
    bool fresh;      /* digits, GLIA_SPLIT_TRAIN: new images in every epoch, drawn as needed */
    bool offline;    /* never download */
    bool keep_texts; /* a stream of rows keeps their cells as texts: see glia_dataset_cell */
    const char *directory;         /* look here (DIR/NAME/FILE) before anywhere else; or NULL */
    const char *mirror;            /* base URL that replaces the list of mirrors; or NULL */
    glia_fetch_progress *progress; /* or NULL */
    void *user;                    /* handed to progress */
} glia_data_params;

GLIA_API void glia_data_default_params_sized(glia_data_params *out, size_t size);
static inline glia_data_params glia_data_default_params(void)
{
    glia_data_params out;
    glia_data_default_params_sized(&out, sizeof out);
    return out;
}

/*
 * Opens one split of a data set.
 *
 * name: "digits" (built in), "mnist" or "fashion-mnist" (looked up in params->directory,
 * $GLIA_DATA, the user's cache, then downloaded), or the path of a folder that holds
 * train-images-idx3-ubyte, train-labels-idx1-ubyte and, for GLIA_SPLIT_TEST,
 * t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, each plain or with .gz, or with the names of
 * their kin (train-images.idx3- ubyte, emnist-letters-test-images-idx3-ubyte,
 * qmnist-train-labels-idx2-int), whose classes are the labels that are there, called so; or the
 * path of a folder of images; or the path of a file of NumPy's; or the path of a file of separated
 * values (CSV, TSV), "-" being standard input, which has no split GLIA_SPLIT_TEST: NOT_FOUND.
 * params may be NULL.
 *
 * A folder of images (PNG, JPEG, PGM by their names) is DIR/CLASS/FILE, all for training, or
 * DIR/train/CLASS/FILE and DIR/test/CLASS/FILE (without test: val, valid, validation). Classes are
 * in the order of their names, of numbers by value, and the same for both splits. If the names of
 * all files of a split are different numbers (7.png, 00012.png), that is the order of its samples;
 * else class by class, by name or number. Images in folders below that of a class are of the class.
 * What has another ending is skipped; what cannot be read fails, or is skipped too with
 * table.skip_bad_rows. glia_dataset_notes has lines about sizes, and how many were skipped, or
 * turned as their EXIF says. Images are bytes (height, width, channels), scaled by averaging areas
 * or, where they are enlarged, by bilinear interpolation.
 *
 * Of NumPy: an array (.npy) of two dimensions is a table. Of an archive (.npz) x_train and y_train
 * are taken and, for GLIA_SPLIT_TEST, x_test and y_test (or train_images, train_labels and so on);
 * where there is no x_train, x and y (or data and target, images and labels) for training; a matrix
 * of scipy.sparse.save_npz is the table that it stands for. If x is of the type uint8 and y is
 * classes (whole numbers, texts, or one 1 in every row of several columns), they are samples and
 * their classes, which are called as the values in y are, and images if x is (n, height, width) or
 * (n, height, width, channels); anything else is a table whose columns are called "column 1",
 * "column 2", ..., and y, its target. NaN is missing. Whole numbers beyond 2^53 make their column
 * one of texts.
 *
 * A file whose name ends with .arff, or that begins with @relation, is ARFF (of Weka, OpenML): a
 * table whose columns are numbers, texts and dates, as it declares them, in dense or sparse rows.
 *
 * A file most of whose lines are LABEL INDEX:VALUE INDEX:VALUE ..., or whose name ends with .svm,
 * .libsvm or .svmlight, is sparse text (LIBSVM's), compressed by gzip or not; never with
 * table.separator. Features are numbered from 1, or from 0 if there is a 0, and are taken as they
 * are. One label a line that is a whole number, each there twice on average, names a class; several
 * with commas between them are GLIA_TASK_LABELS, where a line of blanks is a sample too; other
 * numbers are values; table.loss may say otherwise. Read like another data set or for a network,
 * features that were not in the training data are left out, and glia_dataset_notes says how many
 * values.
 *
 * Errors: NOT_FOUND, IO, BAD_FORMAT, DOWNLOAD_FAILED, UNSUPPORTED, NO_MEMORY, CANCELLED.
 */
GLIA_API glia_status glia_dataset_open_sized(const char *name, glia_split split,
                                             const glia_data_params *params, size_t size,
                                             glia_dataset **out, glia_error *error);
static inline glia_status glia_dataset_open(const char *name, glia_split split,
                                            const glia_data_params *params, glia_dataset **out,
                                            glia_error *error)
{
    return glia_dataset_open_sized(name, split, params, sizeof *params, out, error);
}

/* What the file at a path would be read as. */
typedef enum glia_file_kind {
    GLIA_FILE_NONE = 0,   /* there is no file, or it is a folder */
    GLIA_FILE_VALUES = 1, /* separated values, which any other file is taken for; "-", too */
    GLIA_FILE_ARRAYS = 2, /* of NumPy, by the name: .npy, .npz */
    GLIA_FILE_SPARSE = 3, /* sparse text, by the name or by many of its lines */
    GLIA_FILE_ARFF = 4,   /* a table of Weka's, by the name or by its first line */
    GLIA_FILE_IMAGE = 5   /* PNG, JPEG or PGM, by its first bytes */
} glia_file_kind;

/* By the name and what stands at the file's beginning; params (or NULL): a separator in its table
 * says that the file is of separated values. */
GLIA_API glia_file_kind glia_file_kind_of_sized(const char *path, const glia_data_params *params,
                                                size_t size);
static inline glia_file_kind glia_file_kind_of(const char *path, const glia_data_params *params)
{
    return glia_file_kind_of_sized(path, params, sizeof *params);
}

/*
 * Wraps arrays of the caller, which are borrowed: they must stay as they are until the data set
 * is freed. features: (samples, n_features) of the given type; labels: (samples), each below
 * n_classes. U8 features are read as bytes whose range is 0..255 and are scaled by 1/255. F32
 * features enter a network as they are; those on different scales, or far from 0, want one that
 * standardises them (the setting standardise).
 */
GLIA_API glia_status glia_dataset_from_arrays(glia_type type, const void *features,
                                              const uint32_t *labels, size_t samples,
                                              size_t n_features, size_t n_classes,
                                              glia_dataset **out, glia_error *error);

/*
 * The same with targets (samples, n_targets) in place of classes, borrowed too: of GLIA_TASK_LABELS
 * each 0 or 1, of GLIA_TASK_VALUES finite. BAD_ARGUMENT for GLIA_TASK_CLASSES.
 */
GLIA_API glia_status glia_dataset_from_targets(glia_type type, const void *features,
                                               const float *targets, size_t samples,
                                               size_t n_features, size_t n_targets, glia_task task,
                                               glia_dataset **out, glia_error *error);

/* The same with targets that are doubles: values that floats do not tell apart, as times. */
GLIA_API glia_status glia_dataset_from_targets_f64(glia_type type, const void *features,
                                                   const double *targets, size_t samples,
                                                   size_t n_features, size_t n_targets,
                                                   glia_task task, glia_dataset **out,
                                                   glia_error *error);

/*
 * Samples that the program makes when they are asked for: data larger than memory, or in a form of
 * its own. Any number of threads may call these functions at the same time, each row as often as
 * they like, and the same row is the same each time. They cannot fail.
 */
typedef struct glia_row_source {
    size_t samples, features;
    size_t outputs; /* classes, labels or values */
    glia_task task;
    glia_type type; /* of dense rows; sparse ones are F32 */
    /* A dense row into x (features), of the type; or: */
    void (*read)(void *user, size_t row, void *x);
    /* a sparse row: its non-zeros into index and value, at most most_nonzeros, indices from 0 and
     * ascending; returns how many. */
    size_t (*read_sparse)(void *user, size_t row, uint32_t *index, float *value);
    size_t most_nonzeros;
    /* Of classes, the one of a row, below outputs; else: */
    uint32_t (*label)(void *user, size_t row);
    /* targets (n) of a row from output `first` on: 0 or 1 of labels, finite values. */
    void (*targets)(void *user, size_t row, size_t first, size_t n, double *targets);
    void (*free)(void *user); /* when no data set needs the rows any more; or NULL */
    void *user;               /* handed to each */
} glia_row_source;

/*
 * A data set of these rows, of which none is kept. Each is read once, to check it, which is also
 * how a resumed training knows that they are the same. BAD_ARGUMENT: a row is not as it should be,
 * or functions are missing: read or read_sparse, label or targets; free is then not called.
 */
GLIA_API glia_status glia_dataset_from_rows_sized(const glia_row_source *source, size_t size,
                                                  glia_dataset **out, glia_error *error);
static inline glia_status glia_dataset_from_rows(const glia_row_source *source, glia_dataset **out,
                                                 glia_error *error)
{
    return glia_dataset_from_rows_sized(source, sizeof *source, out, error);
}

/*
 * Says what the samples of a data set are, for a network to keep: images of height x width
 * pixels, grey or (height, width, 3) in colour (BAD_ARGUMENT unless the features are so many),
 * which lets it read pictures by glia_network_fit_image; the names of its classes (n of them,
 * copied).
 */
GLIA_API glia_status glia_dataset_set_images(glia_dataset *dataset, size_t height, size_t width,
                                             glia_error *error);
GLIA_API glia_status glia_dataset_set_class_names(glia_dataset *dataset, const char *const *names,
                                                  size_t n, glia_error *error);

/*
 * How much each sample counts in training: weights (n samples), copied, finite and not below 0, not
 * all 0. Parts that were held out before have none. BAD_ARGUMENT, NO_MEMORY.
 */
GLIA_API glia_status glia_dataset_set_weights(glia_dataset *dataset, const float *weights, size_t n,
                                              glia_error *error);

/*
 * Splits a data set into two that share its samples, stratified: each class gives the same
 * fraction, as nearly as whole samples allow. Samples of a group (glia_table_params) stay together,
 * and there are then as many as whole groups allow, not stratified. held_out >= 1 is a count of
 * samples, 0 < held_out < 1 a fraction. Both results borrow from the data set and must be freed
 * before it. Of a table, what is known of its columns (their means, categories) is learned anew,
 * from the rest alone, and both are read by that.
 * BAD_ARGUMENT when either part would be empty, and for digits opened with fresh, whose images are
 * other ones in every epoch: open digits a second time with another seed, and validate on that.
 */
GLIA_API glia_status glia_dataset_hold_out(const glia_dataset *dataset, double held_out,
                                           uint64_t seed, glia_dataset **rest, glia_dataset **held,
                                           glia_error *error);

/* The same, but what is held out are the last samples: for series, whose past predicts the future.
 */
GLIA_API glia_status glia_dataset_hold_out_last(const glia_dataset *dataset, double held_out,
                                                glia_dataset **rest, glia_dataset **held,
                                                glia_error *error);

/*
 * The same for cross-validation: fold (from 0) of n_folds, between 2 and the number of samples.
 * Each sample is held out in one fold; classes are spread evenly, groups stay together.
 */
GLIA_API glia_status glia_dataset_fold(const glia_dataset *dataset, size_t fold, size_t n_folds,
                                       uint64_t seed, glia_dataset **rest, glia_dataset **held,
                                       glia_error *error);

/*
 * Reads a table's samples as another data set reads its own: a part that was held out earlier, say,
 * by what a smaller training part has taught. Columns go by name. MISMATCH, BAD_FORMAT (a class
 * that the other has not; a category, where it was opened with fail_on_unknown).
 */
GLIA_API glia_status glia_dataset_read_like(glia_dataset *dataset, const glia_dataset *like,
                                            glia_error *error);

GLIA_API void glia_dataset_free(glia_dataset *dataset);

typedef struct glia_dataset_info {
    const char *name; /* owned by the data set; "arrays" for glia_dataset_from_arrays */
    glia_type type;
    glia_task task;
    size_t samples;
    size_t features;
    size_t classes; /* of GLIA_TASK_LABELS and GLIA_TASK_VALUES: how many targets a sample has */
    size_t height, width; /* of an image, else 0: height * width * channels = features */
    size_t channels;      /* of an image 1, grey, or 3, red, green and blue; else 0 */
    size_t columns;       /* of a table, that are learned from; else 0 */
    bool light_on_dark;   /* of grey images: all but a few are light on dark, as MNIST's are */
} glia_dataset_info;

GLIA_API void glia_dataset_describe_sized(const glia_dataset *dataset, glia_dataset_info *out,
                                          size_t size);
static inline glia_dataset_info glia_dataset_describe(const glia_dataset *dataset)
{
    glia_dataset_info out;
    glia_dataset_describe_sized(dataset, &out, sizeof out);
    return out;
}

/*
 * What was found out when it was opened, for people: lines of text, such as how cells are
 * separated, and what the target was taken for and how to have it otherwise. "" if nothing was;
 * owned by the data set.
 */
GLIA_API const char *glia_dataset_notes(const glia_dataset *dataset);

/* The cells of a column of a table with categories that were not among those learned from. They are
 * read as none: none of the column's features is 1. */
typedef struct glia_unknown {
    const char *column;
    uint64_t cells;
    const char *const *categories; /* (n_categories): the first of them, at most 8 */
    size_t n_categories;
    bool has_more; /* there are others */
} glia_unknown;

/* Those of a data set, (n), columns in their order; n is 0 if there are none, or no table. *out is
 * to be freed by glia_unknown_free. */
GLIA_API glia_status glia_dataset_unknown(const glia_dataset *dataset, glia_unknown **out,
                                          size_t *n, glia_error *error);
GLIA_API void glia_unknown_free(glia_unknown *list);

/* The name of a class ("7", "Ankle boot"); owned by the data set; NULL past the last class. */
GLIA_API const char *glia_dataset_class_name(const glia_dataset *dataset, size_t index);

/*
 * Copies one sample: x (n_features) of the data set's type, and its label. Either may be NULL.
 * BAD_ARGUMENT when index is past the last sample.
 */
GLIA_API glia_status glia_dataset_sample(const glia_dataset *dataset, size_t index, void *x,
                                         size_t n_features, uint32_t *label, glia_error *error);

/*
 * Copies the targets (n_targets) of one sample of a set of labels or values. BAD_ARGUMENT when
 * index is past the last sample, and for a set of classes.
 */
GLIA_API glia_status glia_dataset_sample_targets(const glia_dataset *dataset, size_t index,
                                                 float *targets, size_t n_targets,
                                                 glia_error *error);
GLIA_API glia_status glia_dataset_sample_targets_f64(const glia_dataset *dataset, size_t index,
                                                     double *targets, size_t n_targets,
                                                     glia_error *error);

/* A line of the table of data sets known by name. */
typedef struct glia_dataset_entry {
    const char *name;        /* static */
    const char *description; /* static */
    const char *license;     /* static */
    bool built_in;
    bool present; /* found on this machine, all four files */
    char *path;   /* where: freed by glia_dataset_list_free; NULL if built in or absent */
} glia_dataset_entry;

/* Lists the data sets known by name. */
GLIA_API glia_status glia_dataset_list_sized(const glia_data_params *params, size_t size,
                                             glia_dataset_entry **out, size_t *count,
                                             glia_error *error);
static inline glia_status glia_dataset_list(const glia_data_params *params,
                                            glia_dataset_entry **out, size_t *count,
                                            glia_error *error)
{
    return glia_dataset_list_sized(params, sizeof *params, out, count, error);
}
GLIA_API void glia_dataset_list_free(glia_dataset_entry *entries, size_t count);

/*
 * Makes sure that the four files of a named data set are on this machine, downloading what is
 * missing into the user's cache ($XDG_CACHE_HOME/glia/NAME, else ~/.cache/glia/NAME). Each file
 * is checked (SHA-256, or the published MD5) before it takes its name: an interrupted or corrupted
 * download leaves nothing behind.
 */
GLIA_API glia_status glia_dataset_fetch_sized(const char *name, const glia_data_params *params,
                                              size_t size, glia_error *error);
static inline glia_status glia_dataset_fetch(const char *name, const glia_data_params *params,
                                             glia_error *error)
{
    return glia_dataset_fetch_sized(name, params, sizeof *params, error);
}

/* ---- What is in a data set ----------------------------------------------------------------- */

/* Provisional, to the end of this section. */

typedef enum glia_severity {
    GLIA_SEVERITY_SEVERE = 0,  /* training fails, or its result means little */
    GLIA_SEVERITY_WARNING = 1, /* the result is likely to be worse than it could be */
    GLIA_SEVERITY_NOTE = 2
} glia_severity;

/* "severe", "warning", "note". Static; any value is legal. */
GLIA_API const char *glia_severity_name(glia_severity severity);

/*
 * X(NAME, text): what a survey may find.
 *   unusable           training would fail; the message says why
 *   target-missing     rows without a target; value: how many
 *   target-unique      nearly every row has a class of its own; value: the classes
 *   leak               a column alone tells the target; value: how much of the error of guessing it
 *                      takes away, in rows that it was not learned from
 *   contradictions     rows alike in all features, with different classes; value: how many
 *   duplicates         rows that are there before; value: how many
 *   identifier         columns with another value in each row
 *   many-texts         columns with so many texts that each is rare
 *   numbers-as-text    numbers that are not written as such; value: their part of the cells
 *   dates              dates or times, which are read as texts; value: the same
 *   rare-class         classes with less than 5 rows; value: how many
 *   imbalance          value: the largest class divided by the smallest
 *   bad-rows           malformed rows were left out; value: how many
 *   outlier            a number far from all others; value: how many standard deviations of those
 *   unscaled           features of sparse text that are large; value: their root mean square
 *   target-name        a column that is not the target has the name of one
 *   missing-word       a text that seems to say that a cell is missing; value: how many cells
 *   similar-texts      texts that differ in capitals or blanks alone
 *   codes              whole numbers that seem to be categories
 *   groups             rows that seem to belong together
 *   copies             columns that say the same
 *   mostly-missing     columns of which most cells are missing
 *   empty              columns without any value
 *   constant           columns of one value
 *   few-rows           fewer rows than features, or hardly any
 */
#define GLIA_FINDING_LIST(X)                                                                       \
    X(UNUSABLE, "unusable")                                                                        \
    X(TARGET_MISSING, "target-missing")                                                            \
    X(TARGET_UNIQUE, "target-unique")                                                              \
    X(LEAK, "leak")                                                                                \
    X(CONTRADICTIONS, "contradictions")                                                            \
    X(DUPLICATES, "duplicates")                                                                    \
    X(IDENTIFIER, "identifier")                                                                    \
    X(MANY_TEXTS, "many-texts")                                                                    \
    X(NUMBERS_AS_TEXT, "numbers-as-text")                                                          \
    X(DATES, "dates")                                                                              \
    X(RARE_CLASS, "rare-class")                                                                    \
    X(IMBALANCE, "imbalance")                                                                      \
    X(BAD_ROWS, "bad-rows")                                                                        \
    X(OUTLIER, "outlier")                                                                          \
    X(UNSCALED, "unscaled")                                                                        \
    X(TARGET_NAME, "target-name")                                                                  \
    X(MISSING_WORD, "missing-word")                                                                \
    X(SIMILAR_TEXTS, "similar-texts")                                                              \
    X(CODES, "codes")                                                                              \
    X(GROUPS, "groups")                                                                            \
    X(COPIES, "copies")                                                                            \
    X(MOSTLY_MISSING, "mostly-missing")                                                            \
    X(EMPTY, "empty")                                                                              \
    X(CONSTANT, "constant")                                                                        \
    X(FEW_ROWS, "few-rows")

typedef enum glia_finding_kind {
#define X(name, text) GLIA_FINDING_##name,
    GLIA_FINDING_LIST(X)
#undef X
} glia_finding_kind;

typedef struct glia_finding {
    glia_finding_kind kind;
    glia_severity severity;
    const size_t *columns; /* (n_columns): indices of those that it is about; none: of the whole */
    size_t n_columns;
    uint64_t lines[2];   /* where in the file, from 1; 0: nowhere, or a file without lines */
    double value;        /* GLIA_FINDING_LIST says of each kind what it is; or NAN */
    const char *message; /* one line, UTF-8: what was seen, and what to do about it */
} glia_finding;

typedef enum glia_column_kind {
    GLIA_COLUMN_NUMBERS = 0,
    GLIA_COLUMN_CATEGORIES = 1, /* texts */
    GLIA_COLUMN_IGNORED = 2,    /* left out; see why */
    GLIA_COLUMN_DATES = 3       /* dates or times, of which numbers are read */
} glia_column_kind;

typedef enum glia_column_role {
    GLIA_ROLE_FEATURE = 0,
    GLIA_ROLE_TARGET = 1,
    GLIA_ROLE_WEIGHT = 2,
    GLIA_ROLE_GROUP = 3,
    GLIA_ROLE_NONE = 4 /* left out */
} glia_column_role;

/* A text, or the name of a class, and in how many rows it stands. */
typedef struct glia_text_count {
    const char *text;
    uint64_t count;
} glia_text_count;

typedef struct glia_column_survey {
    const char *name;
    glia_column_kind kind;
    glia_column_role role;
    const char *why;    /* it is ignored; or NULL */
    uint64_t missing;   /* cells; of a column that is ignored 0 */
    uint64_t different; /* values; if has_more, there are more than these */
    bool has_more;
    bool is_whole;              /* all of its numbers are whole */
    double min, max, mean, sd;  /* of numbers, each counting once; else NAN */
    const glia_text_count *top; /* (n_top): of categories, the most frequent first */
    size_t n_top;
    bool drop, categorical; /* what is suggested: to leave it out, to take it for categories */
    size_t features;        /* how many a network reads of it */
} glia_column_survey;

/* What is seen in a data set before anything is learned from it. */
typedef struct glia_survey {
    const char *name;
    bool is_table;    /* else there are no columns: images, say */
    uint64_t bytes;   /* of the file; 0: not known */
    uint64_t rows;    /* samples; without those left out */
    uint64_t skipped; /* rows that are malformed and were left out */
    uint64_t
        checked_rows; /* of which duplicates were looked for; below rows, others are estimated */
    uint64_t sampled_rows; /* in which leaks and copies were looked for */
    const char *how;       /* it was read: "comma-separated, first line is a header"; of other sets
                            * glia_dataset_notes, which may be several lines; or "" */
    size_t n_columns;      /* glia_survey_column */
    bool has_task;         /* else no task was found, and a finding says why */
    glia_task task;
    const char *task_note; /* why it is taken, and how to have another; or "" */
    size_t features;       /* that a network would read; 0: not known */
    size_t n_classes;
    const glia_text_count *classes; /* (n_classes), if these are classes */
    size_t n_findings;              /* glia_survey_finding */
    /* What is suggested, beside what is said of columns. */
    bool can_train; /* with all of that */
    bool balance_classes;
    bool skip_bad_rows;
    bool standardise; /* GLIA_PREPROCESS_STANDARDISE */
} glia_survey;

/*
 * Looks through a data set as glia_dataset_open would open it for training: what its columns hold,
 * what it would be taken for, what is wrong with it. Files of any size: numbers beyond some ten
 * thousand different ones are not counted, duplicates are looked for in a part of the rows if there
 * are more than a million, leaks in a sample of them. Errors as of glia_dataset_open; what keeps
 * rows that could be read from being learned from is a finding.
 */
GLIA_API glia_status glia_survey_make_sized(const char *name, const glia_data_params *params,
                                            size_t size, glia_survey **out, glia_error *error);
static inline glia_status glia_survey_make(const char *name, const glia_data_params *params,
                                           glia_survey **out, glia_error *error)
{
    return glia_survey_make_sized(name, params, sizeof *params, out, error);
}
/*
 * The same of a data set that is open, before it is trained on, in a small part of the time that
 * opening it took: of a table with many cells findings are looked for in a sample of the rows, and
 * those that concern all rows are left out. Data sets that glia_dataset_open_for opened, and those
 * made of arrays, have no columns to look at. BAD_ARGUMENT, NO_MEMORY.
 */
GLIA_API glia_status glia_survey_dataset(const glia_dataset *dataset, glia_survey **out,
                                         glia_error *error);
GLIA_API void glia_survey_free(glia_survey *survey);

/* The columns in their order, the findings with the most serious first; owned by the survey; NULL
 * past the last. */
GLIA_API const glia_column_survey *glia_survey_column(const glia_survey *survey, size_t index);
GLIA_API const glia_finding *glia_survey_finding(const glia_survey *survey, size_t index);

/* "leak", "identifier", ...; "?" for a value that is none. */
GLIA_API const char *glia_finding_name(glia_finding_kind kind);

/* ---- Images -------------------------------------------------------------------------------- */

/*
 * An image, row by row from the top: pixels (height, width), 0 black to 255 white, or (height,
 * width, 3), each red, green, blue.
 */
typedef struct glia_image {
    size_t width, height;
    uint8_t *pixels; /* owned; freed by glia_image_free */
    size_t channels; /* 3: colour; else grey */
} glia_image;

/*
 * Reads a PNG, JPEG or PGM (P2, P5) file, told apart by their content; path "-" is standard input.
 * In grey, which of colours is the luma of Rec. 601 of the values as they are stored; on white, or
 * on black if all would be white; turned as its EXIF says. At most 16,384 pixels a side and 2^26
 * pixels in all.
 */
GLIA_API glia_status glia_image_read(const char *path, glia_image *out, glia_error *error);

/* The same in grey (channels 1) or in colour (3). */
GLIA_API glia_status glia_image_read_as(const char *path, size_t channels, glia_image *out,
                                        glia_error *error);

/* Frees the pixels and clears the struct; an all-zero struct is legal. */
GLIA_API void glia_image_free(glia_image *image);

/* Writes an 8-bit grey PNG, atomically. */
GLIA_API glia_status glia_image_write_png(const char *path, const uint8_t *pixels, size_t width,
                                          size_t height, glia_error *error);

/* The same of an image, grey or in colour. */
GLIA_API glia_status glia_image_write(const char *path, const glia_image *image, glia_error *error);

/* ---- Engines ------------------------------------------------------------------------------- */

/*
 * X(NAME, text): what computes.
 *   auto       native in f32, onednn in bf16; glia_train_result.plan says what, and why
 *   reference  plain loops, the oracle of the others
 *   native     glia's own kernels, which skip the zeros of sparse input
 *   onednn     oneDNN's products of matrices, where this build has it; single samples are learned
 *              from by the fused step of the others, in f32
 */
#define GLIA_ENGINE_LIST(X)                                                                        \
    X(AUTO, "auto")                                                                                \
    X(REFERENCE, "reference")                                                                      \
    X(NATIVE, "native")                                                                            \
    X(ONEDNN, "onednn")

typedef enum glia_engine {
#define X(name, text) GLIA_ENGINE_##name,
    GLIA_ENGINE_LIST(X)
#undef X
} glia_engine;

/*
 * X(NAME, text): what weights and activations are multiplied in. Parameters are f32 in both; bf16
 * rounds the factors of each product to 8 bits of significand and sums in f32.
 */
#define GLIA_PRECISION_LIST(X)                                                                     \
    X(F32, "f32")                                                                                  \
    X(BF16, "bf16")

typedef enum glia_precision {
#define X(name, text) GLIA_PRECISION_##name,
    GLIA_PRECISION_LIST(X)
#undef X
} glia_precision;

/* Room for a line that says what was chosen, and why: for good. */
enum { GLIA_PLAN_TEXT = 256 };

GLIA_API const char *glia_engine_name(glia_engine engine);
GLIA_API bool glia_engine_from_name(const char *name, glia_engine *out);
GLIA_API const char *glia_precision_name(glia_precision precision);
GLIA_API bool glia_precision_from_name(const char *name, glia_precision *out);

/* ---- Settings ------------------------------------------------------------------------------ */

/*
 * What a network is to be, and how it is to be trained: numbers and choices by their names, which
 * are those of glia train's options ("lr-end", or "lr_end"). glia_settings_count and glia_setting_*
 * list them; glia help train says what each means. A setting that was not set has its default; one
 * whose default is "auto" is decided by others, or by the data. Used by one thread at a time;
 * whoever takes settings as const only reads them, and keeps none.
 */
typedef struct glia_settings glia_settings;

GLIA_API glia_status glia_settings_create(glia_settings **out, glia_error *error);
GLIA_API glia_status glia_settings_copy(const glia_settings *settings, glia_settings **out,
                                        glia_error *error);
GLIA_API void glia_settings_free(glia_settings *settings); /* or NULL */

/*
 * Sets one from a text, as it would be typed: "0.2", "adam", "512,256", "yes" and "no" of what is
 * done or not, "auto" of what can be decided by others; NULL: its default again. BAD_ARGUMENT:
 * there is no such setting, or the value is out of its bounds: it is as before. NO_MEMORY.
 */
GLIA_API glia_status glia_settings_set(glia_settings *settings, const char *name, const char *value,
                                       glia_error *error);

/*
 * Sets several, in a text of NAME=VALUE with blanks between: "hidden=8 activation=tanh batch=1".
 * The first that is wrong ends it: those before it are set.
 */
GLIA_API glia_status glia_settings_parse(glia_settings *settings, const char *text,
                                         glia_error *error);

/*
 * Checks all, and decides what is automatic and does not depend on data: the learning rate by the
 * optimizer, say, as glia_train does. BAD_ARGUMENT.
 */
GLIA_API glia_status glia_settings_settle(glia_settings *settings, glia_error *error);

/* The same as glia_settings_set from a number, of a choice its enumerator; and from several:
 * "hidden" and "class-weights" (values (n)). */
GLIA_API glia_status glia_settings_set_number(glia_settings *settings, const char *name,
                                              double value, glia_error *error);
GLIA_API glia_status glia_settings_set_list(glia_settings *settings, const char *name,
                                            const double *values, size_t n, glia_error *error);

/* Whether it was set, not left at its default. */
GLIA_API bool glia_settings_is_set(const glia_settings *settings, const char *name);

/*
 * Its value: a number, of a choice its enumerator, NAN of one that is automatic, of a list and of
 * an unknown name; the same as an integer, which holds a seed of 64 bits (0 of what is none);
 * the numbers of a list, of which at most `most` are written, and how many there are.
 */
GLIA_API double glia_settings_number(const glia_settings *settings, const char *name);
GLIA_API uint64_t glia_settings_integer(const glia_settings *settings, const char *name);
GLIA_API size_t glia_settings_list(const glia_settings *settings, const char *name, double *values,
                                   size_t most);

/* Its value as a text that glia_settings_set takes, cut to size; returns the length of the whole
 * text; 0 of an unknown name. */
GLIA_API size_t glia_settings_get(const glia_settings *settings, const char *name, char *text,
                                  size_t size);

/* All of them as one JSON object, to be freed by glia_string_free: numbers, texts, lists; null of
 * one that is automatic; a seed above 2^53 is a text. NO_MEMORY. */
GLIA_API glia_status glia_settings_json(const glia_settings *settings, char **json,
                                        glia_error *error);

/*
 * What settings there are: i below glia_settings_count; NULL past the last. All static. key: the
 * name with '_', as in JSON; group: a heading; choices: the names of a choice, by its enumerators;
 * metavar: NULL of a setting that is "yes" or "no"; shown_default: the default for people where it
 * is not the value ("": none is shown), or NULL.
 */
GLIA_API size_t glia_settings_count(void);
GLIA_API const char *glia_setting_name(size_t i);
GLIA_API const char *glia_setting_key(size_t i);
GLIA_API const char *glia_setting_group(size_t i);
GLIA_API const char *glia_setting_help(size_t i);
GLIA_API const char *glia_setting_metavar(size_t i);
GLIA_API const char *glia_setting_shown_default(size_t i);
GLIA_API const char *glia_setting_choice(size_t i, size_t choice);
/* "a number of at least 0 and below 1", as by snprintf. */
GLIA_API size_t glia_setting_expected(size_t i, char *text, size_t size);

/*
 * Distorts images (n, height, width) into out (n, height, width) as training with these settings
 * (augment, shift, rotate, ...) does with these rows of a data set, first, first + 1, ..., of which
 * it has seen `epoch` epochs before. It may be used to look at them, or to prepare images for other
 * programs; nothing fades. The level of instruction set is that of glia_network_create; between
 * levels, pixels may differ by 1. BAD_ARGUMENT, NO_MEMORY.
 */
GLIA_API glia_status glia_augment(const glia_settings *settings, const uint8_t *images, size_t n,
                                  size_t height, size_t width, uint64_t seed, size_t epoch,
                                  size_t first, uint8_t *out, glia_error *error);

/* ---- Networks ------------------------------------------------------------------------------ */

/*
 * X(NAME, text): what a hidden layer computes from its weighted sums z.
 *   leaky-relu   z, or 0.01 z below 0                      Maas, Hannun and Ng 2013
 *   elu          z, or e^z - 1 below 0                       Clevert et al. 2016
 *   gelu         z Phi(z), Phi the normal distribution's     Hendrycks and Gimpel 2016
 *   silu         z sigmoid(z)                                Elfwing, Uchibe and Doya 2018
 *   scaled-tanh  1.7159 tanh(2/3 z)                          LeCun et al. 1998, Efficient BackProp
 */
#define GLIA_HIDDEN_ACTIVATION_LIST(X)                                                             \
    X(SIGMOID, "sigmoid")                                                                          \
    X(TANH, "tanh")                                                                                \
    X(RELU, "relu")                                                                                \
    X(IDENTITY, "identity")                                                                        \
    X(LEAKY_RELU, "leaky-relu")                                                                    \
    X(ELU, "elu")                                                                                  \
    X(GELU, "gelu")                                                                                \
    X(SILU, "silu")                                                                                \
    X(SCALED_TANH, "scaled-tanh")

typedef enum glia_activation {
#define X(name, text) GLIA_ACTIVATION_##name,
    GLIA_HIDDEN_ACTIVATION_LIST(X)
#undef X
    /* "softmax", which only an output layer has; an output layer may be sigmoid or identity too.
     * Its number is beyond those of the list, which may grow. */
    GLIA_ACTIVATION_SOFTMAX = 100
} glia_activation;

/*
 * X(NAME, text): the distribution of the initial weights of a layer with n_in inputs, n_out units.
 *   glorot-uniform  U(-a, a), a = sqrt(6 / (n_in + n_out))   Glorot and Bengio 2010, eq. 16
 *   glorot-normal   N(0, 2 / (n_in + n_out))                 the same variance
 *   he-uniform      U(-a, a), a = sqrt(6 / n_in)             the variance of he-normal
 *   he-normal       N(0, 2 / n_in)                           He et al. 2015, eq. 10
 *   auto            he-normal for relu and its kin (leaky-relu, elu, gelu, silu), glorot-uniform
 *                   for all others
 */
#define GLIA_INIT_LIST(X)                                                                          \
    X(AUTO, "auto")                                                                                \
    X(GLOROT_UNIFORM, "glorot-uniform")                                                            \
    X(GLOROT_NORMAL, "glorot-normal")                                                              \
    X(HE_UNIFORM, "he-uniform")                                                                    \
    X(HE_NORMAL, "he-normal")

typedef enum glia_init {
#define X(name, text) GLIA_INIT_##name,
    GLIA_INIT_LIST(X)
#undef X
} glia_init;

/* Names to values and back. from_name returns false, and leaves out alone, for an unknown name. */
GLIA_API const char *glia_activation_name(glia_activation activation);
GLIA_API bool glia_activation_from_name(const char *name, glia_activation *out);

/*
 * The ends of an activation's range near which a unit hardly learns: 0 and 1 of sigmoid, 0 and
 * infinity of relu. False, with nothing written, for one without (identity, leaky-relu, elu, ...).
 */
GLIA_API bool glia_activation_range(glia_activation activation, float *low, float *high);
GLIA_API const char *glia_loss_name(glia_loss loss);
GLIA_API bool glia_loss_from_name(const char *name, glia_loss *out);
GLIA_API glia_task glia_loss_task(glia_loss loss); /* what it is for; auto: classes */
GLIA_API const char *glia_init_name(glia_init init);
GLIA_API bool glia_init_from_name(const char *name, glia_init *out);

/* Ceilings that creating and loading a network check. */
enum { GLIA_MAX_LAYERS = 64, GLIA_MAX_UNITS = 1 << 20, GLIA_MAX_CLASSES = 1 << 16 };

/*
 * A network of fully connected layers, inputs -> hidden... -> classes, or targets; also what it
 * learned about its data: the form of its images, their scaling, the names of the classes. Values
 * it learns as (t - mean) / scale, by mean and standard deviation of the first training set, which
 * it keeps; what it predicts is in the units of the data.
 */
typedef struct glia_network glia_network;

/*
 * What a network does to each sample before it reads it, in training, evaluation and prediction
 * alike: any of these, added up. Kept in the model file. The first two are for grey images of
 * bytes, before they are augmented.
 *
 *   deskew       shears the image about the centre of mass of its ink, by at most 45 degrees, until
 *                x and y of its ink have no covariance (deslanting in LeCun et al. 1998, III-A)
 *   centre       moves the centre of mass to the middle, by whole pixels
 *   standardise  subtracts the mean and divides by the standard deviation: of each channel of
 *                images, of each feature of other samples. Both are measured when the network is
 *                first trained, on the training set alone by the weights of its samples, and stay.
 */
typedef enum glia_preprocess {
    GLIA_PREPROCESS_DESKEW = 1,
    GLIA_PREPROCESS_CENTRE = 2,
    GLIA_PREPROCESS_STANDARDISE = 4
} glia_preprocess;

/*
 * A network for samples of so many inputs, with so many outputs: classes, or targets. What lies
 * between, and the first weights, are settings: hidden, activation, batch_norm, deskew, centre,
 * standardise, loss (auto: cross-entropy), init, seed; NULL: the default ones. BAD_ARGUMENT,
 * NO_MEMORY. The network computes at the best level of instruction set that the CPU has, or at the
 * one that the environment variable GLIA_CPU names ("baseline", "avx2", "avx512").
 */
GLIA_API glia_status glia_network_create(size_t inputs, size_t outputs,
                                         const glia_settings *settings, glia_network **out,
                                         glia_error *error);
GLIA_API void glia_network_free(glia_network *network);

/*
 * Model files are safetensors: layers.L.weight (units, inputs) and layers.L.bias (units) in f32, of
 * normalised layers layers.L.norm.weight, .bias, .running_mean and .running_var (units) too, with
 * architecture, preprocessing, class names and training settings as JSON in the metadata.
 * Saving is atomic: the file at path is the old one or the new one, whole, whatever happens.
 */
GLIA_API glia_status glia_network_save(const glia_network *network, const char *path,
                                       glia_error *error);
GLIA_API glia_status glia_network_load(const char *path, glia_network **out, glia_error *error);

/* The same bytes in memory, where a program keeps them: *bytes (size), to be freed by
 * glia_bytes_free; loading copies what it needs. */
GLIA_API glia_status glia_network_save_memory(const glia_network *network, void **bytes,
                                              size_t *size, glia_error *error);
GLIA_API glia_status glia_network_load_memory(const void *bytes, size_t size, glia_network **out,
                                              glia_error *error);
GLIA_API void glia_bytes_free(void *bytes);

typedef struct glia_network_info {
    glia_task task;
    size_t inputs;
    size_t classes;       /* or targets */
    glia_loss loss;       /* never auto */
    size_t layers;        /* hidden ones and the output */
    size_t parameters;    /* weights and biases; of normalised layers scale and shift for a bias */
    size_t height, width; /* of the images it was trained on; else 0 */
    size_t channels;      /* of them, 1 or 3; else 0 */
    unsigned preprocess;  /* flags of glia_preprocess */
    size_t columns;       /* of the tables whose rows it reads; 0: it reads none */
} glia_network_info;

GLIA_API void glia_network_describe_sized(const glia_network *network, glia_network_info *out,
                                          size_t size);
static inline glia_network_info glia_network_describe(const glia_network *network)
{
    glia_network_info out;
    glia_network_describe_sized(network, &out, sizeof out);
    return out;
}

typedef struct glia_layer_info {
    size_t inputs;
    size_t units;
    glia_activation activation;
    bool batch_norm;
} glia_layer_info;

/* layer is below glia_network_info.layers; an all-zero struct past the last. */
GLIA_API void glia_network_layer_sized(const glia_network *network, size_t layer,
                                       glia_layer_info *out, size_t size);
static inline glia_layer_info glia_network_layer(const glia_network *network, size_t layer)
{
    glia_layer_info out;
    glia_network_layer_sized(network, layer, &out, sizeof out);
    return out;
}

/* Copies one layer's parameters out or in: weight (n_weights = units * inputs), row by row (units,
 * inputs), bias (n_units); either NULL. */
GLIA_API glia_status glia_network_get_layer(const glia_network *network, size_t layer,
                                            float *weight, size_t n_weights, float *bias,
                                            size_t n_units, glia_error *error);
GLIA_API glia_status glia_network_set_layer(glia_network *network, size_t layer,
                                            const float *weight, size_t n_weights,
                                            const float *bias, size_t n_units, glia_error *error);

/*
 * What batch normalisation has learned, each (n_units), any of them NULL: y = scale (z - mean) /
 * sqrt(variance + 1e-5) + shift (Ioffe and Szegedy 2015, algorithm 2). BAD_ARGUMENT for a layer
 * that is not normalised, and for a variance below 0.
 */
GLIA_API glia_status glia_network_get_norm(const glia_network *network, size_t layer, float *scale,
                                           float *shift, float *mean, float *variance,
                                           size_t n_units, glia_error *error);
GLIA_API glia_status glia_network_set_norm(glia_network *network, size_t layer, const float *scale,
                                           const float *shift, const float *mean,
                                           const float *variance, size_t n_units,
                                           glia_error *error);

/*
 * The name of a class, or of what an output is; owned by the network, valid until it is trained
 * again or freed; NULL past the last class.
 */
GLIA_API const char *glia_network_class_name(const glia_network *network, size_t index);

/*
 * The metadata as it stands in (or would go into) the model file: one JSON object, UTF-8,
 * NUL-terminated, to be freed with glia_string_free.
 */
GLIA_API glia_status glia_network_metadata(const glia_network *network, char **json,
                                           glia_error *error);
GLIA_API void glia_string_free(char *string);

/* A cell of a row that a program has in its own variables. */
typedef struct glia_cell {
    const char *column; /* its name */
    const char *text;   /* as it would stand in a file, "" where it is missing; or NULL: */
    double number;      /* NAN where it is missing */
} glia_cell;

/*
 * A row of the table that a network was made for, as its inputs: x (n_inputs), for glia_predict,
 * which takes these alone: numbers that are standardised, and a feature for each category. cells
 * (n) are in any order, those of other columns are left out; a category that the network has never
 * seen is read as none. MISMATCH: the network was made for no table. BAD_FORMAT: a column is not
 * there, or a text where a number is expected.
 */
GLIA_API glia_status glia_network_encode(const glia_network *network, const glia_cell *cells,
                                         size_t n, float *x, size_t n_inputs, glia_error *error);

/*
 * Brings an image into the form that the network was trained on: x (n_inputs). An image in that
 * form already is taken as it is. Any other is inverted if it is dark on light, then, for a network
 * trained on MNIST or digits, cropped, scaled so that its longer side fits 20 pixels of 28, and
 * centred by its centre of mass (LeCun et al. 1998, section III-A); for others scaled whole. Where
 * the training images are in colour, or not all light on dark, nothing is inverted. An image in
 * colour becomes grey for a network that reads grey ones, and the reverse.
 * changed (or NULL) says whether anything was done. MISMATCH when the network does not read images.
 */
GLIA_API glia_status glia_network_fit_image(const glia_network *network, const glia_image *image,
                                            uint8_t *x, size_t n_inputs, bool *changed,
                                            glia_error *error);

/*
 * Outputs (n, n_outputs) of n samples x (n, n_inputs), on the scale of the training data: for a
 * network trained on bytes, 0..255, whether given as U8 or as F32. They are the probabilities of
 * the classes, the probability of each label, or values. Safe from many threads at once. A feature
 * that is NaN or huge gives outputs that are NaN. Of a network that was made for a table x are the
 * features that glia_network_encode makes of a row, not its cells. MISMATCH when the network
 * deskews or centres, and the samples are not U8, or it was never trained.
 */
GLIA_API glia_status glia_predict(const glia_network *network, glia_type type, const void *x,
                                  size_t n, size_t n_inputs, float *outputs, size_t n_outputs,
                                  glia_error *error);

/* The same in double: values are scaled back to those of the data in it, so that large ones that
 * lie close together, as times do, stay apart. */
GLIA_API glia_status glia_predict_f64(const glia_network *network, glia_type type, const void *x,
                                      size_t n, size_t n_inputs, double *outputs, size_t n_outputs,
                                      glia_error *error);

/*
 * What a layer makes of n samples x: out (n, n_units), of the last layer what it predicts. To look
 * into a network; samples as for glia_predict. BAD_ARGUMENT if there is no such layer.
 */
GLIA_API glia_status glia_network_activations(const glia_network *network, size_t layer,
                                              glia_type type, const void *x, size_t n,
                                              size_t n_inputs, float *out, size_t n_units,
                                              glia_error *error);

/*
 * A predictor keeps the buffers and threads that predicting needs, for many calls. It is used by
 * one thread at a time; any number of predictors share one network, which must outlive them and not
 * be trained while they are used.
 */
typedef struct glia_predictor glia_predictor;

typedef struct glia_predictor_params {
    int threads; /* 0: one a core */
    glia_engine engine;
    glia_precision precision;
} glia_predictor_params;

/* One thread a core, engine auto, f32. */
GLIA_API void glia_predictor_default_params_sized(glia_predictor_params *out, size_t size);
static inline glia_predictor_params glia_predictor_default_params(void)
{
    glia_predictor_params out;
    glia_predictor_default_params_sized(&out, sizeof out);
    return out;
}

/* params NULL: the default ones. UNSUPPORTED: see glia_train. */
GLIA_API glia_status glia_predictor_create_sized(const glia_network *network,
                                                 const glia_predictor_params *params, size_t size,
                                                 glia_predictor **out, glia_error *error);
static inline glia_status glia_predictor_create(const glia_network *network,
                                                const glia_predictor_params *params,
                                                glia_predictor **out, glia_error *error)
{
    return glia_predictor_create_sized(network, params, sizeof *params, out, error);
}
GLIA_API void glia_predictor_free(glia_predictor *predictor);

/* As glia_predict; a call with many samples shares them out among the threads. */
GLIA_API glia_status glia_predictor_run(glia_predictor *predictor, glia_type type, const void *x,
                                        size_t n, size_t n_inputs, float *outputs, size_t n_outputs,
                                        glia_error *error);
GLIA_API glia_status glia_predictor_run_f64(glia_predictor *predictor, glia_type type,
                                            const void *x, size_t n, size_t n_inputs,
                                            double *outputs, size_t n_outputs, glia_error *error);

/* What computed the last call; before the first, what would compute samples without zeros. */
typedef struct glia_predictor_info {
    const char *engine; /* static, as in glia_train_result */
    const char *isa;    /* static */
    glia_precision precision;
    int threads;
} glia_predictor_info;

GLIA_API void glia_predictor_describe_sized(const glia_predictor *predictor,
                                            glia_predictor_info *out, size_t size);
static inline glia_predictor_info glia_predictor_describe(const glia_predictor *predictor)
{
    glia_predictor_info out;
    glia_predictor_describe_sized(predictor, &out, sizeof out);
    return out;
}

/* What a machine can do: the limits that speeds are compared with. Provisional. */
typedef struct glia_machine {
    char cpu[128];          /* its name; "unknown" where the system does not tell */
    int cores;              /* that this process may run on */
    int threads;            /* that were measured, all together */
    const char *isa;        /* static: the level of instruction set, as in glia_train_result */
    double peak_f32_gflops; /* multiply-adds in registers; each counts 2 */
    double
        peak_bf16_gflops;   /* products of bf16 summed in f32; 0: the CPU, or the level, has none */
    double memory_gb_per_s; /* a = b + s c over arrays larger than the caches: read 2, write 1 */
    const char *onednn_isa; /* static: as in glia_progress; "" in a build without oneDNN */
} glia_machine;

/*
 * Measures the machine with so many threads (0: one a core), the best of many short laps, since
 * others may be using it too; beside a busy neighbour it is less than the machine can do. Takes
 * about a second, up to three where there is one, and meanwhile 192 MiB or more. The level of
 * instruction set is the best, or what GLIA_CPU names. bf16 is AVX-512's dot product, also on a CPU
 * that has AMX, whose tiles do several times as much. BAD_ARGUMENT (threads, GLIA_CPU), NO_MEMORY.
 */
GLIA_API glia_status glia_machine_measure_sized(int threads, glia_machine *out, size_t size,
                                                glia_error *error);
static inline glia_status glia_machine_measure(int threads, glia_machine *out, glia_error *error)
{
    return glia_machine_measure_sized(threads, out, sizeof *out, error);
}

/* What it is alone, without measuring: cpu, cores, isa, onednn_isa; the rest is 0. BAD_ARGUMENT
 * (GLIA_CPU). */
GLIA_API glia_status glia_machine_describe_sized(glia_machine *out, size_t size, glia_error *error);
static inline glia_status glia_machine_describe(glia_machine *out, glia_error *error)
{
    return glia_machine_describe_sized(out, sizeof *out, error);
}

/*
 * As glia_dataset_open, but images of a folder are brought to the size and the channels of those
 * that the network was trained on, and a table is read as the network reads it: its columns, by
 * their names, in any order, whatever others there are. The target may be absent: such samples can
 * be predicted, not scored. A single file is read for either split. BAD_FORMAT: a column is
 * missing, or a value is no number: names file, line and column. A category that the network has
 * never seen is read as none, and counted by glia_dataset_unknown.
 *
 * A network that was made for no table reads numbers as they are: a table for it has a column for
 * each of its inputs, in their order, and none more, or its targets after them (of classes one
 * column, by name or number). MISMATCH: it has others. BAD_FORMAT: a cell is missing.
 */
GLIA_API glia_status glia_dataset_open_for_sized(const glia_network *network, const char *name,
                                                 glia_split split, const glia_data_params *params,
                                                 size_t size, glia_dataset **out,
                                                 glia_error *error);
static inline glia_status glia_dataset_open_for(const glia_network *network, const char *name,
                                                glia_split split, const glia_data_params *params,
                                                glia_dataset **out, glia_error *error)
{
    return glia_dataset_open_for_sized(network, name, split, params, sizeof *params, out, error);
}

/*
 * The same some rows at a time, of a pipe as they come: path "-" is standard input. next gives a
 * data set of the caller's, or NULL at the end. The network must outlive the stream.
 */
typedef struct glia_row_stream glia_row_stream;
GLIA_API glia_status glia_row_stream_open_sized(const glia_network *network, const char *path,
                                                glia_split split, const glia_data_params *params,
                                                size_t size, glia_row_stream **out,
                                                glia_error *error);
static inline glia_status glia_row_stream_open(const glia_network *network, const char *path,
                                               glia_split split, const glia_data_params *params,
                                               glia_row_stream **out, glia_error *error)
{
    return glia_row_stream_open_sized(network, path, split, params, sizeof *params, out, error);
}
GLIA_API glia_status glia_row_stream_next(glia_row_stream *rows, glia_dataset **out,
                                          glia_error *error);
/* Rows that were left out so far, being malformed (glia_table_params.skip_bad_rows). */
GLIA_API size_t glia_row_stream_skipped(const glia_row_stream *rows);
/* Rows first to last, counted from 0, are those that are asked for: next gives others too, but
 * their unknown categories are not counted. To be called before next; without it, all are. */
GLIA_API void glia_row_stream_select(glia_row_stream *rows, uint64_t first, uint64_t last);
/* The unknown categories of all data sets that were given so far: see glia_dataset_unknown. */
GLIA_API glia_status glia_row_stream_unknown(const glia_row_stream *rows, glia_unknown **out,
                                             size_t *n, glia_error *error);
GLIA_API void glia_row_stream_free(glia_row_stream *rows);

/*
 * The column that names the rows of a table: glia_table_params.id, else the one of the network's
 * training set, if it is there. Owned by the stream; NULL: none.
 */
GLIA_API const char *glia_row_stream_id(const glia_row_stream *rows);

/* The columns of a file of separated values whose cells are kept (glia_data_params.keep_texts), in
 * the order of the file; else 0. A name is owned by the stream; NULL past the last. */
GLIA_API size_t glia_row_stream_columns(const glia_row_stream *rows);
GLIA_API const char *glia_row_stream_column(const glia_row_stream *rows, size_t column);

/* The line of a sample in its file, from 1; 0 where there are no lines. */
GLIA_API uint64_t glia_dataset_line(const glia_dataset *dataset, size_t index);

/*
 * The name of a sample that came from a stream, in the column glia_row_stream_id; owned by the data
 * set; NULL where nothing stands, or no column names rows.
 */
GLIA_API const char *glia_dataset_id(const glia_dataset *dataset, size_t index);

/* A cell of a sample that came from such a stream, as it stands in the file, without quotes; owned
 * by the data set; NULL where cells are not kept, and past the last. */
GLIA_API const char *glia_dataset_cell(const glia_dataset *dataset, size_t index, size_t column);

/* What a network has learned of the samples of a data set. */
typedef enum glia_overlap {
    GLIA_OVERLAP_UNKNOWN = 0, /* these are not the samples that it learned from, or nothing tells */
    GLIA_OVERLAP_ALL = 1,     /* it learned from all of them */
    GLIA_OVERLAP_PART = 2     /* it learned from some; others were held out */
} glia_overlap;

/*
 * Finds the samples that a network has not learned from. The data set is opened for the network
 * (glia_dataset_open_for) and holds what its training set was a part of, by glia_dataset_hold_out
 * or glia_dataset_hold_out_last: it is divided in the same way again, which the model file says,
 * and a checksum shows whether the samples are the same. GLIA_OVERLAP_PART: *unseen are the
 * samples that the first division held out, to be freed before the data set; else it is NULL.
 * *validated (or NULL): they have decided which epoch's weights were kept. NO_MEMORY.
 */
GLIA_API glia_status glia_dataset_unseen(const glia_network *network, const glia_dataset *dataset,
                                         glia_overlap *overlap, glia_dataset **unseen,
                                         bool *validated, glia_error *error);

/* ---- Training ------------------------------------------------------------------------------ */

typedef struct glia_progress {
    size_t epoch, epochs;   /* epoch counts from 1 */
    size_t done, samples;   /* samples of this epoch */
    size_t step;            /* updates since training began */
    double lr;              /* the learning rate of the last of them; NAN before the first */
    bool epoch_end;         /* the last call of the epoch; the validation figures are set */
    bool best;              /* at an epoch's end: the best validation loss so far */
    double seconds;         /* since training began */
    double train_loss;      /* mean over the samples of this epoch so far, each */
    double train_accuracy;  /*   measured just before the step that learned from it; */
    double train_rmse;      /*   NAN, each, where glia_metrics says so */
    double validation_loss; /* NAN without a validation set or within an epoch */
    double validation_accuracy, validation_rmse;
    const char *engine; /* as in glia_train_result, each */
    const char *isa;
    glia_precision precision;
    const char *plan;
    int threads;
    const char *onednn_isa; /* the best instructions that oneDNN takes; NULL where it is not used */
} glia_progress;

/*
 * Called by the thread that called glia_train: once before the first step (done is 0, and loss and
 * accuracy are NAN; of a run that is resumed they are where it goes on), then every thousand
 * samples or so, and at the end of each epoch. Return true to go on, false to stop.
 */
typedef bool glia_train_progress(void *user, const glia_progress *progress);

/*
 * Provisional, to the end of glia_train_diagnosis. X(NAME, text): why nothing, or little, is
 * learned. input-scale         features are large, or all are tiny; value: rms of the largest
 *   input-spread        some features are far wider than most; value: the ratio of their ranges
 *   input-constant      all samples are alike
 *   one-class           all labels, or values, are the same
 *   missing-class       classes without a training sample; value: how many
 *   dead-units          relus that are 0 for every sample; value: their part of the layer
 *   saturated-units     sigmoids, tanhs at the ends of their range; value: their part of the layer
 *   vanishing-gradient  value: its norm in the layer, divided by that in the output layer
 *   exploding-gradient  the same
 *   unrelated-labels    labels, or values, that belong to other samples, or to none; value: by how
 *                       many standard errors they hang together with the samples more than by
 *                       chance; of labels that are shifted by a row, with those of that row
 *   rate-low, rate-high the learning rate; value: the loss divided by that of guessing
 *   plateau             nothing is learned for another reason; value: the same
 * To guess is to predict the frequencies of the classes or labels, or the mean of the values,
 * whatever the sample.
 */
#define GLIA_DIAGNOSIS_LIST(X)                                                                     \
    X(INPUT_SCALE, "input-scale")                                                                  \
    X(INPUT_SPREAD, "input-spread")                                                                \
    X(INPUT_CONSTANT, "input-constant")                                                            \
    X(ONE_CLASS, "one-class")                                                                      \
    X(MISSING_CLASS, "missing-class")                                                              \
    X(DEAD_UNITS, "dead-units")                                                                    \
    X(SATURATED_UNITS, "saturated-units")                                                          \
    X(VANISHING_GRADIENT, "vanishing-gradient")                                                    \
    X(EXPLODING_GRADIENT, "exploding-gradient")                                                    \
    X(UNRELATED_LABELS, "unrelated-labels")                                                        \
    X(RATE_LOW, "rate-low")                                                                        \
    X(RATE_HIGH, "rate-high")                                                                      \
    X(PLATEAU, "plateau")

typedef enum glia_diagnosis_kind {
#define X(name, text) GLIA_DIAGNOSIS_##name,
    GLIA_DIAGNOSIS_LIST(X)
#undef X
} glia_diagnosis_kind;

/* "dead-units", say. Static; any value is legal. */
GLIA_API const char *glia_diagnosis_name(glia_diagnosis_kind kind);

/* A layer that is none. */
#define GLIA_NO_LAYER SIZE_MAX

typedef struct glia_diagnosis {
    glia_diagnosis_kind kind;
    size_t layer;      /* as in glia_network_layer; GLIA_NO_LAYER unless it is about one */
    double value;      /* what was seen: GLIA_DIAGNOSIS_LIST says of each kind what it is */
    size_t epoch;      /* when it was seen: completed epochs, and steps of the run; */
    size_t step;       /*   both 0: before the first */
    char message[512]; /* one line, UTF-8: what was seen, and what to do about it */
} glia_diagnosis;

/*
 * Called by the thread that called glia_train, when something is seen that keeps the network from
 * learning: of the data before the first step, of the network from time to time. Each kind is told
 * once a run, with the layer where it is worst. A run that learns well hears nothing.
 */
typedef void glia_train_diagnosis(void *user, const glia_diagnosis *diagnosis);

/*
 * X(NAME, text): how a step goes from the gradient g of a weight w, at learning rate r.
 *   sgd       w -= r g
 *   momentum  v = m v + g, w -= r v                             Polyak 1964
 *   nesterov  v = m v + g, w -= r (g + m v)                     Sutskever et al. 2013
 *   rmsprop   s = b s + (1 - b) g^2, w -= r g / (sqrt(s) + e)   Tieleman and Hinton 2012
 *   adam      Kingma and Ba 2015, algorithm 1; m and b are its beta1 and beta2
 *   adamw     the same, with decoupled weight decay             Loshchilov and Hutter 2019
 */
#define GLIA_OPTIMIZER_LIST(X)                                                                     \
    X(SGD, "sgd")                                                                                  \
    X(MOMENTUM, "momentum")                                                                        \
    X(NESTEROV, "nesterov")                                                                        \
    X(RMSPROP, "rmsprop")                                                                          \
    X(ADAM, "adam")                                                                                \
    X(ADAMW, "adamw")

typedef enum glia_optimizer {
#define X(name, text) GLIA_OPTIMIZER_##name,
    GLIA_OPTIMIZER_LIST(X)
#undef X
} glia_optimizer;

GLIA_API const char *glia_optimizer_name(glia_optimizer optimizer);
GLIA_API bool glia_optimizer_from_name(const char *name, glia_optimizer *out);

/*
 * X(NAME, text): how the learning rate goes on from lr, after the warm-up if there is one.
 *   auto         linear if lr_end is given, else constant
 *   constant     lr
 *   linear       falls linearly to lr_end at the last step
 *   step         lr_factor times as high after every lr_every epochs, counted from the first
 *   exponential  lr_factor times as high after an epoch, a little less at every step
 *   cosine       half a period of the cosine, to lr_end at the last step; Loshchilov and Hutter
 *                2017, without restarts
 *   one-cycle    a cosine up from lr / 25 to lr over the part warmup of all steps (0: 0.3), another
 *                down to lr_end; Smith and Topin 2019 in the form of PyTorch's OneCycleLR
 */
#define GLIA_SCHEDULE_LIST(X)                                                                      \
    X(AUTO, "auto")                                                                                \
    X(CONSTANT, "constant")                                                                        \
    X(LINEAR, "linear")                                                                            \
    X(STEP, "step")                                                                                \
    X(EXPONENTIAL, "exponential")                                                                  \
    X(COSINE, "cosine")                                                                            \
    X(ONE_CYCLE, "one-cycle")

typedef enum glia_schedule {
#define X(name, text) GLIA_SCHEDULE_##name,
    GLIA_SCHEDULE_LIST(X)
#undef X
} glia_schedule;

GLIA_API const char *glia_schedule_name(glia_schedule schedule);
GLIA_API bool glia_schedule_from_name(const char *name, glia_schedule *out);

typedef enum glia_stop {
    GLIA_STOP_EPOCHS = 0,    /* all epochs done */
    GLIA_STOP_EARLY = 1,     /* the validation loss stopped falling */
    GLIA_STOP_CANCELLED = 2, /* the progress callback said so */
    GLIA_STOP_DIVERGED = 3   /* the loss became NaN or infinite */
} glia_stop;

/* "epochs", "early", "cancelled", "diverged". Static; any value is legal. */
GLIA_API const char *glia_stop_name(glia_stop stop);

typedef struct glia_train_result {
    glia_stop stop;
    size_t epochs; /* completed */
    /* The epoch whose weights the network now has; 0: it is as it came. A run that is stopped
     * within an epoch, and has no validation set, has learned a little more since. */
    size_t best_epoch;
    /* Of the last completed epoch; NAN without one, and where glia_metrics says so. */
    double train_loss, train_accuracy, train_rmse;
    /* Of best_epoch; NAN without a validation set, and likewise. */
    double validation_loss, validation_accuracy, validation_rmse;
    size_t samples;            /* learned from in all */
    double seconds;            /* from the first step to the last, validation included */
    double samples_per_second; /* over the training steps alone */
    int threads;
    const char *engine; /* static: "native", "reference" or "onednn" */
    const char *isa;    /* static: "avx512", "avx2" or "baseline" */
    glia_precision precision;
    char plan[GLIA_PLAN_TEXT]; /* what was chosen for this network, data and machine, and why */
} glia_train_result;

/*
 * What the settings of regularisation do:
 *   l1, l2           add l1 * sum |w| and l2 / 2 * sum w^2 to the loss; weight_decay w -= lr *
 *                    weight_decay * w in each step beside the gradient: of weights, not of biases
 *   max_norm         a hidden unit's weights are scaled down to this norm after each step
 *                    (Srivastava et al. 2014)
 *   clip_norm        a gradient with a larger norm, over all parameters, is scaled down to this
 *                    (Pascanu, Mikolov and Bengio 2013)
 *   dropout          the part of the hidden units that a step leaves out; the others are scaled by
 *                    1 / (1 - dropout) (Srivastava et al. 2014). input_dropout: of inputs
 *   input_noise      sd of normal noise that is added to inputs, after their scaling
 *   label_smoothing  the part of each target that is spread over all classes (Szegedy et al. 2016),
 *                    in the losses of training and of its validation set; of cross-entropy alone
 *   averaging        what is evaluated and kept is a moving average of the weights: average = d
 *                    average + (1 - d) w after step t, d the lesser of averaging and (1 + t) /
 *                    (10 + t) (Polyak and Juditsky 1992)
 *   class_weights    how much a sample of each class counts, times its own weight
 *                    (glia_dataset_set_weights); of cross-entropy alone. A batch's loss is
 *                    the sum of weight * loss divided by the sum of the weights
 *
 * What a run calls: progress now and then, diagnosis when something is wrong (or NULL, each); user
 * is handed to both, the last that was given. Looking for a diagnosis costs up to 1 % of the time;
 * once, in a run that learns nothing or learns its samples by heart, a few hundredths of a second
 * more. whole: what the training set is a part of, borrowed while it trains, or NULL: the diagnosis
 * looks at all of its rows for whether labels belong to their samples, of which more rows say more;
 * nothing is learned from them. It has the task and the outputs of the training set.
 */
GLIA_API void glia_settings_on_progress(glia_settings *settings, glia_train_progress *progress,
                                        void *user);
GLIA_API void glia_settings_on_diagnosis(glia_settings *settings, glia_train_diagnosis *diagnosis,
                                         const glia_dataset *whole, void *user);

/*
 * Keeps the run in a file while it goes on, replaced as a whole every so many updates or seconds
 * (0: not so; both 0: 30 s), at its end, and when the callback stops it. path NULL: in none. With
 * resume the run goes on from there, to the same bits as without a break; it must be the same run:
 * network, data, settings, and with oneDNN the number of threads. BAD_ARGUMENT, NO_MEMORY.
 */
GLIA_API glia_status glia_settings_keep(glia_settings *settings, const char *path, size_t steps,
                                        double seconds, bool resume, glia_error *error);

/*
 * Trains with stochastic gradient descent, or what is built on it, on the mean loss of each batch,
 * which is the network's. Every epoch visits every sample once, in an order drawn from (seed,
 * epoch). With a validation set (or NULL) the weights of the best epoch are kept.
 *
 * settings NULL: the default ones. BAD_ARGUMENT: also for label smoothing and class weights with
 * another loss than cross-entropy. MISMATCH: see glia_evaluate; also for augmentation of samples
 * that are no images of bytes.
 *
 * Stopped by the callback is no failure: GLIA_OK, result->stop says so, and the weights are as they
 * are (with a validation set: those of the best epoch, once one is completed).
 * DIVERGED is: the network then holds the weights of the last good epoch, or is as it came if there
 * was none. UNSUPPORTED: this build has no oneDNN, or the CPU no bf16, which settings ask for.
 * result (or NULL) is set when it succeeds or diverges.
 */
GLIA_API glia_status glia_train_sized(glia_network *network, const glia_dataset *train,
                                      const glia_dataset *validation, const glia_settings *settings,
                                      glia_train_result *result, size_t size, glia_error *error);
static inline glia_status glia_train(glia_network *network, const glia_dataset *train,
                                     const glia_dataset *validation, const glia_settings *settings,
                                     glia_train_result *result, glia_error *error)
{
    return glia_train_sized(network, train, validation, settings, result, sizeof *result, error);
}

/* What is not of the network's task is NAN. y: what is predicted, t: the targets. */
typedef struct glia_metrics {
    size_t samples;
    double loss;           /* the mean of the network's loss; of values after their scaling */
    double accuracy;       /* of classes; of labels the part of them all that is right, y > 1/2 */
    double standard_error; /* of the accuracy: sqrt(p (1 - p) / n) */
    double exact;          /* of labels: the part of the samples whose labels are all right */
    double rmse;           /* of values: sqrt(mean (y - t)^2) over samples and outputs */
    double mae;            /* of values: mean |y - t| likewise */
    double r2; /* of values: 1 - sum (y - t)^2 / sum (t - mean t)^2, the mean over outputs;
                * NAN if one of them is constant */
    /* Of two classes, the second against the first, and of labels, the mean over those that some
     * samples have and some have not; NAN if there is none: */
    double roc_auc;           /* the area under the receiver operating characteristic */
    double average_precision; /* sum_k (recall_k - recall_k-1) precision_k, over thresholds */
    /* The 95 % interval of the accuracy (Wilson 1927), which holds for few samples too, where the
     * standard error misleads: */
    double accuracy_low, accuracy_high;
    double majority;          /* of classes: what always naming the most frequent one would get, */
    double balanced_accuracy; /*   and the mean recall of the classes that some samples have */
    size_t majority_class;    /* ... that class; 0 where there are no classes */
} glia_metrics;

/*
 * Scores a network. MISMATCH when the task of the data set is not that of the network's loss, when
 * it has other features or more classes, or another number of targets, than the network, or bytes
 * where it was trained on floats (or the reverse), or when the network deskews or centres and the
 * samples are no images of bytes. confusion (or NULL, as for labels and values): (n_classes,
 * n_classes), rows the true class, columns the predicted one. threads as in training.
 */
GLIA_API glia_status glia_evaluate_sized(const glia_network *network, const glia_dataset *dataset,
                                         int threads, glia_metrics *metrics, size_t size,
                                         uint64_t *confusion, size_t n_classes, glia_error *error);
static inline glia_status glia_evaluate(const glia_network *network, const glia_dataset *dataset,
                                        int threads, glia_metrics *metrics, uint64_t *confusion,
                                        size_t n_classes, glia_error *error)
{
    return glia_evaluate_sized(network, dataset, threads, metrics, sizeof *metrics, confusion,
                               n_classes, error);
}

/*
 * Scores each target on its own: metrics (n): of values rmse, mae and r2, each in the units of its
 * target; of labels accuracy with standard_error and interval, roc_auc and average_precision; the
 * rest is NAN. n is the number of the network's outputs; else, and for classes, BAD_ARGUMENT.
 * MISMATCH as glia_evaluate.
 */
GLIA_API glia_status glia_evaluate_targets_sized(const glia_network *network,
                                                 const glia_dataset *dataset, int threads,
                                                 glia_metrics *metrics, size_t size, size_t n,
                                                 glia_error *error);
static inline glia_status glia_evaluate_targets(const glia_network *network,
                                                const glia_dataset *dataset, int threads,
                                                glia_metrics *metrics, size_t n, glia_error *error)
{
    return glia_evaluate_targets_sized(network, dataset, threads, metrics, sizeof *metrics, n,
                                       error);
}

#ifdef __cplusplus
}
#endif

#endif
