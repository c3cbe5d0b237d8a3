package org.maniple.compute.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The columns of some matrices in chunks of about the same number of bytes: several for each thread, so that one that is held up can be helped, but no
 * more, since each costs something, and few enough columns for the cache. A chunk is some <em>pieces</em>: following columns of one matrix.
 */
final class ColumnChunks {

    /** Columns of a piece are a multiple of this, unless it is the last of its matrix. */
    private static final int STEP = 8;
    /** Chunks of each thread, where there are several threads and enough columns. */
    private static final int EACH = 4;

    private final int[] firstPieces;
    /** For each piece its matrix, its first column, and the column after its last. */
    private final int[] pieces;

    private ColumnChunks(int[] firstPieces, int[] pieces) {
        this.firstPieces = firstPieces;
        this.pieces = pieces;
    }

    /**
     * Cuts.
     *
     * @param matrices one or several
     * @param threads that take chunks
     * @param together columns that must not be separated, beside those that a matrix names itself
     */
    static ColumnChunks of(List<Matrix> matrices, int threads, int together) {
        int[] units = matrices.stream().mapToInt(matrix -> Math.max(Math.max(STEP, together), matrix.weights().rowsTogether()))
                .toArray();
        long bytes = 0;
        long most = Long.MAX_VALUE;
        int all = 0;
        for (int i = 0; i < units.length; i++) {
            Matrix matrix = matrices.get(i);
            long rowBytes = Math.max(1, matrix.weights().rowBytes());
            bytes += rowBytes * matrix.columns();
            most = Math.min(most, rowBytes * Math.clamp(matrix.weights().chunkBytes() / rowBytes, STEP, 64 * STEP));
            all += Math.ceilDiv(matrix.columns(), units[i]);
        }
        long wanted = Math.max(threads == 1 ? 1 : EACH * threads, Math.ceilDiv(bytes, most));
        int count = (int) Math.min(all, Math.ceilDiv(wanted, threads) * threads);
        return cut(matrices, units, bytes, Math.max(1, count));
    }

    private static ColumnChunks cut(List<Matrix> matrices, int[] units, long bytes, int count) {
        var firstPieces = new int[count + 1];
        var pieces = new ArrayList<int[]>();
        int chunk = 0;
        long before = 0;
        for (int i = 0; i < units.length; i++) {
            long rowBytes = Math.max(1, matrices.get(i).weights().rowBytes());
            int columns = matrices.get(i).columns();
            int from = 0;
            for (int to = Math.min(units[i], columns); from < columns; to = Math.min(to + units[i], columns)) {
                // A chunk ends with the unit whose middle is nearest before its share of the bytes.
                long middle = before + rowBytes * (to + Math.min(units[i], columns - to) / 2);
                boolean last = i == units.length - 1 && to == columns;
                boolean full = !last && chunk + 1 < count && middle > bytes / count * (chunk + 1);
                if (full || to == columns) {
                    pieces.add(new int[] {i, from, to});
                    from = to;
                }
                if (full) {
                    firstPieces[++chunk] = pieces.size();
                }
            }
            before += rowBytes * columns;
        }
        if (!pieces.isEmpty()) {
            firstPieces[++chunk] = pieces.size();
        }
        return new ColumnChunks(Arrays.copyOf(firstPieces, chunk + 1), pieces.stream().flatMapToInt(Arrays::stream).toArray());
    }

    /** How many chunks there are. */
    int count() {
        return firstPieces.length - 1;
    }

    /** The first piece of a chunk; it ends where the next chunk begins. */
    int firstPiece(int chunk) {
        return firstPieces[chunk];
    }

    /** Which of the matrices a piece belongs to. */
    int matrix(int piece) {
        return pieces[3 * piece];
    }

    int from(int piece) {
        return pieces[3 * piece + 1];
    }

    int to(int piece) {
        return pieces[3 * piece + 2];
    }
}
