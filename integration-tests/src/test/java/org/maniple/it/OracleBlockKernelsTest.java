package org.maniple.it;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.compute.ComputeSession;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.Node;
import org.maniple.api.graph.Op;
import org.maniple.api.graph.OpCall;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.TensorView;
import org.maniple.api.graph.Value;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;
import org.maniple.api.tensor.WeightLayout;
import org.maniple.checkpoint.safetensors.SafetensorsFormat;

/**
 * The blocks of the oracle, with scales that are zero, subnormal, negative, large, as weights that kernels read: of every type, by every set of kernels
 * that the processor can run, in the layout that those want.
 */
class OracleBlockKernelsTest {

    private static final List<WeightLayout.Use> USES = List.of(WeightLayout.Use.CONTRACT, WeightLayout.Use.EMBED);

    static Stream<Arguments> kernels() {
        return CpuVariants.all().stream()
                .flatMap(variant -> BlockCodecTest.blockTypes().map(type -> Arguments.of(variant, type)));
    }

    static Stream<Arguments> halves() {
        return CpuVariants.all().stream()
                .flatMap(variant -> Stream.of(DType.F16, DType.BF16).map(type -> Arguments.of(variant, type)));
    }

    /** Every block is a row. */
    record Weight(DType type, int rows, int width, MemorySegment raw, float[] floats) {

        static Weight of(DType type, Arena arena) {
            try (Checkpoint blocks = new SafetensorsFormat().open(Oracles.directory().resolve("gguf/dequant.safetensors"))) {
                MemorySegment raw = arena.allocate(blocks.tensor(type + ".raw").orElseThrow().bytes(), 64)
                        .copyFrom(blocks.map(type + ".raw", 0, blocks.tensor(type + ".raw").orElseThrow().bytes(), arena));
                MemorySegment floats = blocks.map(type + ".f32", 0, blocks.tensor(type + ".f32").orElseThrow().bytes(), arena);
                int width = type.blocked() ? type.blockElements() : (int) (floats.byteSize() / Float.BYTES);
                return new Weight(type, (int) (floats.byteSize() / Float.BYTES / width), width, raw,
                        floats.toArray(JAVA_FLOAT_UNALIGNED));
            }
        }

        /** As the back end wants it. */
        Tensor in(ComputeSession session) {
            int[] shape = {rows, width};
            Optional<WeightLayout> layout = session.layout(new WeightLayout.Weight(type, rows, BlockRows.whole(width), USES));
            if (layout.isEmpty()) {
                return stored();
            }
            MemorySegment packed = session.allocate(layout.get().bytes(rows));
            layout.get().pack(raw, rows, packed);
            return Tensor.packed(type, shape, BlockRows.whole(width), layout.get(), packed);
        }

        /** As the file has it. */
        Tensor stored() {
            return type.blocked()
                    ? Tensor.blocked(type, new int[] {rows, width}, BlockRows.whole(width), raw)
                    : Tensor.of(type, new int[] {rows, width}, raw);
        }

        float element(int row, int column) {
            return floats[row * width + column];
        }
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource({"kernels", "halves"})
    void embeddingsAreTheElementsBitForBit(String variant, DType type) {
        for (String activations : List.of("auto", "f32")) {
            try (ComputeSession session = CpuVariants.open(variant, Map.of("activation-dtype", activations));
                    Arena arena = Arena.ofConfined()) {
                Weight weight = Weight.of(type, arena);
                Tensor out = floats(session, weight.rows(), weight.width());
                Tensor ids = Tensor.of(DType.I32, new int[] {weight.rows()}, session.allocate(4L * weight.rows()));
                for (int row = 0; row < weight.rows(); row++) {
                    ids.segment().setAtIndex(JAVA_INT, row, row);
                }
                Dim tokens = Axes.VOCAB.of(weight.rows());
                run(session, new BuiltinOp.Embed(), DType.I32, List.of(Dim.TOKENS),
                        List.of(tokens, Axes.HIDDEN.of(weight.width())),
                        ids, weight.in(session), out, Map.of(Axes.VOCAB, UnitList.range(0, weight.rows())));

                assertThat(out.segment().toArray(JAVA_INT_UNALIGNED)).isEqualTo(
                        MemorySegment.ofArray(weight.floats()).toArray(JAVA_INT_UNALIGNED));
            }
        }
    }

