package org.maniple.it;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.maniple.api.HostInfo;
import org.maniple.collectives.tree.TreeCollectives;
import org.maniple.compute.cpu.CpuBackend;
import org.maniple.kernel.boot.Planning;
import org.maniple.kernel.config.Environment;
import org.maniple.kernel.config.Installation;
import org.maniple.kernel.config.NetworkCard;
import org.maniple.kernel.config.NetworkView;
import org.maniple.kernel.config.UnitConfiguration;
import org.maniple.kernel.config.UnitConfigurationReader;
import org.maniple.kernel.config.UnitWish;
import org.maniple.kernel.local.LocalTransport;
import org.maniple.kernel.plan.PlanReport;
import org.maniple.kernel.plugin.ExtensionKind;
import org.maniple.kernel.plugin.LoadedPlugin;
import org.maniple.kernel.plugin.LoadedPlugin.Provided;
import org.maniple.kernel.plugin.PluginDescriptor;
import org.maniple.model.deepseek.DeepseekFamily;
import org.maniple.model.llama.LlamaFamily;
import org.maniple.model.qwen.QwenFamily;
import org.maniple.moe.ep.AllGatherReduceScatter;
import org.maniple.moe.ep.DirectAllToAll;
import org.maniple.moe.ep.ExpertParallelism;
import org.maniple.parallel.dp.DataParallelism;
import org.maniple.parallel.pp.PipelineParallelism;
import org.maniple.parallel.tp.TensorParallelism;
import org.maniple.serve.openai.OpenAiFrontend;
import org.maniple.transport.tcp.TcpTransport;

/** The plugins that are shipped, without their folders, on a machine that nothing is started on. */
final class PlanningInstallation {

    private static final List<Provided<?>> EXTENSIONS = List.of(
            new Provided<>(ExtensionKind.TRANSPORT, new LocalTransport()),
            new Provided<>(ExtensionKind.TRANSPORT, new TcpTransport()),
            new Provided<>(ExtensionKind.COLLECTIVES, new TreeCollectives()),
            new Provided<>(ExtensionKind.ALL_TO_ALL, new AllGatherReduceScatter()),
            new Provided<>(ExtensionKind.ALL_TO_ALL, new DirectAllToAll()),
            new Provided<>(ExtensionKind.COMPUTE, new CpuBackend()),
            new Provided<>(ExtensionKind.FRONTEND, new OpenAiFrontend()),
            new Provided<>(ExtensionKind.PARALLELISM, new TensorParallelism()),
            new Provided<>(ExtensionKind.PARALLELISM, new PipelineParallelism()),
            new Provided<>(ExtensionKind.PARALLELISM, new DataParallelism()),
            new Provided<>(ExtensionKind.PARALLELISM, new ExpertParallelism()),
            new Provided<>(ExtensionKind.MODEL, new LlamaFamily()),
            new Provided<>(ExtensionKind.MODEL, new QwenFamily()),
            new Provided<>(ExtensionKind.MODEL, new DeepseekFamily()));

    private final Path home;

    PlanningInstallation(Path home) {
        this.home = home;
    }

    /** The folder of a published configuration; skips the test where there are none, and fails it on CI. */
    static Path published(String model) {
        Path folder = Oracles.directory().resolveSibling("models").resolve("configs").resolve(model);
        boolean there = Files.isRegularFile(folder.resolve("config.json"));
        if (!there && "true".equals(System.getenv("CI"))) {
            Assertions.fail("no configuration in " + folder + "; on CI it must be beside the oracles");
        }
        Assumptions.assumeTrue(there, "skipped: no configuration in " + folder);
        return folder;
    }

    private static LoadedPlugin plugin() {
        var descriptor = new PluginDescriptor("kernel", "1.0", "1.0", 25, "org.maniple.kernel", List.of(), List.of(), "");
        return new LoadedPlugin(descriptor, Optional.empty(), Optional.empty(), EXTENSIONS, Optional.empty());
    }

    private UnitConfigurationReader reader() {
        var network = new NetworkView() {
            @Override
            public List<NetworkCard> cards() {
                return List.of(new NetworkCard("lo", List.of("127.0.0.1"), true),
                        new NetworkCard("eth0", List.of("10.0.0.5"), false));
            }

            @Override
            public Optional<String> addressTowards(String host) {
                return Optional.empty();
            }
        };
        return new UnitConfigurationReader(Installation.in(home), plugin(), new Environment(Map.of()), network,
                new HostInfo("host-a", "linux", "amd64", 8, 1L << 34), Planning::choose);
    }

    private static List<String> flags(Path model, String line) {
        var flags = new ArrayList<>(List.of("--model", model.toAbsolutePath().toString()));
        flags.addAll(Arrays.asList(line.split(" ")));
        return flags;
    }

    UnitWish wish(Path model, String flags) {
        return reader().readForPlan(Optional.empty(), flags(model, flags));
    }

    PlanReport plan(Path model, String flags) {
        return Planning.report(wish(model, flags));
    }

    /** As launch would read it. */
    UnitConfiguration configuration(Path model, String flags) {
        return reader().readForNode(Optional.empty(), flags(model, flags));
    }

    UnitConfiguration configuration(Path file) {
        return reader().readForNode(Optional.of(file), List.of());
    }
}
