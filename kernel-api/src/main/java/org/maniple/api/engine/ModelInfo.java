package org.maniple.api.engine;

import java.util.List;
import org.maniple.api.model.ModelConfig;

/**
 * The model that a unit serves.
 *
 * @param names what clients may call it; the first one is shown
 * @param path the path that it was loaded from, as the configuration has it
 * @param architecture the name of its architecture
 * @param vocabulary the number of token ids
 * @param maxModelLength positions that a request may have, prompt and output together
 * @param eosTokenIds tokens that end an output
 * @param generationDefaults the model's {@code generation_config.json}; empty if it has none
 */
public record ModelInfo(
        List<String> names,
        String path,
        String architecture,
        int vocabulary,
        int maxModelLength,
        List<Integer> eosTokenIds,
        ModelConfig generationDefaults) {

    /** Copies the lists. */
    public ModelInfo {
        names = List.copyOf(names);
        eosTokenIds = List.copyOf(eosTokenIds);
    }
}
