/* VARIANTS: amx */
/*
 * Attention over a chunk of positions of states that are held as bf16 or bytes, by the tile instructions for bf16. Keys and values are brought into the
 * order of tiles once for all rows and heads that read them; bytes are exact as bf16, and their factors are applied to scores and weights. Queries and
 * weights are split into a bf16 and what it lacks, as another one, so that each counts with 16 bits: results differ from those of attend.c by rounding
 * of that size.
 *
 * A pair is a row and a head. Sixteen of them are the rows of a tile; what they are multiplied with are 16 keys, or 16 elements of 32 values. A pair's
 * sums are formed in the same order whatever else is in its tiles: a tile's row is multiplied by itself, 32 elements or positions at a time, which begin
 * at multiples of 32.
 */
#include <immintrin.h>
#include <string.h>

#include "attend.h"
#include "tile.h"

/* Pairs of a tile. */
#define ROWS 16
/* Tiles of pairs at most. */
#define MOST 4
/* Positions that a step of products with values takes. */
#define STEP 32
/* Keys that are brought into the order of tiles at once, to be read from the first cache by all pairs. */
#define KEYS 64
/* Steps of keys up to which the products of some pairs are formed while others are weighed. */
#define FEW 4

/* Tiles 0 to 3 hold results, 4 and 5 what is multiplied, of which there are some rows, 6 and 7 what with. */
static void configure(int rows)
{
    TileConfig config;
    memset(&config, 0, sizeof config);
    config.palette = 1;
    for (int t = 0; t < 8; t++) {
        config.bytes[t] = 64;
        config.rows[t] = (uint8_t) (t >= 6 ? ROWS : rows);
    }
    load_config(&config);
}

INLINE int32_t filled(int32_t length, int32_t to)
{
    return (length + to - 1) / to * to;
}

/* Where in the panel what is. */
struct room {
    /* Of some keys for each 32 elements, first those that are not turned, tiles of 16 keys. */
    uint8_t *keys;
    /* Of each 32 positions tiles of 16 elements of a value. */
    uint8_t *values;
    /* Of each 16 pairs the queries, and what they lack. */
    uint16_t *queries;
    uint16_t *query_rests;
    float *out;
    /* Elements of a key that is not turned, of a turned one, of a value; filled up. */
    int32_t key;
    int32_t turned;
    int32_t value;
};

static struct room room_of(const struct attend *a)
{
    struct room r;
    r.key = filled(a->key_length, 32);
    r.turned = filled(a->turned_length, 32);
    r.value = filled(a->value_length, 32);
    uint8_t *at = (uint8_t *) a->panel;
    r.keys = at;
    at += (int64_t) (r.key + r.turned) * 2 * CHUNK;
    r.values = at;
    at += (int64_t) r.value * 2 * CHUNK;
    r.queries = (uint16_t *) at;
    at += (int64_t) (r.key + r.turned) * 2 * ROWS * MOST;
    r.query_rests = (uint16_t *) at;
    at += (int64_t) (r.key + r.turned) * 2 * ROWS * MOST;
    r.out = (float *) at;
    return r;
}

/* Floats of the lower or upper half of 32 bf16. */
INLINE __m512 half(__m512i x, int upper)
{
    __m256i some = upper ? _mm512_extracti64x4_epi64(x, 1) : _mm512_castsi512_si256(x);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(some), 16));
}

INLINE __mmask32 left_of(int32_t from, int32_t length)
{
    int32_t left = length - from;
    return left >= 32 ? 0xffffffffu : left <= 0 ? 0 : (1u << left) - 1;
}

/* The elements [from, from + 32) of a cached row as bf16; zeros behind its end, or if there is none. */
INLINE __m512i load(int form, const char *row, int32_t from, int32_t length)
{
    __mmask32 mask = left_of(from, length);
    if (row == 0) {
        return _mm512_setzero_si512();
    }
    if (form == HALVES) {
        return _mm512_maskz_loadu_epi16(mask, row + 2 * from);
    }
    __m256i bytes = _mm256_maskz_loadu_epi8(mask, row + from);
    __m512 low = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm256_castsi256_si128(bytes)));
    __m512 high = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm256_extracti128_si256(bytes, 1)));
    return (__m512i) _mm512_cvtne2ps_pbh(high, low);
}

/* The same of floats times a factor, and what they then lack. */
INLINE __m512i split_floats(const float *row, __m512 factor, int32_t from, int32_t length, __m512i *rest)
{
    __mmask32 mask = left_of(from, length);
    __m512 low = _mm512_mul_ps(_mm512_maskz_loadu_ps((__mmask16) mask, row + from), factor);
    __m512 high = _mm512_mul_ps(_mm512_maskz_loadu_ps((__mmask16) (mask >> 16), row + from + 16), factor);
    __m512i near = (__m512i) _mm512_cvtne2ps_pbh(high, low);
    *rest = (__m512i) _mm512_cvtne2ps_pbh(_mm512_sub_ps(high, half(near, 1)), _mm512_sub_ps(low, half(near, 0)));
    return near;
}

