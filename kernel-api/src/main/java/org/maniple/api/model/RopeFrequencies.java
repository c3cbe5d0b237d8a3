package org.maniple.api.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.maniple.api.graph.BuiltinOp;

/**
 * The angles of rotary position embeddings as a configuration describes them, in either of its two styles: {@code rope_theta} with
 * {@code rope_scaling}, or {@code rope_parameters} (which may hold one object for each kind of layer). Pure functions, in double
 * precision.
 *
 * <p>Sources: Su et al., "RoFormer" (the angles); Meta's Llama 3.1 reference code ({@code llama3}); Peng et al., "YaRN"
 * ({@code yarn}); position interpolation, Chen et al. ({@code linear}). Two keys are of GGUF files: {@code rope_interleave} where the rows of queries
 * and keys lie in the order of interleaved pairs, and the scaling {@code divisors} with a number for each pair.
 */
public final class RopeFrequencies {

    /** The base where a configuration has none. */
    public static final double DEFAULT_THETA = 10_000;

    private static final String TYPES = "one of default, divisors, linear, llama3, yarn";

    private final ModelConfig settings;
    private final double theta;
    private final int dim;
    private final int positions;

    private RopeFrequencies(ModelConfig settings, double theta, int dim, int positions) {
        this.settings = settings;
        this.theta = theta;
        this.dim = dim;
        this.positions = positions;
    }

    /**
     * The angles of a model whose layers are all alike.
     *
     * @param config the model's configuration
     * @param headDim elements of a head
     * @return angles for half-split pairs, or for interleaved ones if the configuration says {@code rope_interleave}
     * @throws ModelConfigException if the configuration asks for a scaling that is not known here, or lacks one of its keys
     */
    public static BuiltinOp.Rope of(ModelConfig config, int headDim) {
        return of(config, headDim, "", DEFAULT_THETA);
    }

    /**
     * The angles of a model whose layers are all alike and which turns a part of each head.
     *
     * @param config the model's configuration
     * @param headDim elements of a head
     * @param defaultShare the part that is turned if the configuration has no {@code partial_rotary_factor}
     * @return angles for half-split pairs, or for interleaved ones if the configuration says {@code rope_interleave}
     * @throws ModelConfigException if the configuration asks for a scaling that is not known here, or lacks one of its keys
     */
    public static BuiltinOp.Rope partial(ModelConfig config, int headDim, double defaultShare) {
        return of(config, headDim, "", DEFAULT_THETA, defaultShare);
    }

    /**
     * The angles of one kind of layer.
     *
     * @param config the model's configuration
     * @param headDim elements of a head
     * @param layerType the word of {@code layer_types} for this kind of layer; looked for in {@code rope_parameters}
     * @param defaultTheta the base if the configuration has none
     * @return angles for half-split pairs, or for interleaved ones if the configuration says {@code rope_interleave}
     * @throws ModelConfigException if the configuration asks for a scaling that is not known here, or lacks one of its keys
     */
    public static BuiltinOp.Rope of(ModelConfig config, int headDim, String layerType, double defaultTheta) {
        return of(config, headDim, layerType, defaultTheta, 1);
    }

    private static BuiltinOp.Rope of(ModelConfig config, int headDim, String layerType, double defaultTheta,
            double defaultShare) {
        ModelConfig settings = settings(config, layerType);
        ModelConfig owner = settings.has("rope_theta") ? settings : config;
        double theta = owner.number("rope_theta", defaultTheta);
        if (theta <= 1) {
            throw owner.unsupported("rope_theta", "a number greater than 1");
        }
        int dim = rotaryDim(settings.has("partial_rotary_factor") ? settings : config, headDim, defaultShare);
        BuiltinOp.Rope halves = new RopeFrequencies(settings, theta, dim, config.extent("max_position_embeddings")).scaled();
        return new BuiltinOp.Rope(halves.frequencies(), halves.scale(), config.flag("rope_interleave", false));
    }

    /**
     * Unscaled angles.
     *
     * @param theta the base
     * @param dim elements that are turned, an even number
     * @return {@code theta^(-2i/dim)} for each pair {@code i}, for half-split pairs
     */
    public static BuiltinOp.Rope plain(double theta, int dim) {
        return new BuiltinOp.Rope(powers(theta, dim), 1, false);
    }

    /**
     * Positions that a model was made for: {@code max_position_embeddings}, or with YaRN its multiple of the original length if that
     * is more (published configurations leave {@code max_position_embeddings} alone when YaRN is switched on by hand).
     *
     * @param config the model's configuration
     * @return positions
     * @throws ModelConfigException if the keys are absent or out of range
     */
    public static int contextLength(ModelConfig config) {
        int positions = config.extent("max_position_embeddings");
        ModelConfig settings = settings(config, "");
        if (!type(settings).equals("yarn")) {
            return positions;
        }
        double stretched = settings.extent("original_max_position_embeddings", positions) * positive(settings, "factor");
        return Math.clamp(Math.round(stretched), positions, 1 << 24);
    }

    /**
     * The factor on attention scores of models that say {@code mscale_all_dim} beside a scaling of positions (DeepSeek). Their cosine and
     * sine then have the quotient of two such factors, which is part of the angles.
     *
     * @param config the model's configuration
     * @return the square of YaRN's temperature; 1 where the key or the scaling is absent
     * @throws ModelConfigException if {@code factor} is absent or out of range
     */
    public static double scoreFactor(ModelConfig config) {
        ModelConfig settings = settings(config, "");
        double mscale = settings.number("mscale_all_dim", 0);
        if (type(settings).equals("default") || mscale == 0) {
            return 1;
        }
        double temperature = temperature(positive(settings, "factor"), mscale);
        return temperature * temperature;
    }

