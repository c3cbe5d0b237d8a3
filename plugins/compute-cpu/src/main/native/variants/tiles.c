/*
 * Products of packed weights of block types with many rows of activations, by the tile instructions for bytes: the same bits as products.c.
 * VARIANTS: amx
 *
 * A tile of results is of 16 rows of activations (A) and the 16 rows of a group (B), for the 32 or 16 elements that share a scale. It goes through
 * memory, since there is no other way from a tile to a vector, and is added to the sums, which stay in registers for a run of blocks.
 */
#include "activations.h"
#include "cells.h"

#include "tile.h"

/* Rows of activations from which tiles are faster than vpdpbusd. */
#define TILES_FROM 6
/* Blocks whose weights are expanded at once, to be multiplied with all rows of activations; at most. */
#define RUN 16
/* How far ahead of the run that is read the next bytes are asked for, beside those of a whole run. */
#define AHEAD 2048

/* Expanded weights of a run of blocks. */
typedef struct {
    int8_t codes[RUN][512] __attribute__((aligned(64)));
    float scale[2 * RUN][16] __attribute__((aligned(64)));
    float minimum[2 * RUN][16] __attribute__((aligned(64)));
    /* Results of tiles. */
    int32_t tile[4][16][16] __attribute__((aligned(64)));
} Run;

void maniple_multiply_avx512vnni(int32_t type, const uint8_t *packed, int64_t first, int64_t columns, int64_t blocks, const uint8_t *x_at,
                                 int64_t x_stride, int64_t x_rows, float *out, int64_t out_stride, const int32_t *ends, int64_t count);

/* The weights of blocks from <= b < from + count of a group. */
INLINE void expand(int type, const uint8_t *heads, const uint8_t *cells_at, int64_t from, int count, Run *run)
{
    const int cells = unit_cells(type);
    const int parts = scales_of_cell(type);
    Head h;
    for (int i = 0; i < count; i++) {
        const int64_t block = from + i;
        const int cell = (int) (block % cells);
        if (cell == 0 || i == 0) {
            head(type, heads + block / cells * head_bytes(type) * GROUP, 0, &h);
        }
        for (int part = 0; part < parts; part++) {
            _mm512_store_ps(run->scale[parts * i + part], h.scale[parts * cell + part]);
            if (has_minimum(type)) {
                _mm512_store_ps(run->minimum[parts * i + part], h.minimum[parts * cell + part]);
            }
        }
        const uint8_t *at = cells_at + block * cell_bytes(type);
        if (type != Q8_0) {
            __m512i q[8];
            codes(type, at, q);
            for (int j = 0; j < 8; j++) {
                _mm512_store_si512(run->codes[i] + 64 * j, offset(type) == 0 ? q[j] : _mm512_sub_epi8(q[j], _mm512_set1_epi8((char) offset(type))));
            }
        }
    }
}

/*
 * Begins the product of a tile of activations with a tile of weights, and its way to memory. C, A and B are constants: which tiles. Bytes that are
 * needed later are asked for here, a few at a time: all at once would have to wait for each other, and then the products for them.
 */
#define ISSUE(C, A, B, step)                                                                                                               \
    do {                                                                                                                                   \
        const int at_ = (step);                                                                                                            \
        for (int64_t line_ = 0; line_ < each; line_ += 64) {                                                                               \
            _mm_prefetch((const char *) ahead + at_ * each + line_, _MM_HINT_T0);                                                          \
        }                                                                                                                                  \
        _tile_loadd(B, codes_at + (512 / parts) * at_, 64);                                                                                \
        _tile_loadd(A, a + (32 / parts) * at_, x.stride);                                                                                  \
        _tile_zero(C);                                                                                                                     \
        _tile_dpbssd(C, A, B);                                                                                                             \
        _tile_stored(C, run->tile[C], 64);                                                                                                 \
    } while (0)

