package org.maniple.kernel.unit;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Map;
import java.util.function.BiConsumer;
import org.maniple.api.ManipleException;
import org.maniple.api.transport.ControlLink;

/** Writes the fields of a message; the counterpart of {@link MessageReader}, with the same limits. */
final class MessageWriter {

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    MessageWriter octet(int value) {
        bytes.write(value);
        return this;
    }

    MessageWriter flag(boolean value) {
        return octet(value ? 1 : 0);
    }

    MessageWriter number(int value) {
        bytes.writeBytes(ByteBuffer.allocate(Integer.BYTES).putInt(value).array());
        return this;
    }

    MessageWriter largeNumber(long value) {
        bytes.writeBytes(ByteBuffer.allocate(Long.BYTES).putLong(value).array());
        return this;
    }

    MessageWriter phase(Phase phase) {
        return octet(phase.ordinal());
    }

    MessageWriter text(String value) {
        byte[] encoded = value.getBytes(StandardCharsets.UTF_8);
        if (encoded.length > MessageReader.MAX_TEXT) {
            throw new ManipleException("a text of " + encoded.length + " bytes [" + value.substring(0, 40)
                    + "…] cannot be sent to another rank; at most " + MessageReader.MAX_TEXT + " bytes are allowed");
        }
        number(encoded.length);
        bytes.writeBytes(encoded);
        return this;
    }

    MessageWriter textMap(Map<String, String> map) {
        number(limited(map.size()));
        map.forEach((key, value) -> text(key).text(value));
        return this;
    }

    MessageWriter numberMap(Map<String, Integer> map) {
        number(limited(map.size()));
        map.forEach((key, value) -> text(key).number(value));
        return this;
    }

    <T> MessageWriter list(Collection<T> elements, BiConsumer<MessageWriter, T> element) {
        number(limited(elements.size()));
        elements.forEach(each -> element.accept(this, each));
        return this;
    }

    /** Bytes up to the end of the message. */
    MessageWriter rest(byte[] value) {
        bytes.writeBytes(value);
        return this;
    }

    byte[] toBytes() {
        if (bytes.size() > ControlLink.MAX_MESSAGE) {
            throw new ManipleException("a message of " + bytes.size() + " bytes cannot be sent to another rank; at most "
                    + ControlLink.MAX_MESSAGE + " bytes are allowed");
        }
        return bytes.toByteArray();
    }

    private static int limited(int count) {
        if (count > MessageReader.MAX_ENTRIES) {
            throw new ManipleException("a list of " + count + " entries cannot be sent to another rank; at most "
                    + MessageReader.MAX_ENTRIES + " are allowed");
        }
        return count;
    }
}