/* Rows of 16 pairs become the pairs of 16 rows. */
INLINE void turn(__m512i *x, uint8_t *to, int64_t stride)
{
    __m512i y[16];
    for (int i = 0; i < 16; i += 4) {
        __m512i a = _mm512_unpacklo_epi32(x[i], x[i + 1]);
        __m512i b = _mm512_unpackhi_epi32(x[i], x[i + 1]);
        __m512i c = _mm512_unpacklo_epi32(x[i + 2], x[i + 3]);
        __m512i d = _mm512_unpackhi_epi32(x[i + 2], x[i + 3]);
        y[i] = _mm512_unpacklo_epi64(a, c);
        y[i + 1] = _mm512_unpackhi_epi64(a, c);
        y[i + 2] = _mm512_unpacklo_epi64(b, d);
        y[i + 3] = _mm512_unpackhi_epi64(b, d);
    }
    for (int i = 0; i < 4; i++) {
        /* Column i of each quarter. */
        __m512i a = _mm512_shuffle_i32x4(y[i], y[4 + i], 0x88);
        __m512i b = _mm512_shuffle_i32x4(y[i], y[4 + i], 0xdd);
        __m512i c = _mm512_shuffle_i32x4(y[8 + i], y[12 + i], 0x88);
        __m512i d = _mm512_shuffle_i32x4(y[8 + i], y[12 + i], 0xdd);
        _mm512_storeu_si512(to + stride * i, _mm512_shuffle_i32x4(a, c, 0x88));
        _mm512_storeu_si512(to + stride * (4 + i), _mm512_shuffle_i32x4(b, d, 0x88));
        _mm512_storeu_si512(to + stride * (8 + i), _mm512_shuffle_i32x4(a, c, 0xdd));
        _mm512_storeu_si512(to + stride * (12 + i), _mm512_shuffle_i32x4(b, d, 0xdd));
    }
}

/*
 * The keys of some tiles: of each 32 elements, tiles of 16 keys that follow each other, of which every row is a pair of elements.
 *
 * step: bytes from the tiles of 32 elements to those of the next ones
 */
INLINE void bring_keys(int form, const char *const *rows, int32_t length, int32_t filled_length, int32_t tiles, uint8_t *to, int64_t step)
{
    for (int32_t tile = 0; tile < tiles; tile++) {
        for (int32_t from = 0; from < filled_length; from += 32) {
            __m512i x[16];
            for (int i = 0; i < 16; i++) {
                x[i] = load(form, rows[16 * tile + i], from, length);
            }
            turn(x, to + from / 32 * step + tile * TILE, 64);
        }
    }
}

/*
 * Values at 32 positions: pairs of positions side by side. Of 32 elements the first tile has those whose number, halved twice, is even, and the second
 * the others, since that takes one instruction each; join_values() undoes it.
 */
INLINE void bring_values(int form, const char *const *rows, int32_t length, int32_t filled_length, uint8_t *to)
{
    for (int pair = 0; pair < STEP / 2; pair++) {
        for (int32_t from = 0; from < filled_length; from += 32) {
            const __m512i a = load(form, rows[2 * pair], from, length);
            const __m512i b = load(form, rows[2 * pair + 1], from, length);
            uint8_t *at = to + from / 16 * TILE + 64 * pair;
            _mm512_store_si512(at, _mm512_unpacklo_epi16(a, b));
            _mm512_store_si512(at + TILE, _mm512_unpackhi_epi16(a, b));
        }
    }
}

/* As join() of attend.h, with sums of values in the order of bring_values(), filled up to a multiple of 32. */
INLINE void join_values(float *to, const float *sums, float kept, float added, int32_t length)
{
    const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    const __m512i second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    const __m512 k = _mm512_set1_ps(kept);
    const __m512 f = _mm512_set1_ps(added);
    for (int32_t i = 0; i < length; i += 32) {
        const __mmask32 mask = left_of(i, length);
        const __mmask16 upper = (__mmask16) (mask >> 16);
        const __m512i a = _mm512_load_si512(sums + i);
        const __m512i b = _mm512_load_si512(sums + i + 16);
        const __m512 low = _mm512_castsi512_ps(_mm512_permutex2var_epi64(a, first, b));
        const __m512 high = _mm512_castsi512_ps(_mm512_permutex2var_epi64(a, second, b));
        const __m512 low_to = _mm512_mul_ps(_mm512_maskz_loadu_ps((__mmask16) mask, to + i), k);
        const __m512 high_to = _mm512_mul_ps(_mm512_maskz_loadu_ps(upper, to + i + 16), k);
        _mm512_mask_storeu_ps(to + i, (__mmask16) mask, _mm512_fmadd_ps(low, f, low_to));
        _mm512_mask_storeu_ps(to + i + 16, upper, _mm512_fmadd_ps(high, f, high_to));
    }
}

