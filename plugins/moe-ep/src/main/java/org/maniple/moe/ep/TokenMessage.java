package org.maniple.moe.ep;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * What one rank sends to another: the number of entries; for each choice that is computed there an entry of 8 bytes, with the choice, the slot, the weight and
 * whether it is the first one of its token; then for each token in the same order its number in the step (4 bytes) and its row. A message without
 * tokens has no byte.
 */
final class TokenMessage {

    static final int HEADER = Integer.BYTES;
    static final int ENTRY = 8;
    /** Bytes of a token's number, before its row. */
    static final int NUMBER = Integer.BYTES;
    private static final int FIRST = 1 << 31;
    private static final int MOST_CHOICES = 1 << 15;
    private static final int MOST_SLOTS = 1 << 16;

    private TokenMessage() {}

    static void check(int choices, int slots) {
        if (choices > MOST_CHOICES || slots > MOST_SLOTS) {
            throw new IllegalArgumentException(choices + " choices and " + slots + " slots; there may be at most " + MOST_CHOICES
                    + " and " + MOST_SLOTS);
        }
    }

    static long bytes(int entries, int tokens, int rowBytes) {
        return entries == 0 ? 0 : HEADER + (long) ENTRY * entries + (long) tokens * (NUMBER + rowBytes);
    }

    static int entries(MemorySegment message) {
        return message.get(JAVA_INT_UNALIGNED, 0);
    }

    static boolean first(MemorySegment message, int entry) {
        return packed(message, entry) < 0;
    }

    static int choice(MemorySegment message, int entry) {
        return choice(packed(message, entry));
    }

    static int slot(MemorySegment message, int entry) {
        return slot(packed(message, entry));
    }

    static int pack(boolean first, int choice, int slot) {
        return (first ? FIRST : 0) | choice << 16 | slot;
    }

    static int choice(int packed) {
        return packed >>> 16 & MOST_CHOICES - 1;
    }

    static int slot(int packed) {
        return packed & MOST_SLOTS - 1;
    }

    static float weight(MemorySegment message, int entry) {
        return message.get(JAVA_FLOAT_UNALIGNED, at(entry) + Integer.BYTES);
    }

    private static int packed(MemorySegment message, int entry) {
        return message.get(JAVA_INT_UNALIGNED, at(entry));
    }

    /** Where an entry begins; the one behind the last is the first row. */
    static long at(int entry) {
        return HEADER + (long) ENTRY * entry;
    }

    /** Writes one message after another. */
    static final class Writer {

        private final int rowBytes;
        private MemorySegment message = MemorySegment.NULL;
        private long start;
        private int entry;
        private int firstToken;
        private long rowAt;
        private int last;

        Writer(int rowBytes) {
            this.rowBytes = rowBytes;
        }

        void begin(MemorySegment into, long intoAt, int entries, int tokens, int numberOfFirst) {
            message = into;
            start = intoAt;
            firstToken = numberOfFirst;
            entry = 0;
            rowAt = intoAt + at(entries);
            last = -1;
            if (tokens > 0) {
                into.set(JAVA_INT_UNALIGNED, intoAt, entries);
            }
        }

        /** Adds a choice; tokens ascend. */
        void add(int token, int choice, int slot, float weight, MemorySegment row, long rowFrom) {
            message.set(JAVA_INT_UNALIGNED, start + at(entry), pack(token != last, choice, slot));
            message.set(JAVA_FLOAT_UNALIGNED, start + at(entry) + Integer.BYTES, weight);
            entry++;
            if (token != last) {
                message.set(JAVA_INT_UNALIGNED, rowAt, firstToken + token);
                MemorySegment.copy(row, rowFrom, message, rowAt + NUMBER, rowBytes);
                rowAt += NUMBER + rowBytes;
                last = token;
            }
        }
    }
}
