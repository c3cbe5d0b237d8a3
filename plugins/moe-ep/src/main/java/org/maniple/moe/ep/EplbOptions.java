package org.maniple.moe.ep;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.api.config.Problem;
import org.maniple.api.config.Settings;
import org.maniple.api.mesh.ExpertBalancer;

/** The keys about rebalancing: vLLM's one key with JSON in it, and the same things as keys of their own. */
final class EplbOptions {

    static final String ENABLE = "enable-eplb";
    static final String CONFIG = "eplb-config";
    static final String WINDOW = "eplb-window-size";
    static final String INTERVAL = "eplb-step-interval";
    static final String CHUNK = "eplb-rebalance-layers-per-chunk";
    static final String ALGORITHM = "eplb-algorithm";
    static final String THRESHOLD = "eplb-min-rebalancing-utilization-threshold";
    static final String LOG = "eplb-log-balancedness";

    private EplbOptions() {}

    static List<Option> all() {
        return List.of(
                Option.of(ENABLE, OptionType.BOOLEAN,
                        "Move experts between ranks while serving, so that the ranks are used evenly.")
                        .withDefault("false"),
                Option.of(CONFIG, OptionType.TEXT, "The settings of rebalancing as vLLM writes them: {\"window_size\": 1000}."),
                Option.of(WINDOW, OptionType.INTEGER, "Steps over which the load of experts is counted.").withDefault("1000")
                        .withMinimum(1),
                Option.of(INTERVAL, OptionType.INTEGER, "Steps from one rebalancing to the next.").withDefault("3000")
                        .withMinimum(1).withAliases("--eplb-rebalance-num-iterations"),
                Option.of(CHUNK, OptionType.INTEGER, "Layers that change over on the same step.").withDefault("1").withMinimum(1),
                Option.of(ALGORITHM, OptionType.TEXT,
                        "hierarchical keeps groups of experts on one node, global does not; auto takes what fits the model.")
                        .withDefault("auto").withChoices("auto", "hierarchical", "global"),
                Option.of(THRESHOLD, OptionType.NUMBER,
                        "Rebalance only if mean load ÷ greatest load of a rank is below this, from 0 to 1.").withDefault("1.0"),
                Option.of(LOG, OptionType.BOOLEAN, "Show the balancedness before and after each rebalancing.")
                        .withDefault("false"));
    }

    static List<Problem> problems(Settings settings) {
        var problems = new ArrayList<Problem>();
        double threshold = settings.number(THRESHOLD);
        if (!(threshold >= 0 && threshold <= 1)) {
            problems.add(new Problem(THRESHOLD, "[" + threshold + "] must be from 0 to 1"));
        }
        try {
            EplbConfig config = config(settings);
            contradiction(settings, INTERVAL, config.stepInterval().isPresent(), settings.integer(INTERVAL),
                    config.stepInterval().orElse(0), problems);
            contradiction(settings, WINDOW, config.windowSize().isPresent(), settings.integer(WINDOW),
                    config.windowSize().orElse(0), problems);
            contradiction(settings, ExpertParallelism.REDUNDANT, config.redundantExperts().isPresent(),
                    settings.integer(ExpertParallelism.REDUNDANT), config.redundantExperts().orElse(0), problems);
            contradiction(settings, LOG, config.logBalancedness().isPresent(), settings.flag(LOG),
                    config.logBalancedness().orElse(false), problems);
        } catch (IllegalArgumentException e) {
            problems.add(new Problem(CONFIG, String.valueOf(e.getMessage())));
        }
        if (settings.has(CONFIG) && !settings.flag(ENABLE)) {
            problems.add(new Problem(CONFIG, "says how to rebalance, but " + ENABLE + " is off; set " + ENABLE
                    + ", or remove this key (redundant experts without rebalancing are " + ExpertParallelism.REDUNDANT + ")"));
        }
        return problems;
    }

    private static void contradiction(Settings settings, String key, boolean inConfig, Object flat, Object config,
            List<Problem> problems) {
        if (inConfig && settings.given(key) && !flat.equals(config)) {
            problems.add(new Problem(key, "[" + flat + "] contradicts [" + config + "] in " + CONFIG + "; give it once"));
        }
    }

    /** Slots in addition to one for each expert. */
    static int redundant(Settings settings) {
        return settings.given(ExpertParallelism.REDUNDANT)
                ? settings.integer(ExpertParallelism.REDUNDANT)
                : config(settings).redundantExperts().orElse(settings.integer(ExpertParallelism.REDUNDANT));
    }

    /** The key that gives them. */
    static String redundantKey(Settings settings) {
        return !settings.given(ExpertParallelism.REDUNDANT) && config(settings).redundantExperts().isPresent()
                ? CONFIG
                : ExpertParallelism.REDUNDANT;
    }

    static EplbBalancer balancer(Settings settings) {
        EplbConfig config = config(settings);
        var schedule = new ExpertBalancer.Schedule(
                settings.given(WINDOW) ? settings.integer(WINDOW) : config.windowSize().orElse(settings.integer(WINDOW)),
                settings.given(INTERVAL) ? settings.integer(INTERVAL) : config.stepInterval().orElse(settings.integer(INTERVAL)),
                settings.integer(CHUNK),
                settings.number(THRESHOLD),
                settings.given(LOG) ? settings.flag(LOG) : config.logBalancedness().orElse(settings.flag(LOG)));
        return new EplbBalancer(schedule,
                EplbBalancer.Algorithm.valueOf(settings.text(ALGORITHM).toUpperCase(Locale.ROOT)));
    }

    private static EplbConfig config(Settings settings) {
        return settings.optionalText(CONFIG).map(EplbConfig::parse).orElseGet(EplbConfig::none);
    }
}
