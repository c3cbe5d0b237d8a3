package org.maniple.kernel.structured;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A network with a stack, made deterministic as it is walked: what is known of a position is kept, until there is too much of it, and then
 * found out again. A grammar so ambiguous that there are very many ways to read a text is followed along some of them only: then it allows
 * less than it says, but never more, and whatever has been begun can be completed. Safe for use by several threads, one at a time: callers
 * hold its monitor.
 */
final class Automaton {

    private static final long MAX_WEIGHT = 2_000_000;
    private static final int MAX_FRAMES = 1024;
    private static final int MAX_SEEN = 8192;

    private final Network network;
    private final int[] classOf;
    private final int classes;
    private final boolean[] passedThrough;
    private final Position dead;
    private final Frame root;

    private final Map<Position, Position> positions = new HashMap<>();
    private final Map<Frame, Frame> frames = new HashMap<>();
    private final ArrayDeque<Frame> waiting = new ArrayDeque<>();
    private final Set<Frame> seen = new HashSet<>();
    private final List<Frame> reading = new ArrayList<>();
    private int generation;
    private long effort;
    /** About how many references and words are kept. */
    private long weight;

    Automaton(Network network, int rule) {
        this.network = network;
        classOf = network.byteClasses();
        classes = classOf[255] + 1;
        passedThrough = new boolean[network.states()];
        for (int state = 0; state < passedThrough.length; state++) {
            passedThrough[state] = leadsToNothingButTheEnd(state);
        }
        dead = new Position(new Frame[0], false, generation, classes);
        root = new Frame(network.start(rule), null);
    }

    /** A call that returns to such a state need not return to it at all (a tail call). */
    private boolean leadsToNothingButTheEnd(int state) {
        int at = state;
        for (int step = 0; step < 8; step++) {
            int edge = network.firstEdge(at);
            if (edge == Network.NONE) {
                return network.isEnd(at);
            }
            if (network.isBytes(edge) || network.isCall(edge) || network.nextEdge(edge) != Network.NONE) {
                return false;
            }
            at = network.target(edge);
        }
        return false;
    }

    /** Before the first byte. */
    Position begin() {
        waiting.push(root);
        return explore();
    }

    /** Where one is after one more byte; {@link #isDead} if that byte cannot come. */
    Position next(Position from, int octet) {
        Position known = from.next[classOf[octet]];
        if (known == null) {
            known = find(from, octet);
            from.next[classOf[octet]] = known;
        }
        return known;
    }

    boolean isDead(Position position) {
        return position.frames.length == 0 && !position.accepting;
    }

    /** The same position among those that are kept now; to be called before a walk begins. */
    Position current(Position position) {
        if (weight > MAX_WEIGHT) {
            positions.clear();
            frames.clear();
            weight = 0;
            generation++;
        }
        return position.generation == generation ? position : kept(position.frames, position.accepting);
    }

    /** Grows with the work that has been done, and by nothing for what was known. */
    long effort() {
        return effort;
    }

    private Position find(Position from, int octet) {
        for (int i = from.frames.length - 1; i >= 0; i--) {
            Frame frame = from.frames[i];
            for (int edge = network.firstEdge(frame.state); edge != Network.NONE; edge = network.nextEdge(edge)) {
                effort++;
                if (network.covers(edge, octet)) {
                    waiting.push(new Frame(network.target(edge), frame.parent));
                }
            }
        }
        return waiting.isEmpty() ? dead : explore();
    }

    /** Follows everything that reads nothing. */
    private Position explore() {
        seen.clear();
        reading.clear();
        boolean accepting = false;
        while (!waiting.isEmpty()) {
            if ((seen.size() > MAX_SEEN || reading.size() >= MAX_FRAMES) && (accepting || !reading.isEmpty())) {
                waiting.clear();
                break;
            }
            Frame frame = waiting.pop();
            if (!seen.add(frame)) {
                continue;
            }
            effort++;
            if (network.isEnd(frame.state)) {
                if (frame.parent == null) {
                    accepting = true;
                } else {
                    waiting.push(frame.parent);
                }
            }
            if (follow(frame)) {
                reading.add(unique(frame));
            }
        }
        Collections.sort(reading);
        return kept(reading.toArray(Frame[]::new), accepting);
    }

    /** Returns whether its state reads bytes. */
    private boolean follow(Frame frame) {
        boolean reads = false;
        for (int edge = network.firstEdge(frame.state); edge != Network.NONE; edge = network.nextEdge(edge)) {
            int target = network.target(edge);
            if (network.isBytes(edge)) {
                reads = true;
            } else if (network.isCall(edge)) {
                Frame back = passedThrough[target] ? frame.parent : unique(new Frame(target, frame.parent));
                waiting.push(new Frame(network.start(network.called(edge)), back));
            } else {
                waiting.push(new Frame(target, frame.parent));
            }
        }
        return reads;
    }

    private Frame unique(Frame frame) {
        Frame known = frames.putIfAbsent(frame, frame);
        return known == null ? frame : known;
    }

    private Position kept(Frame[] found, boolean accepting) {
        var position = new Position(found, accepting, generation, classes);
        @Nullable
        Position known = positions.putIfAbsent(position, position);
        if (known != null) {
            return known;
        }
        weight += 2L * found.length + classes + 16;
        return position;
    }

    /** Says that a position has been given something to keep. */
    void addWeight(int words) {
        weight += words;
    }
}
