package org.maniple.kernel.engine;

import java.util.Optional;
import org.maniple.api.engine.GenerationEvent.FinishReason;
import org.maniple.api.engine.GenerationEvent.Stop;

/** How the engine's thread, or a failure of the unit, ends a request. */
sealed interface Ending {

    /**
     * An ordinary end.
     *
     * @param reason why
     * @param stop the stop token, if one ended it
     * @param tokens tokens generated, the last one included
     */
    record Finish(FinishReason reason, Optional<Stop> stop, int tokens) implements Ending {}

    /**
     * A failure.
     *
     * @param message for the client
     */
    record Failure(String message) implements Ending {}
}
