package org.maniple.kernel.program;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.TensorView;
import org.maniple.api.graph.TensorView.Factor;
import org.maniple.api.tensor.DType;

/**
 * Along which axes weights are stored in blocks. Ranks that cut such an axis between blocks hold nothing twice, and sums that are cut into leaves are cut
 * between blocks.
 *
 * @param blocks elements that are stored together along an axis; of several weights that carry it, the least common multiple
 * @param quanta how many units of an axis are whole blocks of every weight that carries it
 */
public record BlockGrid(Map<Axis, Integer> blocks, Map<Axis, Integer> quanta) {

    /** No weight is stored in blocks. */
    public static final BlockGrid NONE = new BlockGrid(Map.of(), Map.of());

    /** Copies the maps. */
    public BlockGrid {
        blocks = Map.copyOf(blocks);
        quanta = Map.copyOf(quanta);
    }

    /**
     * The grid of a model.
     *
     * @param parameters its weights
     * @param types how a stored tensor's elements are stored, by its name, if that is known
     * @return the grid
     */
    public static BlockGrid of(List<Parameter> parameters, Function<String, Optional<DType>> types) {
        var blocks = new HashMap<Axis, Integer>();
        var quanta = new HashMap<Axis, Integer>();
        for (Parameter parameter : parameters) {
            types.apply(tensor(parameter.source())).filter(DType::blocked).ifPresent(type -> {
                List<Factor> factors = parameter.source().dims().getLast().factors();
                long stride = 1;
                for (Factor factor : factors.reversed()) {
                    if (factor.axis().isPresent()) {
                        int block = type.blockElements();
                        blocks.merge(factor.axis().get(), block, BlockGrid::common);
                        quanta.merge(factor.axis().get(), block / divisor(block, Math.toIntExact(stride % block)),
                                BlockGrid::common);
                    }
                    stride = Math.multiplyExact(stride, factor.extent());
                }
            });
        }
        return new BlockGrid(blocks, quanta);
    }

    private static String tensor(TensorView view) {
        return switch (view) {
            case TensorView.Stored stored -> stored.tensor();
            case TensorView.Stacked stacked -> stacked.tensor(0);
            case TensorView.Mxfp4 mxfp4 -> mxfp4.blocks();
        };
    }

    private static int common(int a, int b) {
        return Math.multiplyExact(a / divisor(a, b), b);
    }

    private static int divisor(int a, int b) {
        return b == 0 ? a : divisor(b, a % b);
    }

    /** Boundaries between ranks should be multiples of it. */
    int quantum(Axis axis) {
        return quanta.getOrDefault(axis, 1);
    }

    /** Boundaries between leaves are multiples of it, in elements. */
    int block(Axis axis) {
        return blocks.getOrDefault(axis, 1);
    }
}
