package org.maniple.kernel.config;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.maniple.kernel.engine.Speculation;
import org.maniple.kernel.plugin.NearestName;

/** What somebody wants of speculative decoding, in vLLM's or in SGLang's words. */
public final class SpeculationWish {

    private static final String METHOD = "method";
    private static final String TOKENS = "num_speculative_tokens";
    private static final String SHORTEST = "prompt_lookup_min";
    private static final String LONGEST = "prompt_lookup_max";
    private static final List<String> LOOKUP_NAMES = List.of(METHOD, TOKENS, SHORTEST, LONGEST);
    private static final List<String> LAYER_NAMES = List.of(METHOD, TOKENS);
    private static final List<String> METHODS = List.of("ngram", "mtp", "deepseek_mtp");
    /** As in vLLM, where neither length is given. */
    private static final int RUN = 5;
    /** As in SGLang. */
    private static final int VERIFIED = 12;

    private final EffectiveSettings settings;

    private SpeculationWish(EffectiveSettings settings) {
        this.settings = settings;
    }

    /**
     * Reads it.
     *
     * @param settings the configuration
     * @return what is wanted
     * @throws IllegalArgumentException with a message for users, if it makes no sense
     */
    public static Speculation of(EffectiveSettings settings) {
        return new SpeculationWish(settings).read();
    }

    /**
     * The key that a complaint is about.
     *
     * @param settings the configuration
     * @return the key by which it is asked for
     */
    public static String key(EffectiveSettings settings) {
        return settings.has(KernelOptions.SPECULATIVE_CONFIG) || !settings.has(KernelOptions.SPECULATIVE_ALGORITHM)
                ? KernelOptions.SPECULATIVE_CONFIG
                : KernelOptions.SPECULATIVE_ALGORITHM;
    }

    private Speculation read() {
        boolean fine = settings.has(KernelOptions.SPECULATIVE_CONFIG);
        boolean coarse = settings.has(KernelOptions.SPECULATIVE_ALGORITHM);
        if (fine && coarse) {
            throw new IllegalArgumentException("speculative-algorithm (" + settings.source(KernelOptions.SPECULATIVE_ALGORITHM)
                    + ") says how to guess, too; give one of the two");
        }
        if (fine) {
            return ofVllm(settings.entries(KernelOptions.SPECULATIVE_CONFIG));
        }
        return coarse ? ofSglang() : Speculation.OFF;
    }

    private static Speculation ofVllm(Map<String, String> entries) {
        String method = Optional.ofNullable(entries.get(METHOD)).orElseThrow(() -> new IllegalArgumentException(
                "it has no [" + METHOD + "]; give one of " + METHODS
                        + ", as in {\"method\": \"ngram\", \"num_speculative_tokens\": 5}"))
                .toLowerCase(Locale.ROOT);
        if (!METHODS.contains(method)) {
            throw new IllegalArgumentException(
                    "method [" + method + "] is not supported, since it needs a second model; there are "
                            + METHODS);
        }
        List<String> names = method.equals("ngram") ? LOOKUP_NAMES : LAYER_NAMES;
        for (String name : entries.keySet()) {
            if (!names.contains(name)) {
                throw new IllegalArgumentException("[" + name + "] means nothing with method [" + method + "]; there are " + names
                        + NearestName.hint(name, names));
            }
        }
        if (method.equals("ngram")) {
            Optional<Integer> tokens = number(entries, TOKENS);
            Optional<Integer> shortest = number(entries, SHORTEST);
            Optional<Integer> longest = number(entries, LONGEST);
            return lookup(
                    tokens.orElseThrow(
                            () -> new IllegalArgumentException("it has no [" + TOKENS + "]; give a number, for example 5")),
                    shortest.or(() -> longest).orElse(RUN), longest.or(() -> shortest).orElse(RUN));
        }
        return layer(number(entries, TOKENS).orElse(1));
    }

    private static Optional<Integer> number(Map<String, String> entries, String name) {
        String text = entries.get(name);
        if (text != null && !text.matches("\\d{1,6}")) {
            throw new IllegalArgumentException(name + " [" + text + "] is not a whole number");
        }
        return Optional.ofNullable(text).map(Integer::valueOf);
    }

    private Speculation ofSglang() {
        if (settings.has(KernelOptions.SPECULATIVE_EAGLE_TOPK) && settings.integer(KernelOptions.SPECULATIVE_EAGLE_TOPK) != 1) {
            throw new IllegalArgumentException("speculative-eagle-topk [" + settings.integer(KernelOptions.SPECULATIVE_EAGLE_TOPK)
                    + "]: one token is guessed at each place, not a tree of them; give 1 or leave it out");
        }
        boolean lookup = settings.text(KernelOptions.SPECULATIVE_ALGORITHM).equals("NGRAM");
        int verified = settings.has(KernelOptions.SPECULATIVE_NUM_DRAFT_TOKENS)
                ? settings.integer(KernelOptions.SPECULATIVE_NUM_DRAFT_TOKENS)
                : lookup ? VERIFIED : 2;
        // SGLang counts the token that is known among those that a step verifies.
        int tokens = settings.has(KernelOptions.SPECULATIVE_NUM_STEPS)
                ? settings.integer(KernelOptions.SPECULATIVE_NUM_STEPS)
                : verified - 1;
        return lookup ? lookup(tokens, RUN, RUN) : layer(tokens);
    }

    private static Speculation lookup(int tokens, int shortest, int longest) {
        checkTokens(tokens);
        if (shortest < 1 || longest < shortest) {
            throw new IllegalArgumentException("runs of " + shortest + " (" + SHORTEST + ") to " + longest + " (" + LONGEST
                    + ") tokens cannot be looked up; give at least 1, and the first no greater than the second");
        }
        return new Speculation.Lookup(tokens, shortest, longest);
    }

    private static Speculation layer(int tokens) {
        if (tokens != 1) {
            throw new IllegalArgumentException(TOKENS + " [" + tokens
                    + "]: the model's own layer guesses one token for each position; give 1, or leave it out");
        }
        return new Speculation.NextLayer();
    }

    private static void checkTokens(int tokens) {
        if (tokens < 1 || tokens > Speculation.MOST_TOKENS) {
            throw new IllegalArgumentException(
                    TOKENS + " [" + tokens + "] must be from 1 to " + Speculation.MOST_TOKENS);
        }
    }
}
