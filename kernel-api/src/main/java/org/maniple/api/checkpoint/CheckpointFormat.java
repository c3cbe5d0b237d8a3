package org.maniple.api.checkpoint;

import java.nio.file.Path;
import org.maniple.api.Extension;

/** A format in which models are stored. What it reads is hostile until checked. */
public interface CheckpointFormat extends Extension {

    /**
     * Whether a path holds a model in this format, by the names of its files.
     *
     * @param model a directory or file
     * @return whether {@link #open} makes sense
     */
    boolean accepts(Path model);

    /**
     * Reads and checks the headers; no weights.
     *
     * @param model a directory or file
     * @return the checkpoint, to be closed by the caller
     * @throws CheckpointException if a file is damaged; names file, tensor and field
     */
    Checkpoint open(Path model);
}
