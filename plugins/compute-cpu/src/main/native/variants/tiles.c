/*
 * Products of packed weights of block types with many rows of activations, by the tile instructions for bytes: the same bits as products.c.
 * VARIANTS: amx
 *
 * A tile of results is of 16 rows of activations (A) and the 16 rows of a group (B), for the 32 or 16 elements that share a scale. It goes through
 * memory, since there is no other way from a tile to a vector, and is added to the sums, which stay in registers for a run of blocks.
 */
#include "activations.h"
#include "cells.h"

#include <string.h>

/* Rows of activations from which tiles are faster than vpdpbusd. */
#define TILES_FROM 4
/* Blocks whose weights are expanded at once, to be multiplied with all rows of activations. */
#define RUN 16

typedef struct {
    uint8_t palette;
    uint8_t start_row;
    uint8_t reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
} __attribute__((packed)) TileConfig;

/* Expanded weights of a run of blocks. */
typedef struct {
    int8_t codes[RUN][512] __attribute__((aligned(64)));
    float scale[2 * RUN][16] __attribute__((aligned(64)));
    float minimum[2 * RUN][16] __attribute__((aligned(64)));
    /* Results of tiles. */
    int32_t tile[4][16][16] __attribute__((aligned(64)));
    /* Scales and sums of 16 rows of activations: block by block. */
    float dx[2][16] __attribute__((aligned(64)));
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
        for (int ahead = 0; ahead < cell_bytes(type); ahead += 64) {
            _mm_prefetch((const char *) at + 4096 + ahead, _MM_HINT_T0);
        }
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
 * Adds the blocks of a run to the sums of up to 16 rows of activations.
 *
 * many: 4, 8 or 16, at least as many as the tiles have rows; codes_at: of the run's first block, 512 bytes for each
 */
INLINE void add(int type, int many, int tail, const int8_t *codes_at, Run *run, int64_t from, int count, Activations x, const float *dx,
                const float *sx, int fresh, float *out, int64_t out_stride, int rows, int columns)
{
    const int parts = scales_of_cell(type);
    const __mmask16 mask = (__mmask16) ((1u << columns) - 1);
    __m512 sum[16];
    for (int m = 0; m < many; m++) {
        sum[m] = fresh || m >= rows ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(mask, out + m * out_stride);
    }
    const int steps = count * parts;
    for (int step = 0; step <= steps; step++) {
        if (step < steps) {
            const int i = step / parts;
            const int part = step % parts;
            const int8_t *a = (const int8_t *) x.at + 32 * (from + i) + 16 * part;
            const int8_t *b = codes_at + 512 * i + 256 * part;
            int32_t(*to)[16] = run->tile[step & 3];
            if (tail) {
                if (step & 1) {
                    _tile_zero(5);
                    _tile_loadd(6, a, x.stride);
                    _tile_loadd(1, b, 64);
                    _tile_dpbssd(5, 6, 1);
                    _tile_stored(5, to, 64);
                } else {
                    _tile_zero(4);
                    _tile_loadd(7, a, x.stride);
                    _tile_loadd(3, b, 64);
                    _tile_dpbssd(4, 7, 3);
                    _tile_stored(4, to, 64);
                }
            } else {
                if (step & 1) {
                    _tile_zero(0);
                    _tile_loadd(2, a, x.stride);
                    _tile_loadd(1, b, 64);
                    _tile_dpbssd(0, 2, 1);
                    _tile_stored(0, to, 64);
                } else {
                    _tile_zero(0);
                    _tile_loadd(2, a, x.stride);
                    _tile_loadd(3, b, 64);
                    _tile_dpbssd(0, 2, 3);
                    _tile_stored(0, to, 64);
                }
            }
        }
        if (step > 0) {
            const int done = step - 1;
            int32_t(*results)[16] = run->tile[done & 3];
            const __m512 scale = _mm512_load_ps(run->scale[done]);
            const float *d = dx + 16 * (from + done / parts);
            const float *s = sx + 16 * (parts * from + done);
            __m512 minimum = _mm512_setzero_ps();
            if (has_minimum(type)) {
                minimum = _mm512_load_ps(run->minimum[done]);
            }
            for (int m = 0; m < many; m++) {
                const __m512 dm = _mm512_set1_ps(d[m]);
                sum[m] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_load_si512(results[m])), _mm512_mul_ps(scale, dm), sum[m]);
                if (has_minimum(type)) {
                    sum[m] = _mm512_fmadd_ps(_mm512_set1_ps(s[m]), _mm512_mul_ps(minimum, dm), sum[m]);
                }
            }
        }
    }
    for (int m = 0; m < many && m < rows; m++) {
        _mm512_mask_storeu_ps(out + m * out_stride, mask, sum[m]);
    }
}

/* Scales and sums of rows of activations, for each 16 rows block by block. */
static void turn(int parts, int minimum, Activations x, int64_t x_rows, int64_t blocks, float *dx, float *sx)
{
    for (int64_t m = 0; m < x_rows; m++) {
        const uint8_t *row = x.at + m * x.stride;
        float *d = dx + m / 16 * 16 * blocks + m % 16;
        for (int64_t b = 0; b < blocks; b++) {
            d[16 * b] = load_float(row + x.scales + 4 * b);
        }
        if (minimum) {
            float *s = sx + m / 16 * 16 * blocks * parts + m % 16;
            const uint8_t *from = row + (parts == 1 ? x.sums : x.halves);
            for (int64_t b = 0; b < blocks * parts; b++) {
                s[16 * b] = (float) load32(from + 4 * b);
            }
        }
    }
}

