package org.maniple.kernel.load;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WeightCacheTest {

    private static final int LARGE = (int) CacheFile.PIECE + 5;

    @TempDir
    private Path folder;
    private final List<String> lines = new ArrayList<>();
    private final AtomicInteger filled = new AtomicInteger();

    /** Loads two weights: the first bytes of each, and how many there are. */
    private List<String> load(String model, String slices, Path where) {
        var shown = new ArrayList<String>();
        try (Arena arena = Arena.ofShared();
                HeldWeights held = new WeightCache(where, model, lines::add).open(slices, Arena.ofAuto()::allocate, 2, arena)) {
            for (int bytes : new int[] {100, LARGE}) {
                MemorySegment memory = held.hold(bytes, target -> {
                    filled.incrementAndGet();
                    target.fill((byte) (bytes % 100 + 1));
                });
                shown.add(memory.byteSize() + " of " + memory.get(JAVA_BYTE, bytes - 1L));
            }
            held.complete();
        }
        return shown;
    }

    private List<String> load() {
        return load("model", "slices", folder);
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    @Test
    void theSecondStartMapsWhatTheFirstOneWrote() throws IOException {
        List<String> first = load();
        assertThat(load()).isEqualTo(first);

        assertThat(filled).hasValue(2);
        assertThat(files()).hasSize(1);
        assertThat(lines).hasSize(2);
        assertThat(lines.getFirst()).startsWith("weight cache: wrote 8 MiB to ").endsWith(" for the next start");
        assertThat(lines.getLast()).startsWith("weight cache: mapped 8 MiB of ");
    }

    @Test
    void anotherModelOrOtherSlicesHaveAFileOfTheirOwn() throws IOException {
        load();
        load("model, written later", "slices", folder);
        load("model", "slices of another rank", folder);

        assertThat(filled).hasValue(6);
        assertThat(files()).hasSize(3);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 10, 40, 45, 48, 56, 64, 150, 200, 8_000_000, -1, -8, -9, -20, -40})
    void aFileOfWhichAByteHasChangedIsWrittenAnew(long at) throws IOException {
        List<String> first = load();
        byte[] bytes = Files.readAllBytes(files().getFirst());
        bytes[(int) (at < 0 ? bytes.length + at : at)] ^= 0x41;
        Files.write(files().getFirst(), bytes);

        assertThat(load()).isEqualTo(first);
        assertThat(lines.get(1)).contains("is damaged and is written anew");
        assertThat(load()).isEqualTo(first);
        assertThat(filled).hasValue(4);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 63, 64, 71, 1000, -1, -8})
    void aFileThatWasCutOffIsWrittenAnew(long length) throws IOException {
        load();
        byte[] bytes = Files.readAllBytes(files().getFirst());
        Files.write(files().getFirst(), java.util.Arrays.copyOf(bytes, (int) (length < 0 ? bytes.length + length : length)));

        load();
        assertThat(lines.get(1)).contains("is damaged");
        assertThat(filled).hasValue(4);
    }

    @Test
    void aFolderThatCannotBeWrittenIsNoReasonToFail() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "");

        assertThat(load("model", "slices", file.resolve("within")))
                .isEqualTo(List.of("100 of 1", LARGE + " of " + (LARGE % 100 + 1)));
        assertThat(lines).singleElement().asString().contains("cannot be used", "loaded without it");
    }

    @Test
    void twoRanksMayWriteTheSameFile() throws IOException {
        try (Arena arena = Arena.ofShared();
                HeldWeights first = new WeightCache(folder, "model", lines::add).open("slices", arena::allocate, 1, arena);
                HeldWeights second = new WeightCache(folder, "model", lines::add).open("slices", arena::allocate, 1, arena)) {
            first.hold(100, target -> target.fill((byte) 1));
            second.hold(100, target -> target.fill((byte) 1));
            first.complete();
            second.complete();
        }
        assertThat(files()).hasSize(1);
    }

    @Test
    void whatIsNotCompletedLeavesNothingBehind() throws IOException {
        try (Arena arena = Arena.ofShared();
                HeldWeights held = new WeightCache(folder, "model", lines::add).open("slices", arena::allocate, 1, arena)) {
            held.hold(100, target -> target.fill((byte) 1));
        }
        assertThat(files()).isEmpty();
    }
}
