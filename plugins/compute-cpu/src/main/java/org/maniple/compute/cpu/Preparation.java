package org.maniple.compute.cpu;

import java.lang.foreign.MemorySegment;

/**
 * Writes rows of activations in the form in which products read them. Products and the preparation that they are used with come from the
 * same {@link Products}, and agree on what the bytes mean. Safe for use by several threads, on different rows.
 */
interface Preparation {

    /** Bytes of a prepared row; a multiple of 64. */
    long rowBytes();

    /**
     * Prepares rows. Allocates nothing.
     *
     * @param x floats; the elements of a row are its own, without those that its weights only hold
     * @param at where the first row begins, in bytes; rows follow each other
     * @param rows how many
     * @param out receives the prepared rows
     * @param to where the first one begins, in bytes; a multiple of 64
     */
    void prepare(MemorySegment x, long at, int rows, MemorySegment out, long to);
}
