package org.maniple.kernel.unit;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Reads the fields of a message. Trusts nothing: counts and lengths are checked against limits and against what is there. */
final class MessageReader {

    /** The longest text, in bytes of UTF-8. */
    static final int MAX_TEXT = 1 << 16;
    /** The most entries in a list or map. */
    static final int MAX_ENTRIES = 1 << 16;

    private final ByteBuffer bytes;

    MessageReader(byte[] message) {
        bytes = ByteBuffer.wrap(message);
    }

    int octet() throws MalformedMessageException {
        need(1);
        return bytes.get() & 0xff;
    }

    boolean flag() throws MalformedMessageException {
        int value = octet();
        if (value > 1) {
            throw new MalformedMessageException("a flag is " + value + " instead of 0 or 1");
        }
        return value == 1;
    }

    int number() throws MalformedMessageException {
        need(Integer.BYTES);
        return bytes.getInt();
    }

    /** A number that counts something. */
    int natural() throws MalformedMessageException {
        int value = number();
        if (value < 0) {
            throw new MalformedMessageException("a negative number " + value);
        }
        return value;
    }

    /** A large number that counts something. */
    long largeNatural() throws MalformedMessageException {
        need(Long.BYTES);
        long value = bytes.getLong();
        if (value < 0) {
            throw new MalformedMessageException("a negative number " + value);
        }
        return value;
    }

    Phase phase() throws MalformedMessageException {
        int ordinal = octet();
        if (ordinal >= Phase.values().length) {
            throw new MalformedMessageException("unknown phase " + ordinal);
        }
        return Phase.values()[ordinal];
    }

    String text() throws MalformedMessageException {
        int length = number();
        if (length < 0 || length > MAX_TEXT) {
            throw new MalformedMessageException("a text of " + length + " bytes; at most " + MAX_TEXT + " are allowed");
        }
        need(length);
        ByteBuffer part = bytes.slice(bytes.position(), length);
        bytes.position(bytes.position() + length);
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(part).toString();
        } catch (CharacterCodingException e) {
            throw new MalformedMessageException("a text that is not UTF-8");
        }
    }

    List<String> texts() throws MalformedMessageException {
        return list(Integer.BYTES, MessageReader::text);
    }

    SortedMap<String, String> textMap() throws MalformedMessageException {
        SortedMap<String, String> map = new TreeMap<>();
        for (int left = count(2 * Integer.BYTES); left > 0; left--) {
            if (map.put(text(), text()) != null) {
                throw new MalformedMessageException("a key that occurs twice");
            }
        }
        return map;
    }

    Map<String, Integer> numberMap() throws MalformedMessageException {
        Map<String, Integer> map = new LinkedHashMap<>();
        for (int left = count(2 * Integer.BYTES); left > 0; left--) {
            if (map.put(text(), number()) != null) {
                throw new MalformedMessageException("a key that occurs twice");
            }
        }
        return map;
    }

    /** A list whose elements take at least some bytes each. */
    <T> List<T> list(int leastBytes, Element<T> element) throws MalformedMessageException {
        int count = count(leastBytes);
        List<T> list = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            list.add(element.read(this));
        }
        return list;
    }

    /** All that is left. */
    byte[] rest() {
        byte[] left = new byte[bytes.remaining()];
        bytes.get(left);
        return left;
    }

    /** Must be called last. */
    void end() throws MalformedMessageException {
        if (bytes.hasRemaining()) {
            throw new MalformedMessageException(bytes.remaining() + " bytes too many");
        }
    }

    private int count(int leastBytes) throws MalformedMessageException {
        int count = number();
        if (count < 0 || count > MAX_ENTRIES || (long) count * leastBytes > bytes.remaining()) {
            throw new MalformedMessageException("a list of " + count + " entries in " + bytes.remaining() + " bytes");
        }
        return count;
    }

    private void need(int count) throws MalformedMessageException {
        if (bytes.remaining() < count) {
            throw new MalformedMessageException("it ends " + (count - bytes.remaining()) + " bytes early");
        }
    }

    /** Reads one element of a list. */
    @FunctionalInterface
    interface Element<T> {
        T read(MessageReader reader) throws MalformedMessageException;
    }
}
