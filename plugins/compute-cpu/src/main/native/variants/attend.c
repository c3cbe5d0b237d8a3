/* VARIANTS: avx2 avx512vnni neon */
/*
 * Attention of some rows of a sequence, and of the query heads that read one key-value head, over one chunk of positions. Compiled once
 * for each instruction set. Class AttendChunk says what the fields mean; class VectorAttention computes the same bits.
 *
 * What is read of a key or a value serves all heads and rows of a tile: scores are formed block by block of the cache, and then the sums
 * of values likewise, both while the chunk lies in the nearest caches.
 */
#include <math.h>

#include "f32x16.h"
#include "maniple.h"

/* Positions of a chunk. */
#define CHUNK 256

#if defined(__AVX512F__)
/* Rows of queries that a key is loaded for at once; rows of weights and vectors of values. */
#define QUERIES 4
#define WEIGHTS 4
#define VECTORS 4
#else
#define QUERIES 1
#define WEIGHTS 2
#define VECTORS 2
#endif

struct attend {
    const float *queries;
    const float *keys;
    const float *turned_queries;
    const float *turned_keys;
    const float *values;
    float *out;
    /* For each row and head: the greatest score so far, the sum of weights, CHUNK scores, value_length sums. */
    float *greatest;
    float *sums;
    float *scores;
    float *parts;
    /* Pairs: the first slot of positions that lie one after the other, and how many there are. */
    const int64_t *runs;
    /* Strides in floats. */
    int64_t query_row;
    int64_t query_head;
    int64_t turned_row;
    int64_t turned_head;
    int64_t key_stride;
    int64_t turned_stride;
    int64_t value_stride;
    int64_t out_row;
    int64_t out_head;
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
};

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

/* Four keys times some queries; adds to what is there if the scores have a first part already. */
INLINE void four_keys(const int count, const float *const *queries, const float *k0, const float *k1, const float *k2, const float *k3,
    int32_t length, int add, float *const *scores)
{
    f32x16 s[QUERIES][4];
    for (int q = 0; q < count; q++) {
        for (int k = 0; k < 4; k++) {
            s[q][k] = x16_zero();
        }
    }
    int32_t i = 0;
    for (; i + 16 <= length; i += 16) {
        f32x16 a = x16_load(k0 + i);
        f32x16 b = x16_load(k1 + i);
        f32x16 c = x16_load(k2 + i);
        f32x16 d = x16_load(k3 + i);
        for (int q = 0; q < count; q++) {
            f32x16 x = x16_load(queries[q] + i);
            s[q][0] = x16_fma(a, x, s[q][0]);
            s[q][1] = x16_fma(b, x, s[q][1]);
            s[q][2] = x16_fma(c, x, s[q][2]);
            s[q][3] = x16_fma(d, x, s[q][3]);
        }
    }
    for (int q = 0; q < count; q++) {
        float sums[4];
        x16_fold4(s[q][0], s[q][1], s[q][2], s[q][3], sums);
        if (i < length) {
            float rest[4] = {0, 0, 0, 0};
            for (int32_t j = i; j < length; j++) {
                rest[0] = __builtin_fmaf(queries[q][j], k0[j], rest[0]);
                rest[1] = __builtin_fmaf(queries[q][j], k1[j], rest[1]);
                rest[2] = __builtin_fmaf(queries[q][j], k2[j], rest[2]);
                rest[3] = __builtin_fmaf(queries[q][j], k3[j], rest[3]);
            }
            for (int k = 0; k < 4; k++) {
                sums[k] += rest[k];
            }
        }
        for (int k = 0; k < 4; k++) {
            scores[q][k] = add ? scores[q][k] + sums[k] : sums[k];
        }
    }
}

