/*
 * Products of packed bf16 weights with activations that are rounded to bf16.
 * VARIANTS: avx512bf16 amx
 *
 * With tiles the sum over each 32 elements is formed as TDPBF16PS does and added to the sum so far, blocks in ascending order; with vdpbf16ps pairs of
 * elements are added in ascending order. Neither depends on how many rows are multiplied together, but they differ from each other.
 */
#include "maniple.h"

#include <immintrin.h>
#include <string.h>

#define GROUP 16
#define BLOCK 1024

INLINE uint16_t rounded(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, 4);
    if ((bits & 0x7fffffff) > 0x7f800000) {
        return (uint16_t) (bits >> 16 | 0x40);
    }
    return (uint16_t) ((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* Prepares rows: bf16, filled up with zeros to a multiple of 32 elements. */
EXPORT void NAME(maniple_prepare_bf16)(const float *x, int64_t columns, int64_t from, int64_t to, uint8_t *out, int64_t stride)
{
    for (int64_t row = from; row < to; row++) {
        const float *own = x + row * columns;
        uint16_t *target = (uint16_t *) (out + row * stride);
        for (int64_t i = 0; i < columns; i++) {
            target[i] = rounded(own[i]);
        }
        for (int64_t i = columns; i % 32 != 0; i++) {
            target[i] = 0;
        }
    }
}

#if defined(VARIANT_amx)

#include "tile.h"

/* Tiles 0 to 3 hold results: 2 * (which 16 rows of activations) + (which group); 4 and 5 activations, 6 and 7 weights. */
INLINE void configure(int first, int second)
{
    TileConfig config;
    memset(&config, 0, sizeof config);
    config.palette = 1;
    for (int t = 0; t < 8; t++) {
        config.bytes[t] = 64;
        config.rows[t] = (uint8_t) (t >= 6 ? 16 : t == 2 || t == 3 || t == 5 ? second : first);
    }
    load_config(&config);
}

/* How far ahead weights are asked for. */
#define AHEAD 4096

/*
 * Sums of the blocks from <= b < to, added to what is in out unless this is the beginning.
 *
 * groups, halves: 1 or 2; w: the group, and another one behind it at size
 */
INLINE void add(int groups, int halves, const uint8_t *w, int64_t size, int64_t from, int64_t to, const uint8_t *x, int64_t stride, float *out,
                int64_t out_stride)
{
    const int64_t step = 4 * out_stride;
    float *below = out + 16 * out_stride;
    if (from == 0) {
        _tile_zero(0);
        if (groups == 2) {
            _tile_zero(1);
        }
        if (halves == 2) {
            _tile_zero(2);
        }
        if (groups == 2 && halves == 2) {
            _tile_zero(3);
        }
    } else {
        _tile_loadd(0, out, step);
        if (groups == 2) {
            _tile_loadd(1, out + 16, step);
        }
        if (halves == 2) {
            _tile_loadd(2, below, step);
        }
        if (groups == 2 && halves == 2) {
            _tile_loadd(3, below + 16, step);
        }
    }
    for (int64_t b = from; b < to; b++) {
        _tile_loadd(4, x + 64 * b, stride);
        _tile_loadd(6, w + BLOCK * b, 64);
        for (int i = 0; i < BLOCK; i += 64) {
            _mm_prefetch((const char *) w + BLOCK * b + AHEAD + i, _MM_HINT_T0);
        }
        _tile_dpbf16ps(0, 4, 6);
        if (groups == 2) {
            _tile_loadd(7, w + size + BLOCK * b, 64);
            for (int i = 0; i < BLOCK; i += 64) {
                _mm_prefetch((const char *) w + size + BLOCK * b + AHEAD + i, _MM_HINT_T0);
            }
            _tile_dpbf16ps(1, 4, 7);
        }
        if (halves == 2) {
            _tile_loadd(5, x + 16 * stride + 64 * b, stride);
            _tile_dpbf16ps(2, 5, 6);
            if (groups == 2) {
                _tile_dpbf16ps(3, 5, 7);
            }
        }
    }
    _tile_stored(0, out, step);
    if (groups == 2) {
        _tile_stored(1, out + 16, step);
    }
    if (halves == 2) {
        _tile_stored(2, below, step);
    }
    if (groups == 2 && halves == 2) {
        _tile_stored(3, below + 16, step);
    }
}

/* Blocks of two groups that stay in the first-level cache while many rows pass over them. */
#define RUN 16
/* Rows of activations whose sums are kept together: in the output they would fall into the same few sets of the cache. */
#define PART 256

INLINE void add_some(int groups, int halves, const uint8_t *w, int64_t size, int64_t from, int64_t to, const uint8_t *x, int64_t stride, float *out)
{
    if (groups == 2 && halves == 2) {
        add(2, 2, w, size, from, to, x, stride, out, 32);
    } else if (groups == 2) {
        add(2, 1, w, size, from, to, x, stride, out, 32);
    } else if (halves == 2) {
        add(1, 2, w, size, from, to, x, stride, out, 32);
    } else {
        add(1, 1, w, size, from, to, x, stride, out, 32);
    }
}

/* All groups with up to PART rows of activations, each of them at once; for as many the tiles are configured. */
static void parts(const uint8_t *w, int64_t size, int64_t columns, int64_t blocks, const uint8_t *x, int64_t stride, int64_t rows, int each,
                  float *out, int64_t out_stride)
{
    float sums[PART][32] __attribute__((aligned(64)));
    const int64_t run = rows > each ? RUN : blocks;
    for (int64_t n = 0; n < columns; n += 2 * GROUP) {
        const int64_t here = columns - n < 2 * GROUP ? columns - n : 2 * GROUP;
        for (int64_t from = 0; from < blocks; from += run) {
            const int64_t to = from + run < blocks ? from + run : blocks;
            for (int64_t m = 0; m < rows; m += each) {
                add_some(here > GROUP ? 2 : 1, each > GROUP ? 2 : 1, w + n / GROUP * size, size, from, to, x + m * stride, stride, sums[m]);
            }
        }
        for (int64_t m = 0; m < rows; m++) {
            memcpy(out + m * out_stride + n, sums[m], 4 * (size_t) here);
        }
    }
}

/* out[m][n] = x[m] . w[first + n]; as maniple_multiply, of bf16 with rows of some columns. */
EXPORT void NAME(maniple_multiply_bf16)(const uint8_t *packed, int64_t first, int64_t rows_of_w, int64_t columns, const uint8_t *x, int64_t stride,
                                        int64_t rows, float *out, int64_t out_stride)
{
    const int64_t blocks = (columns + 31) / 32;
    const int64_t size = blocks * BLOCK;
    const uint8_t *w = packed + first / GROUP * size;
    const int64_t whole = rows / 32 * 32;
    const int tail = (int) (rows - whole);
    if (whole > 0) {
        configure(16, 16);
    }
    for (int64_t m = 0; m < whole; m += PART) {
        parts(w, size, rows_of_w, blocks, x + m * stride, stride, whole - m < PART ? whole - m : PART, 32, out + m * out_stride, out_stride);
    }
    if (tail > 0) {
        configure(tail > 16 ? 16 : tail, tail > 16 ? tail - 16 : 1);
        parts(w, size, rows_of_w, blocks, x + whole * stride, stride, tail, tail, out + whole * out_stride, out_stride);
    }
    _tile_release();
}

#else

INLINE void some(int many, const uint8_t *group, int64_t blocks, const uint8_t *x, int64_t stride, float *out, int64_t out_stride, __mmask16 mask)
{
    __m512 sum[8];
    for (int m = 0; m < many; m++) {
        sum[m] = _mm512_setzero_ps();
    }
    for (int64_t pair = 0; pair < 16 * blocks; pair++) {
        const __m512bh w = (__m512bh) _mm512_loadu_si512(group + 64 * pair);
        _mm_prefetch((const char *) group + 64 * pair + 4096, _MM_HINT_T0);
        for (int m = 0; m < many; m++) {
            int32_t both;
            memcpy(&both, x + m * stride + 4 * pair, 4);
            sum[m] = _mm512_dpbf16_ps(sum[m], w, (__m512bh) _mm512_set1_epi32(both));
        }
    }
    for (int m = 0; m < many; m++) {
        _mm512_mask_storeu_ps(out + m * out_stride, mask, sum[m]);
    }
}

EXPORT void NAME(maniple_multiply_bf16)(const uint8_t *packed, int64_t first, int64_t rows_of_w, int64_t columns, const uint8_t *x, int64_t stride,
                                        int64_t rows, float *out, int64_t out_stride)
{
    const int64_t blocks = (columns + 31) / 32;
    for (int64_t n = 0; n < rows_of_w; n += GROUP) {
        const uint8_t *group = packed + (first + n) / GROUP * blocks * BLOCK;
        const __mmask16 mask = rows_of_w - n >= GROUP ? 0xffff : (__mmask16) ((1u << (rows_of_w - n)) - 1);
        for (int64_t m = 0; m < rows;) {
            const uint8_t *xm = x + m * stride;
            float *to = out + m * out_stride + n;
            if (rows - m >= 8) {
                some(8, group, blocks, xm, stride, to, out_stride, mask);
                m += 8;
            } else if (rows - m >= 4) {
                some(4, group, blocks, xm, stride, to, out_stride, mask);
                m += 4;
            } else if (rows - m >= 2) {
                some(2, group, blocks, xm, stride, to, out_stride, mask);
                m += 2;
            } else {
                some(1, group, blocks, xm, stride, to, out_stride, mask);
                m++;
            }
        }
    }
}

#endif
