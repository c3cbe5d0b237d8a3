package org.maniple.moe.ep;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.maniple.api.ManipleException;
import org.maniple.api.collective.AllToAll;
import org.maniple.api.collective.Communicator;
import org.maniple.api.collective.PairExchange;
import org.maniple.api.tensor.PairRows;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.transport.Tag;
import org.maniple.api.transport.Window;

/**
 * Ranks show each other their tokens in a window. A token's row is shown once, however many ranks have one of its experts: each of these reads it there.
 *
 * <p>Low latency: one round shows everything. Where things are follows from the most tokens that any rank has in the step; no sizes are exchanged.
 *
 * <pre>
 * 0       for each rank where its entries begin, and behind the last one where they end
 * …       entries of 16 bytes: the token's number in the step, its choice and the slot, the weight, the token's number on its rank
 * …       rows
 * </pre>
 *
 * <p>High throughput: the entries first, as many rounds as they need, then the rows, as many at a time as the window holds. The number of rounds
 * follows from the most tokens of a rank, too. Rows go from the window straight to where experts are computed.
 *
 * <p>Results are shown in the same way: a row for each token and rank visited, with a head that says where the rows for each rank begin.
 */
final class SharedMemoryExchange implements PairExchange {

    private static final int ENTRY = 16;
    private static final int LINE = 64;

    private final Communicator communicator;
    private final Communicator.Group group;
    private final Window window;
    private final int own;
    private final int ranks;
    private final int width;
    private final int choices;
    private final int lowLatencyTokens;
    private final RowCodec codec;
    private final int rowBytes;
    private final int resultBytes;
    private final long head;
    private final int maxTokens;
    private final Arrivals arrivals;
    /** The entries for this rank, by the rank that they come from. */
    private final Room entries;
    private final int[] entryCounts;
    /** By rank, of the entries of the tokens that are shown in a round: where they begin, then where the next one goes. */
    private final int[] starts;
    /** Results for this rank, by the rank that they come from. */
    private final Room results;
    private final MemorySegment[] resultMemory;
    private final long[] resultsAt;
    /** By rank, which of this rank's tokens go there. */
    private final int[][] visitors;
    private final int[] visits;
    private final float[] sum;
    private final float[] row;
    private int tokens;
    private int largest;
    /** The next entry of a token whose row has not come yet, by rank. */
    private final int[] cursors;
    private final int[] cursorEnds;
    private long sequence;
    private long dispatched;
    private long combined;

    /**
     * Begins.
     *
     * @param setting what is exchanged
     * @param codec how rows are shown
     * @param window of the group
     * @param lowLatencyTokens the most tokens of any rank for which the low-latency mode is taken, if they fit; -1: never
     */
    SharedMemoryExchange(AllToAll.Setting setting, RowCodec codec, Window window, int lowLatencyTokens) {
        this.communicator = setting.communicator();
        this.group = setting.group();
        this.window = window;
        this.own = group.position();
        this.ranks = group.size();
        this.width = setting.width();
        this.choices = setting.choices();
        this.maxTokens = setting.maxTokens();
        this.lowLatencyTokens = lowLatencyTokens;
        this.codec = codec;
        this.rowBytes = codec.rowBytes();
        this.resultBytes = Math.multiplyExact(width, Float.BYTES);
        this.head = Math.ceilDiv((ranks + 1L) * Integer.BYTES, LINE) * LINE;
        TokenMessage.check(setting.choices(), setting.slots());
        if (head + Math.max(resultBytes, (long) choices * ENTRY) > window.bytes() || rowBytes > window.bytes()) {
            throw new ManipleException(
                    "all2all-backend [shm] shows " + window.bytes() + " bytes at a time, but a token has " + width
                            + " elements and " + choices + " experts; use direct");
        }
        this.arrivals = new Arrivals(ranks, setting.slots(), rowBytes);
        this.entries = new Room(ranks, setting.memory());
        this.entryCounts = new int[ranks];
        this.starts = new int[ranks + 1];
        this.results = new Room(ranks, setting.memory());
        this.resultMemory = new MemorySegment[ranks];
        this.resultsAt = new long[ranks];
        this.visitors = new int[ranks][maxTokens];
        this.visits = new int[ranks];
        this.sum = new float[width];
        this.row = new float[width];
        this.cursors = new int[ranks];
        this.cursorEnds = new int[ranks];
    }

