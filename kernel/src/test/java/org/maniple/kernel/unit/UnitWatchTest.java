package org.maniple.kernel.unit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.maniple.api.engine.UnitStatus.LinkStatus;
import org.maniple.api.engine.UnitStatus.RankStatus;
import org.maniple.api.transport.ControlLink;
import org.maniple.api.transport.HostProcess;
import org.maniple.kernel.unit.UnitMessage.Heartbeat;
import org.maniple.kernel.unit.UnitMessage.Reached;

@Timeout(120)
class UnitWatchTest {

    private static final Duration LONG = Duration.ofSeconds(60);

    @Test
    void noRankPassesAPhaseBeforeAllHaveReachedIt() {
        try (TestUnit unit = new TestUnit(4).joined()) {
            for (Phase phase : List.of(Phase.LINKED, Phase.LOADED, Phase.READY)) {
                AtomicInteger arrived = new AtomicInteger();
                unit.all(member -> {
                    arrived.incrementAndGet();
                    member.reach(phase, LONG);
                    assertThat(arrived).hasValue(4);
                });
            }
        }
    }

    @Test
    void aPhaseCannotBeLeftOut() {
        try (TestUnit unit = new TestUnit(1).joined()) {
            assertThatThrownBy(() -> reach(unit, 0, Phase.READY)).hasMessage("phase READY does not follow JOINED");
        }
    }

    @Test
    void rankZeroSaysWhoHasNotLoadedYetAndGivesUpNamingThem() throws Exception {
        try (TestUnit unit = new TestUnit(2)) {
            UnitLeader leader = unit.times(t -> t.withLease(Duration.ofHours(1))).leader(new LeapingTicker());
            var joining = TestUnit.async(leader::join);
            var puppet = unit.puppet(1);
            TestUnit.get(joining);
            puppet.send(MessageCodec.encode(new Reached(Phase.LINKED)));
            leader.reach(Phase.LINKED, LONG);
            puppet.send(MessageCodec.encode(new Heartbeat(4, Phase.LINKED, 0, 50, List.of(), UnitMessage.Usage.NONE)));
            TestUnit.until(() -> unit.events(0).loading.contains("50/300"));

            assertThatThrownBy(() -> leader.reach(Phase.LOADED, LONG))
                    .isInstanceOf(UnitFailedException.class)
                    .hasMessage("rank 1 on node-a did not load weights within 60 s; "
                            + "still missing: rank 1 on node-a (50 B of 200 B loaded)");
            assertThat(unit.events(0).lines).first().isEqualTo(
                    "still waiting for ranks [1] to load weights (10 s of 60 s): rank 1 on node-a (50 B of 200 B loaded)");
            assertThat(unit.events(0).end()).startsWith("failed: rank 1 on node-a did not load");
        }
    }

    @Test
    void loadingOfAllRanksIsOneSumThatEndsAtTheTotal() throws Exception {
        try (TestUnit unit = new TestUnit(2).joined()) {
            unit.all(member -> member.reach(Phase.LINKED, LONG));
            unit.progress(0).loaded(60);
            unit.progress(1).loaded(90);
            TestUnit.until(() -> unit.events(0).loading.contains("150/300"));
            unit.all(member -> member.reach(Phase.LOADED, LONG));

            assertThat(unit.events(0).loading).last().isEqualTo("300/300");
            assertThat(unit.events(1).loading).isEmpty();
        }
    }

    @Test
    void theStatusTellsStatesPlacesAndLinks() throws Exception {
        try (TestUnit unit = new TestUnit(2)) {
            UnitLeader leader = unit.leader(Ticker.system());
            assertThat(leader.ranks()).last().isEqualTo(new RankStatus(1, "node 0", 0, Map.of(), "missing", 0));
            unit.follower(TestUnit.hello(1), Ticker.system());
            unit.all(Membership::join);
            unit.progress(0).links(Map.of(1, "tcp eth0 10.0.0.2"), peer -> 11);
            unit.progress(1).links(Map.of(0, "tcp eth1 10.0.0.1"), peer -> 22);
            assertThat(leader.ranks()).extracting(RankStatus::state).containsExactly("loading", "loading");
            assertThat(leader.reasons()).containsExactly("rank 0 on node-a is loading", "rank 1 on node-a is loading");
            for (Phase phase : List.of(Phase.LINKED, Phase.LOADED, Phase.READY)) {
                unit.all(member -> member.reach(phase, LONG));
            }

            assertThat(leader.ranks()).containsExactly(
                    new RankStatus(0, "node-a", 1000, Map.of("pp", 0, "tp", 0), "ready", 100),
                    new RankStatus(1, "node-a", 1001, Map.of("pp", 0, "tp", 1), "ready", 200));
            TestUnit.until(() -> leader.links().size() == 2);
            assertThat(leader.links()).containsExactly(
                    new LinkStatus(0, 1, "tcp eth0 10.0.0.2", 11), new LinkStatus(1, 0, "tcp eth1 10.0.0.1", 22));
            assertThat(leader.reasons()).isEmpty();
        }
    }

