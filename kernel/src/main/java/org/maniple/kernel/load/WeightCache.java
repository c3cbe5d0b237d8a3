package org.maniple.kernel.load;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.LongFunction;

/**
 * A folder with weights in the form in which ranks hold them: packed for the back end, converted, or copied together. A file belongs to a rank's slices of
 * one checkpoint; its name says which, by a digest of everything that decides its bytes. It is written under another name and then renamed, and is checked
 * whole before it is used; one that is damaged is written anew.
 *
 * <p>Safe for use by several processes at the same time.
 */
public final class WeightCache {

    private static final String ENDING = ".weights";
    private static final String VERSION = "1";
    private static final Duration ABANDONED = Duration.ofDays(1);

    private final Path folder;
    private final String model;
    private final Consumer<String> announce;
    private final LongAdder mappedBytes = new LongAdder();

    /**
     * A cache.
     *
     * @param folder where files are; made when it is needed
     * @param model what distinguishes the checkpoint from others, also from an earlier version of itself
     * @param announce is told what is found, written, or cannot be
     */
    public WeightCache(Path folder, String model, Consumer<String> announce) {
        this.folder = folder;
        this.model = model;
        this.announce = announce;
    }

    /** Bytes that were mapped. */
    long mappedBytes() {
        return mappedBytes.sum();
    }

    /**
     * Begins to load a rank's weights.
     *
     * @param slices describes everything but the checkpoint that decides which bytes are held, in which order
     * @param memory gives memory for what is not in the cache
     * @param threads check a file
     * @param arena a mapping lives as long as it does
     */
    HeldWeights open(String slices, LongFunction<MemorySegment> memory, int threads, Arena arena) {
        byte[] key = digest(VERSION + "\n" + model + "\n" + slices);
        Path file = folder.resolve(HexFormat.of().formatHex(key, 0, 16) + ENDING);
        try {
            Files.createDirectories(folder);
            sweep();
            if (Files.exists(file)) {
                Optional<List<MemorySegment>> entries = CacheFile.map(file, key, threads, arena);
                if (entries.isPresent()) {
                    return new Found(entries.get(), file);
                }
                announce.accept("weight cache: " + file + " is damaged and is written anew");
            }
        } catch (IOException e) {
            announce.accept("weight cache: " + folder + " cannot be used (" + e + "); weights are loaded without it");
            return HeldWeights.in(memory);
        }
        return new CacheWriter(file, key, memory, announce);
    }

    /** Removes what processes left behind that were killed while they wrote. */
    private void sweep() throws IOException {
        FileTime before = FileTime.from(Instant.now().minus(ABANDONED));
        try (DirectoryStream<Path> left = Files.newDirectoryStream(folder, "*" + ENDING + ".*" + CacheWriter.UNFINISHED)) {
            for (Path file : left) {
                if (Files.getLastModifiedTime(file).compareTo(before) < 0) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    private static byte[] digest(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }

    /** Weights that are there already. */
    private final class Found implements HeldWeights {
        private final Iterator<MemorySegment> entries;
        private final Path file;

        Found(List<MemorySegment> entries, Path file) {
            this.entries = entries.iterator();
            this.file = file;
        }

        @Override
        public MemorySegment hold(long bytes, Consumer<MemorySegment> fill) {
            MemorySegment entry = entries.hasNext() ? entries.next() : MemorySegment.NULL;
            if (entry.byteSize() != bytes) {
                throw new IllegalStateException(file + " has " + entry.byteSize() + " bytes where " + bytes
                        + " are wanted; its name does not say all that decides what is in it");
            }
            mappedBytes.add(bytes);
            return entry;
        }

        @Override
        public void complete() {
            announce.accept("weight cache: mapped " + (mappedBytes() >> 20) + " MiB of " + file);
        }

        @Override
        public void close() {
            // The mapping lives as long as its arena.
        }
    }
}
