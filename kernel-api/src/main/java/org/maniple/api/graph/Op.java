package org.maniple.api.graph;

import java.util.List;

/**
 * An operation: what it is called, its attributes, and what it does to axes. Never mentions ranks. The {@link BuiltinOp}s are known
 * to every back end; a model plugin may bring others as {@link CustomOp}s. Implementations are records, so that two operations with
 * the same attributes are equal.
 */
public sealed interface Op permits BuiltinOp, CustomOp {

    /**
     * Its name in listings.
     *
     * @return upper case
     */
    String name();

    /**
     * What the operation does to the axes of these operands.
     *
     * @param inputs its inputs, in order
     * @param outputs its outputs, in order
     * @return the signature
     */
    AxisSignature signature(List<? extends Operand> inputs, List<? extends Operand> outputs);
}
