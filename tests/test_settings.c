/* SPDX-License-Identifier: MIT */
/* Settings by name: glia_settings_... of glia.h. */
#include <jansson.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "assert_error.h"
#include "model/settings.h"

enum { LONGEST = 512 };

static glia_settings *make(void)
{
    glia_settings *settings = NULL;
    assert_int_equal(glia_settings_create(&settings, NULL), GLIA_OK);
    return settings;
}

static void assert_text(const glia_settings *settings, const char *name, const char *expected)
{
    char text[LONGEST];
    const size_t n = glia_settings_get(settings, name, text, sizeof text);
    assert_string_equal(text, expected);
    assert_int_equal(n, strlen(expected));
}

/* A value's text sets it again; a default is not given, and NULL brings it back. */
static void test_every_setting_comes_back(void **state)
{
    (void)state;
    glia_settings *settings = make();
    assert_int_equal(glia_settings_count(), GI_N_SETTINGS);
    for (size_t i = 0; i < glia_settings_count(); i++) {
        const char *name = glia_setting_name(i);
        char usual[LONGEST], again[LONGEST];
        glia_error error = {0};
        assert_false(glia_settings_is_set(settings, name));
        assert_true(glia_settings_get(settings, name, usual, sizeof usual) > 0);
        if (glia_settings_set(settings, name, usual, &error)) fail_msg("%s", error.message);
        assert_true(glia_settings_is_set(settings, name));
        glia_settings_get(settings, name, again, sizeof again);
        assert_string_equal(again, usual);
        assert_int_equal(glia_settings_set(settings, name, NULL, NULL), GLIA_OK);
        assert_false(glia_settings_is_set(settings, name));
        glia_settings_get(settings, name, again, sizeof again);
        assert_string_equal(again, usual);
        assert_non_null(glia_setting_key(i));
        assert_non_null(glia_setting_group(i));
        assert_true(strlen(glia_setting_help(i)) > 0);
        /* nothing of it is a legal value of any */
        char expected[LONGEST];
        assert_true(glia_setting_expected(i, expected, sizeof expected) > 0);
        assert_error(name, glia_settings_set(settings, name, "-7x", &error), GLIA_BAD_ARGUMENT,
                     &error, name, expected);
        glia_settings_get(settings, name, again, sizeof again);
        assert_string_equal(again, usual);
    }
    assert_null(glia_setting_name(glia_settings_count()));
    assert_null(glia_setting_choice(0, 1000));
    glia_settings_free(settings);
}

static void test_values(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *text; /* text NULL: refused */
    } cases[] = {
        {"dropout", "0.2", "0.2"},
        {"dropout", "0.10000000000000001", "0.1"},
        {"dropout", "0.3333333333333333", "0.3333333333333333"},
        {"dropout", "1", NULL},
        {"dropout", "-0.1", NULL},
        {"dropout", "nan", NULL},
        {"dropout", "0,5", NULL},
        {"dropout", "", NULL},
        {"lr", "0", NULL},
        {"lr", "auto", "auto"},
        {"lr-end", "0", "0"},
        {"lr_end", "constant", "auto"},
        {"lr_every", "0", NULL},
        {"lr-every", "auto", "auto"},
        {"epochs", "0", "0"},
        {"epochs", "1000000001", NULL},
        {"epochs", "2.5", NULL},
        {"batch", "0", NULL},
        {"seed", "18446744073709551615", "18446744073709551615"},
        {"seed", "18446744073709551616", NULL},
        {"threads", "1025", NULL},
        {"optimizer", "adam", "adam"},
        {"optimizer", "Adam", NULL},
        {"activation", "softmax", NULL},
        {"activation", "tanh,leaky-relu", "tanh,leaky-relu"},
        {"activation", "tanh,", NULL},
        {"hidden", "none", "none"},
        {"hidden", "512,256", "512,256"},
        {"hidden", "512,,256", NULL},
        {"hidden", "0", NULL},
        {"hidden", "1048577", NULL},
        {"batch-norm", "yes", "yes"},
        {"batch_norm", "true", NULL},
        {"standardise", "no", "no"},
        {"class-weights", "balanced", "balanced"},
        {"class-weights", "1,2.5,0", "1,2.5,0"},
        {"class-weights", "1,-1", NULL},
        {"rotate", "180", "180"},
        {"rotation", "181", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        glia_settings *settings = make();
        glia_error error = {0};
        const glia_status status =
            glia_settings_set(settings, cases[i].name, cases[i].value, &error);
        if ((status == GLIA_OK) != (cases[i].text != NULL))
            fail_msg("%s=%s: %s", cases[i].name, cases[i].value, error.message);
        if (cases[i].text) assert_text(settings, cases[i].name, cases[i].text);
        glia_settings_free(settings);
    }
}

