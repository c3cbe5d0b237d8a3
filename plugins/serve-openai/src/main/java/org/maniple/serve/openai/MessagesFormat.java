package org.maniple.serve.openai;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.maniple.api.engine.GenerationEvent.FinishReason;
import org.maniple.api.engine.GenerationEvent.Finished;
import org.maniple.api.engine.GenerationEvent.Stop;
import tools.jackson.core.JsonGenerator;

/** The replies of Anthropic's {@code /v1/messages}. */
final class MessagesFormat extends BlockFormat {

    private final Chats.Chat chat;
    private final Json json;

    MessagesFormat(Chats.Chat chat, Json json) {
        this.chat = chat;
        this.json = json;
    }

    @Override
    public void whole(JsonGenerator out, List<Choice> choices) {
        Choice choice = choices.getFirst();
        out.writeStartObject();
        writeHead(out);
        out.writeArrayPropertyStart("content");
        choice.answer().blocks().forEach(block -> writeBlock(out, block));
        out.writeEndArray();
        writeStop(out, choice);
        writeUsage(out, choice.tokenCount(), choice.cachedTokens());
        out.writeEndObject();
    }

    @Override
    public void begin(Exchange out, Choice choice) {
        event(out, "message_start", body -> {
            body.writeObjectPropertyStart("message");
            writeHead(body);
            body.writeArrayPropertyStart("content");
            body.writeEndArray();
            body.writeNullProperty("stop_reason");
            body.writeNullProperty("stop_sequence");
            writeUsage(body, 0, 0);
            body.writeEndObject();
        });
    }

    @Override
    void opened(Exchange out, int index, Answer.Block empty) {
        event(out, "content_block_start", body -> {
            body.writeNumberProperty("index", index);
            body.writeName("content_block");
            writeBlock(body, empty);
        });
    }

    @Override
    void piece(Exchange out, int index, Answer.Block empty, String text) {
        delta(out, index, switch (empty) {
            case Answer.Reasoning reasoning -> "thinking_delta";
            case Answer.Content content -> "text_delta";
            case Answer.ToolCall call -> "input_json_delta";
        }, switch (empty) {
            case Answer.Reasoning reasoning -> "thinking";
            case Answer.Content content -> "text";
            case Answer.ToolCall call -> "partial_json";
        }, text);
    }

    @Override
    void closed(Exchange out, int index, Answer.Block whole, boolean cut) {
        if (whole instanceof Answer.Reasoning) {
            delta(out, index, "signature_delta", "signature", "");
        }
        event(out, "content_block_stop", body -> body.writeNumberProperty("index", index));
    }

    @Override
    public void complete(Exchange out, List<Choice> choices) {
        Choice choice = choices.getFirst();
        event(out, "message_delta", body -> {
            body.writeObjectPropertyStart("delta");
            writeStop(body, choice);
            body.writeEndObject();
            writeUsage(body, choice.tokenCount(), choice.cachedTokens());
        });
        event(out, "message_stop", body -> {});
    }

    @Override
    public void failed(Exchange out, List<Choice> choices, ApiException problem) {
        out.event("error", ErrorShape.ANTHROPIC.reply(problem));
    }

    @Override
    public boolean saysDone() {
        return false;
    }

    private static void delta(Exchange out, int index, String type, String field, String text) {
        event(out, "content_block_delta", body -> {
            body.writeNumberProperty("index", index);
            body.writeObjectPropertyStart("delta");
            body.writeStringProperty("type", type);
            body.writeStringProperty(field, text);
            body.writeEndObject();
        });
    }

    private static void event(Exchange out, String type, JsonReply rest) {
        out.event(type, body -> {
            body.writeStartObject();
            body.writeStringProperty("type", type);
            rest.write(body);
            body.writeEndObject();
        });
    }

    private void writeHead(JsonGenerator out) {
        out.writeStringProperty("id", chat.head().id());
        out.writeStringProperty("type", "message");
        out.writeStringProperty("role", "assistant");
        out.writeStringProperty("model", chat.head().model());
    }

    private void writeBlock(JsonGenerator out, Answer.Block block) {
        out.writeStartObject();
        switch (block) {
            case Answer.Reasoning(String text) -> {
                out.writeStringProperty("type", "thinking");
                out.writeStringProperty("thinking", text);
                out.writeStringProperty("signature", "");
            }
            case Answer.Content(String text) -> {
                out.writeStringProperty("type", "text");
                out.writeStringProperty("text", text);
            }
            case Answer.ToolCall(String id, String name, String arguments) -> {
                out.writeStringProperty("type", "tool_use");
                out.writeStringProperty("id", id);
                out.writeStringProperty("name", name);
                out.writeName("input");
                JsonValue.write(out, input(arguments));
            }
        }
        out.writeEndObject();
    }

    /** What is no JSON object (it may be cut off) is shown as Anthropic asks clients to show it to the model. */
    private Map<String, @Nullable Object> input(String arguments) {
        if (arguments.isEmpty()) {
            return Map.of();
        }
        try {
            return json.readObject(arguments.getBytes(StandardCharsets.UTF_8));
        } catch (ApiException e) {
            return Map.of("INVALID_JSON", arguments);
        }
    }

    private static void writeStop(JsonGenerator out, Choice choice) {
        Finished end = choice.end();
        Optional<String> stop = end.stop().filter(Stop.Text.class::isInstance).map(one -> ((Stop.Text) one).text());
        out.writeStringProperty("stop_reason", choice.endedWithCalls()
                ? "tool_use"
                : stop.isPresent() ? "stop_sequence" : end.reason() == FinishReason.STOP ? "end_turn" : "max_tokens");
        Json.text(out, "stop_sequence", stop);
    }

    /** With Anthropic, what comes from the cache is not among the input tokens; a stream learns of it at its end. */
    private void writeUsage(JsonGenerator out, int tokens, int cached) {
        out.writeObjectPropertyStart("usage");
        out.writeNumberProperty("input_tokens", chat.promptTokens() - cached);
        out.writeNumberProperty("output_tokens", tokens);
        out.writeNumberProperty("cache_read_input_tokens", cached);
        out.writeNumberProperty("cache_creation_input_tokens", 0);
        out.writeEndObject();
    }
}
