package org.maniple.kernel.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.maniple.kernel.bench.BenchPlan;
import org.maniple.kernel.bench.ModelTest;
import org.maniple.kernel.config.ConfigurationException;

/**
 * The arguments of {@code bench model}: what is measured, and the flags of the unit.
 *
 * @param plan what is measured
 * @param unit what is left: the model and the flags of {@code serve}
 */
record BenchArguments(BenchPlan plan, List<String> unit) {

    private static final int LARGEST = 9_999_999;
    private static final int MOST_STREAMS = 9999;

    static BenchArguments parse(List<String> arguments) {
        var rest = new ArrayList<>(arguments);
        List<Integer> prompts = numbers(rest, 0, "512", "-p", "--n-prompt");
        List<Integer> generated = numbers(rest, 0, "128", "-n", "--n-gen");
        List<Integer> streams = numbers(rest, 1, "1", "-b", "--batch-size");
        List<Integer> depths = numbers(rest, 0, "0", "-d", "--n-depth");
        List<Integer> repetitions = numbers(rest, 1, "3", "-r", "--repetitions");
        String output = value(rest, Set.of("-o", "--output"), "table");
        threads(rest);
        if (!Set.of("table", "json").contains(output)) {
            throw mistake("--output: [" + output + "] is neither table nor json");
        }
        if (repetitions.size() != 1 || repetitions.getFirst() > MOST_STREAMS) {
            throw mistake("--repetitions: one number up to " + MOST_STREAMS + " is needed");
        }
        if (streams.stream().anyMatch(count -> count > MOST_STREAMS)) {
            throw mistake("--batch-size: at most " + MOST_STREAMS + " sequences can be measured at once");
        }
        List<ModelTest> tests = tests(prompts, generated, depths, streams);
        if (tests.isEmpty()) {
            throw mistake("-p 0 -n 0 leaves nothing to be measured; leave one of them out");
        }
        return new BenchArguments(new BenchPlan(tests, repetitions.getFirst(), output.equals("json")), List.copyOf(rest));
    }

    private static List<ModelTest> tests(List<Integer> prompts, List<Integer> generated, List<Integer> depths,
            List<Integer> streams) {
        var tests = new ArrayList<ModelTest>();
        for (int tokens : prompts) {
            if (tokens > 0) {
                tests.add(new ModelTest(ModelTest.Kind.PROMPT, tokens, 0, 1));
            }
        }
        for (int tokens : generated) {
            for (int depth : depths) {
                for (int count : streams) {
                    if (tokens > 0) {
                        tests.add(new ModelTest(ModelTest.Kind.GENERATE, tokens, depth, count));
                    }
                }
            }
        }
        return tests;
    }

    /** llama-bench's short form of a flag that units have, too. */
    static void threads(List<String> rest) {
        int at = rest.indexOf("-t");
        if (at >= 0) {
            rest.set(at, "--threads");
        }
    }

    /** Takes a flag and its numbers out of arguments. */
    static List<Integer> numbers(List<String> rest, int least, String otherwise, String... spellings) {
        String text = value(rest, Set.of(spellings), otherwise);
        var numbers = new ArrayList<Integer>();
        for (String part : text.split(",", -1)) {
            if (!part.matches("\\d{1,7}") || Integer.parseInt(part) < least) {
                throw mistake(spellings[spellings.length - 1] + ": [" + part + "] is not a whole number from " + least + " to "
                        + LARGEST
                        + "; several are separated by commas");
            }
            numbers.add(Integer.parseInt(part));
        }
        return numbers;
    }

    /** Takes a flag and its value out of arguments. */
    static String value(List<String> rest, Set<String> spellings, String otherwise) {
        for (int at = 0; at < rest.size(); at++) {
            String argument = rest.get(at);
            int equals = argument.indexOf('=');
            if (equals > 0 && spellings.contains(argument.substring(0, equals))) {
                rest.remove(at);
                return argument.substring(equals + 1);
            }
            if (spellings.contains(argument)) {
                if (at + 1 == rest.size()) {
                    throw mistake(argument + ": the flag needs a value");
                }
                rest.remove(at);
                return rest.remove(at);
            }
        }
        return otherwise;
    }

    static ConfigurationException mistake(String line) {
        return new ConfigurationException(List.of(line));
    }
}
