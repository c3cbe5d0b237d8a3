package org.maniple.api.collective;

import org.maniple.api.tensor.Tensor;

/**
 * An {@link AllToAll} at work among some ranks for one layer after another. All ranks of the group call the same methods in the same order,
 * also those that have no token. Nothing is allocated on the heap once it is warm.
 */
public interface PairExchange {

    /** Which rank of the group computes a choice of a token. */
    interface Owners {
        /**
         * The rank that computes a choice.
         *
         * @param token a row of the tokens dispatched
         * @param choice which of its choices
         * @return a position in the group, or -1 if the choice belongs to none of these ranks
         */
        int position(int token, int choice);

        /**
         * The slot that the choice's expert has on that rank.
         *
         * @param token a row of the tokens dispatched
         * @param choice which of its choices
         * @return a slot
         */
        int slot(int token, int choice);
    }

    /**
     * Brings this rank's tokens to the ranks that have their experts, each token at most once to each rank.
     *
     * @param x {@code [tokens, width]} F32: this rank's tokens
     * @param weights {@code [tokens, choices]} F32
     * @param owners where each choice is computed
     * @param first the number of this rank's first token among all tokens of the step
     * @param all how many tokens the step has on all ranks
     * @param largest the most tokens that any rank of the group has in this step; the same on all of them
     * @param pairs receives the rows for this rank's slots; its {@link Tensor#pairs()} is filled, and counts tokens by their numbers in the
     *     step
     */
    void dispatch(Tensor x, Tensor weights, Owners owners, int first, int all, int largest, Tensor pairs);

    /**
     * Brings back what the last {@link #dispatch} brought: on each rank that a token has visited, its rows are summed by weight in the order of its
     * choices; at its home these sums are added in the order of the ranks.
     *
     * @param pairs the rows, computed
     * @param out {@code [tokens, width]} F32: receives the sums of this rank's tokens; zero for a token that has visited no rank
     */
    void combine(Tensor pairs, Tensor out);

    /**
     * Begins what {@link #dispatch} does. Nothing that it is given is to be touched until it has ended, and nothing else is begun here until then; another
     * exchange among the same ranks may be.
     *
     * @param x as there
     * @param weights as there
     * @param owners as there
     * @param first as there
     * @param all as there
     * @param largest as there
     * @param pairs as there, once it has ended
     * @return to be {@linkplain Communicator.Begun#end ended}; may be over already
     */
    default Communicator.Begun beginDispatch(Tensor x, Tensor weights, Owners owners, int first, int all, int largest,
            Tensor pairs) {
        dispatch(x, weights, owners, first, all, largest, pairs);
        return Communicator.Begun.OVER;
    }

    /**
     * Begins what {@link #combine} does; the same holds as for {@link #beginDispatch}.
     *
     * @param pairs as there
     * @param out as there, once it has ended
     * @return to be {@linkplain Communicator.Begun#end ended}; may be over already
     */
    default Communicator.Begun beginCombine(Tensor pairs, Tensor out) {
        combine(pairs, out);
        return Communicator.Begun.OVER;
    }

    /**
     * Bytes sent to other ranks by dispatching so far, without the transport's headers. May be called by any thread, then a little late.
     *
     * @return bytes
     */
    long dispatchedBytes();

    /**
     * Bytes sent to other ranks by combining so far, without the transport's headers. May be called by any thread, then a little late.
     *
     * @return bytes
     */
    long combinedBytes();
}
