/* SPDX-License-Identifier: MIT */
/* Files that are no separated values, by their first bytes: each is called by its name. */
#include <string.h>

#include "base/number.h"
#include "data/files/libsvm.h"
#include "data/table/csv/csv_head.h"

static const struct {
    bool is_binary; /* else a table could begin so, too */
    size_t at;
    const char *begin;
    size_t n;
    const char *what, *todo;
} foreign[] = {
#define BYTES(text)         false, 0, text, sizeof text - 1
#define BYTES_AT(at, text)  false, at, text, sizeof text - 1
#define BINARY_AT(at, text) true, at, text, sizeof text - 1
#define AS_CSV              "write its table as CSV"
    {BYTES("\x1F\x8B"), "data compressed by gzip", "decompress it: gunzip -c FILE | glia ... -"},
    {BYTES("\xFD"
           "7zXZ"),
     "data compressed by xz", "decompress it with unxz"},
    {BYTES("\x28\xB5\x2F\xFD"), "data compressed by zstd", "decompress it with unzstd"},
    {BYTES("\x04\x22\x4D\x18"), "data compressed by lz4", "decompress it with unlz4"},
    {BYTES("\x1F\x9D"), "data compressed by compress", "decompress it with uncompress"},
    {BYTES("7z\xBC\xAF\x27\x1C"), "a 7z archive", "unpack it with 7z x"},
    {BYTES("Rar!\x1A\x07"), "a RAR archive", "unpack it with unrar x"},
    {BINARY_AT(257, "ustar"), "a tar archive", "unpack it with tar xf"},
    {BYTES("PK\x03\x04"), "a zip archive (a spreadsheet .xlsx or .ods is one)",
     "unpack it, or save the spreadsheet as CSV"},
    {BYTES("\xD0\xCF\x11\xE0"), "an old Office file (.xls)", "save the spreadsheet as CSV"},
    {BYTES("\x89PNG"), "a PNG image", "give the folder of images"},
    {BYTES("\xFF\xD8\xFF"), "a JPEG image", "give the folder of images"},
    {BINARY_AT(0, "GIF8"), "a GIF image", "convert it to PNG, and give the folder of images"},
    {BYTES("II*\x00"), "a TIFF image", "convert it to PNG, and give the folder of images"},
    {BYTES("MM\x00*"), "a TIFF image", "convert it to PNG, and give the folder of images"},
    {BINARY_AT(8, "WEBPVP8"), "a WebP image", "convert it to PNG, and give the folder of images"},
    {BINARY_AT(8, "WAVEfmt "), "a sound (WAV)", "write its features as CSV"},
    {BYTES("\x89HDF"), "an HDF5 file (MATLAB's of version 7.3 are such)",
     "write its table as CSV, or its arrays as .npy"},
    {BYTES("CDF\x01"), "a NetCDF file", AS_CSV},
    {BYTES("CDF\x02"), "a NetCDF file", AS_CSV},
    {BINARY_AT(0, "PAR1"), "a Parquet file",
     "write its table as CSV: pandas.read_parquet(FILE).to_csv(NEW, index=False)"},
    {BYTES("ARROW1"), "an Arrow file (Feather)",
     "write its table as CSV: pandas.read_feather(FILE).to_csv(NEW, index=False)"},
    {BYTES("\xFF\xFF\xFF\xFF"), "an Arrow stream", AS_CSV},
    {BINARY_AT(0, "FEA1"), "a Feather file of version 1", AS_CSV},
    {BINARY_AT(0, "ORC"), "an ORC file",
     "write its table as CSV: pandas.read_orc(FILE).to_csv(NEW, index=False)"},
    {BYTES("Obj\x01"), "an Avro file", AS_CSV},
    {BYTES("SEQ\x06"), "a sequence file of Hadoop", AS_CSV},
    {BYTES("\x93NUMPY"), "a NumPy array", "name it .npy"},
    {BINARY_AT(0, "MATLAB 5.0"), "a MATLAB file (version 5 to 7)",
     "write its arrays as .npy or CSV: scipy.io.loadmat(FILE), or writematrix in MATLAB"},
    {BYTES("MATLAB 7.3 MAT-file"), "a MATLAB file (version 7.3, which is HDF5)",
     "write its arrays as CSV: writematrix in MATLAB"},
    {BYTES("Octave-1-"), "a binary file of Octave", "save the matrix as text: save -text"},
    {BYTES("RDX2\n"), "an R workspace (.RData)", "write.csv(TABLE, NEW, row.names = FALSE) in R"},
    {BYTES("RDX3\n"), "an R workspace (.RData)", "write.csv(TABLE, NEW, row.names = FALSE) in R"},
    {BYTES("RDA2\n"), "an R workspace (.RData)", "write.csv(TABLE, NEW, row.names = FALSE) in R"},
    {BYTES("RDA3\n"), "an R workspace (.RData)", "write.csv(TABLE, NEW, row.names = FALSE) in R"},
    {BYTES("X\n\x00\x00\x00\x02"), "an R object (.rds)",
     "write.csv(readRDS(FILE), NEW, row.names = FALSE) in R"},
    {BYTES("X\n\x00\x00\x00\x03"), "an R object (.rds)",
     "write.csv(readRDS(FILE), NEW, row.names = FALSE) in R"},
    {BYTES("<stata_dta>"), "a Stata file (.dta)",
     "write its table as CSV: export delimited in Stata, or pandas.read_stata"},
    {BYTES("$FL2@(#)"), "an SPSS file (.sav)",
     "write its table as CSV: SAVE TRANSLATE in SPSS, or pandas.read_spss"},
    {BYTES("$FL3@(#)"), "an SPSS file (.zsav)",
     "write its table as CSV: SAVE TRANSLATE in SPSS, or pandas.read_spss"},
    {BINARY_AT(84, "SAS FILE"), "a SAS file (.sas7bdat)",
     "write its table as CSV: PROC EXPORT in SAS, or pandas.read_sas"},
    {BYTES("HEADER RECORD*******LIB"), "a SAS transport file (.xpt)",
     "write its table as CSV: PROC EXPORT in SAS, or pandas.read_sas"},
    {BYTES_AT(4, "Standard Jet DB"), "an Access database", AS_CSV},
    {BYTES_AT(4, "Standard ACE DB"), "an Access database", AS_CSV},
    {BYTES("SQLite format 3"), "an SQLite database",
     "write its table as CSV: sqlite3 -header -csv FILE 'select * from TABLE'"},
    {BINARY_AT(8, "DUCK"), "a DuckDB database",
     "write its table as CSV: copy TABLE to NEW (header)"},
    {BINARY_AT(0, "PGDMP"), "a dump of PostgreSQL",
     "write its table as CSV: copy TABLE to stdout csv header"},
    {BYTES("PGCOPY\n\xFF\r\n"), "binary COPY data of PostgreSQL",
     "write its table as CSV: copy TABLE to stdout csv header"},
    {BINARY_AT(4, "TFL3"), "a TensorFlow Lite model", "give a table"},
    {BYTES("%PDF-"), "a PDF document", AS_CSV},
    {BYTES("{\\rtf"), "a Rich Text document", AS_CSV},
    {BYTES("\x7F"
           "ELF"),
     "a program", "give a table"},
    {BYTES("MZ\x90"), "a program", "give a table"},
    {BYTES("version https://git-lfs"), "a pointer of Git LFS, not the file itself",
     "fetch it with git lfs pull"},
    {BYTES("<!DOCTYPE"), "a web page", "fetch the file itself"},
    {BYTES("<!doctype"), "a web page", "fetch the file itself"},
    {BYTES("<html"), "a web page", "fetch the file itself"},
    {BYTES("<?xml"), "XML", AS_CSV},
    {BYTES("{\""), "JSON", AS_CSV},
    {BYTES("{\n"), "JSON", AS_CSV},
    {BYTES("{\r\n"), "JSON", AS_CSV},
    {BYTES("[{"), "JSON", AS_CSV},
    {BYTES("[\n"), "JSON", AS_CSV},
    {BYTES("[["), "JSON", AS_CSV},
    {BYTES("\xFF\xFE"), "UTF-16 text", "convert it: iconv -f UTF-16 -t UTF-8"},
    {BYTES("\xFE\xFF"), "UTF-16 text", "convert it: iconv -f UTF-16 -t UTF-8"},
#undef BYTES
#undef BYTES_AT
#undef BINARY_AT
#undef AS_CSV
};

