package org.maniple.serve.openai;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads a request of Anthropic's messages API as the chat completion that means the same. */
final class MessagesRequest {

    private static final int MAX_ITEMS = 10_000;
    private static final List<String> SAME = List.of("model", "temperature", "top_p", "top_k", "stream", "seed", "min_p",
            "repetition_penalty", "ignore_eos", "chat_template_kwargs", "priority", "request_id", "cache_salt",
            "include_reasoning", "separate_reasoning", "routed_dp_rank");
    private static final List<String> NOT_YET = List.of("mcp_servers", "container", "context_management", "output_format",
            "output_config");

    private MessagesRequest() {}

    /**
     * Reads a request.
     *
     * @param counting whether only tokens are counted, so that it needs no limit
     * @throws ApiException 400 if it asks for something that there is not
     */
    static Fields read(Fields given, boolean counting) {
        for (String name : NOT_YET) {
            if (given.asks(name)) {
                throw given.problem(name, "is not supported by this server; leave it out");
            }
        }
        ChatFields chat = new ChatFields();
        chat.copy(given, SAME);
        if (!counting) {
            chat.put("max_tokens", given.integer("max_tokens", 1, Integer.MAX_VALUE)
                    .orElseThrow(() -> given.problem("max_tokens", "is missing; it says how many tokens to generate at most")));
        }
        List<String> stops = given.texts("stop_sequences", 16, 256);
        if (!stops.isEmpty()) {
            chat.put("stop", stops);
        }
        if (given.has("system")) {
            chat.message("system", text(given, "system"));
        }
        List<Fields> messages = given.objects("messages", MAX_ITEMS).orElse(List.of());
        if (messages.isEmpty()) {
            throw given.problem("messages", "must be a list with at least one message");
        }
        messages.forEach(message -> message(chat, message));
        tools(chat, given);
        thinking(chat, given);
        return chat.done();
    }

    private static void message(ChatFields chat, Fields message) {
        String role = message.text("role").orElse("");
        switch (role) {
            case "user" -> user(chat, message);
            case "assistant" -> assistant(chat, message);
            case "system" -> chat.message("system", text(message, "content"));
            default -> throw message.problem("role", "must be user or assistant, got [" + ApiException.shown(role) + "]");
        }
    }

    /** Results of calls come before what the user says about them. */
    private static void user(ChatFields chat, Fields message) {
        if (!(message.raw("content") instanceof List<?>)) {
            chat.message("user", message.text("content").orElseThrow(() -> message.problem("content", "is missing")));
            return;
        }
        List<String> texts = new ArrayList<>();
        boolean results = false;
        for (Fields block : message.objects("content", MAX_ITEMS).orElse(List.of())) {
            switch (block.text("type").orElse("text")) {
                case "text" -> texts.add(words(block));
                case "tool_result" -> {
                    results = true;
                    String call = block.text("tool_use_id").orElseThrow(() -> block.problem("tool_use_id", "is missing"));
                    chat.result(call, block.has("content") ? text(block, "content") : "");
                }
                case String other -> throw unreadable(block, other);
            }
        }
        if (!texts.isEmpty() || !results) {
            chat.message("user", String.join("\n", texts));
        }
    }

    private static void assistant(ChatFields chat, Fields message) {
        if (!(message.raw("content") instanceof List<?>)) {
            chat.message("assistant", message.text("content").orElseThrow(() -> message.problem("content", "is missing")));
            return;
        }
        chat.message("assistant", "");
        List<String> texts = new ArrayList<>();
        for (Fields block : message.objects("content", MAX_ITEMS).orElse(List.of())) {
            switch (block.text("type").orElse("text")) {
                case "text" -> texts.add(words(block));
                case "thinking" -> chat.assistant().put("reasoning", block.text("thinking").orElse(""));
                case "redacted_thinking" -> {
                }
                case "tool_use" -> chat.call(block.text("id").orElseThrow(() -> block.problem("id", "is missing")),
                        block.text("name").orElseThrow(() -> block.problem("name", "is missing")),
                        block.object("input").map(input -> (Object) input.all()).orElse(Map.of()));
                case String other -> throw unreadable(block, other);
            }
        }
        chat.assistant().put("content", String.join("\n", texts));
    }

    private static void tools(ChatFields chat, Fields given) {
        List<Object> tools = new ArrayList<>();
        for (Fields tool : given.objects("tools", MAX_ITEMS).orElse(List.of())) {
            String type = tool.text("type").orElse("custom");
            if (!type.equals("custom")) {
                throw tool.problem("type",
                        "can only be \"custom\": this server has no tools of its own, got [" + ApiException.shown(type)
                                + "]");
            }
            tools.add(ChatFields.tool(tool.text("name").orElseThrow(() -> tool.problem("name", "is missing")),
                    tool.raw("description"), tool.raw("input_schema")));
        }
        if (!tools.isEmpty()) {
            chat.put("tools", tools);
        }
        Optional<Fields> choice = given.object("tool_choice");
        if (choice.isPresent()) {
            String type = choice.get().text("type").orElse("");
            chat.put("tool_choice", switch (type) {
                case "auto", "none" -> type;
                case "any" -> "required";
                case "tool" -> ChatFields.choice(choice.get().text("name").orElse(""));
                default ->
                    throw choice.get().problem("type", "must be auto, any, tool or none, got [" + ApiException.shown(type) + "]");
            });
            chat.put("parallel_tool_calls", !choice.get().flag("disable_parallel_tool_use", false));
        }
    }

    /** Templates ask for two names; each knows its own. */
    private static void thinking(ChatFields chat, Fields given) {
        Optional<Fields> thinking = given.object("thinking");
        if (thinking.isPresent()) {
            boolean wanted = !thinking.get().text("type").orElse("").equals("disabled");
            Map<String, Object> variables = new LinkedHashMap<>();
            variables.put("enable_thinking", wanted);
            variables.put("thinking", wanted);
            given.object("chat_template_kwargs").ifPresent(own -> own.all().forEach((name, value) -> {
                if (value != null) {
                    variables.put(name, value);
                }
            }));
            chat.put("chat_template_kwargs", variables);
        }
    }

    private static String text(Fields given, String name) {
        if (!(given.raw(name) instanceof List<?>)) {
            return given.text(name).orElse("");
        }
        List<String> texts = new ArrayList<>();
        for (Fields block : given.objects(name, MAX_ITEMS).orElse(List.of())) {
            String type = block.text("type").orElse("text");
            if (!type.equals("text")) {
                throw unreadable(block, type);
            }
            texts.add(words(block));
        }
        return String.join("\n", texts);
    }

    private static String words(Fields block) {
        return block.text("text").orElseThrow(() -> block.problem("text", "is missing"));
    }

    private static ApiException unreadable(Fields block, String type) {
        return block.problem("type", "is [" + ApiException.shown(type) + "], which this model does not read");
    }
}
