/* SPDX-License-Identifier: MIT */
/* Folders of images, one folder a class. */
#ifndef GLIA_DATA_IMAGE_FOLDER_H
#define GLIA_DATA_IMAGE_FOLDER_H

#include "base/status.h"

/* One split of a folder of images: see glia_dataset_open. */
glia_status gi_image_folder_open(const char *folder, const char *name, glia_split split,
                                 const glia_data_params *params, glia_dataset **out,
                                 glia_error *error);

#endif
