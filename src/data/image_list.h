/* SPDX-License-Identifier: MIT */
/* The files of a folder of images: names alone, nothing of them is read. */
#ifndef GLIA_DATA_IMAGE_LIST_H
#define GLIA_DATA_IMAGE_LIST_H

#include "base/status.h"

/* A file or a folder; number is what its name says, without the ending. */
typedef struct gi_image_entry {
    size_t name; /* where it begins, in the list's text */
    size_t class;
    uint64_t number;
} gi_image_entry;

typedef struct gi_image_list {
    gi_image_entry *entries; /* (n) of room */
    size_t n, room;
    char *text; /* (n_text) of text_room: the names, each with its zero */
    size_t n_text, text_room;
    bool all_numbers;
    size_t skipped; /* files that are no images by their names */
} gi_image_list;

void gi_image_list_free(gi_image_list *list);

static inline const char *gi_image_list_name(const gi_image_list *list, size_t i)
{
    return list->text + list->entries[i].name;
}

/* Adds the folders in a folder. Names that begin with a dot are nobody's, here and below. */
glia_status gi_image_list_add_folders(gi_image_list *list, const char *folder, glia_error *error);

/*
 * Adds the images in a folder, and in the folders below it, as images of a class: each by its path
 * from there. Links are followed, unless they lead back to where they are.
 */
glia_status gi_image_list_add_images(gi_image_list *list, const char *folder, size_t class,
                                     glia_error *error);

/*
 * By number if all names are numbers, else bytewise; class by class, unless the names are numbers
 * all different from each other.
 */
glia_status gi_image_list_sort(gi_image_list *list, glia_error *error);

#endif
