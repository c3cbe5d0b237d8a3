package org.maniple.kernel.load;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.GraphBuilder;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.TensorView;
import org.maniple.api.graph.Value;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.mesh.Splitter;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.BlockRows.Run;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;
import org.maniple.api.tensor.WeightLayout;
import org.maniple.kernel.program.BlockGrid;
import org.maniple.kernel.program.CompileOptions;
import org.maniple.kernel.program.Piece;
import org.maniple.kernel.program.ProgramCompiler;
import org.maniple.kernel.program.RankProgram;

/** Weights in blocks of 32, in a model that is one matrix up and one down. */
class BlockWeightsTest {

    private static final MeshDimension TP = new MeshDimension("tp", 300);
    private static final Dim HIDDEN = Axes.HIDDEN.of(64);
    private static final Dim FFN = Axes.FFN.of(160);
    private static final Dim VOCAB = Axes.VOCAB.of(2);
    private static final int BLOCK = DType.Q4_0.blockBytes();

    private final byte[] up = random(160 * 2 * BLOCK);
    private final byte[] down = random(64 * 5 * BLOCK);
    private final MemoryCheckpoint checkpoint = new MemoryCheckpoint().with("embedding", 2, 64).with("head", 2, 64)
            .with("up", DType.Q4_0, up, 160, 64).with("down", DType.Q4_0, down, 64, 160);

    private static byte[] random(int bytes) {
        byte[] random = new byte[bytes];
        new Random(bytes).nextBytes(random);
        return random;
    }

    private static RankProgram program(Splitter splitter, BlockGrid grid, TensorView downView) {
        var builder = new GraphBuilder("small", 1);
        Value x = builder.embed("hidden.0", builder.parameter("embedding", VOCAB, HIDDEN));
        builder.layer(0);
        Value wide = builder.contract("wide", x, builder.parameter("up", FFN, HIDDEN));
        Value back = builder.contract("back", wide, builder.parameter("down", downView, HIDDEN, FFN));
        builder.layer(1);
        return new ProgramCompiler(builder.head(back, builder.parameter("head", VOCAB, HIDDEN), 16),
                new Mesh(List.of(TP), List.of(2)), List.of(new AxisRule(Axes.FFN, List.of(TP), splitter)), CompileOptions.FAST,
                (layer, experts) -> Optional.empty(), grid).compile().forRank(0);
    }

    private static RankProgram having(UnitList own) {
        return program(request -> List.of(own,
                UnitList.of(IntStream.range(0, 160).filter(unit -> !own.contains(unit)).toArray())), BlockGrid.NONE, inOrder());
    }

    private static TensorView inOrder() {
        return TensorView.stored("down", TensorView.dim(HIDDEN), TensorView.dim(FFN));
    }

    private static Piece piece(RankProgram program, String name) {
        return program.weights().stream().filter(p -> p.operand().name().equals(name)).findFirst().orElseThrow();
    }

    private Tensor load(RankProgram program, String name, Packing packing) {
        var loader = new WeightLoader(checkpoint, Quantization.NONE, Arena.ofAuto(), Arena.ofAuto()::allocate, packing);
        return loader.load(program, (done, total) -> {}).get(piece(program, name));
    }

    /** Some blocks of each of some rows. */
    private static byte[] blocks(byte[] stored, int perRow, List<Integer> rows, int... blocks) {
        byte[] taken = new byte[rows.size() * blocks.length * BLOCK];
        int at = 0;
        for (int row : rows) {
            for (int block : blocks) {
                System.arraycopy(stored, (row * perRow + block) * BLOCK, taken, at, BLOCK);
                at += BLOCK;
            }
        }
        return taken;
    }

    private static List<Integer> range(int from, int to) {
        return IntStream.range(from, to).boxed().toList();
    }

    private static byte[] bytes(Tensor tensor) {
        return tensor.segment().toArray(JAVA_BYTE);
    }

    @Test
    void rowsAreCutAnywhereAndMapped() {
        RankProgram program = having(UnitList.range(5, 48));
        var loader = new WeightLoader(checkpoint, Quantization.NONE, Arena.ofAuto(), Arena.ofAuto()::allocate);
        Tensor tensor = loader.load(program, (done, total) -> {}).get(piece(program, "up"));

        assertThat(tensor.blockRows()).contains(BlockRows.whole(64));
        assertThat(bytes(tensor)).isEqualTo(blocks(up, 2, range(5, 48), 0, 1));
        assertThat(loader.report(program).mappedBytes()).isGreaterThanOrEqualTo(43 * 2 * BLOCK);
    }

    @Test
    void aCutWithinABlockHoldsTheBlockWhole() {
        Tensor tensor = load(having(UnitList.range(40, 100)), "down", Packing.NONE);

        assertThat(tensor.blockRows()).contains(new BlockRows(96, List.of(new Run(8, 0, 60))));
        assertThat(bytes(tensor)).isEqualTo(blocks(down, 5, range(0, 64), 1, 2, 3));
        assertThat(tensor.extent(1)).isEqualTo(60);
    }

    @Test
    void runsThatShareABlockHoldItOnce() {
        Tensor tensor = load(having(UnitList.of(0, 1, 30, 70, 71, 96, 97)), "down", Packing.NONE);

        assertThat(tensor.blockRows()).contains(
                new BlockRows(96, List.of(new Run(0, 0, 2), new Run(30, 2, 1), new Run(38, 3, 2), new Run(64, 5, 2))));
        assertThat(bytes(tensor)).isEqualTo(blocks(down, 5, range(0, 64), 0, 2, 3));
    }