/* Keys that lie one after the other times some queries. The last ones are computed up to three times rather than alone. */
INLINE void keys_of_run(const int count, const float *const *queries, const float *keys, int64_t stride, int32_t number, int32_t length,
    int add, float *const *scores)
{
    float *to[QUERIES];
    int32_t k = 0;
    for (; k + 4 <= number; k += 4) {
        const float *key = keys + k * stride;
        for (int q = 0; q < count; q++) {
            to[q] = scores[q] + k;
        }
        four_keys(count, queries, key, key + stride, key + 2 * stride, key + 3 * stride, length, add, to);
    }
    if (k < number) {
        float few[QUERIES][4];
        const float *key = keys + k * stride;
        int32_t left = number - k;
        for (int q = 0; q < count; q++) {
            to[q] = few[q];
            for (int32_t i = 0; i < 4; i++) {
                few[q][i] = i < left ? scores[q][k + i] : 0;
            }
        }
        four_keys(count, queries, key, key + (left > 1 ? stride : 0), key + (left > 2 ? 2 * stride : 0), key, length, add, to);
        for (int q = 0; q < count; q++) {
            for (int32_t i = 0; i < left; i++) {
                scores[q][k + i] = few[q][i];
            }
        }
    }
}

static __attribute__((noinline)) void score_run(int count, const float *const *queries, const float *keys, int64_t stride, int32_t number,
    int32_t length, int add, float *const *scores)
{
    switch (count) {
    case 1: keys_of_run(1, queries, keys, stride, number, length, add, scores); break;
#if QUERIES > 1
    case 2: keys_of_run(2, queries, keys, stride, number, length, add, scores); break;
    case 3: keys_of_run(3, queries, keys, stride, number, length, add, scores); break;
    case 4: keys_of_run(4, queries, keys, stride, number, length, add, scores); break;
#endif
    default: break;
    }
}

/* Rows of one head are pages apart, so that the processor does not see by itself what comes next. */
static void prefetch(const float *rows, int64_t stride, int32_t number, int32_t length)
{
    for (int32_t i = 0; i < number; i++) {
        for (int32_t j = 0; j < length; j += 16) {
            __builtin_prefetch(rows + i * stride + j, 0, 2);
        }
    }
}

static void score(const struct attend *a)
{
    int32_t pairs = a->rows * a->shared;
    int32_t at = a->from;
    for (int32_t run = 0; run < a->run_count; run++) {
        int64_t slot = a->runs[2 * run];
        int32_t number = (int32_t) a->runs[2 * run + 1];
        for (int32_t group = 0; group * a->shared < a->heads; group++) {
            const int64_t keys = group * a->key_length;
            if (a->values != a->keys) {
                prefetch(a->values + slot * a->value_stride + group * a->value_length, a->value_stride, number, a->value_length);
            }
            if (run + 1 < a->run_count) {
                prefetch(a->keys + a->runs[2 * run + 2] * a->key_stride + keys, a->key_stride, (int32_t) a->runs[2 * run + 3],
                    a->key_length);
            }
            for (int32_t first = 0; first < pairs; first += QUERIES) {
                int count = pairs - first < QUERIES ? pairs - first : QUERIES;
                const float *queries[QUERIES];
                const float *turned[QUERIES];
                float *scores[QUERIES];
                for (int q = 0; q < count; q++) {
                    int32_t pair = pair_of(a, group, first + q);
                    int32_t row = pair / a->heads;
                    int32_t head = pair % a->heads;
                    queries[q] = a->queries + row * a->query_row + head * a->query_head;
                    turned[q] = a->turned_queries + row * a->turned_row + head * a->turned_head;
                    scores[q] = a->scores + (int64_t) pair * CHUNK + at;
                }
                score_run(count, queries, a->keys + slot * a->key_stride + keys, a->key_stride, number, a->key_length, 0, scores);
                if (a->turned_length > 0) {
                    score_run(count, turned, a->turned_keys + slot * a->turned_stride, a->turned_stride, number, a->turned_length, 1, scores);
                }
            }
        }
        at += number;
    }
}

