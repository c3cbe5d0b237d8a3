/* Packing of rows of block types, and their elements as floats, from the stored and from the packed layout. Plain C: bits as ggml's dequantize_row_*. */
#include "blocks.h"

#include <string.h>

/* A unit of one row, taken apart. */
typedef struct {
    uint8_t head[20];
    /* Codes as they are stored, without their offsets; for Q8_0 the bytes. */
    uint8_t codes[256];
} Unit;

static const int8_t IQ4_NL_VALUES[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
/* Twice the values of e2m1. */
static const int8_t MXFP4_VALUES[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

static float f16(const uint8_t *at)
{
    uint32_t h = (uint32_t) at[0] | (uint32_t) at[1] << 8;
    uint32_t sign = (h & 0x8000) << 16;
    uint32_t exponent = h >> 10 & 31;
    uint32_t fraction = h & 0x3ff;
    uint32_t bits;
    float value;
    if (exponent == 0) {
        value = (float) fraction * 0x1p-24f;
        memcpy(&bits, &value, 4);
    } else if (exponent == 31) {
        bits = 0x7f800000 | fraction << 13;
    } else {
        bits = (exponent + 112) << 23 | fraction << 13;
    }
    bits |= sign;
    memcpy(&value, &bits, 4);
    return value;
}

/* Half of 2 to the power of the exponent: 2^(e - 128). */
static float half_power(uint8_t e)
{
    uint32_t bits = e < 2 ? 0x00200000u << e : (uint32_t) (e - 1) << 23;
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

static void nibbles(const uint8_t *from, uint8_t *codes)
{
    for (int i = 0; i < 16; i++) {
        codes[i] = from[i] & 15;
        codes[16 + i] = from[i] >> 4;
    }
}

static void fifth_bits(const uint8_t *from, uint8_t *codes)
{
    uint32_t bits;
    memcpy(&bits, from, 4);
    for (int i = 0; i < 32; i++) {
        codes[i] |= (bits >> i & 1) << 4;
    }
}

/* 4-bit codes of a superblock. */
static void super_nibbles(const uint8_t *from, uint8_t *codes)
{
    for (int e = 0; e < 256; e++) {
        codes[e] = from[e / 64 * 32 + e % 32] >> (e / 32 % 2 * 4) & 15;
    }
}

/* 2-bit codes of a superblock. */
static void super_pairs(const uint8_t *from, uint8_t *codes)
{
    for (int e = 0; e < 256; e++) {
        codes[e] = from[e / 128 * 32 + e % 32] >> (e / 32 % 4 * 2) & 3;
    }
}

static void stored_unit(int type, const uint8_t *b, Unit *u)
{
    switch (type) {
    case Q8_0:
        memcpy(u->head, b, 2);
        memcpy(u->codes, b + 2, 32);
        break;
    case Q4_0:
    case IQ4_NL:
        memcpy(u->head, b, 2);
        nibbles(b + 2, u->codes);
        break;
    case Q4_1:
        memcpy(u->head, b, 4);
        nibbles(b + 4, u->codes);
        break;
    case Q5_0:
        memcpy(u->head, b, 2);
        nibbles(b + 6, u->codes);
        fifth_bits(b + 2, u->codes);
        break;
    case Q5_1:
        memcpy(u->head, b, 4);
        nibbles(b + 8, u->codes);
        fifth_bits(b + 4, u->codes);
        break;
    case MXFP4:
        u->head[0] = b[0];
        nibbles(b + 1, u->codes);
        break;
    case Q2_K:
        memcpy(u->head, b + 80, 4);
        memcpy(u->head + 4, b, 16);
        super_pairs(b + 16, u->codes);
        break;
    case Q3_K:
        memcpy(u->head, b + 108, 2);
        memcpy(u->head + 2, b + 96, 12);
        super_pairs(b + 32, u->codes);
        for (int e = 0; e < 256; e++) {
            u->codes[e] |= (b[e % 32] >> (e / 32) & 1) << 2;
        }
        break;
    case Q4_K:
        memcpy(u->head, b, 16);
        super_nibbles(b + 16, u->codes);
        break;
    case Q5_K:
        memcpy(u->head, b, 16);
        super_nibbles(b + 48, u->codes);
        for (int e = 0; e < 256; e++) {
            u->codes[e] |= (b[16 + e % 32] >> (e / 32) & 1) << 4;
        }
        break;
    case Q6_K:
        memcpy(u->head, b + 208, 2);
        memcpy(u->head + 2, b + 192, 16);
        for (int e = 0; e < 256; e++) {
            int low = b[e / 128 * 64 + e % 64] >> (e / 64 % 2 * 4) & 15;
            int high = b[128 + e / 128 * 32 + e % 32] >> (e / 32 % 4 * 2) & 3;
            u->codes[e] = (uint8_t) (low | high << 4);
        }
        break;
    default:
        break;
    }
}

/* Bytes of the fields that are F16. */
static int half_fields(int type)
{
    return type == MXFP4 ? 0 : has_minimum(type) ? 4 : 2;
}

static uint8_t *head_byte(uint8_t *head, int type, int row, int byte)
{
    int halves = half_fields(type);
    return byte < halves ? head + byte / 2 * 2 * GROUP + 2 * row + byte % 2 : head + halves * GROUP + (byte - halves) * GROUP + row;
}

static int planes_of_bytes(int type)
{
    return type == Q8_0;
}

static int has_nibbles(int type)
{
    return type != Q8_0 && type != Q2_K && type != Q3_K;
}

static int pair_shift(int type)
{
    return type == Q6_K ? 4 : type == Q2_K || type == Q3_K ? 0 : -1;
}

static int bit_shift(int type)
{
    return type == Q5_0 || type == Q5_1 || type == Q5_K ? 4 : type == Q3_K ? 2 : -1;
}

/* Writes the codes of a cell of one row; a row of zeros has its bits cleared first. */
static void pack_cell(int type, const uint8_t *c, uint8_t *cell, int row)
{
    cell += 4 * row;
    if (planes_of_bytes(type)) {
        for (int j = 0; j < 8; j++) {
            memcpy(cell + 64 * j, c + 4 * j, 4);
        }
        return;
    }
    if (has_nibbles(type)) {
        for (int j = 0; j < 4; j++) {
            for (int i = 0; i < 4; i++) {
                cell[64 * j + i] = (uint8_t) ((c[4 * j + i] & 15) | c[16 + 4 * j + i] << 4);
            }
        }
        cell += 256;
    }
    int pairs = pair_shift(type);
    if (pairs >= 0) {
        for (int p = 0; p < 2; p++) {
            for (int i = 0; i < 4; i++) {
                int value = 0;
                for (int j = 0; j < 4; j++) {
                    value |= (c[16 * p + 4 * j + i] >> pairs & 3) << (2 * j);
                }
                cell[64 * p + i] = (uint8_t) value;
            }
        }
        cell += 128;
    }
    int bits = bit_shift(type);
    if (bits >= 0) {
        for (int i = 0; i < 4; i++) {
            int value = 0;
            for (int j = 0; j < 8; j++) {
                value |= (c[4 * j + i] >> bits & 1) << j;
            }
            cell[i] = (uint8_t) value;
        }
    }
}

static void unpack_cell(int type, const uint8_t *cell, int row, uint8_t *c)
{
    cell += 4 * row;
    if (planes_of_bytes(type)) {
        for (int j = 0; j < 8; j++) {
            memcpy(c + 4 * j, cell + 64 * j, 4);
        }
        return;
    }
    memset(c, 0, 32);
    if (has_nibbles(type)) {
        for (int j = 0; j < 4; j++) {
            for (int i = 0; i < 4; i++) {
                c[4 * j + i] = cell[64 * j + i] & 15;
                c[16 + 4 * j + i] = cell[64 * j + i] >> 4;
            }
        }
        cell += 256;
    }
    int pairs = pair_shift(type);
    if (pairs >= 0) {
        for (int e = 0; e < 32; e++) {
            c[e] |= (cell[e / 16 * 64 + e % 4] >> (e / 4 % 4 * 2) & 3) << pairs;
        }
        cell += 128;
    }
    int bits = bit_shift(type);
    if (bits >= 0) {
        for (int e = 0; e < 32; e++) {
            c[e] |= (cell[e % 4] >> (e / 4) & 1) << bits;
        }
    }
}

EXPORT int64_t maniple_group_bytes(int32_t type, int64_t units)
{
    return group_bytes(type, units);
}

/* Packs rows; those that fill up the last group have all bits 0. */
EXPORT void maniple_pack(int32_t type, const uint8_t *source, int64_t rows, int64_t units, uint8_t *target)
{
    const int cells = unit_cells(type);
    const int head = head_bytes(type);
    const int64_t row_bytes = units * unit_bytes(type);
    const int64_t heads = heads_of_group(type, units);
    const int64_t size = group_bytes(type, units);
    for (int64_t first = 0; first < rows; first += GROUP) {
        if (rows - first < GROUP) {
            memset(target, 0, size);
        } else {
            memset(target + heads - 64, 0, heads >= 64 ? 64 : 0);
        }
        for (int64_t unit = 0; unit < units; unit++) {
            uint8_t *to = target + unit * head * GROUP;
            for (int row = 0; row < GROUP && first + row < rows; row++) {
                Unit u;
                stored_unit(type, source + (first + row) * row_bytes + unit * unit_bytes(type), &u);
                for (int i = 0; i < head; i++) {
                    *head_byte(to, type, row, i) = u.head[i];
                }
                for (int c = 0; c < cells; c++) {
                    pack_cell(type, u.codes + 32 * c, target + heads + (unit * cells + c) * cell_bytes(type), row);
                }
            }
        }
        target += size;
    }
}

/* Scales and minimums of the parts of 32 of a superblock of Q4_K and Q5_K. */
static void six_bits(const uint8_t *s, int part, int *scale, int *minimum)
{
    if (part < 4) {
        *scale = s[part] & 63;
        *minimum = s[part + 4] & 63;
    } else {
        *scale = (s[part + 4] & 15) | (s[part - 4] >> 6) << 4;
        *minimum = s[part + 4] >> 4 | (s[part] >> 6) << 4;
    }
}

/* Scale of the parts of 16 of a superblock of Q3_K. */
static int six_bits_of_q3(const uint8_t *s, int part)
{
    int low = s[part % 8] >> (part / 8 * 4) & 15;
    int high = s[8 + part % 4] >> (part / 4 * 2) & 3;
    return (low | high << 4) - 32;
}

static void unit_floats(int type, const Unit *u, float *out)
{
    const uint8_t *c = u->codes;
    const float d = type == MXFP4 ? half_power(u->head[0]) : f16(u->head);
    const float m = has_minimum(type) ? f16(u->head + 2) : 0;
    const uint8_t *s = u->head + (has_minimum(type) ? 4 : 2);
    const int n = unit_elements(type);
    for (int e = 0; e < n; e++) {
        switch (type) {
        case Q8_0:
            out[e] = d * (float) (int8_t) c[e];
            break;
        case Q4_0:
            out[e] = d * (float) (c[e] - 8);
            break;
        case Q5_0:
            out[e] = d * (float) (c[e] - 16);
            break;
        case Q4_1:
        case Q5_1: {
            float product = d * (float) c[e];
            out[e] = product + m;
            break;
        }
        case IQ4_NL:
            out[e] = d * (float) IQ4_NL_VALUES[c[e]];
            break;
        case MXFP4:
            out[e] = d * (float) MXFP4_VALUES[c[e]];
            break;
        case Q2_K: {
            float scale = d * (float) (s[e / 16] & 15);
            float minimum = m * (float) (s[e / 16] >> 4);
            float product = scale * (float) c[e];
            out[e] = product - minimum;
            break;
        }
        case Q3_K: {
            float scale = d * (float) six_bits_of_q3(s, e / 16);
            out[e] = scale * (float) (c[e] - 4);
            break;
        }
        case Q4_K:
        case Q5_K: {
            int sc;
            int mn;
            six_bits(s, e / 32, &sc, &mn);
            float scale = d * (float) sc;
            float minimum = m * (float) mn;
            float product = scale * (float) c[e];
            out[e] = product - minimum;
            break;
        }
        case Q6_K: {
            float scale = d * (float) (int8_t) s[e / 16];
            out[e] = scale * (float) (c[e] - 32);
            break;
        }
        default:
            break;
        }
    }
}

/* Elements of stored units that follow each other. */
EXPORT void maniple_floats_of_stored(int32_t type, const uint8_t *from, int64_t units, float *out)
{
    for (int64_t unit = 0; unit < units; unit++) {
        Unit u;
        stored_unit(type, from + unit * unit_bytes(type), &u);
        unit_floats(type, &u, out + unit * unit_elements(type));
    }
}

/* Elements of a row of a packed weight. */
EXPORT void maniple_floats_of_packed(int32_t type, const uint8_t *packed, int64_t row, int64_t units, float *out)
{
    const uint8_t *group = packed + row / GROUP * group_bytes(type, units);
    const uint8_t *codes = group + heads_of_group(type, units);
    const int cells = unit_cells(type);
    for (int64_t unit = 0; unit < units; unit++) {
        Unit u;
        uint8_t *head = (uint8_t *) group + unit * head_bytes(type) * GROUP;
        for (int i = 0; i < head_bytes(type); i++) {
            u.head[i] = *head_byte(head, type, (int) (row % GROUP), i);
        }
        for (int c = 0; c < cells; c++) {
            unpack_cell(type, codes + (unit * cells + c) * cell_bytes(type), (int) (row % GROUP), u.codes + 32 * c);
        }
        unit_floats(type, &u, out + unit * unit_elements(type));
    }
}
