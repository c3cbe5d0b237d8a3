package org.maniple.kernel.structured;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Turns the rules of a grammar into a network (Thompson's construction, over UTF-8). A repeated part that is not small becomes a rule of
 * its own, so that repetitions within repetitions add up and do not multiply.
 */
final class NetworkBuilder {

    private static final int SMALL = 4;
    private static final int MAX_REPETITIONS = 50_000;

    private final Network network = new Network();
    private final Map<Expression, Integer> shared = new HashMap<>();
    private int rule;

    private NetworkBuilder() {}

    /**
     * Builds and checks a network.
     *
     * @param grammar a grammar whose rules are all defined
     * @return a network without useless edges; its rules have the grammar's numbers, and more follow
     * @throws ConstraintException if it is too large, a rule is left-recursive, or no text satisfies the root
     */
    static Network build(Grammar grammar, int root) {
        var builder = new NetworkBuilder();
        for (int i = 0; i < grammar.rules(); i++) {
            builder.network.addRule();
        }
        for (int i = 0; i < grammar.rules(); i++) {
            builder.define(i, grammar.definition(i));
        }
        new NetworkChecks(builder.network, grammar).clean(root);
        return builder.network;
    }

    private void define(int number, Expression expression) {
        int outer = rule;
        rule = number;
        add(expression, network.start(number), network.end(number));
        rule = outer;
    }

    private int state() {
        return network.addState(rule);
    }

    private void add(Expression expression, int from, int to) {
        switch (expression) {
            case Expression.Text(String text) -> addText(text, from, to);
            case Expression.Words(List<String> words) -> addWords(words, from, to);
            case Expression.OneOf(CodePoints characters) -> new Utf8Paths(network, rule, from, to).add(characters);
            case Expression.Sequence(List<Expression> parts) -> addSequence(parts, from, to);
            case Expression.Either(List<Expression> options) -> options.forEach(option -> add(option, from, to));
            case Expression.Repeat(Expression part, int least, int most) -> addRepeat(part, least, most, from, to);
            case Expression.Call(int called) -> network.addCall(from, to, called);
        }
    }

    private void addText(String text, int from, int to) {
        int at = from;
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            int next = state();
            network.addBytes(at, next, b & 0xff, b & 0xff);
            at = next;
        }
        network.addNothing(at, to);
    }

    /** A tree of the words' beginnings. */
    private void addWords(List<String> words, int from, int to) {
        int top = state();
        network.addNothing(from, top);
        String[] sorted = words.stream().distinct().sorted().toArray(String[]::new);
        byte[] previous = {};
        int[] path = {top};
        for (String word : sorted) {
            byte[] bytes = word.getBytes(StandardCharsets.UTF_8);
            int common = Arrays.mismatch(previous, bytes);
            common = common < 0 ? bytes.length : common;
            path = Arrays.copyOf(path, bytes.length + 1);
            for (int i = common; i < bytes.length; i++) {
                path[i + 1] = state();
                network.addBytes(path[i], path[i + 1], bytes[i] & 0xff, bytes[i] & 0xff);
            }
            network.addNothing(path[bytes.length], to);
            previous = bytes;
        }
    }

    private void addSequence(List<Expression> parts, int from, int to) {
        int at = from;
        for (int i = 0; i < parts.size(); i++) {
            int next = i == parts.size() - 1 ? to : state();
            add(parts.get(i), at, next);
            at = next;
        }
        if (parts.isEmpty()) {
            network.addNothing(from, to);
        }
    }

    private void addRepeat(Expression part, int least, int most, int from, int to) {
        boolean unbounded = most == Expression.UNBOUNDED;
        int copies = unbounded ? least : most;
        if (copies > MAX_REPETITIONS) {
            throw new ConstraintException(
                    "something is to be repeated " + copies + " times; at most " + MAX_REPETITIONS + " are supported");
        }
        Expression one = copies + (unbounded ? 1 : 0) > 1 && weight(part) > SMALL ? call(part) : part;
        int at = from;
        for (int i = 0; i < copies; i++) {
            if (i >= least) {
                network.addNothing(at, to);
            }
            int next = state();
            add(one, at, next);
            at = next;
        }
        if (unbounded) {
            int loop = state();
            int back = state();
            network.addNothing(at, loop);
            add(one, loop, back);
            network.addNothing(back, loop);
            at = loop;
        }
        network.addNothing(at, to);
    }

    private Expression call(Expression part) {
        if (part instanceof Expression.Call) {
            return part;
        }
        Integer known = shared.get(part);
        if (known == null) {
            known = network.addRule();
            shared.put(part, known);
            define(known, part);
        }
        return new Expression.Call(known);
    }

    /** About how many states an expression needs, without counting on beyond what is small. */
    private static int weight(Expression expression) {
        return switch (expression) {
            case Expression.Text(String text) -> text.length();
            case Expression.Words(var words) -> words.size() + 1;
            case Expression.OneOf(CodePoints characters) ->
                characters.isEmpty() || characters.last(characters.ranges() - 1) < 0x80 ? 1 : SMALL + 1;
            case Expression.Sequence(var parts) -> weight(parts);
            case Expression.Either(var options) -> weight(options);
            case Expression.Repeat(Expression part, int least, int most) -> Math.max(least, most) > 1 ? SMALL + 1 : weight(part);
            case Expression.Call _ -> 1;
        };
    }

    private static int weight(List<Expression> expressions) {
        int sum = 0;
        for (Expression each : expressions) {
            sum += weight(each);
            if (sum > SMALL) {
                break;
            }
        }
        return sum;
    }
}
