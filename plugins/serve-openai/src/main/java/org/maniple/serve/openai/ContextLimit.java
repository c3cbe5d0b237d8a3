package org.maniple.serve.openai;

import java.util.Arrays;
import java.util.OptionalInt;

/**
 * Keeps prompt and output within the positions that the model has.
 *
 * @param length positions of a request, prompt and output together
 * @param part what messages call the prompt: {@code messages} or {@code prompt}
 */
record ContextLimit(int length, String part) {

    /** Reads {@code truncate_prompt_tokens}: how many tokens to keep at the end of a prompt; -1 for as many as there are positions. */
    OptionalInt truncation(Fields fields) {
        OptionalInt asked = fields.integer("truncate_prompt_tokens", -1, length);
        if (asked.isPresent() && asked.getAsInt() == 0) {
            throw fields.problem("truncate_prompt_tokens", "must be -1 or at least 1, got [0]");
        }
        return asked.isPresent() && asked.getAsInt() == -1 ? OptionalInt.of(length) : asked;
    }

    /**
     * A prompt as it goes to the engine.
     *
     * @param limiting the field that {@code maxTokens} comes from
     * @throws ApiException 400 if it is empty, or does not fit with the tokens that are to be generated
     */
    int[] fit(int[] tokens, OptionalInt truncation, OptionalInt maxTokens, String limiting) {
        int[] kept = truncation.isPresent() && tokens.length > truncation.getAsInt()
                ? Arrays.copyOfRange(tokens, tokens.length - truncation.getAsInt(), tokens.length)
                : tokens;
        if (kept.length == 0) {
            throw ApiException.invalid(part, "The " + part + " has no tokens; send at least one.");
        }
        long output = maxTokens.orElse(0);
        if (kept.length + output > length || kept.length >= length) {
            throw ApiException.invalid(kept.length < length ? limiting : part,
                    "This model's maximum context length is " + length + " tokens. However, you requested "
                            + (kept.length + output) + " tokens (" + kept.length + " in the " + part + ", " + output
                            + " in the completion). Please reduce the length of the " + part + " or completion.");
        }
        return kept;
    }
}