static void test_typed(void **state)
{
    (void)state;
    glia_settings *settings = make(), *copy = NULL;
    glia_error error = {0};
    const double hidden[] = {30, 20}, weights[] = {1, 2}, bad[] = {1.5};
    double values[4];
    assert_int_equal(glia_settings_set_number(settings, "epochs", 7, NULL), GLIA_OK);
    assert_int_equal(glia_settings_set_number(settings, "seed", 0x1p60, NULL), GLIA_OK);
    assert_int_equal(glia_settings_set_number(settings, "optimizer", GLIA_OPTIMIZER_ADAM, NULL),
                     GLIA_OK);
    assert_int_equal(glia_settings_set_list(settings, "hidden", hidden, 2, NULL), GLIA_OK);
    assert_int_equal(glia_settings_set_list(settings, "class_weights", weights, 2, NULL), GLIA_OK);
    assert_error("half", glia_settings_set_number(settings, "epochs", 0.5, &error),
                 GLIA_BAD_ARGUMENT, &error, "epochs", "0.5");
    assert_error("NaN", glia_settings_set_number(settings, "lr", (double)NAN, &error),
                 GLIA_BAD_ARGUMENT, &error, "lr", "nan");
    assert_error("which", glia_settings_set_number(settings, "optimizer", 99, &error),
                 GLIA_BAD_ARGUMENT, &error, "optimizer", "adamw");
    assert_error("units", glia_settings_set_list(settings, "hidden", bad, 1, &error),
                 GLIA_BAD_ARGUMENT, &error, "hidden", "none");
    assert_error("one", glia_settings_set_list(settings, "lr", hidden, 2, &error),
                 GLIA_BAD_ARGUMENT, &error, "lr", "one value");
    assert_error("name", glia_settings_set(settings, "droput", "0.1", &error), GLIA_BAD_ARGUMENT,
                 &error, "droput", "no setting");
    assert_true(glia_settings_number(settings, "epochs") == 7);
    assert_true(glia_settings_integer(settings, "seed") == 1ULL << 60);
    assert_true(isnan(glia_settings_number(settings, "lr")));
    assert_true(isnan(glia_settings_number(settings, "droput")));
    assert_int_equal(glia_settings_list(settings, "hidden", values, 4), 2);
    assert_true(values[0] == 30 && values[1] == 20);
    /* a copy owns its lists */
    assert_int_equal(glia_settings_copy(settings, &copy, NULL), GLIA_OK);
    glia_settings_free(settings);
    assert_int_equal(glia_settings_list(copy, "class-weights", values, 1), 2);
    assert_text(copy, "class-weights", "1,2");
    char cut[3];
    assert_int_equal(glia_settings_get(copy, "class-weights", cut, sizeof cut), 3);
    assert_string_equal(cut, "1,");
    glia_settings_free(copy);
}

