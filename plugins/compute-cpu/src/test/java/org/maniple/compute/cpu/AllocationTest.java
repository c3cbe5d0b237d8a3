package org.maniple.compute.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.maniple.api.compute.Kernel;
import org.maniple.testkit.Allocation;

/** C2 keeps vectors in registers only while methods stay small; where it gives up, every vector becomes an object, and this test fails. */
class AllocationTest {

    private static final int ROUNDS = 5_000;
    private static final int RUNS = 20;

    @ParameterizedTest
    @CsvSource({"7,1", "1,2"})
    void kernelsAllocateNothingOnceTheyAreCompiled(int rows, int threads) {
        var every = new EveryKernel(rows);
        try (var session = new CpuSession(threads, 2)) {
            every.forEach(session, (name, kernel) -> {
                boolean none = false;
                for (int round = 0; round < ROUNDS && !none; round++) {
                    none = allocated(kernel, every.step()) == 0;
                }
                assertThat(none).as("%s stops allocating within %d calls", name, ROUNDS * RUNS).isTrue();
                long later = 0;
                for (int round = 0; round < 20; round++) {
                    later += allocated(kernel, every.step());
                }
                assertThat(later).as("bytes that 400 later calls of %s allocate", name).isLessThan(20_000);
            });
        }
    }

    private static long allocated(Kernel kernel, BatchStep step) {
        return Allocation.bytesOf(() -> {
            for (int run = 0; run < RUNS; run++) {
                kernel.run(step);
            }
        });
    }
}
