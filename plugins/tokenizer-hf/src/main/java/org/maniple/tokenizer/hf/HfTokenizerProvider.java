package org.maniple.tokenizer.hf;

import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneId;
import org.maniple.api.PluginContext;
import org.maniple.api.checkpoint.CompanionFiles;
import org.maniple.api.text.TextCodec;
import org.maniple.api.text.TextException;
import org.maniple.api.text.Tokenizer;

/** Loads Hugging Face's tokenizer.json with the chat template beside it. */
public final class HfTokenizerProvider implements Tokenizer {

    /** For {@link java.util.ServiceLoader}. */
    public HfTokenizerProvider() {
        // nothing to set up
    }

    @Override
    public String name() {
        return "hf";
    }

    @Override
    public boolean accepts(Path model) {
        return ModelFiles.present(model);
    }

    @Override
    public boolean accepts(CompanionFiles files) {
        return files.names().contains(ModelFiles.TOKENIZER);
    }

    @Override
    public TextCodec load(CompanionFiles files, PluginContext context) {
        try {
            return new ModelFiles(new TextFiles.Provided(files)).load(Clock.system(ZoneId.systemDefault()));
        } catch (TextFailure e) {
            throw new TextException(e.getMessage(), e);
        }
    }

    @Override
    public TextCodec load(Path model, PluginContext context) {
        try {
            return new ModelFiles(model).load(Clock.system(ZoneId.systemDefault()));
        } catch (TextFailure e) {
            throw new TextException(e.getMessage(), e);
        }
    }
}
