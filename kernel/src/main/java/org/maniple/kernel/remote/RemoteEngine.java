package org.maniple.kernel.remote;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.maniple.api.engine.Engine;
import org.maniple.api.engine.Generation;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.ModelInfo;
import org.maniple.api.engine.RefusedException;
import org.maniple.api.engine.RefusedException.Reason;
import org.maniple.api.engine.TokenLogprob;
import org.maniple.api.engine.UnitStatus;
import org.maniple.api.text.TextCodec;
import org.maniple.kernel.remote.RemoteFrame.Accepted;
import org.maniple.kernel.remote.RemoteFrame.Cancel;
import org.maniple.kernel.remote.RemoteFrame.Event;
import org.maniple.kernel.remote.RemoteFrame.PromptPart;
import org.maniple.kernel.remote.RemoteFrame.Refused;
import org.maniple.kernel.remote.RemoteFrame.ResetPrefixCache;
import org.maniple.kernel.remote.RemoteFrame.Status;
import org.maniple.kernel.remote.RemoteFrame.Submit;

/**
 * Rank 0's engine as another rank sees it, for the sequences of this rank's group. A request waits for rank 0's answer, so {@link #submit}
 * blocks for the length of a round trip. Safe for use by several threads.
 */
public final class RemoteEngine implements Engine {

    private static final System.Logger LOG = System.getLogger(RemoteEngine.class.getName());

    private final ModelInfo model;
    private final Optional<TextCodec> codec;
    private final Map<String, String> configuration;
    private final int home;
    private final String version;
    private final int largestFrame;
    private final Duration answerLimit;
    private final Consumer<byte[]> sender;

    private final AtomicLong tickets = new AtomicLong();
    private final Map<Long, Call> calls = new ConcurrentHashMap<>();
    private final CountDownLatch firstReady = new CountDownLatch(1);
    private volatile @Nullable UnitStatus status;
    private volatile @Nullable String failure;

    /**
     * Where frames go, and what they may be.
     *
     * @param sender sends a frame to rank 0, in order and without waiting
     * @param largestFrame bytes of a frame at most
     * @param answerLimit how long rank 0 may take to say whether it takes a request
     */
    public record Line(Consumer<byte[]> sender, int largestFrame, Duration answerLimit) {}

    /**
     * An engine that waits for rank 0 to be ready.
     *
     * @param model the model that the unit serves
     * @param codec its tokenizer, if there is one
     * @param configuration this rank's effective configuration, to be shown
     * @param home the group of ranks that this rank belongs to
     * @param version the version of the product
     * @param line reaches rank 0
     */
    public RemoteEngine(ModelInfo model, Optional<TextCodec> codec, Map<String, String> configuration, int home, String version,
            Line line) {
        this.model = model;
        this.codec = codec;
        this.configuration = configuration;
        this.home = home;
        this.version = version;
        this.sender = line.sender();
        this.largestFrame = line.largestFrame();
        this.answerLimit = line.answerLimit();
    }

    /**
     * Waits until rank 0 has said that the unit is ready.
     *
     * @param limit how long
     * @return whether it has; not if the unit has failed meanwhile
     * @throws InterruptedException if the thread is interrupted
     */
    public boolean awaitReady(Duration limit) throws InterruptedException {
        return firstReady.await(limit.toNanos(), TimeUnit.NANOSECONDS) && failure == null;
    }

    @Override
    public ModelInfo model() {
        return model;
    }

    @Override
    public Optional<TextCodec> text() {
        return codec;
    }

    @Override
    public String version() {
        return version;
    }

    @Override
    public Generation submit(GenerationRequest request, Consumer<GenerationEvent> listener) {
        PinnedEngine.checkHome(request, home);
        long ticket = tickets.incrementAndGet();
        byte[] frame = FrameCodec.encode(new Submit(ticket, request));
        if (frame.length > largestFrame) {
            throw new RefusedException(Reason.INVALID,
                    "The request takes " + frame.length + " bytes on its way to rank 0, but at most "
                            + largestFrame + " are possible; send it to rank 0's own API, or make it shorter");
        }
        var call = new Call(request.id(), ticket, listener);
        calls.put(ticket, call);
        String reason = failure;
        if (reason != null) {
            calls.remove(ticket);
            throw new RefusedException(Reason.UNAVAILABLE, reason);
        }
        sender.accept(frame);
        call.awaitAnswer();
        return call;
    }

    @Override
    public OptionalInt home() {
        return OptionalInt.of(home);
    }

    @Override
    public UnitStatus status() {
        UnitStatus known = status;
        String reason = failure;
        if (known == null) {
            String why = reason == null ? "rank 0 has not said yet how the unit is" : reason;
            return new UnitStatus(false, List.of(why), 1, List.of(), List.of(), configuration, 0, 0, 0, 0, List.of());
        }
        List<String> reasons = new ArrayList<>(known.reasons());
        if (reason != null && !reasons.contains(reason)) {
            reasons.add(reason);
        }
        return new UnitStatus(known.ready() && reason == null, reasons, known.epoch(), known.ranks(), known.links(),
                configuration,
                known.runningRequests(), known.waitingRequests(), known.kvBlocks(), known.freeKvBlocks(), known.homes());
    }

