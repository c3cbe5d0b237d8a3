package org.maniple.moe.ep;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What vLLM's {@code --eplb-config} says.
 *
 * @param windowSize steps over which loads are counted
 * @param stepInterval steps from one rebalancing to the next
 * @param redundantExperts slots in addition to one for each expert
 * @param logBalancedness whether to show the balancedness
 */
record EplbConfig(OptionalInt windowSize, OptionalInt stepInterval, OptionalInt redundantExperts,
        Optional<Boolean> logBalancedness) {

    private static final int LONGEST = 1 << 16;
    private static final String WINDOW = "window_size";
    private static final String INTERVAL = "step_interval";
    private static final String REDUNDANT = "num_redundant_experts";
    private static final String LOG = "log_balancedness";
    private static final String ASYNC = "use_async";
    private static final List<String> KNOWN = List.of(WINDOW, INTERVAL, REDUNDANT, LOG, ASYNC);

    static EplbConfig none() {
        return new EplbConfig(OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), Optional.empty());
    }

    /** Throws {@link IllegalArgumentException} with what is wrong. */
    static EplbConfig parse(String json) {
        JsonNode root = tree(json);
        for (String name : root.propertyNames()) {
            if (!KNOWN.contains(name)) {
                throw new IllegalArgumentException("knows no [" + name + "]; known: " + KNOWN);
            }
        }
        if (!truth(root, ASYNC).orElse(true)) {
            throw new IllegalArgumentException(
                    "[" + ASYNC + "] is false, but weights always move in the background here; remove it");
        }
        return new EplbConfig(number(root, WINDOW, 1), number(root, INTERVAL, 1), number(root, REDUNDANT, 0), truth(root, LOG));
    }

    private static JsonNode tree(String json) {
        JsonNode root;
        if (json.length() > LONGEST) {
            throw new IllegalArgumentException("has " + json.length() + " characters, more than " + LONGEST);
        }
        try {
            root = new JsonMapper().readTree(json);
        } catch (JacksonException e) {
            throw new IllegalArgumentException("is no JSON: " + e.getOriginalMessage() + example(), e);
        }
        if (!root.isObject()) {
            throw new IllegalArgumentException("[" + json + "] is no JSON object" + example());
        }
        return root;
    }

    private static OptionalInt number(JsonNode root, String name, int minimum) {
        JsonNode value = root.path(name);
        if (value.isMissingNode()) {
            return OptionalInt.empty();
        }
        if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < minimum) {
            throw new IllegalArgumentException("[" + name + "] is [" + value + "]; it must be a whole number from " + minimum);
        }
        return OptionalInt.of(value.intValue());
    }

    private static Optional<Boolean> truth(JsonNode root, String name) {
        JsonNode value = root.path(name);
        if (value.isMissingNode()) {
            return Optional.empty();
        }
        if (!value.isBoolean()) {
            throw new IllegalArgumentException("[" + name + "] is [" + value + "]; it must be true or false");
        }
        return Optional.of(value.booleanValue());
    }

    private static String example() {
        return "; for example {\"" + WINDOW + "\": 1000, \"" + INTERVAL + "\": 3000}";
    }
}
