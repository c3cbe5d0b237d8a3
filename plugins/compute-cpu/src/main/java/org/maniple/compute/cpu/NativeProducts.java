package org.maniple.compute.cpu;

import java.util.EnumSet;
import java.util.Locale;
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
    private final Optional<NativeBf16> bf16;
    private final Products others;
    private final NativeCheck check;
    private final CheckMemory memory;
    private final Consumer<String> announce;
    private final Map<DType, Boolean> checked = new ConcurrentHashMap<>();

    /**
     * Products.
     *
     * @param kernels for block types
     * @param bf16 for BF16 weights, if the processor has instructions for them
     * @param others what other weights are multiplied with
     * @param memory which types have been compared before
     * @param announce is told which kernels are not used
     */
    NativeProducts(NativeKernels kernels, Optional<NativeBf16> bf16, Products others, CheckMemory memory,
            Consumer<String> announce) {
        this.kernels = kernels;
        this.bf16 = bf16;
        this.others = others;
        this.check = new NativeCheck(kernels, others);
        this.memory = memory;
        this.announce = announce;
    }

    /** BF16 weights are multiplied with activations rounded likewise, unless bits must not depend on the machine. */
    @Override
    public ActivationForm form(DType type, Precision precision) {
        return type == DType.BF16 && bf16.isPresent() && precision.reduced() && !precision.exact() && agrees(type)
                ? ActivationForm.BF16
                : others.form(type, precision);
    }

    @Override
    public Optional<Product> product(Tensor weight, int[] leafEnds, ActivationForm form) {
        return switch (weight.layout().orElse(null)) {
            case PackedRows layout -> {
                BlockRows rows = weight.blockRows().orElseThrow();
                yield Optional.of(form == ActivationForm.INT8
                        ? new PackedProduct(kernels, layout, rows, leafEnds)
                        : new PackedFloats(kernels, layout, rows, leafEnds));
            }
            case PackedBf16Rows layout -> Optional.of(form == ActivationForm.BF16
                    ? new Bf16Product(layout.kernels(), true, layout.columns())
                    : new PackedBf16Floats(layout.kernels(), leafEnds));
            case null, default -> form == ActivationForm.BF16
                    ? bf16.map(kernelsOfType -> new Bf16Product(kernelsOfType, false, leafEnds[leafEnds.length - 1]))
                    : others.product(weight, leafEnds, form);
        };
    }

    /** Packed, if a contraction reads it as bytes or BF16. */
    @Override
    public Optional<WeightLayout> layout(WeightLayout.Weight weight, Precision precision) {
        if (!weight.users().contains(WeightLayout.Use.CONTRACT) || !weight.onlyFor(USES)) {
            return Optional.empty();
        }
        DType type = weight.type();
        return switch (form(type, precision)) {
            case INT8 -> agrees(type)
                    ? Optional.of(new PackedRows(kernels, type, weight.columns().held() / type.blockElements()))
                    : Optional.empty();
            case BF16 -> bf16.map(kernelsOfType -> new PackedBf16Rows(kernelsOfType, weight.columns().columns()));
            case F32 -> Optional.empty();
        };
    }

    private boolean agrees(DType type) {
        return checked.computeIfAbsent(type, unseen -> {
            String name = "products "
                    + (unseen == DType.BF16 ? bf16.map(NativeBf16::variant).orElse("no") : kernels.variant()) + " "
                    + unseen.name().toLowerCase(Locale.ROOT);
            if (memory.passed(name)) {
                return true;
            }
            Optional<String> difference = unseen == DType.BF16 ? bf16.flatMap(check::difference) : check.difference(unseen);
            difference.ifPresentOrElse(announce, () -> memory.pass(name));
            return difference.isEmpty();
        });
    }

    @Override
    public String describe(DType type, ActivationForm form) {
        return switch (form) {
            case INT8 -> kernels.variant() + " int8";
            case BF16 -> bf16.map(NativeBf16::variant).orElse("no") + " bf16";
            case F32 -> others.describe(type, form);
        };
    }
}