    /** For the whole unit, since rank 0 knows of no part of it. */
    @Override
    public void resetPrefixCache() {
        sender.accept(FrameCodec.encode(new ResetPrefixCache()));
    }

    /**
     * Takes a frame of rank 0; does not block.
     *
     * @param bytes the frame
     * @throws MalformedFrameException if it is none that rank 0 may send
     */
    public void arrived(byte[] bytes) {
        switch (FrameCodec.decode(bytes)) {
            case Accepted(long ticket) -> call(ticket).ifPresent(call -> call.answer(Optional.empty()));
            case Refused(long ticket, Reason reason, String message) -> call(ticket)
                    .ifPresent(call -> call.answer(Optional.of(new RefusedException(reason, message))));
            case PromptPart(long ticket, boolean last, var part) -> call(ticket).ifPresent(call -> call.prompt(part, last));
            case Event(long ticket, GenerationEvent event) -> call(ticket).ifPresent(call -> call.deliver(event));
            case Status(UnitStatus now) -> {
                status = now;
                if (now.ready()) {
                    firstReady.countDown();
                }
            }
            case Submit submit -> throw new MalformedFrameException("Submit goes to rank 0 only");
            case ResetPrefixCache reset -> throw new MalformedFrameException("ResetPrefixCache goes to rank 0 only");
            case Cancel cancel -> throw new MalformedFrameException("Cancel goes to rank 0 only");
        }
    }

    /** Empty if the request has ended already. */
    private Optional<Call> call(long ticket) {
        return Optional.ofNullable(calls.get(ticket));
    }

    /**
     * Nothing comes from rank 0 any more: every request ends with this reason, and later ones are refused. Only the first reason counts.
     *
     * @param reason a sentence for clients
     */
    public void fail(String reason) {
        synchronized (this) {
            if (failure != null) {
                return;
            }
            failure = reason;
        }
        firstReady.countDown();
        List.copyOf(calls.values()).forEach(call -> call.fail(reason));
    }

    /** Requests that have not ended. */
    int running() {
        return calls.size();
    }

    /** A request on its way. */
    private final class Call implements Generation {

        private final String id;
        private final long ticket;
        private final Consumer<GenerationEvent> listener;
        private final CountDownLatch answered = new CountDownLatch(1);
        // guarded by this
        private final List<TokenLogprob> prompt = new ArrayList<>();
        private @Nullable RefusedException refusal;
        private boolean accepted;
        private boolean ended;

        Call(String id, long ticket, Consumer<GenerationEvent> listener) {
            this.id = id;
            this.ticket = ticket;
            this.listener = listener;
        }

        @Override
        public String id() {
            return id;
        }

        @Override
        public void cancel() {
            if (calls.containsKey(ticket)) {
                sender.accept(FrameCodec.encode(new Cancel(ticket)));
            }
        }

        void awaitAnswer() {
            try {
                if (!answered.await(answerLimit.toNanos(), TimeUnit.NANOSECONDS)) {
                    answer(Optional.of(new RefusedException(Reason.UNAVAILABLE,
                            "Rank 0 has not answered within " + answerLimit.toSeconds() + " s")));
                    sender.accept(FrameCodec.encode(new Cancel(ticket)));
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                answer(Optional.of(new RefusedException(Reason.UNAVAILABLE, "The request was interrupted")));
                sender.accept(FrameCodec.encode(new Cancel(ticket)));
            }
            synchronized (this) {
                if (refusal != null) {
                    throw refusal;
                }
            }
        }

        synchronized void answer(Optional<RefusedException> why) {
            if (answered.getCount() == 0) {
                return;
            }
            accepted = why.isEmpty();
            why.ifPresent(refused -> {
                refusal = refused;
                end();
            });
            answered.countDown();
        }

        synchronized void prompt(List<TokenLogprob> part, boolean last) {
            prompt.addAll(part);
            if (last) {
                deliver(new GenerationEvent.Prompt(List.copyOf(prompt)));
                prompt.clear();
            }
        }

        synchronized void deliver(GenerationEvent event) {
            if (ended || !accepted) {
                return;
            }
            if (event instanceof GenerationEvent.Finished || event instanceof GenerationEvent.Failed) {
                end();
            }
            try {
                listener.accept(event);
            } catch (RuntimeException broken) {
                LOG.log(System.Logger.Level.ERROR, "Request " + id + " is dropped: its events cannot be delivered", broken);
                if (!ended) {
                    cancel();
                    end();
                }
            }
        }

        /** The unit has failed: whoever still waits for an answer is refused, and whoever has one is told. */
        void fail(String reason) {
            answer(Optional.of(new RefusedException(Reason.UNAVAILABLE, reason)));
            deliver(new GenerationEvent.Failed(reason));
        }

        private void end() {
            ended = true;
            calls.remove(ticket);
        }
    }
}
