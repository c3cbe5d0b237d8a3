package org.maniple.kernel.structured;

/** A constraint that outputs can be checked against, byte by byte and token by token. Safe for use by several threads. */
final class CompiledConstraint {

    /** Steps of the automaton for one set of tokens. Schemas need some thousands; above, a grammar is too ambiguous to follow. */
    private static final long MAX_EFFORT = 400_000;

    private final Automaton automaton;
    private final TokenTree tree;
    private final Position[] path;

    CompiledConstraint(Automaton automaton, TokenTree tree) {
        this.automaton = automaton;
        this.tree = tree;
        path = new Position[tree.deepest() + 1];
    }

    boolean isText(int token) {
        return tree.bytes(token).length > 0;
    }

    Position begin() {
        synchronized (automaton) {
            return automaton.begin();
        }
    }

    /**
     * After a token.
     *
     * @throws IllegalStateException if the token was not allowed
     */
    Position after(Position position, int token) {
        synchronized (automaton) {
            Position at = automaton.current(position);
            byte[] bytes = tree.bytes(token);
            for (byte b : bytes) {
                at = automaton.next(at, b & 0xff);
            }
            if (bytes.length == 0 || automaton.isDead(at)) {
                throw new IllegalStateException("token " + token + " was chosen, which the constraint does not allow");
            }
            return at;
        }
    }

    /**
     * The tokens that may come next, as a set of bits that must not be changed. Of positions that come again it is kept.
     *
     * @throws ConstraintException if to find them takes too long
     */
    long[] mask(Position position) {
        synchronized (automaton) {
            Position at = automaton.current(position);
            long[] mask = at.mask;
            if (mask == null) {
                mask = walk(at);
                at.mask = mask;
                automaton.addWeight(mask.length);
            }
            return mask;
        }
    }

    private long[] walk(Position from) {
        long[] mask = new long[(tree.vocabulary() + 63) >>> 6];
        long limit = automaton.effort() + MAX_EFFORT;
        path[0] = from;
        int node = 0;
        while (node < tree.nodes()) {
            int depth = tree.depth(node);
            Position next = automaton.next(path[depth], tree.octet(node));
            if (automaton.isDead(next)) {
                node = tree.behind(node);
                continue;
            }
            if (automaton.effort() > limit) {
                throw new ConstraintException("The constraint on the output is too ambiguous: there are too many ways to read it");
            }
            path[depth + 1] = next;
            tree.mark(node, mask);
            node++;
        }
        return mask;
    }
}
