/* SPDX-License-Identifier: MIT */
/*
 * Downloads: one file from the first mirror that gives it whole and unchanged.
 *
 * The bytes stay in memory until their checksum has been found right; only then are they written,
 * by the atomic writer. So whatever ends a download, nothing of it is left on disk.
 */
#include "data/files/fetch.h"
#include "base/file.h"
#include "config.h"
#include "data/files/gzip.h"

#ifndef GLIA_HAS_FETCH

glia_status gi_fetch(const gi_download *download, glia_fetch_progress *progress, void *user,
                     glia_error *error)
{
    (void)progress;
    (void)user;
    return gi_fail(error, GLIA_UNSUPPORTED,
                   "%s: this build of glia cannot download (it was built without libcurl and "
                   "libcrypto); put the file into %s yourself",
                   download->file, download->folder);
}

#else

#include <curl/curl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum {
    MAX_FILE_BYTES = 256 << 20,
    CONNECT_TIMEOUT_S = 20,
    STALL_BYTES_PER_S = 16, /* slower than this ... */
    STALL_TIME_S = 30,      /* ... for so long is taken for a dead connection */
    MAX_REDIRECTIONS = 10,
    FIRST_CAPACITY = 1 << 16,
};

/* A download on its way, and the reason if it was glia that stopped it. */
struct transfer {
    const gi_download *download;
    glia_fetch_progress *progress;
    void *user;
    glia_error *error;
    uint8_t *data;
    size_t size, capacity;
    glia_status stopped; /* CANCELLED, NO_MEMORY or BAD_FORMAT (too long) */
};

/* ---- Checksums ----------------------------------------------------------------------------- */

static void to_hex(const unsigned char *digest, unsigned size, char hex[2 * EVP_MAX_MD_SIZE + 1])
{
    for (unsigned i = 0; i < size; i++) snprintf(hex + (size_t)2 * i, 3, "%02x", digest[i]);
}

static glia_status digest_content(EVP_MD_CTX *context, const char *file, const uint8_t *data,
                                  size_t size, glia_error *error)
{
    if (!gi_gzip_is(data, size)) {
        EVP_DigestUpdate(context, data, size);
        return GLIA_OK;
    }
    uint8_t *content = NULL;
    size_t n_content = 0;
    const glia_status status =
        gi_gzip_decompress(file, data, size, gi_gzip_ceiling(size), &content, &n_content, error);
    if (!status) EVP_DigestUpdate(context, content, n_content);
    gi_free(content);
    return status;
}

/* BAD_FORMAT if what came is not what the table of checksums says. */
static glia_status verify(const struct transfer *transfer, glia_error *error)
{
    const gi_download *download = transfer->download;
    const bool of_content = download->sha256_of_content != NULL;
    const char *expected = of_content ? download->sha256_of_content : download->sha256;
    unsigned char digest[EVP_MAX_MD_SIZE];
    char found[2 * EVP_MAX_MD_SIZE + 1] = "";
    unsigned size = 0;

    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context) return gi_fail(error, GLIA_NO_MEMORY, "%s: out of memory", download->file);
    glia_status status = GLIA_OK;
    if (!EVP_DigestInit_ex(context, EVP_sha256(), NULL))
        status = gi_fail(error, GLIA_UNSUPPORTED, "%s: this machine's libcrypto has no SHA-256",
                         download->file);
    else if (of_content)
        status = digest_content(context, download->file, transfer->data, transfer->size, error);
    else
        EVP_DigestUpdate(context, transfer->data, transfer->size);
    if (!status) {
        EVP_DigestFinal_ex(context, digest, &size);
        to_hex(digest, size, found);
        if (strcmp(found, expected) != 0)
            status = gi_fail(error, GLIA_BAD_FORMAT,
                             "the checksum is wrong: SHA-256 %s, expected %s", found, expected);
    }
    EVP_MD_CTX_free(context);
    return status;
}

/* ---- Transfer ------------------------------------------------------------------------------ */

static size_t on_data(char *bytes, size_t one, size_t n, void *context)
{
    struct transfer *transfer = context;
    (void)one; /* always 1 */
    if (n > MAX_FILE_BYTES - transfer->size) {
        transfer->stopped = GLIA_BAD_FORMAT;
        return 0; /* fewer than n stops the transfer */
    }
    if (n > transfer->capacity - transfer->size) {
        size_t capacity = transfer->capacity ? transfer->capacity : (size_t)FIRST_CAPACITY;
        while (capacity - transfer->size < n) capacity *= 2;
        uint8_t *larger = gi_alloc(capacity, 1, transfer->download->file, transfer->error);
        if (!larger) {
            transfer->stopped = GLIA_NO_MEMORY;
            return 0;
        }
        if (transfer->size) memcpy(larger, transfer->data, transfer->size);
        gi_free(transfer->data);
        transfer->data = larger;
        transfer->capacity = capacity;
    }
    memcpy(transfer->data + transfer->size, bytes, n);
    transfer->size += n;
    return n;
}

