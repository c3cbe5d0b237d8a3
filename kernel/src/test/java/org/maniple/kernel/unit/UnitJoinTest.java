package org.maniple.kernel.unit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.maniple.api.transport.TransportException;

@Timeout(120)
class UnitJoinTest {

    private static Hello with(Hello hello, Map<String, String> plugins, Map<String, String> configuration,
            Map<String, String> model) {
        return new Hello(hello.protocol(), hello.version(), hello.epoch(), hello.rank(), hello.host(), hello.processId(),
                hello.process(),
                hello.incarnation(), hello.address(), hello.ports(), new TreeMap<>(plugins), new TreeMap<>(configuration),
                new TreeMap<>(model),
                hello.program(), hello.coordinates(), hello.weightBytes(), hello.serves());
    }

    private static Hello versions(Hello hello, int protocol, String version, long epoch) {
        return new Hello(protocol, version, epoch, hello.rank(), hello.host(), hello.processId(), hello.process(),
                hello.incarnation(),
                hello.address(), hello.ports(),
                hello.plugins(), hello.configuration(), hello.model(), hello.program(), hello.coordinates(), hello.weightBytes(),
                hello.serves());
    }

    private static Hello place(Hello hello, String host, long process, String address) {
        return new Hello(hello.protocol(), hello.version(), hello.epoch(), hello.rank(), host, process, hello.process(),
                host + process, address,
                hello.ports(), hello.plugins(), hello.configuration(), hello.model(), hello.program(), hello.coordinates(),
                hello.weightBytes(),
                hello.serves());
    }

    private static UnitRefusedException refusal(CompletableFuture<List<Member>> joining) {
        return catchThrowableOfType(UnitRefusedException.class, () -> TestUnit.get(joining));
    }

    @Test
    void everyRankLearnsTheAddressesOfAllWhenTheLastOneCame() {
        try (TestUnit unit = new TestUnit(3)) {
            UnitLeader leader = unit.leader(Ticker.system());
            var first = TestUnit.async(unit.follower(TestUnit.hello(1), Ticker.system())::join);
            var zero = TestUnit.async(leader::join);
            var second = TestUnit.async(unit.follower(TestUnit.hello(2), Ticker.system())::join);

            List<Member> expected = List.of(
                    new Member(0, "node-a", TestUnit.LEADER, "", TestUnit.PORTS),
                    new Member(1, "node-a", "10.0.0.1:7070", "", TestUnit.PORTS),
                    new Member(2, "node-b", "10.0.0.2:7070", "", TestUnit.PORTS));
            assertThat(TestUnit.get(zero)).isEqualTo(expected);
            assertThat(TestUnit.get(first)).isEqualTo(expected);
            assertThat(TestUnit.get(second)).isEqualTo(expected);
        }
    }

    @Test
    void aUnitOfOneRankIsCompleteAtOnce() {
        try (TestUnit unit = new TestUnit(1)) {
            assertThat(unit.leader(Ticker.system()).join())
                    .containsExactly(new Member(0, "node-a", TestUnit.LEADER, "", TestUnit.PORTS));
        }
    }

    @Test
    void rankZeroSaysEveryTenSecondsWhoIsMissingAndGivesUpWithTheirNames() throws Exception {
        try (TestUnit unit = new TestUnit(4)) {
            LeapingTicker ticker = new LeapingTicker().held();
            UnitLeader leader = unit.leader(ticker);
            var follower = TestUnit.async(unit.follower(TestUnit.hello(1), Ticker.system())::join);
            var joining = TestUnit.async(leader::join);
            TestUnit.until(() -> leader.ranks().get(1).state().equals("loading"));
            ticker.release();

            assertThatThrownBy(() -> TestUnit.get(joining))
                    .isInstanceOf(UnitFailedException.class)
                    .hasMessage("gave up after 60 s: ranks [2, 3] have not joined (rank 2 on node 1, rank 3 on node 1); "
                            + "see what their nodes say, and check that they can reach 10.0.0.0:7070");
            assertThat(unit.events(0).lines)
                    .hasSize(5)
                    .last()
                    .isEqualTo("still waiting for ranks [2, 3] (50 s of 60 s): rank 2 on node 1, rank 3 on node 1; "
                            + "if this is a StatefulSet, set podManagementPolicy: Parallel");
            assertThatThrownBy(() -> TestUnit.get(follower))
                    .isInstanceOf(UnitFailedException.class)
                    .hasMessageContaining("ranks [2, 3] have not joined");
        }
    }

