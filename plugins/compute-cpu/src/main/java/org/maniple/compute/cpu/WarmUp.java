package org.maniple.compute.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.BlockScales;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.WeightLayout;

/**
 * Runs vector loops on small operands until C2 has compiled them. Interpreted, they are a thousand times slower, and a large
 * matrix would stay in the interpreter for seconds. Each kind is given half a second at most; what is not compiled by then is compiled
 * while serving.
 * For use by the rank's own thread.
 */
final class WarmUp {

    private static final int LENGTH = 256;
    private static final int ROWS = 8;
    private static final int CALLS_OF_BLOCK = 50;
    /** What a call takes once it is compiled is a tenth of this; boxed vectors take ten times this. */
    private static final long COMPILED_NANOS = 20_000;
    private static final long LIMIT_NANOS = 500_000_000;

    private final Products products;
    private final Map<ActivationForm, Set<DType>> types = new EnumMap<>(ActivationForm.class);
    private final Set<DType> widened = EnumSet.noneOf(DType.class);
    private final ChosenRows chosen = new ChosenRows(ROWS);
    private final Scratch scratch = new Scratch();
    private final MemorySegment a = Arena.ofAuto().allocate(4L * ROWS * LENGTH, 64);
    private final MemorySegment b = Arena.ofAuto().allocate(4L * ROWS * LENGTH, 64);
    private final MemorySegment out = Arena.ofAuto().allocate(4L * ROWS * LENGTH, 64);
    private boolean sums;

    WarmUp(Products products) {
        this.products = products;
    }

    /** Products with weights of a type as a contraction has them. */
    void products(DType type, Precision precision) {
        products(type, products.form(type, precision));
    }

    /** Products with weights of a type and activations of a form, if there are any and this has not been done. */
    void products(DType type, ActivationForm form) {
        if (!types.computeIfAbsent(form, any -> EnumSet.noneOf(DType.class)).add(type)) {
            return;
        }
        Tensor weight = Tensor.of(type, new int[] {ROWS, LENGTH}, a);
        if (type == DType.F8_E4M3) {
            weight = weight.scaled(new BlockScales(List.of(LENGTH / 2, LENGTH), Tensor.of(DType.F32, new int[] {ROWS, 2}, b)));
        }
        Optional<WeightLayout> layout = layout(type, form);
        if (layout.isEmpty()) {
            products.product(weight, new int[] {LENGTH}, form).ifPresent(product -> products(product, a));
            return;
        }
        MemorySegment packed = Arena.ofAuto().allocate(layout.get().bytes(ROWS), 64);
        layout.get().pack(a, ROWS, packed);
        weight = Tensor.packed(type, new int[] {ROWS, LENGTH}, BlockRows.whole(LENGTH), layout.get(), packed);
        products.product(weight, new int[] {LENGTH}, form).ifPresent(product -> products(product, packed));
    }

    /** How weights that contractions alone read are held. */
    private Optional<WeightLayout> layout(DType type, ActivationForm form) {
        var weight = new WeightLayout.Weight(type, ROWS, BlockRows.whole(LENGTH), List.of(WeightLayout.Use.CONTRACT));
        return products.layout(weight, new Precision(form != ActivationForm.F32, false));
    }

    /** Rows of weights of a type as floats, if it has kernels and this has not been done. */
    void floats(DType type) {
        if (widened.add(type)) {
            WeightMatrix.of(products, Tensor.of(type, new int[] {ROWS, LENGTH}, a), ROWS, new int[] {LENGTH}, ActivationForm.F32)
                    .ifPresent(rows -> {
                        rows.reserve(scratch);
                        repeat(() -> {
                            for (int row = 0; row < ROWS; row++) {
                                rows.widen(0, row, out, 4L * LENGTH * row, scratch);
                            }
                        });
                    });
        }
    }

    private void products(Product product, MemorySegment w) {
        scratch.reserve(product.panelBytes(), product.panelFloats());
        if (product.preparation().isEmpty()) {
            repeat(() -> {
                product.compute(w, 0, b, ROWS, b, 0, 4L * LENGTH, 0, 1, out, 0, 4L * ROWS, scratch);
                product.compute(w, 0, b, ROWS, b, 0, 4L * LENGTH, 0, 4, out, 0, 4L * ROWS, scratch);
            });
            return;
        }
        Preparation preparation = product.preparation().get();
        long stride = preparation.rowBytes();
        int together = preparation.rowsTogether();
        MemorySegment prepared = Arena.ofAuto().allocate(stride * Math.ceilDiv(ROWS, together) * together, 64);
        repeat(() -> {
            preparation.prepare(b, 0, ROWS, ROWS, prepared, 0);
            product.compute(w, 0, b, ROWS, prepared, 0, stride, 0, 1, out, 0, 4L * ROWS, scratch);
            product.compute(w, 0, b, ROWS, prepared, 0, stride, 0, ROWS, out, 0, 4L * ROWS, scratch);
        });
    }

    /** What every model computes between its products, where no native functions do. */
    void common() {
        repeat(() -> {
            Functions.add(a, 0, b, 0, out, 0, LENGTH);
            Functions.silu(a, 0, out, 0, LENGTH);
            Functions.multiply(a, 0, b, 0, out, 0, LENGTH);
            Lanes.sumOfSquares(a, 0, LENGTH, scratch.lanes());
            Lanes.sum(a, 0, LENGTH, scratch.lanes());
            Functions.scale(a, 0, 1, out, 0, LENGTH);
            Lanes.greatest(a, 0, LENGTH, scratch.lanes());
            Functions.subtract(a, 0, 1, out, 0, LENGTH);
            Functions.join(out, 0, 1, a, 0, 1, LENGTH);
            Functions.divide(out, 0, 2, LENGTH);
        });
        rows();
    }

    /** Weighted sums of rows, if this has not been done. */
    void rows() {
        if (sums) {
            return;
        }
        sums = true;
        repeat(() -> {
            WeightedRows.add(a, 0, 4L * LENGTH, ROWS, b, 0, out, 0, LENGTH);
            chosen.clear();
            chosen.add(0, 1);
            chosen.add(4L * LENGTH, 1);
            chosen.sum(a, 0, out, 0, LENGTH);
        });
    }

    /** Calls until a block of calls is as fast as compiled code, or the time is up. */
    private static void repeat(Runnable calls) {
        long begin = System.nanoTime();
        long now = begin;
        long took = Long.MAX_VALUE;
        while (took > CALLS_OF_BLOCK * COMPILED_NANOS && now - begin < LIMIT_NANOS) {
            for (int i = 0; i < CALLS_OF_BLOCK; i++) {
                calls.run();
            }
            long after = System.nanoTime();
            took = after - now;
            now = after;
        }
    }
}
