package org.maniple.kernel.program;

import org.maniple.api.graph.Axis;
import org.maniple.api.graph.PartialKind;

/** How a value lies along one dimension of the mesh. */
public sealed interface Placement {

    /** Every rank has the whole of it. */
    Placement WHOLE = new Replicated();

    /** Every rank has the whole of it. */
    record Replicated() implements Placement {
        @Override
        public String toString() {
            return "R";
        }
    }

    /**
     * Every rank has some units of an axis.
     *
     * @param axis the axis
     */
    record Split(Axis axis) implements Placement {
        @Override
        public String toString() {
            return "S(" + axis + ")";
        }
    }

    /**
     * Every rank has something of the whole shape; the value is what becomes of all of them together.
     *
     * @param kind how they become one
     */
    record Partial(PartialKind kind) implements Placement {
        @Override
        public String toString() {
            return kind == PartialKind.SUM ? "P(sum)" : "P(topk)";
        }
    }
}
