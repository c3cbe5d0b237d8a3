package org.maniple.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.system.OracleUnits.Unit;
import tools.jackson.databind.JsonNode;

/** Units of real processes generate what the reference implementation generates, however the model is spread. */
class OracleUnitsIT {

    /** Of log-probabilities, from the oracle's description. */
    private static final double TOLERANCE = 5e-3;

    private final Distribution distribution = Distribution.find();

    @TempDir
    private Path folder;

    static Stream<Unit> units() {
        return OracleUnits.all()
                ? Stream.concat(OracleUnits.ALWAYS.stream(), OracleUnits.MORE.stream())
                : OracleUnits.ALWAYS.stream();
    }

    @ParameterizedTest
    @MethodSource("units")
    void tokensAndLogprobsAreTheExpectedOnes(Unit unit) {
        Oracles.Oracle oracle = Oracles.find(unit.model());
        Expected expected = oracle.expected();
        UnitSpec spec = UnitSpec.of(model(oracle)).with(unit.layout().keys()).with("skip-tokenizer-init", true);
        try (UnitProcess running = UnitProcess.ready(distribution, spec, folder)) {
            Api api = running.api();
            assertThat(api.get("/v1/cluster").get("ranks").size()).isEqualTo(unit.layout().ranks());
            Map<Expected.Prompt, CompletableFuture<JsonNode>> replies = new LinkedHashMap<>();
            expected.prompts().forEach(prompt -> replies.put(prompt, api.postLater("/v1/completions", request(prompt))));
            replies.forEach((prompt, reply) -> check(prompt, Api.await(reply)));
            expected.eosCase().ifPresent(eos -> checkEos(api, expected.prompt(eos.prompt()), eos));
        }
    }

    @Test
    void theCoverHasEveryCheckpointAndEveryLayoutInAtMostTwentyUnits() {
        List<Unit> all = Stream.concat(OracleUnits.ALWAYS.stream(), OracleUnits.MORE.stream()).toList();

        assertThat(OracleUnits.ALWAYS).hasSizeLessThanOrEqualTo(8);
        assertThat(OracleUnits.ALWAYS.stream().map(Unit::model)).containsAll(OracleUnits.MODELS);
        assertThat(all).hasSizeLessThanOrEqualTo(20).doesNotHaveDuplicates();
        assertThat(all.stream().map(Unit::layout).collect(Collectors.toSet())).isEqualTo(Set.copyOf(OracleUnits.LAYOUTS));
    }

    /** The end token is that of the oracle's case about it; all other requests ignore it. */
    private Path model(Oracles.Oracle oracle) {
        return oracle.expected().eosCase().map(eos -> ModelFolder.changed(oracle.model(), folder, Map.of("eos_token_id", eos.token())))
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
