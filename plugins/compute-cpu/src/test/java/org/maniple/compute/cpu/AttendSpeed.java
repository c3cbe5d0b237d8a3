package org.maniple.compute.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;

/**
 * Prints how fast attention reads the cache, of decode steps and of the end of a prompt, for each implementation, and the ratio to a plain kernel of the Vector
 * API that passes twice over all positions of a row: all keys, the softmax, all values. Run by hand; argument: threads (2). Each of several layers
 * has a cache of its own, so that what is read does not lie in the nearest caches. The best of all rounds counts.
 */
final class AttendSpeed {

    private static final int LAYERS = 4;
    private static final long NANOS = 1_500_000_000L;

    /** Attention heads, key-value heads, elements of a head. */
    private record Shape(int heads, int kvHeads, int length) {}

    private AttendSpeed() {}

    /** Prints the table. */
    public static void main(String[] arguments) {
        int threads = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 2;
        for (Shape shape : List.of(new Shape(9, 3, 64), new Shape(16, 8, 128), new Shape(32, 8, 64))) {
            for (int context : new int[] {512, 4096}) {
                print(shape, context, 1, 1, threads);
                print(shape, context, 4, 1, threads);
                print(shape, context, 1, 64, threads);
            }
        }
    }

    private static void print(Shape shape, int context, int sequences, int rows, int threads) {
        int blocks = sequences * context / 16;
        var step = new BatchStep(blocks);
        for (int i = 0; i < sequences; i++) {
            step.span(context - rows, rows);
        }
        var kernels = new LinkedHashMap<String, List<Kernel>>();
        var sessions = new ArrayList<CpuSession>();
        var workers = new Workers(threads, threads);
        var found = new LinkedHashMap<String, Optional<NativeFunctions>>();
        found.put("vector api", Optional.empty());
        if (NativeLibrary.load() instanceof NativeLibrary.Loaded loaded) {
            loaded.library().variants().forEach(variant -> NativeFunctions.of(loaded.library(), variant)
                    .ifPresent(functions -> found.put(variant, Optional.of(functions))));
        }
        found.forEach((name, functions) -> sessions.add(new CpuSession(new Workers(threads, threads), LatentForm.ABSORBED,
                new VectorProducts(), new Precision(true, false), Optional.empty(), functions)));
        Tensor queries = Tensors.random(1, step.tokens(), shape.heads, shape.length);
        Tensor out = Tensors.zeros(step.tokens(), shape.heads, shape.length);
        var op = new BuiltinOp.Attend(1 / Math.sqrt(shape.length), 0);
        for (int layer = 0; layer < LAYERS; layer++) {
            Tensor keys = Tensors.random(2, blocks * 16, shape.kvHeads, shape.length);
            Tensor values = Tensors.random(3, blocks * 16, shape.kvHeads, shape.length);
            var call = Calls.attend(op, queries, keys, values, out, shape.heads, shape.kvHeads, UnitList.range(0, shape.heads),
                    UnitList.range(0, shape.kvHeads));
            kernels.computeIfAbsent("two passes", n -> new ArrayList<>())
                    .add(new TwoPasses(workers, queries, keys, values, out, shape, (float) op.scale()));
            int at = 0;
            for (String name : found.keySet()) {
                kernels.computeIfAbsent(name, n -> new ArrayList<>()).add(Calls.compile(sessions.get(at++), call));
            }
        }
        Map<String, Long> best = measure(kernels, step);
        double bytes = 8.0 * LAYERS * sequences * context * shape.kvHeads * shape.length;
        System.out.printf(Locale.ROOT, "%2d heads over %d of %3d, %d x %d row(s) at %4d:", shape.heads, shape.kvHeads,
                shape.length, sequences, rows, context);
        best.forEach((name, nanos) -> System.out.printf(Locale.ROOT, "  %s %.1f GB/s x%.2f", name, bytes / nanos,
                (double) best.get("two passes") / nanos));
        System.out.println();
        sessions.forEach(CpuSession::close);
        workers.close();
    }

    private static Map<String, Long> measure(Map<String, List<Kernel>> kernels, BatchStep step) {
        var best = new LinkedHashMap<String, Long>();
        long end = System.nanoTime() + NANOS * kernels.size();
        while (System.nanoTime() < end) {
            kernels.forEach((name, layers) -> {
                for (int round = 0; round < 5; round++) {
                    long begin = System.nanoTime();
                    for (Kernel layer : layers) {
                        layer.run(step);
                    }
                    best.merge(name, System.nanoTime() - begin, Math::min);
                }
            });
        }
        return best;
    }

    /** The plain kernel. */
    private static final class TwoPasses implements Kernel, Workers.Task {
        private final Workers workers;
        private final Tensor queries;
        private final Tensor keys;
        private final Tensor values;
        private final Tensor out;
        private final Shape shape;
        private final float scale;
        private final PlainProduct product;
        private final MemorySegment[] scores;
        private final float[][] lanes;
        private BatchStep step = new BatchStep(0);

        TwoPasses(Workers workers, Tensor queries, Tensor keys, Tensor values, Tensor out, Shape shape, float scale) {
            this.workers = workers;
            this.queries = queries;
            this.keys = keys;
            this.values = values;
            this.out = out;
            this.shape = shape;
            this.scale = scale;
            this.product = new PlainProduct(new F32Rows(), shape.length);
            this.scores = new MemorySegment[workers.threads()];
            Arrays.setAll(scores, i -> Arena.ofAuto().allocate(4L * keys.rows() * shape.heads, 64));
            this.lanes = new float[workers.threads()][Lanes.SCRATCH];
        }

        @Override
        public void run(Step next) {
            step = (BatchStep) next;
            workers.run(this, out.rows() * shape.kvHeads, true);
        }

        @Override
        public void compute(int chunk, int thread) {
            int row = chunk / shape.kvHeads;
            int kvHead = chunk % shape.kvHeads;
            int heads = shape.heads / shape.kvHeads;
            int seen = step.position(row) + 1;
            long bytes = 4L * shape.length;
            long first = bytes * ((long) row * shape.heads + (long) kvHead * heads);
            long stride = 4L * keys.rows();
            MemorySegment weights = scores[thread];
            for (int from = 0; from < seen; from += 16) {
                long key = bytes * ((long) step.block(step.spanOf(row), from / 16) * 16 * shape.kvHeads + kvHead);
                product.compute(keys.segment(), key, bytes * shape.kvHeads, Math.min(16, seen - from), queries.segment(), first,
                        bytes, heads, weights, 4L * from, stride, lanes[thread]);
            }
            var softmax = new Softmax(lanes[thread]);
            for (int head = 0; head < heads; head++) {
                softmax.weigh(weights, stride * head, 0, seen, scale);
                WeightedRows.clear(out.segment(), first + bytes * head, shape.length);
                for (int from = 0; from < seen; from += 16) {
                    long value = bytes * ((long) step.block(step.spanOf(row), from / 16) * 16 * shape.kvHeads + kvHead);
                    WeightedRows.add(values.segment(), value, bytes * shape.kvHeads, Math.min(16, seen - from), weights,
                            stride * head + 4L * from, out.segment(), first + bytes * head, shape.length);
                }
                Functions.divide(out.segment(), first + bytes * head, softmax.sum(), shape.length);
            }
        }
    }
}
