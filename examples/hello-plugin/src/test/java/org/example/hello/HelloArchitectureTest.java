package org.example.hello;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.maniple.api.graph.Node;
import org.maniple.api.model.ModelArchitecture;
import org.maniple.api.model.ModelConfig;
import org.maniple.testkit.ModelArchitectureContract;

/** The contract's tests run here too. */
class HelloArchitectureTest extends ModelArchitectureContract {

    @Override
    protected ModelArchitecture architecture() {
        return new HelloArchitecture();
    }

    @Override
    protected ModelConfig config() {
        return HelloCheckpoint.modelConfig();
    }

    @Test
    void usesEveryTensorOfItsCheckpoint() {
        assertUsesAllOf(architecture().graph(config()), new HelloCheckpoint().shapes());
    }

    @Test
    void normsWithItsOwnOperation() {
        assertThat(architecture().graph(config()).nodes().stream().map(Node::op).filter(LayerNorm.class::isInstance))
                .hasSize(2 * HelloCheckpoint.LAYERS + 1)
                .containsOnly(new LayerNorm((float) HelloCheckpoint.EPSILON));
    }
}
