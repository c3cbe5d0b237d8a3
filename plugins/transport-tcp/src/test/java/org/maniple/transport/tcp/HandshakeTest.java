package org.maniple.transport.tcp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.maniple.api.transport.ControlLink;
import org.maniple.api.transport.Endpoint;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;
import org.maniple.testkit.GivenContext;
import org.maniple.testkit.VirtualRanks;

/** What is said to whom before a connection is trusted. */
@Timeout(120)
class HandshakeTest {

    private static final Duration SHORT = Duration.ofMillis(300);
    private static final byte[] OTHER_SECRET = "the secret of somebody else".getBytes(StandardCharsets.US_ASCII);

    private static final Guard PLAIN = new Guard(VirtualRanks.identity(1, 2).secret(), LinkSecurity.AUTH);

    private final GivenContext context = GivenContext.empty();
    private final Endpoint rank0 = open(VirtualRanks.identity(0, 2), 0);

    private Endpoint open(Transport.Identity identity, int port) {
        return new TcpTransport().open(identity, new Transport.Bind("localhost", port), context);
    }

    @AfterEach
    void close() {
        rank0.close();
    }

    private Socket stranger() throws IOException {
        var socket = new Socket(Addresses.host(rank0.address()), Addresses.port(rank0.address()));
        socket.setSoTimeout((int) VirtualRanks.PATIENCE.toMillis());
        return socket;
    }

    private static void assertClosed(Socket socket) throws IOException {
        try {
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        } catch (java.net.SocketException e) {
            assertThat(e).hasMessageContaining("reset");
        }
    }

    private String announced() {
        long start = System.nanoTime();
        while (context.announced().isEmpty() && System.nanoTime() - start < VirtualRanks.PATIENCE.toNanos()) {
            Thread.onSpinWait();
        }
        return String.join("\n", context.announced());
    }

    @Test
    void aWrongSecretIsNamedOnBothSides() {
        var identity = new Transport.Identity("virtual", 4, 1, 2, OTHER_SECRET);
        try (Endpoint rank1 = open(identity, 0)) {
            assertThatThrownBy(() -> rank1.dial(rank0.address(), 0, VirtualRanks.PATIENCE))
                    .isInstanceOf(TransportException.class)
                    .hasMessage("rank 0 at " + rank0.address()
                            + " does not know the unit secret (or ours differs); give all ranks of the unit the same one");
            assertThat(announced()).contains("rank 1 at 127.0.0.1:", "does not know the unit secret");
        }
    }

    @Test
    void aRankThatWaitsForDataLinksSaysWhyItRefusedOne() {
        var identity = new Transport.Identity("virtual", 4, 1, 2, OTHER_SECRET);
        try (Endpoint rank1 = open(identity, 0)) {
            var addresses = List.of(rank0.address(), rank1.address());
            assertThatThrownBy(() -> rank1.connect(addresses, Set.of(0), VirtualRanks.PATIENCE)).hasMessageContaining("secret");
            announced();
            assertThatThrownBy(() -> rank0.connect(addresses, Set.of(1), SHORT))
                    .isInstanceOf(TransportException.class)
                    .hasMessageContaining("rank 1 (" + rank1.address() + ")")
                    .hasMessageContaining("does not know the unit secret");
        }
    }

    @Test
    void aRankWhoseAddressBelongsToAnOlderEpochIsTriedUntilTheLimit() {
        var newer = new Transport.Identity("virtual", 5, 1, 2, VirtualRanks.identity(1, 2).secret());
        try (Endpoint rank1 = open(newer, 0)) {
            assertThatThrownBy(() -> rank1.dial(rank0.address(), 0, Duration.ofSeconds(3)))
                    .isInstanceOf(TransportException.class)
                    .hasMessageContaining("attempts")
                    .hasMessageContaining("epoch 4 < 5");
        }
    }

    @Test
    void bothVersionsAreNamedWhenTheyDiffer() throws IOException {
        byte[] preface = Preface.of(VirtualRanks.identity(1, 2), PLAIN, 0, Preface.CONTROL, new byte[Proof.NONCE_BYTES]).encode();
        ByteBuffer.wrap(preface).putInt(4, 77);
        try (Socket socket = stranger()) {
            socket.getOutputStream().write(preface);
            byte[] answer = new DataInputStream(socket.getInputStream()).readNBytes(Verdict.CHALLENGE_BYTES);
            assertThat(Verdict.version(answer)).isEqualTo(Preface.VERSION);
            assertThat(Verdict.challengeStatus(answer)).isEqualTo(Verdict.OTHER_VERSION);
            assertClosed(socket);
            assertThat(announced()).contains("speaks version 77", "this rank version " + Preface.VERSION);
        }
    }

