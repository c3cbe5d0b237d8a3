package org.maniple.serve.openai;

import java.util.List;
import java.util.Map;
import org.maniple.api.engine.GenerationEvent.FinishReason;
import tools.jackson.core.JsonGenerator;

/** The replies of {@code /v1/responses}: an object with a list of items, or the events by which a client follows how they grow. */
final class ResponsesFormat extends BlockFormat {

    private static final String IN_PROGRESS = "in_progress";
    private static final String COMPLETED = "completed";
    private static final String INCOMPLETE = "incomplete";

    private final Chats.Chat chat;
    private final Fields asked;
    private int sequence;

    /**
     * The replies to one request.
     *
     * @param asked the request, parts of which are shown again
     */
    ResponsesFormat(Chats.Chat chat, Fields asked) {
        this.chat = chat;
        this.asked = asked;
    }

    @Override
    public void whole(JsonGenerator json, List<Choice> choices) {
        writeResponse(json, status(choices.getFirst()), choices, "");
    }

    @Override
    public void begin(Exchange out, Choice choice) {
        for (String type : List.of("response.created", "response.in_progress")) {
            event(out, type, json -> {
                json.writeName("response");
                writeResponse(json, IN_PROGRESS, List.of(), "");
            });
        }
    }

    @Override
    void opened(Exchange out, int index, Answer.Block empty) {
        event(out, "response.output_item.added", json -> {
            json.writeNumberProperty("output_index", index);
            json.writeName("item");
            writeItem(json, index, empty, IN_PROGRESS, false);
        });
        if (!(empty instanceof Answer.ToolCall)) {
            event(out, "response.content_part.added", json -> {
                writePlace(json, index, empty);
                json.writeName("part");
                writePart(json, empty);
            });
        }
    }

    @Override
    void piece(Exchange out, int index, Answer.Block empty, String text) {
        event(out, family(empty) + ".delta", json -> {
            writePlace(json, index, empty);
            json.writeStringProperty("delta", text);
            writeNoLogprobs(json, empty);
        });
    }

    @Override
    void closed(Exchange out, int index, Answer.Block whole, boolean cut) {
        event(out, family(whole) + ".done", json -> {
            writePlace(json, index, whole);
            if (whole instanceof Answer.ToolCall call) {
                json.writeStringProperty("name", call.name());
                json.writeStringProperty("arguments", call.arguments());
            } else {
                json.writeStringProperty("text", whole.text());
            }
            writeNoLogprobs(json, whole);
        });
        if (!(whole instanceof Answer.ToolCall)) {
            event(out, "response.content_part.done", json -> {
                writePlace(json, index, whole);
                json.writeName("part");
                writePart(json, whole);
            });
        }
        event(out, "response.output_item.done", json -> {
            json.writeNumberProperty("output_index", index);
            json.writeName("item");
            writeItem(json, index, whole, cut ? INCOMPLETE : COMPLETED, true);
        });
    }

    @Override
    public void complete(Exchange out, List<Choice> choices) {
        String status = status(choices.getFirst());
        event(out, "response." + status, json -> {
            json.writeName("response");
            writeResponse(json, status, choices, "");
        });
    }

    @Override
    public void failed(Exchange out, List<Choice> choices, ApiException problem) {
        event(out, "response.failed", json -> {
            json.writeName("response");
            writeResponse(json, "failed", choices, String.valueOf(problem.getMessage()));
        });
    }

    private void event(Exchange out, String type, JsonReply rest) {
        int number = sequence++;
        out.event(type, json -> {
            json.writeStartObject();
            json.writeStringProperty("type", type);
            json.writeNumberProperty("sequence_number", number);
            rest.write(json);
            json.writeEndObject();
        });
    }

    private static String status(Choice choice) {
        return choice.isCut() ? INCOMPLETE : COMPLETED;
    }

    private static String family(Answer.Block block) {
        return switch (block) {
            case Answer.Reasoning reasoning -> "response.reasoning_text";
            case Answer.Content content -> "response.output_text";
            case Answer.ToolCall call -> "response.function_call_arguments";
        };
    }

    private void writePlace(JsonGenerator json, int index, Answer.Block block) {
        json.writeStringProperty("item_id", itemId(index, block));
        json.writeNumberProperty("output_index", index);
        if (!(block instanceof Answer.ToolCall)) {
            json.writeNumberProperty("content_index", 0);
        }
    }

    private static void writeNoLogprobs(JsonGenerator json, Answer.Block block) {
        if (block instanceof Answer.Content) {
            json.writeArrayPropertyStart("logprobs");
            json.writeEndArray();
        }
    }

    private String itemId(int index, Answer.Block block) {
        String of = chat.head().id().substring(chat.head().id().indexOf('_') + 1);
        return switch (block) {
            case Answer.Reasoning reasoning -> "rs_";
            case Answer.Content content -> "msg_";
            case Answer.ToolCall call -> "fc_";
        } + of + "_" + index;
    }