static uint32_t little_32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Whether there are bytes that no text has. */
static bool is_binary(const char *head, size_t n)
{
    n = n < 256 ? n : 256;
    for (size_t i = 0; i < n; i++)
        if ((uint8_t)head[i] < 0x20 && !strchr("\t\n\r\f", head[i])) return true;
    return memchr(head, 0, n) != NULL;
}

/* Files without a text that names them: by the sense that their first numbers make. */
static const char *find_unnamed(const uint8_t *p, size_t n, const char **todo)
{
    if (n >= 7 && memcmp(p, "BZh", 3) == 0 && memcmp(p + 4, "1AY", 3) == 0) {
        *todo = "decompress it with bunzip2";
        return "data compressed by bzip2";
    }
    if (n >= 2 && p[0] == 0x80 && p[1] >= 2 && p[1] <= 5) {
        *todo = "write its table as CSV, or its arrays as .npy (numpy.save), in Python";
        return "a pickle of Python";
    }
    if (n >= 4 && p[0] == 0 && p[1] == 0 && p[2] >= 8 && p[2] <= 14 && p[3] >= 1 && p[3] <= 4) {
        *todo = "give the folder that holds train-images-idx3-ubyte, train-labels-idx1-ubyte and "
                "their t10k";
        return "a single file of IDX, images or labels (MNIST's kind)";
    }
    if (n >= 20 && p[3] == 0 && little_32(p) % 1000 <= 52 && little_32(p) < 5000 &&
        little_32(p + 4) > 0 && little_32(p + 4) < 1 << 24 && little_32(p + 8) < 1 << 24 &&
        little_32(p + 12) <= 1 && little_32(p + 16) > 0 && little_32(p + 16) < 256) {
        *todo = "write its arrays as .npy or CSV: scipy.io.loadmat(FILE), or writematrix in MATLAB";
        return "a MATLAB file of version 4";
    }
    if (n >= 4 && p[0] >= 0x69 && p[0] <= 0x73 && (p[1] == 1 || p[1] == 2) && p[2] == 1 &&
        p[3] == 0) {
        *todo = "write its table as CSV: export delimited in Stata, or pandas.read_stata";
        return "a Stata file (.dta)";
    }
    if (n >= 18 && p[0] == 'B' && p[1] == 'M' && little_32(p + 6) == 0 && little_32(p + 14) < 256) {
        *todo = "convert it to PNG, and give the folder of images";
        return "a BMP image";
    }
    if (n >= 24 && p[0] == 'A' && p[1] == '\n' && (p[2] == '2' || p[2] == '3') && p[3] == '\n' &&
        p[10] == '\n' && p[17] == '\n' && (p[4] == '1' || p[4] == '2') && p[11] == '1') {
        *todo = "write.csv(readRDS(FILE), NEW, row.names = FALSE) in R";
        return "an R object (.rds), as text";
    }
    /* CIFAR-10: a label, then 3,072 bytes of a picture; no text has so many different bytes. */
    if (n >= 2 * 3073 && p[0] < 10 && p[3073] < 10 && memchr(p, 0, 3073)) {
        *todo = "write the pictures as a folder of PNG files, CLASS/FILE, or as .npz";
        return "pictures of CIFAR (data_batch), in binary";
    }
    return NULL;
}

