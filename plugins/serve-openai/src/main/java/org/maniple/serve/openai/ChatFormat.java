package org.maniple.serve.openai;

import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.maniple.api.engine.GenerationEvent.Tokens;
import org.maniple.api.engine.TokenLogprob;
import tools.jackson.core.JsonGenerator;

/**
 * The replies of {@code /v1/chat/completions}.
 *
 * @param chat what is answered
 * @param reasoning what the reasoning is called
 */
record ChatFormat(Chats.Chat chat, ReasoningFields reasoning) implements ReplyFormat {

    @Override
    public void whole(JsonGenerator json, List<Choice> choices) {
        json.writeStartObject();
        head().write(json, "chat.completion");
        json.writeArrayPropertyStart("choices");
        choices.forEach(choice -> writeChoice(json, choice));
        json.writeEndArray();
        ReplyHead.writeUsage(json, choices, true);
        CompletionFormat.writePromptLogprobs(json, chat.promptLogprobs(), choices.getFirst().promptLogprobs(), chat.texts());
        json.writeNullProperty("kv_transfer_params");
        json.writeNullProperty("system_fingerprint");
        json.writeNullProperty("service_tier");
        if (options().tokenIds()) {
            json.writeName("prompt_token_ids");
            int[] prompt = choices.getFirst().prompt().tokens();
            json.writeArray(prompt, 0, prompt.length);
        } else {
            json.writeNullProperty("prompt_token_ids");
        }
        json.writeEndObject();
    }

    private void writeChoice(JsonGenerator json, Choice choice) {
        json.writeStartObject();
        json.writeNumberProperty("index", choice.index());
        json.writeObjectPropertyStart("message");
        Answer answer = choice.answer();
        List<Answer.ToolCall> calls = answer.calls();
        json.writeStringProperty("role", chat.prompt().role());
        reasoning.write(json, answer.reasoning());
        String content = chat.echo() + answer.content();
        boolean silent = content.isEmpty() && (!calls.isEmpty() || answer.reasoning().isPresent());
        Json.text(json, "content", silent ? Optional.empty() : Optional.of(content));
        json.writeNullProperty("refusal");
        json.writeArrayPropertyStart("tool_calls");
        calls.forEach(call -> writeCall(json, call));
        json.writeEndArray();
        json.writeEndObject();
        writeLogprobs(json, choice.logprobs());
        choice.writeEnd(json);
        writeTokenIds(json, choice.tokens());
        json.writeEndObject();
    }

    private static void writeCall(JsonGenerator json, Answer.ToolCall call) {
        json.writeStartObject();
        json.writeStringProperty("id", call.id());
        json.writeStringProperty("type", "function");
        json.writeObjectPropertyStart("function");
        json.writeStringProperty("name", call.name());
        json.writeStringProperty("arguments", call.arguments());
        json.writeEndObject();
        json.writeEndObject();
    }

    @Override
    public void begin(Exchange out, Choice choice) {
        chunk(out, choice, json -> {
            json.writeStringProperty("role", chat.prompt().role());
            json.writeStringProperty("content", "");
        }, List.of(), List.of(), true);
        if (!chat.echo().isEmpty()) {
            chunk(out, choice, json -> json.writeStringProperty("content", chat.echo()), List.of(), List.of(), false);
        }
    }

    @Override
    public void prompt(Exchange out, Choice choice, List<TokenLogprob> entries) {
        // A stream has no log-probabilities of the prompt.
    }

    /** The tokens and their log-probabilities go with the first part, or alone if they have not become one yet. */
    @Override
    public void delta(Exchange out, Choice choice, Tokens tokens, List<AnswerPart> parts) {
        List<AnswerPart> shown = parts.isEmpty() && (chat.logprobs() || options().tokenIds())
                ? List.of(new AnswerPart.Content(""))
                : parts;
        for (int i = 0; i < shown.size(); i++) {
            AnswerPart part = shown.get(i);
            chunk(out, choice, json -> write(json, part), i == 0 ? tokens.logprobs() : List.of(),
                    i == 0 ? tokens.tokens() : List.of(), false);
        }
    }