/* Addresses of the rows of a head at all positions of the chunk, null where there are none; and their factors. */
INLINE void find(int form, const struct attend *a, const void *first, int64_t offset, int64_t stride, const float *factors, int64_t factor_stride,
    const char **rows, float *factor)
{
    const int64_t size = form == HALVES ? 2 : 1;
    const char *const base = (const char *) first + size * offset;
    const int32_t run_count = a->run_count;
    const int64_t *const runs = a->runs;
    int32_t at = a->from;
    for (int32_t i = at & ~(STEP - 1); i < at; i++) {
        rows[i] = 0;
    }
    for (int32_t run = 0; run < run_count; run++) {
        const int64_t slot = runs[2 * run];
        const int32_t count = (int32_t) runs[2 * run + 1];
        const char *row = base + size * slot * stride;
        for (int32_t i = 0; i < count; i++, row += size * stride) {
            rows[at + i] = row;
            if (form == BYTES) {
                factor[at + i] = factors[(slot + i) * factor_stride];
            }
        }
        at += count;
    }
    for (; at % STEP != 0; at++) {
        rows[at] = 0;
    }
}

/*
 * Keys and values that are read next, and are asked for while this chunk is computed, some at a time: all at once would be more than the processor can
 * wait for. Those of several heads lie side by side and are asked for together, which it recognizes as one stream.
 */
struct asking {
    const int64_t *runs;
    const char *keys;
    const char *values;
    int64_t key_stride;
    int64_t value_stride;
    int64_t key_bytes;
    int64_t value_bytes;
    int32_t in_run;
    int32_t left;
};

/* What is asked for beside one of the call's key-value heads: a part for each. */
static struct asking asking(const struct attend *a, int32_t group)
{
    const int64_t size = a->form == HALVES ? 2 : 1;
    const int64_t key_bytes = size * a->key_length;
    const int64_t value_bytes = size * a->value_length;
    const int32_t groups = a->heads / a->shared;
    const int64_t *runs = a->runs + 2 * a->run_count;
    struct asking ask = {runs, (const char *) a->keys + a->later_shift * key_bytes, (const char *) a->values + a->later_shift * value_bytes,
        size * a->key_stride, size * a->value_stride, a->later_heads * key_bytes, a->values == a->keys ? 0 : a->later_heads * value_bytes, 0, 0};
    int32_t all = 0;
    for (int32_t run = 0; run < a->later_count; run++) {
        all += (int32_t) runs[2 * run + 1];
    }
    int32_t before = all * group / groups;
    ask.left = all * (group + 1) / groups - before;
    while (ask.left > 0 && before >= (int32_t) ask.runs[1]) {
        before -= (int32_t) ask.runs[1];
        ask.runs += 2;
    }
    ask.in_run = before;
    return ask;
}

INLINE void ask_row(const char *row, int64_t bytes)
{
    for (int64_t i = 0; i < bytes; i += 64) {
        __builtin_prefetch(row + i, 0, 2);
    }
}

/* Asks for some positions. */
INLINE void ask(struct asking *ask, int32_t count)
{
    count = count < ask->left ? count : ask->left;
    ask->left -= count;
    while (count > 0) {
        const int64_t slot = ask->runs[0] + ask->in_run;
        const int32_t here = (int32_t) ask->runs[1] - ask->in_run;
        const int32_t taken = here < count ? here : count;
        for (int64_t i = slot; i < slot + taken; i++) {
            ask_row(ask->keys + i * ask->key_stride, ask->key_bytes);
            ask_row(ask->values + i * ask->value_stride, ask->value_bytes);
        }
        count -= taken;
        ask->in_run = taken < here ? ask->in_run + taken : 0;
        ask->runs += taken < here ? 0 : 2;
    }
}

/* Splits a query, times the scale of scores, into bf16 and what they lack. */
static void bring_query(const float *row, float scale, int32_t length, int32_t filled_length, uint16_t *to, uint16_t *rests)
{
    const __m512 factor = _mm512_set1_ps(scale);
    for (int32_t from = 0; from < filled_length; from += 32) {
        __m512i rest;
        _mm512_storeu_si512(to + from, split_floats(row, factor, from, length, &rest));
        _mm512_storeu_si512(rests + from, rest);
    }
}

