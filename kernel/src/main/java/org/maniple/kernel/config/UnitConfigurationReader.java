package org.maniple.kernel.config;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.maniple.api.Extension;
import org.maniple.api.HostInfo;
import org.maniple.api.ManipleException;
import org.maniple.api.config.Derived;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.Parallelism;
import org.maniple.api.transport.ControlTransport;
import org.maniple.kernel.config.Platform.Command;
import org.maniple.kernel.plugin.DisabledPlugins;
import org.maniple.kernel.plugin.ExtensionKind;
import org.maniple.kernel.plugin.Extensions;
import org.maniple.kernel.plugin.LoadedPlugin;
import org.maniple.kernel.plugin.PluginCatalog;
import org.maniple.kernel.plugin.PluginException;
import org.maniple.kernel.plugin.PluginSelection;

/**
 * Reads a configuration from all its sources and reports all mistakes at once. A flag wins over a {@code MANIPLE_…} variable, that over
 * the file, that over the platform's variables, and those over the defaults.
 */
public final class UnitConfigurationReader {

    /** The transport of ranks in one process. */
    static final String LOCAL = "local";

    private final Installation installation;
    private final LoadedPlugin builtIn;
    private final Environment environment;
    private final NetworkView network;
    private final HostInfo host;
    private final LayoutChooser chooser;

    /**
     * Sets what is the same for every configuration.
     *
     * @param installation where plugins are
     * @param builtIn the kernel's own extensions
     * @param environment the variables
     * @param network this machine's network
     * @param host this machine
     * @param chooser decides how the model is spread, if the configuration says that it is to be decided
     */
    public UnitConfigurationReader(
            Installation installation, LoadedPlugin builtIn, Environment environment, NetworkView network, HostInfo host,
            LayoutChooser chooser) {
        this.installation = installation;
        this.builtIn = builtIn;
        this.environment = environment;
        this.network = network;
        this.host = host;
        this.chooser = chooser;
    }

    /**
     * Reads the configuration of a command that starts all ranks of this node.
     *
     * @param file the YAML file, if there is one
     * @param flags the rest of the command line
     * @return a configuration without mistakes
     * @throws ConfigurationException with all mistakes
     */
    public UnitConfiguration readForNode(Optional<Path> file, List<String> flags) {
        return new Reading(file, flags, Command.NODE).read();
    }

    /**
     * Reads the configuration of a process that is one rank.
     *
     * @param file the YAML file, if there is one
     * @param flags the rest of the command line
     * @return a configuration without mistakes, whose topology has a rank
     * @throws ConfigurationException with all mistakes
     */
    public UnitConfiguration readForRank(Optional<Path> file, List<String> flags) {
        return new Reading(file, flags, Command.RANK).read();
    }

    /**
     * Reads the configuration of a command that plans how a model is spread.
     *
     * @param file the YAML file, if there is one
     * @param flags the rest of the command line
     * @return what is given, without mistakes in single values
     * @throws ConfigurationException with all mistakes
     */
    public UnitWish readForPlan(Optional<Path> file, List<String> flags) {
        return new Reading(file, flags, Command.NODE).plan();
    }

    /**
     * Reads the configuration of a command that computes without a model.
     *
     * @param file the YAML file, if there is one
     * @param flags the rest of the command line
     * @return what is given, without mistakes in single values
     * @throws ConfigurationException with all mistakes
     */
    public DeviceWish readForDevice(Optional<Path> file, List<String> flags) {
        return new Reading(file, flags, Command.NODE).device();
    }

    private final class Reading {

        private final Problems problems = new Problems();
        private final List<String> notices = new ArrayList<>();
        private final Optional<Path> path;
        private final ConfigurationFile file;
        private final List<String> flags;
        private final Command command;

        Reading(Optional<Path> path, List<String> flags, Command command) {
            this.path = path;
            this.flags = flags;
            this.command = command;
            this.file = new ConfigurationFile(path, problems);
        }

        UnitWish plan() {
            PluginCatalog catalog = catalog();
            var given = given(catalog);
            var platform = Platform.detect(environment, command, problems);
            given.addAll(platform.values());
            var settings = derive(EffectiveSettings.of(new OptionTable(catalog, problems).options(), given),
                    catalog.extensions().all(ExtensionKind.PARALLELISM));
            file.checkPlugins(catalog);
            new PluginConfigurations(file, problems).bind(catalog.plugins());
            new KernelChecks(settings, problems).checkValues();
            settings = paths(settings);
            Optional<List<Integer>> ranks = RanksPresent.find(settings, platform, problems);
            problems.throwIfAny();
            return new UnitWish(settings, catalog, host, ranks.orElseThrow(), notices);
        }

        DeviceWish device() {
            PluginCatalog catalog = catalog();
            var settings = EffectiveSettings.of(new OptionTable(catalog, problems).options(), given(catalog));
            file.checkPlugins(catalog);
            var records = new PluginConfigurations(file, problems).bind(catalog.plugins());
            new KernelChecks(settings, problems).checkValues();
            problems.throwIfAny();
            return new DeviceWish(settings, catalog, host, records, notices);
        }

