package org.maniple.serve.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.maniple.api.engine.GenerationEvent.FinishReason;
import org.maniple.api.engine.GenerationEvent.Finished;
import org.maniple.api.engine.GenerationEvent.Stop;
import org.maniple.api.engine.TokenLogprob;
import tools.jackson.core.JsonGenerator;

/** One of the answers of a request, as far as it has come. Used on the event loop of its connection only. */
final class Choice {

    private final int index;
    private final Prompt prompt;
    private final StringBuilder text = new StringBuilder();
    private final List<Integer> tokens = new ArrayList<>();
    private final List<TokenLogprob> logprobs = new ArrayList<>();
    private List<TokenLogprob> promptLogprobs = List.of();
    private @Nullable Finished end;
    private int tokenCount;
    private int textOffset;

    Choice(int index, Prompt prompt) {
        this.index = index;
        this.prompt = prompt;
    }

    int index() {
        return index;
    }

    Prompt prompt() {
        return prompt;
    }

    String text() {
        return text.toString();
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

    void count(int newTokens) {
        tokenCount += newTokens;
    }

    void keep(List<Integer> newTokens, String newText, List<TokenLogprob> newLogprobs) {
        tokens.addAll(newTokens);
        text.append(newText);
        logprobs.addAll(newLogprobs);
    }

    void finish(Finished finished) {
        end = finished;
        text.append(finished.text());
    }

    /** Writes {@code finish_reason} and {@code stop_reason}. */
    void writeEnd(JsonGenerator json) {
        Finished finished = end;
        if (finished == null) {
            json.writeNullProperty("finish_reason");
            json.writeNullProperty("stop_reason");
            return;
        }
        json.writeStringProperty("finish_reason", name(finished.reason()));
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
