package org.maniple.kernel.unit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.ManipleException;
import org.maniple.api.engine.UnitStatus.StepTimes;
import org.maniple.kernel.unit.UnitMessage.Abort;
import org.maniple.kernel.unit.UnitMessage.Goodbye;
import org.maniple.kernel.unit.UnitMessage.Heartbeat;
import org.maniple.kernel.unit.UnitMessage.LinkReport;
import org.maniple.kernel.unit.UnitMessage.Opened;
import org.maniple.kernel.unit.UnitMessage.Parcel;
import org.maniple.kernel.unit.UnitMessage.Reached;
import org.maniple.kernel.unit.UnitMessage.Refused;
import org.maniple.kernel.unit.UnitMessage.Usage;
import org.maniple.kernel.unit.UnitMessage.Welcome;

class MessageCodecTest {

    static Stream<UnitMessage> messages() {
        return Stream.of(
                TestUnit.hello(3),
                new Welcome(4,
                        List.of(new Member(0, "node-a", "10.0.0.1:7070", "", TestUnit.PORTS),
                                new Member(1, "nœud", "[::1]:7070", "", TestUnit.PORTS))),
                new Refused(true, List.of("one", "two")),
                new Reached(Phase.LINKED),
                new Opened(Phase.READY),
                new Heartbeat(4, Phase.LOADED, 118, 1L << 40, List.of(new LinkReport(2, "tcp eth0 10.0.0.2", 77)),
                        new Usage(1L << 33, 12, 1L << 34, 1L << 35, new StepTimes(7, 1L << 36, 8, 9, 5))),
                new Abort(new UnitFailure(2, "node-b", "is gone: connection reset")),
                new Goodbye("asked to"));
    }

    @ParameterizedTest
    @MethodSource("messages")
    void aMessageComesOutAsItWentIn(UnitMessage message) throws Exception {
        assertThat(MessageCodec.decode(MessageCodec.encode(message))).isEqualTo(message);
    }

    @ParameterizedTest
    @MethodSource("messages")
    void everyPartOfAMessageIsRefused(UnitMessage message) {
        byte[] bytes = MessageCodec.encode(message);
        for (int length = 0; length < bytes.length; length++) {
            byte[] part = Arrays.copyOf(bytes, length);
            assertThatThrownBy(() -> MessageCodec.decode(part)).isInstanceOf(MalformedMessageException.class);
        }
    }

    @Test
    void aParcelIsWhatStandsBehindItsType() throws Exception {
        byte[] content = {1, 2, 3};

        assertThat(MessageCodec.decode(MessageCodec.encode(new Parcel(content)))).isInstanceOfSatisfying(Parcel.class,
                parcel -> assertThat(parcel.content()).isEqualTo(content));
    }

    @Test
    void bytesAfterTheEndAreRefused() {
        byte[] bytes = Arrays.copyOf(MessageCodec.encode(new Reached(Phase.LINKED)), 3);

        assertThatThrownBy(() -> MessageCodec.decode(bytes)).hasMessage("1 bytes too many");
    }

    @Test
    void anAnnouncedListIsNotAllocatedBeforeItsBytesAreThere() {
        byte[] bytes = ByteBuffer.allocate(13).put((byte) 2).putLong(4).putInt(60_000).array();

        assertThatThrownBy(() -> MessageCodec.decode(bytes)).hasMessage("a list of 60000 entries in 0 bytes");
    }

    @Test
    void aTextTooLongToBeReadIsNotSent() {
        assertThatThrownBy(() -> MessageCodec.encode(new Goodbye("x".repeat(70_000))))
                .isInstanceOf(ManipleException.class)
                .hasMessageContaining("a text of 70000 bytes", "at most 65536 bytes");
    }

    @Test
    void mutatedMessagesAreReadOrRefusedButNothingElse() {
        Random random = new Random(42);
        List<byte[]> seeds = messages().map(MessageCodec::encode).toList();
        int refused = 0;
        for (int round = 0; round < 100_000; round++) {
            byte[] bytes = seeds.get(random.nextInt(seeds.size())).clone();
            for (int change = random.nextInt(4); change >= 0; change--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            try {
                assertThat(MessageCodec.decode(bytes)).isNotNull();
            } catch (MalformedMessageException e) {
                refused++;
            }
        }
        assertThat(refused).isBetween(1, 99_999);
    }
}
