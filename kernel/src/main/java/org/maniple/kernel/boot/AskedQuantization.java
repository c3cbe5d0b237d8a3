package org.maniple.kernel.boot;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.tensor.DType;
import org.maniple.kernel.config.ConfigurationException;
import org.maniple.kernel.config.EffectiveSettings;
import org.maniple.kernel.config.KernelOptions;
import org.maniple.kernel.load.Quantization;
import org.maniple.kernel.load.Quantization.Method;

/** How weights are quantised once they are loaded: as the model's configuration says, or as the key {@code quantization} asks. */
final class AskedQuantization {

    private AskedQuantization() {}

    /**
     * Puts both together.
     *
     * @param stored how the elements of tensors are stored, where that is not in the configuration
     * @throws ConfigurationException if they contradict each other
     */
    static Quantization of(EffectiveSettings settings, ModelConfig config, ModelGraph graph, Map<String, DType> stored) {
        Quantization own = Quantization.of(config);
        if (!settings.has(KernelOptions.QUANTIZATION)) {
            return own;
        }
        String asked = settings.text(KernelOptions.QUANTIZATION);
        String method = config.object("quantization_config").flatMap(values -> values.text("quant_method")).orElse("")
                .toLowerCase(Locale.ROOT);
        if (method.equals(asked)) {
            return own;
        }
        String where = settings.where(KernelOptions.QUANTIZATION) + ": ";
        if (own.method() != Method.NONE) {
            throw new ConfigurationException(List.of(where + "the model is quantised already (" + own.described()
                    + "), and is not quantised once more; leave the key out, or give a model that is not"));
        }
        stored.entrySet().stream().filter(tensor -> tensor.getValue().blocked()).findFirst().ifPresent(tensor -> {
            throw new ConfigurationException(List.of(where + "the model is quantised already (" + tensor.getKey() + " is "
                    + tensor.getValue() + "), and is not quantised once more; leave the key out, or give a model that is not"));
        });
        if (!KernelOptions.CONVERSIONS.contains(asked)) {
            throw new ConfigurationException(List.of(where + "the model is not quantised by [" + asked
                    + "]: its config.json has no quantization_config; floats can be converted to " + KernelOptions.CONVERSIONS));
        }
        return own.converting(graph, DType.valueOf(asked.toUpperCase(Locale.ROOT)));
    }

    /** The types of tensors, with those that are known to become blocks. */
    static Map<String, DType> types(Quantization quantization, ModelGraph graph, Set<String> index, Map<String, DType> stored) {
        var types = new HashMap<>(stored);
        types.putAll(quantization.blockTypes(graph, index));
        return types;
    }
}
