package org.maniple.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.DType;
import org.maniple.checkpoint.gguf.GgufFormat;
import org.maniple.kernel.load.Quantization;
import org.maniple.kernel.load.WeightLoader;
import org.maniple.kernel.program.MeshProgram;
import org.maniple.kernel.program.RankProgram;

/**
 * Where ranks cut rows that a file stores in blocks: between two blocks where no rank then gets more than a tenth above its due, else in equal parts,
 * and two ranks hold the block in which they meet.
 */
class GgufSplitsTest {

    @TempDir
    private Path folder;

    @ParameterizedTest(name = "{1} columns in {0} over ranks with {2}")
    @CsvSource({"Q8_0, 352, 192 160", "MXFP4, 352, 192 160", "Q4_0, 512, 128 128 128 128", "Q4_K, 512, 256 256",
        "Q8_0, 288, 144 144", "Q4_0, 352, 96 96 96 64", "Q4_0, 224, 56 56 56 56", "Q6_K, 512, 128 128 128 128"})
    void areCutBetweenBlocksWhereSharesStayEven(DType type, int columns, String shares) {
        Path file = folder.resolve("model.gguf");
        RandomMixture.of(type, columns).write(file);
        List<Integer> own = Stream.of(shares.split(" ", -1)).map(Integer::valueOf).toList();
        MeshProgram program = VirtualUnit.program(file, Layout.of(own.size(), 1));
        try (Checkpoint checkpoint = new GgufFormat().open(file); Arena arena = Arena.ofConfined()) {
            int from = 0;
            for (int rank = 0; rank < own.size(); rank++) {
                BlockRows rows = downRows(program.forRank(rank), checkpoint, arena);
                int block = type.blockElements();
                int to = from + own.get(rank);
                assertThat(rows.columns()).as("columns of rank %d", rank).isEqualTo(own.get(rank));
                assertThat(rows.held()).as("columns that rank %d holds with their blocks", rank)
                        .isEqualTo((Math.ceilDiv(to, block) - from / block) * block);
                assertThat(rows.runs()).containsExactly(new BlockRows.Run(from % block, 0, own.get(rank)));
                from = to;
            }
            assertThat(from).isEqualTo(columns);
        }
    }

    /** How a rank holds the rows of the matrices that lead back from experts. */
    private static BlockRows downRows(RankProgram own, Checkpoint checkpoint, Arena arena) {
        var loader = new WeightLoader(checkpoint, Quantization.NONE, arena, arena::allocate);
        List<BlockRows> found = loader.load(own, (done, total) -> {}).entrySet().stream()
                .filter(entry -> entry.getKey().operand().name().contains("down_proj"))
                .map(entry -> entry.getValue().blockRows().orElseThrow()).distinct().toList();
        assertThat(found).as("how rows of %s are held", Arrays.toString(own.weights().toArray())).hasSize(1);
        return found.getFirst();
    }
}
