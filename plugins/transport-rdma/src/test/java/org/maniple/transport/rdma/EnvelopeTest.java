package org.maniple.transport.rdma;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

class EnvelopeTest {

    private static final int BYTES = 100;

    private final MemorySegment memory = Arena.ofAuto().allocate(Envelope.BYTES, Long.BYTES);
    private final Envelope envelope = new Envelope(memory);
    private final CRC32C crc = new CRC32C();

    private MemorySegment payload() {
        MemorySegment payload = Arena.ofAuto().allocate(BYTES);
        payload.fill((byte) 7);
        return payload;
    }

    @Test
    void aSmallPayloadGoesWithItsHead() {
        assertThat(envelope.write(42, payload(), 3, 0, true, crc)).isEqualTo(Envelope.HEAD + BYTES);
        MemorySegment into = Arena.ofAuto().allocate(BYTES);
        assertThat(envelope.intact(3, true, crc)).isTrue();
        envelope.read(into);
        assertThat(into.mismatch(payload())).isEqualTo(-1);
        assertThat(envelope.tag()).isEqualTo(42);
    }

    @Test
    void aChangeOfAnyByteIsNoticed() {
        int all = envelope.write(42, payload(), 3, 0, true, crc);
        for (int i = 0; i < all; i++) {
            byte was = memory.get(ValueLayout.JAVA_BYTE, i);
            memory.set(ValueLayout.JAVA_BYTE, i, (byte) (was ^ 16));
            assertThat(envelope.intact(3, true, crc)).as("byte " + i).isFalse();
            memory.set(ValueLayout.JAVA_BYTE, i, was);
        }
        assertThat(envelope.intact(3, true, crc)).isTrue();
    }

    @Test
    void aFrameOfAnotherNumberIsNotTheNextOne() {
        envelope.write(42, payload(), 3, 0, false, crc);
        assertThat(envelope.intact(4, false, crc)).isFalse();
    }
}
