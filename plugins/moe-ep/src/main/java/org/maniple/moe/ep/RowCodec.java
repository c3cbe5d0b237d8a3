package org.maniple.moe.ep;

import java.lang.foreign.MemorySegment;

/** How a token's row of floats is written for its way to the experts. Allocates nothing; for use by one thread. */
interface RowCodec {

    /**
     * The size of a row on its way.
     *
     * @return bytes
     */
    int rowBytes();

    /**
     * Writes a row.
     *
     * @param floats F32 rows
     * @param at the byte at which the row begins
     * @param into what is sent
     * @param intoAt the byte at which the row begins there
     */
    void encode(MemorySegment floats, long at, MemorySegment into, long intoAt);

    /**
     * Reads a row.
     *
     * @param from what was sent
     * @param at the byte at which the row begins
     * @param floats F32 rows
     * @param floatsAt the byte at which the row begins there
     */
    void decode(MemorySegment from, long at, MemorySegment floats, long floatsAt);

    /** The one that a configuration names, for rows of some width. */
    static RowCodec of(String dtype, int width) {
        return switch (dtype) {
            case "f32" -> new PlainRows(width);
            case "bf16" -> new Bf16Rows(width);
            case "fp8" -> new BlockRows(width, new E4m3());
            case "int8" -> new BlockRows(width, new Int8());
            default -> throw new IllegalArgumentException("rows cannot be sent as [" + dtype + "]");
        };
    }
}
