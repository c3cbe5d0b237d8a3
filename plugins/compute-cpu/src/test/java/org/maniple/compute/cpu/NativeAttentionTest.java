package org.maniple.compute.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;

/** Native attention gives the bits of the Vector API, with the instructions of every variant that this processor has. */
class NativeAttentionTest {

    private static final int BLOCKS = 160;

    private static NativeLibrary library() {
        return switch (NativeLibrary.load()) {
            case NativeLibrary.Loaded loaded -> loaded.library();
            case NativeLibrary.Missing missing -> abort("skipped: " + missing.reason());
        };
    }

    /** Every variant has them that this processor can run and that is meant for them. */
    private static Optional<NativeFunctions> functions(String variant) {
        return Optional.of(NativeFunctions.of(library(), variant).orElseThrow());
    }

    private static List<String> variants() {
        return library().variants().stream().filter(variant -> NativeFunctions.of(library(), variant).isPresent()).toList();
    }

    private static CpuSession session(int threads, Optional<NativeFunctions> functions) {
        return new CpuSession(new Workers(threads, 2), LatentForm.ABSORBED, new VectorProducts(), new Precision(true, false),
                Optional.empty(),
                functions);
    }

    /** Decodes of several lengths, prompts that begin anywhere, ends of blocks and chunks. */
    private static BatchStep step() {
        return new BatchStep(BLOCKS).span(0, 37).span(250, 11).span(254, 1).span(1100, 3).span(511, 1);
    }

    /** Enough sequences with a row each for a thread to take all heads of a row. */
    private static BatchStep decodes() {
        return new BatchStep(BLOCKS).span(0, 1).span(37, 1).span(250, 1).span(255, 1).span(511, 1).span(700, 1).span(20, 1);
    }

    @ParameterizedTest
    @CsvSource({"1,1,8,8,0", "6,3,64,64,0", "9,3,64,64,0", "9,3,20,12,0", "5,1,33,70,0", "4,2,128,128,7", "8,2,128,96,300",
        "16,1,64,80,40", "70,1,16,16,0"})
    void computesTheBitsOfTheVectorApi(int heads, int kvHeads, int keyLength, int valueLength, int window) {
        computesTheBitsOfTheVectorApi(step(), heads, kvHeads, keyLength, valueLength, window);
        computesTheBitsOfTheVectorApi(decodes(), heads, kvHeads, keyLength, valueLength, window);
    }

    private static void computesTheBitsOfTheVectorApi(BatchStep step, int heads, int kvHeads, int keyLength, int valueLength,
            int window) {
        Tensor queries = Tensors.random(1, step.tokens(), heads, keyLength);
        Tensor keys = Tensors.random(2, BLOCKS * 16, kvHeads, keyLength);
        Tensor values = Tensors.random(3, BLOCKS * 16, kvHeads, valueLength);
        Tensor sinks = Tensors.random(4, DType.F32, 0, heads);
        var op = new BuiltinOp.Attend(1 / Math.sqrt(keyLength), window);
        for (Optional<Tensor> sink : List.of(Optional.<Tensor>empty(), Optional.of(sinks))) {
            float[] expected = attend(1, Optional.empty(), op, step, queries, keys, values, sink, heads, kvHeads);
            for (String variant : variants()) {
                for (int threads = 1; threads <= 3; threads++) {
                    assertThat(attend(threads, functions(variant), op, step, queries, keys, values, sink, heads,
                            kvHeads)).as("%s, %d threads", variant, threads).isEqualTo(expected);
                }
            }
        }
    }

    private static float[] attend(int threads, Optional<NativeFunctions> functions, BuiltinOp.Attend op, BatchStep step,
            Tensor queries, Tensor keys, Tensor values, Optional<Tensor> sinks, int heads, int kvHeads) {
        Tensor out = Tensors.zeros(step.tokens(), heads, values.extent(2));
        try (var session = session(threads, functions)) {
            Calls.compile(session, Calls.attend(op, queries, keys, values, sinks, out, heads, kvHeads, UnitList.range(0, heads),
                    UnitList.range(0, kvHeads))).run(step);
        }
        return Tensors.all(out);
    }

    @ParameterizedTest
    @CsvSource({"3,16,8,32,16", "11,9,4,37,5", "2,20,8,64,24", "16,32,16,128,32"})
    void computesTheBitsOfTheVectorApiOfLatents(int heads, int plain, int turned, int latent, int value) {
        BatchStep step = step();
        int rows = step.tokens();
        Tensor queries = Tensors.random(1, rows, heads, plain);
        Tensor turnedQueries = Tensors.random(2, rows, heads, turned);
        Tensor latents = Tensors.random(3, BLOCKS * 16, latent);
        Tensor turnedKeys = Tensors.random(4, BLOCKS * 16, turned);
        Tensor keyMap = Tensors.random(5, heads, plain, latent);
        Tensor valueMap = Tensors.random(6, heads, value, latent);
        var found = new java.util.ArrayList<>(List.of(Optional.<NativeFunctions>empty()));
        variants().forEach(variant -> found.add(functions(variant)));
        float[] expected = {};
        for (int i = 0; i < found.size(); i++) {
            Tensor out = Tensors.zeros(rows, heads, value);
            try (var session = session(2, found.get(i))) {
                Calls.compile(session,
                        Calls.attendLatent(0.15, queries, turnedQueries, latents, turnedKeys, keyMap, valueMap, out)).run(step);
            }
            if (i == 0) {
                expected = Tensors.all(out);
            } else {
                assertThat(Tensors.all(out)).as(variants().get(i - 1)).isEqualTo(expected);
            }
        }
    }

    /** One long sequence among short ones is cut into chunks for all threads; alone on one thread it is not. */
    @Test
    void givesALongSequenceTheSameBitsCutOrWhole() {
        BatchStep step = new BatchStep(BLOCKS).span(2000, 1).span(9, 1).span(20, 1);
        Tensor queries = Tensors.random(1, 3, 6, 64);
        Tensor keys = Tensors.random(2, BLOCKS * 16, 2, 64);
        Tensor values = Tensors.random(3, BLOCKS * 16, 2, 64);
        var op = new BuiltinOp.Attend(0.1, 0);
        var tiles = new AttendTiles(2, 16, 0, 4, 3, 100);
        tiles.cut(step, 3, Long.MAX_VALUE);
        assertThat(IntStream.range(0, 3).mapToObj(tiles::cut)).containsExactly(true, false, false);
        float[] whole = attend(1, Optional.empty(), op, step, queries, keys, values, Optional.empty(), 6, 2);
        assertThat(attend(4, Optional.empty(), op, step, queries, keys, values, Optional.empty(), 6, 2)).isEqualTo(whole);
        for (String variant : variants()) {
            assertThat(attend(4, functions(variant), op, step, queries, keys, values, Optional.empty(), 6, 2))
                    .as(variant).isEqualTo(whole);
        }
    }

    @Test
    void isUsedOnceItAgreesWithTheVectorApi() {
        assertThat(variants()).isNotEmpty();
        assertThat(NativeFunctions.best(NativeLibrary.load(), Isa.AUTO, CheckMemory.none(),
                line -> assertThat(line).isEmpty())).isPresent();
    }
}
