package org.maniple.api.checkpoint;

import java.util.Optional;
import java.util.Set;

/**
 * The small files that belong to a model beside its weights, with the names and the contents that they have in published checkpoints:
 * {@code config.json}, {@code generation_config.json}, {@code tokenizer.json}, {@code tokenizer_config.json}. A format that keeps their content
 * elsewhere gives it in this form, so that nothing else needs to know. Safe for use by several threads.
 */
public interface CompanionFiles {

    /**
     * Where they come from.
     *
     * @return a file, for messages
     */
    String origin();

    /**
     * Which files there are.
     *
     * @return their names
     */
    Set<String> names();

    /**
     * One of the files.
     *
     * @param name its name
     * @return its content; empty if it is not among {@link #names}
     * @throws CheckpointException if what it is made from is damaged, or cannot be expressed so
     */
    Optional<byte[]> read(String name);

    /**
     * What {@code tokenizer.json} says, taken apart; readers that know what to do with it are spared the file. The same as {@link #read} of that name.
     *
     * @return empty if there is no such file, or it is not known in parts
     * @throws CheckpointException as {@link #read}
     */
    default Optional<TokenizerParts> tokenizer() {
        return Optional.empty();
    }
}
