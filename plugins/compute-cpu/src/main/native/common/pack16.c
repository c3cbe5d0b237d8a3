/*
 * Packing of rows of 16-bit elements: groups of 16 rows, in each for 32 elements a block of 1024 bytes that holds, for each two elements, those of all 16
 * rows. That is a B operand of the AMX instructions for bf16, and 16 operands of vdpbf16ps. Elements that fill up the last block, and rows that fill up the
 * last group, are 0.
 */
#include "maniple.h"

#include <string.h>

EXPORT void maniple_pack16(const uint8_t *source, int64_t rows, int64_t columns, uint8_t *target)
{
    const int64_t blocks = (columns + 31) / 32;
    for (int64_t first = 0; first < rows; first += 16) {
        for (int64_t block = 0; block < blocks; block++) {
            const int64_t pairs = columns - 32 * block >= 32 ? 16 : (columns - 32 * block) / 2;
            const int odd = columns - 32 * block < 32 && columns % 2 != 0;
            if (rows - first < 16 || pairs < 16) {
                memset(target, 0, 1024);
            }
            for (int64_t row = 0; row < 16 && first + row < rows; row++) {
                const uint8_t *from = source + 2 * ((first + row) * columns + 32 * block);
                for (int64_t pair = 0; pair < pairs; pair++) {
                    memcpy(target + 64 * pair + 4 * row, from + 4 * pair, 4);
                }
                if (odd) {
                    memcpy(target + 64 * pairs + 4 * row, from + 4 * pairs, 2);
                }
            }
            target += 1024;
        }
    }
}

/* Elements of a row, as floats, of packed bf16. */
EXPORT void maniple_floats_of_packed_bf16(const uint8_t *packed, int64_t row, int64_t columns, float *out)
{
    const uint8_t *group = packed + row / 16 * ((columns + 31) / 32) * 1024 + 4 * (row % 16);
    for (int64_t i = 0; i < columns; i++) {
        uint16_t half;
        memcpy(&half, group + i / 2 * 64 + i % 2 * 2, 2);
        const uint32_t bits = (uint32_t) half << 16;
        memcpy(out + i, &bits, 4);
    }
}