/* Adds a part of the rows times a part of one to four tiles that follow each other. Tile numbers are constants. */
#define ADD(part, with)                                                                                                                    \
    do {                                                                                                                                   \
        _tile_loadd(6, with, 64);                                                                                                          \
        _tile_dpbf16ps(0, part, 6);                                                                                                        \
        if (tiles > 1) {                                                                                                                   \
            _tile_loadd(7, (with) + TILE, 64);                                                                                             \
            _tile_dpbf16ps(1, part, 7);                                                                                                    \
        }                                                                                                                                  \
        if (tiles > 2) {                                                                                                                   \
            _tile_loadd(6, (with) + 2 * TILE, 64);                                                                                         \
            _tile_dpbf16ps(2, part, 6);                                                                                                    \
        }                                                                                                                                  \
        if (tiles > 3) {                                                                                                                   \
            _tile_loadd(7, (with) + 3 * TILE, 64);                                                                                         \
            _tile_dpbf16ps(3, part, 7);                                                                                                    \
        }                                                                                                                                  \
    } while (0)

/* What is multiplied: in steps of 32 elements, rows in two parts, and the tiles for them. All distances are in bytes. */
struct product {
    const uint8_t *rows;
    const uint8_t *row_rests;
    /* From row to row, and from step to step. */
    int64_t stride;
    int64_t row_step;
    const uint8_t *tiles;
    int64_t tile_step;
    int32_t steps;
    /* Results: from row to row, and from tile to tile. */
    int64_t out_stride;
    int64_t out_tile;
};

INLINE void multiply_some(const int tiles, const struct product *p, int32_t first, char *out)
{
    const uint8_t *with = p->tiles + first * TILE;
    const uint8_t *rows = p->rows;
    const uint8_t *rests = p->row_rests;
    _tile_zero(0);
    if (tiles > 1) {
        _tile_zero(1);
    }
    if (tiles > 2) {
        _tile_zero(2);
    }
    if (tiles > 3) {
        _tile_zero(3);
    }
    for (int32_t step = 0; step < p->steps; step++) {
        _tile_loadd(4, rows, p->stride);
        ADD(4, with);
        _tile_loadd(5, rests, p->stride);
        ADD(5, with);
        with += p->tile_step;
        rows += p->row_step;
        rests += p->row_step;
    }
    out += p->out_tile * first;
    _tile_stored(0, out, p->out_stride);
    if (tiles > 1) {
        _tile_stored(1, out + p->out_tile, p->out_stride);
    }
    if (tiles > 2) {
        _tile_stored(2, out + 2 * p->out_tile, p->out_stride);
    }
    if (tiles > 3) {
        _tile_stored(3, out + 3 * p->out_tile, p->out_stride);
    }
}

static void multiply(const struct product *p, int32_t tiles, void *out)
{
    int32_t tile = 0;
    written();
    for (; tile + 4 <= tiles; tile += 4) {
        multiply_some(4, p, tile, out);
    }
    switch (tiles - tile) {
    case 1: multiply_some(1, p, tile, out); break;
    case 2: multiply_some(2, p, tile, out); break;
    case 3: multiply_some(3, p, tile, out); break;
    default: break;
    }
}

struct factors {
    float keys[CHUNK] __attribute__((aligned(64)));
    float turned[CHUNK] __attribute__((aligned(64)));
    float values[CHUNK] __attribute__((aligned(64)));
};

/*
 * Of 16 pairs tiles of scores, each with 16 positions: first scores, then in the place of two tiles the weights of 32 positions as bf16 and, in that of
 * the second, what they lack.
 */
typedef float Scores[CHUNK / 16][ROWS][16];

/* Scores of 16 pairs and of some tiles of keys that have been brought, from some steps. */
static void score_steps(const struct room *r, int32_t pairs, int32_t tiles, int32_t from, int32_t to, void *scores)
{
    const int64_t stride = 2 * (r->key + r->turned);
    const struct product p = {(const uint8_t *) r->queries + pairs * ROWS * stride + 64 * from, (const uint8_t *) r->query_rests
        + pairs * ROWS * stride + 64 * from, stride, 64, r->keys + from * (KEYS / ROWS) * TILE, KEYS / ROWS * TILE, to - from, 64, TILE};
    multiply(&p, tiles, scores);
}

