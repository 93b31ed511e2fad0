// SPDX-License-Identifier: MIT
// glia.h from C++: it compiles without a warning, twice, and what it declares links and works.
#include "glia.h"
#include "glia.h" // the guard holds

#include <cstdio>
#include <cstring>

// Numbers stay: a program has them compiled in. Of each list the last; insertions would move it.
static_assert(GLIA_OK == 0 && GLIA_CANCELLED == 10, "glia_status");
static_assert(GLIA_SPLIT_TEST == 1 && GLIA_TYPE_F32 == 1 && GLIA_TASK_VALUES == 2, "data");
static_assert(GLIA_LOSS_HUBER == 5 && GLIA_FILE_IMAGE == 5 && GLIA_SEVERITY_NOTE == 2, "data");
static_assert(GLIA_FINDING_FEW_ROWS == 24 && GLIA_COLUMN_DATES == 3 && GLIA_ROLE_NONE == 4,
              "survey");
static_assert(GLIA_ENGINE_ONEDNN == 3 && GLIA_PRECISION_BF16 == 1, "engines");
static_assert(GLIA_ACTIVATION_SCALED_TANH == 8 && GLIA_ACTIVATION_SOFTMAX == 100, "activations");
static_assert(GLIA_INIT_HE_NORMAL == 4 && GLIA_PREPROCESS_STANDARDISE == 4, "networks");
static_assert(GLIA_OVERLAP_PART == 2 && GLIA_DIAGNOSIS_PLATEAU == 12, "training");
static_assert(GLIA_OPTIMIZER_ADAMW == 5 && GLIA_SCHEDULE_ONE_CYCLE == 6, "training");
static_assert(GLIA_STOP_DIVERGED == 3, "training");

static int n_cases, n_failed;

static void check(bool good, const char *what)
{
    n_cases++;
    if (!good) n_failed++;
    std::printf("%sok %d - %s\n", good ? "" : "not ", n_cases, what);
}

int main()
{
    check(std::strcmp(glia_version(), GLIA_VERSION) == 0, "version of header and library");
    check(glia_version_number() == GLIA_VERSION_NUMBER, "the same as a number");

    glia_network *network = nullptr;
    glia_settings *settings = nullptr;
    check(glia_settings_create(&settings, nullptr) == GLIA_OK, "make settings");
    check(glia_settings_set(settings, "hidden", "7,5", nullptr) == GLIA_OK, "set one");
    check(glia_network_create(4, 3, settings, &network, nullptr) == GLIA_OK, "create a network");
    glia_settings_free(settings);

    check(glia_network_describe(network).layers == 3, "a struct by value");

    const float x[4] = {0, 1, 0, 1};
    float p[3] = {0, 0, 0};
    check(glia_predict(network, GLIA_TYPE_F32, x, 1, 4, p, 3, nullptr) == GLIA_OK, "predict");
    const float sum = p[0] + p[1] + p[2];
    check(sum > 0.999F && sum < 1.001F, "probabilities sum to one");

    glia_error error; // nothing is read of it before a failure
    check(glia_network_load("/no/such/file", &network, &error) == GLIA_NOT_FOUND &&
              error.status == GLIA_NOT_FOUND && error.message[0] != '\0',
          "a failure is a status with a message");
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
    glia_error zero = {0}; // as C programs begin it
    check(zero.message[0] == '\0' && zero.status == GLIA_OK, "an error of zeros, as in C");
    glia_network_free(network);
    std::printf("1..%d\n", n_cases);
    return n_failed == 0 ? 0 : 1;
}
