package org.maniple.serve.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.maniple.api.engine.GenerationEvent.FinishReason;
import org.maniple.api.engine.GenerationEvent.Finished;
import org.maniple.api.engine.GenerationEvent.Stop;
import org.maniple.api.engine.GenerationEvent.Tokens;
import org.maniple.api.engine.TokenLogprob;
import tools.jackson.core.JsonGenerator;

/** One of the answers of a request, as far as it has come. Used on the event loop of its connection only. */
final class Choice {

    private final int index;
    private final Prompt prompt;
    private final AnswerReader reader;
    private final boolean kept;
    private final Answer answer = new Answer();
    private final List<Integer> tokens = new ArrayList<>();
    private final List<TokenLogprob> logprobs = new ArrayList<>();
    private List<TokenLogprob> promptLogprobs = List.of();
    private @Nullable Finished end;
    private int tokenCount;
    private int textOffset;

    /**
     * An answer that has not begun.
     *
     * @param reader takes it apart
     * @param kept whether the whole answer is needed at its end
     */
    Choice(int index, Prompt prompt, AnswerReader reader, boolean kept) {
        this.index = index;
        this.prompt = prompt;
        this.reader = reader;
        this.kept = kept;
    }

    int index() {
        return index;
    }

    Prompt prompt() {
        return prompt;
    }

    /** What it says so far, if it is kept. */
    Answer answer() {
        return answer;
    }

    /** Tokens of its reasoning so far; empty if reasoning is not looked for. */
    OptionalInt reasoningTokens() {
        return reader.reasoningTokens();
    }

    List<Integer> tokens() {
        return tokens;
    }

    List<TokenLogprob> logprobs() {
        return logprobs;
    }

    /** One for each prompt token but the first; empty if they were not asked for. */
    List<TokenLogprob> promptLogprobs() {
        return promptLogprobs;
    }

    int promptTokenCount() {
        return prompt.tokens().length;
    }

    /** Tokens of the prompt that were in the engine's cache; 0 until it has ended. */
    int cachedTokens() {
        return end == null ? 0 : end.cachedTokens();
    }

    int tokenCount() {
        return tokenCount;
    }

    boolean ended() {
        return end != null;
    }

    /** Characters before the next token, for the offsets of completions. */
    int textOffset() {
        return textOffset;
    }

    void advanceTextOffset(int characters) {
        textOffset += characters;
    }

    void keepPromptLogprobs(List<TokenLogprob> entries) {
        promptLogprobs = entries;
    }

    /** Takes new tokens. Returns the parts of the answer that are now certain. */
    List<AnswerPart> take(Tokens more) {
        tokenCount += more.tokens().size();
        List<AnswerPart> parts = reader.read(more);
        if (kept) {
            tokens.addAll(more.tokens());
            logprobs.addAll(more.logprobs());
            answer.add(parts);
        }
        return parts;
    }

    /** Takes the end. Returns what was held back until now. */
    List<AnswerPart> finish(Finished finished) {
        end = finished;
        List<AnswerPart> parts = reader.finish(finished.text());
        if (kept) {
            answer.add(parts);
        }
        return parts;
    }

    /** Why it ended. */
    Finished end() {
        return Objects.requireNonNull(end, "the answer has not ended");
    }

    /** Whether it ended before the model was done. */
    boolean isCut() {
        return end != null && end.reason() != FinishReason.STOP;
    }

    /** Whether it ended of itself, to have tools called. */
    boolean endedWithCalls() {
        return end != null && end.reason() == FinishReason.STOP && reader.called() > 0;
    }

    /** Writes {@code finish_reason} and {@code stop_reason}. */
    void writeEnd(JsonGenerator json) {
        Finished finished = end;
        if (finished == null) {
            json.writeNullProperty("finish_reason");
            json.writeNullProperty("stop_reason");
            return;
        }
        // As OpenAI does: whoever names the tool knows that it is called.
        boolean calls = endedWithCalls() && !reader.isNamed();
        json.writeStringProperty("finish_reason", calls ? "tool_calls" : name(finished.reason()));
        Optional<Stop> stop = finished.stop();
        switch (stop.orElse(null)) {
            case null -> json.writeNullProperty("stop_reason");
            case Stop.Text(String text) -> json.writeStringProperty("stop_reason", text);
            case Stop.Token(int id) -> json.writeNumberProperty("stop_reason", id);
        }
    }

    private static String name(FinishReason reason) {
        return switch (reason) {
            case STOP -> "stop";
            case LENGTH -> "length";
            case ABORT -> "abort";
        };
    }
}
