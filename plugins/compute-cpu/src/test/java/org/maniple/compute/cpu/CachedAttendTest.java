package org.maniple.compute.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;

/**
 * Attention with states that are not of floats computes the bits of attention with floats that have been rounded in the same way: through the Vector API and with the
 * instructions of every variant that this processor has. With tiles it is as near as their 16 bits of queries and weights are.
 */
class CachedAttendTest {

    private static final int BLOCKS = 160;
    private static final double SCALE = 0.15;

    /** Heads that share a key-value head or do not, odd lengths, windows. */
    private record Shape(int heads, int kvHeads, int keyLength, int valueLength, int window) {}

    private static final Shape[] SHAPES = {new Shape(1, 1, 8, 8, 0), new Shape(9, 3, 64, 64, 0), new Shape(5, 1, 33, 70, 0),
        new Shape(8, 2, 128, 96, 300), new Shape(16, 1, 64, 80, 40), new Shape(70, 1, 16, 16, 0)};

    static Stream<Arguments> formsAndShapes() {
        return Stream.of(CacheForm.BF16, CacheForm.INT8)
                .flatMap(form -> Arrays.stream(SHAPES).map(shape -> Arguments.of(form, shape)));
    }

    /** What computes: nothing but the Vector API, and what each variant has. */
    private static List<Optional<NativeFunctions>> paths() {
        var paths = new ArrayList<Optional<NativeFunctions>>(List.of(Optional.empty()));
        if (NativeLibrary.load() instanceof NativeLibrary.Loaded loaded) {
            loaded.library().variants().forEach(variant -> NativeFunctions.of(loaded.library(), variant)
                    .ifPresent(functions -> paths.add(Optional.of(functions))));
        }
        return paths;
    }

    private static NativeFunctions tiles() {
        return switch (NativeLibrary.load()) {
            case NativeLibrary.Missing missing -> abort("skipped: " + missing.reason());
            case NativeLibrary.Loaded loaded when loaded.library().variants().contains("amx") -> {
                var functions = NativeFunctions.of(loaded.library(), "avx512vnni").orElseThrow();
                yield functions.with(NativeAttention.tiles(loaded.library(), "avx512vnni"));
            }
            case NativeLibrary.Loaded loaded -> abort("skipped: CPU lacks amx (has " + loaded.library().variants() + ")");
        };
    }

    private static CpuSession session(int threads, LatentForm form, Optional<NativeFunctions> functions) {
        return new CpuSession(new Workers(threads, 2), form, new VectorProducts(), new Precision(true, false), Optional.empty(),
                functions);
    }

    /** Decodes of several lengths, prompts that begin anywhere, ends of blocks and chunks. */
    private static BatchStep prompts() {
        return new BatchStep(BLOCKS).span(0, 37).span(250, 11).span(254, 1).span(1100, 3).span(511, 1);
    }

    /** Enough sequences with a row each for a thread to take all heads of a row. */
    private static BatchStep decodes() {
        return new BatchStep(BLOCKS).span(0, 1).span(37, 1).span(250, 1).span(255, 1).span(511, 1).span(700, 1).span(20, 1);
    }

    private static float[] attend(int threads, Optional<NativeFunctions> functions, Shape shape, BatchStep step, Tensor keys,
            Tensor values, boolean sinks) {
        Tensor queries = Tensors.random(1, step.tokens(), shape.heads, shape.keyLength);
        return attend(threads, functions, shape, step, queries, keys, values, sinks);
    }

    private static float[] attend(int threads, Optional<NativeFunctions> functions, Shape shape, BatchStep step, Tensor queries,
            Tensor keys, Tensor values, boolean sinks) {
        Tensor out = Tensors.zeros(step.tokens(), shape.heads, shape.valueLength);
        Optional<Tensor> sink = sinks ? Optional.of(Tensors.random(4, DType.F32, 0, shape.heads)) : Optional.empty();
        var op = new BuiltinOp.Attend(1 / Math.sqrt(shape.keyLength), shape.window);
        try (var session = session(threads, LatentForm.ABSORBED, functions)) {
            Calls.compile(session, Calls.attend(op, queries, keys, values, sink, out, shape.heads, shape.kvHeads,
                    UnitList.range(0, shape.heads), UnitList.range(0, shape.kvHeads))).run(step);
        }
        return Tensors.all(out);
    }

