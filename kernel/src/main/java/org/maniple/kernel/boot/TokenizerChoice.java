package org.maniple.kernel.boot;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.maniple.api.PluginContext;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.checkpoint.CompanionFiles;
import org.maniple.api.config.Settings;
import org.maniple.api.text.TextCodec;
import org.maniple.api.text.Tokenizer;
import org.maniple.kernel.config.ConfigurationException;
import org.maniple.kernel.config.KernelOptions;
import org.maniple.kernel.config.UnitConfiguration;
import org.maniple.kernel.plugin.ExtensionKind;

/**
 * What turns texts into tokens on rank 0.
 *
 * @param tokenizer what reads the files
 * @param path where they are
 * @param companions the files themselves, if the format of the model's weights provides them
 */
record TokenizerChoice(Tokenizer tokenizer, Path path, Optional<CompanionFiles> companions) {

    /**
     * Chooses; cheap, so that a unit without a tokenizer is refused before its ranks are started.
     *
     * @return empty if the configuration wants none
     * @throws ConfigurationException if no plugin knows the files
     */
    static Optional<TokenizerChoice> of(UnitConfiguration configuration) {
        Settings settings = configuration.settings();
        if (settings.flag(KernelOptions.SKIP_TOKENIZER_INIT)) {
            return Optional.empty();
        }
        Path path = Path.of(settings.optionalText(KernelOptions.TOKENIZER).orElse(settings.text(KernelOptions.MODEL)));
        List<Tokenizer> all = configuration.extensions().all(ExtensionKind.TOKENIZER);
        Optional<CompanionFiles> companions = companions(path, configuration);
        Tokenizer tokenizer = all.stream().filter(known -> companions.map(known::accepts).orElseGet(() -> known.accepts(path)))
                .findFirst()
                .orElseThrow(
                        () -> new ConfigurationException(List.of("[" + path + "] holds no tokenizer of a known format; known: "
                                + all.stream().map(Tokenizer::name).toList()
                                + "; give --tokenizer PATH, or --skip-tokenizer-init to serve token ids only"
                                + UnitPlan.disabled(configuration))));
        return Optional.of(new TokenizerChoice(tokenizer, path, companions));
    }

    private static Optional<CompanionFiles> companions(Path path, UnitConfiguration configuration) {
        try {
            return ModelFiles.companions(path, configuration.extensions());
        } catch (CheckpointException e) {
            throw new ConfigurationException(List.of("tokenizer [" + path + "]: " + e.getMessage()));
        }
    }

    /** Reads the files. */
    TextCodec load(PluginContext context) {
        return companions.isPresent() ? tokenizer.load(companions.get(), context) : tokenizer.load(path, context);
    }
}
