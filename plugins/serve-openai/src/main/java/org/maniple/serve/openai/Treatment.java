package org.maniple.serve.openai;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * How a request is to be treated beside others.
 *
 * @param group the data-parallel group that must compute it
 * @param priority lower ones first, if the engine cares
 * @param cacheSalt what requests must have in common to share what is computed of their prompts
 */
record Treatment(OptionalInt group, int priority, Optional<String> cacheSalt) {

    private static final String SALT = "cache_salt";
    private static final int LONGEST_SALT = 128;

    static Treatment read(Exchange exchange, Fields fields) {
        Optional<String> salt = fields.text(SALT);
        if (salt.isPresent() && (salt.get().isEmpty() || salt.get().length() > LONGEST_SALT)) {
            throw fields.problem(SALT, "must have 1 to " + LONGEST_SALT + " characters, got " + salt.get().length());
        }
        return new Treatment(PinnedGroup.read(exchange, fields),
                fields.integer("priority", Integer.MIN_VALUE, Integer.MAX_VALUE).orElse(0), salt);
    }
}
