package org.maniple.kernel.remote;

import java.util.List;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.RefusedException.Reason;
import org.maniple.api.engine.TokenLogprob;
import org.maniple.api.engine.UnitStatus;

/** What the two ends tell each other. A ticket is the number of a request on the rank that has taken it from a client. */
sealed interface RemoteFrame {

    /** To rank 0: a request. Its home is left out, since it follows from the rank that sends it. */
    record Submit(long ticket, GenerationRequest request) implements RemoteFrame {}

    /** To rank 0: nobody waits for the request any more. */
    record Cancel(long ticket) implements RemoteFrame {}

    /** To rank 0: what later requests could use of earlier ones is to be forgotten. */
    record ResetPrefixCache() implements RemoteFrame {}

    /** From rank 0: the request is taken. */
    record Accepted(long ticket) implements RemoteFrame {}

    /** From rank 0: the request is not taken. */
    record Refused(long ticket, Reason reason, String message) implements RemoteFrame {}

    /** From rank 0: a part of the log-probabilities of a prompt, which may be longer than a frame. */
    record PromptPart(long ticket, boolean last, List<TokenLogprob> part) implements RemoteFrame {
        /** Copies the list. */
        public PromptPart {
            part = List.copyOf(part);
        }
    }

    /** From rank 0: any other event. */
    record Event(long ticket, GenerationEvent event) implements RemoteFrame {}

    /** From rank 0, from time to time: how the unit is. */
    record Status(UnitStatus status) implements RemoteFrame {}
}