INLINE void group(int type, const uint8_t *at, int64_t blocks, Activations x, int64_t x_rows, const float *dx, const float *sx, float *out,
                  int64_t out_stride, int columns, Run *run)
{
    const int parts = scales_of_cell(type);
    const uint8_t *cells_at = at + heads_of_group(type, blocks / unit_cells(type));
    for (int64_t from = 0; from < blocks; from += RUN) {
        const int count = (int) (blocks - from < RUN ? blocks - from : RUN);
        expand(type, at, cells_at, from, count, run);
        const int8_t *codes_at = type == Q8_0 ? (const int8_t *) cells_at + 512 * from : run->codes[0];
        for (int64_t m = 0; m < x_rows; m += 16) {
            Activations xm = x;
            xm.at += m * x.stride;
            const int rows = (int) (x_rows - m < 16 ? x_rows - m : 16);
            const float *d = dx + m * blocks;
            const float *s = sx + m * blocks * parts;
            float *to = out + m * out_stride;
            if (rows == 16) {
                add(type, 16, 0, codes_at, run, from, count, xm, d, s, from == 0, to, out_stride, 16, columns);
            } else if (rows > 8) {
                add(type, 16, 1, codes_at, run, from, count, xm, d, s, from == 0, to, out_stride, rows, columns);
            } else if (rows > 4) {
                add(type, 8, 1, codes_at, run, from, count, xm, d, s, from == 0, to, out_stride, rows, columns);
            } else {
                add(type, 4, 1, codes_at, run, from, count, xm, d, s, from == 0, to, out_stride, rows, columns);
            }
        }
    }
}

typedef void Group(const uint8_t *at, int64_t blocks, Activations x, int64_t x_rows, const float *dx, const float *sx, float *out,
                   int64_t out_stride, int columns, Run *run);

#define GROUP_OF(type)                                                                                                                       \
    static void group_##type(const uint8_t *at, int64_t blocks, Activations x, int64_t x_rows, const float *dx, const float *sx, float *out,  \
                             int64_t out_stride, int columns, Run *run)                                                                      \
    {                                                                                                                                        \
        group(type, at, blocks, x, x_rows, dx, sx, out, out_stride, columns, run);                                                            \
    }

GROUP_OF(Q8_0) GROUP_OF(Q4_0) GROUP_OF(Q4_1) GROUP_OF(Q5_0) GROUP_OF(Q5_1) GROUP_OF(Q2_K) GROUP_OF(Q3_K) GROUP_OF(Q4_K) GROUP_OF(Q5_K)
GROUP_OF(Q6_K) GROUP_OF(IQ4_NL) GROUP_OF(MXFP4)

static Group *const GROUPS[TYPES] = {group_Q8_0, group_Q4_0, group_Q4_1, group_Q5_0, group_Q5_1, group_Q2_K, group_Q3_K, group_Q4_K,
                                     group_Q5_K, group_Q6_K, group_IQ4_NL, group_MXFP4};

/* What is on the stack of a thread for scales and sums of activations, in floats; more rows are multiplied in parts. */
#define TURNED (48 * 1024)

/* As in products.c. */
EXPORT void maniple_multiply_amx(int32_t type, const uint8_t *packed, int64_t first, int64_t columns, int64_t blocks, const uint8_t *x_at,
                                 int64_t x_stride, int64_t x_rows, float *out, int64_t out_stride, const int32_t *ends, int64_t count)
{
    const int parts = scales_of_cell(type);
    const int64_t of_16 = 16 * blocks * (1 + (has_minimum(type) ? parts : 0));
    if (x_rows < TILES_FROM || count > 1 || of_16 > TURNED) {
        maniple_multiply_avx512vnni(type, packed, first, columns, blocks, x_at, x_stride, x_rows, out, out_stride, ends, count);
        return;
    }
    const int64_t size = group_bytes(type, blocks / unit_cells(type));
    const int64_t most = TURNED / of_16 * 16;
    float turned[TURNED] __attribute__((aligned(64)));
    Run run;
    memset(run.tile, 0, sizeof run.tile);
    while (x_rows > 0) {
        const int64_t taken = x_rows < most ? x_rows : most;
        const Activations x = activations(x_at, x_stride, blocks);
        const int64_t all = (taken + 15) / 16 * 16;
        float *dx = turned;
        float *sx = turned + all * blocks;
        if (taken % 16 != 0) {
            memset(dx + taken / 16 * 16 * blocks, 0, 4 * 16 * blocks);
            if (has_minimum(type)) {
                memset(sx + taken / 16 * 16 * blocks * parts, 0, 4 * 16 * blocks * parts);
            }
        }
        turn(parts, has_minimum(type), x, taken, blocks, dx, sx);
        TileConfig config;
        memset(&config, 0, sizeof config);
        config.palette = 1;
        const uint8_t tail = (uint8_t) (taken % 16 == 0 ? 16 : taken % 16);
        for (int t = 0; t < 8; t++) {
            const int is_a = t == 2 || t == 6 || t == 7;
            const int is_b = t == 1 || t == 3;
            config.bytes[t] = (uint16_t) (is_a ? 32 / parts : 64);
            config.rows[t] = is_b ? (uint8_t) (8 / parts) : t < 4 ? 16 : tail;
        }
        _tile_loadconfig(&config);
        for (int64_t n = 0; n < columns; n += GROUP) {
            const int here = (int) (columns - n < GROUP ? columns - n : GROUP);
            GROUPS[type](packed + (first + n) / GROUP * size, blocks, x, taken, dx, sx, out + n, out_stride, here, &run);
        }
        _tile_release();
        x_at += taken * x_stride;
        out += taken * out_stride;
        x_rows -= taken;
    }
}