static int on_progress(void *context, curl_off_t total, curl_off_t done, curl_off_t upload_total,
                       curl_off_t uploaded)
{
    struct transfer *transfer = context;
    (void)upload_total;
    (void)uploaded;
    if (!transfer->progress) return 0;
    if (transfer->progress(transfer->user, transfer->download->file, (uint64_t)done,
                           total > 0 ? (uint64_t)total : 0))
        return 0;
    transfer->stopped = GLIA_CANCELLED;
    return 1;
}

/* http may lead to https, never the other way. */
static void allow_protocols(CURL *curl, const char *url)
{
    const bool secure = strncmp(url, "https:", 6) == 0;
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
#else
    const long both = CURLPROTO_HTTP | CURLPROTO_HTTPS;
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS, both);
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS, secure ? (long)CURLPROTO_HTTPS : both);
#endif
}

/*
 * Gets url into memory and verifies it. The cause of a DOWNLOAD_FAILED, without the url, is the
 * error's message; NO_MEMORY and CANCELLED are final.
 */
static glia_status get(const char *url, struct transfer *transfer, glia_error *error)
{
    char cause[CURL_ERROR_SIZE] = "";
    CURL *curl = curl_easy_init();
    if (!curl) return gi_fail(error, GLIA_NO_MEMORY, "%s: libcurl did not start", url);
    transfer->error = error;
    transfer->size = 0;
    transfer->stopped = GLIA_OK;

    curl_easy_setopt(curl, CURLOPT_URL, url);
    allow_protocols(curl, url);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)MAX_REDIRECTIONS);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES_PER_S);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALL_TIME_S);
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)MAX_FILE_BYTES);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "glia/" GLIA_VERSION);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, cause);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    const CURLcode code = curl_easy_perform(curl);
    curl_easy_cleanup(curl);

    if (code == CURLE_OK) {
        const glia_status status = verify(transfer, error);
        return status == GLIA_BAD_FORMAT ? GLIA_DOWNLOAD_FAILED : status;
    }
    switch (transfer->stopped) {
    case GLIA_CANCELLED:
        return gi_fail(error, GLIA_CANCELLED, "%s: download stopped; nothing of it was kept", url);
    case GLIA_NO_MEMORY:
        return GLIA_NO_MEMORY; /* said by on_data */
    case GLIA_BAD_FORMAT:
        return gi_fail(error, GLIA_DOWNLOAD_FAILED, "longer than %d MiB, the most that is fetched",
                       MAX_FILE_BYTES >> 20);
    default:
        if (code == CURLE_OUT_OF_MEMORY)
            return gi_fail(error, GLIA_NO_MEMORY, "%s: out of memory while downloading", url);
        return gi_fail(error, GLIA_DOWNLOAD_FAILED, "%s",
                       cause[0] ? cause : curl_easy_strerror(code));
    }
}

static glia_status keep(const struct transfer *transfer, glia_error *error)
{
    const gi_download *download = transfer->download;
    char *path = gi_format(error, "%s/%s", download->folder, download->file);
    if (!path) return GLIA_NO_MEMORY;
    gi_writer writer;
    glia_status status = gi_writer_open(&writer, path, error);
    if (!status) status = gi_writer_write(&writer, transfer->data, transfer->size, error);
    status = gi_writer_close(&writer, status, error);
    gi_free(path);
    return status;
}

glia_status gi_fetch(const gi_download *download, glia_fetch_progress *progress, void *user,
                     glia_error *error)
{
    struct transfer transfer = {.download = download, .progress = progress, .user = user};
    char *causes = gi_strdup("", error); /* "URL: cause; URL: cause" */
    glia_status status = causes ? gi_make_directories(download->folder, error) : GLIA_NO_MEMORY;
    if (status) goto cleanup; /* before the transfer: a folder that cannot be had */

    status = GLIA_DOWNLOAD_FAILED;
    for (const char *const *base = download->base_urls; *base; base++) {
        const size_t length = strlen(*base);
        const bool slash = length > 0 && (*base)[length - 1] == '/';
        glia_error cause = {.message = ""};
        char *url = gi_format(error, "%s%s%s", *base, slash ? "" : "/", download->file);
        status = url ? get(url, &transfer, &cause) : GLIA_NO_MEMORY;
        if (status == GLIA_DOWNLOAD_FAILED) {
            char *longer =
                gi_format(error, "%s%s%s: %s", causes, *causes ? "; " : "", url, cause.message);
            gi_free(causes);
            causes = longer;
            if (!causes) status = GLIA_NO_MEMORY;
        } else if (status && url) {
            gi_fail(error, status, "%s", cause.message);
        }
        gi_free(url);
        if (status != GLIA_DOWNLOAD_FAILED) break;
    }
    if (status == GLIA_DOWNLOAD_FAILED)
        gi_fail(error, status,
                "%s: no mirror gave it: %s; try later, name another mirror, or put the file into "
                "%s yourself",
                download->file, *causes ? causes : "the list of mirrors is empty",
                download->folder);
    if (!status) status = keep(&transfer, error);
cleanup:
    gi_free(transfer.data);
    gi_free(causes);
    return status;
}

#endif
