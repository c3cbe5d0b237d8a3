/*
 * Sixteen floats, as wide as the instruction set allows. Every sum of the engine has sixteen partial sums that are folded along one tree
 * (class Lanes), so that this type gives the same bits on every instruction set, and those of the Java kernels.
 */
#ifndef MANIPLE_F32X16_H
#define MANIPLE_F32X16_H

#include <stdint.h>

#if defined(__AVX512F__)
#include <immintrin.h>

typedef __m512 f32x16;

static inline f32x16 x16_zero(void) { return _mm512_setzero_ps(); }
static inline f32x16 x16_all(float value) { return _mm512_set1_ps(value); }
static inline f32x16 x16_load(const float *from) { return _mm512_loadu_ps(from); }
static inline void x16_store(float *to, f32x16 a) { _mm512_storeu_ps(to, a); }
/* Sixteen bf16, or signed bytes, as floats. */
static inline f32x16 x16_of_bf16(const uint16_t *from)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *) from)), 16));
}
static inline f32x16 x16_of_bytes(const int8_t *from)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *) from)));
}
static inline f32x16 x16_add(f32x16 a, f32x16 b) { return _mm512_add_ps(a, b); }
static inline f32x16 x16_sub(f32x16 a, f32x16 b) { return _mm512_sub_ps(a, b); }
static inline f32x16 x16_mul(f32x16 a, f32x16 b) { return _mm512_mul_ps(a, b); }
static inline f32x16 x16_div(f32x16 a, f32x16 b) { return _mm512_div_ps(a, b); }
static inline f32x16 x16_fma(f32x16 a, f32x16 b, f32x16 c) { return _mm512_fmadd_ps(a, b, c); }
/* The second operand is what a comparison with NaN gives, so that a NaN in it stays. */
static inline f32x16 x16_min(f32x16 bound, f32x16 a) { return _mm512_min_ps(bound, a); }
static inline f32x16 x16_max(f32x16 bound, f32x16 a) { return _mm512_max_ps(bound, a); }

/* 2^n, where n stands in the low bits of floats above 1.5 * 2^23; in two factors. */
static inline f32x16 x16_times_power(f32x16 p, f32x16 shifted)
{
    __m512i exponent = _mm512_sub_epi32(_mm512_castps_si512(shifted), _mm512_set1_epi32(0x4b400000));
    __m512i half = _mm512_srai_epi32(exponent, 1);
    __m512i rest = _mm512_sub_epi32(exponent, half);
    __m512i bias = _mm512_set1_epi32(127);
    p = _mm512_mul_ps(p, _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(half, bias), 23)));
    return _mm512_mul_ps(p, _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(rest, bias), 23)));
}

static inline float x16_greatest(f32x16 a) { return _mm512_reduce_max_ps(a); }

/* The sums of four. */
static inline void x16_fold4(f32x16 a, f32x16 b, f32x16 c, f32x16 d, float *to)
{
    __m512 ab = _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
    __m512 cd = _mm512_add_ps(_mm512_shuffle_f32x4(c, d, 0x44), _mm512_shuffle_f32x4(c, d, 0xee));
    __m512 all = _mm512_add_ps(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xdd));
    all = _mm512_add_ps(all, _mm512_permute_ps(all, 0x4e));
    all = _mm512_add_ps(all, _mm512_permute_ps(all, 0xb1));
    __m512i first = _mm512_castsi128_si512(_mm_setr_epi32(0, 4, 8, 12));
    _mm_storeu_ps(to, _mm512_castps512_ps128(_mm512_permutexvar_ps(first, all)));
}

#elif defined(__AVX2__)
#include <immintrin.h>

typedef struct {
    __m256 low;
    __m256 high;
} f32x16;

#define X16(l, h) ((f32x16) {(l), (h)})

