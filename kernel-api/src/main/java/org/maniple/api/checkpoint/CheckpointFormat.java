package org.maniple.api.checkpoint;

import java.nio.file.Path;
import java.util.Optional;
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
     * The model's configuration, tokenizer and template, where this format keeps them with the weights.
     *
     * @param model a directory or file that this format {@link #accepts}
     * @return empty if they are files beside the weights
     * @throws CheckpointException if a file is damaged
     */
    default Optional<CompanionFiles> companions(Path model) {
        return Optional.empty();
    }

    /**
     * Reads and checks the headers; no weights.
     *
     * @param model a directory or file
     * @return the checkpoint, to be closed by the caller
     * @throws CheckpointException if a file is damaged; names file, tensor and field
     */
    Checkpoint open(Path model);
}
