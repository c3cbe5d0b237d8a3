package org.maniple.serve.openai;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** Reads a request of the responses API as the chat completion that means the same. */
final class ResponsesRequest {

    private static final int MAX_ITEMS = 10_000;
    private static final List<String> SAME = List.of("model", "temperature", "top_p", "stream", "parallel_tool_calls", "user",
            "seed", "top_k", "min_p", "stop", "stop_token_ids", "repetition_penalty", "presence_penalty", "frequency_penalty",
            "ignore_eos", "min_tokens", "logit_bias", "bad_words", "allowed_token_ids", "chat_template_kwargs", "priority",
            "request_id", "cache_salt", "skip_special_tokens", "include_reasoning", "separate_reasoning", "structured_outputs",
            "routed_dp_rank");
    private static final List<String> NOT_YET = List.of("conversation", "prompt", "background", "top_logprobs");

    private ResponsesRequest() {}

    /**
     * Reads a request.
     *
     * @throws ApiException 400 if it asks for something that there is not
     */
    static Fields read(Fields given) {
        if (given.has("previous_response_id")) {
            throw given.problem("previous_response_id",
                    "cannot be found: responses are not stored by this server; send the whole conversation as `input`");
        }
        for (String name : NOT_YET) {
            if (given.asks(name) && !Integer.valueOf(0).equals(given.raw(name))) {
                throw given.problem(name, "is not supported by this server; leave it out");
            }
        }
        ChatFields chat = new ChatFields();
        chat.copy(given, SAME);
        OptionalInt most = given.integer("max_output_tokens", 1, Integer.MAX_VALUE);
        if (most.isPresent()) {
            chat.put("max_completion_tokens", most.getAsInt());
        }
        given.text("instructions").ifPresent(text -> chat.message("system", text));
        input(chat, given);
        tools(chat, given);
        given.object("reasoning").flatMap(reasoning -> reasoning.text("effort"))
                .ifPresent(effort -> chat.put("reasoning_effort", effort));
        given.object("text").flatMap(text -> text.object("format")).ifPresent(format -> format(chat, format));
        truncation(chat, given);
        return chat.done();
    }

    private static void input(ChatFields chat, Fields given) {
        switch (given.raw("input")) {
            case String text -> chat.message("user", text);
            case List<?> list when !list.isEmpty() ->
                given.objects("input", MAX_ITEMS).orElseThrow().forEach(item -> item(chat, item));
            case null, default -> throw given.problem("input", "must be a text or a list of items with at least one");
        }
    }

    private static void item(ChatFields chat, Fields item) {
        switch (item.text("type").orElse("message")) {
            case "message" -> message(chat, item);
            case "function_call" -> chat.call(needed(item, "call_id"), needed(item, "name"), needed(item, "arguments"));
            case "function_call_output" -> chat.result(needed(item, "call_id"), text(item, "output"));
            case "reasoning" -> chat.assistant().put("reasoning", text(item, "content"));
            case "item_reference" -> throw item.problem("type",
                    "is item_reference: responses are not stored by this server; send the item itself");
            case String other ->
                throw item.problem("type", "is [" + ApiException.shown(other) + "], which this server does not know");
        }
    }

    /** An assistant's text belongs to the reasoning before it. */
    private static void message(ChatFields chat, Fields item) {
        String role = needed(item, "role");
        String text = text(item, "content");
        if (role.equals("assistant")) {
            Map<String, @Nullable Object> message = chat.assistant();
            if ("".equals(message.get("content")) && !message.containsKey("tool_calls")) {
                message.put("content", text);
                return;
            }
        }
        chat.message(role, text);
    }

    private static void tools(ChatFields chat, Fields given) {
        List<Object> tools = new ArrayList<>();
        for (Fields tool : given.objects("tools", MAX_ITEMS).orElse(List.of())) {
            String type = tool.text("type").orElse("");
            if (!type.equals("function")) {
                throw tool.problem("type", "can only be \"function\": this server has no tools of its own, got ["
                        + ApiException.shown(type) + "]");
            }
            tools.add(ChatFields.tool(needed(tool, "name"), tool.raw("description"), tool.raw("parameters")));
        }
        if (!tools.isEmpty()) {
            chat.put("tools", tools);
        }
        switch (given.raw("tool_choice")) {
            case null -> {
            }
            case String word -> chat.put("tool_choice", word);
            default -> {
                Fields choice = given.object("tool_choice").orElseThrow();
                String type = choice.text("type").orElse("");
                if (!type.equals("function")) {
                    throw choice.problem("type", "can only be \"function\", got [" + ApiException.shown(type) + "]");
                }
                chat.put("tool_choice", ChatFields.choice(choice.text("name").orElse("")));
            }
        }
    }

    private static void format(ChatFields chat, Fields format) {
        String type = format.text("type").orElse("");
        Map<String, Object> spelled = new LinkedHashMap<>();
        spelled.put("type", type);
        if (type.equals("json_schema")) {
            Map<String, @Nullable Object> schema = new LinkedHashMap<>(format.all());
            schema.remove("type");
            spelled.put("json_schema", schema);
        }
        chat.put("response_format", spelled);
    }

    private static void truncation(ChatFields chat, Fields given) {
        Optional<String> truncation = given.text("truncation");
        if (truncation.filter("auto"::equals).isPresent()) {
            chat.put("truncate_prompt_tokens", -1);
        } else if (truncation.filter(word -> !word.equals("disabled")).isPresent()) {
            throw given.problem("truncation", "must be auto or disabled, got [" + ApiException.shown(truncation.get()) + "]");
        }
    }

    private static String text(Fields given, String name) {
        if (!(given.raw(name) instanceof List<?>)) {
            return given.text(name).orElse("");
        }
        List<String> texts = new ArrayList<>();
        for (Fields part : given.objects(name, MAX_ITEMS).orElse(List.of())) {
            String type = part.text("type").orElse("");
            switch (type) {
                case "input_text", "output_text", "text", "reasoning_text", "summary_text" -> texts.add(needed(part, "text"));
                case "refusal" -> texts.add(needed(part, "refusal"));
                default -> throw part.problem("type", "is [" + ApiException.shown(type) + "], which this model does not read");
            }
        }
        return String.join("\n", texts);
    }

    private static String needed(Fields given, String name) {
        return given.text(name).orElseThrow(() -> given.problem(name, "is missing"));
    }
}
