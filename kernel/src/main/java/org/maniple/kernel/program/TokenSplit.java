package org.maniple.kernel.program;

/**
 * Which tokens of a step a rank has of a value: those of one home or of all, and of these one of several parts of equal size. What the numbers
 * mean in tokens is said by the step.
 *
 * @param home the home, or -1 for all
 * @param part which part, from 0
 * @param parts how many there are
 */
public record TokenSplit(int home, int part, int parts) {

    /** All tokens of the step. */
    public static final TokenSplit ALL = new TokenSplit(-1, 0, 1);
}