    /** All but a last piece of content goes before the chunk that has the reason. */
    @Override
    public void end(Exchange out, Choice choice, List<AnswerPart> rest) {
        String last = "";
        for (int i = 0; i < rest.size(); i++) {
            AnswerPart part = rest.get(i);
            if (i == rest.size() - 1 && part instanceof AnswerPart.Content(String text)) {
                last = text;
            } else {
                chunk(out, choice, json -> write(json, part), List.of(), List.of(), false, false);
            }
        }
        String content = last;
        chunk(out, choice, json -> json.writeStringProperty("content", content), List.of(), List.of(), false);
    }

    private void write(JsonGenerator json, AnswerPart part) {
        switch (part) {
            case AnswerPart.Content(String text) -> json.writeStringProperty("content", text);
            case AnswerPart.Reasoning(String text) -> reasoning.write(json, Optional.of(text));
            case AnswerPart.Call(int index, String id, String name) -> {
                beginCall(json, index);
                json.writeStringProperty("id", id);
                json.writeStringProperty("type", "function");
                json.writeObjectPropertyStart("function");
                json.writeStringProperty("name", name);
                json.writeStringProperty("arguments", "");
                endCall(json);
            }
            case AnswerPart.Arguments(int index, String text) -> {
                beginCall(json, index);
                json.writeObjectPropertyStart("function");
                json.writeStringProperty("arguments", text);
                endCall(json);
            }
        }
    }

    private static void beginCall(JsonGenerator json, int index) {
        json.writeArrayPropertyStart("tool_calls");
        json.writeStartObject();
        json.writeNumberProperty("index", index);
    }

    private static void endCall(JsonGenerator json) {
        json.writeEndObject();
        json.writeEndObject();
        json.writeEndArray();
    }

    @Override
    public void usage(Exchange out, List<Choice> choices) {
        out.event(json -> {
            json.writeStartObject();
            head().write(json, "chat.completion.chunk");
            json.writeArrayPropertyStart("choices");
            json.writeEndArray();
            ReplyHead.writeUsage(json, choices, false);
            json.writeEndObject();
        });
    }

    private void chunk(Exchange out, Choice choice, Consumer<JsonGenerator> delta, List<TokenLogprob> entries,
            List<Integer> tokens, boolean first) {
        chunk(out, choice, delta, entries, tokens, first, choice.ended());
    }

    private void chunk(Exchange out, Choice choice, Consumer<JsonGenerator> delta, List<TokenLogprob> entries,
            List<Integer> tokens, boolean first, boolean last) {
        out.event(json -> {
            json.writeStartObject();
            head().write(json, "chat.completion.chunk");
            json.writeArrayPropertyStart("choices");
            json.writeStartObject();
            json.writeNumberProperty("index", choice.index());
            json.writeObjectPropertyStart("delta");
            delta.accept(json);
            json.writeEndObject();
            if (chat.logprobs() && !entries.isEmpty()) {
                writeLogprobs(json, entries);
            } else {
                json.writeNullProperty("logprobs");
            }
            if (last) {
                choice.writeEnd(json);
            } else {
                json.writeNullProperty("finish_reason");
            }
            if (options().tokenIds()) {
                Json.integers(json, "token_ids", tokens);
            }
            json.writeEndObject();
            json.writeEndArray();
            if (first && options().tokenIds()) {
                json.writeName("prompt_token_ids");
                json.writeArray(choice.prompt().tokens(), 0, choice.promptTokenCount());
            }
            if (options().continuousUsage()) {
                ReplyHead.writeUsage(json, List.of(choice), false);
            }
            json.writeEndObject();
        });
    }

    private ReplyHead head() {
        return chat.head();
    }

    private ReplyOptions options() {
        return chat.options();
    }

    private void writeTokenIds(JsonGenerator json, List<Integer> tokens) {
        if (options().tokenIds()) {
            Json.integers(json, "token_ids", tokens);
        } else {
            json.writeNullProperty("token_ids");
        }
    }

    private void writeLogprobs(JsonGenerator json, List<TokenLogprob> entries) {
        if (!chat.logprobs()) {
            json.writeNullProperty("logprobs");
            return;
        }
        json.writeObjectPropertyStart("logprobs");
        json.writeArrayPropertyStart("content");
        entries.forEach(entry -> chat.texts().writeForChat(json, entry));
        json.writeEndArray();
        json.writeEndObject();
    }
}
