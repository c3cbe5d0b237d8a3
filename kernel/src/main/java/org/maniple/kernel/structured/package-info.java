/**
 * Structured output. A constraint becomes a {@link org.maniple.kernel.structured.Grammar} of expressions over characters (front ends for
 * JSON schemas, regular expressions, choices, GBNF and Lark), the grammar a {@link org.maniple.kernel.structured.Network} of states over
 * bytes, and the network an {@link org.maniple.kernel.structured.Automaton} with a stack that is made deterministic as it is walked. A
 * walk over the bytes of all tokens tells which of them may come next.
 */
package org.maniple.kernel.structured;