    @Override
    public void dispatch(Tensor x, Tensor weights, Owners owners, int first, int all, int most, Tensor pairs) {
        tokens = x.rows();
        largest = most;
        if (x.width() != width || weights.width() != choices || pairs.width() != width || tokens > largest
                || weights.rows() != tokens || tokens > maxTokens) {
            throw new IllegalArgumentException("dispatch of " + tokens + " rows of " + x + " by " + weights.rows() + " of "
                    + weights
                    + " into " + pairs + ", at most " + largest + " tokens a rank: this exchange is for width " + width + ", "
                    + choices + " choices and up to " + maxTokens + " tokens");
        }
        Arrays.fill(entryCounts, 0);
        Arrays.fill(visits, 0);
        long rowsAt = head + Math.ceilDiv((long) largest * choices * ENTRY, LINE) * LINE;
        boolean atOnce = largest <= lowLatencyTokens && rowsAt + (long) largest * rowBytes <= window.bytes();
        int tokensOfRound = atOnce ? Math.max(1, largest) : (int) ((window.bytes() - head) / ((long) choices * ENTRY));
        for (int from = 0; from < largest; from += tokensOfRound) {
            int to = Math.min(tokens, from + tokensOfRound);
            long written = showEntries(weights, owners, first, from, to);
            if (atOnce) {
                written += showRows(x, from, to, rowsAt);
            }
            round(written);
            takeEntries();
        }
        order(pairs, all);
        if (atOnce) {
            takeRows(pairs, 0, largest, rowsAt);
        } else {
            int rowsOfRound = (int) (window.bytes() / rowBytes);
            for (int from = 0; from < largest; from += rowsOfRound) {
                round(showRows(x, from, Math.min(tokens, from + rowsOfRound), 0));
                takeRows(pairs, from, rowsOfRound, 0);
            }
        }
    }

    /** Shows what has been written, and waits for what the others show. */
    private void round(long written) {
        window.publish(Tag.of(Tag.Operation.ALL_TO_ALL, group.id(), sequence++), (long) largest * rowBytes, written);
        for (int i = own + 1; i < ranks; i++) {
            communicator.await(window.arrival(i));
        }
        for (int i = 0; i < own; i++) {
            communicator.await(window.arrival(i));
        }
    }

    private long showEntries(Tensor weights, Owners owners, int first, int from, int to) {
        Arrays.fill(starts, 0);
        for (int token = from; token < to; token++) {
            for (int choice = 0; choice < choices; choice++) {
                int position = owners.position(token, choice);
                if (position >= 0) {
                    starts[position + 1]++;
                }
            }
        }
        MemorySegment shown = window.own();
        for (int i = 0; i <= ranks; i++) {
            starts[i] += i == 0 ? 0 : starts[i - 1];
            shown.set(JAVA_INT_UNALIGNED, (long) i * Integer.BYTES, starts[i]);
        }
        int all = starts[ranks];
        for (int token = from; token < to; token++) {
            for (int choice = 0; choice < choices; choice++) {
                int position = owners.position(token, choice);
                if (position >= 0) {
                    long at = head + (long) starts[position]++ * ENTRY;
                    shown.set(JAVA_INT_UNALIGNED, at, first + token);
                    shown.set(JAVA_INT_UNALIGNED, at + 4, choice << 16 | owners.slot(token, choice));
                    shown.set(JAVA_FLOAT_UNALIGNED, at + 8,
                            weights.segment().get(JAVA_FLOAT_UNALIGNED, Float.BYTES * ((long) token * choices + choice)));
                    shown.set(JAVA_INT_UNALIGNED, at + 12, token);
                    count(position, token);
                }
            }
        }
        return head + (long) all * ENTRY;
    }

    private void count(int position, int token) {
        boolean seen = visits[position] > 0 && visitors[position][visits[position] - 1] == token;
        if (!seen) {
            visitors[position][visits[position]++] = token;
        }
        if (position != own) {
            dispatched += ENTRY + (seen ? 0 : rowBytes);
        }
    }

    private long showRows(Tensor x, int from, int to, long at) {
        for (int token = from; token < to; token++) {
            codec.encode(x.segment(), (long) token * resultBytes, window.own(), at + (long) (token - from) * rowBytes);
        }
        return Math.max(0, (long) (to - from) * rowBytes);
    }