static void test_parse(void **state)
{
    (void)state;
    glia_settings *settings = make();
    glia_error error = {0};
    assert_int_equal(glia_settings_parse(settings, " hidden=8,4\tactivation=tanh\nlr=0.5 ", NULL),
                     GLIA_OK);
    assert_text(settings, "hidden", "8,4");
    assert_text(settings, "activation", "tanh");
    assert_text(settings, "lr", "0.5");
    assert_int_equal(glia_settings_parse(settings, "", NULL), GLIA_OK);
    assert_error("no value", glia_settings_parse(settings, "batch=3 lr", &error), GLIA_BAD_ARGUMENT,
                 &error, "\"lr\"", "NAME=VALUE");
    assert_text(settings, "batch", "3");
    assert_error("bad", glia_settings_parse(settings, "lr=fast batch=4", &error), GLIA_BAD_ARGUMENT,
                 &error, "lr", "fast");
    assert_text(settings, "batch", "3");
    glia_settings_free(settings);
}

/* What is automatic is decided by the optimizer, the schedule and --augment. */
static void test_settled(void **state)
{
    (void)state;
    glia_settings *settings = make();
    glia_error error = {0};
    assert_int_equal(glia_settings_parse(settings, "optimizer=adamw schedule=step epochs=9", NULL),
                     GLIA_OK);
    assert_int_equal(glia_settings_settle(settings, NULL), GLIA_OK);
    assert_text(settings, "lr", "0.001");
    assert_text(settings, "beta2", "0.999");
    assert_text(settings, "weight-decay", "0.01");
    assert_text(settings, "lr-factor", "0.1");
    assert_text(settings, "lr-every", "3");
    assert_text(settings, "shift", "0");
    assert_int_equal(glia_settings_settle(settings, NULL), GLIA_OK); /* once and for all */
    glia_settings_free(settings);
    settings = make();
    assert_int_equal(glia_settings_parse(settings, "augment=yes rotate=5", NULL), GLIA_OK);
    assert_int_equal(glia_settings_settle(settings, NULL), GLIA_OK);
    assert_text(settings, "shift", "1.5");
    assert_text(settings, "rotate", "5");
    assert_text(settings, "elastic-sigma", "4");
    assert_int_equal(glia_settings_parse(settings, "hidden=3,2 activation=relu,tanh,elu", NULL),
                     GLIA_OK);
    assert_error("activations", glia_settings_settle(settings, &error), GLIA_BAD_ARGUMENT, &error,
                 "found 3 for 2 hidden layers", NULL);
    glia_settings_free(settings);
}

static void test_json(void **state)
{
    (void)state;
    glia_settings *settings = make();
    char *text = NULL;
    assert_int_equal(
        glia_settings_parse(settings, "hidden=8,4 lr=0.5 class-weights=1,2 deskew=yes", NULL),
        GLIA_OK);
    assert_int_equal(glia_settings_set(settings, "seed", "18446744073709551615", NULL), GLIA_OK);
    assert_int_equal(glia_settings_json(settings, &text, NULL), GLIA_OK);
    json_t *json = json_loads(text, 0, NULL);
    assert_int_equal(json_object_size(json), glia_settings_count());
    for (size_t i = 0; i < glia_settings_count(); i++)
        assert_non_null(json_object_get(json, glia_setting_key(i)));
    assert_true(json_real_value(json_object_get(json, "lr")) == 0.5);
    assert_true(json_is_null(json_object_get(json, "lr_end")));
    assert_true(json_is_true(json_object_get(json, "deskew")));
    assert_int_equal(json_array_size(json_object_get(json, "activation")), 2);
    assert_string_equal(json_string_value(json_object_get(json, "seed")), "18446744073709551615");
    json_decref(json);
    glia_string_free(text);
    glia_settings_free(settings);
}

/* The decimal point is the same in every locale. */
static void test_locale(void **state)
{
    (void)state;
    if (!setlocale(LC_ALL, "de_DE.UTF-8")) skip();
    glia_settings *settings = make();
    assert_int_equal(glia_settings_set(settings, "dropout", "0.25", NULL), GLIA_OK);
    assert_text(settings, "dropout", "0.25");
    assert_int_equal(glia_settings_set(settings, "dropout", "0,5", NULL), GLIA_BAD_ARGUMENT);
    glia_settings_free(settings);
    setlocale(LC_ALL, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_setting_comes_back),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_typed),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_settled),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
