package org.maniple.api.engine;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.maniple.api.text.TextCodec;

/** The running unit. Safe for use by several threads. */
public interface Engine {

    /**
     * The model that it serves.
     *
     * @return the same at all times
     */
    ModelInfo model();

    /**
     * The model's tokenizer.
     *
     * @return the codec, or empty if the unit was started with {@code skip-tokenizer-init}
     */
    Optional<TextCodec> text();

    /**
     * Starts a request.
     *
     * @param request what to do
     * @param listener called for each event in order, on a thread of the engine that it must not block
     * @return the running request
     * @throws RefusedException if the request is not taken; then there are no events
     */
    Generation submit(GenerationRequest request, Consumer<GenerationEvent> listener);

    /**
     * Has an observer told what happens to requests from now on.
     *
     * @param observer stays until the engine ends
     * @return whether it will be told; not by an engine that is another rank's seen from afar
     */
    default boolean observe(EngineObserver observer) {
        return false;
    }

    /**
     * The group of ranks that this engine takes requests for.
     *
     * @return empty if it takes them for all groups of the unit
     */
    default OptionalInt home() {
        return OptionalInt.empty();
    }

    /**
     * How many tokens of an output it guesses in a step, at most ({@code speculative-config}).
     *
     * @return 0 if it guesses nothing
     */
    default int speculativeTokens() {
        return 0;
    }

    /**
     * How the unit is.
     *
     * @return a snapshot
     */
    UnitStatus status();

    /**
     * How long the step that runs has taken so far: what tells a unit that computes from one whose ranks live and do nothing more.
     *
     * @return the time; empty if there is nothing to do, or this is not the engine that knows
     */
    default Optional<Duration> stepAge() {
        return Optional.empty();
    }

    /**
     * Where the routed experts are.
     *
     * @return a snapshot, without layers if no experts are spread over ranks; empty if this is not the engine that knows
     */
    default Optional<ExpertStatus> experts() {
        return Optional.empty();
    }

    /**
     * What its scheduler has done.
     *
     * @return a snapshot; {@link EngineStatistics#NONE} if this is not the engine that knows
     */
    default EngineStatistics statistics() {
        return EngineStatistics.NONE;
    }

    /**
     * Forgets what later requests could use of earlier ones ({@code enable-prefix-caching}). Requests that are submitted after this do not; those
     * that run keep what they have.
     */
    default void resetPrefixCache() {}

    /**
     * The version of the engine.
     *
     * @return for example {@code 0.1.0}
     */
    String version();
}
