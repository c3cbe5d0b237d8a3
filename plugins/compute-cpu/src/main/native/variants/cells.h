/* Codes, scales and minimums of packed blocks, for each lane a row. */
#ifndef MANIPLE_CELLS_H
#define MANIPLE_CELLS_H

#include "blocks.h"
#include "vectors.h"

#if defined(__AVX512VNNI__)
/* vpdpbusd multiplies unsigned with signed bytes. */
#define SIGNED_CODES(type) 0
#elif defined(__AVX2__)
#define SIGNED_CODES(type) ((type) == Q8_0 || (type) == IQ4_NL)
#else
#define SIGNED_CODES(type) 0
#endif

/* What has been added to codes to make them unsigned. */
INLINE int offset(int type)
{
    switch (type) {
    case Q4_0: return 8;
    case Q5_0: return 16;
    case Q6_K: return 32;
    case Q3_K: return 4;
    case MXFP4: return 12;
    case Q8_0:
    case IQ4_NL: return SIGNED_CODES(type) ? 0 : 128;
    default: return 0;
    }
}

#if defined(__x86_64__)
#define TABLE(...) _mm_setr_epi8(__VA_ARGS__)
#else
#define TABLE(...) ((const int8_t[16]){__VA_ARGS__})
#endif

INLINE VI iq4nl(VI index)
{
    VI values = vi_table(TABLE(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113), index);
    return SIGNED_CODES(IQ4_NL) ? values : vi_xor(values, vi_bytes(0x80));
}

INLINE VI mxfp4(VI index)
{
    return vi_table(TABLE(12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0), index);
}

/* The codes of a cell with their offset, for each plane of 4 elements a vector. */
INLINE void codes(int type, const uint8_t *cell, VI q[8])
{
    if (type == Q8_0) {
        for (int j = 0; j < 8; j++) {
            q[j] = vi_load(cell + 64 * j);
            if (!SIGNED_CODES(type)) {
                q[j] = vi_xor(q[j], vi_bytes(0x80));
            }
        }
        return;
    }
    if (type != Q2_K && type != Q3_K) {
        const VI low = vi_bytes(15);
        for (int j = 0; j < 4; j++) {
            VI both = vi_load(cell + 64 * j);
            q[j] = vi_and(both, low);
            q[4 + j] = vi_and(vi_right(both, 4), low);
        }
        cell += 256;
    }
    if (type == IQ4_NL || type == MXFP4) {
        for (int j = 0; j < 8; j++) {
            q[j] = type == IQ4_NL ? iq4nl(q[j]) : mxfp4(q[j]);
        }
    }
    if (type == Q2_K || type == Q3_K) {
        const VI mask = vi_bytes(3);
        for (int p = 0; p < 2; p++) {
            VI pairs = vi_load(cell + 64 * p);
            q[4 * p] = vi_and(pairs, mask);
            q[4 * p + 1] = vi_and(vi_right(pairs, 2), mask);
            q[4 * p + 2] = vi_and(vi_right(pairs, 4), mask);
            q[4 * p + 3] = vi_and(vi_right(pairs, 6), mask);
        }
        cell += 128;
    }
    if (type == Q6_K) {
        const VI mask = vi_bytes(0x30);
        for (int p = 0; p < 2; p++) {
            VI pairs = vi_load(cell + 64 * p);
            q[4 * p] = vi_or(q[4 * p], vi_and(vi_left(pairs, 4), mask));
            q[4 * p + 1] = vi_or(q[4 * p + 1], vi_and(vi_left(pairs, 2), mask));
            q[4 * p + 2] = vi_or(q[4 * p + 2], vi_and(pairs, mask));
            q[4 * p + 3] = vi_or(q[4 * p + 3], vi_and(vi_right(pairs, 2), mask));
        }
    }
    if (type == Q5_0 || type == Q5_1 || type == Q5_K) {
        const VI mask = vi_bytes(0x10);
        VI bits = vi_load(cell);
        q[0] = vi_or(q[0], vi_and(vi_left(bits, 4), mask));
        q[1] = vi_or(q[1], vi_and(vi_left(bits, 3), mask));
        q[2] = vi_or(q[2], vi_and(vi_left(bits, 2), mask));
        q[3] = vi_or(q[3], vi_and(vi_left(bits, 1), mask));
        q[4] = vi_or(q[4], vi_and(bits, mask));
        q[5] = vi_or(q[5], vi_and(vi_right(bits, 1), mask));
        q[6] = vi_or(q[6], vi_and(vi_right(bits, 2), mask));
        q[7] = vi_or(q[7], vi_and(vi_right(bits, 3), mask));
    }
    if (type == Q3_K) {
        const VI mask = vi_bytes(4);
        VI bits = vi_load(cell);
        q[0] = vi_or(q[0], vi_and(vi_left(bits, 2), mask));
        q[1] = vi_or(q[1], vi_and(vi_left(bits, 1), mask));
        q[2] = vi_or(q[2], vi_and(bits, mask));
        q[3] = vi_or(q[3], vi_and(vi_right(bits, 1), mask));
        q[4] = vi_or(q[4], vi_and(vi_right(bits, 2), mask));
        q[5] = vi_or(q[5], vi_and(vi_right(bits, 3), mask));
        q[6] = vi_or(q[6], vi_and(vi_right(bits, 4), mask));
        q[7] = vi_or(q[7], vi_and(vi_right(bits, 5), mask));
    }
}

