/* SPDX-License-Identifier: MIT */
/* The recipes of glia train that are built in: the files of the folder recipes. */
#include "recipes_text.h"
#include "train_options.h"

const struct recipe train_recipes[] = {EMBEDDED_RECIPES{NULL, NULL, NULL}};
