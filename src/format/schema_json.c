/* SPDX-License-Identifier: MIT */
/* The columns of a table to JSON and back. */
#include "format/schema_json.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* ---- Writing ------------------------------------------------------------------------------- */

static json_t *pack_texts(char *const *texts, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++)
        if (json_array_append_new(array, json_string(texts[i]))) {
            json_decref(array);
            return NULL;
        }
    return array;
}

/* ",." of a decimal comma and points between thousands, "," without them; NULL: as C writes. */
static const char *pack_form(const gi_number_form *form, char text[3])
{
    const bool is_usual = (form->decimal == 0 || form->decimal == '.') && form->thousands == 0;
    text[0] = form->decimal;
    text[1] = form->thousands;
    text[2] = '\0';
    return is_usual ? NULL : text;
}

static bool set_form(json_t *object, const gi_number_form *form)
{
    char text[3];
    return !pack_form(form, text) || json_object_set_new(object, "numbers", json_string(text)) == 0;
}

/* What the file was read with, where it is not the usual. */
static bool set_reading(json_t *table, const gi_schema *schema)
{
    const gi_missing_words *missing = &schema->missing;
    bool has_form = false;
    char text[3];
    for (size_t k = 0; k < schema->n_targets; k++)
        has_form = has_form || pack_form(&schema->target_forms[k], text);
    if (has_form) {
        json_t *forms = json_array();
        for (size_t k = 0; k < schema->n_targets; k++) {
            const char *form = pack_form(&schema->target_forms[k], text);
            if (json_array_append_new(forms, json_string(form ? form : "."))) {
                json_decref(forms);
                return false;
            }
        }
        if (json_object_set_new(table, "target_numbers", forms)) return false;
    }
    if (missing->n &&
        json_object_set_new(table, "missing_words", pack_texts(missing->words, missing->n)))
        return false;
    return !missing->alone || json_object_set_new(table, "missing_alone", json_true()) == 0;
}

static json_t *pack_column(const gi_schema_column *column)
{
    json_t *object = column->is_category
                         ? json_pack("{s:s, s:o}", "name", column->name, "categories",
                                     pack_texts(column->categories, column->n_categories))
                         : json_pack("{s:s, s:f, s:f}", "name", column->name, "mean", column->mean,
                                     "scale", column->scale);
    if (object && column->date != GI_DATE_NONE &&
        (json_object_set_new(object, "date", json_string(gi_date_form_name(column->date))) ||
         json_object_set_new(object, "part", json_string(gi_date_part_name(column->part))))) {
        json_decref(object);
        return NULL;
    }
    if (object &&
        ((column->flags_missing && json_object_set_new(object, "missing", json_true()) != 0) ||
         !set_form(object, &column->form))) {
        json_decref(object);
        return NULL;
    }
    return object;
}

json_t *gi_schema_pack(const gi_schema *schema)
{
    json_t *columns = json_array();
    for (size_t j = 0; j < schema->n_columns; j++)
        if (json_array_append_new(columns, pack_column(&schema->columns[j]))) {
            json_decref(columns);
            return NULL;
        }
    json_t *table = json_pack("{s:o, s:o, s:b}", "columns", columns, "targets",
                              pack_texts(schema->targets, schema->n_targets), "text_target",
                              (int)schema->has_text_target);
    if (table && !set_reading(table, schema)) {
        json_decref(table);
        return NULL;
    }
    return table;
}

/* ---- Reading ------------------------------------------------------------------------------- */

static glia_status reject(const char *place, size_t j, const char *key, const char *expected,
                          glia_error *error)
{
    return gi_fail(error, GLIA_BAD_FORMAT, "%s: preprocessing.table.columns[%zu]%s%s: expected %s",
                   place, j, key[0] ? "." : "", key, expected);
}

/* An array of texts, each after the one before if they are to be sorted; borrowed from the JSON. */
static const char **unpack_texts(const json_t *array, bool is_sorted, glia_error *error)
{
    const size_t n = json_array_size(array);
    const char **texts = gi_alloc(n, sizeof *texts, "names", error);
    for (size_t i = 0; texts && i < n; i++) {
        texts[i] = json_string_value(json_array_get(array, i));
        if (texts[i] && !(is_sorted && i > 0 && strcmp(texts[i - 1], texts[i]) >= 0)) continue;
        gi_free(texts);
        gi_fail(error, GLIA_BAD_FORMAT, "no text");
        return NULL;
    }
    return texts;
}

/* How dates are written, and which number is read of them; both keys or none are there. */
static glia_status unpack_date(const char *place, const json_t *object, size_t j,
                               gi_schema_column *column, glia_error *error)
{
    const json_t *form = json_object_get(object, "date"), *part = json_object_get(object, "part");
    if (!form && !part) return GLIA_OK;
    for (gi_date_form f = GI_DATE_YMD; f < GI_DATE_FORMS && json_is_string(form); f++)
        if (strcmp(json_string_value(form), gi_date_form_name(f)) == 0) column->date = f;
    for (gi_date_part p = GI_DATE_DAYS; p < GI_DATE_PARTS && json_is_string(part); p++)
        if (strcmp(json_string_value(part), gi_date_part_name(p)) == 0) column->part = p;
    if (column->date == GI_DATE_NONE)
        return reject(place, j, "date", "ymd, dmy, mdy, time or yyyymmdd", error);
    if (column->part == GI_DATE_WHOLE || column->is_category ||
        (column->date == GI_DATE_TIME && column->part != GI_DATE_HOUR))
        return reject(place, j, "part",
                      "days, year, month, weekday or hour, in a column without categories; of "
                      "times hour",
                      error);
    return GLIA_OK;
}

