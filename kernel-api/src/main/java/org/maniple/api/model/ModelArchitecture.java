package org.maniple.api.model;

import java.util.Optional;
import org.maniple.api.Extension;
import org.maniple.api.graph.ModelGraph;

/**
 * A family of models: turns a {@code config.json} into a graph. Nothing in it is parallel; two calls with the same configuration give
 * equal graphs.
 */
public interface ModelArchitecture extends Extension {

    /**
     * Whether this architecture builds models of this kind.
     *
     * @param config the model's configuration
     * @return whether {@link #graph} can be called; usually decided by {@link ModelConfig#architecture()}
     */
    boolean accepts(ModelConfig config);

    /**
     * Builds the graph.
     *
     * @param config the model's configuration
     * @return the graph
     * @throws ModelConfigException if a key is missing, or has a value that this architecture cannot build; names the key
     */
    ModelGraph graph(ModelConfig config);

    /**
     * Builds the graph with the layer that guesses the token after the next one, for speculative decoding.
     *
     * @param config the model's configuration
     * @return a graph with {@link ModelGraph#draft}; empty if the model has no such layer, or this architecture does not know it
     * @throws ModelConfigException as {@link #graph}
     */
    default Optional<ModelGraph> draftingGraph(ModelConfig config) {
        return Optional.empty();
    }
}
