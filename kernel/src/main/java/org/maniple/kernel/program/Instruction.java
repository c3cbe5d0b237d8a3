package org.maniple.kernel.program;

import java.util.List;
import java.util.Optional;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.Node;

/** What the ranks of a stage do, one after the other. */
public sealed interface Instruction {

    /**
     * The block that it is listed with.
     *
     * @return see {@link Node#layer()}
     */
    int layer();

    /**
     * In which steps it is needed.
     *
     * @return usually in all
     */
    default Need need() {
        return Need.ALWAYS;
    }

    /**
     * An operation on this rank's pieces.
     *
     * @param node the operation
     * @param inputs its inputs
     * @param outputs its outputs
     */
    record Local(Node node, List<Piece> inputs, List<Piece> outputs) implements Instruction {
        /** Copies the lists. */
        public Local {
            inputs = List.copyOf(inputs);
            outputs = List.copyOf(outputs);
        }

        @Override
        public int layer() {
            return node.layer();
        }
    }

    /**
     * A difference of placements: an exchange between ranks, or a slice of what a rank has.
     *
     * @param kind what happens
     * @param dimensions the dimensions of the mesh along which it happens, outermost first, as the compiler counts them
     * @param axis the axis that is sliced, gathered or scattered
     * @param from what ranks have before
     * @param to what ranks have after
     * @param layer the block that it is listed with
     * @param need in which steps it is needed
     */
    record Seam(SeamKind kind, List<Integer> dimensions, Optional<Axis> axis, Piece from, Piece to, int layer,
            Need need)
            implements Instruction {
        /** Copies the list. */
        public Seam {
            dimensions = List.copyOf(dimensions);
        }
    }

    /**
     * Values go from the ranks of one stage to those of the next, each to the rank with the same other coordinates.
     *
     * @param pieces what goes
     * @param fromStage the stage that has them
     * @param layer the first block of the next stage
     */
    record Transfer(List<Piece> pieces, int fromStage, int layer) implements Instruction {
        /** Copies the list. */
        public Transfer {
            pieces = List.copyOf(pieces);
        }
    }

    /**
     * Makes the rows of experts: of the tokens that this rank has, or, where tokens are split over ranks, by bringing each to the ranks that have its
     * experts.
     *
     * @param node the operation
     * @param dimensions the dimensions along which tokens go to other ranks; empty: each rank has the tokens that it needs
     * @param x the tokens
     * @param ids the choices
     * @param weights of the choices
     * @param pairs the rows
     */
    record Dispatch(Node node, List<Integer> dimensions, Piece x, Piece ids, Piece weights, Piece pairs) implements Instruction {
        /** Copies the list. */
        public Dispatch {
            dimensions = List.copyOf(dimensions);
        }

        @Override
        public int layer() {
            return node.layer();
        }
    }

    /**
     * Sums the rows of experts whose results go back to other ranks.
     *
     * @param node the operation
     * @param dimensions the dimensions along which rows go
     * @param inOrder whether all rows go to where their token lives and are summed there in the order of the experts; otherwise each rank sums what
     *     it has of a token that a dispatch along the same dimensions brought, and the sums go back
     * @param pairs the rows
     * @param ids the choices of the tokens that live here
     * @param weights of the choices
     * @param sums the result
     */
    record Combine(Node node, List<Integer> dimensions, boolean inOrder, Piece pairs, Piece ids, Piece weights, Piece sums)
            implements
            Instruction {
        /** Copies the list. */
        public Combine {
            dimensions = List.copyOf(dimensions);
        }

        @Override
        public int layer() {
            return node.layer();
        }
    }

    /** In which steps something is needed. */
    enum Need {
        /** In all. */
        ALWAYS(""),
        /** Where whole rows of logits are wanted. */
        FULL_ROWS("only where whole rows are wanted"),
        /** Where rows of the hidden state are wanted. */
        HIDDEN_ROWS("only where the hidden state is wanted");

        private final String words;

        Need(String words) {
            this.words = words;
        }

        @Override
        public String toString() {
            return words;
        }
    }

    /** What happens at a seam. */
    enum SeamKind {
        /** Whole to split: each rank keeps its units; nothing is sent. */
        SLICE("slice"),
        /** Partial sums to whole. */
        ALL_REDUCE("all-reduce"),
        /** Partial lists of candidates to whole. */
        MERGE("gather+merge"),
        /** Partial sums to split. */
        REDUCE_SCATTER("reduce-scatter"),
        /** Split to whole. */
        ALL_GATHER("all-gather");

        private final String word;

        SeamKind(String word) {
            this.word = word;
        }

        @Override
        public String toString() {
            return word;
        }
    }
}
