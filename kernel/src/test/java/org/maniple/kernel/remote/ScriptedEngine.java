package org.maniple.kernel.remote;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.maniple.api.engine.Engine;
import org.maniple.api.engine.Generation;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.ModelInfo;
import org.maniple.api.engine.RefusedException;
import org.maniple.api.engine.UnitStatus;
import org.maniple.api.engine.UnitStatus.HomeStatus;
import org.maniple.api.engine.UnitStatus.LinkStatus;
import org.maniple.api.engine.UnitStatus.RankStatus;
import org.maniple.api.engine.UnitStatus.StepTimes;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.text.TextCodec;

/** An engine that does what a test says. */
final class ScriptedEngine implements Engine {

    static final ModelInfo MODEL = new ModelInfo(List.of("m"), "/m", "M", 100, 1000, List.of(),
            new ModelConfig("test", Map.of()));

    /** A request that the engine has taken. */
    record Taken(GenerationRequest request, Consumer<GenerationEvent> listener, BlockingQueue<String> cancelled) {

        boolean isCancelled() throws InterruptedException {
            return cancelled.poll(20, TimeUnit.SECONDS) != null;
        }
    }

    final BlockingQueue<Taken> taken = new LinkedBlockingQueue<>();
    volatile Optional<RefusedException> refusal = Optional.empty();
    volatile boolean ready = true;
    final CountDownLatch forgotten = new CountDownLatch(1);

    Taken next() throws InterruptedException {
        Taken next = taken.poll(20, TimeUnit.SECONDS);
        if (next == null) {
            throw new AssertionError("no request came");
        }
        return next;
    }

    @Override
    public ModelInfo model() {
        return MODEL;
    }

    @Override
    public Optional<TextCodec> text() {
        return Optional.empty();
    }

    @Override
    public Generation submit(GenerationRequest request, Consumer<GenerationEvent> listener) {
        refusal.ifPresent(why -> {
            throw why;
        });
        var one = new Taken(request, listener, new LinkedBlockingQueue<>());
        taken.add(one);
        return new Generation() {
            @Override
            public String id() {
                return request.id();
            }

            @Override
            public void cancel() {
                one.cancelled().add("cancelled");
            }
        };
    }

    @Override
    public UnitStatus status() {
        return new UnitStatus(ready, ready ? List.of() : List.of("it starts"), 1,
                List.of(new RankStatus(0, "node-a", 7, Map.of("dp", 0), "ready", 100),
                        new RankStatus(1, "node-b", 8, Map.of("dp", 1), "ready", 100, 7, 8, 9, 10,
                                new StepTimes(11, 12, 13, 14, 10))),
                List.of(new LinkStatus(0, 1, "NET", 5)), Map.of("a", "b"), 3, 4, 20, 10,
                List.of(new HomeStatus(0, 1, 2, 3, 4, 5), new HomeStatus(1, 6, 7, 8, 9, 10, 11, 12, 13)));
    }

    @Override
    public void resetPrefixCache() {
        forgotten.countDown();
    }

    @Override
    public String version() {
        return "0.1.0";
    }
}
