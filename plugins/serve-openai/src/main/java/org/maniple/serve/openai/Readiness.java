package org.maniple.serve.openai;

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
    private final AtomicReference<@Nullable String> drainReason = new AtomicReference<>();

    Readiness(Engine engine) {
        this.engine = engine;
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
        return Stream.concat(drainReason().stream(), unit.stream()).toList();
    }

    UnitStatus status() {
        return engine.status();
    }
}