    @Test
    void aFollowerSaysThatItWaitsForRankZeroAndGivesUp() {
        try (TestUnit unit = new TestUnit(2)) {
            UnitFollower follower = unit.follower(TestUnit.hello(1), new LeapingTicker());

            assertThatThrownBy(follower::join)
                    .isInstanceOf(UnitFailedException.class)
                    .hasMessageStartingWith(
                            "rank 1 on node-a gave up after 60 s: rank 0 did not answer at 10.0.0.0:7070; start it there "
                                    + "(if every node is --headless, start one without it)");
            assertThat(unit.events(1).lines).first().isEqualTo("waiting for head 10.0.0.0:7070 (10 s)");
        }
    }

    @Test
    void aUnitOfWhichEveryNodeIsHeadlessWaitsForOneThatServesAndGivesUp() {
        try (TestUnit unit = new TestUnit(2)) {
            UnitLeader leader = unit.leader(headless(0), new LeapingTicker());
            UnitFollower follower = unit.follower(headless(1), Ticker.system());
            var one = TestUnit.async(follower::join);

            assertThatThrownBy(leader::join).isInstanceOf(UnitFailedException.class);

            assertThat(unit.events(0).lines).anyMatch(line -> line.matches(
                    "waiting for head 10.0.0.0:7070 \\(\\d+ s\\): every node is --headless; start one without it"));
            assertThatThrownBy(() -> TestUnit.get(one)).isInstanceOf(UnitFailedException.class)
                    .hasMessageContaining("gave up after 60 s: every node is --headless; start one without it");
        }
    }

    @Test
    void oneNodeThatServesIsEnough() {
        try (TestUnit unit = new TestUnit(2)) {
            var zero = TestUnit.async(unit.leader(headless(0), Ticker.system())::join);
            Hello hello = TestUnit.hello(1);
            var serving = new Hello(hello.protocol(), hello.version(), hello.epoch(), 1, hello.host(), hello.processId(),
                    hello.process(),
                    hello.incarnation(), hello.address(), hello.ports(), hello.plugins(), hello.configuration(), hello.model(),
                    hello.program(),
                    hello.coordinates(), hello.weightBytes(), true);

            assertThat(TestUnit.get(TestUnit.async(unit.follower(serving, Ticker.system())::join))).hasSize(2);
            assertThat(TestUnit.get(zero)).hasSize(2);
        }
    }

    private static Hello headless(int rank) {
        Hello hello = TestUnit.hello(rank);
        return new Hello(hello.protocol(), hello.version(), hello.epoch(), rank, hello.host(), hello.processId(), hello.process(),
                hello.incarnation(), hello.address(), hello.ports(), hello.plugins(), hello.configuration(), hello.model(),
                hello.program(),
                hello.coordinates(), hello.weightBytes(), false);
    }

    @Test
    void aTransportThatRefusesIsHeardAtOnce() {
        try (TestUnit unit = new TestUnit(2)) {
            MemoryEndpoint refused = unit.endpoint("10.0.0.1:7070", 1);
            refused.refuse("rank 0 at 10.0.0.0:7070 has another secret");
            var follower = new UnitFollower(refused, TestUnit.LEADER, TestUnit.hello(1), UnitTimes.standard(), new RankProgress(),
                    new RecordedEvents(), Ticker.system());

            assertThatThrownBy(follower::join)
                    .isInstanceOf(TransportException.class)
                    .hasMessage("rank 0 at 10.0.0.0:7070 has another secret");
        }
    }

    @Test
    void anEndOfRankZeroWhileOthersJoinIsToldToThem() throws Exception {
        try (TestUnit unit = new TestUnit(3)) {
            UnitLeader leader = unit.leader(Ticker.system());
            var zero = TestUnit.async(leader::join);
            var one = TestUnit.async(unit.follower(TestUnit.hello(1), Ticker.system())::join);
            TestUnit.until(() -> leader.ranks().get(1).state().equals("loading"));

            leader.close();

            assertThatThrownBy(() -> TestUnit.get(one)).hasMessage("rank 0 on node-a is shutting down");
            assertThatThrownBy(() -> TestUnit.get(zero)).isInstanceOf(UnitFailedException.class);
            assertThat(unit.events(1).failures).isEmpty();
        }
    }

