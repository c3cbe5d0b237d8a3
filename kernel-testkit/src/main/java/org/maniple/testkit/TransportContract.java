package org.maniple.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.maniple.api.transport.ControlLink;
import org.maniple.api.transport.ControlTransport;
import org.maniple.api.transport.Endpoint;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;

/** What every transport over which ranks find each other must do with endpoints and control links. */
@Timeout(120)
public abstract class TransportContract {

    private static final Duration SHORT = Duration.ofMillis(200);
    private static final Transport.Bind ANYWHERE = new Transport.Bind("localhost", 0);

    /** For the test class of a transport. */
    protected TransportContract() {}

    /**
     * The transport under test.
     *
     * @return a new one; all endpoints of a test are opened by the same
     */
    protected abstract ControlTransport transport();

    /** Asserts that a message says all of this. */
    static void assertSays(Throwable failure, String... parts) {
        for (String part : parts) {
            assertTrue(String.valueOf(failure.getMessage()).contains(part), () -> "[" + part + "] is not in: " + failure);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** A control link with both of its ends. */
    private record Ends(ControlLink dialled, ControlLink accepted) {}

    private static Ends link(VirtualRanks ranks) throws Exception {
        var accepted = new CompletableFuture<ControlLink>();
        ranks.endpoint(0).accept(accepted::complete);
        ControlLink dialled = ranks.endpoint(1).dial(ranks.addresses().getFirst(), 0, VirtualRanks.PATIENCE);
        return new Ends(dialled, accepted.get(VirtualRanks.PATIENCE.toSeconds(), TimeUnit.SECONDS));
    }

    @Test
    void bothEndsOfAControlLinkKnowWhomTheyTalkTo() throws Exception {
        try (var ranks = VirtualRanks.open(transport(), 2)) {
            Ends ends = link(ranks);
            assertEquals(0, ends.dialled().peer());
            assertEquals(1, ends.accepted().peer());
            assertEquals(ranks.addresses().getFirst(), ends.dialled().peerAddress());
        }
    }

    @Test
    void controlMessagesArriveWholeAndInOrderInBothDirections() throws Exception {
        try (var ranks = VirtualRanks.open(transport(), 2)) {
            Ends ends = link(ranks);
            var there = new RecordedLink();
            var here = new RecordedLink();
            ends.accepted().start(there);
            ends.dialled().start(here);
            for (int i = 0; i < 500; i++) {
                ends.dialled().send(bytes("to " + "x".repeat(i * 7 % 300) + i));
                ends.accepted().send(bytes("back " + i));
            }
            for (int i = 0; i < 500; i++) {
                assertEquals("message to " + "x".repeat(i * 7 % 300) + i, there.next());
                assertEquals("message back " + i, here.next());
            }
        }
    }

    @Test
    void controlMessagesMayBeEmptyOrAsLargeAsAllowedButNotLarger() throws Exception {
        try (var ranks = VirtualRanks.open(transport(), 2)) {
            Ends ends = link(ranks);
            var there = new RecordedLink();
            ends.accepted().start(there);
            ends.dialled().send(new byte[0]);
            ends.dialled().send(bytes("a".repeat(ControlLink.MAX_MESSAGE)));
            assertEquals("message ", there.next());
            assertEquals("message ".length() + ControlLink.MAX_MESSAGE, there.next().length());
            assertThrows(IllegalArgumentException.class, () -> ends.dialled().send(new byte[ControlLink.MAX_MESSAGE + 1]));
        }
    }

    @Test
    void messagesThatComeBeforeTheListenerWaitForIt() throws Exception {
        try (var ranks = VirtualRanks.open(transport(), 2)) {
            ControlLink dialled = ranks.endpoint(1).dial(ranks.addresses().getFirst(), 0, VirtualRanks.PATIENCE);
            dialled.send(bytes("early"));
            var heard = new RecordedLink();
            ranks.endpoint(0).accept(link -> link.start(heard));
            assertEquals("message early", heard.next());
        }
    }

    @Test
    void closingAControlLinkDeliversWhatWasSentAndTellsBothEndsOnce() throws Exception {
        try (var ranks = VirtualRanks.open(transport(), 2)) {
            Ends ends = link(ranks);
            var there = new RecordedLink();
            var here = new RecordedLink();
            ends.accepted().start(there);
            ends.dialled().start(here);
            ends.dialled().send(bytes("last"));
            ends.dialled().close();
            assertEquals("message last", there.next());
            String closed = there.next();
            assertTrue(closed.startsWith("closed ") && closed.contains("rank 1") && closed.contains("closed the connection"),
                    closed);
            assertEquals("closed closed by this rank", here.next());
            ends.accepted().close();
            ends.accepted().send(bytes("ignored"));
        }
    }

    @Test
    void aListenerThatStartsLateHearsThatItsLinkIsClosed() throws Exception {
        try (var ranks = VirtualRanks.open(transport(), 2)) {
            Ends ends = link(ranks);
            ends.dialled().send(bytes("last"));
            ends.dialled().close();
            var there = new RecordedLink();
            ends.accepted().start(there);
            assertEquals("message last", there.next());
            assertTrue(there.next().startsWith("closed "));
        }
    }

    private void assertRefused(Transport.Identity stranger, String... reasons) {
        ControlTransport transport = transport();
        try (Endpoint rank0 = transport.open(VirtualRanks.identity(0, 2), ANYWHERE, GivenContext.empty());
                Endpoint other = transport.open(stranger, ANYWHERE, GivenContext.empty())) {
            rank0.accept(link -> {
                throw new AssertionError("a stranger was let in as rank " + link.peer());
            });
            TransportException refused = assertThrows(TransportException.class,
                    () -> other.dial(rank0.address(), 0, VirtualRanks.PATIENCE));
            assertSays(refused, "rank 0", rank0.address());
            assertSays(refused, reasons);
        }
    }

    @Test
    void aRankWithAnotherSecretIsRefused() {
        assertRefused(new Transport.Identity("virtual", 4, 1, 2, bytes("a secret for other ranks..")), "secret");
    }

    @Test
    void aRankOfAnEarlierEpochIsRefused() {
        assertRefused(new Transport.Identity("virtual", 3, 1, 2, VirtualRanks.identity(1, 2).secret()), "epoch 3 < 4");
    }

    @Test
    void aRankOfAnotherUnitIsRefused() {
        assertRefused(new Transport.Identity("real", 4, 1, 2, VirtualRanks.identity(1, 2).secret()), "[real]", "[virtual]");
    }

    @Test
    void aRankThatCountsOtherRanksIsRefused() {
        assertRefused(new Transport.Identity("virtual", 4, 1, 3, VirtualRanks.identity(1, 2).secret()), "2", "3");
    }

    @Test
    void aRankThatIsNotTheOneMeantIsNamed() {
        try (var ranks = VirtualRanks.open(transport(), 3)) {
            TransportException refused = assertThrows(TransportException.class,
                    () -> ranks.endpoint(2).dial(ranks.addresses().get(1), 0, VirtualRanks.PATIENCE));
            assertSays(refused, "rank 0", "rank 1", ranks.addresses().get(1));
        }
    }

    @Test
    void diallingGivesUpNamingRankAndAddress() {
        ControlTransport transport = transport();
        Endpoint gone = transport.open(VirtualRanks.identity(0, 2), ANYWHERE, GivenContext.empty());
        gone.close();
        try (Endpoint rank1 = transport.open(VirtualRanks.identity(1, 2), new Transport.Bind("localhost", 0),
                GivenContext.empty())) {
            if (!rank1.address().equals(gone.address())) {
                assertSays(assertThrows(TransportException.class, () -> rank1.dial(gone.address(), 0, SHORT)), "rank 0",
                        gone.address());
            }
        }
    }

    @Test
    void connectingGivesUpNamingAllRanksThatAreMissing() {
        try (var ranks = VirtualRanks.open(transport(), 4)) {
            List<String> addresses = ranks.addresses();
            TransportException missing = assertThrows(TransportException.class,
                    () -> ranks.endpoint(1).connect(addresses, Set.of(2, 3), SHORT));
            assertSays(missing, "rank 2 (" + addresses.get(2) + ")", "rank 3 (" + addresses.get(3) + ")");
            assertFalse(String.valueOf(missing.getMessage()).contains("rank 0 ("), missing::toString);
        }
    }

    @Test
    void aWireThatConnectsAgainReachesTheNewWire() throws ExecutionException, InterruptedException {
        try (var ranks = VirtualRanks.open(transport(), 2)) {
            for (int round = 0; round < 3; round++) {
                long tag = round;
                ranks.run(wire -> {
                    var memory = wire.allocate(8);
                    int peer = 1 - wire.rank();
                    var receiving = wire.receive(peer, tag, memory);
                    wire.await(wire.send(peer, tag, wire.allocate(8)), VirtualRanks.PATIENCE.toNanos());
                    wire.await(receiving, VirtualRanks.PATIENCE.toNanos());
                });
            }
        }
    }

    @Test
    void aWireOfNoPeersIsConnectedAtOnce() {
        try (var ranks = VirtualRanks.open(transport(), 1);
                var wire = ranks.endpoint(0).connect(ranks.addresses(), Set.of(), SHORT)) {
            assertEquals(0, wire.rank());
            assertFalse(wire.progress());
        }
    }
}
