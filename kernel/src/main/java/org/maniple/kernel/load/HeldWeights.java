package org.maniple.kernel.load;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import java.util.function.LongFunction;

/** Where weights come to that cannot be used where the checkpoint's files are mapped. Weights are asked for in the order of the rank's program where they are kept in a file, and then by one thread. */
interface HeldWeights extends AutoCloseable {

    /**
     * Some of a rank's weights.
     *
     * @param bytes how many
     * @param fill writes all of them; is not called if they are there already
     * @return their memory
     */
    MemorySegment hold(long bytes, Consumer<MemorySegment> fill);

    /** All weights of the rank are held. */
    void complete();

    @Override
    void close();

    /** In memory that they are written into. */
    static HeldWeights in(LongFunction<MemorySegment> memory) {
        return new HeldWeights() {
            @Override
            public MemorySegment hold(long bytes, Consumer<MemorySegment> fill) {
                MemorySegment target = memory.apply(bytes);
                fill.accept(target);
                return target;
            }

            @Override
            public void complete() {
                // Nobody else is told.
            }

            @Override
            public void close() {
                // The memory is somebody else's.
            }
        };
    }
}
