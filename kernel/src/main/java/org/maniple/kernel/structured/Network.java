package org.maniple.kernel.structured;

import java.util.Arrays;

/**
 * States and the edges between them, for all rules of a grammar: over a range of bytes, over nothing, or over a call of a rule. Each rule
 * has one first and one last state. Edges of a state form a list. Built by {@link NetworkBuilder}, not changed afterwards.
 */
final class Network {

    static final int NONE = -1;

    private static final int OVER_NOTHING = -1;
    private static final int OVER_CALL = -2;
    private static final int MAX_STATES = 200_000;
    private static final int MAX_EDGES = 2 * MAX_STATES;

    private int states;
    private int[] firstEdge = new int[256];
    private int[] ruleOf = new int[256];
    private int edges;
    private int[] low = new int[256];
    private int[] high = new int[256];
    private int[] source = new int[256];
    private int[] target = new int[256];
    private int[] nextEdge = new int[256];
    private int rules;
    private int[] start = new int[16];
    private int[] end = new int[16];

    // ---- building

    int addState(int rule) {
        if (states == MAX_STATES) {
            throw new ConstraintException("it becomes an automaton of more than " + MAX_STATES + " states; make it smaller");
        }
        if (states == firstEdge.length) {
            firstEdge = Arrays.copyOf(firstEdge, 2 * states);
            ruleOf = Arrays.copyOf(ruleOf, 2 * states);
        }
        firstEdge[states] = NONE;
        ruleOf[states] = rule;
        return states++;
    }

    /** Makes room for one more rule; its states follow. */
    int addRule() {
        if (rules == start.length) {
            start = Arrays.copyOf(start, 2 * rules);
            end = Arrays.copyOf(end, 2 * rules);
        }
        int rule = rules++;
        start[rule] = addState(rule);
        end[rule] = addState(rule);
        return rule;
    }

    void addBytes(int from, int to, int lowest, int highest) {
        add(from, to, lowest, highest);
    }

    void addNothing(int from, int to) {
        add(from, to, OVER_NOTHING, 0);
    }

    void addCall(int from, int to, int rule) {
        add(from, to, OVER_CALL, rule);
    }

    private void add(int from, int to, int first, int second) {
        if (edges == MAX_EDGES) {
            throw new ConstraintException("it becomes an automaton of more than " + MAX_EDGES + " edges; make it smaller");
        }
        if (edges == low.length) {
            low = Arrays.copyOf(low, 2 * edges);
            high = Arrays.copyOf(high, 2 * edges);
            source = Arrays.copyOf(source, 2 * edges);
            target = Arrays.copyOf(target, 2 * edges);
            nextEdge = Arrays.copyOf(nextEdge, 2 * edges);
        }
        low[edges] = first;
        high[edges] = second;
        source[edges] = from;
        target[edges] = to;
        nextEdge[edges] = firstEdge[from];
        firstEdge[from] = edges++;
    }

    /** Takes out the edges for which something does not hold. */
    void keepEdges(java.util.function.IntPredicate holds) {
        for (int state = 0; state < states; state++) {
            int previous = NONE;
            for (int edge = firstEdge[state]; edge != NONE; edge = nextEdge[edge]) {
                if (holds.test(edge)) {
                    previous = edge;
                } else if (previous == NONE) {
                    firstEdge[state] = nextEdge[edge];
                } else {
                    nextEdge[previous] = nextEdge[edge];
                }
            }
        }
    }

    // ---- reading

    int states() {
        return states;
    }

    int rules() {
        return rules;
    }

    int edges() {
        return edges;
    }

    int start(int rule) {
        return start[rule];
    }

    int end(int rule) {
        return end[rule];
    }

    int rule(int state) {
        return ruleOf[state];
    }

    boolean isEnd(int state) {
        return end[ruleOf[state]] == state;
    }

    /** The first edge of a state, or {@link #NONE}. */
    int firstEdge(int state) {
        return firstEdge[state];
    }

    /** The next edge of the same state, or {@link #NONE}. */
    int nextEdge(int edge) {
        return nextEdge[edge];
    }

    int source(int edge) {
        return source[edge];
    }

    int target(int edge) {
        return target[edge];
    }

    boolean isBytes(int edge) {
        return low[edge] >= 0;
    }

    boolean isCall(int edge) {
        return low[edge] == OVER_CALL;
    }

    /** The rule that an edge calls. */
    int called(int edge) {
        return high[edge];
    }

    boolean covers(int edge, int octet) {
        return low[edge] >= 0 && low[edge] <= octet && octet <= high[edge];
    }

    /** Numbers the bytes so that bytes with equal numbers are told apart by no edge. */
    int[] byteClasses() {
        boolean[] cut = new boolean[257];
        for (int edge = 0; edge < edges; edge++) {
            if (isBytes(edge)) {
                cut[low[edge]] = true;
                cut[high[edge] + 1] = true;
            }
        }
        int[] classes = new int[256];
        int number = 0;
        for (int octet = 1; octet < 256; octet++) {
            if (cut[octet]) {
                number++;
            }
            classes[octet] = number;
        }
        return classes;
    }
}
