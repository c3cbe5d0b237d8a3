package org.maniple.serve.openai;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.maniple.api.engine.EndedRequest;
import org.maniple.api.engine.EngineObserver;

/** Tells several observers. */
final class ObserverList implements EngineObserver {

    final List<EngineObserver> all = new CopyOnWriteArrayList<>();

    @Override
    public void step(int home, int tokens) {
        all.forEach(observer -> observer.step(home, tokens));
    }

    @Override
    public void firstToken(int home, int promptTokens, long nanos) {
        all.forEach(observer -> observer.firstToken(home, promptTokens, nanos));
    }

    @Override
    public void nextToken(int home, long nanos) {
        all.forEach(observer -> observer.nextToken(home, nanos));
    }

    @Override
    public void speculated(int home, int tokens, int accepted) {
        all.forEach(observer -> observer.speculated(home, tokens, accepted));
    }

    @Override
    public void ended(EndedRequest request) {
        all.forEach(observer -> observer.ended(request));
    }
}
