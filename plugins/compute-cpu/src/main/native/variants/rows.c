/* VARIANTS: avx2 avx512vnni neon */
/*
 * What lies between products, row by row: norms, functions of single elements, rotations, candidates. The Java kernels of the same names say
 * what they compute; every sum and every function is formed in their order, so that bits are the same.
 */
#include <math.h>
#include <string.h>

#include "f32x16.h"
#include "maniple.h"

#define LEVELS 16
/* Logits whose exponentials are summed in single precision. */
#define BLOCK 1024

static float sum_of_squares(const float *x, int32_t count)
{
    f32x16 sums = x16_zero();
    int32_t i = 0;
    for (; i + 16 <= count; i += 16) {
        f32x16 v = x16_load(x + i);
        sums = x16_fma(v, v, sums);
    }
    float sum = x16_fold(sums);
    if (i < count) {
        float rest = 0;
        for (; i < count; i++) {
            rest = __builtin_fmaf(x[i], x[i], rest);
        }
        sum += rest;
    }
    return sum;
}

/* The leaves of a sum are added along a binary tree (class Leaves). */
static float squares_by_leaves(const float *x, const int32_t *ends, int32_t leaves)
{
    float levels[LEVELS + 1];
    float total = 0;
    int32_t start = 0;
    for (int32_t leaf = 0; leaf < leaves; leaf++) {
        int at = 0;
        total = sum_of_squares(x + start, ends[leaf] - start);
        for (int32_t rest = leaf; rest & 1; rest >>= 1) {
            total = levels[at++] + total;
        }
        levels[at] = total;
        start = ends[leaf];
    }
    return total;
}

/* Sums of squares of groups, if there are leaves; and the groups scaled by them, if there is a weight. */
EXPORT void NAME(norm)(const float *x, float *squares, const int32_t *ends, int32_t leaves, const float *weight, float *out, int64_t groups,
    int32_t length, int32_t count, float epsilon)
{
    for (int64_t group = 0; group < groups; group++) {
        const float *from = x + group * length;
        if (leaves > 0) {
            squares[group] = squares_by_leaves(from, ends, leaves);
        }
        if (weight == NULL) {
            continue;
        }
        float mean = squares[group] / (float) count + epsilon;
        float factor = (float) (1 / sqrt((double) mean));
        f32x16 factors = x16_all(factor);
        float *to = out + group * length;
        int32_t i = 0;
        for (; i + 16 <= length; i += 16) {
            x16_store(to + i, x16_mul(x16_mul(x16_load(from + i), factors), x16_load(weight + i)));
        }
        for (; i < length; i++) {
            to[i] = from[i] * factor * weight[i];
        }
    }
}

enum { ADD, SCALE, GLU_SILU, GLU_GELU_TANH, GLU_RELU, SILU, GELU_TANH, RELU, CLAMPED_GLU, CLAMP };

INLINE f32x16 silu(f32x16 a)
{
    return x16_div(a, x16_add(x16_exp(x16_mul(a, x16_all(-1.0f))), x16_all(1.0f)));
}

INLINE f32x16 gelu_tanh(f32x16 a)
{
    f32x16 first = x16_all((float) (-2 * sqrt(2 / 3.14159265358979323846)));
    f32x16 third = x16_all((float) (-2 * sqrt(2 / 3.14159265358979323846) * 0.044715));
    f32x16 e = x16_exp(x16_mul(x16_fma(x16_mul(a, a), third, first), a));
    return x16_div(a, x16_add(e, x16_all(1.0f)));
}

/* The sum makes a negative zero positive, as Java's max does. */
INLINE f32x16 relu(f32x16 a)
{
    return x16_add(x16_max(x16_zero(), a), x16_zero());
}

INLINE f32x16 one(const int function, f32x16 a, f32x16 b, float p, float q)
{
    switch (function) {
    case ADD: return x16_add(a, b);
    case SCALE: return x16_mul(a, x16_all(p));
    case GLU_SILU: return x16_mul(silu(a), b);
    case GLU_GELU_TANH: return x16_mul(gelu_tanh(a), b);
    case GLU_RELU: return x16_mul(relu(a), b);
    case SILU: return silu(a);
    case GELU_TANH: return gelu_tanh(a);
    case RELU: return relu(a);
    case CLAMPED_GLU: {
        f32x16 g = x16_min(x16_all(q), a);
        f32x16 gated = x16_div(g, x16_add(x16_exp(x16_mul(g, x16_all(-p))), x16_all(1.0f)));
        f32x16 up = x16_min(x16_all(q), x16_max(x16_all(-q), b));
        return x16_mul(x16_add(up, x16_all(1.0f)), gated);
    }
    case CLAMP: return x16_min(x16_all(p), x16_max(x16_all(-p), a));
    default: return a;
    }
}

