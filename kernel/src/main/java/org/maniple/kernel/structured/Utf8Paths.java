package org.maniple.kernel.structured;

/** The paths of bytes between two states that are the characters of a set in UTF-8. Paths that end alike share their ends. */
final class Utf8Paths {

    private static final int[] LAST_OF_LENGTH = {0x7F, 0x7FF, 0xFFFF, 0x10FFFF};
    private static final int CONTINUATION_BITS = 6;
    private static final int LEAST_CONTINUATION = 0x80;
    private static final int GREATEST_CONTINUATION = 0xBF;

    private final Network network;
    private final int rule;
    private final int from;
    /** Where so many continuation bytes, whatever they are, lead to the end. */
    private final int[] tails = {0, Network.NONE, Network.NONE, Network.NONE};

    Utf8Paths(Network network, int rule, int from, int to) {
        this.network = network;
        this.rule = rule;
        this.from = from;
        tails[0] = to;
    }

    void add(CodePoints characters) {
        for (int range = 0; range < characters.ranges(); range++) {
            int first = characters.first(range);
            for (int last : LAST_OF_LENGTH) {
                int upTo = Math.min(last, characters.last(range));
                if (first <= upTo) {
                    split(first, upTo);
                    first = upTo + 1;
                }
            }
        }
    }

    /** Splits a range of characters of one length until it is a product of ranges of bytes. */
    private void split(int first, int last) {
        for (int bits = CONTINUATION_BITS; bits < 4 * CONTINUATION_BITS; bits += CONTINUATION_BITS) {
            int mask = (1 << bits) - 1;
            if ((first & ~mask) != (last & ~mask)) {
                if ((first & mask) != 0) {
                    split(first, first | mask);
                    split((first | mask) + 1, last);
                    return;
                }
                if ((last & mask) != mask) {
                    split(first, (last & ~mask) - 1);
                    split(last & ~mask, last);
                    return;
                }
            }
        }
        path(bytes(first), bytes(last));
    }

    private void path(byte[] low, byte[] high) {
        int at = from;
        for (int i = 0; i < low.length; i++) {
            int left = low.length - 1 - i;
            boolean free = isFree(low, high, i + 1);
            int next = free ? tail(left) : network.addState(rule);
            network.addBytes(at, next, low[i] & 0xff, high[i] & 0xff);
            if (free) {
                return;
            }
            at = next;
        }
    }

    /** Whether all bytes from an index on may be any continuation. */
    private static boolean isFree(byte[] low, byte[] high, int index) {
        for (int i = index; i < low.length; i++) {
            if ((low[i] & 0xff) != LEAST_CONTINUATION || (high[i] & 0xff) != GREATEST_CONTINUATION) {
                return false;
            }
        }
        return true;
    }

    private int tail(int continuations) {
        if (continuations > 0 && tails[continuations] == Network.NONE) {
            tails[continuations] = network.addState(rule);
            network.addBytes(tails[continuations], tail(continuations - 1), LEAST_CONTINUATION, GREATEST_CONTINUATION);
        }
        return tails[continuations];
    }

    private static byte[] bytes(int character) {
        return Character.toString(character).getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }
}
