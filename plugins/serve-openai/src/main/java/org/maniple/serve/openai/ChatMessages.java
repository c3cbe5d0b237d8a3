package org.maniple.serve.openai;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The messages of a chat as templates expect them: the content is one text, the arguments of tool calls are objects, and a
 * reasoning is there under both of its names.
 */
final class ChatMessages {

    private static final int MAX_MESSAGES = 10_000;
    private static final int MAX_PARTS = 10_000;

    private final Json json;
    private final CallHistory history;

    ChatMessages(Json json) {
        this.json = json;
        this.history = new CallHistory(json);
    }

    /** How earlier calls are written for the template. */
    CallHistory history() {
        return history;
    }

    /**
     * Reads the field {@code messages}.
     *
     * @throws ApiException 400 if something in it is missing, of the wrong type, or no text
     */
    List<Map<String, Object>> read(Fields fields) {
        List<Fields> given = fields.objects("messages", MAX_MESSAGES).orElse(List.of());
        if (given.isEmpty()) {
            throw fields.problem("messages", "must be a list with at least one message, for example"
                    + " [{\"role\": \"user\", \"content\": \"Hello\"}]");
        }
        return given.stream().map(this::message).toList();
    }

    private Map<String, Object> message(Fields given) {
        Map<String, Object> message = new LinkedHashMap<>();
        given.all().forEach((name, value) -> {
            if (value != null) {
                message.put(name, value);
            }
        });
        String role = given.text("role").orElse("");
        if (role.isEmpty()) {
            throw given.problem("role", "must be a role such as system, user, assistant or tool");
        }
        message.put("content", content(given));
        Optional<String> reasoning = given.text("reasoning").or(() -> given.text("reasoning_content"));
        reasoning.ifPresent(text -> {
            message.put("reasoning", text);
            message.put("reasoning_content", text);
        });
        given.objects("tool_calls", MAX_PARTS).ifPresent(calls -> {
            if (calls.isEmpty()) {
                message.remove("tool_calls");
            } else {
                message.put("tool_calls", calls.stream().map(this::toolCall).toList());
            }
        });
        return message;
    }

    private static String content(Fields given) {
        if (!(given.raw("content") instanceof List<?>)) {
            return given.text("content").orElse("");
        }
        List<String> texts = new ArrayList<>();
        for (Fields part : given.objects("content", MAX_PARTS).orElse(List.of())) {
            String type = part.text("type").orElse("text");
            if (!type.equals("text")) {
                throw part.problem("type", "can only be \"text\": this model reads no [" + ApiException.shown(type) + "]");
            }
            texts.add(part.text("text").orElseThrow(() -> part.problem("text", "is missing")));
        }
        return String.join("\n", texts);
    }

    private Map<String, Object> toolCall(Fields given) {
        Map<String, Object> call = withoutNulls(given.all());
        given.object("function").ifPresent(function -> {
            Map<String, Object> copy = withoutNulls(function.all());
            if (function.raw("arguments") instanceof String text) {
                copy.put("arguments", arguments(function, text));
            }
            call.put("function", copy);
        });
        return call;
    }

    private Object arguments(Fields function, String text) {
        if (text.isBlank()) {
            return Map.of();
        }
        try {
            return json.readObject(text.getBytes(StandardCharsets.UTF_8));
        } catch (ApiException e) {
            throw function.problem("arguments", "must be a JSON object written as a string");
        }
    }

    private static Map<String, Object> withoutNulls(Map<String, @Nullable Object> given) {
        Map<String, Object> copy = new LinkedHashMap<>();
        given.forEach((name, value) -> {
            if (value != null) {
                copy.put(name, value);
            }
        });
        return copy;
    }
}
