package org.maniple.kernel.remote;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Function;

/** Reads the fields of a frame. Trusts nothing: a count is checked against the bytes that are there before anything is allocated. */
final class FrameReader {

    private final ByteBuffer bytes;

    FrameReader(byte[] frame) {
        bytes = ByteBuffer.wrap(frame);
    }

    int octet() {
        return need(1).get() & 0xff;
    }

    boolean flag() {
        int value = octet();
        if (value > 1) {
            throw new MalformedFrameException("a flag is " + value + " instead of 0 or 1");
        }
        return value == 1;
    }

    /** One of some values, by its place among them. */
    <E> E oneOf(E[] values) {
        int ordinal = octet();
        if (ordinal >= values.length) {
            throw new MalformedFrameException("choice " + ordinal + " of " + values.length);
        }
        return values[ordinal];
    }

    int number() {
        return need(Integer.BYTES).getInt();
    }

    long large() {
        return need(Long.BYTES).getLong();
    }

    double real() {
        return need(Double.BYTES).getDouble();
    }

    String text() {
        int length = count(1);
        ByteBuffer part = bytes.slice(bytes.position(), length);
        bytes.position(bytes.position() + length);
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(part).toString();
        } catch (CharacterCodingException e) {
            throw new MalformedFrameException("a text that is not UTF-8");
        }
    }

    int[] numbers() {
        int[] values = new int[count(Integer.BYTES)];
        for (int i = 0; i < values.length; i++) {
            values[i] = bytes.getInt();
        }
        return values;
    }

    OptionalInt optional() {
        return flag() ? OptionalInt.of(number()) : OptionalInt.empty();
    }

    /** A list whose elements take at least some bytes each. */
    <T> List<T> list(int leastBytes, Function<FrameReader, T> element) {
        int count = count(leastBytes);
        var list = new ArrayList<T>(count);
        for (int i = 0; i < count; i++) {
            list.add(element.apply(this));
        }
        return list;
    }

    /** Called last. */
    void end() {
        if (bytes.hasRemaining()) {
            throw new MalformedFrameException(bytes.remaining() + " bytes too many");
        }
    }

    private int count(int leastBytes) {
        int count = number();
        if (count < 0 || (long) count * leastBytes > bytes.remaining()) {
            throw new MalformedFrameException(count + " entries in " + bytes.remaining() + " bytes");
        }
        return count;
    }

    private ByteBuffer need(int count) {
        if (bytes.remaining() < count) {
            throw new MalformedFrameException("it ends " + (count - bytes.remaining()) + " bytes early");
        }
        return bytes;
    }
}
