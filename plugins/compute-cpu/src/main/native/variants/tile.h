/* What files with tile instructions have in common. */
#ifndef MANIPLE_TILE_H
#define MANIPLE_TILE_H

#include <immintrin.h>
#include <string.h>

#include "maniple.h"

/* Bytes of a whole tile. */
#define TILE 1024

typedef struct {
    uint8_t palette;
    uint8_t start_row;
    uint8_t reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
} __attribute__((packed)) TileConfig;

/*
 * The intrinsics of GCC 12 do not tell it what memory tiles are loaded from, and of a configuration that the first bytes are read only: without this
 * stores may be left out or come after the load that needs them.
 */
INLINE void written(void)
{
    __asm__ volatile("" : : : "memory");
}

INLINE void load_config(const TileConfig *config)
{
    __asm__ volatile("" : : "r"(config) : "memory");
    _tile_loadconfig(config);
    /* Nothing of it may be reused for something else before. */
    __asm__ volatile("" : : "r"(config) : "memory");
}

#endif
