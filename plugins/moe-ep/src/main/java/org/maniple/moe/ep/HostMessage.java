package org.maniple.moe.ep;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * The messages of one rank for all ranks of another host in one, with each token's row once: the number of entries; for each choice an entry of 12 bytes, with
 * what an entry of a {@link TokenMessage} has and the position of the rank that it is for; then for each token its number and its row. No byte if there is no
 * token. For use by one thread; allocates nothing.
 */
final class HostMessage {

    private static final int ENTRY = 12;

    private final int rowBytes;
    /** By position: what of its message has been taken. */
    private final int[] entries;
    private final int[] entry;
    private final long[] rowAt;
    /** By position, while a message is split: its entries, its tokens, and the token that was last. */
    final int[] splitEntries;
    final int[] splitTokens;
    private final int[] lastToken;

    HostMessage(int ranks, int rowBytes) {
        this.rowBytes = rowBytes;
        this.entries = new int[ranks];
        this.entry = new int[ranks];
        this.rowAt = new long[ranks];
        this.splitEntries = new int[ranks];
        this.splitTokens = new int[ranks];
        this.lastToken = new int[ranks];
    }

    /** The most bytes for so many entries and tokens. */
    static long most(int entries, int tokens, int rowBytes) {
        return TokenMessage.HEADER + (long) ENTRY * entries + (long) tokens * (TokenMessage.NUMBER + rowBytes);
    }

    /**
     * Merges messages.
     *
     * @param messages by position
     * @param bytes by position, nothing positive where there is no message
     * @param targets the positions of the ranks of a host
     * @param room gets the merged one
     * @param at where in it
     * @return its size
     */
    long merge(MemorySegment[] messages, long[] bytes, int[] targets, Room room, int at) {
        int all = 0;
        int tokens = 0;
        for (int target : targets) {
            entries[target] = bytes[target] > 0 ? TokenMessage.entries(messages[target]) : 0;
            entry[target] = 0;
            rowAt[target] = TokenMessage.at(entries[target]);
            all += entries[target];
            tokens += (int) (bytes[target] > 0 ? (bytes[target] - rowAt[target]) / (TokenMessage.NUMBER + rowBytes) : 0);
        }
        if (all == 0) {
            return 0;
        }
        MemorySegment into = room.atLeast(at, most(all, tokens, rowBytes));
        into.set(JAVA_INT_UNALIGNED, 0, all);
        long entryAt = TokenMessage.HEADER;
        long end = entryAt + (long) ENTRY * all;
        for (int token = next(messages, targets); token >= 0; token = next(messages, targets)) {
            boolean written = false;
            for (int target : targets) {
                if (entry[target] < entries[target] && messages[target].get(JAVA_INT_UNALIGNED, rowAt[target]) == token) {
                    if (!written) {
                        MemorySegment.copy(messages[target], rowAt[target], into, end, (long) TokenMessage.NUMBER + rowBytes);
                        end += TokenMessage.NUMBER + rowBytes;
                    }
                    entryAt = take(messages[target], target, !written, into, entryAt);
                    written = true;
                }
            }
        }
        return end;
    }

    /** The lowest number of a token that is left; -1 if there is none. */
    private int next(MemorySegment[] messages, int[] targets) {
        int lowest = -1;
        for (int target : targets) {
            if (entry[target] < entries[target]) {
                int number = messages[target].get(JAVA_INT_UNALIGNED, rowAt[target]);
                lowest = lowest < 0 || number < lowest ? number : lowest;
            }
        }
        return lowest;
    }

    /** Takes the entries of one token. */
    private long take(MemorySegment message, int target, boolean first, MemorySegment into, long at) {
        long end = at;
        do {
            boolean opens = first && end == at;
            into.set(JAVA_INT_UNALIGNED, end,
                    TokenMessage.pack(opens, TokenMessage.choice(message, entry[target]),
                            TokenMessage.slot(message, entry[target])));
            into.set(JAVA_FLOAT_UNALIGNED, end + 4, TokenMessage.weight(message, entry[target]));
            into.set(JAVA_INT_UNALIGNED, end + 8, target);
            end += ENTRY;
            entry[target]++;
        } while (entry[target] < entries[target] && !TokenMessage.first(message, entry[target]));
        rowAt[target] += TokenMessage.NUMBER + rowBytes;
        return end;
    }

    /** Counts what each rank of this host gets of a message. */
    void count(MemorySegment message, long bytes, int[] targets, int rank) {
        for (int target : targets) {
            splitEntries[target] = 0;
            splitTokens[target] = 0;
            lastToken[target] = -1;
        }
        if (bytes <= 0) {
            return;
        }
        int all = bytes < TokenMessage.HEADER ? -1 : message.get(JAVA_INT_UNALIGNED, 0);
        long end = TokenMessage.HEADER + (long) ENTRY * all;
        if (all <= 0 || end > bytes) {
            throw malformed(rank, bytes, all + " choices");
        }
        int tokens = 0;
        for (int i = 0; i < all; i++) {
            long at = TokenMessage.HEADER + (long) i * ENTRY;
            tokens += message.get(JAVA_INT_UNALIGNED, at) < 0 ? 1 : 0;
            int target = message.get(JAVA_INT_UNALIGNED, at + 8);
            if (tokens == 0 || !contains(targets, target)) {
                throw malformed(rank, bytes, "a choice for position " + target);
            }
            splitEntries[target]++;
            if (lastToken[target] != tokens) {
                lastToken[target] = tokens;
                splitTokens[target]++;
            }
        }
        if (end + (long) tokens * (TokenMessage.NUMBER + rowBytes) != bytes) {
            throw malformed(rank, bytes, tokens + " tokens");
        }
    }

    private static boolean contains(int[] targets, int target) {
        for (int one : targets) {
            if (one == target) {
                return true;
            }
        }
        return false;
    }

    private static IllegalStateException malformed(int rank, long bytes, String what) {
        return new IllegalStateException("the message of " + bytes + " bytes with tokens for this host from rank " + rank
                + " does not fit: " + what + "; do all ranks have the same configuration?");
    }

    /** Writes what each rank of this host gets of a message that has been {@linkplain #count counted}; all writers have begun. */
    void split(MemorySegment message, long bytes, TokenMessage.Writer[] writers) {
        if (bytes <= 0) {
            return;
        }
        int all = message.get(JAVA_INT_UNALIGNED, 0);
        long row = TokenMessage.HEADER + (long) ENTRY * all - TokenMessage.NUMBER - rowBytes;
        for (int i = 0; i < all; i++) {
            long at = TokenMessage.HEADER + (long) i * ENTRY;
            int packed = message.get(JAVA_INT_UNALIGNED, at);
            row += packed < 0 ? TokenMessage.NUMBER + rowBytes : 0;
            writers[message.get(JAVA_INT_UNALIGNED, at + 8)].add(message.get(JAVA_INT_UNALIGNED, row),
                    TokenMessage.choice(packed),
                    TokenMessage.slot(packed), message.get(JAVA_FLOAT_UNALIGNED, at + 4), message, row + TokenMessage.NUMBER);
        }
    }
}
