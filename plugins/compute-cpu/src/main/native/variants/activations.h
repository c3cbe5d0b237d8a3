/* Prepared activations. */
#ifndef MANIPLE_ACTIVATIONS_H
#define MANIPLE_ACTIVATIONS_H

#include "maniple.h"

INLINE float load_float(const void *p)
{
    float a;
    __builtin_memcpy(&a, p, 4);
    return a;
}

/* Rows of activations: codes, scales, sums of blocks, sums of halves, as Int8Layout has them. */
typedef struct {
    const uint8_t *at;
    int64_t stride;
    int64_t scales;
    int64_t sums;
    int64_t halves;
} Activations;

INLINE int64_t padded(int64_t bytes)
{
    return (bytes + 63) & -64;
}

INLINE Activations activations(const uint8_t *at, int64_t stride, int64_t blocks)
{
    Activations x = {at, stride, padded(32 * blocks), padded(32 * blocks) + padded(4 * blocks), padded(32 * blocks) + 2 * padded(4 * blocks)};
    return x;
}

#endif
