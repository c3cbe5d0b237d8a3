package org.maniple.api.graph;

import org.maniple.api.tensor.UnitList;

/**
 * An axis whose units follow those of another: a rank that has query heads needs the key-value heads that these read. The lists of
 * two ranks may overlap.
 *
 * @param axis the derived axis, for example KV_HEADS
 * @param from the axis that a rule splits, for example HEADS
 * @param group units of {@code from} for each unit of {@code axis}
 */
public record Derivation(Axis axis, Axis from, int group) {

    /**
     * The units of the derived axis that some units need.
     *
     * @param units units of {@link #from()}
     * @return units of {@link #axis()}
     */
    public UnitList derive(UnitList units) {
        return units.map(unit -> unit / group);
    }
}
