package org.maniple.kernel.unit;

/** How far a rank has come. A rank goes through all phases in order, and into the next one only when all ranks have reached the last. */
public enum Phase {
    /** Rank 0 knows all ranks, and they agree. */
    JOINED("join"),
    /** Data links are open. */
    LINKED("open data links"),
    /** Weights are in place. */
    LOADED("load weights"),
    /** Steps can run. */
    READY("get ready");

    private final String verb;

    Phase(String verb) {
        this.verb = verb;
    }

    /** What ranks do to reach the phase, to be put behind "waiting for ranks [1, 2] to". */
    String verb() {
        return verb;
    }
}
