package org.maniple.compute.cpu;

import java.lang.foreign.MemorySegment;

/**
 * Rows of blocks as they are stored.
 *
 * @param unpacker for the type
 * @param blocks of a row
 */
record StoredBlocks(BlockUnpacker unpacker, int blocks) implements DecodedProduct.Source {

    @Override
    public long rowBytes() {
        return (long) blocks * unpacker.type().blockBytes();
    }

    @Override
    public long bytes() {
        return (long) blocks * unpacker.type().blockElements();
    }

    private int runs() {
        return blocks * unpacker.type().blockElements() / unpacker.run();
    }

    @Override
    public int floats() {
        return 2 * runs();
    }

    @Override
    public void decode(MemorySegment w, long row, MemorySegment out, long to, MemorySegment room, long roomAt, float[] scales) {
        unpacker.codes(w, row * rowBytes(), blocks, room, roomAt);
        unpacker.scales(w, row * rowBytes(), blocks, scales, 0, runs(), 1);
        if (unpacker.minima()) {
            BlockKernels.decodeWithMinima(room, roomAt, scales, runs(), unpacker.run(), out, to);
        } else {
            BlockKernels.decode(room, roomAt, scales, runs(), unpacker.run(), out, to);
        }
    }
}
