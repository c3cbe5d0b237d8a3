package org.maniple.kernel.config;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.maniple.api.Availability;
import org.maniple.api.Extension;
import org.maniple.api.HostInfo;
import org.maniple.api.PluginContext;
import org.maniple.api.collective.Collectives;
import org.maniple.api.collective.Communicator;
import org.maniple.api.compute.ComputeBackend;
import org.maniple.api.compute.ComputeSession;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.api.config.Problem;
import org.maniple.api.config.Settings;
import org.maniple.api.engine.Engine;
import org.maniple.api.frontend.Frontend;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.mesh.Parallelism;
import org.maniple.api.transport.ControlTransport;
import org.maniple.api.transport.Endpoint;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.Wire;
import org.maniple.kernel.plugin.ExtensionKind;
import org.maniple.kernel.plugin.LoadedPlugin;
import org.maniple.kernel.plugin.LoadedPlugin.Provided;
import org.maniple.kernel.plugin.PluginDescriptor;

/** A made-up installation with extensions that are only there to be chosen, a model, two network cards and any environment. */
public final class TestInstallation {

    public static final String SECRET = "0123456789abcdef0123";

    private final Path home;
    private final Map<String, String> variables = new HashMap<>();
    private final List<Provided<?>> extensions = new ArrayList<>(List.of(
            provided(ExtensionKind.TRANSPORT, new NamedTransport("local", 0, "")),
            provided(ExtensionKind.TRANSPORT, new NamedTransport("tcp", 1, "")),
            provided(ExtensionKind.TRANSPORT, new NamedTransport("rdma", 0, "libibverbs.so.1 not found")),
            provided(ExtensionKind.COLLECTIVES, new NamedCollectives("tree")),
            provided(ExtensionKind.COMPUTE, new NamedCompute("cpu")),
            provided(ExtensionKind.FRONTEND, new NamedFrontend("openai")),
            provided(ExtensionKind.PARALLELISM, new Sizes("tensor", "tp", 300, "tensor-parallel-size")),
            provided(ExtensionKind.PARALLELISM, new Sizes("pipeline", "pp", 200, "pipeline-parallel-size"))));
    private List<NetworkCard> cards = List.of(
            new NetworkCard("lo", List.of("127.0.0.1", "::1"), true),
            new NetworkCard("docker0", List.of("172.17.0.1"), false),
            new NetworkCard("eth0", List.of("10.0.0.5", "fd00::5"), false),
            new NetworkCard("eth1", List.of("10.1.0.5"), false));
    private Map<String, String> routes = Map.of();
    private LayoutChooser chooser = wish -> List.of();

