package org.maniple.tokenizer.hf;

import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A model's chat templates by name, most often just one called {@code default}.
 *
 * @param byName        the templates
 * @param specialTokens {@code bos_token} and others, which templates see as variables
 * @param clock         the time for {@code strftime_now}
 */
record ChatTemplates(Map<String, ChatTemplate> byName, Map<String, String> specialTokens, Clock clock) {
    static final String DEFAULT = "default";
    private static final String TOOL_USE = "tool_use";

    static ChatTemplates none() {
        return new ChatTemplates(Map.of(), Map.of(), Clock.systemUTC());
    }

    boolean isEmpty() {
        return byName.isEmpty();
    }

    String render(List<? extends Map<String, ?>> messages, Map<String, ?> variables) {
        var all = new LinkedHashMap<String, @Nullable Object>();
        all.put("tools", null);
        all.put("documents", null);
        all.put("add_generation_prompt", false);
        all.putAll(variables);
        // variables come from requests; they must not change what the model's own names mean
        all.putAll(specialTokens);
        all.put("messages", messages);
        return choose(all.get("tools") != null).render(all, clock);
    }

    private ChatTemplate choose(boolean tools) {
        Supplier<TokenizerFileException> none = () -> new TokenizerFileException("tokenizer_config.json", "chat_template",
                byName.isEmpty()
                        ? "this model has no chat template; use plain completions, or give it one as chat_template.jinja"
                        : "has the templates " + byName.keySet() + " but none called " + DEFAULT);
        var chosen = tools && byName.containsKey(TOOL_USE) ? byName.get(TOOL_USE) : byName.get(DEFAULT);
        if (chosen == null) {
            throw none.get();
        }
        return chosen;
    }
}