/* Whether every other byte of the first four is zero, as in UTF-16 of Latin letters. */
static bool is_utf16(const char *head, size_t n)
{
    return n >= 4 && (head[0] != 0) == (head[2] != 0) && (head[1] != 0) == (head[3] != 0) &&
           (head[0] != 0) != (head[1] != 0);
}

static glia_status refuse(const char *path, const char *what, const char *todo, glia_error *error)
{
    return gi_fail(error, GLIA_BAD_FORMAT, "%s: byte 0: found %s, expected separated values; %s",
                   path, what, todo);
}

glia_status gi_csv_refuse_foreign(const char *path, const char *head, size_t n, glia_error *error)
{
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        if (n >= foreign[i].at + foreign[i].n &&
            memcmp(head + foreign[i].at, foreign[i].begin, foreign[i].n) == 0 &&
            (!foreign[i].is_binary || is_binary(head, n)))
            return refuse(path, foreign[i].what, foreign[i].todo, error);
    const char *todo, *what = find_unnamed((const uint8_t *)head, n, &todo);
    if (what) return refuse(path, what, todo, error);
    if (is_utf16(head, n))
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte 0: found UTF-16 text, expected UTF-8; convert it: iconv -f %s -t "
                       "UTF-8",
                       path, head[0] ? "UTF-16LE" : "UTF-16BE");
    /* Zero bytes after the first line can be what a file was filled up with. */
    const char *line_end = memchr(head, '\n', n);
    const size_t n_line = line_end ? (size_t)(line_end - head) : n < 1024 ? n : 1024;
    const char *zero = memchr(head, 0, n_line);
    if (zero && (line_end || zero + 1 < head + n_line))
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte %zu: found a zero byte in the first line: the file is binary, "
                       "expected separated values as text; write its table as CSV",
                       path, (size_t)(zero - head));
    return GLIA_OK;
}

