package org.maniple.serve.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.maniple.api.engine.GenerationEvent.Tokens;
import org.maniple.api.engine.TokenLogprob;
import org.maniple.api.engine.TokenLogprob.Candidate;
import tools.jackson.core.JsonGenerator;

/**
 * The replies of {@code /v1/completions}.
 *
 * @param head what is the same in all parts
 * @param options what the client wants to see
 * @param logprobs whether log-probabilities are shown
 * @param promptLogprobs whether those of the prompt are shown by themselves
 * @param echo whether the prompt comes before the output
 * @param withoutOutput whether nothing but the prompt is wanted: the engine generates one token, and it is not shown
 * @param texts how tokens are shown
 */
record CompletionFormat(ReplyHead head, ReplyOptions options, boolean logprobs, boolean promptLogprobs, boolean echo,
        boolean withoutOutput, TokenTexts texts) implements ReplyFormat {

    /** A token as it is listed; the first token of a prompt has no log-probability. */
    private record Entry(int token, @Nullable TokenLogprob logprob) {

        static Entry of(TokenLogprob logprob) {
            return new Entry(logprob.token(), logprob);
        }
    }

    @Override
    public void whole(JsonGenerator json, List<Choice> choices) {
        json.writeStartObject();
        head.write(json, "text_completion");
        json.writeArrayPropertyStart("choices");
        choices.forEach(choice -> writeChoice(json, choice));
        json.writeEndArray();
        ReplyHead.writeUsage(json, choices, true);
        json.writeNullProperty("kv_transfer_params");
        json.writeNullProperty("system_fingerprint");
        json.writeNullProperty("service_tier");
        json.writeEndObject();
    }

    private void writeChoice(JsonGenerator json, Choice choice) {
        json.writeStartObject();
        json.writeNumberProperty("index", choice.index());
        json.writeStringProperty("text", (echo ? promptText(choice) : "") + (withoutOutput ? "" : choice.answer().content()));
        if (logprobs) {
            Stream<Entry> prompt = echo ? promptEntries(choice, choice.promptLogprobs()) : Stream.empty();
            Stream<Entry> output = withoutOutput ? Stream.empty() : choice.logprobs().stream().map(Entry::of);
            writeLogprobs(json, choice, Stream.concat(prompt, output).toList());
        } else {
            json.writeNullProperty("logprobs");
        }
        choice.writeEnd(json);
        if (options.tokenIds()) {
            List<Integer> ids = new ArrayList<>();
            if (echo) {
                IntStream.of(choice.prompt().tokens()).forEach(ids::add);
            }
            ids.addAll(withoutOutput ? List.of() : choice.tokens());
            Json.integers(json, "token_ids", ids);
            writePromptIds(json, choice);
        } else {
            json.writeNullProperty("token_ids");
            json.writeNullProperty("prompt_token_ids");
        }
        writePromptLogprobs(json, promptLogprobs, choice.promptLogprobs(), texts);
        json.writeEndObject();
    }

    @Override
    public void begin(Exchange out, Choice choice) {
        if (echo && !logprobs) {
            chunk(out, choice, promptText(choice), List.of(), promptIds(choice), true);
        } else if (!echo && options.tokenIds()) {
            chunk(out, choice, "", List.of(), List.of(), true);
        }
    }

    @Override
    public void prompt(Exchange out, Choice choice, List<TokenLogprob> entries) {
        if (echo && logprobs) {
            chunk(out, choice, promptText(choice), promptEntries(choice, entries).toList(), promptIds(choice), true);
        }
    }

    @Override
    public void delta(Exchange out, Choice choice, Tokens tokens, List<AnswerPart> parts) {
        if (withoutOutput || tokens.text().isEmpty() && !logprobs && !options.tokenIds()) {
            return;
        }
        chunk(out, choice, tokens.text(), tokens.logprobs().stream().map(Entry::of).toList(), tokens.tokens(), false);
    }

    @Override
    public void end(Exchange out, Choice choice, List<AnswerPart> rest) {
        Answer last = new Answer();
        last.add(rest);
        chunk(out, choice, withoutOutput ? "" : last.content(), List.of(), List.of(), false);
    }

    @Override
    public void usage(Exchange out, List<Choice> choices) {
        out.event(json -> {
            json.writeStartObject();
            head.write(json, "text_completion");
            json.writeArrayPropertyStart("choices");
            json.writeEndArray();
            ReplyHead.writeUsage(json, choices, false);
            json.writeEndObject();
        });
    }

    private void chunk(Exchange out, Choice choice, String text, List<Entry> entries, List<Integer> tokens, boolean first) {
        out.event(json -> {
            json.writeStartObject();
            head.write(json, "text_completion");
            json.writeArrayPropertyStart("choices");
            json.writeStartObject();
            json.writeNumberProperty("index", choice.index());
            json.writeStringProperty("text", text);
            if (logprobs && !entries.isEmpty()) {
                writeLogprobs(json, choice, entries);
            } else {
                json.writeNullProperty("logprobs");
            }
            choice.writeEnd(json);
            if (options.tokenIds()) {
                Json.integers(json, "token_ids", tokens);
                if (first) {
                    writePromptIds(json, choice);
                }
            }
            json.writeEndObject();
            json.writeEndArray();
            if (options.continuousUsage()) {
                ReplyHead.writeUsage(json, List.of(choice), false);
            }
            json.writeEndObject();
        });
    }

    private String promptText(Choice choice) {
        Prompt prompt = choice.prompt();
        return prompt.text().orElseGet(() -> texts.codec().map(codec -> codec.decode(prompt.tokens(), false)).orElse(""));
    }

    private static List<Integer> promptIds(Choice choice) {
        return IntStream.of(choice.prompt().tokens()).boxed().toList();
    }

    private static void writePromptIds(JsonGenerator json, Choice choice) {
        json.writeName("prompt_token_ids");
        json.writeArray(choice.prompt().tokens(), 0, choice.promptTokenCount());
    }

    private static Stream<Entry> promptEntries(Choice choice, List<TokenLogprob> entries) {
        return Stream.concat(Stream.of(new Entry(choice.prompt().tokens()[0], null)), entries.stream().map(Entry::of));
    }

    private void writeLogprobs(JsonGenerator json, Choice choice, List<Entry> entries) {
        json.writeObjectPropertyStart("logprobs");
        json.writeArrayPropertyStart("text_offset");
        for (Entry entry : entries) {
            json.writeNumber(choice.textOffset());
            choice.advanceTextOffset(texts.text(entry.token()).length());
        }
        json.writeEndArray();
        json.writeArrayPropertyStart("token_logprobs");
        for (Entry entry : entries) {
            TokenLogprob logprob = entry.logprob();
            if (logprob == null) {
                json.writeNull();
            } else {
                json.writeNumber(TokenTexts.shown(logprob.logprob()));
            }
        }
        json.writeEndArray();
        json.writeArrayPropertyStart("tokens");
        entries.forEach(entry -> json.writeString(texts.text(entry.token())));
        json.writeEndArray();
        json.writeArrayPropertyStart("top_logprobs");
        entries.forEach(entry -> writeTop(json, entry.logprob()));
        json.writeEndArray();
        json.writeEndObject();
    }

    /** Several tokens may look the same as texts (incomplete characters): the most likely one of them stays. */
    private void writeTop(JsonGenerator json, @Nullable TokenLogprob logprob) {
        if (logprob == null) {
            json.writeNull();
            return;
        }
        json.writeStartObject();
        List<String> written = new ArrayList<>();
        for (Candidate candidate : logprob.top()) {
            writeIfNew(json, written, candidate.token(), candidate.logprob());
        }
        writeIfNew(json, written, logprob.token(), logprob.logprob());
        json.writeEndObject();
    }

    private void writeIfNew(JsonGenerator json, List<String> written, int token, double logprob) {
        String text = texts.text(token);
        if (!written.contains(text)) {
            written.add(text);
            json.writeNumberProperty(text, TokenTexts.shown(logprob));
        }
    }

    /** Writes {@code prompt_logprobs}, whose first entry is null as the first token has nothing before it. */
    static void writePromptLogprobs(JsonGenerator json, boolean wanted, List<TokenLogprob> entries, TokenTexts texts) {
        if (!wanted) {
            json.writeNullProperty("prompt_logprobs");
            return;
        }
        json.writeArrayPropertyStart("prompt_logprobs");
        json.writeNull();
        entries.forEach(entry -> texts.writeForPrompt(json, entry));
        json.writeEndArray();
    }
}
