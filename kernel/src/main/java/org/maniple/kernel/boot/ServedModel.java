package org.maniple.kernel.boot;

import java.util.Optional;
import java.util.function.Function;
import org.maniple.api.Extension;
import org.maniple.api.PluginContext;
import org.maniple.api.config.Settings;
import org.maniple.api.engine.ModelInfo;
import org.maniple.api.text.TextCodec;
import org.maniple.kernel.config.KernelOptions;
import org.maniple.kernel.config.UnitConfiguration;

/** What clients are told about the model, and what reads and writes its texts, on every rank that serves. */
final class ServedModel {

    private ServedModel() {}

    static ModelInfo info(UnitPlan plan, Capacity capacity) {
        Settings settings = plan.configuration().settings();
        int vocabulary = plan.program().graph().vocabulary();
        return new ModelInfo(settings.texts(KernelOptions.SERVED_MODEL_NAME), settings.text(KernelOptions.MODEL),
                plan.architecture().name(), vocabulary, capacity.maxModelLength(), plan.files().endTokens(vocabulary),
                plan.files().generationDefaults());
    }

    static Optional<TextCodec> codec(UnitConfiguration configuration, Function<Extension, PluginContext> contexts) {
        return TokenizerChoice.of(configuration)
                .map(choice -> choice.load(contexts.apply(choice.tokenizer())));
    }
}
