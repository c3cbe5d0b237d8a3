package org.maniple.transport.tcp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntUnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.transport.ControlLink;

/**
 * Frames that were changed, cut or put together by chance are either what was sent, or refused. {@code -Dmaniple.fuzz=100000} tries
 * more, {@code -Dmaniple.fuzz.seed=…} others.
 */
class FrameFuzzTest {

    private static final int CASES = Integer.getInteger("maniple.fuzz", 2000);
    private static final long SEED = Long.getLong("maniple.fuzz.seed", 1);
    private static final int MAX_PAYLOAD = 300;

    private final SplittableRandom random = new SplittableRandom(SEED);

    private static MemorySegment memory(long bytes) {
        return Arena.ofAuto().allocate(bytes, 8);
    }

    private MemorySegment payload() {
        MemorySegment payload = memory(random.nextInt(MAX_PAYLOAD));
        for (long i = 0; i < payload.byteSize(); i++) {
            payload.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt());
        }
        return payload;
    }

    /** Sends some frames over a link in memory, changes the bytes, and receives them. Returns how many have come, or -1 for a refusal. */
    private int transfer(Protection protection, List<MemorySegment> payloads, java.util.function.UnaryOperator<byte[]> change) {
        var socket = new MemorySocket(random);
        var link = new DataLink(1, "memory:1", socket, protection, new byte[0], new Views(), FrameFuzzTest::memory);
        for (int i = 0; i < payloads.size(); i++) {
            var pending = new TcpPending(link);
            pending.begin(link, true, true, i, payloads.get(i));
            link.send(pending);
            while (!pending.done()) {
                link.progress();
            }
        }
        socket.give(change.apply(socket.taken()));
        socket.end();
        for (int i = 0; i < payloads.size(); i++) {
            MemorySegment into = memory(payloads.get(i).byteSize());
            var pending = new TcpPending(link);
            pending.begin(link, false, true, i, into);
            link.expect(pending);
            while (!pending.done() && link.failure() == null) {
                link.progress();
            }
            if (!pending.done()) {
                return i;
            }
            assertThat(into.mismatch(payloads.get(i))).as("case of seed " + SEED).isEqualTo(-1);
        }
        return payloads.size();
    }

    private byte[] mutate(byte[] bytes) {
        byte[] changed = bytes.clone();
        switch (random.nextInt(3)) {
            case 0 -> {
                int at = random.nextInt(changed.length);
                changed[at] ^= (byte) (1 << random.nextInt(8));
            }
            case 1 -> changed = java.util.Arrays.copyOf(changed, random.nextInt(changed.length));
            default -> {
                for (int i = random.nextInt(changed.length),
                        end = Math.min(changed.length, i + 1 + random.nextInt(20)); i < end; i++) {
                    changed[i] ^= (byte) (1 + random.nextInt(255));
                }
            }
        }
        return changed;
    }

    /** Checksums and codes; both directions have the same key, since one link sends and receives here. */
    private static Stream<Protection> protections() {
        return Stream.of(new Protection.Plain(), new Protection.Keyed(new byte[32], new byte[32]));
    }

    @ParameterizedTest
    @MethodSource("protections")
    void framesSurviveReadsAndWritesOfAnySizes(Protection protection) {
        for (int i = 0; i < CASES; i++) {
            List<MemorySegment> payloads = List.of(payload(), payload(), payload());
            assertThat(transfer(protection, payloads, bytes -> bytes)).isEqualTo(3);
        }
    }

    @ParameterizedTest
    @MethodSource("protections")
    void noChangedFrameIsTakenForWhatWasSent(Protection protection) {
        for (int i = 0; i < CASES; i++) {
            assertThat(transfer(protection, List.of(payload(), payload(), payload()), this::mutate))
                    .as("case " + i + " of seed " + SEED)
                    .isLessThan(3);
        }
    }

    private static byte[] control(Protection protection, List<byte[]> messages) {
        ByteBuf out = Unpooled.buffer();
        var frames = new ControlFrames(protection);
        messages.forEach(message -> frames.write(out, message));
        byte[] bytes = new byte[out.readableBytes()];
        out.readBytes(bytes);
        return bytes;
    }

    private static List<byte[]> read(Protection protection, byte[] bytes, IntUnaryOperator pieces) {
        var messages = new ArrayList<byte[]>();
        var frames = new ControlFrames(protection);
        for (int at = 0; at < bytes.length;) {
            int count = 1 + pieces.applyAsInt(bytes.length - at);
            frames.read(Unpooled.wrappedBuffer(bytes, at, count), messages::add);
            at += count;
        }
        return messages;
    }

    @ParameterizedTest
    @MethodSource("protections")
    void controlMessagesSurviveAnyPieces(Protection protection) {
        for (int i = 0; i < CASES; i++) {
            List<byte[]> messages = List.of(payload().toArray(ValueLayout.JAVA_BYTE), new byte[0],
                    payload().toArray(ValueLayout.JAVA_BYTE));
            assertThat(read(protection, control(protection, messages), random::nextInt)).usingRecursiveComparison()
                    .isEqualTo(messages);
        }
    }

    @ParameterizedTest
    @MethodSource("protections")
    void noChangedControlMessageIsTakenForWhatWasSent(Protection protection) {
        for (int i = 0; i < CASES; i++) {
            List<byte[]> messages = List.of(payload().toArray(ValueLayout.JAVA_BYTE), payload().toArray(ValueLayout.JAVA_BYTE));
            byte[] changed = mutate(control(protection, messages));
            var got = new ArrayList<byte[]>();
            Throwable refusal = catchThrowable(() -> got.addAll(read(protection, changed, random::nextInt)));
            assertThat(refusal == null || refusal instanceof IllegalArgumentException).as(() -> "unexpected " + refusal).isTrue();
            assertThat(got.size()).as("case " + i + " of seed " + SEED).isLessThan(2);
        }
    }

    @Test
    void anAnnouncedSizeBeyondTheLimitIsRefusedBeforeMemoryIsTaken() {
        ByteBuf out = Unpooled.buffer();
        new ControlFrames().write(out, new byte[ControlLink.MAX_MESSAGE + 1]);
        Throwable refusal = catchThrowable(() -> new ControlFrames().read(out.slice(0, ControlFrames.HEADER), message -> {}));
        assertThat(refusal).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at most " + ControlLink.MAX_MESSAGE);
    }
}
