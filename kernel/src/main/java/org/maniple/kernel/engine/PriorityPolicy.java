package org.maniple.kernel.engine;

import java.util.Comparator;
import java.util.List;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.api.config.Settings;
import org.maniple.api.engine.ScheduledRequest;
import org.maniple.api.engine.SchedulingPolicy;

/** As clients say: vLLM's have lower numbers go first, SGLang's higher ones. */
public final class PriorityPolicy implements SchedulingPolicy {

    private static final String ORDER = "priority-order";
    private static final String HIGH_FIRST = "high-first";

    /** For {@link java.util.ServiceLoader}. */
    public PriorityPolicy() {}

    @Override
    public String name() {
        return "priority";
    }

    @Override
    public List<Option> options() {
        return List.of(Option.of(ORDER, OptionType.TEXT, "With scheduling-policy priority: which requests go first.")
                .withDefault("low-first").withChoices("low-first", HIGH_FIRST));
    }

    @Override
    public Comparator<ScheduledRequest> order(Settings settings) {
        Comparator<ScheduledRequest> lowFirst = Comparator.comparingInt(ScheduledRequest::priority);
        return settings.text(ORDER).equals(HIGH_FIRST) ? lowFirst.reversed() : lowFirst;
    }

    @Override
    public boolean usesPriority() {
        return true;
    }
}
