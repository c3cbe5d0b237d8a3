package org.maniple.kernel.boot;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.config.Derived;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.model.ModelConfigException;
import org.maniple.api.tensor.DType;
import org.maniple.kernel.config.ConfigurationException;
import org.maniple.kernel.config.KernelOptions;
import org.maniple.kernel.config.UnitWish;
import org.maniple.kernel.load.Quantization;
import org.maniple.kernel.plan.PlanReport;
import org.maniple.kernel.plan.PlannedModel;

/** Plans from a model's configuration, and the index of its files if there is one; no weights are opened. */
public final class Planning {

    private final PrintStream out;
    private final PrintStream err;

    /**
     * For a command.
     *
     * @param out for the plan
     * @param err for notices
     */
    public Planning(PrintStream out, PrintStream err) {
        this.out = out;
        this.err = err;
    }

    /**
     * Prints a plan.
     *
     * @param wish the model and the ranks
     * @return the exit code
     * @throws ConfigurationException if the model cannot be spread so, with what would do
     */
    public int plan(UnitWish wish) {
        PlanReport report = report(wish);
        wish.notices().forEach(err::println);
        report.lines().forEach(out::println);
        String yaml = report.yaml();
        out.println();
        out.println("# unit.yaml: maniple launch unit.yaml");
        out.print(yaml);
        return 0;
    }

    /**
     * Decides how the model is spread.
     *
     * @param wish the model and the ranks
     * @return the values that differ from the configuration
     * @throws ConfigurationException if the model cannot be spread so, with what would do
     */
    public static List<Derived> choose(UnitWish wish) {
        return report(wish).derived();
    }

    /**
     * Plans.
     *
     * @param wish the model and the ranks
     * @return all ways, and the recommended one
     * @throws ConfigurationException if no plugin knows the model
     */
    public static PlanReport report(UnitWish wish) {
        try {
            var files = ModelFiles.of(Path.of(wish.settings().text(KernelOptions.MODEL)), wish.catalog().extensions());
            ModelConfig config = files.config();
            var graph = UnitPlan.architecture(wish.catalog(), config).graph(config);
            Map<String, DType> stored = files.types();
            Quantization quantization = AskedQuantization.of(wish.settings(), config, graph, stored);
            Map<String, DType> types = AskedQuantization.types(quantization, graph, files.indexedTensors(), stored);
            return new PlanReport(new PlannedModel(graph, config, quantization, files.indexedTensors(), types), wish,
                    (settings, mesh) -> UnitPlan.compile(wish.catalog(), wish.host(), settings, mesh, graph, types));
        } catch (ModelConfigException | CheckpointException e) {
            throw new ConfigurationException(List.of(String.valueOf(e.getMessage())));
        }
    }
}
