package org.maniple.api.engine;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.maniple.api.engine.GenerationEvent.FinishReason;

/**
 * A request after its end. Of a request that has not come so far the later times are missing.
 *
 * @param id its id
 * @param home the group of ranks that it was for; 0 if it never got one
 * @param reason why it ended; empty if it failed
 * @param promptTokens the length of its prompt
 * @param outputTokens tokens that were delivered
 * @param maxTokens how many it had asked for at most
 * @param totalNanos from its coming to its end
 * @param queueNanos from its coming to its first step
 * @param prefillNanos from its first step to its first token
 * @param decodeNanos from its first token to its last one
 */
public record EndedRequest(
        String id,
        int home,
        Optional<FinishReason> reason,
        int promptTokens,
        int outputTokens,
        OptionalInt maxTokens,
        long totalNanos,
        OptionalLong queueNanos,
        OptionalLong prefillNanos,
        OptionalLong decodeNanos) {}
