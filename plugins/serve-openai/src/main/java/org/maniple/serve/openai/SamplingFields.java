package org.maniple.serve.openai;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.maniple.api.engine.ModelInfo;
import org.maniple.api.engine.Sampling;
import org.maniple.api.text.TextCodec;

/**
 * Reads how tokens are to be chosen, and checks every value before anything is done with it. Ranges are vLLM's, with an upper bound
 * where vLLM has none.
 */
final class SamplingFields {

    static final int MAX_LOGPROBS = 20;

    private static final int MAX_CHOICES = 16;
    private static final int MAX_STOPS = 16;
    private static final int MAX_STOP_BYTES = 256;
    private static final int MAX_STOP_TOKENS = 1024;
    private static final int MAX_BIASES = 1024;
    private static final int MAX_BAD_WORDS = 256;

    private final ModelInfo model;
    private final SamplingDefaults defaults;
    private final Optional<TextCodec> codec;
    private final StructuredFields structured;

    SamplingFields(ModelInfo model, SamplingDefaults defaults, Optional<TextCodec> codec, StructuredFields structured) {
        this.model = model;
        this.defaults = defaults;
        this.codec = codec;
        this.structured = structured;
    }

    /** How many answers to give. */
    static int choices(Fields fields) {
        return fields.integer("n", 1, MAX_CHOICES).orElse(1);
    }

    /**
     * Reads everything but the number of tokens and logprobs, which the two routes spell differently.
     *
     * @param maxTokens tokens to generate at most
     * @param logprobs likely tokens to report for each generated one
     * @param promptLogprobs the same for the prompt
     * @param showSpecial whether special tokens must be in the text, whatever the request says
     */
    Sampling read(Fields fields, OptionalInt maxTokens, OptionalInt logprobs, OptionalInt promptLogprobs, boolean showSpecial) {
        checkIgnored(fields);
        int most = maxTokens.orElse(model.maxModelLength());
        int minTokens = fields.integer("min_tokens", 0, Integer.MAX_VALUE).orElse(0);
        if (minTokens > most) {
            throw fields.problem("min_tokens", "must be less than or equal to max_tokens=" + most + ", got " + minTokens);
        }
        return new Sampling(
                maxTokens,
                minTokens,
                fields.number("temperature", 0, 100).orElse(defaults.temperature()),
                aboveZero(fields, "top_p", fields.number("top_p", 0, 1).orElse(defaults.topP())),
                fields.integer("top_k", -1, Integer.MAX_VALUE).orElse(defaults.topK()),
                fields.number("min_p", 0, 1).orElse(defaults.minP()),
                aboveZero(fields, "repetition_penalty",
                        fields.number("repetition_penalty", 0, 100).orElse(defaults.repetitionPenalty())),
                fields.number("presence_penalty", -2, 2).orElse(0),
                fields.number("frequency_penalty", -2, 2).orElse(0),
                seed(fields),
                logitBias(fields),
                allowed(fields),
                badWords(fields),
                stop(fields),
                fields.flag("include_stop_str_in_output", fields.flag("no_stop_trim", false)),
                fields.tokenIds("stop_token_ids", MAX_STOP_TOKENS, model.vocabulary()).orElse(List.of()),
                fields.flag("ignore_eos", false),
                logprobs,
                promptLogprobs,
                fields.flag("skip_special_tokens", true) && !showSpecial,
                structured.read(fields));
    }

    /** These change nothing here; a value that makes no sense is an error all the same. */
    private static void checkIgnored(Fields fields) {
        fields.number("length_penalty", -100, 100);
        fields.flag("spaces_between_special_tokens", true);
        fields.text("user");
        fields.text("request_id");
        fields.text("session_id");
    }

    private static double aboveZero(Fields fields, String name, double value) {
        if (value <= 0) {
            throw fields.problem(name, "must be greater than 0, got [" + value + "]");
        }
        return value;
    }

    private static OptionalLong seed(Fields fields) {
        return fields.whole("seed", Long.MIN_VALUE, Long.MAX_VALUE);
    }

    private Map<Integer, Double> logitBias(Fields fields) {
        Optional<Fields> biases = fields.object("logit_bias");
        if (biases.isEmpty()) {
            return Map.of();
        }
        Map<String, ?> given = biases.get().all();
        if (given.size() > MAX_BIASES) {
            throw fields.problem("logit_bias", "has " + given.size() + " entries; at most " + MAX_BIASES + " are allowed");
        }
        Map<Integer, Double> byToken = new HashMap<>();
        given.forEach((key, value) -> {
            int token = key.matches("\\d{1,9}") ? Integer.parseInt(key) : -1;
            if (token < 0 || token >= model.vocabulary()) {
                throw fields.problem("logit_bias",
                        "has the key [" + ApiException.shown(key) + "], which is no token id from 0 to "
                                + (model.vocabulary() - 1));
            }
            if (byToken.put(token, fields.toNumber("logit_bias", value, -100, 100)) != null) {
                throw fields.problem("logit_bias", "names the token " + token + " twice");
            }
        });
        return byToken;
    }

    private List<Integer> allowed(Fields fields) {
        Optional<List<Integer>> allowed = fields.tokenIds("allowed_token_ids", model.vocabulary(), model.vocabulary());
        if (allowed.isPresent() && allowed.get().isEmpty()) {
            throw fields.problem("allowed_token_ids", "is empty, so no token could be chosen");
        }
        return allowed.orElse(List.of());
    }

    private List<String> stop(Fields fields) {
        List<String> stop = fields.texts("stop", MAX_STOPS, MAX_STOP_BYTES);
        if (!stop.isEmpty() && codec.isEmpty()) {
            throw fields.problem("stop", "needs a tokenizer, and this server runs without one; use stop_token_ids");
        }
        return stop;
    }

    /** As vLLM does: each word as it is, and after a space if that makes it begin with another token. */
    private List<List<Integer>> badWords(Fields fields) {
        List<String> words = fields.texts("bad_words", MAX_BAD_WORDS, MAX_STOP_BYTES);
        if (words.isEmpty()) {
            return List.of();
        }
        TextCodec tokenizer = codec.orElseThrow(
                () -> fields.problem("bad_words", "needs a tokenizer, and this server runs without one; use logit_bias"));
        List<List<Integer>> sequences = new ArrayList<>();
        for (String word : words) {
            String bare = word.stripLeading();
            List<Integer> plain = boxed(tokenizer.encode(bare, false));
            List<Integer> spaced = boxed(tokenizer.encode(" " + bare, false));
            if (plain.isEmpty()) {
                throw fields.problem("bad_words", "has a text without tokens");
            }
            sequences.add(plain);
            if (spaced.size() == plain.size() && !spaced.getFirst().equals(plain.getFirst())) {
                sequences.add(spaced);
            }
        }
        return sequences;
    }

    private static List<Integer> boxed(int[] ids) {
        return Arrays.stream(ids).boxed().toList();
    }
}
