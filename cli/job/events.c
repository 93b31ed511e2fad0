/* SPDX-License-Identifier: MIT */
/*
 * An event file is a row of records (TFRecord): uint64 length, uint32 checksum of the length, data,
 * uint32 checksum of the data, all little-endian. The data are a protocol buffer, Event:
 *
 *     Event          1: double wall_time   2: int64 step   3: string file_version   5: Summary
 *     Summary        1: Value, repeated
 *     Summary.Value  1: string tag   2: float simple_value
 *
 * A field is a varint of (number << 3 | wire type), then a varint, 8 bytes, 4 bytes, or a length
 * and so many bytes.
 */
#include "job/events.h"

#include <errno.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shell/files.h"
#include "shell/output.h"

enum { LONGEST_TAG = 200, LONGEST_HOST = 255 };

struct event_file {
    FILE *stream;
    char *path;
    bool failed;
};

/* ---- Protocol buffers ---------------------------------------------------------------------- */

enum wire_type { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

/* A message; the longest, an Event with a scalar, takes 40 bytes beside its tag. */
typedef struct message {
    size_t size;
    unsigned char bytes[LONGEST_TAG + 100];
} message;

/* n bytes of value, little-endian */
static void put_fixed(message *m, uint64_t value, int n)
{
    for (int i = 0; i < n; i++) m->bytes[m->size++] = (unsigned char)(value >> 8 * i);
}

static void put_varint(message *m, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) m->bytes[m->size++] = (unsigned char)(value | 0x80);
    m->bytes[m->size++] = (unsigned char)value;
}

static void put_key(message *m, unsigned number, enum wire_type type)
{
    put_varint(m, number << 3 | type);
}

static void put_double(message *m, unsigned number, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_key(m, number, WIRE_64);
    put_fixed(m, bits, 8);
}

static void put_float(message *m, unsigned number, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_key(m, number, WIRE_32);
    put_fixed(m, bits, 4);
}

static void put_bytes(message *m, unsigned number, const void *bytes, size_t size)
{
    put_key(m, number, WIRE_BYTES);
    put_varint(m, size);
    memcpy(m->bytes + m->size, bytes, size);
    m->size += size;
}

static void put_message(message *m, unsigned number, const message *inner)
{
    put_bytes(m, number, inner->bytes, inner->size);
}

/* ---- Records ------------------------------------------------------------------------------- */

/* CRC-32C (Castagnoli), bit by bit: there are a few hundred bytes for thousands of samples. */
static uint32_t crc32c(const unsigned char *bytes, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

/* As TFRecord stores it, so that the checksum of data that hold checksums means something. */
static uint32_t masked_crc(const unsigned char *bytes, size_t size)
{
    uint32_t crc = crc32c(bytes, size);
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static bool fail(event_file *file)
{
    if (!file->failed)
        complain("%s: writing TensorBoard's events failed: %s; no more are written", file->path,
                 strerror(errno));
    file->failed = true;
    return false;
}

static bool write_record(event_file *file, const message *data)
{
    message head = {0}, tail = {0};
    if (file->failed) return false;
    put_fixed(&head, data->size, 8);
    put_fixed(&head, masked_crc(head.bytes, 8), 4);
    put_fixed(&tail, masked_crc(data->bytes, data->size), 4);
    bool written = fwrite(head.bytes, head.size, 1, file->stream) == 1 &&
                   fwrite(data->bytes, data->size, 1, file->stream) == 1 &&
                   fwrite(tail.bytes, tail.size, 1, file->stream) == 1;
    return written || fail(file);
}

/* ---- Files --------------------------------------------------------------------------------- */

/* The name of this machine, as a part of a file's name. */
static void host_name(char *name, size_t size)
{
    if (gethostname(name, size) != 0) *name = '\0';
    name[size - 1] = '\0';
    for (char *c = name; *c != '\0'; c++)
        if (*c == '/' || (unsigned char)*c <= ' ') *c = '_';
    if (*name == '\0') snprintf(name, size, "localhost");
}

event_file *events_open(const char *folder, double wall_time)
{
    char path[LONGEST_PATH], host[LONGEST_HOST + 1];
    FILE *stream = NULL;
    host_name(host, sizeof host);
    for (int later = 0; stream == NULL; later++) {
        int length = snprintf(path, sizeof path, "%s/events.out.tfevents.%010.0f.%s", folder,
                              floor(wall_time) + later, host);
        if (length >= (int)sizeof path)
            errno = ENAMETOOLONG;
        else
            stream = fopen(path, "wbx"); /* x: only if there is none */
        if (stream == NULL && errno != EEXIST) {
            complain("%s: cannot write TensorBoard's events there: %s", folder, strerror(errno));
            return NULL;
        }
    }

    event_file *file = need_memory(1, sizeof *file);
    *file = (event_file){.stream = stream, .path = need_copy(path)};
    message event = {0};
    static const char version[] = "brain.Event:2";
    put_double(&event, 1, wall_time);
    put_bytes(&event, 3, version, sizeof version - 1);
    write_record(file, &event);
    if (!events_flush(file)) {
        events_close(file);
        return NULL;
    }
    return file;
}

/* The bytes of tag that are taken: no character is cut in two. */
static size_t tag_size(const char *tag)
{
    size_t size = strlen(tag);
    if (size <= LONGEST_TAG) return size;
    size = LONGEST_TAG;
    while (size > 0 && ((unsigned char)tag[size] & 0xc0) == 0x80) size--;
    return size;
}

bool events_scalar(event_file *file, const char *tag, int64_t step, double wall_time, double value)
{
    message scalar = {0}, summary = {0}, event = {0};
    if (!(fabs(value) <= FLT_MAX)) return !file->failed;
    put_bytes(&scalar, 1, tag, tag_size(tag));
    put_float(&scalar, 2, (float)value);
    put_message(&summary, 1, &scalar);
    put_double(&event, 1, wall_time);
    put_key(&event, 2, WIRE_VARINT);
    put_varint(&event, (uint64_t)step);
    put_message(&event, 5, &summary);
    return write_record(file, &event);
}

bool events_flush(event_file *file)
{
    if (file->failed) return false;
    return fflush(file->stream) == 0 || fail(file);
}

bool events_close(event_file *file)
{
    if (file == NULL) return true;
    events_flush(file);
    if (fclose(file->stream) != 0) fail(file);
    bool whole = !file->failed;
    free(file->path);
    free(file);
    return whole;
}
