package org.maniple.api.graph;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A model without ranks. Nodes are in an order in which they can run; every value is made by one node, before those that read it.
 *
 * @param architecture the model architecture's name
 * @param layers the number of blocks
 * @param nodes all operations
 * @param parameters all weights
 * @param states all that is kept of a sequence
 * @param derivations the axes that follow others, by axis
 * @param ids the token ids: the one value that no node makes
 * @param logits {@code [ROWS, VOCAB]}
 * @param candidates the result of {@link BuiltinOp.TopK} over the logits
 * @param vocabulary the number of token ids
 * @param contextLength positions that the model was made for
 * @param draft the part that guesses further tokens, if the graph has one
 */
public record ModelGraph(
        String architecture,
        int layers,
        List<Node> nodes,
        List<Parameter> parameters,
        List<State> states,
        Map<Axis, Derivation> derivations,
        Value ids,
        Value logits,
        Value candidates,
        int vocabulary,
        int contextLength,
        Optional<Draft> draft) {

    /**
     * The last nodes of a graph, which guess the token after the next one (DeepSeek-V3, section 2.2). They run in passes of their own, once it
     * is known which tokens the others have led to: the rows of such a pass are positions that the other nodes have computed before, and its ids
     * are the tokens <em>after</em> these.
     *
     * @param firstNode the first of them; those before it do not read what they make, nor they anything that those before make
     * @param source what of a position they go on from {@code [TOKENS, d]}, made by a node before them
     * @param hidden the same under an axis of their own {@code [TOKENS, d']}: made by no node
     * @param candidates the result of {@link BuiltinOp.TopK} over their logits, as wide as the graph's
     */
    public record Draft(int firstNode, Value source, Value hidden, Value candidates) {}

    /**
     * A graph that guesses nothing.
     *
     * @param architecture as above
     * @param layers as above
     * @param nodes as above
     * @param parameters as above
     * @param states as above
     * @param derivations as above
     * @param ids as above
     * @param logits as above
     * @param candidates as above
     * @param vocabulary as above
     * @param contextLength as above
     */
    public ModelGraph(String architecture, int layers, List<Node> nodes, List<Parameter> parameters, List<State> states,
            Map<Axis, Derivation> derivations, Value ids, Value logits, Value candidates, int vocabulary, int contextLength) {
        this(architecture, layers, nodes, parameters, states, derivations, ids, logits, candidates, vocabulary, contextLength,
                Optional.empty());
    }

    /** Copies the collections. */
    public ModelGraph {
        nodes = List.copyOf(nodes);
        parameters = List.copyOf(parameters);
        states = List.copyOf(states);
        derivations = Map.copyOf(derivations);
    }

    /**
     * What the model knows at the selected tokens after its last norm, before it becomes logits.
     *
     * @return {@code [ROWS, …]}; empty if the graph selects rows in another way than by {@link BuiltinOp.Select}
     */
    public Optional<Value> selected() {
        return nodes.stream().filter(node -> node.op() instanceof BuiltinOp.Select).map(node -> node.outputs().getFirst())
                .findFirst();
    }

    /**
     * The axis whose rule decides about an axis: itself, the one it is derived from, or TOKENS for sequences and rows.
     *
     * @param axis any axis
     * @return the head of its family
     */
    public Axis family(Axis axis) {
        if (Axes.ofTokens(axis)) {
            return Axes.TOKENS;
        }
        Derivation derivation = derivations.get(axis);
        return derivation == null ? axis : derivation.from();
    }
}
