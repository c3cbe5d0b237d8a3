package org.maniple.kernel.load;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Holds weights in memory and writes them into a file, under another name until it is complete. A file that cannot be written is given up, which is said;
 * the weights are held all the same. Ranks that write the same file at the same time replace each other's, which have the same bytes.
 */
final class CacheWriter implements HeldWeights {

    static final String UNFINISHED = ".tmp";

    private final Path file;
    private final Path unfinished;
    private final byte[] key;
    private final LongFunction<MemorySegment> memory;
    private final Consumer<String> announce;
    private final List<long[]> table = new ArrayList<>();
    private @Nullable FileChannel channel;
    private long position = CacheFile.HEAD;

    CacheWriter(Path file, byte[] key, LongFunction<MemorySegment> memory, Consumer<String> announce) {
        this.file = file;
        this.unfinished = file.resolveSibling(file.getFileName() + "." + UUID.randomUUID() + UNFINISHED);
        this.key = key;
        this.memory = memory;
        this.announce = announce;
        try {
            channel = FileChannel.open(unfinished, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
        } catch (IOException e) {
            giveUp(e);
        }
    }

    @Override
    public MemorySegment hold(long bytes, Consumer<MemorySegment> fill) {
        MemorySegment target = memory.apply(bytes);
        fill.accept(target);
        FileChannel open = channel;
        if (open != null) {
            try {
                append(open, target.asSlice(0, bytes));
            } catch (IOException e) {
                giveUp(e);
            }
        }
        return target;
    }

    private void append(FileChannel open, MemorySegment bytes) throws IOException {
        long[] entry = new long[1 + (int) Math.ceilDiv(bytes.byteSize(), CacheFile.PIECE)];
        entry[0] = bytes.byteSize();
        for (int i = 1; i < entry.length; i++) {
            long from = (i - 1) * CacheFile.PIECE;
            MemorySegment piece = bytes.asSlice(from, Math.min(CacheFile.PIECE, bytes.byteSize() - from));
            entry[i] = CacheFile.checksum(piece);
            write(open, piece, position + from);
        }
        table.add(entry);
        position = CacheFile.aligned(position + bytes.byteSize());
    }

    private static void write(FileChannel open, MemorySegment bytes, long at) throws IOException {
        ByteBuffer buffer = bytes.asByteBuffer();
        for (long to = at; buffer.hasRemaining();) {
            to += open.write(buffer, to);
        }
    }

    @Override
    public void complete() {
        FileChannel open = channel;
        if (open == null) {
            return;
        }
        try {
            int longs = table.stream().mapToInt(entry -> entry.length).sum() + 1;
            MemorySegment bytes = MemorySegment.ofArray(new byte[Math.multiplyExact(longs, 8)]);
            long at = 0;
            for (long[] entry : table) {
                for (long value : entry) {
                    bytes.set(JAVA_LONG_UNALIGNED, at, value);
                    at += 8;
                }
            }
            bytes.set(JAVA_LONG_UNALIGNED, at, position);
            write(open, bytes, position);
            write(open, CacheFile.head(key, table.size(), position + bytes.byteSize(), CacheFile.checksum(bytes)), 0);
            open.force(true);
            open.close();
            channel = null;
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            announce.accept("weight cache: wrote " + (position >> 20) + " MiB to " + file + " for the next start");
        } catch (IOException e) {
            giveUp(e);
        }
    }

    private void giveUp(IOException e) {
        announce.accept("weight cache: " + file + " cannot be written (" + e + "); weights are loaded without it");
        close();
    }

    @Override
    public void close() {
        FileChannel open = channel;
        channel = null;
        try {
            if (open != null) {
                open.close();
            }
            Files.deleteIfExists(unfinished);
        } catch (IOException e) {
            announce.accept("weight cache: " + unfinished + " stays behind: " + e);
        }
    }
}