/* Scores of 16 pairs and of some tiles of keys that have been brought, the first of which is that at `key`. */
static void score(const struct attend *a, const struct room *r, const struct factors *f, int32_t pairs, int32_t key, int32_t tiles, Scores *scores)
{
    int apart = a->form == BYTES && a->turned_length > 0;
    score_steps(r, pairs, tiles, 0, (r->key + (apart ? 0 : r->turned)) / 32, (*scores)[key / 16]);
    if (a->form != BYTES) {
        return;
    }
    float others[KEYS / 16][ROWS][16] __attribute__((aligned(64)));
    if (apart) {
        score_steps(r, pairs, tiles, r->key / 32, (r->key + r->turned) / 32, others);
    }
    for (int32_t tile = 0; tile < tiles; tile++) {
        const __m512 factor = _mm512_load_ps(f->keys + key + 16 * tile);
        const __m512 other = _mm512_load_ps(f->turned + key + 16 * tile);
        float (*own)[16] = (*scores)[key / 16 + tile];
        for (int q = 0; q < ROWS; q++) {
            __m512 scaled = _mm512_mul_ps(_mm512_load_ps(own[q]), factor);
            if (apart) {
                scaled = _mm512_fmadd_ps(_mm512_load_ps(others[tile][q]), other, scaled);
            }
            _mm512_store_ps(own[q], scaled);
        }
    }
}

/* Which of 16 positions from `at` on lie in [from, to). */
INLINE __mmask16 seen(int32_t at, int32_t from, int32_t to)
{
    uint32_t end = to - at >= 16 ? 0xffff : to <= at ? 0 : (1u << (to - at)) - 1;
    uint32_t before = from <= at ? 0 : from - at >= 16 ? 0xffff : (1u << (from - at)) - 1;
    return (__mmask16) (end & ~before);
}