        private List<Given> given(PluginCatalog catalog) {
            var table = new OptionTable(catalog, problems);
            var given = new ArrayList<Given>();
            given.addAll(new FlagReader(table, problems, notices).read(flags));
            given.addAll(new VariableReader(table, problems).read(environment));
            given.addAll(file.read(table, notices));
            return given;
        }

        UnitConfiguration read() {
            PluginCatalog catalog = catalog();
            var given = given(catalog);
            // A rank that launch has started is numbered by launch, and the platform numbers the launches.
            boolean launched = given.stream().anyMatch(value -> value.key().equals(KernelOptions.LOCAL_RANK));
            var platform = Platform.detect(environment, launched ? Command.NODE : command, problems);
            given.addAll(platform.values());
            environment.value("COMM_IFNAME").ifPresent(
                    name -> given.add(new Given(KernelOptions.COMM_IFNAME, name, Given.Origin.PLATFORM, "COMM_IFNAME")));
            List<Parallelism> parallelisms = catalog.extensions().all(ExtensionKind.PARALLELISM);
            var settings = derive(EffectiveSettings.of(new OptionTable(catalog, problems).options(), given), parallelisms);
            file.checkPlugins(catalog);
            var records = new PluginConfigurations(file, problems).bind(catalog.plugins());
            new KernelChecks(settings, problems).checkValues();
            settings = planned(paths(settings), catalog, platform);
            var secret = UnitSecret.read(settings, problems);
            Optional<Mesh> mesh = MeshComposer.compose(parallelisms, settings, problems);
            Optional<Topology> topology = Optional.empty();
            if (mesh.isPresent()) {
                settings = extensions(settings, catalog.extensions(), mesh.get());
                var readings = new OtherReadings(parallelisms, settings);
                topology = new TopologyReader(settings, platform, readings, problems).read(command, mesh.get(),
                        new NetworkChoice(network, environment, problems));
            }
            if (topology.isPresent()) {
                new KernelChecks(settings, problems).checkPlace(topology.get(), secret, notices);
                new KernelChecks(settings, problems).checkCrowding(mesh.orElseThrow(), topology.get(), host,
                        new OtherReadings(parallelisms, settings), notices);
                RankGrid.crossing(mesh.orElseThrow(), topology.get()).ifPresent(notices::add);
            }
            problems.throwIfAny();
            return new UnitConfiguration(threads(settings, topology.orElseThrow()), catalog, mesh.orElseThrow(),
                    topology.orElseThrow(), host,
                    records, secret, notices);
        }

        /** Where nobody says how the model is spread, what the chooser says; the user is told of each value. */
        private EffectiveSettings planned(EffectiveSettings given, PluginCatalog catalog, Platform platform) {
            if (!given.text(KernelOptions.PARALLEL).equals("auto") || problems.any()) {
                return given;
            }
            var settings = given;
            Optional<List<Integer>> ranks = RanksPresent.find(given, platform, problems);
            if (ranks.isPresent()) {
                for (Derived derived : chooser.choose(new UnitWish(given, catalog, host, ranks.get(), notices))) {
                    settings = settings.derive(derived.key(), derived.value(), derived.reason());
                    notices.add(settings.derivation(derived.key()));
                }
            }
            return settings;
        }

        /** What parallelisms make of the values; the user is told of each. */
        private EffectiveSettings derive(EffectiveSettings given, List<Parallelism> parallelisms) {
            var settings = given;
            for (Parallelism parallelism : parallelisms) {
                for (Derived derived : parallelism.derive(settings)) {
                    settings = settings.derive(derived.key(), derived.value(), derived.reason());
                    notices.add(settings.derivation(derived.key()));
                }
            }
            return settings;
        }

        /** A plugin that cannot be loaded would make its keys unknown, so nothing is read after that. */
        private PluginCatalog catalog() {
            var selection = new PluginSelection(new DisabledPlugins(installation.disabledPlugins()).ids(), Optional.empty());
            PluginCatalog catalog;
            try {
                catalog = PluginCatalog.scan(installation.plugins(), builtIn, file.narrow(selection));
            } catch (ManipleException e) {
                var lines = new ArrayList<>(problems.lines());
                lines.add(String.valueOf(e.getMessage()));
                throw new ConfigurationException(lines);
            }
            if (!catalog.failures().isEmpty()) {
                var lines = new ArrayList<>(problems.lines());
                catalog.failures().stream().map(PluginException::getMessage).forEach(lines::add);
                throw new ConfigurationException(lines);
            }
            return catalog;
        }

