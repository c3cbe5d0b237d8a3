package org.maniple.kernel.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.maniple.api.engine.EndedRequest;
import org.maniple.api.engine.EngineObserver;

/** Tells all observers; one that throws is left out from then on. Safe for use by several threads. */
final class Observers implements EngineObserver {

    private static final System.Logger LOG = System.getLogger(Observers.class.getName());

    private volatile EngineObserver[] all = {};

    synchronized void add(EngineObserver observer) {
        var more = new ArrayList<>(List.of(all));
        more.add(observer);
        all = more.toArray(EngineObserver[]::new);
    }

    private synchronized void drop(EngineObserver observer, RuntimeException failure) {
        LOG.log(System.Logger.Level.ERROR, "An observer of the engine fails and is told nothing more: " + observer, failure);
        var fewer = new ArrayList<>(List.of(all));
        fewer.remove(observer);
        all = fewer.toArray(EngineObserver[]::new);
    }

    @Override
    public void step(int home, int tokens) {
        EngineObserver[] told = all;
        for (EngineObserver observer : told) {
            try {
                observer.step(home, tokens);
            } catch (RuntimeException e) {
                drop(observer, e);
            }
        }
    }

    @Override
    public void firstToken(int home, int promptTokens, long nanos) {
        EngineObserver[] told = all;
        for (EngineObserver observer : told) {
            try {
                observer.firstToken(home, promptTokens, nanos);
            } catch (RuntimeException e) {
                drop(observer, e);
            }
        }
    }

    @Override
    public void nextToken(int home, long nanos) {
        EngineObserver[] told = all;
        for (EngineObserver observer : told) {
            try {
                observer.nextToken(home, nanos);
            } catch (RuntimeException e) {
                drop(observer, e);
            }
        }
    }

    @Override
    public void speculated(int home, int tokens, int accepted) {
        EngineObserver[] told = all;
        for (EngineObserver observer : told) {
            try {
                observer.speculated(home, tokens, accepted);
            } catch (RuntimeException e) {
                drop(observer, e);
            }
        }
    }

    @Override
    public void ended(EndedRequest request) {
        rarely(observer -> observer.ended(request));
    }

    /** For what does not happen in every step, since it allocates. */
    private void rarely(Consumer<EngineObserver> event) {
        EngineObserver[] told = all;
        for (EngineObserver observer : told) {
            try {
                event.accept(observer);
            } catch (RuntimeException e) {
                drop(observer, e);
            }
        }
    }
}
