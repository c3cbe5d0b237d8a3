package org.maniple.kernel.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.maniple.api.engine.ModelInfo;
import org.maniple.api.engine.TokenLogprob;
import org.maniple.api.model.ModelConfig;
import org.maniple.kernel.step.StepBatch;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The sampling cases of the oracle: what vLLM's order of operations keeps, with which probability, and what is drawn. */
class SamplerOracleTest {

    private static final int DRAWS = 20_000;

    @TestFactory
    Stream<DynamicTest> cases() throws Exception {
        Optional<Path> file = oracle();
        if (file.isEmpty() && "true".equals(System.getenv("CI"))) {
            throw new AssertionError("The oracle is missing: set -Dmaniple.oracle");
        }
        assumeTrue(file.isPresent(), "skipped: no oracle (set -Dmaniple.oracle, or put it into ../shared/oracle)");
        JsonNode all = JsonMapper.shared().readTree(Files.readString(file.get()));
        return StreamSupport.stream(all.get("cases").spliterator(), false)
                .map(each -> dynamicTest(each.get("name").asString(), () -> check(each)));
    }

    private static Optional<Path> oracle() {
        String given = System.getProperty("maniple.oracle");
        if (given != null) {
            return Optional.of(Path.of(given, "sampling", "sampling.json"));
        }
        for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
            Path file = at.resolve("../shared/oracle/sampling/sampling.json");
            if (Files.isDirectory(at.resolve("kernel-api")) && Files.exists(file)) {
                return Optional.of(file);
            }
        }
        return Optional.empty();
    }

    private static void check(JsonNode test) {
        int vocabulary = test.get("vocab").asInt();
        float[] logits = new float[vocabulary];
        for (int i = 0; i < vocabulary; i++) {
            logits[i] = (float) test.get("logits").get(i).asDouble();
        }
        int[] prompt = ints(test.get("prompt_token_ids"));
        int[] output = ints(test.get("output_token_ids"));
        int[] tokens = IntStream.concat(IntStream.of(prompt), IntStream.of(output)).toArray();
        JsonNode expected = test.get("expected");
        LogitRow row = row(logits);
        var sampler = new Sampler(vocabulary, FakePipeline.CANDIDATES);

        Samplings greedy = parameters(test.get("params")).with(s -> s.temperature = 0);
        assertEquals(expected.get("greedy_after_penalties").asInt(),
                sampler.choose(plan(greedy, 0, vocabulary), tokens, prompt.length, tokens.length, row));
        checkRawLogprobs(expected.get("raw_top5_logprobs"), row);
        Samplings samplings = parameters(test.get("params"));
        if (samplings.temperature > 0) {
            Map<Integer, Double> kept = checkKept(samplings, vocabulary, sampler, tokens, prompt.length, row, expected);
            checkDraws(samplings, vocabulary, sampler, tokens, prompt.length, row, kept);
        }
    }

    private static void checkRawLogprobs(JsonNode expected, LogitRow row) {
        TokenLogprob best = Logprobs.of(row, row.candidateId(0), 5);
        for (int i = 0; i < 5; i++) {
            assertEquals(expected.get(i).get(0).asInt(), best.top().get(i).token());
            assertEquals(expected.get(i).get(1).asDouble(), best.top().get(i).logprob(), 1e-5);
        }
    }

    private static Map<Integer, Double> checkKept(
            Samplings samplings, int vocabulary, Sampler sampler, int[] tokens, int promptLength, LogitRow row,
            JsonNode expected) {
        sampler.choose(plan(samplings, 0, vocabulary), tokens, promptLength, tokens.length, row);
        Selection selection = sampler.selection();
        Map<Integer, Double> kept = new HashMap<>();
        for (int i = 0; i < selection.size(); i++) {
            kept.put(selection.id(i), selection.probability(i));
        }
        int[] ids = ints(expected.get("kept"));
        assertEquals(set(ids), new TreeSet<>(kept.keySet()));
        for (int i = 0; i < ids.length; i++) {
            assertEquals(expected.get("probs").get(i).asDouble(), kept.get(ids[i]), 1e-6);
        }
        return kept;
    }

    private static void checkDraws(
            Samplings samplings, int vocabulary, Sampler sampler, int[] tokens, int promptLength, LogitRow row,
            Map<Integer, Double> kept) {
        int[] counts = new int[vocabulary];
        for (int seed = 0; seed < DRAWS; seed++) {
            counts[sampler.choose(plan(samplings, seed, vocabulary), tokens, promptLength, tokens.length, row)]++;
        }
        double rare = 0;
        int rareDraws = 0;
        for (int token = 0; token < vocabulary; token++) {
            double p = kept.getOrDefault(token, 0.0);
            checkFrequency("token " + token, counts[token], p);
            if (p < 5.0 / DRAWS) {
                rare += p;
                rareDraws += counts[token];
            }
        }
        checkFrequency("all rare tokens", rareDraws, rare);
    }

    /** One draw of a token that is far rarer than one in all draws lies outside of every bound in sigma, yet is to be expected now and then. */
    private static void checkFrequency(String what, int count, double p) {
        double bound = Math.max(5 * Math.sqrt(p * (1 - p) / DRAWS), p > 0 ? 1.0 / DRAWS : 0);
        double frequency = (double) count / DRAWS;
        assertTrue(Math.abs(frequency - p) <= bound, what + ": " + frequency + " for " + p);
    }

    private static LogitRow row(float[] logits) {
        MemorySegment candidates = MemorySegment.ofArray(new float[2 * FakePipeline.CANDIDATES + 2]);
        FakePipeline.writeTopK(logits, FakePipeline.CANDIDATES, candidates, 0);
        var batch = new StepBatch(new StepBatch.Limits(1, 1, 1, 1, 1), 1, 1);
        return new LogitRow(logits.length)
                .at(new FakePipeline.Results(batch, 1, candidates, FakePipeline.CANDIDATES, MemorySegment.ofArray(logits)), 0);
    }

    private static SamplingPlan plan(Samplings samplings, long seed, int vocabulary) {
        return new SamplingPlan(samplings.build(), seed,
                new ModelInfo(List.of("m"), "m", "m", vocabulary, 1000, List.of(), new ModelConfig("test", Map.of())), null);
    }

    private static Samplings parameters(JsonNode params) {
        var samplings = new Samplings();
        for (var entry : params.properties()) {
            JsonNode value = entry.getValue();
            switch (entry.getKey()) {
                case "temperature" -> samplings.temperature = value.asDouble();
                case "top_k" -> samplings.topK = value.asInt();
                case "top_p" -> samplings.topP = value.asDouble();
                case "min_p" -> samplings.minP = value.asDouble();
                case "repetition_penalty" -> samplings.repetition = value.asDouble();
                case "frequency_penalty" -> samplings.frequency = value.asDouble();
                case "presence_penalty" -> samplings.presence = value.asDouble();
                case "logit_bias" ->
                    value.properties().forEach(b -> samplings.bias.put(Integer.valueOf(b.getKey()), b.getValue().asDouble()));
                case "allowed_token_ids" -> samplings.allowed = boxed(ints(value));
                case "bad_words" -> value.forEach(words -> samplings.badWords.add(boxed(ints(words))));
                case "min_tokens" -> samplings.minTokens = value.asInt();
                case "stop_token_ids" -> samplings.stopTokens = boxed(ints(value));
                default -> throw new AssertionError("unknown parameter " + entry.getKey());
            }
        }
        samplings.maxTokens = OptionalInt.of(1000);
        return samplings;
    }

    private static List<Integer> boxed(int[] values) {
        return IntStream.of(values).boxed().toList();
    }

    private static int[] ints(JsonNode array) {
        return IntStream.range(0, array.size()).map(i -> array.get(i).asInt()).toArray();
    }

    private static Set<Integer> set(int[] values) {
        return new TreeSet<>(boxed(values));
    }
}
