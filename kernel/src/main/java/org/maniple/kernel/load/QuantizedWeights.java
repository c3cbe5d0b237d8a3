package org.maniple.kernel.load;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Node;
import org.maniple.api.graph.Operand;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.TensorView;
import org.maniple.api.tensor.DType;

/** Which weights of a model are quantised, by what they are used for. */
public final class QuantizedWeights {

    private static final String WEIGHT = ".weight";
    private static final int MATRIX = 2;

    private QuantizedWeights() {}

    /**
     * The weights that tokens are multiplied by.
     *
     * @param graph the model
     * @return also its head and its routers
     */
    public static Set<Parameter> multiplied(ModelGraph graph) {
        var multiplied = new HashSet<Parameter>();
        for (Node node : graph.nodes()) {
            if (node.op() instanceof BuiltinOp.Contract || node.op() instanceof BuiltinOp.AttendLatent) {
                for (Operand input : node.inputs()) {
                    if (input instanceof Parameter parameter) {
                        multiplied.add(parameter);
                    }
                }
            }
        }
        return multiplied;
    }

    /** The tensors that become blocks of a type. */
    static Map<String, DType> conversions(ModelGraph graph, DType type) {
        var conversions = new HashMap<String, DType>();
        for (Parameter parameter : multiplied(graph)) {
            if (matrix(parameter) && !parameter.has(Axes.GATES) && !(parameter.source() instanceof TensorView.Mxfp4)) {
                parameter.source().tensors().keySet()
                        .forEach(name -> conversions.put(name, parameter.has(Axes.VOCAB) ? DType.Q8_0 : type));
            }
        }
        return conversions;
    }

    /** The tensors that become blocks because they are integers. */
    static Map<String, DType> integers(ModelGraph graph, PackedIntegers format, Set<String> index) {
        var types = new HashMap<String, DType>();
        for (Parameter parameter : multiplied(graph)) {
            if (!matrix(parameter) || parameter.has(Axes.GATES) || parameter.has(Axes.VOCAB) && index.isEmpty()) {
                continue;
            }
            for (String name : parameter.source().tensors().keySet()) {
                if (format.held().blocked() && (index.isEmpty() || indexed(name, index))) {
                    types.put(name, format.held());
                }
            }
        }
        return types;
    }

    /** Whether rows of a weight are whole blocks of 32, and lie one behind the other. */
    private static boolean matrix(Parameter parameter) {
        TensorView view = parameter.source();
        List<Dim> dims = view instanceof TensorView.Stacked stacked
                ? parameter.dims().stream().filter(dim -> !dim.axis().equals(stacked.axis())).toList()
                : parameter.dims();
        return view.dims().size() >= MATRIX && view.dims().getLast().extent() % 32 == 0
                && ScaleLayout.columns(dims, view.dims()).isPresent();
    }

    /** Whether codes of a weight, which have names of their own, are among stored tensors. */
    static boolean indexed(String name, Set<String> index) {
        String base = name.endsWith(WEIGHT) ? name.substring(0, name.length() - WEIGHT.length()) : name;
        return index.contains(base + ".qweight") || index.contains(base + ".weight_packed")
                || index.contains(name) && index.contains(name + "_scale");
    }
}
