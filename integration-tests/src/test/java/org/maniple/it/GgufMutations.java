package org.maniple.it;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;

/** Damaged copies of a GGUF file: bits, numbers and runs of bytes of its header are changed, and some copies end early. */
final class GgufMutations {

    private final byte[] sound;
    private final int header;
    private final Random random;
    private final long[] extremes;

    /**
     * Copies of a sound file, always the same ones for the same numbers.
     */
    GgufMutations(byte[] sound, Random random) {
        this.sound = sound;
        this.random = random;
        this.header = header(ByteBuffer.wrap(sound).order(ByteOrder.LITTLE_ENDIAN));
        this.extremes = new long[] {0, 1, -1, Long.MAX_VALUE, Long.MIN_VALUE, 0xffff_ffffL, 1L << 31, 1L << 40, 1L << 62,
            sound.length};
    }

    /** Another copy, with one to four changes. */
    byte[] next() {
        byte[] content = sound.clone();
        change(content, 1 + random.nextInt(4));
        return random.nextInt(8) == 0 ? Arrays.copyOf(content, random.nextInt(content.length)) : content;
    }

    /** Another copy of the same length, of whose weights some bytes are others, with at most two changes of the header. */
    byte[] nextModel() {
        byte[] content = sound.clone();
        for (int i = 0; i < 32; i++) {
            content[header + random.nextInt(content.length - header)] = (byte) random.nextInt();
        }
        change(content, random.nextInt(3));
        return content;
    }

    private void change(byte[] content, int changes) {
        ByteBuffer buffer = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
        for (int change = 0; change < changes; change++) {
            switch (random.nextInt(5)) {
                case 0 -> content[random.nextInt(header)] ^= (byte) (1 << random.nextInt(8));
                case 1 -> buffer.putLong(random.nextInt(header - 8), extremes[random.nextInt(extremes.length)]);
                case 2 -> buffer.putInt(random.nextInt(header - 4), random.nextInt());
                // Numbers that a small one may well be mistaken for: other extents, counts and types.
                case 3 -> {
                    int place = random.nextInt(header - 4);
                    buffer.put(place, (byte) (buffer.get(place) + random.nextInt(-3, 4)));
                }
                default -> {
                    int from = random.nextInt(header - 16);
                    System.arraycopy(sound, random.nextInt(header - 16), content, from, random.nextInt(16));
                }
            }
        }
    }

    /** Where the descriptions of tensors end. */
    private static int header(ByteBuffer in) {
        long tensors = in.getLong(8);
        long values = in.getLong(16);
        in.position(24);
        for (long i = 0; i < values; i++) {
            skipText(in);
            skipValue(in, in.getInt());
        }
        for (long i = 0; i < tensors; i++) {
            skipText(in);
            in.position(in.position() + 4 + 8 * in.getInt(in.position()) + 12);
        }
        return in.position();
    }

    private static void skipText(ByteBuffer in) {
        in.position(in.position() + 8 + (int) in.getLong(in.position()));
    }

    private static void skipValue(ByteBuffer in, int type) {
        switch (type) {
            case 8 -> skipText(in);
            case 9 -> {
                int elements = in.getInt();
                long count = in.getLong();
                for (long i = 0; i < count; i++) {
                    skipValue(in, elements);
                }
            }
            default -> in.position(in.position() + (type == 7 ? 1 : 4));
        }
    }
}
