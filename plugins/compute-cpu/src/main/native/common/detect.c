/* Which instruction sets the processor has and the operating system lets us use. */
#include "maniple.h"

#include <string.h>

EXPORT int32_t maniple_cpu_abi(void)
{
    return ABI;
}

/* The instruction sets that kernels were compiled for, each with a space before it. */
EXPORT const char *maniple_cpu_variants(void)
{
    return VARIANTS;
}

#if defined(__x86_64__)

#include <sys/syscall.h>
#include <unistd.h>

#define ARCH_REQ_XCOMP_PERM 0x1023
#define XFEATURE_XTILEDATA 18

static int avx512(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("avx512f")
            && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")
            && __builtin_cpu_supports("avx512vnni");
}

/* Whether the processor has tiles for int8 and bf16 (CPUID 7.0, EDX bits 22, 24, 25) and Linux lets this process use them, which it wants to be
   asked for: it is the permission of the whole process, also of threads that are there already. */
static int amx(void)
{
    uint32_t a = 7;
    uint32_t b;
    uint32_t c = 0;
    uint32_t d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    const uint32_t tiles = 1u << 22 | 1u << 24 | 1u << 25;
    return (d & tiles) == tiles && syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

/* Whether the processor can run kernels of an instruction set. */
EXPORT int32_t maniple_cpu_runs(const char *variant)
{
    __builtin_cpu_init();
    if (strcmp(variant, "avx2") == 0) {
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    }
    if (strcmp(variant, "avx512vnni") == 0) {
        return avx512();
    }
    if (strcmp(variant, "avx512bf16") == 0) {
        return avx512() && __builtin_cpu_supports("avx512bf16");
    }
    if (strcmp(variant, "amx") == 0) {
        return avx512() && __builtin_cpu_supports("avx512bf16") && amx();
    }
    return 0;
}

#elif defined(__aarch64__)

#include <sys/auxv.h>

#define HWCAP_ASIMDDP_BIT (1ul << 20)

EXPORT int32_t maniple_cpu_runs(const char *variant)
{
    if (strcmp(variant, "neon") == 0) {
        return 1;
    }
    return strcmp(variant, "dotprod") == 0 && (getauxval(AT_HWCAP) & HWCAP_ASIMDDP_BIT) != 0;
}

#endif
