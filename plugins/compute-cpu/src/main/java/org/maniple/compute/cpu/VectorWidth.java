package org.maniple.compute.cpu;

import jdk.incubator.vector.VectorShape;

/**
 * How wide the vectors of {@link Lanes} are. A class of its own, so that it can be told without setting up the Vector API, which takes a tenth of a second
 * that a start is spared where native kernels do the work.
 */
final class VectorWidth {

    /** In bits. */
    static final int BITS = Math.min(VectorShape.preferredShape().vectorBitSize(), Lanes.COUNT * Float.SIZE);

    private VectorWidth() {}
}
