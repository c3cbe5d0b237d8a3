package org.maniple.compute.cpu;

import java.lang.foreign.MemorySegment;

/**
 * Writes rows of activations as products read them. Only those products read what it writes that ask for it, so that each set of
 * {@link Products} may choose what the bytes mean. Equal preparations write the same, and their products share it. Safe for use by several
 * threads, on different rows.
 */
interface Preparation {

    /** Rows that must be prepared by one thread: each part begins at a multiple, and ends at one or with the last row. */
    default int rowsTogether() {
        return 1;
    }

    /** Bytes of a prepared row; a multiple of 64. Memory has room for a multiple of {@link #rowsTogether} rows. */
    long rowBytes();

    /**
     * Prepares some of the rows. Allocates nothing.
     *
     * @param x floats; the elements of a row are its own, without those that its weights only hold; rows follow each other
     * @param from the first row
     * @param to the row after the last
     * @param rows all rows of this step
     * @param out receives the prepared rows
     * @param at where row 0 of them begins, in bytes; a multiple of 64
     */
    void prepare(MemorySegment x, int from, int to, int rows, MemorySegment out, long at);
}
