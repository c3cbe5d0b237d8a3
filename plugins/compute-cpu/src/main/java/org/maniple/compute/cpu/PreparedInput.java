package org.maniple.compute.cpu;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.maniple.api.tensor.Tensor;

/**
 * The input of contractions in the forms in which they read it. Each form is made once per step, by all threads if there are many rows,
 * before the contractions begin; those that read the same form share it.
 */
final class PreparedInput implements Workers.Task {

    /** Elements of a chunk, about. */
    private static final int CHUNK_ELEMENTS = 1 << 14;

    /** What matrices read, and where its rows begin in the room. */
    private record Made(Preparation preparation, long begin) {}

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
    PreparedInput(Workers workers, SharedRoom room, List<Matrix> matrices) {
        this.workers = workers;
        this.room = room;
        this.x = matrices.getFirst().x();
        this.forms = new int[matrices.size()];
        var all = new ArrayList<Made>();
        long bytes = 0;
        int together = 1;
        for (int i = 0; i < forms.length; i++) {
            Optional<Preparation> preparation = matrices.get(i).weights().preparation();
            forms[i] = preparation.map(wanted -> find(all, wanted)).orElse(-1);
            if (preparation.isPresent() && forms[i] < 0) {
                forms[i] = all.size();
                all.add(new Made(preparation.get(), bytes));
                int rows = preparation.get().rowsTogether();
                bytes += preparation.get().rowBytes() * Math.ceilDiv(x.extent(0), rows) * rows;
                together = Math.max(together, rows);
            }
        }
        room.reserve(bytes);
        this.made = all.toArray(Made[]::new);
        this.chunkRows = Math.ceilDiv(Math.max(1, CHUNK_ELEMENTS / Math.max(1, x.width())), together) * together;
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
    void prepare() {
        if (made.length > 0) {
            workers.run(this, Math.ceilDiv(x.rows(), chunkRows), (long) x.rows() * x.width() >= ContractKernel.WORTH_WAKING);
        }
    }

    @Override
    public void compute(int chunk, int thread) {
        int from = chunk * chunkRows;
        int to = Math.min(from + chunkRows, x.rows());
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
