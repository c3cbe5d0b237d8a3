package org.maniple.api.tensor;

import java.util.Arrays;

/**
 * Which rows a ragged value has on this rank in this step: one for each pair of a token and an expert that this rank computes, ordered by the
 * slot of the expert, and within a slot by token. Filled anew in every step by whoever makes the rows; all values that are computed from
 * those share it. Not safe for use by several threads while it is filled.
 *
 * <p>A token's number is that of its row in values over TOKENS: of this rank's values where the rows were made of these, and of the whole step
 * where they came from other ranks.
 */
public final class PairRows {

    private final int choices;
    private final int[] starts;
    private final int[] tokens;
    private final int[] choice;
    private final int[] rows;
    private int count;
    private int tokenCount;
    private int openSlot;

    /**
     * Room for rows.
     *
     * @param slots experts on this rank, each in a slot
     * @param choices experts of a token at most
     * @param maxTokens tokens at most
     * @param maxRows rows at most
     */
    public PairRows(int slots, int choices, int maxTokens, int maxRows) {
        this.choices = choices;
        starts = new int[slots + 1];
        tokens = new int[maxRows];
        choice = new int[maxRows];
        rows = new int[Math.multiplyExact(maxTokens, choices)];
    }

    /**
     * Begins to fill it anew.
     *
     * @param tokensInUse tokens of this step that there are rows for
     */
    public void begin(int tokensInUse) {
        tokenCount = tokensInUse;
        count = 0;
        openSlot = 0;
        Arrays.fill(rows, 0, tokensInUse * choices, -1);
    }

    /**
     * Adds a row behind those that are there.
     *
     * @param slot not below that of the row before
     * @param token from 0 to the tokens in use, ascending within a slot
     * @param which which of the token's choices, from 0
     * @return the number of the row
     */
    public int add(int slot, int token, int which) {
        while (openSlot < slot) {
            starts[++openSlot] = count;
        }
        tokens[count] = token;
        choice[count] = which;
        rows[token * choices + which] = count;
        return count++;
    }

    /** Ends the filling. */
    public void end() {
        while (openSlot < starts.length - 1) {
            starts[++openSlot] = count;
        }
    }

    /**
     * The slots.
     *
     * @return experts on this rank
     */
    public int slots() {
        return starts.length - 1;
    }

    /**
     * The rows in use.
     *
     * @return how many there are
     */
    public int rows() {
        return count;
    }

    /**
     * Rows that there is room for.
     *
     * @return as given
     */
    public int capacity() {
        return tokens.length;
    }

    /**
     * Tokens that there are rows for.
     *
     * @return as given
     */
    public int tokens() {
        return tokenCount;
    }

    /**
     * Experts of a token at most.
     *
     * @return as given
     */
    public int choices() {
        return choices;
    }

    /**
     * The first row of a slot.
     *
     * @param slot from 0 to {@link #slots()}, both included: the last one gives the number of rows
     * @return a row; if there are none in the slot, that of the next
     */
    public int start(int slot) {
        return starts[slot];
    }

    /**
     * The token of a row.
     *
     * @param row from 0 to {@link #rows()}
     * @return its number
     */
    public int token(int row) {
        return tokens[row];
    }

    /**
     * Which of its token's choices a row is.
     *
     * @param row from 0 to {@link #rows()}
     * @return from 0 to {@link #choices()}
     */
    public int choice(int row) {
        return choice[row];
    }

    /**
     * The row of a choice.
     *
     * @param token from 0 to {@link #tokens()}
     * @param which from 0 to {@link #choices()}
     * @return a row, or -1 if it is not on this rank
     */
    public int row(int token, int which) {
        return rows[token * choices + which];
    }
}
