/*
 * What all kinds of attention over a chunk of positions have in common. Class AttendChunk says what the fields mean.
 */
#ifndef MANIPLE_ATTEND_H
#define MANIPLE_ATTEND_H

#include <math.h>

#include "f32x16.h"
#include "maniple.h"

/* Positions of a chunk. */
#define CHUNK 256
/* Cached positions that are made floats at once. */
#define PANEL 64

/* What keys and values are held as: class CacheForm. */
enum { FLOATS, HALVES, BYTES };

struct attend {
    const float *queries;
    const void *keys;
    const float *turned_queries;
    const void *turned_keys;
    const void *values;
    float *out;
    /* For each row and head: the greatest score so far, the sum of weights, CHUNK scores, value_length sums. */
    float *greatest;
    float *sums;
    float *scores;
    float *parts;
    /*
     * Pairs: the first slot of positions that lie one after the other, and how many there are. Behind those of the chunk come those that are read
     * next, to be asked for.
     */
    const int64_t *runs;
    /* Of bytes: the factors of slot 0. */
    const float *key_factors;
    const float *turned_factors;
    const float *value_factors;
    /* For cached rows as floats. */
    float *panel;
    /* Strides in elements. */
    int64_t query_row;
    int64_t query_head;
    int64_t turned_row;
    int64_t turned_head;
    int64_t key_stride;
    int64_t turned_stride;
    int64_t value_stride;
    int64_t out_row;
    int64_t out_head;
    int64_t key_factor_stride;
    int64_t turned_factor_stride;
    int64_t value_factor_stride;
    int32_t run_count;
    int32_t rows;
    int32_t heads;
    int32_t key_length;
    int32_t turned_length;
    int32_t value_length;
    /* The positions of the runs begin and end here, counted from the start of the chunk. */
    int32_t from;
    int32_t to;
    /* The position of the first row, counted likewise: may lie beyond the chunk. */
    int32_t position;
    /* Positions that a row sees, itself included; 0: all. */
    int32_t window;
    float scale;
    /* Following heads that read one key-value head; the next ones read the next one, whose keys and values follow in each row. */
    int32_t shared;
    int32_t form;
    /* Runs that are read next, of how many key-value heads, and where the first of these lies from that of the chunk. */
    int32_t later_count;
    int32_t later_heads;
    int32_t later_shift;
};

INLINE const char *element(const struct attend *a, const void *first, int64_t index)
{
    return (const char *) first + index * (a->form == FLOATS ? 4 : a->form == HALVES ? 2 : 1);
}

INLINE int32_t row_from(const struct attend *a, int32_t row)
{
    int32_t first = a->window == 0 ? a->from : a->position + row - a->window + 1;
    return first > a->from ? first : a->from;
}

INLINE int32_t row_to(const struct attend *a, int32_t row)
{
    int32_t end = a->position + row + 1;
    return end < a->to ? end : a->to;
}

/* Of the rows, and of each the heads that share a key-value head: which pair one is among all. */
INLINE int32_t pair_of(const struct attend *a, int32_t group, int32_t number)
{
    return number / a->shared * a->heads + group * a->shared + number % a->shared;
}

/* Makes weights of a row's scores times a factor, relative to the greatest of the chunk. What the row does not see weighs nothing. */
INLINE void weigh(float *scores, float factor, int32_t from, int32_t to, float *greatest, float *sum)
{
    int32_t first = from & ~15;
    int32_t end = (to + 15) & ~15;
    for (int32_t i = first; i < from; i++) {
        scores[i] = scores[from];
    }
    for (int32_t i = to; i < end; i++) {
        scores[i] = scores[to - 1];
    }
    f32x16 scale = x16_all(factor);
    f32x16 most = x16_all(-INFINITY);
    for (int32_t i = first; i < end; i += 16) {
        f32x16 scaled = x16_mul(x16_load(scores + i), scale);
        x16_store(scores + i, scaled);
        most = x16_max(most, scaled);
    }
    float m = x16_greatest(most);
    f32x16 shift = x16_all(m);
    for (int32_t i = first; i < end; i += 16) {
        x16_store(scores + i, x16_exp(x16_sub(x16_load(scores + i), shift)));
    }
    for (int32_t i = first; i < from; i++) {
        scores[i] = 0;
    }
    for (int32_t i = to; i < end; i++) {
        scores[i] = 0;
    }
    f32x16 total = x16_zero();
    for (int32_t i = first; i < end; i += 16) {
        total = x16_add(total, x16_load(scores + i));
    }
    *greatest = m;
    *sum = x16_fold(total);
}

/* to = to * kept + from * added */
INLINE void join(float *to, const float *from, float kept, float added, int32_t length)
{
    f32x16 k = x16_all(kept);
    f32x16 f = x16_all(added);
    int32_t i = 0;
    for (; i + 16 <= length; i += 16) {
        x16_store(to + i, x16_fma(x16_load(from + i), f, x16_mul(x16_load(to + i), k)));
    }
    for (; i < length; i++) {
        float shrunk = to[i] * kept;
        to[i] = __builtin_fmaf(from[i], added, shrunk);
    }
}

INLINE float exp_one(float value)
{
    float all[16];
    x16_store(all, x16_exp(x16_all(value)));
    return all[0];
}

/* Joins what a chunk gave with what came before it. */
INLINE void join_chunk(float *greatest, float *sum, float *out, float m, float l, const float *part, int32_t length)
{
    float most = m > *greatest ? m : *greatest;
    float kept = exp_one(*greatest - most);
    float added = exp_one(m - most);
    join(out, part, kept, added, length);
    float shrunk = *sum * kept;
    *sum = __builtin_fmaf(l, added, shrunk);
    *greatest = most;
}

#endif
