package org.maniple.kernel.structured;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.TreeSet;

/**
 * What a network must be before it is walked: every state can still reach the end of its rule, so that whatever has been begun can be
 * completed; and no rule begins with itself, so that a walk that reads nothing ends.
 */
final class NetworkChecks {

    private final Network network;
    private final Grammar grammar;

    NetworkChecks(Network network, Grammar grammar) {
        this.network = network;
        this.grammar = grammar;
    }

    /**
     * Takes useless edges out.
     *
     * @throws ConstraintException if the root can never end, or a rule begins with itself
     */
    void clean(int root) {
        BitSet productive = statesThatReachTheEnd(true);
        if (!productive.get(network.start(root))) {
            throw new ConstraintException("no text of finite length satisfies it");
        }
        network.keepEdges(edge -> productive.get(network.target(edge))
                && (!network.isCall(edge) || productive.get(network.start(network.called(edge)))));
        refuseLeftRecursion(statesThatReachTheEnd(false));
    }

    /**
     * Walks backwards from the ends of all rules. A call can be passed once its rule's start has been reached as well as the state after it.
     *
     * @param overBytes whether edges over bytes may be taken
     */
    private BitSet statesThatReachTheEnd(boolean overBytes) {
        int[] firstInto = filled(network.states());
        int[] firstCalling = filled(network.rules());
        int[] nextInto = new int[network.edges()];
        int[] nextCalling = new int[network.edges()];
        for (int state = 0; state < network.states(); state++) {
            for (int edge = network.firstEdge(state); edge != Network.NONE; edge = network.nextEdge(edge)) {
                nextInto[edge] = firstInto[network.target(edge)];
                firstInto[network.target(edge)] = edge;
                if (network.isCall(edge)) {
                    nextCalling[edge] = firstCalling[network.called(edge)];
                    firstCalling[network.called(edge)] = edge;
                }
            }
        }
        var reached = new BitSet(network.states());
        int[] stack = new int[network.states()];
        int size = 0;
        for (int rule = 0; rule < network.rules(); rule++) {
            reached.set(network.end(rule));
            stack[size++] = network.end(rule);
        }
        while (size > 0) {
            int state = stack[--size];
            for (int edge = firstInto[state]; edge != Network.NONE; edge = nextInto[edge]) {
                boolean passable = network.isCall(edge)
                        ? reached.get(network.start(network.called(edge)))
                        : overBytes || !network.isBytes(edge);
                if (passable && !reached.get(network.source(edge))) {
                    reached.set(network.source(edge));
                    stack[size++] = network.source(edge);
                }
            }
            int rule = network.rule(state);
            if (network.start(rule) == state) {
                for (int edge = firstCalling[rule]; edge != Network.NONE; edge = nextCalling[edge]) {
                    if (reached.get(network.target(edge)) && !reached.get(network.source(edge))) {
                        reached.set(network.source(edge));
                        stack[size++] = network.source(edge);
                    }
                }
            }
        }
        return reached;
    }

    private static int[] filled(int length) {
        int[] values = new int[length];
        Arrays.fill(values, Network.NONE);
        return values;
    }

    /** Rules that no other begins with are taken away until none is left; what stays begins with itself, or is begun with by such. */
    private void refuseLeftRecursion(BitSet empty) {
        int rules = network.rules();
        int[][] begins = new int[rules][];
        int[] callers = new int[rules];
        int[] seen = new int[network.states()];
        for (int rule = 0; rule < rules; rule++) {
            begins[rule] = beginnings(rule, empty, seen);
            for (int called : begins[rule]) {
                callers[called]++;
            }
        }
        int[] stack = new int[rules];
        int size = 0;
        for (int rule = 0; rule < rules; rule++) {
            if (callers[rule] == 0) {
                stack[size++] = rule;
            }
        }
        int removed = 0;
        while (size > 0) {
            removed++;
            for (int called : begins[stack[--size]]) {
                if (--callers[called] == 0) {
                    stack[size++] = called;
                }
            }
        }
        if (removed < rules) {
            throw new ConstraintException("the rule [" + nameOfRecursive(begins, callers)
                    + "] can begin with itself (left recursion), which is not supported; write it as a repetition");
        }
    }

    /** Every rule that has callers left has one that has callers left too, so that a walk from caller to caller ends in a circle. */
    private String nameOfRecursive(int[][] begins, int[] callers) {
        int[] someCaller = new int[begins.length];
        for (int rule = 0; rule < begins.length; rule++) {
            if (callers[rule] > 0) {
                for (int called : begins[rule]) {
                    someCaller[called] = rule;
                }
            }
        }
        int at = 0;
        while (callers[at] == 0) {
            at++;
        }
        var seen = new BitSet();
        while (!seen.get(at)) {
            seen.set(at);
            at = someCaller[at];
        }
        return at < grammar.rules() ? grammar.name(at) : "a repeated part";
    }

    /**
     * The rules that are called before a byte of a rule is read.
     *
     * @param seen for each state one more than the last rule in whose name it was seen
     */
    private int[] beginnings(int rule, BitSet empty, int[] seen) {
        var begins = new TreeSet<Integer>();
        var waiting = new ArrayDeque<Integer>();
        waiting.push(network.start(rule));
        while (!waiting.isEmpty()) {
            int state = waiting.pop();
            if (seen[state] == rule + 1) {
                continue;
            }
            seen[state] = rule + 1;
            for (int edge = network.firstEdge(state); edge != Network.NONE; edge = network.nextEdge(edge)) {
                if (network.isCall(edge)) {
                    begins.add(network.called(edge));
                    if (empty.get(network.start(network.called(edge)))) {
                        waiting.push(network.target(edge));
                    }
                } else if (!network.isBytes(edge)) {
                    waiting.push(network.target(edge));
                }
            }
        }
        return begins.stream().mapToInt(Integer::intValue).toArray();
    }
}