/* Adds the results of a tile to the sums. */
#define FINISH(C, step)                                                                                                                    \
    do {                                                                                                                                   \
        const int at_ = (step);                                                                                                            \
        const __m512 scale = _mm512_load_ps(run->scale[at_]);                                                                              \
        const float *d = dx + 16 * (at_ / parts);                                                                                          \
        __m512 minimum = _mm512_setzero_ps();                                                                                              \
        if (has_minimum(type)) {                                                                                                           \
            minimum = _mm512_load_ps(run->minimum[at_]);                                                                                   \
        }                                                                                                                                  \
        _Pragma("GCC unroll 16") for (int m = 0; m < many; m++)                                                                            \
        {                                                                                                                                  \
            const __m512 dm = _mm512_set1_ps(d[m]);                                                                                        \
            sum[m] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_load_si512(run->tile[C][m])), _mm512_mul_ps(scale, dm), sum[m]);           \
            if (has_minimum(type)) {                                                                                                       \
                sum[m] = _mm512_fmadd_ps(_mm512_set1_ps(sx[16 * at_ + m]), _mm512_mul_ps(minimum, dm), sum[m]);                            \
            }                                                                                                                              \
        }                                                                                                                                  \
    } while (0)

/*
 * Adds the blocks of a run to the sums of up to 16 rows of activations. Tiles are begun three steps before their results are read.
 *
 * many: 4, 8, 12 or 16, at least as many as the tiles have rows; codes_at: of the run's first block, 512 bytes for each; a, dx, sx: activations of
 * the first block; sums: 16 floats for each row; ahead: what is asked for, each bytes in every step
 */
INLINE void add(int type, int many, const int8_t *codes_at, Run *run, int count, Activations x, const int8_t *a, const float *dx,
                const float *sx, int fresh, float *sums, const uint8_t *ahead, int64_t each)
{
    const int parts = scales_of_cell(type);
    const int steps = count * parts;
    __m512 sum[16];
    for (int m = 0; m < many; m++) {
        sum[m] = fresh ? _mm512_setzero_ps() : _mm512_load_ps(sums + 16 * m);
    }
    ISSUE(0, 4, 6, 0);
    if (steps > 1) {
        ISSUE(1, 5, 7, 1);
    }
    if (steps > 2) {
        ISSUE(2, 4, 6, 2);
    }
    int step = 0;
    for (; step + 7 <= steps; step += 4) {
        ISSUE(3, 5, 7, step + 3);
        FINISH(0, step);
        ISSUE(0, 4, 6, step + 4);
        FINISH(1, step + 1);
        ISSUE(1, 5, 7, step + 5);
        FINISH(2, step + 2);
        ISSUE(2, 4, 6, step + 6);
        FINISH(3, step + 3);
    }
    if (step + 3 < steps) {
        ISSUE(3, 5, 7, step + 3);
    }
    FINISH(0, step);
    if (step + 4 < steps) {
        ISSUE(0, 4, 6, step + 4);
    }
    if (step + 1 < steps) {
        FINISH(1, step + 1);
    }
    if (step + 5 < steps) {
        ISSUE(1, 5, 7, step + 5);
    }
    if (step + 2 < steps) {
        FINISH(2, step + 2);
    }
    if (step + 3 < steps) {
        FINISH(3, step + 3);
    }
    if (step + 4 < steps) {
        FINISH(0, step + 4);
    }
    if (step + 5 < steps) {
        FINISH(1, step + 5);
    }
    for (int m = 0; m < many; m++) {
        _mm512_store_ps(sums + 16 * m, sum[m]);
    }
}