    private static ModelConfig settings(ModelConfig config, String layerType) {
        Optional<ModelConfig> all = config.object("rope_parameters");
        if (all.isPresent()) {
            return layerType.isEmpty() ? all.get() : all.get().object(layerType).orElse(all.get());
        }
        return config.object("rope_scaling").orElseGet(() -> new ModelConfig("config.json", Map.of()));
    }

    private static String type(ModelConfig settings) {
        return settings.text("rope_type").or(() -> settings.text("type")).orElse("default");
    }

    private static int rotaryDim(ModelConfig owner, int headDim, double defaultShare) {
        double factor = owner.number("partial_rotary_factor", defaultShare);
        int dim = (int) (headDim * factor);
        if (factor <= 0 || factor > 1 || dim % 2 != 0 || dim == 0) {
            throw owner.unsupported(owner.has("partial_rotary_factor") ? "partial_rotary_factor" : "head_dim",
                    "a share of the head dimension " + headDim + " that is an even number of elements");
        }
        return dim;
    }

    private BuiltinOp.Rope scaled() {
        List<Double> powers = powers(theta, dim);
        return switch (type(settings)) {
            case "default" -> new BuiltinOp.Rope(powers, 1, false);
            case "divisors" -> divided(powers);
            case "linear" -> linear(powers);
            case "llama3" -> llama3(powers);
            case "yarn" -> yarn(powers);
            default -> throw settings.unsupported(settings.has("rope_type") ? "rope_type" : "type", TYPES);
        };
    }

    /** The angle of each pair is divided by a number of its own: how GGUF files carry {@code llama3}. */
    private BuiltinOp.Rope divided(List<Double> powers) {
        List<Double> divisors = settings.numbers("divisors");
        if (divisors.size() != powers.size() || divisors.stream().anyMatch(divisor -> divisor <= 0)) {
            throw settings.unsupported("divisors", powers.size() + " positive numbers, one for each pair that is turned");
        }
        var scaled = new ArrayList<Double>(powers.size());
        for (int i = 0; i < powers.size(); i++) {
            scaled.add(powers.get(i) / divisors.get(i));
        }
        return new BuiltinOp.Rope(scaled, 1, false);
    }

    private BuiltinOp.Rope linear(List<Double> powers) {
        double factor = positive(settings, "factor");
        return new BuiltinOp.Rope(powers.stream().map(power -> power / factor).toList(), 1, false);
    }

    /** Long waves are stretched, short ones stay, and those between are interpolated. */
    private BuiltinOp.Rope llama3(List<Double> powers) {
        int original = settings.extent("original_max_position_embeddings");
        double low = positive(settings, "low_freq_factor");
        double high = positive(settings, "high_freq_factor");
        if (high <= low) {
            throw settings.unsupported("high_freq_factor", "more than low_freq_factor [" + low + "]");
        }
        double factor = positive(settings, "factor");
        var scaled = new ArrayList<Double>(powers.size());
        for (double power : powers) {
            double wave = 2 * Math.PI / power;
            double smooth = Math.clamp((original / wave - low) / (high - low), 0.0, 1.0);
            scaled.add((1 - smooth) * power / factor + smooth * power);
        }
        return new BuiltinOp.Rope(scaled, 1, false);
    }

    private BuiltinOp.Rope yarn(List<Double> powers) {
        double factor = positive(settings, "factor");
        int original = settings.extent("original_max_position_embeddings", positions);
        double low = pairTurning(orDefault("beta_fast", 32), original);
        double high = pairTurning(orDefault("beta_slow", 1), original);
        if (settings.flag("truncate", true)) {
            low = Math.floor(low);
            high = Math.ceil(high);
        }
        low = Math.max(low, 0);
        high = Math.min(high, dim - 1);
        double width = low == high ? 0.001 : high - low;
        var scaled = new ArrayList<Double>(powers.size());
        for (int i = 0; i < powers.size(); i++) {
            double ramp = Math.clamp((i - low) / width, 0.0, 1.0);
            scaled.add(powers.get(i) / factor * ramp + powers.get(i) * (1 - ramp));
        }
        return new BuiltinOp.Rope(scaled, attentionFactor(factor), false);
    }

    /** The pair (as a fraction) that turns this many times within the original length. */
    private double pairTurning(double turns, int original) {
        return dim * Math.log(original / (turns * 2 * Math.PI)) / (2 * Math.log(theta));
    }

    private double attentionFactor(double factor) {
        if (settings.has("attention_factor")) {
            return positive(settings, "attention_factor");
        }
        double mscale = settings.number("mscale", 0);
        double mscaleAll = settings.number("mscale_all_dim", 0);
        return mscale != 0 && mscaleAll != 0
                ? temperature(factor, mscale) / temperature(factor, mscaleAll)
                : temperature(factor, 1);
    }

    private static double temperature(double factor, double mscale) {
        return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
    }

    /** Zero counts as absent, as in the field's implementations. */
    private double orDefault(String key, double fallback) {
        return settings.number(key, 0) == 0 ? fallback : positive(settings, key);
    }

    private static double positive(ModelConfig config, String key) {
        double value = config.number(key);
        if (value <= 0) {
            throw config.unsupported(key, "a positive number");
        }
        return value;
    }

    private static List<Double> powers(double theta, int dim) {
        var powers = new ArrayList<Double>(dim / 2);
        for (int i = 0; i < dim; i += 2) {
            powers.add(1 / Math.pow(theta, (double) i / dim));
        }
        return powers;
    }
}
