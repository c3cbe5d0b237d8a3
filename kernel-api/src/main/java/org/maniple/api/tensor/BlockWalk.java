package org.maniple.api.tensor;

import java.lang.foreign.MemorySegment;

/** Goes from block to block. */
record BlockWalk(DType dtype, Block block) implements BlockCodec {

    /** What is done with one block: of {@code blocks} at {@code at}, and of floats at {@code to}, both in bytes. */
    @FunctionalInterface
    interface Block {
        void at(MemorySegment blocks, long at, MemorySegment floats, long to);
    }

    @Override
    public void decode(MemorySegment blocks, long at, MemorySegment out, long to, int count) {
        all(blocks, at, out, to, count);
    }

    void all(MemorySegment blocks, long at, MemorySegment floats, long to, int count) {
        long end = at + dtype.bytes(count);
        long step = (long) dtype.blockElements() * Float.BYTES;
        for (long from = at, target = to; from < end; from += dtype.blockBytes(), target += step) {
            block.at(blocks, from, floats, target);
        }
    }
}
