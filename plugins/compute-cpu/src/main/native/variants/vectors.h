/* Vectors with a lane for each row of a group of 16, or of half of one. Without VNNI a pair of products is added in 16 bits first. */
#ifndef MANIPLE_VECTORS_H
#define MANIPLE_VECTORS_H

#include "maniple.h"

#if defined(__AVX512F__)

#include <immintrin.h>
#define LANES 16
typedef __m512i VI;
typedef __m512 VF;
INLINE VI vi_load(const void *p) { return _mm512_loadu_si512(p); }
INLINE VI vi_all(int32_t a) { return _mm512_set1_epi32(a); }
INLINE VI vi_bytes(int a) { return _mm512_set1_epi8((char) a); }
INLINE VI vi_and(VI a, VI b) { return _mm512_and_si512(a, b); }
INLINE VI vi_or(VI a, VI b) { return _mm512_or_si512(a, b); }
INLINE VI vi_xor(VI a, VI b) { return _mm512_xor_si512(a, b); }
INLINE VI vi_sub8(VI a, VI b) { return _mm512_sub_epi8(a, b); }
INLINE VI vi_add(VI a, VI b) { return _mm512_add_epi32(a, b); }
#define vi_right(a, n) _mm512_srli_epi16(a, n)
#define vi_left(a, n) _mm512_slli_epi16(a, n)
INLINE VI vi_table(__m128i table, VI index) { return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), index); }
INLINE VF vf_zero(void) { return _mm512_setzero_ps(); }
INLINE VF vf_all(float a) { return _mm512_set1_ps(a); }
INLINE VF vf_load(const void *p) { return _mm512_loadu_ps(p); }
INLINE void vf_store(void *p, VF a) { _mm512_storeu_ps(p, a); }
INLINE VF vf_of(VI a) { return _mm512_cvtepi32_ps(a); }
INLINE VF vf_mul(VF a, VF b) { return _mm512_mul_ps(a, b); }
INLINE VF vf_add(VF a, VF b) { return _mm512_add_ps(a, b); }
INLINE VF vf_neg(VF a) { return _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(a), _mm512_set1_epi32(INT32_MIN))); }
INLINE VF vf_fma(VF a, VF b, VF c) { return _mm512_fmadd_ps(a, b, c); }
/* A half, a byte, a signed byte for each lane. */
INLINE VF vf_halves(const void *p) { return _mm512_cvtph_ps(_mm256_loadu_si256(p)); }
INLINE VI vi_unsigned(const void *p) { return _mm512_cvtepu8_epi32(_mm_loadu_si128(p)); }
INLINE VI vi_signed(const void *p) { return _mm512_cvtepi8_epi32(_mm_loadu_si128(p)); }
#define vi_shift32(a, n) _mm512_slli_epi32(a, n)
INLINE VI vi_shift32_by(VI a, VI n) { return _mm512_sllv_epi32(a, n); }
INLINE VI vi_choose_less(VI a, VI b, VI yes, VI no) { return _mm512_mask_mov_epi32(no, _mm512_cmplt_epi32_mask(a, b), yes); }
INLINE VF vf_of_bits(VI a) { return _mm512_castsi512_ps(a); }
INLINE void vf_store_some(float *p, VF a, int count)
{
    _mm512_mask_storeu_ps(p, count >= 16 ? 0xffff : (__mmask16) ((1u << count) - 1), a);
}

#elif defined(__AVX2__)

#include <immintrin.h>
#define LANES 8
typedef __m256i VI;
typedef __m256 VF;
INLINE VI vi_load(const void *p) { return _mm256_loadu_si256(p); }
INLINE VI vi_all(int32_t a) { return _mm256_set1_epi32(a); }
INLINE VI vi_bytes(int a) { return _mm256_set1_epi8((char) a); }
INLINE VI vi_and(VI a, VI b) { return _mm256_and_si256(a, b); }
INLINE VI vi_or(VI a, VI b) { return _mm256_or_si256(a, b); }
INLINE VI vi_xor(VI a, VI b) { return _mm256_xor_si256(a, b); }
INLINE VI vi_sub8(VI a, VI b) { return _mm256_sub_epi8(a, b); }
INLINE VI vi_add(VI a, VI b) { return _mm256_add_epi32(a, b); }
#define vi_right(a, n) _mm256_srli_epi16(a, n)
#define vi_left(a, n) _mm256_slli_epi16(a, n)
INLINE VI vi_table(__m128i table, VI index) { return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(table), index); }
INLINE VF vf_zero(void) { return _mm256_setzero_ps(); }
INLINE VF vf_all(float a) { return _mm256_set1_ps(a); }
INLINE VF vf_load(const void *p) { return _mm256_loadu_ps(p); }
INLINE void vf_store(void *p, VF a) { _mm256_storeu_ps(p, a); }
INLINE VF vf_of(VI a) { return _mm256_cvtepi32_ps(a); }
INLINE VF vf_mul(VF a, VF b) { return _mm256_mul_ps(a, b); }
INLINE VF vf_add(VF a, VF b) { return _mm256_add_ps(a, b); }
INLINE VF vf_neg(VF a) { return _mm256_xor_ps(a, _mm256_set1_ps(-0.0f)); }
INLINE VF vf_fma(VF a, VF b, VF c) { return _mm256_fmadd_ps(a, b, c); }
INLINE VF vf_halves(const void *p) { return _mm256_cvtph_ps(_mm_loadu_si128(p)); }
INLINE VI vi_unsigned(const void *p) { return _mm256_cvtepu8_epi32(_mm_loadl_epi64(p)); }
INLINE VI vi_signed(const void *p) { return _mm256_cvtepi8_epi32(_mm_loadl_epi64(p)); }
#define vi_shift32(a, n) _mm256_slli_epi32(a, n)
INLINE VI vi_shift32_by(VI a, VI n) { return _mm256_sllv_epi32(a, n); }
INLINE VI vi_choose_less(VI a, VI b, VI yes, VI no) { return _mm256_blendv_epi8(no, yes, _mm256_cmpgt_epi32(b, a)); }
INLINE VF vf_of_bits(VI a) { return _mm256_castsi256_ps(a); }
INLINE void vf_store_some(float *p, VF a, int count)
{
    if (count >= 8) {
        _mm256_storeu_ps(p, a);
    } else if (count > 0) {
        const VI lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        _mm256_maskstore_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane), a);
    }
}

