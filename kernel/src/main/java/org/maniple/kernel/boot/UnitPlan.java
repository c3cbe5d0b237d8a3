package org.maniple.kernel.boot;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.maniple.api.HostInfo;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.checkpoint.CheckpointFormat;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.ExpertBalancer;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.Parallelism;
import org.maniple.api.mesh.SplitException;
import org.maniple.api.model.ModelArchitecture;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.model.ModelConfigException;
import org.maniple.api.tensor.DType;
import org.maniple.kernel.balance.ExpertNodes;
import org.maniple.kernel.config.ConfigurationException;
import org.maniple.kernel.config.EffectiveSettings;
import org.maniple.kernel.config.KernelOptions;
import org.maniple.kernel.config.SpeculationWish;
import org.maniple.kernel.config.UnitConfiguration;
import org.maniple.kernel.engine.Speculation;
import org.maniple.kernel.load.Quantization;
import org.maniple.kernel.load.WeightLoader;
import org.maniple.kernel.plugin.ExtensionKind;
import org.maniple.kernel.plugin.Extensions;
import org.maniple.kernel.plugin.PluginCatalog;
import org.maniple.kernel.plugin.PluginDescriptor;
import org.maniple.kernel.program.BlockGrid;
import org.maniple.kernel.program.CacheType;
import org.maniple.kernel.program.CompileException;
import org.maniple.kernel.program.CompileOptions;
import org.maniple.kernel.program.MeshProgram;
import org.maniple.kernel.program.ProgramCompiler;

/**
 * What follows from a configuration and a model before anything is opened or read but the model's configuration.
 *
 * @param configuration the configuration
 * @param model where the model is
 * @param files its JSON files
 * @param architecture what builds its graph
 * @param format what reads its weights
 * @param quantization how its weights are quantised
 * @param program what every rank does
 * @param balancer what moves experts while the unit serves, if anything does
 */
