package org.maniple.api.text;

import java.nio.file.Path;
import org.maniple.api.Extension;
import org.maniple.api.PluginContext;
import org.maniple.api.checkpoint.CompanionFiles;

/** Loads the tokenizers and chat templates of one format. What it reads is hostile until checked. */
public interface Tokenizer extends Extension {

    /**
     * Whether a path holds a tokenizer in this format, by the names of its files.
     *
     * @param model a model's directory or file, or the directory that {@code tokenizer} names
     * @return whether {@link #load} makes sense
     */
    boolean accepts(Path model);

    /**
     * Whether files that a checkpoint format provides are a tokenizer in this format.
     *
     * @param files the files of a model
     * @return whether {@link #load(CompanionFiles, PluginContext)} makes sense
     */
    default boolean accepts(CompanionFiles files) {
        return false;
    }

    /**
     * Loads the tokenizer and the chat template from files that a checkpoint format provides.
     *
     * @param files as for {@link #accepts(CompanionFiles)}
     * @param context the plugin's context
     * @return the codec
     * @throws TextException if a file is damaged or uses something unsupported; names file and field
     */
    default TextCodec load(CompanionFiles files, PluginContext context) {
        throw new TextException(name() + " reads tokenizers from files of their own only, not from " + files.origin());
    }

    /**
     * Loads the tokenizer and, where there is one, the chat template.
     *
     * @param model as for {@link #accepts}
     * @param context the plugin's context
     * @return the codec
     * @throws TextException if a file is damaged or uses something unsupported; names file and field
     */
    TextCodec load(Path model, PluginContext context);
}
