package org.maniple.moe.ep;

import java.util.List;
import org.maniple.api.PluginContext;
import org.maniple.api.collective.AllToAll;
import org.maniple.api.collective.PairExchange;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.api.config.Settings;

/** Each token goes only to the ranks that have one of its experts, in one message for each pair of ranks; sums come back the same way. */
public final class DirectAllToAll implements AllToAll {

    static final String MODE = "all2all-mode";
    static final String LOW_LATENCY_TOKENS = "all2all-low-latency-tokens";
    static final String DTYPE = "moe-dispatch-dtype";

    @Override
    public String name() {
        return "direct";
    }

    @Override
    public List<Option> options() {
        return List.of(
                Option.of(MODE, OptionType.TEXT,
                        "low_latency sends tokens at once into room for the most there can be; high_throughput (also normal) tells sizes first;"
                                + " auto takes low_latency for small steps.")
                        .withDefault("auto").withChoices("auto", "low_latency", "high_throughput", "normal")
                        .withAliases("--deepep-mode"),
                Option.of(LOW_LATENCY_TOKENS, OptionType.INTEGER, "Most tokens of a rank for which auto takes low_latency.")
                        .withDefault("64").withMinimum(0),
                Option.of(DTYPE, OptionType.TEXT,
                        "How rows are sent to experts: f32, bf16, or fp8 or int8 with a scale for each 128 elements. Results come back as f32.")
                        .withDefault("f32").withChoices("f32", "bf16", "fp8", "int8"));
    }

    @Override
    public boolean gathers() {
        return false;
    }

    @Override
    public PairExchange open(Setting setting, PluginContext context) {
        Settings settings = context.settings();
        RowCodec codec = codec(setting, settings);
        return new DirectExchange(setting, codec, new DirectDelivery(setting, codec.rowBytes(), lowLatencyTokens(settings)));
    }

    /** The most tokens of a rank that are sent at once; -1: never. */
    static int lowLatencyTokens(Settings settings) {
        return switch (settings.text(MODE)) {
            case "low_latency" -> Integer.MAX_VALUE;
            case "high_throughput", "normal" -> -1;
            default -> settings.integer(LOW_LATENCY_TOKENS);
        };
    }

    static RowCodec codec(Setting setting, Settings settings) {
        return RowCodec.of(settings.text(DTYPE), setting.width());
    }
}
