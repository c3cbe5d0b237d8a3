package org.maniple.tokenizer.hf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.function.Supplier;
import tools.jackson.databind.JsonNode;

/** What the chat template goldens have in common. */
final class TemplateGoldens {
    private static final String SYNTAX = "syntax:";

    private TemplateGoldens() {}

    static Clock clock(JsonNode goldens) {
        return Clock.fixed(LocalDateTime.parse(goldens.get("now").stringValue()).toInstant(ZoneOffset.UTC), ZoneOffset.UTC);
    }

    /** The rendering is the expected text, or fails as expected: with the message of raise_exception where there is one. */
    static void compare(JsonNode golden, Supplier<String> rendering) {
        if (golden.has("expected")) {
            assertEquals(golden.get("expected").stringValue(), rendering.get());
            return;
        }
        var error = assertThrows(TemplateException.class, rendering::get);
        var expected = golden.get("error").stringValue();
        if (expected.startsWith(SYNTAX)) {
            assertEquals(TemplateException.Kind.SYNTAX, error.kind(), error::getMessage);
            assertEquals(expected.substring(SYNTAX.length()).strip(), error.reason());
        } else if (!expected.isEmpty()) {
            assertEquals(TemplateException.Kind.RAISED, error.kind(), error::getMessage);
            assertEquals(expected, error.reason());
        }
    }
}