/* ---- Lines that tables do not have ----------------------------------------------------------- */

/* The next line, without its end; false: there is none that ends, or is the last of the file. */
static bool next_line(const char **at, const char *end, const char **line, size_t *n)
{
    if (*at >= end) return false;
    const char *newline = memchr(*at, '\n', (size_t)(end - *at));
    *line = *at;
    *n = (size_t)((newline ? newline : end) - *at);
    *at = newline ? newline + 1 : end;
    if (*n > 0 && (*line)[*n - 1] == '\r') --*n;
    return true;
}

/* How many numbers a line has between blanks, and the first three; SIZE_MAX: there is something
 * else. */
static size_t count_numbers(const char *line, size_t n, double first[3])
{
    size_t count = 0;
    for (const char *at = line, *end = line + n; at < end;) {
        const char *const begin = at;
        double x;
        while (at < end && *at != ' ' && *at != '\t') at++;
        if (at == begin) {
            at++;
            continue;
        }
        if (!gi_parse_f64(begin, at, &x)) return SIZE_MAX;
        if (count < 3) first[count] = x;
        count++;
    }
    return count;
}

/* "60 2 1", and then lines of 2 numbers (inputs) and of 1 (outputs) in turn. */
static bool is_fann(const char *head, size_t n)
{
    enum { LOOKED_AT = 6 }; /* lines */
    const char *at = head, *end = head + n, *line;
    size_t n_line, lines = 0;
    double sizes[3] = {0}, unused[3];
    if (!next_line(&at, end, &line, &n_line) || count_numbers(line, n_line, sizes) != 3 ||
        !(sizes[0] >= 1) || (sizes[1] == 3 && sizes[2] == 3))
        return false;
    while (lines < LOOKED_AT && next_line(&at, end, &line, &n_line)) {
        if (at == end && lines >= 2) break; /* it may be cut */
        if ((double)count_numbers(line, n_line, unused) != sizes[1 + lines % 2]) return false;
        lines++;
    }
    return lines >= 2;
}

/* Lines that begin with a whole number and have the same number of ::, as MovieLens writes them. */
static bool has_double_colons(const char *head, size_t n)
{
    enum { LOOKED_AT = 20 }; /* lines */
    const char *at = head, *end = head + n, *line;
    size_t n_line, lines = 0, first = 0;
    while (lines < LOOKED_AT && next_line(&at, end, &line, &n_line)) {
        size_t count = 0, digits = 0;
        if (at == end && lines >= 2) break; /* it may be cut */
        while (digits < n_line && line[digits] >= '0' && line[digits] <= '9') digits++;
        if (digits == 0 || digits + 2 > n_line || memcmp(line + digits, "::", 2) != 0) return false;
        for (size_t i = digits; i + 1 < n_line; i++)
            if (line[i] == ':' && line[i + 1] == ':') count++, i++;
        if (lines++ == 0) first = count;
        if (count != first) return false;
    }
    return lines >= 2 && first >= 2;
}

glia_status gi_csv_refuse_lines(const char *path, const char *head, size_t n, glia_error *error)
{
    if (gi_libsvm_is_surely((const uint8_t *)head, n))
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: found lines that look like sparse text (LABEL INDEX:VALUE), expected "
                       "separated values; name the file .svm, or say how it is separated "
                       "(table.separator=' ') if it is a table",
                       path);
    if (is_fann(head, n))
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: found what looks like a training file of FANN (a line of three counts, "
                       "then lines of inputs and of outputs in turn), expected separated values; "
                       "write the inputs and outputs of a sample in one line, and no counts",
                       path);
    if (has_double_colons(head, n))
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: found cells separated by \"::\", expected one of , ; | a tab or blanks "
                       "between them; replace it: sed 's/::/\\t/g' FILE > NEW.tsv",
                       path);
    return GLIA_OK;
}
