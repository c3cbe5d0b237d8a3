package org.maniple.kernel.execute;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.maniple.api.collective.Communicator;
import org.maniple.kernel.step.StepBatch;

/** The actions of an executor in order. Runs through them at once, or in turns with another course. For use by the rank's own thread. */
final class Course {

    private final Communicator communicator;
    private final Consumer<Action> observer;
    private final List<Action> actions = new ArrayList<>();
    private final List<StageLink> onward = new ArrayList<>();
    private long exchanging;
    private @Nullable StepBatch running;
    private int next;
    private int last;
    private @Nullable Exchanging begun;

    /** @param observer sees what is done */
    Course(Communicator communicator, Consumer<Action> observer) {
        this.communicator = communicator;
        this.observer = observer;
    }

    void add(Action action) {
        actions.add(action);
    }

    /** The next stage waits for what is sent by it. */
    void sends(StageLink link) {
        onward.add(link);
    }

    int size() {
        return actions.size();
    }

    /** From now on, how long each action takes is added to a profile. */
    void measure(StepProfile profile) {
        actions.replaceAll(action -> action.measured(profile));
    }

    /** Nanoseconds spent in exchanges since this was asked last. */
    long exchanging() {
        long spent = exchanging;
        exchanging = 0;
        return spent;
    }

    /** Runs through some of the actions. */
    void run(StepBatch step, int from, int to) {
        for (int i = from; i < to; i++) {
            Action action = actions.get(i);
            if (!action.use().by(step)) {
                continue;
            }
            if (action.exchanges()) {
                exchange(action);
            } else {
                action.work().run(action.view());
                moveOn();
            }
            observer.accept(action);
        }
    }

    private void exchange(Action action) {
        long from = System.nanoTime();
        action.work().run(action.view());
        exchanging += System.nanoTime() - from;
    }

    /** The next stage waits for what was sent in the step before, while this one computes. */
    private void moveOn() {
        for (int i = 0; i < onward.size(); i++) {
            if (onward.get(i).busy()) {
                communicator.progress();
                return;
            }
        }
    }

    /** Begins to run through some of the actions in turns. */
    void begin(StepBatch step, int from, int to) {
        running = step;
        next = from;
        last = to;
        begun = null;
    }

    /**
     * Ends what has been begun with other ranks, and goes on until the next exchange has been begun, or all is done. Meanwhile what the other course has
     * begun is moved.
     *
     * @return whether there is more to do
     */
    boolean takeTurn() {
        StepBatch step = Objects.requireNonNull(running);
        for (; next < last; next++) {
            Action action = actions.get(next);
            if (!action.use().by(step)) {
                continue;
            }
            if (begun != null) {
                end(begun, action);
            } else if (action.exchange() != null) {
                begin(action.exchange(), action);
                return true;
            } else if (action.exchanges()) {
                exchange(action);
            } else {
                action.work().run(action.view());
                communicator.progress();
            }
            observer.accept(action);
        }
        return false;
    }

    private void begin(Exchanging exchange, Action action) {
        long from = System.nanoTime();
        exchange.begin(action.view());
        exchanging += System.nanoTime() - from;
        begun = exchange;
    }

    private void end(Exchanging exchange, Action action) {
        long from = System.nanoTime();
        exchange.end(action.view());
        exchanging += System.nanoTime() - from;
        begun = null;
    }
}