    /** Keeps the entries for this rank, since those of one rank may come in several rounds. */
    private void takeEntries() {
        for (int i = 0; i < ranks; i++) {
            MemorySegment shown = window.of(i);
            int start = shown.get(JAVA_INT_UNALIGNED, (long) own * Integer.BYTES);
            int count = shown.get(JAVA_INT_UNALIGNED, (own + 1L) * Integer.BYTES) - start;
            if (start < 0 || count < 0 || head + ((long) start + count) * ENTRY > shown.byteSize()) {
                throw new IllegalStateException("rank " + group.ranks().get(i) + " shows " + count + " entries from " + start
                        + " on; do all ranks have the same configuration?");
            }
            MemorySegment kept = entries.atLeast(i, (long) maxTokens * choices * ENTRY);
            MemorySegment.copy(shown, head + (long) start * ENTRY, kept, (long) entryCounts[i] * ENTRY, (long) count * ENTRY);
            entryCounts[i] += count;
        }
    }

    private void order(Tensor pairs, int all) {
        arrivals.begin(all);
        for (int i = 0; i < ranks; i++) {
            arrivals.from(i);
            cursors[i] = arrivals.entries();
            MemorySegment kept = entries.memory[i];
            for (int entry = 0; entry < entryCounts[i]; entry++) {
                long at = (long) entry * ENTRY;
                int packed = kept.get(JAVA_INT_UNALIGNED, at + 4);
                arrivals.take(i, group.ranks().get(i), kept.get(JAVA_INT_UNALIGNED, at), kept.get(JAVA_INT_UNALIGNED, at + 12),
                        packed >>> 16, packed & 0xffff, kept.get(JAVA_FLOAT_UNALIGNED, at + 8));
            }
            cursorEnds[i] = arrivals.entries();
        }
        arrivals.fill(pairs.pairs());
    }

    /** Takes the rows of a round, in which each rank shows those of its tokens from some token on. */
    private void takeRows(Tensor pairs, int from, int count, long at) {
        for (int i = 0; i < ranks; i++) {
            MemorySegment shown = window.of(i);
            int entry = cursors[i];
            for (; entry < cursorEnds[i] && arrivals.rowAt(arrivals.tokenOf(entry)) < (long) from + count; entry++) {
                codec.decode(shown, at + (arrivals.rowAt(arrivals.tokenOf(entry)) - from) * rowBytes, pairs.segment(),
                        (long) arrivals.rowOf(entry) * resultBytes);
            }
            cursors[i] = entry;
        }
    }

    @Override
    public void combine(Tensor pairs, Tensor out) {
        if (out.rows() != tokens || out.width() != width || pairs.width() != width) {
            throw new IllegalArgumentException("combine of " + pairs + " into " + out.rows() + " rows of " + out + ": " + tokens
                    + " tokens of width " + width + " were dispatched");
        }
        if (largest == 0) {
            return;
        }
        int rowsOfRound = (int) ((window.bytes() - head) / resultBytes);
        int shownTo = showResults(pairs, 0, rowsOfRound);
        keepOwnResults(pairs);
        int all = 0;
        for (int i = 0; i < ranks; i++) {
            all = Math.max(all, total(i));
        }
        if (all <= rowsOfRound) {
            for (int i = 0; i < ranks; i++) {
                if (i != own) {
                    resultMemory[i] = window.of(i);
                    resultsAt[i] = head + (long) start(i) * resultBytes;
                }
            }
        } else {
            takeResults(0, rowsOfRound);
            for (int from = rowsOfRound; from < all; from += rowsOfRound) {
                shownTo = showResults(pairs, shownTo, rowsOfRound);
                takeResults(from, rowsOfRound);
            }
        }
        addAtHome(out);
    }

    /** How many rows of results a rank has for others. */
    private int total(int position) {
        return window.of(position).get(JAVA_INT_UNALIGNED, (long) ranks * Integer.BYTES);
    }

