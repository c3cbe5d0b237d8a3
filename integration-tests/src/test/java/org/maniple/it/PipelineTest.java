package org.maniple.it;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.maniple.it.Sequences.Sequence;
import org.maniple.it.Sequences.Span;
import org.maniple.kernel.local.LocalTransport;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.step.StepBatch.Rows;

/** With stages, as many batches are in flight as there are stages. */
class PipelineTest {

    @Test
    void batchesInFlightGiveTheTokensOfBatchesAlone() {
        Path directory = Oracles.model("llama-plain");
        List<Expected.Prompt> prompts = new Expected(directory).prompts();
        try (var unit = new VirtualUnit(directory, Layout.of(2, 3), new StepBatch.Limits(512, 8, 512, 16, 16), 256)) {
            assertEquals(3, unit.pipeline().depth());
            var sequences = new Sequences(unit.pipeline(), unit.program().graph().vocabulary());
            var produced = new ArrayList<List<Integer>>();
            var open = new ArrayList<Sequence>();
            for (Expected.Prompt prompt : prompts) {
                open.add(sequences.open(prompt.ids().length + prompt.output().length));
                produced.add(new ArrayList<>());
            }
            var flying = new ArrayDeque<Integer>();
            int next = 0;
            int remaining = prompts.size() * 20;
            while (remaining > 0) {
                if (flying.size() < 3 && produced.get(next).size() < 20 && !flying.contains(next)) {
                    Expected.Prompt prompt = prompts.get(next);
                    List<Integer> sofar = produced.get(next);
                    int[] tokens = sofar.isEmpty() ? prompt.ids() : new int[] {sofar.getLast()};
                    sequences.submit(List.of(new Span(open.get(next), tokens, Rows.LAST)));
                    flying.add(next);
                } else {
                    int oldest = flying.remove();
                    produced.get(oldest).add(Sequences.argmax(sequences.await().getFirst()));
                    remaining--;
                }
                next = (next + 1) % prompts.size();
                if (flying.isEmpty()) {
                    while (remaining > 0 && produced.get(next).size() == 20) {
                        next = (next + 1) % prompts.size();
                    }
                }
            }
            for (int i = 0; i < prompts.size(); i++) {
                for (int step = 0; step < 20; step++) {
                    assertEquals(prompts.get(i).output()[step], produced.get(i).get(step),
                            prompts.get(i).name() + ", step " + step);
                }
            }
        }
    }

    @Test
    void whatGoesToTheNextStageLeavesWhileTheNextBatchIsComputed() {
        Path directory = Oracles.model("llama-plain");
        Expected.Prompt prompt = new Expected(directory).prompts().getFirst();
        var left = new AtomicInteger();
        var waited = new AtomicInteger();
        Layout layout = Layout.of(1, 2).over("full buffers", () -> new SlowSends(new LocalTransport(), left, waited));
        try (var unit = new VirtualUnit(directory, layout, new StepBatch.Limits(512, 8, 512, 16, 16), 256)) {
            var sequences = new Sequences(unit.pipeline(), unit.program().graph().vocabulary());
            for (int batch = 0; batch < 2; batch++) {
                Sequence sequence = sequences.open(prompt.ids().length + 1);
                sequences.submit(List.of(new Span(sequence, prompt.ids(), Rows.LAST)));
            }
            assertEquals(List.of(1, 0), List.of(left.get(), waited.get()));
            for (int batch = 0; batch < 2; batch++) {
                assertEquals(prompt.output()[0], Sequences.argmax(sequences.await().getFirst()));
            }
        }
    }
}
