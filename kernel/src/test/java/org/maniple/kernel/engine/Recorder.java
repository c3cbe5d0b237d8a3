package org.maniple.kernel.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.TokenLogprob;

/** Keeps the events of one request, and waits for the last. */
final class Recorder implements Consumer<GenerationEvent> {

    private final List<GenerationEvent> events = new ArrayList<>();
    private final CountDownLatch end = new CountDownLatch(1);
    final CountDownLatch firstToken = new CountDownLatch(1);

    @Override
    public synchronized void accept(GenerationEvent event) {
        if (end.getCount() == 0) {
            throw new IllegalStateException("after the last event: " + event);
        }
        events.add(event);
        switch (event) {
            case GenerationEvent.Finished finished -> end.countDown();
            case GenerationEvent.Failed failed -> end.countDown();
            case GenerationEvent.Tokens tokens -> firstToken.countDown();
            case GenerationEvent.Prompt prompt -> {
            }
            case GenerationEvent.Embedding vector -> {
            }
        }
    }

    List<GenerationEvent> events() {
        try {
            if (!end.await(30, TimeUnit.SECONDS)) {
                throw new AssertionError("the request does not end");
            }
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
        synchronized (this) {
            return List.copyOf(events);
        }
    }

    GenerationEvent last() {
        return events().getLast();
    }

    GenerationEvent.Finished finished() {
        if (last() instanceof GenerationEvent.Finished finished) {
            return finished;
        }
        throw new AssertionError("did not finish: " + last());
    }

    List<Integer> tokens() {
        return events().stream()
                .flatMap(event -> event instanceof GenerationEvent.Tokens tokens ? tokens.tokens().stream() : null).toList();
    }

    List<TokenLogprob> logprobs() {
        return events().stream()
                .flatMap(event -> event instanceof GenerationEvent.Tokens tokens ? tokens.logprobs().stream() : null).toList();
    }

    String text() {
        var text = new StringBuilder();
        for (GenerationEvent event : events()) {
            switch (event) {
                case GenerationEvent.Tokens tokens -> text.append(tokens.text());
                case GenerationEvent.Finished finished -> text.append(finished.text());
                default -> {
                }
            }
        }
        return text.toString();
    }
}