    @Test
    void aClosedLinkEndsTheUnitOnAllRanksOnceNamingTheRank() throws Exception {
        try (TestUnit unit = new TestUnit(4).joined()) {
            unit.kill(2, "connection reset");

            for (int rank : List.of(0, 1, 3)) {
                assertThat(unit.events(rank).end()).isEqualTo("failed: rank 2 on node-b is gone: connection reset");
            }
            UnitLeader leader = (UnitLeader) unit.members.get(0);
            assertThat(leader.ranks()).extracting(RankStatus::state).containsExactly("loading", "loading", "gone", "loading");
            assertThat(leader.reasons()).containsExactly("rank 2 on node-b is gone: connection reset");
            unit.kill(1, "connection reset");
            TestUnit.until(() -> leader.ranks().get(1).state().equals("gone"));
            assertThat(unit.events(0).failures).hasSize(1);
            assertThat(unit.events(3).failures).hasSize(1);
            assertThat(unit.events(0).stops).isEmpty();
        }
    }

    @Test
    void aFollowerThatLosesRankZeroFails() throws Exception {
        try (TestUnit unit = new TestUnit(2).joined()) {
            unit.kill(1, "connection reset");

            assertThat(unit.events(1).end()).isEqualTo("failed: rank 0 on node-a is gone: connection reset");
        }
    }

    @Test
    void aLossDuringABarrierEndsTheWaitOnAllRanks() {
        try (TestUnit unit = new TestUnit(3).joined()) {
            var zero = TestUnit.async(() -> reach(unit, 0, Phase.LINKED));
            var one = TestUnit.async(() -> reach(unit, 1, Phase.LINKED));

            unit.kill(2, "connection reset");

            String message = "rank 2 on node-b is gone: connection reset";
            assertThatThrownBy(() -> TestUnit.get(zero)).isInstanceOf(UnitFailedException.class).hasMessage(message);
            assertThatThrownBy(() -> TestUnit.get(one)).isInstanceOf(UnitFailedException.class).hasMessage(message);
        }
    }

    @Test
    void aRankThatCannotGoOnTellsAllOthersWhy() throws Exception {
        try (TestUnit unit = new TestUnit(3).joined()) {
            unit.members.get(1).fail("failed: out of memory");

            for (int rank = 0; rank < 3; rank++) {
                assertThat(unit.events(rank).end()).isEqualTo("failed: rank 1 on node-a failed: out of memory");
            }
        }
    }

    @Test
    void aBrokenDataLinkWaitsForTheControlLinkToSayWhoIsGone() throws Exception {
        try (TestUnit unit = new TestUnit(3).joined()) {
            var one = TestUnit.async(() -> {
                unit.members.get(1).lostContact("cannot reach rank 2: connection reset");
                return true;
            });
            unit.kill(2, "connection reset");

            assertThat(unit.events(0).end()).isEqualTo("failed: rank 2 on node-b is gone: connection reset");
            assertThat(unit.events(1).end()).isEqualTo("failed: rank 2 on node-b is gone: connection reset");
            assertThat(TestUnit.get(one)).isTrue();
        }
    }

    @Test
    void aBrokenDataLinkBetweenRanksThatLiveIsNamedByTheRankThatLostIt() throws Exception {
        try (TestUnit unit = new TestUnit(3).joined()) {
            unit.members.get(1).lostContact("cannot reach rank 2: no route to host");

            for (int rank = 0; rank < 3; rank++) {
                assertThat(unit.events(rank).end()).isEqualTo("failed: rank 1 on node-a cannot reach rank 2: no route to host");
            }
        }
    }

