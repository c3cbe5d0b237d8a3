package org.maniple.kernel.bench;

import org.maniple.api.tensor.DType;

/**
 * A product to be measured.
 *
 * @param type of the weight's elements
 * @param rows of the weight: outputs
 * @param columns of the weight: inputs
 */
public record KernelCase(DType type, int rows, int columns) {

    /**
     * The size of the weight as it is stored.
     *
     * @return bytes
     */
    public long bytes() {
        return type.bytes((long) rows * columns);
    }
}
