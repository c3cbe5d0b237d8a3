package org.maniple.kernel.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.maniple.api.compute.ComputeSession;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.Node;
import org.maniple.api.graph.OpCall;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.TensorView;
import org.maniple.api.graph.Value;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.WeightLayout;
import org.maniple.kernel.step.BareStep;

/**
 * Times products of a back end with weights that no cache holds: as many matrices as fill some memory, one after the other. They are compiled as
 * the executor compiles them, so that what is measured is what models run on. Used by one thread.
 */
public final class KernelBench {

    private static final int LEAST_ROUNDS = 3;

    private final ComputeSession session;
    private final long memoryBytes;
    private final long nanos;
    private final Consumer<String> progress;

    /**
     * A bench that has measured nothing.
     *
     * @param session of the back end
     * @param memoryBytes of the weights of one case
     * @param nanos how long each case is run at least
     * @param progress told what is measured
     */
    public KernelBench(ComputeSession session, long memoryBytes, long nanos, Consumer<String> progress) {
        this.session = session;
        this.memoryBytes = memoryBytes;
        this.nanos = nanos;
        this.progress = progress;
    }

    /**
     * What was measured.
     *
     * @param product what
     * @param rows of activations
     * @param kernel what the back end calls its kernel
     * @param layout how the weight was held
     * @param seconds of one product, the median of all rounds
     */
    public record Result(KernelCase product, int rows, String kernel, String layout, double seconds) {

        /**
         * How fast weights were read.
         *
         * @return bytes per second, as they are stored
         */
        public double bytesPerSecond() {
            return product.bytes() / seconds;
        }

        /**
         * How fast was computed.
         *
         * @return additions and multiplications per second
         */
        public double operationsPerSecond() {
            return 2.0 * rows * product.rows() * product.columns() / seconds;
        }
    }

    /**
     * Measures one case.
     *
     * @param product the weight
     * @param rows numbers of rows of activations, ascending
     * @return a result for each number; none if the back end has no kernel for the type
     */
    public List<Result> run(KernelCase product, List<Integer> rows) {
        try (Arena arena = Arena.ofShared()) {
            return new Case(product, rows.getLast(), bytes -> arena.allocate(Math.max(bytes, 1), 64)).run(rows);
        }
    }

    /** The matrices of a case, and the kernels over them. */
    private final class Case {

        private final KernelCase product;
        private final Optional<WeightLayout> layout;
        private final Tensor x;
        private final Tensor out;
        private final List<Kernel> kernels = new ArrayList<>();
        private String description = "";

        Case(KernelCase product, int mostRows, LongFunction<MemorySegment> memory) {
            this.product = product;
            this.layout = session
                    .layout(new WeightLayout.Weight(product.type(), product.rows(), BlockRows.whole(product.columns()),
                            List.of(WeightLayout.Use.CONTRACT)));
            this.x = Tensor.of(DType.F32, new int[] {mostRows, product.columns()},
                    memory.apply(4L * mostRows * product.columns()));
            this.out = Tensor.of(DType.F32, new int[] {mostRows, product.rows()}, memory.apply(4L * mostRows * product.rows()));
            RandomGenerator random = RandomGeneratorFactory.of("Xoshiro256PlusPlus").create(1);
            for (long i = 0; i < (long) mostRows * product.columns(); i++) {
                x.segment().setAtIndex(JAVA_FLOAT, i, (float) random.nextGaussian());
            }
            matrices(memory);
        }

        private void matrices(LongFunction<MemorySegment> memory) {
            MemorySegment stored = memory.apply(product.bytes());
            RandomBlocks.fill(stored, product.type(), (long) product.rows() * product.columns());
            long count = Math.max(1, memoryBytes / product.bytes());
            int[] shape = {product.rows(), product.columns()};
            for (long i = 0; i < count; i++) {
                Tensor weight;
                if (layout.isPresent()) {
                    MemorySegment packed = memory.apply(layout.get().bytes(product.rows()));
                    layout.get().pack(stored, product.rows(), packed);
                    weight = Tensor.packed(product.type(), shape, BlockRows.whole(product.columns()), layout.get(), packed);
                } else {
                    weight = Tensor.of(product.type(), shape, memory.apply(product.bytes()).copyFrom(stored));
                }
                Optional<ComputeSession.CompiledKernel> compiled = session
                        .compile(new ComputeSession.Region(List.of(call(weight)), List.of(true)), 0);
                if (compiled.isEmpty()) {
                    return;
                }
                description = compiled.get().description();
                kernels.add(compiled.get().kernel());
            }
        }

        private OpCall call(Tensor weight) {
            Dim summed = Axes.HIDDEN.of(product.columns());
            Dim made = Axes.FFN.of(product.rows());
            var in = new Value(0, "x", DType.F32, List.of(Dim.TOKENS, summed));
            var matrix = new Parameter(0, "weight", List.of(made, summed),
                    TensorView.stored("weight", TensorView.dim(made), TensorView.dim(summed)));
            var node = new Node(0, 0, new BuiltinOp.Contract(), List.of(in, matrix),
                    List.of(new Value(1, "out", DType.F32, List.of(Dim.TOKENS, made))));
            return new OpCall(node, List.of(x, weight), List.of(out), Map.of());
        }

        List<Result> run(List<Integer> rows) {
            if (kernels.isEmpty()) {
                return List.of();
            }
            var results = new ArrayList<Result>();
            for (int count : rows) {
                progress.accept(product.type() + " " + product.rows() + " x " + product.columns() + ", " + count
                        + (count == 1 ? " row" : " rows"));
                x.rows(count);
                out.rows(count);
                results.add(new Result(product, count, description, layout.map(WeightLayout::name).orElse("as stored"),
                        seconds(new BareStep(count))));
            }
            return results;
        }

        /** A round is short, so that what disturbs one disturbs few: the median of all of them counts. */
        private double seconds(Step step) {
            rounds(step, nanos / 2);
            List<Double> all = rounds(step, nanos);
            return new Samples(all).quantile(0.5);
        }

        private List<Double> rounds(Step step, long time) {
            var all = new ArrayList<Double>();
            int next = 0;
            for (long begin = System.nanoTime(); all.size() < LEAST_ROUNDS || System.nanoTime() - begin < time;) {
                long before = System.nanoTime();
                kernels.get(next).run(step);
                all.add((System.nanoTime() - before) / 1e9);
                next = (next + 1) % kernels.size();
            }
            return all;
        }
    }
}