INLINE void each(const int function, const float *a, const float *b, float *out, int64_t count, float p, float q)
{
    int64_t i = 0;
    for (; i + 16 <= count; i += 16) {
        x16_store(out + i, one(function, x16_load(a + i), x16_load(b + i), p, q));
    }
    if (i < count) {
        float ends[3][16] = {{0}, {0}, {0}};
        memcpy(ends[0], a + i, (size_t) (count - i) * 4);
        memcpy(ends[1], b + i, (size_t) (count - i) * 4);
        x16_store(ends[2], one(function, x16_load(ends[0]), x16_load(ends[1]), p, q));
        memcpy(out + i, ends[2], (size_t) (count - i) * 4);
    }
}

/* Functions of one operand are given it twice. */
EXPORT void NAME(map)(int32_t function, const float *a, const float *b, float *out, int64_t count, float p, float q)
{
    switch (function) {
    case ADD: each(ADD, a, b, out, count, p, q); break;
    case SCALE: each(SCALE, a, b, out, count, p, q); break;
    case GLU_SILU: each(GLU_SILU, a, b, out, count, p, q); break;
    case GLU_GELU_TANH: each(GLU_GELU_TANH, a, b, out, count, p, q); break;
    case GLU_RELU: each(GLU_RELU, a, b, out, count, p, q); break;
    case SILU: each(SILU, a, b, out, count, p, q); break;
    case GELU_TANH: each(GELU_TANH, a, b, out, count, p, q); break;
    case RELU: each(RELU, a, b, out, count, p, q); break;
    case CLAMPED_GLU: each(CLAMPED_GLU, a, b, out, count, p, q); break;
    case CLAMP: each(CLAMP, a, b, out, count, p, q); break;
    default: break;
    }
}

/* Turns the pairs of the heads of a row, and copies what is behind them. */
EXPORT void NAME(rope)(const float *x, float *out, int32_t heads, int32_t length, int32_t pairs, int32_t interleaved, const float *cosines,
    const float *sines)
{
    for (int32_t head = 0; head < heads; head++) {
        const float *from = x + (int64_t) head * length;
        float *to = out + (int64_t) head * length;
        if (interleaved) {
            for (int32_t i = 0; i < pairs; i++) {
                float a = from[2 * i];
                float b = from[2 * i + 1];
                to[2 * i] = a * cosines[i] - b * sines[i];
                to[2 * i + 1] = b * cosines[i] + a * sines[i];
            }
        } else {
            int32_t i = 0;
            for (; i + 16 <= pairs; i += 16) {
                f32x16 a = x16_load(from + i);
                f32x16 b = x16_load(from + pairs + i);
                f32x16 c = x16_load(cosines + i);
                f32x16 s = x16_load(sines + i);
                x16_store(to + i, x16_sub(x16_mul(a, c), x16_mul(b, s)));
                x16_store(to + pairs + i, x16_add(x16_mul(b, c), x16_mul(a, s)));
            }
            for (; i < pairs; i++) {
                float a = from[i];
                float b = from[pairs + i];
                to[i] = a * cosines[i] - b * sines[i];
                to[pairs + i] = b * cosines[i] + a * sines[i];
            }
        }
        for (int32_t i = 2 * pairs; i < length; i++) {
            to[i] = from[i];
        }
    }
}

/* Puts a candidate in its place. Ids come in ascending order, so that of two equal values the first stays before the second. */
static void offer(float *best, int32_t *ids, int32_t k, float value, int32_t id)
{
    int32_t place = k;
    while (place > 0 && (value > best[place - 1] || ids[place - 1] < 0)) {
        place--;
        if (place + 1 < k) {
            best[place + 1] = best[place];
            ids[place + 1] = ids[place];
        }
    }
    if (place < k) {
        best[place] = value;
        ids[place] = id;
    }
}

