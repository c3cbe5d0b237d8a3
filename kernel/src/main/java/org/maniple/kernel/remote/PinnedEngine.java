package org.maniple.kernel.remote;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.maniple.api.engine.Engine;
import org.maniple.api.engine.EngineObserver;
import org.maniple.api.engine.EngineStatistics;
import org.maniple.api.engine.ExpertStatus;
import org.maniple.api.engine.Generation;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.ModelInfo;
import org.maniple.api.engine.RefusedException;
import org.maniple.api.engine.RefusedException.Reason;
import org.maniple.api.engine.UnitStatus;
import org.maniple.api.text.TextCodec;

/**
 * An engine all of whose requests are for one group of ranks.
 *
 * @param engine has all groups
 * @param group the group
 */
public record PinnedEngine(Engine engine, int group) implements Engine {

    @Override
    public ModelInfo model() {
        return engine.model();
    }

    @Override
    public Optional<TextCodec> text() {
        return engine.text();
    }

    @Override
    public Generation submit(GenerationRequest request, Consumer<GenerationEvent> listener) {
        checkHome(request, group);
        return engine.submit(request.at(group), listener);
    }

    /** Refuses a request that is meant for another group than the one that is served here. */
    static void checkHome(GenerationRequest request, int home) {
        if (request.home().isPresent() && request.home().getAsInt() != home) {
            throw new RefusedException(Reason.INVALID, "data_parallel_rank " + request.home().getAsInt()
                    + " is not served here: every group of ranks of this unit serves itself, and this is group " + home);
        }
    }

    @Override
    public OptionalInt home() {
        return OptionalInt.of(group);
    }

    /** Of all groups: this is the only engine that knows. */
    @Override
    public boolean observe(EngineObserver observer) {
        return engine.observe(observer);
    }

    @Override
    public int speculativeTokens() {
        return engine.speculativeTokens();
    }

    @Override
    public UnitStatus status() {
        return engine.status();
    }

    @Override
    public Optional<Duration> stepAge() {
        return engine.stepAge();
    }

    @Override
    public Optional<ExpertStatus> experts() {
        return engine.experts();
    }

    @Override
    public EngineStatistics statistics() {
        return engine.statistics();
    }

    @Override
    public void resetPrefixCache() {
        engine.resetPrefixCache();
    }

    @Override
    public String version() {
        return engine.version();
    }
}
