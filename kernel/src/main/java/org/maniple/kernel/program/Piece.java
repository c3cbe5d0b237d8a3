package org.maniple.kernel.program;

import org.maniple.api.graph.Operand;

/**
 * An operand in one layout: on every rank one piece of memory. A value that is exchanged has several pieces.
 *
 * @param id unique within the program
 * @param operand what it is a piece of
 * @param layout how it lies on the mesh
 */
public record Piece(int id, Operand operand, Layout layout) {

    /** The id's, since a program asks for pieces often, and their operands are large. */
    @Override
    public int hashCode() {
        return Integer.hashCode(id);
    }

    @Override
    public String toString() {
        return operand.name() + " " + layout;
    }
}
