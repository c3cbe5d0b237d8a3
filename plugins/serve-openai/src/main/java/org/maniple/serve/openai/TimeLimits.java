package org.maniple.serve.openai;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import org.maniple.api.config.Settings;

/**
 * How long a request may take.
 *
 * @param whole from its beginning to its end; empty: as long as it takes
 * @param firstToken from its beginning to its first token; empty: as long as it takes
 */
record TimeLimits(Optional<Duration> whole, Optional<Duration> firstToken) {

    private static final double SHORTEST = 0.001;
    private static final double LONGEST = 86_400;

    static TimeLimits of(Settings settings) {
        return new TimeLimits(limit(settings, OpenAiOptions.REQUEST_TIMEOUT), limit(settings, OpenAiOptions.FIRST_TOKEN_TIMEOUT));
    }

    private static Optional<Duration> limit(Settings settings, String option) {
        return settings.has(option) ? Optional.of(settings.duration(option)).filter(Duration::isPositive) : Optional.empty();
    }

    /** The same for a request, whose field {@code timeout} (seconds) may ask for less. */
    TimeLimits of(Fields fields) {
        OptionalDouble asked = fields.number("timeout", SHORTEST, LONGEST);
        Optional<Duration> own = asked.isPresent()
                ? Optional.of(Duration.ofMillis(Math.max(1, Math.round(asked.getAsDouble() * 1000))))
                : Optional.empty();
        return new TimeLimits(Stream.concat(whole.stream(), own.stream()).min(Duration::compareTo), firstToken);
    }
}
