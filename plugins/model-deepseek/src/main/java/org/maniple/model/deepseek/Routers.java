package org.maniple.model.deepseek;

import java.util.Optional;
import org.maniple.api.graph.BuiltinOp.Route;
import org.maniple.api.model.ExpertBlocks.Router;
import org.maniple.api.model.ExpertShape;
import org.maniple.api.model.ExpertShape.Groups;
import org.maniple.api.model.ModelConfig;

/** How the two generations choose experts. */
final class Routers {

    private static final String GATE = "mlp.gate";

    private Routers() {}

    /**
     * V2: softmax over all experts; with {@code group_limited_greedy} only from the groups with the best expert. Weights are not normalised:
     * {@code norm_topk_prob} is false in all published configurations, and published implementations ignore it.
     */
    static Router v2(ModelConfig config, ExpertShape experts) {
        require(config, "scoring_func", "softmax");
        Groups groups = switch (config.text("topk_method").orElse("greedy")) {
            case "greedy" -> Groups.NONE;
            case "group_limited_greedy" -> experts.groups(config, 1);
            default -> throw config.unsupported("topk_method", "greedy or group_limited_greedy");
        };
        return new Router(GATE, false, Optional.empty(), new Route(Route.Score.SOFTMAX, groups.count(), groups.kept(),
                Route.GroupScore.MAX, false, scale(config)));
    }

    /** V3: sigmoid, corrected for choosing only, from the groups whose two best experts are the best together. */
    static Router v3(ModelConfig config, ExpertShape experts) {
        require(config, "scoring_func", "sigmoid");
        require(config, "topk_method", "noaux_tc");
        Groups groups = experts.groups(config, 2);
        return new Router(GATE, false, Optional.of(GATE + ".e_score_correction_bias"), new Route(Route.Score.SIGMOID,
                groups.count(), groups.kept(), Route.GroupScore.TOP_TWO, config.flag("norm_topk_prob", true), scale(config)));
    }

    private static double scale(ModelConfig config) {
        double scale = config.number("routed_scaling_factor", 1);
        if (scale <= 0) {
            throw config.unsupported("routed_scaling_factor", "a positive number");
        }
        return scale;
    }

    private static void require(ModelConfig config, String key, String word) {
        if (!config.text(key).orElse(word).equals(word)) {
            throw config.unsupported(key, word + ", as " + config.architecture() + " has it");
        }
    }
}