/* Scales and sums of rows of activations, for each 16 rows block by block; zeros where there are no rows. */
static void turn(int parts, int minimum, Activations x, int64_t x_rows, int64_t blocks, float *dx, float *sx)
{
    for (int64_t m = 0; m < x_rows; m += 16) {
        const uint8_t *row = x.at + m * x.stride;
        const __mmask16 mask = x_rows - m >= 16 ? 0xffff : (__mmask16) ((1u << (x_rows - m)) - 1);
        const __m512i rows = _mm512_mullo_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                                                _mm512_set1_epi32((int) x.stride));
        float *d = dx + m * blocks;
        for (int64_t b = 0; b < blocks; b++) {
            _mm512_store_ps(d + 16 * b, _mm512_mask_i32gather_ps(_mm512_setzero_ps(), mask, rows, row + x.scales + 4 * b, 1));
        }
        if (minimum) {
            float *s = sx + m * blocks * parts;
            const uint8_t *from = row + (parts == 1 ? x.sums : x.halves);
            for (int64_t b = 0; b < blocks * parts; b++) {
                _mm512_store_ps(s + 16 * b, _mm512_cvtepi32_ps(_mm512_mask_i32gather_epi32(_mm512_setzero_si512(), mask, rows, from + 4 * b, 1)));
            }
        }
    }
}

/* Rows of activations are as many as the tiles have rows, or a multiple of 16. */
INLINE void group(int type, const uint8_t *at, int64_t blocks, Activations x, int64_t x_rows, const float *dx, const float *sx, float *out,
                  int64_t out_stride, int columns, Run *run, float *sums)
{
    const int parts = scales_of_cell(type);
    const uint8_t *cells_at = at + heads_of_group(type, blocks / unit_cells(type));
    const int64_t cells = unit_cells(type);
    const int64_t runs = (blocks + RUN - 1) / RUN;
    const int64_t of_block = group_bytes(type, blocks / unit_cells(type)) / blocks;
    for (int64_t from = 0, left = runs; from < blocks; left--) {
        /* Runs of about the same length, of whole units. */
        const int64_t wanted = ((blocks - from + left - 1) / left + cells - 1) / cells * cells;
        const int count = (int) (blocks - from < wanted ? blocks - from : wanted);
        expand(type, at, cells_at, from, count, run);
        const int8_t *codes_at = type == Q8_0 ? (const int8_t *) cells_at + 512 * from : run->codes[0];
        for (int64_t m = 0; m < x_rows; m += 16) {
            const int8_t *a = (const int8_t *) x.at + m * x.stride + 32 * from;
            const float *d = dx + m * blocks + 16 * from;
            const float *s = sx + (m * blocks + 16 * from) * parts;
            const int rows = (int) (x_rows - m < 16 ? x_rows - m : 16);
            const uint8_t *ahead = at + of_block * (from + count) + AHEAD;
            const int64_t each = m == 0 ? of_block / parts : 0;
            if (rows > 12) {
                add(type, 16, codes_at, run, count, x, a, d, s, from == 0, sums + 16 * m, ahead, each);
            } else if (rows > 8) {
                add(type, 12, codes_at, run, count, x, a, d, s, from == 0, sums + 16 * m, ahead, each);
            } else if (rows > 4) {
                add(type, 8, codes_at, run, count, x, a, d, s, from == 0, sums + 16 * m, ahead, each);
            } else {
                add(type, 4, codes_at, run, count, x, a, d, s, from == 0, sums + 16 * m, ahead, each);
            }
        }
        from += count;
    }
    const __mmask16 mask = (__mmask16) ((1u << columns) - 1);
    for (int64_t m = 0; m < x_rows; m++) {
        _mm512_mask_storeu_ps(out + m * out_stride, mask, _mm512_load_ps(sums + 16 * m));
    }
}

typedef void Group(const uint8_t *at, int64_t blocks, Activations x, int64_t x_rows, const float *dx, const float *sx, float *out,
                   int64_t out_stride, int columns, Run *run, float *sums);

