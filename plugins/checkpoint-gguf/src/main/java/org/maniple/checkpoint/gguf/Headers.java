package org.maniple.checkpoint.gguf;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.maniple.api.checkpoint.CheckpointException;

/**
 * Headers that have been read, since a start asks several times for what is in them. One is believed as long as its file is the same one, of the same size
 * and last changed at the same time; not if it was changed just before it was read, when another change could have the same time. Safe for use by several
 * threads, of which one reads at a time.
 */
final class Headers {

    private static final Duration SETTLED = Duration.ofSeconds(2);
    /** Parts of a model of 10¹² weights, and more. */
    private static final int MOST = 1 << 10;

    /** What tells two states of a file apart. */
    private record Stamp(long size, FileTime changed, @Nullable Object key) {}

    private record Known(Stamp stamp, Header header) {}

    private final Clock clock;
    private final Map<Path, Known> known = new LinkedHashMap<>();

    Headers(Clock clock) {
        this.clock = clock;
    }

    /**
     * The header of an open file.
     *
     * @throws CheckpointException if anything in it is not as the format says
     */
    synchronized Header of(Path file, FileChannel channel) throws IOException {
        Stamp stamp = stamp(file);
        Known before = known.get(file);
        // The channel may have been opened on another file of this name.
        if (before != null && before.stamp().equals(stamp) && channel.size() == stamp.size()) {
            return before.header();
        }
        Header header = HeaderReader.read(file, channel);
        if (stamp.changed().toInstant().isBefore(clock.instant().minus(SETTLED))) {
            if (known.size() >= MOST) {
                known.clear();
            }
            known.put(file, new Known(stamp, header));
        }
        return header;
    }

    private static Stamp stamp(Path file) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        return new Stamp(attributes.size(), attributes.lastModifiedTime(), attributes.fileKey());
    }
}
