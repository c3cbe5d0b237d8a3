package org.maniple.api.tensor;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;

/**
 * A way of holding a weight in memory that a back end prefers to the one in which it is stored; elements keep their values. Who loads a weight packs it
 * once, or finds it packed in a file that was written earlier. Safe for use by several threads.
 */
public interface WeightLayout {

    /**
     * Distinguishes it from all others, also from earlier versions of itself: packed bytes outlive the process.
     *
     * @return for example {@code q4_0-16rows-1}; letters, digits, {@code _} and {@code -}
     */
    String name();

    /**
     * How many rows are held together; a part of a matrix can be packed by itself if it begins and ends at multiples, or ends with the matrix.
     *
     * @return at least 1
     */
    int rowsTogether();

    /**
     * The size of a packed matrix.
     *
     * @param rows its rows
     * @return bytes; for a multiple of {@link #rowsTogether()} the offset of what follows
     */
    long bytes(int rows);

    /**
     * Packs rows.
     *
     * @param source the rows as they are stored, one after the other
     * @param rows how many
     * @param target {@link #bytes} of them are written, all of them
     */
    void pack(MemorySegment source, int rows, MemorySegment target);

    /**
     * What a back end is asked about.
     *
     * @param type how elements are stored
     * @param rows rows of the matrix, or of each slot's matrix
     * @param columns how rows are held; of other than block types, whole
     * @param users what operations read it
     */
    record Weight(DType type, int rows, BlockRows columns, List<Use> users) {
        /** Copies the list. */
        public Weight {
            users = List.copyOf(users);
        }

        /**
         * Whether operations of some kinds alone read it.
         *
         * @param uses the kinds
         * @return whether there is no other user
         */
        public boolean onlyFor(Set<Use> uses) {
            return uses.containsAll(users);
        }
    }

    /** A kind of operation that reads weights. */
    enum Use {
        /** Multiplies rows of activations with all rows of the weight and sums over a row's elements. */
        CONTRACT,
        /** Looks rows up. */
        EMBED,
        /** Anything else. */
        OTHER
    }
}
