package org.maniple.serve.openai;

import java.util.Map;
import org.maniple.api.config.Settings;
import org.maniple.api.model.ModelConfig;

/**
 * What applies where a request gives no value: the model's {@code generation_config.json}, else OpenAI's defaults.
 *
 * @param temperature see {@link org.maniple.api.engine.Sampling}
 * @param topP see there
 * @param topK see there
 * @param minP see there
 * @param repetitionPenalty see there
 */
record SamplingDefaults(double temperature, double topP, int topK, double minP, double repetitionPenalty) {

    static SamplingDefaults of(ModelConfig model, Settings settings) {
        boolean plain = settings.optionalText(OpenAiOptions.GENERATION_CONFIG).filter("vllm"::equals).isPresent();
        ModelConfig generation = plain ? new ModelConfig("nothing", Map.of()) : model;
        return new SamplingDefaults(generation.number("temperature", 1), generation.number("top_p", 1),
                generation.integer("top_k", 0),
                generation.number("min_p", 0), generation.number("repetition_penalty", 1));
    }
}
