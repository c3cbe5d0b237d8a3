package org.maniple.kernel.plan;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.TensorView;
import org.maniple.api.graph.TensorView.StoredDim;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.tensor.DType;
import org.maniple.kernel.load.Quantization;
import org.maniple.kernel.load.WeightSizes;

/** A model of which only the configuration is known, and perhaps the names of its tensors. Immutable. */
public final class PlannedModel {

    private static final int FACTOR_BYTES = Float.BYTES;

    private final ModelGraph graph;
    private final Quantization quantization;
    private final WeightTypes types;
    private final Set<String> index;
    private final int choices;
    private final int[] kinds;

    /**
     * A model of whose tensors at most the names are known.
     *
     * @param graph its graph
     * @param config its configuration
     * @param index the names of its tensors; empty if they are not known
     * @throws org.maniple.api.model.ModelConfigException if it is quantised in a way that cannot be read
     */
    public PlannedModel(ModelGraph graph, ModelConfig config, Set<String> index) {
        this(graph, config, Quantization.of(config), index, Quantization.of(config).blockTypes(graph, index));
    }

    /**
     * A model.
     *
     * @param graph its graph
     * @param config its configuration
     * @param quantization how its weights are quantised
     * @param index the names of its tensors; empty if they are not known
     * @param stored the types of tensors, as far as they are known
     */
    public PlannedModel(ModelGraph graph, ModelConfig config, Quantization quantization, Set<String> index,
            Map<String, DType> stored) {
        this.graph = graph;
        this.quantization = quantization;
        this.types = new WeightTypes(graph, config, quantization, index, stored);
        this.index = Set.copyOf(index);
        this.kinds = kinds(graph);
        this.choices = graph.nodes().stream().flatMap(n -> n.outputs().stream()).mapToInt(v -> v.choices()).max().orElse(0);
    }

    /**
     * The graph.
     *
     * @return without ranks
     */
    public ModelGraph graph() {
        return graph;
    }

    /**
     * The whole model, each stored tensor once.
     *
     * @return weights and bytes; as held by one rank alone
     */
    public WeightSizes.Size whole() {
        var counted = new HashSet<String>();
        long elements = 0;
        long stored = 0;
        long held = 0;
        for (Parameter parameter : graph.parameters()) {
            DType type = types.of(parameter);
            for (var tensor : parameter.source().tensors().entrySet()) {
                if (counted.add(tensor.getKey())) {
                    long count = tensor.getValue().stream().reduce(1L, Math::multiplyExact);
                    stored += quantization.storedBytes(type, count, tensor.getValue().getLast());
                    held += type.bytes(count);
                    elements += elements(parameter.source(), tensor.getKey(), count);
                    if (type == DType.F8_E4M3) {
                        stored += FACTOR_BYTES * factors(tensor.getValue());
                        held += FACTOR_BYTES * factors(tensor.getValue());
                    }
                }
            }
        }
        return new WeightSizes.Size(elements, stored, held);
    }

    private static long elements(TensorView view, String tensor, long count) {
        if (view instanceof TensorView.Mxfp4 mxfp4) {
            return tensor.equals(mxfp4.blocks()) ? 2 * count : 0;
        }
        return count;
    }

    private long factors(List<Long> shape) {
        long product = 1;
        for (int i = 0; i < shape.size(); i++) {
            int block = i == shape.size() - 1
                    ? quantization.blockColumns()
                    : i == shape.size() - 2 ? quantization.blockRows() : 1;
            product = Math.multiplyExact(product, Math.ceilDiv(shape.get(i), (long) block));
        }
        return product;
    }

    /**
     * How large the weights of ranks are.
     *
     * @return a new calculator, for one thread
     */
    WeightSizes sizes() {
        return new WeightSizes(quantization, types);
    }

    private record Kind(List<Dim> dims, Class<?> view, List<StoredDim> stored, DType type) {}

    private int[] kinds(ModelGraph of) {
        var numbers = new HashMap<Kind, Integer>();
        int[] all = new int[of.parameters().size()];
        for (Parameter parameter : of.parameters()) {
            var kind = new Kind(parameter.dims(), parameter.source().getClass(), parameter.source().dims(), types.of(parameter));
            all[parameter.id()] = numbers.computeIfAbsent(kind, k -> numbers.size());
        }
        return all;
    }

    /** A number that weights have in common which are stored alike and have equal dimensions. */
    int kind(Parameter parameter) {
        return kinds[parameter.id()];
    }

    /** Of each weight that experts have, which part a step reads: all, if there are tokens enough; of other weights all. */
    double read(Parameter parameter, double tokens) {
        Dim first = parameter.dims().getFirst();
        if (!first.axis().equals(Axes.EXPERTS) || choices == 0) {
            return 1;
        }
        return 1 - Math.pow(1 - Math.min(1, choices / (double) first.extent()), tokens);
    }

    /** The axes of the weights, each with its largest extent, and the number of blocks. */
    Map<Axis, Integer> axes() {
        var axes = new HashMap<Axis, Integer>();
        graph.parameters().forEach(p -> p.dims().forEach(d -> axes.merge(d.axis(), d.extent(), Math::max)));
        axes.put(Axes.LAYERS, graph.layers());
        return axes;
    }

    /**
     * Tensors that the model needs and the index does not name.
     *
     * @return sorted; empty if there is no index
     */
    public Set<String> missing() {
        var missing = new TreeSet<String>();
        if (!index.isEmpty()) {
            graph.parameters().forEach(p -> missing.addAll(p.source().tensors().keySet()));
            missing.removeIf(tensor -> quantization.indexed(tensor, index));
        }
        return missing;
    }
}