/* Makes weights of a row's scores, relative to the greatest of the chunk. What the row does not see weighs nothing. */
static void weigh(const struct attend *a, int32_t pair, int32_t from, int32_t to, float *greatest, float *sum)
{
    float *scores = a->scores + (int64_t) pair * CHUNK;
    int32_t first = from & ~15;
    int32_t end = (to + 15) & ~15;
    for (int32_t i = first; i < from; i++) {
        scores[i] = scores[from];
    }
    for (int32_t i = to; i < end; i++) {
        scores[i] = scores[to - 1];
    }
    f32x16 scale = x16_all(a->scale);
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

/* Adds values, each times its weight, to some rows of sums: positions [from, to), elements [element, element + 16 * vectors). */
INLINE void add_vectors(const int count, const int vectors, const struct attend *a, const float *values, float *const *weights, float *const *parts, int32_t from,
    int32_t to, int32_t element)
{
    f32x16 s[WEIGHTS][VECTORS];
    for (int q = 0; q < count; q++) {
        for (int v = 0; v < vectors; v++) {
            s[q][v] = x16_load(parts[q] + element + 16 * v);
        }
    }
    int32_t begin = a->from;
    for (int32_t run = 0; run < a->run_count && begin < to; run++) {
        int32_t end = begin + (int32_t) a->runs[2 * run + 1];
        int32_t first = from > begin ? from : begin;
        int32_t last = to < end ? to : end;
        const float *value = values + (a->runs[2 * run] + first - begin) * a->value_stride + element;
        for (int32_t i = first; i < last; i++) {
            f32x16 x[VECTORS];
            for (int v = 0; v < vectors; v++) {
                x[v] = x16_load(value + 16 * v);
            }
            for (int q = 0; q < count; q++) {
                f32x16 w = x16_all(weights[q][i]);
                for (int v = 0; v < vectors; v++) {
                    s[q][v] = x16_fma(x[v], w, s[q][v]);
                }
            }
            value += a->value_stride;
        }
        begin = end;
    }
    for (int q = 0; q < count; q++) {
        for (int v = 0; v < vectors; v++) {
            x16_store(parts[q] + element + 16 * v, s[q][v]);
        }
    }
}

INLINE void add_values(const int count, const struct attend *a, const float *values, float *const *weights, float *const *parts, int32_t from, int32_t to)
{
    int32_t element = 0;
    for (; element + 16 * VECTORS <= a->value_length; element += 16 * VECTORS) {
        add_vectors(count, VECTORS, a, values, weights, parts, from, to, element);
    }
    for (; element + 16 <= a->value_length; element += 16) {
        add_vectors(count, 1, a, values, weights, parts, from, to, element);
    }
    if (element == a->value_length) {
        return;
    }
    int32_t begin = a->from;
    for (int32_t run = 0; run < a->run_count && begin < to; run++) {
        int32_t end = begin + (int32_t) a->runs[2 * run + 1];
        for (int32_t i = from > begin ? from : begin; i < (to < end ? to : end); i++) {
            const float *value = values + (a->runs[2 * run] + i - begin) * a->value_stride;
            for (int q = 0; q < count; q++) {
                for (int32_t j = element; j < a->value_length; j++) {
                    parts[q][j] = __builtin_fmaf(value[j], weights[q][i], parts[q][j]);
                }
            }
        }
        begin = end;
    }
}

static __attribute__((noinline)) void add_some(int count, const struct attend *a, const float *values, float *const *weights, float *const *parts, int32_t from,
    int32_t to)
{
    if (from >= to) {
        return;
    }
    switch (count) {
    case 1: add_values(1, a, values, weights, parts, from, to); break;
    case 2: add_values(2, a, values, weights, parts, from, to); break;
#if WEIGHTS > 2
    case 3: add_values(3, a, values, weights, parts, from, to); break;
    case 4: add_values(4, a, values, weights, parts, from, to); break;
#endif
    default: break;
    }
}

/* Rows see different positions at the ends only: there each is taken alone, so that what it does not see is not even read. */
static void gather(const struct attend *a, int32_t group, int32_t from, int32_t to)
{
    const float *values = a->values + group * a->value_length;
    int32_t pairs = a->rows * a->shared;
    for (int32_t number = 0; number < pairs; number += WEIGHTS) {
        int count = pairs - number < WEIGHTS ? pairs - number : WEIGHTS;
        float *weights[WEIGHTS];
        float *parts[WEIGHTS];
        int32_t begins[WEIGHTS];
        int32_t ends[WEIGHTS];
        int32_t first = from;
        int32_t last = to;
        for (int q = 0; q < count; q++) {
            int32_t pair = pair_of(a, group, number + q);
            int32_t row = pair / a->heads;
            int32_t begin = row_from(a, row);
            int32_t end = row_to(a, row);
            weights[q] = a->scores + (int64_t) pair * CHUNK;
            parts[q] = a->parts + (int64_t) pair * a->value_length;
            begins[q] = begin > from ? begin : from;
            ends[q] = end < to ? end : to;
            first = first > begins[q] ? first : begins[q];
            last = last < ends[q] ? last : ends[q];
        }
        if (first >= last) {
            for (int q = 0; q < count; q++) {
                add_some(1, a, values, weights + q, parts + q, begins[q], ends[q]);
            }
            continue;
        }
        for (int q = 0; q < count; q++) {
            add_some(1, a, values, weights + q, parts + q, begins[q], first);
        }
        add_some(count, a, values, weights, parts, first, last);
        for (int q = 0; q < count; q++) {
            add_some(1, a, values, weights + q, parts + q, last, ends[q]);
        }
    }
}

/* to = to * kept + from * added */
static void join(float *to, const float *from, float kept, float added, int32_t length)
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
static void join_chunk(float *greatest, float *sum, float *out, float m, float l, const float *part, int32_t length)
{
    float most = m > *greatest ? m : *greatest;
    float kept = exp_one(*greatest - most);
    float added = exp_one(m - most);
    join(out, part, kept, added, length);
    float shrunk = *sum * kept;
    *sum = __builtin_fmaf(l, added, shrunk);
    *greatest = most;
}

EXPORT void NAME(attend_chunk)(const struct attend *a)
{
    float greatest[CHUNK];
    float sums[CHUNK];
    int32_t pairs = a->rows * a->heads;
    score(a);
    for (int32_t pair = 0; pair < pairs; pair++) {
        int32_t from = row_from(a, pair / a->heads);
        int32_t to = row_to(a, pair / a->heads);
        if (from < to) {
            weigh(a, pair, from, to, &greatest[pair], &sums[pair]);
            float *part = a->parts + (int64_t) pair * a->value_length;
            for (int32_t i = 0; i < a->value_length; i++) {
                part[i] = 0;
            }
        }
    }
    int32_t step = pairs <= WEIGHTS ? CHUNK : 64;
    for (int32_t from = a->from; from < a->to; from += step) {
        for (int32_t group = 0; group * a->shared < a->heads; group++) {
            gather(a, group, from, a->to - from < step ? a->to : from + step);
        }
    }
    for (int32_t pair = 0; pair < pairs; pair++) {
        int32_t row = pair / a->heads;
        if (row_from(a, row) < row_to(a, row)) {
            join_chunk(a->greatest + pair, a->sums + pair, a->out + row * a->out_row + pair % a->heads * a->out_head, greatest[pair],
                sums[pair], a->parts + (int64_t) pair * a->value_length, a->value_length);
        }
    }
}

/* Joins the results of a later chunk, of which each row and head is `length` sums. */
EXPORT void NAME(attend_join)(float *greatest, float *sums, float *out, int64_t out_head, const float *later_greatest, const float *later_sums,
    const float *later, int32_t heads, int32_t length)
{
    for (int32_t head = 0; head < heads; head++) {
        join_chunk(greatest + head, sums + head, out + head * out_head, later_greatest[head], later_sums[head],
            later + (int64_t) head * length, length);
    }
}