record UnitPlan(UnitConfiguration configuration, Path model, ModelFiles files, ModelArchitecture architecture,
        CheckpointFormat format, Quantization quantization,
        MeshProgram program, Optional<ExpertBalancer> balancer) {

    /**
     * Plans a unit.
     *
     * @throws ConfigurationException if the model cannot be spread as the configuration asks, or is of a kind that no plugin knows
     */
    static UnitPlan of(UnitConfiguration configuration) {
        Path model = Path.of(configuration.settings().text(KernelOptions.MODEL));
        try {
            var files = ModelFiles.of(model, configuration.extensions());
            ModelConfig config = files.config();
            ModelArchitecture architecture = architecture(configuration.catalog(), config);
            CheckpointFormat format = format(configuration, model);
            ModelGraph graph = graph(configuration.settings(), architecture, config);
            Map<String, DType> stored = files.types();
            Quantization quantization = AskedQuantization.of(configuration.settings(), config, graph, stored);
            MeshProgram program = compile(configuration.catalog(), configuration.host(), configuration.settings(),
                    configuration.mesh(), graph, AskedQuantization.types(quantization, graph, files.indexedTensors(), stored));
            return new UnitPlan(configuration, model, files, architecture, format, quantization, program,
                    balancer(configuration, program));
        } catch (SplitException e) {
            throw new ConfigurationException(
                    List.of(configuration.settings().where(e.key()) + ": " + e.getMessage() + otherReading(configuration)));
        } catch (CheckpointException e) {
            throw new ConfigurationException(List.of("model [" + model + "]: " + e.getMessage()));
        } catch (CompileException | ModelConfigException e) {
            throw new ConfigurationException(List.of(String.valueOf(e.getMessage())));
        }
    }

    /** With the layer that guesses tokens, if that is wanted. */
    private static ModelGraph graph(EffectiveSettings settings, ModelArchitecture architecture, ModelConfig config) {
        if (!(SpeculationWish.of(settings) instanceof Speculation.NextLayer)) {
            return architecture.graph(config);
        }
        return architecture.draftingGraph(config)
                .orElseThrow(() -> new ConfigurationException(List.of(settings.where(SpeculationWish.key(settings))
                        + ": the model [" + config.architecture()
                        + "] has no layer that guesses tokens (num_nextn_predict_layers), or the plugin ["
                        + architecture.name()
                        + "] does not know it; {\"method\": \"ngram\", \"num_speculative_tokens\": 5} works with every model")));
    }

    /** Sizes that do not fit may have been meant otherwise: the end of a message. */
    private static String otherReading(UnitConfiguration configuration) {
        return configuration.extensions().all(ExtensionKind.PARALLELISM).stream()
                .flatMap(parallelism -> parallelism.otherReading(configuration.mesh(), configuration.settings()).stream())
                .findFirst().map(reading -> "; " + reading).orElse("");
    }

    /**
     * Looks for the weights in the checkpoint's headers before anything is started.
     *
     * @throws ConfigurationException if it has other weights than the model's configuration says
     */
    void checkWeights() {
        try (Checkpoint checkpoint = format.open(model)) {
            WeightLoader.check(checkpoint, quantization, program.graph().parameters());
        } catch (CheckpointException e) {
            throw new ConfigurationException(List.of("model [" + model + "]: " + e.getMessage()));
        }
    }

    /** What moves experts, once it has agreed to every layer of the model. */
    private static Optional<ExpertBalancer> balancer(UnitConfiguration configuration, MeshProgram program) {
        EffectiveSettings settings = configuration.settings();
        Optional<ExpertBalancer> balancer = configuration.extensions().all(ExtensionKind.PARALLELISM).stream()
                .filter(p -> p.rules(settings).stream().anyMatch(rule -> rule.axis().equals(Axes.EXPERTS)))
                .max(Comparator.comparingInt(Parallelism::precedence)).flatMap(p -> p.balancer(settings));
        balancer.ifPresent(known -> ExpertNodes.check(known, program, configuration.topology()::nodeOf));
        return balancer;
    }

    /** What ranks do with some settings, which need not be those of a unit that is to be started. */
    static MeshProgram compile(PluginCatalog catalog, HostInfo host, EffectiveSettings settings, Mesh mesh, ModelGraph graph,
            Map<String, DType> types) {
        List<Parallelism> parallelisms = catalog.extensions().all(ExtensionKind.PARALLELISM).stream()
                .sorted(Comparator.comparingInt(Parallelism::precedence)).toList();
        refuseMissingAxes(settings, parallelisms, graph);
        var rules = new ArrayList<AxisRule>();
        ProgramCompiler.ExpertLookup lookup = (layer, experts) -> Optional.empty();
        for (Parallelism parallelism : parallelisms) {
            List<AxisRule> own = parallelism.rules(settings);
            rules.addAll(own);
            if (own.stream().anyMatch(rule -> rule.axis().equals(Axes.EXPERTS))) {
                lookup = (layer, experts) -> parallelism.experts(layer, experts, mesh, settings);
            }
        }
        return new ProgramCompiler(graph, mesh, rules, options(catalog.extensions(), host, settings), lookup,
                BlockGrid.of(graph.parameters(), tensor -> Optional.ofNullable(types.get(tensor)))).compile();
    }

    /** Somebody who asks for experts to be spread has another model in mind. */
    private static void refuseMissingAxes(EffectiveSettings settings, List<Parallelism> parallelisms, ModelGraph graph) {
        var lines = new ArrayList<String>();
        for (Parallelism parallelism : parallelisms) {
            parallelism.required(settings).forEach((axis, key) -> {
                if (graph.parameters().stream().noneMatch(parameter -> parameter.has(axis))) {
                    lines.add(settings.where(key) + ": the model [" + graph.architecture() + "] has no axis " + axis
                            + ", which this would spread over ranks; leave it out, or give a model that has one");
                }
            });
        }
        if (!lines.isEmpty()) {
            throw new ConfigurationException(lines);
        }
    }

    private static CompileOptions options(Extensions extensions, HostInfo host, EffectiveSettings settings) {
        boolean exact = settings.text(KernelOptions.NUMERICS).equals("exact");
        String combine = settings.text(KernelOptions.MOE_COMBINE);
        if (exact && combine.equals("rank-sum")) {
            throw new ConfigurationException(List.of(settings.where(KernelOptions.MOE_COMBINE)
                    + ": [rank-sum] makes the bits of results depend on which rank has which expert, which numerics [exact] ("
                    + settings.source(KernelOptions.NUMERICS) + ") excludes; leave one of the two out"));
        }
        boolean gathers = extensions.all(ExtensionKind.ALL_TO_ALL).isEmpty()
                || extensions.choose(ExtensionKind.ALL_TO_ALL, settings.text(KernelOptions.ALL2ALL_BACKEND), host).gathers();
        return new CompileOptions(exact, exact || combine.equals("expert-order"), gathers,
                CacheType.of(settings.text(KernelOptions.KV_CACHE_DTYPE)));
    }

    /** The one plugin that builds a model. */
    static ModelArchitecture architecture(PluginCatalog catalog, ModelConfig config) {
        List<ModelArchitecture> all = catalog.extensions().all(ExtensionKind.MODEL);
        List<ModelArchitecture> accepting = all.stream().filter(a -> a.accepts(config)).toList();
        List<String> names = all.stream().map(ModelArchitecture::name).toList();
        if (accepting.isEmpty()) {
            throw new ModelConfigException(
                    "model architecture [" + config.architecture() + "] is known to no plugin; installed families: "
                            + names + "; install a plugin that builds it, or give another model" + disabled(catalog));
        }
        if (accepting.size() > 1) {
            throw new ModelConfigException("model architecture [" + config.architecture() + "] is built by several plugins: "
                    + accepting.stream().map(ModelArchitecture::name).toList() + "; disable all but one of them");
        }
        return accepting.getFirst();
    }

    private static CheckpointFormat format(UnitConfiguration configuration, Path model) {
        List<CheckpointFormat> all = configuration.extensions().all(ExtensionKind.CHECKPOINT);
        return all.stream().filter(f -> f.accepts(model)).findFirst().orElseThrow(() -> new ModelConfigException("model [" + model
                + "] holds weights in no known format; known: " + all.stream().map(CheckpointFormat::name).toList()
                + "; a safetensors model has model.safetensors or model.safetensors.index.json" + disabled(configuration)));
    }

    /** A disabled plugin may be the one that is missed: the end of a message, which names those that there are. */
    static String disabled(UnitConfiguration configuration) {
        return disabled(configuration.catalog());
    }

    private static String disabled(PluginCatalog catalog) {
        List<String> ids = catalog.disabled().stream().map(PluginDescriptor::id).toList();
        return ids.isEmpty() ? "" : "; disabled plugins: " + ids + " (maniple plugins enable " + ids.getFirst() + ")";
    }
}