/* Scales and minimums of a unit: for each cell, one or two of each. Minimums are what is added. */
typedef struct {
    VF scale[16];
    VF minimum[16];
} Head;

/*
 * Reads a head.
 *
 * half: which half of the rows, if lanes are of half a group
 */
INLINE void head(int type, const uint8_t *at, int half, Head *h)
{
    const int row = half * LANES;
    const uint8_t *bytes = at + (has_minimum(type) ? 4 : 2) * GROUP + row;
    if (type == MXFP4) {
        VI e = vi_unsigned(at + row);
        VI large = vi_shift32(vi_add(e, vi_all(-1)), 23);
        h->scale[0] = vf_of_bits(vi_choose_less(e, vi_all(2), vi_shift32_by(vi_all(0x00200000), e), large));
        return;
    }
    const VF d = vf_halves(at + 2 * row);
    const VF m = has_minimum(type) ? vf_halves(at + 2 * GROUP + 2 * row) : vf_zero();
    if (unit_cells(type) == 1) {
        h->scale[0] = d;
        h->minimum[0] = m;
        return;
    }
    if (type == Q2_K) {
        for (int p = 0; p < 16; p++) {
            VI both = vi_unsigned(bytes + GROUP * p);
            h->scale[p] = vf_mul(d, vf_of(vi_and(both, vi_all(15))));
            h->minimum[p] = vf_neg(vf_mul(m, vf_of(vi_right(both, 4))));
        }
    } else if (type == Q6_K) {
        for (int p = 0; p < 16; p++) {
            h->scale[p] = vf_mul(d, vf_of(vi_signed(bytes + GROUP * p)));
        }
    } else if (type == Q3_K) {
        for (int p = 0; p < 4; p++) {
            VI high = vi_unsigned(bytes + GROUP * (8 + p));
            for (int k = 0; k < 4; k++) {
                VI low = vi_unsigned(bytes + GROUP * (p + 4 * (k % 2)));
                low = k < 2 ? vi_and(low, vi_all(15)) : vi_right(low, 4);
                VI top = k == 0 ? vi_left(high, 4) : k == 1 ? vi_left(high, 2) : k == 2 ? high : vi_right(high, 2);
                VI value = vi_add(vi_or(low, vi_and(top, vi_all(0x30))), vi_all(-32));
                h->scale[p + 4 * k] = vf_mul(d, vf_of(value));
            }
        }
    } else {
        for (int p = 0; p < 4; p++) {
            VI a = vi_unsigned(bytes + GROUP * p);
            VI b = vi_unsigned(bytes + GROUP * (p + 4));
            VI c = vi_unsigned(bytes + GROUP * (p + 8));
            VI six = vi_all(63);
            VI two = vi_all(0x30);
            h->scale[p] = vf_mul(d, vf_of(vi_and(a, six)));
            h->minimum[p] = vf_neg(vf_mul(m, vf_of(vi_and(b, six))));
            h->scale[p + 4] = vf_mul(d, vf_of(vi_or(vi_and(c, vi_all(15)), vi_and(vi_right(a, 2), two))));
            h->minimum[p + 4] = vf_neg(vf_mul(m, vf_of(vi_or(vi_right(c, 4), vi_and(vi_right(b, 2), two)))));
        }
    }
}

/* A sum of products of codes with 4 * planes bytes of x, added to a start. */
INLINE VI dot(int type, const VI *q, int planes, const int8_t *x, VI start)
{
    (void) type;
#if defined(__AVX512VNNI__)
    VI other = _mm512_setzero_si512();
    for (int j = 0; j < planes; j += 2) {
        start = _mm512_dpbusd_epi32(start, q[j], vi_all(load32(x + 4 * j)));
        other = _mm512_dpbusd_epi32(other, q[j + 1], vi_all(load32(x + 4 * j + 4)));
    }
    return vi_add(start, other);
#elif defined(__AVX2__)
    /* How many sums of two products fit into 16 bits: 15 * 127 * 2 for each plane of nibbles, and so on. */
    const int fit = SIGNED_CODES(type) ? 1 : type == Q6_K ? 2 : type == Q5_0 || type == Q5_1 || type == Q5_K || type == MXFP4 ? 4 : 8;
    const VI ones = _mm256_set1_epi16(1);
    for (int j = 0; j < planes; j += fit) {
        VI sum = _mm256_setzero_si256();
        for (int k = j; k < j + fit && k < planes; k++) {
            VI bytes = vi_all(load32(x + 4 * k));
            VI pair = SIGNED_CODES(type) ? _mm256_maddubs_epi16(_mm256_abs_epi8(q[k]), _mm256_sign_epi8(bytes, q[k]))
                                         : _mm256_maddubs_epi16(q[k], bytes);
            sum = k == j ? pair : _mm256_add_epi16(sum, pair);
        }
        start = vi_add(start, _mm256_madd_epi16(sum, ones));
    }
    return start;
#else
    for (int j = 0; j < planes; j++) {
        uint8_t bytes[32];
        memcpy(bytes, &q[j], 32);
        for (int lane = 0; lane < 8; lane++) {
            for (int i = 0; i < 4; i++) {
                start[lane] += bytes[4 * lane + i] * x[4 * j + i];
            }
        }
    }
    return start;
#endif
}

#endif
