package org.maniple.api.graph;

/** How the partial results of ranks become the whole result. */
public enum PartialKind {
    /** They are added. */
    SUM,
    /** They are lists of candidates, of which the best are kept. */
    TOPK
}
