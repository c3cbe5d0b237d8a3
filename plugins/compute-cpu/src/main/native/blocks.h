/*
 * Block types, and the packed layout in which native kernels read them.
 *
 * Rows are packed in groups of 16. A unit is a block of the type: 32 elements, or a superblock of 256; a cell is 32 elements. A group holds first the
 * heads of all its units (scales and minimums), then, at a multiple of 64 bytes, the codes of all its cells.
 *
 * A head holds every field of the unit for 16 rows: the F16 scales, the F16 minimums, then each byte of packed scales; of MXFP4 its exponents.
 *
 * The codes of a cell are planes of 64 bytes, byte 4 * row + i:
 *   bytes:   8 planes; plane j holds elements 4 j + i
 *   nibbles: 4 planes; plane j holds element 4 j + i in its low half and 16 + 4 j + i in its high half
 *   pairs:   2 planes of 2 bits each; plane p holds in bits 2 j and 2 j + 1 element 16 p + 4 j + i
 *   bits:    1 plane; bit j of a byte is of element 4 j + i
 * A plane is what vpdpbusd takes for 16 rows, and a row of the B operand of the AMX instructions for bytes. A packed group is as large as what is packed,
 * except for the padding between heads and codes.
 */
#ifndef MANIPLE_BLOCKS_H
#define MANIPLE_BLOCKS_H

#include "maniple.h"

/* In the order of NativeType. */
enum { Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, MXFP4, TYPES };

#define GROUP 16

/* Elements of a unit. */
INLINE int unit_elements(int type)
{
    return type >= Q2_K && type <= Q6_K ? 256 : 32;
}

INLINE int unit_cells(int type)
{
    return unit_elements(type) / 32;
}

/* Bytes of a unit of one row as it is stored. */
INLINE int unit_bytes(int type)
{
    static const uint8_t bytes[TYPES] = {34, 18, 20, 22, 24, 84, 110, 144, 176, 210, 18, 17};
    return bytes[type];
}

/* Bytes of scales and minimums of a unit of one row, packed or stored. */
INLINE int head_bytes(int type)
{
    static const uint8_t bytes[TYPES] = {2, 2, 4, 2, 4, 20, 14, 16, 16, 18, 2, 1};
    return bytes[type];
}

/* Bytes of codes of a cell of 16 rows. */
INLINE int cell_bytes(int type)
{
    static const uint16_t bytes[TYPES] = {512, 256, 256, 320, 320, 128, 192, 256, 320, 384, 256, 256};
    return bytes[type];
}

INLINE int has_minimum(int type)
{
    return type == Q4_1 || type == Q5_1 || type == Q2_K || type == Q4_K || type == Q5_K;
}

/* Scales of 32 elements. */
INLINE int scales_of_cell(int type)
{
    return type == Q2_K || type == Q3_K || type == Q6_K ? 2 : 1;
}

INLINE int64_t heads_of_group(int type, int64_t units)
{
    return (units * head_bytes(type) * GROUP + 63) & -64;
}

INLINE int64_t group_bytes(int type, int64_t units)
{
    return heads_of_group(type, units) + units * unit_cells(type) * cell_bytes(type);
}

#endif
