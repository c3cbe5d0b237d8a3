package org.maniple.kernel.load;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.tensor.DType;

/**
 * How a model's weights are quantised: as its configuration says, or as they are to be converted when they are loaded. Which tensors are, their stored
 * types say; so a list of modules that were left alone needs no attention.
 *
 * @param method how they are stored
 * @param blockRows rows (outputs) that share a factor in an FP8 tensor
 * @param blockColumns columns (inputs) that share a factor in an FP8 tensor
 * @param factors what the name of the tensor with the factors of an FP8 weight has after the name of the weight
 * @param integers how weights of {@link Method#INTEGERS} are stored
 * @param conversions stored tensors that become blocks, with their types
 */
public record Quantization(Method method, int blockRows, int blockColumns, String factors, Optional<PackedIntegers> integers,
        Map<String, DType> conversions) {

    /** Ways of quantising that can be read. */
    public enum Method {
        /** Weights are what they are. */
        NONE,
        /** FP8 E4M3 with a factor for each block of rows and columns, as DeepSeek-V3 is published, for each row, or for all. */
        FP8,
        /** MXFP4, as gpt-oss is published. */
        MXFP4,
        /** Integers of 4 or 8 bits with scales and zero points: GPTQ, AWQ, compressed-tensors. */
        INTEGERS
    }

    private static final int BLOCK = 128;
    private static final int ALL = Integer.MAX_VALUE;
    private static final String SCALE_INV = "_scale_inv";
    private static final String SUPPORTED = "gptq or awq (integers of 4 or 8 bits), compressed-tensors (pack-quantized, int-quantized, "
            + "float-quantized), fp8 (blocks of 128x128) or mxfp4; give a checkpoint quantised so, or one that is not quantised";

    /** Not quantised; should an FP8 tensor turn up all the same, its blocks are 128×128. */
    public static final Quantization NONE = new Quantization(Method.NONE, BLOCK, BLOCK);

    /**
     * Floats or floats with factors.
     *
     * @param method how they are stored
     * @param blockRows rows (outputs) that share a factor in an FP8 tensor
     * @param blockColumns columns (inputs) that share a factor in an FP8 tensor
     */
    public Quantization(Method method, int blockRows, int blockColumns) {
        this(method, blockRows, blockColumns, SCALE_INV, Optional.empty(), Map.of());
    }

    private Quantization(PackedIntegers integers) {
        this(Method.INTEGERS, BLOCK, BLOCK, SCALE_INV, Optional.of(integers), Map.of());
    }

    /** Checks the block. */
    public Quantization {
        if (blockRows < 1 || blockColumns < 1) {
            throw new IllegalArgumentException("blocks of " + blockRows + " x " + blockColumns);
        }
        conversions = Map.copyOf(conversions);
    }

    /**
     * Reads it from the key {@code quantization_config}.
     *
     * @param config the model's configuration
     * @return how its weights are quantised
     * @throws org.maniple.api.model.ModelConfigException if it is by a method that cannot be read
     */
    public static Quantization of(ModelConfig config) {
        Optional<ModelConfig> found = config.object("quantization_config").or(() -> config.object("compression_config"));
        if (found.isEmpty()) {
            return NONE;
        }
        ModelConfig values = found.get();
        return switch (values.text("quant_method").orElse("").toLowerCase(Locale.ROOT)) {
            case "fp8" -> fp8(values);
            case "mxfp4" -> new Quantization(Method.MXFP4, BLOCK, BLOCK);
            case "gptq" -> new Quantization(PackedIntegers.gptq(values));
            case "awq" -> new Quantization(PackedIntegers.awq(values));
            case "compressed-tensors" -> compressed(values);
            default -> throw values.unsupported("quant_method", SUPPORTED);
        };
    }

    private static Quantization fp8(ModelConfig values) {
        if (!values.text("fmt").orElse("e4m3").equals("e4m3")) {
            throw values.unsupported("fmt", "e4m3");
        }
        List<Integer> block = block(values, "weight_block_size");
        return new Quantization(Method.FP8, block.get(0), block.get(1));
    }

    private static List<Integer> block(ModelConfig values, String key) {
        List<Integer> block = values.integers(key);
        if (block.isEmpty()) {
            return List.of(BLOCK, BLOCK);
        }
        if (block.size() != 2 || block.stream().anyMatch(size -> size < 1)) {
            throw values.unsupported(key, "rows and columns of a block, for example [128, 128]");
        }
        return block;
    }

    /** Of compressed-tensors one scheme can be read, which all groups of modules must have. What it says about activations is not done. */
    private static Quantization compressed(ModelConfig values) {
        ModelConfig groups = values.object("config_groups").orElseThrow(() -> values.unsupported("config_groups",
                "an object with the scheme of the weights"));
        if (values.object("sparsity_config").flatMap(sparsity -> sparsity.text("format")).filter(f -> !f.equals("dense"))
                .isPresent()) {
            throw values.unsupported("sparsity_config", "none; a checkpoint that is not sparse can be read");
        }
        Quantization scheme = null;
        for (String name : groups.keys().stream().sorted().toList()) {
            ModelConfig group = groups.object(name).orElseThrow(() -> groups.unsupported(name, "an object"));
            ModelConfig weights = group.object("weights")
                    .orElseThrow(() -> group.unsupported("weights", "the scheme of the weights"));
            Quantization own = scheme(group.has("format") ? group : values, weights);
            if (scheme != null && !scheme.equals(own)) {
                throw values.unsupported("config_groups", "the same scheme for the weights of all groups");
            }
            scheme = own;
        }
        if (scheme == null) {
            throw values.unsupported("config_groups", "at least one group with the scheme of the weights");
        }
        return scheme;
    }

    private static Quantization scheme(ModelConfig formatted, ModelConfig weights) {
        boolean floats = weights.text("type").orElse("int").equals("float");
        return switch (formatted.text("format").orElse("")) {
            case "pack-quantized" -> {
                if (floats) {
                    throw weights.unsupported("type", "int in the format pack-quantized");
                }
                yield new Quantization(PackedIntegers.compressed(weights, true));
            }
            case "int-quantized", "float-quantized", "naive-quantized" -> floats
                    ? compressedFloats(weights)
                    : new Quantization(PackedIntegers.compressed(weights, false));
            default -> throw formatted.unsupported("format",
                    "pack-quantized, int-quantized, float-quantized or naive-quantized");
        };
    }

    private static Quantization compressedFloats(ModelConfig weights) {
        if (weights.integer("num_bits") != 8 || !weights.flag("symmetric", true)) {
            throw weights.unsupported("num_bits", "8, symmetric, for floats");
        }
        List<Integer> block = switch (weights.text("strategy").orElse("")) {
            case "tensor" -> List.of(ALL, ALL);
            case "channel" -> List.of(1, ALL);
            case "block" -> block(weights, "block_structure");
            default -> throw weights.unsupported("strategy", "tensor, channel or block for floats");
        };
        return new Quantization(Method.FP8, block.get(0), block.get(1), "_scale", Optional.empty(), Map.of());
    }

    /**
     * The same, with weights of floats converted when they are loaded: matrices that tokens are multiplied by, but not routers. The head becomes
     * Q8_0 at least, as llama.cpp gives it more bits than others; embeddings that are no head stay.
     *
     * @param graph the model
     * @param type a block type that has an encoder
     * @return the same with {@link #conversions}
     */
    public Quantization converting(ModelGraph graph, DType type) {
        return new Quantization(method, blockRows, blockColumns, factors, integers, QuantizedWeights.conversions(graph, type));
    }

    /**
     * The types that tensors have once they are read, where those are block types, as far as it is known without looking into files.
     *
     * @param graph the model
     * @param index the names of stored tensors, if they are known
     * @return types by the names of tensors
     */
    public Map<String, DType> blockTypes(ModelGraph graph, Set<String> index) {
        return integers.map(format -> QuantizedWeights.integers(graph, format, index)).orElse(conversions);
    }

    /**
     * Whether a weight is stored as integers in tensors of other names.
     *
     * @param tensor the name of the weight
     * @param index the names of stored tensors
     * @return whether tensors with its codes are among them
     */
    public boolean indexed(String tensor, Set<String> index) {
        return index.contains(tensor) || integers.isPresent() && QuantizedWeights.indexed(tensor, index);
    }

    /**
     * Bytes of a weight in the files.
     *
     * @param type as it is held
     * @param elements how many
     * @param columns elements of a row
     * @return bytes, with scales and zero points
     */
    public long storedBytes(DType type, long elements, long columns) {
        return type.blocked() && integers.isPresent()
                ? integers.get().storedBytes(elements, columns)
                : type.bytes(elements);
    }

    /** What distinguishes it from others, the same in every process. */
    String key() {
        return method + " " + blockRows + " " + blockColumns + " " + factors + " " + integers.map(PackedIntegers::key) + " "
                + new TreeMap<>(conversions);
    }

    /** What shares a factor, for messages. */
    String blocks() {
        return blockColumns != ALL ? "blocks of " + blockRows + "x" + blockColumns : blockRows == 1 ? "rows" : "all";
    }

    /**
     * How weights are stored, for messages.
     *
     * @return for example {@code gptq 4 bits}
     */
    public String described() {
        return integers.map(PackedIntegers::toString).orElseGet(() -> method.name().toLowerCase(Locale.ROOT));
    }
}
