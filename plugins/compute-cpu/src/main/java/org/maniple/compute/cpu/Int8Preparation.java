package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import org.maniple.api.tensor.BlockRows;

/** Makes floats bytes with a scale for each 32 elements: {@link Int8Layout}. */
final class Int8Preparation implements Preparation {

    private static final int HALF = Int8Layout.BLOCK / 2;

    private final BlockRows rows;
    private final Int8Layout layout;
    private final int columns;

    Int8Preparation(BlockRows rows) {
        this.rows = rows;
        this.layout = new Int8Layout(rows.held());
        this.columns = rows.columns();
    }

    @Override
    public long rowBytes() {
        return layout.rowBytes();
    }

    @Override
    public void prepare(MemorySegment x, int from, int to, int all, MemorySegment out, long at) {
        for (int row = from; row < to; row++) {
            row(x, 4L * row * columns, out, at + row * rowBytes());
        }
    }

    private void row(MemorySegment x, long at, MemorySegment out, long to) {
        for (int block = 0; block < layout.blocks(); block++) {
            block(x, at, block, out, to);
        }
    }

    private void block(MemorySegment x, long at, int block, MemorySegment out, long to) {
        float greatest = 0;
        for (int i = 0; i < Int8Layout.BLOCK; i++) {
            greatest = Math.max(greatest, Math.abs(element(x, at, block * Int8Layout.BLOCK + i)));
        }
        float scale = greatest / 127;
        float inverse = scale == 0 ? 0 : 1 / scale;
        out.set(JAVA_FLOAT_UNALIGNED, to + layout.scales() + 4L * block, scale);
        int total = 0;
        for (int half = 0; half < 2; half++) {
            int sum = 0;
            for (int i = 0; i < HALF; i++) {
                int index = block * Int8Layout.BLOCK + half * HALF + i;
                int code = (int) Math.rint(element(x, at, index) * inverse);
                out.set(JAVA_BYTE, to + index, (byte) code);
                sum += code;
            }
            out.set(JAVA_INT_UNALIGNED, to + layout.halves() + 8L * block + 4L * half, sum);
            total += sum;
        }
        out.set(JAVA_INT_UNALIGNED, to + layout.sums() + 4L * block, total);
    }

    private float element(MemorySegment x, long at, int held) {
        for (BlockRows.Run run : rows.runs()) {
            int own = held - run.held();
            if (own >= 0 && own < run.count()) {
                return x.get(JAVA_FLOAT_UNALIGNED, at + 4L * (run.from() + own));
            }
        }
        return 0;
    }
}