    private static Tensor keys(CacheForm form, Shape shape) {
        return States.random(form, 2, BLOCKS * 16, shape.kvHeads, shape.keyLength);
    }

    private static Tensor values(CacheForm form, Shape shape) {
        return States.random(form, 3, BLOCKS * 16, shape.kvHeads, shape.valueLength);
    }

    private static float[] expected(Shape shape, BatchStep step, Tensor keys, Tensor values, boolean sinks) {
        return attend(1, Optional.empty(), shape, step, States.floats(keys, BLOCKS * 16, shape.kvHeads, shape.keyLength),
                States.floats(values, BLOCKS * 16, shape.kvHeads, shape.valueLength), sinks);
    }

    @ParameterizedTest
    @MethodSource("formsAndShapes")
    void computesTheBitsOfFloatsThatWereRounded(CacheForm form, Shape shape) {
        Tensor keys = keys(form, shape);
        Tensor values = values(form, shape);
        for (BatchStep step : List.of(prompts(), decodes())) {
            float[] expected = expected(shape, step, keys, values, true);
            for (Optional<NativeFunctions> path : paths()) {
                for (int threads = 1; threads <= 2; threads++) {
                    assertThat(attend(threads, path, shape, step, keys, values, true))
                            .as("%s, %d threads", path.map(NativeFunctions::variant), threads).isEqualTo(expected);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("formsAndShapes")
    void isAsNearWithTilesAsSixteenBitsAre(CacheForm form, Shape shape) {
        NativeFunctions tiles = tiles();
        Tensor keys = keys(form, shape);
        Tensor values = values(form, shape);
        for (BatchStep step : List.of(prompts(), decodes())) {
            float[] expected = expected(shape, step, keys, values, true);
            float[] found = attend(2, Optional.of(tiles), shape, step, keys, values, true);
            // Weights are off by what scores are off, a part of 2^-17 of each of up to 128 products, and by as much themselves.
            for (int i = 0; i < expected.length; i++) {
                assertThat(Math.abs(found[i] - expected[i])).as("element %d", i).isLessThan(1e-3f);
            }
        }
    }

    /** Decode, a chunk of a prompt, or a row among others: the same bits, also where tiles have rows of several. */
    @ParameterizedTest
    @EnumSource(CacheForm.class)
    void givesARowTheSameBitsInEverySpanAndForAllThreads(CacheForm form) {
        var paths = new ArrayList<>(paths());
        if (NativeLibrary.load() instanceof NativeLibrary.Loaded loaded && loaded.library().variants().contains("amx")) {
            paths.add(Optional.of(tiles()));
        }
        int rows = 64;
        int start = 480;
        for (int window : new int[] {0, 260}) {
            var shape = new Shape(6, 2, 40, 40, window);
            Tensor keys = keys(form, shape);
            Tensor values = values(form, shape);
            BatchStep whole = new BatchStep(BLOCKS).span(start, rows);
            Tensor queries = Tensors.random(1, rows, 6, 40);
            for (Optional<NativeFunctions> path : paths) {
                float[] expected = attend(1, path, shape, whole, queries, keys, values, false);
                for (int length : new int[] {1, 3, 8, 17}) {
                    for (int from = 0; from < rows; from += length) {
                        int count = Math.min(length, rows - from);
                        BatchStep part = new BatchStep(BLOCKS).span(start + from, count, whole.table(0));
                        Tensor some = Tensor.of(queries.dtype(), new int[] {count, 6, 40},
                                queries.segment().asSlice(4L * from * queries.width(), 4L * count * queries.width()));
                        assertThat(attend(2, path, shape, part, some, keys, values, false)).as("%d rows from %d", count, from)
                                .isEqualTo(Arrays.copyOfRange(expected, from * 240, (from + count) * 240));
                    }
                }
            }
        }
    }

    /** Latents are keys and values at once, and have a factor of their own beside that of turned keys. */
    @ParameterizedTest
    @EnumSource(value = CacheForm.class, names = {"BF16", "INT8"})
    void computesTheBitsOfFloatsThatWereRoundedOfLatents(CacheForm form) {
        for (LatentForm latentForm : LatentForm.values()) {
            float[] expected = latents(form, latentForm, true, Optional.empty());
            for (Optional<NativeFunctions> path : paths()) {
                assertThat(latents(form, latentForm, false, path)).as("%s %s", latentForm, path.map(NativeFunctions::variant))
                        .isEqualTo(expected);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = CacheForm.class, names = {"BF16", "INT8"})
    void isAsNearWithTilesAsSixteenBitsAreOfLatents(CacheForm form) {
        float[] expected = latents(form, LatentForm.ABSORBED, true, Optional.empty());
        float[] found = latents(form, LatentForm.ABSORBED, false, Optional.of(tiles()));
        double size = 0;
        for (float each : expected) {
            size = Math.max(size, Math.abs(each));
        }
        for (int i = 0; i < expected.length; i++) {
            assertThat(Math.abs(found[i] - expected[i]) / size).as("element %d", i).isLessThan(1e-3);
        }
    }

    private static float[] latents(CacheForm form, LatentForm latentForm, boolean asFloats, Optional<NativeFunctions> functions) {
        BatchStep step = prompts();
        int rows = step.tokens();
        Tensor latents = States.random(form, 3, BLOCKS * 16, 37);
        Tensor turnedKeys = States.random(form, 4, BLOCKS * 16, 8);
        Tensor out = Tensors.zeros(rows, 11, 5);
        try (var session = session(2, latentForm, functions)) {
            Calls.compile(session, Calls.attendLatent(SCALE, Tensors.random(1, rows, 11, 9), Tensors.random(2, rows, 11, 8),
                    asFloats ? States.floats(latents, BLOCKS * 16, 37) : latents,
                    asFloats ? States.floats(turnedKeys, BLOCKS * 16, 8) : turnedKeys, Tensors.random(5, 11, 9, 37),
                    Tensors.random(6, 11, 5, 37), out)).run(step);
        }
        return Tensors.all(out);
    }

    /** Odd heads, zeros, what is too small for a factor, and what is not a number. */
    @ParameterizedTest
    @EnumSource(CacheForm.class)
    void storesTheBytesThatStatesAreDefinedToHave(CacheForm form) {
        BatchStep step = new BatchStep(BLOCKS).span(9, 5).span(30, 1);
        Tensor x = Tensors.random(1, 6, 3, 37);
        Tensor expected = States.empty(form, BLOCKS * 16, 3, 37);
        for (int i = 0; i < 37; i++) {
            set(x, 37 + i, 0);
            set(x, 2 * 37 + i, 1e-32f * i);
        }
        set(x, 3 * 37 + 5, Float.NaN);
        set(x, 4 * 37 + 5, Float.NEGATIVE_INFINITY);
        set(x, 5 * 37 + 5, -Float.MAX_VALUE);
        set(x, 6 * 37 + 5, 1.00390625f); // halfway between two BF16
        for (int row = 0; row < 6; row++) {
            org.maniple.api.tensor.CachedRows.store(expected, step.slot(step.spanOf(row), step.position(row)), x.segment(),
                    4L * row * x.width());
        }
        for (Optional<NativeFunctions> path : paths()) {
            Tensor state = States.empty(form, BLOCKS * 16, 3, 37);
            try (var session = session(1, LatentForm.ABSORBED, path)) {
                Calls.compile(session, Calls.cache(x, state)).run(step);
            }
            assertThat(state.segment().mismatch(expected.segment())).as("%s", path.map(NativeFunctions::variant)).isEqualTo(-1);
            if (form == CacheForm.INT8) {
                assertThat(factors(state).segment().mismatch(factors(expected).segment())).isEqualTo(-1);
            }
        }
    }

    private static Tensor factors(Tensor state) {
        return state.scales().orElseThrow().factors();
    }

    private static void set(Tensor x, int index, float value) {
        x.segment().setAtIndex(java.lang.foreign.ValueLayout.JAVA_FLOAT, index, value);
    }

    @Test
    void isUsedInEveryFormOnceItAgreesWithTheVectorApi() {
        if (NativeLibrary.load() instanceof NativeLibrary.Missing missing) {
            abort("skipped: " + missing.reason());
        }
        NativeFunctions best = NativeFunctions.best(NativeLibrary.load(), Isa.AUTO, CheckMemory.none(),
                line -> assertThat(line).isEmpty()).orElseThrow();
        assertThat(best.forms()).isEqualTo(EnumSet.allOf(CacheForm.class));
    }
}