#define GROUP_OF(type)                                                                                                                       \
    static void group_##type(const uint8_t *at, int64_t blocks, Activations x, int64_t x_rows, const float *dx, const float *sx, float *out,  \
                             int64_t out_stride, int columns, Run *run, float *sums)                                                         \
    {                                                                                                                                        \
        group(type, at, blocks, x, x_rows, dx, sx, out, out_stride, columns, run, sums);                                                      \
    }

GROUP_OF(Q8_0) GROUP_OF(Q4_0) GROUP_OF(Q4_1) GROUP_OF(Q5_0) GROUP_OF(Q5_1) GROUP_OF(Q2_K) GROUP_OF(Q3_K) GROUP_OF(Q4_K) GROUP_OF(Q5_K)
GROUP_OF(Q6_K) GROUP_OF(IQ4_NL) GROUP_OF(MXFP4)

static Group *const GROUPS[TYPES] = {group_Q8_0, group_Q4_0, group_Q4_1, group_Q5_0, group_Q5_1, group_Q2_K, group_Q3_K, group_Q4_K,
                                     group_Q5_K, group_Q6_K, group_IQ4_NL, group_MXFP4};

/* What is on the stack of a thread for scales and sums of activations, in floats; more rows are multiplied in parts. */
#define TURNED (40 * 1024)
/* Rows of activations of a part, at most. */
#define PART 256

static void part(int type, const uint8_t *w, int64_t size, int64_t columns, int64_t blocks, Activations x, int64_t rows, float *turned, Run *run,
                 float *out, int64_t out_stride)
{
    float sums[16 * PART] __attribute__((aligned(64)));
    const int parts = scales_of_cell(type);
    const int64_t all = (rows + 15) / 16 * 16;
    float *dx = turned;
    float *sx = turned + all * blocks;
    turn(parts, has_minimum(type), x, rows, blocks, dx, sx);
    TileConfig config;
    memset(&config, 0, sizeof config);
    config.palette = 1;
    for (int t = 0; t < 8; t++) {
        config.bytes[t] = (uint16_t) (t == 4 || t == 5 ? 32 / parts : 64);
        config.rows[t] = (uint8_t) (t >= 6 ? 8 / parts : rows < 16 ? rows : 16);
    }
    load_config(&config);
    for (int64_t n = 0; n < columns; n += GROUP) {
        const int here = (int) (columns - n < GROUP ? columns - n : GROUP);
        GROUPS[type](w + n / GROUP * size, blocks, x, rows, dx, sx, out + n, out_stride, here, run, sums);
    }
    _tile_release();
}

/* As in products.c. */
EXPORT void maniple_multiply_amx(int32_t type, const uint8_t *packed, int64_t first, int64_t columns, int64_t blocks, const uint8_t *x_at,
                                 int64_t x_stride, int64_t x_rows, float *out, int64_t out_stride, const int32_t *ends, int64_t count)
{
    const int64_t of_16 = 16 * blocks * (1 + (has_minimum(type) ? scales_of_cell(type) : 0));
    const int64_t fit = TURNED / of_16 * 16 < PART ? TURNED / of_16 * 16 : PART;
    const int64_t size = group_bytes(type, blocks / unit_cells(type));
    if (x_rows >= TILES_FROM && count == 1 && fit > 0) {
        float turned[TURNED] __attribute__((aligned(64)));
        Run run;
        memset(run.tile, 0, sizeof run.tile);
        while (x_rows >= TILES_FROM) {
            const int64_t whole = x_rows / 16 * 16;
            const int64_t taken = whole == 0 ? x_rows : whole < fit ? whole : fit;
            part(type, packed + first / GROUP * size, size, columns, blocks, activations(x_at, x_stride, blocks), taken, turned, &run, out,
                 out_stride);
            x_at += taken * x_stride;
            out += taken * out_stride;
            x_rows -= taken;
        }
    }
    if (x_rows > 0) {
        maniple_multiply_avx512vnni(type, packed, first, columns, blocks, x_at, x_stride, x_rows, out, out_stride, ends, count);
    }
}