    @Test
    void aPeerOfAnotherVersionIsNamedByWhoDials() throws IOException {
        try (var other = new ServerSocket(0, 1, InetAddress.getByName("localhost"));
                Endpoint rank1 = open(VirtualRanks.identity(1, 2), 0)) {
            Thread.ofVirtual().start(() -> {
                try (Socket socket = other.accept()) {
                    socket.getInputStream().readNBytes(Preface.BYTES);
                    // As version 1 says it, which has shorter challenges.
                    ByteBuffer challenge = ByteBuffer.allocate(12 + Proof.NONCE_BYTES).putInt(Preface.MAGIC).putInt(9)
                            .putInt(Verdict.OTHER_VERSION);
                    socket.getOutputStream().write(challenge.array());
                    socket.getInputStream().read();
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            });
            assertThatThrownBy(() -> rank1.dial("localhost:" + other.getLocalPort(), 0, VirtualRanks.PATIENCE))
                    .hasMessageContaining("version 9")
                    .hasMessageContaining("version " + Preface.VERSION);
        }
    }

    @Test
    void anotherProtocolIsCutOffAfterItsFirstBytes() throws IOException {
        try (Socket socket = stranger()) {
            socket.getOutputStream().write("GET / HTTP/1.1\r\n".getBytes(StandardCharsets.US_ASCII));
            assertClosed(socket);
        }
    }

    @Test
    void aSerializedJavaObjectIsCutOff() throws IOException {
        try (Socket socket = stranger()) {
            socket.getOutputStream().write(new byte[] {(byte) 0xac, (byte) 0xed, 0, 5, 0x73, 0x72, 0, 4});
            assertClosed(socket);
        }
    }

    @Test
    void ranksThatWantDifferentProtectionAreNamedOnBothSides() {
        try (Endpoint rank1 = new TcpTransport(false, LinkSecurity.ENCRYPT).open(VirtualRanks.identity(1, 2),
                new Transport.Bind("localhost", 0), context)) {
            assertThatThrownBy(() -> rank1.dial(rank0.address(), 0, VirtualRanks.PATIENCE))
                    .isInstanceOf(TransportException.class)
                    .hasMessageEndingWith(
                            "refused: rank 1 has link-security encrypt, rank 0 auth; give all ranks the same");
            assertThat(announced()).contains("rank 1 has link-security encrypt, rank 0 auth");
        }
    }

    @Test
    void aReplayedHandshakeIsRefused() throws IOException {
        Proof secret = PLAIN.secret();
        byte[] preface = Preface.of(VirtualRanks.identity(1, 2), PLAIN, 0, Preface.CONTROL, secret.nonce()).encode();
        byte[] proof;
        try (Socket socket = stranger()) {
            socket.getOutputStream().write(preface);
            byte[] challenge = socket.getInputStream().readNBytes(Verdict.CHALLENGE_BYTES);
            proof = secret.of(DialHandshake.ROLE, preface, challenge);
            socket.getOutputStream().write(proof);
            assertThat(Verdict.read(socket.getInputStream().readNBytes(Verdict.VERDICT_BYTES)).status())
                    .isEqualTo(Verdict.WELCOME);
        }
        try (Socket socket = stranger()) {
            socket.getOutputStream().write(preface);
            socket.getInputStream().readNBytes(Verdict.CHALLENGE_BYTES);
            socket.getOutputStream().write(proof);
            assertThat(Verdict.read(socket.getInputStream().readNBytes(Verdict.VERDICT_BYTES)).status())
                    .isEqualTo(Verdict.WRONG_SECRET);
            assertClosed(socket);
        }
    }

    @Test
    void whoProvesItselfButDoesNotSpeakTlsIsCutOff() throws IOException {
        var guard = new Guard(VirtualRanks.identity(1, 2).secret(), LinkSecurity.ENCRYPT);
        var transport = new TcpTransport(false, LinkSecurity.ENCRYPT);
        try (Endpoint encrypting = transport.open(VirtualRanks.identity(0, 2), new Transport.Bind("localhost", 0), context);
                Socket socket = new Socket(Addresses.host(encrypting.address()), Addresses.port(encrypting.address()))) {
            socket.setSoTimeout((int) VirtualRanks.PATIENCE.toMillis());
            byte[] preface = Preface.of(VirtualRanks.identity(1, 2), guard, 0, Preface.CONTROL, guard.secret().nonce()).encode();
            socket.getOutputStream().write(preface);
            byte[] challenge = socket.getInputStream().readNBytes(Verdict.CHALLENGE_BYTES);
            socket.getOutputStream().write(guard.secret().of(DialHandshake.ROLE, preface, challenge));
            assertThat(Verdict.read(socket.getInputStream().readNBytes(Verdict.VERDICT_BYTES)).status())
                    .isEqualTo(Verdict.WELCOME);
            socket.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(announced()).contains("rank 1 at 127.0.0.1:", "cannot be talked to by TLS: ");
            socket.getInputStream().readAllBytes();
        } catch (java.net.SocketException e) {
            assertThat(e).hasMessageContaining("reset");
        }
    }

    @Test
    void nothingIsToldToWhoDoesNotKnowTheSecret() throws IOException {
        byte[] preface = Preface.of(VirtualRanks.identity(1, 2), PLAIN, 0, Preface.CONTROL, new byte[Proof.NONCE_BYTES]).encode();
        try (Socket socket = stranger()) {
            socket.getOutputStream().write(preface);
            socket.getInputStream().readNBytes(Verdict.CHALLENGE_BYTES);
            socket.getOutputStream().write(new byte[Proof.BYTES]);
            byte[] verdict = socket.getInputStream().readNBytes(Verdict.VERDICT_BYTES);
            assertThat(ByteBuffer.wrap(verdict).getInt()).isEqualTo(Verdict.WRONG_SECRET);
            assertThat(java.util.Arrays.copyOfRange(verdict, 4, verdict.length)).containsOnly(0);
        }
    }

    @Test
    void strangersCannotUseUpAllConnections() throws IOException {
        var idle = new ArrayList<Socket>();
        try (Endpoint rank1 = open(VirtualRanks.identity(1, 2), 0)) {
            for (int i = 0; i < Listener.MAX_STRANGERS; i++) {
                idle.add(stranger());
            }
            try (Socket oneTooMany = stranger()) {
                assertClosed(oneTooMany);
            }
            for (Socket socket : idle) {
                socket.close();
            }
            rank0.accept(link -> link.start(new org.maniple.testkit.RecordedLink()));
            try (ControlLink link = rank1.dial(rank0.address(), 0, VirtualRanks.PATIENCE)) {
                assertThat(link.peer()).isZero();
            }
        } finally {
            for (Socket socket : idle) {
                socket.close();
            }
        }
    }

    @Test
    void whoSaysNothingIsCutOffAfterAWhile() throws IOException {
        try (Socket socket = stranger()) {
            socket.getOutputStream().write(0x4d);
            assertClosed(socket);
            assertThat(announced()).contains("did not complete the handshake within " + Handshake.LIMIT_MILLIS + " ms");
        }
    }

    @Test
    void diallingWaitsForAPeerThatListensLater() throws Exception {
        Endpoint early = open(VirtualRanks.identity(0, 2), 0);
        String address = early.address();
        early.close();
        try (Endpoint rank1 = open(VirtualRanks.identity(1, 2), 0)) {
            var dialled = new java.util.concurrent.CompletableFuture<ControlLink>();
            Thread.ofPlatform().daemon().start(() -> {
                try {
                    dialled.complete(rank1.dial(address, 0, VirtualRanks.PATIENCE));
                } catch (RuntimeException e) {
                    dialled.completeExceptionally(e);
                }
            });
            assertThatThrownBy(() -> dialled.get(SHORT.toMillis(), java.util.concurrent.TimeUnit.MILLISECONDS))
                    .isInstanceOf(java.util.concurrent.TimeoutException.class);
            try (Endpoint late = open(VirtualRanks.identity(0, 2), Addresses.port(address))) {
                assertThat(dialled.get(30, java.util.concurrent.TimeUnit.SECONDS).peerAddress()).isEqualTo(late.address());
            }
        }
    }

    @Test
    void anUnknownHostIsNamed() {
        assertThatThrownBy(() -> rank0.dial("no-such-host.invalid:7070", 1, SHORT))
                .isInstanceOf(TransportException.class)
                .hasMessageContaining("no-such-host.invalid")
                .hasMessageContaining("unknown");
    }

    @Test
    void aPortThatIsTakenIsNamedWithItsHost() {
        assertThatThrownBy(() -> open(VirtualRanks.identity(1, 2), Addresses.port(rank0.address())))
                .isInstanceOf(TransportException.class)
                .hasMessageContaining("rank 1 cannot listen on " + rank0.address());
    }

    @Test
    void onlyTheGivenHostIsListenedOn() {
        assertThat(rank0.address()).startsWith("localhost:");
        assertThatThrownBy(() -> new Socket("127.0.0.2", Addresses.port(rank0.address())).close())
                .isInstanceOf(java.net.ConnectException.class);
    }

    @Test
    void aShortSecretIsRefusedAtOnce() {
        assertThatThrownBy(() -> open(new Transport.Identity("virtual", 4, 1, 2, new byte[15]), 0))
                .hasMessageContaining("at least 16");
    }
}
