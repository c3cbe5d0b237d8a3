package org.maniple.kernel.balance;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.maniple.api.mesh.ExpertPlacement;

/**
 * What a rank tells rank 0 about a round of rebalancing: that the weights of a chunk are there, that nothing is left to do, or that it cannot go on.
 *
 * @param round the round
 * @param chunk the chunk that may be committed
 * @param last whether this rank has nothing to commit in this chunk or a later one
 * @param failure why it cannot go on; empty if it can
 * @param layers with the first report of a round, from one rank of each group that shares experts: what has been decided; otherwise empty
 */
public record ExpertReport(int round, int chunk, boolean last, String failure, List<Decision> layers) {

    /** Where experts of a block go, and why. */
    private static final int KIND = 'E';
    private static final int MOST_TEXT = 4096;
    private static final int MOST = 1 << 16;

    /** Copies the list. */
    public ExpertReport {
        layers = List.copyOf(layers);
    }

    /**
     * What has been decided about a block.
     *
     * @param layer the block
     * @param chunk the chunk that changes it; -1 if it stays as it is
     * @param loads pairs of a token and each expert in the window
     * @param next where the experts will be
     */
    public record Decision(int layer, int chunk, List<Long> loads, ExpertPlacement next) {

        /** Copies the list. */
        public Decision {
            loads = List.copyOf(loads);
        }
    }

    /**
     * Whether a message from another rank is a report, and not something between engines.
     *
     * @param message the message
     * @return whether it is
     */
    public static boolean isOne(byte[] message) {
        return message.length > 0 && message[0] == KIND;
    }

    /**
     * The report as a message.
     *
     * @return its bytes
     */
    public byte[] encode() {
        byte[] text = failure.substring(0, Math.min(failure.length(), MOST_TEXT / 4)).getBytes(StandardCharsets.UTF_8);
        int size = 1 + 5 * Integer.BYTES + 1 + text.length;
        for (Decision decision : layers) {
            size += 4 * Integer.BYTES + decision.loads().size() * Long.BYTES;
            for (int part = 0; part < decision.next().parts(); part++) {
                size += Integer.BYTES * (1 + decision.next().slots(part));
            }
        }
        ByteBuffer out = ByteBuffer.allocate(size).put((byte) KIND).putInt(round).putInt(chunk).put((byte) (last ? 1 : 0))
                .putInt(text.length).put(text).putInt(layers.size());
        for (Decision decision : layers) {
            out.putInt(decision.layer()).putInt(decision.chunk()).putInt(decision.loads().size());
            decision.loads().forEach(out::putLong);
            write(out, decision.next());
        }
        return java.util.Arrays.copyOf(out.array(), out.position());
    }

    private static void write(ByteBuffer out, ExpertPlacement placement) {
        out.putInt(placement.parts());
        for (int part = 0; part < placement.parts(); part++) {
            out.putInt(placement.slots(part));
            for (int slot = 0; slot < placement.slots(part); slot++) {
                out.putInt(placement.expert(part, slot));
            }
        }
    }

    /**
     * Reads a message.
     *
     * @param message one for which {@link #isOne} holds
     * @return the report
     * @throws IllegalArgumentException if it cannot be read
     */
    public static ExpertReport decode(byte[] message) {
        try {
            ByteBuffer in = ByteBuffer.wrap(message);
            in.get();
            int round = in.getInt();
            int chunk = in.getInt();
            boolean last = in.get() != 0;
            byte[] text = new byte[count(in, 1, MOST_TEXT)];
            in.get(text);
            int count = count(in, 16, MOST);
            var layers = new ArrayList<Decision>(count);
            for (int i = 0; i < count; i++) {
                layers.add(decision(in));
            }
            if (in.hasRemaining()) {
                throw new IllegalArgumentException(in.remaining() + " bytes too many");
            }
            return new ExpertReport(round, chunk, last, new String(text, StandardCharsets.UTF_8), layers);
        } catch (BufferUnderflowException e) {
            throw new IllegalArgumentException("a report about experts that ends early", e);
        }
    }

    private static Decision decision(ByteBuffer in) {
        int layer = in.getInt();
        int chunk = in.getInt();
        int experts = count(in, Long.BYTES, MOST);
        var loads = new ArrayList<Long>(experts);
        for (int expert = 0; expert < experts; expert++) {
            loads.add(in.getLong());
        }
        int parts = count(in, Integer.BYTES, MOST);
        var slots = new ArrayList<List<Integer>>(parts);
        for (int part = 0; part < parts; part++) {
            int size = count(in, Integer.BYTES, MOST);
            var own = new ArrayList<Integer>(size);
            for (int slot = 0; slot < size; slot++) {
                own.add(in.getInt());
            }
            slots.add(own);
        }
        return new Decision(layer, chunk, loads, new ExpertPlacement(experts, slots));
    }

    /** Checks a count against the bytes that are there before anything is allocated. */
    private static int count(ByteBuffer in, int leastBytes, int most) {
        int count = in.getInt();
        if (count < 0 || count > most || (long) count * leastBytes > in.remaining()) {
            throw new IllegalArgumentException(
                    "a report about experts with " + count + " entries in " + in.remaining() + " bytes");
        }
        return count;
    }
}
