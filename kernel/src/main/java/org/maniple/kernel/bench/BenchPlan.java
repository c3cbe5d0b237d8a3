package org.maniple.kernel.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What {@code bench model} measures, and how it tells.
 *
 * @param tests in order
 * @param repetitions of each test, after one that does not count
 * @param json whether results are printed as JSON rather than as a table
 */
public record BenchPlan(List<ModelTest> tests, int repetitions, boolean json) {

    private static final String REPETITIONS = "repetitions=";
    private static final String JSON = "json";

    /** Copies the list. */
    public BenchPlan {
        tests = List.copyOf(tests);
    }

    /**
     * Reads what {@link #text()} wrote.
     *
     * @param text names of tests, {@code repetitions=3} and {@code json}, separated by commas
     * @return the plan
     * @throws IllegalArgumentException if a part is none of these; names it
     */
    public static BenchPlan parse(String text) {
        var tests = new ArrayList<ModelTest>();
        int repetitions = 1;
        boolean json = false;
        for (String part : text.split(",", -1)) {
            if (part.equals(JSON)) {
                json = true;
            } else if (part.startsWith(REPETITIONS) && part.substring(REPETITIONS.length()).matches("[1-9]\\d{0,3}")) {
                repetitions = Integer.parseInt(part.substring(REPETITIONS.length()));
            } else {
                tests.add(ModelTest.of(part).orElseThrow(() -> new IllegalArgumentException(
                        "[" + part + "] names no test; tests are called like pp512, tg128, tg128@d256 and tg128x8")));
            }
        }
        return new BenchPlan(tests, repetitions, json);
    }

    /**
     * A text that means this plan.
     *
     * @return for example {@code pp512,tg128,repetitions=3}
     */
    public String text() {
        return tests.stream().map(ModelTest::name).collect(Collectors.joining(",")) + "," + REPETITIONS + repetitions
                + (json ? "," + JSON : "");
    }
}
