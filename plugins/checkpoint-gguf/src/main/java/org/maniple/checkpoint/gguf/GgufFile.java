package org.maniple.checkpoint.gguf;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.CheckpointException;

/** One open file with its checked header. Safe for use by several threads. */
final class GgufFile implements AutoCloseable {

    private final Path path;
    private final FileChannel channel;
    private final Header header;

    private GgufFile(Path path, FileChannel channel, Header header) {
        this.path = path;
        this.channel = channel;
        this.header = header;
    }

    static GgufFile open(Path path, Headers headers) {
        FileChannel channel;
        try {
            channel = FileChannel.open(path, StandardOpenOption.READ);
        } catch (IOException e) {
            throw new CheckpointException(path + ": cannot be opened", e);
        }
        try {
            return new GgufFile(path, channel, headers.of(path, channel));
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

    Header header() {
        return header;
    }

    Metadata metadata() {
        return new Metadata(path, header.values());
    }

    /** Maps bytes of which the caller has checked that they are within a tensor. */
    MemorySegment map(long position, long length, Arena arena) {
        try {
            return channel.map(FileChannel.MapMode.READ_ONLY, position, length, arena);
        } catch (IOException e) {
            throw new CheckpointException(path + ": " + length + " bytes from " + position + " on cannot be mapped", e);
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

    @Override
    public void close() {
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
