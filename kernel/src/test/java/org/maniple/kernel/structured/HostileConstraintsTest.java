package org.maniple.kernel.structured;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.engine.OutputConstraint;
import org.maniple.api.engine.OutputConstraint.Choice;
import org.maniple.api.engine.OutputConstraint.Grammar;
import org.maniple.api.engine.OutputConstraint.Regex;
import org.maniple.api.engine.OutputConstraint.Schema;

/** Constraints that are meant to cost much are refused soon; damaged ones are refused by a sentence and by nothing else. */
class HostileConstraintsTest {

    /** Measured: below 0.3 s each on one slow core. The limit of a second is for the operator; this one is for busy machines. */
    private static final Duration LIMIT = Duration.ofSeconds(20);

    private static final int MUTATIONS = Integer.getInteger("maniple.test.mutations", 1000);

    static Stream<OutputConstraint> hostile() {
        return Stream.of(
                new Regex("((((a{1,100}){1,100}){1,100}){1,100}){1,100}"),
                new Regex("(".repeat(5000) + "a" + ")".repeat(5000)),
                new Regex("(?:a{0,999}){0,999}b"),
                new Regex("a{1000000}"),
                new Regex("[".repeat(100_000)),
                new Regex("x".repeat(2 << 20)),
                new Schema("[".repeat(500_000), false),
                new Schema(nested("{\"type\":\"array\",\"items\":", "{}", 100), false),
                new Schema(nested("{\"anyOf\":[{\"type\":\"null\"},", "{\"type\":\"null\"}", 70).replace("}}", "}]}"), false),
                new Schema("{\"enum\":[" + IntStream.range(0, 100_000).mapToObj(i -> "\"value " + i + "\"")
                        .collect(Collectors.joining(",")) + "]}", false),
                new Schema("{\"enum\":[" + IntStream.range(0, 9000).mapToObj(i -> "\"" + "x".repeat(100) + "%05d".formatted(i)
                        + "y".repeat(100) + "\"").collect(Collectors.joining(",")) + "]}", false),
                new Schema("{\"type\":\"string\",\"maxLength\":2000000000}", false),
                new Schema(doubling(40), false),
                new Schema("{\"type\":\"integer\",\"maximum\":1e999999999}", false),
                new Schema("{\"type\":\"object\",\"properties\":{" + IntStream.range(0, 30_000).mapToObj(i -> "\"p" + i + "\":{}")
                        .collect(Collectors.joining(",")) + "}}", false),
                new Choice(IntStream.range(0, 300_000).mapToObj(i -> "choice number " + i).toList()),
                new Grammar("root ::= " + "(".repeat(100_000)),
                new Grammar("root ::= r0\n" + IntStream.range(0, 30_000).mapToObj(i -> "r" + i + " ::= \"a\" | r" + (i + 1))
                        .collect(Collectors.joining("\n"))),
                new Grammar("root ::= root root | \"\""),
                new Grammar("root ::= \"a\"" + "{9}".repeat(1000)),
                new Grammar("start: /((((a{1,100}){1,100}){1,100}){1,100}){1,100}/"));
    }

    private static String nested(String open, String core, int depth) {
        return open.repeat(depth) + core + "}".repeat(depth);
    }

