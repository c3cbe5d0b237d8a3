package org.maniple.transport.tcp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.SplittableRandom;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** TLS records over sockets that take and give a few bytes at a time. */
@Timeout(120)
class EncryptedSocketTest {

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);
    private static final int RECORD = 16 << 10;

    private final SplittableRandom random = new SplittableRandom(5);
    private final MemorySocket there = new MemorySocket(random);
    private final MemorySocket here = new MemorySocket(random);
    private final OwnCertificate dialling = OwnCertificate.make();
    private final OwnCertificate accepting = OwnCertificate.make();
    private SSLEngine sending;
    private EncryptedSocket from;
    private EncryptedSocket to;

    /** Shakes hands in memory. */
    private static void shakeHands(SSLEngine one, SSLEngine other) throws SSLException {
        one.beginHandshake();
        other.beginHandshake();
        byte[][] inbox = {{}, {}};
        SSLEngine[] engines = {one, other};
        for (int round = 0; round < 40; round++) {
            for (int side = 0; side < 2; side++) {
                inbox[1 - side] = joined(inbox[1 - side], step(engines[side], inbox, side));
            }
        }
        assertThat(one.getHandshakeStatus()).isEqualTo(SSLEngineResult.HandshakeStatus.NOT_HANDSHAKING);
        assertThat(other.getHandshakeStatus()).isEqualTo(SSLEngineResult.HandshakeStatus.NOT_HANDSHAKING);
    }

    private static byte[] step(SSLEngine engine, byte[][] inbox, int side) throws SSLException {
        ByteBuffer out = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        switch (engine.getHandshakeStatus()) {
            case NEED_TASK -> engine.getDelegatedTask().run();
            case NEED_WRAP -> engine.wrap(NOTHING.duplicate(), out);
            default -> {
                ByteBuffer in = ByteBuffer.wrap(inbox[side]);
                if (in.hasRemaining()) {
                    engine.unwrap(in, ByteBuffer.allocate(engine.getSession().getApplicationBufferSize()));
                    inbox[side] = Arrays.copyOfRange(inbox[side], in.position(), in.limit());
                }
            }
        }
        return Arrays.copyOf(out.array(), out.position());
    }

    private static byte[] joined(byte[] one, byte[] other) {
        return ByteBuffer.allocate(one.length + other.length).put(one).put(other).array();
    }

    private void connect() throws SSLException {
        sending = dialling.engine(true, accepting.fingerprint());
        SSLEngine receiving = accepting.engine(false, dialling.fingerprint());
        shakeHands(sending, receiving);
        from = new EncryptedSocket(there, sending, new byte[0]);
        to = new EncryptedSocket(here, receiving, new byte[0]);
    }

    private MemorySegment bytes(int count) {
        MemorySegment bytes = Arena.ofAuto().allocate(Math.max(1, count)).asSlice(0, count);
        for (long i = 0; i < count; i++) {
            bytes.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt());
        }
        return bytes;
    }

    /** Writes three pieces at once, as frames are written, until all of it counts as written. */
    private void write(MemorySegment... pieces) throws IOException {
        long all = 0;
        for (MemorySegment piece : pieces) {
            all += piece.byteSize();
        }
        for (long done = 0; done < all;) {
            var gather = new Gather();
            long skip = done;
            for (MemorySegment piece : pieces) {
                long skipped = Math.min(skip, piece.byteSize());
                gather.add(piece, skipped, piece.byteSize() - skipped);
                skip -= skipped;
            }
            done += from.write(gather);
        }
    }

    private MemorySegment read(int count) throws IOException {
        MemorySegment into = Arena.ofAuto().allocate(Math.max(1, count));
        int done = 0;
        for (int some = 0; done < count && some >= 0; done += Math.max(0, some)) {
            some = to.read(into, done, Math.min(count - done, 1 + random.nextInt(RECORD)));
        }
        return into.asSlice(0, done);
    }

    /** What is on the wire. */
    private byte[] onTheWay() {
        return there.taken();
    }

    @Test
    void bytesOfAnySizeArriveAsTheyWereWritten() throws IOException {
        connect();
        for (int count : new int[] {1, 40, RECORD - 1, RECORD, RECORD + 1, 5 * RECORD, 300_000}) {
            MemorySegment head = bytes(36);
            MemorySegment body = bytes(count);
            MemorySegment tail = bytes(4);
            write(head, body, tail);
            here.give(onTheWay());
            assertThat(read(36).mismatch(head)).isEqualTo(-1);
            assertThat(read(count).mismatch(body)).isEqualTo(-1);
            assertThat(read(4).mismatch(tail)).isEqualTo(-1);
        }
    }

    @Test
    void nothingOfWhatIsSaidCanBeReadOnTheWay() throws IOException {
        connect();
        byte[] secret = "the prompt that nobody else may read".getBytes(StandardCharsets.US_ASCII);
        write(Arena.ofAuto().allocateFrom(ValueLayout.JAVA_BYTE, secret));
        assertThat(new String(onTheWay(), StandardCharsets.ISO_8859_1)).doesNotContain("prompt");
    }

    @Test
    void newKeysAreTakenInTheMiddle() throws IOException {
        connect();
        for (int round = 0; round < 3; round++) {
            MemorySegment body = bytes(40_000);
            write(body);
            sending.beginHandshake();
            MemorySegment after = bytes(40_000);
            write(after);
            here.give(onTheWay());
            assertThat(read(40_000).mismatch(body)).isEqualTo(-1);
            assertThat(read(40_000).mismatch(after)).isEqualTo(-1);
        }
    }

    @Test
    void aChangedByteIsRefusedAndNothingOfItsRecordRead() throws IOException {
        for (int at : new int[] {5, 60, 2 * RECORD, 3 * RECORD}) {
            connect();
            MemorySegment body = bytes(4 * RECORD);
            write(body);
            byte[] changed = onTheWay();
            changed[at] ^= 1;
            here.give(changed);
            var before = new ByteArrayOutputStream();
            assertThatThrownBy(() -> {
                while (before.size() < body.byteSize()) {
                    before.writeBytes(read(1).toArray(ValueLayout.JAVA_BYTE));
                }
            }).isInstanceOf(SSLException.class);
            assertThat(before.size()).isLessThan(at);
            assertThat(MemorySegment.ofArray(before.toByteArray()).mismatch(body.asSlice(0, before.size()))).isEqualTo(-1);
        }
    }

    @Test
    void aRecordThatComesAgainIsRefused() throws IOException {
        connect();
        write(bytes(100));
        byte[] once = onTheWay();
        here.give(joined(once, once));
        assertThat(read(100).byteSize()).isEqualTo(100);
        assertThatThrownBy(() -> read(100)).isInstanceOf(SSLException.class);
    }

    @Test
    void recordsThatHaveChangedPlacesAreRefused() throws IOException {
        connect();
        write(bytes(100));
        byte[] first = onTheWay();
        write(bytes(100));
        here.give(joined(onTheWay(), first));
        assertThatThrownBy(() -> read(100)).isInstanceOf(SSLException.class);
    }

    @Test
    void noiseIsRefusedOrWaitedForButNeverRead() throws IOException {
        for (int i = 0; i < 60; i++) {
            connect();
            byte[] noise = new byte[1 + random.nextInt(400)];
            random.nextBytes(noise);
            here.give(noise);
            here.end();
            var got = new ByteArrayOutputStream();
            try {
                got.writeBytes(read(1).toArray(ValueLayout.JAVA_BYTE));
            } catch (SSLException e) {
                // Refused.
            }
            assertThat(got.size()).isZero();
        }
    }

    @Test
    void anotherCertificateThanTheAnnouncedOneIsRefused() {
        OwnCertificate other = OwnCertificate.make();
        SSLEngine dials = dialling.engine(true, accepting.fingerprint());
        SSLEngine accepts = other.engine(false, dialling.fingerprint());
        assertThatThrownBy(() -> shakeHands(dials, accepts)).isInstanceOf(SSLException.class)
                .hasMessageContaining("somebody is in between");
        SSLEngine dialsToo = other.engine(true, accepting.fingerprint());
        SSLEngine acceptsToo = accepting.engine(false, dialling.fingerprint());
        assertThatThrownBy(() -> shakeHands(dialsToo, acceptsToo)).isInstanceOf(SSLException.class)
                .hasMessageContaining("somebody is in between");
    }

    @Test
    void aCertificateIsSignedByItsOwnKeyAndNoTwoAreAlike() throws GeneralSecurityException {
        dialling.certificate().verify(dialling.certificate().getPublicKey());
        dialling.certificate().checkValidity();
        assertThat(dialling.certificate().getSubjectX500Principal().getName()).isEqualTo("CN=maniple rank");
        assertThat(dialling.fingerprint()).hasSize(OwnCertificate.FINGERPRINT_BYTES).isNotEqualTo(accepting.fingerprint());
    }
}
