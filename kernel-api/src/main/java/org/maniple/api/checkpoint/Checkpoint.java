package org.maniple.api.checkpoint;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** An open checkpoint. Safe for use by several threads until it is closed. */
public interface Checkpoint extends AutoCloseable {

    /**
     * The names of all tensors.
     *
     * @return unmodifiable
     */
    Set<String> names();

    /**
     * A tensor's header.
     *
     * @param name its name
     * @return the header, or empty if there is no such tensor
     */
    Optional<StoredTensor> tensor(String name);

    /**
     * Maps a part of a tensor's bytes. Nothing else of the file is mapped, but for rounding to pages.
     *
     * @param name its name
     * @param offset first byte, counted from the tensor's first
     * @param length bytes
     * @param arena the mapping lives as long as it does
     * @return a read-only segment of exactly {@code length} bytes; its address need not be aligned
     * @throws CheckpointException if the tensor or the range is not there, or the file cannot be read
     */
    MemorySegment map(String name, long offset, long length, Arena arena);

    /**
     * What distinguishes this checkpoint from another, to be compared between ranks before anything is computed.
     *
     * @param checksum how much to look at
     * @return for each file (and for what is common to all) a short text; equal checkpoints give equal maps
     */
    Map<String, String> fingerprint(Checksum checksum);

    /** How much a fingerprint looks at. */
    enum Checksum {
        /** Headers, sizes, and sampled blocks of every file. */
        SAMPLED,
        /** Every byte. */
        FULL
    }

    /**
     * The files that make up the checkpoint, for messages and sizes.
     *
     * @return absolute paths
     */
    List<java.nio.file.Path> files();

    @Override
    void close();
}
