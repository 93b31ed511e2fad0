/* SPDX-License-Identifier: MIT */
/* Downloads. */
#ifndef GLIA_DATA_FILES_FETCH_H
#define GLIA_DATA_FILES_FETCH_H

#include "base/status.h"

/* What fetch.c downloads: a file, from each base URL in turn, checked before it takes its name. */
typedef struct gi_download {
    const char *file;              /* "train-images-idx3-ubyte.gz" */
    const char *const *base_urls;  /* NULL-terminated */
    const char *folder;            /* where it goes; made if absent */
    const char *sha256_of_content; /* hex, of the uncompressed bytes; or NULL */
    const char *sha256;            /* hex, of the file itself; or NULL */
} gi_download;

glia_status gi_fetch(const gi_download *download, glia_fetch_progress *progress, void *user,
                     glia_error *error);

#endif
