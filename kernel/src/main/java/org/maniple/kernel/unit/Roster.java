package org.maniple.kernel.unit;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.maniple.api.engine.UnitStatus.LinkStatus;
import org.maniple.api.engine.UnitStatus.RankStatus;
import org.maniple.kernel.unit.UnitMessage.LinkReport;
import org.maniple.kernel.unit.UnitMessage.Usage;

/** The ranks of a unit as rank 0 sees them, itself included. Guarded by the lock of the leader. */
final class Roster {

    private final Hello self;
    private final RankProgress progress;
    private final List<String> places;
    private final SortedMap<Integer, Peer> peers = new TreeMap<>();
    private Phase ownPhase = Phase.JOINED;

    /** @param places where each rank is expected, by rank, for messages, for example {@code node 1} */
    Roster(Hello self, RankProgress progress, List<String> places) {
        this.self = self;
        this.progress = progress;
        this.places = List.copyOf(places);
    }

    int ranks() {
        return places.size();
    }

    Collection<Peer> peers() {
        return peers.values();
    }

    @Nullable
    Peer peer(int rank) {
        return peers.get(rank);
    }

    void put(int rank, Peer peer) {
        peers.put(rank, peer);
    }

    /** Forgets a rank that left before the unit was complete. */
    boolean remove(Peer peer) {
        return peers.values().remove(peer);
    }

    void ownPhase(Phase phase) {
        ownPhase = phase;
    }

    Phase ownPhase() {
        return ownPhase;
    }

    List<Integer> missing() {
        return IntStream.range(1, ranks()).filter(rank -> !peers.containsKey(rank)).boxed().toList();
    }

    /** Whether clients can reach the unit through one of the ranks that are there. */
    boolean served() {
        return self.serves() || peers.values().stream().map(Peer::hello).anyMatch(hello -> hello != null && hello.serves());
    }

    /** For example {@code rank 2 on node 1, rank 3 on node 1}. */
    String expectedAt(List<Integer> ranks) {
        return String.join(", ", ranks.stream().map(rank -> "rank " + rank + " on " + places.get(rank)).toList());
    }

    boolean allReached(Phase phase) {
        return ownPhase.compareTo(phase) >= 0 && behind(phase).isEmpty();
    }

    /** Other ranks that have not reached a phase. */
    List<Peer> behind(Phase phase) {
        return peers.values().stream().filter(peer -> peer.phase().compareTo(phase) < 0).toList();
    }

    /** Ranks with what they have loaded, for example {@code rank 2 on node-b (1.2 GiB of 3.4 GiB loaded)}. */
    static String describe(List<Peer> behind) {
        List<String> texts = new ArrayList<>();
        for (Peer peer : behind) {
            Hello hello = peer.hello();
            if (hello != null) {
                boolean loading = peer.phase() == Phase.LINKED && hello.weightBytes() > 0;
                texts.add(hello.who() + (loading
                        ? " (" + ByteText.of(peer.loadedBytes()) + " of " + ByteText.of(hello.weightBytes()) + " loaded)"
                        : ""));
            }
        }
        return String.join(", ", texts);
    }

    List<Member> members() {
        List<Member> members = new ArrayList<>();
        members.add(new Member(self.rank(), self.host(), self.address(), self.process(), self.ports()));
        for (Peer peer : peers.values()) {
            Hello hello = peer.hello();
            if (hello != null) {
                members.add(new Member(hello.rank(), hello.host(), hello.address(), hello.process(), hello.ports()));
            }
        }
        return members;
    }

    long loadedBytes() {
        return Math.min(progress.loadedBytes(), self.weightBytes())
                + peers.values().stream().mapToLong(Roster::loadedBytes).sum();
    }

    long weightBytes() {
        return self.weightBytes()
                + peers.values().stream().map(Peer::hello).mapToLong(hello -> hello == null ? 0 : hello.weightBytes()).sum();
    }

    private static long loadedBytes(Peer peer) {
        Hello hello = peer.hello();
        return hello == null ? 0 : Math.min(peer.loadedBytes(), hello.weightBytes());
    }

    List<RankStatus> rankStatus() {
        List<RankStatus> status = new ArrayList<>();
        status.add(status(self, ownPhase == Phase.READY ? "ready" : "loading", progress.usage()));
        for (int rank = 1; rank < ranks(); rank++) {
            Peer peer = peers.get(rank);
            Hello hello = peer == null ? null : peer.hello();
            if (peer == null || hello == null) {
                status.add(new RankStatus(rank, places.get(rank), 0, Map.of(), "missing", 0));
            } else {
                var beat = peer.last();
                status.add(status(hello, peer.gone() ? "gone" : peer.phase() == Phase.READY ? "ready" : "loading",
                        beat == null ? Usage.NONE : beat.usage()));
            }
        }
        return status;
    }

    /** Which ranks are not ready, in words. */
    static List<String> reasons(List<RankStatus> status) {
        return status.stream()
                .filter(rank -> !rank.state().equals("ready"))
                .map(rank -> "rank " + rank.rank() + " on " + rank.host() + " is " + rank.state())
                .toList();
    }

    private static RankStatus status(Hello hello, String state, Usage usage) {
        return new RankStatus(hello.rank(), hello.host(), hello.processId(), hello.coordinates(), state, hello.weightBytes(),
                usage.dispatchedBytes(), usage.combinedBytes(), usage.kvBytes(), usage.residentBytes(), usage.times());
    }

    List<LinkStatus> linkStatus() {
        List<LinkStatus> status = new ArrayList<>();
        add(status, self.rank(), progress.links());
        for (var entry : peers.entrySet()) {
            var beat = entry.getValue().last();
            if (beat != null) {
                add(status, entry.getKey(), beat.links());
            }
        }
        return status;
    }

    private static void add(List<LinkStatus> status, int from, List<LinkReport> links) {
        links.forEach(link -> status.add(new LinkStatus(from, link.peer(), link.path(), link.sentBytes())));
    }
}