    @Test
    void silenceBeyondTheLeaseIsALoss() throws Exception {
        try (TestUnit unit = new TestUnit(2).times(t -> t.withLease(Duration.ofMillis(300)))) {
            UnitLeader leader = unit.leader(Ticker.system());
            var joining = TestUnit.async(leader::join);
            var puppet = unit.puppet(1);
            TestUnit.get(joining);
            puppet.send(MessageCodec.encode(new Heartbeat(4, Phase.JOINED, 118, 0, List.of(), UnitMessage.Usage.NONE)));

            assertThat(unit.events(0).end()).isEqualTo(
                    "failed: rank 1 on node-a is silent: no sign of life for 300 ms; last seen in phase JOINED after step 118");
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aRankOfThisHostThatIsStoppedIsALossAndIsToldWithWhatRankZeroWaitsFor() throws Exception {
        Process process = new ProcessBuilder("sleep", "600").start();
        try (TestUnit unit = new TestUnit(2)) {
            var joining = TestUnit.async(unit.leader(Ticker.system())::join);
            unit.progress(0).exchange(() -> "rank 1 has not sent all_reduce#7 of group 1 with 64 bytes");
            unit.follower(TestUnit.hello(1, HostProcess.of(process.pid()).orElseThrow()), Ticker.system()).join();
            TestUnit.get(joining);

            new ProcessBuilder("kill", "-STOP", Long.toString(process.pid())).start().waitFor();

            for (int rank = 0; rank < 2; rank++) {
                assertThat(unit.events(rank).end())
                        .matches("failed: rank 1 on node-a is stopped: its process has been in state T for"
                                + " \\d+ ms; rank 1 has not sent all_reduce#7 of group 1 with 64 bytes");
            }
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void aRankThatSeesAnotherOneOfItsHostStoppedPutsTheBlameOnThatOne() throws Exception {
        try (TestUnit unit = new TestUnit(3)) {
            var joining = TestUnit.async(unit.leader(Ticker.system())::join);
            unit.follower(TestUnit.hello(1), Ticker.system());
            var puppet = unit.puppet(2);
            unit.members.get(1).join();
            TestUnit.get(joining);

            puppet.send(
                    MessageCodec.encode(new UnitMessage.Abort(new UnitFailure(1, "node-a", "is stopped: its process sleeps"))));

            assertThat(unit.events(0).end()).isEqualTo("failed: rank 1 on node-a is stopped: its process sleeps");
        }
    }

    @Test
    void aRankThatStoodStillLearnsThatItIsLost() throws Exception {
        try (TestUnit unit = new TestUnit(2).times(t -> t.withLease(Duration.ofMillis(300)))) {
            var joining = TestUnit.async(unit.leader(Ticker.system())::join);
            var heard = new LinkedBlockingQueue<byte[]>();
            var link = unit.endpoint(TestUnit.hello(1).address(), 1).dial(TestUnit.LEADER, 0, LONG);
            link.start(new ControlLink.Listener() {
                @Override
                public void message(byte[] message) {
                    heard.add(message);
                }

                @Override
                public void closed(String reason) {}
            });
            link.send(MessageCodec.encode(TestUnit.hello(1)));
            TestUnit.get(joining);

            UnitMessage message = new Reached(Phase.LINKED);
            while (!(message instanceof UnitMessage.Abort)) {
                message = MessageCodec.decode(heard.poll(30, TimeUnit.SECONDS));
            }
            assertThat(message)
                    .hasToString("Abort[failure=UnitFailure[rank=1, host=node-a, reason=is silent: no sign of life for 300 ms]]");
        }
    }

    @Test
    void aSilentRankZeroIsALoss() throws Exception {
        try (TestUnit unit = new TestUnit(2).times(t -> t.withLease(Duration.ofMillis(300)))) {
            MemoryEndpoint zero = unit.endpoint(TestUnit.LEADER, 0);
            zero.accept(link -> {
                link.start(new IgnoringListener());
                link.send(MessageCodec.encode(new UnitMessage.Welcome(4, List.of(
                        new Member(0, "node-a", TestUnit.LEADER, "", TestUnit.PORTS),
                        new Member(1, "node-a", "10.0.0.1:7070", "", TestUnit.PORTS)))));
            });
            unit.follower(TestUnit.hello(1), Ticker.system()).join();

            assertThat(unit.events(1).end()).isEqualTo("failed: rank 0 on node-a is silent: no sign of life for 300 ms");
        }
    }

    @Test
    void ownStandstillIsNotTakenForSilenceOfOthers() throws Exception {
        // The clock of rank 0 leaps by an hour at each heartbeat, as after SIGSTOP and SIGCONT, while the other rank lives.
        Ticker leaping = new Ticker() {
            private final AtomicLong now = new AtomicLong();

            @Override
            public long nanos() {
                return now.get();
            }

            @Override
            public void await(Condition condition, long nanos) throws InterruptedException {
                if (!condition.await(20, TimeUnit.MILLISECONDS) && nanos <= Duration.ofMillis(20).toNanos()) {
                    now.addAndGet(Duration.ofHours(1).toNanos());
                }
            }
        };
        try (TestUnit unit = new TestUnit(2)) {
            UnitLeader leader = unit.leader(leaping);
            var joining = TestUnit.async(leader::join);
            unit.follower(TestUnit.hello(1), Ticker.system()).join();
            TestUnit.get(joining);
            TestUnit.until(() -> leaping.nanos() > Duration.ofHours(20).toNanos());

            assertThat(unit.events(0).failures).isEmpty();
        }
    }

    @Test
    void aHeartbeatOfAnEarlierEpochIsRefused() throws Exception {
        try (TestUnit unit = new TestUnit(2)) {
            var joining = TestUnit.async(unit.leader(Ticker.system())::join);
            var puppet = unit.puppet(1);
            TestUnit.get(joining);
            puppet.send(MessageCodec.encode(new Heartbeat(3, Phase.JOINED, 0, 0, List.of(), UnitMessage.Usage.NONE)));

            assertThat(unit.events(0).end()).isEqualTo("failed: rank 1 on node-a is of another epoch: 3 < 4");
        }
    }

    @Test
    void aMessageThatCannotBeReadEndsTheUnitNamingTheRank() throws Exception {
        try (TestUnit unit = new TestUnit(2)) {
            var joining = TestUnit.async(unit.leader(Ticker.system())::join);
            var puppet = unit.puppet(1);
            TestUnit.get(joining);
            puppet.send(new byte[] {99});

            assertThat(unit.events(0).end())
                    .isEqualTo("failed: rank 1 on node-a sent a message that cannot be read: unknown type 99");
        }
    }

    @Test
    void anOrderlyEndByRankZeroIsNoFailure() throws Exception {
        try (TestUnit unit = new TestUnit(3).ready()) {
            unit.members.get(0).close();

            assertThat(unit.events(1).end()).isEqualTo("stopped: rank 0 on node-a is shutting down");
            assertThat(unit.events(2).end()).isEqualTo("stopped: rank 0 on node-a is shutting down");
            unit.members.get(1).close();
            unit.members.get(2).close();
            assertThat(unit.events.values()).allSatisfy(events -> assertThat(events.failures).isEmpty());
            assertThat(unit.events(0).stops).isEmpty();
        }
    }

    @Test
    void anOrderlyEndByAnotherRankIsToldToAll() throws Exception {
        try (TestUnit unit = new TestUnit(3).ready()) {
            unit.members.get(1).close();

            String end = "stopped: rank 1 on node-a is shutting down: it was asked to";
            assertThat(unit.events(0).end()).isEqualTo(end);
            assertThat(unit.events(2).end()).isEqualTo(end);
            assertThat(unit.events.values()).allSatisfy(events -> assertThat(events.failures).isEmpty());
        }
    }

    @Test
    void aRankThatLeavesBeforeAllAreReadyIsAFailure() throws Exception {
        try (TestUnit unit = new TestUnit(3).joined()) {
            unit.members.get(1).close();

            String end = "failed: rank 1 on node-a left before all ranks were ready; see what it says";
            assertThat(unit.events(0).end()).isEqualTo(end);
            assertThat(unit.events(2).end()).isEqualTo(end);
        }
    }

    @Test
    void rankZeroThatLeavesBeforeAllAreReadyIsAFailure() throws Exception {
        try (TestUnit unit = new TestUnit(2).joined()) {
            unit.members.get(0).close();

            assertThat(unit.events(1).end())
                    .isEqualTo("failed: rank 0 on node-a left before all ranks were ready; see what it says");
        }
    }

    @Test
    void numbersOfLinksStayWhenTheWireIsClosedBeforeTheUnitIsLeft() throws Exception {
        try (TestUnit unit = new TestUnit(2).joined()) {
            UnitLeader leader = (UnitLeader) unit.members.get(0);
            AtomicBoolean closed = new AtomicBoolean();
            unit.progress(1).links(Map.of(0, "tcp eth0 10.0.0.2"), peer -> {
                if (closed.get()) {
                    throw new IllegalStateException("the wire is closed");
                }
                return 77;
            });
            List<LinkStatus> expected = List.of(new LinkStatus(1, 0, "tcp eth0 10.0.0.2", 77));
            TestUnit.until(() -> leader.links().equals(expected));
            closed.set(true);
            unit.all(member -> member.reach(Phase.LINKED, LONG));
            unit.all(member -> member.reach(Phase.LOADED, LONG));

            assertThat(unit.progress(1).links()).containsExactly(new UnitMessage.LinkReport(0, "tcp eth0 10.0.0.2", 77));
            assertThat(leader.links()).isEqualTo(expected);
            assertThat(unit.events(0).failures).isEmpty();
        }
    }

    @Test
    void aHeartbeatThatBreaksOffIsAFailureThatIsTold() throws Exception {
        try (TestUnit unit = new TestUnit(2).joined()) {
            unit.all(member -> member.reach(Phase.LINKED, LONG));
            unit.events(0).broken = true;
            unit.progress(1).loaded(50);

            assertThat(unit.events(1).end()).isEqualTo(
                    "failed: rank 0 on node-a failed: its heartbeat broke off: java.lang.IllegalStateException: terminal is gone");
        }
    }

    private static boolean reach(TestUnit unit, int rank, Phase phase) {
        unit.members.get(rank).reach(phase, LONG);
        return true;
    }
}
