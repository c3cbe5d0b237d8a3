package org.maniple.transport.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.maniple.api.transport.Tag;

/** What somebody in between could do who changes frames together with their checksums: nothing, with integrity. */
class FrameTamperingTest {

    private static final int PAYLOAD = 100;
    private static final int FRAME = FrameHeader.BYTES + PAYLOAD;
    private static final Protection KEYED = new Protection.Keyed(new byte[] {1, 2, 3}, new byte[] {1, 2, 3});

    private static MemorySegment memory(long bytes) {
        return Arena.ofAuto().allocate(bytes, 8);
    }

    private static DataLink link(MemorySocket socket, Protection protection) {
        return new DataLink(1, "10.0.0.2:7070", socket, protection, new byte[0], new Views(), FrameTamperingTest::memory);
    }

    private static long tag(int frame) {
        return Tag.of(Tag.Operation.ALL_REDUCE, 3, frame);
    }

    /** Two frames as they are on the wire. */
    private static byte[] sent(Protection protection) {
        var socket = new MemorySocket(new SplittableRandom(1));
        DataLink link = link(socket, protection);
        for (int frame = 0; frame < 2; frame++) {
            MemorySegment payload = memory(PAYLOAD);
            payload.fill((byte) (frame + 1));
            var pending = new TcpPending(link);
            pending.begin(link, true, true, tag(frame), payload);
            link.send(pending);
            while (!pending.done()) {
                link.progress();
            }
        }
        return socket.taken();
    }

    /** Receives two frames; the reason of the failure, or nothing. */
    private static String received(Protection protection, byte[] bytes) {
        var socket = new MemorySocket(new SplittableRandom(1));
        socket.give(bytes);
        DataLink link = link(socket, protection);
        for (int frame = 0; frame < 2; frame++) {
            var pending = new TcpPending(link);
            pending.begin(link, false, true, tag(frame), memory(PAYLOAD));
            link.expect(pending);
            while (!pending.done() && link.failure() == null) {
                link.progress();
            }
        }
        return String.valueOf(link.failure());
    }

    private static int crc(byte[] bytes, int from, int count) {
        var crc = new CRC32C();
        crc.update(bytes, from, count);
        return (int) crc.getValue();
    }

    /** Gives a frame another number, with the checksum for it. */
    private static byte[] numbered(byte[] frame, long number) {
        byte[] changed = frame.clone();
        ByteBuffer view = ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN);
        view.putLong(24, number);
        return view.putInt(32, crc(changed, 0, 32)).array();
    }

    /** The first byte of the payload, and the checksum for it if there is one. */
    private static byte[] withAnotherByte(byte[] bytes) {
        byte[] changed = bytes.clone();
        changed[FrameHeader.BYTES] = 99;
        ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN).putInt(FRAME, crc(changed, FrameHeader.BYTES, PAYLOAD));
        return changed;
    }

    private static byte[] joined(byte[] first, byte[] second) {
        return ByteBuffer.allocate(first.length + second.length).put(first).put(second).array();
    }

    @Test
    void framesComeAsTheyWereSent() {
        assertThat(received(new Protection.Plain(), sent(new Protection.Plain()))).isEqualTo("null");
        assertThat(received(KEYED, sent(KEYED))).isEqualTo("null");
    }

    @Test
    void aChecksumIsNoHelpAgainstWhoMakesItAnew() {
        assertThat(received(new Protection.Plain(), withAnotherByte(sent(new Protection.Plain())))).isEqualTo("null");
    }

    @Test
    void aChangedByteIsNoticedWhateverIsWrittenBehindIt() {
        assertThat(received(KEYED, withAnotherByte(sent(KEYED))))
                .isEqualTo("rank 1 (10.0.0.2:7070) sent all_reduce#0 of group 3 with 100"
                        + " bytes with a wrong authentication code: it was corrupted or changed on the way");
    }

    @Test
    void aFrameThatIsSentAgainIsNoticed() {
        byte[] first = Arrays.copyOf(sent(KEYED), FRAME + Code.BYTES);
        assertThat(received(KEYED, joined(first, first))).contains("rank 1", "sent frame 0 where frame 1 was expected");
        assertThat(received(KEYED, joined(first, numbered(first, 1)))).contains("sent all_reduce#0");
    }

    @Test
    void framesThatHaveChangedPlacesAreNoticed() {
        byte[] both = sent(KEYED);
        byte[] first = Arrays.copyOf(both, FRAME + Code.BYTES);
        byte[] second = Arrays.copyOfRange(both, FRAME + Code.BYTES, both.length);
        assertThat(received(KEYED, joined(second, first))).contains("sent frame 1 where frame 0 was expected");
        byte[] renamed = numbered(second, 0);
        ByteBuffer.wrap(renamed).order(ByteOrder.LITTLE_ENDIAN).putLong(8, tag(0));
        assertThat(received(KEYED, joined(numbered(renamed, 0), numbered(first, 1))))
                .contains("all_reduce#0", "with a wrong authentication code");
    }

    @Test
    void framesOfAnotherConnectionOrDirectionAreNoticed() {
        var other = new Protection.Keyed(new byte[] {1, 2, 4}, new byte[] {1, 2, 4});
        assertThat(received(KEYED, sent(other))).contains("with a wrong authentication code");
    }
}
