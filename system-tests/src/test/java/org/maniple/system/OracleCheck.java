package org.maniple.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import tools.jackson.databind.JsonNode;

/** Compares what a unit of real processes generates with what the reference implementation has generated. */
final class OracleCheck {

    /** Of log-probabilities, from the oracle's description. */
    private static final double TOLERANCE = 5e-3;

    private OracleCheck() {}

    /**
     * Starts a unit and asks for all prompts at once: tokens and log-probabilities must be the expected ones.
     *
     * @param oracle the checkpoint
     * @param keys how it is spread
     * @param ranks how many processes that makes
     * @param folder for files of the unit
     */
    static void check(Distribution distribution, Oracles.Oracle oracle, Map<String, ?> keys, int ranks, Path folder) {
        Expected expected = oracle.expected();
        UnitSpec spec = UnitSpec.of(model(oracle, folder)).with("activation-dtype", "f32").with(keys)
                .with("skip-tokenizer-init", true);
        try (UnitProcess running = UnitProcess.ready(distribution, spec, folder)) {
            Api api = running.api();
            assertThat(api.get("/v1/cluster").get("ranks").size()).isEqualTo(ranks);
            checkPrompts(api, expected);
            expected.eosCase().ifPresent(eos -> checkEos(api, expected.prompt(eos.prompt()), eos));
        }
    }

    /** Asks a unit for all prompts at once. */
    static void checkPrompts(Api api, Expected expected) {
        Map<Expected.Prompt, CompletableFuture<JsonNode>> replies = new LinkedHashMap<>();
        expected.prompts().forEach(prompt -> replies.put(prompt, api.postLater("/v1/completions", request(prompt))));
        replies.forEach((prompt, reply) -> check(prompt, Api.await(reply)));
    }

    /** The end token is that of the oracle's case about it; all other requests ignore it. */
    private static Path model(Oracles.Oracle oracle, Path folder) {
        return oracle.expected().eosCase()
                .map(eos -> ModelFolder.changed(oracle.model(), folder, Map.of("eos_token_id", eos.token())))
                .orElse(oracle.model());
    }

    private static Map<String, Object> request(Expected.Prompt prompt) {
        var body = new HashMap<String, Object>();
        body.put("prompt", prompt.ids());
        body.put("max_tokens", prompt.output().size());
        body.put("temperature", 0);
        body.put("ignore_eos", true);
        body.put("return_token_ids", true);
        body.put("logprobs", 5);
        body.put("return_tokens_as_token_ids", true);
        return body;
    }

    private static void check(Expected.Prompt prompt, JsonNode reply) {
        JsonNode choice = reply.get("choices").get(0);
        assertThat(Expected.ids(choice.get("token_ids"))).as("tokens of %s", prompt.name()).isEqualTo(prompt.output());
        assertThat(choice.get("finish_reason").asString()).isEqualTo("length");
        JsonNode steps = choice.get("logprobs").get("top_logprobs");
        assertThat(steps.size()).isEqualTo(prompt.output().size());
        for (int step = 0; step < prompt.top().size(); step++) {
            checkTop(prompt.name() + ", step " + step, prompt.top().get(step), steps.get(step));
        }
    }

    /** Two tokens at the end of the list may change places if their values are within the tolerance. */
    private static void checkTop(String where, List<Expected.Candidate> expected, JsonNode actual) {
        assertThat(actual.size()).as(where).isEqualTo(expected.size());
        double lowest = actual.valueStream().mapToDouble(JsonNode::asDouble).min().orElseThrow();
        for (Expected.Candidate candidate : expected) {
            JsonNode value = actual.get("token_id:" + candidate.token());
            assertThat(value == null ? lowest : value.asDouble()).as("%s, token %d in %s", where, candidate.token(), actual)
                    .isCloseTo(candidate.logprob(), within(TOLERANCE));
        }
    }

    private static void checkEos(Api api, Expected.Prompt prompt, Expected.EosCase eos) {
        Map<String, Object> request = request(prompt);
        request.remove("ignore_eos");
        JsonNode choice = api.post("/v1/completions", request).get("choices").get(0);

        assertThat(Expected.ids(choice.get("token_ids"))).isEqualTo(eos.output());
        assertThat(choice.get("finish_reason").asString()).isEqualTo("stop");
    }
}
