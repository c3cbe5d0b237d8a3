package org.maniple.kernel.load;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.maniple.api.checkpoint.StoredTensor;

/** A tensor that is stored otherwise than ranks hold it, and is converted when it is read. Safe for use by several threads. */
interface ConvertedTensor {

    /** What it is once it is converted. */
    StoredTensor seen();

    /** Maps what is stored, for as long as an arena lives. */
    Reader open(Arena arena);

    /** Reads what is mapped; for one thread. */
    interface Reader {
        /**
         * Converts.
         *
         * @param offset the first converted byte, counted from the tensor's first
         * @param length bytes; whole elements, or whole blocks
         * @param target receives them
         * @param to where
         */
        void read(long offset, long length, MemorySegment target, long to);
    }
}
