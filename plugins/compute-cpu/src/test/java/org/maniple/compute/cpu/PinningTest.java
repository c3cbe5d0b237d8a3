package org.maniple.compute.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** What the system is asked for, where it is Linux. */
@EnabledOnOs(OS.LINUX)
class PinningTest {

    @Test
    void readsListsOfProcessors() {
        assertThat(Pinning.numbers("0-3,8,10-11")).containsExactly(0, 1, 2, 3, 8, 10, 11);
    }

    @Test
    void ranksOfANodeTakeTheirProcessorsOneAfterTheOther() {
        List<Integer> all = Pinning.of("amd64", 0, 64, false, line -> {}).processors();
        assertThat(Pinning.of("amd64", 1, 1, false, line -> {}).processors()).containsExactly(all.get(1));
        assertThat(Pinning.of("amd64", 3, 2, false, line -> {}).processors()).containsExactly(all.get(6), all.get(7));
    }

    @Test
    void eachThreadStaysOnItsProcessor() throws Exception {
        var lines = new ArrayList<String>();
        var pinning = Pinning.of("amd64", 0, 2, true, lines::add);
        var allowed = new ConcurrentHashMap<Integer, String>();
        Thread rank = Thread.ofPlatform().start(() -> {
            try (var workers = new Workers(2, 2, pinning)) {
                for (int round = 0; round < 1000 && allowed.size() < 2; round++) {
                    workers.run((chunk, thread) -> allowed.computeIfAbsent(thread, t -> allowed()), 50, true);
                }
            }
        });
        rank.join();
        assertThat(allowed).containsEntry(0, pinning.processors().get(0).toString())
                .containsEntry(1, pinning.processors().get(1).toString());
    }

    private static String allowed() {
        try {
            return Files.readAllLines(Path.of("/proc/thread-self/status")).stream()
                    .filter(line -> line.startsWith("Cpus_allowed_list:"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip()).findFirst().orElseThrow();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void mappedMemoryTakesNoRoomBeforeItIsWritten() {
        LinuxCalls linux = LinuxCalls.find().orElseThrow();
        MemorySegment kept;
        try (Arena arena = Arena.ofShared()) {
            long before = resident();
            kept = linux.map(4L << 30, arena).orElseThrow();
            assertThat(resident() - before).isLessThan(100L << 20);
            kept.set(ValueLayout.JAVA_LONG, 3L << 30, 7);
            assertThat(kept.get(ValueLayout.JAVA_LONG, 3L << 30)).isEqualTo(7);
            assertThat(kept.get(ValueLayout.JAVA_LONG, 2L << 30)).isZero();
        }
        assertThatThrownBy(() -> kept.get(ValueLayout.JAVA_LONG, 0)).isInstanceOf(IllegalStateException.class);
    }

    private static long resident() {
        try {
            String line = Files.readAllLines(Path.of("/proc/self/status")).stream().filter(l -> l.startsWith("VmRSS:"))
                    .findFirst()
                    .orElseThrow();
            return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