static inline f32x16 x16_zero(void) { return X16(_mm256_setzero_ps(), _mm256_setzero_ps()); }
static inline f32x16 x16_all(float value) { return X16(_mm256_set1_ps(value), _mm256_set1_ps(value)); }
static inline f32x16 x16_load(const float *from) { return X16(_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)); }
static inline void x16_store(float *to, f32x16 a)
{
    _mm256_storeu_ps(to, a.low);
    _mm256_storeu_ps(to + 8, a.high);
}
static inline f32x16 x16_of_bf16(const uint16_t *from)
{
    return X16(_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *) from)), 16)),
        _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *) (from + 8))), 16)));
}
static inline f32x16 x16_of_bytes(const int8_t *from)
{
    return X16(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *) from))),
        _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *) (from + 8)))));
}
static inline f32x16 x16_add(f32x16 a, f32x16 b) { return X16(_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)); }
static inline f32x16 x16_sub(f32x16 a, f32x16 b) { return X16(_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)); }
static inline f32x16 x16_mul(f32x16 a, f32x16 b) { return X16(_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)); }
static inline f32x16 x16_div(f32x16 a, f32x16 b) { return X16(_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)); }
static inline f32x16 x16_fma(f32x16 a, f32x16 b, f32x16 c)
{
    return X16(_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high));
}
static inline f32x16 x16_min(f32x16 bound, f32x16 a)
{
    return X16(_mm256_min_ps(bound.low, a.low), _mm256_min_ps(bound.high, a.high));
}
static inline f32x16 x16_max(f32x16 bound, f32x16 a)
{
    return X16(_mm256_max_ps(bound.low, a.low), _mm256_max_ps(bound.high, a.high));
}

static inline __m256 x8_times_power(__m256 p, __m256 shifted)
{
    __m256i exponent = _mm256_sub_epi32(_mm256_castps_si256(shifted), _mm256_set1_epi32(0x4b400000));
    __m256i half = _mm256_srai_epi32(exponent, 1);
    __m256i rest = _mm256_sub_epi32(exponent, half);
    __m256i bias = _mm256_set1_epi32(127);
    p = _mm256_mul_ps(p, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23)));
    return _mm256_mul_ps(p, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23)));
}

static inline f32x16 x16_times_power(f32x16 p, f32x16 shifted)
{
    return X16(x8_times_power(p.low, shifted.low), x8_times_power(p.high, shifted.high));
}

static inline float x16_greatest(f32x16 a)
{
    __m256 m = _mm256_max_ps(a.low, a.high);
    __m128 q = _mm_max_ps(_mm256_castps256_ps128(m), _mm256_extractf128_ps(m, 1));
    q = _mm_max_ps(q, _mm_permute_ps(q, 0x4e));
    return _mm_cvtss_f32(_mm_max_ps(q, _mm_permute_ps(q, 0xb1)));
}

static inline void x16_fold4(f32x16 a, f32x16 b, f32x16 c, f32x16 d, float *to)
{
    __m256 a8 = _mm256_add_ps(a.low, a.high);
    __m256 b8 = _mm256_add_ps(b.low, b.high);
    __m256 c8 = _mm256_add_ps(c.low, c.high);
    __m256 d8 = _mm256_add_ps(d.low, d.high);
    __m256 ac = _mm256_add_ps(_mm256_permute2f128_ps(a8, c8, 0x20), _mm256_permute2f128_ps(a8, c8, 0x31));
    __m256 bd = _mm256_add_ps(_mm256_permute2f128_ps(b8, d8, 0x20), _mm256_permute2f128_ps(b8, d8, 0x31));
    /* Lanes of the lower half: a0+a2, a1+a3, b0+b2, b1+b3; of the upper one those of c and d. */
    __m256 two = _mm256_add_ps(_mm256_shuffle_ps(ac, bd, 0x44), _mm256_shuffle_ps(ac, bd, 0xee));
    __m256 one = _mm256_add_ps(two, _mm256_permute_ps(two, 0xb1));
    __m128 ab = _mm256_castps256_ps128(one);
    _mm_storeu_ps(to, _mm_shuffle_ps(ab, _mm256_extractf128_ps(one, 1), 0x88));
}

#else
/* Any other processor: loops over sixteen elements, which the compiler makes vectors of. */
#include <string.h>

typedef struct {
    float e[16];
} f32x16;

#define X16_EACH(expression) \
    f32x16 r; \
    for (int i = 0; i < 16; i++) { \
        r.e[i] = (expression); \
    } \
    return r