    /** A row that is 1 at one place and 0 elsewhere picks a column; only the sign of a zero is lost. */
    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("kernels")
    void productsOfFloatsPickTheElements(String variant, DType type) {
        try (ComputeSession session = CpuVariants.open(variant, Map.of("activation-dtype", "f32"));
                Arena arena = Arena.ofConfined()) {
            Weight weight = Weight.of(type, arena);
            Tensor x = floats(session, weight.width(), weight.width());
            for (int i = 0; i < weight.width(); i++) {
                x.segment().set(JAVA_FLOAT_UNALIGNED, 4L * i * (weight.width() + 1), 1);
            }
            float[] found = product(session, x, weight.in(session));
            for (int column = 0; column < weight.width(); column++) {
                for (int row = 0; row < weight.rows(); row++) {
                    assertThat(found[column * weight.rows() + row]).as("row %d, column %d", row, column)
                            .isEqualTo(weight.element(row, column) + 0f);
                }
            }
        }
    }

    /** In every layout and on every set of kernels as with the blocks as they are stored, through the Vector API. */
    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("kernels")
    void productsOfBytesHaveTheSameBits(String variant, DType type) {
        try (ComputeSession session = CpuVariants.open(variant, Map.of("activation-dtype", "auto"));
                ComputeSession plain = CpuVariants.open("vector-api", Map.of("activation-dtype", "auto"));
                Arena arena = Arena.ofConfined()) {
            Weight weight = Weight.of(type, arena);
            Tensor x = floats(session, 5, weight.width());
            var random = new Random(6);
            for (int i = 0; i < 5 * weight.width(); i++) {
                x.segment().set(JAVA_FLOAT_UNALIGNED, 4L * i, (float) random.nextGaussian());
            }
            assertThat(bits(product(session, x, weight.in(session)))).isEqualTo(bits(product(plain, x, weight.stored())));
        }
    }

    private static int[] bits(float[] floats) {
        return MemorySegment.ofArray(floats).toArray(JAVA_INT_UNALIGNED);
    }

    private static float[] product(ComputeSession session, Tensor x, Tensor weight) {
        Tensor out = floats(session, x.extent(0), weight.extent(0));
        Dim made = Axes.FFN.of(weight.extent(0));
        Dim summed = Axes.HIDDEN.of(x.extent(1));
        run(session, new BuiltinOp.Contract(), DType.F32, List.of(Dim.TOKENS, summed), List.of(made, summed), x, weight, out,
                Map.of());
        return out.segment().toArray(JAVA_FLOAT_UNALIGNED);
    }

    private static Tensor floats(ComputeSession session, int rows, int width) {
        return Tensor.of(DType.F32, new int[] {rows, width}, session.allocate(4L * rows * width));
    }

    private static void run(ComputeSession session, Op op, DType read, List<Dim> input, List<Dim> weights, Tensor x,
            Tensor weight,
            Tensor out, Map<org.maniple.api.graph.Axis, UnitList> units) {
        var matrix = new Parameter(0, "weight", weights,
                TensorView.stored("weight",
                        weights.stream().map(dim -> TensorView.dim(dim)).toArray(TensorView.StoredDim[]::new)));
        Dim made = op instanceof BuiltinOp.Embed ? weights.getLast() : weights.getFirst();
        var node = new Node(0, 0, op, List.of(new Value(0, "x", read, input), matrix),
                List.of(new Value(1, "out", DType.F32, List.of(Dim.TOKENS, made))));
        var call = new OpCall(node, List.of(x, weight), List.of(out), units);
        session.compile(new ComputeSession.Region(List.of(call), List.of(true)), 0).orElseThrow().kernel()
                .run(new Rows(x.extent(0)));
    }

    /** A step that has nothing but rows. */
    private record Rows(int tokens) implements Step {

        @Override
        public int token(int row) {
            return 0;
        }

        @Override
        public int position(int row) {
            return row;
        }

        @Override
        public int spanOf(int row) {
            return 0;
        }

        @Override
        public int spans() {
            return 1;
        }

        @Override
        public int spanStart(int span) {
            return 0;
        }

        @Override
        public int spanLength(int span) {
            return tokens;
        }

        @Override
        public int blockSize() {
            return 16;
        }

        @Override
        public int block(int span, int index) {
            return index;
        }

        @Override
        public int selectedRows() {
            return 0;
        }

        @Override
        public int selectedRow(int index) {
            return index;
        }
    }
}
