package org.maniple.compute.cpu;

import java.util.List;
import java.util.Optional;
import org.maniple.api.tensor.BlockScales;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

/** Products through the Vector API, on every platform. They read weights as they are stored, and no packed ones. */
final class VectorProducts implements Products {

    @Override
    public ActivationForm form(DType type, Precision precision) {
        return type.blocked() && precision.reduced() ? ActivationForm.INT8 : ActivationForm.F32;
    }

    @Override
    public Optional<Product> product(Tensor weight, int[] leafEnds, ActivationForm form) {
        if (weight.layout().isPresent()) {
            return Optional.empty();
        }
        return switch (form) {
            case F32 -> floats(weight, leafEnds);
            case INT8 -> weight.blockRows().map(rows -> new BlockProduct(BlockUnpacker.of(weight.dtype()), rows, leafEnds));
            case BF16 -> Optional.empty();
        };
    }

    private static Optional<Product> floats(Tensor weight, int[] leafEnds) {
        if (weight.blockRows().isPresent()) {
            return Optional.of(new DecodedProduct(BlockUnpacker.of(weight.dtype()), weight.blockRows().get(), leafEnds));
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