    @Test
    void allDifferencesOfAllRanksAreToldOnBothSides() {
        try (TestUnit unit = new TestUnit(3)) {
            Hello one = TestUnit.hello(1);
            Hello odd = with(one, one.plugins(), Map.of("max-num-batched-tokens", "4096", "tensor-parallel-size", "2"),
                    Map.of("config.json", "c0ffee", "model-00001.safetensors", "123 bytes, ef01"));
            Hello two = TestUnit.hello(2);
            Hello lacking = with(two, Map.of("transport-tcp", "0.2.0", "hello", "1.0"), two.configuration(), two.model());
            var zero = TestUnit.async(unit.leader(Ticker.system())::join);
            var first = TestUnit.async(unit.follower(odd, Ticker.system())::join);
            var second = TestUnit.async(unit.follower(lacking, Ticker.system())::join);

            UnitRefusedException refusal = refusal(zero);
            assertThat(refusal.reasons()).containsExactlyInAnyOrder(
                    "configuration key [max-num-batched-tokens]: rank 0 on node-a has 2048, rank 1 on node-a has 4096; "
                            + "give every rank the same file or flags",
                    "model file model-00001.safetensors differs: rank 0 on node-a has 123 bytes, abcd, rank 1 on node-a has 123 bytes, ef01; "
                            + "copy the same model to all nodes",
                    "plugin set: rank 2 on node-b lacks [model-llama 0.1.0], which rank 0 on node-a has; "
                            + "install and enable the same plugins on all nodes",
                    "plugin set: rank 0 on node-a lacks [hello 1.0], which rank 2 on node-b has; "
                            + "install and enable the same plugins on all nodes",
                    "plugin [transport-tcp]: rank 0 on node-a has 0.1.0, rank 2 on node-b has 0.2.0; "
                            + "install and enable the same plugins on all nodes");
            assertThat(refusal.exitCode()).isEqualTo(2);
            assertThat(refusal(first).reasons()).isEqualTo(refusal.reasons());
            assertThat(refusal(second)).hasMessage(refusal.getMessage());
            assertThat(refusal(second).exitCode()).isEqualTo(2);
        }
    }

    @Test
    void aDifferenceIsToldSoonEvenThoughRanksAreMissing() {
        try (TestUnit unit = new TestUnit(4).grace(Duration.ofMillis(200))) {
            Hello one = TestUnit.hello(1);
            var zero = TestUnit.async(unit.leader(Ticker.system())::join);
            var first = TestUnit.async(unit.follower(
                    with(one, one.plugins(), Map.of("max-num-batched-tokens", "2048"), one.model()), Ticker.system())::join);

            assertThat(refusal(zero).reasons()).singleElement().asString().startsWith(
                    "configuration key [tensor-parallel-size]: rank 0 on node-a has 2, rank 1 on node-a has none;");
            assertThat(refusal(first)).isNotNull();
        }
    }

    @Test
    void anotherProtocolVersionIsNamedThoughTheRestCannotBeRead() {
        try (TestUnit unit = new TestUnit(2)) {
            var zero = TestUnit.async(unit.leader(Ticker.system())::join);
            TestUnit.async(unit.follower(versions(TestUnit.hello(1), Hello.PROTOCOL + 1, "0.9.0", 4), Ticker.system())::join);

            assertThat(refusal(zero).reasons()).containsExactly("protocol version: rank 0 on node-a has " + Hello.PROTOCOL
                    + " (software 0.1.0), rank 1 on node-a has " + (Hello.PROTOCOL + 1)
                    + " (software 0.9.0); install the same version of Maniple on all nodes");
        }
    }

    @Test
    void aRankOfAnEarlierEpochIsRefused() {
        try (TestUnit unit = new TestUnit(2)) {
            var zero = TestUnit.async(unit.leader(Ticker.system())::join);
            TestUnit.async(unit.follower(versions(TestUnit.hello(1), Hello.PROTOCOL, "0.1.0", 3), Ticker.system())::join);

            assertThat(refusal(zero).reasons())
                    .containsExactly("epoch 3 < 4: rank 1 on node-a (process 1001) belongs to another build "
                            + "of the unit than rank 0 on node-a; end it and start it again");
        }
    }

