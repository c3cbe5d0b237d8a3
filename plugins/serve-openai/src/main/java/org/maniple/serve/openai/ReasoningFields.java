package org.maniple.serve.openai;

import java.util.Locale;
import java.util.Optional;
import tools.jackson.core.JsonGenerator;

/** What the reasoning is called in chat completions. */
enum ReasoningFields {
    /** By both names. */
    BOTH,
    /** By vLLM's new name. */
    REASONING,
    /** By its old name, which SGLang has kept. */
    REASONING_CONTENT;

    /** The value of the configuration key. */
    static ReasoningFields of(String word) {
        return valueOf(word.toUpperCase(Locale.ROOT));
    }

    void write(JsonGenerator json, Optional<String> reasoning) {
        if (this != REASONING) {
            Json.text(json, "reasoning_content", reasoning);
        }
        if (this != REASONING_CONTENT) {
            Json.text(json, "reasoning", reasoning);
        }
    }
}
