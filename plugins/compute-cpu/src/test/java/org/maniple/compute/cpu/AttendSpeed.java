package org.maniple.compute.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
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
 * Prints how long attention takes for each implementation and each form of states, of decode steps and of chunks of a prompt, and the ratio to a plain kernel
 * of the Vector API that passes twice over all positions of a row: all keys, the softmax, all values. Run by hand; arguments: threads (2), heads,
 * key-value heads and elements of a head (9 3 64). Each of several layers has a cache of its own, so that what is read does not lie in the nearest
 * caches. The best of all rounds counts.
 */
final class AttendSpeed {

    private static final int LAYERS = 4;
    private static final long NANOS = 400_000_000L;

    /** Attention heads, key-value heads, elements of a head. */
    private record Shape(int heads, int kvHeads, int length) {}

    /** What computes, and with which states. */
    private record Way(String name, CacheForm form, Optional<NativeFunctions> functions) {}

    private AttendSpeed() {}

    /** Prints the table. */
    public static void main(String[] arguments) {
        int threads = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 2;
        var shape = arguments.length > 3
                ? new Shape(Integer.parseInt(arguments[1]), Integer.parseInt(arguments[2]), Integer.parseInt(arguments[3]))
                : new Shape(9, 3, 64);
        System.out.printf("%d heads over %d of %d, %d thread(s): microseconds for each layer, GFLOP/s%n", shape.heads,
                shape.kvHeads, shape.length, threads);
        for (int[] step : new int[][] {{1, 1, 512}, {1, 1, 4096}, {4, 1, 1024}, {16, 1, 1024}, {64, 1, 512}, {1, 8, 4096},
            {1, 16, 4096}, {1, 32, 4096}, {1, 64, 4096}, {1, 512, 4096}}) {
            print(shape, step[2], step[0], step[1], threads);
        }
    }

    private static List<Way> ways() {
        var ways = new ArrayList<Way>();
        if (!(NativeLibrary.load() instanceof NativeLibrary.Loaded loaded)) {
            return List.of(new Way("vector api", CacheForm.F32, Optional.empty()));
        }
        for (String variant : loaded.library().variants()) {
            NativeFunctions.of(loaded.library(), variant).ifPresent(functions -> {
                for (CacheForm form : CacheForm.values()) {
                    ways.add(new Way(variant + " " + form.word(), form, Optional.of(functions)));
                }
            });
        }
        if (loaded.library().variants().contains("amx")) {
            var functions = NativeFunctions.of(loaded.library(), "avx512vnni").orElseThrow()
                    .with(NativeAttention.tiles(loaded.library(), "avx512vnni"));
            for (CacheForm form : List.of(CacheForm.BF16, CacheForm.INT8)) {
                ways.add(new Way("tiles " + form.word(), form, Optional.of(functions)));
            }
        }
        return ways;
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
        List<Way> ways = ways();
        ways.forEach(way -> sessions.add(new CpuSession(new Workers(threads, threads), LatentForm.ABSORBED,
                new VectorProducts(), new Precision(true, false), Optional.empty(), way.functions)));
        Tensor queries = Tensors.random(1, step.tokens(), shape.heads, shape.length);
        Tensor out = Tensors.zeros(step.tokens(), shape.heads, shape.length);
        var op = new BuiltinOp.Attend(1 / Math.sqrt(shape.length), 0);
        for (int layer = 0; layer < LAYERS; layer++) {
            var keys = new EnumMap<CacheForm, Tensor>(CacheForm.class);
            var values = new EnumMap<CacheForm, Tensor>(CacheForm.class);
            for (CacheForm form : CacheForm.values()) {
                keys.put(form, States.random(form, 2, blocks * 16, shape.kvHeads, shape.length));
                values.put(form, States.random(form, 3, blocks * 16, shape.kvHeads, shape.length));
            }
            kernels.computeIfAbsent("two passes", n -> new ArrayList<>()).add(new TwoPasses(workers, queries,
                    keys.get(CacheForm.F32), values.get(CacheForm.F32), out, shape, (float) op.scale()));
            for (int i = 0; i < ways.size(); i++) {
                var call = Calls.attend(op, queries, keys.get(ways.get(i).form), values.get(ways.get(i).form), out, shape.heads,
                        shape.kvHeads, UnitList.range(0, shape.heads), UnitList.range(0, shape.kvHeads));
                kernels.computeIfAbsent(ways.get(i).name, n -> new ArrayList<>()).add(Calls.compile(sessions.get(i), call));
            }
        }
        Map<String, Long> best = measure(kernels, step);
        double operations = 4.0 * LAYERS * sequences * rows * (context - (rows - 1) / 2.0) * shape.heads * shape.length;
        System.out.printf(Locale.ROOT, "%2d x %3d row(s) at %4d:", sequences, rows, context);
        best.forEach((name, nanos) -> System.out.printf(Locale.ROOT, "  %s %.0f us %.0f x%.2f", name, nanos / 1e3 / LAYERS,
                operations / nanos, (double) best.get("two passes") / nanos));
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
