/* SPDX-License-Identifier: MIT */
/* Which kernels this machine can run, and the choice among them. */
#include "compute/engine.h"

#include <stdlib.h>
#include <string.h>

#include "compute/pack.h"

extern const gi_engine gi_reference_float_baseline, gi_reference_double_baseline;
extern const gi_engine gi_native_baseline;
extern const gi_pack gi_pack_baseline;

static bool always(void)
{
    return true;
}

#ifdef __x86_64__
extern const gi_engine gi_reference_float_avx2, gi_reference_double_avx2;
extern const gi_engine gi_reference_float_avx512, gi_reference_double_avx512;
extern const gi_engine gi_native_avx2, gi_native_avx512;
extern const gi_pack gi_pack_avx2, gi_pack_avx512;

/* The features that src/meson.build compiles a level for. The builtins ask the OS too. */
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("popcnt");
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512cd");
}
#endif

/* Best first. */
static const struct {
    const gi_engine *f32, *f64, *native;
    const gi_pack *pack;
    bool (*is_supported)(void);
} levels[] = {
#ifdef __x86_64__
    {&gi_reference_float_avx512, &gi_reference_double_avx512, &gi_native_avx512, &gi_pack_avx512,
     has_avx512},
    {&gi_reference_float_avx2, &gi_reference_double_avx2, &gi_native_avx2, &gi_pack_avx2, has_avx2},
#endif
    {&gi_reference_float_baseline, &gi_reference_double_baseline, &gi_native_baseline,
     &gi_pack_baseline, always},
};

bool gi_cpu_has_bf16(void)
{
#ifdef __x86_64__
    return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw");
#else
    return false;
#endif
}

const gi_engine *gi_engine_reference(size_t element_bytes, const char *isa)
{
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        const gi_engine *engine = element_bytes == sizeof(double) ? levels[i].f64 : levels[i].f32;
        if (isa && strcmp(isa, engine->isa) != 0) continue;
        if (levels[i].is_supported()) return engine;
    }
    return NULL;
}

const gi_engine *gi_engine_native(const gi_engine *reference)
{
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (levels[i].f32 == reference) return levels[i].native;
    return NULL;
}

const gi_pack *gi_pack_for(const char *isa)
{
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        if (isa && strcmp(isa, levels[i].pack->isa) != 0) continue;
        if (levels[i].is_supported()) return levels[i].pack;
    }
    return NULL;
}

glia_status gi_engine_choose(const gi_engine **out, glia_error *error)
{
    const char *isa = getenv("GLIA_CPU");
    if (isa && !*isa) isa = NULL;
    const gi_engine *engine = gi_engine_reference(sizeof(float), isa);
    if (!engine)
        return gi_fail(
            error, GLIA_BAD_ARGUMENT,
            "the environment variable GLIA_CPU: found \"%s\", expected baseline, avx2 or "
            "avx512, as far as this CPU has them; unset it for the best",
            isa);
    *out = engine;
    return GLIA_OK;
}
