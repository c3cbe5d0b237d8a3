package org.maniple.compute.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WorkersTest {

    /** With processors to spin on and without. */
    @ParameterizedTest
    @CsvSource({"1,8", "2,8", "4,8", "2,1", "4,1"})
    void computesEachChunkOfEachTaskOnce(int threads, int processors) {
        try (var workers = new Workers(threads, processors)) {
            for (int round = 0; round < 2000; round++) {
                int chunks = round % 13;
                var counts = new AtomicIntegerArray(13);
                workers.run((chunk, thread) -> counts.incrementAndGet(chunk), chunks, true);
                for (int i = 0; i < 13; i++) {
                    assertThat(counts.get(i)).as("chunk %d of %d", i, chunks).isEqualTo(i < chunks ? 1 : 0);
                }
            }
        }
    }

    @Test
    void givesEachThreadANumberOfItsOwn() {
        try (var workers = new Workers(3, 1)) {
            var users = new AtomicIntegerArray(3);
            for (int round = 0; round < 200; round++) {
                workers.run((chunk, thread) -> {
                    assertThat(users.incrementAndGet(thread)).isEqualTo(1);
                    users.decrementAndGet(thread);
                }, 20, true);
            }
        }
    }

    @Test
    void keepsShortTasksOnTheCaller() {
        Thread caller = Thread.currentThread();
        try (var workers = new Workers(3, 8)) {
            workers.run((chunk, thread) -> assertThat(Thread.currentThread()).isSameAs(caller), 50, false);
        }
    }

    @ParameterizedTest
    @CsvSource({"1,8", "3,8", "3,1"})
    void hasTheCallerThrowWhatAChunkThrewAndGoesOn(int threads, int processors) {
        try (var workers = new Workers(threads, processors)) {
            for (int failing = 0; failing < 8; failing++) {
                int bad = failing;
                assertThatThrownBy(() -> workers.run((chunk, thread) -> {
                    if (chunk == bad) {
                        throw new IllegalArgumentException("chunk " + chunk);
                    }
                }, 8, true)).isInstanceOf(IllegalArgumentException.class).hasMessage("chunk " + bad);
                var counts = new AtomicIntegerArray(8);
                workers.run((chunk, thread) -> counts.incrementAndGet(chunk), 8, true);
                assertThat(counts.toString()).isEqualTo("[1, 1, 1, 1, 1, 1, 1, 1]");
            }
        }
    }

    @Test
    void leavesNoThreadBehind() {
        long before = workerThreads();
        try (var workers = new Workers(4, 1)) {
            assertThat(workerThreads()).isEqualTo(before + 3);
            workers.run((chunk, thread) -> {}, 9, true);
        }
        assertThat(workerThreads()).isEqualTo(before);
    }

    private static long workerThreads() {
        return Thread.getAllStackTraces().keySet().stream().filter(thread -> thread.getName().startsWith("maniple-cpu-")).count();
    }

    @Test
    void refusesTasksAfterItsEnd() {
        var workers = new Workers(2, 2);
        workers.close();
        assertThatThrownBy(() -> workers.run((chunk, thread) -> {}, 9, true)).hasMessage("the compute session is closed");
    }
}
