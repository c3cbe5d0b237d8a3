package org.maniple.transport.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.maniple.api.transport.ControlLink;
import org.maniple.api.transport.Endpoint;
import org.maniple.api.transport.Transport;
import org.maniple.testkit.GivenContext;
import org.maniple.testkit.RecordedLink;
import org.maniple.testkit.VirtualRanks;

/**
 * Whatever strangers send to the port, they are cut off, and the ranks go on. {@code -Dmaniple.fuzz=100000} tries more, {@code
 * -Dmaniple.fuzz.seed=…} others.
 */
@Timeout(3600)
class PortFuzzTest {

    private static final int CASES = Integer.getInteger("maniple.fuzz", 300);
    private static final long SEED = Long.getLong("maniple.fuzz.seed", 1);
    private static final int MAX_BYTES = 2000;
    private static final long MAX_GROWTH = 64L << 20;

    private final SplittableRandom random = new SplittableRandom(SEED);

    private static Endpoint open(LinkSecurity security, int rank) {
        return new TcpTransport(false, security).open(VirtualRanks.identity(rank, 2), new Transport.Bind("localhost", 0),
                GivenContext.empty());
    }

    /** Sends bytes and reads until the other end closes. */
    private static void send(Endpoint target, byte[] bytes) throws IOException {
        try (Socket socket = new Socket(Addresses.host(target.address()), Addresses.port(target.address()))) {
            socket.setSoTimeout((int) VirtualRanks.PATIENCE.toMillis());
            socket.getOutputStream().write(bytes);
            socket.shutdownOutput();
            assertThat(socket.getInputStream().readAllBytes())
                    .hasSizeLessThanOrEqualTo(Verdict.CHALLENGE_BYTES + Verdict.VERDICT_BYTES);
        } catch (java.net.SocketException e) {
            // Cut off while this end was still writing or reading.
            assertThat(e.getMessage()).containsAnyOf("reset", "Broken pipe");
        }
    }

    private byte[] noise() {
        byte[] bytes = new byte[random.nextInt(MAX_BYTES)];
        random.nextBytes(bytes);
        return bytes;
    }

    private byte[] mutatedPreface(Guard guard) {
        byte[] valid = Preface.of(VirtualRanks.identity(1, 2), guard, 0, 1 + random.nextInt(2), guard.secret().nonce()).encode();
        byte[] tail = noise();
        byte[] bytes = java.util.Arrays.copyOf(valid,
                random.nextInt(4) == 0 ? random.nextInt(valid.length) : valid.length + tail.length);
        if (bytes.length > valid.length) {
            System.arraycopy(tail, 0, bytes, valid.length, tail.length);
        }
        for (int flips = random.nextInt(4); flips > 0 && bytes.length > 0; flips--) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
        }
        return bytes;
    }

    private static long used() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory()
                + io.netty.util.internal.PlatformDependent.usedDirectMemory();
    }

    @ParameterizedTest
    @EnumSource(value = LinkSecurity.class, names = {"AUTH", "ENCRYPT"})
    void noiseAndMutatedHandshakesAreCutOffAndRanksGoOn(LinkSecurity security) throws IOException {
        var guard = new Guard(VirtualRanks.identity(1, 2).secret(), security);
        try (Endpoint rank0 = open(security, 0); Endpoint rank1 = open(security, 1)) {
            rank0.accept(link -> link.start(new RecordedLink()));
            long before = used();
            for (int i = 0; i < CASES; i++) {
                send(rank0, random.nextBoolean() ? noise() : mutatedPreface(guard));
            }
            assertThat(used() - before).as("growth of memory in bytes, seed " + SEED).isLessThan(MAX_GROWTH);
            try (ControlLink link = rank1.dial(rank0.address(), 0, VirtualRanks.PATIENCE)) {
                assertThat(link.peer()).isZero();
            }
        }
    }
}
