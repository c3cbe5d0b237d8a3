package org.maniple.api.model;

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
}
