package org.maniple.kernel.plan;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Node;
import org.maniple.api.graph.Operand;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.TensorView;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.tensor.DType;
import org.maniple.kernel.load.Quantization;
import org.maniple.kernel.load.QuantizedWeights;

/**
 * The types of a model's stored tensors as far as its configuration, and the index of its files if there is one, tell. In FP8 checkpoints
 * that is the type of the matrices that tokens are multiplied by, but not of the head and the router; a bias of a router's scores is F32;
 * everything else has the type that the configuration names. Of several tensors that make up a weight, the first is asked about.
 */
final class WeightTypes implements Function<String, DType> {

    private static final int MATRIX = 2;

    private final DType ordinary;
    private final Quantization.Method method;
    private final String factors;
    private final List<String> unconverted;
    private final Set<String> index;
    private final Map<String, DType> types = new HashMap<>();

    /**
     * @param index the names of all stored tensors; empty if they are not known
     * @param stored the types of those tensors, if they are known
     */
    WeightTypes(ModelGraph graph, ModelConfig config, Quantization quantization, Set<String> index, Map<String, DType> stored) {
        this.ordinary = ordinary(config);
        this.method = quantization.method();
        this.factors = quantization.factors();
        this.unconverted = config.object("quantization_config")
                .map(c -> c.texts(c.has("ignore") ? "ignore" : "modules_to_not_convert")).orElse(List.of());
        this.index = index;
        Set<Parameter> multiplied = QuantizedWeights.multiplied(graph);
        var scores = new HashSet<Parameter>();
        for (Node node : graph.nodes()) {
            for (Operand input : node.inputs()) {
                if (input instanceof Parameter parameter && node.op() instanceof BuiltinOp.Route) {
                    scores.add(parameter);
                }
            }
        }
        for (Parameter parameter : graph.parameters()) {
            String tensor = first(parameter.source());
            types.put(tensor, scores.contains(parameter)
                    ? DType.F32
                    : multiplied.contains(parameter) && fp8(parameter, tensor) ? DType.F8_E4M3 : ordinary);
        }
        types.putAll(stored);
    }

    @Override
    public DType apply(String tensor) {
        return types.getOrDefault(tensor, ordinary);
    }

    /** The type of a weight's elements as they are stored; of MXFP4, whose elements are smaller than a byte, U8. */
    DType of(Parameter parameter) {
        return parameter.source() instanceof TensorView.Mxfp4 ? DType.U8 : apply(first(parameter.source()));
    }

    static String first(TensorView view) {
        return switch (view) {
            case TensorView.Stored stored -> stored.tensor();
            case TensorView.Stacked stacked -> stacked.tensor(0);
            case TensorView.Mxfp4 mxfp4 -> mxfp4.blocks();
        };
    }

    private boolean fp8(Parameter parameter, String tensor) {
        if (!index.isEmpty()) {
            return index.contains(tensor + factors);
        }
        return method == Quantization.Method.FP8 && parameter.source().dims().size() >= MATRIX && !parameter.has(Axes.VOCAB)
                && !parameter.has(Axes.GATES) && unconverted.stream().noneMatch(module -> tensor.startsWith(module + "."));
    }

    /** The published files say {@code torch_dtype}, newer ones {@code dtype}; without either they are BF16 nowadays. */
    private static DType ordinary(ModelConfig config) {
        String name = config.text("torch_dtype").or(() -> config.text("dtype")).orElse("bfloat16");
        return switch (name) {
            case "bfloat16" -> DType.BF16;
            case "float16" -> DType.F16;
            case "float32" -> DType.F32;
            default -> throw config.unsupported(config.has("torch_dtype") ? "torch_dtype" : "dtype",
                    "bfloat16, float16 or float32");
        };
    }
}