/* 2^x for x of at most a little above 0: a polynomial on [-1/2, 1/2]. */
INLINE __m512 power(__m512 x)
{
    __m512 n = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m512 r = _mm512_sub_ps(x, n);
    __m512 p = _mm512_fmadd_ps(r, _mm512_set1_ps(1.33976252e-3f), _mm512_set1_ps(9.67017097e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(5.55037370e-2f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(2.40221316e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(6.93147185e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
    return _mm512_scalef_ps(p, n);
}

#define LOG2_E 1.44269504f

/* Weights of 32 positions as bf16, cut off, and what they lack. */
INLINE void split(__m512 low, __m512 high, float *to, float *rests)
{
    const __m512i upper = _mm512_set1_epi32((int) 0xffff0000);
    const __m512 low_near = _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(low), upper));
    const __m512 high_near = _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(high), upper));
    _mm512_store_si512(to, (__m512i) _mm512_cvtne2ps_pbh(high_near, low_near));
    _mm512_store_si512(rests, (__m512i) _mm512_cvtne2ps_pbh(_mm512_sub_ps(high, high_near), _mm512_sub_ps(low, low_near)));
}

/* The greatest of a pair's scores at the positions [from, to). */
INLINE float greatest_score(Scores *scores, int q, int32_t from, int32_t to)
{
    const __m512 least = _mm512_set1_ps(-INFINITY);
    __m512 most[4] = {least, least, least, least};
    int32_t i = from & ~15;
    if (i < from) {
        most[0] = _mm512_mask_max_ps(least, seen(i, from, to), least, _mm512_load_ps((*scores)[i / 16][q]));
        i += 16;
    }
    for (; i + 64 <= to; i += 64) {
        for (int k = 0; k < 4; k++) {
            most[k] = _mm512_max_ps(most[k], _mm512_load_ps((*scores)[i / 16 + k][q]));
        }
    }
    for (; i < to; i += 16) {
        most[0] = _mm512_mask_max_ps(most[0], seen(i, from, to), most[0], _mm512_load_ps((*scores)[i / 16][q]));
    }
    return _mm512_reduce_max_ps(_mm512_max_ps(_mm512_max_ps(most[0], most[1]), _mm512_max_ps(most[2], most[3])));
}

/*
 * Makes weights of a pair's scores, relative to the greatest of them: of the positions [begin, end), of which it sees [from, to). What it does not see
 * weighs nothing.
 */
INLINE float weigh_split(int form, const struct factors *f, Scores *scores, int q, float greatest, int32_t from, int32_t to, int32_t begin,
    int32_t end)
{
    const __m512 factor = _mm512_set1_ps(LOG2_E);
    const __m512 shift = _mm512_set1_ps(-greatest * LOG2_E);
    __m512 total = _mm512_setzero_ps();
    for (int32_t i = begin; i < end; i += STEP) {
        float *low_at = (*scores)[i / 16][q];
        float *high_at = (*scores)[i / 16 + 1][q];
        __m512 low = power(_mm512_fmadd_ps(_mm512_load_ps(low_at), factor, shift));
        __m512 high = power(_mm512_fmadd_ps(_mm512_load_ps(high_at), factor, shift));
        if (i < from || i + STEP > to) {
            low = _mm512_maskz_mov_ps(seen(i, from, to), low);
            high = _mm512_maskz_mov_ps(seen(i + 16, from, to), high);
        }
        total = _mm512_add_ps(total, _mm512_add_ps(low, high));
        if (form == BYTES) {
            low = _mm512_mul_ps(low, _mm512_load_ps(f->values + i));
            high = _mm512_mul_ps(high, _mm512_load_ps(f->values + i + 16));
        }
        split(low, high, low_at, high_at);
    }
    return _mm512_reduce_add_ps(total);
}

/* Of 16 pairs at most, from a pair of the group on: the greatest scores so far and in this chunk, and what they make of sums. */
struct joint {
    float greatest[ROWS] __attribute__((aligned(64)));
    float sums[ROWS] __attribute__((aligned(64)));
};

/* As join_chunk(), for 16 pairs at once. */
static void join_pairs(const struct attend *a, const struct room *r, int32_t group, int32_t number, int count, const struct joint *now)
{
    float before[ROWS] __attribute__((aligned(64)));
    float kept[ROWS] __attribute__((aligned(64)));
    float added[ROWS] __attribute__((aligned(64)));
    for (int q = 0; q < ROWS; q++) {
        before[q] = q < count ? a->greatest[pair_of(a, group, number + q)] : 0;
    }
    const f32x16 own = x16_load(now->greatest);
    const f32x16 old = x16_load(before);
    const f32x16 most = x16_max(own, old);
    x16_store(kept, x16_exp(x16_sub(old, most)));
    x16_store(added, x16_exp(x16_sub(own, most)));
    x16_store(before, most);
    for (int q = 0; q < count; q++) {
        int32_t pair = pair_of(a, group, number + q);
        int32_t row = pair / a->heads;
        if (row_from(a, row) < row_to(a, row)) {
            join_values(a->out + row * a->out_row + pair % a->heads * a->out_head, r->out + (int64_t) q * r->value, kept[q], added[q],
                a->value_length);
            float shrunk = a->sums[pair] * kept[q];
            a->sums[pair] = __builtin_fmaf(now->sums[q], added[q], shrunk);
            a->greatest[pair] = before[q];
        }
    }
}

/*
 * Products of tiles that are begun between other things, a few at a time, since the processor then goes on with both: scores of 16 pairs with keys that have
 * been brought, a tile for each part, and sums of the values of 16 others, of which a part is half a step.
 */
struct between {
    const uint8_t *queries;
    const uint8_t *query_rests;
    const uint8_t *keys;
    int64_t query_stride;
    int64_t key_step;
    int32_t key_steps;
    int32_t key_tile;
    int32_t key_tiles;
    Scores *scores;
    const uint8_t *weights;
    const uint8_t *values;
    int64_t value_step;
    int32_t value_tiles;
    int32_t steps;
    int32_t part;
    int32_t parts;
    float *out;
};

INLINE void score_tile(struct between *b)
{
    const uint8_t *keys = b->keys + b->key_tile * TILE;
    _tile_zero(5);
    for (int32_t step = 0; step < b->key_steps; step++) {
        _tile_loadd(6, keys + step * b->key_step, 64);
        _tile_loadd(4, b->queries + 64 * step, b->query_stride);
        _tile_dpbf16ps(5, 4, 6);
        _tile_loadd(4, b->query_rests + 64 * step, b->query_stride);
        _tile_dpbf16ps(5, 4, 6);
    }
    _tile_stored(5, (*b->scores)[b->key_tile], 64);
    b->key_tile++;
}

INLINE void gather_tiles(const int tiles, const struct between *b, int32_t first, int32_t half)
{
    const uint8_t *with = b->values + half / 2 * b->value_step + first * TILE;
    if (half == 0) {
        _tile_zero(0);
        _tile_zero(1);
        if (tiles > 2) {
            _tile_zero(2);
            _tile_zero(3);
        }
    }
    _tile_loadd(4, b->weights + half * TILE, 64);
    ADD(4, with);
    if (half == 2 * b->steps - 1) {
        float *out = b->out + 16 * first;
        const int64_t stride = 64 * b->value_tiles;
        _tile_stored(0, out, stride);
        _tile_stored(1, out + 16, stride);
        if (tiles > 2) {
            _tile_stored(2, out + 32, stride);
            _tile_stored(3, out + 48, stride);
        }
    }
}

INLINE void gather_part(struct between *b)
{
    const int32_t first = 4 * (b->part / (2 * b->steps));
    const int32_t half = b->part % (2 * b->steps);
    if (b->value_tiles - first >= 4) {
        gather_tiles(4, b, first, half);
    } else {
        gather_tiles(2, b, first, half);
    }
    b->part++;
}

/* Begins as many parts as leave nothing behind the last of some calls. */
INLINE void go_on(struct between *b, int32_t calls)
{
    written();
    for (int32_t end = b->key_tile + (b->key_tiles - b->key_tile + calls - 1) / calls; b->key_tile < end;) {
        score_tile(b);
    }
    for (int32_t end = b->part + (b->parts - b->part + calls - 1) / calls; b->part < end;) {
        gather_part(b);
    }
}

static void go_to_the_end(struct between *b)
{
    go_on(b, 1);
}

/* Scores of a tile of pairs are to be formed. */
INLINE void want_scores(struct between *b, const struct room *r, int32_t pairs, int32_t key_tile, int32_t key_tiles, Scores *scores)
{
    b->query_stride = 2 * (r->key + r->turned);
    b->queries = (const uint8_t *) r->queries + pairs * ROWS * b->query_stride;
    b->query_rests = (const uint8_t *) r->query_rests + pairs * ROWS * b->query_stride;
    b->keys = r->keys;
    b->key_step = CHUNK / ROWS * TILE;
    b->key_steps = (r->key + r->turned) / 32;
    b->key_tile = key_tile;
    b->key_tiles = key_tiles;
    b->scores = scores;
}

/* Sums of values of a tile of pairs are to be formed, of steps [first, last). */
INLINE void want_values(struct between *b, const struct room *r, const Scores *scores, int32_t first, int32_t last)
{
    b->value_tiles = r->value / 16;
    b->value_step = (int64_t) b->value_tiles * TILE;
    b->weights = (const uint8_t *) (*scores)[2 * first];
    b->values = r->values + first * b->value_step;
    b->steps = last - first;
    b->part = 0;
    b->parts = (b->value_tiles + 3) / 4 * 2 * b->steps;
    b->out = r->out;
}

/* The factors of keys, applied to the scores of 16 pairs. */
static void scale_scores(const struct factors *f, int32_t begin, int32_t end, Scores *scores)
{
    for (int32_t tile = begin; tile < end; tile++) {
        const __m512 factor = _mm512_load_ps(f->keys + 16 * tile);
        for (int q = 0; q < ROWS; q++) {
            _mm512_store_ps((*scores)[tile][q], _mm512_mul_ps(_mm512_load_ps((*scores)[tile][q]), factor));
        }
    }
}

/* The weights of up to 16 pairs, from one of the group on; meanwhile something else is gone on with. */
INLINE void weigh_pairs(int form, const struct attend *a, const struct factors *f, Scores *scores, int32_t group, int32_t number, int count,
    struct asking *later, int32_t ask_each, struct between *between, float *greatest, float *sums)
{
    int32_t from[ROWS];
    int32_t to[ROWS];
    const int32_t begin = a->from & ~(STEP - 1);
    const int32_t end = (a->to + STEP - 1) & ~(STEP - 1);
    for (int q = 0; q < count; q++) {
        int32_t row = pair_of(a, group, number + q) / a->heads;
        from[q] = row_from(a, row);
        to[q] = row_to(a, row);
        greatest[q] = greatest_score(scores, q, from[q], to[q]);
    }
    for (int q = 0; q < count; q++) {
        sums[q] = weigh_split(form, f, scores, q, greatest[q], from[q], to[q], begin, end);
        go_on(between, count - q);
        ask(later, ask_each);
    }
}

/* The queries of a group, and of the pairs that fill its last tile. */
static void bring_queries(const struct attend *a, const struct room *r, int32_t group, int32_t pairs)
{
    const int32_t stride = r->key + r->turned;
    for (int32_t number = 0; number < filled(pairs, ROWS); number++) {
        int32_t pair = pair_of(a, group, number < pairs ? number : 0);
        int32_t row = pair / a->heads;
        int32_t head = pair % a->heads;
        uint16_t *to = r->queries + (int64_t) number * stride;
        uint16_t *rests = r->query_rests + (int64_t) number * stride;
        bring_query(a->queries + row * a->query_row + head * a->query_head, a->scale, a->key_length, r->key, to, rests);
        if (a->turned_length > 0) {
            bring_query(a->turned_queries + row * a->turned_row + head * a->turned_head, a->scale, a->turned_length, r->turned, to + r->key,
                rests + r->key);
        }
    }
}

/* The pairs of a group, MOST * ROWS at most. */
INLINE void attend_group(int form, const struct attend *a, const struct room *r, const struct factors *f, int32_t group, int32_t pairs,
    const char *const *keys, const char *const *turned, const char *const *values, Scores *scores)
{
    /* With long keys, or factors for two parts of a key, all scores are formed first. */
    const int few = (r->key + r->turned) / 32 <= FEW && (form != BYTES || a->turned_length == 0);
    const int32_t tiles_of_pairs = (pairs + ROWS - 1) / ROWS;
    const int32_t first = a->from / STEP;
    const int32_t last = (a->to + STEP - 1) / STEP;
    const int32_t end = (a->to + 15) & ~15;
    struct between between;
    struct asking later = asking(a, group);
    /* In the proportion of the times that some keys, a pair and a step of values take. */
    const int32_t shares = 40 * (CHUNK / KEYS) + 9 * pairs + 10 * (CHUNK / STEP);
    const int32_t of_keys = 40 * later.left / shares + 1;
    const int32_t of_pair = 9 * later.left / shares + 1;
    const int32_t of_values = 10 * later.left / shares + 1;
    memset(&between, 0, sizeof between);
    bring_queries(a, r, group, pairs);
    for (int32_t key = a->from & ~15; key < end; key += KEYS) {
        const int32_t tiles = end - key < KEYS ? (end - key) / 16 : KEYS / 16;
        const int64_t step = (few ? CHUNK : KEYS) / ROWS * TILE;
        uint8_t *to = r->keys + (few ? key / 16 * TILE : 0);
        bring_keys(form, keys + key, a->key_length, r->key, tiles, to, step);
        if (a->turned_length > 0) {
            bring_keys(form, turned + key, a->turned_length, r->turned, tiles, to + r->key / 32 * step, step);
        }
        if (few) {
            want_scores(&between, r, 0, key / 16, key / 16 + tiles, scores);
            go_to_the_end(&between);
        } else {
            for (int32_t tile = 0; tile < tiles_of_pairs; tile++) {
                score(a, r, f, tile, key, tiles, scores + tile);
            }
        }
        ask(&later, of_keys);
    }
    struct joint joints[2];
    for (int32_t tile = 0; tile <= tiles_of_pairs; tile++) {
        if (tile > 0) {
            want_values(&between, r, scores + tile - 1, first, last);
        }
        if (tile < tiles_of_pairs) {
            Scores *own = scores + tile;
            if (few && tile + 1 < tiles_of_pairs) {
                want_scores(&between, r, tile + 1, a->from / 16, end / 16, own + 1);
            }
            if (few && form == BYTES) {
                scale_scores(f, a->from / 16, end / 16, own);
            }
            const int32_t number = tile * ROWS;
            const int count = pairs - number < ROWS ? pairs - number : ROWS;
            weigh_pairs(form, a, f, own, group, number, count, &later, of_pair, &between, joints[tile % 2].greatest, joints[tile % 2].sums);
        }
        go_to_the_end(&between);
        if (tile == 0) {
            for (int32_t step = first; step < last; step++) {
                bring_values(form, values + STEP * step, a->value_length, r->value, r->values + (int64_t) step * r->value / 16 * TILE);
                ask(&later, of_values);
            }
        } else {
            const int32_t number = (tile - 1) * ROWS;
            join_pairs(a, r, group, number, pairs - number < ROWS ? pairs - number : ROWS, &joints[(tile - 1) % 2]);
        }
    }
}

/* The heads that read one key-value head. */
INLINE void attend_head(int form, const struct attend *a, const struct room *r, int32_t group, struct factors *f, Scores *scores)
{
    const char *keys[CHUNK];
    const char *turned[CHUNK];
    const char *values[CHUNK];
    find(form, a, a->keys, (int64_t) group * a->key_length, a->key_stride, a->key_factors + group, a->key_factor_stride, keys, f->keys);
    find(form, a, a->values, (int64_t) group * a->value_length, a->value_stride, a->value_factors + group, a->value_factor_stride, values, f->values);
    if (a->turned_length > 0) {
        find(form, a, a->turned_keys, 0, a->turned_stride, a->turned_factors, a->turned_factor_stride, turned, f->turned);
    }
    attend_group(form, a, r, f, group, a->rows * a->shared, keys, turned, values, scores);
}

EXPORT void NAME(attend_chunk)(const struct attend *a)
{
    Scores scores[MOST] __attribute__((aligned(64)));
    struct factors f;
    const struct room r = room_of(a);
    const int32_t pairs = a->rows * a->shared;
    if (a->form == BYTES) {
        /* Where there are no positions no score counts, but it must not be infinite times nothing. */
        memset(&f, 0, sizeof f);
    }
    configure(pairs < ROWS ? pairs : ROWS);
    for (int32_t group = 0; group * a->shared < a->heads; group++) {
        if (a->form == HALVES) {
            attend_head(HALVES, a, &r, group, &f, scores);
        } else {
            attend_head(BYTES, a, &r, group, &f, scores);
        }
    }
    _tile_release();
}
