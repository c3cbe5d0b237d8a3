package org.maniple.kernel.remote;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.OptionalInt;
import java.util.function.BiConsumer;

/** Writes the fields of a frame, big-endian; the counterpart of {@link FrameReader}. */
final class FrameWriter {

    private ByteBuffer bytes = ByteBuffer.allocate(256);

    private ByteBuffer room(int count) {
        if (bytes.remaining() < count) {
            int length = Math.addExact(bytes.position(), count);
            bytes = ByteBuffer.wrap(Arrays.copyOf(bytes.array(), Math.max(length, 2 * bytes.capacity())))
                    .position(bytes.position());
        }
        return bytes;
    }

    FrameWriter octet(int value) {
        room(1).put((byte) value);
        return this;
    }

    FrameWriter flag(boolean value) {
        return octet(value ? 1 : 0);
    }

    FrameWriter number(int value) {
        room(Integer.BYTES).putInt(value);
        return this;
    }

    FrameWriter large(long value) {
        room(Long.BYTES).putLong(value);
        return this;
    }

    FrameWriter real(double value) {
        room(Double.BYTES).putDouble(value);
        return this;
    }

    FrameWriter text(String value) {
        byte[] encoded = value.getBytes(StandardCharsets.UTF_8);
        number(encoded.length);
        room(encoded.length).put(encoded);
        return this;
    }

    FrameWriter numbers(int[] values) {
        number(values.length);
        room(Math.multiplyExact(values.length, Integer.BYTES));
        for (int value : values) {
            bytes.putInt(value);
        }
        return this;
    }

    FrameWriter optional(OptionalInt value) {
        flag(value.isPresent());
        return value.isPresent() ? number(value.getAsInt()) : this;
    }

    <T> FrameWriter list(Collection<T> elements, BiConsumer<FrameWriter, T> element) {
        number(elements.size());
        elements.forEach(each -> element.accept(this, each));
        return this;
    }

    byte[] toBytes() {
        return Arrays.copyOf(bytes.array(), bytes.position());
    }
}
