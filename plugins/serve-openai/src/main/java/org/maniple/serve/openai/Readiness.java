package org.maniple.serve.openai;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.maniple.api.engine.Engine;
import org.maniple.api.engine.UnitStatus;

/** Whether requests are taken: the unit must be ready, and nobody must have asked to drain. Safe for use by several threads. */
final class Readiness {

    private final Engine engine;
    private final Duration stepLimit;
    private final AtomicReference<@Nullable String> drainReason = new AtomicReference<>();

    /** @param stepLimit how long a step may take: a unit that takes longer stands still, whatever its ranks say */
    Readiness(Engine engine, Duration stepLimit) {
        this.engine = engine;
        this.stepLimit = stepLimit;
    }

    void drain(String reason) {
        drainReason.compareAndSet(null, reason);
    }

    Optional<String> drainReason() {
        return Optional.ofNullable(drainReason.get());
    }

    /** Why requests are not taken; empty if they are. */
    List<String> reasons(UnitStatus status) {
        List<String> unit = status.ready()
                ? List.of()
                : status.reasons().isEmpty() ? List.of("the unit is not ready") : status.reasons();
        Optional<String> still = stepAge().filter(age -> age.compareTo(stepLimit) > 0)
                .map(age -> "the step that runs has taken " + age.toSeconds() + " s so far; it may take " + stepLimit.toSeconds()
                        + " s (step-timeout)");
        return Stream.of(drainReason().stream(), unit.stream(), still.stream()).flatMap(each -> each).toList();
    }

    /** How long the step that runs has taken; empty if there is nothing to do, or nobody knows. */
    Optional<Duration> stepAge() {
        return engine.stepAge();
    }

    UnitStatus status() {
        return engine.status();
    }
}
