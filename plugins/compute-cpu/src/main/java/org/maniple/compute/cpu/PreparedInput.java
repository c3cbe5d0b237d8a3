package org.maniple.compute.cpu;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.Tensor;

/**
 * The input of contractions in the forms in which they read it. Each form is made once per step, by all threads if there are many rows,
 * before the contractions begin; those that read the same form share it.
 */
final class PreparedInput implements Workers.Task {

    /** Elements of a chunk, about. */
    private static final int CHUNK_ELEMENTS = 1 << 14;

    /**
     * A form of the input.
     *
     * @param form never floats
     * @param rows how the weights hold rows
     * @param begin where its rows begin in the room
     */
    private record Made(ActivationForm form, BlockRows rows, Preparation preparation, long begin) {}

    private final Workers workers;
    private final SharedRoom room;
    private final Tensor x;
    private final Made[] made;
    /** For each matrix its form; -1 for floats. */
    private final int[] forms;
    private final int chunkRows;

    /**
     * Plans the forms.
     *
     * @param room where they are made; lasts until another input is prepared in it
     * @param matrices the contractions; all of the same input
     */
    PreparedInput(Workers workers, SharedRoom room, Products products, List<Matrix> matrices) {
        this.workers = workers;
        this.room = room;
        this.x = matrices.getFirst().x();
        this.forms = new int[matrices.size()];
        var all = new ArrayList<Made>();
        long bytes = 0;
        for (int i = 0; i < forms.length; i++) {
            WeightMatrix weights = matrices.get(i).weights();
            forms[i] = -1;
            if (weights.form() != ActivationForm.F32) {
                forms[i] = find(all, weights);
                if (forms[i] < 0) {
                    Preparation preparation = products.preparation(weights.form(), weights.held());
                    forms[i] = all.size();
                    all.add(new Made(weights.form(), weights.held(), preparation, bytes));
                    bytes += preparation.rowBytes() * x.extent(0);
                }
            }
        }
        room.reserve(bytes);
        this.made = all.toArray(Made[]::new);
        this.chunkRows = Math.max(1, CHUNK_ELEMENTS / Math.max(1, x.width()));
    }

    private static int find(List<Made> all, WeightMatrix weights) {
        for (int i = 0; i < all.size(); i++) {
            if (all.get(i).form() == weights.form() && all.get(i).rows().equals(weights.held())) {
                return i;
            }
        }
        return -1;
    }

    /** Makes the forms of all rows that are in use. */
    void prepare() {
        if (made.length > 0) {
            workers.run(this, Math.ceilDiv(x.rows(), chunkRows), (long) x.rows() * x.width() >= ContractKernel.WORTH_WAKING);
        }
    }

    @Override
    public void compute(int chunk, int thread) {
        int from = chunk * chunkRows;
        int rows = Math.min(chunkRows, x.rows() - from);
        for (Made form : made) {
            form.preparation().prepare(x.segment(), 4L * from * x.width(), rows, room.memory(),
                    form.begin() + from * form.preparation().rowBytes());
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

    /** Where a row of it begins. */
    long at(int matrix, int row) {
        return (forms[matrix] < 0 ? 0 : made[forms[matrix]].begin()) + row * stride(matrix);
    }
}
