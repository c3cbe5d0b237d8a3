package org.maniple.kernel.structured;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.engine.OutputConstraint;

/** Whoever chooses at random among the tokens that are allowed until the output may end has written what the schema demands. */
class RandomWalkTest {

    private static final int WALKS = Integer.getInteger("maniple.test.walks", 60);
    private static final int LONGEST = 3000;
    private static final String TEXT = "{\"name\": \"Grüße 世界🌍\", \"tags\": [\"a\", \"bc\"], \"type\": \"circle\", \"r\": 1.25, \"x\": null}\n"
            + "true false 2026-11-28T10:00:00Z \\n\\u00e4 1234567890 größe children value -17.5e3 \"}, {\" ]}";

    static List<String> schemas() {
        return WalkedSchemas.ALL;
    }

    @ParameterizedTest
    @MethodSource("schemas")
    void alwaysWritesWhatTheSchemaDemands(String schema) {
        Schema validator = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                .getSchema(schema, InputFormat.JSON);
        ListCodec codec = ListCodec.piecesOf(TEXT, 600, 9);
        var compiler = new ConstraintCompiler(codec, codec.vocabularySize());
        Set<String> different = new HashSet<>();
        for (int seed = 0; seed < WALKS; seed++) {
            CompiledConstraint compiled = compiler.compiled(new OutputConstraint.Schema(schema, seed % 4 == 0));
            String written = walk(compiled, codec, new Random(seed));
            List<Error> errors = validator.validate(written, InputFormat.JSON,
                    context -> context.executionConfig(config -> config.formatAssertionsEnabled(true)));
            assertThat(errors).as("seed %d: %s", seed, written).isEmpty();
            different.add(written);
        }
        assertThat(different).hasSizeGreaterThan(WALKS / 2);
    }

    /** Ends where it may, with some likelihood; prefers tokens that end something the longer it takes, as it would never end otherwise. */
    private static String walk(CompiledConstraint compiled, ListCodec codec, Random random) {
        var written = new ByteArrayOutputStream();
        Position position = compiled.begin();
        for (int step = 0; step < LONGEST; step++) {
            long[] mask = compiled.mask(position);
            int[] allowed = IntStream.range(0, codec.vocabularySize()).filter(id -> (mask[id >>> 6] & 1L << id) != 0).toArray();
            if (position.accepting && (allowed.length == 0 || random.nextInt(4) == 0)) {
                return written.toString(StandardCharsets.UTF_8);
            }
            assertThat(allowed).as("after %s", written).isNotEmpty();
            int token = allowed[random.nextInt(allowed.length)];
            int[] closing = IntStream.of(allowed).filter(id -> id == '"' || id == ']' || id == '}' || id == ',').toArray();
            if (closing.length > 0 && random.nextInt(40 + LONGEST) < 200 + step * 10) {
                token = closing[random.nextInt(closing.length)];
            }
            written.writeBytes(codec.bytes(token));
            position = compiled.after(position, token);
        }
        throw new AssertionError("no end after " + LONGEST + " tokens: " + written);
    }
}
