package org.maniple.api.transport;

/**
 * What a frame on a wire belongs to. Frames between two ranks arrive in the order in which they were sent; the tag is compared with what the
 * receiver expects, so that ranks that have parted ways are named instead of waiting for each other.
 */
public final class Tag {

    /** What ranks are doing. */
    public enum Operation {
        /** A step plan. */
        PLAN,
        /** Results of a step for rank 0. */
        RESULT,
        /** Activations for the next stage. */
        TRANSFER,
        /** Sum over a group. */
        ALL_REDUCE,
        /** Concatenation over a group. */
        ALL_GATHER,
        /** Sum over a group, of which each rank keeps a part. */
        REDUCE_SCATTER,
        /** From one to all of a group. */
        BROADCAST,
        /** From each to each of a group. */
        ALL_TO_ALL,
        /** Waiting for all of a group. */
        BARRIER
    }

    private static final Operation[] OPERATIONS = Operation.values();
    private static final long SEQUENCE_MASK = (1L << 40) - 1;

    private Tag() {}

    /**
     * Makes a tag.
     *
     * @param operation what is being done
     * @param group the number of the group of ranks, from 0 to 65535
     * @param sequence counts the operations of the group; the lower 40 bits are used
     * @return the tag
     */
    public static long of(Operation operation, int group, long sequence) {
        return (long) operation.ordinal() << 56 | (long) (group & 0xffff) << 40 | sequence & SEQUENCE_MASK;
    }

    /**
     * A tag in words.
     *
     * @param tag any number
     * @return for example {@code all_reduce#118 of group 3}
     */
    public static String describe(long tag) {
        int operation = (int) (tag >>> 56);
        String name = operation < OPERATIONS.length
                ? OPERATIONS[operation].name().toLowerCase(java.util.Locale.ROOT)
                : "unknown(" + operation + ")";
        return name + "#" + (tag & SEQUENCE_MASK) + " of group " + (tag >>> 40 & 0xffff);
    }
}
