/* SPDX-License-Identifier: MIT */
/* The recipes of glia train that are built in: the files of the folder recipes. */
#include "job/train_options.h"
#include "recipes_text.h"

const struct recipe train_recipes[] = {EMBEDDED_RECIPES{NULL, NULL, NULL}};
