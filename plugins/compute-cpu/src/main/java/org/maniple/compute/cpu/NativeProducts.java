package org.maniple.compute.cpu;

import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.WeightLayout;

/**
 * Products in C with weights of block types that are held as {@link PackedRows}; all others are left to the set behind it. Before a type is used its
 * kernels are compared with those of that set on a small matrix, and not used if they disagree.
 */
final class NativeProducts implements Products {

    private static final Set<WeightLayout.Use> USES = EnumSet.of(WeightLayout.Use.CONTRACT, WeightLayout.Use.EMBED);

    private final NativeKernels kernels;
    private final Products others;
    private final NativeCheck check;
    private final Consumer<String> announce;
    private final Map<DType, Boolean> checked = new ConcurrentHashMap<>();

    /**
     * Products.
     *
     * @param others what other weights are multiplied with
     * @param announce is told which kernels are not used
     */
    NativeProducts(NativeKernels kernels, Products others, Consumer<String> announce) {
        this.kernels = kernels;
        this.others = others;
        this.check = new NativeCheck(kernels, others);
        this.announce = announce;
    }

    @Override
    public ActivationForm form(DType type, Precision precision) {
        return others.form(type, precision);
    }

    @Override
    public Optional<Product> product(Tensor weight, int[] leafEnds, ActivationForm form) {
        if (weight.layout().isEmpty() || !(weight.layout().get() instanceof PackedRows layout)) {
            return others.product(weight, leafEnds, form);
        }
        BlockRows rows = weight.blockRows().orElseThrow();
        return switch (form) {
            case INT8 -> Optional.of(new PackedProduct(kernels, layout, rows, leafEnds));
            case F32 -> Optional.of(new PackedFloats(kernels, layout, rows, leafEnds));
            case BF16 -> Optional.empty();
        };
    }

    /** Packed, if a contraction reads it as bytes. */
    @Override
    public Optional<WeightLayout> layout(WeightLayout.Weight weight, Precision precision) {
        boolean wanted = weight.type().blocked() && form(weight.type(), precision) == ActivationForm.INT8
                && weight.users().contains(WeightLayout.Use.CONTRACT) && weight.onlyFor(USES) && agrees(weight.type());
        return wanted
                ? Optional.of(new PackedRows(kernels, weight.type(), weight.columns().held() / weight.type().blockElements()))
                : Optional.empty();
    }

    private boolean agrees(DType type) {
        return checked.computeIfAbsent(type, unseen -> {
            Optional<String> difference = check.difference(unseen);
            difference.ifPresent(announce);
            return difference.isEmpty();
        });
    }

    @Override
    public String describe(DType type, ActivationForm form) {
        return form == ActivationForm.INT8 ? kernels.variant() + " int8" : others.describe(type, form);
    }
}
