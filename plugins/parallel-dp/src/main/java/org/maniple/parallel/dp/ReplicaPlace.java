package org.maniple.parallel.dp;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.maniple.api.config.Derived;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.api.config.Problem;
import org.maniple.api.config.Settings;

/**
 * vLLM's words for the place of a data-parallel group: which groups a node has and where the first is. They are translated into the words
 * for nodes of a unit; whoever says where its group stands also wants an API there.
 */
final class ReplicaPlace {

    static final String RANK = "data-parallel-rank";
    static final String ADDRESS = "data-parallel-address";
    static final String PORT = "data-parallel-rpc-port";
    static final String LOCAL = "data-parallel-size-local";

    static final List<Option> OPTIONS = List.of(
            Option.of(RANK, OptionType.INTEGER,
                    "The group, from 0, that this node begins with; every group then has an API of its own.")
                    .withMinimum(0).withAliases("-dpr").asLocal(),
            Option.of(LOCAL, OptionType.INTEGER, "Groups on this node; 1 with data-parallel-rank.").withMinimum(0),
            Option.of(ADDRESS, OptionType.TEXT, "Host of the first group: the first half of dist-init-addr.").asLocal(),
            Option.of(PORT, OptionType.INTEGER, "Port of the first group: the second half of dist-init-addr.").withMinimum(1)
                    .asLocal());

    private static final String NODES = "nnodes";
    private static final String NODE = "node-rank";
    private static final String MEETING = "dist-init-addr";
    private static final String MASTER = "master-addr";
    private static final String APIS = "api-per-group";

    /** Where vLLM's groups meet unless somebody says otherwise. */
    private static final String DEFAULT_HOST = "127.0.0.1";
    private static final int DEFAULT_PORT = 29550;

    private final Settings settings;
    private final int size;

    ReplicaPlace(Settings settings) {
        this.settings = settings;
        this.size = settings.integer(DataParallelism.SIZE);
    }

    List<Derived> derived() {
        if (!settings.declared(NODES) || !problems().isEmpty()) {
            return List.of();
        }
        var derived = new ArrayList<Derived>();
        nodes().filter(nodes -> !Integer.toString(nodes).equals(given(NODES).orElse("")))
                .ifPresent(nodes -> derived.add(new Derived(NODES, Integer.toString(nodes),
                        "because " + size + " groups (" + DataParallelism.SIZE + "), " + local().orElse(1) + " on each node ("
                                + LOCAL + ")")));
        node().filter(node -> !Integer.toString(node).equals(given(NODE).orElse("")))
                .ifPresent(node -> derived.add(new Derived(NODE, Integer.toString(node),
                        "because this node begins with group " + settings.integer(RANK) + " (" + RANK + ")")));
        meeting().filter(address -> !address.equals(given(MEETING).orElse("")))
                .ifPresent(address -> derived.add(new Derived(MEETING, address, "because " + ADDRESS + " and " + PORT
                        + " are where the first group is")));
        if (settings.has(RANK)) {
            derived.add(new Derived(APIS, "true", "because " + RANK + " is given"));
        }
        return derived;
    }

    List<Problem> problems() {
        var problems = new ArrayList<Problem>();
        ownProblem().ifPresent(problems::add);
        if (problems.isEmpty() && settings.declared(NODES)) {
            nodes().ifPresent(nodes -> contradiction(NODES, Integer.toString(nodes),
                    size + " groups, " + local().orElse(1) + " on each node, are on " + nodes + " nodes")
                    .ifPresent(problems::add));
            node().ifPresent(node -> contradiction(NODE, Integer.toString(node),
                    RANK + " " + settings.integer(RANK) + " is on node " + node).ifPresent(problems::add));
            meeting().ifPresent(address -> contradiction(MEETING, address,
                    ADDRESS + " and " + PORT + " say " + address).ifPresent(problems::add));
        }
        return problems;
    }

    /** A mistake in these words alone. */
    private Optional<Problem> ownProblem() {
        int local = local().orElse(1);
        if (settings.has(LOCAL) && local == 0) {
            return problem(LOCAL, "[0] would be a node without ranks that only serves; the first node has ranks here,"
                    + " so give at least 1");
        }
        if (local > size || size % local != 0) {
            return problem(LOCAL, "[" + local + "] groups on each node do not make " + size + " groups (" + DataParallelism.SIZE
                    + "); give a divisor of " + size);
        }
        if (!settings.has(RANK)) {
            return Optional.empty();
        }
        int rank = settings.integer(RANK);
        if (rank >= size) {
            return problem(RANK, "[" + rank + "] must be below " + DataParallelism.SIZE + " [" + size
                    + "]; correct one of the two");
        }
        return rank % local == 0
                ? Optional.empty()
                : problem(RANK, "[" + rank + "] is not the first group of a node with " + local + " groups (" + LOCAL
                        + "); give a multiple of " + local);
    }

    private static Optional<Problem> problem(String key, String message) {
        return Optional.of(new Problem(key, message));
    }

    private Optional<Problem> contradiction(String key, String value, String reason) {
        return given(key).filter(other -> !other.equals(value))
                .map(other -> new Problem(key, "[" + other + "] contradicts what else is given: " + reason
                        + "; give only one of the two"));
    }

    /** What somebody else says about a key of the topology; {@code auto} says nothing. */
    private Optional<String> given(String key) {
        if (!settings.given(key)) {
            return Optional.empty();
        }
        String text = key.equals(NODES) ? Integer.toString(settings.integer(key)) : settings.text(key);
        return Optional.of(text).filter(value -> !value.equals("auto"));
    }

    private Optional<Integer> local() {
        if (settings.has(LOCAL)) {
            return Optional.of(settings.integer(LOCAL));
        }
        return settings.has(RANK) ? Optional.of(1) : Optional.empty();
    }

    private Optional<Integer> nodes() {
        return local().map(local -> size / local);
    }

    private Optional<Integer> node() {
        return settings.has(RANK) ? local().map(local -> settings.integer(RANK) / local) : Optional.empty();
    }

    /** Where the groups meet; nothing if these words do not say it and others do. */
    private Optional<String> meeting() {
        boolean said = settings.has(ADDRESS) || settings.has(PORT);
        boolean others = settings.given(MEETING) || settings.given(MASTER);
        if (!said && (others || nodes().orElse(1) == 1)) {
            return Optional.empty();
        }
        String host = settings.optionalText(ADDRESS).orElse(DEFAULT_HOST);
        int port = settings.has(PORT) ? settings.integer(PORT) : DEFAULT_PORT;
        return Optional.of((host.indexOf(':') >= 0 ? "[" + host + "]:" : host + ":") + port);
    }
}