/* Offers the logits of following ids to the candidates so far. */
EXPORT void NAME(candidates)(const float *logits, int32_t count, int32_t first_id, float *best, int32_t *ids, int32_t k)
{
    int32_t i = 0;
    for (; i < count && k > 0 && ids[k - 1] < 0; i++) {
        offer(best, ids, k, logits[i], first_id + i);
    }
    for (; i + 64 <= count && k > 0; i += 64) {
        f32x16 most = x16_max(x16_max(x16_load(logits + i), x16_load(logits + i + 16)),
            x16_max(x16_load(logits + i + 32), x16_load(logits + i + 48)));
        if (x16_greatest(most) > best[k - 1]) {
            for (int32_t j = i; j < i + 64; j++) {
                if (logits[j] > best[k - 1]) {
                    offer(best, ids, k, logits[j], first_id + j);
                }
            }
        }
    }
    for (; i < count && k > 0; i++) {
        offer(best, ids, k, logits[i], first_id + i);
    }
}

/* The greatest logit and the sum of e^(logit - greatest): both not a number if one logit is none. */
EXPORT void NAME(softmax_sum)(const float *logits, int32_t count, float *out)
{
    f32x16 most = x16_all(-INFINITY);
    int32_t i = 0;
    for (; i + 16 <= count; i += 16) {
        most = x16_max(most, x16_load(logits + i));
    }
    float greatest = x16_greatest(most);
    for (; i < count; i++) {
        greatest = logits[i] > greatest ? logits[i] : greatest;
    }
    f32x16 shift = x16_all(greatest);
    double sum = 0;
    for (int32_t done = 0; done < count; done += BLOCK) {
        int32_t end = count - done < BLOCK ? count : done + BLOCK;
        f32x16 sums = x16_zero();
        int32_t j = done;
        for (; j + 16 <= end; j += 16) {
            sums = x16_add(sums, x16_exp(x16_sub(x16_load(logits + j), shift)));
        }
        if (j < end) {
            float last[16];
            for (int l = 0; l < 16; l++) {
                last[l] = j + l < end ? logits[j + l] : -INFINITY;
            }
            sums = x16_add(sums, x16_exp(x16_sub(x16_load(last), shift)));
        }
        sum += x16_fold(sums);
    }
    out[0] = sum == sum || greatest == -INFINITY ? greatest : NAN;
    out[1] = (float) sum;
}

enum { FLOATS, HALVES, BYTES };

/* Class CachedRows: below it a head becomes zeros. */
#define LEAST 0x1p-100f
/* What a whole number below 2^22 is added to so that it stands in the low bits. */
#define ROUNDING 0x1.8p23f

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return bits;
}

static void halves(const float *x, int32_t length, uint16_t *to)
{
    for (int32_t i = 0; i < length; i++) {
        uint32_t bits = bits_of(x[i]);
        uint32_t nearest = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
        to[i] = (uint16_t) ((bits & 0x7fffffff) > 0x7f800000 ? bits >> 16 | 0x40 : nearest);
    }
}

/* Floats that are not negative are ordered as their bits are. */
static float codes(const float *x, int32_t length, int8_t *to)
{
    uint32_t greatest = 0;
    for (int32_t i = 0; i < length; i++) {
        uint32_t bits = bits_of(x[i]) & 0x7fffffff;
        greatest = greatest > bits ? greatest : bits;
    }
    float size;
    memcpy(&size, &greatest, 4);
    if (greatest >= 0x7f800000 || size < LEAST) {
        memset(to, 0, (size_t) length);
        return greatest >= 0x7f800000 ? NAN : 0;
    }
    float inverse = 127.0f / size;
    for (int32_t i = 0; i < length; i++) {
        to[i] = (int8_t) (bits_of(x[i] * inverse + ROUNDING) - bits_of(ROUNDING));
    }
    return size / 127.0f;
}

/* Stores a row of heads as class CachedRows says. */
EXPORT void NAME(store)(int32_t form, const float *x, void *to, float *factors, int32_t heads, int32_t length)
{
    if (form == HALVES) {
        halves(x, heads * length, to);
    }
    for (int32_t head = 0; form == BYTES && head < heads; head++) {
        factors[head] = codes(x + (int64_t) head * length, length, (int8_t *) to + (int64_t) head * length);
    }
}
