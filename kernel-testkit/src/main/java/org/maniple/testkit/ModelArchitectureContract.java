package org.maniple.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Node;
import org.maniple.api.graph.Operand;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.TensorView;
import org.maniple.api.graph.Value;
import org.maniple.api.model.ModelArchitecture;
import org.maniple.api.model.ModelConfig;

/** What every model architecture must do with a configuration that it accepts. */
public abstract class ModelArchitectureContract {

    /** For the test class of an architecture. */
    protected ModelArchitectureContract() {}

    /**
     * The architecture under test.
     *
     * @return a new one
     */
    protected abstract ModelArchitecture architecture();

    /**
     * A configuration that it accepts.
     *
     * @return any
     */
    protected abstract ModelConfig config();

    /**
     * Compares a graph with a stored model: each parameter must be stored with the extents that it says, and no tensor may remain unused.
     *
     * @param graph the graph
     * @param stored the shapes of all stored tensors
     */
    protected static void assertUsesAllOf(ModelGraph graph, Map<String, List<Long>> stored) {
        var used = new HashMap<String, List<Long>>();
        for (Parameter parameter : graph.parameters()) {
            used.putAll(parameter.source().tensors());
        }
        assertEquals(new TreeMap<>(stored), new TreeMap<>(used));
    }

    @Test
    void acceptsItsOwnConfigurationAndNoUnknownArchitecture() {
        assertTrue(architecture().accepts(config()));
        assertFalse(architecture().accepts(new ModelConfig("config.json", Map.of("architectures", List.of("NoSuchModel")))));
        assertFalse(architecture().accepts(new ModelConfig("config.json", Map.of())));
    }

    @Test
    void givesEqualGraphsForEqualConfigurations() {
        assertEquals(architecture().graph(config()), architecture().graph(config()));
    }

    /** Without and, where there is one, with the layer that guesses tokens. */
    private List<ModelGraph> graphs() {
        var graphs = new ArrayList<ModelGraph>();
        graphs.add(architecture().graph(config()));
        architecture().draftingGraph(config()).ifPresent(graphs::add);
        return graphs;
    }

    @Test
    void guessesInAPartOfItsOwnBehindTheSameGraph() {
        assertTrue(architecture().graph(config()).draft().isEmpty());
        architecture().draftingGraph(config()).ifPresent(graph -> {
            ModelGraph.Draft draft = graph.draft().orElseThrow();
            assertEquals(architecture().graph(config()).nodes(), graph.nodes().subList(0, draft.firstNode()));
            var own = new HashSet<Value>();
            own.add(graph.ids());
            own.add(draft.hidden());
            for (Node node : graph.nodes().subList(draft.firstNode(), graph.nodes().size())) {
                for (Operand input : node.inputs()) {
                    assertTrue(!(input instanceof Value value) || own.contains(value),
                            () -> node + " reads " + input + ", which is not there while tokens are guessed");
                }
                own.addAll(node.outputs());
            }
            assertTrue(own.contains(draft.candidates()));
            assertEquals(graph.candidates().dims(), draft.candidates().dims());
        });
    }

    @Test
    void makesEveryValueOnceAndBeforeItIsRead() {
        graphs().forEach(ModelArchitectureContract::assertMadeInOrder);
    }

    private static void assertMadeInOrder(ModelGraph graph) {
        var made = new HashSet<Value>();
        made.add(graph.ids());
        graph.draft().ifPresent(draft -> made.add(draft.hidden()));
        for (Node node : graph.nodes()) {
            for (Operand input : node.inputs()) {
                assertTrue(!(input instanceof Value value) || made.contains(value),
                        () -> node + " reads " + input + " too early");
            }
            node.outputs().forEach(output -> assertTrue(made.add(output), () -> node + " makes " + output + " again"));
        }
        assertTrue(made.contains(graph.logits()) && made.contains(graph.candidates()));
    }

    @Test
    void namesEveryValueParameterAndStateDifferently() {
        graphs().forEach(ModelArchitectureContract::assertNamesDiffer);
    }

    private static void assertNamesDiffer(ModelGraph graph) {
        var values = new ArrayList<String>();
        graph.nodes().forEach(node -> node.outputs().forEach(output -> values.add(output.name())));
        assertDistinct(values);
        assertDistinct(graph.parameters().stream().map(Parameter::name).toList());
        assertDistinct(graph.states().stream().map(Operand::name).toList());
    }

    @Test
    void namesWhatObserversLookFor() {
        ModelGraph graph = architecture().graph(config());
        var names = new TreeSet<String>();
        graph.nodes().forEach(node -> node.outputs().forEach(output -> names.add(output.name())));
        assertTrue(names.contains("hidden.norm"), () -> "hidden.norm is not among " + names);
        for (int layer = 0; layer < graph.layers(); layer++) {
            assertTrue(names.containsAll(List.of("hidden." + layer, "attn." + layer, "mlp." + layer, "hidden." + (layer + 1))),
                    () -> "a name of a block is not among " + names);
        }
    }

    @Test
    void viewsEveryAxisOfEveryParameter() {
        for (Parameter parameter : graphs().getLast().parameters()) {
            var axes = new HashMap<Object, Integer>();
            if (parameter.source() instanceof TensorView.Stacked many) {
                axes.put(many.axis(), many.units());
            }
            List<TensorView.StoredDim> dims = parameter.source().dims();
            dims.forEach(dim -> dim.factors().forEach(factor -> factor.axis().ifPresent(axis -> axes.put(axis, factor.count()))));
            var expected = new HashMap<Object, Integer>();
            parameter.dims().forEach(dim -> expected.put(dim.axis(), dim.extent()));
            assertEquals(expected, axes, parameter.name());
        }
    }

    private static void assertDistinct(List<String> names) {
        var seen = new HashSet<String>();
        names.forEach(name -> assertTrue(seen.add(name), () -> name + " occurs twice"));
    }
}