    private void writeResponse(JsonGenerator json, String status, List<Choice> choices, String error) {
        json.writeStartObject();
        json.writeStringProperty("id", chat.head().id());
        json.writeStringProperty("object", "response");
        json.writeNumberProperty("created_at", chat.head().created());
        json.writeStringProperty("status", status);
        if (error.isEmpty()) {
            json.writeNullProperty("error");
        } else {
            json.writeObjectPropertyStart("error");
            json.writeStringProperty("code", "server_error");
            json.writeStringProperty("message", error);
            json.writeEndObject();
        }
        if (status.equals(INCOMPLETE)) {
            boolean limit = choices.getFirst().end().reason() == FinishReason.LENGTH;
            json.writeObjectPropertyStart("incomplete_details");
            json.writeStringProperty("reason", limit ? "max_output_tokens" : "cancelled");
            json.writeEndObject();
        } else {
            json.writeNullProperty("incomplete_details");
        }
        json.writeStringProperty("model", chat.head().model());
        json.writeArrayPropertyStart("output");
        List<Answer.Block> blocks = choices.isEmpty() ? List.of() : choices.getFirst().answer().blocks();
        for (int i = 0; i < blocks.size(); i++) {
            boolean cut = i == blocks.size() - 1 && !status.equals(COMPLETED);
            writeItem(json, i, blocks.get(i), cut ? INCOMPLETE : COMPLETED, true);
        }
        json.writeEndArray();
        writeAsked(json);
        writeUsage(json, choices);
        json.writeEndObject();
    }

    /** What the client asked for, with what applies where it said nothing. */
    private void writeAsked(JsonGenerator json) {
        again(json, "instructions");
        again(json, "max_output_tokens");
        again(json, "metadata");
        json.writeBooleanProperty("parallel_tool_calls", asked.flag("parallel_tool_calls", true));
        json.writeNullProperty("previous_response_id");
        json.writeBooleanProperty("background", false);
        json.writeObjectPropertyStart("reasoning");
        Json.text(json, "effort", asked.object("reasoning").flatMap(reasoning -> reasoning.text("effort")));
        json.writeNullProperty("summary");
        json.writeEndObject();
        json.writeNullProperty("service_tier");
        json.writeBooleanProperty("store", false);
        again(json, "temperature");
        json.writeName("text");
        JsonValue.write(json, asked.has("text") ? asked.raw("text") : Map.of("format", Map.of("type", "text")));
        json.writeName("tool_choice");
        JsonValue.write(json, asked.has("tool_choice") ? asked.raw("tool_choice") : "auto");
        json.writeName("tools");
        JsonValue.write(json, asked.has("tools") ? asked.raw("tools") : List.of());
        again(json, "top_p");
        json.writeStringProperty("truncation", asked.text("truncation").orElse("disabled"));
        again(json, "user");
    }

    private void again(JsonGenerator json, String name) {
        json.writeName(name);
        JsonValue.write(json, asked.raw(name));
    }

    private void writeUsage(JsonGenerator json, List<Choice> choices) {
        if (choices.isEmpty()) {
            json.writeNullProperty("usage");
            return;
        }
        int output = choices.getFirst().tokenCount();
        json.writeObjectPropertyStart("usage");
        json.writeNumberProperty("input_tokens", chat.promptTokens());
        json.writeObjectPropertyStart("input_tokens_details");
        json.writeNumberProperty("cached_tokens", ReplyHead.cachedTokens(choices));
        json.writeEndObject();
        json.writeNumberProperty("output_tokens", output);
        json.writeObjectPropertyStart("output_tokens_details");
        json.writeNumberProperty("reasoning_tokens", ReplyHead.reasoningTokens(choices));
        json.writeEndObject();
        json.writeNumberProperty("total_tokens", chat.promptTokens() + output);
        json.writeEndObject();
    }

    private void writeItem(JsonGenerator json, int index, Answer.Block block, String status, boolean filled) {
        json.writeStartObject();
        json.writeStringProperty("id", itemId(index, block));
        switch (block) {
            case Answer.Reasoning reasoning -> {
                json.writeStringProperty("type", "reasoning");
                json.writeArrayPropertyStart("summary");
                json.writeEndArray();
                writeContent(json, block, filled);
                json.writeNullProperty("encrypted_content");
            }
            case Answer.Content content -> {
                json.writeStringProperty("type", "message");
                json.writeStringProperty("role", "assistant");
                writeContent(json, block, filled);
            }
            case Answer.ToolCall(String id, String name, String arguments) -> {
                json.writeStringProperty("type", "function_call");
                json.writeStringProperty("call_id", id);
                json.writeStringProperty("name", name);
                json.writeStringProperty("arguments", arguments);
            }
        }
        json.writeStringProperty("status", status);
        json.writeEndObject();
    }

    private static void writeContent(JsonGenerator json, Answer.Block block, boolean filled) {
        json.writeArrayPropertyStart("content");
        if (filled) {
            writePart(json, block);
        }
        json.writeEndArray();
    }

    private static void writePart(JsonGenerator json, Answer.Block block) {
        json.writeStartObject();
        json.writeStringProperty("type", block instanceof Answer.Reasoning ? "reasoning_text" : "output_text");
        json.writeStringProperty("text", block.text());
        if (block instanceof Answer.Content) {
            json.writeArrayPropertyStart("annotations");
            json.writeEndArray();
            json.writeArrayPropertyStart("logprobs");
            json.writeEndArray();
        }
        json.writeEndObject();
    }
}
