package org.maniple.kernel.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.maniple.api.compute.ComputeSession;
import org.maniple.api.graph.OpCall;
import org.maniple.api.tensor.DType;

/** With a back end that writes down what it is asked for. */
class KernelBenchTest {

    private final List<OpCall> compiled = new ArrayList<>();
    private final List<Integer> rowsOfRuns = new ArrayList<>();
    private final List<String> progress = new ArrayList<>();

    /** Has kernels for all types but one. */
    private final class Recorder implements ComputeSession {
        @Override
        public MemorySegment allocate(long bytes) {
            return Arena.ofAuto().allocate(bytes, 64);
        }

        @Override
        public Optional<CompiledKernel> compile(Region region, int from) {
            OpCall call = region.calls().get(from);
            if (call.inputs().getLast().dtype() == DType.F8_E4M3) {
                return Optional.empty();
            }
            compiled.add(call);
            return Optional.of(new CompiledKernel(step -> rowsOfRuns.add(step.tokens()), 1, "counted"));
        }

        @Override
        public void close() {}
    }

    private List<KernelBench.Result> run(KernelCase product, long memoryBytes) {
        return new KernelBench(new Recorder(), memoryBytes, 0, progress::add).run(product, List.of(1, 4));
    }

    @Test
    void everyNumberOfRowsIsMeasuredAtLeastThreeTimes() {
        List<KernelBench.Result> results = run(new KernelCase(DType.Q8_0, 32, 64), 1);

        assertThat(results).extracting(KernelBench.Result::rows).containsExactly(1, 4);
        assertThat(results).allSatisfy(result -> {
            assertThat(result.kernel()).isEqualTo("counted");
            assertThat(result.layout()).isEqualTo("as stored");
            assertThat(result.seconds()).isNotNegative();
        });
        assertThat(rowsOfRuns.stream().filter(rows -> rows == 1).count()).isGreaterThanOrEqualTo(3);
        assertThat(rowsOfRuns.stream().filter(rows -> rows == 4).count()).isGreaterThanOrEqualTo(3);
        assertThat(progress).containsExactly("Q8_0 32 x 64, 1 row", "Q8_0 32 x 64, 4 rows");
    }

    @Test
    void matricesFillTheMemoryAndTakeTurns() {
        var product = new KernelCase(DType.F32, 8, 16);
        run(product, 5 * product.bytes() + 7);

        assertThat(compiled).hasSize(5);
        assertThat(compiled.stream().map(call -> call.inputs().getLast().segment().address()).distinct()).hasSize(5);
    }

    @Test
    void aTypeWithoutAKernelHasNoResults() {
        assertThat(run(new KernelCase(DType.F8_E4M3, 32, 64), 1)).isEmpty();
        assertThat(rowsOfRuns).isEmpty();
    }

    @Test
    void speedsFollowFromTheTimeOfOneProduct() {
        var result = new KernelBench.Result(new KernelCase(DType.Q4_0, 100, 64), 3, "k", "l", 0.5);

        assertThat(result.bytesPerSecond()).isEqualTo(100 * 2 * 18 / 0.5);
        assertThat(result.operationsPerSecond()).isEqualTo(2.0 * 3 * 100 * 64 / 0.5);
    }
}