/* Absent: as C writes numbers. */
static bool unpack_form(const json_t *value, gi_number_form *form)
{
    *form = (gi_number_form){'.', 0};
    if (!value) return true;
    const char *text = json_string_value(value);
    const size_t n = text ? strlen(text) : 0;
    if (n < 1 || n > 2 || !strchr(".,", text[0]) || (n == 2 && !strchr(".,' ", text[1])) ||
        text[0] == text[1])
        return false;
    *form = (gi_number_form){text[0], text[1]};
    return true;
}

static glia_status unpack_reading(const char *place, const json_t *table, gi_schema *schema,
                                  glia_error *error)
{
    const json_t *forms = json_object_get(table, "target_numbers");
    const json_t *words = json_object_get(table, "missing_words");
    const json_t *alone = json_object_get(table, "missing_alone");
    bool fits = !forms || json_array_size(forms) == schema->n_targets;
    for (size_t k = 0; k < schema->n_targets && fits; k++)
        fits = unpack_form(forms ? json_array_get(forms, k) : NULL, &schema->target_forms[k]);
    if (!fits)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: preprocessing.table.target_numbers: expected a text such as \",.\" for "
                       "each target",
                       place);
    const char **texts = json_is_array(words) ? unpack_texts(words, false, NULL) : NULL;
    if ((words && !texts) || (alone && !json_is_boolean(alone)))
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: preprocessing.table.missing_words: expected an array of texts, and "
                       "missing_alone true or false",
                       place);
    const gi_missing_words missing = {(char **)texts, json_array_size(words), json_is_true(alone)};
    const glia_status status = gi_missing_words_copy(&missing, &schema->missing, error);
    gi_free(texts);
    return status;
}

static glia_status unpack_column(const char *place, const json_t *object, size_t j,
                                 gi_schema_column *column, glia_error *error)
{
    const char *name = json_string_value(json_object_get(object, "name"));
    const json_t *categories = json_object_get(object, "categories");
    const json_t *missing = json_object_get(object, "missing");
    if (!name || !name[0]) return reject(place, j, "name", "the name of a column", error);
    if (missing && !json_is_boolean(missing))
        return reject(place, j, "missing", "true or false", error);
    if (!unpack_form(json_object_get(object, "numbers"), &column->form))
        return reject(place, j, "numbers", "a text such as \",.\"", error);
    column->flags_missing = json_is_true(missing);
    column->is_category = categories != NULL;
    column->scale = 1;
    column->name = gi_strdup(name, error);
    if (!column->name) return GLIA_NO_MEMORY;
    if (!categories) {
        column->mean = json_number_value(json_object_get(object, "mean"));
        column->scale = json_number_value(json_object_get(object, "scale"));
        if (!json_is_number(json_object_get(object, "mean")) || !isfinite(column->mean))
            return reject(place, j, "mean", "a number", error);
        if (!(column->scale > 0) || !isfinite(column->scale))
            return reject(place, j, "scale", "a number above 0", error);
        return unpack_date(place, object, j, column, error);
    }
    const char **texts = json_is_array(categories) ? unpack_texts(categories, true, NULL) : NULL;
    if (!texts)
        return reject(place, j, "categories", "an array of different texts in ascending order",
                      error);
    column->n_categories = json_array_size(categories);
    column->categories = gi_copy_names(texts, column->n_categories, error);
    gi_free(texts);
    return column->categories ? GLIA_OK : GLIA_NO_MEMORY;
}

glia_status gi_schema_unpack(const char *place, const json_t *table, size_t n_features,
                             gi_schema **out, glia_error *error)
{
    const json_t *columns = json_object_get(table, "columns");
    const json_t *targets = json_object_get(table, "targets");
    const json_t *text_target = json_object_get(table, "text_target");
    const size_t n = json_array_size(columns);
    if (n == 0 || n > n_features)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: preprocessing.table.columns: found %zu, expected an array of 1 to %zu "
                       "columns, since the network has that many inputs",
                       place, n, n_features);
    if (!json_is_boolean(text_target))
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: preprocessing.table.text_target: expected true or false", place);
    const char **names = json_is_array(targets) ? unpack_texts(targets, false, NULL) : NULL;
    if (!names)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: preprocessing.table.targets: expected an array of names", place);
    gi_schema *schema = NULL;
    glia_status status = gi_schema_new(n, names, json_array_size(targets), &schema, error);
    gi_free(names);
    if (!status) schema->has_text_target = json_is_true(text_target);
    if (!status) status = unpack_reading(place, table, schema, error);
    for (size_t j = 0; j < n && !status; j++)
        status = unpack_column(place, json_array_get(columns, j), j, &schema->columns[j], error);
    if (!status) {
        gi_schema_count(schema);
        if (schema->n_features != n_features)
            status =
                gi_fail(error, GLIA_BAD_FORMAT,
                        "%s: preprocessing.table.columns: they make %zu features, expected %zu, "
                        "the network's inputs",
                        place, schema->n_features, n_features);
    }
    if (status)
        gi_schema_free(schema);
    else
        *out = schema;
    return status;
}
