package org.maniple.compute.cpu;

import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.BlockScales;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.WeightLayout;

/** Products through the Vector API, on every platform. They read weights as they are stored, or {@link InterleavedRows}. */
final class VectorProducts implements Products {

    @Override
    public ActivationForm form(DType type, Precision precision) {
        return type.blocked() && precision.reduced() ? ActivationForm.INT8 : ActivationForm.F32;
    }

    @Override
    public Optional<Product> product(Tensor weight, int[] leafEnds, ActivationForm form) {
        if (weight.layout().isPresent()) {
            return weight.layout().get() instanceof InterleavedRows layout
                    ? packed(weight, layout, leafEnds, form)
                    : Optional.empty();
        }
        return switch (form) {
            case F32 -> floats(weight, leafEnds);
            case INT8 -> weight.blockRows().map(rows -> new BlockProduct(BlockUnpacker.of(weight.dtype()), rows, leafEnds));
            case BF16 -> Optional.empty();
        };
    }

    private static Optional<Product> packed(Tensor weight, InterleavedRows layout, int[] leafEnds, ActivationForm form) {
        BlockRows rows = weight.blockRows().orElseThrow();
        return switch (form) {
            case F32 -> Optional.of(new DecodedProduct(layout, rows, leafEnds));
            case INT8 -> Optional.of(new InterleavedProduct(layout, rows, leafEnds));
            case BF16 -> Optional.empty();
        };
    }

    /** Interleaved, where that is faster and a contraction reads it as bytes. */
    @Override
    public Optional<WeightLayout> layout(WeightLayout.Weight weight, Precision precision) {
        boolean wanted = InterleavedRows.holds(weight.type()) && form(weight.type(), precision) == ActivationForm.INT8
                && weight.users().contains(WeightLayout.Use.CONTRACT)
                && weight.onlyFor(EnumSet.of(WeightLayout.Use.CONTRACT, WeightLayout.Use.EMBED));
        return wanted
                ? Optional.of(new InterleavedRows(weight.type(), weight.columns().held() / weight.type().blockElements()))
                : Optional.empty();
    }

    private static Optional<Product> floats(Tensor weight, int[] leafEnds) {
        if (weight.blockRows().isPresent()) {
            BlockRows rows = weight.blockRows().get();
            var source = new StoredBlocks(BlockUnpacker.of(weight.dtype()), rows.held() / weight.dtype().blockElements());
            return Optional.of(new DecodedProduct(source, rows, leafEnds));
        }
        if (weight.dtype() != DType.F8_E4M3) {
            return WeightRows.of(weight.dtype()).map(kernels -> new PlainProduct(kernels, leafEnds));
        }
        List<Integer> ends = weight.scales().map(BlockScales::ends).orElse(List.of(leafEnds[leafEnds.length - 1]));
        return Optional.of(new ScaledProduct(leafEnds, ends, weight.scales().isEmpty()));
    }

    @Override
    public String describe(DType type, ActivationForm form) {
        return "vector api " + (form == ActivationForm.INT8 ? "int8" : "f32");
    }
}
