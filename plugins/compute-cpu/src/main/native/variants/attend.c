/* VARIANTS: avx2 avx512vnni neon */
/*
 * Attention of some rows of a sequence, and of the query heads that read one key-value head, over one chunk of positions. Compiled once
 * for each instruction set. Class AttendChunk says what the fields mean; class VectorAttention computes the same bits.
 *
 * What is read of a key or a value serves all heads and rows of a tile: scores are formed block by block of the cache, and then the sums
 * of values likewise, both while the chunk lies in the nearest caches.
 */
#include "attend.h"

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

/* Makes floats of rows: elements, each times the factor of its row if they are bytes. */
static void widen(int32_t form, const char *rows, int64_t stride, const float *factors, int64_t factor_stride, int32_t number,
    int32_t length, float *to)
{
    for (int32_t row = 0; row < number; row++, to += length) {
        int32_t i = 0;
        if (form == HALVES) {
            const uint16_t *from = (const uint16_t *) rows + row * stride;
            for (; i + 16 <= length; i += 16) {
                x16_store(to + i, x16_of_bf16(from + i));
            }
            for (; i < length; i++) {
                uint32_t bits = (uint32_t) from[i] << 16;
                __builtin_memcpy(to + i, &bits, 4);
            }
        } else {
            const int8_t *from = (const int8_t *) rows + row * stride;
            float factor = factors[row * factor_stride];
            f32x16 all = x16_all(factor);
            for (; i + 16 <= length; i += 16) {
                x16_store(to + i, x16_mul(x16_of_bytes(from + i), all));
            }
            for (; i < length; i++) {
                to[i] = (float) from[i] * factor;
            }
        }
    }
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
static void prefetch(const char *rows, int64_t stride, int32_t number, int64_t length)
{
    for (int32_t i = 0; i < number; i++) {
        for (int64_t j = 0; j < length; j += 64) {
            __builtin_prefetch(rows + i * stride + j, 0, 2);
        }
    }
}

/* Keys that lie one after the other times all queries that read them; turned keys may not be there. */
static void score_all(const struct attend *a, int32_t group, const float *keys, int64_t stride, const float *turned_keys, int64_t turned_stride,
    int32_t number, int32_t at)
{
    int32_t pairs = a->rows * a->shared;
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
        score_run(count, queries, keys, stride, number, a->key_length, 0, scores);
        if (a->turned_length > 0) {
            score_run(count, turned, turned_keys, turned_stride, number, a->turned_length, 1, scores);
        }
    }
}

/* The same of keys that have to be made floats. */
static void score_widened(const struct attend *a, int32_t group, int64_t slot, int32_t number, int32_t at)
{
    float *turned = a->panel + (int64_t) PANEL * a->key_length;
    for (int32_t done = 0; done < number; done += PANEL) {
        int32_t count = number - done < PANEL ? number - done : PANEL;
        widen(a->form, element(a, a->keys, (slot + done) * a->key_stride + (int64_t) group * a->key_length), a->key_stride,
            a->key_factors + (slot + done) * a->key_factor_stride + group, a->key_factor_stride, count, a->key_length, a->panel);
        if (a->turned_length > 0) {
            widen(a->form, element(a, a->turned_keys, (slot + done) * a->turned_stride), a->turned_stride,
                a->turned_factors + (slot + done) * a->turned_factor_stride, a->turned_factor_stride, count, a->turned_length, turned);
        }
        score_all(a, group, a->panel, a->key_length, turned, a->turned_length, count, at + done);
    }
}

static void score(const struct attend *a)
{
    int32_t at = a->from;
    int64_t size = element(a, 0, 1) - (const char *) 0;
    for (int32_t run = 0; run < a->run_count; run++) {
        int64_t slot = a->runs[2 * run];
        int32_t number = (int32_t) a->runs[2 * run + 1];
        for (int32_t group = 0; group * a->shared < a->heads; group++) {
            const int64_t keys = group * a->key_length;
            if (a->values != a->keys) {
                prefetch(element(a, a->values, slot * a->value_stride + group * a->value_length), size * a->value_stride, number,
                    size * a->value_length);
            }
            if (run + 1 < a->run_count) {
                prefetch(element(a, a->keys, a->runs[2 * run + 2] * a->key_stride + keys), size * a->key_stride,
                    (int32_t) a->runs[2 * run + 3], size * a->key_length);
            }
            if (a->form == FLOATS) {
                score_all(a, group, (const float *) a->keys + slot * a->key_stride + keys, a->key_stride,
                    (const float *) a->turned_keys + slot * a->turned_stride, a->turned_stride, number, at);
            } else {
                score_widened(a, group, slot, number, at);
            }
        }
        at += number;
    }
}

/* Where the values of the positions from `from` on are: of one head, in runs that follow each other. */
struct places {
    const float *values;
    int64_t stride;
    const int64_t *runs;
    int32_t run_count;
    int32_t from;
    int32_t length;
};

