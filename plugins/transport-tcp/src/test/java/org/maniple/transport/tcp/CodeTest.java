package org.maniple.transport.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The code of a frame, beside the JDK's own HMAC. */
class CodeTest {

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 63, 64, 8191, 8192, 8193, 100_000})
    void isTheHmacOfHeaderAndPayload(int size) throws Exception {
        var random = new Random(size);
        byte[] key = new byte[32];
        byte[] header = new byte[FrameHeader.BYTES];
        byte[] payload = new byte[size];
        random.nextBytes(key);
        random.nextBytes(header);
        random.nextBytes(payload);
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        mac.update(header);
        byte[] expected = Arrays.copyOf(mac.doFinal(payload), Code.BYTES);

        MemorySegment memory = Arena.ofAuto().allocate(header.length + size + Code.BYTES);
        MemorySegment.copy(header, 0, memory, ValueLayout.JAVA_BYTE, 0, header.length);
        MemorySegment.copy(payload, 0, memory, ValueLayout.JAVA_BYTE, header.length, size);
        var code = new Code(key);
        for (int round = 0; round < 2; round++) {
            code.begin(memory, 0);
            code.update(memory, header.length, size / 3);
            code.update(memory, header.length + size / 3, size - size / 3);
            code.write(memory, (long) header.length + size);
            assertThat(memory.asSlice((long) header.length + size).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(expected);
        }
        code.begin(memory, 0);
        code.update(memory, header.length, size);
        assertThat(code.matches(memory, (long) header.length + size)).isTrue();
    }
}
