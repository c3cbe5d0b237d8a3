package org.maniple.api.graph;

/** The axes that models share, so that a parallelism can name them. A plugin may use axes of its own beside these. */
public final class Axes {

    /** Tokens of the step: the rows of every activation. Its ranges come from the step, not from the graph. */
    public static final Axis TOKENS = new Axis("TOKENS");
    /** Sequences: the first axis of every state. Of the family of {@link #TOKENS}. */
    public static final Axis SEQS = new Axis("SEQS");
    /** Tokens whose logits are wanted. Of the family of {@link #TOKENS}. */
    public static final Axis ROWS = new Axis("ROWS");
    /** Query heads. */
    public static final Axis HEADS = new Axis("HEADS");
    /** Key-value heads; a model derives them from {@link #HEADS}. */
    public static final Axis KV_HEADS = new Axis("KV_HEADS");
    /** Columns of a dense feed-forward network. */
    public static final Axis FFN = new Axis("FFN");
    /** Columns of a shared expert. */
    public static final Axis SHARED_FFN = new Axis("SHARED_FFN");
    /** Columns of a routed expert. */
    public static final Axis EXPERT_FFN = new Axis("EXPERT_FFN");
    /** Routed experts. */
    public static final Axis EXPERTS = new Axis("EXPERTS");
    /** Outputs of a router. As many as {@link #EXPERTS}, but separate: otherwise splitting experts would split the router. */
    public static final Axis GATES = new Axis("GATES");
    /** Rows of the embedding and of the head. */
    public static final Axis VOCAB = new Axis("VOCAB");
    /** Channels of the residual stream. */
    public static final Axis HIDDEN = new Axis("HIDDEN");
    /** Blocks of the model; cuts the list of operations, no tensor. */
    public static final Axis LAYERS = new Axis("LAYERS");

    private Axes() {}

    /**
     * Whether the ranges of an axis come from the step: tokens, sequences, rows.
     *
     * @param axis any axis
     * @return whether it is of the family of {@link #TOKENS}
     */
    public static boolean ofTokens(Axis axis) {
        return axis.equals(TOKENS) || axis.equals(SEQS) || axis.equals(ROWS);
    }
}
