package org.maniple.kernel.execute;

import org.maniple.api.mesh.ExpertPlacement;

/**
 * Where the experts of a block are at present, and how often each has been computed here. The rank's own thread replaces the placement between two
 * steps and counts; others may read.
 */
public final class ExpertTable {

    private final int layer;
    private final int part;
    private final long[] loads;
    private volatile ExpertPlacement placement;

    /**
     * Experts that nobody has used yet.
     *
     * @param layer the block
     * @param part which part of the placement this rank is
     * @param placement where they are
     */
    public ExpertTable(int layer, int part, ExpertPlacement placement) {
        this.layer = layer;
        this.part = part;
        this.placement = placement;
        this.loads = new long[placement.experts()];
    }

    /** The block. */
    public int layer() {
        return layer;
    }

    /** Which part of the placement this rank is. */
    public int part() {
        return part;
    }

    /** Where the experts are now. */
    public ExpertPlacement placement() {
        return placement;
    }

    /** From the next step on, the experts are somewhere else. */
    public void replace(ExpertPlacement next) {
        placement = next;
    }

    /**
     * Counts rows of the expert that is in a slot.
     *
     * @param slot one of this rank's slots
     * @param rows how many have been computed
     */
    public void count(int slot, int rows) {
        loads[placement.expert(part, slot)] += rows;
    }

    /** Rows that this rank has computed of an expert so far. */
    public long load(int expert) {
        return loads[expert];
    }
}