static inline f32x16 x16_zero(void) { X16_EACH(0.0f); }
static inline f32x16 x16_all(float value) { X16_EACH(value); }
static inline f32x16 x16_load(const float *from)
{
    f32x16 r;
    memcpy(r.e, from, sizeof r.e);
    return r;
}
static inline void x16_store(float *to, f32x16 a) { memcpy(to, a.e, sizeof a.e); }
static inline f32x16 x16_of_bf16(const uint16_t *from)
{
    f32x16 r;
    for (int i = 0; i < 16; i++) {
        uint32_t bits = (uint32_t) from[i] << 16;
        memcpy(&r.e[i], &bits, 4);
    }
    return r;
}
static inline f32x16 x16_of_bytes(const int8_t *from) { X16_EACH((float) from[i]); }
static inline f32x16 x16_add(f32x16 a, f32x16 b) { X16_EACH(a.e[i] + b.e[i]); }
static inline f32x16 x16_sub(f32x16 a, f32x16 b) { X16_EACH(a.e[i] - b.e[i]); }
static inline f32x16 x16_mul(f32x16 a, f32x16 b) { X16_EACH(a.e[i] * b.e[i]); }
static inline f32x16 x16_div(f32x16 a, f32x16 b) { X16_EACH(a.e[i] / b.e[i]); }
static inline f32x16 x16_fma(f32x16 a, f32x16 b, f32x16 c) { X16_EACH(__builtin_fmaf(a.e[i], b.e[i], c.e[i])); }
static inline f32x16 x16_min(f32x16 bound, f32x16 a) { X16_EACH(bound.e[i] < a.e[i] ? bound.e[i] : a.e[i]); }
static inline f32x16 x16_max(f32x16 bound, f32x16 a) { X16_EACH(bound.e[i] > a.e[i] ? bound.e[i] : a.e[i]); }

static inline f32x16 x16_times_power(f32x16 p, f32x16 shifted)
{
    for (int i = 0; i < 16; i++) {
        int32_t exponent;
        memcpy(&exponent, &shifted.e[i], 4);
        exponent -= 0x4b400000;
        int32_t half = exponent >> 1;
        int32_t bits[2] = {(half + 127) * (1 << 23), (exponent - half + 127) * (1 << 23)};
        float powers[2];
        memcpy(powers, bits, 8);
        p.e[i] = p.e[i] * powers[0] * powers[1];
    }
    return p;
}

static inline float x16_greatest(f32x16 a)
{
    float greatest = a.e[0];
    for (int i = 1; i < 16; i++) {
        greatest = greatest > a.e[i] ? greatest : a.e[i];
    }
    return greatest;
}

static inline float x16_fold1(f32x16 a)
{
    for (int step = 8; step > 0; step >>= 1) {
        for (int i = 0; i < step; i++) {
            a.e[i] = a.e[i] + a.e[i + step];
        }
    }
    return a.e[0];
}

static inline void x16_fold4(f32x16 a, f32x16 b, f32x16 c, f32x16 d, float *to)
{
    to[0] = x16_fold1(a);
    to[1] = x16_fold1(b);
    to[2] = x16_fold1(c);
    to[3] = x16_fold1(d);
}
#endif

static inline float x16_fold(f32x16 a)
{
    float sums[4];
    x16_fold4(a, a, a, a, sums);
    return sums[0];
}

/* e^x: the polynomial of class Functions, step by step. */
static inline f32x16 x16_exp(f32x16 a)
{
    f32x16 x = x16_max(x16_all(-105.0f), x16_min(x16_all(89.0f), a));
    f32x16 rounding = x16_all(0x1.8p23f);
    f32x16 shifted = x16_fma(x, x16_all(1.44269504f), rounding);
    f32x16 n = x16_sub(shifted, rounding);
    f32x16 r = x16_fma(n, x16_all(-0.693359375f), x);
    r = x16_fma(n, x16_all(2.12194440e-4f), r);
    f32x16 p = x16_fma(r, x16_all(1.0f / 5040), x16_all(1.0f / 720));
    p = x16_fma(p, r, x16_all(1.0f / 120));
    p = x16_fma(p, r, x16_all(1.0f / 24));
    p = x16_fma(p, r, x16_all(1.0f / 6));
    p = x16_fma(p, r, x16_all(0.5f));
    p = x16_fma(p, r, x16_all(1.0f));
    p = x16_fma(p, r, x16_all(1.0f));
    return x16_times_power(p, shifted);
}

#endif