    @Test
    void twoClaimsOfOneRankAreBothRefusedNamingBothHosts() {
        try (TestUnit unit = new TestUnit(3).grace(Duration.ofMillis(200))) {
            var zero = TestUnit.async(unit.leader(Ticker.system())::join);
            var first = TestUnit
                    .async(unit.follower(place(TestUnit.hello(1), "node-a", 11, "10.0.0.1:7070"), Ticker.system())::join);
            Hello claim = place(TestUnit.hello(1), "node-b", 12, "10.0.0.2:7070");
            UnitFollower rival = new UnitFollower(unit.endpoint(claim.address(), 1), TestUnit.LEADER, claim, UnitTimes.standard(),
                    new RankProgress(), new RecordedEvents(), Ticker.system());
            var second = TestUnit.async(rival::join);

            assertThat(refusal(zero).reasons()).singleElement().asString()
                    .startsWith("rank 1 is claimed twice: by ")
                    .contains("node-a (process 11, 10.0.0.1:7070)", "node-b (process 12, 10.0.0.2:7070)", "--node-rank auto");
            assertThat(refusal(first).reasons()).isEqualTo(refusal(zero).reasons());
            assertThat(refusal(second).reasons()).isEqualTo(refusal(zero).reasons());
            rival.close();
        }
    }

    @Test
    void aSecondClaimOnARunningUnitIsRefusedAndTheUnitGoesOn() {
        try (TestUnit unit = new TestUnit(2).joined()) {
            Hello claim = place(TestUnit.hello(1), "node-b", 12, "10.0.0.2:7070");
            RecordedEvents events = new RecordedEvents();
            UnitFollower rival = new UnitFollower(unit.endpoint(claim.address(), 1), TestUnit.LEADER, claim, UnitTimes.standard(),
                    new RankProgress(), events, Ticker.system());

            UnitRefusedException refusal = refusal(TestUnit.async(rival::join));
            assertThat(refusal.reasons()).singleElement().asString().contains("node-a (process 1001", "node-b (process 12",
                    "runs already");
            assertThat(refusal.exitCode()).isEqualTo(1);
            unit.all(member -> member.reach(Phase.LINKED, Duration.ofSeconds(30)));
            assertThat(unit.events(0).failures).isEmpty();
            assertThat(unit.events(1).failures).isEmpty();
        }
    }

    @Test
    void aZombieOfAnEarlierEpochIsRefusedByARunningUnit() {
        try (TestUnit unit = new TestUnit(2).joined()) {
            Hello zombie = versions(place(TestUnit.hello(1), "node-b", 12, "10.0.0.2:7070"), Hello.PROTOCOL, "0.1.0", 3);
            UnitFollower late = new UnitFollower(unit.endpoint(zombie.address(), 1), TestUnit.LEADER, zombie,
                    UnitTimes.standard(),
                    new RankProgress(), new RecordedEvents(), Ticker.system());

            assertThat(refusal(TestUnit.async(late::join)).reasons()).singleElement().asString()
                    .startsWith("epoch 3 < 4: rank 1 on node-b");
        }
    }

    @Test
    void aRankThatDiesBeforeTheUnitIsCompleteMayComeAgain() throws Exception {
        try (TestUnit unit = new TestUnit(3)) {
            var zero = TestUnit.async(unit.leader(Ticker.system())::join);
            var link = unit.endpoint("10.0.0.1:7070", 1).dial(TestUnit.LEADER, 0, Duration.ofSeconds(30));
            link.start(new IgnoringListener());
            link.send(MessageCodec.encode(TestUnit.hello(1)));
            link.breakOff("connection reset");

            var again = TestUnit.async(
                    unit.follower(place(TestUnit.hello(1), "node-a", 77, "10.0.0.1:7071"), Ticker.system())::join);
            TestUnit.async(unit.follower(TestUnit.hello(2), Ticker.system())::join);

            assertThat(TestUnit.get(zero)).hasSize(3);
            assertThat(TestUnit.get(again).get(1).address()).isEqualTo("10.0.0.1:7071");
        }
    }
}
