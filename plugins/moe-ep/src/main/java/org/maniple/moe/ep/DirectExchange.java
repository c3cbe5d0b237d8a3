package org.maniple.moe.ep;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.maniple.api.collective.AllToAll;
import org.maniple.api.collective.Communicator;
import org.maniple.api.collective.PairExchange;
import org.maniple.api.tensor.PairRows;
import org.maniple.api.tensor.Tensor;

/**
 * Sends each token to the ranks that have one of its experts, and to no others.
 *
 * <p>What goes to a rank is a {@linkplain TokenMessage message}: 4 bytes, 8 for each choice that is computed there, and one row for each token; no
 * byte at all if there is no token. What a rank keeps has the same form, so that its rows go through the same rounding, and the results do not depend on
 * where an expert is. Messages go to their ranks by a {@link Delivery}.
 *
 * <p>What comes back has no header: one F32 row for each token, in the order in which the tokens came.
 */
final class DirectExchange implements PairExchange {

    private final Communicator communicator;
    private final Communicator.Group group;
    private final int own;
    private final int ranks;
    private final int width;
    private final int choices;
    private final RowCodec codec;
    private final Delivery delivery;
    private final Room sends;
    private final Room receives;
    private final MemorySegment encoded;
    private final long[] sendBytes;
    private final long[] receiveBytes;
    private final float[] sum;
    private final float[] row;

    /** What this rank's tokens do: by rank, how many go there, with how many choices, and which. */
    private final int[] visits;
    private final int[] visitPairs;
    private final int[][] visitors;
    private final TokenMessage.Writer[] writers;

    private final Arrivals arrivals;
    private final Communicator.Begun dispatching = this::endDispatch;
    private final Communicator.Begun combining = this::endCombine;
    private Communicator.Begun returning = Communicator.Begun.OVER;
    /** What receives the result of what has been begun. */
    private @Nullable Tensor target;
    private int allTokens;
    private int tokens;
    private long dispatched;
    private long combined;

    /**
     * Begins.
     *
     * @param setting what is exchanged
     * @param codec how rows are sent
     * @param delivery which way messages with tokens go
     */
    DirectExchange(AllToAll.Setting setting, RowCodec codec, Delivery delivery) {
        this.communicator = setting.communicator();
        this.group = setting.group();
        this.own = group.position();
        this.ranks = group.size();
        this.width = setting.width();
        this.choices = setting.choices();
        this.codec = codec;
        this.delivery = delivery;
        TokenMessage.check(setting.choices(), setting.slots());
        LongFunction<MemorySegment> memory = setting.memory();
        this.sends = new Room(ranks, memory);
        this.receives = new Room(ranks, memory);
        this.encoded = memory.apply(codec.rowBytes());
        this.sendBytes = new long[ranks];
        this.receiveBytes = new long[ranks];
        this.sum = new float[width];
        this.row = new float[width];
        this.visits = new int[ranks];
        this.visitPairs = new int[ranks];
        this.visitors = new int[ranks][setting.maxTokens()];
        this.writers = new TokenMessage.Writer[ranks];
        for (int i = 0; i < ranks; i++) {
            writers[i] = new TokenMessage.Writer(codec.rowBytes());
        }
        this.arrivals = new Arrivals(ranks, setting.slots(), codec.rowBytes());
    }

    @Override
    public void dispatch(Tensor x, Tensor weights, Owners owners, int first, int all, int largest, Tensor pairs) {
        beginDispatch(x, weights, owners, first, all, largest, pairs).end();
    }

    @Override
    public Communicator.Begun beginDispatch(Tensor x, Tensor weights, Owners owners, int first, int all, int largest,
            Tensor pairs) {
        tokens = x.rows();
        if (x.width() != width || weights.width() != choices || pairs.width() != width || tokens > largest
                || weights.rows() != tokens || tokens > visitors[0].length) {
            throw new IllegalArgumentException(
                    "dispatch of " + tokens + " rows of " + x + " by " + weights.rows() + " of " + weights
                            + " into " + pairs + ", at most " + largest + " tokens a rank: this exchange is for width " + width
                            + ", " + choices
                            + " choices and up to " + visitors[0].length + " tokens");
        }
        count(owners);
        write(x, weights, owners, first);
        dispatched += delivery.begin(sends, sendBytes, receives, receiveBytes, largest);
        target = pairs;
        allTokens = all;
        return dispatching;
    }

    private void endDispatch() {
        delivery.end();
        read(Objects.requireNonNull(target), allTokens);
        target = null;
    }

    private void count(Owners owners) {
        Arrays.fill(visits, 0);
        Arrays.fill(visitPairs, 0);
        for (int token = 0; token < tokens; token++) {
            for (int choice = 0; choice < choices; choice++) {
                int position = owners.position(token, choice);
                if (position >= 0) {
                    visitPairs[position]++;
                    if (visits[position] == 0 || visitors[position][visits[position] - 1] != token) {
                        visitors[position][visits[position]++] = token;
                    }
                }
            }
        }
    }

