package org.maniple.api.model;

import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** Which layers of a decoder see all positions and which a window of them. */
public final class LayerTypes {

    /** The word of {@code layer_types} for attention over all positions. */
    public static final String FULL = "full_attention";
    /** The word of {@code layer_types} for attention over the last {@code sliding_window} positions. */
    public static final String SLIDING = "sliding_attention";

    private LayerTypes() {}

    /**
     * The type of each layer: what {@code layer_types} says, otherwise the family's own rule.
     *
     * @param config the model's configuration
     * @param layers the number of blocks
     * @param rule the type of a layer, if the configuration has no {@code layer_types}
     * @return {@link #FULL} or {@link #SLIDING} for each layer
     * @throws ModelConfigException if {@code layer_types} has another length or another word
     */
    public static List<String> of(ModelConfig config, int layers, IntFunction<String> rule) {
        List<String> types = config.texts("layer_types");
        if (!config.has("layer_types")) {
            return IntStream.range(0, layers).mapToObj(rule).toList();
        }
        if (types.size() != layers) {
            throw config.unsupported("layer_types", "one word for each of the " + layers + " layers, not " + types.size());
        }
        for (String type : types) {
            if (!type.equals(FULL) && !type.equals(SLIDING)) {
                throw config.unsupported("layer_types", "words " + FULL + " and " + SLIDING + ", not " + type);
            }
        }
        return types;
    }
}
