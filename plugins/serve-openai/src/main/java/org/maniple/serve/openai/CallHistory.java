package org.maniple.serve.openai;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.maniple.api.text.TextCodec;
import org.maniple.api.text.TextException;

/**
 * Writes earlier calls into the messages as a chat template wants them. Most take arguments as objects beside a content that is a text;
 * DeepSeek's first ones take arguments as a text beside a content that is null, and drop or refuse a call that comes otherwise. Which it
 * is shows when the template is given a call of each form, once. Safe for use by several threads.
 */
final class CallHistory {

    /**
     * A form of a message with calls.
     *
     * @param asText whether arguments are a text
     * @param alone whether a message with calls has no content
     */
    private record Form(boolean asText, boolean alone) {}

    private static final Form USUAL = new Form(false, false);
    private static final List<Form> FORMS = List.of(USUAL, new Form(true, true), new Form(true, false), new Form(false, true));
    private static final String NAME = "probe_of_a_name";
    private static final String VALUE = "probe_of_a_value";
    private static final String ID = "abcDEF123";

    private final Json json;
    private volatile @Nullable Form known;

    CallHistory(Json json) {
        this.json = json;
    }

    /** The same messages with their calls in the form that the template wants. */
    List<Map<String, Object>> spelled(List<Map<String, Object>> messages, TextCodec codec) {
        if (messages.stream().noneMatch(message -> message.containsKey("tool_calls"))) {
            return messages;
        }
        Form form = known;
        if (form == null) {
            form = FORMS.stream().filter(each -> shows(codec, each)).findFirst().orElse(USUAL);
            known = form;
        }
        return write(messages, form);
    }

    private boolean shows(TextCodec codec, Form form) {
        List<Map<String, Object>> probe = List.of(
                Map.of("role", "user", "content", "Hello"),
                Map.of("role", "assistant", "content", "", "tool_calls", List.of(Map.of("id", ID, "type", "function", "function",
                        Map.of("name", NAME, "arguments", Map.of("key", VALUE))))),
                Map.of("role", "tool", "tool_call_id", ID, "content", "done"));
        try {
            String text = codec.chat(write(probe, form), Map.of("add_generation_prompt", true));
            return text.contains(NAME) && text.contains(VALUE);
        } catch (TextException e) {
            return false;
        }
    }

    private List<Map<String, Object>> write(List<Map<String, Object>> messages, Form form) {
        if (form.equals(USUAL)) {
            return messages;
        }
        List<Map<String, Object>> written = new ArrayList<>();
        for (Map<String, Object> message : messages) {
            if (!(message.get("tool_calls") instanceof List<?> calls)) {
                written.add(message);
                continue;
            }
            Map<String, Object> copy = new LinkedHashMap<>(message);
            if (form.asText()) {
                copy.put("tool_calls", calls.stream().map(this::withText).toList());
            }
            if (form.alone()) {
                if (!"".equals(message.get("content"))) {
                    Map<String, Object> said = new LinkedHashMap<>(message);
                    said.remove("tool_calls");
                    written.add(said);
                }
                putNothing(copy, "content");
            }
            written.add(copy);
        }
        return written;
    }

    private Object withText(@Nullable Object call) {
        if (!(call instanceof Map<?, ?> map && map.get("function") instanceof Map<?, ?> function
                && function.get("arguments") instanceof Map<?, ?> arguments)) {
            return call == null ? Map.of() : call;
        }
        Map<Object, Object> changed = new LinkedHashMap<>(function);
        changed.put("arguments", new String(json.bytes(out -> JsonValue.write(out, arguments)), StandardCharsets.UTF_8));
        Map<Object, Object> copy = new LinkedHashMap<>(map);
        copy.put("function", changed);
        return copy;
    }

    /** Templates tell what is null from what is not there. */
    @SuppressWarnings("NullAway") // the template knows null
    private static void putNothing(Map<String, Object> message, String name) {
        message.put(name, null);
    }
}
