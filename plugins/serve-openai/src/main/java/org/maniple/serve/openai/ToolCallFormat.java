package org.maniple.serve.openai;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The form in which a family of models writes calls of tools. Holds no state.
 *
 * <p>A call is passed on as soon as its name and the beginning of its arguments are known, and cannot be taken back. What does not
 * become a call stays content, every character of it.
 */
interface ToolCallFormat {

    /** Texts that may be special tokens of the tokenizer, and must then be visible. */
    List<String> marks();

    /**
     * Begins to read an answer.
     *
     * @param tools those of the request
     * @param sink takes what is found
     */
    CallReader open(List<Tool> tools, CallSink sink);

    /** A new id for a call; some chat templates take ids of one form only. */
    default String newId() {
        return "chatcmpl-tool-" + UUID.randomUUID().toString().replace("-", "");
    }

    /**
     * What an answer must be for the format to find calls in it and nothing else.
     *
     * @param tools those of which one must be called
     * @return a JSON schema for the whole answer; empty if a schema cannot say it
     */
    default Optional<Map<String, @Nullable Object>> schema(List<Tool> tools) {
        return Optional.empty();
    }
}
