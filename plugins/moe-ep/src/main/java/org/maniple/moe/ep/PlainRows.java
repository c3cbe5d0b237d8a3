package org.maniple.moe.ep;

import java.lang.foreign.MemorySegment;

/**
 * Rows as they are.
 *
 * @param width elements of a row
 */
record PlainRows(int width) implements RowCodec {

    @Override
    public int rowBytes() {
        return width * Float.BYTES;
    }

    @Override
    public void encode(MemorySegment floats, long at, MemorySegment into, long intoAt) {
        MemorySegment.copy(floats, at, into, intoAt, rowBytes());
    }

    @Override
    public void decode(MemorySegment from, long at, MemorySegment floats, long floatsAt) {
        MemorySegment.copy(from, at, floats, floatsAt, rowBytes());
    }
}