#else

/* Plain C with the compiler's vectors. */
#include <math.h>
#include <string.h>
#define LANES 8
typedef int32_t VI __attribute__((vector_size(32), aligned(4)));
typedef float VF __attribute__((vector_size(32), aligned(4)));
typedef uint8_t VB __attribute__((vector_size(32), aligned(4)));
typedef uint16_t VS __attribute__((vector_size(32), aligned(4)));
INLINE VI vi_load(const void *p) { VI a; memcpy(&a, p, 32); return a; }
INLINE VI vi_all(int32_t a) { return (VI){a, a, a, a, a, a, a, a}; }
INLINE VI vi_bytes(int a) { return vi_all((int32_t) (0x01010101u * (uint8_t) a)); }
INLINE VI vi_and(VI a, VI b) { return a & b; }
INLINE VI vi_or(VI a, VI b) { return a | b; }
INLINE VI vi_xor(VI a, VI b) { return a ^ b; }
INLINE VI vi_sub8(VI a, VI b) { return (VI) ((VB) a - (VB) b); }
INLINE VI vi_add(VI a, VI b) { return a + b; }
#define vi_right(a, n) ((VI) ((VS) (a) >> (n)))
#define vi_left(a, n) ((VI) ((VS) (a) << (n)))
typedef struct { int8_t value[16]; } Table;
INLINE VI vi_table(const int8_t *table, VI index)
{
    int8_t bytes[32];
    memcpy(bytes, &index, 32);
    for (int i = 0; i < 32; i++) {
        bytes[i] = table[bytes[i]];
    }
    return vi_load(bytes);
}
INLINE VF vf_zero(void) { return (VF){0}; }
INLINE VF vf_all(float a) { return (VF){a, a, a, a, a, a, a, a}; }
INLINE VF vf_load(const void *p) { VF a; memcpy(&a, p, 32); return a; }
INLINE void vf_store(void *p, VF a) { memcpy(p, &a, 32); }
INLINE VF vf_of(VI a) { return __builtin_convertvector(a, VF); }
INLINE VF vf_mul(VF a, VF b) { return a * b; }
INLINE VF vf_add(VF a, VF b) { return a + b; }
INLINE VF vf_neg(VF a) { return -a; }
INLINE VF vf_fma(VF a, VF b, VF c)
{
    VF r;
    for (int i = 0; i < 8; i++) {
        r[i] = fmaf(a[i], b[i], c[i]);
    }
    return r;
}
INLINE VF vf_halves(const void *p)
{
    __fp16 h[8];
    memcpy(h, p, 16);
    VF r;
    for (int i = 0; i < 8; i++) {
        r[i] = (float) h[i];
    }
    return r;
}
INLINE VI vi_unsigned(const void *p)
{
    const uint8_t *b = p;
    return (VI){b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]};
}
INLINE VI vi_signed(const void *p)
{
    const int8_t *b = p;
    return (VI){b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]};
}
#define vi_shift32(a, n) ((a) << (n))
INLINE VI vi_shift32_by(VI a, VI n) { return a << n; }
INLINE VI vi_choose_less(VI a, VI b, VI yes, VI no) { return ((a < b) & yes) | (~(a < b) & no); }
INLINE VF vf_of_bits(VI a) { return (VF) a; }
INLINE void vf_store_some(float *p, VF a, int count)
{
    for (int i = 0; i < 8 && i < count; i++) {
        p[i] = a[i];
    }
}

#endif

INLINE int32_t load32(const void *p)
{
    int32_t a;
    __builtin_memcpy(&a, p, 4);
    return a;
}

#endif
