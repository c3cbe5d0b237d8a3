package org.maniple.moe.ep;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.maniple.api.tensor.PairRows;

/**
 * The tokens that have come to this rank, in the order of the ranks that they came from, and which of their choices it computes. In the rows of experts
 * they are counted by their numbers in the step.
 */
final class Arrivals {

    private final int slots;
    private final int rowBytes;
    private final int[] firsts;
    private final int[] slotStarts;
    private int all;
    private int entries;
    private int tokens;
    /** By entry, in the order of arrival. */
    private int[] entryToken = {};
    private int[] entryChoice = {};
    private int[] entrySlot = {};
    private float[] entryWeight = {};
    private int[] rowOfEntry = {};
    /** Entries in the order of rows. */
    private int[] order = {};
    private float[] rowWeight = {};
    private int[] rowToken = {};
    /** By token. */
    private int[] sources = {};
    private int[] numbers = {};
    private long[] rowsAt = {};

    Arrivals(int ranks, int slots, int rowBytes) {
        this.slots = slots;
        this.rowBytes = TokenMessage.NUMBER + rowBytes;
        firsts = new int[ranks + 1];
        slotStarts = new int[slots + 1];
    }

    void begin(int tokensOfStep) {
        all = tokensOfStep;
        entries = 0;
        tokens = 0;
        Arrays.fill(slotStarts, 0);
    }

    /** Reads what a rank has sent; the ranks come in ascending order. */
    void add(int position, int rank, MemorySegment message, long bytes) {
        firsts[position] = tokens;
        if (bytes > 0) {
            int count = bytes < TokenMessage.HEADER ? -1 : TokenMessage.entries(message);
            if (count <= 0 || TokenMessage.at(count) > bytes) {
                throw malformed(rank, bytes, count + " choices");
            }
            grow(entries + count);
            for (int entry = 0; entry < count; entry++) {
                take(position, rank, message, entry, count, bytes);
            }
            long end = TokenMessage.at(count) + (long) (tokens - firsts[position]) * rowBytes;
            if (end != bytes) {
                throw malformed(rank, bytes, (tokens - firsts[position]) + " tokens");
            }
        }
        firsts[position + 1] = tokens;
    }

    private void take(int position, int rank, MemorySegment message, int entry, int count, long bytes) {
        int slot = TokenMessage.slot(message, entry);
        if (slot >= slots || entry == 0 && !TokenMessage.first(message, entry)) {
            throw malformed(rank, bytes, "slot " + slot + ", where there are " + slots);
        }
        if (TokenMessage.first(message, entry)) {
            sources[tokens] = position;
            long at = TokenMessage.at(count) + (long) (tokens - firsts[position]) * rowBytes;
            if (at + rowBytes > bytes) {
                throw malformed(rank, bytes, "more than " + (tokens - firsts[position]) + " tokens");
            }
            rowsAt[tokens] = at + TokenMessage.NUMBER;
            numbers[tokens] = message.get(JAVA_INT_UNALIGNED, at);
            if (numbers[tokens] < 0 || numbers[tokens] >= all) {
                throw malformed(rank, bytes, "token " + numbers[tokens] + " of " + all);
            }
            tokens++;
        }
        enter(TokenMessage.choice(message, entry), slot, TokenMessage.weight(message, entry));
    }

    private void enter(int choice, int slot, float weight) {
        entryToken[entries] = tokens - 1;
        entryChoice[entries] = choice;
        entrySlot[entries] = slot;
        entryWeight[entries] = weight;
        slotStarts[slot + 1]++;
        entries++;
    }

    /** The entries that follow come from this rank; the ranks come in ascending order. */
    void from(int position) {
        firsts[position] = tokens;
        firsts[position + 1] = tokens;
    }

    /**
     * Takes one choice.
     *
     * @param position of the rank that it comes from
     * @param rank its number, for an error
     * @param number the token's in the step; tokens ascend
     * @param rowAt what {@link #rowAt} is to say of the token
     */
    void take(int position, int rank, int number, long rowAt, int choice, int slot, float weight) {
        if (slot < 0 || slot >= slots || number < 0 || number >= all) {
            throw new IllegalStateException(
                    "rank " + rank + " shows token " + number + " of " + all + " for slot " + slot + " of "
                            + slots + "; do all ranks have the same configuration?");
        }
        grow(entries + 1);
        if (tokens == firsts[position] || numbers[tokens - 1] != number) {
            sources[tokens] = position;
            rowsAt[tokens] = rowAt;
            numbers[tokens] = number;
            tokens++;
        }
        firsts[position + 1] = tokens;
        enter(choice, slot, weight);
    }

    private static IllegalStateException malformed(int rank, long bytes, String what) {
        return new IllegalStateException(
                "the message of " + bytes + " bytes with tokens from rank " + rank + " does not fit: " + what
                        + "; do all ranks have the same configuration?");
    }

    private void grow(int count) {
        if (count > entryToken.length) {
            int size = Math.max(2 * entryToken.length, count);
            entryToken = Arrays.copyOf(entryToken, size);
            entryChoice = Arrays.copyOf(entryChoice, size);
            entrySlot = Arrays.copyOf(entrySlot, size);
            entryWeight = Arrays.copyOf(entryWeight, size);
            rowOfEntry = Arrays.copyOf(rowOfEntry, size);
            order = new int[size];
            rowWeight = new float[size];
            rowToken = new int[size];
            sources = Arrays.copyOf(sources, size);
            numbers = Arrays.copyOf(numbers, size);
            rowsAt = Arrays.copyOf(rowsAt, size);
        }
    }

    /** Orders everything by slot, and within a slot by token. */
    void fill(PairRows pairs) {
        if (entries > pairs.capacity()) {
            throw new IllegalStateException(
                    entries + " pairs of tokens and experts have come, but there is room for " + pairs.capacity() + " only");
        }
        for (int slot = 0; slot < slots; slot++) {
            slotStarts[slot + 1] += slotStarts[slot];
        }
        for (int entry = 0; entry < entries; entry++) {
            order[slotStarts[entrySlot[entry]]++] = entry;
        }
        pairs.begin(all);
        for (int i = 0; i < entries; i++) {
            int entry = order[i];
            int row = pairs.add(entrySlot[entry], numbers[entryToken[entry]], entryChoice[entry]);
            rowWeight[row] = entryWeight[entry];
            rowToken[i] = entryToken[entry];
            rowOfEntry[entry] = row;
        }
        pairs.end();
    }

    int entries() {
        return entries;
    }

    /** Which of the tokens an entry is of; entries are in the order of arrival. */
    int tokenOf(int entry) {
        return entryToken[entry];
    }

    /** The row of experts that an entry has become. */
    int rowOf(int entry) {
        return rowOfEntry[entry];
    }

    /** The first token from a rank; behind the last rank, the number of tokens. */
    int first(int position) {
        return firsts[position];
    }

    /** Which of the tokens a row of an expert is of. */
    int token(int pairRow) {
        return rowToken[pairRow];
    }

    /** A token's number in the step. */
    int number(int token) {
        return numbers[token];
    }

    int source(int token) {
        return sources[token];
    }

    /** Where a token's row begins in the message that it came with, or what was said of it. */
    long rowAt(int token) {
        return rowsAt[token];
    }

    float weight(int pairRow) {
        return rowWeight[pairRow];
    }
}
