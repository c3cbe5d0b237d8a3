package org.maniple.checkpoint.safetensors;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.CheckpointException;

/** One open file with its checked header. Safe for use by several threads. */
final class SafetensorsFile {

    private final Path path;
    private final FileChannel channel;
    private final Header header;

    private SafetensorsFile(Path path, FileChannel channel, Header header) {
        this.path = path;
        this.channel = channel;
        this.header = header;
    }

    static SafetensorsFile open(Path path) {
        FileChannel channel;
        try {
            channel = FileChannel.open(path, StandardOpenOption.READ);
        } catch (IOException e) {
            throw new CheckpointException(path + ": cannot be opened", e);
        }
        try {
            return new SafetensorsFile(path, channel, HeaderReader.read(path, channel));
        } catch (IOException e) {
            closeQuietly(channel, e);
            throw new CheckpointException(path + ": header cannot be read", e);
        } catch (RuntimeException e) {
            closeQuietly(channel, e);
            throw e;
        }
    }

    Path path() {
        return path;
    }

    Map<String, Header.Entry> tensors() {
        return header.tensors();
    }

    MemorySegment map(Header.Entry entry, long offset, long length, Arena arena) {
        String name = Shown.name(entry.tensor().name());
        long bytes = entry.tensor().bytes();
        if (offset < 0 || length < 0 || length > bytes - offset) {
            throw new CheckpointException(path + ": tensor [" + name + "] has " + bytes + " bytes; " + length + " from " + offset
                    + " on are not within");
        }
        try {
            return channel.map(FileChannel.MapMode.READ_ONLY, header.dataStart() + entry.offset() + offset, length, arena);
        } catch (IOException e) {
            throw new CheckpointException(path + ": tensor [" + name + "] cannot be mapped", e);
        }
    }

    String fingerprint(Checkpoint.Checksum checksum) {
        try {
            return switch (checksum) {
                case SAMPLED -> Fingerprint.sampled(channel, header.dataStart());
                case FULL -> Fingerprint.full(channel);
            };
        } catch (IOException e) {
            throw new CheckpointException(path + ": cannot be read for its checksum", e);
        }
    }

    void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new CheckpointException(path + ": cannot be closed", e);
        }
    }

    private static void closeQuietly(FileChannel channel, Exception cause) {
        try {
            channel.close();
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
    }
}