    /** Each definition uses the next one twice, and asks for so much beside the reference that nothing can be shared. */
    private static String doubling(int depth) {
        var schema = new StringBuilder("{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
        for (int i = 0; i < depth; i++) {
            String next = "{\"$ref\":\"#/$defs/d" + (i + 1) + "\",\"maxItems\":2}";
            schema.append("\"d").append(i).append("\":{\"type\":\"array\",\"prefixItems\":[").append(next).append(',').append(next)
                    .append("]},");
        }
        return schema.append("\"d").append(depth).append("\":{\"type\":\"array\"}}}").toString();
    }

    @ParameterizedTest
    @MethodSource("hostile")
    void areRefusedSoon(OutputConstraint constraint) {
        long start = System.nanoTime();
        assertThatThrownBy(() -> Constraints.automaton(constraint)).isInstanceOf(ConstraintException.class);
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(LIMIT);
    }

    static Stream<OutputConstraint> ambiguous() {
        return Stream.of(
                new Regex("(x+x+)+y"), new Regex("(a|a)*(a|a)*(a|a)*b"), new Regex("(a?){500}a{500}"), new Regex("(.*,){30}x"),
                new Grammar("root ::= s\ns ::= \"a\" s s | \"x\" s s | \"a\" | \"x\""),
                new Grammar("root ::= s \"y\"\ns ::= \"a\" s | \"a\" s s s | \"x\" s s | \"x\" | \"a\""));
    }

    /** What backtracking takes exponential time for takes a bounded one here. */
    @ParameterizedTest
    @MethodSource("ambiguous")
    void areFollowedOrGivenUpInBoundedTimeHoweverManyReadingsThereAre(OutputConstraint constraint) {
        ListCodec codec = ListCodec.piecesOf("aaaaaaaaaaaaxxxxxxxxxxxaaaaaaaaxxxaaaa,a,x,y", 300, 1);
        CompiledConstraint compiled = new ConstraintCompiler(codec, codec.vocabularySize()).compiled(constraint);
        var random = new Random(3);
        long start = System.nanoTime();
        Position position = compiled.begin();
        for (int step = 0; step < 40; step++) {
            int[] allowed;
            try {
                allowed = allowed(compiled, position, codec);
            } catch (ConstraintException givenUp) {
                assertThat(givenUp).hasMessageContaining("too ambiguous");
                break;
            }
            if (allowed.length == 0) {
                assertThat(position.accepting).isTrue();
                break;
            }
            position = compiled.after(position, allowed[random.nextInt(allowed.length)]);
        }
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(LIMIT);
    }

    private static int[] allowed(CompiledConstraint compiled, Position position, ListCodec codec) {
        long[] mask = compiled.mask(position);
        return IntStream.range(0, codec.vocabularySize()).filter(token -> (mask[token >>> 6] & 1L << token) != 0).toArray();
    }

    @Test
    void damagedOnesAreCompiledOrRefusedButNothingElse() {
        List<OutputConstraint> seeds = new ArrayList<>(WalkedSchemas.ALL.stream().map(schema -> (OutputConstraint) new Schema(schema, false)).toList());
        seeds.add(new Regex("^(?:[a-z0-9_.-]+)@(\\w+\\.){1,3}\\p{Ll}{2,4}$|[^\\u00fc]?.*"));
        seeds.add(new Grammar("root ::= a (\",\" a)* # x\na ::= [a-z\\u00fc]+ | \"\\x41\"{2,3} | (\"b\" | .)? \n"));
        seeds.add(new Grammar("start: a (\",\" a)* // x\na: /[a-z]+/ | \"z\"i | \"a\"..\"c\" [B]\nB.2: \"b\"\n"));
        var random = new Random(23);
        int refused = 0;
        for (int round = 0; round < MUTATIONS; round++) {
            OutputConstraint mutant = mutated(seeds.get(random.nextInt(seeds.size())), random);
            try {
                assertThat(Constraints.automaton(mutant)).isNotNull();
            } catch (ConstraintException expected) {
                refused++;
            } catch (RuntimeException | StackOverflowError | OutOfMemoryError other) {
                throw new AssertionError("round " + round + ": " + mutant, other);
            }
        }
        assertThat(refused).isBetween(MUTATIONS / 20, MUTATIONS - 1);
    }

    private static OutputConstraint mutated(OutputConstraint constraint, Random random) {
        return switch (constraint) {
            case Schema(String schema, boolean compact) -> new Schema(mutated(schema, random), compact);
            case Regex(String pattern) -> new Regex(mutated(pattern, random));
            case Grammar(String grammar) -> new Grammar(mutated(grammar, random));
            case OutputConstraint other -> other;
        };
    }

    private static String mutated(String text, Random random) {
        var mutant = new StringBuilder(text);
        for (int change = random.nextInt(3); change >= 0 && mutant.length() > 1; change--) {
            int at = random.nextInt(mutant.length());
            int other = random.nextInt(mutant.length());
            switch (random.nextInt(5)) {
                case 0 -> mutant.deleteCharAt(at);
                case 1 -> mutant.insert(at, mutant.charAt(other));
                case 2 -> mutant.setCharAt(at, mutant.charAt(other));
                case 3 -> mutant.insert(at, mutant.substring(Math.min(at, other), Math.min(mutant.length(), Math.max(at, other))));
                default -> mutant.setCharAt(at, (char) random.nextInt(random.nextBoolean() ? 128 : 65_536));
            }
        }
        return mutant.toString();
    }
}
