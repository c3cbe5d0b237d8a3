package org.maniple.kernel.load;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.zip.CRC32C;

/**
 * The form of a file with held weights: a head of 64 bytes (magic, key, entries, bytes of the file, checksum of the table), entries that begin at multiples
 * of 64, and a table with the length of each entry and the checksums of its pieces of 8 MiB. All numbers are longs in the machine's order.
 */
final class CacheFile {

    static final int HEAD = 64;
    static final int KEY = 32;
    static final long PIECE = 8L << 20;
    private static final long MAGIC = 0x3154_4857_4C50_4E4DL;
    private static final int ALIGNMENT = 64;
    private static final int MAX_ENTRIES = 1 << 24;

    private CacheFile() {}

    /** The head of a complete file. */
    static MemorySegment head(byte[] key, long entries, long bytes, long table) {
        MemorySegment head = MemorySegment.ofArray(new byte[HEAD]);
        head.set(JAVA_LONG_UNALIGNED, 0, MAGIC);
        MemorySegment.copy(MemorySegment.ofArray(key), 0, head, 8, KEY);
        head.set(JAVA_LONG_UNALIGNED, 40, entries);
        head.set(JAVA_LONG_UNALIGNED, 48, bytes);
        head.set(JAVA_LONG_UNALIGNED, 56, table);
        return head;
    }

    static long aligned(long offset) {
        return offset + ALIGNMENT - 1 & -ALIGNMENT;
    }

    /** The checksum of bytes that are in memory, at most {@link #PIECE}, or a table. */
    static long checksum(MemorySegment bytes) {
        var checksum = new CRC32C();
        checksum.update(bytes.asByteBuffer());
        return checksum.getValue();
    }

    /** A part of an entry and what its checksum is to be. */
    private record Piece(MemorySegment bytes, long checksum) {}

    /**
     * Maps a file and reads all of it to check it.
     *
     * @param arena the mapping lives as long as it does
     * @return the entries; empty if the file is not complete, not unchanged, or of another key
     * @throws IOException if it cannot be read
     */
    static Optional<List<MemorySegment>> map(Path file, byte[] key, int threads, Arena arena) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long size = channel.size();
            if (size < HEAD) {
                return Optional.empty();
            }
            return entries(channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena), key, threads);
        }
    }

    private static Optional<List<MemorySegment>> entries(MemorySegment file, byte[] key, int threads) {
        long size = file.byteSize();
        long count = file.get(JAVA_LONG_UNALIGNED, 40);
        if (file.get(JAVA_LONG_UNALIGNED, 0) != MAGIC || !Arrays.equals(file.asSlice(8, KEY).toArray(JAVA_BYTE), key)
                || file.get(JAVA_LONG_UNALIGNED, 48) != size || count < 0 || count > MAX_ENTRIES) {
            return Optional.empty();
        }
        // The table ends the file; where it begins, its last number says.
        long table = size < HEAD + 8 ? -1 : file.get(JAVA_LONG_UNALIGNED, size - 8);
        if (table < HEAD || table > size - 8 || size - table > Integer.MAX_VALUE
                || checksum(file.asSlice(table)) != file.get(JAVA_LONG_UNALIGNED, 56)) {
            return Optional.empty();
        }
        var entries = new ArrayList<MemorySegment>();
        var pieces = new ArrayList<Piece>();
        long at = table;
        long offset = HEAD;
        for (long i = 0; i < count; i++) {
            if (at > size - 16) {
                return Optional.empty();
            }
            long length = file.get(JAVA_LONG_UNALIGNED, at);
            at += 8;
            if (length < 0 || length > table - offset || Math.ceilDiv(length, PIECE) > (size - 8 - at) / 8) {
                return Optional.empty();
            }
            entries.add(file.asSlice(offset, length));
            for (long piece = 0; piece < length; piece += PIECE, at += 8) {
                pieces.add(new Piece(file.asSlice(offset + piece, Math.min(PIECE, length - piece)),
                        file.get(JAVA_LONG_UNALIGNED, at)));
            }
            offset = aligned(offset + length);
        }
        var right = new AtomicBoolean(true);
        Parallel.run(threads, pieces.size(), i -> {
            if (right.get() && checksum(pieces.get(i).bytes()) != pieces.get(i).checksum()) {
                right.set(false);
            }
        });
        return right.get() ? Optional.of(entries) : Optional.empty();
    }
}
