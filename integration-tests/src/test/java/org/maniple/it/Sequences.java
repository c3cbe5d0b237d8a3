package org.maniple.it;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.maniple.kernel.engine.StepPipeline;
import org.maniple.kernel.engine.StepResults;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.step.StepBatch.Rows;

/** Drives a pipeline step by step with sequences whose tokens the test decides. */
final class Sequences {

    /** One sequence: its blocks and how far it has come. */
    static final class Sequence {
        private final long id;
        private final int home;
        private final int[] blocks;
        private int position;

        private Sequence(long id, int home, int[] blocks) {
            this.id = id;
            this.home = home;
            this.blocks = blocks;
        }
    }

    /** Tokens of a sequence for one step. */
    record Span(Sequence sequence, int[] tokens, Rows rows) {}

    private final StepPipeline pipeline;
    private final int vocabulary;
    private final int[] nextBlock;
    private final ArrayDeque<int[]> orders = new ArrayDeque<>();
    private long nextSequence;
    private long step;

    Sequences(StepPipeline pipeline, int vocabulary) {
        this.pipeline = pipeline;
        this.vocabulary = vocabulary;
        this.nextBlock = new int[pipeline.limits().homes()];
    }

    /** A sequence with room for some tokens, in blocks that lie scattered; sequences are dealt over the homes. */
    Sequence open(int tokens) {
        return open(tokens, (int) (nextSequence % nextBlock.length));
    }

    /** A sequence of a home. */
    Sequence open(int tokens, int home) {
        int size = pipeline.limits().blockSize();
        int[] blocks = new int[(tokens + size - 1) / size];
        for (int i = 0; i < blocks.length; i++) {
            blocks[blocks.length - 1 - i] = nextBlock[home]++;
        }
        return new Sequence(nextSequence++, home, blocks);
    }

    /** Runs one step; the rows of logits, in the order of the spans. */
    List<float[]> run(List<Span> spans) {
        submit(spans);
        return await();
    }

    /**
     * Runs prompts together, and then the continuations that the reference chose for them, token by token.
     *
     * @param steps at most
     * @return the rows of logits, step by step
     */
    List<float[]> follow(List<Expected.Prompt> prompts, int steps) {
        List<Sequence> open = prompts.stream().map(prompt -> open(prompt.ids().length + prompt.output().length)).toList();
        var rows = new ArrayList<float[]>();
        for (int i = 0; i < Math.min(steps, prompts.getFirst().output().length); i++) {
            int now = i;
            rows.addAll(run(IntStream.range(0, open.size()).mapToObj(index -> {
                Expected.Prompt prompt = prompts.get(index);
                int[] tokens = now == 0 ? prompt.ids() : new int[] {prompt.output()[now - 1]};
                return new Span(open.get(index), tokens, Rows.LAST);
            }).toList()));
        }
        return rows;
    }

    /** The bits of a row of logits. */
    static int[] bits(float[] row) {
        int[] bits = new int[row.length];
        Arrays.setAll(bits, i -> Float.floatToRawIntBits(row[i]));
        return bits;
    }

    void submit(List<Span> spans) {
        StepBatch batch = pipeline.begin();
        batch.clear(step++);
        int[] order = IntStream.range(0, spans.size()).boxed().sorted(Comparator.comparingInt(i -> spans.get(i).sequence().home))
                .mapToInt(Integer::intValue).toArray();
        int[] places = new int[spans.stream().mapToInt(s -> s.rows().count(s.tokens().length)).sum()];
        int[] firsts = new int[spans.size()];
        for (int i = 1; i < firsts.length; i++) {
            firsts[i] = firsts[i - 1] + spans.get(i - 1).rows().count(spans.get(i - 1).tokens().length);
        }
        int row = 0;
        for (int index : order) {
            Span span = spans.get(index);
            Sequence sequence = span.sequence();
            for (int i = 0; i < span.rows().count(span.tokens().length); i++) {
                places[row++] = firsts[index] + i;
            }
            batch.addSpan(sequence.home, sequence.id, sequence.position, span.tokens(), 0, span.tokens().length, span.rows(),
                    sequence.blocks,
                    sequence.blocks.length);
            sequence.position += span.tokens().length;
        }
        batch.needFullRows(true);
        orders.add(places);
        pipeline.submit(batch);
    }

    List<float[]> await() {
        StepResults results = pipeline.await();
        int[] places = orders.remove();
        var rows = new ArrayList<float[]>(java.util.Collections.nCopies(results.rows(), new float[0]));
        MemorySegment logits = results.logits();
        for (int row = 0; row < results.rows(); row++) {
            float[] values = new float[vocabulary];
            MemorySegment.copy(logits, JAVA_FLOAT_UNALIGNED, 4L * row * vocabulary, values, 0, vocabulary);
            rows.set(places[row], values);
            int best = results.candidates().get(java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED,
                    4L * (row * (2L * results.k() + 2) + results.k()));
            if (best != argmax(values)) {
                throw new AssertionError(
                        "row " + row + ": the best candidate is " + best + ", the greatest logit " + argmax(values));
            }
        }
        return rows;
    }

    static int argmax(float[] row) {
        int best = 0;
        for (int i = 1; i < row.length; i++) {
            if (row[i] > row[best]) {
                best = i;
            }
        }
        return best;
    }
}
