package org.maniple.it;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.maniple.it.Sequences.Sequence;
import org.maniple.it.Sequences.Span;
import org.maniple.kernel.engine.StepPipeline;
import org.maniple.kernel.engine.StepResults;
import org.maniple.kernel.step.ExpertOrder;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.step.StepBatch.Rows;

/**
 * Prints how long decode steps take that begin a round of rebalancing, that change experts over, and all others, in medians of all; run by hand. The
 * arguments: a model's directory, rounds (20), ranks (2). What a stream waits for its next token is one step.
 */
final class RebalanceSteps {

    private static final int PROMPT = 8;
    private static final int OUTPUT = 120;
    private static final int STREAMS = 4;
    private static final int WARM_UP = 3;

    private final Map<ExpertOrder, List<Long>> times = new EnumMap<>(ExpertOrder.class);
    private boolean counting;

    private RebalanceSteps() {}

    /** Runs and prints. */
    public static void main(String[] arguments) {
        int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 20;
        int ranks = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 2;
        new RebalanceSteps().run(Path.of(arguments[0]), rounds, ranks);
    }

    private void run(Path model, int rounds, int ranks) {
        Layout layout = Layout.of(ranks, 1).experts().with("num-redundant-experts", ranks, "redundant")
                .with("enable-eplb", true, "eplb").with("eplb-step-interval", 60, "").with("eplb-window-size", 60, "");
        try (var unit = new VirtualUnit(model, layout, new StepBatch.Limits(512, 8, 512, 16, 16), 256)) {
            int before = 0;
            for (int pass = 0; pass <= WARM_UP || unit.experts().rounds() - before < rounds; pass++) {
                if (pass == WARM_UP) {
                    counting = true;
                    before = unit.experts().rounds();
                }
                pass(unit, pass);
            }
            int changes = unit.experts().layers().stream().mapToInt(layer -> layer.version()).sum();
            System.out.printf(Locale.ROOT, "%s, %d ranks: %d rounds, %d given up, layers changed %d times in all%n",
                    model.getFileName(),
                    ranks, unit.experts().rounds() - before, unit.experts().abandonedRounds(), changes);
        }
        print();
    }

    /** Some sequences that repeat one token each, another one in every pass, so that other experts are busy. */
    private void pass(VirtualUnit unit, int pass) {
        var sequences = new Sequences(timed(unit.pipeline()), unit.program().graph().vocabulary());
        var open = new ArrayList<Sequence>();
        for (int i = 0; i < STREAMS; i++) {
            open.add(sequences.open(PROMPT + OUTPUT));
        }
        int token = 10 + pass % 50;
        for (int step = 0; step < OUTPUT; step++) {
            int length = step == 0 ? PROMPT : 1;
            var spans = new ArrayList<Span>();
            for (Sequence sequence : open) {
                int[] tokens = new int[length];
                java.util.Arrays.fill(tokens, token);
                spans.add(new Span(sequence, tokens, Rows.LAST));
            }
            sequences.run(spans);
        }
    }

    private StepPipeline timed(StepPipeline pipeline) {
        return new StepPipeline() {
            private long begun;
            private ExpertOrder order = ExpertOrder.NONE;

            @Override
            public int depth() {
                return pipeline.depth();
            }

            @Override
            public StepBatch.Limits limits() {
                return pipeline.limits();
            }

            @Override
            public StepBatch begin() {
                return pipeline.begin();
            }

            @Override
            public void submit(StepBatch batch) {
                begun = System.nanoTime();
                pipeline.submit(batch);
                order = batch.expertOrder();
            }

            @Override
            public StepResults await() {
                StepResults results = pipeline.await();
                boolean decode = results.batch().tokens() == STREAMS;
                if (counting && decode) {
                    times.computeIfAbsent(order, o -> new ArrayList<>()).add(System.nanoTime() - begun);
                }
                return results;
            }

            @Override
            public void idle() {
                pipeline.idle();
            }

            @Override
            public void shutdown() {
                pipeline.shutdown();
            }
        };
    }

    private void print() {
        double median = at(times.values().stream().flatMap(List::stream).sorted().toList(), 0.5);
        System.out.printf(Locale.ROOT, "median step: %.3f ms; in medians:%n%-10s %8s %8s %8s %8s %8s %10s%n", median / 1e6,
                "order", "steps",
                "median", "90 %", "99 %", "longest", "over two");
        times.forEach((order, list) -> {
            List<Long> sorted = list.stream().sorted().toList();
            System.out.printf(Locale.ROOT, "%-10s %8d %8.2f %8.2f %8.2f %8.2f %9.2f%%%n", order, sorted.size(),
                    at(sorted, 0.5) / median,
                    at(sorted, 0.9) / median, at(sorted, 0.99) / median, at(sorted, 1) / median,
                    100.0 * sorted.stream().filter(time -> time > 2 * median).count() / sorted.size());
        });
    }

    private static double at(List<Long> sorted, double part) {
        return sorted.get((int) Math.min(sorted.size() - 1, Math.round(part * sorted.size())));
    }
}
