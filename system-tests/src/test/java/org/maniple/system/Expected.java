package org.maniple.system;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What the reference implementation generated for a checkpoint. */
public record Expected(List<Prompt> prompts, Optional<EosCase> eosCase, Map<String, List<Integer>> tokenizerCases) {

    /** A likely token. */
    public record Candidate(int token, double logprob) {}

    /** A prompt with its greedy continuation and, for each step, the likeliest tokens, best first. */
    public record Prompt(String name, List<Integer> ids, List<Integer> output, List<List<Candidate>> top, JsonNode json) {}

    /** A prompt whose continuation ends with this token if the model's configuration names it as the end. */
    public record EosCase(String prompt, int token, List<Integer> output) {}

    public static Expected of(Path model) {
        try {
            JsonNode json = new JsonMapper().readTree(Files.readString(model.resolve("expected.json")));
            var prompts = new ArrayList<Prompt>();
            json.get("prompts").properties().forEach(entry -> prompts.add(prompt(entry.getKey(), entry.getValue())));
            JsonNode eos = json.path("eos_case");
            return new Expected(prompts, eos.isObject()
                    ? Optional.of(new EosCase(eos.get("prompt").asString(), eos.get("eos_token_id").asInt(),
                            ids(eos.get("output_ids"))))
                    : Optional.empty(), tokenizerCases(json.path("tokenizer_cases")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Texts and the tokens that they become; of files that have a tokenizer in them. */
    private static Map<String, List<Integer>> tokenizerCases(JsonNode cases) {
        var texts = new LinkedHashMap<String, List<Integer>>();
        cases.valueStream().forEach(one -> texts.put(one.get("text").asString(), ids(one.get("ids"))));
        return texts;
    }

    public Prompt prompt(String name) {
        return prompts.stream().filter(prompt -> prompt.name().equals(name)).findFirst().orElseThrow();
    }

    private static Prompt prompt(String name, JsonNode json) {
        // The committed references have none.
        List<List<Candidate>> top = json.path("top5_logprobs").valueStream()
                .map(step -> step.valueStream().map(pair -> new Candidate(pair.get(0).asInt(), pair.get(1).asDouble())).toList())
                .toList();
        return new Prompt(name, ids(json.get("ids")), ids(json.get("output_ids")), top, json);
    }

    public static List<Integer> ids(JsonNode list) {
        return list.valueStream().map(JsonNode::asInt).toList();
    }
}
