package org.maniple.compute.cpu;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.Tensor;

/**
 * The input of contractions in the forms in which they read it. Each form is made once per step, by all threads if there are many rows,
 * before the contractions begin; those that read the same form share it. What makes the input row by row goes before it in the same pass.
 */
final class PreparedInput implements Workers.Task {

    /** Elements of a chunk at most, about. */
    private static final int CHUNK_ELEMENTS = 1 << 14;

    /** What matrices read, and where its rows begin in the room. */
    private record Made(Preparation preparation, long begin) {}

    private final Workers workers;
    private final SharedRoom room;
    private final Tensor x;
    private final Made[] made;
    /** For each matrix its form; -1 for floats. */
    private final int[] forms;
    private final @Nullable RowWise before;
    /** Rows that are prepared together by one thread. */
    private final int together;
    /** Rows of a chunk in this step, and whether the input is made in the same pass. */
    private int chunkRows;
    private boolean makesInput;

    /**
     * Plans the forms.
     *
     * @param room where they are made; lasts until another input is prepared in it
     * @param matrices the contractions; all of the same input
     * @param before makes the input, if that is to be done first
     */
    PreparedInput(Workers workers, SharedRoom room, List<Matrix> matrices, @Nullable RowWise before) {
        this.workers = workers;
        this.room = room;
        this.x = matrices.getFirst().x();
        this.forms = new int[matrices.size()];
        var all = new ArrayList<Made>();
        long bytes = 0;
        int most = 1;
        for (int i = 0; i < forms.length; i++) {
            Optional<Preparation> preparation = matrices.get(i).weights().preparation();
            forms[i] = preparation.map(wanted -> find(all, wanted)).orElse(-1);
            if (preparation.isPresent() && forms[i] < 0) {
                forms[i] = all.size();
                all.add(new Made(preparation.get(), bytes));
                int rows = preparation.get().rowsTogether();
                bytes += preparation.get().rowBytes() * Math.ceilDiv(x.extent(0), rows) * rows;
                most = Math.max(most, rows);
            }
        }
        room.reserve(bytes);
        this.made = all.toArray(Made[]::new);
        this.together = most;
        this.before = before;
    }

    private static int find(List<Made> all, Preparation preparation) {
        for (int i = 0; i < all.size(); i++) {
            if (all.get(i).preparation().equals(preparation)) {
                return i;
            }
        }
        return -1;
    }

    /** Makes the forms of all rows that are in use. */
    void prepare(Step step) {
        int rows = x.rows();
        int width = x.width();
        makesInput = false;
        if (before != null) {
            if (before.rows() == rows) {
                before.begin(step);
                width += before.width();
                makesInput = true;
            } else {
                before.run(step);
            }
        }
        if (made.length == 0 && !makesInput) {
            return;
        }
        int each = Math.min(RowSequence.chunkRows(rows, workers.threads()), Math.max(1, CHUNK_ELEMENTS / Math.max(1, width)));
        chunkRows = Math.ceilDiv(each, together) * together;
        workers.run(this, Math.ceilDiv(rows, chunkRows), (long) rows * width >= RowSequence.WORTH_WAKING);
    }

    @Override
    public void compute(int chunk, int thread) {
        int from = chunk * chunkRows;
        int to = Math.min(from + chunkRows, x.rows());
        if (makesInput) {
            Objects.requireNonNull(before).compute(from, to, thread);
        }
        for (Made form : made) {
            form.preparation().prepare(x.segment(), from, to, x.rows(), room.memory(), form.begin());
        }
    }

    /** The memory that a matrix reads. */
    MemorySegment memory(int matrix) {
        return forms[matrix] < 0 ? x.segment() : room.memory();
    }

    /** Bytes from a row of it to the next. */
    long stride(int matrix) {
        return forms[matrix] < 0 ? 4L * x.width() : made[forms[matrix]].preparation().rowBytes();
    }

    /** Where it begins. */
    long begin(int matrix) {
        return forms[matrix] < 0 ? 0 : made[forms[matrix]].begin();
    }
}
