package org.maniple.compute.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

/** Products whose results are always 1. */
final class OtherProducts implements Products {

    @Override
    public ActivationForm form(DType type, Precision precision) {
        return ActivationForm.INT8;
    }

    @Override
    public Optional<Product> product(Tensor weight, int[] leafEnds, ActivationForm form) {
        return Optional.of(new Ones(leafEnds[leafEnds.length - 1]));
    }

    @Override
    public String describe(DType type, ActivationForm form) {
        return "ones";
    }

    private record Ones(int count) implements Product {

        @Override
        public long rowBytes() {
            return 1;
        }

        @Override
        public long panelBytes() {
            return 0;
        }

        @Override
        public void compute(MemorySegment w, long firstRow, MemorySegment factors, int columns, MemorySegment x, long xAt,
                long xStride, int xRow, int rows, MemorySegment out, long outAt, long outStride, Scratch scratch) {
            for (long i = 0; i < (long) rows * columns; i++) {
                out.set(java.lang.foreign.ValueLayout.JAVA_FLOAT, outAt + 4 * i, 1f);
            }
        }

        @Override
        public void widen(MemorySegment w, long row, MemorySegment factors, MemorySegment out, long to, Scratch scratch) {
            throw new UnsupportedOperationException("nothing asks for it");
        }
    }
}
