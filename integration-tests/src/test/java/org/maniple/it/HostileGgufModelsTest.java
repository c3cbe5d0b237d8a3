package org.maniple.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.maniple.api.ManipleException;
import org.maniple.api.tensor.DType;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.step.StepBatch.Rows;

/**
 * Damaged files of whole models, whose weights are random bytes: what is not refused is loaded, and computed with, by native kernels where there are
 * some. {@code -Dmaniple.fuzz=100000} for the long run; {@code -Dmaniple.fuzz.seed=N} for another one.
 */
@Isolated("measures memory")
class HostileGgufModelsTest {

    private static final StepBatch.Limits LIMITS = new StepBatch.Limits(8, 2, 4, 8, 16);
    private static final long MOST_GROWTH = 32L << 20;
    private static final int FEW = 60;

    @TempDir
    private Path folder;

    /** Models that between them have every type of weights. */
    enum Model {
        /** Blocks of 32, and halves. */
        DENSE,
        /** Blocks of 256. */
        WIDE,
        /** Stacked experts. */
        EXPERTS;

        GgufWriter writer() {
            return switch (this) {
                case DENSE -> new RandomBytesModel(32, 64, List.of(DType.Q8_0, DType.Q4_0, DType.Q4_1, DType.Q5_0, DType.Q5_1,
                        DType.IQ4_NL, DType.MXFP4, DType.F16, DType.BF16)).dense();
                case WIDE -> new RandomBytesModel(256, 256, List.of(DType.Q2_K, DType.Q3_K, DType.Q4_K, DType.Q5_K, DType.Q6_K,
                        DType.Q6_K, DType.Q5_K, DType.Q4_K, DType.Q3_K)).dense();
                case EXPERTS -> new RandomBytesModel(32, 32, List.of(DType.Q8_0, DType.Q4_0, DType.Q5_1, DType.MXFP4,
                        DType.Q4_1, DType.IQ4_NL, DType.Q5_0, DType.Q8_0, DType.F16)).experts();
            };
        }
    }

    @ParameterizedTest
    @EnumSource(Model.class)
    void areRefusedOrComputedWith(Model model) throws IOException {
        int rounds = Integer.getInteger("maniple.fuzz", 0) > 0 ? Integer.getInteger("maniple.fuzz") / Model.values().length : FEW;
        int seed = Integer.getInteger("maniple.fuzz.seed", 21);
        var mutations = new GgufMutations(model.writer().bytes(), new Random(seed));
        Path file = folder.resolve("model.gguf");
        model.writer().write(file);
        compute(file);
        long before = used();
        long begin = System.nanoTime();
        int refused = 0;
        for (int round = 0; round < rounds; round++) {
            Files.write(file, mutations.nextModel());
            try {
                compute(file);
            } catch (ManipleException e) {
                refused++;
            } catch (RuntimeException | Error e) {
                Files.copy(file,
                        Path.of(System.getProperty("java.io.tmpdir")).resolve("hostile-" + model + "-" + round + ".gguf"),
                        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
                throw new AssertionError(model + " " + seed + ", round " + round, e);
            }
        }
        long growth = used() - before;
        System.out.printf(Locale.ROOT, "%s: %,d files in %.1f s, %,d computed with, the heap grew by %,d bytes%n", model, rounds,
                (System.nanoTime() - begin) / 1e9, rounds - refused, growth);
        assertThat(growth).as("growth of the heap").isLessThan(MOST_GROWTH);
        assertThat(refused).isBetween(rounds / 10, rounds * 9 / 10);
    }

    /** The heap that is in use after a collection. */
    private static long used() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    /** A prompt of three tokens and one more; logits may be anything, and numbers that are none. */
    private static void compute(Path file) {
        try (var unit = new VirtualUnit(file, Layout.of(1, 1).with("activation-dtype", "auto", ""), LIMITS, 4)) {
            int vocabulary = unit.program().graph().vocabulary();
            step(unit, 0, new int[] {0, vocabulary / 2, vocabulary - 1});
            step(unit, 3, new int[] {vocabulary - 1});
        }
    }

    private static void step(VirtualUnit unit, int position, int[] tokens) {
        StepBatch batch = unit.pipeline().begin();
        batch.clear(position);
        batch.addSpan(0, 1, position, tokens, 0, tokens.length, Rows.ALL, new int[] {2}, 1);
        batch.needFullRows(true);
        unit.pipeline().submit(batch);
        assertThat(unit.pipeline().await().rows()).isEqualTo(tokens.length);
    }
}