        private EffectiveSettings paths(EffectiveSettings before) {
            var settings = before;
            var paths = new ModelPath(path, installation, problems);
            if (!settings.has(KernelOptions.MODEL)) {
                problems.add("", KernelOptions.MODEL,
                        "no model is named; give its path with --model, or with the key [model] in a file");
            } else {
                if (settings.texts(KernelOptions.SERVED_MODEL_NAME).isEmpty()) {
                    settings = settings.derive(KernelOptions.SERVED_MODEL_NAME, settings.text(KernelOptions.MODEL),
                            "the model's path as given");
                }
                settings = paths.resolve(settings, KernelOptions.MODEL);
            }
            if (!settings.has(KernelOptions.TOKENIZER)) {
                return settings;
            }
            if (settings.flag(KernelOptions.SKIP_TOKENIZER_INIT)) {
                problems.add(settings.source(KernelOptions.TOKENIZER), KernelOptions.TOKENIZER, "skip-tokenizer-init ("
                        + settings.source(KernelOptions.SKIP_TOKENIZER_INIT)
                        + ") says that no tokenizer is loaded; give only one of the two");
                return settings;
            }
            return paths.resolve(settings, KernelOptions.TOKENIZER);
        }

        private EffectiveSettings extensions(EffectiveSettings before, Extensions extensions, Mesh mesh) {
            int ranks = mesh.ranks();
            var settings = before;
            if (settings.text(KernelOptions.TRANSPORT).equals(LOCAL) && ranks > 1) {
                problems.add(settings.source(KernelOptions.TRANSPORT), KernelOptions.TRANSPORT,
                        "[local] joins ranks of one process, but "
                                + MeshComposer.describe(mesh)
                                + ", each a process of its own; leave it out, or name another transport");
            } else {
                boolean alone = ranks == 1
                        && extensions.all(ExtensionKind.TRANSPORT).stream().anyMatch(one -> one.name().equals(LOCAL));
                settings = alone && settings.text(KernelOptions.TRANSPORT).equals(Extensions.AUTO)
                        ? settings.derive(KernelOptions.TRANSPORT, LOCAL, "the unit has one rank")
                        : transport(settings, extensions, ranks);
            }
            settings = choose(settings, extensions, ExtensionKind.COLLECTIVES, one -> true);
            boolean exchanges = !extensions.all(ExtensionKind.ALL_TO_ALL).isEmpty();
            if (exchanges || !settings.text(KernelOptions.ALL2ALL_BACKEND).equals(Extensions.AUTO)) {
                settings = choose(settings, extensions, ExtensionKind.ALL_TO_ALL, one -> true);
            }
            boolean ordered = !extensions.all(ExtensionKind.SCHEDULING).isEmpty();
            if (ordered || settings.given(KernelOptions.SCHEDULING_POLICY)) {
                settings = choose(settings, extensions, ExtensionKind.SCHEDULING, one -> true);
            }
            settings = choose(settings, extensions, ExtensionKind.COMPUTE, one -> true);
            return choose(settings, extensions, ExtensionKind.FRONTEND, one -> true);
        }

        /** One transport for all pairs of ranks, or {@code auto} for each pair the best that it has; ranks must find each other in any case. */
        private EffectiveSettings transport(EffectiveSettings settings, Extensions extensions, int ranks) {
            String name = settings.text(KernelOptions.TRANSPORT);
            EffectiveSettings chosen = choose(settings, extensions, ExtensionKind.TRANSPORT,
                    one -> one instanceof ControlTransport && (ranks == 1 || !one.name().equals(LOCAL)));
            boolean single = extensions.all(ExtensionKind.TRANSPORT).stream().allMatch(ControlTransport.class::isInstance);
            if (name.equals(Extensions.AUTO)) {
                return single ? chosen : settings;
            }
            boolean carriesDataOnly = extensions.all(ExtensionKind.TRANSPORT).stream()
                    .anyMatch(one -> one.name().equals(name) && !(one instanceof ControlTransport));
            if (carriesDataOnly) {
                try {
                    extensions.choose(ExtensionKind.TRANSPORT, Extensions.AUTO, host,
                            one -> one instanceof ControlTransport && !one.name().equals(LOCAL));
                } catch (ManipleException e) {
                    problems.add(settings.source(KernelOptions.TRANSPORT), KernelOptions.TRANSPORT,
                            "[" + name + "] carries data only; ranks find each other over another one: " + e.getMessage());
                }
            }
            return chosen;
        }

        private <T extends Extension> EffectiveSettings choose(
                EffectiveSettings settings, Extensions extensions, ExtensionKind<T> kind, Predicate<T> suitable) {
            String key = kind.word();
            try {
                String name = extensions.choose(kind, settings.text(key), host, suitable).name();
                return name.equals(settings.text(key)) ? settings : settings.derive(key, name, "the highest score on this host");
            } catch (ManipleException e) {
                problems.add(settings.given(key) ? settings.source(key) : "", key, String.valueOf(e.getMessage()));
                return settings;
            }
        }

        private EffectiveSettings threads(EffectiveSettings before, Topology topology) {
            EffectiveSettings settings = before.has(KernelOptions.CACHE_DIR)
                    ? before
                    : before.derive(KernelOptions.CACHE_DIR, installation.cache().toString(), "in the installation");
            if (settings.has(KernelOptions.THREADS)) {
                return settings;
            }
            int share = Math.max(1, host.processors() / topology.ranksHere());
            return settings.derive(KernelOptions.THREADS, Integer.toString(share),
                    host.processors() + " processors for " + topology.ranksHere()
                            + (topology.ranksHere() == 1 ? " rank" : " ranks"));
        }
    }
}
