package org.maniple.serve.openai;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.maniple.api.engine.GenerationEvent.Finished;
import org.maniple.api.engine.GenerationEvent.Stop;
import org.maniple.api.engine.GenerationEvent.Tokens;
import org.maniple.api.engine.TokenLogprob;
import tools.jackson.core.JsonGenerator;

/**
 * The replies of SGLang's {@code /generate}. Every event of a stream has all that there is so far.
 *
 * @param id the request's id
 * @param several whether the reply is a list
 * @param logprobs whether log-probabilities are shown
 * @param start the first token of the prompt whose log-probability is shown; empty: none of the prompt is
 * @param top whether the most likely tokens are shown
 * @param texts how tokens are shown beside their log-probabilities, if they are
 * @param begun when the request came, in nanoseconds
 */
record GenerateFormat(String id, boolean several, boolean logprobs, OptionalInt start, boolean top, Optional<TokenTexts> texts,
        long begun) implements ReplyFormat {

    @Override
    public void whole(JsonGenerator json, List<Choice> choices) {
        if (several) {
            json.writeStartArray();
            choices.forEach(choice -> write(json, choice));
            json.writeEndArray();
        } else {
            write(json, choices.getFirst());
        }
    }

    @Override
    public void begin(Exchange out, Choice choice) {
        // There is no event without tokens.
    }

    @Override
    public void prompt(Exchange out, Choice choice, List<TokenLogprob> entries) {
        // They are in every event.
    }

    @Override
    public void delta(Exchange out, Choice choice, Tokens tokens, List<AnswerPart> parts) {
        out.event(json -> write(json, choice));
    }

    @Override
    public void end(Exchange out, Choice choice, List<AnswerPart> rest) {
        out.event(json -> write(json, choice));
    }

    @Override
    public void usage(Exchange out, List<Choice> choices) {
        // It is in every event.
    }

    private void write(JsonGenerator json, Choice choice) {
        json.writeStartObject();
        json.writeStringProperty("text", choice.answer().content());
        Json.integers(json, "output_ids", choice.tokens());
        json.writeObjectPropertyStart("meta_info");
        json.writeStringProperty("id", several ? id + "-" + choice.index() : id);
        writeReason(json, choice);
        json.writeNumberProperty("prompt_tokens", choice.promptTokenCount());
        json.writeStringProperty("weight_version", "default");
        if (logprobs) {
            writeLogprobs(json, choice);
        }
        json.writeNumberProperty("completion_tokens", choice.tokenCount());
        json.writeNumberProperty("cached_tokens", choice.cachedTokens());
        json.writeNumberProperty("e2e_latency", (System.nanoTime() - begun) / 1e9);
        json.writeEndObject();
        if (several) {
            json.writeNumberProperty("index", choice.index());
        }
        json.writeEndObject();
    }

    private static void writeReason(JsonGenerator json, Choice choice) {
        if (!choice.ended()) {
            json.writeNullProperty("finish_reason");
            return;
        }
        Finished end = choice.end();
        json.writeObjectPropertyStart("finish_reason");
        switch (end.reason()) {
            case STOP -> {
                json.writeStringProperty("type", "stop");
                switch (end.stop().orElse(null)) {
                    case Stop.Text(String text) -> json.writeStringProperty("matched", text);
                    case Stop.Token(int token) -> json.writeNumberProperty("matched", token);
                    case null -> matched(json, choice.tokens());
                }
            }
            case LENGTH -> {
                json.writeStringProperty("type", "length");
                json.writeNumberProperty("length", choice.tokenCount());
            }
            case ABORT -> {
                json.writeStringProperty("type", "abort");
                json.writeStringProperty("message", "The request was aborted.");
            }
        }
        json.writeEndObject();
    }

    /** An end-of-sequence token is the last one of its output. */
    private static void matched(JsonGenerator json, List<Integer> tokens) {
        if (tokens.isEmpty()) {
            json.writeNullProperty("matched");
        } else {
            json.writeNumberProperty("matched", tokens.getLast());
        }
    }

    private void writeLogprobs(JsonGenerator json, Choice choice) {
        int[] prompt = choice.prompt().tokens();
        List<TokenLogprob> entries = choice.promptLogprobs();
        boolean known = entries.size() == prompt.length - 1;
        json.writeArrayPropertyStart("input_token_logprobs");
        for (int i = start.orElse(prompt.length); known && i < prompt.length; i++) {
            write(json, prompt[i], i == 0 ? null : entries.get(i - 1));
        }
        json.writeEndArray();
        json.writeArrayPropertyStart("output_token_logprobs");
        choice.logprobs().forEach(entry -> write(json, entry.token(), entry));
        json.writeEndArray();
        if (!top) {
            return;
        }
        json.writeArrayPropertyStart("input_top_logprobs");
        for (int i = start.orElse(prompt.length); known && i < prompt.length; i++) {
            writeTop(json, i == 0 ? null : entries.get(i - 1));
        }
        json.writeEndArray();
        json.writeArrayPropertyStart("output_top_logprobs");
        choice.logprobs().forEach(entry -> writeTop(json, entry));
        json.writeEndArray();
    }

    private void writeTop(JsonGenerator json, @Nullable TokenLogprob entry) {
        if (entry == null) {
            json.writeNull();
            return;
        }
        json.writeStartArray();
        entry.top().forEach(candidate -> write(json, candidate.token(), Optional.of(candidate.logprob())));
        json.writeEndArray();
    }

    private void write(JsonGenerator json, int token, @Nullable TokenLogprob entry) {
        write(json, token, Optional.ofNullable(entry).map(TokenLogprob::logprob));
    }

    private void write(JsonGenerator json, int token, Optional<Double> logprob) {
        json.writeStartArray();
        if (logprob.isPresent()) {
            json.writeNumber(TokenTexts.shown(logprob.get()));
        } else {
            json.writeNull();
        }
        json.writeNumber(token);
        if (texts.isPresent()) {
            json.writeString(texts.get().text(token));
        } else {
            json.writeNull();
        }
        json.writeEndArray();
    }
}