    private void write(Tensor x, Tensor weights, Owners owners, int first) {
        for (int i = 0; i < ranks; i++) {
            sendBytes[i] = TokenMessage.bytes(visitPairs[i], visits[i], codec.rowBytes());
            writers[i].begin(sends.atLeast(i, sendBytes[i]), 0, visitPairs[i], visits[i], first);
        }
        for (int token = 0; token < tokens; token++) {
            boolean written = false;
            for (int choice = 0; choice < choices; choice++) {
                int position = owners.position(token, choice);
                if (position >= 0) {
                    if (!written) {
                        codec.encode(x.segment(), (long) token * width * Float.BYTES, encoded, 0);
                        written = true;
                    }
                    writers[position].add(token, choice, owners.slot(token, choice),
                            weights.segment().get(JAVA_FLOAT_UNALIGNED, Float.BYTES * ((long) token * choices + choice)),
                            encoded, 0);
                }
            }
        }
    }

    private void read(Tensor pairs, int all) {
        arrivals.begin(all);
        for (int i = 0; i < ranks; i++) {
            MemorySegment message = i == own ? sends.memory[i] : receives.memory[i];
            arrivals.add(i, group.ranks().get(i), message, Math.max(0, i == own ? sendBytes[i] : receiveBytes[i]));
        }
        arrivals.fill(pairs.pairs());
        for (int i = 0; i < pairs.rows(); i++) {
            int token = arrivals.token(i);
            int from = arrivals.source(token);
            MemorySegment message = from == own ? sends.memory[from] : receives.memory[from];
            codec.decode(message, arrivals.rowAt(token), pairs.segment(), (long) i * width * Float.BYTES);
        }
    }

    @Override
    public void combine(Tensor pairs, Tensor out) {
        beginCombine(pairs, out).end();
    }

    @Override
    public Communicator.Begun beginCombine(Tensor pairs, Tensor out) {
        if (out.rows() != tokens || out.width() != width || pairs.width() != width) {
            throw new IllegalArgumentException(
                    "combine of " + pairs + " into " + out.rows() + " rows of " + out + ": " + tokens + " tokens of width "
                            + width
                            + " were dispatched");
        }
        long rowBytes = (long) width * Float.BYTES;
        for (int i = 0; i < ranks; i++) {
            int first = arrivals.first(i);
            int count = arrivals.first(i + 1) - first;
            MemorySegment results = sends.atLeast(i, count * rowBytes);
            for (int j = 0; j < count; j++) {
                sumOf(first + j, pairs);
                MemorySegment.copy(sum, 0, results, JAVA_FLOAT_UNALIGNED, j * rowBytes, width);
            }
            sendBytes[i] = count == 0 ? -1 : count * rowBytes;
            receiveBytes[i] = visits[i] == 0 ? -1 : 0;
            if (i != own) {
                receives.atLeast(i, visits[i] * rowBytes);
                combined += count * rowBytes;
            }
        }
        returning = communicator.beginExchange(group, sends.memory, sendBytes, receives.memory, receiveBytes);
        target = out;
        return combining;
    }

    private void endCombine() {
        returning.end();
        addAtHome(Objects.requireNonNull(target));
        target = null;
    }

    /** A token's rows on this rank, in the order of its choices. */
    private void sumOf(int token, Tensor pairs) {
        Arrays.fill(sum, 0);
        PairRows rows = pairs.pairs();
        for (int choice = 0; choice < choices; choice++) {
            int at = rows.row(arrivals.number(token), choice);
            if (at >= 0) {
                MemorySegment.copy(pairs.segment(), JAVA_FLOAT_UNALIGNED, (long) at * width * Float.BYTES, row, 0, width);
                addWeighted(sum, arrivals.weight(at), row);
            }
        }
    }

    private static void addWeighted(float[] sum, float weight, float[] row) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += weight * row[i];
        }
    }

    /** The ranks in ascending order, so that each token's sums are added in that order. */
    private void addAtHome(Tensor out) {
        long rowBytes = (long) width * Float.BYTES;
        Arrays.fill(sum, 0);
        for (int token = 0; token < tokens; token++) {
            MemorySegment.copy(sum, 0, out.segment(), JAVA_FLOAT_UNALIGNED, token * rowBytes, width);
        }
        for (int i = 0; i < ranks; i++) {
            if (i != own && visits[i] > 0 && receiveBytes[i] != visits[i] * rowBytes) {
                throw new IllegalStateException(
                        "rank " + group.ranks().get(i) + " has returned " + receiveBytes[i] + " bytes for "
                                + visits[i] + " tokens of " + rowBytes + " bytes");
            }
            MemorySegment results = i == own ? sends.memory[i] : receives.memory[i];
            for (int j = 0; j < visits[i]; j++) {
                long at = visitors[i][j] * rowBytes;
                MemorySegment.copy(out.segment(), JAVA_FLOAT_UNALIGNED, at, sum, 0, width);
                MemorySegment.copy(results, JAVA_FLOAT_UNALIGNED, j * rowBytes, row, 0, width);
                addWeighted(sum, 1, row);
                MemorySegment.copy(sum, 0, out.segment(), JAVA_FLOAT_UNALIGNED, at, width);
            }
        }
    }

    @Override
    public long dispatchedBytes() {
        return dispatched;
    }

    @Override
    public long combinedBytes() {
        return combined;
    }
}
