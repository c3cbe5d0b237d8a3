package org.maniple.kernel.boot;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.maniple.api.ManipleException;
import org.maniple.api.engine.Engine;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.Sampling;
import org.maniple.api.text.TextCodec;
import org.maniple.kernel.unit.StartupReport;

/** Answers one prompt on the terminal, token by token. */
final class PromptAnswer {

    private static final long LIMIT_MINUTES = 30;

    private final Engine engine;
    private final StartupReport report;

    PromptAnswer(Engine engine, StartupReport report) {
        this.engine = engine;
        this.report = report;
    }

    void answer(String prompt, int maxTokens) {
        TextCodec codec = engine.text().orElseThrow(
                () -> new ManipleException("a prompt needs a tokenizer; leave out --skip-tokenizer-init"));
        Map<String, Object> variables = new HashMap<>(Map.of("add_generation_prompt", true));
        int[] ids = codec.hasChatTemplate()
                ? codec.encode(codec.chat(List.of(Map.of("role", "user", "content", prompt)), variables), false)
                : codec.encode(prompt, true);
        int room = engine.model().maxModelLength() - ids.length;
        BlockingQueue<GenerationEvent> events = new LinkedBlockingQueue<>();
        report.line("> " + prompt);
        engine.submit(new GenerationRequest("prompt", ids, Sampling.greedy(Math.max(1, Math.min(maxTokens, room)))), events::add);
        print(events);
    }

    private void print(BlockingQueue<GenerationEvent> events) {
        try {
            while (true) {
                switch (events.poll(LIMIT_MINUTES, TimeUnit.MINUTES)) {
                    case null -> throw new ManipleException("the prompt was not answered within " + LIMIT_MINUTES + " minutes");
                    case GenerationEvent.Prompt logprobs -> {
                    }
                    case GenerationEvent.Embedding vector -> {
                    }
                    case GenerationEvent.Tokens tokens -> report.text(tokens.text());
                    case GenerationEvent.Finished finished -> {
                        report.text(finished.text() + "\n");
                        return;
                    }
                    case GenerationEvent.Failed failed -> throw new ManipleException(failed.message());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