    /** Which of a rank's rows is the first one for this rank; after a check that there are as many as tokens have gone there. */
    private int start(int position) {
        MemorySegment shown = window.of(position);
        int start = shown.get(JAVA_INT_UNALIGNED, (long) own * Integer.BYTES);
        int count = shown.get(JAVA_INT_UNALIGNED, (own + 1L) * Integer.BYTES) - start;
        if (count != visits[position] || start < 0) {
            throw new IllegalStateException(
                    "rank " + group.ranks().get(position) + " shows the results of " + count + " tokens for "
                            + visits[position] + " that were shown to it");
        }
        return start;
    }

    /** Shows results for others from some token on, in the order of the ranks; says which token is the next. */
    private int showResults(Tensor pairs, int fromToken, int most) {
        MemorySegment shown = window.own();
        int rows = 0;
        for (int i = 0; i < ranks; i++) {
            shown.set(JAVA_INT_UNALIGNED, (long) i * Integer.BYTES, rows);
            rows += i == own ? 0 : arrivals.first(i + 1) - arrivals.first(i);
        }
        shown.set(JAVA_INT_UNALIGNED, (long) ranks * Integer.BYTES, rows);
        int token = fromToken;
        int written = 0;
        for (; token < arrivals.first(ranks) && written < most; token++) {
            if (arrivals.source(token) != own) {
                sumOf(token, pairs);
                MemorySegment.copy(sum, 0, shown, JAVA_FLOAT_UNALIGNED, head + (long) written * resultBytes, width);
                written++;
            }
        }
        combined += (long) written * resultBytes;
        round(head + (long) written * resultBytes);
        return token;
    }

    private void keepOwnResults(Tensor pairs) {
        MemorySegment kept = results.atLeast(own, (long) visits[own] * resultBytes);
        for (int j = 0; j < visits[own]; j++) {
            sumOf(arrivals.first(own) + j, pairs);
            MemorySegment.copy(sum, 0, kept, JAVA_FLOAT_UNALIGNED, (long) j * resultBytes, width);
        }
        resultMemory[own] = kept;
        resultsAt[own] = 0;
    }

    /** Keeps those results for this rank that are shown in a round: tokens add them in the order of the ranks, whatever comes first. */
    private void takeResults(int from, int count) {
        for (int i = 0; i < ranks; i++) {
            if (i != own) {
                MemorySegment kept = results.atLeast(i, (long) maxTokens * resultBytes);
                int start = start(i);
                int first = Math.max(start, from);
                int last = Math.min(start + visits[i], from + count);
                if (first < last) {
                    MemorySegment.copy(window.of(i), head + (long) (first - from) * resultBytes, kept,
                            (long) (first - start) * resultBytes, (long) (last - first) * resultBytes);
                }
                resultMemory[i] = kept;
                resultsAt[i] = 0;
            }
        }
    }

    /** A token's rows on this rank, in the order of its choices. */
    private void sumOf(int token, Tensor pairs) {
        Arrays.fill(sum, 0);
        PairRows rows = pairs.pairs();
        for (int choice = 0; choice < choices; choice++) {
            int at = rows.row(arrivals.number(token), choice);
            if (at >= 0) {
                MemorySegment.copy(pairs.segment(), JAVA_FLOAT_UNALIGNED, (long) at * resultBytes, row, 0, width);
                addWeighted(arrivals.weight(at));
            }
        }
    }

    private void addWeighted(float weight) {
        for (int i = 0; i < width; i++) {
            sum[i] += weight * row[i];
        }
    }

    /** The ranks in ascending order, so that each token's sums are added in that order. */
    private void addAtHome(Tensor out) {
        MemorySegment into = out.segment();
        Arrays.fill(sum, 0);
        for (int token = 0; token < tokens; token++) {
            MemorySegment.copy(sum, 0, into, JAVA_FLOAT_UNALIGNED, (long) token * resultBytes, width);
        }
        for (int i = 0; i < ranks; i++) {
            for (int j = 0; j < visits[i]; j++) {
                long at = (long) visitors[i][j] * resultBytes;
                MemorySegment.copy(into, JAVA_FLOAT_UNALIGNED, at, sum, 0, width);
                MemorySegment.copy(resultMemory[i], JAVA_FLOAT_UNALIGNED, resultsAt[i] + (long) j * resultBytes, row, 0, width);
                addWeighted(1);
                MemorySegment.copy(sum, 0, into, JAVA_FLOAT_UNALIGNED, at, width);
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
