package org.maniple.serve.openai;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.maniple.api.text.TextCodec;

/**
 * A chat rendered by the model's template.
 *
 * @param text the prompt
 * @param addSpecialTokens whether the tokenizer puts its own tokens around it
 * @param role the role of the message that is to come
 * @param echo what the last message says, if it has that role: the part of the new message that is there already
 */
record ChatPrompt(String text, boolean addSpecialTokens, String role, String echo) {

    private static final String ASSISTANT = "assistant";
    private static final int MAX_TOOLS = 1024;

    /** Names that belong to the server: a request that sets them as variables could undo what it is checked for. */
    private static final Set<String> RESERVED = Set.of("messages", "tools", "documents", "add_generation_prompt",
            "continue_final_message",
            "chat_template", "tokenize", "bos_token", "eos_token", "raise_exception", "strftime_now");

    /**
     * Renders the chat of a request.
     *
     * @throws ApiException 400 if the request cannot be rendered
     * @throws org.maniple.api.text.TextException if the template refuses it
     */
    static ChatPrompt of(Fields fields, TextCodec codec, ChatMessages reader) {
        boolean continued = fields.flag("continue_final_message", false);
        boolean generation = fields.flag("add_generation_prompt", !continued);
        if (continued && generation) {
            throw ApiException.invalid("continue_final_message",
                    "Cannot set both `continue_final_message` and `add_generation_prompt` to True.");
        }
        List<Map<String, Object>> messages = reader.read(fields);
        if (!codec.hasChatTemplate()) {
            throw ApiException.invalid("messages", "This model has no chat template; use /v1/completions with a prompt.");
        }
        String text = codec.chat(reader.history().spelled(messages, codec), variables(fields, generation));
        Map<String, Object> last = messages.getLast();
        String lastText = String.valueOf(last.get("content"));
        String role = generation ? ASSISTANT : String.valueOf(last.get("role"));
        return new ChatPrompt(continued ? cutAfter(text, lastText) : text, fields.flag("add_special_tokens", false), role,
                role.equals(last.get("role")) ? lastText : "");
    }

    private static Map<String, Object> variables(Fields fields, boolean generation) {
        Map<String, Object> variables = new LinkedHashMap<>();
        fields.text("reasoning_effort").ifPresent(effort -> variables.put("reasoning_effort", effort));
        Optional<Fields> own = fields.object("chat_template_kwargs");
        if (own.isPresent()) {
            own.get().all().forEach((name, value) -> {
                if (RESERVED.contains(name)) {
                    throw own.get().problem(name, "belongs to the server and cannot be set as a variable of the template");
                }
                if (value != null) {
                    variables.put(name, value);
                }
            });
        }
        variables.put("add_generation_prompt", generation);
        if (!fields.objects("tools", MAX_TOOLS).orElse(List.of()).isEmpty()) {
            fields.list("tools", MAX_TOOLS).ifPresent(tools -> variables.put("tools", tools));
        }
        if (!fields.objects("documents", MAX_TOOLS).orElse(List.of()).isEmpty()) {
            fields.list("documents", MAX_TOOLS).ifPresent(documents -> variables.put("documents", documents));
        }
        return variables;
    }

    /** Whatever the template closes a message with is left out, so that the model goes on in the middle of it. */
    private static String cutAfter(String text, String lastText) {
        int whole = text.lastIndexOf(lastText);
        if (whole >= 0) {
            return text.substring(0, whole + lastText.length());
        }
        String stripped = lastText.strip();
        int start = text.lastIndexOf(stripped);
        if (start < 0) {
            throw ApiException.invalid("continue_final_message",
                    "The chat template does not show the final message as it is, so it cannot be continued.");
        }
        return text.substring(0, start + stripped.length());
    }
}
