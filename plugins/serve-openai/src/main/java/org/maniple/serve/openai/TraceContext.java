package org.maniple.serve.openai;

import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where a request stands in a trace, after the W3C recommendation <i>Trace Context</i>.
 *
 * @param traceId 32 hexadecimal digits
 * @param parentId the span of whoever sent it, 16 digits; empty if the trace begins here
 * @param sampled whether the trace is recorded
 */
record TraceContext(String traceId, Optional<String> parentId, boolean sampled) {

    private static final Pattern HEADER = Pattern
            .compile("(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?");
    private static final String VERSION_0 = "00";

    /** Of a header {@code traceparent}; a new trace if there is none, or it is malformed, which must not hurt anybody. */
    static TraceContext of(@Nullable String traceparent) {
        Matcher header = HEADER.matcher(traceparent == null ? "" : traceparent.strip());
        boolean valid = header.matches() && !isZero(header.group(2)) && !isZero(header.group(3))
                && !(header.group(1).equals(VERSION_0) && header.group(5) != null);
        return valid
                ? new TraceContext(header.group(2), Optional.of(header.group(3)),
                        (HexFormat.fromHexDigits(header.group(4)) & 1) == 1)
                : new TraceContext(random(2), Optional.empty(), true);
    }

    /** An id for a span. */
    static String newSpanId() {
        return random(1);
    }

    private static boolean isZero(String digits) {
        return digits.chars().allMatch(digit -> digit == '0');
    }

    private static String random(int longs) {
        var digits = new StringBuilder();
        for (int i = 0; i < longs; i++) {
            long bits = ThreadLocalRandom.current().nextLong();
            // All zeros would mean that there is no id.
            digits.append(HexFormat.of().toHexDigits(bits == 0 ? 1 : bits));
        }
        return digits.toString();
    }
}
