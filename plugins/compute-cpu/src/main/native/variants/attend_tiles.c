/* VARIANTS: amx */
/*
 * Attention over a chunk of positions of states that are held as bf16 or bytes, by the tile instructions for bf16. Keys and values are brought into the
 * order of tiles once for all rows and heads that read them; bytes are exact as bf16, and their factors are applied to scores and weights. Queries and
 * weights are split into a bf16 and what it lacks, as another one, so that each counts with 16 bits: results differ from those of attend.c by rounding
 * of that size.
 *
 * A row's sums are formed in the same order whatever else is in its tiles: a tile's row is multiplied by itself, 32 elements or positions at a time,
 * which begin at multiples of 32.
 */
#include <immintrin.h>
#include <string.h>

#include "attend.h"

/* Rows of a tile. */
#define ROWS 16
#define TILE 1024
/* Positions that a step of products with values takes. */
#define STEP 32
/* How many keys before it is read a key is asked for. */
#define AHEAD 48

typedef struct {
    uint8_t palette;
    uint8_t start_row;
    uint8_t reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
} __attribute__((packed)) TileConfig;

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
    /* The intrinsic of GCC 12 claims to read the first bytes only: the others must not be left out. */
    __asm__ volatile("" : : "r"(&config) : "memory");
    _tile_loadconfig(&config);
}

INLINE int32_t filled(int32_t length, int32_t to)
{
    return (length + to - 1) / to * to;
}

