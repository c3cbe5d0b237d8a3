package org.maniple.kernel.engine;

import java.util.Comparator;
import org.maniple.api.config.Settings;
import org.maniple.api.engine.ScheduledRequest;
import org.maniple.api.engine.SchedulingPolicy;

/** First come, first served. */
public final class ArrivalPolicy implements SchedulingPolicy {

    /** For {@link java.util.ServiceLoader}. */
    public ArrivalPolicy() {}

    @Override
    public String name() {
        return "fcfs";
    }

    @Override
    public Comparator<ScheduledRequest> order(Settings settings) {
        return (_, _) -> 0;
    }

    @Override
    public boolean usesPriority() {
        return false;
    }
}
