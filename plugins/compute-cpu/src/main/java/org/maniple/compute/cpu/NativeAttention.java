package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/** Attention in C ({@code attend.c}, {@code attend_tiles.c}). Of each chunk a structure is filled, whose address is the only argument. */
final class NativeAttention implements Attention {

    // As in NativeKernels.
    private static final MethodHandle CHUNK = Linker.nativeLinker().downcallHandle(FunctionDescriptor.ofVoid(JAVA_LONG));
    private static final MethodHandle JOIN = Linker.nativeLinker().downcallHandle(FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG,
            JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT));
    private static final int STRIDES = 15;
    private static final int NUMBERS = 54;

    private final MemorySegment chunk;
    private final MemorySegment join;

    private NativeAttention(MemorySegment chunk, MemorySegment join) {
        this.chunk = chunk;
        this.join = join;
    }

    /** The functions for an instruction set; empty if the library does not have them. */
    static Optional<NativeAttention> of(NativeLibrary library, String variant) {
        return library.function("attend_chunk_" + variant).flatMap(chunk -> library.function("attend_join_" + variant)
                .map(join -> new NativeAttention(chunk, join)));
    }

    /**
     * With tiles, for states that are not of floats ({@code attend_tiles.c}): as exact as 16 bits of queries and weights are. Joins as a variant does. Empty if
     * the library does not have the functions.
     */
    static Optional<NativeAttention> tiles(NativeLibrary library, String joining) {
        return library.function("attend_chunk_amx").flatMap(chunk -> library.function("attend_join_" + joining)
                .map(join -> new NativeAttention(chunk, join)));
    }

    @Override
    public boolean severalKeyHeads() {
        return true;
    }

    @Override
    public void compute(AttendChunk chunk) {
        MemorySegment structure = chunk.structure();
        fill(chunk, structure);
        try {
            CHUNK.invokeExact(this.chunk, structure.address());
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /** As {@code struct attend} has it: fifteen addresses, twelve strides, ten numbers, the scale, and five numbers. */
    private static void fill(AttendChunk chunk, MemorySegment to) {
        address(to, 0, chunk.queries);
        address(to, 1, chunk.keys);
        address(to, 2, chunk.turnedQueries);
        address(to, 3, chunk.turnedKeys);
        address(to, 4, chunk.values);
        address(to, 5, chunk.out);
        long state = chunk.state().address() + chunk.stateAt();
        to.setAtIndex(JAVA_LONG, 6, state);
        to.setAtIndex(JAVA_LONG, 7, state + 4L * chunk.pairs());
        to.setAtIndex(JAVA_LONG, 8, chunk.scores().address());
        to.setAtIndex(JAVA_LONG, 9, chunk.parts().address());
        to.setAtIndex(JAVA_LONG, 10, chunk.runs().address());
        to.setAtIndex(JAVA_LONG, 11, chunk.keys.factors.address() + chunk.keys.factorAt);
        to.setAtIndex(JAVA_LONG, 12, chunk.turnedKeys.factors.address() + chunk.turnedKeys.factorAt);
        to.setAtIndex(JAVA_LONG, 13, chunk.values.factors.address() + chunk.values.factorAt);
        to.setAtIndex(JAVA_LONG, 14, chunk.panel().address());
        stride(to, 0, chunk.queries.stride);
        stride(to, 1, chunk.queries.headStride);
        stride(to, 2, chunk.turnedQueries.stride);
        stride(to, 3, chunk.turnedQueries.headStride);
        to.setAtIndex(JAVA_LONG, STRIDES + 4, chunk.keys.stride / chunk.keys.form.bytes());
        to.setAtIndex(JAVA_LONG, STRIDES + 5, chunk.turnedKeys.stride / chunk.turnedKeys.form.bytes());
        to.setAtIndex(JAVA_LONG, STRIDES + 6, chunk.values.stride / chunk.values.form.bytes());
        stride(to, 7, chunk.out.stride);
        stride(to, 8, chunk.out.headStride);
        stride(to, 9, chunk.keys.factorStride);
        stride(to, 10, chunk.turnedKeys.factorStride);
        stride(to, 11, chunk.values.factorStride);
        to.setAtIndex(JAVA_INT, NUMBERS, chunk.runCount());
        to.setAtIndex(JAVA_INT, NUMBERS + 1, chunk.rows);
        to.setAtIndex(JAVA_INT, NUMBERS + 2, chunk.heads);
        to.setAtIndex(JAVA_INT, NUMBERS + 3, chunk.keyLength);
        to.setAtIndex(JAVA_INT, NUMBERS + 4, chunk.turnedLength);
        to.setAtIndex(JAVA_INT, NUMBERS + 5, chunk.valueLength);
        to.setAtIndex(JAVA_INT, NUMBERS + 6, chunk.from);
        to.setAtIndex(JAVA_INT, NUMBERS + 7, chunk.to);
        to.setAtIndex(JAVA_INT, NUMBERS + 8, chunk.position);
        to.setAtIndex(JAVA_INT, NUMBERS + 9, chunk.window);
        to.setAtIndex(JAVA_FLOAT, NUMBERS + 10, chunk.scale);
        to.setAtIndex(JAVA_INT, NUMBERS + 11, chunk.shared());
        to.setAtIndex(JAVA_INT, NUMBERS + 12, chunk.keys.form.ordinal());
        to.setAtIndex(JAVA_INT, NUMBERS + 13, chunk.laterCount());
        to.setAtIndex(JAVA_INT, NUMBERS + 14, chunk.laterHeads());
        to.setAtIndex(JAVA_INT, NUMBERS + 15, chunk.laterShift());
    }

    private static void address(MemorySegment to, int index, AttendChunk.Rows rows) {
        to.setAtIndex(JAVA_LONG, index, rows.memory.address() + rows.at);
    }

    private static void stride(MemorySegment to, int index, long bytes) {
        to.setAtIndex(JAVA_LONG, STRIDES + index, bytes / Float.BYTES);
    }

    @Override
    public void join(AttendChunk chunk, MemorySegment later, long at) {
        int pairs = chunk.pairs();
        long greatest = chunk.state().address() + chunk.stateAt();
        long sums = greatest + 4L * pairs;
        long laterSums = later.address() + at + 4L * pairs;
        for (int row = 0; row < chunk.rows; row++) {
            long first = 4L * row * chunk.heads;
            // What the row does not see at all changes nothing, not even the sign of a zero.
            if (later.get(JAVA_FLOAT_UNALIGNED, at + 4L * pairs + first) == 0) {
                continue;
            }
            try {
                JOIN.invokeExact(join, greatest + first, sums + first,
                        chunk.out.memory.address() + chunk.out.at + row * chunk.out.stride,
                        chunk.out.headStride / Float.BYTES, later.address() + at + first, laterSums + first,
                        laterSums + 4L * pairs + first * chunk.valueLength, chunk.heads, chunk.valueLength);
            } catch (Throwable e) {
                throw failed(e);
            }
        }
    }

    private static IllegalStateException failed(Throwable cause) {
        return new IllegalStateException("a native function cannot be called: " + cause, cause);
    }
}