/* Where in the panel what is. */
struct room {
    /* Rows of keys, first the elements that are not turned. */
    uint16_t *keys;
    /* Of each 32 positions tiles of 16 elements of a value. */
    uint8_t *values;
    /* Of each 32 elements a tile of 16 queries, and what they lack. */
    uint8_t *queries;
    uint8_t *query_rests;
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
    r.value = filled(a->value_length, 16);
    uint8_t *at = (uint8_t *) a->panel;
    r.keys = (uint16_t *) at;
    at += (int64_t) (r.key + r.turned) * 2 * CHUNK;
    r.values = at;
    at += (int64_t) r.value * 2 * CHUNK;
    r.queries = at;
    at += (int64_t) (r.key + r.turned) * 2 * ROWS;
    r.query_rests = at;
    at += (int64_t) (r.key + r.turned) * 2 * ROWS;
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

/* The same of floats, and what they then lack. */
INLINE __m512i split_floats(const float *row, int32_t from, int32_t length, __m512i *rest)
{
    __mmask32 mask = left_of(from, length);
    __m512 low = _mm512_maskz_loadu_ps((__mmask16) mask, row + from);
    __m512 high = _mm512_maskz_loadu_ps((__mmask16) (mask >> 16), row + from + 16);
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

/* A row of a key, filled up with zeros. */
INLINE void bring_key(int form, const char *row, int32_t length, int32_t filled_length, uint16_t *to)
{
    for (int32_t from = 0; from < filled_length; from += 32) {
        _mm512_storeu_si512(to + from, load(form, row, from, length));
    }
}

INLINE void bring_values(int form, const char *const *rows, int32_t length, int32_t step, int32_t tiles, uint8_t *to)
{
    static const uint16_t low[32] = {0, 32, 1, 33, 2, 34, 3, 35, 4, 36, 5, 37, 6, 38, 7, 39, 8, 40, 9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46,
        15, 47};
    const __m512i first = _mm512_loadu_si512(low);
    const __m512i second = _mm512_add_epi16(first, _mm512_set1_epi16(16));
    for (int pair = 0; pair < STEP / 2; pair++) {
        const char *even = rows[STEP * step + 2 * pair];
        const char *odd = rows[STEP * step + 2 * pair + 1];
        int64_t at = (int64_t) step * tiles * TILE + 64 * pair;
        for (int32_t n = 0; n < tiles; n += 2, at += 2 * TILE) {
            __m512i a = load(form, even, 16 * n, length);
            __m512i b = load(form, odd, 16 * n, length);
            _mm512_storeu_si512(to + at, _mm512_permutex2var_epi16(a, first, b));
            if (n + 1 < tiles) {
                _mm512_storeu_si512(to + at + TILE, _mm512_permutex2var_epi16(a, second, b));
            }
        }
    }
}

/* Addresses of the rows of a head at all positions of the chunk, null where there are none; and their factors. */
static void find(const struct attend *a, const void *first, int64_t offset, int64_t stride, const float *factors, int64_t factor_stride,
    const char **rows, float *factor)
{
    int32_t begin = a->from & ~(STEP - 1);
    memset(rows + begin, 0, (size_t) (((a->to + STEP - 1) & ~(STEP - 1)) - begin) * sizeof *rows);
    int32_t at = a->from;
    for (int32_t run = 0; run < a->run_count; run++) {
        int64_t slot = a->runs[2 * run];
        for (int32_t i = 0; i < (int32_t) a->runs[2 * run + 1]; i++, at++, slot++) {
            rows[at] = element(a, first, slot * stride + offset);
            if (a->form == BYTES) {
                factor[at] = factors[slot * factor_stride];
            }
        }
    }
}

static void ask(const char *row, int64_t bytes)
{
    for (int64_t i = 0; row != 0 && i < bytes; i += 64) {
        __builtin_prefetch(row + i, 0, 2);
    }
}

INLINE void bring(int form, const struct attend *a, const struct room *r, const char *const *keys, const char *const *turned,
    const char *const *values)
{
    int64_t size = form == HALVES ? 2 : 1;
    int32_t stride = r->key + r->turned;
    for (int32_t i = a->from & ~15; i < ((a->to + 15) & ~15); i++) {
        ask(values[i], size * a->value_length);
        if (i + AHEAD < a->to) {
            ask(keys[i + AHEAD], size * a->key_length);
        }
        bring_key(form, keys[i], a->key_length, r->key, r->keys + i * stride);
        if (a->turned_length > 0) {
            bring_key(form, turned[i], a->turned_length, r->turned, r->keys + i * stride + r->key);
        }
    }
    for (int32_t step = a->from / STEP; STEP * step < a->to; step++) {
        bring_values(form, values, a->value_length, step, r->value / 16, r->values);
    }
}

/* Splits floats into the nearest bf16 and what that lacks. */
INLINE void split(__m512 x, uint16_t *to, uint16_t *rest)
{
    __m256i near = (__m256i) _mm512_cvtneps_pbh(x);
    __m512 back = half(_mm512_castsi256_si512(near), 0);
    _mm256_storeu_si256((__m256i *) to, near);
    _mm256_storeu_si256((__m256i *) rest, (__m256i) _mm512_cvtneps_pbh(_mm512_sub_ps(x, back)));
}

/* Some rows of floats as tiles that rows of keys are multiplied with, in two parts: of each 32 elements one. */
static void bring_queries(const float *const *rows, int count, int32_t length, int32_t filled_length, uint8_t *to, uint8_t *rests)
{
    for (int32_t from = 0; from < filled_length; from += 32) {
        __m512i x[16];
        __m512i rest[16];
        for (int i = 0; i < 16; i++) {
            x[i] = split_floats(rows[i < count ? i : 0], from, length, &rest[i]);
        }
        turn(x, to + from / 32 * TILE, 64);
        turn(rest, rests + from / 32 * TILE, 64);
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

/* What is multiplied: rows in two parts, and in steps of 32 the tiles for it. Strides are in bytes. */
struct product {
    const uint16_t *rows;
    const uint16_t *row_rests;
    int64_t stride;
    const uint8_t *tiles;
    int64_t step;
    int32_t steps;
};

INLINE void multiply_some(const int tiles, const struct product *p, int32_t first, float *out, int64_t out_stride)
{
    const uint8_t *with = p->tiles + first * TILE;
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
        _tile_loadd(4, p->rows + 32 * step, p->stride);
        ADD(4, with);
        _tile_loadd(5, p->row_rests + 32 * step, p->stride);
        ADD(5, with);
        with += p->step;
    }
    out += 16 * first;
    _tile_stored(0, out, out_stride);
    if (tiles > 1) {
        _tile_stored(1, out + 16, out_stride);
    }
    if (tiles > 2) {
        _tile_stored(2, out + 32, out_stride);
    }
    if (tiles > 3) {
        _tile_stored(3, out + 48, out_stride);
    }
}

static void multiply(const struct product *p, int32_t tiles, float *out, int64_t out_stride)
{
    int32_t tile = 0;
    for (; tile + 4 <= tiles; tile += 4) {
        multiply_some(4, p, tile, out, out_stride);
    }
    switch (tiles - tile) {
    case 1: multiply_some(1, p, tile, out, out_stride); break;
    case 2: multiply_some(2, p, tile, out, out_stride); break;
    case 3: multiply_some(3, p, tile, out, out_stride); break;
    default: break;
    }
}

struct factors {
    float keys[CHUNK] __attribute__((aligned(64)));
    float turned[CHUNK] __attribute__((aligned(64)));
    float values[CHUNK] __attribute__((aligned(64)));
};

/* Adds a part of a few tiles of keys times a part of the queries: tiles follow each other at `next`. Tile numbers are constants. */
#define SCORE(keys, part)                                                                                                                  \
    do {                                                                                                                                   \
        _tile_loadd(4, keys, stride);                                                                                                      \
        _tile_dpbf16ps(0, 4, part);                                                                                                        \
        if (tiles > 1) {                                                                                                                   \
            _tile_loadd(5, (keys) + next, stride);                                                                                         \
            _tile_dpbf16ps(1, 5, part);                                                                                                    \
        }                                                                                                                                  \
        if (tiles > 2) {                                                                                                                   \
            _tile_loadd(4, (keys) + 2 * next, stride);                                                                                     \
            _tile_dpbf16ps(2, 4, part);                                                                                                    \
        }                                                                                                                                  \
        if (tiles > 3) {                                                                                                                   \
            _tile_loadd(5, (keys) + 3 * next, stride);                                                                                     \
            _tile_dpbf16ps(3, 5, part);                                                                                                    \
        }                                                                                                                                  \
    } while (0)

/* One to four tiles of 16 keys times 16 queries, in steps of 32 elements; out: a row of scores for each key. */
INLINE void score_some(const int tiles, const struct room *r, int32_t key, int32_t from, int32_t to, float (*out)[ROWS])
{
    const int64_t stride = 2 * (r->key + r->turned);
    const int64_t next = ROWS * stride;
    const uint8_t *keys = (const uint8_t *) r->keys + key * stride;
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
    for (int32_t step = from; step < to; step++) {
        _tile_loadd(6, r->queries + step * TILE, 64);
        SCORE(keys + 64 * step, 6);
        _tile_loadd(7, r->query_rests + step * TILE, 64);
        SCORE(keys + 64 * step, 7);
    }
    _tile_stored(0, out, 64);
    if (tiles > 1) {
        _tile_stored(1, out + 16, 64);
    }
    if (tiles > 2) {
        _tile_stored(2, out + 32, 64);
    }
    if (tiles > 3) {
        _tile_stored(3, out + 48, 64);
    }
}

/* Scores of 16 queries and the keys [begin, end), which are whole tiles, from some steps; scores: a row for each query. */
static void score_steps(const struct room *r, int32_t begin, int32_t end, int32_t from, int32_t to, float (*scores)[CHUNK])
{
    float out[4 * ROWS][ROWS] __attribute__((aligned(64)));
    for (int32_t key = begin; key < end; key += 4 * ROWS) {
        int32_t tiles = (end - key) / ROWS;
        switch (tiles) {
        case 1: score_some(1, r, key, from, to, out); break;
        case 2: score_some(2, r, key, from, to, out); break;
        case 3: score_some(3, r, key, from, to, out); break;
        default: score_some(4, r, key, from, to, out); break;
        }
        for (int32_t tile = 0; tile < tiles && tile < 4; tile++) {
            __m512i x[16];
            for (int i = 0; i < 16; i++) {
                x[i] = _mm512_load_si512(out[ROWS * tile + i]);
            }
            turn(x, (uint8_t *) &scores[0][key + ROWS * tile], 4 * CHUNK);
        }
    }
}

/* Scores of some pairs, 16 at most. */
static void score(const struct attend *a, const struct room *r, const struct factors *f, int count, float (*scores)[CHUNK], float (*others)[CHUNK])
{
    int32_t begin = a->from & ~15;
    int32_t end = (a->to + 15) & ~15;
    int apart = a->form == BYTES && a->turned_length > 0;
    score_steps(r, begin, end, 0, (r->key + (apart ? 0 : r->turned)) / 32, scores);
    if (apart) {
        score_steps(r, begin, end, r->key / 32, (r->key + r->turned) / 32, others);
    }
    for (int q = 0; a->form == BYTES && q < count; q++) {
        for (int32_t i = begin; i < end; i += 16) {
            __m512 scaled = _mm512_mul_ps(_mm512_load_ps(scores[q] + i), _mm512_load_ps(f->keys + i));
            if (apart) {
                scaled = _mm512_fmadd_ps(_mm512_load_ps(others[q] + i), _mm512_load_ps(f->turned + i), scaled);
            }
            _mm512_store_ps(scores[q] + i, scaled);
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
    __m512 p = _mm512_fmadd_ps(r, _mm512_set1_ps(1.54035304e-4f), _mm512_set1_ps(1.33335581e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(9.61812911e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(5.55041087e-2f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(2.40226507e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(6.93147181e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
    return _mm512_scalef_ps(p, n);
}

#define LOG2_E 1.44269504f

/*
 * Makes weights of a row's scores, relative to the greatest of them, in two parts: of the positions [begin, end), of which it sees [from, to). What it does
 * not see weighs nothing.
 */
static void weigh_split(const struct attend *a, const struct factors *f, const float *scores, int32_t from, int32_t to, int32_t begin, int32_t end,
    uint16_t *weights, uint16_t *rests, float *greatest, float *sum)
{
    const __m512 scale = _mm512_set1_ps(a->scale);
    __m512 most = _mm512_set1_ps(-INFINITY);
    for (int32_t i = from & ~15; i < to; i += 16) {
        most = _mm512_mask_max_ps(most, seen(i, from, to), most, _mm512_mul_ps(_mm512_load_ps(scores + i), scale));
    }
    const float m = _mm512_reduce_max_ps(most);
    const __m512 factor = _mm512_set1_ps(a->scale * LOG2_E);
    const __m512 shift = _mm512_set1_ps(-m * LOG2_E);
    __m512 total = _mm512_setzero_ps();
    for (int32_t i = begin; i < end; i += 16) {
        const __mmask16 mask = seen(i, from, to);
        __m512 x = _mm512_setzero_ps();
        if (mask != 0) {
            x = _mm512_maskz_mov_ps(mask, power(_mm512_fmadd_ps(_mm512_load_ps(scores + i), factor, shift)));
            total = _mm512_add_ps(total, x);
            if (a->form == BYTES) {
                x = _mm512_maskz_mul_ps(mask, x, _mm512_load_ps(f->values + i));
            }
        }
        split(x, weights + i, rests + i);
    }
    *greatest = m;
    *sum = _mm512_reduce_add_ps(total);
}

/* Some pairs of a group, 16 at most. */
static void attend_some(const struct attend *a, const struct room *r, const struct factors *f, int32_t group, int32_t number, int count)
{
    float scores[ROWS][CHUNK] __attribute__((aligned(64)));
    float others[ROWS][CHUNK] __attribute__((aligned(64)));
    uint16_t weights[ROWS][CHUNK] __attribute__((aligned(64)));
    uint16_t rests[ROWS][CHUNK] __attribute__((aligned(64)));
    float greatest[ROWS];
    float sums[ROWS];
    const float *queries[ROWS];
    const float *turned[ROWS];
    for (int q = 0; q < count; q++) {
        int32_t pair = pair_of(a, group, number + q);
        int32_t row = pair / a->heads;
        int32_t head = pair % a->heads;
        queries[q] = a->queries + row * a->query_row + head * a->query_head;
        turned[q] = a->turned_queries + row * a->turned_row + head * a->turned_head;
    }
    bring_queries(queries, count, a->key_length, r->key, r->queries, r->query_rests);
    if (a->turned_length > 0) {
        bring_queries(turned, count, a->turned_length, r->turned, r->queries + r->key / 32 * TILE, r->query_rests + r->key / 32 * TILE);
    }
    configure(ROWS);
    score(a, r, f, count, scores, others);
    int32_t begin = a->from / STEP;
    int32_t end = (a->to + STEP - 1) / STEP;
    for (int q = 0; q < count; q++) {
        int32_t row = pair_of(a, group, number + q) / a->heads;
        int32_t from = row_from(a, row);
        int32_t to = row_to(a, row);
        weigh_split(a, f, scores[q], from, to, STEP * begin, STEP * end, weights[q], rests[q], &greatest[q], &sums[q]);
    }
    if (count < ROWS) {
        configure(count);
    }
    int64_t first = (int64_t) begin * (r->value / 16) * TILE;
    struct product p = {weights[0] + STEP * begin, rests[0] + STEP * begin, 2 * CHUNK, r->values + first, r->value / 16 * TILE, end - begin};
    multiply(&p, r->value / 16, r->out, 4 * r->value);
    for (int q = 0; q < count; q++) {
        int32_t pair = pair_of(a, group, number + q);
        int32_t row = pair / a->heads;
        if (row_from(a, row) < row_to(a, row)) {
            join_chunk(a->greatest + pair, a->sums + pair, a->out + row * a->out_row + pair % a->heads * a->out_head, greatest[q], sums[q],
                r->out + (int64_t) q * r->value, a->value_length);
        }
    }
}

EXPORT void NAME(attend_chunk)(const struct attend *a)
{
    const char *keys[CHUNK];
    const char *turned[CHUNK];
    const char *values[CHUNK];
    struct factors f;
    const struct room r = room_of(a);
    int32_t pairs = a->rows * a->shared;
    if (a->form == BYTES) {
        /* Where there are no positions no score counts, but it must not be infinite times nothing. */
        memset(&f, 0, sizeof f);
    }
    for (int32_t group = 0; group * a->shared < a->heads; group++) {
        find(a, a->keys, (int64_t) group * a->key_length, a->key_stride, a->key_factors + group, a->key_factor_stride, keys, f.keys);
        find(a, a->values, (int64_t) group * a->value_length, a->value_stride, a->value_factors + group, a->value_factor_stride, values, f.values);
        if (a->turned_length > 0) {
            find(a, a->turned_keys, 0, a->turned_stride, a->turned_factors, a->turned_factor_stride, turned, f.turned);
        }
        if (a->form == HALVES) {
            bring(HALVES, a, &r, keys, turned, values);
        } else {
            bring(BYTES, a, &r, keys, turned, values);
        }
        for (int32_t number = 0; number < pairs; number += ROWS) {
            int count = pairs - number < ROWS ? pairs - number : ROWS;
            attend_some(a, &r, &f, group, number, count);
        }
    }
    _tile_release();
}
