package org.maniple.api.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Reads and writes what blocks consist of; anything may lie at any address. */
final class BlockMemory {

    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private BlockMemory() {}

    static int unsigned(MemorySegment memory, long at) {
        return memory.get(BYTE, at) & 0xff;
    }

    static int signed(MemorySegment memory, long at) {
        return memory.get(BYTE, at);
    }

    static void put(MemorySegment memory, long at, int value) {
        memory.set(BYTE, at, (byte) value);
    }

    static int word(MemorySegment memory, long at) {
        return memory.get(INT, at);
    }

    static void putWord(MemorySegment memory, long at, int value) {
        memory.set(INT, at, value);
    }

    static float half(MemorySegment memory, long at) {
        return Float.float16ToFloat(memory.get(SHORT, at));
    }

    static void putHalf(MemorySegment memory, long at, float value) {
        memory.set(SHORT, at, Float.floatToFloat16(value));
    }

    /** The element of some index, of floats that begin at {@code at}. */
    static float element(MemorySegment floats, long at, int index) {
        return floats.get(FLOAT, at + (long) index * Float.BYTES);
    }

    static void put(MemorySegment floats, long at, int index, float value) {
        floats.set(FLOAT, at + (long) index * Float.BYTES, value);
    }
}