/* Adds values, each times its weight, to some rows of sums: positions [from, to), elements [element, element + 16 * vectors). */
INLINE void add_vectors(const int count, const int vectors, const struct places *p, float *const *weights, float *const *parts, int32_t from,
    int32_t to, int32_t first_element)
{
    f32x16 s[WEIGHTS][VECTORS];
    for (int q = 0; q < count; q++) {
        for (int v = 0; v < vectors; v++) {
            s[q][v] = x16_load(parts[q] + first_element + 16 * v);
        }
    }
    int32_t begin = p->from;
    for (int32_t run = 0; run < p->run_count && begin < to; run++) {
        int32_t end = begin + (int32_t) p->runs[2 * run + 1];
        int32_t first = from > begin ? from : begin;
        int32_t last = to < end ? to : end;
        const float *value = p->values + (p->runs[2 * run] + first - begin) * p->stride + first_element;
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
            value += p->stride;
        }
        begin = end;
    }
    for (int q = 0; q < count; q++) {
        for (int v = 0; v < vectors; v++) {
            x16_store(parts[q] + first_element + 16 * v, s[q][v]);
        }
    }
}

INLINE void add_values(const int count, const struct places *p, float *const *weights, float *const *parts, int32_t from, int32_t to)
{
    int32_t at = 0;
    for (; at + 16 * VECTORS <= p->length; at += 16 * VECTORS) {
        add_vectors(count, VECTORS, p, weights, parts, from, to, at);
    }
    for (; at + 16 <= p->length; at += 16) {
        add_vectors(count, 1, p, weights, parts, from, to, at);
    }
    if (at == p->length) {
        return;
    }
    int32_t begin = p->from;
    for (int32_t run = 0; run < p->run_count && begin < to; run++) {
        int32_t end = begin + (int32_t) p->runs[2 * run + 1];
        for (int32_t i = from > begin ? from : begin; i < (to < end ? to : end); i++) {
            const float *value = p->values + (p->runs[2 * run] + i - begin) * p->stride;
            for (int q = 0; q < count; q++) {
                for (int32_t j = at; j < p->length; j++) {
                    parts[q][j] = __builtin_fmaf(value[j], weights[q][i], parts[q][j]);
                }
            }
        }
        begin = end;
    }
}

static __attribute__((noinline)) void add_some(int count, const struct places *p, float *const *weights, float *const *parts, int32_t from,
    int32_t to)
{
    if (from >= to) {
        return;
    }
    switch (count) {
    case 1: add_values(1, p, weights, parts, from, to); break;
    case 2: add_values(2, p, weights, parts, from, to); break;
#if WEIGHTS > 2
    case 3: add_values(3, p, weights, parts, from, to); break;
    case 4: add_values(4, p, weights, parts, from, to); break;
#endif
    default: break;
    }
}

/* The values of a group at some positions of the chunk, made floats in the panel. `run` is set to the only one. */
static struct places widened(const struct attend *a, int32_t group, int32_t from, int32_t to, int64_t *run)
{
    int32_t begin = a->from;
    float *panel = a->panel;
    for (int32_t i = 0; i < a->run_count && begin < to; i++) {
        int32_t end = begin + (int32_t) a->runs[2 * i + 1];
        int32_t first = from > begin ? from : begin;
        int32_t last = to < end ? to : end;
        if (first < last) {
            int64_t slot = a->runs[2 * i] + first - begin;
            widen(a->form, element(a, a->values, slot * a->value_stride + (int64_t) group * a->value_length), a->value_stride,
                a->value_factors + slot * a->value_factor_stride + group, a->value_factor_stride, last - first, a->value_length, panel);
            panel += (int64_t) (last - first) * a->value_length;
        }
        begin = end;
    }
    run[0] = 0;
    run[1] = to - from;
    return (struct places) {a->panel, a->value_length, run, 1, from, a->value_length};
}

/* Rows see different positions at the ends only: there each is taken alone, so that what it does not see is not even read. */
static void gather(const struct attend *a, int32_t group, int32_t from, int32_t to)
{
    int64_t only[2];
    struct places places = a->form == FLOATS
        ? (struct places) {(const float *) a->values + group * a->value_length, a->value_stride, a->runs, a->run_count, a->from, a->value_length}
        : widened(a, group, from, to, only);
    const struct places *p = &places;
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
                add_some(1, p, weights + q, parts + q, begins[q], ends[q]);
            }
            continue;
        }
        for (int q = 0; q < count; q++) {
            add_some(1, p, weights + q, parts + q, begins[q], first);
        }
        add_some(count, p, weights, parts, first, last);
        for (int q = 0; q < count; q++) {
            add_some(1, p, weights + q, parts + q, last, ends[q]);
        }
    }
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
            weigh(a->scores + (int64_t) pair * CHUNK, a->scale, from, to, &greatest[pair], &sums[pair]);
            float *part = a->parts + (int64_t) pair * a->value_length;
            for (int32_t i = 0; i < a->value_length; i++) {
                part[i] = 0;
            }
        }
    }
    int32_t step = pairs <= WEIGHTS && a->form == FLOATS ? CHUNK : PANEL;
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
