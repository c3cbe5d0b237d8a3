package org.maniple.kernel.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.maniple.api.Availability;
import org.maniple.api.PluginContext;
import org.maniple.api.transport.Port;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;
import org.maniple.api.transport.Wire;
import org.maniple.kernel.link.DataPorts.Way;
import org.maniple.kernel.local.LocalTransport;
import org.maniple.testkit.GivenContext;
import org.maniple.testkit.VirtualRanks;

/** Which way is taken for which pair of ranks. */
class DataPortsTest {

    private static final Duration LIMIT = Duration.ofSeconds(1);

    /** Reaches addresses that begin alike, and remembers with whom it was connected; its wire has no links. */
    private static final class Reaching implements Port {
        private final String address;
        private final int score;
        private final List<String> connected = new ArrayList<>();

        Reaching(String address, int score) {
            this.address = address;
            this.score = score;
        }

        @Override
        public String address() {
            return address;
        }

        @Override
        public Availability reach(String other) {
            return other.charAt(0) == address.charAt(0)
                    ? Availability.available(score)
                    : Availability.unavailable("they are far apart");
        }

        @Override
        public Wire connect(List<String> addresses, Set<Integer> peers, Duration limit) {
            connected.add(addresses + " with " + new TreeSet<>(peers));
            var alone = new LocalTransport().open(VirtualRanks.identity(0, 1), new Transport.Bind("localhost", 0),
                    GivenContext.empty());
            return alone.connect(List.of(alone.address()), Set.of(), limit);
        }

        @Override
        public void close() {}
    }

    private record Named(String name) implements Transport {
        @Override
        public Port open(Identity identity, Bind bind, PluginContext context) {
            throw new UnsupportedOperationException();
        }
    }

    private final Reaching near = new Reaching("a0", 100);
    private final Reaching far = new Reaching("w0", 0);
    private final Way over = Way.over(new Named("near"), near);
    private final Way around = Way.over(new Named("far"), far);

    @Test
    void eachPairTakesTheBestWayThatBothHave() {
        var ports = new DataPorts(0, List.of(around, over));
        assertThat(ports.addresses()).containsExactlyInAnyOrderEntriesOf(Map.of("near", "a0", "far", "w0"));
        ports.connect(List.of(ports.addresses(), Map.of("near", "a1", "far", "w1"), Map.of("near", "b2", "far", "w2"),
                Map.of("far", "w3")), Set.of(1, 2, 3), LIMIT).close();
        assertThat(near.connected).containsExactly("[a0, a1, b2, ] with [1]");
        assertThat(far.connected).containsExactly("[w0, w1, w2, w3] with [2, 3]");
    }

    @Test
    void aWayThatNobodyTakesIsNotConnected() {
        new DataPorts(0, List.of(around, over)).connect(List.of(Map.of(), Map.of("near", "a1", "far", "w1")), Set.of(1), LIMIT)
                .close();
        assertThat(near.connected).hasSize(1);
        assertThat(far.connected).isEmpty();
    }

    @Test
    void aForcedWayThatDoesNotReachIsAnErrorThatSaysWhyAndWhatToDo() {
        assertThatThrownBy(
                () -> new DataPorts(0, List.of(over)).connect(List.of(Map.of(), Map.of("near", "b1")), Set.of(1), LIMIT))
                .isInstanceOf(TransportException.class)
                .hasMessage(
                        "rank 0 and rank 1 cannot exchange data by [near] (near: they are far apart); with transport auto, each pair"
                                + " of ranks takes the best way that it has");
        assertThat(near.connected).isEmpty();
    }

    @Test
    void aWayThatOneOfTheTwoDoesNotHaveIsNotTaken() {
        var missing = Way.missing(new Named("near"), "memory cannot be shared");
        new DataPorts(0, List.of(around, missing)).connect(List.of(Map.of(), Map.of("near", "a1", "far", "w1")), Set.of(1), LIMIT)
                .close();
        assertThat(far.connected).hasSize(1);
        assertThatThrownBy(
                () -> new DataPorts(0, List.of(missing)).connect(List.of(Map.of(), Map.of("near", "a1")), Set.of(1), LIMIT))
                .hasMessageContaining("near: not on rank 0, where memory cannot be shared");
        assertThatThrownBy(() -> new DataPorts(0, List.of(over)).connect(List.of(Map.of(), Map.of()), Set.of(1), LIMIT))
                .hasMessageContaining("near: not on rank 1");
    }
}
