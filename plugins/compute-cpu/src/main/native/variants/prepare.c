/*
 * Activations as bytes.
 * VARIANTS: avx2 avx512vnni neon dotprod
 *
 * Each 32 elements of a row as it is held have a scale of their greatest absolute value / 127, and codes x * (1 / scale), rounded to the nearest, of two
 * the even one. Scales that are not normal numbers count as 0, and what is not a number makes the scale none.
 */
#include "activations.h"

#include <string.h>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

/* What is added to a float for its fraction to be rounded away. */
#define ROUND 0x1.8p23f

#if defined(__AVX512F__)
static void block(const float *x, uint8_t *out, int64_t b, Activations a)
{
    const __m512i size = _mm512_set1_epi32(0x7fffffff);
    const __m512 low = _mm512_loadu_ps(x);
    const __m512 high = _mm512_loadu_ps(x + 16);
    const int32_t most = _mm512_reduce_max_epi32(_mm512_max_epi32(_mm512_and_si512(_mm512_castps_si512(low), size),
                                                                  _mm512_and_si512(_mm512_castps_si512(high), size)));
    float greatest;
    memcpy(&greatest, &most, 4);
    float scale = greatest / 127;
    if (scale < 0x1p-126f) {
        scale = 0;
    }
    const __m512 inverse = _mm512_set1_ps(scale == 0 ? 0 : 1 / scale);
    const __m512 round = _mm512_set1_ps(ROUND);
    const __m128i first = _mm512_cvtepi32_epi8(_mm512_castps_si512(_mm512_add_ps(_mm512_mul_ps(low, inverse), round)));
    const __m128i second = _mm512_cvtepi32_epi8(_mm512_castps_si512(_mm512_add_ps(_mm512_mul_ps(high, inverse), round)));
    _mm256_storeu_si256((__m256i *) (out + 32 * b), _mm256_set_m128i(second, first));
    /* Sums of eight bytes each, of bytes that are 128 too great. */
    const __m256i unsigned_codes = _mm256_xor_si256(_mm256_set_m128i(second, first), _mm256_set1_epi8((char) 0x80));
    const __m256i sums = _mm256_sad_epu8(unsigned_codes, _mm256_setzero_si256());
    const __m128i lower = _mm256_castsi256_si128(sums);
    const __m128i upper = _mm256_extracti128_si256(sums, 1);
    const int32_t halves[2] = {_mm_cvtsi128_si32(lower) + _mm_extract_epi32(lower, 2) - 16 * 128,
                               _mm_cvtsi128_si32(upper) + _mm_extract_epi32(upper, 2) - 16 * 128};
    const int32_t sum = halves[0] + halves[1];
    memcpy(out + a.scales + 4 * b, &scale, 4);
    memcpy(out + a.sums + 4 * b, &sum, 4);
    memcpy(out + a.halves + 8 * b, halves, 8);
}
#else
static void block(const float *x, uint8_t *out, int64_t b, Activations a)
{
    int32_t bits[32];
    int32_t most = 0;
    memcpy(bits, x, sizeof bits);
    for (int i = 0; i < 32; i++) {
        int32_t size = bits[i] & 0x7fffffff;
        most = size > most ? size : most;
    }
    float greatest;
    memcpy(&greatest, &most, 4);
    float scale = greatest / 127;
    if (scale < 0x1p-126f) {
        scale = 0;
    }
    const float inverse = scale == 0 ? 0 : 1 / scale;
    int8_t *codes = (int8_t *) out + 32 * b;
    int32_t halves[2];
    for (int half = 0; half < 2; half++) {
        int32_t rounded[16];
        int32_t sum = 0;
        for (int i = 0; i < 16; i++) {
            /* The fraction of what is this large is the number itself. */
            float large = x[16 * half + i] * inverse + ROUND;
            int32_t value;
            memcpy(&value, &large, 4);
            rounded[i] = (int8_t) value;
            sum += rounded[i];
        }
        for (int i = 0; i < 16; i++) {
            codes[16 * half + i] = (int8_t) rounded[i];
        }
        halves[half] = sum;
    }
    const int32_t sum = halves[0] + halves[1];
    memcpy(out + a.scales + 4 * b, &scale, 4);
    memcpy(out + a.sums + 4 * b, &sum, 4);
    memcpy(out + a.halves + 8 * b, halves, 8);
}
#endif

/*
 * Prepares the rows from <= row < to.
 *
 * x: floats, rows of columns elements; held: elements of a row as the weights hold it; runs: for each run of own elements the first held one, the first
 * own one, and their number; count: how many, or 0 if all are own; out: row 0 of the prepared rows, of stride bytes each
 */
EXPORT void NAME(maniple_prepare)(const float *x, int64_t columns, int64_t held, const int32_t *runs, int64_t count, int64_t from, int64_t to,
                                  uint8_t *out, int64_t stride)
{
    const int64_t blocks = held / 32;
    for (int64_t row = from; row < to; row++) {
        const float *own = x + row * columns;
        const Activations a = activations(out + row * stride, stride, blocks);
        int64_t run = 0;
        for (int64_t b = 0; b < blocks; b++) {
            if (count == 0) {
                block(own + 32 * b, out + row * stride, b, a);
                continue;
            }
            float elements[32] = {0};
            while (run < count && runs[3 * run] + runs[3 * run + 2] <= 32 * b) {
                run++;
            }
            for (int64_t r = run; r < count && runs[3 * r] < 32 * (b + 1); r++) {
                const int64_t begin = runs[3 * r] > 32 * b ? runs[3 * r] : 32 * b;
                const int64_t stop = runs[3 * r] + runs[3 * r + 2] < 32 * (b + 1) ? runs[3 * r] + runs[3 * r + 2] : 32 * (b + 1);
                memcpy(elements + (begin - 32 * b), own + runs[3 * r + 1] + (begin - runs[3 * r]), 4 * (size_t) (stop - begin));
            }
            block(elements, out + row * stride, b, a);
        }
    }
}