    public TestInstallation(Path root) {
        this.home = root.resolve("maniple");
        try {
            Files.createDirectories(home.resolve("plugins"));
            Files.createDirectories(home.resolve("models/demo"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public Path home() {
        return home;
    }

    public TestInstallation variable(String name, String value) {
        variables.put(name, value);
        return this;
    }

    /** Variables as {@code NAME=value}. */
    public TestInstallation variables(String... assignments) {
        for (String assignment : assignments) {
            int equals = assignment.indexOf('=');
            variable(assignment.substring(0, equals), assignment.substring(equals + 1));
        }
        return this;
    }

    public TestInstallation cards(NetworkCard... some) {
        cards = List.of(some);
        return this;
    }

    /** To a host the packets leave from an address. */
    public TestInstallation route(String host, String from) {
        routes = Map.of(host, from);
        return this;
    }

    public TestInstallation chooser(LayoutChooser other) {
        chooser = other;
        return this;
    }

    public <T extends Extension> TestInstallation with(ExtensionKind<T> kind, T extension) {
        extensions.add(provided(kind, extension));
        return this;
    }

    public <T extends Extension> TestInstallation without(ExtensionKind<T> kind) {
        extensions.removeIf(provided -> provided.kind().equals(kind));
        return this;
    }

    public Path file(String name, String... lines) {
        try {
            return Files.write(home.resolve(name), Arrays.asList(lines));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The extensions as a plugin named kernel. */
    public LoadedPlugin builtIn() {
        var descriptor = new PluginDescriptor("kernel", "1.0", "1.0", 25, "org.maniple.kernel", List.of(), List.of(), "");
        return new LoadedPlugin(descriptor, Optional.empty(), Optional.empty(), extensions, Optional.empty());
    }

    public HostInfo host() {
        return new HostInfo("host-a", "linux", "amd64", 8, 1L << 34);
    }

    public UnitConfigurationReader reader() {
        var network = new NetworkView() {
            @Override
            public List<NetworkCard> cards() {
                return cards;
            }

            @Override
            public Optional<String> addressTowards(String host) {
                return Optional.ofNullable(routes.get(host));
            }
        };
        return new UnitConfigurationReader(Installation.in(home), builtIn(), new Environment(variables), network, host(),
                chooser);
    }

    /** Reads flags beside a model that is there. */
    public UnitConfiguration flags(String... flags) {
        var all = new ArrayList<>(List.of("--model", "models/demo"));
        all.addAll(List.of(flags));
        return reader().readForNode(Optional.empty(), all);
    }

    public UnitConfiguration rank(String... flags) {
        var all = new ArrayList<>(List.of("--model", "models/demo"));
        all.addAll(List.of(flags));
        return reader().readForRank(Optional.empty(), all);
    }

    /** Reads the lines of a file named unit.yaml that begins with the model. */
    public UnitConfiguration yaml(String... lines) {
        var all = new ArrayList<>(List.of("model: models/demo"));
        all.addAll(List.of(lines));
        return reader().readForNode(Optional.of(file("unit.yaml", all.toArray(String[]::new))), List.of());
    }

    private static <T extends Extension> Provided<T> provided(ExtensionKind<T> kind, T extension) {
        return new Provided<>(kind, extension);
    }

    public record NamedTransport(String name, int score, String missing) implements ControlTransport {
        @Override
        public Availability availability(HostInfo host) {
            return missing.isEmpty() ? Availability.available(score) : Availability.unavailable(missing);
        }

        @Override
        public Endpoint open(Identity identity, Bind bind, PluginContext context) {
            throw new UnsupportedOperationException();
        }
    }

    public record NamedCollectives(String name) implements Collectives {
        @Override
        public Communicator open(Wire wire, long stepLimitNanos, PluginContext context) {
            throw new UnsupportedOperationException();
        }
    }

    public record NamedCompute(String name) implements ComputeBackend {
        @Override
        public ComputeSession open(PluginContext context, int threads) {
            throw new UnsupportedOperationException();
        }
    }

    public record NamedFrontend(String name) implements Frontend {
        @Override
        public Serving serve(Engine engine, PluginContext context) {
            throw new UnsupportedOperationException();
        }
    }

    /** A parallelism with one dimension, whose size is one key; a weights key shows what depends on another key. */
    public record Sizes(String name, String dimension, int nesting, String key) implements Parallelism {
        @Override
        public List<Option> options() {
            return List.of(Option.of(key, OptionType.INTEGER, "Ranks along " + dimension + ".").withDefault("1").withMinimum(1)
                    .withAliases("--" + dimension, "-" + dimension),
                    Option.of(dimension + "-weights", OptionType.NUMBERS, "Weights along " + dimension + "."));
        }

        @Override
        public List<MeshDimension> dimensions() {
            return List.of(new MeshDimension(dimension, nesting));
        }

        @Override
        public int size(MeshDimension of, Settings settings) {
            return settings.integer(key);
        }

        @Override
        public List<AxisRule> rules(Settings settings) {
            return List.of();
        }

        @Override
        public List<Problem> problems(Settings settings) {
            int weights = settings.numbers(dimension + "-weights").size();
            return weights == 0 || weights == settings.integer(key)
                    ? List.of()
                    : List.of(new Problem(dimension + "-weights",
                            weights + " weights for " + settings.integer(key) + " ranks; give as many"));
        }
    }
}
