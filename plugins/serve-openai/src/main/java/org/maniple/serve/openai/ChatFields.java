package org.maniple.serve.openai;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Puts together the body of a chat completion that means the same as a request of another API. */
final class ChatFields {

    private final Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    private final List<Map<String, @Nullable Object>> messages = new ArrayList<>();

    /** Takes over fields that have the same name and meaning. */
    void copy(Fields from, List<String> names) {
        for (String name : names) {
            if (from.has(name)) {
                fields.put(name, from.raw(name));
            }
        }
    }

    void put(String name, Object value) {
        fields.put(name, value);
    }

    /** Adds a message. */
    void message(String role, Object content) {
        Map<String, @Nullable Object> message = new LinkedHashMap<>();
        message.put("role", role);
        message.put("content", content);
        messages.add(message);
    }

    /** Adds the result of a call. */
    void result(String call, String content) {
        message("tool", content);
        messages.getLast().put("tool_call_id", call);
    }

    /** The assistant's message at the end, which reasoning, text and calls of one turn belong to; a new one if there is none. */
    Map<String, @Nullable Object> assistant() {
        if (messages.isEmpty() || !"assistant".equals(messages.getLast().get("role"))) {
            message("assistant", "");
        }
        return messages.getLast();
    }

    /** Adds a call to the assistant's message at the end. */
    void call(String id, String name, Object arguments) {
        Map<String, Object> function = new LinkedHashMap<>();
        function.put("name", name);
        function.put("arguments", arguments);
        Map<String, Object> call = new LinkedHashMap<>();
        call.put("id", id);
        call.put("type", "function");
        call.put("function", function);
        Map<String, @Nullable Object> message = assistant();
        List<Object> calls = new ArrayList<>();
        if (message.get("tool_calls") instanceof List<?> before) {
            calls.addAll(before);
        }
        calls.add(call);
        message.put("tool_calls", calls);
    }

    /** A tool as chat completions spell it; what is null is left out. */
    static Map<String, Object> tool(String name, @Nullable Object description, @Nullable Object parameters) {
        Map<String, Object> function = new LinkedHashMap<>();
        function.put("name", name);
        if (description != null) {
            function.put("description", description);
        }
        if (parameters != null) {
            function.put("parameters", parameters);
        }
        Map<String, Object> tool = new LinkedHashMap<>();
        tool.put("type", "function");
        tool.put("function", function);
        return tool;
    }

    /** A choice of one tool. */
    static Map<String, Object> choice(String name) {
        return Map.of("type", "function", "function", Map.of("name", name));
    }

    /** The body. */
    Fields done() {
        fields.put("messages", messages);
        return new Fields(fields);
    }
}
