/* What all native kernels have in common. Every file of variants/ is compiled once for each instruction set; NAME makes its symbols different. */
#ifndef MANIPLE_H
#define MANIPLE_H

#include <stddef.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))
#define INLINE static inline __attribute__((always_inline))

#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
/* multiply becomes multiply_avx2 and so on. */
#define NAME(name) JOIN(name, VARIANT)

/* Raised whenever a symbol, its arguments or a layout changes; the Java side asks for exactly its own. */
#define ABI 4

#endif
