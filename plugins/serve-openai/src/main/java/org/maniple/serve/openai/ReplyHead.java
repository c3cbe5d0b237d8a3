package org.maniple.serve.openai;

import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.stream.Collectors;
import tools.jackson.core.JsonGenerator;

/**
 * What is the same in all parts of a reply.
 *
 * @param id the reply's id
 * @param created when it began, in seconds since 1970
 * @param model the model's name
 */
record ReplyHead(String id, long created, String model) {

    void write(JsonGenerator json, String object) {
        json.writeStringProperty("id", id);
        json.writeStringProperty("object", object);
        json.writeNumberProperty("created", created);
        json.writeStringProperty("model", model);
    }

    /** Several choices may continue the same prompt; each prompt counts once. */
    static void writeUsage(JsonGenerator json, List<Choice> choices, boolean complete) {
        long output = choices.stream().mapToLong(Choice::tokenCount).sum();
        long input = choices.stream().map(Choice::prompt).distinct().mapToLong(prompt -> prompt.tokens().length).sum();
        json.writeObjectPropertyStart("usage");
        json.writeNumberProperty("prompt_tokens", input);
        json.writeNumberProperty("total_tokens", input + output);
        json.writeNumberProperty("completion_tokens", output);
        long cached = cachedTokens(choices);
        if (cached > 0) {
            json.writeObjectPropertyStart("prompt_tokens_details");
            json.writeNumberProperty("cached_tokens", cached);
            json.writeEndObject();
        } else if (complete) {
            json.writeNullProperty("prompt_tokens_details");
        }
        if (choices.getFirst().reasoningTokens().isPresent()) {
            json.writeObjectPropertyStart("completion_tokens_details");
            json.writeNumberProperty("reasoning_tokens", reasoningTokens(choices));
            json.writeEndObject();
        }
        json.writeEndObject();
    }

    /** Of choices that continue the same prompt one computes what the others find in the cache. */
    static long cachedTokens(List<Choice> choices) {
        return choices.stream().collect(Collectors.groupingBy(Choice::prompt, IdentityHashMap::new,
                Collectors.minBy(Comparator.comparingInt(Choice::cachedTokens)))).values().stream()
                .mapToLong(least -> least.orElseThrow().cachedTokens()).sum();
    }

    static int reasoningTokens(List<Choice> choices) {
        return choices.stream().mapToInt(choice -> choice.reasoningTokens().orElse(0)).sum();
    }
}
