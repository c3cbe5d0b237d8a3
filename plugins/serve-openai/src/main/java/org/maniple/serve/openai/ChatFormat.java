package org.maniple.serve.openai;

import java.util.List;
import java.util.function.Consumer;
import org.maniple.api.engine.GenerationEvent.Tokens;
import org.maniple.api.engine.TokenLogprob;
import tools.jackson.core.JsonGenerator;

/**
 * The replies of {@code /v1/chat/completions}.
 *
 * @param head what is the same in all parts
 * @param options what the client wants to see
 * @param logprobs whether log-probabilities are shown
 * @param promptLogprobs whether those of the prompt are shown, too
 * @param role the role of the new message
 * @param echo text that the new message begins with
 * @param texts how tokens are shown
 */
record ChatFormat(ReplyHead head, ReplyOptions options, boolean logprobs, boolean promptLogprobs, String role, String echo,
        TokenTexts texts) implements ReplyFormat {

    @Override
    public void whole(JsonGenerator json, List<Choice> choices) {
        json.writeStartObject();
        head.write(json, "chat.completion");
        json.writeArrayPropertyStart("choices");
        choices.forEach(choice -> writeChoice(json, choice));
        json.writeEndArray();
        ReplyHead.writeUsage(json, choices, true);
        CompletionFormat.writePromptLogprobs(json, promptLogprobs, choices.getFirst().promptLogprobs(), texts);
        json.writeNullProperty("kv_transfer_params");
        json.writeNullProperty("system_fingerprint");
        json.writeNullProperty("service_tier");
        if (options.tokenIds()) {
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
        json.writeStringProperty("role", role);
        json.writeNullProperty("reasoning_content");
        json.writeNullProperty("reasoning");
        json.writeStringProperty("content", echo + choice.text());
        json.writeNullProperty("refusal");
        json.writeArrayPropertyStart("tool_calls");
        json.writeEndArray();
        json.writeEndObject();
        writeLogprobs(json, choice.logprobs());
        choice.writeEnd(json);
        writeTokenIds(json, choice.tokens());
        json.writeEndObject();
    }

    @Override
    public void begin(Exchange out, Choice choice) {
        chunk(out, choice, json -> {
            json.writeStringProperty("role", role);
            json.writeStringProperty("content", "");
        }, List.of(), List.of(), true);
        if (!echo.isEmpty()) {
            chunk(out, choice, json -> json.writeStringProperty("content", echo), List.of(), List.of(), false);
        }
    }

    @Override
    public void prompt(Exchange out, Choice choice, List<TokenLogprob> entries) {
        // A stream has no log-probabilities of the prompt.
    }

    @Override
    public void delta(Exchange out, Choice choice, Tokens tokens) {
        if (tokens.text().isEmpty() && !logprobs && !options.tokenIds()) {
            return;
        }
        chunk(out, choice, json -> json.writeStringProperty("content", tokens.text()), tokens.logprobs(), tokens.tokens(), false);
    }

    @Override
    public void end(Exchange out, Choice choice, String text) {
        chunk(out, choice, json -> json.writeStringProperty("content", text), List.of(), List.of(), false);
    }

    @Override
    public void usage(Exchange out, List<Choice> choices) {
        out.event(json -> {
            json.writeStartObject();
            head.write(json, "chat.completion.chunk");
            json.writeArrayPropertyStart("choices");
            json.writeEndArray();
            ReplyHead.writeUsage(json, choices, false);
            json.writeEndObject();
        });
    }

    private void chunk(Exchange out, Choice choice, Consumer<JsonGenerator> delta, List<TokenLogprob> entries, List<Integer> tokens,
            boolean first) {
        out.event(json -> {
            json.writeStartObject();
            head.write(json, "chat.completion.chunk");
            json.writeArrayPropertyStart("choices");
            json.writeStartObject();
            json.writeNumberProperty("index", choice.index());
            json.writeObjectPropertyStart("delta");
            delta.accept(json);
            json.writeEndObject();
            if (logprobs && !entries.isEmpty()) {
                writeLogprobs(json, entries);
            } else {
                json.writeNullProperty("logprobs");
            }
            if (choice.ended()) {
                choice.writeEnd(json);
            } else {
                json.writeNullProperty("finish_reason");
            }
            if (options.tokenIds()) {
                Json.integers(json, "token_ids", tokens);
            }
            json.writeEndObject();
            json.writeEndArray();
            if (first && options.tokenIds()) {
                json.writeName("prompt_token_ids");
                json.writeArray(choice.prompt().tokens(), 0, choice.promptTokenCount());
            }
            if (options.continuousUsage()) {
                ReplyHead.writeUsage(json, List.of(choice), false);
            }
            json.writeEndObject();
        });
    }

    private void writeTokenIds(JsonGenerator json, List<Integer> tokens) {
        if (options.tokenIds()) {
            Json.integers(json, "token_ids", tokens);
        } else {
            json.writeNullProperty("token_ids");
        }
    }

    private void writeLogprobs(JsonGenerator json, List<TokenLogprob> entries) {
        if (!logprobs) {
            json.writeNullProperty("logprobs");
            return;
        }
        json.writeObjectPropertyStart("logprobs");
        json.writeArrayPropertyStart("content");
        entries.forEach(entry -> texts.writeForChat(json, entry));
        json.writeEndArray();
        json.writeEndObject();
    }
}