    @Test
    void aRankWithoutColumnsHoldsNothing() {
        Tensor tensor = load(having(UnitList.empty()), "down", Packing.NONE);

        assertThat(tensor.width()).isZero();
        assertThat(tensor.byteSize()).isZero();
    }

    @Test
    void blocksAcrossTheRowsAreDecoded() {
        checkpoint.with("across", DType.Q4_0, random(160 * 2 * BLOCK), 160, 64);
        TensorView view = TensorView.stored("across", TensorView.dim(FFN), TensorView.dim(HIDDEN));
        RankProgram program = program(request -> List.of(UnitList.range(0, 80), UnitList.range(80, 160)), BlockGrid.NONE, view);

        Tensor tensor = load(program, "down", Packing.NONE);

        assertThat(tensor.dtype()).isEqualTo(DType.F32);
        assertThat(tensor.blockRows()).isEmpty();
        assertThat(tensor.byteSize()).isEqualTo(64 * 80 * 4);
    }

    @Test
    void splittersAreToldWhichUnitsAreWholeBlocks() {
        var asked = new ArrayList<Integer>();
        List<Parameter> parameters = having(UnitList.range(0, 80)).program().graph().parameters();
        BlockGrid grid = BlockGrid.of(parameters, name -> checkpoint.tensor(name).map(tensor -> tensor.dtype()));
        program(request -> {
            asked.add(request.quantum());
            return List.of(UnitList.range(0, 96), UnitList.range(96, 160));
        }, grid, inOrder());

        assertThat(asked).containsOnly(32);
    }

    /** Rows three by three, each byte inverted; a matrix that ends within three is filled up with zeros. */
    private static final class Inverted implements WeightLayout {
        private final int rowBytes;

        Inverted(int rowBytes) {
            this.rowBytes = rowBytes;
        }

        @Override
        public String name() {
            return "inverted-1";
        }

        @Override
        public int rowsTogether() {
            return 3;
        }

        @Override
        public long bytes(int rows) {
            return Math.ceilDiv(rows, 3) * 3L * rowBytes;
        }

        @Override
        public void pack(MemorySegment source, int rows, MemorySegment target) {
            target.fill((byte) 0);
            for (long i = 0; i < (long) rows * rowBytes; i++) {
                target.set(JAVA_BYTE, i, (byte) ~source.get(JAVA_BYTE, i));
            }
        }
    }

    private static Packing inverted(List<WeightLayout.Weight> asked) {
        return new Packing(weight -> {
            asked.add(weight);
            return weight.type() == DType.Q4_0
                    ? Optional.of(new Inverted(Math.toIntExact(weight.type().bytes((long) weight.columns().held()))))
                    : Optional.empty();
        }, 2);
    }

    private static byte[] packed(byte[] rows, int bytes) {
        byte[] inverted = new byte[bytes];
        for (int i = 0; i < rows.length; i++) {
            inverted[i] = (byte) ~rows[i];
        }
        return inverted;
    }

    @Test
    void weightsArePackedAsTheBackEndWants() {
        var asked = new ArrayList<WeightLayout.Weight>();
        RankProgram program = having(UnitList.range(40, 100));
        var loader = new WeightLoader(checkpoint, Quantization.NONE, Arena.ofAuto(), Arena.ofAuto()::allocate, inverted(asked));
        Map<Piece, Tensor> tensors = loader.load(program, (done, total) -> {});

        Tensor columns = tensors.get(piece(program, "down"));
        assertThat(columns.layout().orElseThrow().name()).isEqualTo("inverted-1");
        assertThat(columns.blockRows()).contains(new BlockRows(96, List.of(new Run(8, 0, 60))));
        assertThat(bytes(columns)).isEqualTo(packed(blocks(down, 5, range(0, 64), 1, 2, 3), 66 * 3 * BLOCK));
        assertThat(bytes(tensors.get(piece(program, "up"))))
                .isEqualTo(packed(blocks(up, 2, range(40, 100), 0, 1), 60 * 2 * BLOCK));
        assertThat(asked)
                .contains(new WeightLayout.Weight(DType.Q4_0, 60, BlockRows.whole(64), List.of(WeightLayout.Use.CONTRACT)));
        assertThat(loader.bytes(program)).isEqualTo(2 * 2 * 64 * 4 + 66 * 3 * BLOCK + 60 * 2 * BLOCK);
        assertThat(loader.report(program).bytes()).isEqualTo(loader.bytes(program));
    }

    @Test
    void whatFailsWhilePackingIsThrown() {
        var failing = new Packing(weight -> Optional.of(new WeightLayout() {
            @Override
            public String name() {
                return "failing";
            }

            @Override
            public int rowsTogether() {
                return 1;
            }

            @Override
            public long bytes(int rows) {
                return rows;
            }

            @Override
            public void pack(MemorySegment source, int rows, MemorySegment target) {
                throw new CheckpointException("cannot be packed");
            }
        }), 2);

        assertThatThrownBy(() -> load(having(UnitList.range(0, 80)), "up", failing)).isInstanceOf(CheckpointException.class)
                .hasMessage("cannot be packed");
    }
}
