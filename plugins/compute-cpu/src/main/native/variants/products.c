/*
 * Products of packed weights of block types with activations of bytes.
 * VARIANTS: avx2 avx512vnni neon dotprod
 *
 * The order of every sum is fixed: for each block of 32 elements (of 16 where there are two scales) in ascending order the exact sum of the products of
 * codes is made a float, multiplied with (scale of the weights * scale of the activations) and added by a fused multiply-add; where a type has minimums,
 * then the sum of the activations' codes times (minimum * scale of the activations), likewise. What is computed together does not matter.
 */
#include "activations.h"
#include "cells.h"

/* Weights of one group of rows, or of half of it. */
typedef struct {
    const uint8_t *heads;
    const uint8_t *codes;
    int half;
} Rows;

/* How far ahead of the codes that are read the next ones are asked for. */
#define AHEAD 2048

/* Sums over blocks from <= b < to of one group with some rows of activations. */
INLINE void sums(int type, int many, Rows w, int64_t from, int64_t to, Activations x, VF *out)
{
    const int cells = unit_cells(type);
    const int parts = scales_of_cell(type);
    VF sum[8];
    for (int m = 0; m < many; m++) {
        sum[m] = vf_zero();
    }
    Head h;
    for (int64_t block = from; block < to; block++) {
        const int cell = (int) (block % cells);
        if (cell == 0 || block == from) {
            head(type, w.heads + block / cells * head_bytes(type) * GROUP, w.half, &h);
        }
        VI q[8];
        const uint8_t *at = w.codes + block * cell_bytes(type) + 4 * LANES * w.half;
        codes(type, at, q);
#if defined(__x86_64__)
        for (int ahead = 0; ahead < cell_bytes(type); ahead += 64) {
            _mm_prefetch((const char *) at + AHEAD + ahead, _MM_HINT_T0);
        }
#endif
        for (int m = 0; m < many; m++) {
            const uint8_t *xm = x.at + m * x.stride;
            const VF dx = vf_all(load_float(xm + x.scales + 4 * block));
            for (int part = 0; part < parts; part++) {
                const int32_t total = load32(xm + (parts == 1 ? x.sums + 4 * block : x.halves + 8 * block + 4 * part));
                VI product = dot(type, q + 4 * part, 8 / parts, (const int8_t *) xm + 32 * block + 16 * part,
                                 offset(type) == 0 ? vi_all(0) : vi_all(-offset(type) * total));
                sum[m] = vf_fma(vf_of(product), vf_mul(h.scale[parts * cell + part], dx), sum[m]);
                if (has_minimum(type)) {
                    sum[m] = vf_fma(vf_all((float) total), vf_mul(h.minimum[parts * cell + part], dx), sum[m]);
                }
            }
        }
    }
    for (int m = 0; m < many; m++) {
        out[m] = sum[m];
    }
}

#define LEVELS 16

/* As sums, over leaves that are added pairwise. */
INLINE void leaves(int type, int many, Rows w, const int32_t *ends, int count, Activations x, VF *out)
{
    if (count == 1) {
        sums(type, many, w, 0, ends[0], x, out);
        return;
    }
    VF tree[LEVELS][8];
    for (int leaf = 0; leaf < count; leaf++) {
        VF total[8];
        sums(type, many, w, leaf == 0 ? 0 : ends[leaf - 1], ends[leaf], x, total);
        int level = 0;
        for (int rest = leaf; (rest & 1) == 1; rest >>= 1) {
            for (int m = 0; m < many; m++) {
                total[m] = vf_add(tree[level][m], total[m]);
            }
            level++;
        }
        for (int m = 0; m < many; m++) {
            tree[level][m] = total[m];
            out[m] = total[m];
        }
    }
}

typedef void Few(Rows w, const int32_t *ends, int count, Activations x, float *out, int64_t out_stride, int rows);

#define FEW(type, many)                                                                                                                     \
    static void type##_##many(Rows w, const int32_t *ends, int count, Activations x, float *out, int64_t out_stride, int rows)              \
    {                                                                                                                                       \
        VF sum[8];                                                                                                                          \
        leaves(type, many, w, ends, count, x, sum);                                                                                         \
        for (int m = 0; m < many; m++) {                                                                                                    \
            vf_store_some(out + m * out_stride, sum[m], rows);                                                                              \
        }                                                                                                                                   \
    }
#define ALL(type) FEW(type, 1) FEW(type, 2) FEW(type, 3) FEW(type, 4) FEW(type, 8)
#define LIST(type) {type##_1, type##_2, type##_3, type##_4, type##_8}

ALL(Q8_0) ALL(Q4_0) ALL(Q4_1) ALL(Q5_0) ALL(Q5_1) ALL(Q2_K) ALL(Q3_K) ALL(Q4_K) ALL(Q5_K) ALL(Q6_K) ALL(IQ4_NL) ALL(MXFP4)

static Few *const FEW_OF[TYPES][5] = {LIST(Q8_0), LIST(Q4_0), LIST(Q4_1), LIST(Q5_0), LIST(Q5_1), LIST(Q2_K), LIST(Q3_K), LIST(Q4_K), LIST(Q5_K),
                                      LIST(Q6_K), LIST(IQ4_NL), LIST(MXFP4)};

/*
 * out[m][n] = x[m] . w[first + n]
 *
 * packed: the groups of the matrix; first: a multiple of 16; columns: rows of weights; blocks: of 32 elements, in a row
 * x: the first row of activations; x_rows: how many; out_stride: in floats; ends: where leaves end, in blocks
 */
EXPORT void NAME(maniple_multiply)(int32_t type, const uint8_t *packed, int64_t first, int64_t columns, int64_t blocks, const uint8_t *x_at,
                                   int64_t x_stride, int64_t x_rows, float *out, int64_t out_stride, const int32_t *ends, int64_t count)
{
    const int64_t units = blocks / unit_cells(type);
    const int64_t size = group_bytes(type, units);
    const Activations x = activations(x_at, x_stride, blocks);
    for (int64_t n = 0; n < columns; n += GROUP) {
        const uint8_t *group = packed + (first + n) / GROUP * size;
        const int rows = (int) (columns - n < GROUP ? columns - n : GROUP);
        for (int half = 0; half < GROUP / LANES && half * LANES < rows; half++) {
            const Rows w = {group, group + heads_of_group(type, units), half};
            float *to = out + n + half * LANES;
            Activations xm = x;
            for (int64_t m = 0; m < x_rows;) {
                const int64_t left = x_rows - m;
                const int taken = left >= 8 ? 8 : left >= 4 ? 4 : (int) left;
                FEW_OF[type][taken == 8 ? 4 : taken - 1](w, ends, (int) count, xm, to + m * out_stride, out_stride, rows - half * LANES);
                m += taken;
                xm.at += taken * x.stride;
            }
        }
    }
}
