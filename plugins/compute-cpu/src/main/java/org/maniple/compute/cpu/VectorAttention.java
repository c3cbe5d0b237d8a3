package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** Attention through the Vector API. */
final class VectorAttention implements Attention {

    private final PlainProduct products;
    private final PlainProduct turnedProducts;

    /** For keys, and turned keys, of some elements. */
    VectorAttention(int keyLength, int turnedLength) {
        this.products = new PlainProduct(new F32Rows(), keyLength);
        this.turnedProducts = new PlainProduct(new F32Rows(), turnedLength);
    }

    @Override
    public void compute(AttendChunk chunk) {
        boolean floats = chunk.keys.form == CacheForm.F32;
        long turnedPanel = 4L * Softmax.CHUNK * chunk.keyLength;
        if (floats) {
            scores(chunk, products, chunk.queries, chunk.keys, chunk.scores());
        } else {
            widen(chunk, chunk.keys, chunk.keyLength, 0);
            scores(chunk, products, chunk.queries, 0, chunk.keyLength, chunk.scores());
        }
        if (chunk.turnedLength > 0) {
            if (floats) {
                scores(chunk, turnedProducts, chunk.turnedQueries, chunk.turnedKeys, chunk.turnedScores());
            } else {
                widen(chunk, chunk.turnedKeys, chunk.turnedLength, turnedPanel);
                scores(chunk, turnedProducts, chunk.turnedQueries, turnedPanel, chunk.turnedLength, chunk.turnedScores());
            }
            addTurned(chunk);
        }
        long valuePanel = turnedPanel + 4L * Softmax.CHUNK * chunk.turnedLength;
        if (!floats) {
            widen(chunk, chunk.values, chunk.valueLength, valuePanel);
        }
        Softmax softmax = chunk.softmax();
        int length = chunk.valueLength;
        for (int row = 0; row < chunk.rows; row++) {
            int from = chunk.from(row);
            int to = chunk.to(row);
            for (int pair = row * chunk.heads; from < to && pair < (row + 1) * chunk.heads; pair++) {
                long part = 4L * pair * length;
                softmax.weigh(chunk.scores(), Softmax.STRIDE * pair, from, to, chunk.scale);
                WeightedRows.clear(chunk.parts(), part, length);
                if (floats) {
                    gather(chunk, pair, from, to);
                } else {
                    WeightedRows.add(chunk.panel(), valuePanel + 4L * (from - chunk.from) * length, 4L * length, to - from,
                            chunk.scores(), Softmax.STRIDE * pair + 4L * from, chunk.parts(), part, length);
                }
                join(chunk, pair, softmax.greatest(), softmax.sum(), chunk.parts(), part);
            }
        }
    }

    /** Makes floats of what the chunk has of a state, one position after the other. */
    private static void widen(AttendChunk chunk, AttendChunk.Rows rows, int length, long to) {
        long at = to;
        for (int run = 0; run < chunk.runCount(); run++) {
            rows.widen(chunk.slot(run), chunk.length(run), length, chunk.panel(), at);
            at += 4L * chunk.length(run) * length;
        }
    }

    /** With keys where they are cached. */
    private static void scores(AttendChunk chunk, PlainProduct product, AttendChunk.Rows queries, AttendChunk.Rows keys,
            MemorySegment scores) {
        int at = chunk.from;
        for (int run = 0; run < chunk.runCount(); run++) {
            int count = chunk.length(run);
            scores(chunk, product, queries, keys.memory, keys.at + chunk.slot(run) * keys.stride, keys.stride, at, count, scores);
            at += count;
        }
    }

    /** With keys as floats, in the panel. */
    private static void scores(AttendChunk chunk, PlainProduct product, AttendChunk.Rows queries, long panelAt, int length,
            MemorySegment scores) {
        scores(chunk, product, queries, chunk.panel(), panelAt, 4L * length, chunk.from, chunk.to - chunk.from, scores);
    }

    /** Of a row all heads at once, or of a head all rows: what is read of a key serves four queries. */
    private static void scores(AttendChunk chunk, PlainProduct product, AttendChunk.Rows queries, MemorySegment keys, long key,
            long stride, int at, int count, MemorySegment scores) {
        float[] lanes = chunk.softmax().lanes();
        if (chunk.rows == 1) {
            product.compute(keys, key, stride, count, queries.memory, queries.at, queries.headStride, chunk.heads, scores,
                    4L * at,
                    Softmax.STRIDE, lanes);
            return;
        }
        for (int head = 0; head < chunk.heads; head++) {
            product.compute(keys, key, stride, count, queries.memory, queries.at + head * queries.headStride, queries.stride,
                    chunk.rows, scores, 4L * at + Softmax.STRIDE * head, Softmax.STRIDE * chunk.heads, lanes);
        }
    }

    private static void addTurned(AttendChunk chunk) {
        int first = chunk.from - chunk.from % Lanes.COUNT;
        int count = Math.ceilDiv(chunk.to, Lanes.COUNT) * Lanes.COUNT - first;
        for (int pair = 0; pair < chunk.pairs(); pair++) {
            long at = Softmax.STRIDE * pair + 4L * first;
            Functions.add(chunk.scores(), at, chunk.turnedScores(), at, chunk.scores(), at, count);
        }
    }

    private static void gather(AttendChunk chunk, int pair, int from, int to) {
        int begin = chunk.from;
        AttendChunk.Rows values = chunk.values;
        for (int run = 0; run < chunk.runCount() && begin < to; run++) {
            int end = begin + chunk.length(run);
            int first = Math.max(begin, from);
            int count = Math.min(end, to) - first;
            if (count > 0) {
                WeightedRows.add(values.memory, values.at + (chunk.slot(run) + first - begin) * values.stride, values.stride,
                        count, chunk.scores(), Softmax.STRIDE * pair + 4L * first, chunk.parts(),
                        4L * pair * chunk.valueLength, chunk.valueLength);
            }
            begin = end;
        }
    }

    @Override
    public void join(AttendChunk chunk, MemorySegment later, long at) {
        int pairs = chunk.pairs();
        for (int pair = 0; pair < pairs; pair++) {
            float sum = later.get(JAVA_FLOAT_UNALIGNED, at + 4L * (pairs + pair));
            if (sum != 0) {
                join(chunk, pair, later.get(JAVA_FLOAT_UNALIGNED, at + 4L * pair), sum, later,
                        at + 4L * (2L * pairs + (long) pair * chunk.valueLength));
            }
        }
    }

    private static void join(AttendChunk chunk, int pair, float greatest, float sum, MemorySegment part, long partAt) {
        long at = chunk.stateAt() + 4L * pair;
        chunk.softmax().join(chunk.state(), at, at + 4L * chunk.pairs(), chunk.out.memory, chunk.result(pair), greatest, sum,
                part,
                partAt, chunk.valueLength);
    }
}
