package org.maniple.it;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.maniple.api.graph.Value;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.Tensor;
import org.maniple.it.Sequences.Sequence;
import org.maniple.it.Sequences.Span;
import org.maniple.kernel.program.Piece;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.step.StepBatch.Rows;
import tools.jackson.databind.JsonNode;

/** Compares a unit of virtual ranks with what the reference implementation computed for a checkpoint. */
final class ReferenceCheck {

    private static final float LOGITS = 5e-3f;
    private static final StepBatch.Limits LIMITS = new StepBatch.Limits(1024, 32, 2048, 256, 16);

    private ReferenceCheck() {}

    /** Hidden states, logits and greedy tokens of a checkpoint on a layout. */
    static void check(Path directory, Layout layout) {
        var expected = new Expected(directory);
        var seen = new ConcurrentHashMap<String, float[]>();
        int[] watched = new int[1];
        try (var unit = new VirtualUnit(directory, VirtualUnit.SHIPPED, VirtualUnit.MODELS, layout, LIMITS, 512,
                rank -> Optional.of((piece, tensor, step) -> record(piece, tensor, step, seen, watched[0])))) {
            var sequences = new Sequences(unit.pipeline(), unit.program().graph().vocabulary());
            // Where results of experts go home, tokens may be split so far that no rank has all of them.
            boolean goHome = layout.settings().containsKey("numerics") || layout.settings().containsKey("moe-combine");
            checkPrompt(expected, sequences, seen, watched, !goHome);
            checkGreedy(expected, sequences);
        }
    }

    /** All positions of the short prompt: hidden states, outputs of the halves of each block, logits. */
    private static void checkPrompt(Expected expected, Sequences sequences, Map<String, float[]> seen, int[] watched,
            boolean strict) {
        Expected.Prompt prompt = expected.prompts().stream().filter(p -> expected.has("prompt_logits." + p.name())).findFirst()
                .orElseThrow();
        Sequence sequence = sequences.open(prompt.ids().length);
        watched[0] = prompt.ids().length;
        List<float[]> logits = sequences.run(List.of(new Span(sequence, prompt.ids(), Rows.ALL)));
        watched[0] = 0;
        float[][] reference = expected.rows("prompt_logits." + prompt.name());
        for (int i = 0; i < reference.length; i++) {
            assertClose("prompt logits, position " + i, reference[i], logits.get(i), LOGITS, 0);
        }
        int checked = 0;
        for (String kind : List.of("hidden", "attn", "mlp")) {
            for (int layer = 0; layer < 64; layer++) {
                checked += checkState(expected, prompt.name(), kind, kind + "." + layer, Integer.toString(layer), seen, strict);
            }
        }
        checked += checkState(expected, prompt.name(), "hidden", "hidden.norm", "norm", seen, strict);
        checkExperts(expected, prompt, seen, strict);
        assertTrue(!strict || checked >= 8, "only " + checked + " states were compared");
    }

    /** The experts chosen for each token, as sets. */
    private static void checkExperts(Expected expected, Expected.Prompt prompt, Map<String, float[]> seen, boolean strict) {
        JsonNode routing = expected.json().get("routing");
        if (routing == null || !routing.get("prompt").asString().equals(prompt.name())) {
            return;
        }
        routing.get("layers").properties().forEach(layer -> {
            float[] chosen = seen.get("experts." + layer.getKey());
            if (chosen == null && !strict) {
                return;
            }
            Objects.requireNonNull(chosen, "no experts of layer " + layer.getKey());
            JsonNode tokens = layer.getValue().get("experts");
            int choices = chosen.length / tokens.size();
            for (int token = 0; token < tokens.size(); token++) {
                int[] reference = Expected.ints(tokens.get(token));
                Arrays.sort(reference);
                int[] found = new int[choices];
                for (int i = 0; i < choices; i++) {
                    found[i] = Float.floatToRawIntBits(chosen[token * choices + i]);
                }
                assertArrayEquals(reference, found, "experts of token " + token + " in layer " + layer.getKey());
            }
        });
    }

    private static int checkState(Expected expected, String prompt, String kind, String value, String suffix,
            Map<String, float[]> seen, boolean strict) {
        String tensor = kind + "." + prompt + "." + suffix;
        if (!expected.has(tensor)) {
            return 0;
        }
        float[][] rows = expected.rows(tensor);
        float[] flat = new float[rows.length * rows[0].length];
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(rows[i], 0, flat, i * rows[0].length, rows[0].length);
        }
        if (!seen.containsKey(value) && !strict) {
            return 0;
        }
        assertTrue(seen.containsKey(value), value + " was never whole; seen: " + seen.keySet());
        assertClose(value, flat, seen.get(value), 1e-3f, 1e-4f);
        return 1;
    }

    /** All prompts together, then decoding with the reference's tokens: every greedy token, and the logits that the oracle keeps. */
    private static void checkGreedy(Expected expected, Sequences sequences) {
        List<Expected.Prompt> prompts = expected.prompts();
        var open = new ArrayList<Sequence>();
        var spans = new ArrayList<Span>();
        for (Expected.Prompt prompt : prompts) {
            Sequence sequence = sequences.open(prompt.ids().length + prompt.output().length);
            open.add(sequence);
            spans.add(new Span(sequence, prompt.ids(), Rows.LAST));
        }
        List<float[]> logits = sequences.run(spans);
        for (int step = 0; step < prompts.getFirst().output().length; step++) {
            if (step > 0) {
                spans.clear();
                for (int i = 0; i < open.size(); i++) {
                    spans.add(new Span(open.get(i), new int[] {prompts.get(i).output()[step - 1]}, Rows.LAST));
                }
                logits = sequences.run(spans);
            }
            for (int i = 0; i < prompts.size(); i++) {
                Expected.Prompt prompt = prompts.get(i);
                String where = prompt.name() + ", step " + step;
                assertEquals(prompt.output()[step], Sequences.argmax(logits.get(i)), where + ": greedy token");
                if (step < prompt.logitRows()) {
                    assertClose(where, expected.rows("logits." + prompt.name())[step], logits.get(i), LOGITS, 0);
                }
            }
        }
    }

    private static void record(Piece piece, Tensor tensor, Step step, Map<String, float[]> seen, int tokens) {
        boolean whole = piece.layout().placements().stream().allMatch(p -> p.toString().matches("R|S\\(TOKENS\\)"));
        if (tokens > 0 && whole && piece.operand() instanceof Value value
                && value.name().matches("((hidden|attn|mlp)\\.(\\d+|norm))|experts\\.\\d+")
                && step.tokens() == tokens) {
            float[] copy = new float[tensor.rows() * tensor.width()];
            java.lang.foreign.MemorySegment.copy(tensor.segment(), java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED, 0, copy, 0,
                    copy.length);
            seen.put(value.name(), copy);
        }
    }

    private static void assertClose(String what, float[] expected, float[] actual, float absolute, float relative) {
        assertEquals(expected.length, actual.length, what);
        for (int i = 0; i < expected.length; i++) {
            float difference = Math.abs(expected[i] - actual[i]);
            if (!(difference <= absolute + relative * Math.abs(expected[i]))) {
                throw new AssertionError(what + ", element " + i + ": expected " + expected[i] + ", was " + actual[i]);
            }
        }
    }
}
