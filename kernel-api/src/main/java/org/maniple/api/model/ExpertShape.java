package org.maniple.api.model;

import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Dim;

/**
 * The extents of a mixture of experts, read from a configuration and checked against each other. Families count them under different keys.
 *
 * @param experts routed experts of a layer
 * @param choices how many of them each token passes
 * @param columns columns of a routed expert
 */
public record ExpertShape(int experts, int choices, int columns) {

    /** More than any model has; a damaged configuration should not fill the memory with names of tensors. */
    private static final int MAX_EXPERTS = 16_384;

    /**
     * Parts of equal size that experts are chosen by.
     *
     * @param count how many there are; 1: none
     * @param kept how many of them a token's experts are chosen from
     */
    public record Groups(int count, int kept) {
        /** All experts in one. */
        public static final Groups NONE = new Groups(1, 1);
    }

    /**
     * Reads the extents.
     *
     * @param config the model's configuration
     * @param expertsKey the key that counts routed experts, for example {@code num_experts}
     * @param columnsKey the key that counts their columns, for example {@code moe_intermediate_size}
     * @return the extents
     * @throws ModelConfigException if a key is missing or does not fit the others
     */
    public static ExpertShape of(ModelConfig config, String expertsKey, String columnsKey) {
        int experts = config.extent(expertsKey);
        if (experts > MAX_EXPERTS) {
            throw config.unsupported(expertsKey, "at most " + MAX_EXPERTS);
        }
        int choices = config.extent("num_experts_per_tok");
        if (choices > experts) {
            throw config.unsupported("num_experts_per_tok", "at most " + expertsKey + " [" + experts + "]");
        }
        return new ExpertShape(experts, choices, config.extent(columnsKey));
    }

    /**
     * Reads {@code n_group} and {@code topk_group}.
     *
     * @param config the same configuration
     * @param least experts of a group at least, as many as its score is made from
     * @return the groups; {@link Groups#NONE} where the keys are absent
     * @throws ModelConfigException if they do not fit the experts
     */
    public Groups groups(ModelConfig config, int least) {
        int count = config.extent("n_group", 1);
        if (experts % count != 0) {
            throw config.unsupported("n_group", "a divisor of the number of routed experts [" + experts + "]");
        }
        if (count > 1 && experts / count < least) {
            throw config.unsupported("n_group", "groups of at least " + least + " of the " + experts
                    + " routed experts, since a group's score is made from as many");
        }
        int kept = config.extent("topk_group", 1);
        if (kept > count) {
            throw config.unsupported("topk_group", "at most n_group [" + count + "]");
        }
        if (kept * (experts / count) < choices) {
            throw config.unsupported("topk_group", "groups that have num_experts_per_tok [" + choices + "] experts together, not "
                    + kept * (experts / count));
        }
        return new Groups(count, kept);
    }

    /**
     * The dimension of routed experts.
     *
     * @return {@link Axes#EXPERTS}
     */
    public Dim routedExperts() {
        return Axes.EXPERTS.of(experts);
    }

    /**
     * The dimension of a router's outputs.
     *
     * @return {@link Axes#GATES}
     */
    public Dim gates() {
        return Axes.GATES.of(experts);
    }

    /**
     * The dimension of a routed expert's columns.
     *
     * @return {@link Axes#EXPERT_FFN}
     */
    public Dim expertColumns() {
        return Axes.EXPERT_FFN.of(columns);
    }
}
