package org.maniple.api.checkpoint;

import java.util.List;
import org.maniple.api.tensor.DType;

/**
 * A tensor of a checkpoint, by its header: dense, row-major, little-endian. The header was checked: the shape's bytes lie within the file.
 *
 * @param name its name
 * @param dtype type of its elements
 * @param shape extents, outermost first
 * @param file the file that it is in, for messages
 * @param bytes its size
 */
public record StoredTensor(String name, DType dtype, List<Long> shape, String file, long bytes) {

    /** Copies the list. */
    public StoredTensor {
        shape = List.copyOf(shape);
    }
}
