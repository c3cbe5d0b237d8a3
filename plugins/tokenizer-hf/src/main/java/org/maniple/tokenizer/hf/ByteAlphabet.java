package org.maniple.tokenizer.hf;

import java.nio.charset.StandardCharsets;

/**
 * GPT-2's printable stand-ins for bytes: printable Latin-1 bytes stand for themselves, the other 68 are moved to U+0100 and up,
 * in order.
 */
final class ByteAlphabet {
    private static final char[] CHARS = new char[256];
    private static final short[] BYTES = new short[0x144];

    static {
        java.util.Arrays.fill(BYTES, (short) -1);
        int moved = 0;
        for (int b = 0; b < 256; b++) {
            boolean itself = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
            CHARS[b] = (char) (itself ? b : 0x100 + moved++);
            BYTES[CHARS[b]] = (short) b;
        }
    }

    private ByteAlphabet() {}

    static char charOf(int unsignedByte) {
        return CHARS[unsignedByte];
    }

    /** The text's UTF-8 bytes in stand-ins. */
    static String spell(String text) {
        var bytes = text.getBytes(StandardCharsets.UTF_8);
        var out = new char[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            out[i] = CHARS[bytes[i] & 0xFF];
        }
        return new String(out);
    }

    /** The bytes a token stands for; a token with any other character in it (an added token) stands for its own UTF-8. */
    static byte[] bytes(String token) {
        var out = new byte[token.length()];
        for (int i = 0; i < out.length; i++) {
            char c = token.charAt(i);
            if (c >= BYTES.length || BYTES[c] < 0) {
                return token.getBytes(StandardCharsets.UTF_8);
            }
            out[i] = (byte) BYTES[c];
        }
        return out;
    }
}
