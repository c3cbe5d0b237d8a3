package org.maniple.kernel.config;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Chooses the address at which the other ranks reach this node. In this order: {@code comm-ifname} (flag, variable, file, the platform's
 * {@code COMM_IFNAME}), {@code NCCL_SOCKET_IFNAME} and {@code GLOO_SOCKET_IFNAME}, the address in {@code RANK_IP} and its like, the
 * interface towards node 0, and the first one that is neither loopback nor of a container.
 */
final class NetworkChoice {

    /** An interface with one of its addresses, and why it was chosen. */
    record Chosen(String card, String address, String source) {}

    private static final List<String> INTERFACE_VARIABLES = List.of("NCCL_SOCKET_IFNAME", "GLOO_SOCKET_IFNAME");
    private static final List<String> ADDRESS_VARIABLES = List.of("RANK_IP", "VLLM_HOST_IP", "SGLANG_HOST_IP");

    private final NetworkView network;
    private final Environment environment;
    private final Problems problems;

    NetworkChoice(NetworkView network, Environment environment, Problems problems) {
        this.network = network;
        this.environment = environment;
        this.problems = problems;
    }

    /** For a unit of one node whose ranks meet on this machine. */
    static Chosen loopback() {
        return new Chosen("lo", "127.0.0.1", "the unit has one node");
    }

    /** For a unit of several nodes; empty after a problem. */
    Optional<Chosen> choose(EffectiveSettings settings, HostPort rendezvous) {
        var wanted = settings.optionalText(KernelOptions.COMM_IFNAME);
        if (wanted.isPresent()) {
            return byName(wanted.get(), settings.source(KernelOptions.COMM_IFNAME));
        }
        for (String variable : INTERFACE_VARIABLES) {
            var names = environment.value(variable);
            if (names.isPresent()) {
                return byName(names.get(), variable);
            }
        }
        for (String variable : ADDRESS_VARIABLES) {
            var address = environment.value(variable);
            if (address.isPresent()) {
                return byAddress(address.get(), variable);
            }
        }
        return towards(rendezvous).or(this::first);
    }

    private Optional<Chosen> byName(String pattern, String source) {
        List<NetworkCard> cards = network.cards();
        for (Predicate<NetworkCard> matching : patterns(pattern)) {
            var card = cards.stream().filter(matching).findFirst();
            if (card.isPresent()) {
                return card.map(found -> new Chosen(found.name(), found.addresses().getFirst(), source));
            }
        }
        problems.add(source, KernelOptions.COMM_IFNAME,
                "[" + pattern + "] matches no network interface of this machine; there are: " + cards);
        return Optional.empty();
    }

    /** NCCL's syntax: a list of prefixes, {@code =} before exact names, {@code ^} before names to leave out. */
    private static List<Predicate<NetworkCard>> patterns(String pattern) {
        boolean except = pattern.startsWith("^");
        String rest = except ? pattern.substring(1) : pattern;
        boolean exact = rest.startsWith("=");
        List<String> names = Arrays.stream((exact ? rest.substring(1) : rest).split(",")).map(String::strip)
                .filter(n -> !n.isEmpty()).toList();
        if (except) {
            return List.of(card -> !card.loopback() && names.stream().noneMatch(name -> matches(card, name, exact)));
        }
        return names.stream().<Predicate<NetworkCard>>mapMulti((name, out) -> {
            out.accept(card -> matches(card, name, true));
            if (!exact) {
                out.accept(card -> matches(card, name, false));
            }
        }).toList();
    }

    private static boolean matches(NetworkCard card, String name, boolean exact) {
        return exact ? card.name().equals(name) : card.name().startsWith(name);
    }

    private Optional<Chosen> byAddress(String address, String source) {
        var card = network.cards().stream().filter(candidate -> candidate.addresses().contains(address)).findFirst();
        if (card.isEmpty()) {
            problems.add(source, "[" + address + "] is no address of this machine; there are: " + network.cards());
        }
        return card.map(found -> new Chosen(found.name(), address, source));
    }

    private Optional<Chosen> towards(HostPort rendezvous) {
        return network.addressTowards(rendezvous.host()).flatMap(address -> network.cards().stream()
                .filter(card -> card.addresses().contains(address))
                .filter(card -> !card.loopback() || rendezvous.loopback())
                .findFirst()
                .map(card -> new Chosen(card.name(), address, "the way to " + rendezvous)));
    }

    private Optional<Chosen> first() {
        var card = network.cards().stream().filter(candidate -> !candidate.loopback() && !candidate.virtual()).findFirst();
        if (card.isEmpty()) {
            problems.add("", KernelOptions.COMM_IFNAME,
                    "a unit of several nodes needs a network interface that other machines reach, and this"
                            + " machine has none of its own; there are: " + network.cards() + "; name one with --comm-ifname");
        }
        return card.map(found -> new Chosen(found.name(), found.addresses().getFirst(), "the first interface of its own"));
    }
}
